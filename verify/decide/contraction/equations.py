"""What becomes of a sum of graphs where equations among numbers hold, such as sum(y) = 1 or x'*x = 1?

An equation c K + R = 0, where K is one graph without free indices, lets -R/c stand for K wherever K is a factor.  The
equations are used after all derivatives: they hold where the claim is made, not around it.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

from verify.decide.contraction.canonical import Component
from verify.decide.contraction.certified import atoms_of
from verify.decide.contraction.elementwise import power
from verify.decide.contraction.space import GiveUp
from verify.decide.contraction.sums import Sum, Term, einsum, number

#: Equations are put in so often, one after the other.
MOST_ROUNDS = 20


def reduced(a: Sum, equations: Sequence[Sum]) -> Sum:
    """The sum where the equations, each a number that is zero, hold.

    Raises GiveUp for equations between vectors and matrices, and for those that no graph can be taken from.
    """
    found = [_solved(equation) for equation in equations]
    for equation in equations:
        a.space.fixed |= atoms_of(equation)
    for _ in range(MOST_ROUNDS):
        after = a
        for graph, value in found:
            after = _put_in(after, graph, value)
        if after.key == a.key:
            return after
        a = after
    raise GiveUp("equations that lead round in a circle")


def _solved(equation: Sum) -> tuple[Component, Sum]:
    """The largest graph that stands alone in a term, and what it is."""
    if equation.dims:
        raise GiveUp("an equation between vectors or matrices leaves no open set")
    alone: list[tuple[int, Term]] = []
    for term in equation.terms:
        if len(term) == 1:
            ((component, exponent),) = term
            rest = [k for other in equation.terms if other != term for k, _ in other]
            # |x| = 1 says x'x = 1, and a sum of squares is nonnegative.
            squared = exponent == Fraction(1, 2) and len(equation.terms) == 2 and not rest
            if (exponent == 1 or squared) and component not in rest:
                alone.append((len(component), term))
    if not alone:
        raise GiveUp("a condition with = leaves no open set")
    _, term = max(alone)
    ((component, exponent),) = term
    c = equation.terms[term]
    rest = Sum(equation.space, (), {t: v for t, v in equation.terms.items() if t != term}).scaled(-1 / Fraction(c))
    if exponent != 1:
        (value,) = rest.terms.values() if rest.terms else (Fraction(0),)
        if value < 0:
            raise GiveUp("an equation without solutions")
        rest = number(equation.space, Fraction(value) ** 2)
    return component, rest


def _put_in(a: Sum, graph: Component, value: Sum) -> Sum:
    total = Sum(a.space, a.dims, {})
    for term, c in a.terms.items():
        exponents = dict(term)
        exponent = exponents.pop(graph, 0)
        one = Sum(a.space, a.dims, {tuple(sorted(exponents.items())): c})
        whole = exponent >= 0 and exponent.denominator == 1
        positive_number = len(value.terms) == 1 and value.terms.get((), 0) > 0
        if not exponent:
            total = total + one
        elif whole or positive_number:
            total = total + einsum(a.axes, (one, a.axes), (power(value, exponent), ()))
        else:
            raise GiveUp("a denominator or root that an equation among the conditions gives a value")
    return total
