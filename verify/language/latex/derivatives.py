r"""Does a derivative operator stand here?  \frac{d}{dx}, \frac{d f}{dx}, d/dx, \partial_x and \nabla_x."""

from __future__ import annotations

from typing import NamedTuple

from verify.language.latex import names
from verify.language.latex.letters import letter, starts_a_name
from verify.language.latex.place import Place
from verify.language.operators import HIGHEST_ORDER
from verify.language.tokens import Token

_FRACTIONS = ("frac", "dfrac", "tfrac")


class By(NamedTuple):
    """What is differentiated by, and how often.

    entry       the indices behind a vector or matrix, where only that entry varies.
    transposed  whether it is written as a row, \\partial x^\\top.
    """

    name: str
    order: int = 1
    entry: tuple[Token, ...] = ()
    transposed: bool = False


class Operator(NamedTuple):
    """What is differentiated by, outermost first; empty where a nabla does not say it.

    end      index of the first piece behind the operator.
    operand  indices of the pieces between d and the bar; empty where the operand follows.
    nabla    empty, or `gradient`, `divergence`, `second` for what is written with a nabla.
    """

    by: tuple[By, ...]
    end: int
    operand: tuple[int, int] = (0, 0)
    nabla: str = ""


def operator_at(place: Place) -> Operator | None:
    """The operator that starts at the next piece; the place stays where it is.

    Raises ReadError for what looks like one and is none.
    """
    start = place.at
    try:
        if place.is_command(*_FRACTIONS):
            return _fraction(place)
        if place.is_command("partial") and place.after.text == "_":
            return _subscripted(place)
        if place.is_command("nabla"):
            return _nabla(place)
        if _is_d(place) and place.piece.text != "partial" and "d" not in place.declared:
            return _inline(place)
        if place.is_command("partial"):
            found = _inline(place)
            if found is None:
                raise place.error("∂ stands only in operators", r"write \frac{\partial}{\partial x}, or \partial_x")
            return found
        return None
    finally:
        place.at = start


def _is_d(place: Place) -> bool:
    piece = place.piece
    return place.is_command("partial") or (piece.kind in ("letter", "word") and piece.text == "d")


def _closing(place: Place, at: int) -> int:
    """The index of the brace that closes the one at `at`."""
    depth = 0
    for i in range(at, len(place.pieces)):
        piece = place.pieces[i]
        if piece.kind == "sign":
            depth += (piece.text == "{") - (piece.text == "}")
        if depth == 0:
            return i
    raise place.error("this brace is not closed", piece=place.pieces[at])


def _fraction(place: Place) -> Operator | None:
    first = place.take()
    if place.is_sign("{"):
        above, above_end = place.at + 1, _closing(place, place.at)
        below = above_end + 1
    elif _is_d(place):
        above, above_end, below = place.at, place.at + 1, place.at + 1
    else:
        return None
    if place.pieces[below].text != "{" or place.pieces[below].kind != "sign":
        return None
    below_end = _closing(place, below)
    place.at = above
    partial = place.is_command("partial")
    if not _is_d(place) or above == above_end:
        return None
    place.at = below + 1
    by = _below(place, below_end)
    if not by:
        if partial:
            raise place.error("what is differentiated by is not clear below the bar", piece=place.pieces[below])
        return None
    place.at = above + 1
    total = _order(place) if place.is_sign("^") else 1
    rest = (place.at, above_end) if place.at < above_end else (0, 0)
    if "d" in place.declared and not partial and place.pieces[above].kind == "letter":
        raise place.error(
            "d is declared, and this can be a derivative or a quotient", r"write \frac{\mathrm{d}}{\mathrm{d}x}", first
        )
    if total != sum(each.order for each in by):
        raise place.error(
            "the orders above and below must be the same number, as in \\frac{d^2}{dx^2}", piece=place.pieces[above]
        )
    return Operator(tuple(by), below_end + 1, rest)


def _below(place: Place, end: int) -> list[By]:
    """What stands below the bar, or nothing where that is no list of differentials."""
    found = []
    while place.at < end:
        if not _is_d(place):
            return []
        place.take()
        bracketed = place.is_sign("(") and place.pieces[end - 1].text == ")"
        if bracketed:
            place.take()
        if place.at >= end or not starts_a_name(place):
            return []
        found.append(_variable(place))
        if bracketed and not place.accepts(")"):
            return []
        if place.is_sign("(") and _argument_of(place, found[-1].name):
            raise place.error(
                f"derivative with respect to a value of {found[-1].name}", "write it by a quantity of its own"
            )
    return found


