"""Stein's identity with its boundary term, in one and in several dimensions.

    score        s = grad log p
    operator     A f = s f' + grad f,  entries s_i f_j + d f_j/dx_i
    divergence   p (A f)_ij = d(p f_j)/dx_i
    identity     E_p[s_i f_j] = -E_p[d f_j/dx_i] + flux of p f_j through the boundary, in the direction x_i

On an interval the flux is [p f], the limit of p f at the upper end less that at the lower end.  f is in the Stein class
of p when it is zero: then E_p[A f] = 0.  That is a condition on both, and it has to be evaluated: it holds for a normal
law and exp(x), and it fails for an exponential law and f = 1.  In two dimensions even p f -> 0 is not enough.

The example is a normal law on the half-plane x_2 > 0: x_2 is |N(0, v)|, x_1 given x_2 is N(beta x_2, w).  With
f = (x_1^2, 1 + x_1 x_2) and c = sqrt(2/(pi v)), twice the normal density at 0:

    reference    E_p[s f^T] = -c [[2 beta v, v], [w, 1 + beta v]]

in which -E_p[grad f] is -c [[2 beta v, v], [0, beta v]], and the flux through the line x_2 = 0 the rest.

Layout: s and f are columns, ^T transposes, (grad f)_ij = df_j/dx_i.  The identity is stated with a right side that is
not zero: E_p[A f] = 0 would have no relative error.  The divergence form is proved for any p and f, d = 1, 2, 3.
"""

from sympy import Abs, ImmutableMatrix, S, Symbol, cos, diff, erf, exp, eye, latex, oo, pi, sin, sqrt, symbols

from verify import Derivation, Hypothesis, Mutant, Printed, Reference, Statement, Step
from verify.calculus import flow, laws, stein
from verify.calculus.adjoint import jacobian
from verify.calculus.limits import limit_at
from verify.derivation import Display, main
from verify.numerics.stein_routes import circles, half_plane_routes

# --- any density and any test function ----------------------------------------------------------


DIVERGENCE = r"p\,(s_i f_j + \partial_i f_j) = \partial_i (p f_j)"
VOLUME = r"\frac{d}{d\epsilon} \det(I + \epsilon D) = \operatorname{tr} D\quad (\epsilon = 0)"


def steps():
    for d, entries in ((1, 1), (2, 2), (2, 1), (3, 2)):
        yield divergence_form(d, entries)
    for d in (1, 2, 3):
        D, e = flow.generic_matrix("D", d, d), Symbol("epsilon", real=True)
        change = diff((eye(d) + e * D).det(), e).subs(e, 0)
        yield Step(f"also by moving x to x + e f, D = grad f, d = {d}", change, D.trace(), display=VOLUME)
    yield from on_the_half_plane()
    yield from where_it_fails()


def divergence_form(d, entries):
    law = laws.generic_law(d)
    f = stein.generic_function(law.variables, entries)
    p_A_f, gradient = law.density * stein.stein_operator(law, f), jacobian(law.density * f, law.variables).T
    return Step(f"any p and f, d = {d}, d' = {entries}", p_A_f, gradient, display=DIVERGENCE)


# --- a normal law on the half-plane -------------------------------------------------------------

x1, x2, beta = symbols("x_1 x_2 beta", real=True)
v, w = symbols("v w", positive=True)
half_plane = laws.half_plane_normal(x1, x2, beta, v, w)
f = ImmutableMatrix([x1**2, 1 + x1 * x2])
c, covariance = sqrt(2 / (pi * v)), ImmutableMatrix([[w + beta**2 * v, beta * v], [beta * v, v]])
E_s_f = -c * ImmutableMatrix([[2 * beta * v, v], [w, 1 + beta * v]])
gradient_part = -c * ImmutableMatrix([[2 * beta * v, v], [0, beta * v]])
flux_part = -c * ImmutableMatrix([[0, 0], [w, 1]])


ON_LINE = r"p(x_1, 0) = c\, \frac{e^{-x_1^2/(2w)}}{\sqrt{2\pi w}},\qquad c = \sqrt{\frac{2}{\pi v}}"
FLUX = r"-\int p(x_1, 0)\, f(x_1, 0)^{\top} dx_1 = -c \begin{pmatrix} w & 1 \end{pmatrix}"
GRADIENT = r"-\mathbb{E}_p[\nabla f] = -c \begin{pmatrix} 2\beta v & v \\ 0 & \beta v \end{pmatrix}"
LEFT = r"\mathbb{E}_p[s f^{\top}] = -c \begin{pmatrix} 2\beta v & v \\ w & 1 + \beta v \end{pmatrix}"
IDENTITY = r"\mathbb{E}_p[s f^{\top}] = -\mathbb{E}_p[\nabla f] + \oint p\, n f^{\top}\, dS"


