"""What is the gradient of a number by a vector or matrix?  Adjoints, handed from each node on to its arguments.

A node of value V has the adjoint G (of V's shape) if d(number) = tr(G' dV) through it:

    A B: G B', A' G     inv(A): -inv(A)' G inv(A)'     det(A): g det(A) inv(A)'     f(u): G .* f'(u), entry by entry

Source: Giles, Collected matrix derivative results for forward and reverse mode algorithmic differentiation (2008).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from verify.calculus.matrix_entrywise import Entries, described
from verify.claim import Shape
from verify.decide.diagnose.formula import NoFormula
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
    free_symbols,
    hadamard,
    mul,
    neg,
    num,
    postorder,
    power,
    symbol,
    transpose,
)


@dataclass(frozen=True)
class Backwards:
    """Gradients; structured says whether entries of a matrix with structure vary together."""

    entries: Entries
    structured: bool

    def gradient(self, body: Node, name: str) -> Node:
        """The gradient of a number by a vector or matrix."""
        variable = self.entries.tidying.variables[name]
        found = self.entries.tidying.tidy(self.adjoint(body, name))
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

    def adjoint(self, body: Node, name: str) -> Node:
        if self.entries.shape(body):
            raise NoFormula("the gradient of what is no number")
        order = [node for node in postorder(body) if name in free_symbols(node)]
        adjoints: dict[Node, list[Node]] = {body: [ONE]}
        for node in reversed(order):
            if node not in adjoints or node.op == "symbol":
                continue
            g = self.entries.tidying.tidy(add(*adjoints[node]) if len(adjoints[node]) > 1 else adjoints[node][0])
            if g is ZERO:
                continue
            for arg, adjoint in self._handed_on(node, g, name):
                if name in free_symbols(arg):
                    adjoints.setdefault(arg, []).append(adjoint)
        found = adjoints.get(symbol(name), [])
        if not found:
            return mul(ZERO, self.entries.ones(self.entries.tidying.variables[name].shape))
        return add(*found) if len(found) > 1 else found[0]

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
                return [(args[0], hadamard(g, mul(args[1], self.entries.lowered(args[0], args[1]))))]
            case "pow" if self.entries.shape(node):
                return self._of_power(args[0], args[1], g)
            case "pow":
                return self.entries.slopes_of_power(args[0], args[1], g)
            case "call" if node.value in MATRIX_FUNCTIONS:
                return self._of_function(node, g)
            case "call":
                return [
                    (arg, self.entries.times(g, self.entries.partial(node, i)))
                    for i, arg in enumerate(args)
                    if arg.op != "num"
                ]
            case "abstract" if not self.entries.shape(node) and len(args) == 1 and not self.entries.shape(args[0]):
                return [(args[0], mul(g, abstract(node.value[0], args, (node.value[1][0] + 1,))))]
            case "abstract" if self.entries.at_itself(node, name) and len(self.entries.shape(node)) < 2:
                slope = transpose(by_vector("jacobian", node, name)) if self.entries.shape(node) else None
                return [(symbol(name), mul(slope, g) if slope else mul(g, by_vector("gradient", node, name)))]
        raise NoFormula(f"no formula for the gradient of {described(node)}")

    def _paired(self, factor: Node, g: Node, others: Sequence[Node]) -> Node:
        """G times the other factors entry by entry; their sum for a factor that is a number."""
        whole = hadamard(g, *others) if others else g
        return whole if self.entries.shape(factor) else call("sum", whole)

    def _of_product(self, node: Node, g: Node) -> list[tuple[Node, Node]]:
        scalars, runs = self._runs(node)
        found = []
        numbers = [*scalars, *(mul(*run) if len(run) > 1 else run[0] for run in runs if not self._shape_of(run))]
        matrices = next((run for run in runs if self._shape_of(run)), None)
        whole = mul(*matrices) if matrices and len(matrices) > 1 else matrices[0] if matrices else None
        for i, scalar in enumerate(numbers):
            others = [*numbers[:i], *numbers[i + 1 :]]
            inner = g if whole is None else self.entries.dot(g, whole)
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
        scalars = [f for f in node.args if not self.entries.shape(f)]
        runs: list[list[Node]] = [[]]
        for factor in node.args:
            if self.entries.shape(factor):
                if runs[-1] and not self._shape_of(runs[-1]):
                    runs.append([])
                runs[-1].append(factor)
        return scalars, [run for run in runs if run]

    def _shape_of(self, run: Sequence[Node]) -> Shape:
        return self.entries.shape(mul(*run) if len(run) > 1 else run[0])

    def _of_matrices(self, run: Sequence[Node], g: Node) -> list[tuple[Node, Node]]:
        """L F R with the adjoint G: F gets L' G R'."""
        found = []
        for i, factor in enumerate(run):
            left = [transpose(f) for f in reversed(run[:i])]
            right = [transpose(f) for f in reversed(run[i + 1 :])]
            if not self.entries.shape(g):
                found.append((factor, mul(g, *left, *right)))
            else:
                found.append((factor, mul(*left, g, *right)))
        return found

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

    def _of_function(self, node: Node, g: Node) -> list[tuple[Node, Node]]:
        a = node.args[0]
        if not self.entries.shape(a):
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
                (n, *_) = self.entries.shape(a)
                return [(a, mul(g, call("eye", num(n) if isinstance(n, int) else symbol(n))))]
            case "norm" if len(node.args) == 2:
                if len(self.entries.shape(a)) != 1:
                    raise NoFormula("no formula for the gradient of a sum of absolute values of a matrix")
                return [(a, mul(g, call("sign", a)))]
            case "norm":
                return [(a, mul(g, a, power(node, MINUS_ONE)))]
            case "dot":
                return [(a, mul(g, node.args[1])), (node.args[1], mul(g, a))]
            case "outer":
                return [(a, mul(g, node.args[1])), (node.args[1], mul(transpose(g), a))]
            case "sum":
                return [(a, mul(g, self.entries.ones(self.entries.shape(a))))]
            case "softmax":
                inner = add(g, neg(mul(mul(transpose(node), g), self.entries.ones(self.entries.shape(a)))))
                return [(a, hadamard(node, inner))]
            case "logsumexp":
                return [(a, mul(g, call("softmax", a)))]
            case "diag":
                return [(a, call("diag", g))]
            case "expm" if self._is_multiple_of_identity(g):
                return [(a, mul(g, transpose(node)))]
            case "logm" if self._is_multiple_of_identity(g):
                return [(a, mul(g, transpose(call("inv", a))))]
        raise NoFormula(f"no formula for the gradient of {described(node)}")

    def _is_multiple_of_identity(self, g: Node) -> bool:
        matrices = self.entries.tidying.split([g]).matrices
        return len(matrices) == 1 and matrices[0].op == "call" and matrices[0].value == "eye"
