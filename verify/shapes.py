"""Which shape has an expression?  () a scalar, (n,) a column, (1, n) a row, (m, n) a matrix.

Sizes are numbers or names.  A size that is a name stands for every whole number from 1 on: two sizes agree only when
they are spelled alike.  1×1 is a scalar and n×1 a column.  The literal 0 is the zero of every shape.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from verify.claim import Claim, Shape, Size, Variable
from verify.graph import MATRIX_FUNCTIONS, ZERO, Node, add, mul, postorder, transpose

__all__ = [
    "ShapeError",
    "Shapes",
    "described",
    "flipped",
    "named",
    "of_sides",
    "rectangle",
    "transposed_sides",
    "turned",
]

SCALAR: Shape = ()


class ShapeError(ValueError):
    """Shapes that do not fit together: what is wrong, and what to write instead (may be empty)."""

    def __init__(self, what: str, mend: str = "") -> None:
        self.what, self.mend = what, mend
        super().__init__(f"{what}; {mend}" if mend else what)


def normal(rows: Size, columns: Size) -> Shape:
    """The shape of a rows×columns array."""
    if columns == 1:
        return SCALAR if rows == 1 else (rows,)
    return rows, columns


def rectangle(shape: Shape) -> tuple[Size, Size]:
    """Rows and columns of a shape."""
    rows, columns = (*shape, 1, 1)[:2]
    return rows, columns


def flipped(shape: Shape) -> Shape:
    """The shape of the transpose."""
    rows, columns = rectangle(shape)
    return normal(columns, rows)


def is_vector(shape: Shape) -> bool:
    """Whether it is a column or a row."""
    return len(shape) == 1 or (len(shape) == 2 and shape[0] == 1)


def named(shape: Shape) -> str:
    """The kind of thing: scalar, vector, row or matrix."""
    return "row" if len(shape) == 2 and shape[0] == 1 else ("scalar", "vector", "matrix")[len(shape)]


def described(shape: Shape) -> str:
    """The kind of thing with its sizes: vector (n), row (1, n), matrix (m, n)."""
    return f"{named(shape)} ({', '.join(map(str, shape))})" if shape else "scalar"


def times(one: Size, other: Size) -> Size:
    """The product of two sizes, as a Kronecker product has it; factors sorted, so that m*n is n*m."""
    if isinstance(one, int) and isinstance(other, int):
        return one * other
    factors = [str(size) for size in (one, other) if size != 1]
    return "*".join(sorted("*".join(factors).split("*")))


def of_sides(claim: Claim) -> tuple[Shape, Shape]:
    """The shapes of both sides.  Raises ShapeError where a shape does not fit, also between the sides.

    Sides that are each other's transpose are let through: see `transposed_sides`.
    """
    shapes = Shapes(claim.domain.variables)
    lhs, rhs = shapes.of(claim.lhs), shapes.of(claim.rhs)
    if ZERO in (claim.lhs, claim.rhs):
        lhs = rhs = rhs if claim.lhs is ZERO else lhs
    if lhs != rhs and lhs != flipped(rhs):
        raise ShapeError(f"the left-hand side is a {described(lhs)}, the right-hand side a {described(rhs)}")
    return lhs, rhs


def transposed_sides(claim: Claim) -> bool:
    """Whether one side has the shape of the other one's transpose and not its own."""
    lhs, rhs = of_sides(claim)
    return lhs != rhs


