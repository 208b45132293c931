r"""What is a function applied to, where LaTeX leaves out the brackets?  \sin^2 2x, \log_2 x, \log\det X."""

from __future__ import annotations

from typing import NamedTuple

from verify.graph import MATRIX_FUNCTIONS
from verify.language.latex import brackets, integrals, read, superscripts, values
from verify.language.latex.letters import starts_a_name
from verify.language.latex.place import Place
from verify.language.latex.words import COMMANDS, FUNCTIONS, INVERSES
from verify.language.names import is_function
from verify.language.tokens import Token


class Function(NamedTuple):
    """A function of the text grammar; `word` is its name in LaTeX."""

    name: str
    word: str


def function_at(place: Place) -> Function | None:
    """The function whose name stands next, unless it is declared as a quantity."""
    piece = place.piece
    if piece.kind == "command" and piece.text in COMMANDS:
        return Function(FUNCTIONS[piece.text], piece.text)
    if piece.kind == "word" and piece.text in FUNCTIONS and piece.text not in place.declared:
        return Function(FUNCTIONS[piece.text], piece.text)
    if piece.kind == "word" and piece.style == "operatorname" and piece.text not in place.declared:
        if not is_function(piece.text) and piece.text not in MATRIX_FUNCTIONS:
            raise place.error(f"\\operatorname{{{piece.text}}} is no known function")
        return Function(piece.text, piece.text)
    return None


def application(place: Place, function: Function) -> list[Token]:
    """The function with its base, its exponent and its argument."""
    place.deeper()
    first = place.take()
    name = function.name
    base: list[Token] = []
    exponent: list[Token] = []
    while place.is_sign("_", "^"):
        if place.is_sign("_"):
            if name != "log" or base or function.word == "ln":
                raise place.error(f"a subscript of {function.word}", "only \\log has a base")
            base = _base(place)
            natural = [token.text for token in base] in (["e"], ["E"]) and "e" not in place.declared
            base = [] if natural else base
            continue
        if exponent:
            raise place.error("a second exponent")
        exponent = _exponent(place)
    if place.is_sign("'"):
        raise place.error(f"{function.word}' does not say by what", r"write \frac{d}{dx}")
    if exponent and [token.text for token in exponent] in (["(", "-", "1", ")"], ["-", "1"]):
        if name not in INVERSES:
            raise place.error(
                f"{function.word}^{{-1}} can be the inverse function or the reciprocal", "write it out", first
            )
        place.notes.setdefault(f"\\{function.word}^{{-1}} is read as the inverse function {INVERSES[name]}")
        name, exponent = INVERSES[name], []
    elif exponent and any(token.text == "-" for token in exponent):
        raise place.error(f"a negative power of {function.word} is ambiguous", "write a fraction", first)
    inside = _argument(place, function)
    if function.word == "log" and not base:
        place.notes.setdefault(r"\log is read as the natural logarithm; \log_{10} has another base")
    shape = place.shape(inside)
    if name == "exp" and shape and len(shape) == 2:
        place.notes.setdefault("exp of a matrix is read as the exponential of the matrix")
        name = "expm"
    value = place.called(name, inside, first)
    place.depth -= 1
    if base:
        value = [*value, place.token("sign", "/", first), *place.called("log", base, first)]
        value = place.bracketed(value, first)
    if not exponent:
        return value
    entrywise = bool(place.shape(value)) and name not in MATRIX_FUNCTIONS
    if entrywise:
        place.notes.setdefault(f"the power of {function.word} of a vector is read entry by entry")
    return [*value, place.token("sign", ".^" if entrywise else "^", first), *exponent]


def _base(place: Place) -> list[Token]:
    place.take()
    return values.argument(place)


def _exponent(place: Place) -> list[Token]:
    place.take()
    transposed, exponent = superscripts.superscript(place, [place.token("number", "0", place.before)])
    if transposed:
        raise place.error("a transposition behind the name of a function", "write it behind the bracket")
    return exponent


