"""Is this Python function really the gradient of that one?

    verify.check_code(f, gradient, (low, high))        on a box
    verify.check_code(f, gradient, sampler)            on what sampler(rng) returns

Nothing about code can be enclosed, so the evidence is numerical and the verdicts are three:

    REFUTED     at a point of the domain, and around it, the claimed and the measured slope differ by more than 1000 times
                the estimated error, and a second route that shares nothing with the first agrees that they do;
    SUPPORTED   no discrepancy at any point, where one would have been seen: the resolution is stated;
    UNDECIDED   noise hides the answer, or the routes contradict each other; the reason and the noise floor are stated.

The parts: `points` (where to look), `differences` (slopes and their errors), `probe` (one point, one line), `exact` (complex
step, reverse mode), `survey` (the whole domain), `locate` and `slips` (what went wrong), all in `verify.numerics`.
"""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from verify.numerics import locate, slips
from verify.numerics.blackbox import Blackbox
from verify.numerics.differences import radius_of
from verify.numerics.points import Sites, from_box, from_sampler
from verify.numerics.probe import DOUBT, GLANCE, STANDOFF, Kind, Pair
from verify.numerics.survey import Survey, full_share, survey
from verify.numerics.taylor import Remainder, remainder
from verify.verdict import Counterexample, Diagnosis, Evidence, Result, Rigor, Verdict

Array = NDArray[np.float64]
Domain = tuple[Any, Any] | list[Any] | Callable[[Generator], Any]

POINTS = 300
"""A strip of 2 % of a box is missed by 300 independent points once in 400 checks; these are more even than that."""
FEWER = (300, 200, 128, 96, 64, 48, 32, 24, 16)
"""Numbers of points to choose from when the function is expensive: few steps, so that two runs choose the same."""
ENOUGH = 0.5
"""Share of the points that must have agreed sharply."""
POOLED = 12.0
"""Standard errors by which the mean ratio of measured to claimed slopes must leave 1 to forbid support."""


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
    gradient   takes the same argument and returns the derivative: the argument's shape for a scalar f, the shape out + in
               for an f whose answers have the shape out (rows are outputs).
    domain     (low, high), the ends of a box: numbers, or arrays of the argument's shape; f is never called outside.  Or a
               sampler: sampler(rng: numpy.random.Generator) returns an argument.  Entries of sampled arguments are moved
               within their spread, and not across zero if all draws have one sign.
    seed       of all random choices; two runs with the same seed make the same calls.
    points     at most so many points of the domain are looked at, each along one to three lines.
    seconds    aim for the time of the calls of f and gradient: an expensive f is looked at in fewer points (16 at least),
               and the result says so.  None: all points, whatever they cost, and no dependence on the clock.

    Returns a `Result` whose evidence has rigor `numerical`; its verdict is REFUTED, SUPPORTED or UNDECIDED, and INVALID
    only if f or the gradient does not return numbers.  A refutation carries the point, claimed and measured
    value, the wrong entry and, where one is recognised, the slip; a support carries its resolution.  Kinks refute nothing.
    Points at which f is not finite or raises are left out.  Raises ValueError for a domain that is none.

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
        pair = Pair(
            Blackbox(f, sites.shape, sites.scalar),
            Blackbox(gradient, sites.shape, sites.scalar),
            1,
            np.ones(1),
        )
        early, sites = _prepare(pair, sites, claim, seconds)
        if early is None:
            seen = survey(pair, sites, rng)
            early = _result(claim, seen, points)
    fields = early.__dict__ | {"seed": seed, "seconds": time.perf_counter() - started}
    return Result(**fields)


def _name(function: Callable[[Any], Any]) -> str:
    return getattr(function, "__name__", type(function).__name__)


def _sites(domain: Domain, points: int, rng: Generator) -> Sites:
    if points < 1:
        raise ValueError(f"points: {points} were asked for; at least 1 is needed")
    if callable(domain):
        return from_sampler(domain, points, rng)
    if not isinstance(domain, (tuple, list)) or len(domain) != 2:
        raise ValueError("domain: neither a pair (low, high) nor a function of a random generator")
    return from_box(domain[0], domain[1], points, rng)


