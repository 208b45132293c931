"""What is a sum up to infinity?  A hypergeometric function, where the ratio of a term to the one before is rational.

With t(k+1)/t(k) = z (m + a1) … (m + ap) / ((m + b1) … (m + bq) (m + 1)), m = k - k0, the sum from k0 on is
t(k0) pFq(a; b; z) (DLMF 16.2.1).  Where p = q + 1 it converges for |z| < 1, and the formula is used for these alone; an
exponential series, a binomial one and sums of 1/(k + r)^s are written as what they are.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from fractions import Fraction

from flint import fmpq, fmpq_poly

from verify.claim import Claim
from verify.functions import function
from verify.graph import (
    MINUS_ONE,
    ONE,
    ZERO,
    Node,
    add,
    both,
    call,
    compare,
    free_symbols,
    is_shaped,
    mul,
    num,
    piecewise,
    postorder,
    power,
    substitute,
    symbol,
    transform,
)

#: Terms that are written out before the ratio of the others has a value; the largest exponents that are taken apart.
MOST_FIRST, LARGEST = 12, 12


class _NoSeries(Exception):
    """The ratio of the terms is not understood."""


@dataclass
class _Ratio:
    """t(k+1)/t(k) as z times a product of k + r over a product of k + r."""

    z: list[Node] = field(default_factory=list)
    above: list[Node] = field(default_factory=list)
    below: list[Node] = field(default_factory=list)


def summed(claim: Claim) -> Claim:
    """The claim with its infinite series as functions, where they are understood; complex claims stay as they are."""
    if claim.is_complex or not any(map(_is_infinite, postorder(claim.lhs, claim.rhs))):
        return claim
    variables = claim.domain.variables.values()
    numbers = frozenset(v.name for v in variables if not v.shape and not v.of and v.field != "size")
    whole = frozenset(v.name for v in variables if v.field == "integer")

    def function_of(node: Node) -> Node | None:
        return _function(node, numbers, whole) if _is_infinite(node) else None

    lhs, rhs = transform(claim.lhs, function_of), transform(claim.rhs, function_of)
    return claim if (lhs, rhs) == (claim.lhs, claim.rhs) else replace(claim, lhs=lhs, rhs=rhs)


def _is_infinite(node: Node) -> bool:
    high = node.args[2] if node.op == "sum" else None
    return high is not None and high.op == "constant" and high.value == "oo"


def _function(node: Node, numbers: frozenset[str], whole: frozenset[str]) -> Node | None:
    """The sum as a function, or None.

    numbers  names that stand for single numbers; whole: those of them that are integers, at which a term could have a
             pole for more than single points.
    """
    body, low, _ = node.args
    k = str(node.value)
    if low.op != "num" or low.value.denominator != 1 or is_shaped(body) or not free_symbols(body) <= numbers | {k}:
        return None
    try:
        return _value(body, k, int(low.value), whole)
    except (_NoSeries, ArithmeticError, ValueError):
        return None


def _value(body: Node, k: str, low: int, whole: frozenset[str]) -> Node:
    found = _zeta(body, k, low)
    if found is not None:
        return found
    ratio = _Ratio()
    _take(body, k, 1, ratio)
    if free_symbols(*ratio.above, *ratio.below) & whole:
        raise _NoSeries
    first: list[Node] = []
    while any(map(_is_pole, (_moved(r, low) for r in ratio.below))):
        first.append(substitute(body, {symbol(k): num(low)}))
        low += 1
        if len(first) > MOST_FIRST:
            raise _NoSeries
    above, below = ([_moved(r, low) for r in roots] for roots in (ratio.above, ratio.below))
    if any(map(_is_pole, above)):
        # A later term has no value: the function would end before it.
        raise _NoSeries
    above.append(ONE)
    for r in list(above):
        if r in below:
            above.remove(r)
            below.remove(r)
    start = substitute(body, {symbol(k): num(low)})
    rest = mul(start, _hypergeometric(above, below, _product(ratio.z)))
    return add(*first, rest) if first else rest


def _moved(r: Node, low: int) -> Node:
    number = _number(r)
    return add(r, num(low)) if number is None else num(number + low)


def _is_pole(r: Node) -> bool:
    number = _number(r)
    return number is not None and number <= 0 and number.denominator == 1


def _hypergeometric(above: list[Node], below: list[Node], z: Node) -> Node:
    """pFq where it converges; without a value elsewhere."""
    p, q = len(above), len(below)
    if p > q + 1:
        raise _NoSeries
    if (p, q) == (0, 0):
        return call("exp", z)
    if (p, q) == (1, 0):
        value = power(add(ONE, -z), mul(MINUS_ONE, above[0]) if above[0].op != "num" else num(-above[0].value))
    elif function(f"hyp{p}f{q}", p + q + 1) is not None:
        value = call(f"hyp{p}f{q}", *above, *below, z)
    else:
        raise _NoSeries
    if p <= q:
        return value
    at = _number(z)
    if at is None:
        return piecewise((value, both(compare(MINUS_ONE, "<", z), compare(z, "<", ONE))))
    if abs(at) >= 1:
        raise _NoSeries
    return value


def _zeta(body: Node, k: str, low: int) -> Node | None:
    """c times the sum of (k + r)^-s, for a whole s > 1."""
    factors = body.args if body.op == "mul" else (body,)
    moving = [f for f in factors if k in free_symbols(f)]
    if len(moving) != 1 or moving[0].op != "pow" or moving[0].args[1].op != "num":
        return None
    base, s = moving[0].args[0], -moving[0].args[1].value
    if base.op == "pow" and base.args[1].op == "num":
        base, s = base.args[0], s * base.args[1].value
    slope, start = _linear(base, k)
    c, r = _number(slope), _number(start)
    if s.denominator != 1 or s < 2 or s > LARGEST or c is None or r is None or c == 0 or r / c + low <= 0:
        return None
    rest = [f for f in factors if f is not moving[0]]
    return mul(*rest, power(slope, num(-s)), call("zeta", num(s), num(r / c + low)))


def _take(node: Node, k: str, times: int, ratio: _Ratio) -> None:
    """What the factor node^times of the term adds to the ratio."""
    if k not in free_symbols(node):
        return
    if node.op == "mul":
        for factor in node.args:
            _take(factor, k, times, ratio)
    elif node.op == "pow" and k not in free_symbols(node.args[1]):
        exponent = node.args[1]
        if exponent.op != "num" or exponent.value.denominator != 1 or abs(exponent.value) > LARGEST:
            raise _NoSeries
        _take(node.args[0], k, times * int(exponent.value), ratio)
    elif node.op == "pow":
        if k in free_symbols(node.args[0]):
            raise _NoSeries
        slope, _ = _linear(node.args[1], k)
        step = _number(slope)
        if step is None or step.denominator != 1:
            raise _NoSeries
        ratio.z.append(power(node.args[0], num(step * times)))
    elif node.op == "call" and node.value == "exp":
        slope, _ = _linear(node.args[0], k)
        ratio.z.append(call("exp", mul(num(times), slope)))
    elif node.op == "call" and node.value in ("factorial", "gamma"):
        slope, start = _linear(node.args[0], k)
        c = _number(slope)
        if c is None or c.denominator != 1 or not 1 <= c <= LARGEST:
            raise _NoSeries
        ratio.z.append(num(Fraction(int(c) ** int(c)) ** times))
        for i in range(int(c)):
            shift = i + 1 if node.value == "factorial" else i
            _append(ratio, _shifted(start, shift, c), times)
    else:
        for root in _roots(node, k):
            _append(ratio, _shifted(root, 1, Fraction(1)), times)
            _append(ratio, root, -times)


def _append(ratio: _Ratio, root: Node, times: int) -> None:
    (ratio.above if times > 0 else ratio.below).extend([root] * abs(times))


def _shifted(start: Node, shift: int, c: Fraction) -> Node:
    """(start + shift)/c."""
    number = _number(start)
    return num((number + shift) / c) if number is not None else mul(num(1 / c), add(start, num(shift)))


def _roots(node: Node, k: str) -> Iterator[Node]:
    """r for every factor k + r of a polynomial in k, up to a number; linear factors alone."""
    coefficients = _polynomial(node, k)
    if coefficients is not None:
        _, factors = fmpq_poly([fmpq(c.numerator, c.denominator) for c in coefficients]).factor()
        for factor, times in factors:
            if factor.degree() != 1:
                raise _NoSeries
            r = factor[0] / factor[1]
            yield from [num(Fraction(int(r.p), int(r.q)))] * times
        return
    slope, start = _linear(node, k)
    c = _number(slope)
    if not c:
        raise _NoSeries
    yield mul(num(1 / c), start)


def _polynomial(node: Node, k: str) -> list[Fraction] | None:
    """The coefficients of a polynomial in k with numbers alone."""
    if node.op == "num":
        return [node.value]
    if node.op == "symbol":
        return [Fraction(0), Fraction(1)] if node.value == k else None
    if node.op not in ("add", "mul", "pow"):
        return None
    if node.op == "pow":
        exponent = node.args[1]
        if exponent.op != "num" or exponent.value.denominator != 1 or not 0 <= exponent.value <= LARGEST:
            return None
        parts = [_polynomial(node.args[0], k)] * int(exponent.value)
    else:
        parts = [_polynomial(arg, k) for arg in node.args]
    total = [Fraction(node.op != "add")]
    for part in parts:
        if part is None:
            return None
        if node.op == "add":
            longer, shorter = (total, part) if len(total) >= len(part) else (part, total)
            total = [c + (shorter[i] if i < len(shorter) else 0) for i, c in enumerate(longer)]
        else:
            product = [Fraction(0)] * (len(total) + len(part) - 1)
            for i, x in enumerate(total):
                for j, y in enumerate(part):
                    product[i + j] += x * y
            total = product
    return total


def _linear(node: Node, k: str) -> tuple[Node, Node]:
    """c and d of c*k + d."""
    numbers = _polynomial(node, k)
    if numbers is not None:
        if len(numbers) > 2 and any(numbers[2:]):
            raise _NoSeries
        return num(numbers[1] if len(numbers) > 1 else 0), num(numbers[0])
    parts = node.args if node.op == "add" else (node,)
    slope, rest = [], []
    for part in parts:
        factors = part.args if part.op == "mul" else (part,)
        if k not in free_symbols(part):
            rest.append(part)
        elif symbol(k) in factors and not any(k in free_symbols(f) for f in factors if f is not symbol(k)):
            slope.append(_product([f for f in factors if f is not symbol(k)]))
        else:
            raise _NoSeries
    return (add(*slope) if len(slope) > 1 else slope[0] if slope else ZERO), (
        add(*rest) if len(rest) > 1 else rest[0] if rest else ZERO
    )


def _number(node: Node) -> Fraction | None:
    return node.value if node.op == "num" else None


def _product(factors: list[Node]) -> Node:
    """A product with one number in front."""
    number = Fraction(1)
    for f in factors:
        number *= f.value if f.op == "num" else 1
    rest = [f for f in factors if f.op != "num"]
    return mul(*([num(number)] if number != 1 or not rest else []), *rest)
