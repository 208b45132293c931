"""Which shape has a sum, a product or a function of vectors and matrices?  One rule for each, or a ShapeError.

Every message names the shapes and the smallest part that is wrong.
"""

from __future__ import annotations

from collections.abc import Callable

from verify.claim import Shape, Size
from verify.graph import ZERO, Node, mul
from verify.sizes import SCALAR, ShapeError, described, is_vector, normal, rectangle, text_of, times


def shape_of_sum(node: Node, args: list[Shape]) -> Shape:
    """That of every term, or of every value of a `piecewise`; a literal 0 has any."""
    pairs = zip(node.args, args, strict=True)
    if node.op == "piecewise":
        pairs = list(pairs)[::2]
    terms = [(term, shape) for term, shape in pairs if term is not ZERO]
    if not terms:
        return SCALAR
    first, shape = terms[0]
    for term, other in terms[1:]:
        if other == shape:
            continue
        both = f"{text_of(first)} is a {described(shape)}, {text_of(term)} a {described(other)}"
        if () in (shape, other):
            kind = shape or other
            entries = f"s*{_ones(kind)} to add s to every entry"
            raise ShapeError(f"{text_of(node)}: {both}", f"write {entries}{_identity(kind)}")
        raise ShapeError(f"{text_of(node)}: {both}")
    return shape


def _ones(shape: Shape) -> str:
    return f"ones({', '.join(map(str, shape))})"


def _identity(shape: Shape) -> str:
    if len(set(rectangle(shape))) == 1:
        return f", or s*eye({shape[0]}) to add it to the diagonal"
    return ", or an entry such as v[1] in place of the vector"


def shape_of_product(node: Node, args: list[Shape]) -> Shape:
    """That of the matrix product from left to right, scalars left out."""
    shape: Shape = SCALAR
    for i, (factor, following) in enumerate(zip(node.args, args, strict=True)):
        if not shape or not following:
            shape = shape or following
            continue
        (rows, inner), (other, columns) = rectangle(shape), rectangle(following)
        if inner != other:
            raise ShapeError(*_mismatch(node, i, shape, factor, following))
        shape = normal(rows, columns)
    return shape


def _mismatch(node: Node, at: int, left: Shape, factor: Node, right: Shape) -> tuple[str, str]:
    before = mul(*node.args[:at])
    what = f"{text_of(node)}: {text_of(before)} is a {described(left)}, {text_of(factor)} a {described(right)}"
    if left == right and len(left) == 1:
        return what, "write x'*y for the scalar product, x.*y for the product entry by entry"
    if left == right:
        return what, "write .* for the product entry by entry, or transpose one of them"
    return what, "the columns of the left factor must be as many as the rows of the right one"


def shape_of_power(node: Node, base: Shape, exponent: Shape) -> Shape:
    """That of a scalar, or of a square matrix with a whole exponent."""
    if exponent:
        raise ShapeError(
            f"{text_of(node)}: the exponent is a {described(exponent)}", "write .^ for powers entry by entry"
        )
    if not base:
        return SCALAR
    if is_vector(base):
        v = text_of(node.args[0])
        raise ShapeError(
            f"{text_of(node)}: the power of a {described(base)}",
            f"write ({v}).^k for powers entry by entry, or norm({v})^2 for the scalar product with itself",
        )
    number = node.args[1]
    if base[0] != base[1] or number.op != "num" or number.value.denominator != 1:
        raise ShapeError(
            f"{text_of(node)}: the power of a {described(base)}",
            "whole powers of square matrices are defined; write .^ for powers entry by entry",
        )
    return base


def common_shape(node: Node, args: list[Shape]) -> Shape:
    """The common shape of those that are no scalars."""
    shape: Shape = SCALAR
    first = node.args[0]
    for arg, other in zip(node.args, args, strict=True):
        if shape and other and other != shape:
            raise ShapeError(
                f"{text_of(node)}: {text_of(first)} is a {described(shape)}, {text_of(arg)} a {described(other)}"
            )
        if other and not shape:
            first, shape = arg, other
    return shape


def shape_of_entrywise_power(node: Node, base: Shape, exponent: Shape) -> Shape:
    """That of the base, or of the exponent where the base is a scalar."""
    if base and exponent and exponent != base:
        raise ShapeError(f"{text_of(node)}: the base is a {described(base)}, the exponent a {described(exponent)}")
    return base or exponent


def shape_of_entrywise_call(node: Node, args: list[Shape]) -> Shape:
    """That of the arguments of a scalar function: scalars, and vectors of one shape."""
    shape = common_shape(node, args)
    if len(shape) == 2 and not is_vector(shape):
        instead = {"exp": "expm", "log": "logm"}.get(node.value)
        advice = f"write {instead} for the function of the matrix" if instead else "write out which one is meant"
        raise ShapeError(
            f"{text_of(node)}: {node.value} of a {described(shape)} can mean the function of the matrix, "
            "or of each entry (which is written for vectors only)",
            advice,
        )
    return shape


# --- indices and sums ------------------------------------------------------------------------------


def shape_of_entry(node: Node, args: list[Shape]) -> Shape:
    """A scalar, where the indices fit."""
    shape, *indices = args
    count = 1 if is_vector(shape) else len(shape)
    if len(indices) != count or not count:
        raise ShapeError(f"{text_of(node)}: a {described(shape)} has {count} indices, {len(indices)} given")
    sizes = [size for size in shape if size != 1] if count == 1 else shape
    for index, size, kind in zip(node.args[1:], sizes, indices, strict=True):
        if kind:
            raise ShapeError(f"{text_of(node)}: the index {text_of(index)} is a {described(kind)}")
        if index.op == "num" and (
            index.value.denominator != 1 or index.value < 1 or (isinstance(size, int) and index.value > size)
        ):
            raise ShapeError(f"{text_of(node)}: there is no entry {text_of(index)}", f"indices run from 1 to {size}")
    return SCALAR


