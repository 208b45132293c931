"""Displays of documents: where they are, what they claim, and what is left alone."""

import json

import pytest

from verify.cli import main
from verify.documents import displays, statements
from verify.language.latex import macros_of

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
