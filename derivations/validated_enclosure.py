"""Where the solution of a differential equation and its gradient are, provably: one step, and how steps are joined.

    scaled time   x' = h f(x) on s in [0, 1],  x = p + s^N w,  p of degree below N,  ||w|| = sum of |coefficients| <= W
    existence     F(x) = x(0) + integral of h f(x);  tail of F(x) at most W if that of x is:  F has a fixed point
    flow          V = dx/dx(0):  V' = A V,  V(0) = 1;   Psi = V^-1:  Psi' = -Psi A;   A = h f_x,  B = h f_q
    names         S = dx/dq:     S' = A S + B,  so  S(1) = J (S(0) + integral of Psi B),  J = V(1) = Psi(1)^-1
    adjoint       lam' = -A^T lam,  lam(0) = J^T lam(1):  dG/dq grows by
                  integral of lam^T B = lam(1)^T J integral of Psi B
    sets          m + C xi + Q r goes to  phi(m) + K xi + (J C + P - K) xi + Q_1 (Q_1^-1 J Q) r,  K = middle of J C + P
    events        phi(tau, x(tau), q) = 0:  tau' = -(phi_x S + phi_q)/D,  D = phi_t + phi_x f_1;   x+ = r(tau, x-, q)

Series with coefficients in balls and a bound for the tail are closed under sums, products, reciprocals, exp, log,
sin, cos, sqrt, atan: ||a b|| <= ||a|| ||b||, and integration of s^j divides by j + 1, of a tail by N + 1 at least.
Every rule below is an equation for the tail alone; its bound is X <= d + k X with k < 1, or the step is refused.  No
solution within reach of a step means that some k is not below 1: then there is no ball, and never a wrong one.

Where f_x has large negative eigenvalues such steps are too short, and an approximate solution v of an implicit method
takes their place: the error x - v solves a linear equation with the defect of v as its source, and dies out as x does
(`verify.numerics.enclosure.stiff`).  A claim on an adjoint, which would explode on its way forwards, is read off a push
of the solution: lam' = -A^T lam - g_x^T with the running cost g.

An event ends a phase: on each step phi and its derivative by time are such series too.  Parts of the step on which the
mean value form of phi is not zero have no event; on a part on which the derivative is not zero there is one exactly
where the signs at its ends differ; all other parts are divided, and in the end refused (phi may graze).  The first
event ends the phase, and the next one starts at a time and in a state that move with all inputs.

Layout: Jacobians have a row for each output, gradients are rows, lam is a column; ^T transposes; a
prime is the derivative by s.  The example is logistic growth; its start depends on p.
"""

from sympy import Function, ImmutableMatrix, Rational, Symbol, atan, cos, exp, factorial, log, sin, symbols, tanh

from verify import Derivation, Display, Hypothesis, Mutant, Reference, Route, Statement, Step
from verify.calculus import adjoint
from verify.decide.words import derive, identity, matrices, substitute
from verify.derivation import main
from verify.numerics.enclosure import witness
from verify.verdict import Rigor

# --- one step, for any number n of states and m of names -----------------------------------------

A, V, Psi, J, Q, Q_1 = matrices("A V Psi J Q Q_1", "n", "n")
B, S = matrices("B S", "n", "m")
lam, end, r = matrices("lam end r", "n", 1)
C, K, P = matrices("C K P", "n", "k")
xi = matrices("xi", "k", 1)[0]
f_1, f_2, r_t = matrices("f_1 f_2 r_t", "n", 1)
(phi_x, g_x), r_x, D = matrices("phi_x g_x", 1, "n"), matrices("r_x", "n", "n")[0], matrices("D", 1, 1)[0]
F, E_v = matrices("F E_v", "n", "n")
err, defect, push, source = matrices("err defect push source", "n", 1)
y_0, c, M = symbols("y_0 c M", real=True, nonzero=True)
rates = {V: A @ V, Psi: -(Psi @ A), S: A @ S + B, lam: -(A.T @ lam)}

# --- one rule: p a polynomial, p_ = e^p one without zeros, P_N etc. the first N coefficients ----------

s, h, z, q, v, u, d, k = symbols("s h z q v u d k", real=True)
N, j = symbols("N j", integer=True, positive=True)
p, P_N, S_N, C_N = (Function(name, real=True)(s) for name in ("p", "P_N", "S_N", "C_N"))  # ty: ignore[not-callable]
p_, w = exp(p), 1 + p**2


