"""From SymPy expressions to NumPy functions."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any

import numpy as np
import sympy


@lru_cache(maxsize=256)
def compiled(expression: Any, arguments: tuple[Any, ...], shape: tuple[int, ...]) -> Callable[..., np.ndarray]:
    """A function of the arguments by name, returning an array of `shape`; other keywords are passed over.

    expression  SymPy expression, or an immutable matrix with as many entries as `shape` asks for.
    arguments   symbols; each becomes a keyword of that name.
    """
    entries = list(expression) if hasattr(expression, "shape") else [expression]
    function = sympy.lambdify(arguments, entries, modules="numpy", cse=True)

    def value(**case: Any) -> np.ndarray:
        return np.array(function(*(case[str(a)] for a in arguments))).reshape(shape)

    return value
