"""Hand-made results of two derivations, with one of everything that a report can contain."""

from __future__ import annotations

import sympy

from verify.derivation import Display, Example, Figure, Series, Statement
from verify.examine import DerivationResult, HypothesisResult, MutantResult, PrintedResult
from verify.steps import StepResult
from verify.verdict import Counterexample, Diagnosis, Evidence, Result, Rigor, Verdict

x, mu, t, T, p = sympy.symbols("x mu t T p", real=True)
sigma = sympy.Symbol("sigma", positive=True)
f = sympy.Function("f")


def step(why, lhs, rhs, verdict=Verdict.PROVED, rigor=Rigor.EXACT, method="normal form", **more):
    return StepResult(why, lhs, rhs, more.pop("display", ""), verdict, rigor, method, **more)


def linear() -> DerivationResult:
    """A proved derivation with a refuted printed formula."""
    printed = Result(
        claim="d/dp exp(T*A) = T*d/dp(A)*exp(T*A)",
        verdict=Verdict.REFUTED,
        rigor=Rigor.ENCLOSED,
        counterexample=Counterexample(
            {"A": "[[0, 1], [0, 0]]", "dA/dp": "[[0, 0], [1, 0]]", "T": "1"},
            "[0.5000000000000000000 +/- 2.1e-19]",
            "0",
        ),
        diagnosis=Diagnosis("commute", "it takes $A$ and $\\partial A/\\partial p$ to commute", Verdict.PROVED),
    )
    return DerivationResult(
        statement=Statement(
            name="linear-ode-gradient",
            title="Gradient through a linear ODE",
            says="The derivative of $e^{TA}$ in a direction is an integral over the ways to interrupt the flow once.",
            displays=(
                Display("problem", r"x'(t) = A(p)\, x(t), \qquad x(0) = b(p), \qquad G(p) = c^{\top} x(T)"),
                Display(
                    "gradient",
                    r"\frac{\mathrm{d} G}{\mathrm{d} p} = c^{\top} e^{TA}\, \frac{\partial b}{\partial p}"
                    r" + c^{\top} \left( \int_0^T e^{(T-s)A}\, \frac{\partial A}{\partial p}\, e^{sA} \,\mathrm{d} s"
                    r" \right) b",
                ),
                Display(
                    "as a block of one exponential",
                    r"\exp\!\left( T \begin{pmatrix} A & A_p \\ 0 & A \end{pmatrix} \right)"
                    r" = \begin{pmatrix} e^{TA} & D \\ 0 & e^{TA} \end{pmatrix}",
                ),
            ),
            convention=r"$\lambda$ is a column, $\lambda = +\partial G / \partial x$.",
            source=("van-loan-1978",),
        ),
        verdict=Verdict.PROVED,
        steps=(
            step("product rule", sympy.Derivative(f(t, x), x), sympy.Symbol("f_x"), method="words"),
            step(
                "the integrand is a total derivative, so that the integral is the difference of its ends",
                sympy.Derivative(sympy.exp(-t * x) * f(t), t),
                sympy.exp(-t * x) * (sympy.Derivative(f(t), t) - x * f(t)),
                method="normal form, enclosure",
                entries=4,
            ),
            step(
                "two equations at once",
                x,
                x,
                display=r"\begin{aligned} \dot x &= A x, & x(0) &= b \\ \dot\lambda &= -A^{\top}\lambda, &"
                r" \lambda(T) &= c \end{aligned}",
            ),
            step(
                "small matrices",
                sympy.Matrix([[1, T], [0, 1]]) * sympy.Matrix([[x], [mu / 2]]),
                sympy.Matrix([[x + T * mu / 2], [mu / 2]]),
                entries=2,
            ),
        ),
        hypotheses=(
            HypothesisResult(
                "A and b are continuously differentiable at p",
                Verdict.PROVED,
                Evidence("entries are polynomials", Rigor.EXACT, True),
            ),
        ),
        routes=(
            Evidence(
                "block exponential", Rigor.ENCLOSED, True, frozenset({"arb_mat.exp"}), 3.1e-19, 1e-18, {"cases": 5}
            ),
            Evidence(
                "fixed-step reverse mode",
                Rigor.NUMERICAL,
                True,
                frozenset({"autograd", "RK4"}),
                4.4e-9,
                1e-7,
                {"cases": 5, "order": 4.0, "observed order": 4.02},
            ),
        ),
        mutants=(
            MutantResult("commute", "$A$ and $A_p$ commuted", ("block exponential",), ("A and A_p commute", "n = 1")),
            MutantResult("transpose", "A transposed in the adjoint", ("block exponential", "reverse mode")),
        ),
        printed=(
            PrintedResult(
                "section 5, question 2",
                r"\frac{\mathrm{d} g}{\mathrm{d} p} = g_y e^{TA} b_p + T g_y A_p e^{TA} b",
                printed,
                r"\frac{\mathrm{d} g}{\mathrm{d} p} = g_y e^{TA} b_p"
                r" + g_y \int_0^T e^{(T-s)A} A_p e^{sA} \,\mathrm{d} s\, b",
                Result(claim="", verdict=Verdict.PROVED, rigor=Rigor.EXACT),
            ),
        ),
        uses=(),
        rests_on=(),
        figure=Figure(
            "Error of fixed-step reverse mode",
            "steps",
            "relative error",
            (
                Series("RK4", (16, 32, 64, 128), (1e-5, 6.3e-7, 3.9e-8, 2.4e-9)),
                Series("slope 4", (16, 128), (1e-5, 2.44e-9), "dashed"),
            ),
            log_x=True,
            log_y=True,
            caption="Order 4, as the method promises.",
        ),
        seed=0,
        points=5,
    )


