"""Which NumPy module computes this gradient?  State, adjoint and gradient as straight-line code, with a driver."""

from __future__ import annotations

import keyword
from collections import Counter
from collections.abc import Mapping, Sequence
from fractions import Fraction

from verify.calculus.costate import (
    Gradient,
    implicit_costate,
    implicit_gradients,
    jumps,
    observed_terms,
    ode_costate,
    ode_gradients,
    recurrence_costate,
    recurrence_gradients,
    total,
)
from verify.calculus.reverse import gradient
from verify.graph import Node, postorder, substitute, symbol
from verify.systems import INDEX, TIME, ImplicitProblem, OdeProblem, Problem, RecurrenceProblem, adjoint_names

#: Functions of the table as NumPy and SciPy call them.
FUNCTIONS = {
    **{name: f"np.{name}" for name in ("sin", "cos", "tan", "sinh", "cosh", "tanh", "exp", "log", "sign", "floor")},
    "sqrt": "np.sqrt", "abs": "np.abs", "asin": "np.arcsin", "acos": "np.arccos", "atan": "np.arctan",
    "asinh": "np.arcsinh", "acosh": "np.arccosh", "atanh": "np.arctanh", "max": "np.maximum", "min": "np.minimum",
    "erf": "special.erf", "erfc": "special.erfc", "gamma": "special.gamma", "loggamma": "special.gammaln",
    "digamma": "special.digamma",
}  # fmt: skip
CONSTANTS = {"pi": "np.pi", "E": "np.e", "EulerGamma": "np.euler_gamma"}
_KINDS = {
    "ode-gradient": "an ODE", "implicit-gradient": "a system of equations", "recurrence-gradient": "a recurrence",
}  # fmt: skip
_RELATIONS = {"=": "=="}
#: Names of the generated module that a quantity must not take.
_TAKEN = {
    "OBSERVED",
    "np",
    "special",
    "solve_ivp",
    "x",
    "l",
    "p",
    "t0",
    "adjoint",
    "initial",
    "gradient",
    "NAMES",
    "STATE",
}


def module(problem: Problem) -> str:
    """The text of a module with `NAMES` (the order of the array p) and `gradient`, and the functions that it uses.

    Raises ValueError for a function that NumPy and SciPy do not have, and for events.
    """
    if isinstance(problem, OdeProblem) and problem.events:
        raise ValueError("no module is written for problems with events")
    if isinstance(problem, OdeProblem):
        body = _ode(problem)
    elif isinstance(problem, ImplicitProblem):
        body = _implicit(problem)
    else:
        body = _recurrence(problem)
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


def _names(problem: Problem) -> tuple[str, ...]:
    """Parameters first, then what else the problem depends on."""
    others = [name for name in problem.domain.variables if name not in problem.state and name not in problem.parameters]
    return (*problem.parameters, *others)


def _safe(name: str) -> str:
    """A name as Python may have it, and the module does not have it already."""
    return f"{name}_" if keyword.iskeyword(name) or name in _TAKEN or name.startswith("v_") else name


def _function(
    head: str, unpacked: Mapping[str, Sequence[str]], results: Sequence[Node], scalar: bool, says: str
) -> list[str]:
    """A function that unpacks its arrays and returns the results as an array (or one number)."""
    lines = ["", "", f"def {head}:", f'    """{says}"""']
    results = [_plain(node) for node in results]
    used = {node.value for node in postorder(*results) if node.op == "symbol"}
    for array, names in unpacked.items():
        if used & set(names):
            taken = ", ".join(_safe(name) if name in used else "_" for name in names)
            lines.append(f"    {taken if len(names) > 1 else f'({taken},)'} = {array}")
    steps, texts = _straight(results)
    lines += [f"    {step}" for step in steps]
    if scalar:
        return [*lines, f"    return {texts[0]}"]
    return [*lines, f"    return np.array([{', '.join(texts)}], dtype=float)"]


def _straight(roots: Sequence[Node]) -> tuple[list[str], list[str]]:
    """Assignments for what is used more than once, and the expressions of the roots."""
    uses = Counter(arg for node in postorder(*roots) for arg in node.args)
    steps: list[str] = []
    text: dict[Node, str] = {}
    for node in postorder(*roots):
        text[node] = _python(node, [text[arg] for arg in node.args])
        if node.args and uses[node] > 1:
            steps.append(f"v_{len(steps)} = {text[node]}")
            text[node] = f"v_{len(steps) - 1}"
    return steps, [text[root] for root in roots]


