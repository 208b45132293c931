"""What is the derivative of a function?  The rules of `verify.functions`, read once into the expression graph."""

from __future__ import annotations

from functools import cache

from verify.functions import function
from verify.graph import Node


@cache
def partial(name: str, arity: int, i: int) -> Node | None:
    """The i-th partial derivative (from 0) over symbols named as in the function's row; None where there is no rule."""
    row = function(name, arity)
    rule = row.partials[i] if row else None
    if row is None or rule is None:
        return None
    from verify.language import read_expression

    return read_expression(rule, row.arguments)
