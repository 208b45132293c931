"""With which order does the remainder of a linear prediction vanish?

    |phi(h) - phi(0)|              shrinks like h^1        (unless the slope is 0)
    |phi(h) - phi(0) - h s|        shrinks like h^2        if s = phi'(0), and like h^1 if it is not

The order needs no tolerance and no scale.  A remainder that is round-off at every step is exact agreement (phi is
linear), not a failure; order 3 appears where the second derivative vanishes.  An order is judged on remainders at least
100 times above the round-off of phi; if fewer than three steps are, none is given.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from verify.code.differences import EPS, Line

Array = NDArray[np.float64]
STEPS = 8
CLEAR = 100.0


@dataclass(frozen=True)
class Remainder:
    """Orders of the remainder without and with the slope; None where too few steps are clear of round-off.

    exact   the remainder with the slope is round-off at every step.
    """

    without: float | None
    order: float | None
    exact: bool


def remainder(line: Line, centre: Array, slope: Array, radius: float, noise: float) -> Remainder:
    """Orders of the remainder of phi: t -> (m,) at 0 with the claimed slope (m,), on steps radius * 2^-j.

    noise   of the values of phi, in their unit (2-norm over the outputs).
    """
    steps = radius * 2.0 ** -np.arange(STEPS)
    with np.errstate(all="ignore"):
        values: Array = np.array([line(h) for h in steps]) - centre
        rest: Array = values - steps[:, None] * slope
        plain: Array = np.sqrt(np.einsum("ij,ij->i", values, values))
        corrected: Array = np.sqrt(np.einsum("ij,ij->i", rest, rest))
    floor = max(noise, EPS * float(np.linalg.norm(centre)), EPS * float(np.max(plain, initial=0.0)))
    exact = bool(np.all(corrected <= CLEAR * floor))
    return Remainder(_order(steps, plain, floor), _order(steps, corrected, floor), exact)


def _order(steps: NDArray[Any], sizes: NDArray[Any], floor: float) -> float | None:
    clear = np.isfinite(sizes) & (sizes > CLEAR * floor)
    if clear.sum() < 3 or not np.all(np.isfinite(sizes)):
        return None
    # The smallest steps that are clear: there the leading term rules.
    chosen = np.flatnonzero(clear)[-4:]
    return float(np.polyfit(np.log(steps[chosen]), np.log(sizes[chosen]), 1)[0])
