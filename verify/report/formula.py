"""What is a formula of the report?  Its LaTeX, and what the HTML and the PDF show, both made from one MathML tree."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from dataclasses import dataclass

from verify.report.mathml import FormulaError, breakable, lines, markup, read_latex
from verify.report.typst_math import typst_math


@dataclass(frozen=True)
class Formula:
    """One formula.

    mathml   one `math` element; or several, in spans, between which a browser may break the line.
    typst    the inside of a Typst equation.
    lines    the same cut in pieces: equations of a line, and what stands between their relations and sums; empty for
             a layout of rows, which cannot be broken, and within text.
    display  on a line of its own, rather than within text.
    """

    latex: str
    mathml: str
    typst: str
    lines: tuple[tuple[str, ...], ...] = ()
    display: bool = True


def read_formula(latex: str, where: str, *, display: bool = True) -> Formula:
    """The formula of a LaTeX text; `where` names the derivation and the display, for the error message.

    Raises FormulaError for LaTeX that is malformed or that cannot be shown in both formats.
    """
    try:
        tree = read_latex(latex, display=display)
        pieces = tuple(tuple(map(_piece, equation)) for equation in lines(tree)) if breakable(tree) else ()
        return Formula(latex, markup(tree), typst_math(tree), pieces, display)
    except FormulaError as error:
        raise FormulaError(
            f"{where}: this LaTeX cannot be shown, {error}\n    {latex}\n"
            "Only what has a counterpart in MathML Core can be shown; write it with simpler commands."
        ) from error


def _piece(piece: ET.Element) -> str:
    """An operator that a piece begins with keeps the space it has after an operand."""
    text = typst_math(piece)
    return f'"" {text}' if len(piece) and piece[0].get("form") == "infix" else text
