"""Which sum of graphs does an expression mean?  Every value has labelled axes: "r" its rows, "c" its columns.

A column has only rows, x' only columns.  The index i of a sum is the axis ("i", name); sum(…, i, 1, n) joins it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from verify.claim import Domain, Size, Variable
from verify.decide.contraction import functions
from verify.decide.contraction.abstract import Head, abstract, slope
from verify.decide.contraction.derive import derivative
from verify.decide.contraction.elementwise import (
    POSITIVE,
    exponential,
    is_surely_positive,
    logarithm,
    power,
    size_power,
)
from verify.decide.contraction.functions import Value, aligned, shape_of
from verify.decide.contraction.matrices import HIGHEST_POWER, with_diagonal
from verify.decide.contraction.means import mean
from verify.decide.contraction.space import ALTERNATING, TRANSPOSABLE, GiveUp, Space, Symmetry
from verify.decide.contraction.substitute import substituted
from verify.decide.contraction.sums import Sum, einsum, identity, matmul, number, of_atom, size
from verify.graph import MATRIX_FUNCTIONS, Node, postorder
from verify.shapes import normal, rectangle

DIFFERENTIAL = ("derivative", "gradient", "jacobian", "hessian", "divergence")
STRUCTURES: dict[str, int] = {"symmetric": 1, "spd": 1, "antisymmetric": -1}


@dataclass(frozen=True)
class Expansion:
    """Expressions over declared variables as sums of one space.

    generic   matrices whose structure is forgotten for the time of a differentiation by them.
    values    names that stand for sums; for the rules of functions.
    """

    space: Space
    domain: Domain
    generic: frozenset[str]
    known: dict[tuple[frozenset[str], Node], Value]
    values: Mapping[str, Value]

    def value(self, root: Node) -> Value:
        """The expression's value.  Raises GiveUp for what has no normal form."""
        for node in postorder_outside(root):
            if (self.generic, node) not in self.known:
                self.known[self.generic, node] = self._node(node)
        return self.known[self.generic, root]

    def _node(self, node: Node) -> Value:
        match node.op:
            case "num":
                return Value(number(self.space, _exact(node.value)), ())
            case "constant":
                return self._constant(node.value)
            case "symbol":
                return self._symbol(node.value)
            case "add":
                return self._sum(node)
            case "mul":
                return self._product(node.args)
            case "pow":
                return self._power(*node.args)
            case "hadamard":
                return functions.entrywise_product([self.value(a) for a in node.args])
            case "hadamard_pow":
                return self._raised(*node.args)
            case "transpose":
                return functions.transposed(self.value(node.args[0]))
            case "call" if node.value in ("eye", "ones"):
                return self._constant_matrix(node)
            case "call" if node.value in MATRIX_FUNCTIONS:
                return functions.matrix_function(node, [self.value(a) for a in node.args])
            case "call":
                if node.value == "log":
                    self._grant(node.args[0])
                return functions.scalar_function(node.value, [self.value(a) for a in node.args])
            case op if op in DIFFERENTIAL:
                return self._differentiated(node)
            case "index":
                return self._entry(node)
            case "sum":
                return self._summed(node)
            case "expectation":
                return self._mean(node)
            case "abstract":
                return self._abstract(node)
        raise GiveUp(f"{node.op} has no normal form")

    def _mean(self, node: Node) -> Value:
        """The mean of a polynomial in a normal variable, which stands for no other quantity of its name."""
        name, law = node.value
        if law != "normal":
            raise GiveUp(f"the mean under the law {law} has no normal form")
        if any(each.op in DIFFERENTIAL and name in (each.value, each.value[0]) for each in postorder(node.args[0])):
            raise GiveUp("a derivative by a random variable")
        dims, labels = axes_of(self.domain.variables.get(name, Variable(name)))
        atom = self.space.atom("symbol", f"~{name}", dims, flags=frozenset({"generic"}))
        inside = {**self.values, name: Value(of_atom(self.space, atom), labels)}
        body = Expansion(self.space, self.domain, self.generic, {}, inside).value(node.args[0])
        centre, spread = map(self.value, node.args[1:])
        if not dims:
            spread = functions.entrywise_product([spread, spread])
        if centre.labels != labels and not (centre.labels == () and not centre.sum.terms):
            raise GiveUp("a mean under an index")
        if set(spread.labels) != ({"r", "c"} if dims else set()):
            raise GiveUp("a covariance under an index")
        at = centre.sum if centre.labels == labels else number(self.space, 0, dims)
        matrix = spread.sum if not dims else functions.square(spread)
        return Value(mean(body.sum, atom, at, matrix), body.labels)

    def _grant(self, logarithmand: Node) -> None:
        """Where the logarithm of a determinant is defined, the matrix has an inverse."""
        inner = logarithmand.args[0] if logarithmand.op == "call" and logarithmand.value == "abs" else logarithmand
        if inner.op == "call" and inner.value == "det" and shape_of(matrix := self.value(inner.args[0])):
            functions.inverted(functions.square(matrix))

    # --- leaves ---

    def _constant(self, name: str) -> Value:
        if name in ("I", "oo"):
            raise GiveUp(f"{name} is no real number")
        if name == "E":
            return Value(exponential(number(self.space, 1)), ())
        return Value(of_atom(self.space, self.space.atom("number", name, flags=POSITIVE)), ())

    def _symbol(self, name: str) -> Value:
        if name in self.values:
            return self.values[name]
        if name not in self.domain.variables:
            raise GiveUp("an index that is a number")
        variable = self.domain.variables[name]
        if variable.field == "size":
            return Value(size(self.space, name), ())
        if variable.structure == "diagonal" and name not in self.generic:
            atom = self.space.atom("symbol", name, variable.shape[:1], flags=_flags(variable))
            return Value(with_diagonal(of_atom(self.space, atom)), ("r", "c"))
        dims, labels = axes_of(variable)
        return Value(of_atom(self.space, self.atom(name, dims)), labels)

    def atom(self, name: str, dims: tuple[Size, ...]) -> int:
        """The atom of a variable."""
        variable = self.domain.variables[name]
        if name in self.generic:
            return self.space.atom("symbol", name, dims, flags=frozenset({"generic", "free"}))
        symmetry: Symmetry = {1: TRANSPOSABLE, -1: ALTERNATING}.get(STRUCTURES.get(variable.structure, 0), ())
        return self.space.atom("symbol", name, dims, (), symmetry, _flags(variable))

    def _constant_matrix(self, node: Node) -> Value:
        sizes: list[Size] = [a.value if a.op == "symbol" else int(a.value) for a in node.args]
        if node.value == "eye":
            (n,) = sizes
            return Value(number(self.space, 1), ()) if n == 1 else Value(identity(self.space, n), ("r", "c"))
        rows, columns = (*sizes, 1)[:2]
        dims, labels = _without_ones(rows, columns)
        return Value(number(self.space, 1, dims), labels)

    # --- arithmetic ---

    def _sum(self, node: Node) -> Value:
        values = [self.value(a) for a in node.args]
        kinds = {frozenset(shape_of(v)) for v in values if v.sum.terms}
        if len(kinds) > 1:
            raise GiveUp("terms of different shapes")
        labels, sums = aligned(values)
        total = sums[0]
        for s in sums[1:]:
            total = total + s
        return Value(total, labels)

    def _product(self, factors: Iterable[Node]) -> Value:
        result: Value | None = None
        for factor in factors:
            value = self.value(factor)
            result = value if result is None else functions.product(result, value)
        assert result is not None
        return result

    def _power(self, base: Node, exponent: Node) -> Value:
        a = self.value(base)
        if not shape_of(a):
            return self._raised(base, exponent)
        e = int(exponent.value)
        if abs(e) > HIGHEST_POWER:
            raise GiveUp("a high power of a matrix")
        matrix = functions.square(a)
        if e < 0:
            matrix = functions.inverted(matrix)
        result = identity(self.space, matrix.dims[0])
        for _ in range(abs(e)):
            result = matmul(result, matrix)
        return Value(result, ("r", "c"))

    def _raised(self, base: Node, exponent: Node) -> Value:
        a = self.value(base)
        if exponent.op == "num":
            return Value(power(a.sum, exponent.value), a.labels)
        if exponent.op == "symbol" and self._is_size(exponent.value) and not a.labels:
            return Value(size_power(a.sum, exponent.value), ())
        e = self.value(exponent)
        if any(self._is_integer(name) for name in _names(exponent)) and not is_surely_positive(a.sum):
            raise GiveUp("a whole exponent that is not known, of a base that may be negative")
        labels, (x, y) = aligned([Value(logarithm(a.sum), a.labels), e])
        return Value(exponential(einsum(x.axes, (x, x.axes), (y, y.axes))), labels)

    def _is_size(self, name: str) -> bool:
        return name in self.domain.variables and self.domain.variables[name].field == "size"

    def _is_integer(self, name: str) -> bool:
        return name in self.domain.variables and self.domain.variables[name].field in ("integer", "size")

    # --- derivatives ---

    def _differentiated(self, node: Node) -> Value:
        name, order = node.value if node.op == "derivative" else (node.value, 2 if node.op == "hessian" else 1)
        variable = self.domain.variables.get(name, Variable(name))
        forgetting = self
        if variable.structure and name not in self.generic:
            forgetting = Expansion(self.space, self.domain, self.generic | {name}, self.known, self.values)
        body = forgetting.value(node.args[0])
        dims, axes = axes_of(variable)
        atom = forgetting.atom(name, dims)
        result = body.sum
        for _ in range(order):
            result = derivative(result, atom)
        if forgetting is not self:
            result = self._structured(result, atom, name, len(body.labels))
        return functions.labelled(node.op, result, body.labels, axes)

    def _structured(self, a: Sum, atom: int, name: str, before: int) -> Sum:
        """The structure put back; where the claim says `structured`, entries vary as it lets them."""
        structure = self.domain.variables[name].structure
        result = substituted(a, {atom: self._symbol(name).sum})
        if not self.domain.structured:
            return result
        own = tuple(range(before))
        row, column = before, before + 1
        turned = einsum((*own, row, column), (result, (*own, column, row)))
        one = identity(self.space, result.dims[-1])
        on_diagonal = einsum((*own, row, column), (result, (*own, row, column)), (one, (row, column)))
        match structure:
            case "symmetric" | "spd":
                return result + turned - on_diagonal
            case "antisymmetric":
                return result - turned
            case "diagonal":
                return on_diagonal
        raise GiveUp(f"a gradient among {structure} matrices")

    # --- indices, sums, abstract functions ---

    def _entry(self, node: Node) -> Value:
        a = self.value(node.args[0])
        places = [x for x in ("r", "c") if x in a.labels]
        if len(shape_of(a)) > len(places):
            raise GiveUp("an entry of a Kronecker product")
        names: dict[str, Any] = {}
        units: list[tuple[Sum, tuple[Any, ...]]] = []
        for place, index in zip(places, node.args[1:], strict=True):
            n = a.sum.dims[a.labels.index(place)]
            if index.op == "symbol":
                names[place] = ("i", index.value)
            elif index.op == "num":
                names[place] = place
                units.append((of_atom(self.space, self.space.atom("unit", int(index.value), (n,))), (place,)))
            else:
                raise GiveUp("arithmetic with indices")
        labels = tuple(names.get(x, x) for x in a.labels)
        out = tuple(dict.fromkeys(x for x in labels if x not in ("r", "c")))
        return Value(einsum(out, (a.sum, labels), *units), out)

    def _summed(self, node: Node) -> Value:
        body, low, high = node.args
        a = self.value(body)
        if low.op != "num" or low.value != 1:
            raise GiveUp("a sum that does not begin at 1")
        label = ("i", node.value)
        n: Any = high.value if high.op in ("symbol", "num") else None
        if label not in a.labels:
            count = self.value(high)
            return functions.product(count, a)
        if a.sum.dims[a.labels.index(label)] != n:
            raise GiveUp("a sum over a part of an index")
        out = tuple(x for x in a.labels if x != label)
        return Value(einsum(out, (a.sum, a.labels)), out)

    def _abstract(self, node: Node) -> Value:
        name, orders = node.value
        variable = self.domain.variables[name]
        values = [self.value(a) for a in node.args]
        if any(not set(shape_of(v)) <= {"r", "c"} for v in values):
            raise GiveUp("a function of a Kronecker product")
        context = tuple(dict.fromkeys(x for v in values for x in v.labels if x not in ("r", "c")))
        arguments = []
        for value in values:
            own = tuple(x for x in ("r", "c") if x in value.labels)
            dims = {x: n for v in values for x, n in zip(v.labels, v.sum.dims, strict=True) if x in context}
            spread = number(self.space, 1, tuple(dims[x] for x in context))
            arguments.append(einsum((*context, *own), (value.sum, value.labels), (spread, context)))
        is_diagonal = variable.structure == "diagonal"
        dims, labels = (variable.shape[:1], ("r",)) if is_diagonal else axes_of(variable)
        head = Head(name, len(context), (), STRUCTURES.get(variable.structure, 0))
        atom = abstract(self.space, head, dims, tuple(arguments), _flags(variable))
        result = of_atom(self.space, atom)
        for i, order in enumerate(orders):
            for _ in range(order):
                ((((factor,), _),),) = result.terms
                result = slope(self.space, factor[0], i)
        if is_diagonal:
            if context:
                raise GiveUp("diagonal matrices under an index")
            return Value(with_diagonal(result), ("r", "c"))
        return Value(result, (*context, *labels))


