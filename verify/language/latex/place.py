"""Where is the reader of LaTeX, what is declared there, and which tokens of the text grammar does it write?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from verify.claim import Shape
from verify.language.errors import ReadError
from verify.language.latex.measure import Choice, Measure
from verify.language.latex.piece import Piece
from verify.language.tokens import MOST_TOKENS, Token

if TYPE_CHECKING:
    from verify.language.latex.definitions import Definition

#: Sums, factors and atoms inside each other: a bracket makes one of each.
DEEPEST = 150
SHAPED = ("vector", "matrix", "symmetric", "spd", "antisymmetric", "orthogonal", "diagonal")


class Place:
    """A place in the pieces of a formula.

    declared   kinds by name, as they are written.
    measure    the shapes that follow from what is declared.
    notes      readings that were taken where the formula allowed another one.
    bound      indices of the sums around, innermost last.
    ranges     the sizes of what the other indices count: they stand for every entry.
    choices    signs whose meaning the shapes of the whole claim decide.
    grids      the entries of matrices that are written out, by row.
    definitions  what the display has defined so far, by name.
    whole      names that are whole numbers, since sums end there.
    laws       the laws of random variables that are told behind the formula, by name.
    dummies    variables of the integrals around, innermost last; empty until the differential is met.
    before     the place of the line above, whose last side a line can go on with.
    euler      whether e is Euler's number in this formula, or why that cannot be told.
    imaginary  whether i is the imaginary unit in it.
    styles     how each letter was first drawn: one letter in two typefaces is two quantities.
    """

    def __init__(
        self,
        text: str,
        pieces: list[Piece],
        declared: Mapping[str, str],
        measure: Measure,
        euler: bool | ReadError,
        before: Place | None = None,
    ) -> None:
        self.text, self.pieces, self.declared, self.euler = text, pieces, declared, euler
        self.measure, self.imaginary = measure, False
        self.notes: dict[str, None] = {}
        self.bound: list[str] = []
        # A chain of equalities goes on over several lines.
        self.ranges: dict[str, str] = {} if before is None else before.ranges
        self.choices: list[Choice] = [] if before is None else before.choices
        self.grids: dict[str, list[list[list[Token]]]] = {} if before is None else before.grids
        self.definitions: dict[str, Definition] = {} if before is None else before.definitions
        self.whole: dict[str, None] = {} if before is None else before.whole
        self.laws: dict[str, int] = {}
        self.dummies: list[str] = []
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

    def at_differential(self) -> bool:
        """Whether the differential of an integral stands next: it ends what is integrated."""
        piece, after = self.piece, self.after
        is_d = piece.text == "d" and piece.kind in ("letter", "word") and "d" not in self.declared
        is_name = after.kind in ("letter", "word") or (after.kind == "command" and after.text.isalpha())
        return bool(self.dummies) and is_d and is_name

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

    def shape(self, tokens: Sequence[Token]) -> Shape | None:
        """The shape of what was read, () of a number; None where it cannot be told."""
        return self.measure.shape(tokens, self.bound, self.choices)

    def choice(self, texts: tuple[str, ...], piece: Piece | Token, says: tuple[str, ...] = ()) -> Token:
        """A token that stands for one of the texts, whichever lets the shapes of the claim fit together."""
        name = f"#{len(self.choices)}"
        self.choices.append(Choice(name, texts, says))
        return self.token("name", name, piece)

    def is_shaped(self, name: str) -> bool:
        """Whether a name is declared as a vector or matrix."""
        return self.declared.get(name, "").lstrip().startswith(SHAPED)

    def depends_on(self, name: str) -> str:
        """What a declared function depends on, as written; empty for other names."""
        return self.declared.get(name, "").partition(" of ")[2].strip()
