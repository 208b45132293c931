"""By how much does a flow change the log-density of a point, numerically?  Routes with and without the trace.

    z' = f(t, z),  z(t0) = z0:   log p(z(t1), t1) - log p(z0, t0) = -integral of tr f_z = -log |det dz(t1)/dz0|

Points are columns: z has shape (d,), or (d, n) for n points that are solved as one system, with the same steps for all.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import product
from typing import Any

import numpy as np
from scipy.integrate import solve_ivp
from scipy.linalg import expm

from verify.numerics.quadrature import Integral, trapezoid

Array = Any


Field = Callable[[float, Array], Array]


@dataclass(frozen=True)
class Transport:
    """Functions of (t, z): field (d, …), jacobian (d, d, …) and divergence (…), for z of shape (d, …)."""

    field: Field
    jacobian: Field
    divergence: Field


def flow(field: Field, z: Array, t0: float, t1: float, *, method: str = "DOP853", tolerance: float = 1e-12) -> Array:
    """z(t1) for the points z at t0, of the same shape; t1 may lie before t0.

    Raises ArithmeticError where the solver gives up, as when a solution ends before t1.
    """
    start = np.asarray(z)
    if t0 == t1:
        return start
    solution = solve_ivp(
        lambda t, y: np.asarray(field(t, y.reshape(start.shape))).ravel(),
        (t0, t1), start.ravel(), method=method, rtol=tolerance, atol=tolerance / 10,
    )  # fmt: skip
    end = solution.y[:, -1]
    if not solution.success or not np.isfinite(end).all():
        raise ArithmeticError(f"{method} stopped at t = {solution.t[-1]:.6g} of ({t0}, {t1}): {solution.message}")
    return end.reshape(start.shape)


def augmented(
    field: Field, divergence: Field, z: Array, t0: float, t1: float, *, method: str = "DOP853", tolerance: float = 1e-12
) -> tuple[Array, Array]:
    """(z(t1), -integral of the divergence along the path), of shapes (d, …) and (…), both under error control."""
    start = np.asarray(z, dtype=float)

    def rate(t: float, y: Array) -> Array:
        traces = np.broadcast_to(divergence(t, y[:-1]), start.shape[1:])
        return np.concatenate([np.asarray(field(t, y[:-1])), -traces[None]])

    end = flow(rate, np.concatenate([start, np.zeros_like(start[:1])]), t0, t1, method=method, tolerance=tolerance)
    return end[:-1], end[-1]


def by_differences(field: Field, z: Array, t0: float, t1: float, *, step: float = 2e-3) -> float:
    """-log |det| of the flow map's Jacobian by central differences of fourth order: no derivative of f anywhere."""
    directions = step * np.eye(len(z))
    shifts = np.concatenate([directions, -directions, 2 * directions, -2 * directions]).T
    ahead, behind, far_ahead, far_behind = np.split(flow(field, z[:, None] + shifts, t0, t1), 4, axis=1)
    return -_log_abs_det((8 * (ahead - behind) - (far_ahead - far_behind)) / (12 * step))


def by_variations(field: Field, jacobian: Field, z: Array, t0: float, t1: float) -> float:
    """-log |det| of the solution of Phi' = f_z Phi, Phi(t0) = I, solved beside the path."""
    d = len(z)

    def rate(t: float, y: Array) -> Array:
        return np.concatenate([field(t, y[:d]), (jacobian(t, y[:d]) @ y[d:].reshape(d, d)).ravel()])

    return -_log_abs_det(flow(rate, np.concatenate([z, np.eye(d).ravel()]), t0, t1)[d:].reshape(d, d))


def by_complex_step(field: Field, z: Array, t0: float, t1: float, *, steps: int, size: float = 1e-30) -> float:
    """-log |det| of the complex-step Jacobian of the flow map by the classical Runge-Kutta method: order 4 in 1/steps.

    The field must be holomorphic code.
    """
    y = z[:, None] + 1j * size * np.eye(len(z))
    h = (t1 - t0) / steps
    for t in t0 + h * np.arange(steps):
        k1 = field(t, y)
        k2 = field(t + h / 2, y + h / 2 * k1)
        k3 = field(t + h / 2, y + h / 2 * k2)
        k4 = field(t + h, y + h * k3)
        y = y + h / 6 * (k1 + 2 * k2 + 2 * k3 + k4)
    return -_log_abs_det(y.imag / size)


def by_layers(field: Field, jacobian: Field, z: Array, t0: float, t1: float, *, steps: int) -> float:
    """Minus the sum of log |det(I + h f_z)| over the layers z + h f of a normalising flow: order 1 in 1/steps."""
    h, total = (t1 - t0) / steps, 0.0
    for t in t0 + h * np.arange(steps):
        total -= _log_abs_det(np.eye(len(z)) + h * np.asarray(jacobian(t, z)))
        z = z + h * np.asarray(field(t, z))
    return total


def by_matrix_exponential(matrix: Array, duration: float) -> float:
    """-log |det e^{TA}| for the linear field f = A z: exact, no solver."""
    return -_log_abs_det(expm(duration * np.asarray(matrix)))


def by_sign_vectors(field: Field, z: Array, t0: float, t1: float) -> float:
    """The change of log-density with the trace replaced by the mean of e^T f_z e over all sign vectors e.

    f_z e is a forward derivative by autograd, so `field` must be made of autograd.numpy; the solver is LSODA.  Since e
    and -e give the same number, half of the 2^d vectors are enough.
    """
    from autograd.differential_operators import make_jvp

    signs = [np.array([1.0, *e]) for e in product((1.0, -1.0), repeat=len(z) - 1)]

    def estimate(t: float, y: Array) -> float:
        push = make_jvp(lambda at: field(t, at))(np.asarray(y))
        return float(np.mean([e @ push(e)[1] for e in signs]))

    return float(augmented(field, estimate, z, t0, t1, method="LSODA", tolerance=1e-10)[1])


def mass(
    field: Field, change: Callable[[Array], Array], centre: Array, t0: float, t1: float, *, points: int = 97
) -> Integral:
    """The integral over the plane of the density at t1 that starts as N(centre, I), if `change` is right.

    change   from starting points x of shape (2, n) to the claimed log p(z(t1), t1) - log p(x, t0), of shape (n,).

    Points of a lattice are carried back by DOP853, without a trace or a determinant; the right change gives 1.
    """
    angles = np.linspace(0, 2 * np.pi, 48, endpoint=False)
    rim = flow(field, centre[:, None] + 6.5 * np.stack([np.cos(angles), np.sin(angles)]), t0, t1)
    middle = rim.mean(axis=1)
    axes = np.linalg.svd(rim - middle[:, None])[0]
    extent = np.abs(axes.T @ (rim - middle[:, None])).max(axis=1)

    def density(points: Array) -> Array:
        start = flow(field, points, t1, t0, tolerance=1e-9)
        distance = ((start - centre[:, None]) ** 2).sum(axis=0)
        return np.exp(change(start) - distance / 2) / (2 * np.pi)

    return trapezoid(density, middle, axes * extent, reach=1.0, points=points)


def _log_abs_det(matrix: Array) -> float:
    sign, value = np.linalg.slogdet(matrix)
    if sign == 0 or not np.isfinite(value):
        raise ArithmeticError(f"the Jacobian of the flow map is singular or not finite: {matrix.tolist()}")
    return float(value)
