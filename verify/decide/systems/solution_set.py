"""Where does f(u, p) vanish?  Names as expressions in the others, by undoing operations one by one.

Where each residual can be solved for one of its names, the set of its solutions is the graph of a function: what holds
on that graph holds wherever f(u, p) = 0, and a point of the graph is a solution, exactly.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
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
    substitute,
    symbol,
)

#: Functions that take every value once on the real line, each with the function that undoes it.
_UNDONE = {
    "exp": "log", "log": "exp", "tanh": "atanh", "atanh": "tanh", "sinh": "asinh", "asinh": "sinh", "atan": "tan",
    "erf": "erfinv",
}  # fmt: skip


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


def solve(residual: Sequence[Node], names: Iterable[str], domain: Domain) -> Solved | None:
    """Each equation f = 0 solved for one of the names, the first that it can be solved for; None if it is for none."""
    names = tuple(names)
    found: dict[Node, Node] = {}
    conditions = list(domain.conditions)
    for f in residual:
        f = substitute(f, found)
        left = (name for name in names if symbol(name) not in found)
        one = next(((name, got) for name in left if (got := isolated(f, name)) is not None), None)
        if one is None:
            return None
        name, (value, more) = one
        at = {symbol(name): value}
        found = {key: substitute(old, at) for key, old in found.items()} | at
        conditions += more
    for name, value in found.items():
        v = domain.variables.get(name.value, Variable(name.value))
        conditions += [compare(v.low, "<", value)] if v.low is not None else []
        conditions += [compare(value, "<", v.high)] if v.high is not None else []
    placed = [substitute(f, found) for f in residual]
    names = sorted(free_symbols(*placed))
    free = Domain({name: domain.variables.get(name, Variable(name)) for name in names})
    real = [where_real(Claim(node, ZERO, free)) for node in placed]
    conditions += [condition for more in real for condition in more or ()]
    kept = dict.fromkeys(substitute(condition, found) for condition in conditions)
    return Solved(found, tuple(condition for condition in kept if free_symbols(condition)), None not in real)


def isolated(f: Node, name: str) -> tuple[Node, tuple[Node, ...]] | None:
    """The name as the expression that makes f zero, and the conditions under which it does; None if none is found.

    Divisors count as different from zero.
    """
    s, node, target = symbol(name), f, ZERO
    conditions: list[Node] = []
    while node is not s:
        (slope,) = gradient(node, (name,))
        if slope is ZERO:
            return None
        if s not in set(postorder(slope)):
            return tidy(div(target - substitute(node, {s: ZERO}), slope)), tuple(conditions)
        holding = [i for i, arg in enumerate(node.args) if s in set(postorder(arg))]
        if len(holding) != 1:
            cleared = _cleared(node - target, s)
            found = isolated(cleared, name) if cleared is not None else None
            return found and (found[0], (*conditions, *found[1]))
        (i,) = holding
        undone = _undone(node, i, target)
        if undone is None:
            return None
        node, target = node.args[i], tidy(undone[0])
        conditions += undone[1]
    return target, tuple(conditions)


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
