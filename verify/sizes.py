"""How are shapes turned, multiplied and described?  () a scalar, (n,) a column, (1, n) a row, (m, n) a matrix.

Sizes are numbers or names.  A size that is a name stands for every whole number from 1 on: two sizes agree only when
they are spelled alike.  1×1 is a scalar and n×1 a column.
"""

from __future__ import annotations

from verify.claim import Shape, Size
from verify.graph import Node

SCALAR: Shape = ()


class ShapeError(ValueError):
    """Shapes that do not fit together: what is wrong, and what to write instead (may be empty)."""

    def __init__(self, what: str, mend: str = "") -> None:
        self.what, self.mend = what, mend
        super().__init__(f"{what}; {mend}" if mend else what)


def normal(rows: Size, columns: Size) -> Shape:
    """The shape of a rows×columns array."""
    if columns == 1:
        return SCALAR if rows == 1 else (rows,)
    return rows, columns


def rectangle(shape: Shape) -> tuple[Size, Size]:
    """Rows and columns of a shape."""
    rows, columns = (*shape, 1, 1)[:2]
    return rows, columns


def flipped(shape: Shape) -> Shape:
    """The shape of the transpose."""
    rows, columns = rectangle(shape)
    return normal(columns, rows)


def is_vector(shape: Shape) -> bool:
    """Whether it is a column or a row."""
    return len(shape) == 1 or (len(shape) == 2 and shape[0] == 1)


def named(shape: Shape) -> str:
    """The kind of thing: scalar, vector, row or matrix."""
    return "row" if len(shape) == 2 and shape[0] == 1 else ("scalar", "vector", "matrix")[len(shape)]


def described(shape: Shape) -> str:
    """The kind of thing with its sizes: vector (n), row (1, n), matrix (m, n)."""
    return f"{named(shape)} ({', '.join(map(str, shape))})" if shape else "scalar"


def times(one: Size, other: Size) -> Size:
    """The product of two sizes, as a Kronecker product has it; factors sorted, so that m*n is n*m."""
    if isinstance(one, int) and isinstance(other, int):
        return one * other
    factors = [str(size) for size in (one, other) if size != 1]
    return "*".join(sorted("*".join(factors).split("*")))


def text_of(node: Node) -> str:
    """The expression for a message; the beginning of a long one."""
    from verify.language.write import write

    text = write(node)
    return text if len(text) < 60 else f"{text[:57]}…"
