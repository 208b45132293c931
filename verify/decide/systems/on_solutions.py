"""Does an identity hold where f(u, p) = 0?  At every solution with an invertible Jacobian, on all of their branches.

Branches that are solved for names are decided as identities in what remains; on the others the two sides are compared
at solutions that are shown to exist.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cached_property
from typing import TYPE_CHECKING

from verify.calculus.jacobians import determinant, jacobian
from verify.calculus.tidy import tidy
from verify.decide.signs import Signs
from verify.decide.systems.identity import Identities
from verify.decide.systems.solution_set import Branch, SolutionSet, Solved, is_at
from verify.graph import ZERO, Node, free_symbols, substitute, symbol
from verify.language.read import read_expression
from verify.language.write import write
from verify.numerics.straight import NoFloat, Straight
from verify.systems import ImplicitProblem, adjoint_names
from verify.verdict import Counterexample, Diagnosis, Evidence, Result, Rigor, Verdict

if TYPE_CHECKING:
    from verify.decide.systems.roots import Root, Roots

AT_ROOTS = "at solutions enclosed by Krawczyk's test"
#: Solutions that are needed to support, that are enclosed at most, and relative differences that count as none.
FEWEST, MOST_ENCLOSED, TOGETHER = 3, 12, 1e-10
#: Radius of the neighbourhood of a counterexample.
AROUND = Fraction(1, 2**40)

SINGULAR = "the Jacobian of the residual is singular everywhere: f(u, p) = 0 does not determine u(p)"
NOWHERE = "no solution with an invertible Jacobian was found: the gradient is defined nowhere that was tried"


@dataclass
class OnSolutions:
    """Identities in u, p and an adjoint that is independent of them, on the solutions of a problem."""

    problem: ImplicitProblem
    identities: Identities

    @cached_property
    def below(self) -> Node:
        """The determinant of the Jacobian."""
        return determinant(jacobian(self.problem.residual, self.problem.state))

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

        def singular(solved: Solved) -> bool:
            found = self.identities.decide(solved(self.below), ZERO, solved.conditions)
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
        return {name: 0.7 + 0.31 * i for i, name in enumerate(adjoint_names(self.problem))}

    def _same_on(self, branch: Branch, lhs: Node, rhs: Node) -> bool:
        if branch.solved is not None:
            return all(self.identities.same(solved(lhs), solved(rhs)) for solved in branch.solved)
        points = [point for point in self.seen if is_at(branch.equations, point)]
        try:
            values = [Straight((lhs, rhs))({**self._any_adjoint, **point}) for point in points]
        except NoFloat:
            return False
        return bool(values) and all(abs(a - b) <= TOGETHER * max(abs(a), abs(b), 1.0) for a, b in values)
