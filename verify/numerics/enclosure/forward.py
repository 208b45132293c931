"""Where are x, dx/dx(t0) and dx/dq at each time of the objective?  Steps from t0 on, as long as the tails stay small.

Nothing that is chosen here (order, length, tolerance, frame) can make the result wrong: each step is proved in
`verify.numerics.enclosure.step`, or it is shortened, and in the end given up.

Over a box of names q = mid + xi the states lie in m + C xi + Q r: what depends on the box through C is known once and
for all steps, and only r turns and is rounded.  By the mean value theorem a step maps it into

    phi(m, mid) + (J C + P) xi + J Q r,   J = dphi/dx and P = dphi/dq over the whole set,

of which the middle of J C + P is the next C, and what it varies by goes to r.
"""

from __future__ import annotations

import math
import time as clock
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from flint import arb, arb_mat

from verify.numerics.enclosure.adjoint import Passed, backwards
from verify.numerics.enclosure.ball import ball
from verify.numerics.enclosure.crossing import Close, Switch
from verify.numerics.enclosure.field import Field, System
from verify.numerics.enclosure.frame import Frame, Part, centred
from verify.numerics.enclosure.jets import Coefficients, taylor
from verify.numerics.enclosure.series import Diverges, finite
from verify.numerics.enclosure.step import Step, advance

#: Steps that are tried at most, and halvings of the interval that a step may be short of.
LARGEST_STEPS, HALVINGS = 20_000, 30
#: The tail of the variations that a step aims at, and that it may have, in units of the tolerance.
AIM, ACCEPTED = 10.0, 1e4
#: Steps after which it is looked ahead, and how much longer than allowed the way must look to be given up.
LOOK, PATIENCE = 40, 6.0
#: Times that a step is made shorter, at the end of which a switching function is close to zero.
SHORTENED = 8
#: Part of the longest of some steps below which they shrink; what a step times a decaying eigenvalue is on a stiff way,
#: and how much slower than that mode the others may then grow.
SHRUNK, STIFF, SLOW = 0.1, 2.0, 0.1
#: Width of a set that did not fail for its width.
THIN = 1e-6

#: Relative width from which on a box is wide, and what a step may then be long, in units of 1/|f_x|.
WIDE, MILD = 1e-7, 0.35
#: How much shorter than that a step over a wide box may be.
SHORTER = 0.02


class GaveUp(Exception):
    """No enclosure up to the final time, with the reason.

    final   whether a finer tolerance would not change it; stiff: whether another method might.
    """

    def __init__(self, reason: str, final: bool = False, stiff: bool = False) -> None:
        super().__init__(reason)
        self.final, self.stiff = final, stiff


@dataclass(frozen=True)
class Box:
    """Values of all names: `whole` holds all of them, `middle` one point; `wide` are the names that have a width.

    xi      column of the balls around 0 that the wide names run over, in the order of `wide`.
    """

    whole: Mapping[str, arb]
    middle: Mapping[str, arb]
    wide: tuple[str, ...]
    xi: arb_mat

    def is_wide(self) -> bool:
        """Whether balls of its width rather than tails decide how long a step may be."""
        return any(float(x.rad()) > WIDE * max(1.0, float(abs(x).mid())) for x in self.whole.values())

    @classmethod
    def of(cls, values: Mapping[str, arb], wide: Sequence[str]) -> Box:
        middle = {name: x.mid() if name in wide else x for name, x in values.items()}
        return cls(values, middle, tuple(wide), arb_mat(len(wide), 1, [values[name] - middle[name] for name in wide]))


@dataclass(frozen=True)
class Reached:
    """At a time of the objective: x over the box (n x 1), dx/dx(t0) (n x n) and dx/dq (n x m, or nothing).

    The state is in central + spread * xi, with the same numbers in the matrix `spread` (n x wide) for all points.
    """

    state: arb_mat
    central: arb_mat
    spread: arb_mat
    by_start: arb_mat
    by_names: arb_mat
    time: arb


