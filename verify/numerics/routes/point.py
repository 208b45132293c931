"""What is a problem at one point of its names, as functions of arrays?  And which point, where nobody named one?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from typing import Any

import numpy as np

from verify.calculus.reverse import gradient, pullback
from verify.graph import ONE, ZERO, Node, free_symbols, postorder, substitute, symbol
from verify.numerics import ode
from verify.numerics.enclosure.field import differentiated
from verify.numerics.exponential import LinearProblem
from verify.numerics.routes.functions import function, holomorphic
from verify.systems import TIME, Observation, OdeProblem, adjoint_names

Array = Any


def inside(problem: OdeProblem) -> dict[str, Fraction]:
    """A value for each name within its range: the middle of an interval, 1 from a single end or 0.

    Raises ValueError where the problem has conditions between names, which such values may not meet.
    """
    if problem.domain.conditions:
        raise ValueError("the names are bound by conditions; give a point")
    found = {}
    for name in differentiated(problem):
        variable = problem.domain.variables.get(name)
        low, high = (None, None) if variable is None else (variable.low, variable.high)
        ends = [None if end is None else Fraction(end.value) for end in (low, high)]
        if ends[0] is not None and ends[1] is not None:
            found[name] = (ends[0] + ends[1]) / 2
        elif ends[0] is not None:
            found[name] = ends[0] + 1
        elif ends[1] is not None:
            found[name] = ends[1] - 1
        else:
            found[name] = Fraction(1)
    return {name: Fraction(float(value)) for name, value in found.items()}


@dataclass(frozen=True)
class Point:
    """A problem and the values of its names, doubles that are taken as exact.

    Raises NoFloat (of `verify.numerics.straight`) for expressions without a value in floating point.
    """

    problem: OdeProblem
    values: Mapping[str, float]

    @cached_property
    def names(self) -> tuple[str, ...]:
        return differentiated(self.problem)

    @cached_property
    def p(self) -> Array:
        return np.array([self.values[name] for name in self.names], dtype=float)

    def constants(self, *nodes: Node) -> Array:
        return np.asarray(function(nodes, (self.names,), (len(nodes),))(self.p), dtype=float)

    @cached_property
    def ends(self) -> tuple[float, float]:
        t0, T = self.constants(self.problem.t0, self.problem.T)
        if not t0 < T:
            raise ArithmeticError(f"the interval of time from {t0:g} to {T:g} is empty")
        return float(t0), float(T)

    @cached_property
    def times(self) -> list[float]:
        """t0, the times of observation, T; ArithmeticError where they are not in this order."""
        return [float(time) for time in self.numeric.times(self.p, *self.ends)]

    @cached_property
    def smooth(self) -> bool:
        """Whether the code may be run on complex numbers."""
        q = self.problem
        return holomorphic(*q.rhs, *q.initial, q.running, q.terminal, *(each.value for each in q.observations))

    @cached_property
    def operations(self) -> int:
        """Operations of one evaluation of the right-hand side."""
        return sum(bool(node.args) for node in postorder(*self.problem.rhs, self.problem.running))

    def functions(self, library: Any = np) -> ode.OdeProblem:
        """The problem for the routes of `verify.numerics.ode`, its names being the parameters there."""
        q, u, names = self.problem, self.problem.state, self.names
        n, m = len(u), len(names)

        def of(nodes: Any, *shape: int) -> Any:
            return function(tuple(nodes), (TIME, u, names), shape, library)

        def flat(rows: Any) -> list[Node]:
            return [entry for row in rows for entry in row]

        def observed(each: Observation) -> ode.Observed:
            return ode.Observed(
                time=function((each.time,), (names,), (), library),
                time_p=function(gradient(each.time, names), (names,), (m,), library),
                value=of((each.value,)),
                value_t=of(gradient(each.value, (TIME,))),
                value_u=of(gradient(each.value, u), n),
                value_p=of(gradient(each.value, names), m),
            )

        return ode.OdeProblem(
            states=n,
            parameters=m,
            field=of(q.rhs, n),
            initial=function(q.initial, (names,), (n,), library),
            running=of((q.running,)),
            terminal=of((q.terminal,)),
            field_u=of(flat(gradient(f, u) for f in q.rhs), n, n),
            field_p=of(flat(gradient(f, names) for f in q.rhs), n, m),
            initial_p=function(flat(gradient(b, names) for b in q.initial), (names,), (n, m), library),
            running_u=of(gradient(q.running, u), n),
            running_p=of(gradient(q.running, names), m),
            terminal_u=of(gradient(q.terminal, u), n),
            terminal_p=of(gradient(q.terminal, names), m),
            terminal_t=of(gradient(q.terminal, (TIME,))),
            observed=tuple(map(observed, q.observations)),
        )

    @cached_property
    def numeric(self) -> ode.OdeProblem:
        return self.functions()

    @cached_property
    def adjoint(self) -> ode.NumericAdjoint:
        """The adjoint system by one reverse sweep, whose cost does not grow with the number of names."""
        q, u, names = self.problem, self.problem.state, self.names
        l = adjoint_names(q)
        n, m = len(u), len(names)
        swept = pullback((*q.rhs, q.running), (*map(symbol, l), ONE), (*u, *names))
        numeric, arguments = self.numeric, (TIME, u, l, names)
        backwards = function(swept[:n], arguments, (n,))
        usual = ode.adjoint_of(numeric)
        return ode.NumericAdjoint(
            rate=lambda *at: -backwards(*at),
            density=function(swept[n:], arguments, (m,)),
            final=numeric.terminal_u,
            explicit=numeric.terminal_p,
            boundary=numeric.initial_p,
            at_start=usual.at_start,
            at_end=usual.at_end,
        )

    @cached_property
    def linear(self) -> tuple[LinearProblem, ...]:
        """u' = A(p) u + c(p) as y' = A y with y = (u, 1), once for each time of the objective with what counts then.

        Empty for other problems, and where there is a running cost.
        """
        q, u, names = self.problem, self.problem.state, self.names
        rows = [gradient(f, u) for f in q.rhs]
        rest = [substitute(f, {symbol(name): ZERO for name in u}) for f in q.rhs]
        entries = [entry for row in rows for entry in row]
        if q.running is not ZERO or free_symbols(*entries) & {*u, TIME} or TIME in free_symbols(*rest):
            return ()
        n, m = len(u), len(names)
        whole = [entry for row, c in zip(rows, rest, strict=True) for entry in (*row, c)] + [ZERO] * (n + 1)
        moved = [entry for name in names for node in whole for entry in gradient(node, (name,))]
        numeric = self.numeric
        matrix, matrix_p = function(whole, (names,), (n + 1, n + 1)), function(moved, (names,), (m, n + 1, n + 1))

        def term(time: float, value: Any, value_u: Any, value_p: Any) -> LinearProblem:
            return LinearProblem(
                matrix=matrix,
                matrix_p=matrix_p,
                initial=lambda p: np.append(numeric.initial(p), 1.0),
                initial_p=lambda p: np.vstack([numeric.initial_p(p), np.zeros((1, m))]),
                terminal=lambda y, p: value(time, y[:n], p),
                terminal_y=lambda y, p: np.append(value_u(time, y[:n], p), 0.0),
                terminal_p=lambda y, p: value_p(time, y[:n], p),
            )

        terms = [(each.value, each.value_u, each.value_p) for each in numeric.observed]
        terms += [(numeric.terminal, numeric.terminal_u, numeric.terminal_p)]
        return tuple(term(time, *each) for time, each in zip(self.times[1:], terms, strict=True))

    def by_name(self, whole: Array) -> dict[str, float]:
        """A vector (dG/dp, dG/du(t0), dG/dt0, dG/dT) as an enclosure has it: ends that move with names moved too."""
        m = len(self.names)
        ends = [np.atleast_1d(self.constants(*gradient(end, self.names))) for end in (self.problem.t0, self.problem.T)]
        total = whole[:m] + whole[-2] * ends[0] + whole[-1] * ends[1]
        found = dict(zip(self.names, map(float, total), strict=True))
        found |= {name: float(x) for name, x in (("t0", whole[-2]), ("T", whole[-1])) if name not in self.names}
        starts = zip(self.problem.state, whole[m : m + len(self.problem.state)], strict=True)
        return found | {f"{name}(t0)": float(x) for name, x in starts}
