"""Where is the gradient of an ODE problem?  Balls that contain it for certain, or the reason why there are none."""

from __future__ import annotations

import math
import time as clock
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from fractions import Fraction
from functools import cached_property
from typing import Any

from flint import arb

from verify.numerics.enclosure.accuracy import figures, precision
from verify.numerics.enclosure.ball import Ball, ball
from verify.numerics.enclosure.doubled import doubled, size
from verify.numerics.enclosure.events import Phases
from verify.numerics.enclosure.field import Field, differentiated
from verify.numerics.enclosure.forward import WIDE, Box, GaveUp, integrate
from verify.numerics.enclosure.objective import Known, derivatives, known, known_around, known_by_second, known_through
from verify.numerics.enclosure.stiff import DEGREE, LENGTH
from verify.numerics.enclosure.values import Ends, Value, ends_of
from verify.numerics.enclosure.written import Unsupported
from verify.system_claims import System
from verify.systems import OdeProblem
from verify.verdict import GiveUp

#: Times that the tolerance is tightened.
PASSES = 5
#: Names for each state from which on the adjoint is faster.
MANY = 4
#: What one step may leave out, in units of the radius that is wanted; up to so many names, and less for more.
SHARE, FEW = 5e-8, 45
#: What the tolerance is multiplied by after a pass that did not get to the end.
FINER = 1e-8
#: Largest doubled system for a box.
LARGEST = 60
#: What a step over a wide box may leave out, in units of the square of its width.
OF_SQUARE = 1e-5
#: What the defect of a piece of a stiff problem may be, in units of the radius that is wanted, one after the other; and
#: bits for it beyond those of a step.
DEFECTS, FOR_DEFECTS = (1e-4, 1e-10), 40
#: What a box is worth splitting for, as a part of the radius.
GAIN = 0.03


def bits_for(defect: float) -> int:
    """Bits for a stiff problem with such a defect."""
    return figures(defect)[1] + FOR_DEFECTS


@dataclass(frozen=True)
class EventTime:
    """The time of an event, and its derivatives, by what the gradient of the objective has."""

    time: Ball
    gradient: Mapping[str, Ball]

    def to_json(self) -> dict[str, Any]:
        return {"time": self.time.to_json(), "gradient": {name: b.to_json() for name, b in self.gradient.items()}}


@dataclass(frozen=True)
class Enclosure:
    """What is proved: the solution exists on [t0, T] for all values of the names, and the balls hold these values.

    state      x(T), by the names of the states.
    objective  G.
    gradient   dG/dq by parameter and other name of the problem; `t0` and `T`, which mean the ends of the interval
               (the whole derivative where the problem has a name t0 or T); `u(t0)` for the initial value of u alone.
               `t0` and `u(t0)` are missing over boxes that are too wide for them;
               `u(tau1+)` for the state just after the first event alone.
    hessian    second derivatives of G by pairs of names, where they were asked for.
    events     tau1, tau2, …: each event is proved to happen, before T and not earlier, transversally.
    radius     the largest radius in `gradient`; reached: whether it is what was asked for.
    pieces     parts of the box that were enclosed one by one.
    steps, order, bits   of the last pass; implicit: whether it is the one for stiff problems.
    """

    point: Mapping[str, Ball]
    state: Mapping[str, Ball]
    objective: Ball
    gradient: Mapping[str, Ball]
    radius: float
    reached: bool
    steps: int
    order: int
    bits: int
    pieces: int = 1
    hessian: Mapping[tuple[str, str], Ball] = field(default_factory=dict)
    events: tuple[EventTime, ...] = ()
    implicit: bool = False

    def __bool__(self) -> bool:
        return True

    def to_json(self) -> dict[str, Any]:
        balls = {"point": self.point, "state": self.state, "gradient": self.gradient}
        if self.hessian:
            balls["hessian"] = {f"{a}, {b}": x for (a, b), x in self.hessian.items()}
        record: dict[str, Any] = {key: {name: b.to_json() for name, b in each.items()} for key, each in balls.items()}
        record["objective"] = self.objective.to_json()
        if self.events:
            record["events"] = [each.to_json() for each in self.events]
        keys = ("radius", "reached", "pieces", "steps", "order", "bits")
        return record | {key: getattr(self, key) for key in keys}


