"""Random stable problems: what is derived for them is proved, in other conventions too, and one slip is never passed.

The state starts at b(p) at a time other than 0, the field names the time, its Jacobian is not symmetric, both costs
depend on the parameters, there are data at two times, and beside them an event that depends on everything, and all
parameters may vanish: wrong formulas hide where one of these is missing.
"""

from __future__ import annotations

import re
import types
from dataclasses import dataclass, replace

import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, assume, given, settings
from hypothesis import strategies as st

from verify.calculus.numpy_code import module
from verify.claim import Claim, Domain, Variable
from verify.decide import decide
from verify.decide.systems import judge
from verify.graph import Node, free_symbols, postorder, substitute, symbol
from verify.language.toml import read_system
from verify.mutate import mutants
from verify.systems import OdeProblem
from verify.verdict import Verdict


@dataclass(frozen=True)
class Problem:
    """An ODE problem as text."""

    state: tuple[str, ...]
    parameters: tuple[str, ...]
    rhs: tuple[str, ...]
    initial: tuple[str, ...]
    terminal: str
    running: str
    observed: tuple[str, ...] = ()
    event: tuple[tuple[str, str | tuple[str, ...]], ...] = ()

    def toml(self, claim: dict[str, dict[str, str]] | None = None) -> str:
        lines = [
            'kind = "ode-gradient"',
            "let = { " + ", ".join(f'{p} = "interval(0, 1.5)"' for p in self.parameters) + " }",
            "[ode]",
            f"state = {_list(self.state)}",
            f"parameters = {_list(self.parameters)}",
            f"rhs = {_list(self.rhs)}",
            f"initial = {_list(self.initial)}",
            'time = ["1/4", "1"]',
            *(["[[ode.events]]"] if self.event else []),
            *(
                f"{key} = {_list(value) if isinstance(value, tuple) else _list((value,))[1:-1]}"
                for key, value in self.event
            ),
            "[objective]",
            f'terminal = "{self.terminal}"',
            f'running = "{self.running}"',
            "observations = [",
            *(f'  {{ time = "{t}", value = "{h}" }},' for t, h in zip(("1/2", "3/4"), self.observed, strict=False)),
            "]",
        ]
        for table, entries in (claim or {}).items():
            lines.append(f"[claim.{table}]")
            lines += [f'"{key}" = "{value}"' for key, value in entries.items()]
        return "\n".join(lines)


def _list(texts: tuple[str, ...]) -> str:
    return "[" + ", ".join(f'"{text}"' for text in texts) + "]"


def problem(seed: int) -> Problem:
    """Coupled fields -d u + a tanh(w . u) + forcing, small in every direction that could grow."""
    rng = np.random.default_rng(seed)
    n, m = int(rng.integers(1, 4)), int(rng.integers(1, 3))
    state, parameters = tuple("uvw"[:n]), tuple("pqr"[:m])

    def pick(texts: tuple[str, ...]) -> str:
        return str(rng.choice(texts))

    def k() -> str:
        return f"{rng.integers(1, 6)}/{rng.integers(2, 6)}"

    rhs, initial = [], []
    for i, name in enumerate(state):
        p, other = pick(parameters), state[(i + 1) % n]
        drive = pick((f"{k()}*sin({other} + t)", f"{p}*tanh({other})", f"{k()}*{other}*t/3", f"{p}*cos(t*{other})"))
        forcing = pick((f"{p}^2*t", f"{k()}*t", f"{p}/(1 + t^2)", p))
        rhs.append(f"-{k()}*{p}*{name} + {drive} + {forcing}")
        initial.append(pick((p, f"{k()}*{p}^2", f"sin({p}) + {k()}")))
    terminal = f"{k()}*{pick(state)}^2 + {pick(parameters)}*{pick(state)}"
    running = f"{k()}*{pick(parameters)}*{pick(state)}^2 + {pick(state)}*t"
    observed = tuple(f"({pick(state)} - {pick(parameters)})^2*t + {k()}*{pick(state)}" for _ in range(2))
    return Problem(state, parameters, tuple(rhs), tuple(initial), terminal, running, observed)


def problem_with_event(seed: int) -> Problem:
    """A state that rises through a moving threshold, which changes state, field, running cost and objective."""
    rng = np.random.default_rng(seed)

    def k() -> str:
        return f"{rng.integers(1, 6)}/{rng.integers(2, 6)}"

    p, q = ("p", "q") if rng.integers(2) else ("q", "p")
    return Problem(
        state=("u", "v"),
        parameters=("p", "q"),
        rhs=(f"2 + {p}*sin(v + t)/4", f"-{k()}*{q}*v + {k()}*tanh(u) + {k()}*t"),
        initial=(f"{p}/4", f"{k()}*{q}^2 + {k()}"),
        terminal=f"{k()}*u*v + {p}*v + {k()}*tau1*u",
        running=f"{k()}*{q}*u^2 + v*t",
        observed=tuple(f"({name} - {p})^2*t + {k()}*u*v" for name in ("u", "v")),
        event=(
            ("when", f"u - 3/4 - {q}*t/10 + {p}*v^2/50"),
            ("reset", (f"u + 1/2 + {p}*v^2/9", f"{q}*v + {k()}*t")),
            ("rhs", (f"1 + {q}*cos(v)/3", f"-{k()}*v + {p}*u")),
            ("running", f"{k()}*{p}*v^2"),
            ("cost", f"{k()}*t*v + {q}*u^2"),
        ),
    )