class Shapes:
    """The shapes of expressions over declared variables; every node is looked at once.

    Names that are not declared are scalars.
    """

    def __init__(self, variables: Mapping[str, Variable]) -> None:
        self.variables = variables
        self.known: dict[Node, Shape] = {}

    def of(self, root: Node) -> Shape:
        """The shape of an expression.  Raises ShapeError, naming the shapes and the smallest part that is wrong."""
        found = self.known.get(root)
        if found is None:
            for node in postorder(root):
                if node not in self.known:
                    self.known[node] = self._shape(node, [self.known[arg] for arg in node.args])
            found = self.known[root]
        return found

    def variable(self, name: str) -> Shape:
        """The shape that is declared for a name."""
        declared = self.variables.get(name)
        return normal(*rectangle(declared.shape)) if declared else SCALAR

    def _shape(self, node: Node, args: list[Shape]) -> Shape:
        match node.op:
            case "symbol":
                return self.variable(node.value)
            case "add" | "piecewise":
                return _sum(node, args)
            case "mul":
                return _product(node, args)
            case "pow":
                return _power(node, *args)
            case "transpose":
                return flipped(args[0])
            case "hadamard":
                return _alike(node, args)
            case "hadamard_pow":
                return _raised(node, *args)
            case "call":
                return _MATRIX[node.value](node, args) if node.value in MATRIX_FUNCTIONS else _entrywise(node, args)
            case "compare":
                return _alike(node, args) and SCALAR
            case "derivative":
                return self._by_scalar(node, args[0])
            case "gradient" | "jacobian" | "hessian" | "divergence":
                return self._by_vector(node, args[0])
            case "index":
                return _index(node, args)
            case "sum":
                return _summed(node, args)
            case "abstract":
                return self._abstract(node, args)
        return SCALAR

    def _by_scalar(self, node: Node, body: Shape) -> Shape:
        name = node.value[0]
        shape = self.variable(name)
        if shape:
            raise ShapeError(
                f"d/d{name}: {name} is a {described(shape)}, not a number",
                f"write grad_{name} for the gradient of a scalar, jac_{name} for rows that belong to the outputs",
            )
        return body

    def _by_vector(self, node: Node, body: Shape) -> Shape:
        name, operator = node.value, node.op
        shape = self.variable(name)
        spelled = f"{_OPERATORS[operator]}_{name}"
        if operator == "gradient":
            if body:
                advice = f"write jac_{name} (…), or its transpose" if is_vector(body) else "write a scalar"
                raise ShapeError(f"{spelled} of a {described(body)}: a gradient is that of a scalar", advice)
            return shape
        if len(shape) == 2:
            raise ShapeError(f"{spelled}: {name} is a {described(shape)}", f"write grad_{name} of a scalar")
        (n,) = shape or (1,)
        if operator == "hessian":
            if body:
                raise ShapeError(f"{spelled} of a {described(body)}: a Hessian is that of a scalar")
            return normal(n, n)
        if len(body) == 2:
            row = "; transpose it to a column" if body[0] == 1 else ""
            raise ShapeError(f"{spelled} of a {described(body)}: a vector is needed{row}")
        if operator == "divergence":
            if body != shape:
                raise ShapeError(f"{spelled} of a {described(body)}: as many entries as {name} are needed, {n}")
            return SCALAR
        return normal(*body, n) if body else normal(1, n)

    def _abstract(self, node: Node, args: list[Shape]) -> Shape:
        name, orders = node.value
        declared = self.variables.get(name)
        if declared is None:
            raise ShapeError(f"{name} is not declared")
        if len(declared.of) != len(args):
            raise ShapeError(f"{name} depends on {', '.join(declared.of)}: {len(args)} arguments given")
        for argument, shape, order in zip(declared.of, args, orders, strict=True):
            needed = self.variable(argument)
            if shape != needed:
                raise ShapeError(f"{_text(node)}: a {described(shape)} in place of {argument}, a {described(needed)}")
            if order and shape:
                raise ShapeError(f"{_text(node)}: {argument} is a {described(shape)}", f"write grad_{argument}")
        return self.variable(name)


def turned(node: Node, shapes: Shapes) -> Node:
    """The transpose, written with as few transpositions as possible: (A*x)' is x'*A'."""
    if not shapes.of(node):
        return node
    match node.op:
        case "mul":
            first = next(i for i, factor in enumerate(node.args) if shapes.of(factor))
            rest = [turned(factor, shapes) for factor in reversed(node.args) if shapes.of(factor)]
            scalars = [factor for factor in node.args[first:] if not shapes.of(factor)]
            new = mul(*node.args[:first], *rest, *scalars)
        case "add":
            new = add(*(turned(term, shapes) for term in node.args))
        case _:
            return transpose(node)
    try:
        return new if shapes.of(new) == flipped(shapes.of(node)) else transpose(node)
    except ShapeError:
        return transpose(node)


