"""What is the derivative by a vector, a matrix or a number, as a formula in vectors and matrices?

Gradients of numbers go backwards (`matrix_gradient`), derivatives by a number and Jacobians forwards.  Nothing is
decided here: the result is judged before it is shown.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from verify.calculus.matrix_entrywise import Entries, described
from verify.calculus.matrix_gradient import Backwards
from verify.calculus.matrix_tidy import Tidying
from verify.claim import Variable
from verify.decide.diagnose.formula import NoFormula
from verify.graph import (
    MATRIX_FUNCTIONS,
    MINUS_ONE,
    ONE,
    ZERO,
    Node,
    add,
    by_vector,
    call,
    derivative,
    free_symbols,
    hadamard,
    mul,
    neg,
    num,
    postorder,
    power,
    substitute,
    symbol,
    transpose,
)
from verify.shapes import ShapeError

__all__ = ["NoFormula", "carried_out"]


def carried_out(root: Node, variables: Mapping[str, Variable], *, structured: bool = False) -> Node:
    """The expression with all its derivatives carried out, tidied.

    structured   whether entries of a matrix with structure vary together.

    Raises NoFormula for what has no formula here.
    """
    entries = Entries(Tidying(variables))
    one = _Forwards(entries, Backwards(entries, structured))
    try:
        return one.without_derivatives(root)
    except ShapeError as error:
        raise NoFormula(str(error)) from None


@dataclass(frozen=True)
class _Forwards:
    entries: Entries
    backwards: Backwards

    def without_derivatives(self, root: Node) -> Node:
        done: dict[Node, Node] = {}
        for node in postorder(root):
            new = self.entries.tidying.tidy(substitute(node, {a: done[a] for a in node.args}) if node.args else node)
            match node.op:
                case "gradient":
                    new = self.backwards.gradient(done[node.args[0]], node.value)
                case "jacobian":
                    new = self._jacobian(done[node.args[0]], node.value)
                case "hessian":
                    inner = self.backwards.gradient(done[node.args[0]], node.value)
                    new = self._jacobian(inner, node.value)
                case "divergence":
                    new = call("tr", self._jacobian(done[node.args[0]], node.value))
                case "derivative" if done[node.args[0]].op not in ("abstract", "derivative"):
                    name, order = node.value
                    new = done[node.args[0]]
                    for _ in range(order):
                        new = self.entries.tidying.tidy(self._slope(new, name))
            done[node] = self.entries.tidying.tidy(new)
        return done[root]

    # --- backwards ---

    # --- functions of each entry ---

    # --- forwards, by a number ---

    def _slope(self, root: Node, name: str) -> Node:
        """The derivative by a number; of the shape of the expression."""
        moving = self._moving(name)
        done: dict[Node, Node] = {}
        without: dict[Node, NoFormula] = {}
        for node in postorder(root):
            if not moving(node):
                done[node] = ZERO
                continue
            try:
                done[node] = self._slope_of(node, name, done)
            except NoFormula as reason:
                # The trace of an exponential has a derivative where the exponential has none.
                without[node] = reason
            except KeyError as missing:
                without[node] = without[missing.args[0]]
        if root in without:
            raise without[root]
        return done[root]

    def _moving(self, name: str) -> Callable[[Node], bool]:
        known: dict[Node, bool] = {}

        def moving(root: Node) -> bool:
            for node in postorder(root):
                known.setdefault(node, node is symbol(name) or any(known[a] for a in node.args))
            return known[root]

        return moving

    def _slope_of(self, node: Node, name: str, done: Mapping[Node, Node]) -> Node:
        args = node.args
        if node.op == "call" and node.value == "tr" and args[0].op == "call" and args[0].value in ("expm", "logm"):
            (inner,) = args[0].args
            outer = args[0] if args[0].value == "expm" else call("inv", inner)
            return call("tr", mul(outer, done[inner]))
        slopes = [done[a] for a in args]
        match node.op:
            case "symbol":
                return ONE
            case "add":
                return add(*(s for s in slopes if s is not ZERO))
            case "mul" | "hadamard":
                join = mul if node.op == "mul" else hadamard
                terms = [join(*args[:i], s, *args[i + 1 :]) for i, s in enumerate(slopes) if s is not ZERO]
                return add(*terms) if len(terms) > 1 else terms[0]
            case "transpose":
                return transpose(slopes[0])
            case "abstract" | "derivative":
                return derivative(node, name)
            case "pow" if self.entries.shape(node):
                k = int(args[1].value)
                terms = [mul(*([args[0]] * i), slopes[0], *([args[0]] * (k - 1 - i))) for i in range(k)]
                if k < 1:
                    raise NoFormula("no formula for the derivative of a negative power of a matrix")
                return add(*terms) if k > 1 else slopes[0]
            case "pow":
                return self._combined(self.entries.slopes_of_power(args[0], args[1], ONE), done)
            case "hadamard_pow":
                return hadamard(mul(args[1], self.entries.lowered(args[0], args[1])), slopes[0])
            case "call" if node.value in MATRIX_FUNCTIONS:
                return self._slope_of_function(node, slopes)
            case "call":
                terms = [
                    self.entries.times(self.entries.partial(node, i), s) for i, s in enumerate(slopes) if s is not ZERO
                ]
                return add(*terms) if len(terms) > 1 else terms[0]
        raise NoFormula(f"no formula for the derivative of {described(node)}")

    def _combined(self, pairs: Sequence[tuple[Node, Node]], done: Mapping[Node, Node]) -> Node:
        terms = [mul(slope, done[arg]) for arg, slope in pairs if done[arg] is not ZERO]
        return add(*terms) if len(terms) > 1 else terms[0]

    def _slope_of_function(self, node: Node, slopes: Sequence[Node]) -> Node:
        a, change = node.args[0], slopes[0]
        if not self.entries.shape(a):
            raise NoFormula(f"no formula for {node.value} of a number")
        match node.value:
            case "inv":
                return neg(mul(node, change, node))
            case "det":
                return mul(node, call("tr", mul(call("inv", a), change)))
            case "logdet":
                return call("tr", mul(call("inv", a), change))
            case "tr" | "sum" | "diag":
                return call(node.value, change)
            case "norm" if len(node.args) == 1:
                return mul(self.entries.dot(a, change), power(node, MINUS_ONE))
            case "dot" | "outer" | "kron":
                pairs = ((change, node.args[1]), (a, slopes[1]))
                terms = [call(node.value, *pair) for pair in pairs if ZERO not in pair]
                return add(*terms) if len(terms) > 1 else terms[0]
            case "softmax":
                inner = add(change, neg(mul(mul(transpose(node), change), self.entries.ones(self.entries.shape(a)))))
                return hadamard(node, inner)
            case "logsumexp":
                return mul(transpose(call("softmax", a)), change)
            case "expm" if self._commuting(a, change):
                return mul(change, node)
            case "logm" if self._commuting(a, change):
                return mul(call("inv", a), change)
        raise NoFormula(f"no formula for the derivative of {described(node)}")

    def _commuting(self, a: Node, change: Node) -> bool:
        """Whether a matrix and its derivative are polynomials in one matrix."""
        bases = set()
        for whole in (self.entries.tidying.tidy(a), self.entries.tidying.tidy(change)):
            for term in whole.args if whole.op == "add" else (whole,):
                parts = self.entries.tidying.split([term])
                bases |= {_base_of(f) for f in parts.matrices if not (f.op == "call" and f.value == "eye")}
                if len(parts.matrices) != 1:
                    return False
        return len(bases) <= 1

    # --- forwards, by a vector ---

    def _jacobian(self, body: Node, name: str) -> Node:
        """The Jacobian of a column (or of a number: a row) by a vector."""
        if len(self.entries.tidying.variables[name].shape) != 1:
            raise NoFormula("a Jacobian by what is no vector")
        if not self.entries.shape(body):
            return transpose(self.backwards.adjoint(body, name))
        if len(self.entries.shape(body)) != 1:
            raise NoFormula("the Jacobian of what is no vector")
        if name not in free_symbols(body):
            rows, columns = self.entries.shape(body)[0], self.entries.tidying.variables[name].shape[0]
            return mul(ZERO, self.entries.ones((rows, columns)))
        return self.entries.tidying.tidy(self._jacobian_of(body, name))

    def _jacobian_of(self, node: Node, name: str) -> Node:
        args = node.args
        match node.op:
            case "symbol":
                (n,) = self.entries.shape(node)
                return call("eye", num(n) if isinstance(n, int) else symbol(n))
            case "add":
                return self._sum_of([a for a in args if name in free_symbols(a)], name)
            case "abstract" if self.entries.at_itself(node, name):
                return by_vector("jacobian", node, name)
            case "gradient" if node.value == name:
                return by_vector("hessian", args[0], name)
            case "mul":
                return self._jacobian_of_product(node, name)
            case "hadamard":
                vectors = [a for a in args if self.entries.shape(a)]
                numbers = [a for a in args if not self.entries.shape(a)]
                if numbers:
                    return self._jacobian(mul(*numbers, self.entries.hadamard(vectors)), name)
                terms = [
                    mul(call("diag", self.entries.hadamard([*vectors[:i], *vectors[i + 1 :]])), self._jacobian(v, name))
                    for i, v in enumerate(vectors)
                    if name in free_symbols(v)
                ]
                return add(*terms) if len(terms) > 1 else terms[0]
            case "hadamard_pow":
                return mul(call("diag", mul(args[1], self.entries.lowered(*args))), self._jacobian(args[0], name))
            case "call" if node.value == "softmax":
                inner = add(call("diag", node), neg(mul(node, transpose(node))))
                return mul(inner, self._jacobian(args[0], name))
            case "call" if node.value not in MATRIX_FUNCTIONS:
                terms = [
                    mul(call("diag", self.entries.partial(node, i)), self._jacobian(a, name))
                    for i, a in enumerate(args)
                    if name in free_symbols(a)
                ]
                return add(*terms) if len(terms) > 1 else terms[0]
        raise NoFormula(f"no formula for the Jacobian of {described(node)}")

    def _sum_of(self, terms: Sequence[Node], name: str) -> Node:
        found = [self._jacobian(term, name) for term in terms]
        return add(*found) if len(found) > 1 else found[0]

    def _jacobian_of_product(self, node: Node, name: str) -> Node:
        scalars, matrices = self._numbers_and_matrices(node)
        vector = mul(*matrices) if len(matrices) > 1 else matrices[0]
        terms = []
        for i, scalar in enumerate(scalars):
            if name in free_symbols(scalar):
                others = [*scalars[:i], *scalars[i + 1 :]]
                terms.append(mul(*others, vector, transpose(self.backwards.adjoint(scalar, name))))
        if name in free_symbols(vector):
            *constant, last = matrices
            if any(name in free_symbols(f) for f in constant):
                moved = self._as_entrywise(constant, last)
                if moved is None:
                    raise NoFormula("no formula for the Jacobian of a product with a matrix that varies")
                inner = self._jacobian(moved, name)
                terms.append(mul(*scalars, inner))
            else:
                terms.append(mul(*scalars, *constant, self._jacobian(last, name)))
        return add(*terms) if len(terms) > 1 else terms[0]

    def _numbers_and_matrices(self, node: Node) -> tuple[list[Node], list[Node]]:
        """The numbers of a product, rows times columns among them, and the matrices that remain."""
        scalars = [f for f in node.args if not self.entries.shape(f)]
        kept: list[Node] = []
        for factor in (f for f in node.args if self.entries.shape(f)):
            kept.append(factor)
            for start in range(len(kept)):
                if not self.entries.shape(mul(*kept[start:]) if len(kept) - start > 1 else kept[start]):
                    scalars.append(mul(*kept[start:]))
                    del kept[start:]
                    break
        return scalars, kept

    def _as_entrywise(self, matrices: Sequence[Node], last: Node) -> Node | None:
        """diag(u)*v as u.*v, the matrices before it constant; None for other products."""
        *before, diagonal = matrices
        if diagonal.op == "call" and diagonal.value == "diag" and len(self.entries.shape(diagonal.args[0])) == 1:
            return mul(*before, hadamard(diagonal.args[0], last)) if before else hadamard(diagonal.args[0], last)
        return None


def _base_of(matrix: Node) -> Node:
    return matrix.args[0] if matrix.op == "pow" and matrix.args[1].op == "num" else matrix
