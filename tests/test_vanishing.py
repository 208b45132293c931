"""What is 0 on a whole ball, though no ball shows it, and what lies in slices and at edges that are easily missed."""

from __future__ import annotations

from fractions import Fraction
from random import Random

import mpmath
import pytest
from flint import acb, arb, ctx

from verify import check
from verify.decide import decide
from verify.decide.enclose.balls import Program
from verify.decide.enclose.hunt import Hunt
from verify.decide.enclose.jets import Kink, NoValue
from verify.language import read_claim, read_expression
from verify.verdict import Verdict

#: A quantity that is max(0, x), written so that it cancels.
HIDDEN = "(z + 1)*max(0, x) - z*max(0, x)"


@pytest.mark.parametrize(
    ("text", "x", "value"),
    [
        (f"sign({HIDDEN})", -1, 0),
        (f"sign({HIDDEN})", 1, 1),
        (f"abs({HIDDEN})", -1, 0),
        (f"max({HIDDEN}, x - x)", -1, 0),
        (f"floor({HIDDEN})", -1, 0),
        (f"piecewise((1, {HIDDEN} >= 0), (2, otherwise))", -1, 1),
        (f"piecewise((1, {HIDDEN} > 0), (2, otherwise))", -1, 2),
        (f"d/dx abs({HIDDEN})", -1, 0),
        ("sign((z*abs(x) + abs(x)) - (z*abs(x) - x))", -2, 0),
        ("sign(z*floor(x) + z - z*(floor(x) + 1))", 2.5, 0),
        ("sign(1/(z*z) - 1/z^2 + max(0, x))", -1, 0),
    ],
)
def test_what_cancels_on_a_piece_is_zero_there(text, x, value):
    ctx.prec = 128
    env = {"x": acb(arb(x, 2**-40)), "z": acb(arb(3, 2**-40))}
    (found,) = Program((read_expression(text),), real=True).values(env)
    assert found == value


INVERSES = ("log", "sqrt", "asin", "acos", "atan", "acot", "asec", "acsc", "asinh", "acosh", "atanh", "acoth", "asech",
            "acsch", "loggamma")  # fmt: skip


@pytest.mark.parametrize("name", INVERSES)
def test_on_a_cut_there_is_no_value_or_that_of_one_of_its_sides(name):
    """A cut is no choice between pieces: nothing may be put in the place of a value that is open there."""
    ctx.prec = 128
    program = Program((read_expression(f"{name}(z)"), read_expression(f"d/dz {name}(z)")), real=False)
    seen = 0
    for x in (Fraction(-11, 4), Fraction(-1, 2), Fraction(-1, 8), Fraction(1, 2), Fraction(7, 4), Fraction(5)):
        for z in (acb(arb(x.numerator) / x.denominator), acb(0, arb(x.numerator) / x.denominator)):
            middle = mpmath.mpc(float(z.real.mid()), float(z.imag.mid()))
            sides = [getattr(mpmath, name)(middle + mpmath.mpc(1e-25, 1e-25) * turn) for turn in (1, -1, 1j, -1j)]
            try:
                value, slope = program.values({"z": z})
            except NoValue:
                continue
            seen += 1
            found = complex(float(value.real.mid()), float(value.imag.mid()))
            assert min(abs(complex(side) - found) for side in sides) < 1e-9
            assert slope != 0
    assert seen


@pytest.mark.parametrize("text", [f"sign({HIDDEN})", "sign(x*z - x*z + x)", "abs(sign(x) - sign(x) + x)"])
def test_on_a_kink_itself_nothing_is_settled(text):
    ctx.prec = 128
    program = Program((read_expression(f"d/dx ({text})"),), real=True)
    for ball in (acb(0), acb(arb(0, 2**-40))):
        with pytest.raises(Kink):
            program.values({"x": ball, "z": acb(3)})


@pytest.mark.parametrize(
    "text",
    [
        f"sign(abs({HIDDEN} + m - m)) = 1",
        "abs(sign((y + 2)*(abs(x) + x) - (y + 1)*(abs(x) + x))) = 1",
        "sign(abs(z*(floor(x) + 1) - z*floor(x) - z + floor(x))) = 1",
        f"d/dx abs({HIDDEN}) = 1",
        "asin(sin(x)) = x with x: interval(0, 1.5708)",
        "asin(x) + asin(y) = asin(x*sqrt(1-y^2) + y*sqrt(1-x^2)) with x: interval(-0.7, 0.72), y: interval(-0.7, 0.72)",
        "abs(x - y) = x - y with x > y - 1/100",
        "abs(x - 10^6) = 10^6 - x with x < 10^6 + 1/1000",
        "floor(x + 1e-30) = floor(x)",
        "sign(x - 1e-60)*sign(x) = 1",
        "abs(log(x) + 50) = log(x) + 50",
        "abs(sin(x) - 0.99999) = 0.99999 - sin(x)",
        "min(exp(-x^2), 1 - 1e-30) = exp(-x^2)",
        "sign(n) = 1 with n: nonnegative, everywhere",
    ],
)
def test_what_is_false_in_a_slice_is_refuted(text):
    assert decide(read_claim(text)).verdict is Verdict.REFUTED


@pytest.mark.parametrize(
    "text",
    [
        f"sign(abs({HIDDEN} + m - m)) = 1 with x: positive",
        f"sign({HIDDEN}) = sign(max(0, x))",
        "asin(sin(x)) = x with x: interval(0, 1.5707)",
        "abs(x - y) = x - y with x > y",
        "floor(x + 1e-30) = floor(x) with x: integer",
        "abs(sin(x) - 1.00001) = 1.00001 - sin(x)",
        "sign(n) = 1 with n: positive, everywhere",
    ],
)
def test_its_true_neighbours_are_not(text):
    assert decide(read_claim(text)).verdict in (Verdict.PROVED, Verdict.SUPPORTED)


def test_a_part_on_which_no_piece_can_be_told_is_said_and_not_supported():
    result = check("sign(gamma(x + 1) - x*gamma(x) + max(0, x - 1)) = 1 with x: positive")
    assert result.verdict is Verdict.UNDECIDED
    assert "which piece counts" in result.reason


def test_edges_are_looked_for_only_where_something_may_change_there():
    hunt = Hunt(read_claim("exp(x)^2 = exp(2*x) with x: interval(0, 1)"), Random(0))
    hunt.refute()
    assert not list(hunt.edges())
    hunt = Hunt(read_claim("log(x)*2 = 2*log(x) with x < 3 - y, y > 0, x > 0"), Random(0))
    hunt.refute()
    start, edges = hunt.agreeing[0], list(hunt.edges())
    assert any(p["x"][0] + p["y"][0] > 3 - 1e-6 for p in edges if p["y"] == start["y"])
    assert all(hunt.sampler.admits(p) for p in edges)


@pytest.mark.parametrize("text", ["d/dX tr(A*X*B) = B*A", "d/dx logdet(x + y) = 1", "det(x*y) = x*y"])
def test_a_function_of_matrices_is_not_read_as_one_of_undeclared_numbers(text):
    result = check(text)
    assert result.verdict is Verdict.INVALID
    assert "not declared" in result.reason


def test_declared_numbers_may_stand_there():
    assert check("d/dX tr(A*X*B) = B*A with A: real, B: real, X: real").verdict is Verdict.PROVED


def test_matrices_that_depend_on_a_name_are_declared():
    claim = "d/dt tr(A) = tr(d/dt(A)) with A: matrix(n,n) of t"
    assert check(claim).verdict is Verdict.PROVED
