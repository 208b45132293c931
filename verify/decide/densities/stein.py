"""Are the formulas right that are claimed of a density: score, Stein identity, kernel of the discrepancy, integral?"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cached_property
from itertools import product

from verify.calculus.reverse import gradient
from verify.calculus.tidy import scaled, short, tidy
from verify.decide.densities.means import INFINITE, Means, density, shown
from verify.decide.densities.operators import NoOperator, Operator
from verify.decide.densities.parts import Judge, Slip, common, jumps, swapped
from verify.decide.prove.tower import GiveUp
from verify.decide.systems.identity import Identities
from verify.decide.systems.result import Part
from verify.densities import SteinClaim, SteinProblem, second_arguments
from verify.graph import MINUS_ONE, ONE, ZERO, Node, add, div, free_symbols, mul, postorder, substitute, symbol
from verify.language.write import write
from verify.verdict import Diagnosis, Result, Verdict

IN_THE_CLASS = "for every f for which p f, times what stands before f', has the same limits at the ends"
_JUMP = "the density, or a factor before a derivative of f, may jump: parts are not integrated"
_SINGULAR = "a coefficient was not shown to be finite on the whole support"


@dataclass
class SteinTask:
    """A density, what is claimed of it, and what is right."""

    problem: SteinProblem
    claim: SteinClaim
    seed: int = 0

    def __post_init__(self) -> None:
        domain = self.problem.domain
        self.pairs = dict(zip(self.problem.variables, second_arguments(self.problem), strict=True))
        at = {symbol(x): symbol(y) for x, y in self.pairs.items()}
        ranges = {y: replace(domain.variables[x], name=y) for x, y in self.pairs.items()}
        moved = tuple(substitute(c, at) for c in domain.conditions if free_symbols(c) & set(self.pairs))
        self.judge = Judge(Identities(domain, {}, self.seed))
        both = replace(domain, variables={**domain.variables, **ranges}, conditions=(*domain.conditions, *moved))
        self.judge_of_pairs = Judge(Identities(both, {}, self.seed))

    @cached_property
    def score(self) -> tuple[Node, ...]:
        """grad log p, entry by entry."""
        return tuple(short(s) for s in gradient(self.problem.log_density, self.problem.variables))

    @cached_property
    def means(self) -> Means:
        return Means(self.problem, self.judge.identities, self.judge.signs)

    @cached_property
    def ksd_terms(self) -> tuple[Node, Node, Node, Node]:
        """s(x) k s(y), s(x) d_y k, d_x k s(y), d_x d_y k, each summed over the variables."""
        kernel = self.claim.kernel
        assert kernel is not None
        at = {symbol(x): symbol(y) for x, y in self.pairs.items()}
        first = gradient(kernel, list(self.pairs))
        second = gradient(kernel, list(self.pairs.values()))
        mixed = [gradient(k, (y,))[0] for k, y in zip(first, self.pairs.values(), strict=True)]
        other = [substitute(s, at) for s in self.score]
        sums: tuple[list[Node], ...] = ([], [], [], [])
        for s, t, k_x, k_y, k_xy in zip(self.score, other, first, second, mixed, strict=True):
            for terms, each in zip(sums, (mul(s, kernel, t), mul(s, k_y), mul(k_x, t), k_xy), strict=True):
                terms.append(each)
        found = [tidy(add(ZERO, *terms)) for terms in sums]
        return found[0], found[1], found[2], found[3]

    @cached_property
    def ksd(self) -> Node:
        """u(x, y)."""
        return tidy(add(ZERO, *self.ksd_terms))

    @cached_property
    def short_ksd(self) -> Node:
        """u(x, y), with the kernel taken out where that is shorter."""
        kernel = self.claim.kernel
        assert kernel is not None
        terms = [part for term in self.ksd_terms for part in (term.args if term.op == "add" else (term,))]
        inner = short(add(ZERO, *(tidy(div(term, kernel)) for term in terms)))
        return min((short(self.ksd), mul(kernel, inner)), key=lambda node: len(write(node)))

    # --- parts ---

    def parts(self) -> Iterator[Part]:
        """Each part of the claim with its verdict."""
        claim, text = self.claim, self.claim.text
        for i, (x, claimed) in enumerate(zip(self.problem.variables, claim.score, strict=False)):
            yield self.judge.part(
                f"score {x}", text.get(f"score {x}", ""), self.score[i], claimed, self._score_slips(i)
            )
        if claim.ksd is not None:
            right = write(self.short_ksd)
            yield self.judge_of_pairs.part("ksd", text.get("ksd", ""), self.ksd, claim.ksd, self._ksd_slips(), right)
        if claim.normalised:
            yield self._normalised()
        for i, node in enumerate(claim.identity, start=1):
            name = "identity" if len(claim.identity) == 1 else f"identity {i}"
            yield from self._identity(name, text.get(name, ""), node)

    def _normalised(self) -> Part:
        try:
            found = self.means.normalised()
        except (GiveUp, ValueError) as reason:
            return Part("normalised", "true", Verdict.UNDECIDED, reason=str(reason))
        part = Part("normalised", "true", found.verdict, found.evidence, shown(found, self.problem.variables))
        if found.verdict is Verdict.REFUTED:
            says = "the integral of exp(log_density) is not 1"
            return replace(part, diagnosis=Diagnosis("factor", says, Verdict.PROVED), correction="false")
        return replace(part, reason=found.reason)

    # --- operators ---

    def _identity(self, name: str, text: str, node: Node) -> Iterator[Part]:
        functions = [(f"{name} at {self._function_text(f)}", f) for f in self.claim.functions] or [(name, ())]
        try:
            operator = Operator.of(node, self.problem.variables)
            residuals = self._residuals(operator)
        except (NoOperator, GiveUp) as reason:
            for each, _ in functions:
                yield Part(each, text, Verdict.UNDECIDED, reason=str(reason))
            return
        if not self.claim.functions:
            yield self._for_all(name, text, operator, residuals)
            return
        exact = all(found.verdict is Verdict.PROVED for found in residuals.values())
        for each, function in functions:
            yield self._at(each, text, operator, exact, function)

    def _function_text(self, function: tuple[Node, ...]) -> str:
        written = ", ".join(map(write, function))
        return f"f = {written}" if len(function) == 1 else f"f = ({written})"

    def _residuals(self, operator: Operator) -> dict[str, Result]:
        """For each test function, whether the factor before it is the one that is wanted."""
        identities = self.judge.identities
        return {
            f: identities.decide(operator.wanted(f, self.score), operator.coefficient(f, operator.plain))
            for f in operator.functions
        }

    def _for_all(self, name: str, text: str, operator: Operator, residuals: Mapping[str, Result]) -> Part:
        """R = 0, which bumps around any point need, and which is enough in the Stein class."""
        worst = min(residuals.values(), key=lambda found: found.verdict)
        if worst.verdict is Verdict.REFUTED:
            counter = swapped(worst).counterexample
            reason = "there, what stands before f itself is not what integration by parts needs"
            part = Part(name, text, worst.verdict, worst.evidence, counter, reason=reason)
            return replace(part, diagnosis=self._operator_slip(operator), correction=self._mended(operator))
        if self.means.is_infinite:
            return Part(name, text, Verdict.UNDECIDED, reason=INFINITE)
        smooth = [a for (_, orders), a in operator.coefficients.items() if any(orders)]
        if jumps(self.problem.log_density, *smooth):
            return Part(name, text, Verdict.UNDECIDED, reason=_JUMP)
        if not self.judge.signs.smooth(self.problem.log_density, *smooth):
            return Part(name, text, min(worst.verdict, Verdict.UNDECIDED), reason=_SINGULAR)
        evidence = tuple(e for found in residuals.values() for e in found.evidence)
        return Part(name, text, worst.verdict, evidence)

    def _at(self, name: str, text: str, operator: Operator, exact: bool, function: tuple[Node, ...]) -> Part:
        """E_p[A f] = 0 for one f."""
        names = ("f",) if len(function) == 1 else [f"f{i}" for i in range(1, len(function) + 1)]
        at = dict(zip(names, function, strict=True))
        if missing := [f for f in operator.functions if f not in at]:
            return Part(name, text, Verdict.UNDECIDED, reason=f"no function is given for {missing[0]}")
        try:
            found = self.means.vanishes(operator, exact, at)
        except (GiveUp, ValueError) as reason:
            return Part(name, text, Verdict.UNDECIDED, reason=str(reason))
        part = Part(
            name, text, found.verdict, found.evidence, shown(found, self.problem.variables), reason=found.reason
        )
        if found.verdict is not Verdict.REFUTED:
            return part
        if exact:
            says = found.reason or "p f leaves something at the ends of the support"
            return replace(part, diagnosis=Diagnosis("boundary", says, Verdict.PROVED), reason="",
                           correction="an f for which p f is equal at both ends")  # fmt: skip
        return replace(part, diagnosis=self._operator_slip(operator), correction=self._mended(operator))

    def _mended(self, operator: Operator) -> str:
        """The operator with what is wanted before f; the usual one where f is not differentiated."""
        if not operator.order:
            return self._usual().text()
        return operator.with_plain({f: operator.wanted(f, self.score) for f in operator.functions}).text()

    def _usual(self) -> Operator:
        """s f + f' in one variable, s . f + div f in several."""
        n = len(self.problem.variables)
        found: dict[tuple[str, tuple[int, ...]], Node] = {}
        for i, s in enumerate(self.score):
            name = "f" if n == 1 else f"f{i + 1}"
            found[name, tuple(int(k == i) for k in range(n))] = ONE
            found[name, (0,) * n] = s
        return Operator(self.problem.variables, found)

    def _operator_slip(self, operator: Operator) -> Diagnosis | None:
        """What was done to the factors before f, or to the derivatives."""
        identities = self.judge.identities
        wanted = {f: operator.wanted(f, self.score) for f in operator.functions}
        plain = {f: operator.coefficient(f, operator.plain) for f in operator.functions}
        if not operator.order:
            return Diagnosis("missing-term", "the derivative of f is missing", Verdict.PROVED)
        if len(self.problem.variables) > 1:
            other = operator.exchanged()
            if all(
                identities.same(other.wanted(f, self.score), other.coefficient(f, other.plain)) for f in other.functions
            ):
                return Diagnosis("transpose", "the Jacobian of f is not transposed", Verdict.SUPPORTED)
        for f in operator.functions:
            if identities.same(wanted[f], plain[f]):
                continue
            slips = [
                Slip("missing-term", f"the term with {f} itself is missing", ZERO),
                Slip("sign", f"the term with {f} itself has the wrong sign", tidy(mul(MINUS_ONE, wanted[f]))),
                Slip("missing-term", f"the derivative of what stands before {f}' is missing",
                     self._undifferentiated(operator, f)),
                *common(wanted[f], f"the factor before {f}"),
            ]  # fmt: skip
            found = self.judge.explained(plain[f], slips)
            if found is None:
                found = identities.decide(wanted[f], plain[f], stop="never").diagnosis
            return found
        return None

    def _undifferentiated(self, operator: Operator, f: str) -> Node:
        """The score times what stands before the first derivatives, its own derivative forgotten."""
        terms = [
            mul(self.score[orders.index(1)], a)
            for (name, orders), a in operator.coefficients.items()
            if name == f and sum(orders) == 1
        ]
        return tidy(add(ZERO, *terms))

    # --- slips ---

    def _score_slips(self, i: int) -> Iterator[Slip]:
        right, x = self.score[i], self.problem.variables[i]
        yield Slip("sign", "the score has the wrong sign", tidy(mul(MINUS_ONE, right)))
        for j, other in enumerate(self.problem.variables):
            if j != i:
                yield Slip("swap", f"this is the derivative by {other}", self.score[j])
        yield Slip("missing-factor", f"this is the derivative of the density by {x}, not of its logarithm",
                   mul(density(self.problem.log_density), right))  # fmt: skip
        yield Slip("function", "this is the log-density itself", self.problem.log_density)
        yield from common(right, "the score")

    def _ksd_slips(self) -> Iterator[Slip]:
        terms = self.ksd_terms
        words = ("s(x) k s(y)", "s(x) d_y k", "d_x k s(y)", "the trace of d_x d_y k")
        for i, c in product(range(4), map(Fraction, ("0", "-1", "2", "1/2"))):
            formula = tidy(add(ZERO, *(scaled(c, t) if j == i else t for j, t in enumerate(terms))))
            slip = "missing-term" if not c else "sign" if c < 0 else "factor"
            fate = "is missing" if not c else "has the wrong sign" if c < 0 else f"is {c} times what it must be"
            yield Slip(slip, f"the term {words[i]} {fate}", formula)
        first, second, third, last = terms
        yield Slip("sign", "both terms with one derivative have the wrong sign", tidy(first - second - third + last))
        yield Slip("missing-term", "both terms with one derivative are missing", tidy(first + last))
        yield Slip("missing-term", "only s(x) k s(y) is left", first)
        n = len(self.problem.variables)
        if n > 1:
            yield Slip("factor", f"the trace is taken {n} times", tidy(first + second + third + n * last))
        at = {symbol(y): symbol(x) for x, y in self.pairs.items()}
        swapped = {symbol(x): symbol(y) for x, y in self.pairs.items()} | at
        yield Slip("swap", "s(x) and s(y) are exchanged in the terms with one derivative",
                   tidy(first + self._exchanged(swapped) + last))  # fmt: skip
        yield from common(self.ksd, "u(x, y)")

    def _exchanged(self, swapped: Mapping[Node, Node]) -> Node:
        """s(y) d_y k + d_x k s(x)."""
        kernel = self.claim.kernel
        assert kernel is not None
        first = gradient(kernel, list(self.pairs))
        second = gradient(kernel, list(self.pairs.values()))
        terms = [
            add(mul(substitute(s, swapped), k_y), mul(k_x, s))
            for s, k_x, k_y in zip(self.score, first, second, strict=True)
        ]
        return tidy(add(ZERO, *terms))

    # --- what is not claimed ---

    def derived(self) -> Iterator[tuple[str, str]]:
        if not self.claim.score:
            yield from ((f"score {x}", write(s)) for x, s in zip(self.problem.variables, self.score, strict=True))
        if not self.claim.identity:
            yield "identity", self._usual().text()
        if self.claim.kernel is not None and self.claim.ksd is None:
            yield "ksd", write(self.short_ksd)

    def notes(self) -> Iterator[str]:
        """What the verdicts take for granted, and where a kernel leaves the theory."""
        if self.claim.identity and not self.claim.functions:
            yield f"the identity is judged {IN_THE_CLASS}"
        kernel = self.claim.kernel
        if kernel is None:
            return
        swapped = {symbol(x): symbol(y) for x, y in self.pairs.items()}
        swapped |= {y: x for x, y in swapped.items()}
        if self.judge_of_pairs.identities.decide(kernel, substitute(kernel, swapped)).verdict is Verdict.REFUTED:
            yield "the kernel is not symmetric: k(x, y) is not k(y, x)"
        if any(n.op == "call" and n.value in ("abs", "max", "min") for n in postorder(kernel)):
            yield "the kernel has a kink: where x = y, d_x d_y k may hold a point mass that u(x, y) does not show"
        if not self.means.whole:
            yield "the discrepancy is the mean of u(x, y) only if p(x) k(x, y) vanishes at the ends of the support"

    def story(self) -> Iterator[str]:
        """The derivation, line by line."""
        variables = self.problem.variables
        yield "Problem"
        yield f"  log p = {write(self.problem.log_density)} + a constant"
        yield ""
        yield "Score, which needs no constant"
        yield from (f"  d/d{x} log p = {write(s)}" for x, s in zip(variables, self.score, strict=True))
        yield ""
        yield "Stein's identity: p (s f + f') = (p f)', so its integral is what p f leaves at the ends of the support"
        yield f"  0 = E[{self._usual().text()}] where that is nothing"
        if self.claim.kernel is not None:
            yield ""
            yield "Kernel of the discrepancy, the operator applied to k in both of its arguments"
            yield f"  k = {write(self.claim.kernel)}"
            for words, term in zip(("s k s", "s d_y k", "d_x k s", "d_x d_y k"), self.ksd_terms, strict=True):
                yield f"  {words} = {write(short(term))}"
            yield f"  u = {write(self.short_ksd)}"
