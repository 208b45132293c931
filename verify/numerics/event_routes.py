"""What is the gradient through an event, numerically?  Routes that share as little as possible.

    u' = f1, u(t0) = b(p), cost l1, until phi(t, u, p) = 0 at tau;  u+ = r(tau, u-, p), cost k;  u' = f2, cost l2, to T

Every route returns (dG/dp, dG/du(t0), dG/dt0, dG/dT), of shape (M + N + 2,).  Dimensionless.  ArithmeticError where
no event happens between t0 and T.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.integrate import solve_ivp

from verify.derivation import Example, Figure, Route, Series
from verify.numerics.compare import disagreement
from verify.numerics.ladder import LSODA
from verify.numerics.ode import ACCURATE, NumericAdjoint, OdeProblem, Solver, adjoint_of, fixed_steps
from verify.numerics.quotients import along

Array = Any


@dataclass(frozen=True)
class Partials:
    """A function of (t, u, p) with its partial derivatives; by_u and by_p have a row for each output."""

    value: Callable[..., Any]
    by_t: Callable[..., Any]
    by_u: Callable[..., Array]
    by_p: Callable[..., Array]


@dataclass(frozen=True)
class EventProblem:
    """The two phases, of which the second one has the terminal cost; phi, r and k in the state just before."""

    before: OdeProblem
    after: OdeProblem
    when: Partials
    reset: Partials
    cost: Partials


@dataclass(frozen=True)
class NumericJump:
    """A claimed adjoint: its systems before and after the event, and in (t, u, lam+, p) lam(tau-) with the gain."""

    earlier: NumericAdjoint
    later: NumericAdjoint
    across: Callable[..., tuple[Array, Array]]


@dataclass(frozen=True)
class Path:
    """The dense solutions on both sides of an event at tau, and the states just before and after."""

    tau: float
    before: Callable[[Any], Array]
    after: Callable[[Any], Array]
    left: Array
    right: Array


def jump_of(problem: EventProblem) -> NumericJump:
    """The right jump from the problem's own Jacobians, without computer algebra."""
    before, after, when, reset, cost = problem.before, problem.after, problem.when, problem.reset, problem.cost

    def across(t: float, u: Array, lam: Array, p: Array) -> tuple[Array, Array]:
        f, right, r_u, k_u, phi_u = (
            before.field(t, u, p), reset.value(t, u, p), reset.by_u(t, u, p), cost.by_u(t, u, p), when.by_u(t, u, p)
        )  # fmt: skip
        moved = reset.by_t(t, u, p) + r_u @ f - after.field(t, right, p)
        spent = before.running(t, u, p) - after.running(t, right, p) + cost.by_t(t, u, p) + k_u @ f
        share = (spent + lam @ moved) / (when.by_t(t, u, p) + phi_u @ f)
        return (
            lam @ r_u + k_u - share * phi_u,
            lam @ reset.by_p(t, u, p) + cost.by_p(t, u, p) - share * when.by_p(t, u, p),
        )

    return NumericJump(adjoint_of(before), adjoint_of(after), across)


# --- with a located event -----------------------------------------------------------------------


@dataclass(frozen=True)
class _Until:
    """A terminal event of solve_ivp: phi of the first n entries."""

    when: Callable[..., Any]
    n: int
    p: Array
    terminal: bool = True

    def __call__(self, t: float, w: Array) -> Any:
        return self.when(t, w[: self.n], self.p)


def until_event(
    problem: EventProblem, rate: Callable[..., Array], p: Array, t0: float, T: float, start: Array, solver: Solver
) -> tuple[float, Any]:
    """When the event happens, and the dense solution until then; the state comes first in what is solved for."""
    event = _Until(problem.when.value, problem.before.states, p)
    found = solve_ivp(
        rate, (t0, T), start, method=solver.method, rtol=solver.rtol, atol=solver.atol, dense_output=True, events=event
    )
    if found.status != 1:
        raise ArithmeticError(f"no event between t = {t0} and {found.t[-1]:.6g}: {found.message}")
    return float(found.t_events[0][0]), found.sol


def path(problem: EventProblem, p: Array, t0: float, T: float, solver: Solver = ACCURATE) -> Path:
    """The state alone."""
    start = np.asarray(problem.before.initial(p), dtype=float)
    tau, before = until_event(problem, lambda t, u: problem.before.field(t, u, p), p, t0, T, start, solver)
    left = before(tau)
    right = np.asarray(problem.reset.value(tau, left, p), dtype=float)
    return Path(tau, before, solver(lambda t, u: problem.after.field(t, u, p), (tau, T), right), left, right)


