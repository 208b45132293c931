"""How expressions and sentences are written."""

from __future__ import annotations

import pytest
import sympy
from hypothesis import given
from hypothesis import strategies as st
from sympy import Derivative, Function, Integral, Matrix, Rational, Subs, Sum, Symbol, exp, log, oo, pi, sqrt

from verify.decide import words
from verify.report.formula import Formula, read_formula
from verify.report.gather import scientific
from verify.report.latex import equation, latex
from verify.report.mathml import FormulaError
from verify.report.prose import mathtext, read_prose

x, y, t, T, x0, lam = sympy.symbols("x y t T x0 lam", real=True)
mu, sigma = sympy.symbols("mu sigma", positive=True)
f, g = Function("f"), Function("g")

PRINTED = {
    "a short exponent is raised": (exp(T * x), "e^{T x}"),
    "a simple fraction in an exponent is written with a slash": (exp(-(x**2) / 2), "e^{- x^{2} / 2}"),
    "a large exponent stands on the line": (
        exp(-((x - mu) ** 2) / (2 * sigma**2)),
        r"\exp\!\left(- \frac{\left(x - \mu\right)^{2}}{2 \sigma^{2}}\right)",
    ),
    "a sum begins with a plus where it can": (-mu + x, r"x - \mu"),
    "a sum of negatives keeps its sign": (-mu - x, r"- \mu - x"),
    "tall factors stand beside the fraction": (
        x * (1 + y / (2 * mu)) / 3,
        r"\frac{x}{3} \left(1 + \frac{y}{2 \mu}\right)",
    ),
    "a third fraction is a slash": (1 / (1 + 1 / (1 + 1 / x)), r"\frac{1}{1 + \frac{1}{1 + 1 / x}}"),
    "a partial derivative names its function above": (
        Derivative(f(t, x), x),
        r"\frac{\partial f(t, x)}{\partial x}",
    ),
    "an ordinary derivative is upright": (Derivative(f(t), t), r"\frac{\mathrm{d} f(t)}{\mathrm{d} t}"),
    "a derivative at a point has a bar": (
        Subs(Derivative(f(t, x), x), x, x0),
        r"\left. \frac{\partial f(t, x)}{\partial x} \right|_{x = x_{0}}",
    ),
    "a differential is upright": (Integral(f(t), (t, 0, T)), r"\int_{0}^{T} f(t)\,\mathrm{d} t"),
    "a sum under an integral is bracketed": (Integral(x + 1, x), r"\int \left(x + 1\right)\,\mathrm{d} x"),
    "transposition is no time": (sympy.MatrixSymbol("A", 2, 2).T, r"A^{\top}"),
    "a power of a logarithm": (log(x) ** 2, r"\log^{2}{\left(x\right)}"),
    "digamma": (sympy.digamma(x), r"\psi\left(x\right)"),
    "trigamma": (sympy.polygamma(1, x), r"\psi^{(1)}\left(x\right)"),
    "log-gamma": (sympy.loggamma(x), r"\log\Gamma\left(x\right)"),
    "short Greek names": (lam * Symbol("lam_2"), r"\lambda \lambda_{2}"),
    "a fractional power": (x ** Rational(2, 3), "x^{2/3}"),
    "a negative power": (x**-2, r"\frac{1}{x^{2}}"),
    "a single entry is no matrix": (Matrix([[x / 2]]), r"\frac{x}{2}"),
    "a matrix": (Matrix([[1, x]]), r"\left(\begin{matrix}1 & x\end{matrix}\right)"),
}


@pytest.mark.parametrize(("expression", "expected"), PRINTED.values(), ids=PRINTED.keys())
def test_an_expression_is_written_as_on_paper(expression, expected):
    assert latex(expression) == expected


@pytest.mark.parametrize(
    "expression",
    [
        *(expression for expression, _ in PRINTED.values()),
        exp(-((x - mu) ** 2) / (2 * sigma**2)) / sqrt(2 * pi * sigma**2),
        Sum(x**t, (t, 0, oo)),
        sympy.Piecewise((x, x > 0), (0, True)),
        sympy.Max(x, 0) + abs(x) + sympy.sign(x),
        sympy.besselj(0, x) + sympy.erf(x) + sympy.expint(1, x) + sympy.gamma(x),
        sympy.conjugate(Symbol("z")) + exp(sympy.I * x),
        exp(exp(x / y) / (1 + exp(-x / y))),
        -x / (2 * y) * exp(-x) / (1 + x),
    ],
    ids=str,
)
def test_what_is_written_can_be_shown(expression):
    assert read_formula(latex(expression), "here").typst


def test_functions_of_the_same_several_arguments_stand_without_them():
    assert equation(Derivative(f(t, x), x), g(t, x)) == (r"\frac{\partial f}{\partial x} = g", "")


def test_functions_keep_arguments_that_differ():
    assert equation(f(t, x), f(t, y)) == ("f(t, x) = f(t, y)", "")
    assert equation(f(t), g(t)) == ("f(t) = g(t)", "")


