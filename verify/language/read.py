"""Which expression does a text mean?  A reader by precedence; it evaluates nothing but arithmetic of small numbers.

condition   comparison [and | or …]
sum         [+ | -] product + product - …
product     factor * factor / factor, and products without a sign: 2x, x y, 2(x + 1)
factor      an operator with its operand, - factor, or power
power       atom ! ^ factor, right-associative
atom        number, name, call, bracket
"""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction

from verify.graph import (
    LARGEST_FOLDED_BITS,
    MINUS_ONE,
    TRUE,
    ZERO,
    Node,
    add,
    both,
    call,
    compare,
    derivative,
    either,
    mul,
    neg,
    num,
    piecewise,
    power,
    sqrt,
    symbol,
)
from verify.language import names
from verify.language.errors import ReadError
from verify.language.operators import Operator, operator_at, used_names
from verify.language.tokens import Token, tokens

#: Brackets, signs, exponents and operators inside each other; formulas written for people stay below 20.
DEEPEST = 100

RELATIONS = ("<", "<=", ">", ">=", "=", "!=")
CONDITIONS = ("compare", "and", "or", "true")


def read_expression(text: str, declared: Iterable[str] = ()) -> Node:
    """The expression that a text means; names in `declared` are quantities whatever else they could mean.

    Raises ReadError.
    """
    reader = Reader(text, tokens(text), declared)
    node = reader.value()
    reader.finish()
    return node


