"""What does `with x: positive, n: integer, x < y` declare?  Variables with their sets, and conditions."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from itertools import pairwise

from verify.claim import Variable
from verify.graph import ZERO, I, Node, compare, free_symbols, neg, postorder, symbol
from verify.language import names
from verify.language.calls import arguments, beyond_scalars
from verify.language.cursor import Cursor
from verify.language.read import read_condition, read_value
from verify.language.tokens import Token

FIELDS = ("real", "integer", "complex")
RANGES = ("positive", "nonnegative", "negative", "nonpositive", "interval")
KIND_WORDS = frozenset((*FIELDS, *RANGES, "everywhere"))

_KINDS = "real, positive, nonnegative, negative, nonpositive, integer, complex or interval(a, b)"
_INFINITY = names.CONSTANTS["oo"]
_MINUS_INFINITY = neg(_INFINITY)


@dataclass
class Declarations:
    """What has been declared so far."""

    variables: dict[str, Variable] = field(default_factory=dict)
    conditions: list[Node] = field(default_factory=list)
    everywhere: bool = False


def declared_names(found: list[Token]) -> Iterator[str]:
    """The names before the colons, with those that share the kind (`x, y: real`)."""
    waiting: list[str] = []
    for token, following in pairwise(found):
        if token.kind == "name" and following.text in (",", ":"):
            waiting.append(token.text)
            if following.text == ":":
                yield from waiting
                waiting = []
        elif token.text != ",":
            waiting = []


def read_declarations(cursor: Cursor, domain: Declarations) -> None:
    """Add what stands from here to the end: names with their kinds, conditions, `everywhere`."""
    while cursor.token.kind != "end":
        if cursor.sign == "everywhere":
            cursor.take()
            domain.everywhere = True
        elif cursor.token.kind == "name" and cursor.after.text in (",", ":", ""):
            _read_names(cursor, domain)
        else:
            condition = read_condition(cursor)
            if condition not in domain.conditions:
                domain.conditions.append(condition)
        if cursor.token.kind != "end":
            cursor.expect(",", "between declarations")


def _read_names(cursor: Cursor, domain: Declarations) -> None:
    shared = [cursor.take()]
    while cursor.sign == ",":
        cursor.take()
        if cursor.token.kind != "name":
            raise cursor.error(f"a name is missing before {cursor.shown()}")
        shared.append(cursor.take())
    if cursor.sign != ":":
        name = shared[-1].text
        raise cursor.error(f"{name} is followed by {cursor.shown()}", f"write {name}: kind, with the kind {_KINDS}")
    cursor.take()
    start = cursor.at
    for token in shared:
        cursor.move(start)
        _check_name(cursor, token)
        variable, conditions = _read_kind(cursor, token.text)
        if domain.variables.setdefault(token.text, variable) != variable:
            raise cursor.error(f"{token.text} is declared twice", "declare it once", token)
        domain.conditions += [c for c in conditions if c not in domain.conditions]


def _check_name(cursor: Cursor, token: Token) -> None:
    if token.text in names.RESERVED or "∂" in token.text:
        raise cursor.error(f"{token.text!r} cannot be the name of a quantity", "rename it", token)


def _read_kind(cursor: Cursor, name: str) -> tuple[Variable, list[Node]]:
    """A field (real, integer, complex), a range, or both: `integer`, `positive`, `positive integer`."""
    first = cursor.token
    field_, range_ = "", ""
    ends: list[Node] = []
    while cursor.token.kind == "name":
        token = cursor.take()
        if token.text in FIELDS and not field_:
            field_ = token.text
        elif token.text in RANGES and not range_:
            range_ = token.text
            ends = arguments(cursor, "interval", (2,), read_value) if range_ == "interval" else []
        else:
            raise _no_kind(cursor, token)
    if not field_ and not range_:
        raise _no_kind(cursor, first)
    if field_ == "complex" and range_:
        raise cursor.error("a complex quantity has no range", "declare its real and imaginary parts", first)
    variable, conditions = Variable(name, field_ or "real"), []
    match range_:
        case "positive" | "nonnegative":
            variable = replace(variable, low=ZERO, closed_low=range_ == "nonnegative")
        case "negative" | "nonpositive":
            variable = replace(variable, high=ZERO, closed_high=range_ == "nonpositive")
        case "interval":
            _check_ends(cursor, first, *ends)
            low, high = (None if end in (_INFINITY, _MINUS_INFINITY) else end for end in ends)
            # A variable has constant ends; those that move with other variables are conditions.
            conditions += [compare(low, "<", symbol(name))] if low is not None and free_symbols(low) else []
            conditions += [compare(symbol(name), "<", high)] if high is not None and free_symbols(high) else []
            constant = [None if end is None or free_symbols(end) else end for end in (low, high)]
            variable = replace(variable, low=constant[0], high=constant[1])
    return variable, conditions


def _check_ends(cursor: Cursor, token: Token, low: Node, high: Node) -> None:
    if any(node is I for node in postorder(low, high)):
        raise cursor.error("the ends of an interval are real", token=token)
    numbers = low.op == high.op == "num"
    if low is _INFINITY or high is _MINUS_INFINITY or (numbers and low.value >= high.value):
        raise cursor.error("the interval is empty", "write the lower end first", token)


def _no_kind(cursor: Cursor, token: Token) -> Exception:
    if token.text in names.BEYOND_SCALARS or token.text == "of":
        return beyond_scalars(cursor, token)
    near = names.nearest_of(token.text, KIND_WORDS - {"everywhere"})
    guess = f"did you mean {near}? " if near else ""
    return cursor.error(f"{token.text!r} is no kind of quantity", f"{guess}write {_KINDS}", token)
