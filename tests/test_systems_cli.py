"""What do `verify check problem.toml` and `verify derive problem.toml` print, and with which status do they end?"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from systems_bank import BASES

from verify.cli import main


@pytest.fixture
def problem(tmp_path: Path):
    def write(text: str) -> str:
        path = tmp_path / "problem.toml"
        path.write_text(text)
        return str(path)

    return write


def test_a_right_system_ends_with_0(problem, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", problem(BASES["cubic"].toml())]) == 0
    out = capsys.readouterr().out
    assert out.startswith("PROVED (exact)")
    assert "dG/dp = 1 + l1" in out


def test_a_wrong_system_ends_with_1_and_shows_slip_and_correction(problem, capsys: pytest.CaptureFixture[str]) -> None:
    path = problem(BASES["map"].toml({"gradient p": "sum(l1[k]*x[k-1]*(1 - x[k-1]), k, 1, n)"}))
    assert main(["check", path]) == 1
    out = capsys.readouterr().out
    assert "boundary:" in out
    assert "correct  dG/dp = sum(l1[k]*x[k-1]*(1 - x[k-1]), k, 1, n) + 1/2*l1[0]" in out


def test_json_has_the_keys_of_a_claim_and_the_parts(problem, capsys: pytest.CaptureFixture[str]) -> None:
    path = problem(BASES["linear"].toml({"gradient a": "1 + l1*u"}))
    assert main(["check", "--json", path]) == 1
    record = json.loads(capsys.readouterr().out)
    assert (record["claim"], record["kind"], record["verdict"]) == (path, "implicit-gradient", "REFUTED")
    assert record["diagnosis"]["slip"] == "sign"
    assert {"rigor", "counterexample", "correction", "evidence", "seconds", "seed", "version"} <= set(record)
    verdicts = {part["part"]: part["verdict"] for part in record["parts"]}
    assert verdicts == {"adjoint 1": "PROVED", "adjoint 2": "PROVED", "gradient a": "REFUTED", "gradient b": "PROVED"}


def test_a_claim_that_is_left_open_ends_with_3(problem, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", problem(BASES["map"].toml({"terminal l1": "3*x[n]", "gradient p": ""}))]) == 3
    assert "UNDECIDED" in capsys.readouterr().out


@pytest.mark.parametrize("text", ["kind = 'ode'", "[ode", BASES["cubic"].toml().replace("residual", "residuals")])
@pytest.mark.parametrize("command", ["check", "derive"])
def test_a_file_that_cannot_be_read_ends_with_2_and_its_line(problem, capsys, command: str, text: str) -> None:
    assert main([command, problem(text)]) == 2
    shown = capsys.readouterr()
    assert "line " in shown.err
    assert not shown.out


@pytest.mark.parametrize("name", ["logistic", "linear", "rotation"])
def test_derive_prints_the_system_that_check_proves(problem, capsys: pytest.CaptureFixture[str], name: str) -> None:
    assert main(["derive", problem(BASES[name].toml())]) == 0
    out = capsys.readouterr().out
    for word in ("Problem", "Adjoint", "Gradient", "dG/d"):
        assert word in out


def test_the_written_module_needs_nothing_of_ours(problem, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert main(["derive", "--code", problem(BASES["moving-end"].toml())]) == 0
    code = capsys.readouterr().out
    assert "verify" not in code.split('"""')[2]
    path = tmp_path / "generated.py"
    path.write_text(code + "\nprint(gradient([0.7])['p'][0])\n")
    run = subprocess.run([sys.executable, str(path)], capture_output=True, text=True, cwd=tmp_path, check=True)
    # u(t) = (p + 1) exp(-t) + t - 1 at t = 2p, squared
    from math import exp

    p = 0.7
    u = (p + 1) * exp(-2 * p) + 2 * p - 1
    assert float(run.stdout) == pytest.approx(2 * u * (exp(-2 * p) - 2 * (p + 1) * exp(-2 * p) + 2), rel=1e-8)


def test_declarations_on_the_command_line_are_refused(problem, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", problem(BASES["cubic"].toml()), "--let", "p: positive"]) == 2
    assert "--let" in capsys.readouterr().err
