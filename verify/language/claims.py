"""Which claim does a text make?  An equality, on the domain that `with` or `let` declares."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from verify.claim import Claim, Domain, Variable
from verify.graph import Node
from verify.language.cursor import Cursor
from verify.language.declarations import (
    KIND_WORDS,
    Declarations,
    declare_size,
    declared_names,
    read_declarations,
    read_waiting,
)
from verify.language.errors import ReadError
from verify.language.operators import used_names
from verify.language.read import read_value, speaks_of_shapes
from verify.language.tokens import Token, tokens
from verify.shapes import ShapeError, Shapes, described, of_sides

Let = Mapping[str, str | list[str]]


def read_claim(text: str, let: Let | None = None) -> Claim:
    """The claim `lhs = rhs`, or `lhs = rhs with declarations`.

    let     declarations from outside the text: kinds by name, and conditions (a text or several) under `where`.

    Raises ReadError; its `text` is the claim, or the declaration in which its column counts.
    """
    sides, ending = _split(text, tokens(text))
    return claim_of(text, sides, [ending], let)


def claim_of(text: str, sides: list[Token], endings: Iterable[list[Token]], let: Let | None = None) -> Claim:
    """The claim of the tokens of an equality and of its declarations, each list with an end; raises ReadError.

    text    the source in which the tokens count their places, in whatever notation it is written.
    """
    sections = [*((text, ending) for ending in endings), *((line, tokens(line)) for line in lines_of(let or {}))]
    known = frozenset(name for _, section in sections for name in declared_names(section))
    used = used_names(sides).union(*(used_names(section) - KIND_WORDS for _, section in sections))

    cursor = Cursor(text, sides, known, used)
    cursors = [cursor, *(Cursor(line, section, known, used) for line, section in sections)]
    domain = Declarations()
    if speaks_of_shapes(sides) or any(speaks_of_shapes(section) for _, section in sections):
        lhs, rhs = _read_shaped(cursors, domain)
    else:
        lhs, rhs = _read_sides(cursor)
        for each in cursors[1:]:
            read_declarations(each, domain)
    symbols = dict.fromkeys(_all_declared(cursors, domain))
    for each in cursors:
        each.symbols |= symbols
        each.finish()
        _check_differentiated(each, domain)
    return Claim(
        lhs,
        rhs,
        Domain(
            _all_declared(cursors, domain),
            tuple(domain.conditions),
            domain.everywhere,
            domain.structured,
        ),
        text,
        tuple(dict.fromkeys(note for each in cursors for note in each.notes)),
    )


def _all_declared(cursors: list[Cursor], domain: Declarations) -> dict[str, Variable]:
    """All variables in the order in which they are met; those that are not declared are real numbers."""
    met = dict.fromkeys(name for each in cursors for name in each.symbols) | dict.fromkeys(domain.variables)
    return {name: domain.variables.get(name, Variable(name)) for name in met}


def _read_shaped(cursors: list[Cursor], domain: Declarations) -> tuple[Node, Node]:
    """The sides of a claim on vectors, matrices or abstract functions: what is declared says how they are read."""
    shapes = Shapes(domain.variables)
    for each in cursors:
        each.shapes = shapes
    for each in cursors[1:]:
        read_declarations(each, domain)
    try:
        read_waiting(domain)
        lhs, rhs = _read_sides(cursors[0])
        for name in cursors[0].sizes:
            declare_size(name, domain)
    except ReadError:
        raise
    except ValueError as error:
        raise ReadError(str(error), cursors[0].text, 0, "rename one of them") from None
    try:
        one, other = of_sides(Claim(lhs, rhs, Domain(_all_declared(cursors, domain))))
    except ShapeError as error:
        raise cursors[0].error(error.what, error.mend, cursors[0].tokens[0]) from None
    if one != other:
        cursors[0].note(f"the left-hand side is a {described(one)}, the right-hand side a {described(other)}")
    return lhs, rhs


def read_let(*lines: str) -> dict[str, str | list[str]]:
    """What `--let "x: positive, y: real, x < y"` declares, in the form that `read_claim` takes.

    Names may be written as in LaTeX, \\theta for theta.  Raises ReadError for what is no declaration.
    """
    if any(sign in line for line in lines for sign in "\\{'"):
        from verify.language.latex.declared import plain

        lines = tuple(map(plain, lines))
    let: dict[str, str | list[str]] = {}
    where: list[str] = []
    for line in lines:
        found = tokens(line)
        read_declarations(Cursor(line, found, frozenset(declared_names(found)), frozenset()), Declarations())
        for piece in _pieces(line, found):
            name, colon, kind = piece.partition(":")
            if colon and let.setdefault(name.strip(), kind.strip()) != kind.strip():
                raise ReadError(f"{name.strip()} is declared twice", line, line.index(piece), "declare it once")
            if not colon:
                where.append(piece)
    return let | ({"where": where} if where else {})


def lines_of(let: Let) -> Iterator[str]:
    """The declarations of `let` as lines of the text grammar, conditions among them.  Raises ReadError."""
    if not isinstance(let, Mapping):
        raise ReadError("`let` is a mapping from names to kinds", str(let), 0, 'write {"x": "positive"}')
    for name, kind in let.items():
        if name == "where":
            yield from kind if isinstance(kind, list | tuple) else [kind]
        else:
            yield f"{name}: {kind}"


def _split(text: str, found: list[Token]) -> tuple[list[Token], list[Token]]:
    """The tokens of the equality and those of its declarations, each with an end."""
    at = next((i for i, token in enumerate(found) if token.kind == "name" and token.text == "with"), None)
    if at is None:
        return found, found[-1:]
    start = found[at].start
    if found[at + 1].kind == "end":
        raise ReadError("nothing is declared after `with`", text, start, "write x: kind, or a condition")
    return [*found[:at], Token("end", "", start, start)], found[at + 1 :]


def _check_differentiated(cursor: Cursor, domain: Declarations) -> None:
    for name, token in cursor.variables.items():
        declared = domain.variables.get(name, Variable(name))
        if declared.field in ("integer", "size"):
            kind = "an integer" if declared.field == "integer" else "a size"
            raise cursor.error(f"derivative with respect to {name}, {kind}", f"declare {name}: real", token)
        if declared.of:
            of = ", ".join(declared.of)
            raise cursor.error(f"derivative with respect to {name}, which depends on {of}", f"write d/d{of}", token)


def _read_sides(cursor: Cursor) -> tuple[Node, Node]:
    if cursor.token.kind == "end":
        raise cursor.error("an empty claim", "write lhs = rhs")
    if cursor.sign == "=":
        raise cursor.error("nothing stands left of =", "write lhs = rhs")
    lhs = read_value(cursor)
    if cursor.token.kind == "end":
        raise cursor.error("a claim is an equality, and there is no = here", "write lhs = rhs")
    if cursor.sign in ("<", "<=", ">", ">="):
        raise cursor.error("a claim is an equality", "conditions follow after `with`")
    if cursor.sign != "=":
        raise cursor.unexpected()
    cursor.take()
    if cursor.token.kind == "end":
        raise cursor.error("nothing stands right of =", "write lhs = rhs")
    rhs = read_value(cursor)
    if cursor.token.kind != "end":
        raise cursor.unexpected()
    return lhs, rhs


def _pieces(line: str, found: Iterable[Token]) -> Iterator[str]:
    """The declarations of a line, names that share a kind (`x, y: real`) each with that kind."""
    depth, start, spans, dependent = 0, 0, [], False
    found = list(found)
    for at, token in enumerate(found):
        depth += (token.text == "(") - (token.text == ")")
        dependent = token.text == "of" or (dependent and (token.kind == "name" or token.text == ","))
        if dependent and token.text == "," and found[at + 1].kind == "name" and found[at + 2].text in (",", ""):
            continue
        if token.kind == "end" or (token.text == "," and depth == 0):
            spans.append(line[start : token.start].strip())
            start, dependent = token.end, False
    waiting: list[str] = []
    for span in spans:
        if span.isidentifier() and span != "everywhere":
            waiting.append(span)
            continue
        _, colon, kind = span.partition(":")
        yield from (f"{name}: {kind.strip()}" for name in waiting if colon)
        yield span
        waiting = []
