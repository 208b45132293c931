"""How is an expression written on paper?  SymPy's LaTeX, with what a reader would stumble over put right."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from sympy import Mul, Pow, Rational, Symbol
from sympy.core.function import AppliedUndef
from sympy.printing.latex import LatexPrinter

FRACTION_DEPTH = 2
"""Fractions nested deeper than this are written with a slash."""
LONG_EXPONENT = 14
"""Printed characters from which e^… is written exp(…)."""
LONG_SUM = 80
"""Length of a sum's LaTeX from which it stands beside a fraction bar rather than above it."""
ENDLESS = 1500
"""Length of LaTeX from which a side is not shown: nobody would read it."""
WIDE = 260
"""Length of a matrix's LaTeX from which one entry stands for all."""
GREEK = {
    **{"lam": "lambda", "lamb": "lambda", "Lam": "Lambda", "eps": "epsilon", "sig": "sigma", "Sig": "Sigma"},
    "l": "ell",
}
"""Short names of letters."""


class Printer(LatexPrinter):
    r"""LaTeX as in a textbook.

    Large exponents stand on the line (`\exp`), transposition is \top (T is a time here), differentials are upright,
    fractions are nested at most twice, sums do not begin with a minus sign where they need not, a derivative of
    f(t, x) is a fraction over its variables, and substituted derivatives are written with a bar.  Undefined functions
    named in `bare` stand without their arguments.
    """

    def __init__(self, bare: Iterable[str] = ()) -> None:
        super().__init__({"mat_delim": "(", "mat_str": "matrix", "fold_frac_powers": True})
        self._fractions = 0
        self._bare = frozenset(bare)
        self._tall: dict[Any, bool] = {}

    # --- sums and products -----------------------------------------------------------------

    def _print_Add(self, expr: Any, order: Any = None) -> str:
        terms = list(self._as_ordered_terms(expr, order=order))
        if terms and terms[0].could_extract_minus_sign():
            terms.sort(key=lambda term: term.could_extract_minus_sign())
        text = ""
        for term in terms:
            negative = term.could_extract_minus_sign() and not term.is_Add
            part = self._print(-term if negative else term)
            if self._needs_add_brackets(-term if negative else term):
                part = rf"\left({part}\right)"
            text += (" - " if negative else " + ") + part if text else ("- " if negative else "") + part
        return text

    def _print_Mul(self, expr: Any) -> str:
        top, bottom = _over_and_under(expr)
        if self._fractions >= FRACTION_DEPTH and bottom != 1 and not bottom.is_Add and not top.is_Add:
            return f"{self._print(top)} / {self._bracketed_product(bottom)}"
        tall = [factor for factor in Mul.make_args(top) if self._is_tall(factor)]
        if tall and bottom != 1 and not self._is_tall(bottom):
            rest = Mul(*(factor for factor in Mul.make_args(top) if factor not in tall)) / bottom
            sign = "- " if rest.could_extract_minus_sign() else ""
            factors = (self._bracketed_sum(factor) for factor in sorted(tall, key=lambda f: not f.is_Add))
            return f"{sign}{self._fraction(-rest if sign else rest)} {' '.join(factors)}"
        return self._fraction(expr)

    def _fraction(self, expr: Any) -> str:
        if not expr.is_Mul and not (expr.is_Pow and expr.exp.is_Rational and expr.exp.is_negative):
            return self._print(expr)
        self._fractions += 1
        try:
            return super()._print_Mul(expr)
        finally:
            self._fractions -= 1

    def _is_tall(self, expr: Any) -> bool:
        """Whether it belongs beside a fraction bar rather than above it."""
        if expr not in self._tall:
            text = "" if expr.is_Atom else self._print(expr)
            self._tall[expr] = r"\frac" in text or (expr.is_Add and len(text) > LONG_SUM)
        return self._tall[expr]

    def _bracketed_sum(self, expr: Any) -> str:
        text = self._print(expr)
        return rf"\left({text}\right)" if expr.is_Add else text

    def _bracketed_product(self, expr: Any) -> str:
        text = self._print(expr)
        return rf"\left({text}\right)" if expr.is_Mul else text

    # --- powers and exponentials -------------------------------------------------------------

    def _print_ExpBase(self, expr: Any, exp: Any = None) -> str:
        exponent = expr.args[0]
        depth, self._fractions = self._fractions, FRACTION_DEPTH
        raised = self._print(exponent)
        self._fractions = depth
        if self._is_large(exponent, raised):
            call = rf"\exp\!\left({self._print(exponent)}\right)"
            return call if exp is None else rf"\left[{call}\right]^{{{exp}}}"
        return f"e^{{{raised}}}" if exp is None else rf"\left(e^{{{raised}}}\right)^{{{exp}}}"

    _print_exp = _print_ExpBase

    @staticmethod
    def _is_large(exponent: Any, text: str) -> bool:
        from sympy import Derivative, Integral, Sum

        shown = text.replace(r"\left", "").replace(r"\right", "").replace(r"\cdot", "")
        return r"\frac" in text or exponent.has(Integral, Sum, Derivative) or len(shown) > LONG_EXPONENT

    # --- names ---------------------------------------------------------------------------

    def _print_Symbol(self, expr: Any, style: str = "plain") -> str:
        name = expr.name
        head = name.rstrip("0123456789_")
        if head in GREEK:
            expr = Symbol(GREEK[head] + name[len(head) :])
        return super()._print_Symbol(expr, style)

    def _print_Transpose(self, expr: Any) -> str:
        inner = self._print(expr.arg)
        return rf"{inner if expr.arg.is_symbol else f'({inner})'}^{{\top}}"

    def _print_log(self, expr: Any, exp: Any = None) -> str:
        power = "" if exp is None else f"^{{{exp}}}"
        return rf"\log{power}{{\left({self._print(expr.args[0])}\right)}}"

    def _print_loggamma(self, expr: Any, exp: Any = None) -> str:
        call = rf"\log\Gamma\left({self._print(expr.args[0])}\right)"
        return call if exp is None else rf"\left({call}\right)^{{{exp}}}"

    def _print_polygamma(self, expr: Any, exp: Any = None) -> str:
        order, argument = expr.args
        name = r"\psi" if order == 0 else rf"\psi^{{({self._print(order)})}}"
        call = rf"{name}\left({self._print(argument)}\right)"
        return call if exp is None else rf"{{{call}}}^{{{exp}}}"

    # --- calculus ------------------------------------------------------------------------

    def _print_Derivative(self, expr: Any) -> str:
        many = len(expr.expr.free_symbols) > 1 or (isinstance(expr.expr, AppliedUndef) and len(expr.expr.args) > 1)
        d = r"\partial" if many else r"\mathrm{d}"
        below = "".join(
            f"{d} {self._print(x)}" + (f"^{{{self._print(n)}}}" if n != 1 else "")
            for x, n in reversed(expr.variable_count)
        )
        total = sum(n for _x, n in expr.variable_count)
        above = d if total == 1 else f"{d}^{{{self._print(total)}}}"
        if isinstance(expr.expr, AppliedUndef | Symbol):
            return rf"\frac{{{above} {self._print(expr.expr)}}}{{{below}}}"
        return rf"\frac{{{above}}}{{{below}}} {self.parenthesize(expr.expr, 50, is_neg=False, strict=True)}"

    def _print_AppliedUndef(self, expr: Any, exp: Any = None) -> str:
        name = self._print(Symbol(expr.func.__name__))
        arguments = "" if expr.func.__name__ in self._bare else f"({', '.join(map(self._print, expr.args))})"
        return f"{name}{arguments}" if exp is None else rf"{{{name}}}^{{{exp}}}{arguments}"

    def _print_Function(self, expr: Any, exp: Any = None) -> str:
        if isinstance(expr, AppliedUndef):
            return self._print_AppliedUndef(expr, exp)
        return super()._print_Function(expr, exp)

    def _print_Subs(self, subs: Any) -> str:
        inner, old, new = subs.args
        equations = ",\\ ".join(f"{self._print(o)} = {self._print(n)}" for o, n in zip(old, new, strict=True))
        return rf"\left. {self._print(inner)} \right|_{{{equations}}}"

    def _print_Integral(self, expr: Any) -> str:
        text = ""
        for limits in expr.limits:
            ends = rf"_{{{self._print(limits[1])}}}^{{{self._print(limits[2])}}}" if len(limits) == 3 else ""
            text = rf"\int{ends} " + text
        inner = self._print(expr.function)
        if expr.function.is_Add:
            inner = rf"\left({inner}\right)"
        return text + inner + "".join(rf"\,\mathrm{{d}} {self._print(limits[0])}" for limits in expr.limits)


