"""What are the adjoint equations of an ODE-constrained objective?  From the problem to SymPy expressions.

    state      u' = f(t, u, p),   u(t0) = b(p)
    objective  G = g(T, u(T), p) + integral of l(t, u, p) over [t0, T]
    adjoint    lam' = -f_u^T lam - l_u^T,   lam(T) = g_u^T

    dG/dp  = g_p + lam(t0)^T b_p + integral of (l_p + lam^T f_p)
    dG/du0 = lam(t0)^T,   dG/dt0 = -(l + lam^T f)(t0),   dG/dT = (l + lam^T f)(T) + g_T

Jacobians in numerator layout, f_u of shape (N, N), f_p (N, M); gradients are rows; lam is the column +dG/du.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from sympy import Expr, Function, ImmutableMatrix, Integral, MatrixBase, Symbol, cos, diff, exp, sin, sympify, tanh

from verify.verdict import Evidence, Rigor

if TYPE_CHECKING:
    from verify.numerics.ode import NumericAdjoint, OdeProblem


def _column(entries: Any) -> ImmutableMatrix:
    """A matrix, or a sequence of expressions; text is refused, since SymPy would evaluate it."""
    if isinstance(entries, MatrixBase):
        return ImmutableMatrix(entries)
    return ImmutableMatrix([sympify(entry, strict=True) for entry in entries])


@dataclass(frozen=True)
class Problem:
    """An initial value problem and an objective.

    field    (N, 1) in time, state and parameters.
    initial  (N, 1) in the parameters.
    running, terminal   scalars; the terminal cost may name the time, which is T there.
    """

    time: Symbol
    state: tuple[Symbol, ...]
    parameters: tuple[Symbol, ...]
    field: ImmutableMatrix
    initial: ImmutableMatrix
    running: Expr
    terminal: Expr

    def __post_init__(self) -> None:
        n = len(self.state)
        for name in ("field", "initial"):
            value = _column(getattr(self, name))
            if value.shape != (n, 1):
                raise ValueError(f"problem: `{name}` has shape {value.shape}, the state has {n} entries; give ({n}, 1)")
            object.__setattr__(self, name, value)
        for name in ("running", "terminal"):
            object.__setattr__(self, name, sympify(getattr(self, name), strict=True))
        known = {self.time, *self.state, *self.parameters}
        unknown = sorted(map(str, self._symbols() - known))
        if unknown:
            raise ValueError(f"problem: {', '.join(unknown)} is neither time, state nor parameter; declare it")
        if self.initial.free_symbols - set(self.parameters):
            raise ValueError("problem: `initial` may depend on the parameters alone")

    def _symbols(self) -> set[Any]:
        return set().union(*(e.free_symbols for e in (self.field, self.initial, self.running, self.terminal)))

    @cached_property
    def field_u(self) -> ImmutableMatrix:
        """f_u, (N, N)."""
        return jacobian(self.field, self.state)

    @cached_property
    def field_p(self) -> ImmutableMatrix:
        """f_p, (N, M)."""
        return jacobian(self.field, self.parameters)


@dataclass(frozen=True)
class AdjointSystem:
    """A claimed adjoint system; `adjoint_system` gives the right one, `dataclasses.replace` its wrong neighbours.

    costate   the N symbols of lam.
    rate      lam', (N, 1), in time, state, costate and parameters.
    final     lam(T), (N, 1), in time, state and parameters.
    explicit  g_p, (1, M);  boundary  b_p, (N, M);  density  l_p + lam^T f_p, (1, M).
    at_start, at_end   dG/dt0 and dG/dT, scalars in time, state, costate and parameters at that end.
    """

    costate: tuple[Symbol, ...]
    rate: ImmutableMatrix
    final: ImmutableMatrix
    explicit: ImmutableMatrix
    boundary: ImmutableMatrix
    density: ImmutableMatrix
    at_start: Expr
    at_end: Expr


def jacobian(of: Any, by: tuple[Symbol, ...]) -> ImmutableMatrix:
    """Partial derivatives in numerator layout: a row for each entry of `of`, a column for each symbol."""
    rows = list(of) if hasattr(of, "shape") else [of]
    return ImmutableMatrix(len(rows), len(by), lambda i, j: diff(rows[i], by[j]))


def adjoint_system(problem: Problem, costate: tuple[Symbol, ...] | None = None) -> AdjointSystem:
    """The adjoint system of the problem; the costate is called lambda_1 … lambda_N unless it is given."""
    names = costate or tuple(Symbol(f"lambda_{i + 1}", real=True) for i in range(len(problem.state)))
    lam = ImmutableMatrix(names)
    hamiltonian = problem.running + (lam.T * problem.field)[0]
    running_u = jacobian(problem.running, problem.state)
    running_p = jacobian(problem.running, problem.parameters)
    return AdjointSystem(
        costate=names,
        rate=-problem.field_u.T * lam - running_u.T,
        final=jacobian(problem.terminal, problem.state).T,
        explicit=jacobian(problem.terminal, problem.parameters),
        boundary=jacobian(problem.initial, problem.parameters),
        density=running_p + lam.T * problem.field_p,
        at_start=-hamiltonian,
        at_end=hamiltonian + diff(problem.terminal, problem.time),
    )


def gradient_expression(problem: Problem, system: AdjointSystem, start: Symbol, end: Symbol) -> ImmutableMatrix:
    """(dG/dp, dG/du0, dG/dt0, dG/dT) as one column of M + N + 2 expressions in the functions u_i(t) and lam_i(t)."""
    t = problem.time
    along = {symbol: _undefined(str(symbol), (t,)) for symbol in (*problem.state, *system.costate)}

    def at(entry: Any, when: Symbol) -> Any:
        return entry.subs(along).subs(t, when)

    lam = ImmutableMatrix(system.costate)
    boundary = lam.T * system.boundary
    rows = [
        at(g_p, end) + at(b_p, start) + Integral(at(density, t), (t, start, end))
        for g_p, b_p, density in zip(system.explicit.flat(), boundary.flat(), system.density.flat(), strict=True)
    ]
    rows += [at(symbol, start) for symbol in system.costate]
    return ImmutableMatrix([*rows, at(system.at_start, start), at(system.at_end, end)])


def total_derivative(expression: Any, rates: Mapping[Symbol, Any], time: Symbol) -> Any:
    """d/dt along a solution: the partial derivative in time, and each symbol moving with its rate."""
    if hasattr(expression, "applyfunc"):
        return expression.applyfunc(lambda entry: total_derivative(entry, rates, time))
    entry = sympify(expression, strict=True)
    return diff(entry, time) + sum(diff(entry, symbol) * rate for symbol, rate in rates.items())


def generic_problem(states: int, parameters: int) -> Problem:
    """A problem with undefined functions f_i(t, u, p), b_i(p), l(t, u, p), g(t, u, p) of the given dimensions."""
    t = Symbol("t", real=True)
    u = tuple(Symbol(f"u_{i + 1}", real=True) for i in range(states))
    p = tuple(Symbol(f"p_{j + 1}", real=True) for j in range(parameters))
    everything = (t, *u, *p)
    field = ImmutableMatrix([_undefined(f"f_{i + 1}", everything) for i in range(states)])
    initial = ImmutableMatrix([_undefined(f"b_{i + 1}", p) for i in range(states)])
    return Problem(t, u, p, field, initial, _undefined("l", everything), _undefined("g", everything))


def _undefined(name: str, arguments: tuple[Symbol, ...]) -> Any:
    function: Any = Function(name, real=True)
    return function(*arguments)


def smoothness(problem: Problem) -> Evidence:
    """Everything is built from polynomials, exp, sin, cos and tanh: then it is smooth on the whole space."""
    return entire(*problem.field, *problem.initial, problem.running, problem.terminal)


def entire(*parts: Any) -> Evidence:
    """Expressions built from polynomials, exp, sin, cos and tanh are smooth on the whole space."""
    return _by_structure(all(map(_is_entire, parts)))


def lipschitz(*problems: Problem) -> Evidence:
    """The state occurs in f_u only inside sin, cos or tanh: then f_u is bounded, and the solution exists for ever."""
    return _by_structure(all(map(_has_bounded_slope, problems)))


def _has_bounded_slope(problem: Problem) -> bool:
    state = set(problem.state)

    def bounded(e: Any) -> bool:
        if not e.free_symbols & state or (isinstance(e, sin | cos | tanh) and _is_entire(e)):
            return True
        return (e.is_Add or e.is_Mul or _is_natural_power(e)) and all(map(bounded, e.args))

    return smoothness(problem).holds is True and all(map(bounded, problem.field_u.flat()))


def _by_structure(holds: bool) -> Evidence:
    """Sufficient conditions: where the structure does not show it, nothing is known."""
    return Evidence("structure of the expressions", Rigor.EXACT, holds or None, frozenset({"structure"}))


def _is_natural_power(e: Any) -> bool:
    return e.is_Pow and e.exp.is_Integer and e.exp > 0


def _is_entire(e: Any) -> bool:
    if e.is_Symbol or e.is_Number:
        return True
    known = e.is_Add or e.is_Mul or _is_natural_power(e) or isinstance(e, sin | cos | exp | tanh)
    return known and all(map(_is_entire, e.args))


# --- as functions of arrays -------------------------------------------------------------------


def numeric_problem(problem: Problem, library: Any = None) -> OdeProblem:
    """The problem with its partial derivatives as functions of arrays; `library` may be autograd.numpy."""
    from verify.numerics.compiled import array_function
    from verify.numerics.ode import OdeProblem

    t, u, p = problem.time, problem.state, problem.parameters
    n, m = len(u), len(p)

    def of_state(expression: Any, *shape: int) -> Any:
        return array_function(expression, (t, u, p), shape, library)

    return OdeProblem(
        states=n,
        parameters=m,
        field=of_state(problem.field, n),
        initial=array_function(problem.initial, (p,), (n,), library),
        running=of_state(problem.running),
        terminal=of_state(problem.terminal),
        field_u=of_state(problem.field_u, n, n),
        field_p=of_state(problem.field_p, n, m),
        initial_p=array_function(jacobian(problem.initial, p), (p,), (n, m), library),
        running_u=of_state(jacobian(problem.running, u), n),
        running_p=of_state(jacobian(problem.running, p), m),
        terminal_u=of_state(jacobian(problem.terminal, u), n),
        terminal_p=of_state(jacobian(problem.terminal, p), m),
        terminal_t=of_state(diff(problem.terminal, t)),
    )


def numeric_adjoint(problem: Problem, system: AdjointSystem) -> NumericAdjoint:
    """A claimed adjoint system as functions of arrays."""
    from verify.numerics.compiled import array_function
    from verify.numerics.ode import NumericAdjoint

    t, u, lam, p = problem.time, problem.state, system.costate, problem.parameters
    n, m = len(u), len(p)
    return NumericAdjoint(
        rate=array_function(system.rate, (t, u, lam, p), (n,)),
        density=array_function(system.density, (t, u, lam, p), (m,)),
        final=array_function(system.final, (t, u, p), (n,)),
        explicit=array_function(system.explicit, (t, u, p), (m,)),
        boundary=array_function(system.boundary, (p,), (n, m)),
        at_start=array_function(system.at_start, (t, u, lam, p), ()),
        at_end=array_function(system.at_end, (t, u, lam, p), ()),
    )
