"""What is claimed of an ODE problem, what is right, and in which convention?  Part by part, as pairs to compare."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import pairwise

from verify.calculus.costate import (
    Costate,
    Gradient,
    Moment,
    end,
    ends,
    jumps,
    moments,
    ode_costate,
    ode_gradients,
    seen,
    spanned,
    start,
    where_of,
)
from verify.calculus.events import Crossing, after, before, crossings, in_phase, resets, surfaces, tag
from verify.calculus.grouped import shortest
from verify.calculus.tidy import is_zero, tidied, tidy
from verify.claim import Variable
from verify.decide.systems import convention as conventions
from verify.decide.systems.convention import Convention
from verify.decide.systems.identity import Identities
from verify.decide.systems.reading import Functional, NoFunctional, Reader, carried, is_backwards, written
from verify.decide.systems.smooth import jumps_somewhere, may_be_singular
from verify.graph import MINUS_ONE, ZERO, Node, add, free_symbols, mul, postorder, substitute, symbol
from verify.language.write import write
from verify.system_claims import SystemClaim
from verify.systems import TIME, OdeProblem, adjoint_blocks, adjoint_names, event_times

Key = tuple[str, str]


@dataclass
class OdeTask:
    """A problem, what is claimed of it, and what is right."""

    problem: OdeProblem
    claim: SystemClaim
    seed: int = 0

    def __post_init__(self) -> None:
        self.names = adjoint_names(self.problem)
        self.gradients: dict[str, Gradient] = {}
        tables = {name: {key: carried(self.problem, node) for key, node in getattr(self.claim, name).items()}
                  for name in ("adjoint", "terminal", "jump", "gradient")}  # fmt: skip
        claim = self.claim = replace(self.claim, **tables)
        written = [*claim.adjoint.values(), *claim.gradient.values()]
        self.crossings: tuple[Crossing, ...] = crossings(self.problem)
        known = self.surfaces[0] if len(self.surfaces) == 1 else {}
        scheduled = tuple((x.value, time) for x, time in known.items() if x.value in event_times(self.problem))
        self.reader = Reader(self.problem, is_backwards(self.problem, written), self._steady(), scheduled)
        low = self.problem.t0 if self.problem.t0.op == "num" else None
        high = self.problem.T if self.problem.T.op == "num" else None
        ranges = {TIME: Variable(TIME, low=low, high=high)}
        T = self.problem.T
        if T.op == "symbol" and low is not None and self.problem.domain.variables[T.value] == Variable(T.value):
            ranges[T.value] = Variable(T.value, low=low)
        self.identities = Identities(self.problem.domain, ranges, self.seed)
        self.keys: list[Key] = [
            *(("adjoint", name) for name in claim.adjoint),
            *(("terminal", name) for name in claim.terminal),
            *(("jump", name) for name in claim.jump),
            *(("gradient", name) for name in claim.gradient),
        ]
        self.unread: dict[Key, str] = {}
        self.read: dict[Key, Node | Functional] = {}
        for key in self.keys:
            try:
                self.read[key] = self._reading(key)
            except NoFunctional as reason:
                self.unread[key] = str(reason)

    def _steady(self) -> frozenset[str]:
        """States and adjoints that do not jump at an event."""
        found = set()
        for event, crossing in zip(self.problem.events, self.crossings, strict=True):
            moved = [add(r, -symbol(u)) for u, r in zip(self.problem.state, event.reset, strict=True)]
            gained = [substitute(gain, {**resets(self.problem), **self.silenced}) for gain in crossing.gains]
            for name, gain in zip((*self.problem.state, *self.names), (*crossing.here(moved), *gained), strict=True):
                if all(is_zero(substitute(gain, at)) for at in self.surfaces):
                    found.add(f"{name}({crossing.time})")
        return frozenset(found)

    def _reading(self, key: Key) -> Node | Functional:
        table, name = key
        if table == "adjoint":
            if self.reader.backwards and "(" in name:
                raise NoFunctional(f"in reversed time it is not said which times {name} means; leave the times out")
            return self.reader.equation(self.claim.adjoint[name])
        if table == "terminal":
            return self.reader.terminal(self.claim.terminal[name])
        if table == "jump":
            if self.reader.backwards:
                raise NoFunctional("in reversed time it is not said which side of a jump comes first")
            moment = self.jumps[name][0]
            if isinstance(moment, Crossing):
                return self.reader.crossed(self.claim.jump[name], moment.time)
            return self.reader.jump(self.claim.jump[name], moment)
        return self.reader.functional(self.claim.gradient[name])

    @cached_property
    def is_jumping(self) -> bool:
        """See `verify.decide.systems.smooth`."""
        return jumps_somewhere(self.problem)

    @cached_property
    def may_be_singular(self) -> bool:
        """See `verify.decide.systems.smooth`."""
        return may_be_singular(self.problem)

    @property
    def costate(self) -> Costate:
        return self.costates[0]

    @cached_property
    def costates(self) -> tuple[Costate, ...]:
        """The adjoint system between two events, one for each phase."""
        return tuple(ode_costate(self.problem, phase=i) for i in range(len(self.problem.phases)))

    def where(self, name: str) -> tuple[int, range]:
        """Which adjoint a key of the adjoint equations means, l1 or l1(0, tau1), and in which phases."""
        base, phases = spanned(self.problem, name)
        return self.names.index(base), phases

    def equations(self, name: str) -> list[str]:
        """The keys of an adjoint's equation: its name, or one a phase where they differ, l1(0, tau1)."""
        i = self.names.index(name)
        if len({each.rate[i] for each in self.costates}) == 1:
            return [name]
        times = [write(time) for time in ends(self.problem)]
        return [f"{name}({low}, {high})" for low, high in pairwise(times)]

    def claimed_rates(self) -> list[list[Node]] | None:
        """The claimed adjoint equations of each phase; None unless all of them are there."""
        found: list[dict[int, Node]] = [{} for _ in self.costates]
        for table, name in self.keys:
            if table == "adjoint" and isinstance(read := self.read.get((table, name)), Node):
                i, phases = self.where(name)
                for phase in phases:
                    found[phase][i] = read
        places = range(len(self.names))
        return [[rates[i] for i in places] for rates in found] if all(len(r) == len(places) for r in found) else None

    @cached_property
    def moments(self) -> tuple[tuple[Moment, tuple[Node, ...]], ...]:
        """The observations and the events, and what all adjoints gain there."""
        return moments(self.problem)

    @cached_property
    def jumps(self) -> dict[str, tuple[Moment, int, tuple[Node, ...]]]:
        """By "l1(1/2)": which observation or event, which adjoint, and what all adjoints gain there."""
        return {
            name + where_of(moment): (moment, j, gains)
            for moment, gains in self.moments
            for j, name in enumerate(self.names)
        }

    def gains(self, moment: Moment, convention: Convention) -> tuple[Node, ...]:
        """What the adjoints gain at an observation or event, as claimed, or else as they must in the convention."""
        found = []
        for j, name in enumerate(self.names):
            key = name + where_of(moment)
            read = self.read.get(("jump", key))
            if isinstance(read, Node) and isinstance(moment, Crossing):
                read = self.explicit(read, moment, convention)
            found.append(read if isinstance(read, Node) else convention.entry(self.jumps[key][2], j))
        return tuple(found)

    def explicit(self, gain: Node, crossing: Crossing, convention: Convention) -> Node:
        """What is gained at an event in the adjoints just after it alone."""
        early = {symbol(name + before(crossing.time)): convention.entry(crossing.before, j)
                 for j, name in enumerate(self.names)}  # fmt: skip
        return substitute(gain, early)

    def gradient(self, q: str) -> Gradient:
        """dG/dq by its terms."""
        if q not in self.gradients:
            names = self.problem.parameters if q in self.problem.parameters else (q,)
            self.gradients |= zip(names, ode_gradients(self.problem, names), strict=True)
        return self.gradients[q]

    # --- the convention ---

    @cached_property
    def convention(self) -> Convention:
        """The one in which the least of the claim fails."""
        return conventions.best(self.candidates, self.failing)

    @cached_property
    def candidates(self) -> tuple[Convention, ...]:
        """The conventions that are tried."""
        varying = {TIME, *self.names, *self.problem.state}
        places = (*self.ends, *map(seen, self.problem.observations), *self.sides)
        varying |= {*event_times(self.problem), *(tag(i).value for i in range(len(self.problem.phases)))}
        varying |= {name + where for name in (*self.names, *self.problem.state) for where in places}
        suggested = [
            conventions.ratio(*pair, varying)
            for key in self.keys
            if key in self.read
            for pair in self._suggestions(key)
        ]
        return tuple(conventions.candidates(adjoint_blocks(self.problem), suggested, mixed=self._is_told))

    @property
    def _is_told(self) -> bool:
        """Whether all of the adjoint is claimed, and the gradients use all of it, itself or through its equations."""
        claim, names = self.claim, set(self.names)
        if not names <= {key.partition("(")[0] for key in claim.adjoint} & set(claim.terminal):
            return False

        def occurring(node: Node) -> set[str]:
            return names & {each.value[0] for each in postorder(node) if each.op == "abstract"}

        used: set[str] = set().union(*map(occurring, claim.gradient.values()))
        for _ in names:
            used |= set().union(*(occurring(f) for key, f in claim.adjoint.items() if key.partition("(")[0] in used))
        return used == names

    @property
    def constants(self) -> tuple[Node, ...]:
        """What does not depend on the solution: the length of time, and the names of the problem."""
        problem = self.problem
        names = (symbol(name) for name in problem.domain.variables if name not in problem.state)
        found = dict.fromkeys((tidy(add(problem.T, mul(MINUS_ONE, problem.t0))), *names))
        return tuple(each for each in found if each.op != "num")

    @property
    def ends(self) -> tuple[str, str]:
        return start(self.problem), end(self.problem)

    @property
    def sides(self) -> tuple[str, ...]:
        """Where both sides of every event are, such as (tau1-) and (tau1+)."""
        return tuple(side(each.time) for each in self.crossings for side in (before, after))

    def _suggestions(self, key: Key) -> Iterator[tuple[Node, Node]]:
        """Pairs of which the first would be kappa times the second."""
        table, name = key
        read = self.read[key]
        none = {symbol(each + where): ZERO for each in self.names for where in ("", *self.ends, *self.sides)}
        if table == "terminal":
            assert isinstance(read, Node)
            yield read, self.costate.final[self.names.index(name)]
        elif table == "jump":
            assert isinstance(read, Node)
            _, j, gains = self.jumps[name]
            yield tidy(substitute(read, none)), tidy(substitute(gains[j], none))
        elif table == "adjoint":
            assert isinstance(read, Node)
            i, phases = self.where(name)
            for phase in phases:
                yield tidy(substitute(read, none)), self.costates[phase].source[i]
        else:
            assert isinstance(read, Functional)
            right = self.gradient(name)
            for claimed, truth in ((read.inside, right.inside), (read.boundary, right.boundary)):
                linear = [tidy(each - substitute(each, none)) for each in (claimed, truth)]
                yield linear[1], linear[0]

    def failing(self, convention: Convention) -> Iterator[Key]:
        """Parts that differ at a few points, the short ones first."""
        for key in sorted(self.read, key=lambda key: key[0] in ("adjoint", "gradient")):
            if not all(self.identities.same(*pair) for pair in self.pairs(key, convention)):
                yield key

    def is_anchored(self, convention: Convention) -> bool:
        """Whether a factor other than -1 is a convention: the adjoint is claimed, and a gradient goes with it."""
        if convention.is_sign:
            return True
        if not any(table == "gradient" for table, _ in self.keys):
            return False
        # What is homogeneous in the adjoint, such as l1' = -a*l1 or l1(T) = 0, is right for every factor.
        places = (self.where(name) for table, name in self.keys if table == "adjoint")
        sources = [self.costates[phase].source[i] for i, phases in places for phase in phases]
        sources += [self.costate.final[self.names.index(name)] for table, name in self.keys if table == "terminal"]
        none = {l: ZERO for each in self.crossings for l in each.later}
        jumps = [gains[j] for _, j, gains in (self.jumps[name] for table, name in self.keys if table == "jump")]
        sources += [tidy(substitute(self.grounded(gain, Convention(self.names)), none)) for gain in jumps]
        return any(source is not ZERO for source in sources)

    # --- identities ---

    def pairs(self, key: Key, convention: Convention) -> tuple[tuple[Node, Node], ...]:
        """What must be equal for a part to be right: (claimed, right)."""
        table, name = key
        read = self.read[key]
        if isinstance(read, Functional):
            right = self.gradient(name)
            inside, boundary = (convention.claimed(each) for each in (right.inside, right.boundary))
            return self.integrated(read.inside, inside, convention) + self.at_ends(read.boundary, boundary, convention)
        if table == "adjoint":
            i, phases = self.where(name)
            rights = (convention.entry(self.costates[phase].rate, i) for phase in phases)
            return tuple((read, right) for right in dict.fromkeys(rights))
        right = self.right(key, convention)
        return self.at_ends(read, right, convention) if table == "jump" and self.problem.events else ((read, right),)

    def is_closed(self, key: Key) -> bool:
        """Whether a gradient is claimed without its adjoint, and without integrals."""
        read = self.read.get(key)
        return isinstance(read, Functional) and read.inside is ZERO and not self.holds_adjoint(read.boundary)

    def holds_adjoint(self, *nodes: Node) -> bool:
        """Whether the adjoint at some time occurs."""
        return any(name.partition("(")[0] in self.names for name in free_symbols(*nodes))

    def right(self, key: Key, convention: Convention) -> Node:
        """What must stand in a part that is no gradient; in the first phase, for an adjoint equation."""
        table, name = key
        if table == "jump":
            _, j, gains = self.jumps[name]
            return convention.entry(gains, j)
        if table == "adjoint":
            i, phases = self.where(name)
            return convention.entry(self.costates[phases[0]].rate, i)
        return convention.entry(self.costate.final, self.names.index(name))

    def integrated(self, one: Node, other: Node, convention: Convention) -> tuple[tuple[Node, Node], ...]:
        """Two integrands, of every phase."""
        sides = self.grounded(one, convention), self.grounded(other, convention)
        count = len(self.problem.phases)
        if count == 1:
            return (sides,)
        none = {symbol(name): ZERO for name in self.names}
        parts = []
        for i in range(count):
            pair = in_phase(sides[0], i, count), in_phase(sides[1], i, count)
            parts.append((substitute(pair[0], none), substitute(pair[1], none)) if i in self.silent else pair)
        return tuple(dict.fromkeys(parts))

    def at_ends(self, one: Node, other: Node, convention: Convention) -> tuple[tuple[Node, Node], ...]:
        """Two expressions in values at times, with what is known of them; where events happen, phi = 0."""
        sides = self.grounded(one, convention), self.grounded(other, convention)
        found = ((substitute(sides[0], at), substitute(sides[1], at)) if at else sides for at in self.surfaces)
        return tuple(dict.fromkeys(found))

    @cached_property
    def silent(self) -> frozenset[int]:
        """Phases in which the right adjoint is zero: nothing that follows depends on the states."""
        if any(gain is not ZERO for gains in jumps(self.problem) for gain in gains):
            return frozenset()  # in which phase something is observed is not known
        found: set[int] = set()
        values = self.costates[-1].final
        for phase in reversed(range(len(self.costates))):
            if any(each is not ZERO for each in (*values, *self.costates[phase].source)):
                break
            found.add(phase)
            if phase:
                crossing = self.crossings[phase - 1]
                none = dict.fromkeys(crossing.later, ZERO)
                values = tidied([substitute(each, none) for each in crossing.before])
        return frozenset(found) if self.crossings else frozenset()

    @cached_property
    def silenced(self) -> dict[Node, Node]:
        """The adjoints just after events that no later phase contributes to: zero."""
        later = (each.later for i, each in enumerate(self.crossings) if i + 1 in self.silent)
        return {l: ZERO for each in later for l in each}

    @cached_property
    def surfaces(self) -> tuple[Mapping[Node, Node], ...]:
        """See `verify.calculus.events`."""
        return surfaces(self.problem)

    def grounded(self, node: Node, convention: Convention) -> Node:
        """The initial state, the final adjoint, and what both are on the far side of an event, as they are known."""
        problem = self.problem
        at = {symbol(u + self.ends[0]): b for u, b in zip(problem.state, problem.initial, strict=True)}
        for i, name in enumerate(self.names):
            at[symbol(name + self.ends[1])] = convention.entry(self.costate.final, i)
        for crossing in self.crossings:
            early = {name + before(crossing.time) for name in self.names} & free_symbols(node)
            at |= {symbol(name): convention.entry(crossing.before, self.names.index(name.partition("(")[0]))
                   for name in early}  # fmt: skip
        found = substitute(node, at)
        return substitute(found, {**resets(problem), **self.silenced}) if self.crossings else found

    # --- text ---

    def text(self, key: Key) -> str:
        return self.claim.text.get(key) or write(getattr(self.claim, key[0])[key[1]])

    def correct(self, key: Key, convention: Convention) -> str:
        """A part as it should be, in the convention of the claim."""
        table, name = key
        if table == "adjoint" and (parts := self._by_phase(key, convention)):
            return parts
        if table != "gradient":
            node = shortest(self.right(key, convention), self.names)
            return write(tidy(-self.reader.reflect(node)) if self.reader.backwards and table == "adjoint" else node)
        gradient = self.gradient(name)
        sides = (convention.claimed(each) for each in (gradient.boundary, gradient.inside))
        boundary, inside = (shortest(each, self.names) for each in sides)
        return written(self.problem, boundary, inside, self.names if self.reader.backwards else ())

    def _by_phase(self, key: Key, convention: Convention) -> str:
        """An adjoint equation that is not the same in all phases that a key names; else nothing."""
        own = [each for each in self.equations(key[1].partition("(")[0]) if "(" in each]
        phases = [each for each in own if set(self.where(each)[1]) <= set(self.where(key[1])[1])]
        if len(phases) < 2:
            return ""
        return "; ".join(f"{each}: {self.correct(('adjoint', each), convention)}" for each in phases)
