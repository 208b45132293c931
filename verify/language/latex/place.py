"""Where is the reader of LaTeX, what is declared there, and which tokens of the text grammar does it write?"""

from __future__ import annotations

from collections.abc import Mapping

from verify.language.errors import ReadError
from verify.language.latex.pieces import Piece
from verify.language.tokens import MOST_TOKENS, Token

#: Sums, factors and atoms inside each other: a bracket makes one of each.
DEEPEST = 150
SHAPED = ("vector", "matrix", "symmetric", "spd", "antisymmetric", "orthogonal", "diagonal")


class Place:
    """A place in the pieces of a formula.

    declared   kinds by name, as they are written.
    notes      readings that were taken where the formula allowed another one.
    bound      indices of the sums around, innermost last.
    euler      whether e is Euler's number in this formula.
    styles     how each letter was first drawn: one letter in two typefaces is two quantities.
    """

    def __init__(self, text: str, pieces: list[Piece], declared: Mapping[str, str], euler: bool) -> None:
        self.text, self.pieces, self.declared, self.euler = text, pieces, declared, euler
        self.notes: dict[str, None] = {}
        self.bound: list[str] = []
        self.styles: dict[str, str] = {}
        #: The bars that are open around, innermost last: a bar of this kind closes, every other one opens.
        self.bars: list[str] = [""]
        self.depth = self.written = 0
        self.at = 0

    @property
    def piece(self) -> Piece:
        return self.pieces[self.at]

    @property
    def after(self) -> Piece:
        return self.pieces[min(self.at + 1, len(self.pieces) - 1)]

    @property
    def before(self) -> Piece:
        return self.pieces[self.at - 1]

    def take(self) -> Piece:
        piece = self.piece
        if piece.kind != "end":
            self.at += 1
        return piece

    def is_sign(self, *signs: str) -> bool:
        return self.piece.kind == "sign" and self.piece.text in signs

    def is_command(self, *names: str) -> bool:
        return self.piece.kind == "command" and self.piece.text in names

    def accepts(self, sign: str) -> bool:
        if not self.is_sign(sign):
            return False
        self.take()
        return True

    def expect(self, sign: str, where: str) -> Piece:
        if self.piece.text != sign or self.piece.kind not in ("sign", "command"):
            raise self.error(f"expected {sign!r} {where}, found {self.shown()}")
        return self.take()

    def deeper(self) -> None:
        self.depth += 1
        if self.depth > DEEPEST:
            raise self.error("too many brackets, exponents or functions inside each other")

    def shown(self) -> str:
        piece = self.piece
        return "the end" if piece.kind == "end" else repr(self.text[piece.start : piece.end][:40])

    def source(self, start: Piece) -> str:
        """The LaTeX from a piece up to the one that was taken last."""
        return " ".join(self.text[start.start : max(self.before.end, start.end)].split())

    def error(self, what: str, mend: str = "", piece: Piece | Token | None = None) -> ReadError:
        return ReadError(what, self.text, (piece or self.piece).start, mend)

    def token(self, kind: str, text: str, piece: Piece | Token | None = None) -> Token:
        """A token at the place of a piece, or of the one that was taken last."""
        self.written += 1
        piece = piece or self.before
        if self.written > MOST_TOKENS:
            raise self.error(f"more than {MOST_TOKENS:,} words and signs", piece=piece)
        return Token(kind, text, piece.start, piece.end)

    def bracketed(self, tokens: list[Token], piece: Piece | None = None) -> list[Token]:
        """The tokens in a bracket of their own, unless they are one token."""
        if len(tokens) == 1:
            return tokens
        return [self.token("sign", "(", piece), *tokens, self.token("sign", ")", piece)]

    def called(self, function: str, arguments: list[Token], piece: Piece | Token) -> list[Token]:
        """A function of the text grammar at its arguments."""
        return [
            self.token("name", function, piece), self.token("sign", "(", piece), *arguments,
            self.token("sign", ")", piece),
        ]  # fmt: skip

    def is_shaped(self, name: str) -> bool:
        """Whether a name is declared as a vector or matrix."""
        return self.declared.get(name, "").lstrip().startswith(SHAPED)

    def depends_on(self, name: str) -> str:
        """What a declared function depends on, as written; empty for other names."""
        return self.declared.get(name, "").partition(" of ")[2].strip()
