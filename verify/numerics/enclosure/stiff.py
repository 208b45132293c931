"""Where is the solution of a stiff problem?  Around an approximate solution of its own, by what that fails to solve.

On a piece of the time, with s in [-1, 1], an implicit method (collocation at Chebyshev points) gives a polynomial v.
Its defect d = v' - f(v) is bounded in the algebra of power series.  For the error e = x - v = P z, with the constant
matrix P of approximate eigenvectors of f_x,

    z' = B(t) z - P^-1 d,   B = P^-1 (mean of f_x between v and x) P,

so that |z| <= y componentwise where y' = M y + |P^-1 d|, with M_ii >= B_ii and M_ij >= |B_ij| for all x within rho of
v: M has no negative entries beside the diagonal, and what solves a differential inequality stays below what solves the
equation.  What dies out fast has a large negative M_ii, and there errors die out too.  If the bound stays below rho on
the whole piece, the solution never leaves rho, and exists.
"""

from __future__ import annotations

import time as clock
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from flint import arb, arb_mat, arb_poly, ctx

from verify.numerics.collocation import Implicit
from verify.numerics.enclosure.field import System
from verify.numerics.enclosure.forward import GaveUp
from verify.numerics.enclosure.integrals import series
from verify.numerics.enclosure.series import UNIT, ZERO, Series, finite
from verify.numerics.enclosure.sweep import Bound
from verify.systems import TIME

#: Degree of the approximate solution, and coefficients that are known of what is computed from it.
DEGREE, LENGTH = 20, 48
#: Iterations of Newton's method in doubles, and refinements by a residual in balls.
NEWTON, REFINED = 14, 8
#: The last change of Newton's method in doubles, relative.
NEARLY = 1e-9
#: Parts of a piece on which f_x is bounded, and times that rho is made larger.
PARTS, TRIES = 8, 5
#: First piece and shortest one, as parts of the interval; most pieces; what a piece may be longer than the one before.
FIRST, SHORTEST, MOST, GROWTH = 1e-6, 1e-11, 2000, 4.0


@dataclass(frozen=True)
class Around:
    """All x with |P^-1 (x - v)| <= y: v (n x 1) is exact, y (n x 1) has upper bounds."""

    v: arb_mat
    P: arb_mat
    y: arb_mat

    def hull(self) -> list[arb]:
        spread = _upper(self.P) * self.y
        return [x + UNIT * r.abs_upper() for x, r in zip(self.v.entries(), spread.entries(), strict=True)]


def stiff(
    system: System,
    values: Mapping[str, arb],
    start: Sequence[arb],
    begin: arb,
    ends: Sequence[arb],
    tol: float,
    deadline: float,
) -> Passage:
    """The states at some times after the first one.  Raises GaveUp.

    values  of the names, as they are in the system; tol: what the defect of a piece aims at.
    """
    own = system.field
    middle = {name: float(x.mid()) for name, x in values.items()}
    equation = Implicit.of(
        own.rates, own.state, lambda t, x: {**middle, TIME: t, **dict(zip(own.state, x, strict=True))}, own.lead
    )
    if equation is None:
        raise GaveUp("the right-hand side has no value in doubles, or no derivative")
    around = Around(arb_mat(len(start), 1, [x.mid() for x in start]), _one(len(start)),
                    arb_mat(len(start), 1, [(x - x.mid()).abs_upper() for x in start]))  # fmt: skip
    found, here, h, pieces = [], begin, None, 0
    for end in ends:
        whole = float((end - begin).mid())
        if not end - here > 0:
            raise GaveUp("the times are not in their order")
        h = FIRST * whole if h is None else h
        while True:
            left = end - here
            last = float(left.mid()) <= 1.05 * h
            length = left if last else arb(h)
            if clock.monotonic() > deadline or pieces >= MOST:
                raise GaveUp(f"out of time or pieces at t = {float(here.mid()):.6g}")
            try:
                around, defect = _piece(system.rhs, equation, here, length, around, tol)
            except (ArithmeticError, ValueError, np.linalg.LinAlgError):
                h = 0.4 * float(length.mid())
                if h < SHORTEST * whole:
                    raise GaveUp(f"no piece from t = {float(here.mid()):.6g}") from None
                continue
            pieces += 1
            h = float(length.mid()) * min(GROWTH, max(0.5, 0.9 * (tol / max(defect, 1e-300)) ** (1 / DEGREE)))
            if last:
                here = end
                break
            here = here + length
        found.append(around.hull())
    return Passage(tuple(found), pieces)


