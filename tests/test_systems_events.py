"""Are adjoint systems with events judged right: jumps by saltation, moving event times, costs and resets?"""

from __future__ import annotations

import pytest

import verify
from verify.calculus.events import Crossing
from verify.decide.systems import judge, task_of
from verify.decide.systems.convention import Convention
from verify.decide.systems.event_slips import carried, changed
from verify.decide.systems.measure import measure
from verify.decide.systems.ode_task import OdeTask
from verify.decide.systems.result import SystemResult
from verify.decide.systems.story import story
from verify.language.toml import read_system
from verify.language.write import write
from verify.numerics.ode_claims import Numbers, difference_gradient, forward_gradient
from verify.numerics.ode_solved import Unmet
from verify.problems import system
from verify.system_claims import System
from verify.systems import Event, OdeProblem
from verify.verdict import Verdict

BALL = OdeProblem(
    "y v", "h g e", ["v", "-g"], ["h", 0], 0, "T", "y", events=[Event(when="y", reset=["0", "-e*v"])],
    domain={"h": "interval(0.4, 0.6)", "g": "interval(0.9, 1.1)", "e": "interval(0.4, 0.6)", "T": "interval(1.5, 1.8)"},
)  # fmt: skip
#: Everything that an event can have, nothing of it zero.
WHOLE = OdeProblem(
    "x y", "a b", ["y + a*t", "1 - x*y"], ["0", "b"], 0, "3/2", "x*y + a*tau1^2 + y", "x^2 + b*t",
    domain={"a": "interval(0.8, 1.2)", "b": "interval(0.8, 1.2)"},
    events=[
        Event(
            when="x + a*y^2 - b*(2 + sin(t))", reset=["x/2 + b*t*y", "a*y + x^2/4"], rhs=["x*y/4", "t - b*x"],
            running="y^2 + a*x", cost="a*t*x*y + b*y",
        )
    ],
)  # fmt: skip


def values(problem: OdeProblem, names: list[str], **at: float) -> tuple[list[float], list[float]]:
    """The gradient by sensitivities, and by differences."""
    numbers = Numbers(problem, at)
    times = numbers.state(1e-12).times  # ty: ignore[missing-attribute]
    forward = forward_gradient(numbers, names, 1e-12, times)
    return list(forward), [difference_gradient(numbers, name, 1e-12)[0] for name in names]


def judged(problem: OdeProblem, **claim: dict[str, str]) -> SystemResult:
    *_, result = judge(system(problem, claim))
    return result


@pytest.mark.parametrize(
    ("problem", "names", "at", "exact"),
    [
        (BALL, ["h", "g", "e"], {"h": 0.5, "g": 1, "e": 0.5, "T": 1.75}, [5 / 8, -7 / 32, 3 / 4]),
        (BALL, ["h"], {"h": 0.5, "g": 1, "e": 0.5, "T": 1.9}, [0.85]),
        (
            OdeProblem("y v", "h g", ["v", "-g"], ["h", 0], 0, 3, "tau1", events=[Event(when="y", reset=["y", "-v"])]),
            ["h", "g", "T", "t0"], {"h": 2, "g": 1}, [1 / 2, -1, 0, 1],
        ),
        (
            OdeProblem("x", "p", ["1"], [0], 0, "T", "x", events=[Event(when="x - p", rhs=["2"])]),
            ["p", "T", "x(t0)", "t0"], {"p": 0.5, "T": 2}, [-1, 2, 2, -2],
        ),
    ],
)  # fmt: skip
def test_both_routes_to_the_truth_give_what_is_known_exactly(
    problem: OdeProblem, names: list[str], at: dict, exact: list[float]
) -> None:
    for found in values(problem, names, **at):
        assert found == pytest.approx(exact, rel=1e-6, abs=1e-7)


def test_the_derived_system_is_proved_where_every_term_counts() -> None:
    claim = WHOLE.adjoint() | WHOLE.gradient("a", "b", "t0", "T", "x(t0)")
    result = judged(WHOLE, **claim)
    assert {part.name: part.reason for part in result.parts if part.verdict is not Verdict.PROVED} == {}
    assert any("at which the events happen in this order" in note for note in result.notes)
    *first, second = values(WHOLE, ["a", "b"], a=1.0, b=1.0)
    assert first[0] == pytest.approx(second, rel=1e-6)


