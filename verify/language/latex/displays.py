"""Which equalities does a display state?  Lines, chains a = b = c and conditions; each equality is one claim."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import NamedTuple

from verify.claim import Claim
from verify.language.claims import Let, read_let
from verify.language.errors import ReadError
from verify.language.latex.chains import Defined, Line, defined, sides
from verify.language.latex.constants import is_euler, is_imaginary
from verify.language.latex.declared import declared_in, occurring, plain_let
from verify.language.latex.definitions import Definition
from verify.language.latex.macros import Macro
from verify.language.latex.measure import Measure
from verify.language.latex.piece import Piece
from verify.language.latex.pieces import pieces
from verify.language.latex.place import Place
from verify.language.latex.rows import rows_of, shelled
from verify.language.latex.statements import claims_of
from verify.language.latex.structures import relation_at
from verify.language.tokens import LONGEST_TEXT, Token, is_latex

#: Equalities of one display.
MOST_EQUALITIES = 100
_DECLARED = re.compile(r"\\(?:text|mathrm)\{\s*with\s*\}|(?<![A-Za-z\\{])with(?![A-Za-z])")


def read_latex_claim(text: str, let: Let | None = None) -> Claim:
    """The one claim that a piece of LaTeX makes; raises ReadError, also where it makes several."""
    claims = read_latex(text, let)
    if len(claims) > 1:
        raise ReadError(f"{len(claims)} equalities stand here", text, 0, "write one equality a claim")
    return claims[0]


def read_latex(text: str, let: Let | None = None, macros: Mapping[str, Macro | str] | None = None) -> list[Claim]:
    """The claims of a display, in their order, at least one; the text of each is a claim of its own.

    let      declarations, as for `read_claim`; names may be written as in LaTeX.
    macros   what commands stand for.

    Raises ReadError with the place in `text`.
    """
    claims: list[Claim] = []
    definition: ReadError | None = None
    for equality in equalities(text, let, macros):
        if isinstance(equality.claim, Defined):
            definition = definition or equality.claim
        elif isinstance(equality.claim, ReadError):
            raise equality.claim
        else:
            claims.append(equality.claim)
    if not claims and definition is not None:
        raise definition
    if len(claims) == 1 and is_latex(text):
        return [replace(claims[0], text=text)]
    return claims


class Equality(NamedTuple):
    """An equality of a display, or why its line cannot be read; the line is text[start:end] of the source."""

    start: int
    end: int
    claim: Claim | ReadError


def equalities(
    text: str,
    let: Let | None = None,
    macros: Mapping[str, Macro | str] | None = None,
    *,
    only_named: bool = False,
    definitions: dict[str, Definition] | None = None,
) -> list[Equality]:
    """What the lines of a display state, at least one equality; lines that cannot be read leave the others alone.

    only_named   of the declarations only those count that speak of names in the display.
    definitions  what := has defined before; what it defines here is added.

    Raises ReadError for a display of which no line can be told.
    """
    if not isinstance(text, str):
        raise ReadError(f"a formula is a text, not {type(text).__name__}", str(text)[:80], 0)
    if len(text) > LONGEST_TEXT:
        raise ReadError(f"the text has {len(text):,} characters, at most {LONGEST_TEXT:,} are read", text[:80], 0)
    formula, declared = _declared(text, plain_let(let or {}))
    found_pieces = pieces(shelled(formula), macros)
    if only_named:
        declared = occurring(declared, found_pieces)
    rows = rows_of(text, found_pieces)
    for row in rows:
        for name, kind in declared_in(row).items():
            declared.setdefault(name, kind)
    kinds = {name: kind for name, kind in declared.items() if isinstance(kind, str) and name != "where"}
    measure = Measure(declared)
    euler, imaginary = is_euler(text, rows, declared), is_imaginary(rows, declared)
    found: list[Equality] = []
    last: list[Token] = []
    waiting: Piece | None = None
    before: Place | None = None
    for row in rows:
        start, end = min(piece.start for piece in row), max(piece.end for piece in row)
        place = Place(text, [*row, Piece("end", "", end, end)], kinds, measure, euler, before)
        if before is None:
            place.definitions |= definitions or {}
        place.imaginary, before = imaginary, place
        try:
            if waiting is not None and relation_at(place) is None:
                raise _lonely(text, waiting)
            previous, waiting = last, None
            stated = sides(place, previous)
            last = stated.last
            if not stated.links:
                waiting = row[0]
            found += _judged(text, place, stated, declared, (start, end))
        except ReadError as error:
            found.append(Equality(start, end, error))
            last, waiting = [], None
        if waiting is not None and found:
            found.append(Equality(start, end, _lonely(text, waiting)))
            last, waiting = [], None
        if len(found) > MOST_EQUALITIES:
            raise ReadError(f"more than {MOST_EQUALITIES} equalities", text, start, "split the display")
    if before is not None:
        here = {name for name in before.definitions if name not in (definitions or {})}
        found = [_before_definition(text, each, here) for each in found]
    if definitions is not None and before is not None:
        definitions |= {name: each for name, each in before.definitions.items() if each.explicit}
    if not found:
        raise ReadError("there is no equality here", text, 0, "write lhs = rhs")
    return found


def _before_definition(text: str, equality: Equality, names: set[str]) -> Equality:
    """An equality with a name that its display defines further on is not judged as if that name were free."""
    if isinstance(equality.claim, ReadError):
        return equality
    early = [name for name in equality.claim.domain.variables if name in names]
    if not early:
        return equality
    says = f"{early[0]} stands here before its definition"
    return equality._replace(
        claim=ReadError(says, text, equality.start, f"write the definition first, or declare {early[0]}")
    )


def _judged(text: str, place: Place, stated: Line, declared: Let, where: tuple[int, int]) -> list[Equality]:
    """The claims of a line; inequalities count only where nothing else stands."""
    found: list[Equality] = []
    refused: list[Equality] = []
    for link in stated.links:
        why = link.refused or defined(place, link)
        if why is None:
            found += [Equality(*where, claim) for claim in claims_of(text, place, link, stated.endings, declared)]
        elif isinstance(why, Defined):
            found.append(Equality(*where, why))
        else:
            refused.append(Equality(*where, why))
    return found or refused[:1]


def _lonely(text: str, piece: Piece) -> ReadError:
    return ReadError("it is not clear what this line belongs to", text, piece.start, "join the lines")


def _declared(text: str, let: dict[str, str | list[str]]) -> tuple[str, dict[str, str | list[str]]]:
    """The formula, and the declarations from outside with those that follow after `with`."""
    match = next((m for m in _DECLARED.finditer(text) if _depth(text[: m.start()]) == 0), None)
    if match is None:
        return text, let
    rest = text[match.end() :]
    if ":" not in rest and "\\" in rest:
        return text, let
    try:
        given = read_let(rest.strip())
    except ReadError as error:
        raise ReadError(error.what, text, min(match.end() + error.column, len(text)), error.mend) from None
    where: list[str] = []
    for each in (let.pop("where", []), given.pop("where", [])):
        where += [each] if isinstance(each, str) else each
    for name, kind in given.items():
        if let.setdefault(name, kind) != kind:
            raise ReadError(f"{name} is declared twice", text, match.start(), "declare it once")
    return text[: match.start()], let | ({"where": where} if where else {})


def _depth(text: str) -> int:
    return text.count("{") - text.count("}") - text.count("\\{") + text.count("\\}")
