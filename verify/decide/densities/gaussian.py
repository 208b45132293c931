"""Is a density normal, up to its factor, and what are its mean, covariance and integral?

log p = c + b.x + x.H x/2  with -H positive definite:   S = (-H)^-1,   m = S b,
integral of p = exp(c + b.m/2) (2 pi)^(d/2) det(-H)^(-1/2)
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from verify.calculus.jacobians import Matrix, determinant, jacobian
from verify.calculus.reverse import gradient
from verify.calculus.tidy import coefficients, scaled, tidy
from verify.decide.integrals.terms import TooLong
from verify.decide.prove.tower import GiveUp
from verify.decide.shaped.arrays import Unsupported
from verify.decide.shaped.normal import Normal
from verify.decide.signs import Signs
from verify.graph import MINUS_ONE, PI, ZERO, Node, add, call, div, free_symbols, mul, num, power, substitute, symbol


@dataclass(frozen=True)
class Gaussian:
    """A normal density exp(c + b.x + x.H x/2)."""

    names: tuple[str, ...]
    mean: tuple[Node, ...]
    covariance: Matrix
    integral: Node

    def mean_of(self, node: Node) -> Node | None:
        """E of an expression in closed form; None where it has none that is known."""
        try:
            law = Normal(self.names, self.mean, self.covariance)
            if len(self.names) == 1:
                terms = law._terms(node)
                return add(ZERO, *(mul(c, law._moment(powers, rates)) for (powers, rates), c in terms.items()))
            return law.mean_of(node)
        except (Unsupported, TooLong):
            return None


def gaussian(log_density: Node, names: Sequence[str], signs: Signs) -> Gaussian | None:
    """The normal law of a log-density on the whole space; None where it is not seen to be one."""
    try:
        slopes = tuple(_plain(g) for g in gradient(log_density, names))
        hessian = tuple(tuple(_plain(h) for h in row) for row in jacobian(slopes, names))
    except GiveUp:
        return None
    own = set(names)
    if free_symbols(*(h for row in hessian for h in row)) & own:
        return None
    precision = tuple(tuple(tidy(mul(MINUS_ONE, h)) for h in row) for row in hessian)
    n = len(precision)
    corners = [determinant(tuple(row[:k] for row in precision[:k])) for k in range(1, n + 1)]
    if not all(map(signs.positive, corners)):
        return None
    below = corners[-1]
    covariance = tuple(tuple(tidy(div(_cofactor(precision, j, i), below)) for j in range(n)) for i in range(n))
    origin = {symbol(x): ZERO for x in names}
    b = [tidy(substitute(g, origin)) for g in slopes]
    mean = tuple(tidy(add(ZERO, *(mul(covariance[i][j], b[j]) for j in range(n)))) for i in range(n))
    peak = add(substitute(log_density, origin), *(scaled(Fraction(1, 2), mul(b[i], mean[i])) for i in range(n)))
    size = mul(call("exp", peak), power(2 * PI, num(Fraction(n, 2))), power(below, num(Fraction(-1, 2))))
    return Gaussian(tuple(names), mean, covariance, size)


def _cofactor(matrix: Matrix, i: int, j: int) -> Node:
    rest = tuple(tuple(e for k, e in enumerate(row) if k != j) for m, row in enumerate(matrix) if m != i)
    return mul(num((-1) ** (i + j)), determinant(rest)) if rest else num(1)


def _plain(node: Node) -> Node:
    """Multiplied out, so that what cancels is gone."""
    terms = coefficients(node)
    return node if terms is None else tidy(add(ZERO, *(scaled(c, rest) for c, rest in terms.values())))
