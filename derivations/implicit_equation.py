"""Gradient of a value of the solution of a nonlinear equation.

    equation   f(u, p) = 0 defines u(p) where f_u is invertible,   G = g(u, p)
    adjoint    f_u^T lam = g_u^T
    gradient   dG/dp = g_p - lam^T f_p
    forward    f_u u_p = -f_p,   dG/dp = g_p + g_u u_p

Along the solutions f stays 0, so f_u u_p + f_p = 0, a linear system for u_p: all that is said of linear systems holds
with A = f_u and b_p - A_p u = -f_p.  One solve with f_u^T, whose factors Newton's method has left behind, replaces M
solves with f_u.  Nothing is differentiated through Newton's iterations.  Their map u - f_u^-1 f has the derivative u_p
by p and the derivative 0 by u at the solution; so a differentiated iterate is as good as the iterate before it, while
the adjoint is as good as the iterate at which it is solved.

Sign: with mu = -lam the formulas are f_u^T mu = -g_u^T, dG/dp = g_p + mu^T f_p.  The two pairs must not be mixed: with
lam in the second formula the result is off by 2 lam^T f_p.  Layout: Jacobians have a row for each output, gradients are
rows, lam is a column; ^T transposes.  The example is a layer of two neurons at equilibrium.
"""

from functools import partial

from sympy import ImmutableMatrix, Integer, latex, symbols, tanh

from verify import Derivation, Display, Figure, Hypothesis, Mutant, Reference, Route, Series, Statement, Step
from verify.calculus.adjoint import entire
from verify.calculus.equations import Equation, generic_equation, inverse, invertible_by_slopes
from verify.decide.words import derive, matrices, matrix, substitute
from verify.derivation import main
from verify.numerics import autodiff, costs, equations
from verify.numerics.compiled import array_function
from verify.numerics.counting import SOLVES, TRANSPOSED, count

# --- any number N of unknowns and M of parameters -----------------------------------------------

f_u, K = matrices("f_u K", "N", "N")
f_p, u_p = matrices("f_p u_p", "N", "M")
g_u, g_p = matrix("g_u", 1, "N"), matrix("g_p", 1, "M")
f, u, v, lam, mu, f_1 = matrices("f u v lam mu f_1", "N", 1)


def steps():
    theorem = "Krantz and Parks (2002), theorem 3.3.1: u(p) exists near the solution and is continuously differentiable"
    along = -(f_u.inverse @ f_p)
    yield Step("the implicit function theorem", f_u @ u_p, -f_p, cited=theorem)
    yield Step("solved for u_p", f_u @ along, -f_p, display=r"u_p = -f_u^{-1} f_p:\quad f_u u_p = -f_p")
    yield Step("chain rule", substitute(g_p + g_u @ u_p, {u_p: along}), g_p - g_u @ f_u.inverse @ f_p)
    right = f_u.inverse.T @ g_u.T
    yield Step(
        "the adjoint solution",
        f_u.T @ right,
        g_u.T,
        display=r"\lambda = f_u^{-\top} g_u^{\top}:\quad f_u^{\top}\lambda = g_u^{\top}",
    )
    yield Step(
        "from the left or from the right", substitute(g_p - lam.T @ f_p, {lam: right}), g_p - g_u @ f_u.inverse @ f_p
    )
    yield Step("the other sign: mu = -lam", substitute(g_p + mu.T @ f_p, {mu: -lam}), g_p - lam.T @ f_p)
    yield Step("mixed signs are off", (g_p + lam.T @ f_p) - (g_p - lam.T @ f_p), 2 * (lam.T @ f_p), display=MIXED)
    newton = u - f_u.inverse @ f
    by_p, by_u = derive(newton, {f: f_1, f_u: K}, "p"), derive(newton, {u: v, f: f_u @ v, f_u: K}, "u")
    yield Step("Newton's map by p, where f = 0: u_p", substitute(by_p, {f: 0 * f}), -(f_u.inverse @ f_1))
    yield Step("Newton's map by u along v", by_u, f_u.inverse @ K @ f_u.inverse @ f)
    yield Step("which is 0 where f = 0", substitute(by_u, {f: 0 * f}), 0)
    for n, m in ((1, 1), (2, 1), (2, 2)):
        E = generic_equation(n, m)
        by_inverse = E.value_u * inverse(E.residual_u)
        forward = E.value_p - by_inverse * E.residual_p
        yield Step(
            f"undefined functions, N = {n}, M = {m}",
            E.gradient(by_inverse.T),
            forward,
            display=r"g_p - \lambda^{\top} f_p = g_p - g_u f_u^{-1} f_p",
        )
    cubic = x**3 + x  # the inverse function is p(u)
    C = Equation((x,), (p_1,), ImmutableMatrix([cubic - p_1]), x**2)
    by_adjoint = C.gradient(inverse(C.residual_u.T) * C.value_u.T)[0]
    yield Step("u^3 + u = p, G = u^2: the quotient dG/du : dp/du", by_adjoint, (x**2).diff(x) / cubic.diff(x))
    yield Step(
        "the neurons, entry by entry",
        neurons.residual_u.T * adjoint(neurons.residual_u.T),
        neurons.value_u.T,
        display=r"f_u^{\top}\left(f_u^{-\top} g_u^{\top}\right) = g_u^{\top}",
    )
    yield from counts()


