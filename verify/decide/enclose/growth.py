"""How fast does an expression grow?  Bounds sum of A x^k exp(q(x)) for x >= R, read off its structure.

Every bound holds for all x >= R, at all points of the balls of the other names.  A structure that is not understood has
none.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from typing import TypeAlias

from flint import acb, arb, fmpq

from verify.decide.enclose.balls import Program
from verify.decide.enclose.jets import NoValue
from verify.graph import MINUS_ONE, TRUE, E, Node, call, free_symbols, mul, postorder

#: Powers that are multiplied out.
HIGHEST_POWER = 24
_BOUNDED = {"sin": 1, "cos": 1, "tanh": 1, "erf": 1, "erfc": 2, "atan": 2, "sign": 1}
#: The coefficients of the parts of an integrand that are polynomials; None for the others.
Polynomials: TypeAlias = dict[Node, list[acb] | None]

_QUARTER = Fraction(1, 4)
#: Functions with |f(u)| <= 2 |u|.
_SMALL = ("sin", "tanh", "erf", "atan")


class NoBound(Exception):
    """The structure of the integrand is not understood."""


@dataclass(frozen=True)
class Term:
    """A x^k exp(q1 x + q2 x^2 + …) for x >= R, with A >= 0."""

    size: arb
    power: Fraction
    rate: tuple[arb, ...] = ()


class Bounds:
    """Bounds of the parts of one integrand for x >= R."""

    def __init__(self, variable: str, env: Mapping[str, acb], R: arb, real: bool, known: Polynomials) -> None:
        self.variable, self.env, self.R, self.real, self.polynomials = variable, env, R, real, known

    # --- upper bounds ---

    def of(self, node: Node) -> list[Term]:
        """Terms whose sum is at least |node|.  Raises NoBound; also where the node may be undefined."""
        polynomial = self.polynomial(node)
        if polynomial is not None:
            return [Term(c.abs_upper(), Fraction(i)) for i, c in enumerate(polynomial) if not c.is_zero()]
        match node.op:
            case "add":
                return [term for arg in node.args for term in self.of(arg)]
            case "mul":
                return self._product([self.of(arg) for arg in node.args])
            case "pow":
                return self._power(*node.args)
            case "call":
                return self._call(node.value, node.args)
            case "piecewise":
                for condition in node.args[1::2]:
                    if condition is not TRUE:
                        self._condition(condition)
                if node.args[-1] is not TRUE:
                    raise NoBound
                return [term for value in node.args[::2] for term in self.of(value)]
        raise NoBound

    def _condition(self, node: Node) -> None:
        """Only conditions that have a truth value everywhere."""
        if node.op == "compare":
            for arg in node.args:
                self.of(arg)
        elif node.op in ("and", "or"):
            for arg in node.args:
                self._condition(arg)
        else:
            raise NoBound

    def _product(self, factors: list[list[Term]]) -> list[Term]:
        result = [Term(arb(1), Fraction(0))]
        for terms in factors:
            result = [Term(a.size * b.size, a.power + b.power, _sum(a.rate, b.rate)) for a in result for b in terms]
            if len(result) > 400:
                raise NoBound
        return result

    def _power(self, base: Node, exponent: Node) -> list[Term]:
        if base is E:
            return self._exponential(exponent)
        if self._is_positive_constant(base) and exponent.op != "num":
            return self._exponential(mul(call("log", base), exponent))
        if exponent.op == "num":
            return self._numeric_power(base, exponent.value)
        constant = self.polynomial(exponent)
        if constant is None or len(constant) != 1 or not constant[0].imag.is_zero():
            raise NoBound
        low, high = ((constant[0].real * 64).lower().floor(), (constant[0].real * 64).upper().ceil())
        ends = [int(n) for end in (low, high) if (n := end.unique_fmpz()) is not None]
        if len(ends) < 2:
            raise NoBound
        # b^w is at most the sum of its values for the ends of an interval around w.
        self.at_least(base, signed=True)
        return [term for n in ends for term in self._numeric_power(base, Fraction(n, 64))]

    def _numeric_power(self, base: Node, w: Fraction) -> list[Term]:
        if w == 0:
            return [Term(arb(1), Fraction(0))]
        if w.denominator == 1 and w > 0:
            if w > HIGHEST_POWER:
                raise NoBound
            return self._product([self.of(base)] * int(w))
        if w < 0:
            lower = self.at_least(base, signed=w.denominator != 1)
            return [_raised(lower, w)]
        self.at_least(base, signed=True)
        whole, part = divmod(w, 1)
        terms = self.of(base)
        roots = [_raised(term, part) for term in terms]
        return self._product([terms] * int(whole) + [roots])

    def _call(self, name: str, args: tuple[Node, ...]) -> list[Term]:
        match name:
            case "exp":
                return self._exponential(args[0])
            case "abs":
                return self.of(args[0])
            case "floor" | "ceil":
                return [*self.of(args[0]), Term(arb(1), Fraction(0))]
            case "max" | "min":
                return [term for arg in args for term in self.of(arg)]
            case "sech" if self.is_real(args[0]):
                return [_raised(self._cosh(args[0]), Fraction(-1))]
            case "sinh" | "cosh":
                return [*self._exponential(args[0]), *self._exponential(mul(MINUS_ONE, args[0]))]
            case "log":
                lower = self.at_least(args[0], signed=True)
                # |log u| <= 4 (u^(1/4) + u^(-1/4)), since |log v| <= v + 1/v.
                roots = [_raised(term, _QUARTER) for term in self.of(args[0])]
                return [Term(4 * term.size, term.power, term.rate) for term in (*roots, _raised(lower, -_QUARTER))]
        if name in _BOUNDED and self.is_real(args[0]):
            inner = self.of(args[0])
            if name in _SMALL and all(_growth(term) < (0, Fraction(0)) for term in inner):
                return [Term(2 * term.size, term.power, term.rate) for term in inner]
            return [Term(arb(_BOUNDED[name]), Fraction(0))]
        raise NoBound

    def _exponential(self, exponent: Node) -> list[Term]:
        """exp of a polynomial, plus what is bounded."""
        parts = exponent.args if exponent.op == "add" else (exponent,)
        polynomial: list[acb] = []
        bound = arb(0)
        for part in parts:
            found = self.polynomial(part)
            if found is not None:
                polynomial = _added(polynomial, found)
            else:
                terms = self.of(part)
                if any(term.power > 0 or stripped(term.rate) for term in terms):
                    raise NoBound
                bound += sum((term.size * self.R ** _real(term.power) for term in terms), arb(0))
        first, *others = polynomial or [acb(0)]
        return [Term((first.real + bound).exp().upper(), Fraction(0), tuple(c.real for c in others))]

    # --- lower bounds ---

    def at_least(self, node: Node, *, signed: bool) -> Term:
        """A term that |node| is never less than, and not 0; `signed`: node itself."""
        polynomial = self.polynomial(node)
        if polynomial is not None:
            return self._leading(polynomial, signed)
        match node.op:
            case "add":
                if not self.is_real(node):
                    raise NoBound
                try:
                    lower = [self._sum_part(arg) for arg in node.args]
                except NoBound:
                    return self._outweighing(node.args, signed)
                best = [term for term in lower if term is not None]
                if not best:
                    raise NoBound
                return max(best, key=_growth)
            case "mul":
                terms = [self.at_least(arg, signed=signed) for arg in node.args]
                (product,) = self._product([[term] for term in terms])
                return product
            case "call" if node.value == "exp":
                exponent = self.polynomial(node.args[0])
                if exponent is None:
                    raise NoBound
                return Term(exponent[0].real.exp().lower(), Fraction(0), tuple(c.real for c in exponent[1:]))
            case "call" if node.value == "cosh" and self.is_real(node.args[0]):
                return self._cosh(node.args[0])
            case "pow" if node.args[1].op != "num" and self._is_positive_constant(node.args[0]):
                return self.at_least(call("exp", mul(call("log", node.args[0]), node.args[1])), signed=signed)
            case "pow" if node.args[1].op == "num":
                w = node.args[1].value
                if w > 0:
                    return _raised(self.at_least(node.args[0], signed=w.denominator != 1 or signed), w)
                self.at_least(node.args[0], signed=True)
                return _raised(self._as_one(self.of(node.args[0])), w)
        raise NoBound

    def _cosh(self, argument: Node) -> Term:
        """cosh u >= exp|u|/2, and >= 1."""
        polynomial = self.polynomial(argument)
        if polynomial is None or len(polynomial) < 2 or not (polynomial[-1].real > 0 or polynomial[-1].real < 0):
            self.of(argument)
            return Term(arb(1), Fraction(0))
        sign = 1 if polynomial[-1].real > 0 else -1
        first, *others = (c.real * sign for c in polynomial)
        return Term((first.exp() / 2).lower(), Fraction(0), tuple(others))

    def _sum_part(self, node: Node) -> Term | None:
        """A lower bound of one term of a sum, None where it is known to be >= 0 only.  Raises NoBound otherwise."""
        try:
            return self.at_least(node, signed=True)
        except NoBound:
            pass
        square = node.op == "pow" and node.args[1].op == "num" and node.args[1].value.denominator == 1
        if square and node.args[1].value % 2 == 0 and node.args[1].value > 0 and self.is_real(node.args[0]):
            self.of(node.args[0])
            return None
        if node.op == "call" and node.value in ("abs", "exp") and self.is_real(node.args[0]):
            self.of(node)
            return None
        raise NoBound

    def _as_one(self, terms: Sequence[Term]) -> Term:
        """One term that is at least their sum from R on."""
        if len(terms) == 1:
            return terms[0]
        if not terms or any(stripped(term.rate) for term in terms):
            raise NoBound
        most = max(term.power for term in terms)
        size = sum((term.size * self.R ** _real(term.power - most) for term in terms), arb(0))
        return Term(size.upper(), most)

    def _outweighing(self, parts: Sequence[Node], signed: bool) -> Term:
        """A lower bound of a sum of which one term outweighs the others from R on."""
        for part in parts:
            with suppress(NoBound):
                leader = self.at_least(part, signed=signed)
                rest = [term for other in parts if other is not part for term in self.of(other)]
                if any(stripped(t.rate) or t.power > leader.power for t in (leader, *rest)):
                    continue
                size = leader.size - sum((t.size * self.R ** _real(t.power - leader.power) for t in rest), arb(0))
                if size > 0:
                    return Term(size.lower(), leader.power)
        raise NoBound

    def _leading(self, polynomial: list[acb], signed: bool) -> Term:
        while polynomial and polynomial[-1].is_zero():
            polynomial = polynomial[:-1]
        if not polynomial:
            raise NoBound
        n = len(polynomial) - 1
        leading = polynomial[-1]
        if signed and not (leading.real > 0 and all(c.imag.is_zero() for c in polynomial)):
            raise NoBound
        lower = leading.abs_lower() - sum(
            (c.abs_upper() / self.R ** (n - i) for i, c in enumerate(polynomial[:-1])), arb(0)
        )
        if not lower > 0:
            raise NoBound
        return Term(lower.lower(), Fraction(n))

    def _is_positive_constant(self, base: Node) -> bool:
        """Whether c^u is exp(u log c), c being the same for all x."""
        constant = None if self.variable in free_symbols(base) else self.polynomial(base)
        return bool(constant) and constant[0].imag.is_zero() and bool(constant[0].real > 0)

    # --- polynomials in the variable ---

    def is_real(self, node: Node) -> bool:
        """Whether nothing but real numbers occurs."""
        return self.real or not any(n.op == "constant" and n.value == "I" for n in postorder(node))

    def polynomial(self, node: Node) -> list[acb] | None:
        """The coefficients of a polynomial in the variable; None for anything else.  Raises NoBound."""
        if node not in self.polynomials:
            self.polynomials[node] = self._polynomial(node)
        return self.polynomials[node]

    def _polynomial(self, node: Node) -> list[acb] | None:
        if self.variable not in free_symbols(node):
            try:
                return list(_constant(node, self.real).values(self.env))
            except NoValue:
                raise NoBound from None
        match node.op:
            case "symbol":
                return [acb(0), acb(1)]
            case "add":
                parts = [self.polynomial(arg) for arg in node.args]
                total: list[acb] = []
                for part in parts:
                    if part is None:
                        return None
                    total = _added(total, part)
                return total
            case "mul":
                product = [acb(1)]
                for arg in node.args:
                    factor = self.polynomial(arg)
                    if factor is None:
                        return None
                    product = _multiplied(product, factor)
                return product
            case "pow" if node.args[1].op == "num" and node.args[1].value.denominator == 1:
                n = int(node.args[1].value)
                base = self.polynomial(node.args[0])
                if base is None or not 0 <= n <= HIGHEST_POWER:
                    return None
                product = [acb(1)]
                for _ in range(n):
                    product = _multiplied(product, base)
                return product
            case "call" if node.value == "abs" and self.is_real(node.args[0]):
                inner = self.polynomial(node.args[0])
                if inner is None:
                    return None
                # Beyond R one of the two is positive, and stays so further out.
                for turned in (inner, [-c for c in inner]):
                    with suppress(NoBound):
                        self._leading(turned, True)
                        return turned
                raise NoBound
        return None


@lru_cache(maxsize=1024)
def _constant(node: Node, real: bool) -> Program:
    return Program((node,), real)


def stripped(rate: tuple[arb, ...]) -> tuple[arb, ...]:
    """Coefficients without zeros at the end."""
    while rate and rate[-1].is_zero():
        rate = rate[:-1]
    return rate


def _real(w: Fraction) -> arb:
    return arb(fmpq(w.numerator, w.denominator))


def _growth(term: Term) -> tuple[int, Fraction]:
    """Larger for what grows faster."""
    rate = stripped(term.rate)
    return (len(rate) if not rate or rate[-1] > 0 else -len(rate)), term.power


def _raised(term: Term, w: Fraction) -> Term:
    """term^w."""
    return Term(term.size ** _real(w), term.power * w, tuple(c * _real(w) for c in term.rate))


def _sum(a: tuple[arb, ...], b: tuple[arb, ...]) -> tuple[arb, ...]:
    longer, shorter = (a, b) if len(a) >= len(b) else (b, a)
    return (*(x + y for x, y in zip(longer, shorter, strict=False)), *longer[len(shorter) :])


def _added(a: list[acb], b: list[acb]) -> list[acb]:
    longer, shorter = (a, b) if len(a) >= len(b) else (b, a)
    return [*(x + y for x, y in zip(longer, shorter, strict=False)), *longer[len(shorter) :]]


def _multiplied(a: list[acb], b: list[acb]) -> list[acb]:
    result = [acb(0)] * (len(a) + len(b) - 1)
    for i, x in enumerate(a):
        for j, y in enumerate(b):
            result[i + j] += x * y
    return result
