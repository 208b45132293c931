"""Which atoms occur in one proof?  Numbered as they come, so that a proof does not depend on what was proved before."""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from verify.claim import Size

if TYPE_CHECKING:
    from verify.decide.contraction.sums import Sum

Number = int | Fraction
#: Slots may be permuted so, the value then takes the sign.
Symmetry = tuple[tuple[tuple[int, ...], int], ...]

TRANSPOSABLE: Symmetry = (((1, 0), 1),)
ALTERNATING: Symmetry = (((1, 0), -1),)
#: Products that are settled in one attempt; more are given up.
MOST_STEPS = 8_000


class GiveUp(Exception):
    """The identity stays unproved; the text says why."""


@dataclass(frozen=True)
class Atom:
    """A factor that is not taken apart.

    kind        symbol, delta (an identity), size, number (a prime or a constant), sign ((-1)^n for a size n), unit (a
                column of an identity), abstract; pow, exp, log, sin, cos, abs, call (entry by entry); inv, det, expm,
                frechet, size_power (of a whole sum).
    name        tells atoms of one kind apart; for `abstract` the name and the arguments that it is differentiated by.
    dims        the sizes of its slots.
    arguments   sums of graphs that it is a function of.
    symmetry    permutations of its slots that multiply it by 1 or -1, without the identity.
    flags       positive, generic (its values fill an open set), orthogonal, spd, free (a matrix whose structure is
                forgotten while it is differentiated by).
    """

    kind: str
    name: Any
    dims: tuple[Size, ...]
    arguments: tuple[Sum, ...]
    symmetry: Symmetry
    flags: frozenset[str]

    @property
    def argument(self) -> Sum:
        """The only argument."""
        (argument,) = self.arguments
        return argument


@dataclass
class Space:
    """The atoms of one proof with what has been worked out about them.

    rotate   bring an inverse of c + X Y to that of c + Y X, whichever comes first.
    pivot    take an invertible letter out of every inverse of a sum.
    granted, introduced   inverses that the claim itself has, and those that a rule uses.
    assumed  what a rule took for nonzero, or for invertible, is made of these atoms.
    fixed    the atoms of the equations among the conditions, whose values fill no open set.
    """

    rotate: bool = False
    pivot: bool = False
    atoms: list[Atom] = field(default_factory=list)
    steps: int = 0
    canonical: dict[Any, Any] = field(default_factory=dict)
    granted: set[int] = field(default_factory=set)
    introduced: set[int] = field(default_factory=set)
    assumed: set[int] = field(default_factory=set)
    fixed: set[int] = field(default_factory=set)
    derivatives: dict[tuple[int, int], Sum] = field(default_factory=dict)
    patterns: dict[int, Any] = field(default_factory=dict)
    commuting: dict[tuple[int, tuple[int, bool]], bool] = field(default_factory=dict)
    _numbers: dict[Any, int] = field(default_factory=dict)

    def atom(
        self,
        kind: str,
        name: Any = "",
        dims: tuple[Size, ...] = (),
        arguments: tuple[Sum, ...] = (),
        symmetry: Symmetry = (),
        flags: frozenset[str] = frozenset(),
    ) -> int:
        """The number of the atom; the same for the same data."""
        key = (kind, name, dims, tuple(a.key for a in arguments), symmetry, flags)
        number = self._numbers.get(key)
        if number is None:
            number = self._numbers[key] = len(self.atoms)
            self.atoms.append(Atom(kind, name, dims, arguments, symmetry, flags))
        return number

    def step(self) -> None:
        """Count a product.  Raises GiveUp when there have been too many."""
        self.steps += 1
        if self.steps > MOST_STEPS:
            raise GiveUp("the normal form grows too large")
