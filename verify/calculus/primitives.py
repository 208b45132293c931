"""Which function of t may have this derivative?  Waves, and what the chain rule makes; nobody needs to trust it."""

from __future__ import annotations

from collections.abc import Iterator

from verify.calculus.partial_fractions import partial_fractions
from verify.calculus.quotients import TooLarge, mul_of, read_all
from verify.calculus.reverse import gradient
from verify.calculus.tidy import expanded, tidy
from verify.calculus.waves import T, exponential, response, settled, waves
from verify.graph import (
    MINUS_ONE,
    ONE,
    ZERO,
    Node,
    add,
    call,
    div,
    free_symbols,
    mul,
    neg,
    num,
    postorder,
    power,
    substitute,
    symbol,
)
from verify.systems import TIME

#: Antiderivatives of functions: F' = f.
_PRIMITIVES = {"exp": "exp", "cos": "sin", "cosh": "sinh", "sinh": "cosh"}


def primitive(node: Node) -> Node | None:
    """A primitive in t; None where none is found."""
    node = tidy(node)
    if TIME not in free_symbols(node):
        return tidy(mul(node, T))
    found = waves(node)
    if found is not None:
        return response(found, ZERO)
    whole = _of_term(node)
    if whole is not None:
        return whole
    terms = expanded(node)
    parts = [] if terms is None else [_of_sum(term) for term in terms]
    if not parts or any(part is None for part in parts):
        return None
    return tidy(add(ZERO, *(part for part in parts if part is not None)))


def _of_sum(term: Node) -> Node | None:
    """The primitive of one of the terms of a sum."""
    found = waves(term)
    if found is not None:
        return response(found, ZERO)
    for way in (_of_term, _of_quotient, _of_exponentials):
        whole = way(term)
        if whole is not None:
            return whole
    return None


def _of_quotient(term: Node) -> Node | None:
    """The primitive of a quotient of polynomials in t, as far as its denominator falls into linear factors."""
    known = read_all((term,), (T,))
    if known is None:
        return None
    field, (read,) = known
    if T in field.roots or any(TIME in free_symbols(kernel) for kernel in field.kernels if kernel is not T):
        return None
    try:
        parts = partial_fractions(field, read, T)
        if parts is None or any(len(p) > 2 for p, _, _ in parts[1]):
            return None
        found = [
            mul(field.write(c), power(T, num(k + 1)), power(num(k + 1), MINUS_ONE)) for k, c in enumerate(parts[0])
        ]
        for (first, _), j, (digit,) in parts[1]:
            base = tidy(add(T, field.write(first)))
            whole = call("log", base) if j == 1 else mul(power(base, num(1 - j)), power(num(1 - j), MINUS_ONE))
            found.append(mul(field.write(digit), whole))
    except TooLarge:
        return None
    return tidy(add(ZERO, ZERO, *found))


def _of_term(term: Node) -> Node | None:
    """The primitive of c g' f(g), with c free of t."""
    for inner, outer, whole in _patterns(term):
        slope = gradient(inner, (TIME,))[0]
        factor = quotient(term, mul(slope, outer))
        if factor is not None and TIME not in free_symbols(factor):
            return tidy(mul(factor, whole))
    return None


def _of_exponentials(term: Node) -> Node | None:
    """The primitive of a quotient of polynomials in z = exp(k t): that of one in z over k z."""
    powers = [
        node for node in postorder(term) if node.op == "call" and node.value == "exp" and TIME in free_symbols(node)
    ]
    slopes = [tidy(gradient(node.args[0], (TIME,))[0]) for node in powers]
    if not slopes or TIME in free_symbols(*slopes):
        return None
    k = slopes[0]
    at: dict[Node, Node] = {}
    for node, slope in zip(powers, slopes, strict=True):
        ratio = quotient(slope, k)
        if ratio is None or ratio.op != "num" or ratio.value.denominator != 1:
            return None
        at[node] = mul_of([exponential(substitute(node.args[0], {T: ZERO})), power(T, ratio)])
    plain = substitute(term, {node: symbol(f"{i} ") for i, node in enumerate(at)})
    if TIME in free_symbols(plain):
        return None
    changed = substitute(plain, {symbol(f"{i} "): new for i, new in enumerate(at.values())})
    found = _of_quotient(div(changed, mul(k, T)))
    return None if found is None else settled(substitute(found, {T: exponential(mul(k, T))}))


def _patterns(term: Node) -> Iterator[tuple[Node, Node, Node]]:
    """(g, f(g), F(g)) that occur."""
    for node in postorder(term):
        if TIME not in free_symbols(node):
            continue
        if node.op == "pow" and TIME not in free_symbols(node.args[1]):
            base, exponent = node.args
            raised = tidy(add(exponent, ONE))
            if exponent is MINUS_ONE:
                yield base, node, call("log", base)
                if base.op == "add" and ONE in base.args:
                    square = tidy(add(base, MINUS_ONE))
                    if square.op == "pow" and square.args[1] is num(2):
                        yield square.args[0], node, call("atan", square.args[0])
            elif raised is not ZERO:
                yield base, node, div(power(base, raised), raised)
        elif node.op == "call" and node.value in _PRIMITIVES:
            yield node.args[0], node, call(_PRIMITIVES[node.value], node.args[0])
        elif node.op == "call" and node.value == "sin":
            yield node.args[0], node, neg(call("cos", node.args[0]))
        elif node.op == "call" and node.value == "tan":
            yield node.args[0], node, neg(call("log", call("cos", node.args[0])))
        if node.op in ("symbol", "call") and node.value != "exp":
            yield node, node, mul(num(1), power(node, num(2)), power(num(2), MINUS_ONE))


def gained(found: Node, t0: Node) -> Node:
    """A primitive less its value at t0, with log(g(t)/g(t0)) for a difference of logarithms."""
    at = {symbol(TIME): t0}
    terms = found.args if found.op == "add" else (found,)
    changed = [ZERO]
    for term in terms:
        logs = [part for part in (term.args if term.op == "mul" else (term,)) if _is_logarithm(part)]
        rest = [part for part in (term.args if term.op == "mul" else (term,)) if part not in logs]
        if len(logs) == 1 and TIME not in free_symbols(*rest):
            g = logs[0].args[0]
            first = settled(substitute(g, at))
            changed.append(mul_of([*rest, call("log", tidy(div(g, first)))]))
        else:
            changed.append(add(term, neg(settled(substitute(term, at)))))
    return tidy(add(ZERO, *changed))


def _is_logarithm(node: Node) -> bool:
    return node.op == "call" and node.value == "log" and TIME in free_symbols(node)


def quotient(one: Node, other: Node) -> Node | None:
    """The quotient of two expressions, in lowest terms; None where it is too long, or not defined."""
    known = read_all((one, other))
    if known is None:
        return None
    field, (above, below) = known
    try:
        return tidy(field.write(above / below)) if below else None
    except (TooLarge, ZeroDivisionError):
        return None


def grown(exponent: Node) -> Node:
    """exp of a primitive, with exp(c log g) as g^c."""
    terms = exponent.args if exponent.op == "add" else (exponent,)
    factors, left = [], [ZERO]
    for term in terms:
        parts = term.args if term.op == "mul" else (term,)
        logs = [part for part in parts if part.op == "call" and part.value == "log" and TIME in free_symbols(part)]
        if len(logs) != 1:
            left.append(term)
            continue
        rest = tidy(mul_of([part for part in parts if part is not logs[0]]))
        base = logs[0].args[0]
        factors.append(base if rest is ONE else power(base, rest))
    return tidy(mul_of([*factors, exponential(add(ZERO, *left))]))
