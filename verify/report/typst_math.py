"""How is a formula set on paper?  MathML, as read by `verify.report.mathml`, to Typst's mathematics.

Every element is either translated or refused by name: nothing is dropped in silence.
"""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from collections.abc import Iterable

from verify.report.mathml import CLOSING, LARGE, OPENING, FormulaError

INVISIBLE = frozenset("\u2061\u2062\u2063\u2064\u200b")
VARIATION = str.maketrans("", "", "\ufe00\ufe01")
ACCENTS = {
    "˙": "dot", "¨": "dot.double", "⃛": "dot.triple", "ˆ": "hat", "^": "hat", "\u0302": "hat", "˜": "tilde",
    "~": "tilde", "\u0303": "tilde", "¯": "macron", "‾": "overline", "\u0332": "overline", "⃗": "arrow",
    "→": "arrow", "ˇ": "caron", "˘": "breve", "´": "acute", "`": "grave", "˚": "circle",
}  # fmt: skip
BRACES = {"⏟": "underbrace", "⏞": "overbrace", "⎵": "underbracket", "⎴": "overbracket"}
FENCES = {
    "⟨": "chevron.l", "⟩": "chevron.r", "|": "bar.v", "‖": "bar.v.double", "∥": "parallel", "⌊": "floor.l",
    "⌋": "floor.r", "⌈": "ceil.l", "⌉": "ceil.r",
}  # fmt: skip
INTEGRALS = frozenset("∫∬∭∮")
UPRIGHT_CAPITALS = frozenset("ΓΔΘΛΞΠΣΦΥΨΩ")
"""Set upright by Typst unless told otherwise."""


def typst_math(tree: ET.Element) -> str:
    """The inside of a Typst equation for a `math` element.

    Raises FormulaError for MathML that it does not know.
    """
    return _convert(tree)


