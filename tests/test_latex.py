"""LaTeX as people paste it: what is understood, what is refused, and where in the source."""

import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from verify.decide import decide
from verify.judge import check
from verify.language import ReadError, read_claim, write_claim
from verify.language.latex import read_latex, read_latex_claim
from verify.verdict import Verdict

_COLLECTION = Path(__file__).parent / "data/latex_examples.jsonl"
EXAMPLES = [json.loads(line) for line in _COLLECTION.read_text().splitlines()]
F = {"f": "function of x", "g": "function of x"}

READINGS = [
    (r"\frac{d}{dx} \sin^2 x = 2 \sin x \cos x", "d/dx sin(x)^2 = 2*sin(x)*cos(x)", {}),
    (r"\frac{\partial}{\partial x}\left(x^2 y\right) = 2xy", "d/dx (x^2*y) = 2*x*y", {}),
    (r"\frac{d}{dx} \frac{x}{2} y = \frac12 y", "d/dx ((x/2)*y) = (1/2)*y", {}),
    (r"\frac{d}{dx} (x+1)^2 = 2(x+1)", "d/dx (x+1)^2 = 2*(x+1)", {}),
    (r"\frac{d^2\,x^3}{dx^2} = 6x", "d^2/dx^2 (x^3) = 6*x", {}),
    (r"\frac{\partial^2}{\partial x \partial y} xy = 1", "d/dx d/dy (x*y) = 1", {}),
    (r"\partial_{x}^2 x^2 = 2", "d^2/dx^2 x^2 = 2", {}),
    (r"\sin^{-1} x = \arcsin x", "asin(x) = asin(x)", {}),
    (r"\sin^2(x)^2 = 1", "(sin(x)^2)^2 = 1", {}),
    (r"-x^2 = -(x^2)", "-x^2 = -(x^2)", {}),
    (r"2^{x^2} = 2^{(x^2)}", "2^(x^2) = 2^(x^2)", {}),
    (r"\log_{10} x = \frac{\ln x}{\ln 10}", "log(x)/log(10) = log(x)/log(10)", {}),
    (r"\sqrt[3]{x}\rho = \rho x^{1/3}", "x^(1/3)*rho = rho*x^(1/3)", {}),
    (r"x_1 x_{max} x_{\text{min}} = x_{i,j}", "x_1*x_max*x_min = x_i_j", {}),
    (r"||x|-1| = |x||y|", "abs(abs(x)-1) = abs(x)*abs(y)", {}),
    (r"\lfloor x \rfloor = \lceil y \rceil", "floor(x) = ceil(y)", {}),
    (r"\ln xy = \ln 2 x", "log(x*y) = log(2*x)", {}),
    (r"\text{softplus}(x) = \mathrm{max}(x, 0)", "log(1 + exp(x)) = max(x, 0)", {}),
    (r"a^2(b+c) = a^2 b + a^{2} c", "a^2*(b+c) = a^2*b + a^2*c", {}),
    (r"\log{\left(cx\right)}^{2} = \max{\left(0,b \right)}", "log(c*x)^2 = max(0, b)", {}),
    (r"\frac{d^{\frac{3}{2}} x}{y} = x", "(d^(3/2)*x)/y = x", {}),
    (r"\ln\sin x = x", "log(sin(x)) = x", {}),
    (r"\cos 2\pi t = 1", "cos(2*pi*t) = 1", {}),
    (r"\sin x e^{x} = e^x \sin x", "sin(x)*E^x = E^x*sin(x)", {}),
    (r"\frac{d}{de} e^2 = 2e", "d/de e^2 = 2*e", {}),
    (r"\frac{d}{dx} f(x) g(x) = f'(x) g(x) + f(x) g'(x)", "d/dx (f(x)*g(x)) = f'(x)*g(x) + f(x)*g'(x)", F),
    (r"\frac{\partial f}{\partial x} = f'", "d/dx f = f'", F),
    (r"\dot x = x", "d/dt x = x", {"x": "function of t"}),
    (r"x(x+1) = x^2+x", "x*(x+1) = x^2 + x", {}),
    (r"x = y \text{ for } x > 0, y \ne 1", "x = y with x > 0, y != 1", {}),
    (r"x = y \quad (0 < x < y)", "x = y with 0 < x < y", {}),
    (r"x = y \quad \forall x, y > 0", "x = y with x > 0, y > 0", {}),
    (r"x = y, \quad x \in \mathbb{R}, y \in (0, 1)", "x = y with x: real, y: interval(0, 1)", {}),
    (r"n x = x n, n \in \mathbb{Z}", "n*x = x*n with n: integer", {}),
    (r"\begin{cases} x, & \text{if } x>0 \\ 0, & \text{otherwise} \end{cases} = x",
     "piecewise((x, x > 0), (0, otherwise)) = x", {}),
    (r"\nabla_x (x^\top A x) = (A + A^\top) x", "grad_x (x'*A*x) = (A+A')*x", {"x": "vector(n)", "A": "matrix(n,n)"}),
    (r"\nabla_X \log\det X = X^{-\top}", "grad_X log(det(X)) = inv(X)'", {"X": "matrix(n,n)"}),
    (r"\frac{d}{dt} e^{At} = A e^{At}", "d/dt expm(A*t) = A*expm(A*t)", {"A": "matrix(n,n)"}),
    (r"\nabla_x e^{-x^\top x} = -2 e^{-x^T x} x", "grad_x E^(-x'*x) = -2*E^(-x'*x)*x", {"x": "vector(n)"}),
    (r"\nabla_x \|x\|^2 = 2x", "grad_x norm(x)^2 = 2*x", {"x": "vector(n)"}),
    (r"\nabla_x \sum_{i=1}^n x_i^2 = 2x", "grad_x sum(x[i]^2, i, 1, n) = 2*x", {"x": "vector(n)"}),
]  # fmt: skip

