"""What is a problem whose gradient is asked for?  Frozen records over the expression graph, validated when built.

    ode-gradient          x' = f(t, x, p), x(t0) = b(p);   G = terminal(x(T), p) + integral of running(t, x, p)
                          and at an event, the first zero of phi(t, x, p): x+ = r(t, x-, p), from then on another f
    implicit-gradient     f(u, p) = 0 defines u(p);        G = value(u, p)
    recurrence-gradient   x[k] = f(k, x[k-1], p), x[0] = b(p);   G = value(x[n], p)

Names of states, parameters and the time t are symbols in all expressions.  What a claim says of the adjoint uses the
names l1, l2, … in the order of the states.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import TYPE_CHECKING, Any, TypeAlias

from verify.claim import Domain
from verify.graph import MINUS_ONE, ZERO, Node, free_symbols, num, symbol

if TYPE_CHECKING:
    from verify.decide.systems.result import SystemResult

#: The independent variable of an ODE, and the index of a recurrence.
TIME, INDEX = "t", "k"
#: The time of an event: tau1, tau2, … in their order.
EVENT_TIME = re.compile(r"tau[1-9][0-9]*")
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
    plain = ("state", "parameters", "steps", "domain", "observations", "events")
    formulas = [value for name, value in given.items() if name not in plain]
    names = [*given["state"], *given["parameters"]]
    return (
        isinstance(given["domain"], Domain)
        and all(isinstance(given[name], tuple) for name in ("state", "parameters"))
        and all(isinstance(name, str) for name in names)
        and all(isinstance(each, Observation) for each in given.get("observations", ()))
        and all(isinstance(each, Event) and each.is_read for each in given.get("events", ()))
        and all(isinstance(each, Node) for f in formulas for each in (f if isinstance(f, tuple) else (f,)))
    )


@dataclass(frozen=True)
class Observation:
    """What is added to the objective at a time between the ends: `value` in the states then; t in it means `time`."""

    time: Node
    value: Node


@dataclass(frozen=True)
class Event:
    """What happens at the first zero of `when` after the event before: i-th of its problem, at the time tau_i.

    when      a function of t, states and names of the domain that changes its sign there.
    reset     the states just after, one expression a state, in the states just before; None: unchanged.
    rhs       the right-hand side from there on; None: as before.
    running   the running cost from there on; None: as before.
    cost      what is added to the objective, in the states just before; t there is the event's time.

    Formulas are given as text, as numbers or as SymPy expressions; in a problem they are nodes, and none is None.
    """

    when: Formula
    reset: Formulas = None
    rhs: Formulas = None
    running: Formula = None
    cost: Formula = ZERO

    @property
    def is_read(self) -> bool:
        """Whether every formula is there, as a node."""
        lists = (self.reset, self.rhs)
        return all(isinstance(each, tuple) and all(isinstance(f, Node) for f in each) for each in lists) and all(
            isinstance(each, Node) for each in (self.when, self.running, self.cost)
        )


@dataclass(frozen=True)
class Phase:
    """What is solved between two events: x' = rhs, with the running cost."""

    rhs: tuple[Node, ...]
    running: Node


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
    events     `Event` records in their order; `terminal` may name their times tau1, tau2, …
    costates   names of the adjoints in the order of the states; l1, l2, … unless they are given.

    Formulas are given as text, as numbers or as SymPy expressions, and kept as nodes of the graph; names as "u, v" or
    as a list.  All is dimensionless.  Raises ProblemError, a ValueError that names the part and how to mend it.

    `.adjoint()` and `.gradient(name)` derive, `.check(gradient={…})` judges, `.code()` is a NumPy module, and
    `.second_order()` has the Hessian times a direction.
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
    events: tuple[Event, ...] = ()

    def __init__(
        self, state: Names, parameters: Names, rhs: Formulas, initial: Formulas, t0: Formula,
        T: Formula, terminal: Formula = ZERO, running: Formula = ZERO, domain: Domain | Mapping[str, Any] | None = None,
        kind: str = "ode-gradient", observations: Formulas = (), costates: tuple[str, ...] = (),
        events: Sequence[Any] = (),
    ) -> None:  # fmt: skip
        object.__setattr__(self, "kind", kind)
        object.__setattr__(self, "costates", costates)
        _build(self, state=state, parameters=parameters, rhs=rhs, initial=initial, t0=t0, T=T, terminal=terminal,
               running=running, observations=observations, events=events,
               domain=Domain() if domain is None else domain)  # fmt: skip
        _check_names(self.state, self.parameters)
        _check_length("rhs", self.rhs, self.state)
        _check_length("initial", self.initial, self.state)
        _check_free("`initial`", self.initial, {*self.state, TIME})
        observed = tuple(each.time for each in self.observations)
        _check_free("`time`", (self.t0, self.T), {*self.state, TIME})
        _check_free("the time of one of the `observations`", observed, {*self.state, TIME})
        _check_order((self.t0, *observed, self.T))
        if self.events:
            _check_events(self)

    @property
    def phases(self) -> tuple[Phase, ...]:
        """From t0 to the first event, between events, and from the last one to T."""
        return (Phase(self.rhs, self.running), *(Phase(each.rhs, each.running) for each in self.events))


