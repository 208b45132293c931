"""Are stiff problems enclosed around an approximate solution, is the truth inside, and is the rest refused at once?"""

from __future__ import annotations

import importlib
import re
from collections.abc import Callable
from fractions import Fraction
from random import Random
from time import monotonic
from typing import Any

import numpy as np
import pytest
from flint import arb, arb_mat
from scipy.linalg import expm
from test_enclosure import KNOWN, Known, ode, proved

from verify.numerics.enclosure import Ball, Fail, enclose, stiff
from verify.numerics.enclosure.accuracy import precision
from verify.numerics.enclosure.ball import ball
from verify.numerics.enclosure.doubled import doubled
from verify.numerics.enclosure.field import Field
from verify.numerics.enclosure.forward import Box, GaveUp
from verify.numerics.enclosure.objective import known_around
from verify.numerics.enclosure.stiff import DEGREE, LENGTH
from verify.systems import OdeProblem

KAPS = ode("x y", "p", "-(p + 2)*x + p*y^2; x - y - y^2", "1; 1", "0;3", "x + y^2")
POL = {T: ode("x y", "m", "y; m*(1 - x^2)*y - x", "2; 0", f"0;{T}", "x") for T in ("10", "100", "1200")}
ROBERTSON = ode("a b c", "k", "-k*a/25 + 10^4*b*c; k*a/25 - 10^4*b*c - 3*10^7*b^2; 3*10^7*b^2", "1; 0; 0", "0;40", "c")
CLOSED = {
    "drawn to a cosine": Known(ode("x", "p q", "-p*(x - cos(t)) - sin(t)", "q", "0;T", "x^2"),
                               "(cos(T) + (q - 1)*exp(-p*T))^2"),
    "two speeds": Known(ode("x y", "p q", "-x + y; -p*(y - q)", "1; 0", "0;T", "x"),
                        "q + (1 - q)*exp(-T) - q*(exp(-p*T) - exp(-T))/(1 - p)"),
}  # fmt: skip


@pytest.mark.parametrize("name", CLOSED)
def test_the_closed_form_of_a_stiff_problem_is_inside(name: str) -> None:
    known, rng = CLOSED[name], Random(6)
    at = known.draw(rng) | {"p": Fraction(10**6), "T": Fraction(7, 2)}
    found, truth = proved(enclose(known.problem, at, seconds=120)), known.truth(at)
    assert (found.order, found.reached) == (DEGREE, True)
    assert not found.objective.apart(truth["G"])
    assert not any(found.gradient[key].apart(truth[key]) for key in at)


def test_a_stiff_problem_whose_solution_does_not_know_that_it_is_stiff() -> None:
    """Kaps's problem: x = exp(-2 t), y = exp(-t), whatever p is."""
    found = proved(enclose(KAPS, {"p": 10**6}, seconds=120))
    assert found.order == DEGREE
    truth = Known(ode("x", "T", "0", "0", "0;1", "0"), "exp(-2*T)").truth({"T": Fraction(3)})["G"]
    assert not found.state["x"].apart(truth)
    assert 0 in found.gradient["p"]
    assert found.gradient["p"].radius < Fraction(1, 10**12)


DRAWN = OdeProblem(
    "x", "p q s", ["-p*(x - cos(t)) - sin(t)"], ["q"], "s", "T", "x^2", "x", observations=[{"time": 1, "value": "p*x"}]
)
BENT = "(q - cos(s))*exp(-p*({} - s))"
FREE = Known(DRAWN, f"(cos(T) + {BENT.format('T')})^2 + sin(T) - sin(s) + (q - cos(s))*(1 - exp(-p*(T - s)))/p"
                    f" + p*(cos(1) + {BENT.format('1')})")  # fmt: skip


