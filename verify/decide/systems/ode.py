"""Is a claimed adjoint system of an ODE right?  As identities first, and on numbers before anything is refuted.

A part that is an identity in states, adjoints, time and parameters is proved, for every solution and every final time.
An identity that fails refutes nothing by itself (it may hold along the solutions): the claimed system is also solved as
it stands, and only what stands off there as well is wrong.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property

from verify.calculus.costate import Costate, Gradient, end, jumps, ode_costate, ode_gradient, seen, start
from verify.calculus.tidy import short, tidy
from verify.claim import Variable
from verify.decide.integrals.standard import may_jump
from verify.decide.systems import convention as conventions
from verify.decide.systems.compensate import compensation
from verify.decide.systems.convention import UNANCHORED, Convention
from verify.decide.systems.identity import Identities
from verify.decide.systems.measure import POINTS, Measurement, measure
from verify.decide.systems.reading import Functional, NoFunctional, Reader, is_backwards
from verify.decide.systems.result import Part, SystemResult, overall
from verify.graph import ZERO, Node, free_symbols, postorder, substitute, symbol
from verify.language.write import write
from verify.systems import TIME, OdeProblem, SystemClaim, adjoint_names
from verify.verdict import Evidence, Rigor, Verdict

CONTRADICTED = "proved as an identity, and contradicted on numbers: one of the two is wrong"
JUMPING = "the right-hand side may jump where the solution is, and what the adjoint gains there is not judged"
#: A relative difference of identities above this cannot be rounding: a different form, or a different formula.
PLAIN = 1e-4


def judge(problem: OdeProblem, claim: SystemClaim, *, seed: int = 0) -> Iterator[SystemResult]:
    """Results, each saying more than the one before."""
    task = OdeTask(problem, claim, seed)
    chosen = task.convention
    parts = [_judged(task, key, chosen) for key in task.keys]
    if not task.is_anchored(chosen):
        parts = [replace(part, verdict=Verdict.UNDECIDED, reason=UNANCHORED) for part in parts]
    identities = tuple(_open(part) if part.verdict is Verdict.REFUTED else part for part in parts)
    yield _result(task, chosen, identities)
    given = any(
        part.verdict < Verdict.SUPPORTED for key, part in zip(task.keys, parts, strict=True) if key[0] != "gradient"
    )
    proved = all(part.verdict is Verdict.PROVED for part in parts)
    measured = measure(task, chosen, whole_too=given, points=1 if proved else POINTS)
    parts = [_weighed(task, key, part, measured) for key, part in zip(task.keys, parts, strict=True)]
    parts = [_compensated(task, key, part, chosen) for key, part in zip(task.keys, parts, strict=True)]
    parts = _alarmed(parts)
    if task.is_jumping:
        parts = [_capped(key, part) for key, part in zip(task.keys, parts, strict=True)]
    yield _result(task, chosen, tuple(parts))
    if any(_is_closed(task, key, part) for key, part in zip(task.keys, parts, strict=True)):
        parts = _in_closed_form(task, parts)
        yield _result(task, chosen, tuple(parts))
    if any(part.verdict is Verdict.REFUTED for part in parts):
        from verify.decide.systems.slips import ode_slip

        explained = [
            replace(part, diagnosis=part.diagnosis or ode_slip(task, key, chosen))
            if part.verdict is Verdict.REFUTED
            else part
            for key, part in zip(task.keys, parts, strict=True)
        ]
        yield _result(task, chosen, tuple(explained))


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
            return self.reader.jump(self.claim.jump[name], self.problem.observations[self.jumps[name][0]])
        return self.reader.functional(self.claim.gradient[name])

    @cached_property
    def is_jumping(self) -> bool:
        """Whether the right-hand side, or the running cost, jumps at states, or at times, that can move."""
        problem = self.problem
        names = {*problem.state, *problem.domain.variables}
        return any(may_jump(node, name) for node in (*problem.rhs, problem.running) for name in names)

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


# --- one part ---------------------------------------------------------------------------------------


def _judged(task: OdeTask, key: Key, convention: Convention) -> Part:
    """A part as identities; REFUTED means here that one of them fails."""
    name, text = " ".join(key), task.text(key)
    if key in task.unread:
        return Part(name, text, Verdict.UNDECIDED, reason=f"not compared as it stands: {task.unread[key]}")
    found = [task.identities.decide(*pair) for pair in task.pairs(key, convention)]
    worst = min(found, key=lambda result: result.verdict)
    if worst.verdict is Verdict.REFUTED:
        return Part(name, text, Verdict.REFUTED, worst.evidence, worst.counterexample)
    evidence = tuple(_labelled(e) for result in found for e in result.evidence)
    return Part(name, text, worst.verdict, evidence, reason=worst.reason)


def _labelled(evidence: Evidence) -> Evidence:
    return replace(evidence, detail={**evidence.detail, "identity": "states, adjoints and time are independent"})


def _compensated(task: OdeTask, key: Key, part: Part, convention: Convention) -> Part:
    """A gradient that is right on numbers, proved where it differs by a total derivative only."""
    if key[0] != "gradient" or key not in task.read or part.verdict is not Verdict.SUPPORTED:
        return part
    found = compensation(task, key, convention)
    if found is None or not found.holds:
        return part
    detail = {"method": f"equal up to the total derivative of {found.says}"}
    proof = Evidence("Lagrange identity", Rigor.EXACT, True, frozenset({"normal-forms"}), detail=detail)
    return replace(part, verdict=Verdict.PROVED, evidence=(proof, *part.evidence))


def _is_closed(task: OdeTask, key: Key, part: Part) -> bool:
    """Whether a gradient that is not proved is claimed without its adjoint, and without integrals."""
    read = task.read.get(key)
    if not isinstance(read, Functional) or read.inside is not ZERO or part.verdict is Verdict.PROVED:
        return False
    return not any(name.partition("(")[0] in task.names for name in free_symbols(read.boundary))


def _in_closed_form(task: OdeTask, parts: list[Part]) -> list[Part]:
    """Such gradients, decided where the solution has a closed form."""
    from verify.decide.systems.elementary import decided, elementary

    known = elementary(task.problem, task.identities)
    if known is None:
        return parts
    found = []
    for key, part in zip(task.keys, parts, strict=True):
        read = task.read.get(key)
        closed = isinstance(read, Functional) and _is_closed(task, key, part)
        found.append(decided(known, key[1], read.boundary, task.identities, part) if closed else part)
    return found


def _capped(key: Key, part: Part) -> Part:
    """A part of a claim where the right-hand side may jump: the adjoint does as well then, which no identity says."""
    if part.verdict < Verdict.SUPPORTED:
        return part
    holds = any(e.rigor is Rigor.NUMERICAL and e.holds for e in part.evidence)
    if key[0] == "gradient" and not holds:
        return replace(part, verdict=Verdict.UNDECIDED, reason=JUMPING)
    return replace(part, verdict=Verdict.SUPPORTED)


def _open(part: Part) -> Part:
    """Before numbers are there, a failed identity is no refutation."""
    return replace(part, verdict=Verdict.UNDECIDED, reason="as an identity it fails; not yet tried on numbers")


def _weighed(task: OdeTask, key: Key, part: Part, measured: Measurement) -> Part:
    """Identities and numbers together."""
    numbers = measured.evidence.get(key)
    if part.reason == UNANCHORED:
        return part
    if measured.nowhere and part.verdict is not Verdict.REFUTED:
        return replace(part, verdict=Verdict.UNDECIDED, reason=measured.reason)
    if part.verdict in (Verdict.PROVED, Verdict.SUPPORTED):
        if numbers is not None and numbers.holds is False and key[0] != "gradient":
            return replace(part, verdict=Verdict.UNDECIDED, evidence=(*part.evidence, numbers), reason=CONTRADICTED)
        if measured.undefined.get(key):
            return replace(part, verdict=Verdict.UNDECIDED, reason=measured.undefined[key])
        if key[0] == "gradient" and numbers is not None and numbers.holds is not None:
            return replace(part, evidence=(*part.evidence, numbers))
        return part
    if numbers is None or numbers.holds is None:
        why = measured.reason or (numbers.detail.get("reason", "") if numbers else "")
        what = "as an identity it fails, and numbers do not tell" if part.verdict is Verdict.REFUTED else part.reason
        return replace(part, verdict=Verdict.UNDECIDED, reason="; ".join(filter(None, (what, why))))
    if not numbers.holds:
        correction = task.correct(key, task.convention)
        identity = tuple(e for e in part.evidence if e.holds is False)
        counter = measured.counterexamples.get(key) or part.counterexample
        return Part(part.name, part.claim, Verdict.REFUTED, (*identity, numbers), counter, correction=correction)
    tiny = part.verdict is Verdict.REFUTED and not _is_plain(task, key)
    if tiny:
        reason = "as an identity it fails by less than what numbers can tell"
        return replace(part, verdict=Verdict.UNDECIDED, evidence=(*part.evidence, numbers), reason=reason)
    return Part(part.name, part.claim, Verdict.SUPPORTED, (numbers,))


def _alarmed(parts: list[Part]) -> list[Part]:
    """All parts proved and a gradient off on numbers: one of the two is wrong, and nothing is claimed."""
    if any(part.verdict < Verdict.SUPPORTED for part in parts):
        return parts
    off = [any(e.rigor is Rigor.NUMERICAL and e.holds is False for e in part.evidence) for part in parts]
    return [
        replace(part, verdict=Verdict.UNDECIDED, reason=CONTRADICTED) if wrong else part
        for part, wrong in zip(parts, off, strict=True)
    ]


def _is_plain(task: OdeTask, key: Key) -> bool:
    """Whether an identity fails by much: then agreement along the solutions is no accident of rounding."""
    differences = [task.identities.difference(*pair) for pair in task.pairs(key, task.convention)]
    return max((d for d in differences if not math.isnan(d)), default=0.0) > PLAIN


def _result(task: OdeTask, convention: Convention, parts: tuple[Part, ...]) -> SystemResult:
    says = convention.says()
    if task.reader.backwards:
        says = "; ".join(filter(None, (says, "the adjoint runs in reversed time, t0 + T - t")))
    reason = "" if parts else "nothing is claimed"
    verdict = overall(parts)
    if verdict is Verdict.UNDECIDED and parts:
        reason = next((f"{part.name}: {part.reason}" for part in parts if part.verdict is verdict and part.reason), "")
    return SystemResult(
        "", task.problem.kind, parts, says, tuple(derived(task, convention)), (), reason, verdict, seed=task.seed
    )


def derived(task: OdeTask, convention: Convention) -> Iterator[tuple[str, str]]:
    """The parts that are not claimed."""
    for table in ("adjoint", "terminal"):
        for name in task.names:
            if (table, name) not in task.keys:
                yield f"{table} {name}", task.correct((table, name), convention)
    for name in task.jumps:
        if ("jump", name) not in task.keys:
            yield f"jump {name}", task.correct(("jump", name), convention)
    for name in task.problem.parameters:
        if ("gradient", name) not in task.keys:
            yield f"gradient {name}", task.correct(("gradient", name), convention)
