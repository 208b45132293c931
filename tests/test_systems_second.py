"""Are Hessians times a direction, and the second-order adjoints behind them, derived and judged right?"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from systems_bank import BASES

import verify
from verify.calculus.numpy_code import module
from verify.calculus.tangent import tangent_problem
from verify.decide.systems import judge
from verify.decide.systems.result import SystemResult
from verify.decide.systems.story import story
from verify.language.toml import ProblemError, read_system
from verify.problems import system
from verify.verdict import Verdict

PROBLEM = verify.OdeProblem(
    "x y", "a b", ["-a*x*y + t", "x - b*y^2"], ["a", "b^2"], 0, 1, terminal="x*y + a*b", running="a*x^2",
    domain={"a": "interval(0.5, 1)", "b": "interval(0.5, 1)"}, observations=[("1/2", "x^2*b")],
)  # fmt: skip


def judged(problem: Any, tables: dict[str, Any]) -> SystemResult:
    *_, result = judge(system(problem, tables))
    return result


def test_the_tangent_problem_has_the_hessian_for_its_gradient() -> None:
    first, second = ({}, {})
    exec(compile(module(PROBLEM), "first", "exec"), first)
    exec(compile(module(tangent_problem(PROBLEM)), "second", "exec"), second)
    p, v = np.array([0.7, 0.8]), np.array([0.3, -1.1])
    names = second["NAMES"]
    at = dict(zip(("a", "b", "v1", "v2"), (*p, *v), strict=True))
    found = second["gradient"]([at[name] for name in names], rtol=1e-12, atol=1e-14)["p"][:2]

    def slope(h: float) -> np.ndarray:
        forth, back = (first["gradient"](p + s * h * v, rtol=1e-12, atol=1e-14)["p"] for s in (1, -1))
        return (forth - back) / (2 * h)

    assert found == pytest.approx((4 * slope(1e-3) - slope(2e-3)) / 3, rel=1e-8)


def test_what_a_problem_says_of_its_second_derivatives_is_proved() -> None:
    result = judged(PROBLEM, PROBLEM.adjoint() | PROBLEM.second_order())
    assert {part.name: part.verdict for part in result.parts if part.verdict is not Verdict.PROVED} == {}
    assert {"tangent s1", "second adjoint m2", "second jump m1(1/2)", "hvp b"} <= {part.name for part in result.parts}


@pytest.mark.parametrize("name", ["linear", "cubic", "map", "rotation"])
def test_second_derivatives_of_every_kind_are_proved(name: str) -> None:
    problem = read_system(BASES[name].toml()).problem
    assert judged(problem, problem.adjoint() | problem.second_order()).verdict is Verdict.PROVED


@pytest.mark.parametrize(
    ("table", "key", "old", "new", "slip"),
    [
        ("second", "m1", "- 2*v1*x", "", "missing-term"),
        ("second", "m1", "l1*a*s2", "0*s2", "missing-term"),
        ("second", "m2", "m2", "-m2", "sign"),
        ("second_terminal", "m1", "s2(1)", "0", "boundary"),
        ("second_jump", "m1(1/2)", "2*v2*x", "v2*x", "factor"),
        ("hvp", "a", "+ v2", "", "missing-term"),
        ("hvp", "b", "+ 2*l2(0)*v2", "", "missing-term"),
    ],
)
def test_a_wrong_part_of_the_second_order_is_refuted(table: str, key: str, old: str, new: str, slip: str) -> None:
    tables = PROBLEM.second_order()
    text = tables[table][key] if tables[table][key].startswith("-") else f"+ {tables[table][key]}"
    spaced = text.replace("-2*v1*x", "0 - 2*v1*x", 1) if text.startswith("-") else text.removeprefix("+ ")
    assert old in spaced
    tables[table] = {**tables[table], key: spaced.replace(old, new, 1)}
    result = judged(PROBLEM, PROBLEM.adjoint() | tables)
    assert result.verdict is Verdict.REFUTED
    assert result.worst is not None
    assert result.worst.name.endswith(key)
    assert result.worst.diagnosis is not None
    assert result.worst.diagnosis.slip == slip


def test_a_wrong_tangent_is_refuted_and_corrected() -> None:
    result = judged(PROBLEM, PROBLEM.second_order() | {"tangent": {"s1": "-a*y*s1 - a*x*s2"}})
    assert result.verdict is Verdict.REFUTED
    assert "x*y*v1" in (result.correction or "")


def test_another_sign_of_both_adjoints_is_no_mistake() -> None:
    problem = verify.OdeProblem("u", "p", ["p*u"], [1], 0, "T", "u^2/2", domain={"T": "interval(1, 2)"})
    claim = {
        "adjoint": {"l1": "-p*l1"}, "terminal": {"l1": "-u"}, "gradient": {"p": "-int(l1*u, t, 0, T)"},
        "second": {"m1": "-l1*v1 - p*m1"}, "second_terminal": {"m1": "-s1(T)"},
        "hvp": {"p": "-int(l1*s1 + m1*u, t, 0, T)"},
    }  # fmt: skip
    assert judged(problem, claim).verdict is Verdict.PROVED
    assert judged(problem, claim | {"second_terminal": {"m1": "s1(T)"}}).verdict is Verdict.REFUTED


def test_another_sign_of_the_second_adjoint_alone_is_no_mistake() -> None:
    problem = verify.ImplicitProblem("u", "p", ["u^3 + u - p"], "u^2 + p")
    claim = {
        "adjoint": ["(3*u^2 + 1)*l1 = 2*u"], "gradient": {"p": "1 + l1"},
        "second": ["(3*u^2 + 1)*m1 = 6*u*l1*s1 - 2*s1"], "hvp": {"p": "-m1"},
    }  # fmt: skip
    result = judged(problem, claim)
    assert result.verdict is Verdict.PROVED
    assert "m is -1 times" in result.convention
    assert judged(problem, claim | {"hvp": {"p": "m1"}}).verdict is Verdict.REFUTED


def test_another_scale_of_the_second_adjoint_alone_is_no_mistake() -> None:
    problem = verify.OdeProblem("u", "p", ["p*u"], [1], 0, "T", "u^2/2", domain={"T": "interval(1, 2)"})
    claim = {
        "adjoint": {"l1": "-p*l1"}, "terminal": {"l1": "u"}, "gradient": {"p": "int(l1*u, t, 0, T)"},
        "second": {"m1": "-2*l1*v1 - p*m1"}, "second_terminal": {"m1": "2*s1(T)"},
        "hvp": {"p": "int(l1*s1 + m1*u/2, t, 0, T)"},
    }  # fmt: skip
    assert judged(problem, claim).verdict >= Verdict.SUPPORTED
    assert judged(problem, claim | {"hvp": {"p": "int(l1*s1 + m1*u, t, 0, T)"}}).verdict is Verdict.REFUTED


def test_second_adjoints_in_another_order_are_no_mistake() -> None:
    problem = verify.RecurrenceProblem("x y", "p", ["p*x*y", "y + p*x"], ["p", 1], "n", "x^2*y")
    tables = problem.adjoint() | problem.second_order()

    def swapped(text: str) -> str:
        return text.replace("m1", "m0").replace("m2", "m1").replace("m0", "m2")

    for table in ("second", "second_terminal", "hvp"):
        tables[table] = {swapped(key): swapped(text) for key, text in tables[table].items()}
    assert judged(problem, tables).verdict is Verdict.PROVED
    tables["second_terminal"] = tables["second_terminal"] | {"m1": "0"}
    assert judged(problem, tables).verdict is Verdict.REFUTED


def test_a_file_claims_second_derivatives() -> None:
    text = BASES["growth"].toml() + 'hvp = { p = "int(l1*s1 + m1*u, t, 0, T)" }\nsecond = { m1 = "-l1*v1 - p*m1" }\n'
    *_, result = judge(read_system(text))
    assert result.verdict is Verdict.PROVED
    with pytest.raises(ProblemError, match=r"unknown key 'q' in \[claim\.gradient\]|unknown key 'q'"):
        read_system(text.replace("hvp = { p", "hvp = { q"))
    with pytest.raises(ProblemError, match="v1 means something else"):
        read_system(text.replace('parameters = ["p"]', 'parameters = ["p", "v1"]'))


def test_the_derivation_tells_of_second_derivatives_where_they_are_claimed() -> None:
    text = BASES["growth"].toml()
    assert not any("(H v)" in line for line in story(read_system(text)))
    lines = story(read_system(text + 'hvp = { p = "v1" }'))
    assert "  (H v) by p = int(l1*s1 + m1*u, t, 0, T)" in lines
    assert "  s1' = p*s1 + u*v1" in lines


def test_times_that_move_are_refused() -> None:
    problem = read_system(BASES["moving-end"].toml()).problem
    with pytest.raises(ValueError, match="no time depends on a parameter"):
        problem.second_order()
    assert judged(problem, {"hvp": {"p": "v1"}}).verdict is Verdict.UNDECIDED


@pytest.mark.parametrize(
    ("tangent", "slip"),
    [
        ("-a*s1 + 2*b*u*s1", "missing-term"),
        ("-a*s1 + 2*b*u*s1 + u*v1 + u^2*v2", "sign"),
        ("-a*s1 + b*u*s1 - u*v1 + u^2*v2", "factor"),
        ("-a*s1 + 2*b*u*s1 - u*v1 + u*v2", "power"),
    ],
)
def test_the_slip_in_a_tangent_equation_is_named(tangent: str, slip: str) -> None:
    text = (
        'kind = "ode-gradient"\nlet = { a = "interval(0.5, 1)", b = "interval(0.5, 1)" }\n[ode]\nstate = ["u"]\n'
        'parameters = ["a", "b"]\nrhs = ["-a*u + b*u^2"]\ninitial = ["0.5"]\ntime = ["0", "1"]\n'
        f'[objective]\nterminal = "u^2"\n[claim]\ntangent = {{ s1 = "{tangent}" }}\n'
    )
    *_, result = judge(read_system(text))
    (part,) = result.parts
    assert part.verdict is Verdict.REFUTED
    assert part.diagnosis is not None
    assert part.diagnosis.slip == slip
