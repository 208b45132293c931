"""What will fail on this problem?  One look along the solution, before any gradient is computed.

digits backwards   log10 of the norm of Phi(T, t0)^-1, Phi the propagator: what solving the state backwards loses; the
                   most between two observations, where there are some, as the state is known again at each
digits forwards    log10 of the norm of Phi(T, t0): what the solution itself loses, by any route
stiffness          integral of the fastest decay rate: explicit steps are bounded by a few of its inverse
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise
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
PARTS = 3
#: Digits that are not worth telling.
NOTHING = 0.05


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

    @property
    def losses(self) -> tuple[str, str]:
        """What solving backwards and forwards loses, in words: no digits, 7.7 digits."""
        backwards, forwards = (
            "no digits" if lost < NOTHING else f"{lost:.1f} digits" for lost in (self.backwards, self.forwards)
        )
        return backwards, forwards

    def says(self) -> tuple[str, str]:
        """What is ahead, in two lines."""
        backwards, forwards = self.losses
        return (
            f"{backwards} are lost backwards in time, {forwards} forwards",
            f"the decay rates integrate to {self.stiffness:.3g}: {'stiff' if self.stiff else 'not stiff'}",
        )


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
    stops = np.unique([*found.t, *point.times])
    edges = np.concatenate([np.linspace(*ends, PARTS, endpoint=False) for ends in pairwise(stops)] + [[T]])
    times, lengths = (edges[:-1] + edges[1:]) / 2, np.diff(edges)
    J = np.array([h * np.asarray(numeric.field_u(t, found.sol(t), p)) for t, h in zip(times, lengths, strict=True)])
    rates = np.linalg.eigvals(J).real
    slowest, fastest = rates.max(axis=1), rates.min(axis=1)
    identity = np.eye(numeric.states)
    inverse = expm(-J + fastest[:, None, None] * identity)
    spans = (slice(*pair) for pair in pairwise(np.searchsorted(edges, point.times)))
    lost = max(_digits(inverse[span][::-1], -fastest[span]) for span in spans)
    grown = _digits(expm(J - slowest[:, None, None] * identity), slowest)
    return Survey(lost, grown, float(np.maximum(-fastest, 0).sum()), len(found.t) - 1)


def _digits(factors: Array, logs: Array) -> float:
    """log10 of the norm of the product, the first factor rightmost, where each is exp(its log) times larger."""
    whole, total = np.eye(factors.shape[-1]), float(np.sum(logs))
    for factor in factors:
        whole = factor @ whole
        size = math.sqrt(float(np.sum(whole * whole)))
        whole, total = whole / size, total + math.log(size)
    return (total + math.log(np.linalg.norm(whole, 2))) / math.log(10)
