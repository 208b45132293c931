"""Is a map one-to-one on its whole domain?  An argument, unless two places show that it is not.

One-to-one, where the domain is a product of intervals and the map is smooth on it:

    inverse       S(T(z)) = z for an S in closed form
    monotone      one variable, dT/dz of one sign
    triangular    in some order, every entry is monotone in its own variable and free of those that follow
    one unit      T(z) - z depends on z by one affine form a(z) alone, and det dT/dz has one sign: a -> a + w.g(a) is
                  monotone, so T(z) fixes a, and a fixes z                                    (planar flows)
    radial        T(z) - c = (z - c) q(r), r = |z - c|, with q > 0 and d/dr (r q) > 0
    definite      dT/dz + its transpose is positive definite: (T(y) - T(z)).(y - z) > 0    (small residuals)
    minors        every principal minor of dT/dz is positive (Gale and Nikaido 1965)

What shows that it is not stands in `verify.decide.densities.folds`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import combinations

from verify.calculus.inverse_map import inverses
from verify.calculus.jacobians import Matrix, determinant, jacobian
from verify.calculus.maps import OneUnit, map_determinant, one_unit, radial
from verify.calculus.tidy import scaled, tidy
from verify.claim import Variable
from verify.decide.densities.folds import ROUTE, Finding, Folds, enclosed
from verify.decide.densities.parts import Judge
from verify.decide.integrals.smooth import conditions
from verify.decide.prove.differentiate import is_analytic
from verify.decide.prove.tower import GiveUp
from verify.decide.signs import Signs
from verify.decide.systems.identity import Identities
from verify.densities import FlowProblem, images
from verify.graph import (
    ZERO,
    Node,
    free_symbols,
    postorder,
    substitute,
    symbol,
)
from verify.language.write import write
from verify.verdict import Evidence, Rigor, Verdict

#: States up to which minors are looked at one by one.
MOST_STATES = 5
_HALF = Fraction(1, 2)
OPEN = "no argument applies, and no two points with one image were found"


@dataclass
class Injectivity:
    """One map with its Jacobian."""

    problem: FlowProblem
    judge: Judge
    inverse: tuple[Node, ...] = ()
    """An inverse that is claimed."""

    def __post_init__(self) -> None:
        self.identities: Identities = self.judge.identities
        self.signs: Signs = self.judge.signs
        self.names = self.problem.state
        self.matrix: Matrix = jacobian(self.problem.map, self.names)
        self.determinant = map_determinant(self.problem.map, self.names)

    def found(self) -> Finding:
        """An argument first: there is none for a map that folds."""
        try:
            for method, says in self._arguments():
                evidence = Evidence(ROUTE, Rigor.EXACT, True, frozenset({method}), detail={"method": says})
                return Finding(True, (evidence,), says)
            return Folds(self.problem, self.identities, self.determinant, self._is_box()).found() or Finding(
                None, says="no argument applies, and no two points with one image were found"
            )
        except GiveUp as reason:
            return Finding(None, says=str(reason))

    # --- arguments ---

    def _arguments(self) -> Iterator[tuple[str, str]]:
        if (inverse := self.composed()) is not None:
            yield "composition", f"its inverse {', '.join(map(write, inverse))}, composed with it"
        if not self._is_box() or not self.signs.smooth(*self.problem.map):
            return
        for method in (self._triangular, self._one_unit, self._radial, self._positive_definite, self._minors):
            if says := method():
                yield "signs of derivatives", says

    def composed(self) -> tuple[Node, ...] | None:
        """An inverse in closed form with S(T(z)) = z proved, S(T(z)) being defined wherever T is."""
        own = [self.inverse] if self.inverse else []
        for inverse in (*own, *inverses(self.problem.map, self.names, images(self.problem))):
            if self._is_inverse(inverse):
                return inverse
        return None

    def _is_inverse(self, inverse: Sequence[Node]) -> bool:
        at = {symbol(x): entry for x, entry in zip(images(self.problem), self.problem.map, strict=True)}
        pairs = [(symbol(z), substitute(s, at)) for z, s in zip(self.names, inverse, strict=True)]
        if not all(self.identities.same(z, s) for z, s in pairs):
            return False
        return all(self.judge.decided(z, s, self.problem.map).verdict is Verdict.PROVED for z, s in pairs) and (
            self._without_poles([s for _, s in pairs])
        )

    def _without_poles(self, nodes: Sequence[Node]) -> bool:
        """Whether no denominator vanishes anywhere, but those of the map itself."""
        variables = self.identities.domain.variables
        found, own = conditions(*nodes, variables=variables), conditions(*self.problem.map, variables=variables)
        if found is None:
            return not any(n.op == "pow" and n.args[1].op != "num" for n in postorder(*nodes)) and not any(
                n.op == "pow" and n.args[1].value < 0 for n in postorder(*nodes)
            )
        poles = [c for c in found if c.kind == "nonzero" and c not in (own or ())]
        return all(self.signs.nonzero(c.quantity) for c in poles)

    def _is_box(self) -> bool:
        """Whether the states range over a product of intervals."""
        own = set(self.names)
        for condition in self.identities.domain.conditions:
            inside = free_symbols(condition) & own
            if not inside:
                continue
            if condition.op != "compare" or condition.value not in ("<", "<=", ">", ">=") or len(inside) > 1:
                return False
            quantity = condition.args[0] - condition.args[1]
            (slope,) = jacobian((quantity,), sorted(inside))[0]
            if free_symbols(slope) & own:
                return False
        return True

    def _triangular(self) -> str:
        """An order in which each entry depends on its own variable and those before it."""
        n = len(self.names)
        rows, order = set(range(n)), []
        free: set[str] = set()
        while rows:
            for i in sorted(rows):
                new = [k for k in range(n) if self.names[k] not in free and self.matrix[i][k] is not ZERO]
                if len(new) == 1:
                    order.append((i, new[0]))
                    rows.remove(i)
                    free.add(self.names[new[0]])
                    break
            else:
                return ""
        if not all(self._monotone(self.matrix[i][k], self.names[k]) for i, k in order):
            return ""
        if n == 1:
            return f"its derivative {write(self.matrix[0][0])} has one sign"
        return "triangular, each entry monotone in its own variable"

    def _monotone(self, slope: Node, name: str) -> bool:
        """Whether a derivative has one sign, isolated zeros apart."""
        if self.signs.sign(slope):
            return True
        if free_symbols(slope) != {name} or not is_analytic(slope):
            return False
        at_one = enclosed(slope, {name: (Fraction(1), Fraction(0))})
        return not at_one.contains(0) and (
            self.signs.nonnegative(slope) or self.signs.nonnegative(tidy(scaled(Fraction(-1), slope)))
        )

    def _one_unit(self) -> str:
        """T(z) - z depends on z by one affine form alone."""
        unit = one_unit(self.problem.map, self.names)
        if unit is None or not (self.signs.sign(self.determinant) or self._bends(unit)):
            return ""
        return f"z + g(a) with a = {write(unit.form)}, and the determinant has one sign"

    def _bends(self, unit: OneUnit) -> bool:
        """Whether 1 + h'(a) c is not negative, and h' analytic and not constant, so that its zeros are isolated."""
        parts = replace(unit, form=unit.name).parts()
        if parts is None or free_symbols(parts[0]) != {unit.name.value} or not is_analytic(parts[0]):
            return False
        values = [enclosed(parts[0], {unit.name.value: (Fraction(x), Fraction(0))}) for x in (0, 1)]
        return not values[0].overlaps(values[1]) and self.signs.nonnegative(self.determinant)

    def _radial(self) -> str:
        """T(z) - c = (z - c) q(r) with r q(r) increasing."""
        found = radial(self.problem.map, self.names)
        if found is None:
            return ""
        name = found.radius.value
        ranges = {**self.identities.ranges, name: Variable(name, low=ZERO)}
        signs = Signs(replace(self.identities, ranges=ranges, known={}))
        if signs.positive(found.factor) and signs.positive(found.growth):
            return f"radial around ({', '.join(map(write, found.centre))}), the radius increasing"
        return ""

    def _positive_definite(self) -> str:
        if len(self.names) > MOST_STATES:
            return ""
        for sign in (1, -1):
            both = tuple(
                tuple(tidy(scaled(_HALF * sign, self.matrix[i][j] + self.matrix[j][i])) for j in self._range)
                for i in self._range
            )
            if all(self.signs.positive(determinant(_minor(both, range(k)))) for k in self._range[1:]) and (
                self.signs.positive(determinant(both))
            ):
                return "its Jacobian plus the transposed one is definite"
        return ""

    def _minors(self) -> str:
        if len(self.names) > MOST_STATES or not is_analytic(*self.problem.map):
            return ""
        chosen = (c for k in self._range for c in combinations(self._range, k + 1))
        if all(self.signs.positive(determinant(_minor(self.matrix, c))) for c in chosen):
            return "all principal minors of its Jacobian are positive (Gale and Nikaido)"
        return ""

    @property
    def _range(self) -> range:
        return range(len(self.names))


def _minor(matrix: Matrix, chosen: Iterable[int]) -> Matrix:
    chosen = tuple(chosen)
    return tuple(tuple(matrix[i][j] for j in chosen) for i in chosen)
