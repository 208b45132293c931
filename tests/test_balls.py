"""Values of expressions on balls: derivatives without writing them out, real domains, powers, kinks, pieces."""

from __future__ import annotations

import math
import random
import time
from contextlib import suppress
from fractions import Fraction

import mpmath
import pytest
from flint import acb, arb, ctx, fmpq
from hypothesis import given
from hypothesis import strategies as st

from verify.decide.enclose.balls import Program
from verify.decide.enclose.jets import Jet, Kink, NoValue, Undecided, Undefined, Unsupported
from verify.decide.enclose.series import cauchy
from verify.graph import Node, call, derivative, num, sqrt, symbol
from verify.language import read_expression

X = symbol("x")


@pytest.fixture(autouse=True)
def precision():
    before, ctx.prec = ctx.prec, 128
    yield
    ctx.prec = before


def exact(value: str | float | Fraction) -> acb:
    q = Fraction(value)
    return acb(fmpq(q.numerator, q.denominator))


def value(text: str | Node, real: bool = True, **point: str | acb) -> acb:
    node = read_expression(text, tuple(point)) if isinstance(text, str) else text
    env = {name: v if isinstance(v, acb) else exact(v) for name, v in point.items()}
    return Program((node,), real).values(env)[0]


def close(ball: acb, number: object, digits: int = 20) -> bool:
    return bool((ball - acb(str(mpmath.re(number)), str(mpmath.im(number)))).abs_upper() < arb(f"1e-{digits}"))


# --- derivatives ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "point", "written_out"),
    [
        ("d/dx sin(x)^2", {"x": "3/7"}, "2*sin(x)*cos(x)"),
        ("d/dx log(x + sqrt(1 + x^2))", {"x": "-5/3"}, "1/sqrt(1 + x^2)"),
        ("d^2/dx^2 exp(a*x)", {"x": "1/3", "a": "-2"}, "a^2*exp(a*x)"),
        ("d^5/dx^5 sin(2*x)", {"x": "1/3"}, "32*cos(2*x)"),
        ("d/dy d/dx (x*y^2)", {"x": "2", "y": "1/7"}, "2*y"),
        ("d/dx d/dx x^4", {"x": "-3"}, "12*x^2"),
        ("d/dx (x*d/dx exp(x^2))", {"x": "1/2"}, "(4*x + 4*x^3)*exp(x^2)"),
        ("d/dx (x^2*d/dy (x*y)^3)", {"x": "2", "y": "3"}, "15*x^4*y^2"),
        ("sin(d/dx x^3) + d/dx sin(d/dx x^3)", {"x": "1/2"}, "sin(3*x^2) + 6*x*cos(3*x^2)"),
        ("d^2/dx^2 d^3/dy^3 exp(x*y)", {"x": "1/2", "y": "2/3"}, "(6*x + 6*x^2*y + x^3*y^2)*exp(x*y)"),
        ("d/dx x^x", {"x": "5/4"}, "x^x*(log(x) + 1)"),
        ("d/dx x^n", {"x": "-3/2", "n": "3"}, "n*x^(n - 1)"),
        ("d/dx d/dy x^y", {"x": "3/2", "y": "1/3"}, "x^(y - 1)*(1 + y*log(x))"),
        ("d^3/dx^3 x^(5/2)", {"x": "2"}, "15/8*x^(-1/2)"),
        ("d^3/dx^3 (1/(1 + x))", {"x": "2"}, "-6/(1 + x)^4"),
        ("d^4/dx^4 x^4", {"x": "0"}, "24"),
        ("d/dx (x - 1)^7", {"x": "1"}, "0"),
        ("d^2/dx^2 tan(x)", {"x": "1/2"}, "2*tan(x)*(1 + tan(x)^2)"),
        ("d/dx (y^2)", {"x": "1", "y": "3"}, "0"),
        ("d^3/dx^3 erf(x)", {"x": "1/2"}, "(8*x^2 - 4)/sqrt(pi)*exp(-x^2)"),
        ("d^2/dx^2 airyai(x)", {"x": "-3/2"}, "x*airyai(x)"),
        ("x^2*d^2/dx^2 besselj(1/3, x) + x*d/dx besselj(1/3, x)", {"x": "5/3"}, "(1/9 - x^2)*besselj(1/3, x)"),
        ("d/dx atan2(x, y)", {"x": "1/2", "y": "-2"}, "y/(x^2 + y^2)"),
        ("d/dx abs(x)*x", {"x": "-2"}, "2*abs(x)"),
        ("d/dx max(x^2, x)", {"x": "1/2"}, "1"),
        ("d/dx piecewise((x^2, x < 1), (x^3, otherwise))", {"x": "2"}, "3*x^2"),
    ],
)
def test_a_derivative_has_the_value_of_the_formula_written_out(text, point, written_out):
    difference = value(text, **point) - value(written_out, **point)
    assert difference.contains(0)
    assert difference.abs_upper() < 1e-25


