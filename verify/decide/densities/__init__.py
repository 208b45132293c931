"""Are the formulas right that are claimed of a flow or a density?  Each part is judged, the whole gets the minimum."""

from __future__ import annotations

from collections.abc import Iterator

from verify.decide.systems.result import SystemResult, overall
from verify.densities import DensitySystem, FlowClaim, FlowProblem, SteinClaim, SteinProblem
from verify.verdict import Verdict

__all__ = ["judge", "story"]


def judge(system: DensitySystem, *, seed: int = 0) -> Iterator[SystemResult]:
    """Results, each saying more than the one before; the last one is the answer.

    Runs in this process without limits of time or memory: see `verify.judge_systems` for those.
    """
    task = _task(system, seed)
    kind = system.problem.kind
    parts = []
    for part in task.parts():
        parts.append(part)
        open_ = SystemResult("", kind, tuple(parts), reason="not all parts are decided yet", seed=seed)
        yield (
            open_
            if part.verdict is not Verdict.REFUTED
            else SystemResult("", kind, tuple(parts), verdict=Verdict.REFUTED, seed=seed)
        )
    verdict = overall(tuple(parts))
    reason = "" if parts else "nothing is claimed"
    if verdict is Verdict.UNDECIDED and parts:
        reason = next((f"{p.name}: {p.reason}" for p in parts if p.verdict is verdict and p.reason), "")
    found = SystemResult("", kind, tuple(parts), "", (), tuple(task.notes()), reason, verdict, seed=seed)
    yield found
    derived = tuple(task.derived())
    yield SystemResult("", kind, found.parts, "", derived, found.notes, reason, verdict, seed=seed)


def story(system: DensitySystem) -> list[str]:
    """The derivation of what is right, line by line."""
    title = [system.title, ""] if system.title else []
    return [*title, *_task(system, 0).story()]


def _task(system: DensitySystem, seed: int):
    problem, claim = system.problem, system.claim
    if isinstance(problem, FlowProblem) and isinstance(claim, FlowClaim):
        from verify.decide.densities.flow import FlowTask

        return FlowTask(problem, claim, seed)
    assert isinstance(problem, SteinProblem)
    assert isinstance(claim, SteinClaim)
    from verify.decide.densities.stein import SteinTask

    return SteinTask(problem, claim, seed)
