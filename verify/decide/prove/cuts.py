"""Where may the logarithm of a product be the sum of the logarithms, on principal branches?

An argument is taken apart into u = c * product of P^m * i^k * product of w^a, such that

    log(u) = log(c) + sum of m log(P) + i pi k/2 + sum of a log(w),      u^e = c^e ... w^(a e)    for every e.

c and the P are positive (certified); the w are what is left.  The rules, each with its side condition:

    r u        r > 0                                      always
    A B        A + l B = k, real l > 0 and k > 0          Im A and Im B are opposite; of two reals one is positive
    A/B        A - l B = k, real l > 0 and k < 0          Im A and Im B are of one sign; A > 0 > B is impossible
    rho^k      rho = v^(1/q), |k| < q or k = q            |arg rho| <= pi/q, and arg rho > -pi/q
    1/v        v is a non-constant holomorphic function   1/v is negative on a thin set only

The last one needs v to be a rational function of variables, one of them complex, and of one exponential at most;
then it cannot be a constant in disguise.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction

from flint import fmpz_mpoly

from verify.decide.prove.factors import Factors
from verify.decide.prove.signs import Signs
from verify.decide.prove.tower import Element, GiveUp, NeedSign, Tower

HALF = Fraction(1, 2)


@dataclass
class Parts:
    """log(u) = log(constant) + sum of m log(P) + i pi quarters/2 + sum of a log(w); see the head of this module."""

    constant: Fraction = Fraction(1)
    positive: list[tuple[fmpz_mpoly, Fraction]] = field(default_factory=list)
    quarters: Fraction = Fraction(0)
    rest: list[tuple[Element, Fraction]] = field(default_factory=list)
    numbers: list[tuple[Fraction, Fraction]] = field(default_factory=list)
    """Positive numbers with their exponents."""

    def add(self, other: Parts, weight: Fraction) -> None:
        """Multiply by other^weight."""
        self.numbers += [(c, a * weight) for c, a in other.numbers]
        self.positive += [(p, m * weight) for p, m in other.positive]
        self.quarters += other.quarters * weight
        self.rest += [(w, a * weight) for w, a in other.rest]


class Cuts:
    """Takes arguments apart in one tower."""

    def __init__(self, tower: Tower, signs: Signs, factors: Factors, complex_names: frozenset[str]) -> None:
        self.tower, self.signs, self.factors, self.complex_names = tower, signs, factors, complex_names
        self._known: dict[str, Parts] = {}

    @property
    def i(self) -> Element:
        """The imaginary unit."""
        return self.tower.root(self.tower.number(-1), 2, "I", "I")

    def parts(self, u: Element) -> Parts:
        """u taken apart; GiveUp for zero."""
        if u.key not in self._known:
            if u.is_zero():
                raise GiveUp("an argument is identically zero")
            constant, factors = self.factors.of(u)
            found = Parts(numbers=[(abs(constant), Fraction(1))])
            v = u.scaled(1 / abs(constant))
            for p, m in factors:
                if self.positive(p):
                    found.positive.append((p, Fraction(m)))
                    v = v * self.tower.polynomial(p) ** -m
            self._rest(v, found)
            self._known[u.key] = found
        return self._known[u.key]

    def positive(self, p: fmpz_mpoly) -> bool:
        """Whether the polynomial has real values only, and positive ones by a certificate."""
        for i in self.tower.below(self.tower.polynomial(p)):
            kernel = self.tower.kernels[i]
            if kernel.kind == "symbol" and kernel.data in self.complex_names:
                return False
            if kernel.kind in ("call", "principal"):
                return False
            if kernel.kind in ("root", "radix") and i not in self.factors.root_of:
                return False
        try:
            return self.signs.sign(p) > 0 and self.signs.thin(p)
        except NeedSign:
            return False

    def _rest(self, v: Element, found: Parts, turned: bool = False) -> None:
        """Take apart what has no positive factors; `turned` if it is the inverse of what it was."""
        one = Fraction(1)
        for k, unit in enumerate((self.tower.one, self.i, -self.tower.one, -self.i)):
            if v.key == unit.key:
                found.quarters += k if k < 3 else -1
                return
        root = self._power_of_root(v)
        if root is not None:
            found.add(self.parts(root[0]), root[1])
            return
        for pair, weight in ((self._quotient(v), -one), (self._product(v), one)):
            if pair is not None:
                found.add(self.parts(pair[0]), one)
                found.add(self.parts(pair[1]), weight)
                return
        if not turned and self._upside_down(v):
            inverse = Parts()
            self._rest(v.inverse(), inverse, turned=True)
            found.add(inverse, -one)
        else:
            found.rest.append((v, one))

    def _power_of_root(self, v: Element) -> tuple[Element, Fraction] | None:
        """(w, k/q) with v = (w^(1/q))^k and |k| < q."""
        if len(v.num) + len(v.den) != 2:
            return None
        present = list(self.tower.generators(v.num, v.den))
        if len(present) != 1 or v.num.leading_coefficient() != 1 or v.den.leading_coefficient() != 1:
            return None
        i = present[0]
        kernel = self.tower.kernels[i]
        k = int(v.num.degrees()[i]) - int(v.den.degrees()[i])
        if kernel.kind not in ("root", "radix") or i in self.factors.root_of or not -kernel.data < k <= kernel.data:
            return None
        return kernel.args[0], Fraction(k, kernel.data)

    def _product(self, v: Element) -> tuple[Element, Element] | None:
        """(A, B) with v = A B and A + l B > 0: two factors, or r + c s^2 with numbers r > 0 and c."""
        t = self.tower
        constant, factors = self.factors.of(v)
        if len(factors) == 2 and all(m == 1 for _, m in factors) and v.den.is_one():
            a, b = (t.polynomial(p) for p, _ in factors)
            for s in (1, -1):
                pair = a.scaled(s), b.scaled(s * constant)
                if self._real_combination(*pair, opposite=True) == 1:
                    return pair
        r = Fraction(int(v.num.to_dict().get(v.den.monomial(0), 0)), int(v.den.leading_coefficient()))
        if r <= 0:
            return None
        constant, factors = self.factors.of(v - t.number(r))
        if any(m % 2 for _, m in factors):
            return None
        s = self._number_root(-constant)
        for p, m in factors:
            s = s * t.polynomial(p) ** (m // 2)
        r = self._number_root(r)
        return r + s, r - s

    def _number_root(self, c: Fraction) -> Element:
        root = self.factors.number_power(abs(c), HALF)
        return root if c > 0 else root * self.i

    def _quotient(self, v: Element) -> tuple[Element, Element] | None:
        """(A, B) with v = A/B and A - l B < 0."""
        if v.den.is_constant():
            return None
        a, b = self.tower.polynomial(v.num), self.tower.polynomial(v.den)
        side = self._real_combination(a, b, opposite=False)
        return (a, b) if side == -1 else (-a, -b) if side == 1 else None

    def _real_combination(self, a: Element, b: Element, opposite: bool) -> int:
        """The sign of the number a + l b (opposite) or a - l b, if it is one for some l > 0; else 0."""
        lead = b.num.monomial(0)
        c = Fraction(int(a.num.to_dict().get(lead, 0)), int(b.num.leading_coefficient()))
        if a.num.is_constant() or b.num.is_constant() or (c >= 0 if opposite else c <= 0):
            return 0
        k = (a - b.scaled(c)).rational()
        return 0 if not k else 1 if k > 0 else -1

    def _upside_down(self, v: Element) -> bool:
        """Whether 1/v is the simpler one, and v is negative on a thin set only."""
        if v.complexity <= v.inverse().complexity:
            return False
        t = self.tower
        moving, exponentials = False, 0
        for i in t.generators(v.num, v.den):
            exponentials += t.kernels[i].kind == "exp"
            inner = t.below(*t.kernels[i].args)
            for j in {i} | inner:
                kernel = t.kernels[j]
                if kernel.kind not in ("symbol", "constant", "radix", "exp" if j == i else "") and not self._unit(j):
                    return False
                moving = moving or (kernel.kind == "symbol" and kernel.data in self.complex_names)
        return moving and exponentials <= 1

    def _unit(self, i: int) -> bool:
        return self.tower.kernels[i].kind == "root" and self.tower.kernels[i].args[0].rational() == -1
