"""How far is each route off, and did it know?  One table of all of them against the validated enclosure."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any

import numpy as np

from verify.numerics.enclosure import Enclosure, Fail, enclose
from verify.numerics.routes import eventful
from verify.numerics.routes.eventful import Flight, flight
from verify.numerics.routes.functions import may_jump
from verify.numerics.routes.point import Point, inside
from verify.numerics.routes.survey import Survey, survey
from verify.numerics.routes.ways import USELESS, Way, outcome, ways
from verify.numerics.straight import NoFloat
from verify.systems import OdeProblem

#: How many times what it claims a route may be off.
MARGIN = 10.0
#: Relative error that is put down to the rounding of a double in any case.
ROUNDING = 5e-15
AGREES, WRONG, UNDECIDED = "agrees", "WRONG", "UNDECIDED"


@dataclass(frozen=True)
class Row:
    """One route.

    method     the solver that was chosen.
    says       what was known beforehand; the reason, where the route is UNDECIDED.
    gradient   by name, as an enclosure has it; None where it was not run or did not get there.
    claims     the error that the route claims for itself, in units of the largest component of the gradient; found:
               its distance from the enclosure, in the same.
    status     agrees, UNDECIDED, or WRONG where it is off by more than MARGIN times what it claims.
    foreseen   whether it was known that it fails, and it was not run.
    """

    name: str
    method: str
    says: str
    status: str
    gradient: Mapping[str, float] | None = None
    claims: float | None = None
    found: float | None = None
    evaluations: int = 0
    foreseen: bool = False

    def to_json(self) -> dict[str, Any]:
        return {**vars(self), "gradient": None if self.gradient is None else dict(self.gradient)}


@dataclass(frozen=True)
class Table:
    """All routes of a problem at a point.

    look        what one look along the solution told; None with a reason where there is no solution to look along.
    enclosure   the proof of where the gradient is, or why there is none: then routes are held against each other.
    """

    point: Mapping[str, float]
    look: Survey | Flight | None
    enclosure: Enclosure | Fail
    rows: tuple[Row, ...]
    reason: str = ""

    def to_json(self) -> dict[str, Any]:
        return {
            "point": dict(self.point),
            "look": None if self.look is None else vars(self.look),
            "enclosure": self.enclosure.to_json() if isinstance(self.enclosure, Enclosure) else self.enclosure.reason,
            "rows": [row.to_json() for row in self.rows],
            "reason": self.reason,
        }


def table(
    problem: OdeProblem, at: Mapping[str, float | Fraction] | None = None, *, radius: float = 1e-14,
    seconds: float = 10.0, progress: Callable[[str], None] | None = None,
) -> Table:  # fmt: skip
    """Run every route of a problem at a point and hold it against the enclosure.

    at       values by name, which are rounded to doubles; where none are given, the middle of each range.
    radius   wanted of the enclosure; seconds: after which it is given up.

    Raises ValueError where a name has no value, or the problem is of a kind that the routes do not know.
    """
    tell = progress or (lambda _line: None)
    values = {name: float(value) for name, value in (inside(problem) if at is None else at).items()}
    point = Point(problem, values)
    if missing := [name for name in point.names if name not in values]:
        raise ValueError(f"no value for {', '.join(missing)}; give a point that names all of {', '.join(point.names)}")
    tell("enclosure")
    needed = {name: Fraction(values[name]) for name in point.names}
    enclosure = enclose(problem, needed, radius=radius, seconds=seconds)
    try:
        tell("survey")
        look = flight(point) if problem.events else survey(point)
    except NoFloat as reason:
        raise ValueError(str(reason)) from None
    except (ArithmeticError, ValueError, np.linalg.LinAlgError) as reason:
        return Table(values, None, enclosure, (), str(reason))
    phases = [f for each in problem.phases for f in (*each.rhs, each.running)]
    costs = problem.terminal, *(each.value for each in problem.observations), *(each.cost for each in problem.events)
    if may_jump(*phases, *costs) and not isinstance(enclosure, Enclosure):
        return Table(
            values, look, enclosure, (), "a right-hand side or cost may jump; the routes know nothing of jumps"
        )
    rows = []
    for way in eventful.ways(point, look) if isinstance(look, Flight) else ways(point, look):
        tell(way.name)
        rows.append(_row(point, way, enclosure))
    if not isinstance(enclosure, Enclosure):
        rows = _against_each_other(rows)
    return Table(values, look, enclosure, tuple(rows))


def _row(point: Point, way: Way, enclosure: Enclosure | Fail) -> Row:
    if way.run is None:
        return Row(way.name, way.method, way.says, UNDECIDED, foreseen=True)
    try:
        made = outcome(way)
    except (ArithmeticError, NoFloat) as reason:
        return Row(way.name, way.method, str(reason), UNDECIDED)
    gradient = point.by_name(made.gradient)
    found = distance(gradient, enclosure) if isinstance(enclosure, Enclosure) else None
    status, says = AGREES, way.says
    if made.claims > USELESS:
        status, says = UNDECIDED, f"two runs differ by {made.claims:.0e} of the gradient"
    elif found is not None and found > MARGIN * made.claims + ROUNDING:
        status = WRONG
    return Row(way.name, way.method, says, status, gradient, made.claims, found, made.evaluations)


def distance(gradient: Mapping[str, float], enclosure: Enclosure) -> float:
    """Largest distance of a component from its ball, relative to the largest component; dimensionless."""
    middle = {name: float(ball) for name, ball in enclosure.gradient.items()}
    common = [name for name in middle if name in gradient]
    scale = max((abs(middle[name]) for name in common), default=0.0)
    apart = (abs(gradient[name] - middle[name]) - float(enclosure.gradient[name].radius) for name in common)
    worst = max(apart, default=0.0)
    return max(worst, 0.0) / scale if scale else max(worst, 0.0)


def _against_each_other(rows: list[Row]) -> list[Row]:
    """Without an enclosure: a route that half of the others do not confirm is UNDECIDED, and so is a route alone."""
    ran = [row for row in rows if row.status == AGREES]

    def judged(row: Row) -> Row:
        near = sum(_near(row, other) for other in ran if other is not row)
        if row.status != AGREES or (near and 2 * near >= len(ran) - 1):
            return row
        return replace(row, says="not confirmed by the other routes, and there is no enclosure", status=UNDECIDED)

    return [judged(row) for row in rows]


def _near(one: Row, other: Row) -> bool:
    left, right = one.gradient or {}, other.gradient or {}
    scale = max(map(abs, right.values()), default=0.0) or 1.0
    apart = max((abs(left[name] - right[name]) for name in left.keys() & right.keys()), default=0.0) / scale
    return apart <= MARGIN * ((one.claims or 0.0) + (other.claims or 0.0)) + ROUNDING
