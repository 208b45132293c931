"""What are exponential and logarithm of a matrix, in normal form?

    expm(s + A) = exp(s) expm(A),   expm(P A inv(P)) = P expm(A) inv(P),   expm(k logm(P)) = P^k
    logm(s A) = log(s) + logm(A) for s > 0,   logm(inv(A)) = -logm(A),   logm(P A inv(P)) = P logm(A) inv(P)

Multiples s of the identity commute with everything; similar matrices have the same eigenvalues, so the principal
logarithm of one exists where that of the other does.
"""

from __future__ import annotations

from dataclasses import dataclass

from verify.decide.contraction.elementwise import (
    content,
    exponential,
    is_positive,
    logarithm,
    monomial,
    times,
    used_axes,
)
from verify.decide.contraction.matrices import (
    HIGHEST_POWER,
    diagonal,
    inverse,
    is_diagonal,
    require_square,
    whole,
    with_diagonal,
)
from verify.decide.contraction.space import GiveUp, Number, Space
from verify.decide.contraction.sums import (
    Product,
    Sum,
    Term,
    delta,
    has_identity,
    identity,
    is_open,
    loosened,
    matmul,
    of_atom,
    settle,
    transposed,
)
from verify.decide.contraction.words import Word, letter, letters


def matrix_exponential(a: Sum) -> Sum:
    """expm."""
    require_square(a)
    if not a.terms:
        return identity(a.space, a.dims[0])
    if is_diagonal(a):
        return with_diagonal(exponential(diagonal(a)))
    found = letters(a)
    if found is not None and not found.closed and (power_of := _power_in_exponent(a.space, found)) is not None:
        return power_of
    scalar, rest = _without_identity(a)
    if scalar.terms:
        return times(matrix_exponential(rest), exponential(scalar))
    if (similar := _similar(a)) is not None:
        return matmul(similar.left, matmul(matrix_exponential(similar.inner), similar.right))
    if len(used_axes(a)) < 2:
        raise GiveUp("the exponential of equal rows")
    return whole("expm", a)


def _power_in_exponent(space: Space, found: Word) -> Sum | None:
    """P^k of k logm(P) for a whole k."""
    ((atom, is_transposed), *more), k = found.letters, found.coefficient
    if more or space.atoms[atom].kind != "logm" or k.denominator != 1 or abs(k) > HIGHEST_POWER:
        return None
    base = space.atoms[atom].argument
    base = transposed(base) if is_transposed else base
    one = base if k > 0 else inverse(base)
    result = one
    for _ in range(abs(int(k)) - 1):
        result = matmul(result, one)
    return result


# --- logarithm -----------------------------------------------------------------------------------------------


def matrix_logarithm(a: Sum) -> Sum:
    """The principal logm, defined where no eigenvalue is negative or 0.

    logm(s A) = log(s) + logm(A) for s > 0, logm(inv(A)) = -logm(A), logm(P A inv(P)) = P logm(A) inv(P), and
    logm(expm(A)) = A where the eigenvalues of A are real, as those of symmetric matrices are.
    """
    require_square(a)
    space, n = a.space, a.dims[0]
    if not a.terms:
        raise GiveUp("the logarithm of zero")
    if is_diagonal(a):
        return with_diagonal(logarithm(diagonal(a)))
    c, common, rest = content(a, lambda k: not is_open(k) and is_positive(space, k))
    if c < 0:
        c, rest = -c, rest.scaled(-1)
    scale = logarithm(monomial(space, common, ()).scaled(c))
    outside = times(identity(space, n), scale) if scale.terms else scale
    found = letters(rest)
    if found is not None and not found.closed and found.coefficient == 1 and len(found.letters) == 1:
        atom, is_transposed = found.letters[0]
        one = space.atoms[atom]
        if one.kind in ("inv", "expm"):
            inner = transposed(one.argument) if is_transposed else one.argument
            if one.kind == "inv":
                return _added(matrix_logarithm(inner).scaled(-1), outside)
            if transposed(inner).key == inner.key:
                return _added(inner, outside)
    if (similar := _similar(rest)) is not None:
        return _added(matmul(similar.left, matmul(matrix_logarithm(similar.inner), similar.right)), outside)
    if len(used_axes(rest)) < 2:
        raise GiveUp("the logarithm of equal rows")
    return _added(whole("logm", rest), outside)


