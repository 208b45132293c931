"""Do enclosures of the two sides come apart anywhere?  Refutes a claim, or says how closely its sides agree.

Both sides are enclosed at seeded exact points of the domain.  Sides that are disjoint at a point, and on a whole ball
around it, refute the claim; a point alone refutes nothing (it may be a kink, a cut, a removable gap).
Where both overlap to many digits the claim is supported there.  Nothing here ever proves.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from math import inf, log
from random import Random

from flint import acb, arb, ctx

from verify.claim import Claim
from verify.decide.balls import Program
from verify.decide.decimals import decimal
from verify.decide.jets import Kink, NoValue, Undecided, Undefined, Unsupported
from verify.decide.pieces import Sides, Switch, switches
from verify.decide.points import Point, Sampler, read_point, write_point
from verify.decide.simplest import simplest
from verify.language.write import write
from verify.verdict import Counterexample, Evidence, Rigor

PRECISIONS = (64, 128, 256, 512, 1024)
#: Radii of the balls on which the sides must stay apart, as powers of two, with the precision for each.
NEIGHBOURHOODS = ((40, 128), (80, 256), (160, 512), (320, 1024))
#: Decimal digits to which sides shall agree, and the fewest that count as agreement.
WANTED_DIGITS, FEWEST_DIGITS = 30, 12
#: Agreeing points wanted; points tried for them; points tried where none is defined.
POINTS, ATTEMPTS, CLIMB = 12, 40, 400
#: Further points at which a refuted claim is tried, to see where it holds.
SURVEY = 12
ROUTE = "enclosures at exact points"
RELIES_ON = frozenset({"ball arithmetic", "rules of differentiation"})


@dataclass(frozen=True)
class Judgement:
    """What one point says: agree, differ, undefined, undecided, unsupported or isolated (apart at the point only)."""

    kind: str
    digits: float = 0.0
    reason: str = ""
    progress: tuple[float, float] = (inf, 0.0)
    """How far the evaluation came, and minus the distance to where it would go on: larger is better."""


@dataclass(frozen=True)
class Search:
    """The outcome of a search: its evidence, and what the other stages want to know.

    point        the refuting point, exact.
    agreeing     points at which the sides agree; differing: points of the survey at which they do not.
    holds_on     conditions on which a refuted claim was seen to hold, and nowhere else.
    left_out     where pieces meet: "x = 0", "x/y is whole".
    gaps         whether points were met where a side is undefined, or undecided at every precision.
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
    reason: str = ""


def search(claim: Claim, *, seed: int = 0) -> Search:
    """Try to refute the claim; deterministic for a seed."""
    precision = ctx.prec
    try:
        hunt = Hunt(claim, Random(seed))
    except NoValue as reason:
        text = str(reason)
        return Search(Evidence(ROUTE, Rigor.ENCLOSED, None, detail={"reason": text}), reason=text)
    try:
        return hunt.outcome(hunt.refute())
    finally:
        ctx.prec = precision