def adjoint_path(
    problem: EventProblem, jump: NumericJump, found: Path, p: Array, t0: float, T: float, solver: Solver = ACCURATE
) -> tuple[Callable[[Any], Array], Callable[[Any], Array]]:
    """The adjoint with its quadrature, before and after the event: dense, from T through a claimed jump to t0."""
    n, end = problem.before.states, found.after(T)

    def back(adjoint: NumericAdjoint, state: Any, span: tuple[float, float], start: Array) -> Any:
        def rate(t: float, w: Array) -> Array:
            lam, u = w[:n], state(t)
            return np.concatenate([adjoint.rate(t, u, lam, p), -adjoint.density(t, u, lam, p)])

        return solver(rate, span, start)

    start = np.concatenate([jump.later.final(T, end, p), jump.later.explicit(T, end, p)])
    later = back(jump.later, found.after, (T, found.tau), start)
    w = later(found.tau)
    lam, gain = jump.across(found.tau, found.left, w[:n], p)
    start = np.concatenate([lam, w[n:] + gain])
    return back(jump.earlier, found.before, (found.tau, t0), start), later


def jumping_adjoint(
    problem: EventProblem, jump: NumericJump, p: Array, t0: float, T: float, solver: Solver = ACCURATE
) -> Array:
    """The gradient by the adjoint, backwards through a claimed jump at the event."""
    n, found = problem.before.states, path(problem, p, t0, T, solver)
    earlier, later = adjoint_path(problem, jump, found, p, t0, T, solver)
    lam, integral = earlier(t0)[:n], earlier(t0)[n:]
    times = [jump.earlier.at_start(t0, found.before(t0), lam, p), jump.later.at_end(T, found.after(T), later(T)[:n], p)]
    return np.concatenate([integral + lam @ jump.earlier.boundary(p), lam, times])


def by_jacobians(problem: EventProblem, p: Array, t0: float, T: float) -> Array:
    """The adjoint without computer algebra, by another solver."""
    return jumping_adjoint(problem, jump_of(problem), p, t0, T, LSODA)


def widened(by_p: Array, columns: int) -> Array:
    """Derivatives by p, and zeros for what else is differentiated by."""
    return np.concatenate([by_p, np.zeros((*by_p.shape[:-1], columns - by_p.shape[-1]))], axis=-1)


def tangent_across(
    problem: EventProblem, t: float, u: Array, p: Array, s: Array, spent: Array
) -> tuple[Array, Array, Array]:
    """State, sensitivities (N, C) and derivatives of the cost (C,) just after the event, from those just before."""
    phi, r, k, at, columns = problem.when, problem.reset, problem.cost, (t, u, p), s.shape[1]
    f, phi_u = problem.before.field(*at), phi.by_u(*at)
    tau_p = -(phi_u @ s + widened(phi.by_p(*at), columns)) / (phi.by_t(*at) + phi_u @ f)
    s = s + np.outer(f, tau_p)  # of the state at the event, wherever that is
    right = r.value(*at)
    after = np.outer(r.by_t(*at) - problem.after.field(t, right, p), tau_p)
    after = after + r.by_u(*at) @ s + widened(r.by_p(*at), columns)
    spent = spent + (problem.before.running(*at) - problem.after.running(t, right, p) + k.by_t(*at)) * tau_p
    return right, after, spent + k.by_u(*at) @ s + widened(k.by_p(*at), columns)


def forward_sensitivities(problem: EventProblem, p: Array, t0: float, T: float, solver: Solver = ACCURATE) -> Array:
    """State, sensitivities and the derivative of the cost so far; at the event they jump with its time.  No adjoint."""
    first, second = problem.before, problem.after
    n, m = first.states, first.parameters
    c = m + n  # columns: by p, by u(t0)

    def rate_of(phase: OdeProblem) -> Callable[..., Array]:
        def rate(t: float, w: Array) -> Array:
            u, s = w[:n], w[n : n + n * c].reshape(n, c)
            moved = phase.field_u(t, u, p) @ s + widened(phase.field_p(t, u, p), c)
            cost = phase.running_u(t, u, p) @ s + widened(phase.running_p(t, u, p), c)
            return np.concatenate([phase.field(t, u, p), moved.ravel(), cost])

        return rate

    u0 = np.asarray(first.initial(p), dtype=float)
    s0 = np.hstack([first.initial_p(p), np.eye(n)])
    start = np.concatenate([u0, s0.ravel(), np.zeros(c)])
    tau, sol = until_event(problem, rate_of(first), p, t0, T, start, solver)
    w = sol(tau)
    u, s, spent = w[:n], w[n : n + n * c].reshape(n, c), w[n + n * c :]
    right, s, spent = tangent_across(problem, tau, u, p, s, spent)

    w = solver(rate_of(second), (tau, T), np.concatenate([right, s.ravel(), spent]))(T)
    u, s, spent = w[:n], w[n : n + n * c].reshape(n, c), w[n + n * c :]
    gradient = spent + second.terminal_u(T, u, p) @ s + widened(second.terminal_p(T, u, p), c)
    by_start = -first.running(t0, u0, p) - gradient[m:] @ first.field(t0, u0, p)
    by_end = second.running(T, u, p) + second.terminal_t(T, u, p) + second.terminal_u(T, u, p) @ second.field(T, u, p)
    return np.concatenate([gradient, [by_start, by_end]])


