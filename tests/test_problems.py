"""Are problems that are written in Python the same as those in a file, and what do they answer?"""

from __future__ import annotations

import doctest
import re
from dataclasses import replace
from typing import Any

import pytest
import sympy as sp
from systems_bank import BASES

import verify
from verify.language.toml import read_system
from verify.verdict import Verdict

u, p, t, T = sp.symbols("u p t T")
l1: Any = sp.Function("l1")
U: Any = sp.Function("u")
foo: Any = sp.Function("foo")


def story() -> None:
    """The gradient of u(T)^2/2 through u' = p u, u(0) = 1.

    >>> problem = verify.OdeProblem(
    ...     state="u", parameters="p", rhs=["p*u"], initial=["1"], t0=0, T="T", terminal="u^2/2",
    ...     domain={"p": "interval(0.5, 2)", "T": "interval(1, 2)"},
    ... )
    >>> problem.adjoint()
    {'adjoint': {'l1': '-l1*p'}, 'terminal': {'l1': 'u(T)'}}
    >>> problem.gradient()
    {'gradient': {'p': 'int(l1*u, t, 0, T)'}}
    >>> problem.check(problem.adjoint() | problem.gradient("p", "t0")).verdict
    <Verdict.PROVED: 4>
    >>> wrong = problem.check(gradient={"p": "-int(l1*u, t, 0, T)"}, terminal={"l1": "u"})
    >>> wrong.verdict, wrong.worst.diagnosis.slip, wrong.correction
    (<Verdict.REFUTED: 1>, 'sign', 'gradient p = int(l1*u, t, 0, T)')
    """


def test_the_story_of_a_problem_runs_as_it_is_told() -> None:
    finder = doctest.DocTestFinder().find(story, globs={"verify": verify})
    runner = doctest.DocTestRunner()
    assert next(runner.run(each) for each in finder).attempted == 6
    assert runner.failures == 0


def test_text_and_sympy_give_the_records_of_a_file() -> None:
    read: Any = read_system(BASES["growth"].toml()).problem
    domain = {"p": "interval(0.5, 2)", "T": "interval(1, 2)"}
    text = verify.OdeProblem(["u"], ["p"], ["p*u"], ["1"], "0", "T", "u^2/2", domain=domain)
    symbols = verify.OdeProblem([u], [p], sp.Matrix([p * u]), [1], 0, T, sp.Mul(u**2, sp.Rational(1, 2)), domain=domain)
    assert text == read
    assert (symbols.rhs, symbols.initial, symbols.T, symbols.domain) == (
        read.rhs, read.initial, read.T, read.domain
    )  # fmt: skip
    assert verify.ImplicitProblem("u", "p", ["u^3 + u - p"], "u^2 + p") == read_system(BASES["cubic"].toml()).problem
    assert (
        verify.RecurrenceProblem("x", "p", ["p*x*(1 - x)"], ["p/2"], "n", "x^2")
        == read_system(BASES["map"].toml()).problem
    )
    assert replace(text, T=text.t0 + 3).parameters == ("p",)


def test_what_sympy_assumes_is_declared() -> None:
    q = sp.Symbol("q", positive=True)
    problem = verify.OdeProblem([u], [q], [-q * u], [1], 0, 1, terminal=u)
    assert problem.domain.variables["q"].low is not None
    assert problem.domain.variables["u"].low is None


@pytest.mark.parametrize("name", ["running", "linear", "map", "rotation"])
def test_what_a_problem_answers_is_proved(name: str) -> None:
    problem = read_system(BASES[name].toml()).problem
    assert problem.check(problem.adjoint() | problem.gradient()).verdict is Verdict.PROVED


def test_claims_in_sympy_are_judged() -> None:
    problem = verify.OdeProblem([u], [p], [p * u], [p], 0, T, terminal=u**2, domain={"T": "interval(1, 2)"})
    right = sp.Integral(l1(t) * U(t), (t, 0, T)) + l1(0)
    assert problem.check(gradient={p: right}, terminal={"l1": 2 * u}).verdict is Verdict.PROVED
    wrong = problem.check(gradient={p: right - l1(0)}, terminal={"l1": 2 * u})
    assert wrong.verdict is Verdict.REFUTED
    equation = sp.Eq((3 * u**2 + 1) * sp.Symbol("l1"), 2 * u)
    implicit = verify.ImplicitProblem([u], [p], [u**3 + u - p], u**2 + p)
    assert implicit.check(adjoint=[equation], gradient={"p": 1 + sp.Symbol("l1")}).verdict is Verdict.PROVED


def growth() -> Any:
    return verify.OdeProblem("u", "p", ["p*u"], ["1"], 0, "T", "u^2/2")


@pytest.mark.parametrize(
    ("build", "says"),
    [
        (lambda: verify.OdeProblem("u", "p", "p*u", ["1"], 0, 1, "u"), "rhs is one formula, and must be a list"),
        (lambda: verify.OdeProblem("u v", "p", ["p*u"], ["1"], 0, 1, "u"), "give one for each state"),
        (lambda: verify.OdeProblem("u", "p", ["p*"], ["1"], 0, 1, "u"), "ode.rhs, column 3"),
        (lambda: verify.OdeProblem("u", "p", ["p*u"], ["u"], 0, 1, "u"), "may depend on parameters alone"),
        (lambda: verify.OdeProblem("u", "p", [None], ["1"], 0, 1, "u"), "rhs: None of type NoneType is no formula"),
        (lambda: verify.OdeProblem("u", "p", [0.5 * u], ["1"], 0, 1, "u"), "Rational('0.5')"),
        (lambda: verify.OdeProblem("u", "p", ["__import__('os')"], ["1"], 0, 1, "u"), "a name starts with a letter"),
        (lambda: verify.OdeProblem("u", "t", ["u"], ["1"], 0, 1, "u"), "'t' means something else here"),
        (
            lambda: verify.OdeProblem("u", "p", ["u"], ["1"], 0, 1, "u", domain={"p": "positiv"}),
            "did you mean positive",
        ),
        (lambda: verify.RecurrenceProblem("x", "p", ["p*x"], ["1"], 0, "x"), "one step at least"),
        (lambda: verify.ImplicitProblem("u", "p", [foo(u)], "u"), "no known function"),
        (lambda: growth().check(gradient={"z": "1"}), "unknown key 'z' in [claim.gradient]"),
        (lambda: growth().check(gradent={"p": "1"}), "did you mean 'gradient'"),
        (lambda: growth().check(gradient="1"), "claim.gradient is str, and must be a mapping"),
        (lambda: growth().check(gradient={"p": "l2(0)"}), "no known function"),
        (lambda: growth().gradient("z"), "unknown key 'z'"),
    ],
)
def test_what_cannot_be_read_names_the_argument(build: Any, says: str) -> None:
    with pytest.raises(ValueError, match=re.escape(says)):
        build()
