"""Which single entries of a gradient are wrong where differences are blind?

Whole gradients are compared with reverse mode at six points, entry by entry, and the points at which claim and
complex step differed most are looked at again.  A discrepancy beyond the noise of the two is halved down to one
entry, and that entry is put to another route: the other one without steps, or else differences along that entry
alone.

An entry below the round-off of f is judged with care: there the claim may be a difference that was rounded away.
Only the same factor at every point is a mistake.
"""

from __future__ import annotations

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from verify.code import exact
from verify.code.differences import EPS, radius_of
from verify.code.points import Site, spherical
from verify.code.probe import FLOOR, STANDOFF, Finding, Kind, Reading, examine, read, reading
from verify.code.survey import Spot, Survey, file

Array = NDArray[np.float64]


def compare(seen: Survey, rng: Generator) -> None:
    """Add to the survey what the routes without steps find, unless it has refuted the claim already."""
    if not seen.refuted:
        _entries(seen, rng)
    if not seen.refuted:
        _complex_outliers(seen, rng)


def _entries(seen: Survey, rng: Generator) -> None:
    """Compare whole gradients with reverse mode at six sites, entry by entry."""
    m = seen.pair.outputs
    ratios: dict[int, list[float]] = {}
    looked = 0
    known = [*seen.agreed, *(spot.index for spot in seen.unclear)]
    for i in known[:: max(1, len(known) // 6)][:6]:
        site = seen.sites.sites[i]
        u = np.eye(m)[rng.integers(m)] if m > 1 else np.ones(1)
        v = spherical(site, rng)
        if seen.tied or not _trusted(seen, site, u, v):
            return
        found = exact.entries(seen.pair, seen.reverse, site, u, v, radius_of(seen.level + 1))
        if found is None:
            continue
        looked += 1
        for k in found.wrong()[:1]:
            part = np.zeros_like(v)
            part[k] = site.reach[k] if site.reach[k] > 0 else 1.0
            j = int(np.argmax(u))
            claim, traced = seen.pair.jacobian(site.x) @ part, np.zeros(m)
            traced[j] = found.traced[k] * part[k]
            error = np.full(m, float(found.error[k] * part[k]))
            now = Reading(claim, traced, error, np.abs(claim))
            _judge_entry(seen, i, site, part, j, now, "reverse mode", rng)
            if seen.refuted or seen.unclear:
                return
        with np.errstate(all="ignore"):
            for k in found.faintly_wrong()[:50]:
                ratios.setdefault(int(k), []).append(float(found.claimed[k] / found.traced[k]))
    if m == 1:
        _faint(seen, ratios, looked)


def _trusted(seen: Survey, site: Site, u: Array, v: Array) -> bool:
    """Whether reverse mode agrees with differences at a site, u . f along v."""
    jacobian = seen.pair.jacobian(site.x)
    found = read(seen.pair, site.x, v, jacobian, seen.pair.f(site.x), seen.level)
    pulled = seen.reverse.pull(site.x, u)
    return found is not None and pulled is not None and seen.reverse.confront(pulled, u, v, found[0])


def _faint(seen: Survey, ratios: dict[int, list[float]], looked: int) -> None:
    """Entries below the round-off of f: only the same factor at every site is a mistake and not rounding."""
    for k, found in ratios.items():
        if looked < 4 or len(found) < looked or not np.ptp(found) <= 1e-6 * abs(found[0]):
            continue
        i = next(iter(seen.agreed), 0)
        site = seen.sites.sites[i]
        part = np.zeros(site.x.size)
        part[k] = site.reach[k] if site.reach[k] > 0 else 1.0
        value = seen.complex_step.slope(site.x, part)
        jacobian = seen.pair.jacobian(site.x)
        now = reading(jacobian, part, np.zeros(1) if value is None else value, np.zeros(1))
        same = value is not None and abs(now.claimed[0] / value[0] - found[0]) <= 1e-6 * abs(found[0])
        if not same or found[0] == 0:  # a claimed 0 may be a difference that was rounded away
            seen.unclear.append(Spot(i, site, part, Finding(Kind.UNCLEAR, "entry below the round-off of f", now)))
            return
        finding = Finding(Kind.REFUTED, "", now, second="reverse mode", second_off=float(now.off[0]))
        seen.refuted.append(Spot(i, site, part, finding, "complex step"))
        return


def _complex_outliers(seen: Survey, rng: Generator) -> None:
    """Where claim and complex step differ by more than rounding, find out whether it is noise."""
    if seen.refuted or not seen.complex_step.alive or not seen.step_free:
        return
    worst = sorted(seen.step_free, key=lambda i: -float(seen.step_free[i].max()))
    for i in worst[:4]:
        if seen.step_free[i].max() < 1e-14:
            return
        site = seen.sites.sites[i]
        jacobian = seen.pair.jacobian(site.x)
        j = int(np.argmax(seen.step_free[i]))
        size = float(np.abs(seen.pair.f(site.x)[j]) + seen.pair.spread[j])
        line = spherical(site, rng)
        for v in (line, exact.boosted(site, jacobian[j], size, rng)):
            now = exact.complex_discrepancy(seen.pair, seen.complex_step, site.x, v, line, radius_of(seen.level + 1))
            if now is not None and now.off[j] > STANDOFF:
                _single_out(seen, i, site, jacobian, j, v, line, rng)
                if seen.refuted or seen.unclear:
                    return


def _single_out(
    seen: Survey, i: int, site: Site, jacobian: Array, j: int, v: Array, line: Array, rng: Generator
) -> None:
    """Halve the support of v until one entry is left that differs from the complex step; then judge that entry."""
    support = np.arange(v.size)
    while support.size > 1:
        halves = np.array_split(rng.permutation(support), 2)
        offs = []
        for half in halves:
            part = np.zeros_like(v)
            part[half] = v[half]
            value = seen.complex_step.slope(site.x, part)
            if value is None:
                return
            size = np.linalg.norm(jacobian[j] * part)
            offs.append(abs(jacobian[j] @ part - value[j]) / size if size > 0 else np.inf * abs(value[j]))
        if not np.isfinite(offs).any() and not np.isinf(offs).any():
            return
        support = halves[int(np.argmax(np.nan_to_num(offs, nan=0.0)))]
    part = np.zeros_like(v)
    part[support] = site.reach[support] if site.reach[support[0]] > 0 else 1.0
    now = exact.complex_discrepancy(seen.pair, seen.complex_step, site.x, part, line, radius_of(seen.level + 1))
    if now is None:
        return
    size = float(np.abs(seen.pair.f(site.x)[j]) + seen.pair.spread[j])
    error = now.error + FLOOR * now.size + 4 * EPS * size  # what is below the round-off of f is not judged here
    now = Reading(now.claimed, now.slope, error, now.scale)
    if now.off[j] <= STANDOFF:
        return
    _judge_entry(seen, i, site, part, j, now, "complex step", rng)


def _judge_entry(
    seen: Survey, i: int, site: Site, part: Array, j: int, now: Reading, route: str, rng: Generator
) -> None:
    """An entry differs from one route without steps: ask the other one, then differences along that entry alone."""
    jacobian = seen.pair.jacobian(site.x)
    second, off = "", 0.0
    distance = abs(now.claimed[j] - now.slope[j])
    if route == "complex step":
        pulled = seen.reverse.pull(site.x, np.eye(len(jacobian))[j])
        if pulled is not None and seen.reverse.agreed:
            other, name = float(pulled @ part), "reverse mode"
            if abs(other - now.slope[j]) < distance / STANDOFF:
                second, off = name, abs(now.claimed[j] - other) / now.error[j]
    else:
        value = seen.complex_step.slope(site.x, part)
        if value is not None and seen.complex_step.agreed and abs(value[j] - now.slope[j]) < distance / STANDOFF:
            second, off = "complex step", abs(now.claimed[j] - value[j]) / now.error[j]
    if not second:
        finding = examine(seen.pair, site.x, part, jacobian)
        if finding.kind is Kind.REFUTED:
            file(seen, Spot(i, site, part, finding), jacobian, rng)
            return
        if finding.kind is Kind.AGREES and now.off[j] < STANDOFF * STANDOFF:
            return
    kind = Kind.REFUTED if off > STANDOFF else Kind.UNCLEAR
    why = (
        ""
        if kind is Kind.REFUTED
        else f"only {route} sees the discrepancy; the round-off of f hides it from differences"
    )
    spot = Spot(i, site, part, Finding(kind, why, now, j, second=second, second_off=off), route)
    (seen.refuted if kind is Kind.REFUTED else seen.unclear).append(spot)
