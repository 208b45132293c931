"""How large is a function far out?  Bounds by structure, which prove what they say.

    growth(g, x):   |g(x)| <= C x^power exp(exponent(x))  for all large x and some constant C,

with `exponent` a sum of c x^q, q > 0.  A bound that falls proves g -> 0; one that falls fast enough proves that g has
an integral there.  Computer algebra finds a limit L by a search that has to be believed; a bound on g - L proves it.
All holds for all values of the other symbols that their assumptions (`positive`, `real`) allow; C depends on them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import sympy as sp


@dataclass(frozen=True)
class Growth:
    """|g| <= C x^power exp(exponent) for all large x.

    sharp   whether |g| >= c x^power exp(exponent) as well, with some c > 0.
    """

    power: sp.Expr
    exponent: sp.Expr
    sharp: bool

    def __mul__(self, other: Growth) -> Growth:
        return Growth(self.power + other.power, sp.expand(self.exponent + other.exponent), self.sharp and other.sharp)

    def falls(self, x: sp.Symbol) -> bool:
        """Whether the bound goes to 0."""
        side = _leading_sign(self.exponent, x)
        return side == -1 or (side == 0 and self.power.is_extended_negative is True)

    def is_integrable(self, x: sp.Symbol) -> bool:
        """Whether the bound has a finite integral up to infinity."""
        side = _leading_sign(self.exponent, x)
        return side == -1 or (side == 0 and (self.power + 1).is_extended_negative is True)

    def is_large(self, x: sp.Symbol) -> bool:
        """Whether it has no finite integral up to infinity, if it is a bound from below too."""
        side = _leading_sign(self.exponent, x)
        return side == 1 or (side == 0 and (self.power + 1).is_extended_nonnegative is True)

    def __str__(self) -> str:
        power = f"*x^({self.power})" if self.power != 0 else ""
        return f"C{power}" + (f"*exp({self.exponent})" if self.exponent != 0 else "")


def falls(expression: Any, x: sp.Symbol) -> str:
    """The bounds that prove expression -> 0 as x -> +oo, as text; empty where the structure does not prove it."""
    bounds = _bounds(expression, x)
    return " + ".join(map(str, bounds)) if all(b is not None and b.falls(x) for b in bounds) else ""


def is_integrable(expression: Any, x: sp.Symbol) -> bool:
    """Whether the structure proves that the expression has an integral up to +oo."""
    return all(b is not None and b.is_integrable(x) for b in _bounds(expression, x))


def _bounds(expression: Any, x: sp.Symbol) -> list[Growth | None]:
    """One bound on the expression, or one on each of its terms where these cannot be compared."""
    whole = growth(expression, x)
    return [whole] if whole else [growth(term, x) for term in sp.Add.make_args(sp.expand(expression))]


BOUNDED = Growth(sp.S.Zero, sp.S.Zero, False)
CONSTANT = Growth(sp.S.Zero, sp.S.Zero, True)
#: The growth of 0: below everything.
NOTHING = Growth(-sp.oo, sp.S.Zero, False)


def growth(expression: Any, x: sp.Symbol) -> Growth | None:
    """A bound on |expression| as x -> +oo, or None where the structure does not show one.

    x is real.  Polynomials, powers, exp, log, sin, cos, tanh, atan, erf, erfc, abs and sign of such are understood.
    """
    e = sp.sympify(expression)
    if e.has(sp.oo, -sp.oo, sp.zoo, sp.nan):
        return None
    if not e.has(x):
        return NOTHING if e.is_zero else CONSTANT if e.is_nonzero else BOUNDED
    if e == x:
        return Growth(sp.S.One, sp.S.Zero, True)
    if isinstance(e, sp.Add):
        return _sum([growth(term, x) for term in e.args], x)
    if isinstance(e, sp.Mul):
        return _product([growth(factor, x) for factor in e.args])
    if isinstance(e, sp.exp):
        return _exponential(e.args[0], x)
    if isinstance(e, sp.Pow):
        return _power(e.base, e.exp, x)
    if isinstance(e, sp.Abs):
        return growth(e.args[0], x)
    if isinstance(e, sp.sin | sp.cos | sp.tanh | sp.atan | sp.erf | sp.erfc | sp.sign) and e.args[0].is_extended_real:
        small = isinstance(e, sp.erfc) and _leading_sign(_as_exponent(e.args[0], x), x) == 1
        gauss = _exponential(-(e.args[0] ** 2), x) if small else None
        return gauss * BOUNDED if gauss else BOUNDED  # erfc(y) <= exp(-y^2) for y >= 0, and less than any multiple
    if isinstance(e, sp.log):
        return _logarithm(growth(e.args[0], x), x)
    return None


def _sum(terms: list[Growth | None], x: sp.Symbol) -> Growth | None:
    """The largest term bounds the sum; sharp when it outgrows all others."""
    largest, alone = NOTHING, True
    for term in terms:
        if term is None:
            return None
        order = _compare(term, largest, x)
        if order is None:
            return None
        if order > 0:
            largest, alone = term, True
        elif order == 0 and term != NOTHING:
            alone = False
    return Growth(largest.power, largest.exponent, largest.sharp and alone)


def _product(factors: list[Growth | None]) -> Growth | None:
    total = CONSTANT
    for factor in factors:
        if factor is None:
            return None
        total = total * factor
    return total


def _power(base: sp.Expr, exponent: sp.Expr, x: sp.Symbol) -> Growth | None:
    if exponent.has(x):
        return _exponential(exponent * sp.log(base), x) if not base.has(x) and base.is_positive else None
    below = growth(base, x)
    if below is None or not (exponent.is_positive or (exponent.is_extended_real and below.sharp)):
        return None
    return Growth(below.power * exponent, sp.expand(below.exponent * exponent), below.sharp)


def _exponential(argument: sp.Expr, x: sp.Symbol) -> Growth | None:
    """exp of (a sum of c x^q) + (a sum of c log(g)) + (something bounded)."""
    terms = sp.Add.make_args(sp.expand(argument))
    powers, rest = [], []
    for term in terms:
        coefficient, factor = term.as_independent(x)
        if isinstance(factor, sp.log) and coefficient.is_extended_real:
            powers.append(_power(factor.args[0], coefficient, x))
        else:
            rest.append(term)
    exponent = _as_exponent(sp.Add(*rest), x)
    return None if exponent is None else _product([Growth(sp.S.Zero, exponent, True), *powers])


def _as_exponent(argument: sp.Expr, x: sp.Symbol) -> sp.Expr | None:
    """The part of the argument that is a sum of c x^q; None unless the rest is bounded."""
    total: sp.Expr = sp.S.Zero
    for term in sp.Add.make_args(sp.expand(argument)):
        coefficient, rest = term.as_independent(x)
        base, degree = rest.as_base_exp()
        if base == x and degree.is_positive and coefficient.is_extended_real:
            total += coefficient * x**degree
            continue
        bound = growth(term, x)
        if bound is None or _compare(bound, CONSTANT, x) not in (-1, 0) or not term.is_extended_real:
            return None
    return total


def _logarithm(inside: Growth | None, x: sp.Symbol) -> Growth | None:
    """|log g| is at most of the size of the exponent of g, or grows more slowly than any power."""
    if inside is None or not inside.sharp:
        return None
    degrees = [_degree(term, x) for term in sp.Add.make_args(inside.exponent)]
    return Growth(sp.Max(sp.S.One / 8, *degrees), sp.S.Zero, False)


def _compare(one: Growth, other: Growth, x: sp.Symbol) -> int | None:
    """The sign of the difference in growth; None where what is assumed of the symbols does not decide it."""
    if NOTHING in (one, other):
        return int(other == NOTHING) - int(one == NOTHING)
    side = _leading_sign(one.exponent - other.exponent, x)
    return _sign(one.power - other.power) if side == 0 else side


def _leading_sign(exponent: sp.Expr | None, x: sp.Symbol) -> int | None:
    """The sign of a sum of c x^q for large x; None if it is not decided."""
    if exponent is None:
        return None
    terms = [term for term in sp.Add.make_args(sp.expand(exponent)) if term != 0]
    while terms:
        degrees = [_degree(term, x) for term in terms]
        if not all(d.is_Rational for d in degrees):
            return None
        top = max(degrees)
        side = _sign(sp.Add(*(term.as_independent(x)[0] for term, d in zip(terms, degrees, strict=True) if d == top)))
        if side != 0:
            return side
        terms = [term for term, d in zip(terms, degrees, strict=True) if d != top]
    return 0


def _degree(term: sp.Expr, x: sp.Symbol) -> Any:
    return term.as_independent(x)[1].as_base_exp()[1] if term.has(x) else sp.S.Zero


def _sign(number: sp.Expr) -> int | None:
    for form in (number, sp.together(number)):
        if form.is_zero:
            return 0
        if form.is_extended_positive:
            return 1
        if form.is_extended_negative:
            return -1
    return None
