"""What is the solution of an ODE problem in closed form, proved?  Phase by phase, with the times of its events.

The candidates of `verify.calculus.closed_form` are not trusted.  That one solves the equation and starts where it must
are identities, decided like any other.  It is the solution then

    because the right-hand side is analytic in the states, and the candidate in t but for poles, at which a solution
    ends: two that agree near t0 agree as long as there are any; or
    because, from the beginning of the phase to its end, all that could be an end of a domain (arguments of roots and
    logarithms, denominators, in the candidate and in the right-hand side along it) is proved to keep its sign: then
    the candidate is there all the time, and the right-hand side is locally Lipschitz along it.

An event's time is the first zero of its `when`, of which `verify.calculus.event_times` says why there is no other.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from verify.calculus.closed_form import integral_in_time, is_continued, is_smooth_in, states_in_time
from verify.calculus.costate import end, seen, start
from verify.calculus.event_times import first_zero
from verify.calculus.events import after, before
from verify.calculus.tidy import tidy
from verify.calculus.waves import settled
from verify.claim import Domain, Variable
from verify.decide.boxes import positive_on_box
from verify.decide.integrals.smooth import Condition, conditions
from verify.decide.signs import Signs
from verify.decide.systems.identity import Identities
from verify.graph import (
    ONE,
    ZERO,
    Node,
    add,
    compare,
    derivative,
    free_symbols,
    mul,
    neg,
    postorder,
    size,
    substitute,
    symbol,
)
from verify.language.write import write
from verify.systems import TIME, OdeProblem, Phase, event_times
from verify.verdict import Verdict

#: Nodes of a closed form that is worth deciding with.
LARGEST = 600
_KINKED = frozenset({"abs", "sign", "floor", "ceil", "max", "min", "heaviside"})
_T = symbol(TIME)
#: A name for the part of the time that has passed, under which no text has one.
_PART = "s "


@dataclass(frozen=True)
class Solution:
    """What is known of a problem for all values of its names, or for those of a piece of them.

    values       states at times, "u(T)" and "u(tau1-)", and event times, in the names of the problem.
    objective    G in these names.
    says         the solution, in words for a reader.
    """

    values: dict[Node, Node]
    objective: Node
    says: str


def solution(problem: OdeProblem, identities: Identities) -> Solution | None:
    """The solution in closed form where one is found and proved.  Raises Undetermined and GiveUp."""
    if any(variable.field == "complex" for variable in problem.domain.variables.values()):
        return None
    if problem.events and problem.observations:  # in which phase an observation is depends on the parameters
        return None
    signs = Signs(identities)

    def vanishes(node: Node) -> bool:
        return identities.decide(node, ZERO).verdict is Verdict.PROVED

    begin, first = problem.t0, list(problem.initial)
    values = {symbol(u + start(problem)): x for u, x in zip(problem.state, first, strict=True)}
    total: list[Node] = [ZERO]
    says: list[str] = []
    events = dict(zip(event_times(problem), problem.events, strict=True))
    for phase, tau in zip(problem.phases, (*events, ""), strict=True):
        states = states_in_time(problem.state, phase.rhs, first, begin, lambda q: certain_sign(signs, q))
        if states is None:
            return None
        at = {symbol(u): x for u, x in zip(problem.state, states, strict=True)}
        cost = integral_in_time(phase.running, at, begin)
        if cost is None or size(*states, cost) > LARGEST:
            return None
        last: Node | None = problem.T
        if tau:
            phi = settled(substitute(events[tau].when, at))
            last = first_zero(phi, begin, lambda q: certain_sign(signs, q), vanishes)
            if last is None or not vanishes(substitute(phi, {_T: last})):
                return None
        assert last is not None
        course = _Course(problem, phase, (*states, cost), tuple(first), begin, last)
        if not course.is_solution(identities):
            return None
        says += [f"{u} = {write(x)}" for u, x in zip(problem.state, states, strict=True)]
        total.append(substitute(cost, {_T: last}))
        for each in problem.observations:
            seen_there = [substitute(x, {_T: each.time}) for x in states]
            values |= {symbol(u + seen(each)): x for u, x in zip(problem.state, seen_there, strict=True)}
            total.append(substitute(substitute(each.value, at), {_T: each.time}))
        there = [substitute(x, {_T: last}) for x in states]
        if not tau:
            values |= {symbol(u + end(problem)): x for u, x in zip(problem.state, there, strict=True)}
            total.append(substitute(substitute(problem.terminal, at), {_T: last, **values}))
            break
        event = events[tau]
        at = {_T: last, **dict(zip(map(symbol, problem.state), there, strict=True))}
        total.append(substitute(event.cost, at))
        first = [settled(substitute(r, at)) for r in event.reset]
        values[symbol(tau)] = last
        values |= {symbol(u + before(tau)): x for u, x in zip(problem.state, there, strict=True)}
        values |= {symbol(u + after(tau)): x for u, x in zip(problem.state, first, strict=True)}
        says.append(f"{tau} = {write(last)}")
        begin = last
    return Solution(values, add(*total) if len(total) > 1 else total[0], ", ".join(says))


def certain_sign(signs: Signs, quantity: Node) -> int:
    """The sign of a quantity on the domain, 0 where it is not known."""
    found = signs.sign(quantity)
    if not found:
        variables = {name: signs.identities.variable(name) for name in free_symbols(quantity)}
        for sign, node in ((1, quantity), (-1, tidy(neg(quantity)))):
            if positive_on_box(node, variables):
                return sign
    return found


@dataclass(frozen=True)
class _Course:
    """A candidate in one phase: the states and the running cost's integral, in t from `begin` to `last`."""

    problem: OdeProblem
    phase: Phase
    found: tuple[Node, ...]
    first: tuple[Node, ...]
    begin: Node
    last: Node

    def is_solution(self, identities: Identities) -> bool:
        """Whether it is proved to be the solution."""
        if not self._is_forward(identities):
            # Nothing is known of t then, not even that it is after t0.
            identities = replace(identities, ranges={**identities.ranges, TIME: Variable(TIME)}, known={}, compared={})
        during = self._during(identities)
        at = {symbol(name): x for name, x in zip(self.problem.state, self.found[:-1], strict=True)}
        rates = [*(substitute(f, at) for f in self.phase.rhs), substitute(self.phase.running, at)]
        whole = identities.decide
        starts = zip(self.found, (*self.first, ZERO), strict=True)
        if any(whole(substitute(x, {_T: self.begin}), b).verdict is not Verdict.PROVED for x, b in starts):
            return False
        for x, rate in zip(self.found, rates, strict=True):
            if whole(derivative(x, TIME), rate).verdict is not Verdict.PROVED:
                # It may hold until the end of the phase alone, where something stays positive.
                known = tuple(compare(q, ">", ZERO) for q in self._positive_bases(during))
                if not known or whole(derivative(x, TIME), rate, known).verdict is not Verdict.PROVED:
                    return False
        analytic = is_continued(self.found) and all(is_smooth_in(f, self.problem.state) for f in self.phase.rhs)
        needed = conditions(*self.found, *(() if analytic else rates), variables=identities.domain.variables)
        given = self._given(identities)
        if needed is None or given is None:
            return False
        return all(condition in given or self._holds(condition, during, analytic) for condition in needed)

    def _during(self, identities: Identities) -> Identities:
        """The domain with t between the beginning and the end of the phase."""
        domain = identities.domain
        between = (compare(_T, ">=", self.begin), compare(_T, "<=", self.last)) if self._is_forward(identities) else ()
        # Both ends count: where the right-hand side is singular there, a solution may leave in more than one way.
        time = replace(identities.variable(TIME), closed_low=True, closed_high=True)
        part = Variable(_PART, low=ZERO, high=ONE, closed_low=True, closed_high=True)
        variables = {**domain.variables, TIME: time, _PART: part}
        ranges = {**identities.ranges, TIME: time}
        return Identities(Domain(variables, (*domain.conditions, *between)), ranges, identities.seed)

    def _is_forward(self, identities: Identities) -> bool:
        """Whether the phase ends after its beginning: before events it does, where they happen; else that is proved."""
        length = tidy(add(self.last, neg(self.begin)))
        return bool(self.problem.events) or Signs(identities).nonnegative(length)

    def _positive_bases(self, during: Identities) -> list[Node]:
        """What is raised to a power, and is positive during the phase."""
        found = dict.fromkeys(node.args[0] for node in postorder(*self.found) if node.op == "pow")
        return [q for q in found if TIME in free_symbols(q) and self._is_positive(q, during)]

    def _moved(self, node: Node) -> Node:
        """An expression in t = begin + s (last - begin), with s between 0 and 1."""
        return substitute(node, {_T: add(self.begin, mul(symbol(_PART), add(self.last, neg(self.begin))))})

    def _given(self, identities: Identities) -> set[Condition] | None:
        """What must hold for the problem itself to say something, free of states and t."""
        problem = self.problem
        nodes = (*problem.initial, problem.t0, problem.T, *(f for phase in problem.phases for f in phase.rhs))
        found = conditions(*nodes, variables=identities.domain.variables)
        moving = {TIME, *problem.state}
        return None if found is None else {each for each in found if not free_symbols(each.quantity) & moving}

    def _holds(self, condition: Condition, during: Identities, analytic: bool) -> bool:
        quantity = tidy(condition.quantity)
        moves = TIME in free_symbols(quantity)
        if condition.kind == "nonzero":
            # With t there is a pole; without, an analytic quantity is zero for single values of the names at most.
            plain = analytic if moves else _is_analytic(quantity)
            return plain or self._keeps_sign(quantity, during)
        return self._is_positive(quantity, during)

    def _keeps_sign(self, quantity: Node, during: Identities) -> bool:
        if quantity.op == "mul":
            return all(TIME not in free_symbols(f) or self._keeps_sign(f, during) for f in quantity.args)
        if quantity.op == "pow" and quantity.args[1].op == "num":
            return self._keeps_sign(quantity.args[0], during)
        return self._is_positive(quantity, during) or self._is_positive(tidy(neg(quantity)), during)

    def _is_positive(self, quantity: Node, during: Identities) -> bool:
        if quantity.op == "mul":
            squares = [f for f in quantity.args if f.op == "pow" and f.args[1].op == "num" and f.args[1].value % 2 == 0]
            rest = [f for f in quantity.args if f not in squares]
            if squares and all(self._keeps_sign(f.args[0], during) for f in squares):
                return not rest or self._is_positive(rest[0] if len(rest) == 1 else mul(*rest), during)
        if quantity.op == "pow" and quantity.args[1].op == "num" and quantity.args[1].value.denominator == 1:
            even = quantity.args[1].value % 2 == 0
            return (self._keeps_sign if even else self._is_positive)(quantity.args[0], during)
        if quantity.op == "pow" and self._is_positive(quantity.args[0], during):
            return True
        if Signs(during).positive(quantity):
            return True
        moved = self._moved(quantity)
        return positive_on_box(moved, {name: during.variable(name) for name in free_symbols(moved)})


def _is_analytic(quantity: Node) -> bool:
    """Whether nothing in it has kinks or jumps."""
    return not any(
        node.op == "piecewise" or (node.op == "call" and node.value in _KINKED) for node in postorder(quantity)
    )
