"""What is a claimed gradient worth where the problem is stiff?  A push of the solution, carried forwards, in balls.

Forwards the adjoint of a stiff problem explodes.  But l says what the objective changes by when the solution is pushed:

    integral of l^T a + l(t0)^T b + l(T)^T c = terminal_x (w(T) + c) + sum of h_x w + integral of running_x w,
                                               w' = f_x w + a,  w(t0) = b

(differentiate l^T w), so that a gradient which is linear in l is enclosed without l.
"""

from __future__ import annotations

import time as clock
from collections.abc import Mapping, Sequence
from fractions import Fraction

from verify.calculus.costate import end, start
from verify.calculus.reverse import gradient
from verify.decide.prove.tower import GiveUp
from verify.decide.systems.convention import Convention
from verify.decide.systems.ode_task import OdeTask
from verify.decide.systems.on_balls import TOLERANCE, Unknown
from verify.decide.systems.reading import Functional
from verify.graph import ZERO, Node, add, free_symbols, mul, substitute, symbol
from verify.numerics.enclosure.accuracy import precision
from verify.numerics.enclosure.ball import Ball, ball
from verify.numerics.enclosure.enclose import bits_for
from verify.numerics.enclosure.field import COST, Field, observed
from verify.numerics.enclosure.forward import Box, GaveUp
from verify.numerics.enclosure.objective import known_around
from verify.numerics.enclosure.stiff import LENGTH
from verify.numerics.enclosure.written import Unsupported


def pushed(
    task: OdeTask, convention: Convention, name: str, box: Mapping[str, tuple[Fraction, Fraction]], seconds: float
) -> Ball:
    """The value of a claimed gradient on the right adjoint, for all values of the names in a box.  Raises Unknown."""
    deadline = clock.monotonic() + seconds
    try:
        field = pushed_field(task, convention, name)
        with precision(bits_for(TOLERANCE), LENGTH):
            at = {each: ball(low).union(ball(high)) if low < high else ball(low) for each, (low, high) in box.items()}
            return Ball.of(known_around(field, ("G",), Box.of(at, ()), TOLERANCE, deadline).objective)
    except (GaveUp, GiveUp, Unsupported, ArithmeticError, ValueError, KeyError) as reason:
        raise Unknown(str(reason)) from None


def pushed_field(task: OdeTask, convention: Convention, name: str) -> Field:
    """States, costs, and how both are pushed; the objective is what is claimed.  Raises Unknown."""
    problem, read = task.problem, task.read.get(("gradient", name))
    if not isinstance(read, Functional) or problem.events:
        raise Unknown("no boundary terms and one integral")
    first, last = start(problem), end(problem)
    own = {
        symbol(claimed + where): mul(convention.scale(i), symbol(task.names[convention.places[i]] + where))
        for i, claimed in enumerate(task.names)
        for where in ("", first, last)
    }
    at_ends = {symbol(u + first): b for u, b in zip(problem.state, problem.initial, strict=True)}
    at_ends |= {symbol(u + last): symbol(u) for u in problem.state}
    boundary = substitute(substitute(read.boundary, own), at_ends)
    sources, inside = _split(substitute(read.inside, own), task.names)
    n, both = len(problem.state), [l + where for where in (first, last) for l in task.names]
    moved, rest = _split(boundary, both)
    if free_symbols(*moved[:n]) & set(problem.state):
        raise Unknown("a factor of the adjoint at t0 that depends on the final state")
    state, rates = (*problem.state, COST), (*problem.rhs, problem.running)
    w = [symbol(f" push of {u}") for u in state]
    rows = [gradient(f, state) for f in rates]
    grown = [add(_dot(row, w), push) for row, push in zip(rows, (*sources, inside), strict=True)]
    times, terms = observed(problem)
    values = [_dot(gradient(term, problem.state), w[:n]) for term in terms]
    values[-1] = add(values[-1], w[n], _dot(gradient(problem.terminal, problem.state), moved[n:]), rest)
    return Field.written(
        problem,
        (*state, *(each.value for each in w)),
        (),
        (*rates, *grown),
        (*problem.initial, ZERO, *moved[:n], ZERO),
        (problem.t0, *times),
        tuple((value,) for value in values),
        n + 1,
    )


def _split(node: Node, names: Sequence[str]) -> tuple[tuple[Node, ...], Node]:
    """The factors of the names in an expression that is linear in them, and what is left.  Raises Unknown."""
    slopes = gradient(node, names)
    if free_symbols(*slopes) & set(names):
        raise Unknown("not linear in the adjoint")
    return slopes, substitute(node, {symbol(name): ZERO for name in names})


def _dot(a: Sequence[Node], b: Sequence[Node]) -> Node:
    return add(ZERO, ZERO, *(mul(x, y) for x, y in zip(a, b, strict=True)))