def _argument(place: Place, function: Function) -> list[Token]:
    start = place.piece
    if place.is_sign("{") and _holds_a_bracket(place):
        place.take()
        inside = brackets.bracket(place, several=True)[1:-1]
        place.expect("}", "after the argument")
        if place.is_sign("^"):
            place.notes.setdefault(f"{function.word}(…)^… is read as the power of the function")
        return inside
    if place.is_sign("{"):
        place.take()
        bars, place.bars = place.bars, [""]
        inside = read.total(place)
        place.bars = bars
        place.expect("}", "after the argument")
        if place.is_sign("^", "!"):
            raise place.error(f"it is not clear whether this belongs to {function.word} or to its argument", _BRACKETS)
        return inside
    if read.opens_a_bracket(place):
        inside = brackets.bracket(place, several=True)[1:-1]
        if place.is_sign("^"):
            place.notes.setdefault(f"{function.word}(…)^… is read as the power of the function")
        return inside
    if place.is_sign("|") or place.is_command("lvert", "lVert", "|", "lfloor", "lceil"):
        inside = brackets.bracket(place)
        if place.is_sign("^", "!"):
            raise place.error(f"it is not clear whether this belongs to {function.word} or to its argument", _BRACKETS)
        return inside
    if (inner := function_at(place)) is not None:
        return application(place, inner)
    if integrals.is_law(place):
        return values.power(place)
    if place.piece.kind not in ("number", "begin", "blackboard") and not (
        starts_a_name(place) or place.is_command(*_FIRST)
    ):
        raise place.error(f"{function.word} needs an argument, found {place.shown()}", _BRACKETS)
    inside = values.power(place)
    factors = 1
    while place.piece.kind == "number" or (starts_a_name(place) and not _is_euler(place)):
        if place.at_differential():
            return inside
        if function_at(place) is not None:
            break
        if place.piece.kind == "number":
            raise place.error("a number follows a value without a sign", _BRACKETS)
        if not _belongs_together(place, function):
            raise place.error(f"it is not clear whether this belongs to the argument of {function.word}", _BRACKETS)
        inside = [*inside, place.token("sign", "*", place.piece), *values.power(place)]
        factors += 1
    if read.opens_a_bracket(place) or place.is_sign("/") or place.is_command(*_FIRST, "div") or place.is_sign("{"):
        raise place.error(f"it is not clear whether this belongs to the argument of {function.word}", _BRACKETS)
    if starts_a_name(place) and _is_euler(place):
        if function.name == "log":
            raise place.error(f"it is not clear whether this belongs to the argument of {function.word}", _BRACKETS)
        place.notes.setdefault(f"the argument of {function.word} ends before e^…")
    if factors > 1:
        place.notes.setdefault(f"{place.source(start)} is read as the argument of {function.word}")
    return inside


_BRACKETS = "write the brackets"
_FIRST = ("frac", "dfrac", "tfrac", "sqrt", "dot", "ddot", "sum", "prod", "int", "binom")


def _holds_a_bracket(place: Place) -> bool:
    """Whether the braces that open here hold one bracket and nothing else."""
    depth = 0
    for at in range(place.at + 1, len(place.pieces) - 1):
        piece = place.pieces[at]
        if piece.kind == "sign":
            depth += (piece.text in "([{") - (piece.text in ")]}")
        if depth <= 0:
            return piece.text in ("(", ")", "]") and depth == 0 and place.pieces[at + 1].text == "}"
    return False


def _belongs_together(place: Place, function: Function) -> bool:
    r"""Whether the next letter goes on with an argument: 2x, xy and, of an angle, \omega t; never behind a space \,."""
    between = place.text[place.before.end : place.piece.start]
    if "\\" in between or place.piece.start < place.before.end:
        return False
    return not between or place.before.kind == "number" or function.name in INVERSES


def _is_euler(place: Place) -> bool:
    """Whether a power of e stands next, which begins a factor of its own."""
    return place.piece.text == "e" and place.after.text == "^" and "e" not in place.declared
