"""LaTeX as people paste it: what is understood, what is refused, and where in the source."""

import json
import re
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from verify.decide import decide
from verify.judge import check
from verify.language import ReadError, read_claim, read_let, write_claim
from verify.language.latex import Macro, equalities, read_latex, read_latex_claim
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
    (r"\log_e x = \ln x", "log(x) = log(x)", {}),
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
    (r"\mathrm{d}\ln x = 1", 1, "a differential is not read"),
    (r"d\ln x = d x/x", 1, "differential or a quantity"),
    (r"d(x^2) = 2x\, d x", 1, "differential or a quantity"),
    (r"\delta(xy) = x\delta y + y\delta x", 1, "variation"),
    (r"(x+\Delta)^2 = x^2 + 2\Delta x + \Delta^2", 23, "stands alone as well"),
    (r"\frac{d}{dx} x \cdot \frac{d}{dx} x = 1", 22, "where that ends"),
    (r"\mathit{x} + x = x", 14, "two ways"),
    (r"\mathbf{A}\mathbf{B} = \mathbf{B}\mathbf{A}", 1, "vector or matrix"),
    (r"A^T \lambda = c", 3, "transposition or a power"),
    (r"y(t) = \alpha y", 1, "function or a product"),
    (r"f(x) = x^2", 1, "definition of f"),
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
    assert read.domain.variables.items() <= dict(meant.domain.variables).items()
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


def test_words_that_only_link_or_tell_a_rule_are_left_out():
    claims = read_latex(
        r"\begin{align} \frac{d}{dx}x^2 &= 2x && \text{(power rule)}\\ \intertext{so} \text{Hence } x &= x \end{align}"
    )
    assert [write_claim(claim).partition(" with ")[0] for claim in claims] == ["d/dx (x^2) = 2*x", "x = x"]
    with pytest.raises(ReadError, match="by symmetry"):
        read_latex(r"x\alpha = x \text{ (by symmetry)}")


def test_a_reading_that_is_one_of_several_is_noted():
    notes = read_latex_claim(r"\sin^{-1} x = e^{x} + \cos \omega t").notes
    assert [note for word in ("asin", "Euler", "argument of cos") for note in notes if word in note] == list(notes)


def test_macros_without_arguments_are_replaced_and_never_go_on_for_ever():
    assert read_latex(r"\R x = x", macros={"R": r"\alpha"})[0].domain.variables.keys() == {"alpha", "x"}
    with pytest.raises(ReadError, match="goes on and on"):
        read_latex(r"\R x = x", macros={"R": r"\R\R"})


def _stated(row):
    return equalities(row["latex"], row.get("let"))


def _judge(row):
    """The verdict on each equality, which is the one of the collection; a proof in place of agreement is welcome."""
    for equality, expected in zip(_stated(row), row["verdicts"], strict=True):
        claim = equality.claim
        found = Verdict.INVALID if isinstance(claim, ReadError) else decide(claim).verdict
        if row["holds"] and expected in ("SUPPORTED", "UNDECIDED"):
            assert found >= Verdict[expected], write_claim(claim)
        else:
            assert str(found) == expected, write_claim(claim)


READ = [row for row in EXAMPLES if row["holds"] is not None]
UNREAD = [row for row in EXAMPLES if row["holds"] is None]


def _name(row):
    return row["latex"][:60]


def test_the_collection_holds_right_and_wrong_formulas():
    assert len(READ) > 500
    assert sum(row["holds"] for row in READ) > 300
    assert sum(not row["holds"] for row in READ) > 100
    assert all("REFUTED" not in row["verdicts"] for row in READ if row["holds"])
    assert all("REFUTED" in row["verdicts"] for row in READ if not row["holds"])


@pytest.mark.parametrize("row", [row for row in READ[::4] if "slow" not in row], ids=_name)
def test_formulas_as_people_write_them_get_their_verdict(row):
    _judge(row)


@pytest.mark.thorough
@pytest.mark.parametrize("row", READ, ids=_name)
def test_every_formula_of_the_collection_gets_its_verdict(row):
    _judge(row)


@pytest.mark.parametrize("row", UNREAD, ids=_name)
def test_what_cannot_be_read_with_certainty_is_refused_with_the_reason(row):
    try:
        errors = [str(each.claim) for each in _stated(row) if isinstance(each.claim, ReadError)]
    except ReadError as error:
        errors = [str(error)]
    assert any(row["says"] in error for error in errors)


def test_what_was_understood_is_a_text_that_means_the_same():
    for row in READ:
        for equality in _stated(row):
            if not isinstance(equality.claim, ReadError):
                again = read_claim(write_claim(equality.claim))
                assert write_claim(again) == write_claim(equality.claim)


