"""Gradients of an objective through an ordinary differential equation: the continuous adjoint.

    state        u' = f(t, u, p),  u(t0) = b(p)
    objective    G  = g(T, u(T), p) + integral of l(t, u, p) over [t0, T]
    costate      lam' = -f_u^T lam - l_u^T,  lam(T) = g_u^T

    parameters   dG/dp  = g_p + lam(t0)^T b_p + integral of (l_p + lam^T f_p) over [t0, T]
    start value  dG/du0 = lam(t0)^T
    start time   dG/dt0 = -H(t0),       H = l + lam^T f
    final time   dG/dT  = H(T) + g_T

The sensitivity s = u_p solves s' = f_u s + f_p with s(t0) = b_p.  Let R be the p-derivative of the cost so far,
R' = l_p + l_u s with R(t0) = 0, and q the integral still to come, q' = -(l_p + lam^T f_p) with q(T) = g_p.  Then
R + lam^T s + q does not change in time.  At T it is dG/dp; at t0 it is lam(t0)^T b_p + q(t0): the claim.

Sign: lam = +dG/du.  Layout: Jacobians have a row for each output, gradients are rows, lam is a column; ^T
transposes, a prime differentiates by t.  The example is the driven, damped pendulum with three parameters and both
kinds of cost.
"""

from sympy import ImmutableMatrix, Symbol, symbols

from verify import Derivation, Display, Hypothesis, Mutant, OdeProblem, Printed, Reference, Statement, Step
from verify.calculus import adjoint, families
from verify.calculus.adjoint_slips import slips
from verify.decide.words import derive, identity, matrices, substitute
from verify.derivation import main
from verify.numerics import autodiff, ladder, ode
from verify.numerics.routes.worked import example

# --- any number N of states and M of parameters -------------------------------------------------

l, l_t, r = matrices("l l_t r", 1, 1)
f, f_t, y, lam = matrices("f f_t y lam", "N", 1)
f_u, s_0 = matrices("f_u s_0", "N", "N")
f_p, b_p, s = matrices("f_p b_p s", "N", "M")
l_u, g_u = matrices("l_u g_u", 1, "N")
l_p, g_p, R, q = matrices("l_p g_p R q", 1, "M")

H = l + lam.T @ f
costate = -(f_u.T @ lam) - l_u.T
rates = {s: f_u @ s + f_p, lam: costate, R: l_p + l_u @ s, q: -l_p - lam.T @ f_p}
by_start = {y: f_u @ y, lam: costate, r: l_u @ y}  # y = du/dt0; r is the derivative of the cost so far by t0
by_time = {f: f_t + f_u @ f, lam: costate, l: l_t + l_u @ f}
sum_p, sum_0 = R + lam.T @ s + q, r + lam.T @ y


def steps():
    flow = "Hartman (1964), theorem V.3.1: the flow is differentiable in p and u0"
    yield Step("the variational equation", derive(s, rates), f_u @ s + f_p, cited=flow)
    yield Step("Lagrange's identity", derive(lam.T @ s, rates), lam.T @ f_p - l_u @ s)
    yield Step("R + lam^T s + q does not change in time", derive(sum_p, rates), 0)
    yield Step("at T: lam = g_u^T, q = g_p, so it is dG/dp", substitute(sum_p, {lam: g_u.T, q: g_p}), R + g_u @ s + g_p)
    yield Step("at t0: R = 0, s = b_p", substitute(sum_p, {R: 0 * R, s: b_p}), lam.T @ b_p + q)
    yield Step("start value: s(t0) = I, nothing names p", substitute(lam.T @ s_0, {s_0: identity("N")}), lam.T)
    yield Step("start time: r + lam^T y does not change in time", derive(sum_0, by_start), 0)
    yield Step("at t0: y = -f, for u(t0) stays b; r = -l", substitute(sum_0, {y: -f, r: -l}), -H)
    yield Step("H changes only where l or f name the time", derive(H, by_time), l_t + lam.T @ f_t)
    for n, m in ((1, 1), (2, 3), (3, 2)):
        yield from in_coordinates(n, m)


def in_coordinates(n, m):
    """The same for n states and m parameters, with undefined functions f_i, b_i, l and g: entry by entry."""
    P = adjoint.generic_problem(n, m)
    A = adjoint.adjoint_system(P)
    s = ImmutableMatrix(n, m, lambda i, j: Symbol(f"s_{i + 1}{j + 1}", real=True))
    lam, l_u, l_p = ImmutableMatrix(A.costate), *(adjoint.jacobian(P.running, by) for by in (P.state, P.parameters))
    rates = dict(zip((*P.state, *lam, *s), (*P.field, *A.rate, *(P.field_u * s + P.field_p)), strict=True))
    change = adjoint.total_derivative(lam.T * s, rates, P.time)
    yield Step(f"Lagrange's identity, N = {n}, M = {m}", change, lam.T * P.field_p - l_u * s)
    yield Step(f"R + lam^T s + q, N = {n}, M = {m}", l_p + l_u * s + change, A.density)
    growth = P.running + adjoint.total_derivative(P.terminal, rates, P.time)
    yield Step(f"final time, N = {n}: dG/dT", growth, A.at_end.subs(dict(zip(A.costate, A.final.flat(), strict=True))))