_OPERATORS = {"gradient": "grad", "jacobian": "jac", "hessian": "hess", "divergence": "div"}


def _text(node: Node) -> str:
    from verify.language.write import write

    text = write(node)
    return text if len(text) < 60 else f"{text[:57]}…"


# --- arithmetic -----------------------------------------------------------------------------------


def _sum(node: Node, args: list[Shape]) -> Shape:
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
        both = f"{_text(first)} is a {described(shape)}, {_text(term)} a {described(other)}"
        if () in (shape, other):
            kind = shape or other
            entries = f"s*{_ones(kind)} to add s to every entry"
            raise ShapeError(f"{_text(node)}: {both}", f"write {entries}{_identity(kind)}")
        raise ShapeError(f"{_text(node)}: {both}")
    return shape


def _ones(shape: Shape) -> str:
    return f"ones({', '.join(map(str, shape))})"


def _identity(shape: Shape) -> str:
    if len(set(rectangle(shape))) == 1:
        return f", or s*eye({shape[0]}) to add it to the diagonal"
    return ", or an entry such as v[1] in place of the vector"


def _product(node: Node, args: list[Shape]) -> Shape:
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
    what = f"{_text(node)}: {_text(before)} is a {described(left)}, {_text(factor)} a {described(right)}"
    if left == right and len(left) == 1:
        return what, "write x'*y for the scalar product, x.*y for the product entry by entry"
    if left == right:
        return what, "write .* for the product entry by entry, or transpose one of them"
    return what, "the columns of the left factor must be as many as the rows of the right one"


def _power(node: Node, base: Shape, exponent: Shape) -> Shape:
    if exponent:
        raise ShapeError(
            f"{_text(node)}: the exponent is a {described(exponent)}", "write .^ for powers entry by entry"
        )
    if not base:
        return SCALAR
    if is_vector(base):
        v = _text(node.args[0])
        raise ShapeError(
            f"{_text(node)}: the power of a {described(base)}",
            f"write ({v}).^k for powers entry by entry, or norm({v})^2 for the scalar product with itself",
        )
    number = node.args[1]
    if base[0] != base[1] or number.op != "num" or number.value.denominator != 1:
        raise ShapeError(
            f"{_text(node)}: the power of a {described(base)}",
            "whole powers of square matrices are defined; write .^ for powers entry by entry",
        )
    return base


def _alike(node: Node, args: list[Shape]) -> Shape:
    """The common shape of those that are no scalars."""
    shape: Shape = SCALAR
    first = node.args[0]
    for arg, other in zip(node.args, args, strict=True):
        if shape and other and other != shape:
            raise ShapeError(
                f"{_text(node)}: {_text(first)} is a {described(shape)}, {_text(arg)} a {described(other)}"
            )
        if other and not shape:
            first, shape = arg, other
    return shape


def _raised(node: Node, base: Shape, exponent: Shape) -> Shape:
    if base and exponent and exponent != base:
        raise ShapeError(f"{_text(node)}: the base is a {described(base)}, the exponent a {described(exponent)}")
    return base or exponent


def _entrywise(node: Node, args: list[Shape]) -> Shape:
    shape = _alike(node, args)
    if len(shape) == 2 and not is_vector(shape):
        instead = {"exp": "expm", "log": "logm"}.get(node.value)
        advice = f"write {instead} for the function of the matrix" if instead else "write out which one is meant"
        raise ShapeError(
            f"{_text(node)}: {node.value} of a {described(shape)} can mean the function of the matrix, "
            "or of each entry (which is written for vectors only)",
            advice,
        )
    return shape


# --- indices and sums ------------------------------------------------------------------------------


