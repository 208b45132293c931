"""What is claimed of a problem whose gradient is asked for?  Its adjoint, its gradient, and what belongs to them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from verify.graph import Node
from verify.systems import Problem


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
