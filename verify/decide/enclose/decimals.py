"""Which decimal digits of a ball are certain?"""

from __future__ import annotations

from fractions import Fraction

from flint import acb, arb

DIGITS = 20
_LARGEST_EXPONENT = 1 << 14


def decimal(z: acb, digits: int = DIGITS) -> str:
    """The number as text with certain digits only: `0.8414709848…` goes on, `1.0000` is rounded to its last digit.

    A complex number is written a + b*I.
    """
    if z.imag.is_zero():
        return real_decimal(z.real, digits)
    imag = real_decimal(abs(z.imag) if z.imag > 0 or z.imag < 0 else z.imag, digits)
    return f"{real_decimal(z.real, digits)} {'-' if z.imag < 0 else '+'} {imag}*I"


def real_decimal(x: arb, digits: int = DIGITS) -> str:
    """The real number as text; see `decimal`."""
    if abs(x.mid().man_exp()[1]) > _LARGEST_EXPONENT:
        return str(x.str(digits, radius=False))
    low, high = exact(x.lower()), exact(x.upper())
    if low == high and (text := _terminating(low, digits)) is not None:
        return text
    magnitude = _exponent(max(abs(low), abs(high)))
    for kept in range(digits, 0, -1):
        scale = Fraction(10) ** (kept - 1 - magnitude)
        if int(low * scale) == int(high * scale) != 0 and (low > 0) == (high > 0):
            return _positional(int(low * scale), kept, magnitude, "…")
        if round(low * scale) == round(high * scale) != 0:
            return _positional(round(low * scale), kept, magnitude)
    zeros = min(digits, -1 - magnitude)  # |x| < 10^-zeros
    return "0." + "0" * zeros if zeros > 0 else "0 +/- " + str(x.abs_upper().str(3, radius=False))


def exact(x: arb) -> Fraction:
    """The midpoint of a finite ball as a fraction."""
    man, exp = x.mid().man_exp()
    return Fraction(int(man)) * Fraction(2) ** int(exp)


def _terminating(x: Fraction, digits: int) -> str | None:
    """The exact decimal, if it is short."""
    for places in range(digits + 1):
        scaled = x * 10**places
        if scaled.denominator == 1 and abs(scaled) < 10**digits:
            sign, whole = "-" if x < 0 else "", str(abs(int(scaled))).rjust(places + 1, "0")
            return sign + (f"{whole[:-places]}.{whole[-places:]}" if places else whole)
    return None


def _exponent(x: Fraction) -> int:
    """The power of ten of the first digit."""
    guess = len(str(x.numerator)) - len(str(x.denominator))
    return guess if x >= Fraction(10) ** guess else guess - 1


def _positional(scaled: int, kept: int, magnitude: int, end: str = "") -> str:
    """The digits of `scaled` with the decimal point set after the place 10^0, or as a power of ten."""
    sign, text = "-" if scaled < 0 else "", str(abs(scaled)).rjust(kept, "0")
    magnitude += len(text) - kept
    if -6 <= magnitude < 0:
        return f"{sign}0.{'0' * (-magnitude - 1)}{text}{end}"
    if 0 <= magnitude < len(text):
        fraction = text[magnitude + 1 :] + end
        return f"{sign}{text[: magnitude + 1]}{'.' if fraction else ''}{fraction}"
    fraction = text[1:] + end
    return f"{sign}{text[0]}{'.' if fraction else ''}{fraction}e{magnitude:+d}"
