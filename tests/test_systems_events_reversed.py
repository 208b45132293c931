"""Is an adjoint in reversed time judged right where there are events, as far as it is said what is meant?"""

from __future__ import annotations

import pytest

from verify.decide.systems import judge
from verify.decide.systems.result import SystemResult
from verify.problems import system
from verify.systems import Event, OdeProblem
from verify.verdict import Verdict

#: A heater that is off between two levels, and what it costs.
HEATER = OdeProblem(
    "x", "k b", ["b - k*x"], ["1/2"], 0, 2, "x^2/2", "1",
    events=[Event("x - 3/2", rhs=["-k*x"], running="0"), Event("x - 9/10", rhs=["b - k*x"], running="1")],
    domain={"k": "interval(0.9, 1.1)", "b": "interval(2.5, 3)"},
)  # fmt: skip
RIGHT = {"k": "-int(l1(2 - t)*x, t, 0, 2)", "b": "int(l1(2 - t), t, 0, tau1) + int(l1(2 - t), t, tau2, 2)"}
#: A nonlinear spring, struck at t = 1.
SPRING = OdeProblem(
    "x y", "a z", ["y", "-a*x - x^3"], ["z", "0"], 0, "3/2", "x*y",
    events=[Event("t - 1", reset=["x", "-y/2"], cost="x^2")],
    domain={"a": "interval(0.9, 1.1)", "z": "interval(0.9, 1.1)"},
)  # fmt: skip
STRUCK = {
    "adjoint": {"l1": "(-a - 3*x(3/2 - t)^2)*l2", "l2": "l1"}, "terminal": {"l1": "y", "l2": "x"},
    "gradient": {"z": "l1(3/2)", "a": "-int(l2(3/2 - t)*x, t, 0, 3/2)"},
}  # fmt: skip


def slow(*case: object) -> object:
    return pytest.param(*case, marks=pytest.mark.thorough)


def judged(problem: OdeProblem, **claim: dict[str, str]) -> SystemResult:
    *_, result = judge(system(problem, claim))
    return result


def heated(rate: str = "-k*l1", jump: dict[str, str] | None = None, **gradient: str) -> SystemResult:
    more = {} if jump is None else {"jump": jump}
    return judged(HEATER, adjoint={"l1": rate}, terminal={"l1": "x"}, gradient=RIGHT | gradient, **more)


@pytest.mark.parametrize(
    "b", [RIGHT["b"], "int(l1(t), t, 2 - tau1, 2) + int(l1, t, 0, 2 - tau2)"], ids=["forward integrals", "all reversed"]
)
def test_the_same_system_after_substitution_is_proved(b: str) -> None:
    result = heated(b=b)
    assert result.verdict is Verdict.PROVED
    assert "reversed time" in result.convention


def test_states_at_reflected_times_are_those_where_the_adjoint_is() -> None:
    assert judged(SPRING, **STRUCK).verdict is Verdict.PROVED
    bare = STRUCK | {"adjoint": {"l1": "(-a - 3*x^2)*l2", "l2": "l1"}}
    assert judged(SPRING, **bare).verdict is Verdict.PROVED


@pytest.mark.parametrize(
    ("change", "correction"),
    [
        ({"b": "int(l1(2 - t), t, 0, 2)"}, RIGHT["b"]),
        slow({"k": "int(l1(2 - t)*x, t, 0, 2)"}, "int(-l1(2 - t)*x, t, 0, 2)"),
        slow({"b": "int(l1, t, 0, tau1) + int(l1, t, tau2, 2)", "k": RIGHT["k"]}, ""),
        slow({"rate": "k*l1"}, "-l1*k"),
    ],
)
def test_a_wrong_one_is_refuted_or_left_open(change: dict[str, str], correction: str) -> None:
    result = heated(**change)
    assert result.verdict is (Verdict.REFUTED if correction else Verdict.UNDECIDED)
    if correction:
        assert result.worst is not None
        assert result.worst.correction == correction


@pytest.mark.parametrize(
    ("table", "key", "wrong"),
    [
        ("gradient", "z", "l1(0)"),
        slow("gradient", "a", "int(l2(3/2 - t)*x, t, 0, 3/2)"),
        slow("adjoint", "l1", "(-a + 3*x(3/2 - t)^2)*l2"),
    ],
)
def test_a_slip_beside_an_event_is_refuted(table: str, key: str, wrong: str) -> None:
    claim = {**STRUCK, table: {**STRUCK[table], key: wrong}}
    assert judged(SPRING, **claim).verdict is Verdict.REFUTED


@pytest.mark.parametrize(
    ("more", "says"),
    [
        ({"jump": {"l1(tau1)": "-(1 + b*l1)/(b - 3/2*k)"}}, "which side of a jump"),
        ({"b": RIGHT["b"] + " + 0*l1(2 - tau1)"}, "on which side"),
        ({"b": RIGHT["b"] + " + 0*l1(tau1+)"}, "on which side"),
    ],
)
def test_what_may_mean_either_side_of_an_event_is_not_judged(more: dict, says: str) -> None:
    result = heated(**more)
    assert result.verdict is Verdict.UNDECIDED
    assert says in result.reason
