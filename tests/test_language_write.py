"""Reading what was written gives the same node, for random graphs and for awkward ones."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from verify import graph
from verify.graph import E, I, Node, add, call, constant, derivative, mul, neg, num, power, sqrt, symbol
from verify.language import names_in, read_claim, read_expression, write, write_claim

x, y = symbol("x"), symbol("y")

#: Names that also mean something else: constants, functions, parts of operators.
QUANTITIES = (
    "x",
    "y",
    "n",
    "d",
    "dx",
    "e",
    "i",
    "E",
    "I",
    "pi",
    "oo",
    "gamma",
    "beta",
    "sqrt",
    "alpha",
    "grad_x",
    "x_1",
)

numbers = st.fractions(min_value=-20, max_value=20, max_denominator=12).map(num)
leaves = st.one_of(
    st.sampled_from(QUANTITIES).map(symbol),
    numbers,
    st.sampled_from(("pi", "E", "EulerGamma", "I", "oo")).map(constant),
)


def larger(smaller: st.SearchStrategy[Node]) -> st.SearchStrategy[Node]:
    several = st.lists(smaller, min_size=2, max_size=4)
    comparison = st.builds(graph.compare, smaller, st.sampled_from(("<", "<=", ">", ">=", "=", "!=")), smaller)
    joined = st.lists(comparison, min_size=2, max_size=3)
    condition = st.one_of(
        comparison, joined.map(lambda cs: graph.both(*cs)), joined.map(lambda cs: graph.either(*cs)),
        st.builds(lambda c, d: graph.both(c, graph.either(c, d)), comparison, comparison),
        st.builds(lambda c, d: graph.either(c, graph.both(c, graph.both(d, c))), comparison, comparison),
    )  # fmt: skip
    pairs = st.lists(st.tuples(smaller, condition), min_size=1, max_size=3)
    return st.one_of(
        several.map(lambda terms: add(*terms)),
        several.map(lambda factors: mul(*factors)),
        st.builds(power, smaller, smaller),
        st.builds(power, smaller, st.integers(-3, 3).map(num)),
        smaller.map(neg),
        smaller.map(sqrt),
        st.builds(graph.div, smaller, smaller),
        st.builds(call, st.sampled_from(("sin", "exp", "abs", "factorial")), smaller),
        several.map(lambda values: call("max", *values)),
        st.builds(lambda a, b: call("atan2", a, b), smaller, smaller),
        st.builds(derivative, smaller, st.sampled_from(("x", "n", "gamma")), st.integers(1, 3)),
        pairs.map(lambda p: graph.piecewise(*p)),
        st.builds(lambda p, last: graph.piecewise(*p, (last, graph.TRUE)), pairs, smaller),
    )


nodes = st.recursive(leaves, larger, max_leaves=14)


@given(nodes)
def test_reading_what_was_written_gives_the_same_node(node):
    assert read_expression(write(node), names_in(node)) is node


@given(nodes, nodes)
def test_a_claim_that_was_written_reads_back(lhs, rhs):
    names = names_in(lhs, rhs)
    claim = read_claim(f"{write(lhs)} = {write(rhs)}", dict.fromkeys(names, "real")) if _same_taken(lhs, rhs) else None
    if claim is not None:
        again = read_claim(write_claim(claim))
        assert (again.lhs, again.rhs, again.domain) == (lhs, rhs, claim.domain)


def _same_taken(lhs: Node, rhs: Node) -> bool:
    """Each side is written for its own names; only a claim knows those of both."""
    return names_in(lhs) == names_in(rhs)


@pytest.mark.parametrize(
    ("node", "text"),
    [
        (x - y, "x - y"),
        (add(x, mul(num(-2), y)), "x - 2*y"),
        (x - 2 * y, "x - (2*y)"),
        (add(x, num(-3)), "x - 3"),
        (add(x, mul(num(-1), num(2), y)), "x + (-1)*2*y"),
        (add(x, add(y, x)), "x + (y + x)"),
        (neg(add(x, y)), "-(x + y)"),
        (neg(neg(x)), "-(-x)"),
        (neg(mul(x, y)), "-(x*y)"),
        (mul(num(-1), x, y), "-x*y"),
        (mul(num(-1), num(2), x), "(-1)*2*x"),
        (mul(num(-1), power(x, num(-1)), y), "-1/x*y"),
        (x / y, "x/y"),
        (mul(x, power(power(y, num(2)), num(-1))), "x/y^2"),
        (mul(x, power(y, num(-2))), "x*y^-2"),
        (mul(x, power(mul(y, x), num(-1))), "x/(y*x)"),
        (mul(x, power(y, num(-1)), power(x, num(-1))), "x/y/x"),
        (mul(num(Fraction(1, 2)), x), "1/2*x"),
        (x / 2, "x/2"),
        (mul(x, num(Fraction(3, 2))), "x*(3/2)"),
        (mul(num(3), num(Fraction(1, 2)), x), "3*(1/2)*x"),
        (mul(x, num(3), num(Fraction(1, 2))), "x*3*(1/2)"),
        (mul(x, num(0)), "x*0"),
        (power(num(0), num(-1)), "1/0"),
        (mul(num(3), power(num(0), num(-1))), "3/0"),
        (power(num(-2), x), "(-2)^x"),
        (power(num(Fraction(1, 2)), x), "(1/2)^x"),
        (power(power(x, y), x), "(x^y)^x"),
        (power(x, power(y, x)), "x^y^x"),
        (power(neg(x), num(2)), "(-x)^2"),
        (neg(power(x, num(2))), "-x^2"),
        (power(x, neg(y)), "x^(-y)"),
        (power(x, num(Fraction(-1, 2))), "x^(-1/2)"),
        (sqrt(x) ** 3, "sqrt(x)^3"),
        (power(num(2), num(5000)), "2^5000"),
        (derivative(x * y, "x"), "d/dx (x*y)"),
        (power(derivative(x * y, "x", 2), num(2)), "(d^2/dx^2 (x*y))^2"),
        (mul(y, derivative(x, "x"), y), "y*d/dx (x)*y"),
        (mul(y, power(derivative(x, "x"), num(-1))), "y/(d/dx (x))"),
        (mul(symbol("d"), derivative(symbol("dx") * x, "x")), "d*diff(dx*x, x)"),
        (symbol("d") / symbol("dx"), "d/dx"),
        (symbol("E") * E, "E*ⅇ"),
        (symbol("I") * I, "I*ⅈ"),
        (sqrt(symbol("sqrt")), "sqrt^(1/2)"),
    ],
)
def test_text_is_short_and_exact(node, text):
    assert write(node) == text
    assert read_expression(text, names_in(node)) is node


def test_shared_parts_do_not_make_endless_text():
    node = x
    for _ in range(40):
        node = mul(node, node)
    with pytest.raises(ValueError, match="more than 1,000,000 characters"):
        write(node)


def test_a_deep_graph_is_written_without_recursion():
    node = x
    for _ in range(3000):
        node = call("sin", node)
    assert write(node).count("sin(") == 3000


def test_abstract_values_hold_together():
    value, slope = symbol("f'(x)"), symbol("d/dx f(x, y)")
    assert write(power(value, num(2))) == "f'(x)^2"
    assert write(mul(y, slope)) == "y*(d/dx f(x, y))"
