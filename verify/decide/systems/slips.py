"""Which slip explains a wrong part?  The right formula is changed as people change it, until it is the claimed one.

What fits at a few points is decided like any other claim, and the verdict of the diagnosis is that of the claim "this
is what was written".
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from verify.calculus.costate import Gradient, Term, in_time
from verify.calculus.tidy import is_zero, tidy
from verify.decide.systems.convention import Convention
from verify.decide.systems.identity import Identities
from verify.decide.systems.reading import NoFunctional
from verify.decide.systems.variants import (
    Pairs,
    Variant,
    differing_terms,
    equation_variants,
    gradient_variants,
    term_variants,
    value_variants,
)
from verify.graph import MINUS_ONE, ZERO, Node, add, mul, num, substitute, symbol
from verify.systems import INDEX, TIME
from verify.verdict import Diagnosis, Verdict

if TYPE_CHECKING:
    from verify.decide.systems.implicit import ImplicitTask
    from verify.decide.systems.ode_task import OdeTask
    from verify.decide.systems.recurrence import RecurrenceTask

Key = tuple[str, str]


def ode_slip(task: OdeTask, key: Key, convention: Convention) -> Diagnosis | None:
    """The slip in one part of a claim on an ODE."""
    if key not in task.read:
        return _partial(task, key, convention)
    if key[0] == "gradient":
        read: Any = task.read[key]

        def pairs(terms: Iterable[Term]) -> Pairs:
            changed = Gradient(tuple(terms))
            inside, boundary = (convention.claimed(each) for each in (changed.inside, changed.boundary))
            return (
                (task.grounded(read.inside, convention), task.grounded(inside, convention)),
                (task.grounded(read.boundary, convention), task.grounded(boundary, convention)),
            )

        truth, timely = task.gradient(key[1]), key[1] in ("t0", "T")
        variants = [*gradient_variants(truth, pairs, read.flipped, timely), *_wrong_end(task, key, pairs)]
        variants += _constant_integrand(task, truth, pairs)
        variants += [
            Variant("swap", f"this is dG/d{other}", pairs(task.gradient(other).terms))
            for other in task.problem.parameters
            if other != key[1]
        ]
        if timely and (other := in_time(task.problem, key[1])) is not None:
            variants += gradient_variants(other, pairs, read.flipped, timely)
    else:
        ((claimed, right),) = task.pairs(key, convention)
        if key[0] == "adjoint":
            i = task.names.index(key[1])
            source = convention.entry(task.costate.source, i)
            other = convention.entry(task.costate.transposed, i)
            variants = equation_variants(claimed, right, source, other, "the adjoint equation")
        elif key[0] == "jump":
            variants = value_variants(claimed, right, "the jump", "observation")
        else:
            others = [name for name in task.names if name != key[1]]
            swapped = [
                Variant("swap", f"this is what belongs to {name}", ((claimed, task.right((key[0], name), convention)),))
                for name in others
            ]
            variants = [*value_variants(claimed, right), *(v for v in swapped if not is_zero(v.pairs[0][1]))]
    return _explained(task.identities, variants, task.pairs(key, convention))


def _partial(task: OdeTask, key: Key, convention: Convention) -> Diagnosis | None:
    """An integral over a part of the time, in a gradient that is right with all of it."""
    try:
        read = task.reader.functional(task.claim.gradient[key[1]], anyhow=True)
    except (NoFunctional, KeyError):
        return None
    truth = task.gradient(key[1])
    pairs = tuple(
        (task.grounded(one, convention), task.grounded(convention.claimed(other), convention))
        for one, other in ((read.inside, truth.inside), (read.boundary, truth.boundary))
    )
    verdicts = [task.identities.decide(*pair).verdict for pair in pairs]
    if min(verdicts) < Verdict.SUPPORTED:
        return None
    return Diagnosis("limits", "the integral does not run over all of the time", min(verdicts))


def _wrong_end(task: OdeTask, key: Key, pairs: Callable[[Iterable[Term]], Pairs]) -> Iterator[Variant]:
    """Values at the ends taken at the other end."""
    terms = task.gradient(key[1]).terms
    first, last = task.ends
    names = (*task.names, *task.problem.state)
    swap = {symbol(n + first): symbol(n + last) for n in names} | {symbol(n + last): symbol(n + first) for n in names}
    turned = [Term(term.name, substitute(term.boundary, swap), term.inside) for term in terms]
    moved = [i for i, (one, other) in enumerate(zip(terms, turned, strict=True)) if one.boundary is not other.boundary]
    slip = "time" if key[1] in ("t0", "T") else "boundary"
    for chosen in ([moved] if len(moved) < 2 else [moved, *([i] for i in moved)]) if moved else []:
        changed = [turned[i] if i in chosen else term for i, term in enumerate(terms)]
        yield Variant(slip, "a value at an end of the interval is taken at the other end", pairs(changed))


def _constant_integrand(task: OdeTask, truth: Gradient, pairs: Callable[[Iterable[Term]], Pairs]) -> Iterator[Variant]:
    """An integral taken as the length of time times its integrand at an end, as if matrices commuted."""
    problem = task.problem
    length = add(problem.T, mul(MINUS_ONE, problem.t0))
    for where, when in zip(task.ends, (problem.t0, problem.T), strict=True):
        at = {symbol(name): symbol(name + where) for name in (*problem.state, *task.names)} | {symbol(TIME): when}
        terms = [
            Term(term.name, tidy(mul(length, substitute(term.inside, at)))) if term.inside is not ZERO else term
            for term in truth.terms
        ]
        says = "the integrand is taken as constant in time, as if the matrix and its derivative commuted"
        yield Variant("commute", says, pairs(terms))


def implicit_slip(task: ImplicitTask, key: Key, convention: Convention) -> Diagnosis | None:
    """The slip in one part of a claim on equations."""
    if key[0] == "gradient":
        claimed = task.claim.gradient[key[1]]

        def pairs(terms: Iterable[Term]) -> Pairs:
            return ((claimed, convention.claimed(Gradient(tuple(terms)).boundary)),)

        variants = gradient_variants(task.gradient(key[1]), pairs, 0, False)
        return _explained(task.identities, variants, (task.pair(key, convention),), pairs(task.gradient(key[1]).terms))
    equation = task.claim.equations[int(key[1]) - 1]
    difference = tidy(equation.lhs - equation.rhs)
    variants: list[Variant] = []
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
    return _explained(task.identities, variants, (task.pair(key, convention),))


def recurrence_slip(task: RecurrenceTask, key: Key, convention: Convention) -> Diagnosis | None:
    """The slip in one part of a claim on a recurrence."""
    if key not in task.read:
        return None
    steps = task.steps
    read: Any = task.read[key]
    variants: list[Variant] = []
    if key[0] == "gradient":

        def reduced(inside: Node, boundary: Node) -> Pairs:
            one = steps.reduced((read.inside, convention.claimed(inside)), convention)
            other = steps.reduced((read.boundary, convention.claimed(boundary)), convention)
            return (one[0], one[1]), (other[0], other[1])

        def pairs(terms: Iterable[Term]) -> Pairs:
            changed = Gradient(tuple(terms))
            return reduced(changed.inside, changed.boundary)

        truth = task.gradient(key[1])
        variants += gradient_variants(truth, pairs, 0, False)
        for says, moved in _shifts(truth.inside, (*task.problem.state, *task.names), (*task.names,)):
            variants.append(Variant("index", says, reduced(moved, truth.boundary)))
            # The same with the adjoint at step k, as sums are read: then the ends of the sum move.
            for by in (1, -1):
                again = _counted(moved, -by)
                variants.append(
                    Variant("index", says, reduced(again, _limits(task, again, truth.boundary, 1 + by, by)))
                )
        for says, moved in _shifts(truth.boundary, (*task.problem.state, *task.names), task.names, "0"):
            variants.append(Variant("index", says, reduced(truth.inside, moved)))
        for low, high in ((0, 0), (1, -1), (0, -1), (1, 1), (2, 0)):
            if (low, high) != (1, 0):
                says = "the sum runs over the wrong steps"
                variants.append(
                    Variant(
                        "limits", says, reduced(truth.inside, _limits(task, truth.inside, truth.boundary, low, high))
                    )
                )
    else:
        ((claimed, right),) = task.pairs(key, convention)
        i = task.names.index(key[1])
        if key[0] == "adjoint":
            other = convention.entry(task.costate.transposed, i)
            other = steps.reduced((other,), convention)[0]
            variants += equation_variants(claimed, right, ZERO, other, "the adjoint equation")
            plain = convention.entry(task.costate.rate, i)
            for says, moved in (*_shifts(plain, task.problem.state, task.names), *_later(plain)):
                variants.append(Variant("index", says, (_reduced_pair(steps, read, moved, convention),)))
        else:
            variants += value_variants(claimed, right)
    return _explained(task.identities, variants, task.pairs(key, convention))


def _reduced_pair(steps: Any, one: Node, other: Node, convention: Convention) -> tuple[Node, Node]:
    found = steps.reduced((one, other), convention)
    return found[0], found[1]


def _limits(task: RecurrenceTask, inside: Node, boundary: Node, low: int, high: int) -> Node:
    """The boundary values of a sum over low … n + high, counted against one over 1 … n."""
    from verify.calculus.costate import substitute_index

    def summand(letter: str, j: int) -> Node:
        base = task.steps.last if letter == "n" else ZERO
        (node,) = substitute_index((inside,), tidy(add(base, num(j))))
        return substitute(node, _at_step(node, letter, j))

    more = [summand("0", j) for j in range(low, 1)] + [summand("n", j) for j in range(1, high + 1)]
    less = [summand("0", j) for j in range(1, low)] + [summand("n", j) for j in range(high + 1, 1)]
    return add(boundary, ZERO, *more, *(mul(MINUS_ONE, each) for each in less))


def _counted(node: Node, by: int) -> Node:
    """A summand with k + by in the place of k."""
    from verify.calculus.costate import substitute_index

    (moved,) = substitute_index((node,), tidy(add(symbol(INDEX), num(by))))
    return substitute(moved, _at_step(moved, "k", by))


def _at_step(node: Node, letter: str, j: int) -> dict[Node, Node]:
    from verify.decide.systems.steps import _places, where

    return {
        symbol(name + where("k", offset)): symbol(name + where(letter, offset + j))
        for name, place, offset in _places(node)
        if place == "k"
    }


def _shifts(node: Node, state: Iterable[str], adjoints: Iterable[str], at: str = "k") -> Iterator[tuple[str, Node]]:
    """States, or adjoints, one step earlier or later; those near step k, or near step 0."""
    from verify.decide.systems.steps import _places, where

    for names, what in ((set(state) - set(adjoints), "state"), (set(adjoints), "adjoint")):
        for by in (1, -1):
            changes = {
                symbol(name + where(at, j)): symbol(name + where(at, j + by))
                for name, place, j in _places(node)
                if place == at and name in names and (at == "k" or j + by >= 0)
            }
            if changes:
                yield f"the {what} is taken one step too {'late' if by > 0 else 'early'}", substitute(node, changes)


def _later(node: Node) -> Iterator[tuple[str, Node]]:
    """The number of the step one less or more, where a formula names it."""
    k = symbol(INDEX)
    for by in (1, -1):
        changed = substitute(node, {k: tidy(add(k, num(by)))})
        if changed is not node:
            yield f"the step is counted one too {'late' if by > 0 else 'early'}", changed


def _explained(
    identities: Identities, variants: Iterable[Variant], pairs: Pairs, termwise: Pairs | None = None
) -> Diagnosis | None:
    """The first variant that is what was claimed, then what the terms have in common, then what is said in general.

    termwise    (claimed, right) to be compared term by term, where that is not how they are decided.
    """
    for variant in (*variants, differing_terms(termwise or pairs)):
        if variant is not None and all(identities.same(*pair) for pair in variant.pairs):
            verdicts = [identities.decide(*pair).verdict for pair in variant.pairs]
            if min(verdicts) >= Verdict.SUPPORTED:
                return Diagnosis(variant.slip, variant.says, min(verdicts))
    for pair in pairs:
        found = identities.decide(*pair, stop="never")
        if found.verdict is Verdict.REFUTED and found.diagnosis is not None:
            return found.diagnosis
    return None
