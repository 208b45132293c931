"""What is an expression as a quotient of polynomials, in its names and in what is not rational in them?

Functions and roots are kernels, taken as independent of each other; only a name of which a root is taken becomes the
power of that root.  What is equal here is equal, the converse is not claimed.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from math import isqrt, lcm
from typing import Any

from flint import Ordering, fmpq_mpoly, fmpq_mpoly_ctx

from verify.graph import MINUS_ONE, ONE, ZERO, Node, add, mul, num, postorder, power, sqrt

#: Terms of a polynomial, and degree of a power, that are worth going on with.
MOST_TERMS, MOST_DEGREE = 400, 12


class TooLarge(Exception):
    """A polynomial has too many terms."""


@dataclass(frozen=True)
class Quotient:
    """num/den, in lowest terms."""

    num: fmpq_mpoly
    den: fmpq_mpoly

    @classmethod
    def of(cls, num: fmpq_mpoly, den: fmpq_mpoly) -> Quotient:
        """The same value in lowest terms, with 1 for the denominator's leading coefficient.  Raises TooLarge."""
        if num.is_zero():
            return cls(num, den / den)
        common = num.gcd(den)
        num, den = num / common, den / common
        if len(num) + len(den) > MOST_TERMS:
            raise TooLarge
        lead = den.leading_coefficient()
        return cls(num / lead, den / lead)

    def __add__(self, other: Quotient) -> Quotient:
        return Quotient.of(self.num * other.den + other.num * self.den, self.den * other.den)

    def __sub__(self, other: Quotient) -> Quotient:
        return Quotient.of(self.num * other.den - other.num * self.den, self.den * other.den)

    def __mul__(self, other: Quotient) -> Quotient:
        return Quotient.of(self.num * other.num, self.den * other.den)

    def __truediv__(self, other: Quotient) -> Quotient:
        return Quotient.of(self.num * other.den, self.den * other.num)

    def __bool__(self) -> bool:
        return not self.num.is_zero()

    def scaled(self, number: int | Fraction) -> Quotient:
        """A number times it."""
        c = Fraction(number)
        return Quotient.of(self.num * c.numerator, self.den * c.denominator)

    def slope(self, i: int) -> Quotient:
        """The derivative by generator number i."""
        top = self.num.derivative(i) * self.den - self.num * self.den.derivative(i)
        return Quotient.of(top, self.den * self.den)


