"""Displays of documents: where they are, what they claim, and what is left alone."""

import io
import json

import pytest

from verify.cli import main
from verify.decide import decide
from verify.documents import displays, statements
from verify.language.latex import macros_of
from verify.language.latex.prose import declared_in
from verify.verdict import Verdict

NOTES = r"""# Notes
A formula $x = y$ in a line is left alone, 100% of it.

$$
\frac{d}{dx} \sin x = \cos x
$$

```math
\frac{d}{dx} x^2 = 3x
```

```python
x = "$$ a = b $$"
```

\begin{align}
 \frac{d}{dx} \tan x &= \sec^2 x \\
   &= 1 + \tan^2 x \\
 \foo &= 1 \\
 L &= x^2
\end{align}
and $$ a + b $$
"""

PAPER = r"""\documentclass{article}
\newcommand{\R}{\alpha} \def\s{\sigma} \DeclareMathOperator{\Tr}{tr} \newcommand{\two}[1]{#1}
\begin{document}
% $$ x = y $$
\[ \R x = x \R \]
\begin{verbatim} $$ x = y $$ \end{verbatim}
5\% and \$$$ \s + \s = 2\s. $$
\begin{equation*}
  \frac{d}{dx} x^2
    = 2x \label{eq:square}
\end{equation*}
$$ \two{x} = x $$
\end{document}
"""


def test_each_display_with_an_equality_stands_with_its_line():
    found = list(statements(NOTES, markdown=True))
    assert [(s.line, s.claim and s.claim.text.partition(" with ")[0]) for s in found] == [
        (5, "d/dx (sin(x)) = cos(x)"),
        (9, "d/dx (x^2) = 3*x"),
        (17, "d/dx (tan(x)) = sec(x)^2"),
        (18, "sec(x)^2 = 1 + tan(x)^2"),
        (19, None),
        (20, None),
    ]
    assert r"column 2: the macro \foo" in found[4].reason
    assert found[5].kind == "definition"


def test_a_paper_has_macros_comments_and_verbatim_text():
    found = list(statements(PAPER, markdown=False))
    assert [(s.line, s.claim and s.claim.text.partition(" with ")[0]) for s in found] == [
        (5, "alpha*x = x*alpha"),
        (7, "sigma + sigma = 2*sigma"),
        (9, "d/dx (x^2) = 2*x"),
        (12, "x = x"),
    ]
    assert {name: macro.body for name, macro in macros_of(PAPER).items()} == {
        "R": r"\alpha", "s": r"\sigma", "Tr": r"\operatorname{tr}", "two": "#1"
    }  # fmt: skip


def test_a_name_alone_on_one_side_is_a_definition_until_it_is_declared():
    text = "$$ y = x^2 $$ $$ x = x^2 $$"
    assert [s.kind for s in statements(text, markdown=True)] == ["definition", ""]
    assert not any(s.kind for s in statements(text, {"y": "real"}, markdown=True))


@pytest.mark.parametrize(
    "text", ["$$" * 9999, "\\[" * 9999, "\\begin{align}" * 9999, "```math\n" * 9999, "%$$\n" * 9999, "\\def\\a{" * 9999]
)
def test_hostile_documents_end(text):
    assert all("=" not in display.latex for markdown in (True, False) for display in displays(text, markdown=markdown))
    assert macros_of(text) == {}


@pytest.fixture
def notes(tmp_path):
    def write(text, name="notes.md"):
        path = tmp_path / name
        path.write_text(text)
        return str(path)

    return write


RIGHT, WRONG, UNREADABLE = r"$$ \sin 2x = 2\sin x\cos x $$", r"$$ \sin 2x = \sin x $$", r"$$ \foo x = x $$"


@pytest.mark.parametrize(
    ("text", "options", "status"),
    [
        (RIGHT, (), 0),
        (f"{RIGHT}\n{WRONG}", (), 1),
        (f"{RIGHT}\n{UNREADABLE}", (), 0),
        (f"{RIGHT}\n{UNREADABLE}", ("--strict",), 3),
        (f"{UNREADABLE}\n{WRONG}", ("--strict",), 1),
        ("nothing", (), 0),
        ("$$ y = x $$", ("--strict",), 0),
    ],
)
def test_the_exit_status_of_a_document(notes, capsys, text, options, status):
    assert main(["check", notes(text), *options]) == status
    assert "notes.md" in capsys.readouterr().out


def test_results_of_a_document_are_lines_of_json_with_their_line(notes, capsys):
    main(["check", "--json", notes(f"{RIGHT}\n\n{WRONG}\n{UNREADABLE}", "paper.tex")])
    found = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [(each["line"], each["verdict"]) for each in found] == [(1, "PROVED"), (3, "REFUTED"), (4, "INVALID")]
    assert "foo" in found[2]["error"]


