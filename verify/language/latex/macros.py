r"""What does a macro stand for?  \newcommand with arguments, and the derivatives and brackets of `physics`."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import NamedTuple

from verify.language.errors import ReadError
from verify.language.latex.piece import Piece
from verify.language.tokens import MOST_TOKENS

#: How often macros may be replaced in one formula.
MOST_EXPANSIONS = 500
#: Characters of the body of a macro.
LONGEST_MACRO = 500

_MACRO = re.compile(
    r"\\(?:(?P<operator>DeclareMathOperator)\*?|(?:re|provide)?newcommand\*?|renewcommand\*?|def)\s*"
    r"(?:\{\s*\\(?P<braced>[A-Za-z]+)\s*\}|\\(?P<name>[A-Za-z]+))\s*"
    r"(?:\[(?P<count>[0-9])\]\s*(?:\[(?P<default>[^\[\]\n]{0,80})\]\s*)?|(?P<parameters>(?:\#[1-9])*))\s*\{"
)
_DIFFERENTIALS = {
    "dv": r"\mathrm{d}",
    "pdv": r"\partial",
    "derivative": r"\mathrm{d}",
    "partialderivative": r"\partial",
}


class Macro(NamedTuple):
    """What a command stands for: #1, #2 … in the body are its arguments, the first one optional with a `default`."""

    body: str
    arguments: int = 0
    default: str | None = None


#: Commands of the package `physics`, which are read unless a document defines them.
PHYSICS = {
    "dd": Macro(r"\mathrm{d}#1", 1),
    "qty": Macro(r"{#1}", 1),
    "vb": Macro(r"\mathbf{#1}", 1),
    "grad": Macro(r"\nabla"),
}


def macros_of(text: str) -> dict[str, Macro]:
    r"""What the commands of a document stand for: those of \newcommand, \def and \DeclareMathOperator."""
    macros: dict[str, Macro] = {}
    for match in _MACRO.finditer(text):
        depth, end = 1, match.end()
        while depth and end < min(len(text), match.end() + LONGEST_MACRO):
            depth += (text[end] == "{") - (text[end] == "}")
            end += 1
        if depth == 0:
            body = text[match.end() : end - 1]
            body = f"\\operatorname{{{body}}}" if match["operator"] else body
            count = int(match["count"]) if match["count"] else len(match["parameters"] or "") // 2
            macros[match["braced"] or match["name"]] = Macro(body, count, match["default"])
    return macros


def expanded(
    text: str, raw: list[Piece], macros: Mapping[str, Macro], read: Callable[[str], list[Piece]]
) -> list[Piece]:
    """The pieces with macros replaced, each piece of a replacement at the place where the macro stands.

    read    the pieces of a body, in which #1, #2 … are of kind `parameter`.
    """
    count = 0
    found: list[Piece] = []
    waiting = raw[::-1]
    while waiting:
        piece = waiting.pop()
        known = piece.kind == "command" and (piece.text in macros or piece.text in PHYSICS)
        differential = piece.kind == "command" and piece.text in _DIFFERENTIALS and not known
        if piece.kind == "parameter":
            raise ReadError("# stands only in the bodies of macros", text, piece.start)
        if not known and not differential:
            found.append(piece)
            continue
        count += 1
        if count > MOST_EXPANSIONS or len(waiting) + len(found) > 2 * MOST_TOKENS:
            raise ReadError(f"the macro \\{piece.text} goes on and on", text, piece.start, "write what it stands for")
        if differential:
            waiting.extend(reversed(_differential(text, waiting, piece, read)))
            continue
        macro = macros[piece.text] if piece.text in macros else PHYSICS[piece.text]
        given = _arguments(text, waiting, piece, macro, read)
        end = max(piece.end, _end_of_call(text, piece, given))
        try:
            body = [each._replace(start=piece.start, end=end) for each in read(macro.body)]
        except ReadError as error:
            raise ReadError(f"the macro \\{piece.text}: {error.what}", text, piece.start) from None
        for each in reversed(body):
            if each.kind != "parameter":
                waiting.append(each)
            elif int(each.text) > len(given):
                raise ReadError(f"the macro \\{piece.text} has no argument #{each.text}", text, piece.start)
            else:
                waiting.extend(reversed(given[int(each.text) - 1]))
    return found


def _end_of_call(text: str, piece: Piece, given: list[list[Piece]]) -> int:
    """Where the last argument of a macro ends, with its brace."""
    end = max((each.end for argument in given for each in argument), default=piece.end)
    return end + (text[end : end + 1] == "}")


def _arguments(
    text: str, waiting: list[Piece], piece: Piece, macro: Macro, read: Callable[[str], list[Piece]]
) -> list[list[Piece]]:
    """The arguments that follow a macro, taken from the pieces that wait (the next one last)."""
    given: list[list[Piece]] = []
    if macro.default is not None:
        optional = _optional(waiting)
        inside = [each._replace(start=piece.start, end=piece.end) for each in read(macro.default)]
        given.append(inside if optional is None else optional)
    while len(given) < macro.arguments:
        given.append(_argument(text, waiting, piece))
    return given


def _skip_spaces(waiting: list[Piece]) -> None:
    while waiting and waiting[-1].kind == "space":
        waiting.pop()


def _optional(waiting: list[Piece]) -> list[Piece] | None:
    """What stands in square brackets next, if they do."""
    _skip_spaces(waiting)
    if not waiting or waiting[-1].kind != "sign" or waiting[-1].text != "[":
        return None
    closing = next((i for i in range(len(waiting) - 1, -1, -1) if waiting[i].text == "]"), None)
    if closing is None:
        return None
    inside = waiting[closing + 1 : -1][::-1]
    del waiting[closing:]
    return inside


def _argument(text: str, waiting: list[Piece], piece: Piece) -> list[Piece]:
    _skip_spaces(waiting)
    if not waiting:
        raise ReadError(f"the macro \\{piece.text} needs an argument", text, piece.start)
    first = waiting.pop()
    if first.kind != "sign" or first.text != "{":
        return [first]
    depth, inside = 1, []
    while waiting:
        each = waiting.pop()
        depth += (each.kind == "sign") * ((each.text == "{") - (each.text == "}"))
        if depth == 0:
            return inside
        inside.append(each)
    raise ReadError(f"the brace of \\{piece.text} is not closed", text, piece.start)


def _differential(text: str, waiting: list[Piece], piece: Piece, read: Callable[[str], list[Piece]]) -> list[Piece]:
    r"""\dv{f}{x}, \dv[2]{f}{x}, \dv{x}, \pdv{f}{x}{y} as the fraction that it draws."""

    def written(source: str) -> list[Piece]:
        return [each._replace(start=piece.start, end=piece.end) for each in read(source)]

    order = _optional(waiting)
    groups = [_argument(text, waiting, piece)]
    while len(groups) < 3 and (groups or waiting):
        _skip_spaces(waiting)
        if not waiting or waiting[-1].kind != "sign" or waiting[-1].text != "{":
            break
        groups.append(_argument(text, waiting, piece))
    d = written(_DIFFERENTIALS[piece.text])
    above, below = (groups[0], groups[1:]) if len(groups) > 1 else ([], groups)
    if order is not None and len(below) > 1:
        raise ReadError(f"\\{piece.text} with an order and two variables", text, piece.start, "write \\frac")
    if len(below) > 1:
        order = written("2")
    raised = [] if order is None else [*written("^{"), *order, *written("}")]
    power = [] if len(below) > 1 else raised
    under = [part for each in below for part in (*d, *each, *power)]
    return [*written(r"\frac{"), *d, *raised, *above, *written("}{"), *under, *written("}")]
