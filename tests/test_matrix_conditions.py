"""Equations among the conditions: entries that they fix, structure that they mean, and what they may not prove."""

import pytest

from verify.decide import decide
from verify.decide.contraction.prove import agreeing_sides
from verify.decide.shaped.points import differs_at
from verify.language import read_claim
from verify.verdict import Verdict

VECTORS = "x: vector(n), y: vector(n), z: vector(n), A: matrix(n,n), s: real"
PAIRS = [
    # (condition, true, false)
    ("sum(y) = 1", "grad_z (-y'*log(softmax(z))) = softmax(z) - y", "grad_z (-y'*log(softmax(z))) = y - softmax(z)"),
    ("sum(y) = 1", "(ones(n)*y')*(ones(n)*y') = ones(n)*y'", "(ones(n)*y')*(ones(n)*y') = n*ones(n)*y'"),
    ("tr(A) = 2", "tr(A)^3*x = 8*x", "tr(A)^3*x = 6*x"),
    ("y[1] = 0", "y[1]*x = 0*x", "y[1]*x = x"),
    ("sum(y) = s", "sum(y)^2 = s^2", "sum(y)^2 = s"),
    ("norm(x) = 1", "jac_x (x/norm(x)) = eye(n) - x*x'", "jac_x (x/norm(x)) = eye(n)"),
    ("x'*x = 4", "(x*x')*(x*x') = 4*x*x'", "(x*x')*(x*x') = x*x'"),
    ("norm(x)^2 = 1", "(eye(n) - x*x')*x = 0*x", "(eye(n) - x*x')*y = 0*y"),
    ("dot(y, y) = 9/4", "norm(y) = 3/2", "norm(y) = 9/4"),
]


@pytest.mark.parametrize(("condition", "true", "false"), PAIRS)
def test_an_equation_fixes_an_entry(condition, true, false):
    assert decide(read_claim(f"{true} with {VECTORS}, {condition}")).verdict is Verdict.PROVED
    wrong = read_claim(f"{false} with {VECTORS}, {condition}")
    result = decide(wrong)
    assert result.verdict is Verdict.REFUTED
    assert differs_at(wrong, result.counterexample.point)[1]


def test_equations_are_used_after_differentiation():
    claim = f"grad_x (x'*x) = 0*x with {VECTORS}, sum(x) = 1"
    assert decide(read_claim(claim)).verdict is Verdict.REFUTED
    assert decide(read_claim(claim.replace("0*x", "2*x"))).verdict is Verdict.PROVED


@pytest.mark.parametrize(
    ("condition", "text", "structure"),
    [
        ("A' = A", "x'*A*y = y'*A*x", "symmetric"),
        ("A = A'", "grad_x (x'*A*x) = 2*A*x", "symmetric"),
        ("A' = -A", "x'*A*x = 0", "antisymmetric"),
        ("A'*A = eye(n)", "norm(A*x) = norm(x)", "orthogonal"),
        ("inv(A) = A'", "det(A)^2 = 1", "orthogonal"),
    ],
)
def test_a_condition_that_means_a_structure_is_read_so(condition, text, structure):
    result = decide(read_claim(f"{text} with {VECTORS}, {condition}"))
    assert result.verdict is Verdict.PROVED
    assert any(f"A is taken as {structure}" in note for note in result.notes)
    assert decide(read_claim(f"{text} with {VECTORS}")).verdict is Verdict.REFUTED


@pytest.mark.parametrize(
    ("condition", "text"),
    [
        ("det(A) = 0", "d/ds det(s*eye(n) + A) = det(s*eye(n) + A)*tr(inv(A)*A)"),
        ("sum(y) = 1", "sign(sum(y) - 1) = 1"),
        ("sum(y) = 1", "x = y"),
        ("A*x = y", "A*x = 2*y"),
        ("x'*x = 1", "x'*x = 2"),
        ("norm(x) = 1", "x'*x = 2"),
        ("norm(x) = -1", "x'*x = 2"),
        ("s = 0 or s = 1", "s*x = x"),
    ],
)
def test_no_equation_proves_what_is_false(condition, text):
    assert agreeing_sides(read_claim(f"{text} with {VECTORS}, {condition}"))[0] is None


@pytest.mark.parametrize(
    ("condition", "text"),
    [
        ("x'*x = 1", "(x*x')*(x*x') = x*x'"),
        ("norm(x) = 1", "grad_x norm(x) = x"),
        ("x'*y = 0", "(x*y')*(x*y') = 0*x*y'"),
    ],
)
def test_the_prover_takes_lengths_and_inner_products(condition, text):
    assert agreeing_sides(read_claim(f"{text} with {VECTORS}, {condition}"))[0]


def test_agreement_of_numbers_alone_supports_no_claim_on_vectors_without_a_point_elsewhere():
    result = decide(read_claim("x*y' = y*x' with x: vector(n), y: vector(n), x*y' = A, A: matrix(n,n)"))
    assert result.verdict in (Verdict.UNDECIDED, Verdict.REFUTED)
    result = decide(read_claim("x = y with x: vector(n), y: vector(n), norm(x)^2 = norm(y)^2, x > 0, y > 0"))
    assert result.verdict is not Verdict.PROVED
    assert result.verdict is not Verdict.SUPPORTED
