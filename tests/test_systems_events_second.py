"""Are Hessians times a direction right where the solution jumps at events, and the second adjoint behind them?"""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import pytest

import verify
from verify.calculus.costate import Gradient
from verify.calculus.tangent import tangent_problem
from verify.decide.systems import judge
from verify.decide.systems.convention import Convention
from verify.decide.systems.ode_task import OdeTask
from verify.decide.systems.result import SystemResult
from verify.numerics.enclosure import Enclosure, Fail
from verify.numerics.ode_claims import Numbers
from verify.numerics.ode_solved import Unmet
from verify.problems import system
from verify.system_claims import SystemClaim
from verify.systems import Event, OdeProblem
from verify.verdict import Verdict

#: A dose is given again when the level falls to c, with data before and after.
DOSE = OdeProblem(
    "x", "k d c", ["-k*x"], ["d"], 0, 2, "x^2", events=[Event("x - c", reset=["x + d"])],
    observations=[("1/4", "x^2"), ("3/2", "x^2/2")],
    domain={"k": "interval(0.8, 1.2)", "d": "interval(0.8, 1.2)", "c": "interval(0.4, 0.5)"},
)  # fmt: skip
#: Everything that an event can have, nothing of it zero.
WHOLE = OdeProblem(
    "x y", "a b", ["y + a*t", "1 - x*y"], ["0", "b"], 0, "3/2", "x*y + a*y", "x^2 + b*t",
    domain={"a": "interval(0.8, 1.2)", "b": "interval(0.8, 1.2)"}, observations=[("1/4", "x*y"), ("3/4", "x^2*a")],
    events=[
        Event(
            when="x + a*y^2 - b*(2 + sin(t))", reset=["x/2 + b*t*y", "a*y + x^2/4"], rhs=["x*y/4", "t - b*x"],
            running="y^2 + a*x", cost="a*t*x*y + b*y",
        )
    ],
)  # fmt: skip
#: A right-hand side that switches at x = p, and back at x = 2*p.
SWITCH = OdeProblem(
    "x", "p q", ["q + t"], ["0"], 0, 2, "x^2", events=[Event("x - p", rhs=["2 + x*q"]), Event("x - 2*p", rhs=["q*t"])],
    domain={"p": "interval(0.5, 0.7)", "q": "interval(0.8, 1.2)"},
)  # fmt: skip
CASES = {
    "dose": (DOSE, {"k": 1, "d": 1, "c": Fraction(9, 20)}, {"v1": 1, "v2": -2, "v3": 3}),
    "whole": (WHOLE, {"a": 1, "b": 1}, {"v1": 1, "v2": -2}),
    "switch": (SWITCH, {"p": Fraction(3, 5), "q": 1}, {"v1": 1, "v2": -2}),
}


def judged(problem: OdeProblem, **claim: Any) -> SystemResult:
    *_, result = judge(system(problem, claim))
    return result


def slope(problem: OdeProblem, at: dict, v: dict, h: Fraction) -> dict[str, float]:
    """Differences of the enclosed gradient along v."""
    found = []
    for sign in (1, -1):
        moved = {name: x + sign * h * move for (name, x), move in zip(at.items(), v.values(), strict=True)}
        proved = verify.enclose(problem, moved)
        assert isinstance(proved, Enclosure)
        found.append({name: float(proved.gradient[name]) for name in at})
    return {name: (found[0][name] - found[1][name]) / float(2 * h) for name in at}


@pytest.mark.parametrize("name", CASES)
def test_the_tangent_problem_has_the_hessian_for_its_gradient(name: str) -> None:
    problem, at, v = CASES[name]
    proved = verify.enclose(tangent_problem(problem), {**at, **v})
    assert isinstance(proved, Enclosure)
    coarse, fine = (slope(problem, at, v, Fraction(1, n)) for n in (2000, 4000))
    for q in at:
        assert float(proved.gradient[q]) == pytest.approx((4 * fine[q] - coarse[q]) / 3, rel=1e-6)


@pytest.mark.parametrize("problem", [DOSE, SWITCH], ids=["dose", "switch"])
def test_what_a_problem_says_of_its_second_derivatives_is_proved(problem: OdeProblem) -> None:
    result = judged(problem, **problem.adjoint(), **problem.second_order())
    assert {part.name: part.reason for part in result.parts if part.verdict is not Verdict.PROVED} == {}
    assert {"second jump m1(tau1)", f"hvp {problem.parameters[0]}"} <= {part.name for part in result.parts}


