"""Do the routes through events agree with the enclosure, and is it known beforehand where they cannot?"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from verify.cli import main
from verify.graph import call, symbol
from verify.numerics.enclosure import Enclosure
from verify.numerics.routes import Table, eventful, table
from verify.numerics.routes.point import Point
from verify.systems import Event, OdeProblem

#: Two doses at levels, one with a toll, an observation between them; all times move with s.
DOSES = OdeProblem(
    "x", "a s", ["-a*x + sin(t)"], ["1"], "s", "s + 5/2", "x + tau1*tau2", running="x^2*t",
    observations=[("s + 1", "x^2")],
    events=[Event("x - 1/2", reset=["x + 3/4"], cost="x*t"), Event("x - 2/5 - a/10", reset=["x + 1/2"])],
)  # fmt: skip
HERE = {"a": 2.0, "s": 0.25}
NEVER = {"backsolve", "reverse mode"}


def thrown(ceiling: float) -> Table:
    """A ball that is thrown up to 1/2 and bounces from a ceiling: close to 1/2 it hardly touches that."""
    events = [Event("x - p", reset=["x", "-v"])]
    problem = OdeProblem("x v", "p", ["v", "-1"], ["0", "1"], 0, 3, "x*v", events=events)
    return table(problem, {"p": ceiling})


def test_all_routes_that_run_agree_with_the_enclosure() -> None:
    found = table(DOSES, HERE)
    assert isinstance(found.enclosure, Enclosure)
    status = {row.name: row.status for row in found.rows}
    assert {name for name, finding in status.items() if finding == "agrees"} == status.keys() - NEVER
    for row in found.rows:
        if row.name in NEVER:
            assert row.foreseen
            continue
        assert row.found is not None
        assert row.found < (1e-6 if row.name == "finite differences" else 1e-9)
        assert row.gradient is not None
        assert set(row.gradient) == {"a", "s", "x(t0)", "t0", "T"}


def test_a_flat_crossing_is_foreseen_with_the_digits_that_it_costs() -> None:
    steep, flat = thrown(0.3), thrown(0.4999)
    assert isinstance(steep.look, eventful.Flight)
    assert isinstance(flat.look, eventful.Flight)
    assert steep.look.worst < 1 < 3 < flat.look.worst < 3.3
    rows = {row.name: row for row in flat.rows}
    sensitivities = rows["forward sensitivities"]
    assert sensitivities.status == "agrees"
    assert sensitivities.found is not None
    assert 1e-14 < sensitivities.found < 1e-16 * 10 ** (flat.look.worst + 2)
    assert "3.1 digits" in sensitivities.says
    assert rows["finite differences"].status == "UNDECIDED"
    assert "does not happen" in rows["finite differences"].says


@pytest.mark.parametrize(("ceiling", "says"), [(0.5 - 1e-13, "grazing"), (0.6, "does not happen")])
def test_without_a_crossing_no_route_is_run(ceiling: float, says: str) -> None:
    found = thrown(ceiling)
    assert found.rows == ()
    assert says in found.reason


def test_a_jump_with_a_slip_makes_the_adjoint_wrong(monkeypatch: pytest.MonkeyPatch) -> None:
    right = eventful.moments

    def halved(problem: OdeProblem) -> list:
        return [
            (moment, tuple(gain if moment in problem.observations else gain / 2 for gain in gains))
            for moment, gains in right(problem)
        ]

    monkeypatch.setattr(eventful, "moments", halved)
    status = {row.name: row.status for row in table(DOSES, HERE).rows}
    assert status["interpolated adjoint"] == "WRONG"
    assert status["forward sensitivities"] == "agrees"


def test_what_is_not_holomorphic_takes_no_complex_step() -> None:
    kinked = replace(DOSES, events=(*DOSES.events[:1], replace(DOSES.events[1], cost=call("abs", symbol("x")))))
    assert not eventful._is_holomorphic(kinked)
    point = Point(kinked, HERE)
    rows = {way.name: way for way in eventful.ways(point, eventful.flight(point))}
    assert rows["complex step"].run is None
    assert "holomorphic" in rows["complex step"].says


def test_the_complex_step_shrinks_with_the_order_of_its_method(monkeypatch: pytest.MonkeyPatch) -> None:
    point = Point(DOSES, HERE)
    look, numbers = eventful.flight(point), eventful.loosened(point)
    errors = []
    exact = np.array([way.run().gradient for way in eventful.ways(point, look) if way.name == "forward sensitivities"])
    for steps in (8, 16, 32):
        monkeypatch.setattr(eventful, "RK4_STEPS", (steps, steps))
        found = eventful._complex_step(numbers, point, look)
        errors.append(np.max(np.abs(found.gradient - exact)))
    assert np.log2(errors[0] / errors[1]) > 3.5
    assert np.log2(errors[1] / errors[2]) > 3.5


def test_the_command_prints_one_table(capsys: pytest.CaptureFixture[str]) -> None:
    file = Path(__file__).parent / "data" / "systems" / "event-ball.toml"
    assert main(["derive", str(file), "--routes"]) == 0
    said = capsys.readouterr().out
    assert "events at tau1 = 1" in said
    assert said.count("agrees") == 4