@dataclass(frozen=True)
class Fail:
    """No enclosure, and why; false in a condition."""

    reason: str

    def __bool__(self) -> bool:
        return False


def enclose(
    problem: OdeProblem | System,
    at: Mapping[str, Value] | None = None,
    *,
    radius: float = 1e-12,
    seconds: float = 10.0,
    adjoint: bool | None = None,
    pieces: int = 1,
    second: bool = False,
) -> Enclosure | Fail:
    """Enclose x(T), G and the gradient of G at a point of the parameters, or over a box of them.

    at       a value for every name of the problem: exact (a float is the double that it is), or a pair (low, high).
    radius   absolute, for each component of the gradient; tightened until it is reached, or does not shrink any more.
    seconds  after which it gives up.
    adjoint  whether the gradient comes from the adjoint, whose cost hardly grows with the number of names, or from
             forward sensitivities; chosen by their number unless given.
    pieces   parts that a box may be split into; it is split where that makes the balls smaller.
    second   whether the second derivatives by pairs of names are enclosed too, to whatever radius comes along.

    Raises ValueError for a name without a value, or without a meaning; never returns a number where there is no
    solution.  Method: Lohner's QR frame around Taylor steps whose remainders are bounded in the algebra of power
    series (Schauder's theorem), all in balls; see `verify.numerics.enclosure.step`.
    """
    if isinstance(problem, System):
        problem = _ode(problem.problem)
    ends = ends_of(_ode(problem), at or {})
    if not 0 < radius < math.inf:
        raise ValueError(f"radius is {radius}; give a positive number")
    if second and problem.events:
        raise ValueError("second derivatives of problems with events are not enclosed")
    if pieces < 1:
        raise ValueError(f"pieces is {pieces}; give 1 or more")
    try:
        names = differentiated(problem)
        many = len(names) > MANY * len(problem.state) if adjoint is None else adjoint
        field = Phases(problem, names) if problem.events else Field.of(problem, names)
        task = Task(field, radius, clock.monotonic() + seconds, many)
        found = task.box(ends)
        if pieces > 1 and any(low < high for low, high in ends.values()):
            found = task.split(ends, found, pieces)
        if second and isinstance(found, Enclosure):
            return task.second(ends, found)
        return found
    except (Unsupported, GiveUp) as reason:
        return Fail(str(reason))


