"""Gradient of a terminal cost through a linear ordinary differential equation.

    state      y' = A(p) y,  y(0) = b(p),  so that y(T) = E b with E = e^{TA}
    gradient   dg/dp = g_p + g_y E b_p + g_y S b
    Duhamel    S = dE/dp = integral of e^{(T-s)A} A_p e^{sA} ds over [0, T]
    costate    lam' = -A^T lam,  lam(T) = g_y^T
    adjoint    dg/dp = g_p + lam(0)^T b_p + integral of lam^T A_p y dt over [0, T]

Let Psi(s) = e^{(T-s)A}, so Psi' = -Psi A, and F(s) = e^{sB} for any second matrix B.  From s = 0 to T the product
Psi F grows from e^{TA} to e^{TB}, at the rate Psi (B - A) F.  With B = A(p + h), divided by h, h -> 0: Duhamel's
integral.  In other words S' = A S + A_p E, S(0) = 0, and Psi S grows by Psi A_p E.  The costate is lam = Psi^T g_y^T,
so the two integrands are one.  The shorter S = T A_p E holds where A and A_p commute; else it is off by T^2/2 [A, A_p].

Layout: g_y is a row, A_p the derivative of A by one parameter; ^T transposes; y', S',
Psi', lam' are derivatives by time.  The example is the damped oscillator with stiffness k,
damping c and start (q, -c q).
"""

from fractions import Fraction

import numpy as np
from sympy import ImmutableMatrix, Rational, cos, exp, eye, factorial, integrate, sin, sqrt, symbols

from verify import Derivation, Display, Hypothesis, Mutant, Printed, Reference, Statement, Step
from verify.calculus import adjoint, linear
from verify.decide.words import derive, identity, matrices, matrix, power, substitute, trace
from verify.derivation import main
from verify.numerics import exponential, ladder
from verify.numerics.exponential_slips import errors_over_time, slips

# --- any number n of states ---------------------------------------------------------------------

A, A_p, B, E, F, S, Psi = matrices("A A_p B E F S Psi", "n", "n")
b, b_p, y, y_p, lam = matrices("b b_p y y_p lam", "n", 1)
g_y, q = matrix("g_y", 1, "n"), matrix("q", 1, 1)

rates = {E: A @ E, F: B @ F, S: A @ S + A_p @ E, Psi: -(Psi @ A), y: A @ y, y_p: A @ y_p + A_p @ y, lam: -(A.T @ lam)}


def steps():
    limit = "e^{sB} tends to e^{sA}, uniformly on [0, T], as B tends to A: Higham (2008), section 10.2"
    yield Step("any two matrices: Psi F grows by Psi (B - A) F", derive(Psi @ F, rates, "s"), Psi @ (B - A) @ F)
    yield Step("at s = T it is F, at s = 0 it is Psi", substitute(Psi @ F, {Psi: identity("n")}), F)
    difference = r"\lim_{h \to 0} \frac{e^{TA(p+h)} - e^{TA(p)}}{h} = \int_0^T e^{(T-s)A}\, A_p\, e^{sA}\,ds"
    yield Step("B = A(p + h), divided by h, h -> 0", S, S, cited=limit, display=difference)
    yield Step("the differentiated equation S' = A S + A_p E", derive(A @ E, {A: A_p, E: S}, "p"), derive(S, rates))
    yield Step("Psi S grows by Psi A_p E", derive(Psi @ S, rates, "s"), Psi @ A_p @ E)
    yield Step("at s = T, where Psi = I, it is S(T)", substitute(Psi @ S, {Psi: identity("n")}), S)
    yield Step("chain rule for y(T) = E b", derive(g_y @ E @ b, {E: S, b: b_p}, "p"), g_y @ S @ b + g_y @ E @ b_p)
    costate = Psi.T @ g_y.T
    yield Step("lam = Psi^T g_y^T solves the adjoint equation", derive(costate, rates, "s"), -(A.T @ costate))
    yield Step("the integrands are one", (Psi.T @ g_y.T).T @ A_p @ (E @ b), g_y @ (Psi @ A_p @ E) @ b)
    grows = derive(lam.T @ y_p + q, {**rates, q: -(lam.T @ A_p @ y)})
    yield Step("adjoint: lam^T y_p and the integral to come balance", grows, 0)
    moved = trace((E @ b @ g_y @ Psi) @ A_p)
    yield Step("all parameters at once: <Psi^T g_y^T b^T E^T, A_p>", moved, g_y @ Psi @ A_p @ E @ b)
    for n in (1, 2, 3, 4):
        terms = [power(A, j) @ A_p @ power(A, n - 1 - j) for j in range(n)]
        yield Step(f"power series: A^{n} by p", derive(power(A, n), {A: A_p}, "p"), sum(terms[1:], terms[0]))
        weights = [(T - s) ** j / factorial(j) * s ** (n - 1 - j) / factorial(n - 1 - j) for j in range(n)]
        integrals = ImmutableMatrix([integrate(weight, (s, 0, T)) for weight in weights])
        beta = rf"\int_0^T \frac{{(T-s)^j}}{{j!}}\frac{{s^k}}{{k!}}\,ds = \frac{{T^{n}}}{{{n}!}},\quad j + k = {n - 1}"
        yield Step("… and Duhamel's weights", integrals, ImmutableMatrix([T**n / factorial(n)] * n), display=beta)
    off = Fraction(1, 2) * (A @ A_p + A_p @ A) - A_p @ A
    yield Step("S - T A_p E begins with T^2/2 [A, A_p]", off, Fraction(1, 2) * (A @ A_p - A_p @ A))
    yield Step("oscillator: e^{TA} solves E' = A E", propagator.diff(T), family.matrix * propagator)
    yield Step("oscillator: e^{0 A} = I", propagator.subs(T, 0), ImmutableMatrix(eye(2)))
    for p in (k, c):
        S_p, right = propagator.diff(p), family.matrix * propagator.diff(p) + family.matrix.diff(p) * propagator
        shown = rf"\partial_T\, \partial_{p}\, e^{{TA}} = A\, \partial_{p}\, e^{{TA}} + A_{p}\, e^{{TA}}"
        yield Step(f"oscillator: S' = A S + A_p E by {p}", S_p.diff(T), right, display=shown)


