"""Integrals and expectations are read, written back, and keep their variables to themselves."""

from __future__ import annotations

import pytest

from verify.graph import expectation, free_symbols, integral, substitute, symbol
from verify.language import read_claim, read_expression, write, write_claim

X, T, A, B = map(symbol, "xtab")

WRITTEN = (
    "int(x^2, x, 0, 1)",
    "int(exp(-x^2), x, -oo, oo)",
    "int(int(x*y, y, 0, x), x, 0, 1)",
    "d/dt (int(sin(t*x), x, 0, t^2))",
    "int(d/dx (sin(x)), x, a, b)",
    "expect(x^2, x ~ normal(mu, sigma))",
    "expect(expect(x*y, y ~ normal(x, 1)), x ~ uniform(0, 1))",
    "expect(x, x ~ exponential(k))",
    "int(sum(x^i, i, 1, 3), x, 0, t)",
    "int(t, t, 0, t)",
)


@pytest.mark.parametrize("text", WRITTEN)
def test_what_is_written_is_read_again_as_the_same(text):
    node = read_expression(text)
    assert write(node) == text
    assert read_expression(write(node)) is node


CLAIMS = (
    "expect(x'*A*x, x ~ normal(mu, S)) = tr(A*S) + mu'*A*mu with mu: vector(n), S: spd(n), A: matrix(n, n)",
    "expect(x*x', x ~ normal(0, S)) = S with S: spd(n)",
    "expect(x*f(x), x ~ normal(0, 1)) = expect(f'(x), x ~ normal(0, 1)) with f: function of x",
    "int(A*x, x, 0, 1) = A/2 with A: matrix(n, n)",
)


@pytest.mark.parametrize("text", CLAIMS)
def test_claims_with_shapes_are_read_again_as_the_same(text):
    claim = read_claim(text)
    again = read_claim(write_claim(claim))
    assert (again.lhs, again.rhs) == (claim.lhs, claim.rhs)


def test_a_variable_of_integration_is_not_free_and_its_limits_are():
    assert free_symbols(integral(X * T, "x", A, X)) == {"t", "a", "x"}
    assert free_symbols(integral(X * T, "x", A, B)) == {"t", "a", "b"}
    assert free_symbols(expectation(X * T, "x", "normal", A, B)) == {"t", "a", "b"}


def test_a_variable_that_is_only_integrated_over_belongs_to_no_domain():
    assert "x" not in read_claim("int(x*t, x, 0, 1) = t/2").domain.variables


def test_what_is_bound_is_not_replaced():
    node = integral(X * T, "x", A, X)
    assert substitute(node, {X: B}) is integral(X * T, "x", A, B)
    assert substitute(node, {T: B}) is integral(X * B, "x", A, X)


def test_what_is_put_in_is_not_captured():
    node = integral(X * T, "x", A, B)
    fresh = symbol("x_1")
    assert substitute(node, {T: X + 1}) is integral(fresh * (X + 1), "x_1", A, B)
    inner = expectation(X * T, "x", "normal", A, B)
    assert substitute(inner, {T: X}) is expectation(fresh * X, "x_1", "normal", A, B)


def test_an_exchange_of_names_passes_through_nested_integrals():
    node = read_expression("int(int(x*y*t, y, 0, x), x, 0, y)")
    changed = substitute(node, {T: symbol("y"), symbol("y"): T})
    assert changed is read_expression("int(int(x*y_1*y, y_1, 0, x), x, 0, t)")


def test_the_index_of_a_sum_is_not_captured():
    node = read_expression("sum(i*t, i, 1, 3)")
    assert substitute(node, {T: symbol("i")}) is read_expression("sum(i_1*i, i_1, 1, 3)")
