"""Does one reverse sweep give the derivatives, and does it stay cheap?"""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from verify.calculus.reverse import gradient, pullback
from verify.calculus.tidy import expanded, tidy
from verify.calculus.tidy import short as short_form
from verify.claim import Claim, Domain, Variable
from verify.decide import decide
from verify.graph import ONE, Node, add, call, derivative, free_symbols, mul, num, power, symbol
from verify.language import read_expression, write
from verify.verdict import Verdict

FORMULAS = [
    "x^2*y - 3*x/y", "tanh(x*y + 1)^2", "sin(x)/exp(x*y)", "x^y", "sqrt(1 + x^2)*log(2 + y^2)", "x*abs(y)",
    "max(x, y)*x", "piecewise((x^2, x < y), (y*x, otherwise))", "exp(sin(x*y))^3", "atan2(x, y)",
    "(x + y)*(x + y)*(x - y)",
]  # fmt: skip


def claim(lhs: Node, rhs: Node) -> Claim:
    variables = {name: Variable(name) for name in free_symbols(lhs, rhs) | {"x", "y"}}
    return Claim(lhs, rhs, Domain(variables))


@pytest.mark.parametrize("text", FORMULAS)
def test_the_sweep_agrees_with_differentiation(text: str) -> None:
    f = read_expression(text)
    for name, found in zip("xy", gradient(f, "xy"), strict=True):
        assert decide(claim(derivative(f, name), found)).verdict >= Verdict.SUPPORTED
        assert decide(claim(derivative(f, name), add(found, num(1)))).verdict is Verdict.REFUTED


def test_several_outputs_are_weighted_by_their_multipliers() -> None:
    outputs = [read_expression("a*u - u*v"), read_expression("b*u*v - v")]
    found = pullback(outputs, [symbol("l"), symbol("m")], ["u", "v", "a", "c"])
    assert [write(each) for each in found] == ["m*b*v + l*a - l*v", "m*b*u - m - l*u", "l*u", "0"]


def test_a_network_of_a_thousand_parameters_is_derived() -> None:
    n = 31
    u = [symbol(f"u{j}") for j in range(n)]
    w = [[symbol(f"w{i}_{j}") for j in range(n)] for i in range(n)]
    layer = [call("tanh", add(*(mul(w[i][j], u[j]) for j in range(n)), symbol(f"b{i}"))) for i in range(n)]
    names = [s.value for row in w for s in row] + [f"b{i}" for i in range(n)] + [s.value for s in u]
    found = pullback(layer, [symbol(f"l{i}") for i in range(n)], names)
    assert len(found) == n * n + 2 * n
    assert write(found[0]).startswith("l0*(1 - tanh(")


expressions = st.recursive(
    st.sampled_from([symbol("x"), symbol("y"), ONE, num(-2), num(3)]),
    lambda inner: st.one_of(
        st.builds(add, inner, inner), st.builds(mul, inner, inner),
        st.builds(power, inner, st.sampled_from([num(2), num(3)])), st.builds(lambda e: call("sin", e), inner),
    ),
    max_leaves=8,
)  # fmt: skip


@given(expressions)
def test_tidying_changes_no_value(e: Node) -> None:
    short = tidy(e)
    assert (
        tidy(short) is short
        or write(tidy(short)) == write(short)
        or decide(claim(tidy(short), short)).verdict is Verdict.PROVED
    )
    assert decide(claim(e, short)).verdict is Verdict.PROVED


@given(expressions)
def test_multiplying_out_changes_no_value(e: Node) -> None:
    terms = expanded(e)
    assert terms is None or decide(claim(e, add(*terms, num(0), num(0)))).verdict is Verdict.PROVED
    assert decide(claim(e, short_form(e))).verdict is Verdict.PROVED