def test_a_text_with_a_backslash_is_latex_everywhere():
    assert check(r"\frac{d}{dx} x^2 = 2x").verdict is Verdict.PROVED
    assert check(r"\foo").verdict is Verdict.INVALID


VECTORS = {"x": "vector(n)", "y": "vector(n)", "A": "matrix(n,n)", "B": "matrix(n,n)"}
SHAPED_READINGS = [
    (r"x \cdot y = y\cdot x", "dot(x, y) = dot(y, x)"),
    (r"A \cdot x = A x", "A*x = A*x"),
    (r"|AB| = |A||B|", "det(A*B) = det(A)*det(B)"),
    (r"||x||^2 = \|x\|_2^2", "norm(x)^2 = norm(x)^2"),
    (r"A \circ B = B \odot A", "A.*B = B.*A"),
    (r"Ax \odot By = 0", "(A*x).*(B*y) = 0"),
    (r"A^T = A^{\mathsf T}", "A' = A'"),
    (r"A' = A^{\rm T}", "A' = A'"),
    (r"x_1 + x_2 = x_2+x_1", "x[1] + x[2] = x[2] + x[1]"),
    (r"\mathbf{x}^\top\mathbf{y} = \sum_{i} x_i y_i", "x'*y = sum(x[i]*y[i], i, 1, n)"),
    (r"\sum_{i,j} A_{ij} x_i y_j = x^\top A y", "sum(sum(A[i,j]*x[i]*y[j], j, 1, n), i, 1, n) = x'*A*y"),
    (r"\frac{\partial}{\partial x_i} x^\top x = 2x_i",
     "sum((grad_x (x'*x))[i]*w[i], i, 1, n) = sum((2*x[i])*w[i], i, 1, n)"),
    (r"(AB)_{ij} = \sum_k A_{ik}B_{kj}",
     "sum(sum((A*B)[i,j]*w[i,j], i, 1, n), j, 1, n) = sum(sum(sum(A[i,k]*B[k,j], k, 1, n)*w[i,j], i, 1, n), j, 1, n)"),
    (r"(I + A)^{-1} = \mathbf{I}_n", "inv(eye(n) + A) = eye(n)"),
    (r"\mathbf{1}^\top x = x^\top\mathbf 1", "ones(n)'*x = x'*ones(n)"),
    (r"\frac{\partial Ax}{\partial x} = A", "jac_x (A*x) = A"),
    (r"\frac{\partial^2}{\partial x\,\partial x^\top} x^\top A x = A", "hess_x (x'*A*x) = A"),
    (r"\nabla_x^2\, x^\top A x = A + A^\top", "(hess_x (x'*A*x)) = A + A'"),
    (r"\nabla_x^2\, x^\top A x = 2\operatorname{tr} A", "tr(hess_x (x'*A*x)) = 2*tr(A)"),
    (r"\nabla_x\cdot(Ax) = \operatorname{tr}(A)", "div_x (A*x) = tr(A)"),
    (r"\nabla_x (x-y)^\top A (x-y) = 0", "grad_x ((x - y)'*A*(x - y)) = 0"),
    (r"\exp(A)x = e^A x", "expm(A)*x = expm(A)*x"),
    (r"\tanh^2(x) = \mathbf 1", "tanh(x).^2 = ones(n)"),
    (r"\langle A, B\rangle_F = \langle x, y\rangle", "tr(A'*B) = dot(x, y)"),
]  # fmt: skip


@pytest.mark.parametrize(("latex", "text"), SHAPED_READINGS, ids=[latex for latex, _ in SHAPED_READINGS])
def test_shapes_tell_what_a_sign_means(latex, text):
    let = VECTORS | ({"w": "matrix(n,n)"} if "w[i,j]" in text else {"w": "vector(n)"} if "w[i]" in text else {})
    read, meant = read_latex_claim(latex, VECTORS), read_claim(text, let)
    assert (write_claim(read).partition(" with ")[0]) == write_claim(meant).partition(" with ")[0]


SHAPED_REFUSALS = [
    (r"\|A\|_2 = 1", "norm of a matrix with 2"),
    (r"A_{ij}^{-1} = 1", "entry of an inverse"),
    (r"\sum_{i=1}^n x_i + y_i = 0", "stands outside of it"),
    (r"\sum_{i=1}^n (x_i - \bar x) = 0", "mean, a conjugate"),
    (r"\nabla^2_x\, f(x) = 0", "several readings"),
    (r"|x| = 1", "norm or absolute values"),
    (r"x \times y = 0", "vector product"),
    (r"x \otimes y = 0", "between two matrices"),
    (r"A \circ x = 0", "composition"),
    (r"F' = 0", "derivative or the transpose"),
    (r"F'(s) = 0", "another place|as well"),
    (r"\Delta f = 0", "Laplacian"),
    (r"\mathrm{e}^T \bar A = 1", "bar above A"),
]  # fmt: skip


