"""When is a switching function zero for the first time?  On one proved step, or not at all on it, or it is not known.

On a step, with time scaled to s in [0, 1], phi and its derivative along the solutions are power series with tails.
Between a and b phi has no zero where its mean value form has none; where phi' has one sign and phi has different signs
at a and b, there is exactly one, which interval Newton narrows.  Everything else is divided, and in the end refused.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from flint import arb

from verify.numerics.enclosure.integrals import series
from verify.numerics.enclosure.series import UNIT, Diverges, Series
from verify.numerics.enclosure.step import Tube
from verify.numerics.enclosure.sweep import Bound

#: How a part is divided, if its halves end too close to a zero; the shortest part, and how many are looked at.
RATIOS, SHORTEST, MOST = (0.5, 0.43, 0.61), 2.0**-24, 400
#: Iterations of Newton's method at most.
NEWTON = 60


class Close(ArithmeticError):
    """phi is too close to zero at the end of a part for its sign to be known."""


class Undecided(ArithmeticError):
    """Neither a simple zero nor none."""


@dataclass(frozen=True)
class Switch:
    """phi and D as one tape with two results, in states and time."""

    bound: Bound

    def first_zero(self, tube: Tube, from_zero: bool) -> arb | None:
        """The first zero in (0, 1] of phi on a step, as a ball; None where there is none for any of the solutions.

        from_zero   whether phi is known to be exactly 0 at the start of the step; that zero does not count.

        Raises Close where the sign at the end of the step is not known, Undecided, or Diverges without a value.
        """
        n = tube.clock.n
        phi, slope = (series(value, n) for value in self.bound([*tube.states, tube.clock]))
        if not all(x.is_finite() for each in (phi, slope) for x in (*each.p.coeffs(), each.r)):
            raise Diverges("the switching function has no value")
        parts = _Parts(phi, slope * tube.h, from_zero)
        for ratio in RATIOS[:-1]:
            try:
                return parts.first_zero(ratio)
            except Close:
                if not parts.inside:
                    raise
        return parts.first_zero(RATIOS[-1])

    def signs(self, states: Sequence[arb], time: arb) -> tuple[int, int]:
        """The signs of phi and D at a time, 0 where they are not known."""
        phi, slope = self.bound([*states, time])
        return _sign(phi), _sign(slope)


@dataclass
class _Parts:
    """phi and its derivative by s on a step; `inside` whether a sign was last not known between the ends."""

    phi: Series
    slope: Series
    from_zero: bool
    inside: bool = False

    def first_zero(self, ratio: float) -> arb | None:
        waiting, looked = [(0.0, 1.0)], 0
        while waiting:
            a, b = waiting.pop()
            looked += 1
            whole, c = arb(a).union(arb(b)), a + (b - a) * ratio
            slope = _at(self.slope, whole)
            if _sign(_at(self.phi, arb(c)) + slope * (whole - arb(c))) or _sign(_at(self.phi, whole)):
                continue
            if _sign(slope):
                if self.from_zero and a == 0.0:
                    continue  # leaves zero at once, and does not come back
                if self._sign_at(a) != self._sign_at(b):
                    return self._narrowed(whole)
                continue
            if b - a < SHORTEST or looked > MOST:
                raise Undecided("the switching function touches zero, or is too close to that")
            waiting += [(c, b), (a, c)]
        return None

    def _sign_at(self, s: float) -> int:
        sign = _sign(_at(self.phi, arb(s)))
        if not sign:
            self.inside = 0.0 < s < 1.0
            if s == 0.0:
                raise Undecided("it is not known whether the switching function is zero at the start")
            raise Close(f"the switching function is close to zero at {s} of a step")
        return sign

    def _narrowed(self, part: arb) -> arb:
        """Where the one zero in a part is: x0 - phi(x0)/phi'(part)."""
        for _ in range(NEWTON):
            middle = part.mid()
            new = middle - _at(self.phi, middle) / _at(self.slope, part)
            narrowed = part.intersection(new)
            if not float(narrowed.rad()) < 0.9 * float(part.rad()):
                return narrowed
            part = narrowed
        return part


def _at(x: Series, s: arb) -> arb:
    """p(s) + s^n q with |q| <= r on |s| <= 1."""
    return x.p(s) + UNIT * (x.r * abs(s).abs_upper() ** x.n).abs_upper()


def _sign(x: arb) -> int:
    return 1 if x > 0 else -1 if x < 0 else 0
