"""The assertion for other people's suites passes what holds and tells the whole story of what does not."""

from __future__ import annotations

import subprocess
import sys

import pytest
from hypothesis import given
from strategies import costly

from verify.calculus import adjoint
from verify.calculus.adjoint import Problem
from verify.calculus.linear import LinearFamily
from verify.language import read_claim
from verify.testing import assert_holds, linear_families, neural_fields, vector_fields
from verify.verdict import Verdict


def test_what_holds_is_returned() -> None:
    assert assert_holds("d/dx tanh(x) = 1 - tanh(x)^2").verdict is Verdict.PROVED
    assert assert_holds("d/dx abs(x) = 1", x="positive").verdict is Verdict.PROVED
    assert assert_holds(read_claim("sin(x)^2 + cos(x)^2 = 1")).verdict is Verdict.PROVED


def test_a_failure_tells_point_values_slip_correction_and_how_to_run_it_again() -> None:
    with pytest.raises(AssertionError) as failure:
        assert_holds("d/dx sin(x)^2 = -2*sin(x)*cos(x)")
    story = str(failure.value)
    for part in ("REFUTED", "at  ", "x = ", "left", "right", "slip", "sign", "right is", "again"):
        assert part in story
    (snippet,) = (line.split("again", 1)[1].strip() for line in story.splitlines() if "again" in line)
    ran = subprocess.run([sys.executable, "-c", snippet], capture_output=True, text=True, timeout=60, check=True)
    assert "REFUTED" in ran.stdout


def test_declarations_are_part_of_the_snippet() -> None:
    with pytest.raises(AssertionError, match="'negative'"):
        assert_holds("d/dx abs(x) = 1", x="negative")


def test_text_that_cannot_be_read_fails_with_its_column() -> None:
    with pytest.raises(AssertionError, match="INVALID"):
        assert_holds("d/dx sin(x = cos(x)")


def test_more_may_be_asked_than_support() -> None:
    with pytest.raises(AssertionError, match="should be at least PROVED"):
        assert_holds("x = x + 1", at_least=Verdict.PROVED)


@costly
@given(vector_fields(), neural_fields(), linear_families())
def test_the_strategies_leave_the_blind_inputs(field: Problem, net: Problem, family: LinearFamily) -> None:
    for problem in (field, net):
        assert adjoint.smoothness(problem).holds
        assert adjoint.lipschitz(problem).holds
        assert problem.time in problem.field.free_symbols  # not autonomous
        assert not adjoint.jacobian(problem.initial, problem.parameters).is_zero_matrix
        assert set(problem.parameters) & problem.running.free_symbols
        assert set(problem.parameters) & problem.terminal.free_symbols
        assert len(problem.state) == 1 or problem.field_u != problem.field_u.T
    for parameter in family.parameters:
        direction = family.matrix.diff(parameter)
        assert family.matrix * direction != direction * family.matrix


def test_hypothesis_is_imported_only_when_a_strategy_is_asked_for() -> None:
    code = "import sys, verify.testing; print([m for m in ('hypothesis', 'sympy', 'numpy') if m in sys.modules])"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    assert ran.stdout.strip() == "[]"