@pytest.mark.parametrize(("latex", "says"), SHAPED_REFUSALS, ids=[latex for latex, _ in SHAPED_REFUSALS])
def test_what_shapes_do_not_tell_is_refused(latex, says):
    let = VECTORS | {"f": "function of x", "F": "matrix(n,n) of t"}
    with pytest.raises(ReadError, match=says):
        read_latex_claim(latex, let)


def test_entries_of_one_vector_are_no_quantities_of_their_own():
    with pytest.raises(ReadError, match="entries of one vector"):
        read_latex(r"\frac{\partial}{\partial x_i}(x_i^2 + x_j^2) = 2x_i")
    assert read_latex(r"\frac{\partial}{\partial x_1}(x_1^2 + x_2^2) = 2x_1")


def test_a_bracket_behind_a_derivative_is_its_argument_only_where_nothing_else_fits():
    let = {"x": "function of t", "A": "matrix(n,n) of t"}
    product = read_latex_claim(r"\dot x (m+1) = m\dot x + \dot x", let)
    assert product.lhs is read_claim("d/dt (x)*(m+1) = 1", let).lhs
    assert read_latex_claim(r"\dot A(t) = A'(t)", let).lhs is read_claim("d/dt (A) = 0", let).lhs
    with pytest.raises(ReadError, match="product as well"):
        read_latex_claim(r"\dot x (m) = 1", let)


def test_names_are_declared_as_latex_writes_them():
    let = read_let(r"\theta, \boldsymbol{\mu}: positive", r"x_{ij}: real, \hat{y}: positive", "x': real")
    assert let == {
        "theta": "positive", "mu": "positive", "x_ij": "real", "y_hat": "positive", "x_prime": "real"
    }  # fmt: skip
    claim = read_latex_claim(r"\ln\theta^2 = 2\ln\theta", {r"\theta": "positive"})
    assert claim.domain.variables["theta"].low is not None


def test_sets_behind_a_formula_declare_shapes():
    claim = read_latex_claim(
        r"\|Ax\|^2 = x^\top A^\top A x \quad\text{for } x \in \mathbb{R}^n, A \in \mathbb R^{m \times n}"
    )
    assert claim.domain.variables["A"].shape == ("m", "n")
    with pytest.raises(ReadError, match="declared twice"):
        read_latex_claim(r"x = 2x, x \in \mathbb{R}^n", {"x": "vector(3)"})


def test_links_that_are_no_equalities_are_left_out():
    assert [claim.text.partition(" with ")[0] for claim in read_latex(r"2a = a+a \le b^2 = bb \approx 3")] == [
        "2*a = a + a", "b^2 = b*b"
    ]  # fmt: skip
    assert [type(each.claim).__name__ for each in equalities(r"f_0 := x^2")] == ["Defined"]
    with pytest.raises(ReadError, match="definition"):
        read_latex_claim(r"\lambda = x^2 + 1")


def test_the_variance_becomes_the_standard_deviation():
    claim = read_latex_claim(r"\mathbb{E}_{x\sim\mathcal N(\mu,\sigma^2)}[x] = \mu")
    assert claim.lhs is read_claim("expect(x, x ~ normal(mu, sigma)) = mu").lhs
    claim = read_latex_claim(r"\mathbb{E}[X] = m, \quad X\sim\mathcal{N}(m, v)")
    assert claim.lhs is read_claim("expect(X, X ~ normal(m, sqrt(v))) = m").lhs


def test_an_integral_ends_at_its_differential():
    claim = read_latex_claim(
        r"\int_0^1 3x^2 + 2x\,dx + 1 = \int_1^2 \frac{dx}{x} + \int_0^T \int_0^1 xy\,\mathrm dx\,\mathrm dy",
        {"T": "positive"},
    )
    text = "int(3*x^2 + 2*x, x, 0, 1) + 1 = int(1/x, x, 1, 2) + int(int(x*y, x, 0, 1), y, 0, T)"
    assert (claim.lhs, claim.rhs) == ((meant := read_claim(text)).lhs, meant.rhs)


def test_matrices_that_are_written_out_are_claims_for_each_entry():
    claims = read_latex(
        r"\begin{pmatrix}a&b\\c&f\end{pmatrix}\begin{pmatrix}x\\y\end{pmatrix}=\begin{pmatrix}ax+by\\cx+fy\end{pmatrix}"
    )
    assert [claim.notes[0] for claim in claims] == ["entry 1, 1 of the matrices", "entry 2, 1 of the matrices"]
    assert [decide(claim).verdict for claim in claims] == [Verdict.PROVED] * 2
    with pytest.raises(ReadError, match="shapes"):
        read_latex(r"\begin{pmatrix}a&b\end{pmatrix}=\begin{pmatrix}a\\b\end{pmatrix}")


