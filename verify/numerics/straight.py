"""What is an expression of the graph worth in floating point?  A straight program, run on numbers or on arrays."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from operator import add, mul
from typing import Any

import numpy as np

from verify.graph import Node, postorder


class NoFloat(ValueError):
    """An expression with a part that has no value in floating point here."""


def _special(name: str) -> Callable[..., Any]:
    """One of SciPy's functions, which are imported when one is needed."""

    def run(x: Any) -> Any:
        from scipy import special

        return getattr(special, name)(x)

    return run


_CONSTANTS = {"pi": np.pi, "E": np.e, "EulerGamma": np.euler_gamma}
FUNCTIONS: Mapping[str, Callable[..., Any]] = {
    **{name: getattr(np, name) for name in ("sin", "cos", "tan", "sinh", "cosh", "tanh", "exp", "log", "sqrt", "abs",
                                            "sign", "floor")},
    "asin": np.arcsin, "acos": np.arccos, "atan": np.arctan, "asinh": np.arcsinh, "acosh": np.arccosh,
    "atanh": np.arctanh, "erf": _special("erf"), "erfc": _special("erfc"), "gamma": _special("gamma"),
    "loggamma": _special("gammaln"), "digamma": _special("digamma"), "max": np.maximum, "min": np.minimum,
    "cot": lambda x: 1 / np.tan(x), "sec": lambda x: 1 / np.cos(x), "csc": lambda x: 1 / np.sin(x),
    "coth": lambda x: 1 / np.tanh(x), "sech": lambda x: 1 / np.cosh(x), "csch": lambda x: 1 / np.sinh(x),
}  # fmt: skip
_RELATIONS = {"<": np.less, "<=": np.less_equal, ">": np.greater, ">=": np.greater_equal, "=": np.equal,
              "!=": np.not_equal}  # fmt: skip


class Straight:
    """Expressions as one list of operations; what they share is computed once.

    Raises NoFloat for what is not known here.
    """

    def __init__(self, roots: Sequence[Node]) -> None:
        nodes = list(postorder(*roots))
        place = {node: i for i, node in enumerate(nodes)}
        self.names = [(i, node.value) for i, node in enumerate(nodes) if node.op == "symbol"]
        self.first: list[Any] = [None if node.args or node.op == "symbol" else operation(node)() for node in nodes]
        self.steps = [(i, operation(node), tuple(place[arg] for arg in node.args))
                      for i, node in enumerate(nodes) if node.args]  # fmt: skip
        self.roots = [place[root] for root in roots]

    def __call__(self, values: Mapping[str, Any]) -> list[Any]:
        """The values of the roots, where each symbol has the value that its name has.  NoFloat where it has none."""
        found = self.first.copy()
        for i, name in self.names:
            if name not in values:
                raise NoFloat(f"{name} has no value here")
            found[i] = values[name]
        with np.errstate(all="ignore"):
            for i, run, inputs in self.steps:
                found[i] = run(*[found[j] for j in inputs])
        return [found[i] for i in self.roots]


def operation(node: Node) -> Callable[..., Any]:
    """What a node does with the values of its arguments."""
    match node.op:
        case "num" | "constant":
            value = float(node.value) if node.op == "num" else _CONSTANTS.get(node.value)
            if value is None:
                raise NoFloat(f"{node.value} has no value in floating point")
            return lambda: value
        case "add":
            return add if len(node.args) == 2 else lambda *terms: sum(terms[1:], terms[0])
        case "mul":
            return mul if len(node.args) == 2 else _product
        case "pow":
            exponent = node.args[1].value if node.args[1].op == "num" else None
            return _POWERS.get(exponent, _power)
        case "call" if node.value in FUNCTIONS:
            return FUNCTIONS[node.value] if len(node.args) < 3 else _folded(FUNCTIONS[node.value])
        case "compare":
            return _RELATIONS[node.value]
        case "and":
            return lambda *conditions: np.logical_and.reduce(conditions)
        case "or":
            return lambda *conditions: np.logical_or.reduce(conditions)
        case "true":
            return lambda: True
        case "piecewise":
            return _pieces
    raise NoFloat(f"{node.value if node.op == 'call' else node.op} has no value in floating point here")


def _product(*factors: Any) -> Any:
    value = factors[0]
    for factor in factors[1:]:
        value = value * factor
    return value


def _power(base: Any, exponent: Any) -> Any:
    return np.power(np.asarray(base, dtype=float), exponent)


#: Powers that are quicker in another way.
_POWERS: Mapping[Any, Callable[..., Any]] = {2: lambda base, _: base * base, -1: lambda base, _: np.divide(1.0, base)}


def _folded(function: Callable[..., Any]) -> Callable[..., Any]:
    def run(first: Any, *others: Any) -> Any:
        for other in others:
            first = function(first, other)
        return first

    return run


def _pieces(*args: Any) -> Any:
    value: Any = np.nan
    for piece, condition in reversed(list(zip(args[::2], args[1::2], strict=True))):
        value = np.where(condition, piece, value)
    return value
