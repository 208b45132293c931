"""Do the parts of a claimed adjoint system hold on numbers?  Solved, against routes that know no adjoint."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from random import Random
from typing import TYPE_CHECKING, Any

from verify.claim import Domain
from verify.decide.enclose.points import Sampler
from verify.decide.systems.at_a_point import STAND_OFF, Reading, Solved
from verify.decide.systems.convention import Convention
from verify.graph import free_symbols
from verify.numerics.ode_solved import NO_SOLUTION, TOO_MANY, Failed, Unmet
from verify.numerics.straight import NoFloat
from verify.verdict import Counterexample, Evidence, Rigor

if TYPE_CHECKING:
    from verify.decide.systems.ode_task import Key, OdeTask

#: Points of the parameters that are wanted, and draws for them.
POINTS, DRAWS = 2, 16
#: Points without a solution, and points where it takes too long, after which no more are tried.
MOST_FAILED, MOST_STIFF = 8, 2
#: Draws and failures where events must happen for there to be anything to measure.
EVENTFUL = 40
#: What an evidence says where the routes to the truth do not agree.
OPEN = "open"
ROUTE = "the claimed system solved, against forward sensitivities"
ALONG = "along the computed solution"


@dataclass
class Measurement:
    """What numbers say of each part; `undefined` says why a part has no value along the solutions."""

    evidence: dict[Key, Evidence] = field(default_factory=dict)
    counterexamples: dict[Key, Counterexample] = field(default_factory=dict)
    undefined: dict[Key, str] = field(default_factory=dict)
    reason: str = ""
    nowhere: bool = False
    """Whether no solution up to the final time was found at any point: then a claim says nothing."""
    consistent: bool | None = None
    """Whether the claimed system, solved as it stands, gives the true gradient; None if it is not complete."""


def measure(task: OdeTask, convention: Convention, *, whole_too: bool, points: int = POINTS) -> Measurement:
    """All parts at a few points of the parameters; deterministic for the seed.

    whole_too   whether the system is also solved as it stands, to see whether it gives the true gradient.
    """
    found = Measurement()
    readings: dict[Key, list[tuple[Reading, dict[str, str]]]] = {key: [] for key in task.keys}
    whole: list[tuple[bool, bool]] = []
    reasons: list[str] = []
    unmet, done = 0, 0
    most = EVENTFUL if task.problem.events else MOST_FAILED
    for exact in parameter_points(task):
        try:
            run = Solved.of(task, convention, exact)
            for key, reading in run.readings(found.undefined):
                readings[key].append((reading, {name: str(x) for name, x in exact.items()}))
            if whole_too and (consistent := run.consistent()) is not None:
                whole.append(consistent)
            done += 1
        except (Failed, NoFloat, FloatingPointError, OverflowError) as reason:
            reasons.append(str(reason))
            unmet += isinstance(reason, Unmet) or str(reason) == NO_SOLUTION
        if done == points or len(reasons) >= most or reasons.count(TOO_MANY) >= MOST_STIFF:
            break
    if not done:
        found.nowhere = bool(reasons) and unmet == len(reasons)
        found.reason = f"no numbers: {reasons[0]}" if reasons else "no numbers: no point of the domain was found"
        if task.problem.events and found.nowhere:
            found.reason += f" ({len(reasons)} points tried); declare with `let` where all events are crossed"
        return found
    found.consistent = all(agrees for agrees, _ in whole) if whole else None
    for key, each in readings.items():
        if each:
            found.evidence[key] = _evidence(key, [reading for reading, _ in each])
            for reading, point in each:
                if reading.apart and key not in found.counterexamples and found.evidence[key].holds is False:
                    found.counterexamples[key] = Counterexample(point, _shown(reading.one), _shown(reading.other))
    off = [evidence.holds is False for key, evidence in found.evidence.items() if key[0] == "gradient"]
    if found.consistent and any(off):
        _reconcile(found, is_known=all(known for _, known in whole))
    return found


def _evidence(key: Key, readings: Sequence[Reading]) -> Evidence:
    apart = [reading for reading in readings if reading.apart]
    together = all(reading.together for reading in readings)
    holds = False if apart else (True if together else None)
    worst = float(max(reading.relative for reading in readings))
    scale = max(max(abs(r.one), abs(r.other)) for r in readings) or 1.0
    resolution = float(STAND_OFF * max(reading.error for reading in readings) / scale)
    detail: dict[str, Any] = {"points": len(readings)}
    if any(reading.is_open for reading in readings):
        detail[OPEN] = "sensitivities and differences of the objective do not agree"
    if apart:
        detail["stands off by"] = f"{min(abs(r.one - r.other) / r.error for r in apart):.1e} estimated errors"
    if key[0] == "gradient":
        relies_on = frozenset({"claimed adjoint", "forward sensitivities", "DOP853"})
        return Evidence(ROUTE, Rigor.NUMERICAL, holds, relies_on, worst, resolution, detail)
    return Evidence(ALONG, Rigor.NUMERICAL, holds, frozenset({"DOP853"}), worst, resolution, detail)


def _reconcile(found: Measurement, *, is_known: bool) -> None:
    """A system that is consistent as a whole, though in no convention that is known here: nothing of it is wrong.

    Its gradient is off on the right adjoint and true on the claimed one, so that it does depend on which one it is.
    Where that is not known well, nothing is.
    """
    for key, evidence in found.evidence.items():
        if evidence.holds is False:
            detail = {
                "points": evidence.detail.get("points"),
                "as a whole": "the claimed system gives the true gradient",
            }
            found.evidence[key] = replace(evidence, holds=True if is_known else None, worst=None, detail=detail)
    found.counterexamples.clear()


def _shown(value: float) -> str:
    return f"{value:.12g}"


def parameter_points(task: OdeTask) -> Iterator[dict[str, Fraction]]:
    """Exact values for everything that the problem depends on."""
    problem = task.problem
    names = [name for name in problem.domain.variables if name not in problem.state]
    ends = free_symbols(problem.t0, problem.T) - set(names)
    conditions = tuple(c for c in problem.domain.conditions if not free_symbols(c) & set(problem.state))
    domain = Domain({name: task.identities.variable(name) for name in (*names, *sorted(ends))}, conditions)
    sampler = Sampler(domain, Random(task.seed))
    for draw in range(EVENTFUL if problem.events else DRAWS):
        point = sampler.draw(("unit",) if draw % 4 else ("simple",), positive=draw % 2 == 0)
        if point is not None:
            yield {name: x for name, (x, _) in point.items()}
