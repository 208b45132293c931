"""What is the Hessian of an ODE-constrained objective, times a vector?  The adjoint system, differentiated along it.

    D X = X_u s + X_p v + X_lam mu      the derivative along v of what depends on state, parameters and costate
    tangent         s' = f_u s + f_p v,  s(t0) = b_p v
    second costate  mu' = D(-f_u^T lam - l_u^T),  mu(T) = D(g_u^T)
    Hessian         H v = D(g_p) + D(lam^T b_p)(t0) + integral of D(l_p + lam^T f_p)

Layout as in `verify.calculus.adjoint`; H v is written as a row.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from sympy import Function, ImmutableMatrix, Integral, Symbol, diff, sympify, zeros

from verify.calculus.adjoint import AdjointSystem, Problem, adjoint_system, jacobian
from verify.calculus.adjoint_slips import Slip

if TYPE_CHECKING:
    from verify.numerics.second_order import SecondOrder as NumericSecondOrder


@dataclass(frozen=True)
class SecondOrder:
    """A claimed second-order system on top of a problem and its adjoint; `second_order` gives the right one.

    direction, tangent, costate   the symbols of v (M), s (N) and mu (N).
    tangent_rate (N, 1), tangent_start (N, 1); rate and final of mu (N, 1);
    explicit D(g_p), boundary D(lam^T b_p), density D(l_p + lam^T f_p), rows (1, M).
    """

    first: AdjointSystem
    direction: tuple[Symbol, ...]
    tangent: tuple[Symbol, ...]
    costate: tuple[Symbol, ...]
    tangent_rate: ImmutableMatrix
    tangent_start: ImmutableMatrix
    rate: ImmutableMatrix
    final: ImmutableMatrix
    explicit: ImmutableMatrix
    boundary: ImmutableMatrix
    density: ImmutableMatrix

    def expression(self, problem: Problem, start: Symbol, end: Symbol) -> ImmutableMatrix:
        """H v, (M, 1), in functions of time for state, tangent and both costates, and the parameters and v."""
        t = problem.time
        names = (*problem.state, *self.tangent, *self.first.costate, *self.costate)
        functions: dict[Any, Any] = {name: Function(str(name), real=True) for name in names}

        def at(part: Any, when: Symbol) -> Any:
            return part.subs({t: when, **{name: function(when) for name, function in functions.items()}})

        whole = zip(at(self.explicit, end), at(self.boundary, start), at(self.density, t), strict=True)
        return ImmutableMatrix([a + b + Integral(inside, (t, start, end)) for a, b, inside in whole])


def along(expression: Any, rates: Any) -> Any:
    """The derivative of an expression, or of a matrix of them, when each symbol moves with its rate."""
    if hasattr(expression, "applyfunc"):
        return expression.applyfunc(lambda entry: along(entry, rates))
    return sum((diff(expression, symbol) * rate for symbol, rate in rates.items()), sympify(0))


def second_order(problem: Problem) -> SecondOrder:
    """The right system."""
    n, m = len(problem.state), len(problem.parameters)
    v, s, mu = (
        tuple(Symbol(f"{name}_{i + 1}", real=True) for i in range(size))
        for name, size in (("v", m), ("s", n), ("mu", n))
    )
    first = adjoint_system(problem)
    D = {
        **dict(zip(problem.state, s, strict=True)),
        **dict(zip(problem.parameters, v, strict=True)),
        **dict(zip(first.costate, mu, strict=True)),
    }
    return SecondOrder(
        first=first,
        direction=v,
        tangent=s,
        costate=mu,
        tangent_rate=along(problem.field, D),
        tangent_start=along(problem.initial, D),
        rate=along(first.rate, D),
        final=along(first.final, D),
        explicit=along(first.explicit, D),
        boundary=along(ImmutableMatrix(first.costate).T * first.boundary, D),
        density=along(first.density, D),
    )


def slips(problem: Problem) -> Iterator[Slip[SecondOrder]]:
    """Wrong neighbours; those equal to the right system are left out."""
    right = second_order(problem)
    return (slip for slip in _slips(problem, right) if slip.system != right)


def _slips(problem: Problem, right: SecondOrder) -> Iterator[Slip[SecondOrder]]:
    s, v = (dict(zip(symbols, by, strict=True)) for symbols, by in (
        (problem.state, right.tangent), (problem.parameters, right.direction)))  # fmt: skip
    lam, mu = ImmutableMatrix(right.first.costate), ImmutableMatrix(right.costate)
    running_u = jacobian(problem.running, problem.state)
    running_p = jacobian(problem.running, problem.parameters)
    f_u, f_p = problem.field_u, problem.field_p
    K, b_p = along(f_u, {**s, **v}), right.first.boundary

    def changed(**parts: Any) -> SecondOrder:
        return replace(right, **{name: ImmutableMatrix(part) for name, part in parts.items()})

    yield Slip("transpose", "D(f_u) lam for D(f_u)^T lam", ("N = 1", "D(f_u) symmetric"),
               changed(rate=right.rate + K.T * lam - K * lam))  # fmt: skip
    for says, by, blind in (("f_uu[s]", s, "f_uu = 0"), ("f_up[v]", v, "f_up = 0")):
        rate = right.rate + along(f_u, by).T * lam
        yield Slip(f"missing-term {says}", f"{says}^T lam missing in mu'", (blind,), changed(rate=rate))
    rate = right.rate + along(running_u, {**s, **v}).T
    yield Slip("missing-term D(l_u)", "D(l_u)^T missing in mu'", ("l linear in u",), changed(rate=rate))
    none = zeros(*right.final.shape)
    yield Slip("final value", "mu(T) = 0", ("g linear in u",), changed(final=none))
    yield Slip("start of the tangent", "s(t0) = 0", ("b independent of p",), changed(tangent_start=none))
    flat = right.boundary - lam.T * along(b_p, v)
    yield Slip("missing-term b_pp", "lam^T b_pp[v] missing", ("b linear in p",), changed(boundary=flat))
    yield Slip("boundary", "mu(t0)^T b_p missing", ("b independent of p",), changed(boundary=lam.T * along(b_p, v)))
    for says, part, blind in (
        ("mu^T f_p", mu.T * f_p, "f_p = 0"),
        ("lam^T f_pu[s]", lam.T * along(f_p, s), "f_pu = 0"),
        ("lam^T f_pp[v]", lam.T * along(f_p, v), "f linear in p"),
        ("l_pu s", along(running_p, s), "l_pu = 0"),
    ):
        yield Slip(f"missing-term {says}", f"{says} missing", (blind,), changed(density=right.density - part))
    unmoved = along(right.first.explicit, v)
    yield Slip("missing-term g_pu s", "g_pu s missing", ("g_pu = 0",), changed(explicit=unmoved))
    yield Slip("limits", "the integral from T to t0", ("the integral is 0",), changed(density=-right.density))


def numeric_second_order(problem: Problem, system: SecondOrder) -> NumericSecondOrder:
    """A claimed system as functions of arrays."""
    from verify.numerics.compiled import array_function
    from verify.numerics.second_order import SecondOrder as NumericSecondOrder

    t, u, p = problem.time, problem.state, problem.parameters
    s, v, lam, mu = system.tangent, system.direction, system.first.costate, system.costate
    n, m = len(u), len(p)
    S = ImmutableMatrix(n, m, lambda i, j: Symbol(f"S_{i}_{j}", real=True))
    D = {**dict(zip(u, s, strict=True)), **dict(zip(p, v, strict=True))}

    def of(expression: Any, arguments: tuple[Any, ...], *shape: int) -> Any:
        return array_function(expression, arguments, shape)

    both = (t, u, s, p, v)
    return NumericSecondOrder(
        tangent_rate=of(system.tangent_rate, both, n),
        tangent_start=of(system.tangent_start, (p, v), n),
        rate=of(system.rate, (t, u, s, lam, mu, p, v), n),
        final=of(system.final, both, n),
        explicit=of(system.explicit, both, m),
        boundary=of(system.boundary, (lam, mu, p, v), m),
        density=of(system.density, (t, u, s, lam, mu, p, v), m),
        moved_u=of(along(problem.field_u, D), both, n, n),
        moved_p=of(along(problem.field_p, D), both, n, m),
        moved_start=of(along(jacobian(problem.initial, p), D), (p, v), n, m),
        moved_running=of(
            along(jacobian(problem.running, p) + jacobian(problem.running, u) * S, D),
            (t, u, s, p, v, tuple(S.flat())),
            m,
        ),
        moved_terminal=of(
            along(jacobian(problem.terminal, p) + jacobian(problem.terminal, u) * S, D),
            (t, u, s, p, v, tuple(S.flat())),
            m,
        ),
    )
