"""Do enclosures of the two sides come apart anywhere?  Refutes a claim, or says how closely its sides agree.

Both sides are enclosed at seeded exact points of the domain.  Sides that are disjoint at a point, and on a whole ball
around it, refute the claim; a point alone refutes nothing (it may be a kink, a cut, a removable gap).
Where both overlap to many digits the claim is supported there.  Nothing here ever proves.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import inf
from random import Random
from typing import Any

from flint import acb, ctx

from verify.claim import Claim
from verify.decide.enclose.decimals import decimal
from verify.decide.enclose.hunt import NEIGHBOURHOODS, PRECISIONS, Certificate, Hunt, agreement
from verify.decide.enclose.jets import NoValue
from verify.decide.enclose.pieces import Switch
from verify.decide.enclose.points import Point, read_point, write_point
from verify.decide.enclose.simplest import simplest
from verify.language.write import write
from verify.verdict import Counterexample, Evidence, Rigor

__all__ = ["Recheck", "Search", "agreement", "closer", "evaluate_at", "search"]

ROUTE = "enclosures at exact points"
RELIES_ON = frozenset({"ball arithmetic", "rules of differentiation"})
#: Further points at which a refuted claim is tried, to see where it holds.
SURVEY = 12
#: Agreeing points that are needed to say where it holds.
FEWEST_AGREEING = 3
#: Points that are looked at again with all bits.
CLOSER = 3


@dataclass(frozen=True)
class Search:
    """The outcome of a search: its evidence, and what the other stages want to know.

    point        the refuting point, exact.
    agreeing     points at which the sides agree; differing: points of the survey at which they do not.
    holds_on     conditions on which a refuted claim was seen to hold, and nowhere else.
    left_out     where pieces meet: "x = 0", "x/y is whole".
    gaps         whether points were met where a side is undefined, or undecided at every precision.
    unclear      why nothing can be said on a part of the domain; empty where there is no such part.
    """

    evidence: Evidence
    counterexample: Counterexample | None = None
    point: Point | None = None
    agreeing: tuple[Point, ...] = ()
    differing: tuple[Point, ...] = ()
    undefined: int = 0
    tried: int = 0
    holds_on: tuple[str, ...] = ()
    left_out: tuple[str, ...] = ()
    gaps: bool = False
    unclear: str = ""
    reason: str = ""


def search(claim: Claim, *, seed: int = 0) -> Search:
    """Try to refute the claim; deterministic for a seed.

    Of vectors, matrices and abstract functions it knows nothing: `instances` makes scalar claims of them.
    """
    if claim.is_shaped:
        return _unknown("vectors, matrices and abstract functions are enclosed entry by entry")
    precision = ctx.prec
    try:
        hunt = Hunt(claim, Random(seed))
        refutation = hunt.refute()
        if refutation is not None:
            return _refuted(hunt, *refutation)
        return _supported(hunt) if hunt.agreeing else _undecided(hunt)
    except NoValue as reason:
        return _unknown(str(reason))
    finally:
        ctx.prec = precision


def closer(claim: Claim, found: Search, *, seed: int = 0) -> Search | None:
    """A second look at points where the sides agree to the digits that were wanted, with all bits that there are.

    Refutes what is wrong by less than the first look resolves; None where nothing new was seen.
    """
    precision = ctx.prec
    try:
        hunt = Hunt(claim, Random(seed), PRECISIONS[-1:])
        for point in found.agreeing[:CLOSER]:
            if hunt.judge(point).kind == "differ":
                certificate = hunt.certify(point, NEIGHBOURHOODS[-1:])
                if certificate is not None:
                    return _refuted(hunt, point, certificate)
    except NoValue:
        return None
    finally:
        ctx.prec = precision
    return None


def _unknown(reason: str) -> Search:
    return Search(Evidence(ROUTE, Rigor.ENCLOSED, None, detail={"reason": reason}), reason=reason)


def _record(hunt: Hunt, evidence: Evidence, **more: Any) -> Search:
    """What every outcome has in common."""
    return Search(
        evidence,
        agreeing=tuple(hunt.agreeing),
        undefined=hunt.kinds["undefined"],
        tried=sum(hunt.kinds.values()),
        left_out=tuple(
            write(s.quantity) + (" is whole" if s.stepped else " = 0") for s in hunt.sides.switches if s.sharp
        ),
        gaps=any(n for kind, n in hunt.kinds.items() if kind != "agree"),
        **more,
    )


def _refuted(hunt: Hunt, found: Point, certificate: Certificate) -> Search:
    """A counterexample of small numbers, and where else the claim fails or holds."""
    point, (radius, bits) = simplest(found, certificate, hunt.sampler, hunt.certify)
    differing = [point, *_survey(hunt)]
    holds_on = tuple(_parting(hunt, differing))
    lhs, rhs = hunt.sides_at(point)
    counterexample = Counterexample(write_point(point), decimal(lhs), decimal(rhs), _neighbourhood(hunt, radius))
    agree, differ = len(hunt.agreeing), len(differing)
    detail: dict[str, Any] = {"points": agree + differ, "agree": agree, "differ": differ, "bits": bits}
    if holds_on:
        detail["holds_on"] = list(holds_on)
    evidence = Evidence(ROUTE, Rigor.ENCLOSED, False, RELIES_ON, relative_gap(lhs, rhs), None, detail)
    return _record(
        hunt, evidence, counterexample=counterexample, point=point, differing=tuple(differing), holds_on=holds_on
    )


def _neighbourhood(hunt: Hunt, radius: int | None) -> str:
    """The radius as text; empty where nothing varies continuously, or where the point alone counts."""
    discrete = all(r.field == "integer" for r in hunt.sampler.ranges.values())
    return "" if discrete or radius is None else f"2^-{radius}"


def _supported(hunt: Hunt) -> Search:
    """Both sides agree at all points where both could be enclosed."""
    digits = None if hunt.digits == inf else int(hunt.digits)
    detail: dict[str, Any] = {"points": len(hunt.agreeing)}
    if digits is not None:
        detail["digits"] = digits
    detail |= {kind: n for kind, n in sorted(hunt.kinds.items()) if n and kind != "agree"}
    if hunt.sides.switches:
        detail["pieces"] = {
            write(s.quantity): _sides_seen(s, seen)
            for s, seen in zip(hunt.sides.switches, hunt.sides.seen, strict=True)
        }
    resolution = 0.0 if digits is None else float(f"1e-{digits}")
    unclear = ""
    if hunt.unclear:
        at = ", ".join(f"{name} = {value}" for name, value in write_point(hunt.unclear[0]).items())
        unclear = f"around {at} it cannot be told which piece counts: what decides it is 0 there, as far as balls tell"
    evidence = Evidence(ROUTE, Rigor.ENCLOSED, True, RELIES_ON, None, resolution, detail)
    return _record(hunt, evidence, unclear=unclear)


def _undecided(hunt: Hunt) -> Search:
    """No point where both sides could be enclosed: why."""
    tried = sum(hunt.kinds.values())
    if tried:
        common, count = hunt.reasons.most_common(1)[0]
        reason = f"no point was found where both sides can be evaluated: {common} (at {count} of {tried} points tried)"
    else:
        reason = f"no point of the domain was found in {hunt.outside} draws: do its conditions leave any room?"
    detail = {"reason": reason, "tried": tried, "outside": hunt.outside, **dict(sorted(hunt.kinds.items()))}
    return _record(hunt, Evidence(ROUTE, Rigor.ENCLOSED, None, RELIES_ON, detail=detail), reason=reason)


# --- where a refuted claim holds ------------------------------------------------------------------


def _survey(hunt: Hunt) -> Iterator[Point]:
    """Further points at which the sides differ; those at which they agree are added to the hunt's."""
    schedule = hunt.sampler.schedule()
    for k in range(3 * SURVEY):
        if hunt.constant or (k >= SURVEY and not hunt.agreeing):
            return
        point = next(schedule) if k % 3 or not hunt.agreeing else hunt.sampler.near(hunt.rng.choice(hunt.agreeing))
        kind = "outside" if point is None else hunt.judge(point, 2).kind
        if point is not None and kind == "agree":
            hunt.agreeing.append(point)
        elif point is not None and kind == "differ":
            yield point


