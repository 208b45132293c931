"""Random formulas and what people turn them into: rewritings that hold always, sometimes, or never.

Nothing here says which result is right; `branches.truth_of` finds that out with balls.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from fractions import Fraction

from verify.claim import Claim, Domain, Variable
from verify.graph import (
    HALF,
    MINUS_ONE,
    ONE,
    PI,
    TRUE,
    I,
    Node,
    add,
    call,
    compare,
    derivative,
    div,
    mul,
    neg,
    num,
    piecewise,
    postorder,
    power,
    rebuild,
    sqrt,
    symbol,
)

X, Y = symbol("x"), symbol("y")
ENDS = {"real": (None, None), "positive": (0, None), "negative": (None, 0), "unit": (0, 1), "small": (-1, 1),
        "far": (2, 3), "wide": (-4, 5), "left": (-2, 0)}  # fmt: skip
UNARY = ("sin", "cos", "tan", "exp", "log", "sqrt", "asin", "acos", "atan", "sinh", "cosh", "tanh", "asinh", "acosh",
         "atanh", "abs", "acot", "asec", "sec", "cot", "sign", "floor", "erf", "gamma")  # fmt: skip
COMPLEX = tuple(f for f in UNARY if f not in ("abs", "sign", "floor"))


def function(name: str, arg: Node) -> Node:
    return sqrt(arg) if name == "sqrt" else call(name, arg)


def formula(rng: random.Random, depth: int, complex_field: bool) -> Node:
    """A random formula in x and y."""
    if depth == 0 or rng.random() < 0.15:
        leaves = [X, X, X, Y, num(rng.randint(1, 3)), HALF]
        return rng.choice([*leaves, I] if complex_field else [*leaves, PI])
    kind = rng.random()
    if kind < 0.5:
        name = rng.choice(COMPLEX if complex_field else UNARY[: -2 if rng.random() < 0.8 else None])
        return function(name, formula(rng, depth - 1, complex_field))
    one = formula(rng, depth - 1, complex_field)
    if kind < 0.55 and not complex_field:
        return power(one, rng.choice((Y, Y, mul(num(2), Y), mul(HALF, Y), add(Y, ONE), neg(Y))))
    if kind < 0.62:
        return power(one, num(rng.choice((2, 2, 3, -1, -2, Fraction(1, 3), Fraction(2, 3), Fraction(3, 2)))))
    other = formula(rng, rng.randint(0, depth - 1), complex_field)
    if kind < 0.72 and not complex_field:
        condition = compare(
            rng.choice((X, Y, one)), rng.choice(("<", ">", "<=", ">=")), rng.choice((num(0), ONE, other))
        )
        pieces = piecewise((one, condition), (other, TRUE))
        return rng.choice((pieces, pieces, call("max", one, other), call("min", one, other)))
    return rng.choice((add, mul, div, lambda a, b: add(a, neg(b))))(one, other)


def _is(node: Node, name: str) -> bool:
    return (node.op == "call" and node.value == name) or (name == "sqrt" and node.op == "pow" and node.args[1] is HALF)


def _inverse_pairs(node: Node, rng: random.Random) -> Node | None:
    pairs = {"asin": "sin", "acos": "cos", "atan": "tan", "asinh": "sinh", "acosh": "cosh", "atanh": "tanh",
             "log": "exp", "acot": "cot", "asec": "sec"}  # fmt: skip
    if node.op == "call" and node.args and node.args[0].op == "call":
        inner = node.args[0]
        if pairs.get(node.value) == inner.value or pairs.get(inner.value) == node.value:
            shift = rng.choice((num(0), PI, neg(PI), mul(num(2), PI)))
            return add(mul(rng.choice((ONE, ONE, MINUS_ONE)), inner.args[0]), shift)
    return None


def _pythagoras(node: Node, rng: random.Random) -> Node | None:
    other = {"sin": "cos", "cos": "sin"}
    if node.op == "call" and node.value in other:
        root = sqrt(add(ONE, neg(power(call(other[node.value], node.args[0]), num(2)))))
        return rng.choice((root, root, neg(root)))
    return None


def _conversions(node: Node, rng: random.Random) -> Node | None:
    if node.op != "call" or len(node.args) != 1:
        return None
    u = node.args[0]
    square, positive = power(u, num(2)), compare(u, ">", num(0))
    table = {
        "asin": [call("atan", div(u, sqrt(add(ONE, neg(square))))), add(div(PI, num(2)), neg(call("acos", u)))],
        "acos": [call("asin", sqrt(add(ONE, neg(square)))), call("atan", div(sqrt(add(ONE, neg(square))), u))],
        "atan": [call("asin", div(u, sqrt(add(ONE, square)))), add(div(PI, num(2)), neg(call("atan", div(ONE, u)))),
                 mul(num(2), call("atan", div(u, add(ONE, sqrt(add(ONE, square))))))],
        "acosh": [call("log", add(u, sqrt(add(square, MINUS_ONE)))), call("asinh", sqrt(add(square, MINUS_ONE)))],
        "asinh": [call("log", add(u, sqrt(add(square, ONE)))), call("acosh", sqrt(add(square, ONE)))],
        "atanh": [mul(HALF, call("log", div(add(ONE, u), add(ONE, neg(u))))),
                  mul(HALF, call("log", div(add(u, ONE), add(u, MINUS_ONE))))],
        "abs": [u, neg(u), sqrt(square), piecewise((u, positive), (neg(u), TRUE)), mul(u, call("sign", u))],
        "sign": [div(u, call("abs", u)), ONE, MINUS_ONE, piecewise((ONE, positive), (MINUS_ONE, TRUE))],
        "tan": [div(sqrt(add(ONE, neg(power(call("cos", u), num(2))))), call("cos", u))],
        "sinh": [sqrt(add(power(call("cosh", u), num(2)), MINUS_ONE))],
        "cosh": [sqrt(add(power(call("sinh", u), num(2)), ONE))],
        "acot": [call("atan", div(ONE, u)), add(div(PI, num(2)), neg(call("atan", u)))],
        "floor": [u, neg(call("ceil", neg(u))), add(call("floor", add(u, ONE)), MINUS_ONE)],
        "gamma": [div(call("gamma", add(u, ONE)), u), mul(u, call("gamma", add(u, MINUS_ONE)))],
    }  # fmt: skip
    return rng.choice(table[node.value]) if node.value in table else None


def _powers(node: Node, rng: random.Random) -> Node | None:
    if node.op != "pow":
        return None
    base, e = node.args
    if e.op != "num":
        if base.op == "pow":
            return power(base.args[0], mul(base.args[1], e))
        return rng.choice((
            power(call("abs", base), e), power(power(base, num(2)), mul(HALF, e)), power(neg(base), e),
            call("exp", mul(e, call("log", base))), mul(power(neg(base), e), power(MINUS_ONE, e)),
            div(ONE, power(base, neg(e))), power(power(base, mul(HALF, e)), num(2)),
            mul(power(base, add(e, MINUS_ONE)), base), sqrt(power(base, mul(num(2), e))),
        ))  # fmt: skip
    if base.op == "pow" and base.args[1].op == "num":
        return power(base.args[0], num(base.args[1].value * e.value))
    if base.op == "mul":
        return mul(*(power(f, e) for f in base.args))
    if e.value.denominator == 1 and abs(e.value) > 1:
        return power(power(base, num(e.value * 2)), HALF)
    if e is HALF:
        return rng.choice(
            (power(power(base, num(3)), num(Fraction(1, 6))), mul(I, sqrt(neg(base))), sqrt(call("abs", base)))
        )
    return None


def _logs(node: Node, rng: random.Random) -> Node | None:
    if not _is(node, "log"):
        return None
    u = node.args[0]
    if u.op == "mul":
        return add(*(call("log", f) for f in u.args))
    if u.op == "pow":
        return mul(u.args[1], call("log", u.args[0]))
    return rng.choice(
        (neg(call("log", div(ONE, u))), mul(HALF, call("log", power(u, num(2)))), call("log", call("abs", u)))
    )


def _pieces(node: Node, rng: random.Random) -> Node | None:
    if node.op == "piecewise":
        one, condition, other, _ = node.args
        flipped = {"<": ">=", ">": "<=", "<=": ">", ">=": "<"}[condition.value]
        turned = piecewise((other, compare(condition.args[0], flipped, condition.args[1])), (one, TRUE))
        return rng.choice((one, other, turned, piecewise((other, condition), (one, TRUE))))
    if node.op == "call" and node.value in ("max", "min"):
        one, other = node.args
        distance = call("abs", add(one, neg(other)))
        half = mul(HALF, add(one, other, distance if node.value == "max" else neg(distance)))
        return rng.choice((one, other, half, neg(call("min" if node.value == "max" else "max", neg(one), neg(other)))))
    return None


def _odd(node: Node, rng: random.Random) -> Node | None:
    if node.op != "call" or len(node.args) != 1:
        return None
    u = neg(node.args[0])
    return rng.choice((neg(call(node.value, u)), call(node.value, u), add(PI, neg(call(node.value, u)))))


RULES: tuple[Callable[[Node, random.Random], Node | None], ...] = (
    _inverse_pairs, _pythagoras, _conversions, _powers, _logs, _pieces, _odd,
)  # fmt: skip


def rewritten(root: Node, rng: random.Random) -> Node | None:
    """One random rule at one random place."""
    places = [node for node in postorder(root) if node.args]
    rng.shuffle(places)
    for place in places:
        attempts = (rule(place, rng) for rule in rng.sample(RULES, len(RULES)))
        new = next((n for n in attempts if n is not None and n is not place), None)
        if new is None:
            continue
        done: dict[Node, Node] = {}
        for node in postorder(root):
            done[node] = new if node is place else rebuild(node, (done[a] for a in node.args))
        return done[root]
    return None


def statement(seed: int) -> Claim | None:
    """A claim that a random formula is its rewriting, or that their derivatives agree."""
    rng = random.Random(seed)
    complex_field = rng.random() < 0.3
    left = formula(rng, rng.randint(2, 3), complex_field)
    if rng.random() < 0.4:
        inner = formula(rng, 1, complex_field)
        left = rng.choice((
            sqrt(power(inner, num(2))), call("log", mul(inner, Y)), call("asin", call("sin", inner)),
            sqrt(mul(inner, X)), call("atan", call("tan", inner)), power(mul(inner, Y), num(Fraction(1, 3))),
            call("acosh", call("cosh", inner)), call("log", call("exp", inner)), call("acos", call("cos", inner)),
            power(power(inner, num(3)), num(Fraction(1, 3))),
        ))  # fmt: skip
    right = rewritten(left, rng)
    if right is None or right is left:
        return None
    if rng.random() < 0.3:
        right = rewritten(right, rng) or right
    if rng.random() < 0.3:
        left, right = derivative(left, "x"), derivative(right, "x")
    variables = {}
    if not complex_field and rng.random() < 0.3:
        low = rng.choice((None, num(0), num(1)))
        variables["y"] = Variable("y", "integer", low)
    for name in ("x", "y"):
        if name in variables:
            continue
        if complex_field and rng.random() < 0.7:
            variables[name] = Variable(name, "complex")
        else:
            low, high = ENDS[rng.choice(list(ENDS))]
            variables[name] = Variable(
                name, "real", None if low is None else num(low), None if high is None else num(high)
            )
    conditions = ()
    if not complex_field and rng.random() < 0.2:
        conditions = (compare(rng.choice((X, mul(X, Y), power(X, num(2)))), rng.choice("<>"), rng.choice((Y, ONE))),)
    return Claim(left, right, Domain(variables, conditions), text=f"random {seed}")
