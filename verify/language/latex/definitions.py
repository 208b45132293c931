r"""What has a display defined, and what does it mean where it is used?  f(x) = x^2 stands before f'(x) = 2x."""

from __future__ import annotations

from typing import NamedTuple

from verify.language.latex import brackets, integrals, read
from verify.language.latex.letters import letter, starts_a_name
from verify.language.latex.piece import Piece
from verify.language.latex.place import Place
from verify.language.latex.words import DEFINITIONS, GREEK_FUNCTIONS, LETTERS
from verify.language.names import RESERVED, is_function
from verify.language.tokens import Token

#: Heads that mean something of their own.
_NO_HEADS = frozenset(("e", "i", "d", "I", "E", "N", "U", "pi", *GREEK_FUNCTIONS))
#: Words that bind names or differentiate: what stands in them is not replaced.
_BINDERS = frozenset(("sum", "int", "expect", "diff"))


class Definition(NamedTuple):
    """A name with its arguments, and the tokens that it stands for; none where only its place says what it is.

    written   how it was written.
    explicit  whether a sign such as := tells that it is a definition, so that it holds for a whole document.
    """

    arguments: tuple[str, ...]
    body: list[Token]
    written: str
    explicit: bool = False


class Head(NamedTuple):
    """What is defined: a name, and its arguments where it is a function."""

    name: Token
    arguments: tuple[str, ...]


def head_at(place: Place) -> Head | None:
    """The name that stands alone in front of a sign of equality, with its arguments or without; go behind it."""
    start, styles = place.at, dict(place.styles)
    found = _head(place)
    if found is None:
        place.at, place.styles = start, styles
    return found


def _head(place: Place) -> Head | None:
    piece = place.piece
    if not starts_a_name(place) or piece.kind == "word":
        return None
    if piece.text == "I" and place.measure.sizes:
        return None
    name = _name(place)
    if not name or name in place.declared or name in _NO_HEADS or name in RESERVED or is_function(name):
        return None
    arguments: list[str] = []
    if place.accepts("("):
        while starts_a_name(place) and place.piece.kind != "word":
            arguments.append(_name(place))
            if not place.is_sign(",", ";"):
                break
            place.take()
        if not arguments or "" in arguments or not place.accepts(")"):
            return None
    if not (place.is_sign("=", ":=") or place.is_command(*DEFINITIONS)):
        return None
    return Head(place.token("name", name, piece), tuple(arguments))


def _name(place: Place) -> str:
    """A letter with a plain subscript, empty for all else."""
    name = letter(place)
    if not place.is_sign("_"):
        return name
    if place.is_shaped(name) or place.depends_on(name):
        return ""
    place.take()
    braced = place.accepts("{")
    parts = []
    while place.piece.kind in ("letter", "number", "text", "word"):
        parts.append(place.take().text)
        if not braced:
            break
    if not parts or (braced and not place.accepts("}")):
        return ""
    return f"{name}_{''.join(parts)}"


def define(place: Place, head: Head, body: list[Token], written: str, explicit: bool) -> None:
    """Remember what a name stands for; an index or an open size means something in its own place only.

    A name that a display defines twice is not used there.
    """
    name = head.name.text
    free = [token.text for token in body if token.text.startswith("#") or token.text in place.ranges]
    if name in {token.text for token in body}:
        place.definitions.pop(name, None)
        return
    known = place.definitions.get(name)
    twice = known is not None and not known.explicit and not explicit and _texts(known.body) != _texts(body)
    body = [] if free or twice else body
    place.definitions[name] = Definition(head.arguments, body, written, explicit)


def _texts(tokens: list[Token]) -> list[str]:
    return [token.text for token in tokens]


def replaced(place: Place, name: str, first: Piece, primes: int = 0) -> list[Token] | None:
    """What a defined name stands for where it is used, with so many primes; None where it is not defined."""
    known = place.definitions.get(name)
    if known is None or name in place.declared:
        return None
    while place.is_sign("'"):
        place.take()
        primes += 1
    if primes and len(known.arguments) != 1:
        raise place.error(f"{name}' does not say by what", r"write \frac{d}{dx} (…)", first)
    if not known.body:
        raise place.error(
            f"the definition of {name} cannot be used here", f"declare {name}, or write what it is", first
        )
    body = _applied(place, name, known, primes, first)
    place.notes.setdefault(f"{name} is read by its definition, {known.written}")
    if primes:
        by = known.arguments[0]
        order = [place.token("sign", "^", first), place.token("number", str(primes), first)] if primes > 1 else []
        above, below = place.token("name", "∂", first), place.token("name", f"∂{by}", first)
        body = place.bracketed(
            [above, *order, place.token("sign", "/", first), below, *order, *_closed(place, body, first)], first
        )
    return body


def only_argument(place: Place, at: int) -> str:
    """The one argument of the defined function that stands at a piece; empty for all else."""
    piece = place.pieces[at]
    known = place.definitions.get(LETTERS.get(piece.text, piece.text))
    return known.arguments[0] if known is not None and len(known.arguments) == 1 else ""


def _applied(place: Place, name: str, known: Definition, primes: int, first: Piece) -> list[Token]:
    """The body at the arguments that follow, or where it was defined."""
    here = [place.token(token.kind, token.text, first) for token in known.body]
    if not known.arguments:
        if place.is_sign("(", "[") and read.holds_one_piece(place):
            raise place.error(f"{name}(…) can be a value or a product", r"write \cdot for the product", first)
        return _closed(place, here, first)
    if not place.is_sign("("):
        if place.piece.kind in ("end", "text", "row") or place.piece.text in ("}", "=", "+", "-", ",", ".", "&", ")"):
            return _closed(place, here, first)
        raise place.error(f"{name} needs its arguments", f"write {name}({', '.join(known.arguments)})", first)
    given = integrals.split(brackets.arguments(place))
    if len(given) != len(known.arguments):
        raise place.error(f"{name} is defined with {len(known.arguments)} arguments", known.written, first)
    at = dict(zip(known.arguments, given, strict=True))
    same = all(len(tokens) == 1 and tokens[0].text == argument for argument, tokens in at.items())
    if not same and (primes or any(t.text in _BINDERS or t.text[:1] == "∂" or "_" in t.text for t in here)):
        raise place.error(
            f"{name} at another place than that of its definition", f"write it at {', '.join(known.arguments)}", first
        )
    out = [token for each in here for token in (place.bracketed(at[each.text], first) if each.text in at else [each])]
    return _closed(place, [place.token(token.kind, token.text, first) for token in out], first)


def _closed(place: Place, tokens: list[Token], first: Piece) -> list[Token]:
    return [place.token("sign", "(", first), *tokens, place.token("sign", ")", first)]
