"""What does a survey of a domain amount to: evidence, reasons not to judge, remarks?

A route's evidence says what it relies on, its worst disagreement and its resolution, both relative to the slope.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from verify.code import slips
from verify.code.differences import radius_of
from verify.code.locate import Place
from verify.code.probe import DOUBT, STANDOFF, Kind
from verify.code.survey import Survey
from verify.code.taylor import Remainder, remainder
from verify.verdict import Evidence, Rigor

Array = NDArray[np.float64]

ENOUGH = 0.5
"""Share of the points that must have agreed sharply."""
POOLED = 12.0
"""Standard errors by which the mean ratio of measured to claimed slopes must leave 1 to forbid support."""
NOISY = 1e-7
"""Median relative error of slopes above which their mean ratio is looked at."""

RELIES_ON = {
    "differences": frozenset({"windows of Chebyshev nodes", "least squares"}),
    "integral of the claimed slope": frozenset({"increments of f", "Gauss-Kronrod quadrature"}),
    "one-sided differences": frozenset({"one-sided cubic fits"}),
    "complex step": frozenset({"complex arithmetic in f"}),
    "reverse mode": frozenset({"autograd's rules"}),
    "Taylor remainder": frozenset({"order of the remainder"}),
}


# ------------------------------------------------------------ why not to judge


def undecided(seen: Survey) -> str:
    """Why nothing can be said, or nothing if it can."""
    count = len(seen.sites.sites) - len(seen.undefined)
    if seen.unclear:
        spot = seen.unclear[0]
        return f"at {len(seen.unclear)} of {count} points: {spot.finding.why} (point {text(seen, spot.site.x)})"
    if seen.isolated:
        spot = seen.isolated[0]
        many = f"at {len(seen.isolated)} of {count} points claim and slope differ, but not beside them"
        return f"{many} (point {text(seen, spot.site.x)})"
    right_kinks = [k for k in seen.kinks if k.finding.inside]
    if len(right_kinks) < len(seen.kinks) and not seen.agreed:
        outside = len(seen.kinks) - len(right_kinks)
        return f"every point is a kink, and at {outside} the claim is outside the one-sided slopes"
    if not count or len(seen.agreed) + len({k.index for k in right_kinks}) < ENOUGH * count:
        why = seen.blind[0].finding.why if seen.blind else "no point could be judged"
        floor = _noise_floor(seen)
        known = f"; slopes are known to a relative error of {floor:.1g} there" if np.isfinite(floor) else ""
        return f"at {len({s.index for s in seen.blind})} of {count} points {why}{known}"
    return _hidden_entry(seen) or _biased(seen)


def _noise_floor(seen: Survey) -> float:
    """Median relative error of the slopes that were too uncertain."""
    known = [s.finding.reading.relative_error.max() for s in seen.blind if s.finding.reading is not None]
    return float(np.median(known)) if known else float("nan")


def _hidden_entry(seen: Survey) -> str:
    """An entry of the gradient that no line showed and no route without steps checked."""
    stepped = seen.complex_step.alive and seen.complex_step.agreed > 3
    if stepped or (seen.reverse.alive and seen.reverse.agreed > 2):
        return ""
    unseen = np.flatnonzero((seen.visible < 1) & (seen.claims_something > 0))
    if not unseen.size:
        return ""
    place = slips.index(int(unseen[0]), (), seen.sites.shape)
    return f"entry {place} of the gradient is below the noise of f at every point"


def _biased(seen: Survey) -> str:
    """Whether noisy slopes, though each agrees with its claim, differ from the claims on average."""
    readings = list(seen.agreed.values())
    if not readings:
        return ""
    noise = float(np.median([r.relative_error.max() for r in readings]))
    claimed = np.concatenate([r.claimed / r.error for r in readings])
    slope = np.concatenate([r.slope / r.error for r in readings])
    known = np.isfinite(claimed) & np.isfinite(slope)
    weight = float((claimed[known] ** 2).sum())
    if noise < NOISY or weight <= 0:
        return ""
    ratio = float((claimed[known] * slope[known]).sum()) / weight
    scatter = max(1.0, float(np.std(slope[known] - ratio * claimed[known])))
    if abs(ratio - 1) <= max(POOLED * scatter / np.sqrt(weight), noise / 2):
        return ""
    return f"the slopes are noisy, and on average {ratio:.6g} times the claimed ones"


# ------------------------------------------------------------ evidence


def differences(seen: Survey, holds: bool | None) -> Evidence:
    """All readings of the survey that agreed, and how the other points were."""
    readings = list(seen.agreed.values())
    worst = resolution = None
    if readings:
        gaps = [np.abs(r.claimed - r.slope) / np.where(r.size > 0, r.size, np.inf) for r in readings]
        worst = finite(max(float(gap.max()) for gap in gaps))
        resolution = finite(DOUBT * float(np.median([r.relative_error.max() for r in readings])))
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


def refutation(seen: Survey, place: Place) -> list[Evidence]:
    """The two routes that refuted, and the survey if it was not one of them."""
    spot, now = place.spot, place.spot.finding
    assert now.reading is not None
    j = now.output
    claimed, slope = float(now.reading.claimed[j]), float(now.reading.slope[j])
    detail: dict[str, Any] = {
        "point": text(seen, spot.site.x),
        "entry": entry(seen, place) or "along a direction",
        "claimed": finite(place.claimed),
        "measured": place.measured,
        "error": place.error,
        "standoff": finite(abs(place.claimed - place.measured) / place.error) if place.error > 0 else None,
        "direction": text(seen, spot.v),
        "claimed slope along the direction": finite(claimed),
        "measured slope along the direction": slope,
    }
    gap = abs(claimed - slope) / max(float(now.reading.size[j]), 1e-300)
    resolution = finite(STANDOFF * float(now.reading.relative_error[j]))
    first = "differences" if spot.route == "windows" else spot.route
    found = [Evidence(first, Rigor.NUMERICAL, False, RELIES_ON[first], finite(gap), resolution, detail)]
    if now.second:
        standoff = {"standoff": finite(now.second_off)}
        found.append(Evidence(now.second, Rigor.NUMERICAL, False, RELIES_ON[now.second], detail=standoff))
    return found if first == "differences" else [*found, differences(seen, None)]


def step_free(seen: Survey, holds: bool | None) -> list[Evidence]:
    """Complex step and reverse mode: what they compared, or why they were dropped."""
    found = []
    routes = (("complex step", seen.complex_step), ("reverse mode", seen.reverse))
    for name, route in routes:
        if route.agreed and route.alive:
            detail: dict[str, Any] = {"points": route.agreed, "entries": int(np.prod(seen.sites.shape))}
            worst = None
            if name == "complex step" and seen.step_free:
                worst = finite(max(float(off.max()) for off in seen.step_free.values()))
            found.append(Evidence(name, Rigor.NUMERICAL, holds, RELIES_ON[name], worst, 1e-12, detail))
        elif route.why:
            reason = {"reason": route.why}
            found.append(Evidence(name, Rigor.NUMERICAL, None, RELIES_ON[name], detail=reason))
    return found


def taylor(seen: Survey, holds: bool | None) -> list[Evidence]:
    """Orders of the remainder with the claimed slope, at five points that agreed (or were refuted)."""
    spots = [s for s in seen.refuted if s.route == "windows"]
    spots = spots or [s for s in seen.full if s.finding.kind is Kind.AGREES]
    orders: list[Remainder] = []
    for spot in spots[:5]:
        now = spot.finding.reading
        if now is None or not np.all(np.isfinite(now.claimed)):
            continue
        noise = float(np.linalg.norm(now.error)) * radius_of(seen.level) / 3
        radius = radius_of(min(seen.level + 1, 8))
        line, centre = seen.pair.line(spot.site.x, spot.v), seen.pair.f(spot.site.x)
        orders.append(remainder(line, centre, now.claimed, radius, noise))
    if not orders:
        return []
    known = [o.order for o in orders if o.order is not None and not o.exact]
    plain = [o.without for o in orders if o.without is not None]
    detail: dict[str, Any] = {"points": len(orders), "remainder is round-off": sum(o.exact for o in orders)}
    if known:
        detail["order with the gradient"] = round(float(np.median(known)), 2)
    if plain:
        detail["order without"] = round(float(np.median(plain)), 2)
    shows = any(o.exact for o in orders) or (bool(known) and float(np.median(known)) > 1.5)
    return [
        Evidence(
            "Taylor remainder",
            Rigor.NUMERICAL,
            holds if shows else None,
            RELIES_ON["Taylor remainder"],
            detail=detail,
        )
    ]


def notes(seen: Survey, wanted: int) -> list[str]:
    """What a careful reader should know."""
    said = []
    f, gradient, count = seen.pair.f, seen.pair.gradient, len(seen.sites.sites)
    if count < wanted:
        said.append(f"{count} points instead of {wanted}, because a call takes long; `seconds` sets the limit")
    if seen.undefined:
        why = f": it {f.trouble}" if f.trouble else ""
        said.append(f"f is not finite at {len(seen.undefined)} of {count} points, which are left out{why}")
    if seen.kinks:
        inside = len({s.index for s in seen.kinks if s.finding.inside})
        spot = seen.kinks[0]
        said.append(
            f"{len({s.index for s in seen.kinks})} points are kinks, for instance {text(seen, spot.site.x)}"
            f" ({spot.finding.why.removeprefix('kink: ')}); at {inside} of them the claim lies between the slopes"
        )
    for name, box in (("f", f), ("the gradient", gradient)):
        if box.mutates:
            said.append(f"{name} changes its argument in place (it was given copies)")
    if gradient.trouble:
        said.append(f"the gradient {gradient.trouble} ({sum(gradient.troubles.values())} times)")
    if seen.jitter > 0:
        said.append(f"f is not deterministic: repeated values differ by {seen.jitter:.1g}")
    if seen.noise > 0:
        said.append(f"f or the claim has a grain: slopes are right to a relative error of about {seen.noise:.1g} only")
    return [*said, seen.tied] if seen.tied else said


# ------------------------------------------------------------ writing


def entry(seen: Survey, place: Place) -> str:
    """The wrong entry as an index into the gradient, or nothing if none was told."""
    flat = place.output * place.spot.site.x.size + place.entry
    return slips.index(flat, seen.pair.f.out or (), seen.sites.shape) if place.entry >= 0 else ""


def text(seen: Survey, x: Array) -> str:
    """A point as it is written in Python; the first entries of a long one."""
    if seen.sites.shape == ():
        return repr(float(x[0]))
    if x.size <= 16:
        return repr(x.reshape(seen.sites.shape).tolist())
    return "[" + ", ".join(repr(float(t)) for t in x[:4]) + f", … {x.size} entries]"


def digits(value: float, error: float) -> str:
    """A measured value with the digits that its error leaves."""
    if not np.isfinite(value) or value == 0 or not error > 0:
        return repr(value)
    return f"{value:.{int(np.clip(np.floor(np.log10(abs(value) / error)), 1, 17))}g}"


def finite(value: float) -> float | None:
    """The value, or None (JSON has no infinity)."""
    return float(value) if np.isfinite(value) else None
