"""Which claim does a text make?  An equality, on the domain that `with` or `let` declares."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from verify.claim import Claim, Domain, Variable
from verify.graph import Node
from verify.language.cursor import Cursor
from verify.language.declarations import KIND_WORDS, Declarations, declared_names, read_declarations
from verify.language.errors import ReadError
from verify.language.operators import used_names
from verify.language.read import read_value
from verify.language.tokens import Token, tokens

Let = Mapping[str, str | list[str]]


def read_claim(text: str, let: Let | None = None) -> Claim:
    """The claim `lhs = rhs`, or `lhs = rhs with declarations`.

    let     declarations from outside the text: kinds by name, and conditions (a text or several) under `where`.

    Raises ReadError; its `text` is the claim, or the declaration in which its column counts.
    """
    sides, ending = _split(text, tokens(text))
    sections = [(text, ending), *((line, tokens(line)) for line in _lines(let or {}))]
    known = frozenset(name for _, section in sections for name in declared_names(section))
    used = used_names(sides).union(*(used_names(section) - KIND_WORDS for _, section in sections))

    cursor = Cursor(text, sides, known, used)
    lhs, rhs = _read_sides(cursor)
    cursors = [cursor, *(Cursor(line, section, known, used) for line, section in sections)]
    domain = Declarations()
    for each in cursors[1:]:
        read_declarations(each, domain)
    symbols = dict.fromkeys(name for each in cursors for name in each.symbols) | dict.fromkeys(domain.variables)
    for each in cursors:
        each.symbols |= symbols
        each.finish()
        _check_differentiated(each, domain)
    return Claim(
        lhs,
        rhs,
        Domain(
            {name: domain.variables.get(name, Variable(name)) for name in symbols},
            tuple(domain.conditions),
            domain.everywhere,
        ),
        text,
        tuple(dict.fromkeys(note for each in cursors for note in each.notes)),
    )


def read_let(*lines: str) -> dict[str, str | list[str]]:
    """What `--let "x: positive, y: real, x < y"` declares, in the form that `read_claim` takes.

    Raises ReadError for what is no declaration.
    """
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


def _lines(let: Let) -> Iterator[str]:
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
        if name in domain.variables and domain.variables[name].field == "integer":
            raise cursor.error(f"derivative with respect to {name}, an integer", f"declare {name}: real", token)


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
    depth, start, spans = 0, 0, []
    for token in found:
        depth += (token.text == "(") - (token.text == ")")
        if token.kind == "end" or (token.text == "," and depth == 0):
            spans.append(line[start : token.start].strip())
            start = token.end
    waiting: list[str] = []
    for span in spans:
        if span.isidentifier() and span != "everywhere":
            waiting.append(span)
            continue
        _, colon, kind = span.partition(":")
        yield from (f"{name}: {kind.strip()}" for name in waiting if colon)
        yield span
        waiting = []
