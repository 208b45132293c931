"""Which routes lead to a gradient through events, what is known of each beforehand, and what do they give?

All but two restart at each event, whose time they find.  Ends of the time that move with names are names themselves
here, so that every route has the partial derivatives of the others.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from itertools import pairwise
from typing import Any

import numpy as np

from verify.calculus.costate import moments, ode_costate, ode_gradients
from verify.calculus.events import rate_along
from verify.claim import Domain, Variable
from verify.graph import symbol
from verify.numerics.compare import disagreement
from verify.numerics.event_routes import to_event
from verify.numerics.ode import fixed_steps
from verify.numerics.ode_claims import NODES, Numbers, forward_gradient, objective
from verify.numerics.ode_moments import gained, gradient_on, passed, valued
from verify.numerics.ode_solved import Pieces
from verify.numerics.routes.functions import function, holomorphic
from verify.numerics.routes.point import Point
from verify.numerics.routes.ways import CENTRAL, STEPS, Outcome, Way, claimed, quotients
from verify.numerics.straight import Straight
from verify.systems import TIME, OdeProblem, adjoint_names, event_times

Array = Any
#: Names of the ends of the time, which no expression can name.
BEGIN, END = " begin", " end"
#: Relative tolerances of the two runs, and of the look along the solution.
TOLERANCES, LOOK = (1e-12, 1e-10), 1e-11
#: Digits lost at a flat crossing beyond which a route is not worth running, and from which it is said.
MOST_LOST, NOTABLE = 10.0, 2.0
#: Steps of RK4 on each part of the way, in both runs; order 4 says how far the finer one is off.
RK4_STEPS = (128, 64)


@dataclass(frozen=True)
class Flight:
    """What one look along a solution with events tells.

    times   of the events.
    lost    digits that a gradient loses at each: twice log10 of max |phi| / (|D| times the length of the phase before),
            as what is off in the event's time counts once in the state there and once in D.
    """

    times: tuple[float, ...]
    lost: tuple[float, ...]

    @property
    def worst(self) -> float:
        return max(self.lost)

    def says(self) -> tuple[str, str]:
        told = [f"tau{i} = {time:.6g}" for i, time in enumerate(self.times, start=1)]
        flat = [f"tau{i}: {digits:.1f}" for i, digits in enumerate(self.lost, start=1)]
        return f"events at {', '.join(told)}", f"digits that the angle of crossing costs at {', '.join(flat)}"


def loosened(point: Point) -> Numbers:
    """The problem with both ends of the time as names of their own."""
    problem, (t0, T) = point.problem, point.ends
    ends = {name: Variable(name) for name in (BEGIN, END)}
    domain = Domain({**problem.domain.variables, **ends}, problem.domain.conditions)
    loose = replace(problem, t0=symbol(BEGIN), T=symbol(END), domain=domain)
    return Numbers(loose, {**point.values, BEGIN: t0, END: T})


def flight(point: Point) -> Flight:
    """Raises ArithmeticError where the events do not happen, or are touched and not crossed."""
    numbers = loosened(point)
    u = numbers.state(LOOK)
    assert isinstance(u, Pieces)
    passed(numbers, u, moments(numbers.problem))
    edges, lost = [numbers.ends[0], *map(float, u.times)], []
    for (start, time), curve, phase, event in zip(
        pairwise(edges), u.curves, numbers.problem.phases, numbers.problem.events, strict=False
    ):
        program = Straight((event.when, rate_along(event.when, phase.rhs, numbers.problem.state)))

        def at(t: float, curve: Any = curve, program: Straight = program) -> list[float]:
            states = zip(numbers.problem.state, curve(t), strict=True)
            return [float(x) for x in program({**numbers.values, TIME: t, **dict(states)})]

        reach = max(abs(at(t)[0]) for t in np.linspace(start, time, 33))
        slope = abs(at(time)[1]) * (time - start)
        lost.append(2 * max(0.0, math.log10(reach / slope)) if slope else math.inf)
    return Flight(tuple(edges[1:]), tuple(lost))


def outputs(point: Point) -> tuple[str, ...]:
    """What is differentiated by: names, the initial state, and both ends."""
    return (*point.names, *(f"{u}(t0)" for u in point.problem.state), BEGIN, END)


def ways(point: Point, look: Flight) -> Iterator[Way]:
    """All routes for a problem with events."""
    numbers, names = loosened(point), outputs(point)
    both = [(replace(numbers, steps=steps), tol) for steps, tol in zip(STEPS, TOLERANCES, strict=True)]
    flat = f"a flat crossing costs up to {look.worst:.1f} digits" if look.worst >= NOTABLE else ""
    refused = f"{flat}, and {-math.log10(TOLERANCES[0]):.0f} are there" if look.worst > MOST_LOST else ""

    def way(name: str, method: str, says: str, run: Callable[[], Outcome], reason: str = "") -> Way:
        if reason or refused:
            return Way(name, method, reason or refused, None)
        return Way(name, method, f"{says}; {flat}" if flat else says, run)

    def sensitivities() -> Outcome:
        fine, coarse = (forward_gradient(each, names, tol) for each, tol in both)
        return Outcome(fine, claimed(disagreement(coarse, fine)), 0)

    def adjoint() -> Outcome:
        fine, coarse = (_adjoint(each, names, tol, nodes) for (each, tol), nodes in zip(both, NODES[::-1], strict=True))
        return Outcome(fine, claimed(disagreement(coarse, fine)), 0)

    def differences() -> Outcome:
        theta = np.array([numbers.values.get(name, 0.0) for name in names])

        def G(j: int, shift: float, which: int = 0) -> float:
            each, tol = both[which]
            return objective(each, names[j], shift, tol)

        return Outcome(*quotients(G, theta, TOLERANCES[0]), 0)

    yield way("forward sensitivities", "DOP853", "multiplied by the saltation matrix at each event", sensitivities)
    yield way(
        "interpolated adjoint", "DOP853", "back through the jump at each event; states from their dense output", adjoint
    )
    yield Way(
        "backsolve", "DOP853",
        "backwards a reset cannot be undone, and an event is not the first zero of its function", None,
    )  # fmt: skip
    rough = "" if _is_holomorphic(point.problem) else "the expressions are no holomorphic code: no complex derivative"
    yield way(
        "complex step", f"RK4, {RK4_STEPS[0]} steps", "the time of each event complex as well, by Newton's method",
        partial(_complex_step, numbers, point, look), rough,
    )  # fmt: skip
    says = f"{CENTRAL}; the events are found each time"
    yield way("finite differences", "DOP853", says + (" and may be missed" if flat else ""), differences)
    yield Way(
        "reverse mode", "RK4",
        "the time of an event comes from a search, which is no part of the tape: saltation would be missing", None,
    )  # fmt: skip


def _adjoint(numbers: Numbers, names: tuple[str, ...], tol: float, nodes: int) -> Array:
    problem, u = numbers.problem, numbers.state(tol)
    l = adjoint_names(problem)
    costates = [ode_costate(problem, with_slip=False, phase=i) for i in range(len(problem.phases))]
    final = valued(numbers, u, costates[-1].final, numbers.ends[1], "a terminal condition")
    gains = [
        (time, gained(numbers, u, time, moment, each, l)) for time, moment, each in passed(numbers, u, moments(problem))
    ]
    curve = numbers.adjoint(u, [each.rate for each in costates], final, l, tol, gains)
    return np.array([gradient_on(numbers, each, u, curve, nodes) for each in ode_gradients(problem, names)])


def _is_holomorphic(problem: OdeProblem) -> bool:
    phases = [f for phase in problem.phases for f in (*phase.rhs, phase.running)]
    events = [f for each in problem.events for f in (each.when, *each.reset, each.cost)]
    seen = [f for each in problem.observations for f in (each.time, each.value)]
    return holomorphic(*phases, *events, *seen, *problem.initial, problem.terminal)


def _complex_step(numbers: Numbers, point: Point, look: Flight, size: float = 1e-30) -> Outcome:
    """Imaginary parts of the objective by RK4, whose steps end at observations and events."""
    problem, names = numbers.problem, (*point.names, BEGIN, END)
    n, arguments = len(problem.state), (TIME, problem.state, names)
    rates = [function((*each.rhs, each.running), arguments, (n + 1,)) for each in problem.phases]
    whens = [
        function((each.when, rate_along(each.when, phase.rhs, problem.state)), arguments, (2,))
        for each, phase in zip(problem.events, problem.phases, strict=False)
    ]
    changes = [function((*each.reset, each.cost), arguments, (n + 1,)) for each in problem.events]
    initial = function(problem.initial, (names,), (n,))
    times = function([each.time for each in problem.observations], (names,), (len(problem.observations),))
    values = [function((each.value,), arguments, ()) for each in problem.observations]
    terminal = function((problem.terminal,), (*arguments, event_times(problem)), ())

    def G(p: Array, shift: Array, steps: int) -> Any:
        t, w, gathered, taus = p[-2], np.append(np.asarray(initial(p)) + shift, 0.0), 0.0, []
        waiting = list(zip(times(p), values, strict=True))
        for k, rate in enumerate(rates):

            def along(t: Any, w: Array, rate: Any = rate) -> Array:
                return rate(t, w[:n], p)

            last = k == len(whens)
            until = np.inf if last else look.times[k]
            while waiting and np.real(waiting[0][0]) < until:
                time, value = waiting.pop(0)
                w, t = fixed_steps(along, (t, time), w, steps), time
                gathered = gathered + value(t, w[:n], p)
            if last:
                w = fixed_steps(along, (t, p[-1]), w, steps)
                break
            w, tau = to_event(along, lambda t, w, k=k: whens[k](t, w[:n], p), t, look.times[k], w, steps, size)
            taus.append(tau)
            t, w = tau, changes[k](tau, w[:n], p) + np.append(np.zeros(n), w[n])
        return w[n] + gathered + terminal(p[-1], w[:n], p, np.array(taus))

    base = np.array([numbers.values[name] for name in names], dtype=complex)
    m = len(point.names)

    def gradient_with(steps: int) -> Array:
        by_names = [G(base + 1j * size * e, np.zeros(n), steps).imag / size for e in np.eye(m + 2)]
        by_start = [G(base, 1j * size * e, steps).imag / size for e in np.eye(n)]
        return np.array([*by_names[:m], *by_start, *by_names[m:]])

    fine, coarse = map(gradient_with, RK4_STEPS)
    return Outcome(fine, claimed(2 * disagreement(coarse, fine) / 15), 0)
