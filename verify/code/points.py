"""Where is a claim about code looked at, and in which directions?

Points of a box are spread evenly (a shifted Kronecker sequence in up to six dimensions, a Latin hypercube above), so
that a strip that fills 2 % of any coordinate's range holds points of every run, and not only of most.  Half of them
are even in the logarithm where a coordinate spans orders of magnitude; some lie close to the edges and close to zero.

A site carries its reach: how far each entry may move both ways without leaving the domain.  Lines go through sites in
fresh, signed, spherical directions scaled by the reach, so that a line at t in [-1, 1] stays inside a box.

Source of the Kronecker sequence: M. Roberts (2018), powers of the generalised golden ratio.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

Array = NDArray[np.float64]
EDGE_SHARE = 8
"""One site in eight has entries close to an edge of the box or to zero."""
WIDE = 1e3
"""Ratio of the ends of an interval above which it is sampled in the logarithm too."""


@dataclass(frozen=True)
class Site:
    """A point x (n,) and the reach (n,) of its entries, both in the unit of the argument."""

    x: Array
    reach: Array


@dataclass(frozen=True)
class Sites:
    """The points of one check.

    shape      of the argument.
    scalar     the argument is a plain number.
    symmetric  every point is a symmetric matrix.
    """

    sites: tuple[Site, ...]
    shape: tuple[int, ...]
    scalar: bool
    symmetric: bool = False


def from_box(low: Any, high: Any, count: int, rng: Generator) -> Sites:
    """Sites of the box low <= x <= high: numbers or arrays of one shape, ends may be infinite.

    Raises ValueError if the ends do not fit together.
    """
    lo, hi = np.asarray(low, dtype=float), np.asarray(high, dtype=float)
    try:
        lo, hi = np.broadcast_arrays(lo, hi)
    except ValueError:
        raise ValueError(
            f"domain: low has shape {lo.shape}, high has shape {hi.shape}; both must have the argument's shape"
        ) from None
    if np.isnan(lo).any() or np.isnan(hi).any() or np.any(lo > hi):
        raise ValueError("domain: low must not exceed high, and neither may be NaN")
    scalar = lo.ndim == 0 and not isinstance(low, np.ndarray) and not isinstance(high, np.ndarray)
    a, b = lo.ravel(), hi.ravel()
    unit = evenly(count, a.size, rng)
    even, logarithmic = _between(a, b, unit), _between_logarithms(a, b, unit)
    x = np.where(np.arange(count)[:, None] % 2 == 0, even, logarithmic)
    x = np.where(np.arange(count)[:, None] % EDGE_SHARE == EDGE_SHARE - 1, _near_edges(a, b, x, rng), x)
    x = np.clip(x, a, b)
    room = np.minimum(x - a, b - x)
    free = np.where(a == b, 1e-2 * np.maximum(1.0, np.abs(x)), np.maximum(1.0, np.abs(x)))
    reach = np.where(np.isfinite(room) & (room > 0), np.minimum(room, _widest(a, b, x)), np.where(a == b, free, 0.0))
    reach = np.where(np.isfinite(room), reach, free)
    return Sites(tuple(Site(p, r) for p, r in zip(x, reach, strict=True)), lo.shape, scalar)


def _widest(a: Array, b: Array, x: Array) -> Array:
    return np.where(np.isfinite(b - a), b - a, np.maximum(1.0, np.abs(x)))


def from_sampler(sampler: Callable[[Generator], Any], count: int, rng: Generator) -> Sites:
    """Sites drawn by `sampler(rng)`, which returns an argument.

    The reach of an entry is its spread over the draws, and no more than its own size where all draws have one sign (so
    that a positive entry stays positive).  Raises ValueError if the draws are not numbers of one shape.
    """
    first = sampler(rng)
    scalar = not isinstance(first, np.ndarray)
    draws = [np.array(first, dtype=float)]
    scalar = scalar and draws[0].ndim == 0
    for _ in range(count - 1):
        draw = np.array(sampler(rng), dtype=float)
        if draw.shape != draws[0].shape:
            raise ValueError(f"domain: the sampler returned shapes {draws[0].shape} and {draw.shape}; one is needed")
        draws.append(draw)
    shape = draws[0].shape
    x = np.array([d.ravel() for d in draws])
    if not np.isfinite(x).all():
        raise ValueError("domain: the sampler returned a value that is not finite")
    spread = np.std(x, axis=0)
    size = np.abs(x)
    spread = np.where(spread > 0, spread, np.where(size.max(0) > 0, size.max(0), 1.0))
    one_sign = np.all(x > 0, axis=0) | np.all(x < 0, axis=0)
    reach = np.where(one_sign, np.minimum(spread, 0.5 * size), spread)
    square = len(shape) == 2 and shape[0] == shape[1] and shape[0] > 1
    symmetric = square and all(np.allclose(d, d.T, rtol=1e-13, atol=0) for d in draws)
    return Sites(tuple(Site(p, r) for p, r in zip(x, reach, strict=True)), shape, scalar, symmetric)


def evenly(count: int, dimension: int, rng: Generator) -> Array:
    """Points (count, dimension) of the unit cube, more even than independent ones."""
    if dimension <= 6:
        root = 2.0
        for _ in range(60):
            root = (1 + root) ** (1 / (dimension + 1))
        steps = root ** -np.arange(1.0, dimension + 1)
        return (rng.random(dimension) + np.arange(count)[:, None] * steps) % 1.0
    strata = np.array([rng.permutation(count) for _ in range(dimension)]).T
    return (strata + rng.random((count, dimension))) / count


def _between(a: Array, b: Array, u: Array) -> Array:
    """u in (0, 1) mapped to (a, b); half and whole lines by an odds scale of size max(1, |end|)."""
    left, right = np.isfinite(a), np.isfinite(b)
    lo, hi = np.where(left, a, 0.0), np.where(right, b, 0.0)
    odds = u / np.maximum(1 - u, 1e-12)
    both = lo + (hi - lo) * u
    up = lo + np.maximum(1.0, np.abs(lo)) * odds
    down = hi - np.maximum(1.0, np.abs(hi)) / np.maximum(odds, 1e-12)
    whole = 2 * np.log(np.maximum(odds, 1e-12))
    return np.where(left & right, both, np.where(left, up, np.where(right, down, whole)))


def _between_logarithms(a: Array, b: Array, u: Array) -> Array:
    """As `_between`, but even in log |x| for intervals of one sign whose ends differ by more than `WIDE`."""
    small, large = np.minimum(np.abs(a), np.abs(b)), np.maximum(np.abs(a), np.abs(b))
    wide = (a * b > 0) & (large > WIDE * small) & np.isfinite(large)
    small, large = np.where(wide, small, 1.0), np.where(wide, large, 1.0)
    return np.where(wide, np.where(a > 0, 1.0, -1.0) * small * (large / small) ** u, _between(a, b, u))


def _near_edges(a: Array, b: Array, x: Array, rng: Generator) -> Array:
    """Half of the entries moved close to an end of their interval, or close to zero if it lies inside."""
    width = np.where(np.isfinite(b - a), b - a, 1.0)
    offset = width * 10.0 ** -rng.uniform(1, 6, x.shape)
    kind = rng.integers(0, 6, x.shape)
    inside = (a < 0) & (b > 0)
    moved = np.where((kind == 0) & np.isfinite(a), a + offset, x)
    moved = np.where((kind == 1) & np.isfinite(b), b - offset, moved)
    return np.where((kind == 2) & inside, np.where(rng.random(x.shape) < 0.5, -offset, offset), moved)


def spherical(site: Site, rng: Generator) -> Array:
    """A direction (n,) with signs, uniform on the sphere, scaled by the reach; the line stays in the box on [-1, 1]."""
    u = rng.standard_normal(site.x.size)
    return site.reach * u / max(np.abs(u).max(initial=0.0), 1e-300)


def levelled(site: Site, slope: Array, least: float, rng: Generator) -> Array:
    """A direction in which entries with a large slope (n,) move little, so that the small ones are seen beside them.

    Entry i moves by reach_i * min(1, c / |slope_i reach_i|), with c a random quantile of the slopes that are not
    zero, but not below `least`, where f could not show it.
    """
    rise = np.abs(slope) * site.reach
    seen = rise[rise > 0]
    level = max(np.quantile(seen, rng.choice([0.0, 0.1, 0.5])), least) if seen.size else 1.0
    with np.errstate(divide="ignore", invalid="ignore"):
        share = np.where(rise > level, level / rise, 1.0)
    return site.reach * share * rng.choice([-1.0, 1.0], site.x.size) * rng.uniform(0.5, 1.0, site.x.size)


def symmetrised(v: Array, shape: tuple[int, ...]) -> Array:
    """The symmetric part of a direction in the space of square matrices."""
    matrix = v.reshape(shape)
    return ((matrix + matrix.T) / 2).ravel()
