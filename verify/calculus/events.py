"""What does an event do to the adjoint, and what does it add to the gradient?  By named terms.

At the time tau of an event, phi(tau, u-, p) = 0, u+ = r(tau, u-, p), the right-hand side changes from f1 to f2 and the
running cost from r1 to r2, and k(tau, u-, p) is added to the objective.  With l+ the adjoint just after,

    D   = phi_t + phi_u f1-                                          the rate of phi along the solution
    eta = r1- - r2+ + k_t + k_u f1- + l+^T (r_t + r_u f1- - f2+)     (+ g_tau where g names tau)
    l-^T = l+^T r_u + k_u - (eta/D) phi_u,    dG/dq gains l+^T r_q + k_q - (eta/D) phi_q.

States just before and just after are symbols such as `u(tau1-)` and `u(tau1+)`, adjoints `l1(tau1-)`, `l1(tau1+)`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import product

from verify.calculus.reverse import gradient, pullback
from verify.calculus.tidy import expanded, is_zero, tidied, tidy
from verify.graph import (
    HALF,
    MINUS_ONE,
    ONE,
    ZERO,
    Node,
    add,
    div,
    free_symbols,
    mul,
    num,
    power,
    sqrt,
    substitute,
    symbol,
)
from verify.language.write import write
from verify.systems import TIME, Event, OdeProblem, adjoint_names, event_times

#: Further equations phi = 0 than this are not solved for both roots.
MOST_ROOTS = 3


def before(time: str) -> str:
    """(tau1-): how values just before an event are written."""
    return f"({time}-)"


def after(time: str) -> str:
    """(tau1+): how values just after an event are written."""
    return f"({time}+)"


@dataclass(frozen=True)
class Crossing:
    """An event as the adjoint sees it.

    time     tau1, tau2, …
    drift    the terms of eta by their names.
    rate     the terms of D by their names.
    slope    phi_u.
    carried  r_u^T l+, one expression an adjoint; `straight` the same with r_u not transposed.
    cost     k_u.
    later    l+ as symbols.
    turned   phi_u f2+, which people take for phi_u f1-, and `plain` l+^T f1-, which they take for l+^T r_u f1-.
    leap     r_t + r_u f1- - f2+, one expression a state.
    sign     of eta/D.
    """

    event: Event
    time: str
    state: tuple[str, ...]
    drift: tuple[tuple[str, Node], ...]
    rate: tuple[tuple[str, Node], ...]
    slope: tuple[Node, ...]
    carried: tuple[Node, ...]
    straight: tuple[Node, ...]
    cost: tuple[Node, ...]
    later: tuple[Node, ...]
    turned: Node
    plain: Node
    leap: tuple[Node, ...]
    sign: Node = MINUS_ONE

    @property
    def weight(self) -> Node:
        """-eta/D."""
        eta, rate = (tidy(add(ZERO, ZERO, *(node for _, node in terms))) for terms in (self.drift, self.rate))
        return ZERO if eta is ZERO else tidy(mul(self.sign, div(eta, rate)))

    @property
    def before(self) -> tuple[Node, ...]:
        """The adjoint just before, in the adjoint just after."""
        weight = self.weight
        parts = zip(self.carried, self.cost, self.slope, strict=True)
        return tidied([add(l, k, mul(weight, slope)) for l, k, slope in parts])

    @property
    def gains(self) -> tuple[Node, ...]:
        """What the adjoint has more just before than just after."""
        return tidied([add(one, -other) for one, other in zip(self.before, self.later, strict=True)])

    def terms(self, j: int) -> tuple[Node, ...]:
        """The terms that an adjoint just before the event is the sum of, as they are, untidied."""
        rate = add(ZERO, ZERO, *(node for _, node in self.rate))
        moved = (mul(node, self.slope[j], power(rate, MINUS_ONE)) for _, node in self.drift)
        return (self.carried[j], self.cost[j], *(moved if self.slope[j] is not ZERO else ()))

    def parts(self, q: str) -> Iterator[tuple[str, Node]]:
        """What dG/dq gains, by name."""
        reset, when, cost = (
            self.here(nodes)
            for nodes in (
                pullback(self.event.reset, self.later, (q,)),
                gradient(self.event.when, (q,)),
                gradient(self.event.cost, (q,)),
            )
        )
        yield "l r_q", reset[0]
        yield "k_q", cost[0]
        yield "phi_q", tidy(mul(self.weight, when[0]))

    def here(self, nodes: Sequence[Node]) -> tuple[Node, ...]:
        """Expressions in t and the states just before."""
        return _at(nodes, self.state, symbol(self.time), before(self.time))

    def without(self, *names: str) -> Crossing:
        """The same with some terms of eta and D forgotten."""
        drift = tuple(term for term in self.drift if term[0] not in names)
        rate = tuple(term for term in self.rate if term[0] not in names)
        return replace(self, drift=drift, rate=rate)


def _at(nodes: Sequence[Node], state: tuple[str, ...], time: Node, where: str) -> tuple[Node, ...]:
    at = {symbol(TIME): time} | {symbol(u): symbol(u + where) for u in state}
    return tuple(substitute(node, at) for node in nodes)


def crossings(problem: OdeProblem) -> tuple[Crossing, ...]:
    """The events of a problem in their order."""
    return tuple(_crossing(problem, i) for i in range(len(problem.events)))


def _crossing(problem: OdeProblem, i: int) -> Crossing:
    event, time, state = problem.events[i], event_times(problem)[i], problem.state
    first, second = problem.phases[i], problem.phases[i + 1]
    later = tuple(symbol(name + after(time)) for name in adjoint_names(problem))
    f1, (r1,) = (_at(nodes, state, symbol(time), before(time)) for nodes in (first.rhs, (first.running,)))
    known = unmoved(event, state, time)
    f2, (r2,) = (
        tidied([substitute(node, known) for node in _at(nodes, state, symbol(time), after(time))])
        for nodes in (second.rhs, (second.running,))
    )

    def slopes(node: Node) -> tuple[tuple[Node, ...], Node]:
        *by_states, by_time = _at(gradient(node, (*state, TIME)), state, symbol(time), before(time))
        return tuple(by_states), by_time

    def along(by: Sequence[Node], rates: Sequence[Node]) -> Node:
        return tidy(add(ZERO, ZERO, *(mul(a, b) for a, b in zip(by, rates, strict=True))))

    (phi_u, phi_t), (k_u, k_t) = slopes(event.when), slopes(event.cost)
    rows = [slopes(r) for r in event.reset]
    r_t, r_f = [by_time for _, by_time in rows], [along(by_states, f1) for by_states, _ in rows]
    drift = (
        ("r1-r2", tidy(add(r1, -r2))),
        ("k_t", k_t),
        ("k_u f1", along(k_u, f1)),
        ("l r_t", along(later, r_t)),
        ("l r_u f1", along(later, r_f)),
        ("l f2", tidy(-along(later, f2))),
        ("g_tau", _at(gradient(problem.terminal, (time,)), state, problem.T, f"({write(problem.T)})")[0]),
    )
    return Crossing(
        event,
        time,
        state,
        tuple(term for term in drift if term[1] is not ZERO),
        tuple(term for term in (("phi_t", phi_t), ("phi_u f1", along(phi_u, f1))) if term[1] is not ZERO),
        phi_u,
        tuple(along([by_states[j] for by_states, _ in rows], later) for j in range(len(state))),
        tuple(along(by_states, later) for by_states, _ in rows),
        k_u,
        later,
        along(phi_u, f2),
        along(later, f1),
        tidied([add(by_time, flow, -f) for by_time, flow, f in zip(r_t, r_f, f2, strict=True)]),
    )


def rate_along(phi: Node, rates: Sequence[Node], state: Sequence[str]) -> Node:
    """D = phi_t + phi_x f, the derivative of phi along the solutions of x' = f."""
    *slopes, by_time = gradient(phi, (*state, TIME))
    parts = [mul(d, f) for d, f in zip(slopes, rates, strict=True) if d is not ZERO and f is not ZERO]
    return add(*parts, by_time, ZERO) if parts else by_time


