"""Which quantity does a letter name, with its accent and its subscript?"""

from __future__ import annotations

from verify.language.errors import ReadError
from verify.language.latex import indices
from verify.language.latex.identity import kronecker
from verify.language.latex.letters import letter, starts_a_name
from verify.language.latex.place import Place
from verify.language.latex.words import BOLD, FUNCTIONS, LETTERS
from verify.language.names import RESERVED, is_function
from verify.language.tokens import Token

#: Letters that text reads as constants; in LaTeX they name quantities as often.
_AMBIGUOUS = {
    "I": (r"the imaginary unit (write \mathrm{i}) or a quantity", "I"),
    "E": (r"Euler's number (write \mathrm{e}) or a quantity", "E"),
    "i": (r"the imaginary unit (write \mathrm{i}) or a quantity", "i"),
}
#: Names of functions of two letters that are products of letters as often.
_ALSO_PRODUCTS = frozenset(("th", "ch", "sh", "li", "Si", "Ci", "Ei", "Ai", "Bi"))
_UPRIGHT = {"e": "E", "i": "I"}


def name_with_subscript(place: Place) -> tuple[str, list[Token]]:
    """The next name, and the tokens of an index behind it where it names a vector or matrix."""
    name = letter(place)
    if not place.is_sign("_"):
        return name, []
    place.take()
    if place.is_shaped(name):
        shape = place.measure.variables[name].shape if name in place.measure.variables else ()
        return name, indices.index(place, [str(size) for size in shape])
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
    if first.text == "delta" and place.after.text == "_" and _has_two_letters(place):
        if not place.measure.sizes:
            raise place.error("delta with two indices can be Kronecker's or a quantity", "declare it, or the vectors")
        place.take()
        place.take()
        return "", kronecker(place, indices.index(place, []))
    if first.text == "Delta" and first.kind == "command" and "Delta" not in place.declared:
        return _difference(place)
    _refuse_differential(place)
    if first.kind == "word" and first.text in _UPRIGHT and first.text not in place.declared:
        place.take()
        return "", [place.token("constant", _UPRIGHT[first.text], first)]
    name, entry = name_with_subscript(place)
    declared = name in place.declared or name in place.bound
    if name == "i" and not declared and place.imaginary:
        place.notes.setdefault("i is read as the imaginary unit; declare i if it is a quantity")
        return "", [place.token("constant", "I", first)]
    if name in _AMBIGUOUS and not declared and name not in place.ranges:
        what, declare = _AMBIGUOUS[name]
        raise place.error(f"{name} can be {what}", f"declare {declare}", first)
    if any(style in BOLD for style in first.style.split("/")) and not declared:
        # As numbers they would commute, which vectors and matrices do not.
        raise place.error(
            f"{name} is set as a vector or matrix and is not declared", f"declare {name}: vector(n), or real", first
        )
    if name == "e" and not declared and isinstance(place.euler, ReadError):
        raise place.euler
    if name == "e" and not declared and place.euler:
        place.notes.setdefault("e is read as Euler's number; declare e if it is a quantity")
        return "", [place.token("constant", "E", first)]
    if name == "pi" and not declared:
        return "", [place.token("constant", "pi", first)]
    if name in RESERVED or (first.kind == "word" and not declared and is_function(name)):
        raise place.error(f"{name!r} is no name of a quantity", "", first)
    return name, [place.token("name", name, first), *entry]


def _has_two_letters(place: Place) -> bool:
    """Whether the subscript behind the next letter is two letters, none of which makes it a declared name."""
    ahead = place.pieces[place.at + 2 : place.at + 7]
    inside = [piece for piece in ahead[1:] if piece.text != ","][:3]
    letters = [piece for piece in inside[:2] if piece.kind == "letter"]
    name = "delta_" + "".join(piece.text for piece in letters)
    return ahead[0].text == "{" and len(letters) == 2 and inside[2].text == "}" and name not in place.declared


def _refuse_differential(place: Place) -> None:
    r"""\mathrm{d}X, d\log X, \delta x, D f: no products unless their first letter is declared."""
    first = place.piece
    after = place.after
    is_d = first.text == "d" and first.kind in ("letter", "word") and "d" not in place.declared
    if is_d and first.kind == "word" and after.text != "^":
        raise place.error("a differential is not read", r"write \frac{\mathrm{d}}{\mathrm{d}x}, or \nabla_X", first)
    named = after.kind in ("letter", "word") or (after.kind == "command" and (after.text in (*LETTERS, *FUNCTIONS)))
    opens = after.kind == "sign" and after.text in ("(", "[")
    if is_d and (named or opens):
        raise place.error(
            "d can be a differential or a quantity here", r"write \frac{d}{dx}, or declare d for a product", first
        )
    if first.text == "delta" and first.kind == "command" and "delta" not in place.declared and (named or opens):
        raise place.error("delta can be a variation or a quantity here", "declare delta for a product", first)
    follows = LETTERS.get(after.text, after.text)
    if first.text == "D" and first.kind == "letter" and "D" not in place.declared and place.depends_on(follows):
        raise place.error("D can be a derivative or a quantity here", "declare D for a product", first)


def _difference(place: Place) -> tuple[str, list[Token]]:
    r"""\Delta x is one quantity, the difference of two values of x."""
    first = place.take()
    if not starts_a_name(place):
        if place.is_sign("(", "[") or place.piece.kind == "command":
            raise place.error("Delta can be the Laplacian or a quantity", r"write \nabla_x^2, or declare Delta", first)
        return "Delta", [place.token("name", "Delta", first)]
    alone = [
        at for at, piece in enumerate(place.pieces[:-1])
        if piece.text == "Delta" and place.pieces[at + 1].kind != "letter" and place.pieces[at + 1].text not in LETTERS
    ]  # fmt: skip
    if alone:
        raise place.error("Delta stands alone as well as in front of a quantity", "declare Delta for a product", first)
    if place.depends_on(letter_name := place.piece.text):
        raise place.error(f"Delta {letter_name} can be the Laplacian or a difference", r"write \nabla_x^2", first)
    name = f"Delta_{name_with_subscript(place)[0]}"
    place.notes.setdefault(f"{place.source(first)} is read as one quantity, {name}")
    return name, [place.token("name", name, first)]


def _refuse_run(place: Place) -> None:
    """Letters side by side that spell a function without its backslash, or a differential."""
    run, at = "", place.at
    while len(run) < 8 and place.pieces[at].kind == "letter" and not place.pieces[at].style:
        piece = place.pieces[at]
        if run and piece.start != place.pieces[at - 1].end:
            break
        run += piece.text
        at += 1
    for length in range(min(len(run), 8), 1, -1):
        word = run[:length]
        if word in FUNCTIONS and word not in _ALSO_PRODUCTS and not set(word) <= set(place.declared):
            raise place.error(f"{word} without a backslash is a product of letters", f"write \\{word} for the function")
    if len(run) > 1 and run[0] == "d" and "d" not in place.declared:
        raise place.error(
            f"d{run[1]} can be a differential or the product of d and {run[1]}", r"write d \cdot, or declare d"
        )
