"""How is a derived expression written shortly?  Like terms collected, numbers multiplied out, zeros and ones gone.

Nothing is expanded and nothing is decided: two expressions that tidy to the same node are equal wherever both are
defined; of two that do not nothing is known.  Factors that are multiplied by 0 disappear with their domain of
definition, so this is for what we derive ourselves, never for what somebody claims.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from weakref import WeakSet

from verify.graph import MINUS_ONE, ONE, ZERO, Node, add, call, mul, num, postorder, power, rebuild, transform

Factors = dict[Node, int]
_ONE = ONE.value

#: Terms up to which products of sums are multiplied out.
MOST_EXPANDED = 40


def tidy(root: Node) -> Node:
    """The expression with like terms and like factors collected, in the order in which they first occur."""
    return tidied((root,))[0]


def tidied(roots: Sequence[Node]) -> tuple[Node, ...]:
    """Each of the expressions tidied; what they share is visited once, and what is tidy already not at all."""
    done: dict[Node, Node] = {}
    stack = list(reversed(roots))
    while stack:
        node = stack[-1]
        if node in done:
            stack.pop()
            continue
        if not node.args or node in _TIDY:
            done[stack.pop()] = node
            continue
        waiting = [arg for arg in node.args if arg not in done]
        if waiting:
            stack += reversed(waiting)
            continue
        stack.pop()
        args = [done[arg] for arg in node.args]
        match node.op:
            case "add":
                new = _collected(args)
            case "mul":
                new = _multiplied(args)
            case "pow":
                new = _raised(*args)
            case _:
                new = rebuild(node, args)
        _TIDY.add(new)
        done[node] = new
    return tuple(done[root] for root in roots)


#: Expressions that tidy to themselves.
_TIDY: WeakSet[Node] = WeakSet()


def tidied_arguments(root: Node) -> Node:
    """The expression with the arguments of abstract functions tidied, so that x(T - (T - t)) is x(t)."""
    return transform(root, lambda node: rebuild(node, map(tidy, node.args)) if node.op == "abstract" else None)


def is_zero(node: Node) -> bool:
    """Whether the expression tidies to 0; False means nothing."""
    return tidy(node) is ZERO


def expanded(node: Node) -> tuple[Node, ...] | None:
    """The terms of the expression with products of sums multiplied out, like ones collected; None if they are many."""
    found: list[Node] = []
    pending = [tidy(node)]
    while pending:
        term = pending.pop()
        place = next((i for i, f in enumerate(term.args) if f.op == "add"), None) if term.op == "mul" else None
        if term.op == "add":
            pending += reversed(term.args)
        elif place is not None:
            before, after = term.args[:place], term.args[place + 1 :]
            pending += [mul(*before, inner, *after) for inner in reversed(term.args[place].args)]
        else:
            found.append(term)
        if len(found) + len(pending) > MOST_EXPANDED:
            return None
    whole = _collected([tidy(term) for term in found]) if found else ZERO
    return whole.args if whole.op == "add" else (whole,)


def coefficients(node: Node) -> dict[frozenset | Node, tuple[Fraction, Node]] | None:
    """The terms of the expression multiplied out: the number in front of each and the rest; None if they are many."""
    terms = expanded(node)
    return None if terms is None else keyed(terms)


def keyed(terms: Sequence[Node]) -> dict[frozenset | Node, tuple[Fraction, Node]]:
    """Terms, all different: the number in front of each and the rest."""
    split = [leading_number(term) for term in terms if term is not ZERO]
    return {_key(rest): (number, rest) for number, rest in split}


def short(node: Node) -> Node:
    """The expression tidied, and multiplied out where that is shorter and makes no more terms of it.

    Negative powers are written as one divisor.
    """
    plain = tidy(node)
    terms = expanded(plain)
    own = len(plain.args) if plain.op == "add" else 1
    other = plain if terms is None or len(terms) > own else add(*terms)
    return transform(other if length(other) < length(plain) else plain, divided)


def divided(node: Node) -> Node | None:
    """a/(b*c^2) for a*b^-1*c^-2; powers of the same expression in a product, whole or not, are one."""
    if node.op not in ("mul", "pow"):
        return None
    exponents: dict[Node, Fraction] = {}
    plain: list[Node] = []
    for factor in node.args if node.op == "mul" else (node,):
        for base, exponent in _raised_to(factor):
            if base.op == "num":
                plain.append(power(base, num(exponent)))
            else:
                exponents[base] = exponents.get(base, Fraction(0)) + exponent
    above = [*plain, *(power(base, num(e)) if e != 1 else base for base, e in exponents.items() if e > 0)]
    below = [power(base, num(-e)) if e != -1 else base for base, e in exponents.items() if e < 0]
    if not below:
        return None
    divisor = power(below[0] if len(below) == 1 else mul(*below), MINUS_ONE)
    return mul(*above, divisor) if above else divisor


def _raised_to(factor: Node) -> list[tuple[Node, Fraction]]:
    """What a factor is made of: bases and their exponents, where these are numbers."""
    if factor.op != "pow" or factor.args[1].op != "num":
        return [(factor, Fraction(1))]
    base, exponent = factor.args[0], factor.args[1].value
    if exponent.denominator != 1:
        return [(base, exponent)]
    inner = base.args if base.op == "mul" else (base,)
    return [(b, e * exponent) for each in inner for b, e in (_raised_to(each) if each.op == "pow" else [(each, 1)])]


def length(node: Node) -> int:
    """How many signs and names are written, about."""
    counts: dict[Node, int] = {}
    for each in postorder(node):
        counts[each] = (each is not MINUS_ONE) + sum(counts[arg] for arg in each.args)
    return counts[node]


def leading_number(node: Node) -> tuple[Fraction, Node]:
    """The number in front of a product, and the rest."""
    if node.op == "num":
        return node.value, ONE
    if node.op == "mul" and node.args[0].op == "num":
        return node.args[0].value, mul(*node.args[1:])
    return _ONE, node


def _is_negative(term: Node) -> bool:
    """Whether it is a product with a negative number in front."""
    return term.op == "mul" and term.args[0].op == "num" and term.args[0].value < 0


def _collected(terms: list[Node]) -> Node:
    counts: dict[frozenset | Node, Fraction] = {}
    first: dict[frozenset | Node, Node] = {}
    pending = [(_ONE, term) for term in reversed(terms)]
    while pending:
        outer, term = pending.pop()
        number, rest = leading_number(term)
        if outer is not _ONE:
            number = outer if number is _ONE else outer * number
        if rest.op == "add":
            pending += [(number, inner) for inner in reversed(rest.args)]
            continue
        key = _key(rest)
        if key in first:
            counts[key] += number
        else:
            first[key], counts[key] = rest, number
    kept = [scaled(number, first[key]) for key, number in counts.items() if number]
    # A sum that starts with a plus needs no bracket in front.
    kept.sort(key=_is_negative)
    return add(*kept) if kept else ZERO


def _key(node: Node) -> frozenset | Node:
    """The same for products that differ in the order of their factors."""
    if node.op != "mul":
        return node
    found = powers(node)
    # Factors alone are quicker to hash, and none of them is a pair of a factor and an exponent.
    return frozenset(found) if set(found.values()) == {1} else frozenset(found.items())


def powers(node: Node) -> Factors:
    """The factors of a product with their whole exponents; a number in front is one of them."""
    found: Factors = {}
    for factor in node.args if node.op == "mul" else (node,):
        base, exponent = _base(factor)
        found[base] = found.get(base, 0) + exponent
    return found


def _base(factor: Node) -> tuple[Node, int]:
    if factor.op == "pow" and factor.args[1].op == "num" and factor.args[1].value.denominator == 1:
        return factor.args[0], factor.args[1].value.numerator
    return factor, 1


def scaled(number: Fraction, rest: Node) -> Node:
    """The product of the two, with one number in front."""
    if rest is ONE:
        return num(number)
    if number == 1:
        return rest
    return mul(num(number), *(rest.args if rest.op == "mul" else (rest,)))


def _multiplied(args: list[Node]) -> Node:
    number = _ONE
    found: Factors = {}
    pending = list(reversed(args))
    while pending:
        factor = pending.pop()
        if factor.op == "mul":
            pending += reversed(factor.args)
        elif factor.op == "num":
            number = factor.value if number is _ONE else number * factor.value
        else:
            base, exponent = _base(factor)
            found[base] = found.get(base, 0) + exponent
    if not number:
        return ZERO
    for base in [each for each in found if each.op == "call" and each.value == "sign"]:
        if found[base] == 1 and found.get(base.args[0], 0) >= 1:  # x*sign(x) is abs(x), at 0 as well
            size = call("abs", *base.args)
            found[base], found[base.args[0]], found[size] = 0, found[base.args[0]] - 1, found.get(size, 0) + 1
    factors = [power(base, num(exponent)) for base, exponent in found.items() if exponent]
    factors = [factor for factor in factors if factor is not ONE]
    if not factors:
        return num(number)
    if len(factors) == 1 and factors[0].op == "add" and number == -1:
        return add(*(_multiplied([MINUS_ONE, term]) for term in factors[0].args))
    return scaled(number, factors[0] if len(factors) == 1 else mul(*factors))


def _raised(base: Node, exponent: Node) -> Node:
    if exponent is ZERO:
        return ONE
    whole = exponent.op == "num" and exponent.value.denominator == 1
    if whole and base.op == "mul":
        return _multiplied([_raised(factor, exponent) for factor in base.args])
    if whole and base.op == "pow" and base.args[1].op == "num" and base.args[1].value.denominator == 1:
        return _raised(base.args[0], num(base.args[1].value * exponent.value))
    return base if exponent is ONE else power(base, exponent)