def quoted(text: str) -> str:
    """A Typst string literal."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n").replace("\t", " ")
    return f'"{escaped}"'


def _escaped(text: str) -> str:
    return re.sub(r'([\\#$&/_^"\'()\[\]{}|,;:`~*!.<>=@⟨⟩⌈⌉⌊⌋⟦⟧-])', r"\\\1", text)


def _sequence(nodes: Iterable[ET.Element]) -> str:
    return " ".join(part for part in map(_convert, nodes) if part)


def _group(node: ET.Element) -> str:
    return _convert(node) or '""'


def _convert(node: ET.Element) -> str:
    match node.tag:
        case "math" | "mpadded" | "mtd":
            return _coloured(node, _sequence(node))
        case "mstyle":
            return _coloured(node, _styled(node, _sequence(node)))
        case "mrow":
            return _coloured(node, _row(node))
        case "mi" | "mn" | "mtext" | "mo":
            return _token(node)
        case "mspace":
            return _space(node)
        case "mfrac" if node.get("linethickness") in ("0", "0px"):
            return f"mat(delim: #none, row-gap: #.35em, {_group(node[0])}; {_group(node[1])})"
        case "mfrac":
            return _styled(node, f"frac({_group(node[0])}, {_group(node[1])})")
        case "msqrt":
            return f"sqrt({_sequence(node)})"
        case "mroot":
            return f"root({_group(node[1])}, {_group(node[0])})"
        case "msub":
            return _attached(node[0], b=node[1])
        case "msup":
            return _attached(node[0], t=node[1])
        case "msubsup":
            return _attached(node[0], b=node[1], t=node[2])
        case "mover" | "munder" | "munderover":
            return _over_or_under(node)
        case "mphantom":
            return f"#hide[${_sequence(node)}$]"
        case "mtable":
            return _table(node)
    raise FormulaError(f"because its MathML element <{node.tag}> has no counterpart in Typst")


def _token(node: ET.Element) -> str:
    text = (node.text or "").translate(VARIATION)
    match node.tag:
        case "mtext":
            return quoted(text.replace("\xa0", " "))
        case "mn":
            return text if text.isdigit() else quoted(text)
        case "mi" if len(text) > 1:
            return f"op({quoted(text)})"
        case "mi" if node.get("mathvariant") == "normal":
            return f"upright({_escaped(text)})"
        case "mi" if text in UPRIGHT_CAPITALS:
            return f"italic({text})"
        case "mi":
            return _escaped(text)
    if not text or text in INVISIBLE:
        return ""
    if text in "|‖":
        place = {"prefix": "opening", "postfix": "closing"}.get(node.get("form", ""), "normal")
        return f'class("{place}", {FENCES[text]})'
    if node.get("minsize"):
        size = round(100 * float(node.get("minsize", "1em").removesuffix("em")))
        return f"lr(size: #{size}%, {FENCES.get(text, _escaped(text))})"
    return _escaped(text)


def _space(node: ET.Element) -> str:
    shift = re.search(r"margin-left:\s*(-?[\d.]+)em", node.get("style") or "")
    width = shift[1] if shift else (node.get("width") or "0em").removesuffix("em")
    return f"#h({float(width):.4f}em)" if float(width) else ""


def _styled(node: ET.Element, text: str) -> str:
    style = {"true": "display", "false": "inline"}.get(node.get("displaystyle", ""))
    return f"{style}({text})" if style else text


def _coloured(node: ET.Element, text: str) -> str:
    colour = re.search(r"(?<![-\w])color:\s*(#[0-9A-Fa-f]{6})", node.get("style") or "")
    return f'#text(fill: rgb("{colour[1]}"))[${text}$]' if colour else text


def _row(row: ET.Element) -> str:
    """A row; where it is fenced, as a matrix, as cases or with growing fences."""
    nodes = list(row)
    if len(nodes) < 2 or not (nodes[0].tag == nodes[-1].tag == "mo"):
        return _sequence(nodes)
    left, right = (nodes[0].text or "").strip(), (nodes[-1].text or "").strip()
    inner = nodes[1:-1]
    if len(inner) == 1 and inner[0].tag == "mtable":
        return _fenced_table(inner[0], left, right)
    visible = {left, right} - INVISIBLE - {""}
    fences = (left in OPENING | INVISIBLE | {""}) and (right in CLOSING | INVISIBLE | {""})
    if not visible or not fences or "false" in (nodes[0].get("stretchy"), nodes[-1].get("stretchy")):
        return _sequence(nodes)
    middle = " ".join(part for part in (_middle(node) for node in inner) if part)
    return f"lr({_fence(left)} {middle} {_fence(right)})"


def _middle(node: ET.Element) -> str:
    if node.tag == "mo" and node.get("stretchy") == "true" and (node.text or "") in FENCES:
        return f"mid({FENCES[node.text or '']})"
    return _convert(node)


def _fence(text: str) -> str:
    return "" if not text or text in INVISIBLE else FENCES.get(text, _escaped(text))


def _attached(base: ET.Element, *, limits: bool = False, **scripts: ET.Element) -> str:
    inner = base
    while inner.tag == "mrow" and len(inner) == 1:
        inner = inner[0]
    text = _group(base)
    large = inner.tag == "mo" and (inner.text or "") in LARGE
    if limits and not large and not text.startswith(tuple(f"{brace}(" for brace in BRACES.values())):
        text = f"limits({text})"
    elif large and (not limits or inner.text in INTEGRALS):
        text = f"limits({text})" if limits else f"scripts({text})"
    return f"attach({text}, " + ", ".join(f"{place}: {_group(node)}" for place, node in scripts.items()) + ")"


def _over_or_under(node: ET.Element) -> str:
    base, marks = node[0], node[1:]
    mark = marks[0].text or "" if marks and marks[0].tag == "mo" else ""
    if not marks or (len(marks) == 1 and marks[0].tag == "mspace"):
        return _group(base)
    if node.tag == "munderover":
        return _attached(base, limits=True, b=marks[0], t=marks[1])
    if mark in BRACES:
        return f"{BRACES[mark]}({_group(base)})"
    if node.tag == "mover" and mark in ACCENTS and (node.get("accent") == "true" or mark == "→"):
        return f"{ACCENTS[mark]}({_group(base)})"
    if node.tag == "munder" and mark in ("_", "\u0332", "‾", "¯"):
        return f"underline({_group(base)})"
    text = _group(base)
    if text.startswith(tuple(f"{b}(" for b in BRACES.values())) and base.tag in ("munder", "mover"):
        return f"{text[:-1]}, {_group(marks[0])})"
    return _attached(base, limits=True, **{"t" if node.tag == "mover" else "b": marks[0]})


def _cells(table: ET.Element) -> list[list[str]]:
    return [[_sequence(cell) for cell in row] for row in table]


def _alignments(table: ET.Element) -> list[str]:
    """left, right or center for each column of the first row."""
    found = [re.search(r"text-align:\s*(\w+)", cell.get("style") or "") for cell in table[0]] if len(table) else []
    return [align[1] if align else "center" for align in found]


def _fenced_table(table: ET.Element, left: str, right: str) -> str:
    if left == "{" and (not right or right in INVISIBLE):
        return "cases(" + ", ".join(" #h(1em) & ".join(cell or '""' for cell in row) for row in _cells(table)) + ")"
    matching = {"(": ")", "[": "]", "{": "}", "|": "|", "‖": "‖"}
    if matching.get(left) == right:
        return _matrix(table, quoted(left))
    return f"lr({_fence(left)} {_matrix(table)} {_fence(right)})"


def _table(table: ET.Element) -> str:
    aligned = _alignments(table)
    if aligned and all(a == ("right", "left")[i % 2] for i, a in enumerate(aligned)):
        return _aligned_rows(table)
    return _matrix(table)


def _aligned_rows(table: ET.Element) -> str:
    """Rows that meet at their relation signs; several pairs of columns stand 2 em apart, as in LaTeX."""
    rows = []
    for row in _cells(table):
        pairs = [" & ".join(row[i : i + 2]) for i in range(0, len(row), 2)]
        rows.append(" & #h(2em) ".join(pairs))
    return " \\ ".join(rows)


def _matrix(table: ET.Element, delimiter: str = "#none") -> str:
    columns = set(_alignments(table)) - {"center"}
    align = f"align: #{columns.pop()}, " if len(columns) == 1 else ""
    rows = "; ".join(", ".join(cell or '""' for cell in row) for row in _cells(table))
    return f"mat(delim: {delimiter}, {align}{rows})"
