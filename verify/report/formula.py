"""What is a formula of the report?  Its LaTeX, and what the HTML and the PDF show, both made from one MathML tree."""

from __future__ import annotations

import re
from dataclasses import dataclass

from verify.report.mathml import FormulaError, breakable, markup, read_latex
from verify.report.typst_math import typst_math


@dataclass(frozen=True)
class Formula:
    """One formula.

    mathml     one `math` element, or several between which a browser may break the line.
    typst      the inside of a Typst equation.
    display    on a line of its own, rather than within text.
    breakable  one line that may be broken at its relations and sums; otherwise a layout of rows.
    """

    latex: str
    mathml: str
    typst: str
    display: bool
    breakable: bool


Prose = tuple[str | Formula, ...]
"""A sentence: text, and formulas within it."""


def read_formula(latex: str, where: str, *, display: bool = True) -> Formula:
    """The formula of a LaTeX text; `where` names the derivation and the display, for the error message.

    Raises FormulaError for LaTeX that is malformed or that cannot be shown in both formats.
    """
    try:
        tree = read_latex(latex, display=display)
        return Formula(latex, markup(tree), typst_math(tree), display, breakable(tree))
    except FormulaError as error:
        raise FormulaError(
            f"{where}: this LaTeX cannot be shown, {error}\n    {latex}\n"
            "Only what has a counterpart in MathML Core can be shown; write it with simpler commands."
        ) from error


def read_prose(text: str, where: str) -> Prose:
    """A sentence in which `$…$` is LaTeX; a dollar sign that has no partner is itself."""
    parts = re.split(r"(?<!\\)\$([^$]+)(?<!\\)\$", text)
    formulas = (read_formula(part, where, display=False) if i % 2 else part for i, part in enumerate(parts))
    return tuple(part for part in formulas if part)