def postorder_outside(root: Node) -> Iterable[Node]:
    """The nodes below, but none below a differentiation: what is differentiated by may stand for more there."""
    seen: set[Node] = set()
    stack = [(root, False)]
    while stack:
        node, ready = stack.pop()
        if ready:
            yield node
        elif node not in seen:
            seen.add(node)
            stack.append((node, True))
            if node.op not in (*DIFFERENTIAL, "expectation", "eye"):
                # Indices and the ends of sums are no expressions of their own.
                inner = node.args[:1] if node.op in ("index", "sum") else node.args
                stack.extend((arg, False) for arg in reversed(inner))


def axes_of(variable: Variable) -> tuple[tuple[Size, ...], tuple[str, ...]]:
    """The axes of a variable with their labels; those of size 1 are none."""
    return _without_ones(*rectangle(normal(*rectangle(variable.shape))))


def _without_ones(rows: Size, columns: Size) -> tuple[tuple[Size, ...], tuple[str, ...]]:
    both = [(n, label) for n, label in ((rows, "r"), (columns, "c")) if n != 1]
    return tuple(n for n, _ in both), tuple(label for _, label in both)


def _flags(variable: Variable) -> frozenset[str]:
    """What is known of all values of a variable."""
    flags = set()
    if variable.low is not None and variable.low.op == "num" and variable.low.value >= 0:
        flags.add("positive")
    if variable.structure in ("", "symmetric", "spd"):
        flags.add("generic")
    if variable.structure in ("spd", "orthogonal"):
        flags.add(variable.structure)
    return frozenset(flags)


def _exact(value: Any) -> Any:
    return value.numerator if value.denominator == 1 else value


def _names(node: Node) -> set[str]:
    return {n.value for n in postorder(node) if n.op == "symbol"}


def scalar_expression(rule: Node, values: Mapping[str, Sum]) -> Sum:
    """An expression in names that stand for sums with the same axes, entry by entry."""
    first = next(iter(values.values()))
    labels = tuple(("i", k) for k in first.axes)
    named = {name: Value(a, labels) for name, a in values.items()}
    found = Expansion(first.space, Domain(), frozenset(), {}, named).value(rule)
    return einsum(labels, (found.sum, found.labels), (number(first.space, 1, first.dims), labels))
