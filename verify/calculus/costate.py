"""What are the adjoint equations and the gradient of a problem?  Derived on the graph, each gradient by named terms.

    ODE         l' = -f_u^T l - r_u^T, l(T) = g_u^T, and l(s-) = l(s+) + h_u^T where h is observed at the time s
                dG/dq = g_q + l(t0)^T b_q + integral of (r_q + l^T f_q) + (r + l^T f)(T) T_q - (r + l^T f)(t0) t0_q
                        + sum of (h_q + (h_t + h_u f)(s) s_q)
    implicit    f_u^T l = g_u^T,   dG/dq = g_q - l^T f_q
    recurrence  l[n] = g_u^T, l[k] = F_u^T l[k+1],   dG/dq = g_q + l[0]^T b_q + sum of l[k]^T F_q

At an event the adjoint jumps, and dG/dq gains more: see `verify.calculus.events`.

with r the running cost.  l is +dG/du; gradients are the same for rows and for columns.  A value at the ends is a
symbol such as `u(T)` or `l1(0)`, at a step `x[k-1]` or `l1[n]`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, TypeAlias

from verify.calculus.events import Crossing, crossings, tag
from verify.calculus.reverse import gradient, pullback
from verify.calculus.tidy import tidied, tidy
from verify.graph import MINUS_ONE, ONE, ZERO, Node, add, mul, num, postorder, rebuild, substitute, symbol
from verify.language.write import write
from verify.systems import (
    INDEX,
    TIME,
    ImplicitProblem,
    Observation,
    OdeProblem,
    Phase,
    RecurrenceProblem,
    adjoint_names,
    event_times,
)

#: Where the adjoint jumps.
Moment: TypeAlias = Observation | Crossing


@dataclass(frozen=True)
class Term:
    """A named part of a gradient: at the ends (`boundary`), or under the integral or sum (`inside`).

    phase   between which events it is integrated, counted from 0; None where there are none.
    where   of what it is a part where there are several, "at tau1".
    """

    name: str
    boundary: Node = ZERO
    inside: Node = ZERO
    phase: int | None = None
    where: str = ""


@dataclass(frozen=True)
class Gradient:
    """dG/dq as the sum of its terms."""

    terms: tuple[Term, ...]

    @property
    def boundary(self) -> Node:
        return tidy(add(*(term.boundary for term in self.terms), ZERO, ZERO))

    @property
    def inside(self) -> Node:
        """What is integrated or summed; between events the integrands are tagged by their phase."""
        tagged = (t.inside if t.phase is None else mul(tag(t.phase), t.inside) for t in self.terms)
        return tidy(add(*tagged, ZERO, ZERO))

    def only(self, *names: str) -> Node:
        """What the terms of these names are at the ends."""
        return total([term.boundary for term in self.terms if term.name in names])

    def within(self, phase: int) -> Node:
        """What is integrated between two events, in a phase counted from 0."""
        return total([term.inside for term in self.terms if term.phase in (phase, None)])


@dataclass(frozen=True)
class Costate:
    """The right adjoint system of a problem.

    rate        l' (ODE) or l[k] (recurrence, in x[k] and l[k+1]), one expression an adjoint; empty for implicit.
    transposed  the same with the Jacobian not transposed, a slip that people make.
    source      what stands there beside the Jacobian: -r_u (ODE).
    final       l(T) or l[n]; for an implicit problem g_u, the right-hand sides of its equations.
    matrix      f_u, rows by residual (implicit).
    """

    rate: tuple[Node, ...] = ()
    transposed: tuple[Node, ...] = ()
    source: tuple[Node, ...] = ()
    final: tuple[Node, ...] = ()
    matrix: tuple[tuple[Node, ...], ...] = ()


def total(terms: Sequence[Node]) -> Node:
    """The sum of some terms, tidied."""
    return tidy(add(*terms)) if terms else ZERO


def inner(left: Sequence[Node], right: Sequence[Node]) -> Node:
    """left^T right."""
    return total([mul(a, b) for a, b in zip(left, right, strict=True)])


def symbols(names: Sequence[str], where: str = "") -> tuple[Node, ...]:
    """The names as symbols, at a time or step where one is given: `(T)`, `[k-1]`."""
    return tuple(symbol(name + where) for name in names)


def moved(nodes: Sequence[Node], names: Sequence[str], where: str) -> tuple[Node, ...]:
    """Expressions in which the names are taken at another time or step."""
    return replaced(nodes, dict(zip(symbols(names), symbols(names, where), strict=True)))


def replaced(nodes: Sequence[Node], at: Mapping[Node, Node]) -> tuple[Node, ...]:
    """Expressions with replacements made in all of them; what they share is visited once."""
    if any(node.binds for node in nodes):
        return tuple(substitute(node, at) for node in nodes)
    done = dict(at)
    for node in postorder(*nodes):
        if node not in done:
            done[node] = rebuild(node, (done[arg] for arg in node.args))
    return tuple(done[node] for node in nodes)


# --- ordinary differential equations --------------------------------------------------------------


def start(problem: OdeProblem) -> str:
    """(0): how values at the initial time are written."""
    return f"({write(problem.t0)})"


def end(problem: OdeProblem) -> str:
    """(T): how values at the final time are written."""
    return f"({write(problem.T)})"


def seen(observation: Observation) -> str:
    """(1/2): how values at the time of an observation are written."""
    return f"({write(observation.time)})"


def where_of(moment: Moment) -> str:
    """(1/2) or (tau1): how values at an observation or event are written."""
    return seen(moment) if isinstance(moment, Observation) else f"({moment.time})"


def jumps(problem: OdeProblem) -> tuple[tuple[Node, ...], ...]:
    """For each observation what the adjoint just before it has more than just after, one expression an adjoint."""
    return tuple(_observed(problem, each, gradient(each.value, problem.state)) for each in problem.observations)


def _observed(problem: OdeProblem, observation: Observation, nodes: Sequence[Node]) -> tuple[Node, ...]:
    """Expressions in t and the states at the time of an observation."""
    return replaced(moved(nodes, problem.state, seen(observation)), {symbol(TIME): observation.time})


def moments(problem: OdeProblem) -> tuple[tuple[Moment, tuple[Node, ...]], ...]:
    """The observations and the events, and what all adjoints gain there."""
    observed = zip(problem.observations, jumps(problem), strict=True)
    return (*observed, *((each, each.gains) for each in crossings(problem)))


def ode_costate(problem: OdeProblem, *, with_slip: bool = True, phase: int = 0) -> Costate:
    """The adjoint system of an ODE; `with_slip` for its rate with the Jacobian not transposed as well.

    phase   between which events, counted from 0.
    """
    u, l, solved = problem.state, symbols(adjoint_names(problem)), problem.phases[phase]
    rate = pullback((*solved.rhs, solved.running), (*l, ONE), u)
    source = tidied([-d for d in gradient(solved.running, u)])
    transposed: tuple[Node, ...] = ()
    if with_slip:
        rows = (gradient(f, u) for f in solved.rhs)
        transposed = tuple(tidy(add(-inner(row, l), s)) for row, s in zip(rows, source, strict=True))
    return Costate(tidied([-r for r in rate]), transposed, source, terminal_gradient(problem, u))


def terminal_gradient(problem: OdeProblem, names: Sequence[str]) -> tuple[Node, ...]:
    """The terminal cost differentiated by some names, at the final time."""
    at = {
        symbol(TIME): problem.T,
        **dict(zip(symbols(problem.state), symbols(problem.state, end(problem)), strict=True)),
    }
    return replaced(gradient(problem.terminal, names), at)


def ode_gradient(problem: OdeProblem, q: str) -> Gradient:
    """dG/dq for a name of the domain, `t0`, `T`, or the initial state `u(t0)`."""
    return ode_gradients(problem, (q,))[0]


def ode_gradients(problem: OdeProblem, names: Sequence[str]) -> tuple[Gradient, ...]:
    """dG/dq for each name, as `ode_gradient`; the reverse sweeps are made once for all of them."""
    adjoints = adjoint_names(problem)
    l, l0 = symbols(adjoints), symbols(adjoints, start(problem))
    first = {f"{name}(t0)": multiplier for name, multiplier in zip(problem.state, l0, strict=True)}
    known = tuple(q for q in names if q in problem.domain.variables and q not in first)
    phases = problem.phases
    columns = (
        list(zip(*(pullback(each.rhs, l, known) for each in phases), strict=True)),
        list(zip(*(gradient(each.running, known) for each in phases), strict=True)),
        pullback(problem.initial, l0, known),
        terminal_gradient(problem, known),
        gradient(problem.T, known),
        gradient(problem.t0, known),
    )
    by_name = dict(zip(known, zip(*columns, strict=True), strict=True))
    (g_t,) = terminal_gradient(problem, (TIME,))
    crossed = crossings(problem)

    @cache
    def hamiltonian(where: str, when: Node, phase: Phase) -> tuple[Node, Node]:
        products, r = moved((inner(l, phase.rhs), phase.running), (*problem.state, *adjoints), where)
        rate, cost = tidied(replaced((products, r), {symbol(TIME): when}))
        return rate, cost

    found = []
    for q in names:
        if q in first:
            found.append(Gradient((Term("l(t0)", first[q]),)))
            continue
        nothing = (ZERO,) * len(phases)
        none = (nothing, nothing, ZERO, ZERO, num(int(q == "T")), num(int(q == "t0")))
        lf_q, r_q, lb_q, g_q, T_q, t0_q = by_name.get(q, none)
        terms = [Term("g_q", tidy(g_q)), Term("l(t0)b_q", lb_q)]
        for name, entries in (("r_q", r_q), ("l f_q", lf_q)):
            terms += [Term(name, inside=each, **_between(problem, i)) for i, each in enumerate(entries)]
        if T_q is not ZERO:
            last = hamiltonian(end(problem), problem.T, phases[-1])
            terms.append(Term("g_T", tidy(mul(T_q, g_t))))
            terms += [Term(name, tidy(mul(T_q, part))) for name, part in zip(("l(T)f(T)", "r(T)"), last, strict=True)]
        if t0_q is not ZERO:
            begin = hamiltonian(start(problem), problem.t0, phases[0])
            terms += [
                Term(name, tidy(mul(MINUS_ONE, t0_q, part)))
                for name, part in zip(("l(t0)f(t0)", "r(t0)"), begin, strict=True)
            ]
        terms += [term for each in problem.observations for term in observed_terms(problem, each, q)]
        if q in problem.domain.variables:
            terms += [Term(name, part, where=f" at {c.time}") for c in crossed for name, part in c.parts(q)]
        found.append(Gradient(tuple(term for term in terms if term.boundary is not ZERO or term.inside is not ZERO)))
    return tuple(found)


def ends(problem: OdeProblem) -> tuple[Node, ...]:
    """t0, tau1, tau2, …, T: where the phases begin and end."""
    return (problem.t0, *symbols(event_times(problem)), problem.T)


def spanned(problem: OdeProblem, key: str) -> tuple[str, range]:
    """The name in a key such as l1 or l1(0, tau1), and the phases that it is for."""
    base, span = key.partition("(")[::2]
    times = [write(time) for time in ends(problem)]
    low, high = span[:-1].split(", ") if span else (times[0], times[-1])
    return base, range(times.index(low), times.index(high, 1))


def _between(problem: OdeProblem, phase: int) -> dict[str, Any]:
    """Where a term is integrated."""
    if not problem.events:
        return {}
    low, high = ends(problem)[phase : phase + 2]
    return {"phase": phase, "where": f" between {write(low)} and {write(high)}"}


def observed_terms(problem: OdeProblem, observation: Observation, q: str) -> list[Term]:
    """What an observation adds to dG/dq by itself, and because its time moves."""
    if q not in problem.domain.variables:
        return []
    *h_u, h_t, h_q = _observed(problem, observation, gradient(observation.value, (*problem.state, TIME, q)))
    (s_q,) = gradient(observation.time, (q,))
    moving = add(h_t, inner(h_u, _observed(problem, observation, problem.rhs))) if s_q is not ZERO else ZERO
    return [Term("h_q", tidy(h_q)), Term("h_t", tidy(mul(s_q, moving)))]


def in_time(problem: OdeProblem, q: str) -> Gradient | None:
    """dG/dt0 or dG/dT with H = r + l^T f taken at the other end: H(T) - H(t0) is the integral of r_t + l^T f_t.

    None where the problem is autonomous, so that nothing is integrated, and where H jumps: at observations and events.
    """
    if problem.observations or problem.events:
        return None
    l = symbols(adjoint_names(problem))
    f_t, r_t = pullback(problem.rhs, l, (TIME,))[0], gradient(problem.running, (TIME,))[0]
    if f_t is ZERO and r_t is ZERO:
        return None
    sign, where, when = (ONE, start(problem), problem.t0) if q == "T" else (MINUS_ONE, end(problem), problem.T)
    there = symbols(adjoint_names(problem), where)
    f, (r,) = (
        [substitute(node, {symbol(TIME): when}) for node in moved(nodes, problem.state, where)]
        for nodes in (problem.rhs, (problem.running,))
    )
    names = ("l(t0)f(t0)", "r(t0)") if q == "T" else ("l(T)f(T)", "r(T)")
    own = [
        term for term in ode_gradient(problem, q).terms if term.name not in ("l(t0)f(t0)", "r(t0)", "l(T)f(T)", "r(T)")
    ]
    terms = (
        *own,
        Term(names[0], tidy(mul(sign, inner(there, f)))),
        Term(names[1], tidy(mul(sign, r))),
        Term("l f_t", inside=f_t),
        Term("r_t", inside=r_t),
    )
    return Gradient(tuple(term for term in terms if term.boundary is not ZERO or term.inside is not ZERO))


def from_the_end(problem: OdeProblem, q: str) -> Gradient | None:
    """dG/dq with l(t0) = l(T) - the integral of l'; None where l(t0) does not occur, or l jumps."""
    truth = ode_gradient(problem, q)
    first = [term for term in truth.terms if term.name in ("l(t0)b_q", "l(t0)")]
    if problem.observations or problem.events or len(first) != 1:
        return None
    names = adjoint_names(problem)
    early = symbols(names, start(problem))
    weights = gradient(first[0].boundary, [each.value for each in early])
    late, rates = symbols(names, end(problem)), ode_costate(problem).rate
    terms = (
        *(term for term in truth.terms if term is not first[0]),
        Term("l(T)b_q", inner(weights, late)),
        Term("-l' b_q", inside=tidy(mul(MINUS_ONE, inner(weights, rates)))),
    )
    return Gradient(tuple(term for term in terms if term.boundary is not ZERO or term.inside is not ZERO))


