"""Where is the gradient of an ODE problem?  Balls that contain it for certain, or the reason why there are none."""

from __future__ import annotations

import math
import time as clock
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, TypeAlias

from flint import arb, arb_mat, ctx

from verify.numerics.enclosure.ball import Ball, ball
from verify.numerics.enclosure.field import Field, differentiated, needed, own_time
from verify.numerics.enclosure.forward import Box, GaveUp, Way, integrate
from verify.numerics.enclosure.written import Unsupported
from verify.systems import OdeProblem, System

#: A number, its text ("0.1", "3/2"), or a pair of them for everything between.
Value: TypeAlias = "Fraction | int | float | str | Ball | tuple[Any, Any]"
#: Times that the tolerance is tightened.
PASSES = 5
#: Names for each state from which on the adjoint is faster.
MANY = 4
#: What one step may leave out, in units of the radius that is wanted in the end: for sensitivities, for the adjoint.
SHARE = {False: 5e-8, True: 2e-9}
#: What the tolerance is multiplied by after a pass that did not get to the end.
FINER = 1e-8


@dataclass(frozen=True)
class Enclosure:
    """What is proved: the solution exists on [t0, T] for all values of the names, and the balls hold these values.

    state      x(T), by the names of the states.
    objective  G.
    gradient   dG/dq by parameter and other name of the problem; `t0` and `T`, which mean the ends of the interval
               (the whole derivative where the problem has a name t0 or T); `u(t0)` for the initial value of u alone.
    radius     the largest radius in `gradient`; reached: whether it is what was asked for.
    steps, order, bits   of the last pass.
    """

    point: Mapping[str, Ball]
    state: Mapping[str, Ball]
    objective: Ball
    gradient: Mapping[str, Ball]
    radius: float
    reached: bool
    steps: int
    order: int
    bits: int

    def __bool__(self) -> bool:
        return True

    def to_json(self) -> dict[str, Any]:
        balls = {"point": self.point, "state": self.state, "gradient": self.gradient}
        record: dict[str, Any] = {key: {name: b.to_json() for name, b in each.items()} for key, each in balls.items()}
        record["objective"] = self.objective.to_json()
        keys = ("radius", "reached", "steps", "order", "bits")
        return record | {key: getattr(self, key) for key in keys}


@dataclass(frozen=True)
class Fail:
    """No enclosure, and why; false in a condition."""

    reason: str

    def __bool__(self) -> bool:
        return False


def enclose(
    problem: OdeProblem | System,
    at: Mapping[str, Value] | None = None,
    *,
    radius: float = 1e-12,
    seconds: float = 10.0,
    adjoint: bool | None = None,
) -> Enclosure | Fail:
    """Enclose x(T), G and the gradient of G at a point of the parameters, or over a box of them.

    at       a value for every name of the problem: exact (a float is the double that it is), or a pair (low, high).
    radius   absolute, for each component of the gradient; tightened until it is reached, or does not shrink any more.
    seconds  after which it gives up.
    adjoint  whether the gradient comes from the adjoint, whose cost hardly grows with the number of names, or from
             forward sensitivities; chosen by their number unless given.

    Raises ValueError for a name without a value, or without a meaning; never returns a number where there is no
    solution.  Method: Lohner's QR frame around Taylor steps whose remainders are bounded in the algebra of power
    series (Schauder's theorem), all in balls; see `verify.numerics.enclosure.step`.
    """
    if isinstance(problem, System):
        return enclose(_ode(problem.problem), at, radius=radius, seconds=seconds, adjoint=adjoint)
    values = _values(_ode(problem), at or {})
    if not 0 < radius < math.inf:
        raise ValueError(f"radius is {radius}; give a positive number")
    try:
        names = differentiated(problem)
        many = len(names) > MANY * len(problem.state) if adjoint is None else adjoint
        field = Field.of(problem, names)
    except Unsupported as reason:
        return Fail(str(reason))
    deadline = clock.monotonic() + seconds
    best: Enclosure | None = None
    failed = ""
    tol = radius * SHARE[many]
    for _ in range(PASSES):
        digits = max(-math.log10(max(tol, 1e-300)), 4.0)
        order, bits = int(14 + 1.07 * digits), int(3.33 * digits) + 35
        try:
            with _precision(bits, order):
                found = _pass(field, values, order, bits, tol, radius, deadline, many)
        except GaveUp as reason:
            if best or failed:
                # Twice at the same place: more digits do not help.
                return best or Fail(failed)
            failed, tol = str(reason), tol * FINER
            continue
        stuck = best is not None and found.radius > 0.5 * best.radius
        best = found if best is None or found.radius < best.radius else best
        if best.reached or stuck:
            return best
        tol *= max(min(0.1 * radius / found.radius, 0.1), 1e-30)
    return best or Fail(failed)


