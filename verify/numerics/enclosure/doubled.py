"""How does the gradient itself depend on the parameters?  The system of the states and all their sensitivities.

x' = f and s' = f_x s (+ f_q) are one system again, in which the gradient of the objective is a function of the final
state.  Enclosed over a box, its errors are of second order in the width of the box; differentiated, it gives the
second derivatives of the objective.
"""

from __future__ import annotations

from collections.abc import Sequence

from verify.calculus.reverse import gradient
from verify.graph import MINUS_ONE, ONE, ZERO, Node, add, mul, substitute, symbol
from verify.numerics.enclosure.field import Field, own_time
from verify.systems import TIME


def size(field: Field) -> int:
    """Number of states of the doubled system."""
    return len(field.state) * (1 + len(field.names))


def doubled(field: Field, free: bool = False) -> tuple[Field, tuple[str, ...]]:
    """The doubled system, and what is observed: `G`, its derivatives by all names, and by `T` (if that is no name).

    free   whether derivatives by `u(t0)` for each initial value, and by `t0` (if that is no name), come too.

    GiveUp (of `verify.decide.prove.tower`) where a function has no derivative.
    """
    problem, state, names = field.problem, field.state, field.names
    at_start = {**{symbol(u): b for u, b in zip(state, field.starts, strict=True)}, symbol(TIME): problem.t0}
    first = [substitute(f, at_start) for f in field.rates]
    rows = [gradient(f, (*state, *names)) for f in field.rates]
    n, t0_slopes = len(state), gradient(problem.t0, names)
    start_rows = [gradient(b, names) for b in field.starts]
    # Each direction: its name, how it moves the rates by itself, and where its sensitivities start.
    directions = [
        (name, [row[n + d] for row in rows],
         [_sum([row[d], _minus(_product(f, t0_slopes[d]))]) for row, f in zip(start_rows, first, strict=True)])
        for d, name in enumerate(names)
    ]  # fmt: skip
    if free:
        still = [ZERO] * n
        for i, u in enumerate(problem.state):
            directions.append((f"{u}(t0)", still, [ONE if i == j else ZERO for j in range(n)]))
        if own_time(problem, "t0"):
            directions.append(("t0", still, [_minus(f) for f in first]))
    sensitive = [[symbol(f" {u} by {d}") for u in state] for d in range(len(directions))]
    rates, starts = [], []
    for own, (_, moved, start) in zip(sensitive, directions, strict=True):
        rates += [_sum([*map(_product, row[:n], own), more]) for row, more in zip(rows, moved, strict=True)]
        starts += start
    outputs, terms = _outputs(field, [name for name, *_ in directions], sensitive)
    whole = Field.written(
        problem,
        (*state, *(s.value for own in sensitive for s in own)),
        names,
        (*field.rates, *rates),
        (*field.starts, *starts),
        field.moments,
        terms,
        n,
    )
    return whole, outputs


def _outputs(
    field: Field, directions: Sequence[str], sensitive: Sequence[Sequence[Node]]
) -> tuple[tuple[str, ...], tuple[tuple[Node, ...], ...]]:
    """G and dG/dq = g_q + g_x s + (g_t + g_x x') T_q, term by term; dG/dT where T is no name of the problem."""
    state, names, n = field.state, field.names, len(field.state)
    own = own_time(field.problem, "T")
    terms = []
    for k, ((term,), time) in enumerate(zip(field.written_terms, field.moments[1:], strict=True)):
        slopes, time_slopes = gradient(term, (*state, TIME, *names)), gradient(time, names)
        rate = _sum([*map(_product, slopes[:n], field.rates), slopes[n]])
        explicit = [_sum([by, _product(rate, moved)]) for by, moved in zip(slopes[n + 1 :], time_slopes, strict=True)]
        values = [
            _sum([*map(_product, slopes[:n], each), explicit[d] if d < len(names) else ZERO])
            for d, each in enumerate(sensitive)
        ]
        last = [rate if k == len(field.written_terms) - 1 else ZERO] if own else []
        terms.append((term, *values, *last))
    return ("G", *directions, *(("T",) if own else ())), tuple(terms)


def _sum(terms: list[Node]) -> Node:
    kept = [term for term in terms if term is not ZERO]
    return add(*kept) if kept else ZERO


def _product(a: Node, b: Node) -> Node:
    return ZERO if ZERO in (a, b) else mul(a, b)


def _minus(a: Node) -> Node:
    return ZERO if a is ZERO else mul(MINUS_ONE, a)
