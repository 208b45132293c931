"""What does a bracket hold, and is it the absolute value, the determinant, the norm or an inner product?"""

from __future__ import annotations

from verify.language.latex import integrals, read, structures
from verify.language.latex.piece import Piece
from verify.language.latex.place import Place
from verify.language.latex.words import BRACKETS
from verify.language.tokens import Token


def arguments(place: Place) -> list[Token]:
    """The values in the round bracket that stands next, with the commas between them."""
    opening = place.take()
    bars, place.bars = place.bars, [""]
    dummies, place.dummies = place.dummies, []
    out = read.total(place)
    while place.is_sign(",", ";") or place.is_command("mid"):
        place.take()
        out = [*out, place.token("sign", ","), *read.total(place)]
    place.bars, place.dummies = bars, dummies
    closing = {"(": ")", "[": "]"}.get(opening.text, ")")
    if not place.is_sign(closing):
        raise place.error(f"expected {closing!r} for the bracket of column {opening.start + 1}, found {place.shown()}")
    place.take()
    return out


def bracket(place: Place, several: bool = False) -> list[Token]:
    """A bracket that the author wrote, as round ones or as the function that it is; `several`: with commas."""
    opening = place.take()
    bars, dummies = place.bars, place.dummies
    place.dummies = []
    if opening.text == "|":
        single = opening.kind == "sign"
        closing, function = "|", "abs" if single else "norm"
        place.bars = [*bars, "|" if single else "||"]
    elif opening.text == "langle":
        closing, function, several = "rangle", "dot", True
        place.bars = [""]
    else:
        closing, function = BRACKETS[opening.text]
        if opening.text == "{" and opening.kind == "sign":
            closing, function = "}", ""
            place.dummies = dummies
        place.bars = [""]
    out = read.total(place)
    while several and place.is_sign(","):
        place.take()
        out = [*out, place.token("sign", ","), *read.total(place)]
    place.bars, place.dummies = bars, dummies
    found = place.piece
    if found.text == "," and not function:
        raise place.error(
            "a comma in a bracket, which only functions of several arguments have", "declare f: function of x, y"
        )
    if found.text != closing or (closing in "|}" and found.kind != opening.kind):
        raise place.error(f"expected {closing!r} for the bracket of column {opening.start + 1}, found {place.shown()}")
    place.take()
    if function == "abs":
        return between_bars(place, out, opening)
    if function == "norm":
        return structures.norm(place, out, opening)
    if function == "dot" and place.is_sign("_"):
        return _inner_product(place, out, opening)
    if function:
        return place.called(function, out, opening)
    return [place.token("sign", "(", opening), *out, place.token("sign", ")")]


def between_bars(place: Place, inside: list[Token], opening: Piece) -> list[Token]:
    """The absolute value of a number, the determinant of a matrix."""
    shape = place.shape(inside)
    if shape and len(shape) == 2:
        place.notes.setdefault(r"bars around a matrix are read as its determinant")
        return place.called("det", inside, opening)
    if shape:
        raise place.error("bars around a vector can be its norm or absolute values", r"write \lVert … \rVert", opening)
    return place.called("abs", inside, opening)


def _inner_product(place: Place, inside: list[Token], opening: Piece) -> list[Token]:
    r"""\langle A, B\rangle_F."""
    place.take()
    if place.piece.text != "F" or len(parts := integrals.split(inside)) != 2:
        raise place.error("this inner product is not read", r"write x^\top y, or \operatorname{tr}(A^\top B)")
    place.take()
    left = [*place.bracketed(parts[0], opening), place.token("sign", "'")]
    return place.called("tr", [*left, place.token("sign", "*"), *place.bracketed(parts[1])], opening)
