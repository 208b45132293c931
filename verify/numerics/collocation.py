"""What is the solution of a stiff equation, at any time?  By collocation, which fast decay does not slow down.

On a step of length h, with s in [-1, 1], the solution is a polynomial of degree k that meets the equation at the k
right Radau points: Radau IIA, of order 2k - 1 at the end of a step and L-stable (Hairer and Wanner, Solving Ordinary
Differential Equations II, IV.5).  Its last Legendre coefficient says what the degree leaves out, and how long a step
may be.  SciPy's Radau, of order 5, takes sixty times as many steps to thirteen digits (1139 against 17 for Van der
Pol's equation with mu = 1000 up to t = 50), and its values between the steps are of order 3.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Any

import numpy as np

from verify.calculus.reverse import gradient
from verify.decide.prove.tower import GiveUp
from verify.graph import Node
from verify.numerics.straight import NoFloat, Straight

Array = np.ndarray
#: Relative tolerances down to this one with the first number of points, finer ones with the second: two runs differ.
FINE, POINTS = 1e-12, (9, 11)
#: Iterations of Newton's method; a relative change from which on the Jacobian is kept, and which is rounding as soon as
#: the next one is hardly smaller; and a change that is the last one.
NEWTON, KEPT, SOLVED = 14, 1e-6, 1e-14
#: Steps that are tried at most; the first and the shortest one, as parts of the interval; what a step grows by at most.
MOST, FIRST, SHORTEST, GROWTH = 3000, 1e-2, 1e-14, 5.0
#: What stands for the size of a small entry, in units of the largest one beside it; and of the largest one before.
BESIDE, BEFORE = 1e-2, 1e-6
#: Coefficients that do not fall any more, the last two against the two before, are rounding, up to this size.
LEVEL, ROUNDED = 0.1, 1e-7
#: What a solution may grow to.
HUGE = 1e75
#: Decay or growth over the interval, in e-folds, from which on collocation is worth it.
STIFF = 300.0


class Stuck(ArithmeticError):
    """No solution is found up to the end."""


class Exploded(Stuck):
    """It grows beyond all bounds."""


@dataclass(frozen=True)
class Implicit:
    """x' = rate(t, x) on arrays of times (k,) and states (n, k), and its Jacobian's leading block, (k, lead, lead).

    Of n = lead*m states each further block of `lead` is moved by the same matrix, as sensitivities are.
    """

    rate: Callable[[Any, Array], Array]
    jacobian: Callable[[Array, Array], Array]
    lead: int

    @classmethod
    def of(
        cls,
        rates: Sequence[Node],
        names: Sequence[str],
        at: Callable[[Array, Array], Mapping[str, Any]],
        lead: int | None = None,
    ) -> Implicit | None:
        """Of expressions; `at` has the values of all names in them.  None where one has no derivative or no value."""
        n = lead or len(names)
        programs = _programs(tuple(rates), tuple(names[:n]))
        if programs is None:
            return None
        field, slopes = programs

        def rate(t: Array, x: Array) -> Array:
            return rows(field(at(t, x)), t)

        def jacobian(t: Array, x: Array) -> Array:
            return rows(slopes(at(t, x)), t).reshape(n, n, -1).transpose(2, 0, 1)

        return cls(rate, jacobian, n)

    def is_stiff(self, t: float, x: Array, length: float) -> bool:
        """Whether something dies out at a state, or explodes, many times over within a time (backwards if negative)."""
        J = self.jacobian(np.array([t]), np.asarray(x, dtype=float)[:, None])[0]
        return bool(np.isfinite(J).all() and np.abs((np.linalg.eigvals(J) * length).real).max() > STIFF)


@lru_cache(maxsize=32)
def _programs(rates: tuple[Node, ...], names: tuple[str, ...]) -> tuple[Straight, Straight] | None:
    """Rates, and the derivatives of the first of them by the names, row by row."""
    try:
        return Straight(rates), Straight([slope for rate in rates[: len(names)] for slope in gradient(rate, names)])
    except (GiveUp, NoFloat):
        return None


def rows(values: Sequence[Any], t: Any) -> Array:
    """Values at times of shape (k,), (number of values, k); some of them may not change with time."""
    found = np.empty((len(values), *np.shape(t)))
    for i, value in enumerate(values):
        found[i] = value
    return found


@dataclass(frozen=True)
class Collocated:
    """A solution in pieces: Legendre coefficients (pieces, k + 1, n) between the edges, which rise."""

    edges: Array
    coefficients: Array

    @property
    def ts(self) -> Array:
        """Times between which a few nodes of a quadrature see everything: the edges, and three points between two."""
        parts = np.linspace(0, 1, 5)[:-1]
        inner = self.edges[:-1, None] + np.diff(self.edges)[:, None] * parts
        return np.append(inner.ravel(), self.edges[-1])

    def __call__(self, t: Any) -> Array:
        """Values of shape (n, …); the polynomials at the ends go on beyond them."""
        times = np.asarray(t, dtype=float)
        flat = times.ravel()
        place = np.clip(np.searchsorted(self.edges, flat, side="right") - 1, 0, len(self.edges) - 2)
        low, high = self.edges[place], self.edges[place + 1]
        values = np.polynomial.legendre.legvander(
            (2 * flat - low - high) / (high - low), self.coefficients.shape[1] - 1
        )
        found = np.einsum("tk,tkn->nt", values, self.coefficients[place])
        return found.reshape(-1, *times.shape)


@cache
def _rule(k: int) -> tuple[Array, Array, Array]:
    """Radau points in (-1, 1], derivatives there from values less that at -1, and Legendre coefficients from those."""
    series = np.zeros(k + 1)
    series[k - 1 :] = 1.0
    points = np.sort(-np.polynomial.legendre.legroots(series).real)
    points[-1] = 1.0
    whole = np.append(-1.0, points)
    vander = np.polynomial.legendre.legvander(whole, k)
    slopes = np.polynomial.legendre.legval(points, np.polynomial.legendre.legder(np.eye(k + 1)))
    inverse = np.linalg.inv(vander)
    return points, (slopes.T @ inverse)[:, 1:], inverse[:, 1:]


def collocate(equation: Implicit, start: float, end: float, first: Array, tol: float) -> Collocated:
    """From `start` to `end`, backwards where that is earlier.  Raises Stuck, and Exploded."""
    k = POINTS[tol < FINE]
    length, x, t = end - start, np.array(first, dtype=float), start
    if not np.isfinite(x).all():
        raise Stuck("the start has no finite value")
    edges, pieces = [start], []
    h, largest = FIRST * length, np.abs(x.reshape(-1, equation.lead)).max(axis=1)
    for _ in range(MOST):
        last = abs(end - t) <= 1.01 * abs(h)
        h = end - t if last else h
        found = _step(equation, t, h, x, k, BEFORE * largest)
        if found is None:
            h /= 4
        else:
            coefficients, moved = found
            sizes = np.abs(np.vstack([x, x + moved])).max(axis=0).reshape(-1, equation.lead)
            largest = np.maximum(largest, sizes.max(axis=1))
            beside = np.maximum(BESIDE * sizes.max(axis=1), BEFORE * largest)
            scale = np.maximum(np.maximum(sizes, beside[:, None]).ravel(), np.finfo(float).tiny)
            *before, late, latest = np.abs(coefficients[-4:]) / scale
            rounded = (np.maximum(late, latest) > LEVEL * np.maximum(*before)) & (latest < ROUNDED)
            error = float(np.where(rounded, 0.0, latest).max())
            factor = 0.9 * (tol / max(error, 1e-300)) ** (1 / k)
            if error <= tol:
                coefficients[0] += x
                pieces.append(coefficients)
                x, t = x + moved[-1], end if last else t + h
                edges.append(t)
                if np.abs(x).max() > HUGE:
                    raise Exploded(f"beyond {HUGE:g} at t = {t:.6g}")
                if last:
                    break
                h *= min(max(factor, 0.5), GROWTH)
            else:
                h *= min(max(factor, 0.1), 0.5)
        if abs(h) < SHORTEST * abs(length):
            raise Stuck(f"no step from t = {t:.6g}")
    else:
        raise Stuck("too many steps")
    if length < 0:  # odd Legendre polynomials change their sign with s
        signs = (-1.0) ** np.arange(k + 1)
        return Collocated(np.array(edges[::-1]), np.array(pieces[::-1]) * signs[:, None])
    return Collocated(np.array(edges), np.array(pieces))


def _step(equation: Implicit, t: float, h: float, x: Array, k: int, least: Array) -> tuple[Array, Array] | None:
    """Legendre coefficients of x(t + …) - x, (k + 1, n), and its values at the points, (k, n); None if not found.

    least   a size of each block of states that is small.
    """
    from scipy.linalg import lu_factor, lu_solve  # takes long to be loaded, and few problems are stiff

    points, D, coefficients = _rule(k)
    lead, n, half = equation.lead, len(x), h / 2
    times, z, last, factors = t + half * (1 + points), np.zeros((k, len(x))), np.inf, None
    for _ in range(NEWTON):
        states = (x + z).T
        residual = D @ z - half * equation.rate(times, states).T
        if last > KEPT or factors is None:
            J = equation.jacobian(times, states)
            if not (np.isfinite(J).all() and np.isfinite(residual).all()):
                return None
            system = np.kron(D, np.eye(lead)).reshape(k, lead, k, lead)
            system[np.arange(k), :, np.arange(k), :] -= half * J
            try:
                factors = lu_factor(system.reshape(k * lead, k * lead), check_finite=False)
            except np.linalg.LinAlgError:
                return None
        columns = residual.reshape(k, n // lead, lead).transpose(0, 2, 1).reshape(k * lead, n // lead)
        change = lu_solve(factors, columns, check_finite=False)
        if not np.isfinite(change).all():
            return None
        z = z - change.reshape(k, lead, n // lead).transpose(0, 2, 1).reshape(k, n)
        sizes = np.abs(np.vstack([x, x + z])).max(axis=0).reshape(-1, lead).max(axis=1)
        size = float((np.abs(change).max(axis=0) / np.maximum(np.maximum(sizes, least), np.finfo(float).tiny)).max())
        if size < SOLVED or 0.3 * last < size < KEPT:
            break
        last = size
    else:
        return None
    return coefficients @ z, z