@dataclass(frozen=True)
class Passage:
    """The states at each time, and how many pieces there were."""

    states: tuple[list[arb], ...]
    pieces: int


def _piece(rhs: Bound, equation: Implicit, here: arb, length: arb, around: Around, tol: float) -> tuple[Around, float]:
    """What is around the solution at the end, and the size of the defect.  Raises ArithmeticError or ValueError."""
    n, half = around.v.nrows(), length / 2
    v = _collocated(rhs, equation, here, length, around.v)
    clock_ = Series(arb_poly([here + half, half]), ZERO, LENGTH)
    curve = [Series(p, ZERO, LENGTH) for p in v]
    rates = [series(rate, LENGTH) for rate in rhs([*curve, clock_])]
    defects = [Series(x.p.derivative(), ZERO, LENGTH) - f * half for x, f in zip(curve, rates, strict=True)]
    finite(c for each in defects for c in (*each.p.coeffs(), each.r))
    middle = [x.p(ZERO) for x in curve]
    P = _eigenvectors(equation, middle, here + half)
    inverse = P.inv()
    table = inverse.tolist()
    d = [
        sum((row[j] * defects[j] for j in range(n)), Series(arb_poly([]), ZERO, LENGTH)).norm().abs_upper()
        for row in table
    ]
    finite([*d, *inverse.entries()])
    # What the names are wide by, no shorter piece makes smaller.
    sizes = [float(sum((abs(c.mid()) for c in each.p.coeffs()), each.r)) for each in defects]
    size = max(one / max(1.0, float(abs(x).mid())) for one, x in zip(sizes, middle, strict=True))
    if size > 1e3 * tol:
        raise ArithmeticError("the defect is too large")
    gap = arb_mat(n, 1, [abs(a - p(arb(-1))).abs_upper() for a, p in zip(around.v.entries(), v, strict=True)])
    y = _upper(inverse * around.P) * around.y + _upper(inverse) * gap
    for k in range(PARTS):
        part = arb(-1 + 2 * k / PARTS).union(arb(-1 + 2 * (k + 1) / PARTS))
        y = _grown(rhs, v, clock_, part, half, P, inverse, y, arb_mat(n, 1, d), equation.lead)
    end = arb_mat(n, 1, [p(arb(1)) for p in v])
    over = _upper(inverse) * arb_mat(n, 1, [(x - x.mid()).abs_upper() for x in end.entries()])
    return Around(end.mid(), P, arb_mat(n, 1, [x.abs_upper() for x in (y + over).entries()])), size


def _grown(
    rhs: Bound, v: Sequence[arb_poly], time: Series, part: arb, half: arb, P: arb_mat, inverse: arb_mat, y: arb_mat,
    d: arb_mat, lead: int,
) -> arb_mat:  # fmt: skip
    """y at the end of a part of a piece, if all errors on it stay below rho."""
    n, width, sizes = len(v), arb(2) / PARTS, _upper(P)
    centre = part.mid()
    along = [p(centre) + p.derivative()(part) * (part - centre) for p in v]
    # Above 0 even where no error is expected, so that to stay below it means something.
    rho = arb_mat(n, 1, [(x + arb(2) ** -ctx.prec).abs_upper() for x in (sizes * (2 * y + d * width)).entries()])
    for _ in range(TRIES):
        states = [x + UNIT * (2 * r).abs_upper() for x, r in zip(along, rho.entries(), strict=True)]
        run = rhs.run([*states, time.p(part)])
        finite(run.slots[root] for root in rhs.tape.roots)
        J = arb_mat(rhs.derivatives(run, n, ())) * half
        B = inverse * J * P
        finite(B.entries())
        upper = [[B[i, j].upper() if i == j else abs(B[i, j]).abs_upper() for j in range(n)] for i in range(n)]
        highest = _blockwise([[x.max(ZERO) for x in row] for row in upper], y, d, width, lead)
        largest = (sizes * highest).entries()
        if all(x < 2 * r for x, r in zip(largest, rho.entries(), strict=True)):
            return _blockwise(upper, y, d, width, lead, highest)
        rho = arb_mat(n, 1, [(2 * x).max(r).abs_upper() for x, r in zip(largest, rho.entries(), strict=True)])
    raise ArithmeticError("errors grow too fast")


