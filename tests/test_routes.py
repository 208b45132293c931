"""Every route to a gradient against the enclosure: what it claims holds, and what must fail is known beforehand."""

from __future__ import annotations

import math
from dataclasses import replace
from fractions import Fraction
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from verify.cli import main
from verify.language import read_expression
from verify.language.toml import read_system
from verify.numerics import ode
from verify.numerics.compare import disagreement, observed_order
from verify.numerics.enclosure import Enclosure, Fail, enclose
from verify.numerics.routes import Table, heyoka, table, ways
from verify.numerics.routes.functions import function, holomorphic
from verify.numerics.routes.point import Point, inside
from verify.numerics.routes.survey import survey
from verify.numerics.routes.tables import distance
from verify.numerics.straight import NoFloat, Straight
from verify.route_commands import within
from verify.systems import Observation, OdeProblem


def problem(
    state: str, names: str, rhs: str, initial: str, times: str, terminal: str, running: str = "0"
) -> OdeProblem:
    """Entries are separated by semicolons."""

    def read(text: str) -> tuple:
        known = (*state.split(), *names.split(), "t", "T")
        return tuple(read_expression(part, known) for part in text.split(";"))

    t0, T = read(times)
    return OdeProblem(
        tuple(state.split()), tuple(names.split()), read(rhs), read(initial), t0, T, *read(terminal), *read(running)
    )


def van_der_pol(T: str) -> OdeProblem:
    return problem("x y", "m a", "y; m*(1 - x^2)*y - x", "a; 0", f"0; {T}", "(x - 1)^2/2 + y^2/2")


FULL = problem("x y", "a b", "a*sin(t) - b*x*y; x - b^2*y", "a^2; a*b", "1/2; T", "x*y + a*x", "b*x^2 + t*y")
LINEAR = problem("x y", "a b", "a*x + y + b; -x - b*y", "a; b^2", "0; 1", "x^2/2 + b*y")
TRAP = problem("x", "p", "p*exp(-((t - 5)*20)^2)", "0", "0; 10", "x")


@cache
def full() -> Table:
    return table(FULL, {"a": 1.25, "b": 0.75, "T": 2.0})


def rows(found: Table) -> dict[str, str]:
    return {row.name: row.status for row in found.rows}


def test_every_route_agrees_with_the_enclosure_to_what_it_claims() -> None:
    found = full()
    assert isinstance(found.enclosure, Enclosure)
    assert found.enclosure.radius < 1e-13
    ran = [row for row in found.rows if row.gradient is not None]
    assert len(ran) >= 8
    for row in ran:
        assert row.status == "agrees", row
        assert row.found is not None
        assert row.claims is not None
        assert row.found <= 10 * row.claims + 5e-15, row
    by = {row.name: row.found for row in ran}
    assert by["forward sensitivities"] < 1e-11  # ty: ignore[unsupported-operator]
    assert by["complex step"] < 1e-9  # ty: ignore[unsupported-operator]
    assert by["finite differences"] < 1e-6  # ty: ignore[unsupported-operator]


def test_the_gradient_by_an_end_that_moves_is_that_of_the_enclosure() -> None:
    found = full()
    assert isinstance(found.enclosure, Enclosure)
    assert set(found.enclosure.gradient) == {"a", "b", "T", "t0", "x(t0)", "y(t0)"}
    for row in found.rows:
        if row.gradient is not None:
            assert set(row.gradient) == set(found.enclosure.gradient)


def test_a_linear_problem_has_a_matrix_exponential() -> None:
    found = table(LINEAR, {"a": 0.5, "b": 0.25})
    row = next(row for row in found.rows if row.name == "matrix exponential")
    assert row.status == "agrees"
    assert row.found is not None
    assert row.found < 1e-13
    assert Point(FULL, {"a": 1.0, "b": 1.0, "T": 1.0}).linear == ()


def test_the_digits_that_are_lost_backwards_are_known_beforehand() -> None:
    decay = problem("x", "a", "-a*x", "1", "0; 2", "x")
    look = survey(Point(decay, {"a": 3.0}))
    assert look.backwards == pytest.approx(6 / math.log(10), rel=1e-9)
    assert look.forwards == pytest.approx(-6 / math.log(10), rel=1e-9)
    assert look.stiffness == pytest.approx(6)
    assert survey(Point(van_der_pol("10"), {"m": 5.0, "a": 2.0})).backwards == pytest.approx(35.7, abs=0.2)


