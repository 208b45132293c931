"""Does a claimed gradient agree with a function at one point, along one line through it?

A line t -> x + t v turns the question into one about a function of one variable: the claimed slope J(x) v against the
slope of phi(t) = f(x + t v).  `read` asks one window of differences; it is cheap and only raises suspicion.
`examine` answers a suspicion, in this order:

1. windows of every size, wide to narrow: the slope and its error, or no window without a break;
2. no clean window: slopes from both sides; where they differ, x is a kink, and a kink refutes nothing;
3. the discrepancy d(t) = claimed slope - measured slope at neighbouring points of the line: a mistake in a formula is
   as smooth as the formula, noise is not.  What a quintic through d(t) leaves over is noise of either side
   (cancellation in the gradient, single precision, a solver that changes its steps) and is added to the error;
4. a window of another size that agrees with the claim, although the best one does not, means that f has a grain;
5. a second opinion that shares nothing with the first: the integral of the claimed slope against increments of f, or
   one-sided differences where the claim cannot be integrated.

Only a discrepancy of 1000 errors in both opinions refutes.
"""

from __future__ import annotations

import enum
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from verify.code.blackbox import Blackbox
from verify.code.differences import EPS, LEVELS, Line, Window, ladder, radius_of, settled, sides, window
from verify.code.increments import gap

Array = NDArray[np.float64]

STANDOFF = 1000.0
"""Errors that a discrepancy must exceed to refute."""
DOUBT = 30.0
"""Errors above which a discrepancy is not agreement any more."""
GLANCE = 10.0
"""Errors above which a single window makes an examination necessary."""
FLOOR = 2e-13
"""Relative error always granted: special functions and quadratures err smoothly by 1e-13.  1000 times it is 2e-10."""
BLUNT = 1e-2 / DOUBT
"""Relative error of a slope above which agreement says nothing."""
TRIFLE = 1e-10
"""Relative discrepancy that is agreement whatever the errors say: two stable codes for one formula differ that much."""
FAINT = 1e-9
"""A slope known to this part of the spread of f over the domain is known well enough, however small it is itself."""


@dataclass
class Pair:
    """A function (n,) -> (m,) and its claimed Jacobian (n,) -> (m, n)."""

    f: Blackbox
    gradient: Blackbox
    outputs: int
    spread: Array
    """Spread (m,) of the values of f over the domain."""

    def jacobian(self, x: Array) -> Array:
        value = self.gradient(x)
        size = self.outputs * x.size
        return value.reshape(self.outputs, x.size) if value.size == size else np.full((self.outputs, x.size), np.nan)

    def line(self, x: Array, v: Array) -> Line:
        return lambda t: self.f(x + t * v)

    def claimed_along(self, x: Array, v: Array) -> Callable[[float], Array]:
        return lambda t: self.jacobian(x + t * v) @ v


@dataclass(frozen=True)
class Reading:
    """Claimed and measured slope along a line; arrays (m,).

    scale     size of the terms that add up to the claimed slope: the 2-norm of J_j * v.
    residual  noise in the values of f that the windows showed, in the unit of f; None where no window was used.
    """

    claimed: Array
    slope: Array
    error: Array
    scale: Array
    residual: Array | None = None

    @property
    def off(self) -> Array:
        """Discrepancy in errors; infinite where the claim is not a number."""
        with np.errstate(all="ignore"):
            ratio = np.abs(self.claimed - self.slope) / self.error
        return np.where(np.isfinite(self.claimed), ratio, np.inf)

    @property
    def size(self) -> Array:
        """The larger of the claimed terms and the measured slope; the latter where the claim is not a number."""
        return np.fmax(np.where(np.isfinite(self.scale), self.scale, 0.0), np.abs(self.slope))

    @property
    def relative_error(self) -> Array:
        """The error (m,) relative to the slope; 0 where both are."""
        return self.error / np.where(self.size > 0, self.size, np.inf)

    def sharp(self, spread: Array) -> NDArray[np.bool_]:
        """Where agreement would mean something."""
        return self.error <= np.maximum(BLUNT * self.size, FAINT * spread + 1e-290)


def norms(rows: Array) -> Array:
    """2-norms (m,) of rows (m, n), also where their squares overflow."""
    top = np.maximum(np.abs(rows).max(axis=1, initial=0.0), np.finfo(float).tiny)
    return top * np.linalg.norm(rows / top[:, None], axis=1)


def reading(jacobian: Array, v: Array, slope: Array, error: Array, residual: Array | None = None) -> Reading:
    """The claim J v beside a measured slope; every error includes `FLOOR`."""
    with np.errstate(all="ignore"):
        scale = norms(jacobian * v)
        claimed = jacobian @ v
    granted = np.where(np.isfinite(scale), FLOOR * scale, 0.0)
    return Reading(claimed, slope, np.maximum(error + granted, np.finfo(float).tiny), scale, residual)