@dataclass
class Hunt:
    """One search: the points so far and what they said."""

    claim: Claim
    rng: Random
    agreeing: list[Point] = field(default_factory=list)
    differing: list[Point] = field(default_factory=list)
    failed: list[tuple[tuple[float, float], int, Point]] = field(default_factory=list)
    kinds: Counter[str] = field(default_factory=Counter)
    reasons: Counter[str] = field(default_factory=Counter)
    digits: float = inf
    outside: int = 0

    def __post_init__(self) -> None:
        claim = self.claim
        self.program = Program((claim.lhs, claim.rhs), real=not claim.is_complex)
        self.sampler = Sampler(claim.domain, self.rng)
        self.sides = Sides(switches(claim.lhs, claim.rhs), self.program.real, self.sampler)
        self.constant = not claim.domain.variables

    # --- one point ---

    def judge(self, point: Point, precisions: Sequence[int] = PRECISIONS[1:]) -> Judgement:
        """Both sides at an exact point, at rising precision until the answer is clear."""
        best, reason, progress, kind = -inf, "", (inf, 0.0), "undecided"
        for ctx.prec in precisions:
            try:
                lhs, rhs = self.program.values(self.sampler.env(point))
            except (Undefined, Unsupported) as error:
                kind = "undefined" if isinstance(error, Undefined) else "unsupported"
                gap = error.gap if isinstance(error, Undefined) and error.gap is not None else 0.0
                return Judgement(kind, 0.0, str(error), (error.step, -gap))
            except Undecided as error:
                reason, progress = str(error), (error.step, 0.0)
                kind = "kink" if isinstance(error, Kink) else "undecided"
                continue
            if not lhs.overlaps(rhs):
                return Judgement("differ")
            best = max(best, agreement(lhs, rhs))
            if best >= WANTED_DIGITS:
                break
        if best >= FEWEST_DIGITS:
            return Judgement("agree", best)
        return Judgement(kind, 0.0, reason or "too few digits are certain", progress)

    def visit(self, point: Point) -> tuple[int, int] | None:
        """Judge a point and keep what it said; the certificate (radius, precision) if it refutes."""
        judgement = self.judge(point)
        if judgement.kind == "differ":
            certificate = self.certify(point)
            if certificate is not None:
                return certificate
            judgement = Judgement("isolated", 0.0, "the sides differ at single points only")
        self.kinds[judgement.kind] += 1
        if judgement.kind == "agree":
            self.agreeing.append(point)
            self.digits = min(self.digits, judgement.digits)
            self.sides.note(point)
        else:
            self.reasons[judgement.reason] += 1
            self.failed.append((judgement.progress, len(self.failed), point))
        return None

    def certify(self, point: Point, certificates: Sequence[tuple[int, int]] = NEIGHBOURHOODS) -> tuple[int, int] | None:
        """The first radius at which the sides are apart on the whole ball around the point."""
        for radius, precision in certificates:
            ctx.prec = precision
            try:
                lhs, rhs = self.program.values(self.sampler.env(point, arb(2) ** -radius))
            except NoValue:
                continue
            if not lhs.overlaps(rhs):
                return radius, precision
        return None

    # --- the outcome ---

    def outcome(self, refutation: tuple[Point, tuple[int, int]] | None) -> Search:
        """The record of a finished search."""
        left_out = tuple(
            write(s.quantity) + (" is whole" if s.stepped else " = 0") for s in self.sides.switches if s.sharp
        )
        if refutation is None:
            gaps = any(n for kind, n in self.kinds.items() if kind != "agree")
            return replace(self.supported() if self.agreeing else self.undecided(), left_out=left_out, gaps=gaps)
        point, certificate = simplest(*refutation, self.sampler, self.certify)
        holds_on = self.survey(point)
        lhs, rhs = self.sides_at(point)
        radius = "" if all(r.field == "integer" for r in self.sampler.ranges.values()) else f"2^-{certificate[0]}"
        counterexample = Counterexample(write_point(point), decimal(lhs), decimal(rhs), radius)
        gap = relative_gap(lhs, rhs)
        detail = {"points": len(self.agreeing) + len(self.differing), "agree": len(self.agreeing),
                  "differ": len(self.differing), "bits": certificate[1]}  # fmt: skip
        if holds_on:
            detail["holds_on"] = list(holds_on)
        return Search(
            Evidence(ROUTE, Rigor.ENCLOSED, False, RELIES_ON, gap, None, detail),
            counterexample,
            point,
            tuple(self.agreeing),
            tuple(self.differing),
            self.kinds["undefined"],
            sum(self.kinds.values()),
            holds_on,
            left_out,
        )

    def supported(self) -> Search:
        """Both sides agree at all points where both could be enclosed."""
        digits = None if self.digits == inf else int(self.digits)
        detail: dict[str, object] = {"points": len(self.agreeing)}
        if digits is not None:
            detail["digits"] = digits
        for kind in ("undefined", "undecided", "kink", "isolated", "unsupported"):
            if self.kinds[kind]:
                detail[kind] = self.kinds[kind]
        if self.sides.switches:
            detail["pieces"] = {write(s.quantity): sides_seen(s, seen) for s, seen in zip(self.sides.switches, self.sides.seen, strict=True)}
        resolution = 0.0 if digits is None else float(f"1e-{digits}")
        evidence = Evidence(ROUTE, Rigor.ENCLOSED, True, RELIES_ON, None, resolution, detail)
        return Search(evidence, None, None, tuple(self.agreeing), (), self.kinds["undefined"], sum(self.kinds.values()))

    def undecided(self) -> Search:
        """No point where both sides could be enclosed: why."""
        tried = sum(self.kinds.values())
        if not tried:
            reason = f"no point of the domain was found in {self.outside} draws: do its conditions leave any room?"
        else:
            common, count = self.reasons.most_common(1)[0]
            reason = f"no point was found where both sides can be evaluated: {common} (at {count} of {tried} points tried)"
        detail = {"reason": reason, "tried": tried, "outside": self.outside, **self.kinds}
        evidence = Evidence(ROUTE, Rigor.ENCLOSED, None, RELIES_ON, detail=detail)
        return Search(evidence, undefined=self.kinds["undefined"], tried=tried, reason=reason)

    def sides_at(self, point: Point) -> tuple[acb, acb]:
        """Both sides at the point, to more digits than are shown."""
        sides: tuple[acb, acb] | None = None
        for ctx.prec in PRECISIONS[1:]:
            try:
                lhs, rhs = self.program.values(self.sampler.env(point))
            except Undecided:
                continue
            sides = lhs, rhs
            if not lhs.overlaps(rhs) and min(lhs.rel_accuracy_bits(), rhs.rel_accuracy_bits()) > 80:
                break
        assert sides is not None
        return sides

    def survey(self, point: Point) -> tuple[str, ...]:
        """Where else does a refuted claim hold or fail?  Conditions that part the two, if any do."""
        self.differing.append(point)
        schedule = self.sampler.schedule()
        for k in range(3 * SURVEY):
            drawn = next(schedule) if k % 3 or not self.agreeing else self.sampler.near(self.rng.choice(self.agreeing))
            if self.constant or (k >= SURVEY and not self.agreeing):
                break
            kind = "outside" if drawn is None else self.judge(drawn, PRECISIONS[1:3]).kind
            if drawn is not None and kind in ("agree", "differ"):
                (self.agreeing if kind == "agree" else self.differing).append(drawn)
        return tuple(self.parting())

    def parting(self) -> Iterator[str]:
        """Conditions true at all agreeing points and false at all differing ones."""
        if len(self.agreeing) < 3:
            return
        for name, r in self.sampler.ranges.items():
            if r.signed and r.field != "complex":
                sides = [[point[name][0] > 0 for point in points] for points in (self.agreeing, self.differing)]
                yield from parted(name, sides)
        for i, switch in enumerate(self.sides.switches):
            if not switch.stepped and switch.quantity.op != "symbol":
                sides = [[self.sides.side(i, point) == 1 for point in points] for points in (self.agreeing, self.differing)]
                yield from parted(write(switch.quantity), sides)

    # --- the search ---

    def refute(self) -> tuple[Point, tuple[int, int]] | None:
        """A point with its certificate; None when none was found."""
        for point in self.candidates():
            certificate = self.visit(point)
            if certificate is not None:
                return point, certificate
        return None

    def candidates(self) -> Iterator[Point]:
        """The points to try, one after the other; what they said so far directs the next."""
        if self.constant:
            yield {}
            return
        schedule = self.sampler.schedule()
        for _ in range(ATTEMPTS):
            point = next(schedule)
            if point is not None:
                yield point
            else:
                self.outside += 1
            if len(self.agreeing) >= POINTS or (self.kinds["unsupported"] >= 3 and not self.agreeing):
                break
        if self.kinds["unsupported"] < 3 or self.agreeing:
            if not self.agreeing:
                yield from self.climb()
            yield from self.around()
        for i in range(len(self.sides.switches)):
            if self.agreeing:
                yield from self.sides.unseen(i)
                yield from self.sides.borders(i)

    def climb(self) -> Iterator[Point]:
        """Points that come further and further in the evaluation, from the best so far, until both sides are defined."""
        if not self.failed:
            point = self.first_admissible()
            if point is None:
                return
            yield point
        for step in range(CLIMB):
            if self.agreeing:
                return
            self.failed.sort(key=lambda entry: (entry[0], entry[1]), reverse=True)
            del self.failed[8:]
            progress, _, start = self.failed[0 if step % 3 else self.rng.randrange(len(self.failed))]
            point = self.sampler.mutate(start)
            if self.sampler.admits(point):
                yield point

    def first_admissible(self) -> Point | None:
        """A point that fulfils all conditions, approached by small changes."""
        best: Point | None = None
        worst = inf
        for _ in range(CLIMB):
            if best is None or self.rng.random() < 0.1:
                point = self.sampler.anywhere()
            else:
                point = self.sampler.mutate(best)
            missing = self.sampler.shortfall(point)
            if missing == 0 and self.sampler.admits(point):
                return point
            if missing < worst:
                best, worst = point, missing
        return None

    def around(self) -> Iterator[Point]:
        """Points near those that were found, until there are enough."""
        for _ in range(2 * POINTS):
            if not self.agreeing or len(self.agreeing) >= POINTS:
                return
            spread = Fraction(1, self.rng.choice((10, 10, 100, 10000)))
            point = self.sampler.near(self.rng.choice(self.agreeing), spread)
            if point is not None:
                yield point


