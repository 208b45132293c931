"""What is the derivative by a vector, a matrix or a number, as a formula in vectors and matrices?

Gradients of numbers go backwards: each node hands its adjoint G (of its own shape) on to its arguments,

    A B: G B', A' G     inv(A): -inv(A)' G inv(A)'     det(A): g det(A) inv(A)'     f(u): G .* f'(u), entry by entry

Derivatives by a number and Jacobians go forwards.  Nothing is decided here: the result is judged before it is shown.
Source: Giles, Collected matrix derivative results for forward and reverse mode algorithmic differentiation (2008).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from verify.calculus.matrix_tidy import Tidying
from verify.claim import Shape, Variable
from verify.decide.diagnose.formula import NoFormula
from verify.decide.rules import partial
from verify.functions import function
from verify.graph import (
    MATRIX_FUNCTIONS,
    MINUS_ONE,
    ONE,
    ZERO,
    Node,
    abstract,
    add,
    by_vector,
    call,
    derivative,
    free_symbols,
    hadamard,
    hadamard_power,
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
from verify.sizes import rectangle

__all__ = ["NoFormula", "carried_out"]


def carried_out(root: Node, variables: Mapping[str, Variable], *, structured: bool = False) -> Node:
    """The expression with all its derivatives carried out, tidied.

    structured   whether entries of a matrix with structure vary together.

    Raises NoFormula for what has no formula here.
    """
    one = _Rules(Tidying(variables), structured)
    try:
        return one.without_derivatives(root)
    except ShapeError as error:
        raise NoFormula(str(error)) from None


@dataclass(frozen=True)
class _Rules:
    tidying: Tidying
    structured: bool

    def shape(self, node: Node) -> Shape:
        return self.tidying.shape(node)

    def without_derivatives(self, root: Node) -> Node:
        done: dict[Node, Node] = {}
        for node in postorder(root):
            new = self.tidying.tidy(substitute(node, {a: done[a] for a in node.args}) if node.args else node)
            match node.op:
                case "gradient":
                    new = self._gradient(done[node.args[0]], node.value)
                case "jacobian":
                    new = self._jacobian(done[node.args[0]], node.value)
                case "hessian":
                    inner = self._gradient(done[node.args[0]], node.value)
                    new = self._jacobian(inner, node.value)
                case "divergence":
                    new = call("tr", self._jacobian(done[node.args[0]], node.value))
                case "derivative" if done[node.args[0]].op not in ("abstract", "derivative"):
                    name, order = node.value
                    new = done[node.args[0]]
                    for _ in range(order):
                        new = self.tidying.tidy(self._slope(new, name))
            done[node] = self.tidying.tidy(new)
        return done[root]

    # --- backwards ---

    def _gradient(self, body: Node, name: str) -> Node:
        """The gradient of a number by a vector or matrix."""
        variable = self.tidying.variables[name]
        found = self.tidying.tidy(self._adjoint(body, name))
        if not (variable.structure and self.structured):
            return found
        size = variable.shape[0]
        identity = call("eye", num(size) if isinstance(size, int) else symbol(size))
        turned = transpose(found)
        match variable.structure:
            case "symmetric" | "spd":
                return add(found, turned, neg(hadamard(found, identity)))
            case "antisymmetric":
                return add(found, neg(turned))
            case "diagonal":
                return hadamard(found, identity)
        raise NoFormula(f"no formula for a gradient along {variable.structure} matrices")

    def _adjoint(self, body: Node, name: str) -> Node:
        if self.shape(body):
            raise NoFormula("the gradient of what is no number")
        order = [node for node in postorder(body) if name in free_symbols(node)]
        adjoints: dict[Node, list[Node]] = {body: [ONE]}
        for node in reversed(order):
            if node not in adjoints or node.op == "symbol":
                continue
            g = self.tidying.tidy(add(*adjoints[node]) if len(adjoints[node]) > 1 else adjoints[node][0])
            if g is ZERO:
                continue
            for arg, adjoint in self._handed_on(node, g, name):
                if name in free_symbols(arg):
                    adjoints.setdefault(arg, []).append(adjoint)
        found = adjoints.get(symbol(name), [])
        if not found:
            return mul(ZERO, self._whole(self.tidying.variables[name].shape))
        return add(*found) if len(found) > 1 else found[0]

    def _whole(self, shape: Shape) -> Node:
        rows, columns = (num(n) if isinstance(n, int) else symbol(n) for n in rectangle(shape))
        if not shape:
            return ONE
        return call("ones", rows) if columns is ONE else call("ones", rows, columns)

    def _handed_on(self, node: Node, g: Node, name: str) -> list[tuple[Node, Node]]:
        """The arguments with what the adjoint of the node adds to theirs."""
        args = node.args
        match node.op:
            case "add":
                return [(arg, g) for arg in args]
            case "transpose":
                return [(args[0], transpose(g))]
            case "mul":
                return self._of_product(node, g)
            case "hadamard":
                return [(f, self._paired(f, g, [*args[:i], *args[i + 1 :]])) for i, f in enumerate(args)]
            case "hadamard_pow":
                return [(args[0], hadamard(g, mul(args[1], self._lowered(args[0], args[1]))))]
            case "pow" if self.shape(node):
                return self._of_power(args[0], args[1], g)
            case "pow":
                return self._of_scalar_power(args[0], args[1], g)
            case "call" if node.value in MATRIX_FUNCTIONS:
                return self._of_function(node, g)
            case "call":
                return [(arg, self._times(g, self._partial(node, i))) for i, arg in enumerate(args) if arg.op != "num"]
            case "abstract" if not self.shape(node) and len(args) == 1 and not self.shape(args[0]):
                return [(args[0], mul(g, abstract(node.value[0], args, (node.value[1][0] + 1,))))]
            case "abstract" if self._at_itself(node, name) and len(self.shape(node)) < 2:
                slope = transpose(by_vector("jacobian", node, name)) if self.shape(node) else None
                return [(symbol(name), mul(slope, g) if slope else mul(g, by_vector("gradient", node, name)))]
        raise NoFormula(f"no formula for the gradient of {_described(node)}")

    def _at_itself(self, node: Node, name: str) -> bool:
        """Whether a declared function is met at its own argument, and nowhere else depends on it."""
        return [arg for arg in node.args if name in free_symbols(arg)] == [symbol(name)] and not any(node.value[1])

    def _paired(self, factor: Node, g: Node, others: Sequence[Node]) -> Node:
        """G times the other factors entry by entry; their sum for a factor that is a number."""
        whole = hadamard(g, *others) if others else g
        return whole if self.shape(factor) else call("sum", whole)

    def _lowered(self, base: Node, exponent: Node) -> Node:
        if exponent.op != "num":
            raise NoFormula("no formula for a power with an exponent that is no number")
        lowered = num(exponent.value - 1)
        return self._whole(self.shape(base)) if lowered is ZERO else hadamard_power(base, lowered)

    def _of_product(self, node: Node, g: Node) -> list[tuple[Node, Node]]:
        scalars, runs = self._runs(node)
        found = []
        numbers = [*scalars, *(mul(*run) if len(run) > 1 else run[0] for run in runs if not self._shape_of(run))]
        matrices = next((run for run in runs if self._shape_of(run)), None)
        whole = mul(*matrices) if matrices and len(matrices) > 1 else matrices[0] if matrices else None
        for i, scalar in enumerate(numbers):
            others = [*numbers[:i], *numbers[i + 1 :]]
            inner = g if whole is None else self._dot(g, whole)
            adjoint = mul(*others, inner) if others else inner
            if scalar in scalars:
                found.append((scalar, adjoint))
            else:
                run = next(run for run in runs if (mul(*run) if len(run) > 1 else run[0]) is scalar)
                found += self._of_matrices(run, adjoint)
        if matrices:
            found += self._of_matrices(matrices, mul(*numbers, g) if numbers else g)
        return found

    def _runs(self, node: Node) -> tuple[list[Node], list[list[Node]]]:
        """The scalars of a product, and its matrices in runs: a row times a column is a run of its own."""
        scalars = [f for f in node.args if not self.shape(f)]
        runs: list[list[Node]] = [[]]
        for factor in node.args:
            if self.shape(factor):
                if runs[-1] and not self._shape_of(runs[-1]):
                    runs.append([])
                runs[-1].append(factor)
        return scalars, [run for run in runs if run]

    def _shape_of(self, run: Sequence[Node]) -> Shape:
        return self.shape(mul(*run) if len(run) > 1 else run[0])

    def _of_matrices(self, run: Sequence[Node], g: Node) -> list[tuple[Node, Node]]:
        """L F R with the adjoint G: F gets L' G R'."""
        found = []
        for i, factor in enumerate(run):
            left = [transpose(f) for f in reversed(run[:i])]
            right = [transpose(f) for f in reversed(run[i + 1 :])]
            if not self.shape(g):
                found.append((factor, mul(g, *left, *right)))
            else:
                found.append((factor, mul(*left, g, *right)))
        return found

    def _dot(self, a: Node, b: Node) -> Node:
        shape = self.shape(a)
        if not shape:
            return mul(a, b)
        if len(shape) == 1:
            return mul(transpose(a), b)
        return mul(a, transpose(b)) if shape[0] == 1 else call("tr", mul(transpose(a), b))

    def _of_power(self, base: Node, exponent: Node, g: Node) -> list[tuple[Node, Node]]:
        k = int(exponent.value)
        if not 0 < k <= 6:
            raise NoFormula("no formula for the gradient of a high or negative power of a matrix")
        turned = transpose(base)
        terms = [
            mul(*(power(turned, num(e)) for e in (i,) if e), g, *(power(turned, num(e)) for e in (k - 1 - i,) if e))
            for i in range(k)
        ]
        return [(base, add(*terms) if k > 1 else terms[0])]

    def _of_scalar_power(self, base: Node, exponent: Node, g: Node) -> list[tuple[Node, Node]]:
        lowered = num(exponent.value - 1) if exponent.op == "num" else add(exponent, MINUS_ONE)
        found = [(base, mul(g, exponent, power(base, lowered)))]
        if exponent.op != "num":
            found.append((exponent, mul(g, power(base, exponent), call("log", base))))
        return found

    def _of_function(self, node: Node, g: Node) -> list[tuple[Node, Node]]:
        a = node.args[0]
        if not self.shape(a):
            raise NoFormula(f"no formula for {node.value} of a number")
        match node.value:
            case "inv":
                turned = transpose(node)
                return [(a, neg(mul(turned, g, turned)))]
            case "det":
                return [(a, mul(g, node, transpose(call("inv", a))))]
            case "logdet":
                return [(a, mul(g, transpose(call("inv", a))))]
            case "tr":
                (n, *_) = self.shape(a)
                return [(a, mul(g, call("eye", num(n) if isinstance(n, int) else symbol(n))))]
            case "norm" if len(node.args) == 2:
                if len(self.shape(a)) != 1:
                    raise NoFormula("no formula for the gradient of a sum of absolute values of a matrix")
                return [(a, mul(g, call("sign", a)))]
            case "norm":
                return [(a, mul(g, a, power(node, MINUS_ONE)))]
            case "dot":
                return [(a, mul(g, node.args[1])), (node.args[1], mul(g, a))]
            case "outer":
                return [(a, mul(g, node.args[1])), (node.args[1], mul(transpose(g), a))]
            case "sum":
                return [(a, mul(g, self._whole(self.shape(a))))]
            case "softmax":
                inner = add(g, neg(mul(mul(transpose(node), g), self._whole(self.shape(a)))))
                return [(a, hadamard(node, inner))]
            case "logsumexp":
                return [(a, mul(g, call("softmax", a)))]
            case "diag":
                return [(a, call("diag", g))]
            case "expm" if self._is_multiple_of_identity(g):
                return [(a, mul(g, transpose(node)))]
            case "logm" if self._is_multiple_of_identity(g):
                return [(a, mul(g, transpose(call("inv", a))))]
        raise NoFormula(f"no formula for the gradient of {_described(node)}")

    def _is_multiple_of_identity(self, g: Node) -> bool:
        matrices = self.tidying.split([g]).matrices
        return len(matrices) == 1 and matrices[0].op == "call" and matrices[0].value == "eye"

    # --- functions of each entry ---

    def _partial(self, node: Node, i: int) -> Node:
        """The partial derivative of a function of the table at its arguments, entry by entry."""
        row, rule = function(node.value, len(node.args)), partial(node.value, len(node.args), i)
        if row is None or rule is None:
            raise NoFormula(f"no formula for the derivative of {node.value}")
        return self._entrywise(rule, dict(zip(row.arguments, node.args, strict=True)))

    def _entrywise(self, rule: Node, values: Mapping[str, Node]) -> Node:
        """A rule between numbers, at vectors."""
        if not any(map(self.shape, values.values())):
            return substitute(rule, {symbol(name): value for name, value in values.items()})
        done: dict[Node, Node] = {}
        for node in postorder(rule):
            args = [done[arg] for arg in node.args]
            shaped = [a for a in args if self.shape(a)]
            match node.op:
                case "symbol":
                    done[node] = values[node.value]
                case "num" | "constant":
                    done[node] = node
                case "add" if shaped:
                    ones = self._whole(self.shape(shaped[0]))
                    done[node] = add(*(a if self.shape(a) else mul(a, ones) for a in args))
                case "mul" if shaped:
                    done[node] = mul(*(a for a in args if not self.shape(a)), self._hadamard(shaped))
                case "pow" if shaped and not self.shape(args[1]):
                    done[node] = hadamard_power(*args)
                case "call" if len(shaped) == len(args):
                    done[node] = call(node.value, *args)
                case "add" | "mul" | "pow" | "call" if not shaped:
                    done[node] = substitute(node, dict(zip(node.args, args, strict=True)))
                case _:
                    raise NoFormula("no formula for a function of each entry")
        return done[rule]

    def _hadamard(self, factors: Sequence[Node]) -> Node:
        return hadamard(*factors) if len(factors) > 1 else factors[0]

    def _times(self, g: Node, slope: Node) -> Node:
        """The product entry by entry."""
        return hadamard(g, slope) if self.shape(g) and self.shape(slope) else mul(g, slope)

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
            case "pow" if self.shape(node):
                k = int(args[1].value)
                terms = [mul(*([args[0]] * i), slopes[0], *([args[0]] * (k - 1 - i))) for i in range(k)]
                if k < 1:
                    raise NoFormula("no formula for the derivative of a negative power of a matrix")
                return add(*terms) if k > 1 else slopes[0]
            case "pow":
                return self._combined(self._of_scalar_power(args[0], args[1], ONE), done)
            case "hadamard_pow":
                return hadamard(mul(args[1], self._lowered(args[0], args[1])), slopes[0])
            case "call" if node.value in MATRIX_FUNCTIONS:
                return self._slope_of_function(node, slopes)
            case "call":
                terms = [self._times(self._partial(node, i), s) for i, s in enumerate(slopes) if s is not ZERO]
                return add(*terms) if len(terms) > 1 else terms[0]
        raise NoFormula(f"no formula for the derivative of {_described(node)}")

    def _combined(self, pairs: Sequence[tuple[Node, Node]], done: Mapping[Node, Node]) -> Node:
        terms = [mul(slope, done[arg]) for arg, slope in pairs if done[arg] is not ZERO]
        return add(*terms) if len(terms) > 1 else terms[0]

    def _slope_of_function(self, node: Node, slopes: Sequence[Node]) -> Node:
        a, change = node.args[0], slopes[0]
        if not self.shape(a):
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
                return mul(self._dot(a, change), power(node, MINUS_ONE))
            case "dot" | "outer" | "kron":
                pairs = ((change, node.args[1]), (a, slopes[1]))
                terms = [call(node.value, *pair) for pair in pairs if ZERO not in pair]
                return add(*terms) if len(terms) > 1 else terms[0]
            case "softmax":
                inner = add(change, neg(mul(mul(transpose(node), change), self._whole(self.shape(a)))))
                return hadamard(node, inner)
            case "logsumexp":
                return mul(transpose(call("softmax", a)), change)
            case "expm" if self._commuting(a, change):
                return mul(change, node)
            case "logm" if self._commuting(a, change):
                return mul(call("inv", a), change)
        raise NoFormula(f"no formula for the derivative of {_described(node)}")

    def _commuting(self, a: Node, change: Node) -> bool:
        """Whether a matrix and its derivative are polynomials in one matrix."""
        bases = set()
        for whole in (self.tidying.tidy(a), self.tidying.tidy(change)):
            for term in whole.args if whole.op == "add" else (whole,):
                parts = self.tidying.split([term])
                bases |= {_base_of(f) for f in parts.matrices if not (f.op == "call" and f.value == "eye")}
                if len(parts.matrices) != 1:
                    return False
        return len(bases) <= 1

    # --- forwards, by a vector ---

    def _jacobian(self, body: Node, name: str) -> Node:
        """The Jacobian of a column (or of a number: a row) by a vector."""
        if len(self.tidying.variables[name].shape) != 1:
            raise NoFormula("a Jacobian by what is no vector")
        if not self.shape(body):
            return transpose(self._adjoint(body, name))
        if len(self.shape(body)) != 1:
            raise NoFormula("the Jacobian of what is no vector")
        if name not in free_symbols(body):
            rows, columns = self.shape(body)[0], self.tidying.variables[name].shape[0]
            return mul(ZERO, self._whole((rows, columns)))
        return self.tidying.tidy(self._jacobian_of(body, name))

    def _jacobian_of(self, node: Node, name: str) -> Node:
        args = node.args
        match node.op:
            case "symbol":
                (n,) = self.shape(node)
                return call("eye", num(n) if isinstance(n, int) else symbol(n))
            case "add":
                return self._sum_of([a for a in args if name in free_symbols(a)], name)
            case "abstract" if self._at_itself(node, name):
                return by_vector("jacobian", node, name)
            case "mul":
                return self._jacobian_of_product(node, name)
            case "hadamard":
                vectors = [a for a in args if self.shape(a)]
                numbers = [a for a in args if not self.shape(a)]
                if numbers:
                    return self._jacobian(mul(*numbers, self._hadamard(vectors)), name)
                terms = [
                    mul(call("diag", self._hadamard([*vectors[:i], *vectors[i + 1 :]])), self._jacobian(v, name))
                    for i, v in enumerate(vectors)
                    if name in free_symbols(v)
                ]
                return add(*terms) if len(terms) > 1 else terms[0]
            case "hadamard_pow":
                return mul(call("diag", mul(args[1], self._lowered(*args))), self._jacobian(args[0], name))
            case "call" if node.value == "softmax":
                inner = add(call("diag", node), neg(mul(node, transpose(node))))
                return mul(inner, self._jacobian(args[0], name))
            case "call" if node.value not in MATRIX_FUNCTIONS:
                terms = [
                    mul(call("diag", self._partial(node, i)), self._jacobian(a, name))
                    for i, a in enumerate(args)
                    if name in free_symbols(a)
                ]
                return add(*terms) if len(terms) > 1 else terms[0]
        raise NoFormula(f"no formula for the Jacobian of {_described(node)}")

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
                terms.append(mul(*others, vector, transpose(self._adjoint(scalar, name))))
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
        scalars = [f for f in node.args if not self.shape(f)]
        kept: list[Node] = []
        for factor in (f for f in node.args if self.shape(f)):
            kept.append(factor)
            for start in range(len(kept)):
                if not self.shape(mul(*kept[start:]) if len(kept) - start > 1 else kept[start]):
                    scalars.append(mul(*kept[start:]))
                    del kept[start:]
                    break
        return scalars, kept

    def _as_entrywise(self, matrices: Sequence[Node], last: Node) -> Node | None:
        """diag(u)*v as u.*v, the matrices before it constant; None for other products."""
        *before, diagonal = matrices
        if diagonal.op == "call" and diagonal.value == "diag" and len(self.shape(diagonal.args[0])) == 1:
            return mul(*before, hadamard(diagonal.args[0], last)) if before else hadamard(diagonal.args[0], last)
        return None


def _base_of(matrix: Node) -> Node:
    return matrix.args[0] if matrix.op == "pow" and matrix.args[1].op == "num" else matrix


def _described(node: Node) -> str:
    return f"{node.value}(…)" if node.op == "call" else f"{node.value[0]}(…)" if node.op == "abstract" else node.op
