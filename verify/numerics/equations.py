"""What is the gradient through an equation f(u, p) = 0, numerically?  The adjoint, and routes that do not use it.

    f(u, p) = 0 defines u(p),   G = g(u(p), p)

Every route returns dG/dp of shape (M,).  A linear system is the case f = A(p) u - b(p).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any

import numpy as np

from verify.numerics.factors import Factors, factor
from verify.numerics.quotients import central

Array = Any
Factor = Callable[[Array], Factors]

#: Newton steps after which the equation is given up, and the relative change that ends it.
MOST_STEPS, SMALL = 50, 1e-15


@dataclass(frozen=True)
class Equation:
    """Functions of (u, p): residual (N,), value a scalar; residual_u (N, N), residual_p (N, M), value_u (N,),
    value_p (M,).
    """

    residual: Callable[..., Array]
    value: Callable[..., Any]
    residual_u: Callable[..., Array]
    residual_p: Callable[..., Array]
    value_u: Callable[..., Array]
    value_p: Callable[..., Array]


def iterates(equation: Equation, p: Array, guess: Array) -> Iterator[Array]:
    """u_0, u_1, … by Newton's method from a guess u_0, in complex numbers where p is complex."""
    u = np.array(guess, dtype=np.result_type(np.asarray(p).dtype, float))
    while True:
        yield u
        u = u - factor(np.asarray(equation.residual_u(u, p))).solve(np.asarray(equation.residual(u, p)))


def solution(equation: Equation, p: Array, guess: Array) -> Array:
    """u(p) near the guess.  Raises ArithmeticError where Newton's method does not settle."""
    before = np.array(guess)
    for u in islice(iterates(equation, p, guess), 1, MOST_STEPS):
        if np.max(np.abs(u - before)) <= SMALL * (1 + np.max(np.abs(u))):
            return u
        before = u
    raise ArithmeticError(f"Newton's method has not settled after {MOST_STEPS} steps")


def adjoint_gradient(equation: Equation, u: Array, p: Array, factor: Factor = factor) -> Array:
    """One solve with the transpose: f_u^T lam = g_u^T, dG/dp = g_p - lam^T f_p."""
    lam = factor(equation.residual_u(u, p)).transposed(equation.value_u(u, p))
    return equation.value_p(u, p) - lam @ equation.residual_p(u, p)


def forward_gradient(equation: Equation, u: Array, p: Array, factor: Factor = factor) -> Array:
    """A solve for each parameter: f_u u_p = -f_p, dG/dp = g_p + g_u u_p."""
    factors, g_u = factor(equation.residual_u(u, p)), equation.value_u(u, p)
    columns = [factors.solve(-column) for column in equation.residual_p(u, p).T]
    return equation.value_p(u, p) + np.array([g_u @ column for column in columns])


def complex_step(equation: Equation, p: Array, guess: Array, size: float = 1e-30) -> Array:
    """Imaginary part of g at the solution for p + i size e_j, over size: Newton's method in complex numbers."""
    rows = []
    for direction in 1j * size * np.eye(len(p)):
        moved = np.asarray(p) + direction
        u = next(islice(iterates(equation, moved, solution(equation, np.asarray(p), guess)), 2, None))
        rows.append(equation.value(u, moved).imag / size)
    return np.array(rows)


def differences(equation: Equation, p: Array, guess: Array, step: float = 1e-3) -> Array:
    """Central differences of fourth order of g at the solution: no derivative of f, but for Newton's method."""

    return central(lambda p: equation.value(solution(equation, p, guess), p), p, step)


def reverse_through_newton(equation: Equation, p: Array, guess: Array, steps: int) -> Array:
    """Reverse mode by autograd through a number of Newton steps; the functions must be made of autograd.numpy."""
    import autograd
    import autograd.numpy as traced

    linalg: Any = traced.linalg

    def value(p: Any) -> Any:
        u = traced.array(guess)
        for _ in range(steps):
            u = u - linalg.solve(equation.residual_u(u, p), equation.residual(u, p))
        return equation.value(u, p)

    return np.asarray(autograd.grad(value)(np.asarray(p, dtype=float)))


def reverse_through_iteration(equation: Equation, p: Array, guess: Array, steps: int) -> Array:
    """Reverse mode through u <- u - f(u, p), which settles where I - f_u is a contraction; functions as above."""
    import autograd
    import autograd.numpy as traced

    def value(p: Any) -> Any:
        u = traced.array(guess)
        for _ in range(steps):
            u = u - equation.residual(u, p)
        return equation.value(u, p)

    return np.asarray(autograd.grad(value)(np.asarray(p, dtype=float)))


def neumann_adjoint(equation: Equation, u: Array, p: Array, terms: int) -> Array:
    """lam as the sum of powers of (I - f_u)^T at g_u^T, as many as `terms`: no factorization."""
    moved = np.eye(len(u)) - equation.residual_u(u, p).T
    term = lam = np.asarray(equation.value_u(u, p), dtype=float)
    for _ in range(terms):
        term = moved @ term
        lam = lam + term
    return equation.value_p(u, p) - lam @ equation.residual_p(u, p)


def errors_by_iterate(equation: Equation, p: Array, guess: Array, wanted: Array, most: int) -> tuple[Array, Array]:
    """How far dG/dp is off at Newton's iterates 0 … most: by the adjoint there, and by differentiating the iterate."""
    from verify.numerics.compare import disagreement

    real = list(islice(iterates(equation, p, guess), most + 1))
    adjoint = [disagreement(adjoint_gradient(equation, u, p), wanted) for u in real]
    size, moved = 1e-30, [np.asarray(p) + 1e-30j * e for e in np.eye(len(p))]
    complex_iterates = [list(islice(iterates(equation, q, guess), most + 1)) for q in moved]
    through = [
        disagreement(
            [equation.value(us[k], q).imag / size for us, q in zip(complex_iterates, moved, strict=True)], wanted
        )
        for k in range(most + 1)
    ]
    return np.array(adjoint), np.array(through)
