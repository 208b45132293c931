"""Where is a claim tried?  Seeded exact points of its declared domain, of several sizes and signs.

A coordinate is a pair of fractions, real and imaginary part.  Small powers of two in the denominators make
most coordinates exact balls.  A point belongs to the domain only if every bound and condition holds for certain.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import cycle
from math import ceil, floor, frexp
from random import Random
from typing import TypeAlias

from flint import acb, arb, ctx, fmpq

from verify.claim import Domain, Variable
from verify.decide.enclose.balls import Program
from verify.decide.enclose.jets import NoValue
from verify.graph import Node, free_symbols

Coordinate: TypeAlias = tuple[Fraction, Fraction]
Point: TypeAlias = dict[str, Coordinate]

#: Bits at which bounds and conditions are compared.
BITS = 128
SCALES = ("unit", "small", "ten", "simple", "tiny", "hundred")
_PLAN = (("unit",), SCALES[:3], ("unit",), SCALES[:4], ("simple",), SCALES, ("unit",), ("ten",))
_SIMPLE = tuple(Fraction(n, d) for n, d in ((1, 1), (2, 1), (3, 1), (1, 2), (3, 2), (4, 1), (5, 2), (1, 4), (5, 1)))
_WHOLE = (1, 2, 3, 4, 0, 5, 6, 8, 11)


@dataclass(frozen=True)
class Bound:
    """One end of an interval: exact where the text gives a number, else a ball; `near` is a fraction close to it."""

    near: Fraction
    ball: acb
    exact: bool
    closed: bool

    def below(self, x: Fraction) -> bool:
        """Whether the bound is certainly less than x (or equal, where it belongs to the interval)."""
        if self.exact:
            return self.near < x or (self.closed and self.near == x)
        return self.ball.real < rational(x)

    def above(self, x: Fraction) -> bool:
        """Whether the bound is certainly greater than x (or equal, where it belongs to the interval)."""
        if self.exact:
            return self.near > x or (self.closed and self.near == x)
        return self.ball.real > rational(x)


@dataclass(frozen=True)
class Range:
    """The set of one variable."""

    name: str
    field: str
    low: Bound | None
    high: Bound | None

    def admits(self, coordinate: Coordinate) -> bool:
        x, y = coordinate
        if self.field == "complex":
            return True
        if y or (self.field == "integer" and x.denominator != 1):
            return False
        return (self.low is None or self.low.below(x)) and (self.high is None or self.high.above(x))

    @property
    def signed(self) -> bool:
        """Whether both signs occur."""
        return (self.low is None or self.low.near < 0) and (self.high is None or self.high.near > 0)


def rational(x: Fraction) -> arb:
    """The fraction as a ball."""
    return arb(x.numerator) if x.denominator == 1 else arb(fmpq(x.numerator, x.denominator))


def as_ball(coordinate: Coordinate, range_: Range, radius: arb | None = None) -> acb:
    """The coordinate, thickened by the radius in every direction in which it varies continuously."""
    x, y = coordinate
    if radius is None or range_.field == "integer":
        return acb(rational(x), rational(y)) if y else acb(rational(x))
    if range_.field == "complex":
        return acb(rational(x) + arb(0, radius), rational(y) + arb(0, radius))
    return acb(rational(x) + arb(0, radius))


def _bound(node: Node | None, closed: bool) -> Bound | None:
    if node is None:
        return None
    if node.op == "num":
        return Bound(node.value, acb(rational(node.value)), True, closed)
    (ball,) = Program((node,), real=True).values({})
    man, exp = ball.real.mid().man_exp()
    return Bound(Fraction(int(man)) * Fraction(2) ** int(exp), ball, False, closed)


class Sampler:
    """Points of a domain.  Nothing here depends on what is claimed, and everything on the generator."""

    def __init__(self, domain: Domain, rng: Random) -> None:
        self.rng = rng
        precision, ctx.prec = ctx.prec, BITS
        try:
            self.ranges = {name: _range(variable) for name, variable in domain.variables.items()}
            for condition in domain.conditions:
                self._narrow(condition)
        finally:
            ctx.prec = precision
        real = all(r.field != "complex" for r in self.ranges.values())
        self.conditions = Program(domain.conditions, real) if domain.conditions else None

    def _narrow(self, condition: Node) -> None:
        """A condition between a name and a constant is an end of its range."""
        if condition.op == "and":
            for part in condition.args:
                self._narrow(part)
        if condition.op != "compare" or condition.value not in ("<", "<=", ">", ">="):
            return
        left, right = condition.args
        upwards = condition.value[0] == ">"
        if left.op != "symbol":
            left, right, upwards = right, left, not upwards
        if left.op != "symbol" or free_symbols(right) or self.ranges[left.value].field == "complex":
            return
        r, bound = self.ranges[left.value], _bound(right, condition.value.endswith("="))
        if bound is None:
            return
        if upwards and (r.low is None or r.low.near < bound.near):
            self.ranges[left.value] = replace(r, low=bound)
        elif not upwards and (r.high is None or r.high.near > bound.near):
            self.ranges[left.value] = replace(r, high=bound)

    def admits(self, point: Point) -> bool:
        """Whether the point certainly belongs to the domain."""
        return all(r.admits(point[name]) for name, r in self.ranges.items()) and not self.shortfall(point)

    def shortfall(self, point: Point) -> float:
        """How many conditions do not certainly hold (dimensionless; a fraction measures by how much)."""
        if self.conditions is None:
            return 0.0
        precision, ctx.prec = ctx.prec, BITS
        try:
            values = self.conditions.run(self.env(point))
            missing = sum(values[root] is not True for root in self.conditions.roots)
            return missing + self._distance(values) if missing else 0.0
        except NoValue:
            return float(len(self.conditions.roots)) + 1
        finally:
            ctx.prec = precision

    def _distance(self, values: Sequence) -> float:
        """A number below 1 that grows with the distance between the sides of comparisons that do not hold."""
        assert self.conditions is not None
        total = 0.0
        for node, (_, _, inputs), value in zip(self.conditions.nodes, self.conditions.steps, values, strict=True):
            if node.op == "compare" and value is not True:
                gap = (values[inputs[0]] - values[inputs[1]]).abs_upper()
                total += float(gap) if gap.is_finite() else 1e9
        return total / (1 + total)

    def env(self, point: Point, radius: arb | None = None) -> dict[str, acb]:
        """The point as balls, at the current precision."""
        return {name: as_ball(c, self.ranges[name], radius) for name, c in point.items()}

    def draw(self, scales: Sequence[str], positive: bool = False) -> Point | None:
        """A point with coordinates of sizes drawn from `scales`; None if it is not certain to belong to the domain."""
        point = self.anywhere(scales, positive)
        return point if self.admits(point) else None

    def anywhere(self, scales: Sequence[str] = SCALES, positive: bool = False) -> Point:
        """A point that need not fulfil the conditions."""
        return {name: self._coordinate(r, self.rng.choice(scales), positive) for name, r in self.ranges.items()}

    def _coordinate(self, r: Range, scale: str, positive: bool) -> Coordinate:
        rng = self.rng
        if r.field == "complex":
            sign = 1 if positive else rng.choice((1, -1))
            other = rng.choice((1, -1))
            height = self._size("small" if positive or rng.random() < 0.3 else scale)
            return sign * self._size(scale), other * height
        sign = -1 if r.signed and not positive and rng.random() < 0.5 else 1
        if r.low is not None and r.high is not None:
            return self._between(r, scale, sign), Fraction(0)
        if r.field == "integer":
            step = Fraction(rng.choice(_WHOLE[:4] if scale == "unit" else _WHOLE))
            if r.low is not None:
                return Fraction(floor(r.low.near)) + step, Fraction(0)
            if r.high is not None:
                return Fraction(floor(r.high.near)) - step, Fraction(0)
            return sign * step, Fraction(0)
        size = self._size(scale)
        if r.low is not None:
            return (r.low.near + size if r.low.near >= 0 or not r.signed else sign * size), Fraction(0)
        if r.high is not None:
            return (r.high.near - size if r.high.near <= 0 or not r.signed else sign * size), Fraction(0)
        return sign * size, Fraction(0)

    def _size(self, scale: str) -> Fraction:
        rng = self.rng
        match scale:
            case "unit":
                return Fraction(rng.randint(307, 1945), 1024)
            case "small":
                return Fraction(rng.randint(20, 300), 1024)
            case "tiny":
                return Fraction(rng.randint(65, 127), 1 << rng.randint(12, 20))
            case "ten":
                return Fraction(rng.randint(121, 800), 64)
            case "hundred":
                return Fraction(rng.randint(200, 2000), 16)
            case _:
                return rng.choice(_SIMPLE)

    def _between(self, r: Range, scale: str, sign: int) -> Fraction:
        assert r.low is not None
        assert r.high is not None
        low, high, rng = r.low.near, r.high.near, self.rng
        width = high - low
        if r.field == "integer":
            return Fraction(rng.randint(ceil(low), max(ceil(low), min(floor(high), ceil(low) + 12))))
        if width > 3 and scale != "ten":
            size = sign * self._size(scale)
            if r.admits((size, Fraction(0))):
                return size
        if scale in ("small", "tiny"):
            share = Fraction(rng.randint(9, 15), 1 << (7 if scale == "small" else 13))
            share = share if rng.random() < 0.5 else 1 - share
        else:
            share = Fraction(rng.randint(32, 992), 1024)
        return short(low + width * share, width * min(share, 1 - share))

    def near(self, point: Point, spread: Fraction = Fraction(1, 10)) -> Point | None:
        """Every continuous coordinate moved by at most the given share of itself."""
        moved = {}
        for name, (x, y) in point.items():
            if self.ranges[name].field == "integer":
                moved[name] = (x, y)
            else:
                moved[name] = (self._moved(x, spread), self._moved(y, spread) if y else y)
        return moved if self.admits(moved) else None

    def _moved(self, x: Fraction, spread: Fraction) -> Fraction:
        size = abs(x) * spread or Fraction(1, 16)
        return short(x + size * Fraction(self.rng.randint(-1000, 1000), 1000), size)

    def mutate(self, point: Point, reach: float = 0.0) -> Point:
        """One or two coordinates changed: another sign, another size, a small step, or drawn anew.

        reach   about how far the point seems to be from a better one, if that is known.
        """
        changed = dict(point)
        names = sorted(self.ranges)
        for name in self.rng.sample(names, min(len(names), self.rng.choice((1, 1, 2)))):
            r = self.ranges[name]
            x, y = changed[name]
            match self.rng.randrange(6):
                case 0:
                    new = (-x, y)
                case 1 if r.field != "integer":
                    factor = Fraction(1 << self.rng.randint(0, 6), 8)
                    new = (x * factor, y)
                case 2 | 3 if r.field != "integer" and 1e-12 < reach < 1e12:
                    step = Fraction(reach) * Fraction(self.rng.randint(-2000, 2000), 1000)
                    new = (short(x + step, abs(step)), y)
                case 2 | 3 | 4 if r.field != "integer":
                    spread = Fraction(1, 1 << self.rng.choice((1, 2, 2, 4, 7, 11)))
                    new = (self._moved(x, spread), self._moved(y, spread) if y else y)
                case _:
                    new = self._coordinate(r, self.rng.choice(SCALES), False)
            if r.admits(new):
                changed[name] = new
        return changed

    def schedule(self) -> Iterator[Point | None]:
        """Points without end, of moderate size first; None where a draw fell outside the domain."""
        yield self.draw(("unit",), positive=True)
        yield self.draw(("unit",))
        for scales in cycle(_PLAN):
            yield self.draw(scales, positive=scales == ("unit",) and self.rng.random() < 0.4)


def _range(variable: Variable) -> Range:
    return Range(
        variable.name,
        variable.field,
        _bound(variable.low, variable.closed_low),
        _bound(variable.high, variable.closed_high),
    )


def short(x: Fraction, size: Fraction) -> Fraction:
    """A fraction with a power of two below, within about 1/1000 of `size` of x."""
    _, exponent = frexp(float(size) or 1e-300)
    bits = max(0, 11 - exponent)
    return Fraction(round(x * (1 << bits)), 1 << bits)


# --- as text ------------------------------------------------------------------------------------------


def write_point(point: Point) -> dict[str, str]:
    """The coordinates as exact text: 3/7, or 1/2 - 3/4*I."""
    return {name: _write(c) for name, c in sorted(point.items())}


def _write(coordinate: Coordinate) -> str:
    x, y = coordinate
    if not y:
        return str(x)
    imaginary = "I" if abs(y) == 1 else f"{abs(y)}*I"
    if not x:
        return imaginary if y > 0 else f"-{imaginary}"
    return f"{x} {'+' if y > 0 else '-'} {imaginary}"


def read_point(text: Mapping[str, str]) -> Point:
    """The point that `write_point` wrote.  Raises ValueError for anything else."""
    return {name: _read(value) for name, value in text.items()}


def _read(text: str) -> Coordinate:
    match = re.fullmatch(
        r"(?:(-?\d+(?:/\d+)?)(?= [+-] |$))?(?:(?: ([+-]) |(-?))(?:(\d+(?:/\d+)?)\*)?(I))?", text.strip()
    )
    if not match or not any(match.groups()):
        raise ValueError(f"{text!r} is no exact number; write it as 3/7 or 1/2 - 3/4*I")
    real, sign, minus, size, unit = match.groups()
    y = Fraction(size or 1) if unit else Fraction(0)
    return Fraction(real or 0), -y if "-" in (sign, minus) else y
