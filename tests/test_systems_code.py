"""Does the NumPy module of a problem compute its gradient?  Against differences of its own objective."""

from __future__ import annotations

import types
from pathlib import Path

import numpy as np
import pytest
from systems_bank import BASES, Base, ode

from verify.calculus.numpy_code import module
from verify.language.toml import read_system

POINTS = {
    "full": ([1.1, 0.7, 1.3], ()),
    "lotka-volterra": ([1.1, 0.7, 1.3], ()),
    "running": ([0.8, 1.2], ()),
    "pendulum": ([1.3, 0.4, 1.5], ()),
    "logistic": ([1.2, 2.0], ()),
    "neuron": ([0.8, -0.6, 1.1], ()),
    "moving-end": ([0.7], ()),
    "cubic": ([1.4], ([1.0],)),
    "linear": ([1.1, 0.7], ([1.0, 1.0],)),
    "wave": ([0.8, 1.3], ([1.0],)),
    "map": ([1.3], (5,)),
    "rotation": ([0.7, -0.4], (3,)),
    "three": ([0.3], ()),
}


def compiled(text: str) -> types.ModuleType:
    found = types.ModuleType("generated")
    exec(compile(module(read_system(text).problem), "generated", "exec"), found.__dict__)
    return found


@pytest.mark.parametrize("name", POINTS)
def test_the_gradient_agrees_with_differences(name: str) -> None:
    generated = compiled(BASES[name].toml())
    p, more = np.array(POINTS[name][0]), POINTS[name][1]
    found = generated.gradient(p, *more)
    assert len(generated.NAMES) == len(p)
    for i, slope in enumerate(found["p"]):
        e = np.eye(len(p))[i]

        def G(h: float, e: np.ndarray = e) -> float:
            return generated.gradient(p + h * e, *more)["G"]

        coarse, fine = ((G(h) - G(-h)) / (2 * h) for h in (2e-3, 1e-3))
        assert slope == pytest.approx((4 * fine - coarse) / 3, rel=1e-6, abs=1e-7)


def test_the_initial_state_and_the_times_have_their_gradients() -> None:
    found = compiled(BASES["logistic"].toml()).gradient(np.array([1.2, 2.0]))
    r, K = 1.2, 2.0
    x = K / (1 + 3 * np.exp(-r))
    assert found["G"] == pytest.approx(x + np.log((3 + np.exp(r)) / 4) * K, rel=1e-9)
    rate = r * x * (1 - x / K)
    assert found["T"] == pytest.approx(r * x + rate, rel=1e-8)
    assert found["t0"] == pytest.approx(-found["T"], rel=1e-8)  # autonomous


OBSERVED = """
kind = "ode-gradient"
[ode]
state = ["u", "v"]
parameters = ["p", "s"]
rhs = ["-p*u + v", "-u*v + t"]
initial = ["1", "p"]
time = ["0", "2"]
[objective]
terminal = "u*v"
running = "p*u^2"
observations = [{ time = "s", value = "t*u^2 + p*v" }, { time = "1 + p/4", value = "u*v^2" }]
"""


def test_observations_count_at_their_times() -> None:
    generated, p = compiled(OBSERVED), np.array([0.7, 0.4])
    found = generated.gradient(p)["p"]
    assert found == pytest.approx(differences(generated, p), rel=1e-7)


#: Points within the domains of problems with events, in the order of `NAMES`.
EVENTS = {
    "ball": [0.5, 1, 0.5, 1.75],
    "circle": [1.02, 0.3],
    "dose": [1.1, 0.7, 0.45],
    "kink": [1.1, 0.45],
    "landing-time": [0.7, 1.05],
    "moving-gate": [0.45, 1.05],
    "switch": [0.45],
    "thermostat": [1.05, 3.1, 1.9, 0.95],
    "toll": [0.9, 1.1, 1.9],
}
SYSTEMS = Path(__file__).parent / "data" / "systems"


def differences(generated: types.ModuleType, p: np.ndarray) -> np.ndarray:
    def G(move: np.ndarray) -> float:
        return generated.gradient(p + move, rtol=1e-12, atol=1e-14)["G"]

    return np.array([(8 * (G(e) - G(-e)) - G(2 * e) + G(-2 * e)) / 12e-4 for e in 1e-4 * np.eye(len(p))])


