"""Where does f(u, p) vanish?  Names as expressions in the others, by undoing operations one by one.

Where each residual can be solved for one of its names, solutions lie on the graph of a function, and a point of the
graph is a solution, exactly.  What holds on the graph holds wherever f(u, p) = 0, unless a divisor vanished on the way:
(u - 1)(u - p) = 0 gives p = u, and no longer knows of u = 1.  Where a divisor D is not shown to be nonzero, D = 0 is
put beside the n residuals.  If more than n names can be solved for in turn, what is lost has less dimensions than a
solution u(p), and all solutions are limits of those on the graph.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

from verify.calculus.reverse import gradient
from verify.calculus.tidy import expanded, powers, tidy
from verify.claim import Claim, Domain, Variable
from verify.decide.enclose.defined import conditions as where_real
from verify.decide.signs import Signs
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
from verify.verdict import Verdict

#: Functions that take every value once on the real line, each with the function that undoes it.
_UNDONE = {
    "exp": "log", "log": "exp", "tanh": "atanh", "atanh": "tanh", "sinh": "asinh", "asinh": "sinh", "atan": "tan",
    "erf": "erfinv",
}  # fmt: skip

#: How near to zero a divisor counts as zero.
NEAR = 1e-7
#: Divisors that are looked at one because of the other.
DEEPEST = 2


@dataclass(frozen=True)
class Solved:
    """Names as expressions in the others, and the conditions under which these are solutions in the domain.

    certain     whether the conditions are known to be all; if not, a point that keeps them need be no solution.
    whole       whether no solution u(p) is shown to be lost; if not, what holds here need not hold everywhere.
    """

    at: dict[Node, Node]
    conditions: tuple[Node, ...]
    certain: bool = True
    whole: bool = True

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
    residual: Sequence[Node], names: Iterable[str], signs: Signs, points: Sequence[Mapping[str, float]] = ()
) -> Solved | None:
    """Each equation f = 0 solved for one of the names, the one that is shortest; None if it can be for none.

    names       the names that may be solved for; further ones may be where it is asked what a divisor loses.
    signs       what is known of signs on the domain.
    points      solutions that are known: no divisor may vanish there.
    """
    domain, names = signs.identities.domain, tuple(names)
    found: dict[Node, Node] = {}
    conditions = list(domain.conditions)
    lost: list[Node] = []
    for f in residual:
        f = substitute(f, found)
        ways = [way for way in _ways(f, names, found) if _stays_away(way[1].divisors, points)]
        if not ways:
            return None
        name, one = min(ways, key=lambda way: size(way[1].value, *way[1].divisors))
        lost += _vanishing(one.divisors, signs)
        found = _placed(found, name, one)
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
    everything = tuple(domain.variables)
    whole = all(_is_thin((divisor, *residual), len(residual), everything, signs) for divisor in lost)
    return Solved(found, tuple(c for c in kept if free_symbols(c)), None not in real, whole)


def _ways(f: Node, names: Iterable[str], found: Mapping[Node, Node]) -> list[tuple[str, Isolated]]:
    """The names that f = 0 can be solved for, but those that have been."""
    left = ((name, isolated(f, name)) for name in names if symbol(name) not in found)
    return [(name, one) for name, one in left if one is not None]


def _placed(found: Mapping[Node, Node], name: str, one: Isolated) -> dict[Node, Node]:
    at = {symbol(name): one.value}
    return {key: substitute(old, at) for key, old in found.items()} | at


def _is_thin(equations: Sequence[Node], n: int, names: tuple[str, ...], signs: Signs, deepest: int = DEEPEST) -> bool:
    """Whether equations are shown to take more than n dimensions away, or to have no solution."""
    found: dict[Node, Node] = {}
    for f in equations:
        f = tidy(substitute(f, found))
        if signs.nonzero(f):
            return True
        verdict = signs.identities.decide(f, ZERO).verdict
        if verdict is Verdict.PROVED:
            continue
        ways = _ways(f, names, found)
        if not ways:
            return len(found) >= n and _is_rational(f) and verdict is Verdict.REFUTED
        name, one = min(ways, key=lambda way: size(way[1].value, *way[1].divisors))
        lost = _vanishing(one.divisors, signs)
        if lost and not (deepest and all(_is_thin((d, *equations), n, names, signs, deepest - 1) for d in lost)):
            return False
        found = _placed(found, name, one)
    return len(found) > n


def _vanishing(divisors: Sequence[Node], signs: Signs) -> list[Node]:
    """The factors of divisors that are not shown to be nonzero."""
    found: list[Node] = []
    for divisor in map(tidy, divisors):
        if divisor.op == "mul":
            found += _vanishing(divisor.args, signs)
        elif divisor.op == "pow":
            found += _vanishing(divisor.args[:1], signs)
        elif not signs.nonzero(divisor):
            found.append(divisor)
    return found


def _is_rational(node: Node) -> bool:
    """Whether it is a quotient of polynomials: if it is not 0 everywhere, its zeros have one dimension less."""
    return all(
        each.op in ("symbol", "num", "add", "mul")
        or (each.op == "pow" and each.args[1].op == "num" and each.args[1].value.denominator == 1)
        for each in postorder(node)
    )


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