# --- the pendulum -------------------------------------------------------------------------------

t0, T = symbols("t0 T", real=True)
pendulum = families.driven_pendulum()
p = pendulum.parameters
system = adjoint.adjoint_system(pendulum)
numeric, traceable = adjoint.numeric_problem(pendulum), adjoint.numeric_problem(pendulum, autodiff.LIBRARY)


def gradient_by(claimed):
    """(dG/dp, dG/du0, dG/dt0, dG/dT) by a claimed system: backwards, on the dense forward solution."""
    backwards = adjoint.numeric_adjoint(pendulum, claimed)
    return lambda p, t0, T: ode.interpolated_adjoint(numeric, backwards, p, t0, T)


gradient = gradient_by(system)


def cases(rng):
    """Away from the blind inputs: p and t0 are not 0; pendulum and costs depend on everything they may depend on."""
    while True:
        start, signs = rng.uniform(0.1, 0.5), rng.choice([-1, 1], 3)
        yield {"p": rng.uniform(0.3, 1.5, 3) * signs, "t0": start, "T": start + rng.uniform(0.5, 1.5)}


def oscillator():
    return OdeProblem(
        state=["x", "y"], parameters=["mu", "a"], rhs=["y", "mu*(1 - x^2)*y - x"], initial=["a", "0"], t0=0, T=6,
        terminal="(x - 1)^2/2 + y^2/2",
    )  # fmt: skip


TIMES = (2, 4, 6, 8)
says = (
    "Van der Pol's oscillator, x' = y, y' = mu (1 - x^2) y - x, from x = a to T = 6, for mu = a = 2, with the cost "
    "((x - 1)^2 + y^2)/2 at the end: every route to its gradient by mu, by a, by the start and by the times."
)
u_p = r"\frac{\partial u}{\partial p}"
moving = rf"\frac{{\partial f}}{{\partial p}} + \frac{{\partial f}}{{\partial u}}{u_p}"
derivation = Derivation(
    statement=Statement(
        name="adjoint-ode",
        title="The continuous adjoint of an ordinary differential equation",
        says="One backward solve of the adjoint equation gives the gradient of a terminal and a running cost "
        "with respect to all parameters, the start value and both times.",
        displays=(
            Display("costate", r"\lambda' = -f_u^{\top}\lambda - \ell_u^{\top},\qquad \lambda(T) = g_u^{\top}"),
            Display("parameters", r"\frac{dG}{dp} = g_p + \lambda(t_0)^{\top} b_p"
                    r" + \int_{t_0}^{T}\left(\ell_p + \lambda^{\top} f_p\right)dt"),
            Display("start", r"\frac{dG}{du_0} = \lambda(t_0)^{\top},\qquad"
                    r" \frac{dG}{dt_0} = -\left(\ell + \lambda^{\top} f\right)(t_0)"),
            Display("final time", r"\frac{dG}{dT} = \left(\ell + \lambda^{\top} f\right)(T) + g_T"),
        ),
        convention="λ = +∂G/∂u, a column; Jacobians have a row for each output; gradients are rows",
        source=("strang-2007", "cao-li-petzold-serban-2003", "hartman-1964"),
    ),
    steps=steps,
    hypotheses=(
        Hypothesis("f, b, l and g are continuously differentiable", lambda: adjoint.smoothness(pendulum)),
        Hypothesis("the solution exists: f is globally Lipschitz in u", lambda: adjoint.lipschitz(pendulum)),
    ),
    reference=Reference(adjoint.gradient_expression(pendulum, system, t0, T), (*p, t0, T), (7,), gradient),
    cases=cases,
    routes=ladder.gradient_routes(numeric, traceable),
    mutants=(
        *(Mutant(slip.name, slip.says, gradient_by(slip.system), slip.blind) for slip in slips(pendulum)),
        Mutant("factor", "1 + 1e-8 times the truth", lambda **case: (1 + 1e-8) * gradient(**case)),
    ),
    printed=(
        Printed(
            where="curriculum, section 5, question 3",
            latex=f"{u_p} = {moving}",
            reading="for u' = p u, u(0) = 1, so that u = exp(p t)",
            claim="d/dp exp(p*t) = exp(p*t) + p*d/dp exp(p*t)",
            correction=rf"\frac{{d}}{{dt}}{u_p} = {moving}",
            corrected="d/dt d/dp exp(p*t) = exp(p*t) + p*d/dp exp(p*t)",
        ),
    ),
    figure=lambda: ladder.convergence(numeric, gradient, p=(0.7, 1.3, 0.4), t0=0.3, T=1.7),
    example=lambda: example(oscillator(), {"mu": 2, "a": 2}, says, TIMES),
)  # fmt: skip

if __name__ == "__main__":
    raise SystemExit(main(derivation))
