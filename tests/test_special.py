"""Every enclosure of a function is compared with mpmath, which shares no code with FLINT."""

from __future__ import annotations

import random
from fractions import Fraction

import mpmath
import pytest
from flint import acb, arb, ctx, fmpq
from mpmath import mpc, mpf

from verify.decide.enclose.jets import Kink, NoValue, Undecided, Undefined
from verify.decide.enclose.special import evaluate, special
from verify.functions import ROWS, Function, function

HYPERGEOMETRIC = tuple(
    function(f"hyp{p}f{q}", p + q + 1) for p, q in ((0, 1), (1, 0), (1, 1), (2, 1), (2, 2), (3, 2), (3, 3))
)
PIECES = ("abs", "sign", "floor", "ceil")
FUNCTIONS = [row for row in (*ROWS, *HYPERGEOMETRIC) if row.name not in PIECES]

#: Where mpmath has another name or another order of arguments.
REFERENCES = {
    "acot": lambda z: mpmath.atan(1 / z),
    "acoth": lambda z: mpmath.atanh(1 / z),
    "asec": lambda z: mpmath.acos(1 / z),
    "acsc": lambda z: mpmath.asin(1 / z),
    "asech": lambda z: mpmath.acosh(1 / z),
    "acsch": lambda z: mpmath.asinh(1 / z),
    "erfcinv": lambda x: mpmath.erfinv(1 - x),
    "Ei": mpmath.ei,
    "li": mpmath.li,
    "Si": mpmath.si,
    "Ci": mpmath.ci,
    "Shi": mpmath.shi,
    "Chi": mpmath.chi,
    "uppergamma": lambda s, z: mpmath.gammainc(s, z),
    "lowergamma": lambda s, z: mpmath.gammainc(s, 0, z),
    "polygamma": lambda n, x: mpmath.psi(int(n.real), x),
    "LambertW": mpmath.lambertw,
    "elliptic_k": mpmath.ellipk,
    "elliptic_e": mpmath.ellipe,
    "elliptic_f": mpmath.ellipf,
    "elliptic_pi": mpmath.ellippi,
    "chebyshevt": mpmath.chebyt,
    "chebyshevu": mpmath.chebyu,
    "bernoulli": lambda n, x: mpmath.bernpoly(int(n.real), x),
    "jtheta": lambda k, z, q: mpmath.jtheta(int(k.real), z, q),
    "airyaiprime": lambda z: mpmath.airyai(z, derivative=1),
    "airybiprime": lambda z: mpmath.airybi(z, derivative=1),
    "hyp3f3": lambda a, b, c, d, e, f, z: mpmath.hyper([a, b, c], [d, e, f], z),
    "hyp1f0": lambda a, z: (1 - z) ** (-a),
}


@pytest.fixture(autouse=True)
def precision():
    before, ctx.prec = ctx.prec, 128
    with mpmath.workdps(45):
        yield
    ctx.prec = before


def label(row: Function) -> str:
    return f"{row.name}/{len(row.arguments)}"


def mp(z: acb):
    def exact(x: arb):
        man, exp = x.mid().man_exp()
        return mpf(int(man)) * mpf(2) ** int(exp)

    return exact(z.real) if z.imag.is_zero() else mpc(exact(z.real), exact(z.imag))


def near(ball: acb, value) -> bool:
    """Whether the value, known to 30 digits at least, lies in the ball or next to it."""
    slack = mpf(10) ** -30 * (1 + abs(value)) + mp(acb(ball.rad())) * 2
    return bool(abs(mp(ball) - value) <= slack)


def drawn(row: Function, rng: random.Random, real: bool, whole: bool) -> tuple[acb, ...]:
    """Exact arguments of a function in many regions, some of them whole numbers."""
    scale = rng.choice((1, 1, 1, 6 if "coulomb" not in row.name else 1, 0.1))
    args = []
    for name in row.arguments:
        if (row.name, name) == ("jtheta", "k"):
            args.append(acb(rng.randint(1, 4)))
        elif (row.name, name) == ("jtheta", "q"):
            args.append(acb(fmpq(rng.randint(50, 700), 1024)))
        elif name == "n" and row.name in ("polygamma", "bernoulli"):
            args.append(acb(rng.randint(0, 5)))
        elif name in ("n", "nu", "s", "l") and whole and row.name != "elliptic_pi":
            args.append(acb(rng.randint(-3, 4)))
        else:
            x = fmpq(int(rng.randint(-3000, 3000) * scale), 1024)
            y = fmpq(0) if real else fmpq(int(rng.randint(-1500, 1500) * scale), 1024)
            args.append(acb(x, y))
    return tuple(args)


