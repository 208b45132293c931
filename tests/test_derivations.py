"""Every derivation holds, every wrong neighbour is rejected, and every page is complete."""

from __future__ import annotations

import json
import subprocess
import sys
import tomllib
from functools import cache
from importlib import import_module
from math import isfinite
from pathlib import Path

import pytest
from sympy import flatten

from verify.decide.words import Sum, prove
from verify.derivation import Derivation, all_derivations, run
from verify.examine import DerivationResult
from verify.steps import decide_expressions, merged
from verify.verdict import Rigor, Verdict, independent

ROOT = Path(__file__).parent.parent
ALL = all_derivations()
every = pytest.mark.parametrize("name", ALL)


@cache
def result(name: str) -> DerivationResult:
    return run(ALL[name], points=3)


def module_of(derivation: Derivation) -> str:
    return derivation.steps.__module__


@every
def test_a_derivation_holds(name: str) -> None:
    found = result(name)
    assert found.verdict >= Verdict.SUPPORTED
    assert found.holds


@every
def test_every_step_is_proved_unless_it_is_cited(name: str) -> None:
    for step in result(name).steps:
        assert step.verdict is Verdict.PROVED or step.cited, f"{step.why}: {step.verdict} {step.reason}"


@every
def test_no_step_holds_with_its_right_hand_side_doubled(name: str) -> None:
    for step in ALL[name].steps():
        if isinstance(step.rhs, Sum):
            if step.rhs.terms and not step.cited:
                assert prove(step.lhs, 2 * step.rhs).holds is None, step.why
        elif not step.cited and any(entry != 0 for entry in flatten([step.rhs])):
            domain = merged(ALL[name].domain, step.domain)
            wrong = decide_expressions(step.lhs, 2 * step.rhs, domain, refute_only=True)
            assert wrong.verdict is Verdict.REFUTED, step.why


@every
def test_a_derivation_that_is_not_proved_says_on_what_it_rests(name: str) -> None:
    found = result(name)
    assert found.verdict is Verdict.PROVED or found.rests_on or any(
        h.evidence.rigor < Rigor.EXACT for h in found.hypotheses
    )  # fmt: skip


@every
def test_every_route_confirms_the_reference(name: str) -> None:
    found = result(name)
    assert found.routes
    for route in found.routes:
        assert route.holds is True, f"{route.route}: {route.worst} against {route.resolution}"


@every
def test_two_routes_at_least_share_nothing(name: str) -> None:
    routes = result(name).routes
    assert any(independent(one, other) for one in routes for other in routes)


@every
def test_every_mutant_is_rejected(name: str) -> None:
    found = result(name)
    assert len(found.mutants) >= 5
    assert not found.survivors, [m.slip for m in found.survivors]


@every
def test_the_page_is_complete(name: str) -> None:
    derivation = ALL[name]
    module = import_module(module_of(derivation))
    assert derivation.name == module_of(derivation).removeprefix("derivations.").replace("_", "-")
    assert "Sign" in (module.__doc__ or "") or "Layout" in (module.__doc__ or ""), "state the conventions"
    assert derivation.statement.displays
    assert derivation.statement.convention
    assert derivation.reference is not None
    assert derivation.figure is not None
    assert len((ROOT / "derivations" / f"{module.__name__.split('.')[1]}.py").read_text().splitlines()) < 230


@every
def test_the_figure_can_be_drawn(name: str) -> None:
    figure = result(name).figure
    assert figure is not None
    for series in figure.series:
        assert len(series.x) > 1
        assert all(isfinite(number) for number in (*series.x, *series.y))
        assert not figure.log_x or min(series.x) > 0
        assert not figure.log_y or min(series.y) > 0


@every
def test_every_source_is_in_the_bibliography(name: str) -> None:
    known = tomllib.loads((ROOT / "verify" / "bibliography.toml").read_text())
    assert ALL[name].statement.source
    assert set(ALL[name].statement.source) <= set(known)


def test_the_curriculum_formula_is_refuted_and_corrected() -> None:
    printed, adjoint_form = result("linear-ode-gradient").printed
    assert printed.result.verdict is Verdict.REFUTED
    assert printed.result.counterexample is not None
    assert printed.result.diagnosis is not None
    assert printed.result.diagnosis.slip == "commute"
    assert printed.corrected is not None
    assert printed.corrected.verdict is Verdict.PROVED
    assert adjoint_form.result.verdict is Verdict.PROVED


@pytest.mark.thorough
@every
def test_two_runs_give_the_same_bytes(name: str) -> None:
    again = run(ALL[name], points=3)
    one, other = (json.dumps(r.to_json(), sort_keys=True) for r in (result(name), again))
    assert one == other


@pytest.mark.thorough
@every
def test_a_derivation_runs_as_a_script(name: str) -> None:
    path = ROOT / "derivations" / f"{name.replace('-', '_')}.py"
    ran = subprocess.run([sys.executable, path], capture_output=True, text=True, timeout=300, check=False, cwd="/")
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert f"{name}: " in ran.stdout
