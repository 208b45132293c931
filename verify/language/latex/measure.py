"""Which shape has what was read so far, where the meaning of a sign depends on it?  A·B, |A|, e^A, the identity I."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import product
from math import prod
from typing import NamedTuple

from verify.claim import Shape, Size, Variable
from verify.language.claims import Let, lines_of
from verify.language.cursor import Cursor
from verify.language.declarations import Declarations, declared_names, read_declarations
from verify.language.errors import ReadError
from verify.language.operators import used_names
from verify.language.read import read_value
from verify.language.tokens import Token, tokens
from verify.shapes import Shapes

#: Longer expressions are not measured: what depends on their shape is refused.
LONGEST_MEASURED = 600
#: Readings of one formula that are compared.
MOST_READINGS = 256


class Choice(NamedTuple):
    """A token that stands for one of several texts until the shapes tell which.

    name    the text of the token meanwhile.
    texts   what it can become; an empty text leaves the token out.
    says    for each text the reading that it is, for a note; may be empty.
    """

    name: str
    texts: tuple[str, ...]
    says: tuple[str, ...] = ()


class Measure:
    """The shapes that declarations give to expressions."""

    def __init__(self, let: Let) -> None:
        domain = Declarations()
        shapes = Shapes(domain.variables)
        self.known: frozenset[str] = frozenset()
        for line in lines_of(let):
            try:
                found = tokens(line)
                self.known |= frozenset(declared_names(found))
                cursor = Cursor(line, found, self.known, frozenset())
                cursor.shapes = shapes
                read_declarations(cursor, domain)
            except ReadError:
                continue  # the claim is read with the same declarations, and tells what is wrong there
        self.variables: Mapping[str, Variable] = domain.variables
        self.sizes: tuple[Size, ...] = tuple(
            dict.fromkeys(size for each in domain.variables.values() for size in each.shape)
        )
        self.is_shaped = any(each.shape or each.of for each in domain.variables.values())

    def shape(self, found: Sequence[Token], bound: Sequence[str], choices: Sequence[Choice]) -> Shape | None:
        """The shape of an expression, () of a number; None where it cannot be told.

        bound    indices of the sums around.
        """
        if not self.is_shaped:
            return ()
        if len(found) > LONGEST_MEASURED:
            return None
        for reading, _ in readings(found, choices):
            end = Token("end", "", reading[-1].end, reading[-1].end)
            cursor = Cursor("", [*reading, end], self.known, used_names([*reading, end]))
            cursor.shapes = Shapes(dict(self.variables))
            cursor.bound = list(bound)
            try:
                node = read_value(cursor)
                if cursor.token.kind == "end":
                    return cursor.shape(node, end)
            except (ReadError, RecursionError):
                continue
        return None


def readings(found: Sequence[Token], choices: Sequence[Choice]) -> Iterator[tuple[list[Token], tuple[str, ...]]]:
    """The tokens with each way to fill their open choices, and the notes that belong to it."""
    names = {token.text for token in found if token.text.startswith("#")}
    opened = [choice for choice in choices if choice.name in names]
    if prod(len(choice.texts) for choice in opened) <= MOST_READINGS:
        ways = list(product(*(range(len(choice.texts)) for choice in opened)))
    else:
        longest = max(len(choice.texts) for choice in opened)
        ways = [tuple(min(at, len(choice.texts) - 1) for choice in opened) for at in range(longest)]
    for way in sorted(ways, key=lambda way: (len(set(way)), way)):
        texts = {choice.name: choice.texts[at] for choice, at in zip(opened, way, strict=True)}
        filled = [
            token._replace(text=texts[token.text], kind=_kind(texts[token.text])) if token.text in texts else token
            for token in found
            if texts.get(token.text, "x")
        ]
        says = [choice.says[at] for choice, at in zip(opened, way, strict=True) if choice.says]
        yield filled, tuple(dict.fromkeys(says))


def _kind(text: str) -> str:
    return "number" if text.isdigit() else "name"