def _parting(hunt: Hunt, differing: Sequence[Point]) -> Iterator[str]:
    """Conditions true at all agreeing points and false at all differing ones."""
    if len(hunt.agreeing) < FEWEST_AGREEING:
        return
    for name, r in hunt.sampler.ranges.items():
        if r.signed and r.field != "complex":
            yield from _parted(name, *([p[name][0] > 0 for p in points] for points in (hunt.agreeing, differing)))
    for i, switch in enumerate(hunt.sides.switches):
        if not switch.stepped and switch.quantity.op != "symbol":
            sides = ([hunt.sides.side(i, p) == 1 for p in points] for points in (hunt.agreeing, differing))
            yield from _parted(write(switch.quantity), *sides)


def _parted(quantity: str, agree: Sequence[bool], differ: Sequence[bool]) -> Iterator[str]:
    """`quantity > 0` (or `< 0`) if that is so wherever the sides agree and nowhere else."""
    if all(agree) and not any(differ):
        yield f"{quantity} > 0"
    if not any(agree) and all(differ):
        yield f"{quantity} < 0"


def _sides_seen(switch: Switch, seen: Mapping[int, Point]) -> str:
    """On which sides of a switch points were, in words."""
    if switch.stepped:
        return f"{len(seen)} steps"
    return " and ".join(word for sign, word in ((-1, "negative"), (1, "positive")) if sign in seen) or "none"


def relative_gap(lhs: acb, rhs: acb) -> float:
    """|lhs - rhs| over the larger of the two (dimensionless)."""
    scale = max(abs(lhs).mid(), abs(rhs).mid(), key=float)
    return float(abs(lhs - rhs).mid() / scale)


# --- checking a counterexample again ----------------------------------------------------------------


@dataclass(frozen=True)
class Recheck:
    """Both sides at a point; whether they are apart there and on a ball around it, of the radius `neighbourhood`."""

    lhs: acb
    rhs: acb
    apart: bool
    neighbourhood: str


def evaluate_at(claim: Claim, point: Mapping[str, str]) -> Recheck:
    """Enclose both sides again at an exact point (as written in a counterexample), without any prover.

    Raises ValueError for a point that does not belong to the domain, `jets.NoValue` where a side has no value.
    """
    precision = ctx.prec
    try:
        hunt = Hunt(claim, Random(0))
        exact = read_point(point)
        if set(hunt.sampler.ranges) != set(exact):
            names = ", ".join(hunt.sampler.ranges) or "no name"
            raise ValueError(f"the point {dict(point)} must give exactly {names}")
        if not hunt.sampler.admits(exact):
            raise ValueError(f"the point {dict(point)} does not belong to the domain of the claim")
        certificate = hunt.certify(exact)
        lhs, rhs = hunt.sides_at(exact)
        apart = certificate is not None and not lhs.overlaps(rhs)
        return Recheck(lhs, rhs, apart, _neighbourhood(hunt, certificate[0]) if certificate else "")
    finally:
        ctx.prec = precision
