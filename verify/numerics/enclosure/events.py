"""Where are G and its gradient if the solution has events?  Phase by phase, by the chain rule in matrices of balls.

Each phase is a problem by itself: it starts at a time and in a state that depend on all inputs, and ends at the first
zero of its switching function phi, or at T.  With x_a, t_a, x_b, t_b the states and times at its ends, Phi = dx_b/dx_a
and S = dx_b/dq at fixed times, and D = phi_t + phi_x f,

    dx = Phi (dx_a - f(t_a) dt_a) + S dq             at a fixed time
    dt_b = -(phi_x dx + phi_q dq)/D                  the implicit function theorem
    dx_b = dx + f(t_b) dt_b                          just before the event
    dx_a' = r_x dx_b + r_t dt_b + r_q dq             just after it, at the time t_a' = t_b

which is what the saltation matrix says.  Where something is observed the way is the same but for dt, which is that of
the time of observation; which comes first, an event or an observation, is proved.  Inputs are the names, the initial
state, t0 and T where they are no names, and the state just after each event by itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property

from flint import arb, arb_mat

from verify.calculus.events import rate_along, switched
from verify.calculus.tidy import is_zero, tidy
from verify.graph import ZERO, Node, add, div, free_symbols, substitute, symbol
from verify.numerics.enclosure.crossing import Switch
from verify.numerics.enclosure.field import COST, Field, System, own_time
from verify.numerics.enclosure.forward import Box, GaveUp, Sets, Walk
from verify.numerics.enclosure.sweep import Bound
from verify.numerics.enclosure.tape import Tape
from verify.systems import TIME, Event, OdeProblem, event_times

#: Names of the ends of a phase, which no expression can name.
BEGIN, END = " begin", " end"


@dataclass(frozen=True)
class Phases:
    """A problem with events, as tapes.

    state     the states, the running cost last; names: those that are differentiated by.
    fields    one a phase; switches: phi and D of each event; changes: phi, the cost and the states after it.
    after     phi and D with the rates after an event, if those switch with the sign of one function, and nothing else
              happens: then the solution might slide.
    from_zero whether phi is exactly 0 at the start of its phase.
    """

    problem: OdeProblem
    names: tuple[str, ...]

    @cached_property
    def state(self) -> tuple[str, ...]:
        costs = any(phase.running is not ZERO for phase in self.problem.phases)
        return (*self.problem.state, COST) if costs else self.problem.state

    @cached_property
    def rates(self) -> list[tuple[Node, ...]]:
        costs = len(self.state) > len(self.problem.state)
        return [(*phase.rhs, phase.running) if costs else phase.rhs for phase in self.problem.phases]

    @cached_property
    def fields(self) -> list[Field]:
        starts = tuple(symbol(f"{name} at the start") for name in self.state)
        moments = symbol(BEGIN), symbol(END)
        return [
            Field.written(self.problem, self.state, self.names, rates, starts, moments, ((),)) for rates in self.rates
        ]

    @cached_property
    def switches(self) -> list[Tape]:
        return [self._switch(each.when, k) for k, each in enumerate(self.problem.events)]

    def _switch(self, phi: Node, k: int) -> Tape:
        return Tape.of((phi, rate_along(phi, self.rates[k], self.state)), (*self.state, TIME))

    @cached_property
    def after(self) -> list[Tape | None]:
        found: list[Tape | None] = []
        for k, each in enumerate(self.problem.events):
            own = switched(self.problem, each)
            stays = all(r is symbol(u) for u, r in zip(self.problem.state, each.reset, strict=True) if u in own)
            one = all(other.when is each.when for other in self.problem.events)
            changes = self.rates[k] != self.rates[k + 1]
            found.append(self._switch(each.when, k + 1) if one and stays and changes else None)
        return found

    @cached_property
    def changes(self) -> list[Tape]:
        more = (symbol(COST),) if len(self.state) > len(self.problem.state) else ()
        return [
            Tape.of((each.when, each.cost, *each.reset, *more), (*self.state, TIME)) for each in self.problem.events
        ]

    @cached_property
    def terminal(self) -> Tape:
        terminal = self.problem.terminal
        if len(self.state) > len(self.problem.state):
            terminal = add(terminal, symbol(COST))
        return Tape.of((terminal,), (*self.state, TIME, *event_times(self.problem)))

    @cached_property
    def observed(self) -> tuple[Tape, list[Tape]]:
        """The times of observation, and what is observed there."""
        seen = self.problem.observations
        values = [Tape.of((each.value,), (*self.state, TIME)) for each in seen]
        return Tape.of(tuple(each.time for each in seen), ()), values

    @cached_property
    def ends(self) -> tuple[Tape, Tape]:
        """The initial states, and both ends of the time."""
        more = (ZERO,) if len(self.state) > len(self.problem.state) else ()
        return Tape.of((*self.problem.initial, *more), ()), Tape.of((self.problem.t0, self.problem.T), ())

    @cached_property
    def from_zero(self) -> list[bool]:
        problem = self.problem
        at_start = {**dict(zip(map(symbol, problem.state), problem.initial, strict=True)), symbol(TIME): problem.t0}
        first, *others = problem.events
        found = [is_zero(substitute(first.when, at_start))]
        for before, each in zip(problem.events, others, strict=False):
            found.append(self._stays_zero(before, each.when))
        return found

    def _stays_zero(self, before: Event, phi: Node) -> bool:
        """Whether phi after an event is phi before it, times something that depends on names alone."""
        reset = dict(zip(map(symbol, self.problem.state), before.reset, strict=True))
        there = substitute(phi, reset)
        if is_zero(there):
            return True
        ratio = tidy(div(there, before.when))
        return not free_symbols(ratio) & {*self.problem.state, TIME}

    @cached_property
    def inputs(self) -> tuple[str, ...]:
        """What everything is differentiated by: names, u(t0), t0 and T if they are no names, u(tau1+) and so on."""
        own = [time for time in ("t0", "T") if own_time(self.problem, time)]
        after = [f"{u}({tau}+)" for tau in event_times(self.problem) for u in self.problem.state]
        return (*self.names, *(f"{u}(t0)" for u in self.problem.state), *own, *after)


@dataclass(frozen=True)
class Changing:
    """Some values (r x 1), and their derivatives by all inputs (r x inputs)."""

    values: Sequence[arb]
    slopes: arb_mat

    def beside(self, middle: Changing, box: Box, inputs: Sequence[str]) -> Changing:
        """Narrowed: the values in the middle of a box, and the derivatives over the box times xi."""
        places = [inputs.index(name) for name in box.wide]
        values = []
        for i, (value, own) in enumerate(zip(middle.values, self.values, strict=True)):
            moved = sum((self.slopes[i, j] * box.xi[k, 0] for k, j in enumerate(places)), value)
            values.append(own.intersection(moved))
        return Changing(values, self.slopes)


@dataclass(frozen=True)
class Events:
    """G, the states at T, the times of the events and the states just after them."""

    objective: Changing
    state: Changing
    times: tuple[Changing, ...]
    after: tuple[Changing, ...]
    steps: int


def through(phases: Phases, box: Box, order: int, tol: float, deadline: float) -> Events:
    """From t0 to T, through all events in their order.  Raises GaveUp with the reason where that is not proved."""
    if not box.wide:
        return _Passage(phases, box, order, tol, deadline).run()
    middle = Box(box.middle, box.middle, (), arb_mat(0, 1))
    first = _Passage(phases, middle, order, tol, deadline).run()
    return _Passage(phases, box, order, tol, deadline, first).run()


@dataclass
class _Passage:
    """middle: what is known for the middle of the box; waiting: times of observation that are not reached yet."""

    phases: Phases
    box: Box
    order: int
    tol: float
    deadline: float
    middle: Events | None = None
    steps: int = 0
    waiting: list[Changing] = field(default_factory=list)
    objective: Changing = field(default_factory=lambda: Changing([arb(0)], arb_mat(1, 0)))

    def run(self) -> Events:
        phases, events, middle = self.phases, self.phases.problem.events, self.middle
        state, (start, end) = self.first()
        moments = self.composed(self.bound(phases.observed[0]), Changing([], self.nothing(0)))
        self.waiting = [Changing([s], _rows(moments.slopes, (i,))) for i, s in enumerate(moments.values)]
        self.objective = Changing([arb(0)], self.nothing(1))
        time, times, after = start, [], []
        for k in range(len(events)):
            state, time = self.until(k, state, time, end)
            state, cost = self.changed(k, state, time)
            if middle:
                time = time.beside(middle.times[k], self.box, phases.inputs)
                state = state.beside(middle.after[k], self.box, phases.inputs)
            times.append(time)
            after.append(state)
            self.objective = _sum(self.objective, cost)
        state = self.until(len(events), state, time, end)[0]
        inputs = Changing(
            [*state.values, *end.values, *(x for each in times for x in each.values)],
            _stacked([state.slopes, end.slopes, *(each.slopes for each in times)]),
        )
        final = self.composed(self.bound(phases.terminal), inputs)
        own = len(phases.problem.state)
        states, objective = Changing(state.values[:own], _rows(state.slopes, range(own))), _sum(self.objective, final)
        if middle:
            states = states.beside(middle.state, self.box, phases.inputs)
            objective = objective.beside(middle.objective, self.box, phases.inputs)
        return Events(objective, states, tuple(times), tuple(after), self.steps)

    # --- ends ---

    def first(self) -> tuple[Changing, tuple[Changing, Changing]]:
        """The initial state, and both ends of the time."""
        phases = self.phases
        initial, ends = (self.composed(self.bound(tape), Changing([], self.nothing(0))) for tape in phases.ends)
        self.own(initial.slopes, [f"{u}(t0)" for u in phases.problem.state])
        self.own(ends.slopes, [name if name in phases.inputs[len(phases.names) :] else "" for name in ("t0", "T")])
        t0, T = (Changing([ends.values[i]], _rows(ends.slopes, (i,))) for i in (0, 1))
        return initial, (t0, T)

    def own(self, slopes: arb_mat, inputs: Sequence[str]) -> None:
        """Row i changes with an input of its own."""
        for i, name in enumerate(inputs):
            if name:
                j = self.phases.inputs.index(name)
                slopes[i, j] = slopes[i, j] + 1

    def nothing(self, rows: int) -> arb_mat:
        return arb_mat(rows, len(self.phases.inputs))

    def bound(self, tape: Tape) -> Bound:
        return Bound.of(tape, self.box.whole, self.phases.names)

    def composed(self, bound: Bound, inputs: Changing) -> Changing:
        """Expressions of what changes, and of the names by themselves."""
        run = bound.run(list(inputs.values))
        n, names = len(inputs.values), self.phases.names
        rows = bound.derivatives(run, n, names)
        outer = arb_mat(len(rows), n, [x for row in rows for x in row[:n]])
        more = len(self.phases.inputs) - len(names)
        slopes = arb_mat([[*row[n:], *[arb(0)] * more] for row in rows])
        return Changing([run.slots[root] for root in bound.tape.roots], outer * inputs.slopes + slopes if n else slopes)

    # --- one phase ---

    def until(self, k: int, state: Changing, time: Changing, end: Changing) -> tuple[Changing, Changing]:
        """The state and the time just before event k, or at T after the last one."""
        phases, n = self.phases, len(self.phases.state)
        own, names = phases.fields[k], phases.names
        starts = {f"{name} at the start": x for name, x in zip(phases.state, state.values, strict=True)}
        begin = time.values[0]
        system = own.at({**self.box.whole, **starts, BEGIN: begin, END: end.values[0]}, names)
        walk = Walk(system, system, self.order, self.tol, self.deadline, keep=False)
        sets = Sets.of(
            arb_mat(n, 1, list(state.values)), arb_mat(n, 0, []), arb_mat(n, len(names)), arb_mat(0, 1, []), n
        )
        switch = from_zero = None
        if k < len(phases.switches):
            switch, from_zero = Switch(self.bound(phases.switches[k])), phases.from_zero[k]
            self.starts_apart(k, switch, state, begin)
        before = arb_mat(n, 1, system.rhs([*state.values, begin]))
        slopes = state.slopes - before * time.slopes
        place, until = begin, None
        while self.waiting:
            sets, _, until = walk.leg(sets, place, self.waiting[0].values[0] - place, switch, bool(from_zero))
            if until is not None:
                if not place + until < self.waiting[0].values[0]:
                    raise GaveUp(f"whether {self.name(k)} happens before an observation is not known")
                break
            seen = self.waiting.pop(0)
            self.observe(self.moved(self.fixed(sets, slopes), seen, system), seen)
            place, from_zero = seen.values[0], False
        if until is None:
            sets, _, until = walk.leg(sets, place, end.values[0] - place, switch, bool(from_zero))
        self.steps += walk.steps
        if switch and until is None:
            raise GaveUp(f"{self.name(k)} does not happen before the final time", final=True)
        fixed = self.fixed(sets, slopes)
        there = end if until is None else self.when(k, fixed, place + until)
        return self.moved(fixed, there, system), there

    def fixed(self, sets: Sets, start: arb_mat) -> Changing:
        """The state and what it changes by at a fixed time; `start`: what it changes by at the start of its phase."""
        x, by_start, by_names = sets.hulls()
        more = len(self.phases.inputs) - len(self.phases.names)
        S = arb_mat([[*row, *[arb(0)] * more] for row in by_names.tolist()])
        return Changing(x.entries(), by_start * start + S)

    def moved(self, fixed: Changing, time: Changing, system: System) -> Changing:
        """The same at a time that changes."""
        rate = arb_mat(len(fixed.values), 1, system.rhs([*fixed.values, time.values[0]]))
        return Changing(fixed.values, fixed.slopes + rate * time.slopes)

    def observe(self, state: Changing, time: Changing) -> None:
        """Adds what is observed next, in a state at a time."""
        i = len(self.phases.problem.observations) - len(self.waiting) - 1
        inputs = Changing([*state.values, *time.values], _stacked([state.slopes, time.slopes]))
        self.objective = _sum(self.objective, self.composed(self.bound(self.phases.observed[1][i]), inputs))

    def starts_apart(self, k: int, switch: Switch, state: Changing, begin: arb) -> None:
        """Whether phi is zero at the start of its phase is known."""
        if not self.phases.from_zero[k] and not switch.signs(state.values, begin)[0]:
            where = "t0" if k == 0 else event_times(self.phases.problem)[k - 1]
            raise GaveUp(f"whether {self.name(k)} happens at {where} already is not known")

    def when(self, k: int, fixed: Changing, time: arb) -> Changing:
        """The time of an event, from what the state changes by at a fixed time.  Raises GaveUp where it grazes."""
        phases, n = self.phases, len(self.phases.state)
        bound = self.bound(phases.switches[k])
        rows = bound.derivatives(bound.run([*fixed.values, time]), n, phases.names)
        D = bound([*fixed.values, time])[1]
        if not (D > 0 or D < 0):
            raise GaveUp(f"{self.name(k)} may graze: the switching function's derivative is not known to differ from 0")
        slopes = arb_mat(1, n, rows[0][:n]) * fixed.slopes
        for j, x in enumerate(rows[0][n:]):
            slopes[0, j] = slopes[0, j] + x
        return Changing([time], slopes * (-1 / D))

    def changed(self, k: int, state: Changing, time: Changing) -> tuple[Changing, Changing]:
        """The state just after an event, and the cost of it."""
        phases = self.phases
        if (after := phases.after[k]) is not None:
            before, behind = (
                Switch(self.bound(tape)).signs(state.values, time.values[0])[1] for tape in (phases.switches[k], after)
            )
            if before * behind <= 0:
                reason = "the switching function turns around where the right-hand side changes"
                raise GaveUp(f"the solution may slide after {self.name(k)}: {reason}", final=behind != 0)
        inputs = Changing([*state.values, *time.values], _stacked([state.slopes, time.slopes]))
        found = self.composed(self.bound(phases.changes[k]), inputs)
        new = _rows(found.slopes, range(2, len(found.values)))
        tau = event_times(phases.problem)[k]
        self.own(new, [f"{u}({tau}+)" for u in phases.problem.state])
        return Changing(found.values[2:], new), Changing([found.values[1]], _rows(found.slopes, (1,)))

    def name(self, k: int) -> str:
        from verify.language.write import write

        return f"event {k + 1} ({write(self.phases.problem.events[k].when)} = 0)"


def _sum(a: Changing, b: Changing) -> Changing:
    return Changing([x + y for x, y in zip(a.values, b.values, strict=True)], a.slopes + b.slopes)


def _rows(M: arb_mat, rows: Sequence[int]) -> arb_mat:
    table = M.tolist()
    return arb_mat([table[i] for i in rows])


def _stacked(parts: Sequence[arb_mat]) -> arb_mat:
    return arb_mat([row for part in parts for row in part.tolist()])
