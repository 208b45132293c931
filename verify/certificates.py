"""Do the certificates in a file of results still hold?  Everything but the prover is run again."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from verify.verdict import Verdict
from verify.worker import run

if TYPE_CHECKING:
    from verify.claim import Claim

Record = Mapping[str, Any]


@dataclass(frozen=True)
class Rechecked:
    """What became of one result.

    holds   True: confirmed (or, for a proof, not contradicted); False: contradicted; None: could not be run again.
    says    what was run, and what it gave.
    """

    name: str
    verdict: str
    holds: bool | None
    says: str

    def to_json(self) -> dict[str, Any]:
        """A plain record."""
        return {"id": self.name, "verdict": self.verdict, "holds": self.holds, "says": self.says}


def recheck(record: Record, *, seed: int = 0, timeout: float = 10.0, memory: int = 2048) -> Rechecked:
    """Run the certificate of one result (as `Result.to_json` gives it) again.

    REFUTED: both sides are enclosed at the stored point and on a ball around it, and compared with the stored digits.
    PROVED, SUPPORTED: the search for a counterexample is repeated with this seed; a proof itself is not.

    timeout  seconds; memory: megabytes.  What cannot be run again has `holds` None, with the reason.
    """
    name, verdict = str(record.get("id", record.get("claim", ""))), str(record.get("verdict"))
    text = record.get("read_as")
    if verdict not in ("PROVED", "SUPPORTED", "REFUTED"):
        return Rechecked(name, verdict, None, "nothing to run again")
    if not isinstance(text, str):
        return Rechecked(name, verdict, None, _without_text(record))
    if verdict == "REFUTED":
        point = (record.get("counterexample") or {}).get("point")
        if not isinstance(point, dict):
            return Rechecked(name, verdict, None, "no point is in the record")
        outcome = run(_at_the_point, text, record["counterexample"], seconds=timeout, megabytes=memory)
    else:
        outcome = run(_search_again, text, verdict, seed, seconds=timeout, megabytes=memory)
    holds, says = (None, outcome.reason) if outcome.reason else outcome.value
    return Rechecked(name, verdict, holds, says)


def _without_text(record: Record) -> str:
    """What to do with a result that no text claim under "read_as" belongs to."""
    if "parts" in record:
        return "a system is judged again, at other points, by `verify check FILE --seed 1`"
    return "no text claim; a step of a derivation is run again by `verify derive NAME`"


def _at_the_point(text: str, stored: Record) -> Iterator[tuple[bool | None, str]]:
    from verify.judge import judge_at

    (result,) = judge_at(text, None, stored["point"], 0)
    if result.verdict is Verdict.REFUTED and (found := result.counterexample) is not None:
        same = all(
            _same_digits(now, str(then))
            for now, then in ((found.lhs, stored.get("lhs")), (found.rhs, stored.get("rhs")))
        )
        where = f"apart on a ball of radius {found.neighbourhood} around the point" if found.neighbourhood else "apart"
        yield same, f"the sides are {where}" + ("" if same else f", but their values are {found.lhs} and {found.rhs}")
    else:
        yield (None if result.verdict is Verdict.INVALID else False), result.reason


def _same_digits(one: str, other: str) -> bool:
    """Whether two decimals are the same number as far as both are written."""
    shorter, longer = sorted((one, other), key=len)
    return one == other or (shorter.endswith("…") and longer.startswith(shorter[:-1]))


def _search_again(text: str, verdict: str, seed: int) -> Iterator[tuple[bool | None, str]]:
    from verify.decide.enclose.search import search
    from verify.decide.series import summed
    from verify.language import ReadError, read_claim

    try:
        claim = summed(read_claim(text))
    except ReadError as error:
        yield None, str(error)
        return
    if claim.is_shaped:
        yield _shaped_again(claim, verdict, seed)
        return
    found = search(claim, seed=seed)
    if found.counterexample is not None:
        yield False, f"the sides differ at {dict(found.counterexample.point)}"
    elif found.evidence.holds:
        proof = "; the proof was not run again" if verdict == "PROVED" else ""
        yield True, f"the sides agree at {len(found.agreeing)} points{proof}"
    else:
        yield None, found.reason or "no point at which both sides have a value"


def _shaped_again(claim: Claim, verdict: str, seed: int) -> tuple[bool | None, str]:
    from verify.decide.shaped.stages import spelled, tried
    from verify.decide.shaped.witness import counterexample

    trial = tried(claim, seed)
    if trial.refuted is not None:
        return False, f"the sides differ at {dict(counterexample(*trial.refuted).point)}"
    if not trial.agreeing:
        return None, "no point at which both sides have a value"
    sizes = "; ".join(dict.fromkeys(text for instance, _ in trial.agreeing if (text := spelled(instance.sizes))))
    points = sum(len(found.agreeing) for _, found in trial.agreeing)
    proof = "; the proof was not run again" if verdict == "PROVED" else ""
    return True, f"the sides agree at {points} points{f' ({sizes})' if sizes else ''}{proof}"


def records_in(text: str) -> list[Record]:
    """All results in a text of JSON: lines of a batch, one object, or results anywhere inside a report.

    Raises ValueError when it is no JSON, or when nothing in it is a result.
    """
    try:
        found = list(_results(json.loads(text)))
    except json.JSONDecodeError:
        found = []
        for number, line in enumerate(text.splitlines(), start=1):
            if line.strip():
                try:
                    found += _results(json.loads(line))
                except (json.JSONDecodeError, RecursionError) as error:
                    raise ValueError(f"line {number} is not JSON: {error}") from None
    except RecursionError:
        raise ValueError("nested too deeply") from None
    if not found:
        raise ValueError('no result in it: an object with the keys "claim" and "verdict"')
    return found


def _results(value: Any) -> Iterator[Record]:
    if isinstance(value, dict):
        if isinstance(value.get("verdict"), str) and isinstance(value.get("claim"), str):
            yield value
        else:
            for inner in value.values():
                yield from _results(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _results(inner)