def _added(a: Sum, outside: Sum) -> Sum:
    return a + outside if outside.terms else a


@dataclass(frozen=True)
class _Similar:
    """left*inner*right, where right is the inverse of left."""

    left: Sum
    inner: Sum
    right: Sum


def _without_identity(a: Sum) -> tuple[Sum, Sum]:
    """s and R of s*identity + R."""
    space = a.space
    scalar: dict[Term, Number] = {}
    rest: dict[Term, Number] = {}
    for term, c in a.terms.items():
        opened = [k for k, e in term if is_open(k)]
        if len(opened) == 1 and len(opened[0]) == 1 and has_identity(space, opened[0]):
            scalar[tuple(x for x in term if x[0] != opened[0])] = c
        else:
            rest[term] = c
    return Sum(space, (), scalar), Sum(space, a.dims, rest)


def _similar(a: Sum) -> _Similar | None:
    """The matrix as P M inv(P), one letter taken off; None where its terms do not begin and end so."""
    space = a.space
    inner = Sum(space, a.dims, {})
    ends: set[tuple[tuple[int, bool], tuple[int, bool]]] = set()
    for term, c in a.terms.items():
        peeled = _peeled(a, term, c)
        if peeled is None or len(ends | {peeled[:2]}) > 1:
            return None
        ends.add(peeled[:2])
        inner = inner + peeled[2]
    ((first, last),) = ends
    left, right = letter(space, *first), letter(space, *last)
    if left.dims != a.dims or right.dims != a.dims or (matmul(left, right) - identity(space, a.dims[0])).terms:
        return None
    return _Similar(left, inner, right)


def _peeled(a: Sum, term: Term, c: Number) -> tuple[tuple[int, bool], tuple[int, bool], Sum] | None:
    """The matrices that a term begins and ends with, and what is between them."""
    dims, factors = {-1: a.dims[0], -2: a.dims[1]}, []
    closed = loosened(a.space, term, (-1, -2), factors, dims)
    places = []
    for end in (-1, -2):
        here = [k for k, (_, slots, _) in enumerate(factors) if end in slots]
        if len(here) != 1 or len(factors[here[0]][1]) != 2 or factors[here[0]][2] != 1:
            return None
        places += here
    (first, row, _), (last, column, _) = (factors[k] for k in places)
    if places[0] == places[1]:
        return None
    near, far = row[row[0] == -1], column[column[0] == -2]
    change = {near: -1, far: -1 if near == far else -2}
    rest = [
        (f, tuple(change.get(x, x) for x in slots), e) for k, (f, slots, e) in enumerate(factors) if k not in places
    ]
    if near == far:
        rest.append((delta(a.space, a.dims[0]), (-1, -2), 1))
    kept = {x: n for x, n in dims.items() if x not in (near, far)}
    inner = settle(Product(a.space, c, dict(closed), rest, kept))
    return (first, row[0] != -1), (last, column[0] == -2), inner


def frechet(a: Sum) -> Sum:
    """K_ijkl = integral over s in [0, 1] of expm(s a)_ij expm((1 - s) a)_kl.

    So (d expm(a))_il = sum over j, k of K_ijkl (d a)_jk (Duhamel; Najfeld and Havel 1995, theorem 4.5).
    """
    require_square(a)
    if len(used_axes(a)) < 2 or is_diagonal(a):
        raise GiveUp("the derivative of the exponential of a structured matrix")
    symmetry = [((2, 3, 0, 1), 1)]
    if transposed(a).key == a.key:
        symmetry += [((1, 0, 2, 3), 1), ((0, 1, 3, 2), 1), ((1, 0, 3, 2), 1)]
        symmetry += [((3, 2, 0, 1), 1), ((2, 3, 1, 0), 1), ((3, 2, 1, 0), 1)]
    return of_atom(a.space, a.space.atom("frechet", "", a.dims * 2, (a,), tuple(symmetry)))