def on_the_half_plane():
    s, gradient = half_plane.score, jacobian(f, (x1, x2)).T
    line = laws.normal(x1, 0, w)  # the law of x_1 at x_2 = 0
    yield Step("the score is that of the normal law on the plane", s, -covariance.inv() * ImmutableMatrix([x1, x2]))
    yield Step("p on the line x_2 = 0", half_plane.density.subs(x2, 0), c * line.density, display=ON_LINE)
    on_line = laws.polynomial_expectation(f.subs(x2, 0), (x1,), lambda m: laws.normal_moment((m,), (0,), [[w]]))
    yield Step("the flux, by exact moments on the line", -c * on_line, flux_part[1, :].T, display=FLUX)
    yield Step("the mean gradient, by exact moments", expected(-gradient), gradient_part, display=GRADIENT)
    yield Step("the left side, by exact moments", expected(s * f.T), E_s_f, display=LEFT)
    yield Step("the identity", E_s_f, gradient_part + flux_part, display=IDENTITY)


def expected(polynomials):
    return laws.half_plane_expectation(polynomials, half_plane, beta, v, w)


# --- one dimension: where the boundary leaves nothing, and where it does ------------------------

x, m, tau, a = symbols("x m tau a", real=True)
lam, q = symbols("lambda q", positive=True)
standard, exponential, cauchy = laws.normal(x, 0, 1), laws.exponential(x, lam), laws.cauchy(x)
trap = sqrt(2 * pi) * exp(x**2 / 2) * (1 + erf(x / sqrt(2))) / 2  # p times it is the distribution function
cut = laws.truncated_normal(x, m, v, 0, 1, q)  # q: the probability of 0 < x < 1
# fmt: off
HOLDS = (
    (laws.normal(x, m, v),                                             exp(tau * x)),
    (laws.mixture(x, (S(1) / 3, S(2) / 3), (m, 0), (v, w)), sin(tau * x + a)),
    (laws.logistic(x, m, w),                                           x**3),
    (laws.student(x, 1 + v),                                           x),
    (laws.student(x, 5),                                               x**3),
    (cauchy,                                                            x**2),  # p f -> 1/pi at both ends
    (exponential,                                                       x * cos(tau * x)),
)
FAILS = (  # with E_p[A f], which is what p f leaves at the ends
    (exponential,             sin(tau * x + a),     -lam * sin(a)),
    (laws.uniform(x, 0, 1),  x,                    S(1)),
    (laws.half_normal(x, v), cos(tau * x),         -sqrt(2 / (pi * v))),
    (cut,                     exp(tau * x),         (exp(tau - (1-m)**2/(2*v)) - exp(-m**2/(2*v))) / (q*sqrt(2*pi*v))),
    (cauchy,                  x * sqrt(1 + x**2),   2 / pi),
    (laws.student(x, 3),     x**3 * Abs(x),        12 * sqrt(3) / pi),
    (standard,                trap,                 S(1)),
)
# fmt: on


def where_it_fails():
    for law, test, left in FAILS:
        shown = rf"\mathbb{{E}}_p[s f + f'] = {latex(left)}"
        yield Step(f"{law.name}, f = {test}", stein.stein_defect(law, test), left, display=shown)
    R, V = Symbol("R", positive=True), ImmutableMatrix([x1, x2]) / (1 + x1**2 + x2**2)
    inside, flux = flow.divergence(V, (x1, x2)), stein.flux_through_circle(V, (x1, x2), R)
    yield Step("d = 2, p f = x/(1 + |x|^2), which goes to 0: its divergence", inside, 2 / (1 + x1**2 + x2**2) ** 2)
    yield Step("its flux through circles grows with what is inside", diff(flux, R), 2 * pi * R * 2 / (1 + R**2) ** 2)
    shown = r"\mathbb{E}_p[s \cdot f + \nabla \cdot f] = 2\pi"
    yield Step("and goes to 2 pi", limit_at(flux, R, oo, -1).value, 2 * pi, display=shown)


# --- numbers ------------------------------------------------------------------------------------


def wrong(expression):
    return Reference(ImmutableMatrix(expression), (beta, v, w), (2, 2))


def cases(rng):
    """beta not 0, v and w neither 1 nor equal."""
    while True:
        beta = rng.uniform(0.3, 1.5) * rng.choice([-1, 1])
        yield {"beta": beta, "v": rng.uniform(0.3, 0.8), "w": rng.uniform(1.2, 2.5)}


