"""Is a term a product of matrices, one after the other?  Then which ones, and which way round?"""

from __future__ import annotations

from dataclasses import dataclass

from verify.decide.contraction.canonical import Factor
from verify.decide.contraction.space import Number, Space
from verify.decide.contraction.sums import Product, Sum, Term, is_open, settle


@dataclass(frozen=True)
class Word:
    """coefficient * closed components * letters in their order; a letter is an atom, and whether it is transposed."""

    coefficient: Number
    closed: Term
    letters: tuple[tuple[int, bool], ...]


def word(space: Space, term: Term, coefficient: Number) -> Word | None:
    """The term as a product of matrices from the first axis to the second one; None where it is none."""
    closed = tuple(x for x in term if not is_open(x[0]))
    opened = [x for x in term if is_open(x[0])]
    if len(opened) != 1 or opened[0][1] != 1:
        return None
    factors: list[Factor] = list(opened[0][0])
    at, found = -1, []
    while factors:
        here = [f for f in factors if at in f[1]]
        if len(here) != 1:
            return None
        atom, slots, e = here[0]
        if len(slots) != 2 or e != 1 or slots[0] == slots[1] or space.atoms[atom].kind == "delta":
            return None
        factors.remove(here[0])
        found.append((atom, slots[0] != at))
        at = slots[1] if slots[0] == at else slots[0]
        if at < 0 and factors:
            return None
    return Word(coefficient, closed, tuple(found)) if at == -2 else None


def letters(a: Sum) -> Word | None:
    """A sum that is one product of matrices; None where it is none."""
    if len(a.terms) != 1 or len(a.dims) != 2:
        return None
    ((term, c),) = a.terms.items()
    return word(a.space, term, c)


def letter(space: Space, atom: int, is_transposed: bool) -> Sum:
    """One matrix."""
    rows, columns = space.atoms[atom].dims
    slots, dims = ((-2, -1), (columns, rows)) if is_transposed else ((-1, -2), (rows, columns))
    return settle(Product(space, 1, {}, [(atom, slots, 1)], {-1: dims[0], -2: dims[1]}))


def is_square(space: Space, found: Word, n: object) -> bool:
    """Whether every letter is n×n."""
    return all(space.atoms[a].dims == (n, n) for a, _ in found.letters)


def spelled(space: Space, found: Word) -> Sum:
    """The sum that the word stands for."""
    rows = space.atoms[found.letters[0][0]].dims[found.letters[0][1]]
    columns = space.atoms[found.letters[-1][0]].dims[not found.letters[-1][1]]
    factors, last = [], len(found.letters) - 1
    dims = {-1: rows, -2: columns}
    for k, (atom, is_transposed) in enumerate(found.letters):
        left, right = (-1 if k == 0 else k - 1), (-2 if k == last else k)
        factors.append((atom, (right, left) if is_transposed else (left, right), 1))
        if k != last:
            dims[k] = space.atoms[atom].dims[not is_transposed]
    return settle(Product(space, found.coefficient, dict(found.closed), factors, dims))
