"""The adjoint system against independent routes, on random problems and on problems with closed solutions."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from strategies import costly
from sympy import ImmutableMatrix, SympifyError, cos, exp, sin, sqrt, symbols, zeros

from verify.calculus import adjoint
from verify.calculus.adjoint import Problem, adjoint_system, generic_problem, numeric_adjoint, numeric_problem
from verify.calculus.adjoint_slips import slips
from verify.calculus.families import tanh_field
from verify.numerics import autodiff, ode
from verify.numerics.compare import disagreement, observed_order
from verify.numerics.ladder import gradient_routes
from verify.testing import cases, neural_fields, vector_fields

t, a, c = symbols("t a c", real=True)
u, v, p, q = symbols("u v p q", real=True)


def reference(problem: Problem, case: dict[str, Any]) -> np.ndarray:
    numeric = numeric_problem(problem)
    return ode.interpolated_adjoint(numeric, numeric_adjoint(problem, adjoint_system(problem)), **case)


def case_for(problem: Problem, data: st.DataObject) -> dict[str, Any]:
    return data.draw(cases(len(problem.parameters)))


@costly
@given(st.one_of(vector_fields(), neural_fields()), st.data())
def test_every_route_confirms_the_compiled_adjoint(problem: Problem, data: st.DataObject) -> None:
    case = case_for(problem, data)
    wanted = reference(problem, case)
    for route in gradient_routes(numeric_problem(problem), numeric_problem(problem, autodiff.LIBRARY)):
        more = {"steps": route.steps[-1]} if route.order else {}
        apart = disagreement(route.value(**case, **more), wanted)
        assert apart <= route.resolution, f"{route.name} is off by {apart:.1e} on {problem} at {case}"


@costly
@given(vector_fields(), st.data())
def test_a_slip_is_told_from_the_truth(problem: Problem, data: st.DataObject) -> None:
    case = case_for(problem, data)
    numeric = numeric_problem(problem)
    wanted = ode.forward_sensitivities(numeric, **case)
    assume(len(problem.state) > 1 and np.abs(wanted).max() > 1e-3)
    slip = data.draw(st.sampled_from(list(slips(problem))))
    wrong = ode.interpolated_adjoint(numeric, numeric_adjoint(problem, slip.system), **case)
    assert disagreement(wrong, wanted) > 1e-7, f"{slip.name} passed on {problem} at {case}"


@costly
@given(vector_fields(), st.data())
def test_two_routes_agree_without_being_one_route(problem: Problem, data: st.DataObject) -> None:
    case = case_for(problem, data)
    numeric = numeric_problem(problem)
    one, other = ode.forward_sensitivities(numeric, **case), ode.quadrature_adjoint(numeric, **case)
    assert disagreement(one, other) < 1e-10
    assert not np.array_equal(one, other)


@costly
@given(vector_fields(2, 2), st.data())
def test_the_hamiltonian_of_an_autonomous_problem_is_constant(problem: Problem, data: st.DataObject) -> None:
    frozen = replace(problem, field=problem.field.subs(problem.time, 0), running=problem.running.subs(problem.time, 0))
    gradient = reference(frozen, case_for(problem, data))
    assert gradient[-1] == pytest.approx(-gradient[-2], rel=1e-9, abs=1e-10)


@pytest.mark.thorough
@costly
@given(st.one_of(vector_fields(4, 4), neural_fields(5)), st.data())
def test_larger_problems_agree_with_forward_sensitivities(problem: Problem, data: st.DataObject) -> None:
    case = case_for(problem, data)
    assert disagreement(ode.forward_sensitivities(numeric_problem(problem), **case), reference(problem, case)) < 1e-10


# --- orders -------------------------------------------------------------------------------------

ORDER_CASE: dict[str, Any] = {"p": np.array([0.7, -0.4]), "t0": 0.2, "T": 1.4}
STEPS = (8, 16, 32, 64, 128)


@pytest.mark.parametrize("method", [ode.EULER, ode.HEUN, ode.RK4], ids=lambda m: m.name)
@pytest.mark.parametrize("route", [ode.complex_step, ode.fixed_step_adjoint], ids=["discrete", "continuous"])
def test_fixed_steps_converge_with_the_order_of_the_method(route: Any, method: ode.Tableau) -> None:
    problem = tanh_field(3, 2, seed=1)
    wanted, numeric = reference(problem, ORDER_CASE), numeric_problem(problem)
    steps = STEPS if method is ode.RK4 else tuple(8 * n for n in STEPS)
    errors = [disagreement(route(numeric, **ORDER_CASE, steps=n, method=method), wanted) for n in steps]
    assert observed_order(steps, errors) == pytest.approx(method.order, abs=0.25)


def test_reverse_mode_is_the_exact_gradient_of_the_discrete_objective() -> None:
    problem = tanh_field(2, 2, seed=2)
    traced = autodiff.discrete_adjoint(numeric_problem(problem, autodiff.LIBRARY), **ORDER_CASE, steps=8)
    stepped = ode.complex_step(numeric_problem(problem), **ORDER_CASE, steps=8)
    assert disagreement(traced, stepped) < 1e-13
    assert disagreement(traced, reference(problem, ORDER_CASE)) > 1e-9


# --- closed solutions ---------------------------------------------------------------------------


def scalar(field: Any, initial: Any, running: Any, terminal: Any) -> Problem:
    return Problem(t, (u,), (p,), ImmutableMatrix([field]), ImmutableMatrix([initial]), running, terminal)


P, T0, T1 = 0.6, 0.3, 1.1
CLOSED = {
    # u = p e^{p (t - t0)}, G = u(T)
    "growth": (
        scalar(p * u, p, 0, u),
        [
            (1 + P * (T1 - T0)) * np.exp(P * (T1 - T0)),
            np.exp(P * (T1 - T0)),
            -(P**2) * np.exp(P * (T1 - T0)),
            P**2 * np.exp(P * (T1 - T0)),
        ],
    ),
    # u' = -p u^2 from 1: u = 1/(1 + p (t - t0)), G = integral of u = log(1 + p (T - t0))/p
    "decay by its square": (
        scalar(-p * u**2, 1, u, 0),
        [
            (T1 - T0) / (P * (1 + P * (T1 - T0))) - np.log(1 + P * (T1 - T0)) / P**2,
            (T1 - T0) / (1 + P * (T1 - T0)),
            -1 / (1 + P * (T1 - T0)),
            1 / (1 + P * (T1 - T0)),
        ],
    ),
    # u' = p sin(t) u from 1: u = exp(p (cos t0 - cos t)), G = log-free u(T)
    "driven": (
        scalar(p * sin(t) * u, 1, 0, u),
        [
            (np.cos(T0) - np.cos(T1)) * np.exp(P * (np.cos(T0) - np.cos(T1))),
            np.exp(P * (np.cos(T0) - np.cos(T1))),
            -P * np.sin(T0) * np.exp(P * (np.cos(T0) - np.cos(T1))),
            P * np.sin(T1) * np.exp(P * (np.cos(T0) - np.cos(T1))),
        ],
    ),
}


@pytest.mark.parametrize(("problem", "wanted"), CLOSED.values(), ids=CLOSED)
def test_the_adjoint_gives_the_gradient_of_the_closed_solution(problem: Problem, wanted: list[float]) -> None:
    case: dict[str, Any] = {"p": np.array([P]), "t0": T0, "T": T1}
    assert reference(problem, case) == pytest.approx(wanted, rel=1e-10)
    assert ode.forward_sensitivities(numeric_problem(problem), **case) == pytest.approx(wanted, rel=1e-10)


def test_times_that_depend_on_the_parameter_add_the_hamiltonian() -> None:
    problem = scalar(p * u, 1, u, u**2)  # T(p) = 1 + p^2, t0(p) = p/2

    def objective(p: float) -> float:
        length = 1 + p**2 - p / 2
        return (np.exp(p * length) - 1) / p + np.exp(2 * p * length)

    gradient = reference(problem, {"p": np.array([P]), "t0": P / 2, "T": 1 + P**2})
    total = gradient[0] + gradient[2] / 2 + gradient[3] * 2 * P
    h = 1e-3
    near, far = objective(P + h) - objective(P - h), objective(P + 2 * h) - objective(P - 2 * h)
    assert total == pytest.approx((8 * near - far) / (12 * h), rel=1e-9)
    assert gradient[0] != pytest.approx(total, rel=1e-2)


@pytest.mark.parametrize(
    ("problem", "claimed", "truth"),
    [
        (scalar(p, 0, 0, 0), {"final": ImmutableMatrix([1])}, 0.0),  # lam(T) != 0 without terminal cost
        (scalar(0, p, 0, u), {"boundary": zeros(1, 1)}, 1.0),  # f = 0, u(t0) = p
        (scalar(1, 0, 0, p), {"explicit": zeros(1, 1)}, 1.0),
    ],
    ids=["final value", "boundary", "explicit"],
)
def test_exact_witnesses_refute_the_slips(problem: Problem, claimed: dict[str, Any], truth: float) -> None:
    case: dict[str, Any] = {"p": np.array([P]), "t0": T0, "T": T1}
    numeric = numeric_problem(problem)
    wrong = numeric_adjoint(problem, replace(adjoint_system(problem), **claimed))
    assert reference(problem, case)[0] == pytest.approx(truth, abs=1e-12)
    assert abs(ode.interpolated_adjoint(numeric, wrong, **case)[0] - truth) > 0.5


# --- the digits that backsolve loses ------------------------------------------------------------


@pytest.mark.parametrize("k", [5, 15, 25])
def test_the_digits_that_backsolve_loses_are_predicted(k: int) -> None:
    problem = numeric_problem(scalar(-k * u + p * sin(u), 1, 0, u))
    case: dict[str, Any] = {"p": np.array([0.5]), "t0": 0.0, "T": 1.0}
    solver = ode.Solver("RK45", 1e-6, 1e-18)
    lost = ode.digits_lost(problem, **case)
    assert lost == pytest.approx((k - 0.4) / np.log(10), abs=0.3)
    back = ode.backsolved_adjoint(problem, **case, solver=ode.Solver("DOP853", 1e-12, 1e-13))
    error = disagreement(back[:1], ode.forward_sensitivities(problem, **case)[:1])
    assert error < 10 ** (lost - 9)
    rough = ode.interpolated_adjoint(problem, ode.adjoint_of(problem), **case, solver=solver)
    assert disagreement(rough[:1], ode.forward_sensitivities(problem, **case)[:1]) < 1e-3


# --- hypotheses, shapes -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("field", "smooth", "lipschitz"),
    [
        (sin(u) + p * t, True, True),
        (-p * u + cos(t) * sin(u) ** 2, True, True),
        (u**2, True, None),
        (exp(sin(u)), True, None),
        (sqrt(u), None, None),
        (1 / (1 + u), None, None),
        (abs(u), None, None),
        (u * sin(u), True, None),
    ],
)
def test_hypotheses_are_read_off_the_formulas(field: Any, smooth: bool | None, lipschitz: bool | None) -> None:
    problem = scalar(field, p, 0, u)
    assert adjoint.smoothness(problem).holds is smooth
    assert adjoint.lipschitz(problem).holds is lipschitz


def test_the_system_of_a_generic_problem_has_the_stated_shapes() -> None:
    system = adjoint_system(generic_problem(2, 3))
    assert system.rate.shape == system.final.shape == (2, 1)
    assert system.explicit.shape == system.density.shape == (1, 3)
    assert system.boundary.shape == (2, 3)


@pytest.mark.parametrize(
    "change",
    [
        {"field": ImmutableMatrix([u, v])},
        {"initial": ImmutableMatrix([u])},
        {"running": a * u},
        {"terminal": u * c},
        {"initial": ImmutableMatrix([[1, 2]])},
    ],
)
def test_a_problem_that_does_not_fit_is_refused(change: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"problem: "):
        replace(scalar(p * u, p, 0, u), **change)


def test_a_solver_that_gives_up_says_where() -> None:
    explodes = numeric_problem(scalar(u**2 + p, 2, 0, u))
    with pytest.raises(ArithmeticError, match=r"stopped at t = "):
        ode.forward_sensitivities(explodes, np.array([1.0]), 0.0, 3.0)


def test_a_comparison_never_forgives() -> None:
    assert np.isnan(disagreement([1.0, np.nan], [1.0, np.nan]))
    assert np.isnan(disagreement([np.inf], [np.inf]))
    assert np.isnan(disagreement([1.0], [1.0, 1.0]))
    assert np.isnan(disagreement([0.0], [0.0]))
    assert disagreement([1.0, 1e-9], [1.0, 0.0]) == pytest.approx(1e-9)
    assert disagreement(np.ones(10_000) * (1 + 1e-9), np.ones(10_000)) == pytest.approx(1e-9, rel=1e-6)


def test_an_order_is_not_read_off_noise() -> None:
    assert observed_order(STEPS, [1e-16] * 5) is None
    assert observed_order(STEPS, [0.5, 0.3, 0.2, 0.1, 0.05]) is None
    assert observed_order(STEPS, [n**-3.0 for n in STEPS]) == pytest.approx(3)


@pytest.mark.parametrize("text", ["field", "initial", "running", "terminal"])
def test_text_is_never_evaluated_as_an_expression(text):
    given_as = {"field": [u], "initial": [1], "running": u**2, "terminal": u}
    Problem(time=t, state=(u,), parameters=(), **given_as)
    with pytest.raises(SympifyError):
        Problem(time=t, state=(u,), parameters=(), **given_as | {text: ["u"] if text in ("field", "initial") else "u"})
