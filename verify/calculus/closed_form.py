"""What is the solution of an ODE problem in closed form?  One state after the other, each linear or Bernoulli's.

A state whose rate contains itself and states that are solved already is written down where its rate is

    a u + c(t)        with a free of t and c a sum of terms t^m exp(b t) times 1, sin or cos; or c = 0 and a(t) such
    a u + b u^n       with a and b free of t

Nothing here is trusted: whoever uses a solution checks that it solves the problem.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import factorial

from verify.calculus.reverse import gradient
from verify.calculus.tidy import coefficients, tidy
from verify.graph import (
    MINUS_ONE,
    ONE,
    ZERO,
    E,
    Node,
    add,
    call,
    div,
    free_symbols,
    mul,
    num,
    power,
    substitute,
    symbol,
)
from verify.systems import TIME, OdeProblem

T = symbol(TIME)


@dataclass(frozen=True)
class Wave:
    """factor * t^degree * exp(rate t) * wave(frequency t + phase), wave one of "", "sin" and "cos"."""

    factor: Node
    degree: int = 0
    rate: Node = ZERO
    wave: str = ""
    frequency: Node = ZERO
    phase: Node = ZERO


def closed_form(problem: OdeProblem) -> tuple[Node, ...] | None:
    """The states in t and the names of the problem, and last the running cost's integral from t0 to t, if known."""
    names = (*problem.state, "the running cost's integral")
    rates = dict(zip(names, (*problem.rhs, problem.running), strict=True))
    starts = dict(zip(names, (*problem.initial, ZERO), strict=True))
    solved: dict[str, Node] = {}
    for _ in names:
        for name in names:
            rate = substitute(rates[name], {symbol(known): x for known, x in solved.items()})
            if name in solved or free_symbols(rate) & (set(names) - {name}):
                continue
            found = _solved(rate, name, starts[name], problem.t0)
            if found is None:
                return None
            solved[name] = found
    return tuple(solved[name] for name in names) if len(solved) == len(names) else None


def _solved(rate: Node, name: str, first: Node, t0: Node) -> Node | None:
    """The solution of u' = rate in t and u, u(t0) = first."""
    u = symbol(name)
    slope = gradient(rate, (name,))[0]
    if name in free_symbols(slope):
        return _bernoulli(rate, u, first, t0)
    rest = tidy(substitute(rate, {u: ZERO}))
    if TIME in free_symbols(slope):
        if rest is not ZERO or (exponent := integral(slope, ZERO)) is None:
            return None
        return tidy(mul(first, _exp(add(exponent, mul(MINUS_ONE, substitute(exponent, {T: t0}))))))
    particular = integral(rest, slope)
    if particular is None:
        return None
    begin = add(first, mul(MINUS_ONE, substitute(particular, {T: t0})))
    return tidy(add(particular, mul(begin, _exp(mul(slope, _since(t0))))))


def _bernoulli(rate: Node, u: Node, first: Node, t0: Node) -> Node | None:
    """The solution of u' = a u + b u^n, by v = u^(1-n)."""
    terms = coefficients(rate)
    if terms is None:
        return None
    linear, other, n = [], [], ONE
    for number, rest in terms.values():
        factors = rest.args if rest.op == "mul" else (rest,)
        powers = [factor for factor in factors if u.value in free_symbols(factor)]
        left = mul(num(number), *(factor for factor in factors if factor not in powers))
        if len(powers) != 1 or TIME in free_symbols(left):
            return None
        base, exponent = powers[0].args if powers[0].op == "pow" else (powers[0], ONE)
        if base is not u or exponent.op != "num":
            return None
        if exponent is ONE:
            linear.append(left)
        elif n in (ONE, exponent):
            n = exponent
            other.append(left)
        else:
            return None
    if not other:
        return None
    a, b = (tidy(add(*part)) if part else ZERO for part in (linear, other))
    m = num(1 - n.value)
    start = power(first, m)
    if a is ZERO:
        v = add(start, mul(m, b, _since(t0)))
    else:
        level = div(b, a)
        v = add(mul(add(start, level), _exp(mul(m, a, _since(t0)))), mul(MINUS_ONE, level))
    return power(tidy(v), num(1 / m.value))


