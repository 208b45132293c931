"""Is an exponent (an angle) a rational combination of those met before?  If so its exponential needs no new kernel.

The exponents met so far are kept as a basis of a vector space over the rationals.  A new one is either a combination
of the basis, found by exact linear algebra on coefficients over a common denominator, or it extends the basis.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import NamedTuple

from flint import fmpz_mpoly

from verify.decide.prove.tower import Element, GiveUp

#: Exponents that a tower may have; the kernels run out soon after.
LARGEST_BASIS = 24


class Expressed(NamedTuple):
    """Coefficients c with e = sum of c basis[i] + sum of c f."""

    basis: list[tuple[int, Fraction]]
    free: list[tuple[Element, Fraction]]


class Span:
    """A growing basis of elements that are linearly independent over the rationals."""

    def __init__(self) -> None:
        self.basis: list[Element] = []
        self._known: dict[str, Expressed] = {}

    def express(self, e: Element, free: Sequence[Element] = ()) -> Expressed:
        """e as a combination of the basis and of free elements; `e` joins the basis if there is none."""
        found = self._known.get(e.key)
        if found is None:
            found = self._solve(e, free)
            if found is None:
                if len(self.basis) >= LARGEST_BASIS:
                    raise GiveUp("too many exponents")
                self.basis.append(e)
                found = Expressed([(len(self.basis) - 1, Fraction(1))], [])
            self._known[e.key] = found
        return found

    def _solve(self, e: Element, free: Sequence[Element]) -> Expressed | None:
        if not self.basis:
            return None
        spanning = [*self.basis, *free]
        den: fmpz_mpoly = e.den
        for b in spanning:
            if b.den != den:
                den = e.tower.times(den, b.den // den.gcd(b.den))
        columns = [_coefficients(b, den) for b in spanning]
        target = _coefficients(e, den)
        rows = sorted(set(target).union(*columns))
        found = solve([[c.get(r, 0) for c in columns] for r in rows], [target.get(r, 0) for r in rows])
        if found is None:
            return None
        n = len(self.basis)
        return Expressed([(i, c) for i, c in found if i < n], [(free[i - n], c) for i, c in found if i >= n])


def _coefficients(e: Element, den: fmpz_mpoly) -> dict[tuple[int, ...], int]:
    return {m: int(c) for m, c in (e.num * (den // e.den)).to_dict().items()}


def solve(matrix: list[list[int]], right: list[int]) -> list[tuple[int, Fraction]] | None:
    """A sparse solution c of matrix c = right over the rationals; None if there is none."""
    n = len(matrix[0])
    echelon: list[tuple[int, list[Fraction]]] = []
    for row, value in zip(matrix, right, strict=True):
        line = [Fraction(x) for x in (*row, value)]
        for pivot, other in echelon:
            if line[pivot]:
                factor = line[pivot]
                line = [x - factor * y for x, y in zip(line, other, strict=True)]
        pivot = next((j for j, x in enumerate(line) if x), None)
        if pivot is None:
            continue
        if pivot == n:
            return None
        line = [x / line[pivot] for x in line]
        echelon = [
            (p, [x - other[pivot] * y for x, y in zip(other, line, strict=True)] if other[pivot] else other)
            for p, other in echelon
        ]
        echelon.append((pivot, line))
    return sorted((pivot, line[n]) for pivot, line in echelon if line[n])
