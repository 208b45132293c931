"""How is a sum of words written?  As text in the grammar of claims, and as LaTeX."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from fractions import Fraction
from typing import TYPE_CHECKING

from verify.decide.monomials import Letter, written

if TYPE_CHECKING:
    from verify.decide.words import Sum

#: Names that are printed as Greek letters.
GREEK = {"lam": r"\lambda", "Lam": r"\Lambda", "Phi": r"\Phi", "Psi": r"\Psi", "mu": r"\mu", "l": r"\ell",
         "phi": r"\phi", "tau": r"\tau"}  # fmt: skip


def text(total: Sum) -> str:
    """2*A'*x - inv(B)*y, the terms in the order of the normal form."""
    return _written(total, "*", str, _letter_text, lambda word: f"tr({word})")


def latex(total: Sum) -> str:
    """The same as LaTeX, with the names that the symbols were given."""
    return _written(total, r"\,", _number_latex, _letter_latex, lambda word: rf"\operatorname{{tr}}\left({word}\right)")


def asked_derivative(argument: Sum, by: str) -> tuple[str, str]:
    """d/dt (argument) as text and as LaTeX."""
    letters = [letter for m in argument.terms for word in (*m.scalars, *m.traces, m.word) for letter in word]
    whole = argument.latex() if len(letters) == 1 else rf"\left({argument.latex()}\right)"
    return f"d/d{by} ({argument})", rf"\frac{{d}}{{d{by}}}\, {whole}"


def asked_substitution(argument: Sum, values: Mapping[Sum, Sum]) -> tuple[str, str]:
    """The argument at the values, as text and as LaTeX."""
    at_text = ", ".join(f"{symbol} = {value}" for symbol, value in values.items())
    at_latex = r",\ ".join(f"{symbol.latex()} = {value.latex()}" for symbol, value in values.items())
    whole = rf"\left({argument.latex()}\right)" if len(argument.terms) > 1 else argument.latex()
    return f"({argument} at {at_text})", rf"\left.{whole}\right|_{{{at_latex}}}"


def _letter_text(letter: Letter, count: int) -> str:
    text = f"inv({letter.name})" if letter.inverse else letter.name
    return text + ("'" if letter.transposed else "") + (f"^{count}" if count > 1 else "")


def _letter_latex(letter: Letter, count: int) -> str:
    name = letter.latex or _name_latex(letter.name)
    if letter.transposed:
        marked = f"{name}^{{{'-' if letter.inverse else ''}\\top}}"
        return f"({marked})^{{{count}}}" if count > 1 else marked
    exponent = -count if letter.inverse else count
    return name if exponent == 1 else f"{name}^{{{exponent}}}"


def _name_latex(name: str) -> str:
    """D(f_u) with its subscript inside; a word stands upright."""
    operator, bracket, argument = name.partition("(")
    if bracket and argument.endswith(")"):
        return f"{_name_latex(operator)}({_name_latex(argument[:-1])})"
    stem, _, index = name.partition("_")
    stem = GREEK.get(stem, rf"\mathrm{{{stem}}}" if len(stem) > 2 else stem)
    return f"{stem}_{{{index}}}" if index else stem


def _number_latex(size: Fraction) -> str:
    return str(size) if size.denominator == 1 else rf"\tfrac{{{size.numerator}}}{{{size.denominator}}}"


def _written(
    total: Sum,
    times: str,
    number: Callable[[Fraction], str],
    letter: Callable[[Letter, int], str],
    trace_of: Callable[[str], str],
) -> str:
    text = ""
    for m, c in total.terms.items():
        unit = "I" if not m.word and total.shape != ("1", "1") else ""
        size = number(abs(c)) if abs(c) != 1 else ""
        body = times.join(filter(None, (size, written(m, times, letter, trace_of), unit))) or "1"
        text += f" - {body}" if c < 0 else f" + {body}"
    return "0" if not text else "-" + text[3:] if text[1] == "-" else text[3:]
