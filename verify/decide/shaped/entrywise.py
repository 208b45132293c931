"""What are the entries of an expression at given sizes?  Arrays of scalar nodes for the nodes of a claim.

Shapes are read off the claim as it stands, before sizes are put in: at n = 1 a column is still no number.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from verify.claim import Claim
from verify.decide.shaped import arrays
from verify.decide.shaped.arrays import Array, Unsupported, flat, mapped, negative, scalar, times, total
from verify.decide.shaped.entries import Sizes, applied, numbers
from verify.decide.shaped.normal import Normal
from verify.graph import (
    MATRIX_FUNCTIONS,
    ONE,
    ZERO,
    Node,
    both,
    call,
    compare,
    derivative,
    div,
    expectation,
    integral,
    mul,
    num,
    piecewise,
    power,
    rebuild,
)
from verify.shapes import Shapes

#: Terms of the largest sum that is written out.
LONGEST_SUM = 200


class NoInstance(Exception):
    """The claim says nothing at these sizes: a condition on them fails, or an index has no entry."""


class Expansion:
    """Arrays of scalar nodes for the nodes of a claim; the indices of sums around are in `env`."""

    def __init__(self, claim: Claim, sizes: Sizes, known: Mapping[str, Array]) -> None:
        self.sizes, self.known, self.variables = sizes, known, claim.domain.variables
        self.shapes = Shapes(claim.domain.variables)
        self.done: dict[tuple[Node, tuple[tuple[str, int], ...]], Array] = {}
        self.env: dict[str, int] = {}

    def value(self, node: Node) -> Array:
        """The array of an expression."""
        key = node, tuple(self.env.items())
        if key not in self.done:
            self.done[key] = self._value(node)
        return self.done[key]

    def scalar(self, node: Node) -> Node:
        """The value of a scalar expression."""
        return self.value(node)[0][0]

    def conditions(self, node: Node) -> Iterator[Node]:
        """The scalar conditions that a condition means.  Raises NoInstance when sizes alone break it."""
        if node.op == "and":
            for arg in node.args:
                yield from self.conditions(arg)
            return
        if node.op == "or":
            yield rebuild(node, (self._together(list(self.conditions(arg))) for arg in node.args))
            return
        if node.op != "compare":
            yield node
            return
        compared = flat(mapped(lambda a, b: compare(a, node.value, b), *map(self.value, node.args)))
        for condition in compared:
            known = _truth(condition)
            if known is False:
                raise NoInstance("a condition on the sizes does not hold")
            if known is None:
                yield condition

    def _together(self, conditions: list[Node]) -> Node:
        return conditions[0] if len(conditions) == 1 else both(*conditions)

    def _value(self, node: Node) -> Array:
        args = node.args
        match node.op:
            case "num" | "constant" | "true":
                return scalar(node)
            case "symbol":
                if node.value in self.env:
                    return scalar(num(self.env[node.value]))
                return self.known[node.value] if node.value in self.known else scalar(node)
            case "add":
                return mapped(lambda *terms: total(terms), *map(self.value, (a for a in args if a is not ZERO)))
            case "mul":
                return self._product(args)
            case "pow":
                return self._power(*args)
            case "transpose":
                return arrays.transposed(self.value(args[0]))
            case "hadamard":
                return mapped(times, *map(self.value, args))
            case "hadamard_pow":
                return mapped(power, *map(self.value, args))
            case "call" if node.value in MATRIX_FUNCTIONS:
                return self._matrix_function(node.value, args)
            case "call":
                return mapped(lambda *entry: call(node.value, *entry), *map(self.value, args))
            case "derivative":
                return mapped(lambda entry: derivative(entry, *node.value), self.value(args[0]))
            case "gradient" | "jacobian" | "hessian" | "divergence":
                return self._by_vector(node)
            case "index":
                return scalar(self._entry(*args))
            case "sum":
                return self._sum(node)
            case "integral":
                low, high = map(self.scalar, args[1:])
                return mapped(lambda entry: integral(entry, node.value, low, high), self.value(args[0]))
            case "expectation":
                return self._mean(node)
            case "abstract":
                name, orders = node.value
                places = [entry for arg in args for entry in flat(self.value(arg))]
                spread = [k for arg, k in zip(args, orders, strict=True) for _ in flat(self.value(arg))]
                return applied(self.known[name], places, spread)
            case "piecewise":
                values = [self.value(value) for value in args[::2]]
                tests = [a if a.op == "true" else self._together(list(self._tests(a))) for a in args[1::2]]
                return mapped(lambda *entry: piecewise(*zip(entry, tests, strict=True)), *values)
        raise Unsupported(f"{node.op} is not written out")

    def _tests(self, node: Node) -> Iterator[Node]:
        """As `conditions`, without a decision on those that are known."""
        if node.op in ("and", "or"):
            yield rebuild(node, (self._together(list(self._tests(arg))) for arg in node.args))
        else:
            yield compare(self.scalar(node.args[0]), node.value, self.scalar(node.args[1]))

    def _product(self, factors: tuple[Node, ...]) -> Array:
        """From left to right; what is a scalar by its shape multiplies every entry."""
        scalars = [self.scalar(f) for f in factors if not self.shapes.of(f)]
        left: Array | None = None
        shape = ()
        for i, factor in enumerate(factors):
            following = self.shapes.of(factor)
            if not following:
                continue
            if left is None or not shape:
                scalars += [left[0][0]] if left is not None else []
                left, shape = self.value(factor), following
            else:
                left = arrays.matrix_product(left, self.value(factor))
                shape = self.shapes.of(mul(*(f for f in factors[: i + 1])))
        if left is None:
            return scalar(times(*scalars))
        return mapped(lambda entry: times(*scalars, entry), left) if scalars else left

    def _power(self, base: Node, exponent: Node) -> Array:
        if not self.shapes.of(base):
            return scalar(power(self.scalar(base), self.scalar(exponent)))
        if abs(exponent.value) > 12:
            raise Unsupported(f"the power {exponent.value} of a matrix is not written out")
        return arrays.matrix_power(self.value(base), int(exponent.value))

    def _whole(self, node: Node) -> int:
        value = self.scalar(node)
        if value.op != "num" or value.value.denominator != 1:
            if node.op == "constant" and node.value == "oo":
                raise Unsupported("this sum up to infinity is no series that is known here; write the sum up to n")
            raise Unsupported("an index is not a whole number")
        return int(value.value)

    def _entry(self, matrix: Node, *indices: Node) -> Node:
        a = self.value(matrix)
        places = [self._whole(index) for index in indices]
        row, column = (
            places if len(places) == 2 else (places[0], 1) if len(self.shapes.of(matrix)) == 1 else (1, *places)
        )
        if not (1 <= row <= len(a) and 1 <= column <= len(a[0])):
            raise NoInstance(f"there is no entry {row}, {column}")
        return a[row - 1][column - 1]

    def _sum(self, node: Node) -> Array:
        body, low, high = node.args
        first, last = self._whole(low), self._whole(high)
        if last < first - 1:
            raise NoInstance("a sum ends before it begins")
        if last - first >= LONGEST_SUM:
            raise Unsupported("a sum is too long to be written out")
        outside = self.env
        terms = []
        for i in range(first, last + 1):
            self.env = {**outside, node.value: i}
            terms.append(self.value(body))
        self.env = outside
        if not terms:
            rows, columns = numbers(self.shapes.of(body), self.sizes)
            return arrays.array(rows, columns, lambda *_: ZERO)
        return mapped(lambda *entry: total(entry), *terms)

    def _mean(self, node: Node) -> Array:
        """The mean of each entry; for a vector as far as it has a closed form."""
        name, law = node.value
        entries = self.value(node.args[0])
        parameters = [self.value(arg) for arg in node.args[1:]]
        if not self.shapes.variable(name):
            return mapped(lambda entry: expectation(entry, name, law, *(p[0][0] for p in parameters)), entries)
        names = [entry.value for entry in flat(self.known[name])]
        mean, covariance = parameters
        if node.args[1] is ZERO:
            mean = arrays.array(len(names), 1, lambda *_: ZERO)
        declared = self.variables.get(node.args[2].value) if node.args[2].op == "symbol" else None
        symmetric = declared is not None and declared.structure in ("spd", "symmetric", "diagonal")
        law_of = Normal.of(names, flat(mean), covariance, symmetric=symmetric)
        return mapped(law_of.mean_of, entries)

    def _by_vector(self, node: Node) -> Array:
        (body,) = node.args
        places = self.known[node.value]
        match node.op:
            case "gradient":
                value = self.scalar(body)
                return mapped(lambda place: _partial(value, place), places)
            case "jacobian":
                rows = flat(self.value(body))
                return tuple(tuple(_partial(value, place) for place in flat(places)) for value in rows)
            case "hessian":
                value = self.scalar(body)
                return tuple(tuple(_partial(_partial(value, p), q) for q in flat(places)) for p in flat(places))
        return scalar(total(_partial(v, p) for v, p in zip(flat(self.value(body)), flat(places), strict=True)))

    def _matrix_function(self, name: str, args: tuple[Node, ...]) -> Array:
        if name in ("eye", "ones"):
            sizes = [self._whole(arg) for arg in args]
            return arrays.identity(sizes[0]) if name == "eye" else arrays.array(*(*sizes, 1)[:2], lambda *_: ONE)
        a = self.value(args[0])
        match name:
            case "inv":
                return arrays.inverse(a)
            case "det":
                return scalar(arrays.determinant(a))
            case "logdet":
                return scalar(call("log", arrays.determinant(a)))
            case "tr":
                return scalar(total(a[i][i] for i in range(len(a))))
            case "expm":
                return arrays.exponential(a)
            case "logm":
                return arrays.logarithm(a)
            case "diag" if len(self.shapes.of(args[0])) == 1:
                return arrays.array(len(a), len(a), lambda i, j: a[i][0] if i == j else ZERO)
            case "diag":
                return arrays.array(len(a), 1, lambda i, _: a[i][i])
            case "norm" if len(args) == 2 and args[1] is ONE:
                return scalar(total(call("abs", entry) for entry in flat(a)))
            case "norm":
                return scalar(arrays.euclidean(flat(a)))
            case "dot":
                return scalar(total(map(times, flat(a), flat(self.value(args[1])))))
            case "outer":
                return arrays.matrix_product(a, arrays.transposed(self.value(args[1])))
            case "kron":
                return arrays.kronecker(a, self.value(args[1]))
            case "sum":
                return scalar(total(flat(a)))
            case "softmax" | "logsumexp":
                weights = mapped(lambda entry: call("exp", entry), a)
                whole = total(flat(weights))
                return scalar(call("log", whole)) if name == "logsumexp" else mapped(lambda w: div(w, whole), weights)
        raise Unsupported(f"{name} of a {len(a)}×{len(a[0])} matrix is not written out")


def _partial(value: Node, place: Node) -> Node:
    """The derivative by an entry, which is a symbol, a symbol with a minus, or 0 by structure."""
    if place is ZERO:
        return ZERO
    if place.op == "symbol":
        return derivative(value, place.value)
    return negative(derivative(value, place.args[1].value))


def _truth(condition: Node) -> bool | None:
    """Whether a comparison of two numbers holds; None where it is not one of numbers."""
    left, right = condition.args
    if not left.op == right.op == "num":
        return None
    a, b = left.value, right.value
    return {"<": a < b, "<=": a <= b, ">": a > b, ">=": a >= b, "=": a == b, "!=": a != b}[condition.value]
