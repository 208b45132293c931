"""What does `with x: positive, n: integer, x < y` declare?"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from verify.claim import Variable
from verify.graph import MINUS_ONE, ZERO, Node, compare, free_symbols, mul, symbol
from verify.language import names
from verify.language.read import Reader
from verify.language.tokens import Token

FIELDS = ("real", "integer", "complex")
RANGES = ("positive", "nonnegative", "negative", "nonpositive", "interval")
KIND_WORDS = frozenset((*FIELDS, *RANGES, "everywhere"))

_KINDS = "real, positive, nonnegative, negative, nonpositive, integer, complex or interval(a, b)"
_INFINITY = names.CONSTANTS["oo"]


@dataclass
class Declarations:
    """What has been declared so far."""

    variables: dict[str, Variable] = field(default_factory=dict)
    conditions: list[Node] = field(default_factory=list)
    everywhere: bool = False


def declared_names(found: list[Token]) -> Iterator[str]:
    """The names before the colons, with those that share the kind (`x, y: real`)."""
    waiting: list[str] = []
    for token, following in zip(found, found[1:], strict=False):
        if token.kind == "name" and following.text in (",", ":"):
            waiting.append(token.text)
            if following.text == ":":
                yield from waiting
                waiting = []
        elif token.text != ",":
            waiting = []


def read_declarations(reader: Reader, domain: Declarations) -> None:
    """Add what stands from here to the end: names with their kinds, conditions, `everywhere`."""
    while reader.token.kind != "end":
        if reader.sees_word("everywhere"):
            reader.take()
            domain.everywhere = True
        elif reader.token.kind == "name" and reader.tokens[reader.at + 1].text in (",", ":", ""):
            _read_names(reader, domain)
        else:
            condition = reader.condition()
            if condition not in domain.conditions:
                domain.conditions.append(condition)
        if reader.token.kind != "end":
            reader.expect(",", "between declarations")


def _read_names(reader: Reader, domain: Declarations) -> None:
    shared = [reader.take()]
    while reader.sees(","):
        reader.take()
        if reader.token.kind != "name":
            raise reader.error(f"a name is missing before {reader.shown()}")
        shared.append(reader.take())
    if not reader.sees(":"):
        name = shared[-1].text
        raise reader.error(f"{name} is followed by {reader.shown()}", f"write {name}: kind, with the kind {_KINDS}")
    reader.take()
    start = reader.at
    for token in shared:
        reader.at = start
        _check_name(reader, token)
        variable, conditions = _read_kind(reader, token.text)
        if domain.variables.setdefault(token.text, variable) != variable:
            raise reader.error(f"{token.text} is declared twice", "declare it once", token)
        domain.conditions += [c for c in conditions if c not in domain.conditions]


def _check_name(reader: Reader, token: Token) -> None:
    if token.text in names.RESERVED or "∂" in token.text:
        raise reader.error(f"{token.text!r} cannot be the name of a quantity", "rename it", token)


def _read_kind(reader: Reader, name: str) -> tuple[Variable, list[Node]]:
    """A field (real, integer, complex), a range, or both: `integer`, `positive`, `positive integer`."""
    first = reader.token
    field_, range_ = "", ""
    low: Node | None = None
    high: Node | None = None
    while reader.token.kind == "name":
        token = reader.take()
        if token.text in FIELDS and not field_:
            field_ = token.text
        elif token.text in RANGES and not range_:
            range_ = token.text
            if range_ == "interval":
                low, high = reader.arguments("interval", 2)
        else:
            raise _no_kind(reader, token)
    if not field_ and not range_:
        raise _no_kind(reader, first)
    if field_ == "complex" and range_:
        raise reader.error("a complex quantity has no range", "declare its real and imaginary parts", first)
    closed = range_.startswith("non")
    conditions = []
    match range_:
        case "positive" | "nonnegative":
            low = ZERO
        case "negative" | "nonpositive":
            high = ZERO
        case "interval":
            assert low is not None and high is not None
            if low.op == high.op == "num" and low.value >= high.value:
                raise reader.error("the interval is empty", "write the lower end first", first)
            if low is _INFINITY or high is mul(MINUS_ONE, _INFINITY):
                raise reader.error("the interval is empty", "write the lower end first", first)
            if low is mul(MINUS_ONE, _INFINITY):
                low = None
            if high is _INFINITY:
                high = None
            if low is not None and free_symbols(low):
                conditions.append(compare(low, "<", symbol(name)))
                low = None
            if high is not None and free_symbols(high):
                conditions.append(compare(symbol(name), "<", high))
                high = None
    variable = Variable(
        name, field_ or "real", low, high, closed and low is not None, closed_high=closed and high is not None
    )
    return variable, conditions


def _no_kind(reader: Reader, token: Token) -> Exception:
    if token.text in names.BEYOND_SCALARS or token.text == "of":
        return reader.error(
            f"{token.text!r} is not supported yet: this version reads scalar formulas",
            "write it out entry by entry",
            token,
        )
    near = names.nearest_of(token.text, KIND_WORDS - {"everywhere"})
    guess = f"did you mean {near}? " if near else ""
    return reader.error(f"{token.text!r} is no kind of quantity", f"{guess}write {_KINDS}", token)
