"""Counts are of operations that were made, and the code that is counted is the code that is right."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sympy import symbols

from verify.numerics import costs, equations, recurrences
from verify.numerics.counting import SOLVES, TRANSPOSED, Tally, count, counted
from verify.numerics.factors import factor

N, M = symbols("N M", positive=True, integer=True)
n = symbols("n", positive=True, integer=True)


@given(st.integers(1, 6), st.integers(0, 2**31))
def test_factors_solve_with_the_matrix_and_with_its_transpose(size: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    A, b = rng.standard_normal((size, size)), rng.standard_normal(size)
    if np.linalg.cond(A) < 1e6:
        factors = factor(A)
        assert np.allclose(A @ factors.solve(b), b, atol=1e-8)
        assert np.allclose(A.T @ factors.transposed(b), b, atol=1e-8)


def test_a_singular_matrix_has_no_factors() -> None:
    with pytest.raises(ArithmeticError, match="singular"):
        factor(np.array([[1.0, 2.0], [2.0, 4.0]]))


def test_a_zero_on_the_diagonal_is_pivoted_away() -> None:
    A = np.array([[0.0, 2.0, 1.0], [1.0, 0.0, 3.0], [4.0, 1.0, 0.0]])
    assert np.allclose(factor(A).transposed(np.arange(3.0)), np.linalg.solve(A.T, np.arange(3.0)))


def test_products_are_counted_and_sums_are_not() -> None:
    tally = Tally()
    A, x = tally.array(3, 4), tally.array(4)
    y = A @ x + A @ x - 1.0 * x[0]
    assert tally.counts["multiplications"] == 24
    assert float((2.0 * y[0] / 3.0).value) == pytest.approx(2 / 3 * float(y[0]))
    assert tally.counts["multiplications"] == 26


def test_elimination_takes_a_third_of_the_cube() -> None:
    assert count(lambda tally, size: factor(tally.array(size, size)), N) == (N**3 - N) / 3


def test_what_is_no_polynomial_has_no_count() -> None:
    def halving(tally: Tally, size: int) -> None:
        while size > 1:
            float(tally.array(1)[0] * 2.0)
            size //= 2

    with pytest.raises(ValueError, match="no polynomial"):
        count(halving, N)


@pytest.mark.parametrize(("size", "parameters"), [(2, 7), (6, 3), (9, 11)])
def test_a_count_holds_for_sizes_that_it_was_not_made_from(size: int, parameters: int) -> None:
    for run in (costs.equation(equations.adjoint_gradient), costs.linear_system(equations.forward_gradient)):
        assert count(run, N, M).subs({N: size, M: parameters}) == counted(run, size, parameters)
    assert count(costs.hessian_product, N, M).subs({N: size, M: parameters}) == counted(
        costs.hessian_product, size, parameters
    )


def test_the_adjoint_solves_once_and_the_direct_way_for_each_parameter() -> None:
    adjoint, direct = costs.equation(equations.adjoint_gradient), costs.equation(equations.forward_gradient)
    assert (counted(adjoint, 4, 9, of=SOLVES), counted(adjoint, 4, 9, of=TRANSPOSED)) == (0, 1)
    assert (counted(direct, 4, 9, of=SOLVES), counted(direct, 4, 9, of=TRANSPOSED)) == (9, 0)


def test_one_wrong_operation_more_is_seen() -> None:
    def wasteful(recurrence: recurrences.Recurrence, x: list, p: object) -> object:
        return recurrences.reverse(recurrence, x, p) * 2.0

    right, more = (count(costs.recurrence(way), n, N, M, degree=2) for way in (recurrences.reverse, wasteful))
    assert more - right == M
