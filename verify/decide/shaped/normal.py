"""What is the mean of an expression in the entries of a normal vector?  Written out for polynomials times exp(a'x).

E x_i h(x) = m_i E h + sum over j of S_ij E d_j h takes one factor after the other; exp(a'x) moves the mean by S a.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from functools import reduce

from verify.decide.integrals.terms import summed, times
from verify.decide.shaped.arrays import Array, Unsupported, determinant
from verify.graph import HALF, MINUS_ONE, ONE, ZERO, E, Node, add, call, expectation, free_symbols, mul, num, sqrt

#: Factors of a term, and terms, that are written out.
HIGHEST_DEGREE, MOST_TERMS = 8, 600
Powers = tuple[int, ...]
#: (powers, rates of the exponential) -> coefficient
Terms = dict[tuple[Powers, tuple[Node, ...]], Node]


@dataclass
class Normal:
    """A normal law with its mean and covariance, entry by entry."""

    names: tuple[str, ...]
    mean: tuple[Node, ...]
    covariance: Array
    moments: dict[tuple[Powers, tuple[Node, ...]], Node] = field(default_factory=dict)

    @classmethod
    def of(cls, names: Sequence[str], mean: Sequence[Node], covariance: Array, *, symmetric: bool) -> Normal:
        """The law, with both halves of the covariance used alike.

        symmetric   whether it is declared so; Unsupported where it is not and the entries do not show it.
        """
        n = range(len(names))
        pairs = [(covariance[i][j], covariance[j][i]) for i in n for j in range(i)]
        if not symmetric and not all(_equal(*pair) for pair in pairs):
            raise Unsupported("a covariance is symmetric; declare it spd(n)")
        half = tuple(tuple(_half(covariance[i][j], covariance[j][i]) for j in n) for i in n)
        return cls(tuple(names), tuple(mean), half)

    def mean_of(self, entry: Node) -> Node:
        """The mean, where the covariance is positive definite; Unsupported for what has no closed form."""
        if len(self.names) == 1:
            return expectation(entry, self.names[0], "normal", self.mean[0], sqrt(self.covariance[0][0]))
        terms = self._terms(entry)
        parts = [times(c, self._moment(powers, rates)) for (powers, rates), c in terms.items()]
        minors = [determinant(_corner(self.covariance, k)) for k in range(1, len(self.names) + 1)]
        return summed(*parts, *(mul(ZERO, call("log", minor)) for minor in minors))

    def _moment(self, powers: Powers, rates: tuple[Node, ...]) -> Node:
        """E x^powers exp(rates'x)."""
        n = range(len(self.names))
        if any(rate is not ZERO for rate in rates):
            shift = [summed(*(times(self.covariance[i][j], rates[j]) for j in n)) for i in n]
            moved = Normal(self.names, tuple(map(summed, self.mean, shift)), self.covariance, {})
            size = summed(*(times(rates[i], self.mean[i]) for i in n), *(times(HALF, rates[i], shift[i]) for i in n))
            return times(call("exp", size), moved._moment(powers, (ZERO,) * len(powers)))
        key = powers, rates
        if key not in self.moments:
            self.moments[key] = self._stepped(powers, rates)
        return self.moments[key]

    def _stepped(self, powers: Powers, rates: tuple[Node, ...]) -> Node:
        if not any(powers):
            return ONE
        i = next(k for k, power in enumerate(powers) if power)
        rest = _with(powers, i, -1)
        parts = [times(self.mean[i], self._moment(rest, rates))]
        for j, power in enumerate(rest):
            if power:
                parts.append(times(num(power), self.covariance[i][j], self._moment(_with(rest, j, -1), rates)))
        return summed(*parts)

    def _terms(self, node: Node) -> Terms:
        n = len(self.names)
        zero, still = (0,) * n, (ZERO,) * n
        if not free_symbols(node) & set(self.names):
            return {(zero, still): node}
        match node.op:
            case "symbol":
                return {(_with(zero, self.names.index(node.value), 1), still): ONE}
            case "add":
                return reduce(_sum, map(self._terms, node.args))
            case "mul":
                return reduce(_product, map(self._terms, node.args))
            case "pow" if node.args[1].op == "num":
                base, n = node.args[0], node.args[1].value
                if base.op == "pow" and base.args[1].op == "num" and base.args[1].value == Fraction(1, 2):
                    # Where the root is real, its powers are those of what stands under it.
                    base, n = base.args[0], n / 2
                if n.denominator == 1 and 0 < n <= HIGHEST_DEGREE:
                    return reduce(_product, [self._terms(base)] * int(n))
            case "call" if node.value == "exp":
                return self._exponential(node.args[0])
        if node.op == "pow" and node.args[0] is E:
            return self._exponential(node.args[1])
        raise Unsupported("a mean is written out for polynomials and exponentials of linear functions only")

    def _exponential(self, exponent: Node) -> Terms:
        n = len(self.names)
        zero, still = (0,) * n, (ZERO,) * n
        constant, rates = ZERO, list(still)
        for (powers, inner), coefficient in self._terms(exponent).items():
            if inner != still or sum(powers) > 1:
                raise Unsupported("a mean is written out for exponentials of linear functions only")
            if sum(powers) == 0:
                constant = coefficient
            else:
                rates[powers.index(1)] = coefficient
        return {(zero, tuple(rates)): ONE if constant is ZERO else call("exp", constant)}


def _half(one: Node, other: Node) -> Node:
    return one if one is other else mul(HALF, add(one, other))


def _equal(one: Node, other: Node) -> bool:
    if one is other:
        return True
    from verify.claim import Claim, Domain, Variable
    from verify.decide.prove.proof import prove

    names = free_symbols(one, other)
    return bool(prove(Claim(add(one, mul(MINUS_ONE, other)), ZERO, Domain({n: Variable(n) for n in names}))).holds)


def _corner(a: Array, k: int) -> Array:
    return tuple(row[:k] for row in a[:k])


def _with(powers: Powers, i: int, step: int) -> Powers:
    return (*powers[:i], powers[i] + step, *powers[i + 1 :])


def _sum(one: Terms, other: Terms) -> Terms:
    result = dict(one)
    for key, c in other.items():
        result[key] = summed(result[key], c) if key in result else c
    return result


def _product(one: Terms, other: Terms) -> Terms:
    result: Terms = {}
    for (p, r), c in one.items():
        for (q, s), d in other.items():
            powers = tuple(a + b for a, b in zip(p, q, strict=True))
            if sum(powers) > HIGHEST_DEGREE or len(result) > MOST_TERMS:
                raise Unsupported("a mean is written out for polynomials of low degree only")
            key = powers, tuple(map(summed, r, s))
            value = times(c, d)
            result[key] = summed(result[key], value) if key in result else value
    return result
