"""The gradient through a linear ODE: routes on random families, commuted formulas refuted at exact matrices."""

from __future__ import annotations

from fractions import Fraction
from itertools import combinations, product

import numpy as np
import pytest
from flint import arb, fmpq
from hypothesis import assume, given
from scipy.linalg import expm
from strategies import costly
from sympy import ImmutableMatrix, symbols

from verify.calculus.adjoint import adjoint_system, numeric_adjoint, numeric_problem
from verify.calculus.linear import (
    HALF_E,
    A,
    A_p,
    D,
    E,
    LinearFamily,
    T,
    b,
    b_p,
    decide_exponential_identity,
    enclosed,
    g_y,
)
from verify.decide.words import Sum
from verify.numerics import exponential, ode
from verify.numerics.compare import disagreement
from verify.numerics.exponential_slips import COMMUTED, slips
from verify.testing import linear_families
from verify.verdict import Rigor, Verdict

ROUTES = {
    exponential.block_exponential: 1e-12,
    exponential.frechet_adjoint: 1e-12,
    exponential.duhamel_quadrature: 1e-12,
    exponential.complex_step: 1e-12,
    exponential.sensitivities: 1e-11,
    exponential.differences: 1e-8,
}


def at(family: LinearFamily, seed: int = 0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    m = len(family.parameters)
    return rng.uniform(0.2, 1.2, m) * rng.choice([-1, 1], m)


@costly
@given(linear_families())
def test_every_route_confirms_the_compiled_adjoint_integral(family: LinearFamily) -> None:
    p, numeric, problem = at(family), family.numeric(), family.as_ode()
    wrong_free = numeric_adjoint(problem, adjoint_system(problem))
    wanted = ode.interpolated_adjoint(numeric_problem(problem), wrong_free, p, 0.0, 0.8)[: len(p)]
    for route, resolution in ROUTES.items():
        apart = disagreement(route(numeric, p, 0.8), wanted)
        assert apart < 10 * resolution, f"{route.__name__} is off by {apart:.1e} on {family}"


@costly
@given(linear_families())
def test_the_routes_by_exponentials_agree_without_being_one_route(family: LinearFamily) -> None:
    p, numeric = at(family), family.numeric()
    values = [route(numeric, p, 0.8) for route in ROUTES if route is not exponential.differences]
    for one, other in combinations(values, 2):
        assert disagreement(one, other) < 1e-10
    assert len({value.tobytes() for value in values}) > 1


@costly
@given(linear_families())
def test_every_slip_is_told_from_the_truth(family: LinearFamily) -> None:
    p, numeric = at(family), family.numeric()
    wanted = exponential.sensitivities(numeric, p, 0.8)
    assume(np.abs(wanted).max() > 1e-2)
    for slip in slips(numeric):
        assert disagreement(slip.value(p, 0.8), wanted) > 1e-7, f"{slip.name} passed on {family}"


def test_differences_of_fourth_order_show_their_order() -> None:
    p_1, y_1, y_2 = symbols("p_1 y_1 y_2", real=True)
    matrix = ImmutableMatrix([[0, 1], [p_1, -1]])
    family = LinearFamily((p_1,), (y_1, y_2), matrix, ImmutableMatrix([1, p_1]), y_1 * y_2)
    numeric, p = family.numeric(), np.array([0.7])
    wanted = exponential.complex_step(numeric, p, 1.5)
    errors = [disagreement(exponential.differences(numeric, p, 1.5, step=h), wanted) for h in (0.2, 0.1, 0.05)]
    assert np.log2(errors[0] / errors[1]) == pytest.approx(4, abs=0.25)
    assert np.log2(errors[1] / errors[2]) == pytest.approx(4, abs=0.25)


def test_the_closed_counterexample_of_the_curriculum_formula() -> None:
    """A(p) = [[0, 1], [p, 0]] at p = 0: y_1 = cosh(sqrt(p) T), so the truth is T^2/2; the formula says 0."""
    p_1, y_1, y_2 = symbols("p_1 y_1 y_2", real=True)
    matrix = ImmutableMatrix([[0, 1], [p_1, 0]])
    numeric = LinearFamily((p_1,), (y_1, y_2), matrix, ImmutableMatrix([1, 0]), y_1).numeric()
    p = np.array([0.0])
    for time in (0.5, 1.0, 2.0):
        assert exponential.block_exponential(numeric, p, time) == pytest.approx([time**2 / 2], rel=1e-13)
        assert exponential.assembled(numeric, p, time, COMMUTED["T A_p e^{TA}"]) == pytest.approx([0.0], abs=1e-15)


def test_one_horizon_may_agree_by_accident() -> None:
    """A_p an eigenvector of [A, .] with e^z = 1 + z: right at T = 1 and wrong at T = 0.7."""
    z = 2.0888430156130438 + 7.461489285654254j
    A = np.array([[z.real, -z.imag, 0], [z.imag, z.real, 0], [0, 0, 0]])
    A_p = np.array([[0, 0, 1.0], [0, 0, 0.5], [0, 0, 0]])

    def gap(T: float) -> float:
        block = expm(T * np.block([[A, A_p], [np.zeros((3, 3)), A]]))
        return disagreement(COMMUTED["T A_p e^{TA}"](A, A_p, T), block[:3, 3:])

    assert gap(1.0) < 1e-12
    assert gap(0.7) > 0.1


# --- exact refutations --------------------------------------------------------------------------

PRINTED = T * (A_p @ E)
WRONG = {
    "commuted": PRINTED,
    "commuted, other order": T * (E @ A_p),
    "mean of both": Fraction(1, 2) * (T * (A_p @ E + E @ A_p)),
    "half before, half after": T * (HALF_E @ A_p @ HALF_E),
    "sign": -PRINTED,
    "without T": A_p @ E,
    "without the exponential": T * A_p,
    "transposed": D.T,
    "half": Fraction(1, 2) * D,
    "one part in 10^9": (1 + Fraction(1, 10**9)) * D,
}


@pytest.mark.parametrize("wrong", WRONG.values(), ids=WRONG)
def test_a_wrong_formula_for_the_derivative_is_refuted_at_exact_matrices(wrong: Sum) -> None:
    result = decide_exponential_identity(D, wrong)
    assert result.verdict is Verdict.REFUTED
    assert result.rigor is Rigor.ENCLOSED
    assert result.counterexample is not None
    assert result.counterexample.lhs != result.counterexample.rhs
    assert result.counterexample.neighbourhood


@pytest.mark.parametrize("name", list(WRONG)[:4])
def test_a_commuted_formula_is_diagnosed_as_one(name: str) -> None:
    diagnosis = decide_exponential_identity(D, WRONG[name]).diagnosis
    assert diagnosis is not None
    assert diagnosis.slip == "commute"


@pytest.mark.parametrize("name", list(WRONG)[4:])
def test_another_slip_is_not_taken_for_commuting(name: str) -> None:
    assert decide_exponential_identity(D, WRONG[name]).diagnosis is None


def test_the_printed_gradient_is_refuted_with_both_values() -> None:
    right, printed = g_y @ E @ b_p + g_y @ D @ b, g_y @ E @ b_p + T * (g_y @ A_p @ E @ b)
    found = decide_exponential_identity(right, printed).counterexample
    assert found is not None
    assert found.point["A"] == "[[1, 0], [0, 0]]"
    assert found.point["A_p"] == "[[0, 1], [0, 0]]"
    assert found.lhs.startswith("1.718281828459045")  # e - 1
    assert found.rhs.startswith("1.0000000000000")


def test_what_is_true_is_proved_or_left_open_but_never_refuted() -> None:
    assert decide_exponential_identity(D @ E, D @ HALF_E.inverse @ HALF_E @ E).verdict is Verdict.PROVED
    # True, but words do not know that e^{TA} commutes with A, nor that two halves make a whole.
    assert decide_exponential_identity(A @ E, E @ A).verdict is Verdict.UNDECIDED
    assert decide_exponential_identity(HALF_E @ HALF_E, E).verdict is Verdict.UNDECIDED


def test_enclosures_contain_the_exact_values() -> None:
    """Nilpotent A: e^{TA} = I + TA, and the derivative is a polynomial."""
    for e, f in product((0, 1, 3), repeat=2):
        point = {
            "A": [[0, e], [0, 0]],
            "A_p": [[0, 0], [f, 0]],
            "b": [[1], [0]],
            "b_p": [[0], [0]],
            "g_y": [[1, 0]],
            "T": 2,
        }
        ball = enclosed(D, point)
        exact = [[2 * e * f, Fraction(8, 6) * e * e * f], [2 * f, 2 * e * f]]
        for i, j in product(range(2), repeat=2):
            value = Fraction(exact[i][j])
            assert ball[i, j].overlaps(arb(fmpq(value.numerator, value.denominator)))
            assert float(ball[i, j].rad()) < 1e-30
