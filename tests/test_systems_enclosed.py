"""Are wrong gradients refuted by enclosures, and do right ones, in whatever convention, meet the truth?"""

from __future__ import annotations

from fractions import Fraction

import pytest
from systems_bank import BASES, Base, ode

from verify.decide.systems import judge
from verify.decide.systems.enclosed import AROUND, ROUTE, claimed_problem
from verify.decide.systems.ode_task import OdeTask
from verify.decide.systems.reading import Functional
from verify.language.toml import read_system
from verify.numerics.enclosure import Enclosure, enclose
from verify.numerics.enclosure.field import needed
from verify.systems import OdeProblem
from verify.verdict import Rigor, Verdict

ODES = [name for name, base in BASES.items() if 'kind = "ode-gradient"' in base.head]


def differences(text: str, wide: bool) -> dict[str, bool]:
    """For each claimed gradient whether the enclosures of the claimed and of the true value are apart."""
    system = read_system(text)
    assert isinstance(system.problem, OdeProblem)
    task = OdeTask(system.problem, system.claim)
    around = AROUND if wide else 0
    values = {
        name: Fraction(3, 2) if name == "T" else Fraction(7 + i, 10)
        for i, name in enumerate(sorted(needed(system.problem)))
    }
    box = {name: (x - around, x + around) for name, x in values.items()}
    true = enclose(system.problem, box, radius=1e-10)
    assert isinstance(true, Enclosure), true
    found = {}
    for table, name in task.keys:
        read = task.read.get((table, name))
        if table == "gradient" and isinstance(read, Functional):
            problem, at = claimed_problem(task, read, task.convention, true, box)
            claimed = enclose(problem, at, radius=1e-10)  # ty: ignore[invalid-argument-type]
            assert isinstance(claimed, Enclosure), claimed
            assert claimed.objective.radius < Fraction(1, 10**6)
            found[name] = claimed.objective.apart(true.gradient[name])
    return found


@pytest.mark.parametrize("name", ODES)
def test_right_gradients_meet_the_truth(name: str) -> None:
    found = differences(BASES[name].toml(), wide=name in ("growth", "logistic"))
    assert found
    assert not any(found.values()), found


NEGATIVE = {"adjoint l1": "-p*l1", "terminal l1": "-u", "gradient p": "-int(l1*u, t, 0, T)"}
DOUBLED = {"adjoint l1": "-p*l1", "terminal l1": "2*u", "gradient p": "int(l1*u, t, 0, T)/2"}


@pytest.mark.parametrize("changes", [NEGATIVE, DOUBLED], ids=["negative", "doubled"])
def test_right_gradients_meet_the_truth_in_their_own_convention(changes: dict[str, str]) -> None:
    assert differences(BASES["growth"].toml(changes), wide=True) == {"p": False}


@pytest.mark.parametrize(
    ("base", "changes"),
    [
        ("growth", {"gradient p": "-int(l1*u, t, 0, T)"}),
        ("growth", {"gradient p": "int(l1*u, t, 0, T)*(1 + 1/10^6)"}),
        ("growth", {"adjoint l1": "", "terminal l1": "", "gradient p": "T*exp(p*T)"}),
        ("running", {"gradient p": "-int(l1*u, t, 0, T)"}),
        ("moving-end", {"gradient p": "l1(0)"}),
    ],
)
def test_a_wrong_gradient_is_refuted_by_enclosure(base: str, changes: dict[str, str]) -> None:
    results = list(judge(read_system(BASES[base].toml(changes))))
    assert results[-1].verdict is Verdict.REFUTED
    assert results[-1].rigor is Rigor.ENCLOSED
    worst = results[-1].worst
    assert worst is not None
    assert worst.counterexample is not None
    assert worst.counterexample.neighbourhood == str(AROUND)
    # The enclosure changes how well it is known, and nothing else.
    before = results[-2]
    assert [(p.name, p.verdict, p.diagnosis, p.correction) for p in results[-1].parts] == [
        (p.name, p.verdict, p.diagnosis, p.correction) for p in before.parts
    ]


def test_what_is_not_analytic_stays_refuted_on_numbers() -> None:
    kinked = Base(
        ode("u", "p", "p*abs(u)", "1", "0; T", "u", "", 'p = "interval(0.5, 2)", T = "interval(1, 2)"'),
        {"adjoint l1": "-p*sign(u)*l1", "terminal l1": "1", "gradient p": "-int(l1*abs(u), t, 0, T)"},
    )
    *_, result = judge(read_system(kinked.toml()))
    assert result.verdict is not Verdict.PROVED
    assert result.rigor is not Rigor.ENCLOSED


def test_a_gradient_is_not_refuted_by_enclosure_beside_an_adjoint_that_is_wrong() -> None:
    changes = {"adjoint l1": "p*l1", "gradient p": "-int(l1*u, t, 0, T)"}
    *_, result = judge(read_system(BASES["growth"].toml(changes)))
    assert result.verdict is Verdict.REFUTED
    assert all(e.route != ROUTE for part in result.parts for e in part.evidence)
