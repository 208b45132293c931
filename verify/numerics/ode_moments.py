"""What are states and adjoints worth at the ends, where something is observed and around events?  And gradients there.

The names of such values are those of `verify.calculus.costate` and `verify.calculus.events`: u(0), l1(1/2), u(tau1-).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise
from typing import Any

import numpy as np

from verify.calculus.costate import Gradient, Moment, end, seen, start
from verify.calculus.events import Crossing, after, before, in_phase
from verify.graph import Node
from verify.numerics.ode_claims import Numbers
from verify.numerics.ode_solved import Curve, Failed, Grid, Pieces, Unmet
from verify.numerics.straight import Straight
from verify.systems import TIME, OdeProblem, adjoint_names, event_times

#: What lies between an observation and an event at least, relative to the length of the time.
APART = 1e-6


def states_then(numbers: Numbers, u: Curve) -> dict[str, float]:
    """The states at the ends, at the times of observation and around events: u(0), u(1/2), u(tau1-), u(T)."""
    problem = numbers.problem
    places = (start(problem), end(problem), *map(seen, problem.observations))
    times = zip(places, (*numbers.ends, *numbers.times), strict=True)
    found = {name + where: x for where, time in times for name, x in zip(problem.state, u(time), strict=True)}
    return found | sides_then(problem, problem.state, u, u)


def sides_then(problem: OdeProblem, names: Sequence[str], curve: Curve, u: Curve) -> dict[str, float]:
    """A curve on both sides of every event of the states u, with their times: u(tau1-), u(tau1+), tau1."""
    found: dict[str, float] = {}
    if isinstance(u, Pieces) and isinstance(curve, Pieces):
        for tau, time in zip(event_times(problem), map(float, u.times), strict=True):
            found[tau] = time
            i = int(np.searchsorted(curve.times, time))
            for where, piece in ((before, curve.curves[i]), (after, curve.curves[i + 1])):
                found |= {name + where(tau): x for name, x in zip(names, piece(time), strict=True)}
    return found


def passed(
    numbers: Numbers, u: Curve, moments: Sequence[tuple[Moment, tuple[Node, ...]]]
) -> list[tuple[float, Moment, tuple[Node, ...]]]:
    """When the solution is observed or has an event, in this order, with what the adjoint gains there.

    moments     observations, then events, each with what is gained.  Raises Unmet where both are at the same time.
    """
    times = [*numbers.times, *(u.times if isinstance(u, Pieces) else ())]
    found = sorted(((float(time), *each) for time, each in zip(times, moments, strict=True)), key=lambda each: each[0])
    t0, T = numbers.ends
    if any(
        late - early <= APART * (T - t0) and isinstance(one, Crossing) != isinstance(other, Crossing)
        for (early, one, _), (late, other, _) in pairwise(found)
    ):
        raise Unmet("an event happens at the time of an observation")
    return found


def valued(
    numbers: Numbers, u: Curve, nodes: Sequence[Node], t: float, what: str, more: Mapping[str, float] | None = None
) -> list[float]:
    """Expressions in the states at the ends and the observations or events, in t, and in more names.

    Raises Failed, which names `what` has no value.
    """
    at = {**numbers.values, TIME: t, **states_then(numbers, u), **(more or {})}
    found = [float(value) for value in Straight(nodes)(at)]
    if not all(map(math.isfinite, found)):
        raise Failed(f"{what} has no finite value")
    return found


def gained(
    numbers: Numbers, u: Curve, time: float, moment: Moment, nodes: Sequence[Node], names: Sequence[str]
) -> Callable[[np.ndarray], list[float]]:
    """Expressions in the states at an observation, or at an event in states and in the adjoints just after it."""

    def gain(l: np.ndarray) -> list[float]:
        where = after(moment.time) if isinstance(moment, Crossing) else ""
        more = {name + where: x for name, x in zip(names, l, strict=True)} if where else {}
        return valued(numbers, u, nodes, time, "a jump", more)

    return gain


def gradient_on(numbers: Numbers, gradient: Gradient, u: Curve, l: Curve, nodes: int) -> float:
    """A gradient on the state and the adjoint, with a Gauss rule of so many nodes on each step of the solver."""
    problem, (t0, T) = numbers.problem, numbers.ends
    names = adjoint_names(problem)
    at: dict[str, Any] = {**numbers.values, **states_then(numbers, u), **sides_then(problem, names, l, u)}
    for time, where in zip((t0, T), (start(problem), end(problem)), strict=True):
        at |= {name + where: x for name, x in zip(names, l(time), strict=True)}
    found, grid = float(Straight((gradient.boundary,))(at)[0]), Grid.of((u, l), nodes)
    edges, count = [t0, *(u.times if isinstance(u, Pieces) else ()), T], len(problem.phases)
    for phase in range(count):
        inside = Straight((gradient.inside if count == 1 else in_phase(gradient.inside, phase, count),))

        def along(t: Any, inside: Straight = inside) -> Any:
            states, adjoints = zip(problem.state, u(t), strict=True), zip(names, l(t), strict=True)
            return inside({**at, TIME: t, **dict(states), **dict(adjoints)})[0]

        found += grid.integral(along, edges[phase], edges[phase + 1])
    return found
