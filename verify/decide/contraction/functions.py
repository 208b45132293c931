"""What do functions make of values with labelled axes: products, traces, norms, softmax, functions of each entry?"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction

from verify.claim import Size
from verify.decide.contraction.axes import Label, axes_in, flipped, is_axis, moved
from verify.decide.contraction.canonical import Component
from verify.decide.contraction.certified import assume_nonzero, grant
from verify.decide.contraction.elementwise import (
    absolute,
    called,
    cosine,
    exponential,
    logarithm,
    power,
    restricted,
    sine,
    size_power,
    times,
)
from verify.decide.contraction.exponentials import matrix_exponential, matrix_logarithm
from verify.decide.contraction.matrices import (
    determinant,
    diagonal,
    inverse,
    with_diagonal,
)
from verify.decide.contraction.space import GiveUp, Number, Space
from verify.decide.contraction.sums import Sum, Term, einsum, has_identity, identity, number
from verify.graph import Node

HALF = Fraction(1, 2)


@dataclass(frozen=True)
class Value:
    """A sum whose axes have labels: "r" for rows, "c" for columns (see `axes`), ("i", name) for an index."""

    sum: Sum
    labels: tuple[Label, ...]


def shape_of(a: Value) -> tuple[Label, ...]:
    """The axes that are rows or columns."""
    return tuple(x for x in a.labels if is_axis(x))


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
    ends, starts = axes_in(a.labels, "c"), axes_in(b.labels, "r")
    if len(ends) != len(starts):
        raise GiveUp("a product of shapes that do not fit")
    left = tuple(("join", x[1:]) if x in ends else x for x in a.labels)
    right = tuple(("join", x[1:]) if x in starts else x for x in b.labels)
    out = tuple(x for x in dict.fromkeys((*left, *right)) if x[0] != "join")
    return Value(einsum(out, (a.sum, left), (b.sum, right)), out)


def kronecker(a: Value, b: Value) -> Value:
    """The Kronecker product: rows and columns of b vary inside of those of a."""
    labels = moved(b.labels, a.labels)
    out = tuple(dict.fromkeys((*a.labels, *labels)))
    return Value(einsum(out, (a.sum, a.labels), (b.sum, labels)), out)


def transposed(a: Value) -> Value:
    """Rows and columns exchanged."""
    return Value(a.sum, tuple(map(flipped, a.labels)))


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
    outer = tuple(x for x in a.labels if not is_axis(x))
    match name:
        case "sum":
            return Value(einsum(outer, (a.sum, a.labels)), outer)
        case "tr":
            joined = tuple(("join", x[1:]) if is_axis(x) else x for x in a.labels)
            return Value(einsum(outer, (a.sum, joined)), outer)
        case "norm" if len(args) == 2 and node.args[1].value == 1:
            return Value(einsum(outer, (absolute(a.sum), a.labels)), outer)
        case "norm":
            return Value(power(einsum(outer, (a.sum, a.labels), (a.sum, a.labels)), HALF), outer)
        case "dot":
            if set(shape_of(a)) != set(shape_of(args[1])):
                raise GiveUp("a product of shapes that do not fit")
            out = tuple(dict.fromkeys((*outer, *(x for x in args[1].labels if not is_axis(x)))))
            return Value(einsum(out, (a.sum, a.labels), (args[1].sum, args[1].labels)), out)
        case "outer":
            return product(a, transposed(args[1]))
        case "kron":
            return kronecker(a, args[1])
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
    if len(shape_of(a)) > 2:
        return _of_kronecker_product(name, a)
    return _of_matrix(name, square(a))


def _of_number(name: str, a: Value) -> Value:
    one: dict[str, Callable[[Sum], Sum]] = {
        "inv": lambda s: power(s, -1), "logdet": logarithm, "expm": exponential, "logm": logarithm,
    }  # fmt: skip
    return Value(one[name](a.sum), a.labels) if name in one else a


def _of_kronecker_product(name: str, a: Value) -> Value:
    """inv(kron(A, B)) = kron(inv(A), inv(B)), det(kron(A, B)) = det(A)^n det(B)^m for A m×m and B n×n.

    expm(kron(A, eye(n)) + kron(eye(m), B)) = kron(expm(A), expm(B)), whose exponents commute.
    """
    if name == "expm":
        one, other = _summands(a)
        return kronecker(Value(matrix_exponential(one), ("r", "c")), Value(matrix_exponential(other), ("r", "c")))
    one, other = _parts(a)
    (m, _), (n, _) = one.dims, other.dims
    match name:
        case "inv":
            return kronecker(Value(inverted(one), ("r", "c")), Value(inverted(other), ("r", "c")))
        case "det" | "logdet":
            whole = times(size_power(determinant(one), n), size_power(determinant(other), m))
            if name == "det":
                return Value(whole, ())
            inverted(one)
            inverted(other)
            return Value(logarithm(whole), ())
    raise GiveUp(f"{name} of a Kronecker product has no normal form")


def _parts(a: Value) -> tuple[Sum, Sum]:
    """A and B of kron(A, B), two square matrices."""
    if len(a.sum.terms) != 1:
        raise GiveUp("a function of a sum of Kronecker products")
    ((term, c),) = a.sum.terms.items()
    one, other = _of_term(a, term)
    return one.scaled(c), other


def _summands(a: Value) -> tuple[Sum, Sum]:
    """A and B of kron(A, eye(n)) + kron(eye(m), B)."""
    sums: list[Sum | None] = [None, None]
    for term, c in a.sum.terms.items():
        parts = _of_term(a, term)
        identities = [not (part - identity(part.space, part.dims[0])).terms for part in parts]
        if True not in identities:
            raise GiveUp("the exponential of a sum of Kronecker products")
        place = 0 if identities[1] else 1
        before = sums[place]
        sums[place] = parts[place].scaled(c) if before is None else before + parts[place].scaled(c)
        if sums[1 - place] is None:
            sums[1 - place] = Sum(a.sum.space, parts[1 - place].dims, {})
    one, other = sums
    if one is None or other is None:
        raise GiveUp("the exponential of zero")
    return one, other


def _of_term(a: Value, term: Term) -> tuple[Sum, Sum]:
    """A and B of one term kron(A, B), which has no factor but these."""
    if set(a.labels) != {"r", "c", "r1", "c1"}:
        raise GiveUp("a function of a Kronecker product of more than two matrices")
    space, labels = a.sum.space, a.labels
    parts: list[dict[Component, Number]] = [{}, {}]
    for component, e in term:
        own = {labels[-1 - x] for _, slots, _ in component for x in slots if x < 0}
        if not (own <= {"r", "c"} or own <= {"r1", "c1"}):
            raise GiveUp("a function of a Kronecker product that is none of two matrices")
        if own:
            parts[own <= {"r1", "c1"}][component] = e
        else:
            # A number goes with the matrix that is no identity.
            numbers = parts[0] if _is_identity_only(term, labels, space) else parts[1]
            numbers[component] = e
    found = []
    for (row, column), part in ((("r", "c"), parts[0]), (("r1", "c1"), parts[1])):
        axes = sorted((labels.index(row), labels.index(column)))
        alone = restricted(Sum(space, a.sum.dims, {tuple(sorted(part.items())): 1}), axes)
        _square_sizes(alone)
        found.append(alone if labels[axes[0]] == row else einsum((1, 0), (alone, (0, 1))))
    return found[0], found[1]


def _is_identity_only(term: Term, labels: tuple[Label, ...], space: Space) -> bool:
    """Whether the second matrix of a term is an identity, but for numbers."""
    for component, _ in term:
        own = {labels[-1 - x] for _, slots, _ in component for x in slots if x < 0}
        if own and own <= {"r1", "c1"} and not (len(component) == 1 and has_identity(space, component)):
            return False
    return True


def _square_sizes(a: Sum) -> None:
    if a.dims[0] != a.dims[1]:
        raise GiveUp("a function of a Kronecker product of matrices that are not square")


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
        case "logm":
            inverted(a)
            return Value(matrix_logarithm(a), ("r", "c"))
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
