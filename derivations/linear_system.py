"""Gradient of a value of the solution of a linear system.

    system     A(p) u = b(p),   G = g(u, p)
    adjoint    A^T lam = g_u^T
    gradient   dG/dp = g_p + lam^T (b_p - A_p u)
    forward    A u_p = b_p - A_p u,   dG/dp = g_p + g_u u_p

The solution u = A^-1 b is as smooth as A and b are, and u_p = A^-1 (b_p - A_p u).  What is asked is not u_p but one
number of it, g_u A^-1 (b_p - A_p u), and a product of three factors may be read from either end.  From the right it is
a solve with A for each parameter; from the left, where lam^T = g_u A^-1, one solve with A^T for all of them.  The
derivative by the matrix itself is an outer product, -lam u^T.

Counted on N unknowns and M parameters, the multiplications from the right are M N^2 + M N, from the left N^2 + M N.
Both need the factorization, (N^3 - N)/3, and the products A_p u, M N^2 where no A_p has a zero.

Layout: A_p is the derivative of A by one parameter, b_p a column, g_u and gradients are rows; ^T transposes.  Sign:
lam = +dG/db.  The example is a substance carried along a channel of three cells by wind w and diffusion d, with decay r
and concentration q at the inlet; upwind differences make a matrix A that is not symmetric.
"""

from functools import partial

from sympy import ImmutableMatrix, Integer, Rational, latex, symbols

from verify import Derivation, Display, Figure, Hypothesis, Mutant, Reference, Route, Series, Statement, Step
from verify.calculus.adjoint import entire, jacobian
from verify.calculus.equations import Equation, dominant_rows, generic_system, inverse, rational_gradient
from verify.decide.words import derive, matrices, substitute, trace
from verify.derivation import main
from verify.numerics import autodiff, costs, equations
from verify.numerics.compiled import array_function
from verify.numerics.counting import SOLVES, TRANSPOSED, count, counted

# --- any number N of unknowns -------------------------------------------------------------------

A, A_p = matrices("A A_p", "N", "N")
b, b_p, u, u_p, lam = matrices("b b_p u u_p lam", "N", 1)
(g_u,) = matrices("g_u", 1, "N")
change = b_p - A_p @ u


def steps():
    both = derive(A @ u, {A: A_p, u: u_p}, "p")
    yield Step("differentiate the left side of A u = b by one parameter", both, A_p @ u + A @ u_p)
    moved = derive(A.inverse @ b, {A: A_p, b: b_p}, "p")
    yield Step("the solution has a derivative", moved, A.inverse @ (b_p - A_p @ A.inverse @ b))
    yield Step(
        "and it solves the differentiated system",
        A @ moved,
        b_p - A_p @ (A.inverse @ b),
        display=r"A\,\frac{d}{dp}\left(A^{-1} b\right) = b_p - A_p A^{-1} b",
    )
    solved = A.inverse.T @ g_u.T
    yield Step(
        "the adjoint solution",
        A.T @ solved,
        g_u.T,
        display=r"\lambda = A^{-\top} g_u^{\top}:\quad A^{\top}\lambda = g_u^{\top}",
    )
    yield Step(
        "from the left or from the right",
        solved.T @ change,
        g_u @ (A.inverse @ change),
        display=r"\lambda^{\top}\left(b_p - A_p u\right) = g_u\left(A^{-1}\left(b_p - A_p u\right)\right)",
    )
    multiplied = substitute((A.T @ lam).T @ u_p, {lam: solved})
    yield Step("lam times the differentiated system: lam^T A u_p is g_u u_p", multiplied, g_u @ u_p)
    yield Step(
        "by the matrix itself",
        trace((-(lam @ u.T)).T @ A_p),
        -(lam.T @ A_p @ u),
        display=r"\left\langle -\lambda u^{\top}, A_p\right\rangle = -\lambda^{\top} A_p u",
    )
    for n in (1, 2, 3):
        by, a, c = generic_system(n)
        x = inverse(a) * c
        right = c.diff(by) - a.diff(by) * x
        yield Step(
            f"A and b undefined functions of p, entry by entry: N = {n}",
            a * x.diff(by),
            right,
            display=r"A\,\frac{d}{dp}\left(A^{-1} b\right) = b_p - A_p A^{-1} b",
        )
    at = dict(zip(cells, inverse(matrix) * inflow, strict=True))  # the solution in closed form
    closed = jacobian(channel.value.subs(at), p)
    by_adjoint = channel.gradient(lam_right).subs(at)
    yield Step(
        "the channel: the adjoint gives the derivative of g(u(p), p)",
        by_adjoint,
        closed,
        display=r"g_p + \lambda^{\top}\left(b_p - A_p u\right) = \frac{d}{dp}\,g\left(A^{-1} b, p\right)",
    )
    yield from counts()


def counts():
    """What the two routes do, counted while they do it."""
    N, M = symbols("N M", positive=True, integer=True)
    right, left = costs.linear_system(equations.forward_gradient), costs.linear_system(equations.adjoint_gradient)
    yield Step("solves, counted from the right", count(right, N, M, of=SOLVES), M, display=r"\#_A = M")
    one = count(left, N, M, of=TRANSPOSED)
    yield Step("solves, counted from the left", one, Integer(1), display=r"\#_{A^{\top}} = 1")
    for side, run, solves in (("right", right, M * N**2), ("left", left, N**2)):
        formula = (N**3 - N) / 3 + M * N**2 + M * N + solves
        shown = rf"\#_{{\times}} = {latex(formula)}"
        yield Step(f"multiplications, counted from the {side}", count(run, N, M), formula, display=shown)


# --- the channel --------------------------------------------------------------------------------

