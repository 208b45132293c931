"""What do the atoms of a product do to each other?

    inverse      W P = 1 for the inverse W of P = c L + R: W L becomes (1 - W R)/c, L being the largest graph of P
    denominator  the same entry by entry: L P^-k becomes (P^(1-k) - R P^-k)/c
    root         P^(k + e) = P^k P^e
    orthogonal   Q'Q = 1, det(Q)² = 1
    exponential  expm(P) expm(R) = expm(P + R) where P and R commute; what commutes with P stands left of expm(P)
    logarithm    tr logm(P) = log det P
    Fréchet      of K[D] = integral of expm(sP) D expm((1-s)P) over [0, 1]: closing K on itself gives expm(P)
    unit         u² = u and sum(u) = 1 for a column u of the identity, u .* v = 0 for two of them
    and          sin² = 1 - cos²,  |u|² = u²

A rule applies only where the summed index that joins its factors occurs in them and nowhere else.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

from verify.decide.contraction.canonical import Factor
from verify.decide.contraction.certified import assume_nonzero
from verify.decide.contraction.commuting import beside_exponential, beside_frechet, beside_logarithm, joined
from verify.decide.contraction.elementwise import cosine, power
from verify.decide.contraction.space import GiveUp, Number, Space
from verify.decide.contraction.sums import (
    Product,
    Sum,
    Term,
    delta,
    expanded,
    has_identity,
    is_open,
    loosened,
)

Labels = dict[int, int]


def related(p: Product) -> Sum | None:
    """The product after the first relation that applies; None where none does."""
    for place, (atom, _, _) in enumerate(p.factors):
        rule = _RULES.get(p.space.atoms[atom].kind)
        found = rule(p, place) if rule else None
        if found is None and "orthogonal" in p.space.atoms[atom].flags:
            found = _orthogonal(p, place)
        if found is not None:
            return found
    return None


# --- entry by entry -----------------------------------------------------------------------------------


def _root(p: Product, place: int) -> Sum | None:
    atom, slots, e = p.factors[place]
    if e >= 1:
        whole = math.floor(e)
        argument = p.space.atoms[atom].argument
        return expanded(p.without(place).times((atom, slots, e - whole)), [(power(argument, whole), slots)])
    return _denominator(p, place) if e < 0 and slots else None


def _sine(p: Product, place: int) -> Sum | None:
    atom, slots, e = p.factors[place]
    if e < 2:
        return None
    rest = p.without(place).times((atom, slots, e - 2))
    other = cosine(p.space.atoms[atom].argument)
    return expanded(rest, []) - expanded(rest, [(other, slots), (other, slots)])


def _absolute(p: Product, place: int) -> Sum | None:
    atom, slots, e = p.factors[place]
    if 0 <= e < 2 or e.denominator != 1:
        return None
    square = power(p.space.atoms[atom].argument, int(e - e % 2))
    return expanded(p.without(place).times((atom, slots, e % 2)), [(square, slots)])


def _denominator(p: Product, place: int) -> Sum | None:
    atom, slots, e = p.factors[place]
    pattern = pattern_of(p.space, atom)
    if pattern is None:
        return None
    lowered = _lowered(p, place)
    if lowered is not None:
        return lowered
    rest = p.without(place)
    for found in _matches(pattern.factors, rest, {-1 - k: label for k, label in enumerate(slots)}):
        if not found.closed(rest):
            continue
        left = found.remaining(rest).forget(found.inner)
        one = expanded(left.times((atom, slots, e + 1)), [(pattern.reciprocal, ())])
        return one - expanded(left.times((atom, slots, e)), [(pattern.reciprocal, ()), (pattern.rest, slots)])
    return None


def _lowered(p: Product, place: int) -> Sum | None:
    """u^-k/(c + R), R divisible by the exponential u, becomes (u^-k - R u^-k/(c + R))/c."""
    atom, slots, e = p.factors[place]
    space = p.space
    argument = space.atoms[atom].argument
    rest = p.without(place)
    for other, at, f in rest.factors:
        if not (f < 0 and at and space.atoms[other].kind == "exp" and set(at) <= set(slots)):
            continue
        component = ((other, tuple(-1 - slots.index(x) for x in at), 1),)
        low = [term for term in argument.terms if not dict(term).get(component)]
        if len(low) != 1 or any(is_open(k) for k, _ in low[0]):
            continue
        others = {term: c for term, c in argument.terms.items() if term != low[0]}
        if all(dict(term).get(component, 0) > 0 for term in others):
            constant = Sum(space, (), {low[0]: argument.terms[low[0]]})
            assume_nonzero(constant)
            inverse = power(constant, -1)
            higher = Sum(space, argument.dims, others)
            one = expanded(rest.times((atom, slots, e + 1)), [(inverse, ())])
            return one - expanded(p, [(inverse, ()), (higher, slots)])
    return None


# --- matching -----------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Pattern:
    """An argument as c L + R: 1/c, the factors of L (free indices -1, -2, summed ones from 0 on), and R."""

    reciprocal: Sum
    factors: tuple[Factor, ...]
    rest: Sum


def pattern_of(space: Space, atom: int) -> Pattern | None:
    """How the argument of an inverse or a denominator is looked for in products; None where it cannot be."""
    if atom not in space.patterns:
        try:
            space.patterns[atom] = _pattern(space.atoms[atom].argument)
        except GiveUp:
            space.patterns[atom] = None
    return space.patterns[atom]


def _pattern(argument: Sum) -> Pattern | None:
    space = argument.space
    groups: dict[Term, dict[Term, Number]] = {}
    for term, c in argument.terms.items():
        opened = tuple(x for x in term if is_open(x[0]))
        groups.setdefault(opened, {})[tuple(x for x in term if not is_open(x[0]))] = c
    usable = [g for g in groups if g and not any(has_identity(space, k) for k, _ in g)]
    if not usable:
        return None
    largest = max(usable, key=lambda g: (sum(len(k) * e for k, e in g), g))
    rest = {t: c for t, c in argument.terms.items() if tuple(x for x in t if is_open(x[0])) != largest}
    factors: list[Factor] = []
    loosened(space, largest, [-1 - k for k in range(len(argument.dims))], factors, {})
    coefficient = Sum(space, (), groups[largest])
    assume_nonzero(coefficient)
    return Pattern(power(coefficient, -1), tuple(factors), Sum(space, argument.dims, rest))


@dataclass(frozen=True)
class _Match:
    """Where a pattern was found: its labels' images, the exponents that remain at the places used, and its sign."""

    labels: Labels
    left_over: dict[int, Number]
    sign: int

    @property
    def inner(self) -> list[int]:
        """The images of the summed labels."""
        return [at for label, at in self.labels.items() if label >= 0]

    def remaining(self, p: Product) -> Product:
        """The product without what was matched."""
        factors = [(a, s, self.left_over.get(k, e)) for k, (a, s, e) in enumerate(p.factors)]
        kept = Product(p.space, p.coefficient * self.sign, p.scalars, [f for f in factors if f[2]], p.dims)
        return kept

    def closed(self, p: Product, joining: frozenset[int] = frozenset()) -> bool:
        """Whether the pattern's summed labels, and the joining one, are summed ones that occur nowhere else.

        They must be different from each other and from the images of the free indices; without this the sum over
        the pattern is no factor of the product.
        """
        inner = self.inner
        free = {at for label, at in self.labels.items() if label < 0}
        gone = {*inner, *joining}
        elsewhere = {x for _, slots, _ in self.remaining(p).factors for x in slots}
        return (
            len(set(inner)) == len(inner)
            and not set(inner) & free
            and all(x >= 0 for x in gone)
            and not gone & elsewhere
        )


