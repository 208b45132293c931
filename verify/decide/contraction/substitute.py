"""What becomes of a sum when a symbol is replaced?  It is built again, so that what is known of the new one is used."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from verify.decide.contraction.canonical import Component
from verify.decide.contraction.elementwise import absolute, cosine, exponential, logarithm, power, sine, size_power
from verify.decide.contraction.exponentials import frechet, matrix_exponential, matrix_logarithm
from verify.decide.contraction.matrices import determinant, inverse
from verify.decide.contraction.space import Atom, GiveUp, Space
from verify.decide.contraction.sums import Sum, einsum, number, of_atom

_BUILD: dict[str, Callable[[Sum], Sum]] = {
    "inv": inverse, "det": determinant, "expm": matrix_exponential, "logm": matrix_logarithm, "frechet": frechet,
    "exp": exponential, "log": logarithm, "sin": sine, "cos": cosine, "abs": absolute, "pow": lambda a: power(a, 1),
}  # fmt: skip


def substituted(a: Sum, replacements: Mapping[int, Sum]) -> Sum:
    """The sum with symbols replaced, which keep their axes."""
    if not occurs(a, replacements):
        return a
    total = Sum(a.space, a.dims, {})
    for term, c in a.terms.items():
        product = number(a.space, c, a.dims)
        for component, e in term:
            axes, value = _component(a.space, component, replacements)
            value = power(value, e) if e != 1 else value
            product = einsum(a.axes, (product, a.axes), (value, axes))
        total = total + product
    return total


def occurs(a: Sum, replacements: Mapping[int, Sum]) -> bool:
    """Whether one of the symbols occurs in a sum, or in an argument there."""
    return any(
        atom in replacements or any(occurs(argument, replacements) for argument in a.space.atoms[atom].arguments)
        for term in a.terms
        for component, _ in term
        for atom, _, _ in component
    )


def _component(space: Space, component: Component, replacements: Mapping[int, Sum]) -> tuple[tuple[int, ...], Sum]:
    """The axes that a component depends on, and its new value on them."""
    axes = tuple(sorted({-1 - x for _, slots, _ in component for x in slots if x < 0}))
    pairs = []
    for atom, slots, e in component:
        value = replacements[atom] if atom in replacements else _atom(space, atom, replacements)
        pairs.append((power(value, e) if e != 1 else value, tuple(-1 - x if x < 0 else ("b", x) for x in slots)))
    return axes, einsum(axes, *pairs)


def _atom(space: Space, atom: int, replacements: Mapping[int, Sum]) -> Sum:
    one: Atom = space.atoms[atom]
    if not any(occurs(argument, replacements) for argument in one.arguments):
        return of_atom(space, atom)
    arguments = tuple(substituted(argument, replacements) for argument in one.arguments)
    if one.kind in _BUILD:
        return _BUILD[one.kind](arguments[0])
    if one.kind == "size_power":
        return size_power(arguments[0], one.name)
    if one.kind in ("call", "abstract"):
        new = space.atom(one.kind, one.name, one.dims, arguments, one.symmetry, one.flags)
        return of_atom(space, new)
    raise GiveUp(f"{one.kind} of a structured matrix")