# --------------------------------------------------------------------------------------------------- before any slope is measured


def _prepare(pair: Pair, sites: Sites, claim: str, seconds: float | None) -> tuple[Result | None, Sites]:
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
    answers = [(site, gradient.answer(site.x)) for site in sites.sites[:3]]
    cost = max(cost, (time.perf_counter() - begun) / 3 / 2)
    shapes = _wrong_shape(pair, sites, claim, answers)
    count = len(sites.sites)
    if seconds is not None:
        fits = (k for k in FEWER if (15 * k + 90 * full_share(k)) * cost <= seconds)
        count = min(count, next(fits, FEWER[-1]))
    return shapes, Sites(sites.sites[:count], sites.shape, sites.scalar, sites.symmetric)


def _wrong_shape(pair: Pair, sites: Sites, claim: str, answers: list[tuple[Any, Any]]) -> Result | None:
    """The result for a gradient that is no numbers or has another shape than out + in."""
    out, shape = pair.f.out or (), sites.shape
    size = int(np.prod(shape))
    allowed = {out + shape} | ({shape} if pair.outputs == 1 else set())
    given = next((answer for _, answer in answers if answer is not None), None)
    if given is None:
        trouble = pair.gradient.trouble
        if "returned" in trouble:
            return Result(claim, Verdict.INVALID, reason=f"the gradient {trouble}")
        return None  # it raised: elsewhere it may not
    if given.shape in allowed or (pair.outputs == 1 and size == 1 and given.size == 1):
        return None
    needed = out + shape if pair.outputs > 1 else shape
    says = f"the gradient has shape {given.shape}, the shape {needed} is needed"
    slip = "shape"
    if given.shape == shape + out and pair.outputs > 1 or given.shape == shape[::-1]:
        slip = "layout"
        says += ": it is the transpose (denominator layout); rows are outputs here" if pair.outputs > 1 else ": transposed"
    elif given.size == pair.outputs * size:
        says += "; the number of entries is right"
    evidence = Evidence("shapes", Rigor.NUMERICAL, False, frozenset({"shapes"}), detail={"given": str(given.shape)})
    return Result(
        claim,
        Verdict.REFUTED,
        Rigor.NUMERICAL,
        diagnosis=Diagnosis(slip, says, Verdict.SUPPORTED),
        correction="gradient(x).T" if slip == "layout" and len(given.shape) == 2 else None,
        evidence=(evidence,),
    )


# ------------------------------------------------------------------------------------------------------------- what the survey says


def _result(claim: str, seen: Survey, wanted: int) -> Result:
    notes = tuple(_notes(seen, wanted))
    if seen.refuted:
        return _refuted(claim, seen, notes)
    reason = _undecided(seen)
    holds = None if reason else True
    evidence = (_differences(seen, holds), *_step_free(seen, holds), *_taylor(seen, holds))
    verdict = Verdict.UNDECIDED if reason else Verdict.SUPPORTED
    return Result(claim, verdict, Rigor.NUMERICAL, evidence=evidence, notes=notes, reason=reason)


def _undecided(seen: Survey) -> str:
    """Why nothing can be said, or nothing if it can."""
    count = len(seen.sites.sites) - len(seen.undefined)
    if seen.unclear:
        spot = seen.unclear[0]
        return f"at {len(seen.unclear)} of {count} points: {spot.finding.why} (point {_text(seen, spot.site.x)})"
    if seen.isolated:
        spot = seen.isolated[0]
        more = f"at {len(seen.isolated)} of {count} points claim and slope differ, but not beside them"
        return f"{more} (point {_text(seen, spot.site.x)})"
    right_kinks = [k for k in seen.kinks if k.finding.inside]
    if len(right_kinks) < len(seen.kinks) and not seen.agreed:
        return f"every point is a kink, and at {len(seen.kinks) - len(right_kinks)} the claim is outside the one-sided slopes"
    if len(seen.agreed) + len(right_kinks) < ENOUGH * count or not count:
        floor = _noise_floor(seen)
        why = seen.blind[0].finding.why if seen.blind else "no point could be judged"
        known = f"; slopes are known to a relative error of {floor:.1g} there" if np.isfinite(floor) else ""
        return f"at {len({s.index for s in seen.blind})} of {count} points {why}{known}"
    hidden = _hidden_entry(seen)
    if hidden:
        return hidden
    return _biased(seen)


