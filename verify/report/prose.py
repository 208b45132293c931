"""How is a sentence set?  Text in which `$…$` is LaTeX, and the plain notation of a terminal becomes mathematics.

Derivations are written to be read in a terminal too: `lam' = -f_u^T lam` (a prime differentiates, `^T` transposes),
`u0`, `t -> oo`, `dA/dp`, `1e-9`.
"""

from __future__ import annotations

import re

from verify.report.formula import Formula, read_formula

Prose = tuple[str | Formula, ...]
"""A sentence: text, and formulas within it."""

GREEK = {"lam": "lambda"} | {
    name: name
    for name in (
        *(
            "alpha",
            "beta",
            "gamma",
            "delta",
            "epsilon",
            "eta",
            "theta",
            "kappa",
            "lambda",
            "mu",
            "nu",
            "xi",
            "pi",
            "rho",
        ),
        *("sigma", "tau", "phi", "chi", "psi", "omega", "Gamma", "Delta", "Lambda", "Sigma", "Phi", "Psi", "Omega"),
    )
}
SUPERSCRIPTS = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")
GREEK["l"] = "ell"
GREEK |= {"λ": "lambda", "μ": "mu", "σ": "sigma", "τ": "tau", "φ": "phi", "ε": "varepsilon", "Φ": "Phi", "Λ": "Lambda"}
AFTER_A_NAME = "and|or|is|are|has|in|at|by|to|of|from|for|with|must|may|does|commutes?|lam"
ARTICLE = rf"[aA](?=,? (?!(?:{AFTER_A_NAME})\b)(?:[b-df-hj-np-tv-z][a-z]|u[a-z]|one|[B-DF-HJ-NP-TV-Z][a-z]{{2}}))"
"""A letter that is a word of English here: before a vowel the word would be `an`."""
LETTER = rf"(?:{'|'.join(sorted(GREEK, key=len, reverse=True))}|(?!{ARTICLE})[A-Za-z])"
BELOW = r"_\{[^{}]+\}|_[a-z]{2}(?![A-Za-z0-9])|_?\d|_[A-Za-z]"
POWER = r"\^-?\d|\*\*\d|\^\{[^{}]+\}|\^T(?![A-Za-z0-9])"
NAME = rf"{LETTER}(?:{BELOW})?(?:{POWER})?(?:'(?![A-Za-z]))?"
NOTATION = re.compile(
    rf"(?<![\w.'’^\\])(?:d(?P<above>{NAME})/d(?P<below>{NAME})|(?P<name>{NAME}))(?![\w’(]|'\w|\.\w|\^|/d)"
    rf"|(?<![\w.'’\\])(?P<call>{NAME})(?=\()"
    r"|(?P<row>(?<=[)\]])\^T(?!\w))"
    r"|(?<![\w.])(?P<number>\d+(?:\.\d+)?e[+-]?\d+)(?![\w.]\w)"
    r"|(?P<sign>->|\+/-|[<>]=|(?<!\w)oo(?!\w)|(?<=\))'(?!\w)|(?<=[)|\]])(?:\^|\*\*)[2-9](?!\d)"
    r"|(?<=[\w)'])\*(?=[\w(])|(?<=[ (])-(?=\d)|(?<![\w-])-(?=[a-z|])|(?<=[\w)\]'] )-(?= [\w(])|(?<=\[[a-z])-(?=\d\]))"
)
SIGNS = {"*": " ", "-": "−", "+/-": "±", "'": "′", "->": "→", "<=": "≤", ">=": "≥", "oo": "∞"} | {
    f"{sign}{k}": "⁰¹²³⁴⁵⁶⁷⁸⁹"[k] for k in range(2, 10) for sign in ("^", "**")
}


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


def power_of_ten(text: str) -> str:
    """1.3 × 10⁻¹² for 1.3e-12."""
    mantissa, _, exponent = text.partition("e")
    mantissa = mantissa.rstrip("0").rstrip(".") if "." in mantissa else mantissa
    power = "10" + str(int(exponent)).translate(SUPERSCRIPTS)
    return power if mantissa == "1" else f"{mantissa} × {power}"


def mathtext(text: str) -> str:
    """The sentence as matplotlib reads it, its formulas between dollar signs."""
    parts = read_prose(text, f"label {text!r}")
    shown = (f"${part.latex}$" if isinstance(part, Formula) else part.replace("$", r"\$") for part in parts)
    back = {place: digit for digit, place in SUPERSCRIPTS.items()}
    return re.sub("[⁻⁰¹²³⁴⁵⁶⁷⁸⁹]+", lambda found: f"$^{{{found[0].translate(back)}}}$", "".join(shown))


def _plain(text: str, where: str) -> list[str | Formula]:
    parts: list[str | Formula] = []
    end = 0
    for match in NOTATION.finditer(text):
        parts.append(text[end : match.start()])
        if match["sign"]:
            parts.append(SIGNS[match["sign"]])
        elif match["number"]:
            parts.append(power_of_ten(match["number"]))
        elif match["row"]:
            parts.append(read_formula(r"{}^{\top}", where, display=False))
        elif match["above"]:
            parts.append(read_formula(f"d{_latex(match['above'])}/d{_latex(match['below'])}", where, display=False))
        else:
            parts.append(read_formula(_latex(match["name"] or match["call"]), where, display=False))
        end = match.end()
    parts.append(text[end:])
    for place, part in enumerate(parts[:-1]):  # a hyphen before a formula, not within a word, is a minus
        if isinstance(part, str) and isinstance(parts[place + 1], Formula):
            parts[place] = re.sub(r"((?:^|[ (\[=]))-( ?)$", r"\1−\2", part)
    return parts


def _latex(name: str) -> str:
    found = re.fullmatch(rf"({LETTER})({BELOW})?({POWER})?('?)", name)
    assert found is not None
    letter, below, power, prime = found.groups()
    letter = "\\" + GREEK[letter] if letter in GREEK else letter
    below, power = (below or "").strip("_{}"), (power or "").replace("**", "^")
    power = r"^{\top}" if power == "^T" else f"^{{{power[1:]}}}" if power.startswith("^-") else power
    return letter + (f"_{{{below}}}" if below else "") + power + prime
