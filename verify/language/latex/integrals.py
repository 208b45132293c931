r"""Where does an integral end, and what is its variable?  \int_a^b … \,dx, \mathbb{E}_{x \sim \mathcal{N}(0, 1)}."""

from __future__ import annotations

from verify.language.latex import brackets, names, read, values
from verify.language.latex.letters import starts_a_name
from verify.language.latex.piece import Piece
from verify.language.latex.place import Place
from verify.language.latex.words import LETTERS
from verify.language.tokens import Token


def integral(place: Place) -> list[Token]:
    r"""\int_a^b … dx as int(…, x, a, b)."""
    first = place.take()
    while place.is_command("limits", "nolimits"):
        place.take()
    low, high = _limits(place, first)
    place.dummies.append("")
    if place.at_differential():
        name = _differential(place)
        place.dummies[-1] = name
        body = read.product(place) if read.starts_an_operand(place) else [place.token("number", "1", first)]
        if read.starts_an_operand(place) or place.at_differential():
            raise place.error("a second differential", "write the integrand in front of its differential")
    else:
        body = _integrand(place)
        if not place.dummies[-1]:
            if not place.at_differential():
                raise place.error("the integral has no differential", r"write \int_a^b … \,dx", first)
            place.dummies[-1] = _differential(place)
    name = place.dummies.pop()
    if place.is_sign("/") or place.is_command("div"):
        raise place.error("a differential is divided here", r"write \int \frac{dx}{x}, or brackets around the integral")
    comma = place.token("sign", ",", first)
    return place.called("int", [*body, comma, place.token("name", name, first), comma, *low, comma, *high], first)


def _integrand(place: Place) -> list[Token]:
    """The terms up to the differential, which the first of them may hold above its bar."""
    out: list[Token] = []
    while not out or place.is_sign("+", "-"):
        if place.is_sign("+", "-"):
            sign = place.take()
            out.append(place.token("sign", sign.text))
        start = place.piece
        several = len(out) > 1
        out += read.product(place)
        if place.dummies[-1]:
            if several:
                raise place.error("how far does this integral reach?", "write brackets around the integrand", start)
            return out
    return out


def _differential(place: Place) -> str:
    place.take()
    name, indices = names.name_with_subscript(place)
    if indices:
        raise place.error("integration by an entry", "write a letter of its own", place.before)
    return name


def above_the_bar(place: Place) -> list[Token] | None:
    r"""The numerator of \int \frac{dx}{x} without its differential; None where no differential ends it."""
    if not place.dummies or place.dummies[-1] or not place.is_sign("{"):
        return None
    end, depth = place.at, 0
    for end in range(place.at, len(place.pieces)):
        piece = place.pieces[end]
        depth += (piece.kind == "sign") * ((piece.text == "{") - (piece.text == "}"))
        if depth == 0:
            break
    start = place.at
    d = place.pieces[end - 2]
    if end - start < 3 or d.text != "d" or d.kind not in ("letter", "word") or place.pieces[end - 1].kind == "sign":
        return None
    place.take()
    body = [place.token("number", "1", d)] if place.at == end - 2 else read.total(place)
    if not place.at_differential():
        place.at = start
        return None
    place.dummies[-1] = _differential(place)
    place.expect("}", "after the differential")
    return body


def _limits(place: Place, first: Piece) -> tuple[list[Token], list[Token]]:
    low: list[Token] = []
    high: list[Token] = []
    while place.is_sign("_", "^"):
        sign = place.take()
        if sign.text == "_" and _is_line(place):
            infinity = place.token("constant", "oo", sign)
            return [place.token("sign", "-", sign), infinity], [infinity]
        found = read_limit(place)
        if sign.text == "_":
            low = found
        else:
            high = found
    if not low or not high:
        raise place.error(
            "an indefinite integral is known up to a constant only",
            r"write \int_a^b, or differentiate what is claimed",
            first,
        )
    return low, high


def read_limit(place: Place) -> list[Token]:
    """A limit of an integral, in braces or one piece."""
    dummies, place.dummies = place.dummies, []
    out = values.argument(place)
    place.dummies = dummies
    return out


def _is_line(place: Place) -> bool:
    r"""Go behind \mathbb{R}, in braces or not."""
    braced = place.is_sign("{") and place.after.kind == "blackboard"
    if not braced and place.piece.kind != "blackboard":
        return False
    if braced:
        place.take()
    if place.piece.text != "R":
        raise place.error("only integrals over intervals and over the real line are read")
    place.take()
    if braced:
        place.expect("}", "after the set")
    return True


# --- expectations -----------------------------------------------------------------------------


def expectation(place: Place) -> list[Token]:
    r"""\mathbb{E}_{x \sim \mathcal{N}(m, s^2)}[…] as expect(…, x ~ normal(m, s))."""
    first = place.take()
    name, law = _subscript(place) if place.is_sign("_") else ("", [])
    if not read.opens_a_bracket(place):
        raise place.error("an expectation needs brackets around what it is of", r"write \mathbb{E}_{x\sim …}[…]")
    body = brackets.bracket(place)[1:-1]
    if not law:
        drawn = [each.text for each in body if each.kind == "name" and each.text in place.laws]
        wanted = [name] if name in place.laws else list(dict.fromkeys(drawn))
        if len(wanted) != 1:
            raise place.error(
                "the expectation does not say under which law", r"write \mathbb{E}_{x\sim\mathcal{N}(0,1)}[…]", first
            )
        name, here = wanted[0], place.at
        place.at = place.laws[name]
        law = law_at(place)
        place.at = here
    tail = [place.token("sign", ",", first), place.token("name", name, first), place.token("sign", "~", first), *law]
    return place.called("expect", [*body, *tail], first)


