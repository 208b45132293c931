"""Every rule of differentiation is compared with a derivative of enclosures that knows none of these rules.

That derivative is Cauchy's integral, for the three functions of real numbers a central difference with 2^-100.
The same comparison has to reject a rule with another sign, a factor 1 + 10^-9, or a shifted argument.
"""

from __future__ import annotations

import random
from collections.abc import Callable

import pytest
from flint import acb, arb, ctx, fmpq

from verify.decide.enclose.balls import Program
from verify.decide.enclose.jets import Jet, NoValue
from verify.decide.enclose.series import cauchy
from verify.decide.enclose.special import evaluate
from verify.decide.rules import partial
from verify.functions import ROWS, Function, function
from verify.graph import Node, num, substitute, symbol

HYPERGEOMETRIC = tuple(
    function(f"hyp{p}f{q}", p + q + 1) for p, q in ((0, 1), (1, 0), (1, 1), (2, 1), (2, 2), (3, 2), (3, 3))
)
PIECES = ("abs", "sign", "floor", "ceil")
ON_THE_LINE = ("erfinv", "erfcinv", "atan2")
RULES = [
    (row, i)
    for row in (*ROWS, *HYPERGEOMETRIC)
    if row.name not in PIECES
    for i, text in enumerate(row.partials)
    if text is not None
]
POINTS = 6


def label(value: object) -> str:
    return f"{value.name}/{len(value.arguments)}" if isinstance(value, Function) else str(value)


@pytest.fixture(autouse=True)
def precision():
    before, ctx.prec = ctx.prec, 128
    yield
    ctx.prec = before


def drawn(row: Function, rng: random.Random, real: bool) -> tuple[acb, ...]:
    args = []
    for name in row.arguments:
        if name == "n" and row.name in ("polygamma", "bernoulli"):
            args.append(acb(rng.randint(1, 4)))
        else:
            x, y = fmpq(rng.randint(-3000, 3000), 1024), fmpq(rng.randint(-1500, 1500), 1024)
            args.append(acb(x) if real or name == "l" else acb(x, y))
    return tuple(args)


def truths(row: Function, i: int) -> list[tuple[tuple[acb, ...], bool, acb]]:
    """Points, whether they are real ones, and the i-th partial derivative there without any rule."""
    rng = random.Random(f"{row.name} {i}")
    found = []
    for trial in range(40 * POINTS):
        real = trial % 2 == 0 or row.name in ON_THE_LINE
        args = drawn(row, rng, real)
        try:
            truth = difference(row, args, i) if row.name in ON_THE_LINE else by_cauchy(row, args, i, real)
        except NoValue:
            continue
        if truth.rel_accuracy_bits() > 60:
            found.append((args, real, truth))
            if len(found) == POINTS:
                break
    return found


def by_cauchy(row: Function, args: tuple[acb, ...], i: int, real: bool) -> acb:
    jets = tuple(Jet(0, [a, acb(1)]) if k == i else a for k, a in enumerate(args))
    return cauchy(row.name, jets, 0, real).coefficients[1]


def difference(row: Function, args: tuple[acb, ...], i: int) -> acb:
    """(f(x + h) - f(x - h))/(2h) with h = 2^-100; its error of about h^2 is added as a radius of 2^-150."""
    ctx.prec, h = 512, arb(2) ** -100
    try:
        above, below = (
            evaluate(row.name, tuple(a + s * h if k == i else a for k, a in enumerate(args)), real=True)
            for s in (1, -1)
        )
        return (above - below) / (2 * h) + acb(arb(0, arb(2) ** -150))
    finally:
        ctx.prec = 128


def agrees(rule: Node, row: Function, points: list[tuple[tuple[acb, ...], bool, acb]]) -> bool | None:
    """Whether a rule overlaps the truth at all points; None where it could not be evaluated at any."""
    compared = 0
    for args, real, truth in points:
        try:
            (value,) = Program((rule,), real).values(dict(zip(row.arguments, args, strict=True)))
        except NoValue:
            continue
        compared += value.rel_accuracy_bits() > 50
        if not value.overlaps(truth):
            return False
    return True if compared else None


MUTANTS: dict[str, Callable[[Node, str], Node]] = {
    "sign": lambda rule, _: -rule,
    "factor": lambda rule, _: rule * num(1_000_000_001) / num(1_000_000_000),
    "argument": lambda rule, name: substitute(rule, {symbol(name): symbol(name) * num(1_000_001) / num(1_000_000)}),
}


@pytest.mark.parametrize(("row", "i"), RULES, ids=label)
def test_a_rule_is_the_derivative_and_its_mutants_are_not(row, i):
    points = truths(row, i)
    assert len(points) >= 4
    rule = partial(row.name, len(row.arguments), i)
    assert rule is not None
    assert agrees(rule, row, points) is True
    for slip, change in MUTANTS.items():
        wrong = change(rule, row.arguments[i])
        assert wrong is rule or agrees(wrong, row, points) is False, f"the slip {slip!r} passes"


def test_what_has_no_rule_has_none():
    assert partial("besselj", 2, 0) is None
    assert partial("sin", 2, 0) is None
    assert partial("nonesuch", 1, 0) is None


def test_a_rule_is_read_once():
    assert partial("tan", 1, 0) is partial("tan", 1, 0)


@pytest.mark.parametrize("row", [row for row in ROWS if row.name in PIECES], ids=label)
def test_rules_of_functions_with_pieces_hold_on_each_piece(row):
    for x in (fmpq(-7, 5), fmpq(-3, 10), fmpq(2, 7), fmpq(12, 5)):
        f = {"abs": lambda z: abs(z), "sign": lambda z: acb(1 if z.real > 0 else -1)}.get(row.name)
        low, high = (f(acb(x) + s * acb(2) ** -40) if f else acb(0) for s in (-1, 1))
        (value,) = Program((partial(row.name, 1, 0),), real=True).values({"x": acb(x)})
        assert value.overlaps((high - low) * acb(2) ** 39)
