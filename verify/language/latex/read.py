r"""Which expression of the text grammar does LaTeX mean?  Every bracket that LaTeX leaves out is written.

A function for each level, the loosest first, as in the grammar of text; what they return are its tokens:

    total       product + product - …
    product     factor \cdot factor / …, and products without a sign
    factor      a derivative with its operand, or a power
    power       atom, atom!, atom ^ …
    atom        number, name, call, bracket, fraction, root, sum, cases
"""

from __future__ import annotations

from verify.language.latex.applied import application, function_at
from verify.language.latex.derivatives import Operator, operator_at
from verify.language.latex.names import quantity, starts_a_name
from verify.language.latex.pieces import Piece
from verify.language.latex.place import Place
from verify.language.latex.structures import cases, dotted, norm, root, sum_over
from verify.language.latex.superscripts import superscript
from verify.language.latex.words import BRACKETS, CLOSING, GREEK_FUNCTIONS, PRODUCTS, REFUSED, RELATIONS
from verify.language.names import is_function
from verify.language.tokens import Token

_FRACTIONS = ("frac", "dfrac", "tfrac", "cfrac")
_OPENING = ("lvert", "lVert", "lfloor", "lceil", "lbrace", "lparen", "lbrack", "{", "|", "langle")


def total(place: Place) -> list[Token]:
    """A sum of products, with or without a sign in front."""
    place.deeper()
    out: list[Token] = []
    if place.is_sign("+", "-"):
        piece = place.take()
        out.append(place.token("sign", piece.text))
    out += product(place)
    while place.is_sign("+", "-"):
        piece = place.take()
        out.append(place.token("sign", piece.text))
        out += product(place)
    place.depth -= 1
    return out


def product(place: Place, differentiated: bool = False) -> list[Token]:
    """Factors with and without signs between them; `differentiated`: they are the operand of a derivative."""
    out = factor(place)
    divided = False
    while True:
        first = place.piece
        if (sign := _product_sign(place)) is not None:
            place.take()
            out.append(place.token("sign", sign))
            divided = sign == "/"
        elif starts_an_operand(place):
            if divided:
                raise place.error(
                    "it is not clear whether this stands below the bar of / as well", "write the brackets, or \\frac"
                )
            if first.kind == "number" or (place.is_command(*_FRACTIONS) and place.before.kind == "number"):
                raise place.error("a number follows a value without a sign", "write \\cdot between them")
            if not _may_be_a_call(place, out):
                out.append(place.token("sign", "*", first))
        else:
            return out
        if differentiated and operator_at(place) is not None:
            raise place.error(
                "a second derivative within the operand of the first: it is not clear where that ends",
                "write brackets around each operand",
            )
        out += factor(place)


def _product_sign(place: Place) -> str | None:
    if place.is_sign("*"):
        return "*"
    if place.is_sign("/") or place.is_command("div"):
        return "/"
    return PRODUCTS.get(place.piece.text) if place.piece.kind == "command" else None


def _may_be_a_call(place: Place, out: list[Token]) -> bool:
    """Whether a bracket follows a name of which text decides whether it is a function: no sign goes between."""
    if not opens_a_bracket(place) or out[-1].kind != "name" or (len(out) > 1 and out[-2].text in ("^", "'")):
        return False
    name = out[-1].text
    if name not in place.declared and _holds_one_piece(place):
        raise place.error(
            f"{name}(…) can be the function or a product",
            f"declare {name}: function of x, or declare {name} for a product",
            place.before,
        )
    if name in place.declared or name in place.bound or is_function(name):
        place.notes.setdefault(f"{name}(…) is read as the product {name}*(…)")
        return False
    return True


def _stands_alone(place: Place, letter: Piece) -> bool:
    """Whether a letter stands somewhere, with or without an exponent, with no bracket behind: functions do not."""
    found = place.pieces
    for at, piece in enumerate(found[:-1]):
        if piece.text != letter.text or piece.kind != letter.kind:
            continue
        following = at + 1
        if found[following].text == "^":
            following += 2
            if found[following - 1].text == "{":
                while following < len(found) - 1 and found[following - 1].text != "}":
                    following += 1
        if found[min(following, len(found) - 1)].text not in ("(", "[", "^"):
            return True
    return False


def _holds_one_piece(place: Place) -> bool:
    """Whether the bracket that opens here holds a single letter or number, as arguments do and factors do not."""
    ahead = [piece.text for piece in place.pieces[place.at + 1 : place.at + 12]]
    return ")" in ahead and (ahead.index(")") == 1 or (ahead[1] == "_" and "=" not in ahead[: ahead.index(")")]))


def opens_a_bracket(place: Place) -> bool:
    """Whether a bracket that the author wrote to group things stands next."""
    return place.is_sign("(", "[") or place.is_command("{", "lbrace", "lparen", "lbrack")


