r"""What do matrices that are written out become?  Sums, products, inverses and derivatives of them, entry by entry."""

from __future__ import annotations

from collections.abc import Callable
from itertools import permutations
from typing import NamedTuple

from verify.language.errors import ReadError
from verify.language.latex import read
from verify.language.latex.place import Place
from verify.language.tokens import MOST_TOKENS, Token

#: Rows and columns of matrices that are written out.
MOST_ROWS = 8
#: Rows of those that are inverted, or whose determinant is taken.
MOST_INVERTED = 4

Entry = list[Token]


class Grid(NamedTuple):
    """A matrix of expressions, by rows."""

    rows: tuple[tuple[Entry, ...], ...]

    @property
    def shape(self) -> tuple[int, int]:
        return len(self.rows), len(self.rows[0])


def grid(place: Place) -> list[Token]:
    """A matrix that is written out, as one token; bars around it make its determinant."""
    opening = place.take()
    rows: list[list[Entry]] = [[]]
    bars, place.bars = place.bars, [""]
    while place.piece.kind != "end_of":
        rows[-1].append(place.bracketed(read.total(place), opening))
        while place.is_sign(",", ".") and place.after.kind in ("row", "end_of"):
            place.take()
        if place.accepts("&"):
            continue
        if place.piece.kind == "row":
            place.take()
            if place.piece.kind != "end_of":
                rows.append([])
        elif place.piece.kind != "end_of":
            raise place.error(f"unexpected {place.shown()} in a matrix", "write & between entries")
    place.take()
    place.bars = bars
    if len({len(row) for row in rows}) != 1 or not rows[0] or max(len(rows), len(rows[0])) > MOST_ROWS:
        raise place.error(f"a matrix has rows of one length, at most {MOST_ROWS}", piece=opening)
    name = f"#grid{len(place.grids)}"
    place.grids[name] = rows
    token = place.token("name", name, opening)
    if opening.text == "vmatrix":
        return place.called("det", [token], opening)
    if opening.text == "Vmatrix":
        return place.called("norm", [token], opening)
    return [token]


def has_grids(tokens: list[Token]) -> bool:
    """Whether a matrix that is written out stands among the tokens."""
    return any(token.text.startswith("#grid") for token in tokens)


def written_out(place: Place, tokens: list[Token]) -> Entry | Grid:
    """The value of an expression in which matrices are written out.  Raises ReadError for what is not read."""
    reader = _Reader(place, tokens)
    value = reader.total()
    if reader.at < len(tokens):
        raise reader.error(f"{tokens[reader.at].text} beside a matrix that is written out")
    return value


