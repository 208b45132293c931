r"""What do names and declarations in LaTeX declare?  \boldsymbol{\mu}: vector(n), A \in \mathbb{R}^{n \times n}."""

from __future__ import annotations

import re

from verify.language.claims import Let
from verify.language.latex.piece import Piece
from verify.language.latex.words import ACCENTS, LETTERS, STYLES
from verify.language.tokens import GREEK

_STYLED = re.compile(
    rf"\\(?:{'|'.join(sorted(STYLES))}|mathrm|text|operatorname)\s*(?:\{{([^{{}}]*)\}}|\s([A-Za-z])|(?=\\))"
)
_ACCENTED = re.compile(rf"\\({'|'.join(sorted(ACCENTS))})\s*(?:\{{\s*(\\?[A-Za-z]+)\s*\}}|(\\[A-Za-z]+)|\s*([A-Za-z]))")
_COMMAND = re.compile(r"\\([A-Za-z]+)\s*")
_PRIMED = re.compile(r"([A-Za-z]\w*)'(?=\s*(?:[:,]|$))")
_LOWERED = re.compile(r"_\s*\{([^{}]*)\}")


def plain(text: str) -> str:
    r"""A declaration with its names as the text grammar writes them: \theta is theta, x_{ij} is x_ij."""
    text = _PRIMED.sub(r"\1_prime", text)
    if "\\" not in text and "{" not in text:
        return text
    for _ in range(4):
        text = _STYLED.sub(lambda match: match[1] or match[2] or "", text)
        text = _ACCENTED.sub(lambda m: f"{m[2] or m[3] or m[4]}\x00_{ACCENTS[m[1]]}", text)
    text = _COMMAND.sub(lambda match: LETTERS.get(match[1], match[0]), text).replace("\x00", "")
    return _LOWERED.sub(lambda match: "_" + re.sub(r"\s*,\s*", "_", match[1]).replace(" ", ""), text)


def plain_let(let: Let) -> dict[str, str | list[str]]:
    """Declarations from outside with plain names."""
    return {
        plain(name).strip(): plain(kind) if isinstance(kind, str) else [plain(each) for each in kind]
        if isinstance(kind, list | tuple) else kind
        for name, kind in let.items()
    }  # fmt: skip


def occurring(let: Let, found: list[Piece]) -> dict[str, str | list[str]]:
    """The declarations of a document that speak of names in one of its formulas, with what those depend on."""
    named = {LETTERS.get(each.text, each.text) for each in found if each.kind in ("letter", "command", "word")}
    kept: dict[str, str | list[str]] = {}
    waiting = [name for name in let if name != "where" and name.partition("_")[0] in named]
    while waiting:
        name = waiting.pop(0)
        kind = let[name]
        kept[name] = kind
        words = re.findall(r"[A-Za-z]\w*", kind) if isinstance(kind, str) else []
        waiting += [word for word in words if word in let and word not in kept and word not in waiting]
    conditions = let.get("where", [])
    conditions = [conditions] if isinstance(conditions, str) else list(conditions)
    kept_conditions = [
        each for each in conditions if all(
            word.partition("_")[0] in named or word in kept for word in re.findall(r"[A-Za-z]\w*", each)
        )
    ]  # fmt: skip
    return kept | ({"where": kept_conditions} if kept_conditions else {})


def declared_in(row: list[Piece]) -> dict[str, str]:
    r"""What x, y \in \mathbb{R}^n and A \in \mathbb{R}^{n \times n} behind a formula declare, kinds by name."""
    found: dict[str, str] = {}
    for at, piece in enumerate(row):
        if piece.text != "in" or piece.kind != "command" or at + 1 >= len(row):
            continue
        kind = shaped_kind(row, at + 1)[0]
        for name in _names_before(row, at) if kind else []:
            found[name] = kind
    return found


def shaped_kind(row: list[Piece], at: int) -> tuple[str, int]:
    r"""The kind that \mathbb{R}^n, \mathbb{R}^{m \times n} or \mathbb{S}^n_{++} is, and the index behind it."""
    start = at
    braced = row[at].text == "{" and at + 1 < len(row)
    at += braced
    if at >= len(row) or row[at].kind != "blackboard" or row[at].text not in ("R", "S"):
        return "", start
    letter = row[at].text
    at += 1
    if braced:
        if at >= len(row) or row[at].text != "}":
            return "", start
        at += 1
    if at + 1 >= len(row) or row[at].text != "^":
        return "", start
    sizes, at = _sizes(row, at + 1)
    if letter == "S" and len(sizes) == 1:
        lowered = "".join(piece.text for piece in row[at : at + 5])
        if lowered.startswith("_{++}"):
            return f"spd({sizes[0]})", at + 5
        return ("", start) if lowered.startswith("_") else (f"symmetric({sizes[0]})", at)
    if letter == "S" or len(sizes) not in (1, 2) or (at < len(row) and row[at].text == "_"):
        return "", start
    if len(sizes) == 2 and sizes[1] != "1":
        return f"matrix({sizes[0]}, {sizes[1]})", at
    return (f"vector({sizes[0]})" if sizes[0] != "1" else "real"), at


def _sizes(row: list[Piece], at: int) -> tuple[list[str], int]:
    """The sizes in a superscript, n or n \\times m; empty for what is none."""
    if row[at].text != "{":
        return ([row[at].text] if row[at].kind in ("letter", "number") else []), at + 1
    end = next((i for i in range(at, len(row)) if row[i].text == "}"), len(row))
    inside = row[at + 1 : end]
    names = inside[::2]
    fine = all(each.kind in ("letter", "number") for each in names) and all(
        each.text == "times" for each in inside[1::2]
    )
    return ([each.text for each in names] if fine else []), end + 1


def _names_before(row: list[Piece], at: int) -> list[str]:
    r"""The names in front of \in, several with commas between them."""
    found: list[str] = []
    while at > 0:
        piece = row[at - 1]
        if piece.kind == "letter" or (piece.kind == "command" and piece.text in LETTERS):
            accent = ACCENTS.get(piece.style.partition("/")[0])
            name = LETTERS[piece.text] if piece.kind == "command" else piece.text
            found.append(f"{name}_{accent}" if accent else name)
        else:
            return found
        if at > 1 and row[at - 2].text in ("^", "_"):
            return found[:-1]
        if not found or at < 3 or row[at - 2].text != ",":
            return found
        at -= 2
    return found


assert set(GREEK.values()) <= set(LETTERS)