def steps():
    schauder = "Schauder's fixed-point theorem: Zeidler (1986), theorem 2.A; F is compact, since integration is"
    algebra = "absolutely convergent power series are a Banach algebra: Rudin (1991), section 10.3"
    mean = "the mean value theorem between two points of the set: Moore, Kearfott, Cloud (2009), chapter 6"
    fixed = r"F\left(\{p + s^N w : \|w\| \le W\}\right) \subseteq \{p + s^N w : \|w\| \le W\}"
    norms = r"\|ab\| \le \|a\|\,\|b\|"
    yield Step("sums of |coefficients| are a norm for products", z, z, cited=algebra, display=norms)
    yield Step("F maps a set into itself: it has a fixed point", z, z, cited=schauder, display=fixed)
    power = r"\int_0^s \sigma^j\,d\sigma = \frac{s^{j+1}}{j+1}"
    yield Step("integration divides by j + 1", s**j, (s ** (j + 1) / (j + 1)).diff(s), display=power)
    yield Step("of a tail that is q at most d + k q is left: q <= d/(1 - k)", d / (1 - k), d + k * d / (1 - k))
    yield from tails()
    yield Step("Psi V does not change: Psi = V^-1", derive(Psi @ V, rates, "s"), 0)
    yield Step("at s = 1: J = V = Psi^-1", substitute(Psi @ V, {V: Psi.inverse}), identity("n"))
    yield Step("Psi S grows by Psi B", derive(Psi @ S, rates, "s"), Psi @ B)
    yield Step("lam^T V does not change: lam(0) = J^T lam(1)", derive(lam.T @ V, rates, "s"), 0)
    yield Step("lam^T S grows by lam^T B", derive(lam.T @ S, rates, "s"), lam.T @ B)
    adjoint_form = substitute(lam.T @ B, {lam: (end.T @ J @ Psi).T})
    yield Step("lam(s)^T = lam(1)^T J Psi(s): one integral for both", adjoint_form, end.T @ J @ Psi @ B)
    hilbert = r"\int_0^1 s^i s^j\,ds = \frac{1}{i + j + 1} = H_{ij}"
    yield Step("integrals of products: P H X", s ** (N + j), (s ** (N + j + 1) / (N + j + 1)).diff(s), display=hilbert)
    shown = r"\varphi(x, q) \in \varphi(m, \bar q) + J\,(x - m) + P\,\xi"
    yield Step("a step around the middle of the set", z, z, cited=mean, display=shown)
    moved = K @ xi + (J @ C + P - K) @ xi + Q_1 @ (Q_1.inverse @ J @ Q) @ r
    parts = r"J(C\xi + Qr) + P\xi = K\xi + (JC + P - K)\xi + Q_1\,(Q_1^{-1}JQ)\,r"
    yield Step("what depends on the box, is left, turns", J @ (C @ xi + Q @ r) + P @ xi, moved, display=parts)
    yield from stiff()
    yield from events()
    yield from example()


def tails():
    """For each rule what the tail is, or the equation that it solves."""
    rest = p * u + z * (q * u + p * v + z * q * v)
    yield Step("product: p u is known, the rest is a tail", (p + z * q) * (u + z * v), rest)
    yield Step("reciprocal: p P_N = 1 + z d", ((1 + z * d) / p_ + z * q) * p_, 1 + z * (d + q * p_))
    E = exp(p) - P_N
    yield Step("exp: E' = p' E + rest", E.diff(s), p.diff(s) * E + (p.diff(s) * P_N - P_N.diff(s)))
    E_s, E_c = sin(p) - S_N, cos(p) - C_N
    yield Step("sin: E_s' = p' E_c + rest", E_s.diff(s), p.diff(s) * E_c + (p.diff(s) * C_N - S_N.diff(s)))
    yield Step("cos: E_c' = -p' E_s + rest", E_c.diff(s), -p.diff(s) * E_s - (p.diff(s) * S_N + C_N.diff(s)))
    yield Step("addition: sin(p + z)", sin(p + z) - sin(p), sin(p) * (cos(z) - 1) + cos(p) * sin(z))
    yield Step("log: E' = rest/p_", (log(p_) - P_N).diff(s), (p_.diff(s) - p_ * P_N.diff(s)) / p_)
    yield Step("log: of the argument's tail", log(p_ * (1 + z**2 / p_)) - log(p_), log(1 + z**2 / p_))
    yield Step("sqrt: a = P_N^2 (1 + z)", p_, exp(P_N) ** 2 * (1 + (p_ - exp(P_N) ** 2) / exp(P_N) ** 2))
    yield Step("atan: E' = rest/w, w = 1 + p^2", (atan(p) - P_N).diff(s), (p.diff(s) - w * P_N.diff(s)) / w)
    yield Step("atan: 1 + (p + z)^2 beside w", 1 + (p + z) ** 2, w * (1 + (2 * p * z + z**2) / w))
    yield Step("tanh is written in exp", tanh(z), 1 - 2 / (exp(2 * z) + 1))


