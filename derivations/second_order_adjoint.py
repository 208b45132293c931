"""Hessian of an objective through an ordinary differential equation, times a vector: the second-order adjoint.

    state      u' = f(t, u, p),  u(t0) = b(p);   G = g(T, u(T), p) + integral of l(t, u, p) over [t0, T]
    costate    lam' = -f_u^T lam - l_u^T,  lam(T) = g_u^T
    gradient   dG/dp = g_p + lam(t0)^T b_p + integral of (l_p + lam^T f_p)

    tangent    s' = f_u s + f_p v,  s(t0) = b_p v
    second     mu' = -f_u^T mu - D(f_u)^T lam - D(l_u)^T,  mu(T) = D(g_u)^T
    product    H v = D(g_p) + mu(t0)^T b_p + lam(t0)^T D(b_p) + integral of (D(l_p) + mu^T f_p + lam^T D(f_p))

D is the derivative along v, in which u moves with s and p with v: D(f_u) = f_uu[s] + f_up[v], and so on.  The tangent
is s = u_p v, and mu = D(lam): the second system is the first one, differentiated along v.  That it gives H v does not
rest on this.  Let S = u_p and P = D(S); then lam^T P + mu^T S changes by lam^T D(f_p) + mu^T f_p - l_u P - D(l_u) S, in
which no second sensitivity is left but those that the cost itself has, so R + lam^T P + mu^T S + q does not change in
time, where R is the second derivative of the cost so far and q the part of the integral to come.  At T this is H v;
at t0 it is what is claimed.  For a second direction w, with sigma = S w, the same product integrated once more gives
w^T H v as an integral of second derivatives of l + lam^T f along (s, v) and (sigma, w): symmetric, as it must be.

The cost is two solves forwards and two backwards, whatever the number of parameters; for an equation f(u, p) = 0 it is
one solve with f_u and two with f_u^T, counted below.

Sign: lam = +dG/du, mu = +D(lam).  Layout: Jacobians have a row for each output; gradients, D(g_p) and H v are rows; s,
lam and mu are columns; ^T transposes.  The example is the driven pendulum with quadratic damping.
"""

from sympy import ImmutableMatrix, Integer, Symbol, exp, integrate, latex, symbols

from verify import Derivation, Display, Hypothesis, Mutant, Reference, Statement, Step
from verify.calculus import adjoint, families
from verify.calculus.second_order import along, numeric_second_order, second_order, slips
from verify.decide.words import derive, matrices, substitute
from verify.derivation import main
from verify.numerics import autodiff, costs
from verify.numerics.counting import SOLVES, TRANSPOSED, count
from verify.numerics.ode import ACCURATE, Solver
from verify.numerics.second_order import errors_by_step, hessian_product, routes

# --- any number N of states and M of parameters -------------------------------------------------

f_u, Df_u = matrices("f_u D(f_u)", "N", "N")
f_p, Df_p, b_p, Db_p, S, P = matrices("f_p D(f_p) b_p D(b_p) S P", "N", "M")
l_u, Dl_u, g_u, Dg_u = matrices("l_u D(l_u) g_u D(g_u)", 1, "N")
l_p, Dl_p, g_p, Dg_p, R, q = matrices("l_p D(l_p) g_p D(g_p) R q", 1, "M")
lam, mu = matrices("lam mu", "N", 1)
v, w = matrices("v w", "M", 1)

D = {f_u: Df_u, f_p: Df_p, b_p: Db_p, l_u: Dl_u, l_p: Dl_p, g_u: Dg_u, g_p: Dg_p, S: P, lam: mu}
costate = -(f_u.T @ lam) - l_u.T
second = -(f_u.T @ mu) - Df_u.T @ lam - Dl_u.T
rates = {
    S: f_u @ S + f_p, P: Df_u @ S + f_u @ P + Df_p, lam: costate, mu: second,
    R: Dl_p + Dl_u @ S + l_u @ P, q: -Dl_p - mu.T @ f_p - lam.T @ Df_p,
}  # fmt: skip
whole = R + lam.T @ P + mu.T @ S + q


