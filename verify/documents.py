"""Which claims stand in a document?  The displays of LaTeX and Markdown files, each with its line."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from verify.claim import Claim
from verify.graph import postorder
from verify.language import ReadError, read_let
from verify.language.claims import Let
from verify.language.latex import Defined, Definition, Macro, NotJudged, equalities, macros_of
from verify.language.latex.prose import declared_in

SUFFIXES = (".tex", ".md")
#: Characters of a document that are read.
LONGEST_DOCUMENT = 5_000_000

_ENVIRONMENTS = r"(?:equation|align|alignat|gather|multline|eqnarray|displaymath|flalign)\*?"
_OPENING = re.compile(
    r"\\begin\{(?P<verbatim>verbatim\*?|lstlisting|minted|comment)\}"
    rf"|\\begin\{{(?P<environment>{_ENVIRONMENTS})\}}"
    r"|(?P<escaped>\\[\\$%])"
    r"|(?P<display>\\\[|\$\$)"
    r"|%[ \t]*verify:(?P<directive>[^\n]*)"
    r"|(?P<comment>%[^\n]*)"
    r"|<!--[ \t]*verify:(?P<declared>[^\n]*?)-->"
    r"|(?P<hidden><!--)"
    r"|^(?P<fence>[ \t]*(?:```+|~~~+))[ \t]*(?P<kind>[A-Za-z]*)[^\n]*\n"
    r"|(?P<code>`+)",
    re.MULTILINE,
)


class DocumentError(ValueError):
    """A document that cannot be used at all; the message says why."""


@dataclass(frozen=True)
class Statement:
    """An equality of a document, with its line counted from 1 and its source.

    claim     None where nothing is judged; `reason` says why.
    kind      of what is not judged: unreadable, definition, or no claim (an inequality, an approximation).
    """

    line: int
    latex: str
    claim: Claim | None = None
    reason: str = ""
    kind: str = ""


@dataclass(frozen=True)
class Display:
    """The LaTeX between the signs of a display, and where it starts in the document.

    declaration   whether it is a comment `verify: x: positive` instead, which declares names for what follows.
    """

    start: int
    latex: str
    declaration: bool = False


def read_document(path: Path) -> str:
    """The text of a document.

    Raises DocumentError for a file that is too large or no text, and OSError.
    """
    raw = path.read_bytes()
    if len(raw) > LONGEST_DOCUMENT:
        raise DocumentError(f"{path}: has {len(raw):,} bytes, at most {LONGEST_DOCUMENT:,} are read")
    try:
        return raw.decode("utf-8-sig").replace("\r\n", "\n")
    except UnicodeDecodeError as error:
        raise DocumentError(f"{path}: not UTF-8 at byte {error.start + 1}") from None


def statements(text: str, let: Let | None = None, *, markdown: bool) -> Iterator[Statement]:
    """The equalities of the displays of a text, in their order.

    let    declarations for all displays in which their names occur; a comment `verify: x: positive` declares for
           what follows it, and what := defines holds in the displays that follow.  What the prose before says of
           a name, $A \\in \\mathbb{R}^{m \\times n}$, counts where nothing else declares it.
    """
    macros = macros_of(text)
    declared = dict(let or {})
    definitions: dict[str, Definition] = {}
    prose = deque(declared_in(text))
    said: dict[str, str] = {}
    line, counted = 1, 0
    for display in displays(text, markdown=markdown):
        line, counted = line + text.count("\n", counted, display.start), display.start
        while prose and prose[0][0] < display.start:
            _, name, kind = prose.popleft()
            said[name] = kind
        if display.declaration:
            try:
                declared |= read_let(display.latex.strip())
            except ReadError as error:
                yield Statement(line, display.latex.strip(), None, str(error), "unreadable")
        elif "=" in display.latex:
            yield from _of_display(display, line, said, declared, macros, definitions)


def _of_display(
    display: Display,
    line: int,
    said: Mapping[str, str],
    let: Let,
    macros: Mapping[str, Macro],
    definitions: dict[str, Definition],
) -> Iterator[Statement]:
    latex = display.latex
    sizes = {size for kind in said.values() for size in re.findall(r"[A-Za-z]+", kind.partition("(")[2])}
    told = {name: kind for name, kind in said.items() if name not in sizes}
    try:
        found = equalities(latex, {**told, **let}, macros, only_named=True, definitions=definitions)
    except ReadError as error:
        yield _unreadable(error, line, latex.strip())
        return
    for start, end, claim in found:
        source, at = latex[start:end].strip(), line + latex.count("\n", 0, start)
        if isinstance(claim, NotJudged):
            mend = f"; {claim.mend}" if claim.mend else ""
            kind = "definition" if isinstance(claim, Defined) else "no claim"
            yield Statement(at, source, None, f"{claim.what}{mend}", kind)
        elif isinstance(claim, ReadError):
            yield _unreadable(claim, line, source)
        elif (name := _defined(claim, let)) is not None:
            reason = (
                f"read as the definition of {name}, which stands on one side only; declare {name} to have it judged"
            )
            yield Statement(at, source, None, reason, "definition")
        else:
            yield Statement(at, source, claim)


def _unreadable(error: ReadError, first: int, source: str) -> Statement:
    """What is wrong, with the line of the document and the column in that line."""
    before = error.text[: error.column - 1]
    start = before.rfind("\n") + 1
    line = error.text[start:].partition("\n")[0]
    says = ReadError(error.what, line, len(before) - start, error.mend)
    return Statement(first + before.count("\n"), source, None, str(says), "unreadable")


def _defined(claim: Claim, let: Let) -> str | None:
    """The undeclared name that stands alone on one side, and nowhere on the other."""
    for side, other in ((claim.lhs, claim.rhs), (claim.rhs, claim.lhs)):
        if side.op == "symbol" and side.value not in let and side not in postorder(other):
            return str(side.value)
    return None


def displays(text: str, *, markdown: bool) -> Iterator[Display]:
    """The displays of a text: between $$, in \\\\[ \\\\], environments of equations, and fences of kind `math`."""
    at = 0
    absent: set[str] = set()
    while (opening := _OPENING.search(text, at)) is not None:
        at = opening.end()
        declared = opening["declared"] if markdown else opening["directive"]
        if declared is not None:
            yield Display(opening.start(), declared, declaration=True)
            continue
        if opening["escaped"] or ((opening["comment"] or opening["directive"] is not None) and not markdown):
            continue
        if _is_plain(opening, markdown):
            at = opening.start() + 1  # signs like any other there
            continue
        start, closing = _inside(opening)
        end = -1 if closing in absent else text.find(closing, at)
        if end < 0:
            absent.add(closing)
            continue
        if _is_read(opening):
            yield Display(start, text[start : _ending(opening, end, closing)])
        at = end + len(closing)


def _is_plain(opening: re.Match[str], markdown: bool) -> bool:
    """Whether what was found means nothing in this kind of document."""
    if markdown:
        return opening["comment"] is not None or opening["directive"] is not None
    return any(opening[each] is not None for each in ("fence", "hidden", "code", "declared"))


def _is_read(opening: re.Match[str]) -> bool:
    """Whether a display opens, and not something in which displays are left alone."""
    if opening["verbatim"] or opening["hidden"] or opening["code"]:
        return False
    return not opening["fence"] or opening["kind"].lower() == "math"


def _inside(opening: re.Match[str]) -> tuple[int, str]:
    """Where what is displayed starts, and what ends it."""
    if name := opening["verbatim"]:
        return opening.end(), f"\\end{{{name}}}"
    if name := opening["environment"]:
        return opening.start(), f"\\end{{{name}}}"
    if opening["fence"]:
        return opening.end(), "\n" + opening["fence"]
    if opening["hidden"]:
        return opening.end(), "-->"
    if opening["code"]:
        return opening.end(), opening["code"]
    return opening.end(), "$$" if opening["display"] == "$$" else "\\]"


def _ending(opening: re.Match[str], end: int, closing: str) -> int:
    """An environment is read with its end, a pair of signs without."""
    return end + len(closing) if opening["environment"] else end
