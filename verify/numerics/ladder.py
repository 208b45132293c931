"""Which independent routes test a gradient through an ODE?  Each with the smallest error that it sees."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from verify.derivation import Figure, Route, Series
from verify.numerics import autodiff, exponential, ode
from verify.numerics.compare import disagreement

LSODA = ode.Solver("LSODA", rtol=1e-11, atol=1e-12)
STEPS = (4, 8, 16, 32, 64, 128)


def gradient_routes(problem: ode.OdeProblem, traceable: ode.OdeProblem) -> tuple[Route, ...]:
    """Routes for cases with the keywords p, t0, T; `traceable` is the same problem compiled for autograd."""

    def route(name: str, value: Any, resolution: float, *relies_on: str, **more: Any) -> Route:
        return Route(name, value, resolution, frozenset(relies_on), **more)

    def interpolated(p: Any, t0: float, T: float) -> Any:
        return ode.interpolated_adjoint(problem, ode.adjoint_of(problem), p, t0, T, LSODA)

    return (
        route(
            "forward sensitivities", lambda **c: ode.forward_sensitivities(problem, **c), 1e-10,
            "variational equation", "DOP853",
        ),
        route("interpolated adjoint", interpolated, 1e-8, "adjoint equation", "LSODA"),
        route(
            "Gauss-quadrature adjoint", lambda **c: ode.quadrature_adjoint(problem, **c), 1e-10,
            "adjoint equation", "DOP853", "Gauss-Legendre",
        ),
        route(
            "complex step through RK4", lambda **c: ode.complex_step(problem, **c), 1e-6,
            "complex arithmetic", "RK4", order=4, steps=STEPS,
        ),
        route(
            "reverse mode through RK4", lambda **c: autodiff.discrete_adjoint(traceable, **c), 1e-4,
            "autograd", "RK4", order=4, steps=STEPS[:4],
        ),
        route(
            "autograd's vjp of odeint", lambda **c: autodiff.odeint_gradient(traceable, **c), 1e-7,
            "autograd", "LSODA",
        ),
    )  # fmt: skip


def linear_routes(problem: exponential.LinearProblem, by: Callable[[Any], Any]) -> tuple[Route, ...]:
    """Routes to dg/dp of y' = A(p) y; `by` turns a function of (p, T) into one of a case's keywords."""

    def route(name: str, value: Any, resolution: float, *relies_on: str) -> Route:
        return Route(name, by(partial(value, problem)), resolution, frozenset(relies_on))

    return (
        route("block exponential", exponential.block_exponential, 1e-12, "block expm"),
        route("transposed Fréchet derivative", exponential.frechet_adjoint, 1e-12, "expm_frechet"),
        route("Duhamel quadrature", exponential.duhamel_quadrature, 1e-12, "expm", "Gauss-Legendre"),
        route("divided differences", exponential.spectral, 1e-11, "eigenvalues"),
        route("complex step", exponential.complex_step, 1e-12, "complex arithmetic", "expm"),
        route("sensitivities", exponential.sensitivities, 1e-11, "variational equation", "DOP853"),
        route("central differences", exponential.differences, 1e-9, "differences", "expm"),
    )


def convergence(problem: ode.OdeProblem, reference: Callable[..., Any], **case: Any) -> Figure:
    """Error of fixed-step gradients against the number of steps: each method shows its order."""
    steps = (4, 8, 16, 32, 64, 128, 256)
    wanted = reference(**case)

    def series(label: str, route: Any, method: ode.Tableau) -> Series:
        errors = (disagreement(route(problem, **case, steps=n, method=method), wanted) for n in steps)
        return Series(f"{label}, {method.name}", tuple(map(float, steps)), tuple(float(f"{e:.3e}") for e in errors))

    methods = (ode.EULER, ode.HEUN, ode.RK4)
    return Figure(
        title="Fixed-step gradients converge with the order of their method",
        x_label="steps",
        y_label="relative error of the gradient",
        series=(
            *(series("discrete adjoint", ode.complex_step, m) for m in methods),
            *(series("continuous adjoint", ode.fixed_step_adjoint, m) for m in methods),
        ),
        log_x=True,
        log_y=True,
        caption="The discrete adjoint is the exact gradient of the discrete objective, the continuous adjoint of none; "
        "they differ at every step size and agree in the limit.",
    )
