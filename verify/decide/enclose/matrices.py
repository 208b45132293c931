"""What is the exponential of a matrix of balls?  FLINT's, kept for the next entry of the same matrix."""

from __future__ import annotations

from collections.abc import Sequence

from flint import acb, acb_mat, ctx

#: Exponentials that are kept; the entries of one are asked for one after the other.
MOST_KEPT = 32
_Kept = tuple[int, tuple[acb, ...], acb_mat]
_kept: dict[tuple[int, ...], _Kept] = {}


def exponential(entries: Sequence[acb], n: int) -> acb_mat:
    """expm of the n×n matrix with these entries, row by row; rigorous at the precision of `flint.ctx`."""
    key = tuple(map(id, entries))
    known = _kept.get(key)
    if known is not None and known[0] == ctx.prec and all(a is b for a, b in zip(known[1], entries, strict=True)):
        return known[2]
    result = acb_mat(n, n, list(entries)).exp()
    if len(_kept) >= MOST_KEPT:
        _kept.clear()
    _kept[key] = ctx.prec, tuple(entries), result
    return result