@pytest.mark.parametrize("row", FUNCTIONS, ids=label)
def test_every_function_agrees_with_mpmath_in_many_regions(row):
    rng = random.Random(label(row))
    reference = REFERENCES.get(row.name) or getattr(mpmath, row.name)
    compared = 0
    for trial in range(48):
        args = drawn(row, rng, real=trial % 2 == 0, whole=trial % 4 < 2)
        try:
            ball = evaluate(row.name, args, real=trial % 2 == 0)
            value = reference(*map(mp, args))
        except (
            NoValue,
            ValueError,
            ZeroDivisionError,
            NotImplementedError,
            RecursionError,
            mpmath.libmp.NoConvergence,
        ):
            continue
        assert near(ball, value), f"{row.name}{args}: {ball}, mpmath has {value}"
        compared += 1
        if compared == (4 if row.name == "elliptic_pi" else 12):  # mpmath takes seconds for these
            return
    assert compared >= 4


@pytest.mark.parametrize("row", FUNCTIONS, ids=label)
def test_the_enclosure_of_a_thick_ball_contains_the_values_in_it(row):
    rng = random.Random(label(row))
    for trial in range(40):
        real = trial % 3 == 0
        centre = drawn(row, rng, real, whole=trial % 2 == 0)
        if trial % 4 == 1:  # onto the axes, where the cuts are
            centre = tuple(acb(z.real) if rng.random() < 0.7 else acb(0, z.real) for z in centre)
        radius = fmpq(1, 1 << rng.choice((4, 10, 30)))
        thick = [rng.random() < 0.6 and name not in ("k", "n") for name in row.arguments]
        box = tuple(z + _square(radius, real) if t else z for z, t in zip(centre, thick, strict=True))
        try:
            whole = evaluate(row.name, box, real)
        except NoValue:
            continue
        for _ in range(3):
            inner = tuple(z + _inside(radius, real, rng) if t else z for z, t in zip(centre, thick, strict=True))
            try:
                value = evaluate(row.name, inner, real)
            except NoValue:
                assert not real, f"{row.name} has a value on {box}, but none at {inner}"
                continue
            assert whole.overlaps(value), f"{row.name} on {box} is {whole}, at {inner} it is {value}"


def _square(radius: fmpq, real: bool) -> acb:
    side = arb(0, arb(radius))
    return acb(side) if real else acb(side, side)


def _inside(radius: fmpq, real: bool, rng: random.Random) -> acb:
    x, y = (radius * fmpq(rng.randint(-9, 9), 10) for _ in range(2))
    return acb(x) if real else acb(x, y)


@pytest.mark.parametrize(
    ("name", "args", "digits"),
    [
        ("acot", ("-1/2",), "-1.1071487177940905030"),
        ("atan2", ("-1", "-1"), "-2.3561944901923449288"),
        ("atan2", ("0", "-1"), "3.1415926535897932385"),
        ("Ei", ("-1",), "-0.21938393439552027368"),
        ("li", ("1/2",), "-0.37867104306108797673"),
        ("fresnels", ("1",), "0.43825914739035476608"),
        ("erfi", ("1",), "1.6504257587975428760"),
        ("erfcinv", ("1/2",), "0.47693627620446987338"),
        ("uppergamma", ("-1", "1/2"), "0.65328772464910604"),
        ("expint", ("1", "1/2"), "0.55977359477616081175"),
        ("polylog", ("-1", "3"), "0.75"),
        ("zeta", ("2", "-1/2"), "8.9348022005446793094"),
        ("hermite", ("3", "1/2"), "-5"),
        ("elliptic_f", ("4", "1/2"), "4.6195206162571072"),
        ("elliptic_e", ("1/2",), "1.3506438810476755025"),
        ("besselj", ("2", "-3/2"), "0.23208767214421473"),
        ("hyp2f1", ("-2", "1/5", "3/2", "3"), "0.776"),
        ("jtheta", ("1", "0", "1/5"), "0"),
        ("bernoulli", ("3", "3/2"), "0.75"),
        ("barnesg", ("-3/2",), "-0.072006981934800538"),
    ],
)
def test_conventions_are_pinned(name, args, digits):
    value = evaluate(name, tuple(acb(fmpq(Fraction(a).numerator, Fraction(a).denominator)) for a in args), real=True)
    assert value.imag.is_zero()
    assert abs(value.real - arb(digits)) < arb("1e-15")


