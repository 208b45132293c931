"""What is a problem whose gradient is asked for?  Frozen records over the expression graph, validated when built.

    ode-gradient          x' = f(t, x, p), x(t0) = b(p);   G = terminal(x(T), p) + integral of running(t, x, p)
    implicit-gradient     f(u, p) = 0 defines u(p);        G = value(u, p)
    recurrence-gradient   x[k] = f(k, x[k-1], p), x[0] = b(p);   G = value(x[n], p)

Names of states, parameters and the time t are symbols in all expressions.  What a claim says of the adjoint uses the
names l1, l2, … in the order of the states.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import TYPE_CHECKING, Any, TypeAlias

from verify.claim import Domain
from verify.graph import ZERO, Node, free_symbols

if TYPE_CHECKING:
    from verify.decide.systems.result import SystemResult

#: The independent variable of an ODE, and the index of a recurrence.
TIME, INDEX = "t", "k"
#: What a formula is given as: text in the grammar of claims, a number, a SymPy expression, or a node of the graph.
Formula: TypeAlias = Any
#: A list or tuple of formulas, or a SymPy matrix of them.
Formulas: TypeAlias = Any
#: Names: a sequence of texts or SymPy symbols, or one text with commas or spaces between them.
Names: TypeAlias = "str | Sequence[Any]"


class Derivable:
    """What every problem answers: its adjoint, its gradient, whether a claim is right, and code that computes it."""

    def adjoint(self) -> dict[str, Any]:
        """The right adjoint system, as the tables `adjoint`, `terminal` and `jump` of a claim; its adjoint is +dG/dx.

        GiveUp (a ValueError) where a function has no derivative that is known.
        """
        from verify.problems import adjoint

        return adjoint(self)

    def gradient(self, *names: Any) -> dict[str, Any]:
        """dG/dq in terms of states and adjoint, as the table `gradient` of a claim; for all parameters by default.

        names   parameters, `t0`, `T`, or an initial state such as "u(t0)" or "x(0)"; ValueError for any other.
        """
        from verify.problems import gradient

        return gradient(self, names)

    def second_order(self) -> dict[str, Any]:
        """The Hessian of G times a direction v1, v2, …, as the table `hvp`, with the equations that it needs.

        s1, s2, … are the states' changes along v, and m1, m2, … those of l1, l2, …  ValueError where times move.
        """
        from verify.problems import second_order

        return second_order(self)

    def check(
        self, claim: Any = None, /, *, seed: int = 0, timeout: float | None = None, **tables: Any
    ) -> SystemResult:
        """Judge a claim: the tables of `[claim]` as one mapping or by keyword, with text or SymPy expressions in them.

        timeout     in seconds.  Raises ValueError, which names the table and the key, for what cannot be read.
        """
        from verify.problems import check

        return check(self, claim, tables, seed, timeout)

    def code(self) -> str:
        """A NumPy module that computes G and its gradient; ValueError for a function that NumPy has not."""
        from verify.problems import code

        return code(self)


def _build(problem: Any, **given: Any) -> None:
    """Set the fields of a problem: as they are where they are nodes already, else read as a TOML file is."""
    if not _is_read(given):
        from verify.problems import read

        given = read(type(problem), given)
    for name, value in given.items():
        object.__setattr__(problem, name, value)


def _is_read(given: Mapping[str, Any]) -> bool:
    """Whether formulas are nodes, names tuples of texts, and the domain a domain."""
    plain = ("state", "parameters", "steps", "domain", "observations")
    formulas = [value for name, value in given.items() if name not in plain]
    names = [*given["state"], *given["parameters"]]
    return (
        isinstance(given["domain"], Domain)
        and all(isinstance(given[name], tuple) for name in ("state", "parameters"))
        and all(isinstance(name, str) for name in names)
        and all(isinstance(each, Observation) for each in given.get("observations", ()))
        and all(isinstance(each, Node) for f in formulas for each in (f if isinstance(f, tuple) else (f,)))
    )


@dataclass(frozen=True)
class Observation:
    """What is added to the objective at a time between the ends: `value` in the states then; t in it means `time`."""

    time: Node
    value: Node


@dataclass(frozen=True, init=False)
class OdeProblem(Derivable):
    """x' = rhs(t, x, p) on [t0, T], x(t0) = initial(p), G = terminal(x(T), p) + integral of running over [t0, T].

    rhs        one expression a state, in t, states and names of the domain.
    initial    one a state, in parameters (and t0) alone.
    t0, T      constants, names of the domain, or expressions in them.
    terminal   in the states (their values at T) and names of the domain; t there means T.
    domain     where parameters, t0 and T range; states declared in it keep their range.  As a mapping it declares
               names as `let` does: {"p": "interval(0.5, 2)"}.
    observations    what is added to G at times between t0 and T, in their order: (time, value) each.
    costates   names of the adjoints in the order of the states; l1, l2, … unless they are given.

    Formulas are given as text, as numbers or as SymPy expressions, and kept as nodes of the graph.
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
    observations: tuple[Observation, ...] = ()
    costates: tuple[str, ...] = ()

    def __init__(
        self, state: Names, parameters: Names, rhs: Formulas, initial: Formulas, t0: Formula,
        T: Formula, terminal: Formula = ZERO, running: Formula = ZERO, domain: Domain | Mapping[str, Any] | None = None,
        kind: str = "ode-gradient", observations: Formulas = (), costates: tuple[str, ...] = (),
    ) -> None:  # fmt: skip
        object.__setattr__(self, "kind", kind)
        object.__setattr__(self, "costates", costates)
        _build(self, state=state, parameters=parameters, rhs=rhs, initial=initial, t0=t0, T=T, terminal=terminal,
               running=running, observations=observations,
               domain=Domain() if domain is None else domain)  # fmt: skip
        _check_names(self.state, self.parameters)
        _check_length("rhs", self.rhs, self.state)
        _check_length("initial", self.initial, self.state)
        _check_free("initial", self.initial, {*self.state, TIME})
        observed = tuple(each.time for each in self.observations)
        _check_free("time", (self.t0, self.T), {*self.state, TIME})
        _check_free("time of observations", observed, {*self.state, TIME})
        _check_order((self.t0, *observed, self.T))


