"""Where is a real formula defined?  The conditions under which every root, logarithm and inverse in it is real."""

from __future__ import annotations

from verify.claim import Claim, Domain
from verify.functions import function
from verify.graph import INTEGRALS, ZERO, Node, both, compare, postorder, substitute, symbol

#: Functions whose condition in `verify.functions` is exactly where they are real.
EXACT = frozenset({
    "log", "asin", "acos", "acosh", "atanh", "acoth", "asec", "acsc", "asech", "erfinv", "erfcinv", "LambertW", "Ci",
    "Chi", "li",
})  # fmt: skip


#: Functions without poles, kinks, jumps or edges on the real line and in the complex plane.
ENTIRE = frozenset({
    "exp", "sin", "cos", "sinh", "cosh", "erf", "erfc", "erfi", "Si", "Shi", "fresnels", "fresnelc", "airyai", "airybi",
    "airyaiprime", "airybiprime",
})  # fmt: skip
#: Functions that have some in the complex plane only.
SMOOTH_ON_THE_LINE = ENTIRE | {"tanh", "sech", "atan", "asinh"}


def plain(claim: Claim) -> bool:
    """Whether both sides are plainly defined and smooth at every point whatever: no quotient, root or piece at all."""
    functions = ENTIRE if claim.is_complex else SMOOTH_ON_THE_LINE
    for node in postorder(claim.lhs, claim.rhs):
        if node.op == "pow":
            exponent = node.args[1]
            if exponent.op != "num" or exponent.value.denominator != 1 or exponent.value < 0:
                return False
        elif node.op == "call":
            if node.value not in functions:
                return False
        elif node.op not in ("num", "symbol", "constant", "add", "mul", "derivative"):
            return False
    return True


def conditions(claim: Claim) -> tuple[Node, ...] | None:
    """Conditions, obvious ones left out, that hold exactly where both sides are real; None if that is not known.

    Poles, kinks and other isolated gaps are not among them.
    """
    from verify.language import read_expression

    found: dict[Node, None] = {}
    for node in postorder(claim.lhs, claim.rhs):
        if node.op == "piecewise" or node.op in INTEGRALS:
            return None
        if node.op == "pow":
            base, exponent = node.args
            if not _whole(exponent, claim.domain):
                if exponent.op != "num":
                    return None
                found[compare(base, ">", ZERO)] = None
        elif node.op == "call" and (row := function(node.value, len(node.args))) and row.real_where:
            if node.value not in EXACT:
                return None
            condition = read_expression(f"piecewise((1, {row.real_where}))", row.arguments).args[1]
            names = {symbol(name): arg for name, arg in zip(row.arguments, node.args, strict=True)}
            found[substitute(condition, names)] = None
    return tuple(c for c in found if not _obvious(c, claim.domain))


def _whole(exponent: Node, domain: Domain) -> bool:
    if exponent.op == "num":
        return exponent.value.denominator == 1
    return exponent.op == "symbol" and domain.variables[exponent.value].field == "integer"


def _obvious(condition: Node, domain: Domain) -> bool:
    return condition.op == "compare" and condition.args[1] is ZERO and _positive(condition.args[0], domain)


def _positive(node: Node, domain: Domain) -> bool:
    """Whether a quantity is plainly positive, isolated zeros apart."""
    match node.op:
        case "num":
            return node.value > 0
        case "constant":
            return node.value in ("pi", "E", "EulerGamma")
        case "symbol":
            low = domain.variables[node.value].low
            return low is not None and low.op == "num" and low.value >= 0
        case "add" | "mul":
            return all(_positive(arg, domain) for arg in node.args)
        case "pow":
            base, exponent = node.args
            even = exponent.op == "num" and exponent.value.denominator == 1 and exponent.value % 2 == 0
            return even or _positive(base, domain) or not _whole(exponent, domain)
        case "call":
            return node.value in ("exp", "cosh", "sech", "abs")
        case _:
            return False


def joined(found: tuple[Node, ...]) -> Node | None:
    """All of the conditions as one; None if there are none."""
    return None if not found else found[0] if len(found) == 1 else both(*found)
