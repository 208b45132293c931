"""Which formulas are one slip away from this one?  The same slips serve to test checks and to explain refutations.

slip             what is done at one place of the formula
sign             + for -, or - for +
factor           a numeric factor lost, or one of 2, 3, 1/2 too many
missing-factor   a factor or divisor that is not a number lost
missing-term     one term of a sum lost
power            an exponent off by one
swap             a name replaced by another one of the formula
function         a function replaced by its sibling (sin by cos, erf by erfi, …)
rounding         a factor 1 + 10^-6 or 1 + 10^-9
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction

from verify.claim import Claim, Domain
from verify.graph import MINUS_ONE, ONE, ZERO, Node, add, call, free_symbols, mul, neg, num, power, rebuild, symbol

#: Pairs of functions that are taken for one another.
_FAMILIES = """
    sin cos | tan cot | sec csc | sinh cosh | tanh coth | sech csch | sin sinh | cos cosh | tan tanh
    asin acos | atan acot | asec acsc | asinh acosh | atanh acoth | asech acsch | atan atanh | asin asinh | acos acosh
    acot acoth | asec asech | acsc acsch | erf erfc | erf erfi | erfinv erfcinv | fresnels fresnelc | Si Ci | Shi Chi
    Si Shi | Ci Chi | Ei li | gamma factorial | gamma loggamma | digamma loggamma | exp log | max min
    besselj bessely | besseli besselk | besselj besseli | airyai airybi | airyaiprime airybiprime | airyai airyaiprime
    airybi airybiprime | elliptic_k elliptic_e | elliptic_f elliptic_e | uppergamma lowergamma | chebyshevt chebyshevu
    abs sign | floor ceil
