"""Are claims on recurrences judged right, however their sums are written, and are shifted steps and ends named?"""

from __future__ import annotations

from dataclasses import replace

import pytest
from systems_bank import Base, recurrence

from verify.decide.systems import judge
from verify.decide.systems.result import SystemResult
from verify.language.toml import read_system
from verify.mutate import mutants
from verify.verdict import Verdict

LOGISTIC = recurrence("x", "p", "p*x*(1 - x)", "p/2", '"n"', "x^2")
ADJOINT = {"adjoint l1": "p*(1 - 2*x[k])*l1[k+1]", "terminal l1": "2*x[n]"}
RIGHT = {**ADJOINT, "gradient p": "l1[0]/2 + sum(l1[k]*x[k-1]*(1 - x[k-1]), k, 1, n)"}
SAVINGS = recurrence("x", "r;P;d", "(1 + r)*x + d", "P", '"n"', "x")
PAIR = recurrence("x;y", "a;b;c", "a*x + b*y^2; c*x + y", "1;a", '"n"', "x*y")
PAIR_CLAIM = {
    "adjoint l1": "a*l1[k+1] - c*l2[k+1]",
    "adjoint l2": "-2*b*y[k]*l1[k+1] + l2[k+1]",
    "terminal l1": "y[n]",
    "terminal l2": "-x[n]",
    "gradient a": "-l2[0] + sum(l1[k]*x[k-1], k, 1, n)",
    "gradient b": "sum(l1[k]*y[k-1]^2, k, 1, n)",
}


def judged(text: str) -> SystemResult:
    *_, result = judge(read_system(text))
    return result


def slip(result: SystemResult) -> str:
    assert result.verdict is Verdict.REFUTED
    assert result.worst is not None
    assert result.worst.diagnosis is not None
    return result.worst.diagnosis.slip


@pytest.mark.parametrize("sign", ["", "-"])
@pytest.mark.parametrize(
    ("steps", "total"),
    [
        ('"n"', "sum(l1[k+1]*x[k]*(1 - x[k]), k, 0, n - 1)"),
        ('"n"', "sum(l1[n-k]*x[n-k-1]*(1 - x[n-k-1]), k, 0, n - 1)"),
        ('"n"', "l1[n]*x[n-1]*(1 - x[n-1]) + sum(l1[k]*x[k-1]*(1 - x[k-1]), k, 1, n - 1)"),
        ('"n"', "sum(l1[k]*x[k-1]*(1 - x[k-1]), k, 0, n) - l1[0]*x[-1]*(1 - x[-1])"),
        ("1", "l1[1]*x[0]*(1 - x[0])"),
        ("3", "l1[1]*x[0]*(1 - x[0]) + l1[2]*x[1]*(1 - x[1]) + l1[3]*x[2]*(1 - x[2])"),
        ("3", "sum(l1[k]*x[k-1]*(1 - x[k-1]), k, 1, 3)"),
    ],
)
def test_a_sum_is_right_in_every_order_and_in_both_signs(steps: str, total: str, sign: str) -> None:
    claim = {"gradient p": f"{sign}(l1[0]/2 + {total})"}
    head = recurrence("x", "p", "p*x*(1 - x)", "p/2", steps, "x^2")
    assert judged(Base(head, claim).toml()).verdict is Verdict.PROVED


@pytest.mark.parametrize(
    ("steps", "total", "slips"),
    [
        ("n", "sum(l1[k]*x[k-1]*(1 - x[k-1]), k, 0, n)", "limits"),
        ("n", "sum(l1[k]*x[k-1]*(1 - x[k-1]), k, 1, n - 1)", "limits"),
        ("n", "sum(l1[k+1]*x[k]*(1 - x[k]), k, 0, n)", "limits"),
        ("n", "sum(l1[k+1]*x[k]*(1 - x[k]), k, 1, n)", "limits"),
        ("n", "sum(l1[k+1]*x[k-1]*(1 - x[k-1]), k, 1, n)", "index"),
        ("n", "sum(l1[k]*x[k]*(1 - x[k]), k, 0, n)", "index"),
        ("n", "sum(l1[k+1]*x[k-1]*(1 - x[k-1]), k, 1, n - 1)", "index"),
        (3, "sum(l1[k]*x[k-1]*(1 - x[k-1]), k, 0, 3)", "limits"),
        (3, "l1[1]*x[1]*(1 - x[1]) + l1[2]*x[2]*(1 - x[2]) + l1[3]*x[3]*(1 - x[3])", "index"),
    ],
)
def test_a_sum_over_other_steps_is_refuted_and_named(steps: int | str, total: str, slips: str) -> None:
    head = recurrence("x", "p", "p*x*(1 - x)", "1/3", repr(steps).replace("'", '"'), "x^2")
    claim = {**ADJOINT, "terminal l1": f"2*x[{steps}]", "gradient p": total}
    assert slip(judged(Base(head, claim).toml())) == slips


