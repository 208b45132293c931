"""What are functions of each entry, powers and inner products to derivatives of vectors and matrices?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from verify import graph
from verify.calculus.matrix_tidy import Tidying
from verify.claim import Shape
from verify.decide import rules
from verify.decide.diagnose.formula import NoFormula
from verify.functions import function
from verify.graph import (
    MINUS_ONE,
    ONE,
    ZERO,
    Node,
    add,
    call,
    free_symbols,
    hadamard_power,
    mul,
    num,
    postorder,
    power,
    substitute,
    symbol,
    transpose,
)
from verify.sizes import rectangle


@dataclass(frozen=True)
class Entries:
    """Rules that gradients and forward derivatives share."""

    tidying: Tidying

    def shape(self, node: Node) -> Shape:
        return self.tidying.shape(node)

    def at_itself(self, node: Node, name: str) -> bool:
        """Whether a declared function is met at its own argument, and nowhere else depends on it."""
        return [arg for arg in node.args if name in free_symbols(arg)] == [symbol(name)] and not any(node.value[1])

    def ones(self, shape: Shape) -> Node:
        rows, columns = (num(n) if isinstance(n, int) else symbol(n) for n in rectangle(shape))
        if not shape:
            return ONE
        return call("ones", rows) if columns is ONE else call("ones", rows, columns)

    def lowered(self, base: Node, exponent: Node) -> Node:
        if exponent.op != "num":
            raise NoFormula("no formula for a power with an exponent that is no number")
        lowered = num(exponent.value - 1)
        return self.ones(self.shape(base)) if lowered is ZERO else hadamard_power(base, lowered)

    def dot(self, a: Node, b: Node) -> Node:
        shape = self.shape(a)
        if not shape:
            return mul(a, b)
        if len(shape) == 1:
            return mul(transpose(a), b)
        return mul(a, transpose(b)) if shape[0] == 1 else call("tr", mul(transpose(a), b))

    def slopes_of_power(self, base: Node, exponent: Node, g: Node) -> list[tuple[Node, Node]]:
        lowered = num(exponent.value - 1) if exponent.op == "num" else add(exponent, MINUS_ONE)
        found = [(base, mul(g, exponent, power(base, lowered)))]
        if exponent.op != "num":
            found.append((exponent, mul(g, power(base, exponent), call("log", base))))
        return found

    def partial(self, node: Node, i: int) -> Node:
        """The partial derivative of a function of the table at its arguments, entry by entry."""
        row, rule = function(node.value, len(node.args)), rules.partial(node.value, len(node.args), i)
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
                    ones = self.ones(self.shape(shaped[0]))
                    done[node] = add(*(a if self.shape(a) else mul(a, ones) for a in args))
                case "mul" if shaped:
                    done[node] = mul(*(a for a in args if not self.shape(a)), self.hadamard(shaped))
                case "pow" if shaped and not self.shape(args[1]):
                    done[node] = hadamard_power(*args)
                case "call" if len(shaped) == len(args):
                    done[node] = call(node.value, *args)
                case "add" | "mul" | "pow" | "call" if not shaped:
                    done[node] = substitute(node, dict(zip(node.args, args, strict=True)))
                case _:
                    raise NoFormula("no formula for a function of each entry")
        return done[rule]

    def hadamard(self, factors: Sequence[Node]) -> Node:
        return graph.hadamard(*factors) if len(factors) > 1 else factors[0]

    def times(self, g: Node, slope: Node) -> Node:
        """The product entry by entry."""
        return graph.hadamard(g, slope) if self.shape(g) and self.shape(slope) else mul(g, slope)


def described(node: Node) -> str:
    """What a message calls an expression."""
    return f"{node.value}(…)" if node.op == "call" else f"{node.value[0]}(…)" if node.op == "abstract" else node.op
