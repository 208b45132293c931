"""Is what is called a solution one, and is none claimed where there is none or more than one?"""

from __future__ import annotations

from fractions import Fraction

import pytest

from verify.calculus.factors import factors
from verify.claim import Domain, Variable
from verify.decide.systems.roots import Roots, values
from verify.graph import ONE, ZERO
from verify.language.read import read_expression
from verify.language.write import write

PLANE = Domain({"u": Variable("u"), "v": Variable("v"), "p": Variable("p")})
RIGHT = Domain({"u": Variable("u", low=ZERO), "p": Variable("p")})


def roots(residual: str, states: str = "u", domain: Domain = PLANE) -> Roots:
    return Roots([read_expression(each) for each in residual.split(";")], states.split(), domain)


def test_a_simple_root_is_enclosed_to_many_digits() -> None:
    found = roots("u^2 - p").near({"u": 1.4142, "p": 2.0})
    assert found is not None
    known = values((read_expression("u^2"), read_expression("sqrt(p)")), found, {})
    assert known is not None
    assert known[0].contains(2)
    assert float(known[0].rad()) < 1e-25
    assert found.at["u"].real.overlaps(known[1])


def test_a_root_for_all_parameters_around_moves_with_them() -> None:
    found = roots("u^3 + u - p").near({"u": 1.0, "p": 2.0}, Fraction(1, 2**40))
    assert found is not None
    assert found.at["u"].real.contains(1)
    assert 2**-43 < float(found.at["u"].real.rad()) < 2**-30


@pytest.mark.parametrize(
    ("residual", "point"),
    [
        ("u^2", {"u": 1e-9, "p": 1.0}),  # a double root
        ("u^2 + p", {"u": 0.3, "p": 1.0}),  # none
        ("u^3 - p", {"u": 0.0, "p": 0.0}),
        ("exp(u)*p", {"u": -40.0, "p": 1.0}),
        ("log(u) - p", {"u": -1.0, "p": 1.0}),
    ],
)
def test_nothing_is_enclosed_where_there_is_no_regular_root(residual: str, point: dict[str, float]) -> None:
    assert roots(residual).near(point) is None


def test_a_root_on_the_edge_of_the_domain_or_beyond_it_is_none() -> None:
    assert roots("u*(u - p)", domain=RIGHT).near({"u": 1e-18, "p": 2.0}) is None
    assert roots("u*(u - p)", domain=RIGHT).near({"u": -1.0, "p": -1.0}) is None
    assert roots("u*(u - p)", domain=RIGHT).near({"u": 1.99, "p": 2.0}) is not None


def test_two_states_are_enclosed_together() -> None:
    found = roots("u^2 + v^2 - p;u - v", "u v").near({"u": 0.99, "v": 1.01, "p": 2.0})
    assert found is not None
    assert found.at["u"].real.contains(1)
    assert found.at["v"].real.contains(1)
    assert roots("u^2 + v^2 - p;u - v", "u v").near({"u": 0.0, "v": 0.0, "p": 0.0}) is None


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("(u - 1000)*(v - p)", {"u - 1000": 1, "v - p": 1}),
        ("u^2 - 2*u*p + p^2", {"u - p": 2}),
        ("b*S*Y - (g + m)*Y", {"Y": 1, "b*S - g - m": 1}),
        ("u*exp(v) - u", {"exp(v) - 1": 1, "u": 1}),
        ("1/u - 1/p", {"u - p": 1}),
        ("u^2 + p", {"u^2 + p": 1}),
        ("3", {}),
    ],
)
def test_an_expression_is_the_product_of_its_factors(text: str, expected: dict[str, int]) -> None:
    found = factors(read_expression(text))
    assert found is not None
    assert {write(factor): times for factor, times in found} == expected


def test_zero_and_what_is_too_large_have_no_factors() -> None:
    assert factors(read_expression("u - u")) is None
    assert factors(read_expression("(a + b + c + d)^24")) is None
    assert factors(ONE) == ()
