"""What does an expression become when its derivatives are carried out?  The rules, applied on the shared graph.

Every rule holds wherever the function is differentiable, on principal branches too: d log(u) = u'/u has no branch
constant, d |u| = sign(u) u' off the kink, d floor(u) = 0 off the jumps.  Sharing keeps the result small: forward
rules multiply the number of nodes by about three, whatever the length of the text.
"""

from __future__ import annotations

from collections.abc import Iterable
from math import prod

from verify.decide.integrals.standard import may_jump, standardised
from verify.decide.prove.tower import Element, GiveUp, Kernel, Plan, Restart, Tower
from verify.decide.rules import partial
from verify.functions import function
from verify.graph import (
    MINUS_ONE,
    ONE,
    TRUE,
    ZERO,
    E,
    Node,
    abstract,
    add,
    both,
    bound_name,
    call,
    compare,
    div,
    free_symbols,
    matrix_entry,
    mul,
    num,
    piecewise,
    postorder,
    power,
    rebuild,
    substitute,
    surface,
    symbol,
)

#: Nodes that an expression may have after its derivatives are carried out.
LARGEST_GRAPH = 40_000


def carried_out(root: Node, integers: frozenset[str] = frozenset()) -> Node:
    """The expression without derivative nodes, with max and min written as pieces and expectations by standard laws.

    GiveUp where a function has no rule for the argument in question, for a derivative by one of the integers, or when
    the result is too large.
    """
    done: dict[Node, Node] = {}
    for node in postorder(root):
        args = tuple(done[arg] for arg in node.args)
        if node.op == "derivative":
            variable, order = node.value
            body = args[0]
            if variable in integers:
                raise GiveUp(f"{variable} is an integer: there is no derivative by it")
            for _ in range(order):
                body = slope_of(body, variable)
            done[node] = body
        elif node.op == "call" and node.value in ("max", "min"):
            done[node] = _extreme(node.value, args)
        elif node.op == "expectation":
            done[node] = standardised(rebuild(node, args))
        else:
            done[node] = rebuild(node, args)
    return done[root]


def is_carried_out(nodes: Iterable[Node]) -> bool:
    """Whether `carried_out` has nothing to do at any of the nodes."""
    return not any(
        node.op in ("derivative", "expectation") or (node.op == "call" and node.value in ("max", "min"))
        for node in nodes
    )


#: Functions that are analytic wherever they are defined, the ends of their domains included.
_ANALYTIC = frozenset({
    "exp", "log", "sin", "cos", "tan", "cot", "sec", "csc", "sinh", "cosh", "tanh", "coth", "sech", "csch", "atan",
    "asinh", "erf", "erfc", "erfi", "gamma", "digamma", "polygamma", "fresnels", "fresnelc", "Si", "Shi", "airyai",
    "airybi", "airyaiprime", "airybiprime",
})  # fmt: skip


def is_analytic(*roots: Node) -> bool:
    """Whether an identity of real expressions on a dense set holds at every point where both are defined."""
    for node in postorder(*roots):
        if node.op == "pow" and (node.args[1].op != "num" or node.args[1].value.denominator != 1):
            return False
        if node.op == "call" and node.value not in _ANALYTIC:
            return False
        if node.op not in ("num", "symbol", "constant", "add", "mul", "pow", "call", "derivative"):
            return False
    return True


def _extreme(name: str, args: tuple[Node, ...]) -> Node:
    best = args[0]
    for other in args[1:]:
        best = piecewise((best, compare(best, ">=" if name == "max" else "<=", other)), (other, TRUE))
    return best


def slope_of(root: Node, variable: str) -> Node:
    """d root/d variable, for a root without derivative nodes.

    GiveUp where there is no rule, or the result is too large.
    """
    slope: dict[Node, Node] = {}
    for count, node in enumerate(surface(root)):
        if count > LARGEST_GRAPH:
            raise GiveUp("a derivative is too large")
        slope[node] = _rule(node, variable, slope)
    return slope[root]


