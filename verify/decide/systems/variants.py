"""What would have been written with a slip?  The right formula, changed as people change it.

A gradient is a sum of named terms; each of them may be missing, have another sign or a factor.  An adjoint equation may
have its Jacobian not transposed, its sign or that of its source reversed, a term or a factor lost.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

from verify.calculus.costate import Gradient, Term, total
from verify.calculus.grouped import grouped
from verify.calculus.tidy import coefficients, expanded, is_zero, keyed, leading_number, powers, scaled, tidy
from verify.graph import (
    MINUS_ONE,
    ONE,
    ZERO,
    Node,
    add,
    div,
    free_symbols,
    mul,
    num,
    postorder,
    power,
    substitute,
    symbol,
)
from verify.language.write import write

Pairs = tuple[tuple[Node, Node], ...]

#: What people write in the place of a coefficient 1.
COEFFICIENTS = tuple(map(Fraction, ("-1", "0", "2", "1/2", "-2", "-1/2", "3", "1/3")))
#: Terms of a formula that are looked at one by one, and bytes of one that is quoted.
MOST_TERMS, LONGEST_QUOTED = 12, 60
#: Terms of a gradient of which two at a time are also tried with a factor 2.
MOST_PAIRED = 6

WORDS = {
    "g_q": "the terminal cost's own derivative",
    "l(t0)b_q": "the boundary term l(t0)^T dx0/d(parameter)",
    "l[0]b_q": "the boundary term l[0]^T dx0/d(parameter)",
    "l(T)b_q": "the value at the end, l(T)^T dx0/d(parameter),",
    "-l' b_q": "the integral of -l'",
    "r_q": "the running cost's own derivative",
    "l f_q": "the term l^T df/d(parameter)",
    "l F_q": "the term l[k]^T df/d(parameter)",
    "g_T": "the terminal cost's derivative by time",
    "l(T)f(T)": "l(T)^T f(T)",
    "r(T)": "the running cost at T",
    "l(t0)f(t0)": "l(t0)^T f(t0)",
    "r(t0)": "the running cost at t0",
    "l f_t": "the term l^T df/dt",
    "r_t": "the running cost's derivative by time",
    "l(t0)": "l(t0)",
    "h_q": "the observation's own derivative",
    "h_t": "the derivative by the time of the observation",
    "l[0]": "l[0]",
    "l r_q": "the reset's own derivative l^T dr/d(parameter)",
    "k_q": "the event cost's own derivative",
    "phi_q": "what the event's time adds, -(eta/D) dphi/d(parameter)",
}
_BOUNDARY = ("l(t0)b_q", "l[0]b_q", "l(T)b_q")
_TIMELY = ("g_T", "l(T)f(T)", "r(T)", "l(t0)f(t0)", "r(t0)", "l f_t", "r_t", "h_t")


@dataclass(frozen=True)
class Variant:
    """What would have been written with this slip."""

    slip: str
    says: str
    pairs: Pairs


def gradient_variants(
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
            new = replace(term, **{"inside" if term.inside is not ZERO else "boundary": changed})
            yield Variant(slip, says, pairs([new if j == i else other for j, other in enumerate(terms)]))
    both = COEFFICIENTS[:3] if len(terms) <= MOST_PAIRED else COEFFICIENTS[:2]
    for i in range(len(terms)):
        for j in range(i + 1, len(terms)):
            for c in both:
                for d in both:
                    slip, says = _named(terms[i], c)
                    yield Variant(slip, f"{says}; {_named(terms[j], d)[1]}", pairs(with_({i: c, j: d})))


def scaled_variants(
    truth: Gradient, pairs: Callable[[Iterable[Term]], Pairs], factors: Iterable[Node]
) -> Iterator[Variant]:
    """The whole gradient with a factor too many, or without one, that does not depend on the solution."""
    for factor in (more for each in factors for more in (each, power(each, num(2)))):
        for by, what in ((factor, "times"), (div(ONE, factor), "divided by")):
            says = f"what is claimed is the right gradient {what} {write(factor)}"
            base = factor.args[0] if factor.op == "pow" else factor
            parts = [each for term in truth.terms for each in (term.inside, term.boundary) if each is not ZERO]
            slip = "power" if all(base in powers(each) for each in parts) else "missing-factor"
            yield Variant(slip, says, pairs(_times(term, by) for term in truth.terms))


def _times(term: Term, c: Fraction | Node) -> Term:
    factor = c if isinstance(c, Node) else num(c)
    return replace(term, boundary=tidy(mul(factor, term.boundary)), inside=tidy(mul(factor, term.inside)))


def _named(term: Term, c: Fraction) -> tuple[str, str]:
    """The slip that gives a term the coefficient c, and what it says."""
    words = WORDS[term.name] + term.where
    if c == 0:
        slip = "boundary" if term.name in _BOUNDARY else "missing-term"
        return ("time" if term.name in _TIMELY else slip), f"{words} is missing"
    if c == -1:
        return ("time" if term.name in _TIMELY else "sign"), f"{words} has the wrong sign"
    if c == 2 and term.name in _BOUNDARY:
        return "boundary", f"{words} is counted twice"
    return "factor", f"{words} is {c} times what it must be"


def equation_variants(
    claimed: Node, right: Node, source: Node, transposed: Node, what: str, apart: Collection[str] = ()
) -> Iterator[Variant]:
    """An adjoint equation with its signs, its transpose, its source changed; for `apart` see `grouped`."""
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
    yield from grouped_variants(((claimed, right),), apart)
    yield from term_variants(claimed, right)
    for c in COEFFICIENTS[2:]:
        yield Variant("factor", f"the gradient of the running cost is {c} times what it must be",
                      ((claimed, tidy(jacobian + mul(num(c), source))),))  # fmt: skip
        yield Variant(
            "factor", f"the Jacobian is {c} times what it must be", ((claimed, tidy(source + mul(num(c), jacobian))),)
        )
        yield Variant("factor", f"{what} is {c} times what it must be", ((claimed, tidy(mul(num(c), right))),))


def entry_variants(right: Node, entries: Iterable[str]) -> Iterator[tuple[str, str, Node]]:
    """(slip, what it says, formula): a formula without the part of one entry of the adjoint, or with that turned."""
    within = free_symbols(right)
    for entry in entries:
        if entry in within:
            s = symbol(entry)
            without = tidy(substitute(right, {s: ZERO}))
            if without is not ZERO:
                yield "missing-term", f"what {entry} contributes is missing", without
                turned = tidy(substitute(right, {s: mul(MINUS_ONE, s)}))
                yield "sign", f"what {entry} contributes has the wrong sign", turned


def value_variants(
    claimed: Node, right: Node, what: str = "the terminal condition", cost: str = "terminal cost"
) -> Iterator[Variant]:
    """A terminal condition, or a jump."""
    if claimed is ZERO or is_zero(claimed):
        yield Variant("boundary", f"the {cost} is missing from {what}", ((claimed, ZERO),))
    if right is ZERO:
        yield Variant("boundary", f"{what} is zero: no {cost} depends on this state", ((claimed, claimed),))
    yield Variant("sign", f"{what} has the wrong sign", ((claimed, tidy(-right)),))
    for c in COEFFICIENTS[2:]:
        yield Variant("factor", f"{what} is {c} times what it must be", ((claimed, tidy(mul(num(c), right))),))
    yield from term_variants(claimed, right)


def term_variants(claimed: Node, right: Node) -> Iterator[Variant]:
    """A sum with one of its terms changed."""
    for says, slip, changed in _changed_terms(right):
        yield Variant(slip, says, ((claimed, changed),))


def grouped_variants(pairs: Pairs, apart: Collection[str]) -> Iterator[Variant]:
    """What terms differ in where the quotient rule and squares of functions are written as people write them."""
    terms = [(grouped(claimed, apart), grouped(right, apart)) for claimed, right in pairs]
    if any(one is None or other is None for one, other in terms):
        return
    found = differing_terms(pairs, [(one or (), other or ()) for one, other in terms])
    if found is not None:
        yield found
    for i, (_, right) in enumerate(terms):
        bare = [tidy(mul(*(f for f in _factors(each) if not _has_calls(f)))) for each in right or ()]
        if sum(one is not other for one, other in zip(bare, right or (), strict=True)) > 1:
            says = "the derivatives of the functions inside, such as 1 - tanh(z)^2, are missing"
            yield Variant("missing-factor", says, (*pairs[:i], (pairs[i][0], add(ZERO, *bare)), *pairs[i + 1 :]))
        for inner, (says, slip, changed) in _lost_factors(add(ZERO, *(right or ()))):
            if inner:
                yield Variant(slip, says, (*pairs[:i], (pairs[i][0], changed), *pairs[i + 1 :]))


def _changed_terms(node: Node) -> Iterator[tuple[str, str, Node]]:
    """One term of a sum missing, with the other sign, or with a factor; one factor of a product lost."""
    lost = list(_lost_factors(node))
    # An inner derivative such as 1 - tanh(x)^2 is a factor before it is a term and another one.
    yield from (change for inner, change in lost if inner)
    whole, apart = node.args if node.op == "add" else (), expanded(node) or ()
    for terms in (apart, whole if any(_is_sum(term) for term in whole) else ()):
        for i, term in enumerate(terms) if 2 <= len(terms) <= MOST_TERMS else ():
            rest = [*terms[:i], *terms[i + 1 :]]
            text = write(term)
            quoted = text if len(text) <= LONGEST_QUOTED else "one of its terms"
            yield f"the term {quoted} is missing", "missing-term", total(rest)
            yield f"the term {quoted} has the wrong sign", "sign", total([*rest, mul(MINUS_ONE, term)])
            for c in (Fraction(2), Fraction(1, 2)):
                yield f"the term {quoted} is {c} times what it must be", "factor", total([*rest, mul(num(c), term)])
    yield from (change for inner, change in lost if not inner)


def _is_sum(term: Node) -> bool:
    """Whether a term is several ones when it is multiplied out."""
    return any(factor.op == "add" for factor in term.args)


def _lost_factors(node: Node) -> Iterator[tuple[bool, tuple[str, str, Node]]]:
    """A product, or one in a sum, without one of its factors, where that is no number; whether a function is in it."""
    terms = node.args if node.op == "add" else (node,)
    for i, term in enumerate(terms):
        factors = term.args if term.op == "mul" else ()
        for j, factor in enumerate(factors):
            if factor.op in ("symbol", "add", "pow", "call") and len(factors) > 1:
                left = mul(*factors[:j], *factors[j + 1 :])
                says = f"the factor {_quoted(factor)} is missing"
                yield _has_calls(factor), (says, "missing-factor", total([*terms[:i], left, *terms[i + 1 :]]))


def _factors(node: Node) -> tuple[Node, ...]:
    return node.args if node.op == "mul" else (node,)


def _has_calls(node: Node) -> bool:
    return any(each.op == "call" for each in postorder(node))


def _quoted(node: Node) -> str:
    text = write(node)
    return text if len(text) <= LONGEST_QUOTED else f"of {len(text)} letters"


def differing_terms(
    pairs: Pairs, terms: Sequence[tuple[Sequence[Node], Sequence[Node]]] | None = None
) -> Variant | None:
    """What all terms that are wrong have in common: they are missing, too many, or wrong by the same factor.

    pairs   (claimed, right) each; what is claimed is compared term by term.
    terms   those of both; unless they are given, everything multiplied out.
    """
    found: list[tuple[str, Node]] = []
    changed: list[tuple[Node, Node]] = []
    lost: list[Node] = []
    added: list[Node] = []
    for i, (claimed, right) in enumerate(pairs):
        one, other = map(coefficients, (claimed, right)) if terms is None else map(keyed, terms[i])
        if one is None or other is None:
            return None
        kept = []
        for key in dict.fromkeys((*other, *one)):
            (c, rest), (r, same) = one.get(key, (Fraction(0), ONE)), other.get(key, (Fraction(0), ONE))
            kept.append(scaled(c, rest if r == 0 else same) if c else ZERO)
            if c != r:
                kind = "missing-term" if c == 0 else "extra-term" if r == 0 else "sign" if c == -r else ""
                found.append((kind, scaled(r, same) if c == 0 else scaled(c, rest)))
                lost += [scaled(r, same)] if r else []
                added += [scaled(c, rest)] if c else []
        changed.append((claimed, add(ZERO, *kept)))
    slips = {slip for slip, _ in found}
    if len(slips) != 1 or "" in slips:
        named = _in_the_place_of(lost, added)
        return None if named is None else Variant(*named, tuple(changed))
    (slip,) = slips
    text = write(add(ZERO, *(term for _, term in found)) if len(found) > 1 else found[0][1])
    whole = len(text) <= LONGEST_QUOTED
    quoted = text if whole else f"{len(found)} of its terms"
    says = {
        "missing-term": f"{quoted} {'is' if whole else 'are'} missing",
        "extra-term": f"{quoted} {'is' if whole else 'are'} too many",
        "sign": f"{quoted} {'has' if whole else 'have'} the wrong sign",
    }
    return Variant(slip.replace("extra", "missing"), says[slip], tuple(changed))


def _in_the_place_of(lost: Sequence[Node], added: Sequence[Node]) -> tuple[str, str] | None:
    """The slip by which each of the terms that are lost became one of those that stand there instead.

    All of them are wrong by one and the same factor: a number, a power of something, one name in another's place.
    """
    if not lost or len(lost) != len(added):
        return None
    for term in added:
        ratio = tidy(div(term, lost[0]))
        if _each(lost, added, ratio) and (named := _named_ratio(ratio, lost)) is not None:
            return named
    return None


def _each(lost: Sequence[Node], added: Sequence[Node], ratio: Node) -> bool:
    """Whether what was added is what was lost times the ratio, term by term."""
    left = list(added)
    for term in lost:
        place = next((i for i, other in enumerate(left) if is_zero(mul(ratio, term) - other)), None)
        if place is None:
            return False
        del left[place]
    return True


def _named_ratio(ratio: Node, lost: Sequence[Node]) -> tuple[str, str] | None:
    number, rest = leading_number(ratio)
    what = f"the term {_quoted(lost[0])}" if len(lost) == 1 else f"each of {len(lost)} terms"
    exponents = powers(rest) if rest is not ONE else {}
    if not exponents:
        return ("sign", f"{what} has the wrong sign") if number == -1 else (
            "factor", f"{what} is {number} times what it must be")  # fmt: skip
    above = [base for base, exponent in exponents.items() if exponent > 0]
    below = [base for base, exponent in exponents.items() if exponent < 0]
    if len(above) == len(below) == 1 and sum(exponents.values()) == 0 and abs(number) == 1:
        return _exchanged(above[0], below[0])
    if len(exponents) != 1 or abs(exponents[base := next(iter(exponents))]) != 1:
        return None
    exponent = exponents[base]
    before = [powers(term).get(base, Fraction(0)) for term in lost]
    if all(power and power + exponent for power in before):
        return "power", f"an exponent of {_quoted(base)} is one too {'high' if exponent > 0 else 'low'} in {what}"
    if abs(number) != 1:
        return None
    divisor = all(power == -exponent < 0 for power in before)
    says = f"the {'divisor' if divisor else 'factor'} {_quoted(base)} is"
    return "missing-factor", f"{says} {'missing' if divisor or exponent < 0 else 'too many'} in {what}"


def _exchanged(there: Node, wanted: Node) -> tuple[str, str] | None:
    """One name, or one function, that stands in the place of another."""
    says = f"{_quoted(there)} stands for {_quoted(wanted)}"
    if there.op == wanted.op == "symbol":
        step = there.value.partition("[")[0] == wanted.value.partition("[")[0]
        if "(" in there.value and there.value.partition("(")[0] == wanted.value.partition("(")[0]:
            return "boundary", says
        if _are_transposed(there.value, wanted.value):
            return "transpose", f"{says}: rows and columns are exchanged"
        return ("index" if step else "swap"), says
    if there.op == wanted.op == "call" and there.args == wanted.args:
        return "function", says
    return None


def _are_transposed(one: str, other: str) -> bool:
    """Whether names are entries of a matrix such as w12 and w21, or w_1_2 and w_2_1."""
    found = [re.fullmatch(r"(.*?[A-Za-z])(_?)(\d)(_?)(\d)", name) for name in (one, other)]
    if found[0] is None or found[1] is None:
        return False
    return found[0].group(1, 2, 3, 4, 5) == found[1].group(1, 2, 5, 4, 3) and found[0][3] != found[0][5]
