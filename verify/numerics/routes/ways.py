"""Which routes to a gradient are there, what is known of each beforehand, and what do they give?

A way either refuses, with its reason, or returns the gradient with a bound that it claims for its own error.  Those
under error control run at two tolerances and claim the difference.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from itertools import pairwise
from typing import Any

import numpy as np
from scipy.integrate import solve_ivp

from verify.numerics import exponential, ode
from verify.numerics.compare import disagreement
from verify.numerics.routes import heyoka
from verify.numerics.routes.point import Point
from verify.numerics.routes.survey import Survey

Array = Any
#: Decimal digits of a double.
DIGITS = 16.0
#: Relative errors beyond which a way is not worth running.
USELESS = 1e-2
#: Steps at least, in the run that counts and in the one beside it: never the same, or their difference says nothing.
STEPS = (64, 24)
#: Evaluations that DOP853 takes for each step, and for each e-fold of decay, as was measured with the first tolerance.
STAGES, DECAYING = 12, 20
#: Evaluations of a right-hand side after which a run is given up.
MOST_EVALUATIONS = 400_000
#: Widths of differences that are tried, one after the other, where there is no solution further away.
NARROWER = (1.0, 0.1, 0.01)
CENTRAL = "central, the step at its optimum for the noise of the solver"
#: Equations that a solver is given at most, directions that are followed one by one, operations that are traced.
MOST_EQUATIONS, MOST_DIRECTIONS, MOST_TRACED = 6_000, 60, 60_000


@dataclass(frozen=True)
class Outcome:
    """(dG/dp, dG/du(t0), dG/dt0, dG/dT), the relative error that is claimed, and evaluations of a right-hand side."""

    gradient: Array
    claims: float
    evaluations: int


@dataclass(frozen=True)
class Way:
    """A route: its name, the method that was chosen, what is known beforehand, and how to run it.

    run   None where it is known beforehand that it fails: `says` tells why.
    """

    name: str
    method: str
    says: str
    run: Callable[[], Outcome] | None


class Counted:
    """A solver that counts evaluations and gives up after too many."""

    def __init__(self, solver: ode.Solver) -> None:
        self.solver, self.count = solver, 0

    def __call__(self, rate: Callable[..., Array], span: tuple[float, float], start: Array) -> Any:
        def counted(t: float, w: Array) -> Array:
            self.count += 1
            if self.count > MOST_EVALUATIONS:
                raise ArithmeticError(f"gave up after {MOST_EVALUATIONS} evaluations")
            return rate(t, w)

        return self.solver(counted, span, np.asarray(start, dtype=float))


def ways(point: Point, look: Survey) -> Iterator[Way]:
    """All routes for a problem, chosen by what the look along its solution told."""
    method, tolerances = ("Radau", (1e-9, 1e-7)) if look.stiff else ("DOP853", (1e-12, 1e-10))
    p, (t0, T), numeric = point.p, point.ends, point.numeric
    solvers = [ode.Solver(method, tol, tol / 100, (T - t0) / k) for tol, k in zip(tolerances, STEPS, strict=True)]
    n, m = numeric.states, numeric.parameters

    def controlled(name: str, says: str, value: Callable[..., Array], refused: str = "") -> Way:
        run = None if refused else partial(_at_two_tolerances, value, solvers)
        return Way(name, method, refused or says, run)

    equations = (n + 1) * (m + n + 1)
    yield controlled(
        "forward sensitivities",
        f"{equations} equations, all under error control",
        lambda solver: ode.forward_sensitivities(numeric, p, t0, T, solver),
        f"{equations} equations; an adjoint has {2 * n + m}" if equations > MOST_EQUATIONS else "",
    )
    yield controlled(
        "interpolated adjoint",
        "the state from its dense output",
        lambda solver: ode.interpolated_adjoint(numeric, point.adjoint, p, t0, T, solver),
    )
    yield controlled(
        "Gauss-quadrature adjoint",
        "the integral on the steps of the solver, outside its error control",
        lambda solver: ode.quadrature_adjoint(numeric, p, t0, T, None, 8, solver, point.adjoint),
    )
    yield controlled(
        "backsolve",
        f"loses {look.losses[0]} in solving the state backwards{_again(point)}",
        lambda solver: ode.backsolved_adjoint(numeric, p, t0, T, solver, point.adjoint),
        _lost(look, tolerances[0]),
    )
    yield _complex_step(point, look, solvers)
    yield _differences(point, look, solvers)
    yield _reverse_mode(point, look)
    yield _odeint(point, look)
    if point.linear:
        yield Way("matrix exponential", "Fréchet", "the problem is linear: no solver", partial(_exponential, point))
    yield _heyoka(point, look)


def _at_two_tolerances(value: Callable[..., Array], solvers: list[ode.Solver]) -> Outcome:
    fine, coarse = map(Counted, solvers)
    gradient = value(fine)
    rough = value(coarse)
    return Outcome(gradient, claimed(disagreement(rough, gradient)), fine.count)


def claimed(error: float) -> float:
    """A difference that happens to vanish is no proof of anything: round-off stays."""
    return max(error, 1e-15)


def _lost(look: Survey, tolerance: float) -> str:
    left = -np.log10(tolerance) - look.backwards
    if left > -np.log10(USELESS):
        return ""
    return f"would lose up to {look.backwards:.4g} digits in solving the state backwards, and a double has {DIGITS:.0f}"


def _too_many(point: Point, look: Survey, solves: int) -> str:
    """Why one solve for each direction is too much; "" where it is not."""
    if look.stiff:
        return f"{solves} solves of a stiff problem"
    evaluations = solves * max(STAGES * STEPS[0], DECAYING * look.stiffness)
    if len(_theta(point)) > MOST_DIRECTIONS or evaluations > MOST_EVALUATIONS:
        return f"{solves} solves with about {evaluations:.1g} evaluations"
    return ""


def _again(point: Point) -> str:
    return ", known again at each observation" if point.numeric.observed else ""


# --- one direction after the other ----------------------------------------------------------------


def _objective(point: Point, theta: Array, solver: ode.Solver, count: list[int]) -> Any:
    """G at theta = (p, shift of u(t0), t0, T) by an adaptive method on [0, 1] between times; complex where theta is."""
    numeric = point.numeric
    n, m = numeric.states, numeric.parameters
    p, t0, T = theta[:m], theta[m + n], theta[m + n + 1]
    w, seen = np.append(np.asarray(numeric.initial(p)) + theta[m : m + n], 0.0), 0.0
    for i, (begin, end) in enumerate(pairwise(numeric.times(p, t0, T))):
        length = end - begin

        def rate(x: float, w: Array, begin: Any = begin, length: Any = length) -> Array:
            count[0] += 1
            if count[0] > MOST_EVALUATIONS:
                raise ArithmeticError(f"gave up after {MOST_EVALUATIONS} evaluations")
            t = begin + x * length
            return length * np.append(numeric.field(t, w[:n], p), numeric.running(t, w[:n], p))

        done = solve_ivp(
            rate, (0.0, 1.0), w, method=solver.method, rtol=solver.rtol, atol=solver.atol,
            max_step=solver.longest / np.real(length),
        )  # fmt: skip
        w = done.y[:, -1]
        if not done.success or not np.isfinite(w).all():
            raise ArithmeticError(f"{solver.method} stopped: {done.message}")
        if i < len(numeric.observed):
            seen = seen + numeric.observed[i].value(end, w[:n], p)
    return w[n] + seen + numeric.terminal(T, w[:n], p)


def _theta(point: Point) -> Array:
    return np.concatenate([point.p, np.zeros(point.numeric.states), point.ends])


def _complex_step(point: Point, look: Survey, solvers: list[ode.Solver]) -> Way:
    theta = _theta(point)
    refused = ""
    if not point.smooth:
        refused = "the expressions are no holomorphic code: a complex step gives no derivative"
    elif look.stiff:
        refused = "stiff, and the implicit methods of SciPy take no complex numbers"
    else:
        refused = _too_many(point, look, len(theta))

    def run() -> Outcome:
        count, found = [0], []
        for solver in solvers:
            count[0] = 0
            moved = [theta + 1e-30j * e for e in np.eye(len(theta))]
            found.append(np.array([_objective(point, each, solver, count).imag / 1e-30 for each in moved]))
            found.append(count[0])
        return Outcome(found[0], claimed(disagreement(found[2], found[0])), found[1])

    says = f"{len(theta)} solves; step control does not see the derivative"
    return Way("complex step", solvers[0].method, refused or says, None if refused else run)


def _differences(point: Point, look: Survey, solvers: list[ode.Solver]) -> Way:
    """Central differences whose step balances the noise of the solver against the third derivative."""
    theta = _theta(point)
    name = "finite differences"
    if refused := _too_many(point, look, 6 * len(theta)):
        return Way(name, solvers[0].method, refused, None)

    count = [0]

    def G(j: int, shift: float, which: int = 0) -> float:
        return float(_objective(point, theta + shift * np.eye(len(theta))[j], solvers[which], count))

    def run() -> Outcome:
        count[0] = 0
        slopes, claims = quotients(G, theta, solvers[0].rtol)
        return Outcome(slopes, claims, count[0])

    return Way(name, solvers[0].method, CENTRAL, run)


def quotients(G: Callable[..., float], theta: Array, tolerance: float) -> tuple[Array, float]:
    """Central differences at their optimum step, and the relative error that they claim.

    G(j, shift, which)    the objective with theta[j] shifted, by the fine (0) or the coarse (1) of two solvers.
    """
    here = G(0, 0.0)
    noise = abs(here - G(0, 0.0, 1)) / 10 + tolerance * (abs(here) + 1e-2)
    slopes, errors = [], []
    for j, value in enumerate(theta):
        for narrower in NARROWER:
            wide = 2e-2 * max(abs(value), 0.1) * narrower
            try:
                far, near = G(j, 2 * wide) - G(j, -2 * wide), G(j, wide) - G(j, -wide)
                break
            except ArithmeticError:
                if narrower is NARROWER[-1]:
                    raise
        third = abs(far - 2 * near) / (2 * wide**3)
        h = min(max((3 * noise / max(third, 1e-12)) ** (1 / 3), 1e-7 * max(abs(value), 1.0)), wide)
        slopes.append((G(j, h) - G(j, -h)) / (2 * h))
        errors.append(noise / h + third * h * h / 6)
    gradient = np.array(slopes)
    return gradient, claimed(float(max(errors)) / float(np.max(np.abs(gradient))))


# --- by autograd ------------------------------------------------------------------------------------


def _reverse_mode(point: Point, look: Survey) -> Way:
    """Through the steps of RK4, as many as stability and a sensible time allow."""
    name, operations = "reverse mode", 4 * max(point.operations, 1)
    needed = int(look.stiffness / 2.5) + 1
    steps = min(128, MOST_TRACED // operations) // 2 * 2
    if needed > steps // 2:
        reason = f"unstable with less than {needed} steps, and {steps} can be traced"
        return Way(name, "RK4", reason, None)

    def run() -> Outcome:
        from verify.numerics import autodiff

        traceable, (t0, T) = point.functions(autodiff.LIBRARY), point.ends
        fine, coarse = (autodiff.discrete_adjoint(traceable, point.p, t0, T, k) for k in (steps, steps // 2))
        return Outcome(fine, claimed(2 * disagreement(coarse, fine) / 15), 4 * steps)

    return Way(name, f"RK4, {steps} steps", "the exact gradient of a discrete objective", run)


def _odeint(point: Point, look: Survey) -> Way:
    name = "autograd's odeint"
    refused = _lost(look, 1e-10)
    if not refused and look.steps * point.operations > MOST_TRACED:
        refused = f"{look.steps} steps of {point.operations} operations each are too many to trace"
    if refused:
        return Way(name, "LSODA", refused, None)

    def run() -> Outcome:
        from verify.numerics import autodiff

        traceable, (t0, T) = point.functions(autodiff.LIBRARY), point.ends
        fine, coarse = (autodiff.odeint_gradient(traceable, point.p, t0, T, tol) for tol in (1e-10, 1e-8))
        return Outcome(fine, claimed(disagreement(coarse, fine)), 0)

    says = f"solves the state backwards: loses {look.losses[0]}{_again(point)}"
    return Way(name, "LSODA", says, run)


# --- without a solver, or with another one ----------------------------------------------------------


def _exponential(point: Point) -> Outcome:
    """The sum over the times of the objective, each with its own Fréchet derivative."""
    numeric, p, (t0, *times) = point.numeric, point.p, point.times
    n, m = numeric.states, numeric.parameters
    slopes = [each.value_t for each in numeric.observed] + [numeric.terminal_t]
    gradient, other = np.zeros(m + n + 2), np.zeros(m)
    for i, (linear, time, slope) in enumerate(zip(point.linear, times, slopes, strict=True)):
        by_p = exponential.frechet_adjoint(linear, p, time - t0)
        other += exponential.block_exponential(linear, p, time - t0) if m <= MOST_DIRECTIONS else by_p
        A, b = linear.matrix(p), linear.initial(p)
        E = exponential.expm((time - t0) * A)
        row = linear.terminal_y(E @ b, p)
        lam0, by_time = E.T @ row, row @ (A @ E @ b) + slope(time, (E @ b)[:n], p)
        gradient += np.concatenate([by_p, lam0[:n], [-lam0 @ (A @ b), by_time * (time is times[-1])]])
        if i < len(numeric.observed):
            moved = by_time * numeric.observed[i].time_p(p)
            gradient[:m] += moved
            other += moved
    claims = claimed(10 * disagreement(other, gradient[:m])) if m else 1e-14
    return Outcome(gradient, claims, 0)


def _heyoka(point: Point, look: Survey) -> Way:
    name = "heyoka"
    n, m = point.numeric.states, len(point.names)
    if not heyoka.installed():
        return Way(name, "Taylor", "not installed: pip install 'neural-ode-verify[heyoka]'", None)
    if n * (m + n) > MOST_EQUATIONS // 10:
        return Way(name, "Taylor", f"{n * (m + n)} variational equations take too long to compile", None)
    says = "variational equations by Taylor series" + ("; explicit steps on a stiff problem" if look.stiff else "")
    return Way(name, "Taylor", says, partial(_by_heyoka, point))


def _by_heyoka(point: Point) -> Outcome:
    fine, coarse = (heyoka.gradient(point, tolerance) for tolerance in (1e-16, 1e-12))
    return Outcome(fine, claimed(disagreement(coarse, fine)), 0)


def outcome(way: Way) -> Outcome:
    """Run a way.  Raises ArithmeticError where it gets to no finite gradient."""
    assert way.run is not None
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        try:
            found = way.run()
        except (ValueError, OverflowError, ZeroDivisionError, FloatingPointError, np.linalg.LinAlgError) as error:
            raise ArithmeticError(str(error)) from None
    if not (np.isfinite(found.gradient).all() and np.isfinite(found.claims)):
        raise ArithmeticError("the gradient is not finite")
    return found
