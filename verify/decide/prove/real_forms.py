"""What is an expression of a real claim, every intermediate value of which is real, as an element of the tower?

Arguments are factorised into irreducible polynomials P of the tower:

    log(u)  = sum of m log|P|           where u = c * product of P^m > 0
    u^e     = product of |P|^(m e)      where u > 0, for e not an integer; |P|^(1/q) = rho with rho^q = sign(P) P
    |u|     = sign(u) u,                sign(u) = product of sign(P)^m
    exp(e)  = w^k with w = exp(b/L) > 0 for a basis b of the exponents; exp(c log|P|) = |P|^c
    sin(a), cos(a) are rational in t = tan(b/(2 L)) for a basis b of the angles
    asin(u) = atan(u/sqrt(1 - u^2)), acos(u) = pi/2 - asin(u), acosh(u) = log(u + sqrt(u^2 - 1)), …

None of them has a branch constant; the signs that they need come from `Signs`.
"""

from __future__ import annotations

from fractions import Fraction
from math import prod

from flint import fmpz_mpoly

from verify.decide.prove.factors import Factorisation
from verify.decide.prove.forms import Forms, Pair, exact_angle, pair_power, turned
from verify.decide.prove.signs import EmptyCell, Signs
from verify.decide.prove.spans import Span
from verify.decide.prove.special_forms import whole_part
from verify.decide.prove.tower import Element, GiveUp, Kernel, NeedSign, Tower
from verify.graph import Node

HALF = Fraction(1, 2)
#: Functions f with f(0) = 0 that increase on the real line.
_SIGN_OF_ARGUMENT = frozenset({"atan", "erf", "erfi"})


