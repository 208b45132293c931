"""Which values do the names of a problem have?  Exact numbers, or everything between two of them."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from typing import Any, TypeAlias

from verify.numerics.enclosure.ball import Ball
from verify.numerics.enclosure.field import needed
from verify.systems import OdeProblem

#: A number, its text ("0.1", "3/2"), or a pair of them for everything between.
Value: TypeAlias = "Fraction | int | float | str | Ball | tuple[Any, Any]"
#: The smallest and the largest value.
Ends: TypeAlias = tuple[Fraction, Fraction]


def ends_of(problem: OdeProblem, at: Mapping[str, Value]) -> dict[str, Ends]:
    """The ends for each name.  Raises ValueError for a name without a value, or without a meaning."""
    names = needed(problem)
    if missing := sorted(names - set(at)):
        raise ValueError(f"no value for {', '.join(missing)}; add it to `at`, as a number or a pair (low, high)")
    if unknown := sorted(set(at) - names - set(problem.domain.variables)):
        raise ValueError(f"{', '.join(unknown)} in `at` is no name of the problem; it has {', '.join(sorted(names))}")
    return {name: _ends(name, at[name]) for name in sorted(names)}


def _ends(name: str, value: Value) -> Ends:
    if isinstance(value, Ball):
        return value.low, value.high
    ends = value if isinstance(value, tuple) else (value, value)
    try:
        low, high = (Fraction(end) for end in ends)
    except (ValueError, OverflowError, TypeError, ZeroDivisionError):
        raise ValueError(f"{name} = {value!r} is no number; write 3/2, 0.1, or a pair (low, high)") from None
    if low > high:
        raise ValueError(f"{name} = {value!r} is empty; write the smaller number first")
    return low, high
