"""How does a flow change a density?  From a field or a map to its divergence, log-determinant and density rate.

    flow     z' = f(t, z):   d/dt log p(z(t), t) = -tr f_z(t, z(t)),    p_t + div(p f) = 0
    map      x = T(z):       log p_x(T(z)) = log p_z(z) - log |det T_z(z)|

Jacobians in numerator layout, f_z of shape (d, d) with a row for each component of f; fields and states are columns.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import product
from typing import TYPE_CHECKING, Any

from sympy import Abs, Expr, Function, ImmutableMatrix, Rational, S, Symbol, diff, log, sympify

from verify.calculus.adjoint import Problem, jacobian, lipschitz, total_derivative
from verify.verdict import Evidence

if TYPE_CHECKING:
    from verify.numerics.transport import Transport

State = tuple[Symbol, ...]


@dataclass(frozen=True)
class Flow:
    """A field z' = f(t, z, parameters) on R^d; `field` has shape (d, 1)."""

    time: Symbol
    state: State
    field: ImmutableMatrix
    parameters: State = ()

    def __post_init__(self) -> None:
        field = ImmutableMatrix(self.field)
        d = len(self.state)
        if field.shape != (d, 1):
            raise ValueError(f"flow: `field` has shape {field.shape}, the state has {d} entries; give ({d}, 1)")
        unknown = field.free_symbols - {self.time, *self.state, *self.parameters}
        if unknown:
            names = ", ".join(sorted(map(str, unknown)))
            raise ValueError(f"flow: {names} is neither time, state nor parameter; add it to `parameters`")
        object.__setattr__(self, "field", field)

    @property
    def jacobian(self) -> ImmutableMatrix:
        """f_z, (d, d)."""
        return jacobian(self.field, self.state)

    @property
    def divergence(self) -> Expr:
        """tr f_z."""
        return divergence(self.field, self.state)

    @property
    def log_density_rate(self) -> Expr:
        """d/dt log p(z(t), t) along a path, which is -tr f_z whatever the density."""
        return -self.divergence

    def along(self, expression: Any) -> Any:
        """d/dt of an expression in time and state along a path."""
        rates = dict(zip(self.state, self.field.flat(), strict=True))
        return total_derivative(expression, rates, self.time)

    def numeric(self, *values: float, traced: bool = False) -> Transport:
        """Field, Jacobian and divergence as functions of (t, z), for many points at once, at the parameters' values.

        traced   made of autograd.numpy instead, for one point at a time.
        """
        from verify.numerics.transport import Transport

        if len(values) != len(self.parameters):
            raise ValueError(f"flow: {len(values)} values for {len(self.parameters)} parameters")
        functions = _functions(self, traced)
        return Transport(*(lambda t, z, of=of: of(t, z, values) for of in functions))


def divergence(field: Any, state: State) -> Expr:
    """The sum of d f_i/d z_i, for a column of d entries; ValueError where their number is not that of the state."""
    entries = list(field)
    if len(entries) != len(state):
        raise ValueError(f"a divergence needs as many entries as variables; there are {len(entries)} and {len(state)}")
    return sum((diff(entry, z) for entry, z in zip(entries, state, strict=True)), S.Zero)


def log_abs_det(transformation: Any, state: State) -> Expr:
    """log |det T_z| of a map z -> T(z), which the log-density loses on the way."""
    return log(Abs(jacobian(transformation, state).det(method="berkowitz")))


def continuity(density: Any, flow: Flow) -> Expr:
    """p_t + div(p f): zero for the density of points that move with the flow."""
    return diff(density, flow.time) + divergence(density * flow.field, flow.state)


def planar(u: Sequence[Any], h: Any, w: Sequence[Any], state: State, b: Any) -> ImmutableMatrix:
    """u h(w . z + b), the field of one hidden unit; `h` is a function of one argument."""
    return hidden_layer(ImmutableMatrix(list(u)), h, ImmutableMatrix([list(w)]), state, [b])


def hidden_layer(U: Any, h: Any, W: Any, state: State, b: Sequence[Any]) -> ImmutableMatrix:
    """U h(W z + b) with U of shape (d, M), W (M, d) and M shifts b; h acts on each entry."""
    units = ImmutableMatrix(W) * ImmutableMatrix(state) + ImmutableMatrix(list(b))
    return ImmutableMatrix(U) * units.applyfunc(h)


