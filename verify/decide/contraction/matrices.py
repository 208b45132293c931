"""What are inverse, determinant and exponential of a matrix, in normal form?

    inv(A B) = inv(B) inv(A),   inv(s A) = inv(A)/s,   inv(diag(u)) = diag(1/u)
    inv(M + u v') = inv(M) - inv(M) u v' inv(M)/(1 + v' inv(M) u)            (Sherman and Morrison)
    inv(c + X Y)  = (1 - X inv(c + Y X) Y)/c                                  (push-through, Woodbury)
    inv(M + N)    = inv(M) inv(1 + N inv(M))
    det(A B) = det(A) det(B),   det(s A) = s^n det(A),   det(M + u v') = det(M) (1 + v' inv(M) u)
    det(c + X Y)  = c^(m - n) det(c + Y X), X m×n                             (Sylvester)

Side condition of the rules that split off a matrix M: M is a product of square letters that are free to take any
value, not antisymmetric; so it is invertible on a dense set, and both sides are continuous where they are defined.
The push-through rules need c ≠ 0 only: both inverses exist or neither does.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from verify.decide.contraction.elementwise import (
    content,
    exponential,
    is_positive,
    logarithm,
    monomial,
    power,
    restricted,
    size_power,
    times,
    used_axes,
)
from verify.decide.contraction.space import ALTERNATING, TRANSPOSABLE, GiveUp, Number, Space
from verify.decide.contraction.sums import (
    Product,
    Sum,
    Term,
    delta,
    einsum,
    has_identity,
    identity,
    is_open,
    loosened,
    matmul,
    number,
    of_atom,
    settle,
    transposed,
)
from verify.decide.contraction.words import Word, is_square, letter, letters, spelled, word

#: Higher powers of matrices are not multiplied out.
HIGHEST_POWER = 12
#: Rotations of c + X Y that are looked at.
MOST_ROTATIONS = 12


def _square(a: Sum) -> None:
    if len(a.dims) != 2 or a.dims[0] != a.dims[1]:
        raise GiveUp("a function of a matrix that is not square")


def is_diagonal(a: Sum) -> bool:
    """Whether every term has an identity as a factor."""
    return all(any(has_identity(a.space, k) for k, _ in term) for term in a.terms)


def diagonal(a: Sum) -> Sum:
    """The diagonal of a matrix as a vector."""
    return einsum("i", (a, "ii"))


def with_diagonal(u: Sum) -> Sum:
    """The diagonal matrix of a vector."""
    return einsum("ij", (u, "i"), (identity(u.space, u.dims[0]), "ij"))


def trace(a: Sum) -> Sum:
    """The sum of the diagonal."""
    return einsum("", (a, "ii"))


def _whole(kind: str, a: Sum) -> Sum:
    """An atom of the whole matrix, its argument up to transposition."""
    if len(used_axes(a)) < 2:
        raise GiveUp("an inverse of equal rows")
    turned = transposed(a)
    symmetry = ()
    if turned.key == a.key:
        symmetry = TRANSPOSABLE
    elif kind == "inv" and turned.key == a.scaled(-1).key:
        symmetry = ALTERNATING
    elif turned.key < a.key:
        return transposed(of_atom(a.space, a.space.atom(kind, "", a.dims, (turned,))))
    return of_atom(a.space, a.space.atom(kind, "", a.dims, (a,), symmetry))


# --- inverse ---------------------------------------------------------------------------------------------


def inverse(a: Sum) -> Sum:
    """The inverse, where it exists."""
    _square(a)
    space = a.space
    if not a.terms:
        raise GiveUp("the inverse of zero")
    if is_diagonal(a):
        return with_diagonal(power(diagonal(a), -1))
    found = letters(a)
    if found is not None and is_square(space, found, a.dims[0]):
        return _inverse_of_word(space, found)
    if (split := _rank_one(a)) is not None:
        base = inverse(split.base)
        left, right = einsum("i", (base, "ij"), (split.u, "j")), einsum("j", (split.v, "i"), (base, "ij"))
        scale = power(number(space, 1) + einsum("", (split.v, "i"), (left, "i")), -1)
        return base - einsum("ij", (left, "i"), (right, "j"), (scale, ""))
    c, common, rest = content(a, lambda k: not is_open(k))
    outside = monomial(space, common, (), -1).scaled(Fraction(1) / c)
    if space.pivot and (pivot := _pivot(rest)) is not None:
        base = inverse(pivot.base)
        inner = inverse(identity(space, a.dims[0]) + matmul(pivot.rest, base))
        return times(matmul(base, inner), outside)
    return times(_inverse_of_sum(rest), outside)


def _inverse_of_word(space: Space, found: Word) -> Sum:
    outside = monomial(space, dict(found.closed), (), -1).scaled(Fraction(1) / found.coefficient)
    result: Sum | None = None
    for atom, is_transposed in found.letters:
        one = space.atoms[atom]
        if one.kind == "inv":
            factor = one.argument
        elif one.kind == "expm":
            factor = matrix_exponential(one.argument.scaled(-1))
        elif "orthogonal" in one.flags:
            factor = letter(space, atom, True)
        else:
            factor = _whole("inv", letter(space, atom, False))
        if is_transposed:
            factor = transposed(factor)
        result = factor if result is None else matmul(factor, result)
    assert result is not None
    return times(result, outside)


def _inverse_of_sum(a: Sum) -> Sum:
    """An atom; where rotations are wanted, that of the rotation that comes first."""
    best, path = _first_rotation(a)
    result = _whole("inv", best)
    for turn in reversed(path):
        # turn.other was reached from constant + left*right.
        one = identity(a.space, turn.left.dims[0])
        result = times(one - matmul(turn.left, matmul(result, turn.right)), turn.reciprocal)
    return result


def _first_rotation(a: Sum) -> tuple[Sum, list[_Turn]]:
    """The rotation of c + X Y that comes first, and the way to it."""
    best, way = a, []
    if a.space.rotate:
        for first in (True, False):
            path = _rotations(a, first)
            for k, turn in enumerate(path):
                if _order(turn.other) < _order(best):
                    best, way = turn.other, path[: k + 1]
    return best, way


def _first(a: Sum) -> tuple[Any, ...]:
    return _order(_first_rotation(a)[0])


def _order(a: Sum) -> tuple[Any, ...]:
    return min(a.key, transposed(a).key)


@dataclass(frozen=True)
class _Turn:
    """c + left*right on the way to other = c + right*left; reciprocal is 1/c."""

    left: Sum
    right: Sum
    other: Sum
    reciprocal: Sum


def _rotations(a: Sum, first: bool) -> list[_Turn]:
    """c + X Y, c + Y X …, as far as one letter comes first (or last) in all terms but the constant."""
    path: list[_Turn] = []
    seen = {a.key}
    while len(path) < MOST_ROTATIONS and (turn := _turn(a, first)) is not None and turn.other.key not in seen:
        seen.add(turn.other.key)
        path.append(turn)
        a = turn.other
    return path


def _turn(a: Sum, first: bool) -> _Turn | None:
    space = a.space
    constant: dict[Term, Number] = {}
    found: list[Word] = []
    for term, c in a.terms.items():
        if any(has_identity(space, k) for k, _ in term):
            if sum(is_open(k) for k, _ in term) != 1:
                return None
            constant[tuple(x for x in term if not is_open(x[0]))] = c
            continue
        spelling = word(space, term, c)
        if spelling is None:
            return None
        found.append(spelling)
    end = 0 if first else -1
    if not constant or not found or len({w.letters[end] for w in found}) != 1:
        return None
    if any(len(w.letters) < 2 for w in found):
        return None
    outer = letter(space, *found[0].letters[end])
    inner: Sum | None = None
    for w in found:
        part = spelled(space, Word(w.coefficient, w.closed, w.letters[1:] if first else w.letters[:-1]))
        inner = part if inner is None else inner + part
    assert inner is not None
    left, right = (outer, inner) if first else (inner, outer)
    scalar = Sum(space, (), constant)
    other = times(identity(space, right.dims[0]), scalar) + matmul(right, left)
    space.assumed |= _parts_of(scalar)
    return _Turn(left, right, other, power(scalar, -1))


# --- parts that can be split off ------------------------------------------------------------------------------


@dataclass(frozen=True)
class _RankOne:
    base: Sum
    u: Sum
    v: Sum


def is_generic(a: Sum) -> bool:
    """Whether it is invertible on a dense set: diagonal and not zero, or a product of free square letters."""
    space = a.space
    if is_diagonal(a):
        return True
    found = letters(a)
    return (
        found is not None
        and is_square(space, found, a.dims[0])
        and all(
            {"generic", "orthogonal"} & space.atoms[x].flags or _inverse_of_generic(space, x) for x, _ in found.letters
        )
    )


def _inverse_of_generic(space: Space, atom: int) -> bool:
    return space.atoms[atom].kind == "inv" and is_generic(space.atoms[atom].argument)


def _rank_one(a: Sum) -> _RankOne | None:
    """a = M + u v' with a matrix M that may be split off; None where it has no such form."""
    for term, c in a.terms.items():
        base = Sum(a.space, a.dims, {t: x for t, x in a.terms.items() if t != term})
        joined = any({-1, -2} <= {x for _, slots, _ in k for x in slots} for k, _ in term)
        if joined or not base.terms or not is_generic(base):
            continue
        left = tuple(x for x in term if not any(-2 in slots for _, slots, _ in x[0]))
        right = {
            tuple((f, tuple(-1 if x == -2 else x for x in slots), e) for f, slots, e in k): power_of
            for k, power_of in term
            if (k, power_of) not in left
        }
        u = Sum(a.space, a.dims[:1], {left: c})
        v = Sum(a.space, a.dims[1:], {tuple(sorted(right.items())): 1})
        a.space.assumed |= _parts_of(base)
        return _RankOne(base, u, v)
    return None


