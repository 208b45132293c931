"""Which function may have this derivative?  Guesses, which nobody needs to trust: each is differentiated again.

By parts for declared functions, term by term for exponentials with sines and cosines, and from SymPy.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from math import comb, factorial
from typing import Any, TypeAlias

from verify.claim import Variable
from verify.decide.integrals.smooth import is_positive
from verify.decide.integrals.terms import Term, TooLong, coefficients, collected, polynomial, summed, terms, times
from verify.decide.prove.differentiate import carried_out
from verify.decide.prove.tower import GiveUp
from verify.graph import (
    MINUS_ONE,
    ONE,
    ZERO,
    Node,
    abstract,
    call,
    derivative,
    free_symbols,
    num,
    postorder,
    power,
    size,
    substitute,
    symbol,
    transform,
)

#: Integrands of more nodes are not handed to SymPy.
LARGEST_GUESSED = 120
#: Steps of integration by parts.
MOST_PARTS = 6

IsZero: TypeAlias = Callable[[Node, Mapping[str, Variable]], bool]


def guesses(body: Node, name: str, is_zero: IsZero, variables: Mapping[str, Variable]) -> Iterator[Node]:
    """Expressions whose derivative may be the body, the likeliest first."""
    if any(node.op == "abstract" for node in postorder(body)):
        found = by_parts(body, name, is_zero, variables)
        if found is not None:
            yield found
        return
    found = term_by_term(body, name)
    if found is not None:
        yield found
    yield from from_sympy(body, name, variables)


def term_by_term(body: Node, name: str) -> Node | None:
    """The antiderivative of polynomials times exponentials, sines and cosines of linear functions; else None.

    The one of x^k exp(c x) is the sum of (-1)^j k!/(k - j)! x^(k - j) exp(c x)/c^(j + 1), with c = a + i b for angles.
    """
    try:
        found = collected(terms(body, name))
    except TooLong:
        return None
    if any(term.others or len(term.exponent) > 2 for term in found):
        return None
    return summed(*(_of_term(term, symbol(name)) for term in found))


def _of_term(term: Term, x: Node) -> Node:
    constant, a = (*term.exponent, ZERO, ZERO)[:2]
    k = term.power
    if a is ZERO and term.trig is None:
        factor = call("exp", constant) if term.exponent else ONE
        return times(term.coefficient, factor, power(x, num(k + 1)), power(num(k + 1), MINUS_ONE))
    b = term.trig[1][1] if term.trig else ZERO
    size = summed(times(a, a), times(b, b))
    real, imaginary = [], []
    for j in range(k + 1):
        count = num((-1) ** j * (factorial(k) // factorial(k - j)))
        lowered = ONE if j == k else power(x, num(k - j))
        for i in range(j + 2):
            # (a - i b)^(j + 1), part by part.
            weight = num(comb(j + 1, i) * (1, -1, -1, 1)[i % 4])
            parts = [weight, count, lowered, *[a] * (j + 1 - i), *[b] * i, power(size, num(-j - 1))]
            (imaginary if i % 2 else real).append(times(*parts))
    re, im = summed(*real), summed(*imaginary)
    whole = [term.coefficient, call("exp", polynomial((constant, a), x))] if term.exponent else [term.coefficient]
    if term.trig is None:
        return times(*whole, re)
    which, angle = term.trig
    cos, sin = call("cos", polynomial(angle, x)), call("sin", polynomial(angle, x))
    if which == "cos":
        return times(*whole, summed(times(cos, re), times(MINUS_ONE, sin, im)))
    return times(*whole, summed(times(sin, re), times(cos, im)))


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
    for guess in from_sympy(body, name, variables):
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


def from_sympy(body: Node, name: str, variables: Mapping[str, Variable]) -> Iterator[Node]:
    """What SymPy holds for an antiderivative, with |u| in logarithms; each branch where it distinguishes cases."""
    if size(body) > LARGEST_GUESSED or any(
        node.op in ("abstract", "integral", "expectation") for node in postorder(body)
    ):
        return
    import sympy
    from sympy.integrals.manualintegrate import manualintegrate

    from verify.language.bridge import NoCounterpart, to_sympy
    from verify.language.bridge import from_sympy as graph_of

    names = {each: sympy.Symbol(each, **_assumptions(each, name, variables)) for each in free_symbols(body)}
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


def _assumptions(each: str, name: str, variables: Mapping[str, Variable]) -> dict[str, bool]:
    """What helps SymPy to guess; what it makes of that is proved anyway."""
    if each == name:
        return {"real": True}
    return {"positive": True} if is_positive(symbol(each), variables) else {"real": True, "nonzero": True}


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
