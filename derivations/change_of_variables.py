"""Instantaneous change of variables: how a flow changes the logarithm of a density.

    flow         z' = f(t, z),  z(0) = x,  with the Jacobian F = dz/dx:  F' = f_z F,  F(0) = I
    density      p(z(t), t) det F(t) = p(x, 0): p moves with the flow, and no mass is lost
    Jacobi       (det A)' = tr(adj(A) A')
    Liouville    (log det F)' = tr(adj(F) f_z F)/det F = tr f_z
    theorem      d/dt log p(z(t), t) = -tr f_z(t, z(t)), the total derivative along the path

The continuity equation p_t + div(p f) = 0 says the same: d/dt log p = (p_t + f . grad p)/p = -div f along a path.
Hutchinson's estimator e^T f_z e, with random signs e, has the mean tr f_z: no Jacobian has to be formed.

One hidden unit, z' = u tanh(w . z + b).  With k = w . u and s = w . z + b the trace is k (1 - tanh(s)^2), and
s' = k tanh(s) makes sinh(s) grow like e^{kt}.  So the change of the log-density over [0, T] has a closed form:

    reference    log p(z(T), T) - log p(x, 0) = -kT + log(1 + (e^{2kT} - 1) tanh(s0)^2)/2,   s0 = w . x + b

The flow needs no condition on k; the discrete step z + u tanh(w . z + b) is one-to-one only for k >= -1.
Layout: Jacobians have a row for each component of f.  The trace cannot tell a matrix from its transpose: there is no
such mutant.  Jacobi's formula and what rests on it are proved for d = 1, 2, 3, the invariance of the trace for all d.
"""

from sympy import Abs, ImmutableMatrix, Symbol, asinh, exp, eye, log, sinh, symbols, tanh

from verify import Derivation, Hypothesis, Mutant, Printed, Reference, Statement, Step
from verify.calculus import flow
from verify.decide.words import matrices, trace
from verify.derivation import Display, main
from verify.numerics.compiled import batched_function
from verify.numerics.density_routes import along, density_routes, from_layers_to_flow

# --- any field in d dimensions ------------------------------------------------------------------


JACOBI = r"(\det A)' = \operatorname{tr}\left(\operatorname{adj}(A)\, A'\right)"
LIOUVILLE = r"\frac{\operatorname{tr}\left(\operatorname{adj}(A)\, B A\right)}{\det A} = \operatorname{tr} B"
PATH = r"\frac{p_t + f \cdot \nabla p}{p} - \frac{p_t + \nabla \cdot (p f)}{p} = -\operatorname{tr} f_z"
MEAN = r"\mathbb{E}[e^{\top} B e] = \operatorname{tr} B"
SPREAD = r"\operatorname{Var}[e^{\top} B e] = \sum_{i < j} (b_{ij} + b_{ji})^2"
SIMILAR = r"\operatorname{tr}(F^{-1} B F) = \operatorname{tr} B"
ONE = r"\operatorname{tr}(u w^{\top}) = w^{\top} u"
UNITS = r"\operatorname{tr} f_z = \sum_k h'_k\, w_k^{\top} u_k"


def steps():
    B, F = matrices("B F", "d", "d")
    u, w = matrices("u w", "d", 1)
    smooth = "Hartman (1964), theorem V.3.1: the flow is differentiable in its start"
    yield Step("the variational equation", B @ F, B @ F, cited=smooth, display=r"F' = f_z F,\quad F(0) = I")
    for d in (1, 2, 3):
        yield from theorem(d)
    yield Step("Liouville's trace, in all dimensions", trace(F.inverse @ B @ F), trace(B), display=SIMILAR)
    yield Step("one unit, in all dimensions", trace(u @ w.T), w.T @ u, display=ONE)
    for d, M in ((1, 1), (3, 1), (2, 3)):
        layer, units = flow.generic_layer(d, M)
        yield Step(f"f = U h(W z + b) in d = {d} with {M} hidden units", layer.divergence, units, display=UNITS)
    yield from closed_form()


