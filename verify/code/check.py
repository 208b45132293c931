"""Is this Python function really the gradient of that one?

    verify.check_code(f, gradient, (low, high))        on a box
    verify.check_code(f, gradient, sampler)            on what sampler(rng) returns

Nothing about code can be enclosed, so the evidence is numerical and the verdicts are three:

    REFUTED     at a point of the domain, and around it, the claimed and the measured slope differ by more than 1000
                times the estimated error, and a second route that shares nothing with the first agrees;
    SUPPORTED   no discrepancy at any point, where one would have been seen: the resolution is stated;
    UNDECIDED   noise hides the answer, or the routes contradict each other; the reason and the noise are stated.

The parts, all in `verify.code`: `points` (where to look), `differences` (slopes and their errors), `probe` (one
point, one line), `survey` (the whole domain), `exact` and `entries` (complex step and reverse mode), `locate` and
`slips` (what went wrong), `account` (evidence in words and numbers).
"""

from __future__ import annotations

import dataclasses
import time
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from verify.code import account, entries, locate, slips
from verify.code.blackbox import Blackbox
from verify.code.points import Sites, from_box, from_sampler
from verify.code.probe import GLANCE, Pair
from verify.code.survey import Survey, full_share, reconsider, survey
from verify.verdict import Counterexample, Diagnosis, Evidence, Result, Rigor, Verdict

Array = NDArray[np.float64]
Domain = tuple[Any, Any] | list[Any] | Callable[[Generator], Any]

POINTS = 300
"""A strip of 2 % of a box is missed by 300 independent points once in 400 checks; these are more even than that."""
FEWER = (300, 200, 128, 96, 64, 48, 32, 24, 16)
"""Numbers of points to choose from when the function is expensive: few steps, so that two runs choose the same."""
NUMBERS = 20_000_000
"""Numbers that the points may consist of: fewer points for arguments of millions of entries."""


def check_code(
    f: Callable[[Any], Any],
    gradient: Callable[[Any], Any],
    domain: Domain,
    *,
    seed: int = 0,
    points: int = POINTS,
    seconds: float | None = 10.0,
) -> Result:
    """Judge a claimed gradient or Jacobian of a function of one array.

    f          takes one argument, an array of any shape or a plain number, and returns a number or an array.
    gradient   takes the same argument and returns the derivative: the argument's shape for a scalar f, the shape
               out + in for an f whose answers have the shape out (rows are outputs).
    domain     (low, high), the ends of a box: numbers, or arrays of the argument's shape; f is never called outside.
               Or a sampler: sampler(rng: numpy.random.Generator) returns an argument.  Entries of sampled arguments are
               moved within their spread, and not across zero if all draws have one sign.
    seed       of all random choices; two runs with the same seed make the same calls.
    points     at most so many points of the domain are looked at, each along one to three lines.
    seconds    aim for the time of all calls: an expensive f is looked at in fewer points (16 at least), and the result
               says so.  None: all points, whatever they cost, and no dependence on the clock.

    Returns a `Result` whose evidence has rigor `numerical`; its verdict is REFUTED, SUPPORTED or UNDECIDED, and INVALID
    only if f or the gradient never returns numbers.  A refutation carries the point, the claimed and the measured
    value, the wrong entry and, where one is recognised, the slip; a support carries its resolution.  Kinks refute
    nothing.  Points at which f is not finite or raises are left out.  Raises ValueError for a domain that is none.

    Every call gets its own copy of the argument, warnings are silenced, and exceptions are counted as missing values.

    >>> import numpy as np
    >>> check_code(lambda x: np.sum(x**2), lambda x: 2 * x, (np.zeros(3), np.ones(3))).verdict.name
    'SUPPORTED'
    """
    started = time.perf_counter()
    rng = np.random.default_rng(seed)
    claim = f"{_name(gradient)} is the gradient of {_name(f)}"
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        sites = _sites(domain, points, rng)
        boxes = Blackbox(f, sites.shape, sites.scalar), Blackbox(gradient, sites.shape, sites.scalar)
        pair = Pair(*boxes, outputs=1, spread=np.ones(1))
        result, sites = _prepared(pair, sites, claim, seconds)
        if result is None:
            seen = survey(pair, sites, rng)
            entries.compare(seen, rng)
            reconsider(seen)
            result = _result(claim, seen, points)
    return dataclasses.replace(result, seed=seed, seconds=time.perf_counter() - started)


