"""The adjoint through an event: every route on closed forms, and wrong jumps where they show and where they hide."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from sympy import Expr, ImmutableMatrix, Integer, Symbol, exp, expand, sin, sqrt, symbols

from verify.calculus.adjoint import Problem
from verify.calculus.event_jump import (
    EventProblem,
    Jump,
    adjoint_jump,
    happens_once,
    numeric_event_problem,
    numeric_jump,
    passes_through,
    slips,
)
from verify.calculus.families import bouncing_ball, changed_gear, firing_neuron
from verify.numerics import event_routes
from verify.numerics.compare import disagreement
from verify.verdict import Rigor

t = Symbol("t", real=True)
x, p, q = symbols("x p q", real=True)
BALL, GEAR = bouncing_ball(), changed_gear()
h, a, e = BALL.before.parameters
bounce = sqrt(2 * h / a)


def line(when: Any, reset: Any, field: Any, terminal: Any, running: Any = (0, 0), cost: Any = 0) -> EventProblem:
    """x' = 1 from x(0) = q until the event; the running costs are those before and after it."""
    reset, field, terminal, cost, before, after = (
        Integer(1) * part for part in (reset, field, terminal, cost, *running)
    )
    one = ImmutableMatrix([1])
    smooth = Problem(t, (x,), (p, q), one, ImmutableMatrix([q]), running=before, terminal=terminal)
    return EventProblem(smooth, when, ImmutableMatrix([reset]), ImmutableMatrix([field]), after, cost)


def ball_at(T: float) -> Expr:
    return e * a * bounce * (T - bounce) - a * (T - bounce) ** 2 / 2


#: Problem, G as a function of the parameters, their values, and T.
CLOSED = {
    "a bouncing ball": (BALL, ball_at(1.75), (0.5, 1, 0.5), 1.75),
    "the time of its bounce": (
        replace(BALL, before=replace(BALL.before, terminal=Integer(0)), cost=t), bounce, (0.5, 1, 0.5), 1.75,
    ),
    "a right-hand side that switches": (GEAR, 2 - GEAR.before.parameters[0], (0.4,), 1.0),
    "a threshold that moves": (
        line(x - p + t**2 / 2, 2 * x, 0, sin(x)), sin(2 * (q - 1 + sqrt(1 + 2 * (p - q)))), (1.5, 0.25), 2.0,
    ),
    "costs before, at and after the event": (
        line(x - p, x, 0, 0, running=(x, 2 * x), cost=x**2 * t),
        p**2 * (p - q) + (p**2 - q**2) / 2 + 2 * p * (2 - (p - q)), (1.1, 0.25), 2.0,
    ),
    "a reset that names time and parameter": (
        line(x - 1, p * x + t, x, x), (p + 1 - q) * exp(2 - (1 - q)), (0.7, 0.25), 2.0,
    ),
}  # fmt: skip
ROUTES = {
    "adjoint": event_routes.by_jacobians,
    "sensitivities": event_routes.forward_sensitivities,
    "differences": lambda *case: event_routes.differences(*case, steps=200),
    "complex step": lambda *case: event_routes.complex_step(*case, steps=100),
}


def by_jump(problem: EventProblem, jump: Jump, values: Any, T: float) -> np.ndarray:
    return event_routes.jumping_adjoint(
        numeric_event_problem(problem), numeric_jump(problem, jump), np.array(values, dtype=float), 0.0, T
    )


@pytest.mark.parametrize("name", CLOSED)
def test_every_route_finds_the_gradient_of_a_closed_form(name: str) -> None:
    problem, G, values, T = CLOSED[name]
    names = problem.before.parameters
    wanted = np.array([G.diff(each).subs(dict(zip(names, values, strict=True))) for each in names], dtype=float)
    assert disagreement(by_jump(problem, adjoint_jump(problem), values, T)[: len(names)], wanted) < 1e-10
    numeric, at = numeric_event_problem(problem), np.array(values, dtype=float)
    for route, value in ROUTES.items():
        assert disagreement(value(numeric, at, 0.0, T)[: len(names)], wanted) < 1e-7, route


