"""Is there a solution of f(u, p) = 0 near a point, and what are expressions worth there?  Krawczyk's test in balls.

With Y near the inverse of the Jacobian J, and a box X around x: if

    x - Y f(x) + (1 - Y J(X)) (X - x)    lies inside of X,

there is one solution in X and only one, for each value of the parameters, and J is invertible there (*cited*: Krawczyk
1969; Neumaier 1990, theorem 5.1.8).
"""

from __future__ import annotations

from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from fractions import Fraction

from flint import acb, arb, arb_mat, ctx, fmpq

from verify.calculus.reverse import gradient
from verify.claim import Domain
from verify.decide.enclose.balls import Program
from verify.decide.enclose.jets import NoValue
from verify.graph import Node, symbol

#: Bits, steps of Newton's method that reach them, and the widths of the boxes that are tried, relative to the solution.
BITS, REFINED, WIDTHS = 160, 6, (-100, -60, -36, -28)


@dataclass(frozen=True)
class Root:
    """A proven solution: all names with balls."""

    at: dict[str, acb]


class Roots:
    """Solutions of one system in balls.  `states` are determined by the other names of the domain."""

    def __init__(self, residual: Sequence[Node], states: Sequence[str], domain: Domain) -> None:
        self.states, self.n = tuple(states), len(states)
        flat = [entry for f in residual for entry in gradient(f, self.states)]
        self.residual, self.jacobian = Program(tuple(residual), True), Program(tuple(flat), True)
        self.above = []
        """Quantities that are positive at points of the domain, and whether they may be 0."""
        for name in self.states:
            v = domain.variables.get(name)
            self.above += [(symbol(name) - v.low, v.closed_low)] if v is not None and v.low is not None else []
            self.above += [(v.high - symbol(name), v.closed_high)] if v is not None and v.high is not None else []
        self.above += [(larger - smaller, not strict) for larger, smaller, strict in domain.inequalities()]
        self.certain = all(c.op == "compare" and c.value in ("<", "<=", ">", ">=") for c in domain.conditions)
        self.inside = Program(tuple(node for node, _ in self.above), True)

    def near(self, point: Mapping[str, float], around: Fraction = Fraction(0)) -> Root | None:
        """The solution near a point, for all parameters that far around it, if there is one in the domain."""
        with _bits(BITS):
            try:
                return self._near(point, around)
            except (NoValue, ZeroDivisionError):
                return None

    def _near(self, point: Mapping[str, float], around: Fraction) -> Root | None:
        radius = arb(fmpq(around.numerator, around.denominator))
        others = {name: x for name, x in point.items() if name not in self.states}
        exact = {name: acb(arb(x)) for name, x in others.items()}
        balls = {name: acb(arb(x) + radius * arb(0, 1)) for name, x in others.items()} if around else exact
        x = [arb(point[name]) for name in self.states]
        for _ in range(REFINED):
            y = self._inverse(x, exact)
            step = y * self._column(self.residual, x, exact)
            x = [arb((a - step[i, 0]).mid()) for i, a in enumerate(x)]
        y = self._inverse(x, exact)
        y = arb_mat([[y[i, j].mid() for j in range(self.n)] for i in range(self.n)])
        unit = arb_mat([[int(i == j) for j in range(self.n)] for i in range(self.n)])
        size = max((abs(a) for a in x), key=float)
        move = y * self._column(self.residual, x, balls)
        for exponent in WIDTHS:
            width = (size + arb(2) ** -60) * arb(2) ** exponent
            box = [a + width * arb(0, 1) for a in x]
            flat = self.jacobian.values({**balls, **dict(zip(self.states, map(acb, box), strict=True))})
            slopes = arb_mat([[flat[i * self.n + j].real for j in range(self.n)] for i in range(self.n)])
            spread = (unit - y * slopes) * arb_mat([[b - a] for a, b in zip(x, box, strict=True)])
            image = [a - move[i, 0] + spread[i, 0] for i, a in enumerate(x)]
            if all(b.contains_interior(a) for a, b in zip(image, box, strict=True)):
                at = {**balls, **dict(zip(self.states, map(acb, image), strict=True))}
                return Root(at) if self._is_inside(at) else None
        return None

    def _is_inside(self, at: dict[str, acb]) -> bool:
        values = self.inside.values(at)
        closed = (may for _, may in self.above)
        return self.certain and all(v.real > 0 or (may and v.real >= 0) for v, may in zip(values, closed, strict=True))

    def _column(self, program: Program, x: Sequence[arb], names: Mapping[str, acb]) -> arb_mat:
        values = program.values({**names, **dict(zip(self.states, map(acb, x), strict=True))})
        return arb_mat([[value.real] for value in values])

    def _inverse(self, x: Sequence[arb], names: Mapping[str, acb]) -> arb_mat:
        column = self._column(self.jacobian, x, names)
        n = self.n
        return arb_mat([[column[i * n + j, 0] for j in range(n)] for i in range(n)]).inv()


def values(nodes: Sequence[Node], root: Root, more: Mapping[str, float]) -> tuple[arb, ...] | None:
    """What expressions are worth at a solution, where more names have values; None where one has none."""
    with _bits(BITS):
        try:
            at = {name: acb(x) for name, x in more.items()} | root.at
            return tuple(value.real for value in Program(tuple(nodes), True).values(at))
        except NoValue:
            return None


@contextmanager
def _bits(bits: int) -> Generator[None]:
    before, ctx.prec = ctx.prec, bits
    try:
        yield
    finally:
        ctx.prec = before
