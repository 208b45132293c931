"""Which points are tried, one after the other, to bring the sides of a claim apart?

A hunt judges exact points of the domain, remembers what they said, and lets that direct the next ones: towards where
both sides are defined, around the points that were found, and to both sides of every switch.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from itertools import product
from math import inf, log
from random import Random

from flint import acb, arb, ctx

from verify.claim import Claim
from verify.decide.enclose.balls import Program
from verify.decide.enclose.jets import Kink, NoValue, Undecided, Undefined, Unsupported
from verify.decide.enclose.pieces import Sides, switches
from verify.decide.enclose.points import Point, Sampler
from verify.graph import surface

#: Bits, rising until the answer is clear; 64 would cost almost as much as 128 and could not show 30 digits.
PRECISIONS = (128, 256, 512, 1024)
#: Radii 2^-k of the balls on which the sides must stay apart, with the precision for each.
NEIGHBOURHOODS: tuple[tuple[int | None, int], ...] = ((40, 128), (80, 256), (160, 512), (320, 1024))
#: For claims that include kinks and jumps.
POINT_ALONE: tuple[tuple[int | None, int], ...] = ((None, 256), (None, 1024))
#: Decimal digits to which sides shall agree, and the fewest that count as agreement.
WANTED_DIGITS, FEWEST_DIGITS = 30, 12
#: Bits of the sides of a counterexample that are shown.
SHOWN_BITS = 80
#: Agreeing points wanted; points tried for them; points tried where none is defined.
POINTS, ATTEMPTS, CLIMB = 12, 40, 400
#: The same for claims with integrals, each value of which costs some thousand evaluations.
POINTS_OF_INTEGRALS = 6
#: Points tried on one side of a switch until both sides of the claim are defined there.
CROSS = 80
#: How close to an edge of the domain, as shares 2^-k of the way to it, points are tried; names that are moved there,
#: and how many of them at once.
EDGES, FEWER_EDGES, MOST_EDGED, MOST_CORNERED = (3, 7, 14, 24, 40), (3, 14), 3, 2
#: Doublings of a coordinate that look for an edge, and halvings that find it.
_DOUBLINGS, _HALVINGS = 64, 60
#: Functions whose formulas change on the way through their domain.
_BRANCHED = frozenset({
    "abs", "sign", "floor", "ceil", "max", "min", "asin", "acos", "atan", "atan2", "acot", "asec", "acsc", "acosh",
    "asech", "acsch", "acoth", "log", "LambertW", "erfinv", "loggamma", "polylog",
})  # fmt: skip

Certificate = tuple[int | None, int]
"""A radius 2^-k, given by k (None: the point alone), and the precision at which the sides are seen to be apart."""


@dataclass(frozen=True)
class Judgement:
    """What one point says.

    kind   agree, differ, undefined, undecided, kink, unsupported, or isolated (apart at the point, not around it).
    """

    kind: str
    digits: float = 0.0
    reason: str = ""
    progress: tuple[float, float] = (inf, 0.0)
    """How far the evaluation came, and minus the distance to where it would go on: larger is better."""


@dataclass
class Hunt:
    """One search: the points so far and what they said."""

    claim: Claim
    rng: Random
    precisions: Sequence[int] = PRECISIONS
    agreeing: list[Point] = field(default_factory=list)
    failed: list[tuple[tuple[float, float], int, Point]] = field(default_factory=list)
    kinds: Counter[str] = field(default_factory=Counter)
    reasons: Counter[str] = field(default_factory=Counter)
    digits: float = inf
    outside: int = 0
    unclear: list[Point] = field(default_factory=list)
    """Points around which a choice cannot be told: what decides it seems to be 0 there."""

    def __post_init__(self) -> None:
        claim = self.claim
        self.program = Program((claim.lhs, claim.rhs), real=not claim.is_complex)
        self.sampler = Sampler(claim.domain, self.rng)
        self.sides = Sides(switches(claim.lhs, claim.rhs), self.program.real, self.sampler)
        self.constant = not claim.domain.variables
        self.points = POINTS_OF_INTEGRALS if any(n.op == "quadrature" for n in self.program.nodes) else POINTS

    # --- one point ---

    def judge(self, point: Point, most: int | None = None) -> Judgement:
        """Both sides at an exact point, at rising precision (`most` of them) until the answer is clear."""
        best, reason, progress, kind = -inf, "", (inf, 0.0), "undecided"
        for ctx.prec in self.precisions[:most]:
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

    def visit(self, point: Point) -> Certificate | None:
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
            if judgement.kind == "kink" and not self.unclear:
                beside = self.sampler.near(point, Fraction(1, 1000))
                if beside is not None and self.judge(beside).kind == "kink":
                    self.unclear.append(point)
        return None

    def certify(self, point: Point, certificates: Sequence[Certificate] | None = None) -> Certificate | None:
        """The first radius at which the sides are apart on the whole ball around the point.

        A claim that includes kinks and jumps is refuted by a single point too.
        """
        if certificates is None:
            alone = self.claim.domain.everywhere and self.program.real
            certificates = NEIGHBOURHOODS + (POINT_ALONE if alone else ())
        for radius, precision in certificates:
            ctx.prec = precision
            try:
                lhs, rhs = self.program.values(self.sampler.env(point, None if radius is None else arb(2) ** -radius))
            except NoValue:
                continue
            if not lhs.overlaps(rhs):
                return radius, precision
        return None

    def sides_at(self, point: Point) -> tuple[acb, acb]:
        """Both sides at the point, apart and to more digits than are shown if possible.  Raises NoValue."""
        reason: NoValue = Undecided("no precision is enough there")
        sides: tuple[acb, acb] | None = None
        for ctx.prec in PRECISIONS:
            try:
                lhs, rhs = self.program.values(self.sampler.env(point))
            except Undecided as undecided:
                reason = undecided
                continue
            sides = lhs, rhs
            if not lhs.overlaps(rhs) and min(lhs.rel_accuracy_bits(), rhs.rel_accuracy_bits()) > SHOWN_BITS:
                break
        if sides is None:
            raise reason
        return sides

    # --- the search ---

    def refute(self) -> tuple[Point, Certificate] | None:
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
            if len(self.agreeing) >= self.points or (self.kinds["unsupported"] >= 3 and not self.agreeing):
                break
        if self.kinds["unsupported"] < 3 or self.agreeing:
            if not self.agreeing:
                yield from self.climb()
            yield from self.around()
            yield from self.coincidences()
            yield from self.edges()
        for i in range(len(self.sides.switches)):
            if self.agreeing:
                yield from self.across(i)
                yield from self.sides.borders(i)
                if self.claim.domain.everywhere:
                    yield from self.sides.zeros(i)

    def coincidences(self) -> Iterator[Point]:
        """Points at which an integer is 0, 1 or -1, or equal or opposite to another one: there formulas degenerate."""
        integers = [name for name, r in self.sampler.ranges.items() if r.field == "integer"]
        for start in self.agreeing[:1]:
            for name in integers:
                others = (start[other][0] for other in integers if other != name)
                values = (Fraction(0), *(sign * x for x in (Fraction(1), *others) for sign in (1, -1)))
                for point in (start | {name: (value, Fraction(0))} for value in dict.fromkeys(values)):
                    if point != start and self.sampler.admits(point):
                        yield point

    def edges(self) -> Iterator[Point]:
        """Points close to the edges of the domain, one by one and together: a branch may end shortly before them."""
        sides = (self.claim.lhs, self.claim.rhs)
        branched = any(
            (node.op == "call" and node.value in _BRANCHED) or node.op in ("piecewise", "quadrature")
            for node in self.program.nodes
        )
        if not self.agreeing or not branched:
            return
        plain = not any(node.op in ("derivative", "integral") for node in surface(*sides))
        names = [name for name, r in self.sampler.ranges.items() if r.field not in ("integer", "complex")]
        start = self.agreeing[0]
        found = {name: self._edges_of(name, start) for name in names[: MOST_EDGED if plain else 1]}
        towards = [{name: edge} for name, edges in found.items() for edge in edges]
        edged = [name for name in found if found[name]]
        if plain and 1 < len(edged) <= MOST_CORNERED:
            towards += [dict(zip(edged, each, strict=True)) for each in product(*(found[name] for name in edged))]
        for target in towards:
            shares = [Fraction(1, 1 << k) for k in (EDGES if plain else FEWER_EDGES)]
            for share in (*shares, Fraction(0)) if self.claim.domain.everywhere else shares:
                moved = {name: edge + (start[name][0] - edge) * share for name, edge in target.items()}
                point = start | {name: (x, Fraction(0)) for name, x in moved.items()}
                if self.sampler.admits(point):
                    yield point

    def _edges_of(self, name: str, start: Point) -> list[Fraction]:
        """How far the coordinate of a name reaches in the domain, downward and upward, where that has an end."""
        r = self.sampler.ranges[name]
        found = []
        for bound, way in ((r.low, -1), (r.high, 1)):
            x = start[name][0]
            if self.sampler.conditions is None:
                if bound is not None:
                    found.append(bound.near)
                continue

            def inside(y: Fraction) -> bool:
                return self.sampler.admits(start | {name: (y, Fraction(0))})

            step, far = max(abs(x), Fraction(1)), x
            for _ in range(_DOUBLINGS):
                far = x + way * step
                if not inside(far):
                    break
                step *= 2
            else:
                continue
            near = x
            for _ in range(_HALVINGS):
                middle = (near + far) / 2
                near, far = (middle, far) if inside(middle) else (near, middle)
            found.append(far)
        return found

    def climb(self) -> Iterator[Point]:
        """Points that come further and further in the evaluation, until both sides are defined."""
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
            (_, gap), _, start = self.failed[0 if step % 3 else self.rng.randrange(len(self.failed))]
            point = self.sampler.mutate(start, -gap)
            if self.sampler.admits(point):
                yield point

    def across(self, i: int) -> Iterator[Point]:
        """Points on an unseen side of a switch; where none is defined, others of that side that come further."""
        before = len(self.failed)
        yield from self.sides.unseen(i)
        tried = self.failed[before:]
        if not tried or not self.sides.switches[i].sharp:
            return
        for _ in range(CROSS):
            if len(self.sides.seen[i]) > 1:
                return
            best = max(tried, key=lambda entry: entry[:2])
            (_, gap), _, start = best if self.rng.random() < 0.7 else self.rng.choice(tried)
            point = self.sampler.mutate(start, -gap)
            if self.sampler.admits(point) and self.sides.side(i, point) not in (None, *self.sides.seen[i]):
                before = len(self.failed)
                yield point
                tried += self.failed[before:]

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
        for _ in range(2 * self.points):
            if not self.agreeing or len(self.agreeing) >= self.points:
                return
            spread = Fraction(1, self.rng.choice((10, 10, 100, 10000)))
            point = self.sampler.near(self.rng.choice(self.agreeing), spread)
            if point is not None:
                yield point


def agreement(lhs: acb, rhs: acb) -> float:
    """Certain common decimal digits of two overlapping balls: relative, or absolute where both may be 0."""
    apart = (lhs - rhs).abs_upper()
    if apart.is_zero():
        return inf
    scale = max(lhs.abs_lower(), rhs.abs_lower(), key=float)
    ratio = apart / scale if scale > 0 else apart
    return -float(ratio.log()) / log(10) if ratio.is_finite() else -inf
