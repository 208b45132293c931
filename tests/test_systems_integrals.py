"""Are integrals of a gradient that are written in pieces, or worked out, understood, and their wrong neighbours not?"""

from __future__ import annotations

import pytest

from verify.decide.systems import judge
from verify.language.toml import read_system
from verify.verdict import Verdict

TEXT = """\
kind = "ode-gradient"
let = { a = "interval(0.5, 1)", b = "interval(0.5, 1)", T = "interval(1, 2)" }
[ode]
state = ["u"]
parameters = ["a", "b"]
rhs = ["cos(a*u) + b*t"]
initial = ["1"]
time = ["0", "T"]
[objective]
running = "u^3 + a*t^2 + b*sin(t)"
[claim]
gradient = { %s = "%s" }
"""
PIECES = "T^3/3 - int(l1*u*sin(a*u), t, 0, %s) + int(l1(s)*u(s)*sin(a*u(s)), s, %s, %s)"


def verdict(name: str, formula: str) -> Verdict:
    *_, result = judge(read_system(TEXT % (name, formula)))
    return result.verdict


@pytest.mark.parametrize(
    ("name", "formula"),
    [
        ("a", PIECES % ("1/2", "T", "0.5")),
        ("a", PIECES % ("T/2", "T", "T/2")),
        ("a", PIECES % ("0", "T", "0")),
        ("a", "T^3/3 - int(l1*u*sin(a*u), t, 0, 1) + int(l1*u*sin(a*u), t, T, 1)"),
        ("b", "1 - cos(T) + int(l1*t, t, 0, T)"),
        ("b", "int(l1*t, t, 0, T) - cos(T) + cos(0)"),
        ("b", "1 - cos(T) + 2*int(l1*t, t, 0, T/3) + 2*int(l1*t, t, T/3, T) + int(l1*t, t, T, 0)"),
    ],
)
def test_pieces_that_make_up_the_whole_time_are_the_whole(name: str, formula: str) -> None:
    assert verdict(name, formula) is Verdict.PROVED


@pytest.mark.parametrize(
    ("name", "formula"),
    [
        ("a", PIECES % ("1/2", "T", "1/3")),
        ("a", PIECES % ("T/2", "T/2", "T")),
        ("a", PIECES % ("1/2", "0", "1/2")),
        ("a", "T^3/2 - int(l1*u*sin(a*u), t, 0, T)"),
        ("b", "int(l1*t, t, 0, T) - cos(T)"),
        ("b", "1 - sin(T) + int(l1*t, t, 0, T)"),
        ("b", "1 - cos(T) + 2*int(l1*t, t, 0, T/3) + int(l1*t, t, T/3, T) + int(l1*t, t, T, 0)"),
    ],
)
def test_what_is_missing_between_pieces_is_seen(name: str, formula: str) -> None:
    assert verdict(name, formula) is Verdict.REFUTED


@pytest.mark.parametrize(
    "more",
    [
        "int(t^(-0.9), t, 0, T)/100 - T^0.1/10 + 1/10",  # wrong by 1/10, and integrated to two digits at best
        "int(t^(-0.9), t, 0, T)/100 - T^0.1/10",
        "int(l1*t, t, T, T + 1)",
        "u(T + 1)/10^9",
        "u(-1)*10^(-9)",
    ],
)
def test_numbers_that_are_not_known_support_nothing(more: str) -> None:
    assert verdict("b", f"1 - cos(T) + int(l1*t, t, 0, T) + {more}") is Verdict.UNDECIDED


@pytest.mark.parametrize(
    ("claimed", "expected"),
    [
        ("S(T)/(K + S(T))*(K + s0)/s0", Verdict.PROVED),
        ("S(T)/(K + S(T))*(1 + K/s0)", Verdict.PROVED),
        ("S(T)/(K + S(T))*s0/(K + s0)", Verdict.REFUTED),
        ("S(T)/(K + S(T))*(K - s0)/s0", Verdict.REFUTED),
        ("S(T)/s0", Verdict.REFUTED),
    ],
)
def test_what_does_not_change_along_the_solution_proves_the_ratio_of_two_rates(claimed: str, expected: Verdict) -> None:
    *_, result = judge(
        read_system(
            'kind = "ode-gradient"\n'
            'let = { K = "interval(0.5, 2)", s0 = "interval(1, 3)", T = "interval(0.5, 2)" }\n'
            '[ode]\nstate = ["S"]\nparameters = ["s0"]\nrhs = ["-S/(K + S)"]\ninitial = ["s0"]\ntime = ["0", "T"]\n'
            f'[objective]\nterminal = "S"\n[claim]\ngradient = {{ s0 = "{claimed}" }}\n'
        )
    )
    assert result.verdict is expected


TINY = """\
kind = "ode-gradient"
let = { k = "interval(0.5, 1)" }
[ode]
state = ["x"%s]
parameters = ["k"]
rhs = ["-k*x"%s]
initial = ["1e-12"%s]
time = ["0", "2"]
[objective]
terminal = "x^2 + x^3"
[claim]
gradient = { k = "%s" }
"""


@pytest.mark.parametrize(
    ("more", "claimed", "expected"),
    [
        (("", "", ""), "-4e-24*exp(-4*k) - 6e-36*exp(-6*k)", Verdict.PROVED),
        (("", "", ""), "-2e-24*exp(-4*k)", Verdict.REFUTED),
        # With a state beside it that has no closed form there are numbers alone, which are too coarse.
        ((', "y"', ', "sin(y^2)"', ', "1"'), "-4e-24*exp(-4*k) - 6e-36*exp(-6*k)", Verdict.UNDECIDED),
        ((', "y"', ', "sin(y^2)"', ', "1"'), "-2e-24*exp(-4*k)", Verdict.UNDECIDED),
        ((', "y"', ', "sin(y^2)"', ', "1"'), "0", Verdict.UNDECIDED),
    ],
)
def test_small_units_are_no_reason_to_agree(more: tuple[str, str, str], claimed: str, expected: Verdict) -> None:
    *_, result = judge(read_system(TINY % (*more, claimed)))
    assert result.verdict is expected