def steps():
    flow = "Hartman (1964), theorem V.4.1: the flow is twice differentiable in p and u0 where f is"
    yield Step(
        "the variational equation and its derivative along v",
        P,
        P,
        cited=flow,
        display=r"S' = f_u S + f_p,\qquad P' = D(f_u)\,S + f_u P + D(f_p)",
    )
    yield Step("the second of them from the first", derive(f_u @ S + f_p, D, "v"), derive(P, rates))
    yield Step("s = S v solves the tangent equation", derive(S @ v, rates), f_u @ (S @ v) + f_p @ v)
    yield Step("mu is the derivative of lam along v", derive(costate, D, "v"), derive(mu, rates))
    yield Step(
        "Lagrange's identity of second order",
        derive(lam.T @ P + mu.T @ S, rates),
        lam.T @ Df_p + mu.T @ f_p - l_u @ P - Dl_u @ S,
    )
    yield Step("R + lam^T P + mu^T S + q does not change in time", derive(whole, rates), 0)
    yield Step(
        "at T it is H v", substitute(whole, {lam: g_u.T, mu: Dg_u.T, q: Dg_p}), R + derive(g_p + g_u @ S, D, "v")
    )
    yield Step(
        "at t0: R = 0, S = b_p, P = D(b_p)",
        substitute(whole, {R: 0 * R, S: b_p, P: Db_p}),
        derive(lam.T @ b_p, D, "v") + q,
    )
    sigma = S @ w
    yield Step(
        "for the symmetry: what is left of mu^T f_p w",
        mu.T @ f_p @ w,
        derive(mu.T @ sigma, rates) + (Dl_u + lam.T @ Df_u) @ sigma,
        display=SYMMETRY,
    )
    for n, m in ((1, 1), (2, 1), (2, 2)):
        yield from in_coordinates(n, m)
    yield from growth()
    yield from counts()


SYMMETRY = (
    r"\mu^{\top} f_p w = \frac{d}{dt}\left(\mu^{\top}\sigma\right)"
    r" + \left(D(\ell_u) + \lambda^{\top} D(f_u)\right)\sigma,\quad \sigma = S w"
)


def in_coordinates(n, m):
    """For n states and m parameters, with undefined functions f_i, b_i, l and g: entry by entry."""
    problem = adjoint.generic_problem(n, m)
    A, B = adjoint.adjoint_system(problem), second_order(problem)
    S, P = (ImmutableMatrix(n, m, lambda i, j, x=x: Symbol(f"{x}_{i + 1}{j + 1}", real=True)) for x in "SP")
    lam, mu = ImmutableMatrix(A.costate), ImmutableMatrix(B.costate)
    v = ImmutableMatrix(B.direction)
    s = dict(zip(B.tangent, S * v, strict=True))  # the tangent is S v
    D = dict(zip((*problem.state, *problem.parameters), (*(S * v), *v), strict=True))
    moved = along(problem.field_u * S + problem.field_p, D) + problem.field_u * P
    rates = dict(zip(
        (*problem.state, *lam, *mu, *S, *P),
        (*problem.field, *A.rate, *B.rate.subs(s), *(problem.field_u * S + problem.field_p), *moved), strict=True,
    ))  # fmt: skip
    l_u, l_p = (adjoint.jacobian(problem.running, by) for by in (problem.state, problem.parameters))
    change = along(l_p + l_u * S, D) + l_u * P + adjoint.total_derivative(lam.T * P + mu.T * S, rates, problem.time)
    yield Step(
        f"R + lam^T P + mu^T S + q, N = {n}, M = {m}",
        change,
        B.density.subs(s),
        display=r"\frac{d}{dt}\left(R + \lambda^{\top} P + \mu^{\top} S\right)"
        r" = D(\ell_p) + \mu^{\top} f_p + \lambda^{\top} D(f_p)",
    )


def growth():
    """u' = p u, u(0) = c, G = u(T)^2/2, for which everything is known."""
    p, c, t = symbols("p c t", real=True)
    T = Symbol("T", positive=True)
    u, lam = c * exp(p * t), c * exp(p * T) * exp(p * (T - t))
    s, mu = u.diff(p), lam.diff(p)
    yield Step("u' = p u: the second costate", mu.diff(t), -p * mu - lam)
    H = integrate((mu * u + lam * s).expand(), (t, 0, T))
    yield Step("u' = p u: the product is the second derivative", H, (u.subs(t, T) ** 2 / 2).diff(p, 2))


