"""May a proof divide by this, or invert it, where the claim itself does not?  Only by what vanishes on no open set.

What the text inverts or takes the logarithm of is invertible wherever the claim is made (`grant`).  Everything else
that a rule divides by is certified here, or the proof is given up: 1/u for sign(u) = |u|/u is wrong where u is zero on
an open set, as |x| - x is, and d det(P) = det(P) tr(inv(P) dP) says nothing where P is singular for all values.
"""

from __future__ import annotations

from verify.decide.contraction.elementwise import is_positive
from verify.decide.contraction.matrices import is_diagonal, is_generic
from verify.decide.contraction.space import GiveUp, Space
from verify.decide.contraction.sums import Sum, Term, single

#: Atoms that are analytic functions of their arguments (where they are defined) and of the symbols.
ANALYTIC = frozenset({
    "symbol", "delta", "size", "number", "sign", "unit", "abstract", "pow", "exp", "log", "sin", "cos", "inv", "expm",
    "logm", "frechet", "size_power",
})  # fmt: skip


def is_analytic(a: Sum) -> bool:
    """Whether it has no kinks and jumps, and no determinant that might be zero for all values."""
    space = a.space
    for term in a.terms:
        for component, _ in term:
            for atom, _, _ in component:
                one = space.atoms[atom]
                if one.kind == "det":
                    if not is_invertible(one.argument):
                        return False
                elif one.kind not in ANALYTIC:
                    return False
                if not all(is_analytic(argument) for argument in one.arguments):
                    return False
    return True


def assume_nonzero(a: Sum) -> None:
    """Raises GiveUp unless the entries vanish on no open set."""
    if len(a.terms) == 1:
        ((term, _),) = a.terms.items()
        if all(is_positive(a.space, k) for k, _ in term):
            return
    if not a.terms or not (is_analytic(a) or _shifts_freely(a)):
        raise GiveUp("a denominator that may be zero on a whole region")
    a.space.assumed |= atoms_of(a)


def _shifts_freely(a: Sum) -> bool:
    """Whether a term is a symbol that occurs in no other one: the sum is then zero on a thin set only."""
    for term, c in a.terms.items():
        if len(term) != 1 or term[0][1] != 1 or not single(term[0][0]):
            continue
        ((atom, slots, _),) = term[0][0]
        rest = Sum(a.space, a.dims, {t: x for t, x in a.terms.items() if t != term})
        every = len(set(slots)) == len(slots) and not a.space.atoms[atom].symmetry
        if every and a.space.atoms[atom].kind == "symbol" and atom not in atoms_of(rest) and c:
            return True
    return False


def is_invertible(a: Sum) -> bool:
    """Whether a matrix is certainly invertible for almost all values, at every size.

    It is if it is a product of free letters; or if a letter (or scalar) of one such term, or of a multiple of the
    identity, occurs nowhere else and so may outgrow all other terms; or if all terms but a multiple of the identity
    vanish with the symbols.
    """
    if is_generic(a):
        return True
    space = a.space
    for term, c in a.terms.items():
        base = Sum(space, a.dims, {term: c})
        rest = Sum(space, a.dims, {t: x for t, x in a.terms.items() if t != term})
        if not is_generic(base) or not all(e > 0 for _, e in term):
            continue
        elsewhere = atoms_of(rest)
        mine = [atom for component, _ in term for atom, _, _ in component if space.atoms[atom].kind == "symbol"]
        if any(atom not in elsewhere for atom in mine):
            return True
        if not mine and is_diagonal(base) and all(_vanishes(space, t) for t in rest.terms):
            return True
    return False


def atoms_of(a: Sum) -> set[int]:
    """All atoms that occur, also inside others."""
    found: set[int] = set()
    stack = [a]
    while stack:
        for term in (current := stack.pop()).terms:
            for component, _ in term:
                for atom, _, _ in component:
                    if atom not in found:
                        found.add(atom)
                        stack.extend(current.space.atoms[atom].arguments)
    return found


def _vanishes(space: Space, term: Term) -> bool:
    """Whether the term is zero where all symbols are, being a polynomial in them without constant term."""
    factors = [(atom, e * f) for component, e in term for atom, _, f in component]
    kinds = {space.atoms[atom].kind for atom, _ in factors}
    return kinds <= {"symbol", "size", "number", "delta"} and "symbol" in kinds and all(e > 0 for _, e in factors)


def introduce(inverse: Sum) -> None:
    """Note that a rule uses this inverse, which the text may not have."""
    inverse.space.introduced |= _inverses(inverse)


def grant(inverse: Sum) -> None:
    """Note that the claim is made only where this inverse exists."""
    inverse.space.granted |= _inverses(inverse)


def _inverses(a: Sum) -> set[int]:
    return {atom for atom in atoms_of(a) if a.space.atoms[atom].kind == "inv"}


def check(space: Space) -> None:
    """Raises GiveUp if an inverse was used that neither the text has nor a certificate covers."""
    for atom in sorted(space.introduced - space.granted):
        if not is_invertible(space.atoms[atom].argument):
            raise GiveUp("the rule for a determinant needs an inverse that may exist nowhere")
        space.assumed |= atoms_of(space.atoms[atom].argument)
    if not space.assumed.isdisjoint(space.fixed):
        raise GiveUp("a denominator that an equation among the conditions may make zero")
