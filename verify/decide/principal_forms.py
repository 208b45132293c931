"""What is an expression of a complex claim, on principal branches, as an element of the tower?

Only identities that hold on every branch are used.  An argument is u = r v with a positive real r, the product of its
factors that are certified positive, and a rest v that is never taken apart:

    log(u) = log(r) + log(v),  u^e = r^e v^e,  log(-1) = i pi,  log(i) = i pi/2
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

from flint import fmpz_mpoly

from verify.decide.forms import Forms, Pair, exact_angle
from verify.decide.signs import Signs
from verify.decide.tower import Element, GiveUp, Kernel, NeedSign, Tower
from verify.graph import Node

HALF = Fraction(1, 2)


class PrincipalForms(Forms):
    """Elements of expressions on principal branches."""

    def __init__(self, tower: Tower, signs: Signs, complex_names: frozenset[str]) -> None:
        super().__init__(tower, signs)
        self._complex = complex_names
        self._pairs: dict[str, Pair | None] = {}

    @property
    def i(self) -> Element:
        """The imaginary unit."""
        return self.tower.root(self.tower.number(-1), 2, "I", "I")

    def constant(self, name: str) -> Element:
        return self.i if name == "I" else super().constant(name)

    # --- positive factors -----------------------------------------------------------------------

    def _positive(self, p: fmpz_mpoly) -> bool:
        """Whether the polynomial has real values only, and positive ones by a certificate."""
        kernels = self.tower.kernels
        for i in self.tower.below(self.tower.polynomial(p)):
            kernel = kernels[i]
            if kernel.kind == "symbol" and kernel.data in self._complex:
                return False
            if kernel.kind in ("call", "principal") or (kernel.kind == "root" and i not in self.factors.root_of):
                return False
        try:
            return self.signs.sign(p) > 0 and self.signs.thin(p)
        except NeedSign:
            return False

    def _parts(self, u: Element) -> tuple[Fraction, list[tuple[fmpz_mpoly, int]], Element]:
        """(c, [(P, m), …], v) with u = c * product of P^m * v, where c > 0 and the P are positive."""
        if u.is_zero():
            raise GiveUp("an argument is identically zero")
        constant, parts = self.factors.of(u)
        t = self.tower
        positive = [(p, m) for p, m in parts if self._positive(p)]
        rest = u.scaled(1 / abs(constant))
        for p, m in positive:
            rest = rest * t.polynomial(p) ** -m
        return abs(constant), positive, rest

    def _quarter(self, v: Element) -> int | None:
        """k with v = i^k."""
        for k, unit in enumerate((self.tower.one, self.i, -self.tower.one, -self.i)):
            if v.key == unit.key:
                return k if k < 3 else -1
        return None

    # --- powers, logarithms, exponentials -------------------------------------------------------

    def function_log(self, u: Element) -> Element:
        constant, positive, v = self._parts(u)
        result = self.factors.log_number(constant)
        for p, m in positive:
            result = result + self.factors.log_absolute(p).scaled(m)
        k = self._quarter(v)
        if k is not None:
            return result + self.i * self.pi(k * HALF)
        pair = self._opposite(v)
        if pair is not None:
            return result + self.function_log(pair[0]) + self.function_log(pair[1])
        return result + self.tower.generator(("principal", v.key), Kernel("principal", (v,), "log"))

    def power(self, u: Element, e: Element) -> Element:
        exponent = e.rational()
        if exponent is None:
            return self.exp(e * self.function_log(u))
        if exponent.denominator == 1:
            return u ** int(exponent)
        if u.is_zero() and exponent > 0:
            return u
        constant, positive, v = self._parts(u)
        result = self.factors.number_power(constant, exponent)
        for p, m in positive:
            result = result * self.factors.absolute(p, m * exponent)
        return result * self._rest_power(v, exponent)

    def _rest_power(self, v: Element, e: Fraction) -> Element:
        """v^e for a rest v."""
        if e.denominator == 1:
            return v ** int(e)
        k = self._quarter(v)
        if k == 0:
            return self.tower.one
        if k is not None:
            return self._turn(k * e * HALF)
        pair = self._opposite(v)
        if pair is not None:
            exponent = self.tower.number(e)
            return self.power(pair[0], exponent) * self.power(pair[1], exponent)
        return self.tower.root(v, e.denominator, f"({v.key})", self.signs.element_digest(v)) ** e.numerator

    def _opposite(self, v: Element) -> Pair | None:
        """(A, B) with v = A B and A + B > 0, if v = r + c s^2 with a rational r > 0 and c: A, B = sqrt(r) +- sqrt(-c) s.

        The imaginary parts of A and B are opposite, and at most one of the two is negative where they are real.  So
        arg(A) + arg(B) lies in (-pi, pi], log(A B) = log(A) + log(B), and (A B)^e = A^e B^e for every e.
        """
        t = self.tower
        if v.key not in self._pairs:
            self._pairs[v.key] = None
            r = Fraction(int(v.num.to_dict().get(v.den.monomial(0), 0)), int(v.den.leading_coefficient()))
            if r > 0:
                constant, parts = self.factors.of(v - t.number(r))
                if all(m % 2 == 0 for _, m in parts):
                    s = self.sqrt(t.number(-constant))
                    for p, m in parts:
                        s = s * t.polynomial(p) ** (m // 2)
                    r = self.sqrt(t.number(r))
                    self._pairs[v.key] = (r + s, r - s)
        return self._pairs[v.key]

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

    def function_abs(self, u: Element) -> Element:
        raise GiveUp("abs, sign, floor, max, min and pieces are proved in real claims only")

    function_sign = function_floor = function_ceil = function_abs

    def atan2(self, y: Element, x: Element) -> Element:
        raise GiveUp("atan2 is proved in real claims only")

    def piece(self, node: Node) -> Node:
        raise GiveUp("abs, sign, floor, max, min and pieces are proved in real claims only")

    def square_root(self, u: Element) -> tuple[str, Element]:
        """("erf", v) with v^2 = u: the rational root where there is one."""
        constant, parts = self.factors.of(u)
        if all(m % 2 == 0 for _, m in parts):
            v = self.sqrt(self.tower.number(constant))
            for p, m in parts:
                v = v * self.tower.polynomial(p) ** (m // 2)
            return "erf", v
        return "erf", self.sqrt(u)