def test_a_wide_matrix_is_represented_by_an_entry_that_says_something():
    wide = Matrix([[0, *(sum(Symbol(f"a_{i}{j}") * x**j for j in range(9)) for i in range(3))]])
    shown, remark = equation(wide, wide.applyfunc(lambda e: sympy.expand(2 * e) / 2 + 0 * e if e == 0 else e + 1))
    assert remark == "entry (1, 2) of 4 shown"
    assert "matrix" not in shown


def test_sides_that_are_the_same_are_shown_once():
    a, b = words.matrices("A B", "n", "n")
    assert equation(a @ b, a @ b) == (r"A\,B \quad\text{on both sides}", "")


PROSE = {
    "f, b and g are continuously differentiable": "‹f›, ‹b› and ‹g› are continuously differentiable",
    "A and b are smooth; A check is a check": "‹A› and ‹b› are smooth; A check is a check",
    "Lagrange's identity, e.g. theorem V.3.1": "Lagrange's identity, e.g. theorem V.3.1",
    "lam' = -f_u' lam - l_u'": r"‹\lambda'› = −‹f_{u}'› ‹\lambda› − ‹\ell_{u}'›",
    "at t0: u(t0) stays b": "at ‹t_{0}›: ‹u›(‹t_{0}›) stays ‹b›",
    "A and dA/dp commute": "‹A› and ‹dA/dp› commute",
    "p f -> 0 as x -> oo": "‹p› ‹f› → 0 as ‹x› → ∞",
    "e^{TA/2} for |x| <= 1": "‹e^{TA/2}› for |‹x›| ≤ 1",
    "lam(t0)' b_p missing": r"‹\lambda›(‹t_{0}›)′ ‹b_{p}› missing",
    "k (1 - tanh(s)^2)": "‹k› (1 − tanh(‹s›)²)",
    "f = x**3*exp(T*x) is -1 at |x|^2 = (a + b)**2": "‹f› = ‹x^3› exp(‹T› ‹x›) is −1 at |‹x›|² = (‹a› + ‹b›)²",
    "1 + 1e-8 times the truth": "1 + 10⁻⁸ times the truth",
    "[1.0479 +/- 1.79e-16], off by 2e-01": "[1.0479 ± 1.79 × 10⁻¹⁶], off by 2 × 10⁻¹",
    "A lam = g_u^T, lam[k-1]^T s at T": r"‹A› ‹\lambda› = ‹g_{u}^{\top}›, ‹\lambda›[‹k›−1]‹{}^{\top}› ‹s› at ‹T›",
    "lam^T f_pp[v] at x_{k-1}": r"‹\lambda^{\top}› ‹f_{pp}›[‹v›] at ‹x_{k-1}›",
    "Psi = V^-1, (eta/D) phi_u, rest/w": r"‹\Psi› = ‹V^{-1}›, (‹\eta›/‹D›) ‹\phi_{u}›, rest/‹w›",
    "a Neumann series in a Banach algebra": "a Neumann series in a Banach algebra",
    "the same at k and at k - 1, -tr A": "the same at ‹k› and at ‹k› − 1, −tr ‹A›",
    "the n-th vjp of RK4": "the ‹n›-th vjp of RK4",
    "it costs $5, and $x^2$ more": "it costs $5, and ‹x^2› more",
    "don't touch x_12 or tr(A X)": "don't touch x_12 or tr(‹A› ‹X›)",
}


@pytest.mark.parametrize(("text", "expected"), PROSE.items())
def test_plain_notation_in_a_sentence_becomes_mathematics(text, expected):
    parts = read_prose(text, "here")
    assert "".join(f"‹{part.latex}›" if isinstance(part, Formula) else part for part in parts) == expected


@given(st.text(alphabet="abAfxIo'_-^{}$()<>=/. 0129λ∞→", max_size=30))
def test_no_sentence_of_plain_notation_is_refused_or_shortened(text):
    try:
        parts = read_prose(text, "here")
    except FormulaError:
        assert "$" in text or "{" in text  # only what is explicitly LaTeX can be malformed
        return
    shown = "".join(part.latex if isinstance(part, Formula) else part for part in parts)
    assert sum(c.isdigit() for c in shown) == sum(c.isdigit() for c in text)
    assert shown.count("x") == text.count("x")


def test_a_label_of_a_figure_is_written_for_matplotlib():
    assert mathtext("T A_p costs $3") == r"$T$ $A_{p}$ costs \$3"
    assert mathtext("rtol 1e-10") == "rtol 10$^{-10}$"


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (1.3e-12, "1.3 × 10⁻¹²"),
        (1e-9, "10⁻⁹"),
        (0.0, "0"),
        (None, "not finite"),
        (float("nan"), "not finite"),
        (float("inf"), "not finite"),
        (0.05, "5 × 10⁻²"),
        (-2.5e3, "-2.5 × 10³"),
    ],
)
def test_a_number_is_written_with_its_power_of_ten(value, text):
    assert scientific(value) == text
