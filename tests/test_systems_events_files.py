"""Are events read from files and from Python as they are written, and are mistakes in them said with their line?"""

from __future__ import annotations

import pytest
import sympy

import verify
from verify.graph import ZERO
from verify.language.read import read_expression
from verify.language.toml import ProblemError, read_system
from verify.systems import Event, OdeProblem, event_times

BALL = """\
kind = "ode-gradient"
let = { h = "positive", e = "interval(0, 1)" }
[ode]
state = ["y", "v"]
parameters = ["h", "g", "e"]
rhs = ["v", "-g"]
initial = ["h", "0"]
time = ["0", "T"]
[[ode.events]]
when = "y"
reset = ["0", "-e*v"]
[[ode.events]]
when = "v"
rhs = ["v", "-g - v"]
running = "y*t"
cost = "t*y"
[objective]
terminal = "y^2 + tau1*tau2"
"""


def problem() -> OdeProblem:
    found = read_system(BALL).problem
    assert isinstance(found, OdeProblem)
    return found


def test_what_an_event_does_not_say_is_as_before() -> None:
    first, second = problem().events
    assert event_times(problem()) == ("tau1", "tau2")
    assert (first.rhs, first.running, first.cost) == (problem().rhs, ZERO, ZERO)
    assert second.reset == (read_expression("y"), read_expression("v"))
    assert [phase.rhs[1] for phase in problem().phases] == [
        read_expression(text) for text in ("-g", "-g", "-g - v")
    ]  # fmt: skip
    assert problem().phases[2].running is read_expression("y*t")
    assert "tau1" not in problem().domain.variables


def test_events_in_python_are_those_of_a_file() -> None:
    y, v, t = sympy.symbols("y v t")
    given = [
        verify.Event(when=y, reset=["0", "-e*v"]),
        {"when": v, "rhs": sympy.Matrix([v, "-g - v"]), "running": "y*t", "cost": t * y},
    ]
    built = OdeProblem(
        "y v", "h g e", ["v", "-g"], ["h", 0], 0, "T", "y^2 + tau1*tau2", events=given,
        domain={"h": "positive", "e": "interval(0, 1)"},
    )  # fmt: skip
    assert built == problem()
    assert OdeProblem(**{name: getattr(built, name) for name in built.__dataclass_fields__}) == built


def test_a_problem_without_events_may_name_a_parameter_tau1() -> None:
    text = BALL[: BALL.index("[[ode")].replace('"h", "g"', '"h", "tau1"').replace('"-g"', '"-tau1"')
    assert "tau1" in read_system(text + '[objective]\nterminal = "y"').problem.domain.variables


@pytest.mark.parametrize(
    ("old", "new", "says", "line"),
    [
        ('reset = ["0", "-e*v"]', 'reset = ["0"]', "`reset` of event 1: `reset` has 1 entries", 9),
        ('rhs = ["v", "-g - v"]', 'rhs = ["v"]', "`rhs` of event 2: `rhs` has 1 entries", 12),
        ('when = "v"', 'wen = "v"', "unknown key 'wen' in [ode.events.2]; did you mean 'when'?", 13),
        ('when = "v"\n', "", "'when' is missing in event 2", 12),
        ('when = "v"', 'when = "g"', "`when` of event 2 names neither a state nor t", 12),
        ('when = "v"', 'when = "v - tau1"', "`when` of event 2 names tau1; only `terminal` may", 12),
        ('cost = "t*y"', 'cost = "t*y +"', "ode.events.2.cost", 16),
        ('cost = "t*y"', 'cost = ["t*y"]', "ode.events.2.cost is a list, and must be a text", 16),
        ('"-e*v"', '"-e*v(1/2)"', "v at another time", 11),
        ("tau1*tau2", "tau1*tau3", "`terminal` names tau3; the last event happens at tau2", 18),
        ('"h", "g", "e"', '"h", "g", "tau1"', "tau1 is the time of an event", 9),
        ('when = "y"\n', 'when = "t - 2"\n', "", 0),
        ('when = "v"', 'when = "t + 1"', "tau2 is -1", 9),
        ('terminal = "', 'observations = [{ time = 1, value = "y*tau1" }]\nterminal = "', "names tau1", 18),
        ('terminal = "', 'observations = [{ time = "h", value = "y" }]\nterminal = "', "write it as an event", 18),
    ],
)
def test_what_is_no_event_is_said_with_its_line(old: str, new: str, says: str, line: int) -> None:
    assert old in BALL
    text = BALL.replace(old, new)
    if not says:
        assert read_system(text).problem != problem()
        return
    with pytest.raises(ProblemError) as caught:
        read_system(text)
    assert says in str(caught.value)
    assert caught.value.line == line


def test_events_are_one_list_of_tables_whichever_way_they_are_written() -> None:
    inline = BALL[: BALL.index("[[ode")] + (
        'events = [{ when = "y", reset = ["0", "-e*v"] }, { when = "v", rhs = ["v", "-g - v"], '
        'running = "y*t", cost = "t*y" }]\n[objective]\nterminal = "y^2 + tau1*tau2"'
    )
    assert read_system(inline).problem == problem()
    with pytest.raises(ProblemError) as caught:
        read_system(inline.replace('when = "v"', 'wen = "v"'))
    assert caught.value.line == 9


def test_python_says_which_event_is_wrong() -> None:
    with pytest.raises(ValueError, match="events: 3 is no event"):
        OdeProblem("u", "p", ["p*u"], [1], 0, 1, "u", events=[3])
    with pytest.raises(ValueError, match="when of event 1"):
        OdeProblem("u", "p", ["p*u"], [1], 0, 1, "u", events=[Event(when=object())])
    with pytest.raises(ValueError, match="must be a list"):
        OdeProblem("u", "p", ["p*u"], [1], 0, 1, "u", events=[Event(when="u - 2", reset="u")])
