"""Is an activation that is taken for another one named, and nothing named where it is not?"""

from __future__ import annotations

import pytest

from verify.decide.systems import judge
from verify.decide.systems.activations import activation_variants, argument_of_logistic
from verify.language import read_expression, write
from verify.language.toml import read_system
from verify.verdict import Verdict

LAYER = """\
kind = "ode-gradient"
let = {{ w = "interval(0.5, 1.5)", b = "interval(-0.5, 0.5)" }}
[ode]
state = ["h"]
parameters = ["w", "b"]
rhs = ["{f} - h"]
initial = ["1"]
time = ["0", "1"]
[objective]
terminal = "h^2"
[claim]
adjoint = {{ l1 = "l1 - w*{slope}*l1" }}
terminal = {{ l1 = "2*h" }}
gradient = {{ b = "int(l1*{weight}, t, 0, 1)" }}
"""
Z = "(w*h + b)"
RIGHT = {"tanh": f"(1 - tanh{Z}^2)", "sigmoid": f"sigmoid{Z}*(1 - sigmoid{Z})", "softplus": f"sigmoid{Z}"}


@pytest.mark.parametrize(
    ("f", "slope", "says"),
    [
        ("tanh", f"tanh{Z}*(1 - tanh{Z})", "stands for 1 - s^2"),
        ("tanh", f"(1 - sigmoid{Z}^2)", "stands for tanh"),
        ("sigmoid", f"(1 - sigmoid{Z}^2)", "stands for s*(1 - s)"),
        ("sigmoid", f"tanh{Z}*(1 - tanh{Z})", "stands for the logistic function"),
        ("softplus", f"tanh{Z}", "stands for the logistic function"),
    ],
)
def test_an_activation_in_the_place_of_another_is_named(f: str, slope: str, says: str) -> None:
    text = LAYER.format(f=f"{f}{Z}", slope=slope, weight=RIGHT[f])
    *_, result = judge(read_system(text))
    verdicts = {part.name: part.verdict for part in result.parts}
    assert verdicts["adjoint l1"] is Verdict.REFUTED
    assert verdicts["gradient b"] is Verdict.PROVED
    assert result.worst is not None
    assert result.worst.diagnosis is not None
    assert result.worst.diagnosis.slip == "function"
    assert says in result.worst.diagnosis.says
    assert result.worst.diagnosis.verdict is Verdict.PROVED


def test_it_is_named_in_a_gradient_as_well() -> None:
    text = LAYER.format(f=f"tanh{Z}", slope=RIGHT["tanh"], weight=f"tanh{Z}*(1 - tanh{Z})")
    *_, result = judge(read_system(text))
    assert [part.diagnosis.slip for part in result.parts if part.diagnosis] == ["function"]


@pytest.mark.parametrize("text", ["1/(1 + exp(z))^2", "1/(2 + exp(z))", "1/(1 + exp(z) + z)", "1 + exp(z)", "z^(-1)"])
def test_what_only_looks_like_the_logistic_function_is_left_alone(text: str) -> None:
    assert argument_of_logistic(read_expression(text)) is None


def test_the_argument_of_the_logistic_function_is_found() -> None:
    for text in ("sigmoid(a*z - 1)", "1/(exp(1 - a*z) + 1)"):
        found = argument_of_logistic(read_expression(text))
        assert found is not None
        assert write(found) in ("a*z - 1", "-1 + a*z")


def test_nothing_is_changed_where_no_activation_is() -> None:
    right = read_expression("x")
    assert not list(activation_variants(read_expression("x*(1 - x) + cos(x)*(1 - x^2)"), right))
