"""Where are f(u, p) = 0 solved?  Newton's method at a few points of the parameters, in floating point."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np

from verify.calculus.reverse import gradient
from verify.graph import Node
from verify.numerics.straight import NoFloat, Straight
from verify.systems import ImplicitProblem

if TYPE_CHECKING:
    from verify.decide.systems.identity import Identities

#: Starts, iterations, and solutions that are enough.
STARTS, ITERATIONS, ENOUGH = 40, 60, 5


def solutions(
    problem: ImplicitProblem, nodes: Sequence[Node], identities: Identities
) -> Iterator[tuple[dict[str, float], tuple[float, float]]]:
    """Points (all names with values) where the residual vanishes, and what two expressions are worth there."""
    n = len(problem.state)
    flat = [entry for f in problem.residual for entry in gradient(f, problem.state)]
    try:
        residual, jacobian, both = Straight(problem.residual), Straight(flat), Straight(nodes)
    except NoFloat:
        return
    count = 0
    for values in identities.points((*problem.residual, *nodes), STARTS):
        x = np.array([values[name] for name in problem.state])
        for _ in range(ITERATIONS):
            at = {**values, **dict(zip(problem.state, x, strict=True))}
            matrix = np.array(jacobian(at), dtype=float).reshape(n, n)
            right = np.array(residual(at), dtype=float)
            if not (np.all(np.isfinite(matrix)) and np.all(np.isfinite(right))):
                break
            try:
                change = np.linalg.solve(matrix, right)
            except np.linalg.LinAlgError:
                break
            x = x - change
            if np.max(np.abs(change)) <= 1e-14 * (1 + np.max(np.abs(x))):
                at = {**values, **dict(zip(problem.state, x.tolist(), strict=True))}
                one, other = (float(value) for value in both(at))
                if math.isfinite(one) and math.isfinite(other) and np.linalg.cond(matrix) < 1e6:
                    count += 1
                    yield at, (one, other)
                break
        if count == ENOUGH:
            return
