"""Which equalities does a display state?  Lines, chains a = b = c and conditions; each equality is one claim."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import NamedTuple

from verify.claim import Claim
from verify.language.claims import Let, claim_of, read_let
from verify.language.errors import ReadError
from verify.language.latex.conditions import conditions
from verify.language.latex.pieces import Piece, pieces
from verify.language.latex.place import Place
from verify.language.latex.read import total
from verify.language.latex.structures import relation_at
from verify.language.latex.words import LINES
from verify.language.tokens import LONGEST_TEXT, Token
from verify.language.write import write_claim

#: Equalities of one display.
MOST_EQUALITIES = 100
_DECLARED = re.compile(r"\\(?:text|mathrm)\{\s*with\s*\}|(?<![A-Za-z\\{])with(?![A-Za-z])")
_SHELLS = (("$$", "$$"), ("\\[", "\\]"), ("\\(", "\\)"), ("$", "$"))


def is_latex(text: str) -> bool:
    """Whether a text is read as LaTeX without being told so."""
    return "\\" in text


def read_latex_claim(text: str, let: Let | None = None) -> Claim:
    """The one claim that a piece of LaTeX makes; raises ReadError, also where it makes several."""
    claims = read_latex(text, let)
    if len(claims) > 1:
        raise ReadError(f"{len(claims)} equalities stand here", text, 0, "write one equality a claim")
    return claims[0]


def read_latex(text: str, let: Let | None = None, macros: Mapping[str, str] | None = None) -> list[Claim]:
    """The claims of a display, in their order, at least one; the text of each is a claim of its own.

    let      declarations, as for `read_claim`.
    macros   what commands without arguments stand for.

    Raises ReadError with the place in `text`.
    """
    claims = []
    for equality in equalities(text, let, macros):
        if isinstance(equality.claim, ReadError):
            raise equality.claim
        claims.append(equality.claim)
    if len(claims) == 1 and is_latex(text):
        return [replace(claims[0], text=text)]
    return claims


class Equality(NamedTuple):
    """An equality of a display, or why its line cannot be read; the line is text[start:end] of the source."""

    start: int
    end: int
    claim: Claim | ReadError


def equalities(text: str, let: Let | None = None, macros: Mapping[str, str] | None = None) -> list[Equality]:
    """What the lines of a display state, at least one equality; lines that cannot be read leave the others alone.

    Raises ReadError for a display of which no line can be told.
    """
    if not isinstance(text, str):
        raise ReadError(f"a formula is a text, not {type(text).__name__}", str(text)[:80], 0)
    if len(text) > LONGEST_TEXT:
        raise ReadError(f"the text has {len(text):,} characters, at most {LONGEST_TEXT:,} are read", text[:80], 0)
    formula, declared = _declared(text, dict(let or {}))
    rows = _rows(text, pieces(_shelled(formula), macros))
    euler = _is_euler(text, rows, declared)
    kinds = {name: kind for name, kind in declared.items() if isinstance(kind, str) and name != "where"}
    found: list[Equality] = []
    last: list[Token] = []
    waiting: Piece | None = None
    for row in rows:
        start, end = row[0].start, row[-1].end
        place = Place(text, [*row, Piece("end", "", end, end)], kinds, euler)
        try:
            if waiting is not None and relation_at(place) is None:
                raise _lonely(text, waiting)
            before, waiting = last, None
            sides, last, endings = _sides(place, before)
            if not sides:
                waiting = row[0]
            for equality in sides:
                found.append(Equality(start, end, _claim(text, place, equality, endings, declared)))
        except ReadError as error:
            found.append(Equality(start, end, error))
            last, waiting = [], None
        if waiting is not None and found:
            found.append(Equality(start, end, _lonely(text, waiting)))
            last, waiting = [], None
        if len(found) > MOST_EQUALITIES:
            raise ReadError(f"more than {MOST_EQUALITIES} equalities", text, start, "split the display")
    if not found:
        raise ReadError("there is no equality here", text, 0, "write lhs = rhs")
    return found


def _lonely(text: str, piece: Piece) -> ReadError:
    return ReadError("it is not clear what this line belongs to", text, piece.start, "join the lines")


def _claim(
    text: str, place: Place, sides: tuple[list[Token], Token, list[Token]], endings: list[list[Token]], let: Let
) -> Claim:
    left, relation, right = sides
    end = Token("end", "", len(text), len(text))
    sections = [[*ending, end] for ending in endings]
    notes = dict(place.notes)
    try:
        try:
            claim = claim_of(text, [*left, relation, *right, end], sections, let)
        except ReadError:
            # Where the text grammar finds no number above e, a matrix may stand there.
            if not any(place.is_shaped(name) for name in place.declared):
                raise
            left, right = matrix_exponentials(place, left), matrix_exponentials(place, right)
            claim = claim_of(text, [*left, relation, *right, end], sections, let)
            notes[
                "a power of e is the exponential of a matrix, or entry by entry of a vector, where one stands above"
            ] = None
    except RecursionError:
        raise ReadError("too many brackets inside each other", text, 0) from None
    return replace(claim, text=write_claim(claim), notes=tuple(dict.fromkeys((*notes, *claim.notes))))


def _exponential(place: Place, exponent: list[Token]) -> str:
    """The exponential that an exponent takes: of a matrix, entry by entry of a vector, or (empty) of a number."""
    shaped = [each.text for each in exponent if each.kind == "name" and place.is_shaped(each.text)]
    if any(not place.declared[name].lstrip().startswith("vector") for name in shaped):
        return "expm"
    return "exp" if shaped and not any(each.text in ("'", "[") for each in exponent) else ""


def matrix_exponentials(place: Place, tokens: list[Token]) -> list[Token]:
    """The tokens with powers of Euler's number as exponentials of matrices and vectors."""
    out: list[Token] = []
    at = 0
    while at < len(tokens):
        token = tokens[at]
        out.append(token)
        at += 1
        if token.kind != "constant" or token.text != "E" or at + 1 >= len(tokens) or tokens[at].text != "^":
            continue
        end, depth = at + 1, 0
        while end < len(tokens):
            depth += (tokens[end].text == "(") - (tokens[end].text == ")")
            end += 1
            if depth == 0:
                break
        exponent = tokens[at + 1 : end]
        if function := _exponential(place, exponent):
            out[-1:] = place.called(function, exponent, tokens[at])
            at = end
    return out