MIXED = r"\left(g_p + \lambda^{\top} f_p\right) - \left(g_p - \lambda^{\top} f_p\right) = 2\lambda^{\top} f_p"


def counts():
    """What the two routes do, counted while they do it."""
    N, M = symbols("N M", positive=True, integer=True)
    right, left = costs.equation(equations.forward_gradient), costs.equation(equations.adjoint_gradient)
    yield Step("solves, counted from the right", count(right, N, M, of=SOLVES), M, display=r"\#_{f_u} = M")
    one = count(left, N, M, of=TRANSPOSED)
    yield Step("solves, counted from the left", one, Integer(1), display=r"\#_{f_u^{\top}} = 1")
    for side, run, solves in (("right", right, M * N**2), ("left", left, N**2)):
        formula = (N**3 - N) / 3 + M * N + solves
        shown = rf"\#_{{\times}} = {latex(formula)}"
        yield Step(f"multiplications, counted from the {side}", count(run, N, M), formula, display=shown)


# --- two neurons at equilibrium -----------------------------------------------------------------

x, p_1 = symbols("u p", real=True)
state, p = symbols("u_1 u_2", real=True), symbols("a b c", real=True)
a, b, c = p
neurons = Equation(
    state=state,
    parameters=p,
    residual=ImmutableMatrix([state[0] - a * tanh(state[1]) - b, state[1] - c * tanh(state[0]) - a * b]),
    value=state[0] * state[1] + a * state[0],
)
BOX = {a: (-0.9, 0.9), c: (-1, 1)}
REST = (0.0, 0.0)


def adjoint(transposed):
    return inverse(transposed) * neurons.value_u.T


gradient = neurons.gradient(adjoint(neurons.residual_u.T)).T
numeric, traced = neurons.numeric(), neurons.numeric(autodiff.LIBRARY)


def at_solution(value):
    """A function of (u, p) as one of a case's keywords, at the u that belongs to them."""
    return lambda a, b, c: value(equations.solution(numeric, (a, b, c), REST), (a, b, c))


def mutant(slip, says, expression, *blind):
    return Mutant(slip, says, at_solution(array_function(expression, (state, p), (3,))), blind)


def cases(rng):
    """f_u is neither symmetric nor singular, and f and g depend on all that they may depend on."""
    while True:
        yield dict(zip("abc", rng.uniform(0.4, 0.9, 3) * rng.choice([-1, 1], 3), strict=True))


def route(name, value, resolution, *relies_on):
    return Route(name, lambda a, b, c: value((a, b, c)), resolution, frozenset(relies_on))


iterated = equations.reverse_through_iteration


def solved(value):
    return lambda p: at_solution(value)(*p)


