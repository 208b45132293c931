"""What is a function of series?  Its rule of differentiation carried to every order, or Cauchy's integral."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from functools import cache

from flint import acb, arb, ctx, fmpq

from verify.decide.enclose import jets, special
from verify.decide.enclose.jets import Jet, Undecided, Undefined, Value
from verify.decide.rules import partial
from verify.functions import function
from verify.graph import postorder

#: Order up to which a rule that calls several functions is used over and over, instead of Cauchy's integral.
HIGHEST_BY_RULE = 4
#: Radii 2^-k of the circles that are tried.
_SHRINK = (0, 2, 4, 8, 16, 32)


def apply(name: str, args: tuple[Value, ...], real: bool) -> Value:
    """A function at balls or series."""
    v = jets.outermost(args)
    if v is None:
        return special.evaluate(name, args, real)
    inner = [i for i, a in enumerate(args) if isinstance(a, Jet) and a.variable == v]
    rules = [rule for i in inner if (rule := _rule(name, len(args), i, real))]
    order = len(args[inner[0]].coefficients) - 1
    if len(rules) < len(inner) or (order > HIGHEST_BY_RULE and any(_branches(name, len(args), i) for i in inner)):
        return cauchy(name, args, v, real)
    first = apply(name, tuple(jets.part(a, v, 0) for a in args), real)
    lower = [jets.part(a, v, slice(0, order)) for a in args]
    slopes = [(rule(lower), args[i]) for rule, i in zip(rules, inner, strict=True)]
    return jets.integrate(first, slopes)


@cache
def _rule(name: str, arity: int, i: int, real: bool) -> Callable[[list[Value]], Value] | None:
    """The i-th partial derivative of a function, as a function of values."""
    node = partial(name, arity, i)
    if node is None:
        return None
    from verify.decide.enclose.balls import Program

    row = function(name, arity)
    assert row is not None
    program = Program((node,), real)

    def rule(args: list[Value]) -> Value:
        return program.run(dict(zip(row.arguments, args, strict=True)))[program.roots[0]]

    return rule


@cache
def _branches(name: str, arity: int, i: int) -> bool:
    """Whether a rule calls a function at two different places, so that repeated use would double the work each time."""
    rule = partial(name, arity, i)
    return rule is not None and sum(node.op == "call" for node in postorder(rule)) > 1


def cauchy(name: str, args: tuple[Value, ...], v: int, real: bool) -> Jet:
    """A function of series in the variable v, by Cauchy's integral over a circle: it needs no rule.

    With g(t) = f(a(t), b(t), …), |g| <= M for |t| <= R and nodes t = r w^m, w = exp(2 pi i/N), the trapezoidal sum
    sum g(r w^m) w^(-jm)/(N r^j) differs from the coefficient g_j by at most M R^-j q/(1 - q), q = (r/R)^N.
    Raises Undecided where no circle is found inside which the function is known to be analytic.
    """
    if real:
        special.evaluate(name, tuple(map(jets.head, args)), real=True)
    order = max(len(a.coefficients) for a in args if isinstance(a, Jet) and a.variable == v) - 1
    precision = ctx.prec

    def g(t: acb) -> Value:
        return apply(name, tuple(_polynomial(a, v, t) for a in args), False)

    shrink, bound = _circle(g, name)
    R = arb(2) ** -shrink
    certain = min(precision, *(jets.head(a).rel_accuracy_bits() for a in args))
    halvings = max(1, certain // (4 * max(order, 1)))
    count = -(-precision // halvings) + order + 1
    r = R / arb(2) ** halvings
    q = arb(2) ** (-halvings * count)
    try:
        ctx.prec = precision + order * (halvings + shrink) + 16
        samples = [g(acb(fmpq(2 * m, count)).exp_pi_i() * r) for m in range(count)]
        result = []
        for j in range(order + 1):
            total = samples[0]
            for m in range(1, count):
                total = total + samples[m] * acb(fmpq(-2 * m * j % (2 * count), count)).exp_pi_i()
            tail = jets.map_coefficients(bound, _disc(q / (1 - q) / R**j))
            result.append(total * (1 / (count * r**j)) + tail)
    finally:
        ctx.prec = precision
    return Jet(v, [jets.map_coefficients(c, _real_part) for c in result] if real else result)


def _circle(g: Callable[[acb], Value], name: str) -> tuple[int, Value]:
    """A radius 2^-k within which g is analytic, and its enclosure on the square around that disc."""
    for shrink in _SHRINK:
        R = arb(2) ** -shrink
        with suppress(Undefined, Undecided):
            return shrink, g(acb(arb(0, R), arb(0, R)))
    raise Undecided(f"the derivative of {name} could not be enclosed there")


def _disc(factor: arb) -> Callable[[acb], acb]:
    """Turns an enclosure into a square around 0 of factor times its size."""

    def around_zero(c: acb) -> acb:
        width = arb(0, c.abs_upper() * factor)
        return acb(width, width)

    return around_zero


def _real_part(z: acb) -> acb:
    return acb(z.real)


def _polynomial(value: Value, v: int, t: acb) -> Value:
    """The series in the variable v at t, a value without that variable."""
    if not isinstance(value, Jet) or value.variable != v:
        return value
    total = value.coefficients[-1]
    for c in reversed(value.coefficients[:-1]):
        total = total * t + c
    return total