@pytest.mark.parametrize(
    ("text", "point", "reference"),
    [
        (
            "d/dnu besselj(nu, x)",
            {"nu": "1/3", "x": "3/7"},
            lambda m: m.diff(lambda v: m.besselj(v, m.mpf(3) / 7), m.mpf(1) / 3),
        ),
        ("d/dx besselj(x, x)", {"x": "3/2"}, lambda m: m.diff(lambda x: m.besselj(x, x), 1.5)),
        ("d^2/dnu^2 besselk(nu, x)", {"nu": "1/4", "x": "2"}, lambda m: m.diff(lambda v: m.besselk(v, 2), 0.25, 2)),
        (
            "d/dx d/dnu besselj(nu, x)",
            {"nu": "2", "x": "3/2"},
            lambda m: m.diff(lambda v, x: m.besselj(v, x), (2, 1.5), (1, 1)),
        ),
        ("d/ds zeta(s, a)", {"s": "3", "a": "2"}, lambda m: m.zeta(3, 2, 1)),
        ("d/ds polylog(s, z)", {"s": "5/2", "z": "-1/3"}, lambda m: m.diff(lambda s: m.polylog(s, -m.mpf(1) / 3), 2.5)),
        ("d/ds uppergamma(s, z)", {"s": "-1/2", "z": "3/2"}, lambda m: m.diff(lambda s: m.gammainc(s, 1.5), -0.5)),
        (
            "d/da hyp2f1(a, b, c, z)",
            {"a": "1/2", "b": "1/3", "c": "5/4", "z": "-2"},
            lambda m: m.diff(lambda a: m.hyp2f1(a, m.mpf(1) / 3, 1.25, -2), 0.5),
        ),
        ("d/dn legendre(n, x)", {"n": "3/2", "x": "1/3"}, lambda m: m.diff(lambda n: m.legendre(n, m.mpf(1) / 3), 1.5)),
        ("d/dq jtheta(3, z, q)", {"z": "1/2", "q": "1/4"}, lambda m: m.diff(lambda q: m.jtheta(3, 0.5, q), 0.25)),
        ("d/dx elliprg(x, y, 2)", {"x": "1/2", "y": "3"}, lambda m: m.diff(lambda x: m.elliprg(x, 3, 2), 0.5)),
        ("d^12/dx^12 besselj(1, x)", {"x": "1"}, lambda m: m.diff(lambda x: m.besselj(1, x), 1, 12)),
    ],
    ids=lambda v: v if isinstance(v, str) else "",
)
def test_derivatives_without_a_rule_agree_with_mpmath(text, point, reference):
    with mpmath.workdps(50):
        expected = reference(mpmath)
        assert close(value(text, **point), expected)


def test_derivatives_of_parameters_that_are_no_functions_of_them_are_refused():
    for text, point in (("d/dn polygamma(n, x)", {"n": "1", "x": "2"}), ("d/dn bernoulli(n, x)", {"n": "2", "x": "2"})):
        with pytest.raises(NoValue):
            value(text, **point)


@pytest.mark.parametrize("order", range(1, 8))
@pytest.mark.parametrize(
    ("name", "parameters"),
    [
        ("besselj", ("1/3",)),
        ("gamma", ()),
        ("elliptic_k", ()),
        ("tan", ()),
        ("hyp2f1", ("1/2", "2", "4/3")),
        ("LambertW", ()),
    ],
)
def test_rules_and_cauchys_integral_give_the_same_series(name, parameters, order):
    before = tuple(map(exact, parameters))
    node = call(name, *(num(Fraction(p)) for p in parameters), X)
    (by_rule,) = Program((derivative(node, "x", order),), real=True).values({"x": exact("2/5")})
    jet = Jet(0, [exact("2/5"), acb(1), *[acb(0)] * (order - 1)])
    by_cauchy = cauchy(name, (*before, jet), 0, True).coefficients[order] * math.factorial(order)
    assert by_rule.overlaps(by_cauchy)
    assert by_rule.rel_accuracy_bits() > 60


def test_no_derivative_is_written_out():
    node = X
    for _ in range(400):
        node = call("sin", node) * X
    start = time.perf_counter()
    assert Program((derivative(node, "x"),), real=True).values({"x": exact("1/2")})[0].is_finite()
    assert time.perf_counter() - start < 1


