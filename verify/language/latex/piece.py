"""What is a piece of LaTeX?  A command, letter, number, sign or group of words, with its place in the source."""

from __future__ import annotations

from typing import NamedTuple


class Piece(NamedTuple):
    """A piece of LaTeX: text[start:end] of the source, or what a macro there stands for.

    kind    command, letter, number, sign, word (upright), text (words between formulas), row, begin, end_of, end.
    text    a command without its backslash, the letters of a word, the name of an environment.
    style   the accent or typeface of a letter or number; empty for a plain one.
    """

    kind: str
    text: str
    start: int
    end: int
    style: str = ""