def test_a_file_that_is_no_text_is_one_message(tmp_path, capsys):
    path = tmp_path / "x.tex"
    path.write_bytes(b"\xff\xfe$$ x = y $$")
    assert main(["check", str(path)]) == 2
    assert "not UTF-8" in capsys.readouterr().err


def test_declarations_reach_the_displays_that_speak_of_their_names():
    let = {"A": "matrix(n,n)", "x": "vector(n)", "where": ["z > 1"]}
    text = r"$$ \nabla_x x^\top A x = (A+A^\top)x $$ $$ \ln(ab) = \ln a + \ln b $$ $$ \sqrt{z^2} = z $$"
    found = [statement.claim for statement in statements(text, let, markdown=True)]
    assert [sorted(claim.domain.variables) for claim in found] == [["A", "n", "x"], ["a", "b"], ["z"]]
    assert [len(claim.domain.conditions) for claim in found] == [0, 0, 1]


@pytest.mark.parametrize(
    ("text", "markdown"),
    [("<!-- verify: \\theta: positive -->\n$$ \\sqrt{\\theta^2} = \\theta $$", True),
     ("% verify: \\theta: positive\n\\[ \\sqrt{\\theta^2} = \\theta \\]", False)],
)  # fmt: skip
def test_a_comment_declares_names_for_what_follows(text, markdown):
    (statement,) = statements(text, markdown=markdown)
    assert statement.claim.domain.variables["theta"].low is not None
    (other, _) = statements("$$ \\theta^2 = \\theta\\theta $$" + text, markdown=markdown)
    assert other.claim.domain.variables["theta"].low is None


def test_a_comment_that_declares_nothing_is_told_with_its_line():
    (statement,) = statements("\n% verify: x: posistive\n", markdown=False)
    assert (statement.line, statement.kind) == (2, "unreadable")
    assert "did you mean positive" in statement.reason


def test_what_is_no_claim_is_told_apart_from_what_cannot_be_read():
    text = r"$$ a_0 := x^2 $$ $$ x^2 + 1 \ge 1 = 1 $$ $$ \foo = 1 $$ $$ \pi \approx 3 $$ $$ |a| \le b \label{=} $$"
    assert [(s.kind, s.claim is None) for s in statements(text, markdown=True)] == [
        ("definition", True), ("", False), ("unreadable", True), ("no claim", True),
    ]  # fmt: skip


def test_code_and_comments_of_markdown_are_left_alone():
    text = "Write `$$ x = 2x $$` or ``$$ x = `3` $$``. <!-- $$ x = y $$ -->\n```latex\n$$ x = 4x $$\n```\n$$ x = x $$"
    assert [s.claim.text for s in statements(text, markdown=True)] == ["x = x with x: real"]


def test_macros_of_a_document_take_arguments():
    text = r"\newcommand{\pd}[2]{\frac{\partial #1}{\partial #2}} \def\twice#1{2#1} $$ \pd{}{x} x^2 = \twice{x} $$"
    (statement,) = statements(text, markdown=False)
    assert statement.claim.text == "d/dx (x^2) = 2*x with x: real"
    assert statement.latex == r"\pd{}{x} x^2 = \twice{x}"


def test_files_that_a_document_names_are_not_read(tmp_path, notes, capsys):
    (tmp_path / "other.tex").write_text(WRONG)
    assert main(["check", notes("\\input{other}\n\\include{/etc/passwd}\n" + RIGHT, "paper.tex")]) == 0
    assert "REFUTED" not in capsys.readouterr().out


def test_a_declared_name_that_no_display_has_is_told(notes, capsys):
    assert main(["check", notes(RIGHT), "--let", "y: positive"]) == 0
    assert "declared name y" in capsys.readouterr().err


def test_several_processes_keep_the_order_of_the_document(notes, capsys):
    text = "\n".join(rf"$$ x^{{{k}}} x = x^{{{k + 1}}} $$" for k in range(2, 9)) + "\n" + UNREADABLE
    assert main(["check", "--json", "--jobs", "2", notes(text)]) == 0
    found = [json.loads(line)["line"] for line in capsys.readouterr().out.splitlines()]
    assert found == sorted(found)
    assert len(found) == 8


@pytest.mark.parametrize(
    ("given", "status", "says"),
    [("d/dx sin(x) = cos(x)\n\n\\frac{d}{dx}x^2 = 3x\n", 1, "REFUTED"), ('{"id": 7, "claim": "1 = 1"}\n', 0, "PROVED"),
     ("", 2, "empty"), ("x = = x\n", 2, "column")],
)  # fmt: skip
def test_claims_come_from_the_standard_input(monkeypatch, capsys, given, status, says):
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(given.encode())))
    assert main(["check", "-"]) == status
    out = capsys.readouterr()
    assert says in out.out + out.err


