"""Which slip turned the truth into this formula?  Then it says what the correct one is.

The true value of the formula is known at a few points, as an enclosure of the other side.  Walking down the formula,
every operation is undone on that value: what would *this* place have to be, for the whole to be right?  A place where
what is needed and what is there differ by a sign, a number, a factor or term that occurs in the claim, an exponent,
a name or a sibling function is a slip.  Whatever is found so is tested at other points, and then judged as a claim.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence, Set
from contextlib import suppress
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import chain, islice
from random import Random
from typing import TYPE_CHECKING, Any

from flint import acb, arb, ctx

from verify.claim import Claim
from verify.decide.diagnose.formula import NoFormula, expanded
from verify.decide.diagnose.repair import (
    Pool,
    Repair,
    guesses,
    insertions,
    insertions_in_exponent,
    narrow,
    number_text,
    rearrangements,
    same,
    short_text,
)
from verify.decide.diagnose.undo import undo
from verify.decide.enclose import jets
from verify.decide.enclose.balls import Program
from verify.decide.enclose.points import Sampler, rational
from verify.graph import PI, Node, call, has_integrals, mul, num, postorder, power, size, sqrt, surface
from verify.language import read_claim, write_claim
from verify.mutate import Place, in_exponent, places, replaced
from verify.verdict import Diagnosis, Verdict, combine

if TYPE_CHECKING:
    from verify.decide.enclose.search import Search

#: What a slip costs, beyond one for every node that its repair puts in: the cheapest explanation is preferred.
COSTS = {
    "sign": 0, "function": 0, "power": 0, "swap": 0, "rounding": 1, "factor": 1,
    "missing-term": 3, "missing-factor": 3, "other": 4,
}  # fmt: skip
#: Slips that are simpler than to say that the claim holds on a part of the domain.
SMALL = ("sign", "function", "power", "swap", "rounding", "factor")
PRECISION = 192
#: Values that one place may need, where undoing an operation has several answers.
MOST_NEEDED = 48
MOST_PLACES, MOST_TRIED = 1500, 600
#: Explanations that are judged as claims.
MOST_JUDGED = 3
#: Nodes of a correction that is worth printing.
LONGEST_SHOWN = 400
#: Points at which an explanation is found and tested, and draws to get them.
POINTS, DRAWS = 4, 60


@dataclass(frozen=True)
class Explanation:
    """A slip, and the formula without it."""

    formula: Node
    place: Place
    old: Node
    repair: Repair

    @property
    def slip(self) -> str:
        return self.repair.slip

    def rank(self, known: Set[Node]) -> tuple[int, int, int]:
        """Smaller is better: the cost, parts that occur nowhere else in the claim, the depth."""
        inserted = max(0, _length(self.repair.new) - _length(self.old)) + self.repair.unlikely
        foreign = sum(node not in known for node in postorder(self.formula))
        return COSTS[self.slip] + inserted, foreign, len(self.place)


def _length(root: Node) -> int:
    """Number of nodes of the written formula, where what is shared counts each time."""
    lengths: dict[Node, int] = {}
    for node in postorder(root):
        lengths[node] = 1 + sum(lengths[arg] for arg in node.args)
    return lengths[root]


def diagnose(claim: Claim, search: Search, *, seed: int = 0) -> tuple[Diagnosis | None, Node | None]:
    """The slip that explains a refuted claim, and the correct right-hand side; None for what was not found.

    search   what refuted the claim.

    A side with a derivative is taken for the truth and the other one is repaired: the right-hand side, unless only
    that one has a derivative.  The verdict of the diagnosis is that of the repaired claim.
    """
    task = _Task.of(claim, seed)
    found = explanations(task.truth, task.formula, _points(task, search), not claim.is_complex)
    if search.holds_on and not any(explanation.slip in SMALL for explanation in found):
        return _domain_slip(task, search), _worked_out(task)
    for explanation in found[:MOST_JUDGED]:
        verdict = _verdict(task.repaired(explanation.formula), seed)
        if verdict >= Verdict.SUPPORTED:
            return Diagnosis(explanation.slip, _says(task, explanation), verdict), explanation.formula
    return None, _worked_out(task)


@dataclass(frozen=True)
class _Task:
    """A refuted claim, and which of its sides is to be repaired."""

    claim: Claim
    truth: Node
    formula: Node
    side: str
    seed: int

    @classmethod
    def of(cls, claim: Claim, seed: int) -> _Task:
        left_is_wrong = _differentiates(claim.rhs) and not _differentiates(claim.lhs)
        if left_is_wrong:
            return cls(claim, claim.rhs, claim.lhs, "left", seed)
        return cls(claim, claim.lhs, claim.rhs, "right", seed)

    def repaired(self, formula: Node) -> Claim:
        """The claim with another formula for the wrong side."""
        return replace(self.claim, lhs=self.truth, rhs=formula, text="")


def _differentiates(node: Node) -> bool:
    return any(inner.op == "derivative" for inner in postorder(node))


def _verdict(claim: Claim, seed: int) -> Verdict:
    """Proof first, since the claim has already held at several points; one that includes kinks takes the long way."""
    from verify.decide import stages
    from verify.decide.enclose.search import search
    from verify.decide.prove.proof import prove

    if claim.domain.everywhere:
        results = stages(claim, seed=seed)
        first = next(results)
        return (next(results, first) if first.verdict is Verdict.SUPPORTED else first).verdict
    proof = prove(claim, seed=seed)
    return combine((proof,) if proof.holds else (proof, search(claim, seed=seed).evidence))


def _worked_out(task: _Task) -> Node | None:
    """The derivative carried out by the rules, unless enclosures contradict it or it is too long to be read."""
    from verify.decide.enclose.search import search

    if not _differentiates(task.truth):
        return None
    with suppress(NoFormula):
        formula = expanded(task.truth)
        if size(formula) <= LONGEST_SHOWN and search(task.repaired(formula), seed=task.seed).evidence.holds:
            return formula
    return None


def _domain_slip(task: _Task, search: Search) -> Diagnosis | None:
    """The claim is right on a part of its domain."""
    conditions = " and ".join(search.holds_on)
    narrowed = read_claim(", ".join((write_claim(task.claim), *search.holds_on)))
    verdict = _verdict(narrowed, task.seed)
    if verdict < Verdict.SUPPORTED:
        return None
    return Diagnosis("domain", f"right where {conditions}, wrong elsewhere", verdict)


def _says(task: _Task, explanation: Explanation) -> str:
    whole = explanation.place == ()
    times = explanation.repair.times
    if whole and times is not None:
        return f"the {task.side}-hand side is {number_text(times)} times the truth"
    what = f"the {task.side}-hand side" if whole else short_text(explanation.old)
    return f"{what} {explanation.repair.says}"


def _points(task: _Task, search: Search) -> list[dict[str, acb]]:
    """Exact points without any accidental equality, where both sides have a value; those where they differ first."""
    rng = Random(task.seed)
    sampler = Sampler(task.claim.domain, rng)
    drawn = islice(sampler.schedule(), DRAWS)
    near = (sampler.near(search.point) for _ in range(DRAWS)) if search.point else ()
    before, ctx.prec = ctx.prec, PRECISION
    try:
        found: list[dict[str, acb]] = []
        agreeing: list[dict[str, acb]] = []
        for point in chain(drawn, search.differing, [search.point], near):
            if point is None:
                continue
            exact = {name: _generic(c, sampler.ranges[name].field, rng) for name, c in point.items()}
            values = _Values((task.truth, task.formula), exact, not task.claim.is_complex)
            truth, formula = values.of(task.truth), values.of(task.formula)
            if truth is None or formula is None:
                continue
            if same(truth, formula):
                agreeing.append(exact)
            else:
                found.append(exact)
            if len(found) + len(agreeing) >= POINTS and found:
                break
        return [*found, *agreeing]
    finally:
        ctx.prec = before


def _generic(coordinate: tuple[Fraction, Fraction], field: str, rng: Random) -> acb:
    """The coordinate moved by about 2^-60 of itself, so that no small fraction is met by accident; integers stay."""

    def moved(x: Fraction) -> arb:
        if field == "integer" or not x:
            return rational(x)
        return rational(Fraction(round(x * 2**160))) / arb(2) ** 160 * (1 + arb(rng.getrandbits(40)) / arb(2) ** 100)

    return acb(moved(coordinate[0]), moved(coordinate[1])).mid()


def explanations(truth: Node, formula: Node, points: Sequence[Mapping[str, acb]], real: bool) -> list[Explanation]:
    """All single slips that explain why `formula` differs from `truth` at the exact points, the best first.

    The first point serves to find them, the others to test them: three or more generic points are wanted.
    """
    if not points:
        return []
    before, ctx.prec = ctx.prec, PRECISION
    try:
        nodes = _pool(truth, formula)
        first = _Values((truth, formula, *nodes), points[0], real)
        target = first.of(truth)
        if target is None or first.of(formula) is None:
            return []
        known = set(nodes)
        found = sorted(_candidates(formula, target, first, Pool(nodes, first.of)), key=lambda e: e.rank(known))
        best: dict[Node, Explanation] = {}
        for explanation in found:
            best.setdefault(explanation.formula, explanation)
        tests = [
            (point, value) for point in points[1:] if (value := _Values((truth,), point, real).of(truth)) is not None
        ]
        return [e for e in best.values() if _agrees(e.formula, tests, real)]
    finally:
        ctx.prec = before


def _agrees(formula: Node, tests: Sequence[tuple[Mapping[str, acb], acb]], real: bool) -> bool:
    agreed = 0
    for point, truth in tests:
        value = _Values((formula,), point, real).of(formula)
        if value is not None:
            if not same(value, truth):
                return False
            agreed += 1
    return agreed >= min(2, len(tests))


class _Values:
    """The values of all nodes at one point, where they are narrow enough to be compared."""

    def __init__(self, roots: Sequence[Node], point: Mapping[str, acb], real: bool) -> None:
        self._program = Program(roots, real)
        self._program.lazy = True  # a part without a value does not hide the others
        self._values: list[Any] = self._program.run(point)
        self._roots = dict(zip(roots, self._program.roots, strict=True))
        self.point, self.real = point, real

    def of(self, node: Node) -> acb | None:
        """The value of a node; None where it has none, or is not known well enough."""
        step = self._roots.get(node, self._program.place.get(node))
        value = None if step is None else self._values[step]
        if not isinstance(value, acb | jets.Jet):
            return None
        ball = jets.head(value)
        return ball if ball.is_finite() and narrow(ball) else None

    def elsewhere(self, node: Node) -> acb | None:
        """The value of an expression that was not among the roots."""
        return _Values((node,), self.point, self.real).of(node)


def _pool(truth: Node, formula: Node) -> list[Node]:
    """What a lost factor or term may be: everything that occurs in the claim and in the derivative worked out."""
    roots = [truth, formula]
    with suppress(NoFormula):
        roots.append(expanded(truth))
    pool: dict[Node, None] = {}
    for node in surface(*roots):
        if node.op not in ("symbol", "add", "mul", "pow", "call", "constant"):
            continue
        pool[node] = None
        if node.op == "mul" and node.args[0].op == "num":
            pool[mul(*node.args[1:])] = None
        if node.op in ("symbol", "add"):
            pool[power(node, num(2))] = pool[sqrt(node)] = None
    pool |= dict.fromkeys((PI, sqrt(PI), sqrt(num(2)), call("log", num(2)), call("log", num(10))))
    return list(pool)


# --- walking down ---------------------------------------------------------------------------------


def _candidates(formula: Node, target: acb, values: _Values, pool: Pool) -> Iterator[Explanation]:
    wanted: dict[Place, list[acb]] = {(): [target]}
    for place, node in places(formula, MOST_PLACES):
        needs, value = wanted.get(place), values.of(node)
        if not needs or value is None:
            continue
        for repair in rearrangements(node, pool.names):
            other = values.elsewhere(repair.new)
            if other is not None and any(same(other, need) for need in needs):
                yield Explanation(replaced(formula, place, repair.new), place, node, repair)
        inserted = insertions_in_exponent if node.op == "num" and in_exponent(formula, place) else insertions
        for need in needs:
            for repair in inserted(node, value, need, pool):
                yield Explanation(replaced(formula, place, repair.new), place, node, repair)
        if node.op in ("add", "mul", "pow", "call", "piecewise"):
            undone = [_undone(node, i, needs, values) for i in range(len(node.args))]
            wanted |= {(*place, i): several for i, several in enumerate(undone) if several}
            if all(several is None for several in undone) and not has_integrals(node):
                yield from _tried(formula, place, node, needs, values, pool)


def _undone(node: Node, i: int, needs: Sequence[acb], values: _Values) -> list[acb] | None:
    """What argument `i` would have to be, for each of the values that the whole may need; None if nobody knows."""
    args = [value for arg in node.args if (value := values.of(arg)) is not None]
    if node.op == "piecewise" or len(args) < len(node.args):
        return None
    found: list[acb] = []
    for need in needs:
        several = undo(node, args, i, need, values.real)
        if several is None:
            return None
        for w in several:
            if w.is_finite() and narrow(w) and (not values.real or w.imag.contains(0)):
                found.append(acb(w.real) if values.real else w)
    return found[:MOST_NEEDED]


def _tried(
    formula: Node, place: Place, top: Node, needs: Sequence[acb], values: _Values, pool: Pool
) -> Iterator[Explanation]:
    """Below an operation that cannot be undone, the usual slips are tried one by one."""
    inside = ((below, node) for below, node in places(top, MOST_PLACES) if below)
    tries = ((below, node, repair) for below, node in inside for repair in guesses(node, pool.names))
    for below, node, repair in islice(tries, MOST_TRIED):
        value = values.elsewhere(replaced(top, below, repair.new))
        if value is not None and any(same(value, need) for need in needs):
            yield Explanation(replaced(formula, (*place, *below), repair.new), (*place, *below), node, repair)