# --- without a derivative of the event ------------------------------------------------------------


def _parts(problem: EventProblem, theta: Array) -> tuple[Array, Array, Any, Any]:
    """p, u(t0), t0 and T of theta = (p, shift of u(t0), t0, T)."""
    n, m = problem.before.states, problem.before.parameters
    p = theta[:m]
    return p, problem.before.initial(p) + theta[m : m + n], theta[m + n], theta[m + n + 1]


def _with_cost(phase: OdeProblem, p: Array) -> Callable[..., Array]:
    n = phase.states
    return lambda t, w: np.append(phase.field(t, w[:n], p), phase.running(t, w[:n], p))


def objective(problem: EventProblem, theta: Array, solver: Solver = ACCURATE) -> float:
    """G at theta = (p, shift of u(t0), t0, T), by a solver that locates the event."""
    n = problem.before.states
    p, u0, t0, T = _parts(problem, theta)
    tau, sol = until_event(problem, _with_cost(problem.before, p), p, t0, T, np.append(u0, 0.0), solver)
    w = sol(tau)
    at = (tau, w[:n], p)
    start = np.append(problem.reset.value(*at), w[n] + problem.cost.value(*at))
    w = solver(_with_cost(problem.after, p), (tau, T), start)(T)
    return float(w[n] + problem.after.terminal(T, w[:n], p))


def differences(problem: EventProblem, p: Array, t0: float, T: float, steps: int, solver: Solver = ACCURATE) -> Array:
    """Quotients of fourth order of the objective, with steps of size 1/steps; the event is located each time."""
    theta = np.concatenate([p, np.zeros(problem.before.states), [t0, T]])
    return np.array(
        [along(lambda h, e=e: objective(problem, theta + h * e, solver), 1 / steps) for e in np.eye(len(theta))]
    )


def complex_step(problem: EventProblem, p: Array, t0: float, T: float, steps: int, size: float = 1e-30) -> Array:
    """Imaginary part of the objective by RK4, over size: each phase has so many steps, and the first ends at the event.

    The event's time solves phi = 0 at the end of the steps; it is complex as everything is.
    """
    n = problem.before.states
    theta = np.concatenate([p, np.zeros(n), [t0, T]]).astype(complex)
    guess = path(problem, p, t0, T, Solver("RK45", 1e-6, 1e-6)).tau

    def value(theta: Array) -> Any:
        p, u0, t0, T = _parts(problem, theta)

        def crossing(t: Any, w: Array) -> tuple[Any, Any]:
            at = (t, w[:n], p)
            rate = problem.when.by_t(*at) + problem.when.by_u(*at) @ problem.before.field(*at)
            return problem.when.value(*at), rate

        w, tau = to_event(_with_cost(problem.before, p), crossing, t0, guess, np.append(u0, 0), steps, size)
        at = (tau, w[:n], p)
        start = np.append(problem.reset.value(*at), w[n] + problem.cost.value(*at))
        w = fixed_steps(_with_cost(problem.after, p), (tau, T), start, steps)
        return w[n] + problem.after.terminal(T, w[:n], p)

    return np.array([value(theta + 1j * size * e).imag / size for e in np.eye(len(theta))])


def to_event(
    rate: Callable[..., Array], crossing: Callable[..., tuple[Any, Any]], t0: Any, tau: Any, start: Array, steps: int,
    size: float,
) -> tuple[Array, Any]:  # fmt: skip
    """The end of so many steps to the event, and its time, by Newton's method with the slope of the equation.

    crossing    phi and its rate along the solution, in time and in what is solved for.  ArithmeticError without an end.
    """
    for _ in range(60):
        phi, slope = crossing(tau, fixed_steps(rate, (t0, tau), start, steps))
        change = phi / slope
        tau = tau - change
        if abs(change.real) < 1e-14 * max(1.0, abs(tau)) and abs(change.imag) < 1e-13 * size * max(1.0, abs(tau)):
            return fixed_steps(rate, (t0, tau), start, steps), tau
    raise ArithmeticError(f"the event after t = {t0} was not found by Newton's method in {steps} steps")


