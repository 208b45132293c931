"""When does an event happen, in closed form?  The first zero of a function of t after a time.

    A + B exp(k t), A + B t      have one zero at most
    c2 t^2 + c1 t + c0           has the larger root only after t0, where c2 and its value at t0 have different signs;
                                 the smaller one comes first where they have the same; where it starts at 0, the other

Whoever uses a time checks that the function vanishes there.
"""

from __future__ import annotations

from collections.abc import Callable

from verify.calculus.quotients import TooLarge, by_powers, read_all
from verify.calculus.tidy import tidy
from verify.calculus.waves import T, settled, waves
from verify.graph import MINUS_ONE, ZERO, Node, add, call, div, free_symbols, mul, neg, num, power, sqrt
from verify.systems import TIME


def first_zero(phi: Node, begin: Node, sign: Callable[[Node], int], vanishes: Callable[[Node], bool]) -> Node | None:
    """The first zero after `begin` if there is one at all; None where it is not known in closed form.

    sign, vanishes   the sign of a quantity free of t, 0 where it is not known; whether one is proved to be 0.
    """
    known = read_all((phi,), (T,))
    if known is not None:
        field, (read,) = known
        powers = by_powers(field, read, T)
        if powers is not None and not any(TIME in free_symbols(k) for k in field.kernels if k is not T):
            try:
                c = [tidy(field.write(each)) for each in powers]
            except TooLarge:
                return None
            if len(c) == 2:
                return settled(neg(div(c[0], c[1])))
            return _of_square(c[0], c[1], c[2], begin, sign, vanishes) if len(c) == 3 else None
    return _of_exponential(phi)


def _of_square(
    c0: Node, c1: Node, c2: Node, begin: Node, sign: Callable[[Node], int], vanishes: Callable[[Node], bool]
) -> Node | None:
    first = settled(add(c0, mul(c1, begin), mul(c2, begin, begin)))
    if first is ZERO or vanishes(first):
        return settled(add(neg(div(c1, c2)), neg(begin)))
    upwards, side = sign(c2), sign(first)
    if not upwards or not side:
        return None
    root = sqrt(tidy(add(power(c1, num(2)), mul(num(-4), c0, c2))))
    # The larger root is (-c1 + root)/(2 c2) where c2 is positive, the other one where it is negative.
    which = upwards if upwards != side else -upwards
    return settled(div(add(neg(c1), mul(num(which), root)), mul(num(2), c2)))


def _of_exponential(phi: Node) -> Node | None:
    found = waves(phi)
    if found is None or any(wave.wave or wave.degree for wave in found):
        return None
    rates = dict.fromkeys(wave.rate for wave in found if wave.rate is not ZERO)
    if len(rates) != 1:
        return None
    (k,) = rates
    A, B = (
        settled(add(ZERO, ZERO, *(wave.factor for wave in found if (wave.rate is ZERO) is constant)))
        for constant in (True, False)
    )
    if A is ZERO or B is ZERO:
        return None
    return settled(div(call("log", tidy(mul(MINUS_ONE, A, power(B, MINUS_ONE)))), k))
