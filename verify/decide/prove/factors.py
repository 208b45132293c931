"""How are arguments taken apart?  Into a rational number and irreducible polynomials, of which powers are taken.

    u = c * product of P^m          P irreducible over the rationals in the generators of the tower
    |P|^(1/q) = rho > 0             with rho^q = sign(P) P; for P a variable x: x = sign(x) rho^q with a free rho
    |exp(b/L)|^e = exp(e b/L),      log exp(b/L) = b/L, log rho = log|P|/q

Factors with a square root rho may be related, which no factorisation of polynomials sees:

    A - B rho = (A^2 - B^2 rho^2)/(A + B rho)                    of two conjugates one is enough
    A + B rho = (sqrt((A + s)/2) + sqrt((A - s)/2))^2            where A^2 - B^2 rho^2 = s^2
    P = (P Q)/Q                                                  for an earlier factor Q, where P Q is known
"""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from math import prod

from flint import fmpz, fmpz_mpoly
from flint.utils.flint_exceptions import DomainError

from verify.decide.prove.signs import Signs
from verify.decide.prove.tower import Element, GiveUp, Kernel, NeedSign, Tower

#: Terms of a polynomial, and bits of a number, that are worth factorising.
LARGEST_FACTORISED = 1000
LARGEST_NUMBER = 120
#: Earlier factors that a new one is compared with.
LARGEST_RELATED = 6

Factorisation = tuple[Fraction, list[tuple[fmpz_mpoly, int]]]


