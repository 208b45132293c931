"""What does a step add to the derivatives by the names?  The integral of l^T f_q over [0, 1], for rows l of series.

One reverse sweep gives it as integrals of a*x, one for each coefficient of the right-hand side, and all those of a
layer are one product P H X of matrices: P and X have the coefficients of the polynomials a and x, and
H_ij = 1/(i + j + 1).  For p + s^N q and u + s^N v it is at most (||q|| ||u|| + ||p|| ||v|| + ||q|| ||v||)/(N + 1) off.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

from flint import arb, arb_mat, arb_poly, ctx

from verify.numerics.enclosure.layers import padded
from verify.numerics.enclosure.series import UNIT, ZERO, Series, norm
from verify.numerics.enclosure.sweep import ONE, Bar, Bound


def series(value: Any, n: int) -> Series:
    """A constant, or None for 0, as a series."""
    return value if isinstance(value, Series) else Series(arb_poly([ZERO if value is None else value]), ZERO, n)


def integrals(rhs: Bound, moving: Sequence[Series], costates: Sequence[Sequence[Series]]) -> dict[str, list[arb]]:
    """For each name with a derivative the integrals of l^T f_q over [0, 1].

    moving    the states and the time, on which f is taken; costates: for each state the entries of all rows l.
    """
    n, rows = moving[0].n, len(costates[0])
    run = rhs.run(moving)
    swept = rhs.sweep(run, [Bar(tuple(each)) for each in costates], inputs=False)
    slopes = rhs.constants.slopes
    found: dict[str, list[arb]] = {}

    def give(k: int, values: Sequence[arb]) -> None:
        for name, slope in slopes[k].items():
            shares = [value * slope for value in values]
            known = found.get(name)
            found[name] = shares if known is None else [a + b for a, b in zip(known, shares, strict=True)]

    for layer, received in swept.layers:
        a = [series(x, n) for bar in received for x in (bar.expanded() if bar else [None] * rows)]
        for i, k in enumerate(layer.offsets):
            if k is not None and k >= 0 and slopes[k]:
                give(k, [_integral(each) for each in a[i * rows : (i + 1) * rows]])
        if any(k >= 0 and slopes[k] for row in layer.weights for k in row):
            values = products(a, [series(run.slots[i], n) for i in layer.ins])
            for i, weights in enumerate(layer.weights):
                for j, k in enumerate(weights):
                    if k >= 0 and slopes[k]:
                        give(k, [values[i * rows + r][j] for r in range(rows)])
    return found


def _integral(a: Series) -> arb:
    return a.p.integral()(ONE) + UNIT * (a.r / (a.n + 1)).abs_upper()


@lru_cache(maxsize=8)
def _hilbert(n: int, bits: int) -> arb_mat:
    """1/(i + j + 1), as balls of so many bits."""
    if bits != ctx.prec:
        raise ValueError(f"{bits} bits are asked for at a precision of {ctx.prec}")
    return arb_mat(n, n, [ONE / (i + j + 1) for i in range(n) for j in range(n)])


def products(a: Sequence[Series], x: Sequence[Series]) -> list[list[arb]]:
    """The integrals of a_i x_j over [0, 1]."""
    n = x[0].n
    H = _hilbert(n, ctx.prec)
    P = arb_mat(len(a), n, [c for each in a for c in padded(each.p.coeffs(), n)])
    X = arb_mat(len(x), n, [c for each in x for c in padded(each.p.coeffs(), n)])
    whole = (P * H * X.transpose()).tolist()
    heights, widths = [norm(each.p) for each in a], [norm(each.p) for each in x]
    for i, row in enumerate(whole):
        for j, value in enumerate(row):
            tail = a[i].r * widths[j] + x[j].r * (heights[i] + a[i].r)
            row[j] = value + UNIT * (tail / (n + 1)).abs_upper()
    return whole
