"""Claims with integrals and expectations get their verdict, a slip and a correction; none of them gets a wrong one."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from verify.decide import decide
from verify.language import read_claim
from verify.verdict import Verdict

CLAIMS = [
    json.loads(line) for line in (Path(__file__).parent / "data" / "integral_claims.jsonl").read_text().splitlines()
]


def _rows() -> list:
    return [pytest.param(row, id=row["id"], marks=[pytest.mark.thorough] if row.get("slow") else []) for row in CLAIMS]


@pytest.mark.parametrize("row", _rows())
def test_every_verdict_is_right(row):
    verdict = decide(read_claim(row["claim"])).verdict
    if row["holds"] is None:
        assert verdict is Verdict.UNDECIDED
    elif row["holds"]:
        assert verdict is Verdict.PROVED or (row["id"] in OPEN and verdict in (Verdict.SUPPORTED, Verdict.UNDECIDED))
    else:
        assert verdict is Verdict.REFUTED or (row["id"] in UNSEEN and verdict is Verdict.UNDECIDED)


#: True claims without a proof.
OPEN = {"nested-2", "nested-3", "piece-1", "piece-2", "piece-3", "normal-n-7"}
#: Means inside of means are not enclosed.
UNSEEN = {"nested-3-wrong"}


def test_half_of_the_claims_are_wrong():
    assert len(CLAIMS) >= 80
    assert sum(row["holds"] is False for row in CLAIMS) * 2 >= len(CLAIMS) - 2


@pytest.mark.parametrize(
    ("text", "slip", "correction"),
    [
        ("d/dx int(exp(-t^2), t, x, 1) = exp(-x^2)", "sign", "-exp(-x^2)"),
        ("int(x^2, x, 0, b) = b^3/2", "factor", None),
        ("expect(x^2, x ~ normal(mu, sigma)) = mu^2 + sigma", "power", None),
    ],
)
def test_a_slip_is_named(text, slip, correction):
    result = decide(read_claim(text))
    assert result.verdict is Verdict.REFUTED
    assert result.diagnosis is not None
    assert result.diagnosis.slip == slip
    assert correction is None or result.correction == correction


def test_hypotheses_on_declared_functions_are_told():
    result = decide(
        read_claim("expect(x*f(x), x ~ normal(0, 1)) = expect(f'(x), x ~ normal(0, 1)) with f: function of x")
    )
    assert result.verdict is Verdict.PROVED
    assert any(note.startswith("assumed: declared functions") for note in result.notes)


def test_a_derivative_by_a_random_variable_is_not_taken_for_one_by_another_quantity():
    claim = "expect(grad_x (x'*A*x), x ~ normal(mu, S)) = 0 with x: vector(n), mu: vector(n), S: spd(n), A: matrix(n,n)"
    assert decide(read_claim(claim)).verdict is Verdict.REFUTED


@pytest.mark.parametrize(
    "text",
    ["expect(abs(x[1]), x ~ normal(mu, S)) = abs(mu[1]) with mu: vector(n), S: spd(n)",
     "expect(norm(x), x ~ normal(mu, S)) = norm(mu) with mu: vector(n), S: spd(n)",
     "expect(x.^2, x ~ normal(mu, S)) = mu.^2 with mu: vector(n), S: spd(n)"],
)  # fmt: skip
def test_kinks_are_no_polynomials_at_any_size(text):
    from verify.decide.contraction import prove

    assert not prove(read_claim(text)).holds


def test_gradients_by_a_covariance_are_symmetric():
    text = "grad_S expect(x'*A*x, x ~ normal(mu, S)) = {} with mu: vector(n), S: spd(n), A: matrix(n,n)"
    assert decide(read_claim(text.format("(A + A')/2"))).verdict is Verdict.PROVED
    assert decide(read_claim(text.format("A + A'"))).verdict is Verdict.REFUTED
