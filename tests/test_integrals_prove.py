"""Integrals and expectations are proved by arguments that hold, and their wrong neighbours never are."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from verify.claim import Claim
from verify.decide.enclose.search import search
from verify.decide.integrals.prove import prove as prove_integrals
from verify.decide.integrals.smooth import Path as Way
from verify.decide.integrals.smooth import conditions, is_positive
from verify.decide.integrals.stein import is_tame
from verify.decide.prove.differentiate import carried_out
from verify.decide.prove.proof import prove
from verify.decide.prove.tower import GiveUp
from verify.decide.shaped.stages import tried
from verify.graph import derivative
from verify.language import read_claim, read_expression, write
from verify.mutate import mutants

CLAIMS = [
    json.loads(line) for line in (Path(__file__).parent / "data" / "integral_claims.jsonl").read_text().splitlines()
]
SCALAR = [row for row in CLAIMS if "vector" not in row["claim"] and "spd" not in row["claim"]]
#: True, and proved after what the prover of this kind does not know: pieces, double integrals exchanged.
OPEN = {"nested-2", "piece-1", "piece-2", "piece-3"}


def holds(text: str) -> bool:
    return bool(prove(read_claim(text)).holds)


@pytest.mark.parametrize("row", [r for r in SCALAR if r["holds"]], ids=lambda r: r["id"])
def test_true_claims_are_proved_without_any_enclosure(row):
    assert holds(row["claim"]) or row["id"] in OPEN


@pytest.mark.parametrize("row", [r for r in SCALAR if not r["holds"]], ids=lambda r: r["id"])
def test_false_claims_are_not_proved_even_without_enclosures(row):
    assert not holds(row["claim"])


#: A few for every run; the others in the thorough one.
FEW = ("fundamental-2", "fundamental-10", "moment-1", "moment-4", "stein-1", "uniform-1", "swap-1", "gauss-2")


def _neighbours(few: bool) -> list:
    rows = [row for row in SCALAR if row["holds"] and row["id"] not in OPEN and (row["id"] in FEW) == few]
    return [pytest.param(row, id=row["id"], marks=[] if few else [pytest.mark.thorough]) for row in rows]


@pytest.mark.parametrize("row", [*_neighbours(True), *_neighbours(False)])
def test_what_is_proved_of_neighbours_is_true_of_them(row):
    claim = read_claim(row["claim"])
    for mutant in list(mutants(claim.rhs))[:40]:
        wrong = replace(claim, rhs=mutant.node, text="")
        if prove(wrong).holds:
            assert _agrees(wrong), write(mutant.node)


def _agrees(claim: Claim) -> bool:
    if claim.is_shaped:
        return tried(claim, 0).refuted is None
    return search(claim).counterexample is None


# --- the fundamental theorem ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        # Poles on the path.
        "int(1/x^2, x, -1, 1) = -2",
        "int(1/x^4, x, -1, 1) = -2/3",
        "int(1/x, x, -1, 1) = 0",
        "int(1/x, x, -1, 2) = log(2)",
        "int(1/x, x, -2, -1) = log(2)",
        "int(1/(x-1), x, 0, 3) = log(2)",
        "int(1/(x^2-1), x, 0, 2) = -log(3)/2",
        "int(1/(x^2-1), x, -2, 2) = -log(3)",
        "int(1/cos(x)^2, x, 0, pi) = 0",
        "int(tan(x), x, 0, pi) = 0",
        "int(1/sin(x)^2, x, -1, 1) = -2*cos(1)/sin(1)",
        "int(1/sinh(x)^2, x, -1, 1) = -2*coth(1)",
        "int(exp(1/x)/x^2, x, -1, 1) = exp(-1) - exp(1)",
        # Antiderivatives that jump, where the integrand does not.
        "int(1/(1+x^2), x, a, b) = atan((b-a)/(1+a*b))",
        "int(1/(1+x^2), x, 0, t) = pi/2 - atan(1/t)",
        "int(1/(1+x^2), x, -1, t) = -atan(1/t) - pi/4",
        "int(1/(1+x^2), x, -1, 1) = -pi/2",
        "int(1/(2+cos(x)), x, 0, 2*pi) = 0",
        "int(1/(2+cos(x)), x, 0, t) = 2/sqrt(3)*atan(tan(t/2)/sqrt(3))",
        "int(1/(1+sin(x)^2), x, 0, t) = atan(sqrt(2)*tan(t))/sqrt(2)",
        "int(1, x, 0, t) = atan(tan(t))",
        "int(cos(x), x, 0, t) = asin(sin(sin(t)))",
        "int(x, x, a, b) = (b^2 - a^2)/2 + sign(b)",
        "int(x, x, a, b) = (b^2 - a^2)/2 + abs(b)/b - abs(a)/a",
        "int(2*x, x, -1, t) = t^2 - 1 + sqrt(t^2)/t + 1",
        # Kinks.
        "int(abs(x), x, -1, 1) = 0",
        "int(abs(x), x, 0, b) = b^2/2",
        "int(sqrt(x^2), x, -1, 1) = 0",
        "int(sign(x), x, -1, 1) = 2",
        "int(floor(x), x, 0, 2) = 0",
        "int(abs(cos(x)), x, 0, pi) = 0",
        # Only where the antiderivative is defined.
        "int(exp(-a*x^2), x, 0, t) = sqrt(pi/a)/2*erf(sqrt(a)*t) + sign(a) - 1",
        # Improper ones that diverge, or whose limit is another one.
        "int(1/x, x, 1, oo) = 0",
        "int(cos(x), x, 0, oo) = 0",
        "int(exp(x), x, 0, oo) = -1",
        "int(x, x, -oo, oo) = 0",
        "int(1/(1+x^2), x, -oo, oo) = 0",
        "int(tanh(x), x, -oo, oo) = 0",
        "int(exp(-a*x), x, 0, oo) = -1/a",
        "int(1/(a^2+x^2), x, 0, oo) = pi/(2*a)",
    ],
)
def test_no_singularity_is_stepped_over(text):
    assert not holds(text)


@pytest.mark.parametrize(
    "text",
    [
        "int(1/x, x, -2, -1) = -log(2)",
        "int(1/x, x, a, b) = log(abs(b)) - log(abs(a))",
        "int(1/x, x, a, b) = log(b) - log(a)",
        "int(1/x^2, x, a, b) = 1/a - 1/b",
        "int(1/(x^2-1), x, 2, 3) = log(3/2)/2",
        "int(tan(x), x, 0, t) = -log(abs(cos(t)))",
        "int(1/(1+x^2), x, 0, t) = pi/2 - atan(1/t) with t: positive",
        "int(1/(a^2+x^2), x, 0, oo) = pi/(2*a) with a: positive",
        "int(sqrt(x), x, 0, 1) = 2/3",
        "int(x^n, x, 0, 1) = 1/(n+1) with n: nonnegative",
        "int(exp(-a*x), x, 0, oo) = 1/a",
        "int(x^3*exp(2*x), x, 0, t) = (4*t^3 - 6*t^2 + 6*t - 3)*exp(2*t)/8 + 3/8",
        "int(exp(-x)*cos(x), x, 0, oo) = 1/2",
        "int(1/cosh(x)^2, x, 0, t) = tanh(t)",
        "int(int(x*y, y, 0, x), x, 0, 1) = 1/8",
        "int(x*exp(-x^2), x, 0, oo) = 1/2",
    ],
)
def test_antiderivatives_are_found_where_they_are_continuous(text):
    assert holds(text)


def test_a_condition_of_the_integrand_holds_on_the_path():
    known = conditions(read_expression("1/x"))
    assert known is not None
    way = Way("x", known, {})
    (log,), (inverse,) = (conditions(read_expression(text)) or [] for text in ("log(abs(x))", "1/x"))
    assert way.holds(log)
    assert way.holds(inverse)
    (bare,) = conditions(read_expression("log(x)")) or []
    assert not way.holds(bare)
    assert way.keeps(bare)


def test_signs_are_read_off_plain_formulas_only():
    variables = read_claim("a = a with a: positive, b: real, n: nonnegative").domain.variables
    for text in ("a", "1 + b^2", "a + b^2", "exp(b)", "n + 1", "a/(1 + b^2)"):
        assert is_positive(read_expression(text), variables)
    for text in ("b", "a - 1", "b^2", "n", "a*b", "-a", "1 - b^2", "abs(b)"):
        assert not is_positive(read_expression(text), variables)


# --- Leibniz ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "slope"),
    [
        ("int(x*t, x, 0, 1)", "int(x, x, 0, 1)"),
        ("int(x, x, 0, t^2)", "t^2*2*t"),
        ("int(x, x, t, 1)", "-1*t"),
        ("int(t, t, 0, t)", "t"),
        ("int(x*s, x, 0, 1)", "0"),
    ],
)
def test_the_derivative_goes_under_the_integral_and_to_its_limits(text, slope):
    difference = f"{write(carried_out(derivative(read_expression(text), 't')))} = {slope}"
    assert holds(difference)


@pytest.mark.parametrize(
    "text",
    ["int(sign(x - t), x, 0, 1)", "int(floor(x*t), x, 0, 1)", "int(piecewise((1, x < t), (0, otherwise)), x, 0, 1)",
     "expect(sign(x), x ~ normal(t, 1))", "expect(floor(x), x ~ normal(0, t))", "expect(sign(x), x ~ uniform(0, t))"],
)  # fmt: skip
def test_a_jump_that_moves_is_not_differentiated_under_the_integral(text):
    with pytest.raises(GiveUp, match="jumps"):
        carried_out(derivative(read_expression(text), "t"))


def test_a_kink_that_moves_is():
    assert holds("d/dt int(abs(x - t), x, 0, 1) = int(-sign(x - t), x, 0, 1)")
    assert not holds("d/dt int(abs(x - t), x, 0, 1) = int(sign(x - t), x, 0, 1)")
    with pytest.raises(GiveUp, match="jumps"):
        carried_out(derivative(read_expression("int(abs(x - t), x, 0, 1)"), "t", 2))


# --- the normal law ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "expected"),
    [("tanh(z)", True), ("z*exp(3*z)", True), ("abs(z)", True), ("1/(1 + z^2)", True), ("log(1 + exp(z))", True),
     ("sqrt(1 + z^2)", True), ("max(z, 0)", True), ("sign(z)", False), ("1/z", False), ("log(z)", False),
     ("exp(z^2)", False), ("floor(z)", False), ("sqrt(z)", False), ("tan(z)", False), ("1/(z^2 - 1)", False),
     ("sin(exp(z^2))", False), ("gamma(z)", False)],
)  # fmt: skip
def test_parts_are_integrated_for_continuous_functions_of_moderate_growth_only(text, expected):
    assert is_tame(read_expression(text), "z") is expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("expect(x*abs(x), x ~ normal(0, 1)) = expect(sign(x), x ~ normal(0, 1))", True),
        ("expect(x*sign(x), x ~ normal(0, 1)) = 0", False),
        ("expect(x*floor(x), x ~ normal(0, 1)) = 0", False),
        ("expect(x^2/(1 + x^2), x ~ normal(0, 1)) = expect((1 - x^2)/(1 + x^2)^2, x ~ normal(0, 1))", True),
        ("expect(x/(1 + x^2), x ~ normal(0, 1)) = expect((1 - x^2)/(1 + x^2)^2, x ~ normal(0, 1))", False),
        ("expect(x*tanh(x), x ~ uniform(0, 1)) = expect(1 - tanh(x)^2, x ~ uniform(0, 1))", False),
        ("expect(exp(x^2), x ~ normal(0, sigma)) = 1/sqrt(1 - 2*sigma^2)", True),
        ("expect(exp(x^2), x ~ normal(0, sigma)) = 1/sqrt(1 - sigma^2)", False),
        ("expect(sin(a*x + b), x ~ normal(mu, sigma)) = exp(-a^2*sigma^2/2)*sin(a*mu + b)", True),
        ("expect(sin(a*x + b), x ~ normal(mu, sigma)) = exp(-a^2*sigma^2/2)*sin(a*mu)", False),
        ("expect(x*cos(x), x ~ normal(mu, 1)) = exp(-1/2)*(mu*cos(mu) - sin(mu))", True),
        ("expect(x*cos(x), x ~ normal(mu, 1)) = exp(-1/2)*(mu*cos(mu) + sin(mu))", False),
        ("expect(cosh(x), x ~ normal(0, sigma)) = exp(sigma^2/2)", True),
        ("expect(x^6, x ~ normal(0, sigma)) = 15*sigma^6", True),
        ("expect(x^6, x ~ normal(0, sigma)) = 12*sigma^6", False),
        ("expect(1, x ~ normal(0, sigma)) = 1", True),
        ("expect(x, x ~ normal(0, 1)) = expect(x, x ~ normal(0, sigma))", True),
        ("expect(x^2, x ~ normal(0, 1)) = expect(x^2, x ~ normal(0, sigma))", False),
    ],
)
def test_means_are_exact(text, expected):
    assert holds(text) is expected


def test_what_declared_functions_must_fulfil_is_named():
    evidence = prove_integrals(
        read_claim("expect(x*f(x), x ~ normal(0, 1)) = expect(f'(x), x ~ normal(0, 1)) with f: function of x")
    )
    assert evidence.holds
    assert "grow so slowly" in evidence.detail["hypotheses"][0]


def test_principal_branches_are_kept_in_parts_without_i():
    assert not holds("int(log(x^2) - 2*log(x) + I*0*x, x, -2, -1) = I*0")


def test_kinks_that_belong_to_a_claim_are_not_proved_away():
    assert not holds("d/dt int(x, x, 0, t) = t with everywhere")


def test_whole_exponents_tell_nothing_of_the_base():
    variables = read_claim("a = a with n: positive integer, m: integer, x: real").domain.variables
    assert conditions(read_expression("x^n"), variables=variables) == []
    assert conditions(read_expression("x^m"), variables=variables) is None
    assert conditions(read_expression("x^(n/2)"), variables=variables) is None
    assert holds("int(x^n, x, a, b) = (b^(n+1) - a^(n+1))/(n+1) with n: positive integer")
    assert not holds("int(x^n, x, a, b) = (b^(n+1) - a^(n+1))/(n+1) with n: integer")
    assert not is_positive(read_expression("(x^2 + 1)*x^n"), variables)


def test_integrals_inside_of_functions_are_compared_as_they_are():
    assert holds("exp(int(sin(x^2), x, 0, a)) = 1/exp(int(-sin(y^2), y, 0, a))")
    assert not holds("exp(int(sin(x^2), x, 0, a)) = exp(int(sin(x^2), x, 0, b))")
