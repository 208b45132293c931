"""Wrong neighbours are wrong, each once, one slip away."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from verify.claim import Claim, Domain, Variable
from verify.decide.enclose.search import search
from verify.graph import ONE, Node, free_symbols, num
from verify.language import read_expression, write
from verify.mutate import SIBLINGS, mutants, places, replaced, siblings

FORMULAS = (
    "2*sin(x)*cos(x)",
    "-1/sqrt(1 - x^2)",
    "a^2*exp(a*x) + 3",
    "n*x^(n - 1)",
    "x/(x^2 + y^2)",
    "(besselj(n - 1, x) - besselj(n + 1, x))/2",
)
SLIPS = {"sign", "factor", "missing-factor", "missing-term", "power", "swap", "function", "rounding"}


def domain(node: Node) -> Domain:
    return Domain({name: Variable(name, low=num(0), high=num(1)) for name in sorted(free_symbols(node))})


@pytest.mark.parametrize("text", FORMULAS)
def test_every_mutant_on_a_domain_is_refuted_by_enclosures(text: str) -> None:
    node = read_expression(text)
    found = list(mutants(node, domain(node)))
    assert len(found) > 10
    for mutant in found:
        assert search(Claim(node, mutant.node, domain(node)), seed=1).counterexample is not None, mutant.says


@pytest.mark.parametrize("text", FORMULAS)
def test_no_formula_comes_twice_and_none_is_the_original(text: str) -> None:
    node = read_expression(text)
    found = [mutant.node for mutant in mutants(node)]
    assert len(set(found)) == len(found)
    assert node not in found


def test_all_slips_of_the_vocabulary_occur() -> None:
    assert {mutant.slip for text in FORMULAS for mutant in mutants(read_expression(text))} == SLIPS


@pytest.mark.parametrize(
    ("text", "slip", "mutant"),
    [
        ("2*sin(x)*cos(x)", "missing-factor", "2*cos(x)"),
        ("2*sin(x)*cos(x)", "factor", "sin(x)*cos(x)"),
        ("2*sin(x)*cos(x)", "function", "2*sin(x)*sin(x)"),
        ("1/(1 + x^2)", "missing-factor", "1"),
        ("1/(1 + x^2)", "sign", "1/(1 - x^2)"),
        ("1/(1 + x^2)", "power", "1/(1 + x^3)"),
        ("1/(1 + x^2)", "missing-term", "1/x^2"),
        ("a*x", "swap", "a*a"),
        ("n*x^(n - 1)", "power", "n*x^n"),
        ("n*x^(n - 1)", "power", "n*x^(n - 2)"),
        ("exp(-x)", "sign", "exp(x)"),
    ],
)
def test_the_slips_that_people_make_are_among_them(text: str, slip: str, mutant: str) -> None:
    found = {(m.slip, m.node) for m in mutants(read_expression(text))}
    wanted = read_expression(mutant)
    assert any(s == slip and (node is wanted or write(node) == mutant) for s, node in found), sorted(
        (s, write(node)) for s, node in found
    )


def test_blind_inputs_are_conditions_under_which_nothing_is_wrong() -> None:
    node = read_expression("a*x + y")
    blind = {(m.slip, m.says): m.blind for m in mutants(node)}
    assert blind["swap", "x for a"] == ("x = a",)
    assert blind["missing-term", "the term y lost"] == ("y = 0",)
    assert blind["missing-factor", "the factor a lost"] == ("a = 1", "x = 0")


@given(st.sampled_from(FORMULAS), st.randoms())
def test_a_replacement_changes_one_place_only(text: str, random) -> None:
    node = read_expression(text)
    everywhere = list(places(node))
    place, old = random.choice(everywhere)
    marker = read_expression("marker")
    new = replaced(node, place, marker)
    assert [n for _, n in places(new)].count(marker) == 1
    assert replaced(new, next(p for p, n in places(new) if n is marker), old) is node


def test_siblings_are_mutual_and_of_one_arity() -> None:
    assert all(name in SIBLINGS[other] for name, others in SIBLINGS.items() for other in others)
    assert [s.value for s in siblings(read_expression("besselj(2, x)"))] == ["bessely", "besseli"]


def test_shared_parts_cannot_make_the_places_countless() -> None:
    node = read_expression("x")
    for _ in range(60):
        node = node * node + ONE
    assert len(list(places(node, most=1000))) == 1000
