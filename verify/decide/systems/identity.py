"""Are two expressions in states, adjoints, time and parameters equal, all taken as independent?"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from itertools import islice
from random import Random

import numpy as np

from verify.calculus.tidy import is_zero
from verify.claim import Claim, Domain, Variable
from verify.decide import stages
from verify.decide.enclose.points import Sampler
from verify.decide.enclose.search import search
from verify.graph import Node, free_symbols, substitute, symbol
from verify.numerics.straight import NoFloat, Straight
from verify.verdict import Diagnosis, Result, Verdict, combine

#: Points of the quick comparison, and the relative difference that counts as one.
POINTS, TOLERANCE = 5, 1e-9
_BASE = re.compile(r"[A-Za-z]\w*")


@dataclass
class Identities:
    """Where the names range, and what has been decided already.

    domain  declared names; `u(T)` and `x[k-1]` range where u and x do.
    ranges  further names.
    """

    domain: Domain
    ranges: Mapping[str, Variable] = field(default_factory=dict)
    seed: int = 0
    known: dict[tuple[Node, Node, tuple[Node, ...], str], Result] = field(default_factory=dict)
    compared: dict[tuple[Node, Node], float] = field(default_factory=dict)
    drawn: dict[tuple[frozenset[str], int], list[dict[str, float]]] = field(default_factory=dict)

    def over(self, nodes: Iterable[Node], conditions: tuple[Node, ...] = ()) -> Domain:
        """The names that occur with their sets, and the conditions that tie them."""
        names = sorted(free_symbols(*nodes, *conditions))
        tied = tuple(c for c in self.domain.conditions if free_symbols(c) & set(names)) + conditions
        names = sorted({*names, *free_symbols(*tied)})
        return Domain({name: self.variable(name) for name in names}, tied)

    def variable(self, name: str) -> Variable:
        for known in (self.ranges, self.domain.variables):
            if name in known:
                return known[name]
        base = _BASE.match(name)
        found = self.domain.variables.get(base[0]) if base else None
        return replace(found, name=name) if found is not None and base and base[0] != name else Variable(name)

    def decide(self, lhs: Node, rhs: Node, conditions: tuple[Node, ...] = (), *, stop: str = "explained") -> Result:
        """The verdict on lhs = rhs.

        stop    before a wrong one is "explained" by its own diagnosis, before one that seems right is "proved" as well,
                or "never".
        """
        key = (lhs, rhs, conditions, stop)
        if key not in self.known:
            domain = self.over((lhs, rhs), conditions)
            plain = _plain_names(domain.variables)
            claim = _renamed(Claim(lhs, rhs, domain), plain)
            found = self._searched(claim) if stop == "proved" else self._staged(claim, stop)
            self.known[key] = _named_back(found, {new: old for old, new in plain.items()})
        return self.known[key]

    def _staged(self, claim: Claim, stop: str) -> Result:
        found = Result("", Verdict.UNDECIDED)
        try:
            for found in stages(claim, seed=self.seed):
                if stop != "never" and found.verdict is Verdict.REFUTED:
                    break
        except ValueError as error:  # a formula that is too long to be written
            return replace(found, reason=str(error))
        return found

    def _searched(self, claim: Claim) -> Result:
        """By enclosures alone: a large graph is small as long as nobody writes it out."""
        found = search(claim, seed=self.seed)
        verdict = combine((found.evidence,))
        return Result("", verdict, found.evidence.rigor, None, "", found.counterexample, None, None, (found.evidence,))

    def diagnosis(self, truth: Node, formula: Node, conditions: tuple[Node, ...] = ()) -> Diagnosis | None:
        """What is said of a formula that should be equal to the truth; None if nothing is, or if they are equal."""
        found = self.decide(truth, formula, conditions, stop="never")
        return found.diagnosis if found.verdict is Verdict.REFUTED else None

    def difference(self, lhs: Node, rhs: Node) -> float:
        """The largest relative difference at a few points, in floating point; nan where nothing has a value.

        It directs what is decided, and decides nothing.
        """
        if (lhs, rhs) not in self.compared:
            self.compared[lhs, rhs] = self._difference(lhs, rhs)
        return self.compared[lhs, rhs]

    def _difference(self, lhs: Node, rhs: Node) -> float:
        if lhs is rhs or is_zero(lhs - rhs):
            return 0.0
        try:
            program = Straight((lhs, rhs))
        except NoFloat:
            return math.nan
        worst = math.nan
        points = self.points((lhs, rhs))
        if not points:
            return worst
        sides = program({name: np.array([values[name] for values in points]) for name in points[0]})
        for one, other in zip(*(np.broadcast_to(side, len(points)).tolist() for side in sides), strict=True):
            if math.isfinite(one) and math.isfinite(other):
                scale = max(abs(one), abs(other)) or 1.0
                worst = max(abs(one - other) / scale, 0.0 if math.isnan(worst) else worst)
        return worst

    def points(self, nodes: Iterable[Node], count: int = POINTS) -> list[dict[str, float]]:
        """A few points of the domain, as floats."""
        nodes = tuple(nodes)
        key = frozenset(free_symbols(*nodes)), count
        if key not in self.drawn:
            self.drawn[key] = list(islice(self._draws(self.over(nodes), 8 * count), count))
        return self.drawn[key]

    def _draws(self, domain: Domain, tries: int) -> Iterator[dict[str, float]]:
        sampler = Sampler(domain, Random(self.seed))
        for _ in range(tries):
            if (point := sampler.draw(("unit",))) is not None:
                yield {name: float(x) for name, (x, _) in point.items()}

    def same(self, lhs: Node, rhs: Node) -> bool:
        """Whether the quick comparison sees no difference."""
        return self.difference(lhs, rhs) <= TOLERANCE


def _plain_names(names: Iterable[str]) -> dict[str, str]:
    """For names such as u(T) and x[k-1] others that are names in text as well: diagnoses write and read formulas."""
    found: dict[str, str] = {}
    taken = set(names)
    for name in names:
        plain = (
            name if _BASE.fullmatch(name) else re.sub(r"\W+", "_", name.replace("-", "m").replace("+", "p")).strip("_")
        )
        while plain != name and (plain in taken or plain in found.values()):
            plain += "_"
        found[name] = plain
    return found


def _renamed(claim: Claim, plain: Mapping[str, str]) -> Claim:
    at = {symbol(old): symbol(new) for old, new in plain.items() if old != new}
    if not at:
        return claim
    variables = {plain[name]: replace(v, name=plain[name]) for name, v in claim.domain.variables.items()}
    conditions = tuple(substitute(c, at) for c in claim.domain.conditions)
    return Claim(substitute(claim.lhs, at), substitute(claim.rhs, at), Domain(variables, conditions))


def _named_back(result: Result, names: Mapping[str, str]) -> Result:
    """The names of the claim in the counterexample and the diagnosis."""
    if result.counterexample is not None:
        point = {names.get(name, name): value for name, value in result.counterexample.point.items()}
        result = replace(result, counterexample=replace(result.counterexample, point=point))
    if result.diagnosis is not None:
        says = re.sub(r"[A-Za-z]\w*", lambda m: names.get(m[0], m[0]), result.diagnosis.says)
        result = replace(result, diagnosis=replace(result.diagnosis, says=says))
    return result