d, w, r = symbols("d w r", positive=True)
q = symbols("q", real=True)
p, cells = (d, w, r, q), symbols("u_1 u_2 u_3", real=True)
matrix = ImmutableMatrix([[2 * d + w + r, -d, 0], [-d - w, 2 * d + w + r, -d], [0, -d - w, d + w + r]])
inflow = ImmutableMatrix([(d + w) * q + 1, r, 1 - d])
channel = Equation(cells, p, matrix * ImmutableMatrix(cells) - inflow, cells[1] * cells[2] + r * cells[0])
lam_right, lam_untransposed = (inverse(m) * channel.value_u.T for m in (matrix.T, matrix))


def gradient_with(lam=lam_right, by_matrix=1, by_right=1, explicit=1):
    """g_p + lam^T (b_p - A_p u) with factors, all 1 in the truth."""
    change = by_right * jacobian(inflow, p) - by_matrix * jacobian(matrix * ImmutableMatrix(cells), p)
    return explicit * channel.value_p + lam.T * change


numeric, traced = channel.numeric(), channel.numeric(autodiff.LIBRARY)
REST = (0.0, 0.0, 0.0)


def cases(rng):
    """Wind keeps A from being symmetric; nothing vanishes, and A, b and g depend on all that they may depend on."""
    while True:
        d, w, r, q = rng.uniform(0.3, 2, 4)
        yield {"d": d, "w": w, "r": r, "q": q}


def at_solution(value):
    """A function of (u, p) as one of a case's keywords, at the u that belongs to them."""
    return lambda d, w, r, q: value(equations.solution(numeric, (d, w, r, q), REST), (d, w, r, q))


forward = at_solution(partial(equations.forward_gradient, numeric))


def mutant(slip, says, expression, *blind):
    return Mutant(slip, says, at_solution(array_function(expression, (cells, p), (4,))), blind)


def route(name, value, resolution, *relies_on):
    return Route(name, lambda d, w, r, q: value((d, w, r, q)), resolution, frozenset(relies_on))


def costs_by_parameters():
    sizes = (1, 2, 4, 8, 16, 32)

    def series(label, route):
        made = (counted(costs.linear_system(route, moving=False), 6, m) for m in sizes)
        return Series(label, tuple(map(float, sizes)), tuple(map(float, made)))

    return Figure(
        title="One transposed solve serves all parameters",
        x_label="number of parameters M",
        y_label="multiplications",
        series=(series("a solve for each", equations.forward_gradient), series("adjoint", equations.adjoint_gradient)),
        log_x=True,
        log_y=True,
        caption="Counted for N = 6 where only b depends on p, the factorization included.",
    )


derivation = Derivation(
    statement=Statement(
        name="linear-system",
        title="The adjoint of a linear system",
        says="One solve with the transposed matrix gives the gradient of a value of the solution with respect to all "
        "parameters of the matrix and the right-hand side; the direct way needs a solve for each of them.",
        displays=(
            Display("adjoint", r"A^{\top}\lambda = g_u^{\top}"),
            Display("gradient", r"\frac{dG}{dp} = g_p + \lambda^{\top}\left(b_p - A_p\,u\right)"),
            Display("by the data", r"\frac{dG}{dA} = -\lambda\,u^{\top},\qquad \frac{dG}{db} = \lambda^{\top}"),
        ),
        convention="λ = +dG/db, a column; gradients are rows; A_p is the derivative by one parameter, in turn for each",
        source=("strang-2007", "giles-2008"),
    ),
    domain={d: "positive", w: "positive", r: "positive"},
    steps=steps,
    hypotheses=(
        Hypothesis("A, b and g are continuously differentiable", lambda: entire(*channel.residual, channel.value)),
        Hypothesis("A is invertible: its rows are dominated by the diagonal", lambda: dominant_rows(matrix)),
    ),
    reference=Reference(
        gradient_with(), (cells, p), (4,), at_solution(partial(equations.adjoint_gradient, numeric))
    ),
    cases=cases,
    routes=(
        route("a solve for each parameter", lambda p: forward(*p), 1e-12, "differentiated system", "elimination"),
        route("complex step through elimination", lambda p: equations.complex_step(numeric, p, REST), 1e-12,
              "complex arithmetic", "elimination"),
        route("reverse mode through LAPACK", lambda p: equations.reverse_through_newton(traced, p, REST, 1), 1e-12,
              "autograd", "LAPACK"),
        route("rational numbers", lambda p: rational_gradient(matrix, inflow, channel, p), 1e-13,
              "differentiated system", "exact arithmetic"),
        route("central differences", lambda p: equations.differences(numeric, p, REST), 1e-8, "differences"),
    ),
    mutants=(
        mutant("transpose", "A lam = g_u^T", gradient_with(lam_untransposed), "A symmetric", "N = 1"),
        mutant("sign of A_p", "g_p + lam^T (b_p + A_p u)", gradient_with(by_matrix=-1), "A independent of p"),
        mutant("missing-term A_p", "A_p u dropped", gradient_with(by_matrix=0), "A independent of p"),
        mutant("missing-term b_p", "b_p dropped", gradient_with(by_right=0), "b independent of p"),
        mutant("missing-term g_p", "g_p dropped", gradient_with(explicit=0), "g independent of p"),
        mutant("explicit", "g_p for dG/dp", gradient_with(by_matrix=0, by_right=0), "g_u = 0"),
        mutant("sign", "g_p - lam^T (b_p - A_p u)", gradient_with(-lam_right), "dG/dp = g_p"),
        mutant("factor", "1 + 1e-10 times the truth", (1 + Rational(1, 10**10)) * gradient_with()),
    ),
    figure=costs_by_parameters,
)  # fmt: skip

if __name__ == "__main__":
    raise SystemExit(main(derivation))