def stein() -> DerivationResult:
    """A derivation in which nearly everything went wrong."""
    density = sympy.exp(-((x - mu) ** 2) / (2 * sigma**2)) / (sympy.sqrt(2 * sympy.pi) * sigma)
    return DerivationResult(
        statement=Statement(
            name="stein-identity",
            title="Stein's identity",
            says="Score times test function has the mean of minus the derivative, if the boundary term vanishes.",
            displays=(
                Display(
                    "identity",
                    r"\mathbb{E}_p\bigl[ s(x)\, f(x) \bigr] = -\mathbb{E}_p\bigl[ f'(x) \bigr]"
                    r" + \Bigl[ p(x) f(x) \Bigr]_{-\infty}^{\infty}",
                ),
                Display("support", r"p(x) = \begin{cases} e^{-x} & x > 0 \\ 0 & \text{otherwise} \end{cases}"),
            ),
        ),
        verdict=Verdict.REFUTED,
        steps=(
            step("score", sympy.Derivative(sympy.log(density), x), (mu - x) / sigma**2),
            step(
                "a slip of the sign",
                sympy.Derivative(sympy.sin(x) ** 2, x),
                -2 * sympy.sin(x) * sympy.cos(x),
                Verdict.REFUTED,
                Rigor.ENCLOSED,
                "enclosure",
                reason="the sides are apart",
                counterexample=Counterexample({"x": "3/7"}, "0.756...", "-0.756..."),
            ),
            step(
                "dominated convergence",
                x,
                x,
                Verdict.SUPPORTED,
                Rigor.ASSUMED,
                "cited",
                cited="Rudin <1976> & others",
                display=r"\lim_{n\to\infty} \int f_n = \int \lim_{n\to\infty} f_n",
            ),
            step("no answer", f(x), f(x), Verdict.UNDECIDED, None, "", reason="time limit of 10 s"),
        ),
        hypotheses=(
            HypothesisResult(
                "p f vanishes at both ends", Verdict.UNDECIDED, Evidence("limit", Rigor.EXACT, None, detail={})
            ),
            HypothesisResult("f is in the Stein class", Verdict.SUPPORTED, Evidence("Stein 1972", Rigor.ASSUMED, None)),
        ),
        routes=(
            Evidence("quadrature", Rigor.NUMERICAL, False, frozenset({"quad"}), 0.5, 1e-9, {"cases": 5}),
            Evidence("sampling", Rigor.NUMERICAL, None, frozenset({"random"}), None, 1e-3, {"cases": 5}),
        ),
        mutants=(MutantResult("sign", "+ instead of −", (), ("E f' = 0",)),),
        printed=(),
        uses=(linear(),),
        example=Example(
            "Worked problem",
            "A normal law, for which E[s f] is $-E[f']$ <exactly>.",
            ("Route", "Finding", "Is off by", "What is known"),
            (
                ("quadrature of p f'", "agrees", "3.1e-12", "adaptive"),
                ("Monte Carlo", "UNDECIDED", "", "two runs differ by 2e-01"),
            ),
            (Figure("Errors", "points", "error", (Series("quadrature", (4, 8), (1e-3, 1e-9)),), log_y=True),),
        ),
        rests_on=("dominated convergence (Rudin <1976> & others)", "f is in the Stein class"),
        figure=None,
        seed=0,
        points=5,
    )


def results() -> tuple[DerivationResult, ...]:
    """Both."""
    return (linear(), stein())
