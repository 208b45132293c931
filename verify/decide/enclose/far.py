"""How large is an integral far out, or near an end where the integrand is not bounded?

A bound for x >= R is the integral of the terms that `growth` reads off the structure of the integrand; at a finite end
x = 1/t takes its place.  A structure that is not understood has none.
"""

from __future__ import annotations

from collections.abc import Mapping

from flint import acb, arb, ctx, fmpq

from verify.decide.enclose.growth import Bounds, NoBound, Polynomials, Term, stripped
from verify.graph import MINUS_ONE, Node, mul, num, power, substitute, symbol

#: Largest exponent of two up to which a bound is looked for: with exponentials, and without.
FARTHEST, FARTHEST_ALGEBRAIC = 24, 800
#: Bits of the rest beyond which nothing is gained.
MOST_BITS = 260


def rest(
    body: Node, variable: str, env: Mapping[str, acb], side: int, start: arb, real: bool
) -> tuple[arb, arb] | None:
    """R >= start, and a bound for the integral of |body| over x >= R; over x <= -R where `side` is -1.

    None where none is found.
    """
    if not all(z.imag.is_zero() for z in env.values()):
        return None
    if side < 0:
        body = substitute(body, {symbol(variable): mul(MINUS_ONE, symbol(variable))})
    return _rest(body, variable, env, start, real)


def rest_at_zero(body: Node, variable: str, env: Mapping[str, acb], side: int, real: bool) -> tuple[arb, arb] | None:
    """r > 0, and a bound for the integral of |body| over 0 < x < r; over -r < x < 0 where `side` is -1.

    With x = 1/t it is one over t > 1/r.
    """
    if not all(z.imag.is_zero() for z in env.values()):
        return None
    t = symbol(variable)
    inner = mul(substitute(body, {t: mul(num(side), power(t, MINUS_ONE))}), power(t, num(-2)))
    found = _rest(inner, variable, env, arb(1), real)
    return None if found is None else ((1 / found[0]).mid(), found[1])


def _rest(body: Node, variable: str, env: Mapping[str, acb], start: arb, real: bool) -> tuple[arb, arb] | None:
    found: tuple[arb, arb] | None = None
    known: Polynomials = {}
    k = 3
    while k < FARTHEST_ALGEBRAIC:
        end = (arb(2) ** arb(fmpq(k, 2))).mid()
        if end > start + 1:
            try:
                terms = Bounds(variable, env, end, real, known).of(body)
                total = sum((_integral(term, end) for term in terms), arb(0)).abs_upper()
            except NoBound:
                if k > FARTHEST:
                    break
                k += 1
                continue
            if total.is_finite():
                found = (end, total) if found is None or total < found[1] else found
                if total < arb(2) ** -min(ctx.prec, MOST_BITS):
                    break
            elif k > FARTHEST:
                break
        k += 1 if k < FARTHEST else 24
    return found


def _integral(term: Term, R: arb) -> arb:
    """A bound for its integral over x >= R."""
    rate = stripped(term.rate)
    k = arb(fmpq(term.power.numerator, term.power.denominator))
    if not rate:
        return term.size * R ** (k + 1) / (-k - 1) if term.power < -1 else arb("inf")
    slope = [c * (i + 1) for i, c in enumerate(rate)]
    moved = _shifted(slope, R)
    if any(not c <= 0 for c in moved[1:]):
        return arb("inf")
    decay = -(moved[0] + (k / R if term.power > 0 else 0))
    if not decay > 0:
        return arb("inf")
    at_R = sum((c * R ** (i + 1) for i, c in enumerate(rate)), arb(0))
    return term.size * R**k * at_R.exp() / decay


def _shifted(p: list[arb], R: arb) -> list[arb]:
    """The coefficients of p(R + s) in s."""
    result = list(p)
    for i in range(len(result) - 1):
        for j in range(len(result) - 2, i - 1, -1):
            result[j] = result[j] + R * result[j + 1]
    return result
