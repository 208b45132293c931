"""Is the slip in a wrong part named, and in words that say of the claim what is true of it?"""

from __future__ import annotations

import pytest

from verify.decide.systems import judge
from verify.decide.systems.result import Part
from verify.language.toml import read_system
from verify.verdict import Verdict

HEAD = 'kind = "ode-gradient"\n'
RANGES = (
    'let = { a = "interval(0.5, 1)", K = "interval(2, 4)", om = "interval(0.5, 1.5)", b = "interval(0.5, 1.5)", '
    'x0 = "interval(0.5, 1.5)", T = "interval(1.2, 2)" }\n'
)


def problem(state: str, rhs: str, initial: str, terminal: str, claim: str, parameters: str = '"a"') -> str:
    return (
        f"{HEAD}{RANGES}[ode]\nstate = [{state}]\nparameters = [{parameters}]\nrhs = [{rhs}]\ninitial = [{initial}]\n"
        f'time = ["0", "T"]\n[objective]\nterminal = "{terminal}"\n[claim]\n{claim}\n'
    )


def wrong_parts(text: str) -> list[Part]:
    *_, result = judge(read_system(text))
    assert result.verdict is Verdict.REFUTED
    return [part for part in result.parts if part.verdict is Verdict.REFUTED]


def gompertz(name: str, formula: str) -> str:
    rhs, more = '"a*u*log(K/u)"', '"a", "K", "x0"'
    return problem('"u"', rhs, '"x0"', "u", f'gradient = {{ {name} = "{formula}" }}', more)


def oscillator(formula: str) -> str:
    claim = (
        'adjoint = { l1 = "l2", l2 = "-l1" }\nterminal = { l1 = "2*x", l2 = "0" }\n'
        f'gradient = {{ om = "{formula}" }}'
    )
    return problem('"x", "v"', '"v", "-x + b*cos(om*t)"', '"1", "0"', "x^2", claim, '"om", "b"')


@pytest.mark.parametrize(
    ("text", "slip", "says"),
    [
        (oscillator("-b*int(l2*sin(om*t), t, 0, T)"), "missing-factor", "the factor t is missing"),
        (oscillator("-b*int(l2*t*cos(om*t), t, 0, T)"), "function", "cos(om*t) stands for sin"),
        (oscillator("-b*int(l1*t*sin(om*t), t, 0, T)"), "swap", "l1 stands for l2"),
        (oscillator("-b*int(l2*t^2*sin(om*t), t, 0, T)"), "power", "one too high"),
        (oscillator("-b*int(l2*t*sin(om*t), t, T, 0)"), "limits", "limits of the integral are reversed"),
    ],
)  # fmt: skip
def test_what_is_said_of_a_wrong_gradient_is_true_of_the_claim(text: str, slip: str, says: str) -> None:
    (part,) = wrong_parts(text)
    assert part.diagnosis is not None
    assert part.diagnosis.slip == slip
    assert says in part.diagnosis.says
    assert part.diagnosis.verdict is Verdict.PROVED


@pytest.mark.parametrize(
    ("name", "formula", "slip", "correction"),
    [
        ("a", "-log(x0/K)*exp(-a*T)*u(T)", "missing-factor", "-T*log(x0/K)*exp(-a*T)*u(T)"),
        ("a", "T*log(x0/K)*exp(-a*T)*u(T)", "sign", "-T*log(x0/K)*exp(-a*T)*u(T)"),
        ("a", "-2*T*log(x0/K)*exp(-a*T)*u(T)", "factor", "-T*log(x0/K)*exp(-a*T)*u(T)"),
        ("K", "u(T)/K*(1 + exp(-a*T))", "sign", "u(T)*(1 - exp(-a*T))/K"),
        ("K", "u(0)/K*(1 - exp(-a*T))", "swap", "u(T)*(1 - exp(-a*T))/K"),
        ("K", "u(T)/x0*exp(-a*T)", "swap", "int(l1*a*u/K, t, 0, T)"),
        ("K", "u(T)/K*(1 - exp(-a*T))/2 + u(0)/7 + T^3", None, "int(l1*a*u/K, t, 0, T)"),
    ],
)
def test_a_gradient_in_closed_form_is_repaired_by_its_values(
    name: str, formula: str, slip: str | None, correction: str
) -> None:
    (part,) = wrong_parts(gompertz(name, formula))
    assert part.correction == correction
    assert (part.diagnosis.slip if part.diagnosis else None) == slip
    assert part.diagnosis is None or part.diagnosis.verdict is Verdict.SUPPORTED


def test_limits_reversed_everywhere_are_one_slip() -> None:
    claim = (
        'adjoint = { l1 = "-a*cos(u)*l1" }\nterminal = { l1 = "2*u" }\n'
        'gradient = { a = "int(l1*sin(u), t, T, 0)", b = "int(l1, t, T, 0)" }'
    )
    parts = wrong_parts(problem('"u"', '"a*sin(u) + b"', '"1"', "u^2", claim, '"a", "b"'))
    assert [part.name for part in parts] == ["gradient a", "gradient b"]
    assert [part.diagnosis.slip for part in parts if part.diagnosis] == ["limits", "limits"]
