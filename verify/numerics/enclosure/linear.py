"""Where is the flow of a linear equation with tails?  V' = A(s) V, V(0) = start, on |s| <= 1: coefficients and a bound.

Integration divides the tail by N at least, so that the bound X of the tail of V solves X <= d + M X with a matrix M
that is small.
"""

from __future__ import annotations

from dataclasses import dataclass
from operator import mul
from typing import TypeAlias

from flint import arb_mat

from verify.numerics.enclosure.series import UNIT, ZERO, below_one, finite

Matrices: TypeAlias = list[arb_mat]


@dataclass(frozen=True)
class Linear:
    """V' = A(s) V: the coefficients of A (n x n), and bounds of the tails of its entries (n x n)."""

    A: Matrices
    A_tail: arb_mat

    def inverse(self) -> Linear:
        """The equation of the transposed inverse W of V, W' = -A^T W."""
        return Linear([-a.transpose() for a in self.A], self.A_tail.transpose())

    def solve(self, start: arb_mat) -> tuple[Matrices, arb_mat]:
        """The coefficients of V with V(0) = start, and balls around 0 that hold s^N times the tail for |s| <= 1."""
        V, nothing = [start], arb_mat(start.nrows(), start.ncols())
        for j in range(1, len(self.A)):
            # A_0 V_(j-1) + A_1 V_(j-2) + …
            V.append(sum(map(mul, self.A, reversed(V)), nothing) / j)
        return V, self.tail(V)

    def tail(self, V: Matrices) -> arb_mat:
        """X with X <= d + M X, where d is what A V leaves from s^(N-1) on, over N, and M = ||A||/(N + 1)."""
        N, n, c = len(self.A), V[0].nrows(), V[0].ncols()
        suffix = V[N - 1]  # V_j + [-1, 1] (V_(j+1) + …)
        rest, size = self.A[0] * suffix, self.A[N - 1]
        for i in range(1, N):
            suffix = V[N - 1 - i] + suffix * UNIT
            rest += self.A[i] * suffix
            size = self.A[N - 1 - i] + size * UNIT
        carried = self.A_tail * arb_mat(n, c, [x.abs_upper() for x in suffix.entries()])
        d = [((x.abs_upper() + y) / N).abs_upper() for x, y in zip(rest.entries(), carried.entries(), strict=True)]
        nu = ZERO
        for i in range(n):
            nu = nu.max(sum((size[i, k].abs_upper() + self.A_tail[i, k] for k in range(n)), ZERO))
        nu = below_one((nu / (N + 1)).abs_upper())
        factor = nu / (1 - nu)
        worst = [ZERO] * c
        for k, x in enumerate(d):
            worst[k % c] = worst[k % c].max(x)
        X = [(x + factor * worst[k % c]).abs_upper() * UNIT for k, x in enumerate(d)]
        finite(X)
        return arb_mat(n, c, X)
