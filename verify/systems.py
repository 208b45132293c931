"""What is a problem whose gradient is asked for?  Frozen records over the expression graph, validated when built.

    ode-gradient          x' = f(t, x, p), x(t0) = b(p);   G = terminal(x(T), p) + integral of running(t, x, p)
    implicit-gradient     f(u, p) = 0 defines u(p);        G = value(u, p)
    recurrence-gradient   x[k] = f(k, x[k-1], p), x[0] = b(p);   G = value(x[n], p)

Names of states, parameters and the time t are symbols in all expressions.  What a claim says of the adjoint uses the
names l1, l2, … in the order of the states.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

from verify.claim import Domain
from verify.graph import ZERO, Node, free_symbols

#: The independent variable of an ODE, and the index of a recurrence.
TIME, INDEX = "t", "k"


@dataclass(frozen=True)
class OdeProblem:
    """x' = rhs(t, x, p) on [t0, T], x(t0) = initial(p), G = terminal(x(T), p) + integral of running over [t0, T].

    rhs        one expression a state, in t, states and names of the domain.
    initial    one a state, in parameters (and t0) alone.
    t0, T      constants, names of the domain, or expressions in them.
    terminal   in the states (their values at T) and names of the domain; t there means T.
    domain     where parameters, t0 and T range; states declared in it keep their range.
    """

    state: tuple[str, ...]
    parameters: tuple[str, ...]
    rhs: tuple[Node, ...]
    initial: tuple[Node, ...]
    t0: Node
    T: Node
    terminal: Node = ZERO
    running: Node = ZERO
    domain: Domain = field(default_factory=Domain)
    kind: str = "ode-gradient"

    def __post_init__(self) -> None:
        _check_names(self.state, self.parameters)
        _check_length("rhs", self.rhs, self.state)
        _check_length("initial", self.initial, self.state)
        _check_free("initial", self.initial, {*self.state, TIME})
        _check_free("time", (self.t0, self.T), {*self.state, TIME})


@dataclass(frozen=True)
class ImplicitProblem:
    """residual(u, p) = 0, one expression a state, with an invertible Jacobian; G = value(u, p)."""

    state: tuple[str, ...]
    parameters: tuple[str, ...]
    residual: tuple[Node, ...]
    value: Node
    domain: Domain = field(default_factory=Domain)
    kind: str = "implicit-gradient"

    def __post_init__(self) -> None:
        _check_names(self.state, self.parameters)
        _check_length("residual", self.residual, self.state)


@dataclass(frozen=True)
class RecurrenceProblem:
    """x[k] = step(k, x[k-1], p) for k = 1 … steps, x[0] = initial(p), G = value(x[steps], p).

    steps   a whole number, or a name for any whole number from 1 on.
    """

    state: tuple[str, ...]
    parameters: tuple[str, ...]
    step: tuple[Node, ...]
    initial: tuple[Node, ...]
    steps: int | str
    value: Node
    domain: Domain = field(default_factory=Domain)
    kind: str = "recurrence-gradient"

    def __post_init__(self) -> None:
        _check_names(self.state, self.parameters)
        _check_length("step", self.step, self.state)
        _check_length("initial", self.initial, self.state)
        _check_free("initial", self.initial, {*self.state, INDEX})
        if isinstance(self.steps, int) and self.steps < 1:
            raise ValueError(f"`steps` is {self.steps}; a recurrence has one step at least")


Problem: TypeAlias = OdeProblem | ImplicitProblem | RecurrenceProblem


@dataclass(frozen=True)
class Equation:
    """lhs = rhs, an equation for the adjoint of an implicit problem."""

    lhs: Node
    rhs: Node


@dataclass(frozen=True)
class SystemClaim:
    """What is claimed of a problem; whatever is empty is not claimed.

    adjoint    by name of the adjoint l1, l2, …: its derivative (ODE), or its value at k (recurrence).
    equations  linear equations for l1, l2, … (implicit).
    terminal   by name of the adjoint: its value at the final time or step.
    gradient   by what G is differentiated by: a parameter, t0, T, or "u(0)".
    text       the parts as they were written, by (table, key).

    States and adjoints at a time or step are `abstract` nodes, u(T) or x[k-1]; integrals are `abstract` nodes `int`.
    """

    adjoint: Mapping[str, Node] = field(default_factory=dict)
    equations: tuple[Equation, ...] = ()
    terminal: Mapping[str, Node] = field(default_factory=dict)
    gradient: Mapping[str, Node] = field(default_factory=dict)
    text: Mapping[tuple[str, str], str] = field(default_factory=dict)


@dataclass(frozen=True)
class System:
    """A problem and what is claimed of it."""

    problem: Problem
    claim: SystemClaim = field(default_factory=SystemClaim)
    title: str = ""
    source: str = ""


def adjoint_names(problem: Problem) -> tuple[str, ...]:
    """l1, l2, … in the order of the states."""
    return tuple(f"l{i}" for i in range(1, len(problem.state) + 1))


def _check_names(state: tuple[str, ...], parameters: tuple[str, ...]) -> None:
    if not state:
        raise ValueError("`state` names nothing; name one state at least")
    names = (*state, *parameters)
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise ValueError(f"{', '.join(twice)} occurs twice among states and parameters; rename one of them")


def _check_length(key: str, values: tuple[Node, ...], state: tuple[str, ...]) -> None:
    if len(values) != len(state):
        raise ValueError(f"`{key}` has {len(values)} entries, the state has {len(state)}; give one for each state")


def _check_free(key: str, values: tuple[Node, ...], forbidden: set[str]) -> None:
    if found := sorted(free_symbols(*values) & forbidden):
        raise ValueError(f"`{key}` depends on {', '.join(found)}; it may depend on parameters alone")