def _noise_floor(seen: Survey) -> float:
    """Median relative error of the slopes that were too uncertain."""
    known = [s.finding.reading.relative_error.max() for s in seen.blind if s.finding.reading is not None]
    return float(np.median(known)) if known else float("nan")


def _hidden_entry(seen: Survey) -> str:
    """An entry of the gradient that no line showed and no route without steps checked."""
    if seen.complex_step.agreed > 3 and seen.complex_step.alive or seen.reverse.agreed > 2 and seen.reverse.alive:
        return ""
    unseen = np.flatnonzero((seen.visible < 1) & (seen.claims_something > 0))
    if not unseen.size:
        return ""
    place = slips.index(int(unseen[0]), (), seen.sites.shape)
    return f"entry {place} of the gradient is below the noise of f at every point"


def _biased(seen: Survey) -> str:
    """Whether noisy slopes, though each agrees with its claim, differ from the claims on average."""
    readings = list(seen.agreed.values())
    if not readings or np.median([r.relative_error.max() for r in readings]) < 1e-7:
        return ""
    claimed = np.concatenate([r.claimed / r.error for r in readings])
    slope = np.concatenate([r.slope / r.error for r in readings])
    known = np.isfinite(claimed) & np.isfinite(slope)
    weight = float((claimed[known] ** 2).sum())
    if weight <= 0:
        return ""
    ratio = float((claimed[known] * slope[known]).sum()) / weight
    scatter = max(1.0, float(np.std(slope[known] - ratio * claimed[known])))
    if abs(ratio - 1) <= POOLED * scatter / np.sqrt(weight):
        return ""
    return f"the slopes are noisy, and on average {ratio:.6g} times the claimed ones"


def _refuted(claim: str, seen: Survey, notes: tuple[str, ...]) -> Result:
    known = locate.samples(seen)
    place = locate.worst(seen, known)
    spot, now = place.spot, place.spot.finding
    assert now.reading is not None
    j = now.output
    standoff = abs(place.claimed - place.measured) / place.error if place.error > 0 else float("inf")
    where = slips.index(place.output * spot.site.x.size + place.entry, seen.pair.f.out or (), seen.sites.shape)
    detail: dict[str, Any] = {
        "point": _text(seen, spot.site.x),
        "entry": where if place.entry >= 0 else "along a direction",
        "claimed": place.claimed,
        "measured": place.measured,
        "error": place.error,
        "standoff": _finite(standoff),
        "direction": _text(seen, spot.v),
        "claimed slope along the direction": float(now.reading.claimed[j]),
        "measured slope along the direction": float(now.reading.slope[j]),
    }
    first = spot.route if spot.route != "windows" else "differences"
    gap = abs(now.reading.claimed[j] - now.reading.slope[j]) / max(float(now.reading.size[j]), 1e-300)
    refuting = Evidence(
        first, Rigor.NUMERICAL, False, RELIES_ON[first], _finite(gap), _finite(STANDOFF * float(now.reading.relative_error[j])), detail
    )
    second = ()
    if now.second:
        info = {"standoff": _finite(now.second_off)}
        second = (Evidence(now.second, Rigor.NUMERICAL, False, RELIES_ON[now.second], detail=info),)
    others = () if first == "differences" else (_differences(seen, None),)
    measured = _digits(place.measured, place.error)
    label = f"entry {where}" if place.entry >= 0 else "the slope along the direction in the evidence"
    point = {"x": _text(seen, spot.site.x), "derivative": label}
    return Result(
        claim,
        Verdict.REFUTED,
        Rigor.NUMERICAL,
        counterexample=Counterexample(point, measured, repr(place.claimed)),
        diagnosis=_diagnosis(seen, known, place),
        correction=_correction(seen, known),
        evidence=(refuting, *second, *others, *_taylor(seen, None)),
        notes=notes,
    )


