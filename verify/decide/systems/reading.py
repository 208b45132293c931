"""What does a claimed gradient say, as a functional?  Boundary values plus one integral over the whole time.

What a claim writes of states and adjoints at a time becomes a symbol: u itself under the integral, `u(T)` and `l1(0)`
at the ends, `u(tau1-)` and `u(tau1+)` on both sides of an event, `u(1/2)` elsewhere.  Where there are events the
integral is one of several integrands, each with the tag of its phase.
In reversed time the adjoint at t stands for the one at t0 + T - t.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from verify.calculus.costate import end, ends, seen, start
from verify.calculus.events import after, before, in_phase, tag
from verify.calculus.tidy import is_zero, leading_number, short, tidied_arguments, tidy
from verify.decide.prove.differentiate import carried_out
from verify.decide.prove.tower import GiveUp
from verify.graph import (
    MINUS_ONE,
    ONE,
    ZERO,
    Node,
    abstract,
    add,
    derivative,
    free_symbols,
    mul,
    num,
    postorder,
    rebuild,
    substitute,
    symbol,
    transform,
)
from verify.language.write import write
from verify.systems import TIME, Observation, OdeProblem, adjoint_names, event_times


class NoFunctional(ValueError):
    """A gradient that is not linear in its integrals, or has others than over the whole time."""


@dataclass(frozen=True)
class Functional:
    """boundary + integral of `inside` over [t0, T]; `flipped` counts integrals with their limits reversed.

    Where there are events `inside` is a sum of integrands with the tags of `verify.calculus.events`.
    """

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
    steady: frozenset[str] = frozenset()
    """States and adjoints that do not jump at an event, by their place: u(tau1)."""
    scheduled: tuple[tuple[str, Node], ...] = ()
    """Events whose times are known: tau1 and s, where it happens when t - s is zero."""

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

    def is_reversed(self, node: Node) -> bool:
        """Whether a state is taken at t0 + T - t, or an adjoint in reversed time at t: then t runs backwards."""
        if node.op != "abstract" or len(node.args) != 1:
            return False
        if node.value[0] in adjoint_names(self.problem):
            return is_zero(node.args[0] - symbol(TIME))
        return node.value[0] in self.problem.state and self.is_reflected(node)

    def symbols(self, node: Node, bare: str = "", event: str = "") -> Node:
        """States and adjoints as symbols; `bare` is where a bare name stands, (T) in a terminal condition.

        event   the time of an event where a bare state is one just before it, and a bare adjoint one just after it.
        """
        done: dict[Node, Node] = {}
        for each in postorder(node):
            if is_integral(each):
                raise NoFunctional("an integral where none can stand")
            if each.op == "abstract":
                if any(each.value[1]):
                    raise NoFunctional(f"a derivative of {each.value[0]}")
                done[each] = symbol(each.value[0] + self.place(each, bare, event))
            else:
                done[each] = rebuild(each, (done[arg] for arg in each.args))
        return done[node]

    def place(self, node: Node, bare: str, event: str = "") -> str:
        name, (argument,) = node.value[0], node.args
        adjoint = name in adjoint_names(self.problem)
        turned = self.backwards and adjoint
        if self.problem.events and turned:
            when = tidy(add(self.problem.t0, self.problem.T, -argument))
            sided = free_symbols(argument) & {tau + side for tau in event_times(self.problem) for side in "+-"}
            if sided or (self.event(when) and f"{name}({self.event(when)})" not in self.steady):
                raise NoFunctional(f"{name} jumps at an event, and in reversed time it is not said on which side it is")
        elif self.problem.events:
            at = self.event(argument) or (argument.value if argument.op == "symbol" else "")
            if event and at in (TIME, event):
                return after(event) if adjoint else before(event)
            if at[:-1] in event_times(self.problem):
                return f"({at})"
            if at in event_times(self.problem):
                if f"{name}({at})" not in self.steady:
                    raise NoFunctional(f"{name} jumps at {at}; write {name}({at}-) or {name}({at}+)")
                return after(at) if adjoint else before(at)
        if turned:
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

    def event(self, time: Node) -> str:
        """The event that happens at a time, tau1, or tau1- for the side of it; empty where none is known to."""
        if time.op == "symbol" and time.value.rstrip("+-") in event_times(self.problem):
            return time.value
        return next((name for name, known in self.scheduled if is_zero(time - known)), "")

    def crossed(self, node: Node, time: str) -> Node:
        """What an adjoint gains at an event: states just before it, adjoints just after it, if nothing else is said."""
        return substitute(self.symbols(node, event=time), {symbol(TIME): symbol(time)})

    def sided(self, node: Node) -> Node:
        """What stands at events as symbols, wherever it stands, and the events' times as limits."""
        times = event_times(self.problem)
        names = {*self.problem.state, *adjoint_names(self.problem)}
        done: dict[Node, Node] = {}
        for each in postorder(node):
            argument = each.args[0] if each.op == "abstract" and len(each.args) == 1 else None
            if each.op == "symbol" and each.value[:-1] in times:
                done[each] = symbol(each.value[:-1])
            elif argument is not None and each.value[0] in names and self.event(argument):
                done[each] = symbol(each.value[0] + self.place(each, ""))
            else:
                done[each] = rebuild(each, (done[arg] for arg in each.args))
        return done[node]

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
        chains: dict[Node, list[tuple[Fraction, Node]]] = {}
        written: dict[Node, tuple[Fraction, Node]] = {}
        for factor, integral in inside:
            body, low, high = self._parts(integral)
            whole = mul(self.symbols(factor), self.symbols(body))
            if self.problem.events:
                sign, phases = self._phases(low, high, anyhow)
                flipped += sign is MINUS_ONE
                terms += [mul(tag(i), sign, whole) for i in phases]
            elif anyhow or (is_zero(low - self.problem.t0) and is_zero(high - self.problem.T)):
                terms.append(whole)
            elif is_zero(low - self.problem.T) and is_zero(high - self.problem.t0):
                flipped += 1
                terms.append(mul(MINUS_ONE, whole))
            else:
                number, rest = leading_number(tidy(whole))
                written.setdefault(rest, (number, whole))
                chains.setdefault(rest, []).extend(((-number, low), (number, high)))
        for rest, limits in chains.items():
            number, whole = written[rest]
            terms.append(mul(num(self._length(limits) / number) if number else ZERO, whole))
        return Functional(read, add(*terms) if terms else ZERO, flipped)

    def _length(self, limits: Sequence[tuple[Fraction, Node]]) -> Fraction:
        """How often integrals from one time to another, put together, run over the whole time.  Raises NoFunctional."""
        counts: dict[Node, Fraction] = {}
        for number, time in limits:
            known = (self.problem.t0, self.problem.T, *counts)
            place = next((each for each in known if is_zero(time - each)), time)
            counts[place] = counts.get(place, Fraction(0)) + number
        times = counts.pop(self.problem.T, Fraction(0))
        if counts.pop(self.problem.t0, Fraction(0)) != -times or any(counts.values()):
            raise NoFunctional("an integral over a part of the time")
        return times

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

    def _parts(self, integral: Node) -> tuple[Node, Node, Node]:
        """What is integrated, in t, and the ends of an integral."""
        body, variable, low, high = integral.args
        if variable.op != "symbol":
            raise NoFunctional("an integral needs the name of its variable")
        if variable.value != TIME:
            if TIME in free_symbols(body):
                raise NoFunctional(f"t inside of an integral over {variable.value}")
            body = substitute(body, {variable: symbol(TIME)})
        if self.backwards and any(map(self.is_reversed, postorder(body))):
            # Over the whole time an integral is the same with t0 + T - t in the place of t, its ends as well.
            body = tidied_arguments(self.reflect(body))
            low, high = (tidy(add(self.problem.t0, self.problem.T, -each)) for each in (high, low))
        return body, low, high

    def _phases(self, low: Node, high: Node, anyhow: bool) -> tuple[Node, range]:
        """The sign of an integral between ends of phases, and the phases."""
        times = ends(self.problem)
        if anyhow:
            return ONE, range(len(times) - 1)

        def place(limit: Node) -> int:
            if event := self.event(limit):
                limit = symbol(event.rstrip("+-"))
            found = next((i for i, time in enumerate(times) if is_zero(limit - time)), None)
            if found is None:
                raise NoFunctional("an integral over a part of the time")
            return found

        first, last = place(low), place(high)
        return (ONE, range(first, last)) if first <= last else (MINUS_ONE, range(last, first))


