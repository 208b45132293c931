"""Which quantity does a letter name, with its accent and its subscript?"""

from __future__ import annotations

from verify.language.latex.place import Place
from verify.language.latex.words import ACCENTS, BOLD, FUNCTIONS, LETTERS
from verify.language.names import RESERVED, is_function
from verify.language.tokens import Token

#: Letters that text reads as constants; in LaTeX they name quantities as often.
_AMBIGUOUS = {
    "I": (r"the imaginary unit (write \mathrm{i}) or a quantity", "I"),
    "E": (r"Euler's number (write \mathrm{e}) or a quantity", "E"),
    "i": (r"the imaginary unit (write \mathrm{i}) or a quantity", "i"),
}
_UPRIGHT = {"e": "E", "i": "I"}


def starts_a_name(place: Place) -> bool:
    """Whether a letter stands next."""
    piece = place.piece
    return piece.kind in ("letter", "word") or (piece.kind == "command" and piece.text in LETTERS)


def letter(place: Place) -> str:
    """The name that the next letter stands for, its accent included, its subscript not."""
    piece = place.take()
    name = LETTERS[piece.text] if piece.kind == "command" else piece.text
    if piece.style in ACCENTS:
        return f"{name}_{ACCENTS[piece.style]}"
    # Greek letters are drawn in two ways, and any letter in two typefaces.
    drawn = f"{piece.text} {piece.style}"
    if place.styles.setdefault(name, drawn) != drawn:
        raise place.error(f"{name} is drawn in two ways, which can be two quantities", "rename one of them", piece)
    return name


def name_with_subscript(place: Place) -> tuple[str, list[Token]]:
    """The next name, and the tokens of an index behind it where it names a vector or matrix."""
    name = letter(place)
    if not place.is_sign("_"):
        return name, []
    place.take()
    if place.is_shaped(name):
        from verify.language.latex.structures import index

        return name, index(place)
    first = place.piece
    lowered = _subscript(place, name)
    arguments = [each.strip() for each in place.depends_on(name).split(",")]
    if lowered in arguments and f"{name}_{lowered}" not in place.declared:
        raise place.error(
            f"{name}_{lowered} can be a derivative or a name", f"write \\partial_{lowered} {name}, or declare it", first
        )
    return f"{name}_{lowered}", []


def _subscript(place: Place, name: str) -> str:
    """The letters and digits of a subscript, as part of a name."""
    start = place.piece
    parts: list[str] = []
    if place.accepts("{"):
        while not place.accepts("}"):
            if place.piece.kind == "end" or not _part(place, parts):
                raise place.error(
                    f"a subscript is made of letters and digits, found {place.shown()}",
                    f"declare {name}: vector(n) if an entry is meant",
                )
    elif place.piece.kind == "number" and len(place.piece.text) > 1:
        raise place.error(f"only the first digit of {place.piece.text} is set low", "write braces")
    elif not _part(place, parts):
        raise place.error(f"a subscript is missing before {place.shown()}")
    spelled = "".join(parts).strip("_")
    if not spelled:
        raise place.error("an empty subscript", piece=start)
    for bound in place.bound:
        if bound in spelled.split("_") or spelled == bound:
            raise place.error(f"{name} has the index {bound} of a sum", f"declare {name}: vector(n)", start)
    return spelled


def _part(place: Place, parts: list[str]) -> bool:
    piece = place.piece
    if piece.kind in ("letter", "word") or (piece.kind == "number" and piece.text.isdigit()):
        parts.append(piece.text)
    elif piece.kind == "text" and piece.text.replace(" ", "").isalnum() and piece.text.isascii():
        parts.append(piece.text.replace(" ", "_"))
    elif piece.kind == "command" and piece.text in LETTERS:
        parts.append(LETTERS[piece.text])
    elif piece.kind == "sign" and piece.text == "," and parts:
        parts.append("_")
    else:
        return False
    place.take()
    return True


def quantity(place: Place) -> tuple[str, list[Token]]:
    """The tokens of the next name where a value is needed, and the name itself."""
    first = place.piece
    _refuse_run(place)
    if first.kind == "word" and first.text in _UPRIGHT and first.text not in place.declared:
        place.take()
        return "", [place.token("constant", _UPRIGHT[first.text], first)]
    name, indices = name_with_subscript(place)
    declared = name in place.declared or name in place.bound
    if name in _AMBIGUOUS and not declared:
        what, declare = _AMBIGUOUS[name]
        raise place.error(f"{name} can be {what}", f"declare {declare}", first)
    if first.style in BOLD and not declared:
        # As numbers they would commute, which vectors and matrices do not.
        raise place.error(
            f"{name} is set as a vector or matrix and is not declared", f"declare {name}: vector(n), or real", first
        )
    if name == "e" and not declared and place.euler:
        place.notes.setdefault("e is read as Euler's number; declare e if it is a quantity")
        return "", [place.token("constant", "E", first)]
    if name == "pi" and not declared:
        return "", [place.token("constant", "pi", first)]
    if name in RESERVED or (first.kind == "word" and not declared and is_function(name)):
        raise place.error(f"{name!r} is no name of a quantity", "", first)
    return name, [place.token("name", name, first), *indices]


def _refuse_run(place: Place) -> None:
    """Letters side by side that spell a function without its backslash, or a differential."""
    run, at = "", place.at
    while place.pieces[at].kind == "letter" and not place.pieces[at].style:
        piece = place.pieces[at]
        if run and piece.start != place.pieces[at - 1].end:
            break
        run += piece.text
        at += 1
    for length in range(min(len(run), 8), 1, -1):
        word = run[:length]
        if word in FUNCTIONS and word not in ("th", "ch", "sh") and not set(word) <= set(place.declared):
            raise place.error(f"{word} without a backslash is a product of letters", f"write \\{word} for the function")
    if len(run) > 1 and run[0] == "d" and "d" not in place.declared:
        raise place.error(
            f"d{run[1]} can be a differential or the product of d and {run[1]}", r"write d \cdot, or declare d"
        )
