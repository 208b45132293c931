r"""Which expression of the text grammar does LaTeX mean?  Every bracket that LaTeX leaves out is written.

A function for each level, the loosest first, as in the grammar of text; what they return are its tokens:

    total       product + product - …
    product     group \odot group …
    group       factor \cdot factor / …, and products without a sign
    factor      a derivative with its operand, or a power
    power       atom, atom!, atom ^ …                                            (`values`)
    atom        number, name, call, bracket, fraction, root, sum, integral, cases
"""

from __future__ import annotations

from verify.language.latex import derivatives, differentiate, values
from verify.language.latex.piece import Piece
from verify.language.latex.place import Place
from verify.language.latex.words import CLOSING, DEFINITIONS, ENTRYWISE, FRACTIONS, PRODUCTS, RELATIONS, UNJUDGED
from verify.language.names import is_function
from verify.language.tokens import Token

_NO_OPERANDS = frozenset(
    (
        "in",
        "forall",
        "land",
        "lor",
        "wedge",
        "vee",
        "&",
        "otimes",
        "mid",
        "implies",
        "Rightarrow",
        "Longrightarrow",
        "iff",
        "Leftrightarrow",
        *DEFINITIONS,
    )
)


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
    r"""Groups with \odot, \circ, \oslash or \otimes between them; `differentiated`: the operand of a derivative."""
    first = place.piece
    out, several = _group(place, differentiated)
    while place.is_command(*ENTRYWISE, "otimes"):
        sign = place.take()
        right, more = _group(place, differentiated)
        if sign.text == "otimes":
            out = _kronecker(place, sign, out, right, several or more)
            continue
        if sign.text == "circ":
            shapes = place.shape(out), place.shape(right)
            if not shapes[0] or shapes[0] != shapes[1]:
                raise place.error(
                    "∘ can be a composition or a product entry by entry", r"write f(g(x)), or \odot", sign
                )
            place.notes.setdefault("∘ is read as the product entry by entry")
        elif several or more:
            place.notes.setdefault(f"the products on either side of {place.text[sign.start : sign.end]} come first")
        operator = place.token("sign", ENTRYWISE[sign.text], sign)
        out = place.bracketed([*place.bracketed(out, first), operator, *place.bracketed(right, sign)], first)
        several = False
    return out


def _kronecker(place: Place, sign: Piece, left: list[Token], right: list[Token], several: bool) -> list[Token]:
    shapes = place.shape(left), place.shape(right)
    if several or len(shapes[0] or ()) != 2 or len(shapes[1] or ()) != 2:
        raise place.error(
            "⊗ is read between two matrices", r"write \operatorname{kron}(A, B), or x y^\top for two vectors", sign
        )
    return place.called("kron", [*left, place.token("sign", ",", sign), *right], sign)


def _group(place: Place, differentiated: bool = False) -> tuple[list[Token], bool]:
    """Factors with and without signs between them, and whether there are several."""
    done: list[Token] = []
    last = factor(place)
    divided = False
    count = 1
    while True:
        first = place.piece
        sign = product_sign(place)
        if sign is not None:
            place.take()
            divided = sign == "/"
        elif starts_an_operand(place):
            if divided:
                raise place.error(
                    "it is not clear whether this stands below the bar of / as well", "write the brackets, or \\frac"
                )
            number = (
                first.kind == "number"
                and not first.style
                and (place.after.text != "^" or place.before.kind == "number")
            )
            if number or (place.is_command(*FRACTIONS) and place.before.kind == "number"):
                raise place.error("a number follows a value without a sign", "write \\cdot between them")
        else:
            return [*done, *last], count > 1
        is_call = sign is None and _may_be_a_call(place, [*done[-1:], *last])
        if differentiated and derivatives.operator_at(place) is not None:
            raise place.error(
                "a second derivative within the operand of the first: it is not clear where that ends",
                "write brackets around each operand",
            )
        following = factor(place)
        count += 1
        if first.text in ("cdot", "times") and (joined := _of_vectors(place, first, last, following)) is not None:
            last = joined
            continue
        done += [*last, *([] if is_call else [place.token("sign", sign or "*", first)])]
        last = following


def _of_vectors(place: Place, sign: Piece, left: list[Token], right: list[Token]) -> list[Token] | None:
    """The scalar product that a dot between two vectors means."""
    shapes = place.shape(left), place.shape(right)
    if len(shapes[0] or ()) != 1 or len(shapes[1] or ()) != 1:
        return None
    if sign.text == "times":
        raise place.error("a vector product is not read", "write its entries", sign)
    place.notes.setdefault("the dot between two vectors is read as their scalar product")
    return place.called("dot", [*left, place.token("sign", ",", sign), *right], sign)


def product_sign(place: Place) -> str | None:
    """The sign of a product that stands next, as text writes it."""
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
    if name not in place.declared and holds_one_piece(place):
        raise place.error(
            f"{name}(…) can be the function or a product",
            f"declare {name}: function of x, or declare {name} for a product",
            place.before,
        )
    if name in place.declared or name in place.bound or is_function(name):
        place.notes.setdefault(f"{name}(…) is read as the product {name}*(…)")
        return False
    return True


def holds_one_piece(place: Place) -> bool:
    """Whether the bracket that opens here holds a single letter or number, as arguments do and factors do not."""
    ahead = [piece.text for piece in place.pieces[place.at + 1 : place.at + 12]]
    return ")" in ahead and (ahead.index(")") == 1 or (ahead[1] == "_" and "=" not in ahead[: ahead.index(")")]))


def opens_a_bracket(place: Place) -> bool:
    """Whether a bracket that the author wrote to group things stands next."""
    return place.is_sign("(", "[") or place.is_command("{", "lbrace", "lparen", "lbrack")


def starts_an_operand(place: Place) -> bool:
    """Whether another factor follows without a sign between."""
    piece = place.piece
    if place.at_differential():
        return False
    if piece.kind == "sign":
        return piece.text in "([{" or (piece.text == "|" and place.bars[-1] != "|")
    if piece.kind == "command":
        if piece.text == "|":
            return place.bars[-1] != "||"
        if piece.text in _NO_OPERANDS or any(piece.text in each for each in (RELATIONS, ENTRYWISE, UNJUDGED)):
            return False
        return piece.text not in PRODUCTS and piece.text not in CLOSING
    return piece.kind in ("number", "letter", "word", "blackboard", "begin")


def factor(place: Place) -> list[Token]:
    """A derivative with its operand, or a power."""
    place.deeper()
    operator = derivatives.operator_at(place)
    out = values.power(place) if operator is None else differentiate.derivative(place, operator)
    place.depth -= 1
    return out
