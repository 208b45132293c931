"""Is `d/dx` at this place a derivative operator, or d divided by dx?"""

from __future__ import annotations

from collections.abc import Set
from dataclasses import dataclass

from verify.language.names import NAMED_OPERATORS
from verify.language.tokens import GREEK, Token

HIGHEST_ORDER = 100


@dataclass(frozen=True)
class Operator:
    """A derivative operator; without a variable it turned out to be a quotient, and the note says so."""

    variable: str
    order: int
    end: int
    """Index of the first token behind it."""
    note: str = ""


def operator_at(tokens: list[Token], at: int, declared: Set[str], used: Set[str]) -> Operator | str | None:
    """The operator that starts at a token; None where none does; the error message where it is malformed.

    d/dx is an operator, unless the author declares both d and dx, or uses dx and has no x.
    """
    token = tokens[at]
    if token.kind != "name":
        return None
    found = _spelled(tokens, at) if token.text in ("d", "∂") else _named(token, at, declared)
    if not isinstance(found, Operator) or token.text != "d":
        return found
    x, dx = found.variable, "d" + found.variable
    known_x, known_dx = x in declared or x in used, dx in declared or dx in used
    if {"d", dx} <= declared or (known_dx and not known_x):
        return Operator("", 0, at, f"d/{dx} is read as the quotient of d and {dx}")
    return found


def used_names(tokens: list[Token]) -> frozenset[str]:
    """Names that stand somewhere without a bracket behind them, the parts of operators left out."""
    found = set()
    at = 0
    while tokens[at].kind != "end":
        token = tokens[at]
        operator = _spelled(tokens, at) if token.text in ("d", "∂") else None
        if isinstance(operator, Operator):
            at = operator.end
            continue
        if token.kind == "name" and tokens[at + 1].text not in ("(", ":"):
            found.add(token.text)
        at += 1
    return frozenset(found)


def _named(token: Token, at: int, declared: Set[str]) -> Operator | None:
    """grad_x, jac_x, div_x, hess_x of a scalar x."""
    word, _, variable = token.text.partition("_")
    if word not in NAMED_OPERATORS or not variable or token.text in declared:
        return None
    return Operator(variable, NAMED_OPERATORS[word], at + 1)


def _spelled(tokens: list[Token], at: int) -> Operator | str | None:
    """d/dx or d^k/dx^k."""
    d = tokens[at].text
    above, at = _exponent(tokens, at + 1)
    if tokens[at].text != "/":
        return None
    below = tokens[at + 1]
    if below.kind != "name" or not below.text.startswith(d):
        return None
    variable, at = below.text[1:], at + 2
    if not variable:
        following = tokens[at]
        if following.kind != "name" or following.start != below.end or following.text not in GREEK.values():
            return None
        variable, at = following.text, at + 1
    under, at = _exponent(tokens, at)
    if variable[0].isdigit() or variable[0] == "_":
        return f"{d}/{below.text}: {variable!r} is no variable"
    if above != under or above is None:
        return f"the orders above and below differ; write {d}^2/{d}{variable}^2"
    if not 1 <= above <= HIGHEST_ORDER:
        return f"the order of a derivative is a whole number from 1 to {HIGHEST_ORDER}"
    return Operator(variable, above, at)


def _exponent(tokens: list[Token], at: int) -> tuple[int | None, int]:
    """The order written behind a token (1 when none is, None when it is no number), and the index behind it."""
    if tokens[at].kind == "superscript":
        return int(tokens[at].text), at + 1
    if tokens[at].text != "^":
        return 1, at
    text = tokens[at + 1].text
    return (int(text) if text.isdigit() and len(text) < 6 else None), at + 2
