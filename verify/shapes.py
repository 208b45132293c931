"""Which shape has an expression?  () a scalar, (n,) a column, (1, n) a row, (m, n) a matrix: see `verify.sizes`.

The literal 0 is the zero of every shape.
"""

from __future__ import annotations

from collections.abc import Mapping

from verify.claim import Claim, Shape, Variable
from verify.graph import ZERO, Node, add, mul, postorder, transpose
from verify.shape_rules import (
    MATRIX_RULES,
    common_shape,
    shape_of_entry,
    shape_of_entrywise_call,
    shape_of_entrywise_power,
    shape_of_expectation,
    shape_of_indexed_sum,
    shape_of_integral,
    shape_of_power,
    shape_of_product,
    shape_of_sum,
)
from verify.sizes import SCALAR, ShapeError, described, flipped, is_vector, normal, rectangle, text_of

__all__ = [
    "ShapeError", "Shapes", "described", "flipped", "normal", "of_sides", "rectangle", "transposed_sides", "turned",
]  # fmt: skip


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
            # A reader asks from the inside out: what is below is known then, and is not walked through again.
            below = (root,) if all(arg in self.known for arg in root.args) else postorder(root)
            for node in below:
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
                return shape_of_sum(node, args)
            case "mul":
                return shape_of_product(node, args)
            case "pow":
                return shape_of_power(node, *args)
            case "transpose":
                return flipped(args[0])
            case "hadamard":
                return common_shape(node, args)
            case "hadamard_pow":
                return shape_of_entrywise_power(node, *args)
            case "call":
                rule = MATRIX_RULES.get(node.value, shape_of_entrywise_call)
                return rule(node, args)
            case "compare":
                return common_shape(node, args) and SCALAR
            case "derivative":
                return self._by_scalar(node, args[0])
            case "gradient" | "jacobian" | "hessian" | "divergence":
                return self._by_vector(node, args[0])
            case "index":
                return shape_of_entry(node, args)
            case "sum":
                return shape_of_indexed_sum(node, args)
            case "integral":
                return shape_of_integral(node, self.variable(node.value), args)
            case "expectation":
                return shape_of_expectation(node, self.variable(node.value[0]), args)
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
                raise ShapeError(f"{text_of(node)}: a {described(shape)} in place of {argument}, a {described(needed)}")
            if order and shape:
                raise ShapeError(f"{text_of(node)}: {argument} is a {described(shape)}", f"write grad_{argument}")
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
