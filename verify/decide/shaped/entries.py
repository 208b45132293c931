"""Which numbers stand for a vector or matrix of a given size?  Its entries as symbols, or as functions of free symbols.

    general         every entry is free
    symmetric       entries below the diagonal are those above it
    antisymmetric   … with the other sign, and 0 on the diagonal
    diagonal        0 off the diagonal
    spd             L L', L lower triangular with a positive diagonal (Cholesky: every one exactly once)
    on a sphere     r (1 - s's, 2 s)/(1 + s's), all points but one (stereographic projection)
    orthogonal      D (I - S) (I + S)^-1, S antisymmetric, D = diag(±1, 1, …, 1) (Cayley: all of either determinant
                    but a set of lower dimension, which an identity of continuous functions cannot notice)

Where a claim differentiates by such a matrix its entries are first free symbols of their own, and only after the
differentiation what they are by structure.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from itertools import product
from math import prod

from verify.claim import Shape, Variable
from verify.decide.shaped.arrays import (
    Array,
    Unsupported,
    array,
    identity,
    inverse,
    mapped,
    matrix_product,
    negative,
    scalar,
    total,
    transposed,
)
from verify.graph import MINUS_ONE, ONE, ZERO, Node, abstract, add, div, mul, num, postorder, substitute, symbol
from verify.shapes import rectangle

Sizes = Mapping[str, int]

#: Entries of all vectors and matrices together that are written out.
MOST_ENTRIES = 1000


@dataclass
class Entries:
    """The arrays of all declared names at given sizes.

    arrays       by name, as they stand in the expressions.
    structured   what symbols of the arrays are, to be put in after differentiation.
    variables    the free symbols with their sets.
    """

    sizes: Sizes
    arrays: dict[str, Array] = field(default_factory=dict)
    structured: dict[Node, Node] = field(default_factory=dict)
    variables: dict[str, Variable] = field(default_factory=dict)

    def final(self, name: str) -> Array:
        """The array of a name with its structure put in."""
        return mapped(lambda entry: substitute(entry, self.structured), self.arrays[name])


def numbers(shape: Shape, sizes: Sizes) -> tuple[int, int]:
    """Rows and columns at the given sizes."""
    rows, columns = (size if isinstance(size, int) else sizes[size] for size in rectangle(shape))
    return rows, columns


def components(variables: Iterable[Variable]) -> list[dict[str, int]]:
    """All choices of determinants of the orthogonal matrices, 1 or -1 by name."""
    names = [v.name for v in variables if v.structure == "orthogonal"]
    return [dict(zip(names, signs, strict=True)) for signs in product((1, -1), repeat=len(names))]


def entries(
    variables: Mapping[str, Variable],
    sizes: Sizes,
    *,
    differentiated: Iterable[str] = (),
    together: bool = False,
    determinants: Mapping[str, int] | None = None,
    radii: Mapping[str, Fraction] | None = None,
) -> Entries:
    """The arrays of all declared names.

    differentiated   names that the claim differentiates by; together: their entries vary as the structure lets them.
    determinants     1 or -1 for each orthogonal matrix.
    radii            the lengths of vectors that a condition fixes.

    Raises Unsupported for more than a thousand entries.
    """
    count = sum(prod(numbers(v.shape, sizes)) for v in variables.values())
    if count > MOST_ENTRIES:
        raise Unsupported(f"{count} entries are not written out")
    made = Entries(sizes)
    taken = set(variables)
    for name, variable in variables.items():
        if name in sizes:
            made.arrays[name] = scalar(num(sizes[name]))
        elif not variable.shape:
            made.arrays[name] = scalar(symbol(name))
            if not variable.of:
                made.variables[name] = variable
    for name, variable in variables.items():
        if not variable.shape:
            continue
        size = numbers(variable.shape, sizes)
        prefix = _fresh(name, size, taken)
        sign = (determinants or {}).get(name, 1)
        structured, free = _structured(prefix, size, variable, sign)
        on_sphere = bool(radii) and name in radii
        if on_sphere:
            structured, free = _sphere(prefix, size[0], radii[name])
        if variable.of:
            made.arrays[name] = structured
            continue
        if (variable.structure or on_sphere) and name in differentiated:
            alone = _named(f"{prefix}_", size, variable.structure if together else "")
            made.structured |= {
                own: value
                for row, values in zip(alone, structured, strict=True)
                for own, value in zip(row, values, strict=True)
                if own.op == "symbol"
            }
            structured = alone
        made.arrays[name] = structured
        made.variables |= {v.name: v for v in free}
    return made


def applied(made: Array, arguments: Iterable[Node], orders: Iterable[int] = ()) -> Array:
    """The array of abstract functions at the arguments; its entries are names, or made of names.

    Raises Unsupported for the derivative of an entry that is made of several.
    """
    arguments, orders = tuple(arguments), tuple(orders)

    def value(entry: Node) -> Node:
        if any(orders) and not _is_name(entry):
            raise Unsupported("the derivative of a matrix with structure at other arguments than it is declared with")
        names = [n for n in postorder(entry) if n.op == "symbol"]
        return substitute(entry, {name: abstract(name.value, arguments, orders) for name in names})

    return mapped(value, made)


def _is_name(entry: Node) -> bool:
    """Whether it is a name, minus a name, or a number."""
    return entry.op in ("symbol", "num") or (entry.op == "mul" and entry.args[0] is MINUS_ONE)


def _fresh(name: str, size: tuple[int, int], taken: set[str]) -> str:
    """A beginning that makes no name of an entry collide with another one."""
    prefix = name
    while any(label in taken for label in _labels(prefix, size)):
        prefix += "_"
    taken |= _labels(prefix, size)
    return prefix


def _labels(prefix: str, size: tuple[int, int]) -> set[str]:
    rows, columns = size
    return {_label(prefix, i, j, size) for i in range(rows) for j in range(columns)}


def _label(prefix: str, i: int, j: int, size: tuple[int, int]) -> str:
    rows, columns = size
    if columns == 1 or rows == 1:
        return f"{prefix}_{max(i, j) + 1}"
    return f"{prefix}_{i + 1}_{j + 1}"


def _named(prefix: str, size: tuple[int, int], structure: str) -> Array:
    """Symbols for all entries, as far as the structure lets them be their own."""
    rows, columns = size

    def entry(i: int, j: int) -> Node:
        if structure == "diagonal" and i != j:
            return ZERO
        if structure == "antisymmetric" and i >= j:
            return ZERO if i == j else negative(symbol(_label(prefix, j, i, size)))
        if structure in ("symmetric", "spd") and i > j:
            return symbol(_label(prefix, j, i, size))
        return symbol(_label(prefix, i, j, size))

    return array(rows, columns, entry)


def _structured(prefix: str, size: tuple[int, int], variable: Variable, sign: int) -> tuple[Array, list[Variable]]:
    n = size[0]
    match variable.structure:
        case "spd":
            lower = array(n, n, lambda i, j: symbol(f"{prefix}_L_{i + 1}_{j + 1}") if i >= j else ZERO)
            free = [
                Variable(f"{prefix}_L_{i + 1}_{j + 1}", low=ZERO if i == j else None)
                for i in range(n)
                for j in range(i + 1)
            ]
            return matrix_product(lower, transposed(lower)), free
        case "orthogonal":
            turn = _named(f"{prefix}_S", size, "antisymmetric")
            return cayley(turn, sign), _free(turn)
        case structure:
            own = _named(prefix, size, structure)
            return own, _free(own)


def _sphere(prefix: str, n: int, radius: Fraction) -> tuple[Array, list[Variable]]:
    """A column of that length, and its coordinates."""
    if n == 1:
        raise Unsupported("a number of given length is one of two")
    places = [symbol(f"{prefix}_S_{i + 1}") for i in range(1, n)]
    square = total(mul(s, s) for s in places)
    scale = div(num(radius), add(ONE, square))
    first = mul(scale, add(ONE, negative(square)))
    return ((first,), *((mul(num(2), scale, s),) for s in places)), [Variable(s.value) for s in places]


def cayley(turn: Array, sign: int) -> Array:
    """(I - S) (I + S)^-1, the first row times the sign."""
    one = identity(len(turn))
    rotation = matrix_product(
        mapped(lambda *t: total(t), one, mapped(negative, turn)), inverse(mapped(lambda *t: total(t), one, turn))
    )
    return tuple(tuple(map(negative, row)) if sign < 0 and i == 0 else row for i, row in enumerate(rotation))


def behind(structure: str, shown: Array) -> Array:
    """The L of an spd matrix L L', the S of an orthogonal one, whose entries carry their indices in their names."""
    n = len(shown)
    names = sorted({node.value for row in shown for entry in row for node in postorder(entry) if node.op == "symbol"})
    if not names:
        return ((ZERO,),)
    label = names[0].rsplit("_", 2)[0]

    def place(i: int, j: int) -> Node:
        return symbol(f"{label}_{i + 1}_{j + 1}")

    if structure == "spd":
        return array(n, n, lambda i, j: place(i, j) if i >= j else ZERO)
    return array(n, n, lambda i, j: ZERO if i == j else place(i, j) if i < j else negative(place(j, i)))


def _free(a: Array) -> list[Variable]:
    found = dict.fromkeys(entry.value for row in a for entry in row if entry.op == "symbol")
    return [Variable(name) for name in found]


__all__ = ["Entries", "Sizes", "applied", "behind", "cayley", "components", "entries", "numbers"]
