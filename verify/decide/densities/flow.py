"""Are the formulas right that are claimed of a flow: log-determinant, inverse, density rate, invertibility?"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import combinations

from verify.calculus.jacobians import determinant, divergence, jacobian
from verify.calculus.maps import map_determinant, one_unit
from verify.calculus.tidy import short, tidy
from verify.decide.densities.folds import Finding
from verify.decide.densities.injective import Injectivity
from verify.decide.densities.parts import Judge, Slip, common
from verify.decide.systems.identity import Identities
from verify.decide.systems.result import Part
from verify.densities import FlowClaim, FlowProblem, images
from verify.graph import MINUS_ONE, ONE, ZERO, Node, add, call, free_symbols, mul, num, postorder, substitute, symbol
from verify.language.write import write
from verify.verdict import Diagnosis, Verdict


@dataclass
class FlowTask:
    """A flow, what is claimed of it, and what is right."""

    problem: FlowProblem
    claim: FlowClaim
    seed: int = 0

    def __post_init__(self) -> None:
        self.judge = Judge(Identities(self.problem.domain, {}, self.seed))

    @cached_property
    def jacobian(self) -> tuple[tuple[Node, ...], ...]:
        return jacobian(self.problem.field, self.problem.state)

    @cached_property
    def logdet(self) -> Node:
        """log |det dT/dz|."""
        inner = map_determinant(self.problem.map, self.problem.state)
        if inner.op == "num" and abs(inner.value) == 1:
            return ZERO
        return call("log", call("abs", inner))

    @cached_property
    def dlogp(self) -> Node:
        """-div f."""
        return short(mul(MINUS_ONE, divergence(self.problem.field, self.problem.state)))

    @cached_property
    def injectivity(self) -> Injectivity:
        return Injectivity(self.problem, self.judge, self.claim.inverse)

    @cached_property
    def one_to_one(self) -> Finding:
        return self.injectivity.found()

    @cached_property
    def inverse(self) -> tuple[Node, ...] | None:
        """z in x1, x2, … where that is found in closed form, and proved."""
        return replace(self.injectivity, inverse=()).composed() if self.problem.map else None

    # --- parts ---

    def parts(self) -> Iterator[Part]:
        """Each part of the claim with its verdict."""
        claim, text = self.claim, self.claim.text
        if claim.logdet is not None:
            yield self.judge.part("logdet", text.get("logdet", ""), self.logdet, claim.logdet, self._logdet_slips())
        if claim.dlogp is not None:
            yield self.judge.part("dlogp", text.get("dlogp", ""), self.dlogp, claim.dlogp, self._rate_slips())
        for i in range(len(claim.inverse)):
            yield self._inverse_part(i)
        if claim.invertible is not None:
            yield self._invertible_part(claim.invertible)

    def _inverse_part(self, i: int) -> Part:
        """S(T(z)) = z at every z of the domain at which T has a value."""
        z, claimed = self.problem.state[i], self.claim.inverse[i]
        at = {symbol(x): entry for x, entry in zip(images(self.problem), self.problem.map, strict=True)}
        text = self.claim.text.get(f"inverse {z}", "")
        found = self.judge.decided(symbol(z), substitute(claimed, at), self.problem.map)
        part = Part(f"inverse {z}", text, found.verdict, found.evidence, found.counterexample, reason=found.reason)
        if found.verdict is not Verdict.REFUTED:
            return part
        if self.inverse is None:
            full = self.judge.identities.decide(symbol(z), substitute(claimed, at), stop="never")
            why = "it is not one-to-one" if self.one_to_one.holds is False else "none was found in closed form"
            return replace(part, diagnosis=found.diagnosis or full.diagnosis, correction=f"({why})")
        right = self.inverse[i]
        slips = [*self._other_entries(i), *common(right, "the inverse")]
        explained = self.judge.part("", "", right, claimed, slips, write(short(right)))
        return replace(part, diagnosis=found.diagnosis or explained.diagnosis, correction=write(short(right)))

    def _other_entries(self, i: int) -> Iterator[Slip]:
        if self.inverse is None:
            return
        for j, name in enumerate(self.problem.state):
            if j != i:
                yield Slip("swap", f"this is {name}", self.inverse[j])
        at = {symbol(z): symbol(x) for z, x in zip(self.problem.state, images(self.problem), strict=True)}
        yield Slip("function", "this is the map itself", substitute(self.problem.map[i], at))

    def _invertible_part(self, claimed: bool) -> Part:
        """Whether the map is one-to-one for all parameters, as is claimed, or not for some."""
        found, text = self.one_to_one, self.claim.text.get("invertible", "")
        if found.holds is None:
            return Part("invertible", text, Verdict.UNDECIDED, reason=found.says)
        if found.holds == claimed:
            evidence = tuple(replace(e, holds=True) for e in found.evidence)
            return Part("invertible", text, Verdict.PROVED, evidence, reason="" if claimed else found.says)
        evidence = tuple(replace(e, holds=False) for e in found.evidence)
        right = str(found.holds).lower()
        diagnosis = Diagnosis("domain", found.says, Verdict.PROVED)
        return Part("invertible", text, Verdict.REFUTED, evidence, found.counterexample, diagnosis, right)

    # --- slips ---

    def _logdet_slips(self) -> Iterator[Slip]:
        right = self.logdet
        inner = determinant(self.jacobian)
        size = call("abs", inner)
        yield Slip("sign", "this is the log-determinant of the inverse, or what log p gains", tidy(-right))
        yield Slip("function", "the logarithm is missing", size)
        yield Slip("function", "the logarithm is missing", inner)
        diagonal = [self.jacobian[i][i] for i in range(len(self.jacobian))]
        yield Slip("missing-term", "the determinant is taken for the product of its diagonal",
                   call("log", call("abs", mul(*diagonal) if len(diagonal) > 1 else diagonal[0])))  # fmt: skip
        yield Slip("function", "this is the trace of dT/dz", tidy(add(ZERO, *diagonal)))
        excess = [tidy(entry - ONE) for entry in diagonal]
        yield Slip("function", "this is the trace of dT/dz - 1, its first order", tidy(add(ZERO, *excess)))
        if len(self.jacobian) == 2:
            (a, b), (c, d) = self.jacobian
            yield Slip("sign", "the minor diagonal has the wrong sign", call("log", call("abs", tidy(a * d + b * c))))
        yield from self._unit_slips()
        yield from common(right, "the log-determinant")

    def _unit_slips(self) -> Iterator[Slip]:
        """1 + h'(a) c of one hidden unit, with another slope or another sum."""
        unit = one_unit(self.problem.map, self.problem.state)
        found = unit.parts() if unit else None
        if unit is None or found is None:
            return
        slope, c = found

        def changed(slope: Node, c: Node) -> Node:
            return call("log", call("abs", add(ONE, mul(slope, c))))

        yield Slip("missing-factor", f"the slope {write(slope)} is missing", changed(ONE, c))
        yield Slip("power", f"the slope {write(slope)} is squared", changed(slope**2, c))
        yield Slip("sign", "the second term of the determinant has the wrong sign", changed(slope, -c))
        inner = [n for n in postorder(*self.problem.map) if n.op == "call"]
        for h in dict.fromkeys(inner):
            yield Slip("function", f"{write(h)} stands for its slope", changed(h, c))
        names = sorted(free_symbols(c))
        for a, b in combinations(map(symbol, names), 2):
            says = f"{write(a)} and {write(b)} are exchanged in the sum"
            yield Slip("swap", says, changed(slope, substitute(c, {a: b, b: a})))

    def _rate_slips(self) -> Iterator[Slip]:
        right, n = self.dlogp, len(self.problem.state)
        yield Slip("sign", "this is div f, by which log |det dz(t)/dz(0)| grows", tidy(-right))
        diagonal = [self.jacobian[i][i] for i in range(n)]
        for i, z in enumerate(self.problem.state):
            rest = [entry for j, entry in enumerate(diagonal) if j != i]
            for sign in (-1, 1) if rest else ():
                formula = tidy(mul(num(sign), add(ZERO, *rest)))
                yield Slip("missing-term", f"the derivative by {z} is missing", formula)
        whole = [entry for row in self.jacobian for entry in row]
        other = [self.jacobian[i][n - 1 - i] for i in range(n)]
        for sign in (-1, 1):
            yield Slip("transpose", "entries beside the diagonal stand for those on it",
                       tidy(mul(num(sign), add(ZERO, *other))))  # fmt: skip
            yield Slip("missing-term", "all entries of the Jacobian are summed, not its diagonal",
                       tidy(mul(num(sign), add(ZERO, *whole))))  # fmt: skip
        yield from common(right, "the rate")

    # --- what is not claimed ---

    def notes(self) -> Iterator[str]:
        """What a careful reader should know."""
        yield from ()

    def derived(self) -> Iterator[tuple[str, str]]:
        claim = self.claim
        if self.problem.rhs:
            if claim.dlogp is None:
                yield "dlogp", write(self.dlogp)
            return
        if claim.logdet is None:
            yield "logdet", write(self.logdet)
        if not claim.inverse and self.inverse is not None:
            for z, entry in zip(self.problem.state, self.inverse, strict=True):
                yield f"inverse {z}", write(short(entry))

    def story(self) -> Iterator[str]:
        """The derivation, line by line."""
        state, field = self.problem.state, self.problem.field
        yield "Problem"
        if self.problem.rhs:
            yield from (f"  {z}' = {write(f)}" for z, f in zip(state, field, strict=True))
            yield ""
            yield "The density p(z, t) of points that move with the flow obeys p_t + div(p f) = 0; along a path"
            yield "  d/dt log p(z(t), t) = p_t/p + f . grad log p = -div f"
            yield ""
            yield "Density rate"
            yield from (f"  d/d{z} of {z}' = {write(short(self.jacobian[i][i]))}" for i, z in enumerate(state))
            yield f"  d/dt log p = {write(self.dlogp)}"
            return
        yield from (f"  {x} = {write(f)}" for x, f in zip(images(self.problem), field, strict=True))
        yield ""
        yield "Jacobian"
        for x, row in zip(images(self.problem), self.jacobian, strict=True):
            yield f"  d{x}/d({', '.join(state)}) = {', '.join(write(short(entry)) for entry in row)}"
        yield ""
        yield "Log-determinant: log p(T(z)) = log p(z) - log |det dT/dz|"
        yield f"  log |det dT/dz| = {write(self.logdet)}"
        yield ""
        yield "Inverse"
        if self.inverse is None:
            yield "  none was found in closed form"
        else:
            yield from (f"  {z} = {write(short(s))}" for z, s in zip(state, self.inverse, strict=True))
        found = self.one_to_one
        says = {True: "one-to-one on its domain", False: "not one-to-one on its domain", None: "not settled"}
        yield f"  {says[found.holds]}: {found.says}"
