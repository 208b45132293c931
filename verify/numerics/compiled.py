"""From SymPy expressions to functions of arrays."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache, lru_cache
from typing import Any

import numpy as np
import sympy


def array_function(
    expression: Any, arguments: tuple[Any, ...], shape: tuple[int, ...], library: Any = None
) -> Callable[..., Any]:
    """A function that returns an array of `shape` (a number for shape ()), in the order of the arguments.

    expression  SymPy expression or matrix, read row by row.
    arguments   symbols, or tuples of symbols for arguments that are arrays.
    library     numpy unless given; autograd.numpy makes the function traceable.
    """
    entries = list(expression) if hasattr(expression, "shape") else [expression]
    nested = sympy.ImmutableMatrix(*shape, entries).tolist() if len(shape) == 2 else entries
    array = (library or np).array

    @cache
    def compile_once() -> Callable[..., Any]:  # at the first call: printing costs more than most functions ever run
        return sympy.lambdify(arguments, nested, modules=[library or np], cse=True, docstring_limit=0)

    if shape == ():
        return lambda *values: compile_once()(*values)[0]
    return lambda *values: array(compile_once()(*values))


def batched_function(expression: Any, arguments: tuple[Any, ...], shape: tuple[int, ...]) -> Callable[..., Any]:
    """The same for arguments whose entries may be arrays of shape (n,): then the value has shape (*shape, n)."""
    entries = list(expression) if hasattr(expression, "shape") else [expression]
    function = sympy.lambdify(arguments, entries, modules=[np], cse=True, docstring_limit=0)

    def value(*values: Any) -> Any:
        sizes = [np.asarray(v).shape[1:] for v in values]
        found = [np.broadcast_to(entry, max(sizes)) for entry in function(*values)]
        return np.stack(found).reshape((*shape, *found[0].shape))

    return value


@lru_cache(maxsize=256)
def compiled(expression: Any, arguments: tuple[Any, ...], shape: tuple[int, ...]) -> Callable[..., np.ndarray]:
    """A function of the arguments by name, returning an array of `shape`; other keywords are passed over."""
    function = array_function(expression, arguments, (len(expression),) if shape else ())

    def value(**case: Any) -> np.ndarray:
        return np.asarray(function(*(case[str(a)] for a in arguments))).reshape(shape)

    return value