@pytest.mark.parametrize("p", [40, 10**5])
def test_the_start_and_its_time_alone_have_derivatives_with_costs_and_observations(p: int) -> None:
    """q is the initial value and s its time, so that each derivative by one of them is there twice."""
    at = {"p": Fraction(p), "q": Fraction(3, 2), "s": Fraction(1, 3), "T": Fraction(7, 3)}
    truth = FREE.truth(at)
    found = around(DRAWN, at, 1e-18) if p < 100 else proved(enclose(DRAWN, at, seconds=120)).gradient
    assert not any(found[key].apart(truth[key]) for key in at)
    assert not found["x(t0)"].apart(truth["q"])
    assert not found["t0"].apart(truth["s"])
    assert all(found[key].radius < Fraction(1, 10**10) for key in ("x(t0)", "t0"))


def test_van_der_pol_with_mu_1000_is_enclosed_to_twelve_digits() -> None:
    found = proved(enclose(POL["100"], {"m": 1000}, seconds=60))
    assert (found.order, found.reached) == (DEGREE, True)
    # From Radau with rtol 1e-11.
    assert abs(float(found.state["x"]) - 1.93136132) < 1e-8


@pytest.mark.thorough
def test_robertson_and_a_full_relaxation_are_enclosed() -> None:
    h = Fraction(1, 1000)
    left, found, right = (proved(enclose(POL["100"], {"m": 1000 + k * h}, seconds=60)) for k in (-1, 0, 1))
    slope = (right.objective.mid - left.objective.mid) / (2 * h)
    assert abs(slope - found.gradient["m"].mid) < Fraction(1, 10**13)
    found = proved(enclose(ROBERTSON, {"k": 1}, seconds=120))
    assert abs(float(found.objective) - 0.2841637457) < 1e-9
    found = proved(enclose(POL["1200"], {"m": 1000}, radius=1e-3, seconds=120))
    assert abs(float(found.state["x"]) + 1.6997140) < 1e-6


# --- beside the explicit method, and mutants ----------------------------------------------------------------------


def around(problem: OdeProblem, at: dict[str, Any], tol: float) -> dict[str, Ball]:
    """By the method for stiff problems, whether this one is stiff or not; pairs for everything between."""
    whole, outputs = doubled(Field.of(problem, tuple(sorted(at))), free=True)
    with precision(120, LENGTH):
        box = Box.of({n: ball(x[0]).union(ball(x[1])) if isinstance(x, tuple) else ball(x) for n, x in at.items()}, ())
        found = known_around(whole, outputs, box, tol, monotonic() + 60)
        return {"G": Ball.of(found.objective), **{name: Ball.of(x) for name, x in found.gradient.items()}}


PLAIN = ("logistic", "oscillator", "running cost", "roots")


def misses(name: str, tol: float) -> bool:
    known = (KNOWN | CLOSED)[name]
    at = known.draw(Random(2))
    truth, found = known.truth(at), around(known.problem, at, tol)
    return any(found[key].apart(right) for key, right in truth.items())


@pytest.mark.parametrize("tol", [1e-15, 1e-5])
@pytest.mark.parametrize("name", PLAIN)
def test_problems_that_are_not_stiff_are_inside_as_well(name: str, tol: float) -> None:
    assert not misses(name, tol)


TURNING = Known(ode("x y", "w b", "y; -w^2*x", "b; 0", "0;T", "y"), "-w*b*sin(w*T)")
WIDTH = Fraction(1, 1000)


def ends_are_inside() -> bool:
    """For starts between two numbers, of which both ends are tried."""
    at = {"w": Fraction(1), "b": Fraction(1), "T": Fraction(3, 2)}
    found = around(TURNING.problem, at | {"b": (1, 1 + WIDTH)}, 1e-12)
    truths = [TURNING.truth(at | {"b": 1 + k * WIDTH}) for k in (0, 1)]
    return not any(found[key].apart(right) for truth in truths for key, right in truth.items())


def test_what_the_start_is_wide_by_is_carried_along() -> None:
    assert ends_are_inside()


def no_defect(M: Any, y: arb_mat, d: arb_mat, width: arb) -> arb_mat:
    return comparison(M, y, 0 * d, width)