def _over_and_under(expr: Any) -> tuple[Any, Any]:
    """Numerator and denominator; an exponential stays where it is."""
    over, under = [], []
    for factor in Mul.make_args(expr):
        if isinstance(factor, Rational):
            over.append(factor.p)
            under.append(factor.q)
        elif isinstance(factor, Pow) and factor.exp.is_Rational and factor.exp.is_negative:
            under.append(1 / factor)
        else:
            over.append(factor)
    return Mul(*over), Mul(*under)


def latex(value: Any, bare: Iterable[str] = ()) -> str:
    """LaTeX of a SymPy expression or matrix, or of a sum of non-commuting words."""
    from verify.decide.words import Sum

    if isinstance(value, Sum):
        return value.latex()
    return Printer(bare).doprint(value[0] if getattr(value, "shape", ()) == (1, 1) else value)


def equation(lhs: Any, rhs: Any) -> tuple[str, str]:
    """LaTeX of lhs = rhs, and a remark on what of it is shown.

    Functions that have the same several arguments throughout, or many that have the same one, stand without them.
    A matrix too wide for a line is represented by its first entry that says something.  Sides that are one and the
    same are shown once, and a side without end is not shown.
    """
    bare, remark = _same_arguments(lhs, rhs), ""
    if getattr(lhs, "shape", ()) and getattr(lhs, "shape", ()) == getattr(rhs, "shape", ()) and hasattr(lhs, "flat"):
        entries = list(zip(lhs.flat(), rhs.flat(), strict=True))
        if len(entries) > 1 and max(len(latex(lhs, bare)), len(latex(rhs, bare))) > WIDE:
            telling = next((i for i, (left, right) in enumerate(entries) if left != right), 0)
            row, column = divmod(telling, lhs.shape[1])
            lhs, rhs = entries[telling]
            remark = f"entry ({row + 1}, {column + 1}) of {len(entries)} shown"
    left, right = latex(lhs, bare), latex(rhs, bare)
    if max(len(left), len(right)) > ENDLESS:
        left, right = (_elided(side, text) for side, text in ((lhs, left), (rhs, right)))
        return f"{left} = {right}", "in full in results.json"
    if left == right:
        return rf"{left} \quad\text{{on both sides}}", remark
    return f"{left} = {right}", remark


def _elided(side: Any, text: str) -> str:
    if len(text) <= ENDLESS:
        return text
    operations = side.count_ops() if hasattr(side, "count_ops") else len(text)
    return rf"\left[\text{{an expression of {operations} operations}}\right]"


def _same_arguments(*sides: Any) -> frozenset[str]:
    found: dict[str, set[Any]] = {}
    for side in sides:
        for call in side.atoms(AppliedUndef) if hasattr(side, "atoms") else ():
            found.setdefault(call.func.__name__, set()).add(call.args)
    everywhere = set().union(*found.values())
    longest = max(everywhere, key=len, default=())
    fits = all(set(arguments) <= set(longest) and all(a.is_Symbol for a in arguments) for arguments in everywhere)
    several = found if len(found) > 2 else {name: args for name, args in found.items() if any(len(a) > 1 for a in args)}
    return frozenset(name for name, arguments in several.items() if fits and len(arguments) == 1)