def shape_of_indexed_sum(node: Node, args: list[Shape]) -> Shape:
    """That of the terms."""
    body, low, high = args
    if low or high:
        raise ShapeError(f"{text_of(node)}: the ends of a sum are numbers")
    return body


# --- integrals and expectations ---------------------------------------------------------------------


def shape_of_integral(node: Node, variable: Shape, args: list[Shape]) -> Shape:
    """That of the integrand, which is integrated entry by entry."""
    body, low, high = args
    if variable:
        raise ShapeError(f"{text_of(node)}: integrals over a {described(variable)} are not read", "write one a name")
    if low or high:
        raise ShapeError(f"{text_of(node)}: the limits of an integral are numbers")
    return body


def shape_of_expectation(node: Node, variable: Shape, args: list[Shape]) -> Shape:
    """That of the body; a vector has a mean of its shape and a covariance matrix."""
    body, *parameters = args
    name, law = node.value
    needed: list[Shape] = [SCALAR] * len(parameters)
    if law == "normal" and variable:
        needed = [variable, normal(variable[0], variable[0])]
    for parameter, shape, right in zip(node.args[1:], parameters, needed, strict=True):
        if shape != right and not (parameter is ZERO and right == variable):
            raise ShapeError(
                f"{text_of(parameter)} is a {described(shape)}, for the {described(variable)} {name} ~ {law}(…) a "
                f"{described(right)} is needed",
                "a vector has a mean vector and a covariance matrix" if law == "normal" else "",
            )
    if len(variable) == 2:
        raise ShapeError(f"{name} ~ {law}(…): {name} is a {described(variable)}", "write a vector or a number")
    return body


# --- functions of matrices --------------------------------------------------------------------------


def _square(node: Node, args: list[Shape]) -> Shape:
    rows, columns = rectangle(args[0])
    if rows != columns:
        raise ShapeError(
            f"{text_of(node)}: {node.value} needs a square matrix, {text_of(node.args[0])} is a {described(args[0])}"
        )
    return args[0]


def _of_square(node: Node, args: list[Shape]) -> Shape:
    _square(node, args)
    return SCALAR


def _diag(node: Node, args: list[Shape]) -> Shape:
    (shape,) = args
    if len(shape) == 1:
        return shape[0], shape[0]
    if len(shape) == 2 and shape[0] == shape[1]:
        return (shape[0],)
    raise ShapeError(f"{text_of(node)}: diag needs a vector or a square matrix, not a {described(shape)}")


def _norm(node: Node, args: list[Shape]) -> Shape:
    if len(args) == 2:
        which = node.args[1]
        if which.op != "num" or which.value not in (1, 2):
            raise ShapeError(f"{text_of(node)}: the norms 1 and 2 are known, not {text_of(which)}")
        if args[0] and not is_vector(args[0]):
            raise ShapeError(
                f"{text_of(node)}: norm(A, {text_of(which)}) of a {described(args[0])} has several meanings",
                "norm(A) is the Frobenius norm; norms 1 and 2 are those of vectors",
            )
    return SCALAR


def _dot(node: Node, args: list[Shape]) -> Shape:
    if args[0] != args[1] or (args[0] and not is_vector(args[0])):
        raise ShapeError(
            f"{text_of(node)}: dot needs two vectors of one size, "
            f"not a {described(args[0])} and a {described(args[1])}",
            "write A*B, or tr(A'*B), for matrices",
        )
    return SCALAR


def _outer(node: Node, args: list[Shape]) -> Shape:
    for shape in args:
        if len(shape) > 1:
            raise ShapeError(f"{text_of(node)}: outer needs two vectors, not a {described(shape)}")
    return normal(*((shape or (1,))[0] for shape in args))


def _kron(_: Node, args: list[Shape]) -> Shape:
    (a, b), (c, d) = map(rectangle, args)
    return normal(times(a, c), times(b, d))


def _vector_function(node: Node, args: list[Shape]) -> Shape:
    if not is_vector(args[0]):
        raise ShapeError(f"{text_of(node)}: {node.value} needs a vector, not a {described(args[0])}")
    return args[0] if node.value == "softmax" else SCALAR


def _sized(node: Node, _: list[Shape]) -> Shape:
    sizes = [_size(node, arg) for arg in node.args]
    return normal(*(sizes * 2 if node.value == "eye" else (*sizes, 1)[:2]))


def _size(node: Node, arg: Node) -> Size:
    if arg.op == "symbol":
        return arg.value
    if arg.op == "num" and arg.value.denominator == 1 and arg.value >= 1:
        return int(arg.value)
    raise ShapeError(f"{text_of(node)}: a size is a name or a whole number from 1 on, not {text_of(arg)}")


MATRIX_RULES: dict[str, Callable[[Node, list[Shape]], Shape]] = {
    "inv": _square, "expm": _square, "logm": _square, "det": _of_square, "logdet": _of_square, "tr": _of_square,
    "diag": _diag, "norm": _norm, "dot": _dot, "outer": _outer, "kron": _kron, "softmax": _vector_function,
    "logsumexp": _vector_function, "eye": _sized, "ones": _sized, "sum": lambda *_: SCALAR,
}  # fmt: skip
