"""Which NumPy code computes the gradient through an ODE, with its observations or events?  And the driver of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from verify.calculus.costate import end, jumps, observed_terms, ode_costate, ode_gradients, symbols, total
from verify.calculus.events import crossings, resets
from verify.calculus.numpy_text import function
from verify.graph import ZERO, Node, add, fresh_name, substitute, symbol
from verify.systems import TIME, OdeProblem, adjoint_names, event_times

Arrays = Mapping[str, Sequence[str]]


def ode(problem: OdeProblem, names: tuple[str, ...]) -> list[str]:
    """The lines of the module after its imports; `names` are those of the array p."""
    u, l = problem.state, adjoint_names(problem)
    tau = "tau, " if problem.events else ""
    free: Arrays = {"x": u, "p": names}
    both: Arrays = {"x": u, "l": l, "p": names}
    timed: Arrays = {"tau": event_times(problem)}
    gradients = ode_gradients(problem, names)
    terminal = substitute(problem.terminal, {symbol(TIME): problem.T})
    final = ode_costate(problem, with_slip=False).final
    starts = [g.only("l(t0)b_q", "l(t0)f(t0)", "r(t0)") for g in gradients]
    ends = [g.only("g_q", "g_T", "l(T)f(T)", "r(T)") for g in gradients]
    by_t0, by_T = ode_gradients(problem, ("t0", "T"))
    lines = [
        f"STATE = {u!r}",
        f"NAMES = {names!r}",
        *function("interval(p)", {"p": names}, (problem.t0, problem.T), False, "Initial and final time."),
        *function("initial(p)", {"p": names}, problem.initial, False, "The state at the initial time."),
        *function(f"terminal(x, {tau}p)", {**free, **timed}, (terminal,), True, "The terminal cost."),
        *function(f"final(x, {tau}p)", {**free, **timed}, final, False, "The adjoint at the final time."),
        *function("at_start(x, l, p)", both, starts, False, "Values at the initial time in dG/dp."),
        *function(f"at_end(x, l, {tau}p)", {**both, **timed}, ends, False, "Values at the final time in dG/dp."),
    ]
    extra = ""
    if "t0" not in names:
        lines += function("by_t0(x, l, p)", both, (by_t0.boundary,), True, "dG/dt0.")
        extra += ', "t0": by_t0(x0, l0, p)'
    if "T" not in names:
        lines += function(f"by_T(x, l, {tau}p)", {**both, **timed}, (by_T.boundary,), True, "dG/dT.")
        extra += f', "T": by_T(x1, l1, {tau}p)'
    lines += _phases(problem, free, both, [[g.within(i) for g in gradients] for i in range(len(problem.phases))])
    lines += _observations(problem, names, free)
    driver = _DRIVER
    if problem.events:
        driver = _DRIVER_WITH_EVENTS
        lines += _events(problem, names, free)
    return [*lines, *driver.replace("EXTRA", extra).splitlines()]


def _phases(problem: OdeProblem, free: Arrays, both: Arrays, inside: Sequence[Sequence[Node]]) -> list[str]:
    """What is solved, between the events if there are any: the same function is written once."""
    written: dict[tuple[str, tuple[Node, ...]], str] = {}
    lines: list[str] = []
    table = []
    for i, (phase, densities) in enumerate(zip(problem.phases, inside, strict=True)):
        row = []
        for name, arguments, arrays, results, says in (
            ("field", "t, x, p", free, phase.rhs, "x'."),
            ("running", "t, x, p", free, (phase.running,), "The running cost."),
            ("adjoint", "t, x, l, p", both, ode_costate(problem, with_slip=False, phase=i).rate, "l'."),
            ("density", "t, x, l, p", both, tuple(densities), "What is integrated for dG/dp."),
        ):
            key = name, tuple(results)
            if key not in written:
                written[key] = f"{name}_{i}" if problem.events else name
                lines += function(f"{written[key]}({arguments})", arrays, results, name == "running", says)
            row.append(written[key])
        table.append(f"({', '.join(row)})")
    return [*lines, "", "", f"PHASES = [{', '.join(table)}]"] if problem.events else lines


def _observations(problem: OdeProblem, names: tuple[str, ...], free: Arrays) -> list[str]:
    lines: list[str] = []
    for i, (each, gains) in enumerate(zip(problem.observations, jumps(problem), strict=True)):
        now = substitute(each.value, {symbol(TIME): each.time})
        own = [total([term.boundary for term in observed_terms(problem, each, name)]) for name in names]
        lines += [
            *function(f"time_{i}(p)", {"p": names}, (each.time,), True, "When something is observed."),
            *function(f"observed_{i}(x, p)", free, (now,), True, "What it adds to G."),
            *function(f"jump_{i}(x, p)", free, gains, False, "What the adjoint just before has more than just after."),
            *function(f"by_p_{i}(x, p)", free, own, False, "What it adds to dG/dp by itself."),
        ]
    return [*lines, "", "", *_table("OBSERVED", ("time", "observed", "jump", "by_p"), len(problem.observations))]


def _events(problem: OdeProblem, names: tuple[str, ...], free: Arrays) -> list[str]:
    """Before an event its functions take t and x; what it does to the adjoint takes l just after it, and x at T."""
    u, l, times = problem.state, adjoint_names(problem), event_times(problem)
    taken = {*u, *l, *times, *names}
    at_T = {
        node: symbol(fresh_name(f"{name}_at_T", taken)) for node, name in zip(symbols(u, end(problem)), u, strict=True)
    }
    known = {**resets(problem), **at_T}
    arrays = {"x": u, "l": l, "last": tuple(node.value for node in at_T.values()), "tau": times, "p": names}
    lines: list[str] = []
    for i, (event, crossed) in enumerate(zip(problem.events, crossings(problem), strict=True)):
        now = {symbol(times[i]): symbol(TIME)}
        rate = substitute(add(*(node for _, node in crossed.rate), ZERO, ZERO), now)
        gains = [substitute(node, known) for node in crossed.gains]
        own = [substitute(total([node for _, node in crossed.parts(name)]), known) for name in names]
        more = "x, l, last, tau, p"
        lines += [
            *function(f"when_{i}(t, x, p)", free, (event.when,), True, f"Event {i + 1} is its first zero."),
            *function(f"rate_{i}(t, x, p)", free, (rate,), True, "The derivative of that along the solution."),
            *function(f"reset_{i}(t, x, p)", free, event.reset, False, "The state just after the event."),
            *function(f"cost_{i}(t, x, p)", free, (event.cost,), True, "What it adds to G."),
            *function(f"jump_{i}({more})", arrays, gains, False, "What the adjoint has more just before than after."),
            *function(f"by_p_{i}({more})", arrays, own, False, "What it adds to dG/dp by itself."),
        ]
    return [*lines, "", "", *_table("EVENTS", ("when", "rate", "reset", "cost", "jump", "by_p"), len(problem.events))]


def _table(name: str, functions: Sequence[str], rows: int) -> list[str]:
    if not rows:
        return [f"{name} = []"]
    return [f"{name} = [", *(f"    ({', '.join(f'{each}_{i}' for each in functions)})," for i in range(rows)), "]"]


_DRIVER = '''

def gradient(p, rtol=1e-10, atol=1e-12, method="DOP853"):
    """G and its gradient: "G", "p" (in the order of NAMES), "x0" (the initial state), and by the times."""
    p = np.asarray(p, dtype=float)
    t0, T = interval(p)
    n = len(STATE)
    first = np.append(initial(p), 0.0)
    options = {"rtol": rtol, "atol": atol, "method": method}

    def forward(t, y):
        return np.append(field(t, y[:n], p), running(t, y[:n], p))

    state = solve_ivp(forward, (t0, T), first, dense_output=True, **options)
    if not state.success:
        raise ArithmeticError(state.message)
    x0, x1 = first[:n], state.y[:n, -1]
    l1 = final(x1, p)

    def backward(t, y):
        x = state.sol(t)[:n]
        return np.concatenate([adjoint(t, x, y[:n], p), -density(t, x, y[:n], p)])

    y, value, last = np.append(l1, np.zeros(len(NAMES))), terminal(x1, p) + state.y[n, -1], T
    for time, observed, jump, by_itself in [*reversed(OBSERVED), (None, None, None, None)]:
        first = t0 if time is None else time(p)
        costate = solve_ivp(backward, (last, first), y, **options)
        if not costate.success:
            raise ArithmeticError(costate.message)
        y, last = costate.y[:, -1], first
        if time is not None:
            x = state.sol(first)[:n]
            value = value + observed(x, p)
            y = y + np.concatenate([jump(x, p), by_itself(x, p)])
    l0, q = y[:n], y[n:]
    by_p = q + at_start(x0, l0, p) + at_end(x1, l1, p)
    return {"G": value, "p": by_p, "x0": l0EXTRA}'''

_DRIVER_WITH_EVENTS = '''

def solved(i, start, T, first, p, options):
    """Phase i as a dense solution, the cost last, and where it ends: at its event, or at T after the last one."""
    field, running = PHASES[i][:2]
    n, stops = len(STATE), []

    def forward(t, y):
        return np.append(field(t, y[:n], p), running(t, y[:n], p))

    if i < len(EVENTS):
        when, rate = EVENTS[i][:2]
        side, slope = when(start, first[:n], p), rate(start, first[:n], p)
        if abs(side) <= 1e-9 * (1 + abs(slope)):
            side = slope  # the phase starts at a zero, and the event is the next one
        if side == 0:
            raise ArithmeticError(f"event {i + 1} has no first zero: its function starts at one and stays there")

        def stop(t, y):
            return when(t, y[:n], p) if t > start + 1e-9 * (T - start) else side

        stop.terminal = True
        stops = [stop]
    options = {**options, "events": stops, "max_step": (T - start) / 50}
    try:
        found = solve_ivp(forward, (start, T), first, dense_output=True, **options)
    except RuntimeError as error:  # a zero that is no simple one
        raise ArithmeticError(f"event {i + 1} is not located: {error}") from error
    if not found.success:
        raise ArithmeticError(found.message)
    if not stops:
        return found.sol, T
    if found.status != 1:
        raise ArithmeticError(f"event {i + 1} does not happen before the final time")
    time = found.t_events[0][0]
    most = max(abs(when(t, found.sol(t)[:n], p)) for t in np.linspace(start, time, 9))
    if abs(rate(time, found.sol(time)[:n], p)) * (time - start) <= 1e-6 * most:
        raise ArithmeticError(f"event {i + 1} is touched and not crossed: the gradient does not exist")
    return found.sol, time


def gradient(p, rtol=1e-10, atol=1e-12, method="DOP853"):
    """G and its gradient: "G", "p" (in the order of NAMES), "x0" (the initial state), and by the times; "tau"."""
    p = np.asarray(p, dtype=float)
    t0, T = interval(p)
    n = len(STATE)
    options = {"rtol": rtol, "atol": atol, "method": method}
    first, times, paths = np.append(initial(p), 0.0), [t0], []
    for i in range(len(PHASES)):
        path, time = solved(i, times[-1], T, first, p, options)
        paths.append(path)
        times.append(time)
        if i < len(EVENTS):
            reset, cost = EVENTS[i][2:4]
            y = path(time)
            first = np.append(reset(time, y[:n], p), y[n] + cost(time, y[:n], p))
    tau, x0, y = np.array(times[1:-1]), initial(p), paths[-1](T)
    x1, value = y[:n], y[n]
    value = value + terminal(x1, tau, p)
    l1 = final(x1, tau, p)

    y, moments = np.append(l1, np.zeros(len(NAMES))), [each[0](p) for each in OBSERVED]
    if any(a >= b for a, b in zip([t0, *moments], [*moments, T])):
        raise ArithmeticError("an observation lies outside of the interval of time, or before the one before it")
    if any(abs(a - b) <= 1e-9 * (T - t0) for a in moments for b in tau):
        raise ArithmeticError("an event happens at the time of an observation: the gradient does not exist")
    for i in reversed(range(len(PHASES))):
        path, (adjoint, density) = paths[i], PHASES[i][2:]
        last = times[i + 1]

        def backward(t, y):
            x = path(t)[:n]
            return np.concatenate([adjoint(t, x, y[:n], p), -density(t, x, y[:n], p)])

        inside = [k for k, time in enumerate(moments) if times[i] < time < last]
        for k in [*reversed(inside), None]:
            time = times[i] if k is None else moments[k]
            costate = solve_ivp(backward, (last, time), y, **options)
            if not costate.success:
                raise ArithmeticError(costate.message)
            y, last = costate.y[:, -1], time
            if k is not None:
                observed, jump, by_itself = OBSERVED[k][1:]
                x = path(time)[:n]
                value = value + observed(x, p)
                y = y + np.concatenate([jump(x, p), by_itself(x, p)])
        if i > 0:
            jump, by_itself = EVENTS[i - 1][4:]
            at = paths[i - 1](times[i])[:n], y[:n], x1, tau, p
            y = y + np.concatenate([jump(*at), by_itself(*at)])
    l0, q = y[:n], y[n:]
    by_p = q + at_start(x0, l0, p) + at_end(x1, l1, tau, p)
    return {"G": value, "p": by_p, "x0": l0, "tau": tauEXTRA}'''
