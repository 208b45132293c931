"""The search refutes what is false on an open part of its domain, and never what is true."""

from __future__ import annotations

import json
import random
from fractions import Fraction
from pathlib import Path

import pytest
from flint import acb, arb, ctx
from hypothesis import example, given
from hypothesis import strategies as st

from verify.decide import decide
from verify.decide.enclose.decimals import decimal, exact
from verify.decide.enclose.jets import NoValue
from verify.decide.enclose.points import read_point, write_point
from verify.decide.enclose.search import evaluate_at, search
from verify.language import read_claim
from verify.verdict import Rigor, Verdict

CORPORA = Path(__file__).parent / "data" / "corpora"
RULES = ("diffrules", "chainrules", "autograd", "torch", "stan", "fungrim")

TRUE = """
sqrt(cos(x)^2) = abs(cos(x))
log(x^2) = 2*log(abs(x))
log(x^2) = 2*log(x)
d/dx abs(x) = sign(x)
d/dx max(x, y) = piecewise((1, x > y), (0, otherwise))
asin(sin(x)) = (-1)^floor(x/pi + 1/2)*(x - pi*floor(x/pi + 1/2))
atan(tan(x)) = x - pi*floor(x/pi + 1/2)
acos(cos(x)) = abs(x - 2*pi*floor(x/(2*pi) + 1/2))
acot(x) = piecewise((pi/2 - atan(x), x > 0), (-pi/2 - atan(x), otherwise))
atan2(y, x) = piecewise((atan(y/x), x > 0), (atan(y/x) + pi, y >= 0), (atan(y/x) - pi, otherwise))
floor(2*x) = floor(x) + floor(x + 1/2)
floor(x) + floor(-x) = -1
piecewise((1, x = 0), (0, otherwise)) = 0
piecewise((x, x != 1/2), (17, otherwise)) = x
floor(x) = piecewise((floor(x), x != 3), (100, otherwise))
(x^2 - 1)/(x - 1) = x + 1
abs(x)/x = sign(x)
d/dx floor(x) = 0
max(x, y) = (x + y + abs(x - y))/2
d/dx log(abs(sin(x))) = cot(x)
d^2/dx^2 (x*abs(x)) = 2*sign(x)
sqrt(x*y) = sqrt(x)*sqrt(y)
x^y = abs(x)^y
sqrt(x - 1)*sqrt(1.0001 - x) = sqrt((x - 1)*(1.0001 - x))
(x^n)^2 = x^(2*n) with n: integer
besselj(n, -x) = (-1)^n*besselj(n, x) with n: integer
gamma(x)*gamma(1 - x) = pi/sin(pi*x)
elliptic_f(x + pi, 1/2) = elliptic_f(x, 1/2) + 2*elliptic_k(1/2)
exp(x) - exp(x) + x = x
(exp(x + 40) - exp(x + 40)*(1 - 1e-15))*1e15 = exp(x + 40)
sin(x + 1e6) = sin(x)*cos(1000000) + cos(x)*sin(1000000)
cosh(50*x)^2 - sinh(50*x)^2 = 1
d/dx acsc(x) = -1/(abs(x)*sqrt(x^2 - 1))
2*atan(x) = piecewise((asin(2*x/(1 + x^2)), abs(x) <= 1), (sign(x)*pi - asin(2*x/(1 + x^2)), otherwise))
d/dy (x - y*floor(x/y)) = -floor(x/y)
d/dnu besselj(nu, x) = d/dnu besselj(nu, x)
sqrt(1 - z^2) = sqrt(1 - z)*sqrt(1 + z) with z: complex
acosh(z) = log(z + sqrt(z - 1)*sqrt(z + 1)) with z: complex
atan(z) = I/2*(log(1 - I*z) - log(1 + I*z)) with z: complex
log(1/z) = -log(z) with z: complex
log(-x) = log(x) + I*pi with x: positive
2 + 2 = 4
abs(x) = max(x, -x) with everywhere
""".strip().splitlines()

