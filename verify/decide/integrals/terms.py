"""What is an integrand as a sum of terms?  c x^k exp(p(x)) cos(q(x)) times what is left, in one variable x.

All coefficients are expressions without x.  Sums are multiplied out; nothing else is changed, so that the sum of the
terms is the integrand wherever that is defined.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from verify.graph import (
    HALF,
    MINUS_ONE,
    ONE,
    ZERO,
    E,
    Node,
    add,
    call,
    free_symbols,
    mul,
    num,
    power,
    symbol,
)

#: Powers of sums that are multiplied out, and terms that may come of it.
HIGHEST_POWER, MOST_TERMS = 12, 400
Coefficients = tuple[Node, ...]


class TooLong(Exception):
    """More terms than are worth having."""


@dataclass(frozen=True)
class Term:
    """coefficient * x^power * exp(exponent) * trig * (the product of the others).

    exponent   coefficients of a polynomial in x, the constant one first; () for none.
    trig       ("cos" or "sin", coefficients of a polynomial of degree 1), or None.
    others     factors with x that are none of these.
    """

    coefficient: Node
    power: int = 0
    exponent: Coefficients = ()
    trig: tuple[str, Coefficients] | None = None
    others: tuple[Node, ...] = ()


def summed(*nodes: Node) -> Node:
    """The sum, without zeros."""
    kept = [node for node in nodes if node is not ZERO]
    return add(*kept) if kept else ZERO


def times(*nodes: Node) -> Node:
    """The product; 0 where a factor is the number 0 (only for factors that are defined where the claim is)."""
    if any(node is ZERO for node in nodes):
        return ZERO
    return mul(*nodes) if nodes else ONE


def polynomial(coefficients: Coefficients, x: Node) -> Node:
    """The sum of c_k x^k."""
    return summed(*(times(c, power(x, num(k))) if k else c for k, c in enumerate(coefficients)))


def coefficients(node: Node, name: str) -> Coefficients | None:
    """The coefficients of a polynomial in a name, the constant one first; None for anything else."""
    if name not in free_symbols(node):
        return (node,)
    match node.op:
        case "symbol":
            return (ZERO, ONE)
        case "add":
            parts = [coefficients(arg, name) for arg in node.args]
            if any(part is None for part in parts):
                return None
            known = [part for part in parts if part is not None]
            length = max(map(len, known))
            return tuple(summed(*(part[k] for part in known if k < len(part))) for k in range(length))
        case "mul":
            product: Coefficients = (ONE,)
            for arg in node.args:
                factor = coefficients(arg, name)
                if factor is None:
                    return None
                product = _multiplied(product, factor)
            return product
        case "pow" if node.args[1].op == "num" and node.args[1].value.denominator == 1:
            base, n = coefficients(node.args[0], name), int(node.args[1].value)
            if base is None or not 0 <= n <= HIGHEST_POWER:
                return None
            product = (ONE,)
            for _ in range(n):
                product = _multiplied(product, base)
            return product
    return None


def _multiplied(a: Coefficients, b: Coefficients) -> Coefficients:
    result: list[list[Node]] = [[] for _ in range(len(a) + len(b) - 1)]
    for i, x in enumerate(a):
        for j, y in enumerate(b):
            result[i + j].append(times(x, y))
    return tuple(summed(*each) for each in result)


def terms(node: Node, name: str) -> list[Term]:
    """The terms whose sum is the node.  Raises TooLong."""
    if name not in free_symbols(node):
        return [Term(node)]
    match node.op:
        case "symbol":
            return [Term(ONE, 1)]
        case "add":
            return [term for arg in node.args for term in terms(arg, name)]
        case "mul":
            return _product([terms(arg, name) for arg in node.args])
        case "pow":
            base, exponent = node.args
            if base is E:
                return _exponential(node, exponent, name)
            if exponent.op == "num" and exponent.value.denominator == 1 and 0 < exponent.value <= HIGHEST_POWER:
                return _product([terms(base, name)] * int(exponent.value))
        case "call" if node.value == "exp":
            return _exponential(node, node.args[0], name)
        case "call" if node.value in ("sinh", "cosh"):
            (u,) = node.args
            sign = num(-1) if node.value == "sinh" else ONE
            parts = [
                replace(term, coefficient=times(c, HALF, term.coefficient))
                for c, v in ((ONE, u), (sign, mul(MINUS_ONE, u)))
                for term in _exponential(node, v, name)
            ]
            if not any(term.others for term in parts):
                return parts
        case "call" if node.value in ("sin", "cos"):
            inner = coefficients(node.args[0], name)
            if inner is not None and len(inner) == 2:
                return [Term(ONE, trig=(node.value, inner))]
    return [Term(ONE, others=(node,))]


def _exponential(node: Node, exponent: Node, name: str) -> list[Term]:
    found = coefficients(exponent, name)
    return [Term(ONE, others=(node,))] if found is None else [Term(ONE, exponent=found)]


def _product(factors: list[list[Term]]) -> list[Term]:
    result = [Term(ONE)]
    for factor in factors:
        result = [term for a in result for b in factor for term in _times(a, b)]
        if len(result) > MOST_TERMS:
            raise TooLong
    return result


def _times(a: Term, b: Term) -> list[Term]:
    length = max(len(a.exponent), len(b.exponent))
    exponent = tuple(summed(*(e[k] for e in (a.exponent, b.exponent) if k < len(e))) for k in range(length))
    whole = Term(times(a.coefficient, b.coefficient), a.power + b.power, exponent, None, a.others + b.others)
    if a.trig is None or b.trig is None:
        return [replace(whole, trig=a.trig or b.trig)]
    (f, p), (g, q) = a.trig, b.trig
    plus = tuple(summed(x, y) for x, y in zip(p, q, strict=True))
    minus = tuple(summed(x, times(MINUS_ONE, y)) for x, y in zip(p, q, strict=True))
    # cos p cos q, sin p sin q, sin p cos q by sums and differences.
    if f == "cos" and g == "sin":
        f, g, minus = "sin", "cos", tuple(times(MINUS_ONE, c) for c in minus)
    which = "cos" if f == g else "sin"
    sign = MINUS_ONE if f == g == "sin" else ONE
    return [
        replace(whole, coefficient=times(HALF, whole.coefficient), trig=(which, minus)),
        replace(whole, coefficient=times(sign, HALF, whole.coefficient), trig=(which, plus)),
    ]


def collected(found: list[Term]) -> list[Term]:
    """Terms that differ in their coefficients only, added up."""
    sums: dict[Term, list[Node]] = {}
    for term in found:
        sums.setdefault(replace(term, coefficient=ONE), []).append(term.coefficient)
    return [replace(term, coefficient=summed(*parts)) for term, parts in sums.items()]


def written(term: Term, name: str, *, with_power: bool = True) -> Node:
    """The term as an expression."""
    x = symbol(name)
    factors = [term.coefficient]
    if term.power and with_power:
        factors.append(power(x, num(term.power)))
    if term.exponent:
        factors.append(call("exp", polynomial(term.exponent, x)))
    if term.trig:
        factors.append(call(term.trig[0], polynomial(term.trig[1], x)))
    return times(*factors, *term.others)