@pytest.mark.parametrize(
    ("part", "text", "named"),
    [
        ("terminal l1", "2*x[0]", "index"),
        ("terminal l1", "2*x[n-1]", "index"),
        ("terminal l1", "2*x[n+1]", "index"),
        ("adjoint l1", "p*(1 - 2*x[k])*l1[k-1]", "index"),
        ("adjoint l1", "p*(1 - x[k])*l1[k+1]", "factor"),
        ("gradient p", "l1[n]/2 + sum(l1[k]*x[k-1]*(1 - x[k-1]), k, 1, n)", "boundary"),
        ("gradient p", "l1[0]/2 + sum(l1[k]*x[k-1]^2*(1 - x[k-1]), k, 1, n)", "power"),
    ],
)
def test_a_wrong_part_is_named_and_its_correction_is_right(part: str, text: str, named: str) -> None:
    result = judged(Base(LOGISTIC, RIGHT).toml({part: text}))
    assert slip(result) == named
    mended = {each.name: each.correction for each in result.parts if each.correction}
    assert judged(Base(LOGISTIC, RIGHT).toml({part: text, **mended})).verdict is Verdict.PROVED


@pytest.mark.parametrize(
    ("head", "claim", "wrong", "named"),
    [
        (SAVINGS, {"P": "(1 + r)^n", "d": "((1 + r)^n - 1)/r"}, {"d": "((1 + r)^(n + 1) - 1)/r"}, "power"),
        (recurrence("x", "p", "p*x", "1", '"n"', "x^2"), {"p": "2*n*p^(2*n - 1)"}, {"p": "2*n*p^(2*n)"}, "power"),
        (recurrence("x", "p", "p*x", "1", '"n"', "x"), {"p": "n*x[n]/p"}, {"p": "-n*x[n]/p"}, "sign"),
        (recurrence("x", "p;q", "x + p*q", "p", '"n"', "x"), {"p": "1 + n*q"}, {"p": "n*q"}, "missing-term"),
        (recurrence("x", "p", "sin(p*x)", "1", "2", "x"), {"p": "cos(p*sin(p))*(sin(p) + p*cos(p))"},
         {"p": "cos(p*sin(p))*(sin(p) + p)"}, "missing-factor"),
    ],
)  # fmt: skip
def test_gradients_without_adjoint_are_proved_for_all_steps(
    head: str, claim: dict[str, str], wrong: dict[str, str], named: str
) -> None:
    base = Base(head, {f"gradient {name}": text for name, text in claim.items()})
    assert judged(base.toml()).verdict is Verdict.PROVED
    changes = {f"gradient {name}": text for name, text in wrong.items()}
    result = judged(base.toml(changes))
    assert slip(result) == named
    assert all("l1" not in part.correction for part in result.parts)
    mended = {part.name: part.correction for part in result.parts if part.correction}
    assert judged(base.toml({**changes, **mended})).verdict is Verdict.PROVED


def test_what_is_right_for_three_steps_alone_is_refuted() -> None:
    claim = {"gradient p": "n*p^(n - 1) + (n - 1)*(n - 2)*(n - 3)*p"}
    result = judged(Base(recurrence("x", "p", "p*x", "1", '"n"', "x"), claim).toml())
    assert result.verdict is Verdict.REFUTED


