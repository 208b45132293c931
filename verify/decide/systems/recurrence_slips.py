"""Which slip explains a wrong part of a claim on a recurrence?  Shifted steps and moved ends of sums among others."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from verify.calculus.costate import Gradient, Term
from verify.calculus.reverse import gradient
from verify.calculus.tidy import short, tidy
from verify.decide.systems.activations import activation_variants
from verify.decide.systems.convention import Convention
from verify.decide.systems.slips import explained
from verify.decide.systems.steps import Stepwise, places, where
from verify.decide.systems.variants import (
    Pairs,
    Variant,
    entry_variants,
    equation_variants,
    gradient_variants,
    value_variants,
)
from verify.graph import (
    MINUS_ONE,
    ONE,
    ZERO,
    Node,
    add,
    div,
    free_symbols,
    fresh_name,
    mul,
    num,
    postorder,
    rebuild,
    substitute,
    symbol,
)
from verify.language.write import write
from verify.mutate import mutants, replaced
from verify.mutate import places as sub_places
from verify.systems import INDEX
from verify.verdict import Diagnosis, Verdict

if TYPE_CHECKING:
    from verify.decide.systems.recurrence import RecurrenceTask

Key = tuple[str, str]

#: Parts of a formula that are changed one by one.
MOST_PLACES = 40
#: Repairs of a formula that are tried.
MOST_REPAIRS = 300


def recurrence_slip(task: RecurrenceTask, key: Key, convention: Convention) -> Diagnosis | None:
    """The slip in one part of a claim on a recurrence."""
    if key[0] == "gradient" and task.is_closed(key):
        return _closed_slip(task, key)
    if key not in task.read:
        return None
    if key[0] == "gradient":
        return _gradient_slip(task, key, convention)
    steps, read = task.steps, task.read[key]
    assert isinstance(read, Node)
    ((claimed, right),) = task.pairs(key, convention)
    i = task.names.index(key[1])
    plain = convention.entry((task.costate.rate if key[0] == "adjoint" else task.costate.final), i)
    variants: list[Variant] = []
    if key[0] == "adjoint":
        lost = _lost_inner_derivatives(task, i)
        variants += [Variant("chain", says, (_reduced_pair(steps, read, node, convention),)) for says, node in lost]
        other = plain if _is_transposed_nowhere(task, convention) else convention.entry(task.costate.transposed, i)
        variants += equation_variants(
            claimed, right, ZERO, steps.reduced((other,), convention)[0], "the adjoint equation"
        )
        for slip, says, changed in entry_variants(plain, [name + "[k+1]" for name in task.names]):
            variants.append(Variant(slip, says, (_reduced_pair(steps, read, changed, convention),)))
        moved = [*_shifts(plain, task.problem.state, task.names), *_later(plain)]
        moved += [("the adjoint is taken two steps too early", _moved(plain, task.names, "k", -2))]
    else:
        variants += value_variants(claimed, right)
        moved = [*_shifts(plain, task.problem.state, (), "n"), *_at_the_start(plain, task.problem.state)]
    moved += [*_partly_moved(plain, task.problem.state, "k" if key[0] == "adjoint" else "n")]
    variants += [Variant("index", says, (_reduced_pair(steps, read, node, convention),)) for says, node in moved]
    variants += [*activation_variants(claimed, right)]
    raw = ((read, plain),)
    return explained(task.identities, variants, task.pairs(key, convention), (raw, task.pairs(key, convention)))


def _is_transposed_nowhere(task: RecurrenceTask, convention: Convention) -> bool:
    """Whether an equation is claimed that is right, and would not be with a Jacobian that is not transposed."""
    for i, name in enumerate(task.names):
        read = task.read.get(("adjoint", name))
        if isinstance(read, Node):
            claimed, right, other = task.steps.reduced(
                (read, *(convention.entry(each, i) for each in (task.costate.rate, task.costate.transposed))),
                convention,
            )
            if task.identities.same(claimed, right) and not task.identities.same(claimed, other):
                return True
    return False


def _gradient_slip(task: RecurrenceTask, key: Key, convention: Convention) -> Diagnosis | None:
    read, truth = task.read[key], task.gradient(key[1])
    assert isinstance(read, Stepwise)

    def reduced(inside: Node, boundary: Node) -> Pairs:
        return task.reduced(read, inside, boundary, convention)

    def pairs(terms: Iterable[Term]) -> Pairs:
        changed = Gradient(tuple(terms))
        return reduced(changed.inside, changed.boundary)

    def variants() -> Iterator[Variant]:
        for says, moved in _shifted_states(truth.inside, task.problem.state):
            yield Variant("index", says, reduced(moved, truth.boundary))
        yield from gradient_variants(truth, pairs, 0, False)
        for says, slip, inside, low, high in _other_sums(truth.inside, task.problem.state):
            yield Variant(slip, says, reduced(inside, _limits(task, inside, truth.boundary, low, high)))
        for says, slip, terms in _without_one(task, read, truth):
            yield Variant(slip, says, reduced(ZERO, terms))
        for slip, says, changed in entry_variants(truth.inside, [name + "[k]" for name in task.names]):
            yield Variant(slip, says, reduced(changed, truth.boundary))
        for says, moved in _later(truth.inside):
            yield Variant("index", says, reduced(moved, truth.boundary))
        for says, moved in _shifts(truth.boundary, (), task.names, "0"):
            yield Variant("index", says, reduced(truth.inside, moved))
        there = {symbol(name + "[0]"): symbol(name + "[n]") for name in task.names}
        yield Variant("boundary", "the adjoint is taken at the last step instead of the first",
                      reduced(truth.inside, substitute(truth.boundary, there)))  # fmt: skip
        for other in task.problem.parameters:
            if other != key[1]:
                yield Variant("swap", f"this is dG/d{other}", pairs(task.gradient(other).terms))
        summed, ends = pairs(truth.terms)
        for each in activation_variants(*summed):
            yield replace(each, pairs=(*each.pairs, ends))

    inside, boundary = map(convention.claimed, task.spelled(read, truth.inside, truth.boundary))
    raw = ((read.inside, inside), (read.boundary, boundary))
    return explained(task.identities, variants(), task.pairs(key, convention), (raw, task.pairs(key, convention)))


def _without_one(task: RecurrenceTask, read: Stepwise, truth: Gradient) -> Iterator[tuple[str, str, Node]]:
    """A sum that is written out, with one of its steps missing or with the other sign."""
    inside, whole = task.spelled(read, truth.inside, truth.boundary)
    if inside is ZERO and truth.inside is not ZERO and isinstance(task.problem.steps, int):
        for k in range(1, task.problem.steps + 1):
            term = task.steps.at(truth.inside, num(k))
            yield f"the term of step {k} is missing", "missing-term", add(whole, mul(MINUS_ONE, term))
            yield f"the term of step {k} has the wrong sign", "sign", add(whole, mul(num(-2), term))


def _other_sums(inside: Node, state: tuple[str, ...]) -> Iterator[tuple[str, str, Node, int, int]]:
    """The sum of l[k]^T F_q over 1 … n with states at other steps, and over low … n + high: (…, inside, low, high).

    A sum of l[k+1] and x[k] over 0 … n-1 is the same one; what is shifted there is one of these sums as well.
    """
    says = "the sum runs over the wrong steps"
    for by in (0, 1, -1):
        moved = _moved(inside, state, "k", by)
        if by and moved is inside:
            continue
        what = f"the state is taken one step too {'late' if by > 0 else 'early'}"
        other = f"the adjoint is taken one step too {'early' if by > 0 else 'late'}"
        shifted = {1: (0, -1), -1: (2, 1)}
        if by:
            yield what, "index", moved, 1, 0
            yield other, "index", moved, *shifted[by]
        elif all(_moved(inside, state, "k", step) is inside for step in (1, -1)):
            yield "the adjoint is taken one step too early", "index", moved, *shifted[1]
            yield "the adjoint is taken one step too late", "index", moved, *shifted[-1]
        for low, high in ((0, 0), (1, -1), (2, 0), (1, 1), (0, -1), (2, 1), (0, 1), (2, -1)):
            yield (f"{what}, and {says}" if by else says), "index" if by else "limits", moved, low, high


def worked_out(node: Node) -> Node:
    """A derivative carried out, and written shortly."""
    from verify.decide.prove.differentiate import carried_out

    return short(carried_out(node))


def _closed_slip(task: RecurrenceTask, key: Key) -> Diagnosis | None:
    """The slip in a gradient without adjoints, seen where the number of steps is written out."""
    found = []
    for claimed, right, where_ in task.closed_pairs(key):
        for says, slip, c in (
            ("the whole gradient has the wrong sign", "sign", -1),
            ("the whole gradient is 2 times what it must be", "factor", 2),
            ("the whole gradient is 1/2 times what it must be", "factor", Fraction(1, 2)),
        ):
            wrong = mul(num(c), right)
            if task.identities.same(claimed, wrong):
                verdict = task.identities.decide(claimed, wrong).verdict
                found.append(Diagnosis(slip, says, verdict))
                break
        else:
            diagnosis = _repaired(task, key) or task.identities.diagnosis(right, claimed)
            diagnosis = diagnosis or explained(task.identities, (), (), (((claimed, worked_out(right)),),))
            if diagnosis is None:
                return None
            found.append(replace(diagnosis, says=f"{where_}{diagnosis.says}"))
        if found[-1].verdict < Verdict.SUPPORTED or found[-1].slip != found[0].slip:
            return None
    return found[0] if found else None


def _repaired(task: RecurrenceTask, key: Key) -> Diagnosis | None:
    """The one change at one place of the formula as it was written with which it is right."""
    formula, last = task.claim.gradient[key[1]], task.steps.last
    names = [name for name in task.problem.domain.variables if name not in task.problem.state]
    pool = [*([last] if last.op == "symbol" else []), *map(symbol, names)]
    changed = [
        ("missing-factor", f"the {what} {write(factor)} is missing", mul(by, formula))
        for factor in pool
        for what, by in (("factor", factor), ("divisor", div(ONE, factor)))
    ]
    for place, node in sub_places(formula, MOST_PLACES):
        for factor in (symbol(node.value), *pool) if node.op == "sum" else ():
            for what, by in (("factor", factor), ("divisor", div(ONE, factor))):
                inner = rebuild(node, (mul(by, node.args[0]), *node.args[1:]))
                says = f"the {what} {write(factor)} is missing inside of the sum"
                changed.append(("missing-factor", says, replaced(formula, place, inner)))
    found = [(m.slip, f"right with {m.says}", m.node) for m in mutants(formula, names=names) if m.slip != "rounding"]
    found.sort(key=lambda each: each[0] != "power")
    lengths = [n for n in task.lengths if n > 1] or list(task.lengths)
    for slip, says, node in (*found, *changed)[:MOST_REPAIRS]:
        pairs = _at_lengths(task, node, key[1], lengths)
        if all(task.identities.same(*pair) for pair in pairs):
            verdicts = [task.identities.decide(*pair).verdict for pair in pairs]
            if verdicts and min(verdicts) >= Verdict.SUPPORTED:
                return Diagnosis(slip, says, Verdict.SUPPORTED)
    return None


def _at_lengths(task: RecurrenceTask, node: Node, q: str, lengths: Iterable[int]) -> list[tuple[Node, Node]]:
    """(a formula, the right one) for some numbers of steps; a pair that differs where it has no value."""
    found = []
    for n in lengths:
        value = task.unrolled.valued(node, n, task.unrolled.states(n), [])
        found.append((ONE, ZERO) if value is None else (value, worked_out(task.unrolled.truth(q, n))))
    return found


def _reduced_pair(steps: Any, one: Node, other: Node, convention: Convention) -> tuple[Node, Node]:
    found = steps.reduced((one, other), convention)
    return found[0], found[1]


def _limits(task: RecurrenceTask, inside: Node, boundary: Node, low: int, high: int) -> Node:
    """The boundary values of a sum over low … n + high, counted against one over 1 … n."""

    def summand(letter: str, j: int) -> Node:
        return task.steps.at(inside, tidy(add(task.steps.last if letter == "n" else ZERO, num(j))))

    more = [summand("0", j) for j in range(low, 1)] + [summand("n", j) for j in range(1, high + 1)]
    less = [summand("0", j) for j in range(1, low)] + [summand("n", j) for j in range(high + 1, 1)]
    return add(boundary, ZERO, *more, *(mul(MINUS_ONE, each) for each in less))


def _shifts(node: Node, state: Iterable[str], adjoints: Iterable[str], at: str = "k") -> Iterator[tuple[str, Node]]:
    """States, or adjoints, one step earlier or later; those near step k, or near the first or the last one."""
    for names, what in ((set(state), "state"), (set(adjoints), "adjoint")):
        for by in (1, -1):
            moved = _moved(node, names, at, by)
            if moved is not node:
                yield f"the {what} is taken one step too {'late' if by > 0 else 'early'}", moved


def _moved(node: Node, names: Iterable[str], at: str, by: int) -> Node:
    """Values of some names near a place taken some steps later."""
    changes = {
        symbol(name + where(at, j)): symbol(name + where(at, j + by))
        for name, place, j in places(node)
        if place == at and name in names
    }
    return substitute(node, changes) if changes and by else node


def _shifted_states(node: Node, state: Iterable[str]) -> Iterator[tuple[str, Node]]:
    """States one step later or earlier, in all of a summand or in one factor of it."""
    names = tuple(state)
    yield from _shifts(node, names, ())
    yield from _partly_moved(node, names, "k")


def _partly_moved(node: Node, state: Iterable[str], at: str) -> Iterator[tuple[str, Node]]:
    """States one step later or earlier in one factor of the terms, and not in the others."""
    names = set(state)
    inside = dict(sub_places(node, MOST_PLACES))
    for place, factor in inside.items():
        if not place or inside[place[:-1]].op != "mul":
            continue
        for by in (1, -1):
            moved = _moved(factor, names, at, by)
            if moved is not factor:
                says = f"the state is taken one step too {'late' if by > 0 else 'early'} in {write(factor)}"
                yield says, replaced(node, place, moved)


def _lost_inner_derivatives(task: RecurrenceTask, i: int) -> Iterator[tuple[str, Node]]:
    """The adjoint equation of state i where a part of a step was differentiated as if it were the state itself."""
    name = task.problem.state[i]
    inner = [
        part
        for part in dict.fromkeys(postorder(*task.problem.step))
        if part.op in ("add", "mul", "call", "pow")
        and part not in task.problem.step
        # Where the inner derivative is a number, it is a factor that is missing, and no more is to be said.
        and name in free_symbols(*gradient(part, (name,)))
    ]
    s = symbol(fresh_name("s", {*task.problem.domain.variables, *task.names}))
    for part in inner[:MOST_PLACES]:
        steps = [substitute(f, {part: s}) for f in task.problem.step]
        terms = []
        for j, f in enumerate(steps):
            by_name, by_part = gradient(f, (name, s.value))
            slope = substitute(add(by_name, by_part), {s: part})
            at = {symbol(u): symbol(u + "[k]") for u in task.problem.state}
            at |= {symbol(INDEX): add(symbol(INDEX), ONE)}
            terms.append(mul(symbol(task.names[j] + "[k+1]"), substitute(slope, at)))
        yield f"the inner derivative of {write(part)} is missing", tidy(add(ZERO, *terms))


def _at_the_start(node: Node, state: Iterable[str]) -> Iterator[tuple[str, Node]]:
    """The first state in the place of the last one."""
    at = {symbol(name + "[n]"): symbol(name + "[0]") for name in state}
    moved = substitute(node, at)
    if moved is not node:
        yield "the state is taken at the first step instead of the last", moved


def _later(node: Node) -> Iterator[tuple[str, Node]]:
    """The number of the step one less or more, where a formula names it."""
    k = symbol(INDEX)
    for by in (1, -1):
        changed = substitute(node, {k: tidy(add(k, num(by)))})
        if changed is not node:
            yield f"the step is counted one too {'late' if by > 0 else 'early'}", changed
