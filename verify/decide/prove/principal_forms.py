"""What is an expression of a complex claim, on principal branches, as an element of the tower?

Only identities that hold on every branch are used; `cuts` says where a logarithm of a product may be taken apart.

    log(r v) = log(r) + log(v),  (r v)^e = r^e v^e for r > 0,  log(-1) = i pi,  log(i) = i pi/2
    v^(p/q) = (v^(1/q))^p,  v^a v^b = v^(a + b),  v^a = exp(a log(v))
    sin, cos, tan by exp(i z), sinh, cosh, tanh by exp(z), exp(i pi/12) by square roots
    asin(u)  = -i asinh(i u), acos(u) = pi/2 - asin(u)     (DLMF 4.23.19)
    atan(u)  = (log(1 + i u) - log(1 - i u))/(2 i)         (4.23.26)
    asinh(u) = log(u + sqrt(u^2 + 1))                      (4.37.16)
    acosh(u) = log(u + sqrt(u + 1) sqrt(u - 1))            (4.37.21)
    atanh(u) = (log(1 + u) - log(1 - u))/2                 (4.37.24)

So sqrt(x^2) is no x, log(x^2) is no 2 log(x), and sqrt(x) sqrt(y) is no sqrt(x y).
"""

from __future__ import annotations

from fractions import Fraction

from verify.decide.prove.cuts import Cuts
from verify.decide.prove.forms import Forms, Pair, exact_angle
from verify.decide.prove.signs import Signs
from verify.decide.prove.tower import Element, GiveUp, Kernel, Tower
from verify.graph import Node

HALF = Fraction(1, 2)


