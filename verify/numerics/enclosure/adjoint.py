"""Where is g_x dx(T)/dq for many names q at once?  The adjoint, backwards over the steps that were proved forwards.

On a step with time scaled to s in [0, 1], l' = -A(s)^T l with A = h f_x along the solutions, so that l at the start of
the step is J^T l at its end, and l(s) for every s comes from the same linear equation as the variations do.  The part
of the gradient that grows within the step is h times the integral of l^T f_q over [0, 1], one reverse sweep for all q:
for p + s^N w it is the integral of p, and r/(N + 1) at most beside it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from flint import arb, arb_mat, arb_poly

from verify.numerics.enclosure.field import Field
from verify.numerics.enclosure.frame import Frame, centred
from verify.numerics.enclosure.series import UNIT, ZERO, Series
from verify.numerics.enclosure.step import Linear, Matrices, Values, finite, series


@dataclass(frozen=True)
class Passed:
    """What a proved step leaves behind: its time and length, the solutions on it, A = h f_x there, and dx/dstart."""

    clock: Series
    h: arb
    states: Sequence[Series]
    A: Matrices
    A_tail: list[list[arb]]
    by_start: arb_mat


def backwards(field: Field, at: Values, steps: Sequence[Passed], g_x: arb_mat) -> tuple[arb_mat, arb_mat]:
    """l(t0)^T (1 x n), and the integral of l^T f_q from t0 to T (1 x m), for l(T)^T = g_x (1 x n).

    Raises Diverges where a bound does not close.
    """
    if field.pulled is None:
        raise ValueError("the field has no program for l^T f_q")
    n, m = len(field.state), len(field.names)
    frame, part = Frame.identity(n), centred(g_x.transpose())
    grown = [ZERO] * m
    for step in reversed(steps):
        N = step.clock.n
        transposed = step.by_start.transpose()
        frame, (part,) = frame.move(transposed, [part], [transposed * part[0]])
        tails = [list(row) for row in zip(*step.A_tail, strict=True)]
        flow = Linear([-a.transpose() for a in step.A], tails, [arb_mat(n, 1)] * N, [[ZERO]] * n)
        V, X = flow.solve(frame.hull(part))
        costate = [Series(arb_poly([v[i, 0] for v in V]), X[i, 0].abs_upper(), N) for i in range(n)]
        values = {**field.values(step.clock, step.states, at), **dict(zip(field.costate, costate, strict=True))}
        for j, rate in enumerate(field.pulled(values)):
            value = series(rate, N)
            grown[j] += step.h * (value.p.integral()(arb(1)) + UNIT * (value.r / (N + 1)).abs_upper())
    first = frame.hull(part).transpose()
    finite([*first.entries(), *grown])
    return first, arb_mat(1, m, grown)
