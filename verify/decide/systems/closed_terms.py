"""Which terms of a gradient in closed form are wrong?  Both sides as sums of products of functions, one by one.

What is found is no more than a suspicion, since functions are compared by their text: it must be decided.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from math import lcm
from typing import Any, TypeAlias

from verify.calculus.quotients import Quotient, Quotients, TooLarge, mul_of, read_all
from verify.calculus.tidy import expanded, leading_number, short, tidy
from verify.calculus.waves import settled
from verify.graph import HALF, MINUS_ONE, ONE, ZERO, Node, add, call, div, mul, neg, num, postorder, power, transform
from verify.language.write import write

#: Letters of a term that is worth printing.
LONGEST = 90

Terms: TypeAlias = dict[tuple[int, ...], Quotient]


@dataclass(frozen=True)
class Suspicion:
    """A slip, in words, and what is claimed without it."""

    slip: str
    says: str
    formula: Node


def suspicions(claimed: Node, right: Node) -> Iterator[Suspicion]:
    """What may be wrong in a formula, as the terms of the right one tell."""
    for fine in (False, True):
        try:
            found = _terms(claimed, right, fine)
        except (TooLarge, ZeroDivisionError):
            return
        if found is not None:
            yield from _suspicions(claimed, *found, fine=fine)


def _suspicions(claimed: Node, field: Quotients, one: Terms, other: Terms, *, fine: bool) -> Iterator[Suspicion]:
    missing = [m for m in other if m not in one]
    extra = [m for m in one if m not in other]
    changed = [m for m in one if m in other and (one[m] - other[m])]

    def of(monomials: list[tuple[int, ...]], terms: Terms) -> Node:
        return short(settled(add(ZERO, ZERO, *(mul(field.write(terms[m]), _product(field, m)) for m in monomials))))

    if missing and not extra and not changed and len(missing) < len(other):
        term = of(missing, other)
        yield Suspicion("missing-term", f"{_named(term)} missing", add(claimed, term))
    elif extra and not missing and not changed and len(extra) < len(one):
        term = of(extra, one)
        yield Suspicion("missing-term", f"{_named(term)} too many", add(claimed, neg(term)))
    elif fine:
        return
    elif changed and not missing and not extra and len(changed) < len(other):
        ratios = {_ratio(field, one[m] / other[m]) for m in changed}
        if len(ratios) == 1 and (ratio := ratios.pop()) is not None:
            term = of(changed, one)
            is_number = ratio.op == "num"
            slip = ("sign" if ratio is MINUS_ONE else "factor") if is_number else "missing-factor"
            what = "of the wrong sign" if ratio is MINUS_ONE else f"{write(ratio)} times what it must be"
            what = what if is_number or len(write(ratio)) < LONGEST else "of a wrong factor"
            repaired = add(claimed, neg(term), of(changed, other))
            yield Suspicion(slip, f"{_named(term)} {what}", repaired)
        elif len(changed) == 1:
            gap = settled(add(of(changed, other), neg(of(changed, one))))
            yield Suspicion("missing-term", f"{_named(gap)} missing", add(claimed, gap))


def _named(term: Node) -> str:
    text = write(term)
    if len(text) > LONGEST:
        return "a term is" if term.op != "add" else "some terms are"
    return f"{text} is"


def _ratio(field: Quotients, ratio: Quotient) -> Node | None:
    """A quotient that is a single product."""
    single = len(ratio.num) == 1 and len(ratio.den) == 1
    return settled(field.write(ratio)) if single else None


# --- both sides in the same functions ---


def _terms(claimed: Node, right: Node, fine: bool) -> tuple[Quotients, Terms, Terms] | None:
    """The coefficients of products of functions (`fine`: and of names) over a common denominator, in one field."""
    sides = [transform(_canonical(node), _plainly) for node in (claimed, right)]
    fineness = _fineness(sides)
    sides = [transform(node, lambda each: _split(each, fineness)) for node in sides]
    known = read_all(sides)
    if known is None:
        return None
    field, read = known
    functions = [i for i, kernel in enumerate(field.kernels) if fine or kernel.op in ("call", "pow")]
    whole = read[0].den * read[1].den / read[0].den.gcd(read[1].den)
    found: list[Terms] = []
    for each in read:
        numerator = each.num * (whole / each.den)
        parts: dict[tuple[int, ...], dict[tuple[int, ...], Any]] = {}
        for exponents, c in numerator.terms():
            own = tuple(int(e) if i in functions else 0 for i, e in enumerate(exponents))
            rest = tuple(0 if i in functions else int(e) for i, e in enumerate(exponents))
            parts.setdefault(own, {})[rest] = c
        found.append({own: Quotient.of(field.ring.from_dict(rest), whole) for own, rest in parts.items()})
    return field, found[0], found[1]


def _product(field: Quotients, monomial: tuple[int, ...]) -> Node:
    return mul_of([k if e == 1 else power(k, num(e)) for k, e in zip(field.kernels, monomial, strict=False) if e])


def _canonical(node: Node) -> Node:
    """Arguments of functions and roots in lowest terms, squares outside of roots."""

    def change(each: Node) -> Node | None:
        if each.op == "pow" and each.args[1].op == "num" and each.args[1].value.denominator == 2:
            known = read_all((each.args[0],))
            if known is None:
                return None
            field, (read,) = known
            outside, inside = field.root(read)
            return power(mul(outside, power(inside, HALF)), num(2 * each.args[1].value))
        if each.op == "pow" and each.args[1].op != "num":
            return call("exp", _lowest(mul(each.args[1], _logarithm(each.args[0]))))
        if each.op == "call" and each.value == "log":
            return _logarithm(each.args[0])
        if each.op == "call" and len(each.args) == 1:
            return call(each.value, _lowest(each.args[0]))
        return None

    return transform(tidy(node), change)


def _lowest(node: Node) -> Node:
    known = read_all((node,))
    if known is None:
        return node
    field, (read,) = known
    terms = [Quotient.of(field.ring.from_dict({m: c}), read.den) for m, c in read.num.terms()]
    return add(ZERO, ZERO, *(field.write(term) for term in terms))


def _logarithm(node: Node) -> Node:
    """The logarithm of a product as a sum."""
    if node.op == "mul":
        return add(*map(_logarithm, node.args))
    if node.op == "pow" and node.args[1].op == "num":
        return mul(node.args[1], _logarithm(node.args[0]))
    return ZERO if node is ONE else call("log", node)


def _plainly(node: Node) -> Node | None:
    """Hyperbolic functions by exponentials, tangents by sines and cosines."""
    if node.op != "call" or len(node.args) != 1:
        return None
    (x,) = node.args
    if node.value == "tan":
        return div(call("sin", x), call("cos", x))
    if node.value not in ("sinh", "cosh", "tanh"):
        return None
    up, down = call("exp", x), call("exp", _lowest(neg(x)))
    sinh, cosh = mul(HALF, add(up, neg(down))), mul(HALF, add(up, down))
    return {"sinh": sinh, "cosh": cosh, "tanh": div(sinh, cosh)}[node.value]


def _exponents(node: Node) -> Iterator[tuple[Fraction, Node]]:
    """The terms of the exponent of an exponential: a number and the rest, whose own number in front is 1."""
    for term in expanded(node.args[0]) or (node.args[0],):
        if term is not ZERO:
            yield leading_number(tidy(term))


def _fineness(sides: list[Node]) -> dict[Node, int]:
    """For each part of an exponent the common denominator of its numbers."""
    found: dict[Node, int] = {}
    for node in postorder(*sides):
        if node.op == "call" and node.value == "exp":
            for number, rest in _exponents(node):
                found[rest] = lcm(found.get(rest, 1), number.denominator)
    return found


def _split(node: Node, fineness: dict[Node, int]) -> Node | None:
    """The exponential of a sum as a product of powers of exponentials."""
    if node.op != "call" or node.value != "exp":
        return None
    factors = []
    for number, rest in _exponents(node):
        q = fineness.get(rest)
        if q is None:
            return None
        base = call("exp", rest if q == 1 else mul(num(Fraction(1, q)), rest))
        n = number * q
        factors.append(base if n == 1 else power(base, num(n)))
    return mul_of(factors)
