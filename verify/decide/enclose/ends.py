"""Which integrals end where a root or a logarithm in their integrand has no bound?  They are moved to an end at 0.

At x = 1 balls tell nothing of sqrt(1 - x^2): however small, they reach beyond 1.  With x = 1 - u it is
sqrt(u*(2 - u)), and near 0 the size of an integrand is read off its structure (`far.rest_at_zero`).
An integral over [a, b] becomes (b - a) times one over a + (b - a) u, whichever of the two is larger.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from flint import fmpz_mpoly

from verify.decide.enclose.vanishing import TooLarge, multiplied_out
from verify.decide.integrals.standard import is_infinite
from verify.graph import (
    HALF,
    MINUS_ONE,
    ONE,
    ZERO,
    Node,
    add,
    constant,
    free_symbols,
    fresh_name,
    integral,
    mul,
    num,
    power,
    rebuild,
    substitute,
    surface,
    symbol,
    transform,
)


def moved(node: Node) -> Node:
    """The integral, or what it is with a variable that is 0 at such an end, exactly."""
    body, low, high = node.args
    name = node.value
    infinite = is_infinite(low), is_infinite(high)
    rough = [not sign and _is_rough(body, name, end) for end, sign in zip((low, high), infinite, strict=True)]
    at_zero = rough == [low is ZERO, high is ZERO] and not infinite[0] and infinite[1] >= 0
    if not any(rough) or at_zero:
        return node
    u = fresh_name("u", {name, *free_symbols(node, body)})
    if infinite[1] or infinite[0]:
        end, way = (low, num(infinite[1])) if infinite[1] else (high, num(infinite[0]))
        inside = _at(body, name, u, end, way)
        if inside is None:
            return node
        return mul(num(infinite[1] or -infinite[0]), integral(inside, u, ZERO, constant("oo")))
    width = add(high, -low)
    near, far = _at(body, name, u, low, width), _at(body, name, u, high, -width)
    if near is None or far is None:
        return node
    if not all(rough):
        return mul(width, integral(near if rough[0] else far, u, ZERO, ONE))
    return mul(width, add(integral(near, u, ZERO, HALF), integral(far, u, ZERO, HALF)))


def _bases(body: Node, name: str) -> Iterator[Node]:
    """What stands under a root or a logarithm, and depends on the variable."""
    for node in surface(body):
        rooted = node.op == "pow" and (node.args[1].op != "num" or node.args[1].value.denominator != 1)
        if (rooted or (node.op == "call" and node.value == "log")) and name in free_symbols(node.args[0]):
            yield node.args[0]


def _is_rough(body: Node, name: str, end: Node) -> bool:
    """Whether a base is 0 or infinite at the end, whatever the other names are."""
    return any(_is_zero_at(part, name, end) for base in _bases(body, name) for part in _parts(base))


def _parts(base: Node) -> tuple[Node, ...]:
    """Numerator and denominator."""
    try:
        numerator, denominator, names = multiplied_out(base)
    except TooLarge:
        return ()
    return tuple(_written(p, names) for p in (numerator, denominator) if not p.is_zero())


def _is_zero_at(part: Node, name: str, end: Node) -> bool:
    try:
        numerator, denominator, _ = multiplied_out(substitute(part, {symbol(name): end}))
    except TooLarge:
        return False
    return numerator.is_zero() and not denominator.is_zero()


def _at(body: Node, name: str, u: str, end: Node, way: Node) -> Node | None:
    """The integrand at end + way*u, with the powers of u taken out of every base; None where that is too much."""
    there = substitute(body, {symbol(name): add(end, mul(way, symbol(u)))})
    bases = dict.fromkeys(_bases(there, u))
    try:
        plain = {base: _taken_out(base, u) for base in bases}
    except TooLarge:
        return None
    return transform(there, lambda node: _with_base(node, plain))


def _with_base(node: Node, plain: dict[Node, Node]) -> Node | None:
    if not node.args or node.args[0] not in plain or not (node.op == "pow" or node.value == "log"):
        return None
    return rebuild(node, (plain[node.args[0]], *node.args[1:]))


def _taken_out(base: Node, u: str) -> Node:
    """u^k*q(u) for a base that is rational in u, q being neither 0 nor infinite at 0; raises TooLarge."""
    numerator, denominator, names = multiplied_out(base)
    if symbol(u) not in names or any(n is not symbol(u) and u in free_symbols(n) for n in names):
        return base
    at = names.index(symbol(u))
    above, below = (
        min((int(e[at]) for e in polynomial.to_dict()), default=0) for polynomial in (numerator, denominator)
    )
    if above == below:
        return base
    root = power(symbol(u), num(above - below))
    rest = power(_written(denominator, names, at, below), MINUS_ONE)
    return mul(root, _written(numerator, names, at, above), rest)


def _written(polynomial: fmpz_mpoly, names: Sequence[Node], at: int = 0, less: int = 0) -> Node:
    """A polynomial as an expression, with `less` taken off the exponents of one generator."""
    terms = []
    for exponents, coefficient in polynomial.to_dict().items():
        powers = [int(e) - (less if i == at else 0) for i, e in enumerate(exponents)]
        terms.append(mul(num(int(coefficient)), *(power(n, num(e)) for n, e in zip(names, powers, strict=False) if e)))
    return terms[0] if len(terms) == 1 else add(*terms)
