"""Integrals are enclosed: the balls contain the true values, and what has no bound has no value."""

from __future__ import annotations

import pytest
from flint import acb, arb, ctx
from hypothesis import given, settings
from hypothesis import strategies as st

from verify.decide.enclose import far
from verify.decide.enclose.balls import Program
from verify.decide.enclose.jets import NoValue, Undefined, Unsupported
from verify.decide.enclose.search import search
from verify.language import read_claim, read_expression


def value(text: str, **names: object) -> acb:
    ctx.prec = 128
    env = {name: z if isinstance(z, acb) else acb(z) for name, z in names.items()}
    return Program((read_expression(text),), True).values(env)[0]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("int(x^2, x, 0, 1)", "1/3"),
        ("int(x^2, x, 1, 0)", "-1/3"),
        ("int(x, x, 1, 1)", "0"),
        ("int(exp(-x^2), x, -oo, oo)", "sqrt(pi)"),
        ("int(exp(-x^2), x, oo, -oo)", "-sqrt(pi)"),
        ("int(exp(-x), x, 0, oo)", "1"),
        ("int(exp(x), x, -oo, 0)", "1"),
        ("int(1/(1+x^2), x, -oo, oo)", "pi"),
        ("int(1/(1+x^2)^(3/2), x, -oo, oo)", "2"),
        ("int(x/(1+x^4), x, 0, oo)", "pi/4"),
        ("int(sech(x), x, -oo, oo)", "pi"),
        ("int(exp(-abs(x)), x, -oo, oo)", "2"),
        ("int(exp(-x)/(1+exp(-x))^2, x, 0, oo)", "1/2"),
        ("int(x^2*exp(-x^2/2 + x), x, -oo, oo)", "2*sqrt(2*pi)*exp(1/2)"),
        ("int(abs(x - 1/3), x, 0, 1)", "5/18"),
        ("int(floor(3*x), x, 0, 1)", "1"),
        ("int(sign(x - 1/7), x, 0, 1)", "5/7"),
        ("int(max(x, 1 - x, 3/5), x, 0, 1)", "19/25"),
        ("int(piecewise((x, x < 1/3), (x^2, x < 1/2), (1, otherwise)), x, 0, 1)", "1/18 + 19/648 + 1/2"),
        ("int(int(x*y, y, 0, x), x, 0, 1)", "1/8"),
        ("int(sqrt(x), x, 0, 1)", "2/3"),
        ("int(1/sqrt(x), x, 4, 0)", "-4"),
        ("int(log(x), x, 0, t)", "t*log(t) - t"),
        ("int(sin(x)/x, x, 0, t)", "Si(t)"),
        ("int(x^(t - 1)*exp(-x), x, 0, oo)", "gamma(t)"),
        ("int(x^(-t), x, 0, 1)", "3/2"),
        ("expect(x^2, x ~ normal(3, 2))", "13"),
        ("expect(abs(x), x ~ normal(0, 2))", "2*sqrt(2/pi)"),
        ("expect(x^2, x ~ uniform(1, 4))", "7"),
        ("expect(x^2, x ~ exponential(2))", "1/2"),
        ("d/dt int(exp(-t*x), x, 0, t) + 0*t", "exp(-t^2) - int(x*exp(-t*x), x, 0, t)"),
        ("d^2/dt^2 int((t - s)*exp(s), s, 0, t)", "exp(t)"),
        ("d/dt int(abs(x - t), x, 0, 1)", "2*t - 1"),
        ("d/dt expect(max(x, 0), x ~ normal(0, t))", "1/sqrt(2*pi)"),
        ("int(d/dx tanh(x), x, 0, t)", "tanh(t)"),
        ("expect(d/dx (x^3), x ~ normal(t, 1))", "3*t^2 + 3"),
    ],
)
def test_the_ball_is_narrow_and_contains_the_value(text, expected):
    t = acb(arb(1) / 3)
    found, known = value(text, t=t), value(expected, t=t)
    assert found.overlaps(known)
    assert found.rad() < 1e-25