def test_a_shared_part_is_evaluated_once():
    node = X
    for _ in range(300):
        node = node + node * node
    program = Program((derivative(node, "x"),), real=True)
    assert len(program.steps) <= 602


def test_derivatives_of_too_high_an_order_are_refused():
    with pytest.raises(Unsupported, match="order"):
        value(derivative(derivative(call("exp", X * symbol("y")), "x", 60), "y", 60), x="1", y="1")


def test_an_unknown_function_is_refused_not_taken_for_zero():
    with pytest.raises(Unsupported, match="nonesuch"):
        value(derivative(call("nonesuch", X), "x"), x="1")


# --- where a real expression is defined -----------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "point"),
    [
        ("log(x)", {"x": "-1"}), ("sqrt(x)", {"x": "-1"}), ("x^(1/3)", {"x": "-8"}), ("x^y", {"x": "-2", "y": "1/2"}),
        ("sqrt(x)^2", {"x": "-1"}), ("0*log(x)", {"x": "-1"}), ("log(x)^0", {"x": "-1"}), ("1/x", {"x": "0"}),
        ("x^(-2)", {"x": "0"}), ("d/dx log(x)", {"x": "-3"}), ("d/dx (y*0*sqrt(x))", {"x": "-3", "y": "1"}),
        ("d/dy (x^y)", {"x": "-2", "y": "2"}), ("piecewise((x, x > 0))", {"x": "-1"}), ("asin(x)", {"x": "2"}),
        ("max(x, log(x))", {"x": "-1"}), ("0^x", {"x": "-1/2"}),
    ],
)  # fmt: skip
def test_a_value_that_is_not_real_is_undefined(text, point):
    with pytest.raises((Undefined, Undecided)):
        value(text, **point)


@pytest.mark.parametrize(
    ("text", "point", "expected"),
    [
        ("x^3", {"x": "-2"}, -8),
        ("x^n", {"x": "-2", "n": "3"}, -8),
        ("x^(-3)", {"x": "-2"}, -0.125),
        ("x^(n/2)", {"x": "-3", "n": "4"}, 9),
        ("sqrt(x)", {"x": "0"}, 0),
        ("x^0", {"x": "0"}, 1),
        ("x^(3/2)", {"x": "0"}, 0),
        ("0^x", {"x": "2"}, 0),
        ("(x^2)^(1/2)", {"x": "-3"}, 3),
        ("x^y", {"x": "-3", "y": "2"}, 9),
        ("piecewise((log(x), x > 1), (x, otherwise))", {"x": "-1"}, -1),
        ("abs(x)", {"x": "-2"}, 2),
        ("sign(x)", {"x": "0"}, 0),
        ("floor(x)", {"x": "-3/2"}, -2),
        ("ceil(x)", {"x": "-3/2"}, -1),
        ("floor(x)", {"x": "3"}, 3),
        ("max(x, 2, 1/2)", {"x": "1"}, 2),
        ("min(x, 2, 1/2)", {"x": "1"}, 0.5),
        ("piecewise((1, x < 0 or x > 2), (2, x = 1), (3, x != 1))", {"x": "1"}, 2),
        ("piecewise((1, x >= 1 and y <= 1), (0, otherwise))", {"x": "1", "y": "1"}, 1),
    ],
)
def test_powers_and_pieces_have_their_values(text, point, expected):
    assert value(text, **point).overlaps(acb(expected))
    assert value(text, **point).is_finite()


@pytest.mark.parametrize(
    ("text", "point", "expected"),
    [
        ("sqrt(z)", {"z": acb(-4)}, acb(0, 2)),
        ("log(z)", {"z": acb(-1)}, acb(0, 1) * acb.pi()),
        ("z^(1/3)", {"z": acb(-8)}, acb(1, 0) + acb(0, 1) * acb(3).sqrt()),
        ("sqrt(z^2)", {"z": acb(-1, 1)}, acb(1, -1)),
        ("abs(v)*z", {"v": acb(-2), "z": acb(1, 1)}, acb(2, 2)),
        ("d/dz z^(1/2)", {"z": acb(0, 2)}, 1 / (2 * acb(0, 2).sqrt())),
    ],
)
def test_complex_values_are_principal_ones(text, point, expected):
    assert value(text, real=False, **point).overlaps(expected)


@pytest.mark.parametrize(
    "text", ["abs(z)", "sign(z)", "floor(z)", "max(z, 1)", "piecewise((1, z > 0), (0, otherwise))"]
)
def test_functions_with_pieces_want_provably_real_arguments(text):
    with pytest.raises(Undefined, match="real"):
        value(text, real=False, z=acb(1, 1))
    with pytest.raises(Undefined, match="real"):
        value(text, real=False, z=acb(1, arb(0, 1e-30)))


