"""A refuted claim on vectors and matrices is explained, and the correct formula is printed."""

from __future__ import annotations

import pytest

from verify.decide import decide
from verify.language import read_claim
from verify.verdict import Verdict


@pytest.mark.parametrize(
    ("text", "slip", "says", "correction"),
    [
        ("grad_x norm(x) = x'/norm(x) with x: vector(n)", "layout", "right in the other layout", "x/norm(x)"),
        ("jac_x (A*x) = A' with x: vector(n), A: matrix(m,n)", "layout", "right in the other layout", "A"),
        ("grad_X log(det(X)) = inv(X) with X: matrix(n,n)", "transpose", "", "inv(X)'"),
        (
            "grad_x (x'*A*x) = 2*A*x with x: vector(n), A: matrix(n,n)",
            "symmetry",
            "only if A is symmetric",
            "(A + A')*x",
        ),
        ("grad_x (x'*x) = x with x: vector(n)", "factor", "lacks a factor 2", "2*x"),
        (
            "hess_x log(1 + x'*x) = 2*eye(n)/(1 + x'*x) - 2*x*x'/(1 + x'*x)^2 with x: vector(n)",
            "factor",
            "lacks a factor 2",
            "2*eye(n)/(1 + x'*x) - 4*x*x'/(1 + x'*x)^2",
        ),
        ("grad_x (x'*x) = -2*x with x: vector(n)", "sign", "-1 times", "2*x"),
        ("tr(A*B*C) = tr(A*C*B) with A: matrix(n,n), B: matrix(n,n), C: matrix(n,n)", "commute", "wrong order", None),
        (
            "expm(A + B) = expm(A)*expm(B) with A: matrix(n,n), B: matrix(n,n)",
            "commute",
            "only if A and B commute",
            None,
        ),
        (
            "d/dt expm(A) = d/dt(A)*expm(A) with A: matrix(n,n) of t",
            "commute",
            "A and its derivative by t commute",
            None,
        ),
        ("sum(A)^2 = sum(A.*A) with A: matrix(n,n)", "size", "n = 1 only", None),
        ("grad_X det(X) = det(X)*inv(X) with X: symmetric(n), structured", "symmetry", "treated as independent", None),
        ("d/dx f(x^2) = f'(x^2) with f: function of x", "missing-factor", "2*x", None),
        ("(A*B)' = A'*B' with A: matrix(n,n), B: matrix(n,n)", "commute", "wrong order", "B'*A'"),
    ],
)
def test_the_slip_is_named(text, slip, says, correction):
    result = decide(read_claim(text))
    assert result.verdict is Verdict.REFUTED
    assert result.diagnosis is not None
    assert result.diagnosis.slip == slip
    assert says in result.diagnosis.says
    assert result.diagnosis.verdict >= Verdict.SUPPORTED
    if correction is not None:
        assert result.correction == correction


def test_a_gradient_by_a_symmetric_matrix_says_how_it_is_read():
    free = decide(read_claim("grad_X tr(X) = eye(n) with X: symmetric(n)"))
    assert any("treated as independent" in note for note in free.notes)
    together = decide(read_claim("grad_X tr(X) = eye(n) with X: symmetric(n), structured"))
    assert any("vary together" in note for note in together.notes)


@pytest.mark.parametrize(
    ("text", "correction"),
    [
        ("grad_A det(A) = (det(A)*inv(A))'*A with A: matrix(n,n)", "det(A)*inv(A)'"),
        ("grad_W norm(W) = W with W: matrix(m,n)", "W/norm(W)"),
        ("ones(n,1) = grad_x norm(x, 1) with x: vector(n)", "sign(x)"),
        ("d/dt norm(x) = norm(d/dt(x)) with x: vector(n) of t", "(x'*d/dt (x))/norm(x)"),
        ("d/dt inv(A) = -inv(A)^2*d/dt(A) with A: matrix(n,n) of t", "-inv(A)*d/dt (A)*inv(A)"),
    ],
)
def test_the_derivative_is_printed_where_no_single_slip_explains_the_claim(text, correction):
    result = decide(read_claim(text))
    assert result.verdict is Verdict.REFUTED
    assert result.correction == correction


@pytest.mark.parametrize("sign", ["", "-"])
def test_the_side_that_is_wrong_is_named(sign):
    right = decide(read_claim(f"grad_x (x'*x) = {sign}4*x with x: vector(n)"))
    left = decide(read_claim(f"{sign}4*x = grad_x (x'*x) with x: vector(n)"))
    assert "the right-hand side" in right.diagnosis.says
    assert "the left-hand side" in left.diagnosis.says


@pytest.mark.parametrize(
    ("text", "slip"),
    [
        ("jac_x (x/norm(x)) = eye(n)/norm(x) with x: vector(n)", "missing-term"),
        ("grad_S (-logdet(S)/2 - x'*inv(S)*x/2) = -inv(S)/2 with S: spd(n), x: vector(n)", "missing-term"),
        ("grad_x (-dot(y, log(softmax(x)))) = softmax(x) - y with x: vector(n), y: vector(n)", "missing-factor"),
        ("grad_x (x'*y/norm(x)) = y/norm(x) - (x'*y)*x/norm(x)^2 with x: vector(n), y: vector(n)", "power"),
        ("grad_x dot(v, tanh(x)) = v.*(ones(n) - tanh(x)) with x: vector(n), v: vector(n)", "power"),
        ("grad_x sum(sin(A*x)) = A'*sin(A*x) with x: vector(n), A: matrix(m,n)", "function"),
        ("grad_x (a'*x + b'*b) = b with a: vector(n), b: vector(n), x: vector(n)", "swap"),
    ],
)
def test_terms_factors_powers_functions_and_names_are_slips_of_matrices_too(text, slip):
    result = decide(read_claim(text))
    assert result.verdict is Verdict.REFUTED
    assert result.diagnosis is not None
    assert result.diagnosis.slip == slip
    assert result.diagnosis.verdict >= Verdict.SUPPORTED


def test_a_claim_that_differs_in_more_than_one_place_has_no_named_slip():
    result = decide(read_claim("grad_x (x'*A*x) = 5*A'*A*x + x with x: vector(n), A: matrix(n,n)"))
    assert result.verdict is Verdict.REFUTED
    assert result.diagnosis is None
