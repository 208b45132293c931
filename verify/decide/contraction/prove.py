"""Is lhs - rhs zero at every size?  A proof for all sizes, or none; never a refutation.

The difference is expanded with inverses as they stand; if that does not show it, with every inverse of c + X Y
brought to the rotation that comes first; if not, with an invertible letter taken out of inverses of sums.  Then scalar
denominators are multiplied out, and inverses with a free index: E = 0 if and only if P E = 0 for an invertible P.
"""

from __future__ import annotations

import random

from verify.claim import Claim
from verify.decide.contraction.certified import check
from verify.decide.contraction.equations import reduced
from verify.decide.contraction.expand import Expansion
from verify.decide.contraction.functions import Value, aligned, shape_of
from verify.decide.contraction.guard import Defect, confirm
from verify.decide.contraction.space import GiveUp, Space
from verify.decide.contraction.sums import Sum, einsum, single
from verify.graph import ZERO, postorder
from verify.verdict import Evidence, Rigor

ROUTE = "prove for all sizes"
RELIES_ON = frozenset({"contraction-graphs"})
METHOD = "sums of contraction graphs, equal up to the names of summed indices"
#: Scalar denominators that are multiplied out, and inverses that are cleared one after the other.
MOST_DENOMINATORS = 30
MOST_CLEARED = 3
#: How inverses of sums are written, one way after the other: (rotate, pivot).
WAYS = ((False, False), (True, False), (True, True))


def prove(claim: Claim, *, seed: int = 0) -> Evidence:
    """Evidence that holds (rigor exact) at every size, or could not tell, with `detail["reason"]`.

    It speaks of the points where both sides are defined and does not ask whether there are any.
    detail of a proof: `method`, `sizes`, `graphs` (terms of both sides together), `confirmed` (entries of the two
    sides that were enclosed in both ways) and `assumed`.
    """
    sides, reason = agreeing_sides(claim)
    confirmed = 0
    if sides is not None:
        try:
            confirmed = confirm(claim, sides, random.Random(seed))
        except Defect as defect:
            sides, reason = None, f"defect in the prover: {defect}"
    if sides is None:
        return Evidence(ROUTE, Rigor.EXACT, None, RELIES_ON, detail={"reason": reason})
    detail = {
        "method": METHOD,
        "sizes": sorted(v.name for v in claim.domain.variables.values() if v.field == "size"),
        "graphs": sum(len(side.sum.terms) for side in sides),
        "confirmed": confirmed,
        "assumed": [],
    }
    return Evidence(ROUTE, Rigor.EXACT, True, RELIES_ON, detail=detail)


def agreeing_sides(claim: Claim) -> tuple[tuple[Value, Value] | None, str]:
    """The normal forms of both sides when their difference is zero, else None and why not."""
    reason = _refused(claim)
    if reason:
        return None, reason
    inverts = any(n.op == "call" and n.value in ("inv", "det", "logdet") for n in postorder(claim.lhs, claim.rhs))
    for rotate, pivot in WAYS if inverts else WAYS[:1]:
        try:
            sides = _attempt(claim, rotate, pivot)
        except GiveUp as obstacle:
            reason = reason or str(obstacle)
        except RecursionError:
            reason = reason or "the expression is nested too deeply"
        else:
            if sides is not None:
                return sides, ""
    return None, reason or "the normal forms of the two sides differ"


def _refused(claim: Claim) -> str:
    """Why claims of this kind are not proved; empty for the others."""
    if claim.domain.everywhere:
        return "kinks and jumps belong to the claim"
    if claim.is_complex:
        return "complex claims on matrices are not proved for all sizes"
    equations = [n for n in postorder(*claim.domain.conditions) if n.op == "compare" and n.value == "="]
    if any(n not in claim.domain.conditions for n in equations):
        return "an equation that holds on a part of the domain"
    return ""


def _attempt(claim: Claim, rotate: bool, pivot: bool) -> tuple[Value, Value] | None:
    """The two sides when their difference is zero, else None."""
    space = Space(rotate, pivot)
    expansion = Expansion(space, claim.domain, frozenset(), {}, {})
    lhs, rhs = expansion.value(claim.lhs), expansion.value(claim.rhs)
    difference = _difference(lhs, rhs, zero=ZERO in (claim.lhs, claim.rhs))
    equations = [equation for equation in claim.domain.conditions if equation.value == "="]
    if equations:
        difference = reduced(difference, [_difference(*map(expansion.value, e.args)) for e in equations])
    if not is_zero(difference):
        return None
    check(space)
    return lhs, rhs


def _difference(lhs: Value, rhs: Value, *, zero: bool = False) -> Sum:
    if set(shape_of(lhs)) != set(shape_of(rhs)) and not zero:
        raise GiveUp("one side has the shape of the other one's transpose")
    _, (left, right) = aligned([lhs, rhs])
    return left - right


def is_zero(a: Sum, depth: int = MOST_CLEARED) -> bool:
    """Whether it is shown to be zero wherever its denominators and inverses exist."""
    a = _without_denominators(a)
    if not a.terms or not depth:
        return not a.terms
    for atom, axis, last in _exposed(a):
        labels = tuple("z" if x == axis else x for x in a.axes)
        argument = a.space.atoms[atom].argument
        cleared = einsum(a.axes, (a, labels), (argument, ("z", axis) if last else (axis, "z")))
        if is_zero(cleared, depth - 1):
            return True
    return False


def _without_denominators(a: Sum) -> Sum:
    """Multiplied by its denominators: scalars, or entry by entry on its axes."""
    for _ in range(MOST_DENOMINATORS):
        least: dict = {}
        for term in a.terms:
            for component, e in term:
                if e < 0 and single(component) and a.space.atoms[component[0][0]].kind == "pow":
                    least[component] = min(least.get(component, 0), e)
        if not least:
            break
        component = min(least)
        factor = Sum(a.space, a.dims, {((component, -least[component]),): 1})
        a = einsum(a.axes, (a, a.axes), (factor, a.axes))
    return a


def _exposed(a: Sum) -> list[tuple[int, int, int]]:
    """Inverses with a free index: (atom, axis, which slot of the inverse it is)."""
    found = {
        (atom, -1 - x, place)
        for term in a.terms
        for component, _ in term
        for atom, slots, _ in component
        if a.space.atoms[atom].kind == "inv"
        for place, x in enumerate(slots)
        if x < 0
    }
    return sorted(found)
