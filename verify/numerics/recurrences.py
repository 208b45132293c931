"""What is the gradient through a recurrence, numerically?  The reverse sweep, and routes that do without it.

    x[k] = F(k, x[k-1], p), x[0] = b(p),   J = g(x[n], p) + sum of l(k, x[k], p) for k = 0 … n-1

Every route returns dJ/dp of shape (M,).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.sparse import bmat, eye_array
from scipy.sparse.linalg import splu

from verify.numerics.quotients import central

Array = Any


@dataclass(frozen=True)
class Recurrence:
    """A recurrence as functions of (k, x, p), of (x, p) or of p, with the Jacobians that the routes need.

    step (N,) leads from x[k-1] to x[k], step_x (N, N), step_p (N, M), running, running_x (N,), running_p (M,): of
    (k, x, p); value, value_x (N,), value_p (M,): of (x, p); initial (N,), initial_p (N, M): of p.
    """

    step: Callable[..., Array]
    step_x: Callable[..., Array]
    step_p: Callable[..., Array]
    running: Callable[..., Any]
    running_x: Callable[..., Array]
    running_p: Callable[..., Array]
    value: Callable[..., Any]
    value_x: Callable[..., Array]
    value_p: Callable[..., Array]
    initial: Callable[..., Array]
    initial_p: Callable[..., Array]


def states(recurrence: Recurrence, p: Array, n: int) -> list[Array]:
    """x[0], …, x[n]."""
    found = [recurrence.initial(p)]
    for k in range(1, n + 1):
        found.append(recurrence.step(k, found[-1], p))
    return found


def objective(recurrence: Recurrence, p: Array, n: int) -> Any:
    """J, by plain arithmetic: to be traced, or made complex."""
    x = recurrence.initial(p)
    total = 0.0
    for k in range(1, n + 1):
        total = total + recurrence.running(k - 1, x, p)
        x = recurrence.step(k, x, p)
    return total + recurrence.value(x, p)


def reverse(recurrence: Recurrence, x: list[Array], p: Array) -> Array:
    """From the last state to the first, with one vector lam: what the derivation derives."""
    n = len(x) - 1
    lam, total = recurrence.value_x(x[n], p), recurrence.value_p(x[n], p)
    for k in range(n, 0, -1):
        before = x[k - 1]
        total = total + lam @ recurrence.step_p(k, before, p) + recurrence.running_p(k - 1, before, p)
        lam = lam @ recurrence.step_x(k, before, p) + recurrence.running_x(k - 1, before, p)
    return total + lam @ recurrence.initial_p(p)


def forward(recurrence: Recurrence, x: list[Array], p: Array) -> Array:
    """From the first state to the last, with the matrix s = dx/dp."""
    n = len(x) - 1
    s, total = recurrence.initial_p(p), recurrence.value_p(x[n], p)
    for k in range(1, n + 1):
        before = x[k - 1]
        total = total + recurrence.running_x(k - 1, before, p) @ s + recurrence.running_p(k - 1, before, p)
        s = recurrence.step_x(k, before, p) @ s + recurrence.step_p(k, before, p)
    return total + recurrence.value_x(x[n], p) @ s


def each_from_scratch(recurrence: Recurrence, x: list[Array], p: Array) -> Array:
    """Term by term: every share of the cost is carried back through all steps before it, from the beginning again."""
    n = len(x) - 1
    total = recurrence.value_p(x[n], p)
    for k in range(n):
        total = total + recurrence.running_p(k, x[k], p)
    for end in range(n, -1, -1):
        row = recurrence.value_x(x[n], p) if end == n else recurrence.running_x(end, x[end], p)
        for k in range(end, 0, -1):
            total = total + row @ recurrence.step_p(k, x[k - 1], p)
            row = row @ recurrence.step_x(k, x[k - 1], p)
        total = total + row @ recurrence.initial_p(p)
    return total


def block_system(recurrence: Recurrence, x: list[Array], p: Array) -> Array:
    """All steps as one equation f(x[0], …, x[n]) = 0, whose Jacobian has two diagonals: its adjoint, by sparse LU."""
    n, size = len(x) - 1, len(x[0])
    blocks: list[list[Any]] = [[None] * (n + 1) for _ in range(n + 1)]
    for k in range(n + 1):
        blocks[k][k] = eye_array(size)
        if k:
            blocks[k][k - 1] = -np.asarray(recurrence.step_x(k, x[k - 1], p))
    rows = [recurrence.running_x(k, x[k], p) for k in range(n)] + [recurrence.value_x(x[n], p)]
    lam = splu(bmat(blocks, format="csc")).solve(np.concatenate(rows), trans="T")
    by_p = np.vstack([recurrence.initial_p(p), *(recurrence.step_p(k, x[k - 1], p) for k in range(1, n + 1))])
    explicit = recurrence.value_p(x[n], p) + sum(np.asarray(recurrence.running_p(k, x[k], p)) for k in range(n))
    return explicit + lam @ by_p


def complex_step(recurrence: Recurrence, p: Array, n: int, size: float = 1e-30) -> Array:
    """Imaginary part of J at p + i size e_j, over size."""
    moved = (np.asarray(p) + 1j * size * e for e in np.eye(len(p)))
    return np.array([objective(recurrence, q, n).imag / size for q in moved])


def reverse_mode(recurrence: Recurrence, p: Array, n: int) -> Array:
    """Reverse mode by autograd; the functions must be made of autograd.numpy."""
    import autograd

    return np.asarray(autograd.grad(lambda q: objective(recurrence, q, n))(np.asarray(p, dtype=float)))


def differences(recurrence: Recurrence, p: Array, n: int, step: float = 1e-3) -> Array:
    """Central differences of fourth order of J."""

    return central(lambda q: objective(recurrence, q, n), p, step)
