"""Is an expression zero in its tower?  Evaluation modulo a random prime, with the probability of an error stated.

The tower is an algebra A over the field K of rational functions in the free generators.  At a random point of the
free generators modulo a random prime of 160 bits every choice of roots is a homomorphism from A.  If D is not zero in
A then in one of the fields that A is a product of; its norm to K is a non-zero rational function, and vanishes at the
point with a probability of at most degree/prime (Schwartz, Zippel).

Which roots have to be enumerated?  None whose radicand was once seen not to be a power where all earlier roots exist:
x^q - radicand is then irreducible over the field built so far (Capelli), all choices are conjugate, one is enough.
Roots of distinct prime numbers are independent by the unique factorisation of integers.  All others: every choice.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass
from math import lcm, log2, prod

from flint import fmpz, fmpz_mpoly

from verify.decide.tower import Element, GiveUp, Tower

PRIME_BITS = 160
#: The bound on the probability of a wrong proof that every test has to stay below.
LOG_ERROR = -100.0
#: Choices of roots and points that one test may look at.
LARGEST_ENUMERATION = 256
LARGEST_SEARCH = 20_000
#: Primes that one test may take; most take one.
MOST_PRIMES = 4
#: How often a root has to exist by luck before it is believed to exist always.
LUCK = 12

Step = tuple[str, object, tuple[int, ...]]


class Pole(ArithmeticError):
    """A denominator or a radicand vanishes at the point."""


class NoRoot(ArithmeticError):
    """A radicand is no power modulo the prime, at this point."""


@dataclass(frozen=True)
class Zero:
    """What a test has found: whether it was zero everywhere, and how sure that is."""

    zero: bool
    choices: int
    points: int
    log_error: float
    """Binary logarithm of the probability that a non-zero expression passes."""


@dataclass(frozen=True)
class Size:
    """Bounds of numerator and denominator: degrees, and binary logarithms of the sums of absolute coefficients."""

    degree: int
    length: float

    def __add__(self, other: Size) -> Size:
        return Size(self.degree + other.degree, self.length + other.length)


class Straight:
    """A straight-line program over elements of a tower: sums, products and integer powers are not expanded.

    steps    ('element', Element, ()), ('add', None, places), ('mul', None, places), ('power', n, (place,)),
             ('scale', Fraction, (place,)); the last step is the result.
    """

    def __init__(self, tower: Tower, steps: list[Step]) -> None:
        self.tower, self.steps = tower, steps
        used = set().union(*(tower.below(s[1]) for s in steps if isinstance(s[1], Element)), ())
        self.generators = sorted(used)
        self.roots = [i for i in self.generators if i in set(tower.roots)]
        self._sparse: dict[int, list[tuple[int, list[tuple[int, int]]]]] = {}
        self._keep: list[fmpz_mpoly] = []

    def sparse(self, p: fmpz_mpoly) -> list[tuple[int, list[tuple[int, int]]]]:
        """[(coefficient, [(generator, exponent), …]), …]"""
        found = self._sparse.get(id(p))
        if found is None:
            found = [(int(c), [(i, int(k)) for i, k in enumerate(m) if k]) for m, c in p.to_dict().items()]
            self._sparse[id(p)] = found
            self._keep.append(p)
        return found

    def size(self) -> Size:
        """Degree and length of numerator and denominator together, powers of roots counted by their radicands."""
        weights: dict[int, Size] = {}

        def polynomial(p: fmpz_mpoly) -> Size:
            degree, total = 0, 0.0
            for c, factors in self.sparse(p):
                degree = max(degree, sum(k * max(1, weights[i].degree) for i, k in factors))
                length = log2(abs(c)) + sum(k * weights[i].length for i, k in factors)
                total = max(total, length) + 1
            return Size(degree, total)

        def element(e: Element) -> Size:
            return polynomial(e.num) + polynomial(e.den)

        for i in self.generators:
            kernel = self.tower.kernels[i]
            weights[i] = element(kernel.args[0]) if kernel.kind == "root" else Size(1, 0.0)
        sizes: list[Size] = []
        for kind, payload, places in self.steps:
            inner = [sizes[j] for j in places]
            if kind == "element":
                sizes.append(element(payload))
            elif kind == "power":
                sizes.append(Size(inner[0].degree * abs(payload), inner[0].length * abs(payload)))
            elif kind == "scale":
                sizes.append(inner[0] + Size(0, log2(abs(payload.numerator) or 1) + log2(payload.denominator)))
            else:
                total = sum(inner, Size(0, 0.0))
                sizes.append(total + Size(0, len(inner) if kind == "add" else 0))
        return sizes[-1]

    def value(self, point: dict[int, int], field: _Search) -> int:
        """The result at a point."""
        p = field.prime
        values: list[int] = []
        for kind, payload, places in self.steps:
            if kind == "element":
                values.append(field.element(payload, point))
            elif kind == "add":
                values.append(sum(values[j] for j in places) % p)
            elif kind == "mul":
                product = 1
                for j in places:
                    product = product * values[j] % p
                values.append(product)
            elif kind == "scale":
                values.append(values[places[0]] * payload.numerator * inverse(payload.denominator, p) % p)
            else:
                base = values[places[0]]
                values.append(pow(inverse(base, p) if payload < 0 else base, abs(payload), p))
        return values[-1]


def is_zero(program: Straight, rng: random.Random) -> Zero:
    """Whether the program's result is zero in the tower; GiveUp when the test would be too long or too uncertain."""
    kernels = program.tower.kernels
    size, order = program.size(), prod(kernels[i].data for i in program.roots)
    choices = points = 0
    log_error = 0.0
    for _ in range(MOST_PRIMES):
        search = _Search(program, rng)
        # The norm has the degree of all conjugates together; any of the points looked at might have been taken.
        log_point = log2(LARGEST_SEARCH) + log2(max(1, size.degree)) + log2(order) - (PRIME_BITS - 1)
        bad_primes = max(1.0, size.length * order / (PRIME_BITS - 1))
        log_prime = log2(bad_primes) + log2(search.modulus) + log2(order) + 8 - (PRIME_BITS - 1)
        log_error += min(0.0, max(log_point, log_prime) + 1)
        enumerated = search.learn()
        choices = max(choices, prod(kernels[i].data for i in enumerated))
        if choices > LARGEST_ENUMERATION:
            raise GiveUp(f"too many choices of roots ({choices})")
        zero = search.vanishes(enumerated)
        points += search.count
        if not zero or log_error <= LOG_ERROR:
            return Zero(zero, choices, points, log_error)
    raise GiveUp("the identity is too large for the error bound")


