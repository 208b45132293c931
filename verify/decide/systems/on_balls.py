"""What is a claim worth on the true solution?  Its sides and its functionals on states and right adjoints, in balls.

The right adjoint is the solution of a system that starts at t0 from dG/du(t0), which is enclosed; it is carried along
with the states, and jumps where something is observed.  Just after an event it is dG/du of the state there, which is
enclosed as well.
"""

from __future__ import annotations

import time as clock
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction

from flint import arb

from verify.calculus.costate import end, ends, jumps, seen, start
from verify.calculus.events import after, before, in_phase
from verify.calculus.tidy import is_zero
from verify.decide.prove.tower import GiveUp
from verify.decide.systems.convention import Convention
from verify.decide.systems.ode_task import Key, OdeTask
from verify.decide.systems.reading import Functional, NoFunctional, is_integral
from verify.graph import MINUS_ONE, ZERO, Node, add, free_symbols, mul, postorder, rebuild, substitute, symbol
from verify.language.write import write
from verify.numerics.enclosure.accuracy import figures, precision
from verify.numerics.enclosure.along import Along, valued
from verify.numerics.enclosure.ball import Ball, ball
from verify.numerics.enclosure.enclose import Enclosure
from verify.numerics.enclosure.forward import GaveUp
from verify.numerics.enclosure.written import Unsupported
from verify.systems import TIME, event_times

#: Times at which an adjoint equation is tried, in eighths of a phase, in this order.
EIGHTHS = (4, 1, 7, 3, 6)
#: What one step may leave out.
TOLERANCE = 1e-17


@dataclass(frozen=True)
class Wanted:
    """Expressions in names, in states and claimed adjoints at some places, "u(1/2)", and in integrals.

    places      the times of the places, by their text "(1/2)".
    integrals   (name in the expressions, from, to, integrand in t, states and claimed adjoints).
    here        the place where bare states, adjoints and t are taken, if there are any; says: where that is.
    """

    nodes: tuple[Node, ...]
    places: Mapping[str, Node] = field(default_factory=dict)
    integrals: tuple[tuple[str, Node, Node, Node], ...] = ()
    here: str = ""
    says: str = ""


def gradient(task: OdeTask, name: str) -> Wanted:
    """The value of a claimed gradient.  Raises NoFunctional."""
    node, reader, problem = task.claim.gradient[name], task.reader, task.problem
    read = task.read.get(("gradient", name))
    if isinstance(read, Functional):
        times, count = ends(problem), len(problem.phases)
        insides = [in_phase(read.inside, i, count) for i in range(count)] if problem.events else [read.inside]
        integrals = tuple(
            (f" phase {i}", times[i], times[i + 1], inside) for i, inside in enumerate(insides) if inside is not ZERO
        )
        whole = add(read.boundary, ZERO, *(symbol(name) for name, *_ in integrals))
        return Wanted((whole,), dict(_places(task, node)), integrals)
    if reader.backwards:
        raise NoFunctional("an integral over a part of the time, in reversed time")
    node = reader.sided(node) if problem.events else node
    found: list[tuple[str, Node, Node, Node]] = []
    done: dict[Node, Node] = {}
    for each in postorder(node):
        if not is_integral(each):
            done[each] = rebuild(each, (done[arg] for arg in each.args))
            continue
        body, variable, low, high = each.args
        if any(map(is_integral, postorder(body, low, high))) or variable.op != "symbol":
            raise NoFunctional("an integral inside of an integral")
        if variable.value != TIME:
            if TIME in free_symbols(body):
                raise NoFunctional(f"t inside of an integral over {variable.value}")
            body = substitute(body, {variable: symbol(TIME)})
        found.append((f" integral {len(found)}", low, high, reader.symbols(body)))
        done[each] = symbol(found[-1][0])
    return Wanted((reader.symbols(done[node]),), dict(_places(task, node)), tuple(found))


def _places(task: OdeTask, node: Node) -> Iterator[tuple[str, Node]]:
    """Where states and adjoints are taken outside of integrals."""
    inside = {each for whole in postorder(node) if is_integral(whole) for each in postorder(whole)}
    for each in postorder(node):
        if each.op == "abstract" and len(each.args) == 1 and each not in inside:
            if each.args[0].op == "symbol" and each.args[0].value.rstrip("+-") in event_times(task.problem):
                continue  # both sides of all events are known anyhow
            turned = task.reader.backwards and each.value[0] in task.names
            time = task.problem.t0 + task.problem.T - each.args[0] if turned else each.args[0]
            yield task.reader.place(each, ""), time


def sides(task: OdeTask, key: Key, convention: Convention) -> Iterator[Wanted]:
    """Both sides of an equation; an adjoint equation is taken at several times of each phase that it is for."""
    problem, (table, name), read = task.problem, key, task.read[key]
    if not isinstance(read, Node):
        return
    if table == "adjoint":
        i, phases = task.where(name)
        times = ends(problem)
        for part in (Fraction(eighths, 8) for eighths in EIGHTHS):
            for phase in phases:
                low, high = times[phase : phase + 2]
                pair = read, convention.entry(task.costates[phase].rate, i)
                says = f"{part} of the way from {write(low)} to {write(high)}"
                yield Wanted(pair, {" here": (1 - part) * low + part * high}, here=" here", says=says)
    elif table == "terminal":
        yield Wanted((read, task.right(key, convention)), {end(problem): problem.T})
    else:
        observed = {seen(each): each.time for each in problem.observations}
        yield Wanted((read, task.right(key, convention)), observed)


class Unknown(ArithmeticError):
    """No balls for what is wanted, with the reason."""


