"""Are claims on stiff problems decided, right ones and wrong ones side by side?"""

from __future__ import annotations

import re
from fractions import Fraction
from typing import Any

import pytest

from verify.decide.systems.ode_task import OdeTask
from verify.decide.systems.on_balls import Unknown
from verify.decide.systems.pushed import pushed
from verify.numerics.enclosure import Enclosure, enclose, forward
from verify.problems import system
from verify.systems import OdeProblem
from verify.verdict import Verdict

Tables = dict[str, dict[str, str]]


def claim(adjoint: str, terminal: str, gradient: dict[str, str]) -> Tables:
    """l1, l2, … in order, parts separated by semicolons."""

    def numbered(parts: str) -> dict[str, str]:
        return {f"l{i + 1}": part.strip() for i, part in enumerate(parts.split(";"))}

    return {"adjoint": numbered(adjoint), "terminal": numbered(terminal), "gradient": gradient}


def problem(state: str, ranges: dict[str, str], rhs: str, initial: str, T: str, terminal: str, running: str = "0",
            **more: Any) -> OdeProblem:  # fmt: skip
    names = [name for name in ranges if name != "T"]
    return OdeProblem(state, names, rhs.split(";"), initial.split(";"), 0, T, terminal, running, domain=ranges, **more)


POL = "l2*(1 - x^2)*y"
HEAT = "100*(l1*(u2 - 2*u1) + l2*(u1 - 2*u2 + u3) + l3*(u2 - 2*u3))"
#: Name: the problem, what is right, and what is wrong: (table, key, formula) and the slip, if it is named.
BANK: dict[str, tuple[OdeProblem, Tables, dict[tuple[str, str, str], str | None]]] = {
    "Van der Pol": (
        problem("x y", {"m": "interval(990, 1010)"}, "y; m*(1 - x^2)*y - x", "2; 0", "3", "x"),
        claim("(2*m*x*y + 1)*l2; -l1 - m*(1 - x^2)*l2", "1; 0", {"m": f"int({POL}, t, 0, 3)"}),
        {
            ("gradient", "m", f"2*int({POL}, t, 0, 3)"): "factor",
            ("gradient", "m", f"(1 + 1/1000)*int({POL}, t, 0, 3)"): "factor",
            ("adjoint", "l2", "-l1 + m*(1 - x^2)*l2"): "sign",
        },
    ),
    "Robertson": (
        problem("a b c", {"k": "interval(0.03, 0.05)"},
                "-k*a + 10^4*b*c; k*a - 10^4*b*c - 3*10^7*b^2; 3*10^7*b^2", "1; 0; 0", "40", "c"),
        claim("k*(l1 - l2); -10^4*c*l1 + (10^4*c + 6*10^7*b)*l2 - 6*10^7*b*l3; 10^4*b*(l2 - l1)", "0; 0; 1",
              {"k": "int(a*(l2 - l1), t, 0, 40)"}),
        {("gradient", "k", "int(a*(l1 - l2), t, 0, 40)"): "sign"},
    ),
    "fast and slow": (
        problem("u v", {"p": "interval(0.5, 2)", "T": "interval(1, 2)"}, "-p*u + v; p*u - 10^6*v", "1; p", "T",
                "u^2 + v", "p*u"),
        claim("p*l1 - p*l2 - p; -l1 + 10^6*l2", "2*u; 1", {"p": "int(u*(l2 - l1) + u, t, 0, T) + l2(0)"}),
        {
            ("gradient", "p", "int(u*(l2 - l1) + u, t, 0, T)"): "boundary",
            ("gradient", "p", "int(u*(l2 - l1), t, 0, T) + l2(0)"): "missing-term",
            ("adjoint", "l1", "p*l1 - l2 - p"): None,
        },
    ),
    "drawn to a cosine": (
        problem("x", {"p": "interval(0.9, 1.1)", "q": "interval(0.5, 2)"}, "-10^6*p*(x - cos(t)) - sin(t)", "q", "3/2",
                "x^2", "p*x"),
        claim("10^6*p*l1 - p", "2*x", {"p": "int(-10^6*l1*(x - cos(t)) + x, t, 0, 3/2)", "q": "l1(0)"}),
        {
            ("gradient", "p", "int(-10^6*l1*(x - cos(t)), t, 0, 3/2)"): "missing-term",
            ("adjoint", "l1", "-10^6*p*l1 - p"): "sign",
        },
    ),
    "to a manifold, observed": (
        problem("x y", {"p": "interval(0.5, 1.5)"}, "-2*x + y/2; 10^4*(p*x^2 - y)", "p; 0", "2", "y",
                observations=[{"time": 1, "value": "x^2"}]),
        claim("2*l1 - 2*10^4*p*x*l2; -l1/2 + 10^4*l2", "0; 1", {"p": "int(10^4*x^2*l2, t, 0, 2) + l1(0)"}),
        {("gradient", "p", "int(10^4*x^2*l2, t, 0, 2)"): "boundary"},
    ),
    "heat": (
        problem("u1 u2 u3", {"d": "interval(5, 15)"},
                "100*d*(u2 - 2*u1); 100*d*(u1 - 2*u2 + u3) - u2^2; 100*d*(u2 - 2*u3)", "1; 2; 1", "1/5", "u2", "u1^2"),
        claim("-100*d*(l2 - 2*l1) - 2*u1; -100*d*(l1 - 2*l2 + l3) + 2*u2*l2; -100*d*(l2 - 2*l3)", "0; 1; 0",
              {"d": f"int({HEAT}, t, 0, 1/5)"}),
        {("adjoint", "l2", "-100*d*(l1 - 2*l2 + l3) + u2*l2"): "factor"},
    ),
}  # fmt: skip