class RealForms(Forms):
    """Elements of real expressions on one cell."""

    def __init__(self, tower: Tower, signs: Signs) -> None:
        super().__init__(tower, signs)
        self.angles = Span()
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

    # --- powers, logarithms, exponentials -----------------------------------------------------

    def power(self, u: Element, e: Element) -> Element:
        exponent = e.rational()
        if exponent is not None and exponent.denominator == 1:
            return u ** int(exponent)
        if exponent is None:
            if self._whole(e):
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

    def _whole(self, e: Element) -> bool:
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
        return result if sign > 0 else result * self._minus_one_to(e)

    def _minus_one_to(self, e: Element) -> Element:
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
        sign = self._known_sign(power)
        return t.number(sign) if sign else power

    def function_log_absolute(self, u: Element) -> Element:
        """log|u|."""
        constant, parts = self.factors.of(u)
        self.signs.nonzero(parts)
        number = self.factors.log_number(abs(constant))
        return sum((self.factors.log_absolute(p).scaled(m) for p, m in parts), number)

    # --- angles -------------------------------------------------------------------------------

    def cos_sin(self, e: Element) -> Pair:
        t = self.tower
        whole = self._half_turns(e)
        e = e - self.pi() * whole
        result: Pair = (self._minus_one_to(whole), t.zero)
        for i, c in self.linear(e, "constant", "call"):
            pair = self._known_angle(i, c)
            if pair is not None:
                result = turned(result, pair)
                e = e - t.polynomial(t.variables[i]).scaled(c)
        if e.is_zero():
            return result
        for number, c in self.angles.express(e).basis:
            b = self.angles.basis[number]
            k, fine = t.multiple(("tan", self.signs.element_digest(b)), c)
            if ("tan", b.key) not in t.index:
                self._quadrant(b, fine)
            x = t.generator(("tan", b.key), Kernel("tan", (b,), fine))
            under = (t.one + x * x).inverse()
            pair = ((t.one - x * x) * under, x.scaled(2) * under)
            result = turned(result, pair_power(pair, k, t.one))
        return result

    def _half_turns(self, e: Element) -> Element:
        """The n in e = n pi + …, a polynomial in integers without a constant term."""
        t = self.tower
        i = next((i for i in t.generators(e.num) if t.kernels[i].data == "pi"), None)
        if i is None or not e.den.is_constant() or e.num.degrees()[i] != 1:
            return t.zero
        den = int(e.den.leading_coefficient())
        terms = {
            monomial: int(c) // den
            for monomial, c in t.coefficients(e.num, i)[1].to_dict().items()
            if any(monomial) and int(c) % den == 0
        }
        terms = {m: c for m, c in terms.items() if self._whole(t.polynomial(t.ring.from_dict({m: 1})))}
        return t.polynomial(t.ring.from_dict(terms)) if terms else t.zero

    def _quadrant(self, b: Element, fine: int) -> None:
        """Facts of a new angle: the signs of cos(b/L) and sin(b/L) where its range tells."""
        t, ends = self.tower, self.signs.ranges.turns(b)
        if ends is None:
            return
        low, high = (x / fine for x in ends)
        x = t.generator(("tan", b.key), Kernel("tan", (b,), fine)).num
        half_turn, right = low.__floor__(), (low + HALF).__floor__()
        if high <= half_turn + 1:
            self.signs.fact((-1) ** half_turn, [(x, 1)], strict=False)
        if high <= right + HALF:
            self.signs.fact(-((-1) ** right), [(x + 1, 1), (x - 1, 1)], strict=False)

    def _known_angle(self, i: int, c: Fraction) -> Pair | None:
        """(cos, sin) of c*g where g is pi, or the angle of a known point."""
        t, kernel = self.tower, self.tower.kernels[i]
        if kernel.data == "pi":
            return exact_angle(self, c)
        if kernel.data != "atan" or (2 * c).denominator != 1:
            return None
        u = kernel.args[0]
        r = self.sqrt(t.one + u * u)
        if c.denominator == 1:
            return pair_power((r.inverse(), u / r), int(c), t.one)
        # tan(a/2) = u/(1 + sqrt(1 + u^2)) for a = atan(u); cos(a/2) > 0.
        half = u / (t.one + r)
        s = self.sqrt(t.one + half * half)
        return pair_power((s.inverse(), half / s), int(2 * c), t.one)

    # --- inverse functions --------------------------------------------------------------------

    def function_atan(self, u: Element) -> Element:
        """atan(u) = sign(u) pi/2 - atan(1/u), where the sign is known and 1/u is the simpler one."""
        if u.is_zero():
            return u
        s, u = self.odd(u)
        known = self._exact_atan(u) or self._atan_of_tan(u)
        if known is not None:
            return known.scaled(s)
        inverse = u.inverse()
        side = self._known_sign(u) if inverse.complexity < u.complexity else 0
        if not side:
            return self.kernel("atan", u).scaled(s)
        t, v = self.odd(inverse)
        return (self.pi(HALF * side) - self.kernel("atan", v).scaled(t)).scaled(s)

    def _exact_atan(self, u: Element) -> Element | None:
        """Multiples of pi/12."""
        if self.tower.below(u) - set(self.tower.roots):
            return None
        for k in (3, -3, 2, -2, 4, -4, 1, -1, 5, -5):
            c, s = exact_angle(self, Fraction(k, 12)) or (self.tower.one, self.tower.one)
            if (u * c - s).is_zero():
                return self.pi(Fraction(k, 12))
        return None

    def _atan_of_tan(self, u: Element) -> Element | None:
        """atan(tan(a)) = a - n pi where a is certified to lie within (n - 1/2) pi and (n + 1/2) pi; cot(a) likewise."""
        t = self.tower
        present = set(t.generators(u.num, u.den))
        tangents = [i for i in present if t.kernels[i].kind == "tan"]
        if len(tangents) != 1 or len(present) != 1:
            return None
        kernel, x = t.kernels[tangents[0]], t.polynomial(t.variables[tangents[0]])
        pair = (t.one, x)
        for k in range(1, 5):
            c, s = pair_power(pair, k, t.one)
            for sign in (1, -1):
                angle = kernel.args[0].scaled(Fraction(sign * k, 2 * kernel.data))
                if (u * s - c.scaled(sign)).is_zero():
                    angle = self.pi(HALF) - angle
                elif not (u * c - s.scaled(sign)).is_zero():
                    continue
                n = self._nearest(angle)
                return None if n is None else angle - self.pi(n)
        return None

    def _nearest(self, angle: Element) -> int | None:
        """The integer n with (n - 1/2) pi <= angle <= (n + 1/2) pi on the whole domain."""
        ends = self.signs.ranges.turns(angle)
        if ends is None:
            return None
        n = (sum(ends) / 2 + HALF).__floor__()
        return n if n - HALF <= ends[0] and ends[1] <= n + HALF else None

    def function_asin(self, u: Element) -> Element:
        t = self.tower
        if u.is_zero():
            return u
        q = u.rational()
        if q is not None and abs(q) == 1:
            return self.pi(q * HALF)
        self.positive(t.one - u * u, strict=False)
        return self.function_atan(u / self.sqrt(t.one - u * u))

    def function_acos(self, u: Element) -> Element:
        return self.pi(HALF) - self.function_asin(u)

    def function_asinh(self, u: Element) -> Element:
        t = self.tower
        if u.is_zero():
            return u
        s, u = self.odd(u)
        return self.function_log(u + self.sqrt(t.one + u * u)).scaled(s)

    def function_acosh(self, u: Element) -> Element:
        t = self.tower
        if u.rational() == 1:
            return t.zero
        self.positive(u - t.one, strict=False)
        self.positive(u + t.one)
        return self.function_log(u + self.sqrt(u * u - t.one))

    def function_atanh(self, u: Element) -> Element:
        return self.function_log((self.tower.one + u) / (self.tower.one - u)).scaled(HALF)

    def function_acoth(self, u: Element) -> Element:
        return self.function_log((u + self.tower.one) / (u - self.tower.one)).scaled(HALF)

    def atan2(self, y: Element, x: Element) -> Element:
        """atan(y/x), and sign(y) pi more where x < 0."""
        if x.is_zero():
            return self.pi(HALF * self.jump(y))
        side = self.jump(x)
        angle = self.function_atan(y / x)
        if side > 0:
            return angle
        return angle + self.pi(1 if y.is_zero() else self.jump(y))

    # --- pieces -------------------------------------------------------------------------------

    def function_abs(self, u: Element) -> Element:
        return u.scaled(self.sign(u))

    def function_sign(self, u: Element) -> Element:
        return self.tower.number(self.jump(u))

    def function_floor(self, u: Element) -> Element:
        """floor(u + n) = n + floor(u), floor(-u) = -1 - floor(u) where u is no integer; a constant where signs tell."""
        t = self.tower
        if self._whole(u):
            return u
        n = whole_part(u)
        if n:
            return t.number(n) + self.function_floor(u - t.number(n))
        whole = self.signs.ranges.element(u)
        first = None if whole.low is None else whole.low.floor().unique_fmpz()
        if first is not None and whole.high is not None and whole.high < first + 1:
            return t.number(int(first))
        if self.signs.moving(u):
            for n in (-1, 0, 1) if first is None else (int(first), 0):
                if self._known_sign(u - t.number(n)) > 0 and self._known_sign(t.number(n + 1) - u) > 0:
                    return t.number(n)
            s, v = self.odd(u)
            if s < 0:
                return -t.one - self.function_floor(v)
        return self.kernel("floor", u)

    def _known_sign(self, u: Element) -> int:
        """The sign of u where it is known without a split of the cell, else 0."""
        try:
            return self.sign(u)
        except NeedSign:
            return 0

    def function_ceil(self, u: Element) -> Element:
        return -self.function_floor(-u)

    def piece(self, node: Node) -> Node:
        for value, condition in zip(node.args[::2], node.args[1::2], strict=True):
            if self.holds(condition):
                return value
        raise EmptyCell  # undefined here

    def holds(self, condition: Node) -> bool:
        """Whether the condition holds on the cell, borders of pieces left out."""
        match condition.op:
            case "true":
                return True
            case "and":
                return all(self.holds(c) for c in condition.args)
            case "or":
                return any(self.holds(c) for c in condition.args)
        left, right = (self(a) for a in condition.args)
        sign = self.jump(left - right)
        return {
            "<": sign < 0,
            "<=": sign <= 0,
            ">": sign > 0,
            ">=": sign >= 0,
            "=": sign == 0,
            "!=": sign != 0,
        }[condition.value]
