"""Which slip explains a wrong part of a claim on a recurrence?  Shifted steps and moved ends of sums among others."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

from verify.calculus.costate import Gradient, Term, substitute_index
from verify.calculus.tidy import tidy
from verify.decide.systems.convention import Convention
from verify.decide.systems.slips import explained
from verify.decide.systems.steps import places, where
from verify.decide.systems.variants import Pairs, Variant, equation_variants, gradient_variants, value_variants
from verify.graph import MINUS_ONE, ZERO, Node, add, mul, num, substitute, symbol
from verify.systems import INDEX
from verify.verdict import Diagnosis

if TYPE_CHECKING:
    from verify.decide.systems.recurrence import RecurrenceTask

Key = tuple[str, str]


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
    return explained(task.identities, variants, task.pairs(key, convention))


def _reduced_pair(steps: Any, one: Node, other: Node, convention: Convention) -> tuple[Node, Node]:
    found = steps.reduced((one, other), convention)
    return found[0], found[1]


def _limits(task: RecurrenceTask, inside: Node, boundary: Node, low: int, high: int) -> Node:
    """The boundary values of a sum over low … n + high, counted against one over 1 … n."""

    def summand(letter: str, j: int) -> Node:
        base = task.steps.last if letter == "n" else ZERO
        (node,) = substitute_index((inside,), tidy(add(base, num(j))))
        return substitute(node, _at_step(node, letter, j))

    more = [summand("0", j) for j in range(low, 1)] + [summand("n", j) for j in range(1, high + 1)]
    less = [summand("0", j) for j in range(1, low)] + [summand("n", j) for j in range(high + 1, 1)]
    return add(boundary, ZERO, *more, *(mul(MINUS_ONE, each) for each in less))


def _counted(node: Node, by: int) -> Node:
    """A summand with k + by in the place of k."""
    (moved,) = substitute_index((node,), tidy(add(symbol(INDEX), num(by))))
    return substitute(moved, _at_step(moved, "k", by))


def _at_step(node: Node, letter: str, j: int) -> dict[Node, Node]:
    return {
        symbol(name + where("k", offset)): symbol(name + where(letter, offset + j))
        for name, place, offset in places(node)
        if place == "k"
    }


def _shifts(node: Node, state: Iterable[str], adjoints: Iterable[str], at: str = "k") -> Iterator[tuple[str, Node]]:
    """States, or adjoints, one step earlier or later; those near step k, or near step 0."""
    for names, what in ((set(state) - set(adjoints), "state"), (set(adjoints), "adjoint")):
        for by in (1, -1):
            changes = {
                symbol(name + where(at, j)): symbol(name + where(at, j + by))
                for name, place, j in places(node)
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
