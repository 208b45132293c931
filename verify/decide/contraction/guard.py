"""Does the normal form mean what the text says?  A cheap defence of the prover against its own defects.

At a random point, at sizes 2 and 3, both sides are enclosed twice: written out entry by entry, and as sums of graphs.
Enclosures that come apart show a wrong rule; ones that overlap prove nothing.
"""

from __future__ import annotations

import random
from collections.abc import Mapping
from itertools import product

from flint import acb, arb, ctx, fmpq

from verify.claim import Claim, Variable
from verify.decide.contraction.axes import axes_in, is_axis
from verify.decide.contraction.evaluate import Entries, Model, NoValue
from verify.decide.contraction.functions import Value
from verify.decide.contraction.space import Space
from verify.decide.enclose.balls import Program
from verify.decide.prove.differentiate import carried_out
from verify.decide.shaped.choices import generic, with_functions
from verify.decide.shaped.instances import Instance, NoInstance, Unsupported, instances
from verify.graph import Node, derivative, free_symbols, postorder, substitute

PRECISION = 160
SIZES = (2, 3)
TRIES = 4


class Defect(Exception):
    """A normal form and its text differ: the prover is wrong somewhere, and must not be believed."""


def confirm(claim: Claim, sides: tuple[Value, Value], rng: random.Random) -> int:
    """How many entries of both sides were confirmed, 0 where no point was found; raises Defect."""
    names = [v.name for v in claim.domain.variables.values() if v.field == "size"]
    precision = ctx.prec
    try:
        ctx.prec = PRECISION
        for first in range(2 if names else 1):
            sizes = {name: SIZES[(first + k) % 2] for k, name in enumerate(names)}
            if count := _confirmed(claim, sides, sizes, rng):
                return count
    finally:
        ctx.prec = precision
    return 0


def _confirmed(claim: Claim, sides: tuple[Value, Value], sizes: Mapping[str, int], rng: random.Random) -> int:
    try:
        instance = rng.choice(instances(claim, sizes))
        instance = with_functions(instance, generic(instance, rng))
        program = Program([*_flat(instance.lhs), *_flat(instance.rhs)], True)
    except (Unsupported, NoInstance):
        return 0
    for _ in range(TRIES):
        try:
            env = {name: acb(_sample(v, rng)) for name, v in instance.variables.items()}
            texts = program.values(env)
            model = Model(sizes, _symbols(instance, env), _Functions(instance).entries)
            values = [x for side in sides for x in _laid_out(side, model, instance)]
        except ArithmeticError:
            continue
        for text, value in zip(texts, values, strict=True):
            if value.is_finite() and not acb(value).overlaps(text):
                raise Defect("a sum of graphs differs from its text")
        return len(values)
    return 0


def _flat(array: tuple[tuple[Node, ...], ...]) -> list[Node]:
    return [entry for row in array for entry in row]


def _sample(variable: Variable, rng: random.Random) -> arb:
    """A number near 1 in the variable's interval."""
    step = fmpq(rng.randint(1, 9999), 10007)
    low, high = (_bound(end) for end in (variable.low, variable.high))
    if variable.field == "integer":
        return arb(rng.randint(1, 4) if low is None or low >= 0 else -rng.randint(1, 4))
    if low is not None and high is not None:
        return arb(low + (high - low) * step)
    if low is not None:
        return arb(low + fmpq(1, 4) + step)
    if high is not None:
        return arb(high - fmpq(1, 4) - step)
    return arb(2 * step - fmpq(1, 2))


def _bound(end: Node | None) -> fmpq | None:
    if end is None:
        return None
    if end.op != "num":
        raise NoValue("an interval whose ends are no numbers")
    return fmpq(end.value.numerator, end.value.denominator)


