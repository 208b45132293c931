"""How far apart are two values, and with which order do errors shrink?  Small functions, tested to reject."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

#: Errors below 100 of these are round-off and say nothing about an order.
ROUND_OFF = 1e-15


def disagreement(got: Any, want: Any) -> float:
    """Largest entry of |got - want| relative to the largest entry of |want|.

    NaN where the shapes differ or anything is not finite, or want is 0: nothing agrees with that.  Dimensionless, and
    independent of how many entries there are.
    """
    left, right = np.asarray(got, dtype=float), np.asarray(want, dtype=float)
    if left.shape != right.shape or not (np.isfinite(left).all() and np.isfinite(right).all()):
        return math.nan
    scale = float(np.max(np.abs(right), initial=0.0))
    return float(np.max(np.abs(left - right), initial=0.0)) / scale if scale > 0 else math.nan


def observed_order(steps: Sequence[int], errors: Sequence[float]) -> float | None:
    """Slope of log(error) against log(1/steps); None where fewer than three errors lie between round-off and 1e-2."""
    points = [(math.log(1 / n), math.log(e)) for n, e in zip(steps, errors, strict=True) if 100 * ROUND_OFF < e < 1e-2]
    if len(points) < 3 or any(math.isnan(e) for e in errors):
        return None
    x, y = np.array(points).T
    return float(np.polyfit(x, y, 1)[0])


def rounded(value: float) -> float | None:
    """Two significant digits, None for NaN: what a report may show and stay the same on the next run."""
    return None if math.isnan(value) else float(f"{value:.1e}")
