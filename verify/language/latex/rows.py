"""Which lines has a display, and what is its shell?  Environments, alignment and the point at the end are left out."""

from __future__ import annotations

import re

from verify.language.errors import ReadError
from verify.language.latex.piece import Piece
from verify.language.latex.words import LINES

_SHELLS = (("$$", "$$"), ("\\[", "\\]"), ("\\(", "\\)"), ("$", "$"))
#: Words in front of a formula that link it with the text and say nothing about it.
_LINKS = frozenset((
    "", "and", "so", "hence", "thus", "then", "therefore", "also", "so that", "we have", "we get", "i.e.", "that is",
    "finally", "similarly", "now", "note that", "recall that",
))  # fmt: skip
#: Words behind a formula that say where it comes from; conditions begin with other words.
_REASON = re.compile(
    r"\W*(?:by )?(?:the )?(?:(?:chain|product|quotient|sum|power|leibniz) rule|definition|the above|linearity)\W*", re.I
)
_GOES_ON = ("+", "-", "cdot", "times", "/")


def shelled(text: str) -> str:
    """The formula without the signs of a display around it; spaces keep every place where it was."""
    body = text.strip().rstrip(".,; \n")
    start = text.index(body) if body else 0
    for opening, closing in _SHELLS:
        if body.startswith(opening) and body.endswith(closing) and len(body) >= len(opening) + len(closing):
            inner = body[len(opening) : -len(closing)]
            return " " * (start + len(opening)) + inner
    return text


def rows_of(text: str, found: list[Piece]) -> list[list[Piece]]:
    """The lines of a display without their environments, their alignment and the point at the end."""
    rows: list[list[Piece]] = [[]]
    aligned: list[set[int]] = [set()]
    inner = depth = 0
    environments: list[Piece] = []
    for piece in found:
        depth += (piece.kind == "sign") * ((piece.text == "{") - (piece.text == "}"))
        if depth < 0:
            raise ReadError("no brace is open here", text, piece.start)
        if piece.kind == "begin":
            environments.append(piece)
        elif piece.kind == "end_of" and (not environments or environments.pop().text != piece.text):
            raise ReadError(f"\\end{{{piece.text}}} without its beginning", text, piece.start)
        if piece.kind in ("begin", "end_of"):
            if piece.text in LINES:
                continue
            inner += 1 if piece.kind == "begin" else -1
        if not inner and piece.kind == "row":
            rows.append([])
            aligned.append(set())
        elif not inner and piece.text == "&" and piece.kind == "sign":
            aligned[-1].add(len(rows[-1]))
        elif piece.kind != "end":
            rows[-1].append(piece)
    if environments:
        raise ReadError(f"\\begin{{{environments[-1].text}}} without its end", text, environments[-1].start)
    if depth:
        raise ReadError("a brace is not closed", text, len(text))
    return _joined(text, rows, aligned)


def _joined(text: str, rows: list[list[Piece]], aligned: list[set[int]]) -> list[list[Piece]]:
    """The lines that state something; one that begins with a sign goes on with the line before."""
    joined: list[list[Piece]] = []
    for row, marks in zip(rows, aligned, strict=True):
        while row and row[-1].kind == "sign" and row[-1].text in ".,;":
            row = row[:-1]
        if not row:
            continue
        while row and _is_reason(row[-1]):
            row = row[:-1]
        while row and row[0].kind == "text" and row[0].text.strip(" ,.:").lower() in _LINKS:
            row, marks = row[1:], {0}
        while row and row[-1].kind == "text" and not row[-1].text:
            row = row[:-1]
        if not row:
            continue
        first = row[0]
        states = any(piece.text == "=" for piece in row)
        goes_on = first.text in _GOES_ON and joined
        if goes_on and states and (0 in marks or first.text != "-"):
            raise ReadError("a line that goes on and states an equality of its own", text, first.start, "split it")
        if (goes_on and not states) or (joined and joined[-1][-1].text in (*_GOES_ON, "=")):
            joined[-1] += row
        else:
            joined.append(list(row))
    if not joined:
        raise ReadError("an empty claim", text, 0, "write lhs = rhs")
    return joined


def _is_reason(piece: Piece) -> bool:
    """Whether words at the end of a line say where the formula comes from."""
    return piece.kind == "text" and (not piece.text.strip() or _REASON.fullmatch(piece.text.strip()) is not None)
