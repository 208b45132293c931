"""What is the gradient through y' = A(p) y, numerically?  Routes by matrix exponentials, quadrature and differences.

    y(T) = e^{TA} b,   dg/dp_j = g_p + g_y e^{TA} b_{p_j} + g_y D_j b,   D_j = derivative of e^{TA} along A_{p_j}

Every route returns dg/dp of shape (M,).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.integrate import solve_ivp
from scipy.linalg import expm, expm_frechet

from verify.numerics.quotients import central

Array = Any


@dataclass(frozen=True)
class LinearProblem:
    """Functions of p: matrix (N, N), matrix_p (M, N, N), initial (N,), initial_p (N, M); of (y, p): terminal and its
    gradients terminal_y (N,) and terminal_p (M,).
    """

    matrix: Callable[[Array], Array]
    matrix_p: Callable[[Array], Array]
    initial: Callable[[Array], Array]
    initial_p: Callable[[Array], Array]
    terminal: Callable[[Array, Array], Any]
    terminal_y: Callable[[Array, Array], Array]
    terminal_p: Callable[[Array, Array], Array]


def assembled(problem: LinearProblem, p: Array, T: float, derivatives: Callable[[Array, Array, float], Array]) -> Array:
    """The gradient from D_j, (M, N, N), which derivatives(A, A_p, T) returns for A (N, N) and A_p (M, N, N)."""
    A, b = problem.matrix(p), problem.initial(p)
    propagator = expm(T * A)
    y = propagator @ b
    row = problem.terminal_y(y, p)
    moved = derivatives(A, problem.matrix_p(p), T) @ b @ row
    return problem.terminal_p(y, p) + row @ propagator @ problem.initial_p(p) + moved


def block_exponential(problem: LinearProblem, p: Array, T: float) -> Array:
    """D_j is the upper right block of exp(T [[A, A_j], [0, A]])."""

    def derivatives(A: Array, A_p: Array, T: float) -> Array:
        n = len(A)
        blocks = np.array([np.block([[A, direction], [np.zeros_like(A), A]]) for direction in A_p])
        return expm(T * blocks)[:, :n, n:]

    return assembled(problem, p, T, derivatives)


def duhamel_quadrature(problem: LinearProblem, p: Array, T: float, nodes: int = 24) -> Array:
    """D_j is the Duhamel integral, by a Gauss-Legendre rule on the products of two exponentials."""
    x, weights = np.polynomial.legendre.leggauss(nodes)

    def derivatives(A: Array, A_p: Array, T: float) -> Array:
        times = (T * (x + 1) / 2)[:, None, None]
        before, after = expm(times * A), expm((T - times) * A)
        return np.einsum("s,sij,mjk,skl->mil", weights * T / 2, after, A_p, before)

    return assembled(problem, p, T, derivatives)


def spectral(problem: LinearProblem, p: Array, T: float) -> Array:
    """D_j by divided differences of the exponential at the eigenvalues, which must be well apart."""

    def derivatives(A: Array, A_p: Array, T: float) -> Array:
        values, vectors = np.linalg.eig(A)
        gaps = values[:, None] - values[None, :]
        e = np.exp(T * values)
        same = np.abs(gaps) < 1e-12
        psi = np.where(same, T * e[:, None], (e[:, None] - e[None, :]) / np.where(same, 1, gaps))
        inverse = np.linalg.inv(vectors)
        return (vectors @ ((inverse @ A_p @ vectors) * psi) @ inverse).real

    return assembled(problem, p, T, derivatives)


def frechet_adjoint(problem: LinearProblem, p: Array, T: float) -> Array:
    """One Fréchet derivative for all parameters: T L(T A^T, g_y^T b^T) is the gradient with respect to A's entries."""
    A, b = problem.matrix(p), problem.initial(p)
    y = expm(T * A) @ b
    row = problem.terminal_y(y, p)
    propagator, gradient = expm_frechet(T * A.T, T * np.outer(row, b))
    by_matrix = np.tensordot(problem.matrix_p(p), gradient, axes=2)
    return problem.terminal_p(y, p) + (propagator @ row) @ problem.initial_p(p) + by_matrix


def complex_step(problem: LinearProblem, p: Array, T: float, size: float = 1e-30) -> Array:
    """Imaginary part of the objective at p + i size e_j, over size."""

    def objective(p: Array) -> Any:
        return problem.terminal(expm(T * problem.matrix(p)) @ problem.initial(p), p)

    return np.array([objective(p + 1j * size * e).imag / size for e in np.eye(len(p))])


def differences(problem: LinearProblem, p: Array, T: float, step: float = 1e-3) -> Array:
    """Central differences of fourth order of the objective."""

    def objective(p: Array) -> float:
        return problem.terminal(expm(T * problem.matrix(p)) @ problem.initial(p), p)

    return central(objective, p, step)


def sensitivities(problem: LinearProblem, p: Array, T: float, rtol: float = 1e-13, atol: float = 1e-14) -> Array:
    """y and its sensitivities as one initial value problem, by DOP853: no exponential anywhere."""
    A, directions = problem.matrix(p), problem.matrix_p(p)
    n, m = len(A), len(directions)

    def rate(_t: float, w: Array) -> Array:
        y, s = w[:n], w[n:].reshape(n, m)
        return np.concatenate([A @ y, (A @ s + (directions @ y).T).ravel()])

    start = np.concatenate([problem.initial(p), np.asarray(problem.initial_p(p)).ravel()])
    w = solve_ivp(rate, (0, T), start, method="DOP853", rtol=rtol, atol=atol).y[:, -1]
    y, s = w[:n], w[n:].reshape(n, m)
    return problem.terminal_p(y, p) + problem.terminal_y(y, p) @ s
