"""When are two products of matrix symbols the same at every size?  When their normal forms are equal.

(X Y)' = Y' X'           transposition reverses a word
X X^-1 = X^-1 X = I      neighbours cancel
S' = S                   for a symbol declared symmetric
s = s', s X = X s        for a factor s of shape 1 x 1
tr(X Y) = tr(Y X)        a trace word is its least rotation, also of its transpose
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from itertools import groupby
from typing import NamedTuple


class Letter(NamedTuple):
    """A symbol, possibly transposed or inverted; rows and columns are those of the symbol as declared."""

    name: str
    rows: str
    columns: str
    symmetric: bool = False
    transposed: bool = False
    inverse: bool = False
    latex: str = ""

    @property
    def shape(self) -> tuple[str, str]:
        """(rows, columns) as it stands."""
        return (self.columns, self.rows) if self.transposed else (self.rows, self.columns)

    @property
    def symbol(self) -> Letter:
        """The letter neither transposed nor inverted."""
        return self._replace(transposed=False, inverse=False)

    @property
    def opposite(self) -> Letter:
        """Its inverse; ValueError unless it is square."""
        if self.rows != self.columns:
            raise ValueError(f"{self.name} is {self.rows} x {self.columns}; only a square matrix has an inverse")
        return self._replace(inverse=not self.inverse)

    def transpose(self) -> Letter:
        """Its transpose: itself if symmetric."""
        return self if self.symmetric else self._replace(transposed=not self.transposed)

    def cancels(self, other: Letter) -> bool:
        """Whether one is the inverse of the other."""
        return other == self._replace(inverse=not self.inverse)


Word = tuple[Letter, ...]


class Monomial(NamedTuple):
    """Commuting scalar factors (1 x 1 words, and traces of words), and at most one word that is not 1 x 1.

    No word stands for the identity matrix; where the whole is 1 x 1 there never is one.
    """

    scalars: tuple[Word, ...] = ()
    traces: tuple[Word, ...] = ()
    word: Word = ()


def transposed(word: Word) -> Word:
    """The transpose of a product, letter by letter."""
    return tuple(letter.transpose() for letter in reversed(word))


def monomial(letters: Iterable[Letter]) -> Monomial:
    """Normal form of a product of letters whose shapes fit."""
    scalars: list[Word] = []
    rest: list[Letter] = []
    for segment in _segments(letters):
        word = _reduced(segment)
        if segment[0].shape[0] == segment[-1].shape[1] == "1":
            scalars.append(min((word, transposed(word)), key=_plainest))
        else:
            rest.extend(word)
    return Monomial(_cancelled(scalars), (), _reduced(rest))


def product(one: Monomial, other: Monomial) -> Monomial:
    """Normal form of the product of two normal forms whose shapes fit."""
    joined = monomial((*one.word, *other.word))
    scalars = _cancelled((*one.scalars, *other.scalars, *joined.scalars))
    return Monomial(scalars, tuple(sorted((*one.traces, *other.traces))), joined.word)


def traced(argument: Monomial, size: str) -> Monomial:
    """Normal form of the trace of a `size` x `size` monomial."""
    word, rest = argument.word, argument._replace(word=())
    if not word:
        return rest if size == "1" else product(rest, Monomial(scalars=((Letter(size, "1", "1", True),),)))
    for k, letter in enumerate(word):
        if letter.shape[0] == "1":  # the word is cut here, and rotated it is a scalar
            return product(rest, monomial((*word[k:], *word[:k])))
    while len(word) > 1 and word[0].cancels(word[-1]):
        word = word[1:-1]
    turns = (w[k:] + w[:k] for w in (word, transposed(word)) for k in range(len(word)))
    return product(rest, Monomial(traces=(min(turns, key=_plainest),)))


def written(m: Monomial, times: str, letter: Callable[[Letter, int], str], trace: Callable[[str], str]) -> str:
    """Its factors as text, '' where it has none; `letter` writes a symbol and how often it stands there."""

    def product_of(word: Word) -> str:
        return times.join(letter(same, len(list(run))) for same, run in groupby(word))

    return times.join(
        [*(trace(product_of(word)) for word in m.traces), *map(product_of, filter(None, (*m.scalars, m.word)))]
    )


def _plainest(word: Word) -> tuple[int, Word]:
    """Of a word and its transpose, the one with fewer transpositions is how one would write it."""
    return sum(letter.transposed for letter in word), word


def _reduced(letters: Iterable[Letter]) -> Word:
    word: list[Letter] = []
    for letter in letters:
        if word and word[-1].cancels(letter):
            word.pop()
        else:
            word.append(letter)
    return tuple(word)


def _segments(letters: Iterable[Letter]) -> Iterator[Word]:
    """The pieces of a product between which the inner size is 1."""
    segment: list[Letter] = []
    for letter in letters:
        if segment and letter.shape[0] == "1":
            yield tuple(segment)
            segment = []
        segment.append(letter)
    if segment:
        yield tuple(segment)


def _cancelled(scalars: Iterable[Word]) -> tuple[Word, ...]:
    """Sorted factors, in which a 1 x 1 symbol and its inverse vanish wherever they stood."""
    kept: list[Word] = []
    for word in scalars:
        opposite = (word[0].opposite,) if len(word) == 1 else None
        if opposite in kept:
            kept.remove(opposite)
        else:
            kept.append(word)
    return tuple(sorted(kept))
