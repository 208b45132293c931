r"""Under which conditions is an equality claimed?  \text{for } x > 0, x \in \mathbb{R}, n \in \mathbb{Z}."""

from __future__ import annotations

from verify.language.latex.declared import shaped_kind
from verify.language.latex.integrals import law_at
from verify.language.latex.letters import starts_a_name
from verify.language.latex.names import name_with_subscript
from verify.language.latex.place import Place
from verify.language.latex.read import total
from verify.language.latex.structures import condition, relation_at
from verify.language.latex.words import CONDITION_WORDS, FIELDS, REFUSED, RELATIONS
from verify.language.tokens import Token, tokens


def conditions(place: Place) -> list[list[Token]]:
    """What follows behind an equality, each condition or declaration as tokens of the text grammar."""
    found: list[list[Token]] = []
    if place.piece.kind == "end":
        return found
    bracketed = None
    if not separators(place) and not place.is_sign("("):
        raise _unexpected(place)
    if place.is_sign("(") and _is_all_in_brackets(place):
        bracketed = place.take()
        separators(place)
    while place.piece.kind != "end":
        found += _one(place)
        if bracketed is not None and place.is_sign(")"):
            place.take()
            bracketed = None
        if place.piece.kind != "end" and not separators(place):
            raise _unexpected(place)
    return found


def _is_all_in_brackets(place: Place) -> bool:
    """Whether the bracket that opens here closes at the end."""
    depth = 0
    for at in range(place.at, len(place.pieces)):
        piece = place.pieces[at]
        if piece.kind == "sign":
            depth += (piece.text == "(") - (piece.text == ")")
        if depth == 0:
            return place.pieces[at + 1].kind == "end"
    return False


def _unexpected(place: Place) -> Exception:
    if place.piece.kind == "text":
        return place.error(f"the words {place.piece.text.strip()[:40]!r} are not understood", r"write \text{for}")
    if place.piece.kind == "command" and place.piece.text in REFUSED:
        return place.error(*REFUSED[place.piece.text])
    return place.error(f"unexpected {place.shown()}", r"conditions follow after \text{for}")


def separators(place: Place) -> bool:
    """Go behind commas and words between conditions; whether there were any."""
    start = place.at
    while place.is_sign(",", ";", ".") or place.is_command("forall"):
        place.take()
    while place.piece.kind == "text" or place.is_command("forall"):
        words = place.piece.text.strip(" ,.;:()")
        if place.piece.kind == "text" and words and words not in CONDITION_WORDS:
            raise _unexpected(place)
        place.take()
        while place.is_sign(","):
            place.take()
    return place.at > start


def condition_words(place: Place, start: int) -> bool:
    """Whether words that begin conditions stand between a piece and the next one."""
    between = place.pieces[start : place.at]
    if any(piece.text == "forall" for piece in between):
        return True
    words = [piece.text.strip(" ,.;:()") for piece in between if piece.kind == "text"]
    return not words or any(word and word != "and" for word in words)


def _one(place: Place) -> list[list[Token]]:
    """A condition, or the field that names belong to."""
    start = place.at
    names: list[Token] = []
    while starts_a_name(place):
        first = place.piece
        names.append(place.token("name", name_with_subscript(place)[0], first))
        if place.piece.kind in ("end", "text"):
            return []
        if len(names) > 1 and relation_at(place) not in (None, "="):
            sign = place.take()
            bound = [place.token("sign", str(RELATIONS[sign.text]), sign), *total(place)]
            return [[name, *bound] for name in names]
        if place.is_command("in"):
            place.take()
            return _members(place, names)
        if place.is_command("sim"):
            place.take()
            law_at(place)  # it is read where an expectation needs it
            return []
        if not place.is_sign(","):
            break
        place.take()
    place.at = start
    return [condition(place)]


def _members(place: Place, names: list[Token]) -> list[list[Token]]:
    colon = place.token("sign", ":")
    shaped, end = shaped_kind(place.pieces, place.at)
    if shaped:
        place.at = end
        found = tokens(shaped)[:-1]
        first = place.before
        kind = [place.token(each.kind, each.text, first) for each in found]
    else:
        kind = _field(place) if place.piece.kind == "blackboard" else _interval(place)
    return [[name, colon, *kind] for name in names]


#: What stands low or high behind ℝ for its halves.
_HALVES = {
    "+": "positive", "++": "positive", ">0": "positive", "*": "", "ge0": "nonnegative", "geq0": "nonnegative",
    "<0": "negative", "-": "negative",
}  # fmt: skip


def _field(place: Place) -> list[Token]:
    piece = place.take()
    kind = FIELDS.get(piece.text, "")
    if place.is_sign("^", "_"):
        place.take()
        inside = ""
        if place.accepts("{"):
            while not place.accepts("}"):
                if place.piece.kind == "end":
                    break
                inside += place.take().text
        else:
            inside = place.take().text
        kind = _HALVES.get(inside, "") if piece.text == "R" else ""
    if not kind:
        raise place.error("this set is not read", "write conditions such as x > 0", piece)
    return [place.token("name", word, piece) for word in kind.split()]


def _interval(place: Place) -> list[Token]:
    first = place.piece
    if not place.is_sign("(", "["):
        raise place.error(f"a set is needed here, found {place.shown()}", r"write \mathbb{R}, or an interval (a, b)")
    place.take()
    low = total(place)
    place.expect(",", "between the ends of an interval")
    high = total(place)
    if not place.is_sign(")", "]"):
        raise place.error(f"the interval is not closed, found {place.shown()}")
    place.take()
    return place.called("interval", [*low, place.token("sign", ",", first), *high], first)