def _sides(
    place: Place, last: list[Token]
) -> tuple[list[tuple[list[Token], Token, list[Token]]], list[Token], list[list[Token]]]:
    """The equalities of a line, its last side, and the conditions behind it."""
    if relation_at(place) is None:
        last = total(place)
    elif not last:
        raise place.error("nothing stands left of =", "write lhs = rhs")
    equalities = []
    while (relation := relation_at(place)) is not None:
        if relation != "=":
            raise place.error("a claim is an equality", r"conditions follow after \text{for}")
        place.take()
        sign = place.token("sign", "=")
        if place.piece.kind == "end":
            raise place.error("nothing stands right of =", "write lhs = rhs")
        side = total(place)
        equalities.append((last, sign, side))
        last = side
    return equalities, last, conditions(place)


def _declared(text: str, let: dict[str, str | list[str]]) -> tuple[str, dict[str, str | list[str]]]:
    """The formula, and the declarations from outside with those that follow after `with`."""
    match = next((m for m in _DECLARED.finditer(text) if _depth(text[: m.start()]) == 0), None)
    if match is None:
        return text, let
    rest = text[match.end() :]
    if "\\" in rest:
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


def _shelled(text: str) -> str:
    """The formula without the signs of a display around it; spaces keep every place where it was."""
    body = text.strip().rstrip(".,; \n")
    start = text.index(body) if body else 0
    for opening, closing in _SHELLS:
        if body.startswith(opening) and body.endswith(closing) and len(body) >= len(opening) + len(closing):
            inner = body[len(opening) : -len(closing)]
            return " " * (start + len(opening)) + inner
    return text