# --- kinks, jumps, balls that straddle them -------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "at"),
    [
        ("abs(x)", "0"),
        ("sign(x)", "0"),
        ("floor(x)", "2"),
        ("ceil(x)", "-1"),
        ("max(x, 1)", "1"),
        ("min(x, x^2)", "1"),
        ("piecewise((x, x < 1), (1, otherwise))", "1"),
        ("piecewise((0, x = 0), (x, otherwise))", "0"),
        ("piecewise((x, x != 3), (0, otherwise))", "3"),
    ],
)
def test_there_is_no_derivative_on_a_kink(text, at):
    with pytest.raises(Kink):
        value(f"d/dx {text}", x=at)


@given(
    st.sampled_from(
        [
            "abs(x)",
            "sign(x)",
            "floor(x)",
            "ceil(x)",
            "max(x, x^2)",
            "min(x, 1/2)",
            "abs(x - 1)*x",
            "x - floor(x)",
            "piecewise((x, x < 1), (x^2 + 1, x <= 2), (0, otherwise))",
            "d/dx abs(x)",
            "d/dx max(x, x^2)",
            "sqrt(x^2)",
            "d/dx sqrt(x^2)",
            "d/dx piecewise((x, x < 1), (3*x, otherwise))",
            "acot(x)",
            "atan2(x, x - 1)",
        ]
    ),
    st.fractions(-3, 3, max_denominator=16),
    st.integers(0, 40),
    st.lists(st.fractions(-1, 1, max_denominator=64), min_size=3, max_size=3),
)
def test_a_ball_across_a_kink_never_yields_a_wrong_enclosure(text, centre, k, places):
    ctx.prec = 128
    radius = Fraction(1, 1 << k)
    try:
        whole = value(text, x=exact(centre) + acb(arb(0, arb(2) ** -k)))
    except NoValue:
        return
    for place in places:
        try:
            inside = value(text, x=exact(centre + place * radius))
        except NoValue:
            continue
        assert whole.overlaps(inside)


LEAVES = st.sampled_from([X, num(2), num(Fraction(-1, 3)), X, num(1)])
EXPRESSIONS = st.recursive(
    LEAVES,
    lambda inner: st.one_of(
        st.tuples(inner, inner).map(lambda t: t[0] + t[1]),
        st.tuples(inner, inner).map(lambda t: t[0] * t[1]),
        st.tuples(inner, inner).map(lambda t: t[0] / t[1]),
        st.tuples(inner, st.integers(-3, 3)).map(lambda t: t[0] ** t[1]),
        inner.map(sqrt),
        st.tuples(
            st.sampled_from(("exp", "log", "sin", "cos", "tan", "atan", "asin", "tanh", "abs", "erf", "gamma")), inner
        ).map(lambda t: call(*t)),
        inner.map(lambda e: derivative(e, "x")),
    ),
    max_leaves=8,
)


@given(EXPRESSIONS, st.fractions(-2, 2, max_denominator=32), st.integers(3, 45), st.booleans())
def test_the_enclosure_on_a_ball_contains_the_values_in_it(node, centre, k, real):
    ctx.prec = 128
    program = Program((node,), real)
    rng = random.Random(k)
    spread = acb(arb(0, arb(2) ** -k)) if real else acb(arb(0, arb(2) ** -k), arb(0, arb(2) ** -k))
    try:
        (whole,) = program.values({"x": exact(centre) + spread})
    except NoValue:
        return
    for _ in range(3):
        x, y = (Fraction(rng.randint(-64, 64), 64 << k) for _ in range(2))
        inner = exact(centre + x) + (acb(0) if real else acb(0, 1) * exact(y))
        (inside,) = program.values({"x": inner})
        assert whole.overlaps(inside)


# --- numbers too large to be numbers --------------------------------------------------------------


@pytest.mark.parametrize("text", ["exp(exp(exp(exp(x))))", "x^(10^100)", "2^(2^(2^(2^(2^x))))", "gamma(10^300*x)"])
def test_huge_values_end_at_once(text):
    start = time.perf_counter()
    with suppress(Undecided):
        assert value(text, x="7").is_finite()
    assert time.perf_counter() - start < 1


def test_what_is_not_finite_is_no_value():
    for text in ("tan(x)/(x - x)", "1/(exp(x) - exp(x))", "log(x - x)", "exp(exp(exp(exp(x^9))))"):
        with pytest.raises((Undecided, Undefined)):
            value(text, x="9")
