"""What is an expression as an element of the tower?  The part that real and complex claims share.

Arithmetic is carried out; every other operator is handed to the forms of its field, `RealForms` or `PrincipalForms`,
which introduce kernels by identities that hold on the whole cell (real) or on all principal branches (complex).
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from fractions import Fraction
from math import prod

from verify.decide.prove.factors import Factors
from verify.decide.prove.signs import Signs
from verify.decide.prove.spans import Span
from verify.decide.prove.special_forms import special_form
from verify.decide.prove.tower import Element, GiveUp, Kernel, Tower
from verify.graph import Node

Pair = tuple[Element, Element]


class Forms(ABC):
    """Canonical elements of expressions, remembered for each node."""

    def __init__(self, tower: Tower, signs: Signs) -> None:
        self.tower, self.signs = tower, signs
        self.factors = Factors(tower, signs, self.exp)
        self.exponents = Span()
        self._of: dict[Node, Element] = {}

    def __call__(self, node: Node) -> Element:
        """The element that the node is; NeedSign, Restart or GiveUp where there is none (yet)."""
        found = self._of.get(node)
        if found is None:
            found = self._of[node] = self._form(node)
        return found

    def _form(self, node: Node) -> Element:
        t = self.tower
        match node.op:
            case "num":
                return t.number(node.value)
            case "symbol":
                return self.symbol(node.value)
            case "constant":
                return self.constant(node.value)
            case "add":
                return sum((self(a) for a in node.args), t.zero)
            case "mul":
                return prod((self(a) for a in node.args), start=t.one)
            case "pow":
                base, exponent = node.args
                if exponent.op == "num" and exponent.value.denominator == 1:
                    return self(base) ** int(exponent.value)
                if base.op == "constant" and base.value == "E":
                    return self.exp(self(exponent))
                return self.power(self(base), self(exponent))
            case "call":
                return self.function(node.value, tuple(self(a) for a in node.args))
            case "piecewise":
                return self(self.piece(node))
            case _:
                raise GiveUp(f"the prover knows nothing of {node.op!r}")

    def function(self, name: str, args: tuple[Element, ...]) -> Element:
        """A function of the table at elements."""
        if len(args) == 1:
            own = getattr(self, f"function_{name}", None)
            if own is not None:
                return own(args[0])
            if name in _OF_INVERSE:
                return self.function(_OF_INVERSE[name], (args[0].inverse(),))
            if name in _CIRCULAR:
                return _CIRCULAR[name](self, args[0])
        if name == "atan2":
            return self.atan2(*args)
        return special_form(self, name, args)

    def kernel(self, name: str, *args: Element) -> Element:
        """The function at these arguments as a new generator."""
        return self.tower.generator((name, *(a.key for a in args)), Kernel("call", args, name))

    def symbol(self, name: str) -> Element:
        return self.factors.symbol(name)

    def linear(self, e: Element, *kinds: str) -> list[tuple[int, Fraction]]:
        """Terms c*g that are split off from e: a rational c, a generator g (logarithm, pi, function), once each.

        In e = (A g + B)/D, with polynomials A, B, D free of g, c is the quotient of A by D as far as it is a number.
        """
        t, found = self.tower, []
        lead = e.den.monomial(0)
        for i in t.generators(e.num):
            if t.kernels[i].kind not in kinds or e.num.degrees()[i] != 1:
                continue
            parts = t.coefficients(e.num, i)
            c = int(parts[1].to_dict().get(lead, 0))
            if c:
                found.append((i, Fraction(c, int(e.den.leading_coefficient()))))
        return found

    def basis_exp(self, e: Element) -> Element:
        """exp(e) by a basis of the exponents, and by logarithms with rational coefficients."""
        t, result = self.tower, self.tower.one
        if e.is_zero():
            return result
        met = t.generators(e.num, *(b.num for b in self.exponents.basis))
        logs = [t.polynomial(t.variables[i]) for i in met if t.kernels[i].kind in ("log", "principal")]
        expressed = self.exponents.express(e, logs)
        for log, c in expressed.free:
            result = result * self.exp(log.scaled(c))
        for number, c in expressed.basis:
            b = self.exponents.basis[number]
            k, fine = t.multiple(("exp", self.signs.element_digest(b)), c)
            result = result * t.generator(("exp", b.key), Kernel("exp", (b,), fine)) ** k
        return result

    def pi(self, factor: Fraction | int = 1) -> Element:
        """A rational multiple of pi."""
        return self.tower.constant("pi").scaled(factor)

    def constant(self, name: str) -> Element:
        if name == "E":
            return self.exp(self.tower.one)
        if name in ("pi", "EulerGamma"):
            return self.tower.constant(name)
        raise GiveUp(f"{name} has no value")

    def sqrt(self, u: Element) -> Element:
        return self.power(u, self.tower.number(Fraction(1, 2)))

    def may_terminate(self, a: Element) -> bool:
        """Whether an upper parameter of a hypergeometric series may be an integer <= 0, so that the series ends."""
        q = a.rational()
        return not self.signs.moving(a) if q is None else q <= 0 and q.denominator == 1

    def odd(self, u: Element) -> tuple[int, Element]:
        """(s, s u) with s = 1 or -1 such that u and -u give the same second part."""
        return (-1, -u) if u.num.leading_coefficient() < 0 else (1, u)

    @abstractmethod
    def power(self, u: Element, e: Element) -> Element:
        """u^e."""

    @abstractmethod
    def exp(self, e: Element) -> Element:
        """The exponential."""

    @abstractmethod
    def function_log(self, u: Element) -> Element:
        """log(u)."""

    @abstractmethod
    def cos_sin(self, e: Element) -> Pair:
        """(cos(e), sin(e))."""

    @abstractmethod
    def square_root(self, u: Element) -> tuple[str, Element]:
        """("erf", v) with v^2 = u, or ("erfi", v) with v^2 = -u."""

    @abstractmethod
    def atan2(self, y: Element, x: Element) -> Element:
        """The angle of the point (x, y)."""

    @abstractmethod
    def piece(self, node: Node) -> Node:
        """The value of a piecewise node that counts."""


def exact_angle(forms: Forms, turns: Fraction) -> Pair | None:
    """(cos, sin) of turns*pi in square roots, for denominators that divide 12; None for others."""
    if 12 % turns.denominator:
        return None
    t = forms.tower
    k = int(turns * 12) % 24
    quadrant, k = divmod(k, 6)
    half, quarter = Fraction(1, 2), Fraction(1, 4)

    def root(n: int) -> Element:
        return forms.sqrt(t.number(n))

    first: dict[int, Callable[[], Pair]] = {
        0: lambda: (t.one, t.zero),
        1: lambda: ((root(3) + t.one) * root(2).scaled(quarter), (root(3) - t.one) * root(2).scaled(quarter)),
        2: lambda: (root(3).scaled(half), t.number(half)),
        3: lambda: (root(2).scaled(half), root(2).scaled(half)),
    }
    if k > 3:
        s, c = first[6 - k]()
    else:
        c, s = first[k]()
    for _ in range(quadrant):
        c, s = -s, c
    return c, s


def pair_power(pair: Pair, n: int, one: Element) -> Pair:
    """(cos(n a), sin(n a)) from (cos a, sin a)."""
    if abs(n) > 64:
        raise GiveUp("a multiple of an angle is too large to expand")
    c, s = pair
    if n < 0:
        s, n = -s, -n
    result: Pair = (one, one - one)
    while n:
        if n & 1:
            result = turned(result, (c, s))
        n >>= 1
        if n:
            c, s = turned((c, s), (c, s))
    return result


def turned(a: Pair, b: Pair) -> Pair:
    """(cos, sin) of the sum of two angles."""
    return a[0] * b[0] - a[1] * b[1], a[0] * b[1] + a[1] * b[0]


def _hyperbolic(forms: Forms, e: Element) -> Pair:
    w = forms.exp(e)
    v = w.inverse()
    return (w + v).scaled(Fraction(1, 2)), (w - v).scaled(Fraction(1, 2))


def _ratio(pair: Callable[[Forms, Element], Pair], top: int | None, bottom: int | None) -> Callable[..., Element]:
    def value(forms: Forms, e: Element) -> Element:
        both = pair(forms, e)
        upper = forms.tower.one if top is None else both[top]
        return upper if bottom is None else upper / both[bottom]

    return value


def _circular(forms: Forms, e: Element) -> Pair:
    return forms.cos_sin(e)


#: acot(x) = atan(1/x) and so on.
_OF_INVERSE = {
    "acot": "atan", "asec": "acos", "acsc": "asin", "acoth": "atanh", "asech": "acosh", "acsch": "asinh",
}  # fmt: skip

#: cot = cos/sin and so on: (cos, sin) is numbered (0, 1), None is 1.
_CIRCULAR: dict[str, Callable[[Forms, Element], Element]] = {
    name: _ratio(pair, top, bottom)
    for pair, names in ((_circular, "cos sin tan cot sec csc"), (_hyperbolic, "cosh sinh tanh coth sech csch"))
    for name, (top, bottom) in zip(
        names.split(), ((0, None), (1, None), (1, 0), (0, 1), (None, 0), (None, 1)), strict=True
    )
} | {"exp": lambda forms, e: forms.exp(e)}
