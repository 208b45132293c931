"""Which small change turns what is there into what is needed?  The repairs of one place of a formula.

Every repair undoes one slip of `verify.mutate`, and is named after it.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction

from flint import acb

from verify.graph import MINUS_ONE, ZERO, Node, add, call, div, free_symbols, mul, num, power, size, symbol
from verify.mutate import ROUNDINGS, negated, shifted, siblings

ValueOf = Callable[[Node], acb | None]

#: Numeric factors that are tried where none can be computed.
USUAL_FACTORS = tuple(Fraction(f) for f in ("2", "1/2", "3", "1/3", "4", "1/4"))
#: Numerators and denominators up to here belong to a factor or a number that a person may lose.
LARGEST_FACTOR = 64
#: A factor closer to 1 than this comes from rounding; its denominator is at most LONGEST_ROUNDED.
ROUNDED, LONGEST_ROUNDED = Fraction(1, 1000), 10**13


@dataclass(frozen=True)
class Repair:
    """The slip that is undone, the new subexpression, and what to say about the old one.

    times     the number that the old one is, times the needed one; None where the two do not differ by a number.
    unlikely  how many inserted nodes it shall count for beyond those it has.
    """

    slip: str
    new: Node
    says: str
    times: Fraction | None = None
    unlikely: int = 0


def narrow(ball: acb) -> bool:
    """Whether equality with another ball means something: width 2^-100 of its size at most (or 2^-140)."""
    return ball.rel_accuracy_bits() > 100 or bool(ball.real.rad() + ball.imag.rad() < 2.0**-140)


def same(one: acb, other: acb) -> bool:
    """Whether two narrow balls may hold the same number."""
    return bool(one.overlaps(other))


class Pool:
    """What may have been lost, with its values sorted so that a needed value finds its expression at once."""

    def __init__(self, nodes: Sequence[Node], value_of: ValueOf) -> None:
        found = [(value, node) for node in nodes if (value := value_of(node)) is not None and not value.contains(0)]
        found.sort(key=lambda pair: _key(pair[0]))
        self._found = found
        self._keys = [_key(value) for value, _ in found]
        self._names = [(node.value, value) for value, node in found if node.op == "symbol"]
        self.names = sorted(name for name, _ in self._names)

    def equal_to(self, value: acb) -> Node | None:
        """The smallest expression with this value; None if there is none."""
        key = _key(value)
        margin = 1e-12 * abs(key)
        at = bisect_left(self._keys, key - margin)
        best: Node | None = None
        while at < len(self._keys) and self._keys[at] <= key + margin:
            candidate, node = self._found[at]
            if same(candidate, value) and (best is None or size(node) < size(best)):
                best = node
            at += 1
        return best

    def made_of(self, value: acb) -> Node | None:
        """An expression with this value: one of the pool, or such a one times a usual number or one name."""
        if (found := self.equal_to(value)) is not None:
            return found
        for number in USUAL_FACTORS:
            if (found := self.equal_to(value * number.denominator / number.numerator)) is not None:
                return _times(number, found)
        for name, other in self._names:
            if (found := self.equal_to(value / other)) is not None:
                return multiplied(symbol(name), found)
        return None


def _key(value: acb) -> float:
    """A projection to a line, so that complex numbers can be sorted too."""
    return float(value.real.mid()) + 0.7310585786300049 * float(value.imag.mid())


# --- repairs that keep the parts ------------------------------------------------------------------


def rearrangements(node: Node, names: Sequence[str]) -> Iterator[Repair]:
    """The same place with another sign, name, function or exponent, or with one part less."""
    if node.op != "num":
        yield Repair("sign", negated(node), "has the wrong sign", Fraction(-1))
    match node.op:
        case "symbol":
            for name in names:
                if name != node.value:
                    yield Repair("swap", symbol(name), f"stands for {name}")
        case "call":
            for sibling in siblings(node):
                yield Repair("function", sibling, f"stands for {sibling.value}")
            if len(node.args) == 2:
                yield Repair("swap", call(node.value, *node.args[::-1]), "has its arguments in the wrong order")
        case "pow":
            yield from _exponents(*node.args)
        case "add":
            yield from _terms(node)
        case "mul":
            for i, factor in enumerate(node.args):
                if factor.op != "num":
                    rest = mul(*node.args[:i], *node.args[i + 1 :])
                    yield Repair("power", rest, f"has {_factor_text(factor)} too many")
    if node.op in ("symbol", "call", "add"):
        yield Repair("power", power(node, num(2)), "lacks the exponent 2")


def _terms(node: Node) -> Iterator[Repair]:
    for i, term in enumerate(node.args):
        before, after = node.args[:i], node.args[i + 1 :]
        yield Repair("sign", add(*before, negated(term), *after), f"has the wrong sign before {short_text(term)}")
        yield Repair("other", add(*before, *after), f"has the term {short_text(term)} too many")


def _exponents(base: Node, exponent: Node) -> Iterator[Repair]:
    for step in (1, -1):
        right = shifted(exponent, step)
        if right is not ZERO:
            says = f"has the exponent {short_text(exponent)} instead of {short_text(right)}"
            yield Repair("power", power(base, right), says)
    if exponent is not MINUS_ONE:
        yield Repair("power", power(base, negated(exponent)), "has an exponent of the wrong sign", unlikely=1)


# --- repairs that put something in ----------------------------------------------------------------


def insertions(node: Node, value: acb, need: acb, pool: Pool) -> Iterator[Repair]:
    """A number, a factor or a term that makes up for the difference between `value` and `need`."""
    if not value.contains(0) and not need.contains(0):
        yield from _factors(node, need / value, pool)
    yield from _terms_lost(node, need - value, pool)


def insertions_in_exponent(exponent: Node, value: acb, need: acb, pool: Pool) -> Iterator[Repair]:
    """The same for a number that is an exponent: a factor there is only lost by rounding."""
    if not value.contains(0) and not need.contains(0):
        number = recognised(need / value, LONGEST_ROUNDED)
        if number is not None and number != 1 and abs(number - 1) < ROUNDED:
            yield _scaling(exponent, number)
    yield from _terms_lost(exponent, need - value, pool)


def _terms_lost(node: Node, difference: acb, pool: Pool) -> Iterator[Repair]:
    if difference.contains(0):
        return
    number = recognised(difference, LARGEST_FACTOR)
    if number and node.op != "num":
        yield Repair("missing-term", _with_term(node, num(number)), f"lacks the term {number}")
    for sign, wanted in ((1, difference), (-1, -difference)):
        if (term := pool.made_of(wanted)) is not None:
            signed = term if sign > 0 else negated(term)
            yield Repair("missing-term", _with_term(node, signed), f"lacks the term {short_text(signed)}")
            return


def _factors(node: Node, ratio: acb, pool: Pool) -> Iterator[Repair]:
    number = recognised(ratio, LONGEST_ROUNDED)
    if number is not None and number not in (0, 1):
        rounded = abs(number - 1) < ROUNDED
        if rounded or max(abs(number.numerator), number.denominator) <= LARGEST_FACTOR:
            yield _scaling(node, number)
            return
    if (factor := pool.made_of(ratio)) is not None:
        yield _missing(factor, multiplied(node, factor), f"lacks {_factor_text(factor)}")
    elif (divisor := pool.made_of(1 / ratio)) is not None:
        yield _missing(divisor, _divided(node, divisor), f"lacks the divisor {short_text(divisor)}")


def _scaling(node: Node, number: Fraction) -> Repair:
    slip = "rounding" if abs(number - 1) < ROUNDED else "sign" if number == -1 else "factor"
    return Repair(slip, _times(number, node), f"is {number_text(1 / number)} times what it should be", 1 / number)


def _missing(what: Node, new: Node, says: str) -> Repair:
    return Repair("missing-factor" if free_symbols(what) else "factor", new, says)


def guesses(node: Node, names: Sequence[str]) -> Iterator[Repair]:
    """What may be tried where the needed value is unknown."""
    yield from rearrangements(node, names)
    for number in (*USUAL_FACTORS, *ROUNDINGS, *(1 / rounding for rounding in ROUNDINGS)):
        yield _scaling(node, number)
    for name in names:
        yield Repair("missing-factor", multiplied(node, symbol(name)), f"lacks the factor {name}")


def recognised(value: acb, largest: int) -> Fraction | None:
    """The fraction that the ball holds, if there is one with numerator and denominator up to about `largest`."""
    if not value.imag.contains(0) or not value.real.is_finite():
        return None
    man, exp = value.real.mid().man_exp()
    middle = Fraction(int(man)) * Fraction(2) ** int(exp)
    if abs(middle) > largest:
        return None
    near = middle.limit_denominator(largest)
    return near if value.contains(acb(near.numerator) / near.denominator) else None


# --- building -------------------------------------------------------------------------------------


def _times(number: Fraction, node: Node) -> Node:
    if node.op == "num":
        return num(number * node.value)
    if node.op == "mul":
        for i, factor in enumerate(node.args):
            if factor.op == "num":
                return mul(*node.args[:i], num(number * factor.value), *node.args[i + 1 :])
    return div(node, num(1 / number)) if number.numerator == 1 else multiplied(num(number), node)


def multiplied(node: Node, factor: Node) -> Node:
    """The product, without brackets inside it."""
    parts = [part for each in (node, factor) for part in (each.args if each.op == "mul" else (each,))]
    return mul(*parts)


def _divided(node: Node, divisor: Node) -> Node:
    return multiplied(node, power(divisor, MINUS_ONE))


def _with_term(node: Node, term: Node) -> Node:
    return add(*(part for each in (node, term) for part in (each.args if each.op == "add" else (each,))))


# --- words ----------------------------------------------------------------------------------------


def short_text(node: Node) -> str:
    """The expression as text, cut where it is long."""
    from verify.language import write

    text = write(node)
    return text if len(text) <= 60 else f"{text[:59]}…"


def _factor_text(factor: Node) -> str:
    if factor.op == "pow" and factor.args[1] is MINUS_ONE:
        return f"the divisor {short_text(factor.args[0])}"
    return f"the factor {short_text(factor)}"


def number_text(number: Fraction) -> str:
    """1000001/1000000 as 1.000001."""
    decimal = Fraction(str(float(number)))
    return (
        str(float(number)) if decimal == number and number.denominator != 1 and number.denominator > 64 else str(number)
    )
