"""Are data between events judged right, in whatever order they come, and is that order known first?"""

from __future__ import annotations

import types
from fractions import Fraction

import pytest

import verify
from verify.calculus.costate import Gradient
from verify.decide.systems import judge, task_of
from verify.decide.systems.convention import Convention
from verify.decide.systems.ode_task import OdeTask
from verify.decide.systems.reading import written
from verify.decide.systems.result import SystemResult
from verify.numerics.enclosure import Enclosure, Fail
from verify.numerics.ode_claims import Numbers, difference_gradient, forward_gradient
from verify.problems import system
from verify.systems import Event, OdeProblem
from verify.verdict import Verdict

BOUNCE = Event(when="y", reset=["0", "-e*v"])
#: A ball that is seen before and after it bounces at t = 1 (with h = 1/2, g = 1), twice at times that move.
BALL = OdeProblem(
    "y v", "h g e", ["v", "-g"], ["h", 0], 0, "7/4", "y + v*tau1", "y*v", events=[BOUNCE],
    observations=[("1/2", "y^2/2"), ("1 + h/4", "v^2*h + y*v*t"), ("1 + h/2", "v*y*e*t")],
    domain={"h": "interval(0.4, 0.6)", "g": "interval(0.9, 1.1)", "e": "interval(0.4, 0.6)"},
)  # fmt: skip
#: Everything that an event can have, with data on both sides of it.
WHOLE = OdeProblem(
    "x y", "a b", ["y + a*t", "1 - x*y"], ["0", "b"], 0, "3/2", "x*y + a*tau1^2 + y", "x^2 + b*t",
    domain={"a": "interval(0.8, 1.2)", "b": "interval(0.8, 1.2)"},
    observations=[("1/4", "x*y"), ("3/4", "x^2*a + b*y*t")],
    events=[
        Event(
            when="x + a*y^2 - b*(2 + sin(t))", reset=["x/2 + b*t*y", "a*y + x^2/4"], rhs=["x*y/4", "t - b*x"],
            running="y^2 + a*x", cost="a*t*x*y + b*y",
        )
    ],
)  # fmt: skip
AT = {"ball": (BALL, {"h": 0.5, "g": 1.0, "e": 0.5}), "whole": (WHOLE, {"a": 1.0, "b": 1.0})}


def judged(problem: OdeProblem, **claim: dict[str, str]) -> SystemResult:
    *_, result = judge(system(problem, claim))
    return result


@pytest.mark.parametrize("name", AT)
def test_enclosure_code_sensitivities_and_differences_agree(name: str) -> None:
    problem, at = AT[name]
    names = [*at, *(f"{u}(t0)" for u in problem.state), "t0", "T"]
    numbers = Numbers(problem, at)
    forward = forward_gradient(numbers, names, 1e-12)
    proved = verify.enclose(problem, at)
    assert isinstance(proved, Enclosure)
    module = types.ModuleType("module")
    exec(problem.code(), module.__dict__)
    code = module.gradient(list(at.values()))
    assert code["G"] == pytest.approx(float(proved.objective), rel=1e-8)
    by_code = [*code["p"], *code["x0"], code["t0"], code["T"]]
    for i, q in enumerate(names):
        ball = proved.gradient[q]
        assert float(ball.radius) < 1e-12
        assert forward[i] == pytest.approx(float(ball), rel=1e-10)
        assert by_code[i] == pytest.approx(float(ball), rel=1e-7)
    for i, q in enumerate(at):
        assert difference_gradient(numbers, q, 1e-12)[0] == pytest.approx(forward[i], rel=1e-5)


@pytest.mark.parametrize("name", AT)
def test_what_is_derived_is_proved(name: str) -> None:
    problem, at = AT[name]
    result = judged(problem, **problem.adjoint(), **problem.gradient(*at, "t0", "T", f"{problem.state[0]}(t0)"))
    assert {part.name: part.reason for part in result.parts if part.verdict is not Verdict.PROVED} == {}
    assert any("none at a time of observation" in note for note in result.notes)


@pytest.mark.parametrize("q", ["a", "b"])
def test_no_gradient_without_one_of_its_terms_is_an_identity(q: str) -> None:
    terms = OdeTask(WHOLE, system(WHOLE, {}).claim).gradient(q).terms
    for i in range(len(terms)):
        wrong = Gradient((*terms[:i], *terms[i + 1 :]))
        task = task_of(system(WHOLE, {"gradient": {q: written(WHOLE, wrong.boundary, wrong.inside)}}))
        pairs = task.pairs(("gradient", q), Convention(task.names))
        assert not all(task.identities.same(*pair) for pair in pairs), terms[i].name


