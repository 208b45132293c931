"""Which claims is one equality of a display?  One, or one for each entry of matrices that are written out."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from verify.claim import Claim
from verify.graph import postorder
from verify.language.claims import Let, claim_of
from verify.language.errors import ReadError
from verify.language.latex.chains import Side
from verify.language.latex.grids import Grid, has_grids, written_out
from verify.language.latex.measure import readings
from verify.language.latex.place import Place
from verify.language.tokens import Token
from verify.language.write import write_claim

_INDICES = frozenset("ijklmn")
#: Names for the weights of claims about every entry, the first one that is free.
_WEIGHTS = ("w", "c", "u", "v", "q", "weights")


def claims_of(text: str, place: Place, link: Side, endings: list[list[Token]], let: Let) -> Iterator[Claim]:
    """The claims of an equality.  Raises ReadError."""
    if not has_grids(link.left) and not has_grids(link.right):
        yield _claim(text, place, link, endings, let)
        return
    left, right = written_out(place, link.left), written_out(place, link.right)
    if not isinstance(left, Grid) or not isinstance(right, Grid):
        if isinstance(left, Grid) or isinstance(right, Grid):
            raise ReadError("a matrix that is written out equals no name or number", text, link.sign.start)
        yield _claim(text, place, Side(left, link.sign, right), endings, let)
        return
    if left.shape != right.shape:
        raise ReadError(f"matrices of the shapes {left.shape} and {right.shape}", text, link.sign.start)
    for i, rows in enumerate(zip(left.rows, right.rows, strict=True), start=1):
        for j, (one, other) in enumerate(zip(*rows, strict=True), start=1):
            claim = _claim(text, place, Side(one, link.sign, other), endings, let)
            yield replace(claim, notes=(f"entry {i}, {j} of the matrices", *claim.notes))


def _claim(text: str, place: Place, link: Side, endings: list[list[Token]], let: Let) -> Claim:
    used = {token.text for token in (*link.left, *link.right)}
    let = dict.fromkeys((name for name in place.whole if name in used), "positive integer") | dict(let)
    left, right, let, note = _for_every_entry(place, link, let)
    end = Token("end", "", len(text), len(text))
    sections = [[*ending, end] for ending in endings]
    found: dict[tuple[object, object], Claim] = {}
    failed: ReadError | None = None
    for tokens, says in readings([*left, link.sign, *right, end], place.choices):
        try:
            claim = claim_of(text, tokens, sections, let)
        except ReadError as error:
            failed = failed or error
            continue
        except RecursionError:
            raise ReadError("too many brackets inside each other", text, 0) from None
        claim = _without_idle_names(claim)
        _check_indices(claim, place, link)
        notes = dict.fromkeys((*place.notes, *note, *says, *claim.notes))
        found.setdefault((claim.lhs, claim.rhs), replace(claim, text=write_claim(claim), notes=tuple(notes)))
    if len(found) > 1:
        raise ReadError(
            "the shapes allow several readings: " + ", or ".join(
                write_claim(each).partition(" with ")[0] for each in list(found.values())[:3]
            ), text, link.sign.start, "write the size, as in I_n, or the claim as text"
        )  # fmt: skip
    if not found:
        assert failed is not None
        raise failed
    return next(iter(found.values()))


def _check_indices(claim: Claim, place: Place, link: Side) -> None:
    """Refuse a derivative by x_i beside x_j: entries of one vector are no quantities of their own."""
    by = {node.value[0] for node in postorder(claim.lhs, claim.rhs) if node.op == "derivative"}
    for name in sorted(by):
        base, _, index = name.rpartition("_")
        if not base or index not in _INDICES:
            continue
        for other in claim.domain.variables:
            same, _, another = other.rpartition("_")
            open_ = name not in place.declared or other not in place.declared
            if open_ and other != name and same == base and another in _INDICES:
                raise ReadError(
                    f"{name} and {other} can be entries of one vector {base}", place.text, link.sign.start,
                    f"declare {base}: vector(n), or {name} and {other} as quantities of their own",
                )  # fmt: skip


def _without_idle_names(claim: Claim) -> Claim:
    """The claim without declared names that it does not speak of; a display declares them for all its lines."""
    named: set[str] = set()
    for node in postorder(claim.lhs, claim.rhs, *claim.domain.conditions):
        parts = node.value if isinstance(node.value, tuple) else (node.value,)
        named |= {part for part in parts if isinstance(part, str)}
    variables = claim.domain.variables
    waiting = [name for name in variables if name in named]
    kept: set[str] = set()
    while waiting:
        name = waiting.pop()
        kept.add(name)
        if name in variables:
            needed = (*variables[name].of, *(size for size in variables[name].shape if isinstance(size, str)))
            waiting += [each for each in needed if each not in kept]
    domain = replace(claim.domain, variables={name: each for name, each in variables.items() if name in kept})
    return replace(claim, domain=domain)


def _for_every_entry(place: Place, link: Side, let: Let) -> tuple[list[Token], list[Token], Let, list[str]]:
    """Sides with free indices, each summed over all entries with arbitrary weights: equal if all entries are."""
    sides = [link.left, link.right]
    free = [name for name in place.ranges if any(name in _free_names(side) for side in sides)]
    if not free:
        return link.left, link.right, let, []
    for name in free:
        if any(_binds(side, name) for side in sides):
            raise ReadError(
                f"{name} is the index of a sum, and stands outside of it as well", place.text, link.sign.start,
                "write brackets around what is summed, or rename it",
            )  # fmt: skip
    if len(free) > 2:
        raise ReadError("more than two free indices", place.text, link.sign.start, "write the sums")
    used = {token.text for side in sides for token in side} | set(let)
    weights = next(name for name in _WEIGHTS if name not in used)
    sizes = [place.ranges[name] for name in free]
    wrapped = [_summed(place, side, free, sizes, weights, link.sign) for side in sides]
    kind = f"vector({sizes[0]})" if len(sizes) == 1 else f"matrix({', '.join(sizes)})"
    note = f"{', '.join(free)} stands for every entry: both sides are summed with arbitrary weights {weights}"
    return wrapped[0], wrapped[1], {**let, weights: kind}, [note]


def _summed(
    place: Place, side: list[Token], names: Sequence[str], sizes: Sequence[str], weights: str, sign: Token
) -> list[Token]:
    def of(kind: str, text: str) -> Token:
        return place.token(kind, text, sign)

    indices = [token for i, name in enumerate(names) for token in ([of("sign", ",")] if i else []) + [of("name", name)]]
    out = [
        *place.bracketed(side, None), of("sign", "*"), of("name", weights), of("sign", "["),
        *indices, of("sign", "]"),
    ]  # fmt: skip
    for name, size in zip(names, sizes, strict=True):
        comma = of("sign", ",")
        end = of("number" if size.isdigit() else "name", size)
        out = [
            of("name", "sum"), of("sign", "("), *out, comma, of("name", name), comma, of("number", "1"), comma, end,
            of("sign", ")"),
        ]  # fmt: skip
    return out


def _binds(tokens: list[Token], name: str) -> bool:
    """Whether a sum over this index stands there."""
    return any(
        token.text == "," and tokens[at + 1].text == name and tokens[at + 2].text == ","
        for at, token in enumerate(tokens[:-2])
    )


def _free_names(tokens: list[Token]) -> set[str]:
    """Names that occur outside the sums that bind them."""
    free: set[str] = set()
    at = 0
    while at < len(tokens):
        token = tokens[at]
        at += 1
        if token.kind != "name":
            continue
        if token.text != "sum" or at >= len(tokens) or tokens[at].text != "(":
            free.add(token.text)
            continue
        end, commas, depth = at, [], 0
        while end < len(tokens):
            text = tokens[end].text
            depth += (text in ("(", "[")) - (text in (")", "]"))
            commas += [end] if text == "," and depth == 1 else []
            end += 1
            if depth == 0:
                break
        if len(commas) < 3:
            continue
        index = tokens[commas[-3] + 1].text
        free |= _free_names(tokens[at + 1 : commas[-3]]) - {index}
        free |= _free_names(tokens[commas[-2] : end])
        at = end
    return free
