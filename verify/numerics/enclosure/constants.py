"""What are the coefficients of a right-hand side worth, and their derivatives by the parameters?  Numbers in balls."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from flint import arb

from verify.graph import Node, postorder
from verify.numerics.enclosure.ball import ball

_NAMED = {"pi": arb.pi, "E": arb.const_e, "EulerGamma": arb.const_euler}

#: Value and slope of each primitive function, on whatever has these functions as methods; the slope is a thunk.
FUNCTIONS: Mapping[str, Callable[[Any], tuple[Any, Callable[[], Any]]]] = {
    "exp": lambda x: (lambda y: (y, lambda: y))(x.exp()),
    "log": lambda x: (x.log(), lambda: 1 / x),
    "sin": lambda x: (x.sin(), x.cos),
    "cos": lambda x: (x.cos(), lambda: -x.sin()),
    "sqrt": lambda x: (lambda y: (y, lambda: 1 / (2 * y)))(x.sqrt()),
    "atan": lambda x: (x.atan(), lambda: 1 / (x * x + 1)),
    "tanh": lambda x: (lambda y: (y, lambda: 1 - y * y))(1 - 2 / ((x + x).exp() + 1)),
    "inverse": lambda x: (lambda y: (y, lambda: -(y * y)))(1 / x),
}


@dataclass(frozen=True)
class Constants:
    """Values of some expressions without states or time, and their derivatives by name where they are not zero."""

    values: tuple[arb, ...]
    slopes: tuple[Mapping[str, arb], ...]

    @classmethod
    def of(cls, roots: Sequence[Node], at: Mapping[str, arb], names: frozenset[str]) -> Constants:
        """Of plain expressions; NaN, or an exception of FLINT, where there is no value."""
        values: dict[Node, arb] = {}
        slopes: dict[Node, dict[str, arb]] = {}
        for node in postorder(*roots):
            values[node], slopes[node] = _value(node, values, slopes, at, names)
        return cls(tuple(values[root] for root in roots), tuple(slopes[root] for root in roots))


def _value(
    node: Node,
    values: Mapping[Node, arb],
    slopes: Mapping[Node, Mapping[str, arb]],
    at: Mapping[str, arb],
    names: frozenset[str],
) -> tuple[arb, dict[str, arb]]:
    match node.op:
        case "num":
            return ball(node.value), {}
        case "constant":
            return _NAMED[node.value](), {}
        case "symbol":
            return at[node.value], {node.value: arb(1)} if node.value in names else {}
        case "add":
            total = values[node.args[0]]
            for arg in node.args[1:]:
                total = total + values[arg]
            return total, _summed([(slopes[arg], None) for arg in node.args])
        case "mul":
            product, others = _product([values[arg] for arg in node.args])
            return product, _summed([(slopes[arg], o) for arg, o in zip(node.args, others, strict=True)])
        case "pow":
            base, n = node.args[0], node.args[1].value
            y = whole_power(values[base], n)
            if not slopes[base]:
                return y, {}
            return y, _summed([(slopes[base], whole_power(values[base], n - 1) * int(n))])
    y, slope = FUNCTIONS[node.value](values[node.args[0]])
    return y, _summed([(slopes[node.args[0]], slope())]) if slopes[node.args[0]] else {}


def _product(factors: list[arb]) -> tuple[arb, list[arb]]:
    """The product, and for each factor that of all others."""
    before, after = [arb(1)], [arb(1)]
    for f, g in zip(factors, reversed(factors), strict=True):
        before.append(before[-1] * f)
        after.append(after[-1] * g)
    n = len(factors)
    return before[-1], [before[i] * after[n - 1 - i] for i in range(n)]


def _summed(parts: list[tuple[Mapping[str, arb], arb | None]]) -> dict[str, arb]:
    total: dict[str, arb] = {}
    for slopes, factor in parts:
        for name, slope in slopes.items():
            share = slope if factor is None else slope * factor
            total[name] = total[name] + share if name in total else share
    return total


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
