"""When are two graphs the same?  Their least labellings are equal: colour refinement and individualisation.

A label that leads to the same labelled graph as the first one of its cell is its image under an automorphism: nothing
new lies below it.  So k interchangeable branches cost about k² descents instead of k! labellings.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from verify.decide.contraction.space import GiveUp, Number, Space, Symmetry

#: An atom, its slots (free indices are -1, -2, …; labels from 0 on are summed) and its exponent.
Factor = tuple[int, tuple[int, ...], Number]
Component = tuple[Factor, ...]
Colours = dict[int, int]


def least_slots(slots: tuple[int, ...], symmetry: Symmetry) -> tuple[tuple[int, ...], int]:
    """The slots in the order that comes first, with its sign; sign 0 when the value is its own negative."""
    best, sign = slots, 1
    for permutation, s in symmetry:
        moved = tuple(slots[p] for p in permutation)
        if moved < best:
            best, sign = moved, s
        elif moved == best and s != sign:
            sign = 0
    return best, sign


def signed(sign: int, exponent: Number) -> int:
    """sign^exponent.  Raises GiveUp for a root of a value that changes its sign."""
    if sign < 0 and exponent.denominator != 1:
        raise GiveUp("a root of entries that are each other's negatives")
    return sign if sign == 0 or exponent % 2 else 1


def canonical(space: Space, factors: Component) -> tuple[Component, int]:
    """The graph in the labelling that comes first, and the sign of that; sign 0: the graph is its own negative."""
    known = space.canonical.get(factors)
    if known is None:
        known = space.canonical[factors] = _Labelling(space, factors).least()
    return known


class _Labelling:
    def __init__(self, space: Space, factors: Component) -> None:
        self.space, self.factors = space, factors
        self.symmetries = [space.atoms[a].symmetry for a, _, _ in factors]
        self.bound = sorted({label for _, slots, _ in factors for label in slots if label >= 0})
        self.incidence = {
            label: [
                (atom, exponent, slots, place, symmetry)
                for (atom, slots, exponent), symmetry in zip(factors, self.symmetries, strict=True)
                for place, at in enumerate(slots)
                if at == label
            ]
            for label in self.bound
        }
        self.best: dict[Component, int] = {}

    def least(self) -> tuple[Component, int]:
        self._search(self._refined(dict.fromkeys(self.bound, 0)))
        component = min(self.best)
        return component, 0 if 0 in self.best.values() else self.best[component]

    def _refined(self, colours: Colours) -> Colours:
        """The coarsest stable colouring below this one; colours count from 0 without gaps."""
        count = len(set(colours.values()))
        while True:
            seen = {
                label: (colours[label], sorted(_view(colours, *edge) for edge in self.incidence[label]))
                for label in self.bound
            }
            order = sorted(self.bound, key=seen.__getitem__)
            colours, rank, before = {}, -1, None
            for label in order:
                if seen[label] != before:
                    rank, before = rank + 1, seen[label]
                colours[label] = rank
            if rank + 1 == count:
                return colours
            count = rank + 1

    def _search(self, colours: Colours) -> Component:
        """Look at all labellings below a stable colouring; returns the one that is reached first."""
        cell = self._cell(colours)
        if cell is None:
            return self._leaf(colours)
        first = self._search(self._individualised(colours, cell[0]))
        for label in cell[1:]:
            self.space.step()
            child = self._individualised(colours, label)
            if self._first_leaf(child) != first:
                self._search(child)
        return first

    def _first_leaf(self, colours: Colours) -> Component:
        while (cell := self._cell(colours)) is not None:
            colours = self._individualised(colours, cell[0])
        return self._leaf(colours)

    def _individualised(self, colours: Colours, label: int) -> Colours:
        mine = colours[label]
        return self._refined({x: 2 * c + (x != label and c == mine) for x, c in colours.items()})

    def _cell(self, colours: Colours) -> Sequence[int] | None:
        """The labels of the first colour that several have."""
        if len(set(colours.values())) == len(colours):
            return None
        cells: dict[int, list[int]] = {}
        for label in self.bound:
            cells.setdefault(colours[label], []).append(label)
        return min((c, labels) for c, labels in cells.items() if len(labels) > 1)[1]

    def _leaf(self, colours: Colours) -> Component:
        sign, labelled = 1, []
        for (atom, slots, exponent), symmetry in zip(self.factors, self.symmetries, strict=True):
            named, s = least_slots(tuple(colours.get(x, x) for x in slots), symmetry)
            sign *= signed(s, exponent)
            labelled.append((atom, named, exponent))
        leaf = tuple(sorted(labelled))
        self.best[leaf] = sign if self.best.get(leaf, sign) == sign else 0
        return leaf


def _view(colours: Colours, atom: int, exponent: Number, slots: tuple[int, ...], place: int, symmetry: Symmetry) -> Any:
    """What a label sees of a factor that it is a slot of, whichever way the factor may be turned."""
    around = tuple(colours.get(x, x) for x in slots)
    view = (around, place)
    for permutation, _ in symmetry:
        view = min(view, (tuple(around[p] for p in permutation), permutation.index(place)))
    return atom, exponent, *view
