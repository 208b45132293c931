"""What is the mean of x^k exp(p(x)) cos(q(x)) for a standard normal x?  In closed form, for p of degree up to 2.

With m = mean and s = deviation of the normal law that is left when exp(p) is taken into the density,
E (m + s z)^k = sum of C(k, 2j) (2j - 1)!! m^(k - 2j) s^(2j);  cos and sin are the parts of exp(i q).
"""

from __future__ import annotations

from math import comb, factorial

from verify.decide.integrals.terms import Term, summed, times
from verify.graph import HALF, MINUS_ONE, ONE, PI, ZERO, Node, add, call, div, mul, num, power, sqrt

#: Powers of x up to which moments are written out.
HIGHEST_MOMENT = 24


def moment(k: int, mean: Node, variance: Node) -> Node:
    """E x^k for x ~ normal with this mean and variance."""
    parts = []
    for j in range(k // 2 + 1):
        count = comb(k, 2 * j) * (factorial(2 * j) // (2**j * factorial(j)))
        parts.append(times(num(count), _power(mean, k - 2 * j), _power(variance, j)))
    return summed(*parts)


def mean_of(term: Term) -> Node | None:
    """E of a term for a standard normal variable; None where it has no such form."""
    if term.others or term.power > HIGHEST_MOMENT or len(term.exponent) > 3:
        return None
    constant, slope, curve = (*term.exponent, ZERO, ZERO, ZERO)[:3]
    if term.trig is None:
        rest = ONE if curve is ZERO else add(ONE, mul(num(-2), curve))
        variance = ONE if rest is ONE else div(ONE, rest)
        mean = times(slope, variance)
        factor = call("exp", summed(constant, times(HALF, slope, slope, variance)))
        factor = factor if term.exponent else ONE
        width = ONE if rest is ONE else power(rest, num(-1) * HALF)
        return times(term.coefficient, width, factor, moment(term.power, mean, variance))
    return _with_angle(term, constant, slope) if curve is ZERO else None


def _with_angle(term: Term, constant: Node, slope: Node) -> Node:
    """The part of E x^k exp(c + s x) exp(i (b + a x)) that belongs to cos or sin."""
    assert term.trig is not None
    which, (offset, rate) = term.trig
    size = call("exp", summed(constant, times(HALF, add(mul(slope, slope), mul(MINUS_ONE, rate, rate)))))
    angle = summed(offset, times(slope, rate))
    real, imaginary = [], []
    for j in range(term.power // 2 + 1):
        count = comb(term.power, 2 * j) * (factorial(2 * j) // (2**j * factorial(j)))
        for i in range(term.power - 2 * j + 1):
            n = term.power - 2 * j
            sign = (1, 1, -1, -1)[i % 4]
            part = times(num(sign * count * comb(n, i)), _power(slope, n - i), _power(rate, i))
            (imaginary if i % 2 else real).append(part)
    re, im = summed(*real), summed(*imaginary)
    cos, sin = call("cos", angle), call("sin", angle)
    value = (
        summed(times(cos, re), times(MINUS_ONE, sin, im)) if which == "cos" else summed(times(sin, re), times(cos, im))
    )
    return times(term.coefficient, size, value)


def over_the_line(term: Term) -> Node | None:
    """The integral of a term over all reals, for an exponent of degree 2, without an angle.

    It converges only if the leading coefficient of the exponent is negative; where it does not the term has no value.
    """
    if term.others or term.trig is not None or len(term.exponent) != 3 or term.power > HIGHEST_MOMENT:
        return None
    constant, slope, curve = term.exponent
    variance = div(num(-1) * HALF, curve)
    mean = times(slope, variance)
    factor = call("exp", summed(constant, times(HALF, slope, slope, variance)))
    width = sqrt(mul(num(2), PI, variance))
    return times(term.coefficient, width, factor, moment(term.power, mean, variance))


def _power(base: Node, n: int) -> Node:
    return ONE if n == 0 else base if n == 1 else ZERO if base is ZERO else power(base, num(n))
