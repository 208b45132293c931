"""Are thousands of problems with closed forms inside of their balls?  Not one may be outside."""

from __future__ import annotations

from fractions import Fraction
from random import Random

import pytest
from test_enclosure import KNOWN, Known, ode

from verify.numerics.enclosure import Enclosure, enclose

#: More closed forms, beside those of `KNOWN`: in p, b, t0 and T, with the ranges in which they hold.
FORMS = {
    "linear, driven": Known(ode("x", "p b", "-p*x + t", "b", "t0;T", "x"),
                            "(b - t0/p + 1/p^2)*exp(-p*(T - t0)) + T/p - 1/p^2"),
    "linear, periodic": Known(ode("x", "p b", "p*x + sin(t)", "b*p", "t0;T", "x"),
                              "(b*p + (cos(t0) + p*sin(t0))/(1 + p^2))*exp(p*(T - t0))"
                              " - (cos(T) + p*sin(T))/(1 + p^2)"),
    "rotation": Known(ode("x y", "w a", "w*y; -w*x", "a; w", "t0;T", "x*y"),
                      "(a*cos(w*(T-t0)) + w*sin(w*(T-t0)))*(w*cos(w*(T-t0)) - a*sin(w*(T-t0)))"),
    "Riccati": Known(ode("x", "p b", "1 - p^2*x^2", "b", "t0;T", "x"),
                     "(b*p + tanh(p*(T - t0)))/(p*(1 + b*p*tanh(p*(T - t0))))"),
    "Riccati, growing": Known(ode("x", "p", "p + x^2", "0", "t0;T", "x"), "sqrt(p)*tan(sqrt(p)*(T - t0))", 0.2, 1.0),
    "Bernoulli": Known(ode("x", "p b", "p*x - x^3", "b", "0;T", "x"),
                       "sqrt(p/(1 + (p/b^2 - 1)*exp(-2*p*T)))"),
    "Bernoulli, root": Known(ode("x", "p b", "p*x + sqrt(x)", "b", "0;T", "x"),
                             "((sqrt(b) + 1/p)*exp(p*T/2) - 1/p)^2"),
    "separable": Known(ode("x", "p b", "p*t*x^2", "b", "t0;T", "x"), "1/(1/b - p*(T^2 - t0^2)/2)", 0.2, 0.8),
    "separable, exp": Known(ode("x", "p b", "p*exp(-x)", "b", "t0;T", "exp(x)"), "exp(b) + p*(T - t0)"),
    "separable, waves": Known(ode("x", "p b", "p*cos(x)^2*t", "b", "t0;T", "tan(x)"), "tan(b) + p*(T^2 - t0^2)/2"),
    "Gompertz": Known(ode("x", "p b", "-p*x*log(x)", "b", "0;T", "log(x)"), "log(b)*exp(-p*T)"),
    "power": Known(ode("x", "p b", "p*x/(1 + t)", "b", "t0;T", "x"), "b*((1 + T)/(1 + t0))^p"),
    "gaussian": Known(ode("x", "p b", "-2*p*t*x", "b + p", "t0;T", "x", "t*x"),
                      "(b + p)*exp(-p*(T^2 - t0^2)) + (b + p)*(1 - exp(-p*(T^2 - t0^2)))/(2*p)"),
    "running square": Known(ode("x", "p b", "p*x", "b", "t0;T", "0", "x^2"), "b^2*(exp(2*p*(T - t0)) - 1)/(2*p)"),
    "chain": Known(ode("x y", "p b", "-p*x; p*x - y", "b; p", "0;T", "x + y", "y"),
                   "p + b", 0.3, 0.9),
    "saddle": Known(ode("x y", "p b", "p*x; -p*y + x", "1; b", "0;T", "y"),
                    "b*exp(-p*T) + (exp(p*T) - exp(-p*T))/(2*p)"),
    "arcs": Known(ode("x", "b", "sqrt(1 + x^2)", "b", "t0;T", "asinh(x)"), "asinh(b) + T - t0"),
    "bounded": Known(ode("x", "p b", "p/(1 + x^2)", "b", "0;T", "x + x^3/3"), "b + b^3/3 + p*T"),
    "moving ends": Known(ode("x", "p b", "p*x", "b", "p*b; p*b + T*p + b", "x"), "b*exp(p*(T*p + b))", 0.3, 0.8),
}  # fmt: skip


def outside(known: Known, seed: int) -> tuple[int, int]:
    """(balls that miss, problems enclosed) at one random point, radius and method."""
    rng = Random(seed)
    at = known.draw(rng)
    radius = 10.0 ** -rng.randint(3, 20)
    try:
        truth = known.truth(at)
    except ValueError:
        return 0, 0
    found = enclose(known.problem, at, radius=radius, adjoint=bool(seed % 2))
    if not isinstance(found, Enclosure):
        return 0, 0
    pairs = [(found.objective, truth["G"]), *((found.gradient[name], truth[name]) for name in known.names())]
    return sum(ball.apart(right) for ball, right in pairs), 1


@pytest.mark.parametrize("name", FORMS)
def test_the_closed_form_is_inside(name: str) -> None:
    counts = [outside(FORMS[name], seed) for seed in range(4)]
    assert sum(missed for missed, _ in counts) == 0
    assert sum(proved for _, proved in counts) >= 3


@pytest.mark.thorough
@pytest.mark.parametrize("name", [*FORMS, *KNOWN])
def test_the_closed_form_is_inside_at_very_many_points(name: str) -> None:
    known = {**FORMS, **KNOWN}[name]
    counts = [outside(known, 1000 + seed) for seed in range(100)]
    assert sum(missed for missed, _ in counts) == 0
    assert sum(proved for _, proved in counts) > 80


@pytest.mark.parametrize("off", [Fraction(1, 10**9), Fraction(-1, 10**13)])
def test_a_value_that_is_a_little_off_is_outside(off: Fraction) -> None:
    known, at = FORMS["Gompertz"], {"p": Fraction(1, 2), "b": Fraction(3, 4), "T": Fraction(1)}
    found = enclose(known.problem, at, radius=1e-16)
    assert isinstance(found, Enclosure)
    assert known.truth(at)["p"].mid + off not in found.gradient["p"]
