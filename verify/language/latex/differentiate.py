"""What does a derivative operator of LaTeX become, and how far does it reach?  d/dx (…), grad_x, jac_x, hess_x."""

from __future__ import annotations

from typing import TYPE_CHECKING

from verify.language.latex import brackets, definitions, read, values
from verify.language.latex.place import Place
from verify.language.tokens import Token

if TYPE_CHECKING:
    from verify.language.latex.derivatives import By, Operator


def derivative(place: Place, operator: Operator) -> list[Token]:
    """The operator with its operand, which stands above the bar or follows."""
    first = place.piece
    place.at = operator.end
    written = place.source(first)
    if operator.operand != (0, 0):
        body = _numerator(place, operator, written)
    elif read.opens_a_bracket(place):
        start = place.at
        body = values.power(place)
        if read.starts_an_operand(place) and _too_short(place, operator, body):
            place.at = start
            body = read.product(place, differentiated=True)
            place.notes.setdefault(f"{written} takes the whole product that follows: its first bracket is no number")
        elif read.starts_an_operand(place) or read.product_sign(place) not in (None, "/"):
            place.notes.setdefault(f"{written} (…) takes the bracket that follows, and nothing more")
    elif place.is_sign("+", "-"):
        sign = place.take()
        body = [place.token("sign", sign.text), *read.product(place, differentiated=True)]
    elif read.starts_an_operand(place):
        start = place.piece
        body = read.product(place, differentiated=True)
        if place.is_sign("+", "-"):
            place.notes.setdefault(f"{written} takes {place.source(start)} alone, up to the sign that follows")
    else:
        raise place.error(f"{written} needs something to differentiate, found {place.shown()}")
    if operator.nabla:
        return _nabla(place, operator, body)
    if (hessian := _second(place, operator, body, written)) is not None:
        return hessian
    for by in reversed(operator.by):
        body = _once(place, operator, by, body, written)
    return body


def _too_short(place: Place, operator: Operator, body: list[Token]) -> bool:
    """Whether the bracket behind an operator is nothing that it can be applied to, so that more must follow."""
    shape = place.shape(body)
    if not shape or operator.nabla == "divergence":
        return False
    by_shaped = any(place.is_shaped(by.name) for by in operator.by)
    return bool(operator.nabla) or (by_shaped and len(shape) == 2)


def _once(place: Place, operator: Operator, by: By, body: list[Token], written: str) -> list[Token]:
    """The derivative by one variable."""
    first = place.pieces[operator.end - 1]
    bracketed = [place.token("sign", "(", first), *body, place.token("sign", ")")]
    name = by.name
    if not place.is_shaped(name):
        if by.transposed:
            raise place.error(f"{name} is no vector", f"declare {name}: vector(n)", first)
        orders = [place.token("sign", "^", first), place.token("number", str(by.order), first)] if by.order > 1 else []
        above, below = place.token("name", "∂", first), place.token("name", f"∂{name}", first)
        return _closed(place, [above, *orders, place.token("sign", "/", first), below, *orders, *bracketed])
    if by.order > 1:
        raise place.error(f"a derivative of order {by.order} by a vector or matrix", r"write \nabla_x^2", first)
    rows = len(place.shape(body) or ()) == 1 and not by.entry
    word = "jac" if rows else "grad"
    place.notes.setdefault(
        f"{written} is read as jac_{name}: a row for each output" if rows
        else f"{written} is read as grad_{name}, of the shape of {name}"
    )  # fmt: skip
    out = _closed(place, [place.token("name", f"{word}_{name}", first), *bracketed])
    if by.entry:
        return [*out, *by.entry]
    return _closed(place, [*out, place.token("sign", "'")]) if by.transposed and not rows else out


def _closed(place: Place, tokens: list[Token]) -> list[Token]:
    return [place.token("sign", "(", tokens[0]), *tokens, place.token("sign", ")")]


