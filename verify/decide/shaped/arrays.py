"""What are the entries of a product, an inverse or a determinant?  Arrays of scalar expressions, all of small size.

An array is a tuple of rows.  An entry that is the literal 0 is left out of sums and products only where nothing
undefined goes with it.  Determinants are expanded along rows, with all minors shared.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache, lru_cache
from itertools import product

from verify.graph import (
    HALF,
    MINUS_ONE,
    ONE,
    ZERO,
    Node,
    add,
    both,
    call,
    compare,
    div,
    matrix_entry,
    mul,
    num,
    piecewise,
    postorder,
    power,
    sqrt,
)

Array = tuple[tuple[Node, ...], ...]

#: Rows of the largest determinant that is expanded.
LARGEST_DETERMINANT = 6
#: Rows of the largest exponential.
LARGEST_EXPONENTIAL = 6


class Unsupported(Exception):
    """A function of a matrix that has no expression in its entries here; the text says which."""


def scalar(value: Node) -> Array:
    """The 1×1 array."""
    return ((value,),)


def array(rows: int, columns: int, entry: Callable[[int, int], Node]) -> Array:
    """The array with these entries; indices count from 0."""
    return tuple(tuple(entry(i, j) for j in range(columns)) for i in range(rows))


def size_of(a: Array) -> tuple[int, int]:
    """Rows and columns."""
    return len(a), len(a[0])


def flat(a: Array) -> tuple[Node, ...]:
    """All entries, row by row."""
    return tuple(entry for row in a for entry in row)


def mapped(function: Callable[..., Node], *arrays: Array) -> Array:
    """The function entry by entry; a 1×1 array goes with every entry of the others."""
    rows, columns = max(map(size_of, arrays))

    def entry(i: int, j: int) -> Node:
        return function(*(a[0][0] if size_of(a) == (1, 1) else a[i][j] for a in arrays))

    return array(rows, columns, entry)


def transposed(a: Array) -> Array:
    """Rows and columns exchanged."""
    return tuple(zip(*a, strict=True))


def identity(n: int) -> Array:
    """The n×n identity."""
    return array(n, n, lambda i, j: ONE if i == j else ZERO)


def matrix_product(a: Array, b: Array) -> Array:
    """Rows times columns."""
    columns = transposed(b)
    return tuple(tuple(total(times(x, y) for x, y in zip(row, column, strict=True)) for column in columns) for row in a)


def total(terms) -> Node:
    """The sum of any number of terms."""
    terms = [term for term in terms if term is not ZERO]
    return add(*terms) if terms else ZERO


def times(*factors: Node) -> Node:
    """The product; 0 where a factor is 0 and the others are defined everywhere."""
    if ZERO in factors and all(map(is_polynomial, factors)):
        return ZERO
    return mul(*factors)


@lru_cache(maxsize=4096)
def is_polynomial(node: Node) -> bool:
    """Whether it is defined for all values of its symbols, being a polynomial in them."""
    return all(
        n.op in ("num", "symbol", "add", "mul")
        or (n.op == "pow" and n.args[1].op == "num" and n.args[1].value >= 0 and n.args[1].value.denominator == 1)
        for n in postorder(node)
    )


def negative(node: Node) -> Node:
    """-node, without a product where that is a number."""
    return ZERO if node is ZERO else mul(MINUS_ONE, node)


def determinant(a: Array) -> Node:
    """The determinant; shares its minors.  Raises Unsupported for large ones."""
    return _minors(a)(0, tuple(range(len(a))))


def inverse(a: Array) -> Array:
    """The adjugate over the determinant."""
    n = len(a)
    if n == 1:
        return scalar(power(a[0][0], MINUS_ONE))
    whole = power(determinant(a), MINUS_ONE)

    def entry(i: int, j: int) -> Node:
        rest = tuple(tuple(x for c, x in enumerate(row) if c != i) for r, row in enumerate(a) if r != j)
        minor = determinant(rest)
        return times(negative(minor) if (i + j) % 2 else minor, whole)

    return array(n, n, entry)


def _minors(a: Array) -> Callable[[int, tuple[int, ...]], Node]:
    if len(a) > LARGEST_DETERMINANT:
        raise Unsupported(f"determinants of {len(a)} rows are not expanded")

    @cache
    def minor(row: int, columns: tuple[int, ...]) -> Node:
        if not columns:
            return ONE
        terms = []
        for k, column in enumerate(columns):
            if a[row][column] is not ZERO:
                term = times(a[row][column], minor(row + 1, (*columns[:k], *columns[k + 1 :])))
                terms.append(negative(term) if k % 2 else term)
        return total(terms)

    return minor


def matrix_power(a: Array, exponent: int) -> Array:
    """A whole power of a square array."""
    base = inverse(a) if exponent < 0 else a
    result = identity(len(a))
    for _ in range(abs(exponent)):
        result = base if result == identity(len(a)) else matrix_product(result, base)
    return result


def kronecker(a: Array, b: Array) -> Array:
    """The block array of a[i][j]*b."""
    return tuple(tuple(times(x, y) for x, y in product(upper, lower)) for upper, lower in product(a, b))


def exponential(a: Array) -> Array:
    """The matrix exponential; of at most 2×2 written out, of larger ones as a whole.

    With m = tr A/2 and d = m² - det A it is

        exp(m) (C I + S (A - m I)),   C = cosh sqrt(d), S = sinh(sqrt(d))/sqrt(d)   for d > 0,
                                      C = cos sqrt(-d), S = sin(sqrt(-d))/sqrt(-d)  for d < 0.

    Raises Unsupported for more than 6 rows.
    """
    n = len(a)
    if n == 1:
        return scalar(call("exp", a[0][0]))
    if _is_diagonal(a):
        return array(n, n, lambda i, j: call("exp", a[i][i]) if i == j else ZERO)
    if n > LARGEST_EXPONENTIAL:
        raise Unsupported(f"the exponential of {n}×{n} matrices is not evaluated")
    if n > 2:
        return array(n, n, lambda i, j: matrix_entry("expm", flat(a), n, i, j))
    mean, gap, d = _invariants(a)
    (_, q), (r, _) = a
    if d is ZERO:
        c, sinc = ONE, ONE
    else:
        real, turning = sqrt(d), sqrt(negative(d))
        positive = compare(d, ">", ZERO)
        below = compare(d, "<", ZERO)
        c = piecewise((call("cosh", real), positive), (call("cos", turning), below))
        sinc = piecewise((div(call("sinh", real), real), positive), (div(call("sin", turning), turning), below))
    scale = call("exp", mean)
    return (
        (times(scale, total((c, times(sinc, gap)))), times(scale, times(sinc, q))),
        (times(scale, times(sinc, r)), times(scale, total((c, negative(times(sinc, gap)))))),
    )


def _is_diagonal(a: Array) -> bool:
    return all(entry is ZERO for i, row in enumerate(a) for j, entry in enumerate(row) if i != j)


def logarithm(a: Array) -> Array:
    """The principal logarithm of at most 2×2, defined where no eigenvalue is negative or 0.

    With m = tr A/2 and d = m² - det A it is

        log(det A)/2 I + T (A - m I),   T = atanh(sqrt(d)/m)/sqrt(d)            for d > 0, m > 0,
                                        T = acos(m/sqrt(det A))/sqrt(-d)        for d < 0.

    Raises Unsupported for larger ones.
    """
    n = len(a)
    if n == 1:
        return scalar(call("log", a[0][0]))
    if _is_diagonal(a):
        return array(n, n, lambda i, j: call("log", a[i][i]) if i == j else ZERO)
    if n > 2:
        raise Unsupported(f"the logarithm of {n}×{n} matrices is not expanded")
    mean, gap, d = _invariants(a)
    (_, q), (r, _) = a
    det = determinant(a)
    real, turning = sqrt(d), sqrt(negative(d))
    t = piecewise(
        (div(call("atanh", div(real, mean)), real), both(compare(d, ">", ZERO), compare(mean, ">", ZERO))),
        (div(call("acos", div(mean, sqrt(det))), turning), compare(d, "<", ZERO)),
    )
    if d is ZERO:
        t = piecewise((power(mean, MINUS_ONE), compare(mean, ">", ZERO)))
    size = times(HALF, call("log", det))
    return (
        (total((size, mul(t, gap))), mul(t, q)),
        (mul(t, r), total((size, negative(mul(t, gap))))),
    )


def _invariants(a: Array) -> tuple[Node, Node, Node]:
    """m, p - m and d = m² - det A of ((p, q), (r, s)), with m = (p + s)/2."""
    (p, q), (r, s) = a
    mean, gap = times(HALF, total((p, s))), times(HALF, total((p, negative(s))))
    return mean, gap, total((times(gap, gap), times(q, r)))


def euclidean(entries: Sequence[Node]) -> Node:
    """The root of the sum of squares."""
    return sqrt(total(times(x, x) if x.op == "num" else power(x, num(2)) for x in entries))
