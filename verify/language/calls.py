"""What does a name stand for where it is used?  A quantity, a constant, or a function with what its bracket holds."""

from __future__ import annotations

from collections.abc import Callable

from verify.graph import LAWS, MATRIX_FUNCTIONS, TRUE, Node, call, derivative, piecewise, symbol
from verify.language import names
from verify.language.cursor import Cursor, arguments
from verify.language.integrals import integral_call
from verify.language.operators import HIGHEST_ORDER
from verify.language.shaped import abstract_call, matrix_call
from verify.language.tokens import Token

Read = Callable[[Cursor], Node]


def quantity_or_call(cursor: Cursor, read_value: Read, read_condition: Read) -> Node:
    """The meaning of the name that stands next: what its author declares it to be, before all else."""
    token = cursor.take()
    name = token.text
    if "∂" in name:
        raise cursor.error("∂ stands only in operators such as ∂/∂x", token=token)
    if cursor.sign == "(" and name not in cursor.declared:
        if name == "piecewise":
            return _pieces(cursor, read_value, read_condition)
        if name == "diff":
            return _diff(cursor, read_value)
        if names.is_function(name):
            return _call(cursor, token, read_value)
        if name in MATRIX_FUNCTIONS:
            return matrix_call(cursor, token, read_value)
        if name in names.BINDERS:
            return integral_call(cursor, token, read_value)
        if name in LAWS and name not in cursor.used:
            raise cursor.error(f"{name}(…) is a law", f"write expect(E, x ~ {name}(…))", token)
        if name not in cursor.used and name not in names.CONSTANTS:
            near = names.nearest(name)
            guess = f"did you mean {near}? " if near else ""
            raise cursor.error(f"{name!r} is no known function", f"{guess}write {name}*(…) for a product", token)
    if name in cursor.bound or name in cursor.dummies:
        if cursor.sign == "(":
            cursor.note(f"{name}(…) is read as the product {name}*(…)")
        return symbol(name)
    declared = cursor.shapes.variables.get(name) if cursor.shapes is not None else None
    if declared is not None and declared.of:
        return abstract_call(cursor, token, declared, read_value)
    if cursor.sign == "(":
        if declared is not None and declared.shape:
            _check_product(cursor, token)
        cursor.note(f"{name}(…) is read as the product {name}*(…)")
    if cursor.sign == "'" and names.is_function(name) and name not in cursor.declared:
        raise cursor.error(f"{name}' does not say by what", f"write d/dx {name}(x), or the derivative itself", token)
    if cursor.sign == "'" and not (declared is not None and declared.shape):
        raise cursor.error(
            f"{name}' of a number: neither a transposition nor a derivative",
            f"write d/dx {name}; declare {name}: function of x, or {name}: matrix(n,n)",
            token,
        )
    if name not in cursor.declared:
        if name in names.CONSTANTS:
            return names.CONSTANTS[name]
        if not names.may_be_a_quantity(name):
            raise cursor.error(
                f"the function {name} needs its argument in brackets",
                f"write {name}(x), and {name}(x)^2 for its power, or declare {name}",
                token,
            )
        if name in names.READ_AS_PARAMETERS:
            cursor.note(f"{name} is read as a real parameter; {names.READ_AS_PARAMETERS[name]}")
        elif names.is_function(name):
            cursor.note(f"{name} is read as a real parameter, not as a function")
        elif len(name) > 1 and all(letter in cursor.used or letter in cursor.declared for letter in name):
            cursor.note(f"{name} is read as one name, not as the product {'*'.join(name)}")
    cursor.symbols.setdefault(name)
    return symbol(name)


def variable(cursor: Cursor, name: str, token: Token) -> str:
    """The name that is differentiated by, written at a token."""
    if name in cursor.bound:
        raise cursor.error(f"derivative with respect to {name}, the index of a sum", "rename one of them", token)
    if name in cursor.dummies:
        return name
    if name not in cursor.declared and (name in names.CONSTANTS or not names.may_be_a_quantity(name)):
        raise cursor.error(f"derivative with respect to {name}, which is no variable", f"declare {name}", token)
    cursor.variables.setdefault(name, token)
    return name


def _check_product(cursor: Cursor, token: Token) -> None:
    """A(2) of a vector or matrix: nobody knows whether an entry is meant."""
    inner = cursor.after
    if inner.kind == "number" and cursor.tokens[cursor.at + 2].text == ")":
        raise cursor.error(
            f"{token.text}({inner.text}) can be the product or an entry",
            f"write {token.text}*{inner.text}, or {token.text}[{inner.text}]",
            token,
        )


def _call(cursor: Cursor, token: Token, read_value: Read) -> Node:
    name = token.text
    if name in cursor.used:
        raise cursor.error(
            f"{name} is used as a function and as a number",
            f"declare {name} if it is a number everywhere, or rename the number",
            token,
        )
    found = arguments(cursor, name, names.numbers_of_arguments(name), read_value)
    shape = next((shape for arg in found if (shape := cursor.shape(arg, token))), ())
    if shape:
        cursor.checked(call(name, *found), token)
        node, meaning = names.apply_entrywise(name, shape, *found)
    else:
        node, meaning = names.apply(name, *found)
    if meaning:
        cursor.note(f"{name}(x) is read as {meaning}")
    return node


def _pieces(cursor: Cursor, read_value: Read, read_condition: Read) -> Node:
    """Read (value, condition), …, (value, otherwise) behind `piecewise`."""
    first = cursor.expect("(", "after piecewise")
    pairs = []
    while True:
        cursor.expect("(", "for a pair (value, condition)")
        value = read_value(cursor)
        cursor.expect(",", "between value and condition")
        pairs.append((value, TRUE if cursor.accepts("otherwise") else read_condition(cursor)))
        cursor.expect(")", "after the pair")
        if not cursor.accepts(","):
            break
        if pairs[-1][1] is TRUE:
            raise cursor.error("nothing can follow after `otherwise`")
    cursor.expect(")", "after the pairs")
    return cursor.checked(piecewise(*pairs), first)


def _diff(cursor: Cursor, read_value: Read) -> Node:
    """Read the expression, then variables, each with its order or without, behind `diff`."""
    cursor.expect("(", "after diff")
    node = read_value(cursor)
    if cursor.sign != ",":
        raise cursor.error(f"diff needs a variable, found {cursor.shown()}", "write diff(E, x)")
    while cursor.accepts(","):
        token = cursor.take()
        if token.kind != "name":
            raise cursor.error("a derivative needs the name of a variable", "write diff(E, x)", token)
        order = 1
        if cursor.sign == "," and cursor.after.kind == "number":
            cursor.take()
            order = _order(cursor, cursor.take())
        node = cursor.checked(derivative(node, variable(cursor, token.text, token), order), token)
    cursor.expect(")", "after the variables of diff")
    return node


def _order(cursor: Cursor, token: Token) -> int:
    if not (token.text.isdigit() and len(token.text) < 6 and 1 <= int(token.text) <= HIGHEST_ORDER):
        raise cursor.error(f"the order of a derivative is a whole number from 1 to {HIGHEST_ORDER}", token=token)
    return int(token.text)
