"""Do the verdicts bear out what a record is said to be?  Every claim is decided; no status is taken on trust.

    right                    every claim of the formula as printed is PROVED or SUPPORTED
    misprint, wrong          a claim as printed is REFUTED at a point of its domain, every corrected one holds
    needs hypothesis         a claim without the hypothesis is REFUTED, every one with it holds
    definition               nothing is claimed

Where the verdicts do not bear it out, the record counts as not judged, and the report fails.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from verify.errata.records import ERRATA, STATUSES, Entry, Formal
from verify.judge import MEMORY, judge
from verify.judge_systems import judge_system
from verify.verdict import Counterexample, Verdict
from verify.worker import Outcome, run_all

SECONDS = 120.0
"""Limit for one claim: far above what any of them takes, so that no verdict depends on how busy the machine is."""
NOT_JUDGED = "not judged"

Progress = Callable[[int, int, str], None]


@dataclass(frozen=True)
class Found:
    """A claim and what became of it; `result` has the keys of a single claim's result, without times."""

    formal: Formal
    verdict: Verdict
    rigor: str = ""
    counterexample: Counterexample | None = None
    reason: str = ""
    result: dict[str, Any] | None = None

    @property
    def holds(self) -> bool:
        return self.verdict >= Verdict.SUPPORTED

    @property
    def refuted(self) -> bool:
        return self.verdict is Verdict.REFUTED and self.counterexample is not None


@dataclass(frozen=True)
class Judged:
    """A record and what is known of it.

    status   as the verdicts bear it out; "not judged" where they do not, or where nothing was said.
    trouble  why the judgement is not borne out; empty where it is, and where there is none.
    """

    entry: Entry
    status: str
    printed: tuple[Found, ...] = ()
    corrected: tuple[Found, ...] = ()
    trouble: str = ""

    @property
    def by_tool(self) -> bool:
        """Whether the status follows from verdicts on the formula as it is printed."""
        return self.status != NOT_JUDGED and bool(self.printed)

    @property
    def verdict(self) -> Verdict | None:
        """On the formula as it is printed: the worst of its claims."""
        return min((found.verdict for found in self.printed), default=None)

    @property
    def correction_verdict(self) -> Verdict | None:
        """On the correction."""
        return min((found.verdict for found in self.corrected), default=None)

    @property
    def refutation(self) -> Found | None:
        """The claim that is refuted, the first of several."""
        return next((found for found in self.printed if found.refuted), None)

    def to_json(self) -> dict[str, Any]:
        """The record's line in `printed.jsonl`."""
        said = self.entry.judgement if self.status != NOT_JUDGED else None
        line: dict[str, Any] = {
            "id": self.entry.record.id,
            "status": self.status,
            "judged": "tool" if self.by_tool else "hand",
            "verdict": "" if self.verdict is None else str(self.verdict),
            "hypothesis": said.hypothesis if said else "",
            "correction": said.correction if said else "",
            "counterexample": {},
            "correction_verdict": "" if self.correction_verdict is None else str(self.correction_verdict),
            "location": self.entry.record.location,
            "says": said.says if said else self.trouble or "Nobody has put this to the machine yet.",
            "reading": said.reading if said else "",
        }
        if (found := self.refutation) and found.counterexample:
            instance = {"instance": said.instance} if said and said.instance else {}
            line["counterexample"] = instance | {"refuted": found.formal.shown} | found.counterexample.to_json()
        line["claims"] = [
            {"of": of, "text": found.formal.shown, "verdict": str(found.verdict), "rigor": found.rigor}
            for of, part in (("printed", self.printed), ("corrected", self.corrected))
            for found in part
        ]
        return line


@dataclass(frozen=True)
class Errata:
    """All records, judged, in the order of their source."""

    judged: tuple[Judged, ...]
    seed: int = 0

    @property
    def holds(self) -> bool:
        """Whether the verdicts bear out everything that is said."""
        return not any(judged.trouble for judged in self.judged)

    @property
    def errata(self) -> tuple[Judged, ...]:
        return tuple(judged for judged in self.judged if judged.status in ERRATA)

    def counts(self) -> dict[str, int]:
        """How many records have which status; those that are not judged come last."""
        found = Counter(judged.status for judged in self.judged)
        return {status: found[status] for status in (*STATUSES, NOT_JUDGED)}


def examine(entries: Sequence[Entry], *, seed: int = 0, jobs: int = 1, progress: Progress | None = None) -> Errata:
    """Decide every claim of the entries, each once, in processes that can be stopped."""
    claims = dict.fromkeys(
        claim for e in entries if e.judgement for claim in (*e.judgement.printed, *e.judgement.corrected)
    )
    tell = progress or (lambda _done, _total, _what: None)
    tasks = ((formal, (formal, seed)) for formal in claims)
    found: dict[Formal, Found] = {}
    for formal, outcome in run_all(decide, tasks, jobs=jobs, seconds=SECONDS, megabytes=MEMORY):
        found[formal] = _found(formal, outcome)
        tell(len(found), len(claims), formal.shown.partition("\n")[0][:60])
    return Errata(tuple(conclude(entry, found) for entry in entries), seed)


def decide(formal: Formal, seed: int) -> Iterator[Any]:
    """What a worker runs for one claim: yields results, each saying more than the one before."""
    if formal.kind == "text":
        yield from judge(formal.text, dict(formal.let), seed)
    elif formal.kind == "system":
        yield from judge_system(formal.text, seed)
    else:
        from verify.derivation import find
        from verify.examine import judge_part

        yield judge_part(find(formal.of), formal.kind, formal.text, seed)


def conclude(entry: Entry, found: dict[Formal, Found]) -> Judged:
    """What the verdicts make of a record."""
    said = entry.judgement
    if said is None:
        return Judged(entry, NOT_JUDGED)
    printed = tuple(found[formal] for formal in said.printed)
    corrected = tuple(found[formal] for formal in said.corrected)
    judged = Judged(entry, said.status, printed, corrected)
    trouble = _trouble(said.status, printed, corrected)
    return replace(judged, status=NOT_JUDGED, trouble=trouble) if trouble else judged


def _trouble(status: str, printed: tuple[Found, ...], corrected: tuple[Found, ...]) -> str:
    """Why the verdicts do not bear out the status; empty where they do."""
    must_hold = corrected if status in ERRATA else printed
    for claim in must_hold:
        if not claim.holds:
            why = f" ({claim.reason})" if claim.reason else ""
            return f"said to be {status}, but {claim.verdict}{why}: {claim.formal.shown}"
    if status in ERRATA and printed and not any(claim.refuted for claim in printed):
        return f"said to be {status}, but no claim of it is refuted at a point: {printed[0].formal.shown}"
    return ""


def _found(formal: Formal, outcome: Outcome) -> Found:
    result = outcome.value
    if result is None:
        return Found(formal, Verdict.UNDECIDED, reason=outcome.reason)
    counterexample = getattr(result, "counterexample", None)
    if counterexample is None and (worst := getattr(result, "worst", None)):
        counterexample = worst.counterexample
    record = {key: value for key, value in result.to_json().items() if key != "seconds"}
    rigor = "" if result.rigor is None else str(result.rigor)
    return Found(formal, result.verdict, rigor, counterexample, result.reason or outcome.reason, record)
