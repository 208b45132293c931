"""Which commands, letters, numbers and signs is a piece of LaTeX made of?  Spaces and labels are left out."""

from __future__ import annotations

import re
from collections.abc import Mapping

from verify.language.errors import ReadError
from verify.language.latex.grouped import grouped
from verify.language.latex.macros import Macro, expanded
from verify.language.latex.piece import Piece
from verify.language.latex.words import SPACES
from verify.language.tokens import CONSTANT_SIGNS, GREEK, LONGEST_TEXT, MOST_DIGITS, MOST_TOKENS

_PIECE = re.compile(
    r"(?P<space>(?:[\s~\u00a0\u2009]|(?<!\\)%[^\n]*)+)"
    r"|\\(?P<command>[A-Za-z]+|[^A-Za-z])"
    r"|(?P<number>[0-9]+(?:\.[0-9]+)?|\.[0-9]+)"
    r"|(?P<letter>[A-Za-z])"
    r"|#(?P<parameter>[1-9])"
    r"|(?P<sign>:=|[-+*/^_{}()\[\]|<>=,;:.!'&])"
)
_PLAIN = {"−": "-", "′": "'", "∣": "|"}
_SIGNS = {"·": "cdot", "×": "times", "⋅": "cdot", "≤": "le", "≥": "ge", "≠": "ne", "∂": "partial",
          "∇": "nabla", "√": "sqrt", "⊤": "top", "≈": "approx", "∈": "in", "∑": "sum", "∫": "int", "⟨": "langle",
          "⟩": "rangle", "‖": "|", "⊙": "odot"} | _PLAIN  # fmt: skip


def pieces(text: str, macros: Mapping[str, Macro | str] | None = None) -> list[Piece]:
    """The pieces of a formula, the last one of kind `end`.

    macros   what commands stand for, by name.

    Raises ReadError.
    """
    if len(text) > LONGEST_TEXT:
        raise ReadError(f"the text has {len(text):,} characters, at most {LONGEST_TEXT:,} are read", text, 0)
    known = {name: Macro(macro) if isinstance(macro, str) else macro for name, macro in (macros or {}).items()}
    found = grouped(text, expanded(text, _raw(text), known, _raw))
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
        return Piece("sign" if character in _PLAIN else "command", meant, at, at + 1)
    if character in CONSTANT_SIGNS and character in "π∞":
        return Piece("command", "pi" if character == "π" else "infty", at, at + 1)
    if character == "\\":
        raise ReadError("a backslash with nothing behind it", text, at)
    return Piece("unknown", character, at, at + 1)
