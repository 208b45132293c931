"""What does Stein's identity say of a law and a test function, and what does the boundary leave?

    score      s = grad log p
    operator   A f = s f^T + grad f,    (grad f)_ij = d f_j / d x_i,   of shape (d, d') for f of d' entries
    identity   p A f = grad (p f)^T, so that E_p[s f^T] = -E_p[grad f] + what p f leaves on the boundary

On an interval the boundary leaves [p f], the difference of two limits.  It is 0 when f is in the Stein class of p.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import sympy as sp
from sympy import Expr, ImmutableMatrix, Symbol, diff, oo, pi, sympify

from verify.calculus.adjoint import jacobian
from verify.calculus.flow import divergence
from verify.calculus.laws import Law
from verify.calculus.limits import limit_at
from verify.calculus.tails import is_integrable
from verify.verdict import Evidence


def stein_operator(law: Law, f: Any) -> ImmutableMatrix:
    """A f = s f^T + grad f, (d, d'), for f a scalar or a column of d' entries."""
    column = _column(f)
    return ImmutableMatrix(law.score * column.T + jacobian(column, law.variables).T)


def stein_trace(law: Law, f: Any) -> Expr:
    """s . f + div f, the trace of A f, for f with as many entries as there are variables."""
    column = _column(f)
    return (law.score.T * column)[0] + divergence(column, law.variables)


def _column(f: Any) -> ImmutableMatrix:
    return ImmutableMatrix(f) if hasattr(f, "shape") else ImmutableMatrix([sympify(f)])


# --- the boundary ---------------------------------------------------------------------------------


@dataclass(frozen=True)
class Boundary:
    """What p f leaves at the two ends of an interval: E_p[A f] = value.

    value       [p f] at the upper minus at the lower end, None where a limit is missing.
    evidence    how the limits and the existence of the integral are known.
    integrable  whether (p f)' is proved to have an integral, so that the expectation exists.
    """

    value: Expr | None
    evidence: Evidence
    integrable: bool


def boundary(law: Law, f: Any, variable: Symbol | None = None) -> Boundary:
    """[p f] along one variable (the only one unless named), for a scalar f."""
    x = variable or law.variables[0]
    low, high = law.support[law.variables.index(x)]
    g = law.density * sympify(f)
    ends = (limit_at(g, x, low, 1), limit_at(g, x, high, -1))
    left, right = (end.value for end in ends)
    value = None if left is None or right is None else right - left
    rigor = min(end.evidence.rigor for end in ends)
    holds = True if all(end.evidence.holds for end in ends) else None
    detail = {str(end): dict(limit.evidence.detail) for end, limit in zip((low, high), ends, strict=True)}
    routes = ", ".join(dict.fromkeys(limit.evidence.route for limit in ends))
    relies_on = frozenset().union(*(limit.evidence.relies_on for limit in ends))
    evidence = Evidence(f"limits of p f: {routes}", rigor, holds, relies_on, detail=detail)
    return Boundary(value, evidence, _has_integral(diff(g, x), x, (low, high)))


def stein_defect(law: Law, f: Any, variable: Symbol | None = None) -> Expr:
    """E_p[A f] for a law on an interval: the boundary term [p f].

    Raises ArithmeticError where p f has no limit at an end, or none was found.
    """
    found = boundary(law, f, variable)
    if found.value is None:
        raise ArithmeticError(
            f"p f has no limit that was found at an end of the support of {law.name}: {found.evidence}"
        )
    return found.value


def in_stein_class(law: Law, *functions: Any, variables: tuple[Symbol, ...] = ()) -> Evidence:
    """Whether the boundary leaves nothing for these f along the variables (all of them), and the expectations exist.

    Exact where bounds or continuity prove the limits; holds is False where they differ, None where something is open.
    """
    found = [boundary(law, f, x) for f in functions for x in variables or law.variables]
    values = [b.value for b in found]
    rigor = min(b.evidence.rigor for b in found)
    known = all(b.evidence.holds and b.integrable for b in found)
    holds = False if any(v is not None and v.is_nonzero for v in values) else None
    if known and all(v is not None and v.is_zero for v in values):
        holds = True
    detail = {"boundary terms": [str(v) for v in values]}
    relies_on = frozenset().union(*(b.evidence.relies_on for b in found))
    return Evidence(found[0].evidence.route, rigor, holds, relies_on, detail=detail)


def _has_integral(derivative: Expr, x: Symbol, ends: tuple[Any, Any]) -> bool:
    """Whether the derivative of p f is proved to be integrable at every infinite end."""
    numerator, denominator = sp.fraction(sp.together(derivative))
    y = Symbol("y", positive=True)
    for end in ends:
        if end not in (oo, -oo):
            continue
        forms = (derivative, sp.expand(numerator) / denominator)
        if not any(is_integrable(form.subs(x, y if end == oo else -y), y) for form in forms):
            return False
    return True


def flux_through_circle(field: ImmutableMatrix, variables: tuple[Symbol, Symbol], radius: Any) -> Expr:
    """The flux of a plane field outwards through the circle around 0, for a field whose radial part is constant on it.

    Raises ValueError where the radial part depends on the angle.
    """
    angle = Symbol("theta", real=True)
    there = dict(zip(variables, (radius * sp.cos(angle), radius * sp.sin(angle)), strict=True))
    normal = sp.trigsimp((field.subs(there, simultaneous=True).T * ImmutableMatrix([sp.cos(angle), sp.sin(angle)]))[0])
    if normal.has(angle):
        raise ValueError(f"the radial part {normal} of the field depends on the angle")
    return 2 * pi * radius * normal


def generic_function(variables: tuple[Symbol, ...], entries: int) -> ImmutableMatrix:
    """Undefined functions f_1, …, f_d' of the variables."""
    return ImmutableMatrix([_undefined(f"f_{j + 1}", *variables) for j in range(entries)])


def _undefined(name: str, *arguments: Any) -> Any:
    function: Any = sp.Function(name, real=True)
    return function(*arguments)