def _texts(latex, let=None):
    claims = [each.claim for each in equalities(latex, let)]
    return [type(c).__name__ if isinstance(c, ReadError) else write_claim(c).partition(" with ")[0] for c in claims]


DEFINED = [
    (r"f(x) = x^2 \implies f'(x) = 2x", ["Defined", "d/dx (x^2) = 2*x"]),
    (r"f(x) = x^2, \quad f(x+1) = f(2x)", ["Defined", "(x + 1)^2 = (2*x)^2"]),
    (r"\begin{align} y &= x^2 \\ \frac{dy}{dx} &= 2x \end{align}", ["Defined", "d/dx (x^2) = 2*x"]),
    (r"y = x^2, \qquad y = x^3", ["Defined", "Defined"]),
    (r"f(x) = 2x = x + x", ["Defined", "2*x = x + x"]),
]  # fmt: skip


@pytest.mark.parametrize(("latex", "texts"), DEFINED, ids=[latex for latex, _ in DEFINED])
def test_a_definition_is_used_in_its_display_and_is_no_claim(latex, texts):
    assert _texts(latex) == texts


@pytest.mark.parametrize(
    ("latex", "says"),
    [(r"2a = x^2 + a, \qquad a = x^2 + 1", "before its definition"),
     (r"f(x) = x^2, \quad f^2(x) = x^4", "needs its arguments"), (r"f(x) = x^2, \quad f'(2x) = 4x", "another place"),
     (r"f(x) = \int_0^1 xt\,dt, \quad f(t) = t/2\cdot 1", "another place|definition"),
     (r"f(x) = x^2, \quad f(x) = x^3, \quad f'(x) = 2x", "cannot be used here"),
     (r"f(x) = x f, \quad f'(x) = 1", "function or a product"), (r"s = x^2, \quad 2s(x) = s", "value or a product"),
     (r"f(x) = x^2 + 1, \quad f(x, y) = 1 + 0", "definition"), (r"\lambda = 1 + x^2", "definition")],
)  # fmt: skip
def test_what_a_definition_does_not_say_is_refused(latex, says):
    errors = [str(each.claim) for each in equalities(latex) if isinstance(each.claim, ReadError)]
    assert any(re.search(says, error) for error in errors)


def test_macros_have_arguments():
    macros = {"pd": Macro(r"\frac{\partial #1}{\partial #2}", 2), "sq": Macro("{#2}^{#1}", 2, "2")}
    claim = read_latex(r"\pd{\sq{x}}{x} = 2x = \sq[1]{2x}", macros=macros)[0]
    assert claim.lhs is read_claim("d/dx (x^2) = 2*x").lhs
    with pytest.raises(ReadError, match="no argument #2"):
        read_latex(r"\one{x} = x", macros={"one": Macro("#2", 1)})
    assert read_latex(r"\dv[2]{x^2}{x} = 2")[0].lhs is read_claim("d^2/dx^2 (x^2) = 2").lhs


def test_a_display_with_several_equalities_has_the_verdict_of_the_worst():
    result = check(r"\tan x = \frac{\sin x}{\cos x} = \sin x")
    assert result.verdict is Verdict.REFUTED
    assert "2 equalities: tan(x) = sin(x)/cos(x): PROVED" in result.notes[0]
    assert check(r"\begin{align} 2x &= x+x\\ &= 3x-x \end{align}").verdict is Verdict.PROVED


HOSTILE = [
    "{" * 5000, r"\frac" * 3000, "\\", r"\sqrt{" * 3000 + "}" * 3000, r"\left(" * 4000, "x^{" * 3000, "|" * 9000,
    r"\alpha=" * 3000, r"\begin{cases}" * 2000, "e" * 15000 + r"\alpha", r"\sin" * 4000 + "=x", r"\alpha" * 500_000,
    "^" * 9000, r"\text{" * 2000, r"\frac{d}{dx}" * 2000 + "x = 1", r"\\" * 9000, "\ud800\\",
    r"\prod_{i=1}^{30}" * 20 + "x=1", r"\boxed{" * 2000 + "x=1" + "}" * 2000, "A" * 5000 + "=" + "A" * 5000,
    r"\begin{pmatrix}1&2\\3&4\end{pmatrix}" * 300 + "=1", r"\input{/etc/passwd} = 1", r"\text{$" * 2000,
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
