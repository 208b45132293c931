"""What is the derivative, as a formula that a person would write?  Rules of differentiation, then light tidying.

Only for printing: a formula made here is judged like any other claim before it is shown.
"""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction

from verify.calculus.tidy import leading_number, scaled
from verify.decide.prove.differentiate import slope_of
from verify.decide.prove.tower import GiveUp
from verify.graph import (
    MINUS_ONE,
    ONE,
    ZERO,
    Node,
    add,
    mul,
    num,
    postorder,
    power,
    rebuild,
    size,
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
    if size(root) > LARGEST:
        raise NoFormula("the derivative is too large to be read")
    try:
        return tidy(slope_of(root, variable))
    except GiveUp as reason:
        raise NoFormula(str(reason)) from None


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
