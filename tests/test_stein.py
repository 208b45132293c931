"""Stein's identity with its boundary term: laws against test functions, limits against what they must not claim."""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np
import pytest
import sympy as sp
from hypothesis import assume, given
from hypothesis import strategies as st
from strategies import costly
from sympy import Abs, ImmutableMatrix, Rational, Symbol, cos, erf, exp, log, oo, pi, sin, sqrt, symbols, tanh

from derivations import stein_identity
from verify.calculus import laws, stein
from verify.calculus.adjoint import jacobian
from verify.calculus.density_families import LAWS, TESTS, X, law, trial_function
from verify.calculus.laws import Law
from verify.calculus.limits import limit_at
from verify.calculus.tails import falls, growth, is_integrable
from verify.numerics.autodiff import LIBRARY
from verify.numerics.compiled import array_function, batched_function
from verify.numerics.expectation import expectation, expectation_by_substitution, gradient
from verify.numerics.quadrature import Integral, NotFinite, Unresolved, gauss_hermite
from verify.steps import decide_expressions
from verify.testing import laws as any_law
from verify.testing import trial_functions
from verify.verdict import Rigor, Verdict

a, b, m, tau = symbols("a b m tau", real=True)
v, lam, nu = symbols("v lambda nu", positive=True)


# --- the identity by quadrature -------------------------------------------------------------------------


def mean_of_score_times(target: Law, f: Any) -> Integral:
    """E_p[s f] by adaptive quadrature, with the score by autograd."""
    log_density = array_function(target.log_density, ((X,),), (), LIBRARY)
    values = batched_function(f, ((X,),), ())
    return expectation(target.numeric(), lambda x: gradient(log_density, x)[0] * values(x), breaks=(0.0,))


def mean_of_derivative(target: Law, f: Any) -> Integral:
    """E_p[f'] by the double exponential rule."""
    return expectation_by_substitution(target.numeric(), batched_function(sp.diff(f, X), ((X,),), ()))


def both_sides(target: Law, f: Any) -> tuple[float, float, float, float] | None:
    """E_p[s f], E_p[f'], the boundary term, and the error of the first two; None where one of them does not exist."""
    left = stein.boundary(target, f).value
    if left is None:
        return None
    try:
        one, other = mean_of_score_times(target, f), mean_of_derivative(target, f)
    except (Unresolved, NotFinite):
        return None
    return one.value, other.value, float(left), one.error + other.error


#: What stein_defect says and what quadrature can confirm, for a law and a test function of each kind.
EXPECTED = Counter({"in the class": 29, "boundary term": 20, "no limit, or not to be integrated": 5})


def test_the_identity_holds_for_every_pair_and_vacuous_pairs_are_counted() -> None:
    seen: Counter[str] = Counter()
    for kind in LAWS:
        for test in TESTS:
            target, f = law(kind, 3), trial_function(test, 4)
            found = both_sides(target, f)
            if found is None:
                seen["no limit, or not to be integrated"] += 1
                continue
            s_f, df, left, error = found
            assert abs(s_f + df - left) <= error + 1e-13 * abs(df), f"{target.name}, f = {f}"
            seen["in the class" if left == 0 else "boundary term"] += 1
    assert seen == EXPECTED


@costly
@given(any_law(), trial_functions())
def test_the_identity_holds_for_random_pairs(target: Law, f: Any) -> None:
    found = both_sides(target, f)
    assume(found is not None)
    s_f, df, left, error = found
    assert abs(s_f + df - left) <= error + 1e-13 * abs(df), f"{target.name}, f = {f}"


@costly
@given(any_law(), trial_functions())
def test_two_routes_agree_without_being_one_route(target: Law, f: Any) -> None:
    log_density, values = target.numeric(), batched_function(f, ((X,),), ())
    try:
        one = mean_of_score_times(target, f)
        other = expectation_by_substitution(log_density, lambda x: log_density.score(x)[0] * values(x))
    except (Unresolved, NotFinite):
        assume(False)
    assume(one.value != 0)  # the score of a uniform law is 0
    assert abs(one.value - other.value) <= one.error + other.error
    assert one != other


@costly
@given(any_law("normal", "mixture", "exponential", "half-normal", "truncated"), trial_functions())
def test_every_slip_is_told_from_the_identity(target: Law, f: Any) -> None:
    found = both_sides(target, f)
    assume(found is not None)
    s_f, df, left, _ = found
    assume(min(abs(df), abs(s_f)) > 1e-3)
    slips = {"sign": df + left, "factor": -df / 2 + left, "E[f] for E[f']": -float(mean(target, f)) + left}
    if abs(left) > 1e-3:  # blind: f in the Stein class
        slips |= {"boundary": -df, "inner normal": -df - left}
    for name, wrong in slips.items():
        assume(abs(wrong - (-df + left)) > 1e-6)  # a slip that happens to be right is none
        assert abs(s_f - wrong) > 1e-7, f"{name} passed for {target.name}, f = {f}"


