"""Is a whole adjoint system right?  Each part is judged in one convention, and the problem gets the minimum."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from verify.decide.systems.result import SystemResult
from verify.system_claims import System, SystemClaim
from verify.systems import ImplicitProblem, OdeProblem
from verify.verdict import Verdict

__all__ = ["judge", "task_of"]


def judge(system: System, *, seed: int = 0) -> Iterator[SystemResult]:
    """Results, each saying more than the one before; the last one is the answer.

    Runs in this process without limits of time or memory: see `verify.judge_systems` for those.
    """
    first: SystemResult | None = None
    if system.second == SystemClaim():
        yield from _judge(system, seed)
        return
    from verify.decide.systems.second import conventions, joined, second_problem, tangents

    claimed = system.claim != SystemClaim()
    for first in _judge(system, seed) if claimed else ():
        yield replace(
            first, verdict=min(first.verdict, Verdict.UNDECIDED), reason="second derivatives are not yet tried"
        )
    first = first or SystemResult("", system.problem.kind, seed=seed)
    try:
        second = second_problem(system)
    except ValueError as reason:
        yield replace(first, verdict=min(first.verdict, Verdict.UNDECIDED), reason=str(reason))
        return
    more = tuple(tangents(second.problem, second.claim, seed))
    found: SystemResult | None = None
    for found in _judge(second, seed):
        yield joined(first, found, more, system)
    if found is None or found.verdict is not Verdict.REFUTED:
        return
    task = task_of(second, seed)
    wrong = Counter(table for table, _ in task.failing(task.convention))
    for says, scaled in conventions(system, second):
        other = _holding(scaled, wrong, seed)
        if other is not None and other.verdict >= Verdict.SUPPORTED:
            said = "; ".join(filter(None, (other.convention, says)))
            yield joined(first, replace(other, convention=said), more, system)
            return


def _judge(system: System, seed: int) -> Iterator[SystemResult]:
    """A problem and its claim, first order."""
    problem = system.problem
    if isinstance(problem, OdeProblem):
        from verify.decide.systems.ode import judge as judge_ode

        yield from judge_ode(problem, system.claim, seed=seed)
    elif isinstance(problem, ImplicitProblem):
        from verify.decide.systems.implicit import judge as judge_implicit

        yield from judge_implicit(problem, system.claim, seed=seed)
    else:
        from verify.decide.systems.recurrence import judge as judge_recurrence

        yield from judge_recurrence(problem, system.claim, seed=seed)


def _holding(system: System, wrong: Counter[str], seed: int) -> SystemResult | None:
    """The last result where already the first, on identities alone, finds nothing wrong.

    wrong   how much looks wrong of the claim as it stands: nothing is judged that looks worse in every convention.
    """
    from verify.decide.systems.convention import looks_as_good

    task = task_of(system, seed)
    if not any(looks_as_good(task.failing(convention), wrong) for convention in task.candidates):
        return None
    tried = _judge(system, seed)
    first = next(tried)
    return None if first.verdict < Verdict.SUPPORTED else [first, *tried][-1]


def task_of(system: System, seed: int = 0) -> Any:
    """What is derived of a system: an object with `names` and `correct((table, key), convention)`."""
    problem = system.problem
    if isinstance(problem, OdeProblem):
        from verify.decide.systems.ode_task import OdeTask

        return OdeTask(problem, system.claim, seed)
    if isinstance(problem, ImplicitProblem):
        from verify.decide.systems.implicit import ImplicitTask

        return ImplicitTask(problem, system.claim, seed)
    from verify.decide.systems.recurrence import RecurrenceTask

    return RecurrenceTask(problem, system.claim, seed)