"""


def _siblings() -> dict[str, tuple[str, ...]]:
    found: dict[str, list[str]] = {}
    for one, other in (pair.split() for line in _FAMILIES.strip().splitlines() for pair in line.split("|")):
        found.setdefault(one, []).append(other)
        found.setdefault(other, []).append(one)
    return {name: tuple(others) for name, others in found.items()}


SIBLINGS = _siblings()

#: Factors that a rounded constant leaves behind.
ROUNDINGS = (1 + Fraction(1, 10**6), 1 + Fraction(1, 10**9))

#: A place in a formula: which argument to take, from the root down.
Place = tuple[int, ...]


@dataclass(frozen=True)
class Mutant:
    """A wrong neighbour.

    says   what was done, for a reader.
    blind  conditions under which it agrees with the original all the same; whoever draws inputs must leave them.
    """

    slip: str
    says: str
    node: Node
    blind: tuple[str, ...] = ()


def places(root: Node, most: int = 5000) -> Iterator[tuple[Place, Node]]:
    """Every occurrence of every subexpression, the root first; at most so many (sharing can make them countless)."""
    level: list[tuple[Place, Node]] = [((), root)]
    while level and most > 0:
        yield from level[:most]
        most -= len(level)
        level = [((*place, i), arg) for place, node in level[:most] for i, arg in enumerate(node.args)]


def replaced(root: Node, place: Place, new: Node) -> Node:
    """The formula with the subexpression at one place replaced; other occurrences of it stay.

    A sum that comes into a sum, or a product into a product, loses its brackets.
    """
    path = [root]
    for i in place:
        path.append(path[-1].args[i])
    for node, i in zip(reversed(path[:-1]), reversed(place), strict=True):
        inserted = new.args if new.op == node.op and new.op in ("add", "mul") and new is not node.args[i] else (new,)
        new = rebuild(node, (*node.args[:i], *inserted, *node.args[i + 1 :]))
    return new


def mutants(root: Node, domain: Domain | None = None, *, names: Sequence[str] = (), seed: int = 0) -> Iterator[Mutant]:
    """All single slips at all places, each different formula once.

    domain  when given, those that are not REFUTED on it (equal to the original, or nobody knows) are dropped.
    names   further names that may be swapped in; all must be declared in `domain`.
    """
    seen = {root}
    symbols = sorted(free_symbols(root) | set(names))
    for place, node in places(root):
        for slip, says, new, blind in _slips(node, symbols, is_root=not place, is_exponent=in_exponent(root, place)):
            mutant = replaced(root, place, new)
            if mutant in seen:
                continue
            seen.add(mutant)
            blind = tuple(condition for condition in blind if any(c.isalpha() for c in condition))
            if domain is None or _differs(root, mutant, domain, seed):
                yield Mutant(slip, says, mutant, blind)


def in_exponent(root: Node, place: Place) -> bool:
    """Whether the place is the exponent of a power."""
    node = root
    for i in place[:-1]:
        node = node.args[i]
    return bool(place) and node.op == "pow" and place[-1] == 1


def _differs(one: Node, other: Node, domain: Domain, seed: int) -> bool:
    from verify.decide.enclose.search import search

    return search(Claim(one, other, domain), seed=seed).counterexample is not None


# --- the slips at one node ------------------------------------------------------------------------

_Slip = tuple[str, str, Node, tuple[str, ...]]


def _slips(node: Node, symbols: Sequence[str], *, is_root: bool, is_exponent: bool) -> Iterator[_Slip]:
    match node.op:
        case "add":
            yield from _slips_of_sum(node)
        case "mul":
            yield from _slips_of_product(node)
        case "pow":
            yield from _slips_of_power(node)
        case "call":
            for sibling in siblings(node):
                yield "function", f"{sibling.value} for {node.value}", sibling, ()
        case "symbol":
            for other in symbols:
                if other != node.value:
                    yield "swap", f"{other} for {node.value}", symbol(other), (f"{other} = {node.value}",)
    if is_root or node.op in ("symbol", "call", "add"):
        blind = (f"{_text(node)} = 0",)
        for factor in ROUNDINGS:
            yield "rounding", f"{_text(node)} times {float(factor)!r}", mul(node, num(factor)), blind
    if is_root:
        yield "sign", "the whole with the other sign", neg(node), (f"{_text(node)} = 0",)
        for factor in (Fraction(2), Fraction(3), Fraction(1, 2)):
            yield "factor", f"the whole times {factor}", mul(num(factor), node), (f"{_text(node)} = 0",)
    if node.op == "num" and is_exponent:
        return
    if node.op == "num" and abs(node.value) != 1 and node is not ZERO:
        yield "factor", f"{_text(node)} lost", num(1 if node.value > 0 else -1), ()


def _slips_of_sum(node: Node) -> Iterator[_Slip]:
    for i, term in enumerate(node.args):
        rest = (*node.args[:i], *node.args[i + 1 :])
        blind = (f"{_text(term)} = 0",)
        yield "missing-term", f"the term {_text(term)} lost", add(*rest), blind
        yield (
            "sign",
            f"the other sign before {_text(term)}",
            add(*node.args[:i], negated(term), *node.args[i + 1 :]),
            blind,
        )


def _slips_of_product(node: Node) -> Iterator[_Slip]:
    for i, factor in enumerate(node.args):
        rest = mul(*node.args[:i], *node.args[i + 1 :])
        if factor is MINUS_ONE:
            yield "sign", "a minus lost", rest, (f"{_text(rest)} = 0",)
        elif factor.op != "num":
            divisor = factor.op == "pow" and factor.args[1] is MINUS_ONE
            what = f"the divisor {_text(factor.args[0])}" if divisor else f"the factor {_text(factor)}"
            yield "missing-factor", f"{what} lost", rest, (f"{_text(factor)} = 1", f"{_text(rest)} = 0")


def _slips_of_power(node: Node) -> Iterator[_Slip]:
    base, exponent = node.args
    if exponent is MINUS_ONE:
        yield "missing-factor", f"the divisor {_text(base)} lost", ONE, (f"{_text(base)} = 1",)
        return
    for step in (1, -1):
        off = shifted(exponent, step)
        new = ONE if off is ZERO else power(base, off)
        blind = (f"{_text(base)} = 1", f"{_text(base)} = 0")
        yield "power", f"the exponent {_text(off)} for {_text(exponent)}", new, blind


def shifted(exponent: Node, step: int) -> Node:
    """exponent + step, as a person would write it."""
    if exponent.op == "num":
        return num(exponent.value + step)
    if exponent.op == "add" and exponent.args[-1].op == "num":
        return add(*exponent.args[:-1], num(exponent.args[-1].value + step))
    return add(exponent, num(step))


def siblings(node: Node) -> Iterator[Node]:
    """The same call with each function that is taken for this one."""
    from verify.functions import VARIADIC, function

    for name in SIBLINGS.get(node.value, ()):
        if name in VARIADIC or function(name, len(node.args)) is not None:
            yield call(name, *node.args)


def negated(term: Node) -> Node:
    """-term, without two signs in a row."""
    if term.op == "num":
        return num(-term.value)
    if term.op == "mul" and term.args[0].op == "num":
        return mul(num(-term.args[0].value), *term.args[1:])
    return neg(term)


def _text(node: Node) -> str:
    from verify.language import write

    return write(node)
