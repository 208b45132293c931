"""Which slip explains a wrong equation for the adjoint, or a wrong gradient, of f(u, p) = 0?"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from fractions import Fraction
from typing import TYPE_CHECKING

import numpy as np

from verify.calculus.costate import Gradient, Term
from verify.calculus.tidy import is_zero, tidy
from verify.decide.systems.convention import Convention
from verify.decide.systems.slips import explained
from verify.decide.systems.variants import (
    Pairs,
    Variant,
    differing_terms,
    entry_variants,
    gradient_variants,
    term_variants,
)
from verify.graph import MINUS_ONE, ONE, Node, free_symbols, mul, num
from verify.numerics.straight import NoFloat, Straight
from verify.verdict import Diagnosis, Verdict

if TYPE_CHECKING:
    from verify.decide.systems.implicit import ImplicitTask

Key = tuple[str, str]

#: Solutions at which a formula is right, and at which it is wrong, and the relative differences that tell.
FEWEST, AGREE, APART = 2, 1e-9, 1e-6


def implicit_slip(task: ImplicitTask, key: Key, convention: Convention) -> Diagnosis | None:
    """The slip in one part of a claim on equations."""
    if key[0] == "adjoint":
        return _equation_slip(task, key, convention)
    claimed = task.claim.gradient[key[1]]
    if task.is_closed(key):
        if (some := _on_some(task, key, convention)) is not None:
            return some
        right = task.pair(key, convention)[1]
        closed = task.closed(key[1])
        termwise = [((claimed, each),) for each in (right, closed) if each is not None]
        # What the formula itself lacks comes before what its terms lack when everything is multiplied out.
        found = explained(task.on, _whole(claimed, right), ((claimed, right),), ())
        return found or explained(task.on, (), (), termwise) or explained(task.on, _upside_down(claimed, right), (), ())

    def pairs(terms: Iterable[Term]) -> Pairs:
        return ((claimed, convention.claimed(Gradient(tuple(terms)).boundary)),)

    truth = task.gradient(key[1])
    variants = [*gradient_variants(truth, pairs, 0, False)]
    variants += [
        Variant("swap", f"this is dG/d{other}", pairs(task.gradient(other).terms))
        for other in task.problem.parameters
        if other != key[1]
    ]
    return explained(task.on, variants, pairs(truth.terms))


def _on_some(task: ImplicitTask, key: Key, convention: Convention) -> Diagnosis | None:
    """A gradient that is right at some of the solutions, and at others it is not."""
    holds: dict[bool, list[dict[str, float]]] = {True: [], False: []}
    try:
        program = Straight(task.pair(key, convention))
        for point in task.on.seen:
            one, other = map(float, program(point))
            apart = abs(one - other) / (max(abs(one), abs(other)) or 1.0)
            if apart < AGREE or apart > APART:
                holds[apart < AGREE].append(point)
    except NoFloat:
        return None
    if min(map(len, holds.values())) < FEWEST:
        return None
    where = next((text for name in task.problem.state if (text := _told_apart(name, holds))), "")
    says = f"it is right at some of the solutions only{where}; where one of them is meant, declare it with `let`"
    return Diagnosis("domain", says, Verdict.SUPPORTED)


def _told_apart(name: str, holds: Mapping[bool, Sequence[Mapping[str, float]]]) -> str:
    """What the sign of a state has to do with it."""
    signs = {
        right: {0 if abs(point[name]) < AGREE else np.sign(point[name]) for point in points}
        for right, points in holds.items()
    }
    if signs[False] == {0} and 0 not in signs[True]:
        return f", where {name} is not 0"
    if signs[True] in ({-1}, {1}) and signs[False] == {-each for each in signs[True]}:
        return f", where {name} {'<' if signs[True] == {-1} else '>'} 0"
    return ""


def _whole(claimed: Node, right: Node) -> Iterator[Variant]:
    """A gradient without the adjoint that is off by a number."""
    yield Variant("sign", "the whole gradient has the wrong sign", ((claimed, tidy(-right)),))
    for c in map(Fraction, ("2", "1/2", "-2", "-1/2")):
        says = f"the whole gradient is {c} times what it must be"
        yield Variant("factor", says, ((claimed, tidy(mul(num(c), right))),))


def _upside_down(claimed: Node, right: Node) -> Iterator[Variant]:
    """f_u/f_p for f_p/f_u."""
    for sign, says in ((1, ""), (-1, ", with the other sign")):
        yield Variant(
            "other", f"it is the reciprocal of what it must be{says}", ((mul(num(sign), claimed, right), ONE),)
        )


def _equation_slip(task: ImplicitTask, key: Key, convention: Convention) -> Diagnosis | None:
    equation = task.claim.equations[int(key[1]) - 1]
    difference = tidy(equation.lhs - equation.rhs)
    variants: list[Variant] = []
    termwise: list[Variant | None] = []
    general: list[tuple[Node, Node]] = []
    for i in range(len(task.names)):
        left, other = (
            tidy(mul(convention.kappa, convention.claimed(row[i])))
            for row in (task.costate.rate, task.costate.transposed)
        )
        right = tidy(mul(convention.kappa, task.costate.final[i]))
        for sign in (1, -1):
            whole = tidy(mul(num(sign), difference))
            for slip, says, formula in (
                ("transpose", "the Jacobian is not transposed", other - right),
                ("sign", "the right-hand side has the wrong sign", left + right),
                (
                    "transpose",
                    "the Jacobian is not transposed, and the right-hand side has the wrong sign",
                    other + right,
                ),
                ("missing-term", "the right-hand side is missing", left),
                ("factor", "the right-hand side is twice what it must be", left - 2 * right),
                ("factor", "the right-hand side is half of what it must be", left - mul(num(Fraction(1, 2)), right)),
            ):
                if not is_zero(formula - (left - right)):
                    variants.append(Variant(slip, says, ((whole, tidy(formula)),)))
            variants += term_variants(whole, tidy(left - right))
            variants += [
                Variant(slip, says, ((whole, changed),))
                for slip, says, changed in entry_variants(tidy(left - right), task.names)
            ]
            termwise.append(differing_terms(((whole, tidy(left - right)),)))
            if task.on.same(mul(num(sign), equation.rhs), right):
                general.append((tidy(mul(num(sign), equation.lhs)), left))
    variants += [*_other_solutions(task, convention), *(each for each in termwise if each is not None)]
    lhs, rhs = task.pair(key, convention)
    for one, other in ((lhs, rhs), (rhs, lhs)):
        if not free_symbols(equation.lhs if one is lhs else equation.rhs) & set(task.names):
            general.append((one, other))
    return explained(task.on, variants, tuple(general), ())


def _other_solutions(task: ImplicitTask, convention: Convention) -> Iterator[Variant]:
    """The claimed equations, however they are written, have the solution of the right ones with a slip."""
    claimed = task.solved
    if claimed is None:
        return
    for slip, says, wrong in (
        ("transpose", "the Jacobian is not transposed", task.untransposed),
        ("transpose", "the Jacobian is not transposed, and the right-hand side has the wrong sign",
         tuple(mul(MINUS_ONE, each) for each in task.untransposed)),
        ("sign", "the right-hand side has the wrong sign", tuple(mul(MINUS_ONE, each) for each in task.adjoint)),
    ):  # fmt: skip
        entries = [convention.entry(wrong, i) for i in range(len(task.names))]
        yield Variant(slip, says, tuple(zip(claimed, entries, strict=True)))
