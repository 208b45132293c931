"""What is the gradient of an objective through an ODE, numerically?  Routes that share as little as possible.

    u' = f(t, u, p),  u(t0) = b(p),  G = g(T, u(T), p) + integral of l(t, u, p) over [t0, T]
                                     + sum of h_i(s_i, u(s_i), p), observed at times s_i(p) between t0 and T

Every route returns the same vector, (dG/dp, dG/du(t0), dG/dt0, dG/dT), of shape (M + N + 2,).  Dimensionless.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from scipy.integrate import solve_ivp

Array = Any


@dataclass(frozen=True)
class Observed:
    """What is added to G at one time: time and time_p (M,) of p; value, value_t scalars, value_u (N,), value_p (M,)."""

    time: Callable[..., Any]
    time_p: Callable[..., Array]
    value: Callable[..., Any]
    value_t: Callable[..., Any]
    value_u: Callable[..., Array]
    value_p: Callable[..., Array]


@dataclass(frozen=True)
class OdeProblem:
    """A problem as functions of (t, u, p) or of p, with the partial derivatives that some routes need.

    field (N,), initial (N,), running and terminal scalars; field_u (N, N), field_p (N, M), initial_p (N, M);
    running_u, terminal_u (N,); running_p, terminal_p (M,); terminal_t a scalar.  Observed in the order of time.
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
    observed: tuple[Observed, ...] = ()

    def times(self, p: Array, t0: Any, T: Any) -> list[Any]:
        """t0, the times of observation, T; ArithmeticError where they are not in this order."""
        found = [t0, *(each.time(p) for each in self.observed), T]
        if any(not early < late for early, late in pairwise(np.real(time) for time in found)):
            written = ", ".join(f"{np.real(time):g}" for time in found)
            raise ArithmeticError(f"the ends and the times of observation are {written}; each must be later")
        return found

    def seen(self, i: int, t: float, u: Array, p: Array) -> tuple[Array, Array]:
        """What the i-th observation adds to dG/du at its time (N,) and, as that moves with p, to dG/dp (M,)."""
        each = self.observed[i]
        by_u = each.value_u(t, u, p)
        return by_u, each.value_p(t, u, p) + (each.value_t(t, u, p) + by_u @ self.field(t, u, p)) * each.time_p(p)


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

    longest   step that is taken: where nothing moves, error control alone steps over what comes next.
    """

    method: str = "DOP853"
    rtol: float = 1e-12
    atol: float = 1e-13
    longest: float = np.inf

    def __call__(self, rate: Callable[..., Array], span: tuple[float, float], start: Array) -> Any:
        """The dense solution; ArithmeticError where the solver gives up before the end."""
        solution = solve_ivp(
            rate, span, start, method=self.method, rtol=self.rtol, atol=self.atol, dense_output=True,
            max_step=self.longest,
        )  # fmt: skip
        if not solution.success or not np.isfinite(solution.y[:, -1]).all():
            raise ArithmeticError(f"{self.method} stopped at t = {solution.t[-1]:.6g} of {span}: {solution.message}")
        return solution.sol


ACCURATE = Solver()


def forward_sensitivities(problem: OdeProblem, p: Array, t0: float, T: float, solver: Solver = ACCURATE) -> Array:
    """State, sensitivities and the cost's own quadratures in one system, all under error control."""
    n, m = problem.states, problem.parameters
    start_u = np.asarray(problem.initial(p), dtype=float)

    def rate(t: float, w: Array) -> Array:
        u, s = parts(w)
        moved = problem.field_u(t, u, p) @ s
        moved[:, :m] += problem.field_p(t, u, p)
        cost = problem.running_u(t, u, p) @ s
        cost[:m] += problem.running_p(t, u, p)
        return np.concatenate([problem.field(t, u, p), moved.ravel(), cost])

    def parts(w: Array) -> tuple[Array, Array]:
        return w[:n], w[n : n + n * (m + n)].reshape(n, m + n)

    s0 = np.hstack([problem.initial_p(p), np.eye(n)])
    w, gradient = np.concatenate([start_u, s0.ravel(), np.zeros(m + n)]), np.zeros(m + n)
    for i, span in enumerate(pairwise(problem.times(p, t0, T))):
        w = solver(rate, span, w)(span[1])
        u, s = parts(w)
        if i < len(problem.observed):
            by_u, by_p = problem.seen(i, span[1], u, p)
            gradient += by_u @ s
            gradient[:m] += by_p
    gradient += w[n + n * (m + n) :] + problem.terminal_u(T, u, p) @ s
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
    path = _path(problem, p, t0, T, solver)

    def piece(u: Any, span: tuple[float, float], w: Array) -> Array:
        def rate(t: float, w: Array) -> Array:
            lam, at = w[:n], u(t)
            return np.concatenate([adjoint.rate(t, at, lam, p), -adjoint.density(t, at, lam, p)])

        return np.concatenate([u(span[1]), solver(rate, span, w)(span[1])])

    return _backwards(problem, adjoint, p, path, piece)


