"""How is each operator of the graph evaluated?  Arithmetic, powers, functions, pieces and conditions.

A step takes the values of its arguments, balls or series, and whether every value must be real.  It raises
`jets.NoValue` where it has none.  Conditions are True, False, or None where the balls are too wide to tell.
"""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from typing import Any, TypeAlias

from flint import acb, arb, fmpq

from verify.decide.enclose import jets, special
from verify.decide.enclose.jets import Jet, Kink, NoValue, Undecided, Undefined, Unsupported, Value
from verify.decide.enclose.series import apply

#: Exponents beyond this are refused: FLINT would run out of memory.
LARGEST_EXPONENT = 1 << 62

#: A step: its payload (what the node carries besides arguments), the values of its arguments, whether all is real.
Handle: TypeAlias = Callable[[Any, list[Any], bool], Any]


def symbol(payload: tuple[int, int], args: list[Any], _: bool) -> Value:
    """A name: its ball, or the series of a differentiated variable (payload: its number and the order)."""
    variable, order = payload
    return jets.variable_jet(variable, args[0], order) if order else args[0]


def truncate(orders: tuple[int, ...], args: list[Any], _: bool) -> Value:
    """A series cut to lower orders."""
    return jets.truncate(args[0], orders)


def number(value: Fraction, _args: list[Any], _: bool) -> acb:
    """An exact number."""
    return acb(value.numerator) if value.denominator == 1 else acb(fmpq(value.numerator, value.denominator))


def constant(name: str, _args: list[Any], _: bool) -> acb:
    """pi, E, EulerGamma or I."""
    match name:
        case "pi":
            return acb.pi()
        case "E":
            return acb(1).exp()
        case "EulerGamma":
            return acb(arb.const_euler())
        case "I":
            return acb(0, 1)
        case _:
            raise Unsupported(f"{name} has no value")


def add(_: object, args: list[Any], _real: bool) -> Value:
    """Sum."""
    total = args[0]
    for term in args[1:]:
        total = total + term
    return total


def mul(_: object, args: list[Any], _real: bool) -> Value:
    """Product."""
    product = args[0]
    for factor in args[1:]:
        product = product * factor
    return product


def derivative(payload: tuple[int, int], args: list[Any], _: bool) -> Value:
    """A derivative, read off the series of its body."""
    return jets.differentiate(args[0], *payload)


def power(literal: Fraction | None, args: list[Any], real: bool) -> Value:
    """base^exponent; `literal` is the exponent where it is a number."""
    base, exponent = args
    if literal is not None:
        n = literal.numerator if literal.denominator == 1 else None
    else:
        n = None if isinstance(exponent, Jet) else special.exact_integer(exponent)
    if n is not None:
        return whole_power(base, n)
    return _real_power(base, exponent, literal) if real else _principal_power(base, exponent)


def whole_power(base: Value, n: int) -> Value:
    """base^n; Undefined at a pole."""
    if abs(n) > LARGEST_EXPONENT:
        raise Undecided("an exponent is too large to evaluate")
    if n < 0 and jets.head(base).is_zero():
        raise Undefined("division by zero", 0.0)
    return jets.whole_power(base, n)


def _real_power(base: Value, exponent: Value, literal: Fraction | None) -> Value:
    b = jets.head(base).real
    if not b > 0:
        if b.is_zero() and not isinstance(base, Jet) and not isinstance(exponent, Jet) and exponent.real > 0:
            return acb(0)
        if b < 0:
            w = jets.head(exponent).real
            if literal is not None or isinstance(exponent, Jet) or not w.contains_integer():
                raise Undefined("a real power of a negative number", float((-b).mid()))
        raise Undecided("a real power of a number that may be negative")
    return _positive_power(base, exponent)


def _principal_power(base: Value, exponent: Value) -> Value:
    b = jets.head(base)
    if b.is_zero():
        if isinstance(base, Jet) or isinstance(exponent, Jet) or not exponent.real > 0:
            raise Undefined("a power of zero", 0.0)
        return acb(0)
    special.keep_off(b, "a power", on_cut=True)
    return _positive_power(base, exponent)


def _positive_power(base: Value, exponent: Value) -> Value:
    if not jets.head(exponent).abs_upper() < LARGEST_EXPONENT:
        raise Undecided("an exponent is too large to evaluate")
    variable = jets.outermost((base, exponent))
    if variable is None:
        return base**exponent
    if jets.outermost((exponent,)) == variable:
        return apply("exp", (exponent * apply("log", (base,), False),), False)
    first = _positive_power(jets.part(base, variable, 0), exponent)
    return jets.constant_power(base, exponent, first)