def unmoved(event: Event, state: tuple[str, ...], time: str) -> dict[Node, Node]:
    """The states just after an event that are those just before, or numbers."""
    found = {}
    for u, r in zip(state, event.reset, strict=True):
        if r is symbol(u):
            found[symbol(u + after(time))] = symbol(u + before(time))
        elif r.op == "num":
            found[symbol(u + after(time))] = r
    return found


def switched(problem: OdeProblem, event: Event) -> frozenset[str]:
    """The states that decide when an event happens: those in `when`, and those that their rates name, and so on."""
    found = free_symbols(event.when) & set(problem.state)
    while True:
        rates = [f for each in problem.phases for u, f in zip(problem.state, each.rhs, strict=True) if u in found]
        more = found | (free_symbols(*rates) & set(problem.state))
        if more == found:
            return frozenset(found)
        found = more


def resets(problem: OdeProblem) -> dict[Node, Node]:
    """The states just after each event, in those just before."""
    found = {}
    for event, time in zip(problem.events, event_times(problem), strict=True):
        reset = _at(event.reset, problem.state, symbol(time), before(time))
        found |= {symbol(u + after(time)): r for u, r in zip(problem.state, reset, strict=True)}
    return found


# --- where phi = 0 ----------------------------------------------------------------------------------


