"""Is the truth inside where events happen, and is there no number where they do not, or not transversally?"""

from __future__ import annotations

import re
from dataclasses import dataclass
from fractions import Fraction
from random import Random
from typing import Any

import pytest
from flint import arb, arb_mat, arb_poly
from test_enclosure import Known, proved

import verify
from verify.numerics.enclosure import Ball, Fail, crossing, enclose, events
from verify.numerics.enclosure.ball import ball
from verify.systems import OdeProblem

BALL = {"when": "y", "reset": ["y", "-e*v"]}


def flying(bounces: int, terminal: str = "y", **more: Any) -> OdeProblem:
    return OdeProblem("y v", "h g e", ["v", "-g"], ["h", 0], 0, "T", terminal, events=[BALL] * bounces, **more)


@dataclass(frozen=True)
class Exact(Known):
    """One of which all events happen for values between low and high, T between early and late."""

    early: float = 1.0
    late: float = 2.0
    tau: str = ""

    def draw(self, rng: Random) -> dict[str, Fraction]:
        at = {name: Fraction(rng.randint(int(100 * self.low), int(100 * self.high)), 100) for name in self.names()}
        return at | {"T": Fraction(rng.randint(int(100 * self.early), int(100 * self.late)), 100)}

    def first(self) -> Known:
        """The time of the first event in the place of the objective."""
        return Known(self.problem, self.tau)


def growing(terminal: str, **event: Any) -> OdeProblem:
    """x' = p x from 1 until x = 1 + q."""
    given = {"when": "x - 1 - q", "rhs": ["-r*x"], "reset": ["a*x + t"], "running": "x", "cost": "c*t*x", **event}
    return OdeProblem("x", "p q r a c", ["p*x"], [1], 0, "T", terminal, "p*x^2", events=[given])


FALL = "sqrt(2*h/g)"
EXACT = {
    "one bounce": Exact(
        flying(1), f"e*g*{FALL}*(T - {FALL}) - g*(T - {FALL})^2/2", 0.5, 0.9, 1.9, 2.4, FALL
    ),
    "two bounces": Exact(
        flying(2, "v^2 + tau2*y"),
        f"(e^2*g*{FALL} - g*(T - {FALL}*(1 + 2*e)))^2 + {FALL}*(1 + 2*e)*"
        f"(e^2*g*{FALL}*(T - {FALL}*(1 + 2*e)) - g*(T - {FALL}*(1 + 2*e))^2/2)", 0.5, 0.9, 5.4, 6.0, FALL,
    ),
    "thrown": Exact(
        OdeProblem("y v", "w g e", ["v", "-g"], [0, "w"], 0, "T", "y", events=[BALL]),
        "e*w*(T - 2*w/g) - g*(T - 2*w/g)^2/2", 0.5, 1.0, 4.1, 5.0, "2*w/g",
    ),
    "switch": Exact(
        OdeProblem("x", "p q r", ["q"], [0], 0, "T", "x^2", events=[{"when": "p - x", "rhs": ["r"]}]),
        "(p + r*(T - p/q))^2", 0.5, 0.9, 1.9, 3.0, "p/q",
    ),
    "all of it": Exact(
        growing("x + tau1^2"),
        "(a*(1+q) + log(1 + q)/p)*exp(-r*(T - log(1 + q)/p)) + (log(1 + q)/p)^2 + c*log(1 + q)/p*(1 + q)"
        " + ((1 + q)^2 - 1)/2 + (a*(1 + q) + log(1 + q)/p)*(1 - exp(-r*(T - log(1 + q)/p)))/r",
        0.5, 0.9, 1.4, 2.5, "log(1 + q)/p",
    ),
    "a moving threshold": Exact(
        OdeProblem("x", "p q", ["p"], ["t0"], "t0", "T", "x*t", events=[{"when": "x + t^2 - q*t - 1",
                   "reset": ["x + q*t"], "rhs": ["x"], "cost": "t"}]),
        "(t0 + p*(S - t0) + q*S)*exp(T - S)*T + S".replace(
            "S", "((q - p + sqrt((q - p)^2 + 4*(1 + p*t0 - t0)))/2)"), 0.3, 0.6, 1.4, 2.0,
    ),
    "at a given time": Exact(
        OdeProblem("x", "p s", ["p*x"], [1], 0, "T", "x",
                   events=[{"when": "t - s^2", "reset": ["x^2"], "cost": "x*t"}]),
        "exp(2*p*s^2 + p*(T - s^2)) + s^2*exp(p*s^2)", 0.3, 0.9, 1.0, 2.0, "s^2",
    ),
}  # fmt: skip


