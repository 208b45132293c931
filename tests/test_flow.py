"""How a flow changes a density: the trace against determinants, closed forms, exponentials and conserved mass."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from strategies import costly
from sympy import ImmutableMatrix, Rational, Symbol, exp, log, sin, symbols, tanh

from derivations import change_of_variables
from verify.calculus import flow
from verify.calculus.density_families import hidden_flow, linear_flow
from verify.calculus.flow import Flow
from verify.numerics import transport
from verify.numerics.compare import observed_order
from verify.numerics.compiled import batched_function
from verify.steps import decide_expressions
from verify.testing import flows, planar_flows
from verify.verdict import Rigor, Verdict

t = Symbol("t", real=True)
z = symbols("z_1 z_2", real=True)
T0, T1 = 0.2, 1.3


def start_of(field: Flow, data: st.DataObject) -> np.ndarray:
    return np.random.default_rng(data.draw(st.integers(0, 2**32 - 1))).normal(size=len(field.state))


def by_trace(field: Flow, x: np.ndarray, rate: Any = None) -> float:
    """-integral of the divergence along the path, or of another rate (an expression in time and state)."""
    rate = field.divergence if rate is None else rate
    along = batched_function(rate, (field.time, field.state), ())
    return float(transport.augmented(field.numeric().field, along, x, T0, T1)[1])


# --- every route, on random flows ---------------------------------------------------------------------


@costly
@given(flows(), st.data())
def test_every_determinant_confirms_the_trace(field: Flow, data: st.DataObject) -> None:
    x, numeric = start_of(field, data), field.numeric()
    wanted = by_trace(field, x)
    scale = max(abs(wanted), 1.0)
    apart = {
        "variations": transport.by_variations(numeric.field, numeric.jacobian, x, T0, T1) - wanted,
        "differences": transport.by_differences(numeric.field, x, T0, T1) - wanted,
        "complex step": transport.by_complex_step(numeric.field, x, T0, T1, steps=150) - wanted,
        "layers": transport.by_layers(numeric.field, numeric.jacobian, x, T0, T1, steps=400) - wanted,
    }
    resolution = {"variations": 1e-10, "differences": 1e-8, "complex step": 1e-7, "layers": 3e-2}
    for name, gap in apart.items():
        assert abs(gap) <= resolution[name] * scale, f"{name} is off by {gap:.1e} on {field} from {x}"


@costly
@given(flows(2), st.data())
def test_sign_vectors_confirm_the_trace(field: Flow, data: st.DataObject) -> None:
    x = start_of(field, data)
    estimate = transport.by_sign_vectors(field.numeric(traced=True).field, x, T0, T1)
    assert estimate == pytest.approx(by_trace(field, x), abs=1e-7)


@costly
@given(flows(), st.data())
def test_two_routes_agree_without_being_one_route(field: Flow, data: st.DataObject) -> None:
    x, numeric = start_of(field, data), field.numeric()
    one, other = by_trace(field, x), transport.by_variations(numeric.field, numeric.jacobian, x, T0, T1)
    assume(abs(one) > 1e-6)
    assert one == pytest.approx(other, rel=1e-9, abs=1e-11)
    assert one != other


@costly
@given(st.integers(1, 4), st.integers(0, 2**32 - 1), st.data())
def test_a_linear_flow_changes_the_log_density_by_minus_t_times_the_trace(d: int, seed: int, data: Any) -> None:
    field = linear_flow(d, seed)
    A = np.array(field.jacobian, dtype=float)
    exact = -(T1 - T0) * np.trace(A)
    assert transport.by_matrix_exponential(A, T1 - T0) == pytest.approx(exact, rel=1e-12, abs=1e-13)
    assert by_trace(field, start_of(field, data)) == pytest.approx(exact, rel=1e-10, abs=1e-12)


@costly
@given(st.integers(1, 3), st.integers(0, 2**32 - 1), st.data())
def test_a_gaussian_that_moves_with_a_linear_flow_stays_the_gaussian_it_must_be(d: int, seed: int, data: Any) -> None:
    from scipy.linalg import expm
    from scipy.stats import multivariate_normal

    field, x = linear_flow(d, seed), start_of(linear_flow(d, seed), data)
    root = np.random.default_rng(seed).normal(size=(d, d))
    mean, covariance = np.arange(1.0, d + 1), root @ root.T / d + np.eye(d) / 2
    move = expm((T1 - T0) * np.array(field.jacobian, dtype=float))
    after = multivariate_normal(move @ mean, move @ covariance @ move.T).logpdf(move @ x)
    assert after - multivariate_normal(mean, covariance).logpdf(x) == pytest.approx(by_trace(field, x), abs=1e-9)


@settings(max_examples=max(3, settings().max_examples // 20))
@given(st.builds(hidden_flow, st.just(2), st.just(1), st.integers(0, 2**32 - 1)), st.data())
def test_mass_is_conserved_by_the_right_change_alone(field: Flow, data: st.DataObject) -> None:
    numeric, x = field.numeric(), start_of(field, data)
    assume(abs(by_trace(field, x)) > 0.1)

    def left_by(factor: float) -> float:
        def change(points: np.ndarray) -> np.ndarray:
            traces = transport.augmented(numeric.field, numeric.divergence, points, T0, T1, tolerance=1e-7)
            return factor * traces[1]

        return transport.mass(numeric.field, change, x, T0, T1, points=65).value

    assert left_by(1.0) == pytest.approx(1, abs=1e-4)
    for wrong in (-1.0, 0.0, 0.5):
        assert left_by(wrong) != pytest.approx(1, abs=1e-3)


@pytest.mark.parametrize(("method", "order"), [("layers", 1), ("complex step", 4)])
def test_a_flow_in_steps_converges_with_the_order_of_its_method(method: str, order: int) -> None:
    field, x, steps = hidden_flow(2, 3, 5), np.array([0.4, -0.7]), (8, 16, 32, 64, 128)
    numeric, wanted = field.numeric(), by_trace(field, x)
    of = {
        "layers": lambda n: transport.by_layers(numeric.field, numeric.jacobian, x, T0, T1, steps=n),
        "complex step": lambda n: transport.by_complex_step(numeric.field, x, T0, T1, steps=n),
    }[method]
    found = observed_order(steps, [abs(of(n) - wanted) / abs(wanted) for n in steps])
    assert found == pytest.approx(order, abs=0.25)


@costly
@given(flows(), planar_flows())
def test_the_strategies_leave_the_blind_inputs(field: Flow, unit: Flow) -> None:
    for moving in (field, unit):
        assert flow.existence(moving).holds
        assert moving.divergence != 0  # it changes volumes
        assert len(moving.state) == 1 or moving.jacobian != moving.jacobian.T
    at = np.linspace(0.1, 0.9, len(unit.state))
    assert np.linalg.matrix_rank(unit.numeric().jacobian(0.0, at)) == 1


# --- wrong neighbours ---------------------------------------------------------------------------------


def slips(field: Flow) -> dict[str, Any]:
    """Wrong rates, by name, and what hides them."""
    J = field.jacobian
    return {
        "sign": -J.trace(),  # divergence-free fields
        "determinant": J.det(),  # d = 1
        "square": (J * J).trace(),
        "transposed product": (J * J.T).trace(),
        "first entry": J[0, 0],  # d = 1
        "all entries": sum(J),  # d = 1
        "by the time": sum(entry.diff(field.time) for entry in field.field.flat()),
        "nothing": 0 * field.state[0],
    }


@costly
@given(flows(), st.data())
def test_every_wrong_rate_is_told_from_the_trace(field: Flow, data: st.DataObject) -> None:
    x, numeric = start_of(field, data), field.numeric()
    wanted = transport.by_variations(numeric.field, numeric.jacobian, x, T0, T1)
    assume(len(field.state) > 1 and abs(wanted) > 1e-3)
    name = data.draw(st.sampled_from(sorted(slips(field))))
    assert abs(by_trace(field, x, slips(field)[name]) - wanted) > 1e-6, f"{name} passed on {field} from {x}"


def test_the_trace_cannot_see_a_transposition() -> None:
    field = flow.generic_flow(3)
    assert decide_expressions(field.jacobian.T.trace(), field.divergence, {}).verdict is Verdict.PROVED


def test_the_partial_derivative_in_time_is_another_one() -> None:
    # z' = a z and p(., 0) = N(0, 1): p(z, t) is normal with the variance e^{2 a t}
    a, y = symbols("a y", real=True)
    log_p = -(y**2) * exp(-2 * a * t) / 2 - a * t
    field = Flow(t, (y,), ImmutableMatrix([a * y]), (a,))
    assert decide_expressions(field.along(log_p), field.log_density_rate, {}).verdict is Verdict.PROVED
    assert decide_expressions(log_p.diff(t), field.log_density_rate, {}).verdict is Verdict.REFUTED
    assert decide_expressions(log_p.diff(t).subs(y, 0), field.log_density_rate, {}).verdict is Verdict.PROVED  # blind


@pytest.mark.parametrize("d", [1, 2, 3])
def test_the_theorem_is_refuted_with_any_other_sign_or_term(d: int) -> None:
    step = change_of_variables.along_a_path(d)
    assert decide_expressions(step.lhs, step.rhs, {}).verdict is Verdict.PROVED
    for wrong in (-step.rhs, 2 * step.rhs, step.rhs * (1 + symbols("w_1", real=True)), 0 * step.rhs):
        assert decide_expressions(step.lhs, wrong, {}).verdict < Verdict.SUPPORTED


def test_a_sum_over_units_is_refuted_when_a_unit_is_missing_or_swapped() -> None:
    layer, right = flow.generic_layer(2, 2)
    u, w = symbols("u_11 u_12 u_21 u_22", real=True), symbols("w_11 w_12 w_21 w_22", real=True)
    assert decide_expressions(layer.divergence, right, {}).verdict is Verdict.PROVED
    for wrong in (right.subs(u[0], 0), right.xreplace({u[0]: u[1], u[1]: u[0]}), right.subs(w[0], w[0] ** 2)):
        assert decide_expressions(layer.divergence, wrong, {}).verdict is Verdict.REFUTED


# --- Hutchinson's estimator, exactly -------------------------------------------------------------------


def test_its_variance_is_not_that_of_a_symmetric_matrix() -> None:
    A = flow.generic_matrix("a", 2, 2)
    mean, variance = flow.hutchinson_moments(A)
    norms = 2 * (sum(x**2 for x in A) - A[0, 0] ** 2 - A[1, 1] ** 2)
    assert decide_expressions(mean, A.trace(), {}).verdict is Verdict.PROVED
    assert decide_expressions(variance, norms, {}).verdict is Verdict.REFUTED
    symmetric = {A[1, 0]: A[0, 1]}
    assert decide_expressions(variance.subs(symmetric), norms.subs(symmetric), {}).verdict is Verdict.PROVED  # blind


def test_an_antisymmetric_matrix_has_no_variance() -> None:
    A = ImmutableMatrix([[0, 3, -1], [-3, 0, 2], [1, -2, 0]])
    assert flow.hutchinson_moments(A) == (0, 0)


def test_there_are_two_to_the_d_sign_vectors() -> None:
    assert [len(set(flow.sign_vectors(d))) for d in (1, 2, 3, 4)] == [2, 4, 8, 16]


# --- maps ---------------------------------------------------------------------------------------------


def test_the_determinant_of_a_planar_map() -> None:
    x, u, w = symbols("x_1:4", real=True), symbols("u_1:4", real=True), symbols("w_1:4", real=True)
    b = Symbol("b", real=True)
    s, k = sum(a * c for a, c in zip(w, x, strict=True)) + b, sum(a * c for a, c in zip(u, w, strict=True))
    J = (ImmutableMatrix(x) + flow.planar(u, tanh, w, x, b)).jacobian(ImmutableMatrix(x))
    slope = 1 - tanh(s) ** 2
    assert decide_expressions(J.det(method="berkowitz"), 1 + slope * k, {}).verdict is Verdict.PROVED
    for wrong in (1 - slope * k, 1 + slope**2 * k, 1 + tanh(s) * k, 1 + slope * sum(a**2 for a in w)):
        assert decide_expressions(J.det(method="berkowitz"), wrong, {}).verdict is Verdict.REFUTED


def test_log_abs_det_has_the_absolute_value() -> None:
    x = Symbol("x", real=True)
    turned = flow.log_abs_det(ImmutableMatrix([-2 * x]), (x,))
    assert turned == log(2)
    bent = flow.log_abs_det(ImmutableMatrix([x**3 - x]), (x,))
    assert decide_expressions(bent, log(abs(3 * x**2 - 1)), {}).verdict is Verdict.PROVED


def test_a_planar_map_stops_being_one_to_one_below_minus_one() -> None:
    half = Symbol("half")
    assert flow.planar_map_is_injective((1, 0), (-1, 5))
    assert flow.planar_map_is_injective((Rational(1, 3), 1), (2, Rational(-1, 3)), largest_slope=3)
    assert not flow.planar_map_is_injective((-2, 0), (1, 0))
    with pytest.raises(ValueError, match="rational"):
        flow.planar_map_is_injective((half, 0), (1, 0))


def test_below_minus_one_two_points_do_meet() -> None:
    # s - 2 tanh(s) changes its sign between 19/10 and 2, so it is 0 there, and at 0
    from flint import arb

    def moved(s: Any) -> Any:
        return s - 2 * arb(s).tanh()

    assert moved(arb(19) / 10) < 0 < moved(arb(2))
    assert moved(arb(0)) == 0


# --- what has no flow ---------------------------------------------------------------------------------


def test_existence_is_exact_where_the_structure_shows_it_and_open_elsewhere() -> None:
    bounded = flow.existence(Flow(t, z, ImmutableMatrix([tanh(z[0] + t * z[1]), sin(z[0])])))
    assert (bounded.holds, bounded.rigor) == (True, Rigor.EXACT)
    assert flow.existence(Flow(t, z, ImmutableMatrix([z[0] ** 2, z[1]]))).holds is None
    assert flow.existence(Flow(t, z, ImmutableMatrix([abs(z[0]), z[1]]))).holds is None


def test_a_solution_that_ends_is_an_error_and_no_number() -> None:
    with pytest.raises(ArithmeticError):
        transport.flow(lambda _t, y: y**2, np.array([1.0]), 0.0, 2.0)


def test_a_flow_has_to_name_what_it_uses() -> None:
    with pytest.raises(ValueError, match="a is neither"):
        Flow(t, z, ImmutableMatrix([Symbol("a") * z[0], z[1]]))
    with pytest.raises(ValueError, match="shape"):
        Flow(t, z, ImmutableMatrix([z[0]]))
    with pytest.raises(ValueError, match="1 values for 0"):
        Flow(t, z, ImmutableMatrix(z)).numeric(1.0)
    with pytest.raises(ValueError, match="as many entries"):
        flow.divergence([z[0]], z)


@pytest.mark.thorough
@costly
@given(flows(5), st.data())
def test_the_trace_is_confirmed_in_five_dimensions(field: Flow, data: st.DataObject) -> None:
    x, numeric = start_of(field, data), field.numeric()
    wanted = by_trace(field, x)
    assert transport.by_differences(numeric.field, x, T0, T1) == pytest.approx(wanted, abs=1e-8)
    assert transport.by_variations(numeric.field, numeric.jacobian, x, T0, T1) == pytest.approx(wanted, abs=1e-10)
