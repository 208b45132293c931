"""Which value stands here, with what stands behind and above it?  Numbers, names, calls, brackets, powers, entries."""

from __future__ import annotations

from verify.language.latex import (
    applied,
    brackets,
    definitions,
    grids,
    indices,
    integrals,
    names,
    read,
    special,
    structures,
    superscripts,
)
from verify.language.latex.identity import identity_at, ones
from verify.language.latex.letters import starts_a_name
from verify.language.latex.piece import Piece
from verify.language.latex.place import Place
from verify.language.latex.words import (
    CLOSING,
    FRACTIONS,
    GREEK_FUNCTIONS,
    MATRICES,
    PRODUCTS,
    REFUSED,
    RELATIONS,
)
from verify.language.tokens import Token

_STRUCTURES = {
    "sqrt": "root", "sum": "sum_over", "prod": "product_over", "dot": "dotted", "ddot": "dotted", "dddot": "dotted",
    "binom": "binomial", "dbinom": "binomial", "tbinom": "binomial",
}  # fmt: skip
_OPENING = ("lvert", "lVert", "lfloor", "lceil", "lbrace", "lparen", "lbrack", "{", "|", "langle")


def power(place: Place) -> list[Token]:
    """An atom with what stands behind and above it."""
    first = place.piece
    base = atom(place)
    if place.is_sign("!"):
        place.take()
        base = [*base, place.token("sign", "!")]
        if place.is_sign("!"):
            raise place.error("a double factorial is not read", "write it out, or brackets for (n!)!")
    if place.is_sign("'"):
        base = _primed(place, base, first)
    if place.is_sign("_"):
        base = _entry(place, base, first)
    if not place.is_sign("^"):
        return base
    name = base[0].text if len(base) == 1 and base[0].kind == "name" else ""
    place.take()
    transposed, exponent = superscripts.superscript(place, base)
    if place.is_sign("_") and transposed and not exponent:
        return _entry(place, [*place.bracketed(base, first), place.token("sign", "'")], first)
    if place.is_sign("^", "_", "'"):
        raise place.error("a second superscript, or a subscript behind the superscript", "write the subscript first")
    by_value = place.depends_on(name) and read.opens_a_bracket(place)
    if name and by_value and (not place.is_shaped(name) or read.holds_one_piece(place)):
        raise place.error(
            f"{place.source(first)}(…) can be a power, an inverse function or a derivative", f"write ({name}(…))^…"
        )
    if name and name not in place.declared and read.opens_a_bracket(place):
        if read.holds_one_piece(place) or not _stands_alone(place, first):
            raise place.error(
                f"{place.source(first)}(…) can be a power of a function or a product", f"declare {name}", first
            )
        place.notes.setdefault(f"{place.source(first)}(…) is read as a product")
    return _raised(place, base, transposed, exponent, first)


def _raised(place: Place, base: list[Token], transposed: bool, exponent: list[Token], first: Piece) -> list[Token]:
    """The base with its exponent, its transposition, or the exponential where the base is Euler's number."""
    if base[-1].text == "]" and "".join(token.text for token in exponent).strip("()") == "-1":
        raise place.error(
            "the entry of an inverse, or the inverse of an entry?", "write (A^{-1})_{ij}, or a fraction", first
        )
    if transposed and exponent:
        return [*place.called("inv", base, first), place.token("sign", "'")]
    if transposed:
        return [*place.bracketed(base, first), place.token("sign", "'")]
    if len(base) == 1 and base[0].kind == "constant" and base[0].text == "E":
        shape = place.shape(exponent)
        if shape and len(shape) == 2:
            place.notes.setdefault("e^… of a matrix is read as the exponential of the matrix")
            return place.called("expm", exponent, first)
        if shape:
            place.notes.setdefault("e^… of a vector is read entry by entry")
            return place.called("exp", exponent, first)
    return [*place.bracketed(base, first), place.token("sign", "^", first), *exponent]


def _primed(place: Place, base: list[Token], first: Piece) -> list[Token]:
    """Primes behind a bracket: the derivative by the one variable of all functions in it."""
    if len(place.shape(base) or ()):
        place.take()
        place.notes.setdefault("' behind a vector or matrix is read as the transposition")
        return [*place.bracketed(base, first), place.token("sign", "'")]
    names = dict.fromkeys(place.depends_on(each.text) for each in base if each.kind == "name")
    names.pop("", None)
    by = next(iter(names), "")
    if len(names) != 1 or "," in by or base[0].text != "(":
        raise place.error("a prime behind this does not say by what", r"write \frac{d}{dx} (…)")
    place.notes.setdefault(f"the prime behind a bracket is read as the derivative by {by}")
    while place.is_sign("'"):
        place.take()
        operator = [
            place.token("name", "∂", first),
            place.token("sign", "/", first),
            place.token("name", f"∂{by}", first),
        ]
        base = place.bracketed([*operator, *place.bracketed(base, first)], first)
    return base