def test_what_a_sign_of_definition_names_is_used_in_the_displays_that_follow():
    text = r"$$ s(x) := \frac{1}{1+e^{-x}} $$ $$ s'(x) = s(x)(1-s(x)) $$ $$ g(x) = x^2 $$ $$ g'(x) = 2x $$"
    found = list(statements(text, markdown=True))
    assert [s.kind for s in found] == ["definition", "", "definition", "unreadable"]
    assert found[1].claim.text == "d/dx (1/(1 + E^(-x))) = 1/(1 + E^(-x))*(1 - 1/(1 + E^(-x))) with x: real"
    assert any("its definition" in note for note in found[1].claim.notes)
    assert "declare g" in found[3].reason


def test_control_characters_of_a_document_do_not_reach_the_terminal(notes, capsys):
    assert main(["check", notes("$$ x\x00\x1b[31m = 1 $$")]) == 0
    out = capsys.readouterr().out
    assert "unexpected character" in out
    assert not {"\x00", "\x1b"} & set(out)


HOSTILE = [
    r"\def\a{\b}\def\b{\a} $$ \a = 1 $$", r"\newcommand{\c}[1]{\c{#1}\c{#1}} $$ \c{x} = 1 $$",
    "$$ " + "(" * 9000 + "x" + ")" * 9000 + " = x $$", "$$ " + "x+" * 20_000 + "x = x $$",
    r"$$ \input{/etc/passwd} = 1 $$", r"$$ {x = 1 $$", r"$$ \left( x = 1 $$",
    r"\begin{align} x &= 1 \end{equation} \end{align}",
]  # fmt: skip


@pytest.mark.parametrize("text", HOSTILE, ids=[text[:20] for text in HOSTILE])
def test_what_is_meant_to_do_harm_is_listed_with_the_reason(text):
    found = list(statements(text, markdown=False))
    assert [statement.kind for statement in found] == ["unreadable"]
    assert found[0].reason.startswith("column")


PROSE = r"""
Let $W \in \mathbb{R}^{m\times n}$, $x\in\mathbb R^n$, $\mathbf{b}, y \in \mathbb{R}^m$ and $n \in \mathbb{Z}$.
$$ y = W x + b $$
$$ \nabla_W \left\| W x - y \right\|^2 = 2 (W x - y) x^\top $$
$$ \nabla_x \left\| W x - y \right\|^2 = 2 W^\top W x - W^\top y $$
"""


def test_what_the_prose_says_of_a_name_declares_it_and_a_definition_stays_one():
    first, second, third = statements(PROSE, markdown=True)
    assert first.kind == "definition"
    assert second.claim is not None
    assert decide(second.claim).verdict is Verdict.PROVED
    assert third.claim is not None
    assert decide(third.claim).verdict is Verdict.REFUTED


def test_a_declaration_beats_the_prose_and_comments_are_no_prose():
    text = "% $x \\in \\mathbb{R}^n$\n\\[ \\frac{d}{dx} x^2 = 2x \\]\n"
    text += "Now $x \\in \\mathbb{R}^n$.\n\\[ \\nabla_x \\|x\\|^2 = 2x \\]\n"
    first, second = statements(text, markdown=False)
    assert first.claim is not None
    assert not first.claim.is_shaped
    assert second.claim is not None
    assert second.claim.is_shaped
    (_, scalar) = statements(text.replace("\\|", "|"), {"x": "real"}, markdown=False)
    assert scalar.claim is not None
    assert not scalar.claim.is_shaped


@pytest.mark.parametrize(
    ("prose", "expected"),
    [
        (r"$A\in\mathbb{R}^{n\times n}$", [("A", "matrix(n,n)")]),
        (r"$\theta \in \mathbb R^d$", [("theta", "vector(d)")]),
        (r"$\mathbf{x}, \boldsymbol{\mu} \in \mathbb{R}^{3}$", [("x", "vector(3)"), ("mu", "vector(3)")]),
        (r"$\sigma \in \mathbb{R}_{>0}$, $z \in \mathbb{C}$", [("sigma", "positive"), ("z", "complex")]),
        (r"$s \in \mathbb{R}_+$", [("s", "nonnegative")]),
        (r"$f(x) \in \mathbb{R}^n$, $x_i \in \mathbb{R}^n$, $W \in \mathbb{R}^{d_1 \times d_2}$", []),
        (r"$x \in \mathcal{X}$, $T \in \mathbb{R}^{a\times b\times c}$, $z \in \mathbb{C}^n$", []),
    ],
)
def test_sets_that_are_understood_in_prose(prose, expected):
    assert [found[1:] for found in declared_in(prose)] == expected
