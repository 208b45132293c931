"""Are wrong gradients refuted by enclosures, and do right ones, in whatever convention, meet the truth?"""

from __future__ import annotations

from fractions import Fraction
from itertools import islice
from pathlib import Path

import pytest
from systems_bank import BASES, Base, ode

from verify.decide.systems import judge, on_balls
from verify.decide.systems.enclosed import AROUND, ROUTE
from verify.decide.systems.ode_task import OdeTask
from verify.language.toml import read_system
from verify.numerics.enclosure import Enclosure, enclose
from verify.numerics.enclosure.along import Along
from verify.numerics.enclosure.field import needed
from verify.systems import OdeProblem
from verify.verdict import Rigor, Verdict

ODES = [name for name, base in BASES.items() if 'kind = "ode-gradient"' in base.head]


def differences(text: str, wide: bool, middle: bool = False) -> dict[str, bool]:
    """For each part of a claim whether the enclosures of what is claimed and of what is right are apart.

    middle  whether the names are in the middle of their intervals.
    """
    system = read_system(text)
    assert isinstance(system.problem, OdeProblem)
    task = OdeTask(system.problem, system.claim)
    around = AROUND if wide else 0
    values = {
        name: Fraction(3, 2) if name == "T" else Fraction(7 + i, 10)
        for i, name in enumerate(sorted(needed(system.problem)))
    }
    if middle:
        domain = system.problem.domain.variables
        values |= {name: (domain[name].low.value + domain[name].high.value) / 2 for name in values}
    box = {name: (x - around, x + around) for name, x in values.items()}
    true = enclose(system.problem, box, radius=1e-10)  # ty: ignore[invalid-argument-type]
    assert isinstance(true, Enclosure), true
    found = {}
    for key in task.keys:
        table, name = key
        if table == "gradient":
            (claimed,) = on_balls.values(task, task.convention, true, box, on_balls.gradient(task, name), 10)
            pairs = [(claimed, true.gradient[name])]
        else:
            tried = islice(on_balls.sides(task, key, task.convention), len(system.problem.phases))
            pairs = [on_balls.values(task, task.convention, true, box, wanted, 10) for wanted in tried]
        assert all(max(a.radius, b.radius) < Fraction(1, 10**6) for a, b in pairs)
        found[f"{table} {name}"] = any(a.apart(b) for a, b in pairs)
    return found


@pytest.mark.parametrize("name", ODES)
def test_right_gradients_meet_the_truth(name: str) -> None:
    found = differences(BASES[name].toml(), wide=name in ("growth", "logistic"))
    assert found
    assert not any(found.values()), found


NEGATIVE = {"adjoint l1": "-p*l1", "terminal l1": "-u", "gradient p": "-int(l1*u, t, 0, T)"}
DOUBLED = {"adjoint l1": "-p*l1", "terminal l1": "2*u", "gradient p": "int(l1*u, t, 0, T)/2"}


@pytest.mark.parametrize("changes", [NEGATIVE, DOUBLED], ids=["negative", "doubled"])
def test_right_gradients_meet_the_truth_in_their_own_convention(changes: dict[str, str]) -> None:
    assert differences(BASES["growth"].toml(changes), wide=True) == dict.fromkeys(BASES["growth"].claim, False)


@pytest.mark.parametrize(
    ("base", "changes"),
    [
        ("growth", {"gradient p": "-int(l1*u, t, 0, T)"}),
        ("growth", {"gradient p": "int(l1*u, t, 0, T)*(1 + 1/10^6)"}),
        ("growth", {"adjoint l1": "", "terminal l1": "", "gradient p": "T*exp(p*T)"}),
        ("running", {"gradient p": "-int(l1*u, t, 0, T)"}),
        ("moving-end", {"gradient p": "l1(0)"}),
    ],
)
def test_a_wrong_gradient_is_refuted_by_enclosure(base: str, changes: dict[str, str]) -> None:
    results = list(judge(read_system(BASES[base].toml(changes))))
    assert results[-1].verdict is Verdict.REFUTED
    assert results[-1].rigor is Rigor.ENCLOSED
    worst = results[-1].worst
    assert worst is not None
    assert worst.counterexample is not None
    assert worst.counterexample.neighbourhood == str(AROUND)
    # The enclosure changes how well it is known, and nothing else.
    before = results[-2]
    assert [(p.name, p.verdict, p.diagnosis, p.correction) for p in results[-1].parts] == [
        (p.name, p.verdict, p.diagnosis, p.correction) for p in before.parts
    ]


def test_what_is_not_analytic_stays_refuted_on_numbers() -> None:
    kinked = Base(
        ode("u", "p", "p*abs(u)", "1", "0; T", "u", "", 'p = "interval(0.5, 2)", T = "interval(1, 2)"'),
        {"adjoint l1": "-p*sign(u)*l1", "terminal l1": "1", "gradient p": "-int(l1*abs(u), t, 0, T)"},
    )
    *_, result = judge(read_system(kinked.toml()))
    assert result.verdict is not Verdict.PROVED
    assert result.rigor is not Rigor.ENCLOSED


def test_a_gradient_is_not_refuted_by_enclosure_beside_an_adjoint_that_is_wrong() -> None:
    changes = {"adjoint l1": "p*l1", "gradient p": "-int(l1*u, t, 0, T)"}
    *_, result = judge(read_system(BASES["growth"].toml(changes)))
    assert result.verdict is Verdict.REFUTED
    by_balls = {part.name for part in result.parts if any(e.route == ROUTE for e in part.evidence)}
    assert by_balls == {"adjoint l1"}


# --- observations, and integrals over a part of the time -------------------------------------------------------