def _python(node: Node, args: list[str]) -> str:
    match node.op:
        case "num":
            value: Fraction = node.value
            if value.denominator != 1:
                return f"({value.numerator} / {value.denominator})"
            return f"{value.numerator}" if value >= 0 else f"({value.numerator})"
        case "symbol":
            return _safe(node.value)
        case "constant" if node.value in CONSTANTS:
            return CONSTANTS[node.value]
        case "add":
            return f"({' + '.join(args)})"
        case "mul":
            return f"({' * '.join(args)})"
        case "pow":
            return f"np.sqrt({args[0]})" if args[1] == "(1 / 2)" else f"({_float(node.args[0], args[0])} ** {args[1]})"
        case "call" if node.value in FUNCTIONS:
            text = args[0] if node.value in ("max", "min") else f"{FUNCTIONS[node.value]}({', '.join(args)})"
            for other in args[1:] if node.value in ("max", "min") else ():
                text = f"{FUNCTIONS[node.value]}({text}, {other})"
            return text
        case "compare":
            return f"({args[0]} {_RELATIONS.get(node.value, node.value)} {args[1]})"
        case "and" | "or":
            return f"({f' {node.op} '.join(args)})"
        case "true":
            return "True"
        case "piecewise":
            text = "np.nan"
            for value, condition in reversed(list(zip(args[::2], args[1::2], strict=True))):
                text = f"({value} if {condition} else {text})"
            return text
    raise ValueError(f"{node.value or node.op} has no name in NumPy or SciPy")


def _float(node: Node, text: str) -> str:
    """A whole number as a base is made a float: 2 ** -1 of arrays of integers is refused."""
    return f"float({text})" if node.op == "num" else text


# --- kinds ------------------------------------------------------------------------------------------


def _ode(problem: OdeProblem) -> list[str]:
    u, l, names = problem.state, adjoint_names(problem), _names(problem)
    costate = ode_costate(problem, with_slip=False)
    at_end = {symbol(TIME): problem.T}
    free = {"x": u, "p": names}
    both = {"x": u, "l": l, "p": names}
    gradients = ode_gradients(problem, names)
    starts = [_only(g, ("l(t0)b_q", "l(t0)f(t0)", "r(t0)")) for g in gradients]
    ends = [_only(g, ("g_q", "g_T", "l(T)f(T)", "r(T)")) for g in gradients]
    at_t0, at_T = ode_gradients(problem, ("t0", "T"))
    lines = [
        f"STATE = {u!r}",
        f"NAMES = {names!r}",
        *_function("interval(p)", {"p": names}, (problem.t0, problem.T), False, "Initial and final time."),
        *_function("initial(p)", {"p": names}, problem.initial, False, "The state at the initial time."),
        *_function("field(t, x, p)", free, problem.rhs, False, "x'."),
        *_function("running(t, x, p)", free, (problem.running,), True, "The running cost."),
        *_function("terminal(x, p)", free, (substitute(problem.terminal, at_end),), True, "The terminal cost."),
        *_function("adjoint(t, x, l, p)", both, costate.rate, False, "l'."),
        *_function("final(x, p)", free, costate.final, False, "The adjoint at the final time."),
        *_function("density(t, x, l, p)", both, [g.inside for g in gradients], False, "What is integrated for dG/dp."),
        *_function("at_start(x, l, p)", both, starts, False, "Values at the initial time in dG/dp."),
        *_function("at_end(x, l, p)", both, ends, False, "Values at the final time in dG/dp."),
    ]
    for i, (each, gains) in enumerate(zip(problem.observations, jumps(problem), strict=True)):
        now = substitute(each.value, {symbol(TIME): each.time})
        own = [total([term.boundary for term in observed_terms(problem, each, name)]) for name in names]
        lines += [
            *_function(f"time_{i}(p)", {"p": names}, (each.time,), True, "When something is observed."),
            *_function(f"observed_{i}(x, p)", free, (now,), True, "What it adds to G."),
            *_function(f"jump_{i}(x, p)", free, gains, False, "What the adjoint just before has more than just after."),
            *_function(f"by_p_{i}(x, p)", free, own, False, "What it adds to dG/dp by itself."),
        ]
    listed = "".join(f"(time_{i}, observed_{i}, jump_{i}, by_p_{i}), " for i in range(len(problem.observations)))
    lines += ["", "", f"OBSERVED = [{listed.removesuffix(', ')}]"]
    if "t0" not in names:
        lines += _function("by_t0(x, l, p)", both, (at_t0.boundary,), True, "dG/dt0.")
    if "T" not in names:
        lines += _function("by_T(x, l, p)", both, (at_T.boundary,), True, "dG/dT.")
    extra = "".join(
        f', "{n}": by_{n}({x}, {w}, p)' for n, x, w in (("t0", "x0", "l0"), ("T", "x1", "l1")) if n not in names
    )
    return [*lines, *_ODE_DRIVER.replace("EXTRA", extra).splitlines()]


