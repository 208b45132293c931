"""Do the routes without a step, complex step and reverse mode, see what differences cannot?

Differences know a slope to about 1e-16 |f| / reach.  An entry of the gradient far below that, or one wrong in its ninth
digit among ten thousand, only shows without subtraction.  Both routes are offers of the code itself: each is dropped
for good as soon as it contradicts a clean window.  Their noise is not assumed either; it is what a quintic through the
discrepancy along the line leaves over, as in `probe`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from verify.code.blackbox import Blackbox
from verify.code.complex_step import directional
from verify.code.differences import EPS, nodes
from verify.code.points import Site
from verify.code.probe import DOUBT, FLOOR, STANDOFF, Pair, Reading, norms
from verify.code.tracing import pullback, trace

Array = NDArray[np.float64]
FAINTEST = 1e-10
"""Share of the round-off of f below which an entry is as good as 0."""


@dataclass
class ComplexStep:
    """The complex step of one function, as long as it agrees with differences."""

    f: Blackbox
    alive: bool = True
    agreed: int = 0
    why: str = ""
    """Why it was dropped."""

    def slope(self, x: Array, v: Array) -> Array | None:
        """The derivative (m,) at x along v, or None once the route is dropped."""
        if not self.alive:
            return None
        value = directional(self.f, x, v)
        if value is None:
            self.alive, self.why = False, "the code does not carry complex numbers through"
        return value

    def confront(self, value: Array, measured: Reading) -> bool:
        """Whether the value agrees with differences; the route is dropped if it does not."""
        if np.any(np.abs(value - measured.slope) > DOUBT * measured.error):
            self.alive, self.why = False, "the code is not holomorphic: it disagrees with differences"
            return False
        self.agreed += 1
        return True


@dataclass
class ReverseMode:
    """Reverse mode through the code, as long as it agrees with differences."""

    f: Blackbox
    alive: bool = True
    agreed: int = 0
    why: str = ""
    traced: Any = None
    _tried: bool = field(default=False, repr=False)

    def pull(self, x: Array, u: Array) -> Array | None:
        """The gradient (n,) of u . f at x, or None once the route is dropped."""
        if not self.alive:
            return None
        argument = x.reshape(self.f.shape)
        argument = argument[()].copy() if self.f.scalar else argument.copy()
        if not self._tried:
            self._tried = True
            self.traced = trace(self.f.function, argument)
        found = None if self.traced is None else pullback(self.traced, argument)
        if found is None or found[0].shape != self.f.out:
            self.alive, self.why = False, "the code cannot be traced"
            return None
        gradient = found[1](u.reshape(self.f.out)).ravel()
        if gradient.size != x.size or not np.all(np.isfinite(gradient)):
            return None
        return gradient

    def confront(self, gradient: Array, u: Array, v: Array, measured: Reading) -> bool:
        """Whether u J v agrees with differences; the route is dropped if it does not."""
        error = DOUBT * float(np.abs(u) @ measured.error) + 100 * EPS * float(np.linalg.norm(gradient * v))
        if abs(gradient @ v - u @ measured.slope) > error:
            self.alive, self.why = False, "reverse mode disagrees with differences"
            return False
        self.agreed += 1
        return True


def boosted(site: Site, row: Array, size: float, rng: Generator) -> Array:
    """A direction (n,) along which all entries of the gradient `row` count the same.

    Only for routes without a step: entries move by 1 / |row_i|, however far that is.  Entries below the round-off of f
    (`size` is that of its values) count less, since there the claim itself may be round-off.
    """
    reach = np.where(site.reach > 0, site.reach, 1.0)
    floor = np.maximum(4 * EPS * size / reach, np.finfo(float).tiny / EPS)
    return rng.choice([-1.0, 1.0], row.size) * rng.uniform(0.5, 1.0, row.size) / np.maximum(np.abs(row), floor)


def standing_off(values: Array, t: Array) -> tuple[Array, Array]:
    """Discrepancies at the centre and their noise, from samples (k, …) at t (k,) with t[-1] = 0."""
    powers = (t / np.abs(t).max())[:, None] ** np.arange(6)
    basis, _ = np.linalg.qr(powers)
    flat = values.reshape(len(t), -1)
    rest = flat - basis @ (basis.T @ flat)
    noise = np.sqrt((rest**2).sum(0) / (len(t) - 6)).reshape(values.shape[1:])
    return values[-1], noise


def line_nodes(radius: float) -> Array:
    """Places t (13,) on a line where discrepancies are compared; the last is 0."""
    t = nodes()
    return radius * np.concatenate([t, -t, [0.0]])


def complex_discrepancy(
    pair: Pair, route: ComplexStep, x: Array, v: Array, v_line: Array, radius: float
) -> Reading | None:
    """Claim against complex step along v, with the noise of the two taken along the line x + t v_line."""
    claims, values = [], []
    for t in line_nodes(radius):
        at = x + t * v_line
        value = directional(route.f, at, v)
        if value is None:
            return None
        claims.append(pair.jacobian(at) @ v)
        values.append(value)
    if not np.all(np.isfinite(claims)):
        return None
    _, noise = standing_off(np.array(claims) - np.array(values), line_nodes(radius))
    scale = norms(pair.jacobian(x) * v)
    return Reading(claims[-1], values[-1], noise + 4 * EPS * scale + np.finfo(float).tiny, scale)


@dataclass(frozen=True)
class Entries:
    """Claimed and traced gradient of one combination u . f, with the noise of their difference; arrays (n,)."""

    claimed: Array
    traced: Array
    noise: Array
    faint: Array
    """The round-off of f over the reach of each entry: below it, differences see nothing."""

    @property
    def error(self) -> Array:
        return self.noise + FLOOR * np.maximum(np.abs(self.claimed), np.abs(self.traced)) + np.finfo(float).tiny

    def wrong(self) -> NDArray[np.intp]:
        """Entries that stand off by more than their noise and the round-off of f, the worst first."""
        off = np.abs(self.claimed - self.traced) / (self.error + self.faint)
        order = np.argsort(-off)
        return order[off[order] > STANDOFF]

    def faintly_wrong(self) -> NDArray[np.intp]:
        """Entries that stand off by more than their noise, but less than the round-off of f."""
        off = np.abs(self.claimed - self.traced) / self.error
        gap = np.abs(self.claimed - self.traced)
        hidden = (gap <= STANDOFF * (self.error + self.faint)) & (gap > FAINTEST * self.faint)
        return np.flatnonzero((off > STANDOFF) & hidden)


def entries(pair: Pair, route: ReverseMode, site: Site, u: Array, v: Array, radius: float) -> Entries | None:
    """All entries of u J at a site, claimed and traced; v is the line along which noise is measured."""
    gaps = []
    claimed = traced = None
    for t in line_nodes(radius):
        at = site.x + t * v
        traced = route.pull(at, u)
        claimed = u @ pair.jacobian(at)
        if traced is None or not np.all(np.isfinite(claimed)):
            return None
        gaps.append(claimed - traced)
    assert claimed is not None
    assert traced is not None
    _, noise = standing_off(np.array(gaps), line_nodes(radius))
    size = float(np.abs(u) @ (np.abs(pair.f(site.x)) + pair.spread))
    reach = np.where(site.reach > 0, site.reach, np.inf)
    return Entries(claimed, traced, noise, 4 * EPS * size / reach)
