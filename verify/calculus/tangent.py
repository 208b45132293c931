"""Whose gradient is the Hessian of a problem times a direction?  Its tangent problem: the gradient's, once more.

For a direction v of the parameters the derivative of G along v is an objective itself, on the state (u, s) with
s = (du/dp) v.  So its gradient is H v, and its adjoint is (m, l): l of the problem itself, and m, the derivative of l
along v.

    ODE         s' = f_u s + f_p v,   s(t0) = b_p v,   G v = g_u s + g_p v + integral of (r_u s + r_p v)
    implicit    f_u s + f_p v = 0,    recurrence  s[k] = F_u s[k-1] + F_p v

At an event its time changes along v by tau_v = -(phi_u s + phi_p v)/D, and the tangent problem has the same event with
s+ = r_u s + r_p v + (r_t + r_u f1 - f2) tau_v and the cost k_u s + k_p v + (r1 - r2 + k_t + k_u f1) tau_v.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from verify.calculus.costate import inner, replaced, symbols
from verify.calculus.reverse import gradient
from verify.calculus.tidy import tidy
from verify.claim import Domain, Variable
from verify.graph import MINUS_ONE, ONE, Node, add, div, free_symbols, mul
from verify.systems import (
    TIME,
    Event,
    ImplicitProblem,
    Observation,
    OdeProblem,
    Problem,
    direction_names,
    event_times,
    second_costates,
    tangent_names,
)


def tangent_problem(problem: Problem) -> Problem:
    """The problem whose objective is dG/dp v, and whose gradient by p is H v.

    Raises ValueError where the times of an ODE depend on the parameters, and where its terminal cost names event times.
    """
    u, s = problem.state, tangent_names(problem)
    names, v = problem.parameters, symbols(direction_names(problem))
    moving = (*u, *names)

    def along(node: Node) -> Node:
        """The derivative of an expression along (s, v)."""
        return inner(gradient(node, moving), (*symbols(s), *v))

    def both(nodes: Sequence[Node]) -> tuple[Node, ...]:
        return (*nodes, *map(along, nodes))

    variables = {**problem.domain.variables, **{name: Variable(name) for name in direction_names(problem)}}
    domain = Domain({**variables, **{name: Variable(name) for name in s}}, problem.domain.conditions)
    state, costates = (*u, *s), second_costates(problem)
    if isinstance(problem, ImplicitProblem):
        value, residual = along(problem.value), both(problem.residual)
        return replace(problem, state=state, residual=residual, value=value, domain=domain, costates=costates)
    if not isinstance(problem, OdeProblem):
        return replace(
            problem, state=state, step=both(problem.step), initial=both(problem.initial), value=along(problem.value),
            domain=domain, costates=costates,
        )  # fmt: skip
    times = (problem.t0, problem.T, *(each.time for each in problem.observations))
    if free_symbols(*times) & set(names):
        raise ValueError("second derivatives are taken where no time depends on a parameter")
    if named := sorted(free_symbols(problem.terminal) & set(event_times(problem))):
        raise ValueError(f"second derivatives are taken where `terminal` names no event time; it names {named[0]}")

    def crossed(i: int) -> Event:
        """An event of the tangent problem."""
        event, (first, second) = problem.events[i], problem.phases[i : i + 2]
        *f2, r2 = replaced((*second.rhs, second.running), dict(zip(symbols(u), event.reset, strict=True)))

        def moved(node: Node) -> Node:
            return inner(gradient(node, (*u, TIME)), (*first.rhs, ONE))

        time_v = mul(MINUS_ONE, div(along(event.when), moved(event.when)))
        shifted = [
            tidy(add(along(r), mul(add(moved(r), mul(MINUS_ONE, f)), time_v)))
            for r, f in zip(event.reset, f2, strict=True)
        ]
        spent = add(first.running, mul(MINUS_ONE, r2), moved(event.cost))
        cost = tidy(add(along(event.cost), mul(spent, time_v)))
        return Event(event.when, (*event.reset, *shifted), both(second.rhs), along(second.running), cost)

    return replace(
        problem, state=state, rhs=both(problem.rhs), initial=both(problem.initial), terminal=along(problem.terminal),
        running=along(problem.running), domain=domain, costates=costates,
        observations=tuple(Observation(each.time, along(each.value)) for each in problem.observations),
        events=tuple(map(crossed, range(len(problem.events)))),
    )  # fmt: skip
