"""Which factors does an expression have?  Irreducible over the rationals, in its names and functions.

A function, or a power that is no whole one, counts as a name of its own.  The factors are those of the numerator: where
the expression is defined it vanishes if and only if one of them does.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

from flint import fmpq, fmpq_mpoly, fmpq_mpoly_ctx

from verify.calculus.tidy import tidy
from verify.graph import ZERO, Node, add, mul, num, postorder, power, symbol

#: Terms of a polynomial, and exponents, beyond which nothing is taken apart.
MOST_TERMS, LARGEST_EXPONENT = 400, 24

Quotient = tuple[fmpq_mpoly, fmpq_mpoly]


def factors(node: Node) -> tuple[tuple[Node, int], ...] | None:
    """(factor, multiplicity) of the numerator; none for a number, and None where it is 0 or too large."""
    node = tidy(node)
    atoms = list(dict.fromkeys(each for each in postorder(node) if _is_atom(each)))
    if not atoms:
        return () if node.op == "num" and node is not ZERO else None
    context = fmpq_mpoly_ctx.get([f"a{i}" for i in range(len(atoms))], "lex")
    at = {atom: context.gen(i) for i, atom in enumerate(atoms)}
    found = _quotient(node, at, context)
    if found is None or found[0].is_zero():
        return None
    _, parts = found[0].factor()
    return tuple((_written(part, atoms), int(times)) for part, times in parts)


def polynomials(nodes: Sequence[Node], names: Sequence[str]) -> list[fmpq_mpoly] | None:
    """Numerators as polynomials in the names, in their order; None where one is none."""
    context = fmpq_mpoly_ctx.get([f"a{i}" for i in range(len(names))], "lex")
    at = {symbol(name): context.gen(i) for i, name in enumerate(names)}
    found = [_quotient(tidy(node), at, context) for node in nodes]
    return None if None in found else [each[0] for each in found if each is not None]


def _is_atom(node: Node) -> bool:
    return node.op not in ("num", "add", "mul") and not (node.op == "pow" and _whole(node))


def _whole(node: Node) -> bool:
    exponent = node.args[1]
    return exponent.op == "num" and exponent.value.denominator == 1


def _quotient(node: Node, at: dict[Node, fmpq_mpoly], context: fmpq_mpoly_ctx) -> Quotient | None:
    one = context.constant(1)
    done: dict[Node, Quotient] = {}
    for each in postorder(node):
        args = [done[arg] for arg in each.args if arg in done]
        if each in at:
            found = at[each], one
        elif each.op == "num":
            found = context.constant(fmpq(each.value.numerator, each.value.denominator)), one
        elif each.op == "add" and len(args) == len(each.args):
            above, below = args[0]
            for top, bottom in args[1:]:
                above, below = (
                    (above + top, below) if below == bottom else (above * bottom + top * below, below * bottom)
                )
            found = above, below
        elif each.op == "mul" and len(args) == len(each.args):
            above, below = args[0]
            for top, bottom in args[1:]:
                above, below = above * top, below * bottom
            found = above, below
        elif each.op == "pow" and args:
            n = int(each.args[1].value)
            if abs(n) > LARGEST_EXPONENT or args[0][0].is_zero():
                return None
            above, below = args[0] if n > 0 else args[0][::-1]
            found = above ** abs(n), below ** abs(n)
        else:
            continue  # inside of a function
        if max(len(found[0].coeffs()), len(found[1].coeffs())) > MOST_TERMS:
            return None
        done[each] = found
    return done.get(node)


def _written(polynomial: fmpq_mpoly, atoms: list[Node]) -> Node:
    terms = []
    for exponents, c in polynomial.terms():
        bases = [power(atom, num(int(e))) if e != 1 else atom for atom, e in zip(atoms, exponents, strict=True) if e]
        number = Fraction(int(c.p), int(c.q))
        terms.append(mul(*([num(number)] if number != 1 or not bases else []), *bases))
    return tidy(add(*terms)) if terms else ZERO
