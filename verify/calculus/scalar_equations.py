"""What is the solution of one equation u' = f(t, u), u(t0) = u0, in closed form?  Linear, or made so by substitution.

    linear       u' = a(t) u + b(t)                   by an integrating factor
    Bernoulli    u' = a(t) u + b(t) u^n               by v = u^(1-n)
    Riccati      u' = h(t) (u^2 + p u + q)            by its discriminant
    Gompertz     f/u a polynomial in v = log(c u)     by v
    others       f a quotient in v = exp(c u), sinh(c u), tan(c u/2), tan(c u) or sin(c u), if v' is one of those above

Nothing here is trusted: whoever uses a solution checks that it solves the equation.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction

from verify.calculus.linear_systems import Undetermined
from verify.calculus.primitives import gained, grown, primitive, quotient
from verify.calculus.quotients import TooLarge, by_powers, mul_of, read_all, root_of
from verify.calculus.reverse import gradient
from verify.calculus.tidy import coefficients, tidy
from verify.calculus.waves import T, exponential, response, settled, waves
from verify.graph import (
    HALF,
    MINUS_ONE,
    ONE,
    ZERO,
    Node,
    add,
    call,
    div,
    free_symbols,
    mul,
    neg,
    num,
    postorder,
    power,
    substitute,
    symbol,
    transform,
)
from verify.systems import TIME

Sign = Callable[[Node], int]
#: What stands for a new unknown, under names that no text has.
_V, _SINE, _COSINE = symbol("v "), symbol("sine "), symbol("cosine ")


@dataclass(frozen=True)
class Start:
    """Where a solution starts, and what is known of the signs of quantities."""

    time: Node
    value: Node
    sign: Sign

    def here(self, node: Node) -> Node:
        """An expression in t at the start."""
        return settled(substitute(node, {T: self.time}))

    def since(self, found: Node) -> Node:
        """A primitive less its value at the start."""
        return gained(found, self.time)


def scalar_solution(rate: Node, u: Node, first: Node, t0: Node, sign: Sign) -> Node | None:
    """The solution of u' = rate in t and u, u(t0) = first; None if it is of no known form.  Raises Undetermined."""
    start = Start(t0, first, sign)
    found = _polynomial(rate, u, start)
    if found is not None:
        return found
    for substitution in (_by_power, _by_logarithm, _by_exponential, _by_angle):
        found = substitution(rate, u, start)
        if found is not None:
            return found
    return None


def _polynomial(rate: Node, u: Node, start: Start) -> Node | None:
    """Where the rate is a polynomial in u of degree 2 at most."""
    known = read_all((rate,), (u,))
    if known is None:
        return None
    field, (read,) = known
    powers = by_powers(field, read, u)
    if powers is None or len(powers) > 3 or any(u.value in free_symbols(k) for k in field.kernels if k is not u):
        return None
    try:
        nodes = [tidy(field.write(each)) for each in powers]
    except TooLarge:
        return None
    c0, c1, c2 = (*nodes, ZERO, ZERO)[:3]
    if c2 is ZERO:
        return linear(c1, c0, start)
    if c0 is ZERO and start.value is not ZERO:
        turned = linear(tidy(neg(c1)), tidy(neg(c2)), Start(start.time, power(start.value, MINUS_ONE), start.sign))
        return None if turned is None else tidy(power(turned, MINUS_ONE))
    return _riccati(c0, c1, c2, start)


def linear(a: Node, b: Node, start: Start) -> Node | None:
    """The solution of u' = a(t) u + b(t)."""
    if TIME not in free_symbols(a):
        found = waves(b)
        if found is not None:
            particular = response(found, a)
            begin = add(start.value, neg(start.here(particular)))
            return tidy(add(particular, mul(begin, exponential(mul(a, _since(start.time))))))
    exponent = primitive(a)
    if exponent is None:
        return None
    growth, ratio = grown(exponent), grown(start.since(exponent))
    if b is ZERO:
        return tidy(mul(start.value, ratio))
    level = quotient(tidy(neg(b)), a)
    if level is not None and TIME not in free_symbols(level):
        return tidy(add(level, mul(add(start.value, neg(level)), ratio)))
    whole = primitive(tidy(mul(b, power(growth, MINUS_ONE))))
    return None if whole is None else tidy(add(mul(ratio, start.value), mul(growth, start.since(whole))))


