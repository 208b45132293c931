"""Which commands, letters, numbers and signs is a piece of LaTeX made of?  Spaces and labels are left out."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import NamedTuple

from verify.language.errors import ReadError
from verify.language.latex.words import ACCENTS, FUNCTIONS, LINES, SILENT, SPACES, STYLES, WORDS
from verify.language.tokens import CONSTANT_SIGNS, GREEK, LONGEST_TEXT, MOST_DIGITS, MOST_TOKENS

#: How often macros may be replaced in one formula.
MOST_EXPANSIONS = 500

_PIECE = re.compile(
    r"(?P<space>(?:[\s~\u00a0\u2009]|(?<!\\)%[^\n]*)+)"
    r"|\\(?P<command>[A-Za-z]+|[^A-Za-z])"
    r"|(?P<number>[0-9]+(?:\.[0-9]+)?|\.[0-9]+)"
    r"|(?P<letter>[A-Za-z])"
    r"|(?P<sign>[-+*/^_{}()\[\]|<>=,;:.!'&])"
)
_SIGNS = {"−": "-", "·": "cdot", "×": "times", "⋅": "cdot", "≤": "le", "≥": "ge", "≠": "ne", "∂": "partial",
          "∇": "nabla", "√": "sqrt", "⊤": "top"}  # fmt: skip


class Piece(NamedTuple):
    """A piece of LaTeX: text[start:end] of the source, or what a macro there stands for.

    kind    command, letter, number, sign, word (upright), text (words between formulas), row, begin, end_of, end.
    text    a command without its backslash, the letters of a word, the name of an environment.
    style   the accent or typeface of a letter; empty for a plain one.
    """

    kind: str
    text: str
    start: int
    end: int
    style: str = ""


def pieces(text: str, macros: Mapping[str, str] | None = None) -> list[Piece]:
    """The pieces of a formula, the last one of kind `end`.

    macros   what commands without arguments stand for, by name.

    Raises ReadError.
    """
    if len(text) > LONGEST_TEXT:
        raise ReadError(f"the text has {len(text):,} characters, at most {LONGEST_TEXT:,} are read", text, 0)
    raw = _expanded(text, _raw(text), macros or {})
    found = _grouped(text, raw)
    found.append(Piece("end", "", len(text), len(text)))
    return found


def _raw(text: str) -> list[Piece]:
    found: list[Piece] = []
    at = 0
    while at < len(text):
        match = _PIECE.match(text, at)
        if match is None:
            found.append(_one_character(text, at))
            at += 1
            continue
        kind = match.lastgroup or ""
        piece, at = match[kind], match.end()
        if kind == "number" and len(piece) > MOST_DIGITS:
            raise ReadError(f"a number of {len(piece):,} digits; at most {MOST_DIGITS:,} are read", text, match.start())
        if kind == "space" or (kind == "command" and piece in SPACES):
            # Spaces separate the letters of a word only; they are kept as a piece until words are made.
            found.append(Piece("space", " ", match.start(), at))
        elif kind == "command" and piece == "\\":
            found.append(Piece("row", piece, match.start(), at))
            if gap := re.compile(r"\*?\s*(\[[0-9.]+\s*(?:pt|em|ex|mm|cm)\])?").match(text, at):
                at = gap.end() if gap[1] else at
        else:
            found.append(Piece(kind, piece, match.start(), at))
        if len(found) > 2 * MOST_TOKENS:
            raise ReadError(f"more than {2 * MOST_TOKENS:,} words and signs", text, at - 1)
    return found


def _one_character(text: str, at: int) -> Piece:
    character = text[at]
    if character in GREEK:
        return Piece("command", GREEK[character], at, at + 1)
    if character in _SIGNS:
        meant = _SIGNS[character]
        return Piece("sign" if meant == "-" else "command", meant, at, at + 1)
    if character in CONSTANT_SIGNS and character in "π∞":
        return Piece("command", "pi" if character == "π" else "infty", at, at + 1)
    if character == "\\":
        raise ReadError("a backslash with nothing behind it", text, at)
    raise ReadError(f"unexpected character {character!a}", text, at)


def _expanded(text: str, raw: list[Piece], macros: Mapping[str, str]) -> list[Piece]:
    """The pieces with macros replaced, each piece of a replacement at the place where the macro stands."""
    count = 0
    found: list[Piece] = []
    waiting = raw[::-1]
    while waiting:
        piece = waiting.pop()
        if piece.kind != "command" or piece.text not in macros:
            found.append(piece)
            continue
        count += 1
        if count > MOST_EXPANSIONS or len(waiting) + len(found) > 2 * MOST_TOKENS:
            raise ReadError(f"the macro \\{piece.text} goes on and on", text, piece.start, "write what it stands for")
        try:
            body = _raw(macros[piece.text])
        except ReadError as error:
            raise ReadError(f"the macro \\{piece.text}: {error.what}", text, piece.start) from None
        waiting.extend(Piece(each.kind, each.text, piece.start, piece.end) for each in reversed(body))
    return found


def _grouped(text: str, raw: list[Piece]) -> list[Piece]:
    """Words, styles and environments as one piece each; spaces and labels are gone."""
    found: list[Piece] = []
    at = 0
    while at < len(raw):
        piece = raw[at]
        at += 1
        if piece.kind == "space":
            continue
        if piece.kind != "command":
            found.append(piece)
        elif piece.text in ("text", "mbox", "intertext", "textbf") or piece.text in SILENT:
            inside, at = _argument(text, raw, at, piece)
            spelled = _spelled(inside)
            if piece.text in ("text", "mbox") and spelled in FUNCTIONS:
                found.append(Piece("word", spelled, piece.start, raw[at - 1].end, "operatorname"))
            elif piece.text not in SILENT:
                found.append(Piece("text", spelled, piece.start, raw[at - 1].end))
        elif piece.text in ("quad", "qquad"):
            found.append(Piece("text", "", piece.start, piece.end))
        elif piece.text in ("begin", "end"):
            inside, at = _argument(text, raw, at, piece)
            name = "".join(each.text for each in inside).strip().rstrip("*")
            if name not in LINES and name != "cases":
                raise ReadError(f"the environment {name[:40]!r} is not supported", text, piece.start)
            found.append(Piece("begin" if piece.text == "begin" else "end_of", name, piece.start, raw[at - 1].end))
        elif piece.text in ("left", "right", "bigl", "bigr", "Bigl", "Bigr", "biggl", "biggr", "Biggl", "Biggr"):
            at = _side(text, raw, at, piece, found)
        elif piece.text in WORDS:
            if at < len(raw) and raw[at].text == "*":
                at += 1
            inside, at = _argument(text, raw, at, piece)
            found.extend(_word(text, inside, piece, raw[at - 1].end))
        elif piece.text in STYLES or piece.text in ACCENTS:
            inside, at = _argument(text, raw, at, piece)
            found.extend(_styled(text, inside, piece, raw[at - 1].end))
        else:
            found.append(piece)
    return found


def _side(text: str, raw: list[Piece], at: int, piece: Piece, found: list[Piece]) -> int:
    """A bracket behind \\left or \\right: of a bar it is known then whether it opens or closes."""
    while at < len(raw) and raw[at].kind == "space":
        at += 1
    if at == len(raw) or (raw[at].text == "." and raw[at].kind == "sign"):
        raise ReadError(f"\\{piece.text} without a bracket", text, piece.start, "write both brackets")
    side = "l" if piece.text.endswith(("left", "l")) else "r"
    if raw[at].text != "|":
        return at
    name = "vert" if raw[at].kind == "sign" else "Vert"
    found.append(Piece("command", side + name, raw[at].start, raw[at].end))
    return at + 1


def _argument(text: str, raw: list[Piece], at: int, command: Piece) -> tuple[list[Piece], int]:
    """The pieces of the argument of a command, and the index behind it."""
    while at < len(raw) and raw[at].kind == "space":
        at += 1
    if at == len(raw):
        raise ReadError(f"\\{command.text} needs an argument", text, command.start)
    if raw[at].text != "{" or raw[at].kind != "sign":
        return [raw[at]], at + 1
    depth, start = 0, at
    while at < len(raw):
        if raw[at].kind == "sign":
            depth += (raw[at].text == "{") - (raw[at].text == "}")
        at += 1
        if depth == 0:
            return raw[start + 1 : at - 1], at
    raise ReadError(f"the brace of \\{command.text} is not closed", text, command.start)


def _spelled(inside: list[Piece]) -> str:
    return " ".join("".join(each.text for each in inside).split())


def _word(text: str, inside: list[Piece], command: Piece, end: int) -> list[Piece]:
    spelled = "".join(each.text for each in inside if each.kind != "space")
    if not spelled.isalnum() or not spelled.isascii() or not spelled[:1].isalpha():
        return _styled(text, inside, command, end)
    return [Piece("word", spelled, command.start, end, command.text)]


def _styled(text: str, inside: list[Piece], command: Piece, end: int) -> list[Piece]:
    inside = [each for each in inside if each.kind != "space"]
    while len(inside) > 2 and inside[0].text == "{" and inside[-1].text == "}":
        inside = inside[1:-1]
    # A typeface around a typeface, \boldsymbol{\mathbf{x}}, is the outer one.
    if len(inside) > 1 and inside[0].kind == "command" and (inside[0].text in STYLES):
        inside = [each for each in inside[1:] if each.text not in "{}"]
    if len(inside) == 1 and inside[0].kind in ("letter", "command"):
        return [inside[0]._replace(start=command.start, end=end, style=command.text)]
    if len(inside) == 1 and inside[0].kind == "number":
        return inside
    raise ReadError(f"\\{command.text} of more than one letter", text, command.start, "write one letter in it")
