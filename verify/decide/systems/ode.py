"""Is a claimed adjoint system of an ODE right?  As identities first, and on numbers before anything is refuted.

A part that is an identity in states, adjoints, time and parameters is proved, for every solution and every final time.
An identity that fails refutes nothing by itself (it may hold along the solutions): the claimed system is also solved as
it stands, and only what stands off there as well is wrong.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace

from verify.decide.systems.compensate import compensation
from verify.decide.systems.convention import UNANCHORED, Convention
from verify.decide.systems.measure import OPEN, POINTS, Measurement, measure
from verify.decide.systems.ode_task import Key, OdeTask
from verify.decide.systems.reading import Functional
from verify.decide.systems.result import Part, SystemResult, overall
from verify.decide.systems.smooth import AS_EVENT
from verify.graph import ZERO, Node, add
from verify.system_claims import SystemClaim
from verify.systems import OdeProblem
from verify.verdict import Evidence, Rigor, Verdict

CONTRADICTED = "proved as an identity, and contradicted on numbers: one of the two is wrong"
JUMPING = (
    f"the right-hand side may jump where the solution is, and what the adjoint gains there is not judged; {AS_EVENT}"
)
APART = "sensitivities and differences of the objective do not agree: a singularity may move along the solution"
ORDERLY = (
    "proved for all parameters at which the events happen in this order between t0 and T, each `when` crossing zero "
    "at a rate D that is not 0"
)
NONE_OBSERVED = "; none at a time of observation"
#: A relative difference of identities above this cannot be rounding: a different form, or a different formula.
PLAIN = 1e-4


def judge(problem: OdeProblem, claim: SystemClaim, *, seed: int = 0) -> Iterator[SystemResult]:
    """Results, each saying more than the one before."""
    task = OdeTask(problem, claim, seed)
    chosen = task.convention
    parts = [_judged(task, key, chosen) for key in task.keys]
    if not task.is_anchored(chosen):
        parts = [replace(part, verdict=Verdict.UNDECIDED, reason=UNANCHORED) for part in parts]
    identities = tuple(_open(part) if part.verdict is Verdict.REFUTED else part for part in parts)
    yield _result(task, chosen, identities)
    given = any(
        part.verdict < Verdict.SUPPORTED for key, part in zip(task.keys, parts, strict=True) if key[0] != "gradient"
    )
    proved = all(part.verdict is Verdict.PROVED for part in parts)
    measured = measure(task, chosen, whole_too=given, points=1 if proved else POINTS)
    parts = [_weighed(task, key, part, measured) for key, part in zip(task.keys, parts, strict=True)]
    parts = [_compensated(task, key, part, chosen) for key, part in zip(task.keys, parts, strict=True)]
    parts = _alarmed(parts)
    if task.is_jumping:
        parts = [_capped(key, part) for key, part in zip(task.keys, parts, strict=True)]
    yield _result(task, chosen, tuple(parts))
    if any(_is_closed(task, key, part) for key, part in zip(task.keys, parts, strict=True)):
        parts = _in_closed_form(task, parts, measured)
        yield _result(task, chosen, tuple(parts))
    if any(part.verdict is Verdict.REFUTED for part in parts):
        from verify.decide.systems.enclosed import strengthened

        explained = [_explained(task, key, part, chosen) for key, part in zip(task.keys, parts, strict=True)]
        result = _result(task, chosen, tuple(explained))
        yield result
        if (stronger := strengthened(task, result)) is not None:
            yield stronger


def _explained(task: OdeTask, key: Key, part: Part, convention: Convention) -> Part:
    """A wrong part with its slip."""
    from verify.decide.systems.slips import ode_slip

    if part.verdict is not Verdict.REFUTED or part.diagnosis is not None:
        return part
    if (slip := ode_slip(task, key, convention)) is None and task.is_closed(key):
        mended = _repaired(task, key, part)
        if mended is not part:
            return mended
    if slip is None and key[0] == "gradient" and not task.crossings and key in task.read:
        from verify.decide.systems.ratio import ratio_slip

        slip = ratio_slip(task, key, convention)
    return replace(part, diagnosis=slip)


def _repaired(task: OdeTask, key: Key, part: Part) -> Part:
    """A wrong gradient in closed form with what is found on its values, if something is."""
    from verify.decide.systems.closed_slips import repaired

    if (found := repaired(task, key)) is None:
        return part
    return replace(part, diagnosis=found.diagnosis, correction=found.formula or part.correction)


# --- one part ---------------------------------------------------------------------------------------


def _judged(task: OdeTask, key: Key, convention: Convention) -> Part:
    """A part as identities; REFUTED means here that one of them fails."""
    name, text = " ".join(key), task.text(key)
    if key in task.unread:
        return Part(name, text, Verdict.UNDECIDED, reason=f"not compared as it stands: {task.unread[key]}")
    found = [task.identities.decide(*pair) for pair in task.pairs(key, convention)]
    worst = min(found, key=lambda result: result.verdict)
    if worst.verdict is Verdict.REFUTED:
        return Part(name, text, Verdict.REFUTED, worst.evidence, worst.counterexample)
    evidence = tuple(_labelled(e) for result in found for e in result.evidence)
    return Part(name, text, worst.verdict, evidence, reason=worst.reason)


def _labelled(evidence: Evidence) -> Evidence:
    return replace(evidence, detail={**evidence.detail, "identity": "states, adjoints and time are independent"})


def _compensated(task: OdeTask, key: Key, part: Part, convention: Convention) -> Part:
    """A gradient that is right on numbers, proved where it differs by a total derivative only."""
    if key[0] != "gradient" or key not in task.read or part.verdict is not Verdict.SUPPORTED:
        return part
    found = compensation(task, key, convention)
    if found is None or not found.holds:
        return part
    detail = {"method": f"equal up to the total derivative of {found.says}"}
    proof = Evidence("Lagrange identity", Rigor.EXACT, True, frozenset({"normal-forms"}), detail=detail)
    return replace(part, verdict=Verdict.PROVED, evidence=(proof, *part.evidence))


def _is_closed(task: OdeTask, key: Key, part: Part) -> bool:
    """Whether a gradient in closed form is not proved."""
    return part.verdict is not Verdict.PROVED and task.is_closed(key)


def _in_closed_form(task: OdeTask, parts: list[Part], measured: Measurement) -> list[Part]:
    """Such gradients, decided where the solution has a closed form."""
    from verify.decide.systems.elementary import as_if, decided, elementary

    known = elementary(task.problem, task.identities)
    if known is None:
        return parts
    found = []
    for key, part in zip(task.keys, parts, strict=True):
        read, numbers = task.read.get(key), measured.evidence.get(key)
        if isinstance(read, Functional) and _is_closed(task, key, part):
            is_free = numbers is not None and numbers.holds is None and OPEN not in numbers.detail
            names_states = known.names_states(read.boundary)
            part = decided(known, key[1], read.boundary, part, is_free=is_free)
            if part.verdict is Verdict.REFUTED and names_states:
                # What is written in values of the states is mended in them, if it can be.
                part = _repaired(task, key, part)
            if part.verdict is Verdict.REFUTED and (wrong := _commuted(task, key[1])) is not None:
                part = as_if(known, wrong, read.boundary, part)
        found.append(part)
    return found


def _commuted(task: OdeTask, q: str) -> Node | None:
    """dG/dq as if a matrix and its derivative commuted, in values at T; None where it needs the adjoint elsewhere."""
    from verify.decide.systems.slips import constant_integrand

    if task.crossings:
        return None
    terms = constant_integrand(task, task.gradient(q), 1)
    wrong = task.grounded(add(ZERO, *(term.boundary for term in terms)), task.convention)
    return None if task.holds_adjoint(wrong) else wrong


def _capped(key: Key, part: Part) -> Part:
    """A part of a claim where the right-hand side may jump: the adjoint does as well then, which no identity says."""
    if part.verdict < Verdict.SUPPORTED:
        return part
    holds = any(e.rigor is Rigor.NUMERICAL and e.holds for e in part.evidence)
    if key[0] == "gradient" and not holds:
        return replace(part, verdict=Verdict.UNDECIDED, reason=JUMPING)
    return replace(part, verdict=Verdict.SUPPORTED)


def _open(part: Part) -> Part:
    """Before numbers are there, a failed identity is no refutation."""
    return replace(part, verdict=Verdict.UNDECIDED, reason="as an identity it fails; not yet tried on numbers")


def _weighed(task: OdeTask, key: Key, part: Part, measured: Measurement) -> Part:
    """Identities and numbers together."""
    numbers = measured.evidence.get(key)
    if part.reason == UNANCHORED:
        return part
    if measured.nowhere and part.verdict is not Verdict.REFUTED:
        return replace(part, verdict=Verdict.UNDECIDED, reason=measured.reason)
    if part.verdict in (Verdict.PROVED, Verdict.SUPPORTED):
        if numbers is not None and numbers.holds is False and key[0] != "gradient":
            return replace(part, verdict=Verdict.UNDECIDED, evidence=(*part.evidence, numbers), reason=CONTRADICTED)
        if numbers is not None and OPEN in numbers.detail:
            return replace(part, verdict=Verdict.UNDECIDED, reason=JUMPING if task.is_jumping else APART)
        if measured.undefined.get(key):
            return replace(part, verdict=Verdict.UNDECIDED, reason=measured.undefined[key])
        if key[0] == "gradient" and numbers is not None and numbers.holds is not None:
            return replace(part, evidence=(*part.evidence, numbers))
        return part
    if numbers is None or numbers.holds is None:
        why = measured.reason or measured.undefined.get(key, "")
        what = "as an identity it fails, and numbers do not tell" if part.verdict is Verdict.REFUTED else part.reason
        return replace(part, verdict=Verdict.UNDECIDED, reason="; ".join(filter(None, (what, why))))
    if not numbers.holds:
        correction = task.correct(key, task.convention)
        identity = tuple(e for e in part.evidence if e.holds is False)
        counter = measured.counterexamples.get(key) or part.counterexample
        return Part(part.name, part.claim, Verdict.REFUTED, (*identity, numbers), counter, correction=correction)
    tiny = part.verdict is Verdict.REFUTED and not _is_plain(task, key)
    if tiny:
        reason = "as an identity it fails by less than what numbers can tell"
        return replace(part, verdict=Verdict.UNDECIDED, evidence=(*part.evidence, numbers), reason=reason)
    return Part(part.name, part.claim, Verdict.SUPPORTED, (numbers,))


def _alarmed(parts: list[Part]) -> list[Part]:
    """All parts proved and a gradient off on numbers: one of the two is wrong, and nothing is claimed."""
    if any(part.verdict < Verdict.SUPPORTED for part in parts):
        return parts
    off = [any(e.rigor is Rigor.NUMERICAL and e.holds is False for e in part.evidence) for part in parts]
    return [
        replace(part, verdict=Verdict.UNDECIDED, reason=CONTRADICTED) if wrong else part
        for part, wrong in zip(parts, off, strict=True)
    ]


def _is_plain(task: OdeTask, key: Key) -> bool:
    """Whether an identity fails by much: then agreement along the solutions is no accident of rounding."""
    differences = [task.identities.difference(*pair) for pair in task.pairs(key, task.convention)]
    return max((d for d in differences if not math.isnan(d)), default=0.0) > PLAIN


def _result(task: OdeTask, convention: Convention, parts: tuple[Part, ...]) -> SystemResult:
    says = convention.says()
    if task.reader.backwards:
        says = "; ".join(filter(None, (says, "the adjoint runs in reversed time, t0 + T - t")))
    reason = "" if parts else "nothing is claimed"
    verdict = overall(parts)
    if verdict is Verdict.UNDECIDED and parts:
        reason = next((f"{part.name}: {part.reason}" for part in parts if part.verdict is verdict and part.reason), "")
    orderly = ORDERLY + (NONE_OBSERVED if task.problem.observations else "")
    notes = (orderly,) if task.crossings and any(part.verdict is Verdict.PROVED for part in parts) else ()
    return SystemResult(
        "", task.problem.kind, parts, says, tuple(derived(task, convention)), notes, reason, verdict, seed=task.seed
    )


def derived(task: OdeTask, convention: Convention) -> Iterator[tuple[str, str]]:
    """The parts that are not claimed."""
    told = {(i, phase) for table, key in task.keys if table == "adjoint"
            for i, phases in [task.where(key)] for phase in phases}  # fmt: skip
    for i, name in enumerate(task.names):
        for each in task.equations(name):
            if any((i, phase) not in told for phase in task.where(each)[1]):
                yield f"adjoint {each}", task.correct(("adjoint", each), convention)
    for name in task.names:
        if ("terminal", name) not in task.keys:
            yield f"terminal {name}", task.correct(("terminal", name), convention)
    for name in task.jumps:
        if ("jump", name) not in task.keys:
            yield f"jump {name}", task.correct(("jump", name), convention)
    for name in task.problem.parameters:
        if ("gradient", name) not in task.keys:
            yield f"gradient {name}", task.correct(("gradient", name), convention)
