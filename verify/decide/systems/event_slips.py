"""Which slip was made at an event?  The right jump, and what the gradient gains there, with one mistake each."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from verify.calculus.costate import Term, ends
from verify.calculus.events import Crossing, after, before
from verify.calculus.tidy import is_zero, tidied, tidy
from verify.decide.systems.convention import Convention
from verify.decide.systems.variants import Pairs, Variant, value_variants
from verify.graph import MINUS_ONE, ONE, ZERO, Node, add, div, mul, substitute, symbol
from verify.language.write import write

if TYPE_CHECKING:
    from verify.decide.systems.ode_task import OdeTask

WORDS = {
    "r1-r2": "the change of the running cost",
    "k_t": "the event cost's derivative by time",
    "k_u f1": "the event cost's change along the solution, k_u f,",
    "l r_t": "the reset's derivative by time",
    "l r_u f1": "the term l^T r_u f with f before the event",
    "l f2": "the term l^T f with f after the event",
    "g_tau": "the terminal cost's derivative by the time of the event",
}


def changed(crossing: Crossing) -> Iterator[tuple[str, str, Crossing]]:
    """An event with one mistake in its saltation: the slip, what it says, and the event as it would be."""
    if crossing.weight is not ZERO:
        yield "missing-term", "the saltation term -(eta/D) phi_u is missing", replace(crossing, drift=())
        yield "sign", "the saltation term -(eta/D) phi_u has the wrong sign", replace(crossing, sign=ONE)
    rates = dict(crossing.rate)
    if "phi_u f1" in rates:
        turned = (*((name, node) for name, node in crossing.rate if name == "phi_t"), ("phi_u f1", crossing.turned))
        says = "in D = phi_t + phi_u f the right-hand side after the event stands for the one before it"
        yield "swap", says, replace(crossing, rate=turned)
    if len(rates) == 2:
        yield "missing-term", "phi_t is missing from D = phi_t + phi_u f", crossing.without("phi_t")
    names = [name for name, _ in crossing.drift]
    for name in names:
        yield "missing-term", f"{WORDS[name]} is missing from eta", crossing.without(name)
    for name in names:
        flipped = ((each, tidy(-node) if each == name else node) for each, node in crossing.drift)
        yield "sign", f"{WORDS[name]} has the wrong sign in eta", replace(crossing, drift=tuple(flipped))
    flipped = ((each, tidy(-node) if each.startswith("l ") else node) for each, node in crossing.drift)
    yield "sign", "the change of the right-hand side has the wrong sign in eta", replace(crossing, drift=tuple(flipped))
    if "l r_u f1" in names:
        drift = ((each, crossing.plain if each == "l r_u f1" else node) for each, node in crossing.drift)
        yield "missing-factor", "r_u is missing from l^T r_u f in eta", replace(crossing, drift=tuple(drift))


def carried(crossing: Crossing) -> Iterator[tuple[str, str, Crossing]]:
    """An event with one mistake in what it carries over."""
    yield (
        "missing-factor",
        "r_u is missing: the adjoint is carried over as it is",
        replace(crossing, carried=crossing.later),
    )
    yield "transpose", "r_u is not transposed", replace(crossing, carried=crossing.straight)
    none = tuple(ZERO for _ in crossing.cost)
    yield "missing-term", "the event cost's gradient k_u is missing", replace(crossing, cost=none)
    yield (
        "sign",
        "the event cost's gradient k_u has the wrong sign",
        replace(crossing, cost=tidied([-k for k in crossing.cost])),
    )
    yield "missing-term", "the event cost is missing", replace(crossing.without("k_t", "k_u f1"), cost=none)
    bare = replace(crossing, drift=())
    yield "missing-term", "the saltation term and the event cost are missing", replace(bare, cost=none)
    rate = tidy(add(ZERO, ZERO, *(node for _, node in crossing.rate)))
    along = tidy(add(ZERO, ZERO, *(mul(a, b) for a, b in zip(crossing.slope, crossing.later, strict=True))))
    rest = tuple(term for term in crossing.drift if not term[0].startswith("l "))
    turned = [tidy(mul(MINUS_ONE, div(mul(leap, along), rate))) for leap in crossing.leap]
    kept = tuple(add(a, b) for a, b in zip(crossing.straight, turned, strict=True))
    yield "transpose", "the saltation matrix is not transposed", replace(crossing, drift=rest, carried=kept)


def crossed_jumps(task: OdeTask, key: tuple[str, str], convention: Convention) -> list[Variant]:
    """A jump at an event with one mistake."""
    read: Any = task.read[key]
    crossing, j, gains = task.jumps[key[1]]
    assert isinstance(crossing, Crossing)
    right = convention.entry(gains, j)

    def pairs(node: Node) -> Pairs:
        return task.at_ends(read, node, convention)

    found = []
    if is_zero(read):
        found.append(Variant("missing-term", "the adjoint jumps at the event, and the jump is missing", pairs(ZERO)))
    for slip, says, other in (*changed(crossing), *carried(crossing)):
        entry = convention.entry(other.gains, j)
        if not is_zero(add(entry, -right)):
            found.append(Variant(slip, says, pairs(entry)))
    for other in task.crossings:
        if other is not crossing:
            says = f"this is the jump at {other.time}"
            found.append(
                Variant("swap", says, pairs(_retimed(task, convention.entry(other.gains, j), other, crossing)))
            )
    for i, name in enumerate(task.names):
        if i != j:
            found.append(Variant("swap", f"this is the jump of {name}", pairs(convention.entry(gains, i))))
    found += [Variant(*each, pairs(node)) for *each, node in _other_sides(task, right, crossing)]
    found.append(Variant("sign", "what is lost at the event stands for what is gained", pairs(tidy(-right))))
    return found + [
        Variant(v.slip, v.says, tuple(pair for _, other in v.pairs for pair in pairs(other)))
        for v in value_variants(read, right, "the jump", "event")
    ]


def crossed_gradients(task: OdeTask, q: str, pairs: Callable[[Iterable[Term]], Pairs]) -> Iterator[Variant]:
    """A gradient with one mistake at an event, or between events."""
    terms = task.gradient(q).terms
    for crossing in task.crossings:
        where = f" at {crossing.time}"
        others = [term for term in terms if term.where != where]
        for slip, says, other in changed(crossing) if q in task.problem.domain.variables else ():
            own = [Term(name, part, where=where) for name, part in other.parts(q)]
            yield Variant(slip, f"{says}{where}", pairs([*others, *own]))
        own = [term for term in terms if term.where == where]
        for place, term in enumerate(own):
            for slip, says, node in _other_sides(task, term.boundary, crossing):
                moved = [replace(term, boundary=node) if i == place else each for i, each in enumerate(own)]
                yield Variant(slip, says, pairs([*others, *moved]))
    yield from _other_integrands(terms, pairs)


def _other_integrands(terms: tuple[Term, ...], pairs: Callable[[Iterable[Term]], Pairs]) -> Iterator[Variant]:
    """The integrand of one phase in all of them."""
    by_phase = {(term.name, term.phase): term for term in terms if term.phase is not None}
    phases = sorted({phase for _, phase in by_phase if phase is not None})
    names = list(dict.fromkeys(name for name, _ in by_phase))
    boundary = [term for term in terms if term.phase is None]
    for chosen in phases:
        taken = [by_phase[name, chosen].inside if (name, chosen) in by_phase else ZERO for name in names]
        last = max(phases)
        spread = [Term(n, inside=node, phase=p) for n, node in zip(names, taken, strict=True) for p in range(last + 1)]
        says = f"the integrand{next(t.where for t in terms if t.phase == chosen)} stands for that of the other phases"
        yield Variant("swap", says, pairs([*boundary, *spread]))


def _other_sides(task: OdeTask, node: Node, crossing: Crossing) -> Iterator[tuple[str, str, Node]]:
    """States, or adjoints, taken on the other side of an event."""
    sides = {"before": before(crossing.time), "after": after(crossing.time)}
    for names, what in ((task.problem.state, "state"), (task.names, "adjoint")):
        for taken, meant in (("before", "after"), ("after", "before")):
            at = {symbol(name + sides[meant]): symbol(name + sides[taken]) for name in names}
            moved = substitute(node, at)
            if moved is not node:
                yield "swap", f"the {what} just {taken} the event stands for the one just {meant} it", moved


def _retimed(task: OdeTask, node: Node, one: Crossing, other: Crossing) -> Node:
    """What belongs to one event with the values at another."""
    at = {symbol(one.time): symbol(other.time)}
    for name in (*task.names, *task.problem.state):
        at |= {symbol(name + side(one.time)): symbol(name + side(other.time)) for side in (before, after)}
    return substitute(node, at)


def other_phases(task: OdeTask, key: tuple[str, str], wrong: int, convention: Convention) -> Iterator[Variant]:
    """An adjoint equation that belongs between other events."""
    read: Any = task.read[key]
    i, _ = task.where(key[1])
    times = [write(time) for time in ends(task.problem)]
    for phase, costate in enumerate(task.costates):
        if phase != wrong:
            says = f"this holds between {times[phase]} and {times[phase + 1]}, not between {times[wrong]} and "
            yield Variant("swap", says + times[wrong + 1], ((read, convention.entry(costate.rate, i)),))
