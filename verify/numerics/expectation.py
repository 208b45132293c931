"""What is an expectation under a law, numerically?  Densities as functions of arrays, and E[g] by two rules.

Points are columns, as in the functions made from expressions: x has shape (d, n) for n points.
"""

from __future__ import annotations

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


def traced_score(log_density: Callable[[Array], Array], x: Array) -> Array:
    """The score at x of shape (d, n) by reverse mode; `log_density` must be made of autograd.numpy."""
    from autograd import elementwise_grad

    return elementwise_grad(lambda x: log_density(x))(np.asarray(x, dtype=float))


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
