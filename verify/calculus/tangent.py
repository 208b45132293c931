"""Whose gradient is the Hessian of a problem times a direction?  Its tangent problem: the gradient's, once more.

For a direction v of the parameters the derivative of G along v is an objective itself, on the state (u, s) with
s = (du/dp) v.  So its gradient is H v, and its adjoint is (m, l): l of the problem itself, and m, the derivative of l
along v.

    ODE         s' = f_u s + f_p v,   s(t0) = b_p v,   G v = g_u s + g_p v + integral of (r_u s + r_p v)
    implicit    f_u s + f_p v = 0,    recurrence  s[k] = F_u s[k-1] + F_p v
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from verify.calculus.costate import inner, symbols
from verify.calculus.reverse import gradient
from verify.claim import Domain, Variable
from verify.graph import Node, free_symbols
from verify.systems import (
    ImplicitProblem,
    Observation,
    OdeProblem,
    Problem,
    direction_names,
    second_costates,
    tangent_names,
)


def tangent_problem(problem: Problem) -> Problem:
    """The problem whose objective is dG/dp v, and whose gradient by p is H v.

    Raises ValueError where the times of an ODE depend on the parameters, and where it has events.
    """
    if isinstance(problem, OdeProblem) and problem.events:
        raise ValueError("second derivatives are taken of problems without events")
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
    return replace(
        problem, state=state, rhs=both(problem.rhs), initial=both(problem.initial), terminal=along(problem.terminal),
        running=along(problem.running), domain=domain, costates=costates,
        observations=tuple(Observation(each.time, along(each.value)) for each in problem.observations),
    )  # fmt: skip
