r"""What do roots, norms, sums, dots, cases and indices of LaTeX become?  The calls of the text grammar."""

from __future__ import annotations

from verify.language.latex import definitions, names, read, values
from verify.language.latex.letters import letter, starts_a_name
from verify.language.latex.piece import Piece
from verify.language.latex.place import Place
from verify.language.latex.words import OTHERWISE, RELATIONS
from verify.language.tokens import MOST_TOKENS, Token


def norm(place: Place, inside: list[Token], opening: Piece) -> list[Token]:
    """The norm of what stands between the bars, with the name that stands below."""
    matrix = len(place.shape(inside) or ()) == 2
    if not place.is_sign("_"):
        if matrix:
            place.notes.setdefault("the norm of a matrix without a name is read as Frobenius's")
        return place.called("norm", inside, opening)
    place.take()
    braced = place.accepts("{")
    piece = place.take()
    if braced:
        place.expect("}", "after the name of the norm")
    if piece.text not in ("1", "2", "F"):
        raise place.error("a norm is the one with 1, 2 or F", piece=piece)
    if matrix and piece.text != "F":
        raise place.error(f"the norm of a matrix with {piece.text} is not read", r"write \|A\|_F", piece)
    one = [place.token("sign", ","), place.token("number", "1")] if piece.text == "1" else []
    return place.called("norm", [*inside, *one], opening)


def root(place: Place) -> list[Token]:
    """A square root, or one of a higher order, as a power."""
    first = place.take()
    if not place.is_sign("["):
        return place.called("sqrt", _argument(place), first)
    place.take()
    order = place.piece
    if order.kind != "number" or not order.text.isdigit() or int(order.text) < 2:
        raise place.error("the order of a root is a whole number from 2 on")
    place.take()
    place.expect("]", "after the order of the root")
    place.notes.setdefault(f"\\sqrt[{order.text}]{{x}} is read as x^(1/{order.text}), for x > 0")
    body = place.bracketed(_argument(place), first)
    exponent = [place.token("number", "1", order), place.token("sign", "/", order), place.token("number", order.text)]
    raised = [place.token("sign", "(", order), *exponent, place.token("sign", ")", order)]
    return place.bracketed([*body, place.token("sign", "^", first), *raised], first)


def _argument(place: Place) -> list[Token]:
    return values.argument(place)


def _limits_of_index(place: Place, first: Piece) -> tuple[list[str], list[Token], list[Token]]:
    """The names of the indices below a sum or product, and its ends; without ends the indices count all entries."""
    mend = r"write \sum_{i=1}^{n}"
    if not place.accepts("_"):
        raise place.error("a sum needs its index and its ends", mend, first)
    braced = place.accepts("{")
    names: list[str] = []
    low: list[Token] = []
    while starts_a_name(place):
        names.append(letter(place))
        if not braced or not place.is_sign(","):
            break
        place.take()
    if not names:
        raise place.error("a sum needs its index and its ends", mend, first)
    if braced and place.accepts("="):
        low = read.total(place)
    if braced:
        place.expect("}", "after the index of the sum")
    if not low:
        if place.is_sign("^"):
            raise place.error("a sum needs both of its ends", mend, first)
        return names, [], []
    if len(names) > 1:
        raise place.error("several indices with one lower end", "write a sum for each", first)
    place.expect("^", "before the upper end")
    return names, low, _argument(place)


