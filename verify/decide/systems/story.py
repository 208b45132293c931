"""How is the adjoint system of a problem derived?  Line by line, with the formulas of the problem at hand."""

from __future__ import annotations

from collections.abc import Iterator

from verify.calculus.costate import end, start
from verify.decide.systems.convention import Convention
from verify.decide.systems.implicit import ImplicitTask
from verify.decide.systems.ode_task import OdeTask
from verify.decide.systems.recurrence import RecurrenceTask
from verify.graph import ZERO
from verify.language.write import write
from verify.systems import ImplicitProblem, OdeProblem, RecurrenceProblem, System, SystemClaim

#: How the parts of the second order are written.
SECOND = {
    "tangent": "{}'",
    "second": "the right-hand side for {}",
    "second_terminal": "{} at the end",
    "second_jump": "{} gains",
    "hvp": "(H v) by {}",
}


def story(system: System) -> list[str]:
    """Problem, idea, adjoint equations, terminal conditions, gradient."""
    problem = system.problem
    if isinstance(problem, OdeProblem):
        lines = _ode(problem)
    elif isinstance(problem, ImplicitProblem):
        lines = _implicit(problem)
    else:
        lines = _recurrence(problem)
    more = _second(problem) if system.second != SystemClaim() else ()
    return [*([system.title, ""] if system.title else []), *lines, *more]


def _second(problem: OdeProblem | ImplicitProblem | RecurrenceProblem) -> Iterator[str]:
    yield ""
    yield "Second derivatives along v: s = (du/dp) v, and m, what l changes by along v"
    for table, entries in problem.second_order().items():
        for key, text in entries.items() if isinstance(entries, dict) else ((str(i), e) for i, e in enumerate(entries)):
            yield f"  {text}" if key.isdigit() else f"  {SECOND[table].format(key)} = {text}"


def _ode(problem: OdeProblem) -> Iterator[str]:
    task = OdeTask(problem, SystemClaim())
    usual = Convention(task.names)
    first, last = start(problem), end(problem)
    yield "Problem"
    for u, f, b in zip(problem.state, problem.rhs, problem.initial, strict=True):
        yield f"  {u}' = {write(f)},   {u}{first} = {write(b)}"
    cost = [f"g = {write(problem.terminal)} at {last[1:-1]}"] if problem.terminal is not ZERO else []
    if problem.running is not ZERO:
        cost.append(f"the integral of r = {write(problem.running)}")
    cost += [f"{write(each.value)} at t = {write(each.time)}" for each in problem.observations]
    yield f"  G = {' plus '.join(cost) or '0'}"
    yield ""
    yield "Sensitivities s = du/dp satisfy s' = f_u s + f_p.  For l' = -f_u^T l - r_u^T the product obeys"
    yield "  (l^T s)' = l^T f_p - r_u s,"
    yield "so integrating it moves every s into values at the ends.  With l(T) = g_u^T none is left:"
    yield ""
    yield "Adjoint (l = +dG/du)"
    for name in task.names:
        rate, final = (task.correct((table, name), usual) for table in ("adjoint", "terminal"))
        yield f"  {name}' = {rate},   {name}{last} = {final}"
    for each in problem.observations:
        where = write(each.time)
        gains = [f"{name} gains {task.correct(('jump', f'{name}({where})'), usual)}" for name in task.names]
        yield f"  and backwards through t = {where}: {', '.join(gains)}"
    yield ""
    if task.is_jumping:
        yield "The right-hand side may jump.  Where the solution crosses a jump the adjoint gains what is left out."
        yield ""
    yield "Gradient"
    names = [*problem.parameters, *(f"{u}(t0)" for u in problem.state), "t0", "T"]
    for name in dict.fromkeys(names):
        yield f"  dG/d{name.replace('(t0)', first)} = {task.correct(('gradient', name), usual)}"


def _implicit(problem: ImplicitProblem) -> Iterator[str]:
    task = ImplicitTask(problem, SystemClaim())
    usual = Convention(task.names)
    yield "Problem"
    for f in problem.residual:
        yield f"  {write(f)} = 0"
    yield f"  G = {write(problem.value)}"
    yield ""
    yield "Differentiating f(u, p) = 0 gives f_u u_p = -f_p.  With f_u^T l = g_u^T, dG/dp = g_p + l^T f_u u_p."
    yield ""
    yield "Adjoint"
    for i in range(1, len(task.names) + 1):
        yield f"  {task.correct(('adjoint', str(i)), usual)}"
    yield ""
    yield "Gradient"
    for name in problem.parameters:
        yield f"  dG/d{name} = {task.correct(('gradient', name), usual)}"


def _recurrence(problem: RecurrenceProblem) -> Iterator[str]:
    task = RecurrenceTask(problem, SystemClaim())
    usual = Convention(task.names)
    yield "Problem"
    for u, f, b in zip(problem.state, problem.step, problem.initial, strict=True):
        yield f"  {u}[k] = {write(f)} with the states at k-1,   {u}[0] = {write(b)}"
    yield f"  G = {write(problem.value)} at step {problem.steps}"
    yield ""
    yield "Sensitivities s[k] = F_u s[k-1] + F_p; with l[k-1] = F_u^T l[k] the products l[k]^T s[k] telescope:"
    yield "  l[k]^T s[k] - l[k-1]^T s[k-1] = l[k]^T F_p"
    yield ""
    yield "Adjoint (l = +dG/dx)"
    for name in task.names:
        yield f"  {name}[k] = {task.correct(('adjoint', name), usual)}"
        yield f"  {name}[{problem.steps}] = {task.correct(('terminal', name), usual)}"
    yield ""
    yield "Gradient"
    for name in (*problem.parameters, *(f"{u}(0)" for u in problem.state)):
        yield f"  dG/d{name} = {task.correct(('gradient', name), usual)}"