def _parts_of(base: Sum) -> set[int]:
    """The atoms of what is taken as invertible."""
    from verify.decide.contraction.certified import atoms_of

    return atoms_of(base)


@dataclass(frozen=True)
class _Pivot:
    base: Sum
    rest: Sum


def _pivot(a: Sum) -> _Pivot | None:
    """a = M + N, M the first term that may be split off, unless a number times the identity is a term too.

    c + M becomes M (1 + c inv(M)) where the sum in brackets comes before c + M.
    """
    parts = [Sum(a.space, a.dims, {t: c}) for t, c in a.terms.items()]
    if len(parts) < 2:
        return None
    if any(map(is_diagonal, parts)):
        base = next((part for part in parts if not is_diagonal(part)), None)
        if len(parts) != 2 or base is None or letters(base) is None or not is_generic(base):
            return None
        inner = identity(a.space, a.dims[0]) + matmul(a - base, inverse(base))
        other = content(inner, lambda k: not is_open(k))[2]
        a.space.assumed |= _parts_of(base)
        return _Pivot(base, a - base) if _first(other) < _first(a) else None
    for term in sorted(a.terms, key=lambda t: (sum(len(k) for k, _ in t), t)):
        base = Sum(a.space, a.dims, {term: a.terms[term]})
        if is_generic(base):
            a.space.assumed |= _parts_of(base)
            return _Pivot(base, a - base)
    return None


