"""What comes back for a system?  A verdict for each part of the claim, and their minimum for the whole."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from verify.verdict import Counterexample, Diagnosis, Evidence, Rigor, Verdict


@dataclass(frozen=True)
class Part:
    """One part of a claim: an adjoint equation, a terminal condition, a component of the gradient.

    name        "adjoint l1", "terminal l2", "gradient a".
    claim       as it was written.
    correction  what would be right in its place, in the convention of the claim; empty unless it is wrong.
    """

    name: str
    claim: str
    verdict: Verdict
    evidence: tuple[Evidence, ...] = ()
    counterexample: Counterexample | None = None
    diagnosis: Diagnosis | None = None
    correction: str = ""
    reason: str = ""

    def to_json(self) -> dict[str, Any]:
        record: dict[str, Any] = {"part": self.name, "claim": self.claim, "verdict": str(self.verdict)}
        if self.counterexample:
            record["counterexample"] = self.counterexample.to_json()
        if self.diagnosis:
            record["diagnosis"] = self.diagnosis.to_json()
        if self.correction:
            record["correction"] = self.correction
        if self.reason:
            record["reason"] = self.reason
        return record | {"evidence": [e.to_json() for e in self.evidence]}


@dataclass(frozen=True)
class SystemResult:
    """Everything that comes back for one system; `to_json` has the keys of a single claim's result, and `parts`.

    convention  how the claimed adjoint is related to +dG/dx; empty where they are the same.
    derived     the parts that are not claimed, by name: what they must be in the convention of the claim.
    """

    claim: str
    kind: str
    parts: tuple[Part, ...] = ()
    convention: str = ""
    derived: tuple[tuple[str, str], ...] = ()
    notes: tuple[str, ...] = ()
    reason: str = ""
    verdict: Verdict = Verdict.UNDECIDED
    seconds: float = 0.0
    seed: int = 0

    @property
    def worst(self) -> Part | None:
        """The part that the verdict comes from, one whose slip is known if there is one."""
        worst = [part for part in self.parts if part.verdict == self.verdict]
        return next((part for part in worst if part.diagnosis), worst[0] if worst else None)

    @property
    def rigor(self) -> Rigor | None:
        """How well the verdict is known: by the weakest evidence of a refutation, or of the weakest part."""
        if self.verdict is Verdict.REFUTED and self.worst:
            return min((e.rigor for e in self.worst.evidence if e.holds is False), default=None)
        rigors = [[e.rigor for e in part.evidence if e.holds is not None] for part in self.parts]
        return min((max(found) for found in rigors if found), default=None)

    @property
    def correction(self) -> str | None:
        """The wrong parts as they should be."""
        wrong = [part for part in self.parts if part.correction]
        wrong = [f"{p.name}{':' if ' = ' in p.correction else ' ='} {p.correction}" for p in wrong]
        return "; ".join(wrong) or None

    def to_json(self) -> dict[str, Any]:
        from verify import __version__

        record: dict[str, Any] = {"claim": self.claim, "kind": self.kind, "verdict": str(self.verdict)}
        record["rigor"] = None if self.rigor is None else str(self.rigor)
        worst = self.worst
        if self.verdict is Verdict.REFUTED and worst is not None:
            if worst.counterexample:
                record["counterexample"] = worst.counterexample.to_json()
            if worst.diagnosis:
                record["diagnosis"] = worst.diagnosis.to_json()
            if self.correction:
                record["correction"] = self.correction
        record["parts"] = [part.to_json() for part in self.parts]
        record["evidence"] = [e.to_json() for part in self.parts for e in part.evidence]
        if self.convention:
            record["convention"] = self.convention
        if self.derived:
            record["derived"] = dict(self.derived)
        if self.notes:
            record["notes"] = list(self.notes)
        if self.reason:
            record["error" if self.verdict is Verdict.INVALID else "reason"] = self.reason
        return record | {"seconds": round(self.seconds, 4), "seed": self.seed, "version": __version__}


def overall(parts: tuple[Part, ...]) -> Verdict:
    """The minimum; nothing is known where nothing is claimed."""
    return min((part.verdict for part in parts), default=Verdict.UNDECIDED)
