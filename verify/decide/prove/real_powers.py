"""What are powers, logarithms and exponentials of a real claim?  The part of its forms that names no angle.

Arguments are factorised into irreducible polynomials P of the tower:

    log(u)  = sum of m log|P|           where u = c * product of P^m > 0
    u^e     = product of |P|^(m e)      where u > 0, for e not an integer; |P|^(1/q) = rho with rho^q = sign(P) P
    u^n     = |u|^n, and (-1)^n |u|^n where u < 0
    |u|     = sign(u) u,                sign(u) = product of sign(P)^m
    exp(e)  = w^k with w = exp(b/L) > 0 for a basis b of the exponents; exp(c log|P|) = |P|^c
"""

from __future__ import annotations

from abc import ABC
from math import prod

from flint import fmpz_mpoly

from verify.decide.prove.factors import Factorisation
from verify.decide.prove.forms import Forms
from verify.decide.prove.signs import Signs
from verify.decide.prove.tower import Element, GiveUp, Kernel, NeedSign, Tower

#: Functions f with f(0) = 0 that increase on the real line.
_SIGN_OF_ARGUMENT = frozenset({"atan", "erf", "erfi"})


class RealPowers(Forms, ABC):
    """Elements of real expressions on one cell, angles left open."""

    def __init__(self, tower: Tower, signs: Signs) -> None:
        super().__init__(tower, signs)
        signs.alike = self._alike

    # --- signs ------------------------------------------------------------------------------

    def positive(self, u: Element, strict: bool = True) -> Factorisation:
        """Factorise u, and keep in mind that it is positive (not negative) where the claim is defined."""
        constant, parts = self.factors.of(u)
        self.signs.fact(1 if constant > 0 else -1, parts, strict)
        return constant, parts

    def sign(self, u: Element) -> int:
        """The sign of u on the cell, for uses that are continuous where u vanishes."""
        if u.is_zero():
            return 0
        constant, parts = self.factors.of(u)
        return self.signs.of(1 if constant > 0 else -1, parts)

    def jump(self, u: Element) -> int:
        """The sign of u on the cell, for uses that jump where u vanishes."""
        if u.is_zero():
            return 0
        constant, parts = self.factors.of(u)
        sign, factors = (1 if constant > 0 else -1), []
        for p, m in parts:
            i = self.tower.single(p)
            kernel = None if i is None else self.tower.kernels[i]
            if m % 2 and kernel is not None and kernel.kind == "call" and kernel.data in _SIGN_OF_ARGUMENT:
                sign *= self.jump(kernel.args[0])
            else:
                factors.append((p, m))
        return self.signs.jump(sign, factors)

    def _alike(self, p: fmpz_mpoly) -> Factorisation | None:
        """What has the sign of p: b of exp(b/L) - 1, and of tan(b/(2 L)) with |b/(2 L)| <= pi/2, u of atan(u)."""
        t = self.tower
        present = list(t.generators(p))
        if len(present) != 1 or p.total_degree() != 1:
            return None
        i = present[0]
        kernel = t.kernels[i]
        u = None
        if kernel.kind == "exp" and (p == t.variables[i] - 1 or p == 1 - t.variables[i]):
            u = kernel.args[0].scaled(int(p.leading_coefficient()))
        elif kernel.kind == "call" and kernel.data in _SIGN_OF_ARGUMENT and p == t.variables[i]:
            u = kernel.args[0]
        elif kernel.kind == "tan" and p == t.variables[i]:
            ends = self.signs.ranges.turns(kernel.args[0])
            if ends is not None and -kernel.data <= ends[0] and ends[1] <= kernel.data:
                u = kernel.args[0]
        return None if u is None else self.factors.of(u)

    def square_root(self, u: Element) -> tuple[str, Element]:
        """("erf", v) with v^2 = u where u > 0, ("erfi", v) with v^2 = -u where u < 0."""
        sign = self.sign(u)
        return ("erf" if sign > 0 else "erfi"), self.sqrt(u.scaled(sign))

    def known_sign(self, u: Element) -> int:
        """The sign of u where it is known without a split of the cell, else 0."""
        try:
            return self.sign(u)
        except NeedSign:
            return 0

    # --- powers, logarithms, exponentials -----------------------------------------------------

    def power(self, u: Element, e: Element) -> Element:
        exponent = e.rational()
        if exponent is not None and exponent.denominator == 1:
            return u ** int(exponent)
        if exponent is None:
            if self.whole(e):
                return self._whole_power(u, e)
            if not self.signs.moving(e) and self.sign(u) < 0:
                raise GiveUp("a power of a negative number whose exponent may be an integer")
            return self.exp(e * self.function_log(u))
        if u.is_zero() and exponent > 0:
            return u
        constant, parts = self.positive(u, strict=exponent < 0)
        result = prod((self.factors.absolute(p, m * exponent) for p, m in parts), start=self.tower.one)
        return result * self.factors.number_power(abs(constant), exponent)

    def function_log(self, u: Element) -> Element:
        constant, parts = self.positive(u)
        number = self.factors.log_number(abs(constant))
        return sum((self.factors.log_absolute(p).scaled(m) for p, m in parts), number)

    def exp(self, e: Element) -> Element:
        t, result = self.tower, self.tower.one
        for i, c in self.linear(e, "log", "call"):
            kernel = t.kernels[i]
            if kernel.kind == "log":
                result = result * self.factors.absolute(kernel.args[0].num, c)
            elif kernel.data == "LambertW" and c.denominator == 1:
                result = result * (kernel.args[0] / t.polynomial(t.variables[i])) ** int(c)
            else:
                continue
            e = e - t.polynomial(t.variables[i]).scaled(c)
        return result * self.basis_exp(e)

    # --- integer powers -----------------------------------------------------------------------

    def whole(self, e: Element) -> bool:
        """Whether e is an integer wherever it is defined: a polynomial in integer variables and floors."""
        kernels = [self.tower.kernels[i] for i in self.tower.generators(e.num)]
        return e.den.is_one() and all(
            (k.kind == "symbol" and k.data in self.signs.integers) or (k.kind == "call" and k.data == "floor")
            for k in kernels
        )

    def _whole_power(self, u: Element, e: Element) -> Element:
        """u^n = |u|^n for u > 0 and (-1)^n |u|^n for u < 0."""
        sign = self.sign(u)
        result = self.exp(e * self.function_log_absolute(u))
        return result if sign > 0 else result * self.minus_one_to(e)

    def minus_one_to(self, e: Element) -> Element:
        """(-1)^e for a polynomial e in integers: even coefficients do not count, and n^k is as odd as n."""
        t = self.tower
        odd: set[tuple[int, ...]] = set()
        for monomial, c in e.num.to_dict().items():
            if c % 2:
                odd ^= {tuple(min(k, 1) for k in monomial)}
        result = t.one
        for monomial in sorted(odd):
            term = t.polynomial(t.ring.from_dict({monomial: 1}))
            result = result * (self._alternating(term) if any(monomial) else -t.one)
        return result

    def _alternating(self, n: Element) -> Element:
        """(-1)^n, a square root of 1; the number that it is where its sign is known."""
        t = self.tower
        power = t.generator(("alternating", n.key), Kernel("root", (t.one, n), 2))
        sign = self.known_sign(power)
        return t.number(sign) if sign else power

    def function_log_absolute(self, u: Element) -> Element:
        """log|u|."""
        constant, parts = self.factors.of(u)
        self.signs.nonzero(parts)
        number = self.factors.log_number(abs(constant))
        return sum((self.factors.log_absolute(p).scaled(m) for p, m in parts), number)