# --- the damped oscillator ----------------------------------------------------------------------

k, c, T = symbols("k c T", positive=True)
q_0, s, y_1, y_2 = symbols("q s y_1 y_2", real=True)

family = linear.LinearFamily(
    parameters=(k, c, q_0),
    state=(y_1, y_2),
    matrix=ImmutableMatrix([[0, 1], [-k, -c]]),
    initial=ImmutableMatrix([q_0, -c * q_0]),
    terminal=y_1**2 / 2 + q_0 * y_2,
)
omega = sqrt(k - c**2 / 4)
around = (family.matrix + c / 2 * eye(2)) / omega
propagator = ImmutableMatrix(exp(-c * T / 2) * (cos(omega * T) * eye(2) + sin(omega * T) * around))
end = propagator * family.initial
cost = family.terminal.subs({y_1: end[0], y_2: end[1]})
gradient = ImmutableMatrix([cost.diff(p) for p in family.parameters])
numeric = family.numeric()


def cases(rng):
    """Underdamped, with A and its derivatives far from commuting, T of order 1 and a start that depends on p."""
    while True:
        c, q = rng.uniform(0.2, 1.5), rng.uniform(0.5, 2) * rng.choice([-1, 1])
        yield {"k": c**2 / 4 + rng.uniform(0.5, 3), "c": c, "q": q, "T": rng.uniform(0.5, 2)}


def by(function):
    """A function of (p, T) as one of a case's keywords."""
    return lambda k, c, q, T: function(np.array([k, c, q]), T)


gradient_printed = linear.g_y @ linear.E @ linear.b_p + linear.T * (linear.g_y @ linear.A_p @ linear.E @ linear.b)
gradient_right = linear.g_y @ linear.E @ linear.b_p + linear.g_y @ linear.D @ linear.b
reference = Reference(gradient, (k, c, q_0, T), (3,))
TIMES = tuple(2.0**k for k in range(-6, 3))
chain, duhamel = r"g_y e^{TA} b_p", r"\int_0^T e^{(T-s)A}\, A_p\, e^{sA}\,ds"
derivation = Derivation(
    statement=Statement(
        name="linear-ode-gradient",
        title="The gradient through a linear ordinary differential equation",
        says="The derivative of the matrix exponential is Duhamel's integral, which is the adjoint integral; "
        "the shorter formula with T A_p holds only where A and its derivative commute.",
        displays=(
            Display("gradient", rf"\frac{{dg}}{{dp}} = g_p + {chain} + g_y\left({duhamel}\right) b"),
            Display("adjoint", r"\frac{dg}{dp} = g_p + \lambda(0)^{\top} b_p + \int_0^T \lambda^{\top} A_p\, y\,dt,"
                    r"\qquad \lambda' = -A^{\top}\lambda,\ \lambda(T) = g_y^{\top}"),
            Display("commuting", r"\partial_p e^{TA} = T A_p e^{TA} + \tfrac{T^2}{2}\left[A, A_p\right] + O(T^3)"),
        ),
        convention="gradients are rows; A_p is the derivative of A by one parameter, in turn for each",
        source=("wilcox-1967", "van-loan-1978", "higham-2008"),
    ),
    domain={k: "positive", c: "positive", T: "positive", "where": "c^2 < 4*k"},
    steps=steps,
    hypotheses=(
        Hypothesis("A, b and g are continuously differentiable", lambda: adjoint.smoothness(family.as_ode())),
    ),
    reference=reference,
    cases=cases,
    routes=ladder.linear_routes(numeric, by),
    mutants=(
        *(Mutant(slip.name, slip.says, by(slip.value), slip.blind) for slip in slips(numeric)),
        Mutant("factor", "1 + 1e-10 times the truth", (1 + Rational(1, 10**10)) * gradient),
    ),
    printed=(
        Printed(
            where="curriculum, section 5, question 2",
            latex=rf"\frac{{dg}}{{dp}} = {chain} + T g_y A_p e^{{TA}} b",
            claim=lambda: linear.decide_exponential_identity(gradient_right, gradient_printed),
            correction=rf"\frac{{dg}}{{dp}} = {chain} + g_y\left({duhamel}\right) b",
            corrected=Step("Duhamel", derive(g_y @ Psi @ S @ b, rates, "s"), g_y @ Psi @ A_p @ E @ b),
        ),
        Printed(
            where="curriculum, section 5, question 2, the adjoint form",
            latex=r"\frac{dg}{dp} = \lambda(0)^{\top} b_p + \int_0^T g_y e^{(T-t)A} A_p e^{tA} b\,dt",
            claim=Step("adjoint form", derive(g_y @ Psi @ y_p, rates, "s"), g_y @ Psi @ A_p @ y),
        ),
    ),
    figure=lambda: errors_over_time(numeric, exponential.block_exponential, p=(2.0, 0.5, 1.0), times=TIMES),
)  # fmt: skip

if __name__ == "__main__":
    raise SystemExit(main(derivation))
