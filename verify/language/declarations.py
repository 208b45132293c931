"""What does `with x: positive, n: integer, x < y` declare?  Variables with their sets, and conditions."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from itertools import pairwise

from verify.claim import Size, Variable
from verify.graph import ZERO, I, Node, compare, free_symbols, neg, postorder, symbol
from verify.language import names
from verify.language.cursor import Cursor, arguments
from verify.language.names import SHAPED_KINDS
from verify.language.read import read_condition, read_value
from verify.language.tokens import Token
from verify.language.write import write_variable
from verify.shapes import normal

FIELDS = ("real", "integer", "complex")
RANGES = ("positive", "nonnegative", "negative", "nonpositive", "interval")
KIND_WORDS = frozenset((*FIELDS, *RANGES, *SHAPED_KINDS, "function", "of", "everywhere", "structured"))

_KINDS = "real, positive, nonnegative, negative, nonpositive, integer, complex or interval(a, b)"
_SHAPED_KINDS = "vector(n), matrix(m, n), symmetric(n), spd(n), antisymmetric(n), orthogonal(n), diagonal(n)"
#: Larger matrices are not written in formulas.
LARGEST_SIZE = 1000
_INFINITY = names.CONSTANTS["oo"]
_MINUS_INFINITY = neg(_INFINITY)


@dataclass
class Declarations:
    """What has been declared so far."""

    variables: dict[str, Variable] = field(default_factory=dict)
    conditions: list[Node] = field(default_factory=list)
    everywhere: bool = False
    structured: bool = False
    sizes: dict[str, None] = field(default_factory=dict)
    """Names that occur as sizes."""
    waiting: list[tuple[Cursor, int]] = field(default_factory=list)
    """Where conditions begin that can be read only when all shapes are known."""


def declared_names(found: list[Token]) -> Iterator[str]:
    """The names before the colons, with those that share the kind (`x, y: real`)."""
    waiting: list[str] = []
    dependent = False
    for token, following in pairwise(found):
        if token.text == "of":
            dependent = True
        elif dependent and token.kind == "name" and following.text in (",", ""):
            continue
        elif token.text != ",":
            dependent = False
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
        elif cursor.sign == "structured" and cursor.after.text in (",", ""):
            cursor.take()
            domain.structured = True
        elif cursor.token.kind == "name" and cursor.after.text in (",", ":", ""):
            _read_names(cursor, domain)
        elif cursor.shapes is not None:
            domain.waiting.append((cursor, cursor.at))
            _skip(cursor)
        else:
            _read_condition(cursor, domain)
        if cursor.token.kind != "end":
            cursor.expect(",", "between declarations")


def read_waiting(domain: Declarations) -> None:
    """Read the conditions that had to wait for the shapes; declare the sizes."""
    for name in domain.sizes:
        declare_size(name, domain)
    for cursor, at in domain.waiting:
        end = cursor.at
        cursor.move(at)
        _read_condition(cursor, domain)
        if cursor.token.kind != "end" and cursor.sign != ",":
            raise cursor.unexpected()
        cursor.move(end)


def declare_size(name: str, domain: Declarations) -> None:
    """Make a name that may be declared as a number a size.  Raises ValueError for anything else."""
    known = domain.variables.get(name, Variable(name))
    if known.shape or known.of or known.field == "complex" or known.high is not None:
        raise ValueError(f"{name} is a size, and declared as {write_variable(known)}")
    domain.variables[name] = Variable(name, "size")


def _read_condition(cursor: Cursor, domain: Declarations) -> None:
    condition = read_condition(cursor)
    if condition not in domain.conditions:
        domain.conditions.append(condition)


def _skip(cursor: Cursor) -> None:
    """Go to the next comma that stands in no bracket, or to the end."""
    depth = 0
    while cursor.token.kind != "end" and (depth > 0 or cursor.sign != ","):
        depth += (cursor.sign in ("(", "[")) - (cursor.sign in (")", "]"))
        cursor.take()


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
        variable, conditions = _read_kind(cursor, token.text, domain)
        if domain.variables.setdefault(token.text, variable) != variable:
            raise cursor.error(f"{token.text} is declared twice", "declare it once", token)
        domain.conditions += [c for c in conditions if c not in domain.conditions]


def _check_name(cursor: Cursor, token: Token) -> None:
    if token.text in names.RESERVED or "∂" in token.text:
        raise cursor.error(f"{token.text!r} cannot be the name of a quantity", "rename it", token)


def _read_kind(cursor: Cursor, name: str, domain: Declarations) -> tuple[Variable, list[Node]]:
    """A field (real, integer, complex), a range, or both: `integer`, `positive`, `positive integer`."""
    first = cursor.token
    if first.text in SHAPED_KINDS:
        return _read_shaped(cursor, name, domain), []
    if first.text == "function" or (first.text == "real" and cursor.after.text == "of"):
        cursor.take()
        return Variable(name, of=_read_dependence(cursor, name, needed=True)), []
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


def _read_shaped(cursor: Cursor, name: str, domain: Declarations) -> Variable:
    """vector(n), matrix(m, n), symmetric(n), …, each with `of t` or without."""
    kind = cursor.take()
    needed = SHAPED_KINDS[kind.text]
    opening = cursor.expect("(", f"after {kind.text}")
    sizes = [_read_size(cursor, name, domain)]
    while cursor.accepts(","):
        sizes.append(_read_size(cursor, name, domain))
    cursor.expect(")", f"after the sizes of {name}")
    if len(sizes) != needed:
        many = f"{needed} size{'s' * (needed > 1)}"
        raise cursor.error(f"{kind.text} takes {many}, {len(sizes)} given", token=opening)
    of = _read_dependence(cursor, name, needed=False)
    if kind.text in ("vector", "matrix"):
        return Variable(name, shape=normal(*(*sizes, 1)[:2]), of=of)
    if sizes == [1]:
        raise cursor.error(f"{kind.text}(1) is a number", f"declare {name}: real, or positive", kind)
    return Variable(name, shape=(sizes[0], sizes[0]), structure=kind.text, of=of)


def _read_size(cursor: Cursor, name: str, domain: Declarations) -> Size:
    token = cursor.take()
    if token.kind == "number" and token.text.isdigit() and 1 <= int(token.text) <= LARGEST_SIZE:
        return int(token.text)
    if token.kind != "name" or token.text in names.CONSTANTS or cursor.sign not in (",", ")"):
        raise cursor.error(f"a size is a name or a whole number from 1 to {LARGEST_SIZE}", token=token)
    if token.text == name:
        raise cursor.error(f"{name} cannot be its own size", "rename one of them", token)
    domain.sizes.setdefault(token.text)
    return token.text


def _read_dependence(cursor: Cursor, name: str, needed: bool) -> tuple[str, ...]:
    """`of x, y`: all names up to one that is followed by a colon or begins a condition."""
    if not cursor.accepts("of"):
        if needed:
            raise cursor.error(f"of what is {name} a function?", f"write {name}: function of x")
        return ()
    found: list[str] = []
    while True:
        token = cursor.take()
        if token.kind != "name" or token.text in names.RESERVED or token.text == name:
            raise cursor.error(f"the name of what {name} depends on is missing", f"write {name}: … of t", token)
        found.append(token.text)
        cursor.symbols.setdefault(token.text)
        follows = cursor.tokens[min(cursor.at + 2, len(cursor.tokens) - 1)]
        if (
            cursor.sign != ","
            or cursor.after.kind != "name"
            or cursor.after.text in ("everywhere", "structured")
            or follows.text not in (",", "")
        ):
            break
        cursor.take()
    if len(found) > 1 and cursor.sign == ",":
        cursor.note(f"{name} is read as a function of {', '.join(found)}")
    if len(set(found)) < len(found):
        raise cursor.error(f"{name} depends twice on the same name")
    return tuple(found)


def _check_ends(cursor: Cursor, token: Token, low: Node, high: Node) -> None:
    if any(node is I for node in postorder(low, high)):
        raise cursor.error("the ends of an interval are real", token=token)
    numbers = low.op == high.op == "num"
    if low is _INFINITY or high is _MINUS_INFINITY or (numbers and low.value >= high.value):
        raise cursor.error("the interval is empty", "write the lower end first", token)


def _no_kind(cursor: Cursor, token: Token) -> Exception:
    near = names.nearest_of(token.text, KIND_WORDS - {"everywhere", "structured", "of"})
    guess = f"did you mean {near}? " if near else ""
    return cursor.error(
        f"{token.text!r} is no kind of quantity", f"{guess}write {_KINDS}, {_SHAPED_KINDS}, or function of x", token
    )
