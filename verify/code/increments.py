"""Does the integral of a claimed slope return the increments of the function?

    phi(b) - phi(a) = integral of s(t) over [a, b]        if and only if s = phi' almost everywhere on every interval

Nothing is differenced, so no noise is divided by a small step, and a kink costs nothing: a subgradient there is one
point of an integral.  The integral is taken by the 7-point Gauss and the 15-point Kronrod rule; their difference
bounds the error of a smooth s and shows where s is not smooth.

Source of nodes and weights: Piessens et al., QUADPACK (1983).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from verify.code.differences import EPS, Line

Array = NDArray[np.float64]

_NODES = np.array(
    [
        0.991455371120812639206854697526329,
        0.949107912342758524526189684047851,
        0.864864423359769072789712788640926,
        0.741531185599394439863864773280788,
        0.586087235467691130294144691693013,
        0.405845151377397166906606412076961,
        0.207784955007898467600689403773245,
        0.000000000000000000000000000000000,
    ]
)
_KRONROD = np.array(
    [
        0.022935322010529224963732008058970,
        0.063092092629978553290700663189204,
        0.104790010322250183839876322541518,
        0.140653259715525918745189590510238,
        0.169004726639267902826583426598550,
        0.190350578064785409913256402421014,
        0.204432940075298892414161999234649,
        0.209482141084727828012999174891714,
    ]
)
_GAUSS = np.array(
    [
        0.129484966168869693270611432679082,
        0.279705391489276667901467771423780,
        0.381830050505118944950369775488975,
        0.417959183673469387755102040816327,
    ]
)


@dataclass(frozen=True)
class Gap:
    """The mean over [-r, r] of claimed minus true slope, and its estimated error; arrays (m,)."""

    value: Array
    error: Array
    radius: float


def gap(line: Line, claimed: Callable[[float], Array], radius: float) -> Gap | None:
    """The gap between increments of phi and the integral of `claimed`: t -> (m,); None where one is not finite."""
    with np.errstate(all="ignore"):
        high, low = line(radius), line(-radius)
        pairs = np.array([claimed(radius * t) + claimed(-radius * t) for t in _NODES[:-1]])
        centre = claimed(0.0)
    kronrod = _KRONROD[:-1] @ pairs + _KRONROD[-1] * centre
    gauss = _GAUSS[:-1] @ pairs[1::2] + _GAUSS[-1] * centre
    rise = (high - low) / (2 * radius)
    value = kronrod / 2 - rise
    roundoff = EPS * (np.abs(high) + np.abs(low)) / (2 * radius) + EPS * np.abs(pairs).max(0)
    error = np.abs(kronrod - gauss) / 2 + roundoff
    return Gap(value, error, radius) if np.all(np.isfinite(value) & np.isfinite(error)) else None
