"""What is the mean of a polynomial in a normal vector, at every size?  E p(x) = exp(S : d d/2) p at the mean.

The series ends, since every step takes two factors x away.  Only for polynomials: a kink has no second derivative here.
"""

from __future__ import annotations

from fractions import Fraction

from verify.decide.contraction.derive import derivative
from verify.decide.contraction.space import GiveUp
from verify.decide.contraction.substitute import occurs, substituted
from verify.decide.contraction.sums import Sum, einsum

#: Factors x in a term.
HIGHEST_DEGREE = 12


def mean(body: Sum, variable: int, at: Sum, covariance: Sum) -> Sum:
    """The mean of a sum in which the symbol `variable` is normal.

    at           its mean, with its axes; covariance: a matrix, or the variance of a number.

    Raises GiveUp for what is no polynomial in the variable.
    """
    if not _is_polynomial(body, variable):
        raise GiveUp("the mean of what is no polynomial")
    own = body.axes
    pair = ("i", "j") if body.space.atoms[variable].dims else ()
    total = term = body
    for k in range(1, HIGHEST_DEGREE // 2 + 2):
        twice = derivative(derivative(term, variable), variable)
        term = einsum(own, (twice, (*own, *pair)), (covariance, pair)).scaled(Fraction(1, 2 * k))
        if not term.terms:
            return substituted(total, {variable: at})
        total = total + term
    raise GiveUp("the mean of a polynomial of so high a degree")


def _is_polynomial(a: Sum, variable: int) -> bool:
    """Whether the symbol occurs in no argument of another atom, and in whole positive powers only."""
    for term in a.terms:
        for component, e in term:
            for atom, _, power in component:
                if atom != variable and any(occurs(each, {variable: a}) for each in a.space.atoms[atom].arguments):
                    return False
                if atom == variable and not (_is_count(e) and _is_count(power)):
                    return False
    return True


def _is_count(n: object) -> bool:
    return isinstance(n, int | Fraction) and n == int(n) and n > 0
