"""What is the gradient through a recurrence?  From the problem to SymPy expressions, right and wrong.

    x[k] = F(k, x[k-1], p), x[0] = b(p),   J = g(x[n], p) + sum of l(k, x[k], p) for k = 0 … n-1
    reverse   lam[n] = g_x^T,   lam[k-1] = F_x(k)^T lam[k] + l_x(k-1)^T
              dJ/dp = g_p + lam[0]^T b_p + sum of (lam[k]^T F_p(k) + l_p(k-1)) for k = 1 … n

F_x(k), F_p(k) are taken at x[k-1].  Jacobians in numerator layout; gradients are rows; lam is the column +dJ/dx.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sympy import Expr, Function, ImmutableMatrix, Sum, Symbol, diff

from verify.calculus.adjoint import jacobian

if TYPE_CHECKING:
    from verify.numerics.recurrences import Recurrence as NumericRecurrence


@dataclass(frozen=True)
class Recurrence:
    """step(k, x, p), (N, 1); initial(p), (N, 1); running(k, x, p) and value(x, p), scalars; as SymPy expressions."""

    index: Symbol
    state: tuple[Symbol, ...]
    parameters: tuple[Symbol, ...]
    step: ImmutableMatrix
    initial: ImmutableMatrix
    running: Expr
    value: Expr

    def unrolled(self, n: int) -> Expr:
        """J in the parameters alone, for n steps."""
        x, total = self.initial, self.running * 0
        for k in range(1, n + 1):
            total += self._at(self.running, k - 1, x)
            x = self._at(self.step, k, x)
        return total + self._at(self.value, n, x)

    def swept(self, n: int) -> ImmutableMatrix:
        """dJ/dp of n steps by the reverse sweep, (1, M), in the parameters alone."""
        x = [self.initial]
        for k in range(1, n + 1):
            x.append(self._at(self.step, k, x[-1]))
        s, p = self.state, self.parameters
        lam, total = (self._at(jacobian(self.value, by), n, x[n]) for by in (s, p))
        for k in range(n, 0, -1):
            total += lam * self._at(jacobian(self.step, p), k, x[k - 1])
            total += self._at(jacobian(self.running, p), k - 1, x[k - 1])
            lam = lam * self._at(jacobian(self.step, s), k, x[k - 1])
            lam += self._at(jacobian(self.running, s), k - 1, x[k - 1])
        return ImmutableMatrix(total + lam * jacobian(self.initial, p))

    def _at(self, expression: Any, k: int, x: Any) -> Any:
        return expression.subs({self.index: k, **dict(zip(self.state, x, strict=True))}, simultaneous=True)

    def gradient_expression(self, last: Symbol) -> ImmutableMatrix:
        """dJ/dp, (M, 1), in functions x_i(k) and lam_i(k) of the step."""
        k, size = self.index, len(self.state)
        lam = ImmutableMatrix([_of(f"lambda_{i + 1}", k) for i in range(size)])
        before = {s: _of(str(s), k - 1) for s in self.state}
        at_end, at_start = ({s: _of(str(s), where) for s in self.state} for where in (last, 0))
        entries = []
        for p in self.parameters:
            inside = (lam.T * self.step.diff(p)).subs(before)[0] + diff(self.running, p).subs({k: k - 1, **before})
            start = (lam.T * self.initial.diff(p)).subs(k, 0).subs(at_start)[0]
            entries.append(diff(self.value, p).subs(at_end) + start + Sum(inside, (k, 1, last)))
        return ImmutableMatrix(entries)

    def numeric(self, library: Any = None) -> NumericRecurrence:
        """The recurrence as functions of arrays; `library` may be autograd.numpy."""
        from verify.numerics.compiled import array_function
        from verify.numerics.recurrences import Recurrence as NumericRecurrence

        s, p = self.state, self.parameters
        n, m = len(s), len(p)

        def stepwise(expression: Any, *shape: int) -> Any:
            return array_function(expression, (self.index, s, p), shape, library)

        def at_last(expression: Any, *shape: int) -> Any:
            return array_function(expression, (s, p), shape, library)

        return NumericRecurrence(
            step=stepwise(self.step, n),
            step_x=stepwise(jacobian(self.step, s), n, n),
            step_p=stepwise(jacobian(self.step, p), n, m),
            running=stepwise(self.running),
            running_x=stepwise(jacobian(self.running, s), n),
            running_p=stepwise(jacobian(self.running, p), m),
            value=at_last(self.value),
            value_x=at_last(jacobian(self.value, s), n),
            value_p=at_last(jacobian(self.value, p), m),
            initial=array_function(self.initial, (p,), (n,), library),
            initial_p=array_function(jacobian(self.initial, p), (p,), (n, m), library),
        )


def _of(name: str, *arguments: Any) -> Any:
    function: Any = Function(name, real=True)
    return function(*arguments)
