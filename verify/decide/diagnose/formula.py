"""What is the derivative, as a formula that a person would write?  Rules of differentiation, then light tidying.

Only for printing: a formula made here is judged like any other claim before it is shown.
"""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction

from verify.calculus.tidy import leading_number, scaled
from verify.decide.rules import partial
from verify.functions import function
from verify.graph import (
    INTEGRALS,
    MINUS_ONE,
    ONE,
    TRUE,
    ZERO,
    Node,
    add,
    both,
    bound_name,
    call,
    compare,
    derivative,
    free_symbols,
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

#: A derivative of more nodes than this is no formula that anybody reads.
LARGEST = 2000


class NoFormula(ValueError):
    """A function without a rule, or a derivative too large to be read."""


def expanded(root: Node) -> Node:
    """The expression with every derivative carried out, tidied.

    Raises NoFormula.
    """
    done: dict[Node, Node] = {}
    for node in postorder(root):
        new = rebuild(node, (done[arg] for arg in node.args))
        if node.op == "derivative":
            variable, order = node.value
            for _ in range(order):
                new = tidy(differentiate(done[node.args[0]] if new.op == "derivative" else new, variable))
        done[node] = new
    return tidy(done[root])


def differentiate(root: Node, variable: str) -> Node:
    """The derivative by the rules, one pass over the shared graph.

    Raises NoFormula.
    """
    slopes: dict[Node, Node] = {}
    for count, node in enumerate(surface(root)):
        if count > LARGEST:
            raise NoFormula("the derivative is too large to be read")
        slopes[node] = _slope(node, variable, slopes)
    return slopes[root]


def _slope(node: Node, variable: str, slopes: dict[Node, Node]) -> Node:
    if node.op in INTEGRALS:
        return _slope_of_integral(node, variable, slopes)
    slope = [slopes[arg] for arg in node.args]
    match node.op:
        case "symbol":
            return ONE if node.value == variable else ZERO
        case "add":
            return _sum(slope)
        case "mul":
            args = node.args
            return _sum(_product((*args[:i], s, *args[i + 1 :])) for i, s in enumerate(slope) if s is not ZERO)
        case "pow":
            return _slope_of_power(*node.args, *slope)
        case "call" if node.value in ("max", "min"):
            if all(s is ZERO for s in slope):
                return ZERO
            return _slope_of_extreme(node, slope)
        case "call":
            return _sum(_chain(node, i, s) for i, s in enumerate(slope) if s is not ZERO)
        case "piecewise":
            if all(s is ZERO for s in slope[::2]):
                return ZERO
            return piecewise(*zip(slope[::2], node.args[1::2], strict=True))
        case "derivative":
            return ZERO if variable not in free_symbols(node) else derivative(node, variable)
        case _:
            return ZERO


def _slope_of_integral(node: Node, variable: str, slopes: dict[Node, Node]) -> Node:
    """Leibniz' rule; an expectation only where its law stays the same."""
    body, name = node.args[0], bound_name(node)
    assert name is not None
    terms = []
    if name != variable and variable in free_symbols(body):
        inner = tidy(differentiate(body, variable))
        terms.append(ZERO if inner is ZERO else rebuild(node, (inner, *node.args[1:])))
    by_limits = [slopes[arg] for arg in node.args[1:]]
    if node.op == "expectation":
        if any(slope is not ZERO for slope in by_limits):
            raise NoFormula("an expectation whose law depends on the variable")
        return _sum(terms)
    for limit, slope, sign in zip(node.args[1:], by_limits, (MINUS_ONE, ONE), strict=True):
        if slope is not ZERO:
            terms.append(_product((sign, tidy(substitute(body, {symbol(name): limit})), slope)))
    return _sum(terms)


def _slope_of_power(base: Node, exponent: Node, by_base: Node, by_exponent: Node) -> Node:
    terms = []
    if by_base is not ZERO:
        terms.append(_product((exponent, power(base, _sum((exponent, MINUS_ONE))), by_base)))
    if by_exponent is not ZERO:
        log = ONE if base.op == "constant" and base.value == "E" else call("log", base)
        terms.append(_product((power(base, exponent), log, by_exponent)))
    return _sum(terms)


def _slope_of_extreme(node: Node, slopes: list[Node]) -> Node:
    relation = ">=" if node.value == "max" else "<="
    pairs = []
    for i, arg in enumerate(node.args[:-1]):
        conditions = [compare(arg, relation, other) for j, other in enumerate(node.args) if j != i]
        pairs.append((slopes[i], conditions[0] if len(conditions) == 1 else both(*conditions)))
    return piecewise(*pairs, (slopes[-1], TRUE))


def _chain(node: Node, i: int, inner: Node) -> Node:
    rule, row = partial(node.value, len(node.args), i), function(node.value, len(node.args))
    if rule is None or row is None:
        raise NoFormula(f"no rule for the derivative of {node.value} in argument {i + 1}")
    outer = substitute(rule, {symbol(name): arg for name, arg in zip(row.arguments, node.args, strict=True)})
    return _product((outer, inner))


# --- tidying --------------------------------------------------------------------------------------


def tidy(root: Node) -> Node:
    """The same function wherever the expression is defined, without 0·x, 1·x, x + 0, stacked brackets and signs."""
    done: dict[Node, Node] = {}
    for node in postorder(root):
        args = [done[arg] for arg in node.args]
        match node.op:
            case "add":
                done[node] = _sum(args)
            case "mul":
                done[node] = _product(args)
            case "pow":
                done[node] = _power(*args)
            case _:
                done[node] = rebuild(node, args)
    return done[root]


def _sum(terms: Iterable[Node]) -> Node:
    """Sums in sums opened, numbers added up, like terms collected; the order is that of the terms."""
    collected: dict[Node, Fraction] = {}
    for term in terms:
        for part in term.args if term.op == "add" else (term,):
            number, rest = leading_number(part)
            collected[rest] = collected.get(rest, Fraction(0)) + number
    parts = [scaled(number, rest) for rest, number in collected.items() if number]
    if not parts:
        return ZERO
    positive_first = sorted(parts, key=lambda part: leading_number(part)[0] < 0)
    return add(*positive_first) if len(parts) > 1 else parts[0]


def _product(factors: Iterable[Node]) -> Node:
    """Products in products opened, powers of one base collected, one number in front and one fraction bar."""
    number = Fraction(1)
    exponents: dict[Node, Node] = {}
    stack = list(factors)[::-1]
    while stack:
        factor = stack.pop()
        base, exponent = factor.args if factor.op == "pow" else (factor, ONE)
        if factor is ZERO:
            return ZERO
        if base.op == "mul" and _is_whole(exponent):
            stack.extend(power(arg, exponent) for arg in reversed(base.args))
        elif base.op == "pow" and _is_whole(exponent):
            stack.append(power(base.args[0], _product((exponent, base.args[1]))))
        elif base.op == "num" and base is not ZERO and exponent in (ONE, MINUS_ONE):
            number *= base.value if exponent is ONE else 1 / base.value
        else:
            exponents[base] = _sum((exponents[base], exponent)) if base in exponents else exponent
    above = [] if number.numerator == 1 else [num(number.numerator)]
    below = [] if number.denominator == 1 else [num(number.denominator)]
    for base, exponent in sorted(exponents.items(), key=lambda item: item[0].op != "symbol"):
        if exponent.op == "num" and exponent.value < 0:
            below.append(power(base, num(-exponent.value)))
        elif exponent is not ZERO:
            above.append(power(base, exponent))
    if not below:
        return _joined(above)
    if len(below) == 1 and below[0].op == "num" and not above:
        return num(number)
    return mul(*above, power(_joined(below), MINUS_ONE))


def _joined(factors: list[Node]) -> Node:
    return mul(*factors) if len(factors) > 1 else factors[0] if factors else ONE


def _power(base: Node, exponent: Node) -> Node:
    """As for a product of one factor; integer powers of products and powers are carried out."""
    return ONE if base is ONE or exponent is ZERO else _product((power(base, exponent),))


def _is_whole(exponent: Node) -> bool:
    return exponent.op == "num" and exponent.value.denominator == 1