@dataclass(frozen=True)
class Task:
    """What is wanted of a field, or of one phase after the other, and until when."""

    field: Field | Phases
    radius: float
    deadline: float
    adjoint: bool

    @cached_property
    def twice(self) -> tuple[Field, tuple[str, ...]]:
        """The doubled system and what is observed of it."""
        if isinstance(self.field, Phases):
            raise ValueError("a problem with events has no doubled system")
        return doubled(self.field)

    def box(self, ends: Mapping[str, Ends]) -> Enclosure | Fail:
        """Passes over a box (or a point), each with a finer tolerance, until the radius is reached."""
        width = max((float((high - low) / max(1, abs(high + low))) for low, high in ends.values()), default=0.0)
        if width > WIDE:
            return self._wide_box(ends, max(self.radius * SHARE, OF_SQUARE * width**2))
        best: Enclosure | None = None
        failed = ""
        tol = self.radius * SHARE / max(1.0, len(self.field.names) / FEW) ** 2
        for _ in range(PASSES):
            order, bits = figures(tol)
            try:
                with precision(bits, order):
                    found = self._pass(ends, order, bits, tol, doubling=False)
            except GaveUp as reason:
                if reason.stiff and not best:
                    return self._stiff(ends, str(reason))
                if best or failed or reason.final:
                    # Twice at the same place: more digits do not help.
                    return best or Fail(failed or str(reason))
                failed, tol = str(reason), tol * FINER
                continue
            stuck = best is not None and found.radius > 0.5 * best.radius
            best = found if best is None or found.radius < best.radius else best
            if best.reached or stuck:
                return best
            tol *= max(min(0.1 * self.radius / found.radius, 0.1), 1e-30)
        return best or Fail(failed)

    def _stiff(self, ends: Mapping[str, Ends], reason: str) -> Enclosure | Fail:
        """Around an approximate solution, for systems that are not too large; else the reason."""
        if isinstance(self.field, Phases) or size(self.field) > LARGEST:
            return Fail(reason)
        whole, outputs = doubled(self.field, free=True)
        best: Enclosure | None = None
        for tol in (self.radius * factor for factor in DEFECTS):
            bits = bits_for(tol)
            try:
                with precision(bits, LENGTH):
                    at = {name: _between(*pair) for name, pair in ends.items()}
                    known_there = known_around(whole, outputs, Box.of(at, ()), tol, self.deadline)
                    found = replace(self._stated(known_there, at, DEGREE, bits), implicit=True)
            except GaveUp as other:
                return best or Fail(f"{reason}; nor with an implicit one: {other}")
            except (ArithmeticError, ValueError):
                return best or Fail(reason)
            best = found if best is None or found.radius < best.radius else best
            if best.reached or any(low < high for low, high in ends.values()):
                break  # over a box the balls are wide for another reason
        return best or Fail(reason)

    def _wide_box(self, ends: Mapping[str, Ends], tol: float) -> Enclosure | Fail:
        """One pass: what the balls are wide by does not come from tails."""
        digits = max(-math.log10(tol), 4.0)
        order, bits = int(4 + 0.6 * digits), int(3.33 * digits) + 35
        try:
            with precision(bits, order):
                return self._pass(ends, order, bits, tol, doubling=True)
        except GaveUp as reason:
            return Fail(str(reason))

    def _pass(self, ends: Mapping[str, Ends], order: int, bits: int, tol: float, doubling: bool) -> Enclosure:
        at = {name: _between(*pair) for name, pair in ends.items()}
        box = Box.of(at, [name for name, (low, high) in ends.items() if low < high])
        try:
            if isinstance(self.field, Phases):
                found = known_through(self.field, box, order, tol, self.deadline)
                return self._stated(found, at, order, bits)
            doubling = doubling and size(self.field) <= LARGEST
            found = self._by_second(box, order, tol) if doubling else None
            try:
                way = integrate(self.field, box, order, tol, self.deadline, self.adjoint)
                first = known(self.field, box, way)
                found = first.both(found) if found else first
            except GaveUp:
                if not found:
                    raise
            return self._stated(found, at, order, bits)
        except (ArithmeticError, ValueError) as reason:
            raise GaveUp(f"the objective, or its derivative, has no finite value ({reason})") from None

    def _by_second(self, box: Box, order: int, tol: float) -> Known | None:
        whole, outputs = self.twice
        try:
            way = integrate(whole, box, order, tol, self.deadline, adjoint=False, states_alone=True)
        except GaveUp:
            return None
        return known_by_second(whole, outputs, box, way)

    def _stated(self, found: Known, at: Mapping[str, arb], order: int, bits: int) -> Enclosure:
        balls = {name: Ball.of(x) for name, x in found.gradient.items()}
        state = {name: Ball.of(x) for name, x in zip(self.field.problem.state, found.state, strict=True)}
        worst = max((float(b.radius) for b in balls.values()), default=0.0)
        point = {name: Ball.of(x) for name, x in at.items()}
        reached = worst <= self.radius
        events = tuple(
            EventTime(Ball.of(time), {name: Ball.of(x) for name, x in slopes.items()}) for time, slopes in found.events
        )
        return Enclosure(
            point, state, Ball.of(found.objective), balls, worst, reached, found.steps, order, bits, events=events
        )

    def split(self, ends: Mapping[str, Ends], whole: Enclosure | Fail, pieces: int) -> Enclosure | Fail:
        """The hull of the balls of parts, of which the worst is halved as long as that makes them smaller."""
        done: list[Enclosure] = []
        open_: list[tuple[dict[str, Ends], Enclosure | Fail]] = [(dict(ends), whole)]
        while open_ and len(done) + len(open_) < pieces and clock.monotonic() < self.deadline:
            worst = max(range(len(open_)), key=lambda i: self._worst(open_[i][1]))
            part, found = open_.pop(worst)
            halves = [(half, self.box(half)) for half in _halves(part)]
            both = [each for _, each in halves if isinstance(each, Enclosure)]
            if isinstance(found, Fail):
                open_.extend(halves)
            elif len(both) < len(halves):
                done.append(found)  # out of time
            elif self._worst(_hull(both)) > (1 - GAIN) * self._worst(found):
                done.extend(both)
            else:
                open_.extend(halves)
        for part, found in open_:
            if isinstance(found, Fail):
                where = ", ".join(
                    f"{name} in [{float(low):.6g}, {float(high):.6g}]" for name, (low, high) in part.items()
                )
                return Fail(f"{found.reason} (with {where})")
            done.append(found)
        return _hull(done)

    def _worst(self, found: Enclosure | Fail) -> float:
        """The largest radius by name; initial values and times are not what a box is split for."""
        if isinstance(found, Fail):
            return math.inf
        return max((float(found.gradient[name].radius) for name in self.field.names), default=0.0)

    def second(self, ends: Mapping[str, Ends], found: Enclosure) -> Enclosure | Fail:
        """With the second derivatives, from the doubled system."""
        whole, outputs = self.twice
        wide = [name for name, (low, high) in ends.items() if low < high]
        try:
            with precision(found.bits, found.order):
                box = Box.of({name: _between(*pair) for name, pair in ends.items()}, wide)
                tol = self.radius * SHARE
                way = integrate(whole, box, found.order, tol, self.deadline, adjoint=False)
                names = self.field.names
                rows = {name: derivatives(whole, way, outputs.index(name))[1] for name in names}
                balls = {(a, b): Ball.of(rows[a][b]) for a in names for b in names}
        except (GaveUp, ArithmeticError, ValueError) as reason:
            return Fail(f"no second derivatives: {reason}")
        return replace(found, hessian=balls)