@dataclass(frozen=True)
class Way:
    """The start x (n x 1) with dx/dq (n x m), what is reached at each time, and the steps between (for the adjoint)."""

    system: System
    begin: arb
    start: arb_mat
    start_by_names: arb_mat
    reached: tuple[Reached, ...]
    legs: tuple[tuple[Passed, ...], ...]
    steps: int

    def pulled(self, g_x: Sequence[arb_mat]) -> tuple[arb_mat, arb_mat]:
        """Sums over the times of g_x dx/dx(t0) (1 x n) and g_x dx/dq (1 x m), for g_x (1 x n) at each time."""
        if self.legs:
            first, grown = backwards(self.system, self.legs, g_x)
            return first, grown + first * self.start_by_names
        first, grown = g_x[0] * self.reached[0].by_start, g_x[0] * self.reached[0].by_names
        for row, end in zip(g_x[1:], self.reached[1:], strict=True):
            first, grown = first + row * end.by_start, grown + row * end.by_names
        return first, grown


@dataclass
class Sets:
    """m + C xi + Q r for the states, and m + Q r for their derivatives by the start and by the driven names."""

    frame: Frame
    parts: list[Part]
    C: arb_mat
    xi: arb_mat

    @classmethod
    def of(cls, start: arb_mat, slope: arb_mat, driven: arb_mat, xi: arb_mat, lead: int) -> Sets:
        """From b at the middle of the box, its derivatives by the wide names and by the driven ones over the box."""
        n, C = start.nrows(), slope.mid()
        eye = arb_mat(n, n, [arb(int(i == j)) for i in range(n) for j in range(n)])
        return cls(Frame.identity(n, lead), [centred(start + (slope - C) * xi), centred(eye), centred(driven)], C, xi)

    def hulls(self) -> list[arb_mat]:
        """Boxes around all three."""
        state, *rest = (self.frame.hull(part) for part in self.parts)
        return [state + self.C * self.xi, *rest]

    def moved(self, step: Step) -> Sets:
        """The images under a step, whose first driven names are the wide ones."""
        J, P, wide = step.by_start, step.by_names, self.xi.nrows()
        n, m = P.nrows(), P.ncols()
        spread = J * self.C + arb_mat(n, wide, [P[i, j] for i in range(n) for j in range(wide)])
        C = spread.mid()
        images = [step.middle + (spread - C) * self.xi, J * self.parts[1][0]]
        if self.parts[2][0].ncols() == m:
            images.append(J * self.parts[2][0] + P)
        else:
            images.append(self.parts[2][0])
        frame, parts = self.frame.move(J, self.parts, images)
        finite([x for part in parts for matrix in part for x in matrix.entries()])
        return Sets(frame, parts, C, self.xi)


def integrate(
    field: Field, box: Box, order: int, tol: float, deadline: float, adjoint: bool, states_alone: bool = False
) -> Way:
    """From t0 to all times of the objective with `order` Taylor coefficients a step.  Raises GaveUp.

    tol       relative size of what a step may leave out; deadline: by `time.monotonic`.
    adjoint   whether the steps are kept for the adjoint, in the place of dx/dq; states_alone: neither of them.
    """
    others = [name for name in field.names if name not in box.wide]
    # The wide names come first: the sets rely on it.
    forwards = not adjoint and not states_alone
    driven = (*box.wide, *others) if forwards else box.wide
    whole, thin = field.at(box.whole, driven), field.at(box.middle, ())
    n, m = len(field.state), len(field.names)
    times = whole.constant(whole.times)[0]
    values, slopes = whole.constant(whole.initial)
    middle = thin.constant(thin.initial)[0]
    try:
        finite([*values, *middle, *times, *(x for row in slopes for x in row)])
    except Diverges:
        raise GaveUp("the initial value, or its derivative, has no value") from None
    slope = arb_mat(n, m, [x for row in slopes for x in row])
    by = {name: [row[j] for row in slopes] for j, name in enumerate(field.names)}
    table = [[by[name][i] for name in box.wide] for i in range(n)]
    carried = arb_mat(n, m, [by[name][i] for i in range(n) for name in driven]) if forwards else arb_mat(n, 0, [])
    wide = arb_mat(n, len(box.wide), [x for row in table for x in row])
    walk = Walk(whole, thin, order, tol, deadline, adjoint, MILD if box.is_wide() else 0.0)
    sets = Sets.of(arb_mat(n, 1, middle), wide, carried, box.xi, field.lead)
    reached: list[Reached] = []
    legs: list[tuple[Passed, ...]] = []
    back = [driven.index(name) for name in field.names] if forwards else []
    lengths = whole.lengths(())
    for here, there, length in zip(times[:-1], times[1:], lengths, strict=True):
        kept: list[Passed] = []
        if not length.is_zero():
            sets, kept, _ = walk.leg(sets, here, length)
        legs.append(tuple(kept))
        state, by_start, by_driven = sets.hulls()
        by_names = arb_mat(n, len(back), [by_driven[i, j] for i in range(n) for j in back])
        central = sets.frame.hull(sets.parts[0])
        reached.append(Reached(state, central, sets.C, by_start, by_names, there))
    if not walk.steps:
        raise GaveUp("the final time is not after the initial one", final=True)
    start = arb_mat(n, 1, values)
    return Way(whole, times[0], start, slope, tuple(reached), tuple(legs) if adjoint else (), walk.steps)