def slow(*case: str) -> object:
    return pytest.param(*case, marks=pytest.mark.thorough)


WRONG = [
    ("l1(3/4)", "-2*a*x", "sign"),
    ("l2(tau1)", "0", "missing-term"),
    ("l1(1/4)", "0", "boundary"),
    ("l2(3/4)", "b*t + 1/9", "any"),
    ("l1(1/4)", "x", "swap"),
    ("l2(3/4)", "b*tau1", "any"),
    ("l1(3/4)", "y(1/4)", "index"),
]


@pytest.mark.parametrize(("key", "formula", "slip"), [w if i < 2 else slow(*w) for i, w in enumerate(WRONG)])
def test_a_wrong_jump_among_data_and_events_is_refuted_by_enclosure(key: str, formula: str, slip: str) -> None:
    right = WHOLE.adjoint()
    result = judged(WHOLE, adjoint=right["adjoint"], terminal=right["terminal"], jump={key: formula})
    assert result.verdict is Verdict.REFUTED
    assert result.worst is not None
    assert result.worst.name == f"jump {key}"
    assert "+/-" in str(result.worst.counterexample)
    assert slip == "any" or (result.worst.diagnosis and result.worst.diagnosis.slip) == slip
    assert result.worst.correction == right["jump"][key]


def test_a_jump_at_an_event_counts_what_is_observed_later() -> None:
    late = OdeProblem(
        "y v", "h g e", ["v", "-g"], ["h", 0], 0, "7/4", "0", events=[BOUNCE], observations=[("3/2", "y")],
        domain=BALL.domain,
    )  # fmt: skip
    right = {"h": "l1(0)", "e": "-l2(tau1+)*v(tau1-)"}
    assert judged(late, **late.adjoint(), gradient=right).verdict is Verdict.PROVED
    assert judged(late, jump={"l1(tau1)": "0"}).verdict is Verdict.REFUTED
    assert judged(late, gradient={"h": "0"}).verdict is Verdict.REFUTED
    early = OdeProblem(
        "y v", "h g e", ["v", "-g"], ["h", 0], 0, "7/4", "0", events=[BOUNCE], observations=[("1/2", "y")],
        domain=BALL.domain,
    )  # fmt: skip
    assert judged(early, gradient={"h": "1", "g": "-1/8", "e": "0"}).verdict >= Verdict.SUPPORTED
    assert judged(early, gradient={"h": "2"}).verdict is Verdict.REFUTED


def test_an_event_at_the_time_of_an_observation_is_no_point_at_which_anything_is_decided() -> None:
    free = OdeProblem("x", "p", ["1"], [0], 0, 2, "x", events=[Event("x - 1", rhs=["2"])], observations=[("1", "x^2")])
    result = judged(free, **free.adjoint(), **free.gradient("p", "T"))
    assert result.verdict is Verdict.UNDECIDED
    assert "at the time of an observation" in result.reason
    assert isinstance(verify.enclose(free, {"p": 1}), Fail)
    module = types.ModuleType("module")
    exec(free.code(), module.__dict__)
    with pytest.raises(ArithmeticError, match="at the time of an observation"):
        module.gradient([1.0])


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"observations": [("p", "x")]}, "depends on which events come before it"),
        ({"observations": [("1", "x*tau1")]}, "names tau1"),
        ({"events": [{"when": "t - 1"}], "observations": [("1", "x")]}, "at tau1, the time of an event"),
    ],
)
def test_what_cannot_be_told_is_refused(changes: dict, says: str) -> None:
    given = {"events": [{"when": "x - 1", "rhs": ["2"]}], **changes}
    with pytest.raises(ValueError, match=says):
        OdeProblem("x", "p", ["1"], [0], 0, 2, "x", **given)


def test_an_observation_that_comes_before_or_after_by_the_parameters_is_right_on_both_sides() -> None:
    problem = OdeProblem(
        "x", "p", ["1"], [0], 0, 2, "0", events=[Event("x - p", rhs=["2"])], observations=[("1", "x^2/2")],
        domain={"p": "interval(0.5, 1.5)"},
    )  # fmt: skip
    claim = {"gradient": {"p": "-l1(tau1+)"}, "jump": {"l1(1)": "x", "l1(tau1)": "l1"}, "terminal": {"l1": "0"}}
    assert judged(problem, adjoint={"l1": "0"}, **claim).verdict is Verdict.PROVED
    for p, gradient in ((Fraction(3, 4), -1.25), (Fraction(5, 4), 0.0)):
        proved = verify.enclose(problem, {"p": p})
        assert isinstance(proved, Enclosure)
        assert float(proved.gradient["p"]) == pytest.approx(gradient, abs=1e-12)