# --- equations ------------------------------------------------------------------------------------


def implicit_costate(problem: ImplicitProblem) -> Costate:
    """f_u and g_u; the adjoint equations are f_u^T l = g_u^T."""
    u, l = problem.state, symbols(adjoint_names(problem))
    matrix = tuple(gradient(f, u) for f in problem.residual)
    return Costate(
        rate=pullback(problem.residual, l, u),
        transposed=tuple(inner(row, l) for row in matrix),
        final=gradient(problem.value, u),
        matrix=matrix,
    )


def implicit_gradient(problem: ImplicitProblem, q: str) -> Gradient:
    """dG/dq = g_q - l^T f_q."""
    return implicit_gradients(problem, (q,))[0]


def implicit_gradients(problem: ImplicitProblem, names: Sequence[str]) -> tuple[Gradient, ...]:
    """dG/dq for each name."""
    l = symbols(adjoint_names(problem))
    columns = gradient(problem.value, names), tidied([-d for d in pullback(problem.residual, l, names)])
    found = ((Term("g_q", g_q), Term("l f_q", lf_q)) for g_q, lf_q in zip(*columns, strict=True))
    return tuple(Gradient(tuple(term for term in terms if term.boundary is not ZERO)) for terms in found)


# --- recurrences ----------------------------------------------------------------------------------