def _riccati(c0: Node, c1: Node, c2: Node, start: Start) -> Node | None:
    """The solution of u' = h(t) (c2 u^2 + c1 u + c0), in w = c2 u + c1/2, w' = h (w^2 - k), k = c1^2/4 - c0 c2."""
    H = T if start.time is ZERO else add(T, neg(start.time))
    if TIME in free_symbols(c0, c1, c2):
        p, q, grown_by = quotient(c1, c2), quotient(c0, c2), primitive(c2)
        if p is None or q is None or grown_by is None or TIME in free_symbols(p, q):
            return None
        c0, c1, c2, H = q, p, ONE, start.since(grown_by)
    known = read_all((add(mul(num(Fraction(1, 4)), c1, c1), neg(mul(c0, c2))),))
    if known is None:
        return None
    field, (k,) = known
    w0 = tidy(add(mul(c2, start.value), mul(HALF, c1)))
    if not k:
        w = div(w0, add(ONE, neg(mul(w0, H))))
    else:
        outside, inside = field.root(k)
        known_sign = start.sign(inside)
        if known_sign == 0:
            raise Undetermined(inside)
        r = root_of(outside, inside if known_sign > 0 else tidy(neg(inside)))
        w = _squares(w0, r, tidy(mul(r, H)), known_sign > 0, inside is ONE)
    return tidy(div(add(w, neg(mul(HALF, c1))), c2))


def _squares(w0: Node, r: Node, angle: Node, is_positive: bool, is_rational: bool) -> Node:
    """w with w' = h (w^2 - r^2), or w^2 + r^2, and angle = r int h; any root r will do."""
    if not is_positive:
        sine, cosine = call("sin", angle), call("cos", angle)
        if w0 is ZERO:
            return mul(r, call("tan", angle))
        return mul(r, div(add(mul(w0, cosine), mul(r, sine)), add(mul(r, cosine), neg(mul(w0, sine)))))
    if is_rational and w0 is not ZERO:
        up = exponential(mul(num(2), angle))
        one, other = add(w0, r), mul(add(w0, neg(r)), up)
        return mul(r, div(add(one, other), add(one, neg(other))))
    tanh = call("tanh", angle)
    if w0 is ZERO:
        return neg(mul(r, tanh))
    return mul(r, div(add(w0, neg(mul(r, tanh))), add(r, neg(mul(w0, tanh)))))


# --- substitutions ---


def _by_power(rate: Node, u: Node, start: Start) -> Node | None:
    """Bernoulli's equation in a base c + d u, of which two powers occur, one of them the first; or one alone."""
    powers = (node.args for node in postorder(rate) if node.op == "pow")
    bases = [base for base, n in powers if u.value in free_symbols(base) and u.value not in free_symbols(n)]
    for base in dict.fromkeys((u, *bases)):
        slope = tidy(gradient(base, (u.value,))[0])
        rest = tidy(substitute(base, {u: ZERO}))
        if {TIME, u.value} & free_symbols(slope) or TIME in free_symbols(rest) or slope is ZERO:
            continue
        # With w = c + d u for the unknown, w' = d f.
        inner = u if base is u else tidy(div(add(_V, neg(rest)), slope))
        changed = substitute(substitute(rate, {base: _V}), {u: inner}) if base is not u else substitute(rate, {u: _V})
        parts = _powers_of(tidy(mul(slope, changed)))
        if parts is None or len(parts) > 2:
            continue
        others = [n for n in parts if n is not ONE]
        if len(others) != 1 or (len(parts) == 2 and ONE not in parts):
            continue
        n = others[0]
        m = tidy(add(ONE, neg(n)))
        if m is ZERO or not free_symbols(m) <= free_symbols(rate) - {TIME, u.value}:
            continue
        first = substitute(base, {u: start.value})
        begin = Start(start.time, tidy(power(first, m)), start.sign)
        v = linear(tidy(mul(m, parts.get(ONE, ZERO))), tidy(mul(m, parts[n])), begin)
        if v is not None:
            w = power(v, tidy(power(m, MINUS_ONE)))
            return w if base is u else tidy(div(add(w, neg(rest)), slope))
    return None


