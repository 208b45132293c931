"""Which words, numbers and signs is a text made of?  Everything else is refused by its column and its name."""

from __future__ import annotations

import re
import unicodedata
from typing import NamedTuple

from verify.language.errors import ReadError


def is_latex(text: str) -> bool:
    """Whether a text is read as LaTeX without being told so."""
    return "\\" in text


#: Limits that no formula written for people reaches, and that keep the time of reading small.
LONGEST_TEXT = 20_000
MOST_TOKENS = 10_000
MOST_DIGITS = 1_000
LARGEST_EXPONENT = 1_000

#: Greek letters that cannot be mistaken for Latin ones, by their names; π is the constant.
GREEK = {
    "α": "alpha", "β": "beta", "γ": "gamma", "δ": "delta", "ε": "epsilon", "ζ": "zeta", "η": "eta", "θ": "theta",
    "ι": "iota", "κ": "kappa", "λ": "lambda", "μ": "mu", "µ": "mu", "ν": "nu", "ξ": "xi", "ρ": "rho", "σ": "sigma",
    "τ": "tau", "υ": "upsilon", "φ": "phi", "χ": "chi", "ψ": "psi", "ω": "omega", "Γ": "Gamma", "Δ": "Delta",
    "Θ": "Theta", "Λ": "Lambda", "Ξ": "Xi", "Π": "Pi", "Σ": "Sigma", "Φ": "Phi", "Ψ": "Psi", "Ω": "Omega",
}  # fmt: skip

#: Characters that mean a constant whatever names are declared.
CONSTANT_SIGNS = {"π": "pi", "ⅇ": "E", "ⅈ": "I", "∞": "oo", "ℇ": "EulerGamma"}

_SAME_AS = {"·": "*", "×": "*", "⋅": "*", "−": "-", "≤": "<=", "≥": ">=", "≠": "!=", "**": "^", ".T": "'",
            "ᵀ": "'", "⊤": "'", "⊙": ".*", "∼": "~"}  # fmt: skip
_SUPERSCRIPTS = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹⁻", "0123456789-")

_SPACE = r"[ \t\r\n\u00a0\u2009]*"
_TOKEN = re.compile(
    r"(?:(?P<sign>\*\*|<=|>=|==|!=|\.[*^/]|\.T(?![A-Za-z0-9_])|[-+*/^(),:=<>!√·×⋅−≤≥≠'\[\]ᵀ⊤⊙~∼])"
    rf"|(?P<name>∂?(?:[A-Za-z][A-Za-z0-9_]*|[{''.join(GREEK)}][0-9_]*)|∂)"
    r"|(?P<number>(?:[0-9]+(?:\.(?![*^/])[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?)"
    rf"|(?P<constant>[{''.join(CONSTANT_SIGNS)}])"
    r"|(?P<superscript>⁻?[⁰¹²³⁴-⁹]{1,4}))" + _SPACE
)

_ADVICE = {
    "\\": "text has no backslash; only a whole claim is read as LaTeX",
    "|": "write abs(x)",
    "{": "use round brackets",
    "}": "use round brackets",
    "%": "write x - y*floor(x/y) for a remainder",
    ".": "a number has one decimal point; products and powers entry by entry are .* and .^",
    "_": "a name starts with a letter",
    "–": "write the minus sign -",
    "—": "write the minus sign -",
    "±": "write two claims",
    "∫": "write int(E, x, a, b)",
    "∑": "write sum(E, i, 1, n)",
    "∇": "write grad_x, jac_x or d/dx",
}


class Token(NamedTuple):
    """A piece of the text: `text` is its normal form, the piece itself is text[start:end] of the source."""

    kind: str
    """number, name, constant, superscript, sign, or end."""
    text: str
    start: int
    end: int


def tokens(text: str) -> list[Token]:
    """The tokens of a text, the last one of kind `end`.

    Raises ReadError for a text that is too long and for the first character that means nothing.
    """
    if not isinstance(text, str):
        raise ReadError(f"a formula is a text, not {type(text).__name__}", str(text)[:80], 0)
    if len(text) > LONGEST_TEXT:
        raise ReadError(f"the text has {len(text):,} characters, at most {LONGEST_TEXT:,} are read", text, 0)
    found: list[Token] = []
    position = len(text) - len(text.lstrip(" \t\r\n\u00a0\u2009"))
    while match := _TOKEN.match(text, position):
        kind = match.lastgroup or ""
        piece = match[kind]
        end = position + len(piece)
        if kind == "number":
            _check_number(text, position, piece, end)
        elif not piece.isascii() or piece in ("**", ".T"):
            piece = _normal_form(kind, piece)
        found.append(Token(kind, piece, position, end))
        position = match.end()
        if len(found) > MOST_TOKENS:
            raise ReadError(f"more than {MOST_TOKENS:,} words and signs", text, position)
    if position < len(text):
        raise _unknown_character(text, position)
    found.append(Token("end", "", len(text), len(text)))
    return found


def _normal_form(kind: str, piece: str) -> str:
    match kind:
        case "name":
            letter = piece.lstrip("∂")[:1]
            return piece.replace(letter, GREEK[letter], 1) if letter in GREEK else piece
        case "constant":
            return CONSTANT_SIGNS[piece]
        case "superscript":
            return piece.translate(_SUPERSCRIPTS)
        case _:
            return _SAME_AS.get(piece, piece)


def _check_number(text: str, position: int, piece: str, end: int) -> None:
    if len(piece) < 10 and piece.isdigit() and text[end : end + 1] in (" ", "*", "/", "+", "-", "^", ",", ")", ""):
        return  # as nearly all are
    mantissa, _, exponent = piece.lower().partition("e")
    if len(mantissa) > MOST_DIGITS:
        raise ReadError(f"a number of {len(mantissa):,} digits; at most {MOST_DIGITS:,} are read", text, position)
    if len(exponent) > 6 or (exponent and abs(int(exponent)) > LARGEST_EXPONENT):
        raise ReadError(f"the exponent of a number is at most {LARGEST_EXPONENT:,}", text, position, "write 10^n")
    following = text[end : end + 1]
    if (following == "." and text[end + 1 : end + 2] not in ("*", "^", "/")) or following == "_":
        raise ReadError(f"{following!r} inside a number", text, end, "write digits with one decimal point")
    if re.match(r"0[xXbBoO][0-9A-Fa-f]", text[position : end + 2]) and mantissa == "0":
        raise ReadError("numbers are decimal", text, position, "write * for a product with 0")


def _unknown_character(text: str, position: int) -> ReadError:
    character = text[position]
    if character in '"`;@#$&?':
        return ReadError(f"{character!r} is not part of a formula", text, position)
    if character in _ADVICE:
        return ReadError(f"unexpected {character!r}", text, position, _ADVICE[character])
    name = unicodedata.name(character, f"U+{ord(character):04X}")
    return ReadError(f"unexpected character {character!a} ({name})", text, position, "write it in ASCII")
