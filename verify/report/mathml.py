"""How is a formula shown in a browser?  LaTeX to MathML Core, repaired where browsers draw it badly.

The same MathML tree is what the PDF is set from (`verify.report.typst_math`), so both show the same formula.
"""

from __future__ import annotations

import html
import re
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from copy import deepcopy
from functools import cache
from itertools import pairwise
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from math_core import LatexToMathML

APPLY = "\u2061"
OPENING, CLOSING = frozenset("([{⟨⌊⌈|‖"), frozenset(")]}⟩⌋⌉|‖")
TALL = frozenset({"mfrac", "mtable", "msqrt", "mroot", "munder", "mover", "munderover"})
PRIMES = frozenset("′″‴⁗")
LARGE = frozenset("∑∏∐⋂⋃⨁⨂⋀⋁∫∬∭∮")
BREAK_BEFORE = frozenset("=≠<>≤≥≡≈→⇒⟺∈+−±")
SENTENCE = 4
"""Words from which a text is a sentence, in which a line may end."""
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


def lines(tree: ET.Element) -> list[list[ET.Element]]:
    """The equations on a line, each cut into the pieces between which it may be broken: `math` elements."""
    return [list(_pieces(equation)) for equation in _equations(tree)]


def _words(nodes: list[ET.Element]) -> Iterator[ET.Element]:
    """The nodes, sentences among them word by word."""
    for node in nodes:
        words = re.findall(r"[^\s]+\s*|\s+", node.text or "") if node.tag == "mtext" else []
        if len(words) < SENTENCE:
            yield node
            continue
        for word in words:
            part = ET.Element("mtext", node.attrib)
            part.text = word
            yield part


def markup(tree: ET.Element) -> str:
    """The formula as HTML: a `math` element, or one for each piece of a line that a browser may break.

    A line is broken between the equations on it first (spans), then before relations and sums and between the words
    of a sentence (elements in a span).
    """
    drawn = _redrawn(tree)
    if not breakable(tree):
        return _text(drawn)
    equations = ("<wbr>".join(map(_text, _pieces(list(_words(nodes))))) for nodes in _equations(drawn))
    return " ".join(f'<span class="equation">{equation}</span>' for equation in equations)


def _redrawn(tree: ET.Element) -> ET.Element:
    """A copy with what Chromium draws too small: primes, and fences of a given size that carry a script."""
    copy = deepcopy(tree)
    for node in list(copy.iter()):
        if node.tag == "msup" and node[1].tag == "mo" and (node[1].text or "-") in PRIMES:
            node.tag = "mrow"  # the character is raised by itself; as a superscript it would be raised twice
            node[1].attrib.update({"form": "postfix", "lspace": ".06em", "rspace": "0"})
        elif node.tag == "msubsup" and node[2].tag == "mo" and (node[2].text or "-") in PRIMES:
            prime = node[2]
            prime.set("style", "font-size:143%")  # as large as in text, and as high as there
            node.remove(prime)
            ET.SubElement(node, "mpadded", {"voffset": "-.55em", "height": ".5em"}).append(prime)
        elif node.tag in ("msub", "msup", "msubsup") and node[0].get("minsize"):
            fence = node[0]
            node.remove(fence)
            row = ET.Element("mrow")
            row.append(fence)
            node.insert(0, row)
    return copy


def _equations(tree: ET.Element) -> Iterator[list[ET.Element]]:
    """The nodes between wide spaces."""
    equation: list[ET.Element] = []
    for node in tree:
        if node.tag == "mspace" and float((node.get("width") or "0").removesuffix("em")) >= 1:
            if equation:
                yield equation
            equation = []
        else:
            equation.append(node)
    if equation:
        yield equation


def _pieces(nodes: list[ET.Element]) -> Iterator[ET.Element]:
    """An equation cut before relations and sums outside of brackets, and after words; `math` elements."""
    piece = ET.Element("math", {"displaystyle": "true"})
    depth, content = 0, False
    for node in nodes:
        text = (node.text or "") if node.tag == "mo" else ""
        if depth == 0 and content and text and text in BREAK_BEFORE and node.get("lspace") != "0":
            yield piece
            piece = ET.Element("math", {"displaystyle": "true"})
            node = _infix(node)
        elif depth == 0 and node.tag == "mtext" and len(piece) and _is_word(piece[-1]):
            yield piece
            piece = ET.Element("math", {"displaystyle": "true"})
        depth += bool(text) and (text in OPENING - CLOSING) - (text in CLOSING - OPENING)
        content = content or node.tag != "mspace"
        piece.append(node)
    yield piece


def _is_word(node: ET.Element) -> bool:
    return node.tag == "mtext" and bool((node.text or "").strip())


def _infix(operator: ET.Element) -> ET.Element:
    """The operator with the spaces that it has between operands: at the start of a line it would count as a sign."""
    changed = ET.Element("mo", {**operator.attrib, "form": "infix"})
    changed.text = operator.text
    return changed


def _text(element: ET.Element) -> str:
    return ET.tostring(element, encoding="unicode")


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
    tall = any(node.tag in TALL or (node.tag == "mo" and (node.text or "-") in LARGE) for node in row.iter())
    if tall or not nodes[0].text or not nodes[-1].text:
        return
    for fence, form in ((nodes[0], "prefix"), (nodes[-1], "postfix")):
        fence.set("stretchy", "false")
        fence.set("form", form)
        for space in ("lspace", "rspace"):
            fence.attrib.pop(space, None)


def _close_up_applied_fence(parent: ET.Element) -> None:
    r"""`\operatorname{f}\!\left(` without the space after the name and without the negative one that undid it."""
    nodes = list(parent)
    for applied, space in pairwise(nodes):
        if applied.text == APPLY and space.tag == "mspace" and "-" in (space.get("style") or ""):
            applied.attrib.pop("lspace", None)
            parent.remove(space)