class _Reader:
    """A place in tokens that are written with all their brackets."""

    def __init__(self, place: Place, tokens: list[Token]) -> None:
        self.place, self.tokens, self.at = place, tokens, 0

    def error(self, what: str) -> ReadError:
        token = self.tokens[min(self.at, len(self.tokens) - 1)]
        return ReadError(f"{what} is not read", self.place.text, token.start, "write the entries")

    @property
    def text(self) -> str:
        return self.tokens[self.at].text if self.at < len(self.tokens) else ""

    def take(self) -> Token:
        self.at += 1
        return self.tokens[self.at - 1]

    def sign(self, text: str) -> Token:
        return self.place.token("sign", text, self.tokens[min(self.at, len(self.tokens) - 1)])

    def total(self) -> Entry | Grid:
        value: Entry | Grid | None = None
        while value is None or self.text in ("+", "-"):
            sign = self.take() if self.text in ("+", "-") else None
            term = self.product()
            if sign is not None and (sign.text == "-" or value is not None):
                value = self._added(value, sign, term)
            else:
                value = term
        return value

    def _added(self, value: Entry | Grid | None, sign: Token, term: Entry | Grid) -> Entry | Grid:
        if value is None:
            return _each(term, lambda entry: [self.sign("("), sign, *entry, self.sign(")")])
        if isinstance(value, Grid) != isinstance(term, Grid):
            raise self.error("a sum of a number and a matrix")
        if isinstance(value, Grid) and isinstance(term, Grid):
            if value.shape != term.shape:
                raise self.error(f"a sum of matrices of the shapes {value.shape} and {term.shape}")
            pairs = [list(zip(*both, strict=True)) for both in zip(value.rows, term.rows, strict=True)]
            return Grid(
                tuple(
                    tuple([self.sign("("), *one, sign, *other, self.sign(")")] for one, other in row) for row in pairs
                )
            )
        assert not isinstance(value, Grid)
        assert not isinstance(term, Grid)
        return [*value, sign, *term]

    def product(self) -> Entry | Grid:
        value = self.power()
        while self.text in ("*", "/") or (self.at < len(self.tokens) and self.text == "("):
            sign = self.take() if self.text in ("*", "/") else self.sign("*")
            value = self._times(value, sign, self.power())
        return value

    def _times(self, left: Entry | Grid, sign: Token, right: Entry | Grid) -> Entry | Grid:
        if sign.text == "/" and isinstance(right, Grid):
            raise self.error("a division by a matrix")
        if isinstance(left, Grid) and isinstance(right, Grid):
            if left.shape[1] != right.shape[0]:
                raise self.error(f"a product of matrices of the shapes {left.shape} and {right.shape}")
            columns = list(zip(*right.rows, strict=True))
            return Grid(tuple(tuple(self._dot(row, column) for column in columns) for row in left.rows))
        if isinstance(left, Grid):
            return _each(left, lambda entry: [*entry, sign, *self._closed(right)])
        return _each(right, lambda entry: [*left, sign, *entry])

    def _closed(self, value: Entry | Grid) -> Entry:
        assert not isinstance(value, Grid)
        return value if len(value) == 1 else [self.sign("("), *value, self.sign(")")]

    def _dot(self, row: tuple[Entry, ...], column: tuple[Entry, ...]) -> Entry:
        terms = [[*one, self.sign("*"), *other] for one, other in zip(row, column, strict=True)]
        return self._sum(terms)

    def _sum(self, terms: list[Entry]) -> Entry:
        out = [token for i, term in enumerate(terms) for token in ([self.sign("+")] if i else []) + term]
        if len(out) > MOST_TOKENS:
            raise self.error("a product of so many entries")
        return [self.sign("("), *out, self.sign(")")]

    def power(self) -> Entry | Grid:
        value = self.atom()
        while self.text in ("'", "^", "!", "["):
            sign = self.take()
            if not isinstance(value, Grid):
                value = [*value, sign, *(self._closed_atom() if sign.text == "^" else [])]
            elif sign.text == "'":
                value = Grid(tuple(zip(*value.rows, strict=True)))
            elif sign.text == "^":
                exponent = "".join(token.text for token in self._closed_atom()).strip("()")
                value = self._power(value, exponent)
            else:
                raise self.error(f"{sign.text} behind a matrix")
        return value

    def _closed_atom(self) -> Entry:
        value = self.atom()
        if isinstance(value, Grid):
            raise self.error("a matrix as an exponent")
        return value

    def _power(self, value: Grid, exponent: str) -> Grid:
        if exponent == "-1":
            return self._inverse(value)
        if not exponent.isdigit() or not 1 <= int(exponent) <= 4 or value.shape[0] != value.shape[1]:
            raise self.error(f"the power {exponent} of a matrix")
        out: Entry | Grid = value
        for _ in range(int(exponent) - 1):
            out = self._times(out, self.sign("*"), value)
        assert isinstance(out, Grid)
        return out

    def atom(self) -> Entry | Grid:
        token = self.take()
        if token.text in self.place.grids:
            return Grid(tuple(map(tuple, self.place.grids[token.text])))
        if token.text == "(":
            return self._bracket(token)
        if token.kind == "name" and self.text == "(":
            return self._call(token)
        return [token]

    def _until_closed(self) -> list[Token]:
        """The tokens up to the bracket that closes the one which was taken last; go behind it."""
        start, depth = self.at, 1
        while self.at < len(self.tokens):
            text = self.take().text
            depth += (text in ("(", "[")) - (text in (")", "]"))
            if depth == 0:
                return self.tokens[start : self.at - 1]
        raise self.error("a bracket that is not closed")

    def _bracket(self, opening: Token) -> Entry | Grid:
        inside = self._until_closed()
        if not has_grids(inside):
            return [opening, *inside, self.sign(")")]
        if inside[0].text == "∂":
            start = next(i for i, each in enumerate(inside) if each.text == "(")
            value = written_out(self.place, inside[start:])
            return _each(
                value,
                lambda entry: [self.sign("("), *inside[:start], self.sign("("), *entry, self.sign(")"), self.sign(")")],
            )
        value = written_out(self.place, inside)
        return value if isinstance(value, Grid) else [opening, *value, self.sign(")")]

    def _call(self, name: Token) -> Entry | Grid:
        opening = self.take()
        inside = self._until_closed()
        if not has_grids(inside):
            return [name, opening, *inside, self.sign(")")]
        value = written_out(self.place, inside)
        if name.text not in ("det", "tr", "inv") or not isinstance(value, Grid) or value.shape[0] != value.shape[1]:
            raise self.error(f"{name.text} of a matrix that is written out")
        if name.text == "inv":
            return self._inverse(value)
        if name.text == "det":
            return self._determinant(value.rows)
        return self._sum([value.rows[i][i] for i in range(len(value.rows))])

    def _determinant(self, rows: tuple[tuple[Entry, ...], ...]) -> Entry:
        size = len(rows)
        if size > MOST_INVERTED:
            raise self.error(f"a determinant of {size} rows")
        out: Entry = []
        for order in permutations(range(size)):
            odd = sum(order[i] > order[j] for i in range(size) for j in range(i + 1, size)) % 2
            out.append(self.sign("-" if odd else "+"))
            for row, column in enumerate(order):
                out += ([self.sign("*")] if row else []) + rows[row][column]
        return [self.sign("("), *out, self.sign(")")]

    def _inverse(self, value: Grid) -> Grid:
        size = len(value.rows)
        if value.shape != (size, size) or size > MOST_INVERTED:
            raise self.error("the inverse of such a matrix")
        below = self._determinant(value.rows)

        def cofactor(row: int, column: int) -> Entry:
            if size == 1:
                return [self.place.token("number", "1", self.tokens[0])]
            rows = tuple(
                tuple(entry for j, entry in enumerate(each) if j != column)
                for i, each in enumerate(value.rows)
                if i != row
            )
            minor = self._determinant(rows)
            return minor if (row + column) % 2 == 0 else [self.sign("("), self.sign("-"), *minor, self.sign(")")]

        return Grid(
            tuple(
                tuple([self.sign("("), *cofactor(j, i), self.sign("/"), *below, self.sign(")")] for j in range(size))
                for i in range(size)
            )
        )


def _each(value: Entry | Grid, change: Callable[[Entry], Entry]) -> Entry | Grid:
    if not isinstance(value, Grid):
        return change(value)
    return Grid(tuple(tuple(change(entry) for entry in row) for row in value.rows))