def _second(place: Place, operator: Operator, body: list[Token], written: str) -> list[Token] | None:
    r"""\frac{\partial^2}{\partial x \partial x^\top}, and the one by two entries: the Hessian matrix."""
    by = operator.by
    name = by[0].name
    if not place.is_shaped(name) or any(each.name != name for each in by) or sum(each.order for each in by) != 2:
        return None
    if len(by) == 1 and by[0].entry:
        by = (by[0]._replace(order=1),) * 2
    if len(by) != 2 or any(bool(each.entry) != bool(by[0].entry) for each in by):
        return None
    if not by[0].entry and not by[1].transposed:
        raise place.error(
            f"{written} can be the Hessian matrix or something else", r"write \partial x\,\partial x^\top"
        )
    first = place.pieces[operator.end - 1]
    hessian = _closed(place, place.called(f"hess_{name}", body, first))
    if not by[0].entry:
        return hessian
    one, other = by[0].entry[1:-1], by[1].entry[1:-1]
    comma = place.token("sign", ",", first)
    return [*hessian, by[0].entry[0], *one, comma, *other, by[0].entry[-1]]


def _nabla(place: Place, operator: Operator, body: list[Token]) -> list[Token]:
    first = place.pieces[operator.end - 1]
    name = operator.by[0].name if operator.by else _only_argument(place, operator, body)
    if operator.nabla == "divergence":
        return _closed(place, place.called(f"div_{name}", body, first))
    if operator.nabla == "gradient":
        return _closed(place, place.called(f"grad_{name}", body, first))
    if not place.is_shaped(name):
        raise place.error("∇² by a number", f"write \\frac{{d^2}}{{d{name}^2}}, or declare {name}: vector(n)", first)
    which = place.choice(
        ("", "tr"), first, ("∇² is read as the Hessian matrix", "∇² is read as the Laplacian, tr of the Hessian")
    )
    hessian = place.called(f"hess_{name}", body, first)
    return _closed(place, [which, *_closed(place, hessian)])


def _only_argument(place: Place, operator: Operator, body: list[Token]) -> str:
    """What a nabla without subscript differentiates by: all that the functions behind it depend on."""
    if by := definitions.only_argument(place, operator.end):
        place.notes.setdefault(f"∇ is read as the gradient by {by}")
        return by
    arguments = dict.fromkeys(place.depends_on(each.text) for each in body if each.kind == "name")
    arguments.pop("", None)
    if len(arguments) != 1 or "," in next(iter(arguments)):
        raise place.error(
            r"\nabla does not say by what", r"write \nabla_x, or \frac{d}{dx}", place.pieces[operator.end - 1]
        )
    name = next(iter(arguments))
    place.notes.setdefault(f"∇ is read as the gradient by {name}")
    return name


def _numerator(place: Place, operator: Operator, written: str) -> list[Token]:
    r"""The operand of \frac{d …}{dx}."""
    start, end = operator.operand
    place.at = start
    body = read.product(place)
    if place.at != end:
        raise place.error("it is not clear how far the derivative above the bar reaches", r"write \frac{d}{dx} (…)")
    place.at = operator.end
    name = body[0].text
    is_name = len(body) == 1 and body[0].kind == "name"
    if is_name and read.opens_a_bracket(place) and not _at_its_arguments(place, name):
        raise place.error(
            f"{written} (…) can be the derivative there or a product", r"write \cdot for the product, or f'(…)"
        )
    if is_name and name not in {by.name for by in operator.by} and not place.depends_on(name):
        by = operator.by[0].name
        raise place.error(
            f"{written} does not say what {name} is",
            f"write \\frac{{d}}{{d{by}}} (…), or declare {name}: function of {by}",
            place.pieces[start],
        )
    return body


def _at_its_arguments(place: Place, name: str) -> bool:
    r"""Go behind a bracket that holds the names that a function is declared with: \\frac{df}{dx}(x) is there."""
    start = place.at
    if not place.depends_on(name) or not place.is_sign("("):
        return False
    given = brackets.arguments(place)
    if [token.text for token in given] == list(place.depends_on(name).replace(",", " , ").split()):
        return True
    place.at = start
    return False