@dataclass
class Walk:
    """Steps, one after the other, with what the next one's length goes by.

    mild    largest length of a step times the norm of f_x, or 0 for any.
    """

    whole: System
    thin: System
    order: int
    tol: float
    deadline: float
    keep: bool
    mild: float = 0.0
    steps: int = 0
    longest: float = math.inf

    def leg(
        self, sets: Sets, begin: arb, length: arb, switch: Switch | None = None, from_zero: bool = False
    ) -> tuple[Sets, list[Passed], arb | None]:
        """From one time to the next, or to the first zero of a switching function: then with the time until it.

        from_zero   whether the switching function is exactly 0 at the start, which does not count.  Raises GaveUp.
        """
        kept: list[Passed] = []
        if not length.is_finite() or not length > 0:
            raise GaveUp("the final time is not after the initial one, or the times are not in their order")
        grid, passed = Grid.over(length), Fraction(0)
        began, before, recent = clock.monotonic(), self.steps, [0.0] * LOOK
        while passed is not None:
            here = begin + ball(passed)
            jet = self._jet(here, sets.parts[0][0])
            start, already = sets.hulls()[0], passed
            if switch is None:
                step, passed, h = self._step(grid, already, here, jet, start)
            else:
                first = from_zero and not already
                step, passed, h, until = self._watched(switch, first, grid, already, here, jet, start)
                if until is not None:
                    self.steps += 1
                    return sets.moved(step), kept, ball(already) + until
            sets = sets.moved(step)
            if self.keep:
                kept.append(Passed(step.tube, step.by_start, step.inverse, step.inverse_tail))
            recent[self.steps % LOOK] = h
            self.steps += 1
            if passed is not None and self.steps - before >= LOOK:
                left = float((length - ball(passed)).mid()) / max(recent)
                spent = (clock.monotonic() - began) / (self.steps - before)
                self._look_ahead(here, sets.parts[0][0], recent, left, left * spent)
        return sets, kept, None

    def _watched(
        self,
        switch: Switch,
        from_zero: bool,
        grid: Grid,
        passed: Fraction,
        here: arb,
        jet: Sequence[Coefficients],
        start: arb_mat,
    ) -> tuple[Step, Fraction | None, float, arb | None]:
        """A step without a zero, or one up to the first zero, with its length."""
        most = math.inf
        for _ in range(SHORTENED):
            step, after, size = self._step(grid, passed, here, jet, start, most)
            try:
                s = switch.first_zero(step.tube, from_zero)
            except Close:
                most = 0.8 * size
                continue
            except ArithmeticError as reason:
                raise GaveUp(f"{reason}, near t = {float(here.mid()):.6g}") from None
            if s is None:
                return step, after, size, None
            length = step.tube.h * s
            return advance(self.whole, here, length, jet, start.entries()), after, size, length
        raise GaveUp(f"a switching function is too close to zero near t = {float(here.mid()):.6g}")

    def _look_ahead(self, here: arb, middle: arb_mat, recent: Sequence[float], left: float, seconds: float) -> None:
        """Gives up where the time will not do; on a stiff way, where steps do not become longer, at once."""
        late = clock.monotonic() + seconds - self.deadline
        if late > 0 or self.steps + left > LARGEST_STEPS:
            at, h = f"t = {float(here.mid()):.6g}", max(recent)
            needed = f"steps of about {h:.1g} would be needed, {left:.0f} of them ({seconds:.0f} s)"
            hopeless = self.steps + left > PATIENCE * LARGEST_STEPS or late > (1 - 1 / PATIENCE) * seconds
            if min(recent) > SHRUNK * h:
                if self._is_stiff(here, middle, h):
                    raise GaveUp(f"stiff at {at} for an explicit method: {needed}", final=True, stiff=True)
                if hopeless:
                    raise GaveUp(f"a long way from {at}: {needed}", final=True)
            elif hopeless:
                short = f"steps fell from {h:.1g} to {min(recent):.1g} within the last {LOOK}"
                raise GaveUp(
                    f"the solution blows up, or the right-hand side is singular, near {at}: {short}", final=True
                )
        if self.steps >= LARGEST_STEPS:
            raise GaveUp(f"more than {LARGEST_STEPS} steps; stopped at t = {float(here.mid()):.6g}")

    def _is_stiff(self, here: arb, middle: arb_mat, h: float) -> bool:
        """Whether a mode that dies out, and none that grows, keeps steps short: h Re of the eigenvalues of f_x."""
        lead, bound = self.whole.field.lead, self.whole.rhs
        rows = bound.derivatives(bound.run([*middle.entries(), here]), lead, ())[:lead]
        J = np.array([[float(x.mid()) for x in row] for row in rows])
        if not np.isfinite(J).all():
            return False
        eigenvalues = np.linalg.eigvals(J)
        return bool(h * -eigenvalues.real.min() > STIFF and eigenvalues.real.max() < -SLOW * eigenvalues.real.min())

    def _mild(self, here: arb, start: arb_mat) -> float:
        """The length up to which balls as wide as a box do not grow too much within a step."""
        if not self.mild:
            return math.inf
        lead, bound = self.whole.field.lead, self.whole.rhs
        rows = bound.derivatives(bound.run([*start.entries(), here]), lead, ())[:lead]
        return self.mild / max(1e-300, *(sum(float(abs(x).abs_upper()) for x in row) for row in rows))

    def _jet(self, here: arb, middle: arb_mat) -> list[Coefficients]:
        try:
            return taylor(self.thin.rhs, here, middle.entries(), arb(1), self.order)
        except (ArithmeticError, ValueError):
            raise GaveUp(f"the right-hand side has no value at t = {float(here.mid()):.6g}") from None

    def _step(
        self,
        grid: Grid,
        passed: Fraction,
        here: arb,
        jet: Sequence[Coefficients],
        start: arb_mat,
        most: float = math.inf,
    ) -> tuple[Step, Fraction | None, float]:
        mild = self._mild(here, start)
        h = min(1.25 * self.longest, _suggested(jet, self.tol), mild, most)
        while True:
            if clock.monotonic() > self.deadline:
                raise GaveUp(f"out of time at t = {float(here.mid()):.6g}")
            after, exact = grid.next(passed, h)
            size = float(exact.mid())
            try:
                step = advance(self.whole, here, exact, jet, start.entries())
                self.longest = size * min((AIM * self.tol / max(step.tail, 1e-300)) ** (1.0 / self.order), 10.0)
                if step.tail <= ACCEPTED * self.tol:
                    return step, after, size
                h = min(0.9 * self.longest, 0.9 * size)
            except (ArithmeticError, ValueError):
                h = 0.7 * size
            if mild < math.inf and h < SHORTER * mild:
                raise GaveUp(f"the box is too wide at t = {float(here.mid()):.6g}; split it, or take a smaller one")
            if h < grid.smallest:
                thin = all(float(x.rad()) <= THIN * max(1.0, float(abs(x).mid())) for x in start.entries())
                raise GaveUp(
                    f"no step from t = {float(here.mid()):.6g}: the solution blows up or the right-hand side is "
                    "singular there, or the tolerance is out of reach",
                    final=thin,
                )


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


def _suggested(middle: Sequence[Coefficients], tol: float) -> float:
    """The length for which the last two Taylor coefficients stay below the tolerance."""
    scale = max(1.0, *(float(abs(x[0]).mid()) for x in middle))
    h, order = 1e300, len(middle[0])
    for k in (order - 2, order - 1):
        largest = max(abs(x[k]).abs_upper() for x in middle)
        if largest > 0:
            h = min(h, math.exp((math.log(tol * scale) - float(largest.log())) / k))
    return h