def theorem(d):
    A, B = flow.moving_matrix("a", d, t), flow.generic_matrix("b", d, d)
    adj_A, (mean, variance) = A.adjugate(), flow.hutchinson_moments(B)
    off_diagonal = sum((B[i, j] + B[j, i]) ** 2 for i in range(d) for j in range(i))
    yield Step(f"Jacobi's formula, d = {d}", A.det().diff(t), (adj_A * A.diff(t)).trace(), display=JACOBI)
    yield Step(f"Liouville: A' = B A, d = {d}", (adj_A * B * A).trace() / A.det(), B.trace(), display=LIOUVILLE)
    yield along_a_path(d)
    yield Step(f"Hutchinson: the mean over all sign vectors e, d = {d}", mean, B.trace(), display=MEAN)
    yield Step(f"the variance sees what is symmetric, d = {d}", variance, off_diagonal, display=SPREAD)


def along_a_path(d):
    any_flow = flow.generic_flow(d)
    p = flow.generic_density(any_flow)
    lost = flow.continuity(p, any_flow)  # p_t + div(p f), which is 0
    change = any_flow.along(log(p)) - lost / p
    return Step(f"the theorem, d = {d}", change, any_flow.log_density_rate, display=PATH)


# --- one hidden unit ----------------------------------------------------------------------------

t, T = Symbol("t", real=True), Symbol("T", positive=True)
w, u, z = symbols("w_1 w_2", real=True), symbols("u_1 u_2", real=True), symbols("z_1 z_2", real=True)
b = Symbol("b", real=True)
unit = flow.Flow(t, z, flow.planar(u, tanh, w, z, b), (*w, *u, b))
J, k, s0 = unit.jacobian, w[0] * u[0] + w[1] * u[1], w[0] * z[0] + w[1] * z[1] + b
change = -k * T + log(1 + (exp(2 * k * T) - 1) * tanh(s0) ** 2) / 2


def closed_form():
    K, S = symbols("K S", real=True)
    s = asinh(exp(K * t) * sinh(S))
    closed = -K * t + log(1 + (exp(2 * K * t) - 1) * tanh(S) ** 2) / 2
    yield Step("s' = w . f = k tanh(s)", (ImmutableMatrix([w]) * unit.field)[0], k * tanh(s0))
    yield Step("sinh(s) = e^{kt} sinh(s0) solves it", s.diff(t), K * tanh(s), display=r"s' = k \tanh s")
    yield Step("the closed form has the rate -k (1 - tanh(s)^2)", closed.diff(t), -K * (1 - tanh(s) ** 2))
    yield Step("it starts at 0", closed.subs(t, 0), 0 * K)
    yield Step("it is -log ds/ds0: all the stretching is along w", closed, -log(s.diff(S)))


def of_case(expression):
    """An expression in p = (w, u, b), the start z and T as a function of a case."""
    function = batched_function(expression, (unit.parameters, z, T), ())
    return lambda p, x, T: function(p, x, T)


def cases(rng):
    """w, u, b, x of the size of 1, k neither small nor large, T not 1: away from what the mutants are blind to."""
    while True:
        case = {"p": rng.normal(size=5), "x": rng.normal(size=2), "T": rng.uniform(1.2, 1.8)}
        if 0.3 < abs(case["p"][:2] @ case["p"][2:4]) < 1.2 and abs(formula(**case)) > 0.1:
            yield case


