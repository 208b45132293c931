"""Which axes of a value are its rows and its columns?  Kronecker products have several of each.

"r" are the rows and "c" the columns; of kron(A, B) "r" and "c" are those of A, "r1" and "c1" those of B, and so on: the
first of them changes slowest.  All other labels are indices of sums around.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

Label = Any


def is_axis(label: Label) -> bool:
    """Whether it is one of the rows or columns, and no index."""
    return isinstance(label, str)


def axes_in(labels: Sequence[Label], which: str) -> list[str]:
    """The rows ("r") or columns ("c"), the slowest first."""
    return sorted((x for x in labels if is_axis(x) and x[0] == which), key=lambda x: int(x[1:] or 0))


def numbered(which: str, k: int) -> str:
    """The k-th of the rows or columns, counted from 0."""
    return f"{which}{k or ''}"


def flipped(label: Label) -> Label:
    """Rows become columns and columns rows."""
    return {"r": "c", "c": "r"}[label[0]] + label[1:] if is_axis(label) else label


def moved(labels: Sequence[Label], before: Sequence[Label]) -> tuple[Label, ...]:
    """The labels of B in kron(A, B): its rows and columns come after those of A, whose labels are `before`."""
    new = {}
    for which in ("r", "c"):
        start = len(axes_in(before, which))
        new |= {x: numbered(which, start + k) for k, x in enumerate(axes_in(labels, which))}
    return tuple(new.get(x, x) for x in labels)