class PrincipalForms(Forms):
    """Elements of expressions on principal branches."""

    def __init__(self, tower: Tower, signs: Signs, complex_names: frozenset[str]) -> None:
        super().__init__(tower, signs)
        self.cuts = Cuts(tower, signs, self.factors, complex_names)
        self.factors.is_absolute = lambda i: self.cuts.positive(tower.variables[i])

    @property
    def i(self) -> Element:
        """The imaginary unit."""
        return self.cuts.i

    def constant(self, name: str) -> Element:
        return self.i if name == "I" else super().constant(name)

    def symbol(self, name: str) -> Element:
        """A variable z, or r^q with its principal root r = z^(1/q) where there is one."""
        z, q = self.tower.symbol(name), self.tower.plan.fineness.get(("radix", name), 1)
        return z if q == 1 else self.factors.radix(self.tower.index["symbol", name], Fraction(1))

    # --- powers, logarithms, exponentials -------------------------------------------------------

    def function_log(self, u: Element) -> Element:
        parts = self.cuts.parts(u)
        result = self.i * self.pi(parts.quarters * HALF) if parts.quarters else self.tower.zero
        for c, a in parts.numbers:
            result = result + self.factors.log_number(c).scaled(a)
        for p, m in parts.positive:
            result = result + self.factors.log_absolute(p).scaled(m)
        for v, a in parts.rest:
            log = self.tower.generator(("principal", v.key), Kernel("principal", (v,), "log"))
            result = result + log.scaled(a)
        return result

    def power(self, u: Element, e: Element) -> Element:
        exponent = e.rational()
        if exponent is None:
            return self.exp(e * self.function_log(u))
        if exponent.denominator == 1:
            return u ** int(exponent)
        if u.is_zero() and exponent > 0:
            return u
        parts = self.cuts.parts(u)
        result = self._turn(parts.quarters * exponent * HALF) if parts.quarters else self.tower.one
        for c, a in parts.numbers:
            result = result * self.factors.number_power(c, a * exponent)
        for p, m in parts.positive:
            result = result * self.factors.absolute(p, m * exponent)
        for v, a in parts.rest:
            result = result * self._rest_power(v, a * exponent)
        return result

    def _rest_power(self, v: Element, e: Fraction) -> Element:
        """v^e for a v that is not taken apart."""
        t = self.tower
        i = t.single(v.num) if v.den.is_one() else None
        if i is not None and t.kernels[i].kind == "symbol":
            whole = e.denominator == 1 and ("radix", t.kernels[i].data) not in t.plan.fineness
            return v ** int(e) if whole else self.factors.radix(i, e)
        if e.denominator == 1:
            return v ** int(e)
        return t.root(v, e.denominator, f"({v.key})", self.signs.element_digest(v)) ** e.numerator

    def _turn(self, turns: Fraction) -> Element:
        """exp(i pi turns)."""
        pair = exact_angle(self, turns)
        if pair is not None:
            return pair[0] + self.i * pair[1]
        return self.basis_exp(self.i * self.pi(turns))

    def exp(self, e: Element) -> Element:
        t, result = self.tower, self.tower.one
        for i, c in self.linear(e, "log", "principal", "call"):
            kernel = t.kernels[i]
            if kernel.kind == "log":
                result = result * self.factors.absolute(kernel.args[0].num, c)
            elif kernel.kind == "principal":
                result = result * self._rest_power(kernel.args[0], c)
            elif kernel.data == "LambertW" and c.denominator == 1:
                result = result * (kernel.args[0] / t.polynomial(t.variables[i])) ** int(c)
            else:
                continue
            e = e - t.polynomial(t.variables[i]).scaled(c)
        unit = self.i
        for i, c in self.linear(-e * unit, "constant"):
            if t.kernels[i].data == "pi" and exact_angle(self, c) is not None:
                result = result * self._turn(c)
                e = e - unit * self.pi(c)
        return result * self.basis_exp(e)

    def cos_sin(self, e: Element) -> Pair:
        w = self.exp(self.i * e)
        v = w.inverse()
        return (w + v).scaled(HALF), (w - v).scaled(HALF) / self.i

    # --- inverse functions ----------------------------------------------------------------------

    def function_asin(self, u: Element) -> Element:
        return -self.i * self.function_asinh(self.i * u)

    def function_acos(self, u: Element) -> Element:
        return self.pi(HALF) - self.function_asin(u)

    def function_atan(self, u: Element) -> Element:
        one, iu = self.tower.one, self.i * u
        return (-self.i * (self.function_log(one + iu) - self.function_log(one - iu))).scaled(HALF)

    def function_asinh(self, u: Element) -> Element:
        if u.is_zero():
            return u
        s, u = self.odd(u)
        square = self.tower.one + u * u
        return self.function_log(u if square.is_zero() else u + self.sqrt(square)).scaled(s)

    def function_acosh(self, u: Element) -> Element:
        one = self.tower.one
        if u.rational() in (1, -1):
            return self.function_log(u)
        return self.function_log(u + self.sqrt(u + one) * self.sqrt(u - one))

    def function_atanh(self, u: Element) -> Element:
        one = self.tower.one
        return (self.function_log(one + u) - self.function_log(one - u)).scaled(HALF)

    def function_erfi(self, u: Element) -> Element:
        return -self.i * self.function("erf", (self.i * u,))

    def function_abs(self, u: Element) -> Element:  # noqa: ARG002
        raise GiveUp("abs, sign, floor, max, min and pieces are proved in real claims only")

    function_sign = function_floor = function_ceil = function_abs

    def atan2(self, y: Element, x: Element) -> Element:  # noqa: ARG002
        raise GiveUp("atan2 is proved in real claims only")

    def piece(self, node: Node) -> Node:  # noqa: ARG002
        raise GiveUp("abs, sign, floor, max, min and pieces are proved in real claims only")

    def square_root(self, u: Element) -> tuple[str, Element]:
        """("erf", v) with v^2 = u, for functions that do not mind the sign of v."""
        constant, parts = self.factors.of(u)
        odd, v = self.tower.number(constant), self.tower.one
        for p, m in parts:
            v = v * self.tower.polynomial(p) ** (m // 2)
            odd = odd * self.tower.polynomial(p) ** (m % 2)
        return "erf", v * self.sqrt(odd)

    def function_fresnelc(self, u: Element) -> Element:
        """C(z) = (1 - i)/4 (erf((1 + i) sqrt(pi) z/2) + i erf((1 - i) sqrt(pi) z/2)) (7.5.9 and 7.5.10)."""
        i, (plus, minus) = self.i, self._fresnel(u)
        return ((self.tower.one - i) * (plus + i * minus)).scaled(HALF * HALF)

    def function_fresnels(self, u: Element) -> Element:
        """S(z) = (1 + i)/4 (erf((1 + i) sqrt(pi) z/2) - i erf((1 - i) sqrt(pi) z/2))."""
        i, (plus, minus) = self.i, self._fresnel(u)
        return ((self.tower.one + i) * (plus - i * minus)).scaled(HALF * HALF)

    def _fresnel(self, u: Element) -> Pair:
        one, scaled = self.tower.one, self.sqrt(self.pi()) * u.scaled(HALF)
        return self.function("erf", ((one + self.i) * scaled,)), self.function("erf", ((one - self.i) * scaled,))