def quadrature_adjoint(
    problem: OdeProblem, p: Array, t0: float, T: float, panels: int | None = 24, nodes: int = 8,
    solver: Solver = ACCURATE, adjoint: NumericAdjoint | None = None,
) -> Array:  # fmt: skip
    """The adjoint equation alone is solved; the integral is a composite Gauss-Legendre rule.

    panels   equally many, or None for the steps at which the solver stopped.
    """
    n, adjoint = problem.states, adjoint or adjoint_of(problem)
    path = _path(problem, p, t0, T, solver)
    x, weights = np.polynomial.legendre.leggauss(nodes)

    def piece(u: Any, span: tuple[float, float], w: Array) -> Array:
        lam = solver(lambda t, lam: adjoint.rate(t, u(t), lam, p), span, w[:n])
        edges = np.linspace(span[1], span[0], (panels or 0) + 1)
        if panels is None:
            edges = np.unique(np.concatenate([u.ts, lam.ts]))
        total = w[n:]
        for left, width in zip(edges, np.diff(edges), strict=False):
            for node, weight in zip(left + width * (x + 1) / 2, weights * width / 2, strict=True):
                total = total + weight * adjoint.density(node, u(node), lam(node), p)
        return np.concatenate([u(span[1]), lam(span[1]), total])

    return _backwards(problem, adjoint, p, path, piece)


def backsolved_adjoint(
    problem: OdeProblem, p: Array, t0: float, T: float, solver: Solver = ACCURATE, adjoint: NumericAdjoint | None = None
) -> Array:
    """The state itself is solved backwards beside the adjoint: no memory, and `digits_lost` digits fewer.

    Where something is observed the state is known again, and starts there as it was.
    """
    n, adjoint = problem.states, adjoint or adjoint_of(problem)

    def piece(u: Any, span: tuple[float, float], w: Array) -> Array:
        def rate(t: float, w: Array) -> Array:
            u, lam = w[:n], w[n : 2 * n]
            rates = (problem.field(t, u, p), adjoint.rate(t, u, lam, p), -adjoint.density(t, u, lam, p))
            return np.concatenate(rates)

        return solver(rate, span, np.concatenate([u(span[0]), w]))(span[1])

    return _backwards(problem, adjoint, p, _path(problem, p, t0, T, solver), piece)


Path = list[tuple[tuple[float, float], Any]]


def _path(problem: OdeProblem, p: Array, t0: float, T: float, solver: Solver) -> Path:
    """The spans of time between t0, observations and T, each with the state as a function of time."""
    path: Path = []
    start = np.asarray(problem.initial(p))
    for span in pairwise(problem.times(p, t0, T)):
        path.append((span, solver(lambda t, u: problem.field(t, u, p), span, start)))
        start = path[-1][1](span[1])
    return path


def _backwards(
    problem: OdeProblem, adjoint: NumericAdjoint, p: Array, path: Path,
    piece: Callable[[Any, tuple[float, float], Array], Array],
) -> Array:  # fmt: skip
    """The gradient, where `piece` carries (lam, dG/dp so far), (N + M,), back over a span; lam jumps between them.

    piece   of the state as a function of time, the span and what it had; returns the state in front of what it has.
    """
    n, (t0, _), ((_, T), end) = problem.states, path[0][0], path[-1]
    final = np.asarray(adjoint.final(T, end(T), p), dtype=float)
    w = np.concatenate([end(T), final, adjoint.explicit(T, end(T), p)])
    for i, ((left, right), u) in reversed(list(enumerate(path))):
        w = piece(u, (right, left), w[n:])
        if i:
            w[n:] += np.concatenate(problem.seen(i - 1, left, u(left), p))
    start, lam0, total = w[:n], w[n : 2 * n], w[2 * n :]
    times = [adjoint.at_start(t0, start, lam0, p), adjoint.at_end(T, end(T), final, p)]
    return np.concatenate([total + lam0 @ adjoint.boundary(p), lam0, times])


