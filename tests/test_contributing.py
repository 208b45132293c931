"""The worked example of CONTRIBUTING.md runs as printed, and fails when it should."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

PAGE = (Path(__file__).parent.parent / "CONTRIBUTING.md").read_text()
(EXAMPLE,) = re.findall(r"```python\n(.*?)```", PAGE, flags=re.DOTALL)


def run(code: str, folder: Path) -> subprocess.CompletedProcess[str]:
    path = folder / "scalar_growth.py"
    path.write_text(code)
    return subprocess.run([sys.executable, path], capture_output=True, text=True, timeout=120, check=False)


def test_the_worked_example_is_proved(tmp_path: Path) -> None:
    ran = run(EXAMPLE, tmp_path)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert "scalar-growth: PROVED" in ran.stdout
    assert "5 of 5 rejected" in ran.stdout
    assert len(EXAMPLE.splitlines()) < 100


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        ('Step("costate equation", p.diff(t), -a * p)', 'Step("costate equation", p.diff(t), a * p)'),
        ("return end[0] * end[1]", "return end[0] * end[1] * 1.01"),
        ('Mutant("sign", "minus the integral", -dJ_da)', 'Mutant("sign", "no mutant", dJ_da)'),
    ],
    ids=["step", "route", "mutant"],
)
def test_a_mistake_in_the_worked_example_fails(right: str, wrong: str, tmp_path: Path) -> None:
    assert right in EXAMPLE
    assert run(EXAMPLE.replace(right, wrong), tmp_path).returncode == 1


def test_the_other_snippets_hold() -> None:
    from verify.decide.words import matrices, prove
    from verify.testing import assert_holds

    A, B = matrices("A B", "n", "n")
    assert prove((A @ B).T, B.T @ A.T).holds
    (formula,) = re.findall(r'assert_holds\("(.*?)"\)', PAGE)
    assert assert_holds(formula)