@dataclass(frozen=True)
class Quotients:
    """The field of such quotients in some expressions.

    kernels  what the generators stand for: names, roots of names, and functions; `places`: the generator of each.
    roots    by name q where its q-th root is the generator, instead of itself.
    """

    ring: fmpq_mpoly_ctx
    kernels: tuple[Node, ...]
    roots: Mapping[Node, int]
    places: Mapping[Node, int]

    @classmethod
    def over(cls, nodes: Iterable[Node], first: Iterable[Node] = ()) -> Quotients:
        """The field that expressions lie in; `first`: kernels that come first, whether they occur or not."""
        roots: dict[Node, int] = {}
        names = dict.fromkeys(first)
        nodes = tuple(nodes)
        for node in _rational(*nodes):
            if node.op == "pow" and node.args[0].op == "symbol" and node.args[1].op == "num":
                roots[node.args[0]] = lcm(roots.get(node.args[0], 1), node.args[1].value.denominator)
        for node in _rational(*nodes):
            if node.op == "pow" and node.args[1].op == "num":
                if node.args[1].value.denominator > 1 and node.args[0].op != "symbol":
                    names[power(node.args[0], num(Fraction(1, node.args[1].value.denominator)))] = None
            elif node.op not in ("num", "add", "mul"):
                names[node] = None
        kernels = tuple(names)
        ring = fmpq_mpoly_ctx.get([f"x{i}" for i in range(max(1, len(kernels)))], Ordering.lex)
        taken = {name: q for name, q in roots.items() if q > 1}
        return cls(ring, kernels, taken, {kernel: i for i, kernel in enumerate(kernels)})

    def number(self, value: int | Fraction) -> Quotient:
        """A rational number."""
        c = Fraction(value)
        return Quotient(self.ring.constant(1) * c.numerator / c.denominator, self.ring.constant(1))

    def generator(self, kernel: Node) -> Quotient:
        """A kernel itself; of a name with roots the power that it is."""
        return Quotient(self.ring.gen(self.places[kernel]) ** self.roots.get(kernel, 1), self.ring.constant(1))

    def read(self, node: Node) -> Quotient:
        """An expression; a division by 0 raises ZeroDivisionError, too long a polynomial TooLarge."""
        done: dict[Node, Quotient] = {}
        for each in postorder(node):
            if each in self.places:
                done[each] = self.generator(each)
            elif each.op == "num":
                done[each] = self.number(each.value)
            elif each.op == "add" and all(arg in done for arg in each.args):
                done[each] = sum_of(self, [done[arg] for arg in each.args])
            elif each.op == "mul" and all(arg in done for arg in each.args):
                whole = self.number(1)
                for arg in each.args:
                    whole = whole * done[arg]
                done[each] = whole
            elif each.op == "pow" and each.args[1].op == "num":
                value = self._power(*each.args, done)
                if value is not None:
                    done[each] = value
        return done[node]

    def _power(self, base: Node, exponent: Node, done: Mapping[Node, Quotient]) -> Quotient | None:
        e = exponent.value
        if base in self.roots:
            root, e = self.ring.gen(self.places[base]), e * self.roots[base]
            value = Quotient(root, self.ring.constant(1))
        elif e.denominator > 1:
            kernel = power(base, num(Fraction(1, e.denominator)))
            if kernel not in self.places:
                return None
            value, e = self.generator(kernel), e * e.denominator
        elif base in done:
            value = done[base]
        else:
            return None
        if abs(e) > MOST_DEGREE:
            raise TooLarge
        top, below = (value.num, value.den) if e > 0 else (value.den, value.num)
        if below.is_zero():
            raise ZeroDivisionError
        n = abs(int(e))
        return Quotient.of(top**n, below**n)

    # --- back to expressions ---

    def write(self, quotient: Quotient) -> Node:
        """The expression, as a product of factors."""
        return mul_of([*self._factored(quotient.num, 1), *self._factored(quotient.den, -1)])

    def polynomial(self, p: fmpq_mpoly) -> Node:
        """A polynomial as a sum of products."""
        terms = []
        for exponents, c in p.terms():
            factors = [self._kernel_power(i, int(e)) for i, e in enumerate(exponents) if e and i < len(self.kernels)]
            number = Fraction(int(c.p), int(c.q))
            terms.append(mul_of(factors if number == 1 and factors else [num(number), *factors]))
        if not terms:
            return ZERO
        return terms[0] if len(terms) == 1 else add(*terms)

    def _kernel_power(self, i: int, e: int) -> Node:
        kernel = self.kernels[i]
        q = self.roots.get(kernel, 1)
        if kernel.op == "pow" and kernel.args[1].op == "num" and q == 1:
            return power(kernel.args[0], num(kernel.args[1].value * e))
        return kernel if e == q else power(kernel, num(Fraction(e, q)))

    def _factored(self, p: fmpq_mpoly, sign: int) -> list[Node]:
        if p.is_zero():
            return [ZERO]
        c, factors = p.factor()
        number = Fraction(int(c.p), int(c.q)) ** sign
        found = [] if number == 1 else [num(number)]
        for base, e in factors:
            if len(base) == 1 and sum(next(iter(base.monoms()))) == 1:
                i = next(i for i, each in enumerate(next(iter(base.monoms()))) if each)
                found.append(self._kernel_power(i, sign * int(e)))
            else:
                node = self.polynomial(base)
                found.append(node if sign * int(e) == 1 else power(node, num(sign * int(e))))
        return found

    def root(self, quotient: Quotient) -> tuple[Node, Node]:
        """(r, d) with r^2 d the quotient and d free of squares: r sqrt(d) is a root, of either sign."""
        outside: list[Node] = []
        odd = {1: self.ring.constant(1), -1: self.ring.constant(1)}
        number = Fraction(1)
        for p, sign in ((quotient.num, 1), (quotient.den, -1)):
            c, factors = p.factor()
            number *= Fraction(int(c.p), int(c.q)) ** sign
            for base, e in factors:
                node = self.polynomial(base)
                if int(e) // 2:
                    outside.append(power(node, num(sign * (int(e) // 2))) if sign * (int(e) // 2) != 1 else node)
                if int(e) % 2:
                    odd[sign] = odd[sign] * base
        a, b = abs(number.numerator), number.denominator
        above, below = _square_part(a), _square_part(b)
        if above != 1 or below != 1:
            outside.insert(0, num(Fraction(above, below)))
        rest = number / Fraction(above, below) ** 2
        inside = self.polynomial(odd[1] * rest.numerator)
        below_root = self.polynomial(odd[-1] * rest.denominator)
        divided = inside if below_root is ONE else mul_of([inside, power(below_root, MINUS_ONE)])
        return mul_of(outside), divided


def _square_part(n: int) -> int:
    """The largest small number whose square divides n."""
    if (whole := isqrt(n)) ** 2 == n:
        return whole
    return max(d for d in range(1, min(isqrt(n), 100) + 1) if n % (d * d) == 0)


def root_of(outside: Node, inside: Node) -> Node:
    """r sqrt(d), from what `Quotients.root` finds."""
    return outside if inside is ONE else mul_of([outside, sqrt(inside)])


def mul_of(factors: Iterable[Node]) -> Node:
    """Their product, of any number of factors."""
    found = [factor for factor in factors if factor is not ONE]
    return ONE if not found else found[0] if len(found) == 1 else mul(*found)


def sum_of(field: Quotients, terms: Iterable[Quotient]) -> Quotient:
    """Their sum, of any number of terms."""
    found = field.number(0)
    for term in terms:
        found = found + term
    return found


def _rational(*nodes: Node) -> list[Node]:
    """What is left when sums, products and powers with numbers in the exponent are taken apart, and these powers."""
    found: dict[Node, None] = {}
    stack = list(nodes)
    while stack:
        node = stack.pop()
        if node in found:
            continue
        found[node] = None
        if node.op in ("add", "mul"):
            stack += reversed(node.args)
        elif (
            node.op == "pow"
            and node.args[1].op == "num"
            and (node.args[1].value.denominator == 1 or node.args[0].op == "symbol")
        ):
            stack.append(node.args[0])
    return list(found)


def read_all(nodes: Iterable[Node], first: Iterable[Node] = ()) -> tuple[Quotients, list[Quotient]] | None:
    """Expressions in one field; None where one divides by 0, or is too long."""
    nodes = tuple(nodes)
    field = Quotients.over(nodes, first)
    try:
        return field, [field.read(node) for node in nodes]
    except (TooLarge, ZeroDivisionError):
        return None


def by_powers(field: Quotients, quotient: Quotient, name: Node) -> list[Quotient] | None:
    """The coefficients of a polynomial in a name, the constant first; None where it is none."""
    i = field.places[name]
    if name in field.roots or quotient.den.degrees()[i]:
        return None
    found: dict[int, dict[tuple[int, ...], Any]] = {}
    for exponents, c in quotient.num.terms():
        rest = tuple(0 if j == i else int(e) for j, e in enumerate(exponents))
        found.setdefault(int(exponents[i]), {})[rest] = c
    below = field.ring.constant(1) * quotient.den
    return [Quotient.of(field.ring.from_dict(found.get(k, {})), below) for k in range(max(found, default=0) + 1)]
