"""Which name has a letter, with its accent?  One letter in two typefaces would be two quantities."""

from __future__ import annotations

from verify.language.latex.place import Place
from verify.language.latex.words import ACCENTS, LETTERS


def starts_a_name(place: Place) -> bool:
    """Whether a letter stands next."""
    piece = place.piece
    return piece.kind in ("letter", "word") or (piece.kind == "command" and piece.text in LETTERS)


def letter(place: Place) -> str:
    """The name that the next letter stands for, its accent included, its subscript not."""
    piece = place.take()
    name = LETTERS[piece.text] if piece.kind == "command" else piece.text
    accent, _, _ = piece.style.partition("/")
    if accent in ACCENTS:
        named = f"{name}_{ACCENTS[accent]}"
        kind = place.declared.get(name, "")
        if ACCENTS[accent] == "bar" and named not in place.declared and (place.is_shaped(name) or "complex" in kind):
            raise place.error(f"a bar above {name} can be a mean, a conjugate or a quantity", f"declare {named}", piece)
        return named
    # Greek letters are drawn in two ways, and any letter in two typefaces; the plain letter with an index is an entry.
    drawn = f"{piece.text} {piece.style}"
    if not piece.style and place.is_sign("_") and place.is_shaped(name):
        return name
    if place.styles.setdefault(name, drawn) != drawn:
        raise place.error(f"{name} is drawn in two ways, which can be two quantities", "rename one of them", piece)
    return name
