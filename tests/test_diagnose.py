"""A refuted formula is explained by the smallest slip, and the formula without it is right."""

import json
from pathlib import Path

import pytest

from verify.decide.diagnose.diagnosis import diagnose
from verify.decide.diagnose.formula import NoFormula, differentiate, expanded, tidy
from verify.decide.enclose.search import search
from verify.graph import Node
from verify.language import read_claim, read_expression, write
from verify.verdict import Diagnosis, Verdict

CORPORA = Path(__file__).parent / "data" / "corpora"
#: Other names under which a slip counts as named right.
ALSO = {"factor": {"missing-factor"}, "missing-factor": {"factor"}, "rounding": {"factor"}}


def explained(text: str, let: dict | None = None) -> tuple[Diagnosis | None, Node | None]:
    claim = read_claim(text, let)
    found = search(claim)
    assert found.counterexample is not None
    return diagnose(claim, found)


@pytest.mark.parametrize(
    ("text", "slip", "says", "correction"),
    [
        ("d/dx sin(x)^2 = -2*sin(x)*cos(x)", "sign", "the right-hand side is -1 times the truth", "2*sin(x)*cos(x)"),
        ("d/dx sin(x)^2 = sin(x)*cos(x)", "factor", "the right-hand side is 1/2 times the truth", "2*sin(x)*cos(x)"),
        ("d/dx exp(x^2) = exp(x^2)", "missing-factor", "the right-hand side lacks the factor 2*x", None),
        ("d/dx exp(a*x) = exp(a*x)", "missing-factor", "the right-hand side lacks the factor a", None),
        ("d/dx log(x^2 + 1) = 2*x", "missing-factor", "lacks the divisor", None),
        ("d/dx (x*sin(x)) = x*cos(x)", "missing-term", "the right-hand side lacks the term sin(x)", None),
        ("d/dx x^3 = 3*x^3", "power", "has the exponent 3 instead of 2", "3*x^2"),
        ("d/dx x^3 = 3*x", "power", "x lacks the exponent 2", "3*x^2"),
        ("d/dx sin(a*x) = a*cos(a*a)", "swap", "a stands for x", "a*cos(a*x)"),
        ("d/dx sin(x) = sin(x)", "function", "stands for cos", "cos(x)"),
        ("d/dx atan(x) = 1/(1 - x^2)", "sign", "wrong sign", "1/(1 + x^2)"),
        ("d/dx tanh(x) = 1 + tanh(x)^2", "sign", "wrong sign", "1 - tanh(x)^2"),
        ("d/dx tan(x) = 1.000001*(1 + tan(x)^2)", "rounding", "1.000001 times the truth", "1 + tan(x)^2"),
        ("d/dx cos(x) = -sin(x*1.000000001)", "rounding", "1.000000001 times", "-sin(x)"),
        ("sin(x)^2 + cos(x)^2 = 2", "factor", "the right-hand side is 2 times the truth", "1"),
        ("-cos(x) = d/dx sin(x)", "sign", "the left-hand side is -1 times the truth", "cos(x)"),
        ("d/dx erf(x) = exp(-x^2)/sqrt(pi)", "factor", "1/2 times the truth", None),
        ("d/dx erf(x) = 2*exp(-x^2)", "factor", "lacks the divisor sqrt(pi)", None),
    ],
)
def test_the_slip_is_named_and_the_formula_without_it_is_proved(
    text: str, slip: str, says: str, correction: str | None
) -> None:
    diagnosis, formula = explained(text)
    assert diagnosis is not None
    assert formula is not None
    assert (diagnosis.slip, diagnosis.verdict) == (slip, Verdict.PROVED)
    assert says in diagnosis.says
    if correction is not None:
        assert write(formula) == correction


def test_a_formula_that_holds_on_a_part_of_the_domain_says_where() -> None:
    diagnosis, formula = explained("d/dx abs(x) = 1")
    assert diagnosis is not None
    assert (diagnosis.slip, diagnosis.says) == ("domain", "right where x > 0, wrong elsewhere")
    assert diagnosis.verdict is Verdict.PROVED
    assert formula is not None
    assert write(formula) == "sign(x)"


def test_without_a_single_slip_the_derivative_is_worked_out() -> None:
    diagnosis, formula = explained("d/dx (x^2*sin(x)) = 7*cos(x) + 1/x")
    assert diagnosis is None
    assert formula is not None
    assert write(formula) == "2*x*sin(x) + x^2*cos(x)"


def test_nothing_is_made_up_where_nothing_is_known() -> None:
    assert explained("gamma(x) = exp(x)*log(x + 1)") == (None, None)


def test_published_formulas_with_a_slip_on_the_right_are_explained() -> None:
    """At least 80 of 100 by the right name; every correction is judged before it is shown."""
    named = total = 0
    for name in ("diffrules", "chainrules", "autograd", "torch", "stan", "fungrim"):
        for line in (CORPORA / f"{name}.jsonl").read_text().splitlines():
            case = json.loads(line)
            if case["truth"] == "true" or case["side"] == "left" or case["tag"] == "exotic":
                continue
            diagnosis, formula = explained(case["claim"], case["let"])
            total += 1
            named += diagnosis is not None and diagnosis.slip in {case["slip"], *ALSO.get(case["slip"], ())}
            assert formula is not None, case["claim"]
    assert total > 100
    assert named / total >= 0.8


@pytest.mark.parametrize(
    ("text", "derivative"),
    [
        ("sin(x)^2", "2*sin(x)*cos(x)"),
        ("x^n", "n*x^(n - 1)"),
        ("2^x", "2^x*log(2)"),
        ("1/sqrt(x)", "-1/(2*x^(3/2))"),
        ("atan(sqrt(x))", "1/(2*sqrt(x)*(1 + x))"),
        ("abs(x)", "sign(x)"),
        ("max(x, 0)", "piecewise((1, x >= 0), (0, otherwise))"),
        ("tanh(a*x + b)", "a*(1 - tanh(a*x + b)^2)"),
        ("x/(1 + x)", "1/(1 + x) - x/(1 + x)^2"),
        ("E^(2*x)", "2*E^(2*x)"),
        ("3 + 0*log(x)", "0"),
    ],
)
def test_derivatives_read_well(text: str, derivative: str) -> None:
    assert write(tidy(differentiate(read_expression(text), "x"))) == derivative


def test_a_derivative_without_a_rule_is_no_formula() -> None:
    with pytest.raises(NoFormula, match="besselj with respect to its argument 1"):
        expanded(read_expression("d/dn besselj(n, x)"))


def test_a_formula_repaired_on_all_but_the_kinks_is_not_called_proved_there() -> None:
    diagnosis, _ = explained("d/dx abs(x)^3 = 2*abs(x)^2*sign(x) with x: real, everywhere")
    assert diagnosis is None or diagnosis.verdict < Verdict.PROVED
