"""Is a quantity positive on the whole domain?  Certain, or not known.

A quantity that is affine in something bounded (tanh u, sin u, a parameter between two numbers) is positive if it is so
at both of its ends; what is left is settled by its structure, by the declared conditions, or by the prover.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from fractions import Fraction
from typing import Any

from flint import ctx

from verify.calculus.maps import vanishes
from verify.calculus.reverse import gradient
from verify.calculus.tidy import coefficients, scaled, tidy
from verify.claim import Claim
from verify.decide.enclose.balls import Program
from verify.decide.enclose.jets import NoValue
from verify.decide.integrals.smooth import Condition, conditions, sign_of
from verify.decide.prove.proof import prove
from verify.decide.prove.tower import GiveUp
from verify.decide.systems.identity import Identities
from verify.graph import (
    HALF,
    MINUS_ONE,
    ONE,
    PI,
    TRUE,
    ZERO,
    Node,
    add,
    call,
    free_symbols,
    fresh_name,
    mul,
    neg,
    num,
    piecewise,
    postorder,
    power,
    substitute,
    symbol,
    transform,
)

#: Quantities that are taken to their ends, one inside of the other; calls of the prover for one question.
DEEPEST, MOST_PROOFS = 7, 6
#: Quantities that one question may lead to.
MOST_MET = 60
#: How far above 0 the prover is asked to see a quantity that shall be positive.
MARGIN = Fraction(1, 10**6)


@dataclass(frozen=True)
class Bounds:
    """Between two numbers; None where there is no end.  An end that is `closed` is a value."""

    low: Node | None
    high: Node | None
    closed_low: bool = False
    closed_high: bool = False


_MINUS_HALF_PI = mul(num(Fraction(-1, 2)), PI)
BOUNDED = {
    "tanh": Bounds(MINUS_ONE, ONE), "erf": Bounds(MINUS_ONE, ONE), "sin": Bounds(MINUS_ONE, ONE, True, True),
    "cos": Bounds(MINUS_ONE, ONE, True, True), "sech": Bounds(ZERO, ONE, False, True),
    "atan": Bounds(_MINUS_HALF_PI, mul(HALF, PI)), "exp": Bounds(ZERO, None), "cosh": Bounds(ONE, None, True),
    "abs": Bounds(ZERO, None, True), "erfc": Bounds(ZERO, num(2)), "sign": Bounds(MINUS_ONE, ONE, True, True),
}  # fmt: skip
_SQUARES = {"tanh": Bounds(ZERO, ONE, True), "erf": Bounds(ZERO, ONE, True), "sin": Bounds(ZERO, ONE, True, True),
            "cos": Bounds(ZERO, ONE, True, True), "sech": Bounds(ZERO, ONE, False, True)}  # fmt: skip
#: Functions between -1 and 1.
_UNIT = frozenset(_SQUARES)


@dataclass
class Signs:
    """Questions about one domain."""

    identities: Identities
    known: dict[tuple[Node, bool], bool] = field(default_factory=dict)
    proofs: int = 0
    met: dict[tuple[Node, bool], bool] = field(default_factory=dict)
    """Quantities that the present question has led to."""

    def sign(self, node: Node) -> int:
        """1 where the quantity is positive wherever it is defined, -1 where it is negative, 0 if nothing is known."""
        if self.positive(node):
            return 1
        return -1 if self.positive(tidy(neg(node))) else 0

    def positive(self, node: Node) -> bool:
        """Whether it is shown to be positive wherever it is defined on the domain."""
        return self._asked(node, True)

    def nonnegative(self, node: Node) -> bool:
        """The same with 0."""
        return self._asked(node, False)

    def nonzero(self, node: Node) -> bool:
        """Whether it is shown not to vanish anywhere on the domain where it is defined."""
        node = tidy(node)
        match node.op:
            case "mul":
                return all(map(self.nonzero, node.args))
            case "pow" if node.args[1].op == "num":
                return node.args[1].value < 0 or self.nonzero(node.args[0])
            case "call" if node.value == "abs":
                return self.nonzero(node.args[0])
        return self.sign(node) != 0

    def holds(self, condition: Condition) -> bool:
        """Whether a condition holds everywhere on the domain."""
        match condition.kind:
            case "nonzero":
                return self.nonzero(condition.quantity)
            case "positive":
                return self.positive(condition.quantity)
        return self.nonnegative(condition.quantity)

    def smooth(self, *nodes: Node) -> bool:
        """Whether expressions are defined and continuous on the whole domain."""
        plain = [transform(node, _without_pieces) for node in nodes]
        found = conditions(*plain, variables=self.identities.domain.variables)
        return found is not None and all(map(self.holds, found))

    def _asked(self, node: Node, strict: bool) -> bool:
        key = node, strict
        if key not in self.known:
            self.proofs, self.met = 0, {}
            self.known[key] = self._shown(tidy(transform(node, _root_powers)), strict, 0)
        return self.known[key]

    def _shown(self, node: Node, strict: bool, depth: int) -> bool:
        key = node, strict
        if key not in self.met:
            if len(self.met) >= MOST_MET:
                return False
            self.met[key] = False  # until more is known
            self.met[key] = self._found(node, strict, depth)
        return self.met[key]

    def _found(self, node: Node, strict: bool, depth: int) -> bool:
        if self._plainly(node, strict):
            return True
        node = _one_piecewise(node)
        if node.op == "piecewise":
            return all(self._shown(value, strict, depth + 1) for value in node.args[::2])
        if depth < DEEPEST:
            if node.op == "mul":
                return self._product(node, strict, depth + 1)
            cleared = self._cleared(node)
            if cleared is not None and self._shown(cleared, strict, depth + 1):
                return True
            for bounds, changed, name in self._candidates(node):
                if self._at_the_ends(changed, name, bounds, strict, depth + 1):
                    return True
        return self._proved(node, strict)

    # --- plain answers ---

    def _plainly(self, node: Node, strict: bool) -> bool:
        variables = {name: self.identities.variable(name) for name in free_symbols(node)}
        known = sign_of(node, variables)
        if known is not None and known[0] > 0 and (known[1] or not strict):
            return True
        if not free_symbols(node):
            return _constant_sign(node, strict)
        return any(self._beyond(node, *known, strict) for known in self._conditions())

    def _product(self, node: Node, strict: bool, depth: int) -> bool:
        """A product of factors whose signs are known, or one that is known as a whole."""
        sign = 1
        for factor in node.args:
            if not self._shown(factor, strict, depth):
                if not self._shown(tidy(neg(factor)), strict, depth):
                    return self._proved(node, strict)
                sign = -sign
        return sign > 0

    def _cleared(self, node: Node) -> Node | None:
        """A sum times a denominator that is positive; None where there is none."""
        terms = node.args if node.op == "add" else ()
        below = [(f.args[0], -f.args[1].value) for term in terms for f in _factors(term)
                 if f.op == "pow" and f.args[1].op == "num" and f.args[1].value <= -1]  # fmt: skip
        base = next((each for each, _ in below if free_symbols(each) and self._plainly(each, True)), None)
        if base is None:
            return None
        lifted = power(base, num(max(n for each, n in below if each is base)))
        whole = tidy(add(ZERO, *(tidy(mul(lifted, term)) for term in terms)))
        listed = coefficients(whole)
        return whole if listed is None else _whole(listed)

    def _conditions(self) -> Iterator[tuple[Node, bool]]:
        """Quantities that are declared to be positive (True) or not negative."""
        for larger, smaller, strict in self.identities.domain.inequalities():
            yield tidy(larger - smaller), strict

    def _beyond(self, node: Node, known: Node, positive: bool, strict: bool) -> bool:
        """Whether the quantity is a positive multiple of a known one, plus a number that is not negative."""
        one, other = coefficients(node), coefficients(known)
        if one is None or other is None:
            return False
        shared = [key for key, (_, rest) in other.items() if rest is not ONE and key in one]
        if not shared:
            return False
        share = one[shared[0]][0] / other[shared[0]][0]
        terms = coefficients(tidy(node - scaled(share, known)))
        if share <= 0 or terms is None:
            return False
        rest = _whole(terms)
        if rest is ZERO:
            return positive or not strict
        variables = {name: self.identities.variable(name) for name in free_symbols(rest)}
        below = sign_of(rest, variables)
        return below is not None and below[0] > 0 and (below[1] or positive or not strict)

    # --- at the ends of what is bounded ---

    def _candidates(self, node: Node) -> Iterator[tuple[Bounds, Node, str]]:
        """What is bounded in a quantity that is affine in it, replaced by a name."""
        name = fresh_name("q", {*self.identities.domain.variables, *free_symbols(node)})
        for part, new, bounds in self._bounded(node, symbol(name)):
            changed = tidy(substitute(node, {part: new}))
            if name in free_symbols(changed) and self._affine(changed, name) is not None:
                yield bounds, changed, name

    def _bounded(self, node: Node, name: Node) -> Iterator[tuple[Node, Node, Bounds]]:
        """What is bounded, and the same with a name in its place."""
        inner = list(postorder(node))
        for each in reversed(inner):
            for rest, bounds in self._of_products(each):
                yield each, mul(name, *rest), bounds
            if (bounds := self._bounds(each)) is not None:
                yield each, name, bounds
        for each in inner:
            if each.op == "symbol":
                yield from ((each, name, bounds) for bounds in self._moving(each))
                v = self.identities.variable(each.value)
                if v.low is not None or v.high is not None:
                    yield each, name, Bounds(v.low, v.high, v.closed_low, v.closed_high)

    def _moving(self, name: Node) -> Iterator[Bounds]:
        """The ends of a name that conditions give, as expressions in others."""
        for quantity, strict in self._conditions():
            terms = coefficients(quantity) or {}
            number = terms.get(name, (Fraction(0), name))[0]
            rest = tidy(quantity - scaled(number, name))
            if number and name.value not in free_symbols(rest):
                end = tidy(scaled(-1 / number, rest))
                yield Bounds(end, None, not strict) if number > 0 else Bounds(None, end, False, not strict)

    def _bounds(self, node: Node) -> Bounds | None:
        if node.op == "call":
            if node.value == "exp" and self._plainly(tidy(neg(node.args[0])), False):
                return Bounds(ZERO, ONE, False, True)
            inner = node.args[0]
            if node.value == "abs" and inner.op == "call" and inner.value in _UNIT:
                return replace(_SQUARES[inner.value], closed_low=True)
            return BOUNDED.get(node.value)
        if node.op != "pow" or node.args[1].op != "num":
            return None
        base, exponent = node.args[0], node.args[1].value
        if base.op == "call" and base.value == "cosh" and exponent < 0:
            return Bounds(ZERO, ONE, False, True)
        if exponent < 0 and base.op == "add" and ONE in base.args:
            others = [arg for arg in base.args if arg is not ONE]
            if all(arg.op == "call" and arg.value in ("exp", "cosh") for arg in others):
                return Bounds(ZERO, ONE)
            if all(self._plainly(arg, False) for arg in others):
                return Bounds(ZERO, ONE, False, True)
        if exponent == 2:
            return _SQUARES.get(base.value) if base.op == "call" else self._of_square(base)
        return None

    def _of_square(self, base: Node) -> Bounds | None:
        """The square of a name between two numbers."""
        v = self.identities.variable(base.value) if base.op == "symbol" else None
        if v is None or v.low is None or v.high is None or not v.low.op == v.high.op == "num":
            return None
        small, large = sorted((v.low.value**2, v.high.value**2))
        if v.low.value < 0 < v.high.value:
            return Bounds(ZERO, num(large), True, v.closed_low or v.closed_high)
        closed = v.closed_low or v.closed_high
        return Bounds(num(small), num(large), closed, closed)

    def _of_products(self, node: Node) -> Iterator[tuple[list[Node], Bounds]]:
        """w/sqrt(c + w^2) with c > 0, and e^v/(1 + e^v)^2: the other factors of a product, and the bounds."""
        factors = node.args if node.op == "mul" else ()
        for factor in factors:
            if factor.op != "pow" or factor.args[1].op != "num" or factor.args[0].op != "add":
                continue
            base, exponent = factor.args[0], factor.args[1].value
            for other in factors:
                rest = [each for each in factors if each is not factor and each is not other]
                if exponent == -2 and set(base.args) == {ONE, other} and other.op == "call" and other.value == "exp":
                    yield rest, Bounds(ZERO, num(Fraction(1, 4)), False, True)
                if exponent == Fraction(-1, 2) and other is not factor and self._plainly(tidy(base - other**2), True):
                    yield rest, Bounds(MINUS_ONE, ONE)

    def _affine(self, node: Node, name: str) -> tuple[Node, Node] | None:
        """(value at 0, slope), where the quantity is affine in the name."""
        try:
            (slope,) = gradient(node, (name,))
        except GiveUp:
            return None
        if name in free_symbols(slope):
            terms = coefficients(slope)
            if terms is None or name in free_symbols(_whole(terms)):
                return None
            slope = _whole(terms)
        return tidy(substitute(node, {symbol(name): ZERO})), slope

    def _at_the_ends(self, node: Node, name: str, bounds: Bounds, strict: bool, depth: int) -> bool:
        """Positive inside if so at both ends; where an end is no value, 0 will do there if it is not 0 at the other."""
        affine = self._affine(node, name)
        if affine is None:
            return False
        at_zero, slope = affine
        shown = []
        for end, closed, outwards in ((bounds.low, bounds.closed_low, -1), (bounds.high, bounds.closed_high, 1)):
            value = tidy(scaled(Fraction(outwards), slope) if end is None else add(at_zero, mul(slope, end)))
            certain = strict and self._shown(value, True, depth)
            if not certain and ((strict and closed) or not self._shown(value, False, depth)):
                return False
            shown.append(certain)
        return any(shown) or not strict

    # --- the prover ---

    def _proved(self, node: Node, strict: bool) -> bool:
        """By |q| = q; of a positive quantity, one that is even a little above 0."""
        if self.proofs >= MOST_PROOFS:
            return False
        self.proofs += 1
        quantity = node - num(MARGIN) if strict else node
        domain = self.identities.over((quantity,))
        return bool(prove(Claim(call("abs", quantity), quantity, domain), seed=self.identities.seed).holds)


def _one_piecewise(node: Node) -> Node:
    """A sum of which all pieces have the same conditions, piece by piece."""
    terms = [_factors(term) for term in (node.args if node.op == "add" else (node,))]
    pieces = [factor for factors in terms for factor in factors if factor.op == "piecewise"]
    if not pieces or any(each.args[1::2] != pieces[0].args[1::2] for each in pieces):
        return node
    values = [
        tidy(add(ZERO, *(mul(*(f.args[2 * i] if f.op == "piecewise" else f for f in factors)) for factors in terms)))
        for i in range(len(pieces[0].args) // 2)
    ]
    return piecewise(*zip(values, pieces[0].args[1::2], strict=True))


def _without_pieces(node: Node) -> Node | None:
    """An expression that is continuous only where this one is: two pieces that meet must agree there."""
    if node.op == "call" and node.value in ("max", "min"):
        return add(*node.args)
    if node.op != "piecewise" or len(node.args) != 4 or node.args[3] is not TRUE or node.args[1].op != "compare":
        return None
    one, condition, other = node.args[:3]
    for name, end in (condition.args, condition.args[::-1]):
        if name.op == "symbol" and name.value not in free_symbols(end) and condition.value not in ("=", "!="):
            at = {name: end}
            return add(one, other) if vanishes(substitute(one, at) - substitute(other, at)) else None
    return None


def _root_powers(node: Node) -> Node | None:
    """Powers of a root as one power, which is the same wherever the root is real."""
    if node.op != "pow" or node.args[0].op != "pow":
        return None
    (inner, first), second = node.args[0].args, node.args[1]
    if first.op != "num" or second.op != "num" or first.value.denominator % 2:
        return None
    return power(inner, num(first.value * second.value))


def _whole(terms: Mapping[Any, tuple[Fraction, Node]]) -> Node:
    """The sum of terms that were multiplied out."""
    return tidy(add(ZERO, *(scaled(c, rest) for c, rest in terms.values())))


def _factors(node: Node) -> tuple[Node, ...]:
    return node.args if node.op == "mul" else (node,)


def _constant_sign(node: Node, strict: bool) -> bool:
    precision, ctx.prec = ctx.prec, 256
    try:
        value = Program((node,), True).values({})[0].real
    except NoValue:
        return False
    finally:
        ctx.prec = precision
    return bool(value > 0) or (not strict and bool(value >= 0))
