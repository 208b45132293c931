"""Which expression a text means: the grammar as a table, and its precedence as properties."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from verify.graph import E, I, add, call, constant, derivative, mul, neg, num, power, symbol
from verify.language import ReadError, read_claim, read_expression, write

MEANINGS = [
    # numbers are exact
    ("0.1", "1/10"),
    ("1e-9", "1/1000000000"),
    ("2.50", "5/2"),
    (".5x", "1/2*x"),
    ("3/2*x", "3/2*x"),
    ("1/3/2", "1/6"),
    ("1.000000001", "1000000001/1000000000"),
    # powers
    ("x**2", "x^2"),
    ("x^y^z", "x^y^z"),
    ("(x^y)^z", "(x^y)^z"),
    ("a^-b", "a^(-b)"),
    ("a^-2*b", "a^-2*b"),
    ("a^-b^c", "a^(-b^c)"),
    ("-x^2", "-x^2"),
    ("(-x)^2", "(-x)^2"),
    ("2^-x^2", "2^(-x^2)"),
    ("x^(1/2)", "sqrt(x)"),
    ("x^1/2", "x/2"),
    ("x²", "x^2"),
    ("x⁻¹y", "1/x*y"),
    # signs
    ("-x*y", "-x*y"),
    ("-2x", "-2*x"),
    ("+x", "x"),
    ("--x", "-(-x)"),
    ("a - b - c", "a - b - c"),
    ("a - (b - c)", "a - (b - c)"),
    ("a - -b", "a - (-b)"),
    ("2*-x", "2*(-x)"),
    # products without a sign
    ("2x", "2*x"),
    ("x y", "x*y"),
    ("2(x+1)", "2*(x + 1)"),
    ("(a)(b)", "a*b"),
    ("(a+b)(c+d)", "(a + b)*(c + d)"),
    ("2 sin(x) cos(x)", "2*sin(x)*cos(x)"),
    ("x^2y", "x^2*y"),
    ("x^2(x+1)", "x^2*(x + 1)"),
    ("2x/3", "2*x/3"),
    ("a/b*c", "a/b*c"),
    ("2e", "2*e"),
    ("3E", "3*E"),
    ("2πr", "2*pi*r"),
    ("αβ", "alpha*beta"),
    # factorials
    ("n!", "factorial(n)"),
    ("2n!", "2*factorial(n)"),
    ("n!^2", "factorial(n)^2"),
    ("x^n!", "x^factorial(n)"),
    ("-n!", "-factorial(n)"),
    # derivatives
    ("d/dx sin(x)^2", "d/dx (sin(x)^2)"),
    ("d/dx (x+1)^2", "d/dx ((x + 1)^2)"),
    ("d/dx (x+1)^2*y", "d/dx ((x + 1)^2)*y"),
    ("d/dx(x)(y)", "d/dx (x)*y"),
    ("d/dx x*y + 1", "d/dx (x*y) + 1"),
    ("d/dx x y - 1", "d/dx (x*y) - 1"),
    ("d/dx x^2/2", "d/dx (x^2/2)"),
    ("d/dx -x^2", "d/dx (-x^2)"),
    ("d/dx 2x", "d/dx (2*x)"),
    ("(d/dx x*y)*z", "d/dx (x*y)*z"),
    ("y*d/dx x*z", "y*d/dx (x*z)"),
    ("x d/dx (x)", "x*d/dx (x)"),
    ("-d/dx (x^2)", "-d/dx (x^2)"),
    ("d^2/dx^2 exp(a*x)", "d^2/dx^2 (exp(a*x))"),
    ("d**3/dx**3 x^5", "d^3/dx^3 (x^5)"),
    ("d²/dx² x^5", "d^2/dx^2 (x^5)"),
    ("d/dy d/dx (x*y^2)", "d/dy (d/dx (x*y^2))"),
    ("d/dx (d/dx (x^3))^2", "d/dx ((d/dx (x^3))^2)"),
    ("∂/∂x (x*y)", "d/dx (x*y)"),
    ("∂^2/∂x^2 x^3", "d^2/dx^2 (x^3)"),
    ("d/dλ λ^2", "d/dlambda (lambda^2)"),
    ("d/dx_1 x_1^2", "d/dx_1 (x_1^2)"),
    ("diff(x^2*y, x)", "d/dx (x^2*y)"),
    ("diff(x^2*y, x, 2)", "d^2/dx^2 (x^2*y)"),
    ("diff(x^2*y, x, 2, y)", "d/dy (d^2/dx^2 (x^2*y))"),
    ("diff(x^2, x)^2", "(d/dx (x^2))^2"),
    ("grad_x (x^2)", "d/dx (x^2)"),
    ("jac_x x^2 + 1", "d/dx (x^2) + 1"),
    ("div_x (x^2)*y", "d/dx (x^2)*y"),
    ("hess_x (x^3)", "d^2/dx^2 (x^3)"),
    # a parameter d beside the operator
    ("d/dx (d*x)", "d/dx (d*x)"),
    ("d*x", "d*x"),
    ("x/d", "x/d"),
    ("d^2*x", "d^2*x"),
    ("d/(d+x)", "d/(d + x)"),
    # names
    ("pi*E + I", "pi*E + I"),
    ("e^i", "e^i"),
    ("lambda*x", "lambda*x"),
    ("E^x", "E^x"),
    ("gamma*x", "gamma*x"),
    ("ln(x)", "log(x)"),
    ("arctan(x)", "atan(x)"),
    ("Max(x, y, 2)", "max(x, y, 2)"),
    ("√(x)", "sqrt(x)"),
    ("log10(x)", "log(x)/log(10)"),
    ("sigmoid(2x)", "1/(1 + exp(-(2*x)))"),
    ("relu(x)", "max(x, 0)"),
    ("elliptic_e(m) + elliptic_e(x, m)", "elliptic_e(m) + elliptic_e(x, m)"),
    ("hyp2f1(a, b, c, x)", "hyp2f1(a, b, c, x)"),
    ("hyp0f1(b, x)", "hyp0f1(b, x)"),
    ("hyp3f3(a, b, c, a, b, c, x)", "hyp3f3(a, b, c, a, b, c, x)"),
    ("jtheta(1, x, q)", "jtheta(1, x, q)"),
    ("beta(x, y)", "beta(x, y)"),
    ("zeta(s, 1)", "zeta(s, 1)"),
    ("x*zeta", "x*zeta"),
    # pieces and their conditions
    ("piecewise((x, x > 0), (-x, otherwise))", "piecewise((x, x > 0), (-x, otherwise))"),
    ("piecewise((x, x>y), (y, x<=y))", "piecewise((x, x > y), (y, x <= y))"),
    ("piecewise((x, 0 < x < 1))", "piecewise((x, 0 < x and x < 1))"),
    ("piecewise((x, (x + 1)*2 > 0))", "piecewise((x, (x + 1)*2 > 0))"),
    ("piecewise((1, x > 0 and y > 0 or x = y))", "piecewise((1, x > 0 and y > 0 or x = y))"),
    ("piecewise((1, x > 0 and (y > 0 or x ≠ y)))", "piecewise((1, x > 0 and (y > 0 or x != y)))"),
    ("piecewise((1, (x ≥ 0)), (2, (x < 0) and (y < 0)))", "piecewise((1, x >= 0), (2, x < 0 and y < 0))"),
]


@pytest.mark.parametrize(("text", "meaning"), MEANINGS, ids=lambda v: v)
def test_a_text_means(text, meaning):
    assert write(read_expression(text)) == meaning


x, y, z = symbol("x"), symbol("y"), symbol("z")


def test_chains_are_flat_and_brackets_are_kept():
    assert read_expression("x + y + z") is add(x, y, z)
    assert read_expression("(x + y) + z") is add(add(x, y), z)
    assert read_expression("x*y*z") is mul(x, y, z)
    assert read_expression("x*(y*z)") is mul(x, mul(y, z))


def test_a_sign_goes_into_a_leading_number():
    assert read_expression("x - 2*y") is add(x, mul(num(-2), y))
    assert read_expression("-3/2*x") is mul(num(Fraction(-3, 2)), x)
    assert read_expression("x - y*z") is add(x, mul(num(-1), y, z))
    assert read_expression("-(x*y)") is neg(mul(x, y))


def test_constants_give_way_to_declared_names():
    assert read_expression("E*x") is mul(E, x)
    assert read_expression("E*x", declared=["E"]) is mul(symbol("E"), x)
    assert read_expression("I", declared=["I"]) is symbol("I")
    assert read_expression("ⅇ*E + ⅈ*I", declared=["E", "I"]) is add(mul(E, symbol("E")), mul(I, symbol("I")))
    assert read_expression("π", declared=["pi"]) is constant("pi")


def test_functions_give_way_to_declared_names():
    assert read_expression("gamma(x)") is call("gamma", x)
    assert read_expression("gamma(x + y)", declared=["gamma"]) is mul(symbol("gamma"), add(x, y))
    assert read_expression("sin*x", declared=["sin"]) is mul(symbol("sin"), x)
    assert read_expression("diff(x)", declared=["diff"]) is mul(symbol("diff"), x)


def test_d_over_dx_is_a_quotient_only_where_its_author_says_so():
    d, dx = symbol("d"), symbol("dx")
    assert read_expression("dy/dx", declared=["dy", "dx"]) is mul(symbol("dy"), power(dx, num(-1)))
    assert read_expression("d/dx (d*x)", declared=["d", "x"]) is derivative(mul(d, x), "x")
    assert read_expression("d/dx (x*dx)", declared=["dx", "x"]) is derivative(mul(x, dx), "x")
    assert read_expression("d/dx*x", declared=["d", "dx", "x"]) is mul(d, power(dx, num(-1)), x)
    assert read_expression("d/dx^2", declared=["d", "dx"]) is mul(d, power(power(dx, num(2)), num(-1)))
    assert read_expression("d/dist + dist") is add(mul(d, power(symbol("dist"), num(-1))), symbol("dist"))


@pytest.mark.parametrize(
    ("claim", "note"),
    [
        ("a(x + 1) = a*x + a", "a(…) is read as the product a*(…)"),
        ("pi(x + 1) = pi*x + pi", "pi(…) is read as the product pi*(…)"),
        ("gamma(x) = x*gamma with gamma: real", "gamma(…) is read as the product gamma*(…)"),
        ("d/dx*x = d*x/dx with d: real, dx: real", "d/dx is read as the quotient of d and dx"),
        ("e^x = e^x", "e is read as a real parameter; Euler's number is E or exp(1)"),
        ("i*x = x*i", "i is read as a real parameter; the imaginary unit is I"),
        ("gamma*x = x*gamma", "gamma is read as a real parameter, not as a function"),
        ("d/dx (xy) = y + 0*x", "xy is read as one name, not as the product x*y"),
        ("expm1(x) = exp(x) - 1", "expm1(x) is read as exp(x) - 1"),
    ],
)
def test_a_reading_that_could_have_been_another_is_noted(claim, note):
    assert note in read_claim(claim).notes


def test_what_is_plain_has_no_notes():
    assert read_claim("d/dx (d*x + e) = d with d: real, e: real").notes == ()


@pytest.mark.parametrize("text", ["1/2x", "a/b c", "1/2(x + 1)", "x/2 sin(x)", "1/n! x"])
def test_a_division_before_a_product_without_a_sign_is_refused_with_both_readings(text):
    with pytest.raises(ReadError, match=r"can be read as .*/\(.*\*.*\) or \(.*/.*\)\*.*; write the brackets"):
        read_expression(text)


atoms = st.sampled_from(["x", "y", "2", "sin(x)", "(x + y)", "n!", "x_1", "pi"])


@given(atoms, atoms, atoms)
def test_products_bind_tighter_than_sums_and_powers_than_products(a, b, c):
    assert read_expression(f"{a} + {b}*{c}") is read_expression(f"{a} + ({b}*{c})")
    assert read_expression(f"{a}*{b} - {c}") is read_expression(f"({a}*{b}) - {c}")
    assert read_expression(f"{a}*{b}^{c}") is read_expression(f"{a}*({b}^{c})")
    assert read_expression(f"{a}^{b}^{c}") is read_expression(f"{a}^({b}^{c})")
    assert read_expression(f"{a}^-{b}*{c}") is read_expression(f"({a}^(-{b}))*{c}")


@given(atoms, atoms)
def test_an_operator_takes_a_bracket_with_its_power_or_the_whole_product(a, b):
    taken = read_expression(f"d/dx ({a})^2*{b}", declared=["x", "y", "n", "x_1"])
    assert taken is read_expression(f"(d/dx (({a})^2))*{b}", declared=["x", "y", "n", "x_1"])
    if not a.startswith("("):
        whole = read_expression(f"d/dx {a}*{b}/3 + {b}", declared=["x", "y", "n", "x_1"])
        assert whole is read_expression(f"(d/dx ({a}*{b}/3)) + {b}", declared=["x", "y", "n", "x_1"])


@given(st.text(alphabet=" \t", max_size=3), st.text(alphabet=" ", max_size=2))
def test_spaces_around_signs_mean_nothing(one, other):
    spaced = f"{other}2{one}*{other}sin({one}x{other}){one}^{other}2{one}-{other}y{one}"
    assert read_expression(spaced) is read_expression("2*sin(x)^2-y")


@given(st.fractions(max_denominator=10**6))
def test_numbers_are_read_exactly(value):
    assert read_expression(f"{value.numerator}/{value.denominator}") is num(value)


@given(st.decimals(allow_nan=False, allow_infinity=False, min_value=0, max_value=10**9, places=12))
def test_decimals_are_read_exactly(value):
    assert read_expression(f"{value:f}") is num(Fraction(value))
