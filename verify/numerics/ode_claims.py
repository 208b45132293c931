"""What does a claimed adjoint system give on numbers, and what is the gradient really?

The claimed equations are solved as they stand (the state forwards, the claimed adjoint backwards), and the claimed
gradient is evaluated on what comes out.  The truth comes from the forward sensitivity equations, which know of no
adjoint, and once more from differences of the objective.  Everything is run at two tolerances; the change is the error.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from verify.calculus.reverse import gradient
from verify.graph import Node
from verify.numerics.collocation import Implicit, rows
from verify.numerics.ode_events import crossed_sensitivities, travelled
from verify.numerics.ode_solved import STEPS, Curve, Failed, Grid, Pieces, solve
from verify.numerics.straight import NoFloat, Straight, operation
from verify.systems import TIME, OdeProblem, Phase, event_times

#: Relative tolerances of the two runs; the absolute ones are a hundredth of that.
TOLERANCES = (1e-11, 1e-13)
#: Nodes of the Gauss-Legendre rule on each step of the solver, in the two runs: integrals have an error of their own.
NODES = (5, 7)
#: Relative spread of differences from which on other steps are tried.
ROUGH = 1e-5


@dataclass(frozen=True)
class Numbers:
    """A problem at one point of its parameters: `values` by name; solvers make so many `steps` at least."""

    problem: OdeProblem
    values: Mapping[str, float]
    steps: int = STEPS

    def constants(self, nodes: Sequence[Node]) -> list[float]:
        """Expressions in the parameters alone."""
        return [float(value) for value in Straight(nodes)(self.values)]

    @property
    def ends(self) -> tuple[float, float]:
        t0, T = self.constants((self.problem.t0, self.problem.T))
        if not t0 < T:
            raise Failed("the interval of time is empty")
        return t0, T

    @property
    def times(self) -> list[float]:
        """When something is observed."""
        t0, T = self.ends
        found = self.constants([each.time for each in self.problem.observations])
        if any(late <= early for early, late in zip([t0, *found], [*found, T], strict=True)):
            raise Failed("an observation lies outside of the interval of time, or before the one before it")
        return found

    def state(self, tol: float) -> Curve:
        """u(t), shape (n, …); `Pieces` that meet at the events where there are any."""
        if self.problem.events:
            first = self.constants(self.problem.initial)
            return travelled(self.problem, self.values, self.ends, first, tol, steps=self.steps)
        rhs, state, (t0, T) = self.problem.rhs, self.problem.state, self.ends
        field = Straight(rhs)

        def at(t: Any, x: np.ndarray) -> dict[str, Any]:
            return {**self.values, TIME: t, **dict(zip(state, x, strict=True))}

        implicit = Implicit.of(rhs, state, at)
        first = self.constants(self.problem.initial)
        return solve(lambda t, x: field(at(t, x)), t0, T, first, tol, implicit, self.steps)

    def adjoint(
        self,
        u: Curve,
        rates: Sequence[Sequence[Node]],
        final: Sequence[float],
        names: Sequence[str],
        tol: float,
        gains: Sequence[tuple[float, Callable[[np.ndarray], Sequence[float]]]] = (),
    ) -> Curve:
        """A costate with given rates in t, state and its names, from its values at the final time.

        rates   one for each phase, or one for all.
        gains   what is added to it on the way back, at events and times of observation in their order, in its values
                just after.
        """
        t0, T = self.ends
        fields = [Straight(rate) for rate in rates]
        times = [time for time, _ in gains]
        events = u.times if isinstance(u, Pieces) else np.array([])

        def backwards(i: int, u: Curve, start: float, end: float, final: Sequence[float]) -> Curve:
            def at(t: Any, l: np.ndarray) -> dict[str, Any]:
                both = dict(zip(self.problem.state, u(t), strict=True)) | dict(zip(names, l, strict=True))
                return {**self.values, TIME: t, **both}

            implicit = Implicit.of(rates[i], names, at)
            return solve(lambda t, l: fields[i](at(t, l)), end, start, final, tol, implicit, self.steps)

        if not gains:
            return backwards(0, u, t0, T, final)
        curves: list[Curve] = []
        for i in reversed(range(len(times) + 1)):
            start, end = [t0, *times, T][i : i + 2]
            if curves:
                last = curves[-1](end)
                final = list(last + np.array(gains[i][1](last)))
            phase = int(np.searchsorted(events, (start + end) / 2))
            path = u.curves[phase] if isinstance(u, Pieces) else u
            curves.append(backwards(min(phase, len(fields) - 1), path, start, end, final))
        return Pieces(np.array(times), curves[::-1])

    def at(self, t: float, u: Curve) -> dict[str, Any]:
        """All names at a time."""
        return {**self.values, TIME: t, **dict(zip(self.problem.state, u(t), strict=True))}


def claimed(node: Node, values: Mapping[str, Any], curves: Mapping[str, Callable[[Any], Any]], grid: Grid) -> Any:
    """The value of an expression with states, adjoints at times, and integrals, as a claim writes them.

    Raises NoFloat for what has no value here.
    """
    found: dict[Node, Any] = {}

    def value(node: Node) -> Any:
        if node not in found:
            found[node] = fresh(node)
        return found[node]

    def fresh(node: Node) -> Any:
        if node.op == "symbol":
            if node.value not in values:
                raise NoFloat(f"{node.value} has no value")
            return values[node.value]
        if node.op == "abstract":
            name = node.value[0]
            if name == "int":
                return integral(node)
            if name not in curves or any(node.value[1]):
                raise NoFloat(f"{name} is not known as a function of time")
            return curves[name](value(node.args[0]))
        return operation(node)(*(value(arg) for arg in node.args))

    def integral(node: Node) -> Any:
        body, variable, low, high = node.args
        a, b = float(value(low)), float(value(high))
        if variable.op != "symbol":
            raise NoFloat("an integral needs a variable")
        if any(np.ndim(each) for each in values.values()):
            raise NoFloat("integrals inside integrals are not evaluated")
        return grid.integral(lambda t: claimed(body, {**values, variable.value: t}, curves, grid), a, b)

    with np.errstate(all="ignore"):
        return value(node)


# --- the truth ------------------------------------------------------------------------------------


def forward_gradient(numbers: Numbers, names: Sequence[str], tol: float, times: Sequence[float] = ()) -> np.ndarray:
    """dG/dq by the sensitivity equations s' = f_u s + f_q, s(t0) = b_q - f(t0) t0_q; names as in a claim.

    times   of the events; they are located where they are not given.
    """
    if numbers.problem.events and not len(times):
        times = [float(t) for t in getattr(numbers.state(tol), "times", ())]
    problem, (t0, T) = numbers.problem, numbers.ends
    u, n, m = problem.state, len(problem.state), len(names)
    known = [name if name in problem.domain.variables and name not in u else "" for name in names]

    def sensitive(phase: Phase) -> tuple[Callable[..., Any], Implicit]:
        by = [gradient(f, (*u, *known)) for f in (*phase.rhs, phase.running)]
        program = Straight((*phase.rhs, phase.running, *(entry for row in by for entry in row)))

        def parts(values: Mapping[str, Any], t: Any) -> tuple[np.ndarray, np.ndarray]:
            """f, (n + 1, …), and its Jacobian by states and names, (…, n + 1, n + m)."""
            found = rows(program(values), np.asarray(t))
            return found[: n + 1], np.moveaxis(found[n + 1 :].reshape(n + 1, n + m, *np.shape(t)), (0, 1), (-2, -1))

        latest: list[Any] = [None, None, None]  # the rate and its Jacobian are asked for at the same states

        def along(t: Any, x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
            if latest[0] is not t or latest[1] is not x:
                latest[:] = t, x, parts({**numbers.values, TIME: t, **dict(zip(u, x[:n], strict=True))}, t)
            return latest[2]

        def rate(t: Any, x: np.ndarray) -> np.ndarray:
            f, slopes = along(t, x)
            s = np.moveaxis(x[n + 1 :].reshape(m, n + 1, *np.shape(t))[:, :n], (0, 1), (-1, -2))
            moved = np.moveaxis(slopes[..., :n] @ s + slopes[..., n:], (-1, -2), (0, 1))
            return np.concatenate([f, moved.reshape(m * (n + 1), *np.shape(t))])

        def lead(t: np.ndarray, x: np.ndarray) -> np.ndarray:
            slopes = along(t, x)[1][..., :n]
            return np.concatenate([slopes, np.zeros((*slopes.shape[:-1], 1))], axis=-1)

        return parts, Implicit(rate, lead, n + 1)

    b = np.array(numbers.constants(problem.initial))
    b_q = np.array([numbers.constants(gradient(each, known)) for each in problem.initial]).reshape(n, m)
    ends_q = np.array([numbers.constants(gradient(each, known)) for each in (problem.t0, problem.T)]).reshape(2, m)
    for j, name in enumerate(names):
        if not known[j] and name in ("t0", "T"):
            ends_q[int(name == "T"), j] = 1.0
        elif not known[j]:
            b_q[:, j] = [float(name == f"{each}(t0)") for each in u]
    phases = [sensitive(phase) for phase in problem.phases]
    parts = phases[0][0]
    first, _ = parts({**numbers.values, TIME: t0, **dict(zip(u, b, strict=True))}, t0)
    s0 = np.vstack([b_q - np.outer(first[:n], ends_q[0]), -first[n] * ends_q[0]])

    def solved(i: int, start: float, x: np.ndarray) -> Curve:
        return solve(phases[i][1].rate, start, [*times, T][i], x, tol, phases[i][1], numbers.steps)

    curves = [solved(0, t0, np.concatenate([b, [0.0], s0.T.ravel()]))]
    moments = np.zeros((len(times), m))
    for i, time in enumerate(times):
        after, moments[i] = crossed_sensitivities(problem, numbers.values, i, time, curves[i](time), known)
        curves.append(solved(i + 1, time, after))
    curve = Pieces(np.array(times), curves)
    parts, last = phases[-1][0], curve(T)
    s = last[n + 1 :].reshape(m, n + 1).T
    at = {**numbers.values, TIME: T, **dict(zip(u, last[:n], strict=True))}
    f, _ = parts(at, T)
    at |= dict(zip(event_times(problem), times, strict=True))
    by = (*u, *known, TIME, *event_times(problem))
    g = np.array([float(v) for v in Straight(gradient(problem.terminal, by))(at)])
    moving = s[:n] + np.outer(f[:n], ends_q[1])
    found = g[:n] @ moving + g[n : n + m] + s[n] + (f[n] + g[n + m]) * ends_q[1] + g[n + m + 1 :] @ moments
    for each, time in zip(problem.observations, numbers.times, strict=True):
        there, rate = curve(time), phases[int(np.searchsorted(times, time))][0]
        s = there[n + 1 :].reshape(m, n + 1).T[:n]
        at = {**numbers.values, TIME: time, **dict(zip(u, there[:n], strict=True))}
        h = np.array([float(v) for v in Straight(gradient(each.value, (*u, *known, TIME)))(at)])
        time_q = np.array(numbers.constants(gradient(each.time, known)))
        found = found + h[:n] @ (s + np.outer(rate(at, time)[0][:n], time_q)) + h[n : n + m] + h[-1] * time_q
    return found


def difference_gradient(numbers: Numbers, name: str, tol: float) -> tuple[float, float]:
    """dG/dq by central differences at two steps, extrapolated; and an estimate of its error.

    The steps are those of a name of size 1, or of its own size where that is smaller and says more.
    """
    own = abs(numbers.values.get(name, 1.0))

    def sloped(scale: float) -> tuple[float, float]:
        def slope(h: float) -> float:
            return (objective(numbers, name, h, tol) - objective(numbers, name, -h, tol)) / (2 * h)

        coarse, fine = slope(2e-3 * scale), slope(1e-3 * scale)
        return (4 * fine - coarse) / 3, abs(fine - coarse) / 10 + 1e-8 * abs(fine)

    if own >= 1 or not own:
        return sloped(max(1.0, own))
    try:
        found = sloped(1.0)
    except Failed:
        return sloped(own)
    if found[1] < ROUGH * abs(found[0]):
        return found
    try:
        return min(found, sloped(own), key=lambda each: each[1])
    except Failed:
        return found


def objective(numbers: Numbers, name: str, shift: float, tol: float) -> float:
    """G with one of the things that it depends on shifted."""
    problem = numbers.problem
    values = dict(numbers.values)
    if name in values:
        values[name] += shift
    moved = replace(numbers, values=values)
    t0, T = moved.ends
    if name not in values:
        t0, T = t0 + shift * (name == "t0"), T + shift * (name == "T")
    first = [
        b + shift * (name == f"{u}(t0)") for u, b in zip(problem.state, moved.constants(problem.initial), strict=True)
    ]
    curve = travelled(problem, values, (t0, T), first, tol, priced=True, steps=numbers.steps)
    happened = dict(zip(event_times(problem), curve.times, strict=True))

    def cost(node: Node, time: float) -> float:
        at = {**values, **happened, TIME: time, **dict(zip(problem.state, curve(time)[:-1], strict=True))}
        return float(Straight((node,))(at)[0])

    seen = sum(cost(each.value, time) for each, time in zip(problem.observations, moved.times, strict=True))
    return cost(problem.terminal, T) + float(curve(T)[-1]) + seen
