"""What is this integral, and how many of its digits can be believed?  Four rules, each with its own error.

They share no code, so that one can contradict another:

    integrate            Gauss-Kronrod (10, 21) with bisection; finite and infinite intervals
    double_exponential   the trapezoidal rule after x = tanh, exp or sinh of (pi/2) sinh t; for analytic integrands
    gauss_hermite        Gaussian expectations in R^d; exact for polynomials, refused where two node counts differ
    trapezoid            equidistant nodes on the whole of R^d; for analytic integrands that decay

The error of an `Integral` is what the rule itself could see: the difference to a coarser rule plus the round-off of the
sum.  For smooth integrands that is too large by many orders of magnitude; but a peak narrower than the first nodes is
invisible to any rule, so name such places in `breaks`.
A value that is not finite stops the integration (`NotFinite`), it is never averaged away; an integral whose error does
not come down is refused (`Unresolved`), because a divergent integral has no value.

Sources: Piessens et al., QUADPACK (1983); Takahasi and Mori (1974); Trefethen and Weideman, SIAM Review 56 (2014).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]
Integrand = Callable[[Array], Array]
"""Vectorised: points of shape (n,), or columns (d, n) in several dimensions, to values of shape (n,)."""

EPS = float(np.finfo(float).eps)


@dataclass(frozen=True)
class Integral:
    """A value and a bound that the rule puts on its error, both in the unit of the integral."""

    value: float
    error: float
    evaluations: int


class NotFinite(ArithmeticError):
    """The integrand is nan or infinite at a point where it was needed."""


class Unresolved(ArithmeticError):
    """The error does not come down to what was asked for; the integral may diverge."""


def expectation_of(weight: Integrand, function: Integrand) -> Integrand:
    """weight * function, where a weight that underflows to 0 outweighs whatever the function does there.

    So an exponential under a Gaussian is 0 far out, and not 0 * inf.
    """

    def product(x: Array) -> Array:
        w = weight(x)
        values = np.zeros_like(w)
        inside = w != 0
        values[inside] = w[inside] * function(x[..., inside])
        return values

    return product


# --- adaptive Gauss-Kronrod ----------------------------------------------------------------------

# fmt: off
_KRONROD_NODES = np.array([
    0.995657163025808080735527280689003, 0.973906528517171720077964012084452, 0.930157491355708226001207180059508,
    0.865063366688984510732096688423493, 0.780817726586416897063717578345042, 0.679409568299024406234327365114874,
    0.562757134668604683339000099272694, 0.433395394129247190799265943165784, 0.294392862701460198131126603103866,
    0.148874338981631210884826001129720, 0.0])
_KRONROD_WEIGHTS = np.array([
    0.011694638867371874278064396062192, 0.032558162307964727478818972459390, 0.054755896574351996031381300244580,
    0.075039674810919952767043140916190, 0.093125454583697605535065465083366, 0.109387158802297641899210590325805,
    0.123491976262065851077958109585166, 0.134709217311473325928054001771707, 0.142775938577060080797094273138717,
    0.147739104901338491374841515972068, 0.149445554002916905664936468389821])
_GAUSS_WEIGHTS = np.array([
    0.066671344308688137593568809893332, 0.149451349150580593145863397657697, 0.219086362515982043995534934228163,
    0.269266719309996355091226921569469, 0.295524224714752870173815619188769])
# fmt: on
_NODES = np.concatenate([-_KRONROD_NODES[:10], _KRONROD_NODES[::-1]])
_KRONROD = np.concatenate([_KRONROD_WEIGHTS[:10], _KRONROD_WEIGHTS[::-1]])
_GAUSS = np.zeros(21)
_GAUSS[1:10:2] = _GAUSS_WEIGHTS
_GAUSS[11:20:2] = _GAUSS_WEIGHTS[::-1]


def integrate(
    f: Integrand,
    low: float,
    high: float,
    *,
    breaks: Sequence[float] = (),
    absolute: float = 1e-13,
    relative: float = 1e-11,
    most: int = 2000,
) -> Integral:
    """The integral of f over (low, high), bisected where the Gauss and the Kronrod rule differ most.

    breaks      places where f is not smooth or has its peaks; with an infinite end, name a place near the bulk of f
    absolute, relative   when to stop: error <= max(absolute, relative*|value|), or at the round-off of the sum, for
                each piece between two breaks (both sides of a doubly infinite integral must converge by themselves)
    most        how many panels of 21 points a piece may use

    Raises ValueError for an interval that is empty, NotFinite and Unresolved as above.
    """
    parts = [_adapt(g, 0.0, 1.0, name, absolute, relative, most) for g, name in _pieces(f, *_edges(low, high, breaks))]
    return Integral(sum(p.value for p in parts), sum(p.error for p in parts), sum(p.evaluations for p in parts))


def _edges(low: float, high: float, breaks: Sequence[float]) -> tuple[float, ...]:
    if not low < high:
        raise ValueError(f"interval ({low}, {high}) is empty: `low` must be below `high`")
    inside = sorted({b for b in breaks if low < b < high})
    if not inside and np.isinf(low) and np.isinf(high):
        inside = [0.0]
    return (low, *inside, high)


def _pieces(f: Integrand, *edges: float) -> Iterator[tuple[Integrand, str]]:
    """For each piece an integrand on (0, 1) and its name; an infinite end lies at t = 0, where x = c ± (1 - t)/t."""
    for low, high in pairwise(edges):
        yield _on_unit_interval(f, low, high), f"({low:g}, {high:g})"


def _on_unit_interval(f: Integrand, low: float, high: float) -> Integrand:
    def finite(t: Array) -> Array:
        return _finite(f, low + (high - low) * t) * (high - low)

    def upward(t: Array) -> Array:
        return _finite(f, low + (1 - t) / t) / t**2

    def downward(t: Array) -> Array:
        return _finite(f, high - (1 - t) / t) / t**2

    return downward if np.isinf(low) else upward if np.isinf(high) else finite


#: First panels of a piece (uneven, so that no symmetry of f can hide), and the narrowest panel worth halving.
_FIRST = np.array([0.0, 0.03, 0.13, 0.31, 0.54, 0.77, 1.0])
_NARROWEST = 1e-40


def _adapt(g: Integrand, low: float, high: float, name: str, absolute: float, relative: float, most: int) -> Integral:
    left, right = low + (high - low) * _FIRST[:-1], low + (high - low) * _FIRST[1:]
    values, errors, sizes = _panels(g, left, right)
    while True:
        total, error, floor = float(values.sum()), float(errors.sum()), 50 * EPS * float(sizes.sum())
        allowed = max(absolute, relative * abs(total), floor)
        if error <= allowed:
            return Integral(total, error + floor, 21 * (2 * len(left) - len(_FIRST) + 1))
        # Halve the worst panels: all but those whose errors together fill half of what is allowed.
        order = np.argsort(errors, kind="stable")
        worst = order[np.cumsum(errors[order]) > allowed / 2]
        middle = (left[worst] + right[worst]) / 2
        stuck = (middle <= left[worst]) | (middle >= right[worst]) | (right[worst] - left[worst] < _NARROWEST)
        if stuck.any() or len(left) + len(worst) > most:
            raise Unresolved(
                f"integral over {name}: {total:.6g} with error {error:.1g} on {len(left)} panels, asked for "
                f"{allowed:.1g}. It may diverge, or f has a singularity that is not in `breaks`."
            )
        halves = (np.concatenate([left[worst], middle]), np.concatenate([middle, right[worst]]))
        fresh = _panels(g, *halves)
        keep = np.ones(len(left), bool)
        keep[worst] = False
        left, right, values, errors, sizes = (
            np.concatenate([old[keep], new])
            for old, new in zip((left, right, values, errors, sizes), (*halves, *fresh), strict=True)
        )


def _panels(g: Integrand, left: Array, right: Array) -> tuple[Array, Array, Array]:
    """Kronrod values, |Kronrod - Gauss| and integrals of |g| on the panels, each of shape (panels,)."""
    middle, half = (left + right) / 2, (right - left) / 2
    values = g((middle[:, None] + half[:, None] * _NODES).ravel()).reshape(len(left), 21)
    kronrod, gauss = half * (values @ _KRONROD), half * (values @ _GAUSS)
    return kronrod, np.abs(kronrod - gauss), half * (np.abs(values) @ _KRONROD)


def _finite(f: Integrand, x: Array) -> Array:
    with np.errstate(all="ignore"):  # what overflows is caught below
        values = np.asarray(f(x), dtype=float)
    if values.shape != x.shape[-1:]:
        raise ValueError(f"the integrand returned shape {values.shape} for {x.shape[-1]} points; it must be vectorised")
    bad = ~np.isfinite(values)
    if bad.any():
        where = int(np.argmax(bad))
        raise NotFinite(f"the integrand is {values[where]} at x = {x[..., where]}")
    return values


# --- double exponential ----------------------------------------------------------------------------


def double_exponential(
    f: Integrand, low: float, high: float, *, centre: float = 0.0, scale: float = 1.0, levels: int = 8
) -> Integral:
    """The integral of f over (low, high) by halving the step of a trapezoidal rule until two levels agree.

    centre, scale   where the bulk of f is and how wide, for infinite intervals (both in the unit of x)

    Raises ValueError, NotFinite, and Unresolved when the last two levels differ by more than 1e-8 of the integral
    of |f|: the integrand has a kink, a narrow peak, or no integral.
    """
    _edges(low, high, ())
    previous, evaluations = np.nan, 0
    for level in range(2, levels + 1):
        step = 2.0**-level
        t = step * np.arange(-int(6 / step), int(6 / step) + 1)
        x, weights = _double_exponential_map(t, low, high, centre, scale)
        # Nodes that round to an end, or whose weight overflows, lie beyond the last digit of an integrable f.
        usable = (x > low) & (x < high) & np.isfinite(weights) & (weights > 0)
        terms = _finite(f, x[usable]) * weights[usable]
        total, size = float(terms.sum()) * step, float(np.abs(terms).sum()) * step
        evaluations += int(usable.sum())
        # What lies beyond the ends is at most of the size of the last terms, unless the integral diverges.
        beyond = float(abs(terms[0]) + abs(terms[-1]))
        error = abs(total - previous) + beyond + 10 * EPS * size
        if error <= 1e-13 * size:
            break
        previous = total
    if not error <= 1e-8 * size:
        raise Unresolved(f"integral over ({low:g}, {high:g}): two levels differ by {error:.1g} at {total:.6g}")
    return Integral(total, error, evaluations)


def _double_exponential_map(t: Array, low: float, high: float, centre: float, scale: float) -> tuple[Array, Array]:
    inner, slope = np.pi / 2 * np.sinh(t), np.pi / 2 * np.cosh(t)
    with np.errstate(over="ignore", under="ignore"):
        if np.isfinite(low) and np.isfinite(high):
            half = (high - low) / 2
            near = half * 2 / (1 + np.exp(2 * np.abs(inner)))  # the distance to the nearer end, to full accuracy
            x = np.where(t < 0, low + near, high - near)
            return x, half * slope / np.cosh(inner) ** 2
        if np.isinf(low) and np.isinf(high):
            return centre + scale * np.sinh(inner), scale * slope * np.cosh(inner)
        away = scale * np.exp(inner)
        return (low + away, away * slope) if np.isfinite(low) else (high - away, away * slope)


# --- Gaussian expectations, and the whole of R^d -----------------------------------------------------


def gauss_hermite(f: Callable[[Array], Array], mean: Array, covariance: Array, *, nodes: int = 40) -> Array:
    """E f(X) for X ~ N(mean, covariance), with `nodes`^d points.

    f           points of shape (d, n) to values of shape (…, n)
    mean        shape (d,);  covariance  shape (d, d), positive definite

    Returns an array of shape (…).  Exact for polynomials of degree below 2*nodes; Unresolved when half as many nodes
    give another value by more than 1e-9 of E|f|, as under a law that is wide against the nearest singularity of f.
    """
    mean, root = np.atleast_1d(mean), np.linalg.cholesky(np.atleast_2d(covariance))
    fine, size = _hermite_rule(f, mean, root, nodes)
    coarse, _ = _hermite_rule(f, mean, root, nodes // 2)
    off = np.abs(fine - coarse) > 1e-9 * size + 1e-300
    if off.any():
        raise Unresolved(
            f"Gauss-Hermite with {nodes} and {nodes // 2} nodes: {fine[off].flat[0]}, {coarse[off].flat[0]}"
        )
    return fine


def _hermite_rule(f: Callable[[Array], Array], mean: Array, root: Array, nodes: int) -> tuple[Array, Array]:
    x, w = np.polynomial.hermite_e.hermegauss(nodes)
    d = len(mean)
    grid = np.stack(np.meshgrid(*[x] * d, indexing="ij"), axis=-1).reshape(-1, d)
    weights = np.prod(np.stack(np.meshgrid(*[w / w.sum()] * d, indexing="ij"), axis=-1), axis=-1).ravel()
    values = np.asarray(f(mean[:, None] + root @ grid.T), dtype=float)
    if not np.isfinite(values).all():
        raise NotFinite("the function is not finite at a Gauss-Hermite node")
    return values @ weights, np.abs(values) @ weights


def trapezoid(f: Integrand, centre: Array, frame: Array, *, reach: float = 8.0, points: int = 33) -> Integral:
    """The integral of f over R^d on the lattice centre + frame @ u, u equidistant in [-reach, reach]^d.

    f        points of shape (d, n) to values of shape (n,)
    centre   shape (d,);  frame  shape (d, d): its columns span a box that holds the bulk of f

    The error is the difference to every second point, plus the largest |f| on the faces of the box times its volume;
    the rule converges exponentially, so this is a wide overestimate as long as f decays beyond the box.
    """
    centre = np.asarray(centre, dtype=float)
    d = len(centre)
    if points % 4 != 1:
        raise ValueError(f"{points} points: a lattice whose every second point is a lattice needs 4k + 1")
    u = np.linspace(-reach, reach, points)
    lattice = np.stack(np.meshgrid(*[u] * d, indexing="ij"), axis=-1).reshape(-1, d)
    values = _finite(f, centre[:, None] + np.asarray(frame, dtype=float) @ lattice.T).reshape([points] * d)
    cell = float(u[1] - u[0]) ** d * abs(float(np.linalg.det(frame)))
    fine, coarse = float(values.sum()) * cell, float(values[(slice(None, None, 2),) * d].sum()) * cell * 2**d
    rim = max(float(np.abs(values.take(end, axis=k)).max()) for k in range(d) for end in (0, -1))
    error = abs(fine - coarse) + rim * cell * points**d + 10 * EPS * float(np.abs(values).sum()) * cell
    return Integral(fine, error, points**d)
