"""What are f_u^T lam, f_p^T lam and all the others at once?  One reverse sweep over the shared graph.

For outputs f_1 … f_m with multipliers lam_1 … lam_m the sweep visits every node once, from the outputs down, and hands
each argument its share: the sum over outputs of lam_i d f_i / d (node).  What arrives at a symbol is the entry of
f^T lam that belongs to it, so the cost does not grow with the number of symbols.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from verify.calculus.tidy import tidied
from verify.decide.prove.differentiate import carried_out, is_carried_out, partial_at
from verify.graph import (
    MINUS_ONE,
    ONE,
    TRUE,
    ZERO,
    E,
    Node,
    add,
    call,
    mul,
    num,
    piecewise,
    postorder,
    power,
    symbol,
)


def pullback(outputs: Sequence[Node], multipliers: Sequence[Node], names: Iterable[str]) -> tuple[Node, ...]:
    """Sum over i of multipliers[i] * d outputs[i] / d name, for each name; tidied.

    GiveUp (of `verify.decide.prove.tower`) where a function has no rule.
    """
    names = tuple(names)
    order = list(postorder(*outputs))
    if not is_carried_out(order):
        outputs = [carried_out(output) for output in outputs]
        order = list(postorder(*outputs))
    wanted = {symbol(name) for name in names}
    live: set[Node] = set()
    for node in order:
        if node in wanted or any(arg in live for arg in node.args):
            live.add(node)
    received: dict[Node, list[Node]] = {}
    for output, multiplier in zip(outputs, multipliers, strict=True):
        if multiplier is not ZERO:
            received.setdefault(output, []).append(multiplier)
    for node in reversed(order):
        if node in live and node in received and node.args:
            _hand_down(node, _sum(received.pop(node)), live, received)
    return tidied([_sum(received.get(symbol(name), [])) for name in names])


def gradient(output: Node, names: Iterable[str]) -> tuple[Node, ...]:
    """d output / d name for each name."""
    return pullback((output,), (ONE,), names)


def _sum(terms: list[Node]) -> Node:
    return add(*terms) if terms else ZERO


def _hand_down(node: Node, bar: Node, live: set[Node], received: dict[Node, list[Node]]) -> None:
    """Give each argument of a node its share of what the node received."""

    def give(arg: Node, share: Node) -> None:
        received.setdefault(arg, []).append(share)

    match node.op:
        case "add":
            for arg in node.args:
                if arg in live:
                    give(arg, bar)
        case "mul":
            for i, arg in enumerate(node.args):
                if arg in live:
                    give(arg, mul(bar, *node.args[:i], *node.args[i + 1 :]))
        case "pow":
            base, exponent = node.args
            if base in live:
                lowered = num(exponent.value - 1) if exponent.op == "num" else add(exponent, MINUS_ONE)
                give(base, mul(bar, exponent, ONE if lowered is ZERO else power(base, lowered)))
            if exponent in live:
                give(exponent, mul(bar, node) if base is E else mul(bar, node, call("log", base)))
        case "call":
            for i, arg in enumerate(node.args):
                if arg in live:
                    give(arg, mul(bar, partial_at(node, i)))
        case "piecewise":
            for i in range(0, len(node.args), 2):
                if node.args[i] in live:
                    give(node.args[i], _only(node, i, bar))


def _only(node: Node, place: int, bar: Node) -> Node:
    """`bar` where the piece at this place counts, 0 on the others."""
    pairs = zip(node.args[::2], node.args[1::2], strict=True)
    kept = [(bar if 2 * i == place else ZERO, condition) for i, (_, condition) in enumerate(pairs)]
    if kept[-1][1] is TRUE and all(value is ZERO for value, _ in kept):
        return ZERO
    return piecewise(*kept)