# --- determinant --------------------------------------------------------------------------------------------


def determinant(a: Sum) -> Sum:
    """The determinant."""
    _square(a)
    space, n = a.space, a.dims[0]
    if not a.terms:
        raise GiveUp("the determinant of zero")
    if is_diagonal(a):
        return _determinant_of_diagonal(a)
    if (split := _rank_one(a)) is not None:
        quotient = einsum("", (split.v, "i"), (inverse(split.base), "ij"), (split.u, "j"))
        return times(determinant(split.base), number(space, 1) + quotient)
    found = letters(a)
    if found is not None and is_square(space, found, n):
        outside = Sum(space, (), {found.closed: found.coefficient})
        return times(size_power(outside, n), *(_determinant_of_letter(space, x) for x, _ in found.letters))
    c, common, rest = content(a, lambda k: not is_open(k))
    outside = size_power(monomial(space, common, ()).scaled(c), n)
    if space.pivot and (pivot := _pivot(rest)) is not None:
        inner = identity(space, n) + matmul(pivot.rest, inverse(pivot.base))
        return times(outside, determinant(pivot.base), determinant(inner))
    return times(outside, _determinant_of_sum(rest))


def _determinant_of_letter(space: Space, atom: int) -> Sum:
    one = space.atoms[atom]
    if one.kind == "inv":
        return power(determinant(one.argument), -1)
    if one.kind == "expm":
        return exponential(trace(one.argument))
    flags = one.flags & {"orthogonal"} | ({"positive"} if "spd" in one.flags else set())
    return of_atom(space, space.atom("det", "", (), (letter(space, atom, False),), flags=frozenset(flags)))


