"""What do functions make of values with labelled axes: products, traces, norms, softmax, functions of each entry?"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from verify.claim import Size
from verify.decide.contraction.certified import assume_nonzero, grant
from verify.decide.contraction.elementwise import (
    absolute,
    called,
    cosine,
    exponential,
    logarithm,
    power,
    sine,
    times,
)
from verify.decide.contraction.matrices import (
    determinant,
    diagonal,
    inverse,
    matrix_exponential,
    with_diagonal,
)
from verify.decide.contraction.space import GiveUp
from verify.decide.contraction.sums import Sum, einsum, number
from verify.graph import Node

HALF = Fraction(1, 2)
Label = Any


@dataclass(frozen=True)
class Value:
    """A sum whose axes have labels: "r" for rows, "c" for columns, ("i", name) for an index."""

    sum: Sum
    labels: tuple[Label, ...]


def shape_of(a: Value) -> tuple[Label, ...]:
    """The axes that are rows or columns."""
    return tuple(x for x in a.labels if x in ("r", "c"))


def aligned(values: Sequence[Value]) -> tuple[tuple[Label, ...], list[Sum]]:
    """The values on all axes that any of them has."""
    dims: dict[Label, Size] = {}
    for v in values:
        for x, n in zip(v.labels, v.sum.dims, strict=True):
            if dims.setdefault(x, n) != n:
                raise GiveUp(f"one index of sizes {dims[x]} and {n}")
    labels = tuple(sorted(dims, key=str))
    whole = number(values[0].sum.space, 1, tuple(dims[x] for x in labels))
    sums = [v.sum if v.labels == labels else einsum(labels, (whole, labels), (v.sum, v.labels)) for v in values]
    return labels, sums


def product(a: Value, b: Value) -> Value:
    """The product of matrices, where a scalar goes with everything: the columns of a joined to the rows of b."""
    if not (shape_of(a) and shape_of(b)):
        out = tuple(dict.fromkeys((*a.labels, *b.labels)))
        return Value(einsum(out, (a.sum, a.labels), (b.sum, b.labels)), out)
    left = tuple("join" if x == "c" else x for x in a.labels)
    right = tuple("join" if x == "r" else x for x in b.labels)
    if ("join" in left) != ("join" in right):
        raise GiveUp("a product of shapes that do not fit")
    out = tuple(x for x in dict.fromkeys((*left, *right)) if x != "join")
    return Value(einsum(out, (a.sum, left), (b.sum, right)), out)


def entrywise_product(values: Sequence[Value]) -> Value:
    """The Hadamard product; scalars go with every entry."""
    out = tuple(dict.fromkeys(x for v in values for x in v.labels))
    return Value(einsum(out, *((v.sum, v.labels) for v in values)), out)


def square(a: Value) -> Sum:
    """The matrix as a sum with rows first."""
    if set(a.labels) != {"r", "c"}:
        raise GiveUp("a function of matrices under an index, or of a number")
    return a.sum if a.labels == ("r", "c") else einsum(("r", "c"), (a.sum, a.labels))


def inverted(a: Sum) -> Sum:
    """An inverse of the text: where the claim is made, it exists."""
    result = inverse(a)
    grant(result)
    return result


def labelled(operator: str, a: Sum, body: tuple[Label, ...], axes: tuple[str, ...]) -> Value:
    """The derivative of a body by a variable with these axes, as the operator lays it out."""
    match operator:
        case "derivative":
            return Value(a, body)
        case "gradient":
            return Value(a, (*body, *axes))
        case "jacobian":
            return Value(a, (*body, *("c" for _ in axes)))
        case "hessian":
            return Value(a, (*body, *(("r", "c") if axes else ())))
    joined = tuple("join" if x == "r" else x for x in body)
    out = tuple(x for x in joined if x != "join")
    return Value(einsum(out, (a, (*joined, *("join" for _ in axes)))), out)


# --- functions of vectors and matrices -------------------------------------------------------------------------


def matrix_function(node: Node, args: Sequence[Value]) -> Value:
    """A function of `graph.MATRIX_FUNCTIONS`, but eye and ones."""
    name, a = node.value, args[0]
    outer = tuple(x for x in a.labels if x not in ("r", "c"))
    match name:
        case "sum":
            return Value(einsum(outer, (a.sum, a.labels)), outer)
        case "tr":
            joined = tuple("join" if x in ("r", "c") else x for x in a.labels)
            return Value(einsum(outer, (a.sum, joined)), outer)
        case "norm" if len(args) == 2 and node.args[1].value == 1:
            return Value(einsum(outer, (absolute(a.sum), a.labels)), outer)
        case "norm":
            return Value(power(einsum(outer, (a.sum, a.labels), (a.sum, a.labels)), HALF), outer)
        case "dot":
            out = tuple(dict.fromkeys((*outer, *(x for x in args[1].labels if x not in ("r", "c")))))
            return Value(einsum(out, (a.sum, a.labels), (args[1].sum, args[1].labels)), out)
        case "outer":
            right = tuple("c" if x == "r" else x for x in args[1].labels)
            return product(a, Value(args[1].sum, right))
        case "softmax":
            e = exponential(a.sum)
            total = power(einsum(outer, (e, a.labels)), -1)
            return Value(einsum(a.labels, (e, a.labels), (total, outer)), a.labels)
        case "logsumexp":
            return Value(logarithm(einsum(outer, (exponential(a.sum), a.labels))), outer)
    if not shape_of(a):
        return _of_number(name, a)
    if name == "diag":
        if a.labels == ("r",):
            return Value(with_diagonal(a.sum), ("r", "c"))
        return Value(diagonal(square(a)), ("r",))
    return _of_matrix(name, square(a))


def _of_number(name: str, a: Value) -> Value:
    one: dict[str, Callable[[Sum], Sum]] = {
        "inv": lambda s: power(s, -1), "logdet": logarithm, "expm": exponential, "logm": logarithm,
    }  # fmt: skip
    return Value(one[name](a.sum), a.labels) if name in one else a


def _of_matrix(name: str, a: Sum) -> Value:
    match name:
        case "inv":
            return Value(inverted(a), ("r", "c"))
        case "det":
            return Value(determinant(a), ())
        case "logdet":
            inverted(a)
            return Value(logarithm(determinant(a)), ())
        case "expm":
            return Value(matrix_exponential(a), ("r", "c"))
    raise GiveUp(f"{name} has no normal form")


# --- functions of each entry ---------------------------------------------------------------------------------


def scalar_function(name: str, args: Sequence[Value]) -> Value:
    """A function of numbers, entry by entry."""
    labels, sums = aligned(args)
    if name in ("max", "min"):
        result = sums[0]
        for other in sums[1:]:
            gap = absolute(result - other)
            result = (result + other + (gap if name == "max" else gap.scaled(-1))).scaled(HALF)
        return Value(result, labels)
    if name in _ENTRYWISE and len(sums) == 1:
        return Value(_ENTRYWISE[name](sums[0]), labels)
    return Value(called(name, *sums), labels)


def _over(a: Sum, b: Sum) -> Sum:
    return times(a, power(b, -1))


def _sign(a: Sum) -> Sum:
    assume_nonzero(a)
    return _over(absolute(a), a)


def _sinh(a: Sum) -> Sum:
    u = exponential(a)
    return (u - power(u, -1)).scaled(HALF)


def _cosh(a: Sum) -> Sum:
    u = exponential(a)
    return (u + power(u, -1)).scaled(HALF)


def _tanh(a: Sum) -> Sum:
    one = number(a.space, 1, a.dims)
    return one - _over(one.scaled(2), one + power(exponential(a), 2))


_ENTRYWISE: dict[str, Callable[[Sum], Sum]] = {
    "exp": exponential, "log": logarithm, "sin": sine, "cos": cosine, "abs": absolute, "sign": _sign,
    "sinh": _sinh, "cosh": _cosh, "tanh": _tanh,
    "tan": lambda a: _over(sine(a), cosine(a)), "cot": lambda a: _over(cosine(a), sine(a)),
    "sec": lambda a: power(cosine(a), -1), "csc": lambda a: power(sine(a), -1),
    "sech": lambda a: power(_cosh(a), -1), "csch": lambda a: power(_sinh(a), -1),
    "coth": lambda a: _over(_cosh(a), _sinh(a)),
}  # fmt: skip