def _powers_of(node: Node) -> dict[Node, Node] | None:
    """A sum of coefficients times powers of the new unknown, by their exponents; None where it is none."""
    terms = coefficients(transform(node, _apart))
    if terms is None:
        return None
    found: dict[Node, list[Node]] = {}
    for number, rest in terms.values():
        exponent, left = [ZERO], [num(number)]
        for factor in rest.args if rest.op == "mul" else (rest,):
            if _V.value not in free_symbols(factor):
                left.append(factor)
            elif factor is _V:
                exponent.append(ONE)
            elif factor.op == "pow" and factor.args[0] is _V and _V.value not in free_symbols(factor.args[1]):
                exponent.append(factor.args[1])
            else:
                return None
        found.setdefault(tidy(add(ZERO, *exponent)), []).append(mul_of(left))
    return {e: tidy(add(ZERO, *parts)) for e, parts in found.items()}


def _apart(node: Node) -> Node | None:
    """Powers of products with the new unknown, as products of powers."""
    if node.op == "pow" and node.args[0].op == "mul" and _V.value in free_symbols(node.args[0]):
        return mul(*(power(factor, node.args[1]) for factor in node.args[0].args))
    if node.op == "pow" and node.args[0].op == "pow" and node.args[0].args[0] is _V:
        return power(_V, tidy(mul(node.args[0].args[1], node.args[1])))
    return None


def _by_logarithm(rate: Node, u: Node, start: Start) -> Node | None:
    """By v = log(c u) or log(c/u), the only logarithm that occurs."""
    logs = _calls(rate, u, "log")
    if len(logs) != 1:
        return None
    (log,) = logs
    for sign in (1, -1):
        factor = quotient(log.args[0], power(u, num(sign)))
        if factor is None or {TIME, u.value} & free_symbols(factor):
            continue
        speed = quotient(tidy(mul(num(sign), substitute(rate, {log: _V}))), u)
        if speed is None or u.value in free_symbols(speed):
            return None
        begin = Start(start.time, call("log", substitute(log.args[0], {u: start.value})), start.sign)
        v = _polynomial(speed, _V, begin)
        return None if v is None else tidy(power(div(call("exp", v), factor), num(sign)))
    return None


def _by_exponential(rate: Node, u: Node, start: Start) -> Node | None:
    """By v = exp(c u)."""
    plain = transform(rate, _hyperbolic(u))
    powers = _calls(plain, u, "exp")
    slopes = [tidy(gradient(node.args[0], (u.value,))[0]) for node in powers]
    if not slopes or {TIME, u.value} & free_symbols(*slopes):
        return None
    c = slopes[0]
    at = {}
    for node, slope in zip(powers, slopes, strict=True):
        ratio = quotient(slope, c)
        if ratio is None or ratio.op != "num" or ratio.value.denominator != 1:
            return None
        rest = exponential(substitute(node.args[0], {u: ZERO}))
        at[node] = mul_of([rest, power(_V, ratio) if ratio is not ONE else _V])
    speed = tidy(mul(c, _V, substitute(plain, at)))
    if u.value in free_symbols(speed):
        return None
    v = _polynomial(speed, _V, Start(start.time, exponential(mul(c, start.value)), start.sign))
    if v is None:
        return _by_hyperbolic_sine(rate, u, start)
    inverse = v.op == "pow" and v.args[1] is MINUS_ONE
    logarithm = neg(call("log", v.args[0])) if inverse else call("log", v)
    return tidy(div(logarithm, c))


def _by_hyperbolic_sine(rate: Node, u: Node, start: Start) -> Node | None:
    """By v = sinh(c u), where only hyperbolic functions of c u occur."""
    calls = _calls(rate, u, "sinh", "cosh", "tanh")
    angles = list(dict.fromkeys(tidy(node.args[0]) for node in calls))
    slope = quotient(angles[0], u) if len(angles) == 1 else None
    if slope is None or {TIME, u.value} & free_symbols(slope):
        return None
    values = {"sinh": _SINE, "cosh": _COSINE, "tanh": div(_SINE, _COSINE)}
    known = read_all((mul(substitute(rate, {node: values[node.value] for node in calls}), _COSINE),), (_SINE, _COSINE))
    powers = None if known is None else by_powers(known[0], known[1][0], _COSINE)
    if known is None or powers is None or any(powers[1::2]):
        return None
    square = add(ONE, power(_V, num(2)))
    whole = [mul_of([known[0].write(c), *[square] * i]) for i, c in enumerate(powers[::2])]
    speed = quotient(mul(slope, substitute(add(ZERO, *whole), {_SINE: _V})), ONE)
    if speed is None or u.value in free_symbols(speed):
        return None
    v = _polynomial(speed, _V, Start(start.time, call("sinh", tidy(mul(slope, start.value))), start.sign))
    return None if v is None else tidy(div(call("asinh", v), slope))


