"""Which entry does a subscript mean?  x_i, A_{ij}; letters that nothing else explains stand for every entry."""

from __future__ import annotations

from verify.language.latex import read
from verify.language.latex.letters import letter, starts_a_name
from verify.language.latex.place import Place
from verify.language.tokens import Token


def index(place: Place, sizes: list[str] | None = None) -> list[Token]:
    """The entry that a subscript means, behind its _; names that nothing else explains stand for every entry.

    sizes    of the vector or matrix in front, as far as they are known.
    """
    first = place.piece
    parts: list[list[Token]] = []
    if place.accepts("{"):
        while not place.accepts("}"):
            if place.piece.kind in ("end", "text", "row"):
                raise place.error("the brace of a subscript is not closed", piece=first)
            parts.append(_one_index(place, braced=True))
            place.accepts(",")
    else:
        parts.append(_one_index(place, braced=False))
    for at, part in enumerate(parts):
        name = part[0].text
        if len(part) > 1 or part[0].kind != "name" or name in place.declared:
            continue
        if sizes is None or at >= len(sizes):
            continue
        if place.ranges.setdefault(name, sizes[at]) != sizes[at] and name not in place.bound:
            raise place.error(f"{name} counts to {place.ranges[name]} and to {sizes[at]}", "rename one index", first)
    comma = place.token("sign", ",", first)
    inside = [token for at, part in enumerate(parts) for token in ([comma] if at else []) + part]
    return [place.token("sign", "[", first), *inside, place.token("sign", "]")]


def _one_index(place: Place, braced: bool) -> list[Token]:
    """A letter, a digit, or in braces a sum of them that a sign holds together."""
    piece = place.piece
    following = place.after
    joined = braced and following.kind == "sign" and following.text in ("+", "-")
    if joined or (braced and piece.kind not in ("letter", "number", "command")):
        return read.total(place)
    if piece.kind == "number":
        if not braced and len(piece.text) > 1:
            raise place.error(f"only the first digit of {piece.text} is set low", "write braces")
        place.take()
        return [place.token("number", piece.text)]
    if not starts_a_name(place):
        raise place.error(f"an index is missing, found {place.shown()}")
    name = letter(place)
    return [place.token("name", name, piece)]