def _name(function: Callable[[Any], Any]) -> str:
    return getattr(function, "__name__", type(function).__name__)


def _sites(domain: Domain, points: int, rng: Generator) -> Sites:
    if points < 1:
        raise ValueError(f"points: {points} were asked for; at least 1 is needed")
    if callable(domain):
        size = np.asarray(domain(np.random.default_rng(0))).size
        return from_sampler(domain, _affordable(points, size), rng)
    if not isinstance(domain, (tuple, list)) or len(domain) != 2:
        raise ValueError("domain: neither a pair (low, high) nor a function of a random generator")
    size = max(np.asarray(domain[0]).size, np.asarray(domain[1]).size)
    return from_box(domain[0], domain[1], _affordable(points, size), rng)


def _affordable(points: int, size: int) -> int:
    return min(points, max(FEWER[-1], NUMBERS // max(size, 1)))


# ----------------------------------------------------------------------------------------- before any slope is measured


def _prepared(pair: Pair, sites: Sites, claim: str, seconds: float | None) -> tuple[Result | None, Sites]:
    """Shapes, the spread of f and the cost of a call; a result if they already say all, and the sites to look at."""
    f, gradient = pair.f, pair.gradient
    values: list[Array] = []
    begun = time.perf_counter()
    for k, site in enumerate(sites.sites[:64]):
        values.append(f(site.x))
        if k >= 15 and time.perf_counter() - begun > 0.5:
            break
    cost = (time.perf_counter() - begun) / len(values)
    if f.out is None:
        return Result(claim, Verdict.INVALID, reason=f"f has no value anywhere: it {f.trouble}"), sites
    pair.outputs = int(np.prod(f.out))
    table = np.array([v for v in values if v.size == pair.outputs and np.all(np.isfinite(v))])
    if table.size == 0:
        reason = "f is finite at none of the points that were tried" + (f": it {f.trouble}" if f.trouble else "")
        return Result(claim, Verdict.UNDECIDED, Rigor.NUMERICAL, reason=reason), sites
    top = np.maximum(np.abs(table).max(0), 1e-300)
    spread = np.std(table / top, axis=0) * top
    pair.spread = np.minimum(np.where(spread > 0, spread, np.abs(table).max(0)), 1e300)
    begun = time.perf_counter()
    answers = [gradient.answer(site.x) for site in sites.sites[:3]]
    cost = max(cost, (time.perf_counter() - begun) / 6)  # about half as many calls as of f
    count = len(sites.sites)
    if seconds is not None:
        fits = (k for k in FEWER if (15 * k + 90 * full_share(k)) * cost <= seconds)
        count = min(count, next(fits, FEWER[-1]))
    return _wrong_shape(pair, sites, claim, answers), dataclasses.replace(sites, sites=sites.sites[:count])


def _wrong_shape(pair: Pair, sites: Sites, claim: str, answers: list[Array | None]) -> Result | None:
    """The result for a gradient that is no numbers or has another shape than out + in."""
    out, shape = pair.f.out or (), sites.shape
    size = int(np.prod(shape))
    needed = out + shape if pair.outputs > 1 else shape
    given = next((answer for answer in answers if answer is not None), None)
    if given is None:
        trouble = pair.gradient.trouble
        if "returned" in trouble:
            return Result(claim, Verdict.INVALID, reason=f"the gradient {trouble}")
        return None  # it raised: elsewhere it may not
    if given.shape in (needed, out + shape) or given.size == pair.outputs * size == 1:
        return None
    says, slip = f"the gradient has shape {given.shape}, the shape {needed} is needed", "shape"
    if pair.outputs > 1 and given.shape == shape + out:
        says, slip = f"{says}: it is the transpose (denominator layout); rows are outputs here", "layout"
    elif given.shape == shape[::-1]:
        says, slip = f"{says}: transposed", "layout"
    elif given.size == pair.outputs * size:
        says += "; the number of entries is right"
    detail = {"given": str(given.shape), "needed": str(needed)}
    return Result(
        claim,
        Verdict.REFUTED,
        Rigor.NUMERICAL,
        diagnosis=Diagnosis(slip, says, Verdict.SUPPORTED),
        correction="gradient(x).T" if slip == "layout" and given.ndim == 2 else None,
        evidence=(Evidence("shapes", Rigor.NUMERICAL, False, frozenset({"shapes"}), detail=detail),),
    )


# --------------------------------------------------------------------------------------------------- after the survey


def _result(claim: str, seen: Survey, wanted: int) -> Result:
    notes = tuple(account.notes(seen, wanted))
    if seen.refuted:
        return _refuted(claim, seen, notes)
    reason = account.undecided(seen)
    holds = None if reason else True
    evidence = (account.differences(seen, holds), *account.step_free(seen, holds), *account.taylor(seen, holds))
    verdict = Verdict.UNDECIDED if reason else Verdict.SUPPORTED
    return Result(claim, verdict, Rigor.NUMERICAL, evidence=evidence, notes=notes, reason=reason)


def _refuted(claim: str, seen: Survey, notes: tuple[str, ...]) -> Result:
    known = locate.samples(seen)
    place = locate.worst(seen, known)
    slip = slips.name(known) if known is not None else None
    region = _region(seen) if seen.refuted[0].route == "windows" else None
    where = account.entry(seen, place)
    derivative = f"entry {where}" if where else "the slope along the direction in the evidence"
    point = {"x": account.text(seen, place.spot.site.x), "derivative": derivative}
    return Result(
        claim,
        Verdict.REFUTED,
        Rigor.NUMERICAL,
        counterexample=Counterexample(point, account.digits(place.measured, place.error), repr(place.claimed)),
        diagnosis=_diagnosis(slip, region, where, place, known is not None),
        correction=slip.correction if slip is not None and region is None else None,
        evidence=(*account.refutation(seen, place), *account.taylor(seen, None)),
        notes=notes,
    )


def _diagnosis(
    slip: slips.Slip | None, region: slips.Region | None, where: str, place: locate.Place, measured: bool
) -> Diagnosis:
    """The slip if it was recognised, else the entry; and the part of the domain if it is not the whole."""
    if slip is None and where and not measured:
        slip = slips.Slip("entry", f"entry {where} of the gradient is {place.claimed:.6g}, not {place.measured:.6g}")
    says = slip.says if slip else "the claimed gradient is not the derivative of f"
    name = slip.name if slip else "other"
    if region is not None:
        share = f"{100 * region.share:.3g} % of the points"
        says = f"wrong only where {region.says} ({share}): {says}" if region.says else f"wrong at {share}: {says}"
        name = "region" if slip is None else name
    return Diagnosis(name, says, Verdict.UNDECIDED if name == "other" else Verdict.SUPPORTED)


def _region(seen: Survey) -> slips.Region | None:
    """Where the claim is wrong, among the points at which a discrepancy of the refuted size would have shown."""
    now = seen.refuted[0].finding.reading
    gap = 1.0
    if now is not None and np.all(np.isfinite(now.claimed)):
        gap = min(gap, float(np.max(np.abs(now.claimed - now.slope) / np.maximum(now.size, 1e-300))))
    wrong = {s.index for s in seen.refuted}
    right = set()
    for i, r in seen.agreed.items():
        if GLANCE * float(r.relative_error.max()) < 0.1 * gap and i not in wrong:
            off = float(np.max(np.abs(r.claimed - r.slope) / np.maximum(r.size, 1e-300)))
            (right if off < 0.1 * gap else wrong).add(i)
    wrong |= set(seen.suspected) - right - {s.index for s in seen.kinks}
    looked = sorted(right | wrong)
    if len(looked) < 20:
        return None
    x = np.array([seen.sites.sites[i].x for i in looked])
    return slips.region(x, np.array([i in wrong for i in looked]), seen.sites.shape)
