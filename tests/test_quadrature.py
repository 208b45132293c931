"""The quadrature rules against integrals in closed form, and against what has no integral."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from verify.numerics.quadrature import (
    NotFinite,
    Unresolved,
    double_exponential,
    expectation_of,
    gauss_hermite,
    integrate,
    trapezoid,
)

INF = math.inf
RULES = (integrate, double_exponential)


def phi(x: np.ndarray) -> np.ndarray:
    with np.errstate(under="ignore", over="ignore"):
        return np.exp(-(x**2) / 2) / math.sqrt(2 * math.pi)


KNOWN = {
    "normal": (phi, -INF, INF, 1.0),
    "Cauchy": (lambda x: 1 / (math.pi * (1 + x**2)), -INF, INF, 1.0),
    "exponential": (lambda x: np.exp(-x), 0.0, INF, 1.0),
    "exponential, to the left": (lambda x: np.exp(x), -INF, 0.0, 1.0),
    "slow decay": (lambda x: x**-1.5, 1.0, INF, 2.0),
    "root at an end": (np.sqrt, 0.0, 1.0, 2 / 3),
    "singular root": (lambda x: x**-0.5, 0.0, 1.0, 2.0),
    "logarithm": (np.log, 0.0, 1.0, -1.0),
    "polynomial": (lambda x: 7 * x**6 - 2 * x, -1.0, 2.0, 126.0),
    "oscillation": (lambda x: np.cos(40 * x), 0.0, 1.0, math.sin(40) / 40),
    "cancellation": (lambda x: np.sin(x) ** 3, -3.0, 3.0, 0.0),
}


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("name", KNOWN)
def test_the_error_is_at_least_what_it_really_is(name: str, rule: Any) -> None:
    f, low, high, exact = KNOWN[name]
    found = rule(f, low, high)
    assert abs(found.value - exact) <= found.error
    assert found.error <= 1e-9


@given(st.floats(0.05, 20), st.floats(-50, 50), st.integers(0, 8))
def test_moments_of_a_shifted_normal_law_are_right_once_its_place_is_named(scale: float, place: float, n: int) -> None:
    def density(x: np.ndarray) -> np.ndarray:
        return phi((x - place) / scale) / scale

    found = integrate(expectation_of(density, lambda x: ((x - place) / scale) ** n), -INF, INF, breaks=(place,))
    exact = 0.0 if n % 2 else math.prod(range(1, n, 2))
    assert abs(found.value - exact) <= found.error <= 1e-7


def test_a_narrow_peak_is_found_where_it_is_named_and_nowhere_else() -> None:
    def peak(x: np.ndarray) -> np.ndarray:
        return phi((x - 30) * 1e3) * 1e3

    assert integrate(peak, -INF, INF, breaks=(30.0,)).value == pytest.approx(1, abs=1e-10)
    assert integrate(peak, -INF, INF).value != pytest.approx(1, abs=0.1)


def test_a_kink_costs_digits_unless_it_is_a_break() -> None:
    named = integrate(np.abs, -1.0, 2.0, breaks=(0.0,))
    assert named.value == pytest.approx(2.5, abs=1e-14)
    assert named.evaluations < integrate(np.abs, -1.0, 2.0).evaluations
    with pytest.raises(Unresolved):
        double_exponential(np.abs, -1.0, 2.0)


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize(
    ("f", "low", "high"),
    [
        (lambda x: 1 / x, 0.0, 1.0),
        (lambda x: 1 / (1 + np.abs(x)), 0.0, INF),
        (lambda x: x / (1 + x**2), -INF, INF),
        (lambda x: x, -INF, INF),
        (lambda x: np.exp(np.minimum(x, 300)), 0.0, INF),
    ],
    ids=["pole", "slow tail", "principal value", "odd polynomial", "growth"],
)
def test_a_divergent_integral_has_no_value(f: Any, low: float, high: float, rule: Any) -> None:
    with pytest.raises(Unresolved):
        rule(f, low, high)


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("bad", [math.nan, math.inf])
def test_a_value_that_is_not_finite_is_refused_and_its_place_named(rule: Any, bad: float) -> None:
    with pytest.raises(NotFinite, match=r"at x = 0\.\d"):
        rule(lambda x: np.where(x > 0.5, bad, x), 0.0, 1.0)


@pytest.mark.parametrize("rule", RULES)
def test_an_empty_interval_is_refused(rule: Any) -> None:
    with pytest.raises(ValueError, match="empty"):
        rule(phi, 1.0, 1.0)


def test_an_integrand_that_is_not_vectorised_is_refused() -> None:
    with pytest.raises(ValueError, match="vectorised"):
        integrate(lambda _x: np.ones(3), 0.0, 1.0)


def test_a_weight_that_underflows_outweighs_an_overflow() -> None:
    product = expectation_of(phi, lambda x: np.exp(x))
    assert product(np.array([0.0, 1e5])) == pytest.approx([1 / math.sqrt(2 * math.pi), 0.0])
    assert integrate(product, -INF, INF).value == pytest.approx(math.exp(0.5), rel=1e-12)


def test_the_two_rules_agree_without_being_one_rule() -> None:
    one, other = integrate(np.log, 0.0, 1.0), double_exponential(np.log, 0.0, 1.0)
    assert one.value == pytest.approx(other.value, rel=1e-11)
    assert one.value != other.value


# --- several dimensions -----------------------------------------------------------------------------

MEAN, COVARIANCE = np.array([0.5, -1.0]), np.array([[1.0, 0.3], [0.3, 2.0]])


def test_gauss_hermite_is_exact_for_polynomials() -> None:
    # E x^2 y = m_y (v_x + m_x^2) + 2 c m_x; E (x - m_x)(y - m_y)^3 = 3 c v_y
    found = gauss_hermite(lambda z: z[0] ** 2 * z[1], MEAN, COVARIANCE, nodes=6)
    assert found == pytest.approx(-1.0 * (1.0 + 0.25) + 2 * 0.3 * 0.5, rel=1e-13)
    found = gauss_hermite(lambda z: (z[0] - 0.5) * (z[1] + 1) ** 3, MEAN, COVARIANCE, nodes=6)
    assert found == pytest.approx(3 * 0.3 * 2.0, rel=1e-13)


def test_gauss_hermite_takes_functions_with_several_entries() -> None:
    found = gauss_hermite(lambda z: np.stack([z[0], z[1], z[0] * z[1]]), MEAN, COVARIANCE)
    assert found == pytest.approx([0.5, -1.0, 0.3 - 0.5], rel=1e-13)


def test_gauss_hermite_refuses_a_singularity_near_a_wide_law() -> None:
    with pytest.raises(Unresolved):
        gauss_hermite(lambda z: 1 / np.sqrt(1.2**2 + z[0] ** 2), np.zeros(1), np.array([[4.0]]), nodes=120)


def test_gauss_hermite_refuses_nan() -> None:
    with pytest.raises(NotFinite):
        gauss_hermite(lambda z: np.where(z[0] > 0, np.nan, 1.0), MEAN, COVARIANCE)


def test_the_lattice_sees_a_density_of_the_plane() -> None:
    found = trapezoid(lambda z: phi(z[0] - 0.3) * phi((z[1] + z[0]) / 2) / 2, np.zeros(2), np.diag([1.0, 2.0]))
    assert abs(found.value - 1) <= found.error <= 1e-6


def test_the_lattice_says_so_when_it_is_too_coarse_or_too_small() -> None:
    assert trapezoid(lambda z: phi(z[0] * 9) * phi(z[1] * 9) * 81, np.zeros(2), np.eye(2)).error > 1e-3
    assert trapezoid(lambda z: phi(z[0] / 9) * phi(z[1] / 9) / 81, np.zeros(2), np.eye(2)).error > 1e-3


def test_a_lattice_needs_a_number_of_points_that_can_be_halved() -> None:
    with pytest.raises(ValueError, match="4k"):
        trapezoid(lambda z: phi(z[0]), np.zeros(1), np.eye(1), points=32)
