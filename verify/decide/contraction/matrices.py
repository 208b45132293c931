"""What are inverse and determinant of a matrix, in normal form?

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
    monomial,
    power,
    restricted,
    size_power,
    times,
    used_axes,
)
from verify.decide.contraction.space import ALTERNATING, TRANSPOSABLE, GiveUp, Number, Space
from verify.decide.contraction.sums import (
    Sum,
    Term,
    einsum,
    has_identity,
    identity,
    is_open,
    matmul,
    number,
    of_atom,
    transposed,
)
from verify.decide.contraction.words import Word, is_square, letter, letters, spelled, word

#: Higher powers of matrices are not multiplied out.
HIGHEST_POWER = 12
#: Rotations of c + X Y that are looked at.
MOST_ROTATIONS = 12


def require_square(a: Sum) -> None:
    """Raises GiveUp for what is no square matrix."""
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


def whole(kind: str, a: Sum) -> Sum:
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
    require_square(a)
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
    from verify.decide.contraction.exponentials import matrix_exponential

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
            factor = whole("inv", letter(space, atom, False))
        if is_transposed:
            factor = transposed(factor)
        result = factor if result is None else matmul(factor, result)
    assert result is not None
    return times(result, outside)


def _inverse_of_sum(a: Sum) -> Sum:
    """An atom; where rotations are wanted, that of the rotation that comes first."""
    best, path = _first_rotation(a)
    result = whole("inv", best)
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
    require_square(a)
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
