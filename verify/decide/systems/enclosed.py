"""Is a refuted part of a claim provably wrong?  Both values in balls that are apart, all around a point.

The true gradient is enclosed as it is (`verify.numerics.enclosure`), and so is what is claimed, on the true solution
and the right adjoint (`verify.decide.systems.on_balls`), or without it (`verify.decide.systems.pushed`, for stiff
problems).  Balls around all parameters make it a statement about a neighbourhood, so that no isolated point refutes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from fractions import Fraction
from typing import TYPE_CHECKING

from verify.decide.systems.reading import NoFunctional
from verify.decide.systems.result import Part, SystemResult
from verify.systems import TIME
from verify.verdict import Counterexample, Evidence, Rigor, Verdict

if TYPE_CHECKING:
    from verify.decide.systems.ode_task import Key, OdeTask
    from verify.numerics.enclosure import Ball, Enclosure

#: Radius of the neighbourhood, and what both enclosures aim at.
AROUND, RADIUS = Fraction(1, 2**40), 1e-12
#: For each enclosure.
SECONDS = 3.0
ROUTE = "validated enclosure of both values"

Box = Mapping[str, tuple[Fraction, Fraction]]


def strengthened(task: OdeTask, result: SystemResult) -> SystemResult | None:
    """The same verdicts, where refuted parts are refuted by enclosure as far as possible; None if none is.

    Gradients only where all that is claimed of the adjoint itself is proved (or nothing is), so that there is no doubt
    which adjoint the gradient is about.
    """
    others = [part for part in result.parts if not part.name.startswith("gradient ")]
    told = all(part.verdict is Verdict.PROVED for part in others)
    wrong = [part for part in result.parts if part.verdict is Verdict.REFUTED and (told or part in others)]
    if not wrong:
        return None
    truth = _Truth(task)
    parts = tuple(truth.strengthened(part) if part in wrong else part for part in result.parts)
    return None if parts == result.parts else replace(result, parts=parts)


@dataclass
class _Truth:
    """A problem and what is claimed of it, with enclosures around the points that were needed."""

    task: OdeTask
    known: dict[tuple[tuple[str, Fraction], ...], Enclosure | None] = field(default_factory=dict)

    def strengthened(self, part: Part) -> Part:
        """The part, with a refutation in balls if there is one."""
        table, _, name = part.name.partition(" ")
        counter = part.counterexample
        if counter is None:
            return part
        from verify.numerics.enclosure.field import needed

        names = needed(self.task.problem)
        if TIME in names or not names <= set(counter.point):
            return part
        point = {each: Fraction(text) for each, text in counter.point.items()}
        variables = self.task.problem.domain.variables
        whole = any(variables[each].field == "integer" for each in point if each in variables)
        around = Fraction(0) if whole else AROUND
        box = {each: (x - around, x + around) for each, x in point.items()}
        true = self.enclosed(point, {each: ends for each, ends in box.items() if each in names})
        found = None if true is None else self.apart((table, name), true, box)
        if found is None:
            return part
        claimed, right, more = found
        identity = tuple(e for e in part.evidence if e.rigor > Rigor.NUMERICAL)
        detail = {"claimed": claimed.text, "right": right.text, "around": str(around), **more}
        evidence = Evidence(ROUTE, Rigor.ENCLOSED, False, frozenset({"arb", "Schauder's theorem"}), detail=detail)
        shown = Counterexample(counter.point, claimed.text, right.text, str(around) if around else "")
        return replace(part, evidence=(*identity, evidence), counterexample=shown)

    def enclosed(self, point: Mapping[str, Fraction], box: Box) -> Enclosure | None:
        """The problem around a point."""
        from verify.numerics.enclosure import Enclosure, enclose

        key = tuple(sorted(point.items()))
        if key not in self.known:
            found = enclose(self.task.problem, box, radius=RADIUS, seconds=SECONDS)
            self.known[key] = found if isinstance(found, Enclosure) else None
        return self.known[key]

    def apart(self, key: Key, true: Enclosure, box: Box) -> tuple[Ball, Ball, dict[str, str]] | None:
        """What is claimed and what is right, if that is apart, and where it is."""
        from verify.decide.systems import on_balls
        from verify.decide.systems.pushed import pushed

        task, convention = self.task, self.task.convention
        table, name = key
        try:
            if table == "gradient":
                if name not in true.gradient:
                    return None
                if true.implicit:
                    claimed = pushed(task, convention, name, box, SECONDS)
                else:
                    wanted = on_balls.gradient(task, name)
                    (claimed,) = on_balls.values(task, convention, true, box, wanted, SECONDS)
                right = true.gradient[name]
                return (claimed, right, {}) if claimed.apart(right) else None
            if key not in task.read or true.implicit:
                return None
            for wanted in on_balls.sides(task, key, convention):
                claimed, right = on_balls.values(task, convention, true, box, wanted, SECONDS)
                if claimed.apart(right):
                    return claimed, right, {"at": wanted.says} if wanted.says else {}
        except (NoFunctional, on_balls.Unknown):
            pass
        return None
