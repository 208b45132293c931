"""What does reverse-mode differentiation of the code itself say?

HIPS/autograd does it.  A function written with autograd.numpy is traced as it stands.  One written with plain NumPy
is rebuilt: the same code object, with autograd's modules in place of NumPy's in its globals and closure; functions of
the user's that it calls are rebuilt in the same way.  The result is an offer, to be trusted only where differences
agree with it.
"""

from __future__ import annotations

import contextlib
import functools
import inspect
import io
import types
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Function = Callable[[Any], Any]
DEEPEST = 6
"""Levels of functions that call functions which are followed."""
LIBRARIES = ("numpy", "scipy", "autograd", "jax", "torch", "tensorflow", "sympy")
"""Code that is never rebuilt, only exchanged for autograd's counterpart where there is one."""


def trace(function: Function, argument: Any) -> Function | None:
    """The function as it stands or rebuilt, whichever autograd can differentiate at `argument`; None if neither."""
    for candidate in (function, traceable(function)):
        if candidate is not None and pullback(candidate, argument) is not None:
            return candidate
    return None


def pullback(traced: Function, argument: Any) -> tuple[Array, Callable[[Array], Array]] | None:
    """The value and the map u -> u J (the argument's shape), or None where tracing fails."""
    from autograd.core import make_vjp

    # Compiled callbacks print the exceptions that tracing causes in them.
    with contextlib.redirect_stderr(io.StringIO()), contextlib.redirect_stdout(io.StringIO()):
        try:
            vjp, value = make_vjp(traced, argument)
            value = np.asarray(value, dtype=float)
            vjp(np.zeros_like(value)[()])
        except Exception:
            return None
    return value, lambda u: np.asarray(vjp(u[()]), dtype=float)


def traceable(function: Function) -> Function | None:
    """The function with NumPy replaced by autograd.numpy wherever it names it; None if it is not plain Python."""
    rebuilt = _rebuilt(function, {}, 0)
    return rebuilt if rebuilt is not function else None


def _rebuilt(value: Any, done: dict[int, Any], depth: int) -> Any:
    """`value` with NumPy's names exchanged; the same object if there is nothing in it that could be."""
    if id(value) in done:
        return done[id(value)]
    twin = _twin(value)
    if twin is not None or depth > DEEPEST:
        return value if twin is None else twin
    if isinstance(value, functools.partial):
        return functools.partial(_rebuilt(value.func, done, depth + 1), *value.args, **value.keywords)
    if isinstance(value, types.MethodType):
        return types.MethodType(_rebuilt(value.__func__, done, depth + 1), value.__self__)
    if isinstance(value, types.FunctionType):
        return value if _of_a_library(value) else _rebuilt_function(value, done, depth)
    call = inspect.getattr_static(type(value), "__call__", None)  # an object of a class with a method of that name
    if isinstance(call, types.FunctionType) and not isinstance(value, type) and not _of_a_library(call):
        return types.MethodType(_rebuilt(call, done, depth + 1), value)
    return value


def _rebuilt_function(function: types.FunctionType, done: dict[int, Any], depth: int) -> types.FunctionType:
    names = _names(function.__code__) & function.__globals__.keys()
    scope: dict[str, Any] = {"__builtins__": function.__globals__.get("__builtins__"), "__name__": function.__module__}
    cells = tuple(types.CellType() for _ in function.__closure__ or ())
    copy = types.FunctionType(function.__code__, scope, function.__name__, function.__defaults__, cells or None)
    copy.__kwdefaults__ = function.__kwdefaults__
    done[id(function)] = copy  # before going deeper: functions may call each other
    for name in names:
        scope[name] = _rebuilt(function.__globals__[name], done, depth + 1)
    for cell, original in zip(cells, function.__closure__ or (), strict=True):
        try:
            cell.cell_contents = _rebuilt(original.cell_contents, done, depth + 1)
        except ValueError:  # an empty cell
            continue
    return copy


def _names(code: types.CodeType) -> set[str]:
    """Global names of a code object and of the functions, lambdas and comprehensions inside it."""
    inner = (c for c in code.co_consts if isinstance(c, types.CodeType))
    return set(code.co_names).union(*(_names(c) for c in inner))


def _of_a_library(function: types.FunctionType) -> bool:
    return (function.__module__ or "").partition(".")[0] in LIBRARIES


def _twin(value: Any) -> Any:
    """autograd's counterpart of a module or function of NumPy, SciPy or math, or None."""
    import autograd.numpy as traced
    import autograd.scipy.linalg
    import autograd.scipy.special

    if isinstance(value, types.ModuleType):
        return {
            "numpy": traced,
            "numpy.linalg": traced.linalg,
            "numpy.fft": traced.fft,
            "scipy.special": autograd.scipy.special,
            "scipy.linalg": autograd.scipy.linalg,
            "math": _Math(),
        }.get(value.__name__)
    name = getattr(value, "__name__", None)
    if not callable(value) or not isinstance(name, str):
        return None
    if getattr(value, "__module__", None) == "math":
        return getattr(_Math(), name, None)
    for module, counterpart in ((np, traced), (np.linalg, traced.linalg)):
        if getattr(module, name, None) is value and not isinstance(value, type):
            return getattr(counterpart, name, None)
    return None


_RENAMED = {
    "pow": "power", "fabs": "abs", "asin": "arcsin", "acos": "arccos", "atan": "arctan", "atan2": "arctan2",
    "asinh": "arcsinh", "acosh": "arccosh", "atanh": "arctanh", "fsum": "sum",
}  # fmt: skip
_SPECIAL = {"erf": "erf", "erfc": "erfc", "gamma": "gamma", "lgamma": "gammaln"}


class _Math:
    """The names of `math`, traceable; those that NumPy lacks are left out."""

    def __getattr__(self, name: str) -> Any:
        import math

        import autograd.numpy as traced
        import autograd.scipy.special as special

        if not callable(getattr(math, name)):
            return getattr(math, name)
        if name in _SPECIAL:
            return getattr(special, _SPECIAL[name])
        return getattr(traced, _RENAMED.get(name, name))