def digits_lost(problem: OdeProblem, p: Array, t0: float, T: float, solver: Solver = ACCURATE) -> float:
    """log10 of the norm of the inverse propagator: the digits that solving the state backwards costs."""
    n = problem.states

    def rate(t: float, w: Array) -> Array:
        u = w[:n]
        return np.concatenate([problem.field(t, u, p), (problem.field_u(t, u, p) @ w[n:].reshape(n, n)).ravel()])

    w = solver(rate, (t0, T), np.concatenate([problem.initial(p), np.eye(n).ravel()]))(T)
    smallest = np.linalg.svd(w[n:].reshape(n, n), compute_uv=False)[-1]
    return float(-np.log10(smallest))


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


def fixed_steps(
    rate: Callable[..., Array], span: tuple[Any, Any], start: Array, steps: int, method: Tableau = RK4
) -> Array:
    """The end of so many equal steps; times and states may be complex."""
    w, h = start, (span[1] - span[0]) / steps
    for k in range(steps):
        rates: list[Array] = []
        for c, row in zip(method.c, method.a, strict=True):
            inner = sum((a * rate for a, rate in zip(row, rates, strict=True) if a), np.zeros_like(w))
            rates.append(rate(span[0] + (k + c) * h, w + h * inner))
        w = w + h * sum(b * rate for b, rate in zip(method.b, rates, strict=True))
    return w


def shared(problem: OdeProblem, p: Array, t0: float, T: float, steps: int) -> tuple[int, ...]:
    """How many steps are taken between neighbouring times, so that none is longer than those of `steps` equal ones."""
    times = problem.times(p, t0, T)
    parts = [steps * float((late - early) / (T - t0)) for early, late in pairwise(times)]
    return tuple(max(1, int(np.ceil(part - 1e-9))) for part in parts)


def discrete_objective(problem: OdeProblem, theta: Array, steps: int | Sequence[int], method: Tableau = RK4) -> Any:
    """G by fixed steps at theta = (p, shift of u(t0), t0, T): plain arithmetic, to be traced or made complex.

    steps   between neighbouring times of t0, observations and T, as `shared` has them; the same for all if a number.
    """
    n, m = problem.states, problem.parameters
    p, u, t0, T = theta[:m], problem.initial(theta[:m]) + theta[m : m + n], theta[m + n], theta[m + n + 1]
    times, cost = [t0, *(each.time(p) for each in problem.observed), T], 0.0
    numbers = [steps] * (len(times) - 1) if isinstance(steps, int) else steps
    for i, (number, (begin, end)) in enumerate(zip(numbers, pairwise(times), strict=True)):
        h = (end - begin) / number
        for k in range(number):
            rates: list[Array] = []
            for c, row in zip(method.c, method.a, strict=True):
                t = begin + (k + c) * h
                v = u
                for a, rate in zip(row, rates, strict=True):
                    v = v + (h * a) * rate if a else v
                rates.append(problem.field(t, v, p))
                cost = cost + (h * method.b[len(rates) - 1]) * problem.running(t, v, p)
            for b, rate in zip(method.b, rates, strict=True):
                u = u + (h * b) * rate
        if i < len(problem.observed):
            cost = cost + problem.observed[i].value(end, u, p)
    return cost + problem.terminal(T, u, p)


def complex_step(
    problem: OdeProblem, p: Array, t0: float, T: float, steps: int, method: Tableau = RK4, size: float = 1e-30
) -> Array:
    """Imaginary part of the discrete objective at theta + i size e_k, over size: no difference is formed."""
    theta = np.concatenate([p, np.zeros(problem.states), [t0, T]]).astype(complex)
    directions, numbers = 1j * size * np.eye(len(theta)), shared(problem, p, t0, T, steps)
    return np.array([discrete_objective(problem, theta + d, numbers, method).imag / size for d in directions])


def fixed_step_adjoint(
    problem: OdeProblem, p: Array, t0: float, T: float, steps: int, method: Tableau = RK4, solver: Solver = ACCURATE
) -> Array:
    """The continuous adjoint by fixed steps on the accurate state: the gradient of no discrete objective."""
    n, adjoint = problem.states, adjoint_of(problem)
    path, length = _path(problem, p, t0, T, solver), T - t0

    def piece(u: Any, span: tuple[float, float], w: Array) -> Array:
        number = max(1, int(np.ceil(steps * (span[0] - span[1]) / length - 1e-9)))

        def rate(t: float, w: Array) -> Array:
            lam, at = w[:n], u(t)
            return np.concatenate([adjoint.rate(t, at, lam, p), -adjoint.density(t, at, lam, p)])

        w = fixed_steps(rate, span, w, number, method)
        return np.concatenate([u(span[1]), w])

    return _backwards(problem, adjoint, p, path, piece)
