"""How is A x = b solved many times?  Elimination with pivoting once, then N^2 operations for each right-hand side.

Plain arithmetic on arrays of any kind of number: floats, complex numbers, or numbers that count.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

Array = Any


@dataclass(frozen=True)
class Factors:
    """Functions that solve with a matrix: A x = b, and A^T x = b, for one right-hand side b of shape (N,)."""

    solve: Callable[[Array], Array]
    transposed: Callable[[Array], Array]


def factor(A: Array) -> Factors:
    """P A = L U.  Raises ArithmeticError for a matrix without a pivot."""
    lu = np.array(A)
    n = len(lu)
    order = list(range(n))
    for k in range(n):
        pivot = max(range(k, n), key=lambda i: float(abs(lu[i, k])))
        if float(abs(lu[pivot, k])) == 0:
            raise ArithmeticError("the matrix is singular; the equation has no unique solution here")
        lu[[k, pivot]] = lu[[pivot, k]]
        order[k], order[pivot] = order[pivot], order[k]
        for i in range(k + 1, n):
            lu[i, k] = lu[i, k] / lu[k, k]
            lu[i, k + 1 :] = lu[i, k + 1 :] - lu[i, k] * lu[k, k + 1 :]

    def solve(b: Array) -> Array:
        x = np.array([b[i] for i in order])
        for i in range(1, n):
            x[i] = x[i] - lu[i, :i] @ x[:i]
        for i in reversed(range(n)):
            right = x[i] - lu[i, i + 1 :] @ x[i + 1 :] if i + 1 < n else x[i]
            x[i] = right / lu[i, i]
        return x

    def transposed(b: Array) -> Array:
        y = np.array(b)
        for i in range(n):
            right = y[i] - lu[:i, i] @ y[:i] if i else y[i]
            y[i] = right / lu[i, i]
        for i in reversed(range(n - 1)):
            y[i] = y[i] - lu[i + 1 :, i] @ y[i + 1 :]
        x = np.array(y)
        for place, row in enumerate(order):
            x[row] = y[place]
        return x

    return Factors(solve, transposed)
