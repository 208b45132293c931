r"""Which identity matrix is I, and which vector is \mathbf{1}?  The size is the one that lets the shapes fit."""

from __future__ import annotations

from verify.language.latex.place import Place
from verify.language.tokens import Token


def identity_at(place: Place) -> list[Token] | None:
    r"""The identity matrix that I, \mathbf{I} or I_n means among vectors and matrices; None for all else."""
    piece = place.piece
    if piece.text != "I" or piece.kind not in ("letter", "word", "blackboard") or "I" in place.declared:
        return None
    if not place.measure.sizes:
        return None
    if place.after.text == "_" and (size := _lowered(place)) is not None:
        return place.called("eye", [place.token(_kind(size), size, piece)], piece)
    if place.after.text == "(":
        return None
    if place.after.text == "_":
        if _is_declared(place):
            return None
        raise place.error("I with an index can be an identity matrix of a size that is not declared", "declare it")
    place.take()
    return place.called("eye", [_size(place, "I is read as the identity matrix, eye({})")], piece)


def _is_declared(place: Place) -> bool:
    """Whether I with its subscript is a name of the author's, or a Bessel function."""
    at = place.at + 2 + (place.pieces[place.at + 2].text == "{")
    following = place.pieces[at + 1].text if place.pieces[at + 1].text != "}" else place.pieces[at + 2].text
    return f"I_{place.pieces[at].text}" in place.declared or following == "("


def ones(place: Place) -> list[Token]:
    r"""The vector \mathbf{1}."""
    piece = place.piece
    if place.after.text == "_" and (size := _lowered(place)) is not None:
        return place.called("ones", [place.token(_kind(size), size, piece)], piece)
    if not place.measure.sizes:
        raise place.error("a vector of ones among numbers", "declare the vectors, or write 1")
    place.take()
    return place.called("ones", [_size(place, "a bold 1 is read as the vector of ones, ones({})")], piece)


def kronecker(place: Place, entry: list[Token]) -> list[Token]:
    r"""\delta_{ij}: an entry of an identity matrix."""
    piece = place.before
    return [*place.called("eye", [_size(place, "delta is read as Kronecker's, an entry of eye({})")], piece), *entry]


def _size(place: Place, says: str) -> Token:
    sizes = tuple(str(size) for size in place.measure.sizes)
    return place.choice(sizes, place.before, tuple(says.format(size) for size in sizes))


def _kind(size: str) -> str:
    return "number" if size.isdigit() else "name"


def _lowered(place: Place) -> str | None:
    """The size in the subscript behind the next piece, if it is one; go behind it."""
    at = place.at + 2
    braced = place.pieces[at].text == "{"
    at += braced
    size = place.pieces[at]
    if size.text not in {str(each) for each in place.measure.sizes} or (braced and place.pieces[at + 1].text != "}"):
        return None
    place.at = at + 1 + braced
    return size.text
