"""What is W X for a matrix of numbers W and a table X of power series?  One product of matrices of balls.

The coefficients of all series stand beside each other, so that FLINT multiplies once.  The tails of W X are at most
|W| times those of X.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from flint import arb, arb_mat, arb_poly

from verify.numerics.enclosure.series import ZERO, Series

#: Entries from which on a matrix product is faster than sums of multiples.
DENSE = 24


@dataclass(frozen=True)
class Matrix:
    """W, with bounds |W| of its entries."""

    rows: tuple[tuple[arb, ...], ...]
    dense: arb_mat | None
    size: arb_mat | None

    @classmethod
    def of(cls, rows: Sequence[Sequence[arb]]) -> Matrix:
        kept = tuple(map(tuple, rows))
        height, width = len(kept), len(kept[0])
        if height < 3 or width < 3 or height * width < DENSE:
            return cls(kept, None, None)
        flat = [x for row in kept for x in row]
        return cls(kept, arb_mat(height, width, flat), arb_mat(height, width, [abs(x).abs_upper() for x in flat]))

    def transposed(self) -> Matrix:
        rows = tuple(zip(*self.rows, strict=True))
        if self.dense is None or self.size is None:
            return Matrix(rows, None, None)
        return Matrix(rows, self.dense.transpose(), self.size.transpose())

    def __matmul__(self, table: Sequence[Sequence[Any]]) -> list[list[Any]]:
        """W X, row by row, for entries that are numbers, series of one length, or None for 0."""
        kind = next((x for row in table for x in row if x is not None and not isinstance(x, arb)), None)
        if self.dense is None:
            return [[_combined(row, column) for column in zip(*table, strict=True)] for row in self.rows]
        if kind is None:
            flat = [ZERO if x is None else x for row in table for x in row]
            return (self.dense * arb_mat(len(table), len(table[0]), flat)).tolist()
        return self._with_tails(table, kind.n)

    def _with_tails(self, table: Sequence[Sequence[Any]], n: int) -> list[list[Any]]:
        if self.size is None:
            raise ValueError("a matrix without bounds has no tails")
        p = self._product([[_polynomial(x, n) for x in row] for row in table], n)
        tails = [x.r if isinstance(x, Series) else ZERO for row in table for x in row]
        width = len(table[0])
        r = (self.size * arb_mat(len(table), width, tails)).tolist()
        return [
            [Series(arb_poly(c), bound.abs_upper(), n) for c, bound in zip(row, bounds, strict=True)]
            for row, bounds in zip(p, r, strict=True)
        ]

    def _product(self, table: Sequence[Sequence[list[arb]]], n: int) -> list[list[list[arb]]]:
        if self.dense is None:
            raise ValueError("a small matrix is no dense one")
        width = len(table[0])
        whole = self.dense * arb_mat(len(table), width * n, [c for row in table for x in row for c in x])
        flat = whole.entries()
        starts = range(0, len(flat), n)
        each = [flat[k : k + n] for k in starts]
        return [each[i * width : (i + 1) * width] for i in range(len(self.rows))]


def _combined(weights: Sequence[arb], values: Sequence[Any]) -> Any:
    total = None
    for w, x in zip(weights, values, strict=True):
        if x is not None:
            total = x * w if total is None else total + x * w
    return total


def _polynomial(x: Any, n: int) -> list[arb]:
    if isinstance(x, Series):
        return padded(x.p.coeffs(), n)
    return padded([] if x is None else [x], n)


def padded(coefficients: list[arb], n: int) -> list[arb]:
    """n coefficients, the missing ones 0."""
    return coefficients + [ZERO] * (n - len(coefficients))
