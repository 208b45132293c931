"""Is a gradient in closed form right?  Where the solution has one, by differentiating the objective that it gives.

The solution that `verify.calculus.closed_form` finds is not trusted: that it solves the equation and starts where it
must are identities, decided like any other.  It is the solution then, since there is one at most, as long as it is
continued analytically.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from verify.calculus.closed_form import closed_form, is_continued, is_smooth_in
from verify.calculus.costate import end, seen, start
from verify.decide.prove.tower import GiveUp
from verify.decide.systems.identity import Identities
from verify.decide.systems.result import Part
from verify.graph import Node, add, derivative, free_symbols, size, substitute, symbol
from verify.language.write import write
from verify.systems import TIME, OdeProblem
from verify.verdict import Diagnosis, Evidence, Rigor, Verdict

#: Nodes of a closed form that is worth deciding with, and letters of a correction that is worth printing.
LARGEST, LONGEST_SHOWN = 400, 200


@dataclass(frozen=True)
class Elementary:
    """A problem's solution in closed form, proved: states in t, and the objective in the names of the problem."""

    problem: OdeProblem
    states: tuple[Node, ...]
    objective: Node

    def without_states(self, node: Node) -> Node | None:
        """What a claimed gradient is in the names of the problem; None where it names something else."""
        places = [(start(self.problem), self.problem.t0), (end(self.problem), self.problem.T)]
        places += [(seen(each), each.time) for each in self.problem.observations]
        at = {}
        for where, time in places:
            for name, x in zip(self.problem.state, self.states, strict=True):
                at[symbol(name + where)] = substitute(x, {symbol(TIME): time})
        found = substitute(node, at)
        return found if free_symbols(found) <= set(self.problem.domain.variables) - set(self.problem.state) else None

    def gradient(self, q: str) -> Node | None:
        """dG/dq, to be carried out; None for what is no name of the problem."""
        return derivative(self.objective, q) if q in self.problem.domain.variables else None


def elementary(problem: OdeProblem, identities: Identities) -> Elementary | None:
    """The solution in closed form where one is found and proved."""
    if problem.events:
        return None
    try:
        found = closed_form(problem)
    except GiveUp:
        return None
    if found is None or size(*found) > LARGEST or not is_continued(found):
        return None
    if not all(is_smooth_in(f, problem.state) for f in problem.rhs):
        return None
    *states, cost = found
    at = {symbol(name): x for name, x in zip(problem.state, states, strict=True)}
    first = {symbol(TIME): problem.t0}
    pairs = [(derivative(x, TIME), substitute(f, at)) for x, f in zip(states, problem.rhs, strict=True)]
    pairs += [(derivative(cost, TIME), substitute(problem.running, at))]
    pairs += [(substitute(x, first), b) for x, b in zip(states, problem.initial, strict=True)]
    if any(identities.decide(*pair).verdict is not Verdict.PROVED for pair in pairs):
        return None
    last = {symbol(TIME): problem.T}

    def there(node: Node, time: Node) -> Node:
        return substitute(substitute(node, at), {symbol(TIME): time})

    total = [there(problem.terminal, problem.T), substitute(cost, last)]
    total += [there(each.value, each.time) for each in problem.observations]
    return Elementary(problem, tuple(states), add(*total))


def decided(
    known: Elementary, q: str, claimed: Node, identities: Identities, part: Part, *, is_free: bool = False
) -> Part:
    """The part of a claim on dG/dq with a proof, or with what is wrong and what is right, as far as they are found.

    A verdict that numbers have given is not changed from right to wrong, or back.

    is_free     whether numbers were there, and too coarse to say anything.
    """
    one, other = known.without_states(claimed), known.gradient(q)
    if one is None or other is None:
        return part
    found = identities.decide(one, other, stop="never")
    if (part.verdict is Verdict.SUPPORTED or is_free) and found.verdict is Verdict.PROVED:
        says = ", ".join(f"{u} = {write(x)}" for u, x in zip(known.problem.state, known.states, strict=True))
        detail = {"method": f"the objective differentiated, with the solution {says}"}
        proof = Evidence("closed form", Rigor.EXACT, True, frozenset({"normal-forms"}), detail=detail)
        return replace(part, verdict=Verdict.PROVED, evidence=(proof, *part.evidence), reason="")
    if (part.verdict is Verdict.REFUTED or is_free) and found.verdict is Verdict.REFUTED:
        right = found.correction or ""
        correction = right if right and len(right) <= LONGEST_SHOWN else part.correction
        evidence = (*found.evidence, *part.evidence)
        counter = found.counterexample or part.counterexample
        slip = found.diagnosis
        if slip is not None:
            slip = replace(slip, says=slip.says.replace("the left-hand side", "what is claimed"))
        return Part(part.name, part.claim, Verdict.REFUTED, evidence, counter, slip, correction)
    return part


def as_if(known: Elementary, wrong: Node, claimed: Node, identities: Identities, part: Part) -> Part:
    """A refuted part with the slip of taking the integrand as constant, where that is what was claimed."""
    from verify.decide.systems.slips import COMMUTED

    one, other = known.without_states(wrong), known.without_states(claimed)
    if one is None or other is None or not identities.same(one, other):
        return part
    verdict = identities.decide(one, other).verdict
    return replace(part, diagnosis=Diagnosis("commute", COMMUTED, verdict)) if verdict >= Verdict.SUPPORTED else part
