"""Which expression does a text mean?  Read by precedence; nothing is evaluated but arithmetic of small numbers.

A function for each level of the grammar, the loosest first:

    anything    conditions, or a sum
    sum         product + product - …
    product     factor * factor / …, and products without a sign: 2x, x y, 2(x + 1)
    factor      a derivative operator with its operand, - factor, or a power
    power       atom, atom!, atom', atom[i], atom ^ factor (right-associative)
    atom        number, constant, name, call, bracket
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from fractions import Fraction

from verify.claim import Variable
from verify.graph import (
    LARGEST_FOLDED_BITS,
    MATRIX_FUNCTIONS,
    MINUS_ONE,
    ZERO,
    Node,
    add,
    both,
    by_vector,
    call,
    compare,
    derivative,
    either,
    mul,
    neg,
    num,
    power,
    sqrt,
)
from verify.language.calls import quantity_or_call, variable
from verify.language.cursor import Cursor, arguments
from verify.language.names import CONSTANTS, RESERVED, SHAPED_KINDS
from verify.language.operators import Malformed, Operator, Quotient, operator_at, used_names
from verify.language.shaped import entrywise_product, postfixed, shaped_power
from verify.language.tokens import Token, tokens
from verify.shapes import Shapes, described

RELATIONS = ("<", "<=", ">", ">=", "=", "!=")
#: Numbers that are added up or multiplied when they are read have so many bits together: they stay printable.
LARGEST_BITS = 3 * LARGEST_FOLDED_BITS
#: Powers of numbers that would have more bits than this are refused; smaller ones stay powers.
LARGEST_POWER_BITS = 10**6
CONDITIONS = ("compare", "and", "or")
_SHAPED_WORDS = frozenset((*MATRIX_FUNCTIONS, *SHAPED_KINDS, "of", "'", "[", ".*", "./", ".^"))


def read_expression(text: str, declared: Iterable[str] | Mapping[str, Variable] = ()) -> Node:
    """The expression that a text means; names in `declared` are quantities whatever else they could mean.

    declared    their names, or the variables with their shapes by name.

    Raises ReadError.
    """
    found = tokens(text)
    cursor = Cursor(text, found, frozenset(declared), used_names(found))
    variables = declared if isinstance(declared, Mapping) else {}
    if speaks_of_shapes(found) or any(v.shape or v.of for v in variables.values()):
        cursor.shapes = Shapes(variables)
    node = read_value(cursor)
    cursor.finish()
    return node


def speaks_of_shapes(found: Iterable[Token]) -> bool:
    """Whether something occurs that only vectors, matrices and abstract functions have."""
    return any(token.text in _SHAPED_WORDS for token in found)


def read_value(cursor: Cursor) -> Node:
    """A number, not a condition; what stands behind it is left to the caller."""
    first = cursor.token
    try:
        node = _sum(cursor)
    except RecursionError:
        raise cursor.error("too many brackets inside each other") from None
    if node.op in CONDITIONS:
        raise _no_value(cursor, first)
    return node


def read_condition(cursor: Cursor) -> Node:
    """A comparison, a chain of them (0 < x < 1), or several joined by `and`, `or`."""
    first = cursor.token
    try:
        node = _anything(cursor)
    except RecursionError:
        raise cursor.error("too many brackets inside each other") from None
    if node.op not in CONDITIONS:
        raise cursor.error("a condition is needed here", "for example x > 0", first)
    return node


# --- conditions -------------------------------------------------------------------------------


def _anything(cursor: Cursor) -> Node:
    """A condition or a value: what a bracket holds shows only further on."""
    node = _sum(cursor)
    if cursor.sign not in RELATIONS and cursor.sign not in ("and", "or"):
        return node
    alternatives, together = [], _comparisons(cursor, node)
    while cursor.sign in ("and", "or"):
        if cursor.take().text == "or":
            alternatives.append(_joined(both, together))
            together = []
        together += _comparisons(cursor, _sum(cursor))
    return _joined(either, [*alternatives, _joined(both, together)])


def _comparisons(cursor: Cursor, left: Node) -> list[Node]:
    """The comparisons of a chain that starts with `left`, or `left` itself, a condition in brackets."""
    if cursor.sign not in RELATIONS:
        if left.op not in CONDITIONS:
            raise cursor.error("a comparison is missing here", "`and` and `or` join conditions such as x > 0")
        return [left]
    links = []
    while cursor.sign in RELATIONS:
        relation = cursor.take()
        right = _sum(cursor)
        if left.op in CONDITIONS or right.op in CONDITIONS:
            raise _no_value(cursor, relation)
        links.append(cursor.checked(compare(left, relation.text, right), relation))
        left = right
    return links


def _joined(join: Callable[..., Node], nodes: list[Node]) -> Node:
    return nodes[0] if len(nodes) == 1 else join(*nodes)


def _no_value(cursor: Cursor, token: Token) -> Exception:
    return cursor.error("a condition stands where a number is needed", token=token)


# --- arithmetic -------------------------------------------------------------------------------


def _sum(cursor: Cursor) -> Node:
    first = cursor.token
    terms = [_signed_product(cursor)]
    while cursor.sign == "+" or cursor.sign == "-":
        terms.append(_signed_product(cursor))
    return terms[0] if len(terms) == 1 else cursor.checked(add(*_operands(cursor, terms, first)), first)


def _signed_product(cursor: Cursor) -> Node:
    """A product whose sign goes into its leading number, or in front as a factor -1."""
    first = cursor.token
    negative = cursor.sign == "-"
    if negative or cursor.sign == "+":
        cursor.take()
    factors = _factors(cursor)
    if negative and factors[0].op == "num":
        factors[0] = neg(factors[0])
    elif negative:
        factors.insert(0, MINUS_ONE)
    return factors[0] if len(factors) == 1 else cursor.checked(mul(*_operands(cursor, factors, first)), first)


def _factors(cursor: Cursor) -> list[Node]:
    first = cursor.token
    factors = [_factor(cursor)]
    while True:
        if cursor.sign == "*":
            cursor.take()
            factors.append(_factor(cursor))
        elif cursor.sign == "/":
            _divide(cursor, factors, first)
        elif cursor.sign in (".*", "./"):
            entrywise_product(cursor, factors, first, _factor)
        elif _starts_an_operand(cursor):
            if cursor.token.kind == "number":
                raise cursor.error("a number follows a value without a sign", "write * or ^ between them")
            factors.append(_factor(cursor))
        else:
            return factors


def _divide(cursor: Cursor, factors: list[Node], first: Token) -> None:
    """Divide the factors read so far by the next one; a quotient of two numbers is one number."""
    above = cursor.before
    cursor.take()
    below = cursor.token
    if _operator(cursor) is not None:
        raise cursor.error("division by an operator", "write the derivative in brackets")
    divisor = _factor(cursor)
    if _starts_an_operand(cursor):
        raise _two_quotients(cursor, first, above, below)
    if shape := cursor.shape(divisor, below):
        advice = (
            "for a product with the inverse write inv(…) on its side" if len(shape) == 2 else "entry by entry it is ./"
        )
        raise cursor.error(f"division by a {described(shape)}", advice, below)
    if factors[-1].op == divisor.op == "num" and divisor is not ZERO:
        _operands(cursor, [factors[-1], divisor], first)
        factors[-1] = num(factors[-1].value / divisor.value)
    else:
        factors.append(power(divisor, MINUS_ONE))


def _two_quotients(cursor: Cursor, first: Token, above: Token, below: Token) -> Exception:
    """1/2x: nobody knows what it means."""
    numerator = " ".join(cursor.text[first.start : above.end].split())
    denominator, following = cursor.source(below), cursor.token
    _factor(cursor)
    rest = cursor.source(following)
    one, other = f"{numerator}/({denominator}*{rest})", f"({numerator}/{denominator})*{rest}"
    return cursor.error(
        f"{cursor.source(first)} can be read as {one} or {other}",
        "write the brackets",
        following,
    )


def _operands(cursor: Cursor, nodes: list[Node], first: Token) -> list[Node]:
    """The nodes, of which none is a condition; numbers are added up and multiplied only while they are small."""
    for node in nodes:
        if node.op in CONDITIONS:
            raise _no_value(cursor, first)
    if all(node.op == "num" for node in nodes) and sum(map(_bits, nodes)) > LARGEST_BITS:
        raise cursor.error("the numbers are too large to be added or multiplied", "write powers of a name", first)
    return nodes


def _bits(number: Node) -> int:
    return number.value.numerator.bit_length() + number.value.denominator.bit_length()


def _starts_an_operand(cursor: Cursor) -> bool:
    """Whether another factor follows without a sign between."""
    match cursor.token.kind:
        case "sign":
            return cursor.sign in ("(", "√")
        case "name":
            return cursor.sign not in RESERVED
        case kind:
            return kind in ("number", "constant")


# --- factors ----------------------------------------------------------------------------------


def _factor(cursor: Cursor) -> Node:
    cursor.deeper()
    if (operator := _operator(cursor)) is not None:
        node = _derivative(cursor, operator)
    elif cursor.sign == "-":
        sign = cursor.take()
        node = neg(*_operands(cursor, [_factor(cursor)], sign))
    elif cursor.sign == "+":
        cursor.take()
        node = _factor(cursor)
    else:
        node = _power(cursor)
    cursor.depth -= 1
    return node


def _power(cursor: Cursor) -> Node:
    first = cursor.token
    base = postfixed(cursor, _atom(cursor), first, read_value)
    if cursor.sign == "!":
        cursor.take()
        base = call("factorial", *_operands(cursor, [base], first))
    entrywise = cursor.sign == ".^"
    if cursor.sign == "^" or entrywise:
        cursor.take()
        exponent = _exponent(cursor)
    elif cursor.token.kind == "superscript":
        exponent = num(int(cursor.take().text))
    else:
        return base
    if shape := cursor.shape(base, first):
        return postfixed(cursor, shaped_power(cursor, base, exponent, entrywise, shape, first), first, read_value)
    if entrywise and cursor.shape(exponent, first):
        return postfixed(cursor, shaped_power(cursor, base, exponent, True, (), first), first, read_value)
    node = cursor.checked(power(*_operands(cursor, [base, exponent], first)), first)
    if node.op == "pow" and base.op == exponent.op == "num" and abs(exponent.value) * _bits(base) > LARGEST_POWER_BITS:
        raise cursor.error("the power is too large a number", "write it as a power of a name", first)
    return node


def _exponent(cursor: Cursor) -> Node:
    first = cursor.token
    if _operator(cursor) is not None:
        raise cursor.error("an operator in an exponent", "write the exponent in brackets")
    exponent = _factor(cursor)
    if cursor.sign == "(" and cursor.before.kind == "name":
        written = cursor.source(first)
        raise cursor.error(
            f"the exponent {written} is followed by a bracket", f"write ^{written}*(…) or ^({written}*(…))"
        )
    return exponent


def _atom(cursor: Cursor) -> Node:
    token = cursor.token
    match token.kind:
        case "name" if token.text not in RESERVED:
            return quantity_or_call(cursor, read_value, read_condition)
        case "number":
            cursor.take()
            return num(int(token.text) if token.text.isdigit() else Fraction(token.text))
        case "constant":
            cursor.take()
            return CONSTANTS[token.text]
    if cursor.accepts("("):
        node = _anything(cursor)
        cursor.expect(")", f"for the bracket of column {token.start + 1}")
        return node
    if cursor.accepts("√"):
        return sqrt(*arguments(cursor, "√", (1,), read_value))
    raise cursor.error(
        f"a value is missing before {cursor.shown()}", "use round brackets" if cursor.sign == "[" else ""
    )


# --- derivatives ------------------------------------------------------------------------------


def _operator(cursor: Cursor) -> Operator | None:
    """The derivative operator that starts here, if one does."""
    if cursor.token.kind != "name":
        return None
    found = operator_at(cursor.tokens, cursor.at, cursor.declared, cursor.used)
    match found:
        case Malformed():
            raise cursor.error(found.what)
        case Quotient():
            cursor.note(f"{found.d}/{found.dx} is read as the quotient of {found.d} and {found.dx}")
            return None
    return found


def _derivative(cursor: Cursor, operator: Operator) -> Node:
    """An operator takes the bracket that follows, with its powers and nothing more, or else the whole product."""
    start = cursor.token
    cursor.move(operator.end)
    if cursor.sign == "(":
        body = _power(cursor)
    elif _starts_an_operand(cursor) or cursor.sign in ("+", "-"):
        body = _signed_product(cursor)
    else:
        written = cursor.source(start)
        raise cursor.error(
            f"{written} needs something to differentiate, found {cursor.shown()}",
            f"write {written} (…), or declare both names for a quotient",
        )
    if body.op in CONDITIONS:
        raise _no_value(cursor, start)
    name = variable(cursor, operator.variable, start)
    if cursor.shapes is not None and operator.word:
        node = by_vector(_WORDS[operator.word], body, name)
        if operator.word != "jac" or cursor.shapes.variable(name):
            cursor.checked(node, start)
        if cursor.shapes.variable(name):
            return node
    return cursor.checked(derivative(body, name, operator.order), start)


_WORDS = {"grad": "gradient", "jac": "jacobian", "hess": "hessian", "div": "divergence"}