@dataclass(frozen=True, init=False)
class ImplicitProblem(Derivable):
    """residual(u, p) = 0, one expression a state, with an invertible Jacobian; G = value(u, p).

    Arguments, methods and errors are as in `OdeProblem`; `.adjoint()` gives equations for l1, l2, …
    """

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

    Arguments, methods and errors are as in `OdeProblem`; x in `step` stands for x[k-1].
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
        _check_free("`initial`", self.initial, {*self.state, INDEX})
        if isinstance(self.steps, int) and self.steps < 1:
            raise ValueError(f"`steps` is {self.steps}; a recurrence has one step at least")


Problem: TypeAlias = OdeProblem | ImplicitProblem | RecurrenceProblem


def event_times(problem: OdeProblem) -> tuple[str, ...]:
    """tau1, tau2, … in the order of the events."""
    return _numbered("tau", problem.events)


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


def adjoint_blocks(problem: Problem) -> tuple[tuple[str, ...], ...]:
    """The adjoints in groups: those of a tangent problem are m1, m2, … and l1, l2, …, which are two."""
    names, n = adjoint_names(problem), len(problem.state) // 2
    u = problem.state[:n]
    is_tangent = n and problem.state == (*u, *_numbered("s", u)) and names[:n] == _numbered("m", u)
    return (names[:n], names[n:]) if is_tangent else (names,)


def _numbered(letter: str, names: Sequence[Any]) -> tuple[str, ...]:
    return tuple(f"{letter}{i}" for i in range(1, len(names) + 1))


def _check_names(state: tuple[str, ...], parameters: tuple[str, ...]) -> None:
    if not state:
        raise ValueError("`state` names nothing; name one state at least")
    names = (*state, *parameters)
    if twice := sorted(name for name, count in Counter(names).items() if count > 1):
        raise ValueError(f"{', '.join(twice)} occurs twice among `state` and `parameters`; rename one of them")


def _check_length(key: str, values: tuple[Node, ...], state: tuple[str, ...]) -> None:
    if len(values) != len(state):
        raise ValueError(f"`{key}` has {len(values)} entries, the state has {len(state)}; give one for each state")


def _check_free(what: str, values: tuple[Node, ...], forbidden: set[str]) -> None:
    if found := sorted(free_symbols(*values) & forbidden):
        raise ValueError(f"{what} depends on {', '.join(found)}; it may depend on parameters alone")


