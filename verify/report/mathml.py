"""How is a formula shown in a browser?  LaTeX to MathML Core, repaired where browsers draw it badly.

The same MathML tree is what the PDF is set from (`verify.report.typst_math`), so both show the same formula.
"""

from __future__ import annotations

import html
import re
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from math_core import LatexToMathML

APPLY = "\u2061"
OPENING, CLOSING = frozenset("([{⟨⌊⌈|‖"), frozenset(")]}⟩⌋⌉|‖")
TALL = frozenset({"mfrac", "mtable", "msqrt", "mroot", "munder", "mover", "munderover"})
BREAK_BEFORE = frozenset("=≠<>≤≥≡≈→⇒⟺∈+−±")
"""Operators before which a long line may be broken."""


class FormulaError(ValueError):
    """LaTeX that cannot be shown; the message names the reason."""


def read_latex(latex: str, *, display: bool = True) -> ET.Element:
    """The `math` element of a LaTeX text.

    Raises FormulaError, with the position and the reason, for LaTeX that is malformed or has no MathML counterpart.
    """
    from math_core import LatexError

    try:
        text = _converter().convert_with_local_state(latex, displaystyle=display)
    except LatexError as error:
        place, _, reason = str(error).partition(":")
        raise FormulaError(f"at character {place}:{reason}" if reason else str(error)) from error
    tree = _parse(text)
    for row in list(tree.iter("mrow")):
        _tighten(row)
    for parent in list(tree.iter()):
        _close_up_applied_fence(parent)
    for over in tree.iter("mover"):
        if len(over) == 2 and over[1].text == "⃗":  # a combining arrow has no width and would stand left of its letter
            over[1].text = "→"
            over[1].set("style", "font-size:.65em")
    for fence in tree.iter("mo"):
        if fence.get("minsize") == "1.2em":  # hardly larger, but drawn with the wide bearings of a stretched fence
            fence.set("stretchy", "false")
            del fence.attrib["minsize"], fence.attrib["maxsize"]
    return tree


def breakable(tree: ET.Element) -> bool:
    """Whether this is one line of symbols, which may be broken at its relations, rather than a layout of rows."""
    return tree.get("display") == "block" and not any(node.tag == "mtable" for node in tree)


def markup(tree: ET.Element) -> str:
    """The formula as HTML: one `math` element, or several in a row between which a browser may break the line."""
    chunks = _chunks(tree) if breakable(tree) else [tree]
    return " ".join(ET.tostring(chunk, encoding="unicode") for chunk in chunks)


def _chunks(tree: ET.Element) -> Iterator[ET.Element]:
    """The formula cut before its top-level relations and sums, each piece a `math` element of display style."""
    piece = ET.Element("math", {"displaystyle": "true"})
    depth, content = 0, False
    for node in tree:
        text = (node.text or "") if node.tag == "mo" else ""
        breaks = depth == 0 and text in BREAK_BEFORE and text and node.get("lspace") != "0"
        if breaks and content:
            yield piece
            piece = ET.Element("math", {"displaystyle": "true"})
            node = _infix(node)
        depth += (text in OPENING - CLOSING and bool(text)) - (text in CLOSING - OPENING and bool(text))
        content = content or node.tag != "mspace"
        piece.append(node)
    yield piece


def _infix(operator: ET.Element) -> ET.Element:
    """The operator with the spaces that it has between operands: at the start of a line it would count as a sign."""
    changed = ET.Element("mo", {**operator.attrib, "form": "infix"})
    changed.text = operator.text
    return changed


@cache
def _converter() -> LatexToMathML:
    from math_core import LatexToMathML

    macros = {"dd": r"\mathop{}\!\mathrm{d}", "transpose": r"^{\top}", "E": r"\mathbb{E}"}
    return LatexToMathML(fancy_error=False, macros=macros)


def _parse(text: str) -> ET.Element:
    """The tree; HTML's named characters, which XML does not know, are replaced first."""

    def named(found: re.Match[str]) -> str:
        return found[0] if found[1] in ("amp", "lt", "gt", "quot", "apos") else html.unescape(found[0])

    return ET.fromstring(re.sub(r"&(\w+);", named, text))


def _tighten(row: ET.Element) -> None:
    r"""No stretching of `\left( \right)` round short content: a stretched fence has wide bearings."""
    nodes = list(row)
    if len(nodes) < 2 or not (nodes[0].tag == nodes[-1].tag == "mo"):
        return
    if (nodes[0].text or "") not in OPENING or (nodes[-1].text or "") not in CLOSING:
        return
    if not nodes[0].text or not nodes[-1].text or any(node.tag in TALL for node in row.iter()):
        return
    for fence, form in ((nodes[0], "prefix"), (nodes[-1], "postfix")):
        fence.set("stretchy", "false")
        fence.set("form", form)
        for space in ("lspace", "rspace"):
            fence.attrib.pop(space, None)


def _close_up_applied_fence(parent: ET.Element) -> None:
    r"""`\operatorname{f}\!\left(` without the space after the name and without the negative one that undid it."""
    nodes = list(parent)
    for applied, space in zip(nodes, nodes[1:], strict=False):
        if applied.tag == "mo" and applied.text == APPLY and space.tag == "mspace" and "-" in (space.get("style") or ""):
            applied.attrib.pop("lspace", None)
            parent.remove(space)