def misses(known: Exact, rng: Random, radius: float = 1e-12) -> list[str]:
    at = known.draw(rng)
    found, truth = proved(enclose(known.problem, at, radius=radius)), known.truth(at)
    assert found.reached, (at, found.radius)
    wrong = [name for name in truth if (found.objective if name == "G" else found.gradient[name]).apart(truth[name])]
    if known.tau:
        first = Known(OdeProblem("x", list(known.names()), [0], [0], 0, 1), known.tau).truth(at)
        event = found.events[0]
        wrong += [f"tau1 by {n}" for n in at if n != "T" and event.gradient[n].apart(first[n])]
        wrong += ["tau1"] if event.time.apart(first["G"]) else []
    return wrong


@pytest.mark.parametrize("name", EXACT)
def test_the_closed_form_is_inside(name: str) -> None:
    rng = Random(5)
    assert [misses(EXACT[name], rng, 10.0 ** -(3 + 2 * k)) for k in range(8)] == [[]] * 8


@pytest.mark.thorough
@pytest.mark.parametrize("name", EXACT)
def test_the_closed_form_is_inside_at_many_points(name: str) -> None:
    rng = Random(50)
    assert not any(misses(EXACT[name], rng, 10.0 ** -(3 + k % 20)) for k in range(150))


def test_the_worked_numbers_of_a_bouncing_ball() -> None:
    at = {"h": "1/2", "g": 1, "e": "1/2", "T": "7/4"}
    found = proved(verify.enclose(flying(1), at))
    exact = {"h": Fraction(5, 8), "g": Fraction(-7, 32), "e": Fraction(3, 4), "T": Fraction(-1, 4)}
    assert all(x in found.gradient[name] for name, x in exact.items())
    (event,) = found.events
    assert 1 in event.time
    assert (1 in event.gradient["h"], Fraction(-1, 2) in event.gradient["g"]) == (True, True)
    assert event.gradient["e"] == event.gradient["T"] == Ball(Fraction(0), Fraction(0))
    assert set(found.to_json()["events"][0]["gradient"]) == set(found.gradient)
    # The state just after the event by itself: y(T) = y+ + v+ (T - tau) - ...
    assert Fraction(3, 4) in found.gradient["v(tau1+)"]


# --- mutants: each rule that is left out leaves the balls ---------------------------------------------------------


def no_moving_time(self: events._Passage, k: int, fixed: events.Changing, time: arb) -> events.Changing:
    return events.Changing([time], 0 * when(self, k, fixed, time).slopes)


def other_sign(self: events._Passage, k: int, fixed: events.Changing, time: arb) -> events.Changing:
    return events.Changing([time], -when(self, k, fixed, time).slopes)


def without_phi_q(self: events._Passage, k: int, fixed: events.Changing, time: arb) -> events.Changing:
    found, bound = when(self, k, fixed, time), self.bound(self.phases.switches[k])
    rows = bound.derivatives(bound.run([*fixed.values, time]), len(fixed.values), ())
    D = bound([*fixed.values, time])[1]
    return events.Changing(found.values, arb_mat(1, len(fixed.values), rows[0]) * fixed.slopes * (-1 / D))


def rate_after(self: events._Passage, k: int, fixed: events.Changing, time: arb) -> events.Changing:
    found = when(self, k, fixed, time)
    phi = self.phases.problem.events[k].when
    D, after = (
        self.bound(events.Tape.of((events.rate_along(phi, rates, self.phases.state),), (*self.phases.state, "t")))(
            [*fixed.values, time]
        )[0]
        for rates in self.phases.rates[k : k + 2]
    )
    return events.Changing(found.values, found.slopes * (D / after))


