"""What will fail on this problem?  One look along the solution, before any gradient is computed.

digits backwards   log10 of the norm of Phi(T, t0)^-1, Phi the propagator: what solving the state backwards loses
digits forwards    log10 of the norm of Phi(T, t0): what the solution itself loses, by any route
stiffness          integral of the fastest decay rate: explicit steps are bounded by a few of its inverse
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.integrate import solve_ivp
from scipy.linalg import expm

from verify.numerics.routes.point import Point

Array = Any
#: Integrals of the decay rate from which on explicit methods would take more steps than anybody waits for.
STIFF = 20_000.0
#: Evaluations of the right-hand side after which the look is given up.
MOST = 100_000
#: Parts of each step of the solver on which the Jacobian is taken as constant.
PARTS = 4


@dataclass(frozen=True)
class Survey:
    """What one look along the solution tells; see the module."""

    backwards: float
    forwards: float
    stiffness: float
    steps: int

    @property
    def stiff(self) -> bool:
        """Whether an implicit method is needed."""
        return self.stiffness > STIFF


def survey(point: Point) -> Survey:
    """Raises ArithmeticError where the solution does not reach the end."""
    t0, T = point.ends
    numeric, p, count = point.numeric, point.p, 0

    def rate(t: float, u: Array) -> Array:
        nonlocal count
        count += 1
        if count > MOST:
            raise ArithmeticError(f"no end after {MOST} evaluations")
        return numeric.field(t, u, p)

    with np.errstate(all="ignore"):
        found = solve_ivp(
            rate, (t0, T), numeric.initial(p), method="LSODA", rtol=1e-7, atol=1e-9, dense_output=True,
            jac=lambda t, u: numeric.field_u(t, u, p),
        )  # fmt: skip
    if not found.success or not np.isfinite(found.y).all():
        raise ArithmeticError(f"no solution beyond t = {found.t[-1]:.6g}")
    backward = forward = np.eye(numeric.states)
    logs = [0.0, 0.0]
    stiffness = 0.0
    for left, right in zip(found.t[:-1], found.t[1:], strict=True):
        h = (right - left) / PARTS
        for t in left + h * (np.arange(PARTS) + 0.5):
            J = h * np.asarray(numeric.field_u(t, found.sol(t), p), dtype=float).reshape(backward.shape)
            decay = np.linalg.eigvals(J).real
            stiffness += max(0.0, -float(decay.min()))
            backward, logs[0] = _advanced(backward @ _shifted(-J, -decay.min()), logs[0] - decay.min())
            forward, logs[1] = _advanced(_shifted(J, decay.max()) @ forward, logs[1] + decay.max())
    return Survey(float(logs[0] / np.log(10)), float(logs[1] / np.log(10)), stiffness, len(found.t) - 1)


def _shifted(J: Array, by: float) -> Array:
    """exp(J - by I), whose eigenvalues are at most 1 in modulus."""
    return expm(J - by * np.eye(len(J)))


def _advanced(product: Array, log: float) -> tuple[Array, float]:
    size = float(np.linalg.norm(product, 2))
    return product / size, log + float(np.log(size))
