"""Which entry of a refuted gradient is wrong, and what should it be?

The whole Jacobian is measured at a few refuted points by whatever route is trusted there: reverse mode (one sweep for
each output), complex step (one call for each entry) or windows along the coordinates.  An argument too long for that
is halved: of two halves of the direction the one with the larger discrepancy is kept, until one entry is left.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from verify.code.differences import ladder, settled
from verify.code.probe import DOUBT, Reading, reading
from verify.code.slips import Samples
from verify.code.survey import Spot, Survey

Array = NDArray[np.float64]
COORDINATES = 64
"""Entries up to which windows are laid along every coordinate."""
STEPS = 600
"""Entries up to which the complex step goes through every coordinate."""
OUTPUTS = 64
POINTS = 4
"""Refuted points at which the Jacobian is measured."""


@dataclass(frozen=True)
class Place:
    """A wrong entry: its output and entry (flat positions), and the derivative there as claimed and as measured.

    entry   -1 if no single entry could be told; then the derivative is the one along the direction of the spot.
    """

    spot: Spot
    output: int
    entry: int
    claimed: float
    measured: float
    error: float


def samples(seen: Survey) -> Samples | None:
    """Claimed and measured Jacobians at up to four refuted points; None if they cannot be measured."""
    found = []
    error = 0.0
    for spot in _different(seen.refuted)[:POINTS]:
        measured = jacobian(seen, spot)
        if measured is None:
            continue
        matrix, relative = measured
        error = max(error, relative)
        found.append((spot.site.x, seen.pair.jacobian(spot.site.x), matrix))
    if not found or DOUBT * error > 1e-2:
        return None
    points, claimed, true = (np.array(part) for part in zip(*found, strict=True))
    out = seen.pair.f.out or ()
    return Samples(points, claimed, true, max(1e-9, DOUBT * error), seen.sites.shape, out, error)


def _different(spots: list[Spot]) -> list[Spot]:
    kept: dict[int, Spot] = {}
    for spot in spots:
        kept.setdefault(spot.index, spot)
    return list(kept.values())


def jacobian(seen: Survey, spot: Spot) -> tuple[Array, float] | None:
    """The measured Jacobian (m, n) at a spot and its relative error, or None."""
    pair, x = seen.pair, spot.site.x
    m, n = pair.outputs, x.size
    now = spot.finding.reading
    if seen.tied or now is None:
        return None
    if m <= OUTPUTS:
        rows = [seen.reverse.pull(x, unit) for unit in np.eye(m)]
        known = [row for row in rows if row is not None]
        if len(known) == m and _fits(np.array(known), spot.v, now):
            return np.array(known), 1e-12
    if n <= STEPS:
        columns = [seen.complex_step.slope(x, unit) for unit in np.eye(n)]
        known = [column for column in columns if column is not None]
        if len(known) == n and _fits(np.array(known).T, spot.v, now):
            return np.array(known).T, 1e-12
    return _by_windows(seen, spot) if n <= COORDINATES else None


def _fits(matrix: Array, v: Array, measured: Reading) -> bool:
    """Whether J v is what differences found."""
    noise = 1e-12 * np.linalg.norm(matrix * v, axis=1)
    return bool(np.all(np.abs(matrix @ v - measured.slope) <= DOUBT * measured.error + noise))


def _by_windows(seen: Survey, spot: Spot) -> tuple[Array, float] | None:
    pair, x = seen.pair, spot.site.x
    centre = pair.f(x)
    columns, errors = [], []
    for i in range(x.size):
        step = np.zeros(x.size)
        step[i] = spot.site.reach[i] if spot.site.reach[i] > 0 else np.abs(spot.v).max()
        windows = ladder(pair.line(x, step), centre, pair.spread)
        if not windows:
            return None
        slope = settled(windows)
        columns.append(slope.value / step[i])
        errors.append(slope.error / step[i])
    matrix, error = np.array(columns).T, np.array(errors).T
    top = np.abs(matrix).max()
    return (matrix, float(error.max() / top)) if top > 0 and np.all(np.isfinite(error)) else (matrix, 1e-12)


def worst(seen: Survey, known: Samples | None) -> Place:
    """The entry with the largest discrepancy at the first refuted point."""
    spot = seen.refuted[0]
    now = spot.finding.reading
    assert now is not None
    j = spot.finding.output
    along = Place(spot, j, -1, float(now.claimed[j]), float(now.slope[j]), float(now.error[j]))
    only = np.flatnonzero(spot.v)
    if only.size == 1:
        scale = float(spot.v[only[0]])
        values = along.claimed / scale, along.measured / scale, abs(along.error / scale)
        return Place(spot, j, int(only[0]), *values)
    if known is not None and np.isfinite(known.claimed[0]).all():
        gap = np.abs(known.claimed[0] - known.measured[0])
        j, i = (int(k) for k in np.unravel_index(int(np.argmax(gap)), gap.shape))
        size = max(abs(known.claimed[0, j, i]), abs(known.measured[0, j, i]))
        error = known.error * size
        return Place(spot, j, i, float(known.claimed[0, j, i]), float(known.measured[0, j, i]), float(error))
    if not np.all(np.isfinite(now.claimed)):
        bad = np.argwhere(~np.isfinite(seen.pair.jacobian(spot.site.x)))
        j, i = (int(k) for k in bad[0])
        return Place(spot, j, i, float(seen.pair.jacobian(spot.site.x)[j, i]), along.measured, along.error)
    return along if seen.tied else _halved(seen, along)


def _halved(seen: Survey, along: Place) -> Place:
    """Halve the support of the direction until a single entry is left; the whole direction if that loses the trail."""
    pair, x, j = seen.pair, along.spot.site.x, along.output
    jacobian = pair.jacobian(x)
    support = np.flatnonzero(along.spot.v)
    last: Reading | None = None
    while support.size > 1:
        best: tuple[float, NDArray[np.intp], Reading] | None = None
        for half in np.array_split(support, 2):
            part = np.zeros(x.size)
            part[half] = along.spot.v[half]
            windows = ladder(pair.line(x, part), pair.f(x), pair.spread)
            if not windows:
                return along
            slope = settled(windows)
            now = reading(jacobian, part, slope.value, slope.error)
            if best is None or now.off[j] > best[0]:
                best = float(now.off[j]), half, now
        assert best is not None
        if best[0] <= DOUBT:
            return along
        support, last = best[1], best[2]
    if last is None:
        return along
    i = int(support[0])
    scale = float(along.spot.v[i])
    values = float(last.claimed[j]) / scale, float(last.slope[j]) / scale, abs(float(last.error[j]) / scale)
    return Place(along.spot, j, i, *values)
