"""Matrix formulas as people paste them, right and wrong: none is judged wrongly, and most are proved at every size."""

import json
from collections import Counter
from pathlib import Path

import pytest

from verify.decide import decide
from verify.language import read_claim
from verify.verdict import Verdict

CORPUS = Path(__file__).parent / "data" / "cookbook_claims.jsonl"
RECORDS = [json.loads(line) for line in CORPUS.read_text(encoding="utf-8").splitlines()]
#: One in so many is judged by default, the others as `thorough`.
STRIDE = 9


def outcome(record: dict) -> str:
    """proved at all sizes, proved, supported, refuted, open, or WRONG."""
    result = decide(read_claim(record["claim"], record["let"]))
    if result.verdict is Verdict.REFUTED:
        return "WRONG" if record["truth"] == "true" else "refuted"
    if result.verdict < Verdict.SUPPORTED:
        return "open"
    if record["truth"] == "false":
        return "WRONG"
    if result.verdict is Verdict.SUPPORTED:
        return "supported"
    return "proved"


def wanted(record: dict) -> str:
    return "proved" if record["truth"] == "true" else "refuted"


def test_the_corpus_has_both_kinds():
    truths = Counter(record["truth"] for record in RECORDS)
    assert min(truths.values()) > 150
    assert len({record["claim"] for record in RECORDS}) == len(RECORDS)
    assert all(record["source"] for record in RECORDS)


@pytest.mark.parametrize("record", RECORDS[4::STRIDE], ids=lambda record: record["id"])
def test_a_formula_is_judged_rightly(record):
    assert outcome(record) == wanted(record)


@pytest.mark.thorough
def test_every_formula_of_the_corpus_is_judged_rightly():
    found = [(outcome(record), record) for record in RECORDS]
    assert [record["claim"] for each, record in found if each == "WRONG"] == []
    right = Counter(each == wanted(record) for each, record in found)
    assert right[True] >= 0.97 * len(RECORDS), [record["claim"] for each, record in found if each != wanted(record)]
