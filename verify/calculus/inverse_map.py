"""What is the inverse of a map in closed form?  Candidates, which nobody needs to trust: each is composed again.

One equation x_i = T_i after the other is solved for the only state that is left in it, by undoing its operations from
the outside.  An entry that occurs inside of another one is replaced by its value first, so that coupling and reversible
blocks are inverted in their order.  What is linear in the states that are left is solved by Cramer's rule.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from fractions import Fraction
from itertools import islice

from verify.calculus.jacobians import determinant, jacobian
from verify.calculus.reverse import gradient
from verify.calculus.tidy import coefficients, is_zero, scaled, tidy
from verify.graph import (
    MINUS_ONE,
    ONE,
    ZERO,
    E,
    Node,
    add,
    call,
    div,
    free_symbols,
    mul,
    num,
    power,
    sqrt,
    substitute,
    symbol,
)
from verify.verdict import GiveUp

#: Candidates that are looked at, and states up to which linear equations are solved at once.
MOST_CANDIDATES, MOST_LINEAR = 16, 4
_UNDONE = {"exp": "log", "log": "exp", "tanh": "atanh", "atanh": "tanh", "sinh": "asinh", "asinh": "sinh",
           "atan": "tan", "tan": "atan", "sin": "asin", "asin": "sin", "cos": "acos", "acos": "cos",
           "erf": "erfinv", "erfinv": "erf", "acosh": "cosh"}  # fmt: skip


def inverses(field: Sequence[Node], state: Sequence[str], images: Sequence[str]) -> Iterator[tuple[Node, ...]]:
    """Expressions in the images, one a state, that may be the inverse of x = field(z)."""
    aside = {symbol(name): symbol(f"{name}_z") for name in state}  # states and images may share names
    entries = tuple(substitute(f, aside) for f in field)
    names = [s.value for s in aside.values()]
    found = _solved(entries, names, dict(zip(images, entries, strict=True)), {})
    for solution in islice(found, MOST_CANDIDATES):
        yield tuple(tidy(solution[name]) for name in names)


def _solved(
    field: Sequence[Node], names: Sequence[str], left: Mapping[str, Node], known: Mapping[str, Node]
) -> Iterator[dict[str, Node]]:
    if len(known) == len(names):
        yield dict(known)
        return
    outputs = {entry: symbol(x) for x, entry in left.items()}
    for x in left:
        others = {entry: name for entry, name in outputs.items() if name.value != x and entry.args}
        for inner in ({}, others) if others else ({},):
            equation = substitute(substitute(left[x], inner), {symbol(n): each for n, each in known.items()})
            unknown = [n for n in names if n in free_symbols(equation)]
            if len(unknown) != 1:
                continue
            rest = {each: entry for each, entry in left.items() if each != x}
            for value in undone(equation, unknown[0], symbol(x)):
                yield from _solved(field, names, rest, {**known, unknown[0]: value})
            return
    yield from _linear(names, left, known)


def _linear(names: Sequence[str], left: Mapping[str, Node], known: Mapping[str, Node]) -> Iterator[dict[str, Node]]:
    """All that is left at once, where it is linear."""
    unknown = [n for n in names if n not in known]
    if len(unknown) > MOST_LINEAR:
        return
    at = {symbol(n): each for n, each in known.items()}
    equations = [substitute(entry, at) for entry in left.values()]
    try:
        matrix = jacobian(equations, unknown)
    except GiveUp:
        return
    matrix = tuple(tuple(_expanded(entry) for entry in row) for row in matrix)
    below = determinant(matrix)
    if is_zero(below) or any(free_symbols(entry) & set(unknown) for row in matrix for entry in row):
        return
    none = {symbol(n): ZERO for n in unknown}
    right = [add(symbol(x), mul(MINUS_ONE, substitute(e, none))) for x, e in zip(left, equations, strict=True)]
    found = dict(known)
    for j, name in enumerate(unknown):
        replaced = tuple(tuple(right[i] if k == j else e for k, e in enumerate(row)) for i, row in enumerate(matrix))
        found[name] = div(determinant(replaced), below)
    yield found


def undone(node: Node, name: str, value: Node) -> Iterator[Node]:
    """What the name may be, where the expression, which holds it, has this value."""
    if node is symbol(name):
        yield value
        return
    inside = [arg for arg in node.args if name in free_symbols(arg)]
    if len(inside) == 1:
        yield from _outermost(node, inside[0], name, value)
        return
    yield from _polynomial(node, name, value)


def _outermost(node: Node, inner: Node, name: str, value: Node) -> Iterator[Node]:
    others = [arg for arg in node.args if arg is not inner]
    match node.op:
        case "add":
            yield from undone(inner, name, tidy(add(value, *(mul(MINUS_ONE, other) for other in others))))
        case "mul":
            yield from undone(inner, name, div(value, mul(*others) if others else ONE))
        case "pow" if node.args[0] is inner and node.args[1].op == "num":
            for root in _roots(value, node.args[1].value):
                yield from undone(inner, name, root)
        case "pow" if node.args[1] is inner:
            base = node.args[0]
            log = call("log", value)
            yield from undone(inner, name, log if base is E else div(log, call("log", base)))
        case "call" if node.value in _UNDONE and len(node.args) == 1:
            yield from undone(inner, name, call(_UNDONE[node.value], value))


def _roots(value: Node, exponent: Fraction) -> Iterator[Node]:
    """Both roots of an even power; the real one of an odd power."""
    top, bottom = exponent.numerator, exponent.denominator
    if top % 2 == 0 or bottom % 2 == 0:
        yield power(value, num(1 / exponent))
        if bottom == 1:
            yield mul(MINUS_ONE, power(value, num(1 / exponent)))
    elif abs(exponent) == 1:
        yield power(value, num(exponent))
    else:
        yield mul(call("sign", value), power(call("abs", value), num(1 / exponent)))


def _polynomial(node: Node, name: str, value: Node) -> Iterator[Node]:
    """Linear in the name, or quadratic."""
    try:
        (slope,) = gradient(node, (name,))
        slope = _expanded(slope)
        (bend,) = gradient(slope, (name,)) if name in free_symbols(slope) else (ZERO,)
    except GiveUp:
        return
    bend = _expanded(bend)
    if name in free_symbols(bend):
        return
    none = {symbol(name): ZERO}
    c = tidy(substitute(node, none) - value)
    if bend is ZERO:
        yield tidy(mul(MINUS_ONE, div(c, slope)))
        return
    b, a = substitute(slope, none), bend  # a z^2/2 + b z + c = 0
    root = sqrt(tidy(b * b - 2 * a * c))
    for sign in (1, -1):
        yield div(tidy(add(mul(MINUS_ONE, b), mul(num(sign), root))), a)


def _expanded(node: Node) -> Node:
    terms = coefficients(node)
    return node if terms is None else tidy(add(ZERO, *(scaled(c, rest) for c, rest in terms.values())))
