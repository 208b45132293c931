"""Is the solver behind judged systems DOP853, step by step, and does it stop where there is nothing to be had?"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from scipy.integrate import solve_ivp

from verify.numerics.dop853 import integrate
from verify.numerics.ode_solved import Failed, solve

Field = Callable[[float, np.ndarray], np.ndarray]


def predators(t: float, u: np.ndarray) -> np.ndarray:
    return np.array([1.5 * u[0] - u[0] * u[1], u[0] * u[1] - 3 * u[1] + 0.1 * np.sin(t)])


def relaxation(_t: float, u: np.ndarray) -> np.ndarray:
    return np.array([u[1], 5 * (1 - u[0] ** 2) * u[1] - u[0]])


@pytest.mark.parametrize("tol", [1e-9, 1e-11, 1e-13])
@pytest.mark.parametrize(
    ("field", "start", "end", "first"),
    [(predators, 0, 10, [1, 1]), (predators, 10, 0, [1, 2]), (relaxation, 0, 4, [2, 0]), (predators, 0, 1e-3, [0, 0])],
)
def test_it_takes_the_steps_of_scipy_and_interpolates_like_it(
    field: Field, start: float, end: float, first: list[float], tol: float
) -> None:
    longest, times = abs(end - start) / 20, np.linspace(start, end, 41)
    theirs = solve_ivp(field, (start, end), first, method="DOP853", rtol=tol, atol=tol / 100, dense_output=True,
                       max_step=longest)  # fmt: skip
    ours = integrate(field, start, end, np.array(first, dtype=float), tol, longest)
    assert ours is not None
    assert len(ours.ts) == len(theirs.t)
    assert ours(times) == pytest.approx(theirs.sol(times), rel=1e-12, abs=1e-12)
    assert pytest.approx(ours(times), rel=1e-14, abs=1e-14) == np.array([ours(t) for t in times]).T


def test_a_solution_has_its_order() -> None:
    def error(steps: int) -> float:
        found = integrate(lambda _t, u: np.array([u[1], -u[0]]), 0, 6, np.array([0.0, 1.0]), 1.0, 6 / steps)
        assert found is not None
        return abs(found(6.0)[0] - np.sin(6))

    assert 7 < np.log2(error(6) / error(12)) < 9.5


def test_a_solution_ends_where_what_is_watched_falls_to_zero() -> None:
    found = integrate(lambda t, _u: np.array([np.cos(t)]), 0, 6, np.array([0.0]), 1e-12, 0.3, lambda _t, u: u[0] + 0.5)
    assert found is not None
    assert found.root == pytest.approx(7 * np.pi / 6, rel=1e-12)
    rising = integrate(lambda t, _u: np.array([np.cos(t)]), 0, 6, np.array([0.0]), 1e-9, 0.3, lambda _t, u: u[0] - 0.5)
    assert rising is not None
    assert rising.root == pytest.approx(5 * np.pi / 6, rel=1e-7)


def test_a_solution_that_blows_up_fails() -> None:
    with pytest.raises(Failed):
        solve(lambda _t, u: u**2, 0, 2, [1.0], 1e-11)


@pytest.mark.parametrize(("end", "first"), [(0.0, [1.0]), (1.0, [np.inf]), (1.0, [np.nan])])
def test_an_empty_interval_and_values_that_are_not_finite_fail(end: float, first: list[float]) -> None:
    with pytest.raises(Failed):
        solve(lambda _t, u: u, 0.0, end, first, 1e-11)


def test_a_right_hand_side_without_a_value_fails() -> None:
    with pytest.raises(Failed):
        solve(lambda t, u: np.sqrt(0.5 - t) * u, 0.0, 1.0, [1.0], 1e-11)