def by_iterate():
    at, wanted = (0.9, 0.8, 1.0), derivation.reference(a=0.9, b=0.8, c=1.0)
    adjoint, through = equations.errors_by_iterate(numeric, at, (3.0, -2.0), wanted, 9)

    def series(label, errors):
        shown = [(float(k), float(f"{e:.3e}")) for k, e in enumerate(errors) if e > 1e-16]
        return Series(label, *zip(*shown, strict=True))

    return Figure(
        title="The adjoint is as good as the iterate at which it is solved",
        x_label="Newton iterate",
        y_label="relative error of the gradient",
        series=(series("adjoint at the iterate", adjoint), series("differentiated iterate", through)),
        log_y=True,
        caption="From a poor guess. Differentiating the iteration lags by one iterate, and keeps them all.",
    )


transposed, lam_right = neurons.residual_u.T, adjoint(neurons.residual_u.T)
derivation = Derivation(
    statement=Statement(
        name="implicit-equation",
        title="The adjoint of a nonlinear equation",
        says="One solve with the transposed Jacobian at the solution gives the gradient by all parameters; nothing "
        "is differentiated through the iterations that found the solution.",
        displays=(
            Display("adjoint", r"f_u^{\top}\lambda = g_u^{\top}"),
            Display("gradient", r"\frac{dG}{dp} = g_p - \lambda^{\top} f_p"),
            Display("forward", r"f_u\,u_p = -f_p,\qquad \frac{dG}{dp} = g_p + g_u\,u_p"),
        ),
        convention="f_u^T λ = +g_u^T, and then −λ^T f_p; λ is a column, Jacobians have a row for each output",
        source=("strang-2007", "krantz-parks-2002", "bai-kolter-koltun-2019"),
    ),
    steps=steps,
    hypotheses=(
        Hypothesis("f and g are continuously differentiable", lambda: entire(*neurons.residual, neurons.value)),
        Hypothesis("f_u is invertible at every state", lambda: invertible_by_slopes(neurons.residual_u, BOX)),
    ),
    reference=Reference(gradient, (state, p), (3,), at_solution(partial(equations.adjoint_gradient, numeric))),
    cases=cases,
    routes=(
        route("a solve for each parameter", solved(partial(equations.forward_gradient, numeric)), 1e-12,
              "differentiated equation", "elimination"),
        route("complex step through Newton", lambda p: equations.complex_step(numeric, p, REST), 1e-12,
              "complex arithmetic", "elimination"),
        route("reverse mode through Newton", lambda p: equations.reverse_through_newton(traced, p, REST, 9), 1e-11,
              "autograd", "LAPACK"),
        route("reverse mode through 300 iterations", lambda p: iterated(traced, p, REST, 300), 1e-11,
              "autograd", "fixed-point iteration"),
        route("adjoint as a Neumann series", solved(partial(equations.neumann_adjoint, numeric, terms=300)), 1e-11,
              "adjoint equation", "Neumann series"),
        route("central differences", lambda p: equations.differences(numeric, p, REST), 1e-8, "differences"),
    ),
    mutants=(
        mutant("transpose", "f_u lam = g_u^T", neurons.gradient(adjoint(neurons.residual_u)), "symmetric f_u", "N = 1"),
        mutant("sign", "g_p + lam^T f_p with f_u^T lam = g_u^T", neurons.gradient(-lam_right), "dG/dp = g_p"),
        mutant("sign of g_p", "-g_p - lam^T f_p", neurons.gradient(lam_right) - 2 * neurons.value_p, "g_p = 0"),
        mutant("missing-term g_p", "-lam^T f_p", neurons.gradient(lam_right) - neurons.value_p, "g_p = 0"),
        mutant("explicit", "g_p for dG/dp", neurons.value_p, "g_u = 0"),
        mutant("identity for f_u", "lam = g_u^T", neurons.gradient(neurons.value_u.T), "f_u = I"),
        mutant("inverse", "lam = f_u^T g_u^T", neurons.gradient(transposed * neurons.value_u.T), "f_u f_u = I"),
        mutant("factor", "1 + 1e-9 times the truth", (1 + Integer(10) ** -9) * gradient),
    ),
    figure=by_iterate,
)  # fmt: skip

if __name__ == "__main__":
    raise SystemExit(main(derivation))
