"""What is the solution of an ODE problem in closed form?  One state after the other, or several linear ones at once.

A state whose rate contains itself and states that are solved already is solved by `verify.calculus.scalar_equations`;
states that need each other, with constant coefficients, by `verify.calculus.linear_systems`.  Nothing here is trusted:
whoever uses a solution checks that it solves the problem.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from verify.calculus.linear_systems import linear_solution, shifted
from verify.calculus.primitives import gained, primitive, quotient
from verify.calculus.reverse import gradient
from verify.calculus.scalar_equations import Sign, scalar_solution
from verify.calculus.tidy import tidy
from verify.calculus.waves import T, settled, waves
from verify.graph import ZERO, E, Node, add, free_symbols, neg, substitute, symbol
from verify.systems import TIME


def states_in_time(
    state: Sequence[str], rhs: Sequence[Node], initial: Sequence[Node], t0: Node, sign: Sign
) -> tuple[Node, ...] | None:
    """The states in t and the names of the problem, if they are found.

    sign    the sign of a quantity in these names, 0 where it is not known.

    Raises Undetermined where the solution depends on a sign that is not known.
    """
    rates, starts = dict(zip(state, rhs, strict=True)), dict(zip(state, initial, strict=True))
    solved: dict[str, Node] = {}
    while len(solved) < len(state):
        at = {symbol(known): x for known, x in solved.items()}
        left = {name: substitute(rates[name], at) for name in state if name not in solved}
        found = _next(left, starts, t0, sign)
        if found is None:
            return None
        solved |= found
    return tuple(settled(solved[name]) for name in state)


def integral_in_time(running: Node, states: Mapping[Node, Node], t0: Node) -> Node | None:
    """The integral of a running cost from t0 to t, if it is found."""
    if running is ZERO:
        return ZERO
    found = primitive(tidy(substitute(running, states)))
    return None if found is None else settled(gained(found, t0))


def _next(rates: Mapping[str, Node], starts: Mapping[str, Node], t0: Node, sign: Sign) -> dict[str, Node] | None:
    """The fewest states that can be solved without the others, solved."""
    needs = {name: _reached(name, rates) for name in rates}
    for name in sorted(rates, key=lambda name: len(needs[name])):
        if needs[name] == {name}:
            found = scalar_solution(rates[name], symbol(name), starts[name], t0, sign)
            return None if found is None else {name: found}
        block = [each for each in rates if each in needs[name]]
        xs = _block(block, rates, starts, t0, sign)
        return None if xs is None else dict(zip(block, xs, strict=True))
    return None


def _reached(name: str, rates: Mapping[str, Node]) -> set[str]:
    """The unsolved states on which a state depends, itself among them."""
    found, pending = {name}, [name]
    while pending:
        for each in free_symbols(rates[pending.pop()]) & set(rates):
            if each not in found:
                found.add(each)
                pending.append(each)
    return found


def _block(
    names: Sequence[str], rates: Mapping[str, Node], starts: Mapping[str, Node], t0: Node, sign: Sign
) -> list[Node] | None:
    """States that need each other, linear with coefficients that are constant but for a common factor."""
    matrix = [[tidy(x) for x in gradient(rates[name], tuple(names))] for name in names]
    none = {symbol(name): ZERO for name in names}
    forcing = [tidy(substitute(rates[name], none)) for name in names]
    since = T if t0 is ZERO else add(T, neg(t0))
    used = [x for row in matrix for x in row]
    if free_symbols(*used) & set(names):
        return None
    if TIME in free_symbols(*used):
        # All rates times h(t): in the time int h, none of them depends on it.
        h = next(x for x in used if TIME in free_symbols(x))
        divided = [quotient(x, h) for x in (*used, *forcing)]
        found = primitive(h)
        plain = [x for x in divided if x is not None and TIME not in free_symbols(x)]
        if found is None or len(plain) < len(divided):
            return None
        n, since = len(names), gained(found, t0)
        matrix, forcing = [plain[n * i : n * i + n] for i in range(n)], plain[n * n :]
    sources = [waves(each) for each in forcing]
    moved = [shifted(each, t0) for each in sources if each is not None]
    if len(moved) < len(sources):
        return None
    return linear_solution(matrix, moved, [starts[name] for name in names], since, sign)


# --- what a closed form is good for ---------------------------------------------------------------

#: Functions that are analytic on the whole line.
_ENTIRE = frozenset({"exp", "sin", "cos", "sinh", "cosh"})
#: Quotients of such functions.
_MEROMORPHIC = frozenset({"tan", "cot", "sec", "csc", "tanh", "coth", "sech", "csch"})


def is_continued(nodes: Sequence[Node]) -> bool:
    """Whether expressions are analytic in t apart from poles, so that they cannot jump to another branch on the way.

    Then one that solves an ODE near t0 is the solution as long as there is one: at a pole that ends.
    """
    return all(is_meromorphic(node, {TIME}) for node in nodes)


def is_meromorphic(node: Node, names: Collection[str]) -> bool:
    """Whether an expression is analytic in names apart from poles, as sums, products and quotients show."""
    if not free_symbols(node) & set(names) or is_entire(node, names):
        return True
    if node.op in ("add", "mul"):
        return all(is_meromorphic(arg, names) for arg in node.args)
    if node.op == "call" and node.value in _MEROMORPHIC:
        return all(is_entire(arg, names) for arg in node.args)
    return node.op == "pow" and _is_whole(node.args[1]) and is_meromorphic(node.args[0], names)


def is_entire(node: Node, names: Collection[str]) -> bool:
    """Whether an expression is analytic in names everywhere, as its operations show."""
    if node.op == "symbol" or not free_symbols(node) & set(names):
        return True
    if node.op in ("add", "mul") or (node.op == "call" and node.value in _ENTIRE):
        return all(is_entire(arg, names) for arg in node.args)
    if node.op == "pow" and node.args[0] is E:
        return is_entire(node.args[1], names)
    return node.op == "pow" and _is_whole(node.args[1]) and node.args[1].value > 0 and is_entire(node.args[0], names)


def is_smooth_in(node: Node, names: Sequence[str]) -> bool:
    """Whether an expression is built of these names by operations that are analytic wherever they are defined.

    The right-hand side of an ODE then has one solution at most through every point.
    """
    own = set(names)
    if not free_symbols(node) & own or node.op == "symbol":
        return True
    if node.op in ("add", "mul") or (node.op == "call" and node.value in _ENTIRE | {"tanh"}):
        return all(is_smooth_in(arg, names) for arg in node.args)
    if node.op == "pow" and not free_symbols(node.args[0]) & own and node.args[0] is E:
        return is_smooth_in(node.args[1], names)
    return node.op == "pow" and _is_whole(node.args[1]) and is_smooth_in(node.args[0], names)


def _is_whole(node: Node) -> bool:
    return node.op == "num" and node.value.denominator == 1