# --- stiff problems: err = x - v around an approximate solution v, F the mean of f_x between the two --------------


def stiff():
    """With err = P z for a fixed matrix, here E_v: approximate eigenvectors."""
    turned, right = E_v.inverse @ (F @ (E_v @ err) - defect), E_v.inverse @ F @ E_v @ err - E_v.inverse @ defect
    yield Step("stiff: z' for err' = F err - defect and err = P z", turned, right)
    below = r"|z|' \le M|z| + |P^{-1}d| \;\Rightarrow\; |z| \le y,\quad y' = My + |P^{-1}d|,\ M_{ij} \ge 0\;(i \ne j)"
    quasi = "comparison for quasimonotone systems: Walter (1998), section 10"
    yield Step("stiff: |z| stays below the solution of the comparison equation", z, z, cited=quasi, display=below)
    y = exp(M * s) * y_0 + c * (exp(M * s) - 1) / M
    yield Step("stiff: which is one exponential, here of one component", y.diff(s), M * y + c)
    driven = r"y_k' = Ay_k + C_ky_0 + d_k \le Ay_k + (C_k \max y_0 + d_k),\quad A_{ij} \ge 0\;(i \ne j)"
    yield Step("stiff: sensitivities, one by one, are driven by the largest error", z, z, cited=quasi, display=driven)
    pushed = (-(A.T @ lam) - g_x.T).T @ push + lam.T @ (A @ push + source)
    yield Step("stiff: (lam^T push)' for push' = A push + source", pushed, lam.T @ source - g_x @ push)


# --- events: phi at x_0 and at its zero tau, slope between the two ---------------------------------------------

x_0, tau, slope = symbols("x_0 tau phi'", real=True, nonzero=True)


def events():
    """The first zero of phi, and what changes with it."""
    newton = "a zero where signs differ, one only where the slope has a sign: Moore, Kearfott, Cloud (2009), chapter 8"
    signs = r"\varphi(a)\,\varphi(b) < 0,\quad \varphi' \ne 0 \;\Rightarrow\; \text{one zero in } (a, b)"
    yield Step("events: different signs and a slope of one sign: one zero", z, z, cited=newton, display=signs)
    yield Step("interval Newton: phi(x_0) = phi' (x_0 - tau)", x_0 - slope * (x_0 - tau) / slope, tau)
    moves = -(D.inverse @ phi_x @ S)
    yield Step("phi = 0 stays true: D tau' + phi_x S = 0", D @ moves + phi_x @ S, 0)
    chain = r_x @ (S + f_1 @ moves) + r_t @ moves - f_2 @ moves
    saltation = (r_x - (r_t + r_x @ f_1 - f_2) @ D.inverse @ phi_x) @ S
    yield Step("after the event, at a fixed time: the saltation matrix", chain, saltation)


# --- logistic growth from x(0) = b = q p --------------------------------------------------------

t, T, rate, part = symbols("t T p q", positive=True)
b = part * rate
grown = b * exp(rate * t) / (1 + b * (exp(rate * t) - 1))
G = grown.subs(t, T)
gradient = ImmutableMatrix([G.diff(rate), G.diff(part), G.diff(T)])
start = Symbol("b", positive=True)
free = start * exp(rate * t) / (1 + start * (exp(rate * t) - 1))
J_T, grows = free.diff(start), free.diff(start) * t * start * (1 - start)


def example():
    """The same formulas where everything is known."""
    yield Step("logistic: x' = p x (1 - x)", grown.diff(t), rate * grown * (1 - grown))
    yield Step("logistic: J = dx/db solves J' = p (1 - 2 x) J", J_T.diff(t), rate * (1 - 2 * free) * J_T)
    yield Step("logistic: Psi f_p = x (1 - x)/J does not depend on t", free * (1 - free) / J_T, start * (1 - start))
    yield Step("logistic: dx/dp at a fixed start is J t b (1 - b)", free.diff(rate), grows)


