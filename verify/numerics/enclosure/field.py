"""What is integrated?  The right-hand side, and the objective, as tapes that can be run and differentiated.

The running cost is one state more, z' = running, z(t0) = 0, and z(T) a part of the last term of the objective.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from flint import arb, arb_mat

from verify.calculus.tidy import tidied
from verify.graph import MINUS_ONE, ZERO, Node, add, free_symbols, mul, symbol
from verify.numerics.enclosure.sweep import Bound
from verify.numerics.enclosure.tape import Tape
from verify.systems import TIME, OdeProblem, event_times

#: The state that the running cost becomes; no expression can name it.
COST = " running"


@dataclass(frozen=True)
class Field:
    """x' = rates(t, x, q), x(t0) = starts(q), and the terms of the objective at their times.

    state       the names of the n states, the running cost last; names: the m names q that are differentiated by.
    moments     t0, and the time of each term; written_terms: what is observed then, one expression or several.
    lead        number of the states that move by themselves; the others are sensitivities of all of them, one by one.
    lengths     of the intervals between the moments, in names alone.
    rhs, initial, times, terms   the same as tapes; rhs and terms in states and time, the others in names alone.
    """

    problem: OdeProblem
    state: tuple[str, ...]
    names: tuple[str, ...]
    rates: tuple[Node, ...]
    starts: tuple[Node, ...]
    moments: tuple[Node, ...]
    written_terms: tuple[tuple[Node, ...], ...]
    rhs: Tape
    initial: Tape
    times: Tape
    lengths: Tape
    terms: tuple[Tape, ...]
    lead: int

    @classmethod
    def of(cls, problem: OdeProblem, names: tuple[str, ...]) -> Field:
        """Raises Unsupported for expressions without rules, kinks and jumps among them."""
        costs = problem.running is not ZERO
        state = (*problem.state, COST) if costs else problem.state
        rhs = (*problem.rhs, problem.running) if costs else problem.rhs
        initial = (*problem.initial, ZERO) if costs else problem.initial
        times, terms = observed(problem)
        if costs:
            terms = (*terms[:-1], add(terms[-1], symbol(COST)))
        return cls.written(problem, state, names, rhs, initial, (problem.t0, *times), tuple((term,) for term in terms))

    @classmethod
    def written(
        cls,
        problem: OdeProblem,
        state: tuple[str, ...],
        names: tuple[str, ...],
        rates: tuple[Node, ...],
        starts: tuple[Node, ...],
        moments: tuple[Node, ...],
        terms: tuple[tuple[Node, ...], ...],
        lead: int = 0,
    ) -> Field:
        """From expressions in states, time and names.  Raises Unsupported."""
        moving = (*state, TIME)
        observed_terms = tuple(Tape.of(each, moving) for each in terms)
        # Tidied, so that what is common to both ends of an interval does not make its length uncertain.
        lengths = tidied([add(late, mul(MINUS_ONE, early)) for early, late in pairwise(moments)])
        tapes = Tape.of(rates, moving), Tape.of(starts, ()), Tape.of(moments, ()), Tape.of(lengths, ()), observed_terms
        return cls(problem, state, names, rates, starts, moments, terms, *tapes, lead or len(state))

    def at(self, values: Mapping[str, arb], driven: Sequence[str]) -> System:
        """The field at values of its names.

        driven      names whose sensitivities are carried forwards; the rest is left to the adjoint.
        """
        return System(
            self,
            Bound.of(self.rhs, values, self.names),
            Bound.of(self.initial, values, self.names),
            Bound.of(self.times, values, self.names),
            Bound.of(self.lengths, values),
            tuple(Bound.of(term, values, self.names) for term in self.terms),
            tuple(driven),
        )


@dataclass(frozen=True)
class System:
    """A field at values of its names."""

    field: Field
    rhs: Bound
    initial: Bound
    times: Bound
    lengths: Bound
    terms: tuple[Bound, ...]
    driven: tuple[str, ...]

    def constant(self, bound: Bound) -> tuple[list[arb], list[list[arb]]]:
        """Values of a tape without inputs, and their derivatives by all names, row by row."""
        run = bound.run(())
        return [run.slots[root] for root in bound.tape.roots], bound.derivatives(run, 0, self.field.names)

    def observe(self, i: int, states: Sequence[arb], time: arb) -> list[Term]:
        """What is observed at a time, with its derivatives."""
        bound, n = self.terms[i], len(self.field.state)
        run = bound.run([*states, time])
        values = [run.slots[root] for root in bound.tape.roots]
        rows = bound.derivatives(run, n + 1, self.field.names)
        return [Term(g, arb_mat(1, n, row[:n]), row[n], row[n + 1 :]) for g, row in zip(values, rows, strict=True)]


@dataclass(frozen=True)
class Term:
    """g, g_x (1 x n), g_t, and g_q one by one."""

    value: arb
    by_states: arb_mat
    by_time: arb
    by_names: Sequence[arb]


def observed(problem: OdeProblem) -> tuple[tuple[Node, ...], tuple[Node, ...]]:
    """The times at which something is added to the objective, the final one last, and what is added."""
    times = [each.time for each in problem.observations]
    terms = [each.value for each in problem.observations]
    return (*times, problem.T), (*terms, problem.terminal)


def needed(problem: OdeProblem) -> frozenset[str]:
    """The names that must have a value."""
    times, terms = observed(problem)
    whole = (*problem.rhs, *problem.initial, problem.t0, *times, *terms, problem.running)
    events = [f for each in problem.events for f in (each.when, *each.reset, *each.rhs, each.running, each.cost)]
    own = {*problem.state, TIME, *event_times(problem)}
    return (free_symbols(*whole, *events) | set(problem.parameters)) - own


def differentiated(problem: OdeProblem) -> tuple[str, ...]:
    """Parameters first, then every other name that the problem uses."""
    rest = sorted(needed(problem) - set(problem.parameters))
    return (*problem.parameters, *rest)


def own_time(problem: OdeProblem, which: str) -> bool:
    """Whether `t0` or `T` is no name of the problem, so that it means the time itself."""
    return which not in needed(problem)
