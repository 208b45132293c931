"""What does one step prove?  Where x and dx/d(start, q) are after it, for every start in a set; or it Diverges.

With time scaled to s in [0, 1], x(s) = p(s) + s^N w(s), where p has the true Taylor coefficients (in balls).

Existence.  Let F(x) = start + h * integral of f(x) from 0.  F(x) has the coefficients of p again, since each depends on
lower ones alone.  If the tail of F(x) is at most W whenever the tail of x is (one evaluation of f on series with
tails), then F maps the convex closed set {p + s^N w, ||w_i|| <= W_i} into itself, and its image is compact, since
integration is: it has a fixed point (Schauder), which is the solution, on the whole step.  There is one only, since f
is analytic wherever its series have a value.

Variations.  V' = A V + G is linear, with A = h f_x and G = h f_q along all those solutions.  Integration divides the
tail by N at least, so that the bound X of its tail solves X <= d + M X with a matrix M that is small.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from flint import arb, arb_mat, arb_poly, arb_series, ctx

from verify.numerics.enclosure.field import Field
from verify.numerics.enclosure.program import coefficients
from verify.numerics.enclosure.series import UNIT, ZERO, Diverges, Series, below_one

Values = Mapping[str, arb]
Matrices = list[arb_mat]
#: Times that W is widened before a step is given up.
TRIES = 4


def finite(entries: Sequence[arb]) -> None:
    """Raises Diverges unless all are finite."""
    if not all(map(arb.is_finite, entries)):
        raise Diverges("a value is not finite")


def matrices(entries: Sequence[Any], rows: int, columns: int, n: int) -> Matrices:
    """Power series, row by row, as n matrices of coefficients."""
    each = [coefficients(entry, n) for entry in entries]
    return [arb_mat(rows, columns, list(level)) for level in zip(*each, strict=True)]


def taylor(field: Field, time: arb, start: Sequence[arb], h: arb, at: Values, n: int) -> Matrices:
    """The first n coefficients of x(time + h s) in s; k known ones give 2 k + 1.

    With C the known part, x' = f(C) + f_x(C) (x - C) up to s^(2k), which is linear in what is not known yet.
    """
    rows = len(start)
    lengths = [n]
    while lengths[-1] > 1:
        lengths.append(lengths[-1] // 2)
    known = [arb_mat(rows, 1, list(start))]
    for k, longer in zip(lengths[:0:-1], lengths[-2::-1], strict=True):
        columns = [[c[i, 0] for c in known] for i in range(rows)]

        def along(m: int, columns: list[list[arb]] = columns) -> dict[str, object]:
            jets = [arb_series(c[:m], m) for c in columns]
            return field.values(arb_series([time, h], m), jets, at)

        F = matrices(field.rhs(along(longer - 1)), rows, 1, longer - 1)
        more = longer - 1 - k
        A = matrices(field.jacobian(along(more)), rows, rows, more) if more else []
        for j in range(k - 1, longer - 1):
            rate = F[j]
            for i in range(j - k + 1):
                rate += A[i] * known[j - i]
            known.append(rate * (h / (j + 1)))
    finite([x for c in known for x in c.entries()])
    return known


def tails(field: Field, time: Series, h: arb, p: Sequence[arb_poly], at: Values, n: int) -> list[arb]:
    """Bounds W of the tails of the solutions over the step.  Raises Diverges where none is found."""
    W = [(2 * abs(each[n - 1]) + arb(2) ** (-ctx.prec)).abs_upper() for each in p]
    for _ in range(TRIES):
        new = image(field, time, h, p, W, at, n)
        if all(a <= b for a, b in zip(new, W, strict=True)):
            return new
        W = [2 * a.max(b) for a, b in zip(new, W, strict=True)]
    raise Diverges("no solution is found for the whole step")


def image(field: Field, time: Series, h: arb, p: Sequence[arb_poly], W: Sequence[arb], at: Values, n: int) -> list[arb]:
    """Bounds of the tails of start + h * integral of f(x), for all x with tails at most W."""
    states = [Series(each, w, n) for each, w in zip(p, W, strict=True)]
    new = []
    for rate in field.rhs(field.values(time, states, at)):
        value = series(rate, n)
        finite([*value.p.coeffs(), value.r])
        new.append(((abs(value.p[n - 1]) / n + value.r / (n + 1)) * abs(h)).abs_upper())
    finite(new)
    return new


def series(value: Any, n: int) -> Series:
    """A constant as a series."""
    return value if isinstance(value, Series) else Series(arb_poly([value]), ZERO, n)


@dataclass(frozen=True)
class Linear:
    """V' = A(s) V + G(s): coefficients of A (n x n) and G (n x c), and bounds of the tails of their entries."""

    A: Matrices
    A_tail: list[list[arb]]
    G: Matrices
    G_tail: list[list[arb]]

    def solve(self, start: arb_mat) -> tuple[Matrices, arb_mat]:
        """The coefficients of V with V(0) = start, and balls around 0 that hold s^N times the tail for |s| <= 1."""
        N, V = len(self.A), [start]
        for j in range(N - 1):
            rate = self.A[0] * V[j] + self.G[j]
            for i in range(1, j + 1):
                rate += self.A[i] * V[j - i]
            V.append(rate * (arb(1) / (j + 1)))
        return V, self.tail(V)

    def tail(self, V: Matrices) -> arb_mat:
        """X with X <= d + M X, where d is what A V + G leaves from s^(N-1) on, over N, and M = ||A||/(N + 1)."""
        N, n, c = len(self.A), V[0].nrows(), V[0].ncols()
        suffix = V[N - 1]  # V_j + [-1, 1] (V_(j+1) + …)
        rest, size = self.A[0] * suffix, self.A[N - 1]
        for i in range(1, N):
            suffix = V[N - 1 - i] + suffix * UNIT
            rest += self.A[i] * suffix
            size = self.A[N - 1 - i] + size * UNIT
        rest += self.G[N - 1]
        sizes = [[suffix[k, j].abs_upper() for j in range(c)] for k in range(n)]
        d = [
            [
                (rest[i, j].abs_upper() + sum((self.A_tail[i][k] * sizes[k][j] for k in range(n)), self.G_tail[i][j]))
                / N
                for j in range(c)
            ]
            for i in range(n)
        ]
        rows = [sum((size[i, k].abs_upper() + self.A_tail[i][k] for k in range(n)), ZERO) for i in range(n)]
        nu = ZERO
        for row in rows:
            nu = nu.max(row)
        nu = below_one((nu / (N + 1)).abs_upper())
        factor = nu / (1 - nu)
        X = [[ZERO] * c for _ in range(n)]
        for j in range(c):
            worst = ZERO
            for i in range(n):
                worst = worst.max(d[i][j])
            for i in range(n):
                X[i][j] = (d[i][j] + factor * worst).abs_upper() * UNIT
        finite([x for row in X for x in row])
        return arb_mat(X)


