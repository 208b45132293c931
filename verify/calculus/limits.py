"""What is the limit of an expression at the end of an interval, and how is that known?

Proved by continuity, or by a bound on the difference to it (`verify.calculus.tails`); supported where only enclosures
further and further out agree with what computer algebra found.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import sympy as sp

from verify.calculus.tails import falls
from verify.verdict import Evidence, Rigor


@dataclass(frozen=True)
class Limit:
    """A one-sided limit and how it is known; `value` is None where there is none, or none was found."""

    value: sp.Expr | None
    evidence: Evidence


#: Where the last resort looks: at these distances from the finite end, or from 0.
EXPONENTS = range(4, 44, 4)


def limit_at(expression: Any, x: sp.Symbol, end: Any, side: int) -> Limit:
    """The limit of the expression as x -> end from inside an interval: side is +1 at its lower end, -1 at its upper.

    Proved by continuity at a finite end, or by a bound on the difference to it (or to its square, where both are
    positive); supported by enclosures further and further out where neither shows it.
    """
    e, y = sp.sympify(expression), sp.Dummy("y", positive=True)
    if end in (sp.oo, -sp.oo):
        moved = e.subs(x, -side * y)
    else:
        value = _by_continuity(e, x, sp.sympify(end))
        if value is not None:
            return Limit(value, Evidence("continuity", Rigor.EXACT, True, frozenset({"continuity"})))
        moved = e.subs(x, end + side / y)
    if bound := _falling(moved, y):
        return Limit(sp.S.Zero, bound)
    try:
        value = sp.limit(moved, y, sp.oo)
    except (NotImplementedError, ValueError, sp.PoleError) as error:
        return Limit(None, _unknown(f"computer algebra gave up: {error}"))
    if not value.is_finite or value.has(sp.AccumBounds):
        return Limit(None, _unknown(f"computer algebra says {value}"))
    rests = [sp.together(moved - value), sp.expand((moved - value).rewrite(sp.erfc))]
    if (moved.is_positive and value.is_positive) or (moved.is_negative and value.is_negative):
        rests.append(sp.together(sp.expand(moved**2) - value**2))
    for rest in rests:
        if bound := _falling(rest, y):
            return Limit(value, bound)
    return Limit(value, _further_and_further(moved, y, value))


def _falling(e: sp.Expr, y: sp.Symbol) -> Evidence | None:
    bound = falls(e, y)
    if not bound:
        return None
    detail = {"bound": bound.replace(str(y), "x")}
    return Evidence("bound by structure", Rigor.EXACT, True, frozenset({"growth"}), detail=detail)


def _by_continuity(e: sp.Expr, x: sp.Symbol, end: sp.Expr) -> sp.Expr | None:
    """The value at `end` when everything in e is continuous and finite there."""
    continuous = sp.Add | sp.Mul | sp.exp | sp.sin | sp.cos | sp.tanh | sp.atan | sp.erf | sp.erfc | sp.Abs
    for node in sp.preorder_traversal(e):
        if not node.has(x):
            continue
        if node.subs(x, end).has(sp.nan, sp.oo, -sp.oo, sp.zoo):
            return None
        if isinstance(node, sp.Pow | sp.log):
            inside = node.args[0].subs(x, end)
            whole = isinstance(node, sp.Pow) and node.exp.is_Integer and (node.exp > 0 or inside.is_nonzero)
            if not (whole or inside.is_positive):
                return None
        elif node != x and not isinstance(node, continuous):
            return None
    return e.subs(x, end)


def _further_and_further(e: sp.Expr, y: sp.Symbol, value: sp.Expr) -> Evidence:
    """Distances to the limit at y = 2^4, 2^8, … by enclosures: they must fall all the way, to below 1e-6."""
    from flint import acb, arb, ctx

    from verify.decide.enclose.balls import Program
    from verify.decide.enclose.jets import NoValue
    from verify.language.bridge import NoCounterpart, from_sympy

    if (e - value).free_symbols != {y}:
        return _unknown("computer algebra found the limit, no bound shows it, and it depends on more symbols")
    precision, ctx.prec = ctx.prec, 512
    try:
        far = sp.Symbol("y", positive=True)
        program = Program([from_sympy((e - value).subs(y, far))], real=True)
        distances = [abs(program.values({"y": acb(arb(2) ** k)})[0]).upper() for k in EXPONENTS]
    except (NoValue, NoCounterpart) as error:
        return _unknown(f"computer algebra found the limit, and enclosures did not: {error}")
    finally:
        ctx.prec = precision
    closer = all(later <= earlier for earlier, later in pairwise(distances))
    holds = True if closer and distances[-1] < 1e-6 else None
    detail = {"last distance": f"{float(distances[-1]):.1e}"}
    return Evidence("enclosures further and further out", Rigor.NUMERICAL, holds, frozenset({"arb"}), detail=detail)


def _unknown(reason: str) -> Evidence:
    return Evidence("limit", Rigor.NUMERICAL, None, frozenset({"sympy.limit"}), detail={"reason": reason})