class Factors:
    """Factorisations in one tower, and real powers and logarithms of factors."""

    def __init__(self, tower: Tower, signs: Signs, exp: Callable[[Element], Element]) -> None:
        self.tower, self.signs, self._exp = tower, signs, exp
        self._known: dict[str, Factorisation] = {}
        self._surds: dict[str, fmpz_mpoly] = {}
        """Factors with square roots that are kept."""
        self.root_of: dict[int, fmpz_mpoly] = {}
        """The P of a generator |P|^(1/q)."""
        self.is_absolute: Callable[[int], bool] = lambda _: True
        """Whether the root of a variable is that of its absolute value (else the principal one)."""

    def of(self, u: Element) -> Factorisation:
        """(c, [(P, m), …]) with u = c * product of P^m, P irreducible and positive in its leading coefficient."""
        found = self._known.get(u.key)
        if found is None:
            if u.is_zero():
                raise GiveUp("an argument is identically zero")
            constant, powers = Fraction(1), {}
            for polynomial, sign in ((u.num, 1), (u.den, -1)):
                content, parts = _irreducible(polynomial)
                constant *= content**sign
                for p, m in parts:
                    for q, n, c in self._conjugate(p):
                        powers[str(q)] = (q, powers.get(str(q), (q, 0))[1] + n * m * sign)
                        constant *= c ** (m * sign)
            found = constant, [(p, m) for p, m in powers.values() if m]
            self._known[u.key] = found
        return found

    def _conjugate(self, p: fmpz_mpoly) -> list[tuple[fmpz_mpoly, int, Fraction]]:
        """p as the product of c Q^m, [(Q, m, c), …], where a square root makes two factors related."""
        t = self.tower
        degrees = p.degrees()
        i = next((i for i in reversed(t.roots) if degrees[i]), None)
        if i is None or t.kernels[i].data != 2 or degrees[i] != 1:
            return [(p, 1, Fraction(1))]
        parts = t.coefficients(p, i)
        if 0 not in parts:
            return [(p, 1, Fraction(1))]
        if parts[0].leading_coefficient() * parts[1].leading_coefficient() > 0:
            return self._square(p, parts[0], i) or self._related(p) or [(p, 1, Fraction(1))]
        conjugate = parts[0] - parts[1] * t.variables[i]
        flip = 1 if conjugate.leading_coefficient() > 0 else -1
        norm = t.polynomial(p) * t.polynomial(conjugate)
        constant, rest = self.of(norm)
        return [(q, m, Fraction(1)) for q, m in rest] + [
            (q, -m, 1 / c * constant * flip if not k else 1 / c)
            for k, (q, m, c) in enumerate(self._conjugate(flip * conjugate))
        ]

    def _square(self, p: fmpz_mpoly, a: fmpz_mpoly, i: int) -> list[tuple[fmpz_mpoly, int, Fraction]] | None:
        """A + B rho = (sqrt((A + s)/2) + sqrt((A - s)/2))^2 where A^2 - B^2 rho^2 is the square of a polynomial s."""
        t = self.tower
        if i not in self.root_of:
            return None
        norm = t.polynomial(p) * t.polynomial(a * 2 - p)
        try:
            s = norm.num.sqrt() if norm.den.is_one() else None
        except DomainError:
            return None
        if s is None:
            return None
        try:
            x, y = (self._root_of_half(t.polynomial(a + k * s)) for k in (1, -1))
            sums = [x + y, x - y]
        except (NeedSign, GiveUp):
            return None
        for root in sums:
            if not root.is_zero() and (root * root - t.polynomial(p)).is_zero():
                constant, parts = self.of(root)
                return [(q, 2 * m, constant**2 if not k else Fraction(1)) for k, (q, m) in enumerate(parts)] or None
        return None

    def _related(self, p: fmpz_mpoly) -> list[tuple[fmpz_mpoly, int, Fraction]] | None:
        """p = (p Q)/Q for an earlier Q or its conjugate, where the product p Q falls into factors that are known."""
        t, key = self.tower, str(p)
        if key in self._surds:
            return None
        for q in list(self._surds.values())[-LARGEST_RELATED:]:
            if len(p) * len(q) > LARGEST_FACTORISED // 4:
                continue
            i = next(i for i in reversed(t.roots) if q.degrees()[i])
            parts = t.coefficients(q, i)
            for other in (q, parts[0] - parts[1] * t.variables[i]):
                product = t.polynomial(p) * t.polynomial(other)
                if product.is_zero():
                    continue  # on one branch of a root: neither need be zero
                constant, factors = _irreducible(product.num)
                if not product.den.is_one() or not all(self._is_settled(r) for r, _ in factors):
                    continue
                found = [(r, m, Fraction(1)) for r, m in factors]
                if other is q:
                    return [(q, -1, constant), *found]
                scale, norm = self.of(t.polynomial(q) * t.polynomial(other))
                return [(q, 1, constant / scale), *found, *((r, -m, Fraction(1)) for r, m in norm)]
        self._surds[key] = p
        return None

    def _is_settled(self, p: fmpz_mpoly) -> bool:
        """Whether a factor is free of roots, a root, or one that is kept."""
        return (
            str(p) in self._surds
            or self.tower.single(p) is not None
            or not any(p.degrees()[i] for i in self.tower.roots)
        )

    def _root_of_half(self, u: Element) -> Element:
        """A square root of |u|/2."""
        constant, parts = self.of(u.scaled(Fraction(1, 2)))
        root = self.number_power(abs(constant), Fraction(1, 2))
        return prod((self.absolute(p, Fraction(m, 2)) for p, m in parts), start=root)

    def number_power(self, c: Fraction, e: Fraction) -> Element:
        """c^e for a positive rational number."""
        return prod((self.absolute(self.tower.ring.constant(p), m * e) for p, m in primes(c)), start=self.tower.one)

    def absolute(self, p: fmpz_mpoly, e: Fraction) -> Element:
        """|P|^e for an irreducible P, a generator or a prime number."""
        t = self.tower
        i = t.single(p)
        if i is not None and t.kernels[i].kind == "symbol" and ("radix", t.kernels[i].data) in t.plan.fineness:
            return self.radix(i, e)
        if e.denominator == 1:
            n = int(e)
            return (t.polynomial(p) ** n).scaled(1 if n % 2 == 0 else self.signs.sign(p))
        if i is not None and t.kernels[i].kind == "exp":
            return self._exp(t.kernels[i].args[0].scaled(e / t.kernels[i].data))
        if i is not None and i in self.root_of:
            return self.absolute(self.root_of[i], e / t.kernels[i].data)
        if i is not None and t.kernels[i].kind == "symbol":
            return self.radix(i, e)
        radicand = t.polynomial(p * self.signs.sign(p))
        root = t.root(radicand, e.denominator, f"|{p}|", self.signs.element_digest(radicand))
        self.root_of[t.index["root", f"|{p}|"]] = p
        return root**e.numerator

    def radix(self, i: int, e: Fraction) -> Element:
        """|x|^e for a variable x: r = |x|^(1/q) becomes the free generator, and x itself sign(x) r^q.

        On principal branches x^e, with r = x^(1/q) and x = r^q.
        """
        t, name = self.tower, self.tower.kernels[i].data
        q = t.plan.fineness.get(("radix", name), 1)
        if (e * q).denominator != 1:
            raise t.plan.refine(("radix", name), (e * q).denominator * q)
        r = t.generator(("radix", name), Kernel("radix", (t.polynomial(t.variables[i]),), q))
        if self.is_absolute(i):
            self.root_of[t.index["radix", name]] = t.variables[i]
        return r ** int(e * q)

    def symbol(self, name: str) -> Element:
        """A variable, as a power of its root where there is one."""
        x, q = self.tower.symbol(name), self.tower.plan.fineness.get(("radix", name), 1)
        if q == 1:
            return x
        sign = self.signs.sign(x.num)
        return self.radix(self.tower.index["symbol", name], Fraction(1)).scaled(sign)

    def log_number(self, c: Fraction) -> Element:
        """log(c) for a positive rational number."""
        constant = self.tower.ring.constant
        return sum((self.log_absolute(constant(p)).scaled(m) for p, m in primes(c)), self.tower.zero)

    def log_absolute(self, p: fmpz_mpoly) -> Element:
        """log|P| for an irreducible P, a generator or a prime number."""
        t = self.tower
        i = t.single(p)
        if i is not None and t.kernels[i].kind == "exp":
            return t.kernels[i].args[0].scaled(Fraction(1, t.kernels[i].data))
        if i is not None and i in self.root_of:
            return self.log_absolute(self.root_of[i]).scaled(Fraction(1, t.kernels[i].data))
        return t.generator(("log", str(p)), Kernel("log", (t.polynomial(p),)))


def _irreducible(polynomial: fmpz_mpoly) -> Factorisation:
    if len(polynomial) > LARGEST_FACTORISED:
        raise GiveUp("an argument is too large to factorise")
    content, parts = polynomial.factor()
    constant, found = Fraction(int(content)), []
    for p, m in parts:
        if p.leading_coefficient() < 0:
            p, constant = -p, constant * (-1) ** int(m)
        found.append((p, int(m)))
    return constant, found


def primes(c: Fraction) -> list[tuple[int, int]]:
    """Prime factorisation of a positive rational number."""
    if max(c.numerator.bit_length(), c.denominator.bit_length()) > LARGEST_NUMBER:
        raise GiveUp("a number is too large to factorise")
    return [(int(p), int(m)) for p, m in fmpz(c.numerator).factor()] + [
        (int(p), -int(m)) for p, m in fmpz(c.denominator).factor()
    ]
