"""What is printed, and what is put to the machine for it?  Records with their formalisations, validated when read.

The records are `printed.jsonl`; the formalisations are TOML files beside it, a table for each record:

    [w6-planardet]
    status = "right"
    printed = ["det(eye(n) + u*r*w') = 1 + r*w'*u with u: vector(n), w: vector(n)"]

`printed` holds what the formula says as it is printed, `corrected` what it says with the correction or under the
further hypothesis.  A claim is a text in the grammar of claims or in LaTeX, { text, let } with declarations,
{ problem, claim } with a problem of `problems.toml` and its table `[claim]`, or a part of a derivation,
{ derivation, step }, { derivation, printed } or { derivation, correction }.
`like = "…"` judges a record as another one that prints the same.  What the claims have to come to follows from the
status; see `verify.errata.examine`.
"""

from __future__ import annotations

import json
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Any

STATUSES = ("right", "needs hypothesis", "misprint", "wrong", "definition")
ERRATA = ("needs hypothesis", "misprint", "wrong")
WORDS = ("status", "says", "reading", "instance", "hypothesis", "correction")
PROBLEMS = "problems.toml"
PARTS = ("printed", "correction", "step")
CLAIM_KEYS = ({"text"}, {"text", "let"}, {"problem", "claim"}, *({"derivation", part} for part in PARTS))


Tables = Mapping[str, tuple[str, Mapping[str, Any]]]
"""The tables of all files by their record, each with the name of its file."""


class DataError(ValueError):
    """The data are not as they must be; the message names the file, the record and what is wrong."""


@dataclass(frozen=True)
class Record:
    """A formula as it is printed.

    location  file, section, and where in it the formula stands.
    meaning   what each symbol is, and the hypotheses under which the source states the formula.
    """

    id: str
    location: str
    latex: str
    meaning: str


@dataclass(frozen=True)
class Formal:
    """One claim in the project's own language.

    kind  "text", "system", or a part of a derivation: "step", "printed" or "correction".
    text  the claim or the system; for a part of a derivation its name, by `why` of the step or by `where` it stands.
    let   declarations of a text, as (name, kinds).
    of    the derivation's name.
    """

    kind: str
    text: str
    let: tuple[tuple[str, str], ...] = ()
    of: str = ""

    @property
    def shown(self) -> str:
        """The claim as a reader of the report sees it."""
        if self.kind in PARTS:
            return f"derivation {self.of}: {self.text}"
        declared = ", ".join(f"{name}: {kinds}" for name, kinds in self.let)
        return self.text.strip() + (f" with {declared}" if declared else "")


@dataclass(frozen=True)
class Judgement:
    """What a record is said to be, and the claims that have to bear it out.

    says        why: what is wrong, or what was checked by hand where nothing could be put to the machine.
    reading     the instance or the reading in which the claims take the formula; empty for the formula as it stands.
    instance    the counterexample in words, where its point does not say it all.
    hypothesis  the further hypothesis; correction: LaTeX of the right statement.
    """

    status: str
    says: str = ""
    reading: str = ""
    instance: str = ""
    hypothesis: str = ""
    correction: str = ""
    printed: tuple[Formal, ...] = ()
    corrected: tuple[Formal, ...] = ()

    @property
    def by_hand(self) -> bool:
        """Whether the status rests on a reader's word: no claim is made of the formula as it is printed."""
        return not self.printed


@dataclass(frozen=True)
class Entry:
    """A record with its judgement, None where it has not been judged yet."""

    record: Record
    judgement: Judgement | None


