"""What is the gradient of an objective through an ODE, numerically?  Routes that share as little as possible.

    u' = f(t, u, p),  u(t0) = b(p),  G = g(T, u(T), p) + integral of l(t, u, p) over [t0, T]

Every route returns the same vector, (dG/dp, dG/du(t0), dG/dt0, dG/dT), of shape (M + N + 2,).  Dimensionless.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.integrate import solve_ivp

Array = Any


@dataclass(frozen=True)
class OdeProblem:
    """A problem as functions of (t, u, p) or of p, with the partial derivatives that some routes need.

    field (N,), initial (N,), running and terminal scalars; field_u (N, N), field_p (N, M), initial_p (N, M);
    running_u, terminal_u (N,); running_p, terminal_p (M,); terminal_t a scalar.
    """

    states: int
    parameters: int
    field: Callable[..., Array]
    initial: Callable[..., Array]
    running: Callable[..., Any]
    terminal: Callable[..., Any]
    field_u: Callable[..., Array]
    field_p: Callable[..., Array]
    initial_p: Callable[..., Array]
    running_u: Callable[..., Array]
    running_p: Callable[..., Array]
    terminal_u: Callable[..., Array]
    terminal_p: Callable[..., Array]
    terminal_t: Callable[..., Any]


@dataclass(frozen=True)
class NumericAdjoint:
    """A claimed adjoint system as functions: of (t, u, lam, p), but final, explicit of (T, u, p), boundary of p."""

    rate: Callable[..., Array]
    density: Callable[..., Array]
    final: Callable[..., Array]
    explicit: Callable[..., Array]
    boundary: Callable[..., Array]
    at_start: Callable[..., Any]
    at_end: Callable[..., Any]


def adjoint_of(problem: OdeProblem) -> NumericAdjoint:
    """The right adjoint system from the problem's own Jacobians, without computer algebra."""

    def hamiltonian(t: float, u: Array, lam: Array, p: Array) -> Any:
        return problem.running(t, u, p) + lam @ problem.field(t, u, p)

    return NumericAdjoint(
        rate=lambda t, u, lam, p: -problem.field_u(t, u, p).T @ lam - problem.running_u(t, u, p),
        density=lambda t, u, lam, p: problem.running_p(t, u, p) + lam @ problem.field_p(t, u, p),
        final=problem.terminal_u,
        explicit=problem.terminal_p,
        boundary=problem.initial_p,
        at_start=lambda t, u, lam, p: -hamiltonian(t, u, lam, p),
        at_end=lambda t, u, lam, p: hamiltonian(t, u, lam, p) + problem.terminal_t(t, u, p),
    )


# --- under error control ----------------------------------------------------------------------


@dataclass(frozen=True)
class Solver:
    """How the initial value problems are solved: a method of scipy.integrate.solve_ivp and its tolerances.

    parts   steps that are taken at least: where nothing moves, error control alone steps over what comes next.
    """

    method: str = "DOP853"
    rtol: float = 1e-12
    atol: float = 1e-13
    parts: int = 1

    def __call__(self, rate: Callable[..., Array], span: tuple[float, float], start: Array) -> Any:
        """The dense solution; ArithmeticError where the solver gives up before the end."""
        longest = abs(span[1] - span[0]) / self.parts if self.parts > 1 else np.inf
        solution = solve_ivp(
            rate, span, start, method=self.method, rtol=self.rtol, atol=self.atol, dense_output=True, max_step=longest
        )
        if not solution.success or not np.isfinite(solution.y[:, -1]).all():
            raise ArithmeticError(f"{self.method} stopped at t = {solution.t[-1]:.6g} of {span}: {solution.message}")
        return solution.sol


ACCURATE = Solver()