def integral(node: Node, slope: Node) -> Node | None:
    """A solution of y' = slope y + node, slope free of t; with slope 0 a primitive."""
    waves = _waves(node)
    if waves is None:
        return None
    found = [ZERO]
    for each in waves:
        gap = tidy(add(each.rate, mul(MINUS_ONE, slope)))
        growth = mul(each.factor, _exp(mul(each.rate, T)))
        if each.wave:
            if each.degree:
                return None
            inside = add(mul(each.frequency, T), each.phase)
            sine, cosine = call("sin", inside), call("cos", inside)
            w = each.frequency if each.wave == "cos" else mul(MINUS_ONE, each.frequency)
            here, other = (cosine, sine) if each.wave == "cos" else (sine, cosine)
            below = add(power(gap, num(2)), power(each.frequency, num(2)))
            found.append(mul(growth, div(add(mul(gap, here), mul(w, other)), below)))
        elif gap is ZERO:
            found.append(mul(growth, power(T, num(each.degree + 1)), num(Fraction(1, each.degree + 1))))
        else:
            m = each.degree
            for j in range(m + 1):
                number = num((-1) ** j * factorial(m) // factorial(m - j))
                t_power = power(T, num(m - j)) if m > j else ONE
                found.append(mul(number, growth, t_power, power(gap, num(-j - 1))))
    return tidy(add(*found))


def _waves(node: Node) -> list[Wave] | None:
    """A sum of terms t^m exp(b t) times 1, sin or cos of a linear argument; None where it is something else."""
    terms = coefficients(node)
    if terms is None:
        return None
    found = []
    for number, rest in terms.values():
        wave = Wave(num(number))
        for factor in rest.args if rest.op == "mul" else (rest,):
            new = _with(wave, factor)
            if new is None:
                return None
            wave = new
        found.append(wave)
    return found


def _with(wave: Wave, factor: Node) -> Wave | None:
    """A wave times one more factor."""
    if TIME not in free_symbols(factor):
        return Wave(mul(wave.factor, factor), wave.degree, wave.rate, wave.wave, wave.frequency, wave.phase)
    base, exponent = factor.args if factor.op == "pow" and factor.args[0] is not E else (factor, ONE)
    if exponent.op != "num" or exponent.value.denominator != 1:
        return None
    if base is T and exponent.value > 0:
        degree = wave.degree + int(exponent.value)
        return Wave(wave.factor, degree, wave.rate, wave.wave, wave.frequency, wave.phase)
    is_exp = (base.op == "call" and base.value == "exp") or (base.op == "pow" and base.args[0] is E)
    if not is_exp and not (base.op == "call" and base.value in ("sin", "cos") and exponent is ONE and not wave.wave):
        return None
    argument = base.args[-1]
    slope = gradient(argument, (TIME,))[0]
    if TIME in free_symbols(slope):
        return None
    rest = tidy(substitute(argument, {T: ZERO}))
    if not is_exp:
        return Wave(wave.factor, wave.degree, wave.rate, base.value, slope, rest)
    outside = mul(wave.factor, _exp(tidy(mul(exponent, rest))))
    return Wave(outside, wave.degree, tidy(add(wave.rate, mul(exponent, slope))), wave.wave, wave.frequency, wave.phase)


def _exp(node: Node) -> Node:
    node = tidy(node)
    return ONE if node is ZERO else call("exp", node)


def _since(t0: Node) -> Node:
    return T if t0 is ZERO else add(T, mul(MINUS_ONE, t0))


# --- what a closed form is good for ---------------------------------------------------------------

#: Functions that are analytic on the whole line.
_ENTIRE = frozenset({"exp", "sin", "cos", "sinh", "cosh"})


def is_continued(nodes: Sequence[Node]) -> bool:
    """Whether expressions are analytic in t apart from poles, so that they cannot jump to another branch on the way.

    Then one that solves an ODE near t0 is the solution as long as there is one: at a pole that ends.
    """
    return all(_is_meromorphic(node) for node in nodes)


def _is_meromorphic(node: Node) -> bool:
    if TIME not in free_symbols(node) or _is_entire(node):
        return True
    if node.op in ("add", "mul"):
        return all(map(_is_meromorphic, node.args))
    return node.op == "pow" and _is_whole(node.args[1]) and _is_meromorphic(node.args[0])


def _is_entire(node: Node) -> bool:
    if node is T or TIME not in free_symbols(node):
        return True
    if node.op in ("add", "mul") or (node.op == "call" and node.value in _ENTIRE):
        return all(map(_is_entire, node.args))
    if node.op == "pow" and node.args[0] is E:
        return _is_entire(node.args[1])
    return node.op == "pow" and _is_whole(node.args[1]) and node.args[1].value > 0 and _is_entire(node.args[0])


def is_smooth_in(node: Node, names: Sequence[str]) -> bool:
    """Whether an expression is built of these names by operations that are analytic wherever they are defined.

    The right-hand side of an ODE then has one solution at most through every point.
    """
    own = set(names)
    if not free_symbols(node) & own or node.op == "symbol":
        return True
    if node.op in ("add", "mul") or (node.op == "call" and node.value in _ENTIRE | {"tanh"}):
        return all(is_smooth_in(arg, names) for arg in node.args)
    if node.op == "pow" and not free_symbols(node.args[0]) & own and node.args[0] is E:
        return is_smooth_in(node.args[1], names)
    return node.op == "pow" and _is_whole(node.args[1]) and is_smooth_in(node.args[0], names)


def _is_whole(node: Node) -> bool:
    return node.op == "num" and node.value.denominator == 1