def judged(text: str):
    *_, result = judge(read_system(text))
    return result


def derived(one: Problem) -> dict[str, dict[str, str]]:
    """What verify itself derives, as a claim."""
    claim: dict[str, dict[str, str]] = {"adjoint": {}, "terminal": {}, "jump": {}, "gradient": {}}
    for name, right in judged(one.toml()).derived:
        table, key = name.split(" ", 1)
        if key in one.parameters or table != "gradient":
            claim[table][key] = right
    return claim


def rescaled(claim: dict[str, dict[str, str]], factor: str) -> dict[str, dict[str, str]]:
    """The same for mu = factor*lambda: lambda is mu/factor in every formula, and the adjoint's own ones are scaled."""

    def new(text: str) -> str:
        return re.sub(r"\b(l\d)\b(\([^()]*\))?", rf"(\1\2/({factor}))", text)

    return {
        table: {key: f"({factor})*({new(text)})" if table != "gradient" else new(text) for key, text in part.items()}
        for table, part in claim.items()
    }


smooth = st.integers(0, 10**6).map(problem)
problems = smooth | st.integers(0, 10**6).map(problem_with_event)
few = settings(
    max_examples=6,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
)


@few
@given(problems)
def test_what_is_derived_is_proved(one: Problem) -> None:
    claim = derived(one)
    assert set(claim["gradient"]) == set(one.parameters)
    result = judged(one.toml(claim))
    assert result.verdict is Verdict.PROVED, one.toml(claim)
    assert len(result.parts) == sum(map(len, claim.values()))
    assert len(claim["jump"]) == len(one.state) * (len(one.observed) + bool(one.event))


@few
@given(problems, st.sampled_from(["-1", "2", "-1/3"]))
def test_it_is_proved_in_other_scalings_too(one: Problem, factor: str) -> None:
    claim = rescaled(derived(one), factor)
    assert judged(one.toml(claim)).verdict is Verdict.PROVED, one.toml(claim)


@few
@given(problems, st.data())
def test_one_slip_is_never_passed(one: Problem, data: st.DataObject) -> None:
    claim = derived(one)
    table = data.draw(st.sampled_from(["adjoint", "terminal", "jump", "gradient"]))
    key = data.draw(st.sampled_from(sorted(claim[table])))
    system = read_system(one.toml(claim))
    formulas = getattr(system.claim, table)
    slips = list(mutants(formulas[key]))
    assume(slips)
    slip = data.draw(st.sampled_from(slips))
    wrong = replace(system.claim, **{table: {**formulas, key: slip.node}})
    *_, result = judge(replace(system, claim=wrong))
    # A slip of 1e-9 can be below what the numeric routes resolve; it is not proved either.
    passed = Verdict.PROVED if slip.slip == "rounding" else Verdict.SUPPORTED
    assert result.verdict < passed or equal(formulas[key], slip.node), wrong


def equal(one: Node, other: Node) -> bool:
    """Whether a mutant is the formula itself in disguise, all names and values at times taken as independent."""
    one, other = (substitute(f, {symbol(f"tau1{side}"): symbol("tau1") for side in "-+"}) for f in (one, other))
    if one is other:
        return True  # the time of an event is the same on both sides of it
    change = {}
    for node in postorder(one, other):
        if node.op == "abstract" and node.value[0] != "int":
            change[node] = symbol(f"{node.value[0]}_at_{len(change)}")
    sides = [substitute(side, change) for side in (one, other)]
    if any(node.op == "abstract" for node in postorder(*sides)):
        return False
    variables = {name: Variable(name) for name in free_symbols(*sides)}
    return decide(Claim(*sides, Domain(variables))).verdict is Verdict.PROVED


@few
@given(smooth)
def test_the_generated_gradient_agrees_with_differences(one: Problem) -> None:
    record = read_system(one.toml()).problem
    assert isinstance(record, OdeProblem)
    generated = types.ModuleType("generated")
    exec(compile(module(record), "generated", "exec"), generated.__dict__)
    for p in (np.linspace(0.6, 1.1, len(one.parameters)), np.zeros(len(one.parameters))):
        found = generated.gradient(p)["p"]
        for i, slope in enumerate(found):
            e = np.eye(len(p))[i]
            coarse, fine = (
                (generated.gradient(p + h * e)["G"] - generated.gradient(p - h * e)["G"]) / (2 * h)
                for h in (2e-3, 1e-3)
            )
            assert slope == pytest.approx((4 * fine - coarse) / 3, rel=1e-6, abs=1e-7), p
