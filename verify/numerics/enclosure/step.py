"""What does one step prove?  Where x and dx/d(start, q) are after it, for every start in a set; or it Diverges.

With time scaled to s in [0, 1], x(s) = p(s) + s^N w(s), where p has the true Taylor coefficients (in balls).

Existence.  Let F(x) = start + h * integral of f(x) from 0.  F(x) has the coefficients of p again, since each depends on
lower ones alone.  If the tail of F(x) is at most W whenever the tail of x is (one evaluation of f on series with
tails), then F maps the convex closed set {p + s^N w, ||w_i|| <= W_i} into itself, and its image is compact, since
integration is: it has a fixed point (Schauder), which is the solution, on the whole step.  There is one only, since f
is analytic wherever its series have a value.

Variations.  V = dx/dstart solves V' = A V with A = h f_x along all those solutions, and its inverse Psi that of
Psi' = -Psi A with Psi(0) = 1.  With the latter alone

    J = dx(1)/dstart = Psi(1)^-1,      dx(1)/dq at a fixed start = J h * integral of Psi f_q over [0, 1].
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from flint import arb, arb_mat, arb_poly, ctx

from verify.numerics.enclosure.field import System
from verify.numerics.enclosure.integrals import integrals, series
from verify.numerics.enclosure.jets import taylor
from verify.numerics.enclosure.layers import padded
from verify.numerics.enclosure.linear import Linear, Matrices
from verify.numerics.enclosure.series import UNIT, ZERO, Diverges, Series, finite
from verify.numerics.enclosure.sweep import Bound

#: Times that tails are widened before a step is given up.
TRIES = 4


@dataclass(frozen=True)
class Tube:
    """Series p_i + s^N w_i for the states, which hold the solutions on a step from time on, of length h."""

    clock: Series
    h: arb
    states: tuple[Series, ...]


def tube(rhs: Bound, time: arb, h: arb, start: Sequence[arb], n: int) -> Tube:
    """Where the solutions from all starts are over the step.

    Raises Diverges (or ValueError, ZeroDivisionError from FLINT) where that is not proved.
    """
    clock = Series(arb_poly([time, h]), ZERO, n)
    p = [arb_poly(each) for each in taylor(rhs, time, start, h, n)]
    tails = [(2 * abs(each[n - 1]) + arb(2) ** (-ctx.prec)).abs_upper() for each in p]
    for _ in range(TRIES):
        new = image(rhs, clock, h, [Series(each, r, n) for each, r in zip(p, tails, strict=True)])
        if all(a <= b for a, b in zip(new, tails, strict=True)):
            return Tube(clock, h, tuple(Series(each, r, n) for each, r in zip(p, new, strict=True)))
        tails = [2 * a.max(b) for a, b in zip(new, tails, strict=True)]
    raise Diverges("no solution is found for the whole step")


def image(rhs: Bound, clock: Series, h: arb, states: Sequence[Series]) -> list[arb]:
    """Bounds of the tails of start + h * integral of f(x), for all x in a set."""
    n, new = clock.n, []
    for rate in rhs([*states, clock]):
        value = series(rate, n)
        finite([*value.p.coeffs(), value.r])
        new.append(((abs(value.p[n - 1]) / n + value.r / (n + 1)) * abs(h)).abs_upper())
    finite(new)
    return new


@dataclass(frozen=True)
class Step:
    """After a step: x for the start in the middle, J = dx/dstart and the part of dx/dq that grows within the step.

    tail   the largest tail of the variations, relative to their size; what the next step's length goes by.

    Beside them what the adjoint needs: the solutions on the step, and Psi^T with bounds of its tails.
    """

    middle: arb_mat
    by_start: arb_mat
    by_names: arb_mat
    tail: float
    tube: Tube
    inverse: Matrices
    inverse_tail: arb_mat


def advance(system: System, time: arb, h: arb, middle: Sequence[Sequence[arb]], start: Sequence[arb]) -> Step:
    """One step of length h from all starts in the balls; `middle` has the coefficients of one solution, for h = 1.

    Raises Diverges (or ValueError, ZeroDivisionError from FLINT) where the step is not proved.
    """
    N, n, driven = len(middle[0]), len(start), system.driven
    along = tube(system.rhs, time, h, start, N)
    moving = [*along.states, along.clock]
    W, X = (
        slopes(system.rhs, moving, h)
        .inverse()
        .solve(arb_mat(n, n, [arb(int(i == j)) for i in range(n) for j in range(n)]))
    )
    end = X
    for each in W:
        end += each
    J = end.transpose().inv()
    if driven:
        grown = integrals(system.rhs, moving, _rows(W, X, N))
        zeros = [ZERO] * n
        P = J * arb_mat(n, len(driven), [grown.get(name, zeros)[i] * h for i in range(n) for name in driven])
    else:
        P = arb_mat(n, 0, [])
    moved = arb_mat(n, 1, [arb_poly(c)(h) + UNIT * x.r for c, x in zip(middle, along.states, strict=True)])
    finite([*J.entries(), *P.entries(), *moved.entries()])
    tail = max(float(x.rad()) for x in X.entries()) / max(1.0, *(float(abs(x).mid()) for x in end.entries()))
    return Step(moved, J, P, tail, along, W, X)


def slopes(rhs: Bound, moving: Sequence[Series], h: arb) -> Linear:
    """V' = A V with A = h f_x along the solutions."""
    N, n = moving[0].n, len(moving) - 1
    table = [series(x, N) for row in rhs.derivatives(rhs.run(moving), n, ()) for x in row]
    columns = [padded(x.p.coeffs(), N) for x in table]
    finite([x.r for x in table])
    levels = [arb_mat(n, n, list(level)) * h for level in zip(*columns, strict=True)]
    return Linear(levels, arb_mat(n, n, [(x.r * abs(h)).abs_upper() for x in table]))


def _rows(W: Matrices, X: arb_mat, N: int) -> list[list[Series]]:
    """Psi column by column, from its transpose W with tails in X."""
    n = X.nrows()
    columns = list(zip(*(w.entries() for w in W), strict=True))
    tails = X.entries()
    return [
        [Series(arb_poly(list(columns[i * n + j])), tails[i * n + j].abs_upper(), N) for j in range(n)]
        for i in range(n)
    ]
