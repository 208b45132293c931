"""What is the directional derivative of holomorphic code, to the last digit?

    f(x + i h v) = f(x) + i h f'(x) v + O(h^2)        so        f'(x) v = Im f(x + i h v) / h

Nothing is subtracted, so h may be tiny and no digit is lost (Squire and Trapp, 1998).  The code must be holomorphic:
abs, conj, norm, angle, casts to float and in-place writes into real arrays drop the imaginary part without a word.
The value is therefore an offer, to be trusted only where differences of real values agree with it.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from verify.code.blackbox import Blackbox

Array = NDArray[np.float64]
STEP = 1e-30
"""Small enough that h^2 vanishes beside 1, large enough that squares of h do not underflow."""


def directional(f: Blackbox, x: Array, v: Array) -> Array | None:
    """The derivative (m,) at x (n,) along v (n,), or None if the code does not carry complex numbers through."""
    value = f.answer(x + 1j * (STEP * v))
    if value is None or value.dtype.kind != "c" or value.shape != f.out:
        return None
    slope = value.imag.astype(float).ravel() / STEP
    return slope if np.all(np.isfinite(slope)) else None
