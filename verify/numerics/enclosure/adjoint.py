"""Where is dG/dq for many names q at once?  The adjoint, backwards over the steps that were proved forwards.

On a step with time scaled to s in [0, 1] the adjoint is l(s)^T = l(1)^T J Psi(s), where Psi is the inverse of
dx(s)/dx(0) and J = dx(1)/dx(0): l at the start of the step is J^T l at its end.  What the step adds to the gradient is
h times the integral of l^T f_q.  At the time of a term g of the objective, g_x is added to l.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from flint import arb_mat, arb_poly

from verify.numerics.enclosure.field import System
from verify.numerics.enclosure.frame import Frame, centred
from verify.numerics.enclosure.integrals import integrals
from verify.numerics.enclosure.linear import Matrices
from verify.numerics.enclosure.series import ZERO, Series, finite
from verify.numerics.enclosure.step import Tube


@dataclass(frozen=True)
class Passed:
    """What a proved step leaves behind: the solutions on it, dx/dstart, and Psi^T with bounds of its tails."""

    tube: Tube
    by_start: arb_mat
    inverse: Matrices
    inverse_tail: arb_mat


def backwards(system: System, legs: Sequence[Sequence[Passed]], jumps: Sequence[arb_mat]) -> tuple[arb_mat, arb_mat]:
    """l(t0)^T (1 x n), and the integral of l^T f_q from t0 to the last time (1 x m).

    legs     the steps between one time of the objective and the next; jumps: g_x (1 x n) at the end of each.

    Raises Diverges where a bound does not close.
    """
    names, n = system.field.names, len(system.field.state)
    frame, part = Frame.identity(n), centred(arb_mat(n, 1))
    grown = dict.fromkeys(names, ZERO)
    for steps, jump in zip(reversed(legs), reversed(jumps), strict=True):
        # The frame starts anew: what is added has widths in other directions.
        frame, part = Frame.identity(n), centred(frame.hull(part) + jump.transpose())
        for step in reversed(steps):
            transposed = step.by_start.transpose()
            frame, (part,) = frame.move(transposed, [part], [transposed * part[0]])
            start, N = frame.hull(part), step.tube.clock.n
            columns = zip(*((v * start).entries() for v in step.inverse), strict=True)
            tails = (step.inverse_tail * start).entries()
            costates = [[Series(arb_poly(list(c)), x.abs_upper(), N)] for c, x in zip(columns, tails, strict=True)]
            for name, (value,) in integrals(system.rhs, [*step.tube.states, step.tube.clock], costates).items():
                grown[name] += step.tube.h * value
    first = frame.hull(part).transpose()
    finite([*first.entries(), *grown.values()])
    return first, arb_mat(1, len(names), list(grown.values()))
