"""What is f(t, x, p) on numbers, power series and series with tails alike?  A graph compiled into a list of steps.

Everything is written in sums, products, reciprocals, exp, log, sin, cos, sqrt and atan, so that the rules of
`verify.numerics.enclosure.series` are all that there is to trust.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction
from functools import cache
from typing import Any

from flint import arb, arb_series, ctx

from verify.graph import HALF, MINUS_ONE, ONE, PI, E, Node, add, call, mul, num, postorder, power, substitute, symbol
from verify.numerics.enclosure.ball import ball

#: Functions with a rule of their own.
PRIMITIVE = ("exp", "log", "sin", "cos", "sqrt", "atan")
_CONSTANTS = {"pi": arb.pi, "E": arb.const_e, "EulerGamma": arb.const_euler}
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
    # One exponential of 2x, and no difference of large numbers.
    "tanh": add(ONE, mul(num(-2), power(add(power(E, mul(num(2), _x)), ONE), MINUS_ONE))),
    "coth": add(ONE, mul(num(2), power(add(power(E, mul(num(2), _x)), MINUS_ONE), MINUS_ONE))),
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
            case "constant" if node.value in _CONSTANTS:
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


class Program:
    """Expressions as functions of named values; one step for each node that they share."""

    def __init__(self, roots: Sequence[Node]) -> None:
        roots = plain(roots)
        order = list(postorder(*roots))
        place = {node: i for i, node in enumerate(order)}
        steps = [(node.op, node.value, tuple(place[arg] for arg in node.args)) for node in order]
        self._roots = tuple(place[root] for root in roots)
        self._kept: tuple[int, dict[Any, arb]] = (0, {})
        # An exponent is part of its step and has no value of its own.
        self._steps = [
            (op, order[args[1]].value, args[:1]) if op == "pow" else (op, value, args) for op, value, args in steps
        ]

    def _at_precision(self, bits: int) -> dict[Any, arb]:
        """The numbers that occur, as balls of so many bits; kept for the next call."""
        if self._kept[0] != bits:
            values = [(op, value) for op, value, _ in self._steps if op in ("num", "constant")]
            self._kept = bits, {v: ball(v) if op == "num" else _CONSTANTS[v]() for op, v in values}
        return self._kept[1]

    def __call__(self, values: Mapping[str, Any]) -> list[Any]:
        """The roots at arb, arb_series or Series; NaN or an exception where there is no value."""
        done: list[Any] = []
        constants = self._at_precision(ctx.prec)
        for op, value, args in self._steps:
            if op == "add":
                total = done[args[0]]
                for i in args[1:]:
                    total = total + done[i]
                done.append(total)
            elif op == "mul":
                product = done[args[0]]
                for i in args[1:]:
                    product = product * done[i]
                done.append(product)
            elif op == "symbol":
                done.append(values[value])
            elif op in ("num", "constant"):
                done.append(constants[value])
            elif op == "pow":
                done.append(whole_power(done[args[0]], value))
            else:
                done.append(getattr(done[args[0]], value)())
        return [done[i] for i in self._roots]


def whole_power(x: Any, exponent: Fraction) -> Any:
    """x^exponent for a whole exponent, by repeated squaring."""
    n = int(exponent)
    if n < 0:
        return whole_power(1 / x, Fraction(-n))
    if n == 0:
        # x^0 = 1 wherever x has a value.
        return x * 0 + 1
    result = None
    while n:
        if n & 1:
            result = x if result is None else result * x
        n >>= 1
        if n:
            x = x * x
    return result


def coefficients(value: Any, n: int) -> list[arb]:
    """The first n coefficients of a number or a power series that has as many."""
    if not isinstance(value, arb_series):
        return [value] + [arb(0)] * (n - 1)
    if value.prec < n:
        raise RuntimeError(f"a power series has {value.prec} coefficients where {n} are needed")
    return [value[k] for k in range(n)]