REFUSED = [
    (r"\frac{\partial L}{\partial \theta} = 2\theta", 16, "does not say what L is"),
    (r"x = \foo{y}", 5, r"macro \foo"),
    (r"\int x\,dx = x^2/2", 1, "indefinite integral"),
    (r"\int_0^1 x = 1", 1, "no differential"),
    (r"\mathbb{E} x = x", 12, "brackets"),
    (r"\mathbb{E}[x] = x", 1, "under which law"),
    (r"e x^2 = x^2 e", 1, "Euler's number"),
    (r"ix = \cos x", 1, "imaginary unit"),
    (r"E^2 = E", 1, "Euler's number"),
    (r"x^10 = x", 3, "first digit"),
    (r"x^-1 = x", 3, "braces"),
    (r"\sin x/x = 1", 7, "brackets"),
    (r"\ln u \, v = 1", 10, "argument of ln"),
    (r"\ln u v = 1", 7, "argument of ln"),
    (r"\sin x \, y = 1", 11, "argument of sin"),
    (r"\log x e^{x} = 1", 8, "argument of log"),
    (r"\cos x (1 + x) = 1", 8, "brackets"),
    (r"1/2x = x", 4, "below the bar"),
    (r"\sin^{-2} x = 1", 1, "ambiguous"),
    (r"\log^{-1} x = 1", 1, "inverse function or the reciprocal"),
    (r"(\sin x)' = \cos x", 9, "prime"),
    (r"sin(x) = \cos x", 1, r"\sin"),
    (r"2\frac12 = 1", 2, "without a sign"),
    (r"\frac{d}{dx} x \cdot \frac{d}{dx} x = 1", 22, "where that ends"),
    (r"\mathit{x} + x = x", 14, "two ways"),
    (r"\mathbf{A}\mathbf{B} = \mathbf{B}\mathbf{A}", 1, "vector or matrix"),
    (r"A^T \lambda = c", 3, "transposition or a power"),
    (r"y(t) = \alpha y", 1, "function or a product"),
    (r"f^2(x) = \alpha", 1, "function or a product"),
    (r"W^2(ax) = \alpha W(ax)", 1, "function or a product"),
    (r"y(0) = \alpha y", 1, "function or a product"),
    (r"\nabla f = x", 1, "by what"),
    (r"\nabla^2_x x^2 = 2", 10, "by a number"),
    (r"\left. x \right|_{0} = x", 1, "without a bracket"),
    (r"x = y \\ z", 10, "what this line belongs to"),
    (r"x \le \alpha", 3, "equality"),
    (r"\alpha", 1, "no equality"),
    (r"\alpha = ", 9, "nothing stands right"),
    (r"x = 2\alpha \quad (1)", 21, "condition"),
    (r"\frac{x}{y = 1", 15, "not closed"),
    (r"x} = \alpha", 2, "no brace is open"),
    (r"x = y \text{ because } \alpha > 0", 7, "because"),
    (r"\sum_i x_i = \alpha", 10, "declare x: vector(n)"),
    (r"\sum_i x = \alpha", 1, "counts the entries of what"),
    (r"\sum_{i=1}^n x_i = \alpha", 16, "declare x: vector(n)"),
    (r"x \pm y = \alpha", 3, "two claims"),
    ("x\\alpha = \x00", 11, "unexpected character"),
]  # fmt: skip


@pytest.mark.parametrize(("latex", "text", "let"), READINGS, ids=[latex for latex, _, _ in READINGS])
def test_latex_is_the_claim_that_the_text_makes(latex, text, let):
    read, meant = read_latex_claim(latex, let), read_claim(text, let)
    assert (read.lhs, read.rhs) == (meant.lhs, meant.rhs)
    assert dict(read.domain.variables) == dict(meant.domain.variables)
    assert read.domain.conditions == meant.domain.conditions