@pytest.mark.parametrize("name", EVENTS)
def test_the_gradient_through_events_agrees_with_differences(name: str) -> None:
    generated, p = compiled((SYSTEMS / f"event-{name}.toml").read_text()), np.array(EVENTS[name], dtype=float)
    assert generated.gradient(p)["p"] == pytest.approx(differences(generated, p), rel=1e-6, abs=1e-7)


def test_the_ball_has_its_known_gradient() -> None:
    found = compiled((SYSTEMS / "event-ball.toml").read_text()).gradient(np.array([0.5, 1, 0.5, 1.75]))
    assert found["G"] == pytest.approx(3 / 32, rel=1e-9)
    assert found["p"] == pytest.approx([5 / 8, -7 / 32, 3 / 4, -1 / 4], rel=1e-8)
    assert found["tau"] == pytest.approx([1], rel=1e-9)
    assert found["x0"] == pytest.approx([5 / 8, 1 / 4], rel=1e-8)
    assert found["t0"] == pytest.approx(1 / 4, rel=1e-8)


#: Two bounces, of which both times count: phi has no other name, and the second phase starts at its zero.
BOUNCES = """
kind = "ode-gradient"
[ode]
state = ["y", "v"]
parameters = ["h", "e"]
rhs = ["v", "-1"]
initial = ["h", "0"]
time = ["0", "5/2"]
events = [
  { when = "y", reset = ["0", "-e*v"], running = "y*t", cost = "h*v*t" },
  { when = "y", reset = ["0", "-e*v"] },
]
[objective]
terminal = "y + h*tau1*tau2^2"
"""


def test_two_bounces_whose_times_count_have_their_gradient() -> None:
    generated, p = compiled(BOUNCES), np.array([0.5, 0.6])
    found = generated.gradient(p)
    assert found["tau"] == pytest.approx([1, 2.2], rel=1e-9)
    assert found["p"] == pytest.approx(differences(generated, p), rel=1e-6)


def test_an_event_that_does_not_happen_or_is_only_touched_has_no_gradient() -> None:
    ball = compiled((SYSTEMS / "event-ball.toml").read_text())
    with pytest.raises(ArithmeticError, match="event 1 does not happen before the final time"):
        ball.gradient(np.array([0.5, 1, 0.5, 0.9]))
    switch = (SYSTEMS / "event-switch.toml").read_text()
    for when, reason in (("(x - p)*((x - p)^2 + 1/10^8)", "touched and not crossed"), ("(x - p)^3", "not located")):
        touching = switch.replace('when = "x - p"', f'when = "{when}"')
        assert touching != switch
        with pytest.raises(ArithmeticError, match=reason):
            compiled(touching).gradient(np.array([0.45]))


def test_functions_that_numpy_has_not_and_pieces_are_written() -> None:
    rhs = "piecewise((cot(p + x/9), t < 1/2), (sech(x) + max(p, x, 1/3), t >= 1/2))"
    text = Base(ode("x", "p", rhs, "1/2", "0; 2/5", "x^2", ""), {}).toml()
    generated, p = compiled(text), np.array([0.7])
    assert generated.gradient(p)["p"] == pytest.approx(differences(generated, p), rel=1e-7)
    assert generated.field(0.6, np.array([0.2]), p) == pytest.approx([1 / np.cosh(0.2) + 0.7])


def test_names_that_python_keeps_for_itself_are_changed() -> None:
    text = Base(ode("x; np", "p; lambda", "p*np; -lambda*x", "1; p", "0; 1", "x", ""), {}).toml()
    found = compiled(text).gradient(np.array([0.7, 0.4]))
    assert np.all(np.isfinite(found["p"]))


def test_a_network_of_a_thousand_parameters_is_derived() -> None:
    hidden = range(200)
    names = [f"{letter}{i}" for i in hidden for letter in ("a", "b", "c", "d", "e")]
    units = [f"tanh(a{i}*x + b{i}*y + c{i})" for i in hidden]
    rhs = "; ".join(" + ".join(f"{letter}{i}*{units[i]}" for i in hidden) for letter in ("d", "e"))
    text = Base(ode("x; y", ";".join(names), rhs, "1; 1/2", "0; 1", "x^2 + y^2", ""), {}).toml()
    found = compiled(text)
    assert len(found.gradient(np.full(1000, 0.01))["p"]) == 1000