def test_backsolve_is_not_run_where_it_would_lose_every_digit_and_loses_the_predicted_ones_elsewhere() -> None:
    hopeless = Point(van_der_pol("10"), {"m": 5.0, "a": 2.0})
    refused = {way.name: way.says for way in ways.ways(hopeless, survey(hopeless)) if way.run is None}
    assert "35.7" in refused["backsolve"]
    assert "35.7" in refused["autograd's odeint"]
    point = Point(van_der_pol("6"), {"m": 2.0, "a": 2.0})
    look = survey(point)
    by = {way.name: way for way in ways.ways(point, look)}
    right, back = (point.by_name(ways.outcome(by[name]).gradient) for name in ("forward sensitivities", "backsolve"))
    lost = math.log10(max(abs(right[name] - back[name]) for name in right) / 1e-12)
    assert look.backwards - 4 < lost < look.backwards + 2


def test_a_stiff_problem_takes_an_implicit_route_or_says_undecided() -> None:
    stiff = Point(van_der_pol("1200"), {"m": 1000.0, "a": 2.0})
    look = survey(stiff)
    assert look.stiff
    for way in ways.ways(stiff, look):
        assert way.run is None or way.method in ("Radau", "Taylor"), way


def test_what_is_refused_says_so_beforehand_and_one_solve_a_direction_is_counted() -> None:
    relaxing = problem("x y", "a", "-a*(x - cos(t)); x - y", "0; 0", "0; 5", "x^2 + y")
    point = Point(relaxing, {"a": 1000.0})
    refused = {way.name: way.says for way in ways.ways(point, survey(point)) if way.run is None}
    assert {"complex step", "finite differences", "backsolve", "reverse mode"} <= set(refused)
    assert "5 solves with about 5e+05 evaluations" in refused["complex step"]
    assert "30 solves" in refused["finite differences"]


def test_a_component_is_shown_with_the_digits_that_the_error_leaves_it() -> None:
    """Errors are relative to the largest component: far below it a component is not known at all."""
    assert within(1.16868125, 4e-7) == "1.1686812 +/- 4e-07"
    assert within(-0.00673795, 4e-7) == "-0.006738 +/- 4e-07"
    assert within(4.62526e-12, 4e-7) == "0 +/- 4e-07"
    assert within(0.0, 4e-7) == "0 +/- 4e-07"
    assert within(-123456.0, 1e5) == "-1e+05 +/- 1e+05"
    assert within(-12345.0, 1e5) == "0 +/- 1e+05"
    assert within(1.5, 0.0) == "1.5"


@pytest.mark.thorough
def test_no_route_is_wrong_on_a_stiff_problem() -> None:
    found = table(van_der_pol("1200"), {"m": 1000.0, "a": 2.0}, seconds=5)
    status = rows(found)
    assert status["forward sensitivities"] == "agrees"
    assert status["backsolve"] == status["reverse mode"] == "UNDECIDED"
    assert "WRONG" not in status.values()


def test_steps_that_see_the_state_alone_do_not_step_over_a_sensitivity() -> None:
    """At p = 0 nothing moves, and the bump at t = 5 is invisible to the step control of the state."""
    found = table(TRAP, {"p": 0.0}, seconds=2)
    wanted = math.sqrt(math.pi) / 20
    for row in found.rows:
        if row.status == "agrees":
            assert row.gradient is not None
            assert row.claims is not None
            assert abs(row.gradient["p"] / wanted - 1) < 10 * row.claims + 1e-14, row
    assert rows(found)["forward sensitivities"] == "agrees"


def test_a_complex_step_is_refused_where_the_code_is_not_holomorphic() -> None:
    kink = Point(problem("x", "a", "a*abs(x)", "1", "0; 1", "x"), {"a": 0.5})
    way = next(way for way in ways.ways(kink, survey(kink)) if way.name == "complex step")
    assert way.run is None
    assert "holomorphic" in way.says


def test_a_solution_that_ends_early_has_no_routes() -> None:
    found = table(problem("x", "a", "a*x^2", "1", "0; 2", "x"), {"a": 1.0}, seconds=2)
    assert found.look is None
    assert found.rows == ()
    assert not found.enclosure
    assert "no solution" in found.reason or "no end" in found.reason


def test_a_jump_has_no_routes_since_they_would_all_miss_the_same_term() -> None:
    """x' = 1 below 1/2 and 2 above it: dx(T)/dx(0) is 2, and every sensitivity that knows of no jump says 1."""
    found = table(problem("x", "a", "3/2 + sign(x - 1/2)/2", "a", "0; 1", "x"), {"a": 0.0}, seconds=1)
    assert found.rows == ()
    assert "jump" in found.reason


# --- observations ------------------------------------------------------------------------------------

SEEN = (("3/4", "(x - t)^2*b"), ("s", "x*y*s + t"), ("s + a/4", "exp(y)"))
HERE = {"a": 1.25, "b": 0.75, "T": 2.25, "s": 1.25}