def _matches(pattern: tuple[Factor, ...], p: Product, labels: Labels) -> Iterator[_Match]:
    yield from _extended(pattern, p, _Match(labels, {}, 1))


def _extended(pattern: tuple[Factor, ...], p: Product, found: _Match) -> Iterator[_Match]:
    if not pattern:
        yield found
        return
    atom, slots, exponent = pattern[0]
    for place, (other, at, e) in enumerate(p.factors):
        if other != atom or place in found.left_over or not (e == exponent or e > exponent > 0):
            continue
        for turned, sign in [(at, 1), *((tuple(at[k] for k in g), s) for g, s in p.space.atoms[atom].symmetry)]:
            labels = dict(found.labels)
            if all(labels.setdefault(x, y) == y for x, y in zip(slots, turned, strict=True)):
                signed = sign if exponent % 2 else 1
                more = _Match(labels, {**found.left_over, place: e - exponent}, found.sign * signed)
                yield from _extended(pattern[1:], p, more)


# --- matrices -----------------------------------------------------------------------------------------


def _inverse(p: Product, place: int) -> Sum | None:
    atom, slots, e = p.factors[place]
    pattern = pattern_of(p.space, atom)
    if e != 1 or slots[0] == slots[1] or pattern is None:
        return None
    rest = p.without(place)
    turns = [(slots, 1), *((slots[::-1], s) for _, s in p.space.atoms[atom].symmetry)]
    for (row, column), turn in turns:
        for join, far, near, other in ((column, row, -1, -2), (row, column, -2, -1)):
            if join < 0:
                continue
            for found in _matches(pattern.factors, rest, {near: join}):
                end = found.labels.get(other)
                gone = {*found.inner, join}
                if end is None or end in gone or far in gone or not found.closed(rest, frozenset({join})):
                    continue
                left = found.remaining(rest).times(coefficient=turn).forget(found.inner)
                n = p.space.atoms[atom].dims[0]
                one = left.forget((join,)).times((delta(p.space, n), (far, end), 1))
                ends = (join, end) if near == -1 else (end, join)
                way = (row, column)
                many = left.times((atom, way, 1))
                return expanded(one, [(pattern.reciprocal, ())]) - expanded(
                    many, [(pattern.reciprocal, ()), (pattern.rest, ends)]
                )
    return None


