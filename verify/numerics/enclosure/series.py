"""What is the rest of a power series?  Arithmetic of series on |s| <= 1 with N known coefficients and a bounded tail.

A `Series` stands for all functions

    a(s) = p(s) + s^N q(s),   p of degree below N with coefficients in balls,   ||q|| <= r,

where ||q|| is the sum of the absolute values of all coefficients of q.  Series of finite norm are a Banach algebra:
||a b|| <= ||a|| ||b||, and integration from 0, applied to s^k q, divides the norm by k + 1 at least.  Every rule below
keeps N and returns a tail for which both facts are enough; where a rule needs something to be below 1 and it is not,
it raises `Diverges`.

N belongs to each series.  FLINT's own power series are cut silently at the global `flint.ctx.cap`, which would lose
coefficients that no tail accounts for; `_jet` refuses to go on with fewer than N.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from flint import arb, arb_poly, arb_series

#: The ball [-1, 1].
UNIT = arb(0, 1)
ZERO = arb(0)


class Diverges(ArithmeticError):
    """A bound that does not close: a singularity near the step, or a step that is too long."""


def norm(p: arb_poly) -> arb:
    """An upper bound for the sum of the absolute values of the coefficients.

    Evaluation at [-1, 1] is one call: a ball takes each power of s for independent of the others, and so reaches all
    combinations of signs.
    """
    return p(UNIT).abs_upper()


def below_one(x: arb) -> arb:
    """x itself.  Raises Diverges unless it is certainly below 1 (never for NaN)."""
    if not x < 1:
        raise Diverges("a bound of a tail does not contract")
    return x


def solved(d: arb, k: arb) -> arb:
    """The largest x with x <= d + k x, for k < 1."""
    return (d / (1 - below_one(k))).abs_upper()


def finite(entries: Iterable[arb]) -> None:
    """Raises Diverges unless all are finite."""
    if not all(map(arb.is_finite, entries)):
        raise Diverges("a value is not finite")


def _jet(p: arb_poly, n: int) -> arb_series:
    s = arb_series(p, n)
    if s.prec != n:
        raise RuntimeError(f"FLINT keeps {s.prec} of {n} coefficients: flint.ctx.cap is below the length of a series")
    return s


def _poly(s: arb_series, n: int) -> arb_poly:
    """The coefficients of a power series that must have n of them."""
    if s.prec != n:
        raise RuntimeError(f"a power series has {s.prec} coefficients where {n} are needed")
    return arb_poly(s.coeffs())


class Series:
    """p + s^n q with ||q|| <= r; immutable."""

    __slots__ = ("n", "p", "r")

    def __init__(self, p: arb_poly, r: arb, n: int) -> None:
        self.p, self.r, self.n = p, r, n

    def norm(self) -> arb:
        """A bound for ||a||."""
        return norm(self.p) + self.r

    def __add__(self, other: Any) -> Series:
        if isinstance(other, Series):
            return Series(self.p + other.p, (self.r + other.r).abs_upper(), self.n)
        return Series(self.p + other, self.r, self.n)

    __radd__ = __add__

    def __neg__(self) -> Series:
        return Series(-self.p, self.r, self.n)

    def __sub__(self, other: Any) -> Series:
        return self + (-other)

    def __rsub__(self, other: Any) -> Series:
        return -self + other

    def __mul__(self, other: Any) -> Series:
        """(p + s^n q)(u + s^n v) = [pu] + s^n (high part of pu + q u + p v + s^n q v)."""
        n = self.n
        if not isinstance(other, Series):
            return Series(self.p * other, (self.r * abs(other)).abs_upper(), n)
        product = self.p * other.p
        tail = self.r * other.r
        if product.length() > n:
            tail += norm(product.right_shift(n))
            product = product.truncate(n)
        if not self.r.is_zero():
            tail += self.r * norm(other.p)
        if not other.r.is_zero():
            tail += other.r * norm(self.p)
        return Series(product, tail.abs_upper(), n)

    __rmul__ = __mul__

    def inverse(self) -> Series:
        """P = [1/p] has p P = 1 + s^n d, so a P = 1 + s^n e with ||e|| <= ||d|| + r ||P||, and 1/a = P/(1 + s^n e)."""
        n = self.n
        P = _poly(1 / _jet(self.p, n), n)
        size = norm(P)
        e = norm((self.p * P).right_shift(n)) + self.r * size
        return Series(P, solved(size * e, e), n)

    def __truediv__(self, other: Any) -> Series:
        return self * (other.inverse() if isinstance(other, Series) else 1 / other)

    def __rtruediv__(self, other: Any) -> Series:
        return self.inverse() * other

    def exp(self) -> Series:
        """The exponential: E' = p'E, so that (s^n R)' = p' s^n R + s^(n-1) g with g the rest of p'[E].

        The factor of the tail is e^(s^n q), which is within e^r - 1 of 1.
        """
        n = self.n
        P = _poly(_jet(self.p, n).exp(), n)
        slope = self.p.derivative()
        R = solved(norm((slope * P).right_shift(n - 1)) / n, norm(slope) / (n + 1))
        return Series(P, (R + (norm(P) + R) * self.r.expm1()).abs_upper(), n)

    def sin_cos(self) -> tuple[Series, Series]:
        """Both at once, since S' = p'C and C' = -p'S; then the addition theorems with ||cos - 1|| <= cosh r - 1."""
        n = self.n
        jet, slope = _jet(self.p, n), self.p.derivative()
        S, C = _poly(jet.sin(), n), _poly(jet.cos(), n)
        rests = [norm((slope * each).right_shift(n - 1)) / n for each in (S, C)]
        R = solved(rests[0].max(rests[1]), norm(slope) / (n + 1))
        sine, cosine = norm(S) + R, norm(C) + R
        even, odd = self.r.cosh() - 1, self.r.sinh()
        return (
            Series(S, (R + sine * even + cosine * odd).abs_upper(), n),
            Series(C, (R + cosine * even + sine * odd).abs_upper(), n),
        )

    def sin(self) -> Series:
        return self.sin_cos()[0]

    def cos(self) -> Series:
        return self.sin_cos()[1]

    def log(self) -> Series:
        """The real logarithm: (log p - P)' = -s^(n-1) g/p, with g the rest of pP'.

        The tail of the argument adds the logarithm of 1 + s^n q/p.
        """
        n = self.n
        P = _poly(_jet(self.p, n).log(), n)
        inverse = Series(self.p, ZERO, n).inverse().norm()
        R = norm((self.p * P.derivative()).right_shift(n - 1)) * inverse / n
        return Series(P, (R - (1 - below_one(self.r * inverse)).log()).abs_upper(), n)

    def sqrt(self) -> Series:
        """The square root: a = P^2 (1 + z) with ||z|| <= (rest of P^2 + r) ||1/P||^2.

        All coefficients of 1 - sqrt(1 - z) but the first are positive: sqrt(1 + z) is within its value at ||z|| of 1.
        """
        n = self.n
        P = _poly(_jet(self.p, n).sqrt(), n)
        inverse = Series(P, ZERO, n).inverse().norm()
        x = below_one((norm((P * P).right_shift(n)) + self.r) * inverse * inverse)
        return Series(P, (norm(P) * (1 - (1 - x).sqrt())).abs_upper(), n)

    def atan(self) -> Series:
        """By (atan p - P)' = -s^(n-1) g/w with w = 1 + p^2 and g the rest of wP'; then the mean value form in s^n q.

        1 + (p + z)^2 = w (1 + (2 p z + z^2)/w), so that the derivative 1/(1 + (p + z)^2) is at most I/(1 - k).
        """
        n = self.n
        P = _poly(_jet(self.p, n).atan(), n)
        inverse = (Series(self.p, ZERO, n) * Series(self.p, ZERO, n) + 1).inverse().norm()
        R = norm(((self.p * self.p + 1) * P.derivative()).right_shift(n - 1)) * inverse / n
        k = inverse * self.r * (2 * norm(self.p) + self.r)
        return Series(P, (R + solved(self.r * inverse, k)).abs_upper(), n)
