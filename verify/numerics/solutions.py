"""Where are f(u, p) = 0 solved?  Newton's method at a few points of the parameters, in floating point."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np

from verify.calculus.reverse import gradient
from verify.graph import Node, compare, free_symbols, symbol
from verify.numerics.straight import NoFloat, Straight
from verify.systems import ImplicitProblem

if TYPE_CHECKING:
    from verify.decide.systems.identity import Identities

#: Starts, iterations, and solutions that are enough.
STARTS, ITERATIONS, ENOUGH = 40, 60, 5
#: The smallest singular value of the Jacobian at a solution, as a part of its norm at the start.
REGULAR = 1e-6


def solutions(
    problem: ImplicitProblem, nodes: Sequence[Node], identities: Identities
) -> Iterator[tuple[dict[str, float], tuple[float, float]]]:
    """Points (all names with values) where the residual vanishes and its Jacobian does not, and the two values there.

    Newton's method may leave the domain: solutions outside of it do not count.  At a multiple root it comes to a halt
    where the Jacobian is as small as rounding makes it.
    """
    n, conditions = len(problem.state), _conditions(problem)
    flat = [entry for f in problem.residual for entry in gradient(f, problem.state)]
    try:
        residual, jacobian, both = Straight(problem.residual), Straight(flat), Straight(nodes)
        admitted = Straight(conditions)
    except NoFloat:
        return
    count = 0
    for values in identities.points((*problem.residual, *nodes, *conditions), STARTS):
        x = np.array([values[name] for name in problem.state])
        size = 0.0
        for _ in range(ITERATIONS):
            at = {**values, **dict(zip(problem.state, x, strict=True))}
            matrix = np.array(jacobian(at), dtype=float).reshape(n, n)
            right = np.array(residual(at), dtype=float)
            if not (np.all(np.isfinite(matrix)) and np.all(np.isfinite(right))):
                break
            size = size or float(np.linalg.norm(matrix, 2))
            try:
                change = np.linalg.solve(matrix, right)
            except np.linalg.LinAlgError:
                break
            x = x - change
            if np.max(np.abs(change)) <= 1e-14 * (1 + np.max(np.abs(x))):
                at = {**values, **dict(zip(problem.state, x.tolist(), strict=True))}
                one, other = (float(value) for value in both(at))
                smallest = float(np.linalg.svd(matrix, compute_uv=False)[-1])
                regular = smallest > REGULAR * max(size, float(np.linalg.norm(matrix, 2)))
                if math.isfinite(one) and math.isfinite(other) and regular and all(admitted(at)):
                    count += 1
                    yield at, (one, other)
                break
        if count == ENOUGH:
            return


def _conditions(problem: ImplicitProblem) -> list[Node]:
    """What the states of a solution must keep to be in the domain."""
    variables = [problem.domain.variables.get(name) for name in problem.state]
    found = [compare(v.low, "<=", symbol(v.name)) for v in variables if v is not None and v.low is not None]
    found += [compare(symbol(v.name), "<=", v.high) for v in variables if v is not None and v.high is not None]
    return found + [c for c in problem.domain.conditions if free_symbols(c) & set(problem.state)]