#: Those that the default run tries.
QUICK = ("Van der Pol", "drawn to a cosine", "heat")


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=[] if name in QUICK else [pytest.mark.thorough]) for name in BANK]
)
def test_a_right_claim_is_proved(name: str) -> None:
    given, right, _ = BANK[name]
    assert given.check(right, timeout=300).verdict is Verdict.PROVED


@pytest.mark.parametrize(
    ("name", "wrong", "slip"),
    [
        pytest.param(
            name, wrong, slip, marks=[] if name in QUICK and not i else [pytest.mark.thorough], id=f"{name}: {wrong[2]}"
        )
        for name, (*_, mutants) in BANK.items()
        for i, (wrong, slip) in enumerate(mutants.items())
    ],
)
def test_a_wrong_claim_is_refuted(name: str, wrong: tuple[str, str, str], slip: str | None) -> None:
    given, right, _ = BANK[name]
    table, key, formula = wrong
    found = given.check({**right, table: {**right[table], key: formula}}, timeout=300)
    assert found.verdict is Verdict.REFUTED
    (part,) = [part for part in found.parts if part.verdict is Verdict.REFUTED]
    assert part.name == f"{table} {key}"
    assert slip is None or (part.diagnosis is not None and part.diagnosis.slip == slip)


NEAR = Fraction(1, 2**40)
#: Where gradients are enclosed.
PUSHED = {"fast and slow": {"p": 1, "T": 1}, "to a manifold, observed": {"p": 1}}


@pytest.mark.parametrize("name", PUSHED)
def test_a_gradient_on_the_adjoint_is_enclosed_without_it(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The right one where the truth is, and with the adjoint's sign turned as well; each wrong one apart from it."""
    given, right, mutants = BANK[name]
    monkeypatch.setattr(forward, "LARGEST_STEPS", 300)
    box = {key: (Fraction(x) - NEAR, Fraction(x) + NEAR) for key, x in PUSHED[name].items()}
    true = enclose(given, box, seconds=200)
    assert isinstance(true, Enclosure), true
    assert true.implicit
    turned = {table: {key: re.sub(r"l\d(\(0\))?", r"(-\g<0>)", text) for key, text in entries.items()}
              for table, entries in right.items()}  # fmt: skip
    turned = {**turned, **{table: {key: f"-({text})" for key, text in turned[table].items()}
                           for table in ("adjoint", "terminal")}}  # fmt: skip
    wrong = [{**right, "gradient": {key: formula}} for table, key, formula in mutants if table == "gradient"]
    for claimed in (right, turned, *wrong):
        task = OdeTask(given, system(given, claimed).claim)
        found = pushed(task, task.convention, "p", box, 200)
        assert found.apart(true.gradient["p"]) == (claimed in wrong)
        assert found.radius < Fraction(1, 10**9)


@pytest.mark.parametrize("gradient", ["int(l1^2, t, 0, T)", "int(l1*u, t, 0, T/2)", "u(T)*l1(0)", "l1(T/3)"])
def test_what_is_no_push_of_the_solution_is_not_enclosed(gradient: str) -> None:
    given, right, _ = BANK["fast and slow"]
    task = OdeTask(given, system(given, {**right, "gradient": {"p": gradient}}).claim)
    with pytest.raises(Unknown):
        pushed(task, task.convention, "p", {"p": (Fraction(1), Fraction(1)), "T": (Fraction(1), Fraction(1))}, 20)
