"""How are expectations made comparable?  Their parameters go inside, and derivatives under the integral sign.

    x ~ normal(mu, sigma)     E g(x) = E g(mu + sigma z), z ~ normal(0, 1)      sigma > 0
    x ~ uniform(a, b)         E g(x) = E g(a + (b - a) u), u ~ uniform(0, 1)    a < b
    x ~ exponential(k)        E g(x) = E g(u/k), u ~ exponential(1)             k > 0

Then no limit and no density depends on a parameter.  What must be positive comes along as 0*log(…): where it is not,
the expectation has no value.
"""

from __future__ import annotations

from verify.graph import (
    HALF,
    MINUS_ONE,
    ONE,
    PI,
    TRUE,
    ZERO,
    Node,
    add,
    call,
    constant,
    div,
    expectation,
    free_symbols,
    fresh_name,
    integral,
    mul,
    num,
    postorder,
    power,
    sqrt,
    substitute,
    symbol,
)

OO = constant("oo")
STANDARD = {"normal": (ZERO, ONE), "uniform": (ZERO, ONE), "exponential": (ONE,)}
#: Functions that jump.
JUMPS = frozenset({"sign", "floor", "ceil"})


def is_infinite(limit: Node) -> int:
    """1 for oo, -1 for -oo, 0 for any other limit."""
    if limit is OO:
        return 1
    if limit.op == "mul" and limit.args[-1] is OO and all(f.op == "num" and f.value for f in limit.args[:-1]):
        sign = 1
        for factor in limit.args[:-1]:
            sign = sign if factor.value > 0 else -sign
        return sign
    return 0


def standardised(node: Node) -> Node:
    """An expectation by the standard law of its kind, with what must be positive as 0*log(…)."""
    name, law = node.value
    body, *parameters = node.args
    if tuple(parameters) == STANDARD[law]:
        return node
    new = fresh_name(name, free_symbols(*parameters) | (free_symbols(body) - {name}))
    z = symbol(new)
    match law:
        case "normal":
            positive = parameters[1]
            value = z if positive is ONE else mul(positive, z)
            value = value if parameters[0] is ZERO else add(parameters[0], value)
        case "uniform":
            positive = add(parameters[1], mul(MINUS_ONE, parameters[0]))
            value = add(parameters[0], mul(positive, z))
        case _:
            (positive,) = parameters
            value = div(z, positive)
    inner = expectation(substitute(body, {symbol(name): value}), new, law, *STANDARD[law])
    return add(inner, mul(ZERO, call("log", positive)))


def as_integral(node: Node) -> Node:
    """An expectation by a standard law as an integral."""
    name, law = node.value
    body, z = node.args[0], symbol(node.value[0])
    match law:
        case "normal":
            density = div(call("exp", mul(num(-1), HALF, power(z, num(2)))), sqrt(mul(num(2), PI)))
            return integral(mul(body, density), name, mul(MINUS_ONE, OO), OO)
        case "uniform":
            return integral(body, name, ZERO, ONE)
        case _:
            return integral(mul(body, call("exp", mul(MINUS_ONE, z))), name, ZERO, OO)


def may_jump(body: Node, *variables: str) -> bool:
    """Whether a jump may move with one of the names: then the derivative is not that of the integrand alone."""
    names = frozenset(variables)
    depends: dict[Node, bool] = {}
    for node in postorder(body):
        depends[node] = any(depends[arg] for arg in node.args) or (node.op == "symbol" and node.value in names)
        if not depends[node]:
            continue
        if node.op == "call" and node.value in JUMPS:
            return True
        if node.op == "piecewise" and not _is_extreme(node):
            return True
    return False


def _is_extreme(node: Node) -> bool:
    """Whether the pieces are those of max or min, which fit together."""
    if len(node.args) != 4 or node.args[3] is not TRUE:
        return False
    one, condition, other, _ = node.args
    return condition.op == "compare" and condition.value in (">=", "<=") and condition.args == (one, other)