def mean(target: Law, f: Any) -> float:
    return expectation_by_substitution(target.numeric(), batched_function(f, ((X,),), ())).value


def test_a_variance_taken_as_a_deviation_is_seen_unless_it_is_one() -> None:
    for variance, blind in ((Rational(1, 2), False), (1, True)):
        right = mean_of_score_times(laws.normal(X, Rational(1, 3), variance), X**3)
        wrong = mean_of_score_times(laws.normal(X, Rational(1, 3), variance**2), X**3)
        assert (abs(right.value - wrong.value) < 1e-9) is blind


# --- several dimensions ---------------------------------------------------------------------------------


def gaussian(d: int, seed: int) -> tuple[Law, list[Any], Any]:
    rng = np.random.default_rng(seed)
    root = sp.Matrix(d, d, [Rational(round(10 * x), 10) for x in rng.normal(size=d * d)])
    covariance = root * root.T / d + sp.eye(d) / 2
    mean_ = [Rational(round(10 * x), 10) for x in rng.normal(size=d)]
    x = symbols(f"x_1:{d + 1}", real=True)
    return laws.gaussian(x, mean_, covariance), mean_, covariance


def polynomials(x: tuple[Symbol, ...]) -> ImmutableMatrix:
    return ImmutableMatrix([x[0] ** 2 * x[1] + x[-1], x[1] ** 3 - 2 * x[0]])


@costly
@given(st.integers(2, 3), st.integers(0, 2**32 - 1))
def test_the_matrix_form_holds_for_gaussians_by_hermite_nodes_and_by_exact_moments(d: int, seed: int) -> None:
    target, mean_, covariance = gaussian(d, seed)
    x, f = target.variables, polynomials(target.variables)

    def moment(*powers: int) -> Any:
        return laws.normal_moment(powers, mean_, covariance.tolist())

    exact = np.array(laws.polynomial_expectation(-jacobian(f, x).T, x, moment), dtype=float)
    s_f = np.array(laws.polynomial_expectation(target.score * f.T, x, moment), dtype=float)
    assert s_f == pytest.approx(exact, rel=1e-12, abs=1e-12)

    log_density = array_function(target.log_density, (x,), (), LIBRARY)
    values = batched_function(f, (x,), (2,))
    outer = gauss_hermite(
        lambda z: gradient(log_density, z)[:, None] * values(z)[None],
        np.array(mean_, dtype=float), np.array(covariance, dtype=float), nodes=8,
    )  # fmt: skip
    size = np.abs(exact).max()
    assert outer == pytest.approx(exact, abs=1e-10 * size)
    assert not np.array_equal(outer, exact)
    for wrong in (-exact, jacobian_not_transposed(exact), np.diag(np.diag(exact[:2, :2])) if d == 2 else 2 * exact):
        assert np.abs(outer - wrong).max() > 1e-3 * size


def jacobian_not_transposed(matrix: np.ndarray) -> np.ndarray:
    turned = matrix.copy()
    turned[:2, :2] = matrix[:2, :2].T
    return turned


def test_the_operator_of_a_vector_is_a_matrix_and_its_trace_the_trace_form() -> None:
    target = laws.generic_law(2)
    f = stein.generic_function(target.variables, 2)
    A_f = stein.stein_operator(target, f)
    assert A_f.shape == (2, 2)
    assert decide_expressions(A_f.trace(), stein.stein_trace(target, f), {}).verdict is Verdict.PROVED
    assert stein.stein_operator(target, f[0]).shape == (2, 1)


@pytest.mark.parametrize("d", [1, 2, 3])
def test_the_divergence_form_is_refuted_when_anything_is_turned(d: int) -> None:
    target = laws.generic_law(d)
    f = stein.generic_function(target.variables, d)
    p = target.density
    left, right = p * stein.stein_operator(target, f), jacobian(p * f, target.variables).T
    assert decide_expressions(left, right, {}).verdict is Verdict.PROVED
    wrong = [2 * left - right, p * (target.score * f.T - jacobian(f, target.variables).T)]
    wrong += [p * (target.score * f.T + jacobian(f, target.variables))] if d > 1 else []  # d = 1 is blind
    for other in (p * jacobian(f, target.variables).T, *wrong[1:]):
        assert decide_expressions(ImmutableMatrix(other), right, {}).verdict is Verdict.REFUTED


