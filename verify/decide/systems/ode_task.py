"""What is claimed of an ODE problem, what is right, and in which convention?  Part by part, as pairs to compare."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from verify.calculus.costate import Costate, Gradient, end, jumps, ode_costate, ode_gradient, seen, start
from verify.calculus.tidy import short, tidy
from verify.claim import Variable
from verify.decide.systems import convention as conventions
from verify.decide.systems.convention import Convention
from verify.decide.systems.identity import Identities
from verify.decide.systems.reading import Functional, NoFunctional, Reader, is_backwards
from verify.decide.systems.smooth import jumps_somewhere, may_be_singular
from verify.graph import ZERO, Node, postorder, substitute, symbol
from verify.language.write import write
from verify.systems import TIME, OdeProblem, SystemClaim, adjoint_names

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
        claim = self.claim
        written = [*claim.adjoint.values(), *claim.gradient.values()]
        self.reader = Reader(self.problem, is_backwards(self.problem, written))
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

    def _reading(self, key: Key) -> Node | Functional:
        table, name = key
        if table == "adjoint":
            return self.reader.equation(self.claim.adjoint[name])
        if table == "terminal":
            return self.reader.terminal(self.claim.terminal[name])
        if table == "jump":
            if self.reader.backwards:
                raise NoFunctional("in reversed time it is not said which side of a jump comes first")
            return self.reader.jump(self.claim.jump[name], self.problem.observations[self.jumps[name][0]])
        return self.reader.functional(self.claim.gradient[name])

    @cached_property
    def is_jumping(self) -> bool:
        """See `verify.decide.systems.smooth`."""
        return jumps_somewhere(self.problem)

    @cached_property
    def may_be_singular(self) -> bool:
        """See `verify.decide.systems.smooth`."""
        return may_be_singular(self.problem)

    @cached_property
    def costate(self) -> Costate:
        return ode_costate(self.problem)

    @cached_property
    def jumps(self) -> dict[str, tuple[int, int, tuple[Node, ...]]]:
        """By "l1(1/2)": which observation, which adjoint, and what all adjoints gain there."""
        found = {}
        for i, (each, gains) in enumerate(zip(self.problem.observations, jumps(self.problem), strict=True)):
            found |= {f"{name}{seen(each)}": (i, j, gains) for j, name in enumerate(self.names)}
        return found

    def gains(self, i: int, convention: Convention) -> tuple[Node, ...]:
        """What the adjoints gain at an observation, as claimed, or else as they must in the convention."""
        found = []
        for j, name in enumerate(self.names):
            key = f"{name}{seen(self.problem.observations[i])}"
            read = self.read.get(("jump", key))
            found.append(read if isinstance(read, Node) else convention.entry(self.jumps[key][2], j))
        return tuple(found)

    def gradient(self, q: str) -> Gradient:
        """dG/dq by its terms."""
        if q not in self.gradients:
            self.gradients[q] = ode_gradient(self.problem, q)
        return self.gradients[q]

    # --- the convention ---

    @cached_property
    def convention(self) -> Convention:
        """The one in which the fewest parts fail."""
        varying = {TIME, *self.names, *self.problem.state}
        places = (*self.ends, *map(seen, self.problem.observations))
        varying |= {name + where for name in (*self.names, *self.problem.state) for where in places}
        suggested = [
            conventions.ratio(*pair, varying)
            for key in self.keys
            if key in self.read
            for pair in self._suggestions(key)
        ]
        found = conventions.candidates(self.names, suggested, mixed=self._is_told)
        return conventions.best(found, self._failures)[0]

    @property
    def _is_told(self) -> bool:
        """Whether all of the adjoint is claimed, and the gradients use all of it, itself or through its equations."""
        claim, names = self.claim, set(self.names)
        if not names <= set(claim.adjoint) & set(claim.terminal):
            return False

        def occurring(node: Node) -> set[str]:
            return names & {each.value[0] for each in postorder(node) if each.op == "abstract"}

        used: set[str] = set().union(*map(occurring, claim.gradient.values()))
        for _ in names:
            used |= set().union(*(occurring(claim.adjoint[name]) for name in used))
        return used == names

    @property
    def ends(self) -> tuple[str, str]:
        return start(self.problem), end(self.problem)

    def _suggestions(self, key: Key) -> Iterator[tuple[Node, Node]]:
        """Pairs of which the first would be kappa times the second."""
        table, name = key
        read = self.read[key]
        none = {symbol(each + where): ZERO for each in self.names for where in ("", *self.ends)}
        if table == "terminal":
            assert isinstance(read, Node)
            yield read, self.costate.final[self.names.index(name)]
        elif table == "jump":
            assert isinstance(read, Node)
            _, j, gains = self.jumps[name]
            yield read, gains[j]
        elif table == "adjoint":
            assert isinstance(read, Node)
            yield tidy(substitute(read, none)), self.costate.source[self.names.index(name)]
        else:
            assert isinstance(read, Functional)
            right = self.gradient(name)
            for claimed, truth in ((read.inside, right.inside), (read.boundary, right.boundary)):
                linear = [tidy(each - substitute(each, none)) for each in (claimed, truth)]
                yield linear[1], linear[0]

    def _failures(self, convention: Convention, most: int) -> int:
        """Parts that differ at a few points; no more are counted than `most`."""
        count = 0
        for key in self.read:
            count += not all(self.identities.same(*pair) for pair in self.pairs(key, convention))
            if count >= most:
                break
        return count

    def is_anchored(self, convention: Convention) -> bool:
        """Whether a factor other than -1 is a convention: the adjoint is claimed, and a gradient goes with it."""
        if convention.is_sign:
            return True
        sources = (self.costate.source[self.names.index(name)] for table, name in self.keys if table == "adjoint")
        fixed = any(table in ("terminal", "jump") for table, _ in self.keys)
        fixed = fixed or any(source is not ZERO for source in sources)
        return fixed and any(table == "gradient" for table, _ in self.keys)

    # --- identities ---

    def pairs(self, key: Key, convention: Convention) -> tuple[tuple[Node, Node], ...]:
        """What must be equal for a part to be right: (claimed, right)."""
        name, read = key[1], self.read[key]
        if isinstance(read, Node):
            return ((read, self.right(key, convention)),)
        right = self.gradient(name)
        return (
            (self.grounded(read.inside, convention), self.grounded(convention.claimed(right.inside), convention)),
            (self.grounded(read.boundary, convention), self.grounded(convention.claimed(right.boundary), convention)),
        )

    def right(self, key: Key, convention: Convention) -> Node:
        """What must stand in a part that is no gradient."""
        table, name = key
        if table == "jump":
            _, j, gains = self.jumps[name]
            return convention.entry(gains, j)
        return convention.entry(self.costate.rate if table == "adjoint" else self.costate.final, self.names.index(name))

    def grounded(self, node: Node, convention: Convention) -> Node:
        """The initial state and the final adjoint as they are known."""
        problem = self.problem
        at = {symbol(u + self.ends[0]): b for u, b in zip(problem.state, problem.initial, strict=True)}
        for i, name in enumerate(self.names):
            at[symbol(name + self.ends[1])] = convention.entry(self.costate.final, i)
        return substitute(node, at)

    # --- text ---

    def text(self, key: Key) -> str:
        return self.claim.text.get(key) or write(getattr(self.claim, key[0])[key[1]])

    def correct(self, key: Key, convention: Convention) -> str:
        """A part as it should be, in the convention of the claim."""
        table, name = key
        if table != "gradient":
            node = short(self.right(key, convention))
            return write(tidy(-self.reader.reflect(node)) if self.reader.backwards and table == "adjoint" else node)
        gradient = self.gradient(name)
        boundary, inside = (short(convention.claimed(each)) for each in (gradient.boundary, gradient.inside))
        return written(self.problem, boundary, inside, self.names if self.reader.backwards else ())


def written(problem: OdeProblem, boundary: Node, inside: Node, reflected: tuple[str, ...] = ()) -> str:
    """boundary + int(inside, t, t0, T), the adjoints at t0 + T - t where their time is reversed."""
    if inside is ZERO:
        return write(boundary)
    turned = tidy(problem.t0 + problem.T - symbol(TIME))
    at = {symbol(name): symbol(f"{name}({write(turned)})") for name in reflected}
    swap = dict(zip((start(problem), end(problem)), (end(problem), start(problem)), strict=True))
    outside = {symbol(name + a): symbol(name + b) for name in reflected for a, b in swap.items()}
    integral = f"int({write(substitute(inside, at))}, {TIME}, {write(problem.t0)}, {write(problem.T)})"
    return integral if boundary is ZERO else f"{integral} + {write(substitute(boundary, outside))}"
