"""What is the solution of x' = A x + b(t), x(t0) = x0, in closed form?  By Laplace's transform and partial fractions.

A is free of t, and b is a sum of terms t^m exp(c t) times 1, sin or cos.  With t - t0 for the time, the transform

    X(s) = (s - A)^-1 (x0 + B(s))

is a quotient of polynomials.  Over the rationals in all names its denominator falls into factors, and each of degree 1
or 2 in s is known:  with delta = p1^2/4 - p0 and m = -p1/2

    (alpha (s - m) + beta)/(s^2 + p1 s + p0)    from    exp(m t) (alpha C + beta S)

where C, S are cosh(r t), sinh(r t)/r with r^2 = delta > 0, or cos(w t), sin(w t)/w with w^2 = -delta > 0.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction
from math import comb, factorial

from verify.calculus.partial_fractions import Polynomial, partial_fractions
from verify.calculus.quotients import Quotient, Quotients, TooLarge, mul_of, read_all, root_of, sum_of
from verify.calculus.tidy import tidy
from verify.calculus.waves import Wave, exponential
from verify.graph import HALF, ONE, ZERO, Node, add, call, div, mul, neg, num, power, symbol

#: Laplace's variable, under a name that no text has.
_S = symbol("s ")
#: Equations that are solved at once.
MOST_EQUATIONS = 6


class Undetermined(Exception):
    """The solution is one or the other, depending on the sign of a quantity, which is not known."""

    def __init__(self, quantity: Node) -> None:
        super().__init__("the sign of a discriminant is not known")
        self.quantity = quantity


def linear_solution(
    matrix: Sequence[Sequence[Node]],
    forcing: Sequence[Sequence[Wave]],
    first: Sequence[Node],
    since: Node,
    sign: Callable[[Node], int],
) -> list[Node] | None:
    """The states, in `since` = t - t0; None where a factor has a higher degree.  Raises Undetermined.

    matrix   A, (n, n).
    forcing  b, the terms of each entry, in t - t0.
    first    x0, (n,).
    sign     the sign of a quantity, 0 where it is not known.
    """
    n = len(first)
    if n > MOST_EQUATIONS:
        return None
    used = [entry for row in matrix for entry in row] + list(first)
    for wave in (wave for waves in forcing for wave in waves):
        used += [wave.factor, wave.rate, wave.frequency, *_at_first(wave)]
    known = read_all(map(tidy, used), (_S,))
    if known is None:
        return None
    field, read = known
    try:
        rows = [[*(read[i * n + j] for j in range(n)), read[n * n + i]] for i in range(n)]
        s = field.generator(_S)
        system = []
        for i, row in enumerate(rows):
            left = [(s if i == j else field.number(0)) - row[j] for j in range(n)]
            right = sum_of(field, [row[n], *(_transform(field, wave) for wave in forcing[i])])
            system.append([*left, right])
        transforms = _solved(system)
        if transforms is None:
            return None
        found = [_original(field, each, since, sign) for each in transforms]
    except (TooLarge, ZeroDivisionError):
        return None
    return None if any(x is None for x in found) else [x for x in found if x is not None]


def _at_first(wave: Wave) -> tuple[Node, Node]:
    """Sine and cosine of the phase."""
    return (ZERO, ONE) if wave.phase is ZERO else (call("sin", tidy(wave.phase)), call("cos", tidy(wave.phase)))


def _transform(field: Quotients, wave: Wave) -> Quotient:
    """Laplace's transform of a wave."""
    s, b = field.generator(_S), field.read(tidy(wave.rate))
    if wave.wave:
        w = field.read(tidy(wave.frequency))
        sine, cosine = map(field.read, _at_first(wave))
        gap = s - b
        above = sine * gap + cosine * w if wave.wave == "sin" else cosine * gap - sine * w
        found = above / (gap * gap + w * w)
    else:
        found = field.number(1) / (s - b)
    for _ in range(wave.degree):
        found = found.slope(field.places[_S]).scaled(-1)
    return field.read(tidy(wave.factor)) * found


def _solved(system: list[list[Quotient]]) -> list[Quotient] | None:
    """Gauss's elimination: what solves a system with its right-hand side as last column."""
    n = len(system)
    for i in range(n):
        pivots = [k for k in range(i, n) if system[k][i]]
        if not pivots:
            return None
        k = min(pivots, key=lambda k: len(system[k][i].num) + len(system[k][i].den))
        system[i], system[k] = system[k], system[i]
        row = [entry / system[i][i] for entry in system[i]]
        system[i] = row
        for j in range(n):
            if j != i and (factor := system[j][i]):
                system[j] = [entry - factor * own for entry, own in zip(system[j], row, strict=True)]
    return [row[n] for row in system]


# --- back from the transform ---


def _original(field: Quotients, transform: Quotient, t: Node, sign: Callable[[Node], int]) -> Node | None:
    """The function of t with this transform."""
    parts = partial_fractions(field, transform, _S)
    if parts is None:
        return None
    terms: list[Node] = []
    for p, j, digit in parts[1]:
        if len(p) == 2:
            terms.append(_pole(field, p, digit[0], j, t))
        elif j <= 2:
            terms += _pair(field, p, digit, j, t, sign)
        else:
            return None
    return tidy(add(ZERO, ZERO, *terms))


def _pole(field: Quotients, p: Polynomial, digit: Quotient, j: int, t: Node) -> Node:
    """digit/(s - a)^j."""
    rate = field.write(p[0].scaled(-1))
    grown = [exponential(mul(rate, t)), field.write(digit.scaled(Fraction(1, factorial(j - 1))))]
    return mul_of([*reversed(grown), power(t, num(j - 1)) if j > 2 else t if j == 2 else ONE])


def _pair(
    field: Quotients, p: Polynomial, digit: Polynomial, j: int, t: Node, sign: Callable[[Node], int]
) -> list[Node]:
    """(digit[1] s + digit[0])/p^j, for j = 1 or 2."""
    m = p[1].scaled(Fraction(-1, 2))
    delta = m * m - p[0]
    alpha = digit[1] if len(digit) > 1 else field.number(0)
    beta = digit[0] + alpha * m
    outside, inside = field.root(delta)
    known = sign(inside)
    if known == 0:
        raise Undetermined(inside)
    grown = exponential(mul(field.write(m), t))
    root = root_of(outside, inside if known > 0 else tidy(neg(inside)))
    angle = tidy(mul(root, t))
    if known > 0:
        up, down = call("exp", angle), call("exp", tidy(neg(angle)))
        C, S = mul(HALF, add(up, down)), div(mul(HALF, add(up, neg(down))), root)
    else:
        C, S = call("cos", angle), div(call("sin", angle), root)
    if j == 2:
        half = mul(HALF, t)
        C, S = mul(half, S), mul(HALF, div(add(mul(t, C), neg(S)), field.write(delta)))
    return [mul(field.write(c), grown, wave) for c, wave in ((alpha, C), (beta, S)) if c]


def shifted(waves: Sequence[Wave], t0: Node) -> list[Wave]:
    """Waves in t as waves in t - t0."""
    if t0 is ZERO:
        return list(waves)
    found = []
    for wave in waves:
        outside = mul_of([wave.factor, exponential(mul(wave.rate, t0))])
        phase = tidy(add(wave.phase, mul(wave.frequency, t0)))
        for k in range(wave.degree + 1):
            left = wave.degree - k
            factor = mul_of([num(comb(wave.degree, k)), outside, power(t0, num(left)) if left else ONE])
            found.append(Wave(tidy(factor), k, wave.rate, wave.wave, wave.frequency, phase))
    return found
