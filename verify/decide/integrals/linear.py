"""How does an expression depend on its integrals?  Linearly, or in another way; and declared functions as symbols."""

from __future__ import annotations

from dataclasses import dataclass

from verify.decide.integrals.terms import summed, times
from verify.graph import (
    INTEGRALS,
    ONE,
    ZERO,
    Node,
    free_symbols,
    fresh_name,
    has_integrals,
    postorder,
    substitute,
    symbol,
)


@dataclass
class Linear:
    """rest + sum of factor * integral."""

    rest: Node
    integrals: list[tuple[Node, Node]]


def linear_parts(node: Node) -> Linear | None:
    """The parts of an expression that is linear in its integrals; None for any other one."""
    if node.op in INTEGRALS:
        return Linear(ZERO, [(ONE, node)])
    if not has_integrals(node):
        return Linear(node, [])
    if node.op == "add":
        parts = [linear_parts(arg) for arg in node.args]
        if any(part is None for part in parts):
            return None
        known = [part for part in parts if part is not None]
        return Linear(summed(*(p.rest for p in known)), [each for p in known for each in p.integrals])
    if node.op == "mul":
        holding = [i for i, arg in enumerate(node.args) if has_integrals(arg)]
        if len(holding) == 1:
            (i,) = holding
            inner = linear_parts(node.args[i])
            if inner is None:
                return None
            others = times(*node.args[:i], *node.args[i + 1 :])
            return Linear(times(others, inner.rest), [(times(others, f), each) for f, each in inner.integrals])
    return None


def opaque(node: Node) -> Node:
    """Every value of a declared function as a symbol of its own."""
    change: dict[Node, Node] = {}
    taken = free_symbols(node)
    for each in postorder(node):
        if each.op == "abstract":
            name = fresh_name(f"{each.value[0]}_{len(change) + 1}", taken)
            taken |= {name}
            change[each] = symbol(name)
    return substitute(node, change) if change else node
