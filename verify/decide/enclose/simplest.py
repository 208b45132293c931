"""How is a refuting point made small and readable?  By simple numbers that keep the certificate, one by one."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from fractions import Fraction

from verify.decide.enclose.points import Coordinate, Point, Range, Sampler

#: How many replacements are tried in all.
TRIES = 60
Certificate = tuple[int | None, int]
"""As in `verify.decide.enclose.hunt`."""
Certify = Callable[[Point, Sequence[Certificate]], "Certificate | None"]

_REAL = tuple(Fraction(n, d) for n, d in ((1, 1), (2, 1), (1, 2), (-1, 1), (-2, 1), (3, 1), (3, 7), (0, 1)))
_COMPLEX = tuple(
    (Fraction(a, 2), Fraction(b, 2)) for a, b in ((2, 2), (2, 1), (1, 2), (4, 2), (1, 1), (-2, 2), (2, -2), (-2, -2))
)


def simplest(point: Point, certificate: Certificate, sampler: Sampler, certify: Certify) -> tuple[Point, Certificate]:
    """A point of small numbers at which the same certificate (radius, precision) holds."""
    best, left = dict(point), TRIES

    def accepted(candidate: Point) -> bool:
        nonlocal left
        left -= 1
        return sampler.admits(candidate) and certify(candidate, (certificate,)) is not None

    for start in _whole_points(sampler):
        if accepted(start):
            return start, certificate
    for name, r in sampler.ranges.items():
        for coordinate in _simpler(best[name], r):
            if left <= 0:
                return best, certificate
            if accepted(best | {name: coordinate}):
                best[name] = coordinate
                break
    return best, certificate


def _whole_points(sampler: Sampler) -> Iterator[Point]:
    """All coordinates at once: the first simple numbers, the same for all names or one after the other."""
    for shift, stride in ((0, 0), (0, 1), (1, 1)):
        yield {
            name: _simple(r)[(shift + stride * i) % len(_simple(r))]
            for i, (name, r) in enumerate(sampler.ranges.items())
        }


def _simple(r: Range) -> Sequence[Coordinate]:
    return _COMPLEX if r.field == "complex" else [(x, Fraction(0)) for x in _REAL]


def _simpler(coordinate: Coordinate, r: Range) -> Iterator[Coordinate]:
    """Simple numbers of the range, then fractions closer and closer to the coordinate."""
    yield from (c for c in _simple(r) if r.admits(c))
    x, y = coordinate
    for largest in (1, 2, 4, 8, 20, 100, 1000, 10**4, 10**6):
        close = x.limit_denominator(largest), y.limit_denominator(largest)
        if close != coordinate and r.admits(close):
            yield close
