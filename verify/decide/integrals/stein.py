"""When is a mean under the standard normal law zero?  Powers of z are traded for derivatives: E z h(z) = E h'(z).

What is left without any power of z must vanish as a function of z.  For concrete functions that needs h smooth (kinks
allowed) and growing at most like exp(c |z|), which is read off its structure; declared functions are assumed so.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from verify.decide.integrals.gaussian import mean_of
from verify.decide.integrals.standard import may_jump
from verify.decide.integrals.terms import Term, coefficients, collected, summed, terms, times, written
from verify.decide.prove.differentiate import carried_out
from verify.graph import ONE, ZERO, Node, derivative, free_symbols, num, postorder

#: Steps that are taken at most.
MOST_STEPS = 60
#: Terms that are tried one by one.
MOST_SINGLE = 8
#: Functions with bounded derivatives of all orders, or bounded by a power of their argument.
TAME = frozenset({"sin", "cos", "tanh", "erf", "atan", "asinh", "sech", "abs"})

ASSUMED = (
    "declared functions are so smooth, and with their derivatives grow so slowly, that E z h(z) = E h'(z) for them"
)


def reductions(body: Node, name: str) -> Iterator[tuple[Node, bool]]:
    """Expressions in z with the same mean: with one power of z traded for a derivative, and with all of them.

    The second value tells whether declared functions were integrated by parts.  Raises TooLong.
    """
    numbers: list[Node] = []
    waiting: list[Term] = []
    for term in collected(terms(body, name)):
        mean = mean_of(term)
        if mean is None:
            waiting.append(term)
        else:
            numbers.append(mean)
    for i, term in enumerate(waiting[:MOST_SINGLE]):
        if term.power and may_be_traded(term, name):
            others = [written(each, name) for k, each in enumerate(waiting) if k != i]
            new = [written(each, name) for each in _traded(term, name)]
            yield summed(*numbers, *others, *new), _is_declared(term)
    left: list[Node] = []
    assumed = False
    for _ in range(MOST_STEPS):
        if not waiting:
            yield summed(*numbers, *left), assumed
            return
        term = waiting.pop()
        mean = mean_of(term)
        if mean is not None:
            numbers.append(mean)
        elif term.power == 0:
            left.append(written(term, name))
        elif not may_be_traded(term, name):
            return
        else:
            assumed = assumed or _is_declared(term)
            waiting = collected([*waiting, *_traded(term, name)])


def may_be_traded(term: Term, name: str) -> bool:
    """Whether parts may be integrated in a term."""
    return len(term.exponent) <= 2 and all(is_tame(other, name) for other in term.others)


def _is_declared(term: Term) -> bool:
    return any(node.op == "abstract" for other in term.others for node in postorder(other))


def _traded(term: Term, name: str) -> list[Term]:
    """z^k h  ->  (k - 1) z^(k - 2) h + z^(k - 1) h'."""
    k, rest = term.power, replace(term, coefficient=ONE, power=0)
    slope = carried_out(derivative(written(rest, name), name))
    found = [
        replace(each, coefficient=times(term.coefficient, each.coefficient), power=each.power + k - 1)
        for each in terms(slope, name)
        if each.coefficient is not ZERO
    ]
    if k > 1:
        found.append(replace(rest, coefficient=times(num(k - 1), term.coefficient), power=k - 2))
    return found


def is_tame(node: Node, name: str) -> bool:
    """Whether a function of z is absolutely continuous on the line and, with its derivative, of exponential growth."""
    if name not in free_symbols(node):
        return True
    if may_jump(node, name):
        return False
    match node.op:
        case "symbol":
            return True
        case "add" | "mul":
            return all(is_tame(arg, name) for arg in node.args)
        case "pow":
            base, exponent = node.args
            if exponent.op == "num" and exponent.value.denominator == 1 and exponent.value > 0:
                return is_tame(base, name)
            return exponent.op == "num" and _bounded_below(base) and is_tame(base, name)
        case "call" if node.value in ("exp", "cosh", "sinh"):
            inner = coefficients(node.args[0], name)
            return inner is not None and len(inner) <= 2
        case "call" if node.value in TAME:
            return is_tame(node.args[0], name)
        case "call" if node.value == "log":
            return _bounded_below(node.args[0]) and is_tame(node.args[0], name)
        case "call" if node.value in ("max", "min"):
            return all(is_tame(arg, name) for arg in node.args)
        case "piecewise":
            return all(is_tame(arg, name) for arg in node.args[::2])
        case "abstract":
            return all(_is_linear(arg, name) for arg in node.args)
    return False


def _is_linear(node: Node, name: str) -> bool:
    found = coefficients(node, name)
    return found is not None and len(found) <= 2


def _bounded_below(node: Node) -> bool:
    """Whether a sum has a positive number in it and nothing else but squares and exponentials."""
    if node.op != "add":
        return node.op == "call" and node.value == "cosh"
    positive = False
    for term in node.args:
        factors = term.args if term.op == "mul" else (term,)
        for factor in factors:
            if factor.op == "num" and factor.value > 0:
                positive = positive or len(factors) == 1
            elif factor.op == "call" and factor.value in ("exp", "cosh", "abs"):
                pass
            elif factor.op == "pow" and factor.args[1].op == "num" and factor.args[1].value % 2 == 0:
                if factor.args[1].value < 0:
                    return False
            else:
                return False
    return positive


__all__ = ["ASSUMED", "is_tame", "may_be_traded", "reductions"]