def mutants() -> list[tuple[str, str, Crossing]]:
    (crossing,) = task_of(System(WHOLE)).crossings
    return [*changed(crossing), *carried(crossing)]


def spread(cases: list, every: int) -> list:
    """Some of them by default, all of them thoroughly."""
    return [c if i % every == 0 else pytest.param(*c, marks=pytest.mark.thorough) for i, c in enumerate(cases)]


MUTANTS = [(slip, says, j, other) for slip, says, other in mutants() for j in (0, 1)]


@pytest.mark.parametrize(("slip", "says", "j", "other"), spread(MUTANTS, 6), ids=lambda value: str(value)[:40])
def test_no_jump_with_a_slip_is_an_identity(slip: str, says: str, j: int, other: Crossing) -> None:
    task = task_of(system(WHOLE, {"jump": {f"l{j + 1}(tau1)": write(other.gains[j])}}))
    key = ("jump", f"l{j + 1}(tau1)")
    usual = Convention(task.names)
    same = [task.identities.same(*pair) for pair in task.pairs(key, usual)]
    assert not all(same), (slip, says)


@pytest.mark.parametrize(
    ("slip", "says", "j", "other"),
    spread(MUTANTS, 20),
    ids=lambda value: str(value)[:40],
)
def test_a_jump_with_a_slip_is_refuted_and_the_slip_is_named(slip: str, says: str, j: int, other: Crossing) -> None:
    name = f"l{j + 1}(tau1)"
    result = judged(WHOLE, jump={name: write(other.gains[j])})
    (part,) = result.parts
    assert part.verdict is Verdict.REFUTED
    assert part.diagnosis is not None
    assert (part.diagnosis.slip, part.diagnosis.says) == (slip, says)
    assert judged(WHOLE, jump={name: part.correction}).verdict is Verdict.PROVED


@pytest.mark.parametrize("q", ["a", "b"])
def test_no_gradient_without_one_of_its_terms_is_an_identity(q: str) -> None:
    from dataclasses import replace

    from verify.calculus.costate import Gradient
    from verify.decide.systems.ode_task import written

    whole = OdeTask(WHOLE, system(WHOLE, {}).claim)
    terms = whole.gradient(q).terms
    assert len(terms) >= 6
    for i in range(len(terms)):
        left = Gradient((*terms[:i], *terms[i + 1 :]))
        twice = Gradient(tuple(replace(t, boundary=2 * t.boundary, inside=2 * t.inside) if t is terms[i] else t
                               for t in terms))  # fmt: skip
        for wrong in (left, twice):
            claim = {"gradient": {q: written(WHOLE, wrong.boundary, wrong.inside)}}
            task = task_of(system(WHOLE, claim))
            pairs = task.pairs(("gradient", q), Convention(task.names))
            assert not all(task.identities.same(*pair) for pair in pairs), terms[i].name


@pytest.mark.parametrize(
    ("q", "old", "new", "slip", "says"),
    [
        ("e", "-l2(tau1+)*v(tau1-)", "l2(tau1+)*v(tau1-)", "sign", "the reset's own derivative"),
        ("e", "-l2(tau1+)*v(tau1-)", "-l2(tau1+)*v(tau1+)", "swap", "the state just after the event"),
        ("g", "int(-l2, t, 0, T)", "int(-l2, t, 0, tau1)", "missing-term", "between tau1 and T is missing"),
        ("h", "l1(0)", "l1(tau1-)/2 + l1(0)/2 + 1/3", "", ""),
    ],
)
def test_a_wrong_gradient_is_refuted_and_named(q: str, old: str, new: str, slip: str, says: str) -> None:
    right = BALL.gradient(q)["gradient"]
    assert right == {q: old}
    result = judged(BALL, **BALL.adjoint(), gradient={q: new})
    assert result.verdict is Verdict.REFUTED
    if slip:
        assert result.worst is not None
        assert result.worst.diagnosis is not None
        assert result.worst.diagnosis.slip == slip
        assert says in result.worst.diagnosis.says


