"""Are adjoint systems judged right?  The whole bank, and what must not be mistaken for a mistake."""

from __future__ import annotations

import pytest
from systems_bank import BASES, PT, RIGHT, WRONG, Base, Row, implicit, ode, recurrence

from verify.decide.systems import judge
from verify.decide.systems.result import SystemResult
from verify.language.toml import read_system
from verify.verdict import Rigor, Verdict

QUICK = [row for row in (*RIGHT, *WRONG) if row.base not in ("full", "lotka-volterra", "pendulum", "neuron")]
LONG = [row for row in (*RIGHT, *WRONG) if row not in QUICK]
KEPT = {"adjoint l1": "-p*l1", "terminal l1": "u", "gradient p": "int(l1*u, t, 0, T)"}


def judged(text: str) -> SystemResult:
    *_, result = judge(read_system(text))
    return result


def growth(changes: dict[str, str], **more: str) -> SystemResult:
    head = {"initial": "1", "rhs": "p*u", "terminal": "u^2/2", "running": ""} | more
    return judged(
        Base(ode("u", "p", head["rhs"], head["initial"], "0; T", head["terminal"], head["running"], PT), {}).toml(
            changes
        )
    )


def check(row: Row) -> None:
    result = judged(row.toml)
    if row in RIGHT:
        assert result.verdict >= Verdict.SUPPORTED, result
        return
    assert result.verdict is Verdict.REFUTED, result
    wrong = [part for part in result.parts if part.verdict is Verdict.REFUTED]
    assert all(part.correction for part in wrong)
    if row.slip:
        assert result.worst is not None
        assert result.worst.diagnosis is not None, wrong
        assert result.worst.diagnosis.slip in (row.slip, *row.also)
        assert result.worst.diagnosis.verdict >= Verdict.SUPPORTED or row.slip == "function"


@pytest.mark.parametrize("row", [*QUICK[::2], LONG[0], LONG[-1]], ids=lambda row: row.name)
def test_a_system_is_judged_right(row: Row) -> None:
    check(row)


@pytest.mark.thorough
@pytest.mark.parametrize("row", [*QUICK[1::2], *LONG[1:-1]], ids=lambda row: row.name)
def test_every_system_of_the_bank_is_judged_right(row: Row) -> None:
    check(row)


@pytest.mark.parametrize(
    "row", [row for row in WRONG if row.base in ("map", "cubic", "linear", "three")], ids=lambda r: r.name
)
def test_a_correction_put_in_place_is_right(row: Row) -> None:
    result = judged(row.toml)
    mended = {part.name: part.correction for part in result.parts if part.correction}
    assert judged(BASES[row.base].toml({**row.changes, **mended})).verdict >= Verdict.SUPPORTED


def test_parts_are_judged_in_the_convention_that_fits_most_of_them() -> None:
    result = growth({**KEPT, "terminal l1": "-u"})
    verdicts = {part.name: part.verdict for part in result.parts}
    assert verdicts["terminal l1"] is Verdict.REFUTED
    assert verdicts["adjoint l1"] is verdicts["gradient p"] is Verdict.PROVED


def test_the_problem_gets_the_minimum_of_its_parts() -> None:
    result = growth({**KEPT, "terminal l1": "sqrt(u^2)"})
    assert [part.verdict for part in result.parts] == [Verdict.PROVED, Verdict.SUPPORTED, Verdict.PROVED]
    assert result.verdict is Verdict.SUPPORTED


def test_what_is_not_claimed_is_derived_in_the_convention_of_the_claim() -> None:
    result = growth({"terminal l1": "-u", "gradient p": "-int(l1*u, t, 0, T)"})
    assert dict(result.derived) == {"adjoint l1": "-l1*p"}
    assert result.convention


def test_a_refutation_by_balls_that_are_apart_says_so() -> None:
    result = growth({**KEPT, "adjoint l1": "p*l1"})
    assert (result.verdict, result.rigor) == (Verdict.REFUTED, Rigor.ENCLOSED)


def test_a_refuted_recurrence_is_refuted_exactly_for_a_number_of_steps() -> None:
    result = judged(BASES["map"].toml({"gradient p": "sum(l1[k]*x[k-1]*(1 - x[k-1]), k, 1, n)"}))
    assert result.rigor is Rigor.ENCLOSED
    assert result.worst is not None
    assert result.worst.counterexample is not None
    assert result.worst.counterexample.point["n"] in ("1", "2", "3")


def test_an_equation_that_holds_along_the_solutions_only_is_not_refuted() -> None:
    assert growth({**KEPT, "terminal l1": "sqrt(u^2)"}).verdict is Verdict.SUPPORTED


