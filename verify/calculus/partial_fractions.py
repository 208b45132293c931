"""What is a quotient of polynomials in one variable as a sum of simple ones?  Factors of degree 1 and 2 below."""

from __future__ import annotations

from typing import TypeAlias

from verify.calculus.quotients import Quotient, Quotients, by_powers
from verify.graph import Node

#: Coefficients free of the variable, the constant first.
Polynomial: TypeAlias = list[Quotient]
#: One of the terms digit/p^j, p of degree 1 or 2 with highest coefficient 1.
Part: TypeAlias = tuple[Polynomial, int, Polynomial]


def partial_fractions(field: Quotients, quotient: Quotient, name: Node) -> tuple[Polynomial, list[Part]] | None:
    """The polynomial part and the parts digit/p^j of a quotient; None where a factor below has a higher degree.

    Factors are those over the rationals in all names.  Raises TooLarge.
    """
    place, one = field.places[name], field.ring.constant(1)
    _, factors = quotient.den.factor()
    below = by_powers(field, Quotient(quotient.den, one), name)
    above = by_powers(field, Quotient(quotient.num, one), name)
    if below is None or above is None:
        return None
    whole, above = _division(field, [c / below[-1] for c in above], [c / below[-1] for c in below])
    found: list[Part] = []
    for base, multiplicity in factors:
        k, degree = int(multiplicity), int(base.degrees()[place])
        if degree == 0:
            continue
        own = by_powers(field, Quotient(base, one), name)
        other = by_powers(field, Quotient(quotient.den / base**k, one), name)
        if degree > 2 or own is None or other is None:
            return None
        p = [c / own[-1] for c in own]
        cofactor = [c / other[-1] for c in other]
        inverse = _inverse(field, _remainder(field, cofactor, p), p)
        rest = above
        for j in range(k, 0, -1):
            digit = _remainder(field, _times(field, _remainder(field, rest, p), inverse), p)
            rest = _division(field, _minus(field, rest, _times(field, digit, cofactor)), p)[0]
            if any(digit):
                found.append((p, j, digit))
    return whole, found


def _times(field: Quotients, one: Polynomial, other: Polynomial) -> Polynomial:
    found = [field.number(0)] * (len(one) + len(other) - 1)
    for i, a in enumerate(one):
        for j, b in enumerate(other):
            found[i + j] = found[i + j] + a * b
    return found


def _minus(field: Quotients, one: Polynomial, other: Polynomial) -> Polynomial:
    size = max(len(one), len(other))
    zero = field.number(0)
    padded = [[*each, *[zero] * (size - len(each))] for each in (one, other)]
    return [a - b for a, b in zip(*padded, strict=True)]


def _division(field: Quotients, dividend: Polynomial, p: Polynomial) -> tuple[Polynomial, Polynomial]:
    """(quotient, remainder) by a polynomial whose highest coefficient is 1."""
    rest, d = list(dividend), len(p) - 1
    found = [field.number(0)] * max(1, len(rest) - d)
    for k in range(len(rest) - 1, d - 1, -1):
        c = rest[k]
        found[k - d] = c
        for i in range(d + 1):
            rest[k - d + i] = rest[k - d + i] - c * p[i]
    return found, [*rest[:d], *[field.number(0)] * (d - len(rest))]


def _remainder(field: Quotients, dividend: Polynomial, p: Polynomial) -> Polynomial:
    return _division(field, dividend, p)[1]


def _inverse(field: Quotients, q: Polynomial, p: Polynomial) -> Polynomial:
    """What gives 1 with q, modulo p of degree 1 or 2."""
    if len(p) == 2:
        return [field.number(1) / q[0]]
    norm = q[0] * q[0] - p[1] * q[0] * q[1] + p[0] * q[1] * q[1]
    return [(q[0] - p[1] * q[1]) / norm, q[1].scaled(-1) / norm]
