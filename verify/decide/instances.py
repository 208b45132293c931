"""What does a claim on vectors and matrices say at given sizes?  The same claim, entry by entry, in scalar symbols.

Shapes are read off the claim as it stands, before sizes are put in: at n = 1 a column is still no number.
All derivatives are carried out by the rules.  What was differentiated must be defined too: it is kept aside, and comes
back with a factor 0 in the scalar claims.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise
from random import Random

from verify.claim import Claim, Domain, Variable
from verify.decide import arrays
from verify.decide.arrays import (
    Array,
    Unsupported,
    flat,
    is_polynomial,
    mapped,
    negative,
    scalar,
    size_of,
    times,
    total,
)
from verify.decide.differentiate import carried_out
from verify.decide.entries import Entries, Sizes, applied, components, entries, numbers
from verify.decide.tower import GiveUp, Restart
from verify.graph import (
    MATRIX_FUNCTIONS,
    MINUS_ONE,
    ONE,
    ZERO,
    Node,
    add,
    both,
    call,
    compare,
    derivative,
    div,
    mul,
    num,
    piecewise,
    postorder,
    power,
    rebuild,
    size,
    substitute,
    symbol,
)
from verify.shapes import Shapes

__all__ = ["Instance", "NoInstance", "Unsupported", "instances", "opaque", "with_functions"]

BY_VECTOR = ("gradient", "jacobian", "hessian", "divergence")
#: Terms of the largest sum that is written out, and nodes of the largest instance.
LONGEST_SUM = 200
LARGEST_INSTANCE = 60_000


class NoInstance(Exception):
    """The claim says nothing at these sizes: a condition on them fails, or an index has no entry."""


@dataclass(frozen=True)
class Instance:
    """A claim at given sizes; all nodes are scalar, without derivatives.

    lhs, rhs    the entries of the two sides.
    bodies      what was differentiated, and must be defined.
    variables   the free symbols.
    shown       the declared vectors and matrices in terms of the free symbols.
    named       the names of the entries of abstract functions, vectors and matrices.
    places      how the arguments of those are called, entry by entry.
    functions   what they are here, as expressions in their arguments, by the names of the entries.
    """

    claim: Claim
    sizes: Sizes
    lhs: Array
    rhs: Array
    bodies: tuple[Node, ...]
    conditions: tuple[Node, ...]
    variables: Mapping[str, Variable]
    shown: Mapping[str, Array]
    named: Mapping[str, Array]
    places: Mapping[str, tuple[str, ...]]
    functions: Mapping[str, Node] = field(default_factory=dict)

    def entry_claims(self) -> list[Claim]:
        """One scalar claim for each entry."""
        pairs = zip(flat(self.lhs), flat(self.rhs), strict=True)
        return [self._scalar(lhs, rhs, self.bodies) for lhs, rhs in pairs]

    def combined(self, weights: Sequence[Node] = ()) -> Claim:
        """One scalar claim: a weighted sum of all entries, defined only where all of them are.

        weights   numbers, seldom blind to a difference; without them symbols, and the sum says as much as its terms.
        """
        own: dict[str, Variable] = {}
        if not weights:
            if len(flat(self.lhs)) == 1:
                weights = (ONE,)
            else:
                own = {name: Variable(name) for name in _weights(self.variables, len(flat(self.lhs)))}
                weights = tuple(map(symbol, own))
        lhs, rhs = (
            total(times(w, entry) for w, entry in zip(weights, flat(side), strict=True))
            for side in (self.lhs, self.rhs)
        )
        return self._scalar(lhs, rhs, self.bodies, own)

    def _scalar(self, lhs: Node, rhs: Node, bodies: Sequence[Node], own: Mapping[str, Variable] | None = None) -> Claim:
        partial = [mul(ZERO, body) for body in bodies if not is_polynomial(body)]
        lhs = add(lhs, *partial) if partial else lhs
        used = {node.value for node in postorder(lhs, rhs, *self.conditions) if node.op == "symbol"}
        variables = {name: v for name, v in {**self.variables, **(own or {})}.items() if name in used}
        domain = Domain(variables, self.conditions, self.claim.domain.everywhere)
        return Claim(lhs, rhs, domain)

    def nodes(self) -> Iterator[Node]:
        """All expressions of the instance."""
        yield from flat(self.lhs)
        yield from flat(self.rhs)
        yield from self.bodies
        yield from self.conditions

    def changed(self, change: Mapping[Node, Node]) -> Instance:
        """With nodes replaced everywhere."""

        def new(node: Node) -> Node:
            return substitute(node, change)

        return replace(
            self,
            lhs=mapped(new, self.lhs),
            rhs=mapped(new, self.rhs),
            bodies=tuple(map(new, self.bodies)),
            conditions=tuple(map(new, self.conditions)),
        )


def instances(claim: Claim, sizes: Sizes, *, largest: int = LARGEST_INSTANCE) -> list[Instance]:
    """The claim at these sizes: one instance, or one for every choice of determinants of orthogonal matrices.

    largest   nodes that an instance may have.

    Raises Unsupported for what has no expression in entries or a longer one, NoInstance where the claim says nothing
    at these sizes.
    """
    return [_instance(claim, sizes, signs, largest) for signs in components(claim.domain.variables.values())]


def _instance(claim: Claim, sizes: Sizes, determinants: Mapping[str, int], largest: int) -> Instance:
    domain = claim.domain
    differentiated = {node.value for node in postorder(claim.lhs, claim.rhs) if node.op in BY_VECTOR}
    for name in differentiated:
        if domain.structured and domain.variables[name].structure == "orthogonal":
            raise Unsupported("gradients along orthogonal matrices are not decided")
    made = entries(
        domain.variables,
        sizes,
        differentiated=differentiated,
        together=domain.structured,
        determinants=determinants,
    )
    expansion = _Expansion(claim, sizes, made.arrays)
    lhs, rhs = expansion.value(claim.lhs), expansion.value(claim.rhs)
    if size_of(lhs) != size_of(rhs):
        lhs, rhs = (
            mapped(lambda _: ZERO, other) if side == scalar(ZERO) else side for side, other in ((lhs, rhs), (rhs, lhs))
        )
    conditions = tuple(node for condition in domain.conditions for node in expansion.conditions(condition))
    bodies = [n.args[0] for n in postorder(*flat(lhs), *flat(rhs)) if n.op == "derivative"]
    if sum(size(body) for body in bodies) + size(*flat(lhs), *flat(rhs)) > largest:
        raise Unsupported("the claim is too long when it is written out")
    if domain.everywhere and not all(map(is_polynomial, bodies)):
        raise Unsupported("the rules of differentiation say nothing at kinks, which belong to the claim")

    def final(node: Node) -> Node:
        try:
            return substitute(carried_out(node), made.structured)
        except (GiveUp, Restart) as reason:
            raise Unsupported(str(reason) or "a derivative has no rule") from None

    lhs, rhs = mapped(final, lhs), mapped(final, rhs)
    instance = Instance(
        claim,
        sizes,
        lhs,
        rhs,
        tuple(dict.fromkeys(map(final, bodies))),
        tuple(map(final, conditions)),
        made.variables,
        {name: made.final(name) for name, v in domain.variables.items() if not v.of and v.field != "size"},
        {name: made.arrays[name] for name, v in domain.variables.items() if v.of},
        _places(domain.variables, made),
    )
    if size(*instance.nodes()) > largest:
        raise Unsupported("the claim is too long when it is written out")
    return instance


def _places(variables: Mapping[str, Variable], made: Entries) -> dict[str, tuple[str, ...]]:
    """The names of the arguments of every entry of an abstract function, all different.

    Entries of a matrix with structure may be no symbols, or the same one twice: those get a name of their own.
    """
    places: dict[str, tuple[str, ...]] = {}
    for name, variable in variables.items():
        if variable.of:
            own: dict[str, None] = {}
            for argument in variable.of:
                for k, entry in enumerate(flat(made.arrays.get(argument, scalar(symbol(argument))))):
                    place = entry.value if entry.op == "symbol" else f"{argument}_{k + 1}"
                    while place in own:
                        place += "_"
                    own[place] = None
            labels = (n for e in flat(made.arrays[name]) for n in postorder(e) if n.op == "symbol")
            places |= {label.value: tuple(own) for label in labels}
    return places


def _weights(taken: Mapping[str, Variable], count: int) -> list[str]:
    prefix = "w"
    while any(name.startswith(f"{prefix}_") for name in taken):
        prefix += "w"
    return [f"{prefix}_{k + 1}" for k in range(count)]


class _Expansion:
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
            case "abstract":
                name, orders = node.value
                places = [entry for arg in args for entry in flat(self.value(arg))]
                spread = [k for arg, k in zip(args, orders, strict=True) for _ in flat(self.value(arg))]
                return applied(self._names(name), places, spread)
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

    def _names(self, name: str) -> Array:
        return self.known[name]

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
            case "logm" if size_of(a) == (1, 1):
                return scalar(call("log", a[0][0]))
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


# --- abstract functions ---------------------------------------------------------------------------


def opaque(instance: Instance) -> Instance:
    """Every value and derivative of an abstract function at every place is a symbol of its own.

    An identity that holds for all values of these symbols holds for all functions.
    """
    change: dict[Node, Node] = {}
    variables = dict(instance.variables)
    for node in postorder(*instance.nodes()):
        if node.op == "abstract":
            name = f"{node.value[0]}_{len(change) + 1}"
            while name in variables:
                name += "_"
            change[node] = symbol(name)
            variables[name] = Variable(name)
    return replace(instance.changed(change), variables=variables) if change else instance


def with_functions(instance: Instance, functions: Mapping[str, Node]) -> Instance:
    """Every abstract function replaced by an expression in its arguments, by the names of entries."""
    change: dict[Node, Node] = {}
    for node in postorder(*instance.nodes()):
        if node.op != "abstract":
            continue
        name, orders = node.value
        places = instance.places[name]
        value = functions[name]
        for place, order in zip(places, orders, strict=True):
            if order:
                value = carried_out(derivative(value, place, order))
        args = (substitute(arg, change) for arg in node.args)
        change[node] = substitute(value, dict(zip(map(symbol, places), args, strict=True)))
    return replace(instance.changed(change), functions=functions) if change else instance


def generic(instance: Instance, rng: Random) -> dict[str, Node]:
    """Polynomials plus exponentials with small random coefficients, for all abstract functions."""
    return {name: _generic(tuple(map(symbol, places)), rng) for name, places in instance.places.items()}


def plain(instance: Instance, rng: Random) -> dict[str, Node]:
    """Polynomials of degree 2 with small whole coefficients, for all abstract functions."""
    return {name: _plain(tuple(map(symbol, places)), rng) for name, places in instance.places.items()}


def _generic(places: Sequence[Node], rng: Random) -> Node:
    """c + linear + quadratic + exp(linear)/k in the places."""

    def coefficient() -> Node:
        return num(rng.choice((1, 2, 3))) * rng.choice((ONE, MINUS_ONE)) / num(rng.choice((1, 2, 4)))

    terms = [coefficient()]
    terms += [coefficient() * place for place in places]
    terms += [coefficient() * power(place, num(2)) for place in places]
    terms += [coefficient() * a * b for a, b in pairwise(places)]
    rate = total(num(rng.choice((1, -1))) / num(rng.choice((1, 2))) * place for place in places)
    return add(*terms, mul(num(1) / num(rng.choice((1, 2))), call("exp", rate)))


def _plain(places: Sequence[Node], rng: Random) -> Node:
    terms = [num(rng.randint(-2, 3))]
    terms += [mul(num(rng.choice((1, 2, -1))), place) for place in places]
    terms += [power(place, num(2)) for place in places if rng.random() < 0.5]
    return total(terms)
