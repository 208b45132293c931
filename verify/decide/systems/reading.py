"""What does a claimed gradient say, as a functional?  Boundary values plus one integral over the whole time.

What a claim writes of states and adjoints at a time becomes a symbol: u itself under the integral, `u(T)` and `l1(0)`
at the ends, `u(1/2)` elsewhere.  In reversed time the adjoint at t stands for the one at t0 + T - t.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from verify.calculus.costate import end, seen, start
from verify.calculus.tidy import is_zero, tidied_arguments, tidy
from verify.graph import MINUS_ONE, ONE, ZERO, Node, add, free_symbols, mul, postorder, rebuild, substitute, symbol
from verify.language.write import write
from verify.systems import TIME, Observation, OdeProblem, adjoint_names


class NoFunctional(ValueError):
    """A gradient that is not linear in its integrals, or has others than over the whole time."""


@dataclass(frozen=True)
class Functional:
    """boundary + integral of `inside` over [t0, T]; `flipped` counts integrals with their limits reversed."""

    boundary: Node
    inside: Node
    flipped: int = 0


def is_integral(node: Node) -> bool:
    """Whether a node is int(E, t, a, b)."""
    return node.op == "abstract" and node.value[0] == "int"


@dataclass(frozen=True)
class Reader:
    """How the names of a claim on an ODE problem are read; `backwards` where its adjoint runs in reversed time."""

    problem: OdeProblem
    backwards: bool = False

    @property
    def reflected(self) -> Node:
        """t0 + T - t."""
        return tidy(add(self.problem.t0, self.problem.T, -symbol(TIME)))

    def reflect(self, node: Node) -> Node:
        return substitute(node, {symbol(TIME): self.reflected})

    def equation(self, node: Node) -> Node:
        """The right-hand side of an adjoint equation, in t, states and adjoints at t."""
        if not self.backwards:
            return self.symbols(node)
        if not any(self.is_reflected(each) for each in postorder(node)):
            # A bare u in reversed time can only mean the state where the adjoint is.
            return mul(MINUS_ONE, Reader(self.problem).symbols(self.reflect_time(node)))
        return mul(MINUS_ONE, self.symbols(self.reflect(node)))

    def reflect_time(self, node: Node) -> Node:
        """t as reflected wherever it stands by itself, not as the argument of a state or adjoint."""
        done: dict[Node, Node] = {}
        for each in postorder(node):
            if each.op == "abstract":
                done[each] = each
            elif each.op == "symbol" and each.value == TIME:
                done[each] = self.reflected
            else:
                done[each] = rebuild(each, (done[arg] for arg in each.args))
        return done[node]

    def is_reflected(self, node: Node) -> bool:
        """Whether a state or adjoint is taken at t0 + T - t."""
        return node.op == "abstract" and len(node.args) == 1 and is_zero(node.args[0] - self.reflected)

    def symbols(self, node: Node, bare: str = "") -> Node:
        """States and adjoints as symbols; `bare` is where a bare name stands, (T) in a terminal condition."""
        done: dict[Node, Node] = {}
        for each in postorder(node):
            if is_integral(each):
                raise NoFunctional("an integral where none can stand")
            if each.op == "abstract":
                if any(each.value[1]):
                    raise NoFunctional(f"a derivative of {each.value[0]}")
                done[each] = symbol(each.value[0] + self.place(each, bare))
            else:
                done[each] = rebuild(each, (done[arg] for arg in each.args))
        return done[node]

    def place(self, node: Node, bare: str) -> str:
        name, (argument,) = node.value[0], node.args
        if self.backwards and name in adjoint_names(self.problem):
            argument = tidy(add(self.problem.t0, self.problem.T, -argument))
        if is_zero(argument - symbol(TIME)):
            return bare
        for where, time in ((start(self.problem), self.problem.t0), (end(self.problem), self.problem.T)):
            if is_zero(argument - time):
                return where
        for each in self.problem.observations:
            if is_zero(argument - each.time):
                if name in adjoint_names(self.problem):
                    raise NoFunctional(f"{name} jumps at the time {write(each.time)} of an observation")
                return seen(each)
        return f"({write(tidy(argument))})"

    def terminal(self, node: Node) -> Node:
        """A terminal condition: everything at the final time."""
        return substitute(self.symbols(node, end(self.problem)), {symbol(TIME): self.problem.T})

    def jump(self, node: Node, observation: Observation) -> Node:
        """What an adjoint gains at the time of an observation: everything at that time."""
        return substitute(self.symbols(node, seen(observation)), {symbol(TIME): observation.time})

    def functional(self, node: Node, *, anyhow: bool = False) -> Functional:
        """A gradient.  Raises NoFunctional.

        anyhow  takes integrals over a part of the time as if they were over all of it: to say what is wrong.
        """
        boundary, inside = self._linear(node)
        if boundary is not ZERO and TIME in free_symbols(boundary):
            raise NoFunctional("t stands outside of an integral")
        read = self.symbols(boundary)
        if any(symbol(name) in set(postorder(read)) for name in (*self.problem.state, *adjoint_names(self.problem))):
            raise NoFunctional("a state or adjoint without a time stands outside of an integral")
        terms, flipped = [], 0
        for factor, integral in inside:
            sign, body = self._whole(integral, anyhow)
            flipped += sign is MINUS_ONE
            terms.append(mul(sign, self.symbols(factor), self.symbols(body)))
        return Functional(read, add(*terms) if terms else ZERO, flipped)

    def _linear(self, node: Node) -> tuple[Node, list[tuple[Node, Node]]]:
        """The part without integrals, and (factor, integral) for each integral."""
        if is_integral(node):
            return ZERO, [(ONE, node)]
        if not any(is_integral(each) for each in postorder(node)):
            return node, []
        if node.op == "add":
            parts = [self._linear(arg) for arg in node.args]
            return add(*(part for part, _ in parts)), [each for _, found in parts for each in found]
        if node.op == "mul":
            holding = [i for i, arg in enumerate(node.args) if any(is_integral(each) for each in postorder(arg))]
            if len(holding) == 1:
                (i,) = holding
                others: Sequence[Node] = (*node.args[:i], *node.args[i + 1 :])
                boundary, inside = self._linear(node.args[i])
                rest = mul(*others)
                kept = ZERO if boundary is ZERO else mul(rest, boundary)
                return kept, [(mul(rest, factor), integral) for factor, integral in inside]
        raise NoFunctional("integrals inside of a product, a power or a function")

    def _whole(self, integral: Node, anyhow: bool) -> tuple[Node, Node]:
        """The sign of an integral over the whole time, and what is integrated, in t."""
        body, variable, low, high = integral.args
        if variable.op != "symbol":
            raise NoFunctional("an integral needs the name of its variable")
        if variable.value != TIME:
            if TIME in free_symbols(body):
                raise NoFunctional(f"t inside of an integral over {variable.value}")
            body = substitute(body, {variable: symbol(TIME)})
        t0, T = self.problem.t0, self.problem.T
        if anyhow or (is_zero(low - t0) and is_zero(high - T)):
            sign = ONE
        elif is_zero(low - T) and is_zero(high - t0):
            sign = MINUS_ONE
        else:
            raise NoFunctional("an integral over a part of the time")
        states = set(self.problem.state)
        if self.backwards and any(self.is_reflected(n) and n.value[0] in states for n in postorder(body)):
            body = tidied_arguments(self.reflect(body))
        return sign, body


def is_backwards(problem: OdeProblem, nodes: Sequence[Node]) -> bool:
    """Whether a claim takes a state, or an adjoint, at t0 + T - t: then its adjoint runs in reversed time."""
    reader = Reader(problem)
    return any(reader.is_reflected(each) for node in nodes for each in postorder(node))