def test_a_gradient_in_closed_form_may_name_the_times_of_events() -> None:
    right = {"h": "(e*(T - 2*tau1) + T - tau1)/tau1", "e": "g*tau1*(T - tau1)"}
    assert judged(BALL, gradient=right).verdict is Verdict.PROVED
    result = judged(BALL, gradient={"e": "g*tau1*(T - tau1)/2"})
    assert (result.verdict, result.worst and result.worst.correction) == (Verdict.REFUTED, "g*tau1*(T - tau1)")


def test_what_is_known_at_an_event_may_be_used() -> None:
    equal = {"l2": "-(1 + e)*l2", "l1": "-l1 - l1*e - g*(1 + e)*l2/v + y*t + y(tau1)^2"}
    assert judged(BALL, jump=equal).verdict is Verdict.PROVED
    assert judged(BALL, gradient={"e": "l2(tau1+)*v(tau1+)/e + y(tau1+) + y(tau1)*l1(0)"}).verdict is Verdict.PROVED
    assert judged(BALL, gradient={"e": "l2(tau1+)*v(tau1+)/e + v(tau1-)"}).verdict is Verdict.REFUTED
    assert judged(BALL, gradient={"e": "-l2(tau1)*v(tau1)"}).verdict is Verdict.UNDECIDED


def grazing(**changes: object) -> OdeProblem:
    given: dict = {
        "state": "x", "parameters": "p", "rhs": ["1"], "initial": [0], "t0": 0, "T": 2, "terminal": "x",
        "events": [Event(when="x - p", rhs=["2"])], "domain": {"p": "interval(0.5, 1)"},
    } | changes  # fmt: skip
    return OdeProblem(**given)


NOT_CROSSED = [
    (grazing(events=[Event(when="x - 5 - p", rhs=["2"])]), "does not happen before the final time"),
    (grazing(events=[Event(when="x - p", rhs=["-p"])]), "sliding"),
    (grazing(rhs=["2*(1 - t)"], events=[Event(when="x - 1 + 0*p", rhs=["2"])]), "grazing"),
    (grazing(rhs=["2*(1 - t)"], events=[Event(when="(x - 1)^2", rhs=["2"])]), "does not happen|grazing"),
    (grazing(events=[Event(when="x - p", reset=["x - p"]), Event(when="x - 4")]), "event 2 does not happen"),
    (grazing(rhs=["-1"], initial=["p"], events=[Event(when="x", rhs=["2 - t"])], T=1), "sliding"),
    (
        grazing(state="x v", rhs=["v", "-2"], initial=["p", "0"], T=3, events=[Event("x", reset=["x", "-v/2"])]),
        "happens once more",
    ),
    (grazing(events=[Event(when="x - p"), Event(when="x - p")]), "does not happen"),
    (grazing(initial=["p"], rhs=["0"]), "stays at zero"),
]


@pytest.mark.parametrize(("problem", "says"), NOT_CROSSED)
def test_where_an_event_is_not_crossed_nothing_is_decided(problem: OdeProblem, says: str) -> None:
    with pytest.raises(Unmet, match=says):
        Numbers(problem, {"p": 0.75}).state(1e-11)


@pytest.mark.parametrize("problem", [NOT_CROSSED[0][0], NOT_CROSSED[2][0]], ids=["missing", "touched"])
def test_a_right_gradient_is_not_proved_where_the_event_is_not_crossed(problem: OdeProblem) -> None:
    result = judged(problem, **problem.gradient("p"))
    assert result.verdict is Verdict.UNDECIDED
    assert "event 1" in result.reason


def test_a_switch_that_leads_back_is_no_sliding_where_another_event_ends_it() -> None:
    problem = grazing(events=[Event(when="x - p", rhs=["-x"]), Event(when="x - p/2", rhs=["1"])])
    assert judged(problem, **problem.adjoint(), **problem.gradient("p")).verdict is Verdict.PROVED


