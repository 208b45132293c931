"""What are states, adjoints and claims of a recurrence in the parameters?  Step by step, and at all steps if affine."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from verify.calculus.reverse import gradient
from verify.calculus.tidy import is_zero, tidy
from verify.decide.systems.convention import Convention
from verify.decide.systems.steps import Steps, where
from verify.graph import (
    MINUS_ONE,
    ONE,
    ZERO,
    Node,
    add,
    derivative,
    free_symbols,
    mul,
    num,
    postorder,
    power,
    rebuild,
    substitute,
    symbol,
)
from verify.systems import INDEX, RecurrenceProblem

#: Terms of a sum that are written out.
MOST_TERMS = 40


@dataclass(frozen=True)
class Unrolled:
    """A recurrence for given numbers of steps, everything in terms of the parameters."""

    steps: Steps

    @property
    def problem(self) -> RecurrenceProblem:
        return self.steps.problem

    def states(self, n: int) -> list[list[Node]]:
        found = [list(self.problem.initial)]
        for k in range(1, n + 1):
            found.append(self.steps.step(found[-1], num(k)))
        return found

    def adjoints(self, n: int, states: Sequence[Sequence[Node]], convention: Convention) -> list[list[Node]]:
        """The right adjoint in the convention, at all steps."""
        at = {symbol(u + "[n]"): x for u, x in zip(self.problem.state, states[n], strict=True)}
        found = [[substitute(convention.entry(self.steps.costate.final, i), at) for i in range(len(self.steps.names))]]
        for k in range(n - 1, -1, -1):
            found.insert(0, self.steps.back(states[k], found[0], num(k), convention))
        return found

    def valued(
        self,
        node: Node,
        n: int,
        states: Sequence[Sequence[Node]],
        adjoints: Sequence[Sequence[Node]],
        *,
        beyond: bool = False,
    ) -> Node | None:
        """A formula of the claim for n steps, in the parameters.

        Where it takes a value at a step that there is not, it is None, or the value `beyond` is a name of its own.
        """
        if isinstance(self.problem.steps, str):
            node = substitute(node, {symbol(self.problem.steps): num(n)})
        unrolled = self._sums(node)
        if unrolled is None:
            return None
        done: dict[Node, Node] = {}
        for each in postorder(unrolled):
            if each.op != "abstract":
                done[each] = rebuild(each, (done[arg] for arg in each.args))
                continue
            rows = adjoints if each.value[0] in self.steps.names else states
            order = self.steps.names if each.value[0] in self.steps.names else self.problem.state
            place = tidy(each.args[0])
            if place.op != "num" or place.value.denominator != 1:
                return None
            row = rows[int(place.value)] if 0 <= place.value < len(rows) else []
            if not row and not beyond:
                return None
            name = each.value[0]
            done[each] = row[order.index(name)] if row else symbol(name + where("0", int(place.value)))
        return done[unrolled]

    def _sums(self, node: Node) -> Node | None:
        """Sums over numbers written out."""
        done: dict[Node, Node] = {}
        for each in postorder(node):
            args = [done[arg] for arg in each.args]
            if each.op == "sum":
                low, high = tidy(args[1]), tidy(args[2])
                if low.op != "num" or high.op != "num" or high.value - low.value > MOST_TERMS:
                    return None
                if low.value.denominator != 1 or high.value.denominator != 1:
                    return None
                places = range(int(low.value), int(high.value) + 1)
                terms = [substitute(args[0], {symbol(each.value): num(k)}) for k in places]
                done[each] = add(*terms) if terms else ZERO
            else:
                done[each] = rebuild(each, args)
        return done[node]

    def truth(self, q: str, n: int) -> Node:
        """dG/dq for n steps as a derivative of what G is, composed."""
        initial = next((i for i, u in enumerate(self.problem.state) if q == f"{u}(0)"), None)
        states = self.states(n)
        name = q
        if initial is not None:
            name = "x0"
            first = [symbol(name) if i == initial else b for i, b in enumerate(self.problem.initial)]
            states = [first]
            for k in range(1, n + 1):
                states.append(self.steps.step(states[-1], num(k)))
        at = {symbol(u): x for u, x in zip(self.problem.state, states[n], strict=True)}
        whole = derivative(substitute(self.problem.value, at), name)
        if initial is None:
            return whole
        from verify.decide.prove.differentiate import carried_out

        return substitute(carried_out(whole), {symbol(name): self.problem.initial[initial]})

    # --- all steps at once ---

    @cached_property
    def closed(self) -> Node | None:
        """The one state after k steps x -> a x + b, the same each time: a^k x0 + b (a^k - 1)/(a - 1)."""
        if len(self.problem.state) != 1:
            return None
        ((name,), (step,), (first,)) = self.problem.state, self.problem.step, self.problem.initial
        (a,) = gradient(step, (name,))
        if free_symbols(a) & {name, INDEX} or INDEX in free_symbols(step):
            return None
        b, k = tidy(substitute(step, {symbol(name): ZERO})), symbol(INDEX)
        if is_zero(a - ONE):
            return add(first, mul(k, b))
        grown = power(a, k)
        return add(mul(grown, first), mul(b, add(grown, MINUS_ONE), power(add(a, MINUS_ONE), MINUS_ONE)))

    def at_all_steps(self, node: Node, q: str) -> tuple[Node, Node] | None:
        """(a claimed gradient, the right one) for any number of steps; None where no closed form is known."""
        if self.closed is None or q not in self.problem.domain.variables or q in self.problem.state:
            return None
        done: dict[Node, Node] = {}
        for each in postorder(node):
            if each.op == "abstract":
                if each.value[0] not in self.problem.state:
                    return None
                done[each] = substitute(self.closed, {symbol(INDEX): done[each.args[0]]})
            elif each.op == "sum":
                return None
            else:
                done[each] = rebuild(each, (done[arg] for arg in each.args))
        last = substitute(self.closed, {symbol(INDEX): self.steps.last})
        whole = substitute(self.problem.value, {symbol(self.problem.state[0]): last})
        return done[node], derivative(whole, q)
