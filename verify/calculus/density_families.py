"""Which flows, laws and test functions does one try a formula on?  Random ones with exact numbers, the same for a seed.

They leave what hides mistakes: Jacobians are not symmetric, w . u is not 0, |w| is not 1, no variance is 1, no law is
centred at 0, test functions are neither even nor odd.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import sympy as sp
from sympy import ImmutableMatrix, Rational, Symbol, exp, sin, sqrt, tanh

from verify.calculus import laws
from verify.calculus.adjoint import Problem
from verify.calculus.families import GRAIN, neural_field, tanh_field
from verify.calculus.flow import Flow, hidden_layer
from verify.calculus.laws import Law

X = Symbol("x", real=True)


def _number(rng: np.random.Generator, low: float, high: float, signed: bool = False) -> Rational:
    drawn = Rational(round(GRAIN * rng.uniform(low, high)), GRAIN)
    return drawn * int(rng.choice([-1, 1])) if signed else drawn


def _matrix(rng: np.random.Generator, rows: int, columns: int, size: float = 0.6) -> ImmutableMatrix:
    drawn = rng.normal(0.0, size, rows * columns)
    return ImmutableMatrix(rows, columns, [Rational(round(GRAIN * x), GRAIN) for x in drawn])


# --- flows ------------------------------------------------------------------------------------------


def _of_problem(problem: Problem) -> Flow:
    """The field of an adjoint problem, with numbers for its parameters."""
    values = {p: Rational(k + 1, 7) for k, p in enumerate(problem.parameters)}
    return Flow(problem.time, problem.state, ImmutableMatrix(problem.field.subs(values)))


def damped_flow(dimension: int, seed: int) -> Flow:
    """z' = tanh(W z + c t + b) - delta z."""
    return _of_problem(tanh_field(dimension, 1, seed))


def neural_flow(dimension: int, seed: int) -> Flow:
    """z' = W2 tanh(W1 z + w3 t + b1) + b2."""
    return _of_problem(neural_field(dimension, dimension + 1, seed))


def linear_flow(dimension: int, seed: int) -> Flow:
    """z' = A z."""
    z = tuple(Symbol(f"z_{i + 1}", real=True) for i in range(dimension))
    A = _matrix(np.random.default_rng(seed), dimension, dimension)
    return Flow(Symbol("t", real=True), z, ImmutableMatrix(A * ImmutableMatrix(z)))


def hidden_flow(dimension: int, units: int, seed: int) -> Flow:
    """z' = U tanh(W z + b): a planar flow for one unit."""
    rng = np.random.default_rng(seed)
    z = tuple(Symbol(f"z_{i + 1}", real=True) for i in range(dimension))
    U, W, b = _matrix(rng, dimension, units, 0.8), _matrix(rng, units, dimension, 0.8), _matrix(rng, units, 1)
    return Flow(Symbol("t", real=True), z, hidden_layer(U, tanh, W, z, b.flat()))


# --- laws and test functions on the line ---------------------------------------------------------------


def _mixture(rng: np.random.Generator) -> Law:
    weight = _number(rng, 0.2, 0.8)
    means = (_number(rng, -2, -0.3), _number(rng, 0.3, 2))
    return laws.mixture(X, (weight, 1 - weight), means, (_number(rng, 0.3, 0.9), _number(rng, 1.1, 2.5)))


def _truncated(rng: np.random.Generator) -> Law:
    mean, variance = _number(rng, 0.2, 1), _number(rng, 0.4, 0.9)
    low, high = _number(rng, -1.5, -0.2), _number(rng, 0.5, 2)
    below, above = ((end - mean) / sqrt(2 * variance) for end in (low, high))
    return laws.truncated_normal(X, mean, variance, low, high, (sp.erf(above) - sp.erf(below)) / 2)


LAWS: dict[str, Callable[[np.random.Generator], Law]] = {
    "normal": lambda rng: laws.normal(X, _number(rng, 0.2, 1.5, signed=True), _number(rng, 0.3, 0.8)),
    "mixture": _mixture,
    "logistic": lambda rng: laws.logistic(X, _number(rng, 0.2, 1, signed=True), _number(rng, 0.3, 0.8)),
    "student": lambda rng: laws.student(X, int(rng.choice([3, 5, 8]))),
    "cauchy": lambda _rng: laws.cauchy(X),
    "exponential": lambda rng: laws.exponential(X, _number(rng, 1.2, 3)),
    "uniform": lambda rng: laws.uniform(X, _number(rng, -1.5, -0.2), _number(rng, 0.5, 2)),
    "half-normal": lambda rng: laws.half_normal(X, _number(rng, 0.3, 0.8)),
    "truncated": _truncated,
}
TESTS: dict[str, Callable[[np.random.Generator], Any]] = {
    "monomial": lambda rng: X ** int(rng.integers(1, 7)),
    "sine": lambda rng: sin(_number(rng, 0.5, 2) * X + _number(rng, 0.3, 1.2)),
    "exponential": lambda rng: exp(_number(rng, 0.2, 1, signed=True) * X),
    "tanh": lambda rng: tanh(_number(rng, 0.5, 2) * X + _number(rng, 0.3, 1)),
    "root": lambda _rng: X * sqrt(1 + X**2),
    "bump": lambda rng: exp(-((X - _number(rng, 0.2, 1)) ** 2) * _number(rng, 0.5, 2)),
}


def law(kind: str, seed: int) -> Law:
    """A law of that kind, on the line or on an interval."""
    return LAWS[kind](np.random.default_rng(seed))


def trial_function(kind: str, seed: int) -> Any:
    """A test function of that kind."""
    return TESTS[kind](np.random.default_rng(seed))