# --- comparing two balls --------------------------------------------------------------------------


def agreement(lhs: acb, rhs: acb) -> float:
    """Certain common decimal digits of two overlapping balls: relative, or absolute where both may be 0."""
    apart = (lhs - rhs).abs_upper()
    if apart.is_zero():
        return inf
    scale = max(lhs.abs_lower(), rhs.abs_lower(), key=float)
    ratio = apart / scale if scale > 0 else apart
    return -float(ratio.log()) / log(10) if ratio.is_finite() else -inf


def relative_gap(lhs: acb, rhs: acb) -> float:
    """|lhs - rhs| over the larger of the two (dimensionless)."""
    scale = max(abs(lhs).mid(), abs(rhs).mid(), key=float)
    return float((abs(lhs - rhs).mid() / scale))


def parted(quantity: str, sides: Sequence[Sequence[bool]]) -> Iterator[str]:
    """`quantity > 0` or `quantity < 0` if it is true on all of the first sides and on none of the second."""
    agree, differ = sides
    if all(agree) and not any(differ):
        yield f"{quantity} > 0"
    if not any(agree) and all(differ):
        yield f"{quantity} < 0"


def sides_seen(switch: Switch, seen: Mapping[int, Point]) -> str:
    """On which sides of a switch points were, in words."""
    if switch.stepped:
        return f"{len(seen)} steps"
    return " and ".join(word for sign, word in ((-1, "negative"), (1, "positive")) if sign in seen) or "none"


# --- checking a counterexample again -----------------------------------------------------------------


@dataclass(frozen=True)
class Certificate:
    """Both sides at a point, and whether they are apart there and on the ball around it."""

    lhs: acb
    rhs: acb
    apart: bool
    neighbourhood: str


def evaluate_at(claim: Claim, point: Mapping[str, str]) -> Certificate:
    """Enclose both sides again at an exact point (as written in a counterexample), without any prover.

    Raises ValueError for a point that does not belong to the domain, `jets.NoValue` where a side has no value.
    """
    precision = ctx.prec
    try:
        hunt = Hunt(claim, Random(0))
        exact = read_point(point)
        missing = set(hunt.sampler.ranges) - set(exact)
        if missing or not hunt.sampler.admits(exact):
            raise ValueError(f"the point {dict(point)} does not belong to the domain of the claim")
        certificate = hunt.certify(exact)
        lhs, rhs = hunt.sides_at(exact)
        apart = certificate is not None and not lhs.overlaps(rhs)
        return Certificate(lhs, rhs, apart, f"2^-{certificate[0]}" if certificate else "")
    finally:
        ctx.prec = precision