OBSERVED = """kind = "ode-gradient"
let = { a = "interval(0.5, 2)", s = "interval(0.3, 0.8)" }
[ode]
state = ["x", "y"]
parameters = ["a", "s"]
rhs = ["y + a*t", "-a*x - y^3/5"]
initial = ["a", "1/2"]
time = ["0", "2"]
[objective]
terminal = "x*y"
running = "a*x"
observations = [{ time = "s", value = "x^2 + a*t*y" }, { time = "1", value = "x*y^2" }]
[claim]
"""
RIGHT = {
    "adjoint.l1": "a*l2 - a", "adjoint.l2": "-l1 + 3*y^2*l2/5", "terminal.l1": "y", "terminal.l2": "x",
    "jump.'l1(s)'": "2*x", "jump.'l2(s)'": "a*s", "jump.'l1(1)'": "y^2", "jump.'l2(1)'": "2*x*y",
    "gradient.a": "l1(0) + s*y(s) + int(x + l1*t - l2*x, t, 0, 2)",
    "gradient.s": "a*y(s) + 2*x(s)*(y(s) + a*s) + a*s*(-a*x(s) - y(s)^3/5)",
}  # fmt: skip


def observing(**changes: str) -> str:
    parts = RIGHT | {name.replace("__", "."): text for name, text in changes.items()}
    return OBSERVED + "\n".join(f'{name} = "{text}"' for name, text in parts.items())


@pytest.mark.parametrize("wide", [False, True])
def test_right_parts_meet_the_truth_where_something_is_observed(wide: bool) -> None:
    found = differences(observing(), wide)
    assert len(found) == len(RIGHT)
    assert not any(found.values()), found


def test_integrals_over_parts_of_the_time_are_enclosed_in_any_order() -> None:
    split = "l1(0) + s*y(s) - int(x + l1*t - l2*x, t, 2, 1) + int(x + l1*r*0 + l1*t - l2*x, t, 0, s)"
    split = split.replace("l1*r*0 + ", "") + " + int(x + l1*t - l2*x, t, s, 1)"
    assert not differences(observing(gradient__a=split), wide=True)["gradient a"]
    off = split.replace("s, 1)", "s, 0.99)")
    assert differences(observing(gradient__a=off), wide=True)["gradient a"]


@pytest.mark.parametrize(
    ("part", "text"),
    [
        ("gradient__a", "l1(0) + int(x + l1*t - l2*x, t, 0, 2)"),
        ("gradient__a", "l1(0) + s*y(s) + int(x + l1*t - l2*x, t, 0, 2)*(1 + 1/10^6)"),
        ("gradient__s", "a*y(s) + 2*x(s)*(y(s) + a*s) - a*s*(-a*x(s) - y(s)^3/5)"),
        ("jump__'l1(s)'", "-2*x"),
        ("terminal__l1", "x"),
        ("adjoint__l2", "-l1 + y*l2"),
    ],
)
def test_a_wrong_part_beside_observations_is_refuted_by_enclosure(part: str, text: str) -> None:
    *_, result = judge(read_system(observing(**{part: text})))
    assert result.verdict is Verdict.REFUTED
    assert result.rigor is Rigor.ENCLOSED
    wrong = [p.name for p in result.parts if p.verdict is Verdict.REFUTED]
    assert wrong == [part.replace("__", " ").replace("'", "")]


@pytest.mark.parametrize("forgotten", ["jump", "sign", "late"])
def test_a_course_that_forgets_a_rule_would_be_seen(forgotten: str, monkeypatch: pytest.MonkeyPatch) -> None:
    true_jump = on_balls._Course.jump

    def jump(self: on_balls._Course, along: Along, times: list) -> None:
        before = list(along.at)
        if forgotten != "jump":
            true_jump(self, along, times)
        if forgotten == "sign":
            along.at = [2 * b - a for a, b in zip(along.at, before, strict=True)]

    monkeypatch.setattr(on_balls._Course, "jump", jump)
    if forgotten == "late":
        monkeypatch.setattr(on_balls._Course, "active", lambda self, stops, k: true_active(self, stops, k - 1))
    found = differences(observing(), wide=True)
    assert found["gradient a"]


true_active = on_balls._Course.active


# --- events -----------------------------------------------------------------------------------------------------

FILES = Path(__file__).parent / "data" / "systems"
EVENTS = {path.stem: path.read_text() for path in sorted(FILES.glob("event-*.toml"))}
PROVED = [name for name, text in EVENTS.items() if text.startswith("# right")]


@pytest.mark.parametrize("name", PROVED)
def test_right_parts_meet_the_truth_through_events(name: str) -> None:
    found = differences(EVENTS[name], wide=True, middle=True)
    assert found
    assert not any(found.values()), found


WRONG = ("event-ball-saltation-lost", "event-kink-phase-forgotten", "event-moving-gate-r-p-lost")


@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_part_beside_events_is_refuted_by_enclosure(name: str) -> None:
    *_, result = judge(read_system(EVENTS[name]))
    assert result.verdict is Verdict.REFUTED
    assert result.rigor is Rigor.ENCLOSED
    wrong = [part for part in result.parts if part.verdict is Verdict.REFUTED]
    assert all(any(e.route == ROUTE for e in part.evidence) for part in wrong)


def test_a_course_that_forgets_what_happens_at_an_event_would_be_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    def stays(self: on_balls._Course, along: Along, phase: int) -> None:
        """As if neither states nor adjoints jumped."""
        before = list(along.at)
        cross(self, along, phase)
        along.at = before

    cross = on_balls._Course.cross
    monkeypatch.setattr(on_balls._Course, "cross", stays)
    for name in ("event-ball", "event-thermostat", "event-toll"):
        assert any(differences(EVENTS[name], wide=True, middle=True).values()), name