formula = of_case(change)
two_units, sum_of_two = flow.generic_layer(2, 2)
printed_rate = (
    r"\frac{\mathrm d\log p(\mathbf z(t))}{\mathrm dt}"
    r" = -\mathrm{tr}\left(\frac{\partial\mathbf f(\mathbf z(t))}{\partial\mathbf z(t)}\right)"
)
expansion = (
    r"\frac{\mathrm dT_s(\mathbf z(t))}{\mathrm d\mathbf z(t)}"
    r" = \mathbf I + s\cdot\frac{\partial}{\partial\mathbf z(t)}\mathbf f(\mathbf z(t)) + ORDER(s^2)"
)
units = (
    r"\mathrm{tr}\left(\sum_{i=START}^n\mathbf u_i\dot\rho(\dots_i)\mathbf w_i^\top\right)"
    r" = \sum_{i=START}^n\dot\rho(\dots_i)\mathbf w_i^\top\mathbf u_i"
)
slope_by_w = (1 - tanh(s0) ** 2) * (u[0] * z[0] + u[1] * z[1])
derivation = Derivation(
    statement=Statement(
        name="change-of-variables",
        title="Instantaneous change of variables",
        says="Along the path of a flow the log-density changes at the rate of minus the trace of the field's Jacobian: "
        "no determinant is needed.",
        displays=(
            Display("theorem", r"\frac{d}{dt}\log p(z(t), t) = -\operatorname{tr} f_z(t, z(t))"),
            Display("Jacobi", r"\frac{d}{dt}\det A = \operatorname{tr}\left(\operatorname{adj}(A)\, A'\right)"),
            Display("continuity", r"\frac{\partial p}{\partial t} + \nabla\cdot(p f) = 0"),
            Display("one unit", r"\log\frac{p(z(T), T)}{p(x, 0)} = -kT + \frac12\log\left(1 + (e^{2kT} - 1)"
                    r"\tanh^2 s_0\right),\qquad k = w^{\top} u,\quad s_0 = w^{\top} x + b"),
        ),
        convention="total derivative along the path; Jacobians have a row for each component of f",
        source=("chen-et-al-2018", "rezende-mohamed-2015", "grathwohl-et-al-2019", "hartman-1964"),
    ),
    steps=steps,
    hypotheses=(
        Hypothesis("f is smooth with a bounded Jacobian: the flow exists for all times", lambda: flow.existence(unit)),
    ),
    reference=Reference(change, (*unit.parameters, *z, T), (), formula),
    cases=cases,
    routes=density_routes(unit, formula),
    mutants=(
        Mutant("sign", "+tr f_z for -tr f_z", along(unit, -unit.divergence), ("divergence-free field",)),
        Mutant("factor", "half of the trace", along(unit, unit.divergence / 2), ("divergence-free field",)),
        Mutant("determinant", "det f_z for tr f_z", along(unit, J.det()), ("d = 1",)),
        Mutant("square", "tr f_z^2 for tr f_z", along(unit, (J * J).trace()), ("eigenvalues 0 and 1",)),
        Mutant("slope", "tanh' left out", along(unit, k), ("s = 0",)),
        Mutant("function", "tanh for tanh'", along(unit, k * tanh(s0)), ("k = 0",)),
        Mutant("swap", "|w|^2 for w . u", along(unit, unit.divergence / k * (w[0] ** 2 + w[1] ** 2)), ("u = w",)),
        Mutant("variable", "derivative by w for that by z", along(unit, slope_by_w), ("w = z",)),
        Mutant("frozen", "the trace at the start for all times", of_case(-T * unit.divergence), ("k = 0", "s = 0")),
        Mutant("time", "the mean rate for the integral", of_case(change / T), ("T = 1",)),
        Mutant("discrete", "-log|det| of one layer", of_case(-log(Abs((eye(2) + T * J).det()))), ("k = 0",)),
        Mutant("digits", "1 + 1e-6 times the truth", of_case(change * (1 + 1e-6))),
    ),
    printed=(
        Printed("week 6, section 3 (w6-l8)", printed_rate, along_a_path(2),
                reading="d = 2, a density that satisfies the continuity equation"),
        Printed("week 6, section 3 (w6-l7)", expansion.replace("ORDER", "o"), "(d^2/ds^2 exp(a*s))*exp(-a*s) = 0",
                expansion.replace("ORDER", "O"), "(d/ds exp(a*s))*exp(-a*s) = a",
                reading="f(z) = a z, so T_s(z) = exp(a s) z; a remainder o(s^2) has no second derivative at s = 0"),
        Printed("week 6, section 3.1 (w6-multitr)", units.replace("START", "0"),
                Step("", two_units.divergence, flow.generic_layer(2, 3)[1]), units.replace("START", "1"),
                Step("", two_units.divergence, sum_of_two),
                reading="the layer of the line before counts its n units from 1; here n = 2"),
    ),
    figure=lambda: from_layers_to_flow(unit, formula, {"p": (0.9, -0.6, 0.7, 0.4, 0.2), "x": (0.5, -0.8), "T": 1.5}),
)  # fmt: skip

if __name__ == "__main__":
    raise SystemExit(main(derivation))
