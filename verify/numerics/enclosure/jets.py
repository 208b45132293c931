"""What are the Taylor coefficients of the solution?  One order after the other, for all slots of a tape.

x_(k+1) = h f_k/(k + 1), and the k-th coefficient of every slot follows from lower ones: of a product by convolution, of
a function from its differential equation.  All in balls, so that balls of starts give balls of coefficients.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from operator import mul
from typing import TypeAlias

from flint import arb, arb_mat

from verify.numerics.enclosure.series import ZERO, finite
from verify.numerics.enclosure.sweep import ONE, Bound
from verify.numerics.enclosure.tape import Layer, Product, Unary

Coefficients: TypeAlias = list[arb]
#: Appends the k-th coefficient of a slot.
_Rule: TypeAlias = "Callable[[int], None]"


def taylor(rhs: Bound, time: arb, start: Sequence[arb], h: arb, n: int) -> list[Coefficients]:
    """The first n coefficients of x(time + h s) in s, for each state.

    Raises Diverges (or ValueError, ZeroDivisionError from FLINT) where f has no value at the start.
    """
    tape = rhs.tape
    slots: list[Coefficients] = [[] for _ in range(tape.slots)]
    rules = [rule for stage in tape.stages for rule in _rules(stage, rhs, slots)]
    states = slots[: len(start)]
    for state, x in zip(states, start, strict=True):
        state.append(x)
    clock = slots[len(start)]
    results = [slots[root] for root in tape.roots]
    for k in range(n - 1):
        clock.append(time if k == 0 else h if k == 1 else ZERO)
        for rule in rules:
            rule(k)
        factor = h / (k + 1)
        for x, rate in zip([r[k] * factor for r in results], states, strict=True):
            rate.append(x)
    finite(x for state in states for x in state)
    return states


def _rules(stage: Layer | Product | Unary, rhs: Bound, slots: list[Coefficients]) -> list[_Rule]:
    if isinstance(stage, Layer):
        return _layer(stage, rhs, slots)
    if isinstance(stage, Product):
        return [_product(slots[stage.out], slots[stage.left], slots[stage.right])]
    return [_FUNCTIONS[stage.name](slots[stage.out], slots[stage.argument])]


def _layer(layer: Layer, rhs: Bound, slots: list[Coefficients]) -> list[_Rule]:
    values, ins = rhs.constants.values, [slots[i] for i in layer.ins]
    outs = [slots[out] for out in layer.outs]
    offsets = [None if b is None else ONE if b < 0 else values[b] for b in layer.offsets]
    if not layer.ins:

        def constant(k: int) -> None:
            for out, b in zip(outs, offsets, strict=True):
                out.append(ZERO if k or b is None else b)

        return [constant]
    W = rhs.matrices[layer][0]
    if (dense := W.dense) is not None:

        def rows(k: int) -> None:
            for out, x, b in zip(
                outs, (dense * arb_mat(len(ins), 1, [a[k] for a in ins])).entries(), offsets, strict=True
            ):
                out.append(x if k or b is None else x + b)

        return [rows]
    return [_combination(out, ins, row, b) for out, row, b in zip(outs, W.rows, offsets, strict=True)]


def _combination(out: Coefficients, ins: Sequence[Coefficients], row: Sequence[arb], offset: arb | None) -> _Rule:
    pairs = list(zip(ins, row, strict=True))
    (first, weight), rest = pairs[0], pairs[1:]

    def rule(k: int) -> None:
        total = first[k] if weight is ONE else first[k] * weight
        for a, w in rest:
            total += a[k] if w is ONE else a[k] * w
        out.append(total if k or offset is None else total + offset)

    return rule


def _dot(a: Sequence[arb], b: Sequence[arb]) -> arb:
    """The sum of a_i b_(n-i)."""
    return sum(map(mul, a, reversed(b)), ZERO)


def _product(out: Coefficients, a: Coefficients, b: Coefficients) -> _Rule:
    if a is not b:
        return lambda _: out.append(_dot(a, b))

    def square(k: int) -> None:
        half = (k + 1) // 2
        total = 2 * _dot(a[:half], a[k + 1 - half :])
        out.append(total if k % 2 else total + a[k // 2] * a[k // 2])

    return square


def _exp(out: Coefficients, x: Coefficients) -> _Rule:
    """y' = x' y."""
    slope: Coefficients = []

    def rule(k: int) -> None:
        if k == 0:
            out.append(x[0].exp())
            return
        slope.append(x[k] * k)
        out.append(_dot(slope, out) / k)

    return rule


def _log(out: Coefficients, x: Coefficients) -> _Rule:
    """x y' = x'."""
    slope: Coefficients = []

    def rule(k: int) -> None:
        if k == 0:
            out.append(x[0].log())
            return
        slope.append((x[k] * k - _dot(slope, x[1:k])) / x[0])
        out.append(slope[-1] / k)

    return rule


def _inverse(out: Coefficients, x: Coefficients) -> _Rule:
    """x y = 1."""

    def rule(k: int) -> None:
        out.append(1 / x[0] if k == 0 else -_dot(x[1 : k + 1], out) * out[0])

    return rule


def _sqrt(out: Coefficients, x: Coefficients) -> _Rule:
    """y y = x."""

    def rule(k: int) -> None:
        if k == 0:
            out.append(x[0].sqrt())
        else:
            out.append((x[k] - _dot(out[1:], out[1:])) / (2 * out[0]))

    return rule


def _waves(x: Coefficients) -> tuple[Coefficients, Coefficients, _Rule]:
    """S' = x' C and C' = -x' S."""
    sine: Coefficients = []
    cosine: Coefficients = []
    slope: Coefficients = []

    def rule(k: int) -> None:
        if k == 0:
            sine.append(x[0].sin())
            cosine.append(x[0].cos())
            return
        slope.append(x[k] * k)
        both = _dot(slope, cosine) / k, -_dot(slope, sine) / k
        sine.append(both[0])
        cosine.append(both[1])

    return sine, cosine, rule


def _sin(out: Coefficients, x: Coefficients) -> _Rule:
    sine, _, both = _waves(x)
    return lambda k: (both(k), out.append(sine[k]))[1]


def _cos(out: Coefficients, x: Coefficients) -> _Rule:
    _, cosine, both = _waves(x)
    return lambda k: (both(k), out.append(cosine[k]))[1]


def _atan(out: Coefficients, x: Coefficients) -> _Rule:
    """w y' = x' with w = 1 + x^2."""
    slope: Coefficients = []
    w: Coefficients = []

    def rule(k: int) -> None:
        w.append(_dot(x, x) if k else x[0] * x[0] + 1)
        if k == 0:
            out.append(x[0].atan())
            return
        slope.append((x[k] * k - _dot(slope, w[1:k])) / w[0])
        out.append(slope[-1] / k)

    return rule


def _tanh(out: Coefficients, x: Coefficients) -> _Rule:
    """y' = u x' with u = 1 - y^2."""
    slope: Coefficients = []
    u: Coefficients = []

    def rule(k: int) -> None:
        if k == 0:
            out.append(x[0].tanh())
            u.append(1 - out[0] * out[0])
            return
        slope.append(x[k] * k)
        out.append(_dot(slope, u) / k)
        u.append(-_dot(out, out))

    return rule


_FUNCTIONS: dict[str, Callable[[Coefficients, Coefficients], _Rule]] = {
    "exp": _exp, "log": _log, "inverse": _inverse, "sqrt": _sqrt, "sin": _sin, "cos": _cos, "atan": _atan,
    "tanh": _tanh,
}  # fmt: skip
