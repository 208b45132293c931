"""A gradient in code is judged: the bank, and what a verdict says."""

from __future__ import annotations

import json
import re
import zlib

import numpy as np
import pytest
from code_bank import CASES, Case, box

from verify.code.check import check_code
from verify.verdict import Rigor, Verdict, independent


def smooth(x):
    return np.sum(np.sin(x) ** 2)


def smooth_gradient(x):
    return np.sin(2 * x)


SLOW = ("decay by", "pendulum", "riccati", "eigenvalue", "bessel")
"""Cases that call a solver ten thousand times."""


def of_the_default_run(case: Case) -> bool:
    """A fixed twelfth of the quick cases."""
    return zlib.crc32(case.name.encode()) % 12 == 0 and not any(word in case.name for word in (*SLOW, "thousand"))


def judged(case: Case, seed: int) -> None:
    verdict = check_code(case.f, case.gradient, case.domain, seed=seed).verdict
    if case.hidden:
        assert verdict is Verdict.UNDECIDED
    elif case.right:
        assert verdict is not Verdict.REFUTED
    else:
        assert verdict is not Verdict.SUPPORTED


@pytest.mark.parametrize("case", [c for c in CASES if of_the_default_run(c)], ids=lambda c: c.name)
def test_no_right_gradient_is_refuted_and_no_wrong_one_supported(case):
    judged(case, seed=0)


@pytest.mark.thorough
@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("case", CASES, ids=lambda c: c.name)
def test_the_whole_bank_is_judged_rightly_whatever_the_seed(case, seed):
    judged(case, seed)


def test_the_bank_is_large_and_its_names_are_its_own():
    assert sum(c.right for c in CASES) >= 120
    assert sum(not c.right for c in CASES) >= 150
    assert len({c.name for c in CASES}) == len(CASES)


@pytest.mark.parametrize("seed", range(3))
def test_slopes_too_large_for_a_double_refute_nothing(seed):
    result = check_code(lambda x: np.sum(np.exp(x)), np.exp, box(2, 0, 1000), seed=seed)
    assert result.verdict is not Verdict.REFUTED


def test_a_support_states_its_resolution_and_its_routes():
    result = check_code(smooth, smooth_gradient, box(3))
    assert result.verdict is Verdict.SUPPORTED
    assert result.rigor is Rigor.NUMERICAL
    first = result.evidence[0]
    assert first.resolution is not None
    assert first.resolution < 1e-9
    assert {e.route for e in result.evidence} == {"differences", "complex step", "reverse mode", "Taylor remainder"}
    assert all(e.holds and e.rigor is Rigor.NUMERICAL for e in result.evidence)
    orders = next(e for e in result.evidence if e.route == "Taylor remainder").detail
    assert orders["order with the gradient"] == pytest.approx(2, abs=0.2)


def test_a_refutation_rests_on_two_routes_that_share_nothing():
    result = check_code(smooth, lambda x: -smooth_gradient(x), box(3))
    assert result.verdict is Verdict.REFUTED
    one, other = (e for e in result.evidence if e.holds is False)
    assert independent(one, other)
    assert one.detail["standoff"] > 1000
    assert other.detail["standoff"] > 1000


def test_a_refutation_says_which_entry_where_and_what_it_should_be():
    def wrong(x):
        g = smooth_gradient(x)
        g[2] *= -1
        return g

    result = check_code(smooth, wrong, box(4))
    assert result.counterexample is not None
    assert result.counterexample.point["derivative"] == "entry [2]"
    assert float(result.counterexample.lhs) == pytest.approx(-float(result.counterexample.rhs), rel=1e-6)
    assert result.diagnosis is not None
    assert result.diagnosis.slip == "entry"


def test_a_wrong_entry_of_a_jacobian_is_named_with_its_output():
    A = np.arange(6.0).reshape(2, 3) + 1

    def wrong(_):
        J = A.copy()
        J[1, 2] += 1
        return J

    result = check_code(lambda x: A @ x, wrong, box(3))
    assert result.counterexample is not None
    assert result.counterexample.point["derivative"] == "entry [1, 2]"


@pytest.mark.parametrize(
    ("wrong", "slip", "correction"),
    [
        (lambda x: -smooth_gradient(x), "sign", "-gradient(x)"),
        (lambda x: 2 * smooth_gradient(x), "factor", "gradient(x) / 2"),
        (lambda x: smooth_gradient(x) / 2, "factor", "gradient(x) * 2"),
        (lambda x: smooth_gradient(x)[::-1], "permutation", "gradient(x)[::-1]"),
        (lambda x: smooth_gradient(x) * 0, "missing-term", None),
        (lambda x: smooth_gradient(x) + 0.1 * x, "missing-term", None),
    ],
)
def test_a_slip_is_named_and_put_right(wrong, slip, correction):
    result = check_code(smooth, wrong, box(4, 0.1, 1.2))
    assert result.diagnosis is not None
    assert result.diagnosis.slip == slip
    assert result.correction == correction