@pytest.mark.parametrize(("latex", "column", "says"), REFUSED, ids=[repr(latex) for latex, _, _ in REFUSED])
def test_what_is_not_clear_is_refused_with_its_place(latex, column, says):
    with pytest.raises(ReadError) as caught:
        read_latex(latex)
    assert (caught.value.column, says in str(caught.value)) == (column, True), str(caught.value)
    assert caught.value.text == latex


@pytest.mark.parametrize(
    "latex", [r"\frac{df}{dx}(x^2) = 2x", r"f_x = \alpha", r"f^{-1}(x) = \alpha", r"f'' (x) = f_x"]
)
def test_what_can_be_a_derivative_or_something_else_of_a_declared_function_is_refused(latex):
    with pytest.raises(ReadError, match=r"can be (a|the)"):
        read_latex(latex, F)


def test_every_equality_of_a_chain_is_a_claim():
    claims = read_latex(r"\begin{align} \tan x &= \frac{a}{b} \\ &\quad + c \\ &= y = z \\ u &= v \end{align}")
    assert [(write_claim(c).partition(" with ")[0]) for c in claims] == [
        "tan(x) = a/b + c", "a/b + c = y", "y = z", "u = v",
    ]  # fmt: skip
    assert all(read_claim(claim.text).lhs is claim.lhs for claim in claims)


def test_a_reading_that_is_one_of_several_is_noted():
    notes = read_latex_claim(r"\sin^{-1} x = e^{x} + \cos \omega t").notes
    assert [note for word in ("asin", "Euler", "argument of cos") for note in notes if word in note] == list(notes)


def test_macros_without_arguments_are_replaced_and_never_go_on_for_ever():
    assert read_latex(r"\R x = x", macros={"R": r"\alpha"})[0].domain.variables.keys() == {"alpha", "x"}
    with pytest.raises(ReadError, match="goes on and on"):
        read_latex(r"\R x = x", macros={"R": r"\R\R"})


@pytest.mark.parametrize("row", EXAMPLES[::9], ids=lambda row: row["latex"])
def test_formulas_as_people_write_them_get_their_verdict(row):
    assert str(decide(read_latex_claim(row["latex"])).verdict) == row["verdict"]


@pytest.mark.thorough
@pytest.mark.parametrize("row", EXAMPLES, ids=lambda row: row["latex"])
def test_every_formula_of_the_collection_gets_its_verdict(row):
    assert str(decide(read_latex_claim(row["latex"])).verdict) == row["verdict"]


@pytest.mark.parametrize("row", EXAMPLES, ids=lambda row: row["latex"])
def test_what_was_understood_is_a_text_that_means_the_same(row):
    claim = read_latex_claim(row["latex"])
    again = read_claim(write_claim(claim))
    assert write_claim(again) == write_claim(claim)


def test_a_text_with_a_backslash_is_latex_everywhere():
    assert check(r"\frac{d}{dx} x^2 = 2x").verdict is Verdict.PROVED
    assert check(r"\foo").verdict is Verdict.INVALID


HOSTILE = [
    "{" * 5000, r"\frac" * 3000, "\\", r"\sqrt{" * 3000 + "}" * 3000, r"\left(" * 4000, "x^{" * 3000, "|" * 9000,
    r"\alpha=" * 3000, r"\begin{cases}" * 2000, "e" * 15000 + r"\alpha", r"\sin" * 4000 + "=x", r"\alpha" * 500_000,
    "^" * 9000, r"\text{" * 2000, r"\frac{d}{dx}" * 2000 + "x = 1", r"\\" * 9000, "\ud800\\",
    r"\mathrm{" * 2000 + "}" * 2000, r"\dot{" * 900 + "x", r"\cdot x" * 5000 + "=" + r"x\rho" * 5000,
]  # fmt: skip


@pytest.mark.parametrize("hostile", HOSTILE, ids=[ascii(text[:12]) for text in HOSTILE])
def test_hostile_input_is_one_error(hostile):
    with pytest.raises(ReadError):
        read_latex(hostile)


_PARTS = (
    r"\frac { } ^ _ x y e i d 2 12 + - = ( ) | \sin \ln \left( \right) \cdot \partial \partial_x \frac{d}{dx} \sqrt",
    r"\\ & , ' / ! \begin{cases} \end{cases} \text{for} \nabla \sum \top \mathrm{d} \alpha \| \quad \in \log_2",
)


@given(st.lists(st.sampled_from(" ".join(_PARTS).split()), max_size=14).map(" ".join))
@settings(max_examples=400, deadline=None)
def test_pieces_in_any_order_are_claims_or_one_error(latex):
    places = range(1, len(latex) + 2)
    try:
        claims = read_latex(latex)
    except ReadError as error:
        claims, places = [], [place for place in places if place == error.column]
    assert places
    assert all(write_claim(claim) for claim in claims)