def counts():
    """What the product costs for an equation, counted while it is formed."""
    N, M = symbols("N M", positive=True, integer=True)
    formula = (N**3 - N) / 3 + 4 * N**2 + 3 * M * N
    for name, wanted, shown in ((SOLVES, 1, "f_u"), (TRANSPOSED, 2, r"f_u^{\top}")):
        number = count(costs.hessian_product, N, M, of=name)
        yield Step(f"{name}, counted for f(u, p) = 0", number, Integer(wanted), display=rf"\#_{{{shown}}} = {wanted}")
    yield Step(
        "multiplications, counted for f(u, p) = 0",
        count(costs.hessian_product, N, M),
        formula,
        display=rf"\#_{{\times}} = {latex(formula)}",
    )


# --- the pendulum -------------------------------------------------------------------------------

t0, T = symbols("t0 T", real=True)
pendulum = families.driven_pendulum()
p = pendulum.parameters
first, system = adjoint.adjoint_system(pendulum), second_order(pendulum)
numeric, traceable = adjoint.numeric_problem(pendulum), adjoint.numeric_problem(pendulum, autodiff.LIBRARY)
backwards, right = adjoint.numeric_adjoint(pendulum, first), numeric_second_order(pendulum, system)


def product_by(claimed, solver):
    """H v by a claimed second-order system."""
    of = numeric_second_order(pendulum, claimed)
    return lambda p, v, t0, T: hessian_product(numeric, backwards, of, p, v, t0, T, solver)


product = product_by(system, ACCURATE)
ROUGH = Solver(rtol=1e-8, atol=1e-9)  # is enough for what is wrong


def cases(rng):
    """f, b, g and l have every second derivative that a formula could forget; no direction is an axis."""
    while True:
        start, signs = rng.uniform(0.1, 0.5), rng.choice([-1, 1], 3)
        yield {
            "p": rng.uniform(0.3, 1.5, 3) * signs,
            "v": rng.uniform(0.3, 1, 3) * rng.choice([-1, 1], 3),
            "t0": start,
            "T": start + rng.uniform(0.5, 1.5),
        }


CASE = {"p": (0.7, 1.3, 0.4), "v": (0.6, -0.5, 0.8), "t0": 0.3, "T": 1.7}
derivation = Derivation(
    statement=Statement(
        name="second-order-adjoint",
        title="The second-order adjoint: Hessian times vector",
        says="One tangent and one second backward solve beside those of the gradient give the Hessian of the objective "
        "times a vector, at a cost that does not depend on the number of parameters.",
        displays=(
            Display("tangent", r"s' = f_u s + f_p v,\qquad s(t_0) = b_p v"),
            Display("second costate", r"\mu' = -f_u^{\top}\mu - D(f_u)^{\top}\lambda - D(\ell_u)^{\top},\qquad"
                    r" \mu(T) = D(g_u)^{\top}"),
            Display("product", r"v^{\top} H = D(g_p) + \mu(t_0)^{\top} b_p + \lambda(t_0)^{\top} D(b_p)"
                    r" + \int_{t_0}^{T}\left(D(\ell_p) + \mu^{\top} f_p + \lambda^{\top} D(f_p)\right)dt"),
            Display("the derivative along v", r"D(X) = X_u\,s + X_p\,v"),
        ),
        convention="λ = +∂G/∂u and μ = +D(λ), columns; Jacobians have a row for each output; H v is written as a row",
        source=("ozyurt-barton-2005", "griewank-walther-2008", "hartman-1964"),
    ),
    steps=steps,
    hypotheses=(
        Hypothesis("f, b, l and g are twice continuously differentiable", lambda: adjoint.smoothness(pendulum)),
        Hypothesis("the solution exists: f is globally Lipschitz in u", lambda: adjoint.lipschitz(pendulum)),
    ),
    reference=Reference(system.expression(pendulum, t0, T), (*p, *system.direction, t0, T), (3,), product),
    cases=cases,
    routes=routes(numeric, traceable, right),
    mutants=(
        *(Mutant(slip.name, slip.says, product_by(slip.system, ROUGH), slip.blind) for slip in slips(pendulum)),
        Mutant("factor", "1 + 1e-6 times the truth", lambda **case: (1 + 1e-6) * product(**case)),
    ),
    figure=lambda: errors_by_step(numeric, right, product(**CASE), **CASE),
)  # fmt: skip

if __name__ == "__main__":
    raise SystemExit(main(derivation))
