r"""Which links has a line a = b \\le c = d, and which of them are equalities?  The others are not judged."""

from __future__ import annotations

from typing import NamedTuple

from verify.language.errors import ReadError
from verify.language.latex.conditions import condition_words, conditions, separators
from verify.language.latex.definitions import Head, define, head_at
from verify.language.latex.integrals import scan_laws
from verify.language.latex.piece import Piece
from verify.language.latex.place import Place
from verify.language.latex.read import total
from verify.language.latex.structures import relation_at
from verify.language.latex.words import DEFINITIONS, UNJUDGED
from verify.language.tokens import Token


class NotJudged(ReadError):
    """What is understood and is no claim: an inequality, an approximation, or a definition."""

    definition = False


class Defined(NotJudged):
    """A definition: := and its relatives."""

    definition = True


class Side(NamedTuple):
    """One link of a chain; `refused` says why it is not judged."""

    left: list[Token]
    sign: Token
    right: list[Token]
    refused: NotJudged | None = None


class Line(NamedTuple):
    """The links of a line, its last side, and the conditions behind it."""

    links: list[Side]
    last: list[Token]
    endings: list[list[Token]]


def sides(place: Place, last: list[Token]) -> Line:
    """The links of a line; `last` is the side that the line before ended with."""
    links: list[Side] = []
    scan_laws(place)
    head: Head | None = None
    if relation_at(place) is None and not _unjudged(place):
        head, last = _first(place)
    elif not last:
        raise place.error("nothing stands left of =", "write lhs = rhs")
    while True:
        last = _chain(place, last, links, head)
        if not links or not _another(place, links):
            return Line(links, last, conditions(place))
        head, last = _first(place)


def _first(place: Place) -> tuple[Head | None, list[Token]]:
    """The left-hand side of a chain; where it is a name that can be defined, the name itself."""
    head = head_at(place)
    return head, total(place) if head is None else [head.name]


def _chain(place: Place, last: list[Token], links: list[Side], head: Head | None) -> list[Token]:
    while (relation := relation_at(place)) is not None or _unjudged(place):
        start = place.pieces[place.at - 1]
        piece = place.take()
        sign = place.token("sign", "=")
        if place.piece.kind == "end":
            raise place.error("nothing stands right of =", "write lhs = rhs")
        side = total(place)
        refused: NotJudged | None = None
        if relation != "=" or piece.text in DEFINITIONS:
            refused = _refusal(place, piece.text, relation, sign)
            place.notes.setdefault(f"{place.text[piece.start : piece.end]} is no equality: that link is not judged")
        if head is not None and (relation == "=" or piece.text in DEFINITIONS):
            if head.arguments:
                refused = refused or _definition(place, head)
                if any(token.text == head.name.text for token in side):
                    name = head.name.text
                    raise place.error(
                        f"{name}(…) can be the function or a product",
                        f"declare {name}: function of {', '.join(head.arguments)}, or declare {name} for a product",
                        head.name,
                    )
            if head.arguments or len(side) > 1 or piece.text in DEFINITIONS:
                define(place, head, side, _written(place, head, start), piece.text in DEFINITIONS)
        links.append(Side(last, sign, side, refused))
        last, head = side, None
    return last


def _written(place: Place, head: Head, start: Piece) -> str:
    arguments = f"({', '.join(head.arguments)})" if head.arguments else ""
    source = place.source(start)
    return f"{head.name.text}{arguments} {source[source.find('=') :]}"[:80]


def _definition(place: Place, head: Head) -> Defined:
    says = f"read as the definition of {head.name.text}"
    return Defined(says, place.text, head.name.start, f"declare {head.name.text} to have it judged")


def defined(place: Place, link: Side) -> Defined | None:
    """Why an equality is read as a definition: an undeclared name stands alone on its left, and not on its right."""
    if len(link.left) != 1 or link.left[0].kind != "name" or len(link.right) == 1:
        return None
    name = link.left[0].text
    if name in place.declared or name.startswith("#") or any(each.text == name for each in link.right):
        return None
    says = f"read as the definition of {name}, which stands on one side only"
    return Defined(says, place.text, link.left[0].start, f"declare {name} to have it judged")


_FOLLOWS = ("implies", "Rightarrow", "Longrightarrow", "iff", "Leftrightarrow")


def _unjudged(place: Place) -> bool:
    return (place.is_command(*UNJUDGED) or place.is_command(*DEFINITIONS)) or place.is_sign(":=")


def _refusal(place: Place, text: str, relation: str | None, sign: Token) -> NotJudged:
    if text in DEFINITIONS:
        return Defined("a definition is not judged", place.text, sign.start, "write = for a claim")
    if relation is None:
        return NotJudged(UNJUDGED[text], place.text, sign.start, "write = for a claim")
    return NotJudged("a claim is an equality", place.text, sign.start, r"conditions follow after \text{for}")


def _another(place: Place, links: list[Side]) -> bool:
    r"""Go behind , \quad or the word `and` if another equality follows them; words such as `for` begin conditions."""
    start = place.at
    if all(isinstance(link.refused, Defined) for link in links) and place.is_command(*_FOLLOWS):
        place.take()
        separators(place)
        return True
    wide = separators(place)
    if all(isinstance(link.refused, Defined) for link in links) and place.is_command(*_FOLLOWS):
        place.take()
        separators(place)
        return True
    if not wide or condition_words(place, start) or not _is_equality(place):
        place.at = start
        return False
    if len(links[-1].right) == 1 and links[-1].right[0].kind == "number" and len(links[-1].left) == 1:
        place.at = start
        return False
    return True


def _is_equality(place: Place) -> bool:
    """Whether a sign of equality comes before the next comma or word; `a = 1` can be a condition and is none here."""
    depth = 0
    for at in range(place.at, len(place.pieces)):
        piece = place.pieces[at]
        depth += (piece.text in ("(", "[", "{") or piece.kind == "begin") - (
            piece.text in (")", "]", "}") or piece.kind == "end_of"
        )
        if depth == 0 and (piece.kind in ("end", "text") or piece.text in (",", ";")):
            return False
        if depth == 0 and piece.text == "=" and piece.kind == "sign":
            short = at - place.at == 1 and place.pieces[at + 1].kind in ("number", "letter")
            return not (short and place.pieces[at + 2].kind in ("end", "text"))
    return False