def _entry(place: Place, base: list[Token], first: Piece) -> list[Token]:
    """The entry of a bracket or of a call: (A B)_{ij}, \\operatorname{softmax}(z)_i."""
    shape = place.shape(base)
    if not shape:
        raise place.error("a subscript behind what is no vector or matrix", "write the subscript behind a name")
    place.take()
    sizes = [str(size) for size in shape]
    return [*place.bracketed(base, first), *indices.index(place, sizes)]


def _stands_alone(place: Place, letter: Piece) -> bool:
    """Whether a letter stands somewhere, with or without an exponent, with no bracket behind: functions do not."""
    found = place.pieces
    for at, piece in enumerate(found[:-1]):
        if piece.text != letter.text or piece.kind != letter.kind:
            continue
        following = at + 1
        if found[following].text == "^":
            following += 2
            if found[following - 1].text == "{":
                while following < len(found) - 1 and found[following - 1].text != "}":
                    following += 1
        if found[min(following, len(found) - 1)].text not in ("(", "[", "^"):
            return True
    return False


# --- atoms ------------------------------------------------------------------------------------


def atom(place: Place, alone: bool = False) -> list[Token]:
    """What neither a sign nor a space divides; `alone`: nothing that follows belongs to it."""
    place.deeper()
    out = _atom(place, alone)
    place.depth -= 1
    return out


def _atom(place: Place, alone: bool) -> list[Token]:
    piece = place.piece
    if piece.kind in ("number", "blackboard") and piece.text == "1" and (piece.style or piece.kind == "blackboard"):
        return ones(place)
    if piece.kind == "number":
        place.take()
        return [place.token("number", piece.text)]
    if integrals.is_expectation(place):
        return integrals.expectation(place)
    if integrals.is_law(place) and (density := integrals.density_at(place)) is not None:
        return density
    if (found := identity_at(place)) is not None:
        return found
    if not alone and (called := special.special_at(place)) is not None:
        return called
    if (function := applied.function_at(place)) is not None:
        if alone:
            raise place.error(f"only {place.shown()} is set high", "write braces around the exponent")
        return applied.application(place, function)
    if starts_a_name(place):
        return _named(place, alone)
    if piece.kind == "sign" and piece.text in ("(", "[", "{", "|"):
        return brackets.bracket(place)
    if piece.kind == "begin" and piece.text == "cases":
        return structures.cases(place)
    if piece.kind == "begin" and piece.text in MATRICES:
        return grids.grid(place)
    if piece.kind != "command":
        raise place.error(f"a value is missing before {place.shown()}")
    return _command(place)


def _command(place: Place) -> list[Token]:
    piece = place.piece
    if piece.text in _OPENING:
        return brackets.bracket(place)
    if piece.text in FRACTIONS:
        place.take()
        over = integrals.above_the_bar(place)
        above = place.bracketed(argument(place) if over is None else over, piece)
        below = place.bracketed(argument(place), piece)
        return place.bracketed([*above, place.token("sign", "/", piece), *below], piece)
    if piece.text in _STRUCTURES:
        return getattr(structures, _STRUCTURES[piece.text])(place)
    if piece.text == "int":
        return integrals.integral(place)
    if piece.text == "infty":
        place.take()
        return [place.token("constant", "oo")]
    if piece.text in ("abs", "norm"):
        place.take()
        inside = argument(place)
        return (
            structures.norm(place, inside, piece)
            if piece.text == "norm"
            else brackets.between_bars(place, inside, piece)
        )
    raise unknown(place)


def unknown(place: Place) -> Exception:
    """The error for a command that means nothing here."""
    name = place.piece.text
    if name in REFUSED:
        return place.error(*REFUSED[name])
    if name in RELATIONS or name in PRODUCTS or name in CLOSING:
        return place.error(f"a value is missing before {place.shown()}")
    return place.error(f"the macro \\{name[:40]} is not known", "write what it stands for, or \\operatorname{…}")


