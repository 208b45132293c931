"""What a derivation's verdict rests on: every way in which a part can fail shows."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from sympy import Derivative, Function, ImmutableMatrix, Integral, Symbol, cos, exp, pi, sin, sqrt, symbols

from verify.decide.words import matrices
from verify.derivation import (
    Derivation,
    Hypothesis,
    Mutant,
    Printed,
    Reference,
    Route,
    Series,
    Statement,
    Step,
    all_derivations,
    find,
    main,
    run,
)
from verify.steps import decide_expressions, decide_step
from verify.verdict import Evidence, Rigor, Verdict

x, y = symbols("x y", real=True)
A, B = matrices("A B", "n", "n")

TRUE = Step("double angle", sin(2 * x), 2 * sin(x) * cos(x))
FALSE = Step("wrong", sin(2 * x), 2 * sin(x))
STATEMENT = Statement("test-only", "A test", "Something simple.")


def cases(rng: np.random.Generator) -> Iterator[dict[str, Any]]:
    while True:
        yield {"x": rng.uniform(0.5, 1.0)}


def route(factor: float = 1.0, **more: Any) -> Route:
    return Route("numeric", lambda x: factor * np.sin(2 * x), 1e-12, frozenset({"numpy"}), **more)


def derivation(*steps: Step, **more: Any) -> Derivation:
    reference = Reference(2 * sin(x) * cos(x), (x,), ())
    fields: dict[str, Any] = {"reference": reference, "cases": cases} | more
    return Derivation(STATEMENT, lambda: iter(steps), **fields)


# --- steps --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("steps", "verdict"),
    [
        ([TRUE], Verdict.PROVED),
        ([TRUE, FALSE], Verdict.REFUTED),
        ([Step("words", (A @ B).T, B.T @ A.T)], Verdict.PROVED),
        ([Step("words that commute", A @ B, B @ A)], Verdict.UNDECIDED),
        ([TRUE, Step("by hand", sin(x), sin(x), cited="Euler")], Verdict.SUPPORTED),
        ([], Verdict.UNDECIDED),
    ],
    ids=["proved", "refuted", "words", "words left open", "cited", "nothing"],
)
def test_the_verdict_is_the_minimum_over_the_steps(steps: list[Step], verdict: Verdict) -> None:
    assert run(derivation(*steps)).verdict is verdict


def test_a_cited_step_is_named_and_caps_the_verdict() -> None:
    result = run(derivation(TRUE, Step("by hand", x, x, cited="Euler (1748)")))
    assert result.rests_on == ("by hand (Euler (1748))",)
    assert result.steps[1].rigor is Rigor.ASSUMED


def test_a_refuted_step_carries_its_counterexample() -> None:
    step = run(derivation(FALSE)).steps[0]
    assert step.counterexample is not None
    assert "x" in step.counterexample.point


def test_a_matrix_step_fails_with_its_worst_entry() -> None:
    right = ImmutableMatrix([[sin(x) ** 2, x], [0, 1]])
    assert decide_expressions(right, ImmutableMatrix([[1 - cos(x) ** 2, x], [0, 1]]), {}).verdict is Verdict.PROVED
    assert decide_expressions(right, ImmutableMatrix([[1 - cos(x) ** 2, y], [0, 1]]), {}).verdict is Verdict.REFUTED


def test_sides_of_different_shapes_are_an_error() -> None:
    with pytest.raises(ValueError, match="shapes"):
        decide_expressions(ImmutableMatrix([1, 2]), ImmutableMatrix([[1, 2]]), {})


def test_undefined_functions_are_unknowns() -> None:
    f: Any = Function("f")
    g: Any = Function("g")
    product_rule = Step("", Derivative(f(x) * g(x), x), f(x) * g(x).diff(x) + g(x) * f(x).diff(x))
    assert decide_step(product_rule, {}).verdict is Verdict.PROVED
    assert decide_step(replace(product_rule, rhs=f(x).diff(x) * g(x).diff(x)), {}).verdict is Verdict.REFUTED
    chain = Step("", f(x**2).diff(x), 2 * x * f(y).diff(y).subs(y, x**2))
    assert decide_step(chain, {}).verdict is Verdict.PROVED


def test_integrals_prove_what_cancels_and_refute_nothing() -> None:
    area = Integral(exp(-(x**2)), (x, 0, y))
    assert decide_step(Step("", 2 * area + y, y + area + area), {}).verdict is Verdict.PROVED
    # True, because the integrals are related; as unknowns they differ.
    halves = Step("", Integral(exp(-(x**2)), (x, -y, y)), 2 * area)
    assert decide_step(halves, {}).verdict is Verdict.UNDECIDED


def test_declarations_of_the_step_are_added_to_those_of_the_derivation() -> None:
    root = Step("", sqrt(x**2), x, domain={x: "positive"})
    assert run(derivation(root)).verdict is Verdict.PROVED
    assert run(derivation(replace(root, domain={}))).verdict is Verdict.REFUTED
    assert run(derivation(replace(root, domain={}), domain={"x": "interval(1, 2)"})).verdict is Verdict.PROVED


def test_assumptions_of_a_symbol_are_part_of_the_domain() -> None:
    positive = Symbol("x", positive=True)
    assert decide_step(Step("", sqrt(positive**2), positive), {}).verdict is Verdict.PROVED
    with pytest.raises(ValueError, match="carries assumptions"):
        decide_step(Step("", sqrt(positive**2), positive), {"x": "real"})


def test_a_step_about_numbers_needs_no_domain() -> None:
    assert decide_step(Step("", sin(pi / 6), cos(pi / 3)), {}).verdict is Verdict.PROVED


# --- hypotheses, uses ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("evidence", "verdict"),
    [
        (Evidence("limit", Rigor.EXACT, True), Verdict.PROVED),
        (Evidence("sampled", Rigor.NUMERICAL, True), Verdict.SUPPORTED),
        (Evidence("cited", Rigor.ASSUMED, None), Verdict.SUPPORTED),
        (Evidence("limit", Rigor.EXACT, False), Verdict.UNDECIDED),
        (Evidence("limit", Rigor.EXACT, None), Verdict.UNDECIDED),
    ],
    ids=["exact", "numerical", "assumed", "fails", "unknown"],
)
def test_a_hypothesis_bounds_the_verdict(evidence: Evidence, verdict: Verdict) -> None:
    result = run(derivation(TRUE, hypotheses=(Hypothesis("decays", lambda: evidence),)))
    assert result.verdict is verdict
    assert result.rests_on == (("decays",) if evidence.rigor is Rigor.ASSUMED else ())


def test_a_lemma_that_is_only_supported_carries_no_proof() -> None:
    lemma = derivation(Step("by hand", x, x, cited="Euler"))
    result = run(derivation(TRUE, uses=(lemma,)))
    assert result.verdict is Verdict.SUPPORTED
    assert result.rests_on == ("by hand (Euler)",)


# --- routes and mutants -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("factor", "holds", "verdict"),
    [
        (1.0, True, Verdict.PROVED),
        (1 + 1e-10, None, Verdict.UNDECIDED),
        (1 + 1e-6, False, Verdict.REFUTED),
        (np.nan, None, Verdict.UNDECIDED),
        (np.inf, None, Verdict.UNDECIDED),
    ],
)
def test_a_route_refutes_only_from_far(factor: float, holds: bool | None, verdict: Verdict) -> None:
    result = run(derivation(TRUE, routes=(route(factor),)))
    assert result.routes[0].holds is holds
    assert result.verdict is verdict


def test_a_route_must_show_the_order_it_claims() -> None:
    def converging(order: int) -> Route:
        value = lambda x, steps: np.sin(2 * x) * (1 + steps**-4.0)  # noqa: E731
        return Route("steps", value, 1e-6, frozenset({"steps"}), order=order)

    assert run(derivation(TRUE, routes=(converging(4),))).verdict is Verdict.PROVED
    assert run(derivation(TRUE, routes=(converging(3),))).verdict is Verdict.REFUTED
    exact = Route("exact", lambda x, steps: np.sin(2 * x) + 0 * steps, 1e-6, frozenset({"steps"}), order=4)
    assert run(derivation(TRUE, routes=(exact,))).verdict is Verdict.UNDECIDED  # round-off shows no order


@pytest.mark.parametrize(
    ("mutant", "by"),
    [
        (Mutant("sign", "minus", lambda x: -np.sin(2 * x)), ("numeric",)),
        (Mutant("factor", "1 + 1e-9", lambda x: (1 + 1e-9) * np.sin(2 * x)), ("numeric",)),
        (Mutant("sign", "minus", -2 * sin(x) * cos(x)), ("enclosure",)),
        (Mutant("none", "the same", lambda x: np.sin(2 * x)), ()),
        (Mutant("none", "the same", sin(2 * x)), ()),
        (Mutant("nan", "no number", lambda x: np.nan * x), ()),
    ],
)
def test_a_mutant_that_nothing_rejects_shows(mutant: Mutant, by: tuple[str, ...]) -> None:
    result = run(derivation(TRUE, routes=(route(),), mutants=(mutant,)))
    assert result.mutants[0].rejected_by == by
    assert result.holds is bool(by)


def test_a_printed_formula_is_judged_with_its_correction() -> None:
    printed = Printed("a slide", "…", "sin(2*x) = 2*sin(x)", correction="…", corrected="sin(2*x) = 2*sin(x)*cos(x)")
    result = run(derivation(TRUE, printed=(printed,)))
    assert result.printed[0].result.verdict is Verdict.REFUTED
    assert result.printed[0].corrected is not None
    assert result.printed[0].corrected.verdict is Verdict.PROVED
    assert result.holds
    wrong = replace(printed, corrected="sin(2*x) = 3*sin(x)*cos(x)")
    assert not run(derivation(TRUE, printed=(wrong,))).holds


# --- records, printing, finding -----------------------------------------------------------------


def test_the_same_seed_gives_the_same_bytes_and_no_clock() -> None:
    whole = derivation(TRUE, routes=(route(),), mutants=(Mutant("sign", "minus", lambda x: -np.sin(2 * x)),))
    one, other = (json.dumps(run(whole, seed=7).to_json(), sort_keys=True) for _ in range(2))
    assert one == other
    assert "seconds" not in one


@pytest.mark.parametrize(
    "build",
    [
        lambda: Statement("Not Kebab", "", ""),
        lambda: Route("r", lambda: 0, 0.0, frozenset({"numpy"})),
        lambda: Route("r", lambda: 0, 1e-9, frozenset()),
        lambda: Derivation(STATEMENT, lambda: iter(()), routes=(route(),)),
        lambda: derivation(TRUE, routes=(route(), route())),
        lambda: Series("s", (1.0,), ()),
    ],
)
def test_records_are_validated_when_built(build: Any) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        build()


def test_main_prints_and_returns_whether_all_holds(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(derivation(TRUE)) == 0
    assert "PROVED" in capsys.readouterr().out
    assert main(derivation(FALSE)) == 1
    assert "REFUTED" in capsys.readouterr().out


def test_a_derivation_is_found_by_name_and_a_wrong_name_is_answered_with_near_ones() -> None:
    assert find("adjoint_ode") is all_derivations()["adjoint-ode"]
    with pytest.raises(LookupError, match="adjoint-ode"):
        find("adjoint-pde")