FALSE = """
sqrt(cos(x)^2) = cos(x)
sqrt(x^2) = x
d/dx abs(x) = sign(x)*(1 + 1e-9)
d/dx abs(x - 3) = 1
piecewise((x, x < 1), (x + 1e-9, x < 1.0001), (x, otherwise)) = x
piecewise((0, x < 1e-6), (0, x < 2e-6), (0, otherwise)) = piecewise((0, x < 1e-6), (1, x < 2e-6), (0, otherwise))
piecewise((0, x < 1000000), (1, otherwise)) = 0
abs(x - 77) = 77 - x
max(x, y) = y
floor(2*x) = 2*floor(x)
asin(sin(x)) = x
atan(tan(x)) = x
acot(x) = pi/2 - atan(x)
atan2(y, x) = atan(y/x)
sqrt((x - 1)^2*(x - 1.001)^2) = (x - 1)*(x - 1.001)
exp(x) = exp(x) + 1e-15
sin(x + 1e-15) = sin(x)
cos(x)^2 + sin(x)^2 = 1 + 1e-30
(1 + x)^20 - (1 - x)^20 - 40*x = 1e-12
sin(1000000*x) = sin(1000001*x)
n^2 = n*(n + 1)/2 with n: integer
(-1)^n = 1 with n: integer
abs(x)*abs(y) = x*y
d/dx floor(x) = 1
elliptic_e(x, 1/2) = elliptic_e(x + pi, 1/2)
abs(x - 1/3) = 1/3 - x with x: interval(0, 0.334)
d/dx piecewise((x^2*sin(1/x), x != 0), (0, otherwise)) = 2*x*sin(1/x)
tanh(50*x) = sign(x)
atan((x + 1)/(1 - x)) = atan(x) + pi/4
erf(log(x)) + erfc(log(x)) = 1 + floor(x/9)/7
d/dnu besselj(nu, x) = besselj(nu - 1, x)
log(z1*z2) = log(z1) + log(z2) with z1: complex, z2: complex
sqrt(z^2 - 1) = sqrt(z - 1)*sqrt(z + 1) with z: complex
sqrt(-x) = -I*sqrt(x) with x: positive
2 + 2 = 5
sign(x) = piecewise((1, x >= 0), (-1, otherwise)) with everywhere
piecewise((x, x != 1/2), (17, otherwise)) = x with everywhere
""".strip().splitlines()


@pytest.mark.parametrize("text", TRUE)
@pytest.mark.parametrize("seed", [0, 1])
def test_a_true_claim_is_not_refuted(text, seed):
    found = search(read_claim(text), seed=seed)
    assert found.evidence.holds is True
    assert found.evidence.rigor is Rigor.ENCLOSED
    assert found.counterexample is None
    assert len(found.agreeing) >= 1


@pytest.mark.parametrize("text", FALSE)
@pytest.mark.parametrize("seed", [0, 1])
def test_a_claim_that_fails_on_a_part_of_its_domain_is_refuted_and_rechecked(text, seed):
    claim = read_claim(text)
    found = search(claim, seed=seed)
    assert found.evidence.holds is False
    assert found.counterexample is not None
    again = evaluate_at(claim, found.counterexample.point)
    assert again.apart
    assert not again.lhs.overlaps(again.rhs)


# --- slips on every branch ------------------------------------------------------------------------

IDENTITIES = (
    "log(({u})^2) = 2*log(abs({u}))",
    "sqrt(({u})^2) = abs({u})",
    "asin(sin({u})) = (-1)^floor(({u})/pi + 1/2)*({u} - pi*floor(({u})/pi + 1/2))",
    "atan({u}) + atan(1/({u})) = sign({u})*pi/2",
    "acosh({u}) = log({u} + sqrt(({u})^2 - 1))",
    "acoth({u}) = log(({u} + 1)/({u} - 1))/2",
    "asech({u}) = log(1/({u}) + sqrt(1/({u})^2 - 1))",
    "tan(acos({u})) = sqrt(1 - ({u})^2)/({u})",
    "sin(acot({u})) = sign({u})/sqrt(1 + ({u})^2)",
    "max({u}, {v}) = ({u} + {v} + abs({u} - ({v})))/2",
    "atan2({u}, {v}) = 2*atan(({u})/(sqrt(({u})^2 + ({v})^2) + {v}))",
    "sqrt(({u})*({v})) = sqrt(abs({u}))*sqrt(abs({v}))",
    "cos({u}) = sqrt(cos({u})^2)*sign(cos({u}))",
    "d/dx abs({u}) = sign({u})*d/dx({u})",
    "d/dx asec({u}) = d/dx({u})/(abs({u})*sqrt(({u})^2 - 1))",
    "d/dx acsch({u}) = -d/dx({u})/(abs({u})*sqrt(1 + ({u})^2))",
    "d/dx acos(cos({u})) = sin({u})/abs(sin({u}))*d/dx({u})",
    "d/dx atan2({u}, {v}) = (({v})*d/dx({u}) - ({u})*d/dx({v}))/(({u})^2 + ({v})^2)",
)
INNER = (
    "x", "-x", "3*x - 2", "-x/2 + 5", "x^2 - 3", "3*sin(x) - 1/2", "exp(x) - 2", "2/x", "x*y - 1", "(x - 2)/(x + 3)",
    "abs(x) - 1", "x - floor(x)",
)  # fmt: skip
SLIPS = ("({})*(1 + 1e-9)", "-({})", "({}) + 1e-12", "({})*(1 + 1e-15)")


