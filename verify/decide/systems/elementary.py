"""Is a gradient in closed form right?  Where the solution has one, by differentiating the objective that it gives.

Solutions come from `verify.decide.systems.solved_phases`, proved.  Where a solution looks different for different
signs of a quantity that are both possible (over- and underdamped), each sign is a piece of the domain, and a claim is
proved on all of them; left out are those in which what is claimed has no value anywhere.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any

from verify.calculus.costate import start
from verify.calculus.linear_systems import Undetermined
from verify.calculus.reverse import gradient
from verify.calculus.tidy import short, tidy
from verify.calculus.waves import settled
from verify.claim import Variable
from verify.decide.integrals.smooth import conditions
from verify.decide.prove.differentiate import carried_out
from verify.decide.signs import Signs
from verify.decide.systems.closed_terms import suspicions
from verify.decide.systems.identity import Identities
from verify.decide.systems.observables import observed
from verify.decide.systems.result import Part
from verify.decide.systems.solved_phases import Solution, certain_sign, solution
from verify.graph import ZERO, Node, add, compare, derivative, free_symbols, neg, num, substitute, symbol
from verify.language.write import write
from verify.systems import OdeProblem
from verify.verdict import Diagnosis, Evidence, GiveUp, Result, Rigor, Verdict

#: Letters of a correction that is worth printing, and signs that are told apart.
LONGEST_SHOWN, MOST_SIGNS = 200, 2
#: What is added to an initial value, or to a time, to differentiate by it: a name that no text has, and its bound.
MORE, LITTLE = "more ", num(Fraction(1, 10**6))


@dataclass(frozen=True)
class Piece:
    """The solution where some quantities are positive, if it is known there."""

    positive: tuple[Node, ...]
    solution: Solution | None
    identities: Identities


@dataclass(frozen=True)
class Elementary:
    """A problem's objective in closed form, proved: in the names of the problem, piece by piece."""

    problem: OdeProblem
    pieces: tuple[Piece, ...]

    def without_states(self, node: Node, piece: Piece) -> Node | None:
        """What a claimed gradient is in the names of the problem; None where it names something else."""
        if piece.solution is None:
            return None
        found = substitute(node, piece.solution.values)
        return found if free_symbols(found) <= set(self.problem.domain.variables) - set(self.problem.state) else None

    def names_states(self, node: Node) -> bool:
        """Whether what is claimed is written in values of the states."""
        return bool(free_symbols(node) - set(self.problem.domain.variables))

    def is_gradient(self, node: Node, q: str, piece: Piece) -> bool:
        """Whether an expression is proved to be dG/dq, which is not 0."""
        right = self.gradient(q, piece)
        if right is None or not piece.identities.same(node, right) or piece.identities.same(right, ZERO):
            return False
        return piece.identities.decide(node, right).verdict is Verdict.PROVED

    def gradient(self, q: str, piece: Piece) -> Node | None:
        """dG/dq, to be carried out; None for what the problem does not depend on."""
        if piece.solution is None:
            return None
        if q in self.problem.domain.variables:
            return derivative(piece.solution.objective, q)
        moved = _moved(self.problem, q)
        if moved is None:
            return None
        domain = replace(moved.domain, conditions=piece.identities.domain.conditions)
        known = elementary(moved, replace(piece.identities, domain=domain, known={}, compared={}))
        if known is None or len(known.pieces) != 1 or known.pieces[0].solution is None:
            return None
        (slope,) = gradient(known.pieces[0].solution.objective, (MORE,))
        return substitute(slope, {symbol(MORE): ZERO})


def _moved(problem: OdeProblem, q: str) -> OdeProblem | None:
    """The problem with a little more of an initial value, or of a time that is no name."""
    more = symbol(MORE)
    changes: dict[str, Any] = {}
    for i, u in enumerate(problem.state):
        if q == f"{u}(t0)":
            first = (*problem.initial[:i], add(problem.initial[i], more), *problem.initial[i + 1 :])
            changes["initial"] = first
    if q in ("t0", "T"):
        changes[q] = add(getattr(problem, q), more)
    if not changes:
        return None
    variables = {**problem.domain.variables, MORE: Variable(MORE, low=neg(LITTLE), high=LITTLE)}
    return replace(problem, domain=replace(problem.domain, variables=variables), **changes)


def elementary(problem: OdeProblem, identities: Identities) -> Elementary | None:
    """The solution in closed form where one is found and proved, or the objective alone."""
    pieces: list[Piece] = []
    pending: list[tuple[Node, ...]] = [()]
    while pending:
        positive = pending.pop()
        domain = identities.domain
        here = identities
        if positive:
            narrowed = (*domain.conditions, *(compare(q, ">", ZERO) for q in positive))
            here = Identities(replace(domain, conditions=narrowed), identities.ranges, identities.seed)
        try:
            found = solution(problem, here)
        except Undetermined as depends:
            if len(positive) == MOST_SIGNS:
                return None
            pending += [(*positive, tidy(neg(depends.quantity))), (*positive, depends.quantity)]
            continue
        except GiveUp:
            found = None
        if found is None:
            found = _objective_alone(problem, here)
        pieces.append(Piece(positive, found, here))
    return Elementary(problem, tuple(pieces)) if any(piece.solution for piece in pieces) else None


