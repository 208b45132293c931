"""Which claims stand in a document?  The displays of LaTeX and Markdown files, each with its line."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from verify.claim import Claim
from verify.graph import postorder
from verify.language import ReadError
from verify.language.claims import Let
from verify.language.latex import equalities

SUFFIXES = (".tex", ".md")
#: Characters of a document that are read.
LONGEST_DOCUMENT = 5_000_000

_ENVIRONMENTS = r"(?:equation|align|alignat|gather|multline|eqnarray|displaymath|flalign)\*?"
_OPENING = re.compile(
    r"\\begin\{(?P<verbatim>verbatim\*?|lstlisting|minted|comment)\}"
    rf"|\\begin\{{(?P<environment>{_ENVIRONMENTS})\}}"
    r"|(?P<escaped>\\[\\$%])"
    r"|(?P<display>\\\[|\$\$)"
    r"|(?P<comment>%[^\n]*)"
    r"|^(?P<fence>[ \t]*(?:```+|~~~+))[ \t]*(?P<kind>[A-Za-z]*)[^\n]*\n",
    re.MULTILINE,
)
_MACRO = re.compile(
    r"\\(?:(?P<operator>DeclareMathOperator)\*?|(?:re|provide)?newcommand\*?|renewcommand\*?|def)\s*"
    r"(?:\{\\(?P<braced>[A-Za-z]+)\}|\\(?P<name>[A-Za-z]+))\s*\{"
)
#: Characters of the body of a macro.
LONGEST_MACRO = 500


class DocumentError(ValueError):
    """A document that cannot be used at all; the message says why."""


@dataclass(frozen=True)
class Statement:
    """An equality of a document, with its line counted from 1 and its source.

    claim     None where nothing is judged; `reason` says why.
    definition  whether that is because it gives a name to something.
    """

    line: int
    latex: str
    claim: Claim | None = None
    reason: str = ""
    definition: bool = False


@dataclass(frozen=True)
class Display:
    """The LaTeX between the signs of a display, and where it starts in the document."""

    start: int
    latex: str


def read_document(path: Path, let: Let | None = None) -> list[Statement]:
    """The equalities of the displays of a .tex or .md file, in their order.

    let    declarations for all of them.

    Raises DocumentError for a file that is no text, and OSError.
    """
    raw = path.read_bytes()
    if len(raw) > LONGEST_DOCUMENT:
        raise DocumentError(f"{path}: has {len(raw):,} bytes, at most {LONGEST_DOCUMENT:,} are read")
    try:
        text = raw.decode("utf-8-sig").replace("\r\n", "\n")
    except UnicodeDecodeError as error:
        raise DocumentError(f"{path}: not UTF-8 at byte {error.start + 1}") from None
    return statements(text, let, markdown=path.suffix == ".md")


def statements(text: str, let: Let | None = None, *, markdown: bool) -> list[Statement]:
    """The equalities of the displays of a text."""
    macros = macros_of(text)
    found: list[Statement] = []
    line, counted = 1, 0
    for display in displays(text, markdown=markdown):
        line, counted = line + text.count("\n", counted, display.start), display.start
        if "=" in display.latex:
            found += _of_display(display, line, let, macros)
    return found


def _of_display(display: Display, line: int, let: Let | None, macros: dict[str, str]) -> Iterator[Statement]:
    latex = display.latex
    try:
        found = equalities(latex, let, macros)
    except ReadError as error:
        yield _unreadable(error, line, latex.strip())
        return
    for start, end, claim in found:
        source, at = latex[start:end].strip(), line + latex.count("\n", 0, start)
        if isinstance(claim, ReadError):
            yield _unreadable(claim, line, source)
        elif (name := _defined(claim, let)) is not None:
            reason = (
                f"read as the definition of {name}, which stands on one side only; declare {name} to have it judged"
            )
            yield Statement(at, source, None, reason, definition=True)
        else:
            yield Statement(at, source, claim)


def _unreadable(error: ReadError, first: int, source: str) -> Statement:
    """What is wrong, with the line of the document and the column in that line."""
    before = error.text[: error.column - 1]
    start = before.rfind("\n") + 1
    line = error.text[start:].partition("\n")[0]
    says = ReadError(error.what, line, len(before) - start, error.mend)
    return Statement(first + before.count("\n"), source, None, str(says))


def _defined(claim: Claim, let: Let | None) -> str | None:
    """The undeclared name that stands alone on one side, and nowhere on the other."""
    for side, other in ((claim.lhs, claim.rhs), (claim.rhs, claim.lhs)):
        if side.op == "symbol" and side.value not in (let or {}) and side not in postorder(other):
            return str(side.value)
    return None


def displays(text: str, *, markdown: bool) -> Iterator[Display]:
    """The displays of a text: between $$, in \\\\[ \\\\], environments of equations, and fences of kind `math`."""
    at = 0
    absent: set[str] = set()
    while (opening := _OPENING.search(text, at)) is not None:
        at = opening.end()
        if opening["escaped"] or (opening["comment"] and not markdown):
            continue
        if opening["comment"] or (opening["fence"] and not markdown):
            at = opening.start() + 1  # a sign like any other there
            continue
        start, closing = _inside(opening)
        end = -1 if closing in absent else text.find(closing, at)
        if end < 0:
            absent.add(closing)
            continue
        if not opening["verbatim"] and not (opening["fence"] and opening["kind"].lower() != "math"):
            yield Display(start, text[start : _ending(opening, end, closing)])
        at = end + len(closing)


def _inside(opening: re.Match[str]) -> tuple[int, str]:
    """Where what is displayed starts, and what ends it."""
    if name := opening["verbatim"]:
        return opening.end(), f"\\end{{{name}}}"
    if name := opening["environment"]:
        return opening.start(), f"\\end{{{name}}}"
    if opening["fence"]:
        return opening.end(), "\n" + opening["fence"]
    return opening.end(), "$$" if opening["display"] == "$$" else "\\]"


def _ending(opening: re.Match[str], end: int, closing: str) -> int:
    """An environment is read with its end, a pair of signs without."""
    return end + len(closing) if opening["environment"] else end


def macros_of(text: str) -> dict[str, str]:
    r"""What commands without arguments stand for: those of \newcommand, \def and \DeclareMathOperator."""
    macros: dict[str, str] = {}
    for match in _MACRO.finditer(text):
        depth, end = 1, match.end()
        while depth and end < min(len(text), match.end() + LONGEST_MACRO):
            depth += (text[end] == "{") - (text[end] == "}")
            end += 1
        if depth == 0:
            body = text[match.end() : end - 1]
            operator = f"\\operatorname{{{body}}}" if match["operator"] else body
            macros[match["braced"] or match["name"]] = operator
    return macros
