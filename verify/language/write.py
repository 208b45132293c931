"""Which text means this expression?  `read_expression(write(node), names_in(node)) is node`.

Few brackets, and those signs that people write: a/b, a - b, -x, sqrt(x).  A power -1 is a division and x^-2 is not,
because the reader keeps them apart.  The one thing that cannot be said in text is a call of a function beside a
quantity of the same name.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Set
from fractions import Fraction
from typing import NamedTuple

from verify.claim import Claim, Variable
from verify.graph import HALF, MINUS_ONE, SHAPED_OPERATORS, ZERO, Node, bound_name, postorder
from verify.language.tokens import CONSTANT_SIGNS

#: How tightly a text holds together; an operand that is looser than its place needs goes into brackets.
OR, AND, COMPARISON, SUM, PRODUCT, OPERATOR, POWER, ATOM = range(8)

#: A text longer than this helps nobody; a graph with shared nodes can mean one of any length.
LONGEST_WRITTEN = 1_000_000

#: x, and what abstract functions leave: f(x), f'(x), A[0, 1]; the name d/dx f(x, y) holds together in brackets only.
_WHOLE_NAME = re.compile(r"\w+'*(?:\((?:[^()]|\([^()]*\))*\)|\[[^\[\]]*\])?")

NOTHING: Mapping[str, Variable] = {}

_SIGNS = {name: sign for sign, name in CONSTANT_SIGNS.items()}


class _Text(NamedTuple):
    text: str
    binding: int

    def at_least(self, binding: int) -> str:
        return self.text if self.binding >= binding else f"({self.text})"


def names_in(*roots: Node) -> frozenset[str]:
    """Names of all quantities of an expression, the variables of its derivatives among them."""
    found = set()
    for node in postorder(*roots):
        if node.op == "symbol":
            found.add(node.value)
        elif node.op == "derivative" or node.op == "abstract":
            found.add(node.value[0])
        elif node.op in ("gradient", "jacobian", "hessian", "divergence"):
            found.add(node.value)
        elif (name := bound_name(node)) is not None:
            found.add(name)
    return frozenset(found)


def write(node: Node, variables: Mapping[str, Variable] = NOTHING) -> str:
    """The expression as text.

    variables   what is declared, so that A for A(t) is short where A depends on t.

    Raises ValueError when the text would be longer than a million characters.
    """
    return _write(node, names_in(node), variables)


def write_claim(claim: Claim) -> str:
    """The claim as one line of text, with all that is declared."""
    domain = claim.domain
    taken = names_in(claim.lhs, claim.rhs, *domain.conditions) | set(domain.variables)
    variables = domain.variables
    parts = [f"{v.name}: {_kind(v, taken)}" for v in variables.values() if v.field != "size"]
    parts += [_write(condition, taken, variables) for condition in domain.conditions]
    parts += ["everywhere"] * domain.everywhere + ["structured"] * domain.structured
    ending = f" with {', '.join(parts)}" if parts else ""
    return f"{_write(claim.lhs, taken, variables)} = {_write(claim.rhs, taken, variables)}{ending}"


def write_variable(variable: Variable) -> str:
    """What is declared of a variable, as in `x: positive`."""
    return _kind(variable, frozenset())


def _kind(variable: Variable, taken: Set[str]) -> str:
    low, high = variable.low, variable.high
    if variable.shape or variable.of:
        name = variable.structure or ("real", "vector", "matrix")[len(variable.shape)]
        sizes = variable.shape[:1] if variable.structure else variable.shape
        dependence = f" of {', '.join(variable.of)}" if variable.of else ""
        return f"{name}({', '.join(map(str, sizes))}){dependence}" if sizes else f"{name}{dependence}"
    if low is None and high is None:
        return variable.field
    if high is None and low is ZERO:
        range_ = "nonnegative" if variable.closed_low else "positive"
    elif low is None and high is ZERO:
        range_ = "nonpositive" if variable.closed_high else "negative"
    else:
        ends = ("-oo" if low is None else _write(low, taken), "oo" if high is None else _write(high, taken))
        range_ = f"interval({', '.join(ends)})"
    return range_ if variable.field == "real" else f"{range_} {variable.field}"


def _write(root: Node, taken: Set[str], variables: Mapping[str, Variable] = NOTHING) -> str:
    done: dict[Node, _Text] = {}
    for node in postorder(root):
        args = [done[arg] for arg in node.args]
        if node.op in SHAPED_OPERATORS:
            written = _shaped(node, args, variables)
        else:
            written = _piece(node, args, taken)
        if len(written.text) > LONGEST_WRITTEN:
            raise ValueError(f"an expression of more than {LONGEST_WRITTEN:,} characters; show its parts instead")
        done[node] = written
    return done[root].text


def _piece(node: Node, args: list[_Text], taken: Set[str]) -> _Text:
    match node.op:
        case "num":
            return _number(node.value)
        case "symbol":
            return _Text(node.value, ATOM if _WHOLE_NAME.fullmatch(node.value) else PRODUCT)
        case "constant":
            return _Text(_SIGNS[node.value] if node.value in taken else node.value, ATOM)
        case "add":
            return _Text(_sum(args), SUM)
        case "mul":
            return _Text(_product(node.args, args), PRODUCT)
        case "pow":
            return _power(node.args, args, taken)
        case "call":
            return _Text(f"{node.value}({_listed(args)})", ATOM)
        case "derivative":
            return _derivative(args[0].text, *node.value, taken)
        case "piecewise":
            pairs = zip(args[::2], args[1::2], strict=True)
            return _Text(f"piecewise({', '.join(f'({v.text}, {c.text})' for v, c in pairs)})", ATOM)
        case "compare":
            left, right = args
            return _Text(f"{left.at_least(SUM)} {node.value} {right.at_least(SUM)}", COMPARISON)
        case "and":
            return _Text(" and ".join(arg.at_least(COMPARISON) for arg in args), AND)
        case "or":
            return _Text(" or ".join(arg.at_least(AND) for arg in args), OR)
        case "integral":
            return _Text(f"int({args[0].text}, {node.value}, {_listed(args[1:])})", ATOM)
        case "expectation":
            name, law = node.value
            return _Text(f"expect({args[0].text}, {name} ~ {law}({_listed(args[1:])}))", ATOM)
        case "true":
            return _Text("otherwise", ATOM)
    raise ValueError(f"no text for the operator {node.op!r}")


_WORDS = {"gradient": "grad", "jacobian": "jac", "hessian": "hess", "divergence": "div"}


def _shaped(node: Node, args: list[_Text], variables: Mapping[str, Variable]) -> _Text:
    match node.op:
        case "transpose":
            # A name needs no bracket, and the number that a name stands for cannot be transposed without one.
            bare = node.args[0].op != "symbol" or not variables or _is_shaped(node.args[0].value, variables)
            return _Text(f"{args[0].at_least(ATOM) if bare else f'({args[0].text})'}'", ATOM)
        case "hadamard":
            return _Text(".*".join(arg.at_least(OPERATOR) for arg in args), PRODUCT)
        case "hadamard_pow":
            exponent = node.args[1]
            whole = exponent.op == "num" and exponent.value.denominator == 1
            return _Text(f"{args[0].at_least(ATOM)}.^{args[1].text if whole else args[1].at_least(POWER)}", POWER)
        case "index":
            return _Text(f"{args[0].at_least(ATOM)}[{_listed(args[1:])}]", ATOM)
        case "sum":
            body, low, high = args
            return _Text(f"sum({body.text}, {node.value}, {low.text}, {high.text})", ATOM)
        case "abstract":
            return _abstract(node, args, variables)
    return _Text(f"{_WORDS[node.op]}_{node.value} ({args[0].text})", OPERATOR)


def _is_shaped(name: str, variables: Mapping[str, Variable]) -> bool:
    return name in variables and bool(variables[name].shape)


def _abstract(node: Node, args: list[_Text], variables: Mapping[str, Variable]) -> _Text:
    name, orders = node.value
    declared = variables[name].of if name in variables else ()
    usual = all(a.op == "symbol" and a.value == b for a, b in zip(node.args, declared, strict=False)) and declared
    if not any(orders):
        return _Text(name if usual else f"{name}({_listed(args)})", ATOM)
    if len(orders) == 1 and not _is_shaped(name, variables):
        return _Text(f"{name}{chr(39) * orders[0]}({args[0].text})", ATOM)
    if all(arg.op == "symbol" for arg in node.args):
        text = f"{name}({_listed(args)})"
        for arg, order in zip(args, orders, strict=True):
            if order:
                text = f"diff({text}, {arg.text}{f', {order}' if order > 1 else ''})"
        return _Text(text, ATOM)
    places = [str(i) for i, order in enumerate(orders, start=1) for _ in range(order)]
    return _Text(f"D[{', '.join(places)}] {name}({_listed(args)})", PRODUCT)


def _listed(args: Iterable[_Text]) -> str:
    return ", ".join(arg.text for arg in args)


def _number(value: Fraction) -> _Text:
    if value.denominator == 1:
        return _Text(str(value.numerator), ATOM if value >= 0 else PRODUCT)
    return _Text(f"{value.numerator}/{value.denominator}", PRODUCT)


def _sum(terms: list[_Text]) -> str:
    text = terms[0].at_least(PRODUCT)
    for term in terms[1:]:
        piece = term.at_least(PRODUCT)
        text += f" - {piece[1:]}" if piece.startswith("-") else f" + {piece}"
    return text


def _product(factors: tuple[Node, ...], written: list[_Text]) -> str:
    """Numbers need care: the reader makes one number of 3/2, and puts a sign into a leading number."""
    first, second = factors[0], factors[1]
    if first is MINUS_ONE and second.op != "num":
        return "-" + _product(factors[1:], written[1:]) if len(factors) > 2 else "-" + _leading(second, written[1])
    text = "(-1)" if first is MINUS_ONE else _leading(first, written[0])
    for before, factor, piece in zip(factors, factors[1:], written[1:], strict=False):
        if factor.op == "pow" and factor.args[1] is MINUS_ONE:
            text += piece.text.removeprefix("1")
        elif factor.op == "num" and factor.value.numerator == 1 and before.op != "num":
            text += f"/{factor.value.denominator}"
        else:
            text += f"*{piece.at_least(OPERATOR)}"
    return text


def _leading(factor: Node, written: _Text) -> str:
    return written.text if _is_quotient(factor) else written.at_least(OPERATOR)


def _is_quotient(factor: Node) -> bool:
    return factor.op == "num" or (factor.op == "pow" and factor.args[1] is MINUS_ONE)


def _power(args: tuple[Node, ...], written: list[_Text], taken: Set[str]) -> _Text:
    exponent, (below, above) = args[1], written
    if exponent is MINUS_ONE:
        return _Text(f"1/{below.at_least(POWER)}", PRODUCT)
    if exponent is HALF and "sqrt" not in taken:
        return _Text(f"sqrt({below.text})", ATOM)
    whole = exponent.op == "num" and exponent.value.denominator == 1
    return _Text(f"{below.at_least(ATOM)}^{above.text if whole else above.at_least(POWER)}", POWER)


def _derivative(body: str, variable: str, order: int, taken: Set[str]) -> _Text:
    if {"d", f"d{variable}"} <= taken:
        return _Text(f"diff({body}, {variable})" if order == 1 else f"diff({body}, {variable}, {order})", ATOM)
    power = "" if order == 1 else f"^{order}"
    return _Text(f"d{power}/d{variable}{power} ({body})", OPERATOR)
