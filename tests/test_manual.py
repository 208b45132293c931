"""Whatever the manual says of a claim, a system or a snippet is so."""

from __future__ import annotations

import re
from dataclasses import replace
from io import StringIO
from pathlib import Path

import pytest

import verify
from verify.decide import decide
from verify.decide.systems import judge
from verify.functions import ROWS
from verify.judge_systems import judge_system
from verify.language import read_claim
from verify.language.toml import read_system
from verify.system_commands import show
from verify.terminal import Terminal
from verify.verdict import Verdict

PAGE = (Path(__file__).parent.parent / "MANUAL.md").read_text()
CLAIMS = re.findall(r"^\| `(.* = .*)` \| (PROVED|REFUTED) \|$", PAGE, flags=re.MULTILINE)
SYSTEM, *OTHERS = re.findall(r"```toml\n(.*?)```", PAGE, flags=re.DOTALL)
SNIPPETS = re.findall(r"```python\n(.*?)```", PAGE, flags=re.DOTALL)


@pytest.mark.parametrize(("text", "verdict"), CLAIMS, ids=[text for text, _ in CLAIMS])
def test_a_claim_has_the_verdict_that_the_manual_gives(text: str, verdict: str) -> None:
    assert decide(read_claim(text)).verdict is Verdict[verdict]


def test_there_are_examples_of_everything() -> None:
    assert len(CLAIMS) > 20
    assert {verdict for _, verdict in CLAIMS} == {"PROVED", "REFUTED"}


def test_the_system_is_right_and_fails_without_its_boundary_term() -> None:
    *_, right = judge(read_system(SYSTEM))
    assert right.verdict is Verdict.PROVED
    *_, wrong = judge(read_system(SYSTEM.replace(" + l1(0)", "")))
    assert wrong.verdict is Verdict.REFUTED
    assert wrong.worst is not None
    assert wrong.worst.diagnosis is not None
    assert wrong.worst.diagnosis.slip == "boundary"


def test_the_first_session_is_a_real_one() -> None:
    session = r"\$ cat pendulum.toml\n(.*?)\$ verify check pendulum.toml\n(.*?)```"
    ((problem, shown),) = re.findall(session, PAGE, re.DOTALL)
    *_, result = judge_system(problem, 0)
    stream = StringIO()
    show(replace(result, claim="pendulum.toml"), Terminal(stream))
    first, last = shown.split("…\n")
    assert stream.getvalue().startswith(first)
    assert stream.getvalue().endswith(last)


@pytest.mark.parametrize("text", OTHERS, ids=lambda text: text.partition("\n")[0])
def test_every_other_system_is_right(text: str) -> None:
    *_, result = judge_system(text, 0)
    assert result.verdict is Verdict.PROVED


def test_a_flow_and_a_density_fail_without_what_they_need() -> None:
    flow, density = (next(each for each in OTHERS if f'"{kind}"' in each) for kind in ("flow", "stein"))
    *_, wrong = judge_system(flow.replace("u1*w1 + u2*w2 > -1", "b > 0"), 0)
    assert [part.verdict for part in wrong.parts] == [Verdict.REFUTED, Verdict.REFUTED]
    *_, wrong = judge_system(density.replace('"sin(x)^2"', '"cos(x)"'), 0)
    assert wrong.worst is not None
    assert wrong.worst.diagnosis is not None
    assert wrong.worst.diagnosis.slip == "boundary"


@pytest.mark.parametrize("snippet", SNIPPETS, ids=["problem", "density", "code", "box"])
def test_a_snippet_runs(snippet: str) -> None:
    exec(compile(snippet, "MANUAL.md", "exec"), {})


def test_every_function_is_named() -> None:
    section = PAGE.split("## Functions")[1].split("\n## ")[0]
    section += " asin acos atan acot asec acsc asinh acosh atanh acoth asech acsch"  # named by their first and last
    assert {row.name for row in ROWS} <= set(re.findall(r"\w+", section))


def test_every_link_leads_somewhere() -> None:
    headings = {h.lower().replace(",", "").replace(" ", "-") for h in re.findall(r"^## (.*)$", PAGE, re.MULTILINE)}
    assert set(re.findall(r"\]\(#([^)]*)\)", PAGE)) == headings
    assert verify.__version__
