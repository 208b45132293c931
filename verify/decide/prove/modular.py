"""Is an expression zero in its tower?  Evaluation modulo a random prime, with the probability of an error stated.

The tower is an algebra A over the field K of rational functions in the free generators.  At a random point of the
free generators modulo a random prime of 160 bits every choice of roots is a homomorphism from A.  If D is not zero in
A then in one of the fields that A is a product of; its norm to K is a non-zero rational function, and vanishes at the
point with a probability of at most degree/prime (Schwartz, Zippel).

The primes pass the Baillie-PSW test, which no composite number is known to pass.

Which roots have to be enumerated?  None whose radicand was once seen not to be a power where all earlier roots exist:
x^q - radicand is then irreducible over the field built so far (Capelli), all choices are conjugate, one is enough.
Roots of distinct prime numbers are independent by the unique factorisation of integers.  All others: every choice.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass
from math import lcm, log2, prod

from flint import fmpz

from verify.decide.prove.residues import NoRoot, Pole, Roots, is_power, prime_divisors
from verify.decide.prove.straight import Straight
from verify.decide.prove.tower import GiveUp, Tower

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


@dataclass(frozen=True)
class Zero:
    """What a test has found: whether it was zero everywhere, and how sure that is."""

    zero: bool
    choices: int
    points: int
    log_error: float
    """Binary logarithm of the probability that a non-zero expression passes."""


def is_zero(program: Straight, rng: random.Random) -> Zero:
    """Whether the program's result is zero in the tower; GiveUp when the test would be too long or too uncertain."""
    kernels = program.tower.kernels
    size, order = program.size(), prod(kernels[i].data for i in program.roots)
    if prod(kernels[i].data for i in program.roots if not _is_prime_root(program.tower, i)) > LARGEST_SEARCH:
        raise GiveUp("too many roots: hardly any point has all of them")
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
        constants = [i for i in program.roots if not self.tower.below(*self.kernels[i].args) - set(program.roots)]
        self.constants = sorted(constants, key=lambda i: (i not in self.primes, i))
        """The roots of primes first, so that all others are judged over the field that they generate."""
        self.modulus = lcm(4, *(self.kernels[i].data for i in program.roots))
        for i in self.primes:
            n = self.kernels[i].args[0].rational() or 0
            if self.kernels[i].data % 2 == 0 and 0 < n < 100 and self.modulus < 10**9:
                self.modulus = lcm(self.modulus, 4 * int(n))  # then n is a square modulo the prime
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
                points = list(self._extensions(field, enumerated))  # all of them first: one may not exist
                values = [self.program.value(point, self.prime) for point in points]
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
        value = self.program.element(self.kernels[i].args[0], values, self.prime)
        if not value:
            raise Pole
        return value

    def _value(self, i: int, values: dict[int, int]) -> int:
        if self.kernels[i].kind != "root":
            return self.rng.randrange(1, self.prime)
        return self.roots.root(self._radicand(i, values), self.kernels[i].data)