# --- a worked problem -----------------------------------------------------------------------------


def worked(problem: EventProblem, p: Array, t0: float, T: float, exact: Mapping[str, Any], says: str) -> Example:
    """Each route's dG/dp against closed forms, by the parameters' names in their order; and the path to it."""
    ways = {
        "adjoint": by_jacobians(problem, p, t0, T),
        "sensitivities": forward_sensitivities(problem, p, t0, T),
        "differences": differences(problem, p, t0, T, steps=128),
        "complex RK4": complex_step(problem, p, t0, T, steps=64),
    }
    rows = []
    for i, (name, value) in enumerate(exact.items()):
        errors = [abs(found[i] / float(value) - 1) for found in ways.values()]
        finding = "agrees" if max(errors) < 1e-6 else "WRONG"
        rows.append((f"dG/d{name}", finding, str(value), *(f"{error:.0e}" for error in errors)))
    header = ("Gradient", "Finding", "Closed form", *ways)
    return Example("Worked problem", says, header, tuple(rows), (_state_and_adjoint(problem, p, t0, T),))


def _state_and_adjoint(problem: EventProblem, p: Array, t0: float, T: float) -> Figure:
    found = path(problem, p, t0, T)
    adjoints = adjoint_path(problem, jump_of(problem), found, p, t0, T)
    early, late = np.linspace(t0, found.tau, 81), np.linspace(found.tau, T, 81)
    x = tuple(float(f"{t:.5g}") for t in (*early, *late))

    def series(label: str, sides: tuple[Any, Any], i: int, style: str) -> Series:
        values = (*sides[0](early)[i], *sides[1](late)[i])
        return Series(label, x, tuple(float(f"{y:.5g}") for y in values), style)

    n = problem.before.states
    states = (series(f"u_{i + 1}", (found.before, found.after), i, "line") for i in range(n))
    costates = (series(f"lam_{i + 1}", adjoints, i, "dashed") for i in range(n))
    return Figure(
        "State and adjoint through the event", "time t", "value", (*states, *costates),
        caption="The state is solved from the left and jumps to the right, the adjoint the other way round.",
    )  # fmt: skip


def errors_by_time(
    problem: EventProblem, wrong: Mapping[str, NumericJump], p: Array, t0: float, between: tuple[float, float]
) -> Figure:
    """How wrong dG/dp is with wrong jumps, as the final time moves between two events."""
    first, second = between
    times = tuple(round(first + (second - first) * (k + 0.5) / 80, 5) for k in range(80))
    m = problem.before.parameters
    right = [forward_sensitivities(problem, p, t0, T, LSODA)[:m] for T in times]

    def series(name: str, jump: NumericJump) -> Series:
        found = (jumping_adjoint(problem, jump, p, t0, T, LSODA)[:m] for T in times)
        errors = (disagreement(value, wanted) for value, wanted in zip(found, right, strict=True))
        return Series(name, times, tuple(float(f"{error:.3e}") for error in errors))

    return Figure(
        title="Where a delay of the event changes nothing, its time may be forgotten",
        x_label="final time T",
        y_label="relative error of the gradient",
        series=tuple(series(name, jump) for name, jump in wrong.items()),
        log_y=True,
        caption="The ball of the worked problem with e = 4/5, between its first bounce and its second. At T = 2 a "
        "delay of the bounce changes nothing: a wrong factor of it does not show.",
    )


# --- all of them ----------------------------------------------------------------------------------


def routes(problem: EventProblem) -> tuple[Route, ...]:
    """Routes for cases with the keywords p, t0, T."""

    def route(name: str, value: Callable[..., Array], resolution: float, *relies_on: str, **more: Any) -> Route:
        return Route(name, lambda **case: value(problem, **case), resolution, frozenset(relies_on), **more)

    return (
        route("forward sensitivities with saltation", forward_sensitivities, 1e-9,
              "variational equation", "saltation", "event location", "DOP853"),
        route("adjoint with the jump, without computer algebra", by_jacobians, 1e-7,
              "adjoint equation", "event location", "LSODA"),
        route("differences of a solver that locates the event", differences, 1e-6,
              "differences", "event location", "DOP853", order=4, steps=(16, 32, 64, 128)),
        route("complex step through RK4 up to the event", complex_step, 1e-6,
              "complex arithmetic", "RK4", "Newton's method", order=4, steps=(8, 16, 32, 64, 128)),
    )  # fmt: skip
