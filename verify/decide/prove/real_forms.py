"""What is an expression of a real claim, every intermediate value of which is real, as an element of the tower?

Powers, logarithms and exponentials are those of `real_powers`; here are angles, inverse functions and pieces:

    sin(a), cos(a) are rational in t = tan(b/(2 L)) for a basis b of the angles
    asin(u) = atan(u/sqrt(1 - u^2)), acos(u) = pi/2 - asin(u), acosh(u) = log(u + sqrt(u^2 - 1)), …

None of them has a branch constant; the signs that they need come from `Signs`.
"""

from __future__ import annotations

from fractions import Fraction

from verify.decide.prove.forms import Pair, exact_angle, pair_power, turned
from verify.decide.prove.real_powers import RealPowers
from verify.decide.prove.signs import EmptyCell, Signs
from verify.decide.prove.spans import Span
from verify.decide.prove.special_forms import whole_part
from verify.decide.prove.tower import Element, Kernel, Tower
from verify.graph import Node

HALF = Fraction(1, 2)


class RealForms(RealPowers):
    """Elements of real expressions on one cell."""

    def __init__(self, tower: Tower, signs: Signs) -> None:
        super().__init__(tower, signs)
        self.angles = Span()

    # --- angles -------------------------------------------------------------------------------

    def cos_sin(self, e: Element) -> Pair:
        t = self.tower
        whole = self._half_turns(e)
        e = e - self.pi() * whole
        result: Pair = (self.minus_one_to(whole), t.zero)
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
        terms = {m: c for m, c in terms.items() if self.whole(t.polynomial(t.ring.from_dict({m: 1})))}
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
        side = self.known_sign(u) if inverse.complexity < u.complexity else 0
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
        if self.whole(u):
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
                if self.known_sign(u - t.number(n)) > 0 and self.known_sign(t.number(n + 1) - u) > 0:
                    return t.number(n)
            s, v = self.odd(u)
            if s < 0:
                return -t.one - self.function_floor(v)
        return self.kernel("floor", u)

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
