r"""Which words, typefaces, accents and environments do the pieces of a formula make?  \\mathrm{tr} is one word."""

from __future__ import annotations

from verify.language.errors import ReadError
from verify.language.latex.piece import Piece
from verify.language.latex.words import (
    ACCENTS,
    BLOCKS,
    CASES,
    DEFINED_BY,
    FRACTIONS,
    FUNCTIONS,
    LINES,
    MATRICES,
    SIDES,
    SILENT,
    STYLES,
    SWITCHES,
    WORDS,
)

_TEXTS = ("text", "mbox", "textbf", "textit", "textrm", "textnormal")


def grouped(text: str, raw: list[Piece]) -> list[Piece]:
    """Words, styles and environments as one piece each; spaces and labels are gone."""
    try:
        return _double_bars(_one_sided(text, _unwrapped(_grouped(text, raw))))
    except RecursionError:
        raise ReadError("too many braces inside each other", text, 0) from None


def _unwrapped(found: list[Piece]) -> list[Piece]:
    """Words without braces of their own, {\\rm tr}, where the braces are not those of an argument."""
    out: list[Piece] = []
    at = 0
    while at < len(found):
        group = found[at : at + 3]
        before = out[-1] if out else None
        # A differential is no second argument of a fraction.
        closed = ("^", "_") if len(group) > 1 and group[1].text == "d" else ("^", "_", "}", "]")
        free = before is None or before.text not in (*closed, *FRACTIONS, "sqrt")
        if free and len(group) == 3 and (group[0].text, group[1].kind, group[2].text) == ("{", "word", "}"):
            out.append(group[1]._replace(start=group[0].start, end=group[2].end))
            at += 3
        else:
            out.append(found[at])
            at += 1
    return out


def _grouped(text: str, raw: list[Piece]) -> list[Piece]:
    found: list[Piece] = []
    at = 0
    while at < len(raw):
        piece = raw[at]
        at += 1
        if piece.kind == "space":
            continue
        if piece.kind == "unknown":
            raise ReadError(f"unexpected character {piece.text!a}", text, piece.start)
        if piece.kind != "command":
            found.append(piece)
        elif piece.text in ("intertext", "shortintertext"):
            _, at = _argument(text, raw, at, piece)
            found.append(Piece("row", "", piece.start, raw[at - 1].end))
        elif piece.text in _TEXTS:
            inside, at = _argument(text, raw, at, piece)
            found.extend(_words(text, inside, piece, raw[at - 1].end))
        elif piece.text in SILENT:
            inside, at = _argument(text, raw, at, piece)
        elif piece.text in ("quad", "qquad"):
            found.append(Piece("text", "", piece.start, piece.end))
        elif piece.text in ("begin", "end"):
            at = _environment(text, raw, at, piece, found)
        elif piece.text in SIDES:
            at = _side(raw, at, piece, found)
        elif piece.text in BLOCKS:
            at = _block(text, raw, at, piece, found)
        elif piece.text in ("vert", "Vert"):
            kind = "sign" if piece.text == "vert" else "command"
            found.append(Piece(kind, "|", piece.start, piece.end))
        elif piece.text in SWITCHES:
            inside, at = _rest_of_group(text, raw, at, piece)
            named = piece._replace(text=SWITCHES[piece.text])
            make = _word if piece.text == "rm" else _styled
            found.extend(make(text, inside, named, raw[at - 1].end))
        elif piece.text == "mathbb":
            inside, at = _argument(text, raw, at, piece)
            letter = "".join(each.text for each in inside if each.kind != "space")
            if len(letter) != 1:
                raise ReadError("\\mathbb of more than one letter", text, piece.start)
            found.append(Piece("blackboard", letter, piece.start, raw[at - 1].end))
        elif piece.text in WORDS:
            if at < len(raw) and raw[at].text == "*":
                at += 1
            inside, at = _argument(text, raw, at, piece)
            found.extend(_word(text, inside, piece, raw[at - 1].end))
        elif piece.text in STYLES or piece.text in ACCENTS:
            inside, at = _argument(text, raw, at, piece)
            found.extend(_styled(text, inside, piece, raw[at - 1].end))
        else:
            found.append(piece)
    return found


