"""Is a claimed adjoint system of f(u, p) = 0 right?  Identities on the set of solutions, all of them exact.

The adjoint is an explicit function of u and p (Cramer's rule), so every part is an identity in u and p.  Where it fails
for independent u and p, it need only hold where f(u, p) = 0: the residuals are solved for names in which they are
linear, and the identity is decided on what remains.  It must hold at all solutions of the domain at which the Jacobian
is invertible, whichever of their branches they are on.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cached_property
from itertools import permutations
from typing import TYPE_CHECKING

from verify.calculus.costate import Costate, Gradient, implicit_costate, implicit_gradient, total
from verify.calculus.reverse import gradient
from verify.calculus.tidy import is_zero, short, tidy
from verify.decide.signs import Signs
from verify.decide.systems import convention as conventions
from verify.decide.systems.convention import UNANCHORED, Convention
from verify.decide.systems.identity import Identities
from verify.decide.systems.result import Part, SystemResult, overall
from verify.decide.systems.solution_set import Branch, SolutionSet, Solved, is_at
from verify.graph import ZERO, Node, add, div, free_symbols, mul, num, size, substitute, symbol
from verify.language.read import read_expression
from verify.language.write import write
from verify.numerics.straight import NoFloat, Straight
from verify.system_claims import SystemClaim
from verify.systems import ImplicitProblem, adjoint_blocks, adjoint_names
from verify.verdict import Counterexample, Diagnosis, Evidence, Result, Rigor, Verdict

if TYPE_CHECKING:
    from verify.decide.systems.roots import Root, Roots

#: Nodes of a gradient without the adjoint that is worth printing.
LONGEST_CLOSED = 60
#: States up to which Cramer's rule is written out.
MOST_STATES = 4

AT_ROOTS = "at solutions enclosed by Krawczyk's test"
#: Solutions that are needed to support, that are enclosed at most, and relative differences that count as none.
FEWEST, MOST_ENCLOSED, TOGETHER = 3, 12, 1e-10
#: Radius of the neighbourhood of a counterexample.
AROUND = Fraction(1, 2**40)

SINGULAR = "the Jacobian of the residual is singular everywhere: f(u, p) = 0 does not determine u(p)"
NOWHERE = "no solution with an invertible Jacobian was found: the gradient is defined nowhere that was tried"

Key = tuple[str, str]


def judge(problem: ImplicitProblem, claim: SystemClaim, *, seed: int = 0) -> Iterator[SystemResult]:
    """Results, each saying more than the one before."""
    task = ImplicitTask(problem, claim, seed)
    chosen = task.convention
    parts = tuple(task.judged(key, chosen) for key in task.keys)
    if any(part.verdict is Verdict.REFUTED for part in parts):
        parts = task.reconciled(parts)
    if any(part.verdict >= Verdict.SUPPORTED for part in parts) and not task.solvable:
        parts = tuple(
            replace(part, verdict=Verdict.UNDECIDED, evidence=(), reason=NOWHERE)
            if part.verdict >= Verdict.SUPPORTED
            else part
            for part in parts
        )
    if not task.solvable and is_zero(determinant(task.costate.matrix)):
        parts = tuple(replace(part, verdict=Verdict.UNDECIDED, evidence=(), reason=SINGULAR) for part in parts)
    yield _result(task, chosen, parts)
    if any(part.verdict is Verdict.REFUTED for part in parts):
        from verify.decide.systems.implicit_slips import implicit_slip

        explained = tuple(
            replace(part, diagnosis=implicit_slip(task, key, chosen)) if part.verdict is Verdict.REFUTED else part
            for key, part in zip(task.keys, parts, strict=True)
        )
        yield _result(task, chosen, explained)


def determinant(matrix: Sequence[Sequence[Node]]) -> Node:
    """By permutations: for the few states of a formula."""
    n, terms = len(matrix), []
    for order in permutations(range(n)):
        inversions = sum(order[i] > order[j] for i in range(n) for j in range(i + 1, n))
        terms.append(mul(num((-1) ** inversions), *(matrix[i][order[i]] for i in range(n))))
    return total(terms)


def cramer(matrix: Sequence[Sequence[Node]], right: Sequence[Node]) -> tuple[Node, ...]:
    """The solution of matrix * x = right."""
    below = determinant(matrix)
    found = []
    for j in range(len(matrix)):
        replaced = [[right[i] if k == j else entry for k, entry in enumerate(row)] for i, row in enumerate(matrix)]
        found.append(tidy(div(determinant(replaced), below)))
    return tuple(found)


@dataclass
class ImplicitTask:
    """A problem, what is claimed of it, and what is right."""

    problem: ImplicitProblem
    claim: SystemClaim
    seed: int = 0

    def __post_init__(self) -> None:
        self.names = adjoint_names(self.problem)
        self.identities = Identities(self.problem.domain, {}, self.seed)
        self.keys: list[Key] = [
            *(("adjoint", str(i)) for i in range(1, len(self.claim.equations) + 1)),
            *(("gradient", name) for name in self.claim.gradient),
        ]

    @cached_property
    def costate(self) -> Costate:
        return implicit_costate(self.problem)

    def gradient(self, q: str) -> Gradient:
        return implicit_gradient(self.problem, q)

    @cached_property
    def adjoint(self) -> tuple[Node, ...]:
        """The right adjoint in u and p."""
        columns = [list(column) for column in zip(*self.costate.matrix, strict=True)]
        return cramer(columns, self.costate.final)

    @cached_property
    def untransposed(self) -> tuple[Node, ...]:
        """What comes out in its place where the Jacobian is not transposed."""
        return cramer(self.costate.matrix, self.costate.final)

    @cached_property
    def solved(self) -> tuple[Node, ...] | None:
        """The claimed adjoint in u and p, from the claimed equations; None where they do not determine it."""
        equations = self.claim.equations
        if len(equations) != len(self.names):
            return None
        differences = [add(e.lhs, mul(num(-1), e.rhs)) for e in equations]
        matrix = [gradient(d, self.names) for d in differences]
        none = {symbol(name): ZERO for name in self.names}
        if any(free_symbols(*row) & set(self.names) for row in matrix):
            return None
        below = determinant(matrix)
        if is_zero(below) or not self.identities.difference(below, ZERO) > 0:
            return None
        return cramer(matrix, [tidy(-substitute(d, none)) for d in differences])

    # --- the set of solutions ---

    @cached_property
    def signs(self) -> Signs:
        return Signs(self.identities)

    @cached_property
    def solutions(self) -> SolutionSet:
        """The residual, to be solved for parameters as far as it goes."""
        problem = self.problem
        names = (*problem.parameters, *(n for n in problem.domain.variables if n not in problem.parameters))
        return SolutionSet(problem.residual, problem.state, names, self.signs, self.seen)

    @cached_property
    def branches(self) -> tuple[Branch, ...]:
        """Those on which the Jacobian is not singular throughout."""
        below = determinant(self.costate.matrix)

        def singular(solved: Solved) -> bool:
            found = self.identities.decide(solved(below), ZERO, solved.conditions)
            return found.verdict is Verdict.PROVED

        found = []
        for branch in self.solutions.branches():
            if branch.solved is None:
                found.append(branch)
            elif kept := tuple(solved for solved in branch.solved if not singular(solved)):
                found.append(replace(branch, solved=kept))
        return tuple(found)

    @property
    def solved_branches(self) -> Iterator[Solved]:
        return (solved for branch in self.branches for solved in branch.solved or ())

    @cached_property
    def explicit(self) -> Solved | None:
        """The states as expressions in the parameters, where there is one solution."""
        found = replace(self.solutions, names=self.problem.state).branches()
        solved = found[0].solved if len(found) == 1 else None
        return solved[0] if solved is not None and len(solved) == 1 else None

    def decide(self, lhs: Node, rhs: Node) -> Result:
        """lhs = rhs where f(u, p) = 0; a refutation for independent u and p alone is UNDECIDED."""
        free = self.identities.decide(lhs, rhs)
        if free.verdict is not Verdict.REFUTED:
            return free
        found: list[Result] = []
        for branch in self.branches:
            for result in self._on_branch(branch, free, lhs, rhs):
                if result.verdict is Verdict.REFUTED:
                    return result
                found.append(result)
        if not found:
            return replace(free, verdict=Verdict.UNDECIDED, counterexample=None, evidence=(), reason=NOWHERE)
        worst = min(found, key=lambda result: result.verdict)
        return replace(worst, evidence=tuple(e for result in found for e in result.evidence))

    def _on_branch(self, branch: Branch, free: Result, lhs: Node, rhs: Node) -> Iterator[Result]:
        """lhs = rhs on the parts of a branch."""
        if branch.solved is None:
            yield self.at_roots(branch, free, lhs, rhs)
        for solved in branch.solved or ():
            found = self.identities.decide(solved(lhs), solved(rhs), solved.conditions)
            if found.verdict is Verdict.REFUTED and solved.certain:
                yield self.placed(found, solved)
            elif found.verdict is Verdict.REFUTED or (found.verdict is Verdict.PROVED and not solved.whole):
                yield self.at_roots(branch, free, lhs, rhs)
            else:
                yield found

    def placed(self, found: Result, solution: Solved) -> Result:
        """A refutation, with the names that are functions of the others among its coordinates."""
        assert found.counterexample is not None
        point = dict(found.counterexample.point)
        at = {symbol(name): read_expression(value) for name, value in point.items()}
        more = {name.value: write(tidy(substitute(value, at))) for name, value in solution.at.items()}
        more = {name: value for name, value in more.items() if not free_symbols(solution.at[symbol(name)]) - set(point)}
        return replace(found, counterexample=replace(found.counterexample, point=point | more))

    def diagnosis(self, truth: Node, formula: Node) -> Diagnosis | None:
        """What is said of a formula that should be equal to the truth where f(u, p) = 0."""
        ways: list[tuple[Node, Node, tuple[Node, ...]]] = [(truth, formula, ())]
        for solution in (self.explicit, *self.solved_branches):
            if solution is not None:
                ways.append((solution(truth), solution(formula), solution.conditions))
        found = (self.identities.diagnosis(*way) for way in ways)
        return next((each for each in found if each is not None), None)

    def at_roots(self, branch: Branch, free: Result, lhs: Node, rhs: Node) -> Result:
        """lhs = rhs at solutions that are shown to exist, on a branch that is not solved for names."""
        from verify.decide.systems.roots import values

        found = 0
        worst = 0.0
        for point, root in self.roots_of(branch):
            both = values((lhs, rhs), root, self._any_adjoint)
            if both is None:
                continue
            if not both[0].overlaps(both[1]) and (counter := self._around(point, lhs, rhs)) is not None:
                evidence = Evidence(AT_ROOTS, Rigor.ENCLOSED, False, frozenset({"arb", "Krawczyk's theorem"}))
                return replace(free, verdict=Verdict.REFUTED, counterexample=counter, evidence=(evidence,))
            scale = max(abs(float(both[0])), abs(float(both[1]))) or 1.0
            worst = max(worst, float(abs(both[0] - both[1]).upper()) / scale)
            found += 1
        if found >= FEWEST and worst < TOGETHER:
            detail = {"points": found}
            evidence = Evidence(AT_ROOTS, Rigor.ENCLOSED, True, frozenset({"arb"}), worst, TOGETHER, detail)
            return replace(free, verdict=Verdict.SUPPORTED, counterexample=None, evidence=(evidence,))
        reason = "it fails for independent u and p, and too few solutions were found to tell on them"
        return replace(free, verdict=Verdict.UNDECIDED, counterexample=None, evidence=(), reason=reason)

    def roots_of(self, branch: Branch) -> Iterator[tuple[dict[str, float], Root]]:
        """Some solutions of a branch, proven to exist."""
        points = [point for point in self.seen if is_at(branch.equations, point)]
        for point in points[:MOST_ENCLOSED]:
            root = self._roots.near(point)
            if root is not None:
                yield point, root

    @cached_property
    def _roots(self) -> Roots:
        from verify.decide.systems.roots import Roots

        return Roots(self.problem.residual, self.problem.state, self.problem.domain)

    def _around(self, point: dict[str, float], lhs: Node, rhs: Node) -> Counterexample | None:
        """The two sides near a solution, for all parameters around it, if they are apart."""
        from verify.decide.systems.roots import values

        domain = self.problem.domain.variables
        whole = any(domain[name].field == "integer" for name in point if name in domain)
        root = self._roots.near(point, Fraction(0) if whole else AROUND)
        both = None if root is None else values((lhs, rhs), root, self._any_adjoint)
        if both is None or both[0].overlaps(both[1]):
            return None
        shown = {name: f"{x:.12g}" if name in self.problem.state else str(Fraction(x)) for name, x in point.items()}
        return Counterexample(shown, both[0].str(12), both[1].str(12), "" if whole else str(AROUND))

    @cached_property
    def seen(self) -> list[dict[str, float]]:
        """Solutions at which the residual determines u(p), as floats."""
        from verify.numerics.solutions import solutions

        return solutions(self.problem, self.identities)

    @property
    def solvable(self) -> bool:
        """Whether a solution is seen at which the residual determines u(p)."""
        return bool(self.seen)

    def same(self, lhs: Node, rhs: Node) -> bool:
        """Whether the quick comparison sees no difference where f(u, p) = 0."""
        return self.identities.same(lhs, rhs) or all(self._same_on(branch, lhs, rhs) for branch in self.branches)

    @property
    def _any_adjoint(self) -> dict[str, float]:
        """Values of an adjoint that is taken as independent."""
        return {name: 0.7 + 0.31 * i for i, name in enumerate(self.names)}

    def _same_on(self, branch: Branch, lhs: Node, rhs: Node) -> bool:
        if branch.solved is not None:
            return all(self.identities.same(solved(lhs), solved(rhs)) for solved in branch.solved)
        points = [point for point in self.seen if is_at(branch.equations, point)]
        try:
            values = [Straight((lhs, rhs))({**self._any_adjoint, **point}) for point in points]
        except NoFloat:
            return False
        return bool(values) and all(abs(a - b) <= TOGETHER * max(abs(a), abs(b), 1.0) for a, b in values)

    # --- the convention ---

    @cached_property
    def convention(self) -> Convention:
        """The one in which the least of the claim fails."""
        return conventions.best(self.candidates, self.failing)

    def failing(self, convention: Convention) -> Iterator[Key]:
        """Parts that look wrong in a convention."""
        return (key for key in self.keys if not self.same(*self.pair(key, convention)))

    @cached_property
    def candidates(self) -> tuple[Convention, ...]:
        """The conventions that are tried."""
        varying = set(free_symbols(*self.adjoint, *(self.solved or ())))
        suggested = []
        if self.solved is not None:
            suggested += [conventions.ratio(a, b, varying) for a, b in zip(self.solved, self.adjoint, strict=True)]
        for name in self.claim.gradient:
            right = self.gradient(name).boundary
            none = {symbol(each): ZERO for each in self.names}
            linear = [tidy(e - substitute(e, none)) for e in (right, self.claim.gradient[name])]
            suggested.append(conventions.ratio(*linear, {*varying, *self.names}))
        told = self.solved is not None and set(self.names) <= free_symbols(*self.claim.gradient.values())
        return tuple(conventions.candidates(adjoint_blocks(self.problem), suggested, mixed=told))

    def pair(self, key: Key, convention: Convention) -> tuple[Node, Node]:
        """(claimed, right) in u and p."""
        at = {symbol(name): convention.entry(self.adjoint, i) for i, name in enumerate(self.names)}
        if key[0] == "adjoint":
            equation = self.claim.equations[int(key[1]) - 1]
            return substitute(equation.lhs, at), substitute(equation.rhs, at)
        right = self.gradient(key[1]).boundary
        plain = {symbol(name): each for name, each in zip(self.names, self.adjoint, strict=True)}
        return substitute(self.claim.gradient[key[1]], at), substitute(right, plain)

    def is_closed(self, key: Key) -> bool:
        """Whether a gradient is claimed without any adjoint."""
        claimed = self.claim.gradient.get(key[1]) if key[0] == "gradient" else None
        return claimed is not None and not free_symbols(claimed) & set(self.names)

    def closed(self, q: str) -> Node | None:
        """dG/dq without the adjoint, in the parameters alone if it is so claimed; None where that is long."""
        plain = dict(zip(map(symbol, self.names), self.adjoint, strict=True))
        if self.explicit is not None and not free_symbols(self.claim.gradient[q]) & set(self.problem.state):
            (found,) = gradient(self.explicit(self.problem.value), (q,))
        else:
            found = substitute(self.gradient(q).boundary, plain)
        found = short(found)
        return found if size(found) <= LONGEST_CLOSED else None

    # --- parts ---

    def text(self, key: Key) -> str:
        return self.claim.text.get(key, "")

    def judged(self, key: Key, convention: Convention) -> Part:
        name, text = " ".join(key), self.text(key)
        if key[0] == "adjoint":
            equation = self.claim.equations[int(key[1]) - 1]
            if not free_symbols(equation.lhs, equation.rhs) & set(self.names):
                return Part(name, text, Verdict.UNDECIDED, reason="the equation names no adjoint")
            if len(self.claim.equations) >= len(self.names) and self.solved is None:
                return Part(name, text, Verdict.UNDECIDED, reason="the equations do not determine the adjoint")
        if not convention.is_sign and not (self.claim.gradient and self.claim.equations):
            return Part(name, text, Verdict.UNDECIDED, reason=UNANCHORED)
        found = self.decide(*self.pair(key, convention))
        correction = self.correct(key, convention) if found.verdict is Verdict.REFUTED else ""
        return Part(name, text, found.verdict, found.evidence, found.counterexample, None, correction, found.reason)

    def reconciled(self, parts: tuple[Part, ...]) -> tuple[Part, ...]:
        """Equations for something else than the adjoint, with which the gradient is right, are no mistake."""
        gradients = [key for key in self.keys if key[0] == "gradient"]
        used = free_symbols(*self.claim.gradient.values())
        off = any(p.verdict is Verdict.REFUTED for k, p in zip(self.keys, parts, strict=True) if k[0] == "gradient")
        if not off or self.solved is None or not set(self.names) <= used:
            return parts
        at = dict(zip((symbol(name) for name in self.names), self.solved, strict=True))
        found = [
            self.decide(substitute(self.claim.gradient[k[1]], at), self.pair(k, self.convention)[1]) for k in gradients
        ]
        if any(result.verdict < Verdict.SUPPORTED for result in found):
            return parts
        proofs = dict(zip(gradients, found, strict=True))
        evidence = tuple(e for result in found for e in result.evidence)
        return tuple(
            Part(part.name, part.claim, proofs[key].verdict, proofs[key].evidence)
            if key in proofs
            else replace(part, verdict=Verdict.SUPPORTED, evidence=evidence, counterexample=None, correction="")
            for key, part in zip(self.keys, parts, strict=True)
        )

    def correct(self, key: Key, convention: Convention) -> str:
        """A part as it should be, in the convention of the claim."""
        if key[0] == "gradient":
            closed = self.closed(key[1]) if self.is_closed(key) else None
            return write(closed or short(convention.claimed(self.gradient(key[1]).boundary)))
        which = min(int(key[1]), len(self.names)) - 1
        left = convention.claimed(self.costate.rate[which])
        right = tidy(mul(convention.kappa, self.costate.final[which]))
        return f"{write(short(mul(convention.kappa, left)))} = {write(short(right))}"


def _result(task: ImplicitTask, convention: Convention, parts: tuple[Part, ...]) -> SystemResult:
    derived = []
    if not task.claim.equations:
        derived += [
            (f"adjoint {i}", task.correct(("adjoint", str(i)), convention)) for i in range(1, len(task.names) + 1)
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
