"""Between which bounds does a polynomial of the tower lie, and which sign can be certified from that?

All statements are closed (P >= 0 or P <= 0): a quantity that vanishes on a thin set only is positive on the rest.
Certificates: interval arithmetic on the kernels' ranges; a*g^2 + b*g + c >= 0 when a >= 0 and 4*a*c - b^2 >= 0;
P = c*Q + R with Q of known sign; subdivision of a bounded box of the variables.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from fractions import Fraction

from flint import arb, ctx, fmpq, fmpz_mpoly

from verify.decide.prove.intervals import POSITIVE, Interval, point
from verify.decide.prove.tower import Element, Tower

#: Boxes that one certificate may look at, and terms of a polynomial worth looking at.
LARGEST_SUBDIVISION = 120
LARGEST_CERTIFIED = 60

#: Functions with a range of their own, increasing on the real line: the limits at -oo and oo.
_INCREASING: dict[str, tuple[Callable[[arb], arb], Callable[[], arb | None], Callable[[], arb | None]]] = {
    "atan": (arb.atan, lambda: -arb.pi() / 2, lambda: arb.pi() / 2),
    "erf": (arb.erf, lambda: arb(-1), lambda: arb(1)),
    "erfi": (arb.erfi, lambda: None, lambda: None),
}
#: Functions that are positive wherever they are real (gamma: at positive arguments, see `_call`).
_POSITIVE_FUNCTIONS = frozenset({"elliptic_k", "elliptic_e", "besselk"})


class Ranges:
    """Enclosures of generators and polynomials over the declared ranges of the variables."""

    def __init__(
        self, tower: Tower, variables: Mapping[str, Interval], angles: Mapping[str, tuple[Fraction, Fraction]]
    ) -> None:
        self.tower = tower
        self.variables = variables
        self.angles = angles
        """The ranges of those variables that end at rational multiples of pi, in multiples of pi."""
        self.bounds: dict[int, Interval] = {}
        """What the current cell adds to the range of a generator."""
        self._memo: dict[int, Interval] = {}

    def tighten(self, p: fmpz_mpoly, sign: int) -> bool:
        """Learn from sign*p >= 0; whether no value of a generator is left."""
        present = list(self.tower.generators(p))
        if len(present) != 1 or p.total_degree() != 1:
            return False
        parts = self.tower.coefficients(p, present[0])
        slope, constant = int(parts[1].leading_coefficient()), parts.get(0)
        zero = arb(fmpq(-int(constant.leading_coefficient()) if constant is not None else 0, slope))
        new = Interval(zero.lower(), None) if slope * sign > 0 else Interval(None, zero.upper())
        known = self.bounds.get(present[0], Interval()).meet(new)
        self.bounds[present[0]] = known
        self._memo.clear()
        whole = self.generator(present[0])
        return whole.low is not None and whole.high is not None and whole.low > whole.high

    def generator(self, i: int, box: Mapping[str, Interval] | None = None, memo: dict | None = None) -> Interval:
        """Where the generator lies; `box` replaces the ranges of the variables."""
        memo = self._memo if memo is None else memo
        found = memo.get(i)
        if found is None:
            found = self._kernel(i, box, memo)
            if i in self.bounds:
                found = found.meet(self.bounds[i])
            memo[i] = found
        return found

    def _kernel(self, i: int, box: Mapping[str, Interval] | None, memo: dict) -> Interval:
        kernel = self.tower.kernels[i]
        inner = [self.element(a, box, memo) for a in kernel.args]
        match kernel.kind:
            case "symbol":
                return (self.variables if box is None else box).get(kernel.data, Interval())
            case "constant":
                return point(arb.pi() if kernel.data == "pi" else arb.const_euler())
            case "exp":
                x = inner[0] * point(arb(fmpq(1, kernel.data)))
                return x.image(arb.exp, arb(0), None)
            case "tan":
                return self._tangent(kernel.args[0], kernel.data, box, memo)
            case "log":
                p = inner[0] if inner[0].nonnegative else -inner[0]
                if not p.nonnegative:
                    return Interval()
                low = None if p.low is None or not p.low > 0 else point(p.low.log()).low
                return Interval(low, None if p.high is None or not p.high > 0 else point(p.high.log()).high)
            case "root" if len(inner) > 1:  # (-1)^n
                return Interval(arb(-1), arb(1))
            case "root" | "radix":
                p = inner[0] if kernel.kind == "root" or inner[0].nonnegative else -inner[0]
                p = p.meet(POSITIVE)
                if p.high is not None and p.high < 0:
                    return POSITIVE
                return p.image(lambda x: arb(0) if x.is_zero() else x.root(kernel.data), arb(0), None)
            case _:
                return self._call(kernel.data, inner)

    def _tangent(self, e: Element, divisor: int, box: Mapping[str, Interval] | None, memo: dict) -> Interval:
        """tan(e/(2 L)), which increases from pole to pole."""
        ends = self.turns(e, box, memo)
        if ends is None:
            return Interval()
        low, high = (x / (2 * divisor) for x in ends)
        n = (low + Fraction(1, 2)).__floor__()
        if high > n + Fraction(1, 2):
            return Interval()
        tangents = [point(_ball(x).tan_pi()) if abs(x - n) < Fraction(1, 2) else Interval() for x in (low, high)]
        return Interval(tangents[0].low, tangents[1].high)

    def turns(
        self, e: Element, box: Mapping[str, Interval] | None = None, memo: dict | None = None
    ) -> tuple[Fraction, Fraction] | None:
        """Between which multiples of pi the element lies: exact where the ends of a variable are multiples of pi."""
        t = self.tower
        if box is None and e.den.is_constant():
            low = high = Fraction(0)
            for monomial, c in e.num.to_dict().items():
                q = Fraction(int(c), int(e.den.leading_coefficient()))
                kernel = t.kernels[monomial.index(1)] if sum(monomial) == 1 else None
                if kernel is not None and kernel.kind == "constant" and kernel.data == "pi":
                    ends = (Fraction(1), Fraction(1))
                elif kernel is not None and kernel.kind == "symbol" and kernel.data in self.angles:
                    ends = self.angles[kernel.data]
                else:
                    break
                low, high = low + min(q * x for x in ends), high + max(q * x for x in ends)
            else:
                return low, high
        whole = self.element(e, box, memo)
        if whole.low is None or whole.high is None:
            return None
        return _fraction((whole.low / arb.pi()).lower()), _fraction((whole.high / arb.pi()).upper())

    def turns_of_atan(self, u: Element) -> tuple[Fraction, Fraction]:
        """Between which multiples of pi atan(u) lies: half a turn exactly where u has no bound."""
        whole, half = self.element(u), Fraction(1, 2)
        return (
            -half if whole.low is None else _fraction((whole.low.atan() / arb.pi()).lower()),
            half if whole.high is None else _fraction((whole.high.atan() / arb.pi()).upper()),
        )

    def unbounded(self, u: Element) -> bool:
        """Whether no finite bounds of u are known, on both sides."""
        whole = self.element(u)
        return whole.low is None and whole.high is None

    def _call(self, name: str, inner: list[Interval]) -> Interval:
        if name in _INCREASING and len(inner) == 1:
            function, below, above = _INCREASING[name]
            return inner[0].image(function, below(), above())
        if (name in _POSITIVE_FUNCTIONS and len(inner) < 3) or (name == "gamma" and inner[0].nonnegative):
            return POSITIVE if name != "elliptic_e" or len(inner) == 1 else Interval()
        if name == "floor":
            return inner[0].image(arb.floor)
        return Interval()

    def element(self, e: Element, box: Mapping[str, Interval] | None = None, memo: dict | None = None) -> Interval:
        """Where the element lies."""
        num = self.polynomial(e.num, box, memo)
        return num if e.den.is_one() else num * self.polynomial(e.den, box, memo).inverse()

    def polynomial(
        self, p: fmpz_mpoly, box: Mapping[str, Interval] | None = None, memo: dict | None = None
    ) -> Interval:
        """Where the polynomial lies: its monomials are enclosed one by one."""
        total = point(arb(0))
        for monomial, c in p.to_dict().items():
            term = point(arb(c))
            for i, k in enumerate(monomial):
                if k:
                    term = term * self.generator(i, box, memo).power(int(k))
            total = total + term
        return total

    # --- certificates -------------------------------------------------------------------------

    def certify(self, p: fmpz_mpoly, known: Mapping[str, tuple[fmpz_mpoly, int]], effort: int = 2) -> int:
        """1 if p >= 0 on the whole domain, -1 if p <= 0 there, 0 if nothing is known."""
        if len(p) > LARGEST_CERTIFIED:
            return 0
        whole = self.polynomial(p)
        if whole.nonnegative or whole.nonpositive:
            return 1 if whole.nonnegative else -1
        if effort <= 0:
            return 0
        below = self.tower.below(self.tower.polynomial(p))
        names = [self.tower.kernels[i].data for i in sorted(below) if self.tower.kernels[i].kind == "symbol"]
        if not names:
            return self._constant(p)
        return (
            self._quadratic(p, known, effort)
            or self._difference(p, known, effort)
            or (self._subdivided(p, names) if effort == 2 else 0)
        )

    def _constant(self, p: fmpz_mpoly) -> int:
        precision = ctx.prec
        try:
            ctx.prec = 512
            value = self.polynomial(p, {}, {})
        finally:
            ctx.prec = precision
        return 1 if value.nonnegative else -1 if value.nonpositive else 0

    def _quadratic(self, p: fmpz_mpoly, known: Mapping[str, tuple[fmpz_mpoly, int]], effort: int) -> int:
        degrees = p.degrees()
        for i in self.tower.generators(p):
            if degrees[i] not in (2, 4):
                continue
            parts = self.tower.coefficients(p, i)
            h = int(degrees[i]) // 2
            if set(parts) - {0, h, 2 * h} or 0 not in parts:
                continue
            a, c = parts[2 * h], parts[0]
            if any(self.tower.kernels[j].kind == "call" for j in self.tower.below(self.tower.polynomial(a))):
                continue  # a might be zero in disguise, and p = b*g + c
            b = parts.get(h, self.tower.ring.constant(0))
            sign = self.certify(a, known, effort - 1)
            if sign and self.certify(4 * a * c - b * b, known, effort - 1) == 1:
                return sign
        return 0

    def _difference(self, p: fmpz_mpoly, known: Mapping[str, tuple[fmpz_mpoly, int]], effort: int) -> int:
        """p = c*q + r with c > 0, where the signs of q and r are known and the same."""
        terms = p.to_dict()
        for q, sign in known.values():
            if len(q) > len(p) + 1:
                continue
            for monomial, coefficient in q.to_dict().items():
                if monomial not in terms:
                    continue
                c = Fraction(int(terms[monomial]), int(coefficient))
                if c < 0:
                    c, q, sign = -c, -q, -sign
                r = p * c.denominator - q * c.numerator
                if len(r) <= len(p) + 1 and (r.is_zero() or self.certify(r, {}, effort - 2) == sign):
                    return sign
        return 0

    def _subdivided(self, p: fmpz_mpoly, names: list[str]) -> int:
        box: dict[str, tuple[arb, arb]] = {}
        for name in names:
            whole = self.variables.get(name, Interval())
            if whole.low is None or whole.high is None or len(names) > 3:
                return 0
            box[name] = whole.low, whole.high
        todo, sign, count = [box], 0, 0
        while todo:
            count += 1
            if count > LARGEST_SUBDIVISION:
                return 0
            part = todo.pop()
            value = self.polynomial(p, {name: Interval(*ends) for name, ends in part.items()}, {})
            found = 1 if value.nonnegative else -1 if value.nonpositive else 0
            if found:
                if found == -sign:
                    return 0
                sign = found
                continue
            name = max(names, key=lambda n, part=part: float((part[n][1] - part[n][0]).mid()))
            low, high = part[name]
            middle = ((low + high) / 2).mid()
            todo += [part | {name: (middle, high)}, part | {name: (low, middle)}]
        return sign


def _ball(x: Fraction) -> arb:
    return arb(fmpq(x.numerator, x.denominator))


def _fraction(x: arb) -> Fraction:
    """The number that an exact ball is."""
    mantissa, exponent = (int(n) for n in x.man_exp())
    return Fraction(mantissa) * Fraction(2) ** exponent