@given(
    st.sampled_from(IDENTITIES),
    st.sampled_from(INNER),
    st.sampled_from(INNER),
    st.sampled_from(SLIPS),
    st.integers(0, 99),
)
def test_identities_hold_on_every_branch_and_their_slips_on_none(shape, u, v, slip, seed):
    text = shape.format(u=f"({u})", v=f"({v})")
    found = search(read_claim(text), seed=seed)
    assert found.evidence.holds is not False
    if found.evidence.holds:
        lhs, rhs = text.split(" = ")
        assert search(read_claim(f"{lhs} = {slip.format(rhs)}"), seed=seed).evidence.holds is False


# --- the corpora ----------------------------------------------------------------------------------


def rows(*names: str) -> list[dict[str, object]]:
    return [json.loads(line) for name in names for line in (CORPORA / f"{name}.jsonl").read_text().splitlines()]


def judged(row: dict) -> bool | None:
    return search(read_claim(row["claim"], row["let"])).evidence.holds


@pytest.mark.parametrize("name", RULES)
def test_published_rules_and_their_slips_are_told_apart(name):
    wrong = [row["id"] for row in rows(name) if judged(row) is not (row["truth"] == "true")]
    assert wrong == []


def assert_told_apart(chosen: list[dict]) -> None:
    told = [(row, judged(row)) for row in chosen]
    assert [row["id"] for row, holds in told if holds is (row["truth"] != "true")] == []
    assert sum(holds is None for _, holds in told) <= len(told) / 100


def test_published_integrals_turned_round_are_told_apart_from_their_slips():
    assert_told_apart(random.Random(7).sample(rows("rubi"), 200))


@pytest.mark.thorough
def test_all_published_integrals_turned_round_are_told_apart_from_their_slips():
    assert_told_apart(rows("rubi"))


# --- what is said ---------------------------------------------------------------------------------


def test_two_runs_with_one_seed_say_the_same():
    for text in ("d/dx sin(x)^2 = cos(x)", "sqrt(x^2) = abs(x)", "log(-1 - x^2) = 0"):
        one, other = (search(read_claim(text), seed=5) for _ in range(2))
        assert one == other


def test_the_global_precision_is_left_alone():
    ctx.prec = 77
    search(read_claim("sin(x) = cos(x)"))
    assert ctx.prec == 77
    ctx.prec = 53


def test_a_counterexample_has_small_numbers_and_a_ball_around_it():
    found = search(read_claim("d/dx sin(x)^2 = -2*sin(x)*cos(x)"))
    assert found.counterexample is not None
    assert found.counterexample.point == {"x": "1"}
    assert found.counterexample.lhs == "0.90929742682568169539…"
    assert found.counterexample.rhs == "-0.90929742682568169539…"
    assert found.counterexample.neighbourhood == "2^-40"


def test_integers_have_no_ball_around_them():
    found = search(read_claim("n^2 = n with n: integer"))
    assert found.counterexample is not None
    assert found.counterexample.neighbourhood == ""


