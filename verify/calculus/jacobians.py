"""What are Jacobian, determinant and divergence of expressions of the graph?  Shared subexpressions.

(f_z)_ij = d f_i / d z_j,   det by minors of the last rows, each computed once,   div f = tr f_z
"""

from __future__ import annotations

from collections.abc import Sequence

from verify.calculus.costate import total
from verify.calculus.reverse import gradient
from verify.calculus.tidy import tidy
from verify.graph import MINUS_ONE, ONE, ZERO, Node, div, mul

Matrix = tuple[tuple[Node, ...], ...]


def jacobian(field: Sequence[Node], names: Sequence[str]) -> Matrix:
    """f_z, of shape (len(field), len(names)).  GiveUp (of `verify.decide.prove.tower`) where a function has no rule."""
    return tuple(gradient(f, names) for f in field)


def determinant(matrix: Matrix) -> Node:
    """The determinant: 2^n minors rather than n! products, and none of those that are multiplied by 0."""
    n = len(matrix)
    known: dict[tuple[int, ...], Node] = {(): ONE}

    def minor(columns: tuple[int, ...]) -> Node:
        """The rows from n - len(columns) on, in these columns."""
        if columns not in known:
            row = matrix[n - len(columns)]
            terms = []
            for i, column in enumerate(columns):
                if row[column] is ZERO:
                    continue
                below = minor((*columns[:i], *columns[i + 1 :]))
                if below is not ZERO:
                    terms.append(mul(*([MINUS_ONE] * (i % 2)), row[column], below))
            known[columns] = tidy(total(terms))
        return known[columns]

    return minor(tuple(range(n)))


def cramer(matrix: Matrix, right: Sequence[Node]) -> tuple[Node, ...]:
    """The solution of matrix * x = right, as quotients of determinants."""
    below = determinant(matrix)
    found = []
    for j in range(len(matrix)):
        replaced = tuple(
            tuple(b if k == j else entry for k, entry in enumerate(row)) for row, b in zip(matrix, right, strict=True)
        )
        found.append(tidy(div(determinant(replaced), below)))
    return tuple(found)


def divergence(field: Sequence[Node], names: Sequence[str]) -> Node:
    """The sum of d f_i / d z_i."""
    return total([gradient(f, (name,))[0] for f, name in zip(field, names, strict=True)])
