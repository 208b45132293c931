"""Where does a solution go that jumps at events?  Located on the solver's steps, and its sensitivities carried across.

An event must be crossed: the rate D of its function along the solution is not zero there, and the function has no zero
before that it only touches.  Where that cannot be seen there is no solution that could be differentiated.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from verify.calculus.events import switched
from verify.calculus.reverse import gradient
from verify.graph import Node, symbol
from verify.numerics.collocation import Implicit
from verify.numerics.ode_solved import NO_SOLUTION, STEPS, Failed, Pieces, Unmet, solve, until
from verify.numerics.straight import Straight
from verify.systems import TIME, Event, OdeProblem, Phase

#: What the objective has gathered so far, as a state; no expression can name it.
COST = " cost"
#: Times in a phase at which an event's function is looked at.
LOOKS = 200
#: What counts as zero, relative to what is compared: a function at its zero, and the rate at which one is crossed.
AT_ZERO, TOUCHING = 1e-9, 1e-6
#: The relative tolerance at which an event is looked for, before its time is told exactly.
ROUGH = 1e-9
#: Steps to the time of an event, of which one is enough, and how far they may go, relative to the phase.
NEWTON, NEAR = 4, 1e-6


def travelled(
    problem: OdeProblem, values: Mapping[str, float], span: tuple[float, float], first: Sequence[float], tol: float,
    *, priced: bool = False, steps: int = STEPS,
) -> Pieces:  # fmt: skip
    """u(t) in pieces that meet at the events; `priced` with one entry more, what the objective has gathered so far.

    Raises Failed, and Unmet where an event does not happen, or is not crossed.
    """
    t0, T = span
    x = np.array([*first, *([0.0] if priced else [])], dtype=float)
    times: list[float] = []
    curves: list[Any] = []
    crossing = None
    for i, phase in enumerate(problem.phases):
        rates = _rates(problem, values, phase, priced)
        start = times[-1] if times else t0
        if i == len(problem.events):
            curves.append(solve(rates, start, T, x, tol, _implicit(problem, values, phase, priced), steps))
            if crossing is not None:
                crossing.check_over(curves[-1], start, T, rates)
            break
        crossing = _Watch(problem, values, i)
        time, curve = crossing.located(rates, start, T, x, tol, steps)
        curves.append(curve)
        times.append(time)
        x = crossing.reset(time, curve(time), priced)
        if not np.all(np.isfinite(x)):
            raise Failed(NO_SOLUTION)
        crossing.check_passage(time, curve(time), x, rates, _rates(problem, values, problem.phases[i + 1], priced))
    return Pieces(np.array(times), curves)


def _rates(
    problem: OdeProblem, values: Mapping[str, float], phase: Phase, priced: bool
) -> Callable[[float, np.ndarray], list[Any]]:
    program = Straight((*phase.rhs, phase.running) if priced else phase.rhs)
    n = len(problem.state)

    def rates(t: float, x: np.ndarray) -> list[Any]:
        return program({**values, TIME: t, **dict(zip(problem.state, x[:n], strict=True))})

    return rates


def _implicit(problem: OdeProblem, values: Mapping[str, float], phase: Phase, priced: bool) -> Implicit | None:
    rates, more = ((*phase.rhs, phase.running), (COST,)) if priced else (phase.rhs, ())
    names = (*problem.state, *more)
    return Implicit.of(rates, names, lambda t, x: {**values, TIME: t, **dict(zip(names, x, strict=True))})


class _Watch:
    """An event at one point of the parameters: its function and how that changes, along solutions."""

    def __init__(self, problem: OdeProblem, values: Mapping[str, float], number: int) -> None:
        self.problem, self.values, self.number = problem, values, number
        self.event: Event = problem.events[number]
        self.program = Straight((self.event.when, *gradient(self.event.when, (*problem.state, TIME))))
        self.after = Straight((*self.event.reset, self.event.cost))
        self.came_from = 0.0

    @property
    def named(self) -> str:
        return f"event {self.number + 1}"

    def at(self, t: Any, x: np.ndarray) -> dict[str, Any]:
        n = len(self.problem.state)
        return {**self.values, TIME: t, **dict(zip(self.problem.state, x[:n], strict=True))}

    def value(self, t: float, x: np.ndarray) -> float:
        return float(self.program(self.at(t, x))[0])

    def rate(self, t: float, x: np.ndarray, rates: Callable[[float, np.ndarray], Any]) -> tuple[float, float]:
        """D, and the size of its terms."""
        n = len(self.problem.state)
        _, *by, by_time = (float(v) for v in self.program(self.at(t, x)))
        terms = [by_time, *(a * b for a, b in zip(by, rates(t, x)[:n], strict=True))]
        return sum(terms), sum(map(abs, terms))

    def side(self, start: float, x: np.ndarray, rates: Callable[[float, np.ndarray], Any]) -> float:
        """The sign of the function just after a time."""
        value, (rate, size) = self.value(start, x), self.rate(start, x, rates)
        if abs(value) > AT_ZERO * (1 + size):
            return float(np.sign(value))
        return float(np.sign(rate)) if abs(rate) > TOUCHING * size and size > 0 else 0.0

    def located(
        self, rates: Callable[[float, np.ndarray], Any], start: float, T: float, x: np.ndarray, tol: float, steps: int
    ) -> tuple[float, Any]:
        """The time of the event, and the solution up to it.  Raises Unmet."""
        self.came_from = side = self.side(start, x, rates)
        if not side:
            raise Unmet(f"{self.named}: its function stays at zero, so that no first zero is told from the start")
        time = until(rates, start, T, x, max(tol, ROUGH), lambda t, x: side * self.value(t, x))
        if time is None:
            curve = solve(rates, start, T, x, tol)
            self.check_untouched(curve, start, T, side)
            raise Unmet(f"{self.named} does not happen before the final time")
        length = time - start
        curve = solve(rates, start, time, x, tol, steps=steps)
        rate, size = self.rate(time, curve(time), rates)
        reach = max(abs(self.value(t, curve(t))) for t in np.linspace(start, time, 9))
        if abs(rate) <= TOUCHING * size or abs(rate) * length <= TOUCHING * reach:
            raise Unmet(f"{self.named} is touched and not crossed (grazing)")
        for _ in range(NEWTON):
            step = -self.value(time, curve(time)) / rate
            if abs(step) > NEAR * length:
                raise Unmet(f"{self.named} is not located")
            time += step
        if length <= NEAR * (T - start) or T - time <= NEAR * (T - start):
            raise Unmet(f"{self.named} happens at the very start or end of its phase")
        self.check_untouched(curve, start, time, side)
        return time, curve

    def check_untouched(self, curve: Any, start: float, end: float, side: float) -> None:
        """No zero, and nothing close to one, between two times; Unmet otherwise."""
        from scipy.optimize import minimize_scalar  # takes long to be loaded, and events are rare

        times = np.linspace(start, end, LOOKS + 1)
        values = np.array([side * self.value(t, curve(t)) for t in times])
        most = np.max(np.abs(values))
        inner = values[1:-1]
        lowest = (inner <= values[:-2]) & (inner <= values[2:])
        for i in np.flatnonzero(lowest) + 1:
            around = (times[i - 1], times[i + 1])
            found = minimize_scalar(lambda t: side * self.value(t, curve(t)), bounds=around, method="bounded")
            if min(found.fun, values[i]) <= TOUCHING * most:
                raise Unmet(f"{self.named} is touched before it is crossed (grazing), at t = {times[i]:.4g}")

    def reset(self, time: float, x: np.ndarray, priced: bool) -> np.ndarray:
        """States just after, and what is gathered."""
        *states, cost = (float(v) for v in self.after(self.at(time, x)))
        return np.array([*states, x[-1] + cost] if priced else states)

    def check_over(self, curve: Any, start: float, T: float, rates: Callable[[float, np.ndarray], Any]) -> None:
        """A solution that rebounds from phi = 0 may not arrive there again: then an event is missing."""
        first = curve(start)
        rebounds = abs(self.value(start, first)) <= AT_ZERO * (1 + self.rate(start, first, rates)[1])
        if not rebounds or self.side(start, first, rates) != self.came_from:
            return
        if any(self.came_from * self.value(t, curve(t)) < 0 for t in np.linspace(start, T, LOOKS + 1)[1:]):
            raise Unmet(f"{self.named} happens once more before the final time, and no event says so")

    def check_passage(
        self, time: float, x: np.ndarray, after: np.ndarray, first: Callable[..., Any], second: Callable[..., Any]
    ) -> None:
        """A right-hand side that switches with the sign of one function must lead away on the other side."""
        events, state = self.problem.events, self.problem.state
        own = switched(self.problem, self.event)
        if any(u in own and r is not symbol(u) for u, r in zip(state, self.event.reset, strict=True)):
            return
        if any(each.when is not self.event.when for each in events):
            return
        (one, _), (other, size) = self.rate(time, x, first), self.rate(time, after, second)
        if one * other <= 0 or abs(other) <= TOUCHING * size:
            raise Unmet(f"{self.named}: on both sides the solution is driven back to where it switches (sliding)")


def crossed_sensitivities(
    problem: OdeProblem, values: Mapping[str, float], number: int, time: float, x: np.ndarray, known: Sequence[str]
) -> tuple[np.ndarray, np.ndarray]:
    """States, cost and their derivatives just after an event, from those just before; and d tau/dq.

    x       states, the cost so far, and the derivatives of both by one name of `known` after the other.

    s+ = r_u s + r_q + (r_t + r_u f1 - f2) tau_q with tau_q = -(phi_u s + phi_q)/(phi_t + phi_u f1).
    """
    u, n, m = problem.state, len(problem.state), len(known)
    event, (first, second) = problem.events[number], problem.phases[number : number + 2]
    s = x[n + 1 :].reshape(m, n + 1).T
    before = {**values, TIME: time, **dict(zip(u, x[:n], strict=True))}

    def numbers(nodes: Sequence[Node], at: Mapping[str, Any]) -> np.ndarray:
        return np.array([float(v) for v in Straight(nodes)(at)])

    def moved(node: Node) -> tuple[np.ndarray, float]:
        """How something at the event changes with the names, apart from its time; and with that, along f1."""
        by = numbers(gradient(node, (*u, *known, TIME)), before)
        return by[:n] @ s[:n] + by[n : n + m], float(by[:n] @ f1[:n] + by[-1])

    f1 = numbers((*first.rhs, first.running), before)
    reset = numbers(event.reset, before)
    f2 = numbers((*second.rhs, second.running), {**before, **dict(zip(u, reset, strict=True))})
    by_names, rate = moved(event.when)
    time_q = -by_names / rate
    rows = [fixed + (along - f2[j]) * time_q for j, (fixed, along) in enumerate(map(moved, event.reset))]
    fixed, along = moved(event.cost)
    rows.append(s[n] + fixed + (f1[n] - f2[n] + along) * time_q)
    gathered = x[n] + float(numbers((event.cost,), before)[0])
    return np.concatenate([reset, [gathered], np.array(rows).T.ravel()]), time_q
