"""How large is a function far out, and what is its limit there?  Bounds by structure, which prove what they say.

    growth(g, x):   |g(x)| <= C x^power exp(exponent(x))  for all large x and some constant C,

with `exponent` a sum of c x^q, q > 0.  A bound that falls proves g -> 0; one that falls fast enough proves that g has
an integral there.  Computer algebra finds a limit L by a search that has to be believed; a bound on g - L proves it.
All holds for all values of the other symbols that their assumptions (`positive`, `real`) allow; C depends on them.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import sympy as sp

from verify.verdict import Evidence, Rigor


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
        falls = isinstance(e, sp.erfc) and _leading_sign(_as_exponent(e.args[0], x), x) == 1
        return _exponential(-(e.args[0] ** 2), x) if falls else BOUNDED  # erfc(y) <= exp(-y^2) for y >= 0
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
    if below is None or not (exponent.is_positive or (exponent.is_negative and below.sharp)):
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


# --- limits -----------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Limit:
    """A one-sided limit and how it is known; `value` is None where there is none, or none was found."""

    value: sp.Expr | None
    evidence: Evidence


#: Where the last resort looks: at these distances from the finite end, or from 0.
EXPONENTS = range(4, 44, 4)


def limit_at(expression: Any, x: sp.Symbol, end: Any, side: int) -> Limit:
    """The limit of the expression as x -> end from inside an interval: side is +1 at its lower end, -1 at its upper.

    Proved by continuity at a finite end, or by a bound on the difference to it (or to its square, where both are
    positive); supported by enclosures further and further out where neither shows it.
    """
    e, y = sp.sympify(expression), sp.Dummy("y", positive=True)
    if end in (sp.oo, -sp.oo):
        moved = e.subs(x, -side * y)
    else:
        value = _by_continuity(e, x, sp.sympify(end))
        if value is not None:
            return Limit(value, Evidence("continuity", Rigor.EXACT, True, frozenset({"continuity"})))
        moved = e.subs(x, end + side / y)
    if bound := _falling(moved, y):
        return Limit(sp.S.Zero, bound)
    try:
        value = sp.limit(moved, y, sp.oo)
    except (NotImplementedError, ValueError, sp.PoleError) as error:
        return Limit(None, _unknown(f"computer algebra gave up: {error}"))
    if not value.is_finite or value.has(sp.AccumBounds):
        return Limit(None, _unknown(f"computer algebra says {value}"))
    rests = [sp.together(moved - value), sp.expand((moved - value).rewrite(sp.erfc))]
    if (moved.is_positive and value.is_positive) or (moved.is_negative and value.is_negative):
        rests.append(sp.together(sp.expand(moved**2) - value**2))
    for rest in rests:
        if bound := _falling(rest, y):
            return Limit(value, bound)
    return Limit(value, _further_and_further(moved, y, value))


def _falling(e: sp.Expr, y: sp.Symbol) -> Evidence | None:
    bound = falls(e, y)
    if not bound:
        return None
    detail = {"bound": bound.replace(str(y), "x")}
    return Evidence("bound by structure", Rigor.EXACT, True, frozenset({"growth"}), detail=detail)


def _by_continuity(e: sp.Expr, x: sp.Symbol, end: sp.Expr) -> sp.Expr | None:
    """The value at `end` when everything in e is continuous and finite there."""
    continuous = sp.Add | sp.Mul | sp.exp | sp.sin | sp.cos | sp.tanh | sp.atan | sp.erf | sp.erfc | sp.Abs
    for node in sp.preorder_traversal(e):
        if not node.has(x):
            continue
        if node.subs(x, end).has(sp.nan, sp.oo, -sp.oo, sp.zoo):
            return None
        if isinstance(node, sp.Pow | sp.log):
            inside = node.args[0].subs(x, end)
            whole = isinstance(node, sp.Pow) and node.exp.is_Integer and (node.exp > 0 or inside.is_nonzero)
            if not (whole or inside.is_positive):
                return None
        elif node != x and not isinstance(node, continuous):
            return None
    return e.subs(x, end)


def _further_and_further(e: sp.Expr, y: sp.Symbol, value: sp.Expr) -> Evidence:
    """Distances to the limit at y = 2^4, 2^8, … by enclosures: they must fall all the way, to below 1e-6."""
    from flint import acb, arb, ctx

    from verify.decide.balls import Program
    from verify.decide.jets import NoValue
    from verify.language.bridge import NoCounterpart, from_sympy

    if (e - value).free_symbols != {y}:
        return _unknown("computer algebra found the limit, no bound shows it, and it depends on more symbols")
    precision, ctx.prec = ctx.prec, 512
    try:
        far = sp.Symbol("y", positive=True)
        program = Program([from_sympy((e - value).subs(y, far))], real=True)
        distances = [abs(program.values({"y": acb(arb(2) ** k)})[0]).upper() for k in EXPONENTS]
    except (NoValue, NoCounterpart) as error:
        return _unknown(f"computer algebra found the limit, and enclosures did not: {error}")
    finally:
        ctx.prec = precision
    falls = all(later <= earlier for earlier, later in pairwise(distances))
    holds = True if falls and distances[-1] < 1e-6 else None
    detail = {"last distance": f"{float(distances[-1]):.1e}"}
    return Evidence("enclosures further and further out", Rigor.NUMERICAL, holds, frozenset({"arb"}), detail=detail)


def _unknown(reason: str) -> Evidence:
    return Evidence("limit", Rigor.NUMERICAL, None, frozenset({"sympy.limit"}), detail={"reason": reason})
