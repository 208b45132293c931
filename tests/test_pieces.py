"""Switches of an expression, and points on both sides of them."""

from __future__ import annotations

from fractions import Fraction
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from verify.claim import Claim
from verify.decide.enclose.hunt import Hunt
from verify.decide.enclose.pieces import Sides, switches
from verify.decide.enclose.points import Point, Sampler
from verify.language import read_claim, write


def found(text: str, **let: str) -> list[tuple[str, bool, bool]]:
    claim = read_claim(text, let or None)
    return [(write(s.quantity), s.sharp, s.stepped) for s in switches(claim.lhs, claim.rhs)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("abs(x) = 1", [("x", True, False)]),
        ("sign(x^2 - 1) = 1", [("x^2 - 1", True, False)]),
        ("floor(x/y) + ceil(x) = 0", [("x/y", True, True), ("x", True, True)]),
        ("max(x, y, 1) = 0", [("x - y", True, False), ("x - 1", True, False)]),
        ("piecewise((1, x < y), (2, otherwise)) = 1", [("x - y", True, False)]),
        ("piecewise((1, x < 0 or x >= 2), (2, otherwise)) = 1", [("x", True, False), ("x - 2", True, False)]),
        ("sqrt((x - 1)^2) = x - 1", [("x - 1", False, False)]),
        ("log(sin(x)^2) = 1", [("sin(x)", False, False)]),
        ("acot(x) = 1", [("x", False, False)]),
        ("atan(1/(1 - x)) = 1", [("1 - x", False, False)]),
        ("abs(-3) + x^2 = 1", []),
        ("sin(x)^2 = 1/x", []),
    ],
)
def test_switches_are_found(text, expected):
    assert found(text) == expected


def test_sharp_switches_come_first_and_there_are_not_too_many():
    text = " + ".join(f"sqrt((x - {k})^2)" for k in range(20)) + " + abs(x + 1) = 0"
    assert found(text)[0] == ("x + 1", True, False)
    assert len(found(text)) == 8


def sides_of(text: str, start: Point, **let: str) -> Sides:
    claim = read_claim(text, let or None)
    sides = Sides(switches(claim.lhs, claim.rhs), True, Sampler(claim.domain, Random(1)))
    sides.note(start)
    return sides


def at(**coordinates: str | float) -> Point:
    return {name: (Fraction(x), Fraction(0)) for name, x in coordinates.items()}


@pytest.mark.parametrize(
    ("text", "start", "let"),
    [
        ("abs(x - 100) = 0", at(x=1), {}),
        ("abs(x + 123456) = 0", at(x=1), {}),
        ("abs(1e-7 - x) = 0", at(x=1), {"x": "positive"}),
        ("sign(x*y - 50) = 0", at(x=1, y=-1), {}),
        ("sign(n - 30) = 0", at(n=1), {"n": "integer"}),
        ("max(exp(x), y) = 0", at(x=1, y=1), {}),
        ("piecewise((0, x < 9/10), (1, otherwise)) = 0", at(x="1/2"), {"x": "interval(0, 1)"}),
    ],
)
def test_the_other_side_of_a_switch_is_found(text, start, let):
    sides = sides_of(text, start, **let)
    (first,) = sides.seen[0]
    beyond = [sides.side(0, point) for point in sides.unseen(0)]
    assert beyond
    assert first not in beyond


def test_there_is_no_other_side_where_the_domain_ends_before():
    sides = sides_of("abs(x) = x", at(x=1), x="positive")
    assert list(sides.unseen(0)) == []


@given(st.fractions(-5, 5, max_denominator=50), st.sampled_from(["abs(x - {})", "floor(x - {})", "max(x, {})"]))
def test_borders_close_in_on_a_switch_from_both_sides(place, shape):
    sides = sides_of(f"{shape.format(f'({place})')} = 0", at(x=-6))
    sides.note(at(x=7))
    points = [float(point["x"][0]) for point in sides.borders(0)]
    if "floor" in shape:  # the first jump on the way is the one that is approached
        assert min(abs((x - float(place)) - round(x - float(place))) for x in points) < 1e-4
    else:
        assert min(x - float(place) for x in points if x > place) < 1e-4
        assert min(float(place) - x for x in points if x < place) < 1e-4


def test_a_window_between_two_switches_is_entered_however_narrow():
    text = "piecewise((0, x < 1/3), (1, x < 1/3 + 1e-9), (0, otherwise)) = 0"
    sides = sides_of(text, at(x=-2))
    sides.note(at(x=3))
    low, high = Fraction(1, 3), Fraction(1, 3) + Fraction(1, 10**9)
    assert any(low < point["x"][0] < high for point in sides.borders(0))


def test_the_zeros_of_switches_are_tried_for_claims_about_every_point():
    sides = sides_of("abs(x - 1/3) = 0", at(x=-2))
    sides.note(at(x=3))
    assert at(x="1/3") in list(sides.zeros(0))


@pytest.mark.parametrize(
    ("text", "let"),
    [
        ("sqrt(x - 100000) = 0", {}),
        ("log(1/1000 - x^2 - y^2) = 0", {}),
        ("asin(x^2 + 5*x + 36/5) = 0", {}),
        ("log(log(log(log(x)))) = 0", {}),
        ("sqrt(-a)*sqrt(-b)*sqrt(c)*sqrt(-d) = 0", {}),
        ("sqrt(a - b)*sqrt(b - c)*sqrt(c - d) = 0", {}),
        ("atanh(a*x)*acosh(b*x) = 0", {}),
        ("x = 0", {"where": ["x > 1000", "x < 1001"]}),
        ("y = 0", {"where": ["y > x^2", "y < x^2 + 1/1000"]}),
        ("n = 0", {"n": "integer", "where": ["n > 100", "n < 103"]}),
        ("x = 0", {"where": ["x > y", "y > z", "z > 0"]}),
    ],
)
def test_points_are_found_where_a_formula_is_real_only_on_a_small_part(text, let):
    claim = read_claim(text, let)
    hunt = Hunt(Claim(claim.lhs, claim.lhs, claim.domain), Random(0))
    assert hunt.refute() is None
    assert hunt.agreeing
    assert all(hunt.sampler.admits(point) for point in hunt.agreeing)


@given(st.integers(0, 10**6), st.sampled_from(["unit", "small", "ten", "simple", "tiny", "hundred"]))
def test_drawn_points_belong_to_the_domain(seed, scale):
    let = {
        "a": "positive", "b": "negative", "c": "interval(3/10, 19/10)", "d": "nonnegative", "e": "real",
        "n": "integer", "m": "positive integer", "t": "interval(-pi/2, pi/2)", "where": "n > 2",
    }  # fmt: skip
    claim = read_claim("a + b + c + d + e + n + m + t = 0", let)
    point = Sampler(claim.domain, Random(seed)).draw((scale,))
    if point is None:
        return
    x = {name: c[0] for name, c in point.items()}
    assert x["a"] > 0 > x["b"]
    assert Fraction(3, 10) < x["c"] < Fraction(19, 10)
    assert x["d"] >= 0
    assert x["n"] > 2 == x["n"].denominator + 1
    assert x["m"] > 0
    assert x["m"].denominator == 1
    assert abs(x["t"]) < 1.5708
    assert all(y == 0 for _, y in point.values())
