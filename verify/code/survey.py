"""On which part of a domain does a claimed gradient hold?

Every site is read along a fresh direction (one window, `probe.read`); every second one also along a direction in
which large entries of the gradient move little, so that small entries are seen.  A dozen sites are examined fully
first: they tell which window suits the function and whether the routes without a step can be trusted.  Any suspicion
is examined; an examination that refutes is repeated at neighbouring points, because a formula is not wrong for being
wrong at one point. After that the remaining sites are only read, to see how far the mistake reaches.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from verify.code import exact
from verify.code.differences import radius_of
from verify.code.points import Site, Sites, levelled, spherical, symmetrised
from verify.code.probe import (
    DOUBT,
    GLANCE,
    STANDOFF,
    Finding,
    Kind,
    Pair,
    Reading,
    examine,
    norms,
    read,
)

Array = NDArray[np.float64]
FULL = 12
MOST_EXAMINATIONS = 40
OPEN = 1e-6
"""Relative discrepancy that is not refuted in a function that was seen to have a grain."""
RARE = 0.05
"""Share of the sites that is few."""
UNEVEN = 1e-3
"""An entry whose share of the slope is below this is looked at along levelled directions too."""


@dataclass(frozen=True)
class Spot:
    """A site, the direction of a line through it, and what was found there."""

    index: int
    site: Site
    v: Array
    finding: Finding
    route: str = "windows"


@dataclass
class Survey:
    """All that was seen; indices are those of the sites."""

    pair: Pair
    sites: Sites
    level: int = 2
    agreed: dict[int, Reading] = field(default_factory=dict)
    undefined: list[int] = field(default_factory=list)
    blind: list[Spot] = field(default_factory=list)
    kinks: list[Spot] = field(default_factory=list)
    unclear: list[Spot] = field(default_factory=list)
    refuted: list[Spot] = field(default_factory=list)
    suspected: list[int] = field(default_factory=list)
    """Sites whose reading disagreed by more than the standoff; examined or not."""
    isolated: list[Spot] = field(default_factory=list)
    """Refuted at the site, but not around it."""
    grains: list[float] = field(default_factory=list)
    """Relative noise of the claim or of f wherever an examination found that it explains a discrepancy."""
    examinations: int = 0
    vain: int = 0
    """Examinations that could not tell."""
    full: list[Spot] = field(default_factory=list)
    """The sites that were examined fully."""
    jitter: float = 0.0
    """Difference of two values of f at the same point."""
    tied: str = ""
    """How directions were restricted, if they were."""
    complex_step: exact.ComplexStep = field(init=False)
    reverse: exact.ReverseMode = field(init=False)
    visible: Array = field(init=False)
    """How far each entry (n,) of the gradient stood out of the noise at best; 1 is just visible."""
    claims_something: Array = field(init=False)
    """Largest claimed slope (n,) over the reach, relative to the largest of any entry there."""
    step_free: dict[int, Array] = field(default_factory=dict)
    """Discrepancy (m,) of claim and complex step, relative to the slope, by site."""

    @property
    def noise(self) -> float:
        """Relative noise to reckon with at every site: a solver is smooth at one and changes its steps at another."""
        return max(self.grains, default=0.0)

    def __post_init__(self) -> None:
        self.complex_step = exact.ComplexStep(self.pair.f)
        self.reverse = exact.ReverseMode(self.pair.f)
        n = int(np.prod(self.sites.shape))
        self.visible, self.claims_something = np.zeros(n), np.zeros(n)


def full_share(count: int) -> int:
    """How many of `count` sites are examined fully, whatever a single window says."""
    return min(FULL, max(3, count // 12))


def survey(pair: Pair, sites: Sites, rng: Generator, step: Callable[[int, int], None] | None = None) -> Survey:
    """Look at every site; `step(done, all)` reports progress."""
    seen = Survey(pair, sites)
    seen.jitter = _jitter(pair, sites)
    direction = _directions(seen, rng)
    levels: list[int] = []
    for i, site in enumerate(sites.sites):
        if step is not None:
            step(i, len(sites.sites))
        centre = pair.f(site.x)
        if not np.all(np.isfinite(centre)):
            seen.undefined.append(i)
            continue
        jacobian = pair.jacobian(site.x)
        v = direction(site)
        if len(seen.full) < full_share(len(sites.sites)):
            finding = examine(pair, site.x, v, jacobian)
            seen.full.append(Spot(i, site, v, finding))
            file(seen, seen.full[-1], jacobian, rng)
            if finding.kind in (Kind.AGREES, Kind.REFUTED, Kind.UNCLEAR):
                levels.append(finding.level)
                seen.level = int(np.median(levels))
            if finding.reading is not None and finding.kind in (Kind.AGREES, Kind.UNCLEAR):
                _without_steps(seen, i, site, v, jacobian, finding.reading, centre, rng)
            _uneven(seen, i, site, jacobian, centre, rng)
            continue
        glance = _glance(seen, i, site, v, jacobian, centre, rng)
        if glance is not None:
            _without_steps(seen, i, site, v, jacobian, glance, centre, rng)
        if i % 2:
            _uneven(seen, i, site, jacobian, centre, rng)
    reconsider(seen)
    return seen


def reconsider(seen: Survey) -> None:
    """Take back what the grain found at other sites explains, or could.

    Where f or the claim has a grain anywhere, its size elsewhere is not known well: a relative discrepancy of `OPEN`
    is not refuted, and if it shows at a few sites only, it counts as agreement.  A factor that is the same at every
    site is no grain.
    """
    _lost_bits(seen)
    if not seen.grains or _constant_factor(seen.refuted):
        return
    for spots in (seen.refuted, seen.unclear):
        for spot in list(spots):
            now = spot.finding.reading
            if now is None or not np.all(np.isfinite(now.claimed)):
                continue
            j = spot.finding.output
            gap = abs(now.claimed[j] - now.slope[j]) / now.size[j]
            if gap >= max(STANDOFF * seen.noise, OPEN):
                continue
            rare = len({s.index for s in (*seen.refuted, *seen.unclear)}) <= RARE * len(seen.agreed)
            if gap <= DOUBT * seen.noise or (rare and gap <= OPEN):
                spots.remove(spot)
                seen.agreed[spot.index] = now
            elif spots is seen.refuted:
                spots.remove(spot)
                seen.unclear.append(spot)


def _lost_bits(seen: Survey) -> None:
    """Take back refutations on lines so short that the discrepancy drowns in the noise that f has elsewhere.

    Beside the steps of f (single precision, cancellation) such a line shows no noise, or no change at all.
    """
    # Of the full examinations alone: a single window is only as good as it needs to be.
    readings = [spot.finding.reading for spot in seen.full]
    residuals = [r.residual for r in readings if r is not None and r.residual is not None]
    if not residuals:
        return
    usual, most = np.median(residuals, axis=0), np.max(residuals, axis=0)
    for spot in list(seen.refuted):
        now, j = spot.finding.reading, spot.finding.output
        if now is None or spot.route != "windows" or not np.isfinite(now.claimed[j]):
            continue
        noise = most[j] if spot.finding.constant else usual[j]
        if abs(now.claimed[j] - now.slope[j]) <= STANDOFF * noise:
            seen.refuted.remove(spot)
            seen.blind.append(spot)


def _constant_factor(spots: list[Spot]) -> bool:
    """Whether claim and slope differ by one factor at six sites or more."""
    readings = [(s.finding.reading, s.finding.output) for s in spots]
    factors = np.array([r.claimed[j] / r.slope[j] - 1 for r, j in readings if r is not None])
    return factors.size >= 6 and bool(np.std(factors) <= 0.1 * abs(np.mean(factors)))


def _directions(seen: Survey, rng: Generator) -> Callable[[Site], Array]:
    """Spherical directions, or symmetric ones where f reads one triangle of a symmetric matrix or refuses any other."""
    sites, f = seen.sites, seen.pair.f
    if not sites.symmetric:
        if _leaves_domain(seen, rng):
            seen.tied = "f is only defined on the set that the sampler draws from: lines join points of it"
            pool = sites.sites
            return lambda site: pool[rng.integers(len(pool))].x - site.x
        return lambda site: spherical(site, rng)
    n = sites.shape[0]
    blind = []
    for triangle in (np.triu(np.ones((n, n)), 1), np.tril(np.ones((n, n)), -1)):
        changed = []
        for site in sites.sites[:3]:
            shift = 1e-3 * site.reach * triangle.ravel() * rng.uniform(0.5, 1.0, site.x.size)
            before, after = f(site.x), f(site.x + shift)
            changed.append(not np.array_equal(before, after))
        blind.append(not any(changed))
    if any(blind) or _leaves_domain(seen, rng):
        seen.tied = "f is a function of symmetric matrices (it reads one triangle): entries moved in symmetric pairs"
        return lambda site: symmetrised(spherical(site, rng), sites.shape)
    return lambda site: spherical(site, rng)


def _leaves_domain(seen: Survey, rng: Generator) -> bool:
    """Whether f has no value a hair beside any of the first sites, although it has one at them."""
    tried = 0
    for site in seen.sites.sites[:6]:
        if not np.all(np.isfinite(seen.pair.f(site.x))):
            continue
        for _ in range(3):
            beside = site.x + radius_of(8) * spherical(site, rng)
            if np.all(np.isfinite(seen.pair.f(beside))):
                return False
            tried += 1
    return tried > 0


def _glance(
    seen: Survey, i: int, site: Site, v: Array, jacobian: Array, centre: Array, rng: Generator
) -> Reading | None:
    """Read one line and examine it if need be; the reading, unless it refutes or says nothing."""
    found = read(seen.pair, site.x, v, jacobian, centre, seen.level)
    if found is not None:
        now, _ = found
        with np.errstate(all="ignore"):
            excused = np.abs(now.claimed - now.slope) <= 10 * seen.noise * now.size
        sharp = now.sharp(seen.pair.spread)
        if np.all((now.off <= GLANCE) | excused) and np.all(sharp):
            _agree(seen, i, site, v, jacobian, now)
            return now
        if np.any((now.off > STANDOFF) & sharp & ~excused):
            seen.suspected.append(i)
        if seen.refuted:
            return None
    if seen.vain >= MOST_EXAMINATIONS:
        finding = Finding(Kind.BLIND, "too many sites need an examination", None if found is None else found[0])
        file(seen, Spot(i, site, v, finding), jacobian, rng)
        return None
    seen.examinations += 1
    blurred = found is not None and not np.all(np.isfinite(found[0].error))
    finding = examine(seen.pair, site.x, v, jacobian, blurred)
    seen.vain += finding.kind in (Kind.BLIND, Kind.UNCLEAR)
    file(seen, Spot(i, site, v, finding), jacobian, rng)
    return finding.reading if finding.kind in (Kind.AGREES, Kind.UNCLEAR) else None


def file(seen: Survey, spot: Spot, jacobian: Array, rng: Generator) -> None:
    """Put a finding where it belongs."""
    finding = spot.finding
    if finding.kind is Kind.AGREES and finding.reading is not None:
        _agree(seen, spot.index, spot.site, spot.v, jacobian, finding.reading)
        if 0 < finding.noise < 1e-2:
            seen.grains.append(finding.noise)
    elif finding.kind is Kind.KINK:
        seen.kinks.append(spot)
    elif finding.kind is Kind.UNCLEAR:
        seen.unclear.append(spot)
    elif finding.kind is Kind.BLIND:
        seen.blind.append(spot)
    elif finding.kind is Kind.REFUTED:
        seen.suspected.append(spot.index)
        if seen.refuted or _around(seen.pair, spot, rng):
            seen.refuted.append(spot)
        else:
            seen.isolated.append(spot)


def _agree(seen: Survey, i: int, site: Site, v: Array, jacobian: Array, now: Reading) -> None:
    """Record an agreement, and which entries of the gradient it would have shown to be wrong."""
    seen.agreed[i] = now
    with np.errstate(all="ignore"):
        shown = (np.abs(jacobian * v) / now.error[:, None]).max(0) / DOUBT
        rise = np.abs(jacobian).max(0) * site.reach
        share = rise / rise.max()
    seen.visible = np.fmax(seen.visible, shown)
    seen.claims_something = np.fmax(seen.claims_something, share)


def _jitter(pair: Pair, sites: Sites) -> float:
    """Largest difference of two values of f at the same point, over three points."""
    gaps = [np.abs(pair.f(s.x) - pair.f(s.x)).max(initial=0.0) for s in sites.sites[:3]]
    known = [float(g) for g in gaps if np.isfinite(g)]
    return max(known, default=0.0)


def _around(pair: Pair, spot: Spot, rng: Generator) -> bool:
    """Whether the claim is refuted beside the site as well: one of four neighbours must confirm."""
    for tries in range(4):
        # Off the line first; on it, for functions that live on a subset.
        aside = rng.uniform(-1, 1, spot.v.size) if tries < 2 else rng.uniform(0.5, 1)
        beside = spot.site.x + 1e-3 * aside * spot.v
        if examine(pair, beside, spot.v, pair.jacobian(beside)).kind is Kind.REFUTED:
            return True
    return False


def _uneven(seen: Survey, i: int, site: Site, jacobian: Array, centre: Array, rng: Generator) -> None:
    """Read a levelled line where the entries of the gradient differ by orders of magnitude."""
    if seen.tied or not np.all(np.isfinite(jacobian)):
        return
    row = jacobian[rng.integers(len(jacobian))]
    rise = np.abs(row) * site.reach
    if rise.size < 2 or rise.min() >= UNEVEN * rise.max():
        return
    _glance(seen, i, site, levelled(site, row, 1e-10 * float(seen.pair.spread.max()), rng), jacobian, centre, rng)


def _without_steps(
    seen: Survey, i: int, site: Site, v: Array, jacobian: Array, measured: Reading, centre: Array, rng: Generator
) -> None:
    """Compare with the complex step, along v (which also tests the route) and along a boosted direction."""
    route = seen.complex_step
    value = route.slope(site.x, v)
    if value is None or not route.confront(value, measured) or seen.tied:
        return
    size = np.maximum(norms(jacobian * v), np.finfo(float).tiny)
    off = np.abs(jacobian @ v - value) / size
    j = int(rng.integers(len(jacobian)))
    w = exact.boosted(site, jacobian[j], float(np.abs(centre[j]) + seen.pair.spread[j]), rng)
    value = route.slope(site.x, w)
    if value is not None:
        size = np.maximum(norms(jacobian * w), np.finfo(float).tiny)
        off = np.maximum(off, np.abs(jacobian @ w - value) / size)
    seen.step_free[i] = off
