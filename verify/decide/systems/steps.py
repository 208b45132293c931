"""What does a claim on a recurrence say?  Values at steps as symbols, and one sum over all steps.

A value at step k + j is the symbol `x[k+j]`, near the ends `x[0]`, `x[n-1]`.  States at later steps are expressed in
those at earlier ones and adjoints at earlier steps in those at later ones, so that what remains is independent.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property

from verify.calculus.costate import Costate, recurrence_costate, substitute_index
from verify.calculus.tidy import tidied_arguments, tidy
from verify.decide.systems.convention import Convention
from verify.graph import ONE, ZERO, Node, add, free_symbols, mul, num, postorder, rebuild, substitute, symbol
from verify.language.write import write
from verify.systems import INDEX, RecurrenceProblem, adjoint_names

#: Steps between an index and the place that it is counted from.
FARTHEST = 6
_AT = re.compile(r"(\w+)\[(k|n|0)?([+-]?\d+)?\]")


class NoSum(ValueError):
    """A formula that is not linear in its sums, or takes values at other steps than near k, 0 or n."""


@dataclass(frozen=True)
class Stepwise:
    """boundary + sum of `inside` over k = 1 … n."""

    boundary: Node
    inside: Node


@dataclass(frozen=True)
class Steps:
    """How the names of a claim on a recurrence are read."""

    problem: RecurrenceProblem

    @cached_property
    def names(self) -> tuple[str, ...]:
        return adjoint_names(self.problem)

    @cached_property
    def costate(self) -> Costate:
        return recurrence_costate(self.problem)

    @property
    def last(self) -> Node:
        """The number of steps."""
        steps = self.problem.steps
        return num(steps) if isinstance(steps, int) else symbol(steps)

    def symbols(self, node: Node) -> Node:
        """Sequences at steps as symbols."""
        done: dict[Node, Node] = {}
        for each in postorder(node):
            if each.op == "sum":
                raise NoSum("a sum where none can stand")
            if each.op == "abstract":
                done[each] = symbol(each.value[0] + self.place(each.args[0]))
            else:
                done[each] = rebuild(each, (done[arg] for arg in each.args))
        return done[node]

    def place(self, argument: Node) -> str:
        """[k+1], [n], [0]: the index, and in numbers the first step or the last, is what a step is counted from.

        Of a few steps all but the last are counted from the first, so that their states are known in the parameters.
        """
        number, last = tidy(argument), self.last
        if number.op == last.op == "num" and number.value.denominator == 1:
            near_start = number.value < (last.value if last.value <= FARTHEST else last.value / 2)
            offset = number.value - (0 if near_start else last.value)
            if abs(offset) <= FARTHEST:
                return where("0" if near_start else "n", int(offset))
        for base, letter in ((symbol(INDEX), "k"), (self.last, "n"), (ZERO, "0")):
            offset = tidy(argument - base)
            if offset.op == "num" and offset.value.denominator == 1 and abs(offset.value) <= FARTHEST:
                return where(letter, int(offset.value))
        raise NoSum(f"a value at step {write(argument)}")

    def at(self, node: Node, step: Node) -> Node:
        """A summand, in symbols such as x[k-1], at one step."""
        (found,) = substitute_index((node,), step)
        near = {
            symbol(name + where("k", j)): symbol(name + self.place(add(step, num(j))))
            for name, letter, j in places(found)
            if letter == "k"
        }
        return substitute(found, near)

    def stepwise(self, node: Node) -> Stepwise:
        """A gradient.  Raises NoSum."""
        boundary, sums = self._linear(node)
        inside, outside = [], [self.symbols(boundary)]
        if INDEX in {name for part in outside for name in free_symbols(part)} or any(
            "[k" in name for name in free_symbols(*outside)
        ):
            raise NoSum("k stands outside of a sum")
        for factor, each in sums:
            whole, more = self._whole(each)
            inside.append(mul(factor, whole))
            outside += [mul(factor, part) for part in more]
        return Stepwise(add(*outside), add(*inside) if inside else ZERO)

    def _linear(self, node: Node) -> tuple[Node, list[tuple[Node, Node]]]:
        if node.op == "sum":
            return ZERO, [(ONE, node)]
        if not any(each.op == "sum" for each in postorder(node)):
            return node, []
        if node.op == "add":
            parts = [self._linear(arg) for arg in node.args]
            return add(*(part for part, _ in parts)), [each for _, found in parts for each in found]
        if node.op == "mul":
            holding = [i for i, arg in enumerate(node.args) if any(each.op == "sum" for each in postorder(arg))]
            if len(holding) == 1:
                (i,) = holding
                boundary, found = self._linear(node.args[i])
                rest = mul(*node.args[:i], *node.args[i + 1 :])
                return mul(rest, boundary), [(mul(rest, factor), each) for factor, each in found]
        raise NoSum("sums inside of a product, a power or a function")

    def _whole(self, node: Node) -> tuple[Node, list[Node]]:
        """The summand of a sum over 1 … n that is equal to a sum but for single terms, and those terms."""
        body, low, high = node.args
        body = substitute(body, {symbol(node.value): symbol(INDEX)})
        if any(_backwards(each) for each in postorder(body) if each.op == "abstract"):
            body = tidied_arguments(substitute(body, {symbol(INDEX): tidy(add(low, high, -symbol(INDEX)))}))
        first, beyond = tidy(low), tidy(high - self.last)
        if first.op != "num" or beyond.op != "num" or first.value.denominator != 1 or beyond.value.denominator != 1:
            raise NoSum("a sum from or to another step than near 0 and n")
        a, b = int(first.value), int(beyond.value)
        if max(abs(a), abs(b)) > FARTHEST:
            raise NoSum("a sum from or to another step than near 0 and n")
        # The adjoint at step k, whatever it is written with: then summands can be compared, and what is left are ends.
        tops = [tidy(each.args[0] - symbol(INDEX)) for each in postorder(body) if each.op == "abstract"
                and each.value[0] in self.names]  # fmt: skip
        offsets = [int(t.value) for t in tops if t.op == "num" and t.value.denominator == 1]
        by = -max(offsets) if offsets else 1 - a
        (body,) = _shifted((body,), by)
        # Now over a - by … n + b - by, where a sum over 1 … n is wanted.
        a, b = a - by, b - by
        if max(abs(a), abs(b)) > FARTHEST:
            raise NoSum("a sum from or to another step than near 0 and n")
        more = [(num(j), 1) for j in range(a, 1)] + [(num(j), -1) for j in range(1, a)]
        more += [(add(self.last, num(j)), 1) for j in range(1, b + 1)]
        more += [(add(self.last, num(j)), -1) for j in range(b + 1, 1)]
        ends = []
        for at, sign in more:
            term = self.symbols(tidied_arguments(substitute_index((body,), at)[0]))
            ends.append(term if sign > 0 else -term)
        return self.symbols(tidied_arguments(body)), ends

    # --- independent values ---

    def reduced(self, nodes: Sequence[Node], convention: Convention) -> tuple[Node, ...]:
        """The expressions in independent values: later states and earlier adjoints carried out."""
        found = tuple(self._near_start(node) for node in nodes)
        found = self._lowered(found, convention)
        return tuple(self._grounded(node, convention) for node in found)

    def _near_start(self, node: Node) -> Node:
        """x[0], x[1], … in the parameters."""
        states = list(self.problem.initial)
        at: dict[Node, Node] = {}
        for j in range(max([j for _, letter, j in places(node) if letter == "0"], default=-1) + 1):
            states = self.step(states, num(j)) if j else states
            at |= {symbol(u + where("0", j)): x for u, x in zip(self.problem.state, states, strict=True)}
        return substitute(node, at)

    def step(self, states: Sequence[Node], k: Node) -> list[Node]:
        at = {symbol(u): x for u, x in zip(self.problem.state, states, strict=True)} | {symbol(INDEX): k}
        return [substitute(f, at) for f in self.problem.step]

    def back(self, states: Sequence[Node], adjoints: Sequence[Node], k: Node, convention: Convention) -> list[Node]:
        """l[k] of the claimed adjoint from x[k] and l[k+1], in the convention."""
        at = {symbol(f"{u}[k]"): x for u, x in zip(self.problem.state, states, strict=True)} | {symbol(INDEX): k}
        at |= {symbol(f"{l}[k+1]"): x for l, x in zip(self.names, adjoints, strict=True)}
        return [substitute(convention.entry(self.costate.rate, i), at) for i in range(len(self.names))]

    def _lowered(self, nodes: tuple[Node, ...], convention: Convention) -> tuple[Node, ...]:
        """For each place that steps are counted from, states at the lowest and adjoints at the highest step."""
        for letter, base in (("k", symbol(INDEX)), ("n", self.last), ("0", ZERO)):
            found = {(name, j) for node in nodes for name, where_, j in places(node) if where_ == letter}
            own = [j for name, j in found if name in self.problem.state]
            adj = [j for name, j in found if name in self.names]
            if adj and min(adj) < max(adj) and letter != "n":
                own += list(range(min(adj), max(adj)))
            if letter == "n" and adj:
                own += list(range(min(*adj, 0), 1))
            at: dict[Node, Node] = {}
            if own and letter != "0":
                states: list[Node] = [symbol(u + where(letter, min(own))) for u in self.problem.state]
                for j in range(min(own) + 1, max(own) + 1):
                    states = self.step(states, tidy(add(base, num(j))))
                    at |= {symbol(u + where(letter, j)): x for u, x in zip(self.problem.state, states, strict=True)}
            if adj:
                top = 0 if letter == "n" else max(adj)
                l: list[Node] = [symbol(name + where(letter, top)) for name in self.names]
                for j in range(top - 1, min(adj) - 1, -1):
                    x = [at.get(s, s) for s in (symbol(u + where(letter, j)) for u in self.problem.state)]
                    l = self.back([self._near_start(each) for each in x], l, tidy(add(base, num(j))), convention)
                    at |= {symbol(name + where(letter, j)): value for name, value in zip(self.names, l, strict=True)}
            nodes = tuple(substitute(node, at) for node in nodes)
        return nodes

    @cached_property
    def constant(self) -> dict[str, int]:
        """Adjoints that are the same at all steps, such as that of a running sum, and which they are."""
        names = {*self.problem.state, *self.names}
        return {
            name: i
            for i, name in enumerate(self.names)
            if self.costate.rate[i] is symbol(name + "[k+1]")
            and not {each.partition("[")[0] for each in free_symbols(self.costate.final[i])} & names
        }

    def _grounded(self, node: Node, convention: Convention) -> Node:
        """l[n] as it is known, and what does not change."""
        fixed = {name: self.constant.get(name.partition("[")[0]) for name in free_symbols(node) if "[" in name}
        at = {symbol(name): convention.entry(self.costate.final, i) for name, i in fixed.items() if i is not None}
        node = substitute(node, at) if at else node
        own = free_symbols(node)
        last = ((i, name + "[n]") for i, name in enumerate(self.names))
        at = {symbol(name): convention.entry(self.costate.final, i) for i, name in last if name in own}
        final = substitute(node, at)
        lower = sorted(j for name, letter, j in places(node) if letter == "n" and name in self.problem.state)
        if lower and lower[0] < 0:  # x[n] came in with l[n]
            states: list[Node] = [symbol(u + where("n", lower[0])) for u in self.problem.state]
            for j in range(lower[0] + 1, 1):
                states = self.step(states, tidy(add(self.last, num(j))))
            final = substitute(final, {symbol(u + "[n]"): x for u, x in zip(self.problem.state, states, strict=True)})
        return final


def _backwards(value: Node) -> bool:
    """Whether a value is taken at n - k, or so."""
    return INDEX in free_symbols(value.args[0]) and INDEX not in free_symbols(tidy(value.args[0] + symbol(INDEX)))


def where(letter: str, offset: int) -> str:
    """[k], [k+1], [n-1], [0], [2]."""
    if letter == "0":
        return f"[{offset}]"
    return f"[{letter}{offset:+d}]" if offset else f"[{letter}]"


def places(node: Node) -> Iterable[tuple[str, str, int]]:
    """Name, letter and offset of all values at steps."""
    for name in sorted(free_symbols(node)):
        match = _AT.fullmatch(name)
        if match:
            yield match[1], match[2] or "0", int(match[3] or 0)


def _shifted(nodes: Sequence[Node], by: int) -> tuple[Node, ...]:
    """k replaced by k + by."""
    return substitute_index(nodes, tidy(add(symbol(INDEX), num(Fraction(by))))) if by else tuple(nodes)
