"""What is claimed, and what is right, at one point of the parameters?  Both sides of every part, as numbers.

The state and the right adjoint are solved at two tolerances; what changes from one to the other is the error.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from verify.calculus.events import Crossing
from verify.decide.systems.convention import Convention
from verify.graph import Node, postorder
from verify.numerics.ode_claims import (
    NODES,
    TOLERANCES,
    Numbers,
    claimed,
    difference_gradient,
    forward_gradient,
)
from verify.numerics.ode_moments import gained, gradient_on, passed, sides_then, states_then, valued
from verify.numerics.ode_solved import Curve, Explosion, Failed, Grid, Pieces
from verify.numerics.straight import NoFloat, Straight

if TYPE_CHECKING:
    from verify.decide.systems.ode_task import Key, OdeTask

#: What a refutation must stand off by, in estimated errors; and the rounding that no estimate falls below.
STAND_OFF, ROUNDING = 1000.0, 1e-12
#: A relative error above which agreement within its bounds says nothing.
COARSE = 1e-7
#: What differences may be off beyond their own estimate, relative; and what stands for the size of an exact zero.
DIFFERENCES, LEAST = 1e-7, 1e-30
#: What a time may lie outside of the interval by rounding, relative to its length.
OUTSIDE = 1e-9
#: What a value at the final time is called.
FINAL = "a terminal condition"
#: A state that may make up for an adjoint that explodes, and functions that do not.
LARGE, BOUNDED = 1e30, frozenset({"sin", "cos", "tanh", "atan", "asin", "acos", "abs", "sign", "erf", "erfc"})
#: Times at which adjoint equations are compared.
TIMES = 9
#: Parameters by which the right adjoint is confirmed before a jump at an event is refuted.
CONFIRMED = 2
#: What differences across a jump of the right-hand side may be off, relative to what is compared.
CROSSING = 1e-4
#: What two vectors may lack of being parallel, relative to their lengths.
PARALLEL = 1e-9


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
    def close(self) -> bool:
        return not self.is_open and abs(self.one - self.other) <= 10 * STAND_OFF * self.error

    @property
    def together(self) -> bool:
        return self.close and not self.is_coarse

    @property
    def relative(self) -> float:
        return abs(self.one - self.other) / (max(abs(self.one), abs(self.other)) or 1.0)


@dataclass
class Solved:
    """The problem at one point, its state and its right adjoint at both tolerances."""

    task: OdeTask
    convention: Convention
    numbers: Numbers
    curves: list[tuple[Curve, Curve]]
    differences: dict[str, tuple[float, float]] = field(default_factory=dict)

    @classmethod
    def of(cls, task: OdeTask, convention: Convention, exact: Mapping[str, Fraction]) -> Solved:
        numbers = Numbers(task.problem, {name: float(x) for name, x in exact.items()})
        curves = []
        for tol in TOLERANCES:
            u = numbers.state(tol)
            final = valued(numbers, u, task.costate.final, numbers.ends[1], FINAL)
            gains = [
                (time, gained(numbers, u, time, moment, nodes, task.names))
                for time, moment, nodes in passed(numbers, u, task.moments)
            ]
            rates = [each.rate for each in task.costates]
            curves.append((u, numbers.adjoint(u, rates, final, task.names, tol, gains)))
        return cls(task, convention, numbers, curves)

    # --- parts in the convention ---

    def readings(self, undefined: dict[Key, str]) -> Iterator[tuple[Key, Reading]]:
        truth = self.truth
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

    @cached_property
    def truth(self) -> dict[str, tuple[float, float]]:
        """The gradient by forward sensitivities, and its error."""
        names = [name for table, name in self.task.keys if table == "gradient"]
        if not names:
            return {}
        coarse, fine = (
            forward_gradient(self.numbers, names, tol, [float(t) for t in u.times] if isinstance(u, Pieces) else ())
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

        if isinstance(adjoint, Pieces):
            return Pieces(adjoint.times, list(map(scaled, adjoint.curves)))
        return scaled(adjoint)

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
                a, b = (float(value) for value in program({**states_then(self.numbers, u), **at}))
                if not math.isfinite(b):
                    raise Failed("the right adjoint equation has no value along the solution")
                if not math.isfinite(a):
                    raise Failed("the claimed adjoint equation has no value along the solution")
                scale = max(abs(a), abs(b), *np.abs(l(t)), LEAST)
                found.append(Reading(a, b, ROUNDING * scale))
        return max(found, key=lambda reading: abs(reading.one - reading.other) / reading.error)

    def at_end(self, key: Key) -> Reading | None:
        if key not in self.task.read:
            return None
        pair = self.task.pairs(key, self.convention)[0]
        one, other = valued(self.numbers, self.curves[1][0], pair, self.numbers.ends[1], FINAL)
        return Reading(one, other, ROUNDING * max(abs(one), abs(other), LEAST))

    def at_jump(self, key: Key) -> Reading | None:
        if key not in self.task.read:
            return None
        moment, j, gains = self.task.jumps[key[1]]
        pair = (self.task.read[key], self.convention.entry(gains, j))
        values = []
        for which in (0, 1):
            u, l = self.curves[which][0], self.claimed_adjoint(which)
            sides = sides_then(self.task.problem, self.task.names, l, u)
            time = next(time for time, each, _ in passed(self.numbers, u, self.task.moments) if each is moment)
            values.append(valued(self.numbers, u, pair, time, "a jump", sides))  # ty: ignore[invalid-argument-type]
        (rough, _), (one, other) = values
        scale = max(abs(one), abs(other), LEAST)
        if isinstance(moment, Crossing):  # terms may cancel each other, and leave what rounding makes of them
            terms = moment.terms(self.convention.places[j])
            scale = max(scale, *map(abs, valued(self.numbers, u, terms, time, "a jump", sides)))
        reading = Reading(one, other, ROUNDING * scale + (abs(one - rough) if self.task.crossings else 0.0))
        doubtful = reading.apart and self.task.crossings and not self.is_confirmed
        return replace(reading, is_open=True) if doubtful else reading

    def by_differences(self, name: str) -> tuple[float, float]:
        """dG/dq by differences of the objective, and an estimate of its error."""
        if name not in self.differences:
            self.differences[name] = difference_gradient(self.numbers, name, TOLERANCES[1])
        return self.differences[name]

    @cached_property
    def is_confirmed(self) -> bool:
        """Whether differences of the objective give the gradient that the right adjoint does, with all its jumps."""
        for name in self.task.problem.parameters[:CONFIRMED]:
            rough, spread = self.by_differences(name)
            if abs(rough - (right := self.right(name))) > 10 * spread + DIFFERENCES * max(abs(right), self.size()):
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
        # A gradient that is claimed to be 0 has no size of its own, and any other is compared with its own.
        known = COARSE * max(abs(fine), abs(value)) if fine or coarse else spread
        reading = Reading(fine, value, spread, is_coarse=spread > known or (not fine and abs(value) > 10 * spread))
        if reading.apart:
            # Two more routes: the right gradient on the right adjoint, and differences as a check on both.
            second = self.right(name)
            rough, spread = self.by_differences(name)
            agree = abs(rough - value) <= 10 * spread + DIFFERENCES * scale
            if not agree or abs(fine - second) <= STAND_OFF * reading.error:
                return replace(reading, is_open=True)
        elif self.task.is_jumping or self.task.may_be_singular:
            # Sensitivities do not see a jump that the solution crosses, and differences do.
            rough, spread = self.by_differences(name)
            return replace(reading, is_open=abs(rough - value) > 10 * spread + CROSSING * scale)
        return reading

    def right(self, name: str) -> float:
        """The right gradient by the right adjoint."""
        return gradient_on(self.numbers, self.task.gradient(name), *self.curves[1], NODES[1])

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
            if key in task.unread and ("jumps at" in task.unread[key] or task.reader.backwards):
                raise NoFloat(task.unread[key])
            node = task.reader.sided(node)
            values = {**values, **states_then(self.numbers, u), **sides_then(task.problem, task.names, adjoint, u)}
        found = float(claimed(node, values, curves, grid))
        if not math.isfinite(found):
            raise Failed("the claimed gradient is not finite")
        return found

    # --- the whole ---

    def consistent(self) -> tuple[bool, bool] | None:
        """Whether the claimed equations as they stand may give the true gradient, and whether that is known well.

        None unless all of the adjoint is claimed.
        """
        task = self.task
        gradients = [key for key in task.keys if key[0] == "gradient"]
        rates = task.claimed_rates()
        if not gradients or rates is None or any(k in task.unread for k in task.keys if k[0] != "gradient"):
            return None
        truth, results = self.truth, []
        curves = []
        for tol, (u, _) in zip(TOLERANCES, self.curves, strict=True):
            nodes = [self._final(i, name) for i, name in enumerate(task.names)]
            final = valued(self.numbers, u, nodes, self.numbers.ends[1], FINAL)
            gains = [
                (time, gained(self.numbers, u, time, moment, task.gains(moment, self.convention), task.names))
                for time, moment, _ in passed(self.numbers, u, task.moments)
            ]
            try:
                curves.append(self.numbers.adjoint(u, rates, final, task.names, tol, gains))
            except Explosion:
                if not self._stays_exploded(gradients):
                    raise
                return False, True
        for key in gradients:
            coarse, fine = (self.value(key, i, l, l) for i, l in enumerate(curves))
            results.append(self.against(key[1], coarse, fine, truth[key[1]]))
        agrees = all(reading.close and not reading.apart for reading in results)
        return agrees and self._proportional(curves[1]), not any(reading.is_coarse for reading in results)

    def _stays_exploded(self, gradients: Sequence[Key]) -> bool:
        """Whether an adjoint that grows beyond all bounds gives no gradient: no exponential, and no state that is about
        as large, makes up for it.
        """
        nodes = postorder(*(self.task.claim.gradient[name] for _, name in gradients))
        falls = any(
            (node.op == "pow" and node.args[1].op != "num") or (node.op == "call" and node.value not in BOUNDED)
            for node in nodes
        )
        return not falls and float(np.max(np.abs(self.curves[1][0](np.linspace(*self.numbers.ends, TIMES))))) < LARGE

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
