"""Are the systems that people write judged right?  A folder of TOML files, each with its answer in its first line."""

from __future__ import annotations

from pathlib import Path

import pytest

from verify.judge_systems import judge_system
from verify.verdict import Verdict

FILES = sorted((Path(__file__).parent / "data" / "systems").glob("*.toml"))
QUICK = FILES[::4]


def check(path: Path) -> None:
    """The first line is `# right`, `# proved` where that is not all, or `# wrong: slip, slip that is named as well`.

    `any` stands for slips where none is asked for.
    """
    text = path.read_text()
    answer, _, slips = text.partition("\n")[0].removeprefix("# ").partition(": ")
    *_, result = judge_system(text, 0)
    if answer in ("right", "proved"):
        assert result.verdict >= (Verdict.PROVED if answer == "proved" else Verdict.SUPPORTED), result.reason
        return
    assert result.verdict is Verdict.REFUTED, result.reason
    assert result.correction
    if slips != "any":
        assert result.worst is not None
        assert result.worst.diagnosis is not None
        assert result.worst.diagnosis.slip in slips.split(", ")


@pytest.mark.parametrize("path", QUICK, ids=lambda path: path.stem)
def test_a_system_as_people_write_it_is_judged_right(path: Path) -> None:
    check(path)


@pytest.mark.thorough
@pytest.mark.parametrize("path", [path for path in FILES if path not in QUICK], ids=lambda path: path.stem)
def test_every_system_as_people_write_it_is_judged_right(path: Path) -> None:
    check(path)


def test_half_of_the_files_are_wrong() -> None:
    right = [path for path in FILES if path.read_text().startswith(("# right\n", "# proved\n"))]
    assert len(FILES) >= 70
    assert 0.4 < len(right) / len(FILES) < 0.6