def _region(seen: Survey) -> slips.Region | None:
    """Where the claim is wrong, among the points at which a discrepancy of the size that was refuted would have shown."""
    now = seen.refuted[0].finding.reading
    if now is None or not np.all(np.isfinite(now.claimed)):
        gap = 1.0
    else:
        gap = min(1.0, float(np.max(np.abs(now.claimed - now.slope) / np.maximum(now.size, 1e-300))))
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


def _diagnosis(seen: Survey, known: slips.Samples | None, place: locate.Place) -> Diagnosis:
    slip = slips.name(known) if known is not None else None
    part = _region(seen) if seen.refuted[0].route == "windows" else None
    if slip is None and place.entry >= 0 and known is None:
        where = slips.index(place.output * place.spot.site.x.size + place.entry, seen.pair.f.out or (), seen.sites.shape)
        slip = slips.Slip("entry", f"entry {where} of the gradient is wrong: {place.claimed:.6g}, not {place.measured:.6g}")
    says = slip.says if slip else "the claimed gradient is not the derivative of f"
    if part is not None:
        share = f"{100 * part.share:.3g} % of the points"
        says = f"wrong only where {part.says} ({share}): {says}" if part.says else f"wrong at {share}: {says}"
    name = slip.name if slip else ("region" if part is not None and part.share < 0.6 else "other")
    return Diagnosis(name, says, Verdict.SUPPORTED if slip or part else Verdict.UNDECIDED)


def _correction(seen: Survey, known: slips.Samples | None) -> str | None:
    slip = slips.name(known) if known is not None and _region(seen) is None else None
    return slip.correction if slip else None


# ---------------------------------------------------------------------------------------------------------------------- evidence

RELIES_ON = {
    "differences": frozenset({"windows of Chebyshev nodes", "least squares"}),
    "integral of the claimed slope": frozenset({"increments of f", "Gauss-Kronrod quadrature"}),
    "one-sided differences": frozenset({"one-sided cubic fits"}),
    "complex step": frozenset({"complex arithmetic in f"}),
    "reverse mode": frozenset({"autograd's rules"}),
    "Taylor remainder": frozenset({"order of the remainder"}),
}


def _differences(seen: Survey, holds: bool | None) -> Evidence:
    readings = list(seen.agreed.values())
    worst = resolution = None
    if readings:
        sizes = [np.where(r.size > 0, r.size, np.inf) for r in readings]
        worst = _finite(max(float(np.max(np.abs(r.claimed - r.slope) / s)) for r, s in zip(readings, sizes, strict=True)))
        resolution = _finite(DOUBT * float(np.median([r.relative_error.max() for r in readings])))
    detail = {
        "points": len(seen.sites.sites),
        "agreed": len(seen.agreed),
        "undefined": len(seen.undefined),
        "kinks": len({s.index for s in seen.kinks}),
        "too uncertain": len({s.index for s in seen.blind} - set(seen.agreed)),
        "disagreed": len(set(seen.suspected)),
        "window": radius_of(seen.level),
        "calls of f": seen.pair.f.calls,
        "calls of the gradient": seen.pair.gradient.calls,
    }
    return Evidence("differences", Rigor.NUMERICAL, holds, RELIES_ON["differences"], worst, resolution, detail)


def _step_free(seen: Survey, holds: bool | None) -> list[Evidence]:
    found = []
    route = seen.complex_step
    if route.agreed and route.alive and seen.step_free:
        worst = _finite(float(np.max([v.max() for v in seen.step_free.values()])))
        detail = {"points": len(seen.step_free)}
        found.append(Evidence("complex step", Rigor.NUMERICAL, holds, RELIES_ON["complex step"], worst, 1e-12, detail))
    elif route.why:
        found.append(Evidence("complex step", Rigor.NUMERICAL, None, RELIES_ON["complex step"], detail={"reason": route.why}))
    reverse = seen.reverse
    if reverse.agreed and reverse.alive:
        detail = {"points": reverse.agreed, "entries": seen.sites.sites[0].x.size}
        found.append(Evidence("reverse mode", Rigor.NUMERICAL, holds, RELIES_ON["reverse mode"], None, 1e-12, detail))
    elif reverse.why:
        reason = {"reason": reverse.why}
        found.append(Evidence("reverse mode", Rigor.NUMERICAL, None, RELIES_ON["reverse mode"], detail=reason))
    return found