def _check_order(times: tuple[Node, ...]) -> None:
    """The ends, and between them the times of observation, as far as they are numbers."""
    first, *observed, last = times
    if first in observed or last in observed:
        raise ValueError(
            "one of the `observations` is at an end of the time; what counts at the final one is `terminal`"
        )
    numbers = [time.value for time in times if time.op == "num"]
    if any(late <= early for early, late in pairwise(numbers)):
        which = "the times of `observations` and the ends" if observed else "the ends in `time`"
        written = ", ".join(map(str, numbers))
        raise ValueError(f"{which} are {written}; each must be later than the one before")


def _check_events(problem: OdeProblem) -> None:
    """Lengths, names and order, as far as they can be seen in the formulas."""
    times = event_times(problem)
    if taken := [name for name in (*problem.state, *problem.domain.variables) if EVENT_TIME.fullmatch(name)]:
        raise ValueError(f"{taken[0]} is the time of an event where there are `events`; rename it")
    allowed = {TIME, *problem.state, *problem.domain.variables}
    for each in problem.observations:
        if unknown := sorted(free_symbols(each.time, each.value) - allowed):
            raise ValueError(f"one of the `observations` names {unknown[0]}; only `terminal` may name times of events")
        if free_symbols(each.time) and any(event.rhs != problem.rhs for event in problem.events):
            raise ValueError(
                "the time of one of the `observations` depends on parameters, and how fast the state changes then "
                'depends on which events come before it; write it as an event: when = "t - s", cost = its value'
            )
    for number, each in enumerate(problem.events, start=1):
        named = f"of event {number}"
        _check_length(f"reset` {named}: `reset", each.reset, problem.state)
        _check_length(f"rhs` {named}: `rhs", each.rhs, problem.state)
        formulas = {"when": (each.when,), "reset": each.reset, "rhs": each.rhs, "running": (each.running,)}
        for key, nodes in {**formulas, "cost": (each.cost,)}.items():
            if unknown := sorted(free_symbols(*nodes) - allowed):
                raise ValueError(f"`{key}` {named} names {unknown[0]}; only `terminal` may name the times of events")
        if not free_symbols(each.when) & {TIME, *problem.state}:
            raise ValueError(f"`when` {named} names neither a state nor t, so that it has no first zero")
    if unknown := sorted(free_symbols(problem.terminal) - allowed - set(times)):
        raise ValueError(f"`terminal` names {unknown[0]}; the last event happens at {times[-1]}")
    if unknown := sorted(
        free_symbols(*problem.rhs, problem.running, *problem.initial, problem.t0, problem.T) - allowed
    ):
        raise ValueError(f"{unknown[0]} stands where it cannot; only `terminal` may name the times of events")
    scheduled = [_scheduled(each) for each in problem.events]
    if twice := [each for each in problem.observations if each.time in scheduled]:
        time = scheduled.index(twice[0].time)
        raise ValueError(
            f"one of the `observations` is at {times[time]}, the time of an event, and it is not said on which side; "
            "write it as the `cost` of that event, in the states just before"
        )
    known = [("t0", problem.t0), *zip(times, scheduled, strict=True), ("T", problem.T)]
    numbers = [(name, time.value) for name, time in known if time is not None and time.op == "num"]
    for (early, a), (late, b) in pairwise(numbers):
        if b <= a and (early, late) != ("t0", "T"):
            raise ValueError(f"{early} is {a} and {late} is {b}: the `events` must stand in their order in time")


def _scheduled(event: Event) -> Node | None:
    """The time of an event that happens at a given number: c where `when` is t - c."""
    if event.when is symbol(TIME):
        return ZERO
    terms = event.when.args if event.when.op == "add" else ()
    others = [term for term in terms if term is not symbol(TIME)]
    if len(terms) != 2 or len(others) != 1:
        return None
    (other,) = others
    sign = 1
    if other.op == "mul" and len(other.args) == 2 and other.args[0] is MINUS_ONE:
        sign, other = -1, other.args[1]
    return num(-sign * other.value) if other.op == "num" else None
