"""Which routes confirm E_p[s f'] for a law on the half-plane x_2 > 0, and what does p f leave on large circles?

A case gives numbers to the parameters (slope, variance of x_2 before it was cut, variance w of x_1 given x_2); the law
is normal in x_1 given x_2, with mean slope*x_2.  Each route returns the matrix E_p[s_i f_j] of shape (2, 2).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import autograd.numpy as traced
import numpy as np

from verify.derivation import Figure, Route, Series
from verify.numerics.compiled import array_function, batched_function
from verify.numerics.expectation import gradient, on_half_plane, on_half_plane_by_nodes

if TYPE_CHECKING:
    from verify.calculus.laws import Law

Array = Any


def half_plane_routes(law: Law, f: Any, parameters: tuple[Any, Any, Any]) -> tuple[Route, ...]:
    """The left side by two quadratures with different scores, and the right side, gradient and flux, by a third."""
    arguments = (law.variables, parameters)
    density = batched_function(law.density, arguments, ())
    values = batched_function(f, arguments, (2,))
    score = batched_function(law.score, arguments, (2,))
    log_density = array_function(law.log_density, arguments, (), traced)
    entries = [array_function(entry, arguments, (), traced) for entry in f]

    def numbers(case: dict[str, float]) -> tuple[float, ...]:
        return tuple(case[str(name)] for name in parameters)

    def matrix(of: Any) -> Array:
        return np.array([[of(i, j) for j in (0, 1)] for i in (0, 1)])

    def adaptive(**case: float) -> Array:
        p = numbers(case)

        def entry(i: int, j: int) -> float:
            def g(x: Array) -> Array:
                return gradient(lambda y: log_density(y, p), x)[i] * values(x, p)[j]

            return on_half_plane(lambda x: density(x, p), g, p[0], p[2] ** 0.5)

        return matrix(entry)

    def nodes(**case: float) -> Array:
        p = numbers(case)

        def entry(i: int, j: int) -> float:
            def g(x: Array) -> Array:
                return score(x, p)[i] * values(x, p)[j]

            return on_half_plane_by_nodes(lambda x: density(x, p), g, p[0], p[2] ** 0.5)

        return matrix(entry)

    def right_side(**case: float) -> Array:
        p = numbers(case)
        line = np.linspace(-10, 10, 101) * p[2] ** 0.5
        edge = np.stack([line, np.zeros_like(line)])

        def entry(i: int, j: int) -> float:
            mean = on_half_plane(
                lambda x: density(x, p), lambda x: gradient(lambda y: entries[j](y, p), x)[i], p[0], p[2] ** 0.5
            )
            flux = (density(edge, p) * values(edge, p)[j]).sum() * (line[1] - line[0])  # the outer normal is (0, -1)
            return -mean - (flux if i == 1 else 0.0)

        return matrix(entry)

    def route(name: str, value: Any, resolution: float, *relies_on: str) -> Route:
        return Route(name, value, resolution, frozenset(relies_on))

    return (
        route("E[s f'], score by autograd", adaptive, 1e-9, "autograd of log p", "Gauss-Kronrod"),
        route("E[s f'], score from the formula", nodes, 1e-9, "compiled score", "double exponential", "Gauss-Hermite"),
        route("-E[grad f] and the flux", right_side, 1e-9, "autograd of f", "lattice sum on the boundary"),
    )


def circles() -> Figure:
    """The flux of p f through circles: a Gaussian law and f = x against p f = x/(1 + |x|^2)."""
    radii = [float(r) for r in np.geomspace(0.25, 64, 33)]

    def series(label: str, flux: Any) -> Series:
        shown = [(r, float(f"{flux(r):.4e}")) for r in radii]
        kept = [(r, y) for r, y in shown if y > 1e-8]
        return Series(label, tuple(r for r, _ in kept), tuple(y for _, y in kept))

    return Figure(
        title="What p f carries through a circle of radius R",
        x_label="radius R",
        y_label="flux",
        series=(
            series("N(0, I), f = x: to 0", lambda r: r**2 * np.exp(-(r**2) / 2)),
            series("p f = x/(1 + |x|²) → 0: to 2π", lambda r: 2 * np.pi * r**2 / (1 + r**2)),
        ),
        log_x=True,
        log_y=True,
        caption="In the plane p f → 0 is not enough: the circle grows as fast as p f falls.",
    )
