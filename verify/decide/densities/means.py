"""Is the mean of A f zero for a given f, and does a density integrate to one?

boundary   p A f is a divergence: what its flux leaves at the ends, by proved limits
moments    of a normal density, in closed form
integral   one variable, or a product of densities in one variable each: enclosed, and proved where it has a value
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from verify.calculus.jacobians import jacobian
from verify.calculus.reverse import gradient
from verify.calculus.tidy import expanded, short, tidy
from verify.claim import Claim, Domain, Variable
from verify.decide import stages
from verify.decide.densities.boundary import Ends, difference, ends_of, zero_at_both
from verify.decide.densities.gaussian import Gaussian, gaussian
from verify.decide.densities.operators import Operator
from verify.decide.densities.parts import jumps
from verify.decide.enclose.jets import NoValue
from verify.decide.prove.tower import GiveUp
from verify.decide.signs import Signs
from verify.decide.systems.identity import Identities
from verify.densities import SteinProblem
from verify.graph import (
    ONE,
    ZERO,
    Node,
    add,
    call,
    constant,
    free_symbols,
    fresh_name,
    integral,
    mul,
    neg,
    postorder,
    power,
    substitute,
    symbol,
)
from verify.language.bridge import NoCounterpart
from verify.language.write import write
from verify.verdict import Counterexample, Evidence, Result, Rigor, Verdict

_OO = constant("oo")
#: Functions that are bounded on the real line.
BOUNDED = frozenset({"sin", "cos", "tanh", "erf", "atan", "sech"})
INFINITE = "the integral of exp(log_density) is infinite: this is no density"
NO_MEANS = "means in several variables are known of normal densities, and of products of densities in one variable"


@dataclass
class Means:
    """Means under one density."""

    problem: SteinProblem
    identities: Identities
    signs: Signs

    @cached_property
    def ends(self) -> dict[str, tuple[Node | None, Node | None]]:
        return ends_of(self.identities.domain, self.problem.variables)

    @cached_property
    def whole(self) -> bool:
        """Whether the support is known to be the whole space."""
        return not any(
            v.low is not None or v.high is not None for v in map(self.identities.variable, self.problem.variables)
        ) and not free_symbols(*self.identities.domain.conditions) & set(self.problem.variables)

    @cached_property
    def normal(self) -> Gaussian | None:
        return gaussian(self.problem.log_density, self.problem.variables, self.signs) if self.whole else None

    @cached_property
    def factors(self) -> dict[str, Node] | None:
        """For each variable its part of the density, the first one with the constant; None where they are mixed."""
        terms = expanded(self.problem.log_density) or ()
        own: dict[str, list[Node]] = {x: [] for x in self.problem.variables}
        for term in terms:
            inside = [x for x in own if x in free_symbols(term)]
            if len(inside) > 1:
                return None
            own[inside[0] if inside else self.problem.variables[0]].append(term)
        moving = any(free_symbols(end) & set(own) for pair in self.ends.values() for end in pair if end is not None)
        return None if moving or not terms else {x: density(add(ZERO, *parts)) for x, parts in own.items()}

    def over(self, body: Node, x: str) -> Node:
        """The integral over the support of a variable."""
        low, high = self.ends[x]
        return integral(body, x, neg(_OO) if low is None else low, _OO if high is None else high)

    @cached_property
    def is_infinite(self) -> bool:
        """Whether exp(log_density) is known to have no finite integral."""
        if len(self.problem.variables) > 1:
            return False
        (x,) = self.problem.variables
        try:
            return Ends.of(self.identities.domain, self.ends).diverges(density(self.problem.log_density), x)
        except (NoCounterpart, ValueError, TypeError, NotImplementedError):
            return False

    # --- the mean of A f ---

    def vanishes(self, operator: Operator, exact: bool, at: Mapping[str, Node]) -> Result:
        """The verdict on E_p[A f] = 0.

        exact   whether R = 0 is proved, so that p A f is the divergence of p times the operator's flux.
        """
        if self.ends and self.is_infinite:
            return _open(INFINITE)
        applied = tidy(operator.applied(at))
        if not exact and operator.order == 1:
            applied = self._beyond_parts(operator, at) or applied
        if exact and operator.order == 1 and (found := self._by_the_ends(operator, applied, at)) is not None:
            return found
        if self.normal is not None and (mean := self.normal.mean_of(applied)) is not None:
            return self._named(self.identities.decide(mean, ZERO), "moments of the normal law")
        return self._integrated(applied, ZERO)

    def _beyond_parts(self, operator: Operator, at: Mapping[str, Node]) -> Node | None:
        """What has the same mean as A f and no derivative in it, where the rest of A f is shown to have mean 0."""
        score = gradient(self.problem.log_density, self.problem.variables)
        wanted = {f: operator.wanted(f, score) for f in operator.functions}
        right = operator.with_plain(wanted)
        found = self._by_the_ends(right, tidy(right.applied(at)), at)
        if found is None or found.verdict is not Verdict.PROVED:
            return None
        more = {f: short(operator.coefficient(f, operator.plain) - wanted[f]) for f in operator.functions}
        return tidy(add(ZERO, *(mul(each, at[f]) for f, each in more.items())))

    def _by_the_ends(self, operator: Operator, applied: Node, at: Mapping[str, Node]) -> Result | None:
        """By what the flux leaves, where limits and integrals are proved; None where they are not."""
        variables, p = self.problem.variables, density(self.problem.log_density)
        flux = operator.flux(at)
        if jumps(self.problem.log_density, *flux) or not self.signs.smooth(*flux) or not self._smooth_inside():
            return None
        try:
            if len(variables) == 1:
                return self._one_variable(mul(p, flux[0]), mul(p, applied))
            if self.normal is not None:
                name = "c_0"
                domain = Domain({**self.identities.domain.variables, name: Variable(name, low=ZERO)})
                ends = Ends.of(domain, self.ends)
                bound = mul(*(call("exp", neg(mul(symbol(name), power(symbol(x), ONE + ONE)))) for x in variables))
            elif self.factors is not None:
                ends, bound = Ends.of(self.identities.domain, self.ends), mul(*self.factors.values())
            else:
                return None
            parts, free = self._bounded((ONE, *self._slopes(operator, at), *flux))
            ends = replace(ends, symbols={**ends.symbols, **free})
            slopes, flux = parts[: len(variables) + 1], parts[len(variables) + 1 :]
            if not all(ends.products_integrable(mul(s, bound), variables) for s in slopes if s is not ZERO):
                return None
            sides = [(f, x) for f, x in zip(flux, variables, strict=True) if f is not ZERO]
            if all(zero_at_both(ends.limits(mul(f, bound), x)) for f, x in sides):
                return _proved("p f vanishes at the ends of every variable, and all terms are integrable")
        except (NoCounterpart, GiveUp, ValueError, TypeError, NotImplementedError):
            return None
        return None

    def _slopes(self, operator: Operator, at: Mapping[str, Node]) -> list[Node]:
        """(1/p) d_i (p F_i) for each variable: each must have an integral of its own."""
        score = gradient(self.problem.log_density, self.problem.variables)
        flux = operator.flux(at)
        own = jacobian(flux, self.problem.variables)
        return [tidy(own[i][i] + s * f) for i, (s, f) in enumerate(zip(score, flux, strict=True))]

    def _bounded(self, nodes: Sequence[Node]) -> tuple[list[Node], dict[str, Any]]:
        """What is bounded and mixes variables as positive numbers, one for each, which bounds every term."""
        from sympy import Symbol

        own = set(self.problem.variables)
        calls = [n for n in postorder(*nodes) if n.op == "call" and n.value in BOUNDED]
        mixed = dict.fromkeys(n for n in calls if len(free_symbols(n) & own) > 1)
        taken = {*self.identities.domain.variables, *free_symbols(*nodes)}
        at = {n: symbol(fresh_name(f"b_{i}_", taken)) for i, n in enumerate(mixed)}
        return [substitute(n, at) for n in nodes], {s.value: Symbol(s.value, positive=True) for s in at.values()}

    def _smooth_inside(self) -> bool:
        """Whether the density is positive and continuous inside of its support."""
        return self.signs.smooth(self.problem.log_density)

    def _one_variable(self, flux: Node, whole: Node) -> Result | None:
        (x,) = self.problem.variables
        ends = Ends.of(self.identities.domain, self.ends)
        p = density(self.problem.log_density)
        if not (ends.integrable(p, x) and ends.integrable(whole, x)):
            return None
        limits = ends.limits(flux, x)
        if zero_at_both(limits):
            return _proved(f"the limits of p f at both ends of {x} are 0, and p A f is integrable")
        left = difference(limits)
        if left is None:
            return None
        found = self.identities.decide(left, ZERO)
        if found.verdict is Verdict.PROVED:
            return _proved(f"p f has the same limits at both ends of {x}, and p A f is integrable")
        if found.verdict is Verdict.REFUTED:
            says = f"p f leaves {write(tidy(left))} at the ends of {x}: the mean is that over the integral of p"
            return replace(found, reason=says)
        return None

    def _integrated(self, applied: Node, right: Node) -> Result:
        """By the integral of p A f, or by sums of products of integrals in one variable."""
        variables = self.problem.variables
        if len(variables) == 1:
            x = variables[0]
            p = density(self.problem.log_density)
            return self._decided(self.over(mul(p, applied), x), right, self.over(p, x))
        if self.factors is None:
            return _open(NO_MEANS)
        sums = []
        for term in expanded(applied) or (applied,):
            parts: dict[str, list[Node]] = {x: [p] for x, p in self.factors.items()}
            rest = []
            for factor in term.args if term.op == "mul" else (term,):
                inside = [x for x in variables if x in free_symbols(factor)]
                if len(inside) > 1:
                    return _open(NO_MEANS)
                (parts[inside[0]] if inside else rest).append(factor)
            sums.append(mul(*rest, *(self.over(mul(*own), x) for x, own in parts.items())))
        return self._decided(add(ZERO, *sums), right, mul(*(self.over(p, x) for x, p in self.factors.items())))

    def _decided(self, left: Node, right: Node, mass: Node) -> Result:
        domain = self._parameters(left, right)
        if not self._has_mass(mass, domain):
            return _open("the integral of exp(log_density) has no value that could be enclosed: this may be no density")
        found = Result("", Verdict.UNDECIDED)
        for found in stages(Claim(left, right, domain), seed=self.identities.seed):
            if found.verdict is Verdict.REFUTED:
                break
        gaps = [e.detail for e in found.evidence if e.holds and e.detail.get("undefined")]
        if found.verdict >= Verdict.SUPPORTED and gaps:
            return _open(f"the mean was not found to exist at {gaps[0]['undefined']} of the points that were tried")
        return found

    def _parameters(self, *nodes: Node) -> Domain:
        """Where the names that are not integrated range."""
        own = free_symbols(*nodes)
        conditions = tuple(
            c for c in self.identities.domain.conditions
            if free_symbols(c) and not free_symbols(c) & set(self.problem.variables)
        )  # fmt: skip
        names = sorted({*own, *free_symbols(*conditions)})
        return Domain({name: self.identities.variable(name) for name in names}, conditions)

    def _has_mass(self, mass: Node, domain: Domain) -> bool:
        from verify.decide.enclose.search import search

        try:
            return bool(search(Claim(mass, mass, domain), seed=self.identities.seed).agreeing) or (
                not domain.variables and bool(search(Claim(mass, mass, domain)).evidence.holds)
            )
        except NoValue:
            return False

    # --- the integral of p ---

    def normalised(self) -> Result:
        """The verdict on the integral of exp(log_density) being 1."""
        if self.ends and self.is_infinite:
            evidence = Evidence("growth", Rigor.EXACT, False, frozenset({"growth"}), detail={"method": INFINITE})
            return Result("", Verdict.REFUTED, Rigor.EXACT, evidence=(evidence,), reason=INFINITE)
        if self.normal is not None:
            return self._named(self.identities.decide(self.normal.integral, ONE), "the integral of a normal density")
        if len(self.problem.variables) == 1:
            (x,) = self.problem.variables
            p = self.over(density(self.problem.log_density), x)
            return self._decided(p, ONE, p)
        if self.factors is None:
            return _open("the integral in several variables is known of normal densities and of products")
        whole = mul(*(self.over(p, x) for x, p in self.factors.items()))
        return self._decided(whole, ONE, whole)

    def _named(self, found: Result, method: str) -> Result:
        if found.verdict is not Verdict.PROVED:
            return found
        return replace(found, evidence=(*found.evidence, *_proved(method).evidence))


def density(log_density: Node) -> Node:
    """exp of a sum as a product: exp(log(u)*a + v) is u^a exp(v)."""
    terms = expanded(log_density)
    factors, rest = [], []
    for term in terms or (log_density,):
        parts = term.args if term.op == "mul" else (term,)
        logs = [i for i, part in enumerate(parts) if part.op == "call" and part.value == "log"]
        others = [part for i, part in enumerate(parts) if i != (logs[0] if logs else -1)]
        if logs:
            factors.append(power(parts[logs[0]].args[0], mul(*others) if others else ONE))
        elif term is not ZERO:
            rest.append(term)
    return mul(*factors, call("exp", add(*rest))) if rest else mul(*factors) if factors else ONE


def _proved(method: str) -> Result:
    evidence = Evidence("integration by parts", Rigor.EXACT, True, frozenset({"growth"}), detail={"method": method})
    return Result("", Verdict.PROVED, Rigor.EXACT, evidence=(evidence,))


def _open(reason: str) -> Result:
    return Result("", Verdict.UNDECIDED, reason=reason)


def shown(found: Result, names: Sequence[str]) -> Counterexample | None:
    """The counterexample without the names that are integrated."""
    if found.counterexample is None:
        return None
    point = {n: x for n, x in found.counterexample.point.items() if n not in names}
    return replace(found.counterexample, point=point)