def read_entries(folder: Traversable | None = None) -> tuple[Entry, ...]:
    """All records in the order of their source, each with its judgement.

    Raises DataError for a record that is missing or judged twice, an unknown key, and a judgement that could not be
    borne out by its claims whatever they came to.
    """
    folder = folder or files("derivations").joinpath("printed")
    records = [Record(**json.loads(line)) for line in folder.joinpath("printed.jsonl").read_text("utf-8").splitlines()]
    if len({record.id for record in records}) != len(records):
        raise DataError("printed.jsonl: a record is there twice")
    problems = tomllib.loads(folder.joinpath(PROBLEMS).read_text("utf-8"))
    tables: dict[str, tuple[str, Mapping[str, Any]]] = {}
    for file in sorted(folder.iterdir(), key=lambda file: file.name):
        if file.name.endswith(".toml") and file.name != PROBLEMS:
            for name, table in tomllib.loads(file.read_text("utf-8")).items():
                if name in tables:
                    raise DataError(f"{file.name}: {name} is judged in {tables[name][0]}, too")
                tables[name] = file.name, table
    known = {record.id for record in records}
    if strange := sorted(set(tables) - known):
        raise DataError(f"{tables[strange[0]][0]}: there is no record {strange[0]}")
    return tuple(
        Entry(record, _judgement(record.id, tables, problems) if record.id in tables else None) for record in records
    )


def _judgement(name: str, tables: Tables, problems: Mapping[str, str]) -> Judgement:
    file, table = tables[name]
    where = f"{file}: {name}"
    if "like" in table:
        like = table["like"]
        if like not in tables or "like" in tables[like][1]:
            raise DataError(f"{where} is like {like!r}, which is not judged itself")
        if not set(table) <= {"like", "says"}:
            raise DataError(f"{where} is like {like!r} and can say nothing else but why")
        found = _judgement(like, tables, problems)
        return replace(found, says=table["says"]) if "says" in table else found
    if strange := set(table) - {*WORDS, "printed", "corrected"}:
        raise DataError(f"{where}: unknown key {sorted(strange)[0]!r}")
    for key in WORDS:
        if not isinstance(table.get(key, ""), str):
            raise DataError(f"{where}: {key} is not a text")
    judgement = Judgement(
        **{key: table[key] for key in WORDS if key in table},
        printed=tuple(_formal(claim, where, problems) for claim in table.get("printed", ())),
        corrected=tuple(_formal(claim, where, problems) for claim in table.get("corrected", ())),
    )
    for complaint in _complaints(judgement):
        raise DataError(f"{where}: {complaint}")
    return judgement


def _formal(claim: Any, where: str, problems: Mapping[str, str]) -> Formal:
    if isinstance(claim, str):
        return Formal("text", claim)
    if not isinstance(claim, dict) or set(claim) not in CLAIM_KEYS:
        raise DataError(f"{where}: a claim is a text or has the keys of one of {[sorted(k) for k in CLAIM_KEYS]}")
    if "problem" in claim:
        if claim["problem"] not in problems:
            raise DataError(f"{where}: there is no problem {claim['problem']!r} in {PROBLEMS}")
        return Formal("system", f"{problems[claim['problem']].strip()}\n[claim]\n{claim['claim'].strip()}\n")
    for part in PARTS:
        if part in claim:
            return Formal(part, claim[part], of=claim["derivation"])
    return Formal("text", claim["text"], tuple(claim.get("let", {}).items()))


def _complaints(judgement: Judgement) -> Iterable[str]:
    """Why no verdict on the claims could bear the status out."""
    if judgement.status not in STATUSES:
        yield f"unknown status {judgement.status!r}"
    if judgement.by_hand and not judgement.says:
        yield "nothing is put to the machine, and nothing says why"
    if judgement.status == "definition" and (judgement.printed or judgement.corrected):
        yield "there is nothing to judge in a definition"
    if judgement.status not in ERRATA:
        if judgement.corrected or judgement.correction or judgement.hypothesis:
            yield f"what is {judgement.status} needs no correction"
        return
    if not judgement.says or not judgement.correction:
        yield "an erratum says what is wrong and what is right"
    if bool(judgement.hypothesis) != (judgement.status == "needs hypothesis"):
        yield "a hypothesis belongs to what needs one, and only there"
    if judgement.printed and not judgement.corrected:
        yield "the correction is not put to the machine"
