"""Is a derived expression grouped as a person writes it, and is it the same expression still?"""

from __future__ import annotations

import pytest

from verify.calculus.grouped import grouped, shortest
from verify.claim import Domain
from verify.decide.systems.identity import Identities
from verify.graph import ZERO, add, mul, num
from verify.language import read_expression, write
from verify.mutate import mutants
from verify.verdict import Verdict

MONOD = "lX*m*S*X/(K + S)^2 - lX*m*X/(K + S) + lS*D + lS*m*X/(Y*(K + S)) - lS*m*S*X/(Y*(K + S)^2)"
LAYER = "a2*tanh(v*z + b)^2*v + a1*tanh(w*z)^2*w - a2*v - a1*w"
ROWS = [
    (MONOD, ("lX", "lS"), "lS*D + lS*m*X*K/(Y*(K + S)^2) - lX*m*X*K/(K + S)^2"),
    (LAYER, ("a1", "a2"), "-a2*v*(1 - tanh(v*z + b)^2) - a1*w*(1 - tanh(w*z)^2)"),
    ("q*v*sign(v)/10 + q*abs(v)/10", ("q",), "1/5*q*abs(v)"),
    ("z*k/(1 + c) - z*k*c/(1 + c)^2", ("z",), "z*k/(1 + c)^2"),
    ("2*s*tanh(u)^2 - s*tanh(u)^4 - s", (), "-s*(1 - tanh(u)^2)^2"),
    ("x/(1 + a)^2*(1 + a)^3 - x", (), "x*a"),
    ("x/(1 + a) - x*(1 + b)/((1 + a)*(1 + b))", (), "0"),
    ("-m*r*(1 - 2*x/K)", ("m",), "-m*r*(1 - 2*x/K)"),
    ("x*sqrt(1 + y) - x*sqrt(1 + y)^3", (), "x*sqrt(1 + y) - x*sqrt(1 + y)^3"),
]
ROOTS = ("x^0.5/(1 + x) - x^1.5/(1 + x)^2", ())


@pytest.mark.parametrize(("text", "apart", "wanted"), ROWS)
def test_it_is_written_shortly(text: str, apart: tuple[str, ...], wanted: str) -> None:
    assert write(shortest(read_expression(text), apart)) == wanted


@pytest.mark.parametrize(("text", "apart"), [*(row[:2] for row in ROWS), ROOTS])
def test_it_stays_equal_and_its_wrong_neighbours_are_not(text: str, apart: tuple[str, ...]) -> None:
    identities, node = Identities(Domain({})), read_expression(text)
    terms = grouped(node, apart)
    assert terms is not None
    assert identities.decide(add(ZERO, *terms), node).verdict >= Verdict.SUPPORTED
    for i in range(len(terms)):
        wrong = add(ZERO, *terms[:i], *terms[i + 1 :])
        assert identities.decide(wrong, node).verdict is Verdict.REFUTED


def test_groups_of_neighbours_are_neighbours() -> None:
    identities, node = Identities(Domain({})), read_expression(MONOD)
    for mutant in [each for each in mutants(node) if each.slip != "rounding"][:12]:
        terms = grouped(mutant.node, ("lX", "lS"))
        assert terms is not None
        assert identities.same(add(ZERO, *terms), mutant.node)


def test_what_is_too_large_is_left_alone() -> None:
    many = mul(*(add(num(1), read_expression(f"x{i}")) for i in range(8)))
    assert grouped(many) is None
    assert shortest(many) is not ZERO
