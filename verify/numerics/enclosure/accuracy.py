"""How many coefficients and bits are worked with?  As many as a tolerance needs; FLINT's globals are put back."""

from __future__ import annotations

import math
from collections.abc import Generator
from contextlib import contextmanager

from flint import ctx


def figures(tol: float) -> tuple[int, int]:
    """Coefficients and bits for a tolerance."""
    digits = max(-math.log10(max(tol, 1e-300)), 4.0)
    return int(14 + 1.07 * digits), int(3.33 * digits) + 35


@contextmanager
def precision(bits: int, order: int) -> Generator[None]:
    """FLINT's global precision, and a cap above the length of every series; both put back."""
    before = ctx.prec, ctx.cap
    ctx.prec, ctx.cap = bits, max(order + 1, ctx.cap)
    try:
        yield
    finally:
        ctx.prec, ctx.cap = before
