"""What is the value of a definite integral?  An antiderivative is guessed, and used only where it is proved.

    int f = F(b) - F(a)    where F' = f as an identity, and F is smooth from a to b wherever f is continuous there

Guesses come from integration by parts (for declared functions) and from SymPy; nobody needs to trust either.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from verify.claim import Variable
from verify.decide.integrals.smooth import Path, certain_powers, conditions, is_positive
from verify.decide.integrals.standard import is_infinite
from verify.decide.integrals.terms import TooLong, coefficients, summed, terms, times, written
from verify.decide.prove.differentiate import carried_out
from verify.decide.prove.tower import GiveUp
from verify.graph import (
    HALF,
    MINUS_ONE,
    ONE,
    PI,
    ZERO,
    Node,
    abstract,
    add,
    call,
    derivative,
    free_symbols,
    mul,
    num,
    postorder,
    size,
    substitute,
    symbol,
    transform,
)

#: Integrands of more nodes are not handed to SymPy.
LARGEST_GUESSED = 120
#: Steps of integration by parts.
MOST_PARTS = 6

IsZero = Callable[[Node, Mapping[str, Variable]], bool]


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
    for guess in _guesses(body, name, is_zero, inside):
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


# --- guesses -----------------------------------------------------------------------------------------


def _guesses(body: Node, name: str, is_zero: IsZero, variables: Mapping[str, Variable]) -> Iterator[Node]:
    if any(node.op == "abstract" for node in postorder(body)):
        found = by_parts(body, name, is_zero, variables)
        if found is not None:
            yield found
        return
    yield from from_sympy(body, name)


def by_parts(body: Node, name: str, is_zero: IsZero, variables: Mapping[str, Variable]) -> Node | None:
    """An antiderivative of A f' + …: A f, and the rest with A' f; None where something is left over."""
    whole: list[Node] = []
    for _ in range(MOST_PARTS):
        highest = _highest(body, name)
        if highest is None:
            break
        order = highest.value[1]
        lower = abstract(highest.value[0], highest.args, (order[0] - 1,))
        slot = symbol("__")
        held = coefficients(substitute(body, {highest: slot}), "__")
        if held is None or len(held) != 2:
            return None
        rest, factor = held
        try:
            slope = carried_out(derivative(factor, name))
        except GiveUp:
            return None
        whole.append(times(factor, lower))
        body = summed(rest, times(MINUS_ONE, slope, lower))
        if size(body) > LARGEST_GUESSED:
            return None
        if is_zero(body, variables):
            return summed(*whole)
    if any(node.op == "abstract" and name in free_symbols(node) for node in postorder(body)):
        return None
    for guess in from_sympy(body, name):
        return summed(*whole, guess)
    return None


def _highest(body: Node, name: str) -> Node | None:
    """The derivative of highest order of a declared function at the variable itself."""
    found: Node | None = None
    for node in postorder(body):
        slope = node.op == "abstract" and len(node.args) == 1 and node.args[0] is symbol(name) and node.value[1][0] > 0
        if slope and (found is None or node.value[1][0] > found.value[1][0]):
            found = node
    return found


def from_sympy(body: Node, name: str) -> Iterator[Node]:
    """What SymPy holds for an antiderivative, with |u| in logarithms; each branch where it distinguishes cases."""
    if size(body) > LARGEST_GUESSED or any(
        node.op in ("abstract", "integral", "expectation") for node in postorder(body)
    ):
        return
    import sympy
    from sympy.integrals.manualintegrate import manualintegrate

    from verify.language.bridge import NoCounterpart, to_sympy
    from verify.language.bridge import from_sympy as graph_of

    names = {each: sympy.Symbol(each, real=True) for each in free_symbols(body)}
    try:
        expr = to_sympy(body, names)
        found = manualintegrate(expr, names[name])
    except (NoCounterpart, ValueError, TypeError, NotImplementedError, AttributeError, RecursionError, KeyError):
        return
    for branch in _branches(found):
        if branch.has(sympy.Integral) or branch.has(sympy.Piecewise):
            continue
        try:
            guess = graph_of(branch)
        except NoCounterpart:
            continue
        yield transform(guess, _absolute)
        yield guess


def _branches(found: Any) -> Iterator[Any]:
    from sympy import Piecewise, expand_mul, piecewise_fold

    if not found.has(Piecewise):
        yield found
        return
    folded = piecewise_fold(expand_mul(found))
    pieces = folded.args if isinstance(folded, Piecewise) else ()
    yield from (value for value, _ in pieces[:4])


def _absolute(node: Node) -> Node | None:
    if node.op == "call" and node.value == "log" and free_symbols(node) and not _is_absolute(node.args[0]):
        return call("log", call("abs", node.args[0]))
    return None


def _is_absolute(node: Node) -> bool:
    return (node.op == "call" and node.value in ("abs", "exp", "cosh")) or is_positive(node, {})


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
        return side > 0 and any(self.is_zero(each, self.variables) for each in differences)


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
