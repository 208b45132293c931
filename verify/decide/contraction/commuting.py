"""What do exponential and logarithm of a matrix do to the matrices beside them?

expm(P) expm(R) = expm(P + R) where P and R commute;   A expm(P) = expm(P) A where A and P do: A stands left
tr logm(P) = log det P;   K[D] = integral of expm(sP) D expm((1-s)P) over [0, 1], closed on itself, is expm(P)
"""

from __future__ import annotations

from collections.abc import Iterator

from verify.decide.contraction.certified import atoms_of
from verify.decide.contraction.elementwise import logarithm
from verify.decide.contraction.space import Space
from verify.decide.contraction.sums import Product, Sum, commutator, expanded
from verify.decide.contraction.sums import transposed as transposed_sum
from verify.decide.contraction.words import letter


def joined(p: Product, place: int) -> Iterator[tuple[int, int, int, int]]:
    """Matrices at the next place along a summed index that occurs in these two alone.

    (index, which slot of the factor has it, place of the other one, which of its slots has it)
    """
    _, slots, e = p.factors[place]
    if e != 1 or slots[0] == slots[1]:
        return
    for mine in (0, 1):
        label = slots[mine]
        if label < 0 or p.occurrences(label) != 2:
            continue
        for k, (_, at, f) in enumerate(p.factors):
            if k != place and f == 1 and len(at) == 2 and label in at and at[0] != at[1]:
                yield label, mine, k, at.index(label)


def beside_exponential(p: Product, place: int) -> Sum | None:
    """Another exponential beside this one, or a matrix that commutes with its exponent."""
    from verify.decide.contraction.exponentials import matrix_exponential

    atom, slots, _ = p.factors[place]
    space = p.space
    argument = space.atoms[atom].argument
    for label, mine, k, theirs in joined(p, place):
        other, at, _ = p.factors[k]
        far, end = slots[1 - mine], at[1 - theirs]
        if space.atoms[other].kind == "expm":
            left = argument if mine == 1 else transposed_sum(argument)
            right = space.atoms[other].argument if theirs == 0 else transposed_sum(space.atoms[other].argument)
            if not commutator(left, right).terms:
                rest = p.without(place, k).forget((label,))
                return expanded(rest, [(matrix_exponential(left + right), (far, end))])
    return _moved_left(p, place)


def _moved_left(p: Product, place: int) -> Sum | None:
    """A matrix that commutes with P goes to the left of expm(P) and logm(P)."""
    atom, slots, _ = p.factors[place]
    for label, mine, k, theirs in joined(p, place):
        other, at, _ = p.factors[k]
        far, end = slots[1 - mine], at[1 - theirs]
        if mine == 1 and _commutes(p.space, atom, (other, theirs == 1)):
            # Where both are symmetric left is the first axis.
            if p.space.atoms[atom].symmetry and not (far == -1 and end == -2):
                continue
            if _closes(p, atom, far, k):
                continue
            first = (other, (label, far) if theirs else (far, label), 1)
            return expanded(p.without(place, k).times(first, (atom, (label, end), 1)), [])
    return None


def beside_logarithm(p: Product, place: int) -> Sum | None:
    """tr(logm(P)) = log(det(P)), whose eigenvalues are positive or come in conjugate pairs."""
    from verify.decide.contraction.matrices import determinant

    atom, slots, e = p.factors[place]
    if e == 1 and slots[0] == slots[1] >= 0 and p.occurrences(slots[0]) == 2:
        whole = logarithm(determinant(p.space.atoms[atom].argument))
        return expanded(p.without(place).forget((slots[0],)), [(whole, ())])
    return _moved_left(p, place)


def _commutes(space: Space, exponential: int, one: tuple[int, bool]) -> bool:
    """Whether a letter is seen to commute with the argument of an exponential or logarithm."""
    if (exponential, one) not in space.commuting:
        argument, (atom, is_transposed) = space.atoms[exponential].argument, one
        inside = atoms_of(argument)
        parts = {atom}.union(*map(atoms_of, space.atoms[atom].arguments))
        fits = space.atoms[atom].dims == argument.dims and not inside.isdisjoint(parts)
        space.commuting[exponential, one] = False
        if fits and atom != exponential:
            space.commuting[exponential, one] = not commutator(argument, letter(space, atom, is_transposed)).terms
    return space.commuting[exponential, one]


def _closes(p: Product, exponential: int, label: int, place: int) -> bool:
    """Whether letters that commute lead from the label to that place, so that moving one would go round for ever."""
    for _ in p.factors:
        step = next(
            (
                (k, is_transposed)
                for k, (a, slots, e) in enumerate(p.factors)
                for is_transposed in (False, True)
                if len(slots) == 2 and slots[not is_transposed] == label and e == 1 and a != exponential
                if _commutes(p.space, exponential, (a, is_transposed))
            ),
            None,
        )
        if step is None:
            return False
        k, is_transposed = step
        if k == place:
            return True
        label = p.factors[k][1][int(is_transposed)]
    return True


def beside_frechet(p: Product, place: int) -> Sum | None:
    """K_ijkl = integral of expm(sP)_ij expm((1-s)P)_kl: joined at j = k, or at i = l, it is expm(P)."""
    from verify.decide.contraction.exponentials import matrix_exponential

    atom, slots, e = p.factors[place]
    space = p.space
    if e != 1:
        return None
    turns = [slots, *(tuple(slots[g] for g in permutation) for permutation, _ in space.atoms[atom].symmetry)]
    for i, j, k, last in turns:
        if j == k and j >= 0 and p.occurrences(j) == 2 and i != j and last != j:
            closed = matrix_exponential(space.atoms[atom].argument)
            return expanded(p.without(place).forget((j,)), [(closed, (i, last))])
    return None