def _hyperbolic(u: Node) -> Callable[[Node], Node | None]:
    """sinh, cosh and tanh of the unknown by exponentials."""

    def change(node: Node) -> Node | None:
        if node.op != "call" or node.value not in ("sinh", "cosh", "tanh") or u.value not in free_symbols(node):
            return None
        up, down = call("exp", node.args[0]), call("exp", tidy(neg(node.args[0])))
        sinh, cosh = mul(HALF, add(up, neg(down))), mul(HALF, add(up, down))
        return {"sinh": sinh, "cosh": cosh, "tanh": div(sinh, cosh)}[node.value]

    return change


def _by_angle(rate: Node, u: Node, start: Start) -> Node | None:
    """By v = tan(x), tan(x/2) or sin(x), where only functions of the angle x = c u + d occur."""
    waves_of = _calls(rate, u, "sin", "cos", "tan")
    angles = list(dict.fromkeys(tidy(node.args[0]) for node in waves_of))
    if len(angles) != 1:
        return None
    angle = angles[0]
    slope = tidy(gradient(angle, (u.value,))[0])
    rest = tidy(substitute(angle, {u: ZERO}))
    if {TIME, u.value} & free_symbols(slope) or TIME in free_symbols(rest):
        return None
    at = {call("sin", angle): _SINE, call("cos", angle): _COSINE, call("tan", angle): div(_SINE, _COSINE)}
    at |= {node: at[call(node.value, angle)] for node in waves_of}
    plain = substitute(rate, at)
    if u.value in free_symbols(plain):
        return None
    begin = substitute(angle, {u: start.value})
    for speed, first, back in _turned(plain, begin):
        if speed is None or {_SINE.value, _COSINE.value} & free_symbols(speed):
            continue
        v = _polynomial(tidy(mul(slope, speed)), _V, Start(start.time, tidy(first), start.sign))
        if v is not None:
            return tidy(div(add(back(v), neg(rest)), slope))
    return None


def _turned(plain: Node, begin: Node) -> Iterator[tuple[Node | None, Node, Callable[[Node], Node]]]:
    """(v'/c, v at the start, the angle in terms of v) for each v."""
    one_more = add(ONE, power(_V, num(2)))
    even = _even(plain)
    if even is not None:
        yield tidy(mul(one_more, even)), call("tan", begin), lambda v: call("atan", v)
    half = {_SINE: div(mul(num(2), _V), one_more), _COSINE: div(add(ONE, neg(power(_V, num(2)))), one_more)}
    speed = quotient(tidy(mul(HALF, one_more, substitute(plain, half))), ONE)
    yield speed, call("tan", tidy(mul(HALF, begin))), lambda v: mul(num(2), call("atan", v))
    known = read_all((mul(plain, _COSINE),), (_SINE, _COSINE))
    if known is not None:
        field, (read,) = known
        powers = by_powers(field, read, _COSINE)
        if powers is not None and not any(powers[1::2]):
            whole = [
                mul_of([field.write(c), *[add(ONE, neg(power(_V, num(2))))] * i]) for i, c in enumerate(powers[::2])
            ]
            speed = quotient(substitute(add(ZERO, *whole), {_SINE: _V}), ONE)
            yield speed, call("sin", begin), lambda v: call("asin", v)


def _even(plain: Node) -> Node | None:
    """What is even in (sin, cos) together, by their quotient v; None where it is not."""
    known = read_all((substitute(plain, {_SINE: mul(_V, _COSINE)}),), (_V, _COSINE))
    if known is None:
        return None
    field, (read,) = known
    powers = by_powers(field, read, _COSINE)
    if powers is None or any(powers[1::2]):
        return None
    below = add(ONE, power(_V, num(2)))
    whole = [mul_of([field.write(c), power(below, num(-i)) if i else ONE]) for i, c in enumerate(powers[::2])]
    return quotient(add(ZERO, *whole), ONE)


def _calls(node: Node, u: Node, *names: str) -> list[Node]:
    """Where functions of the unknown occur, each once."""
    found = postorder(node)
    return [each for each in found if each.op == "call" and each.value in names and u.value in free_symbols(each)]


def _since(t0: Node) -> Node:
    return T if t0 is ZERO else add(T, neg(t0))
