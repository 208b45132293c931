"""Is one activation, or its derivative, taken for another one?  tanh and the logistic function 1/(1 + exp(-z)).

The derivative is 1 - s^2 of s = tanh(z), and s*(1 - s) of the logistic s: each is written for the other, and so is
1 - tanh(s)^2, with the value in the place of the argument.  Or a function stands for its own derivative, or a state for
the function of it that the layer applies.
"""

from __future__ import annotations

from collections.abc import Iterator

from verify.calculus.tidy import is_zero, tidy
from verify.decide.systems.variants import Variant
from verify.graph import (
    MINUS_ONE,
    ONE,
    Node,
    add,
    call,
    free_symbols,
    mul,
    num,
    postorder,
    power,
    substitute,
    symbol,
    transform,
)
from verify.language.write import write


def activation_variants(claimed: Node, right: Node) -> Iterator[Variant]:
    """The claim with each of these mistakes undone, where there is something to undo."""
    for says, undone in (
        ("tanh stands for the logistic function", _tanh),
        ("the logistic function stands for tanh", _logistic),
        ("s*(1 - s) stands for 1 - s^2, the derivative of s = tanh", _logistic_slope),
        ("1 - s^2 stands for s*(1 - s), the derivative of the logistic function s", _tanh_slope),
        ("the derivative of tanh is taken at the value instead of the argument", _at_the_value),
    ):
        changed = transform(claimed, undone)
        if changed is not claimed:
            yield Variant("function", says, ((changed, right),))
    for name, slope in (("softplus", _softplus_slope), ("the logistic function", _logistic_of), ("tanh", _tanh_of)):
        changed = transform(claimed, slope)
        if changed is not claimed:
            yield Variant("function", f"{name} stands for its derivative", ((changed, right),))
    yield from _missed(claimed, right)


def _missed(claimed: Node, right: Node) -> Iterator[Variant]:
    """A name that stands where the right formula has a function, as z for tanh(w*z)."""
    there = free_symbols(claimed)
    for function in dict.fromkeys(each for each in postorder(right) if each.op == "call"):
        for name in sorted(there & free_symbols(function)):
            wrong = substitute(right, {function: symbol(name)})
            yield Variant("swap", f"{name} stands for {write(function)}", ((claimed, wrong),))


def _softplus_slope(node: Node) -> Node | None:
    """1/(1 + exp(-z)) for log(1 + exp(z))."""
    inside = node.args[0] if node.op == "call" and node.value == "log" else None
    others = [term for term in inside.args if term is not ONE] if inside is not None and inside.op == "add" else []
    if inside is None or len(others) != 1 or len(inside.args) != 2 or others[0].value != "exp":
        return None
    return power(add(ONE, call("exp", tidy(-others[0].args[0]))), MINUS_ONE)


def _logistic_of(node: Node) -> Node | None:
    return None if argument_of_logistic(node) is None else mul(node, add(ONE, mul(MINUS_ONE, node)))


def _tanh_of(node: Node) -> Node | None:
    return add(ONE, mul(MINUS_ONE, power(node, num(2)))) if node.op == "call" and node.value == "tanh" else None


def _tanh(node: Node) -> Node | None:
    is_tanh = node.op == "call" and node.value == "tanh"
    return power(add(ONE, call("exp", tidy(-node.args[0]))), MINUS_ONE) if is_tanh else None


def _at_the_value(node: Node) -> Node | None:
    inner = node.args[0] if node.op == "call" and node.value == "tanh" else node
    return inner if inner is not node and inner.op == "call" and inner.value == "tanh" else None


def _logistic(node: Node) -> Node | None:
    z = argument_of_logistic(node)
    return None if z is None else call("tanh", z)


def argument_of_logistic(node: Node) -> Node | None:
    """z of 1/(1 + exp(-z)); None for anything else."""
    if node.op != "pow" or node.args[1] is not MINUS_ONE or node.args[0].op != "add":
        return None
    others = [term for term in node.args[0].args if term is not ONE]
    if len(others) != 1 or len(node.args[0].args) != 2 or others[0].op != "call" or others[0].value != "exp":
        return None
    return tidy(-others[0].args[0])


def _logistic_slope(node: Node) -> Node | None:
    """1 - s^2 for s*(1 - s) in a product, s = tanh."""
    factors = node.args if node.op == "mul" else ()
    for s in factors:
        rest = [each for each in factors if each is not s]
        is_tanh = s.op == "call" and s.value == "tanh"
        other = next((each for each in rest if is_zero(each - (1 - s))), None) if is_tanh else None
        if other is not None:
            slope = add(ONE, mul(MINUS_ONE, power(s, num(2))))
            left = [each for each in rest if each is not other]
            return mul(slope, *left) if left else slope
    return None


def _tanh_slope(node: Node) -> Node | None:
    """s*(1 - s) for 1 - s^2, s the logistic function."""
    squares = [factor for term in node.args for factor in (term, *term.args)] if node.op == "add" else []
    for square in squares:
        s = square.args[0] if square.op == "pow" and square.args[1] is num(2) else None
        if s is not None and argument_of_logistic(s) is not None and is_zero(node - (1 - power(s, num(2)))):
            return mul(s, add(ONE, mul(MINUS_ONE, s)))
    return None
