"""Which problems does one try a formula on?  Random families, the same for the same seed, and some that move.

Each leaves the inputs at which mistakes do not show: Jacobians are not symmetric, the field names the time, the start
value and both costs depend on the parameters.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from sympy import ImmutableMatrix, Rational, S, Symbol, cos, sin, tanh

from verify.calculus.adjoint import Problem
from verify.calculus.event_jump import EventProblem
from verify.calculus.linear import LinearFamily

#: Coefficients are multiples of 1/1000: exact in SymPy, short in print.
GRAIN = 1000


def _normal(rng: np.random.Generator, rows: int, columns: int = 1, size: float = 0.6) -> ImmutableMatrix:
    drawn = rng.normal(0.0, size, (rows, columns))
    return ImmutableMatrix(rows, columns, [Rational(round(GRAIN * x), GRAIN) for x in drawn.ravel()])


def _names(letter: str, count: int) -> tuple[Symbol, ...]:
    return tuple(Symbol(f"{letter}_{i + 1}", real=True) for i in range(count))


def _problem(rng: np.random.Generator, t: Symbol, u: Any, p: Any, field: Any) -> Problem:
    """The field with a random affine start value, a quadratic running cost and a bilinear terminal cost."""
    U, P, n, m = ImmutableMatrix(u), ImmutableMatrix(p), len(u), len(p)
    running = (_normal(rng, 1, n) * U)[0] ** 2 * (1 + (_normal(rng, 1, m) * P)[0]) + t * (_normal(rng, 1, n) * U)[0]
    terminal = (U.T * _normal(rng, n, n) * U)[0] + (U.T * _normal(rng, n, m) * P)[0] + (_normal(rng, 1, m) * P)[0]
    initial = _normal(rng, n) + _normal(rng, n, m) * P
    return Problem(t, u, p, ImmutableMatrix(field), ImmutableMatrix(initial), running, terminal)


def tanh_field(states: int, parameters: int, seed: int) -> Problem:
    """f = tanh(W u + V p + c t) - d u with d in [0, 1/2]: bounded Jacobian, stable for long times."""
    rng = np.random.default_rng(seed)
    t, u, p = Symbol("t", real=True), _names("u", states), _names("p", parameters)
    inner = _normal(rng, states, states) * ImmutableMatrix(u) + _normal(rng, states, parameters) * ImmutableMatrix(p)
    inner += _normal(rng, states) * t
    damping = Rational(int(rng.integers(0, 501)), GRAIN)
    return _problem(rng, t, u, p, inner.applyfunc(tanh) - damping * ImmutableMatrix(u))


def neural_field(states: int, width: int, seed: int) -> Problem:
    """f = W2 tanh(W1 u + w3 t + p) + b2 with a hidden layer of `width` units; the parameters are its biases."""
    rng = np.random.default_rng(seed)
    t, u, p = Symbol("t", real=True), _names("u", states), _names("p", width)
    size = 0.6 / max(states, width) ** 0.5
    inner = _normal(rng, width, states, size) * ImmutableMatrix(u) + _normal(rng, width) * t + ImmutableMatrix(p)
    return _problem(rng, t, u, p, _normal(rng, states, width) * inner.applyfunc(tanh) + _normal(rng, states))


def linear_family(states: int, parameters: int, seed: int) -> LinearFamily:
    """A(p) = A0 + sum of p_j A_j, b(p) = b0 + B p, and a bilinear terminal cost."""
    rng = np.random.default_rng(seed)
    y, p = _names("y", states), _names("p", parameters)
    Y, P = ImmutableMatrix(y), ImmutableMatrix(p)
    matrix = _normal(rng, states, states)
    for parameter in p:
        matrix += parameter * _normal(rng, states, states)
    terminal = (Y.T * _normal(rng, states, states) * Y)[0] + (Y.T * _normal(rng, states, parameters) * P)[0]
    initial = _normal(rng, states) + _normal(rng, states, parameters) * P
    return LinearFamily(p, y, ImmutableMatrix(matrix), ImmutableMatrix(initial), terminal + p[0])


def driven_pendulum() -> Problem:
    """u1' = u2,  u2' = p1 cos t - p2 sin u1 - p3^2 u2; no derivative of first or second order is missing anywhere."""
    t, u, p = Symbol("t", real=True), _names("u", 2), _names("p", 3)
    return Problem(
        time=t,
        state=u,
        parameters=p,
        field=ImmutableMatrix([u[1], p[0] * cos(t) - p[1] * sin(u[0]) - p[2] ** 2 * u[1]]),
        initial=ImmutableMatrix([1 + p[0] / 2, p[1] * p[2]]),
        running=p[1] * u[0] ** 2 / 2 + t * u[1],
        terminal=u[0] * u[1] + p[0] ** 2 * u[0],
    )


def firing_neuron() -> EventProblem:
    """The potential u1 rises to a threshold that moves with t, p and the fatigue u2; then both are reset.

    For |p| <= 1 it gets there within 5/2 of time, since what it lacks shrinks at a rate of 5/4 at least.
    """
    t, u, p = Symbol("t", real=True), _names("u", 2), _names("p", 3)
    return EventProblem(
        before=Problem(
            time=t,
            state=u,
            parameters=p,
            field=ImmutableMatrix([4 + p[0] * cos(t) + sin(u[1]), p[1] * cos(u[0]) - p[2] * tanh(u[1])]),
            initial=ImmutableMatrix([p[0] / 2, p[1] * p[2]]),
            running=p[1] * u[0] ** 2 / 2 + t * u[1],
            terminal=u[0] * u[1] + p[0] * u[0],
        ),
        when=u[0] + p[0] * sin(u[1]) / 4 - 2 - p[2] * cos(t) / 4,
        reset=ImmutableMatrix([u[1] / 2 + p[1] * cos(t), u[1] + p[0] * sin(u[0])]),
        field=ImmutableMatrix([2 * cos(u[1]) + p[2] * t, p[0] * sin(u[0]) - u[1] / 2]),
        running=p[2] * u[0] + u[1] ** 2 / 4,
        cost=t * u[0] + p[0] * u[1] ** 2 / 2,
    )


def bouncing_ball() -> EventProblem:
    """y'' = -a from the height h at rest; where it hits the ground, e of its speed is left.  G = y(T)."""
    t, y, v = Symbol("t", real=True), Symbol("y", real=True), Symbol("v", real=True)
    h, a, e = (Symbol(name, positive=True) for name in "hae")
    field, initial = ImmutableMatrix([v, -a]), ImmutableMatrix([h, 0])
    fall = Problem(t, (y, v), (h, a, e), field, initial, running=S.Zero, terminal=y)
    return EventProblem(fall, when=y, reset=ImmutableMatrix([y, -e * v]), field=field)


def changed_gear() -> EventProblem:
    """x' = 1 from 0 until x = c, and then x' = 2.  G = x(T)."""
    t, x, c = Symbol("t", real=True), Symbol("x", real=True), Symbol("c", positive=True)
    one, two = ImmutableMatrix([1]), ImmutableMatrix([2])
    slow = Problem(t, (x,), (c,), field=one, initial=0 * one, running=S.Zero, terminal=x)
    return EventProblem(slow, when=x - c, reset=ImmutableMatrix([x]), field=two)
