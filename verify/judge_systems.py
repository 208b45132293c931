"""Is this system right?  Reads a problem from TOML, and decides it in a process that can be stopped."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from verify.judge import MEMORY, TIMEOUT
from verify.verdict import Verdict
from verify.worker import run

if TYPE_CHECKING:
    from verify.decide.systems.result import SystemResult
    from verify.densities import DensitySystem
    from verify.system_claims import System

#: A system has several parts and is solved on numbers: it takes longer than one claim.
SECONDS = TIMEOUT + 20.0


def check_system(
    system: str | System | DensitySystem,
    *,
    name: str = "",
    seed: int = 0,
    timeout: float = SECONDS,
    memory: int = MEMORY,
) -> SystemResult:
    """Judge a problem with what is claimed of it, given as the text of a TOML file or as a record.

    timeout  seconds; memory: megabytes.  A part that is not decided when they are exhausted is UNDECIDED.

    Text that cannot be read raises nothing: the verdict is INVALID and `reason` has the key and the line.
    """
    from verify.decide.systems.result import SystemResult

    outcome = run(judge_system, system, seed, seconds=timeout, megabytes=memory)
    result: Any = outcome.value
    if result is None:
        return SystemResult(name, "", reason=outcome.reason, seconds=outcome.seconds, seed=seed)
    result = replace(result, claim=name, seconds=outcome.seconds)
    stopped = f"stopped early: {outcome.reason}"
    return replace(result, notes=(*result.notes, stopped)) if outcome.reason else result


def judge_system(system: str | System | DensitySystem, seed: int) -> Iterator[SystemResult]:
    """What a worker runs for one system: yields results, each saying more than the one before."""
    from verify.decide.densities import judge as judge_density
    from verify.decide.prove.tower import GiveUp
    from verify.decide.systems import judge
    from verify.decide.systems.result import SystemResult
    from verify.densities import DensitySystem
    from verify.language.toml import ProblemError, read_system

    try:
        read = read_system(system) if isinstance(system, str) else system
    except ProblemError as error:
        yield SystemResult("", "", reason=str(error), verdict=Verdict.INVALID, seed=seed)
        return
    try:
        yield from judge_density(read, seed=seed) if isinstance(read, DensitySystem) else judge(read, seed=seed)
    except GiveUp as reason:
        yield SystemResult("", read.problem.kind, reason=f"not derived: {reason}", seed=seed)