def _rule(node: Node, variable: str, slope: dict[Node, Node]) -> Node:
    match node.op:
        case "symbol":
            return ONE if node.value == variable else ZERO
        case "add":
            terms = [slope[a] for a in node.args if slope[a] is not ZERO]
            return add(*terms) if terms else ZERO
        case "mul":
            return _product(node, slope)
        case "pow":
            return _power(node, slope)
        case "call" if node.value in ("max", "min"):
            return _slope_of_extreme(node, slope)
        case "call":
            return _chain(node, slope)
        case "abstract":
            return _abstract(node, slope)
        case "matrix_entry":
            return _matrix_entry(node, slope)
        case "integral" | "expectation":
            return _under_the_integral(node, variable, slope)
        case "piecewise":
            pairs = list(zip(node.args[::2], node.args[1::2], strict=True))
            if all(slope[value] is ZERO for value, _ in pairs) and pairs[-1][1] is TRUE:
                return ZERO
            return piecewise(*((slope[value], condition) for value, condition in pairs))
        case "num" | "constant" | "compare" | "and" | "or" | "true":
            return ZERO
        case _:
            raise GiveUp(f"no rule for the derivative of {node.op!r}")


def _under_the_integral(node: Node, variable: str, slope: dict[Node, Node]) -> Node:
    """Leibniz' rule: the derivative of the integrand, and what the limits sweep over.

    An expectation is one by a standard law, whose density no name changes.
    """
    body, name = node.args[0], bound_name(node)
    terms = []
    if name != variable and variable in free_symbols(body):
        if may_jump(body, variable):
            raise GiveUp("the integrand jumps where a limit of its derivative would be needed")
        inner = slope_of(body, variable)
        if inner is not ZERO:
            terms.append(rebuild(node, (inner, *node.args[1:])))
    for limit, sign in zip(node.args[:0:-1], (ONE, MINUS_ONE), strict=False):
        if slope[limit] is not ZERO:
            assert name is not None
            terms.append(mul(sign, substitute(body, {symbol(name): limit}), slope[limit]))
    return add(*terms) if terms else ZERO


def _abstract(node: Node, slope: dict[Node, Node]) -> Node:
    """The chain rule for a function of which nothing is known."""
    name, orders = node.value
    terms = []
    for i, arg in enumerate(node.args):
        if slope[arg] is not ZERO:
            raised = (*orders[:i], orders[i] + 1, *orders[i + 1 :])
            terms.append(mul(abstract(name, node.args, raised), slope[arg]))
    return add(*terms) if terms else ZERO


def _matrix_entry(node: Node, slope: dict[Node, Node]) -> Node:
    """The derivative of f(P) in direction D is the upper right block of f([[P, D], [0, P]]) (Mathias 1996)."""
    function, n, i, j = node.value
    changes = [slope[arg] for arg in node.args]
    if all(change is ZERO for change in changes):
        return ZERO
    rows = [node.args[k * n : (k + 1) * n] for k in range(n)]
    block = [x for k, row in enumerate(rows) for x in (*row, *changes[k * n : (k + 1) * n])]
    block += [x for row in rows for x in (*[ZERO] * n, *row)]
    return matrix_entry(function, block, 2 * n, i, n + j)


def _product(node: Node, slope: dict[Node, Node]) -> Node:
    terms = []
    for i, factor in enumerate(node.args):
        if slope[factor] is not ZERO:
            others = (*node.args[:i], *node.args[i + 1 :])
            terms.append(mul(slope[factor], *others))
    return add(*terms) if terms else ZERO


def _power(node: Node, slope: dict[Node, Node]) -> Node:
    base, exponent = node.args
    db, de = slope[base], slope[exponent]
    terms = []
    if db is not ZERO:
        lowered = num(exponent.value - 1) if exponent.op == "num" else add(exponent, MINUS_ONE)
        terms.append(mul(exponent, ONE if lowered is ZERO else power(base, lowered), db))
    if de is not ZERO:
        terms.append(mul(node, de) if base is E else mul(node, call("log", base), de))
    return add(*terms) if terms else ZERO