def _determinant_of_diagonal(a: Sum) -> Sum:
    """s^n for s*identity; other diagonal matrices would need a product over an index."""
    u = diagonal(a)
    if used_axes(u):
        raise GiveUp("a product over an index")
    return size_power(restricted(u, []), a.dims[0])


def _determinant_of_sum(a: Sum) -> Sum:
    """An atom; where rotations are wanted, that of the rotation that comes first."""
    space = a.space
    best, way = _first_rotation(a)
    outside = number(space, 1)
    for turn in way:
        m, n = turn.left.dims
        if m != n:
            c = power(turn.reciprocal, -1)
            outside = times(outside, size_power(c, m), power(size_power(c, n), -1))
    turned = transposed(best)
    inner = min(best, turned, key=lambda s: s.key)
    return times(outside, of_atom(space, space.atom("det", "", (), (inner,))))


# --- exponential ---------------------------------------------------------------------------------------------


def matrix_exponential(a: Sum) -> Sum:
    """expm."""
    _square(a)
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
    return _whole("expm", a)


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
    _square(a)
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
        inner = transposed(one.argument) if is_transposed and one.arguments else None
        inner = one.argument if inner is None and one.arguments else inner
        if one.kind == "inv" and inner is not None:
            return _added(matrix_logarithm(inner).scaled(-1), outside)
        if one.kind == "expm" and inner is not None and transposed(inner).key == inner.key:
            return _added(inner, outside)
    if (similar := _similar(rest)) is not None:
        return _added(matmul(similar.left, matmul(matrix_logarithm(similar.inner), similar.right)), outside)
    if len(used_axes(rest)) < 2:
        raise GiveUp("the logarithm of equal rows")
    return _added(_whole("logm", rest), outside)


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
    _square(a)
    if len(used_axes(a)) < 2 or is_diagonal(a):
        raise GiveUp("the derivative of the exponential of a structured matrix")
    symmetry = [((2, 3, 0, 1), 1)]
    if transposed(a).key == a.key:
        symmetry += [((1, 0, 2, 3), 1), ((0, 1, 3, 2), 1), ((1, 0, 3, 2), 1)]
        symmetry += [((3, 2, 0, 1), 1), ((2, 3, 1, 0), 1), ((3, 2, 1, 0), 1)]
    return of_atom(a.space, a.space.atom("frechet", "", a.dims * 2, (a,), tuple(symmetry)))