def test_an_adjoint_scaled_by_a_function_of_time_is_not_refuted_where_the_system_is_consistent() -> None:
    text = Base(
        ode("u", "p; r", "-p*u", "1", "0; T", "", "exp(-r*t)*u^2", f'{PT}, r = "interval(0.1, 1)"'),
        {"adjoint l1": "(r + p)*l1 - 2*u", "terminal l1": "0", "gradient p": "-int(exp(-r*t)*l1*u, t, 0, T)"},
    )  # fmt: skip
    assert judged(text.toml()).verdict is Verdict.SUPPORTED
    assert judged(text.toml({"adjoint l1": "(r - p)*l1 - 2*u"})).verdict is Verdict.REFUTED


def test_a_wrong_adjoint_is_refuted_though_no_gradient_depends_on_it() -> None:
    result = growth({**KEPT, "adjoint l1": "p*l1", "gradient p": "T*exp(2*p*T)"})
    assert result.verdict is Verdict.REFUTED


def test_entries_of_an_adjoint_in_different_units_are_no_mistake() -> None:
    head = ode("x; y", "a", "-2*x + a*y; -a*y*x", "1; 1", "0; 1", "x^2 + y", "", 'a = "interval(0.5, 2)"')
    claim = {"adjoint l1": "2*l1 + 3*a*y*l2", "adjoint l2": "-a*l1/3 + a*x*l2", "terminal l1": "2*x",
             "terminal l2": "1/3", "gradient a": "int(l1*y - 3*l2*x*y, t, 0, 1)"}  # fmt: skip
    assert judged(Base(head, claim).toml()).verdict >= Verdict.SUPPORTED
    assert judged(Base(head, claim).toml({"terminal l2": "1"})).verdict is Verdict.REFUTED


SWITCH = ode("x", "p", "piecewise((1, x < p), (2, otherwise))", "0", "0; 2", "x", "", 'p = "interval(0.5, 1)"')
STILL = {"adjoint l1": "0", "terminal l1": "1"}


@pytest.mark.parametrize("gradient", ["0", "-1", "int(l1*0, t, 0, 2)", "1"])
def test_a_right_hand_side_that_jumps_is_not_taken_for_a_smooth_one(gradient: str) -> None:
    # x(T) = 2*T - p: the derivative is -1, and the adjoint system without a jump gives 0.
    result = judged(Base(SWITCH, {**STILL, "gradient p": gradient}).toml())
    assert result.verdict is Verdict.UNDECIDED
    assert all(part.verdict is not Verdict.PROVED for part in result.parts)


@pytest.mark.parametrize(
    ("rhs", "gradient"),
    [
        ("abs(t - p)/(t - p) - u", "0"),
        ("(t - p)/sqrt((t - p)^2) - u", "0"),
        ("atan(1/(t - p)) - u", "int(l1/((t - p)^2 + 1), t, 0, 1)"),
        ("sign(t - p) - u", "0"),
    ],
)
def test_a_jump_that_moves_with_a_parameter_is_seen(rhs: str, gradient: str) -> None:
    head = ode("u", "p", rhs, "1", "0; 1", "u", "", 'p = "interval(0.3, 0.6)"')
    claim = {"adjoint l1": "l1", "terminal l1": "1", "gradient p": gradient}
    assert judged(Base(head, claim).toml()).verdict is Verdict.UNDECIDED


def test_a_jump_that_nothing_crosses_leaves_the_gradient_alone() -> None:
    head = SWITCH.replace("x < p", "x > -p").replace("(1,", "(p,")
    claim = {**STILL, "gradient p": "int(l1, t, 0, 2)"}
    assert judged(Base(head, claim).toml()).verdict is Verdict.SUPPORTED
    assert judged(Base(head, claim).toml({"gradient p": "int(2*l1, t, 0, 2)"})).verdict is Verdict.REFUTED


def test_an_adjoint_that_nothing_depends_on_has_the_usual_sign() -> None:
    head = ode("x; y", "a", "-2*x; -a*y", "1; 1", "0; 1", "x^2 + y^2", "", 'a = "interval(0.5, 2)"')
    claim = {"adjoint l1": "2*l1", "adjoint l2": "a*l2", "terminal l1": "2*x", "terminal l2": "2*y",
             "gradient a": "-int(l2*y, t, 0, 1)"}  # fmt: skip
    assert judged(Base(head, claim).toml()).verdict is Verdict.PROVED
    assert judged(Base(head, claim).toml({"terminal l1": "-2*x"})).verdict is Verdict.REFUTED


def test_a_factor_without_a_gradient_is_left_open() -> None:
    assert growth({"adjoint l1": "-p*l1", "terminal l1": "3*u"}).verdict is Verdict.UNDECIDED
    assert growth({"gradient p": "2*int(l1*u, t, 0, T)"}).verdict is Verdict.UNDECIDED