def test_known_numbers_of_the_ball() -> None:
    found = by_jump(BALL, adjoint_jump(BALL), (0.5, 1, 0.5), 1.75)
    assert found[:3] == pytest.approx([5 / 8, -7 / 32, 3 / 4], rel=1e-10)
    assert found[-1] == pytest.approx(-0.25, rel=1e-10)  # dG/dT is the speed there
    assert found[-2] == pytest.approx(0.25, rel=1e-10)  # all of it happens later, nothing else


@pytest.mark.parametrize("name", ["saltation", "sign of tau_p", "f after for f before in D"])
def test_a_wrong_share_of_the_delay_hides_where_a_delay_changes_nothing(name: str) -> None:
    (slip,) = (slip for slip in slips(BALL) if slip.name == name)
    for T, hidden in ((2.0, True), (1.75, False)):
        right, wrong = (by_jump(BALL, jump, (0.5, 1, 0.5), T)[:3] for jump in (adjoint_jump(BALL), slip.system))
        assert (disagreement(wrong, right) < 1e-9) is hidden


def test_dropping_the_saltation_moves_the_ball_as_if_it_had_not_bounced_later() -> None:
    (slip,) = (slip for slip in slips(BALL) if slip.name == "saltation")
    assert by_jump(BALL, slip.system, (0.5, 1, 0.5), 1.75)[0] == pytest.approx(1, rel=1e-10)


def test_nothing_jumps_at_a_kink() -> None:
    neuron = firing_neuron()
    smooth = neuron.before
    kink = EventProblem(smooth, neuron.when, ImmutableMatrix(smooth.state), smooth.field, smooth.running)
    jump = adjoint_jump(kink)
    assert (jump.before - ImmutableMatrix(jump.costate)).applyfunc(expand).is_zero_matrix
    assert jump.gain.applyfunc(expand).is_zero_matrix
    timed = {"saltation", "sign of tau_p", "f after for f before in D", "missing-term phi_t", "missing-term phi_p"}
    assert not timed & {slip.name for slip in slips(kink)}  # they are no other formulas there


def test_the_neuron_shows_every_slip() -> None:
    """Its formula has all terms, so that each slip is another formula; that it has another value the page shows."""
    names = {slip.name for slip in slips(firing_neuron())}
    assert len(names) == 13
    assert {f"missing-term {term}" for term in ("phi_t", "phi_p", "r_p", "r_t", "k_p", "k_t", "k_u", "l1 - l2")} < names
    assert {slip.name for slip in slips(BALL)} < names


def test_an_event_that_may_not_happen_in_time_or_not_transversally_is_not_taken_for_granted() -> None:
    neuron = firing_neuron()
    p_1, *others = neuron.before.parameters

    def found(low: float, high: float, duration: float, problem: EventProblem = neuron) -> Any:
        return happens_once(problem, {p_1: (low, high), **dict.fromkeys(others, (-1, 1))}, duration)

    assert found(-1, 1, 2.5).holds is True
    assert found(-1, 1, 2.5).rigor is Rigor.ENCLOSED
    assert found(-1, 1, 2.3).holds is None
    assert found(-4, 4, 2.5).holds is None  # D may vanish
    assert found(-1, 6, 2.5).holds is None  # it may have happened before the start
    unbounded = replace(neuron, when=neuron.when + neuron.before.state[1])
    assert found(-1, 1, 2.5, unbounded).holds is None


def test_a_path_that_slides_is_not_said_to_pass() -> None:
    assert passes_through(GEAR).holds is True
    assert passes_through(replace(GEAR, field=ImmutableMatrix([-1]))).holds is None
    assert passes_through(replace(GEAR, field=ImmutableMatrix([GEAR.before.parameters[0]]))).holds is None


def test_an_event_that_does_not_happen_is_an_error_and_no_number() -> None:
    numeric = numeric_event_problem(BALL)
    for route in ROUTES.values():
        with pytest.raises(ArithmeticError, match="no event"):
            route(numeric, np.array([0.5, 1.0, 0.5]), 0.0, 0.9)
