"""Do the parts of a claimed adjoint system hold on numbers?  Solved, against routes that know no adjoint."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from functools import cached_property
from random import Random
from typing import TYPE_CHECKING, Any

import numpy as np

from verify.calculus.costate import jumps, seen
from verify.calculus.events import after, before, in_phase
from verify.claim import Domain
from verify.decide.enclose.points import Sampler
from verify.decide.systems.convention import Convention
from verify.graph import Node, free_symbols
from verify.numerics.ode_claims import (
    NODES,
    TOLERANCES,
    Numbers,
    claimed,
    difference_gradient,
    forward_gradient,
)
from verify.numerics.ode_solved import NO_SOLUTION, TOO_MANY, Curve, Failed, Grid, Pieces, Unmet
from verify.numerics.straight import NoFloat, Straight
from verify.systems import TIME
from verify.verdict import Counterexample, Evidence, Rigor

if TYPE_CHECKING:
    from verify.decide.systems.ode_task import Key, OdeTask

#: Points of the parameters that are wanted, and draws for them.
POINTS, DRAWS = 2, 16
#: Points without a solution, and points where it takes too long, after which no more are tried.
MOST_FAILED, MOST_STIFF = 8, 2
#: Draws and failures where events must happen for there to be anything to measure.
EVENTFUL = 40
#: What a refutation must stand off by, in estimated errors; and the rounding that no estimate falls below.
STAND_OFF, ROUNDING = 1000.0, 1e-12
#: A relative error above which agreement within its bounds says nothing.
COARSE = 1e-7
#: What a time may lie outside of the interval by rounding, relative to its length.
OUTSIDE = 1e-9
#: Times at which adjoint equations are compared.
TIMES = 9
#: Parameters by which the right adjoint is confirmed before a jump at an event is refuted.
CONFIRMED = 2
#: What differences across a jump of the right-hand side may be off, relative to what is compared.
CROSSING = 1e-4
#: What two vectors may lack of being parallel, relative to their lengths.
PARALLEL = 1e-9
#: What an evidence says where the routes to the truth do not agree.
OPEN = "open"
ROUTE = "the claimed system solved, against forward sensitivities"
ALONG = "along the computed solution"


@dataclass
class Measurement:
    """What numbers say of each part; `undefined` says why a part has no value along the solutions."""

    evidence: dict[Key, Evidence] = field(default_factory=dict)
    counterexamples: dict[Key, Counterexample] = field(default_factory=dict)
    undefined: dict[Key, str] = field(default_factory=dict)
    reason: str = ""
    nowhere: bool = False
    """Whether no solution up to the final time was found at any point: then a claim says nothing."""
    consistent: bool | None = None
    """Whether the claimed system, solved as it stands, gives the true gradient; None if it is not complete."""


@dataclass(frozen=True)
class Reading:
    """One comparison: both values, and the estimated error."""

    one: float
    other: float
    error: float
    is_open: bool = False
    """Whether the routes to the truth do not agree, so that nothing is known."""
    is_coarse: bool = False
    """Whether the error is so large that values which agree may be different all the same."""

    @property
    def apart(self) -> bool:
        return not self.is_open and abs(self.one - self.other) > STAND_OFF * self.error

    @property
    def together(self) -> bool:
        close = abs(self.one - self.other) <= 10 * STAND_OFF * self.error
        return close and not self.is_open and not self.is_coarse

    @property
    def relative(self) -> float:
        return abs(self.one - self.other) / (max(abs(self.one), abs(self.other)) or 1.0)


def measure(task: OdeTask, convention: Convention, *, whole_too: bool, points: int = POINTS) -> Measurement:
    """All parts at a few points of the parameters; deterministic for the seed.

    whole_too   whether the system is also solved as it stands, to see whether it gives the true gradient.
    """
    found = Measurement()
    readings: dict[Key, list[tuple[Reading, dict[str, str]]]] = {key: [] for key in task.keys}
    whole: list[bool] = []
    reasons: list[str] = []
    unmet, done = 0, 0
    most = EVENTFUL if task.problem.events else MOST_FAILED
    for exact in parameter_points(task):
        try:
            run = _Run.of(task, convention, exact)
            for key, reading in run.readings(found.undefined):
                readings[key].append((reading, {name: str(x) for name, x in exact.items()}))
            if whole_too and (consistent := run.consistent()) is not None:
                whole.append(consistent)
            done += 1
        except (Failed, NoFloat, FloatingPointError, OverflowError) as reason:
            reasons.append(str(reason))
            unmet += isinstance(reason, Unmet) or str(reason) == NO_SOLUTION
        if done == points or len(reasons) >= most or reasons.count(TOO_MANY) >= MOST_STIFF:
            break
    if not done:
        found.nowhere = bool(reasons) and unmet == len(reasons)
        found.reason = f"no numbers: {reasons[0]}" if reasons else "no numbers: no point of the domain was found"
        if task.problem.events and found.nowhere:
            found.reason += f" ({len(reasons)} points tried); declare with `let` where all events are crossed"
        return found
    found.consistent = all(whole) if whole else None
    for key, each in readings.items():
        if each:
            found.evidence[key] = _evidence(key, [reading for reading, _ in each])
            for reading, point in each:
                if reading.apart and key not in found.counterexamples and found.evidence[key].holds is False:
                    found.counterexamples[key] = Counterexample(point, _shown(reading.one), _shown(reading.other))
    off = [evidence.holds is False for key, evidence in found.evidence.items() if key[0] == "gradient"]
    if found.consistent and any(off):
        _reconcile(found)
    return found


def _evidence(key: Key, readings: Sequence[Reading]) -> Evidence:
    apart = [reading for reading in readings if reading.apart]
    together = all(reading.together for reading in readings)
    holds = False if apart else (True if together else None)
    worst = float(max(reading.relative for reading in readings))
    scale = max(max(abs(r.one), abs(r.other)) for r in readings) or 1.0
    resolution = float(STAND_OFF * max(reading.error for reading in readings) / scale)
    detail: dict[str, Any] = {"points": len(readings)}
    if any(reading.is_open for reading in readings):
        detail[OPEN] = "sensitivities and differences of the objective do not agree"
    if apart:
        detail["stands off by"] = f"{min(abs(r.one - r.other) / r.error for r in apart):.1e} estimated errors"
    if key[0] == "gradient":
        relies_on = frozenset({"claimed adjoint", "forward sensitivities", "DOP853"})
        return Evidence(ROUTE, Rigor.NUMERICAL, holds, relies_on, worst, resolution, detail)
    return Evidence(ALONG, Rigor.NUMERICAL, holds, frozenset({"DOP853"}), worst, resolution, detail)


def _reconcile(found: Measurement) -> None:
    """A system that is consistent as a whole, though in no convention that is known here: nothing of it is wrong.

    Its gradient is off on the right adjoint and true on the claimed one, so that it does depend on which one it is.
    """
    for key, evidence in found.evidence.items():
        if evidence.holds is False:
            detail = {
                "points": evidence.detail.get("points"),
                "as a whole": "the claimed system gives the true gradient",
            }
            found.evidence[key] = replace(evidence, holds=True, worst=None, detail=detail)
    found.counterexamples.clear()


def _shown(value: float) -> str:
    return f"{value:.12g}"


def parameter_points(task: OdeTask) -> Iterator[dict[str, Fraction]]:
    """Exact values for everything that the problem depends on."""
    problem = task.problem
    names = [name for name in problem.domain.variables if name not in problem.state]
    ends = free_symbols(problem.t0, problem.T) - set(names)
    conditions = tuple(c for c in problem.domain.conditions if not free_symbols(c) & set(problem.state))
    domain = Domain({name: task.identities.variable(name) for name in (*names, *sorted(ends))}, conditions)
    sampler = Sampler(domain, Random(task.seed))
    for draw in range(EVENTFUL if problem.events else DRAWS):
        point = sampler.draw(("unit",) if draw % 4 else ("simple",), positive=draw % 2 == 0)
        if point is not None:
            yield {name: x for name, (x, _) in point.items()}


def states_then(task: OdeTask, numbers: Numbers, u: Curve) -> dict[str, float]:
    """The states at the ends, at the times of observation and around events: u(0), u(1/2), u(tau1-), u(T)."""
    places = zip((*task.ends, *map(seen, task.problem.observations)), (*numbers.ends, *numbers.times), strict=True)
    found = {name + where: x for where, time in places for name, x in zip(task.problem.state, u(time), strict=True)}
    return found | sides_then(task, task.problem.state, u)


def sides_then(task: OdeTask, names: Sequence[str], curve: Curve) -> dict[str, float]:
    """A curve on both sides of every event, with their times: u(tau1-), u(tau1+), tau1."""
    found: dict[str, float] = {}
    if isinstance(curve, Pieces) and task.crossings:
        for i, crossing in enumerate(task.crossings):
            time = float(curve.times[i])
            found[crossing.time] = time
            for where, piece in ((before, curve.curves[i]), (after, curve.curves[i + 1])):
                found |= {name + where(crossing.time): x for name, x in zip(names, piece(time), strict=True)}
    return found


@dataclass
class _Run:
    """The problem at one point, its state and its right adjoint at both tolerances."""

    task: OdeTask
    convention: Convention
    numbers: Numbers
    curves: list[tuple[Curve, Curve]]

    @classmethod
    def of(cls, task: OdeTask, convention: Convention, exact: Mapping[str, Fraction]) -> _Run:
        numbers = Numbers(task.problem, {name: float(x) for name, x in exact.items()})
        curves = []
        for tol in TOLERANCES:
            u = numbers.state(tol)
            final = cls.final(task, numbers, u, task.costate.final)
            gains = [cls.gained(task, numbers, u, i, each) for i, each in enumerate(cls.jumps(task))]
            rates = [each.rate for each in task.costates]
            curves.append((u, numbers.adjoint(u, rates, final, task.names, tol, gains)))
        return cls(task, convention, numbers, curves)

    @staticmethod
    def jumps(task: OdeTask) -> list[tuple[Node, ...]]:
        """What the right adjoint gains at each event or observation."""
        return [each.gains for each in task.crossings] or list(jumps(task.problem))

    @staticmethod
    def gained(
        task: OdeTask, numbers: Numbers, u: Curve, i: int, nodes: Sequence[Node]
    ) -> Callable[[np.ndarray], list[float]]:
        """Expressions in the states at an observation, or at an event in states and in the adjoints just after it."""

        def gain(l: np.ndarray) -> list[float]:
            where = after(task.crossings[i].time) if task.crossings else ""
            more = {name + where: x for name, x in zip(task.names, l, strict=True)} if where else {}
            time = _times(numbers, u)[i]
            return _Run.valued(task, numbers, u, nodes, time, "a jump", more)

        return gain

    @staticmethod
    def final(task: OdeTask, numbers: Numbers, u: Curve, nodes: Sequence[Node]) -> list[float]:
        """Expressions in the states at the final time."""
        return _Run.valued(task, numbers, u, nodes, numbers.ends[1], "a terminal condition")

    @staticmethod
    def valued(
        task: OdeTask, numbers: Numbers, u: Curve, nodes: Sequence[Node], t: float, what: str,
        more: Mapping[str, float] | None = None,
    ) -> list[float]:  # fmt: skip
        """Expressions in the states at the ends and the observations or events, in t, and in more names."""
        at = {**numbers.values, TIME: t, **states_then(task, numbers, u), **(more or {})}
        found = [float(value) for value in Straight(nodes)(at)]
        if not all(map(math.isfinite, found)):
            raise Failed(f"{what} has no finite value")
        return found

    # --- parts in the convention ---

    def readings(self, undefined: dict[Key, str]) -> Iterator[tuple[Key, Reading]]:
        truth = self.truth()
        for key in self.task.keys:
            try:
                if key[0] == "adjoint":
                    reading = self.along(key)
                elif key[0] == "terminal":
                    reading = self.at_end(key)
                elif key[0] == "jump":
                    reading = self.at_jump(key)
                else:
                    reading = self.gradient(key, truth)
            except NoFloat:
                continue
            except Failed as reason:
                undefined[key] = str(reason)
                continue
            if reading is not None:
                yield key, reading

    def truth(self) -> dict[str, tuple[float, float]]:
        """The gradient by forward sensitivities, and its error."""
        names = [name for table, name in self.task.keys if table == "gradient"]
        if not names:
            return {}
        coarse, fine = (
            forward_gradient(self.numbers, names, tol, _times(self.numbers, u) if self.task.crossings else ())
            for tol, (u, _) in zip(TOLERANCES, self.curves, strict=True)
        )
        if not np.all(np.isfinite(fine)):
            raise Failed("the gradient is not finite")
        return {name: (b, abs(b - a)) for name, a, b in zip(names, coarse, fine, strict=True)}

    def claimed_adjoint(self, which: int) -> Curve:
        """kappa times the right adjoint, in the claimed order."""
        adjoint, places = self.curves[which][1], list(self.convention.places)
        scales = np.array(self.numbers.constants([self.convention.scale(i) for i in range(len(places))]))

        def scaled(curve: Curve) -> Curve:
            return lambda t: (scales * curve(t)[places].T).T

        return Pieces(adjoint.times, list(map(scaled, adjoint.curves))) if self.task.crossings else scaled(adjoint)  # ty: ignore[missing-attribute]

    def along(self, key: Key) -> Reading | None:
        """Both sides of an adjoint equation along the solution, at the time where they are furthest apart."""
        if key not in self.task.read:
            return None
        u, l = self.curves[1][0], self.claimed_adjoint(1)
        t0, T = self.numbers.ends
        edges = [t0, *(u.times if isinstance(u, Pieces) else ()), T]
        i, phases = self.task.where(key[1])
        found = []
        for phase in phases:
            right = self.convention.entry(self.task.costates[phase].rate, i)
            program = Straight((self.task.read[key], right))  # ty: ignore[invalid-argument-type]
            for t in np.linspace(edges[phase], edges[phase + 1], TIMES + 2)[1:-1]:
                at = {**self.numbers.at(t, u), **dict(zip(self.task.names, l(t), strict=True))}
                a, b = (float(value) for value in program({**states_then(self.task, self.numbers, u), **at}))
                if not math.isfinite(b):
                    raise Failed("the right adjoint equation has no value along the solution")
                if not math.isfinite(a):
                    raise Failed("the claimed adjoint equation has no value along the solution")
                scale = max(abs(a), abs(b), *np.abs(l(t)), 1e-30)
                found.append(Reading(a, b, ROUNDING * scale))
        return max(found, key=lambda reading: abs(reading.one - reading.other) / reading.error)

    def at_end(self, key: Key) -> Reading | None:
        if key not in self.task.read:
            return None
        one, other = self.final(self.task, self.numbers, self.curves[1][0], self.task.pairs(key, self.convention)[0])
        return Reading(one, other, ROUNDING * max(abs(one), abs(other), 1e-30))

    def at_jump(self, key: Key) -> Reading | None:
        if key not in self.task.read:
            return None
        i, j, gains = self.task.jumps[key[1]]
        pair = (self.task.read[key], self.convention.entry(gains, j))
        values = []
        for which in (0, 1):
            u, l = self.curves[which][0], self.claimed_adjoint(which)
            sides = sides_then(self.task, self.task.names, l)
            time = _times(self.numbers, u)[i]
            values.append(self.valued(self.task, self.numbers, u, pair, time, "a jump", sides))  # ty: ignore[invalid-argument-type]
        (rough, _), (one, other) = values
        scale = max(abs(one), abs(other), 1e-30)
        reading = Reading(one, other, ROUNDING * scale + (abs(one - rough) if self.task.crossings else 0.0))
        doubtful = reading.apart and self.task.crossings and not self.is_confirmed
        return replace(reading, is_open=True) if doubtful else reading

    @cached_property
    def is_confirmed(self) -> bool:
        """Whether differences of the objective give the gradient that the right adjoint does, with all its jumps."""
        for name in self.task.problem.parameters[:CONFIRMED]:
            rough, spread = difference_gradient(self.numbers, name, TOLERANCES[1])
            if abs(rough - (right := self.right(name))) > 10 * spread + 1e-7 * max(abs(right), self.size()):
                return False
        return True

    def gradient(self, key: Key, truth: Mapping[str, tuple[float, float]]) -> Reading | None:
        coarse, fine = (self.value(key, i, self.claimed_adjoint(i), run) for i, (_, run) in enumerate(self.curves))
        return self.against(key[1], coarse, fine, truth[key[1]])

    def against(self, name: str, coarse: float, fine: float, truth: tuple[float, float]) -> Reading:
        """A claimed value against the truth; one that stands off is confirmed by differences of the objective."""
        value, error = truth
        scale = max(abs(fine), abs(value), self.size())
        spread = abs(fine - coarse) + error + ROUNDING * scale
        reading = Reading(fine, value, spread, is_coarse=spread > COARSE * scale)
        if reading.apart:
            # Two more routes: the right gradient on the right adjoint, and differences as a check on both.
            second = self.right(name)
            rough, spread = difference_gradient(self.numbers, name, TOLERANCES[1])
            agree = abs(rough - value) <= 10 * spread + 1e-7 * scale
            if not agree or abs(fine - second) <= STAND_OFF * reading.error:
                return replace(reading, is_open=True)
        elif self.task.is_jumping or self.task.may_be_singular:
            # Sensitivities do not see a jump that the solution crosses, and differences do.
            rough, spread = difference_gradient(self.numbers, name, TOLERANCES[1])
            return replace(reading, is_open=abs(rough - value) > 10 * spread + CROSSING * scale)
        return reading

    def right(self, name: str) -> float:
        """The right gradient by the right adjoint."""
        task, (t0, T), (u, l) = self.task, self.numbers.ends, self.curves[1]
        right = task.gradient(name)
        at: dict[str, Any] = {**self.numbers.values, **states_then(task, self.numbers, u)}
        at |= sides_then(task, task.names, l)
        for time, where in zip((t0, T), task.ends, strict=True):
            at |= {n + where: x for n, x in zip(task.names, l(time), strict=True)}
        found, grid = float(Straight((right.boundary,))(at)[0]), Grid.of((u, l), NODES[1])
        edges, count = [t0, *(u.times if isinstance(u, Pieces) else ()), T], len(task.problem.phases)
        for phase in range(count):
            inside = Straight((right.inside if count == 1 else in_phase(right.inside, phase, count),))

            def along(t: Any, inside: Straight = inside) -> Any:
                states, adjoints = zip(task.problem.state, u(t), strict=True), zip(task.names, l(t), strict=True)
                return inside({**at, TIME: t, **dict(states), **dict(adjoints)})[0]

            found += grid.integral(along, edges[phase], edges[phase + 1])
        return found

    def size(self) -> float:
        """The size of the adjoint: an exact zero has no relative error."""
        t0, T = self.numbers.ends
        return 1e-3 * float(max(np.max(np.abs(self.curves[1][1](t))) for t in np.linspace(t0, T, 5)))

    def value(self, key: Key, which: int, adjoint: Curve, adjoint_run: Curve) -> float:
        """A claimed gradient on given curves."""
        task, (t0, T), u = self.task, self.numbers.ends, self.curves[which][0]
        turned: Callable[[Any], Any] = (lambda t: t0 + T - t) if task.reader.backwards else (lambda t: t)
        curves: dict[str, Callable[[Any], Any]] = {}

        def within(curve: Callable[[Any], Any]) -> Callable[[Any], Any]:
            def checked(t: Any) -> Any:
                if np.min(t) < t0 - OUTSIDE * (T - t0) or np.max(t) > T + OUTSIDE * (T - t0):
                    raise Failed("a value at a time outside of the interval is asked for")
                return curve(t)

            return checked

        for i, name in enumerate(task.problem.state):
            curves[name] = within(lambda t, i=i: u(t)[i])
        for i, name in enumerate(task.names):
            curves[name] = within(lambda t, i=i: adjoint(turned(t))[i])
        grid = Grid.of((u, adjoint_run), NODES[which])
        values, node = self.numbers.values, task.claim.gradient[key[1]]
        if task.crossings:
            if key in task.unread and "jumps at" in task.unread[key]:
                raise NoFloat(task.unread[key])
            node = task.reader.sided(node)
            values = {**values, **states_then(task, self.numbers, u), **sides_then(task, task.names, adjoint)}
        found = float(claimed(node, values, curves, grid))
        if not math.isfinite(found):
            raise Failed("the claimed gradient is not finite")
        return found

    # --- the whole ---

    def consistent(self) -> bool | None:
        """Whether the claimed equations as they stand give the true gradient; None unless all of it is claimed."""
        task = self.task
        gradients = [key for key in task.keys if key[0] == "gradient"]
        rates = task.claimed_rates()
        if not gradients or rates is None or any(k in task.unread for k in task.keys if k[0] != "gradient"):
            return None
        truth, results = self.truth(), []
        curves = []
        for tol, (u, _) in zip(TOLERANCES, self.curves, strict=True):
            final = [self.final(task, self.numbers, u, (self._final(i, name),))[0] for i, name in enumerate(task.names)]
            gains = [
                self.gained(task, self.numbers, u, i, task.gains(i, self.convention))
                for i in range(len(self.jumps(task)))
            ]
            curves.append(self.numbers.adjoint(u, rates, final, task.names, tol, gains))
        for key in gradients:
            coarse, fine = (self.value(key, i, l, l) for i, l in enumerate(curves))
            reading = self.against(key[1], coarse, fine, truth[key[1]])
            results.append(reading.together and not reading.apart)
        return all(results) and self._proportional(curves[1])

    def _final(self, i: int, name: str) -> Node:
        read = self.task.read.get(("terminal", name))
        return read if isinstance(read, Node) else self.convention.entry(self.task.costate.final, i)

    def _proportional(self, l: Curve) -> bool:
        """Whether the claimed adjoint is the right one but for a factor at each time, or for one in each entry."""
        t0, T = self.numbers.ends
        times = np.linspace(t0, T, TIMES + 2)[1:-1]
        claimed, right = (np.array([curve(t) for t in times]) for curve in (l, self.claimed_adjoint(1)))
        sizes = np.linalg.norm(claimed, axis=1) * np.linalg.norm(right, axis=1)
        if np.all(np.abs(np.abs(np.sum(claimed * right, axis=1)) - sizes) <= PARALLEL * sizes):
            return True
        sizes = np.linalg.norm(claimed, axis=0) * np.linalg.norm(right, axis=0)
        return bool(np.all(np.abs(np.abs(np.sum(claimed * right, axis=0)) - sizes) <= PARALLEL * sizes))


def _times(numbers: Numbers, u: Curve) -> Sequence[float]:
    """When the events of a solution happen, or else when something is observed."""
    return [float(t) for t in u.times] if isinstance(u, Pieces) else numbers.times