any_f = stein.generic_function((x,), 1)[0]
left = r"\lim_{x \to b} p f - \lim_{x \to a} p f"  # at the ends a < b of the support
derivation = Derivation(
    statement=Statement(
        name="stein-identity",
        title="Stein's identity and its boundary condition",
        says="The mean of the score times a function is minus the mean gradient of the function, plus what the density "
        "times the function leaves on the boundary: nothing, for functions in the Stein class.",
        displays=(
            Display("divergence", DIVERGENCE),
            Display("identity", IDENTITY),
            Display("interval", r"\mathbb{E}_p[s f + f'] = " + left),
            Display("half-plane", LEFT + r",\qquad c = \sqrt{\frac{2}{\pi v}}"),
        ),
        convention="s and f are columns; ∇f has the entries ∂f_j/∂x_i; n is the outer normal",
        source=("stein-1972", "liu-lee-jordan-2016"),
    ),
    steps=steps,
    hypotheses=(
        Hypothesis("half-plane: p f goes to 0 along x_1, and its derivative has an integral",
                   lambda: stein.in_stein_class(half_plane, *f, variables=(x1,))),
        *(Hypothesis(f"{law.name}: f = {test} is in its Stein class",
                     lambda law=law, test=test: stein.in_stein_class(law, test)) for law, test in HOLDS),
    ),
    reference=Reference(E_s_f, (beta, v, w), (2, 2)),
    cases=cases,
    routes=half_plane_routes(half_plane, f, (beta, v, w)),
    mutants=(
        Mutant("sign", "+E[grad f]", wrong(flux_part - gradient_part), ("grad f = 0",)),
        Mutant("boundary", "no flux", wrong(gradient_part), ("f = 0 on the line",)),
        Mutant("normal", "the inner normal", wrong(gradient_part - flux_part), ("f = 0 on the line",)),
        Mutant("score", "-s for s", wrong(-E_s_f), ("even f under an even law",)),
        Mutant("transpose", "the Jacobian not transposed", wrong(gradient_part.T + flux_part), ("d = 1", "the trace")),
        Mutant("layout", "f s^T for s f^T", wrong(E_s_f.T), ("d = 1", "the trace")),
        Mutant("inverse", "the covariance for its inverse", wrong(covariance**2 * E_s_f), ("covariance I",)),
        Mutant("deviation", "v is a standard deviation", wrong(E_s_f.subs(v, v**2)), ("v = 1",)),
        Mutant("normaliser", "the density of the whole plane", wrong(E_s_f / 2)),
        Mutant("correlation", "independent coordinates", wrong(E_s_f.subs(beta, 0)), ("beta = 0",)),
        Mutant("diagonal", "s_i f_i only", wrong(E_s_f.multiply_elementwise(eye(2))), ("d = 1",)),
        Mutant("digits", "1 + 1e-6 times the truth", wrong(E_s_f * (1 + S(1) / 10**6))),
    ),
    printed=(
        Printed("Stein post, section 2, question 1 (post2-3)", "zp(z) = p'(z)",
                "z*exp(-z^2/2)/sqrt(2*pi) = d/dz (exp(-z^2/2)/sqrt(2*pi))", "-zp(z) = p'(z)",
                "-z*exp(-z^2/2)/sqrt(2*pi) = d/dz (exp(-z^2/2)/sqrt(2*pi))", reading="p is the density of N(0, 1)"),
        Printed("Stein week 2, equation (6) (w2-e6)", r"\mathcal{A}f(x) = f'(x) + f(x)s_p(x)",
                Step("", stein.stein_operator(standard, any_f)[0], any_f.diff(x) - x * any_f),
                reading="for N(0, 1), where it is said to be f'(x) - x f(x)"),
        Printed("Stein week 2, equation (4) (w2-e4)", r"\mathbf{E}[f'(Y) - Yf(Y)] = 0 \quad \forall f \in C^1",
                Step("", stein.stein_defect(standard, trap), S(0)), r"\mathbf{E}[f'(Y) - Yf(Y)] = " + left,
                Step("", stein.stein_defect(standard, trap), S(1)),
                reading="f = sqrt(2 pi) exp(x^2/2) Phi(x) is in C^1; the expectation is what p f leaves at the ends"),
        Printed("Stein post, section 4, question 2 (post4-2)", r"\mathbf{E}_p[\mathcal{A}_pf(x)] = 0",
                Step("", stein.stein_defect(exponential, 1), S(0)), r"\mathbf{E}_p[\mathcal{A}_pf(x)] = " + left,
                Step("", stein.stein_defect(exponential, 1), -lam), reading="p = Exp(lambda) and f = 1 are smooth"),
    ),
    figure=circles,
)  # fmt: skip

if __name__ == "__main__":
    raise SystemExit(main(derivation))
