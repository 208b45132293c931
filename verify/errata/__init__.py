"""Which printed formulas of the curriculum are right?  Every record is put to the machine, or says why it is not."""

from __future__ import annotations

from verify.errata.examine import Errata, Found, Judged, examine
from verify.errata.records import DataError, Entry, Formal, Judgement, Record, read_entries

__all__ = [
    "DataError",
    "Entry",
    "Errata",
    "Formal",
    "Found",
    "Judged",
    "Judgement",
    "Record",
    "examine",
    "read_entries",
]
