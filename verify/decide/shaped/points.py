"""Do the two sides differ at these vectors and matrices?  A printed counterexample, read and enclosed again.

Structured matrices are taken back to the free symbols behind them; what has not the structure is refused.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from fractions import Fraction
from math import isqrt
from random import Random

from flint import ctx

from verify.claim import Claim, Variable
from verify.decide.enclose.hunt import Hunt
from verify.decide.enclose.points import Point, read_point
from verify.decide.shaped.arrays import (
    Array,
    determinant,
    flat,
    identity,
    inverse,
    mapped,
    matrix_product,
    negative,
    scalar,
    total,
)
from verify.decide.shaped.choices import with_functions
from verify.decide.shaped.entries import behind, cayley
from verify.decide.shaped.instances import Instance, NoInstance, Unsupported, instances
from verify.decide.shaped.witness import MADE_OF, MIRRORED, written_sides
from verify.graph import ONE, ZERO, Node, num, postorder, substitute, symbol
from verify.language import ReadError, read_expression
from verify.verdict import Counterexample

__all__ = ["differs_at"]


def differs_at(claim: Claim, point: Mapping[str, str]) -> tuple[Counterexample, bool]:
    """Both sides at the point, and whether some entry is apart there and on a ball around it.

    Raises ValueError for a point that is none of the claim, `jets.NoValue` where a side has no value.
    """
    sizes = {}
    for name, variable in claim.domain.variables.items():
        if variable.field == "size":
            if not point.get(name, "").isdigit() or not 1 <= int(point[name]) <= 9:
                raise ValueError(f"the size {name} is missing, a whole number from 1 to 9")
            sizes[name] = int(point[name])
    unknown = set(point) - set(claim.domain.variables)
    if unknown:
        raise ValueError(f"the claim has no {', '.join(sorted(unknown))}")
    given = {name: text for name, text in point.items() if name not in sizes}
    errors: list[str] = []
    try:
        for instance in instances(claim, sizes):
            try:
                chosen, exact = _placed(instance, given)
            except ValueError as error:
                errors.append(str(error))
                continue
            return _judged(chosen, exact)
    except (NoInstance, Unsupported) as error:
        raise ValueError(str(error)) from None
    raise ValueError(errors[0])


def _judged(chosen: Instance, exact: Point) -> tuple[Counterexample, bool]:
    precision = ctx.prec
    lhs, rhs = written_sides(chosen, exact)
    try:
        for claim in _one_entry_each(chosen):
            hunt = Hunt(claim, Random(0))
            here = {name: exact[name] for name in claim.domain.variables}
            if not hunt.sampler.admits(here):
                raise ValueError("the point does not belong to the domain of the claim")
            hunt.judge(here)
            certificate = hunt.certify(here)
            if certificate is not None:
                radius = certificate[0]
                return Counterexample({}, lhs, rhs, "" if radius is None else f"2^-{radius}"), True
    finally:
        ctx.prec = precision
    return Counterexample({}, lhs, rhs), False


def _one_entry_each(chosen: Instance) -> Iterator[Claim]:
    """One claim for each entry, defined where all entries are."""
    count = len(flat(chosen.lhs))
    for k in range(count):
        yield chosen.combined([ONE if i == k else ZERO for i in range(count)] if count > 1 else [ONE])


# --- from text to coordinates -----------------------------------------------------------------------


def _array(text: str) -> list[list[str]]:
    """The entries of a number, [1, 2], or [[1, 2], [3, 4]]."""
    text = text.strip()
    if not text.startswith("["):
        return [[text]]
    rows = [_split(row) if row.startswith("[") else [row] for row in _split(text)]
    if not rows or len({len(row) for row in rows}) != 1:
        raise ValueError(f"{text[:60]!r} is no array; write [[1, 2], [3, 4]]")
    return rows


def _split(text: str) -> list[str]:
    if not text.endswith("]"):
        raise ValueError(f"{text[:60]!r} has no closing bracket")
    parts, depth = [""], 0
    for character in text[1:-1]:
        depth += (character in "[(") - (character in "])")
        if character == "," and depth == 0:
            parts.append("")
        else:
            parts[-1] += character
    return [part.strip() for part in parts]


def _placed(instance: Instance, point: Mapping[str, str]) -> tuple[Instance, Point]:
    """The instance with its functions, and the coordinates of its free symbols."""
    exact: Point = {}
    checked: list[tuple[Variable, Array, Array]] = []
    functions: dict[str, Node] = dict.fromkeys(instance.places, ZERO)
    for name, variable in instance.claim.domain.variables.items():
        if variable.field == "size":
            continue
        shown = instance.named[name] if variable.of else instance.shown[name]
        if variable.of and variable.structure in MADE_OF and name in point:
            shown, text = _behind(variable, shown, point[name])
        else:
            text = point.get(name)
        given = None if text is None else _array(text)
        if given is None:
            # A name that does not matter need not be given.
            given = [["0"] * len(shown[0]) for _ in shown]
            exact |= {e: (Fraction(0), Fraction(0)) for e in _symbols(shown)}
            continue
        if (len(given), len(given[0])) != (len(shown), len(shown[0])):
            raise ValueError(f"{name} has {len(shown)}×{len(shown[0])} entries here, not {len(given)}×{len(given[0])}")
        if variable.of:
            functions |= _functions(shown, given)
        elif not variable.shape and shown == scalar(symbol(name)):
            exact |= read_point({name: given[0][0]})
        else:
            numbers = _numbers(name, given)
            exact |= _coordinates(variable, shown, numbers)
            checked.append((variable, shown, numbers))
    values = {symbol(name): num(x) for name, (x, _) in exact.items()}
    for variable, shown, numbers in checked:
        if mapped(lambda entry: substitute(entry, values), shown) != numbers:
            raise ValueError(f"{variable.name} is not {variable.structure or 'of this form'}")
    return with_functions(instance, functions), exact


def _behind(variable: Variable, shown: Array, text: str) -> tuple[Array, str]:
    """The matrix that a matrix of functions is made of, and what is given for it."""
    inner = behind(variable.structure, shown)
    beginning = MADE_OF[variable.structure]
    if variable.structure == "orthogonal" and shown != cayley(inner, 1):
        beginning = MIRRORED + beginning
    if not text.startswith(beginning):
        raise ValueError(f"{variable.name} does not begin with {beginning!r}")
    return inner, text.removeprefix(beginning)


def _symbols(a: Array) -> Iterator[str]:
    return (n.value for n in postorder(*flat(a)) if n.op == "symbol")


def _numbers(name: str, given: list[list[str]]) -> Array:
    try:
        return tuple(tuple(num(Fraction(text)) for text in row) for row in given)
    except (ValueError, ZeroDivisionError):
        raise ValueError(f"an entry of {name} is no exact number; write it as 3/7") from None


def _functions(shown: Array, given: list[list[str]]) -> dict[str, Node]:
    try:
        pairs = zip(flat(shown), (text for row in given for text in row), strict=True)
        return {entry.value: read_expression(text) for entry, text in pairs if entry.op == "symbol"}
    except ReadError as error:
        raise ValueError(str(error)) from None


def _coordinates(variable: Variable, shown: Array, given: Array) -> Point:
    """The free symbols behind a matrix, if it has the structure."""
    match variable.structure:
        case "spd":
            return _matched(behind("spd", shown), _cholesky(variable.name, given))
        case "orthogonal":
            return _matched(behind("orthogonal", shown), _turn_of(given))
    if len(variable.shape) == 1 and (places := sorted(set(_symbols(shown)))) and _is_projected(shown):
        return _projected(variable.name, places, [row[0].value for row in given])
    return _matched(shown, given)


def _is_projected(shown: Array) -> bool:
    """Whether a vector is told by coordinates on a sphere (see `entries`)."""
    return not any(entry.op in ("symbol", "num") for entry in flat(shown)) and "_S_" in next(_symbols(shown))


def _projected(name: str, places: list[str], x: list[Fraction]) -> Point:
    """The coordinates s of x = r (1 - s's, 2 s)/(1 + s's)."""
    radius = _root(name, sum((entry * entry for entry in x), Fraction(0)))
    if radius + x[0] == 0:
        raise ValueError(f"{name} is the one point of a sphere that is not reached")
    return {place: (entry / (radius + x[0]), Fraction(0)) for place, entry in zip(places, x[1:], strict=True)}


def _matched(shown: Array, given: Array) -> Point:
    pairs = zip(flat(shown), flat(given), strict=True)
    return {entry.value: (value.value, Fraction(0)) for entry, value in pairs if entry.op == "symbol"}


def _cholesky(name: str, given: Array) -> Array:
    n = len(given)
    lower = [[Fraction(0)] * n for _ in range(n)]
    for i in range(n):
        for j in range(i + 1):
            rest = given[i][j].value - sum(lower[i][k] * lower[j][k] for k in range(j))
            lower[i][j] = _root(name, rest) if i == j else rest / lower[j][j]
    return tuple(tuple(num(x) for x in row) for row in lower)


def _root(name: str, x: Fraction) -> Fraction:
    root = Fraction(isqrt(max(0, x.numerator)), isqrt(x.denominator))
    if root <= 0 or root * root != x:
        raise ValueError(f"{name}: {x} is no square of a positive number")
    return root


def _turn_of(given: Array) -> Array:
    """S of (I - S) (I + S)^-1, for a matrix of determinant 1 or with its first row turned round."""
    rows = given
    if determinant(given).value < 0:
        rows = tuple(tuple(map(negative, row)) if i == 0 else row for i, row in enumerate(given))
    one = identity(len(rows))
    below = mapped(lambda *t: total(t), one, rows)
    if determinant(below) is ZERO:
        raise ValueError("a rotation by half a turn is not reached")
    return matrix_product(mapped(lambda a, b: total((a, negative(b))), one, rows), inverse(below))
