r"""Which special function does a letter with an index name?  J_0(x), K_\nu(x), \psi^{(1)}(x)."""

from __future__ import annotations

from verify.language.latex import brackets, read, values
from verify.language.latex.piece import Piece
from verify.language.latex.place import Place
from verify.language.tokens import Token

_BESSEL = {"J": "besselj", "Y": "bessely", "I": "besseli", "K": "besselk"}
_INDEXED = {"Li": "polylog", "E": "expint"}
_ACCENTED = {"Ai": "airyaiprime", "Bi": "airybiprime"}


def special_at(place: Place) -> list[Token] | None:
    """The call of a special function that is written with an index, an order or a prime; None for all else."""
    piece = place.piece
    if piece.text in place.declared or _is_declared(place):
        return None
    if piece.text in _ACCENTED and piece.kind == "word" and place.after.text == "'":
        place.take()
        place.take()
        return _call(place, piece, _ACCENTED[piece.text], [])
    if piece.text == "psi" and piece.kind == "command" and place.after.text == "^":
        return _polygamma(place, piece)
    indexed = _BESSEL if piece.kind == "letter" and not piece.style else _INDEXED if piece.kind == "word" else {}
    if piece.text not in indexed or place.after.text != "_" or not _is_called(place):
        return None
    place.take()
    place.take()
    order = values.argument(place)
    return _call(place, piece, indexed[piece.text], [*order, place.token("sign", ",", piece)])


def _is_declared(place: Place) -> bool:
    """Whether the next letter with its plain subscript is a name that the author declares."""
    if place.after.text != "_":
        return False
    lowered = place.pieces[place.at + 2]
    text = place.pieces[place.at + 3].text if lowered.text == "{" else lowered.text
    return f"{place.piece.text}_{text}" in place.declared


def _is_called(place: Place) -> bool:
    """Whether a bracket stands behind the subscript of the next piece."""
    at = place.at + 2
    depth = 0
    while at < len(place.pieces) - 1:
        piece = place.pieces[at]
        depth += (piece.text == "{") - (piece.text == "}")
        at += 1
        if depth == 0:
            break
    return place.pieces[at].text == "("


def _polygamma(place: Place, piece: Piece) -> list[Token] | None:
    ahead = [each.text for each in place.pieces[place.at + 1 : place.at + 8]]
    if ahead[:3] != ["^", "{", "("] or not ahead[3].isdigit() or ahead[4:] != [")", "}", "("]:
        return None
    order = place.pieces[place.at + 4]
    place.at += 7
    return _call(place, piece, "polygamma", [place.token("number", order.text, order), place.token("sign", ",", piece)])


def _call(place: Place, piece: Piece, function: str, before: list[Token]) -> list[Token]:
    if not read.opens_a_bracket(place):
        raise place.error(f"{function} needs its argument in brackets", "", piece)
    written = place.source(piece)
    inside = brackets.arguments(place)
    place.notes.setdefault(f"{written}(…) is read as {function}; declare the name for another function")
    return place.called(function, [*before, *inside], piece)
