"""What is the solution of an equation that is not stiff, at any time?  By DOP853, of order 8 under error control.

The method of Dormand and Prince, its steps and its interpolation of order 7 as in Hairer, Nørsett and Wanner, Solving
Ordinary Differential Equations I, II.4 to II.6, and in SciPy's `solve_ivp`, which gives the same but for rounding.  It
is here because loading SciPy takes longer than solving a small system.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from verify.numerics.dop853_table import FIFTH, INTERPOLATION, STAGES, THIRD

Field = Callable[[float, np.ndarray], np.ndarray]
#: Stages of a step, and of its interpolation.
N, EXTENDED = 12, 16
#: How much shorter than the error allows a step is, and by how much it shrinks and grows at most.
SAFETY, LEAST, MOST = 0.9, 0.2, 10.0
EPSILON = float(np.finfo(float).eps)


def _row(weights: Mapping[int, float], length: int) -> np.ndarray:
    found = np.zeros(length)
    found[list(weights)] = list(weights.values())
    return found


_NODES = [c for c, _ in STAGES]
_WEIGHTS = [_row(weights, i) for i, (_, weights) in enumerate(STAGES)]
#: The last stage of a step is taken at its end, so that its weights are those of the solution.
_SOLUTION = _WEIGHTS[N]
_ERRORS = np.stack([_row(FIFTH, N + 1), np.append(_SOLUTION, 0.0) - _row(THIRD, N + 1)])
_CURVE = np.stack([_row(weights, EXTENDED) for weights in INTERPOLATION])


@dataclass(frozen=True)
class Solution:
    """A solution between the times at which the solver stopped, and a little beyond.

    ts      times, m + 1, rising or falling; starts: values at the first m of them, (m, n).
    shapes  how it goes on from each, (m, 7, n): coefficients of s, s(1 - s), s^2(1 - s), … with s from 0 to 1.
    last    values at the last time, (n,).
    root    where what is watched was zero, if that ended it.
    """

    ts: np.ndarray
    starts: np.ndarray
    shapes: np.ndarray
    last: np.ndarray
    root: float | None = None

    @cached_property
    def _rising(self) -> list[float]:
        return [float(t) for t in (self.ts if self.ts[-1] >= self.ts[0] else -self.ts)]

    def __call__(self, t: Any) -> np.ndarray:
        """Values at a time, (n,), or at k times, (n, k)."""
        turned = t if self.ts[-1] >= self.ts[0] else -t
        if np.ndim(t) == 0:
            i = min(max(bisect_left(self._rising, turned) - 1, 0), len(self.starts) - 1)
            s = float((t - self.ts[i]) / (self.ts[i + 1] - self.ts[i]))
            return self.starts[i] + np.array(_basis(s)) @ self.shapes[i]
        i = np.clip(np.searchsorted(self._rising, turned) - 1, 0, len(self.starts) - 1)
        basis = np.stack(_basis((t - self.ts[i]) / (self.ts[i + 1] - self.ts[i])), axis=-1)
        return (self.starts[i] + np.einsum("kj,kjn->kn", basis, self.shapes[i])).T


def _basis(s: Any) -> list[Any]:
    found = [s]
    for i in range(6):
        found.append(found[-1] * (s if i % 2 else 1 - s))
    return found


def integrate(
    field: Field, start: float, end: float, first: np.ndarray, rtol: float, longest: float,
    above: Callable[[float, np.ndarray], float] | None = None,
) -> Solution | None:  # fmt: skip
    """The solution from `start` to another time `end`; None where no step is short enough for the tolerance.

    rtol     relative to values, with a hundredth of it for values near 0; longest: a step at most.
    above    a function of time and values, watched: the solution ends in the first step in which it falls to 0.
    """
    t, y, f = start, first, field(start, first)
    atol, forwards = rtol / 100, 1.0 if end > start else -1.0
    length = _first_length(field, t, y, f, end, forwards, rtol, longest)
    times, starts, shapes = [start], [], []
    value = above(t, y) if above else 1.0
    while t != end:
        least = 10 * abs(np.nextafter(t, forwards * np.inf) - t)
        length = min(max(length, least), longest)
        is_shorter = False
        while True:
            if length < least:
                return None
            new = t + length * forwards
            new = end if forwards * (new - end) > 0 else new
            h = new - t
            slopes, y_new = _step(field, t, y, f, h)
            error = _error(slopes, abs(h), atol + rtol * np.maximum(np.abs(y), np.abs(y_new)))
            if error < 1:
                factor = MOST if error == 0 else min(MOST, SAFETY * error**-0.125)
                length = abs(h) * (min(1.0, factor) if is_shorter else factor)
                break
            length, is_shorter = abs(h) * max(LEAST, SAFETY * error**-0.125), True
        shapes.append(_shape(field, t, y, y_new, h, slopes))
        starts.append(y)
        times.append(new)
        t, y, f = new, y_new, slopes[N]
        if above:
            before, value = value, above(t, y)
            if before >= 0 >= value:
                found = Solution(np.array(times), np.array(starts), np.array(shapes), y)
                return Solution(found.ts, found.starts, found.shapes, y, _root(above, found, *times[-2:]))
    return Solution(np.array(times), np.array(starts), np.array(shapes), y)


def _step(field: Field, t: float, y: np.ndarray, f: np.ndarray, h: float) -> tuple[np.ndarray, np.ndarray]:
    """The slopes at all stages, room for those of the interpolation, and the solution after a step."""
    slopes = np.empty((EXTENDED, len(y)))
    slopes[0] = f
    for i in range(1, N):
        slopes[i] = field(t + _NODES[i] * h, y + h * (_WEIGHTS[i] @ slopes[:i]))
    y_new = y + h * (_SOLUTION @ slopes[:N])
    slopes[N] = field(t + h, y_new)
    return slopes, y_new


def _error(slopes: np.ndarray, h: float, scale: np.ndarray) -> float:
    """The error of a step relative to the tolerance."""
    fifth, third = np.sum((_ERRORS @ slopes[: N + 1] / scale) ** 2, axis=1).tolist()
    return 0.0 if fifth == third == 0 else h * fifth / float(np.sqrt((fifth + 0.01 * third) * len(scale)))


def _shape(field: Field, t: float, y: np.ndarray, y_new: np.ndarray, h: float, slopes: np.ndarray) -> np.ndarray:
    """The coefficients of the interpolation, (7, n)."""
    for i in range(N + 1, EXTENDED):
        slopes[i] = field(t + _NODES[i] * h, y + h * (_WEIGHTS[i] @ slopes[:i]))
    change = y_new - y
    lower = change, h * slopes[0] - change, 2 * change - h * (slopes[N] + slopes[0])
    return np.vstack([*lower, h * (_CURVE @ slopes)])


def _first_length(
    field: Field, t: float, y: np.ndarray, f: np.ndarray, end: float, forwards: float, rtol: float, longest: float
) -> float:
    """A first step as long as a look at the slope and at its change allows."""
    span, scale = abs(end - t), rtol / 100 + np.abs(y) * rtol

    def norm(x: np.ndarray) -> float:
        return float(np.sqrt(np.mean((x / scale) ** 2)))

    size, slope = norm(y), norm(f)
    short = min(1e-6 if size < 1e-5 or slope < 1e-5 else 0.01 * size / slope, span)
    change = norm(field(t + short * forwards, y + short * forwards * f) - f) / short
    flat = slope <= 1e-15 and change <= 1e-15
    long = max(1e-6, short * 1e-3) if flat else (0.01 / max(slope, change)) ** 0.125
    return min(100 * short, long, span, longest)


def _root(above: Callable[[float, np.ndarray], float], curve: Solution, low: float, high: float) -> float:
    """Where the function falls to 0 between two times, by bisection."""
    while abs(high - low) > 4 * EPSILON * max(abs(low), abs(high)):
        middle = low + (high - low) / 2
        if middle in (low, high):
            break
        low, high = (middle, high) if above(middle, curve(middle)) > 0 else (low, middle)
    return high