def recurrence_costate(problem: RecurrenceProblem) -> Costate:
    """l[k] in terms of x[k] and l[k+1], and l[n] in terms of x[n]."""
    u, names = problem.state, adjoint_names(problem)
    later = substitute_index(problem.step, add(symbol(INDEX), ONE))
    l = symbols(names, "[k+1]")
    rows = [moved(gradient(f, u), u, "[k]") for f in later]
    return Costate(
        rate=moved(pullback(later, l, u), u, "[k]"),
        transposed=tuple(inner(row, l) for row in rows),
        final=moved(gradient(problem.value, u), u, "[n]"),
    )


def recurrence_gradient(problem: RecurrenceProblem, q: str) -> Gradient:
    """dG/dq, its sum over l[k], x[k-1]; q may be the initial state `x(0)`."""
    return recurrence_gradients(problem, (q,))[0]


def recurrence_gradients(problem: RecurrenceProblem, names: Sequence[str]) -> tuple[Gradient, ...]:
    """dG/dq for each name."""
    adjoints = adjoint_names(problem)
    first = {f"{name}(0)": l0 for name, l0 in zip(problem.state, symbols(adjoints, "[0]"), strict=True)}
    columns = (
        moved(gradient(problem.value, names), problem.state, "[n]"),
        pullback(problem.initial, symbols(adjoints, "[0]"), names),
        moved(pullback(problem.step, symbols(adjoints, "[k]"), names), problem.state, "[k-1]"),
    )
    found = []
    for q, g_q, lb_q, lF_q in zip(names, *columns, strict=True):
        terms = (Term("g_q", g_q), Term("l[0]b_q", lb_q), Term("l F_q", inside=lF_q))
        if q in first:
            terms = (Term("l[0]", first[q]),)
        found.append(Gradient(tuple(term for term in terms if term.boundary is not ZERO or term.inside is not ZERO)))
    return tuple(found)


def substitute_index(nodes: Sequence[Node], index: Node) -> tuple[Node, ...]:
    """Expressions with another index in the place of k."""
    at: Mapping[Node, Node] = {symbol(INDEX): index}
    return tuple(substitute(node, at) for node in nodes)
