"""What do `int(E, x, a, b)` and `expect(E, x ~ normal(mu, sigma))` mean?  A body, and the name that it binds."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from verify.claim import Shape, Variable
from verify.graph import LAWS, ZERO, Node, expectation, integral, postorder
from verify.language import names
from verify.language.cursor import Cursor, arguments
from verify.language.tokens import Token
from verify.shapes import described

Read = Callable[[Cursor], Node]

_SPELLED = "normal(mu, sigma), for vectors normal(mu, Sigma); uniform(a, b); exponential(rate)"
_USAGE = {"int": "write int(E, x, a, b)", "expect": "write expect(E, x ~ normal(mu, sigma))"}


def integral_call(cursor: Cursor, token: Token, read_value: Read) -> Node:
    """The integral or the expectation whose name was read last: `token`."""
    opening = cursor.token
    comma = _comma(cursor)
    if comma is None:
        raise cursor.error(f"{token.text} needs an expression and a variable", _USAGE[token.text], opening)
    variable = cursor.tokens[comma + 1]
    if variable.kind != "name" or variable.text in names.RESERVED:
        raise cursor.error("the name of a variable is missing here", _USAGE[token.text], variable)
    name = variable.text
    if name not in cursor.declared and (name in names.CONSTANTS or not names.may_be_a_quantity(name)):
        raise cursor.error(f"{name!r} cannot be a variable of integration", "write another letter", variable)
    if name in cursor.bound or name in cursor.dummies:
        raise cursor.error(f"{name} is bound already around this place", "write another letter", variable)
    if _declared(cursor, name).of:
        raise cursor.error(f"{name} is declared as a function", "write another letter", variable)
    node = (_integral if token.text == "int" else _expectation)(cursor, comma, name, read_value)
    return cursor.checked(node, token)


def _integral(cursor: Cursor, comma: int, name: str, read_value: Read) -> Node:
    opening = cursor.take()
    body = _body(cursor, comma, name, read_value)
    cursor.move(comma + 2)
    limits = []
    while cursor.accepts(","):
        limits.append(read_value(cursor))
    cursor.expect(")", "after the limits of an integral")
    if len(limits) != 2:
        raise cursor.error("a definite integral has two limits", f"write int(E, {name}, a, b)", opening)
    return integral(body, name, *limits)


def _expectation(cursor: Cursor, comma: int, name: str, read_value: Read) -> Node:
    """The law is read before the body, since it tells whether the variable is a vector."""
    start = cursor.at + 1
    cursor.move(comma + 2)
    if not cursor.accepts("~"):
        raise cursor.error(f"what is the law of {name}?", f"write {name} ~ {_SPELLED}")
    law = cursor.take()
    if law.text not in LAWS:
        near = names.nearest_of(law.text, LAWS)
        guess = f"did you mean {near}? " if near else ""
        raise cursor.error(f"{law.text!r} is no law that is known here", f"{guess}there are {_SPELLED}", law)
    first = cursor.token
    parameters = arguments(cursor, law.text, (LAWS[law.text],), read_value)
    end = cursor.at
    _check_parameters(cursor, law, parameters)
    shape = cursor.shape(parameters[0], first)
    if parameters[0] is ZERO and law.text == "normal":
        shape = cursor.shape(parameters[1], first)[:1]
    _declare(cursor, name, shape, law)
    cursor.move(start)
    body = _body(cursor, comma, name, read_value)
    cursor.move(end)
    cursor.expect(")", "after the law")
    return expectation(body, name, law.text, *parameters)


def _body(cursor: Cursor, comma: int, name: str, read_value: Read) -> Node:
    cursor.dummies.append(name)
    body = read_value(cursor)
    cursor.dummies.pop()
    if cursor.at != comma:
        raise cursor.unexpected()
    return body


def _comma(cursor: Cursor) -> int | None:
    """Where the first comma of the bracket stands that opens here."""
    depth = 0
    for at in range(cursor.at, len(cursor.tokens)):
        sign = cursor.tokens[at].text
        depth += (sign in ("(", "[")) - (sign in (")", "]"))
        if depth == 0:
            return None
        if depth == 1 and sign == ",":
            return at
    return None


def _declared(cursor: Cursor, name: str) -> Variable:
    known = cursor.shapes.variables.get(name) if cursor.shapes is not None else None
    return known or Variable(name)


def _declare(cursor: Cursor, name: str, shape: Shape, law: Token) -> None:
    """A variable that is declared nowhere has the shape of its mean."""
    if not shape or cursor.shapes is None:
        return
    if law.text != "normal" or len(shape) != 1:
        raise cursor.error(f"{law.text} with a {described(shape)}", f"there are {_SPELLED}", law)
    if name not in cursor.shapes.variables:
        if name in cursor.symbols:
            raise cursor.error(
                f"{name} is a number elsewhere, and drawn as a {described(shape)} here", "rename one of them", law
            )
        variables = cursor.shapes.variables
        assert isinstance(variables, dict)
        variables[name] = replace(Variable(name), shape=shape)


def _check_parameters(cursor: Cursor, law: Token, parameters: list[Node]) -> None:
    """Refuse what is wrong at sight."""
    last = parameters[-1]
    for parameter in parameters:
        if any(node.op == "constant" and node.value in ("oo", "I") for node in postorder(parameter)):
            raise cursor.error(f"a parameter of {law.text} is no finite real number", token=law)
    if law.text == "normal" and last.op == "num" and last.value <= 0:
        raise cursor.error("the standard deviation is positive", "normal(mu, sigma) has the mean and sigma", law)
    if law.text == "exponential" and last.op == "num" and last.value <= 0:
        raise cursor.error("the rate is positive", "exponential(rate) has the mean 1/rate", law)
    if law.text == "uniform" and all(p.op == "num" for p in parameters) and parameters[0].value >= last.value:
        raise cursor.error("the interval is empty", "write the lower end first", law)