def starts_an_operand(place: Place) -> bool:
    """Whether another factor follows without a sign between."""
    piece = place.piece
    if piece.kind == "sign":
        return piece.text in "([{" or (piece.text == "|" and place.bars[-1] != "|")
    if piece.kind == "command":
        if piece.text == "|":
            return place.bars[-1] != "||"
        if piece.text in RELATIONS or piece.text in ("in", "forall", "land", "lor", "wedge", "vee", "&"):
            return False
        return piece.text not in PRODUCTS and piece.text not in CLOSING
    return piece.kind in ("number", "letter", "word") or (piece.kind == "begin" and piece.text == "cases")


# --- factors ----------------------------------------------------------------------------------


def factor(place: Place) -> list[Token]:
    """A derivative with its operand, or a power."""
    place.deeper()
    operator = operator_at(place)
    out = power(place) if operator is None else _derivative(place, operator)
    place.depth -= 1
    return out


def _derivative(place: Place, operator: Operator) -> list[Token]:
    first = place.piece
    place.at = operator.end
    written = place.source(first)
    if operator.operand != (0, 0):
        body = _numerator(place, operator, written)
    elif opens_a_bracket(place):
        body = power(place)
        if starts_an_operand(place) or _product_sign(place) not in (None, "/"):
            place.notes.setdefault(f"{written} (…) takes the bracket that follows, and nothing more")
    elif place.is_sign("+", "-"):
        sign = place.take()
        body = [place.token("sign", sign.text), *product(place, differentiated=True)]
    elif starts_an_operand(place):
        body = product(place, differentiated=True)
    else:
        raise place.error(f"{written} needs something to differentiate, found {place.shown()}")
    for name, order in reversed(operator.by):
        body = [
            place.token("sign", "(", first), *_operator_tokens(place, operator, name, order, written),
            place.token("sign", "(", first), *body, place.token("sign", ")"), place.token("sign", ")"),
        ]  # fmt: skip
    return body


def _operator_tokens(place: Place, operator: Operator, name: str, order: int, written: str) -> list[Token]:
    first = place.pieces[operator.end - 1]
    if operator.gradient or (place.is_shaped(name) and order == 1):
        if not operator.gradient:
            place.notes.setdefault(f"{written} is read as grad_{name}")
        return [place.token("name", f"grad_{name}", first)]
    orders = [place.token("sign", "^", first), place.token("number", str(order), first)] if order > 1 else []
    above, below = place.token("name", "∂", first), place.token("name", f"∂{name}", first)
    return [above, *orders, place.token("sign", "/", first), below, *orders]


def _numerator(place: Place, operator: Operator, written: str) -> list[Token]:
    r"""The operand of \frac{d …}{dx}."""
    start, end = operator.operand
    place.at = start
    body = product(place)
    if place.at != end:
        raise place.error("it is not clear how far the derivative above the bar reaches", r"write \frac{d}{dx} (…)")
    place.at = operator.end
    name = body[0].text
    is_name = len(body) == 1 and body[0].kind == "name"
    if is_name and opens_a_bracket(place):
        raise place.error(
            f"{written} (…) can be the derivative there or a product", r"write \cdot for the product, or f'(…)"
        )
    if is_name and name not in {by for by, _ in operator.by} and not place.depends_on(name):
        by = operator.by[0][0]
        raise place.error(
            f"{written} does not say what {name} is",
            f"write \\frac{{d}}{{d{by}}} (…), or declare {name}: function of {by}",
            place.pieces[start],
        )
    return body


# --- powers -----------------------------------------------------------------------------------


def power(place: Place) -> list[Token]:
    """An atom with what stands behind and above it."""
    first = place.piece
    base = atom(place)
    while place.is_sign("!"):
        place.take()
        base = [*base, place.token("sign", "!")]
    if place.is_sign("'"):
        raise place.error("a prime behind this does not say by what", r"write \frac{d}{dx} (…)")
    if not place.is_sign("^"):
        return base
    name = base[0].text if len(base) == 1 and base[0].kind == "name" else ""
    place.take()
    transposed, exponent = superscript(place, name)
    if place.is_sign("^", "_", "'"):
        raise place.error("a second superscript, or a subscript behind the superscript", "write the subscript first")
    if name and place.depends_on(name) and opens_a_bracket(place):
        raise place.error(
            f"{place.source(first)}(…) can be a power, an inverse function or a derivative", f"write ({name}(…))^…"
        )
    if name and name not in place.declared and opens_a_bracket(place):
        if _holds_one_piece(place) or not _stands_alone(place, first):
            raise place.error(
                f"{place.source(first)}(…) can be a power of a function or a product", f"declare {name}", first
            )
        place.notes.setdefault(f"{place.source(first)}(…) is read as a product")
    if transposed and exponent:
        return [*place.called("inv", base, first), place.token("sign", "'")]
    if transposed:
        return [*place.bracketed(base, first), place.token("sign", "'")]
    return [*place.bracketed(base, first), place.token("sign", "^", first), *exponent]


# --- atoms ------------------------------------------------------------------------------------


def atom(place: Place, alone: bool = False) -> list[Token]:
    """What neither a sign nor a space divides; `alone`: nothing that follows belongs to it."""
    place.deeper()
    out = _atom(place, alone)
    place.depth -= 1
    return out


