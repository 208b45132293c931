"""Does collocation solve what is stiff, say where it cannot, and not stumble over rounding?"""

from __future__ import annotations

from random import Random

import numpy as np
import pytest
from scipy.linalg import expm

from verify.language import read_expression
from verify.numerics import ode_solved
from verify.numerics.collocation import Exploded, Implicit, Stuck, collocate
from verify.numerics.ode_claims import Numbers, difference_gradient, forward_gradient
from verify.numerics.ode_solved import Explosion, Failed, Grid, solve
from verify.systems import OdeProblem

TOLERANCES = (1e-11, 1e-13)


def linear(A: np.ndarray) -> Implicit:
    return Implicit(lambda _, x: A @ x, lambda t, _: np.broadcast_to(A, (len(t), *A.shape)), len(A))


def scalar(rate: str) -> Implicit:
    found = Implicit.of([read_expression(rate, ("x", "t"))], ("x",), lambda t, x: {"t": t, "x": x[0]})
    assert found is not None
    return found


@pytest.mark.parametrize("fast", [1e2, 1e4, 1e6, 1e8])
def test_a_curve_that_draws_everything_to_itself_is_followed_at_all_times(fast: float) -> None:
    drawn = scalar(f"-{fast:.0f}*(x - cos(t)) - sin(t)")
    for tol in TOLERANCES:
        found, times = collocate(drawn, 0.0, 5.0, np.array([2.0]), tol), np.linspace(0, 5, 301)
        assert np.abs(found(times)[0] - np.cos(times) - np.exp(-fast * times)).max() < 1e-10
        assert len(found.edges) < 60


@pytest.mark.parametrize("seed", range(8))
def test_linear_equations_are_solved_forwards_and_backwards(seed: int) -> None:
    rng = np.random.default_rng(seed)
    n = int(rng.integers(1, 5))
    V = rng.normal(size=(n, n)) + 2 * np.eye(n)
    A = V @ np.diag(-(10.0 ** rng.uniform(-1, 5, n))) @ np.linalg.inv(V)
    x = rng.normal(size=n)
    for end, M in ((1.5, A), (-1.5, -A)):
        found = [collocate(linear(M), 0.0, end, x, tol) for tol in TOLERANCES]
        for t in (end, 0.3 * end, 1e-4 * end):
            truth = expm(M * t) @ x
            assert all(np.abs(each(t) - truth).max() < 1e-9 * np.abs(x).max() for each in found)
        assert (np.diff(found[0].edges) > 0).all()
        assert not np.array_equal(found[0](0.4 * end), found[1](0.4 * end))


def test_integrals_over_its_own_times_are_as_good_as_the_solution() -> None:
    found = collocate(linear(np.array([[-1e4]])), 0.0, 2.0, np.array([1.0]), 1e-13)
    area = Grid.of((found,), 5).integral(lambda t: found(t)[0] ** 2, 0.0, 2.0)
    assert abs(area - 1 / 2e4) < 1e-14


def test_what_grows_beyond_all_bounds_and_what_ends_is_said() -> None:
    with pytest.raises(Exploded):
        collocate(linear(np.array([[1e4]])), 0.0, 1.0, np.array([1.0]), 1e-11)
    ends = scalar("x^2")
    with pytest.raises(Stuck), np.errstate(all="ignore"):
        collocate(ends, 0.0, 2.0, np.array([1.0]), 1e-11)
    root = scalar("-1/x")
    with pytest.raises(Stuck), np.errstate(all="ignore"):
        collocate(root, 0.0, 2.0, np.array([1.0]), 1e-11)


def test_stiffness_is_seen_at_the_start_or_on_the_way(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where x is 0 at first nothing is stiff; the decay by 10^5 comes later, and so does collocation."""
    late = scalar("-10^5*t*(x - 1)")
    assert not late.is_stiff(0.0, np.array([2.0]), 4.0)
    assert late.is_stiff(1.0, np.array([2.0]), 4.0)
    assert not late.is_stiff(1.0, np.array([2.0]), 1e-4)
    found = solve(late.rate, 0.0, 4.0, [2.0], 1e-11, late)
    assert abs(float(found(4.0)[0]) - 1) < 1e-10
    with pytest.raises(Failed):
        solve(late.rate, 0.0, 4.0, [2.0], 1e-11)
    both = linear(np.diag([-1e5, 1e5]))
    with pytest.raises(Explosion):
        solve(both.rate, 0.0, 4.0, [1.0, 1.0], 1e-11, both)
    monkeypatch.setattr(ode_solved, "collocate", None)
    slow = linear(np.array([[-1.0]]))
    mild = solve(slow.rate, 0.0, 4.0, [1.0], 1e-11, slow)
    assert abs(float(mild(4.0)[0]) - np.exp(-4)) < 1e-10


FAST = OdeProblem("u v", "p q", ["-p*u + v", "-q*(v - p*u/2)"], ["1", "p"], 0, 1, "u^2 + v", "v*u")


def test_the_gradient_of_a_stiff_problem_is_that_of_its_differences() -> None:
    rng = Random(1)
    for _ in range(2):
        numbers = Numbers(FAST, {"p": rng.uniform(0.5, 2), "q": 10 ** rng.uniform(3, 6)})
        names = ["p", "q", "u(t0)", "T"]
        coarse, fine = (forward_gradient(numbers, names, tol) for tol in TOLERANCES)
        assert np.abs(coarse - fine).max() < 1e-10
        for name, value in zip(names, fine, strict=True):
            found, spread = difference_gradient(numbers, name, 1e-13)
            assert abs(found - value) < 10 * spread + 1e-7 * abs(fine).max()


def test_a_sensitivity_that_is_known_to_few_digits_does_not_stop_it() -> None:
    """What moves y with g is left over where terms that are 10^6 times as large cancel."""
    y = "-g*y + ((g - 1)*x + g*x^2)/(1 + x)^2"
    numbers = Numbers(OdeProblem("x y", "g", ["-11*x/10", y], ["1", "1"], 0, 2, "y"), {"g": 1e3})
    coarse, fine = (forward_gradient(numbers, ["g"], tol) for tol in TOLERANCES)
    assert 0 < abs(coarse - fine)[0] < 1e-6 * abs(fine)[0]


def test_differences_by_a_tiny_name_are_taken_in_its_own_size() -> None:
    root = OdeProblem("u", "p", ["-u*sqrt(p)"], ["1"], 0, 1, "u")
    found, spread = difference_gradient(Numbers(root, {"p": 1e-6}), "p", 1e-13)
    assert abs(found + np.exp(-1e-3) / 2e-3) < 10 * spread < 1e-3 * abs(found)
