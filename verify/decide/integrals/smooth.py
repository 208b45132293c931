"""Where is an expression continuous?  The conditions under which it is, and whether they hold on a whole path.

Where they hold it is smooth as well, but for isolated points (zeros under abs and roots) that no integral sees.

An antiderivative that jumps proves nothing: every condition must be certain between the limits, because it holds for
all numbers, because it is a condition of the integrand too, or because balls show it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from flint import acb, arb, ctx

from verify.claim import Variable
from verify.decide.enclose.balls import Program
from verify.decide.enclose.jets import NoValue
from verify.decide.integrals.terms import coefficients
from verify.graph import MINUS_ONE, ONE, ZERO, Node, add, call, free_symbols, mul, postorder, symbol

#: Functions without any condition on a real argument.
SMOOTH = frozenset({
    "exp", "sin", "cos", "sinh", "cosh", "tanh", "sech", "atan", "asinh", "erf", "erfc", "erfi", "Si", "Shi",
    "fresnels", "fresnelc",
    "abs",
})  # fmt: skip
#: Functions that never vanish, and are positive, on the real line.
POSITIVE = frozenset({"exp", "cosh", "sech"})
#: Halvings with which balls try to show that a quantity does not vanish.
HALVINGS = 12


@dataclass(frozen=True)
class Condition:
    """A quantity that must be `nonzero`, `positive`, or `nonnegative`."""

    kind: str
    quantity: Node


def conditions(*roots: Node, variables: Mapping[str, Variable] | None = None) -> list[Condition] | None:
    """Where expressions are defined and continuous: exactly where all of these hold.  None where that is not known.

    variables   tell the signs of exponents.  One of unknown sign counts as positive, which is no more than what is
                known of an integrand with it; ask `certain_powers` before an antiderivative rests on it.
    """
    found: dict[Condition, None] = {}
    for node in postorder(*roots):
        match node.op:
            case "num" | "symbol" | "add" | "mul" | "abstract":
                pass
            case "constant":
                if node.value == "oo":
                    return None
            case "pow":
                base, exponent = node.args
                whole = is_whole(exponent, variables or {})
                if not whole and any(is_whole(symbol(name), variables or {}) for name in free_symbols(exponent)):
                    return None
                negative = is_positive(mul(MINUS_ONE, exponent), variables or {})
                if whole and not negative and not is_positive(exponent, variables or {}) and exponent is not ZERO:
                    return None
                if whole and negative:
                    found |= dict.fromkeys(Condition("nonzero", factor) for factor in _factors(base))
                elif not whole and not (base.op == "constant" and base.value in ("E", "pi")):
                    found[Condition("positive" if negative else "nonnegative", base)] = None
            case "call":
                condition = _of_call(node)
                if condition is None and node.value not in SMOOTH:
                    return None
                if condition is not None:
                    found[condition] = None
            case _:
                return None
    return list(found)


def _factors(node: Node) -> list[Node]:
    """What must not vanish, so that a product does not."""
    if node.op == "mul":
        return [factor for arg in node.args for factor in _factors(arg)]
    if node.op == "pow" and node.args[1].op == "num" and node.args[1].value > 0:
        return _factors(node.args[0])
    return [] if node.op == "num" and node.value else [node]


def is_whole(node: Node, variables: Mapping[str, Variable]) -> bool:
    """Whether a quantity is plainly a whole number."""
    match node.op:
        case "num":
            return node.value.denominator == 1
        case "symbol":
            variable = variables.get(node.value)
            return variable is not None and variable.field in ("integer", "size")
        case "add" | "mul":
            return all(is_whole(arg, variables) for arg in node.args)
    return False


def _of_call(node: Node) -> Condition | None:
    u = node.args[0]
    match node.value:
        case "log":
            return Condition("positive", u)
        case "tan" | "sec":
            return Condition("nonzero", call("cos", u))
        case "cot" | "csc":
            return Condition("nonzero", call("sin", u))
        case "asin" | "acos" | "atanh":
            return Condition("positive", add(ONE, mul(MINUS_ONE, u, u)))
        case "acosh":
            return Condition("positive", add(u, MINUS_ONE))
        case "coth" | "csch":
            return Condition("nonzero", u)
    return None


def certain_powers(root: Node, variables: Mapping[str, Variable]) -> bool:
    """Whether the sign of every exponent is known."""
    for node in postorder(root):
        if node.op == "pow" and node.args[1].op != "num" and node.args[0].op != "constant":
            exponent = node.args[1]
            if not (is_positive(exponent, variables) or is_positive(mul(MINUS_ONE, exponent), variables)):
                return False
    return True


@dataclass(frozen=True)
class Path:
    """All values of a name between two limits.

    known    conditions that hold on the whole path, since the integrand has them.
    low, high   the ends, where they are constants: the path itself, or something larger.
    """

    name: str
    known: Sequence[Condition]
    variables: Mapping[str, Variable]
    low: Node | None = None
    high: Node | None = None

    def keeps(self, condition: Condition) -> bool:
        """Whether a condition holds on the whole path, given that it does at one of its points."""
        quantity = condition.quantity
        if self.name not in free_symbols(quantity) or self._never_zero(quantity):
            return True
        return condition.kind == "nonnegative" and self._is_known(quantity)

    def holds(self, condition: Condition) -> bool:
        """Whether a condition holds on the whole path, wherever the integrand is continuous on it.

        What is free of the name may vanish, which it does at single values of the other names.
        """
        quantity = condition.quantity
        if condition.kind == "nonzero":
            return self._never_zero(quantity)
        if quantity.op == "call" and quantity.value == "abs":
            return condition.kind == "nonnegative" or self._never_zero(quantity.args[0])
        known = [c.quantity for c in self.known if c.kind == "positive"]
        if quantity in known or (condition.kind == "nonnegative" and self._is_known(quantity)):
            return True
        return is_positive(quantity, self._ranges()) or self._shown_by_balls(quantity, positive=True)

    def _is_known(self, quantity: Node) -> bool:
        return any(c.quantity is quantity and c.kind != "nonzero" for c in self.known)

    def _never_zero(self, quantity: Node) -> bool:
        """Whether a quantity vanishes nowhere on the path; then it keeps its sign."""
        if self.name not in free_symbols(quantity):
            return True
        if quantity.op == "call" and quantity.value == "abs":
            return self._never_zero(quantity.args[0])
        if quantity.op == "mul":
            return all(self._never_zero(factor) for factor in quantity.args)
        if quantity.op == "pow" and quantity.args[1].op == "num":
            return self._never_zero(quantity.args[0])
        ranges = self._ranges()
        if is_positive(quantity, ranges) or is_positive(mul(MINUS_ONE, quantity), ranges):
            return True
        known = [c.quantity for c in self.known if c.kind != "nonnegative"]
        if any(_proportional(quantity, each, self.name) for each in known):
            return True
        return self._shown_by_balls(quantity)

    def _ranges(self) -> Mapping[str, Variable]:
        return {**self.variables, self.name: Variable(self.name, low=self.low, high=self.high)}

    def _shown_by_balls(self, quantity: Node, *, positive: bool = False) -> bool:
        """Whether a quantity without other names vanishes nowhere between constant limits."""
        if self.low is None or self.high is None or free_symbols(quantity) != {self.name}:
            return False
        precision, ctx.prec = ctx.prec, 128
        try:
            low, high = (Program((end,), True).values({})[0].real for end in (self.low, self.high))
            program = Program((quantity,), True)
            if positive and not program.values({self.name: acb(low)})[0].real > 0:
                return False
            return _vanishes_nowhere(program, self.name, low, high)
        except NoValue:
            return False
        finally:
            ctx.prec = precision


def _vanishes_nowhere(program: Program, name: str, low: arb, high: arb) -> bool:
    stack = [(low, high, 0)]
    while stack:
        start, end, depth = stack.pop()
        try:
            (value,) = program.values({name: acb(start.union(end))})
        except NoValue:
            value = acb(arb(0, 1))
        if value.real > 0 or value.real < 0:
            continue
        if depth == HALVINGS:
            return False
        middle = (start + end) / 2
        stack += [(start, middle, depth + 1), (middle, end, depth + 1)]
    return True


def _proportional(one: Node, other: Node, name: str) -> bool:
    """Whether two polynomials of a name are equal up to a number, as far as their text tells."""
    if one is other:
        return True
    a, b = coefficients(one, name), coefficients(other, name)
    if a is None or b is None:
        return False
    if a == b:
        return True
    pairs = [(x, y) for x, y in zip(a, b, strict=False)]
    numbers = all(x.op == y.op == "num" for x, y in pairs) and len(a) == len(b)
    return numbers and all(
        pairs[0][0].value * y.value == pairs[0][1].value * x.value and bool(x.value) == bool(y.value) for x, y in pairs
    )


def is_positive(node: Node, variables: Mapping[str, Variable]) -> bool:
    """Whether a quantity is plainly positive for all values of its names."""
    return sign_of(node, variables) == (1, True)


def sign_of(node: Node, variables: Mapping[str, Variable]) -> tuple[int, bool] | None:
    """(sign, whether 0 is excluded) of a quantity; None where nothing is plain."""
    match node.op:
        case "num":
            return (1 if node.value >= 0 else -1), node.value != 0
        case "constant":
            return (1, True) if node.value in ("pi", "E", "EulerGamma") else None
        case "symbol":
            variable = variables.get(node.value, Variable(node.value))
            low, high = variable.low, variable.high
            if low is not None and low.op == "num" and low.value >= 0:
                return 1, low.value > 0 or not variable.closed_low
            if high is not None and high.op == "num" and high.value <= 0:
                return -1, high.value < 0 or not variable.closed_high
            return None
        case "add":
            parts = [sign_of(arg, variables) for arg in node.args]
            signs = {part[0] for part in parts if part is not None}
            if None in parts or len(signs) != 1:
                return None
            return signs.pop(), any(part[1] for part in parts if part is not None)
        case "mul":
            return _sign_of_product(node.args, variables)
        case "pow":
            return _sign_of_power(node, variables)
        case "call" if node.value in POSITIVE:
            return 1, True
        case "call" if node.value == "abs":
            return 1, False
    return None


def _sign_of_product(factors: Iterable[Node], variables: Mapping[str, Variable]) -> tuple[int, bool] | None:
    sign, strict = 1, True
    counts: dict[Node, int] = {}
    for factor in factors:
        counts[factor] = counts.get(factor, 0) + 1
    for factor, count in counts.items():
        part = sign_of(factor, variables)
        if part is None and count % 2 == 0:
            part = 1, False
        if part is None:
            return None
        sign *= part[0] ** count
        strict = strict and part[1]
    return sign, strict


def _sign_of_power(node: Node, variables: Mapping[str, Variable]) -> tuple[int, bool] | None:
    base, exponent = node.args
    part = sign_of(base, variables)
    if exponent.op == "num" and exponent.value.denominator == 1:
        strict = exponent.value < 0 or (part is not None and part[1])
        if exponent.value % 2 == 0:
            return 1, strict
        return None if part is None else (part[0], strict)
    if exponent.op == "num":
        # Such a power is one of a number that is not negative.
        return 1, part == (1, True)
    return (1, True) if part == (1, True) else None
