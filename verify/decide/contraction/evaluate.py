"""What is the value of a sum of graphs, when all sizes are numbers and all symbols balls?

This shares nothing with the rules that made the sum: every atom is evaluated from its definition.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from itertools import product

from flint import acb, arb, arb_mat, fmpq

from verify.claim import Size
from verify.decide.contraction.canonical import Component
from verify.decide.contraction.space import Number, Space
from verify.decide.contraction.sums import Sum
from verify.decide.enclose.balls import Program
from verify.decide.shaped.arrays import Unsupported, array, flat, logarithm
from verify.graph import call, symbol

Index = tuple[int, ...]
Entries = Mapping[Index, arb]
#: Products of entries that one graph may take.
MOST_PRODUCTS = 20_000


class NoValue(ArithmeticError):
    """A part has no value here, or takes too long."""


@dataclass
class Model:
    """Numbers for names: sizes, the entries of symbols, and the values of abstract functions at arguments.

    symbols    entries by name and number of axes (those of a diagonal matrix are its diagonal).
    abstract   the entries of an abstract atom: (name and orders, numbers of its arguments) -> its own entries.
    """

    sizes: Mapping[str, int]
    symbols: Mapping[str, Entries]
    abstract: Callable[[Space, int, Model], Entries]
    known: dict[int, Entries] = field(default_factory=dict)

    def size(self, n: Size) -> int:
        """The number that a size is."""
        return n if isinstance(n, int) else self.sizes[n]

    def indices(self, dims: tuple[Size, ...]) -> list[Index]:
        """All positions of an array."""
        return list(product(*(range(self.size(n)) for n in dims)))

    def entries(self, a: Sum) -> Entries:
        """The entries of a sum.  Raises NoValue."""
        total = dict.fromkeys(self.indices(a.dims), arb(0))
        for term, c in a.terms.items():
            parts = [(component, self._component(a, component), e) for component, e in term]
            for index in total:
                value = _exact(c)
                for component, entries, e in parts:
                    own = tuple(index[-1 - x] for x in _axes(component))
                    value *= raised(entries[own], e)
                total[index] += value
        return total

    def _component(self, a: Sum, component: Component) -> Entries:
        """The entries of a graph on the axes that it has."""
        space, axes = a.space, _axes(component)
        dims = {x: n for atom, slots, _ in component for x, n in zip(slots, space.atoms[atom].dims, strict=True)}
        bound = sorted(x for x in dims if x >= 0)
        factors = [(self.atom(space, atom), slots, e) for atom, slots, e in component]
        inner = self.indices(tuple(dims[x] for x in bound))
        outer = self.indices(tuple(dims[x] for x in axes))
        if len(inner) * len(outer) > MOST_PRODUCTS:
            raise NoValue("a long sum")
        result = {}
        for index in outer:
            at = dict(zip(axes, index, strict=True))
            total = arb(0)
            for labels in inner:
                at.update(zip(bound, labels, strict=True))
                value = arb(1)
                for entries, slots, e in factors:
                    value *= raised(entries[tuple(at[x] for x in slots)], e)
                total += value
            result[index] = total
        return result

    def atom(self, space: Space, atom: int) -> Entries:
        """The entries of an atom, from its definition."""
        if atom not in self.known:
            self.known[atom] = self._atom(space, atom)
        return self.known[atom]

    def _atom(self, space: Space, atom: int) -> Entries:
        one = space.atoms[atom]
        match one.kind:
            case "symbol":
                return self.symbols[one.name]
            case "delta":
                return {index: arb(int(index[0] == index[1])) for index in self.indices(one.dims)}
            case "unit":
                return {index: arb(int(index[0] == one.name - 1)) for index in self.indices(one.dims)}
            case "size":
                return {(): arb(self.size(one.name))}
            case "sign":
                return {(): arb((-1) ** self.size(one.name))}
            case "number":
                return {(): _CONSTANTS[one.name]() if one.name in _CONSTANTS else arb(one.name)}
            case "abstract":
                return self.abstract(space, atom, self)
            case "call":
                values = [self.entries(argument) for argument in one.arguments]
                names = [f"x{k}" for k in range(len(values))]
                program = Program([call(one.name, *map(symbol, names))], True)
                env = [(index, {x: acb(v[index]) for x, v in zip(names, values, strict=True)}) for index in values[0]]
                return {index: program.values(place)[0].real for index, place in env}
        argument = self.entries(one.argument)
        if one.kind in _ENTRYWISE:
            return {index: _ENTRYWISE[one.kind](x) for index, x in argument.items()}
        if one.kind == "size_power":
            return {(): argument[()] ** self.size(one.name)}
        return _of_matrix(one.kind, argument)


def _axes(component: Component) -> list[int]:
    return sorted({x for _, slots, _ in component for x in slots if x < 0}, reverse=True)


def _exact(c: Number) -> arb:
    return arb(fmpq(c.numerator, c.denominator))


def raised(x: arb, exponent: Number) -> arb:
    """x^exponent; a fraction needs a positive x."""
    if exponent.denominator == 1:
        return x if exponent == 1 else x ** int(exponent)
    if not x > 0:
        raise NoValue("a root of a number that is not positive")
    return (x.log() * _exact(exponent)).exp()


def _logarithm(x: arb) -> arb:
    if not x > 0:
        raise NoValue("a logarithm of a number that is not positive")
    return x.log()


_ENTRYWISE: dict[str, Callable[[arb], arb]] = {
    "pow": lambda x: x, "exp": arb.exp, "log": _logarithm, "sin": arb.sin, "cos": arb.cos, "abs": abs,
}  # fmt: skip
_CONSTANTS: dict[str, Callable[[], arb]] = {
    "pi": arb.pi, "E": lambda: arb(1).exp(), "EulerGamma": arb.const_euler,
}  # fmt: skip


def _of_matrix(kind: str, entries: Entries) -> Entries:
    n = 1 + max(i for i, _ in entries)
    matrix = arb_mat(n, n, [entries[i, j] for i in range(n) for j in range(n)])
    if kind == "det":
        return {(): matrix.det()}
    if kind == "frechet":
        return _frechet(matrix, n)
    if kind == "logm":
        return _logarithm_of_matrix(entries, n)
    try:
        result = matrix.inv() if kind == "inv" else matrix.exp()
    except ZeroDivisionError:
        raise NoValue("a singular matrix") from None
    return {(i, j): result[i, j] for i in range(n) for j in range(n)}


def _logarithm_of_matrix(entries: Entries, n: int) -> Entries:
    names = array(n, n, lambda i, j: symbol(f"a{i}_{j}"))
    try:
        program = Program(flat(logarithm(names)), True)
    except Unsupported as reason:
        raise NoValue(str(reason)) from None
    values = program.values({f"a{i}_{j}": acb(x) for (i, j), x in entries.items()})
    return {(i, j): values[i * n + j].real for i, j in product(range(n), repeat=2)}


def _frechet(matrix: arb_mat, n: int) -> Entries:
    """The derivative in direction e_j e_k' is the upper right block of expm([[P, e_j e_k'], [0, P]])."""
    result: dict[Index, arb] = {}
    for j, k in product(range(n), repeat=2):
        block = arb_mat(2 * n, 2 * n)
        for a, b in product(range(n), repeat=2):
            block[a, b] = block[n + a, n + b] = matrix[a, b]
        block[j, n + k] = arb(1)
        whole = block.exp()
        for i, last in product(range(n), repeat=2):
            result[i, j, k, last] = whole[i, n + last]
    return result