def test_a_mistake_on_a_part_of_the_box_is_placed():
    result = check_code(smooth, lambda x: smooth_gradient(x) * (1.1 if x[1] > 0.9 else 1), box(3))
    assert result.diagnosis is not None
    assert re.search(r"wrong only where x\[1\] > 0\.(8[89]|90)", result.diagnosis.says)


def test_a_transposed_jacobian_is_a_question_of_layout():
    A = np.arange(6.0).reshape(2, 3)
    result = check_code(lambda x: A @ x, lambda x: A.T + 0 * x.sum(), box(3))
    assert result.verdict is Verdict.REFUTED
    assert result.diagnosis is not None
    assert result.diagnosis.slip == "layout"
    assert "(3, 2)" in result.diagnosis.says
    assert "(2, 3)" in result.diagnosis.says


def test_a_subgradient_at_a_kink_is_right_and_the_kink_is_named():
    result = check_code(lambda x: np.maximum(x, 0).sum(), lambda x: (x > 0) * 1.0, lambda _: np.zeros(3))
    assert result.verdict is Verdict.SUPPORTED
    assert any("kink" in note for note in result.notes)


def test_a_claim_outside_the_slopes_of_a_kink_is_not_supported():
    result = check_code(lambda x: np.abs(x).sum(), lambda _: np.full(3, 5.0), lambda _: np.zeros(3))
    assert result.verdict is Verdict.UNDECIDED


def test_noise_that_hides_the_answer_is_said():
    rng = np.random.default_rng(1)
    result = check_code(lambda x: smooth(x) + 1e-2 * rng.standard_normal(), smooth_gradient, box(3), points=40)
    assert result.verdict is Verdict.UNDECIDED
    assert "noise" in result.reason
    assert any("not deterministic" in note for note in result.notes)


def test_a_gradient_that_is_not_finite_is_never_agreement():
    assert check_code(smooth, lambda x: smooth_gradient(x) * np.nan, box(2)).verdict is Verdict.REFUTED


def test_a_gradient_that_always_raises_is_never_agreement():
    def broken(_):
        raise RuntimeError("no gradient here")

    result = check_code(smooth, broken, box(2))
    assert result.verdict is Verdict.UNDECIDED
    assert any("no gradient here" in note for note in result.notes)


@pytest.mark.parametrize("f", [lambda _: "text", lambda _: None])
def test_what_is_no_number_is_invalid(f):
    assert check_code(f, smooth_gradient, box(2)).verdict is Verdict.INVALID


def test_f_is_never_called_outside_the_box():
    low, high = np.array([0.0, -1.0]), np.array([1e-3, 5.0])

    def fenced(x):
        x = np.real(x)
        assert np.all((low <= x) & (x <= high))
        return np.sum(x**2)

    assert check_code(fenced, lambda x: 2 * x, (low, high)).verdict is Verdict.SUPPORTED


def test_arguments_are_handed_over_as_copies_and_the_mutation_is_reported():
    def careless(x):
        x *= 2
        return x.sum()

    result = check_code(careless, lambda x: 2 + 0 * x, box(2))
    assert result.verdict is Verdict.SUPPORTED
    assert any("in place" in note for note in result.notes)


def test_the_same_seed_gives_the_same_result():
    def once():
        record = check_code(smooth, lambda x: smooth_gradient(x) * 1.01, box(3), seed=7, seconds=None).to_json()
        record.pop("seconds")
        return json.dumps(record, sort_keys=True)

    assert once() == once()


def test_the_result_is_plain_json():
    for gradient in (smooth_gradient, lambda x: 3 * smooth_gradient(x), lambda x: x * np.nan):
        record = check_code(smooth, gradient, box(2), points=40).to_json()
        assert json.loads(json.dumps(record, allow_nan=False))["verdict"] in ("SUPPORTED", "REFUTED")


@pytest.mark.parametrize(
    ("domain", "says"),
    [
        ((np.zeros(2), np.ones(3)), "shape"),
        ((np.ones(2), np.zeros(2)), "must not exceed"),
        ("everywhere", "neither a pair"),
        (lambda rng: np.zeros(rng.integers(1, 9)), "shapes"),
    ],
)
def test_a_domain_that_is_none_is_refused(domain, says):
    with pytest.raises(ValueError, match=says):
        check_code(smooth, smooth_gradient, domain)
