"""Is a wrong gradient the true one, but for a factor?  Its values at a few points say so, however it is written."""

from __future__ import annotations

import math
from fractions import Fraction
from typing import TYPE_CHECKING

from verify.decide.systems.at_a_point import Solved
from verify.decide.systems.convention import Convention
from verify.decide.systems.measure import parameter_points
from verify.graph import Node
from verify.language.write import write
from verify.numerics.ode_solved import Failed
from verify.numerics.straight import NoFloat, Straight
from verify.verdict import Diagnosis, Verdict

if TYPE_CHECKING:
    from verify.decide.systems.ode_task import Key, OdeTask

#: Points at which the factor must be the same, and draws for them.
POINTS, DRAWS = 3, 8
#: To which relative difference, and what is tried as a factor.
AGREE = 1e-6
NUMBERS = tuple(map(Fraction, ("-1", "2", "1/2", "-2", "-1/2", "3", "1/3", "4", "1/4")))


def ratio_slip(task: OdeTask, key: Key, convention: Convention) -> Diagnosis | None:
    """The number or name by which the claimed value is too large, or too small, at every point."""
    ratios: list[float] = []
    values: list[dict[str, float]] = []
    for draw, exact in enumerate(parameter_points(task)):
        try:
            run = Solved.of(task, convention, exact)
            reading = next((found for other, found in run.readings({}) if other == key), None)
        except (Failed, NoFloat, FloatingPointError, OverflowError):
            continue
        if reading is not None and not reading.is_open and abs(reading.other) > reading.error / AGREE:
            ratios.append(reading.one / reading.other)
            values.append(dict(run.numbers.values))
        if len(ratios) == POINTS or draw == DRAWS:
            break
    if len(ratios) < POINTS:
        return None
    for number in NUMBERS:
        if _agree(ratios, [float(number)] * POINTS):
            slip, says = ("sign", "-1") if number == -1 else ("factor", str(number))
            return Diagnosis(slip, f"the gradient is {says} times what it must be", Verdict.SUPPORTED)
    for factor in task.constants:
        worth = _values(factor, values)
        if worth is not None and _agree(ratios, worth):
            says = f"the gradient is {write(factor)} times what it must be"
            return Diagnosis("missing-factor", says, Verdict.SUPPORTED)
        if worth is not None and _agree(ratios, [1 / each for each in worth]):
            return Diagnosis("missing-factor", f"the factor {write(factor)} is missing", Verdict.SUPPORTED)
    return None


def _agree(one: list[float], other: list[float]) -> bool:
    return all(math.isfinite(b) and abs(a - b) <= AGREE * abs(b) for a, b in zip(one, other, strict=True))


def _values(node: Node, points: list[dict[str, float]]) -> list[float] | None:
    """What an expression is worth at the points; None where it is 0, or a number that is the same at all of them."""
    try:
        program = Straight((node,))
        found = [float(program(point)[0]) for point in points]
    except (NoFloat, KeyError):
        return None
    return found if all(found) and len(set(found)) > 1 else None