def cases(rng):
    """Away from b = 1 and q = 1, where the start rests or hides a factor; T and p T of order 1."""
    while True:
        yield {"p": rng.uniform(0.5, 1.5), "q": rng.uniform(0.15, 0.5), "T": rng.uniform(0.4, 2)}


def at_end(expression):
    return expression.subs({start: b, t: T})


fixed_start = ImmutableMatrix([at_end(grows), gradient[1], gradient[2]])
no_flow = ImmutableMatrix([T * b * (1 - b) + at_end(J_T) * part, gradient[1], gradient[2]])
no_end = ImmutableMatrix([gradient[0], gradient[1], 0])
cut_off = gradient.applyfunc(lambda g: sum(g.diff(T, i).subs(T, 0) * T**i / factorial(i) for i in range(5)))
balls, tests = frozenset({"arb", "Schauder's theorem"}), frozenset({"arb", "mpmath", "variational equation"})
derivation = Derivation(
    statement=Statement(
        name="validated-enclosure",
        title="Validated enclosure of solutions and gradients",
        says="A bound for the tail of a power series that is mapped into itself proves that the solution exists on the "
        "step and where it is; its flow, its gradient and its adjoint follow from one linear equation.",
        displays=(
            Display("existence", r"x = p + s^N w,\quad \|w\| \le W,\qquad"
                    r" F(x)(s) = x(0) + h\int_0^s f(x(\sigma))\,d\sigma"),
            Display("flow", r"\Psi' = -\Psi A,\quad \Psi(0) = 1,\qquad J = \Psi(1)^{-1},\quad A = h f_x"),
            Display("names", r"S(1) = J\left(S(0) + \int_0^1 \Psi B\,ds\right),\qquad B = h f_q"),
            Display("events", r"\tau' = -D^{-1}\left(\varphi_x S + \varphi_q\right),\quad"
                    r" D = \varphi_t + \varphi_x f_1,\qquad S^+ = r_x S + r_q + (r_t + r_x f_1 - f_2)\,\tau'"),
            Display("sets", r"m + C\xi + Qr \;\mapsto\; \varphi(m) + K\xi + (JC + P - K)\xi + Q_1\,(Q_1^{-1}JQ)\,r"),
        ),
        convention="Jacobians have a row for each output; lam is a column; K is the exact middle of J C + P",
        source=("moore-kearfott-cloud-2009", "lohner-1992", "zeidler-1986", "rudin-1991", "walter-1998",
                "johansson-2017"),
    ),
    domain={"where": "k < 1"},
    steps=steps,
    hypotheses=(
        Hypothesis("f, b and g are analytic", lambda: adjoint.entire(rate * part * (1 - part), b)),
        Hypothesis("every rule bounds the tails that it is tried on, and its mutants do not", witness.rules_hold),
        Hypothesis("bounces are found, and their gradients are inside of the balls", witness.bounces),
        Hypothesis("the solution exists on [0, 2] for all p in [1, 1.1] and q in [0.3, 0.35]", witness.exists),
    ),
    reference=Reference(gradient, (rate, part, T), (3,)),
    cases=cases,
    routes=(
        Route("balls, by sensitivities", witness.middles(adjoint=False), 1e-13, balls, Rigor.ENCLOSED),
        Route("balls, by the adjoint", witness.middles(adjoint=True), 1e-13, balls, Rigor.ENCLOSED),
        Route("40 digits, inside of the balls", witness.held, 1e-13, tests),
        Route("sensitivities in doubles", witness.sensitivities, 1e-9, frozenset({"DOP853", "variational equation"})),
    ),
    mutants=(
        Mutant("tail", "the series cut off at T^4", cut_off),
        Mutant("boundary", "a start that does not move with p", fixed_start),
        Mutant("flow", "the integral of Psi f_p without J", no_flow),
        Mutant("final-time", "the end held fixed in T", no_end),
        Mutant("factor", "1 + 1e-10 times the truth", (1 + Rational(1, 10**10)) * gradient),
    ),
    figure=lambda: witness.radius_over_time(tuple(range(1, 11))),
)  # fmt: skip

if __name__ == "__main__":
    raise SystemExit(main(derivation))