def forward_sensitivities(problem: OdeProblem, p: Array, t0: float, T: float, solver: Solver = ACCURATE) -> Array:
    """State, sensitivities and the cost's own quadratures in one system, all under error control."""
    n, m = problem.states, problem.parameters
    start_u = np.asarray(problem.initial(p), dtype=float)

    def rate(t: float, w: Array) -> Array:
        u, s = w[:n], w[n : n + n * (m + n)].reshape(n, m + n)
        moved = problem.field_u(t, u, p) @ s
        moved[:, :m] += problem.field_p(t, u, p)
        cost = problem.running_u(t, u, p) @ s
        cost[:m] += problem.running_p(t, u, p)
        return np.concatenate([problem.field(t, u, p), moved.ravel(), cost])

    s0 = np.hstack([problem.initial_p(p), np.eye(n)])
    w = solver(rate, (t0, T), np.concatenate([start_u, s0.ravel(), np.zeros(m + n)]))(T)
    u, s, cost = w[:n], w[n : n + n * (m + n)].reshape(n, m + n), w[n + n * (m + n) :]
    gradient = cost + problem.terminal_u(T, u, p) @ s
    gradient[:m] += problem.terminal_p(T, u, p)
    d_start = -problem.running(t0, start_u, p) - gradient[m:] @ problem.field(t0, start_u, p)
    d_end = problem.running(T, u, p) + problem.terminal_t(T, u, p)
    d_end += problem.terminal_u(T, u, p) @ problem.field(T, u, p)
    return np.concatenate([gradient, [d_start, d_end]])


def interpolated_adjoint(
    problem: OdeProblem, adjoint: NumericAdjoint, p: Array, t0: float, T: float, solver: Solver = ACCURATE
) -> Array:
    """The adjoint system and its quadrature backwards under error control, on the dense forward solution."""
    n = problem.states
    u = solver(lambda t, u: problem.field(t, u, p), (t0, T), problem.initial(p))

    def rate(t: float, w: Array) -> Array:
        lam, at = w[:n], u(t)
        return np.concatenate([adjoint.rate(t, at, lam, p), -adjoint.density(t, at, lam, p)])

    final = adjoint.final(T, u(T), p)
    w = solver(rate, (T, t0), np.concatenate([final, adjoint.explicit(T, u(T), p)]))(t0)
    return _gradient(adjoint, p, (t0, u(t0), w[:n]), (T, u(T), final), w[n:])


def quadrature_adjoint(
    problem: OdeProblem, p: Array, t0: float, T: float, panels: int | None = 24, nodes: int = 8,
    solver: Solver = ACCURATE, adjoint: NumericAdjoint | None = None,
) -> Array:  # fmt: skip
    """The adjoint equation alone is solved; the integral is a composite Gauss-Legendre rule.

    panels   equally many, or None for the steps at which the solver stopped.
    """
    adjoint = adjoint or adjoint_of(problem)
    u = solver(lambda t, u: problem.field(t, u, p), (t0, T), problem.initial(p))
    final = adjoint.final(T, u(T), p)
    lam = solver(lambda t, w: adjoint.rate(t, u(t), w, p), (T, t0), final)
    x, weights = np.polynomial.legendre.leggauss(nodes)
    edges = np.unique(np.concatenate([u.ts, lam.ts])) if panels is None else np.linspace(t0, T, panels + 1)
    total = np.array(adjoint.explicit(T, u(T), p), dtype=float)
    for left, width in zip(edges, np.diff(edges), strict=False):
        for node, weight in zip(left + width * (x + 1) / 2, weights * width / 2, strict=True):
            total = total + weight * adjoint.density(node, u(node), lam(node), p)
    return _gradient(adjoint, p, (t0, u(t0), lam(t0)), (T, u(T), final), total)


def backsolved_adjoint(
    problem: OdeProblem, p: Array, t0: float, T: float, solver: Solver = ACCURATE, adjoint: NumericAdjoint | None = None
) -> Array:
    """The state itself is solved backwards beside the adjoint: no memory, and `digits_lost` digits fewer."""
    n = problem.states
    adjoint = adjoint or adjoint_of(problem)
    end = solver(lambda t, u: problem.field(t, u, p), (t0, T), problem.initial(p))(T)

    def rate(t: float, w: Array) -> Array:
        u, lam = w[:n], w[n : 2 * n]
        rates = (problem.field(t, u, p), adjoint.rate(t, u, lam, p), -adjoint.density(t, u, lam, p))
        return np.concatenate(rates)

    final = adjoint.final(T, end, p)
    w = solver(rate, (T, t0), np.concatenate([end, final, adjoint.explicit(T, end, p)]))(t0)
    return _gradient(adjoint, p, (t0, w[:n], w[n : 2 * n]), (T, end, final), w[2 * n :])