def _only(g: Gradient, wanted: tuple[str, ...]) -> Node:
    return total([term.boundary for term in g.terms if term.name in wanted])


_ODE_DRIVER = '''

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


def _implicit(problem: ImplicitProblem) -> list[str]:
    u, l, names = problem.state, adjoint_names(problem), _names(problem)
    costate = implicit_costate(problem)
    free, both = {"x": u, "p": names}, {"x": u, "l": l, "p": names}
    flat = [entry for row in costate.matrix for entry in row]
    gradients = [each.boundary for each in implicit_gradients(problem, names)]
    return [
        f"STATE = {u!r}",
        f"NAMES = {names!r}",
        *_function("residual(x, p)", free, problem.residual, False, "f, which vanishes at the solution."),
        *_function("jacobian(x, p)", free, flat, False, "f_u, row by row.")[:-1],
        "    " + _matrix(flat, len(u)),
        *_function("value(x, p)", free, (problem.value,), True, "G."),
        *_function("right(x, p)", free, costate.final, False, "g_u."),
        *_function("by_p(x, l, p)", both, gradients, False, "dG/dp, given the adjoint."),
        *_IMPLICIT_DRIVER.splitlines(),
    ]


def _matrix(flat: Sequence[Node], n: int) -> str:
    _, texts = _straight(flat)
    return f"return np.array([{', '.join(texts)}], dtype=float).reshape({n}, {n})"


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


def _recurrence(problem: RecurrenceProblem) -> list[str]:
    u, l = problem.state, adjoint_names(problem)
    steps = problem.steps
    names = tuple(name for name in _names(problem) if name != steps)
    costate = recurrence_costate(problem)
    free, both = {"x": u, "p": names}, {"x": u, "l": l, "p": names}
    gradients = recurrence_gradients(problem, names)
    value_p = gradient(problem.value, names)
    starts = [_only(g, ("l[0]b_q",)) for g in gradients]
    insides = [g.inside for g in gradients]
    count = f"n={steps}" if isinstance(steps, int) else "n"
    return [
        f"STATE = {u!r}",
        f"NAMES = {names!r}",
        *_function("initial(p)", {"p": names}, problem.initial, False, "The state at step 0."),
        *_function(f"step({INDEX}, x, p)", free, problem.step, False, "The state at step k from the one at k - 1."),
        *_function("value(x, p)", free, (problem.value,), True, "G of the last state."),
        *_function(f"adjoint({INDEX}, x, l, p)", both, costate.rate, False, "l[k] from x[k] and l[k+1]."),
        *_function("final(x, p)", free, costate.final, False, "The adjoint at the last step."),
        *_function("by_p(x, p)", free, value_p, False, "What G depends on p itself."),
        *_function("at_start(x, l, p)", both, starts, False, "The share of the initial state in dG/dp."),
        *_function(
            f"summand({INDEX}, x, l, p)", both, insides, False, "What is added at step k, from x[k-1] and l[k]."
        ),
        *_RECURRENCE_DRIVER.replace("COUNT", count).splitlines(),
    ]


def _plain(node: Node) -> Node:
    """Values at whatever time or step as plain names: each function knows its own."""
    at = {}
    for each in postorder(node):
        if each.op == "symbol" and (bare := each.value.split("[")[0].split("(")[0]) != each.value:
            at[each] = symbol(bare)
    return substitute(node, at)


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