def test_a_scaled_adjoint_is_a_convention_and_a_scaled_jump_is_none() -> None:
    text = (
        'kind = "ode-gradient"\nlet = { p = "interval(0.3, 0.7)" }\n[ode]\nstate = ["x"]\nparameters = ["p"]\n'
        'rhs = ["1"]\ninitial = ["0"]\ntime = [0, 1]\n[[ode.events]]\nwhen = "x - p"\nrhs = ["2*x"]\n'
        '[objective]\nterminal = "x"\n[claim]\nterminal = { l1 = "-3" }\nadjoint = { "l1(0, tau1)" = "0", '
        '"l1(tau1, 1)" = "-2*l1" }\njump = { l1 = "(2*p - 1)*l1" }\ngradient = { p = "(2*p - 1)*l1(tau1+)/3" }\n'
    )
    *_, result = judge(read_system(text))
    assert result.verdict is Verdict.PROVED
    *_, result = judge(read_system(text.replace('"(2*p - 1)*l1"', '"(2*p - 1)*l1/3"')))
    assert result.verdict is Verdict.REFUTED


@pytest.mark.parametrize("more", [{}, {"adjoint": {"l1": "0"}}], ids=["jump", "adjoint and jump"])
def test_a_factor_is_no_convention_where_everything_claimed_is_homogeneous(more: dict) -> None:
    problem = grazing(events=[Event(when="x - p", rhs=["2"])])
    assert judged(problem, jump={"l1": "l1"}, gradient={"p": "-l1(tau1+)"}, **more).verdict is Verdict.PROVED
    assert judged(problem, jump={"l1": "l1"}, gradient={"p": "-2*l1(tau1+)"}, **more).verdict is not Verdict.PROVED
    running = grazing(events=[], running="x^2", rhs=["p*x"], initial=["1"], terminal="0")
    claim = {"terminal": {"l1": "0"}, "gradient": {"p": "2*int(l1*x, t, 0, 2)"}}
    assert judged(running, **claim).verdict is not Verdict.PROVED
    assert judged(running, adjoint={"l1": "-p*l1 - x"}, **claim).verdict is Verdict.PROVED


def test_terms_that_cancel_leave_rounding_and_no_jump() -> None:
    problem = OdeProblem(
        "x", "a b", ["1 + t/4"], ["0"], 0, "3/2", "a", "a",
        events=[Event(when="x - 13/10*a", reset=["x + t*x/15"], rhs=["2 + x/8"], running="b", cost="a*b*x")],
        domain={"a": "interval(0.8, 1.2)", "b": "interval(0.8, 1.2)"},
    )  # fmt: skip
    same = "a*b - (a - b + a*b*(1 + t/4))/(1 + t/4) + l1(tau1-)*x - l1(tau1-)*x".replace("t/4", "tau1/4")
    assert judged(problem, jump={"l1": same}).verdict is Verdict.PROVED


def test_numbers_alone_measure_every_part() -> None:
    task = task_of(system(BALL, BALL.adjoint() | BALL.gradient()))
    found = measure(task, task.convention, whole_too=True)
    assert found.consistent
    assert {key[0] for key in found.evidence} == {"adjoint", "terminal", "jump", "gradient"}
    assert all(evidence.holds for evidence in found.evidence.values())


def test_the_derivation_tells_what_happens_at_an_event() -> None:
    page = "\n".join(story(System(BALL)))
    assert "at t = tau1, where y = 0: y becomes 0, v becomes -e*v" in page
    assert "tau1: D = v(tau1-),   eta = l2(tau1+)*e*g + l2(tau1+)*g - l1(tau1+)*v(tau1+)" in page
    assert "dG/de = -l2(tau1+)*v(tau1-)" in page
    whole = "\n".join(story(System(WHOLE)))
    assert "l1(0, tau1)' = " in whole
    assert "the running cost is y^2 + a*x" in whole


def test_a_switch_inside_of_a_formula_is_not_judged_and_told_to_be_an_event() -> None:
    problem = grazing(rhs=["piecewise((1, x < p), (2, otherwise))"], events=[])
    result = judged(problem, adjoint={"l1": "0"}, terminal={"l1": "1"}, gradient={"p": "0"})
    assert result.verdict is not Verdict.PROVED
    assert "[[ode.events]]" in result.reason
    assert verify.check is not None