def surfaces(problem: OdeProblem) -> tuple[Mapping[Node, Node], ...]:
    """What phi = 0 says at the events, solved: something that names have in the place of each other; both of two roots.

    Where an equation is not solved nothing is said of it.  The coefficient of what is solved for names parameters alone
    and is zero nowhere that the event is crossed.
    """
    choices: list[list[dict[Node, Node]]] = []
    for event, time in zip(problem.events, event_times(problem), strict=True):
        (phi,) = _at((event.when,), problem.state, symbol(time), before(time))
        here = [symbol(time), *(symbol(u + before(time)) for u in problem.state)]
        others = [symbol(name) for name in problem.domain.variables if name not in problem.state]
        found = next((roots for x in (*here, *others) if (roots := _solved(phi, x, others))), [])
        choices.append([{x: root} for x, root in found] or [{}])
    if sum(len(each) > 1 for each in choices) > MOST_ROOTS:
        return ({},)
    whole: list[Mapping[Node, Node]] = []
    for chosen in product(*choices):
        at: dict[Node, Node] = {}
        for step in chosen:  # a parameter may be solved for once
            if not set(step) & set(at):
                at = {x: substitute(node, step) for x, node in at.items()} | {
                    x: substitute(node, at) for x, node in step.items()
                }
        whole.append(at)
    return tuple(whole)


def _solved(phi: Node, x: Node, parameters: Sequence[Node]) -> list[tuple[Node, Node]]:
    """x as a root of phi, where phi is linear in x, or a multiple of x^2 and a rest, with a coefficient of numbers."""
    if x.value not in free_symbols(phi):
        return []
    (slope,) = gradient(phi, (x.value,))
    rest = tidy(substitute(phi, {x: ZERO}))
    if x.value not in free_symbols(slope):
        if slope is ZERO or not free_symbols(slope) <= {each.value for each in parameters if each is not x}:
            return []
        return [(x, tidy(div(tidy(-rest), slope)))] if _vanishes(add(phi, -mul(slope, x), -rest)) else []
    (second,) = gradient(slope, (x.value,))
    if second.op != "num" or second is ZERO or not is_zero(substitute(slope, {x: ZERO})):
        return []
    if not _vanishes(add(phi, -mul(HALF, second, x, x), -rest)):
        return []
    root = sqrt(tidy(div(mul(num(-2), rest), second)))
    return [(x, root), (x, mul(MINUS_ONE, root))]


def _vanishes(node: Node) -> bool:
    return expanded(node) == (ZERO,)


# --- integrals over phases --------------------------------------------------------------------------


def tag(phase: int) -> Node:
    """Stands for 1 in a phase and for 0 in the others, so that one expression says what is integrated in each."""
    return symbol(f"phase {phase}")


def in_phase(node: Node, phase: int, count: int) -> Node:
    """What a tagged sum is in one of `count` phases; nothing is tidied but what belongs to another phase."""
    tags = {tag(i) for i in range(count)}
    kept = []
    for term in node.args if node.op == "add" else (node,):
        factors = term.args if term.op == "mul" else (term,)
        own = [factor for factor in factors if factor in tags]
        if not own:
            kept.append(term)
        elif own == [tag(phase)]:
            left = [factor for factor in factors if factor is not own[0]]
            kept.append(mul(*left) if len(left) > 1 else left[0] if left else ONE)
    found = add(*kept) if len(kept) > 1 else kept[0] if kept else ZERO
    if free_symbols(found) & {each.value for each in tags}:
        found = tidy(substitute(found, {each: ONE if each is tag(phase) else ZERO for each in tags}))
    return found
