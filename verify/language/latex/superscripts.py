r"""What does a superscript mean?  An exponent, a transposition or the inverse of one; all else is refused."""

from __future__ import annotations

from verify.language.latex import read, values
from verify.language.latex.place import Place
from verify.language.tokens import Token

_TRANSPOSED = ("top", "intercal")


def superscript(place: Place, base: list[Token]) -> tuple[bool, list[Token]]:
    """Whether a transposition stands above, and the exponent (of an inverse, where both do)."""
    name = base[0].text if len(base) == 1 and base[0].kind == "name" else ""
    braced = place.accepts("{")
    if place.is_command("prime", "dagger", "ast", "star") or place.is_sign("*"):
        raise place.error(f"a superscript {place.shown()} is not read", r"write \frac{d}{dx}, or ^\top")
    if not braced:
        return _bare_superscript(place, base)
    if place.after.text == "}" and _is_transposition(place, base):
        place.take()
        place.take()
        return True, []
    if place.is_sign("-") and place.pieces[min(place.at + 2, len(place.pieces) - 1)].text == "}":
        sign = place.take()
        if _is_transposition(place, base):
            place.take()
            place.take()
            return True, [place.token("sign", "-", sign)]
        place.at -= 1
    if name and place.is_sign("(") and place.pieces[min(place.at + 3, len(place.pieces) - 1)].text == "}":
        raise place.error(f"{name}^{{(…)}} can be a derivative or a power", "write it out")
    bars, place.bars = place.bars, [""]
    exponent = read.total(place)
    place.bars = bars
    place.expect("}", "after the exponent")
    return False, place.bracketed(exponent)


def _bare_superscript(place: Place, base: list[Token]) -> tuple[bool, list[Token]]:
    if _is_transposition(place, base):
        place.take()
        return True, []
    piece = place.piece
    if piece.kind == "number" and len(piece.text) > 1:
        raise place.error(f"only the first digit of {piece.text} is set high", "write braces around the exponent")
    if piece.kind == "sign" or piece.kind in ("end", "row", "text"):
        raise place.error(f"only {place.shown()} is set high", "write braces around the exponent")
    return False, place.bracketed(values.atom(place, alone=True), piece)


def _is_transposition(place: Place, base: list[Token]) -> bool:
    """Whether a sign above is a transposition: a T is one above vectors and matrices, and an exponent above numbers."""
    if place.is_command(*_TRANSPOSED):
        return True
    piece = place.piece
    if piece.text != "T" or piece.kind not in ("letter", "word"):
        return False
    if len(base) == 1 and base[0].kind in ("number", "constant"):
        return False
    shape = place.shape(base)
    if shape or (shape is None and "T" not in place.declared):
        place.notes.setdefault("^T is read as a transposition")
        return True
    if shape is None:
        raise place.error("^T can be a transposition or a power", r"write ^\top for a transposition")
    if "T" in place.declared:
        return False
    raise place.error("^T can be a transposition or a power", "declare T, or the vector or matrix below it")
