"""The order of a remainder is the slope's witness."""

from __future__ import annotations

import numpy as np
import pytest

from verify.code.taylor import remainder


def line(f):
    return lambda t: np.array([f(t)])


def test_the_right_slope_leaves_a_remainder_of_order_two():
    seen = remainder(line(np.exp), np.ones(1), np.ones(1), 0.1, 1e-16)
    assert seen.order == pytest.approx(2, abs=0.1)
    assert seen.without == pytest.approx(1, abs=0.1)
    assert not seen.exact


def test_a_wrong_slope_leaves_a_remainder_of_order_one():
    seen = remainder(line(np.exp), np.ones(1), np.full(1, 1.1), 0.1, 1e-16)
    assert seen.order == pytest.approx(1, abs=0.15)


def test_a_vanishing_second_derivative_gives_order_three():
    assert remainder(line(np.sin), np.zeros(1), np.ones(1), 0.1, 1e-16).order == pytest.approx(3, abs=0.1)


def test_a_linear_function_agrees_exactly_although_no_order_can_be_seen():
    seen = remainder(line(lambda t: 3 * t + 1), np.ones(1), np.full(1, 3.0), 0.1, 1e-16)
    assert seen.exact
    assert seen.order is None


def test_a_constant_function_has_no_order_and_is_exact():
    seen = remainder(line(lambda _: 5.0), np.full(1, 5.0), np.zeros(1), 0.1, 1e-16)
    assert seen.exact
    assert seen.without is None


def test_values_that_are_not_finite_give_no_order():
    seen = remainder(line(lambda t: np.log(0.01 - t)), np.log(np.full(1, 0.01)), np.full(1, -100.0), 0.1, 1e-16)
    assert seen.order is None
    assert not seen.exact