def observed(base: OdeProblem, *seen: tuple[str, str]) -> OdeProblem:
    known = ("x", "y", "a", "b", "p", "s", "t", "T")
    return replace(base, observations=tuple(Observation(*(read_expression(x, known) for x in each)) for each in seen))


def test_every_route_knows_observations_at_fixed_and_moving_times() -> None:
    found = table(observed(FULL, *SEEN), HERE)
    assert isinstance(found.enclosure, Enclosure)
    ran = [row for row in found.rows if row.gradient is not None]
    assert len(ran) >= 8
    for row in ran:
        assert row.status == "agrees", row
        assert set(row.gradient or ()) == {"a", "b", "s", "T", "t0", "x(t0)", "y(t0)"}
    assert all(row.gradient is not None or "not installed" in row.says for row in found.rows)


def test_the_matrix_exponential_takes_each_observation_at_its_own_time() -> None:
    seen = observed(LINEAR, ("1/4", "(x - t)^2*b"), ("a", "x*y*a + t"))
    row = next(row for row in table(seen, {"a": 0.5, "b": 0.25}).rows if row.name == "matrix exponential")
    assert row.status == "agrees"
    assert row.found is not None
    assert row.found < 1e-13


#: (function of `ode.Observed`, what is wrong with it): the adjoint does not jump, or jumps the wrong way, or …
FORGOTTEN = {
    "no jump": ("value_u", lambda right: lambda *at: 0 * right(*at)),
    "jump with the wrong sign": ("value_u", lambda right: lambda *at: -right(*at)),
    "own derivative dropped": ("value_p", lambda right: lambda *at: 0 * right(*at)),
    "time does not move": ("time_p", lambda right: lambda *at: 0 * right(*at)),
    "derivative by time dropped": ("value_t", lambda right: lambda *at: 0 * right(*at)),
}


@pytest.mark.parametrize("name", FORGOTTEN)
def test_what_is_forgotten_of_an_observation_is_far_from_the_enclosure(name: str) -> None:
    field, wrong = FORGOTTEN[name]
    point = Point(observed(FULL, *SEEN), HERE)
    proof = enclose(point.problem, {name: Fraction(value) for name, value in HERE.items()}, radius=1e-13)
    assert isinstance(proof, Enclosure)
    right = point.numeric
    mutant = replace(
        right, observed=tuple(replace(each, **{field: wrong(getattr(each, field))}) for each in right.observed)
    )
    p, ends = point.p, point.ends
    for route in (
        lambda q: ode.forward_sensitivities(q, p, *ends),
        lambda q: ode.interpolated_adjoint(q, ode.adjoint_of(q), p, *ends),
        lambda q: ode.quadrature_adjoint(q, p, *ends),
        lambda q: ode.backsolved_adjoint(q, p, *ends),
    ):
        assert distance(point.by_name(route(right)), proof) < 1e-11
        assert distance(point.by_name(route(mutant)), proof) > 1e-3


def test_where_something_is_observed_the_state_is_known_again_and_fewer_digits_are_lost() -> None:
    decay = problem("x", "a", "-a*x", "1", "0; 4", "x")
    seen = observed(decay, ("1", "x^2"), ("2", "x^2"), ("3", "x^2"))
    point = Point(seen, {"a": 10.0})
    assert survey(Point(decay, {"a": 10.0})).backwards == pytest.approx(40 / math.log(10))
    assert survey(point).backwards == pytest.approx(10 / math.log(10))
    status = {row.name: row for row in table(seen, {"a": 10.0}).rows}
    assert status["backsolve"].status == status["autograd's odeint"].status == "agrees"
    assert "4.3 digits" in status["backsolve"].says
    assert "observation" in status["backsolve"].says


def test_observations_out_of_order_have_no_routes() -> None:
    found = table(observed(FULL, ("s", "x"), ("s + a/4", "y")), {**HERE, "s": 2.5}, seconds=1)
    assert found.rows == ()
    assert "2.5" in found.reason
    assert "later" in found.reason


@pytest.mark.parametrize("route", [ode.complex_step, ode.fixed_step_adjoint], ids=["discrete", "continuous"])
def test_fixed_steps_stop_at_observations_and_keep_their_order(route: Any) -> None:
    point = Point(observed(FULL, *SEEN), HERE)
    wanted = ode.forward_sensitivities(point.numeric, point.p, *point.ends)
    steps = (16, 32, 64, 128)
    errors = [disagreement(route(point.numeric, point.p, *point.ends, steps=n), wanted) for n in steps]
    assert observed_order(steps, errors) == pytest.approx(4, abs=0.5)