def is_backwards(problem: OdeProblem, nodes: Sequence[Node]) -> bool:
    """Whether a claim takes a state, or an adjoint, at t0 + T - t: then its adjoint runs in reversed time."""
    reader = Reader(problem)
    return any(reader.is_reflected(each) for node in nodes for each in postorder(node))


def carried(problem: OdeProblem, node: Node) -> Node:
    """A formula of a claim with its derivatives carried out: -diff(H, x) with all names but x held fixed.

    Those by time, and of states or adjoints at a time of their own, stay: they would be total derivatives.
    """
    names = {*problem.state, *adjoint_names(problem)}
    fixed = {abstract(name, (symbol(TIME),)): symbol(name) for name in names}
    back = {bare: at for at, bare in fixed.items()}

    def change(each: Node) -> Node | None:
        if each.op != "derivative" or each.value[0] == TIME:
            return None
        body = substitute(each.args[0], fixed)
        if any(node.op == "abstract" for node in postorder(body)):
            return None
        try:
            return substitute(tidy(carried_out(derivative(body, *each.value))), back)
        except GiveUp:
            return None

    return transform(node, change)


# --- and back to text -----------------------------------------------------------------------------


def written(problem: OdeProblem, boundary: Node, inside: Node, reflected: tuple[str, ...] = ()) -> str:
    """boundary + int(inside, t, t0, T), the adjoints at t0 + T - t where their time is reversed."""
    turned = tidy(problem.t0 + problem.T - symbol(TIME))
    at = {symbol(name): symbol(f"{name}({write(turned)})") for name in reflected}
    swap = dict(zip((start(problem), end(problem)), (end(problem), start(problem)), strict=True))
    outside = {symbol(name + a): symbol(name + b) for name in reflected for a, b in swap.items()}
    inside, boundary = substitute(inside, at), substitute(boundary, outside)
    if problem.events:
        return _written_by_phase(problem, boundary, inside)
    if inside is ZERO:
        return write(boundary)
    integral = f"int({write(inside)}, {TIME}, {write(problem.t0)}, {write(problem.T)})"
    return integral if boundary is ZERO else plus(integral, write(boundary))


def plus(one: str, other: str) -> str:
    """The sum of two texts."""
    return f"{one} - {other[1:]}" if other.startswith("-") else f"{one} + {other}"


def _written_by_phase(problem: OdeProblem, boundary: Node, inside: Node) -> str:
    """Integrals over the phases, over all of the time where they have the same integrand, and values at times."""
    times = [write(time) for time in ends(problem)]
    count = len(problem.phases)
    insides = [short(in_phase(inside, i, count)) for i in range(count)]
    spans = [(each, times[i], times[i + 1]) for i, each in enumerate(insides)]
    spans = [(insides[0], times[0], times[-1])] if len(set(insides)) == 1 else spans
    found = [f"int({write(each)}, {TIME}, {low}, {high})" for each, low, high in spans if each is not ZERO]
    integrals = " + ".join(found)
    if boundary is ZERO and found:
        return integrals
    return plus(integrals, write(boundary)) if found else write(boundary)
