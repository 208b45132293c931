"""Is a claimed adjoint system of f(u, p) = 0 right?  Identities on the set of solutions, all of them exact.

The adjoint is an explicit function of u and p (Cramer's rule), so every part is an identity in u and p.  Where it fails
for independent u and p, it need only hold where f(u, p) = 0: the residuals are solved for names in which they are
linear, and the identity is decided on what remains.  It must hold at all solutions of the domain at which the Jacobian
is invertible, whichever of their branches they are on.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property

from verify.calculus.costate import Costate, Gradient, implicit_costate, implicit_gradient
from verify.calculus.jacobians import cramer, determinant, jacobian
from verify.calculus.reverse import gradient
from verify.calculus.tidy import is_zero, short, tidy
from verify.decide.systems import convention as conventions
from verify.decide.systems.convention import UNANCHORED, Convention
from verify.decide.systems.identity import Identities
from verify.decide.systems.on_solutions import NOWHERE, SINGULAR, OnSolutions
from verify.decide.systems.result import Part, SystemResult, overall
from verify.graph import ZERO, Node, add, free_symbols, mul, num, size, substitute, symbol
from verify.language.write import write
from verify.system_claims import SystemClaim
from verify.systems import ImplicitProblem, adjoint_blocks, adjoint_names
from verify.verdict import Verdict

#: Nodes of a gradient without the adjoint that is worth printing.
LONGEST_CLOSED = 60

Key = tuple[str, str]


def judge(problem: ImplicitProblem, claim: SystemClaim, *, seed: int = 0) -> Iterator[SystemResult]:
    """Results, each saying more than the one before."""
    task = ImplicitTask(problem, claim, seed)
    chosen = task.convention
    parts = tuple(task.judged(key, chosen) for key in task.keys)
    if any(part.verdict is Verdict.REFUTED for part in parts):
        parts = task.reconciled(parts)
    if any(part.verdict >= Verdict.SUPPORTED for part in parts) and not task.on.solvable:
        parts = tuple(
            replace(part, verdict=Verdict.UNDECIDED, evidence=(), reason=NOWHERE)
            if part.verdict >= Verdict.SUPPORTED
            else part
            for part in parts
        )
    if not task.on.solvable and is_zero(task.on.below):
        parts = tuple(replace(part, verdict=Verdict.UNDECIDED, evidence=(), reason=SINGULAR) for part in parts)
    yield _result(task, chosen, parts)
    if any(part.verdict is Verdict.REFUTED for part in parts):
        from verify.decide.systems.implicit_slips import implicit_slip

        explained = tuple(
            replace(part, diagnosis=implicit_slip(task, key, chosen)) if part.verdict is Verdict.REFUTED else part
            for key, part in zip(task.keys, parts, strict=True)
        )
        yield _result(task, chosen, explained)


@dataclass
class ImplicitTask:
    """A problem, what is claimed of it, and what is right."""

    problem: ImplicitProblem
    claim: SystemClaim
    seed: int = 0

    def __post_init__(self) -> None:
        self.names = adjoint_names(self.problem)
        self.identities = Identities(self.problem.domain, {}, self.seed)
        self.on = OnSolutions(self.problem, self.identities)
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
        return cramer(tuple(zip(*self.costate.matrix, strict=True)), self.costate.final)

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
        matrix = jacobian(differences, self.names)
        none = {symbol(name): ZERO for name in self.names}
        if any(free_symbols(*row) & set(self.names) for row in matrix):
            return None
        below = determinant(matrix)
        if is_zero(below) or not self.identities.difference(below, ZERO) > 0:
            return None
        return cramer(matrix, [tidy(-substitute(d, none)) for d in differences])

    # --- the convention ---

    @cached_property
    def convention(self) -> Convention:
        """The one in which the least of the claim fails."""
        return conventions.best(self.candidates, self.failing)

    def failing(self, convention: Convention) -> Iterator[Key]:
        """Parts that look wrong in a convention."""
        return (key for key in self.keys if not self.on.same(*self.pair(key, convention)))

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
        if self.on.explicit is not None and not free_symbols(self.claim.gradient[q]) & set(self.problem.state):
            (found,) = gradient(self.on.explicit(self.problem.value), (q,))
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
        found = self.on.decide(*self.pair(key, convention))
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
            self.on.decide(substitute(self.claim.gradient[k[1]], at), self.pair(k, self.convention)[1])
            for k in gradients
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
