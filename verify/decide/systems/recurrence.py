"""Is a claimed adjoint system of a recurrence right?  Step by step as identities; for small lengths written out.

A part that is an identity at a general step is proved for every number of steps.  What fails there is refuted only when
it also fails for one, two or three steps written out in the parameters, where everything is exact.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from verify.calculus.costate import Costate, Gradient, recurrence_gradient
from verify.calculus.tidy import short, tidy
from verify.claim import Variable
from verify.decide.systems import convention as conventions
from verify.decide.systems.convention import UNANCHORED, Convention
from verify.decide.systems.identity import Identities
from verify.decide.systems.result import Part, SystemResult, overall
from verify.decide.systems.steps import NoSum, Steps, Stepwise
from verify.decide.systems.unrolled import Unrolled
from verify.graph import (
    ONE,
    ZERO,
    Node,
    add,
    free_symbols,
    num,
    postorder,
    size,
    substitute,
    symbol,
)
from verify.language.write import write
from verify.system_claims import SystemClaim
from verify.systems import INDEX, RecurrenceProblem, adjoint_blocks
from verify.verdict import Counterexample, Result, Verdict

#: Lengths that are written out, and nodes that they may have.
LENGTHS, LARGEST = (1, 2, 3), 4000
#: Nodes of a gradient without adjoints that is worth printing.
LONGEST_CLOSED = 80
#: Steps up to which a given number of steps is written out and proved, and up to which it is enclosed at points.
MOST_PROVED, MOST_WRITTEN_OUT = 6, 40

Key = tuple[str, str]


def judge(problem: RecurrenceProblem, claim: SystemClaim, *, seed: int = 0) -> Iterator[SystemResult]:
    """Results, each saying more than the one before."""
    task = RecurrenceTask(problem, claim, seed)
    chosen = task.convention
    parts = [task.judged(key, chosen) for key in task.keys]
    off = any(p.verdict is Verdict.REFUTED for k, p in zip(task.keys, parts, strict=True) if k[0] == "gradient")
    if off and task.is_consistent():
        parts = [
            replace(p, verdict=Verdict.SUPPORTED, correction="") if p.verdict is Verdict.REFUTED else p for p in parts
        ]
    yield _result(task, chosen, tuple(parts))
    if any(part.verdict is Verdict.REFUTED for part in parts):
        from verify.decide.systems.recurrence_slips import recurrence_slip

        explained = [
            replace(part, diagnosis=recurrence_slip(task, key, chosen)) if part.verdict is Verdict.REFUTED else part
            for key, part in zip(task.keys, parts, strict=True)
        ]
        yield _result(task, chosen, tuple(explained))


@dataclass
class RecurrenceTask:
    """A problem, what is claimed of it, and what is right."""

    problem: RecurrenceProblem
    claim: SystemClaim
    seed: int = 0

    def __post_init__(self) -> None:
        self.steps = Steps(self.problem)
        self.names = self.steps.names
        self.unrolled = Unrolled(self.steps)
        ranges = {INDEX: Variable(INDEX, "integer", low=ONE, closed_low=True)}
        if isinstance(self.problem.steps, str):
            ranges[self.problem.steps] = Variable(self.problem.steps, "integer", low=ONE, closed_low=True)
        self.identities = Identities(self.problem.domain, ranges, self.seed)
        claim = self.claim
        self.keys: list[Key] = [
            *(("adjoint", name) for name in claim.adjoint),
            *(("terminal", name) for name in claim.terminal),
            *(("gradient", name) for name in claim.gradient),
        ]
        self.read: dict[Key, Node | Stepwise] = {}
        self.unread: dict[Key, str] = {}
        for key in self.keys:
            formula = getattr(claim, key[0])[key[1]]
            try:
                gradient = key[0] == "gradient"
                self.read[key] = self.steps.stepwise(formula) if gradient else self.steps.symbols(formula)
            except NoSum as reason:
                self.unread[key] = str(reason)
                self.read.pop(key, None)

    @property
    def costate(self) -> Costate:
        return self.steps.costate

    def gradient(self, q: str) -> Gradient:
        return recurrence_gradient(self.problem, q)

    # --- the convention ---

    @cached_property
    def convention(self) -> Convention:
        """The one in which the least of the claim fails."""
        return conventions.best(self.candidates, self.failing)

    def failing(self, convention: Convention) -> Iterator[Key]:
        """Parts that look wrong in a convention."""
        odd = (key for key in self.unread if key[0] == "gradient" and not self.is_closed(key))
        return (key for key in (*self.read, *odd) if not self._fits(key, convention))

    @cached_property
    def candidates(self) -> tuple[Convention, ...]:
        """The conventions that are tried."""
        suggested = []
        for key, read in self.read.items():
            if key[0] == "terminal":
                assert isinstance(read, Node)
                right = self.costate.final[self.names.index(key[1])]
                suggested.append(conventions.ratio(read, right, free_symbols(read, right) - self._constants))
            if isinstance(read, Stepwise):
                truth = self.gradient(key[1])
                for one, other in ((truth.inside, read.inside), (truth.boundary, read.boundary)):
                    linear = [self._linear_part(each) for each in (one, other)]
                    suggested.append(conventions.ratio(*linear, free_symbols(*linear) - self._constants))

        return tuple(conventions.candidates(adjoint_blocks(self.problem), suggested, mixed=self._is_told))

    def _fits(self, key: Key, convention: Convention) -> bool:
        """Whether the quick comparison sees no difference: at a general step, else for small numbers of steps."""
        if key in self.read:
            return all(self.identities.same(*pair) for pair in self.pairs(key, convention))
        from verify.decide.prove.differentiate import carried_out

        written = self.equalities(key, convention)
        return all(
            len(set(postorder(lhs, rhs))) <= LARGEST and self.identities.same(lhs, carried_out(rhs))
            for _, lhs, rhs, _ in written
        )

    @property
    def _is_told(self) -> bool:
        """Whether all of the adjoint is claimed, and the gradients use all of it."""
        names = set(self.names)
        if set(self.claim.adjoint) != names or set(self.claim.terminal) != names:
            return False
        nodes = postorder(*self.claim.gradient.values())
        return names <= {each.value[0] for each in nodes if each.op == "abstract"}

    @property
    def _constants(self) -> set[str]:
        return {name for name in self.problem.domain.variables if name not in self.problem.state}

    def _linear_part(self, node: Node) -> Node:
        none = {symbol(name): ZERO for name in free_symbols(node) if name.partition("[")[0] in self.names}
        return tidy(node - substitute(node, none))

    # --- identities ---

    def pairs(self, key: Key, convention: Convention) -> tuple[tuple[Node, Node], ...]:
        """What must be equal for a part to be right: (claimed, right)."""
        table, name = key
        read = self.read[key]
        if isinstance(read, Node):
            right = self.costate.rate if table == "adjoint" else self.costate.final
            found = (read, convention.entry(right, self.names.index(name)))
            one, other = self.steps.reduced(found, convention)
            return ((one, other),)
        truth = self.gradient(name)
        return self.reduced(read, truth.inside, truth.boundary, convention)

    def reduced(
        self, read: Stepwise, inside: Node, boundary: Node, convention: Convention
    ) -> tuple[tuple[Node, Node], tuple[Node, Node]]:
        """A claimed gradient and one in the right adjoint, as sums and as what stands outside of them."""
        inside, boundary = self.spelled(read, inside, boundary)
        one = self.steps.reduced((read.inside, convention.claimed(inside)), convention)
        other = self.steps.reduced((read.boundary, convention.claimed(boundary)), convention)
        return (one[0], one[1]), (other[0], other[1])

    def spelled(self, read: Stepwise, inside: Node, boundary: Node) -> tuple[Node, Node]:
        """A gradient with its sum written out, where the number of steps is given and the claim has no sum."""
        steps = self.problem.steps
        if read.inside is not ZERO or inside is ZERO or not isinstance(steps, int) or steps > MOST_PROVED:
            return inside, boundary
        return ZERO, add(boundary, *(self.steps.at(inside, num(k)) for k in range(1, steps + 1)))

    def text(self, key: Key) -> str:
        return self.claim.text.get(key, "")

    def judged(self, key: Key, convention: Convention) -> Part:
        name, text = " ".join(key), self.text(key)
        if key in self.unread and key[0] != "gradient":
            return Part(name, text, Verdict.UNDECIDED, reason=self.unread[key])
        if not convention.is_sign and not (self.claim.gradient and self.claim.terminal):
            return Part(name, text, Verdict.UNDECIDED, reason=UNANCHORED)
        if key in self.read:
            found = [self.identities.decide(*pair) for pair in self.pairs(key, convention)]
            worst = min(found, key=lambda result: result.verdict)
            if worst.verdict >= Verdict.SUPPORTED:
                return Part(name, text, worst.verdict, tuple(e for result in found for e in result.evidence))
        written = self.written_out(key, convention)
        if written.verdict is Verdict.REFUTED or not self.is_closed(key):
            return written
        pair = self.unrolled.at_all_steps(self.claim.gradient[key[1]], key[1])
        if pair is None:
            return written
        whole = self.identities.decide(*pair)
        correction = self.correct(key, convention) if whole.verdict is Verdict.REFUTED else ""
        return Part(name, text, whole.verdict, whole.evidence, whole.counterexample, None, correction, whole.reason)

    # --- small lengths ---

    @property
    def lengths(self) -> tuple[int, ...]:
        steps = self.problem.steps
        return LENGTHS if isinstance(steps, str) else (steps,) if steps <= MOST_WRITTEN_OUT else ()

    def written_out(self, key: Key, convention: Convention) -> Part:
        """A part for small numbers of steps, everything in terms of the parameters."""
        name, text = " ".join(key), self.text(key)
        evidence: list = []
        verdicts = []
        for n, lhs, rhs, step in self.equalities(key, convention):
            if len(set(postorder(lhs, rhs))) > LARGEST:
                continue
            found = self.identities.decide(lhs, rhs, stop="explained" if n <= MOST_PROVED else "proved")
            verdicts.append(found.verdict)
            if found.verdict is Verdict.REFUTED:
                counter = _at_length(found, self.problem.steps, n, step)
                return Part(name, text, Verdict.REFUTED, found.evidence, counter, None, self.correct(key, convention))
            evidence += found.evidence
        if not verdicts or min(verdicts) < Verdict.SUPPORTED:
            reason = "it is no identity at a general step, and small numbers of steps do not tell"
            return Part(name, text, Verdict.UNDECIDED, reason=reason)
        whole = isinstance(self.problem.steps, int) and key[0] == "gradient"
        return Part(name, text, min(verdicts) if whole else Verdict.SUPPORTED, tuple(evidence))

    def equalities(self, key: Key, convention: Convention) -> Iterator[tuple[int, Node, Node, int]]:
        """(n, claimed, right, step) for small numbers n of steps, in the parameters.

        A claim that takes a value at a step that there is not, whatever n, is right only if it does not depend on it.
        """
        found = [(n, *each) for n in self.lengths for each in self._equalities(key, n, convention, beyond=False)]
        if not found and key[0] != "adjoint":
            found = [(n, *each) for n in self.lengths for each in self._equalities(key, n, convention, beyond=True)]
        yield from found

    def _equalities(
        self, key: Key, n: int, convention: Convention, *, beyond: bool
    ) -> Iterator[tuple[Node, Node, int]]:
        states = self.unrolled.states(n)
        adjoints = self.unrolled.adjoints(n, states, convention)
        formula = getattr(self.claim, key[0])[key[1]]
        if key[0] == "gradient":
            claimed = self.unrolled.valued(formula, n, states, adjoints, beyond=beyond)
            if claimed is not None:
                yield claimed, self.unrolled.truth(key[1], n), n
            return
        i = self.names.index(key[1])
        for k in range(n - 1, -1, -1) if key[0] == "adjoint" else (n,):
            at_step = substitute(formula, {symbol(INDEX): num(k)})
            claimed = self.unrolled.valued(at_step, n, states, adjoints, beyond=beyond)
            if claimed is not None:
                yield claimed, adjoints[k][i], k

    # --- gradients without adjoint ---

    def is_closed(self, key: Key) -> bool:
        """Whether a gradient is claimed without any adjoint."""
        if key[0] != "gradient" or key[1] not in self.claim.gradient:
            return False
        nodes = postorder(self.claim.gradient[key[1]])
        return not any(each.op == "abstract" and each.value[0] in self.names for each in nodes)

    def closed_pairs(self, key: Key) -> list[tuple[Node, Node, str]]:
        """(claimed, right) for any number of steps, or for two numbers of them, and which."""
        formula, steps = self.claim.gradient[key[1]], self.problem.steps
        pair = self.unrolled.at_all_steps(formula, key[1])
        if pair is not None and not (isinstance(steps, int) and steps <= MOST_PROVED):
            return [(*pair, "")]
        found = []
        for n in (3, 2) if isinstance(steps, str) else self.lengths:
            claimed = self.unrolled.valued(formula, n, self.unrolled.states(n), [])
            if claimed is not None:
                says = f"for {steps} = {n}, " if isinstance(steps, str) else ""
                found.append((claimed, self.unrolled.truth(key[1], n), says))
        return found

    def claimed_adjoints(self, n: int, states: Sequence[Sequence[Node]]) -> list[list[Node]] | None:
        """The claimed adjoint at all steps, where all of it is claimed."""
        if set(self.claim.adjoint) != set(self.names) or set(self.claim.terminal) != set(self.names):
            return None
        last = [self.unrolled.valued(self.claim.terminal[name], n, states, []) for name in self.names]
        found: list[list[Node]] = [[]] * n + [[each for each in last if each is not None]]
        for k in range(n - 1, -1, -1):
            row = [self.unrolled.valued(substitute(self.claim.adjoint[name], {symbol(INDEX): num(k)}), n, states, found)
                   for name in self.names]  # fmt: skip
            if None in row or len(found[k + 1]) < len(self.names):
                return None
            found[k] = [each for each in row if each is not None]
        return found

    def is_consistent(self) -> bool:
        """Whether the claimed system, stepped as it stands, gives the true gradient, with every adjoint used."""
        used = {n.value[0] for g in self.claim.gradient.values() for n in postorder(g) if n.op == "abstract"}
        if not self.claim.gradient or not set(self.names) <= used or not self.lengths:
            return False
        for n in self.lengths:
            states = self.unrolled.states(n)
            adjoints = self.claimed_adjoints(n, states)
            if adjoints is None:
                return False
            for q, formula in self.claim.gradient.items():
                value = self.unrolled.valued(formula, n, states, adjoints)
                if value is None or len(set(postorder(value))) > LARGEST:
                    return False
                if self.identities.decide(value, self.unrolled.truth(q, n), stop="proved").verdict < Verdict.SUPPORTED:
                    return False
        return True

    def closed(self, key: Key) -> Node | None:
        """dG/dq without adjoints: for any number of steps, or for the given one; None where it is long."""
        steps = self.problem.steps
        if isinstance(steps, int) and steps <= MOST_PROVED:
            pair = ZERO, self.unrolled.truth(key[1], steps)
        else:
            pair = self.unrolled.at_all_steps(self.claim.gradient[key[1]], key[1])
        if pair is None or len(set(postorder(pair[1]))) > LARGEST:
            return None
        from verify.decide.prove.differentiate import carried_out

        found = short(carried_out(pair[1]))
        return found if size(found) <= LONGEST_CLOSED else None

    def correct(self, key: Key, convention: Convention) -> str:
        """A part as it should be, in the convention of the claim."""
        table, name = key
        if table != "gradient":
            right = self.costate.rate if table == "adjoint" else self.costate.final
            return self._named(write(short(convention.entry(right, self.names.index(name)))))
        if self.is_closed(key) and (closed := self.closed(key)) is not None:
            return self._named(write(closed))
        truth = self.gradient(name)
        boundary, inside = (short(convention.claimed(each)) for each in (truth.boundary, truth.inside))
        if inside is ZERO:
            return self._named(write(boundary))
        last = self.problem.steps
        total = f"sum({write(inside)}, k, 1, {last})"
        return self._named(total if boundary is ZERO else f"{total} + {write(boundary)}")

    def _named(self, text: str) -> str:
        """[n] as the claim's own number of steps."""
        return text.replace("[n]", f"[{self.problem.steps}]")


def _at_length(found: Result, steps: int | str, n: int, step: int) -> Counterexample | None:
    """A counterexample with the number of steps, and the step, among its coordinates."""
    if found.counterexample is None:
        return None
    point = dict(found.counterexample.point)
    if isinstance(steps, str):
        point[steps] = str(n)
    if step != n:
        point[INDEX] = str(step)
    return replace(found.counterexample, point=point)


def _result(task: RecurrenceTask, convention: Convention, parts: tuple[Part, ...]) -> SystemResult:
    derived = []
    for table in ("adjoint", "terminal"):
        derived += [
            (f"{table} {n}", task.correct((table, n), convention)) for n in task.names if (table, n) not in task.keys
        ]
    for name in task.problem.parameters:
        if ("gradient", name) not in task.keys:
            derived.append((f"gradient {name}", task.correct(("gradient", name), convention)))
    verdict = overall(parts)
    reason = "" if parts else "nothing is claimed"
    if verdict is Verdict.UNDECIDED and parts:
        reason = next((f"{part.name}: {part.reason}" for part in parts if part.verdict is verdict and part.reason), "")
    return SystemResult(
        "", task.problem.kind, parts, convention.says(), tuple(derived), (), reason, verdict, seed=task.seed
    )
