"""What is an expectation under a law, numerically?  Densities as functions of arrays, and E[g] by two rules.

Points are columns, as in the functions made from expressions: x has shape (d, n) for n points.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from verify.numerics.quadrature import Integral, double_exponential, expectation_of, integrate

Array = Any


@dataclass(frozen=True)
class Density:
    """A law as functions of x of shape (d, …): log_density (…) and score (d, …), on a product of intervals."""

    log_density: Callable[[Array], Array]
    score: Callable[[Array], Array]
    support: tuple[tuple[float, float], ...]

    def density(self, x: Array) -> Array:
        """p, where underflow is 0 without a warning."""
        with np.errstate(under="ignore", over="ignore", divide="ignore"):
            return np.exp(self.log_density(x))


def gradient(function: Callable[[Array], Array], x: Array) -> Array:
    """Gradients (d, n) of a scalar function at n points x of shape (d, n), by reverse mode.

    The function maps (d, n) to (n,), each point to its own value, and is made of autograd.numpy.
    """
    from autograd import elementwise_grad

    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Output seems independent of input")  # a constant: the gradient is 0
        return np.asarray(elementwise_grad(function)(np.asarray(x, dtype=float)))


def expectation(
    law: Density, g: Callable[[Array], Array], *, breaks: Sequence[float] = (), relative: float = 1e-11
) -> Integral:
    """E_p g by adaptive Gauss-Kronrod, for a law of one variable; g takes x of shape (1, n).

    Raises NotFinite and Unresolved, as `verify.numerics.quadrature.integrate` does.
    """
    (low, high) = law.support[0]
    product = expectation_of(lambda x: law.density(x[None]), lambda x: g(x[None]))
    return integrate(product, low, high, breaks=breaks, relative=relative)


def expectation_by_substitution(
    law: Density, g: Callable[[Array], Array], *, centre: float = 0.0, scale: float = 1.0
) -> Integral:
    """The same by the double exponential rule, for analytic integrands."""
    (low, high) = law.support[0]
    product = expectation_of(lambda x: law.density(x[None]), lambda x: g(x[None]))
    return double_exponential(product, low, high, centre=centre, scale=scale)


# --- a law on the half-plane x_2 > 0 ----------------------------------------------------------------


def on_half_plane(density: Callable[[Array], Array], g: Callable[[Array], Array], slope: float, width: float) -> float:
    """E g: adaptive Gauss-Kronrod in x_2, a lattice of 81 points in x_1 around slope*x_2.

    density, g   functions of x of shape (2, n)
    width        standard deviation of x_1 given x_2
    """
    lattice = np.linspace(-9, 9, 81) * width
    step = lattice[1] - lattice[0]

    def inner(x2: Array) -> Array:
        x = np.stack([(slope * x2[:, None] + lattice).ravel(), np.repeat(x2, len(lattice))])
        return expectation_of(density, g)(x).reshape(len(x2), -1).sum(axis=1) * step

    return integrate(inner, 0.0, np.inf, relative=1e-10, absolute=1e-13).value


def on_half_plane_by_nodes(
    density: Callable[[Array], Array], g: Callable[[Array], Array], slope: float, width: float, nodes: int = 24
) -> float:
    """The same by the double exponential rule in x_2 and Gauss-Hermite in x_1, for a law normal in x_1 given x_2."""
    z, weights = np.polynomial.hermite_e.hermegauss(nodes)
    weights = weights * np.exp(z**2 / 2) * width

    def inner(x2: Array) -> Array:
        x = np.stack([(slope * x2[:, None] + width * z).ravel(), np.repeat(x2, nodes)])
        return expectation_of(density, g)(x).reshape(len(x2), nodes) @ weights

    return double_exponential(inner, 0.0, np.inf).value