def test_the_normalising_constant_does_not_move_the_score() -> None:
    c = Symbol("c", positive=True)
    target = laws.normal(X, m, v)
    assert decide_expressions(laws.score(log(c) + target.log_density, (X,)), target.score, {}).verdict is Verdict.PROVED


SCORES = {
    "normal": (laws.normal(X, m, v), -(X - m) / v),
    "logistic": (laws.logistic(X, m, v), -tanh((X - m) / (2 * v)) / v),
    "Student": (laws.student(X, nu), -(nu + 1) * X / (nu + X**2)),
    "Cauchy": (laws.cauchy(X), -2 * X / (1 + X**2)),
    "exponential": (laws.exponential(X, lam), -lam),
    "uniform": (laws.uniform(X, 0, 2), 0 * X),
    "half-normal": (laws.half_normal(X, v), -X / v),
}


@pytest.mark.parametrize("name", SCORES)
def test_scores_are_the_printed_ones_and_no_other(name: str) -> None:
    target, printed = SCORES[name]
    let = {"v": "positive", "nu": "positive", "lambda": "positive"}
    assert decide_expressions(target.score[0], printed, let).verdict is Verdict.PROVED
    for wrong in (-printed, printed + 1, target.density.diff(X)) if printed != 0 else (printed + 1,):
        assert decide_expressions(target.score[0], wrong, let).verdict is Verdict.REFUTED


@pytest.mark.parametrize("kind", LAWS)
def test_every_law_integrates_to_one(kind: str) -> None:
    target = law(kind, 11).numeric()
    assert expectation(target, lambda x: np.ones(x.shape[1]), breaks=(0.0,)).value == pytest.approx(1, abs=1e-11)


# --- the derivation ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("row", range(len(stein_identity.FAILS)))
def test_what_is_left_is_refuted_when_it_is_stated_wrong(row: int) -> None:
    target, f, left = stein_identity.FAILS[row]
    let = {"v": "positive", "lambda": "positive", "q": "positive"}
    found = stein.stein_defect(target, f)
    assert decide_expressions(found, left, let).verdict is Verdict.PROVED
    for wrong in (0 * left, -left, 2 * left):
        assert decide_expressions(found, wrong, let).verdict is Verdict.REFUTED


def test_in_the_plane_a_field_may_go_to_zero_and_still_carry_mass_away() -> None:
    x = symbols("x_1 x_2", real=True)
    R = Symbol("R", positive=True)
    V = ImmutableMatrix(x) / (1 + x[0] ** 2 + x[1] ** 2)
    assert falls(V[0].subs(x[1], 0), x[0])
    assert limit_at(stein.flux_through_circle(V, x, R), R, oo, -1).value == 2 * pi
    with pytest.raises(ValueError, match="angle"):
        stein.flux_through_circle(ImmutableMatrix([x[0], 0]), x, R)


def test_the_condition_is_open_where_the_limit_depends_on_a_parameter() -> None:
    assert stein.in_stein_class(laws.exponential(X, lam), sin(a + X)).holds is None
    assert stein.in_stein_class(laws.exponential(X, lam), 1).holds is False
    assert stein.in_stein_class(laws.exponential(X, lam), X).holds is True
    assert stein.in_stein_class(laws.cauchy(X), X**3).holds is None


def test_a_defect_that_has_no_limit_is_an_error_and_no_number() -> None:
    with pytest.raises(ArithmeticError, match="no limit"):
        stein.stein_defect(laws.cauchy(X), X**3)


# --- limits and bounds: every rule with false neighbours ------------------------------------------------------

FALLING = [
    exp(-X), X**6 * exp(-X), exp(-(X**2) + 40 * X), exp(-(X**2) / v + m * X) * sin(tau * X), 1 / X, 1 / sqrt(1 + X**2),
    X / (1 + X**2), exp(-X + sin(X)), exp(-X) * log(X), log(X) / X, exp(-lam * X), (1 + X**2 / nu) ** (-nu),
    X ** (-nu), exp(-log(X)), tanh(X) / X, exp(-2 * log(1 + exp(X))) * exp(X), sp.erfc(X) * exp(X**2 / 2),
    (exp(-(X**2) / v) + exp(-(X**2) / lam)) * cos(X), exp(-sqrt(X)) * X**9, Abs(sin(X)) / X, 2**-X, X**2 / exp(X),
]  # fmt: skip
NOT_FALLING = [
    X / X + 0 * X + 1, X, sin(X), exp(X), exp(-X) * exp(X), exp(-X + X * 2), X / (1 + sin(X) ** 2), exp(-a * X), X**a,
    exp(-(X**2) + X**2 / v), exp(-(X**2) / v + X**2 / lam), (1 + X**2) / X**2, tanh(X), log(X), exp(-X) + 1, X**-a,
    exp(-X * sin(X)), exp(-X) / sin(X), 1 / (sin(X) + cos(X)), sp.erfc(X) * exp(X**2), sp.erfc(-X), exp(1 / X) - 0 * X,
    sqrt(X + 1) - 0 * sqrt(X), X * exp(-log(X)), exp(-X / (1 + X)), Abs(X) * sp.sign(X) / X, exp(0 * X),
    2**X, (Rational(1, 2)) ** (-X), exp(-X) * sp.gamma(X), exp(-exp(-X)), sp.besselj(0, X) * X,
]  # fmt: skip


