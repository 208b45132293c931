"""Which matrices refute the claim?  A refuting point, printed as the vectors and matrices that it stands for."""

from __future__ import annotations

from collections.abc import Callable

from flint import acb, ctx

from verify.decide.enclose.balls import Program
from verify.decide.enclose.decimals import decimal
from verify.decide.enclose.hunt import PRECISIONS
from verify.decide.enclose.jets import NoValue
from verify.decide.enclose.points import Point, rational
from verify.decide.enclose.search import Search
from verify.decide.shaped.arrays import Array, flat
from verify.decide.shaped.entries import behind, cayley
from verify.decide.shaped.instances import Instance
from verify.graph import ONE, Node, num, postorder, substitute, symbol
from verify.language.write import write
from verify.verdict import Counterexample

#: How matrices that depend on something are told by what they are made of.
MADE_OF = {"spd": "L*L' with L = ", "orthogonal": "(I - S)*inv(I + S) with S = "}
MIRRORED = "first row times -1 of "
#: Decimal digits of the entries.
DIGITS = 12


def counterexample(chosen: Instance, found: Search) -> Counterexample:
    """The point that a search found, by declared names, with the entries of both sides there.

    chosen   the instance, its abstract functions chosen.
    """
    assert found.point is not None
    assert found.counterexample is not None
    values = {symbol(name): num(x) for name, (x, _) in found.point.items()}
    # Entries that do not matter are not in the point; any number will do.
    unseen = set().union(*map(_names, chosen.shown.values())) - set(found.point)
    values |= dict.fromkeys(map(symbol, unseen), ONE)
    point = {name: str(size) for name, size in chosen.sizes.items()}
    for name, variable in chosen.claim.domain.variables.items():
        if variable.of:
            if not chosen.functions.keys().isdisjoint(_names(chosen.named[name])):
                point[name] = _functions(chosen, variable.structure, chosen.named[name])
        elif variable.field != "size" and not found.point.keys().isdisjoint(_names(chosen.shown[name])):
            point[name] = _brackets(_mapped(lambda e: write(substitute(e, values)), chosen.shown[name]))
    lhs, rhs = written_sides(chosen, found.point)
    return Counterexample(point, lhs, rhs, found.counterexample.neighbourhood)


def _names(a: Array) -> set[str]:
    return {n.value for entry in flat(a) for n in postorder(entry) if n.op == "symbol"}


def _functions(chosen: Instance, structure: str, named: Array) -> str:
    """What an abstract matrix is, entry by entry; one that is made of another matrix is told by that."""
    functions = {symbol(name): function for name, function in chosen.functions.items()}

    def written(a: Array) -> str:
        return _brackets(_mapped(lambda e: write(substitute(e, functions)), a))

    if structure not in MADE_OF:
        return written(named)
    inner = behind(structure, named)
    mirrored = structure == "orthogonal" and named != cayley(inner, 1)
    return f"{MIRRORED * mirrored}{MADE_OF[structure]}{written(inner)}"


def written_sides(chosen: Instance, point: Point) -> tuple[str, str]:
    """Both sides as decimals; the entries that could not be enclosed at any precision are question marks."""
    nodes = (*flat(chosen.lhs), *flat(chosen.rhs))
    program = Program(nodes, real=not chosen.claim.is_complex)
    env = {name: acb(rational(x), rational(y)) for name, (x, y) in point.items()}
    for n in postorder(*nodes):
        if n.op == "symbol":
            env.setdefault(n.value, acb(1))
    precision = ctx.prec
    texts = ["?"] * len(nodes)
    try:
        for ctx.prec in PRECISIONS:
            try:
                texts = [decimal(ball, DIGITS) for ball in program.values(env)]
            except NoValue:
                continue
            break
    finally:
        ctx.prec = precision
    every = iter(texts)
    return _brackets(_mapped(lambda _: next(every), chosen.lhs)), _brackets(_mapped(lambda _: next(every), chosen.rhs))


def _mapped(text: Callable[[Node], str], a: Array) -> list[list[str]]:
    return [[text(entry) for entry in row] for row in a]


def _brackets(rows: list[list[str]]) -> str:
    """A number, [1, 2] for a column, [[1, 2], [3, 4]] for a matrix."""
    if len(rows[0]) == 1:
        return rows[0][0] if len(rows) == 1 else f"[{', '.join(row[0] for row in rows)}]"
    return f"[{', '.join('[' + ', '.join(row) + ']' for row in rows)}]"
