"""What is a solution that can be asked for at any time?  Solved under error control, in one piece or in several."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from verify.numerics.collocation import Exploded, Implicit, Stuck, collocate
from verify.numerics.dop853 import Solution, integrate

#: Evaluations of a right-hand side after which a run is given up, and those after which it is looked for stiffness.
MOST_EVALUATIONS, NOTICED = 20_000, (300, 3000)
#: Steps at least, and the factor by which they may be longer: a crumb of a step at the end is no polynomial that could
#: be followed any further.
STEPS, LONGER = 20, 1.000001


NO_SOLUTION = "no solution up to the final time"
TOO_MANY = "too many steps: stiff, or close to a singularity"


class Failed(ArithmeticError):
    """No solution up to the final time, or a value that is not finite."""


class Explosion(Failed):
    """A solution that grows beyond all bounds before the final time."""


class _Stiff(ArithmeticError):
    """Another method is called for."""


class Unmet(Failed):
    """An event that does not happen, or not in a way that the objective can be differentiated through."""


Curve = Callable[[Any], np.ndarray]


@dataclass(frozen=True)
class Grid:
    """Where integrals are evaluated: the times at which the solvers stopped, and the nodes between two of them."""

    times: np.ndarray
    nodes: int

    @classmethod
    def of(cls, curves: Sequence[Any], nodes: int) -> Grid:
        return cls(np.unique(np.concatenate([curve.ts for curve in curves])), nodes)

    def integral(self, values: Callable[[np.ndarray], Any], a: float, b: float) -> float:
        """The integral from a to b (backwards where b is less) of a function of an array of times."""
        low, high = min(a, b), max(a, b)
        edges = np.concatenate([[low], self.times[(self.times > low) & (self.times < high)], [high]])
        x, w = np.polynomial.legendre.leggauss(self.nodes)
        half = np.diff(edges)[:, None] / 2
        t = (edges[:-1, None] + edges[1:, None]) / 2 + half * x
        found = float(np.sum((half * w).ravel() * values(t.ravel())))
        return found if a <= b else -found


def solve(
    field: Callable[[float, np.ndarray], Any], start: float, end: float, first: Any, tol: float,
    implicit: Implicit | None = None, steps: int = STEPS,
) -> Curve:  # fmt: skip
    """A continuous solution from `start` to `end` (backwards where that is earlier); values have shape (n, …).

    implicit   the same equation for collocation, which takes over where it is stiff.
    """
    if implicit is None:
        return _solved(field, start, end, first, tol, steps=steps)
    first = np.array(first, dtype=float)
    if not implicit.is_stiff(start, first, end - start):
        try:
            return _solved(field, start, end, first, tol, implicit=implicit, steps=steps)
        except _Stiff:
            pass
    try:
        return collocate(implicit, start, end, first, tol)
    except Exploded as reason:
        raise Explosion(str(reason)) from None
    except Stuck:
        raise Failed(NO_SOLUTION) from None


def until(
    field: Callable[[float, np.ndarray], Any], start: float, end: float, first: Any, tol: float,
    above: Callable[[float, np.ndarray], float],
) -> float | None:  # fmt: skip
    """The first time at which a function of time and states falls below 0, as the solver sees it; None if none is."""

    def event(t: float, x: np.ndarray) -> float:
        return 1.0 if t <= start else above(t, x)

    return _solved(field, start, end, first, tol, event).root


def _solved(
    field: Callable[[float, np.ndarray], Any], start: float, end: float, first: Any, tol: float,
    above: Callable[[float, np.ndarray], float] | None = None, implicit: Implicit | None = None, steps: int = STEPS,
) -> Solution:  # fmt: skip
    count = 0

    def counted(t: float, x: np.ndarray) -> np.ndarray:
        nonlocal count
        count += 1
        if count in NOTICED and implicit and implicit.is_stiff(t, x, end - t):
            raise _Stiff
        if count > MOST_EVALUATIONS:
            raise Failed(TOO_MANY)
        return np.array(field(t, x), dtype=float)

    first = np.array(first, dtype=float)
    if not np.all(np.isfinite(first)):
        raise Failed("a value at an end of the interval is not finite")
    if start == end:
        raise Failed("the interval of time is empty")
    with np.errstate(all="ignore"):
        done = integrate(counted, start, end, first, tol, LONGER * abs(end - start) / steps, above)
    if done is None or not np.all(np.isfinite(done.starts)) or not np.all(np.isfinite(done.last)):
        raise Failed(NO_SOLUTION)
    return done


@dataclass(frozen=True)
class Pieces:
    """A curve that jumps: one curve up to each time, the last one beyond all; at a time itself the one before."""

    times: np.ndarray
    curves: Sequence[Any]

    @property
    def ts(self) -> np.ndarray:
        """The times at which the solvers stopped."""
        return np.unique(np.concatenate([curve.ts for curve in self.curves]))

    def __call__(self, t: Any) -> np.ndarray:
        """Values of shape (n, …)."""
        place = np.searchsorted(self.times, t)
        found = np.stack([curve(t) for curve in self.curves])
        return np.take_along_axis(found, np.broadcast_to(place, found.shape)[:1], axis=0)[0]
