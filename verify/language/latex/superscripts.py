r"""What does a superscript mean?  An exponent, a transposition or the inverse of one; all else is refused."""

from __future__ import annotations

from verify.language.latex import read
from verify.language.latex.place import Place
from verify.language.tokens import Token

_TRANSPOSED = ("top", "intercal")


def superscript(place: Place, name: str = "") -> tuple[bool, list[Token]]:
    """Whether a transposition stands above, and the exponent (of an inverse, where both do)."""
    braced = place.accepts("{")
    if place.is_command("prime", "dagger", "ast", "star") or place.is_sign("*"):
        raise place.error(f"a superscript {place.shown()} is not read", r"write \frac{d}{dx}, or ^\top")
    if not braced:
        return _bare_superscript(place)
    if _is_transposition(place) and place.after.text == "}":
        place.take()
        place.take()
        return True, []
    if place.is_sign("-") and place.pieces[min(place.at + 2, len(place.pieces) - 1)].text == "}":
        sign = place.take()
        if _is_transposition(place):
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


def _bare_superscript(place: Place) -> tuple[bool, list[Token]]:
    if _is_transposition(place):
        place.take()
        return True, []
    piece = place.piece
    if piece.kind == "number" and len(piece.text) > 1:
        raise place.error(f"only the first digit of {piece.text} is set high", "write braces around the exponent")
    if piece.kind == "sign" or piece.kind in ("end", "row", "text"):
        raise place.error(f"only {place.shown()} is set high", "write braces around the exponent")
    return False, place.bracketed(read.atom(place, alone=True), piece)


def _is_transposition(place: Place) -> bool:
    if place.is_command(*_TRANSPOSED):
        return True
    piece = place.piece
    if piece.text != "T" or piece.kind not in ("letter", "word") or "T" in place.declared:
        return False
    if any(place.is_shaped(name) for name in place.declared):
        place.notes.setdefault("^T is read as a transposition; declare T if it is a number")
        return True
    raise place.error("^T can be a transposition or a power", "declare T, or the vector or matrix below it")