def is_expectation(place: Place) -> bool:
    r"""Whether \mathbb{E}, \mathbf{E} or an upright E stands next, with its brackets or its law."""
    piece = place.piece
    if piece.text != "E" or "E" in place.declared:
        return False
    if piece.kind == "word" and place.after.text == "_" and place.pieces[place.at + 2].text in "{0123456789":
        ahead = place.pieces[place.at + 2 : place.at + 4]
        return ahead[0].text == "{" and ahead[1].kind != "number"
    if piece.kind in ("blackboard", "word"):
        return True
    return piece.kind == "letter" and piece.style in ("mathbf", "boldsymbol", "mathsf") and place.after.text in "_["


def _subscript(place: Place) -> tuple[str, list[Token]]:
    place.take()
    braced = place.accepts("{")
    if not starts_a_name(place):
        raise place.error("the name of a random variable is missing here", r"write \mathbb{E}_{x\sim …}[…]")
    name, _ = names.name_with_subscript(place)
    law: list[Token] = []
    if place.is_command("sim"):
        place.take()
        law = law_at(place)
    if braced:
        place.expect("}", "after the law")
    return name, law


def is_law(place: Place) -> bool:
    r"""Whether \mathcal{N}(…), \mathcal{U}(…), Exp(…) stands next."""
    return _LAWS.get(place.piece.text) is not None and place.after.text == "("


_LAWS = {
    "N": "normal", "Normal": "normal", "U": "uniform", "Unif": "uniform", "Uniform": "uniform", "Exp": "exponential",
}  # fmt: skip


def density_at(place: Place) -> list[Token] | None:
    r"""The density \mathcal{N}(x; mu, sigma^2), or with a covariance matrix, written out; None for all else."""
    piece, start = place.piece, place.at
    if piece.text != "N" or (piece.style not in ("mathcal", "") and piece.kind != "word"):
        return None
    place.take()
    given = split(brackets.arguments(place))
    if len(given) != 3:
        place.at = start
        return None
    x, mean, spread = (place.bracketed(each, piece) for each in given)

    def of(text: str) -> list[Token]:
        kinds = {True: "number", False: "sign"}
        return [place.token(kinds[each.isdigit()], each, piece) for each in text.split()]

    place.notes.setdefault(r"\mathcal{N}(x; …) is read as the density of the normal law")
    apart = place.bracketed([*x, *of("-"), *mean], piece)
    two_pi = [*of("2 *"), place.token("constant", "pi", piece), *of("*"), *spread]
    if len(place.shape(spread) or ()) == 2:
        form = [*apart, *of("' *"), *place.called("inv", spread, piece), *of("*"), *apart]
        below = place.called("sqrt", place.called("det", two_pi, piece), piece)
    else:
        form = [*apart, *of("^ 2 /"), *spread]
        below = place.called("sqrt", two_pi, piece)
    above = place.called("exp", [*of("-"), *place.bracketed(form, piece), *of("/ 2")], piece)
    return place.bracketed([*above, *of("/"), *below], piece)


def scan_laws(place: Place) -> None:
    r"""Remember where X \sim … stands behind a formula."""
    found = place.pieces
    for at in range(1, len(found) - 1):
        if found[at].text == "sim" and found[at - 1].kind in ("letter", "command"):
            here, place.at = place.at, at + 1
            if is_law(place):
                place.laws[LETTERS.get(found[at - 1].text, found[at - 1].text)] = at + 1
            place.at = here


def law_at(place: Place) -> list[Token]:
    r"""The tokens of a law: \mathcal N(mu, sigma^2) has the variance, normal(mu, sigma) the standard deviation."""
    piece = place.piece
    if not is_law(place):
        raise place.error(f"a law is needed here, found {place.shown()}", r"write \mathcal{N}(\mu, \sigma^2)")
    place.take()
    given = split(brackets.arguments(place))
    law = _LAWS[piece.text]
    if len(given) != (1 if law == "exponential" else 2):
        raise place.error(f"{len(given)} parameters of a law", r"write \mathcal{N}(\mu, \sigma^2)", piece)
    if law == "normal":
        given[1] = _deviation(place, given[1], piece)
    comma = place.token("sign", ",", piece)
    inside = [token for i, each in enumerate(given) for token in ([comma] if i else []) + each]
    return place.called(law, inside, piece)


def _deviation(place: Place, variance: list[Token], piece: Piece) -> list[Token]:
    """The standard deviation for a variance; a covariance matrix stays."""
    if len(place.shape(variance) or ()) == 2:
        return variance
    if len(variance) == 1 and variance[0].text == "1":
        return variance
    if len(variance) == 3 and variance[1].text == "^" and variance[2].text == "2":
        place.notes.setdefault(
            rf"\mathcal{{N}}(…, {variance[0].text}^2) has the variance {variance[0].text}^2, and {variance[0].text} > 0"
        )
        return variance[:1]
    place.notes.setdefault(r"the second parameter of \mathcal{N} is read as the variance")
    return place.called("sqrt", variance, piece)


def split(tokens: list[Token]) -> list[list[Token]]:
    """The parts between the commas that stand in no bracket."""
    parts: list[list[Token]] = [[]]
    depth = 0
    for token in tokens:
        depth += (token.text in ("(", "[")) - (token.text in (")", "]"))
        if token.text == "," and depth == 0:
            parts.append([])
        else:
            parts[-1].append(token)
    return parts