def test_no_second_derivative_without_one_of_its_terms_is_an_identity() -> None:
    tangent = tangent_problem(WHOLE)
    assert isinstance(tangent, OdeProblem)
    task = OdeTask(tangent, SystemClaim())
    usual = Convention(task.names)
    for q in ("a", "b"):
        right = task.gradient(q)
        assert len(right.terms) >= 5
        for i in range(len(right.terms)):
            wrong = Gradient((*right.terms[:i], *right.terms[i + 1 :]))
            pairs = (*task.integrated(wrong.inside, right.inside, usual),
                     *task.at_ends(wrong.boundary, right.boundary, usual))  # fmt: skip
            assert not all(task.identities.same(*pair) for pair in pairs), right.terms[i].name


WRONG = [
    ("hvp", "d", "m1(0) + m1(tau1+)"),
    ("hvp", "d", "m1(0) + m1(tau1+) - l1(tau1+)*(s1(tau1-) - v3)/x(tau1-)"),
    ("hvp", "d", "m1(0) + m1(tau1+) + l1(tau1+)*s1(tau1-)/x(tau1-)"),
    ("second_jump", "m1(tau1)", "0"),
    ("second_jump", "m1(tau1)", "d*m1/x"),
    ("tangent", "s1", "-k*s1 + x*v1"),
]


@pytest.mark.parametrize(
    ("table", "key", "formula"), [*WRONG[:3], *(pytest.param(*w, marks=pytest.mark.thorough) for w in WRONG[3:])]
)
def test_a_forgotten_change_of_the_event_is_refuted(table: str, key: str, formula: str) -> None:
    right = DOSE.second_order()
    result = judged(DOSE, **DOSE.adjoint(), **{**right, table: {**right[table], key: formula}})
    assert result.verdict is Verdict.REFUTED
    assert [part.name for part in result.parts if part.verdict is Verdict.REFUTED] == [
        f"{table.replace('_', ' ')} {key}"
    ]


def test_a_second_derivative_as_a_person_writes_it_is_proved() -> None:
    claim = {"tangent": {"s1": "-k*s1 - v1*x"}, "second": {"m1": "k*m1 + v1*l1"}, "second_terminal": {"m1": "2*s1"},
             "hvp": {"d": "m1(0) + m1(tau1+) + l1(tau1+)*(s1(tau1-) - v3)/c"}}  # fmt: skip
    result = judged(DOSE, **DOSE.adjoint(), **claim)
    assert {part.name: part.reason for part in result.parts if part.verdict is not Verdict.PROVED} == {}


def test_equations_between_two_events_are_claimed_between_them() -> None:
    claim = {"tangent": {"s1(0, tau1)": "v2", "s1(tau1, tau2)": "q*s1 + v2*x", "s1(tau2, 2)": "v2*t"}}
    assert judged(SWITCH, **claim).verdict is Verdict.PROVED
    result = judged(SWITCH, tangent={"s1": "v2"})
    assert result.verdict is Verdict.REFUTED


def test_where_the_solution_slides_no_second_derivative_is_decided() -> None:
    slides = OdeProblem("x", "p", ["1"], [0], 0, 2, "x^2", events=[Event("x - p", rhs=["-p"])],
                        domain={"p": "interval(0.5, 1)"})  # fmt: skip
    tangent = tangent_problem(slides)
    assert isinstance(tangent, OdeProblem)
    with pytest.raises(Unmet, match="sliding"):
        Numbers(tangent, {"p": 0.75, "v1": 1.0}).state(1e-11)
    assert isinstance(verify.enclose(tangent, {"p": Fraction(3, 4), "v1": 1}), Fail)
    assert judged(slides, **slides.second_order()).verdict is Verdict.UNDECIDED


def test_the_time_of_an_event_in_the_objective_has_no_second_derivative_here() -> None:
    timed = OdeProblem("x", "p", ["1"], [0], 0, 2, "tau1^2", events=[Event("x - p", rhs=["2"])])
    with pytest.raises(ValueError, match="it names tau1"):
        timed.second_order()
    result = judged(timed, hvp={"p": "2*v1"})
    assert (result.verdict, "names tau1" in result.reason) == (Verdict.UNDECIDED, True)