def _atom(place: Place, alone: bool) -> list[Token]:
    piece = place.piece
    if piece.kind == "number":
        place.take()
        return [place.token("number", piece.text)]
    if (function := function_at(place)) is not None:
        if alone:
            raise place.error(f"only {place.shown()} is set high", "write braces around the exponent")
        return application(place, function)
    if starts_a_name(place):
        return _named(place, alone)
    if piece.kind == "sign" and piece.text in ("(", "[", "{", "|"):
        return bracket(place)
    if piece.kind == "begin" and piece.text == "cases":
        return cases(place)
    if piece.kind != "command":
        raise place.error(f"a value is missing before {place.shown()}")
    if piece.text in _OPENING:
        return bracket(place)
    if piece.text in _FRACTIONS:
        place.take()
        above = place.bracketed(argument(place), piece)
        below = place.bracketed(argument(place), piece)
        return place.bracketed([*above, place.token("sign", "/", piece), *below], piece)
    if piece.text == "sqrt":
        return root(place)
    if piece.text == "sum":
        return sum_over(place)
    if piece.text == "infty":
        place.take()
        return [place.token("constant", "oo")]
    if piece.text == "dot":
        return dotted(place)
    if piece.text in ("abs", "norm"):
        place.take()
        return place.called(piece.text, argument(place), piece)
    raise unknown(place)


def unknown(place: Place) -> Exception:
    """The error for a command that means nothing here."""
    name = place.piece.text
    if name == "mathbb":
        return place.error("expectations and sets of numbers are not read here", "conditions follow after \\text{for}")
    if name in REFUSED:
        return place.error(*REFUSED[name])
    if name in RELATIONS or name in PRODUCTS or name in CLOSING:
        return place.error(f"a value is missing before {place.shown()}")
    return place.error(f"the macro \\{name[:40]} is not known", "write what it stands for, or \\operatorname{…}")


def argument(place: Place) -> list[Token]:
    r"""The argument of a command: a group in braces, or the one piece that follows, so that \frac12 is 1/2."""
    piece = place.piece
    if place.accepts("{"):
        bars, place.bars = place.bars, [""]
        out = total(place)
        place.bars = bars
        place.expect("}", "after the argument")
        return out
    if piece.kind == "number" and piece.text.isdigit() and len(piece.text) > 1:
        middle = piece.start + 1
        place.pieces[place.at : place.at + 1] = [
            piece._replace(text=piece.text[0], end=middle), piece._replace(text=piece.text[1:], start=middle),
        ]  # fmt: skip
    elif piece.kind in ("sign", "end", "row", "text"):
        raise place.error(f"an argument is missing before {place.shown()}", "write it in braces")
    return atom(place, alone=True)


def _named(place: Place, alone: bool) -> list[Token]:
    """A quantity; a declared function with its primes and arguments."""
    first = place.piece
    name, out = quantity(place)
    if not name or alone:
        return out
    primes = 0
    while place.is_sign("'"):
        place.take()
        primes += 1
        out.append(place.token("sign", "'"))
    depends = place.depends_on(name)
    if primes and not depends and not place.is_shaped(name):
        raise place.error(
            f"{name}' does not say by what", f"declare {name}: function of x, or write \\frac{{d}}{{dx}} (…)", first
        )
    is_call = name in GREEK_FUNCTIONS and name not in place.declared
    if (depends or is_call) and place.is_sign("(") and len(out) == 1 + primes:
        if is_call:
            place.notes.setdefault(f"{place.source(first)}(…) is read as {GREEK_FUNCTIONS[name]}(…)")
            out = [place.token("name", GREEK_FUNCTIONS[name], first)]
        return [*out, *bracket(place, several=True)]
    return out


def bracket(place: Place, several: bool = False) -> list[Token]:
    """A bracket that the author wrote, as round ones or as the function that it is; `several`: with commas."""
    opening = place.take()
    bars = place.bars
    if opening.text == "|":
        closing, function = "|", "abs" if opening.kind == "sign" else "norm"
        place.bars = [*bars, "|" if opening.kind == "sign" else "||"]
    elif opening.text == "langle":
        closing, function, several = "rangle", "dot", True
        place.bars = [""]
    else:
        closing, function = BRACKETS[opening.text]
        if opening.text == "{" and opening.kind == "sign":
            closing, function = "}", ""
        place.bars = [""]
    out = total(place)
    while several and place.is_sign(","):
        place.take()
        out = [*out, place.token("sign", ","), *total(place)]
    place.bars = bars
    found = place.piece
    if found.text != closing or (closing in "|}" and found.kind != opening.kind):
        raise place.error(f"expected {closing!r} for the bracket of column {opening.start + 1}, found {place.shown()}")
    place.take()
    if function == "norm" and place.accepts("_"):
        return norm(place, out)
    if function:
        return place.called(function, out, opening)
    return [place.token("sign", "(", opening), *out, place.token("sign", ")")]