def diagonal(M: Any, y: arb_mat, d: arb_mat, width: arb) -> arb_mat:
    """As if errors of one kind did not become errors of another."""
    alone = [[x if i == j else arb(0) for j, x in enumerate(row)] for i, row in enumerate(M)]
    return comparison(alone, y, d, width)


def forgetful(M: Any, y: arb_mat, d: arb_mat, width: arb) -> arb_mat:
    return comparison(M, 0 * y, d, width)


comparison = stiff._comparison


@pytest.mark.parametrize("mutant", [diagonal, forgetful])
def test_errors_that_are_not_carried_along_are_caught(mutant: Callable[..., Any], monkeypatch: Any) -> None:
    monkeypatch.setattr(stiff, "_comparison", mutant)
    assert not ends_are_inside()


def test_a_defect_that_is_left_out_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stiff, "_comparison", no_defect)
    assert any(misses(name, 1e-5) for name in PLAIN)


def test_the_comparison_is_solved_by_one_matrix_exponential() -> None:
    rng = Random(1)
    with precision(120, LENGTH):
        for _ in range(20):
            n = rng.randint(1, 4)
            M = [[arb(rng.uniform(-9, 1) if i == j else rng.uniform(0, 1)) for j in range(n)] for i in range(n)]
            y, d = (arb_mat(n, 1, [arb(rng.random()) for _ in range(n)]) for _ in range(2))
            found = comparison(M, y, d, arb(1) / 4)
            A, b = (np.array([[float(x.mid()) for x in row] for row in each]) for each in (M, d.tolist()))
            whole = expm(np.block([[A, b], [np.zeros((1, n + 1))]]) / 4)
            truth = whole[:n] @ [*(float(x.mid()) for x in y.entries()), 1.0]
            assert all(abs(float(x.mid()) - t) < 1e-12 for x, t in zip(found.entries(), truth, strict=True))


def test_blocks_one_by_one_bound_what_all_at_once_does_and_not_by_much() -> None:
    rng, lead = Random(2), 2
    with precision(120, LENGTH):
        for n in (4, 6, 8):
            A = [[arb(rng.uniform(-9, 0) if i == j else rng.uniform(0, 1)) for j in range(lead)] for i in range(lead)]
            M = [[arb(0)] * n for _ in range(n)]
            for i in range(n):
                own = i - i % lead
                for j in range(lead):
                    M[i][j] = arb(rng.uniform(0, 1))
                    M[i][own + j] = A[i % lead][j]
            y, d = (arb_mat(n, 1, [arb(rng.random()) for _ in range(n)]) for _ in range(2))
            above = [[x.max(arb(0)) for x in row] for row in M]
            highest = stiff._blockwise(above, y, d, arb(1) / 4, lead)
            for top, whole in ((None, above), (highest, M)):
                found, exact = stiff._blockwise(whole, y, d, arb(1) / 4, lead, top), comparison(whole, y, d, arb(1) / 4)
                assert all(a < b * 2 and b < a + arb(2) ** -60
                           for a, b in zip(found.entries(), exact.entries(), strict=True))  # fmt: skip
            M[0][n - 1] = arb(1)  # of no such form any more
            assert stiff._blockwise(M, y, d, arb(1) / 4, lead).entries() == comparison(M, y, d, arb(1) / 4).entries()


# --- no solution, and too large -------------------------------------------------------------------------------------


@pytest.mark.parametrize("rhs", ["x^2 + p*0", "-sqrt(x)*2"])
def test_no_solution_has_no_ball_around_it(rhs: str) -> None:
    with pytest.raises(GaveUp):
        around(ode("x", "p", rhs, "1", "0;2", "x"), {"p": Fraction(1)}, 1e-12)


def test_what_is_too_large_for_it_is_refused_at_once_with_what_it_would_take(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.import_module("verify.numerics.enclosure.enclose"), "LARGEST", 1)
    for problem, at in ((POL["100"], {"m": 1000}), (POL["1200"], {"m": 1000})):
        found = enclose(problem, at)
        assert isinstance(found, Fail)
        assert re.match(r"stiff at t = \S+ for an explicit method: steps of about \S+ would be needed, ", found.reason)
