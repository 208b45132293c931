"""Which constants do the letters e and i mean?  Euler's number below an exponent, the imaginary unit in one."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from verify.language.errors import ReadError
from verify.language.latex.piece import Piece


def is_euler(text: str, rows: Iterable[list[Piece]], declared: Mapping[str, object]) -> bool | ReadError:
    """Whether e is Euler's number: it always stands below an exponent, and nothing is differentiated by it.

    The error where that cannot be told.
    """
    bare = None
    powers = False
    for row in rows:
        lowered: list[bool] = []
        for at, piece in enumerate(row):
            before = [each.text for each in row[max(0, at - 3) : at]]
            if piece.text == "{" and piece.kind == "sign":
                lowered.append(before[-1:] == ["_"])
            elif piece.text == "}" and piece.kind == "sign" and lowered:
                lowered.pop()
            if piece.text != "e" or piece.kind != "letter" or piece.style:
                continue
            is_d = before[-1:] in (["d"], ["partial"])
            if is_d and (before[-3:-1] == ["}", "{"] or before[-2:-1] == ["/"]):
                return False  # the variable of an operator
            if before[-2:] in (["partial", "_"], ["nabla", "_"]):
                return False
            after = row[at + 1].text if at + 1 < len(row) else ""
            if before[-1:] == ["_"] or any(lowered):
                continue
            if after == "^":
                powers = True
            elif after != "_":
                bare = bare or piece
    if bare is not None and "e" not in declared:
        return ReadError(
            "e can be Euler's number (write \\mathrm{e}) or a quantity", text, bare.start, "declare e for a quantity"
        )
    return powers


def is_imaginary(rows: Iterable[list[Piece]], declared: Mapping[str, object]) -> bool:
    """Whether i is the imaginary unit: it stands in an exponent of e, and nowhere as an index."""
    if "i" in declared:
        return False
    found = False
    for row in rows:
        for at, piece in enumerate(row):
            if piece.text == "i" and piece.kind == "letter" and not piece.style and _is_lowered(row, at):
                return False
            is_exponential = piece.text in ("e", "exp") and piece.kind in ("letter", "word", "command")
            if is_exponential and at + 1 < len(row) and row[at + 1].text in ("^", "("):
                inside = _group(row, at + 1 + (row[at + 1].text == "^"))
                found = found or any(each.text == "i" and each.kind == "letter" for each in inside)
    return found


def _is_lowered(row: list[Piece], at: int) -> bool:
    """Whether a piece stands in a subscript."""
    depth = 0
    for before in range(at - 1, -1, -1):
        piece = row[before]
        if piece.kind == "sign":
            if piece.text == "_" and depth == 0 and (before == at - 1 or row[before + 1].text == "{"):
                return True
            depth += (piece.text == "}") - (piece.text == "{" and depth > 0)
    return False


def _group(row: list[Piece], at: int) -> list[Piece]:
    """The bracket or the one piece that starts there."""
    depth = 0
    for end in range(at, len(row)):
        depth += (row[end].text in ("{", "(")) - (row[end].text in ("}", ")"))
        if depth <= 0:
            return row[at : end + 1]
    return row[at:]
