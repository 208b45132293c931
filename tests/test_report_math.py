"""LaTeX to MathML to Typst: every construct, and no character lost on the way."""

from __future__ import annotations

import html
import json
import re
import unicodedata
import warnings
import xml.etree.ElementTree as ET
from collections import Counter

import pytest
import typst
from hypothesis import given
from hypothesis import strategies as st

from verify.report.formula import read_formula
from verify.report.mathml import FormulaError, read_latex
from verify.report.typst_math import quoted, typst_math

CONSTRUCTS = {
    "nested fractions": (r"\frac{a}{1 + \frac{b}{c}}", "frac(a, 1 + frac(b, c))"),
    "a long exponent": (r"e^{-\frac{x^2}{2}}", "attach(e, t: − frac(attach(x, t: 2), 2))"),
    "both scripts": (r"x_{i}^{2}", "attach(x, b: i, t: 2)"),
    "an integral with its differential": (
        r"\int_0^T f\,\mathrm{d}t",
        "attach(scripts(∫), b: 0, t: T) f #h(0.1667em) upright(d) t",
    ),
    "a sum with limits": (r"\sum_{i=1}^n i", r"attach(∑, b: i \= 1, t: n) i"),
    "a limit": (r"\lim_{x\to 0} f", 'attach(limits(op("lim")), b: x → 0) f'),
    "a matrix": (r"\begin{pmatrix} a & b \\ c & d \end{pmatrix}", 'mat(delim: "(", a, b; c, d)'),
    "an augmented bracket": (r"\begin{bmatrix} 1 \\ 2 \end{bmatrix}", 'mat(delim: "[", 1; 2)'),
    "cases": (
        r"\begin{cases} 1 & x > 0 \\ 0 & \text{otherwise} \end{cases}",
        r'cases(1 #h(1em) & x \> 0, 0 #h(1em) & "otherwise")',
    ),
    "aligned": (r"\begin{aligned} a &= b \\ &= c \end{aligned}", r"a & \= b \  & \= c"),
    "aligned in pairs": (
        r"\begin{aligned} a &= b, & c &= d \end{aligned}",
        r"a & \= b \, & #h(2em) c & \= d",
    ),
    "aligned with a column of reasons": (
        r"\begin{aligned} a &= b && \text{why} \end{aligned}",
        r'a & \= b & #h(2em)  & "why"',
    ),
    "accents": (r"\dot x \hat x \vec v \bar z", "dot(x) hat(x) arrow(v) macron(z)"),
    "a long bar": (r"\overline{x + y}", "overline(x + y)"),
    "a brace with a remark": (r"\underbrace{a + b}_{c}", "underbrace(a + b, c)"),
    "growing fences": (r"\left[\frac{a}{b}\right]", r"lr(\[ frac(a, b) \])"),
    "fences round an integral": (r"\left(\int f\right)", r"lr(\( ∫ f \))"),
    "fences round short content": (r"\left(x\right)", r"\( x \)"),
    "an evaluation bar": (r"\left. f \right|_{x=0}", r"attach(lr( f bar.v), b: x \= 0)"),
    "norms": (r"\lVert x \rVert", 'class("opening", bar.v.double) x class("closing", bar.v.double)'),
    "a named operator": (r"\operatorname{tr}(A)", r'op("tr") \( A \)'),
    "an upright letter": (r"\operatorname{d}", "upright(d)"),
    "capital Greek in italics": (r"\varGamma", "italic(Γ)"),
    "roots": (r"\sqrt{2\pi} \sqrt[3]{x}", "sqrt(2 π) root(3, x)"),
    "blackboard bold": (r"\mathbb{E}_p", "attach(𝔼, b: p)"),
    "a binomial": (r"\binom nk", r"lr(\( mat(delim: #none, row-gap: #.35em, n; k) \))"),
    "text beside mathematics": (r"x \text{ if } y", 'x " if " y'),
    "decimals": (r"3.14", '"3.14"'),
    "a prime": (r"f'(x)", r"attach(f, t: ′) \( x \)"),
    "a transposed inverse": (r"A^{-\top}", "attach(A, t: − ⊤)"),
    "characters that Typst would read": (r"a / b \# c ; \_", r"a \/ b \# c \; \_"),
}


@pytest.mark.parametrize(("latex", "expected"), CONSTRUCTS.values(), ids=CONSTRUCTS.keys())
def test_a_construct_becomes_this_typst(latex, expected):
    assert typst_math(read_latex(latex)) == expected


@pytest.mark.parametrize("latex", [latex for latex, _ in CONSTRUCTS.values()], ids=CONSTRUCTS.keys())
def test_no_character_is_lost_between_latex_mathml_and_typst(latex):
    formula = read_formula(latex, "here")
    own = Counter(_letters("".join(read_latex(latex).itertext())))
    shown = Counter(_letters(re.sub(r"<[^>]+>", "", formula.mathml)))
    document = _typst_as_html(formula.typst)
    set_by_typst = Counter(_letters(re.sub(r"<[^>]+>", "", document.split("<body>")[1])))
    assert own == shown
    assert own == set_by_typst
    for piece in (piece for pieces in formula.lines for piece in pieces):
        _typst_as_html(piece)
    if formula.lines:
        pieces = " ".join(piece for pieces in formula.lines for piece in pieces)
        assert own == Counter(_letters(re.sub(r"<[^>]+>", "", _typst_as_html(pieces).split("<body>")[1])))


