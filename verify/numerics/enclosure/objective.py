"""Where are the objective and its derivatives?  From what was reached at its times."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from flint import arb, arb_mat

from verify.numerics.enclosure.events import Changing, Phases, through
from verify.numerics.enclosure.field import Field, System, Term, own_time
from verify.numerics.enclosure.forward import Box, Way
from verify.numerics.enclosure.stiff import stiff


@dataclass(frozen=True)
class Known:
    """G, its gradient by name, the last state, and the times of events with their gradients."""

    objective: arb
    gradient: Mapping[str, arb]
    state: Sequence[arb]
    steps: int
    events: tuple[tuple[arb, Mapping[str, arb]], ...] = ()

    def both(self, other: Known) -> Known:
        """What both say together; the other may know less."""
        gradient = {name: _narrowed(x, other.gradient.get(name, x)) for name, x in self.gradient.items()}
        state = [_narrowed(x, y) for x, y in zip(self.state, other.state, strict=True)]
        return Known(_narrowed(self.objective, other.objective), gradient, state, self.steps + other.steps)


def _narrowed(a: arb, b: arb) -> arb:
    """A ball that contains what lies in both."""
    if not a.is_finite() or not b.is_finite():
        return a if a.is_finite() else b
    return a.intersection(b)


def known(field: Field, box: Box, way: Way) -> Known:
    """From the states and their sensitivities; over a box G is also its value in the middle and dG/dq xi beside it."""
    objective, gradient = derivatives(field, way, 0)
    if box.wide:
        thin = field.at(box.middle, ())
        times = thin.constant(thin.times)[0][1:]
        value = arb(0)
        for i, (end, time) in enumerate(zip(way.reached, times, strict=True)):
            value += thin.observe(i, end.central.entries(), time)[0].value
        for i, name in enumerate(box.wide):
            value += gradient[name] * box.xi[i, 0]
        objective = _narrowed(value, objective)
    return Known(objective, gradient, way.reached[-1].state.entries()[: len(field.problem.state)], way.steps)


def known_through(phases: Phases, box: Box, order: int, tol: float, deadline: float) -> Known:
    """With events."""
    found = through(phases, box, order, tol, deadline)

    def row(each: Changing) -> dict[str, arb]:
        return dict(zip(phases.inputs, each.slopes.tolist()[0], strict=True))

    events = tuple((each.values[0], row(each)) for each in found.times)
    return Known(found.objective.values[0], row(found.objective), found.state.values, found.steps, events)


def derivatives(field: Field, way: Way, which: int) -> tuple[arb, dict[str, arb]]:
    """An objective and its gradient; `which` of those that are observed.

    With Phi = dx/dx(t0), S = dx/dq at fixed ends, and H = g_t + g_x x', all at the time T of a term g:

        dG/dq = sum over the terms of (g_q + g_x S + H T_q - g_x Phi x'(t0) t0_q)
    """
    n = len(field.state)
    terms = [way.system.observe(i, end.state.entries(), end.time)[which] for i, end in enumerate(way.reached)]
    by_start, by_names = way.pulled([term.by_states for term in terms])
    H0 = (by_start * arb_mat(n, 1, way.system.rhs([*way.start.entries(), way.begin])))[0, 0]
    first, *ends = way.system.constant(way.system.times)[1]
    H = [
        term.by_time + (term.by_states * arb_mat(n, 1, way.system.rhs([*end.state.entries(), end.time])))[0, 0]
        for term, end in zip(terms, way.reached, strict=True)
    ]
    gradient = {}
    for j, name in enumerate(field.names):
        total = by_names[0, j] - H0 * first[j]
        for term, rate, slopes in zip(terms, H, ends, strict=True):
            total = total + term.by_names[j] + rate * slopes[j]
        gradient[name] = total
    if own_time(field.problem, "T"):
        gradient["T"] = H[-1]
    if own_time(field.problem, "t0"):
        gradient["t0"] = -H0
    for i, name in enumerate(field.problem.state):
        gradient[f"{name}(t0)"] = by_start[0, i]
    return sum((term.value for term in terms), arb(0)), gradient


def known_by_second(field: Field, outputs: Sequence[str], box: Box, way: Way) -> Known:
    """From the doubled system over a box, where all that is observed is a function of the state.

    With the state in c + C xi, a function v(x, q) is in v(c, middle) + (v_x C + v_q) xi, where v_x and v_q are taken
    over the whole box: the mean value theorem along the segment between the two.
    """
    thin = field.at(box.middle, ())
    values = [arb(0) for _ in outputs]
    for i, end in enumerate(way.reached):
        whole = way.system.observe(i, end.state.entries(), end.time)
        middle = thin.observe(i, end.central.entries(), end.time)
        for k, (term, central) in enumerate(zip(whole, middle, strict=True)):
            values[k] += _narrowed(central.value + _spread(way.system, term, box, end.spread), term.value)
    by_output = dict(zip(outputs, values, strict=True))
    state = way.reached[-1].state.entries()[: len(field.problem.state)]
    return Known(by_output.pop("G"), by_output, state, way.steps)


def known_around(field: Field, outputs: Sequence[str], box: Box, tol: float, deadline: float) -> Known:
    """From the doubled system of a stiff problem, around an approximate solution.  Raises GaveUp."""
    system = field.at(box.whole, ())
    begin, *ends = system.constant(system.times)[0]
    passage = stiff(system, box.whole, system.constant(system.initial)[0], begin, ends, tol, deadline)
    rows = [
        [term.value for term in system.observe(i, states, time)]
        for i, (states, time) in enumerate(zip(passage.states, ends, strict=True))
    ]
    by_output = dict(zip(outputs, (sum(each, arb(0)) for each in zip(*rows, strict=True)), strict=True))
    state = passage.states[-1][: len(field.problem.state)]
    return Known(by_output.pop("G"), by_output, state, passage.pieces)


def _spread(system: System, term: Term, box: Box, C: arb_mat) -> arb:
    slopes, total = term.by_states * C, arb(0)
    for j, name in enumerate(box.wide):
        total += (slopes[0, j] + term.by_names[system.field.names.index(name)]) * box.xi[j, 0]
    return total