def _rest_of_group(text: str, raw: list[Piece], at: int, piece: Piece) -> tuple[list[Piece], int]:
    """What {\\rm …} reaches: all up to the brace that closes, or a group of its own, as in \\rm{…}."""
    while at < len(raw) and raw[at].kind == "space":
        at += 1
    if at < len(raw) and raw[at].text == "{":
        return _argument(text, raw, at, piece)
    start, depth = at, 0
    while at < len(raw):
        depth += (raw[at].kind == "sign") * ((raw[at].text == "{") - (raw[at].text == "}"))
        if depth < 0:
            return raw[start:at], at
        at += 1
    raise ReadError(f"\\{piece.text} reaches too far", text, piece.start, f"write {{\\{piece.text} …}}")


def _words(text: str, inside: list[Piece], command: Piece, end: int) -> list[Piece]:
    """Words between formulas, and the formulas between $ within them."""
    spelled = _spelled(inside)
    if spelled in FUNCTIONS:
        return [Piece("word", spelled, command.start, end, "operatorname")]
    if spelled in ("d", "e", "T"):
        return [Piece("word", spelled, command.start, end, command.text)]
    found: list[Piece] = []
    part: list[Piece] = []
    formula = False
    for each in [*inside, Piece("unknown", "$", end, end)]:
        if not (each.text == "$" and each.kind == "unknown") and not (each.text in "()" and each.kind == "command"):
            part.append(each)
            continue
        if formula:
            found += _grouped(text, part)
        elif _spelled(part) or not found:
            found.append(Piece("text", _spelled(part), command.start, end))
        part, formula = [], not formula
    return found


def _environment(text: str, raw: list[Piece], at: int, piece: Piece, found: list[Piece]) -> int:
    inside, at = _argument(text, raw, at, piece)
    name = "".join(each.text for each in inside).strip().rstrip("*")
    if name not in LINES and name not in CASES and name not in MATRICES:
        raise ReadError(f"the environment {name[:40]!r} is not supported", text, piece.start)
    start, end = piece.start, raw[at - 1].end
    if piece.text == "begin" and at < len(raw):
        if name in ("array", "alignat", "alignedat"):
            _, at = _argument(text, raw, at, piece)
        elif raw[at].text == "[" and at + 2 < len(raw) and raw[at + 2].text == "]":
            at += 3  # [t], [b]
    name = "cases" if name in CASES else name
    found.append(Piece("begin" if piece.text == "begin" else "end_of", name, start, end))
    return at


def _block(text: str, raw: list[Piece], at: int, piece: Piece, found: list[Piece]) -> int:
    """What is drawn around, above or below a part of a formula."""
    first, at = _argument(text, raw, at, piece)
    end = raw[at - 1].end
    opening, closing = Piece("sign", "{", piece.start, piece.start + 1), Piece("sign", "}", end, end)
    if piece.text in ("overset", "stackrel", "underset"):
        body, at = _argument(text, raw, at, piece)
        base = [each for each in body if each.kind != "space"]
        if len(base) != 1 or base[0].text not in ("=", "equiv"):
            raise ReadError(f"\\{piece.text} is read around = only", text, piece.start, "write the sign alone")
        label = "".join(each.text for each in first if each.kind in ("letter", "command", "sign", "unknown")).lower()
        defined = any(word in label for word in DEFINED_BY) or label in ("!", "?", ":")
        found.append(Piece("command", "coloneqq", piece.start, raw[at - 1].end) if defined else base[0])
        return at
    if piece.text in ("textcolor", "colorbox"):
        first, at = _argument(text, raw, at, piece)
        closing = closing._replace(start=raw[at - 1].end, end=raw[at - 1].end)
    body = _grouped(text, first)
    whole = piece.text == "boxed" and any(each.text == "=" for each in body)
    found.extend(body if whole else [opening, *body, closing])
    if piece.text in ("underbrace", "overbrace"):
        while at < len(raw) and raw[at].kind == "space":
            at += 1
        if at < len(raw) and raw[at].text in ("_", "^") and raw[at].kind == "sign":
            _, at = _argument(text, raw, at + 1, piece)
    return at


def _side(raw: list[Piece], at: int, piece: Piece, found: list[Piece]) -> int:
    """A bracket behind \\left or \\right: of a bar it is known then whether it opens or closes."""
    while at < len(raw) and raw[at].kind == "space":
        at += 1
    side = "l" if piece.text.endswith(("left", "l")) else "r"
    if at == len(raw) or (raw[at].text == "." and raw[at].kind == "sign"):
        found.append(Piece("null", side, piece.start, piece.end))
        return at + 1
    if raw[at].text not in ("|", "vert", "Vert"):
        return at
    name = "vert" if raw[at].text == "vert" or raw[at].kind == "sign" else "Vert"
    found.append(Piece("command", side + name, raw[at].start, raw[at].end))
    return at + 1


