"""Gradient of a cost at the end of a recurrence: reverse mode.

    recurrence  x[k] = F(k, x[k-1], p) for k = 1 … n,  x[0] = b(p)
    objective   J = g(x[n], p) + sum of l(k, x[k], p) for k = 0 … n-1
    reverse     lam[n] = g_x^T,  lam[k-1] = F_x(k)^T lam[k] + l_x(k-1)^T
    gradient    dJ/dp = g_p + lam[0]^T b_p + sum of (lam[k]^T F_p(k) + l_p(k-1)) for k = 1 … n

Let s[k] = dx[k]/dp, so that s[k] = F_x s[k-1] + F_p and s[0] = b_p.  Let R[k] be the derivative of the cost of the
steps before k, and q[k] the part of the sum that is still to come, counted from the end, q[n] = g_p.  Then the row
R[k] + lam[k]^T s[k] + q[k] is the same for k and for k - 1, hence for all k.  At n it is dJ/dp; at 0, where R = 0,
it is lam[0]^T b_p + q[0]: the claim, for every n and every dimension, by induction in k.

In a program every line is such a step, and x is all its variables: this is reverse mode.  It multiplies a row by the
Jacobians, the latest first, where the forward way multiplies a matrix of M columns: n (N^2 + N M) multiplications
against n N^2 M.  Its price is memory: F_x and F_p are taken at x[k-1], so all states are kept.

Sign: lam[k] = +dJ/dx[k] of the cost from k on.  Layout: Jacobians have a row for each output, gradients are rows, lam
is a column; ^T transposes.  The example is a recurrent network of two units that is driven by a wave.
"""

from functools import partial

from sympy import ImmutableMatrix, Symbol, cos, latex, symbols, tanh

from verify import Derivation, Display, Figure, Hypothesis, Mutant, Reference, Route, Series, Statement, Step
from verify.calculus.adjoint import entire
from verify.calculus.recurrences import Recurrence
from verify.decide.words import matrices, matrix, substitute
from verify.derivation import main
from verify.numerics import autodiff, costs, recurrences
from verify.numerics.counting import count, counted
from verify.numerics.recurrence_slips import slips

# --- any number N of states, M of parameters, n of steps ----------------------------------------

F_x, F_1, F_2, F_3 = matrices("F_x F_1 F_2 F_3", "N", "N")
F_p, b_p, s = matrices("F_p b_p s", "N", "M")
l_x, g_x = matrices("l_x g_x", 1, "N")
l_p, g_p, R, q = matrices("l_p g_p R q", 1, "M")
lam = matrix("lam", "N", 1)

later_s = F_x @ s + F_p  # s is at k - 1, lam at k
earlier_lam = F_x.T @ lam + l_x.T
later_R = R + l_p + l_x @ s
earlier_q = q + lam.T @ F_p + l_p


def steps():
    yield Step("lam^T s from one step to the next", lam.T @ later_s - earlier_lam.T @ s, lam.T @ F_p - l_x @ s)
    yield Step(
        "R + lam^T s + q is the same at k and at k - 1",
        later_R + lam.T @ later_s + q,
        R + earlier_lam.T @ s + earlier_q,
    )
    whole = R + lam.T @ s + q
    yield Step("at n: lam = g_x^T, q = g_p, so it is dJ/dp", substitute(whole, {lam: g_x.T, q: g_p}), R + g_x @ s + g_p)
    yield Step("at 0: R = 0, s = b_p", substitute(whole, {R: 0 * R, s: b_p}), lam.T @ b_p + q)
    back = F_1.T @ (F_2.T @ (F_3.T @ g_x.T))
    yield Step("three steps without running cost: the latest factor is the leftmost", back.T, g_x @ F_3 @ F_2 @ F_1)
    yield Step("for n = 1 it is the chain rule", (F_1.T @ g_x.T).T @ b_p + g_x @ F_p, g_x @ (F_1 @ b_p + F_p))
    shown = r"g_p + \lambda_0^{\top} b_p + \sum_k\left(\lambda_k^{\top} F_p(k) + \ell_p(k-1)\right) = \frac{d}{dp} J(p)"
    for n in (1, 2, 3):
        J = logistic.unrolled(n)
        by_both = ImmutableMatrix([[J.diff(r), J.diff(c)]])
        yield Step(f"a quadratic map, unrolled: n = {n}", logistic.swept(n), by_both, display=shown)
    J = network.unrolled(1)
    yield Step("the network: n = 1", network.swept(1), ImmutableMatrix([[J.diff(w) for w in p]]), display=shown)
    yield from counts()


def counts():
    """What each way does, counted while it does it."""
    n, N, M = symbols("n N M", positive=True, integer=True)
    shared = N * M  # g_x s[n], or lam[0]^T b_p
    for name, route, formula in (
        ("forward", recurrences.forward, n * (N**2 * M + N * M) + shared),
        ("reverse", recurrences.reverse, n * (N**2 + N * M) + shared),
        (
            "each share of the cost from scratch",
            recurrences.each_from_scratch,
            n * (n + 1) / 2 * (N**2 + N * M) + (n + 1) * N * M,
        ),
    ):
        shown = rf"\#_{{\times}} = {latex(formula)}"
        yield Step(
            f"multiplications, counted: {name}",
            count(costs.recurrence(route), n, N, M, degree=2),
            formula,
            display=shown,
        )


