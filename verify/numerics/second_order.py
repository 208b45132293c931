"""What is the Hessian of an objective through an ODE times a vector, numerically?  By the adjoint, and without it.

Every route returns H v of shape (M,), the derivative of dG/dp along v.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from verify.derivation import Figure, Route, Series
from verify.numerics import autodiff, ode
from verify.numerics.compare import disagreement
from verify.numerics.factors import Factors, factor
from verify.numerics.ladder import LSODA
from verify.numerics.ode import ACCURATE, RK4, NumericAdjoint, OdeProblem, Solver
from verify.numerics.quotients import along

Array = Any
STEPS = (8, 16, 32, 64, 128)


@dataclass(frozen=True)
class SecondOrder:
    """A claimed second-order system as functions of (t, u, s, p, v), with costates lam, mu after s where they occur.

    moved_u (N, N), moved_p (N, M), moved_start (N, M): D f_u, D f_p, D b_p; moved_running and moved_terminal take the
    sensitivities S = u_p (row by row) last and are D(l_p + l_u S), D(g_p + g_u S) at fixed S, (M,).
    """

    tangent_rate: Callable[..., Array]
    tangent_start: Callable[..., Array]
    rate: Callable[..., Array]
    final: Callable[..., Array]
    explicit: Callable[..., Array]
    boundary: Callable[..., Array]
    density: Callable[..., Array]
    moved_u: Callable[..., Array]
    moved_p: Callable[..., Array]
    moved_start: Callable[..., Array]
    moved_running: Callable[..., Array]
    moved_terminal: Callable[..., Array]


def hessian_product(
    problem: OdeProblem, adjoint: NumericAdjoint, second: SecondOrder, p: Array, v: Array, t0: float, T: float,
    solver: Solver = ACCURATE,
) -> Array:  # fmt: skip
    """State and tangent forwards, both costates and the integral backwards: two solves each way, whatever M is."""
    n = problem.states
    start = np.concatenate([problem.initial(p), second.tangent_start(p, v)])

    def forwards(t: float, w: Array) -> Array:
        return np.concatenate([problem.field(t, w[:n], p), second.tangent_rate(t, w[:n], w[n:], p, v)])

    path = solver(forwards, (t0, T), start)

    def backwards(t: float, w: Array) -> Array:
        (u, s), lam, mu = np.split(path(t), 2), w[:n], w[n : 2 * n]
        return np.concatenate(
            [
                adjoint.rate(t, u, lam, p),
                second.rate(t, u, s, lam, mu, p, v),
                -second.density(t, u, s, lam, mu, p, v),
            ]
        )

    u, s = np.split(path(T), 2)
    final = np.concatenate([adjoint.final(T, u, p), second.final(T, u, s, p, v), second.explicit(T, u, s, p, v)])
    w = solver(backwards, (T, t0), final)(t0)
    return w[2 * n :] + second.boundary(w[:n], w[n : 2 * n], p, v)


def second_variations(
    problem: OdeProblem, second: SecondOrder, p: Array, v: Array, t0: float, T: float, solver: Solver = LSODA
) -> Array:
    """No adjoint: S = u_p and its derivative along v are solved forwards, M columns each."""
    n, m = problem.states, problem.parameters

    def rate(t: float, w: Array) -> Array:
        u, S, P = w[:n], w[n : n + n * m].reshape(n, m), w[n + n * m : n + 2 * n * m].reshape(n, m)
        s, f_u = S @ v, problem.field_u(t, u, p)
        moved = second.moved_u(t, u, s, p, v) @ S + f_u @ P + second.moved_p(t, u, s, p, v)
        cost = second.moved_running(t, u, s, p, v, S.ravel()) + problem.running_u(t, u, p) @ P
        return np.concatenate(
            [problem.field(t, u, p), (f_u @ S + problem.field_p(t, u, p)).ravel(), moved.ravel(), cost]
        )

    start = [problem.initial(p), problem.initial_p(p).ravel(), second.moved_start(p, v).ravel(), np.zeros(m)]
    w = solver(rate, (t0, T), np.concatenate(start))(T)
    u, S, P = w[:n], w[n : n + n * m].reshape(n, m), w[n + n * m : n + 2 * n * m].reshape(n, m)
    end = second.moved_terminal(T, u, S @ v, p, v, S.ravel()) + problem.terminal_u(T, u, p) @ P
    return w[n + 2 * n * m :] + end


def differences(problem: OdeProblem, p: Array, v: Array, t0: float, T: float, step: float = 4e-3) -> Array:
    """Central differences of fourth order, along v, of the gradient by forward sensitivities."""
    m = problem.parameters

    def gradient(size: float) -> Array:
        return ode.forward_sensitivities(problem, p + size * np.asarray(v), t0, T)[:m]

    return along(gradient, step)


def one_sided(problem: OdeProblem, p: Array, v: Array, t0: float, T: float, step: float) -> Array:
    """The quotient that people use: one gradient more, and half of its digits."""
    m = problem.parameters
    moved, at = (ode.forward_sensitivities(problem, q, t0, T)[:m] for q in (p + step * np.asarray(v), p))
    return (moved - at) / step


def complex_sensitivities(
    problem: OdeProblem, p: Array, v: Array, t0: float, T: float, steps: int, size: float = 1e-30
) -> Array:
    """Imaginary part of the gradient by sensitivities and RK4 at p + i size v, over size."""
    n, m = problem.states, problem.parameters
    q = np.asarray(p) + 1j * size * np.asarray(v)

    def rate(t: float, w: Array) -> Array:
        u, s = w[:n], w[n : n + n * m].reshape(n, m)
        cost = problem.running_u(t, u, q) @ s + problem.running_p(t, u, q)
        moved = problem.field_u(t, u, q) @ s + problem.field_p(t, u, q)
        return np.concatenate([problem.field(t, u, q), moved.ravel(), cost])

    w = ode.fixed_steps(
        rate, (t0, T), np.concatenate([problem.initial(q), problem.initial_p(q).ravel(), np.zeros(m)]), steps
    )
    u, s = w[:n], w[n : n + n * m].reshape(n, m)
    return (w[n + n * m :] + problem.terminal_p(T, u, q) + problem.terminal_u(T, u, q) @ s).imag / size


def reverse_over_reverse(problem: OdeProblem, p: Array, v: Array, t0: float, T: float, steps: int) -> Array:
    """Reverse mode through the reverse mode through RK4, by autograd; `problem` must be traceable."""
    import autograd

    rest = np.array([0.0] * problem.states + [t0, T])

    def objective(q: Any) -> Any:
        return ode.discrete_objective(problem, autodiff.traced.concatenate([q, rest]), steps, RK4)

    slope = autograd.grad(lambda q: autograd.grad(objective)(q) @ np.asarray(v))
    return np.asarray(slope(np.asarray(p, dtype=float)))


def routes(problem: OdeProblem, traceable: OdeProblem, second: SecondOrder) -> tuple[Route, ...]:
    """Routes for cases with the keywords p, v, t0, T."""

    def route(name: str, value: Any, resolution: float, *relies_on: str, **more: Any) -> Route:
        return Route(name, value, resolution, frozenset(relies_on), **more)

    return (
        route("second variations", lambda **c: second_variations(problem, second, **c), 1e-8,
              "second variational equation", "LSODA"),
        route("differences of the gradient", lambda **c: differences(problem, **c), 1e-7,
              "differences", "variational equation", "DOP853"),
        route("complex step through sensitivities", lambda **c: complex_sensitivities(problem, **c), 1e-6,
              "complex arithmetic", "RK4", order=4, steps=STEPS),
        route("reverse over reverse", lambda **c: reverse_over_reverse(traceable, **c), 1e-3,
              "autograd", "RK4", order=4, steps=(4, 6, 8)),
    )  # fmt: skip


def errors_by_step(problem: OdeProblem, second: SecondOrder, product: Array, **case: Any) -> Figure:
    """How far quotients of gradients are off, by their step, beside what needs no step."""
    steps = tuple(10.0**-k for k in range(1, 13))
    wanted = second_variations(problem, second, **case, solver=ACCURATE)

    def series(label: str, value: Any) -> Series:
        errors = (disagreement(value(h), wanted) for h in steps)
        return Series(label, steps, tuple(float(f"{max(e, 1e-17):.3e}") for e in errors))

    return Figure(
        title="A quotient of gradients loses digits at every step",
        x_label="step of the quotient",
        y_label="relative error of H v",
        series=(
            series("one-sided", lambda h: one_sided(problem, **case, step=h)),
            series("fourth order", lambda h: differences(problem, **case, step=h)),
            series("second-order adjoint", lambda _h: product),
        ),
        log_x=True,
        log_y=True,
        caption="Against the second variational equation, all at a tolerance of 1e-12; the adjoint has no step.",
    )  # fmt: skip


# --- equations ----------------------------------------------------------------------------------


@dataclass(frozen=True)
class EquationAlong:
    """The derivatives at a solution of f(u, p) = 0, for a value g(u, p).

    f_u (N, N), f_p (N, M), g_u (N,); and, as functions of s (N,), the derivatives of f_u, f_p, g_u and g_p along
    (s, v): moved_u (N, N), moved_p (N, M), moved_g_u (N,), moved_g_p (M,).
    """

    f_u: Array
    f_p: Array
    g_u: Array
    moved_u: Callable[[Array], Array]
    moved_p: Callable[[Array], Array]
    moved_g_u: Callable[[Array], Array]
    moved_g_p: Callable[[Array], Array]


def product_through_equation(parts: EquationAlong, v: Array, factor: Callable[[Array], Factors] = factor) -> Array:
    """H v through the equation: one solve with f_u, two with its transpose, whatever M is."""
    factors = factor(parts.f_u)
    s = factors.solve(-(parts.f_p @ v))
    lam = factors.transposed(parts.g_u)
    mu = factors.transposed(parts.moved_g_u(s) - lam @ parts.moved_u(s))
    return parts.moved_g_p(s) - mu @ parts.f_p - lam @ parts.moved_p(s)
