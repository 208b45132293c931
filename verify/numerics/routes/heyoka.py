"""What does heyoka say?  Variational equations by its Taylor method; an optional extra, imported when it is asked."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

import numpy as np

from verify.graph import Node, free_symbols, postorder
from verify.numerics.straight import NoFloat
from verify.systems import TIME

if TYPE_CHECKING:
    from verify.numerics.routes.point import Point

Array = Any
#: Variational equations from which on heyoka compiles loops: it is quicker to compile, and slower to run.
COMPACT = 60
_FUNCTIONS = {"sin", "cos", "tan", "sinh", "cosh", "tanh", "asin", "acos", "atan", "asinh", "acosh", "atanh", "exp",
              "log", "sqrt", "erf"}  # fmt: skip
_CONSTANTS = {"pi": np.pi, "E": np.e, "EulerGamma": np.euler_gamma}


def installed() -> bool:
    """Whether the extra is there."""
    return find_spec("heyoka") is not None


def gradient(point: Point, tolerance: float) -> Array:
    """(dG/dp, dG/du(t0), dG/dt0, dG/dT): u and its derivatives by u(t0) and p in one Taylor integration.

    Raises ArithmeticError where the solution does not reach the end, NoFloat for functions that heyoka does not have.
    """
    return gradients(point, tolerance)()


def gradients(point: Point, tolerance: float) -> Callable[[], Array]:
    """What `gradient` returns, as often as it is called, compiled once.  Raises NoFloat."""
    hy = import_module("heyoka")
    problem, numeric, p, (t0, T) = point.problem, point.numeric, point.p, point.ends
    rates = (*problem.rhs, problem.running)
    used = [name for name in point.names if name in free_symbols(*rates)]  # a parameter that does not occur is refused
    n, m = len(problem.state), len(used)
    states = [hy.expression(f"u{i}") for i in range(n + 1)]
    at = dict(zip(problem.state, states, strict=False))
    at |= {name: hy.par[j] for j, name in enumerate(used)} | {TIME: hy.time}
    system = list(zip(states, _expressions(rates, at, hy), strict=True))
    by = [*states[:n], *(hy.par[j] for j in range(m))]
    variational = hy.var_ode_sys(system, by, order=1)
    first = np.append(np.asarray(numeric.initial(p), dtype=float), 0.0)
    start = np.concatenate([first, np.vstack([np.eye(n, n + m), np.zeros((1, n + m))]).ravel()])
    solver = hy.taylor_adaptive(
        variational, start, time=t0, pars=[point.values[name] for name in used], tol=tolerance,
        compact_mode=n * (m + n) > COMPACT,
    )  # fmt: skip

    def run() -> Array:
        solver.time = t0
        solver.state[:] = start
        whole_by, by_p, u = np.zeros(n + m), np.zeros(len(p)), start[:n]
        for i, time in enumerate(point.times[1:]):
            outcome = solver.propagate_until(time)[0]
            if outcome != hy.taylor_outcome.time_limit or not np.isfinite(solver.state).all():
                raise ArithmeticError(f"heyoka stopped at t = {solver.time:.6g}: {outcome}")
            u, by_all = solver.state[:n], np.asarray(solver.state[n + 1 :]).reshape(n + 1, n + m)
            if i < len(numeric.observed):
                by_u, own = numeric.seen(i, time, u, p)
            else:
                by_u, own = numeric.terminal_u(T, u, p), numeric.terminal_p(T, u, p)
                whole_by += by_all[n]
            whole_by += by_u @ by_all[:n]
            by_p += own
        by_start = whole_by[:n]
        by_p += by_start @ numeric.initial_p(p)
        by_p[[point.names.index(name) for name in used]] += whole_by[n:]
        d_start = -numeric.running(t0, start[:n], p) - by_start @ numeric.field(t0, start[:n], p)
        d_end = numeric.running(T, u, p) + numeric.terminal_t(T, u, p)
        d_end += numeric.terminal_u(T, u, p) @ numeric.field(T, u, p)
        return np.concatenate([by_p, by_start, [d_start, d_end]])

    return run


def _expressions(roots: tuple[Node, ...], at: dict[str, Any], hy: Any) -> list[Any]:
    found: dict[Node, Any] = {}
    for node in postorder(*roots):
        args = [found[arg] for arg in node.args]
        match node.op:
            case "num":
                found[node] = hy.expression(float(node.value))
            case "constant" if node.value in _CONSTANTS:
                found[node] = hy.expression(_CONSTANTS[node.value])
            case "symbol":
                found[node] = at[str(node.value)]
            case "add":
                found[node] = hy.sum(args)
            case "mul":
                found[node] = hy.prod(args)
            case "pow":
                found[node] = args[0] ** args[1]
            case "call" if node.value in _FUNCTIONS:
                found[node] = getattr(hy, str(node.value))(*args)
            case _:
                raise NoFloat(f"heyoka has no {node.value or node.op}")
    return [found[root] for root in roots]
