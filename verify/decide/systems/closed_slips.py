"""Which slip explains a wrong gradient in closed form?  The one without which it has the true values.

No identity says how a formula without an adjoint should read.  Its true values are known in floating point at a few
points of the parameters; the claim is repaired as people would, and what agrees at all of them is SUPPORTED.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import islice
from typing import TYPE_CHECKING

from verify.calculus.tidy import short
from verify.decide.systems.measure import parameter_points
from verify.decide.systems.reading import Functional
from verify.graph import ONE, Node, div, mul, num, postorder, power, sqrt
from verify.language.write import write
from verify.mutate import mutants, places, replaced
from verify.numerics.ode_claims import TOLERANCES, Failed, Numbers, forward_gradient
from verify.numerics.ode_moments import states_then
from verify.numerics.straight import NoFloat, Straight
from verify.verdict import Diagnosis, Verdict

if TYPE_CHECKING:
    from verify.decide.systems.ode_task import Key, OdeTask

#: Points at which a repair must have the true value, and to which relative difference.
POINTS, AGREE = 3, 1e-8
#: Repairs that are tried, and letters of one that is printed.
MOST_TRIED, LONGEST_SHOWN = 1500, 200
NUMBERS = tuple(map(Fraction, ("-1", "2", "1/2", "-2", "-1/2", "3", "1/3", "4", "1/4")))


@dataclass(frozen=True)
class Repair:
    """A slip, and the formula without it; "" where that is too long, or nothing that the claim can be."""

    diagnosis: Diagnosis
    formula: str


@dataclass(frozen=True)
class _Truth:
    """What a gradient, and those by the other parameters, are at one point; and what the names are worth there."""

    values: dict[str, float]
    gradient: dict[str, float]


def repaired(task: OdeTask, key: Key) -> Repair | None:
    """The first repair that has the true values."""
    read, q = task.read[key], key[1]
    assert isinstance(read, Functional)
    claimed = read.boundary
    truths = _truths(task, q)
    if len(truths) < POINTS:
        return None
    for other in task.problem.parameters:
        if other != q and _agrees(claimed, [truth.values for truth in truths], [t.gradient[other] for t in truths]):
            return Repair(Diagnosis("swap", f"this is dG/d{other}", Verdict.SUPPORTED), "")
    values, right = [truth.values for truth in truths], [truth.gradient[q] for truth in truths]
    for slip, says, formula in islice(_repairs(task, claimed), MOST_TRIED):
        if _agrees(formula, values, right):
            text = write(short(formula))
            return Repair(Diagnosis(slip, says, Verdict.SUPPORTED), text if len(text) <= LONGEST_SHOWN else "")
    return None


def _truths(task: OdeTask, q: str) -> list[_Truth]:
    names = [q, *(name for name in task.problem.parameters if name != q)]
    found = []
    for exact in parameter_points(task):
        numbers = Numbers(task.problem, {name: float(x) for name, x in exact.items()})
        try:
            gradient = forward_gradient(numbers, names, TOLERANCES[0])
            states = states_then(numbers, numbers.state(TOLERANCES[0]))
        except (Failed, NoFloat, FloatingPointError, OverflowError):
            continue
        found.append(_Truth({**numbers.values, **states}, dict(zip(names, map(float, gradient), strict=True))))
        if len(found) == POINTS:
            break
    return found


def _agrees(formula: Node, values: Sequence[dict[str, float]], right: Sequence[float]) -> bool:
    """Whether a formula has the right values; where those are 0 nothing is known."""
    try:
        program = Straight((formula,))
        return all(
            truth != 0 and abs(float(program(at)[0]) - truth) <= AGREE * abs(truth)
            for at, truth in zip(values, right, strict=True)
        )
    except (NoFloat, KeyError, ArithmeticError):
        return False


def _repairs(task: OdeTask, claimed: Node) -> Iterator[tuple[str, str, Node]]:
    """(slip, what it says, the claim without it), the plainest first."""
    for c in NUMBERS:
        slip, says = ("sign", "the wrong sign") if c == -1 else ("factor", f"{c} times the value that it must have")
        yield slip, f"what is claimed has {says}", mul(num(1 / c), claimed)
    pool = list(task.constants)
    pool += [changed for each in pool for changed in (power(each, num(2)), sqrt(each))]
    pool += [node for node in dict.fromkeys(postorder(claimed)) if node.op in ("call", "pow") and node not in pool]
    for place, node in [((), claimed), *((place, node) for place, node in places(claimed) if place)]:
        if node.op in ("num", "constant"):
            continue
        what = "" if not place else f" of {write(node)}"
        for factor in pool:
            yield "missing-factor", f"the factor {write(factor)}{what} is missing", _with(claimed, place, node, factor)
            lost = _with(claimed, place, node, div(ONE, factor))
            yield "missing-factor", f"the divisor {write(factor)}{what} is missing", lost
        for c in NUMBERS if place else ():
            says = "has the wrong sign" if c == -1 else f"is {c} times what it must be"
            slip = "sign" if c == -1 else "factor"
            yield slip, f"{write(node)} {says}", _with(claimed, place, node, num(1 / c))
    names = [*(name for name in task.problem.domain.variables if name not in task.problem.state)]
    names += [name + where for name in task.problem.state for where in task.ends]
    for mutant in mutants(claimed, names=names):
        if mutant.slip != "rounding":
            yield mutant.slip, f"right with {mutant.says}", mutant.node


def _with(claimed: Node, place: tuple[int, ...], node: Node, factor: Node) -> Node:
    return mul(factor, claimed) if not place else replaced(claimed, place, mul(factor, node))
