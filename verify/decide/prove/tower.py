"""In which ring does a claim live?  A tower of kernels over the rationals, with exact canonical elements.

An element is a quotient of two polynomials with integer coefficients in the generators of the tower.  A generator
stands for a kernel: a variable, a constant, an exponential, a logarithm, a tangent, a function value, or a root.
Only roots obey a relation, root^q = radicand, which is always applied; all others are treated as independent.
Whatever is zero here is therefore zero for the functions themselves, provided that every kernel was introduced by an
identity that holds on the whole cell in question.  The converse is not claimed.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from math import lcm
from typing import Any

from flint import fmpz_mpoly, fmpz_mpoly_ctx

from verify.verdict import GiveUp

#: Terms that a polynomial may have, and products of terms that a tower may spend.
LARGEST_POLYNOMIAL = 4000
LARGEST_WORK = 3_000_000
LARGEST_POWER = 100_000
#: Numbers of generators that are tried one after the other.
SIZES = (16, 32, 64)


class Restart(Exception):
    """A generator has to be finer, or there have to be more of them; the plan has been changed accordingly."""


class NeedSign(Exception):
    """The sign of a polynomial decides how to go on, and nothing certifies it."""

    def __init__(self, polynomial: fmpz_mpoly) -> None:
        super().__init__(str(polynomial))
        self.polynomial = polynomial


@dataclass
class Plan:
    """What earlier attempts have found out about the tower: its size, and how fine some generators must be."""

    size: int = SIZES[0]
    fineness: dict[Hashable, int] = field(default_factory=dict)

    def refine(self, key: Hashable, factor: int) -> Restart:
        """Ask for a finer generator: raise what this returns."""
        self.fineness[key] = lcm(self.fineness.get(key, 1), factor)
        if self.fineness[key] > 720:
            raise GiveUp("roots of too high an order")
        return Restart()


@dataclass(frozen=True, slots=True)
class Kernel:
    """What a generator stands for.

    kind     symbol, constant, root, exp, log, tan or call.
    args     the elements that it is a function of; of a root its radicand, and n as well for (-1)^n, a root of 1.
    data     the name; for a root its order q; for exp and tan the divisor L of the argument: exp(a/L), tan(a/(2 L)).
    """

    kind: str
    args: tuple[Element, ...] = ()
    data: Any = None


class Element:
    """A quotient of polynomials in the generators, in lowest terms and with all relations applied."""

    __slots__ = ("_key", "den", "num", "tower")

    def __init__(self, tower: Tower, num: fmpz_mpoly, den: fmpz_mpoly) -> None:
        self.tower, self.num, self.den = tower, num, den
        self._key: str | None = None

    @property
    def key(self) -> str:
        """Equal for equal elements of the same tower."""
        if self._key is None:
            self._key = f"{self.num}/{self.den}"
        return self._key

    @property
    def complexity(self) -> tuple[int, int, str]:
        """An order that prefers polynomials, to choose between an element and its inverse."""
        return self.den.total_degree(), len(self.num) + len(self.den), self.key

    def __add__(self, other: Element) -> Element:
        t = self.tower
        if self.den == other.den:
            return t.element(self.num + other.num, self.den)
        return t.element(t.times(self.num, other.den) + t.times(other.num, self.den), t.times(self.den, other.den))

    def __neg__(self) -> Element:
        return Element(self.tower, -self.num, self.den)

    def __sub__(self, other: Element) -> Element:
        return self + (-other)

    def __mul__(self, other: Element) -> Element:
        t = self.tower
        return t.element(t.times(self.num, other.num), t.times(self.den, other.den))

    def __truediv__(self, other: Element) -> Element:
        return self * other.inverse()

    def inverse(self) -> Element:
        """1/self; GiveUp for zero."""
        if self.is_zero():
            raise GiveUp("a denominator is identically zero")
        return self.tower.element(self.den, self.num)

    def __pow__(self, n: int) -> Element:
        if abs(n) > LARGEST_POWER or (abs(n) > 60 and len(self.num) + len(self.den) > 2):
            raise GiveUp("a power is too large to expand")
        base = self if n >= 0 else self.inverse()
        n = abs(n)
        if len(base.num) == len(base.den) == 1:
            return self.tower.element(base.num**n, base.den**n)
        result = self.tower.one
        while n:
            if n & 1:
                result = result * base
            n >>= 1
            if n:
                base = base * base
        return result

    def scaled(self, q: Fraction | int) -> Element:
        """q times self."""
        q = Fraction(q)
        return self.tower.element(self.num * q.numerator, self.den * q.denominator)

    def is_zero(self) -> bool:
        return self.num.is_zero()

    def rational(self) -> Fraction | None:
        """The number that the element is; None when it is no rational number."""
        if self.num.is_constant() and self.den.is_constant():
            return Fraction(_constant(self.num), _constant(self.den))
        return None


def _constant(polynomial: fmpz_mpoly) -> int:
    return 0 if polynomial.is_zero() else int(polynomial.leading_coefficient())


class Tower:
    """Generators with their kernels, and the arithmetic of the ring that they span."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.ring = fmpz_mpoly_ctx.get([f"g{i}" for i in range(plan.size)], "lex")
        self.variables = self.ring.gens()
        self.kernels: list[Kernel] = []
        self.index: dict[Hashable, int] = {}
        self.roots: list[int] = []
        self._closures: list[frozenset[int]] = []
        self.work = 0
        self.one_polynomial = self.ring.constant(1)
        self.zero = Element(self, self.ring.constant(0), self.one_polynomial)
        self.one = Element(self, self.one_polynomial, self.one_polynomial)

    # --- elements -----------------------------------------------------------------------------

    def times(self, a: fmpz_mpoly, b: fmpz_mpoly) -> fmpz_mpoly:
        """Product of polynomials; GiveUp when it grows out of hand."""
        size = len(a) * len(b)
        self.work += size
        if size > 40 * LARGEST_POLYNOMIAL or self.work > LARGEST_WORK:
            raise GiveUp("the arguments are too large to expand")
        return a * b

    def number(self, q: Fraction | int) -> Element:
        """A rational number."""
        q = Fraction(q)
        return Element(self, self.ring.constant(q.numerator), self.ring.constant(q.denominator))

    def polynomial(self, p: fmpz_mpoly) -> Element:
        """A polynomial in which the relations have been applied."""
        return Element(self, p, self.one_polynomial)

    def element(self, num: fmpz_mpoly, den: fmpz_mpoly) -> Element:
        """num/den in lowest terms: relations applied, square roots and pure powers of roots out of the denominator."""
        if self.roots:
            num, den = self._reduced(num, den)
            num, den = self._rationalised(num, den)
        if den.is_zero():
            raise GiveUp("a denominator is identically zero")
        if num.is_zero():
            return self.zero
        if len(num) + len(den) > LARGEST_POLYNOMIAL:
            raise GiveUp("the arguments are too large to expand")
        if not den.is_one():
            common = num.gcd(den)
            if not common.is_one():
                num, den = num // common, den // common
            if den.leading_coefficient() < 0:
                num, den = -num, -den
        return Element(self, num, den)

    def _reduced(self, num: fmpz_mpoly, den: fmpz_mpoly) -> tuple[fmpz_mpoly, fmpz_mpoly]:
        """Every power of a root below its order."""
        a, b = self._reduce(num)
        c, d = self._reduce(den)
        return (a if d.is_one() else self.times(a, d)), (c if b.is_one() else self.times(c, b))

    def _reduce(self, p: fmpz_mpoly) -> tuple[fmpz_mpoly, fmpz_mpoly]:
        under = self.one_polynomial
        while True:
            degrees = p.degrees()
            i = next((i for i in reversed(self.roots) if degrees[i] >= self.kernels[i].data), None)
            if i is None:
                return p, under
            q, radicand = self.kernels[i].data, self.kernels[i].args[0]
            top = int(degrees[i]) // q
            parts: dict[int, list[fmpz_mpoly]] = {}
            for k, c in self.coefficients(p, i).items():
                high, low = divmod(k, q)
                term = self.times(c, radicand.num**high)
                if not radicand.den.is_one():
                    term = self.times(term, radicand.den ** (top - high))
                parts.setdefault(low, []).append(term)
            p = self.ring.constant(0)
            for low, terms in parts.items():
                for term in terms:
                    p = p + (term * self.variables[i] ** low if low else term)
            if not radicand.den.is_one():
                under = self.times(under, radicand.den**top)

    def _rationalised(self, num: fmpz_mpoly, den: fmpz_mpoly) -> tuple[fmpz_mpoly, fmpz_mpoly]:
        for i in reversed(self.roots):
            if not den.degrees()[i]:
                continue
            parts = self.coefficients(den, i)
            if len(parts) > 1 and (self.kernels[i].data > 4 or len(den) > 40 or len(num) > 400):
                continue
            while any(parts):
                factor = self._conjugates(parts, i)
                num, den = self._reduced(self.times(num, factor), self.times(den, factor))
                if den.is_zero():
                    raise GiveUp("a denominator is zero on one branch of a root")
                parts = self.coefficients(den, i)
        return num, den

    def _conjugates(self, parts: dict[int, fmpz_mpoly], i: int) -> fmpz_mpoly:
        """A factor that brings the sum of parts[k] x^k nearer to a polynomial without the root x: q = 2, 3 or 4."""
        q, x = self.kernels[i].data, self.variables[i]
        if len(parts) == 1:
            return x ** (q - next(iter(parts)))
        a, b, c, d = (parts.get(k, self.ring.constant(0)) for k in range(4))
        if q == 2:
            return a - b * x
        if q == 3:
            # (a + b x + c x^2)(a + b u x + c u^2 x^2)(a + b u^2 x + c u x^2), u^3 = 1, is free of x.
            times = self.times
            return (
                times(a, a)
                - times(a, b) * x
                + (times(b, b) - times(a, c)) * x**2
                - times(b, c) * x**3
                + times(c, c) * x**4
            )
        # The odd part with the other sign: what comes is a polynomial in x^2, the square root of the radicand.
        return a + c * x**2 - (b * x + d * x**3) if parts.keys() & {1, 3} else a - c * x**2

    def coefficients(self, p: fmpz_mpoly, i: int) -> dict[int, fmpz_mpoly]:
        """The polynomial as one in generator i: exponent -> coefficient."""
        parts: dict[int, fmpz_mpoly] = {}
        x, k = self.variables[i], 0
        while not p.is_zero():
            constant = p.subs({i: 0})
            if not constant.is_zero():
                parts[k] = constant
            p, k = (p - constant) // x, k + 1
        return parts

    def generators(self, *polynomials: fmpz_mpoly) -> Iterator[int]:
        """The generators that occur, in ascending order."""
        yield from sorted({i for p in polynomials for i, d in enumerate(p.degrees()) if d > 0})

    def single(self, p: fmpz_mpoly) -> int | None:
        """The generator that the polynomial is; None when it is anything else."""
        if len(p) != 1 or p.leading_coefficient() != 1 or p.total_degree() != 1:
            return None
        return next(self.generators(p))

    def below(self, *elements: Element) -> set[int]:
        """All generators that the elements depend on, those inside of kernels too."""
        found: set[int] = set()
        for e in elements:
            for i in self.generators(e.num, e.den):
                found |= self._closures[i]
        return found

    # --- kernels ------------------------------------------------------------------------------

    def generator(self, key: Hashable, kernel: Kernel) -> Element:
        """The generator with this key, a new one if there is none yet."""
        i = self.index.get(key)
        if i is None:
            i = len(self.kernels)
            if i >= self.plan.size:
                larger = [n for n in SIZES if n > self.plan.size]
                if not larger:
                    raise GiveUp("too many kernels")
                self.plan.size = larger[0]
                raise Restart
            self.kernels.append(kernel)
            self._closures.append(frozenset({i} | self.below(*kernel.args)))
            self.index[key] = i
            if kernel.kind == "root":
                self.roots.append(i)
        return self.polynomial(self.variables[i])

    def symbol(self, name: str) -> Element:
        return self.generator(("symbol", name), Kernel("symbol", (), name))

    def constant(self, name: str) -> Element:
        """pi, EulerGamma; the imaginary unit is a root of -1 and E is exp(1)."""
        return self.generator(("constant", name), Kernel("constant", (), name))

    def multiple(self, key: Hashable, c: Fraction) -> tuple[int, int]:
        """(c L, L) for the divisor L of a basis element, made finer if c L is no integer."""
        fine = self.plan.fineness.get(key, 1)
        if (c * fine).denominator != 1:
            raise self.plan.refine(key, (c * fine).denominator * fine)
        return int(c * fine), fine

    def root(self, radicand: Element, q: int, key: Hashable, name: Hashable) -> Element:
        """A quantity whose q-th power is the radicand, the same for all q that are asked under one key.

        `name` is what the plan remembers it by: a name that does not depend on how generators are numbered.
        """
        wanted = self.plan.fineness.get(("root", name), 1)
        if wanted % q:
            restart = self.plan.refine(("root", name), lcm(wanted, q))
            if ("root", key) in self.index:
                raise restart
            wanted = self.plan.fineness["root", name]
        generator = self.generator(("root", key), Kernel("root", (radicand,), wanted))
        return generator ** (wanted // q) if wanted != q else generator