def call(name: str, args: list[Any], real: bool) -> Value:
    """A function at its arguments."""
    handle = _PIECES.get(name)
    return handle(args, real) if handle else apply(name, tuple(args), real)


def matrix_entry(payload: tuple[str, int, int, int], args: list[Any], _real: bool) -> Value:
    """An entry of the exponential of a matrix."""
    from verify.decide.enclose.matrices import exponential

    _, n, row, column = payload
    if any(isinstance(arg, Jet) for arg in args):
        raise Unsupported("series of matrix exponentials are not evaluated")
    return exponential(args, n)[row, column]


def truth(_: object, _args: list[Any], _real: bool) -> bool:
    """The condition of the last piece."""
    return True


# --- functions with pieces ------------------------------------------------------------------------


def real_head(value: Value, real: bool) -> arb:
    """The real number that the value is; Undefined where it is not provably real."""
    z = jets.head(value)
    if not real and not z.imag.is_zero():
        raise Undefined("abs, sign, floor, max, min and conditions are for real numbers only")
    return z.real


def sign_of(x: arb, smooth: bool) -> int:
    """The sign of a real ball; Kink where it is not certain, or is 0 where a derivative is wanted."""
    if x > 0:
        return 1
    if x < 0:
        return -1
    if x.is_zero() and not smooth:
        return 0
    raise Kink("a kink or a jump")


def _abs(args: list[Any], real: bool) -> Value:
    sign = sign_of(real_head(args[0], real), isinstance(args[0], Jet))
    return args[0] if sign > 0 else -args[0] if sign < 0 else acb(0)


def _sign(args: list[Any], real: bool) -> Value:
    return acb(sign_of(real_head(args[0], real), isinstance(args[0], Jet)))


def _rounded(args: list[Any], real: bool, rounding: Callable[[arb], arb]) -> acb:
    x = real_head(args[0], real)
    result = rounding(x)
    if not result.is_exact() or (isinstance(args[0], Jet) and x.contains_integer()):
        raise Kink("a jump of floor or ceil")
    return acb(result)


def _extreme(args: list[Any], real: bool, sign: int) -> Value:
    smooth = jets.outermost(args) is not None
    best = args[0]
    for other in args[1:]:
        if sign_of(real_head(other - best, real), smooth) * sign > 0:
            best = other
    real_head(best, real)
    return best


_PIECES: dict[str, Callable[[list[Any], bool], Value]] = {
    "abs": _abs,
    "sign": _sign,
    "floor": lambda args, real: _rounded(args, real, arb.floor),
    "ceil": lambda args, real: _rounded(args, real, arb.ceil),
    "max": lambda args, real: _extreme(args, real, 1),
    "min": lambda args, real: _extreme(args, real, -1),
}


def compare(relation: str, args: list[Any], real: bool) -> bool | None:
    """A condition; on its very border there is no derivative, so it is undecided there."""
    difference = args[0] - args[1]
    x = real_head(difference, real)
    if x.is_zero() and isinstance(difference, Jet):
        return None
    match relation:
        case "<":
            return True if x < 0 else False if x >= 0 else None
        case "<=":
            return True if x <= 0 else False if x > 0 else None
        case ">":
            return True if x > 0 else False if x <= 0 else None
        case ">=":
            return True if x >= 0 else False if x < 0 else None
        case "=":
            return True if x.is_zero() else None if x.contains(0) else False
        case _:
            return False if x.is_zero() else None if x.contains(0) else True


def both(_: object, args: list[Any], _real: bool) -> bool | None:
    """All of the conditions."""
    return False if False in args else None if None in args else True


def either(_: object, args: list[Any], _real: bool) -> bool | None:
    """One of the conditions."""
    return True if True in args else None if None in args else False


def piecewise(_: object, args: list[Any], _real: bool) -> Any:
    """The first value whose condition holds; arguments may be reasons why they have no value."""
    for value, condition in zip(args[::2], args[1::2], strict=True):
        if isinstance(condition, NoValue):
            raise condition
        if condition is None:
            raise Kink("the border of a piece")
        if condition:
            return value
    raise Undefined("no piece holds there")


HANDLES: dict[str, Handle] = {
    "num": number,
    "constant": constant,
    "add": add,
    "mul": mul,
    "call": call,
    "matrix_entry": matrix_entry,
    "true": truth,
    "compare": compare,
    "and": both,
    "or": either,
    "piecewise": piecewise,
}