def read(pair: Pair, x: Array, v: Array, jacobian: Array, centre: Array, level: int) -> tuple[Reading, int] | None:
    """The slope from the first clean window at `level` or narrower, and the level it was found at; None if none is."""
    line = pair.line(x, v)
    best: tuple[Reading, int] | None = None
    lost = 0
    for k in range(level, min(level + 9, LEVELS)):
        seen = window(line, centre, radius_of(k), pair.spread)
        if seen is None:
            continue
        now = reading(jacobian, v, seen.slope, seen.error, seen.residual)
        if best is None or np.max(now.relative_error) < np.max(best[0].relative_error):
            best = now, k
        lost = lost + 1 if np.any(seen.lost) else 0
        worse = np.all((seen.error > 2 * best[0].error) & ~seen.broken)
        if np.all(now.sharp(pair.spread)) or worse or lost == 4:
            break
    return best


class Kind(enum.Enum):
    """What an examination found."""

    AGREES = "agrees"
    REFUTED = "refuted"
    KINK = "kink"
    UNCLEAR = "unclear"
    BLIND = "blind"


@dataclass(frozen=True)
class Finding:
    """The outcome of an examination along one line.

    output   the output with the largest discrepancy.
    noise    error relative to the slope that step 3 found; later readings of the same function may start from it.
    second   name of the second opinion, for a refutation.
    inside   for a kink: the claim lies between the one-sided slopes.
    constant f was the same to the last bit all along the line.
    """

    kind: Kind
    why: str
    reading: Reading | None = None
    output: int = 0
    noise: float = 0.0
    second: str = ""
    second_off: float = 0.0
    inside: bool = False
    level: int = 0
    constant: bool = False


def examine(pair: Pair, x: Array, v: Array, jacobian: Array, blurred: bool = False) -> Finding:
    """Judge the claim at x (n,) along v (n,), given J(x) (m, n); `blurred` if several windows were lost there."""
    line, claimed = pair.line(x, v), pair.claimed_along(x, v)
    centre = pair.f(x)
    if not np.all(np.isfinite(centre)):
        return Finding(Kind.BLIND, "f is not finite at the point")
    if blurred:
        unknown = np.zeros_like(centre)
        kink = _kink(line, centre, reading(jacobian, v, unknown, unknown))
        if kink is not None:
            return kink
    windows = ladder(line, centre, pair.spread)
    if not windows:
        return Finding(Kind.BLIND, "f is not finite on both sides of the point")
    slope = settled(windows)
    now = reading(jacobian, v, slope.value, slope.error, slope.residual)
    sharp = now.sharp(pair.spread)
    if not np.all(np.isfinite(now.slope)) or (np.all(np.isfinite(jacobian)) and not np.all(np.isfinite(now.claimed))):
        return Finding(Kind.BLIND, "the slope is too large for a double")
    if not np.all(np.isfinite(now.claimed)):
        if pair.gradient.answer(x) is None:  # no value was claimed
            return Finding(Kind.UNCLEAR, f"the gradient {pair.gradient.trouble}", now)
        if np.all(sharp):
            return Finding(Kind.REFUTED, "the claim is not finite", now, int(np.argmax(now.off)))
        return Finding(Kind.UNCLEAR, "the claim is not finite, and the slope of f is not clear either", now)
    if not np.all(sharp):
        kink = _kink(line, centre, now)
        if kink is not None:
            return kink
    j = int(np.argmax(np.where(sharp, now.off, 0.0)))
    level = int(np.argmin([abs(w.radius - slope.radius[j]) for w in windows]))
    if now.off[j] <= DOUBT or abs(now.claimed[j] - now.slope[j]) <= TRIFLE * now.size[j]:
        kind = Kind.AGREES if np.all(sharp) else Kind.BLIND
        return Finding(kind, "" if kind is Kind.AGREES else "noise hides the slope", now, j, level=level)
    return _suspicious(pair, x, v, jacobian, windows, now, j, line, claimed)


def _kink(line: Line, centre: Array, now: Reading) -> Finding | None:
    """A kink at the point itself: clean slopes on both sides that differ."""
    for level in (3, 5, 7, 9):
        both = sides(line, centre, radius_of(level))
        if both is None or not np.any(both.kink) or np.any(both.error > 0.1 * np.abs(both.right - both.left).max()):
            continue
        slack = 30 * both.error + 1e-6 * now.size
        low, high = np.minimum(both.left, both.right) - slack, np.maximum(both.left, both.right) + slack
        inside = bool(np.all((low <= now.claimed) & (now.claimed <= high)))
        j = int(np.argmax(np.abs(both.right - both.left)))
        why = f"kink: slope {both.left[j]:.6g} on one side and {both.right[j]:.6g} on the other"
        return Finding(Kind.KINK, why, now, j, inside=inside)
    return None