def _orthogonal(p: Product, place: int) -> Sum | None:
    """Q_ki Q_kj, summed over k, and Q_ik Q_jk; the sum of Q_ki² is 1."""
    atom, slots, e = p.factors[place]
    if not slots:
        return None
    if e == 2 and len(slots) == 2 and slots[0] != slots[1]:
        summed = next((x for x in slots if x >= 0 and p.occurrences(x) == 1), None)
        if summed is not None:
            return expanded(p.without(place).forget((summed,)), [])
    for label, mine, k, theirs in joined(p, place):
        if p.factors[k][0] == atom and mine == theirs:
            one = (delta(p.space, p.space.atoms[atom].dims[0]), (slots[1 - mine], p.factors[k][1][1 - theirs]), 1)
            return expanded(p.without(place, k).forget((label,)).times(one), [])
    return None


def _determinant(p: Product, place: int) -> Sum | None:
    atom, slots, e = p.factors[place]
    if "orthogonal" not in p.space.atoms[atom].flags or 0 <= e < 2:
        return None
    return expanded(p.without(place).times((atom, slots, e % 2)), [])


def _unit(p: Product, place: int) -> Sum | None:
    """A column of the identity has one entry 1, the others are 0: its powers are itself, and its sum is 1."""
    atom, (label,), e = p.factors[place]
    rest = p.without(place)
    if e > 1:
        return expanded(rest.times((atom, (label,), 1)), [])
    if any(at == (label,) and a != atom and p.space.atoms[a].kind == "unit" for a, at, _ in rest.factors):
        return expanded(rest.times(coefficient=0), [])
    if label >= 0 and p.occurrences(label) == 1 and e == 1:
        return expanded(rest.forget((label,)), [])
    return None


_RULES = {
    "pow": _root, "sin": _sine, "abs": _absolute, "inv": _inverse, "det": _determinant, "expm": beside_exponential,
    "logm": beside_logarithm, "unit": _unit, "frechet": beside_frechet,
}  # fmt: skip
