"""How many operations does a computation make?  It is run on numbers that count, and the counts are fitted exactly.

    count(run, N, M)   run(tally, n, m) for n, m = 1, 2, …; what was counted, as a polynomial in the symbols N, M

A number that counts behaves like the number that it is, so what is counted is what the code really does.
"""

from __future__ import annotations

import operator
from collections import Counter
from collections.abc import Callable
from itertools import product
from typing import Any

import numpy as np
from flint import fmpq, fmpq_mat
from sympy import Expr, Integer, Mul, Rational, Symbol

from verify.numerics.factors import Factors, factor

Array = Any

#: The largest exponent that one size may have in a count.
DEGREE = 3
MULTIPLICATIONS, SOLVES, TRANSPOSED = "multiplications", "solves", "transposed solves"


class Tally:
    """Counts by name, and a source of numbers that count into it."""

    def __init__(self, seed: int = 0) -> None:
        self.counts: Counter[str] = Counter()
        self._rng = np.random.default_rng(seed)

    def array(self, *shape: int) -> Array:
        """Random numbers that count, in an array of the shape; square matrices are well away from singular ones."""
        values = self._rng.uniform(0.5, 1.5, shape)
        if len(shape) == 2 and shape[0] == shape[1]:
            values = values + 2 * shape[0] * np.eye(shape[0])
        counted = np.empty(shape, dtype=object)
        for at in np.ndindex(*shape):
            counted[at] = Counted(float(values[at]), self.counts)
        return counted

    def watched(self, name: str, function: Callable[..., Any]) -> Callable[..., Any]:
        """The function, whose calls are counted under the name."""

        def run(*arguments: Any) -> Any:
            self.counts[name] += 1
            return function(*arguments)

        return run

    def factor(self, A: Array) -> Factors:
        """Elimination, whose solves are counted too."""
        factors = factor(A)
        return Factors(self.watched(SOLVES, factors.solve), self.watched(TRANSPOSED, factors.transposed))


class Counted:
    """A number that counts multiplications and divisions; additions, and products with a plain 0 or 1, are free."""

    __slots__ = ("counts", "value")

    def __init__(self, value: float, counts: Counter[str]) -> None:
        self.value, self.counts = value, counts

    def _with(self, value: float) -> Counted:
        return Counted(value, self.counts)

    def _free(self, other: Any, operation: Callable[[Any, Any], Any]) -> Any:
        if isinstance(other, np.ndarray):  # its entries are asked one by one
            return NotImplemented
        return self._with(operation(self.value, _plain(other)))

    def _counted(self, other: Any, operation: Callable[[Any, Any], Any]) -> Any:
        if isinstance(other, Counted) or (not isinstance(other, np.ndarray) and other not in (0, 1, -1)):
            self.counts[MULTIPLICATIONS] += 1
        return self._free(other, operation)

    def __add__(self, other: Any) -> Any:
        return self._free(other, operator.add)

    def __sub__(self, other: Any) -> Any:
        return self._free(other, operator.sub)

    def __rsub__(self, other: Any) -> Any:
        return self._free(other, lambda mine, its: its - mine)

    def __mul__(self, other: Any) -> Any:
        return self._counted(other, operator.mul)

    def __truediv__(self, other: Any) -> Any:
        return self._counted(other, operator.truediv)

    def __neg__(self) -> Counted:
        return self._with(-self.value)

    def __abs__(self) -> float:
        return abs(self.value)

    def __float__(self) -> float:
        return self.value

    __radd__, __rmul__ = __add__, __mul__


def _plain(value: Any) -> float:
    return value.value if isinstance(value, Counted) else value


def counted(run: Callable[..., Any], *sizes: int, of: str = MULTIPLICATIONS) -> int:
    """What `run(tally, *sizes)` counts under a name."""
    tally = Tally()
    run(tally, *sizes)
    return tally.counts[of]


def count(run: Callable[..., Any], *sizes: Symbol, of: str = MULTIPLICATIONS, degree: int = DEGREE) -> Expr:
    """What `run(tally, *numbers)` counts under a name, as a polynomial in the sizes, exact.

    The polynomial is found from the sizes 1 … degree + 1 and must agree on further ones too.  Raises ValueError where
    the counts are those of no polynomial of that degree in each size.
    """
    exponents = list(product(range(degree + 1), repeat=len(sizes)))
    known = list(product(range(1, degree + 2), repeat=len(sizes)))
    matrix = fmpq_mat([[_monomial(numbers, e) for e in exponents] for numbers in known])
    right = fmpq_mat([[fmpq(counted(run, *numbers, of=of))] for numbers in known])
    solved = matrix.solve(right)
    found = {e: solved[i, 0] for i, e in enumerate(exponents) if solved[i, 0] != 0}
    for place in range(len(sizes)):
        numbers = tuple(degree + 3 if i == place else 2 + i for i in range(len(sizes)))
        if sum((c * _monomial(numbers, e) for e, c in found.items()), fmpq(0)) != counted(run, *numbers, of=of):
            raise ValueError(f"the number of {of} is no polynomial of degree {degree} in {', '.join(map(str, sizes))}")
    terms = [
        Rational(int(c.p), int(c.q)) * Mul(*(s**k for s, k in zip(sizes, e, strict=True))) for e, c in found.items()
    ]
    return sum(terms, Integer(0))


def _monomial(numbers: tuple[int, ...], exponents: tuple[int, ...]) -> fmpq:
    value = 1
    for number, exponent in zip(numbers, exponents, strict=True):
        value *= number**exponent
    return fmpq(value)
