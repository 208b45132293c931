"""What does automatic differentiation say?  Reverse mode by autograd, through plain code and through its own solver."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import autograd
import autograd.numpy as traced
import numpy as np
from autograd.builtins import tuple as traced_tuple
from autograd.scipy.integrate import odeint

from verify.numerics.ode import RK4, OdeProblem, Tableau, discrete_objective, shared

#: The library with which `numeric_problem` makes functions that autograd can trace.
LIBRARY = traced
#: Of LSODA between two times: after its usual 500 it returns what it has, which is no solution.
MOST_STEPS = 50_000


def reverse_gradient(function: Callable[[Any], Any], at: np.ndarray) -> np.ndarray:
    """Gradient of a scalar function of one array, of the array's shape."""
    return np.asarray(autograd.grad(function)(np.asarray(at, dtype=float)))


def discrete_adjoint(
    problem: OdeProblem, p: np.ndarray, t0: float, T: float, steps: int, method: Tableau = RK4
) -> np.ndarray:
    """Exact gradient of the discrete objective, (dG/dp, dG/du(t0), dG/dt0, dG/dT): reverse mode through every step."""
    theta, numbers = np.concatenate([p, np.zeros(problem.states), [t0, T]]), shared(problem, p, t0, T, steps)
    return reverse_gradient(lambda theta: discrete_objective(problem, theta, numbers, method), theta)


def odeint_gradient(problem: OdeProblem, p: np.ndarray, t0: float, T: float, tolerance: float = 1e-11) -> np.ndarray:
    """The same gradient by autograd's vjp of odeint, which solves the state backwards beside its adjoint (LSODA).

    Where something is observed it starts from the state that was found there.
    """
    n, m, observed = problem.states, problem.parameters, problem.observed

    def rate(w: Any, t: Any, p: Any) -> Any:
        return traced.append(problem.field(t, w[:n], p), problem.running(t, w[:n], p))

    def objective(theta: Any) -> Any:
        p, start = theta[:m], problem.initial(theta[:m]) + theta[m : m + n]
        times = traced.array([theta[m + n], *(each.time(p) for each in observed), theta[m + n + 1]])
        w = odeint(
            rate, traced.append(start, 0.0), times, traced_tuple((p,)), rtol=tolerance, atol=tolerance / 10,
            mxstep=MOST_STEPS,
        )  # fmt: skip
        seen = sum(each.value(times[i], w[i, :n], p) for i, each in enumerate(observed, 1))
        return w[-1, n] + seen + problem.terminal(times[-1], w[-1, :n], p)

    return reverse_gradient(objective, np.concatenate([p, np.zeros(n), [t0, T]]))