def _suspicious(
    pair: Pair,
    x: Array,
    v: Array,
    jacobian: Array,
    windows: list[Window],
    now: Reading,
    j: int,
    line: Line,
    claimed: Callable[[float], Array],
) -> Finding:
    """Steps 3 to 5 for output j, whose discrepancy is more than noise as far as the windows know."""
    rough = roughness(pair, x, v, windows, j, float(abs(now.claimed[j] - now.slope[j])))
    error = now.error[j] + rough
    noise = float(rough / now.size[j]) if rough > now.error[j] and now.size[j] > 0 else 0.0
    off = abs(now.claimed[j] - now.slope[j]) / error
    now = Reading(
        now.claimed, now.slope, np.where(np.arange(now.error.size) == j, error, now.error), now.scale, now.residual
    )
    if off <= DOUBT:
        kind = Kind.AGREES if now.sharp(pair.spread)[j] else Kind.BLIND
        return Finding(kind, "noise of the claim or of f explains the discrepancy", now, j, noise)
    if off < STANDOFF:
        return Finding(Kind.UNCLEAR, f"the discrepancy is only {off:.0f} times the estimated error", now, j, noise)
    best = min(windows, key=lambda w: w.error[j])
    for w in windows:
        known = 10 * (w.spread[j] + rough)
        if abs(now.claimed[j] - w.slope[j]) <= known and abs(now.slope[j] - w.slope[j]) > known + 10 * error:
            if best.variation[j] > w.residual[j]:  # else it lies within one step of f
                return Finding(Kind.UNCLEAR, f"the slope of f depends on the step: at {w.radius:.1g} it agrees", now, j)
            wide = reading(jacobian, v, w.slope, w.spread)
            kind = Kind.AGREES if wide.sharp(pair.spread)[j] else Kind.BLIND
            return Finding(kind, "f changes in steps; over many of them it agrees with the claim", wide, j)
    name, second = _second_opinion(line, claimed, windows, now, j, error)
    if second < STANDOFF:
        return Finding(Kind.UNCLEAR, "no second route confirms the discrepancy", now, j, noise)
    constant = all(w.variation[j] == 0 for w in windows)
    return Finding(Kind.REFUTED, "", now, j, noise, name, second, constant=constant)


def roughness(pair: Pair, x: Array, v: Array, windows: list[Window], j: int, distance: float) -> float:
    """What a quintic through the discrepancy at 16 points of the line leaves over, for output j.

    `distance` is the discrepancy at x.

    The points spread over the widest window in which f still follows a polynomial.  If the claim itself has breaks
    there (a piecewise formula), the spread is narrowed until it has none.
    """
    clean = [w for w in windows if w.residual[j] <= 1e-4 * w.variation[j]]
    best = min(windows, key=lambda w: w.error[j])
    span = min(0.6, 4 * max((w.radius for w in clean), default=best.radius))
    claimed = pair.claimed_along(x, v)
    for _ in range(6):
        step = min(best.radius, span / 2)
        t = np.cos((2 * np.arange(16) + 1) * np.pi / 32) * span * 0.9
        claims = np.array([claimed(s)[j] for s in t])
        if np.all(np.isfinite(claims)):
            structure = _left_over(t, claims)
            if structure <= 1e-4 * np.abs(claims).max():
                break
        span /= 4
    else:
        return 0.0
    for _ in range(3):
        gaps = np.full(16, np.nan)
        for i, s in enumerate(t):
            shifted = pair.line(x + s * v, v)
            seen = window(shifted, shifted(0.0), step, pair.spread)
            # A window that straddles a break of f is no measurement.
            if seen is not None and seen.error[j] <= max(
                10 * best.error[j] * best.radius / step, distance / (3 * STANDOFF)
            ):
                gaps[i] = claims[i] - seen.slope[j]
        known = np.isfinite(gaps)
        if known.sum() >= 10:
            rough = _left_over(t[known], gaps[known])
            # Narrower windows than the best one have more noise of their own: that is no news.
            return rough if rough > 5 * best.error[j] * best.radius / step else 0.0
        step /= 4
    return 0.0


def _left_over(t: Array, values: Array) -> float:
    powers = (t / np.abs(t).max())[:, None] ** np.arange(6)
    basis, _ = np.linalg.qr(powers)
    rest = values - basis @ (basis.T @ values)
    return float(np.sqrt((rest**2).sum() / (len(t) - 6)))


def _second_opinion(
    line: Line, claimed: Callable[[float], Array], windows: list[Window], now: Reading, j: int, error: float
) -> tuple[str, float]:
    """Name and standoff, in errors, of the best route that uses no window."""
    best = min(windows, key=lambda w: w.error[j])
    found = ("", 0.0)
    for shrink in (1.0, 1 / 16, 1 / 256):
        seen = gap(line, claimed, 0.99 * best.radius * shrink)
        if seen is not None:
            blur = seen.error[j] + error + best.residual[j] / seen.radius
            found = max(found, ("integral of the claimed slope", float(abs(seen.value[j]) / blur)), key=lambda o: o[1])
        if found[1] >= STANDOFF:
            return found
    both = sides(line, line(0.0), best.radius / 4)
    if both is not None:
        blur = both.error[j] + error + abs(both.right[j] - both.left[j]) / 2 + EPS * now.size[j]
        middle = (both.left[j] + both.right[j]) / 2
        found = max(found, ("one-sided differences", float(abs(now.claimed[j] - middle) / blur)), key=lambda o: o[1])
    return found
