"""Are objectives with data at several times judged right, where the adjoint jumps?"""

from __future__ import annotations

import pytest

import verify
from verify.decide.systems import judge
from verify.decide.systems.result import SystemResult
from verify.language.toml import ProblemError, read_system
from verify.verdict import Verdict

HEAD = """\
kind = "ode-gradient"
let = { p = "interval(0.5, 1.5)", s = "interval(0.2, 0.4)" }
[ode]
state = ["u", "v"]
parameters = ["p", "s"]
rhs = ["-p*u + v^2", "u - t*v"]
initial = ["1", "p"]
time = ["0", "1"]
[objective]
observations = [{ time = "s", value = "u^2 + t*v" }, { time = "1/2", value = "p*u*v" }]
[claim]
"""
RIGHT = {
    "adjoint": {"l1": "p*l1 - l2", "l2": "-2*v*l1 + t*l2"},
    "terminal": {"l1": "0", "l2": "0"},
    "jump": {"l1(s)": "2*u", "l2(s)": "s", "l1(1/2)": "p*v", "l2(1/2)": "p*u"},
    "gradient": {
        "p": "l2(0) + u(1/2)*v(1/2) - int(l1*u, t, 0, 1)",
        "s": "v(s) + 2*u(s)*(v(s)^2 - p*u(s)) + s*(u(s) - s*v(s))",
        "t0": "l1(0)*(p - p^2) - l2(0)",
        "T": "0",
    },
}


def judged(**changes: dict[str, str]) -> SystemResult:
    lines = [HEAD]
    for table, right in RIGHT.items():
        entries = {**right, **changes.get(table, {})}
        lines.append(f"{table} = {{ {', '.join(f'{key!r} = {text!r}' for key, text in entries.items())} }}")
    *_, result = judge(read_system("\n".join(lines)))
    return result


def test_a_right_system_with_observations_is_proved() -> None:
    result = judged()
    assert {part.name: part.verdict for part in result.parts if part.verdict is not Verdict.PROVED} == {}


@pytest.mark.parametrize(
    ("changes", "part", "slip"),
    [
        ({"jump": {"l1(s)": "-2*u"}}, "jump l1(s)", "sign"),
        ({"jump": {"l1(s)": "u"}}, "jump l1(s)", "factor"),
        ({"jump": {"l2(s)": "0"}}, "jump l2(s)", "boundary"),
        ({"jump": {"l1(1/2)": "p*u"}}, "jump l1(1/2)", "swap"),
        ({"terminal": {"l1": "2*u"}}, "terminal l1", "boundary"),
        ({"gradient": {"p": "l2(0) - int(l1*u, t, 0, 1)"}}, "gradient p", "missing-term"),
        ({"gradient": {"s": "v(s) + 2*u(s)*(v(s)^2 - p*u(s)) - s*(u(s) - s*v(s))"}}, "gradient s", "sign"),
        ({"gradient": {"s": "2*u(s)*(v(s)^2 - p*u(s)) + s*(u(s) - s*v(s))"}}, "gradient s", "missing-term"),
    ],
)
def test_a_wrong_part_is_refuted_and_named(changes: dict, part: str, slip: str) -> None:
    result = judged(**changes)
    wrong = {each.name: each for each in result.parts if each.verdict is Verdict.REFUTED}
    assert list(wrong) == [part]
    assert wrong[part].diagnosis is not None
    assert wrong[part].diagnosis.slip == slip


def test_integrals_between_the_observations_add_up() -> None:
    pieces = "l2(0) + u(1/2)*v(1/2) - int(l1*u, t, 0, s) - int(l1*u, t, s, 1/2) - int(l1*u, t, 1/2, 1)"
    assert judged(gradient={"p": pieces}).verdict >= Verdict.SUPPORTED
    assert judged(gradient={"p": pieces.replace("1/2, 1)", "1/2, s)")}).verdict is Verdict.REFUTED


def test_an_adjoint_where_it_jumps_has_no_value() -> None:
    result = judged(gradient={"p": "l1(1/2)"})
    assert result.verdict is not Verdict.PROVED


def test_a_name_alone_stands_for_every_observation() -> None:
    assert judged(jump={"l1": "2*u"}).verdict is Verdict.REFUTED
    text = HEAD.replace('"p*u*v"', '"u^2 + t*v"') + 'jump = { l1 = "2*u", l2 = "t" }\nterminal = { l1 = "0", l2 = "0" }'
    *_, result = judge(read_system(text))
    assert result.verdict is Verdict.PROVED


def test_observations_in_python_are_those_of_a_file() -> None:
    problem = verify.OdeProblem(
        "u v", "p s", ["-p*u + v^2", "u - t*v"], [1, "p"], 0, 1,
        domain={"p": "interval(0.5, 1.5)", "s": "interval(0.2, 0.4)"},
        observations=[("s", "u^2 + t*v"), {"time": "1/2", "value": "p*u*v"}],
    )  # fmt: skip
    assert problem == read_system(HEAD).problem
    assert problem.check(problem.adjoint() | problem.gradient("p", "s", "t0")).verdict is Verdict.PROVED


def test_observations_as_tables_of_their_own_have_lines_too() -> None:
    whole = HEAD.replace('observations = [{ time = "s", value = "u^2 + t*v" }, { time = "1/2", value = "p*u*v" }]', "")
    tables = '[[objective.observations]]\ntime = "s"\nvalue = "u^2 + t*v"\n[[objective.observations]]\ntime = "1/2"\n'
    text = whole.replace("[objective]\n", "").replace("[claim]", f'{tables}value = "p*u*v"\n[claim]')
    assert read_system(text).problem == read_system(HEAD).problem
    with pytest.raises(ProblemError) as caught:
        read_system(text.replace('value = "u^2', 'valeu = "u^2'))
    assert caught.value.line == text.split("\n").index('value = "u^2 + t*v"') + 1


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ('time = "s"', 'time = "3/4"', "each must be later than the one before"),
        ('time = "1/2"', "time = 1", "at an end of the time"),
        ('time = "1/2"', "time = 2", "each must be later than the one before"),
        ('time = "1/2"', "time = 0", "at an end of the time"),
        ('time = "1/2"', 'time = "u"', "may depend on parameters alone"),
        ('time = "1/2"', 'tim = "1/2"', "unknown key 'tim' in [objective.observations]"),
        ('time = "1/2", ', "", "'time' is missing"),
        ('"p*u*v"', '"p*u(1/3)*v"', "at another time"),
        ('[{ time = "s"', '["u", { time = "s"', "is a text, and must be a table"),
        ("[claim]", 'claim.jump = { "l1(1/3)" = "0" }', "unknown key"),
    ],
)
def test_what_cannot_be_observed_is_said_with_its_line(old: str, new: str, says: str) -> None:
    assert old in HEAD
    with pytest.raises(ProblemError) as caught:
        read_system(HEAD.replace(old, new))
    assert says in str(caught.value)
    assert caught.value.line == (10 if "claim" not in new else 11)
