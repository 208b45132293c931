r"""What do roots, norms, sums, dots, cases and indices of LaTeX become?  The calls of the text grammar."""

from __future__ import annotations

from verify.language.latex import read
from verify.language.latex.names import letter, starts_a_name
from verify.language.latex.place import Place
from verify.language.latex.superscripts import superscript
from verify.language.latex.words import OTHERWISE, RELATIONS
from verify.language.tokens import Token


def norm(place: Place, inside: list[Token]) -> list[Token]:
    """The norm of what stands between the bars, with the name that stands below."""
    braced = place.accepts("{")
    piece = place.take()
    if braced:
        place.expect("}", "after the name of the norm")
    if piece.text not in ("1", "2", "F"):
        raise place.error("a norm is the one with 1, 2 or F", piece=piece)
    one = [place.token("sign", ","), place.token("number", "1")] if piece.text == "1" else []
    return place.called("norm", [*inside, *one], piece)


def root(place: Place) -> list[Token]:
    """A square root, or one of a higher order, as a power."""
    first = place.take()
    if not place.is_sign("["):
        return place.called("sqrt", read.argument(place), first)
    place.take()
    order = place.piece
    if order.kind != "number" or not order.text.isdigit() or int(order.text) < 2:
        raise place.error("the order of a root is a whole number from 2 on")
    place.take()
    place.expect("]", "after the order of the root")
    place.notes.setdefault(f"\\sqrt[{order.text}]{{x}} is read as x^(1/{order.text}), for x > 0")
    body = place.bracketed(read.argument(place), first)
    exponent = [place.token("number", "1", order), place.token("sign", "/", order), place.token("number", order.text)]
    raised = [place.token("sign", "(", order), *exponent, place.token("sign", ")", order)]
    return place.bracketed([*body, place.token("sign", "^", first), *raised], first)


def sum_over(place: Place) -> list[Token]:
    """A sum over an index, of the product that follows."""
    first = place.take()
    if not place.accepts("_") or not place.accepts("{") or not starts_a_name(place):
        raise place.error("a sum needs its index and its ends", r"write \sum_{i=1}^{n}", first)
    name = letter(place)
    place.expect("=", "after the index of the sum")
    low = read.total(place)
    place.expect("}", "after the lower end")
    place.expect("^", "before the upper end")
    transposed, high = superscript(place)
    if transposed:
        raise place.error("the upper end of a sum is a number", r"declare T", first)
    place.bound.append(name)
    body = read.product(place)
    place.bound.pop()
    comma = place.token("sign", ",", first)
    return place.called("sum", [*body, comma, place.token("name", name, first), comma, *low, comma, *high], first)


def dotted(place: Place) -> list[Token]:
    """A name with a dot: the derivative by what it is declared to depend on."""
    first = place.take()
    braced = place.accepts("{")
    if not starts_a_name(place):
        raise place.error("a dot stands above a name")
    name = letter(place)
    if braced:
        place.expect("}", "after the name")
    by = place.depends_on(name)
    if not by or "," in by:
        raise place.error(f"a dot above {name} does not say by what", f"declare {name}: function of t", first)
    tokens = [place.token("name", text, first) for text in ("∂", f"∂{by}", name)]
    return place.bracketed([tokens[0], place.token("sign", "/", first), *tokens[1:]], first)


def cases(place: Place) -> list[Token]:
    """The lines of an environment `cases` as `piecewise`."""
    first = place.take()
    out: list[Token] = []
    while place.piece.kind != "end_of":
        value = read.total(place)
        while place.is_sign(",") or (place.piece.kind == "text" and not place.piece.text):
            place.take()
        if not place.accepts("&"):
            raise place.error(f"a condition is missing before {place.shown()}", "write value & condition")
        while place.piece.kind == "text" and not place.piece.text:
            place.take()
        when = place.piece
        if when.kind in ("text", "word") and when.text.strip(" .,;") in OTHERWISE:
            place.take()
            met = [place.token("name", "otherwise")]
        else:
            if when.kind == "text" and when.text.strip() in ("if", "for", "when"):
                place.take()
            met = condition(place)
        while place.is_sign(",", ".", ";"):
            place.take()
        comma = place.token("sign", ",", when)
        out += [comma] * bool(out) + place.bracketed([*value, comma, *met], first)
        if place.piece.kind == "row":
            place.take()
        elif place.piece.kind != "end_of":
            raise place.error(f"unexpected {place.shown()} behind a condition")
    place.take()
    return place.called("piecewise", out, first)


def condition(place: Place) -> list[Token]:
    """A comparison, or several with `and`, `or` between them."""
    out = read.total(place)
    if relation_at(place) in (None, "="):
        raise place.error(f"a condition is needed here, found {place.shown()}", "for example x > 0")
    while (sign := relation_at(place)) not in (None, "="):
        place.take()
        out = [*out, place.token("sign", str(sign)), *read.total(place)]
    joint = place.piece
    word = {"land": "and", "wedge": "and", "lor": "or", "vee": "or"}.get(joint.text, joint.text.strip())
    if joint.kind in ("text", "command", "word") and word in ("and", "or"):
        place.take()
        return [*out, place.token("name", word), *condition(place)]
    return out


def relation_at(place: Place) -> str | None:
    """The relation that stands next, as text writes it."""
    return RELATIONS.get(place.piece.text) if place.piece.kind in ("sign", "command") else None


def index(place: Place) -> list[Token]:
    """The entry that the subscript of a vector or matrix means, behind its _."""
    first = place.piece
    out: list[Token] = []
    if place.accepts("{"):
        while not place.accepts("}"):
            alone = place.pieces[place.at + 1].kind in ("letter", "number") and place.piece.kind in ("letter", "number")
            out += [place.token("sign", ",", first)] * bool(out) + (
                read.atom(place, alone=True) if alone else read.total(place)
            )
            place.accepts(",")
    else:
        out = read.atom(place, alone=True)
    return [place.token("sign", "[", first), *out, place.token("sign", "]")]