def _blockwise(
    M: Sequence[Sequence[arb]], y: arb_mat, d: arb_mat, width: arb, lead: int, highest: arb_mat | None = None
) -> arb_mat:
    """y after a time, where the first `lead` entries move by themselves and drive each further block of as many.

    highest   y over the whole time; what is returned is that where it is not given, for M without negative entries.

    One block after the other, driven by the largest values of the first: the same matrix, the largest of the blocks,
    moves all.  Where M is of another form, all of it is solved at once.
    """
    blocks = [range(k, k + lead) for k in range(0, len(M), lead)]
    first, *others = blocks
    free = [(i, j) for rows in others for columns in others if rows != columns for i in rows for j in columns]
    if not others or any(
        not M[i][j].is_zero() for i, j in (*free, *((i, j) for i in first for j in range(lead, len(M))))
    ):
        return _comparison(M, y, d, width)
    largest = [[M[i][j] for j in first] for i in first]
    for rows in others:
        largest = [
            [x.max(M[i][j]) for x, j in zip(row, rows, strict=True)] for row, i in zip(largest, rows, strict=True)
        ]
    found = [_comparison(largest, *(arb_mat(lead, 1, x.entries()[:lead]) for x in (y, d)), width)]
    top = found[0] if highest is None else arb_mat(lead, 1, highest.entries()[:lead])
    for rows in others:
        driven = arb_mat([[M[i][j] for j in first] for i in rows]) * top
        own, push = (arb_mat(lead, 1, x.entries()[rows.start : rows.stop]) for x in (y, d))
        found.append(_comparison(largest, own, _upper(push + driven), width))
    return arb_mat(len(M), 1, [x for part in found for x in part.entries()])


def _comparison(M: Sequence[Sequence[arb]], y: arb_mat, d: arb_mat, width: arb) -> arb_mat:
    """y after a time: e^(M w) y + (integral of e^(M t) from 0 to w) d, from one exponential."""
    n = len(M)
    block = arb_mat([[*(x * width for x in row), d[i, 0] * width] for i, row in enumerate(M)] + [[ZERO] * (n + 1)])
    whole = block.exp() * arb_mat(n + 1, 1, [*y.entries(), arb(1)])
    found = whole.entries()[:n]
    finite(found)
    return arb_mat(n, 1, [x.abs_upper() for x in found])


