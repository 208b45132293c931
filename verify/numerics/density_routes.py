"""Which routes confirm how a flow changes a log-density, and how fast do they converge?

A case is the parameters p of the flow, a start x (d,) and a time T; the flow starts at time 0.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from verify.derivation import Figure, Route, Series
from verify.numerics import transport
from verify.numerics.compiled import batched_function

if TYPE_CHECKING:
    from verify.calculus.flow import Flow

Array = Any
Change = Callable[..., Array]
"""p, x, T as keywords to log p(z(T), T) - log p(x, 0)."""

STEPS = (8, 16, 32, 64, 128, 256, 512)


def density_routes(flow: Flow, change: Change) -> tuple[Route, ...]:
    """Trace along the path, determinants of the flow map, layers, sign vectors, and the mass that `change` leaves."""

    def route(name: str, value: Change, resolution: float, *relies_on: str, **more: Any) -> Route:
        return Route(name, value, resolution, frozenset(relies_on), **more)

    return (
        route("trace along the path", along(flow, flow.divergence), 1e-9, "trace", "DOP853"),
        route("flow map by differences: determinant", _differences(flow), 1e-8, "differences", "DOP853"),
        route("variational equation: determinant", _variations(flow), 1e-9, "variational equation", "DOP853"),
        route(
            "flow map by complex step: determinant", _complex_step(flow), 1e-6,
            "complex arithmetic", "RK4", order=4, steps=STEPS[:4],
        ),
        route(
            "a normalising flow of many layers", _layers(flow), 1e-2,
            "Euler", "determinants of layers", order=1, steps=(128, 256, 512, 1024),
        ),
        route("mean over all sign vectors", _sign_vectors(flow), 1e-7, "autograd", "LSODA"),
        route("conserved mass", _mass(flow, change), 1e-5, "lattice sum", "the flow backwards"),
    )  # fmt: skip


def along(flow: Flow, rate: Any) -> Change:
    """-integral of a rate, an expression in time, state and parameters, along the path: for right and wrong rates."""
    function = batched_function(rate, (flow.time, flow.state, flow.parameters), ())

    def value(*, p: Array, x: Array, T: float) -> Array:
        field = flow.numeric(*p).field
        return transport.augmented(field, lambda t, z: function(t, z, p), x, 0.0, T)[1]

    return value


def _differences(flow: Flow) -> Change:
    return lambda p, x, T: transport.by_differences(flow.numeric(*p).field, x, 0.0, T)


def _variations(flow: Flow) -> Change:
    return lambda p, x, T: transport.by_variations(flow.numeric(*p).field, flow.numeric(*p).jacobian, x, 0.0, T)


def _complex_step(flow: Flow) -> Change:
    return lambda p, x, T, steps: transport.by_complex_step(flow.numeric(*p).field, x, 0.0, T, steps=steps)


def _layers(flow: Flow) -> Change:
    def value(*, p: Array, x: Array, T: float, steps: int) -> float:
        numeric = flow.numeric(*p)
        return transport.by_layers(numeric.field, numeric.jacobian, x, 0.0, T, steps=steps)

    return value


def _sign_vectors(flow: Flow) -> Change:
    return lambda p, x, T: transport.by_sign_vectors(flow.numeric(*p, traced=True).field, x, 0.0, T)


def _mass(flow: Flow, change: Change) -> Change:
    """The formula itself, less the logarithm of the mass that it leaves of a Gaussian around x: 1, if it is right."""

    def value(*, p: Array, x: Array, T: float) -> float:
        left = transport.mass(flow.numeric(*p).field, lambda start: change(p=p, x=start, T=T), x, 0.0, T)
        return float(change(p=p, x=x, T=T) - np.log(left.value))

    return value


def from_layers_to_flow(flow: Flow, change: Change, case: dict[str, Any]) -> Figure:
    """Errors of a normalising flow of K layers, and of the determinant of a flow map computed in K steps."""
    case = {name: np.asarray(value) for name, value in case.items()}
    want = change(**case)

    def series(label: str, of: Change) -> Series:
        errors = (abs(of(**case, steps=n) - want) for n in STEPS)
        return Series(label, tuple(map(float, STEPS)), tuple(float(f"{e:.3e}") for e in errors))

    return Figure(
        title="From layers to the flow",
        x_label="number of steps K",
        y_label="error of the log-density",
        series=(
            series("K layers: sum of log-determinants (order 1)", _layers(flow)),
            series("K Runge-Kutta steps: log-determinant of the flow map (order 4)", _complex_step(flow)),
        ),
        log_x=True,
        log_y=True,
        caption="Both need a determinant in every step; the instantaneous formula needs a trace.",
    )
