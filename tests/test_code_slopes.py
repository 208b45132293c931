"""Slopes of noisy functions, with errors that can be believed."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from verify.code.blackbox import Blackbox
from verify.code.complex_step import directional
from verify.code.differences import ladder, settled, sides
from verify.code.increments import gap
from verify.code.tracing import pullback, trace


def line(f):
    return lambda t: np.array([f(t)])


def best(f):
    return settled(ladder(line(f), np.array([f(0.0)])))


@pytest.mark.parametrize(
    ("f", "slope", "relative"),
    [
        (np.exp, 1.0, 1e-12),
        (lambda t: np.log(1.5 + t), 1 / 1.5, 1e-12),
        (lambda t: np.sin(300 * t + 1), 300 * np.cos(1), 1e-10),
        (lambda t: 1e8 + np.sin(t), 1.0, 1e-5),
        (lambda t: 1e-200 * np.sinh(t), 1e-200, 1e-12),
        (lambda t: 1e200 * np.sinh(t), 1e200, 1e-12),
        (lambda t: float(np.sin(np.float32(t) + np.float32(1))), np.cos(1), 1e-5),
    ],
)
def test_a_slope_is_found_to_its_stated_error(f, slope, relative):
    found = best(f)
    assert found.error[0] <= relative * abs(slope)
    assert abs(found.value[0] - slope) <= 30 * found.error[0]


@given(st.floats(-3, 3), st.floats(0.1, 30), st.floats(-1, 1))
def test_errors_of_smooth_functions_are_never_thirty_times_too_small(phase, frequency, offset):
    found = best(lambda t: np.sin(frequency * t + phase) + offset)
    assert abs(found.value[0] - frequency * np.cos(phase)) <= 30 * found.error[0]


def test_a_kink_at_the_point_is_seen_from_both_sides():
    seen = sides(line(lambda t: abs(t) + 2 * t), np.zeros(1), 0.01)
    assert seen is not None
    assert seen.kink[0]
    assert (seen.left[0], seen.right[0]) == pytest.approx((1, 3))


def test_a_smooth_function_has_no_kink():
    seen = sides(line(np.exp), np.ones(1), 0.01)
    assert seen is not None
    assert not seen.kink[0]


def test_a_drift_from_call_to_call_is_noise_and_not_a_slope():
    calls = iter(range(10**6))
    found = settled(ladder(lambda t: np.array([np.sin(t) + 1e-9 * next(calls)]), np.zeros(1)))
    assert abs(found.value[0] - 1) <= 30 * found.error[0]


def test_the_integral_of_the_slope_returns_the_increment():
    seen = gap(line(np.exp), line(np.exp), 0.5)
    assert seen is not None
    assert abs(seen.value[0]) <= 10 * seen.error[0]
    wrong = gap(line(np.exp), line(lambda t: 1.001 * np.exp(t)), 0.5)
    assert wrong is not None
    assert abs(wrong.value[0]) > 1000 * wrong.error[0]


def test_a_complex_step_is_right_to_the_last_digits_where_the_code_is_holomorphic():
    f = Blackbox(lambda x: np.array([1e8 + np.sin(x[0]) * x[1]]), (2,))
    x, v = np.array([0.3, 0.7]), np.array([1.0, 2.0])
    f(x)
    assert directional(f, x, v) == pytest.approx([np.cos(0.3) * 0.7 + 2 * np.sin(0.3)], rel=1e-14)


def test_code_that_drops_the_imaginary_part_has_no_complex_step():
    f = Blackbox(lambda x: float(np.sum(x**2)), (2,))
    f(np.ones(2))
    assert directional(f, np.ones(2), np.ones(2)) is None


SCALE = np.array([1.0, 2.0])


def inner(x):
    return np.tanh(SCALE * x)


def outer(x):
    return np.sum(inner(x) ** 2) + np.linalg.norm(x)


def test_plain_numpy_code_is_traced_through_the_functions_it_calls():
    x = np.array([0.3, -0.8])
    traced = trace(outer, x)
    assert traced is not None
    found = pullback(traced, x)
    assert found is not None
    t = np.tanh(SCALE * x)
    expected = 2 * t * (1 - t**2) * SCALE + x / np.linalg.norm(x)
    assert found[1](np.ones(())) == pytest.approx(expected, rel=1e-13)


def test_tracing_leaves_the_function_as_it_was():
    before = outer.__globals__["np"]
    trace(outer, np.ones(2))
    assert outer.__globals__["np"] is before


def test_a_blackbox_protects_the_argument_and_counts_what_goes_wrong():
    def careless(x):
        x *= 2
        if x[0] > 1:
            raise ValueError("too large")
        return x.sum()

    f = Blackbox(careless, (2,))
    x = np.array([0.1, 0.2])
    assert f(x) == pytest.approx([0.6])
    assert np.array_equal(x, [0.1, 0.2])
    assert f.mutates
    assert np.isnan(f(np.ones(2))).all()
    assert "too large" in f.trouble