@dataclass(frozen=True, init=False)
class ImplicitProblem(Derivable):
    """residual(u, p) = 0, one expression a state, with an invertible Jacobian; G = value(u, p)."""

    state: tuple[str, ...]
    parameters: tuple[str, ...]
    residual: tuple[Node, ...]
    value: Node
    domain: Domain = field(default_factory=Domain)
    kind: str = "implicit-gradient"
    costates: tuple[str, ...] = ()

    def __init__(
        self, state: Names, parameters: Names, residual: Formulas, value: Formula,
        domain: Domain | Mapping[str, Any] | None = None, kind: str = "implicit-gradient",
        costates: tuple[str, ...] = (),
    ) -> None:  # fmt: skip
        object.__setattr__(self, "kind", kind)
        object.__setattr__(self, "costates", costates)
        _build(self, state=state, parameters=parameters, residual=residual, value=value,
               domain=Domain() if domain is None else domain)  # fmt: skip
        _check_names(self.state, self.parameters)
        _check_length("residual", self.residual, self.state)


@dataclass(frozen=True, init=False)
class RecurrenceProblem(Derivable):
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
    costates: tuple[str, ...] = ()

    def __init__(
        self, state: Names, parameters: Names, step: Formulas, initial: Formulas, steps: int | str,
        value: Formula, domain: Domain | Mapping[str, Any] | None = None, kind: str = "recurrence-gradient",
        costates: tuple[str, ...] = (),
    ) -> None:  # fmt: skip
        object.__setattr__(self, "kind", kind)
        object.__setattr__(self, "costates", costates)
        _build(self, state=state, parameters=parameters, step=step, initial=initial, steps=steps, value=value,
               domain=Domain() if domain is None else domain)  # fmt: skip
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
    jump       by name of the adjoint and time of an observation, "l1(1/2)": its value just before less that just after.
    tangent    by name of the tangent s1, s2, …: its derivative (in a claim on a tangent problem).
    gradient   by what G is differentiated by: a parameter, t0, T, or "u(0)".
    text       the parts as they were written, by (table, key).

    States and adjoints at a time or step are `abstract` nodes, u(T) or x[k-1]; integrals are `abstract` nodes `int`.
    """

    adjoint: Mapping[str, Node] = field(default_factory=dict)
    equations: tuple[Equation, ...] = ()
    terminal: Mapping[str, Node] = field(default_factory=dict)
    jump: Mapping[str, Node] = field(default_factory=dict)
    tangent: Mapping[str, Node] = field(default_factory=dict)
    gradient: Mapping[str, Node] = field(default_factory=dict)
    text: Mapping[tuple[str, str], str] = field(default_factory=dict)


@dataclass(frozen=True)
class System:
    """A problem and what is claimed of it; `second` is claimed of its tangent problem, whose gradient is H v."""

    problem: Problem
    claim: SystemClaim = field(default_factory=SystemClaim)
    title: str = ""
    source: str = ""
    second: SystemClaim = field(default_factory=SystemClaim)


def adjoint_names(problem: Problem) -> tuple[str, ...]:
    """l1, l2, … in the order of the states, unless the problem has others."""
    return problem.costates or _numbered("l", problem.state)


def tangent_names(problem: Problem) -> tuple[str, ...]:
    """s1, s2, …: what the states change by along a direction."""
    return _numbered("s", problem.state)


def direction_names(problem: Problem) -> tuple[str, ...]:
    """v1, v2, …: the direction, in the order of the parameters."""
    return _numbered("v", problem.parameters)


def second_costates(problem: Problem) -> tuple[str, ...]:
    """m1, m2, …, what l1, l2, … change by along the direction, and then those themselves."""
    return (*_numbered("m", problem.state), *adjoint_names(problem))


def _numbered(letter: str, names: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(f"{letter}{i}" for i in range(1, len(names) + 1))


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


def _check_order(times: tuple[Node, ...]) -> None:
    """The ends, and between them the times of observation, as far as they are numbers."""
    first, *observed, last = times
    if first in observed or last in observed:
        raise ValueError(
            "one of the `observations` is at an end of the time; what counts at the final one is `terminal`"
        )
    numbers = [time.value for time in times if time.op == "num"]
    if len(times) > 2 and any(late <= early for early, late in pairwise(numbers)):
        written = ", ".join(map(str, numbers))
        raise ValueError(
            f"`time` and the times of `observations` are {written}; each must be later than the one before"
        )