def values(
    task: OdeTask,
    convention: Convention,
    true: Enclosure,
    box: Mapping[str, tuple[Fraction, Fraction]],
    wanted: Wanted,
    seconds: float,
) -> tuple[Ball, ...]:
    """Balls of all expressions, for all values of the names in a box.  Raises Unknown."""
    order, bits = figures(TOLERANCE)
    try:
        with precision(bits, order):
            at = {name: ball(low).union(ball(high)) if low < high else ball(low) for name, (low, high) in box.items()}
            return tuple(map(Ball.of, _Course(task, convention, true, wanted, at).values(order, seconds)))
    except (GaveUp, GiveUp, Unsupported, ArithmeticError, ValueError, KeyError) as reason:
        raise Unknown(str(reason)) from None


@dataclass
class _Course:
    """The way from t0 to T, with all that is wanted on it."""

    task: OdeTask
    convention: Convention
    true: Enclosure
    wanted: Wanted
    known: dict[str, arb]

    def __post_init__(self) -> None:
        task = self.task
        times = event_times(task.problem)
        self.known |= {tau: _arb(each.time) for tau, each in zip(times, self.true.events, strict=True)}
        places = ("", *self.wanted.places, *self.ends, *map(before, times), *map(after, times))
        self.adjoint = {
            symbol(name + where): mul(self.convention.scale(i), symbol(task.names[self.convention.places[i]] + where))
            for i, name in enumerate(task.names)
            for where in places
        }

    @property
    def ends(self) -> tuple[str, str]:
        return start(self.task.problem), end(self.task.problem)

    def values(self, order: int, seconds: float) -> tuple[arb, ...]:
        problem, names, wanted = self.task.problem, self.task.names, self.wanted
        stops = self.stops()
        costates = [_arb(self.true.gradient[f"{u}(t0)"]) for u in problem.state]
        first = [*valued(problem.initial, self.known), *costates]
        state, phase = (*problem.state, *names), 0
        along = Along(problem, state, self.known, stops[0][1], first, order, TOLERANCE, clock.monotonic() + seconds)
        totals = dict.fromkeys((name for name, *_ in wanted.integrals), arb(0))
        for k, (times, ball_) in enumerate(stops):
            if k:
                rates = (*problem.phases[phase].rhs, *self.task.costates[phase].rate)
                active = self.active(stops, k)
                integrands = [substitute(f, self.adjoint) for _, _, f in active]
                for (name, sign, _), grown in zip(active, along.to(ball_, rates, integrands), strict=True):
                    totals[name] += sign * grown
            self.record(along, times)
            self.jump(along, times)
            if phase < len(problem.events) and symbol(event_times(problem)[phase]) in times:
                self.cross(along, phase)
                phase += 1
        self.known |= totals
        here = self.known | self.bare if wanted.here else self.known
        return valued([substitute(node, self.adjoint) for node in wanted.nodes], here)

    def stops(self) -> list[tuple[list[Node], arb]]:
        """All times at which something happens, in their order, with those that are the same."""
        problem, wanted = self.task.problem, self.wanted
        limits = [time for _, low, high, _ in wanted.integrals for time in (low, high)]
        observed = [each.time for each in problem.observations]
        found: list[list[Node]] = []
        for time in (*ends(problem), *observed, *limits, *wanted.places.values()):
            same = next((times for times in found if is_zero(times[0] - time)), None)
            if same is None:
                found.append([time])
            elif time not in same:
                same.append(time)
        balls = valued([times[0] for times in found], self.known)
        stops = sorted(zip(found, balls, strict=True), key=lambda stop: float(stop[1].mid()))
        if problem.t0 not in stops[0][0] or problem.T not in stops[-1][0]:
            raise Unknown("a time lies outside of the interval")
        return stops

    def active(self, stops: Sequence[tuple[list[Node], arb]], k: int) -> list[tuple[str, arb, Node]]:
        """(name, sign, integrand) for the integrals that run from stop k - 1 to stop k."""
        place = {time: i for i, (times, _) in enumerate(stops) for time in times}
        found = []
        for name, low, high, integrand in self.wanted.integrals:
            a, b = place[low], place[high]
            if min(a, b) < k <= max(a, b):
                found.append((name, arb(1 if a < b else -1), integrand))
        return found

    def record(self, along: Along, times: Sequence[Node]) -> None:
        """What is asked for by place."""
        problem = self.task.problem
        places = {**self.wanted.places, **dict(zip(self.ends, (problem.t0, problem.T), strict=True))}
        for where, time in places.items():
            if any(is_zero(time - each) for each in times):
                self.known |= along.named(where)
                if where == self.wanted.here:
                    self.bare = along.named()
        along.values = self.known

    def jump(self, along: Along, times: Sequence[Node]) -> None:
        """The adjoint after an observation is what it was before, less what it gains backwards."""
        problem, n = self.task.problem, len(self.task.problem.state)
        for each, gains in zip(problem.observations, jumps(problem), strict=True):
            if each.time in times:
                there = self.known | along.named(seen(each))
                falls = valued([mul(MINUS_ONE, gain) for gain in gains], there)
                along.at = [*along.at[:n], *(l + fall for l, fall in zip(along.at[n:], falls, strict=True))]

    def cross(self, along: Along, phase: int) -> None:
        """The state after an event, and the adjoint there, which is known by itself."""
        problem, tau = self.task.problem, event_times(self.task.problem)[phase]
        self.known |= along.named(before(tau))
        states = valued(problem.events[phase].reset, self.known | along.named())
        along.at = [*states, *(_arb(self.true.gradient[u + after(tau)]) for u in problem.state)]
        self.known |= along.named(after(tau))
        along.values = self.known


def _arb(x: Ball) -> arb:
    return ball(x.low).union(ball(x.high))