def before_and_after(self: events._Passage, k: int, state: Any, time: Any) -> Any:
    """As if the reset and the cost did not see the time."""
    return changed(self, k, state, events.Changing(time.values, 0 * time.slopes))


def start_at_a_fixed_time(self: events._Passage, k: int, state: Any, time: Any, end: Any) -> Any:
    return until(self, k, state, events.Changing(time.values, 0 * time.slopes), end)


when, changed, until = events._Passage.when, events._Passage.changed, events._Passage.until
MUTANTS = {
    "no moving time": ("when", no_moving_time), "sign of the time": ("when", other_sign),
    "phi_q dropped": ("when", without_phi_q), "f after for f before": ("when", rate_after),
    "r_t and k_t dropped": ("changed", before_and_after), "f after dropped": ("until", start_at_a_fixed_time),
}  # fmt: skip


@pytest.mark.parametrize("mutant", MUTANTS)
def test_a_rule_that_is_left_out_leaves_the_balls(mutant: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(events._Passage, *MUTANTS[mutant])
    rng = Random(7)
    assert all(misses(EXACT["all of it"], rng) for _ in range(3))


@pytest.mark.parametrize("trial", range(3))
def test_a_saltation_that_is_left_out_of_the_bouncing_ball_shows(trial: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(events._Passage, "when", no_moving_time)
    assert {"h", "g"} <= set(misses(EXACT["one bounce"], Random(trial)))


# --- boxes ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", EXACT)
def test_a_box_holds_its_points(name: str) -> None:
    known, rng = EXACT[name], Random(3)
    at = known.draw(rng)
    width = Fraction(1, 1000)
    found = proved(enclose(known.problem, {key: (x, x + width) for key, x in at.items()}))
    assert found.radius < 5
    for _ in range(4):
        truth = known.truth({key: x + width * Fraction(rng.randint(0, 8), 8) for key, x in at.items()})
        assert not found.objective.apart(truth["G"])
        assert not any(found.gradient[key].apart(truth[key]) for key in at)


def test_a_box_may_be_split() -> None:
    at = {"h": ("1/2", "3/5"), "g": 1, "e": "1/2", "T": "9/5"}
    one, eight = (proved(enclose(flying(1), at, pieces=pieces)) for pieces in (1, 8))
    assert eight.pieces > 1
    assert eight.gradient["h"].radius < one.gradient["h"].radius
    assert len(eight.events) == 1


# --- no event, no number ------------------------------------------------------------------------------------------


def through(when: str, rate: str, start: str = "0", T: str = "2", **more: Any) -> OdeProblem:
    return OdeProblem("x", "p", [rate], [start], 0, T, "x", events=[{"when": when, **more}])


SWITCH = {"when": "x - 1", "rhs": ["2"]}
REFUSED = {
    "grazing": (through("x", "2*(t - 1)*p", "1"), {"p": 1}, "touches"),
    "almost grazing": (through("x", "2*(t - 1)*p", "1 + p/10^20 - 1/10^20"), {"p": 1}, "touches"),
    "no event": (through("x", "2*(t - 1)", "p"), {"p": "1.0001"}, "does not happen"),
    "too late": (through("x - 3", "p"), {"p": 1}, "does not happen"),
    "at the end": (through("x - 2", "p"), {"p": 1}, "close to zero"),
    "sliding": (through("x - 1", "p", rhs=["-p"]), {"p": 1}, "slide"),
    "sliding, by the angle": (through("x + t - 3/2", "p", rhs=["-2*p"]), {"p": 1}, "slide"),
    "at the start": (through("x - p + 1", "p"), {"p": 1}, "already"),
    "in the other order": (OdeProblem("x", "p", ["p"], [0], 0, 2, "x", events=[SWITCH, {"when": "x - 1/2"}]), {"p": 1},
                           "event 2 .* does not happen"),
    "at once": (OdeProblem("x y", "p", ["p", "2*p"], [0, 0], 0, 2, "x",
                           events=[{"when": "x - 1"}, {"when": "y - x - 1"}]), {"p": 1}, "already"),
    "blow-up before": (through("x - 10^30", "x^2", "p"), {"p": 1}, "blows up|singular"),
    "a kinked switch": (through("abs(x - 1)", "p"), {"p": 1}, "no rule"),
    "no value": (through("log(x - 1) + t", "p", "2 - 3*p"), {"p": 1}, "no value|series|finite|not"),
    "a box that holds a grazing": (through("x", "2*(t - 1)", "p"), {"p": ("0.99", "1.01")}, "touches|close|wide"),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_what_does_not_happen_transversally_is_refused_with_its_reason(name: str) -> None:
    problem, at, reason = REFUSED[name]
    found = enclose(problem, at)
    assert isinstance(found, Fail), found
    assert re.search(reason, found.reason), found.reason


def test_near_a_grazing_the_event_is_found_or_refuted() -> None:
    problem = through("x", "2*(t - 1)", "p", reset=["1"])
    found = proved(enclose(problem, {"p": 1 - Fraction(1, 10**8)}))
    assert 1 - Fraction(1, 10**4) in found.events[0].time
    assert not enclose(problem, {"p": 1 + Fraction(1, 10**8)})


def test_the_first_of_two_zeros_within_one_step_counts() -> None:
    problem = through("x", "2*(t - 1)", "p", reset=["1"], rhs=["0"], T="3")
    for k in (2, 10, 100):
        found = proved(enclose(problem, {"p": 1 - Fraction(1, k * k)}))
        assert 1 - Fraction(1, k) in found.events[0].time


def test_second_derivatives_are_not_enclosed_through_events() -> None:
    with pytest.raises(ValueError, match="events"):
        enclose(flying(1), {"h": 1, "g": 1, "e": 1, "T": 2}, second=True)


def test_an_event_without_change_changes_nothing() -> None:
    rates = ["y + p*t", "-p*x - y^3/5"]
    plain = OdeProblem("x y", "p", rates, ["p", "1/2"], 0, 2, "x*y", "x")
    marked = OdeProblem("x y", "p", rates, ["p", "1/2"], 0, 2, "x*y", "x", events=[{"when": "x - y - 1"}])
    one, other = (proved(enclose(problem, {"p": 1})) for problem in (plain, marked))
    assert not any(x.apart(other.gradient[name]) for name, x in one.gradient.items())
    assert max(x.radius for x in other.gradient.values()) < Fraction(1, 10**12)


# --- the search for zeros by itself ---------------------------------------------------------------------------------


def first_zero(coefficients: list[Any], tail: float, from_zero: bool = False) -> arb | None:
    """Of a polynomial with a tail, and of its derivative with the same."""
    n = 12
    p = crossing.Series(arb_poly([c if isinstance(c, arb) else ball(c) for c in coefficients]), arb(tail), n)
    slope = crossing.Series(p.p.derivative(), arb(tail), n)
    return crossing._Parts(p, slope, from_zero).first_zero(0.5)


@pytest.mark.parametrize("tail", [0.0, 1e-20])
def test_zeros_of_polynomials_are_found_from_the_left(tail: float) -> None:
    rng = Random(4)
    for _ in range(40):
        roots = sorted(Fraction(rng.randint(1, 99), 101) for _ in range(rng.randint(1, 3)))
        if len(set(roots)) < len(roots):
            continue
        p = arb_poly([1])
        for root in roots:
            p *= arb_poly([-ball(root), 1])
        found = first_zero(p.coeffs(), tail)
        assert found is not None
        assert found.contains(ball(roots[0]))
        assert float(found.rad()) < 1e-12
        # Started at one of its zeros, that one does not count.
        p *= arb_poly([0, 1])
        again = first_zero(p.coeffs(), tail, from_zero=True)
        assert again is not None
        assert again.contains(ball(roots[0]))


def test_no_zero_and_a_double_one() -> None:
    assert first_zero([1, 1, 1], 0.1) is None
    assert first_zero([0, 1, 1], 0.0, from_zero=True) is None
    assert first_zero([Fraction(10001, 40000), -1, 1], 1e-9) is None
    with pytest.raises(crossing.Undecided):
        first_zero([Fraction(1, 4), -1, 1], 0.0)
    with pytest.raises(crossing.Undecided):
        first_zero([0, 1, 1], 0.0)
    with pytest.raises(crossing.Close):
        first_zero([-1, 1], 0.0)
