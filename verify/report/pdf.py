"""How does the report look on paper?  The same records as Typst data, laid out by a Typst template."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from verify.report.formula import Formula
from verify.report.mathml import FormulaError
from verify.report.typst_math import quoted

if TYPE_CHECKING:
    from verify.report.data import Report
    from verify.report.errata import Page

EPOCH = 0
"""The date in the file's metadata: the same on every run."""


def render_pdf(report: Report | Page, kind: str = "report") -> bytes:
    """The PDF document that Typst's function `kind` makes of the records; the same bytes for the same records.

    Raises FormulaError where Typst refuses a formula.
    """
    import typst

    templates = files("verify.report").joinpath("templates")
    needed = [templates.joinpath(f"{name}.typ").read_text("utf-8") for name in dict.fromkeys(("report", kind))]
    source = "\n".join([*needed, f"#show: {kind}.with({literal(report)})\n"])
    try:
        return _compile(source)
    except typst.TypstError as error:
        for formula in _formulas(report):
            try:
                _compile(f"${formula.typst}$")
            except typst.TypstError as reason:
                raise FormulaError(f"Typst cannot set this formula: {reason.message}\n    {formula.latex}") from error
        raise


def literal(value: Any) -> str:
    """Python data as a Typst expression; records become dictionaries, formulas become equations."""
    if isinstance(value, Formula):
        return _equation(value)
    if isinstance(value, bool):
        return "true" if value else "false"
    if value is None:
        return "none"
    if isinstance(value, str):
        return quoted(value)
    if isinstance(value, int | float):
        return repr(value)
    if isinstance(value, dict):
        items = "".join(f"{quoted(key)}: {literal(item)}, " for key, item in value.items())
        return f"({items or ':'})"
    if isinstance(value, tuple | list):
        return "(" + "".join(f"{literal(item)}, " for item in value) + ")"
    if is_dataclass(value):
        return literal({field.name: getattr(value, field.name) for field in fields(value)})
    raise TypeError(f"no Typst literal for {type(value).__name__}")


def _equation(formula: Formula) -> str:
    """An inline equation; or (body:) of a layout of rows; or (lines:) of one that may be broken between pieces."""
    alt = quoted(formula.latex)
    if not formula.display:
        return f"math.equation(alt: {alt}, ${formula.typst}$.body)"
    if not formula.lines:
        return f"(lines: (), body: math.equation(block: true, alt: {alt}, $ {formula.typst} $.body))"
    alts = (alt if i == j == 0 else '"continued"' for i, pieces in enumerate(formula.lines) for j in range(len(pieces)))
    equations = (
        "(" + "".join(f"math.equation(alt: {next(alts)}, $display({piece})$.body), " for piece in pieces) + ")"
        for pieces in formula.lines
    )
    return f"(lines: ({''.join(f'{equation}, ' for equation in equations)}), body: none)"


def _compile(source: str) -> bytes:
    import typst

    compiler = typst.Compiler(source.encode(), ignore_system_fonts=True)
    document = compiler.compile(format="pdf", timestamp=EPOCH)
    assert isinstance(document, bytes)
    return document


def _formulas(value: Any) -> Iterator[Formula]:
    if isinstance(value, Formula):
        yield value
    elif isinstance(value, tuple):
        for item in value:
            yield from _formulas(item)
    elif is_dataclass(value):
        for field in fields(value):
            yield from _formulas(getattr(value, field.name))
