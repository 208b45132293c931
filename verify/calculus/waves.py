"""What is an expression in t as a sum of terms t^m exp(b t) times 1, sin or cos?  And the primitives of such sums."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from math import comb, factorial, isqrt

from verify.calculus.reverse import gradient
from verify.calculus.tidy import coefficients, leading_number, tidy
from verify.graph import (
    HALF,
    MINUS_ONE,
    ONE,
    ZERO,
    E,
    Node,
    add,
    call,
    div,
    free_symbols,
    mul,
    neg,
    num,
    power,
    substitute,
    symbol,
    transform,
)
from verify.systems import TIME

T = symbol(TIME)
#: Powers of sums that are multiplied out, and terms that are worth going on with.
HIGHEST, MOST_WAVES = 4, 60


@dataclass(frozen=True)
class Wave:
    """factor * t^degree * exp(rate t) * wave(frequency t + phase), wave one of "", "sin" and "cos"."""

    factor: Node
    degree: int = 0
    rate: Node = ZERO
    wave: str = ""
    frequency: Node = ZERO
    phase: Node = ZERO


def waves(node: Node) -> list[Wave] | None:
    """The terms of such a sum; None where it is something else."""
    terms = coefficients(transform(node, _spread))
    if terms is None:
        return None
    found: list[Wave] = []
    for number, rest in terms.values():
        product = [Wave(num(number))]
        for factor in rest.args if rest.op == "mul" else (rest,):
            longer = [_with(wave, factor) for wave in product]
            product = [new for each in longer if each is not None for new in each]
            if None in longer or len(product) > MOST_WAVES:
                return None
        found += product
    return found


def _spread(node: Node) -> Node | None:
    """Small powers of sums as products, and hyperbolic functions as exponentials."""
    if node.op == "pow" and node.args[0].op == "add" and TIME in free_symbols(node.args[0]):
        exponent = node.args[1]
        if exponent.op == "num" and exponent.value.denominator == 1 and 1 < exponent.value <= HIGHEST:
            return mul(*[node.args[0]] * int(exponent.value))
    if node.op == "call" and node.value in ("sinh", "cosh") and TIME in free_symbols(node):
        up, down = call("exp", node.args[0]), call("exp", tidy(neg(node.args[0])))
        return mul(HALF, add(up, neg(down) if node.value == "sinh" else down))
    return None


def _with(wave: Wave, factor: Node) -> list[Wave] | None:
    """A wave times one more factor."""
    if TIME not in free_symbols(factor):
        return [replace(wave, factor=mul(wave.factor, factor))]
    base, exponent = factor.args if factor.op == "pow" and factor.args[0] is not E else (factor, ONE)
    if exponent.op != "num" or exponent.value.denominator != 1:
        return None
    if base is T and exponent.value > 0:
        return [replace(wave, degree=wave.degree + int(exponent.value))]
    is_exp = (base.op == "call" and base.value == "exp") or (base.op == "pow" and base.args[0] is E)
    is_wave = base.op == "call" and base.value in ("sin", "cos") and 1 <= exponent.value <= HIGHEST
    if not is_exp and not is_wave:
        return None
    argument = base.args[-1]
    slope = tidy(gradient(argument, (TIME,))[0])
    if TIME in free_symbols(slope):
        return None
    rest = tidy(substitute(argument, {T: ZERO}))
    if is_exp:
        outside = mul(wave.factor, exponential(mul(exponent, rest)))
        return [replace(wave, factor=outside, rate=tidy(add(wave.rate, mul(exponent, slope))))]
    found = [wave]
    for _ in range(int(exponent.value)):
        found = [new for each in found for new in _product(each, base.value, slope, rest)]
    return found


def _product(wave: Wave, name: str, frequency: Node, phase: Node) -> list[Wave]:
    """A wave times sin or cos, as a sum of waves."""
    if not wave.wave:
        return [replace(wave, wave=name, frequency=frequency, phase=phase)]
    half = mul(wave.factor, HALF)
    up = tidy(add(wave.frequency, frequency)), tidy(add(wave.phase, phase))
    down = tidy(add(wave.frequency, neg(frequency))), tidy(add(wave.phase, neg(phase)))
    if wave.wave == name:
        outer, other = ("cos", "cos"), half if name == "cos" else neg(half)
    else:
        outer, other = ("sin", "sin"), half
        half = neg(half) if wave.wave == "cos" else half
    pairs = ((down, half, outer[0]), (up, other, outer[1]))
    return [_standing(replace(wave, factor=c, wave=w, frequency=f, phase=p)) for (f, p), c, w in pairs]


def _standing(wave: Wave) -> Wave:
    """A wave of frequency 0 is a number."""
    if wave.frequency is not ZERO:
        return wave
    outside = ZERO if wave.wave == "sin" else ONE
    if wave.phase is not ZERO:
        outside = call(wave.wave, wave.phase)
    return replace(wave, factor=mul(wave.factor, outside), wave="", phase=ZERO)


def response(found: Sequence[Wave], slope: Node) -> Node:
    """A solution of y' = slope y + waves, slope free of t; with slope 0 a primitive.

    That of t^m exp(c t), c complex, is the sum of (-1)^j m!/(m - j)! t^(m - j) exp(c t)/(c - slope)^(j + 1).
    """
    terms = [ZERO, ZERO]
    for each in found:
        gap, m = tidy(add(each.rate, neg(slope))), each.degree
        growth = mul(each.factor, exponential(mul(each.rate, T)))
        if not each.wave and gap is ZERO:
            terms.append(mul(growth, power(T, num(m + 1)), power(num(m + 1), MINUS_ONE)))
            continue
        for j in range(m + 1):
            number = num((-1) ** j * factorial(m) // factorial(m - j))
            t_power = power(T, num(m - j)) if m > j else ONE
            if not each.wave:
                terms.append(mul(number, growth, t_power, power(gap, num(-j - 1))))
                continue
            inside = add(mul(each.frequency, T), each.phase)
            sine, cosine = call("sin", inside), call("cos", inside)
            real, imaginary = _conjugate_power(gap, each.frequency, j + 1)
            here, other = (cosine, neg(sine)) if each.wave == "cos" else (sine, cosine)
            below = power(add(power(gap, num(2)), power(each.frequency, num(2))), num(j + 1))
            turned = add(mul(real, here), mul(imaginary, other))
            terms.append(mul(number, growth, t_power, div(turned, below)))
    return tidy(add(*terms))


def _conjugate_power(gap: Node, frequency: Node, n: int) -> tuple[Node, Node]:
    """Real and imaginary part of (gap - i frequency)^n."""
    parts: tuple[list[Node], list[Node]] = ([ZERO, ZERO], [ZERO, ZERO])
    for k in range(n + 1):
        c = comb(n, k) * (1, -1, -1, 1)[k % 4]
        factors = [num(c), *([power(gap, num(n - k))] if n > k else []), *([power(frequency, num(k))] if k else [])]
        parts[k % 2].append(mul(*factors) if len(factors) > 1 else factors[0])
    return tidy(add(*parts[0])), tidy(add(*parts[1]))


def exponential(node: Node) -> Node:
    """exp of an expression, tidied; 1 for that of 0."""
    node = tidy(node)
    return ONE if node is ZERO else call("exp", node)


def settled(node: Node) -> Node:
    """The expression tidied, with exp(0), sin(0), log(1) and the like as numbers."""
    return tidy(transform(tidy(node), _number))


_AT_ZERO = {
    **dict.fromkeys(("exp", "cos", "cosh"), ONE),
    **dict.fromkeys(("sin", "tan", "sinh", "tanh", "atan", "asin"), ZERO),
}


def _number(node: Node) -> Node | None:
    if node.op == "call" and len(node.args) == 1:
        argument = tidy(node.args[0])
        if argument is ZERO:
            return _AT_ZERO.get(node.value)
        if argument is ONE and node.value == "log":
            return ZERO
        if node.value == "exp":
            return _without_logarithms(argument)
    if node.op == "pow" and node.args[0].op == "call" and node.args[0].value == "exp":
        return exponential(mul(node.args[1], node.args[0].args[0]))
    if node.op == "pow" and node.args[0].op == "num" and node.args[0].value > 0:
        base, exponent = node.args
        if base is ONE:
            return ONE
        if exponent.op == "num" and exponent.value.denominator == 2:
            return _root(base.value, int(2 * exponent.value))
    return None


def _without_logarithms(exponent: Node) -> Node | None:
    """exp(n log x + rest) as x^n exp(rest), for numbers n."""
    factors, left = [], [ZERO]
    for term in exponent.args if exponent.op == "add" else (exponent,):
        number, rest = leading_number(term)
        if rest.op == "call" and rest.value == "log":
            factors.append(power(rest.args[0], num(number)))
        else:
            left.append(term)
    return mul(ONE, *factors, exponential(add(ZERO, *left))) if factors else None


def _root(value: Fraction, twice: int) -> Node | None:
    """A half-integer power of a number that is a square."""
    above, below = isqrt(value.numerator), isqrt(value.denominator)
    is_square = above**2 == value.numerator and below**2 == value.denominator
    return num(Fraction(above, below) ** twice) if is_square else None
