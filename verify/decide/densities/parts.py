"""What is known of one formula of a claim?  The right one against the claimed one, where either has a value.

A formula that has no value where the right one has is wrong there: log(q) is not log |q| where q < 0.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cached_property
from random import Random

from flint import arb, ctx

from verify.calculus.tidy import expanded, scaled, tidy
from verify.claim import Claim, Variable
from verify.decide.enclose.balls import Program
from verify.decide.enclose.decimals import decimal
from verify.decide.enclose.defined import conditions
from verify.decide.enclose.jets import NoValue, Undefined
from verify.decide.enclose.points import Point, Sampler, read_point, write_point
from verify.decide.enclose.search import RELIES_ON, ROUTE
from verify.decide.signs import Signs
from verify.decide.systems.identity import Identities
from verify.decide.systems.result import Part
from verify.graph import (
    HALF,
    MINUS_ONE,
    ZERO,
    Node,
    add,
    call,
    free_symbols,
    fresh_name,
    mul,
    neg,
    num,
    postorder,
    power,
    substitute,
    symbol,
)
from verify.language.write import write
from verify.verdict import Counterexample, Diagnosis, Evidence, Result, Rigor, Verdict

UNDEFINED = "no value"
#: Functions that jump.
JUMPING = frozenset({"sign", "floor", "ceil"})
#: What people write in the place of a coefficient 1.
FACTORS = tuple(map(Fraction, ("2", "1/2")))
#: Points that are drawn for the names on which nothing depends.
DRAWS = 50
#: Points at which a formula that seems to have no value is tried.
FEW = 8


@dataclass(frozen=True)
class Slip:
    """What would have been written with this slip."""

    slip: str
    says: str
    formula: Node


@dataclass
class Judge:
    """Formulas on one domain."""

    identities: Identities

    @cached_property
    def signs(self) -> Signs:
        return Signs(self.identities)

    def part(
        self, name: str, text: str, right: Node, claimed: Node, slips: Iterable[Slip] = (), correction: str = "",
        given: Sequence[Node] = (),
    ) -> Part:  # fmt: skip
        """The verdict on one formula, with the slip and what is right, in the notation of the claim where possible.

        given   expressions without which the claim says nothing: points where they have no value do not count.
        """
        found = self.decided(right, claimed, given)
        part = Part(name, text, found.verdict, found.evidence, found.counterexample, reason=found.reason)
        if found.verdict is not Verdict.REFUTED:
            return part
        diagnosis = found.diagnosis or self.explained(claimed, slips)
        mended = correction or write(right)
        if diagnosis is None:
            full = self.identities.decide(right, claimed, stop="never")
            diagnosis = full.diagnosis
            if diagnosis is not None and diagnosis.verdict >= Verdict.SUPPORTED and full.correction:
                mended = full.correction
        return replace(part, diagnosis=diagnosis, correction=mended)

    def decided(self, right: Node, claimed: Node, given: Sequence[Node] = ()) -> Result:
        """right = claimed, wherever the right one and what is given have a value."""
        found = self.identities.decide(right, claimed)
        if found.verdict is Verdict.SUPPORTED:
            found = self._for_every_root(right, claimed) or found
        if found.verdict is Verdict.UNDECIDED:
            return self._nowhere(right, claimed, given) or found
        if found.verdict < Verdict.SUPPORTED:
            return swapped(found)
        return self._completed(found, right, claimed, given)

    def _for_every_root(self, right: Node, claimed: Node) -> Result | None:
        """A proof with any positive number in the place of a root that both sides have in common."""
        shared = set(postorder(right)) & set(postorder(claimed))
        roots = [n for n in postorder(right) if n in shared and n.op == "pow" and n.args[1] is HALF and n.args[0].args]
        at: dict[Node, Node] = {}
        ranges = dict(self.identities.ranges)
        for i, root in enumerate(roots):
            name = fresh_name(f"r_{i}", {*self.identities.domain.variables, *free_symbols(right, claimed)})
            at |= {root: symbol(name), root.args[0]: power(symbol(name), num(2))}
            ranges[name] = Variable(name, low=ZERO)
        if not at:
            return None
        wider = replace(self.identities, ranges=ranges, known={})
        found = wider.decide(substitute(right, at), substitute(claimed, at))
        return found if found.verdict is Verdict.PROVED else None

    def _completed(self, found: Result, right: Node, claimed: Node, given: Sequence[Node]) -> Result:
        """What holds where both sides are defined, with what is known of where that is."""
        names = self.identities.over((right, claimed, *given))
        needed = conditions(Claim(claimed, claimed, names))
        known = {c for each in (right, *given) for c in _split(conditions(Claim(each, each, names)) or ())}
        open_ = needed is None and not self.signs.smooth(claimed)
        for condition in _split(needed or ()):
            if condition in known:
                continue
            quantity = _quantity(condition)
            if quantity is None:
                open_ = True
                continue
            if self.signs.nonnegative(quantity):
                continue
            open_ = True
            elsewhere = self.identities.decide(call("abs", quantity), quantity, stop="proved").counterexample
            point = None if elsewhere is None else self._completed_point((right, *given, claimed), elsewhere)
            if point is not None and (counter := self._only_right((right, *given), claimed, point)) is not None:
                says = f"it has no value where {write(tidy(neg(quantity)))} > 0"
                return _without_value(counter, says)
        if open_ and found.verdict is Verdict.PROVED:
            reason = "equal where it is defined, which was not shown to be everywhere"
            return replace(found, verdict=Verdict.SUPPORTED, reason=reason)
        return found

    def _nowhere(self, right: Node, claimed: Node, given: Sequence[Node]) -> Result | None:
        """A claimed formula without any value at points where the right one has one."""
        sampler = Sampler(self.identities.over((right, *given, claimed)), Random(self.identities.seed))
        drawn = [point for point in (sampler.draw(("unit", "simple")) for _ in range(DRAWS)) if point is not None]
        counters = [self._only_right((right, *given), claimed, point) for point in drawn[:FEW]]
        found = [counter for counter in counters if counter is not None]
        return _without_value(found[0], "it has no value") if found and len(found) == len(counters) else None

    def _only_right(self, given: Sequence[Node], claimed: Node, point: Point) -> Counterexample | None:
        """The value of the right formula at a point around which the claimed one has none, and what is given has."""
        sampler = Sampler(self.identities.over((*given, claimed)), Random(0))
        precision, ctx.prec = ctx.prec, 256
        try:
            Program((claimed,), True).values(sampler.env(point, arb(2) ** -80))
            return None
        except Undefined:
            pass
        except NoValue:
            return None
        finally:
            ctx.prec = precision
        try:
            ctx.prec = 256
            values = Program(tuple(given), True).values(sampler.env(point))
            if not all(value.is_finite() for value in values):
                return None
            return Counterexample(write_point(point), UNDEFINED, decimal(values[0]))
        except NoValue:
            return None
        finally:
            ctx.prec = precision

    def _completed_point(self, nodes: Sequence[Node], at: Counterexample) -> Point | None:
        """The point, with values for the names that it does not give."""
        domain = self.identities.over(nodes)
        sampler = Sampler(domain, Random(self.identities.seed))
        known = read_point({name: value for name, value in at.point.items() if name in domain.variables})
        drawn = (sampler.anywhere(("unit",)) | known for _ in range(DRAWS))
        return next((point for point in drawn if sampler.admits(point)), None)

    def explained(self, claimed: Node, slips: Iterable[Slip]) -> Diagnosis | None:
        """The first slip that gives what was claimed."""
        for slip in slips:
            if self.identities.same(claimed, slip.formula):
                verdict = self.identities.decide(slip.formula, claimed).verdict
                if verdict >= Verdict.SUPPORTED:
                    return Diagnosis(slip.slip, slip.says, verdict)
        return None


def common(right: Node, what: str) -> Iterator[Slip]:
    """Signs and factors of the whole, and of single terms."""
    yield Slip("sign", f"{what} has the wrong sign", tidy(mul(MINUS_ONE, right)))
    for c in FACTORS:
        yield Slip("factor", f"{what} is {c} times what it must be", tidy(scaled(c, right)))
    terms = expanded(right) or ()
    for i, term in enumerate(terms if len(terms) > 1 else ()):
        rest = tidy(add(ZERO, *terms[:i], *terms[i + 1 :]))
        yield Slip("missing-term", f"the term {write(term)} is missing", rest)
        yield Slip("sign", f"the term {write(term)} has the wrong sign", tidy(rest - term))


def jumps(*nodes: Node) -> bool:
    """Whether something may jump."""
    return any(n.op == "piecewise" or (n.op == "call" and n.value in JUMPING) for n in postorder(*nodes))


def _without_value(counter: Counterexample, says: str) -> Result:
    """A formula that has no value where the right one has one."""
    seen = Evidence(ROUTE, Rigor.ENCLOSED, False, RELIES_ON)
    diagnosis = Diagnosis("domain", says, Verdict.PROVED)
    return Result("", Verdict.REFUTED, Rigor.ENCLOSED, None, "", counter, diagnosis, None, (seen,))


def swapped(found: Result) -> Result:
    """The claimed side of a counterexample first: "…" instead of "…"."""
    counter = found.counterexample
    return (
        found if counter is None else replace(found, counterexample=replace(counter, lhs=counter.rhs, rhs=counter.lhs))
    )


def _split(needed: Iterable[Node]) -> Iterator[Node]:
    """Conditions that hold together, one by one."""
    for condition in needed:
        if condition.op == "and":
            yield from _split(condition.args)
        else:
            yield condition


def _quantity(condition: Node) -> Node | None:
    """What must not be negative, so that a condition holds almost everywhere."""
    if condition.op != "compare" or condition.value not in ("<", "<=", ">", ">="):
        return None
    left, right = condition.args if condition.value[0] == ">" else condition.args[::-1]
    return tidy(left - right)
