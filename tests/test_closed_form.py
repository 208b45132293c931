"""Are solutions in closed form found, and is nothing proved with one that is not the solution?"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

import verify
from verify.calculus import closed_form as forms
from verify.calculus.event_times import first_zero
from verify.claim import Domain
from verify.decide import decide
from verify.decide.boxes import positive_on_box
from verify.decide.prove.differentiate import carried_out
from verify.decide.signs import Signs
from verify.decide.systems import judge, solved_phases
from verify.decide.systems.elementary import decided, elementary
from verify.decide.systems.identity import Identities
from verify.decide.systems.ode_task import OdeTask
from verify.decide.systems.result import Part
from verify.decide.systems.solved_phases import certain_sign
from verify.graph import Node, derivative, substitute, symbol
from verify.language import read_claim, read_expression, write
from verify.mutate import mutants
from verify.problems import system
from verify.system_claims import SystemClaim
from verify.systems import Observation
from verify.verdict import Verdict


def problem(rhs: str, initial: str = "b", running: str = "0", terminal: str = "u", t0: str = "0") -> Any:
    domain = {"a": "interval(0.5, 1)", "b": "interval(0.5, 1)", "c": "interval(1.5, 2)"}
    return verify.OdeProblem("u", "a b c", [rhs], [initial], t0, 2, terminal, running, domain=domain)


def positive(quantity: Any) -> int:
    return (quantity.value > 0) - (quantity.value < 0) if quantity.op == "num" else 1


SOLVED = [
    "-a*u", "a*u + c", "-a*u + t^2", "-a*u + c*exp(-c*t)", "-a*u + t*exp(-a*t)", "sin(c*t + a) - a*u",
    "a*u + cos(t)*exp(t)", "a*t*u", "cos(t)*u", "u*(1 - u)", "a*u - c*u^2", "-a*u^2", "-c*u^3", "exp(-t)^2", "3", "0",
    "c*(t - u)", "t*sin(t) - u", "a*t^2*cos(c*t)^2", "a*u/(1 + t)", "u/(1 + t) + a*t", "t - 2*t*u", "a*u*log(u)",
    "-a*u*log(u/c)", "a*u^(1/3) - c*u", "-c*u^a", "c - a*u^2", "a^2 + u^2", "(a - u)*(c - u)", "(u + a)^2",
    "t*u^2 + t", "a*t/u", "exp(-c*u)", "1 - exp(u)", "a*sinh(u)", "cos(u)^2", "a*sin(u)", "cos(u)", "tan(a*u)",
]  # fmt: skip


@pytest.mark.parametrize("rhs", SOLVED)
@pytest.mark.parametrize("t0", ["0", "1"])
def test_what_is_found_solves_the_equation(rhs: str, t0: str) -> None:
    given = problem(rhs, t0=t0)
    found = forms.states_in_time(given.state, given.rhs, given.initial, given.t0, positive)
    assert found is not None
    (u,) = found
    right = substitute(given.rhs[0], {symbol("u"): u})
    names = "with a: interval(0.5, 1), b: interval(0.5, 1), c: interval(1.5, 2), t: interval(1, 2)"
    for one, other in ((derivative(u, "t"), right), (substitute(u, {symbol("t"): given.t0}), given.initial[0])):
        assert decide(read_claim(f"{write(one)} = {write(other)} {names}")).verdict is Verdict.PROVED


@pytest.mark.parametrize(
    "rhs", ["sin(u^2)", "u^2 + t", "a*u + u^2 + u^3", "exp(-t^2) - u", "u*log(u)^3", "u + exp(u^2)"]
)
def test_what_is_not_of_the_known_forms_is_left_alone(rhs: str) -> None:
    given = problem(rhs)
    assert forms.states_in_time(given.state, given.rhs, given.initial, given.t0, positive) is None


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
    given = problem("-a*u", terminal="u + u^2")
    assert known(given) is not None
    monkeypatch.setattr(solved_phases, "states_in_time", lambda *_: (read_expression(wrong),))
    assert known(given) is None


def test_a_wrong_integral_of_the_running_cost_proves_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    given = problem("-a*u", running="u")
    right, wrong = (read_expression(text) for text in ("b/a - b/a*exp(-a*t)", "b/a*exp(-a*t)"))
    monkeypatch.setattr(solved_phases, "integral_in_time", lambda *_: right)
    assert known(given) is not None
    monkeypatch.setattr(solved_phases, "integral_in_time", lambda *_: wrong)
    assert known(given) is None


def gradient_by_a(given: Any, claimed: str) -> Verdict:
    """The verdict on dG/da where numbers see no mistake."""
    found = known(given)
    part = Part("gradient a", claimed, Verdict.SUPPORTED)
    return part.verdict if found is None else decided(found, "a", read_expression(claimed), part).verdict


@pytest.mark.parametrize(
    ("rhs", "initial", "T", "claimed"),
    [
        ("a*sqrt(u)", "0", 2, "2*a"),  # starts where it may also stay
        ("-a*sqrt(u)", "b", 9, "-9*(sqrt(b) - 9*a/2)"),  # is empty before
        ("-a/u", "b", 9, "-9/sqrt(b^2 - 18*a)"),
        ("3*a*u^(2/3)", "-b", 9, "27*(9*a - b^(1/3))^2"),
        ("a*sqrt(1 - u^2)", "0", 9, "9*cos(9*a)"),  # stays at 1
    ],
)
def test_a_solution_that_may_be_left_proves_nothing(rhs: str, initial: str, T: int, claimed: str) -> None:
    given = verify.OdeProblem("u", "a b", [rhs], [initial], 0, T, "u", domain=DOMAIN)
    assert gradient_by_a(given, claimed) is Verdict.SUPPORTED


DOMAIN = {"a": "interval(0.5, 1)", "b": "interval(0.5, 1)"}
OSCILLATOR: dict[str, Any] = {
    "state": "u v", "parameters": "a", "rhs": ["v", "-2*a*v - u"], "initial": [0, 1], "t0": 0, "T": 2, "terminal": "u",
}  # fmt: skip


def damped(wave: str, root: str) -> str:
    """d/da of exp(-2 a) S(2 r)/r, with r^2 = a^2 - 1, or 1 - a^2."""
    sine, cosine = ("sin", "cos") if wave == "sin" else ("sinh", "cosh")
    r, slope = f"sqrt({root})", "-a" if root.startswith("1") else "a"
    return f"exp(-2*a)*(-2*{sine}(2*{r})/{r} + {slope}*(2*{cosine}(2*{r})/{r}^2 - {sine}(2*{r})/{r}^3))"


@pytest.mark.parametrize(
    ("domain", "wave", "root", "verdict"),
    [
        ("interval(0.1, 0.9)", "sin", "1 - a^2", Verdict.PROVED),
        ("interval(1.1, 2)", "sinh", "a^2 - 1", Verdict.PROVED),
        ("interval(0.5, 2)", "sin", "1 - a^2", Verdict.PROVED),  # and has no value where a > 1
        ("interval(0.5, 2)", "sinh", "a^2 - 1", Verdict.PROVED),
        ("interval(0.5, 2)", "sin", "abs(1 - a^2)", Verdict.SUPPORTED),
        ("interval(0.5, 2)", "sinh", "1 - a^2", Verdict.SUPPORTED),
    ],
)
def test_each_sign_of_a_discriminant_is_proved(domain: str, wave: str, root: str, verdict: Verdict) -> None:
    given = verify.OdeProblem(**OSCILLATOR, domain={"a": domain})
    assert gradient_by_a(given, damped(wave, root)) is verdict


@pytest.mark.parametrize(
    ("terminal", "rhs", "first", "claimed", "verdict"),
    [
        ("v^2/2 - cos(u)", ["v", "-sin(u)"], ["a", "b"], "sin(a)", Verdict.PROVED),
        ("v^2/2 + cos(u)", ["v", "-sin(u)"], ["a", "b"], "-sin(a)", Verdict.SUPPORTED),
        ("u + v", ["-u*v", "u*v"], ["a", "b"], "1", Verdict.PROVED),
        ("a*log(u) - u + log(v) - v", ["u - u*v", "a*(u*v/a - v)"], ["b", "b"], "log(b)", Verdict.PROVED),
        ("u^2 + v^2", ["a*u - v*t^2", "t^2*u + a*v"], ["b", "1"], "4*(b^2 + 1)*exp(4*a)", Verdict.PROVED),
        ("u^2 + v^2", ["a*u - v*t^2", "t^2*u + a*v"], ["b", "1"], "2*(b^2 + 1)*exp(2*a)", Verdict.SUPPORTED),
        # atan(1/u) + atan(u) stays the same until u changes its sign, and is less by pi then.
        ("atan(1/u) + atan(u) + a", ["-1 + sin(v)/2", "v^2 + u"], ["b", "b"], "1", Verdict.SUPPORTED),
    ],
)
def test_what_is_conserved_needs_no_solution(
    terminal: str, rhs: list[str], first: list[str], claimed: str, verdict: Verdict
) -> None:
    given = verify.OdeProblem("u v", "a b", rhs, first, 0, 2, terminal, domain=DOMAIN)
    assert gradient_by_a(given, claimed) is verdict


FALLING = verify.OdeProblem(
    "y v", "a b", ["v", "-2"], ["a", "0"], 0, "3/2", "y", domain=DOMAIN | {"a": "interval(1, 1.1)"},
    events=[verify.Event(when="y", reset=["0", "-b*v"])],
)  # fmt: skip
BOUNCED = "2*b*sqrt(a)*(3/2 - sqrt(a)) - (3/2 - sqrt(a))^2"


def test_a_gradient_through_an_event_is_proved() -> None:
    claimed = write(carried_out(derivative(read_expression(BOUNCED), "a")))
    assert gradient_by_a(FALLING, claimed) is Verdict.PROVED
    assert gradient_by_a(FALLING, claimed + " + a/10^9") is Verdict.SUPPORTED


def test_observations_among_events_are_left_to_others() -> None:
    seen = replace(FALLING, observations=(Observation(read_expression("1/2"), read_expression("y")),))
    assert known(FALLING) is not None
    assert known(seen) is None


@pytest.mark.parametrize("wrong", ["sqrt(a) + 10^-9", "a", "sqrt(a)*(1 + 10^-9)"])
def test_a_wrong_time_of_an_event_proves_nothing(wrong: str, monkeypatch: pytest.MonkeyPatch) -> None:
    assert known(FALLING) is not None
    monkeypatch.setattr(solved_phases, "first_zero", lambda *_: read_expression(wrong))
    assert known(FALLING) is None


@pytest.mark.parametrize(
    ("phi", "begin", "zero"),
    [
        ("3 - 2*t", "0", "3/2"), ("t^2 - 4", "0", "2"), ("4 - t^2", "0", "2"), ("t^2 - 3*t + 2", "0", "1"),
        ("3*t - 2 - t^2", "0", "1"), ("3*t - 2 - t^2", "1", "2"), ("t^2 - 3*t + 2", "3/2", "2"),
        ("exp(-t) - 1/2", "0", "log(2)"),
        ("t^3 - 1", "0", None), ("sin(t) - 1/2", "0", None), ("exp(t) + exp(-t) - 3", "0", None), ("exp(t)", "0", None),
    ],
)  # fmt: skip
def test_the_first_zero_is_found(phi: str, begin: str, zero: str | None) -> None:
    def sign(quantity: Any) -> int:
        return certain_sign(Signs(Identities(Domain())), quantity)

    found = first_zero(read_expression(phi), read_expression(begin), sign, lambda _: False)
    if zero is None:
        assert found is None
    else:
        assert found is not None
        assert decide(read_claim(f"{write(found)} = {zero}")).verdict is Verdict.PROVED


@pytest.mark.parametrize(
    ("text", "positive_there"),
    [("2 - a - b", False), ("2.01 - a - b", True), ("a - b + 1/2", False), ("exp(a*b) - 1", True), ("log(a) + 1", True),
     ("log(a - 1/2)", False), ("a*c", False), ("(a - 3/4)^2", False)],
)  # fmt: skip
def test_a_quantity_is_positive_on_a_closed_box(text: str, positive_there: bool) -> None:
    variables = read_claim("a*b*c = a*b*c with a: interval(0.5, 1), b: interval(0.5, 1)").domain.variables
    assert positive_on_box(read_expression(text), variables) is positive_there


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
        ("-sqrt(u)*a", "-2*(sqrt(b) - a)", Verdict.SUPPORTED),  # may be empty at 2
        ("-sqrt(u)*a/4", "-(sqrt(b) - a/4)/2", Verdict.PROVED),
        ("-sqrt(u)*a/4", "-(sqrt(b) - a/2)/2", Verdict.REFUTED),
    ],
)
def test_gradients_without_an_adjoint_are_decided(rhs: str, gradient: str, verdict: Verdict) -> None:
    given = problem(rhs)
    *_, result = judge(system(given, {"gradient": {"a": gradient}}))
    assert result.verdict is verdict


@pytest.mark.parametrize("key", ["u(0)", "t0", "T"])
def test_a_gradient_by_an_initial_value_or_a_time_that_is_a_number_is_proved(key: str) -> None:
    right = {"u(0)": "exp(-2*a)", "t0": "a*b*exp(-2*a)", "T": "-a*u(2)"}[key]
    *_, result = judge(system(problem("-a*u"), {"gradient": {key: right}}))
    assert result.verdict is Verdict.PROVED
    *_, result = judge(system(problem("-a*u"), {"gradient": {key: f"{right}*(1 + 10^-8)"}}))
    assert result.verdict is Verdict.REFUTED


def test_nothing_is_proved_beyond_a_pole() -> None:
    given = verify.OdeProblem("u", "a", ["a*u^2"], [1], 0, 5, "u", domain={"a": "interval(0.5, 1)"})
    *_, result = judge(system(given, {"gradient": {"a": "5/(1 - 5*a)^2"}}))
    assert result.verdict is Verdict.UNDECIDED


def changed(formula: Node) -> list[Node]:
    """A formula with a slip in it."""
    return [mutant.node for mutant in mutants(formula, names=("a", "b")) if mutant.slip != "rounding"]


MOST_MUTANTS = 8
MUTATED = [
    (verify.OdeProblem(**OSCILLATOR, domain={"a": "interval(0.1, 0.9)"}), damped("sin", "1 - a^2")),
    (problem("-a*u/4", terminal="u^2"), "-b^2*exp(-a)"),
    (problem("-sqrt(u)*a/4"), "-(sqrt(b) - a/4)/2"),
    (FALLING, "b*(3/(2*sqrt(a)) - 2) + 3/(2*sqrt(a)) - 1"),
]


@pytest.mark.parametrize(("given", "claimed"), MUTATED, ids=["oscillator", "decay", "outflow", "bounce"])
def test_no_wrong_neighbour_of_a_gradient_is_proved(given: Any, claimed: str) -> None:
    found, right = known(given), read_expression(claimed)
    identities = OdeTask(given, SystemClaim()).identities
    part = Part("gradient a", claimed, Verdict.SUPPORTED)
    assert decided(found, "a", right, part).verdict is Verdict.PROVED
    (piece,) = found.pieces
    values = [(mutant, found.without_states(mutant, piece)) for mutant in changed(right)]
    others = [m for m, x in values if x is not None and not identities.same(x, found.without_states(right, piece))]
    others = others[:: max(1, len(others) // MOST_MUTANTS)]
    assert len(others) > 5
    assert all(decided(found, "a", mutant, part).verdict is not Verdict.PROVED for mutant in others)


def test_a_final_time_that_may_lie_before_the_initial_one_hides_nothing() -> None:
    # Backwards the tank has been fuller, but where -2*a*T > sqrt(b) no solution leads to b.
    domain = DOMAIN | {"T": "interval(-9, 1)"}
    given = verify.OdeProblem("u", "a b", ["a*sqrt(u)"], ["b"], 0, "T", "u", domain=domain)
    assert gradient_by_a(given, "T*(sqrt(b) + a*T/2)") is Verdict.SUPPORTED
    domain |= {"T": "interval(0, 9)"}
    given = verify.OdeProblem("u", "a b", ["a*sqrt(u)"], ["b"], 0, "T", "u", domain=domain)
    assert gradient_by_a(given, "T*(sqrt(b) + a*T/2)") is Verdict.PROVED