@dataclass(frozen=True)
class Step:
    """After a step: x for the start in the middle, dx/dstart and the part of dx/dq that grows within the step.

    tail   the largest tail of the variations, relative to their size; what the next step's length goes by.

    Beside them what the adjoint needs: the step's time, the solutions on it, and A = h f_x there.
    """

    middle: arb_mat
    by_start: arb_mat
    by_names: arb_mat
    tail: float
    clock: Series
    states: Sequence[Series]
    A: Matrices
    A_tail: list[list[arb]]


def advance(field: Field, time: arb, h: arb, middle: Matrices, start: Sequence[arb], at: Values) -> Step:
    """One step of length h from all starts in the balls; `middle` has the coefficients of one of them for h = 1.

    Raises Diverges (or ValueError, ZeroDivisionError from FLINT) where the step is not proved.
    """
    N, n, m = len(middle), len(start), len(field.driven)
    coefs = taylor(field, time, start, h, at, N)
    p = [arb_poly([c[i, 0] for c in coefs]) for i in range(n)]
    clock = Series(arb_poly([time, h]), ZERO, N)
    W = tails(field, clock, h, p, at, N)
    states = [Series(each, w, N) for each, w in zip(p, W, strict=True)]
    values = field.values(clock, states, at)
    slopes = field.variations(values)
    A, A_tail = scaled(slopes[: n * n], n, n, 0, h, N)
    # The first n columns are dx/dstart, which nothing drives.
    G, G_tail = scaled(slopes[n * n :], n, m, n, h, N)
    start_of_both = [[arb(int(i == j)) for j in range(n + m)] for i in range(n)]
    V, X = Linear(A, A_tail, G, G_tail).solve(arb_mat(start_of_both))
    end = X
    for each in V:
        end += each
    moved, power = arb_mat(n, 1, [UNIT * w for w in W]), arb(1)
    for c in middle:
        moved += c * power
        power *= h
    finite([*end.entries(), *moved.entries()])
    tail = max(float(x.rad()) for x in X.entries()) / max(1.0, *(float(abs(x).mid()) for x in end.entries()))
    by_start = arb_mat(n, n, [end[i, j] for i in range(n) for j in range(n)])
    by_names = arb_mat(n, m, [end[i, n + j] for i in range(n) for j in range(m)])
    return Step(moved, by_start, by_names, tail, clock, states, A, A_tail)


def scaled(
    entries: Sequence[Any], rows: int, columns: int, zeros: int, h: arb, n: int
) -> tuple[Matrices, list[list[arb]]]:
    """h times some series as matrices of coefficients, and the bounds of their tails, behind some columns of zeros."""
    each = [series(entry, n) * h for entry in entries]
    finite([x for one in each for x in (*one.p.coeffs(), one.r)])
    before = [ZERO] * zeros
    lines = [each[i * columns : (i + 1) * columns] for i in range(rows)]
    levels = [arb_mat([[*before, *(one.p[k] for one in line)] for line in lines]) for k in range(n)]
    return levels, [[*before, *(one.r for one in line)] for line in lines]
