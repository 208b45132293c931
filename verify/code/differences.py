"""What is the slope of a noisy function of one variable, and how well is it known?

A function phi is sampled at 2K Chebyshev nodes of a window [-R, R] and at 0.  Its odd part is fitted by an odd
polynomial, its even part by an even one.  The slope at 0 is the odd fit's linear coefficient, a fixed combination w of
the samples, so noise of size s in the samples moves it by |w| s / R.  The size s is not assumed: it is what the fit
leaves over.  Round-off, a solver's grain, a kink, a jump or a polynomial degree that is too low all stay in the
residual, so each widens the error that is reported:

    slope = w . odd / R            error = |w| * max(residual, round-off of the values) / R

Several degrees are tried on the same samples and windows of many sizes one after the other; the smallest error wins.
A wide window beats a small step: sin at R = 0.9 gives 1e-14 where a central difference gives 1e-11.

A finer window may not claim to be better than the grain that a coarser one has shown (`settled`): an adaptive solver is
smooth between two changes of its step pattern, and its slope there is not the slope of the exact solution.

All values are arrays (m,): the m outputs of a function along one line, each with its own slope and error.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Line = Callable[[float], Array]
"""t -> values (m,) at the point x + t v; not finite where there is none."""

EPS = float(np.finfo(float).eps)
PAIRS = 6
"""Node pairs in a window.  With the centre 13 values: for degrees 1, 3, 5 there are 10, 8, 6 left to measure noise."""
WIDEST = 0.9
RATIO = 4.0
LEVELS = 13
"""Window sizes 0.9, 0.9/4, ... down to 5e-8 times the reach of the line."""
WEAK = 1e-5
"""Residual relative to the variation of phi below which it counts as grain; a kink leaves more (0.01 to 1)."""

LOST = 1e-3
"""The same above which a window says nothing: what it does not follow may be steeper than anything it shows."""


@dataclass(frozen=True)
class Stencil:
    """Nodes, fits of the degrees 1, 3, 5 (rows) and bases in which what a degree leaves over are the last coordinates.

    t         positive nodes (K,).
    order     in which the nodes (t, -t) are visited (2 K,).
    weights   of the odd fits for the slope (3, K); gain is their 2-norms (3,).
    odd       orthonormal (K, K); its first q columns span t, t^3, …
    even      orthonormal (K + 1, K + 1); its first q columns span 1, t^2, … on the nodes and 0.
    freedom   values minus coefficients (3,).
    """

    t: Array
    order: NDArray[np.intp]
    weights: Array
    gain: Array
    odd: Array
    even: Array
    freedom: Array


@lru_cache
def stencil() -> Stencil:
    """Chebyshev nodes of the window [-1, 1] and the fits on them, with at least six degrees of freedom left over."""
    t = np.cos((2 * np.arange(1, PAIRS + 1) - 1) * np.pi / (4 * PAIRS))
    with_centre = np.append(t, 0.0)
    odd = t[:, None] ** np.arange(1, 2 * PAIRS, 2)
    even = with_centre[:, None] ** np.arange(0, 2 * PAIRS + 1, 2)
    weights = np.array([np.linalg.pinv(odd[:, :q])[0] for q in (1, 2, 3)])
    # The ends first, since they are the first to leave a domain; then shuffled, always in the same way: a function that
    # drifts from call to call must not look like one with a slope.
    order = np.concatenate([[0, PAIRS], 1 + np.random.default_rng(6).permutation(2 * PAIRS - 1)])
    order = np.array(list(dict.fromkeys(order.tolist())))
    freedom = np.array([2 * PAIRS + 1 - q - (q + 1) for q in (1, 2, 3)], dtype=float)
    bases = np.linalg.qr(odd)[0], np.linalg.qr(even)[0]
    return Stencil(t, order, weights, np.linalg.norm(weights, axis=1), *bases, freedom)


def nodes() -> Array:
    """The positive nodes of the window [-1, 1]."""
    return stencil().t


@dataclass(frozen=True)
class Window:
    """What one window says; arrays (m,).

    slope      derivative of phi at 0.
    error      its estimated error, one standard deviation.
    residual   what the best degree leaves over, in units of phi.
    variation  largest |phi(t) - phi(0)| in the window.
    flat       whether a higher degree does not help: the residual is noise, a kink or a jump.
    quiet      size of residuals that are round-off whatever phi does.
    spread     the error as the residual alone gives it, also where `error` is infinite.
    """

    radius: float
    slope: Array
    error: Array
    residual: Array
    variation: Array
    flat: NDArray[np.bool_]
    quiet: Array
    spread: Array

    @property
    def lost(self) -> NDArray[np.bool_]:
        """Where the window says nothing."""
        return np.isinf(self.error)

    @property
    def grainy(self) -> NDArray[np.bool_]:
        """Where the residual is neither truncation nor a kink, so that it is noise."""
        return self.flat & (self.residual <= WEAK * self.variation)

    @property
    def broken(self) -> NDArray[np.bool_]:
        """Where no polynomial follows phi: a kink, a jump or a wave shorter than the window."""
        return self.residual > np.maximum(WEAK * self.variation, self.quiet)


def sample(line: Line, radius: float) -> tuple[Array, Array] | None:
    """Values (K, m) at +t and at -t, or None where one is not finite."""
    rule = stencil()
    t = radius * np.concatenate([rule.t, -rule.t])
    values: list[Array | None] = [None] * len(t)
    for visited, i in enumerate(rule.order):
        value = line(t[i])
        if visited < 2 and not np.isfinite(value).all():
            return None
        values[i] = value
    table = np.array(values)
    return (table[:PAIRS], table[PAIRS:]) if np.isfinite(table).all() else None


def window(line: Line, centre: Array, radius: float, typical: Array | float = 0.0) -> Window | None:
    """The slope at 0 from one window; None where phi is not finite on all of it.

    typical   size (m,) of the values of phi elsewhere: where phi is constant to the last bit, perhaps 0 because two
              large numbers cancel, the bits that were lost are those of numbers of this size.
    """
    with np.errstate(all="ignore"):
        samples = sample(line, radius)
        return None if samples is None else fit(*samples, centre, radius, typical)


def fit(plus: Array, minus: Array, centre: Array, radius: float, typical: Array | float = 0.0) -> Window:
    """The window from values (K, m) at +t and -t, and (m,) at 0."""
    rule = stencil()
    # Relative to the centre, so that projecting adds no round-off of its own to a large constant.
    up, down = plus - centre, minus - centre
    top = np.abs([plus, minus]).max((0, 1))
    variation = np.abs([up, down]).max((0, 1))
    unit = np.where(variation > 0, variation, 1.0)  # squares of 1e200 are infinite
    odd, even = (plus - minus) / (2 * unit), np.zeros((PAIRS + 1, len(centre)))
    even[:-1] = (up + down) / (2 * unit)
    roundoff = EPS * np.where(variation == 0, np.maximum(top, typical), top / 2)
    left = np.cumsum(((rule.odd.T @ odd) ** 2)[::-1], axis=0)[::-1][1:4]
    left = left + np.cumsum(((rule.even.T @ even) ** 2)[::-1], axis=0)[::-1][2:5]
    residuals = np.maximum(np.sqrt(left / rule.freedom[:, None]) * unit, roundoff)
    errors = rule.gain[:, None] * residuals / radius
    best = np.argmin(errors, axis=0)
    pick = (best, np.arange(len(best)))
    slope = (rule.weights @ odd)[pick] * unit / radius
    error, residual = errors[pick], residuals[pick]
    quiet = np.maximum(8 * EPS * top, 2 * roundoff)
    lost = ~(residual <= np.maximum(LOST * variation, quiet))
    flat = residuals[2] >= 0.3 * residuals[1]
    return Window(radius, slope, np.where(lost, np.inf, error), residual, variation, flat, quiet, error)


def radius_of(level: int) -> float:
    """The size of the windows of one level (dimensionless: a fraction of the line's reach)."""
    return WIDEST * RATIO**-level


def ladder(line: Line, centre: Array, typical: Array | float = 0.0) -> list[Window]:
    """Windows from wide to narrow, until two in a row are unbroken and worse than the best for every output."""
    windows: list[Window] = []
    worse = 0
    for level in range(LEVELS):
        seen = window(line, centre, radius_of(level), typical)
        if seen is None:
            continue
        if windows:
            best = np.min([w.error for w in windows], axis=0)
            worse = worse + 1 if np.all((seen.error > 2 * best) & ~seen.broken) else 0
        windows.append(seen)
        if worse == 2:
            break
    return windows


@dataclass(frozen=True)
class Slope:
    """The best that a ladder of windows knows; arrays (m,)."""

    value: Array
    error: Array
    radius: Array
    residual: Array


def settled(windows: Sequence[Window]) -> Slope:
    """The window with the least error for each output, where grain seen in wider windows counts for narrower ones."""
    errors = np.array([w.error for w in windows])
    grain = np.array([np.where(w.grainy, w.error, 0.0) for w in windows])
    errors = np.maximum(errors, np.maximum.accumulate(grain, axis=0))
    errors = np.maximum(errors, _steps(windows))
    best = np.argmin(errors, axis=0)
    pick = (best, np.arange(errors.shape[1]))
    values = np.array([w.slope for w in windows])
    radii = np.array([w.radius for w in windows])
    residuals = np.array([w.residual for w in windows])
    return Slope(values[pick], errors[pick], radii[best], residuals[pick])


def _steps(windows: Sequence[Window]) -> Array:
    """Least errors (k, m) of windows on which phi is constant, after two in a row whose residual does not shrink.

    Then phi moves in steps (single precision, rounded values), and its perfect slope 0 between two of them says little.
    """
    residuals = np.array([w.residual for w in windows])
    radii = np.array([w.radius for w in windows])[:, None]
    constant = np.array([w.variation == 0 for w in windows])
    floors = np.zeros_like(residuals)
    for k in range(len(windows) - 1):
        step = np.where(residuals[k + 1] >= 0.4 * residuals[k], residuals[k + 1], 0.0)
        floors[k + 2 :] = np.maximum(floors[k + 2 :], np.where(constant[k + 2 :], step / radii[k + 2 :], 0.0))
    return floors


@dataclass(frozen=True)
class Sides:
    """One-sided slopes at 0 with their errors, and the radius they were measured on; arrays (m,)."""

    left: Array
    right: Array
    error: Array
    radius: float

    @property
    def kink(self) -> NDArray[np.bool_]:
        """Where the two slopes differ by far more than their errors."""
        return np.abs(self.right - self.left) > 100 * self.error


@lru_cache
def _one_sided() -> tuple[Array, Array, Array, float]:
    """Nodes in (0, 1], slope weights and the rest of a cubic fit through the centre, and the weights' norm."""
    t = (1 + np.cos((2 * np.arange(10) + 1) * np.pi / 20)) / 2
    powers = t[:, None] ** np.arange(1, 4)
    weights = np.linalg.pinv(powers)[0]
    basis, _ = np.linalg.qr(powers)
    return t, weights, np.eye(len(t)) - basis @ basis.T, float(np.linalg.norm(weights))


def sides(line: Line, centre: Array, radius: float) -> Sides | None:
    """Slopes from the left and from the right; None where phi is not finite on both sides."""
    t, weights, rest, gain = _one_sided()
    found = []
    with np.errstate(all="ignore"):
        for sign in (-1.0, 1.0):
            rise = np.array([line(sign * radius * s) for s in t]) - centre
            if not np.all(np.isfinite(rise)):
                return None
            residual = np.sqrt(((rest @ rise) ** 2).sum(0) / (len(t) - 3))
            residual = np.maximum(residual, EPS * (np.abs(centre) + np.abs(rise).max(0)))
            found.append((sign * (weights @ rise) / radius, gain * residual / radius))
    (left, left_error), (right, right_error) = found
    return Sides(left, right, left_error + right_error, radius)