def argument(place: Place) -> list[Token]:
    r"""The argument of a command: a group in braces, or the one piece that follows, so that \frac12 is 1/2."""
    piece = place.piece
    if place.accepts("{"):
        bars, place.bars = place.bars, [""]
        out = read.total(place)
        place.bars = bars
        place.expect("}", "after the argument")
        return out
    if piece.kind == "number" and piece.text.isdigit() and len(piece.text) > 1:
        middle = piece.start + 1
        place.pieces[place.at : place.at + 1] = [
            piece._replace(text=piece.text[0], end=middle), piece._replace(text=piece.text[1:], start=middle),
        ]  # fmt: skip
    elif piece.kind in ("sign", "end", "row", "text"):
        raise place.error(f"an argument is missing before {place.shown()}", "write it in braces")
    return atom(place, alone=True)


def _named(place: Place, alone: bool) -> list[Token]:
    """A quantity; a declared function with its primes and arguments."""
    first = place.piece
    name, out = names.quantity(place)
    if name and len(out) == 1 and (meant := definitions.replaced(place, name, first)) is not None:
        return meant
    if not name or alone:
        return out
    depends, shaped = place.depends_on(name), place.is_shaped(name)
    primes = _primes(place, name, bool(depends))
    if primes and shaped and depends:
        return _shaped_derivative(place, name, primes, first)
    if primes and not depends and not shaped:
        if f"{name}_prime" in place.declared and primes == 1:
            return [place.token("name", f"{name}_prime", first)]
        raise place.error(
            f"{name}' does not say by what",
            f"declare {name}: function of x, or {name}_prime: real for a quantity of its own",
            first,
        )
    if primes and shaped:
        place.notes.setdefault(f"{name}' is read as the transposition of {name}")
    out += [place.token("sign", "'", first) for _ in range(primes)]
    is_call = name in GREEK_FUNCTIONS and name not in place.declared
    if (depends or is_call) and place.is_sign("(") and len(out) == 1 + primes:
        if is_call:
            return _greek_call(place, name, first)
        return [*out, place.token("sign", "("), *brackets.arguments(place), place.token("sign", ")")]
    return out


def _greek_call(place: Place, name: str, first: Piece) -> list[Token]:
    function = GREEK_FUNCTIONS[name]
    found = brackets.arguments(place)
    if name == "Gamma" and len(integrals.split(found)) == 2:
        function = "uppergamma"
    place.notes.setdefault(f"{place.text[first.start : first.end]}(…) is read as {function}(…)")
    return place.called(function, found, first)


def _primes(place: Place, name: str, depends: bool) -> int:
    """How many primes follow: ', '' or, behind a declared function, ^{(2)}."""
    count = 0
    while place.is_sign("'"):
        place.take()
        count += 1
    ahead = [piece.text for piece in place.pieces[place.at : place.at + 6]]
    if depends and not count and ahead[:3] == ["^", "{", "("] and ahead[4:] == [")", "}"] and ahead[3].isdigit():
        place.notes.setdefault(f"{name}^{{({ahead[3]})}} is read as the derivative of order {ahead[3]}")
        place.at += 6
        return int(ahead[3])
    if depends and place.is_sign("^") and place.after.text == "prime":
        place.take()
        place.take()
        return 1
    return count


def _shaped_derivative(place: Place, name: str, primes: int, first: Piece) -> list[Token]:
    """A'(t) of a matrix that depends on t; without its argument the prime can be a transposition."""
    depends = place.depends_on(name)
    if "," in depends or not place.is_sign("("):
        raise place.error(
            f"{name}' can be the derivative or the transpose", rf"write \dot {name}, or {name}^\top", first
        )
    return differentiated(place, name, primes, first)


def differentiated(place: Place, name: str, order: int, first: Piece) -> list[Token]:
    """The derivative of a declared function by its one argument, there or where the bracket says."""
    by = place.depends_on(name)
    given: list[Token] = []
    if place.is_sign("(") and read.holds_one_piece(place):
        given = brackets.arguments(place)
    if given and [token.text for token in given] != [by]:
        if place.is_shaped(name) or given[0].kind != "number":
            raise place.error(
                f"the derivative of {name} there can be a product as well", rf"write it at {by}, or write \cdot", first
            )
        primes = [place.token("sign", "'", first) for _ in range(order)]
        return [
            place.token("name", name, first),
            *primes,
            place.token("sign", "(", first),
            *given,
            place.token("sign", ")"),
        ]
    power_ = [place.token("sign", "^", first), place.token("number", str(order), first)] if order > 1 else []
    above, below = place.token("name", "∂", first), place.token("name", f"∂{by}", first)
    quotient = [above, *power_, place.token("sign", "/", first), below, *power_]
    return place.bracketed(
        [*quotient, place.token("sign", "(", first), place.token("name", name, first), place.token("sign", ")")], first
    )
