"""What do all routes look like on one problem?  Their table, the path of state and adjoint, and errors as T grows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from fractions import Fraction

import numpy as np

from verify.derivation import Example, Figure, Series
from verify.graph import num
from verify.numerics import ode
from verify.numerics.enclosure import Enclosure, enclose
from verify.numerics.routes.point import Point
from verify.numerics.routes.survey import survey
from verify.numerics.routes.tables import distance, table
from verify.systems import OdeProblem

HEADER = ("Route", "Finding", "Is off by", "Claims", "What is known")
#: Left out of examples: whether it is there depends on the machine.
OPTIONAL = ("heyoka",)


def example(problem: OdeProblem, at: Mapping[str, float], says: str, times: tuple[int, ...]) -> Example:
    """The table at a point, on [t0, T] as the problem has it; figures for the same, and for the final times given.

    Raises ArithmeticError where the gradient is not enclosed: an example has a proof to be held against.
    """
    found = table(problem, at, radius=1e-13, seconds=30)
    if not isinstance(found.enclosure, Enclosure):
        raise ArithmeticError(f"the worked problem is not enclosed: {found.enclosure.reason}")
    rows = tuple(
        (row.name, row.status, _short(row.found), _short(row.claims), row.says)
        for row in found.rows
        if row.name not in OPTIONAL
    )
    balls = found.enclosure.gradient
    first = next(iter(balls))
    proof = f"{says} It is proved that dG/d{first} = {balls[first].text}. Errors are relative to the largest entry."
    return Example("Worked problem", proof, HEADER, rows, (_path(Point(problem, at)), _errors(problem, at, times)))


def _short(error: float | None) -> str:
    return "" if error is None else f"{error:.0e}"


def _path(point: Point) -> Figure:
    """State and adjoint over time."""
    numeric, p, (t0, T) = point.numeric, point.p, point.ends
    u = ode.ACCURATE(lambda t, u: numeric.field(t, u, p), (t0, T), numeric.initial(p))
    lam = ode.ACCURATE(
        lambda t, l: point.adjoint.rate(t, u(t), l, p), (T, t0), np.asarray(point.adjoint.final(T, u(T), p))
    )
    times = np.linspace(t0, T, 161)

    def series(name: str, values: np.ndarray, style: str) -> Series:
        return Series(name, tuple(float(f"{t:.5g}") for t in times), tuple(float(f"{y:.5g}") for y in values), style)

    states = [series(name, u(times)[i], "line") for i, name in enumerate(point.problem.state)]
    adjoints = [series(f"adjoint of {name}", lam(times)[i], "dashed") for i, name in enumerate(point.problem.state)]
    return Figure(
        "State and adjoint", "time t", "value", (*states, *adjoints),
        caption="The state is solved from the left, the adjoint from the right.",
    )  # fmt: skip


def _errors(problem: OdeProblem, at: Mapping[str, float], times: tuple[int, ...]) -> Figure:
    """How far each route is from the enclosure, as the final time grows."""
    ways = {
        "forward sensitivities": lambda q: ode.forward_sensitivities(q.numeric, q.p, *q.ends),
        "interpolated adjoint": lambda q: ode.interpolated_adjoint(q.numeric, q.adjoint, q.p, *q.ends),
        "backsolve": lambda q: ode.backsolved_adjoint(q.numeric, q.p, *q.ends, adjoint=q.adjoint),
        "RK4, 100 complex steps": lambda q: ode.complex_step(q.numeric, q.p, *q.ends, steps=100),
    }
    errors: dict[str, list[float]] = {name: [] for name in (*ways, "predicted for backsolve")}
    for T in times:
        shorter = replace(problem, T=num(T))
        point = Point(shorter, at)
        proof = enclose(shorter, {name: Fraction(at[name]) for name in point.names}, radius=1e-15, seconds=30)
        if not isinstance(proof, Enclosure):
            raise ArithmeticError(f"not enclosed up to T = {T}: {proof.reason}")
        for name, way in ways.items():
            errors[name].append(max(distance(point.by_name(way(point)), proof), 1e-17))
        errors["predicted for backsolve"].append(1e-13 * 10 ** survey(point).backwards)
    x = tuple(map(float, times))
    series = (
        Series(name, x, tuple(float(f"{e:.1e}") for e in found), "dashed" if name.startswith("predicted") else "line")
        for name, found in errors.items()
    )
    return Figure(
        "Errors against the validated enclosure", "final time T", "relative error of the gradient", tuple(series),
        log_y=True,
        caption="Tolerance 1e-12. Solving the state backwards loses digits; how many is known before it is tried.",
    )  # fmt: skip
