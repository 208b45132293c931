"""Which slip explains a wrong part?  The right formula is changed as people change it, until it is the claimed one.

A gradient is a sum of named terms; each of them may be missing, have another sign or a factor.  An adjoint equation may
have its Jacobian not transposed, its sign or that of its source reversed, a term lost.  What fits at a few points is
decided like any other claim, and the verdict of the diagnosis is that of the claim "this is what was written".
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from verify.calculus.costate import Gradient, Term, total
from verify.calculus.tidy import expanded, is_zero, tidy
from verify.decide.systems.convention import Convention
from verify.decide.systems.identity import Identities
from verify.graph import MINUS_ONE, ZERO, Node, add, mul, num, substitute, symbol
from verify.language.write import write
from verify.verdict import Diagnosis, Verdict

if TYPE_CHECKING:
    from verify.decide.systems.implicit import ImplicitTask
    from verify.decide.systems.ode import OdeTask
    from verify.decide.systems.recurrence import RecurrenceTask

Key = tuple[str, str]
Pairs = tuple[tuple[Node, Node], ...]

#: What people write in the place of a coefficient 1.
COEFFICIENTS = tuple(map(Fraction, ("-1", "0", "2", "1/2", "-2", "-1/2", "3", "1/3")))
#: Terms of a formula that are looked at one by one, and bytes of one that is quoted.
MOST_TERMS, LONGEST_QUOTED = 12, 60

WORDS = {
    "g_q": "the terminal cost's own derivative",
    "l(t0)b_q": "the boundary term l(t0)^T dx0/dq",
    "l[0]b_q": "the boundary term l[0]^T dx0/dq",
    "r_q": "the running cost's own derivative",
    "l f_q": "the term l^T df/dq",
    "l F_q": "the term l[k]^T df/dq",
    "g_T": "the terminal cost's derivative by time",
    "l(T)f(T)": "l(T)^T f(T)",
    "r(T)": "the running cost at T",
    "l(t0)f(t0)": "l(t0)^T f(t0)",
    "r(t0)": "the running cost at t0",
    "l(t0)": "l(t0)",
    "l[0]": "l[0]",
}
_TIMELY = ("g_T", "l(T)f(T)", "r(T)", "l(t0)f(t0)", "r(t0)")


@dataclass(frozen=True)
class Variant:
    """What would have been written with this slip."""

    slip: str
    says: str
    pairs: Pairs


def ode_slip(task: OdeTask, key: Key, convention: Convention) -> Diagnosis | None:
    """The slip in one part of a claim on an ODE."""
    if key not in task.read:
        return None
    if key[0] == "gradient":
        read: Any = task.read[key]

        def pairs(terms: Iterable[Term]) -> Pairs:
            changed = Gradient(tuple(terms))
            inside, boundary = (convention.claimed(each) for each in (changed.inside, changed.boundary))
            return (
                (task.grounded(read.inside, convention), task.grounded(inside, convention)),
                (task.grounded(read.boundary, convention), task.grounded(boundary, convention)),
            )

        variants = _gradient_variants(task.gradient(key[1]), pairs, read.flipped, key[1] in ("t0", "T"))
        variants = (*variants, *_wrong_end(task, key, pairs))
    else:
        ((claimed, right),) = task.pairs(key, convention)
        i = task.names.index(key[1])
        if key[0] == "adjoint":
            source = convention.entry(task.costate.source, i)
            other = convention.entry(task.costate.transposed, i)
            variants = _equation_variants(claimed, right, source, other, "the adjoint equation")
        else:
            variants = _value_variants(claimed, right)
    return _explained(task.identities, variants) or _general(task.identities, task.pairs(key, convention))


def _wrong_end(task: OdeTask, key: Key, pairs: Callable[[Iterable[Term]], Pairs]) -> Iterator[Variant]:
    """Values at the ends taken at the other end."""
    terms = task.gradient(key[1]).terms
    first, last = task.ends
    names = (*task.names, *task.problem.state)
    swap = {symbol(n + first): symbol(n + last) for n in names} | {symbol(n + last): symbol(n + first) for n in names}
    turned = [Term(term.name, substitute(term.boundary, swap), term.inside) for term in terms]
    moved = [i for i, (one, other) in enumerate(zip(terms, turned, strict=True)) if one.boundary is not other.boundary]
    slip = "time" if key[1] in ("t0", "T") else "boundary"
    for chosen in ([moved] if len(moved) < 2 else [moved, *([i] for i in moved)]) if moved else []:
        changed = [turned[i] if i in chosen else term for i, term in enumerate(terms)]
        yield Variant(slip, "a value at an end of the interval is taken at the other end", pairs(changed))


def implicit_slip(task: ImplicitTask, key: Key, convention: Convention) -> Diagnosis | None:
    """The slip in one part of a claim on equations."""
    if key[0] == "gradient":
        claimed = task.claim.gradient[key[1]]

        def pairs(terms: Iterable[Term]) -> Pairs:
            return ((claimed, convention.claimed(Gradient(tuple(terms)).boundary)),)

        found = _explained(task.identities, _gradient_variants(task.gradient(key[1]), pairs, 0, False))
        return found or _general(task.identities, (task.pair(key, convention),))
    equation = task.claim.equations[int(key[1]) - 1]
    difference = tidy(equation.lhs - equation.rhs)
    variants: list[Variant] = []
    for i in range(len(task.names)):
        left, other = (
            tidy(mul(convention.kappa, convention.claimed(row[i])))
            for row in (task.costate.rate, task.costate.transposed)
        )
        right = tidy(mul(convention.kappa, task.costate.final[i]))
        for sign in (1, -1):
            whole = tidy(mul(num(sign), difference))
            for slip, says, formula in (
                ("transpose", "the Jacobian is not transposed", other - right),
                ("sign", "the right-hand side has the wrong sign", left + right),
                (
                    "transpose",
                    "the Jacobian is not transposed, and the right-hand side has the wrong sign",
                    other + right,
                ),
                ("missing-term", "the right-hand side is missing", left),
                ("factor", "the right-hand side is twice what it must be", left - 2 * right),
                ("factor", "the right-hand side is half of what it must be", left - mul(num(Fraction(1, 2)), right)),
            ):
                if not is_zero(formula - (left - right)):
                    variants.append(Variant(slip, says, ((whole, tidy(formula)),)))
            variants += _term_variants(whole, tidy(left - right))
    return _explained(task.identities, variants) or _general(task.identities, (task.pair(key, convention),))


def recurrence_slip(task: RecurrenceTask, key: Key, convention: Convention) -> Diagnosis | None:
    """The slip in one part of a claim on a recurrence."""
    if key not in task.read:
        return None
    steps = task.steps
    read: Any = task.read[key]
    variants: list[Variant] = []
    if key[0] == "gradient":

        def reduced(inside: Node, boundary: Node) -> Pairs:
            one = steps.reduced((read.inside, convention.claimed(inside)), convention)
            other = steps.reduced((read.boundary, convention.claimed(boundary)), convention)
            return (one[0], one[1]), (other[0], other[1])

        def pairs(terms: Iterable[Term]) -> Pairs:
            changed = Gradient(tuple(terms))
            return reduced(changed.inside, changed.boundary)

        truth = task.gradient(key[1])
        variants += _gradient_variants(truth, pairs, 0, False)
        for says, moved in _shifts(truth.inside, (*task.problem.state, *task.names), (*task.names,)):
            variants.append(Variant("index", says, reduced(moved, truth.boundary)))
        for low, high in ((0, 0), (1, -1), (0, -1), (1, 1), (2, 0)):
            if (low, high) != (1, 0):
                says = "the sum runs over the wrong steps"
                variants.append(Variant("limits", says, reduced(truth.inside, _limits(task, truth, low, high))))
    else:
        ((claimed, right),) = task.pairs(key, convention)
        i = task.names.index(key[1])
        if key[0] == "adjoint":
            other = convention.entry(task.costate.transposed, i)
            other = steps.reduced((other,), convention)[0]
            variants += _equation_variants(claimed, right, ZERO, other, "the adjoint equation")
            plain = convention.entry(task.costate.rate, i)
            for says, moved in _shifts(plain, task.problem.state, task.names):
                variants.append(Variant("index", says, (_reduced_pair(steps, read, moved, convention),)))
        else:
            variants += _value_variants(claimed, right)
    return _explained(task.identities, variants) or _general(task.identities, task.pairs(key, convention))


def _reduced_pair(steps: Any, one: Node, other: Node, convention: Convention) -> tuple[Node, Node]:
    found = steps.reduced((one, other), convention)
    return found[0], found[1]


def _limits(task: RecurrenceTask, truth: Gradient, low: int, high: int) -> Node:
    """The boundary values of a sum over low … n + high, counted against one over 1 … n."""
    from verify.calculus.costate import substitute_index

    def summand(letter: str, j: int) -> Node:
        base = task.steps.last if letter == "n" else ZERO
        (node,) = substitute_index((truth.inside,), tidy(add(base, num(j))))
        return substitute(node, _at_step(node, letter, j))

    more = [summand("0", j) for j in range(low, 1)] + [summand("n", j) for j in range(1, high + 1)]
    less = [summand("0", j) for j in range(1, low)] + [summand("n", j) for j in range(high + 1, 1)]
    return add(truth.boundary, ZERO, *more, *(mul(MINUS_ONE, each) for each in less))


def _at_step(node: Node, letter: str, j: int) -> dict[Node, Node]:
    from verify.decide.systems.steps import _places, where

    return {
        symbol(name + where("k", offset)): symbol(name + where(letter, offset + j))
        for name, place, offset in _places(node)
        if place == "k"
    }


def _shifts(node: Node, state: Iterable[str], adjoints: Iterable[str]) -> Iterator[tuple[str, Node]]:
    """States, or adjoints, one step earlier or later."""
    from verify.decide.systems.steps import _places, where

    for names, what in ((set(state) - set(adjoints), "state"), (set(adjoints), "adjoint")):
        for by in (1, -1):
            at = {
                symbol(name + where("k", j)): symbol(name + where("k", j + by))
                for name, place, j in _places(node)
                if place == "k" and name in names
            }
            if at:
                yield f"the {what} is taken one step too {'late' if by > 0 else 'early'}", substitute(node, at)


# --- variants ---------------------------------------------------------------------------------------


def _gradient_variants(
    truth: Gradient, pairs: Callable[[Iterable[Term]], Pairs], flipped: int, timely: bool
) -> Iterator[Variant]:
    """The terms of a gradient with other coefficients: one of them, two of them, all."""
    terms = truth.terms

    def with_(changes: dict[int, Fraction]) -> list[Term]:
        return [_times(term, changes[i]) if i in changes else term for i, term in enumerate(terms)]

    if timely and len(terms) > 1:
        yield Variant(
            "time", "the derivative by the time has the wrong sign", pairs(_times(t, Fraction(-1)) for t in terms)
        )
    inside = [i for i, term in enumerate(terms) if term.inside is not ZERO]
    if flipped and inside:
        yield Variant(
            "limits", "the limits of the integral are reversed", pairs(with_(dict.fromkeys(inside, Fraction(-1))))
        )
    for i, term in enumerate(terms):
        for c in COEFFICIENTS:
            yield Variant(*_named(term, c), pairs(with_({i: c})))
    if len(inside) > 1 and len(inside) < len(terms):
        yield Variant("sign", "the integral has the wrong sign", pairs(with_(dict.fromkeys(inside, Fraction(-1)))))
    if len(terms) > 1 and not timely:
        yield Variant("sign", "the whole gradient has the wrong sign", pairs(_times(t, Fraction(-1)) for t in terms))
        for c in (Fraction(2), Fraction(1, 2)):
            yield Variant(
                "factor", f"the whole gradient is {c} times what it must be", pairs(_times(t, c) for t in terms)
            )
    for i, term in enumerate(terms):
        for says, slip, changed in _changed_terms(term.inside if term.inside is not ZERO else term.boundary):
            new = Term(term.name, inside=changed) if term.inside is not ZERO else Term(term.name, changed)
            yield Variant(slip, says, pairs([new if j == i else other for j, other in enumerate(terms)]))
    for i in range(len(terms)):
        for j in range(i + 1, len(terms)):
            for c in COEFFICIENTS[:3]:
                for d in COEFFICIENTS[:3]:
                    slip, says = _named(terms[i], c)
                    yield Variant(slip, f"{says}; {_named(terms[j], d)[1]}", pairs(with_({i: c, j: d})))


def _times(term: Term, c: Fraction) -> Term:
    return Term(term.name, tidy(mul(num(c), term.boundary)), tidy(mul(num(c), term.inside)))


def _named(term: Term, c: Fraction) -> tuple[str, str]:
    """The slip that gives a term the coefficient c, and what it says."""
    words = WORDS[term.name]
    if c == 0:
        slip = "boundary" if term.name in ("l(t0)b_q", "l[0]b_q") else "missing-term"
        return ("time" if term.name in _TIMELY else slip), f"{words} is missing"
    if c == -1:
        return ("time" if term.name in _TIMELY else "sign"), f"{words} has the wrong sign"
    return "factor", f"{words} is {c} times what it must be"


def _equation_variants(claimed: Node, right: Node, source: Node, transposed: Node, what: str) -> Iterator[Variant]:
    """An adjoint equation with its signs, its transpose, its source changed."""
    jacobian, other = tidy(right - source), tidy(transposed - source)
    named = (
        ("transpose", "the Jacobian is not transposed", transposed),
        ("sign", f"{what} has the wrong sign", tidy(-right)),
        ("sign", "the gradient of the running cost enters with the wrong sign", tidy(jacobian - source)),
        ("sign", "the Jacobian enters with the wrong sign", tidy(source - jacobian)),
        ("missing-term", "the gradient of the running cost is missing", jacobian),
        ("missing-term", "the Jacobian's part is missing", source),
        ("transpose", f"the Jacobian is not transposed, and {what} has the wrong sign", tidy(-transposed)),
        ("transpose", "the Jacobian is not transposed and enters with the wrong sign", tidy(source - other)),
        ("transpose", "the Jacobian is not transposed, and the running cost is missing", other),
    )
    for slip, says, formula in named:
        if not is_zero(formula - right):
            yield Variant(slip, says, ((claimed, formula),))
    yield from _term_variants(claimed, right)
    for c in COEFFICIENTS[2:]:
        yield Variant("factor", f"the gradient of the running cost is {c} times what it must be",
                      ((claimed, tidy(jacobian + mul(num(c), source))),))  # fmt: skip
        yield Variant(
            "factor", f"the Jacobian is {c} times what it must be", ((claimed, tidy(source + mul(num(c), jacobian))),)
        )
        yield Variant("factor", f"{what} is {c} times what it must be", ((claimed, tidy(mul(num(c), right))),))


def _value_variants(claimed: Node, right: Node) -> Iterator[Variant]:
    """A terminal condition."""
    if claimed is ZERO or is_zero(claimed):
        yield Variant("boundary", "the terminal cost is missing from the terminal condition", ((claimed, ZERO),))
    if right is ZERO:
        yield Variant(
            "boundary", "the terminal condition is zero: no terminal cost depends on this state", ((claimed, claimed),)
        )
    yield Variant("sign", "the terminal condition has the wrong sign", ((claimed, tidy(-right)),))
    for c in COEFFICIENTS[2:]:
        yield Variant(
            "factor", f"the terminal condition is {c} times what it must be", ((claimed, tidy(mul(num(c), right))),)
        )
    yield from _term_variants(claimed, right)


def _term_variants(claimed: Node, right: Node) -> Iterator[Variant]:
    for says, slip, changed in _changed_terms(right):
        yield Variant(slip, says, ((claimed, changed),))


def _changed_terms(node: Node) -> Iterator[tuple[str, str, Node]]:
    """One term of a sum missing, with the other sign, or with a factor."""
    terms = expanded(node)
    if terms is None or not 2 <= len(terms) <= MOST_TERMS:
        return
    for i, term in enumerate(terms):
        rest = [*terms[:i], *terms[i + 1 :]]
        text = write(term)
        quoted = text if len(text) <= LONGEST_QUOTED else "one of its terms"
        yield f"the term {quoted} is missing", "missing-term", total(rest)
        yield f"the term {quoted} has the wrong sign", "sign", total([*rest, mul(MINUS_ONE, term)])
        for c in (Fraction(2), Fraction(1, 2)):
            yield f"the term {quoted} is {c} times what it must be", "factor", total([*rest, mul(num(c), term)])


# --- judging them -----------------------------------------------------------------------------------


def _explained(identities: Identities, variants: Iterable[Variant]) -> Diagnosis | None:
    """The first variant that is what was claimed."""
    for variant in variants:
        if all(identities.same(*pair) for pair in variant.pairs):
            verdicts = [identities.decide(*pair).verdict for pair in variant.pairs]
            if min(verdicts) >= Verdict.SUPPORTED:
                return Diagnosis(variant.slip, variant.says, min(verdicts))
    return None


def _general(identities: Identities, pairs: Pairs) -> Diagnosis | None:
    """What is said of a wrong identity in general."""
    for pair in pairs:
        found = identities.decide(*pair, stop="never")
        if found.verdict is Verdict.REFUTED and found.diagnosis is not None:
            return found.diagnosis
    return None