@pytest.mark.parametrize("g", FALLING, ids=str)
def test_a_bound_that_falls_is_found(g: Any) -> None:
    assert falls(g, X)


@pytest.mark.parametrize("g", NOT_FALLING, ids=str)
def test_nothing_is_said_to_fall_that_does_not(g: Any) -> None:
    assert not falls(g, X)


@pytest.mark.parametrize("g", [g for g in FALLING + NOT_FALLING if g.free_symbols <= {X}], ids=str)
def test_a_bound_is_one_at_every_large_number(g: Any) -> None:
    bound = growth(g, X)
    if bound is None:
        return
    with_bound = abs(g) / (X**bound.power * exp(bound.exponent)) if bound.power != -oo else abs(g)
    ratios = [abs(sp.N(with_bound.subs(X, x), 40, maxn=4000)) for x in (30, 61, 124, 251, 500, 1003)]
    assert max(ratios[2:]) <= 2 * max(ratios[:2]) + 1e-30
    if bound.sharp:
        assert min(ratios[2:]) >= min(ratios[:2]) / 2


def test_a_bound_from_above_is_not_taken_for_one_from_below() -> None:
    assert not growth(sp.erfc(X), X).sharp
    assert growth(exp(-(X**2)) / sp.erfc(X), X) is None
    assert growth(1 / (X + X * sin(X)), X) is None
    assert growth(1 / (X**2 + X * sin(X)), X) is not None


def test_what_is_integrable_falls_faster_than_one_over_x() -> None:
    assert is_integrable(1 / (1 + X**2), X)
    assert is_integrable(exp(-X) * X**3, X)
    assert not is_integrable(1 / X, X)
    assert not is_integrable(1 / sqrt(1 + X**2), X)
    assert not is_integrable(X ** (-nu), X)
    assert is_integrable(X ** (-nu - 1), X)


LIMITS = [
    (exp(-lam * X) * sin(tau * X + a), 0, 1, sin(a)), (exp(-lam * X), oo, -1, 0), (X * log(X), 0, 1, 0),
    (X**2 / (1 + X**2), oo, -1, 1), (X * sqrt(1 + X**2) / (1 + X**2), -oo, 1, -1), (erf(X), oo, -1, 1),
    (erf(X), -oo, 1, -1), (sqrt(1 - X**2), 1, -1, 0), (1 / (1 + exp(-X)), oo, -1, 1), (X**nu, 0, 1, 0),
]  # fmt: skip


@pytest.mark.parametrize(("g", "end", "side", "value"), LIMITS, ids=str)
def test_limits_are_proved(g: Any, end: Any, side: int, value: Any) -> None:
    found = limit_at(g, X, end, side)
    assert found.value == value
    assert (found.evidence.holds, found.evidence.rigor) == (True, Rigor.EXACT)


@pytest.mark.parametrize(
    ("g", "end", "side"),
    [(sin(X), oo, -1), (exp(X), oo, -1), (1 / X, 0, 1), (log(X), 0, 1), (X**3, -oo, 1), (exp(-a * X), oo, -1),
     (sin(1 / X), 0, 1), (X / (1 + sin(X)), oo, -1)],
    ids=str,
)  # fmt: skip
def test_what_has_no_limit_gets_none(g: Any, end: Any, side: int) -> None:
    found = limit_at(g, X, end, side)
    assert found.value is None
    assert found.evidence.holds is None


def test_a_limit_that_no_bound_shows_is_only_supported() -> None:
    found = limit_at(tanh(X), X, oo, -1)
    assert found.value == 1
    assert (found.evidence.holds, found.evidence.rigor) == (True, Rigor.NUMERICAL)
    slow = limit_at(1 / log(X), X, oo, -1)  # enclosures at 2^40 are not near 0 yet
    assert slow.evidence.holds is None or slow.evidence.rigor is Rigor.EXACT


def test_a_jump_at_the_end_is_not_continuity() -> None:
    assert limit_at(sp.sign(X), X, 0, 1).value != 0
    assert limit_at(sp.floor(X), X, 1, -1).value != 1
