"""What do vectors, matrices and abstract functions add to the grammar?  Their calls, sums, postfixes and signs."""

from __future__ import annotations

from collections.abc import Callable

from verify.claim import Shape, Variable
from verify.graph import (
    MATRIX_FUNCTIONS,
    MINUS_ONE,
    Node,
    abstract,
    call,
    entry,
    free_symbols,
    hadamard,
    hadamard_power,
    mul,
    num,
    postorder,
    power,
    symbol,
    total,
    transpose,
)
from verify.language import names
from verify.language.cursor import Cursor, arguments
from verify.language.tokens import Token

Read = Callable[[Cursor], Node]


def abstract_call(cursor: Cursor, token: Token, declared: Variable, read_value: Read) -> Node:
    """f, f(u), f'(u): a declared function where it was declared, or at the arguments that follow."""
    name, primes = token.text, 0
    while cursor.sign == "'" and not declared.shape:
        cursor.take()
        primes += 1
    if primes and len(declared.of) != 1:
        raise cursor.error(
            f"{name}' is the derivative by which of {', '.join(declared.of)}?",
            f"write d/d{declared.of[0]} {name}",
            token,
        )
    if cursor.sign == "'" and cursor.after.text == "(":
        raise cursor.error(
            f"{name}'(…) can be the derivative or the transpose",
            f"write d/d{declared.of[0]} {name}, or {name}(…)'",
            token,
        )
    cursor.symbols.setdefault(name)
    if cursor.sign == "(":
        places = arguments(cursor, name, (len(declared.of),), read_value)
    else:
        places = [_where_declared(cursor, token, argument, (name,)) for argument in declared.of]
    return cursor.checked(abstract(name, places, (primes,) * len(places) if primes else ()), token)


def _where_declared(cursor: Cursor, token: Token, name: str, above: tuple[str, ...]) -> Node:
    """An argument that is not written: a quantity, or a function of others in its turn."""
    if name in above:
        raise cursor.error(f"{name} depends on itself", f"write {name}: … of t with another t", token)
    cursor.symbols.setdefault(name)
    declared = cursor.shapes.variables.get(name) if cursor.shapes is not None else None
    if declared is None or not declared.of:
        return symbol(name)
    return abstract(name, [_where_declared(cursor, token, argument, (*above, name)) for argument in declared.of])


def matrix_call(cursor: Cursor, token: Token, read_value: Read) -> Node:
    """A function of vectors and matrices; `sum` with an index as well."""
    name = token.text
    if name == "sum" and (index := _index_of_sum(cursor)) is not None:
        return _sum(cursor, token, index, read_value)
    start = cursor.at + 1
    found = arguments(cursor, name, MATRIX_FUNCTIONS[name], read_value)
    if name in ("eye", "ones"):
        for size in found:
            if size.op == "symbol":
                cursor.sizes.setdefault(size.value, token)
    elif missing := _undeclared(cursor, found[0]):
        first, are = missing[0], "is" if len(missing) == 1 else "are"
        raise cursor.error(
            f"{name} of a number: {', '.join(missing)} {are} not declared",
            f"declare {first}: matrix(n,n), or {first}: vector(n)",
            cursor.tokens[start],
        )
    return cursor.checked(call(name, *found), token)


def _undeclared(cursor: Cursor, argument: Node) -> list[str]:
    """The names of an argument in which nothing is declared; none where something is, as `A: matrix(n,n) of t`."""
    free = free_symbols(argument) - {*cursor.sizes}
    told = free & {*cursor.declared, *cursor.dummies} or any(node.op == "abstract" for node in postorder(argument))
    return [] if told else sorted(free)


def _index_of_sum(cursor: Cursor) -> str | None:
    """The index of sum(E, i, low, high), which stands behind the expression; None for the sum of a vector."""
    depth = 0
    for at in range(cursor.at, len(cursor.tokens)):
        sign = cursor.tokens[at].text
        depth += (sign in ("(", "[")) - (sign in (")", "]"))
        if depth == 1 and sign == ",":
            following = cursor.tokens[at + 1]
            return following.text if following.kind == "name" and cursor.tokens[at + 2].text == "," else None
        if depth == 0:
            return None
    return None


def _sum(cursor: Cursor, token: Token, index: str, read_value: Read) -> Node:
    """Read (E, i, low, high)."""
    if index in names.CONSTANTS or index in names.RESERVED:
        raise cursor.error(f"{index!r} cannot be an index", "write another letter", token)
    opening = cursor.expect("(", "after sum")
    cursor.bound.append(index)
    body = read_value(cursor)
    cursor.bound.pop()
    cursor.expect(",", "between the expression and its index")
    cursor.take()
    ends = []
    while cursor.accepts(","):
        ends.append(read_value(cursor))
    cursor.expect(")", "after the ends of a sum")
    if len(ends) != 2:
        raise cursor.error("a sum over an index has two ends", f"write sum(E, {index}, 1, n)", opening)
    if ends[1].op == "symbol" and ends[1].value not in cursor.declared:
        cursor.sizes.setdefault(ends[1].value, opening)
    return cursor.checked(total(body, index, *ends), token)


def entrywise_product(cursor: Cursor, factors: list[Node], first: Token, read_factor: Read) -> None:
    """Multiply what has been read so far, or divide it, entry by entry; beside a number that is the usual product."""
    sign = cursor.take()
    token = cursor.token
    factor = read_factor(cursor)
    left = factors[0] if len(factors) == 1 else mul(*factors)
    shapes = cursor.shape(left, first), cursor.shape(factor, token)
    if sign.text == "./":
        factor = hadamard_power(factor, MINUS_ONE) if shapes[1] else power(factor, MINUS_ONE)
    if not all(shapes):
        factors.append(factor)
        return
    several = left.args if left.op == "hadamard" else (left,)
    factors[:] = [cursor.checked(hadamard(*several, factor), first)]


def shaped_power(cursor: Cursor, base: Node, exponent: Node, entrywise: bool, shape: Shape, first: Token) -> Node:
    """A power entry by entry, or a power of a matrix, of which the one with -1 is the inverse."""
    if entrywise:
        return cursor.checked(hadamard_power(base, exponent), first)
    node = cursor.checked(power(base, exponent), first)
    if exponent.op == "num" and exponent.value == 0:
        return call("eye", num(shape[0]) if isinstance(shape[0], int) else symbol(shape[0]))
    return call("inv", base) if exponent is MINUS_ONE else node


def postfixed(cursor: Cursor, node: Node, first: Token, read_value: Read) -> Node:
    """Transpositions and indices behind a value; behind an exponent that is a number, ' belongs to the power."""
    while node.op not in ("num", "compare", "and", "or") and cursor.sign in ("'", "["):
        if cursor.accepts("'"):
            node = transpose(node)
            continue
        cursor.take()
        indices = [read_value(cursor)]
        while cursor.accepts(","):
            indices.append(read_value(cursor))
        cursor.expect("]", "after the indices")
        node = cursor.checked(entry(node, *indices), first)
    return node
