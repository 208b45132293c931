"""How is the adjoint system of a problem derived?  Line by line, with the formulas of the problem at hand."""

from __future__ import annotations

from collections.abc import Iterator

from verify.calculus.costate import end, start, total
from verify.calculus.tidy import short
from verify.decide.systems.convention import Convention
from verify.decide.systems.implicit import ImplicitTask
from verify.decide.systems.ode_task import OdeTask
from verify.decide.systems.recurrence import RecurrenceTask
from verify.decide.systems.smooth import AS_EVENT
from verify.graph import ZERO, symbol
from verify.language.write import write
from verify.system_claims import System, SystemClaim
from verify.systems import ImplicitProblem, OdeProblem, RecurrenceProblem, event_times

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
    yield from _events(problem)
    yield f"  G = {' plus '.join(cost) or '0'}"
    yield ""
    yield "Sensitivities s = du/dp satisfy s' = f_u s + f_p.  For l' = -f_u^T l - r_u^T the product obeys"
    yield "  (l^T s)' = l^T f_p - r_u s,"
    yield "so integrating it moves every s into values at the ends.  With l(T) = g_u^T none is left:"
    yield ""
    yield "Adjoint (l = +dG/du)"
    for name in task.names:
        final = task.correct(("terminal", name), usual)
        *early, rate = (f"{each}' = {task.correct(('adjoint', each), usual)}" for each in task.equations(name))
        yield from (f"  {each}" for each in early)
        yield f"  {rate},   {name}{last} = {final}"
    yield from _crossings(task)
    for each in problem.observations:
        where = write(each.time)
        gains = [f"{name} gains {task.correct(('jump', f'{name}({where})'), usual)}" for name in task.names]
        yield f"  and backwards through t = {where}: {', '.join(gains)}"
    yield ""
    if task.is_jumping:
        yield "The right-hand side may jump.  Where the solution crosses a jump the adjoint gains what is left out:"
        yield f"  {AS_EVENT}."
        yield ""
    yield "Gradient"
    names = [*problem.parameters, *(f"{u}(t0)" for u in problem.state), "t0", "T"]
    for name in dict.fromkeys(names):
        yield f"  dG/d{name.replace('(t0)', first)} = {task.correct(('gradient', name), usual)}"


def _events(problem: OdeProblem) -> Iterator[str]:
    """What happens at the events of a problem."""
    before = problem.phases[0]
    for event, time, phase in zip(problem.events, event_times(problem), problem.phases[1:], strict=True):
        pairs = zip(problem.state, event.reset, strict=True)
        said = [f"{u} becomes {write(r)}" for u, r in pairs if r is not symbol(u)]
        rates = zip(problem.state, phase.rhs, before.rhs, strict=True)
        said += [f"from there {u}' = {write(f)}" for u, f, old in rates if f is not old]
        said += [f"the running cost is {write(phase.running)}"] if phase.running is not before.running else []
        said += [f"{write(event.cost)} is added to G"] if event.cost is not ZERO else []
        yield f"  at t = {time}, where {write(event.when)} = 0: {', '.join(said) or 'nothing changes'}"
        before = phase


def _crossings(task: OdeTask) -> Iterator[str]:
    """How the adjoint crosses the events of a problem."""
    if not task.crossings:
        return
    usual = Convention(task.names)
    yield ""
    yield "At an event, phi = 0 and u+ = r(u-), its time moves by -(phi_u s + phi_p)/D with D = phi_t + phi_u f, and"
    yield "  s+ = r_u s + r_p - (r_t + r_u f - f+) (phi_u s + phi_p)/D."
    yield "As its time moves G gains eta = r1 - r2 + k_t + k_u f + l+^T (r_t + r_u f - f+); r1, r2, k: the costs."
    yield "  l- = r_u^T l+ + k_u - (eta/D) phi_u takes s- away, and dG/dp gains l+^T r_p + k_p - (eta/D) phi_p:"
    for crossing in task.crossings:
        eta, rate = (short(total([node for _, node in terms])) for terms in (crossing.drift, crossing.rate))
        yield f"  {crossing.time}: D = {write(rate)},   eta = {write(eta)}"
        gains = [f"{name} gains {task.correct(('jump', f'{name}({crossing.time})'), usual)}" for name in task.names]
        yield f"  and backwards through t = {crossing.time}: {', '.join(gains)}"


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