def _slope_of_extreme(node: Node, slope: dict[Node, Node]) -> Node:
    """That of the largest (or smallest) argument; there is none where two arguments are equal."""
    if all(slope[arg] is ZERO for arg in node.args):
        return ZERO
    relation = ">=" if node.value == "max" else "<="
    pairs = []
    for i, arg in enumerate(node.args[:-1]):
        conditions = [compare(arg, relation, other) for j, other in enumerate(node.args) if j != i]
        pairs.append((slope[arg], conditions[0] if len(conditions) == 1 else both(*conditions)))
    return piecewise(*pairs, (slope[node.args[-1]], TRUE))


def _chain(node: Node, slope: dict[Node, Node]) -> Node:
    terms = []
    for i, arg in enumerate(node.args):
        if slope[arg] is ZERO:
            continue
        terms.append(mul(partial_at(node, i), slope[arg]))
    return add(*terms) if terms else ZERO


def partial_at(node: Node, i: int) -> Node:
    """The i-th partial derivative of a call, at its arguments."""
    own = _hypergeometric(node) if i == len(node.args) - 1 else None
    if own is not None:
        return own
    row = function(node.value, len(node.args))
    rule = partial(node.value, len(node.args), i)
    if row is None or rule is None:
        raise GiveUp(f"no rule for the derivative of {node.value} with respect to its argument {i + 1}")
    return substitute(rule, {symbol(name): arg for name, arg in zip(row.arguments, node.args, strict=True)})


def _hypergeometric(node: Node) -> Node | None:
    """Derivatives of pFq that stay with the same parameters, where there are any.

    z F'(…, a, …; …, a + 1, …; z) = a (F without a and a + 1 - F), from (theta + a) F = a F(a + 1) (DLMF 16.3);
    z (1 - z) F'(1, b; c; z) = (c - 1) + (b z - (c - 1)) F for 2F1, from DLMF 15.5.20 with a = 1.
    """
    if not node.value.startswith("hyp"):
        return None
    p, q = int(node.value[3]), int(node.value[5])
    upper, lower, z = node.args[:p], node.args[p : p + q], node.args[-1]
    for i, a in enumerate(upper):
        for j, b in enumerate(lower):
            if _differ_by_one(a, b):
                rest = (*upper[:i], *upper[i + 1 :], *lower[:j], *lower[j + 1 :], z)
                shorter = call(f"hyp{p - 1}f{q - 1}", *rest)
                return div(mul(a, add(shorter, mul(MINUS_ONE, node))), z)
    if (p, q) == (2, 1):
        for a, b in (upper, upper[::-1]):
            if a is ONE:
                c1 = add(lower[0], MINUS_ONE)
                slope = add(c1, mul(add(mul(b, z), mul(MINUS_ONE, c1)), node))
                return div(slope, mul(z, add(ONE, mul(MINUS_ONE, z))))
    return None


def _differ_by_one(a: Node, b: Node) -> bool:
    """Whether b - a = 1 as rational functions of whatever they are made of."""
    tower = Tower(Plan())
    try:
        return (rational_form(b, tower) - rational_form(a, tower)).rational() == 1
    except (GiveUp, Restart):
        return False


def rational_form(node: Node, tower: Tower) -> Element:
    """A rational function of whatever is no sum, product or integer power."""
    match node.op:
        case "num":
            return tower.number(node.value)
        case "add":
            return sum((rational_form(a, tower) for a in node.args), tower.zero)
        case "mul":
            return prod((rational_form(a, tower) for a in node.args), start=tower.one)
        case "pow" if node.args[1].op == "num" and node.args[1].value.denominator == 1:
            return rational_form(node.args[0], tower) ** int(node.args[1].value)
        case _:
            return tower.generator(node, Kernel("symbol", (), node))
