"""Which densities are at hand, with their scores and exact moments?  Laws as log-densities in SymPy.

A law is given by log p on a product of open intervals.  The score grad log p does not see the normalising constant.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import sympy as sp
from sympy import Expr, ImmutableMatrix, S, Symbol, exp, log, oo, pi, sympify

from verify.calculus.adjoint import jacobian

if TYPE_CHECKING:
    from verify.numerics.expectation import Density


@dataclass(frozen=True)
class Law:
    """A density p = exp(log_density) on a product of open intervals; it may lack its normalising constant.

    support   (low, high) for each variable; ends are numbers, symbols or oo.
    """

    name: str
    variables: tuple[Symbol, ...]
    log_density: Expr
    support: tuple[tuple[Any, Any], ...]

    def __post_init__(self) -> None:
        if len(self.support) != len(self.variables):
            raise ValueError(f"law {self.name!r}: {len(self.variables)} variables, {len(self.support)} intervals")
        object.__setattr__(self, "log_density", sympify(self.log_density, strict=True))
        support = tuple((sympify(a, strict=True), sympify(b, strict=True)) for a, b in self.support)
        object.__setattr__(self, "support", support)

    @cached_property
    def density(self) -> Expr:
        """p."""
        return exp(self.log_density)

    @property
    def score(self) -> ImmutableMatrix:
        """grad log p, (d, 1); the normalising constant does not matter."""
        return score(self.log_density, self.variables)

    def at(self, values: Any) -> Law:
        """The law with numbers (or other symbols) for its parameters."""
        support = tuple((a.subs(values), b.subs(values)) for a, b in self.support)
        return Law(self.name, self.variables, self.log_density.subs(values), support)

    def numeric(self) -> Density:
        """The law as functions of arrays; all parameters must have values."""
        from verify.numerics.compiled import batched_function
        from verify.numerics.expectation import Density

        arguments = (self.variables,)
        free = (self.log_density.free_symbols - set(self.variables)) | set().union(
            *(end.free_symbols for interval in self.support for end in interval)
        )
        if free:
            raise ValueError(f"law {self.name!r}: {', '.join(sorted(map(str, free)))} has no value; use `at`")
        return Density(
            batched_function(self.log_density, arguments, ()),
            batched_function(self.score, arguments, (len(self.variables),)),
            tuple((float(a), float(b)) for a, b in self.support),
        )


def score(log_density: Any, variables: tuple[Symbol, ...]) -> ImmutableMatrix:
    """grad log p, a column (d, 1)."""
    return ImmutableMatrix(jacobian(sympify(log_density), variables).T)


# --- on the line ----------------------------------------------------------------------------------


def normal(x: Symbol, mean: Any, variance: Any) -> Law:
    """N(mean, variance)."""
    return Law(f"N({mean}, {variance})", (x,), _gauss(x, mean, variance), ((-oo, oo),))


def mixture(x: Symbol, weights: Sequence[Any], means: Sequence[Any], variances: Sequence[Any]) -> Law:
    """A mixture of normal laws; the weights add up to 1."""
    parts = (w * exp(_gauss(x, m, v)) for w, m, v in zip(weights, means, variances, strict=True))
    name = " + ".join(f"{w} N({m}, {v})" for w, m, v in zip(weights, means, variances, strict=True))
    return Law(name, (x,), log(sum(parts)), ((-oo, oo),))


def logistic(x: Symbol, place: Any, scale: Any) -> Law:
    """The logistic law with density e^{-u}/(scale (1 + e^{-u})^2), u = (x - place)/scale."""
    u = (x - place) / scale
    return Law(f"logistic({place}, {scale})", (x,), -u - 2 * log(1 + exp(-u)) - log(scale), ((-oo, oo),))


def student(x: Symbol, freedom: Any) -> Law:
    """Student's t with `freedom` degrees of freedom; 1 is Cauchy's law."""
    constant = sp.gamma((freedom + S.One) / 2) / (sp.sqrt(freedom * pi) * sp.gamma(freedom / S(2)))
    return Law(
        f"Student({freedom})", (x,), log(constant) - (freedom + S.One) / 2 * log(1 + x**2 / freedom), ((-oo, oo),)
    )


def cauchy(x: Symbol) -> Law:
    """The standard Cauchy law."""
    return Law("Cauchy", (x,), -log(pi * (1 + x**2)), ((-oo, oo),))


def exponential(x: Symbol, rate: Any) -> Law:
    """Exp(rate) on x > 0."""
    return Law(f"Exp({rate})", (x,), log(rate) - rate * x, ((0, oo),))


def uniform(x: Symbol, low: Any, high: Any) -> Law:
    """U(low, high)."""
    return Law(f"U({low}, {high})", (x,), -log(sympify(high) - low), ((low, high),))


def half_normal(x: Symbol, variance: Any) -> Law:
    """|X| for X ~ N(0, variance)."""
    return Law(f"|N(0, {variance})|", (x,), log(2) + _gauss(x, 0, variance), ((0, oo),))


def truncated_normal(x: Symbol, mean: Any, variance: Any, low: Any, high: Any, mass: Any) -> Law:
    """N(mean, variance) given low < x < high; `mass` is the probability of that (a positive symbol or its value)."""
    return Law(f"N({mean}, {variance}) on ({low}, {high})", (x,), _gauss(x, mean, variance) - log(mass), ((low, high),))


def gaussian(variables: Sequence[Symbol], mean: Any, covariance: Any) -> Law:
    """N(mean, covariance) on R^d; the covariance is a positive definite matrix of shape (d, d)."""
    d, sigma = len(variables), ImmutableMatrix(covariance)
    away = ImmutableMatrix(list(variables)) - ImmutableMatrix(list(mean))
    quadratic = (away.T * sigma.inv() * away)[0]
    log_density = -quadratic / 2 - log((2 * pi) ** d * sigma.det()) / 2
    return Law(f"N in {d} dimensions", tuple(variables), log_density, ((-oo, oo),) * d)


def half_plane_normal(across: Symbol, above: Symbol, slope: Any, above_variance: Any, across_variance: Any) -> Law:
    """A normal law on above > 0: above is |N(0, above_variance)|, across given it N(slope*above, across_variance)."""
    log_density = half_normal(above, above_variance).log_density
    log_density += normal(across, slope * above, across_variance).log_density
    return Law("half-plane", (across, above), log_density, ((-oo, oo), (0, oo)))


def _gauss(x: Symbol, mean: Any, variance: Any) -> Expr:
    return -((x - mean) ** 2) / (2 * sympify(variance)) - log(2 * pi * variance) / 2


# --- exact moments --------------------------------------------------------------------------------


def normal_moment(powers: Sequence[int], mean: Sequence[Any], covariance: Any) -> Expr:
    """E[x_1^powers_1 … x_d^powers_d] for N(mean, covariance), by E[x_i g] = mean_i E[g] + sum_j covariance_ij E[g_j].

    covariance   as d rows.  Exact for exact entries.
    """
    i = next((k for k, n in enumerate(powers) if n), None)
    if i is None:
        return S.One
    rest = [n - (k == i) for k, n in enumerate(powers)]
    total = sympify(mean[i]) * normal_moment(rest, mean, covariance)
    for j, n in enumerate(rest):
        if n:
            lower = [m - (k == j) for k, m in enumerate(rest)]
            total += sympify(covariance[i][j]) * n * normal_moment(lower, mean, covariance)
    return total


def half_normal_moment(power: int, variance: Any) -> Expr:
    """E X^power for X = |Z|, Z ~ N(0, variance)."""
    return (2 * sympify(variance)) ** sp.Rational(power, 2) * sp.gamma(sp.Rational(power + 1, 2)) / sp.sqrt(pi)


def polynomial_expectation(polynomial: Any, variables: tuple[Symbol, ...], moment: Callable[..., Expr]) -> Any:
    """E of a polynomial, or of each entry of a matrix of such, from moment(powers of the variables…)."""
    if hasattr(polynomial, "applyfunc"):
        return polynomial.applyfunc(lambda entry: polynomial_expectation(entry, variables, moment))
    terms = sp.Poly(polynomial, *variables).terms()
    return sum((coefficient * moment(*powers) for powers, coefficient in terms), S.Zero)


def half_plane_expectation(polynomials: Any, law: Law, slope: Any, above_variance: Any, across_variance: Any) -> Any:
    """E of polynomials under `half_plane_normal`, exactly: across = slope*above + a normal number."""
    across, above = law.variables
    mean, variance = (slope * above,), ((across_variance,),)
    given = polynomial_expectation(polynomials, (across,), lambda m: normal_moment((m,), mean, variance))
    return polynomial_expectation(given, (above,), lambda n: half_normal_moment(n, above_variance))


def generic_law(dimension: int) -> Law:
    """An undefined log-density on R^d."""
    variables = tuple(Symbol(f"x_{i + 1}", real=True) for i in range(dimension))
    return Law("any", variables, _undefined("L", *variables), ((-oo, oo),) * dimension)


def _undefined(name: str, *arguments: Any) -> Any:
    function: Any = sp.Function(name, real=True)
    return function(*arguments)