def _halves(ends: Mapping[str, Ends]) -> list[dict[str, Ends]]:
    """The box, halved across its longest side (relative to its middle, or 1)."""
    longest = max(ends, key=lambda name: (ends[name][1] - ends[name][0]) / max(1, abs(sum(ends[name]))))
    low, high = ends[longest]
    middle = (low + high) / 2
    return [{**ends, longest: pair} for pair in ((low, middle), (middle, high))]


def _hull(parts: list[Enclosure]) -> Enclosure:
    """What holds for all parts."""
    first = parts[0]

    def joined(balls: list[Ball]) -> Ball:
        with precision(first.bits, first.order):
            return Ball.of(_between(min(b.low for b in balls), max(b.high for b in balls)))

    def each(of: str) -> dict[str, Ball]:
        known = [getattr(part, of) for part in parts]
        return {key: joined([one[key] for one in known]) for key in known[0] if all(key in one for one in known)}

    gradient = each("gradient")
    radius = max((float(b.radius) for b in gradient.values()), default=0.0)
    return replace(
        first,
        point=each("point"),
        state=each("state"),
        objective=joined([part.objective for part in parts]),
        gradient=gradient,
        radius=radius,
        reached=all(part.reached for part in parts),
        pieces=len(parts),
        steps=sum(part.steps for part in parts),
        events=tuple(
            EventTime(
                joined([each.time for each in same]),
                {name: joined([each.gradient[name] for each in same]) for name in same[0].gradient},
            )
            for same in zip(*(part.events for part in parts), strict=True)
        ),
    )


def _ode(problem: Any) -> OdeProblem:
    if not isinstance(problem, OdeProblem):
        raise ValueError(f"{getattr(problem, 'kind', type(problem).__name__)!r} is not enclosed; give an OdeProblem")
    return problem


def _between(low: Fraction, high: Fraction) -> arb:
    """A ball that contains both ends and all between."""
    return ball(low) if low == high else ball(low).union(ball(high))
