"""Which NumPy module computes this gradient?  State, adjoint and gradient as straight-line code, with a driver."""

from __future__ import annotations

from verify.calculus.costate import implicit_costate, implicit_gradients, recurrence_costate, recurrence_gradients
from verify.calculus.numpy_ode import ode
from verify.calculus.numpy_text import function, matrix
from verify.calculus.reverse import gradient
from verify.systems import INDEX, ImplicitProblem, OdeProblem, Problem, RecurrenceProblem, adjoint_names

_KINDS = {
    "ode-gradient": "an ODE", "implicit-gradient": "a system of equations", "recurrence-gradient": "a recurrence",
}  # fmt: skip


def module(problem: Problem) -> str:
    """The text of a module with `NAMES` (the order of the array p) and `gradient`, and the functions that it uses.

    Raises ValueError for a function that NumPy and SciPy do not have.
    """
    others = [name for name in problem.domain.variables if name not in problem.state and name not in problem.parameters]
    names = (*problem.parameters, *others)
    if isinstance(problem, OdeProblem):
        body = ode(problem, names)
    elif isinstance(problem, ImplicitProblem):
        body = _implicit(problem, names)
    else:
        body = _recurrence(problem, names)
    states = ", ".join(problem.state)
    head = [
        f'"""Adjoint gradient of {_KINDS[problem.kind]} in {states}; written by `verify derive --code`.',
        "",
        "p is the array of the values of NAMES, x of the states, l of the adjoint dG/dx.",
        '"""',
        "",
        "import numpy as np",
    ]
    text = "\n".join(body)
    if "special." in text:
        head.append("from scipy import special")
    if "solve_ivp" in text:
        head.append("from scipy.integrate import solve_ivp")
    return "\n".join([*head, "", *body]) + "\n"


def _implicit(problem: ImplicitProblem, names: tuple[str, ...]) -> list[str]:
    u, l = problem.state, adjoint_names(problem)
    costate = implicit_costate(problem)
    free, both = {"x": u, "p": names}, {"x": u, "l": l, "p": names}
    flat = [entry for row in costate.matrix for entry in row]
    gradients = [each.boundary for each in implicit_gradients(problem, names)]
    return [
        f"STATE = {u!r}",
        f"NAMES = {names!r}",
        *function("residual(x, p)", free, problem.residual, False, "f, which vanishes at the solution."),
        *function("jacobian(x, p)", free, flat, False, "f_u, row by row.")[:-1],
        "    " + matrix(flat, len(u)),
        *function("value(x, p)", free, (problem.value,), True, "G."),
        *function("right(x, p)", free, costate.final, False, "g_u."),
        *function("by_p(x, l, p)", both, gradients, False, "dG/dp, given the adjoint."),
        *_IMPLICIT_DRIVER.splitlines(),
    ]


_IMPLICIT_DRIVER = '''

def solve(p, guess, steps=50):
    """The solution that Newton's method finds from a guess."""
    x = np.array(guess, dtype=float)
    for _ in range(steps):
        change = np.linalg.solve(jacobian(x, p), residual(x, p))
        x = x - change
        if np.max(np.abs(change)) <= 1e-14 * (1 + np.max(np.abs(x))):
            return x
    raise ArithmeticError("Newton's method did not converge")


def gradient(p, guess):
    """G and its gradient: "G", "p" (in the order of NAMES)."""
    p = np.asarray(p, dtype=float)
    x = solve(p, guess)
    l = np.linalg.solve(jacobian(x, p).T, right(x, p))
    return {"G": value(x, p), "p": by_p(x, l, p)}'''


def _recurrence(problem: RecurrenceProblem, names: tuple[str, ...]) -> list[str]:
    u, l = problem.state, adjoint_names(problem)
    steps = problem.steps
    names = tuple(name for name in names if name != steps)
    costate = recurrence_costate(problem)
    free, both = {"x": u, "p": names}, {"x": u, "l": l, "p": names}
    gradients = recurrence_gradients(problem, names)
    value_p = gradient(problem.value, names)
    starts = [g.only("l[0]b_q") for g in gradients]
    insides = [g.inside for g in gradients]
    count = f"n={steps}" if isinstance(steps, int) else "n"
    return [
        f"STATE = {u!r}",
        f"NAMES = {names!r}",
        *function("initial(p)", {"p": names}, problem.initial, False, "The state at step 0."),
        *function(f"step({INDEX}, x, p)", free, problem.step, False, "The state at step k from the one at k - 1."),
        *function("value(x, p)", free, (problem.value,), True, "G of the last state."),
        *function(f"adjoint({INDEX}, x, l, p)", both, costate.rate, False, "l[k] from x[k] and l[k+1]."),
        *function("final(x, p)", free, costate.final, False, "The adjoint at the last step."),
        *function("by_p(x, p)", free, value_p, False, "What G depends on p itself."),
        *function("at_start(x, l, p)", both, starts, False, "The share of the initial state in dG/dp."),
        *function(f"summand({INDEX}, x, l, p)", both, insides, False, "What is added at step k, from x[k-1] and l[k]."),
        *_RECURRENCE_DRIVER.replace("COUNT", count).splitlines(),
    ]


_RECURRENCE_DRIVER = '''

def gradient(p, COUNT):
    """G and its gradient: "G", "p" (in the order of NAMES), "x0" (the initial state)."""
    p = np.asarray(p, dtype=float)
    states = [initial(p)]
    for k in range(1, n + 1):
        states.append(step(k, states[-1], p))
    l = final(states[n], p)
    total = by_p(states[n], p)
    for k in range(n, 0, -1):
        total = total + summand(k, states[k - 1], l, p)
        l = adjoint(k - 1, states[k - 1], l, p)
    return {"G": value(states[n], p), "p": total + at_start(states[0], l, p), "x0": l}'''
