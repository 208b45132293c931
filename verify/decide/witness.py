"""Which matrices refute the claim?  A refuting point of an instance, printed as the vectors and matrices it stands for."""

from __future__ import annotations

from flint import acb, ctx

from verify.decide.arrays import Array, flat, mapped
from verify.decide.balls import Program
from verify.decide.decimals import decimal
from verify.decide.enclose import PRECISIONS, Search
from verify.decide.instances import Instance, with_functions
from verify.decide.jets import NoValue
from verify.decide.points import Point, rational
from verify.graph import num, postorder, substitute, symbol
from verify.language.write import write
from verify.verdict import Counterexample

#: Decimal digits of the entries.
DIGITS = 12


def counterexample(instance: Instance, found: Search, seed: int = 0) -> Counterexample:
    """The point that a search found, by declared names, with the entries of both sides there."""
    from random import Random

    chosen = with_functions(instance, Random(seed))
    assert found.point is not None and found.counterexample is not None
    values = {symbol(name): num(x) for name, (x, _) in found.point.items()}
    point = {name: str(size) for name, size in instance.sizes.items()}
    used = {n.value for n in postorder(*chosen.nodes()) if n.op == "symbol"}
    for name, variable in instance.claim.domain.variables.items():
        if variable.of:
            written = _functions(chosen, name)
            if written:
                point[name] = written
        elif variable.field != "size":
            shown = mapped(lambda entry: substitute(entry, values), instance.shown[name])
            if any(n.value in used for e in flat(instance.shown[name]) for n in postorder(e) if n.op == "symbol"):
                point[name] = _written(shown, write)
    lhs, rhs = _sides(chosen, found.point)
    return Counterexample(point, lhs, rhs, found.counterexample.neighbourhood)


def _functions(chosen: Instance, name: str) -> str:
    """What an abstract function, or each entry of an abstract matrix, is at the point."""
    own = chosen.functions.get(name)
    if own is not None:
        return write(own)
    parts = {label: f for label, f in chosen.functions.items() if label.startswith(f"{name}_")}
    return "; ".join(f"{label} = {write(f)}" for label, f in sorted(parts.items()))


def _sides(chosen: Instance, point: Point) -> tuple[str, str]:
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
        for ctx.prec in PRECISIONS[1:]:
            try:
                texts = [decimal(ball, DIGITS) for ball in program.values(env)]
            except NoValue:
                continue
            break
    finally:
        ctx.prec = precision
    count = len(flat(chosen.lhs))
    return _shaped(chosen.lhs, texts[:count]), _shaped(chosen.rhs, texts[count:])


def _shaped(a: Array, texts: list[str]) -> str:
    columns = len(a[0])
    rows = [texts[k : k + columns] for k in range(0, len(texts), columns)]
    return _brackets(rows)


def _written(a: Array, text) -> str:
    return _brackets([[text(entry) for entry in row] for row in a])


def _brackets(rows: list[list[str]]) -> str:
    """A number, [1, 2] for a column, [[1, 2], [3, 4]] for a matrix."""
    if len(rows[0]) == 1:
        column = [row[0] for row in rows]
        return column[0] if len(column) == 1 else f"[{', '.join(column)}]"
    return f"[{', '.join(f'[{chr(44).join(row)}]' for row in rows)}]".replace(",", ", ").replace(",  ", ", ")


__all__ = ["counterexample"]
