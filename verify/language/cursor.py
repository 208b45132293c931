"""Where is the reader, which names does it know there, and what has it noted?  A place in a list of tokens."""

from __future__ import annotations

from collections.abc import Callable, Set

from verify.claim import Shape
from verify.graph import Node
from verify.language.errors import ReadError
from verify.language.tokens import Token
from verify.shapes import ShapeError, Shapes

#: Brackets, signs, exponents and operators inside each other; formulas written for people stay below 20.
DEEPEST = 100


class Cursor:
    """A place in the tokens of a text.

    token      the next token; `sign` is its text, which no name or number shares with a sign.
    declared   names that are quantities whatever else they could mean.
    used       names that stand somewhere without a bracket behind them.
    symbols    the quantities met so far, in their order (dictionaries keep it, sets do not).
    variables  what is differentiated by, with the place where each is first named.
    notes      readings that were taken where the text allowed another one.
    shapes     what is declared, and the shapes that follow; None where all is about numbers.
    bound      indices of the sums around, innermost last.
    dummies    variables of the integrals and expectations around, innermost last.
    sizes      names that stand where only a size can, each with its first place.
    """

    def __init__(self, text: str, tokens: list[Token], declared: Set[str], used: Set[str]) -> None:
        self.text, self.tokens, self.declared, self.used = text, tokens, declared, used
        self.symbols: dict[str, None] = {}
        self.variables: dict[str, Token] = {}
        self.notes: dict[str, None] = {}
        self.shapes: Shapes | None = None
        self.bound: list[str] = []
        self.dummies: list[str] = []
        self.sizes: dict[str, Token] = {}
        self.depth = 0
        self.move(0)

    def move(self, at: int) -> None:
        """Go to the token with this index."""
        self.at, self.token = at, self.tokens[at]
        self.sign = self.token.text

    def take(self) -> Token:
        """The next token; go behind it."""
        token = self.token
        if token.kind != "end":
            self.move(self.at + 1)
        return token

    def expect(self, sign: str, where: str) -> Token:
        """The next token, which must be this sign."""
        if self.sign != sign:
            raise self.error(f"expected {sign!r} {where}, found {self.shown()}")
        return self.take()

    def accepts(self, sign: str) -> bool:
        """Whether the next token is this sign or word; if so, go behind it."""
        if self.sign != sign:
            return False
        self.move(self.at + 1)
        return True

    @property
    def before(self) -> Token:
        """The token that was taken last."""
        return self.tokens[self.at - 1]

    @property
    def after(self) -> Token:
        """The token behind the next one."""
        return self.tokens[min(self.at + 1, len(self.tokens) - 1)]

    def deeper(self) -> None:
        """One bracket, sign, exponent or operator further in; whoever leaves it subtracts 1 from `depth`."""
        self.depth += 1
        if self.depth > DEEPEST:
            raise self.error(f"more than {DEEPEST} brackets, signs or exponents inside each other")

    def note(self, note: str) -> None:
        """Remember a reading for whoever asks what was understood."""
        self.notes.setdefault(note)

    def source(self, first: Token) -> str:
        """The text from a token up to the one that was taken last."""
        return " ".join(self.text[first.start : self.before.end].split())

    def shown(self) -> str:
        """The next token, for a message."""
        token = self.token
        return repr(self.text[token.start : token.end][:40]) if token.kind != "end" else "the end"

    def error(self, what: str, mend: str = "", token: Token | None = None) -> ReadError:
        """The error at a token, or here."""
        return ReadError(what, self.text, (token or self.token).start, mend)

    def checked(self, node: Node, token: Token) -> Node:
        """The node itself, if the shapes within it fit together; else the error at the token where it begins."""
        self.shape(node, token)
        return node

    def shape(self, node: Node, token: Token) -> Shape:
        """The shape of an expression that begins at the token."""
        if self.shapes is None:
            return ()
        try:
            return self.shapes.of(node)
        except ShapeError as error:
            raise self.error(error.what, error.mend, token) from None

    def unexpected(self) -> ReadError:
        """The error for a token that cannot follow."""
        advice = {
            "=": "write one equality a claim",
            "==": "write = for an equality",
            ",": "a decimal point is written 1.5, and declarations follow after `with`",
            ":": "declarations follow after `with`",
            ")": "no bracket is open here",
            "!=": "write a space before = after a factorial",
            "!": "a double factorial is written out",
            "~": "a law stands in expect(E, x ~ normal(mu, sigma))",
        } | dict.fromkeys(("<", "<=", ">", ">="), "conditions follow after `with`")
        return self.error(f"unexpected {self.shown()}", advice.get(self.sign, ""))

    def finish(self) -> None:
        """Nothing may follow, and what is differentiated by must be a quantity of the text."""
        if self.token.kind != "end":
            raise self.unexpected()
        for name, token in self.variables.items():
            if name not in self.declared and name not in self.symbols:
                raise self.error(
                    f"derivative with respect to {name!r}, which occurs nowhere", f"declare {name} or correct it", token
                )


def arguments(cursor: Cursor, name: str, counts: tuple[int, ...], read_value: Callable[[Cursor], Node]) -> list[Node]:
    """The values in the bracket behind a name, as many as one of `counts` says (any number if that is empty)."""
    opening = cursor.expect("(", f"after {name}")
    found = [read_value(cursor)]
    while cursor.accepts(","):
        found.append(read_value(cursor))
    cursor.expect(")", f"after the arguments of {name}")
    if counts and len(found) not in counts:
        needed = " or ".join(map(str, counts))
        plural = "s" * (needed != "1")
        raise cursor.error(f"{name} takes {needed} argument{plural}, {len(found)} given", token=opening)
    return found
