"""Is a quantity 0 on a whole ball?  Balls alone never tell; its polynomial does, once its pieces are chosen there.

`(z + 1)*max(0, x) - z*max(0, x)` is 0 for all x < 0, and no precision shows it: its sign, and whatever is chosen by it,
would stay open there.  On a ball on which every piece inside of the quantity is certain, the quantity is a rational
expression of names and of parts that are taken as they are; if its numerator is 0 when multiplied out, it is 0.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from flint import arb, fmpz_mpoly, fmpz_mpoly_ctx

from verify.decide.enclose import jets
from verify.decide.enclose.jets import NoValue
from verify.graph import ZERO, Node, num, postorder, rebuild

#: Nodes of a quantity, terms of its polynomials, and exponents, beyond which nothing is multiplied out.
LARGEST, MOST_TERMS, LARGEST_POWER = 300, 2000, 32

_PIECES = frozenset({"abs", "sign", "max", "min", "floor", "ceil"})

Values = Callable[[Node], Any]
"""What the program found for a node that was met before: a ball, a series, a truth, or why it has no value."""


class TooLarge(Exception):
    """There is too much to multiply out."""


class _Open(Exception):
    """A piece is not certain."""


class Vanishing:
    """Answers for one program; what was multiplied out is remembered."""

    def __init__(self) -> None:
        self._known: dict[Node, bool] = {}

    def settled(self, node: Node, values: Values) -> Any:
        """The value of a choice that balls leave open because a quantity is 0 around the point; None if it stays open.

        A node of the graph (the argument that counts, or a number) for a function with pieces, a truth for a condition.
        Nothing else is a choice: a point on the cut of a root or a logarithm stays open.
        """
        try:
            if node.op == "compare":
                return node.value in ("<=", ">=", "=") if self.zero(node.args[0] - node.args[1], values) else None
            if node.op == "call" and node.value in _PIECES:
                return self._chosen(node, {arg: arg for arg in node.args}, values)
            return None
        except _Open:
            return None

    def zero(self, quantity: Node, values: Values) -> bool:
        """Whether the quantity is 0 on the whole ball at which `values` were found."""
        if quantity.op in ("symbol", "num", "constant"):
            return quantity is ZERO
        try:
            plain = self._without_pieces(quantity, values)
        except _Open:
            return False
        if plain not in self._known:
            try:
                self._known[plain] = multiplied_out(plain)[0].is_zero()
            except TooLarge:
                self._known[plain] = False
        return self._known[plain]

    def _without_pieces(self, quantity: Node, values: Values) -> Node:
        """The quantity with every piece chosen that counts on the ball."""
        order = list(postorder(quantity, above_integrals=True))
        if len(order) > LARGEST:
            raise _Open
        plain: dict[Node, Node] = {}
        for node in order:
            if node.op == "derivative":
                plain[node] = node
            elif node.op == "piecewise":
                plain[node] = self._piece(node, plain, values)
            elif node.op == "call" and node.value in _PIECES:
                plain[node] = self._chosen(node, plain, values)
            elif node.op in ("compare", "and", "or", "true"):
                plain[node] = node
            else:
                plain[node] = rebuild(node, [plain[arg] for arg in node.args]) if node.args else node
        return plain[quantity]

    def _piece(self, node: Node, plain: dict[Node, Node], values: Values) -> Node:
        for value, condition in zip(node.args[::2], node.args[1::2], strict=True):
            holds = True if condition.op == "true" else values(condition)
            if holds is True:
                return plain[value]
            if holds is not False:
                raise _Open
        raise _Open

    def _chosen(self, node: Node, plain: dict[Node, Node], values: Values) -> Node:
        """abs, sign, max, min, floor or ceil as one of their pieces."""
        first = node.args[0]
        match node.value:
            case "abs" | "sign":
                sign = self._sign(first, values)
                if node.value == "sign" or sign == 0:
                    return num(sign)
                return plain[first] if sign > 0 else -plain[first]
            case "max" | "min":
                best = first
                for other in node.args[1:]:
                    if self._sign(other - best, values, (other, best)) * (1 if node.value == "max" else -1) > 0:
                        best = other
                return plain[best]
            case "floor" | "ceil":
                return num(self._whole(node, values))
        raise ValueError(f"{node.value} has no pieces")

    def _sign(self, quantity: Node, values: Values, parts: Sequence[Node] = ()) -> int:
        x = _real(values, *(parts or (quantity,)))
        if x > 0 or x < 0:
            return 1 if x > 0 else -1
        if x.is_finite() and self.zero(quantity, values):
            return 0
        raise _Open

    def _whole(self, node: Node, values: Values) -> int:
        """floor or ceil, strictly between two integers or an integer itself on the whole ball."""
        x = _real(values, node.args[0])
        whole = (x.floor() if node.value == "floor" else x.ceil()).unique_fmpz()
        if whole is not None and not x.contains_integer():
            return int(whole)
        near = (x + arb(1) / 2).floor().unique_fmpz()
        if near is not None and self.zero(node.args[0] - num(int(near)), values):
            return int(near)
        raise _Open


def _real(values: Values, *nodes: Node) -> arb:
    """The real number that a node is, or the difference of two."""
    found = []
    for node in nodes:
        value = values(node)
        if value is None or isinstance(value, NoValue | bool) or not jets.head(value).imag.is_zero():
            raise _Open
        found.append(jets.head(value).real)
    return found[0] - found[1] if len(found) == 2 else found[0]


def multiplied_out(root: Node) -> tuple[fmpz_mpoly, fmpz_mpoly, list[Node]]:
    """Numerator and denominator of a rational expression, and what their generators stand for.

    What is no arithmetic counts as a name.  Raises TooLarge.
    """
    order = list(postorder(root, above_integrals=True))
    if len(order) > LARGEST:
        raise TooLarge
    names = [node for node in order if not _is_arithmetic(node)]
    ring = fmpz_mpoly_ctx.get([f"a{i}" for i in range(max(1, len(names)))], "lex")
    one = ring.constant(1)
    fractions = {node: (gen, one) for node, gen in zip(names, ring.gens(), strict=False)}
    for node in order:
        if node in fractions:
            continue
        if node.op == "num":
            fractions[node] = ring.constant(node.value.numerator), ring.constant(node.value.denominator)
            continue
        parts = [fractions[arg] for arg in node.args]
        if node.op == "add":
            n, d = parts[0]
            for more, below in parts[1:]:
                n, d = (n + more, d) if d == below else (_times(n, below) + _times(more, d), _times(d, below))
        elif node.op == "mul":
            n, d = one, one
            for more, below in parts:
                n, d = _times(n, more), _times(d, below)
        else:
            (n, d), k = parts[0], int(node.args[1].value)
            if k < 0:
                n, d, k = d, n, -k
            n, d = _power(n, k), _power(d, k)
        if d.is_zero() or len(n) > MOST_TERMS or len(d) > MOST_TERMS:
            raise TooLarge
        fractions[node] = n, d
    return (*fractions[root], names)


def _is_arithmetic(node: Node) -> bool:
    if node.op != "pow":
        return node.op in ("num", "add", "mul")
    exponent = node.args[1]
    return exponent.op == "num" and exponent.value.denominator == 1 and abs(exponent.value) <= LARGEST_POWER


def _power(a: fmpz_mpoly, k: int) -> fmpz_mpoly:
    return a if k == 1 else a**0 if k == 0 else _times(a, _power(a, k - 1))


def _times(a: fmpz_mpoly, b: fmpz_mpoly) -> fmpz_mpoly:
    if len(a) * len(b) > MOST_TERMS:
        raise TooLarge
    return a * b
