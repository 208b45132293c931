"""Where does f(u, p) vanish?  Names as expressions in the others, by undoing operations one by one.

Where each residual can be solved for one of its names, the set of its solutions is the graph of a function: what holds
on that graph holds wherever f(u, p) = 0, and a point of the graph is a solution, exactly.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

from verify.calculus.reverse import gradient
from verify.calculus.tidy import expanded, powers, tidy
from verify.claim import Claim, Domain, Variable
from verify.decide.enclose.defined import conditions as where_real
from verify.graph import (
    ONE,
    PI,
    ZERO,
    Node,
    add,
    call,
    compare,
    div,
    free_symbols,
    mul,
    num,
    postorder,
    power,
    size,
    substitute,
    symbol,
)
from verify.numerics.straight import NoFloat, Straight

#: Functions that take every value once on the real line, each with the function that undoes it.
_UNDONE = {
    "exp": "log", "log": "exp", "tanh": "atanh", "atanh": "tanh", "sinh": "asinh", "asinh": "sinh", "atan": "tan",
    "erf": "erfinv",
}  # fmt: skip

#: How near to zero a divisor counts as zero.
NEAR = 1e-7


@dataclass(frozen=True)
class Solved:
    """Names as expressions in the others, and the conditions under which these are solutions in the domain.

    certain     whether the conditions are known to be all; if not, a point that keeps them need be no solution.
    """

    at: dict[Node, Node]
    conditions: tuple[Node, ...]
    certain: bool = True

    def __call__(self, node: Node) -> Node:
        """An expression on the set of solutions."""
        return substitute(node, self.at)


@dataclass(frozen=True)
class Isolated:
    """A name as the expression that makes f zero, under conditions, where none of the divisors is zero."""

    value: Node
    conditions: tuple[Node, ...] = ()
    divisors: tuple[Node, ...] = ()


def solve(
    residual: Sequence[Node], names: Iterable[str], domain: Domain, points: Sequence[Mapping[str, float]] = ()
) -> Solved | None:
    """Each equation f = 0 solved for one of the names, the one that is shortest; None if it can be for none.

    points      solutions that are known: no divisor may vanish there, lest that whole part of the set be lost.
    """
    names = tuple(names)
    found: dict[Node, Node] = {}
    conditions = list(domain.conditions)
    for f in residual:
        f = substitute(f, found)
        left = ((name, isolated(f, name)) for name in names if symbol(name) not in found)
        ways = [(name, one) for name, one in left if one is not None and _stays_away(one.divisors, points)]
        if not ways:
            return None
        name, one = min(ways, key=lambda way: size(way[1].value, *way[1].divisors))
        at = {symbol(name): one.value}
        found = {key: substitute(old, at) for key, old in found.items()} | at
        conditions += one.conditions
    for name, value in found.items():
        v = domain.variables.get(name.value, Variable(name.value))
        conditions += [compare(v.low, "<", value)] if v.low is not None else []
        conditions += [compare(value, "<", v.high)] if v.high is not None else []
    placed = [substitute(f, found) for f in residual]
    free = Domain({name: domain.variables.get(name, Variable(name)) for name in sorted(free_symbols(*placed))})
    real = [where_real(Claim(node, ZERO, free)) for node in placed]
    conditions += [condition for more in real for condition in more or ()]
    kept = dict.fromkeys(substitute(condition, found) for condition in conditions)
    return Solved(found, tuple(condition for condition in kept if free_symbols(condition)), None not in real)


def _stays_away(divisors: Sequence[Node], points: Sequence[Mapping[str, float]]) -> bool:
    """Whether no divisor is zero, or nearly so, at any of the points."""
    try:
        values = [value for point in points for value in Straight(divisors)(point)]
    except NoFloat:
        return False
    return all(abs(value) > NEAR for value in values)


def isolated(f: Node, name: str) -> Isolated | None:
    """The name where f is zero; None if no operation that has to be undone has one answer."""
    s, node, target = symbol(name), f, ZERO
    conditions: list[Node] = []
    divisors: list[Node] = []
    while node is not s:
        (slope,) = gradient(node, (name,))
        if slope is ZERO:
            return None
        if s not in set(postorder(slope)):
            value = tidy(div(target - substitute(node, {s: ZERO}), slope))
            return Isolated(value, tuple(conditions), (*divisors, slope))
        holding = [i for i, arg in enumerate(node.args) if s in set(postorder(arg))]
        if len(holding) != 1:
            cleared = _cleared(node - target, s)
            found = isolated(cleared, name) if cleared is not None else None
            return found and Isolated(found.value, (*conditions, *found.conditions), (*divisors, *found.divisors))
        (i,) = holding
        undone = _undone(node, i, target)
        if undone is None:
            return None
        if node.op == "mul":
            divisors += [arg for j, arg in enumerate(node.args) if j != i]
        node, target = node.args[i], tidy(undone[0])
        conditions += undone[1]
    return Isolated(target, tuple(conditions), tuple(divisors))


def _cleared(node: Node, s: Node) -> Node | None:
    """A sum of fractions as their common numerator; None where nothing with the symbol s stands below."""
    terms = expanded(node) or ()
    below: dict[Node, int] = {}
    for term in terms:
        for base, exponent in powers(term).items():
            if exponent < 0 and s in set(postorder(base)):
                below[base] = max(below.get(base, 0), -exponent)
    if not below:
        return None
    factor = [power(base, num(exponent)) for base, exponent in below.items()]
    raised = expanded(add(ZERO, *(tidy(mul(term, *factor)) for term in terms)))
    return None if raised is None else add(ZERO, *raised)


def _undone(node: Node, i: int, target: Node) -> tuple[Node, tuple[Node, ...]] | None:
    """What the argument i must be for the node to be the target, and where it then is."""
    others = (*node.args[:i], *node.args[i + 1 :])
    match node.op:
        case "add":
            return add(target, -add(*others)) if others else target, ()
        case "mul":
            return div(target, mul(*others)) if others else target, ()
        case "call" if node.value in _UNDONE and len(node.args) == 1:
            within = (compare(-PI / 2, "<", target), compare(target, "<", PI / 2)) if node.value == "atan" else ()
            return call(_UNDONE[node.value], target), within
        case "pow" if i == 0 and node.args[1].op == "num":
            exponent = node.args[1].value
            if exponent == -1:
                return div(ONE, target), ()
            if exponent.numerator == 1 and exponent.denominator % 2 == 0:
                return power(target, num(Fraction(exponent.denominator))), (compare(ZERO, "<=", target),)
        case _:
            pass
    return None
