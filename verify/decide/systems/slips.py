"""Which slip explains a wrong part?  The right formula is changed as people change it, until it is the claimed one.

What fits at a few points is decided like any other claim, and the verdict of the diagnosis is that of the claim "this
is what was written".
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import chain
from typing import TYPE_CHECKING, Any, Protocol

from verify.calculus.costate import Gradient, Term, from_the_end, in_time, seen, where_of
from verify.calculus.events import Crossing
from verify.calculus.tidy import is_zero, tidy
from verify.decide.systems.activations import activation_variants
from verify.decide.systems.convention import Convention
from verify.decide.systems.event_slips import crossed_gradients, crossed_jumps, other_phases
from verify.decide.systems.reading import NoFunctional
from verify.decide.systems.variants import (
    Pairs,
    Variant,
    differing_terms,
    equation_variants,
    gradient_variants,
    grouped_variants,
    scaled_variants,
    value_variants,
)
from verify.graph import MINUS_ONE, ZERO, Node, add, mul, substitute, symbol
from verify.language.write import write
from verify.systems import TIME, Observation
from verify.verdict import Diagnosis, Result, Verdict

if TYPE_CHECKING:
    from verify.decide.systems.ode_task import OdeTask

Key = tuple[str, str]
COMMUTED = "the integrand is taken as constant in time, as if the matrix and its derivative commuted"


def ode_slip(task: OdeTask, key: Key, convention: Convention) -> Diagnosis | None:
    """The slip in one part of a claim on an ODE."""
    if key not in task.read:
        return _partial(task, key, convention)
    if key[0] == "gradient":
        read: Any = task.read[key]

        def pairs(terms: Iterable[Term]) -> Pairs:
            changed = Gradient(tuple(terms))
            inside, boundary = (convention.claimed(each) for each in (changed.inside, changed.boundary))
            return task.integrated(read.inside, inside, convention) + task.at_ends(read.boundary, boundary, convention)

        truth, timely = task.gradient(key[1]), key[1] in ("t0", "T")
        variants = [*gradient_variants(truth, pairs, read.flipped, timely), *_wrong_end(task, key, pairs)]
        variants += (
            crossed_gradients(task, key[1], pairs) if task.crossings else _constant_integrand(task, truth, pairs)
        )
        variants += [
            Variant("swap", f"this is dG/d{other}", pairs(task.gradient(other).terms))
            for other in task.problem.parameters
            if other != key[1]
        ]
        variants += scaled_variants(truth, pairs, task.constants)
        other = in_time(task.problem, key[1]) if timely else from_the_end(task.problem, key[1])
        if other is not None:
            variants += gradient_variants(other, pairs, read.flipped, timely)
    elif key[0] == "adjoint":
        i, phases = task.where(key[1])
        rate = task.read[key]
        assert isinstance(rate, Node)
        rights = {phase: convention.entry(task.costates[phase].rate, i) for phase in phases}
        wrong = next((p for p in phases if not task.identities.same(rate, rights[p])), phases[0])
        source = convention.entry(task.costates[wrong].source, i)
        other = convention.entry(task.costates[wrong].transposed, i)
        variants = equation_variants(rate, rights[wrong], source, other, "the adjoint equation", task.names)
        variants = [*other_phases(task, key, wrong, convention), *variants, *activation_variants(rate, rights[wrong])]
        return explained(task.identities, variants, ((rate, rights[wrong]),))
    elif key[0] == "jump" and isinstance(task.jumps[key[1]][0], Crossing):
        variants = crossed_jumps(task, key, convention)
    else:
        claimed, right = task.pairs(key, convention)[0]
        if key[0] == "jump":
            variants = [*value_variants(claimed, right, "the jump", "observation"),
                        *_other_observations(task, key, claimed, convention)]  # fmt: skip
        else:
            others = [name for name in task.names if name != key[1]]
            swapped = [
                Variant("swap", f"this is what belongs to {name}", ((claimed, task.right((key[0], name), convention)),))
                for name in others
            ]
            variants = [*value_variants(claimed, right), *(v for v in swapped if not is_zero(v.pairs[0][1]))]
    compared = task.pairs(key, convention)
    if key[0] == "gradient":
        variants += grouped_variants(compared, task.names)
    if key[0] == "gradient" and len(compared) == 2:
        variants += [replace(each, pairs=(*each.pairs, compared[1])) for each in activation_variants(*compared[0])]
    if task.is_closed(key) and task.holds_adjoint(*(right for _, right in compared)):
        compared = ()  # what has no adjoint is no repair of what has one
    found = explained(task.identities, variants, compared)
    if found is not None and found.slip == "domain" and key[0] == "gradient":
        return replace(found, slip="limits", says=f"the integrand is {found.says}")
    return found


def _other_observations(task: OdeTask, key: Key, claimed: Node, convention: Convention) -> Iterator[Variant]:
    """What the adjoint gains at another observation, in the states at this one or as it is."""
    here, mine, _ = task.jumps[key[1]]
    for name, (observation, j, _) in task.jumps.items():
        if j == mine and observation is not here and isinstance(observation, Observation):
            gain = task.right(("jump", name), convention)
            there, at = seen(observation), where_of(here)
            moved = substitute(gain, {symbol(u + there): symbol(u + at) for u in task.problem.state})
            says = f"this is what belongs to the observation at {write(observation.time)}"
            yield Variant("index", says, ((claimed, moved),))
            yield Variant("index", f"{says}, states and all", ((claimed, gain),))


def _partial(task: OdeTask, key: Key, convention: Convention) -> Diagnosis | None:
    """An integral over a part of the time, in a gradient that is right with all of it."""
    try:
        read = task.reader.functional(task.claim.gradient[key[1]], anyhow=True)
    except (NoFunctional, KeyError):
        return None
    truth = task.gradient(key[1])
    inside, boundary = (convention.claimed(each) for each in (truth.inside, truth.boundary))
    pairs = task.integrated(read.inside, inside, convention) + task.at_ends(read.boundary, boundary, convention)
    verdicts = [task.identities.decide(*pair).verdict for pair in pairs]
    if min(verdicts) < Verdict.SUPPORTED:
        return None
    return Diagnosis("limits", "the integral does not run over all of the time", min(verdicts))


def _wrong_end(task: OdeTask, key: Key, pairs: Callable[[Iterable[Term]], Pairs]) -> Iterator[Variant]:
    """Values at the ends taken at the other end."""
    terms = task.gradient(key[1]).terms
    first, last = task.ends
    slip = "time" if key[1] in ("t0", "T") else "boundary"
    for names in ((*task.names, *task.problem.state), task.problem.state, task.names):
        swap = {symbol(n + a): symbol(n + b) for n in names for a, b in ((first, last), (last, first))}
        turned = [replace(term, boundary=substitute(term.boundary, swap)) for term in terms]
        pairwise = enumerate(zip(terms, turned, strict=True))
        moved = [i for i, (one, other) in pairwise if one.boundary is not other.boundary]
        for chosen in ([moved] if len(moved) < 2 else [moved, *([i] for i in moved)]) if moved else []:
            changed = [turned[i] if i in chosen else term for i, term in enumerate(terms)]
            yield Variant(slip, "a value at an end of the interval is taken at the other end", pairs(changed))


def _constant_integrand(task: OdeTask, truth: Gradient, pairs: Callable[[Iterable[Term]], Pairs]) -> Iterator[Variant]:
    """An integral taken as the length of time times its integrand at an end, as if matrices commuted."""
    for where in range(2):
        yield Variant("commute", COMMUTED, pairs(constant_integrand(task, truth, where)))


def constant_integrand(task: OdeTask, truth: Gradient, where: int) -> list[Term]:
    """The terms of a gradient with the length of time times the integrand at an end, the first or the last one."""
    problem = task.problem
    length = add(problem.T, mul(MINUS_ONE, problem.t0))
    at = {symbol(name): symbol(name + task.ends[where]) for name in (*problem.state, *task.names)}
    at[symbol(TIME)] = (problem.t0, problem.T)[where]
    return [
        Term(term.name, tidy(mul(length, substitute(term.inside, at)))) if term.inside is not ZERO else term
        for term in truth.terms
    ]


class Decider(Protocol):
    """What tells whether two expressions are equal: for independent values, or on a set of solutions."""

    def same(self, lhs: Node, rhs: Node) -> bool: ...
    def decide(self, lhs: Node, rhs: Node) -> Result: ...
    def diagnosis(self, truth: Node, formula: Node) -> Diagnosis | None: ...


def explained(
    decider: Decider, variants: Iterable[Variant], pairs: Pairs, termwise: Sequence[Pairs] | None = None
) -> Diagnosis | None:
    """The first variant that is what was claimed, then what the terms have in common, then what is said in general.

    pairs       (claimed, right); they are what is said in general of.
    termwise    (claimed, right) to be compared term by term, one after the other; `pairs` unless it is given.
    """
    common = (differing_terms(each) for each in ((pairs,) if termwise is None else termwise))
    for variant in chain(variants, common):
        if variant is not None and all(decider.same(*pair) for pair in variant.pairs):
            verdicts = [decider.decide(*pair).verdict for pair in variant.pairs]
            if min(verdicts) >= Verdict.SUPPORTED:
                return Diagnosis(variant.slip, variant.says, min(verdicts))
    off = [pair for pair in pairs if not decider.same(*pair)] if len(pairs) > 1 else pairs
    # Where an integrand and values at the ends differ as well, none of the two says what went wrong.
    return decider.diagnosis(off[0][1], off[0][0]) if len(off) == 1 else None
