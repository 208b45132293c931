"""Integrals that end where a root or a logarithm of their integrand has no bound."""

from __future__ import annotations

import pytest
from flint import acb, arb, ctx

from verify.decide import decide
from verify.decide.enclose.balls import Program
from verify.decide.enclose.ends import moved
from verify.graph import integral
from verify.language import read_claim, read_expression
from verify.verdict import Verdict

TRUE = [
    ("int(sqrt(1 - x^2), x, -1, 1)", "pi/2"),
    ("int(x^(1/3)*(1 - x)^(1/2), x, 0, 1)", "beta(4/3, 3/2)"),
    ("int(x^(-3/4)*(1 - x)^(-1/2), x, 0, 1)", "gamma(1/4)*gamma(1/2)/gamma(3/4)"),
    ("int(log(x)/sqrt(1 - x^2), x, 0, 1)", "-pi*log(2)/2"),
    ("int(log(3 - x), x, 0, 3)", "3*log(3) - 3"),
    ("int(sqrt(x/(1 - x)), x, 0, 1)", "pi/2"),
    ("int(log(1 + 1/(x - 1)), x, 1, 2)", "2*log(2)"),
    ("int(exp(-x)/sqrt(x - 1), x, 1, oo)", "sqrt(pi)/E"),
    ("int(exp(x)/sqrt(1 - x), x, -oo, 1)", "E*sqrt(pi)"),
    ("int(exp(x)/sqrt(1 - x), x, 1, -oo)", "-E*sqrt(pi)"),
    ("int(exp(-x)/sqrt(x - 1), x, oo, 1)", "-sqrt(pi)/E"),
    ("int(sqrt(2 - x), x, 2, 1)", "-2/3"),
]


@pytest.mark.parametrize(("text", "value"), TRUE)
def test_the_integral_is_enclosed_and_its_wrong_neighbours_are_not_in_it(text, value):
    ctx.prec = 160
    lhs, rhs = Program((read_expression(text), read_expression(value)), real=True).values({})
    assert lhs.overlaps(rhs)
    assert lhs.rad() < arb(2) ** -80
    for factor in (-1, 2, 1 + arb(10) ** -9):
        assert not lhs.overlaps(rhs * factor)


def test_ends_may_be_names():
    assert decide(read_claim("int(sqrt(a^2 - x^2), x, -a, a) = pi*a^2/2 with a: positive")).verdict in (
        Verdict.SUPPORTED,
        Verdict.PROVED,
    )
    wrong = decide(read_claim("int(sqrt(a^2 - x^2), x, -a, a) = pi*a/2 with a: positive"))
    assert wrong.verdict is Verdict.REFUTED


@pytest.mark.parametrize(
    "text", ["int(1/(1 - x)^(3/2), x, 0, 1) = 2", "int(1/(1 - x), x, 0, 1) = 1", "int(log(x)/(1 - x)^2, x, 0, 1) = 1"]
)
def test_what_diverges_has_no_value(text):
    assert decide(read_claim(text)).verdict is Verdict.UNDECIDED


@pytest.mark.parametrize("body", ["sqrt(x)", "x^2", "sqrt(1 + x)", "sqrt(sin(x))", "exp(-x)/sqrt(2 - x)"])
def test_other_integrals_stay_what_they_are(body):
    node = integral(read_expression(body), "x", read_expression("0"), read_expression("1"))
    assert moved(node) is node


@pytest.mark.parametrize(
    ("text", "verdict"),
    [
        ("int(1/(2^(2*t/3) + 1), t, 0, oo) = 3/2", Verdict.SUPPORTED),
        ("int(1/(2^(2*t/3) + 1), t, 0, oo) = 1/2", Verdict.REFUTED),
        ("int((1/2)^x*x, x, 0, oo) = 1/log(2)^2", Verdict.SUPPORTED),
        ("int((1/2)^x*x, x, 0, oo) = 1/log(2)", Verdict.REFUTED),
        ("int((3/2)^x, x, 0, oo) = -1/log(3/2)", Verdict.UNDECIDED),
    ],
)
def test_powers_of_constants_decay_like_exponentials(text, verdict):
    assert decide(read_claim(text)).verdict is verdict


def test_an_integral_is_remembered_for_its_very_balls_and_bits_alone():
    program = Program((read_expression("int(sin(a*x), x, 0, b)"),), real=True)
    found = {}
    for bits in (64, 256, 64):
        ctx.prec = bits
        for label, a in (("2", acb(2)), ("3", acb(3)), ("about 2", acb(arb(2, 2**-20)))):
            (value,) = program.values({"a": a, "b": acb(1)})
            assert value.overlaps((1 - a.cos()) / a)
            found.setdefault((bits, label), []).append(value.rad())
    assert all(found[64, label][0] > found[256, label][0] for label in ("2", "3"))
    assert found[64, "about 2"][0] > 1e-9
    assert all(rads[0] == rads[-1] for rads in found.values())
