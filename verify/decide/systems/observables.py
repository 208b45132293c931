"""Is the objective known without the solution?  Where it obeys an equation of its own, or is conserved.

Along every solution d/dt g(t, u) = g_t + g_u f.  Where that plus the running cost is free of the states, or a multiple
a(t) g, the objective follows from the initial values alone:  energies, first integrals, norms.  It does so

    for every solution, where g is defined and smooth for all states; or
    where f and g are analytic but for poles, and logarithms of such quantities are added with constant factors: along
    the solution, which is analytic then, g is continued around what it cannot pass, and its real part is what it was.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

from verify.calculus.closed_form import is_entire, is_meromorphic
from verify.calculus.primitives import gained, primitive, quotient
from verify.calculus.reverse import gradient
from verify.calculus.tidy import tidy
from verify.calculus.waves import exponential
from verify.claim import Variable
from verify.decide.systems.identity import Identities
from verify.graph import ONE, ZERO, Node, add, derivative, free_symbols, mul, substitute, symbol
from verify.systems import TIME, OdeProblem
from verify.verdict import Verdict

_T = symbol(TIME)


def observed(problem: OdeProblem, identities: Identities) -> Node | None:
    """G in the names of the problem, if it is known without the solution, and proved."""
    if problem.events or problem.observations or problem.terminal is ZERO or not _is_continued(problem):
        return None
    # At all times, so that nothing depends on which of the ends comes first.
    identities = replace(identities, ranges={**identities.ranges, TIME: Variable(TIME)}, known={}, compared={})
    slopes = gradient(problem.terminal, (TIME, *problem.state))
    flow = add(ZERO, *(mul(g, f) for g, f in zip(slopes, (ONE, *problem.rhs), strict=True)))
    factor, source = _equation(problem, identities, flow)
    if factor is None or source is None:
        return None
    first = {_T: problem.t0, **dict(zip(map(symbol, problem.state), problem.initial, strict=True))}
    begin = substitute(problem.terminal, first)
    if factor is ZERO:
        if source is ZERO:
            return begin
        whole = primitive(source)
        if whole is None or not _is_primitive(whole, source, identities):
            return None
        return add(begin, substitute(gained(whole, problem.t0), {_T: problem.T}))
    whole = primitive(factor)
    if whole is None or not _is_primitive(whole, factor, identities):
        return None
    return mul(begin, exponential(substitute(gained(whole, problem.t0), {_T: problem.T})))


def _equation(problem: OdeProblem, identities: Identities, flow: Node) -> tuple[Node | None, Node | None]:
    """(a, b) with flow + running = a g + b, a and b free of the states, and one of them 0."""
    states = set(problem.state)
    total = tidy(add(flow, problem.running))
    # What is free of the states is what it is in any of them.
    candidates = [total, *(substitute(total, {symbol(u): x for u in problem.state}) for x in (ZERO, ONE))]
    for source in map(tidy, candidates):
        if not free_symbols(source) & states and identities.decide(total, source).verdict is Verdict.PROVED:
            return ZERO, source
    factor = quotient(total, problem.terminal) if problem.running is ZERO else None
    if factor is None or free_symbols(factor) & states:
        return None, None
    proved = identities.decide(flow, mul(factor, problem.terminal)).verdict is Verdict.PROVED
    return (factor, ZERO) if proved else (None, None)


def _is_primitive(whole: Node, slope: Node, identities: Identities) -> bool:
    """Whether it is one, on all of the time: it cannot jump."""
    return is_entire(whole, {TIME}) and identities.decide(derivative(whole, TIME), slope).verdict is Verdict.PROVED


def _is_continued(problem: OdeProblem) -> bool:
    """See above."""
    names = {TIME, *problem.state}
    nodes = (problem.terminal, problem.running)
    if all(is_entire(node, names) for node in nodes):
        return True
    smooth = all(is_meromorphic(node, names) for node in (*problem.rhs, problem.running))
    terms = problem.terminal.args if problem.terminal.op == "add" else (problem.terminal,)
    return smooth and all(is_meromorphic(term, names) or _is_logarithm(term, names) for term in terms)


def _is_logarithm(term: Node, names: Collection[str]) -> bool:
    """Whether it is c log(q), with q analytic but for poles."""
    factors = term.args if term.op == "mul" else (term,)
    moving = [factor for factor in factors if free_symbols(factor) & set(names)]
    if len(moving) != 1 or moving[0].op != "call" or moving[0].value != "log":
        return False
    return is_meromorphic(moving[0].args[0], names)