def _index(node: Node, args: list[Shape]) -> Shape:
    shape, *indices = args
    count = 1 if is_vector(shape) else len(shape)
    if len(indices) != count or not count:
        raise ShapeError(f"{_text(node)}: a {described(shape)} has {count} indices, {len(indices)} given")
    sizes = [size for size in shape if size != 1] if count == 1 else shape
    for index, size, kind in zip(node.args[1:], sizes, indices, strict=True):
        if kind:
            raise ShapeError(f"{_text(node)}: the index {_text(index)} is a {described(kind)}")
        if index.op == "num" and (
            index.value.denominator != 1 or index.value < 1 or (isinstance(size, int) and index.value > size)
        ):
            raise ShapeError(f"{_text(node)}: there is no entry {_text(index)}", f"indices run from 1 to {size}")
    return SCALAR


def _summed(node: Node, args: list[Shape]) -> Shape:
    body, low, high = args
    if low or high:
        raise ShapeError(f"{_text(node)}: the ends of a sum are numbers")
    return body


# --- functions of matrices --------------------------------------------------------------------------


def _square(node: Node, args: list[Shape]) -> Shape:
    rows, columns = rectangle(args[0])
    if rows != columns:
        raise ShapeError(
            f"{_text(node)}: {node.value} needs a square matrix, {_text(node.args[0])} is a {described(args[0])}"
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
    raise ShapeError(f"{_text(node)}: diag needs a vector or a square matrix, not a {described(shape)}")


def _norm(node: Node, args: list[Shape]) -> Shape:
    if len(args) == 2:
        which = node.args[1]
        if which.op != "num" or which.value not in (1, 2):
            raise ShapeError(f"{_text(node)}: the norms 1 and 2 are known, not {_text(which)}")
        if args[0] and not is_vector(args[0]):
            raise ShapeError(
                f"{_text(node)}: norm(A, {_text(which)}) of a {described(args[0])} has several meanings",
                "norm(A) is the Frobenius norm; norms 1 and 2 are those of vectors",
            )
    return SCALAR


def _dot(node: Node, args: list[Shape]) -> Shape:
    if args[0] != args[1] or (args[0] and not is_vector(args[0])):
        raise ShapeError(
            f"{_text(node)}: dot needs two vectors of one size, not a {described(args[0])} and a {described(args[1])}",
            "write A*B, or tr(A'*B), for matrices",
        )
    return SCALAR


def _outer(node: Node, args: list[Shape]) -> Shape:
    for shape in args:
        if len(shape) > 1:
            raise ShapeError(f"{_text(node)}: outer needs two vectors, not a {described(shape)}")
    return normal(*((shape or (1,))[0] for shape in args))


def _kron(_: Node, args: list[Shape]) -> Shape:
    (a, b), (c, d) = map(rectangle, args)
    return normal(times(a, c), times(b, d))


def _vector_function(node: Node, args: list[Shape]) -> Shape:
    if not is_vector(args[0]):
        raise ShapeError(f"{_text(node)}: {node.value} needs a vector, not a {described(args[0])}")
    return args[0] if node.value == "softmax" else SCALAR


def _sized(node: Node, _: list[Shape]) -> Shape:
    sizes = [_size(node, arg) for arg in node.args]
    return normal(*(sizes * 2 if node.value == "eye" else (*sizes, 1)[:2]))


def _size(node: Node, arg: Node) -> Size:
    if arg.op == "symbol":
        return arg.value
    if arg.op == "num" and arg.value.denominator == 1 and arg.value >= 1:
        return int(arg.value)
    raise ShapeError(f"{_text(node)}: a size is a name or a whole number from 1 on, not {_text(arg)}")


_MATRIX: dict[str, Callable[[Node, list[Shape]], Shape]] = {
    "inv": _square, "expm": _square, "logm": _square, "det": _of_square, "logdet": _of_square, "tr": _of_square,
    "diag": _diag, "norm": _norm, "dot": _dot, "outer": _outer, "kron": _kron, "softmax": _vector_function,
    "logsumexp": _vector_function, "eye": _sized, "ones": _sized, "sum": lambda *_: SCALAR,
}  # fmt: skip
