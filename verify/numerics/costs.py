"""Which runs show what a route to a gradient costs?  Each takes a tally and sizes, and works on numbers that count.

N unknowns, M parameters; what is counted is the route alone, given all Jacobians.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from verify.numerics.counting import Tally
from verify.numerics.equations import Equation
from verify.numerics.event_routes import EventProblem, Partials, jump_of, tangent_across
from verify.numerics.ode import OdeProblem
from verify.numerics.recurrences import Recurrence
from verify.numerics.second_order import EquationAlong, product_through_equation

Run = Callable[..., Any]


def _unasked(*_: Any) -> Any:
    raise AssertionError("a route to the gradient at a known solution asks for derivatives alone")


def linear_system(route: Callable[..., Any], *, moving: bool = True) -> Run:
    """The gradient through A(p) u = b(p) from A, A_p, b_p, u, g_u and g_p; A_p = 0 is known unless A is `moving`.

    Elimination and the products A_p u are among the operations.
    """

    def run(tally: Tally, n: int, m: int) -> None:
        matrix, moved, right_p = tally.array(n, n), tally.array(m, n, n), tally.array(n, m)
        value_u, value_p = tally.array(n), tally.array(m)
        system = Equation(
            residual=_unasked,
            value=_unasked,
            residual_u=lambda _u, _p: matrix,
            residual_p=lambda u, _p: (moved @ u).T - right_p if moving else -right_p,
            value_u=lambda _u, _p: value_u,
            value_p=lambda _u, _p: value_p,
        )
        route(system, tally.array(n), None, tally.factor)

    return run


def equation(route: Callable[..., Any]) -> Run:
    """The gradient through f(u, p) = 0 from f_u, f_p, g_u and g_p; the elimination is among the operations."""

    def run(tally: Tally, n: int, m: int) -> None:
        matrix, by_p, value_u, value_p = tally.array(n, n), tally.array(n, m), tally.array(n), tally.array(m)
        system = Equation(
            residual=_unasked,
            value=_unasked,
            residual_u=lambda _u, _p: matrix,
            residual_p=lambda _u, _p: by_p,
            value_u=lambda _u, _p: value_u,
            value_p=lambda _u, _p: value_p,
        )
        route(system, tally.array(n), None, tally.factor)

    return run


def recurrence(route: Callable[..., Any]) -> Run:
    """The gradient through n steps from all Jacobians; sizes are n, N and M."""

    def run(tally: Tally, steps: int, n: int, m: int) -> None:
        by_x, by_p = tally.array(n, n), tally.array(n, m)
        row_x, row_p = tally.array(n), tally.array(m)
        problem = Recurrence(
            step=_unasked,
            step_x=lambda _k, _x, _p: by_x,
            step_p=lambda _k, _x, _p: by_p,
            running=_unasked,
            running_x=lambda _k, _x, _p: row_x,
            running_p=lambda _k, _x, _p: row_p,
            value=_unasked,
            value_x=lambda _x, _p: row_x,
            value_p=lambda _x, _p: row_p,
            initial=_unasked,
            initial_p=lambda _p: by_p,
        )
        route(problem, [tally.array(n)] * (steps + 1), None)

    return run


def hessian_product(tally: Tally, n: int, m: int) -> None:
    """H v through f(u, p) = 0, given the derivatives of f and g up to the second along a direction."""
    parts = EquationAlong(
        f_u=tally.array(n, n),
        f_p=tally.array(n, m),
        g_u=tally.array(n),
        moved_u=lambda _s: tally.array(n, n),
        moved_p=lambda _s: tally.array(n, m),
        moved_g_u=lambda _s: tally.array(n),
        moved_g_p=lambda _s: tally.array(m),
    )
    product_through_equation(parts, tally.array(m), tally.factor)


def _at_event(tally: Tally, n: int, m: int) -> EventProblem:
    """What is known of a problem at its event: the rates on both sides, and the derivatives of phi, r and k."""

    def phase() -> OdeProblem:
        field, running = tally.array(n), tally.array(1)[0]
        unasked: dict[str, Any] = dict.fromkeys(
            ("initial", "terminal", "field_u", "field_p", "initial_p", "running_u", "running_p", "terminal_u",
             "terminal_p", "terminal_t"), _unasked,
        )  # fmt: skip
        return OdeProblem(states=n, parameters=m, field=lambda *_: field, running=lambda *_: running, **unasked)

    def partials(*shape: int) -> Partials:
        value, by_t = (tally.array(*shape) if shape else tally.array(1)[0] for _ in range(2))
        by_u, by_p = tally.array(*shape, n), tally.array(*shape, m)
        return Partials(lambda *_: value, lambda *_: by_t, lambda *_: by_u, lambda *_: by_p)

    return EventProblem(phase(), phase(), when=partials(), reset=partials(n), cost=partials())


def adjoint_at_event(tally: Tally, n: int, m: int) -> None:
    """The jump of the adjoint, and what the gradient gains."""
    jump_of(_at_event(tally, n, m)).across(None, None, tally.array(n), None)


def tangent_at_event(tally: Tally, n: int, m: int) -> None:
    """The jump of the sensitivities, a column for each parameter, and of the derivative of the cost so far."""
    tangent_across(_at_event(tally, n, m), 0.0, None, None, tally.array(n, m), tally.array(m))