def _typst_as_html(equation: str) -> str:
    compiler = typst.Compiler(f"$ {equation} $".encode(), ignore_system_fonts=True)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Typst's HTML export calls itself experimental
        document = compiler.compile(format="html")
    assert isinstance(document, bytes)
    return document.decode()


def _letters(text: str) -> list[str]:
    """Characters that a reader sees; accents count as marks, which each notation writes in its own way."""
    plain = unicodedata.normalize("NFKD", html.unescape(text))
    accents = "ˆ→⃗‾¯˙"
    return [
        c for c in plain if not c.isspace() and c not in accents and unicodedata.category(c) not in ("Mn", "Cf", "Sk")
    ]


@pytest.mark.parametrize(
    ("latex", "reason"),
    [
        (r"\frac{a}{", "character"),
        (r"\undefinedcommand x", "Unknown command"),
        (r"\left( x", "character"),
        (r"a^b^c", "character"),
        (r"\boxed{x}", "no counterpart in Typst"),
        ("x & y", "character"),
    ],
)
def test_latex_that_cannot_be_shown_is_an_error_that_names_derivation_and_display(latex, reason):
    with pytest.raises(FormulaError, match=r"derivation 'adjoint-ode', display 'costate'") as caught:
        read_formula(latex, "derivation 'adjoint-ode', display 'costate'")
    assert reason in str(caught.value)
    assert latex in str(caught.value)


def test_an_unknown_element_is_refused_and_not_dropped():
    with pytest.raises(FormulaError, match="<mmultiscripts>"):
        typst_math(ET.fromstring("<math><mmultiscripts><mi>x</mi></mmultiscripts></math>"))


@pytest.mark.parametrize(
    ("latex", "pieces"),
    [
        ("a = b + c", [["a", '"" \\= b', '"" + c']]),
        ("-a = -b", [["− a", '"" \\= − b']]),
        ("f(a + b) = c", [["f \\( a + b \\)", '"" \\= c']]),
        (r"a = b, \qquad c = d", [["a", '"" \\= b \\,'], ["c", '"" \\= d']]),
        (r"\int_a^b = 1", [["attach(scripts(∫), b: a, t: b)", '"" \\= 1']]),
        (r"\begin{aligned} a &= b \end{aligned}", []),
    ],
)
def test_a_line_is_cut_between_equations_and_before_relations_outside_of_brackets(latex, pieces):
    assert [list(equation) for equation in read_formula(latex, "here").lines] == pieces


def test_a_line_within_text_is_not_cut():
    assert read_formula("a = b", "here", display=False).lines == ()


def test_pieces_of_a_line_are_elements_between_which_a_browser_may_break():
    mathml = read_formula(r"a = b, \qquad c", "here").mathml
    assert mathml.count("<math") == 3
    assert mathml.count('<span class="equation">') == 2
    assert "<wbr>" in mathml
    assert '<mo form="infix">=</mo>' in mathml


def test_a_sentence_in_a_formula_may_be_broken_between_its_words():
    mathml = read_formula(r"\text{with a single particle this is an estimate of } x = y", "here").mathml
    assert mathml.count("<wbr>") == 9
    shown = "".join(ET.fromstring(f"<p>{mathml}</p>".replace("<wbr>", "")).itertext())
    assert " ".join(shown.split()) == "with a single particle this is an estimate of x=y"
    assert "<wbr>" not in read_formula(r"x\ \text{for all } t", "here").mathml


def test_fences_round_short_content_do_not_stretch_and_round_tall_content_do():
    def stretches(latex: str) -> list[bool]:
        return [mo.get("stretchy") != "false" for mo in read_latex(latex).iter("mo") if mo.text in ("(", ")")]

    assert stretches(r"\left(x + y\right)") == [False, False]
    assert stretches(r"\left(\frac{x}{y}\right)") == [True, True]
    assert stretches(r"\left(\int x\right)") == [True, True]


def test_primes_are_as_large_as_in_text():
    assert "<msup>" not in read_formula("f'", "here", display=False).mathml
    assert "voffset" in read_formula("f_u'", "here", display=False).mathml


@given(st.text(max_size=20))
def test_any_text_survives_as_a_typst_string(text):
    text = "".join(c for c in text if unicodedata.category(c) not in ("Cc", "Cs", "Cn", "Co") or c in "\n")
    compiler = typst.Compiler(f"#metadata({quoted(text)}) <it>".encode(), ignore_system_fonts=True)
    found = compiler.query("<it>", field="value", one=True)
    assert json.loads(found) == text