def _one_sided(text: str, found: list[Piece]) -> list[Piece]:
    """A brace on the left of an array, with nothing on its right, draws `cases`; all else needs both brackets."""
    out: list[Piece] = []
    opened: list[int] = []
    for piece in found:
        if piece.kind == "begin":
            opened.append(len(out))
        elif piece.kind == "end_of" and opened:
            begun = opened.pop()
            if piece.text != "cases":
                out.append(piece._replace(style=str(begun)))
                continue
        elif piece.kind == "null":
            last = out[-1] if out else piece
            begun = int(last.style) if piece.text == "r" and last.kind == "end_of" and last.style else 0
            if begun == 0 or out[begun - 1].text != "{" or out[begun - 1].kind != "command":
                says = "write both brackets; a value at a point is not read from LaTeX"
                raise ReadError(
                    f"\\{'left' if piece.text == 'l' else 'right'} without a bracket", text, piece.start, says
                )
            out[begun] = out[begun]._replace(text="cases")
            out[-1] = last._replace(text="cases")
            del out[begun - 1]
            continue
        out.append(piece)
    return out


def _double_bars(found: list[Piece]) -> list[Piece]:
    """Bars that always stand in pairs, ||x||, are those of a norm."""
    bars = [i for i, piece in enumerate(found) if piece.text == "|" and piece.kind == "sign"]
    pairs = bars[::2]
    if (
        not bars
        or len(bars) % 4
        or any(b != a + 1 or found[a].end != found[b].start for a, b in zip(pairs, bars[1::2], strict=True))
    ):
        return found
    out = list(found)
    for at in reversed(pairs):
        out[at : at + 2] = [Piece("command", "|", found[at].start, found[at + 1].end)]
    return out


def _argument(text: str, raw: list[Piece], at: int, command: Piece) -> tuple[list[Piece], int]:
    """The pieces of the argument of a command, and the index behind it."""
    while at < len(raw) and raw[at].kind == "space":
        at += 1
    if at == len(raw):
        raise ReadError(f"\\{command.text} needs an argument", text, command.start)
    if raw[at].text != "{" or raw[at].kind != "sign":
        return [raw[at]], at + 1
    depth, start = 0, at
    while at < len(raw):
        if raw[at].kind == "sign":
            depth += (raw[at].text == "{") - (raw[at].text == "}")
        at += 1
        if depth == 0:
            return raw[start + 1 : at - 1], at
    raise ReadError(f"the brace of \\{command.text} is not closed", text, command.start)


def _spelled(inside: list[Piece]) -> str:
    return " ".join("".join(each.text for each in inside).split())


def _word(text: str, inside: list[Piece], command: Piece, end: int) -> list[Piece]:
    spelled = "".join(each.text for each in inside if each.kind != "space")
    if not spelled.isalnum() or not spelled.isascii() or not spelled[:1].isalpha():
        return _styled(text, inside, command, end)
    return [Piece("word", spelled, command.start, end, command.text)]


def _styled(text: str, inside: list[Piece], command: Piece, end: int) -> list[Piece]:
    inside = [each for each in inside if each.kind != "space"]
    while len(inside) > 2 and inside[0].text == "{" and inside[-1].text == "}":
        inside = inside[1:-1]
    # A typeface around a typeface, \boldsymbol{\mathbf{x}}, is the outer one; an accent is kept with the typeface.
    inner = ""
    if len(inside) > 1 and inside[0].kind == "command" and (inside[0].text in STYLES):
        inner = inside[0].text if command.text in ACCENTS else ""
        inside = [each for each in inside[1:] if each.text not in "{}"]
    if len(inside) == 1 and inside[0].kind in ("letter", "command"):
        style = f"{command.text}/{inner}" if inner else command.text
        return [inside[0]._replace(start=command.start, end=end, style=style)]
    if len(inside) == 1 and inside[0].kind == "number":
        return [inside[0]._replace(style=command.text)]
    if len(inside) > 2 and inside[0].kind in ("letter", "command") and inside[1].text in "_^" and not inner:
        return [inside[0]._replace(start=command.start, style=command.text), *_grouped(text, inside[1:])]
    raise ReadError(f"\\{command.text} of more than one letter", text, command.start, "write one letter in it")