@pytest.mark.parametrize(
    ("name", "args"),
    [
        ("log", (-1,)), ("asin", (2,)), ("acosh", (0.5,)), ("atanh", (-2,)), ("asech", (2,)), ("acoth", (0.5,)),
        ("loggamma", (-0.5,)), ("Ci", (-1,)), ("Chi", (-1,)), ("li", (-1,)), ("LambertW", (-1,)), ("erfinv", (2,)),
        ("erfcinv", (-0.5,)), ("besselj", (0.5, -1)), ("bessely", (1, -1)), ("besselk", (0, -1)), ("polylog", (2, 3)),
        ("uppergamma", (0.5, -1)), ("expint", (1, -1)), ("zeta", (2.5, -0.5)), ("elliptic_k", (2,)),
        ("elliptic_f", (1.5, 2)), ("hyp2f1", (0.5, 1, 2, 3)), ("legendre", (0.5, -2)), ("polygamma", (-1, 2)),
        ("polygamma", (0.5, 2)), ("bernoulli", (-1, 2)), ("jtheta", (5, 1, 0.5)), ("agm", (-1, 2)), ("atan2", (0, 0)),
    ],
)  # fmt: skip
def test_outside_its_real_domain_a_function_is_undefined(name, args):
    with pytest.raises(Undefined):
        evaluate(name, tuple(map(acb, args)), real=True)


@pytest.mark.parametrize(
    ("name", "args"),
    [
        ("besselj", (2, -1)), ("polylog", (-1, 3)), ("uppergamma", (2, -1)), ("expint", (-1, -2)), ("zeta", (3, -0.5)),
        ("hyp2f1", (-3, 1, 2, 5)), ("legendre", (3, -2)), ("chebyshevt", (4, -3)), ("elliptic_f", (0.5, 2)),
        ("elliptic_e", (20, 0.5)), ("acosh", (1,)), ("asin", (-1,)),
    ],
)  # fmt: skip
def test_a_real_value_outside_the_usual_domain_is_found(name, args):
    assert evaluate(name, tuple(map(acb, args)), real=True).imag.is_zero()


@pytest.mark.parametrize("name", ["log", "asin", "acosh", "atanh", "loggamma", "LambertW", "elliptic_k", "li", "Ci"])
def test_a_ball_across_the_edge_of_the_domain_is_undecided(name):
    edges = {"asin": 1, "acosh": 1, "atanh": 1, "elliptic_k": 1, "LambertW": -0.3678794411714423}
    with pytest.raises(Undecided):
        evaluate(name, (acb(arb(edges.get(name, 0), 2.0**-20)),), real=True)


@pytest.mark.parametrize("name", ["log", "loggamma", "asin", "atanh", "acosh", "Ci", "LambertW", "elliptic_k", "li"])
def test_a_ball_across_a_branch_cut_is_a_kink(name):
    cut = 3 if name in ("asin", "atanh", "elliptic_k") else -3
    with pytest.raises(Kink):
        evaluate(name, (acb(arb(cut), arb(0, 2.0**-20)),), real=False)


def test_the_log_of_a_ball_round_minus_one_is_no_number():
    with pytest.raises(Kink):
        evaluate("log", (acb(arb(-1, 2.0**-60), arb(0, 2.0**-60)),), real=False)
    assert evaluate("log", (acb(-1),), real=False).imag.overlaps(arb.pi())


@pytest.mark.parametrize("name", ["erfinv", "erfcinv", "atan2"])
def test_functions_of_real_numbers_are_undefined_elsewhere(name):
    args = (acb("0.5", "0.1"),) * (2 if name == "atan2" else 1)
    with pytest.raises(Undefined):
        evaluate(name, args, real=False)


@pytest.mark.parametrize(
    ("name", "args"),
    [
        ("polygamma", (10**6, 1)), ("hermite", (10**9, 1)), ("besselj", (10**9, 1)), ("polylog", (1000, 0.5)),
        ("legendre", (10**7, 0.5)), ("zeta", (10**7, 2)), ("bernoulli", (10**9, 1)),
    ],
)  # fmt: skip
def test_parameters_that_would_take_for_ever_are_refused(name, args):
    with pytest.raises(Undecided, match="too large"):
        evaluate(name, tuple(map(acb, args)), real=True)


def test_a_pole_is_not_a_number():
    for name, args in (
        ("gamma", (-2,)),
        ("digamma", (0,)),
        ("cot", (0,)),
        ("Ei", (0,)),
        ("acot", (0,)),
        ("zeta", (1,)),
    ):
        with pytest.raises(Undecided):
            evaluate(name, tuple(map(acb, args)), real=True)


def test_every_function_of_the_table_is_enclosed():
    assert [row.name for row in FUNCTIONS if special(row.name, len(row.arguments)) is None] == []


@pytest.mark.parametrize("parameters", [("1", "7/6", "13/6"), ("1/3", "4/3", "2"), ("1/2", "1/3", "11/6")])
def test_2f1_is_enclosed_where_its_parameters_differ_by_integers(parameters):
    a, b, c = (acb(1) * fmpq(Fraction(p).numerator, Fraction(p).denominator) for p in parameters)
    for z in (0.3, 0.83, 0.93, -0.9, -7):
        value = mpmath.hyp2f1(*map(mp, (a, b, c)), z)
        assert abs(mp(evaluate("hyp2f1", (a, b, c, acb(z)), real=True)) - value) < mpf(10) ** -30