def planar_map_is_injective(u: Sequence[Any], w: Sequence[Any], largest_slope: Any = 1) -> bool:
    """Whether z + u h(w . z + b) is one-to-one on R^d for every b, for h with 0 < h' <= largest_slope attained.

    It is so exactly when w . u >= -1/largest_slope (tanh: largest_slope is 1).  The continuous flow z' = u h(w . z + b)
    needs no such condition.  Exact for rational entries; ValueError where the sign is not decided.
    """
    slope, *entries = (sympify(entry, strict=True) for entry in (largest_slope, *u, *w))
    margin = 1 + slope * sum((a * c for a, c in zip(entries[: len(u)], entries[len(u) :], strict=True)), S.Zero)
    if not margin.is_Rational:
        raise ValueError(f"the sign of 1 + max h' * w.u = {margin} is decided for rational entries only")
    return bool(margin >= 0)


def existence(flow: Flow) -> Evidence:
    """f is smooth with a bounded Jacobian: then the flow is a diffeomorphism of R^d for all times.

    Sufficient, not necessary: where the structure of f does not show it, the evidence could not tell.
    """
    initial = ImmutableMatrix([0] * len(flow.state))
    return lipschitz(Problem(flow.time, flow.state, flow.parameters, flow.field, initial, S.Zero, S.Zero))


@cache
def _functions(flow: Flow, traced: bool) -> tuple[Any, ...]:
    from verify.numerics.autodiff import LIBRARY
    from verify.numerics.compiled import array_function, batched_function

    arguments, d = (flow.time, flow.state, flow.parameters), len(flow.state)
    shapes = ((flow.field, (d,)), (flow.jacobian, (d, d)), (flow.divergence, ()))
    if traced:
        return tuple(array_function(e, arguments, shape, LIBRARY) for e, shape in shapes)
    return tuple(batched_function(e, arguments, shape) for e, shape in shapes)


# --- Hutchinson's estimator, exactly ------------------------------------------------------------


def sign_vectors(dimension: int) -> Iterator[ImmutableMatrix]:
    """All 2^d columns of +1 and -1: the whole law of a Rademacher vector."""
    for signs in product((1, -1), repeat=dimension):
        yield ImmutableMatrix(signs)


def hutchinson_moments(matrix: ImmutableMatrix) -> tuple[Expr, Expr]:
    """Mean and variance of e^T A e over Rademacher vectors e, by enumeration."""
    values = [(e.T * matrix * e)[0] for e in sign_vectors(matrix.rows)]
    weight = Rational(1, len(values))
    mean = weight * sum(values)
    return mean, weight * sum(value**2 for value in values) - mean**2


# --- generic objects of a derivation --------------------------------------------------------------


def generic_flow(dimension: int) -> Flow:
    """z' = f(t, z) with undefined functions f_1, …, f_d."""
    t = Symbol("t", real=True)
    z = tuple(Symbol(f"z_{i + 1}", real=True) for i in range(dimension))
    return Flow(t, z, ImmutableMatrix([_undefined(f"f_{i + 1}", t, *z) for i in range(dimension)]))


def generic_density(flow: Flow) -> Expr:
    """p(t, z), undefined."""
    return _undefined("p", flow.time, *flow.state)


def moving_matrix(name: str, dimension: int, time: Symbol) -> ImmutableMatrix:
    """A (d, d) matrix of undefined functions of time."""
    return ImmutableMatrix(dimension, dimension, lambda i, j: _undefined(f"{name}_{i + 1}{j + 1}", time))


def generic_matrix(name: str, rows: int, columns: int) -> ImmutableMatrix:
    """A matrix of real symbols."""
    return ImmutableMatrix(rows, columns, lambda i, j: Symbol(f"{name}_{i + 1}{j + 1}", real=True))


def generic_layer(dimension: int, units: int) -> tuple[Flow, Expr]:
    """U h(W z + b) with an undefined function h, and the trace that its M units should have, sum of h'_k w_k . u_k."""
    U, W = generic_matrix("u", dimension, units), generic_matrix("w", units, dimension)
    state, y = generic_flow(dimension).state, Symbol("y", real=True)
    b = tuple(Symbol(f"b_{k + 1}", real=True) for k in range(units))
    h: Any = Function("h", real=True)
    inner = W * ImmutableMatrix(state) + ImmutableMatrix(b)
    slopes = (diff(h(y), y).subs(y, inner[k]) for k in range(units))
    trace = sum((slope * (W[k, :] * U[:, k])[0] for k, slope in enumerate(slopes)), S.Zero)
    return Flow(Symbol("t", real=True), state, hidden_layer(U, h, W, state, b), (*U.flat(), *W.flat(), *b)), trace


def _undefined(name: str, *arguments: Any) -> Any:
    function: Any = Function(name, real=True)
    return function(*arguments)
