r"""Which names does the prose around the displays declare?  `$A \in \mathbb{R}^{m \times n}$`, `x, y \in \mathbb R^n`.

Only what says of which set a name is an element is understood; everything else is prose.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

_NAME = r"(?:\\(?:mathbf|boldsymbol|bm|vec|mathrm)\s*\{\s*\\?[A-Za-z]+\s*\}|\\(?!in\b)[A-Za-z]+|[A-Za-z])"
_MEMBER = re.compile(
    rf"(?<![\\A-Za-z_^}}])(?P<names>{_NAME}(?:\s*,\s*{_NAME})*)\s*\\in\s*"
    r"\\(?:mathbb|mathbf|Bbb)\s*(?:\{\s*)?(?P<set>[RCZ])\b\s*\}?"
    r"(?:\s*_\s*\{?\s*(?P<sign>\+\+?|>\s*0|\\geq?\s*0)\s*\}?)?"
    r"(?:\s*\^\s*(?P<power>\{[^{}]*\}|\w))?"
)
_SIZE = r"[A-Za-z]|\d+"
_KINDS = {"R": "real", "C": "complex", "Z": "integer"}


def declared_in(text: str) -> Iterator[tuple[int, str, str]]:
    """Where names are declared, each with its kind in the grammar of claims; comments are left out."""
    for match in _MEMBER.finditer(text):
        line = text[text.rfind("\n", 0, match.start()) + 1 : match.start()]
        kind = None if re.search(r"(?<!\\)%", line) else _kind(match)
        if kind is not None:
            for name in match["names"].split(","):
                yield match.start(), re.sub(r"\\(?:mathbf|boldsymbol|bm|vec|mathrm)\b|[\\{}\s]", "", name), kind


def _kind(match: re.Match[str]) -> str | None:
    """vector(n), matrix(m,n), real, positive, …; None for a set that is not known here."""
    power = (match["power"] or "").strip("{} ")
    if not power:
        if match["sign"] is None:
            return _KINDS[match["set"]]
        strict = match["sign"].startswith((">", "++"))
        return None if match["set"] != "R" else "positive" if strict else "nonnegative"
    sizes = re.split(r"\s*\\times\s*", power)
    if match["set"] != "R" or match["sign"] or len(sizes) > 2 or not all(re.fullmatch(_SIZE, s) for s in sizes):
        return None
    return f"vector({sizes[0]})" if len(sizes) == 1 else f"matrix({','.join(sizes)})"
