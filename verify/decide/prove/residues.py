"""Which roots are there modulo a prime?  Powers, roots and roots of unity, for primes p that are 1 modulo the order."""

from __future__ import annotations

import random

from flint import fmpz


class Pole(ArithmeticError):
    """A denominator or a radicand vanishes at the point."""


class NoRoot(ArithmeticError):
    """A radicand is no power modulo the prime, at this point."""


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
