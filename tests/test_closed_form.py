"""Are solutions in closed form found, and is nothing proved with one that is not the solution?"""

from __future__ import annotations

from typing import Any

import pytest

import verify
from verify.calculus import closed_form as forms
from verify.decide import decide
from verify.decide.systems import elementary as elementaries
from verify.decide.systems import judge
from verify.decide.systems.elementary import elementary
from verify.decide.systems.ode_task import OdeTask
from verify.graph import derivative, substitute, symbol
from verify.language import read_claim, read_expression, write
from verify.problems import system
from verify.system_claims import SystemClaim
from verify.verdict import Verdict


def problem(rhs: str, initial: str = "b", running: str = "0", terminal: str = "u", t0: str = "0") -> Any:
    domain = {"a": "interval(0.5, 1)", "b": "interval(0.5, 1)", "c": "interval(1.5, 2)"}
    return verify.OdeProblem("u", "a b c", [rhs], [initial], t0, 2, terminal, running, domain=domain)


SOLVED = [
    "-a*u", "a*u + c", "-a*u + t^2", "-a*u + c*exp(-c*t)", "-a*u + t*exp(-a*t)", "sin(c*t + a) - a*u",
    "a*u + cos(t)*exp(t)", "a*t*u", "cos(t)*u", "u*(1 - u)", "a*u - c*u^2", "-a*u^2", "-c*u^3", "exp(-t)^2", "3", "0",
    "c*(t - u)",
]  # fmt: skip


@pytest.mark.parametrize("rhs", SOLVED)
@pytest.mark.parametrize("t0", ["0", "1"])
def test_what_is_found_solves_the_equation(rhs: str, t0: str) -> None:
    given = problem(rhs, t0=t0)
    found = forms.closed_form(given)
    assert found is not None
    u, cost = found
    right = substitute(given.rhs[0], {symbol("u"): u})
    names = "with a: interval(0.5, 1), b: interval(0.5, 1), c: interval(1.5, 2), t: interval(1, 2)"
    for one, other in ((derivative(u, "t"), right), (substitute(u, {symbol("t"): given.t0}), given.initial[0])):
        assert decide(read_claim(f"{write(one)} = {write(other)} {names}")).verdict is Verdict.PROVED
    assert write(cost) == "0"


@pytest.mark.parametrize("rhs", ["sin(u)", "u^2 + t", "a*u + u^2 + u^3", "exp(-t^2) - u", "u*log(u)", "t*sin(t) - u"])
def test_what_is_not_of_the_known_forms_is_left_alone(rhs: str) -> None:
    assert forms.closed_form(problem(rhs)) is None


@pytest.mark.parametrize(
    "text",
    ["atan(tan(t))", "sqrt(t)", "log(t)", "abs(t - 1)", "(1 + t)^(1/2)", "exp(1/t)", "floor(t)", "sqrt((t - 1)^2)"],
)
def test_what_may_go_on_along_another_branch_is_no_solution(text: str) -> None:
    assert not forms.is_continued([read_expression(text)])


@pytest.mark.parametrize("text", ["sqrt(a)*t^2", "1/(1 + exp(-t))", "exp(a*t)*sin(t)/t", "log(a)", "E^(t*a)"])
def test_what_has_poles_at_most_goes_on(text: str) -> None:
    assert forms.is_continued([read_expression(text)])


@pytest.mark.parametrize(
    ("text", "smooth"),
    [("u^2/(1 + u)", True), ("exp(u)*t", True), ("sqrt(a)*u", True), ("sqrt(t)*u", True), ("abs(t)*u", True),
     ("sqrt(u)", False), ("u^(1/5)", False), ("abs(u)", False), ("max(u, 0)", False), ("log(u)", False),
     ("a^u", False)],
)  # fmt: skip
def test_only_equations_with_one_solution_through_every_point_are_decided(text: str, smooth: bool) -> None:
    assert forms.is_smooth_in(read_expression(text), ("u",)) is smooth


def known(given: Any) -> Any:
    return elementary(given, OdeTask(given, SystemClaim()).identities)


@pytest.mark.parametrize("wrong", ["b*exp(a*t)", "b*exp(-a*t) + t^9/10^9", "exp(-a*t)", "b*exp(-a*t)*(1 + 10^-9)"])
def test_a_wrong_solution_proves_nothing(wrong: str, monkeypatch: pytest.MonkeyPatch) -> None:
    given = problem("-a*u")
    assert known(given) is not None
    monkeypatch.setattr(elementaries, "closed_form", lambda _: (read_expression(wrong), read_expression("0")))
    assert known(given) is None


def test_a_wrong_integral_of_the_running_cost_proves_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    given = problem("-a*u", running="u")
    u = read_expression("b*exp(-a*t)")
    right, wrong = (read_expression(text) for text in ("b/a - b/a*exp(-a*t)", "b/a*exp(-a*t)"))
    monkeypatch.setattr(elementaries, "closed_form", lambda _: (u, right))
    assert known(given) is not None
    monkeypatch.setattr(elementaries, "closed_form", lambda _: (u, wrong))
    assert known(given) is None


@pytest.mark.parametrize(
    ("rhs", "gradient", "verdict"),
    [
        ("-a*u", "-2*b*exp(-2*a)", Verdict.PROVED),
        ("-a*u", "-2*b*exp(-2*a)*(1 + 10^-8)", Verdict.REFUTED),
        ("-a*u", "-2*u(2)", Verdict.PROVED),
        ("-a*u", "-2*u(1)", Verdict.REFUTED),
        ("-a*u^2", "-2*b^2/(1 + 2*a*b)^2", Verdict.PROVED),
        ("-a*u^2", "-2*b^2/(1 + 2*a*b)", Verdict.REFUTED),
        ("a*u^2", "2*b^2/(1 - 2*a*b)^2", Verdict.PROVED),
        ("-sqrt(u)*a", "-2*(sqrt(b) - a)", Verdict.SUPPORTED),
    ],
)
def test_gradients_without_an_adjoint_are_decided(rhs: str, gradient: str, verdict: Verdict) -> None:
    given = problem(rhs)
    *_, result = judge(system(given, {"gradient": {"a": gradient}}))
    assert result.verdict is verdict


def test_nothing_is_proved_beyond_a_pole() -> None:
    given = verify.OdeProblem("u", "a", ["a*u^2"], [1], 0, 5, "u", domain={"a": "interval(0.5, 1)"})
    *_, result = judge(system(given, {"gradient": {"a": "5/(1 - 5*a)^2"}}))
    assert result.verdict is Verdict.UNDECIDED
