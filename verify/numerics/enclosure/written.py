"""How is an expression written in the few functions that have rules?  Sums, products, whole powers and the primitives.

All that there is to trust are then the rules of `verify.numerics.enclosure.series` and the derivatives in
`verify.numerics.enclosure.tape`.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

from verify.graph import HALF, MINUS_ONE, ONE, PI, E, Node, add, call, mul, num, postorder, power, substitute, symbol

#: Functions with a rule of their own.
PRIMITIVE = ("exp", "log", "sin", "cos", "sqrt", "atan", "tanh")
#: Numbers with a name.
CONSTANTS = ("pi", "E", "EulerGamma")
_x = symbol("x")
_up, _down = power(E, _x), power(E, mul(MINUS_ONE, _x))
_sin, _cos = call("sin", _x), call("cos", _x)
_root = power(add(ONE, mul(MINUS_ONE, _x, _x)), HALF)
_asin = call("atan", mul(_x, power(_root, MINUS_ONE)))


def _over(a: Node, b: Node) -> Node:
    return mul(a, power(b, MINUS_ONE))


#: All others, in x; each equal to its function wherever that is real and analytic.
_WRITTEN = {
    "tan": _over(_sin, _cos),
    "cot": _over(_cos, _sin),
    "sec": power(_cos, MINUS_ONE),
    "csc": power(_sin, MINUS_ONE),
    "sinh": mul(HALF, add(_up, mul(MINUS_ONE, _down))),
    "cosh": mul(HALF, add(_up, _down)),
    "coth": power(call("tanh", _x), MINUS_ONE),
    "sech": mul(num(2), power(add(_up, _down), MINUS_ONE)),
    "csch": mul(num(2), power(add(_up, mul(MINUS_ONE, _down)), MINUS_ONE)),
    "asinh": call("log", add(_x, power(add(ONE, mul(_x, _x)), HALF))),
    "acosh": call("log", add(_x, mul(power(add(_x, MINUS_ONE), HALF), power(add(_x, ONE), HALF)))),
    "atanh": mul(HALF, call("log", _over(add(ONE, _x), add(ONE, mul(MINUS_ONE, _x))))),
    "asin": _asin,
    "acos": add(mul(HALF, PI), mul(MINUS_ONE, _asin)),
}


class Unsupported(ValueError):
    """An expression that has no rule here."""


def plain(roots: Sequence[Node]) -> tuple[Node, ...]:
    """The expressions in the functions that have rules; what they share is visited once.  Raises Unsupported."""
    done: dict[Node, Node] = {}
    for node in postorder(*roots):
        args = tuple(done[arg] for arg in node.args)
        match node.op:
            case "num" | "symbol":
                done[node] = node
            case "constant" if node.value in CONSTANTS:
                done[node] = node
            case "add":
                done[node] = add(*args)
            case "mul":
                done[node] = mul(*args)
            case "pow":
                done[node] = _power(*args)
            case "call" if node.value in PRIMITIVE and len(args) == 1:
                done[node] = call(node.value, *args)
            case "call" if node.value in _WRITTEN and len(args) == 1:
                # Its argument is plain already, and stays as it is.
                done[node] = substitute(_written(node.value), {_x: args[0]})
            case "derivative":
                raise Unsupported("a problem with d/dx inside is not enclosed: write the derivative out")
            case _:
                what = node.value if node.op in ("call", "constant") else node.op
                raise Unsupported(f"{what} is not enclosed: it has no rule for power series")
    return tuple(done[root] for root in roots)


@cache
def _written(name: str) -> Node:
    return plain((_WRITTEN[name],))[0]


def _power(base: Node, exponent: Node) -> Node:
    """Whole powers as they are; square roots; all others are exp(exponent*log(base)), real for positive bases alone."""
    if exponent.op == "num" and exponent.value.denominator == 1:
        return power(base, exponent)
    if exponent.op == "num" and exponent.value.denominator == 2:
        return power(call("sqrt", base), num(2 * exponent.value))
    if base is E:
        return call("exp", exponent)
    return call("exp", mul(exponent, call("log", base)))