@pytest.mark.parametrize(
    ("text", "conditions"),
    [
        ("d/dx abs(x) = 1", ("x > 0",)),
        ("sqrt(x^2) = -x", ("x < 0",)),
        ("sqrt(cos(x)^2) = cos(x)", ("cos(x) > 0",)),
        ("max(x, y) = y", ("x - y < 0",)),
        ("d/dx x^2 = 3*x", ()),
    ],
)
def test_where_a_refuted_claim_holds_is_seen(text, conditions):
    assert search(read_claim(text)).holds_on == conditions


def test_the_evidence_of_agreement_says_how_close_and_where():
    evidence = search(read_claim("d/dx (x*sin(abs(x))) = sin(abs(x)) + abs(x)*cos(x)")).evidence
    assert evidence.detail["points"] >= 12
    assert evidence.detail["digits"] >= 30
    assert evidence.detail["pieces"] == {"x": "negative and positive"}
    assert evidence.resolution is not None
    assert evidence.resolution <= 1e-30


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("log(-1 - x^2) = 0", "log is not real there"),
        ("sqrt(x - y)*sqrt(y - x) = 0", "real power of a negative number"),
        ("x = x with x^2 < 0", "no point of the domain was found"),
        ("1/(x - x) = 1", "division by zero"),
        ("x^(10^100) = 1", "too large"),
        ("d/dn bernoulli(n, x) = 1", "Bernoulli"),
    ],
)
def test_what_cannot_be_evaluated_is_undecided_with_the_reason(text, reason):
    found = search(read_claim(text))
    assert found.evidence.holds is None
    assert reason in found.reason


def test_a_point_outside_the_domain_is_no_counterexample():
    claim = read_claim("sqrt(x^2) = -x with x: positive")
    assert evaluate_at(claim, {"x": "2"}).apart
    for point in ({"x": "-2"}, {"y": "2"}, {"x": "2", "y": "1"}, {}):
        with pytest.raises(ValueError, match="point"):
            evaluate_at(claim, point)
    with pytest.raises(NoValue):
        evaluate_at(read_claim("log(x) = 1"), {"x": "-1"})


def test_an_isolated_point_is_not_apart():
    claim = read_claim("piecewise((x, x != 1/2), (17, otherwise)) = x")
    assert not evaluate_at(claim, {"x": "1/2"}).apart


@given(st.fractions(max_denominator=1000), st.fractions(max_denominator=1000))
def test_points_are_written_and_read_exactly(x, y):
    point = {"x": (x, y), "y": (y, Fraction(0))}
    assert read_point(write_point(point)) == point


@given(st.fractions(-(10**9), 10**9), st.integers(-60, 200), st.integers(1, 25))
@example(Fraction(0), 1, 1)
@example(Fraction(0), 4, 3)
def test_the_digits_that_are_shown_are_certain(x, bits, digits):
    ctx.prec = 128
    ball = arb(x.numerator) / x.denominator + arb(0, arb(2) ** -bits)
    text = decimal(acb(ball), digits)
    if "+/-" in text:
        return
    shown = Fraction(text.rstrip("…").replace("…e", "e"))
    places = len(text.split("e")[0].rstrip("…").partition(".")[2])
    power = int(text.partition("e")[2] or 0)
    last = Fraction(10) ** (power - places)
    low, high = exact(ball.lower()), exact(ball.upper())
    if "…" in text:
        assert abs(shown) <= min(abs(low), abs(high))
        assert max(abs(low), abs(high)) < abs(shown) + last * 2
    else:
        assert max(abs(low - shown), abs(high - shown)) <= last


# --- together with the proof ----------------------------------------------------------------------


def test_a_refuted_claim_is_explained_and_corrected():
    result = decide(read_claim("d/dx sin(x)^2 = -2*sin(x)*cos(x)"))
    assert result.verdict is Verdict.REFUTED
    assert result.rigor is Rigor.ENCLOSED
    assert result.diagnosis is not None
    assert result.diagnosis.slip == "sign"
    assert result.correction == "2*sin(x)*cos(x)"


@pytest.mark.parametrize(
    ("text", "note"),
    [
        ("log(x^2) = 2*log(x)", "both sides are defined on x > 0"),
        ("sqrt(x - 7)^2 = x - 7", "both sides are defined on x - 7 > 0"),
        ("x^n*sqrt(y) = sqrt(y)*x^n with n: integer", "both sides are defined on y > 0"),
        ("d/dx asin(x) = 1/sqrt(1 - x^2)", "both sides are defined on (-1 <= x and x <= 1) and 1 - x^2 > 0"),
    ],
)
def test_where_both_sides_are_defined_is_said(text, note):
    assert note in decide(read_claim(text)).notes


