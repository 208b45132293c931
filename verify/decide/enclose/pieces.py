"""Where do the pieces of a formula meet?  Kinks, jumps and edges of definedness, and points on both sides of them.

A *switch* is a real quantity whose sign selects a piece: the argument of abs or sign, the difference of two arguments
of max or min or of the two sides of a condition, the base of an even power under a root or a logarithm, a
denominator in an arctangent.
For floor and ceil it is the argument itself, and the pieces are the unit intervals.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise, product
from math import floor

from flint import ctx

from verify.decide.enclose.balls import Program
from verify.decide.enclose.jets import NoValue
from verify.decide.enclose.points import SCALES, Point, Sampler, short
from verify.decide.enclose.steps import real_head
from verify.graph import Node, free_symbols, postorder, surface

#: Switches that are followed in one claim.
MOST_SWITCHES = 8
#: Factors for a coordinate, and points drawn, to see the other side of a switch.
FACTORS = tuple(
    sign * Fraction(2) ** k
    for n in (0, 1, 2, 3, 4, 6, 8, 12, 16, 20, 30, 40, 60, 90, 140)
    for k in {n, -n}
    for sign in (-1, 1)
)
DRAWS = 24
#: Shares 2^-k of the way from an end of a declared interval.
SHARES = (1, 3, 6, 10, 16, 24)
#: Names whose intervals' ends are approached together.
MOST_CORNERED = 3
#: Points tried on an unseen side of a switch, for each direction.
PROBES = 3
#: How close to a switch, as shares 2^-k of the way to a point further off, points are tried.
CLOSENESS = (2, 6, 11, 17)
_HALVINGS = 48
#: The same where switches are that close together: _HALVINGS tell them apart no more; and the bits for it.
_FINE_HALVINGS, _FINE_BITS = 256, 320
#: Steps of a descent towards a switch, and the first one as a share of the coordinate.
DESCENT, STRIDE = 120, Fraction(1, 4)


@dataclass(frozen=True)
class Switch:
    """One such quantity; `sharp` where pieces really meet, `stepped` for floor and ceil."""

    quantity: Node
    sharp: bool
    stepped: bool = False


def switches(*roots: Node) -> tuple[Switch, ...]:
    """The switches of an expression, the sharp ones first, in the order in which they occur."""
    sharp: dict[Node, Switch] = {}
    hidden: dict[Node, Switch] = {}
    for node in surface(*roots):
        if node.op == "call" and node.value in ("abs", "sign"):
            sharp.setdefault(node.args[0], Switch(node.args[0], True))
        elif node.op == "call" and node.value in ("floor", "ceil"):
            sharp.setdefault(node.args[0], Switch(node.args[0], True, True))
        elif node.op == "call" and node.value in ("max", "min"):
            for other in node.args[1:]:
                sharp.setdefault(node.args[0] - other, Switch(node.args[0] - other, True))
        elif node.op == "compare":
            difference = node.args[0] - node.args[1]
            sharp.setdefault(difference, Switch(difference, True))
        elif (node.op == "call" and node.value == "log") or (node.op == "pow" and _fractional(node.args[1])):
            for inner in postorder(node.args[0]):
                if inner.op == "pow" and _even(inner.args[1]):
                    hidden.setdefault(inner.args[0], Switch(inner.args[0], False))
        elif node.op == "call" and node.value in ("acot", "acsch"):
            hidden.setdefault(node.args[0], Switch(node.args[0], False))
        elif node.op == "call" and node.value == "atan":
            for inner in postorder(node.args[0]):
                if inner.op == "pow" and _negative(inner.args[1]):
                    hidden.setdefault(inner.args[0], Switch(inner.args[0], False))
    found = [s for s in (*sharp.values(), *hidden.values()) if free_symbols(s.quantity)]
    return tuple(dict.fromkeys(found))[:MOST_SWITCHES]


def _fractional(exponent: Node) -> bool:
    return exponent.op != "num" or exponent.value.denominator != 1


def _even(exponent: Node) -> bool:
    return exponent.op == "num" and exponent.value.denominator == 1 and exponent.value % 2 == 0


def _negative(exponent: Node) -> bool:
    return exponent.op == "num" and exponent.value < 0


class Sides:
    """On which sides of each switch points have been, and where to look for the others."""

    def __init__(self, found: Sequence[Switch], real: bool, sampler: Sampler) -> None:
        self.switches = found
        self.sampler = sampler
        self._programs = [Program((s.quantity,), real) for s in found]
        self.seen: list[dict[int, Point]] = [{} for _ in found]

    def side(self, i: int, point: Point) -> int | None:
        """-1 or 1 (for a step: which unit interval), or None where that is not certain."""
        precision = ctx.prec
        try:
            for ctx.prec in (64, _FINE_BITS):
                (value,) = self._programs[i].values(self.sampler.env(point))
                x = real_head(value, real=False)
                if self.switches[i].stepped:
                    whole = x.floor().unique_fmpz()
                    if whole is not None:
                        return int(whole)
                elif x > 0 or x < 0:
                    return 1 if x > 0 else -1
        except NoValue:
            return None
        finally:
            ctx.prec = precision
        return None

    def note(self, point: Point) -> tuple[int | None, ...]:
        """Record the sides on which an admissible point lies."""
        sides = tuple(self.side(i, point) for i in range(len(self.switches)))
        for seen, side in zip(self.seen, sides, strict=True):
            if side is not None:
                seen.setdefault(side, point)
        return sides

    def unseen(self, i: int) -> Iterator[Point]:
        """Points on a side of the switch where none was: a few on either side, until one of them counts."""
        (first, start), *others = self.seen[i].items() or [(0, None)]
        if others or start is None:
            return
        found = {True: 0, False: 0}
        for point in self._outward(i, start):
            side = self.side(i, point) if self.sampler.admits(point) else None
            if side is not None and side != first and found[side > first] < PROBES:
                found[side > first] += 1
                yield point
                if len(self.seen[i]) > 1:
                    return

    def _outward(self, i: int, start: Point) -> Iterator[Point]:
        """Points that differ from the start in one coordinate by larger and larger factors, or come closer and closer
        to an end of its interval, then drawn ones.
        """
        names = sorted(free_symbols(self.switches[i].quantity))
        for factor in FACTORS:
            for name in names:
                x, y = start[name]
                if self.sampler.ranges[name].field == "integer":
                    yield start | {name: (Fraction(floor(x * factor)), y)}
                else:
                    yield start | {name: (x * factor, y)}
        ends = {name: self._ends(name) for name in names}
        bounded = [name for name in names if ends[name]][:MOST_CORNERED]
        towards: list[tuple[tuple[str, Fraction], ...]] = [((name, end),) for name in names for end in ends[name]]
        if len(bounded) > 1:
            towards += product(*([(name, end) for end in ends[name]] for name in bounded))
        for corner in towards:
            for k in SHARES:
                yield start | {name: (end + (start[name][0] - end) / (1 << k), start[name][1]) for name, end in corner}
        for _ in range(DRAWS):
            point = self.sampler.draw(SCALES)
            if point is not None:
                yield point
        if self.switches[i].sharp and not self.switches[i].stepped:
            yield from self._downhill(i, start, names)

    def _downhill(self, i: int, start: Point, names: Sequence[str]) -> Iterator[Point]:
        """Where the quantity comes closer and closer to 0, one coordinate after the other; then what lies beyond."""
        moving = [name for name in names if self.sampler.ranges[name].field != "integer"]
        strides = {name: max(abs(start[name][0]), Fraction(1)) * STRIDE for name in moving}
        best, least = start, self._size(i, start)
        for step in range(DESCENT):
            if least is None or not moving:
                return
            name = moving[step % len(moving)]
            for way in (1, -1):
                x = short(best[name][0] + way * strides[name], strides[name])
                point = best | {name: (x, best[name][1])}
                size = self._size(i, point) if self.sampler.admits(point) else None
                if size is not None and self.side(i, point) != self.side(i, start):
                    yield point
                    return
                if size is not None and size < least:
                    best, least, strides[name] = point, size, strides[name] * 2
                    break
            else:
                strides[name] /= 4

    def _size(self, i: int, point: Point) -> float | None:
        """About how large the quantity of a switch is, without its sign; None where it has no value."""
        try:
            (value,) = self._programs[i].values(self.sampler.env(point))
        except NoValue:
            return None
        return float(abs(value).mid())

    def _ends(self, name: str) -> list[Fraction]:
        """The ends of the interval of a name, where it has some."""
        r = self.sampler.ranges[name]
        return [bound.near for bound in (r.low, r.high) if bound is not None and r.field != "integer"]

    def borders(self, i: int) -> Iterator[Point]:
        """Points on a line that crosses the switch: closer and closer to it, and between it and other switches."""
        if len(self.seen[i]) < 2:
            return
        (side, start), (_, end) = sorted(self.seen[i].items())[:2]
        fixed = {name: start[name] for name, r in self.sampler.ranges.items() if r.field == "integer"}
        end = end | fixed
        if self.side(i, end) in (None, side):
            return
        shares = sorted(filter(None, (self._crossing(j, start, end) for j in range(len(self.switches)))))
        if any(b - a <= Fraction(4, 1 << _HALVINGS) for a, b in pairwise(shares)):
            fine = (self._crossing(j, start, end, _FINE_HALVINGS) for j in range(len(self.switches)))
            shares = sorted(filter(None, fine))
        own = self._crossing(i, start, end) or Fraction(1, 2)
        near = [
            own + sign * Fraction(1, 1 << k) * (own if sign < 0 else 1 - own) for k in CLOSENESS for sign in (-1, 1)
        ]
        between = [(a + b) / 2 for a, b in pairwise(shares)]
        for share in dict.fromkeys((*near, *between)):
            point = _between(start, end, share)
            distance = min((abs(share - s) for s in shares if s != share), default=Fraction(1))
            point = rounded(point, start, end, distance)
            if self.sampler.admits(point):
                yield point

    def zeros(self, i: int) -> Iterator[Point]:
        """Simple fractions close to where the switch is crossed: kinks and jumps themselves, if they are such."""
        if len(self.seen[i]) > 1:
            (_, start), (_, end) = sorted(self.seen[i].items())[:2]
            share = self._crossing(i, start, end)
            if share is not None:
                crossing = _between(start, end, share)
                for largest in (1, 10, 1000):
                    point = {name: (x.limit_denominator(largest), y) for name, (x, y) in crossing.items()}
                    if self.sampler.admits(point):
                        yield point

    def _crossing(self, i: int, start: Point, end: Point, halvings: int = _HALVINGS) -> Fraction | None:
        """The share of the way from start to end at which the switch is crossed; None if it is not."""
        low, high = Fraction(0), Fraction(1)
        first = self.side(i, start)
        if first is None or self.side(i, end) in (None, first):
            return None
        for _ in range(halvings):
            middle = (low + high) / 2
            side = self.side(i, _between(start, end, middle))
            if side is None:
                return middle
            low, high = (middle, high) if side == first else (low, middle)
        return high


def _between(start: Point, end: Point, share: Fraction) -> Point:
    """start + share (end - start)."""
    return {name: (x + share * (end[name][0] - x), y + share * (end[name][1] - y)) for name, (x, y) in start.items()}


def rounded(point: Point, start: Point, end: Point, distance: Fraction) -> Point:
    """The point in shorter fractions, moved by much less than the given share of the way from start to end."""
    return {
        name: (short(x, distance * abs(end[name][0] - start[name][0])), y) if start[name] != end[name] else (x, y)
        for name, (x, y) in point.items()
    }