def _argument_of(place: Place, name: str) -> bool:
    return bool(place.depends_on(name))


def _variable(place: Place) -> By:
    """The name that is differentiated by, with its entry, its order and its transposition."""
    name, indices = names.name_with_subscript(place)
    if not place.is_sign("^"):
        return By(name, 1, tuple(indices))
    if _is_transposed(place):
        return By(name, 1, tuple(indices), transposed=True)
    return By(name, _order(place), tuple(indices))


def _is_transposed(place: Place) -> bool:
    """Go behind ^\\top or ^T, if it stands next."""
    start = place.at
    place.take()
    braced = place.accepts("{")
    if place.piece.text in ("top", "T", "intercal") and place.piece.kind in ("command", "letter", "word"):
        place.take()
        if not braced or place.accepts("}"):
            return True
    place.at = start
    return False


def _order(place: Place) -> int:
    """The order behind ^."""
    place.take()
    braced = place.accepts("{")
    piece = place.take()
    digits = piece.text.isdigit() and len(piece.text) < 6
    if piece.kind != "number" or not digits or not 1 <= int(piece.text) <= HIGHEST_ORDER:
        raise place.error(f"the order of a derivative is a whole number from 1 to {HIGHEST_ORDER}", piece=piece)
    if braced:
        place.expect("}", "after the order")
    elif len(piece.text) > 1:
        raise place.error(f"only the first digit of {piece.text} is set high", "write braces", piece)
    return int(piece.text)


def _subscripted(place: Place) -> Operator:
    r"""\partial_x, \partial_{xx}, \partial_x^2."""
    place.take()
    by = _listed(place)
    if place.is_sign("^"):
        order = _order(place)
        if len(by) > 1:
            raise place.error("a power of a derivative by several variables", "write the operators one by one")
        by = [by[0]._replace(order=by[0].order * order)]
    return Operator(tuple(by), place.at)


def _listed(place: Place) -> list[By]:
    """The variables in a subscript."""
    place.expect("_", "with what is differentiated by")
    by: list[By] = []
    if not place.accepts("{"):
        if not starts_a_name(place):
            raise place.error(f"a variable is missing, found {place.shown()}")
        return [By(letter(place))]
    while not place.accepts("}"):
        if not starts_a_name(place):
            raise place.error(f"a variable is missing, found {place.shown()}")
        name, indices = names.name_with_subscript(place)
        if by and by[-1].name == name and not indices:
            by[-1] = by[-1]._replace(order=by[-1].order + 1)
        else:
            by.append(By(name, 1, tuple(indices)))
        place.accepts(",")
    if not by:
        raise place.error("an empty subscript says nothing to differentiate by")
    return by


def _nabla(place: Place) -> Operator:
    r"""\nabla_x, \nabla_x^2, \nabla^2_x, \nabla_x \cdot, and \nabla alone."""
    first = place.take()
    second = _is_second(place)
    by = _listed(place) if place.is_sign("_") else []
    if len(by) > 1 or (by and (by[0].order > 1 or by[0].entry)):
        raise place.error("a gradient by several variables, or by an entry", "write one variable", first)
    second = second or _is_second(place)
    if place.is_command("times"):
        raise place.error("a curl is not read from LaTeX", "write its entries", first)
    if place.is_command("cdot"):
        place.take()
        return Operator(tuple(by), place.at, nabla="divergence")
    return Operator(tuple(by), place.at, nabla="second" if second else "gradient")


def _is_second(place: Place) -> bool:
    if not place.is_sign("^"):
        return False
    if _order(place) != 2:
        raise place.error("a power of ∇ that is not 2", "write what it means", place.before)
    return True


def _inline(place: Place) -> Operator | None:
    """d/dx and d^2/dx^2 on one line."""
    place.take()
    total = 1
    if place.is_sign("^"):
        ahead = place.pieces[place.at + 1 : place.at + 5]
        if not any(piece.text == "/" for piece in ahead):
            return None
        total = _order(place)
    if not place.accepts("/") or not _is_d(place):
        return None
    place.take()
    if not starts_a_name(place):
        return None
    name, indices = names.name_with_subscript(place)
    order = _order(place) if place.is_sign("^") else 1
    if indices or order != total:
        raise place.error("the orders above and below must be the same number, as in d^2/dx^2")
    return Operator((By(name, order),), place.at)
