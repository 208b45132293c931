"""Sums up to infinity, as the functions that they are."""

from __future__ import annotations

import pytest

from verify import check
from verify.decide import decide
from verify.decide.series import summed
from verify.judge import check_at
from verify.language import read_claim
from verify.verdict import Verdict

TRUE = [
    "sum(x^k, k, 0, oo) = 1/(1-x)",
    "sum(k*x^k, k, 0, oo) = x/(1-x)^2",
    "sum(x^(k-2)*k*(k-1), k, 0, oo) = 2/(1-x)^3",
    "sum(x^k/factorial(k), k, 0, oo) = exp(x)",
    "sum((-1)^k*x^(2*k+1)/factorial(2*k+1), k, 0, oo) = sin(x)",
    "sum(x^k/k, k, 1, oo) = -log(1-x)",
    "sum(1/k^2, k, 1, oo) = pi^2/6",
    "sum(1/(2*k+1)^2, k, 0, oo) = pi^2/8",
    "sum((1/2)^k, k, 0, oo) = 2",
    "sum(k^2*l^k*exp(-l)/factorial(k), k, 0, oo) = l + l^2",
    "sum(k*p*(1-p)^(k-1), k, 1, oo) = 1/p with p: interval(0,1)",
    "sum(exp(-a*k), k, 0, oo) = 1/(1 - exp(-a)) with a: positive",
    "sum(gamma(k + a)/gamma(a)*x^k/factorial(k), k, 0, oo) = (1-x)^(-a) with a: positive",
    "d/dx sum(x^k, k, 0, oo) = sum(k*x^(k-1), k, 0, oo)",
]
FALSE = [
    "sum(x^k, k, 1, oo) = 1/(1-x)",
    "sum(k*x^k, k, 0, oo) = 1/(1-x)^2",
    "sum((-1)^k*x^(2*k+1)/factorial(2*k+1), k, 0, oo) = sinh(x)",
    "sum(x^k/k, k, 1, oo) = log(1-x)",
    "sum(1/k^2, k, 1, oo) = pi^2/8",
    "sum((1/2)^k, k, 1, oo) = 2",
    "sum(k^2*l^k*exp(-l)/factorial(k), k, 0, oo) = l^2",
    "sum(x^k/factorial(k), k, 0, oo) = exp(x)*(1 + 1e-12)",
]


@pytest.mark.parametrize("text", TRUE)
def test_true_values_are_proved_or_supported(text):
    assert decide(read_claim(text)).verdict in (Verdict.PROVED, Verdict.SUPPORTED)


@pytest.mark.parametrize("text", FALSE)
def test_false_values_are_refuted(text):
    assert decide(read_claim(text)).verdict is Verdict.REFUTED


@pytest.mark.parametrize(
    "text",
    [
        "sum(2^k, k, 0, oo) = -1",
        "sum(1/k, k, 1, oo) = 3",
        "sum(k*(1-p)^k, k, 0, oo) = 5 with p > 3",
        "sum(x^k/(k-3), k, 1, oo) = 1",
        "sum(factorial(k-5)*x^k/factorial(k), k, 0, oo) = 1",
        "sum(x^k/(k + n), k, 1, oo) = 7 with n: integer, n < 0",
        "sum(sin(k)*x^k, k, 0, oo) = 1",
    ],
)
def test_where_a_series_diverges_has_a_pole_or_is_not_understood_nothing_is_said(text):
    assert decide(read_claim(text)).verdict is Verdict.UNDECIDED


def test_outside_of_its_circle_a_series_has_no_value_and_refutes_nothing():
    text = "sum(x^k, k, 0, oo) = piecewise((1/(1-x), abs(x) < 1), (0, otherwise))"
    assert decide(read_claim(text)).verdict in (Verdict.PROVED, Verdict.SUPPORTED)


def test_series_with_vectors_are_left_alone():
    claim = read_claim("sum((v'*v)^k/factorial(k), k, 0, oo) = exp(v'*v) with v: vector(n)")
    assert summed(claim) is claim


def test_the_claim_is_said_as_it_was_read_and_its_counterexample_can_be_checked_again():
    text = "sum(x^k, k, 1, oo) = 1/(1-x)"
    result = check(text)
    assert "sum(x^k, k, 1, oo)" in result.read_as
    assert result.counterexample is not None
    assert check_at(text, result.counterexample.point).verdict is Verdict.REFUTED
