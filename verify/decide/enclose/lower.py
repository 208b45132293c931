"""How does an integral get into a program?  As one step, whose inputs are its limits and the names in its integrand.

Derivatives of integrals are carried out before (Leibniz' rule): what remains are integrals of derivatives.  What was
differentiated comes along with a factor 0, since where it has no value there is no derivative either.
"""

from __future__ import annotations

from dataclasses import dataclass

from verify.decide.enclose import ends
from verify.decide.enclose.jets import Unsupported
from verify.decide.integrals.standard import as_integral, is_infinite, standardised
from verify.graph import (
    INTEGRALS,
    ZERO,
    Node,
    add,
    free_symbols,
    has_integrals,
    mul,
    postorder,
    quadrature,
    rebuild,
    surface,
    symbol,
)


@dataclass(frozen=True)
class Quadrature:
    """What a step of integration knows: the integrand, its variable, the other names in it, and infinite limits.

    infinite    for each limit -1 for -oo, 1 for oo, 0 for one that is a value.
    """

    body: Node
    variable: str
    names: tuple[str, ...]
    infinite: tuple[int, int]


def lowered(root: Node, done: dict[Node, Node] | None = None) -> Node:
    """The expression with a `quadrature` node for every outermost integral.  Raises Unsupported.

    done    what becomes of each part that stands outside of integrals, if it is wanted.
    """
    if not has_integrals(root):
        return root
    done = {} if done is None else done
    for node in surface(root):
        if node in done:
            continue
        if node.op == "derivative" and has_integrals(node):
            done[node] = add(lowered(_carried_out(node)), mul(ZERO, done[node.args[0]]))
        elif node.op in INTEGRALS and any(each.op == "derivative" for each in postorder(node.args[0])):
            # Parameters go inside of the body, which must hold no derivative by its own variable then.
            done[node] = lowered(_carried_out(node))
        elif node.op == "expectation":
            standard = standardised(node)
            done[node] = _step(as_integral(node)) if standard is node else lowered(standard)
        elif node.op == "integral":
            done[node] = _step(node)
        else:
            done[node] = rebuild(node, (done[arg] for arg in node.args))
    return done[root]


def _carried_out(node: Node) -> Node:
    from verify.decide.prove.differentiate import carried_out
    from verify.decide.prove.tower import GiveUp

    try:
        return carried_out(node)
    except GiveUp as reason:
        raise Unsupported(str(reason)) from None


def _step(node: Node) -> Node:
    """The limits are lowered; the integrand is when it is compiled."""
    moved = ends.moved(node)
    if moved is not node:
        return lowered(moved)
    body, *limits = node.args
    names = tuple(sorted(free_symbols(body) - {node.value}))
    infinite = tuple(map(is_infinite, limits))
    payload = Quadrature(body, node.value, names, (infinite[0], infinite[1]))
    values = (ZERO if sign else lowered(limit) for limit, sign in zip(limits, infinite, strict=True))
    return quadrature(payload, *values, *map(symbol, names))
