"""What is known of a claim, and on which evidence?  Pure: no solver, no computer algebra."""

from __future__ import annotations

import enum
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any


class GiveUp(Exception):
    """No proof is found, or nothing is derived, for the reason given."""


class Verdict(enum.IntEnum):
    """Worst first: the verdict on a whole is the minimum over its parts.

    INVALID    could not be read.
    REFUTED    not equal: enclosures of the two sides are disjoint at an exact point, and all around it.
    UNDECIDED  nothing could be said; the evidence says why.
    SUPPORTED  no proof and no counterexample: agreement to a stated number of digits at a stated number of points.
    PROVED     equal at every point of the domain where both sides are defined, by an exact argument.
    """

    INVALID = 0
    REFUTED = 1
    UNDECIDED = 2
    SUPPORTED = 3
    PROVED = 4

    def __str__(self) -> str:
        return self.name


class Rigor(enum.IntEnum):
    """How an evidence was obtained; the weakest first."""

    ASSUMED = 0
    NUMERICAL = 1
    ENCLOSED = 2
    EXACT = 3

    def __str__(self) -> str:
        return self.name.lower()


@dataclass(frozen=True)
class Evidence:
    """What one route found.

    holds       True: agrees (or proves, when the rigor is exact); False: disagrees; None: the route could not tell.
    relies_on   what the route uses; two routes are independent if these sets are disjoint.
    worst       the largest relative disagreement seen (dimensionless), None where the route measures none.
    resolution  the smallest relative disagreement that the route would have seen.
    detail      anything else that belongs into the report; plain data only.
    """

    route: str
    rigor: Rigor
    holds: bool | None
    relies_on: frozenset[str] = frozenset()
    worst: float | None = None
    resolution: float | None = None
    detail: Mapping[str, Any] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        record: dict[str, Any] = {"route": self.route, "rigor": str(self.rigor), "holds": self.holds}
        if self.relies_on:
            record["relies_on"] = sorted(self.relies_on)
        if self.worst is not None:
            record["worst"] = self.worst
        if self.resolution is not None:
            record["resolution"] = self.resolution
        return record | {"detail": dict(self.detail)}


def independent(one: Evidence, other: Evidence) -> bool:
    """Whether the two routes share nothing."""
    return not one.relies_on & other.relies_on


def combine(evidences: Iterable[Evidence]) -> Verdict:
    """The verdict that the evidences carry together.

    A refutation outweighs everything (the more so a proof: then one of the two is wrong, and saying
    less is not enough; `decide` treats that as a defect).  A proof needs rigor `exact`, and an evidence of rigor
    `assumed` or one that could not tell never adds anything.
    """
    told = [e for e in evidences if e.holds is not None and e.rigor > Rigor.ASSUMED]
    if any(not e.holds for e in told):
        return Verdict.REFUTED
    if any(e.rigor == Rigor.EXACT for e in told):
        return Verdict.PROVED
    return Verdict.SUPPORTED if told else Verdict.UNDECIDED


@dataclass(frozen=True)
class Counterexample:
    """A point with exact coordinates, and both sides there as decimal strings (all digits shown are certain)."""

    point: Mapping[str, str]
    lhs: str
    rhs: str
    neighbourhood: str = ""
    """Radius around the point in which the sides stay apart, exact; empty where nothing varies continuously."""

    def to_json(self) -> dict[str, Any]:
        record: dict[str, Any] = {"point": dict(self.point), "lhs": self.lhs, "rhs": self.rhs}
        return record | ({"neighbourhood": self.neighbourhood} if self.neighbourhood else {})


@dataclass(frozen=True)
class Diagnosis:
    """What went wrong, and how well that itself is known."""

    slip: str
    says: str
    verdict: Verdict

    def to_json(self) -> dict[str, Any]:
        return {"slip": self.slip, "says": self.says, "verdict": str(self.verdict)}


@dataclass(frozen=True)
class Result:
    """Everything that comes back for one claim; `to_json` is one line of a batch's output."""

    claim: str
    verdict: Verdict
    rigor: Rigor | None = None
    id: str | None = None
    read_as: str = ""
    counterexample: Counterexample | None = None
    diagnosis: Diagnosis | None = None
    correction: str | None = None
    evidence: tuple[Evidence, ...] = ()
    notes: tuple[str, ...] = ()
    """What a careful reader should know: kinks left out, where both sides are defined, readings taken."""
    reason: str = ""
    """Why nothing could be said, for UNDECIDED; the error, for INVALID."""
    seconds: float = 0.0
    seed: int = 0

    def to_json(self) -> dict[str, Any]:
        """A plain record with the keys of the interface; keys that say nothing are left out."""
        from verify import __version__

        record: dict[str, Any] = {} if self.id is None else {"id": self.id}
        record |= {"claim": self.claim, "verdict": str(self.verdict)}
        record["rigor"] = None if self.rigor is None else str(self.rigor)
        if self.read_as:
            record["read_as"] = self.read_as
        if self.counterexample:
            record["counterexample"] = self.counterexample.to_json()
        if self.diagnosis:
            record["diagnosis"] = self.diagnosis.to_json()
        if self.correction is not None:
            record["correction"] = self.correction
        record["evidence"] = [e.to_json() for e in self.evidence]
        if self.notes:
            record["notes"] = list(self.notes)
        if self.reason:
            record["error" if self.verdict is Verdict.INVALID else "reason"] = self.reason
        return record | {"seconds": round(self.seconds, 4), "seed": self.seed, "version": __version__}
