"""Where are f(u, p) = 0 solved?  Newton's method from many starts at a few points of the parameters, in floating point.

Polynomials in one or two states give their real roots as starts, by resultants; others are started from the domain and
at sizes from a hundredth to a million.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from fractions import Fraction
from itertools import product
from typing import TYPE_CHECKING

import numpy as np

from verify.calculus.factors import polynomials
from verify.calculus.reverse import gradient
from verify.graph import Node, compare, free_symbols, num, substitute, symbol
from verify.numerics.straight import NoFloat, Straight
from verify.systems import ImplicitProblem

if TYPE_CHECKING:
    from verify.decide.systems.identity import Identities

#: Points of the parameters, starts at each of them, iterations, and solutions that are enough.
PARAMETERS, STARTS, ITERATIONS, ENOUGH = 8, 48, 60, 24
#: Sizes of the starts, as powers of ten.
SIZES = (-2.0, 6.0)
#: The smallest singular value of the Jacobian at a solution, as a part of the largest.
REGULAR = 1e-9
#: How far from a solution the Jacobian is looked at, relative to its size.
APART = 1e-2
#: Differences of two solutions, relative to their sizes, that are none.
SAME = 1e-8
#: Degree up to which the roots of a resultant are looked for, and how near to the real line they count as real.
HIGHEST, REAL = 40, 1e-9


def solutions(problem: ImplicitProblem, identities: Identities) -> list[dict[str, float]]:
    """Points (all names with values) of the domain where the residual vanishes and its Jacobian does not.

    Newton's method may leave the domain: solutions outside of it do not count.  At a multiple root it comes to a halt
    where the Jacobian is as small as rounding makes it.
    """
    n, state = len(problem.state), problem.state
    conditions = _conditions(problem)
    flat = [entry for f in problem.residual for entry in gradient(f, state)]
    try:
        residual, jacobian, admitted = Straight(problem.residual), Straight(flat), Straight(conditions)
    except NoFloat:
        return []
    rng = np.random.default_rng(identities.seed)
    names = (*problem.residual, *problem.domain.conditions, *map(symbol, problem.domain.variables))
    drawn = identities.points(names, STARTS)
    found: list[dict[str, float]] = []
    for values in drawn[:PARAMETERS]:
        starts = [[point[name] for name in state] for point in drawn]
        sizes = 10.0 ** rng.uniform(*SIZES, (STARTS, n))
        starts += (sizes * rng.choice([-1.0, 1.0], (STARTS, n))).tolist()
        starts += [[values[name] for name in state], *_roots(problem, values)]
        here: list[np.ndarray] = []
        for x in _newton(np.array(starts, dtype=float), values, state, residual, jacobian):
            at = {**values, **dict(zip(state, x.tolist(), strict=True))}
            known = any(np.max(np.abs(x - y)) <= SAME * (1 + np.max(np.abs(x))) for y in here)
            if not known and all(admitted(at)):
                here.append(x)
                found.append(at)
        if len(found) >= ENOUGH:
            break
    return found


def _newton(
    x: np.ndarray, values: Mapping[str, float], state: Sequence[str], residual: Straight, jacobian: Straight
) -> Iterator[np.ndarray]:
    """Where starts, shape (starts, n), lead to, those that lead to a regular solution."""
    count, n = x.shape
    done = np.zeros(count, dtype=bool)
    with np.errstate(all="ignore"):
        for _ in range(ITERATIONS):
            at = {**values, **dict(zip(state, x.T, strict=True))}
            right = np.stack([np.broadcast_to(each, count) for each in residual(at)], axis=-1)
            matrix = np.stack([np.broadcast_to(each, count) for each in jacobian(at)], axis=-1).reshape(count, n, n)
            usable = np.all(np.isfinite(matrix), axis=(1, 2)) & np.all(np.isfinite(right), axis=1)
            matrix[~usable] = 0.0
            singular = np.linalg.svd(matrix, compute_uv=False)
            usable &= singular[:, -1] > REGULAR * singular[:, 0]
            matrix[~usable], right[~usable] = np.eye(n), np.nan
            change = np.linalg.solve(matrix, right[..., None])[..., 0]
            done = np.max(np.abs(change), axis=1) <= 1e-13 * (1e-30 + np.max(np.abs(x), axis=1))
            x = np.where(done[:, None], x, x - change)
            if np.all(done | np.isnan(x).any(axis=1)):
                break
        done &= ~_is_multiple(x, values, state, jacobian)
    yield from x[done]


def _is_multiple(x: np.ndarray, values: Mapping[str, float], state: Sequence[str], jacobian: Straight) -> np.ndarray:
    """Which points, shape (starts, n), are multiple roots: the Jacobian is nothing against that a little further on."""
    count, n = x.shape
    sizes = []
    for point in (x, x + APART * (1 + np.abs(x))):
        at = {**values, **dict(zip(state, point.T, strict=True))}
        matrix = np.stack([np.broadcast_to(each, count) for each in jacobian(at)], axis=-1).reshape(count, n, n)
        finite = np.all(np.isfinite(matrix), axis=(1, 2))
        sizes.append((np.linalg.svd(np.where(finite[:, None, None], matrix, 0.0), compute_uv=False), finite))
    (here, _), (there, known) = sizes
    return known & (here[:, -1] <= REGULAR * there[:, 0])


def _roots(problem: ImplicitProblem, values: Mapping[str, float]) -> list[list[float]]:
    """Real points that hold all solutions of a polynomial residual in one or two states, and others."""
    state = problem.state
    if len(state) > 2:
        return []
    at = {symbol(name): num(Fraction(x)) for name, x in values.items() if name not in state}
    found = polynomials([substitute(f, at) for f in problem.residual], state)
    if found is None:
        return []
    if len(state) == 1:
        return [[x] for x in _real_roots(found[0], 0)]
    each = []
    for i in (0, 1):
        eliminant = found[0].resultant(found[1], 1 - i)
        each.append([] if eliminant.is_zero() else _real_roots(eliminant, i))
    return [list(pair) for pair in product(*each)]


def _real_roots(polynomial, variable: int) -> list[float]:
    degree = max((int(exponents[variable]) for exponents in polynomial.monoms()), default=0)
    if not 0 < degree <= HIGHEST:
        return []
    listed = [0.0] * (degree + 1)
    largest = max(abs(Fraction(int(c.p), int(c.q))) for c in polynomial.coeffs())
    for exponents, c in polynomial.terms():
        listed[degree - int(exponents[variable])] = float(Fraction(int(c.p), int(c.q)) / largest)
    roots = np.roots(listed)
    return [float(z.real) for z in roots if abs(z.imag) <= REAL * (1 + abs(z))]


def _conditions(problem: ImplicitProblem) -> list[Node]:
    """What the states of a solution must keep to be in the domain."""
    variables = [problem.domain.variables.get(name) for name in problem.state]
    found = [
        compare(v.low, "<=" if v.closed_low else "<", symbol(v.name))
        for v in variables
        if v is not None and v.low is not None
    ]
    found += [
        compare(symbol(v.name), "<=" if v.closed_high else "<", v.high)
        for v in variables
        if v is not None and v.high is not None
    ]
    return found + [c for c in problem.domain.conditions if free_symbols(c) & set(problem.state)]
