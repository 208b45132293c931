"""Where are states, and integrals along them, at one time after the other?  In balls, without any derivatives.

The pieces between the times may have different right-hand sides, and the states may be set to other values between
them: for states that jump, and for adjoints, which do so wherever something is observed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from flint import arb

from verify.graph import Node, symbol
from verify.numerics.enclosure.constants import Constants
from verify.numerics.enclosure.field import Field
from verify.numerics.enclosure.forward import Box, integrate
from verify.numerics.enclosure.written import plain
from verify.systems import TIME, OdeProblem

#: Names of the ends of a piece, which no expression can name.
BEGIN, END = " begin", " end"


@dataclass
class Along:
    """States that are carried from one time to the next.

    values   balls of all names; at: balls of the states at `time`; order, tol, deadline: as for `integrate`.
    """

    problem: OdeProblem
    state: tuple[str, ...]
    values: Mapping[str, arb]
    time: arb
    at: Sequence[arb]
    order: int
    tol: float
    deadline: float
    fields: dict[tuple[Node, ...], Field] = field(default_factory=dict)

    def to(self, time: arb, rates: Sequence[Node], integrands: Sequence[Node]) -> list[arb]:
        """Goes on to a later time with given rates; the integrals of some expressions on the way.  Raises GaveUp."""
        n, rest = len(self.state), len(integrands)
        whole = (*rates, *integrands)
        if whole not in self.fields:
            names = (*self.state, *(f" integral {k}" for k in range(rest)))
            starts = tuple(symbol(f"{name} at the start") for name in names)
            ends = (symbol(BEGIN), symbol(END))
            self.fields[whole] = Field.written(self.problem, names, (), whole, starts, ends, ((),))
        own = self.fields[whole]
        first = [*self.at, *[arb(0)] * rest]
        known = {f"{name} at the start": x for name, x in zip(own.state, first, strict=True)}
        box = Box.of({**self.values, **known, BEGIN: self.time, END: time}, ())
        way = integrate(own, box, self.order, self.tol, self.deadline, adjoint=False, states_alone=True)
        found = way.reached[-1].state.entries()
        self.time, self.at = time, found[:n]
        return found[n:]

    def named(self, where: str = "") -> dict[str, arb]:
        """The states by name, with the text of a place behind it; where there is none, the time as well."""
        found = {name + where: x for name, x in zip(self.state, self.at, strict=True)}
        return found if where else {**found, TIME: self.time}


def valued(nodes: Sequence[Node], values: Mapping[str, arb]) -> tuple[arb, ...]:
    """Balls of some expressions.  Raises Unsupported; KeyError for a name without a value."""
    return Constants.of(plain(nodes), values, frozenset()).values
