"""Is a claimed gradient provably wrong?  Its value and the true one in balls that are apart, all around a point.

The true gradient is enclosed as it is (`verify.numerics.enclosure`).  The right adjoint then is the solution of a
system that starts at t0 from dG/du(t0), which is enclosed too; integrated along with the state and with what stands
under the integral of the claim, it encloses the claimed value.  Balls around all parameters make it a statement about
a neighbourhood, so that no isolated point refutes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from fractions import Fraction
from typing import TYPE_CHECKING

from verify.calculus.costate import end, start
from verify.decide.systems.convention import Convention
from verify.decide.systems.reading import Functional
from verify.decide.systems.result import Part, SystemResult
from verify.graph import ZERO, Node, mul, substitute, symbol
from verify.systems import TIME, OdeProblem, SystemClaim
from verify.verdict import Counterexample, Evidence, Rigor, Verdict

if TYPE_CHECKING:
    from verify.decide.systems.ode_task import OdeTask
    from verify.numerics.enclosure import Enclosure, Fail

#: Radius of the neighbourhood, and what both enclosures aim at.
AROUND, RADIUS = Fraction(1, 2**40), 1e-12
#: For each enclosure.
SECONDS = 3.0
ROUTE = "validated enclosure of both values"


def strengthened(problem: OdeProblem, claim: SystemClaim, result: SystemResult, seed: int) -> SystemResult | None:
    """The same verdicts, where refuted gradients are refuted by enclosure as far as possible; None if none is.

    Only where all that is claimed of the adjoint itself is proved (or nothing is), so that there is no doubt which
    adjoint the gradient is about.
    """
    wrong = [part for part in result.parts if part.verdict is Verdict.REFUTED]
    others = [part for part in result.parts if not part.name.startswith("gradient ")]
    if problem.observations or not wrong or any(part.verdict is not Verdict.PROVED for part in others):
        return None
    from verify.decide.systems.ode_task import OdeTask

    task = OdeTask(problem, claim, seed)
    parts = tuple(_strengthened(task, part) if part in wrong else part for part in result.parts)
    return None if parts == result.parts else replace(result, parts=parts)


def _strengthened(task: OdeTask, part: Part) -> Part:
    key = ("gradient", part.name.removeprefix("gradient "))
    read, counter = task.read.get(key), part.counterexample
    if counter is None or not isinstance(read, Functional):
        return part
    from verify.numerics.enclosure import Enclosure
    from verify.numerics.enclosure.field import needed

    if not needed(task.problem) <= set(counter.point):
        return part
    point = {name: Fraction(text) for name, text in counter.point.items()}
    variables = task.problem.domain.variables
    whole = any(variables[name].field == "integer" for name in point if name in variables)
    around = Fraction(0) if whole else AROUND
    box = {name: (x - around, x + around) for name, x in point.items()}
    true = _enclosed(task.problem, box)
    if not isinstance(true, Enclosure) or key[1] not in true.gradient:
        return part
    claimed = _enclosed(*claimed_problem(task, read, task.convention, true, box))
    if not isinstance(claimed, Enclosure) or not claimed.objective.apart(true.gradient[key[1]]):
        return part
    right = true.gradient[key[1]]
    identity = tuple(e for e in part.evidence if e.rigor > Rigor.NUMERICAL)
    detail = {"claimed": claimed.objective.text, "right": right.text, "around": str(around)}
    evidence = Evidence(ROUTE, Rigor.ENCLOSED, False, frozenset({"arb", "Schauder's theorem"}), detail=detail)
    shown = Counterexample(counter.point, claimed.objective.text, right.text, str(around) if around else "")
    return replace(part, evidence=(*identity, evidence), counterexample=shown)


def claimed_problem(
    task: OdeTask, read: Functional, convention: Convention, true: Enclosure, box: Mapping[str, tuple]
) -> tuple[OdeProblem, dict[str, object]]:
    """A problem whose objective is what a claimed gradient is on the right adjoint, and the values of its names."""
    problem, names = task.problem, task.names
    starts = {name: f"{name} at the start" for name in names}
    adjoint: dict[Node, Node] = {}
    for i, name in enumerate(names):
        right = names[convention.places[i]]
        for where, there in (("", right), (end(problem), right), (start(problem), starts[right])):
            adjoint[symbol(name + where)] = mul(convention.scale(i), symbol(there))
    # The first state is known in the parameters; the last one is what `terminal` is about.
    states = {symbol(u + start(problem)): b for u, b in zip(problem.state, problem.initial, strict=True)}
    states |= {symbol(u + end(problem)): symbol(u) for u in problem.state}
    extended = OdeProblem(
        (*problem.state, *names),
        problem.parameters,
        (*problem.rhs, *task.costate.rate),
        (*problem.initial, *(symbol(starts[name]) for name in names)),
        problem.t0,
        problem.T,
        substitute(read.boundary, {**adjoint, **states}),
        substitute(read.inside, adjoint) if read.inside is not ZERO else ZERO,
        problem.domain,
    )
    first = {starts[name]: true.gradient[f"{u}(t0)"] for name, u in zip(names, problem.state, strict=True)}
    return extended, {**box, **first}


def _enclosed(problem: OdeProblem, at: Mapping[str, object]) -> Enclosure | Fail | None:
    from verify.numerics.enclosure import enclose
    from verify.numerics.enclosure.field import needed

    names = needed(problem)
    if TIME in names or not names <= set(at):
        return None
    wanted = {name: value for name, value in at.items() if name in names}
    return enclose(problem, wanted, radius=RADIUS, seconds=SECONDS)  # ty: ignore[invalid-argument-type]