def test_where_that_is_not_known_exactly_points_are_counted():
    (note,) = decide(read_claim("besselj(nu, x) = besselj(nu, x)*1")).notes
    assert note.startswith("both sides are defined at 12 of ")


def test_kinks_that_are_left_out_are_named():
    result = decide(read_claim("d/dx abs(x - 1) = sign(x - 1)"))
    assert result.verdict is Verdict.PROVED
    assert any("x - 1 = 0" in note for note in result.notes)


@pytest.mark.parametrize("text", ["abs(x) = max(x, -x)", "d/dx abs(x) = sign(x)", "(x^2 - 1)/(x - 1) = x + 1"])
def test_a_claim_about_every_point_is_not_proved_by_an_argument_that_leaves_some_out(text):
    assert decide(read_claim(f"{text} with everywhere")).verdict < Verdict.PROVED
    assert decide(read_claim(text)).verdict is Verdict.PROVED


def test_a_claim_about_every_point_is_proved_where_nothing_is_left_out():
    assert decide(read_claim("d/dx sin(x)^2 = 2*sin(x)*cos(x) with everywhere")).verdict is Verdict.PROVED


def test_nothing_is_proved_where_nothing_can_be_evaluated():
    for text in ("log(-1 - x^2) = log(-1 - x^2)", "sqrt(x - y)*sqrt(y - x) = sqrt(y - x)*sqrt(x - y)"):
        assert decide(read_claim(text)).verdict is Verdict.UNDECIDED


@pytest.mark.parametrize(
    ("text", "digits"),
    [
        ("d/dx (x^(1/3))^3 = 1 + x/10^40", 38),
        ("tanh(x) = 1 with x: interval(50, 60)", 43),
        ("d/dx gamma(x) = gamma(x)*digamma(x)*(1 + 1e-50)", 49),
        ("exp(x) - exp(-x) = 2*sinh(x) + 10^(-60)", 55),
        ("erf(x) = 1 with x: interval(10, 11)", 40),
    ],
)
def test_differences_beyond_the_first_digits_are_seen_where_there_is_no_proof(text, digits):
    result = decide(read_claim(text))
    assert result.verdict is Verdict.REFUTED
    assert 0 < result.evidence[0].worst < 10.0**-digits


@pytest.mark.parametrize(
    "text",
    [
        "gamma(x)*gamma(1-x) = pi/sin(pi*x)",
        "polylog(2, x) + polylog(2, -x) = polylog(2, x^2)/2 with x: interval(-1, 1)",
        "hyp1f1(a, b, x) = exp(x)*hyp1f1(b-a, b, -x) with a: positive, b: positive",
    ],
)
def test_a_second_look_refutes_nothing_that_is_true(text):
    assert decide(read_claim(text)).verdict is Verdict.SUPPORTED


@pytest.mark.parametrize(
    "text",
    [
        "floor(n/1000) = 0 with n: interval(0, 1100)",
        "floor(x) = 0 with x: interval(0, 1.001)",
        "abs(x) = -x with x: interval(-100, 1/1000)",
        "max(x, 100) = 100 with x: interval(0, 100.001)",
        "d/dx max(x*y, 99) = 0 with x: interval(1, 10), y: interval(1, 10)",
    ],
)
def test_pieces_at_the_ends_of_intervals_are_found(text):
    assert decide(read_claim(text)).verdict is Verdict.REFUTED


def test_integrals_of_products_of_waves_are_refuted_where_the_waves_are_the_same():
    result = decide(read_claim("int(sin(m*x)*sin(n*x), x, 0, 2*pi) = 0 with m: integer, n: integer"))
    assert result.verdict is Verdict.REFUTED
    assert decide(read_claim("sin((m - n)*pi/2)^2 = 1 with m: integer, n: integer")).verdict is Verdict.REFUTED
    assert decide(read_claim("abs(sign(n)) = 1 with n: integer")).verdict is Verdict.REFUTED
