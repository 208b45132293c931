"""Is a sum of angles zero?  Its sine and cosine tell it up to full turns, its range tells the rest.

For D = sum of c_i atan(u_i) + r pi and the common denominator M of the rational numbers c_i, r: if cos(M D) = 1 and
sin(M D) = 0 in normal form, then M D is a multiple of 2 pi everywhere.  If the ranges of the atan(u_i) leave only
|M D| < 2 pi, then D = 0.  (An atan never attains -pi/2 or pi/2.)
"""

from __future__ import annotations

from fractions import Fraction
from math import gcd, lcm

from verify.decide.prove.real_forms import RealForms
from verify.decide.prove.tower import Element, GiveUp, NeedSign


def vanishes(forms: RealForms, e: Element) -> bool:
    """Whether e is zero because one of its factors is a sum of angles that is."""
    if e.is_zero():
        return True
    _, factors = forms.factors.of(e)
    return any(m > 0 and _is_no_angle(forms, forms.tower.polynomial(p)) for p, m in factors)


def _is_no_angle(forms: RealForms, e: Element) -> bool:
    terms = _terms(forms, e)
    if terms is None:
        return False
    # Any multiple will do: the smaller the angle, the better its range excludes full turns.
    divisor = gcd(*(int(c) for c, u in terms if u is not None)) or 1
    terms = [(c / divisor, u) for c, u in terms]
    common = lcm(*(c.denominator for c, _ in terms))
    low = high = Fraction(0)
    for c, argument in terms:
        ends = (Fraction(1), Fraction(1)) if argument is None else forms.signs.ranges.turns_of_atan(argument)
        low, high = low + min(c * x for x in ends), high + max(c * x for x in ends)
    # An atan with an unbounded argument comes no closer to half a turn than the strict inequality.
    open_ended = any(a is not None and forms.signs.ranges.unbounded(a) for _, a in terms)
    if not (low * common >= -2 and high * common <= 2 and (open_ended or (low * common > -2 and high * common < 2))):
        return False
    try:
        cosine, sine = forms.cos_sin(e.scaled(Fraction(common, divisor)))
    except (NeedSign, GiveUp):
        return False
    return sine.is_zero() and (cosine - forms.tower.one).is_zero()


def _terms(forms: RealForms, e: Element) -> list[tuple[Fraction, Element | None]] | None:
    """[(c, u), …] for the terms c atan(u), (c, None) for c pi; None where e has any other term."""
    tower, terms = forms.tower, []
    for monomial, c in e.num.to_dict().items():
        if sum(monomial) != 1:
            return None
        kernel = tower.kernels[monomial.index(1)]
        if kernel.kind == "call" and kernel.data == "atan":
            terms.append((Fraction(int(c)), kernel.args[0]))
        elif kernel.kind == "constant" and kernel.data == "pi":
            terms.append((Fraction(int(c)), None))
        else:
            return None
    return terms