class Reader:
    """A place in a list of tokens, the names that are known there, and the notes taken on the way.

    symbols   the quantities met so far, in their order (a dictionary for its order).
    notes     readings that were taken where the text allowed another one.
    """

    def __init__(self, text: str, found: list[Token], declared: Iterable[str], used: Iterable[str] = ()) -> None:
        self.text, self.tokens, self.at, self.depth = text, found, 0, 0
        self.declared = frozenset(declared)
        self.used = frozenset(used) | used_names(found)
        self.symbols: dict[str, None] = {}
        self.notes: dict[str, None] = {}
        self.variables: dict[str, Token] = {}
        """Variables of derivatives, with the place where each is first named."""

    # --- moving on ----------------------------------------------------------------------------

    @property
    def token(self) -> Token:
        return self.tokens[self.at]

    def sees(self, *signs: str) -> bool:
        """Whether the next token is one of these signs."""
        token = self.tokens[self.at]
        return token.kind == "sign" and token.text in signs

    def sees_word(self, *words: str) -> bool:
        """Whether the next token is one of these words of the grammar."""
        token = self.tokens[self.at]
        return token.kind == "name" and token.text in words and token.text not in self.declared

    def take(self) -> Token:
        token = self.tokens[self.at]
        self.at += 1
        return token

    def expect(self, sign: str, where: str) -> Token:
        if not self.sees(sign):
            raise self.error(f"expected {sign!r} {where}, found {self.shown()}")
        return self.take()

    def shown(self) -> str:
        token = self.token
        return repr(self.text[token.start : token.end][:40]) if token.kind != "end" else "the end"

    def error(self, what: str, mend: str = "", token: Token | None = None) -> ReadError:
        return ReadError(what, self.text, (token or self.token).start, mend)

    def source(self, first: Token, end: int) -> str:
        return " ".join(self.text[first.start : end].split())

    def note(self, note: str) -> None:
        self.notes.setdefault(note)

    def finish(self) -> None:
        """Nothing may follow, and every variable of a derivative must be a quantity of the text."""
        if self.token.kind != "end":
            raise self.unexpected()
        self.check_variables()

    def check_variables(self) -> None:
        for name, token in self.variables.items():
            if name not in self.declared and name not in self.symbols:
                raise self.error(
                    f"derivative with respect to {name!r}, which occurs nowhere",
                    f"declare {name}, or correct it",
                    token,
                )

    def unexpected(self) -> ReadError:
        advice = {
            "=": "one equality a claim",
            "==": "write = for an equality",
            ",": "a decimal point is written 1.5; declarations follow after `with`",
            ":": "declarations follow after `with`",
            ")": "there is no bracket that it closes",
            "!=": "write a space before = after a factorial",
        }
        return self.error(f"unexpected {self.shown()}", advice.get(self.token.text, ""))

    # --- conditions ---------------------------------------------------------------------------

    def condition(self) -> Node:
        """A comparison, or several joined by `and`, `or`."""
        token = self.token
        node = self.anything()
        if node.op not in CONDITIONS:
            raise self.error("a condition is needed here", "for example x > 0", token)
        return node

    def value(self) -> Node:
        """A sum that is a number, not a condition."""
        token = self.token
        node = self.sum()
        if node.op in CONDITIONS:
            raise self.error("a condition stands where a value is needed", token=token)
        return node

    def anything(self) -> Node:
        """A condition or a value: which of the two shows only behind the brackets that open it."""
        alternatives, together = [], []
        while True:
            together.extend(self.comparison())
            if self.sees_word("and"):
                self.take()
                continue
            if len(together) > 1 and any(node.op not in CONDITIONS for node in together):
                raise self.error("`and` joins conditions", "for example x > 0 and y > 0")
            alternatives.append(together[0] if len(together) == 1 else both(*together))
            if not self.sees_word("or"):
                break
            self.take()
            together = []
        if len(alternatives) > 1 and any(node.op not in CONDITIONS for node in alternatives):
            raise self.error("`or` joins conditions", "for example x > 0 or x < -1")
        return alternatives[0] if len(alternatives) == 1 else either(*alternatives)

    def comparison(self) -> list[Node]:
        """A sum, or the comparisons of a chain such as 0 < x < 1."""
        first = self.token
        left = self.sum()
        if not self.sees(*RELATIONS):
            return [left]
        links = []
        while self.sees(*RELATIONS):
            relation = self.take().text
            right = self.sum()
            if left.op in CONDITIONS or right.op in CONDITIONS:
                raise self.error("a comparison compares values", token=first)
            links.append(compare(left, relation, right))
            left = right
        return links

    # --- arithmetic ---------------------------------------------------------------------------

    def sum(self) -> Node:
        first = self.token
        terms = [self.signed_product()]
        while self.sees("+", "-"):
            terms.append(self.signed_product())
        if len(terms) == 1:
            return terms[0]
        self.check_operands(terms, first)
        return add(*terms)

    def signed_product(self) -> Node:
        negative = self.take().text == "-" if self.sees("+", "-") else False
        return self.product(negative)

    def product(self, negative: bool = False) -> Node:
        """A product; its sign goes into a leading number, or in front as a factor -1."""
        first = self.token
        factors = [self.factor()]
        while True:
            if self.sees("*"):
                self.take()
                factors.append(self.factor())
            elif self.sees("/"):
                self.take()
                self.divide(factors, first)
            elif self.starts_an_operand():
                if self.token.kind == "number":
                    raise self.error("a number follows a value without a sign", "write * or ^ between them")
                factors.append(self.factor())
            else:
                break
        if negative:
            if factors[0].op == "num":
                factors[0] = neg(factors[0])
            else:
                factors.insert(0, MINUS_ONE)
        if len(factors) == 1:
            return factors[0]
        self.check_operands(factors, first)
        return mul(*factors)

    def divide(self, factors: list[Node], first: Token) -> None:
        """Divide the product by the next factor; a quotient of two numbers is one number."""
        divisor_token, slash = self.token, self.tokens[self.at - 1]
        if self.operator() is not None:
            raise self.error("division by an operator", "write the derivative in brackets")
        divisor = self.factor()
        if self.starts_an_operand():
            above = self.source(first, slash.start)
            below = self.source(divisor_token, self.tokens[self.at - 1].end)
            token = self.token
            self.factor()
            rest = self.source(token, self.tokens[self.at - 1].end)
            raise self.error(
                f"{above}/{below} {rest} can be read as {above}/({below}*{rest}) or as ({above}/{below})*{rest}",
                "write the brackets",
                token,
            )
        if factors[-1].op == divisor.op == "num" and divisor is not ZERO:
            factors[-1] = mul(factors[-1], power(divisor, MINUS_ONE))
        else:
            factors.append(power(divisor, MINUS_ONE))

    def check_operands(self, nodes: list[Node], first: Token) -> None:
        """Conditions are no numbers, and numbers are added up and multiplied only while they are small."""
        bits = 0
        for node in nodes:
            if node.op == "num":
                bits += node.value.numerator.bit_length() + node.value.denominator.bit_length()
            elif node.op in CONDITIONS:
                raise self.error("a condition stands where a value is needed", token=first)
        if bits > 4 * LARGEST_FOLDED_BITS:
            raise self.error("the numbers are too large", "write large powers as powers of a name", first)

    def starts_an_operand(self) -> bool:
        """Whether what follows would be another factor, without a sign between."""
        token = self.token
        if token.kind == "name":
            return not self.sees_word(*names.RESERVED)
        return token.kind in ("number", "constant") or self.sees("(", "√")

    # --- factors ------------------------------------------------------------------------------

    def deeper(self) -> None:
        self.depth += 1
        if self.depth > DEEPEST:
            raise self.error(f"more than {DEEPEST} brackets, signs or exponents inside each other")

    def factor(self) -> Node:
        self.deeper()
        operator = self.operator()
        if operator is not None:
            node = self.differentiate(operator)
        elif self.sees("-"):
            self.take()
            node = neg(self.factor())
        elif self.sees("+"):
            self.take()
            node = self.factor()
        else:
            node = self.power()
        self.depth -= 1
        return node

    def power(self) -> Node:
        first = self.token
        base = self.atom()
        if self.sees("!"):
            self.take()
            if self.sees("!"):
                raise self.error("a double factorial", "write (n!)! or another formula")
            base = call("factorial", base)
        if self.token.kind == "superscript":
            exponent = num(int(self.take().text))
        elif self.sees("^"):
            self.take()
            if self.operator() is not None:
                raise self.error("an operator in an exponent", "write the exponent in brackets")
            start = self.token
            exponent = self.factor()
            if self.sees("(") and self.tokens[self.at - 1] is start and start.kind == "name":
                raise self.error(f"the exponent {start.text} is followed by a bracket", "write * or brackets")
        else:
            if base.op in CONDITIONS and self.sees("*", "/"):
                raise self.error("a condition stands where a value is needed", token=first)
            return base
        if base.op in CONDITIONS or exponent.op in CONDITIONS:
            raise self.error("a condition stands where a value is needed", token=first)
        return power(base, exponent)

    def atom(self) -> Node:
        token = self.token
        match token.kind:
            case "number":
                self.take()
                return num(Fraction(token.text))
            case "constant":
                self.take()
                return names.CONSTANTS[token.text]
            case "name" if not self.sees_word(*names.RESERVED):
                return self.name()
        if self.sees("("):
            self.take()
            self.deeper()
            node = self.anything()
            self.depth -= 1
            self.expect(")", f"for the bracket of column {token.start + 1}")
            return node
        if self.sees("√"):
            self.take()
            return sqrt(self.arguments("√", 1)[0])
        raise self.error(f"a value is missing before {self.shown()}")

    # --- names --------------------------------------------------------------------------------

    def name(self) -> Node:
        token = self.take()
        name = token.text
        before_bracket = self.sees("(")
        if "∂" in name:
            raise self.error("∂ stands only in operators such as ∂/∂x", token=token)
        if name in self.declared:
            if before_bracket:
                self.note_product(token)
        elif before_bracket:
            if name == "piecewise":
                return self.pieces()
            if name == "diff":
                return self.diff()
            if names.is_function(name):
                return self.call(token)
            if name in names.BEYOND_SCALARS:
                raise self.error(
                    f"{name!r} is not supported yet: this version reads scalar formulas",
                    f"write it out entry by entry, or declare {name} if it is a quantity",
                    token,
                )
            if name in names.CONSTANTS or name in self.used:
                self.note_product(token)
            else:
                near = names.nearest(name)
                raise self.error(
                    f"{name!r} is no known function" + (f" (did you mean {near}?)" if near else ""),
                    f"write {name}*(…) for a product",
                    token,
                )
        elif not names.may_be_a_quantity(name):
            raise self.error(f"the function {name!r} needs an argument in brackets", f"or declare {name}", token)
        if name not in self.declared:
            if name in names.CONSTANTS:
                return names.CONSTANTS[name]
            if name in ("e", "i"):
                other = "Euler's number is E or exp(1)" if name == "e" else "the imaginary unit is I"
                self.note(f"{name} is read as a real parameter; {other}")
        self.symbols.setdefault(name)
        return symbol(name)

    def note_product(self, token: Token) -> None:
        self.note(f"{token.text}(…) is read as the product {token.text}*(…)")

    def call(self, token: Token) -> Node:
        name = token.text
        if name in self.used:
            raise self.error(
                f"{name} is used as a function and as a number",
                f"declare it ({name}: real) and write {name}*(…) for the product, or rename it",
                token,
            )
        allowed = names.numbers_of_arguments(name)
        arguments = self.arguments(name)
        if allowed and len(arguments) not in allowed:
            needed = " or ".join(map(str, allowed))
            raise self.error(
                f"{name} takes {needed} argument{'s' * (needed != '1')}, {len(arguments)} given", token=token
            )
        node, meaning = names.apply(name, *arguments)
        if meaning:
            self.note(f"{name} is read as {meaning}")
        return node

    def arguments(self, name: str, count: int | None = None) -> list[Node]:
        """The values in a bracket."""
        opening = self.expect("(", f"after {name}")
        self.deeper()
        found = [self.value()]
        while self.sees(","):
            self.take()
            found.append(self.value())
        self.depth -= 1
        if count is not None and len(found) != count:
            raise self.error(f"{name} takes {count} argument, {len(found)} given", token=opening)
        self.expect(")", f"after the arguments of {name}")
        return found

    def pieces(self) -> Node:
        """piecewise((value, condition), …, (value, otherwise))"""
        self.expect("(", "after piecewise")
        self.deeper()
        pairs = []
        while True:
            self.expect("(", "for a pair (value, condition)")
            value = self.value()
            self.expect(",", "between value and condition")
            if self.sees_word("otherwise"):
                self.take()
                pairs.append((value, TRUE))
            else:
                pairs.append((value, self.condition()))
            self.expect(")", "after the pair")
            if not self.sees(","):
                break
            if pairs[-1][1] is TRUE:
                raise self.error("`otherwise` stands in the last pair")
            self.take()
        self.depth -= 1
        self.expect(")", "after the pairs")
        return piecewise(*pairs)

    # --- derivatives --------------------------------------------------------------------------

    def operator(self) -> Operator | None:
        """The derivative operator that starts here, if one does."""
        found = operator_at(self.tokens, self.at, self.declared, self.used)
        if isinstance(found, str):
            raise self.error(found)
        if found is not None and found.note:
            self.note(found.note)
        return found if found is not None and found.variable else None

    def differentiate(self, operator: Operator) -> Node:
        """An operator takes the bracket that follows with its powers and nothing more, or else the whole product."""
        start = self.token
        self.at = operator.end
        if self.sees("("):
            body = self.power()
        elif self.starts_an_operand() or self.sees("+", "-"):
            body = self.signed_product()
        else:
            written = self.source(start, self.tokens[self.at - 1].end)
            raise self.error(
                f"{written} needs something to differentiate, found {self.shown()}",
                f"write {written} (…); for a quotient, declare both names",
            )
        if body.op in CONDITIONS:
            raise self.error("a condition cannot be differentiated", token=start)
        return derivative(body, self.variable(operator.variable, start), operator.order)

    def diff(self) -> Node:
        """diff(E, x), diff(E, x, 2), diff(E, x, y)"""
        self.expect("(", "after diff")
        self.deeper()
        node = self.value()
        if not self.sees(","):
            raise self.error(f"diff needs a variable, found {self.shown()}", "write diff(E, x)")
        while self.sees(","):
            self.take()
            token = self.take()
            if token.kind != "name":
                raise self.error("a derivative needs the name of a variable", "write diff(E, x)", token)
            order = 1
            if self.sees(",") and self.tokens[self.at + 1].kind == "number":
                self.take()
                order = self.order(self.take())
            node = derivative(node, self.variable(token.text, token), order)
        self.depth -= 1
        self.expect(")", "after the variables of diff")
        return node

    def order(self, token: Token) -> int:
        if not token.text.isdigit() or not 1 <= int(token.text) <= 100:
            raise self.error("the order of a derivative is a whole number from 1 to 100", token=token)
        return int(token.text)

    def variable(self, name: str, token: Token) -> str:
        if name not in self.declared and (name in names.CONSTANTS or not names.may_be_a_quantity(name)):
            raise self.error(f"derivative with respect to {name}, which is no variable", f"declare {name}", token)
        self.variables.setdefault(name, token)
        return name