def _taylor(seen: Survey, holds: bool | None) -> list[Evidence]:
    """Orders of the remainder with the claimed slope, at five points that agreed (or were refuted)."""
    spots = [(s.site, s.v, s.finding.reading) for s in seen.refuted if s.route == "windows"]
    spots = spots or [(s.site, s.v, s.finding.reading) for s in seen.full if s.finding.kind is Kind.AGREES]
    orders: list[Remainder] = []
    for site, v, now in spots[:5]:
        if now is None or not np.all(np.isfinite(now.claimed)):
            continue
        radius = radius_of(min(seen.level + 1, 8))
        noise = float(np.linalg.norm(now.error)) * radius_of(seen.level) / 3
        orders.append(remainder(seen.pair.line(site.x, v), seen.pair.f(site.x), now.claimed, radius, noise))
    if not orders:
        return []
    known = [o.order for o in orders if o.order is not None and not o.exact]
    plain = [o.without for o in orders if o.without is not None]
    detail: dict[str, Any] = {"points": len(orders), "remainder is round-off": sum(o.exact for o in orders)}
    if known:
        detail["order with the gradient"] = round(float(np.median(known)), 2)
    if plain:
        detail["order without"] = round(float(np.median(plain)), 2)
    if holds is not None and not (sum(o.exact for o in orders) or (known and np.median(known) > 1.5)):
        holds = None
    return [Evidence("Taylor remainder", Rigor.NUMERICAL, holds, RELIES_ON["Taylor remainder"], detail=detail)]


def _notes(seen: Survey, wanted: int) -> list[str]:
    notes = []
    f, gradient, count = seen.pair.f, seen.pair.gradient, len(seen.sites.sites)
    if count < wanted:
        notes.append(f"{count} points instead of {wanted}, because a call takes long; `seconds` sets the limit")
    if seen.undefined:
        why = f": it {f.trouble}" if f.trouble else ""
        notes.append(f"f is not finite at {len(seen.undefined)} of {count} points, which are left out{why}")
    if seen.kinks:
        inside = sum(s.finding.inside for s in seen.kinks)
        spot = seen.kinks[0]
        place = _text(seen, spot.site.x)
        notes.append(f"{len(seen.kinks)} points are kinks, for instance {place} ({spot.finding.why.removeprefix('kink: ')}); "
                     f"the claim lies between the one-sided slopes at {inside} of them")
    for name, box in (("f", f), ("the gradient", gradient)):
        if box.mutates:
            notes.append(f"{name} changes its argument in place (it was given copies)")
    if gradient.trouble:
        notes.append(f"the gradient {gradient.trouble} ({sum(gradient.troubles.values())} times)")
    if seen.jitter > 0:
        notes.append(f"f is not deterministic: repeated values differ by {seen.jitter:.1g}")
    if seen.noise > 0:
        notes.append(f"f or the claim has a grain: slopes are right to a relative error of about {seen.noise:.1g} only")
    if seen.tied:
        notes.append(seen.tied)
    return notes


# -------------------------------------------------------------------------------------------------------------------------- numbers


def _text(seen: Survey, x: Array) -> str:
    """A point as it is written in Python; the first entries of a long one."""
    if seen.sites.shape == ():
        return repr(float(x[0]))
    if x.size <= 16:
        return repr(x.reshape(seen.sites.shape).tolist())
    return "[" + ", ".join(repr(float(t)) for t in x[:4]) + f", … {x.size} entries]"


def _digits(value: float, error: float) -> str:
    """A measured value with the digits that its error leaves."""
    if not np.isfinite(value) or value == 0 or not error > 0:
        return repr(value)
    return f"{value:.{int(np.clip(np.floor(np.log10(abs(value) / error)), 1, 17))}g}"


def _finite(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None
