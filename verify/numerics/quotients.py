"""What is a derivative by differences of values?  No derivative of the function is asked for."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

Array = Any


def central(function: Callable[[Array], Any], at: Array, step: float = 1e-3) -> Array:
    """Central differences of fourth order of a scalar function at a point of shape (M,), (M,)."""
    at = np.asarray(at)
    return np.array([along(lambda h, e=e: function(at + h * e), step) for e in np.eye(len(at))])


def along(value: Callable[[float], Any], step: float) -> Any:
    """The derivative at 0 of a function of one number, with values of any shape."""
    near, far = value(step) - value(-step), value(2 * step) - value(-2 * step)
    return (8 * near - far) / (12 * step)