# --- a quadratic map, and a network of two units ------------------------------------------------

k, r, c, y = Symbol("k", real=True), *symbols("r c y", real=True)
logistic = Recurrence(
    index=k, state=(y,), parameters=(r, c), step=ImmutableMatrix([r * y * (1 - y) + k * c]),
    initial=ImmutableMatrix([c * r]), running=r * y**2, value=c * y,
)  # fmt: skip
p, x = symbols("w_1 w_2 h", real=True), symbols("x_1 x_2", real=True)
network = Recurrence(
    index=k,
    state=x,
    parameters=p,
    step=ImmutableMatrix([tanh(p[0] * x[1] + p[2] * cos(k)), tanh(p[1] * x[0]) + x[1] / 2]),
    initial=ImmutableMatrix([p[2], p[0] * p[1]]),
    running=p[1] * x[0] ** 2 / 4,
    value=x[0] * x[1] + p[0] * x[0],
)
numeric, traced = network.numeric(), network.numeric(autodiff.LIBRARY)


def cases(rng):
    """Several steps, Jacobians that neither commute nor are symmetric, and costs that depend on all they may."""
    while True:
        yield {"p": rng.uniform(0.5, 1.5, 3) * rng.choice([-1, 1], 3), "n": int(rng.integers(4, 12))}


def along(value):
    """A function of the states and p as one of a case's keywords."""
    return lambda p, n: value(recurrences.states(numeric, p, n), p)


def sweep(function):
    return along(partial(function, numeric))


def route(name, value, resolution, *relies_on):
    return Route(name, value, resolution, frozenset(relies_on))


def costs_by_length():
    lengths = (1, 2, 4, 8, 16, 32)

    def series(label, way):
        made = (counted(costs.recurrence(way), n, 4, 16) for n in lengths)
        return Series(label, tuple(map(float, lengths)), tuple(map(float, made)))

    return Figure(
        title="A row is cheaper to carry than a matrix",
        x_label="steps n",
        y_label="multiplications",
        series=(
            series("each share from scratch", recurrences.each_from_scratch),
            series("forward", recurrences.forward),
            series("reverse", recurrences.reverse),
        ),
        log_x=True,
        log_y=True,
        caption="Counted for N = 4 states and M = 16 parameters, given the Jacobians. Reverse keeps all the states.",
    )


derivation = Derivation(
    statement=Statement(
        name="recurrence",
        title="Reverse mode through a recurrence",
        says="One sweep from the last step to the first, with one vector, gives the gradient with respect to all "
        "parameters of a recurrence, for any number of steps.",
        displays=(
            Display("reverse", r"\lambda_n = g_x^{\top},\qquad"
                    r" \lambda_{k-1} = F_x(k)^{\top}\lambda_k + \ell_x(k-1)^{\top}"),
            Display("gradient", r"\frac{dJ}{dp} = g_p + \lambda_0^{\top} b_p"
                    r" + \sum_{k=1}^{n}\left(\lambda_k^{\top} F_p(k) + \ell_p(k-1)\right)"),
        ),
        convention="λ_k = +∂J/∂x_k, a column; F_x(k) and F_p(k) are taken at x_{k-1}; gradients are rows",
        source=("strang-2007", "griewank-walther-2008"),
    ),
    steps=steps,
    hypotheses=(
        Hypothesis("F, b, l and g are continuously differentiable",
                   lambda: entire(*network.step, *network.initial, network.running, network.value)),
    ),
    reference=Reference(network.gradient_expression(Symbol("n", integer=True, positive=True)), (*p, Symbol("n")), (3,),
                        sweep(recurrences.reverse)),
    cases=cases,
    routes=(
        route("forward: one matrix", sweep(recurrences.forward), 1e-13, "tangent recurrence"),
        route("all steps as one sparse system", sweep(recurrences.block_system), 1e-12, "sparse LU"),
        route("complex step", lambda p, n: recurrences.complex_step(numeric, p, n), 1e-13, "complex arithmetic"),
        route("reverse mode by autograd", lambda p, n: recurrences.reverse_mode(traced, p, n), 1e-13, "autograd"),
        route("central differences", lambda p, n: recurrences.differences(numeric, p, n), 1e-7, "differences"),
    ),
    mutants=(
        *(Mutant(slip.name, slip.says, along(slip.value), slip.blind) for slip in slips(numeric)),
        Mutant("factor", "1 + 1e-10 times the truth",
               lambda p, n: (1 + 1e-10) * sweep(recurrences.reverse)(p, n)),
    ),
    figure=costs_by_length,
)  # fmt: skip

if __name__ == "__main__":
    raise SystemExit(main(derivation))