def _eigenvectors(equation: Implicit, states: Sequence[arb], time: arb) -> arb_mat:
    """An exact matrix near that of the eigenvectors of f_x, in which pairs of complex ones are real and imaginary part.

    Of a system of states and sensitivities the leading block is repeated.
    """
    lead = equation.lead
    (J,) = equation.jacobian(np.array([float(time.mid())]), np.array([[float(x.mid())] for x in states]))
    if not np.isfinite(J).all():
        raise ArithmeticError("f_x has no value")
    values, vectors = np.linalg.eig(J)
    columns = [vectors[:, i].imag if value.imag < 0 else vectors[:, i].real for i, value in enumerate(values)]
    P = np.array(columns).T
    if np.linalg.cond(P) > 1e8:
        P = np.eye(lead)
    whole = np.kron(np.eye(len(states) // lead), P)
    return arb_mat(whole.tolist())


# --- the approximate solution, in which nothing is proved -----------------------------------------------------------


@lru_cache(maxsize=4)
def _points(bits: int) -> tuple[np.ndarray, arb_mat, arb_mat]:
    """Chebyshev points from -1 to 1, derivatives there from values, and coefficients from values; at so many bits."""
    if bits != ctx.prec:
        raise ValueError(f"{bits} bits are asked for at a precision of {ctx.prec}")
    s = -np.cos(np.pi * np.arange(DEGREE + 1) / DEGREE)
    exact = [arb(float(x)) for x in s]
    powers = arb_mat([[x**k for k in range(DEGREE + 1)] for x in exact])
    slopes = arb_mat([[k * x ** (k - 1) if k else ZERO for k in range(DEGREE + 1)] for x in exact])
    coefficients = powers.inv().mid()
    return s, (slopes * coefficients).mid(), coefficients


def _collocated(rhs: Bound, equation: Implicit, here: arb, length: arb, start: arb_mat) -> list[arb_poly]:
    """Polynomials in s whose derivative is f at the points; exact coefficients, and errors that nobody relies on."""
    s, D, coefficients = _points(ctx.prec)
    n, lead, half = start.nrows(), equation.lead, (length / 2).mid()
    times = [(here + half * (1 + arb(float(x)))).mid() for x in s]
    first = start.entries()
    z, inverse = _in_doubles(equation, times, float(half), [float(x) for x in first], D)
    U = [list(first), *([(x + arb(float(c))).mid() for x, c in zip(first, row, strict=True)] for row in z)]
    last = np.inf
    for k in range(REFINED):
        rates = [[x.mid() for x in rhs([*u, time])] for u, time in zip(U[1:], times[1:], strict=True)]
        finite(x for row in rates for x in row)
        residual = ((D * arb_mat(U)).tolist())[1:]
        off = np.array([[float((a - half * b).mid()) for a, b in zip(x, y, strict=True)]
                        for x, y in zip(residual, rates, strict=True)])  # fmt: skip
        size = float(np.abs(off).max())
        if size < 2.0 ** (20 - ctx.prec) or (k > 2 and size >= 0.5 * last):
            break
        last = size
        change = _blocked(inverse, off, lead)
        if not np.isfinite(change).all():
            raise ArithmeticError("the implicit equations are not solved")
        U[1:] = [[(x - arb(float(c))).mid() for x, c in zip(u, row, strict=True)]
                 for u, row in zip(U[1:], change, strict=True)]  # fmt: skip
    values = (coefficients * arb_mat(U)).mid()
    return [arb_poly([values[i, j] for i in range(len(s))]) for j in range(n)]


def _in_doubles(
    equation: Implicit, times: Sequence[arb], half: float, first: Sequence[float], D: arb_mat
) -> tuple[np.ndarray, np.ndarray]:
    """What the states at the points differ by from the first, (k, n), and the inverse of the equations' Jacobian.

    Sensitivities move with the flow of the states: one matrix for all, as if it did not depend on x.
    """
    k, lead, x = len(times) - 1, equation.lead, np.array(first)
    slopes = np.array([float(a.mid()) for a in D.entries()]).reshape(k + 1, k + 1)[1:, 1:]
    t, z, last = np.array([float(time) for time in times[1:]]), np.zeros((k, len(first))), np.inf
    for _ in range(NEWTON):
        states = (x + z).T
        J = equation.jacobian(t, states)
        off = slopes @ z - half * equation.rate(t, states).T
        if not (np.isfinite(J).all() and np.isfinite(off).all()):
            break
        system = np.kron(slopes, np.eye(lead)).reshape(k, lead, k, lead)
        system[np.arange(k), :, np.arange(k), :] -= half * J
        inverse = np.linalg.inv(system.reshape(k * lead, k * lead))
        change = _blocked(inverse, off, lead)
        z = z - change
        size = float(np.abs(change).max() / (np.abs(x + z).max() + np.finfo(float).tiny))
        if size < NEARLY:
            return z, inverse
        if size > 2 * last:
            break
        last = max(size, 1.0)
    raise ArithmeticError("the implicit equations are not solved")


def _blocked(inverse: np.ndarray, off: np.ndarray, lead: int) -> np.ndarray:
    """inverse off, for each block of `lead` states by itself; both (k, n)."""
    k, n = off.shape
    blocks = off.reshape(k, n // lead, lead).transpose(0, 2, 1).reshape(k * lead, n // lead)
    return (inverse @ blocks).reshape(k, lead, n // lead).transpose(0, 2, 1).reshape(k, n)


def _upper(M: arb_mat) -> arb_mat:
    """Bounds of the absolute values of the entries."""
    return arb_mat(M.nrows(), M.ncols(), [x.abs_upper() for x in M.entries()])


def _one(n: int) -> arb_mat:
    return arb_mat(n, n, [arb(int(i == j)) for i in range(n) for j in range(n)])
