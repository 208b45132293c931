"""What is the value of a difference of two sides, modulo a prime?  A straight-line program over canonical elements.

Sums, products and integer powers are not expanded: only what stands under a kernel had to become an element.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import log2
from typing import NamedTuple

from flint import fmpz_mpoly

from verify.decide.prove.residues import inverse
from verify.decide.prove.tower import Element, Tower

Sparse = list[tuple[int, list[tuple[int, int]]]]


class Step(NamedTuple):
    """One step of a program.

    kind       element, add, mul or power.
    places     the steps that it takes.
    element    the value of an element step.
    exponent   that of a power, an integer.
    """

    kind: str
    places: tuple[int, ...] = ()
    element: Element | None = None
    exponent: int = 1


@dataclass(frozen=True)
class Size:
    """Bounds of numerator and denominator: degrees, and binary logarithms of the sums of absolute coefficients."""

    degree: int
    length: float

    def __add__(self, other: Size) -> Size:
        return Size(self.degree + other.degree, self.length + other.length)


class Straight:
    """A program; the last step is its result."""

    def __init__(self, tower: Tower, steps: list[Step]) -> None:
        self.tower, self.steps = tower, steps
        self.generators = sorted(tower.below(*(s.element for s in steps if s.element is not None)))
        roots = set(tower.roots)
        self.roots = [i for i in self.generators if i in roots]
        self._sparse: dict[int, tuple[fmpz_mpoly, Sparse]] = {}

    def sparse(self, p: fmpz_mpoly) -> Sparse:
        """Terms of a polynomial: [(coefficient, [(generator, exponent), …]), …]."""
        found = self._sparse.get(id(p))
        if found is None:
            terms = [(int(c), [(i, int(k)) for i, k in enumerate(m) if k]) for m, c in p.to_dict().items()]
            found = self._sparse[id(p)] = p, terms
        return found[1]

    # --- values modulo a prime ------------------------------------------------------------------

    def value(self, point: Mapping[int, int], prime: int) -> int:
        """The result at a point, a value for each generator; Pole where a denominator vanishes."""
        values: list[int] = []
        for step in self.steps:
            if step.element is not None:
                values.append(self.element(step.element, point, prime))
            elif step.kind == "add":
                values.append(sum(values[j] for j in step.places) % prime)
            elif step.kind == "mul":
                product = 1
                for j in step.places:
                    product = product * values[j] % prime
                values.append(product)
            else:
                base = values[step.places[0]]
                values.append(pow(inverse(base, prime) if step.exponent < 0 else base, abs(step.exponent), prime))
        return values[-1]

    def element(self, e: Element, point: Mapping[int, int], prime: int) -> int:
        """An element at a point; Pole where its denominator vanishes."""
        num = self._polynomial(e.num, point, prime)
        return num if e.den.is_one() else num * inverse(self._polynomial(e.den, point, prime), prime) % prime

    def _polynomial(self, p: fmpz_mpoly, point: Mapping[int, int], prime: int) -> int:
        total = 0
        for c, factors in self.sparse(p):
            for i, k in factors:
                c = c * (point[i] if k == 1 else pow(point[i], k, prime)) % prime
            total += c
        return total % prime

    # --- sizes ----------------------------------------------------------------------------------

    def size(self) -> Size:
        """Degree and length of numerator and denominator together, powers of roots counted by their radicands."""
        weights: dict[int, Size] = {}
        for i in self.generators:
            kernel = self.tower.kernels[i]
            weights[i] = self._size(kernel.args[0], weights) if kernel.kind == "root" else Size(1, 0.0)
        sizes: list[Size] = []
        for step in self.steps:
            total = sum((sizes[j] for j in step.places), Size(0, 0.0))
            if step.element is not None:
                total = self._size(step.element, weights)
            elif step.kind == "power":
                total = Size(total.degree * abs(step.exponent), total.length * abs(step.exponent))
            elif step.kind == "add":
                total = Size(total.degree, total.length + len(step.places))
            sizes.append(total)
        return sizes[-1]

    def _size(self, e: Element, weights: Mapping[int, Size]) -> Size:
        return self._size_of(e.num, weights) + self._size_of(e.den, weights)

    def _size_of(self, p: fmpz_mpoly, weights: Mapping[int, Size]) -> Size:
        degree, total = 0, 0.0
        for c, factors in self.sparse(p):
            degree = max(degree, sum(k * max(1, weights[i].degree) for i, k in factors))
            total = max(total, log2(abs(c)) + sum(k * weights[i].length for i, k in factors)) + 1
        return Size(degree, total)
