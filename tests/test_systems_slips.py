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


BY_K = "exp(-log(K/x0)*exp(-a*T)) - exp(-log(K/x0)*exp(-a*T))*exp(-a*T)"


@pytest.mark.parametrize(
    ("name", "formula", "slip", "correction"),
    [
        ("a", "-log(x0/K)*exp(-a*T)*u(T)", "missing-factor", "-T*log(x0/K)*exp(-a*T)*u(T)"),
        ("a", "T*log(x0/K)*exp(-a*T)*u(T)", "sign", "-T*log(x0/K)*exp(-a*T)*u(T)"),
        ("a", "-2*T*log(x0/K)*exp(-a*T)*u(T)", "factor", "-T*log(x0/K)*exp(-a*T)*u(T)"),
        ("K", "u(T)/K*(1 + exp(-a*T))", "sign", "u(T)*(1 - exp(-a*T))/K"),
        ("K", "u(0)/K*(1 - exp(-a*T))", "swap", "u(T)*(1 - exp(-a*T))/K"),
        ("K", "u(T)/x0*exp(-a*T)", "swap", BY_K),
        ("K", "u(T)/K*(1 - exp(-a*T))/2 + u(0)/7 + T^3", None, BY_K),
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


CHEMOSTAT = """\
kind = "ode-gradient"
let = { m = "interval(1, 2)", K = "interval(0.5, 1)", Y = "interval(0.4, 0.6)", x0 = "interval(0.1, 0.2)" }
[ode]
state = ["X", "S"]
parameters = ["m", "K", "Y", "x0"]
rhs = ["m*S*X/(K + S) - 0.3*X", "0.3*(2 - S) - m*S*X/(Y*(K + S))"]
initial = ["x0", "1"]
time = ["0", "2"]
[objective]
terminal = "X"
[claim]
"""
LAYER = """\
kind = "ode-gradient"
let = { w11 = "interval(0.3, 1)", w12 = "interval(0.3, 1)", w21 = "interval(0.3, 1)", w22 = "interval(0.3, 1)" }
[ode]
state = ["z1", "z2"]
parameters = ["w11", "w12", "w21", "w22"]
rhs = ["tanh(w11*z1 + w12*z2)", "tanh(w21*z1 + w22*z2)"]
initial = ["1", "-0.5"]
time = ["0", "1"]
[objective]
terminal = "(z1^2 + z2^2)/2"
[claim]
"""
ONE, TWO = "(1 - tanh(w11*z1 + w12*z2)^2)", "(1 - tanh(w21*z1 + w22*z2)^2)"
LINEAR = """\
kind = "ode-gradient"
let = { a = "interval(0.5, 1)", b = "interval(0.5, 1)", T = "interval(1, 2)" }
[ode]
state = ["u"]
parameters = ["a", "b"]
rhs = ["a*u"]
initial = ["b^2"]
time = ["0", "T"]
[objective]
terminal = "u^2"
[claim]
adjoint = { l = "-a*l" }
terminal = { l = "2*u" }
"""
DOSE = """\
kind = "ode-gradient"
let = { R = "interval(1, 2)" }
[ode]
state = ["c"]
parameters = ["R"]
rhs = ["piecewise((R, t < 1), (0, otherwise)) - c"]
initial = ["0"]
time = ["0", "2"]
[objective]
terminal = "c"
observations = [{ time = "1/2", value = "R*c^2" }]
[claim]
"""
BLOCKS = """\
kind = "ode-gradient"
let = { p = "interval(0.5, 1)", T = "interval(1, 2)" }
[ode]
state = ["x", "y"]
parameters = ["p"]
rhs = ["x + p*y", "0"]
initial = ["0", "1"]
time = ["0", "T"]
[objective]
terminal = "x"
[claim]
"""


@pytest.mark.parametrize(
    ("text", "slip", "says"),
    [
        (
            CHEMOSTAT + 'adjoint = { l2 = "-l1*m*S*X/(K + S)^2 + l2*(0.3 + m*S*X/(Y*(K + S)^2))" }',
            "swap",
            "S stands for K",
        ),
        (
            CHEMOSTAT + 'adjoint = { l2 = "-l1*m*K*X/(K + S) + l2*(0.3 + m*K*X/(Y*(K + S)))" }',
            "power",
            "one too high",
        ),
        (CHEMOSTAT + 'terminal = { l1 = "1", l2 = "0" }\ngradient = { x0 = "2*l1(0)" }', "boundary", "counted twice"),
        (
            CHEMOSTAT + 'gradient = { x0 = "l1(2) - int(l1*(m*S/(K + S) - 0.3) - l2*m*S/(Y*(K + S)), t, 0, 2)" }',
            "sign",
            "the integral of -l' has the wrong sign",
        ),
        (
            CHEMOSTAT + 'gradient = { x0 = "int(l1*(m*S/(K + S) - 0.3) - l2*m*S/(Y*(K + S)), t, 0, 2)" }',
            "boundary",
            "the value at the end",
        ),
        (LAYER + f'adjoint = {{ l1 = "-l1*w11*{ONE} - l2*w12*{TWO}" }}', "transpose", "w12 stands for w21"),
        (LAYER + 'adjoint = { l1 = "-l1*w11 - l2*w21" }', "missing-factor", "derivatives of the functions inside"),
        (LAYER + 'gradient = { w12 = "int(l1*(1 - z1^2)*z2, t, 0, 1)" }', "swap", "z1 stands for tanh("),
        (LAYER + 'gradient = { w12 = "int(l1*tanh(w11*z1 + w12*z2)*z2, t, 0, 1)" }', "function", "its derivative"),
        (LINEAR + 'gradient = { a = "T*l(T)*u(T)/2" }', "factor", "1/2 times"),
        (LINEAR + 'gradient = { a = "-T*l(0)*u(0)" }', "sign", "-1 times"),
        (LINEAR + 'gradient = { a = "l(T)*u(T)" }', "missing-factor", "the factor T is missing"),
        (LINEAR + 'gradient = { T = "a*l(T)*u(0)" }', "time", "at the other end"),
        (DOSE + 'gradient = { R = "int(l1, t, 0, 2) + c(1/2)^2" }', "limits", "right where"),
        (
            DOSE + 'gradient = { R = "int(piecewise((l1, t < 1), (0, otherwise)), t, 0, 2) + c(2)^2" }',
            "boundary",
            "c(2) stands for c(1/2)",
        ),
        (BLOCKS + 'gradient = { p = "T" }', "commute", "commuted"),
    ],
)
def test_a_slip_is_named_where_the_formula_is_written_as_people_do(text: str, slip: str, says: str) -> None:
    (part,) = wrong_parts(text)
    assert part.diagnosis is not None
    assert part.diagnosis.slip == slip
    assert says in part.diagnosis.says


@pytest.mark.parametrize(
    "text",
    [
        LINEAR + 'gradient = { a = "T*l(0)*u(0)", b = "2*b*l(0)" }',
        CHEMOSTAT + 'adjoint = { l2 = "-l1*m*K*X/(K + S)^2 + l2*(0.3 + m*K*X/(Y*(K + S)^2))" }',
        CHEMOSTAT + 'gradient = { x0 = "l1(2) + int(l1*(m*S/(K + S) - 0.3) - l2*m*S/(Y*(K + S)), t, 0, 2)" }',
        BLOCKS + 'gradient = { p = "exp(T) - 1" }',
    ],
)
def test_what_is_right_in_these_forms_is_proved(text: str) -> None:
    *_, result = judge(read_system(text))
    assert result.verdict is Verdict.PROVED


HAMILTONIAN = """\
kind = "ode-gradient"
let = { a = "interval(0.5, 1)" }
[ode]
state = ["x", "v"]
parameters = ["a"]
rhs = ["v", "-a*sin(x)"]
initial = ["1", "0"]
time = ["0", "1"]
[objective]
terminal = "(x - 1)^2*v"
running = "x*v"
[claim]
"""
H = "x*v + p*v - q*a*sin(x)"
COSTATES = f'adjoint = {{ p = "-diff({H}, x)", q = "-d/dv ({H})" }}\n'
ENDS = 'terminal = { p = "diff((x - 1)^2*v, x)", q = "diff((x - 1)^2*v, v)" }\n'


@pytest.mark.parametrize(
    "claim",
    [
        COSTATES + ENDS + f'gradient = {{ a = "int(diff({H}, a), t, 0, 1)" }}',
        COSTATES.replace("-d", "d") + ENDS,
        COSTATES.replace("p*v", "p*x") + ENDS,
        COSTATES + ENDS.replace("^2*v, x", "^2*v, v"),
        COSTATES + ENDS + f'gradient = {{ a = "int(diff({H}, x), t, 0, 1)" }}',
        COSTATES + ENDS + f'gradient = {{ a = "int(diff({H}, a), t, 1, 0)" }}',
    ],
)
def test_costates_may_be_written_as_derivatives_of_the_hamiltonian(claim: str) -> None:
    *_, result = judge(read_system(HAMILTONIAN + claim))
    right = claim == COSTATES + ENDS + f'gradient = {{ a = "int(diff({H}, a), t, 0, 1)" }}'
    assert result.verdict is (Verdict.PROVED if right else Verdict.REFUTED)


@pytest.mark.parametrize("gradient", ["diff(v(1), a)", "int(diff(x*v, t), t, 0, 1)", "int(diff(x(1)*v, a), t, 0, 1)"])
def test_total_derivatives_are_not_taken_for_partial_ones(gradient: str) -> None:
    *_, result = judge(read_system(HAMILTONIAN + f'gradient = {{ a = "{gradient}" }}'))
    assert result.verdict is Verdict.UNDECIDED
