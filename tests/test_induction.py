"""Sums up to a name: true for every upper end, or not proved.  The prover alone, and the whole decision."""

from dataclasses import replace

import pytest

from verify.decide import decide
from verify.decide.shaped.induction import prove_by_induction
from verify.decide.shaped.stages import tried
from verify.graph import postorder
from verify.language import read_claim
from verify.mutate import mutants
from verify.verdict import Verdict

TRUE = [
    "sum(k, k, 1, n) = n*(n+1)/2 with n: integer, n > 0",
    "sum(k, k, 1, n) = n*(n+1)/2",
    "sum(k^2, k, 1, n) = n*(n+1)*(2*n+1)/6 with n: integer",
    "sum(x^k, k, 0, n) = (1-x^(n+1))/(1-x) with n: integer, n >= 0",
    "d/dx sum(x^k, k, 0, n) = sum(k*x^(k-1), k, 1, n) with n: integer, n > 0",
    "sum(1/(k*(k+1)), k, 1, n) = n/(n+1)",
    "sum(cos(k*x), k, 1, n) = sin((n+1/2)*x)/(2*sin(x/2)) - 1/2",
    "sum(k*factorial(k), k, 1, n) = factorial(n+1) - 1",
    "sum((-1)^k*k, k, 1, n) = ((-1)^n*(2*n+1) - 1)/4",
    "sum(2*k-1, k, 1, n) = n^2",
    "sum(log(1+1/k), k, 1, n) = log(n+1)",
    "d/dx sum(a*x^k/k, k, 1, n) = a*(1-x^n)/(1-x)",
    "sum(x^k, k, 1, n-1) = (x-x^n)/(1-x) with n: integer, n > 1",
    "d/dx sum(sin(k*x)/k, k, 1, n) = sum(cos(k*x), k, 1, n)",
    "sum(sqrt(k+1)-sqrt(k), k, 1, n) = sqrt(n+1)-1",
    "sum(sin((2*k-1)*x), k, 1, n) = sin(n*x)^2/sin(x)",
    "sum(k*x^k, k, 0, n) = x*(1-(n+1)*x^n+n*x^(n+1))/(1-x)^2",
    "d/da sum(exp(-a*k), k, 0, n) = -sum(k*exp(-a*k), k, 1, n)",
    "sum((x+k)^2, k, 1, n) = n*x^2+n*(n+1)*x+n*(n+1)*(2*n+1)/6",
    "sum(1/((2*k-1)*(2*k+1)), k, 1, n) = n/(2*n+1)",
    "sum(2^(k-1), k, 1, n) = 2^n - 1",
]
SEVEN = "(n-1)*(n-2)*(n-3)*(n-4)*(n-5)*(n-6)*(n-7)"
FALSE = [
    f"sum(k, k, 1, n) = n*(n+1)/2 + {SEVEN}",
    f"sum(k, k, 1, n) = n*(n+1)/2 + {SEVEN} with n: integer, n > 7",
    "sum(k^2, k, 0, n) = n*(n+1)*(2*n+1)/6 + 1 with n: integer",
    "sum(x^k, k, 0, n) = (1-x^n)/(1-x) with n: integer, n >= 0",
    "d/dx sum(x^k, k, 0, n) = sum(k*x^(k-1), k, 0, n-1) with n: integer, n > 0",
    "sum(1/(k*(k+1)), k, 1, n) = (n-1)/n",
    "sum(cos(k*x), k, 1, n) = sin((n+1/2)*x)/(2*sin(x/2))",
    "sum((-1)^k*k, k, 1, n) = ((-1)^n*(2*n+1) + 1)/4",
    "sum(1/k^2, k, 1, n) = pi^2/6",
    "sum(1, k, 1, n) = n + 0^n with n: integer, n >= 0",
    "sum(log(1+1/k), k, 1, n) = log(n)",
    "sum(sqrt(k+1)-sqrt(k), k, 1, n) = sqrt(n+1)",
    "sum(1, k, 2, n) = n - 2",
    "sum(1, k, 1, n) = n*(1 + (-1)^n)/2 + n*(1 - (-1)^(n+1))/2",
]
#: Broken in one place only, further on than any instance that is tried.
FAR = [
    "sum(1, k, 1, n) = n + piecewise((0, n < 1000), (1, otherwise))",
    "sum(1, k, 1, n) = n + floor(n/1000)",
    "sum(1, k, 1, n) = n + max(n, 1000) - 1000",
    "sum(1, k, 1, n) = n + (abs(n-1000) + n - 1000)/2",
    "sum(1, k, 1, n) = n + sign(n - 1001/2) + 1",
    "sum(1, k, 1, n) = n + 0^((n-1000)^2)",
    "sum(1, k, 1, n) = n + (x-x)^(n-1)",
]


@pytest.mark.parametrize("text", TRUE)
def test_true_sums_are_proved_for_every_upper_end(text):
    result = decide(read_claim(text))
    assert result.verdict is Verdict.PROVED
    assert "induction" in result.evidence[-1].detail["method"]


@pytest.mark.parametrize("text", FALSE)
def test_false_sums_are_refuted_and_have_no_proof(text):
    claim = read_claim(text)
    assert not prove_by_induction(claim).holds
    assert decide(claim).verdict is Verdict.REFUTED


@pytest.mark.parametrize("text", FAR)
def test_what_fails_far_out_is_not_proved(text):
    claim = read_claim(text)
    assert not prove_by_induction(claim).holds
    assert decide(claim).verdict is not Verdict.PROVED


@pytest.mark.parametrize("text", TRUE)
def test_no_mutant_is_proved_that_a_small_upper_end_refutes(text):
    claim = read_claim(text)
    proved = []
    for mutant in list(mutants(claim.rhs))[:25]:
        wrong = replace(claim, rhs=mutant.node, text="")
        if prove_by_induction(wrong).holds and tried(wrong, 1).refuted is not None:
            proved.append(mutant)
    assert any(node.op == "sum" for node in postorder(claim.lhs))
    assert not proved


def test_a_sum_that_ends_before_it_begins_says_nothing():
    result = decide(read_claim("sum(1, k, 5, n) = n - 4 with n: integer"))
    assert result.verdict is Verdict.PROVED
    assert result.evidence[-1].detail["first"] == 4
