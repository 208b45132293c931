"""When is a mean under the standard normal law zero?  Powers of z are traded for derivatives: E z h(z) = E h'(z).

What is left without any power of z must vanish as a function of z.  For concrete functions that needs h smooth (kinks
allowed) and growing at most like exp(c |z|), which is read off its structure; declared functions are assumed so.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from verify.decide.integrals.gaussian import mean_of
from verify.decide.integrals.standard import may_jump
from verify.decide.integrals.terms import Term, coefficients, collected, summed, terms, times, written
from verify.decide.prove.differentiate import carried_out
from verify.graph import ONE, ZERO, Node, derivative, free_symbols, mul, num, postorder

#: Steps that are taken at most.
MOST_STEPS = 400
#: Functions with bounded derivatives of all orders, or bounded by a power of their argument.
TAME = frozenset({"sin", "cos", "tanh", "erf", "atan", "asinh", "sech", "abs"})

ASSUMED = (
    "declared functions are so smooth, and with their derivatives grow so slowly, that E z h(z) = E h'(z) for them"
)


def reduced(body: Node, name: str) -> tuple[Node, bool] | None:
    """An expression in z with the same mean and no power of z beside other functions of z; the number is free of z.

    The second value tells whether declared functions were integrated by parts.  None where that is not allowed.
    Raises TooLong.
    """
    numbers: list[Node] = []
    left: list[Node] = []
    assumed = False
    waiting = collected(terms(body, name))
    for _ in range(MOST_STEPS):
        if not waiting:
            return summed(*numbers, *left), assumed
        term = waiting.pop()
        mean = mean_of(term)
        if mean is not None:
            numbers.append(mean)
        elif term.power == 0:
            left.append(written(term, name))
        else:
            if not all(is_tame(other, name) for other in term.others) or len(term.exponent) > 2:
                return None
            assumed = assumed or any(node.op == "abstract" for other in term.others for node in postorder(other))
            factor = replace(term, coefficient=ONE, power=0)
            waiting += _traded(term, written(factor, name), factor, name)
            waiting = collected(waiting)
    return None


def _traded(term: Term, factor: Node, rest: Term, name: str) -> Sequence[Term]:
    """z^k h  ->  (k - 1) z^(k - 2) h + z^(k - 1) h'."""
    k = term.power
    slope = carried_out(derivative(factor, name))
    found = [
        replace(each, coefficient=times(term.coefficient, each.coefficient), power=each.power + k - 1)
        for each in terms(slope, name)
        if each.coefficient is not ZERO
    ]
    if k > 1:
        found.append(replace(rest, coefficient=times(mul(num(k - 1), term.coefficient)), power=k - 2))
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


__all__ = ["ASSUMED", "is_tame", "reduced"]
