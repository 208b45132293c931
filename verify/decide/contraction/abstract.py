"""Which atoms stand for declared functions, vectors and matrices, and for their partial derivatives?"""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import permutations

from verify.claim import Size
from verify.decide.contraction.space import Atom, GiveUp, Space, Symmetry
from verify.decide.contraction.sums import Sum, matmul, of_atom


@dataclass(frozen=True)
class Head:
    """A declared function.  Its atom has first the axes of the context (indices that the arguments depend on), then
    its own, then those of the arguments that it is differentiated by.

    by          the arguments that it is differentiated by, sorted.
    structure   1 for a symmetric matrix, -1 for an antisymmetric one, otherwise 0.
    """

    name: str
    context: int = 0
    by: tuple[int, ...] = ()
    structure: int = 0


def abstract(space: Space, head: Head, own: tuple[Size, ...], arguments: tuple[Sum, ...], flags: frozenset[str]) -> int:
    """The atom of a declared function at its arguments, each with the axes of the context first."""
    context = arguments[0].dims[: head.context] if arguments else ()
    widths = [arguments[i].dims[head.context :] for i in head.by]
    dims = (*context, *own, *(n for width in widths for n in width))
    return space.atom("abstract", head, dims, arguments, _symmetry(head, len(own), [len(w) for w in widths]), flags)


def slope(space: Space, atom: int, i: int) -> Sum:
    """The partial derivative of an abstract function by its i-th argument, whose axes come last."""
    one: Atom = space.atoms[atom]
    head: Head = one.name
    if "orthogonal" in one.flags:
        if head.context:
            raise GiveUp("orthogonal matrices under an index")
        # Q'Q = 1, so dQ = Q W with an antisymmetric W.
        turn = Head(f"{head.name}^{i}", head.context, (), -1)
        return matmul(of_atom(space, atom), of_atom(space, abstract(space, turn, one.dims, one.arguments, frozenset())))
    widths = [len(one.arguments[k].dims) - head.context for k in head.by]
    own = one.dims[head.context : len(one.dims) - sum(widths)]
    place = sum(k <= i for k in head.by)
    more = replace(head, by=(*head.by[:place], i, *head.by[place:]))
    new = abstract(space, more, own, one.arguments, one.flags & {"generic"})
    # The new axes stand where `by` is sorted; the slots behind them keep their axes.
    start = head.context + len(own) + sum(widths[:place])
    width = len(one.arguments[i].dims) - head.context
    count = len(one.dims)
    axes = (*range(start), *range(count, count + width), *range(start, count))
    return of_atom(space, new, slots=axes)


def _symmetry(head: Head, own: int, widths: list[int]) -> Symmetry:
    """Derivatives by one argument may be exchanged; those of a symmetric matrix are symmetric."""
    first = head.context + own
    starts = [first + sum(widths[:k]) for k in range(len(widths))]
    found: dict[tuple[int, ...], int] = {}
    for order in permutations(range(len(widths))):
        if any(head.by[k] != head.by[j] for k, j in enumerate(order)):
            continue
        tail = tuple(starts[j] + x for j in order for x in range(widths[j]))
        context = tuple(range(head.context))
        found[(*context, *range(head.context, first), *tail)] = 1
        if own == 2 and head.structure:
            found[(*context, head.context + 1, head.context, *tail)] = head.structure
    found.pop(tuple(range(first + sum(widths))), None)
    return tuple(sorted(found.items()))