def _is_prime_root(tower: Tower, i: int) -> bool:
    """Whether the generator is a square root of -1, or a root of a prime number."""
    q = tower.kernels[i].args[0].rational()
    if q is None or q.denominator != 1:
        return False
    return tower.kernels[i].data == 2 if q == -1 else q > 1 and bool(fmpz(int(q)).is_prime())


class _Search:
    """A random prime, and random points modulo it at which all roots exist."""

    def __init__(self, program: Straight, rng: random.Random) -> None:
        self.program, self.tower, self.rng = program, program.tower, rng
        self.kernels = self.tower.kernels
        self.count = 0
        self.primes = {i for i in program.roots if _is_prime_root(self.tower, i)}
        self.wanted = {i: set(prime_divisors(self.kernels[i].data)) for i in program.roots if i not in self.primes}
        """For each root the l for which its radicand has not been seen to be no l-th power."""
        self.constants = [i for i in program.roots if not self.tower.below(*self.kernels[i].args) - set(program.roots)]
        self.modulus = lcm(4, *(self.kernels[i].data for i in program.roots))
        for i in self.primes:
            n = int(self.kernels[i].args[0].rational())
            if self.kernels[i].data % 2 == 0 and 0 < n < 100 and self.modulus < 10**9:
                self.modulus = lcm(self.modulus, 4 * n)  # then n is a square modulo the prime
        self._find_prime()

    def _find_prime(self) -> None:
        """A random prime modulo which all roots of constants exist."""
        for _ in range(LARGEST_SEARCH):
            k = self.rng.randrange((1 << (PRIME_BITS - 1)) // self.modulus, (1 << PRIME_BITS) // self.modulus)
            self.prime = k * self.modulus + 1
            if not fmpz(self.prime).is_probable_prime():
                continue
            self.roots = Roots(self.prime, self.rng)
            try:
                values: dict[int, int] = {}
                if all(self._exists(i, values) for i in self.constants):
                    return
            except Pole:
                continue
        raise GiveUp("no prime has all the constant roots")

    def _exists(self, i: int, values: dict[int, int]) -> bool:
        """Choose a value for a generator; False for a root that does not exist, which says that it is independent."""
        if self.kernels[i].kind == "root":
            radicand, q = self._radicand(i, values), self.kernels[i].data
            if i in self.wanted:
                self.wanted[i] = {l for l in self.wanted[i] if is_power(radicand, l, self.prime)}
            if not is_power(radicand, q, self.prime):
                return False
        values[i] = self._value(i, values)
        return True

    def learn(self) -> list[int]:
        """The roots of which all choices have to be looked at."""
        lucky = dict.fromkeys(self.wanted, 0)
        found = not self.wanted
        while not found or self._open(lucky) > 4:
            self._counted()
            values: dict[int, int] = {}
            try:
                for i in self.program.generators:
                    if not self._exists(i, values):
                        break
                    if i in lucky:
                        lucky[i] += 1
                else:
                    found = True
            except Pole:
                continue
        enumerated: list[int] = []
        for i in self.program.roots:
            if i in self.wanted and (self.wanted[i] or self.tower.below(self.kernels[i].args[0]) & set(enumerated)):
                enumerated.append(i)
        return enumerated

    def _open(self, lucky: dict[int, int]) -> int:
        """Choices of roots that more points might spare."""
        return prod(self.kernels[i].data for i, missing in self.wanted.items() if missing and lucky[i] < LUCK)

    def vanishes(self, enumerated: list[int]) -> bool:
        """Whether the program is zero for all choices of the enumerated roots, at a point where all of them exist.

        The point and one choice of all other roots are a homomorphism from the field that those generate; the choices
        of the enumerated roots are all its extensions to the algebra.
        """
        while True:
            self._counted()
            try:
                field = {}
                for i in self.program.generators:
                    if i not in enumerated:
                        field[i] = self._value(i, field)
                values = [self.program.value(point, self) for point in self._extensions(field, enumerated)]
            except (Pole, NoRoot):
                continue
            return not any(values)

    def _extensions(self, values: dict[int, int], enumerated: list[int]) -> Iterator[dict[int, int]]:
        if not enumerated:
            yield values
            return
        i, *rest = enumerated
        q = self.kernels[i].data
        root, unit = self._value(i, values), self.roots.of_unity(q)
        for k in range(q):
            yield from self._extensions(values | {i: root * pow(unit, k, self.prime) % self.prime}, rest)

    def _counted(self) -> None:
        self.count += 1
        if self.count > LARGEST_SEARCH:
            raise GiveUp("no point at which all roots exist was found")

    def _radicand(self, i: int, values: dict[int, int]) -> int:
        value = self.element(self.kernels[i].args[0], values)
        if not value:
            raise Pole
        return value

    def _value(self, i: int, values: dict[int, int]) -> int:
        if self.kernels[i].kind != "root":
            return self.rng.randrange(1, self.prime)
        return self.roots.root(self._radicand(i, values), self.kernels[i].data)

    def element(self, e: Element, values: dict[int, int]) -> int:
        """The element modulo the prime; Pole where its denominator vanishes."""
        num = self._polynomial(e.num, values)
        return num if e.den.is_one() else num * inverse(self._polynomial(e.den, values), self.prime) % self.prime

    def _polynomial(self, p: fmpz_mpoly, values: dict[int, int]) -> int:
        total, prime = 0, self.prime
        for c, factors in self.program.sparse(p):
            for i, k in factors:
                c = c * (values[i] if k == 1 else pow(values[i], k, prime)) % prime
            total += c
        return total % prime


def inverse(a: int, p: int) -> int:
    """1/a modulo p; Pole for 0."""
    if a % p == 0:
        raise Pole
    return pow(a, -1, p)


def prime_divisors(n: int) -> list[int]:
    """The prime divisors of a positive integer."""
    return [int(p) for p, _ in fmpz(n).factor()] if n > 1 else []


def is_power(a: int, q: int, p: int) -> bool:
    """Whether a is a q-th power modulo p, which is 1 modulo q."""
    return pow(a, (p - 1) // q, p) == 1


class Roots:
    """Roots modulo a prime."""

    def __init__(self, prime: int, rng: random.Random) -> None:
        self.prime, self.rng = prime, rng
        self._units: dict[int, int] = {}
        self._sylow: dict[int, tuple[int, int, int]] = {}

    def of_unity(self, q: int) -> int:
        """A primitive q-th root of unity."""
        p = self.prime
        while q not in self._units:
            z = pow(self.rng.randrange(2, p), (p - 1) // q, p)
            if all(pow(z, q // l, p) != 1 for l in prime_divisors(q)):
                self._units[q] = z
        return self._units[q]

    def root(self, a: int, q: int) -> int:
        """A random q-th root; NoRoot where there is none."""
        if not is_power(a, q, self.prime):
            raise NoRoot
        n = q
        while n > 1:  # every l-th root of a q-th power is a power of order q/l, since q divides p - 1
            l = prime_divisors(n)[0]
            a, n = self._prime_root(a, l), n // l
        return a * pow(self.of_unity(q), self.rng.randrange(q), self.prime) % self.prime

    def _prime_root(self, a: int, l: int) -> int:
        """An l-th root for a prime l that divides p - 1 (Adleman, Manders and Miller)."""
        p = self.prime
        if l not in self._sylow:
            s, t = 0, p - 1
            while t % l == 0:
                s, t = s + 1, t // l
            z = 2
            while pow(z, (p - 1) // l, p) == 1:
                z += 1
            self._sylow[l] = s, t, pow(z, t, p)
        s, t, c = self._sylow[l]
        root = pow(a, pow(l, -1, t), p)
        error = pow(root, l, p) * pow(a, -1, p) % p  # in the group of order l^s that c generates
        g, m = pow(c, l ** (s - 1), p), 0
        for i in range(s):
            h = pow(error * pow(c, -m, p) % p, l ** (s - 1 - i), p)
            digit, power = 0, 1
            while power != h:
                digit, power = digit + 1, power * g % p
            m += digit * l**i
        return root * pow(c, -(m // l), p) % p
