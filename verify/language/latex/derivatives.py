r"""Does a derivative operator stand here?  \frac{d}{dx}, \frac{d f}{dx}, d/dx, \partial_x and \nabla_x."""

from __future__ import annotations

from typing import NamedTuple

from verify.language.latex.names import name_with_subscript, starts_a_name
from verify.language.latex.place import Place
from verify.language.operators import HIGHEST_ORDER

_FRACTIONS = ("frac", "dfrac", "tfrac")


class Operator(NamedTuple):
    """What is differentiated by, outermost first, each with its order.

    end      index of the first piece behind the operator.
    operand  indices of the pieces between d and the bar; empty where the operand follows.
    gradient whether it is written with a nabla.
    """

    by: tuple[tuple[str, int], ...]
    end: int
    operand: tuple[int, int] = (0, 0)
    gradient: bool = False


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
    if not place.is_sign("{"):
        return None
    above, above_end = place.at + 1, _closing(place, place.at)
    below = above_end + 1
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
    if total != sum(order for _, order in by):
        raise place.error(
            "the orders above and below must be the same number, as in \\frac{d^2}{dx^2}", piece=place.pieces[above]
        )
    return Operator(tuple(by), below_end + 1, rest)


def _below(place: Place, end: int) -> list[tuple[str, int]]:
    """What stands below the bar, or nothing where that is no list of differentials."""
    found = []
    while place.at < end:
        if not _is_d(place):
            return []
        place.take()
        if place.at >= end or not starts_a_name(place):
            return []
        name, indices = name_with_subscript(place)
        if indices:
            raise place.error(f"derivative with respect to an entry of {name}", "differentiate by all of it")
        order = _order(place) if place.is_sign("^") else 1
        found.append((name, order))
    return found


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
        by = [(by[0][0], by[0][1] * order)]
    return Operator(tuple(by), place.at)


def _listed(place: Place) -> list[tuple[str, int]]:
    """The variables in a subscript."""
    place.expect("_", "with what is differentiated by")
    by: list[tuple[str, int]] = []
    if not place.accepts("{"):
        if not starts_a_name(place):
            raise place.error(f"a variable is missing, found {place.shown()}")
        from verify.language.latex.names import letter

        return [(letter(place), 1)]
    while not place.accepts("}"):
        if not starts_a_name(place):
            raise place.error(f"a variable is missing, found {place.shown()}")
        name, indices = name_with_subscript(place)
        if indices:
            raise place.error(f"derivative with respect to an entry of {name}", "differentiate by all of it")
        if by and by[-1][0] == name:
            by[-1] = (name, by[-1][1] + 1)
        else:
            by.append((name, 1))
    if not by:
        raise place.error("an empty subscript says nothing to differentiate by")
    return by


def _nabla(place: Place) -> Operator:
    first = place.take()
    if not place.is_sign("_"):
        raise place.error(r"\nabla does not say by what", r"write \nabla_x, or \frac{d}{dx}", first)
    by = _listed(place)
    if len(by) > 1 or by[0][1] > 1:
        raise place.error("a gradient by several variables", "write one variable", first)
    if place.is_sign("^"):
        raise place.error("∇² can be the Hessian matrix or the Laplacian", "write it as text with hess_x", first)
    if place.is_command("cdot", "times"):
        raise place.error("divergence and curl are not read from LaTeX", "write div_x as text", first)
    return Operator(tuple(by), place.at, gradient=True)


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
    name, indices = name_with_subscript(place)
    order = _order(place) if place.is_sign("^") else 1
    if indices or order != total:
        raise place.error("the orders above and below must be the same number, as in d^2/dx^2")
    return Operator(((name, order),), place.at)
