"""How are sums of contraction graphs added and multiplied, so that equal ones become the same?

A sum is {term: coefficient}.  A term is a product of connected graphs (components) with exponents; those of a component
that has free indices are powers entry by entry.  Free indices are -1, -2, …, in the order of the axes.

Transposition, traces, Hadamard products, diagonals and vectors of ones are only ways to join indices, so nothing of
them is left in the normal form.  For polynomials in generic matrices two sums are equal as soon as the expressions
agree at every size.  Laue, Mitterreiter and Giesen compute tensor derivatives in this form (NeurIPS 2018).
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from itertools import product as combinations
from typing import Any

from verify.claim import Size
from verify.decide.contraction.canonical import Component, Factor, canonical, least_slots, signed
from verify.decide.contraction.space import MOST_STEPS, TRANSPOSABLE, GiveUp, Number, Space

Term = tuple[tuple[Component, Number], ...]
Scalars = dict[Component, Number]


@dataclass(frozen=True, eq=False)
class Sum:
    """A sum of graphs; `dims` are the sizes of its axes."""

    space: Space
    dims: tuple[Size, ...]
    terms: Mapping[Term, Number]

    @cached_property
    def key(self) -> tuple[Any, ...]:
        """Equal for equal sums of one space; ordered."""
        return tuple(map(str, self.dims)), tuple(sorted(self.terms.items()))

    @property
    def axes(self) -> tuple[int, ...]:
        """Labels for the axes, counted from 0."""
        return tuple(range(len(self.dims)))

    def __add__(self, other: Sum) -> Sum:
        if self.dims != other.dims:
            raise GiveUp(f"shapes {self.dims} and {other.dims}")
        terms = dict(self.terms)
        for term, c in other.terms.items():
            terms[term] = terms.get(term, 0) + c
        return Sum(self.space, self.dims, {t: c for t, c in terms.items() if c})

    def __sub__(self, other: Sum) -> Sum:
        return self + other.scaled(-1)

    def scaled(self, c: Number) -> Sum:
        """c times the sum."""
        return Sum(self.space, self.dims, {term: c * v for term, v in self.terms.items()} if c else {})


@dataclass(frozen=True)
class Product:
    """coefficient * scalars * factors, summed over all labels from 0 on that `dims` has.

    scalars   components without free indices, with exponents.
    dims      the sizes of all live labels; a summed label that no factor has stands for its size.
    """

    space: Space
    coefficient: Number
    scalars: Scalars
    factors: Sequence[Factor]
    dims: dict[int, Size]

    def on(self, coefficient: Number, factors: Sequence[Factor], dims: dict[int, Size]) -> Product:
        """The same scalars with other factors."""
        return Product(self.space, coefficient, self.scalars, factors, dims)

    def without(self, *places: int) -> Product:
        """The product without the factors at these places."""
        kept = [f for k, f in enumerate(self.factors) if k not in places]
        return self.on(self.coefficient, kept, self.dims)

    def times(self, *factors: Factor, coefficient: Number = 1) -> Product:
        """More factors; one with exponent 0 is none."""
        new = [f for f in factors if f[2]]
        return self.on(self.coefficient * coefficient, [*self.factors, *new], self.dims)

    def forget(self, labels: Iterable[int]) -> Product:
        """Without summed labels that no factor has any more, which then stand for no size."""
        gone = set(labels)
        return self.on(self.coefficient, self.factors, {x: d for x, d in self.dims.items() if x not in gone})

    def occurrences(self, label: int) -> int:
        """How many slots have the label."""
        return sum(x == label for _, slots, _ in self.factors for x in slots)


# --- building -----------------------------------------------------------------------------------


def number(space: Space, c: Number, dims: tuple[Size, ...] = ()) -> Sum:
    """The same number in every entry."""
    return Sum(space, dims, {(): c} if c else {})


def single(component: Component) -> bool:
    """Whether it is one factor and nothing is summed, so that any power of it is that of the factor."""
    return len(component) == 1 and all(x < 0 for x in component[0][1])


def is_open(component: Component) -> bool:
    """Whether it has free indices."""
    return any(x < 0 for _, slots, _ in component for x in slots)


def has_identity(space: Space, component: Component) -> bool:
    """Whether an identity is a factor: the value is then zero off a diagonal."""
    return any(space.atoms[a].kind == "delta" for a, _, _ in component)


def of_atom(space: Space, atom: int, exponent: Number = 1, slots: Sequence[int] | None = None) -> Sum:
    """The atom as a sum; `slots` are the axes that its slots become."""
    dims = space.atoms[atom].dims
    axes = tuple(range(len(dims))) if slots is None else tuple(slots)
    placed = dict(zip((-1 - x for x in axes), dims, strict=True))
    return settle(Product(space, 1, {}, [(atom, tuple(-1 - x for x in axes), exponent)], placed))


def size(space: Space, n: Size) -> Sum:
    """A size as a number."""
    return settle(Product(space, 1, {}, [], {0: n}))


def identity(space: Space, n: Size) -> Sum:
    """The n×n identity."""
    return of_atom(space, delta(space, n))


def delta(space: Space, n: Size) -> int:
    """The atom of the identity."""
    return space.atom("delta", dims=(n, n), symmetry=TRANSPOSABLE)


def einsum(out: Iterable[Any], *pairs: tuple[Sum, Iterable[Any]]) -> Sum:
    """The product of the sums, their axes labelled, with all labels summed that are not in `out`."""
    names: dict[Any, int] = {label: -1 - k for k, label in enumerate(out)}
    dims: dict[int, Size] = {}
    count = 0
    placed = []
    for summand, labels in pairs:
        at = []
        for label, n in zip(labels, summand.dims, strict=True):
            if label not in names:
                names[label] = count
                count += 1
            if dims.setdefault(names[label], n) != n:
                raise GiveUp(f"sizes {n} and {dims[names[label]]}")
            at.append(names[label])
        placed.append((summand, tuple(at)))
    return expanded(Product(pairs[0][0].space, 1, {}, [], dims), placed)


def transposed(a: Sum) -> Sum:
    """Both axes exchanged."""
    return einsum((1, 0), (a, (0, 1)))


def matmul(a: Sum, b: Sum) -> Sum:
    """The last axis of a joined to the first one of b."""
    left, right = [("a", k) for k in a.axes], [("b", k) for k in b.axes]
    right[0] = left[-1]
    return einsum((*left[:-1], *right[1:]), (a, left), (b, right))


def commutator(a: Sum, b: Sum) -> Sum:
    """a b - b a."""
    return matmul(a, b) - matmul(b, a)


def expanded(rest: Product, sums: Sequence[tuple[Sum, Sequence[int]]]) -> Sum:
    """A product with sums among its factors, multiplied out."""
    total: dict[Term, Number] = {}
    if math.prod(len(s.terms) for s, _ in sums) > MOST_STEPS:
        raise GiveUp("a product of long sums")
    for choice in combinations(*(s.terms.items() for s, _ in sums)):
        dims, scalars, factors = dict(rest.dims), dict(rest.scalars), list(rest.factors)
        coefficient = rest.coefficient
        for (term, c), (_, labels) in zip(choice, sums, strict=True):
            coefficient *= c
            for component, exponent in loosened(rest.space, term, labels, factors, dims):
                scalars[component] = scalars.get(component, 0) + exponent
        settled = settle(Product(rest.space, coefficient, scalars, factors, dims))
        for term, c in settled.terms.items():
            total[term] = total.get(term, 0) + c
    axes = sorted((x for x in rest.dims if x < 0), reverse=True)
    return Sum(rest.space, tuple(rest.dims[x] for x in axes), {t: c for t, c in total.items() if c})


def loosened(
    space: Space, term: Term, labels: Sequence[int], factors: list[Factor], dims: dict[int, Size]
) -> list[tuple[Component, Number]]:
    """Append the factors of what has free indices, on new labels; give back what is closed and stays whole."""
    closed = []
    fresh = max(max(dims, default=-1), max(labels, default=-1), -1) + 1
    for component, exponent in term:
        if single(component):
            atom, slots, _ = component[0]
            factors.append((atom, tuple(labels[-1 - x] for x in slots), exponent))
        elif not is_open(component):
            closed.append((component, exponent))
        else:
            for _ in range(int(exponent)):
                space.step()
                start = fresh
                for atom, slots, e in component:
                    at = tuple(labels[-1 - x] if x < 0 else start + x for x in slots)
                    for label, n in zip(at, space.atoms[atom].dims, strict=True):
                        dims[label] = n
                        fresh = max(fresh, label + 1)
                    factors.append((atom, at, e))
    return closed


# --- settling -------------------------------------------------------------------------------------


def settle(p: Product) -> Sum:
    """The product in normal form.

    Identities are contracted, equal factors collected, the relations between atoms applied, labels that no factor has
    become sizes, and what is left falls apart into connected graphs, each in its least labelling.
    """
    from verify.decide.contraction.relations import related

    p.space.step()
    axes = tuple(p.dims[x] for x in sorted((x for x in p.dims if x < 0), reverse=True))
    zero = Sum(p.space, axes, {})
    if not p.coefficient:
        return zero
    collected = _collected(_without_identities(p))
    if collected is None:
        return zero
    changed = related(collected)
    if changed is not None:
        return changed
    coefficient, scalars = _components(collected)
    if not coefficient:
        return zero
    coefficient *= _whole_powers(p.space, scalars)
    term = tuple(sorted((component, e) for component, e in scalars.items() if e))
    return Sum(p.space, axes, {term: coefficient})


def _without_identities(p: Product) -> Product:
    """Every identity with a summed index is contracted; those that join two axes stay."""
    atoms = p.space.atoms
    if not any(atoms[a].kind == "delta" for a, _, _ in p.factors):
        return p
    dims, factors, kept = dict(p.dims), list(p.factors), set()
    while (k := next((k for k, f in enumerate(factors) if atoms[f[0]].kind == "delta"), None)) is not None:
        atom, (x, y), exponent = factors.pop(k)
        if exponent < 0:
            raise GiveUp("the identity is inverted entry by entry")
        if x == y:
            continue
        old, new = max(x, y), min(x, y)
        if old < 0:
            kept.add((atom, (new, old), 1))
        else:
            dims.pop(old)
        factors = [(a, tuple(new if z == old else z for z in slots), e) for a, slots, e in factors]
    return p.on(p.coefficient, [*factors, *sorted(kept)], dims)


def _collected(p: Product) -> Product | None:
    """Equal factors as powers, each with its slots in the order that comes first; None: a factor is zero."""
    coefficient = p.coefficient
    exponents: dict[tuple[int, tuple[int, ...]], Number] = {}
    for atom, slots, exponent in p.factors:
        symmetry = p.space.atoms[atom].symmetry
        if symmetry:
            slots, sign = least_slots(slots, symmetry)
            if sign == 0:
                if exponent < 0:
                    raise GiveUp("division by zero")
                return None
            coefficient *= signed(sign, exponent)
        exponents[atom, slots] = exponents.get((atom, slots), 0) + exponent
    factors = [(atom, slots, e) for (atom, slots), e in exponents.items() if e]
    return p.on(coefficient, factors, p.dims)


def _components(p: Product) -> tuple[Number, Scalars]:
    """The coefficient and the connected parts; a label of no factor is its size."""
    coefficient, scalars, space = p.coefficient, dict(p.scalars), p.space
    parent = {label: label for label in p.dims if label >= 0}

    def root(label: int) -> int:
        while parent[label] != label:
            label = parent[label]
        return label

    for _, slots, _ in p.factors:
        summed = [x for x in slots if x >= 0]
        for x in summed[1:]:
            parent[root(x)] = root(summed[0])
    groups: dict[int, list[Factor]] = {}
    for factor in p.factors:
        summed = [x for x in factor[1] if x >= 0]
        if summed:
            groups.setdefault(root(summed[0]), []).append(factor)
        else:
            component = ((factor[0], factor[1], 1),)
            scalars[component] = scalars.get(component, 0) + factor[2]
    for label in parent:
        if root(label) not in groups:
            coefficient *= _size_factor(p, label, scalars)
    for factors in groups.values():
        numbered: dict[int, int] = {}
        local = [
            (a, tuple(x if x < 0 else numbered.setdefault(x, len(numbered)) for x in slots), e)
            for a, slots, e in factors
        ]
        component, sign = canonical(space, tuple(local))
        coefficient *= sign
        scalars[component] = scalars.get(component, 0) + 1
    return coefficient, scalars


def _size_factor(p: Product, label: int, scalars: Scalars) -> int:
    n = p.dims[label]
    if isinstance(n, int):
        return n
    component = ((p.space.atom("size", n, flags=frozenset({"positive"})), (), 1),)
    scalars[component] = scalars.get(component, 0) + 1
    return 1


def _whole_powers(space: Space, scalars: Scalars) -> Number:
    """Take whole powers out of powers of primes, and squares out of (-1)^n; returns their product."""
    outside: Number = 1
    for component, e in list(scalars.items()):
        atom = space.atoms[component[0][0]]
        if atom.kind == "number" and isinstance(atom.name, int):
            outside *= Fraction(atom.name) ** math.floor(e)
            scalars[component] = e - math.floor(e)
        elif atom.kind == "sign":
            scalars[component] = e % 2
    return outside
