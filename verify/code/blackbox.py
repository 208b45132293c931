"""How is somebody else's function called so that it can neither surprise nor be disturbed?

The function gets a fresh copy of its argument in the shape it expects, its answer is copied at once (it may hand out
the same buffer every time), and an exception, a non-number or an answer of another shape than before is no value
(NaN) rather than the end of the check.  What went wrong is counted.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
WATCHED = 50
"""Calls after which the argument is compared with what was handed over."""


@dataclass
class Blackbox:
    """A function of one array, seen as one from vectors (n,) to vectors (m,).

    shape     of the argument.
    scalar    hand over a NumPy scalar instead of an array (the domain was given as plain numbers).
    out       shape of the answer, fixed by the first call that returned one.
    """

    function: Callable[[Any], Any]
    shape: tuple[int, ...]
    scalar: bool = False
    out: tuple[int, ...] | None = None
    calls: int = 0
    mutates: bool = False
    single: bool = False
    """Whether an answer was in single precision."""
    troubles: Counter[str] = field(default_factory=Counter)

    def answer(self, x: NDArray[Any]) -> NDArray[Any] | None:
        """The answer at x (n,), an array of any shape and of a numeric kind, or None where there is none."""
        given = x.reshape(self.shape)
        argument: Any = given[()].copy() if self.scalar else given.copy()
        self.calls += 1
        watched = self.calls < WATCHED and not self.scalar
        try:
            raw = self.function(argument)
            value = np.array(raw)
        except Exception as error:
            self.troubles[f"raised {type(error).__name__}: {error}"[:200]] += 1
            return None
        if watched and not np.array_equal(argument, given, equal_nan=True):
            self.mutates = True
        if value.dtype.kind not in "fiubc":
            self.troubles[f"returned {type(raw).__name__}, not numbers"] += 1
            return None
        self.single = self.single or (value.dtype.kind == "f" and value.dtype.itemsize < 8)
        return value

    def __call__(self, x: Array) -> Array:
        """The values (m,) at x (n,); NaN where there are none."""
        value = self.answer(x)
        if value is not None and value.dtype.kind == "c":
            if np.any(value.imag != 0):
                self.troubles["returned complex numbers"] += 1
                value = None
            else:
                value = value.real
        if value is not None and value.shape != self.out:
            if self.out is None:
                self.out = value.shape
            else:
                self.troubles[f"returned shape {value.shape} after {self.out}"] += 1
                value = None
        if value is None:
            return np.full(math.prod(self.out or ()), np.nan)
        return value.astype(float).ravel()

    @property
    def trouble(self) -> str:
        """What went wrong most often, in words; empty if nothing did."""
        return self.troubles.most_common(1)[0][0] if self.troubles else ""