def test_nothing_is_proved_of_solutions_that_do_not_exist() -> None:
    text = Base(
        ode("u", "p", "p*u^2", "1", "0; 5", "u^2", "", 'p = "interval(0.5, 2)"'),
        {"adjoint l1": "-2*p*u*l1", "terminal l1": "2*u", "gradient p": "int(l1*u^2, t, 0, 5)"},
    )
    result = judged(text.toml())
    assert result.verdict is Verdict.UNDECIDED
    assert "no solution" in result.reason


def test_a_claim_without_a_value_along_the_solutions_is_not_proved() -> None:
    assert growth({**KEPT, "adjoint l1": "-p*l1*log(u)/log(u)"}, initial="-1").verdict is Verdict.UNDECIDED


def test_a_small_error_in_a_closed_form_is_seen() -> None:
    assert growth({"gradient p": "1.0000001*T*exp(2*p*T)"}).verdict is Verdict.REFUTED


def test_the_final_time_in_the_terminal_cost_counts() -> None:
    claim = {"adjoint l1": "-p*l1", "terminal l1": "T*u", "gradient T": "u(T)^2/2 + l1(T)*p*u(T)"}
    assert growth(claim, terminal="t*u^2/2").verdict is Verdict.PROVED
    assert growth({**claim, "gradient T": "l1(T)*p*u(T)"}, terminal="t*u^2/2").verdict is Verdict.REFUTED


def test_equations_hold_where_the_residual_vanishes() -> None:
    head = implicit("u", "p", "u*exp(u) + p^3 + sin(p) - u^2", "u")
    claim = {"adjoint 1": "(exp(u) + u*exp(u) - 2*u)*l1 = 1", "gradient p": "-l1*(3*p^2 + cos(p))"}
    assert judged(Base(head, claim).toml()).verdict is Verdict.PROVED
    on_it = {"gradient p": "-l1*(3*p^2 + cos(p)) + u*exp(u) + p^3 + sin(p) - u^2"}
    assert judged(Base(head, claim).toml(on_it)).verdict is Verdict.SUPPORTED
    assert judged(Base(head, claim).toml({"gradient p": "l1*(3*p^2 + cos(p))"})).verdict is Verdict.REFUTED


def test_equations_that_leave_the_adjoint_open_are_not_proved() -> None:
    head = implicit("u", "p", "u^3 + u - p", "u^2 + p")
    assert judged(Base(head, {"adjoint 1": "0*l1 = 0", "gradient p": "1 + l1"}).toml()).verdict is Verdict.UNDECIDED


def test_another_quantity_in_the_place_of_the_adjoint_is_no_mistake() -> None:
    head = implicit("u", "p", "u^3 + u - p", "u^2 + p")
    forward = {"adjoint 1": "(3*u^2 + 1)*l1 = 1", "gradient p": "1 + 2*u*l1"}
    assert judged(Base(head, forward).toml()).verdict is Verdict.SUPPORTED
    assert judged(Base(head, forward).toml({"gradient p": "1 + u*l1"})).verdict is Verdict.REFUTED


def test_a_given_number_of_steps_is_written_out() -> None:
    head = recurrence("x", "p", "x + p*sin(x)", "1", "10", "x^2")
    claim = {"adjoint l1": "(1 + p*cos(x[k]))*l1[k+1]", "terminal l1": "2*x[10]"}
    right = {**claim, "gradient p": "sum(l1[k]*sin(x[k-1]), k, 1, 10)"}
    assert judged(Base(head, right).toml()).verdict is Verdict.PROVED
    assert judged(Base(head, right).toml({"gradient p": "sum(l1[k]*sin(x[k]), k, 1, 10)"})).verdict is Verdict.REFUTED


def test_two_runs_give_the_same_record() -> None:
    records = [growth({**KEPT, "gradient p": "-int(l1*u, t, 0, T)"}).to_json() for _ in range(2)]
    assert records[0] == records[1]


@pytest.mark.parametrize(
    ("residual", "equation", "gradient"),
    [("u^2 + p^2 + 1", "2*u*l1 = 1", "-2*p*l1"), ("(u - p)^2", "2*(u - p)*l1 = 1", "2*(u - p)*l1")],
    ids=["no real solution", "a double root"],
)
def test_equations_that_determine_nothing_prove_nothing(residual: str, equation: str, gradient: str) -> None:
    lines = [
        'kind = "implicit-gradient"', "[implicit]", 'state = ["u"]', 'parameters = ["p"]', f'residual = ["{residual}"]',
        "[objective]", 'value = "u"', "[claim]", f'adjoint = ["{equation}"]', f'gradient = {{ p = "{gradient}" }}',
    ]  # fmt: skip
    *_, result = judge(read_system("\n".join(lines)))
    assert result.verdict is Verdict.UNDECIDED
    assert "no solution with an invertible Jacobian" in result.reason