def sum_over(place: Place) -> list[Token]:
    """A sum over an index, or several, of the product that follows."""
    first = place.take()
    names, low, high = _limits_of_index(place, first)
    for name in names:
        if name in place.bound or name in place.declared:
            raise place.error(f"{name} is the index of another sum, or declared", "rename it", first)
    place.bound += names
    kept, place.ranges = place.ranges, {name: size for name, size in place.ranges.items() if name not in names}
    body = read.product(place)
    sizes = [place.ranges.pop(name, "") for name in names]
    place.ranges = {name: size for name, size in kept.items() if name in names} | place.ranges
    del place.bound[len(place.bound) - len(names) :]
    comma = place.token("sign", ",", first)
    for name, size in reversed(list(zip(names, sizes, strict=True))):
        if not low and not size:
            raise place.error(f"{name} counts the entries of what?", r"write \sum_{i=1}^{n}", first)
        if not low:
            place.notes.setdefault(f"the sum over {name} goes from 1 to {size}")
        if any(token.text == "oo" for token in high):
            raise place.error("a series without end is not read", "write a sum up to n", first)
        if high:
            _count(place, high)
        start = low or [place.token("number", "1", first)]
        end = high or [place.token("number" if size.isdigit() else "name", size, first)]
        body = place.called("sum", [*body, comma, place.token("name", name, first), comma, *start, comma, *end], first)
    return body


def _count(place: Place, end: list[Token]) -> None:
    """The names in the end of a sum such as n - 1 are whole numbers."""
    for token in end if len(end) > 1 else []:
        if token.kind == "name" and token.text not in place.declared and token.text not in place.bound:
            place.notes.setdefault(f"{token.text} in the end of a sum is read as a whole number from 1 on")
            place.whole.setdefault(token.text)


#: Factors that a product is written out into.
MOST_FACTORS = 30


def product_over(place: Place) -> list[Token]:
    """A product over an index between two numbers, written out."""
    first = place.take()
    names, low, high = _limits_of_index(place, first)
    ends = [tokens[0].text for tokens in (low, high) if len(tokens) == 1 and tokens[0].text.isdigit()]
    if len(ends) != 2 or len(names) != 1 or not 0 <= int(ends[1]) - int(ends[0]) < MOST_FACTORS:
        raise place.error(
            "a product is read between two small numbers only", "write the factors, or a sum of log", first
        )
    name = names[0]
    place.bound.append(name)
    body = read.product(place)
    place.bound.pop()
    if len(body) * (int(ends[1]) - int(ends[0]) + 1) > MOST_TOKENS:
        raise place.error("a product of so many factors is not written out", "write it in another way", first)
    out: list[Token] = []
    for number in range(int(ends[0]), int(ends[1]) + 1):
        here = [each._replace(kind="number", text=str(number)) if each.text == name else each for each in body]
        out += [place.token("sign", "*", first)] * bool(out) + place.bracketed(here, first)
    return place.bracketed(out, first)


def binomial(place: Place) -> list[Token]:
    """A binomial coefficient by factorials."""
    first = place.take()
    above, below = place.bracketed(_argument(place), first), place.bracketed(_argument(place), first)
    place.notes.setdefault("a binomial coefficient is read as n!/(k!*(n - k)!)")
    rest = [*above, place.token("sign", "-", first), *below]
    under = [
        *place.called("factorial", below, first), place.token("sign", "*", first),
        *place.called("factorial", rest, first),
    ]  # fmt: skip
    over = place.called("factorial", above, first)
    return place.bracketed([*over, place.token("sign", "/", first), *place.bracketed(under, first)], first)


def dotted(place: Place) -> list[Token]:
    """A name with dots: the derivative by what it is declared to depend on, there or at the argument behind it."""
    first = place.take()
    order = {"dot": 1, "ddot": 2, "dddot": 3}[first.text]
    braced = place.accepts("{")
    if not starts_a_name(place):
        raise place.error("a dot stands above a name")
    name = names.name_with_subscript(place)[0] if braced else letter(place)
    if braced:
        place.expect("}", "after the name")
    by = place.depends_on(name)
    if not by and (meant := definitions.replaced(place, name, first, order)) is not None:
        return meant
    if not by or "," in by:
        raise place.error(f"a dot above {name} does not say by what", f"declare {name}: function of t", first)
    return values.differentiated(place, name, order, first)


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
        while place.is_sign(",", ".", ";") or (place.piece.kind == "text" and not place.piece.text.strip(" .,;")):
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
