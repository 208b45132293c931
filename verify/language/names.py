"""What does a name mean?  A function, a constant, a word of the grammar, or the author's own quantity."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches
from functools import cache

from verify import functions
from verify.claim import STRUCTURES, Shape
from verify.graph import (
    HALF,
    MATRIX_FUNCTIONS,
    Node,
    add,
    call,
    constant,
    hadamard,
    hadamard_power,
    mul,
    num,
    postorder,
    rebuild,
    sqrt,
    substitute,
    symbol,
)
from verify.language.tokens import GREEK

CONSTANTS = {name: constant(name) for name in ("pi", "E", "EulerGamma", "I", "oo")}

#: Words that end an expression; they cannot be names.
RESERVED = ("with", "and", "or", "otherwise")

#: Names that some readers expect to be constants, and what those are called.
READ_AS_PARAMETERS = {
    "e": "Euler's number is E or exp(1)",
    "i": "the imaginary unit is I",
    "Pi": "the constant is pi",
    "PI": "the constant is pi",
    "inf": "infinity is oo",
}

#: Derivative operators written as a name: the order of the derivative in a scalar variable.
NAMED_OPERATORS = {"grad": 1, "jac": 1, "div": 1, "hess": 2}

#: Kinds of vectors and matrices, and how many sizes each is declared with.
SHAPED_KINDS = {"vector": 1, "matrix": 2} | dict.fromkeys(STRUCTURES[1:], 1)

#: Names that stand before a bracket and bind a variable in it.
BINDERS = ("int", "expect")


@cache
def is_function(name: str) -> bool:
    """Whether a name before a bracket is a call, unless its author declares it otherwise."""
    return (
        name == "sqrt"
        or bool(functions.arities(name))
        or name in functions.VARIADIC
        or name in functions.ALIASES
        or name in functions.ABBREVIATIONS
    )


@cache
def may_be_a_quantity(name: str) -> bool:
    """Whether a function's name may also stand for a number without being declared: the Greek letters do."""
    return not is_function(name) or name in GREEK.values()


def nearest(name: str) -> str:
    """The known function whose name looks most like this one; empty when none does."""
    known = (
        "sqrt",
        *functions.names(),
        *functions.ALIASES,
        *functions.ABBREVIATIONS,
        *MATRIX_FUNCTIONS,
        "piecewise",
    )
    return nearest_of(name, known)


def nearest_of(name: str, known: Iterable[str]) -> str:
    """The most similar of some names; empty when none is similar."""
    return next(iter(get_close_matches(name[:40], sorted(known), 1)), "")


@cache
def numbers_of_arguments(name: str) -> tuple[int, ...]:
    """How many arguments a function takes, ascending; () when any number from one on will do."""
    name = functions.ALIASES.get(name, name)
    if name == "sqrt":
        return (1,)
    abbreviated = (1,) if name in functions.ABBREVIATIONS else ()
    return tuple(sorted({*functions.arities(name), *abbreviated}))


def apply(name: str, *arguments: Node) -> tuple[Node, str]:
    """The function at its arguments, and what an abbreviation stands for (empty when `name` is none).

    The number of arguments must be one of `numbers_of_arguments(name)`.
    """
    name = functions.ALIASES.get(name, name)
    if name in functions.ABBREVIATIONS and len(arguments) == 1 and functions.function(name, 1) is None:
        meaning = functions.ABBREVIATIONS[name]
        return substitute(_template(meaning), {symbol("x"): arguments[0]}), meaning
    return sqrt(*arguments) if name == "sqrt" else call(name, *arguments), ""


def apply_entrywise(name: str, shape: Shape, *arguments: Node) -> tuple[Node, str]:
    """The function at each entry of a column or row of this shape; otherwise as `apply`."""
    name = functions.ALIASES.get(name, name)
    if name == "sqrt":
        return hadamard_power(*arguments, HALF), ""
    if name in functions.ABBREVIATIONS and len(arguments) == 1 and functions.function(name, 1) is None:
        meaning = functions.ABBREVIATIONS[name]
        sizes = (num(size) if isinstance(size, int) else symbol(size) for size in shape)
        return _entrywise(_template(meaning), *arguments, call("ones", *sizes)), meaning
    return call(name, *arguments), ""


def _entrywise(template: Node, argument: Node, ones: Node) -> Node:
    """The template in x at each entry: numbers in sums become vectors, products and powers go entry by entry."""
    done: dict[Node, Node] = {}
    varies: set[Node] = set()
    for node in postorder(template):
        args = [done[arg] for arg in node.args]
        moving = [arg in varies for arg in node.args]
        done[node] = rebuild(node, args)
        if node.op == "symbol":
            done[node] = argument
        elif any(moving) and node.op == "add":
            done[node] = add(*(arg if moves else mul(arg, ones) for arg, moves in zip(args, moving, strict=True)))
        elif any(moving) and node.op == "mul" and sum(moving) > 1:
            done[node] = hadamard(*args)
        elif any(moving) and node.op == "pow":
            done[node] = hadamard_power(*args)
        if node.op == "symbol" or any(moving):
            varies.add(node)
    return done[template]


@cache
def _template(text: str) -> Node:
    from verify.language.read import read_expression

    return read_expression(text)
