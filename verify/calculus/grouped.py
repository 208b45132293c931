"""How would a person write a derived expression?  What has the same divisors as one fraction, and factored.

The quotient rule leaves a/(K + S) - a*S/(K + S)^2 where a person writes a*K/(K + S)^2, and 1 - tanh(z)^2 multiplied out
is two terms of a sum.  Nothing is decided here: what comes back is equal wherever both are defined.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction

from flint import fmpq_mpoly, fmpq_mpoly_ctx

from verify.calculus.tidy import divided, expanded, leading_number, length, powers, scaled, short, tidy
from verify.graph import MINUS_ONE, ONE, ZERO, Node, add, mul, num, power, transform

#: Exponents of a sum that are multiplied out, quantities, and terms of a numerator, beyond which nothing is factored.
MOST_RAISED, MOST_NAMES, MOST_TERMS = 6, 24, 200


def shortest(node: Node, apart: Collection[str] = ()) -> Node:
    """The expression tidied, multiplied out or grouped, whichever is written with the fewest signs, names and terms."""
    plain = short(node)
    terms = grouped(node, apart)
    if terms is None:
        return plain
    other = transform(tidy(add(ZERO, *terms)), divided)
    return other if _weight(other) < _weight(plain) else plain


def _weight(node: Node) -> int:
    return length(node) + (2 * len(node.args) if node.op == "add" else 2)


def grouped(node: Node, apart: Collection[str] = ()) -> tuple[Node, ...] | None:
    """The terms of a sum, those that share their divisors added up and factored; None where they are many.

    A sum that is left as a factor is multiplied out again, unless functions are in it, as in 1 - tanh(z)^2.

    apart   names by which terms are kept apart: those of the adjoint.
    """
    terms = expanded(node)
    if terms is None:
        return None
    groups: dict[tuple[frozenset[str], frozenset[Node]], list[Node]] = {}
    for term in terms:
        found = powers(term)
        names = frozenset(base.value for base in found if base.op == "symbol" and base.value in apart)
        divisors = frozenset(base for base, exponent in found.items() if base.op == "add" and exponent < 0)
        groups.setdefault((names, divisors), []).append(term)
    out: list[Node] = []
    for group in groups.values():
        ring = _Ring.over(group) if len(group) > 1 else None
        found = ring.factored(group) if ring is not None else None
        out += group if found is None else found
    return tuple(term for term in out if term is not ZERO)


@dataclass(frozen=True)
class _Ring:
    """Polynomials in names and in whatever else is no sum, product or power of these."""

    names: tuple[Node, ...]
    ring: fmpq_mpoly_ctx

    @staticmethod
    def over(terms: Iterable[Node]) -> _Ring | None:
        names: dict[Node, None] = {}
        pending = list(terms)[::-1]
        while pending:
            node = pending.pop()
            if node.op in ("add", "mul"):
                pending += reversed(node.args)
            elif node.op == "pow" and _whole(node) is not None:
                pending.append(node.args[0])
            elif node.op != "num":
                names[node] = None
            if len(names) > MOST_NAMES:
                return None
        return _Ring(tuple(names), fmpq_mpoly_ctx.get([f"g{i}" for i in range(len(names))], "lex"))

    def polynomial(self, node: Node) -> fmpq_mpoly:
        """A sum, product or positive power of names."""
        match node.op:
            case "num":
                return self.constant(node.value)
            case "add":
                found = self.constant(Fraction(0))
                for each in node.args:
                    found = found + self.polynomial(each)
                return found
            case "mul":
                found = self.constant(Fraction(1))
                for each in node.args:
                    found = found * self.polynomial(each)
                return found
            case "pow" if (n := _whole(node)) is not None and n > 0:
                return self.polynomial(node.args[0]) ** n
        return self.ring.gens()[self.names.index(node)]

    def constant(self, value: Fraction) -> fmpq_mpoly:
        return self.ring.constant(1) * value.numerator / value.denominator

    def node(self, polynomial: fmpq_mpoly) -> Node:
        terms = []
        for exponents, c in polynomial.terms():
            factors = [power(name, num(int(e))) if e != 1 else name
                       for name, e in zip(self.names, exponents, strict=True) if e]  # fmt: skip
            rest = mul(*factors) if len(factors) > 1 else factors[0] if factors else ONE
            terms.append(scaled(Fraction(int(c.p), int(c.q)), rest))
        terms.sort(key=lambda term: term.op != "num")
        return tidy(add(*terms)) if terms else ZERO

    def factored(self, terms: Sequence[Node]) -> list[Node] | None:
        """The sum of the terms as one product, or as several where a sum without functions is a factor of it."""
        exponents = [powers(term) for term in terms]
        bases = dict.fromkeys(base for each in exponents for base in each if base.op != "num")
        least = {base: min(0, *(each.get(base, 0) for each in exponents)) for base in bases}
        if any(e.denominator != 1 for each in exponents for e in map(Fraction, each.values())):
            return None
        above = self.constant(Fraction(0))
        for each in exponents:
            product = self.constant(Fraction(1))
            for base, e in each.items():
                raised = e - least.get(base, 0)
                if base.op == "num":
                    product = product * self.constant(base.value**e)
                elif raised > MOST_RAISED or not self.is_polynomial(base):
                    return None
                else:
                    product = product * self.polynomial(base) ** raised
            for base in (base for base in bases if base not in each and least[base]):
                product = product * self.polynomial(base) ** -least[base]
            above = above + product
            if len(above) > MOST_TERMS:
                return None
        if not above:
            return []
        below = {base: -e for base, e in least.items() if e}
        for base in list(below):
            divisor = self.polynomial(base)
            while below[base] and (divided := divmod(above, divisor))[1] == 0:
                above, below[base] = divided[0], below[base] - 1
        number, factors = above.factor()
        c = Fraction(int(number.p), int(number.q))
        parts = []
        for part, e in _conjugated([(self.node(factor), int(e)) for factor, e in factors]):
            sign = -1 if _starts_negative(part) else 1
            parts.append((part if sign == 1 else tidy(mul(MINUS_ONE, part)), e))
            c *= sign**e
        places = {name: i for i, name in enumerate(self.names)}
        parts.sort(key=lambda part: places.get(part[0], len(places)))
        divisor = [power(base, num(-e)) for base, e in below.items() if e]
        loose = [part for part, e in parts if part.op == "add" and e == 1 and not _has_functions(part)]
        kept = [power(part, num(e)) if e != 1 else part for part, e in parts if part not in loose]
        sums = tidy(mul(*loose)) if loose else ONE
        terms_of = expanded(sums) if loose else (ONE,)
        if terms_of is None:
            return None
        return [tidy(mul(num(c), *kept, each, *divisor)) for each in terms_of]

    def is_polynomial(self, base: Node) -> bool:
        """Whether a base has no divisor in it."""
        pending = [base]
        while pending:
            node = pending.pop()
            if node.op in ("add", "mul"):
                pending += node.args
            elif node.op == "pow" and (n := _whole(node)) is not None:
                if not 0 < n <= MOST_RAISED:
                    return False
                pending.append(node.args[0])
        return True


def _whole(node: Node) -> int | None:
    exponent = node.args[1]
    return int(exponent.value) if exponent.op == "num" and exponent.value.denominator == 1 else None


def _starts_negative(node: Node) -> bool:
    """Whether the number in a sum is negative, or where it has none its first term."""
    if node.op != "add":
        return False
    first = next((term for term in node.args if term.op == "num"), node.args[0])
    return leading_number(first)[0] < 0


def _has_functions(node: Node) -> bool:
    return any(base.op == "call" for term in node.args for base in powers(term))


def _conjugated(parts: list[tuple[Node, int]]) -> list[tuple[Node, int]]:
    """1 - s^2 for (1 - s)*(1 + s), s a function."""
    found: list[tuple[Node, int]] = []
    for part, e in parts:
        s = next((each for each in part.args if each.op == "call"), None) if len(part.args) == 2 else None
        if part.op == "add" and s is not None:
            rest = tidy(part - s)
            square = tidy(power(rest, num(2)) - power(s, num(2)))
            for sign in (ONE, MINUS_ONE):
                if (other := (tidy(mul(sign, rest - s)), e)) in found:
                    found[found.index(other)] = (tidy(mul(sign, square)), e)
                    break
            else:
                found.append((part, e))
        else:
            found.append((part, e))
    return found
