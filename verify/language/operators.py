"""Is `d/dx` a derivative operator here?  It may also be d divided by dx: then a note says so."""

from __future__ import annotations

from collections.abc import Set
from typing import NamedTuple

from verify.language.names import NAMED_OPERATORS
from verify.language.tokens import GREEK, Token

HIGHEST_ORDER = 100


class Operator(NamedTuple):
    """A derivative operator: what it differentiates by, how often, and the index of the first token behind it.

    word    grad, jac, hess or div for one that is written as a name.
    """

    variable: str
    order: int
    end: int
    word: str = ""


class Quotient(NamedTuple):
    """What looks like an operator and is d divided by dx."""

    d: str
    dx: str


class Malformed(NamedTuple):
    """What looks like an operator and is none, and why."""

    what: str


def operator_at(
    tokens: list[Token], at: int, declared: Set[str], used: Set[str]
) -> Operator | Quotient | Malformed | None:
    """What starts at a token; None where nothing looks like an operator.

    d/dx is an operator, unless the author declares both d and dx, or uses dx and has no x.
    """
    name = tokens[at].text
    if name not in ("d", "∂"):
        return None if name in declared else _named(name, at) or _differential_quotient(tokens, at, declared)
    found = _spelled(tokens, at)
    if found is None:
        return None
    x, dx, known = found.variable, name + found.variable, declared | used
    if {name, dx} <= declared or (dx in known and x not in known):
        return Quotient(name, dx)
    if not x[0].isalpha():
        return Malformed(f"{name}/{dx}: {x!r} is no variable")
    if found.above != found.below or found.above is None:
        return Malformed(
            f"the orders above and below must be the same number, as in {name}^2/{dx}^2 "
            "(for two variables write d/dx d/dy)"
        )
    if not 1 <= found.above <= HIGHEST_ORDER:
        return Malformed(f"the order of a derivative is a whole number from 1 to {HIGHEST_ORDER}")
    return Operator(x, found.above, found.end)


def used_names(tokens: list[Token]) -> frozenset[str]:
    """Names that stand somewhere without a bracket behind them, the parts of operators left out."""
    found = set()
    skip = 0
    for at, token in enumerate(tokens):
        if token.kind != "name" or at < skip:
            continue
        if token.text in ("d", "∂") and (spelled := _spelled(tokens, at)) is not None:
            skip = spelled.end
        elif tokens[at + 1].text not in ("(", ":"):
            found.add(token.text)
    return frozenset(found)


def _differential_quotient(tokens: list[Token], at: int, declared: Set[str]) -> Malformed | None:
    """dy/dx, where nobody says what y is."""
    dy = tokens[at].text
    if len(dy) != 2 or dy[0] != "d" or tokens[at + 1].text != "/":
        return None
    dx = tokens[at + 2].text
    if len(dx) != 2 or dx[0] != "d" or not dx[1].isalpha() or dx in declared:
        return None
    return Malformed(
        f"{dy}/{dx} does not say what {dy[1]} is; write d/{dx} (…), or declare {dy} and {dx} as quantities"
    )


class _Spelled(NamedTuple):
    variable: str
    above: int | None
    below: int | None
    end: int


def _named(name: str, at: int) -> Operator | None:
    """grad_x, jac_x, div_x, hess_x."""
    word, _, variable = name.partition("_")
    return Operator(variable, NAMED_OPERATORS[word], at + 1, word) if variable and word in NAMED_OPERATORS else None


def _spelled(tokens: list[Token], at: int) -> _Spelled | None:
    """d/dx or d^k/dx^k."""
    d = tokens[at].text
    above, at = _exponent(tokens, at + 1)
    if tokens[at].text != "/":
        return None
    dx, at = tokens[at + 1], at + 2
    if dx.kind != "name" or not dx.text.startswith(d):
        return None
    variable = dx.text[1:]
    if not variable:
        # A Greek letter is a name of its own: d/dλ.
        letter = tokens[at]
        if letter.kind != "name" or letter.start != dx.end or letter.text not in GREEK.values():
            return None
        variable, at = letter.text, at + 1
    below, at = _exponent(tokens, at)
    return _Spelled(variable, above, below, at)


def _exponent(tokens: list[Token], at: int) -> tuple[int | None, int]:
    """The order written behind a token (1 when none is, None when it is no number), and the index behind it."""
    if tokens[at].kind == "superscript":
        return (int(tokens[at].text) if tokens[at].text.isdigit() else None), at + 1
    if tokens[at].text != "^":
        return 1, at
    text = tokens[at + 1].text
    return (int(text) if text.isdigit() and len(text) < 6 else None), min(at + 2, len(tokens) - 1)