@pytest.mark.parametrize(
    "text",
    ["int(1/x^2, x, -1, 1)", "int(log(x)/x, x, 0, 1)", "int(x^(-t), x, 0, 1)", "int(1/x^2, x, 0, 1)",
     "int(sqrt(-x), x, 0, 1)", "int(1/x, x, -1, 2)", "int(1/x, x, 0, 1)", "int(tan(x), x, 0, 3)",
     "int(exp(x), x, 0, oo)", "int(1, x, 0, oo)", "int(1/x, x, 1, oo)", "int(cos(x), x, 0, oo)", "int(x, x, -oo, oo)",
     "int(log(x), x, -2, 1)", "int(sqrt(x), x, -1, 1)", "int(1/(x - 1/3), x, 0, 1)", "int(exp(x^2), x, -oo, oo)",
     "expect(1/x, x ~ normal(0, 1))", "expect(exp(x^2), x ~ normal(0, 1))", "expect(x, x ~ normal(0, -t))",
     "expect(x, x ~ uniform(2, t))", "expect(x, x ~ exponential(-t))", "int(1, x, oo, oo)"],
)  # fmt: skip
def test_what_diverges_or_is_undefined_has_no_value(text):
    with pytest.raises(NoValue):
        value(text, t=1)


def test_a_real_integrand_that_is_not_real_is_undefined():
    with pytest.raises(Undefined):
        value("int(log(x - 3), x, 0, 1)")


def test_a_moving_jump_is_not_differentiated():
    with pytest.raises(Unsupported, match="jumps"):
        value("d/dt int(sign(x - t), x, 0, 1)", t=acb(arb(1) / 3))


@given(st.integers(-20, 20), st.integers(1, 20), st.integers(0, 3))
@settings(max_examples=25, deadline=None)
def test_balls_of_limits_and_parameters_contain_all_values(a, b, k):
    radius = arb(0, 2.0**-20)
    wide = value(
        "int(x^2*exp(c*x), x, l, h)", c=acb(arb(k) / 4 + radius), l=acb(arb(a) / 8 + radius), h=acb(b + radius)
    )
    for shift in (-(2.0**-21), 0.0, 2.0**-21):
        narrow = value("int(x^2*exp(c*x), x, l, h)", c=arb(k) / 4 + shift, l=arb(a) / 8 - shift, h=b + arb(shift))
        assert wide.contains(narrow) or wide.overlaps(narrow)
        assert abs(narrow - wide).abs_lower() == 0


@pytest.mark.parametrize(
    "text",
    ["exp(-x)", "x^3*exp(-x^2/2)", "1/(1+x^2)", "cos(x)*exp(-x/2)", "x/(1+x^4)", "sech(x)^2", "log(1+x)*exp(-x)",
     "tanh(x)*exp(-x)", "1/(1+exp(x))", "exp(-x)/(1+exp(-x))^2", "max(x, 2)*exp(-x)", "(1+x^2)^(-3/2)",
     "exp(-sqrt(1+x^2))*exp(-x)", "exp(-x + sin(x))"],
)  # fmt: skip
def test_the_rest_is_never_more_than_its_bound(text):
    ctx.prec = 128
    body = read_expression(text)
    for start in (1, 5):
        found = far.rest(body, "x", {}, 1, arb(start), True)
        if found is None:
            assert "sqrt" in text
            continue
        end, bound = found
        # Some of the rest, by the midpoint rule on a fine grid: less than all of it.
        step = end / 64
        program = Program((body,), True)
        part = sum((abs(program.values({"x": acb(end + step * (k + 0.5))})[0]) * step for k in range(64)), arb(0))
        assert not part > 1.05 * bound


@pytest.mark.parametrize("text", ["exp(x)", "1", "1/x", "sin(x)", "tan(x)*exp(-x)", "gamma(x)*exp(-x^2)", "1/(x^2-9)"])
def test_no_bound_is_given_where_none_is_known(text):
    ctx.prec = 128
    found = far.rest(read_expression(text), "x", {}, 1, arb(0), True)
    assert found is None or (text == "1/(x^2-9)" and found[0] > 3)


@pytest.mark.parametrize(
    ("text", "refuted"),
    [
        ("d/dt int(sin(t*x), x, 0, t) = int(x*cos(t*x), x, 0, t)", True),
        ("d/dt int(sin(t*x), x, 0, t) = int(x*cos(t*x), x, 0, t) + sin(t^2)", False),
        ("expect(x^2, x ~ normal(mu, sigma)) = mu^2 + sigma", True),
        ("int(1/x, x, a, b) = log(b/a)", False),
        ("int(1/x, x, a, b) = log(b/a) + sign(b) - 1", True),
    ],
)
def test_enclosures_refute_what_is_wrong_and_nothing_else(text, refuted):
    assert (search(read_claim(text)).counterexample is not None) is refuted
