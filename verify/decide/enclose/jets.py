"""How are derivatives enclosed without ever being written down?  By truncated Taylor series with ball coefficients.

A `Jet` is a truncated series in one variable; its coefficients are balls (`acb`), or jets in later variables.
Variables are numbered, the outermost has the smallest number, and every coefficient is free of it.  A value
without any differentiated variable is a bare ball, so most of an expression costs no more than its value.
Coefficient k belongs to (x - x0)^k, that is f^(k)(x0)/k!.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import comb, factorial
from typing import Any, TypeAlias

from flint import acb

#: A ball or a jet: `acb | Jet`, but FLINT's stubs do not know that a ball leaves mixed arithmetic to the jet.
Value: TypeAlias = Any


class NoValue(ArithmeticError):
    """Why an expression has no enclosure at a point; `step` is where in the program that happened."""

    step: int = -1


class Undefined(NoValue):
    """The expression has no value here, provably; `gap` is how far away its domain seems to be (dimensionless)."""

    def __init__(self, reason: str, gap: float | None = None) -> None:
        super().__init__(reason)
        self.gap = gap


class Undecided(NoValue):
    """The balls are too wide to tell; a higher precision or another point may do."""


class Kink(Undecided):
    """The point sits on a kink, a jump, a pole or a branch cut, as far as the balls can tell."""


class Unsupported(NoValue):
    """No enclosure of this function or derivative is known here, at any precision."""


class Jet:
    """A truncated series; made by `variable_jet` and arithmetic."""

    __slots__ = ("coefficients", "variable")

    def __init__(self, variable: int, coefficients: list[Value]) -> None:
        self.variable = variable
        self.coefficients = coefficients

    def __neg__(self) -> Jet:
        return Jet(self.variable, [-c for c in self.coefficients])

    def __add__(self, other: Value | int) -> Jet:
        if isinstance(other, Jet):
            if other.variable < self.variable:
                return other + self
            if other.variable == self.variable:
                return Jet(self.variable, [a + b for a, b in zip(self.coefficients, other.coefficients, strict=False)])
        return Jet(self.variable, [self.coefficients[0] + other, *self.coefficients[1:]])

    __radd__ = __add__

    def __sub__(self, other: Value | int) -> Jet:
        return self + (-other)

    def __rsub__(self, other: Value | int) -> Jet:
        return -self + other

    def __mul__(self, other: Value | int) -> Jet:
        if isinstance(other, Jet):
            if other.variable < self.variable:
                return other * self
            if other.variable == self.variable:
                return Jet(self.variable, _cauchy_product(self.coefficients, other.coefficients))
        return Jet(self.variable, [c * other for c in self.coefficients])

    __rmul__ = __mul__

    def __truediv__(self, other: Value | int) -> Jet:
        if isinstance(other, Jet):
            return self * reciprocal(other)
        return Jet(self.variable, [c / other for c in self.coefficients])

    def __rtruediv__(self, other: Value | int) -> Jet:
        return reciprocal(self) * other


def variable_jet(variable: int, value: acb, order: int) -> Value:
    """The variable itself, to the given order."""
    return Jet(variable, [value, acb(1), *[acb(0)] * (order - 1)]) if order else value


def _cauchy_product(a: Sequence[Value], b: Sequence[Value]) -> list[Value]:
    if len(a) == len(b) == 2:
        return [a[0] * b[0], a[0] * b[1] + a[1] * b[0]]
    return [_convolution(a, b, k) for k in range(min(len(a), len(b)))]


def _convolution(a: Sequence[Value], b: Sequence[Value], k: int) -> Value:
    total = a[0] * b[k]
    for j in range(1, k + 1):
        total = total + a[j] * b[k - j]
    return total


def reciprocal(value: Value) -> Value:
    """1/value; not finite where the value may be 0."""
    if not isinstance(value, Jet):
        return 1 / value
    b = value.coefficients
    first = reciprocal(b[0])
    result = [first]
    for k in range(1, len(b)):
        total = b[1] * result[k - 1]
        for j in range(2, k + 1):
            total = total + b[j] * result[k - j]
        result.append(-(total * first))
    return Jet(value.variable, result)


def whole_power(value: Value, n: int) -> Value:
    """value^n for an integer n, by squaring, so that a base of 0 needs no exception."""
    if not isinstance(value, Jet):
        return value**n if n >= 0 else 1 / value if n == -1 else 1 / value**-n
    if n < 0:
        return reciprocal(whole_power(value, -n))
    if n == 0:
        return acb(1)
    if len(value.coefficients) == 2:
        b0, b1 = value.coefficients
        lower = whole_power(b0, n - 1)
        return Jet(value.variable, [lower * b0, lower * b1 * n])
    result = value
    for bit in bin(n)[3:]:
        result = result * result
        if bit == "1":
            result = result * value
    return result


def constant_power(value: Jet, exponent: Value, first: Value) -> Jet:
    """value^exponent for an exponent without value's variable; `first` is the power of the first coefficient.

    From B P' = w B' P:  k b0 p_k = sum over j of (w j - (k - j)) b_j p_(k-j).
    """
    b = value.coefficients
    result = [first]
    if len(b) > 1:
        inverse = reciprocal(b[0])
        for k in range(1, len(b)):
            total = exponent * b[k] * result[0] * k
            for j in range(1, k):
                total = total + (exponent * j - (k - j)) * b[j] * result[k - j]
            result.append(total * inverse / k)
    return Jet(value.variable, result)


def head(value: Value) -> acb:
    """The value at the point itself: the constant coefficient in every variable."""
    while isinstance(value, Jet):
        value = value.coefficients[0]
    return value


def outermost(values: Sequence[Value]) -> int | None:
    """The smallest variable number among the jets; None if all are balls."""
    return min((v.variable for v in values if isinstance(v, Jet)), default=None)


def truncate(value: Value, orders: Sequence[int]) -> Value:
    """The series cut to the order orders[v] in each variable v."""
    if not isinstance(value, Jet):
        return value
    order = orders[value.variable]
    if order == 0:
        return truncate(value.coefficients[0], orders)
    return Jet(value.variable, [truncate(c, orders) for c in value.coefficients[: order + 1]])


def part(value: Value, variable: int, at: slice | int) -> Value:
    """The coefficients `at` of the series in an outermost variable: one of them, or a shorter jet."""
    if not isinstance(value, Jet) or value.variable != variable:
        return value
    if isinstance(at, int):
        return value.coefficients[at]
    kept = value.coefficients[at]
    return kept[0] if len(kept) == 1 else Jet(variable, kept)


def differentiate(value: Value, variable: int, order: int) -> Value:
    """The order-th derivative in one variable, a series of an order less by as much."""
    if not isinstance(value, Jet) or value.variable > variable:
        return acb(0)
    if value.variable < variable:
        return Jet(value.variable, [differentiate(c, variable, order) for c in value.coefficients])
    raised = [c * (comb(k + order, order) * factorial(order)) for k, c in enumerate(value.coefficients[order:])]
    return raised[0] if len(raised) == 1 else Jet(variable, raised)


def integrate(first: Value, slopes: Sequence[tuple[Value, Jet]]) -> Jet:
    """The jet that starts with `first` and has the derivative sum of slope * inner', each slope one order shorter."""
    v = slopes[0][1].variable
    total: list[Value] = []
    for slope, inner in slopes:
        inner_slope: list[Value] = [c * k for k, c in enumerate(inner.coefficients)][1:]
        if isinstance(slope, Jet) and slope.variable == v:
            rise = _cauchy_product(inner_slope, slope.coefficients)
        else:
            rise = [c * slope for c in inner_slope]
        total = [a + b for a, b in zip(total, rise, strict=True)] if total else rise
    return Jet(v, [first, *[c / (k + 1) for k, c in enumerate(total)]])


def map_coefficients(value: Value, change: Callable[[acb], acb]) -> Value:
    """The same series with each ball changed."""
    if isinstance(value, Jet):
        return Jet(value.variable, [map_coefficients(c, change) for c in value.coefficients])
    return change(value)
