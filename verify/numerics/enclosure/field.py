"""What is integrated?  The right-hand side with its derivatives, and the objective at both ends, as programs.

The running cost is one state more, z' = running, z(t0) = 0, so that G = terminal(x(T)) + z(T).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from flint import arb

from verify.calculus.reverse import gradient, pullback
from verify.graph import ONE, ZERO, Node, free_symbols, postorder, symbol
from verify.numerics.enclosure.program import Program, Unsupported, plain
from verify.systems import TIME, OdeProblem

#: The state that the running cost becomes; no expression can name it.
COST = " running"


@dataclass(frozen=True)
class Field:
    """x' = rhs(t, x, q), the start b(q), and the objective at the final time, each with its derivatives.

    state       the names of the n states, the running cost last; names: the m names q that are differentiated by.
    jacobian    f_x, row by row; variations: f_x and f_q behind it, row by row.
    times       t0 and T.
    driven      the names whose sensitivities are carried forwards: all of them, or none where the adjoint is used;
                then `costate` has the names of the adjoint, and `pulled` is l^T f_q.
    """

    problem: OdeProblem
    state: tuple[str, ...]
    names: tuple[str, ...]
    rhs: Program
    jacobian: Program
    variations: Program
    initial: Program
    initial_by_names: Program
    times: Program
    times_by_names: Program
    terminal: Program
    terminal_by_states: Program
    terminal_by_names: Program
    terminal_by_time: Program
    driven: tuple[str, ...]
    costate: tuple[str, ...] = ()
    pulled: Program | None = None

    @classmethod
    def of(cls, problem: OdeProblem, names: tuple[str, ...], adjoint: bool = False) -> Field:
        """Raises Unsupported for expressions without rules, kinks and jumps among them; GiveUp where f_x has none."""
        whole = (*problem.rhs, *problem.initial, problem.t0, problem.T, problem.terminal, problem.running)
        for node in postorder(*whole):
            if node.op == "derivative":
                raise Unsupported("a problem with d/dx inside is not enclosed: write the derivative out")
        costs = problem.running is not ZERO
        state = (*problem.state, COST) if costs else problem.state
        rhs = (*problem.rhs, problem.running) if costs else problem.rhs
        initial = (*problem.initial, ZERO) if costs else problem.initial
        plain(whole)  # first, so that the reason names what was written and not its derivative
        terminal = problem.terminal
        driven = () if adjoint else names
        costate = tuple(f" l{i}" for i in range(len(state))) if adjoint else ()
        pulled = Program(pullback(rhs, [symbol(name) for name in costate], names)) if adjoint else None
        return cls(
            problem,
            state,
            names,
            Program(rhs),
            Program(_rows(rhs, state)),
            Program(_rows(rhs, state) + _rows(rhs, driven)),
            Program(initial),
            Program(_rows(initial, names)),
            Program((problem.t0, problem.T)),
            Program(_rows((problem.t0, problem.T), names)),
            Program((terminal,)),
            Program([*gradient(terminal, problem.state), *([ONE] if costs else [])]),
            Program(gradient(terminal, names)),
            Program(gradient(terminal, (TIME,))),
            driven,
            costate,
            pulled,
        )

    def values(self, time: object, states: object, at: Mapping[str, arb]) -> dict[str, object]:
        """The values of all names for a program."""
        return {**at, TIME: time, **dict(zip(self.state, states, strict=True))}  # ty: ignore[invalid-argument-type]


def _rows(outputs: tuple[Node, ...], names: tuple[str, ...]) -> list[Node]:
    """d outputs / d names, row by row."""
    return [entry for output in outputs for entry in gradient(output, names)]


def needed(problem: OdeProblem) -> frozenset[str]:
    """The names that must have a value."""
    whole = (*problem.rhs, *problem.initial, problem.t0, problem.T, problem.terminal, problem.running)
    return (free_symbols(*whole) | set(problem.parameters)) - {*problem.state, TIME}


def differentiated(problem: OdeProblem) -> tuple[str, ...]:
    """Parameters first, then every other name that the problem uses."""
    rest = sorted(needed(problem) - set(problem.parameters))
    return (*problem.parameters, *rest)


def own_time(problem: OdeProblem, which: str) -> bool:
    """Whether `t0` or `T` is no name of the problem, so that it means the time itself."""
    return which not in needed(problem)
