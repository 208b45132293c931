"""How is a sentence set?  Text in which `$…$` is LaTeX, and the plain notation of a terminal becomes mathematics.

Derivations are written to be read in a terminal too: `lam' = -f_u' lam`, `u0`, `t -> oo`, `dA/dp`.
"""

from __future__ import annotations

import re

from verify.report.formula import Formula, read_formula

Prose = tuple[str | Formula, ...]
"""A sentence: text, and formulas within it."""

GREEK = {"lam": "lambda"} | {
    name: name
    for name in "alpha beta gamma delta epsilon theta kappa lambda mu nu xi pi rho sigma tau phi chi psi omega Phi "
    "Psi Sigma Omega Delta Gamma Lambda".split()
}
GREEK |= {"λ": "lambda", "μ": "mu", "σ": "sigma", "τ": "tau", "φ": "phi", "ε": "varepsilon", "Φ": "Phi", "Λ": "Lambda"}
ARTICLES = r"[aAI](?=,? (?!and\b|or\b|is\b|are\b|has\b|in\b|at\b|commutes?\b)[a-z]{2})"
"""Letters that are words of English here."""
LETTER = rf"(?:{'|'.join(sorted(GREEK, key=len, reverse=True))}|(?!{ARTICLES})[A-Za-z])"
NAME = rf"{LETTER}(?:_[A-Za-z0-9]|\d)?(?:\^\d)?(?:'(?![A-Za-z]))?"
NOTATION = re.compile(
    rf"(?<![\w.'’^\\/])(?:(?P<ratio>d{NAME}/d{NAME})|(?P<name>{NAME}))(?![\w’(]|'\w|\.\w|\^|/d)|(?P<call>(?<![\w.'’\\]){NAME})(?=\()"
    r"|(?P<arrow>->)|(?P<order>[<>]=)|(?P<infinity>(?<![\w])oo(?!\w))"
)
SIGNS = {"->": "→", "<=": "≤", ">=": "≥", "oo": "∞"}


def read_prose(text: str, where: str) -> Prose:
    """The parts of a sentence; a dollar sign that has no partner is itself.

    Raises FormulaError, naming `where`, for LaTeX that cannot be shown.
    """
    parts = re.split(r"(?<!\\)\$(?!\s)([^$]+)(?<![\\\s])\$(?!\d)", text)
    found: list[str | Formula] = []
    for place, part in enumerate(parts):
        if place % 2:
            found.append(read_formula(part, where, display=False))
        else:
            found.extend(_plain(part, where))
    return tuple(part for part in found if part)


def _plain(text: str, where: str) -> list[str | Formula]:
    parts: list[str | Formula] = []
    end = 0
    for match in NOTATION.finditer(text):
        name = match["ratio"] or match["name"] or match["call"]
        parts.append(text[end : match.start()])
        parts.append(read_formula(_latex(name), where, display=False) if name else SIGNS[match[0]])
        end = match.end()
    parts.append(text[end:])
    for place, part in enumerate(parts[:-1]):  # a hyphen right before a formula, after a space or bracket, is a minus
        if isinstance(part, str) and re.search(r"(?:^|[ (\[=])-$", part) and isinstance(parts[place + 1], Formula):
            parts[place] = part[:-1] + "−"
    return parts


def _latex(name: str) -> str:
    if "/" in name:
        return "/".join("d" + _latex(part[1:]) for part in name.split("/"))
    found = re.fullmatch(rf"({LETTER})_?([A-Za-z0-9])?(\^\d)?('?)", name)
    assert found is not None
    letter, below, power, prime = found.groups()
    letter = "\\" + GREEK[letter] if letter in GREEK else letter
    return letter + (f"_{{{below}}}" if below else "") + (power or "") + prime
