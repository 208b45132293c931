"""Where are x(T), dx(T)/dx(t0) and dx(T)/dq?  Steps from t0 to T, their lengths chosen so that the tails stay small.

Nothing that is chosen here (order, length, tolerance, frame) can make the result wrong: each step is proved in
`verify.numerics.enclosure.step`, or it is shortened, and in the end given up.
"""

from __future__ import annotations

import math
import time as clock
from dataclasses import dataclass
from fractions import Fraction

from flint import arb, arb_mat

from verify.numerics.enclosure.adjoint import Passed, backwards
from verify.numerics.enclosure.ball import ball
from verify.numerics.enclosure.field import Field
from verify.numerics.enclosure.frame import Frame, Part, centred
from verify.numerics.enclosure.series import Diverges
from verify.numerics.enclosure.step import Matrices, Step, Values, advance, finite, taylor

#: Steps that are tried at most, and halvings of the interval that a step may be short of.
LARGEST_STEPS, HALVINGS = 20_000, 30
#: The tail of the variations that a step aims at, and that it may have, in units of the tolerance.
AIM, ACCEPTED = 10.0, 1e4


class GaveUp(Exception):
    """No enclosure up to the final time, with the reason."""


@dataclass(frozen=True)
class Reached:
    """At the final time: x (n x 1), dx/dx(t0) (n x n), dx/dq (n x m); at the initial one: x (n x 1), dx/dq (n x m).

    With the adjoint, dx/dq at the final time has no columns, and the steps are kept.
    """

    start: arb_mat
    start_by_names: arb_mat
    state: arb_mat
    by_start: arb_mat
    by_names: arb_mat
    steps: int
    passed: tuple[Passed, ...]

    def pulled(self, field: Field, at: Values, g_x: arb_mat) -> tuple[arb_mat, arb_mat]:
        """g_x dx(T)/dx(t0) (1 x n) and g_x dx(T)/dq (1 x m), for g_x (1 x n)."""
        if field.pulled is None:
            return g_x * self.by_start, g_x * self.by_names
        first, grown = backwards(field, at, self.passed, g_x)
        return first, grown + first * self.start_by_names


def integrate(field: Field, at: Values, order: int, tol: float, deadline: float) -> Reached:
    """From t0 to T with `order` Taylor coefficients a step.  Raises GaveUp.

    tol       relative size of what a step may leave out; deadline: by `time.monotonic`.
    """
    n, m = len(field.state), len(field.names)
    begin, final = field.times(at)
    length = final - begin
    if not length.is_finite() or not length > 0:
        raise GaveUp("the final time is not after the initial one")
    start = arb_mat(n, 1, field.initial(at))
    slope = arb_mat(n, m, field.initial_by_names(at))
    try:
        finite([*start.entries(), *slope.entries(), begin])
    except Diverges:
        raise GaveUp("the initial value, or its derivative, has no value") from None
    eye = arb_mat(n, n, [arb(int(i == j)) for i in range(n) for j in range(n)])
    carried = slope if field.pulled is None else arb_mat(n, 0, [])
    parts, frame, kept = [centred(start), centred(eye), centred(carried)], Frame.identity(n), []
    grid = Grid.over(length)
    passed: Fraction | None = Fraction(0)
    steps, longest = 0, math.inf
    while passed is not None:
        here = begin + ball(passed)
        if steps >= LARGEST_STEPS:
            raise GaveUp(f"more than {LARGEST_STEPS} steps; stopped at t = {float(here.mid()):.6g}")
        middle = _middle(field, here, parts[0][0], at, order)
        h = min(1.25 * longest, _suggested(middle, tol))
        while True:
            if clock.monotonic() > deadline:
                raise GaveUp(f"out of time at t = {float(here.mid()):.6g}")
            after, exact = grid.next(passed, h)
            size = float(exact.mid())
            try:
                step = advance(field, here, exact, middle, frame.hull(parts[0]).entries(), at)
                longest = size * min((AIM * tol / max(step.tail, 1e-300)) ** (1.0 / order), 10.0)
                if step.tail <= ACCEPTED * tol:
                    frame, parts = _moved(frame, step, parts)
                    break
                h = min(0.9 * longest, 0.9 * size)
            except (ArithmeticError, ValueError):
                h = 0.7 * size
            if h < grid.smallest:
                raise GaveUp(
                    f"no step from t = {float(here.mid()):.6g}: the solution blows up or the right-hand side is "
                    "singular there, or the tolerance is out of reach"
                )
        if field.pulled is not None:
            kept.append(Passed(step.clock, exact, step.states, step.A, step.A_tail, step.by_start))
        passed, steps = after, steps + 1
    state, by_start, by_names = (frame.hull(part) for part in parts)
    return Reached(start, slope, state, by_start, by_names, steps, tuple(kept))


@dataclass(frozen=True)
class Grid:
    """Where steps end: at whole multiples of a power of two, which are exact, and at the end."""

    length: arb
    unit: Fraction
    smallest: float

    @classmethod
    def over(cls, length: arb) -> Grid:
        exponent = math.frexp(float(length.mid()))[1]
        unit = Fraction(2) ** (exponent - HALVINGS - 10)
        return cls(length, unit, float(unit) * 2**10)

    def next(self, passed: Fraction, h: float) -> tuple[Fraction | None, arb]:
        """Where a step of about h ends (None: at the end), and its length, exact or a ball."""
        left = float((self.length - ball(passed)).mid())
        if h >= left:
            return None, self.length - ball(passed)
        if left < 1.2 * h:
            h = left / 2  # two equal steps rather than a long one and a crumb
        size = max(round(Fraction(h) / self.unit), 1) * self.unit
        return passed + size, ball(size)


def _middle(field: Field, here: arb, start: arb_mat, at: Values, order: int) -> Matrices:
    try:
        return taylor(field, here, start.entries(), arb(1), at, order)
    except (ArithmeticError, ValueError):
        raise GaveUp(f"the right-hand side has no value at t = {float(here.mid()):.6g}") from None


def _suggested(middle: Matrices, tol: float) -> float:
    """The length for which the last two Taylor coefficients stay below the tolerance."""
    scale = max(1.0, *(float(abs(x).mid()) for x in middle[0].entries()))
    h, order = 1e300, len(middle)
    for k in (order - 2, order - 1):
        largest = max(abs(x).abs_upper() for x in middle[k].entries())
        if largest > 0:
            h = min(h, math.exp((math.log(tol * scale) - float(largest.log())) / k))
    return h


def _moved(frame: Frame, step: Step, parts: list[Part]) -> tuple[Frame, list[Part]]:
    """The images of x, dx/dx(t0) and dx/dq under the step."""
    J = step.by_start
    images = [step.middle, J * parts[1][0], J * parts[2][0] + step.by_names]
    after, moved = frame.move(J, parts, images)
    finite([x for part in moved for matrix in part for x in matrix.entries()])
    return after, moved