def _pass(
    field: Field, values: Mapping[str, tuple[Fraction, Fraction]], order: int, bits: int, tol: float, radius: float,
    deadline: float, adjoint: bool,
) -> Enclosure:  # fmt: skip
    at = {name: _between(*ends) for name, ends in values.items()}
    box = Box.of(at, [name for name, (low, high) in values.items() if low < high])
    try:
        way = integrate(field, box, order, tol, deadline, adjoint)
        objective, gradient = objective_of(field, box, way)
        balls = {name: Ball.of(x) for name, x in gradient.items()}
        state = {name: Ball.of(way.reached[-1].state[i, 0]) for i, name in enumerate(field.problem.state)}
        value = Ball.of(objective)
    except (ArithmeticError, ValueError) as reason:
        raise GaveUp(f"the objective, or its derivative, has no finite value ({reason})") from None
    worst = max((float(b.radius) for b in balls.values()), default=0.0)
    point = {name: Ball.of(x) for name, x in at.items()}
    return Enclosure(point, state, value, balls, worst, worst <= radius, way.steps, order, bits)


def objective_of(field: Field, box: Box, way: Way) -> tuple[arb, dict[str, arb]]:
    """G and its gradient.

    With Phi = dx/dx(t0), S = dx/dq at fixed ends, and H = g_t + g_x x', all at the time T of a term g:

        dG/dq = sum over the terms of (g_q + g_x S + H T_q - g_x Phi x'(t0) t0_q)

    Over a box G is its value in the middle, and dG/dq xi beside it.
    """
    n = len(field.state)
    terms = [way.system.term(i, end.state.entries(), end.time) for i, end in enumerate(way.reached)]
    by_start, by_names = way.pulled([term.by_states for term in terms])
    H0 = (by_start * arb_mat(n, 1, way.system.rhs([*way.start.entries(), way.begin])))[0, 0]
    first, *ends = way.system.constant(way.system.times)[1]
    H = [
        term.by_time + (term.by_states * arb_mat(n, 1, way.system.rhs([*end.state.entries(), end.time])))[0, 0]
        for term, end in zip(terms, way.reached, strict=True)
    ]
    gradient = {}
    for j, name in enumerate(field.names):
        total = by_names[0, j] - H0 * first[j]
        for term, rate, slopes in zip(terms, H, ends, strict=True):
            total = total + term.by_names[j] + rate * slopes[j]
        gradient[name] = total
    if own_time(field.problem, "t0"):
        gradient["t0"] = -H0
    if own_time(field.problem, "T"):
        gradient["T"] = H[-1]
    for i, name in enumerate(field.problem.state):
        gradient[f"{name}(t0)"] = by_start[0, i]
    return _value(field, box, way, [term.value for term in terms], gradient), gradient


def _value(field: Field, box: Box, way: Way, terms: Sequence[arb], gradient: Mapping[str, arb]) -> arb:
    """G: directly, and over a box by the mean value theorem too."""
    direct = sum(terms[1:], terms[0])
    if not box.wide:
        return direct
    thin = field.at(box.middle, ())
    times = thin.constant(thin.times)[0][1:]
    central = [
        thin.term(i, end.central.entries(), t) for i, (end, t) in enumerate(zip(way.reached, times, strict=True))
    ]
    value = sum((term.value for term in central[1:]), central[0].value)
    for i, name in enumerate(box.wide):
        value = value + gradient[name] * box.xi[i, 0]
    return value.intersection(direct)


# --- inputs -----------------------------------------------------------------------------------------


def _ode(problem: Any) -> OdeProblem:
    if not isinstance(problem, OdeProblem):
        raise ValueError(f"{getattr(problem, 'kind', type(problem).__name__)!r} is not enclosed; give an OdeProblem")
    return problem


def _values(problem: OdeProblem, at: Mapping[str, Value]) -> dict[str, tuple[Fraction, Fraction]]:
    names = needed(problem)
    if missing := sorted(names - set(at)):
        raise ValueError(f"no value for {', '.join(missing)}; add it to `at`, as a number or a pair (low, high)")
    if unknown := sorted(set(at) - names - set(problem.domain.variables)):
        raise ValueError(f"{', '.join(unknown)} in `at` is no name of the problem; it has {', '.join(sorted(names))}")
    return {name: _ends(name, at[name]) for name in sorted(names)}


def _ends(name: str, value: Value) -> tuple[Fraction, Fraction]:
    if isinstance(value, Ball):
        return value.low, value.high
    ends = value if isinstance(value, tuple) else (value, value)
    try:
        low, high = (Fraction(end) for end in ends)
    except (ValueError, OverflowError, TypeError, ZeroDivisionError):
        raise ValueError(f"{name} = {value!r} is no number; write 3/2, 0.1, or a pair (low, high)") from None
    if low > high:
        raise ValueError(f"{name} = {value!r} is empty; write the smaller number first")
    return low, high


def _between(low: Fraction, high: Fraction) -> arb:
    """A ball that contains both ends and all between."""
    return ball(low) if low == high else ball(low).union(ball(high))


@contextmanager
def _precision(bits: int, order: int) -> Generator[None]:
    """FLINT's global precision, and a cap above the length of every series; both put back."""
    before = ctx.prec, ctx.cap
    ctx.prec, ctx.cap = bits, max(order + 1, ctx.cap)
    try:
        yield
    finally:
        ctx.prec, ctx.cap = before
