"""What is the value of a definite integral?  An antiderivative is guessed, and used only where it is proved.

    int f = F(b) - F(a)    where F' = f as an identity, and F is smooth from a to b wherever f is continuous there

Guesses come from integration by parts (for declared functions) and from SymPy; nobody needs to trust either.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from verify.claim import Variable
from verify.decide.integrals.guesses import IsZero, guesses
from verify.decide.integrals.smooth import Path, certain_powers, conditions, is_positive
from verify.decide.integrals.standard import is_infinite
from verify.decide.integrals.terms import (
    TooLong,
    coefficients,
    summed,
    terms,
    times,
    written,
)
from verify.decide.prove.differentiate import carried_out
from verify.decide.prove.tower import GiveUp
from verify.graph import (
    HALF,
    MINUS_ONE,
    ONE,
    PI,
    ZERO,
    Node,
    add,
    derivative,
    free_symbols,
    mul,
    num,
    substitute,
    symbol,
    transform,
)


def definite(
    body: Node, name: str, low: Node, high: Node, variables: Mapping[str, Variable], is_zero: IsZero
) -> Node | None:
    """The integral in closed form, wherever it has a value; None where no antiderivative is found and proved.

    is_zero   whether an expression is proved to vanish for all values of the variables.
    """
    if body is ZERO:
        return ZERO
    known = conditions(body, variables=variables)
    infinite = is_infinite(low), is_infinite(high)
    if known is None or infinite[0] > 0 or infinite[1] < 0:
        return None
    ends = between(low, high, variables)
    path = Path(name, known, variables, *ends)
    inside = {**variables, name: Variable(name, low=ends[0], high=ends[1])}
    if not free_symbols(low, high) and not _has_a_value(path):
        return None
    for guess in guesses(body, name, is_zero, inside):
        needed = conditions(guess, variables=variables)
        if needed is None or not certain_powers(guess, variables) or not all(map(path.holds, needed)):
            continue
        try:
            slope = carried_out(derivative(guess, name))
        except GiveUp:
            continue
        if not is_zero(add(slope, mul(MINUS_ONE, body)), inside):
            continue
        falling = _falling(body, name, any(infinite))
        decays = Decay(variables, falling, is_zero)
        below, above = (
            limit_at(guess, name, far, decays) if far else _at(guess, name, end, variables)
            for end, far in zip((low, high), infinite, strict=True)
        )
        if below is not None and above is not None:
            return summed(above, times(MINUS_ONE, below))
    return None


def between(low: Node, high: Node, variables: Mapping[str, Variable]) -> tuple[Node | None, Node | None]:
    """Constants between which the path lies: its ends where they are known, and None elsewhere."""
    if is_infinite(low) > 0 or is_infinite(high) < 0:
        return None, None
    if not free_symbols(low, high):
        below, above = (None if is_infinite(end) else end for end in (low, high))
        return (below, above) if below is None or above is None or is_ascending(low, high) else (above, below)
    if low.op == "num" and high.op == "symbol":
        start = variables.get(high.value, Variable(high.value)).low
        return (low if start is not None and start.op == "num" and start.value >= low.value else None), None
    return None, None


def _has_a_value(path: Path) -> bool:
    """Whether an integrand is continuous between constant limits, as far as it has no other names."""
    alone = replace(path, known=())
    return all(alone.holds(c) for c in path.known if free_symbols(c.quantity) == {path.name})


def _at(guess: Node, name: str, end: Node, variables: Mapping[str, Variable]) -> Node:
    """The antiderivative at a limit; 0 to a positive power is 0."""

    def power_of_zero(node: Node) -> Node | None:
        if node.op == "mul" and node.args[-1] is ZERO and all(f.op == "num" for f in node.args):
            return ZERO
        return ZERO if node.op == "pow" and node.args[0] is ZERO and is_positive(node.args[1], variables) else None

    return transform(substitute(guess, {symbol(name): end}), power_of_zero)


def is_ascending(low: Node | None, high: Node | None) -> bool:
    """Whether the first of two constants is the smaller one; also where that cannot be told."""
    from flint import ctx

    from verify.decide.enclose.balls import Program
    from verify.decide.enclose.jets import NoValue

    assert low is not None
    assert high is not None
    precision, ctx.prec = ctx.prec, 128
    try:
        a, b = Program((low, high), True).values({})
        return bool(a.real <= b.real)
    except NoValue:
        return True
    finally:
        ctx.prec = precision


# --- limits ------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Decay:
    """What is known of the sign of exponents.

    falling   leading coefficients that must be negative (towards oo), or else the integral would diverge.
    """

    variables: Mapping[str, Variable]
    falling: list[Node]
    is_zero: IsZero

    def __call__(self, exponent: tuple[Node, ...], side: int) -> bool:
        """Whether exp of a polynomial tends to 0."""
        while exponent and exponent[-1] is ZERO:
            exponent = exponent[:-1]
        degree = len(exponent) - 1
        if degree < 1:
            return False
        leading = exponent[-1] if side > 0 or degree % 2 == 0 else mul(MINUS_ONE, exponent[-1])
        if is_positive(mul(MINUS_ONE, leading), self.variables):
            return True
        differences = (add(exponent[-1], mul(MINUS_ONE, each)) for each in self.falling)
        grows = side < 0 or is_positive(leading, self.variables)
        return not grows and any(self.is_zero(each, self.variables) for each in differences)


def _falling(body: Node, name: str, improper: bool) -> list[Node]:
    """The rate that all terms of an integrand share: up to oo it converges only if that is negative."""
    try:
        found = terms(body, name) if improper else []
    except TooLong:
        return []
    rates = {term.exponent[-1] for term in found if len(term.exponent) >= 2 and not term.others}
    alike = len(rates) == 1 and all(len(term.exponent) >= 2 and not term.others for term in found)
    return list(rates) if alike else []


def limit_at(node: Node, name: str, side: int, decays: Decay) -> Node | None:
    """The limit at oo (side 1) or -oo; None where it is not known."""
    if name not in free_symbols(node):
        return node
    try:
        found = terms(node, name)
    except TooLong:
        return None
    parts = []
    for term in found:
        if term.others:
            limit = _of_factors(written(term, name), name, side, decays)
        elif term.exponent and decays(term.exponent, side):
            limit = ZERO
        elif term.power == 0 and term.trig is None and not any(c is not ZERO for c in term.exponent[1:]):
            limit = written(term, name)
        else:
            limit = None
        if limit is None:
            return None
        parts.append(limit)
    return summed(*parts)


def _of_factors(node: Node, name: str, side: int, decays: Decay) -> Node | None:
    """The limit of a product: of bounded factors, and of negative powers of what grows."""
    factors = node.args if node.op == "mul" else (node,)
    limits: list[Node] = []
    vanishes = False
    for factor in factors:
        if name not in free_symbols(factor):
            limits.append(factor)
        elif factor.op == "call" and factor.value == "exp":
            inner = coefficients(factor.args[0], name)
            if inner is None or not decays(inner, side):
                return None
            vanishes = True
        elif factor.op == "call" and factor.value in _AT_INFINITY:
            sign = _direction(factor.args[0], name, side, decays.variables)
            if sign is None:
                return None
            limits.append(mul(num(sign), _AT_INFINITY[factor.value]))
        elif factor.op == "call" and factor.value == "erfc":
            sign = _direction(factor.args[0], name, side, decays.variables)
            if sign is None:
                return None
            limits.append(num(1 - sign))
        elif factor.op == "pow" and factor.args[1].op == "num" and factor.args[1].value < 0:
            if _direction(factor.args[0], name, side, decays.variables) is None:
                return None
            vanishes = True
        else:
            return None
    return ZERO if vanishes else times(*limits)


_AT_INFINITY = {"tanh": ONE, "erf": ONE, "atan": mul(HALF, PI)}


def _direction(node: Node, name: str, side: int, variables: Mapping[str, Variable]) -> int | None:
    """1 or -1 where a polynomial tends to oo or -oo; None where that is not certain."""
    found = coefficients(node, name)
    while found and found[-1] is ZERO:
        found = found[:-1]
    if not found or len(found) < 2:
        return None
    turned = side if len(found) % 2 == 0 else 1
    if is_positive(found[-1], variables):
        return turned
    return -turned if is_positive(mul(MINUS_ONE, found[-1]), variables) else None
