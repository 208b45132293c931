"""What is the gradient through an equation f(u, p) = 0?  From the problem to SymPy expressions.

    f(u, p) = 0 defines u(p),   G = g(u, p)
    adjoint    f_u^T lam = g_u^T,   dG/dp = g_p - lam^T f_p

Jacobians in numerator layout, f_u of shape (N, N), f_p (N, M); gradients are rows; lam is a column.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sympy import Expr, Function, ImmutableMatrix, Symbol

from verify.calculus.adjoint import jacobian
from verify.verdict import Evidence, Rigor

if TYPE_CHECKING:
    from verify.numerics.equations import Equation as NumericEquation


@dataclass(frozen=True)
class Equation:
    """residual(u, p) = 0, (N, 1), and value(u, p), a scalar, as SymPy expressions."""

    state: tuple[Symbol, ...]
    parameters: tuple[Symbol, ...]
    residual: ImmutableMatrix
    value: Expr

    @property
    def residual_u(self) -> ImmutableMatrix:
        """f_u, (N, N)."""
        return jacobian(self.residual, self.state)

    @property
    def residual_p(self) -> ImmutableMatrix:
        """f_p, (N, M)."""
        return jacobian(self.residual, self.parameters)

    @property
    def value_u(self) -> ImmutableMatrix:
        """g_u, (1, N)."""
        return jacobian(self.value, self.state)

    @property
    def value_p(self) -> ImmutableMatrix:
        """g_p, (1, M)."""
        return jacobian(self.value, self.parameters)

    def gradient(self, lam: Any) -> ImmutableMatrix:
        """g_p - lam^T f_p, (1, M), for an adjoint (N, 1)."""
        return ImmutableMatrix(self.value_p - lam.T * self.residual_p)

    def numeric(self, library: Any = None) -> NumericEquation:
        """The equation as functions of arrays; `library` may be autograd.numpy."""
        from verify.numerics.compiled import array_function
        from verify.numerics.equations import Equation as NumericEquation

        n, m, both = len(self.state), len(self.parameters), (self.state, self.parameters)
        return NumericEquation(
            residual=array_function(self.residual, both, (n,), library),
            value=array_function(self.value, both, (), library),
            residual_u=array_function(self.residual_u, both, (n, n), library),
            residual_p=array_function(self.residual_p, both, (n, m), library),
            value_u=array_function(self.value_u, both, (n,), library),
            value_p=array_function(self.value_p, both, (m,), library),
        )


def inverse(matrix: Any) -> ImmutableMatrix:
    """adj A / det A: no pivot is chosen, so nothing is decided."""
    return ImmutableMatrix(matrix.adjugate() / matrix.det())


def generic_system(size: int) -> tuple[Symbol, ImmutableMatrix, ImmutableMatrix]:
    """A parameter p, and a matrix and a column of undefined functions a_ij(p), b_i(p)."""
    p = Symbol("p", real=True)

    def entry(name: str) -> Any:
        function: Any = Function(name, real=True)
        return function(p)

    matrix = ImmutableMatrix(size, size, lambda i, j: entry(f"a_{i + 1}{j + 1}"))
    return p, matrix, ImmutableMatrix(size, 1, lambda i, _j: entry(f"b_{i + 1}"))


def generic_equation(size: int, parameters: int) -> Equation:
    """Undefined functions f_i(u, p) and g(u, p) of the given dimensions."""
    u = tuple(Symbol(f"u_{i + 1}", real=True) for i in range(size))
    p = tuple(Symbol(f"p_{j + 1}", real=True) for j in range(parameters))

    def of_both(name: str) -> Any:
        function: Any = Function(name, real=True)
        return function(*u, *p)

    return Equation(u, p, ImmutableMatrix([of_both(f"f_{i + 1}") for i in range(size)]), of_both("g"))


def dominant_rows(matrix: ImmutableMatrix) -> Evidence:
    """Off the diagonal nothing is positive, and every row has a positive sum: then the matrix is invertible.

    By the signs that the symbols carry, each term for itself; a sufficient condition.
    """
    n = matrix.rows
    off = (matrix[i, j] for i in range(n) for j in range(n) if i != j)
    rows = (sum(matrix.row(i)).expand() for i in range(n))
    holds = all(entry.is_nonpositive for entry in off) and all(row.is_positive for row in rows)
    return Evidence("signs of the entries and row sums", Rigor.EXACT, holds or None, frozenset({"signs"}))


def rational_gradient(matrix: ImmutableMatrix, right: ImmutableMatrix, equation: Equation, p: Any) -> Any:
    """dG/dp of matrix(p) u = right(p) at doubles p, (M,): u and u_p in rational numbers, one rounding at the end."""
    import numpy as np
    from sympy import Rational
    from sympy.polys.matrices import DomainMatrix

    exact = dict(zip(equation.parameters, (Rational(*float(x).as_integer_ratio()) for x in p), strict=True))

    def over_rationals(part: Any) -> Any:
        return DomainMatrix.from_Matrix(part.subs(exact)).to_field()

    u = over_rationals(matrix).lu_solve(over_rationals(right)).to_Matrix()
    exact |= dict(zip(equation.state, u, strict=True))
    u_p = over_rationals(matrix).lu_solve(over_rationals(-equation.residual_p)).to_Matrix()
    total = equation.value_p.subs(exact) + equation.value_u.subs(exact) * u_p
    return np.array(total, dtype=float).ravel()


def invertible_by_slopes(jacobian: ImmutableMatrix, box: Any) -> Evidence:
    """The determinant keeps away from 0 for all states, and for parameters in a box; tanh' is all that names a state.

    box   (low, high) by symbol.  The slopes 1 - tanh^2 range over [0, 1]; in balls.
    """
    from flint import arb
    from sympy import lambdify, tanh

    atoms: list[Any] = sorted(jacobian.atoms(tanh), key=str)
    slopes = {1 - tanh(e.args[0]) ** 2: Symbol(f"slope_{i}") for i, e in enumerate(atoms)}
    bounded = jacobian.subs(slopes).det()
    ranges = {**dict.fromkeys(slopes.values(), (0, 1)), **box}
    if bounded.free_symbols - set(ranges):
        return Evidence("determinant in balls", Rigor.ENCLOSED, None, frozenset({"arb"}))
    names = tuple(ranges)
    balls = [arb(low).union(arb(high)) for low, high in ranges.values()]
    least = float(lambdify(names, bounded, modules=[{}])(*balls).abs_lower())
    route = f"determinant in balls, at least {least:.2g} from 0"
    return Evidence(route, Rigor.ENCLOSED, True if least > 0 else None, frozenset({"arb"}))