def digits_lost(problem: OdeProblem, p: Array, t0: float, T: float, solver: Solver = ACCURATE) -> float:
    """log10 of the norm of the inverse propagator: the digits that solving the state backwards costs."""
    n = problem.states

    def rate(t: float, w: Array) -> Array:
        u = w[:n]
        return np.concatenate([problem.field(t, u, p), (problem.field_u(t, u, p) @ w[n:].reshape(n, n)).ravel()])

    w = solver(rate, (t0, T), np.concatenate([problem.initial(p), np.eye(n).ravel()]))(T)
    smallest = np.linalg.svd(w[n:].reshape(n, n), compute_uv=False)[-1]
    return float(-np.log10(smallest))


def _gradient(adjoint: NumericAdjoint, p: Array, start: tuple, end: tuple, integral: Array) -> Array:
    lam0 = start[2]
    times = [adjoint.at_start(*start, p), adjoint.at_end(*end, p)]
    return np.concatenate([integral + lam0 @ adjoint.boundary(p), lam0, times])


# --- with fixed steps -------------------------------------------------------------------------


@dataclass(frozen=True)
class Tableau:
    """An explicit Runge-Kutta method: nodes c, rows of a, weights b, and its order."""

    name: str
    order: int
    c: tuple[float, ...]
    a: tuple[tuple[float, ...], ...]
    b: tuple[float, ...]


EULER = Tableau("Euler", 1, (0.0,), ((),), (1.0,))
HEUN = Tableau("Heun", 2, (0.0, 1.0), ((), (1.0,)), (0.5, 0.5))
RK4 = Tableau("RK4", 4, (0.0, 0.5, 0.5, 1.0), ((), (0.5,), (0.0, 0.5), (0.0, 0.0, 1.0)), (1 / 6, 1 / 3, 1 / 3, 1 / 6))


def discrete_objective(problem: OdeProblem, theta: Array, steps: int, method: Tableau = RK4) -> Any:
    """G by fixed steps at theta = (p, shift of u(t0), t0, T): plain arithmetic, to be traced or made complex."""
    n, m = problem.states, problem.parameters
    p, u, t0, T = theta[:m], problem.initial(theta[:m]) + theta[m : m + n], theta[m + n], theta[m + n + 1]
    h, cost = (T - t0) / steps, 0.0
    for k in range(steps):
        rates: list[Array] = []
        for c, row in zip(method.c, method.a, strict=True):
            t = t0 + (k + c) * h
            v = u
            for a, rate in zip(row, rates, strict=True):
                v = v + (h * a) * rate if a else v
            rates.append(problem.field(t, v, p))
            cost = cost + (h * method.b[len(rates) - 1]) * problem.running(t, v, p)
        for b, rate in zip(method.b, rates, strict=True):
            u = u + (h * b) * rate
    return cost + problem.terminal(T, u, p)


def complex_step(
    problem: OdeProblem, p: Array, t0: float, T: float, steps: int, method: Tableau = RK4, size: float = 1e-30
) -> Array:
    """Imaginary part of the discrete objective at theta + i size e_k, over size: no difference is formed."""
    theta = np.concatenate([p, np.zeros(problem.states), [t0, T]]).astype(complex)
    directions = 1j * size * np.eye(len(theta))
    return np.array([discrete_objective(problem, theta + d, steps, method).imag / size for d in directions])


def fixed_step_adjoint(
    problem: OdeProblem, p: Array, t0: float, T: float, steps: int, method: Tableau = RK4, solver: Solver = ACCURATE
) -> Array:
    """The continuous adjoint by fixed steps on the accurate state: the gradient of no discrete objective."""
    n = problem.states
    adjoint = adjoint_of(problem)
    u = solver(lambda t, u: problem.field(t, u, p), (t0, T), problem.initial(p))
    final = np.asarray(adjoint.final(T, u(T), p), dtype=float)
    w, h = np.concatenate([final, adjoint.explicit(T, u(T), p)]), (t0 - T) / steps
    for k in range(steps):
        rates: list[Array] = []
        for c, row in zip(method.c, method.a, strict=True):
            t = T + (k + c) * h
            v = w + h * sum((a * rate for a, rate in zip(row, rates, strict=True)), np.zeros_like(w))
            lam, at = v[:n], u(t)
            rates.append(np.concatenate([adjoint.rate(t, at, lam, p), -adjoint.density(t, at, lam, p)]))
        w = w + h * sum(b * rate for b, rate in zip(method.b, rates, strict=True))
    return _gradient(adjoint, p, (t0, u(t0), w[:n]), (T, u(T), final), w[n:])
