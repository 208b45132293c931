"""Between which bounds does a quantity lie?  Closed intervals whose ends may be infinite, rounded outward.

An end is an exact `arb`, or None where the interval does not end.  Every operation contains all results of its
operands; products of unbounded intervals treat 0 times infinity as 0, the limit along the closed interval's end.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from flint import arb

End = arb | None


@dataclass(frozen=True, slots=True)
class Interval:
    """All real numbers from low to high."""

    low: End = None
    high: End = None

    def __add__(self, other: Interval) -> Interval:
        return Interval(
            None if self.low is None or other.low is None else _end((self.low + other.low).lower()),
            None if self.high is None or other.high is None else _end((self.high + other.high).upper()),
        )

    def __neg__(self) -> Interval:
        return Interval(None if self.high is None else -self.high, None if self.low is None else -self.low)

    def __mul__(self, other: Interval) -> Interval:
        corners = [
            _corner(a, sa, b, sb)
            for a, sa in ((self.low, -1), (self.high, 1))
            for b, sb in ((other.low, -1), (other.high, 1))
        ]
        lows, highs = [c for c, _ in corners if c is not None], [c for _, c in corners if c is not None]
        return Interval(_end(min(lows)) if len(lows) == 4 else None, _end(max(highs)) if len(highs) == 4 else None)

    def power(self, n: int) -> Interval:
        """The n-th power, n >= 0."""
        if n == 0:
            return point(arb(1))
        if n % 2 == 0 and not (self.nonnegative or self.nonpositive):
            bounded = self.low is not None and self.high is not None
            return Interval(arb(0), _end(max((self.low**n).upper(), (self.high**n).upper())) if bounded else None)
        ends = [None if x is None else x**n for x in (self.low, self.high)]
        if n % 2 == 0 and self.nonpositive:
            ends.reverse()
        return Interval(
            None if ends[0] is None else _end(ends[0].lower()), None if ends[1] is None else _end(ends[1].upper())
        )

    def inverse(self) -> Interval:
        """1/x; everything when 0 lies inside."""
        if self.low is not None and self.low >= 0:
            return Interval(
                arb(0) if self.high is None else _end((1 / self.high).lower()) if self.high > 0 else None,
                _end((1 / self.low).upper()) if self.low > 0 else None,
            )
        return -(-self).inverse() if self.nonpositive else Interval()

    def image(self, increasing: Callable[[arb], arb], below: End = None, above: End = None) -> Interval:
        """The image under an increasing function with the limits `below` and `above` at the infinite ends."""
        return Interval(
            below if self.low is None else _end(increasing(self.low).lower()),
            above if self.high is None else _end(increasing(self.high).upper()),
        )

    def meet(self, other: Interval) -> Interval:
        """What lies in both."""
        lows = [x for x in (self.low, other.low) if x is not None]
        highs = [x for x in (self.high, other.high) if x is not None]
        return Interval(max(lows) if lows else None, min(highs) if highs else None)

    @property
    def nonnegative(self) -> bool:
        return self.low is not None and self.low >= 0

    @property
    def nonpositive(self) -> bool:
        return self.high is not None and self.high <= 0


def point(x: arb) -> Interval:
    """The number that a ball encloses."""
    return Interval(_end(x.lower()), _end(x.upper()))


def _end(x: arb) -> End:
    """An end, or none where the arithmetic has left the numbers."""
    return x if x.is_finite() else None


POSITIVE = Interval(arb(0))


def _corner(a: End, sa: int, b: End, sb: int) -> tuple[End, End]:
    """Lower and upper bound of a*b, where a None stands for sa (sb) times infinity."""
    if a is not None and b is not None:
        product = a * b
        return product.lower(), product.upper()
    sign_a = sa if a is None else (a > 0) - (a < 0)
    sign_b = sb if b is None else (b > 0) - (b < 0)
    sign = sign_a * sign_b
    if sign == 0:
        return arb(0), arb(0)
    # Infinity: it bounds one side only, on the other this corner is no bound.
    return (None, _MINUS_HUGE) if sign < 0 else (_HUGE, None)


_HUGE, _MINUS_HUGE = arb("+inf"), arb("-inf")
