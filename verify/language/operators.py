"""Is `d/dx` a derivative operator here?  It may also be d divided by dx: then a note says so."""

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
    name = tokens[at].text
    if name not in ("d", "∂"):
        return None if name in declared else _named(name, at)
    found = _spelled(tokens, at)
    if not isinstance(found, Operator) or name == "∂":
        return found
    x, dx = found.variable, f"d{found.variable}"
    known = declared | used
    if {"d", dx} <= declared or (dx in known and x not in known):
        return Operator("", 0, at, f"d/{dx} is read as the quotient of d and {dx}")
    return found


def used_names(tokens: list[Token]) -> frozenset[str]:
    """Names that stand somewhere without a bracket behind them, the parts of operators left out."""
    found = set()
    skip = 0
    for at, token in enumerate(tokens):
        if token.kind != "name" or at < skip:
            continue
        if token.text in ("d", "∂"):
            operator = _spelled(tokens, at)
            if isinstance(operator, Operator):
                skip = operator.end
                continue
        if tokens[at + 1].text not in ("(", ":"):
            found.add(token.text)
    return frozenset(found)


def _named(name: str, at: int) -> Operator | None:
    """grad_x, jac_x, div_x, hess_x of a scalar x."""
    word, _, variable = name.partition("_")
    return Operator(variable, NAMED_OPERATORS[word], at + 1) if variable and word in NAMED_OPERATORS else None


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
        # A Greek letter is a name of its own: d/dλ.
        letter = tokens[at]
        if letter.kind != "name" or letter.start != below.end or letter.text not in GREEK.values():
            return None
        variable, at = letter.text, at + 1
    under, at = _exponent(tokens, at)
    if not variable[0].isalpha():
        return f"{d}/{below.text}: {variable!r} is no variable"
    if above != under or above is None:
        return f"the orders above and below must be the same number, as in {d}^2/{d}{variable}^2"
    if not 1 <= above <= HIGHEST_ORDER:
        return f"the order of a derivative is a whole number from 1 to {HIGHEST_ORDER}"
    return Operator(variable, above, at)


def _exponent(tokens: list[Token], at: int) -> tuple[int | None, int]:
    """The order written behind a token (1 when none is, None when it is no number), and the index behind it."""
    if tokens[at].kind == "superscript":
        return (int(tokens[at].text) if tokens[at].text.isdigit() else None), at + 1
    if tokens[at].text != "^":
        return 1, at
    text = tokens[at + 1].text
    return (int(text) if text.isdigit() and len(text) < 6 else None), min(at + 2, len(tokens) - 1)