@pytest.mark.parametrize("part", list(PAIR_CLAIM))
def test_entries_of_different_signs_are_proved_and_no_mutant_is(part: str) -> None:
    system = read_system(Base(PAIR, PAIR_CLAIM).toml())
    assert next(judge(system)).verdict is Verdict.PROVED
    table, name = part.split()
    formulas = getattr(system.claim, table)
    wrong = list(mutants(formulas[name]))
    for mutant in wrong[:: max(1, len(wrong) // 3)]:
        claim = replace(system.claim, **{table: {**formulas, name: mutant.node}})
        assert next(judge(replace(system, claim=claim))).verdict < Verdict.SUPPORTED, mutant.node


def test_entries_of_different_signs_are_no_convention_where_one_of_them_is_not_used() -> None:
    claim = {name: text for name, text in PAIR_CLAIM.items() if not name.startswith("gradient")}
    assert judged(Base(PAIR, claim).toml()).verdict is Verdict.REFUTED


RUNNING = recurrence("x;S", "p", "p*x; S + (p*x)^2", "1;0", '"n"', "S")
RUNNING_CLAIM = {
    "adjoint l1": "p*(l1[k+1] + 2*x[k+1])",
    "adjoint l2": "1",
    "terminal l1": "0",
    "terminal l2": "1",
    "gradient p": "sum((l1[k] + 2*x[k])*x[k-1], k, 1, n)",
}


def test_the_adjoint_of_a_running_sum_may_be_written_as_the_number_that_it_is() -> None:
    assert judged(Base(RUNNING, RUNNING_CLAIM).toml()).verdict is Verdict.PROVED
    for part, wrong in (
        ("adjoint l2", "2"),
        ("adjoint l1", "p*(l1[k+1] + x[k+1])"),
        ("gradient p", "sum((l1[k] + x[k])*x[k-1], k, 1, n)"),
    ):
        assert judged(Base(RUNNING, {**RUNNING_CLAIM, part: wrong}).toml()).verdict is Verdict.REFUTED


def test_an_adjoint_that_is_multiplied_by_a_parameter_is_not_taken_for_a_number() -> None:
    head = recurrence("x;S", "p;g", "p*x; g*S + x", "1;0", '"n"', "S")
    claim = {"adjoint l1": "p*l1[k+1] + 1", "adjoint l2": "g*l2[k+1]", "terminal l1": "0", "terminal l2": "1"}
    assert judged(Base(head, claim).toml()).verdict is Verdict.REFUTED


TANH = recurrence("h", "w;u;x", "tanh(w*h + u*x)", "u", '"n"', "h")
TANH_CLAIM = {
    "adjoint l1": "l1[k+1]*w*(1 - h[k+1]^2)",
    "terminal l1": "1",
    "gradient w": "sum(l1[k]*(1 - h[k]^2)*h[k-1], k, 1, n)",
}
INNER = recurrence("x", "r;h", "x + h*r*sin(x + h*sin(x))", "1", '"n"', "x")
INNER_CLAIM = {
    "adjoint l1": "l1[k+1]*(1 + h*r*cos(x[k] + h*sin(x[k]))*(1 + h*cos(x[k])))",
    "terminal l1": "1",
    "gradient r": "sum(l1[k]*h*sin(x[k-1] + h*sin(x[k-1])), k, 1, n)",
}


@pytest.mark.parametrize(
    ("head", "claim", "part", "wrong", "named"),
    [
        (TANH, TANH_CLAIM, "gradient w", "sum(l1[k]*(1 - h[k]^2)*h[k], k, 1, n)", "index"),
        (TANH, TANH_CLAIM, "gradient w", "sum(l1[k]*(1 - h[k-1]^2)*h[k-1], k, 1, n)", "index"),
        (TANH, TANH_CLAIM, "gradient w", "sum(l1[k]*(1 - tanh(h[k])^2)*h[k-1], k, 1, n)", "function"),
        (TANH, TANH_CLAIM, "adjoint l1", "l1[k+1]*w*h[k+1]*(1 - h[k+1])", "function"),
        (INNER, INNER_CLAIM, "adjoint l1", "l1[k+1]*(1 + h*r*cos(x[k] + h*sin(x[k])))", "chain"),
    ],
)
def test_shifts_of_single_factors_and_lost_inner_derivatives_are_named(
    head: str, claim: dict[str, str], part: str, wrong: str, named: str
) -> None:
    assert judged(Base(head, claim).toml()).verdict is Verdict.PROVED
    assert slip(judged(Base(head, {**claim, part: wrong}).toml())) == named


@pytest.mark.parametrize(
    ("gradient", "named"),
    [("sum(k*r*g^k, k, 1, n)", "power"), ("sum(r*g^(k-1), k, 1, n)", "missing-factor"),
     ("-sum(k*r*g^(k-1), k, 1, n)", "sign"), ("sum(k*r*g^(k-1), k, 0, n-1)", "any")],
)  # fmt: skip
def test_a_wrong_gradient_without_adjoint_is_repaired_at_several_lengths(gradient: str, named: str) -> None:
    head = recurrence(
        "x",
        "g;r",
        "x + g^k*r",
        "0",
        '"n"',
        "x",
    )
    assert judged(Base(head, {"gradient g": "sum(k*r*g^(k-1), k, 1, n)"}).toml()).verdict >= Verdict.SUPPORTED
    result = judged(Base(head, {"gradient g": gradient}).toml())
    assert result.verdict is Verdict.REFUTED
    assert named == "any" or slip(result) == named


def test_an_entry_that_is_lost_is_no_transpose_where_another_equation_is_right() -> None:
    """Without its part of l1 the equation of l2 is that of a Jacobian that is not transposed; that of l1 is not."""
    head = recurrence("m;P", "a;q", "a*m + P*m; q*P", "1;1", '"n"', "m^2")
    claim = {
        "adjoint l1": "(a + P[k])*l1[k+1]",
        "adjoint l2": "m[k]*l1[k+1] + q*l2[k+1]",
        "terminal l1": "2*m[n]",
        "terminal l2": "0",
        "gradient q": "sum(l2[k]*P[k-1], k, 1, n)",
    }
    assert judged(Base(head, claim).toml()).verdict is Verdict.PROVED
    assert slip(judged(Base(head, {**claim, "adjoint l2": "q*l2[k+1]"}).toml())) == "missing-term"
    both = {"adjoint l1": "(a + P[k])*l1[k+1] + m[k]*l2[k+1]", "adjoint l2": "q*l2[k+1]"}
    assert slip(judged(Base(head, {**claim, **both}).toml())) == "transpose"


def test_a_parameter_is_not_called_as_the_step_is() -> None:
    text = Base(recurrence("x", "k", "x - k*x", "1", '"n"', "x"), {"gradient k": "0"}).toml()
    with pytest.raises(ValueError, match="'k' is the step here; rename it"):
        read_system(text)
