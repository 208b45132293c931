"""Which structure has a map, and what is its determinant then?

    radial     T(z) - c = (z - c) q(r),  r = |z - c|:              det = q^(d-1) (r q)'
    one unit   T(z) = z + g(a) with an affine form a = w.z + b:    det = 1 + w.g'(a)          (planar flows)

A structure is seen only where multiplying out shows it; otherwise the determinant is taken by minors.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from verify.calculus.costate import total
from verify.calculus.jacobians import determinant, jacobian
from verify.calculus.reverse import gradient
from verify.calculus.tidy import coefficients, is_zero, scaled, short, tidy
from verify.graph import Node, add, free_symbols, fresh_name, mul, num, postorder, power, sqrt, substitute, symbol

_HALF = Fraction(1, 2)


@dataclass(frozen=True)
class Radial:
    """T(z) - centre = (z - centre) factor, where the factor is an expression in `radius`, the root of `square`."""

    centre: tuple[Node, ...]
    square: Node
    radius: Node
    factor: Node

    @property
    def growth(self) -> Node:
        """d/dr (r q)."""
        return tidy(gradient(mul(self.radius, self.factor), (self.radius.value,))[0])

    def determinant(self) -> Node:
        whole = mul(power(self.factor, num(len(self.centre) - 1)), self.growth)
        return tidy(substitute(whole, {self.radius: sqrt(self.square)}))


@dataclass(frozen=True)
class OneUnit:
    """T(z) = z + rest, where `rest` is in `name`, which stands for the affine form with these weights."""

    form: Node
    name: Node
    weights: tuple[Node, ...]
    rest: tuple[Node, ...]

    @property
    def slopes(self) -> tuple[Node, ...]:
        """g'(a)."""
        return tuple(gradient(r, (self.name.value,))[0] for r in self.rest)

    def parts(self) -> tuple[Node, Node] | None:
        """(h'(a), c) with det = 1 + h'(a) c, where all slopes have a factor h' in common that holds the form."""
        factors = [each.args if each.op == "mul" else (each,) for each in self.slopes if not is_zero(each)]
        if not factors:
            return None
        shared = [f for f in factors[0] if self.name in set(postorder(f)) and all(f in own for own in factors)]
        if not shared:
            return None
        slope = mul(*shared)
        left = [_without(each, shared) for each in self.slopes]
        if any(self.name.value in free_symbols(each) for each in left):
            return None
        c = short(total([mul(w, each) for w, each in zip(self.weights, left, strict=True)]))
        return substitute(slope, {self.name: self.form}), c

    def determinant(self) -> Node:
        if (found := self.parts()) is not None:
            return add(num(1), mul(*found))
        inner = total([mul(w, slope) for w, slope in zip(self.weights, self.slopes, strict=True)])
        return short(substitute(add(num(1), inner), {self.name: self.form}))


def radial(entries: Sequence[Node], state: Sequence[str]) -> Radial | None:
    """The centre and the factor of a radial map; None where it is not seen to be one."""
    taken = {*state, *free_symbols(*entries)}
    r = symbol(fresh_name("r", taken))
    for square in dict.fromkeys(n for n in postorder(*entries) if n.op == "add"):
        (slopes,) = jacobian((square,), state)
        centre = tuple(tidy(symbol(z) - scaled(_HALF, s)) for z, s in zip(state, slopes, strict=True))
        if free_symbols(*centre) & set(state):
            continue
        away = [symbol(z) - c for z, c in zip(state, centre, strict=True)]
        if not vanishes(square - add(*(d * d for d in away))):
            continue
        plain = [substitute(f, {power(square, num(_HALF)): r, square: r * r}) for f in entries]
        q = gradient(plain[0], (state[0],))[0]
        if free_symbols(q) & set(state):
            continue
        if all(vanishes(f - c - d * q) for f, c, d in zip(plain, centre, away, strict=True)):
            return Radial(centre, square, r, q)
    return None


def one_unit(entries: Sequence[Node], state: Sequence[str]) -> OneUnit | None:
    """The affine form on which T(z) - z depends alone; None where there is no such form."""
    rest = [tidy(f - symbol(z)) for f, z in zip(entries, state, strict=True)]
    own = set(state)
    forms = [n for n in postorder(*rest) if n.op in ("add", "mul") and free_symbols(n) & own]
    weights = {form: jacobian((form,), state)[0] for form in forms}
    forms = [form for form in forms if not free_symbols(*weights[form]) & own]
    name = symbol(fresh_name("a", {*state, *free_symbols(*entries)}))
    for form in forms:
        alike = {each: name for each in forms if vanishes(form - each)}
        plain = tuple(substitute(r, alike) for r in rest)
        if not free_symbols(*plain) & own:
            return OneUnit(form, name, weights[form], plain)
    return None


def map_determinant(entries: Sequence[Node], state: Sequence[str]) -> Node:
    """det dT/dz, in the form that the structure of the map gives."""
    if len(state) > 1:
        if (unit := one_unit(entries, state)) is not None:
            return unit.determinant()
        if (found := radial(entries, state)) is not None:
            return found.determinant()
    return short(determinant(jacobian(entries, state)))


def vanishes(node: Node) -> bool:
    """Whether an expression is 0 when it is multiplied out."""
    if is_zero(node):
        return True
    terms = coefficients(node)
    return terms is not None and not any(c for c, _ in terms.values())


def _without(node: Node, shared: Sequence[Node]) -> Node:
    """A product without some of its factors."""
    if is_zero(node):
        return num(0)
    own = list(node.args if node.op == "mul" else (node,))
    for factor in shared:
        own.remove(factor)
    return mul(*own) if own else num(1)