def _objective_alone(problem: OdeProblem, identities: Identities) -> Solution | None:
    """What follows from the initial values without the solution."""
    objective = observed(problem, identities)
    if objective is None:
        return None
    values = {symbol(u + start(problem)): x for u, x in zip(problem.state, problem.initial, strict=True)}
    return Solution(values, objective, f"of which only the objective is known, {write(short(objective))}")


def decided(known: Elementary, q: str, claimed: Node, part: Part, *, is_free: bool = False) -> Part:
    """The part of a claim on dG/dq with a proof, or with what is wrong and what is right, as far as they are found.

    A verdict that numbers have given is not changed from right to wrong, or back.

    is_free     whether numbers were there, and too coarse to say anything.
    """
    compared: list[tuple[Piece, Node, Result]] = []
    for piece in known.pieces:
        if piece.positive and _has_no_value(claimed, piece.identities):
            continue
        one, other = known.without_states(claimed, piece), known.gradient(q, piece)
        if one is None or other is None:
            return part
        compared.append((piece, other, piece.identities.decide(one, other, stop="never")))
    verdicts = [result.verdict for _, _, result in compared]
    if (part.verdict is Verdict.SUPPORTED or is_free) and set(verdicts) == {Verdict.PROVED}:
        says = "; ".join(_solution(piece) for piece, _, _ in compared)
        detail = {"method": f"the objective differentiated, with the solution {says}"}
        proof = Evidence("closed form", Rigor.EXACT, True, frozenset({"normal-forms"}), detail=detail)
        return replace(part, verdict=Verdict.PROVED, evidence=(proof, *part.evidence), reason="")
    if (part.verdict is Verdict.REFUTED or is_free) and Verdict.REFUTED in verdicts:
        piece, right, found = compared[verdicts.index(Verdict.REFUTED)]
        one = known.without_states(claimed, piece)
        other = next((p for p in known.problem.parameters if p != q and one and known.is_gradient(one, p, piece)), "")
        if other:
            slip = Diagnosis("swap", f"this is dG/d{other}", Verdict.PROVED)
            found = replace(found, diagnosis=slip, correction="")
        elif found.diagnosis is None:
            suspected = _suspected(one, right, piece.identities) if one else None
            if suspected is not None:
                found = replace(found, diagnosis=suspected[0], correction=found.correction or suspected[1])
        return _refuted(part, right, found)
    return part


def as_if(known: Elementary, wrong: Node, claimed: Node, part: Part) -> Part:
    """A refuted part with the slip of taking the integrand as constant, where that is what was claimed."""
    from verify.decide.systems.slips import COMMUTED

    piece = known.pieces[0]
    identities = piece.identities
    one, other = known.without_states(wrong, piece), known.without_states(claimed, piece)
    if len(known.pieces) > 1 or one is None or other is None or not identities.same(one, other):
        return part
    verdict = identities.decide(one, other).verdict
    return replace(part, diagnosis=Diagnosis("commute", COMMUTED, verdict)) if verdict >= Verdict.SUPPORTED else part


def _solution(piece: Piece) -> str:
    """The solution, and where it is that."""
    where = " and ".join(f"{write(q)} > 0" for q in piece.positive)
    says = piece.solution.says if piece.solution else ""
    return says + (f" where {where}" if where else "")


def _has_no_value(claimed: Node, identities: Identities) -> bool:
    """Whether what is claimed is undefined on all of a piece: the argument of a root or a logarithm is negative."""
    needed = conditions(claimed, variables=identities.domain.variables)
    signs = Signs(identities)
    return needed is not None and any(
        each.kind != "nonzero" and certain_sign(signs, each.quantity) < 0 for each in needed
    )


def _suspected(claimed: Node, right: Node, identities: Identities) -> tuple[Diagnosis, str] | None:
    """The first slip without which the formula is right, and the formula without it."""
    try:
        right = settled(carried_out(right))
    except GiveUp:
        return None
    for each in suspicions(claimed, right):
        verdict = identities.decide(each.formula, right).verdict
        if verdict >= Verdict.SUPPORTED:
            return Diagnosis(each.slip, each.says, verdict), write(each.formula)
    return None


def _refuted(part: Part, right: Node, found: Result) -> Part:
    """A wrong part, with the shorter of two ways to write what is right."""
    texts = [found.correction or ""]
    with suppress(GiveUp, ValueError):
        texts.append(write(short(settled(carried_out(right)))))
    texts = sorted(filter(None, texts), key=len)
    correction = texts[0] if texts and len(texts[0]) <= LONGEST_SHOWN else part.correction
    slip = found.diagnosis
    if slip is not None:
        slip = replace(slip, says=slip.says.replace("the left-hand side", "what is claimed"))
    counter = found.counterexample or part.counterexample
    return Part(part.name, part.claim, Verdict.REFUTED, (*found.evidence, *part.evidence), counter, slip, correction)
