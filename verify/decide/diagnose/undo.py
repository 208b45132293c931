"""What would an argument have to be, for an operation to give this value?  All answers worth trying, as balls."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from fractions import Fraction

from flint import acb, arb, fmpq

from verify.graph import Node

#: How many turns to either side are tried where a function is periodic.
TURNS = (0, 1, -1, 2, -2, 3, -3)
#: An argument further from 0 than so many turns is not followed.
MOST_TURNS = 1000


def undo(node: Node, args: Sequence[acb], i: int, needed: acb, real: bool) -> list[acb] | None:
    """Values of argument `i` for which the node at the other `args` is `needed`; None where nobody knows.

    Only a guess is wanted: an answer that does not fit is found out by whoever asked.
    """
    match node.op:
        case "add":
            rest = acb(0)
            for j, arg in enumerate(args):
                rest += arg if j != i else 0
            return [needed - rest]
        case "mul":
            rest = acb(1)
            for j, arg in enumerate(args):
                rest *= arg if j != i else 1
            return [] if rest.contains(0) else [needed / rest]
        case "pow" if i == 0:
            literal = node.args[1].value if node.args[1].op == "num" else None
            return list(_bases(args[1], needed, literal, real))
        case "pow":
            return list(_exponents(args[0], needed, real))
        case "call" if len(args) == 1 and node.value in INVERSES:
            return list(INVERSES[node.value](needed, args[0]))
    return None


def _bases(exponent: acb, needed: acb, literal: Fraction | None, real: bool) -> Iterator[acb]:
    if needed.contains(0) or exponent.contains(0):
        return
    if literal is not None and literal.denominator == 1:
        yield from _roots(needed, int(literal), real)
    elif real:
        if needed.real > 0:
            yield acb((needed.real.log() / exponent.real).exp())
    else:
        for turn in TURNS:
            yield ((needed.log() + _turn(turn)) / exponent).exp()


def _roots(needed: acb, n: int, real: bool) -> Iterator[acb]:
    if n == -1:
        yield 1 / needed
        return
    if n < 0:
        needed, n = 1 / needed, -n
    if real:
        x = needed.real
        root = acb(abs(x).root(n))
        if n % 2:
            yield root if x > 0 else -root
        elif x > 0:
            yield from (root, -root)
        return
    root = (needed.log() / n).exp()
    for k in range(min(n, 6)):
        yield root * acb(fmpq(2 * k, n)).exp_pi_i()


def _exponents(base: acb, needed: acb, real: bool) -> Iterator[acb]:
    if base.contains(0) or needed.contains(0) or (real and not (base.real > 0 and needed.real > 0)):
        return
    log = base.log()
    if not log.contains(0):
        yield from ((needed.log() + _turn(turn)) / log for turn in ((0,) if real else TURNS))


def _turn(k: int) -> acb:
    return acb(0, 2 * k * arb.pi())


# --- functions of one argument --------------------------------------------------------------------

#: From the value that is needed and the argument that is there to the arguments worth trying.
Inverse = Callable[[acb, acb], Iterator[acb]]


def _one(inverse: Callable[[acb], acb]) -> Inverse:
    def answers(w: acb, _: acb) -> Iterator[acb]:
        yield inverse(w)

    return answers


def _even(inverse: Callable[[acb], acb]) -> Inverse:
    def answers(w: acb, _: acb) -> Iterator[acb]:
        yield from (inverse(w), -inverse(w))

    return answers


def _periodic(*inverses: Callable[[acb], acb], period: Callable[[], acb]) -> Inverse:
    """Answers up to multiples of the period: those around the argument that is there, and those around 0."""

    def answers(w: acb, there: acb) -> Iterator[acb]:
        for inverse in inverses:
            answer = inverse(w)
            turns = ((there - answer) / period()).real.mid()
            nearest = round(float(turns)) if abs(turns) < MOST_TURNS else 0
            for turn in dict.fromkeys((nearest, nearest + 1, nearest - 1, *TURNS)):
                yield answer + turn * period()

    return answers


def _below(inverse: Inverse) -> Inverse:
    """The inverse of a function that is another one's reciprocal."""

    def answers(w: acb, there: acb) -> Iterator[acb]:
        if not w.contains(0):
            yield from inverse(1 / w, there)

    return answers


def _reciprocal(function: Callable[[acb], acb]) -> Callable[[acb], acb]:
    return lambda w: 1 / function(w)


_SIN = _periodic(acb.asin, lambda w: acb.pi() - w.asin(), period=lambda: 2 * acb.pi())
_COS = _periodic(acb.acos, lambda w: -w.acos(), period=lambda: 2 * acb.pi())
_TAN = _periodic(acb.atan, period=acb.pi)
_EXP = _periodic(acb.log, period=lambda: acb(0, 2 * arb.pi()))

#: Inverses by the name of the function that is undone.
INVERSES: dict[str, Inverse] = {
    "exp": _EXP, "log": _one(acb.exp), "abs": _even(lambda w: w),
    "sin": _SIN, "cos": _COS, "tan": _TAN, "csc": _below(_SIN), "sec": _below(_COS), "cot": _below(_TAN),
    "sinh": _one(acb.asinh), "cosh": _even(acb.acosh), "tanh": _one(acb.atanh),
    "csch": _below(_one(acb.asinh)), "sech": _below(_even(acb.acosh)), "coth": _below(_one(acb.atanh)),
    "asin": _one(acb.sin), "acos": _one(acb.cos), "atan": _one(acb.tan),
    "acsc": _one(_reciprocal(acb.sin)), "asec": _one(_reciprocal(acb.cos)), "acot": _one(_reciprocal(acb.tan)),
    "asinh": _one(acb.sinh), "acosh": _one(acb.cosh), "atanh": _one(acb.tanh),
    "acsch": _one(_reciprocal(acb.sinh)), "asech": _one(_reciprocal(acb.cosh)), "acoth": _one(_reciprocal(acb.tanh)),
}  # fmt: skip