def _symbols(instance: Instance, env: Mapping[str, acb]) -> dict[str, Entries]:
    """The entries of the declared scalars, vectors and matrices, by name; of a diagonal matrix its diagonal."""
    found: dict[str, Entries] = {}
    for name, array in instance.shown.items():
        variable = instance.claim.domain.variables[name]
        if not free_symbols(*_flat(array)) <= set(env):
            raise NoValue(f"entries of {name} that are not free")
        values = [x.real for x in Program(_flat(array), True).values(env)]
        rows, columns = len(array), len(array[0])
        if variable.structure == "diagonal":
            found[name] = {(i,): values[i * columns + i] for i in range(rows)}
            continue
        named = [rows_of != 1 for rows_of in (*variable.shape, 1, 1)[:2]]
        found[name] = {
            tuple(x for x, keep in zip(at, named, strict=True) if keep): value
            for at, value in zip(product(range(rows), range(columns)), values, strict=True)
        }
    return found


def _laid_out(side: Value, model: Model, instance: Instance) -> list[arb]:
    """The entries of a value row by row."""
    entries = model.entries(side.sum)
    array = instance.lhs
    if not all(map(is_axis, side.labels)):
        raise NoValue("a free index")
    names = axes_in(side.labels, "r"), axes_in(side.labels, "c")
    sizes = {x: model.size(n) for x, n in zip(side.labels, side.sum.dims, strict=True)}
    rows, columns = (list(product(*(range(sizes[x]) for x in some))) for some in names)
    # A value of no rows (a scalar zero against a matrix) is the same in all of them.
    rows, columns = rows if names[0] else [()] * len(array), columns if names[1] else [()] * len(array[0])
    places = (
        {**dict(zip(names[0], i, strict=True)), **dict(zip(names[1], j, strict=True))} for i in rows for j in columns
    )
    return [entries[tuple(place[x] for x in side.labels)] for place in places]


class _Functions:
    """The values of abstract functions, and of their derivatives, as the instance chose them."""

    def __init__(self, instance: Instance) -> None:
        self.instance = instance

    def entries(self, space: Space, atom: int, model: Model) -> Entries:
        one = space.atoms[atom]
        head = one.name
        if head.context or head.name not in self.instance.named:
            raise NoValue("an abstract function under an index")
        array = self.instance.named[head.name]
        arguments = [model.entries(argument) for argument in one.arguments]
        flat = [x for argument in arguments for x in argument.values()]
        starts = [sum(map(len, arguments[:i])) for i in range(len(arguments))]
        widths = [len(one.arguments[i].dims) for i in head.by]
        own = len(one.dims) - sum(widths)
        result = {}
        for index in model.indices(one.dims):
            rest, by = index[own:], []
            for i, width in zip(head.by, widths, strict=True):
                by.append(starts[i] + list(arguments[i]).index(rest[:width]))
                rest = rest[width:]
            result[index] = self._value(self._entry(array, index[:own], head.name), by, flat)
        return result

    def _entry(self, array: tuple[tuple[Node, ...], ...], index: tuple[int, ...], name: str) -> Node:
        """The entry's name; a diagonal matrix is known by its diagonal."""
        shape = self.instance.claim.domain.variables[name].shape
        if self.instance.claim.domain.variables[name].structure == "diagonal":
            return array[index[0]][index[0]]
        i, j = index if len(index) == 2 else (*index, 0) if shape and shape[0] != 1 else (0, *index, 0)[:2]
        return array[i][j]

    def _value(self, entry: Node, by: list[int], arguments: list[arb]) -> arb:
        names = [n for n in postorder(entry) if n.op == "symbol"]
        if not names:
            return arb(0) if by else Program([entry], True).values({})[0].real
        places = self.instance.places[names[0].value]
        node = substitute(entry, {name: self.instance.functions[name.value] for name in names})
        for k in by:
            node = carried_out(derivative(node, places[k]))
        env = {name: acb(x) for name, x in zip(places, arguments, strict=True)}
        return (
            Program([node], True).values(env)[0].real if node.op != "num" else arb(fmpq(*node.value.as_integer_ratio()))
        )