def _rows(text: str, found: list[Piece]) -> list[list[Piece]]:
    """The lines of a display without their environments, their alignment and the point at the end."""
    rows: list[list[Piece]] = [[]]
    aligned: list[set[int]] = [set()]
    open_cases = depth = 0
    environments: list[Piece] = []
    for piece in found:
        depth += (piece.kind == "sign") * ((piece.text == "{") - (piece.text == "}"))
        if depth < 0:
            raise ReadError("no brace is open here", text, piece.start)
        if piece.kind == "begin":
            environments.append(piece)
        elif piece.kind == "end_of" and (not environments or environments.pop().text != piece.text):
            raise ReadError(f"\\end{{{piece.text}}} without its beginning", text, piece.start)
        if piece.kind in ("begin", "end_of"):
            open_cases += (piece.text == "cases") * (1 if piece.kind == "begin" else -1)
            if piece.text in LINES:
                continue
        if not open_cases and piece.kind == "row":
            rows.append([])
            aligned.append(set())
        elif not open_cases and piece.text == "&" and piece.kind == "sign":
            aligned[-1].add(len(rows[-1]))
        elif piece.kind != "end":
            rows[-1].append(piece)
    if environments:
        raise ReadError(f"\\begin{{{environments[-1].text}}} without its end", text, environments[-1].start)
    if depth:
        raise ReadError("a brace is not closed", text, len(text))
    return _joined(text, rows, aligned)


def _joined(text: str, rows: list[list[Piece]], aligned: list[set[int]]) -> list[list[Piece]]:
    """The lines that state something; one that begins with a sign goes on with the line before."""
    joined: list[list[Piece]] = []
    for row, marks in zip(rows, aligned, strict=True):
        while row and row[-1].kind == "sign" and row[-1].text in ".,;":
            row = row[:-1]
        if not row:
            continue
        while row and row[0].kind == "text" and not row[0].text:
            row, marks = row[1:], {0}
        while row and row[-1].kind == "text" and not row[-1].text:
            row = row[:-1]
        if not row:
            continue
        first = row[0]
        states = any(piece.text == "=" for piece in row)
        goes_on = first.text in ("+", "-", "cdot", "times", "/") and joined
        if goes_on and states and (0 in marks or first.text != "-"):
            raise ReadError("a line that goes on and states an equality of its own", text, first.start, "split it")
        if (goes_on and not states) or (joined and joined[-1][-1].text in ("+", "-", "cdot", "times", "=")):
            joined[-1] += row
        else:
            joined.append(list(row))
    if not joined:
        raise ReadError("an empty claim", text, 0, "write lhs = rhs")
    return joined


def _is_euler(text: str, rows: Iterable[list[Piece]], declared: Mapping[str, object]) -> bool:
    """Whether e is Euler's number: it always stands below an exponent, and nothing is differentiated by it."""
    bare = None
    powers = False
    for row in rows:
        lowered: list[bool] = []
        for at, piece in enumerate(row):
            before = [each.text for each in row[max(0, at - 3) : at]]
            if piece.text == "{" and piece.kind == "sign":
                lowered.append(before[-1:] == ["_"])
            elif piece.text == "}" and piece.kind == "sign" and lowered:
                lowered.pop()
            if piece.text != "e" or piece.kind != "letter" or piece.style:
                continue
            is_d = before[-1:] in (["d"], ["partial"])
            if is_d and (before[-3:-1] == ["}", "{"] or before[-2:-1] == ["/"]):
                return False  # the variable of an operator
            if before[-2:] in (["partial", "_"], ["nabla", "_"]):
                return False
            after = row[at + 1].text if at + 1 < len(row) else ""
            if before[-1:] == ["_"] or any(lowered):
                continue
            if after == "^":
                powers = True
            elif after != "_":
                bare = bare or piece
    if bare is not None and "e" not in declared:
        raise ReadError(
            "e can be Euler's number (write \\mathrm{e}) or a quantity", text, bare.start, "declare e for a quantity"
        )
    return powers