def test_a_route_that_is_off_by_more_than_it_claims_is_called_wrong(monkeypatch: pytest.MonkeyPatch) -> None:
    def wrong(point: Point, _look: object) -> list[ways.Way]:
        right = ways.ode.forward_sensitivities(point.numeric, point.p, *point.ends)
        made = (right * (1 + 1e-9), right, right * np.nan)
        return [ways.Way(str(i), "none", "", lambda g=g: ways.Outcome(g, 1e-11, 0)) for i, g in enumerate(made)]

    monkeypatch.setattr("verify.numerics.routes.tables.ways", wrong)
    assert list(rows(table(LINEAR, {"a": 0.5, "b": 0.25})).values()) == ["WRONG", "agrees", "UNDECIDED"]


def test_without_an_enclosure_a_route_that_nobody_confirms_is_undecided(monkeypatch: pytest.MonkeyPatch) -> None:
    def three(point: Point, _look: object) -> list[ways.Way]:
        right = ways.ode.forward_sensitivities(point.numeric, point.p, *point.ends)
        made = (right, right, right * (1 + 1e-6))
        return [ways.Way(str(i), "none", "", lambda g=g: ways.Outcome(g, 1e-11, 0)) for i, g in enumerate(made)]

    monkeypatch.setattr("verify.numerics.routes.tables.ways", three)
    monkeypatch.setattr("verify.numerics.routes.tables.enclose", lambda *_, **__: Fail("none today"))
    found = table(LINEAR, {"a": 0.5, "b": 0.25})
    assert list(rows(found).values()) == ["agrees", "agrees", "UNDECIDED"]


def test_a_missing_extra_is_a_line_that_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(heyoka, "installed", lambda: False)
    point = Point(LINEAR, {"a": 0.5, "b": 0.25})
    way = next(way for way in ways.ways(point, survey(point)) if way.name == "heyoka")
    assert way.run is None
    assert "pip install" in way.says


def test_the_point_is_the_middle_of_the_ranges_unless_it_is_given() -> None:
    system = read_system(DECAY)
    assert inside(system.problem) == {"a": 1, "T": 2}  # ty: ignore[invalid-argument-type]
    with pytest.raises(ValueError, match="no value for T"):
        table(system.problem, {"a": 1.0})  # ty: ignore[invalid-argument-type]


@pytest.mark.parametrize(
    "text",
    ["x^2*y - 3/7", "sin(x)*exp(-y)/(1 + x^2)", "tanh(x)^3 + sqrt(1 + y^2)", "x^y + pi*cosh(y)", "sech(x)*atan(y)",
     "max(x, y, 1)*abs(x)", "piecewise((x, x < y), (y^-2, x >= y))", "erf(x) + loggamma(y)"],
)  # fmt: skip
def test_a_compiled_expression_is_worth_what_the_interpreter_says(text: str) -> None:
    node = read_expression(text, ("x", "y"))
    rng = np.random.default_rng(5)
    compiled = function((node, node), ("x", ("y",)), (2,))
    for x, y in rng.uniform(0.2, 2, (5, 2)):
        wanted = float(Straight([node])({"x": x, "y": y})[0])
        assert compiled(x, [y]) == pytest.approx([wanted, wanted], rel=1e-14)


def test_what_has_no_value_in_floating_point_is_refused() -> None:
    with pytest.raises(NoFloat):
        function((read_expression("zeta(x)", ("x",)),), ("x",), ())
    assert holomorphic(read_expression("sin(x)/x", ("x",)))
    assert not holomorphic(read_expression("x*sign(x)", ("x",)))


DECAY = """
kind = "ode-gradient"
title = "Decay"
let = { a = "interval(1/2, 3/2)", T = "interval(1, 3)" }
[ode]
state = ["x"]
parameters = ["a"]
rhs = ["-a*x"]
initial = ["1"]
time = ["0", "T"]
[objective]
terminal = "x^2/2"
"""


def test_the_command_prints_the_table(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "decay.toml"
    file.write_text(DECAY)
    assert main(["derive", str(file), "--routes", "--at", "a=1, T=3/2"]) == 0
    printed = capsys.readouterr().out
    assert "a = 1, T = 1.5" in printed
    assert "dG/da = [" in printed
    assert "matrix exponential" in printed
    assert "WRONG" not in printed
    assert main(["derive", str(file), "--at", "a=1"]) == 2
    assert main(["derive", str(file), "--routes", "--at", "a=1"]) == 2
    assert main(["derive", str(file), "--routes", "--at", "a=x, T=1"]) == 2
    assert "no value for T" in capsys.readouterr().err
