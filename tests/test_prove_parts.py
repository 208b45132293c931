"""The parts of the prover: forms against balls on all sides of the cuts, intervals, spans, roots, signs."""

from __future__ import annotations

import random
from fractions import Fraction

import pytest
from flint import acb, arb, fmpq
from hypothesis import given
from hypothesis import strategies as st

from verify.decide.prove.differentiate import carried_out, partial_at
from verify.decide.prove.guard import Defect, confirm
from verify.decide.prove.intervals import Interval
from verify.decide.prove.modular import is_zero
from verify.decide.prove.principal_forms import PrincipalForms
from verify.decide.prove.ranges import Ranges
from verify.decide.prove.real_forms import RealForms
from verify.decide.prove.residues import Roots, is_power
from verify.decide.prove.signs import EmptyCell, Signs
from verify.decide.prove.spans import Span
from verify.decide.prove.straight import Step, Straight
from verify.decide.prove.tower import Element, GiveUp, NeedSign, Plan, Restart, Tower
from verify.graph import call, derivative, num, symbol
from verify.language import read_claim

# --- forms ------------------------------------------------------------------------------------------

REAL = (
    "sin(3*x + y)", "tan(x/2)", "sec(x)*csc(y)", "sinh(x - y)", "coth(x)", "cos(x + 7*pi/12)", "sin(atan(x))",
    "cos(2*atan(x))", "tan(atan(x)/2)", "cos(asin(y)/2)", "exp(asinh(x))", "exp(2*atanh(y))", "exp(acosh(2 + x))",
    "log(exp(x)*y)", "sqrt(x^2*y)", "(x*y)^(2/3)", "(x^2 - y^2)^(1/2)", "x^y", "(x*y)^(x - y)",
    "sqrt(x + sqrt(x^2 - y^2))", "sqrt(3 - sqrt(5))", "log(abs(x - y))", "abs(x - y)", "max(x, y)", "sign(y - x)",
    "floor(x + 3*y)", "ceil(x - y)", "atan2(x, y)", "atan2(-x, -y)", "atan(1/x)", "acot(-x)", "asec(1/y)",
    "acsc(1 + x)", "asech(y)", "acsch(-x)", "acoth(2 + x)", "gamma(x + 4)", "gamma(x - 2)", "gamma(7/2)",
    "factorial(x)", "beta(x, y)", "loggamma(x - 1)", "loggamma(x)", "digamma(x + 3)", "polygamma(2, x - 2)",
    "zeta(3, x)", "uppergamma(3, x)", "uppergamma(x + 2, y)", "uppergamma(x - 3, y)", "uppergamma(-2, y)",
    "lowergamma(x, y)", "expint(2, x)", "expint(x + 2, y)", "expint(-1, x)", "erfc(x - y)", "erf(y - x)",
    "polylog(1, -x)", "polylog(0, -x)", "polylog(-3, -x)", "polylog(2, -x)", "besselj(3, x)", "besselj(-2, x)",
    "bessely(y + 2, x)", "besseli(y - 2, x)", "besseli(4, x)", "besselk(y + 3, x)", "besselk(-1, x)",
    "elliptic_f(-y, y/2)", "elliptic_e(y, 0)", "elliptic_pi(0, y, y/3)", "elliptic_pi(-y, -y, y/3)",
    "hyp2f1(1/2, x, 1/2, -y)", "hyp2f1(x, y, 3/2, -y)", "hyp2f1(3/2, 5/3, 1, -x)", "hyp1f1(1/2, 3/2, x)",
    "hyp1f1(1/2, 3/2, -x)", "hyp1f1(1, 3/2, y - x)", "hyp3f2(x, y, 2, y, 5/2, -x/9)", "exp(LambertW(x))",
    "exp(3*LambertW(x) + y)",
)  # fmt: skip
PRINCIPAL = (
    "sin(3*z)", "tan(z/2)", "sech(z)", "sqrt(4*z)", "sqrt(a*z)", "sqrt(-a*z)", "log(-3*z)", "log(I*a)", "z^(2/3)",
    "z^w", "(a*z)^w", "I*(-8)^(1/3)", "(I/4)^(1/2)", "sqrt(1 - z^2)", "(1 - 4*z^2)^w", "log(1 + z^2)",
    "sqrt(9 + 4*z^2)", "sqrt(1 - exp(2*z))", "sqrt(1 + 1/z^2)", "asin(z)", "asin(-z)", "acos(z)", "atan(z)",
    "acot(z)", "asinh(-z)", "acosh(z)", "acosh(-z)", "atanh(z)", "acoth(z)", "asec(z)", "acsc(z)", "asech(z)",
    "acsch(z)", "sin(asin(z))", "exp(I*asin(z)/2)", "exp(I*atan(z)/3)", "exp(acosh(z)/2)", "exp(z + I*pi/4)",
    "exp(2*log(z) + w)", "erfi(z)", "erfc(-z)", "hyp1f1(1/2, 3/2, z)", "hyp1f1(1, 3/2, z)", "hyp1f1(1/2, 3/2, z^2)",
    "hyp2f1(a, 1/3, 2/3, z)", "hyp2f1(1/2, w, 1/2, z)", "uppergamma(a + 2, z)", "uppergamma(w - 1, z)",
    "expint(3, z)", "expint(w, z)", "loggamma(z - 2)", "gamma(z - 3)", "polygamma(1, z + 2)", "besselj(w + 2, z)",
    "besselk(w - 2, z)", "bessely(-2, z)", "besseli(3, -z)", "polylog(1, z)", "polylog(-2, z)", "elliptic_f(-z, 1/3)",
    "elliptic_e(-z, 1/4)", "exp(LambertW(z))", "zeta(2, z)", "fresnels(z)", "fresnelc(-z)", "sqrt(sech(z))",
    "sqrt((z + 1)/z)", "log((z - 1)/(z + 1))", "((2*z - 3)/(z + 1))^w", "sqrt(z - z^2)", "log(z^2 - z)",
    "sqrt(sqrt(z))", "log(z^(2/3))", "sqrt(z)^w", "sqrt(z^(-1/3))", "sqrt(1/(1 + z))", "log((1 + I*z)/(1 - I*z))",
    "sqrt(1 - 1/z^2)", "(3 - z)^(1/3)*(3 + z)^(1/3)", "sqrt(-1 - z^2)", "sqrt((a - z)*(a + z))", "sqrt(2*a*z - z^2)",
    "log(exp(z)/(1 + exp(z)))", "sqrt(tanh(z))", "sqrt(1 - tanh(z)^2)", "sqrt(1 - cos(z))", "(1 + sin(z))^(1/4)",
)  # fmt: skip


def confirmed(text: str, let: dict[str, str], change: Fraction = Fraction(1)) -> int:
    """At how many of 10 points the form of an expression, times `change`, was compared with its text."""
    claim = read_claim(f"{text} = 0", let)
    plan, count = Plan(), 0
    expression = carried_out(claim.lhs)
    assumed: dict[str, int] = {}
    for seed in range(10):
        for _ in range(40):
            tower = Tower(plan)
            signs = Signs(tower, Ranges(tower, {n: ranges_of(v) for n, v in let.items()}, {}), assumed=assumed)
            forms = PrincipalForms(tower, signs, frozenset("zw")) if claim.is_complex else RealForms(tower, signs)
            try:
                form = forms(expression)
                break
            except Restart:
                continue
            except NeedSign as need:  # each seed takes a cell at random
                assumed = {
                    **assumed,
                    signs.digest(need.polynomial): random.Random(seed * 100 + len(assumed)).choice((1, -1)),
                }
            except EmptyCell:
                assumed = {}
        else:
            continue
        count += bool(confirm([(expression, form.scaled(change))], signs, claim, expression, random.Random(seed)))
        assumed = {}
    return count


def ranges_of(kind: str) -> Interval:
    return Interval(arb(0)) if kind == "positive" else Interval(arb(0), arb(1)) if "interval" in kind else Interval()


@pytest.mark.parametrize("text", REAL)
@pytest.mark.parametrize(
    "let", [{"x": "positive", "y": "interval(0, 1)"}, {"x": "real", "y": "real"}], ids=["positive", "real"]
)
def test_real_forms_mean_what_the_text_says(text: str, let: dict[str, str]) -> None:
    names = {name: kind for name, kind in let.items() if name in text}
    assert confirmed(text, names) or let["x"] == "real"


@pytest.mark.parametrize("text", PRINCIPAL)
def test_principal_forms_mean_what_the_text_says_on_every_side_of_the_cuts(text: str) -> None:
    let = {name: kind for name, kind in (("z", "complex"), ("w", "complex"), ("a", "positive")) if name in text}
    assert confirmed(text, let) > 3


@pytest.mark.parametrize("text", [REAL[0], REAL[11], REAL[44], PRINCIPAL[4], PRINCIPAL[20]])
def test_the_guard_sees_a_wrong_form(text: str) -> None:
    let = {
        n: k for n, k in (("x", "positive"), ("y", "interval(0, 1)"), ("z", "complex"), ("a", "positive")) if n in text
    }
    for change in (-1, 2, 1 + Fraction(1, 10**9)):
        with pytest.raises(Defect):
            confirmed(text, let, Fraction(change))


@pytest.mark.parametrize(
    "text",
    ["hyp2f1(1, y, 3/2, x)", "hyp2f1(1/3, y, 4/3, x)", "hyp2f2(1, 1/2, 3/2, 2, x)", "hyp3f2(y, 1/4, 1, 5/4, 2, x)",
     "hyp2f1(y, 2 + y, 1 + y, x)", "hyp1f1(y, y + 1, x)", "hyp2f1(1, 1, 2, x)", "hyp2f1(2, y, 3/2, x)"],
)  # fmt: skip
def test_derivatives_of_hypergeometric_functions_stay_with_the_same_parameters(text: str) -> None:
    node = read_claim(f"{text} = 0").lhs
    slope = partial_at(node, len(node.args) - 1)
    claim = read_claim(f"d/dx {text} = 0", {"x": "interval(0, 1)", "y": "interval(0, 1)"})
    from verify.decide.enclose.balls import Program

    program = Program((claim.lhs, slope), True)
    for x, y in ((fmpq(1, 3), fmpq(2, 7)), (fmpq(5, 7), fmpq(1, 9))):
        exact, found = program.values({"x": acb(x), "y": acb(y)})
        assert exact.overlaps(found)
        assert not exact.overlaps(found * (1 + arb(10) ** -9))


def test_a_function_without_a_rule_has_no_derivative() -> None:
    with pytest.raises(GiveUp):
        carried_out(derivative(call("besselj", symbol("x"), num(2)), "x"))


# --- arithmetic -------------------------------------------------------------------------------------

NUMBERS = st.integers(-40, 40).map(lambda n: Fraction(n, 7))
ENDS = st.one_of(st.none(), NUMBERS)


def ball(q: Fraction) -> arb:
    return arb(fmpq(q.numerator, q.denominator))


@st.composite
def intervals(draw: st.DrawFn) -> tuple[Interval, Fraction]:
    """An interval and a number in it."""
    x = draw(NUMBERS)
    low, high = (draw(st.one_of(st.none(), st.integers(0, 50).map(lambda n: Fraction(n, 7)))) for _ in range(2))
    return Interval(None if low is None else ball(x - low).lower(), None if high is None else ball(x + high).upper()), x


def contains(interval: Interval, x: Fraction) -> bool:
    return not (
        (interval.low is not None and interval.low > ball(x)) or (interval.high is not None and interval.high < ball(x))
    )


@given(intervals(), intervals(), st.integers(0, 5))
def test_interval_arithmetic_encloses_all_values(
    a: tuple[Interval, Fraction], b: tuple[Interval, Fraction], n: int
) -> None:
    (p, x), (q, y) = a, b
    assert contains(p + q, x + y)
    assert contains(p * q, x * y)
    assert contains(-p, -x)
    assert contains(p.power(n), x**n)
    if x:
        assert contains(p.inverse(), 1 / x)


@given(
    st.lists(st.lists(st.integers(-3, 3), min_size=3, max_size=3), min_size=1, max_size=5),
    st.lists(st.integers(-3, 3), min_size=5, max_size=5),
)
def test_a_span_expresses_what_it_can(rows: list[list[int]], weights: list[int]) -> None:
    tower = Tower(Plan())
    gens = [tower.symbol(n) for n in "xyz"]

    def element(row: list[int]) -> Element:
        return sum((g.scaled(c) for g, c in zip(gens, row, strict=True)), tower.zero)

    span = Span()
    combination = tower.zero
    for row, weight in zip(rows, weights, strict=False):
        e = element(row)
        found = span.express(e).basis
        assert (sum((span.basis[i].scaled(c) for i, c in found), tower.zero) - e).is_zero()
        combination = combination + e.scaled(weight)
    size = len(span.basis)
    span.express(combination)
    assert len(span.basis) == size


@given(st.integers(2, 10**6), st.sampled_from([2, 3, 4, 6, 8, 9, 12]))
def test_roots_modulo_a_prime(a: int, q: int) -> None:
    p = 10**9 + 7
    while (p - 1) % q or any(p % d == 0 for d in range(3, 40000, 2)):
        p += 2
    roots = Roots(p, random.Random(a))
    power = pow(a, q, p)
    assert is_power(power, q, p)
    assert pow(roots.root(power, q), q, p) == power


def tower_with_roots() -> tuple[Tower, Element, Element, Element]:
    tower = Tower(Plan())
    x = tower.symbol("x")
    r = tower.root(x + tower.one, 2, "r", "r")
    s = tower.root((x + tower.one) * x * x, 2, "s", "s")
    return tower, x, r, s


@pytest.mark.parametrize("seed", range(12))
def test_every_choice_of_a_dependent_root_is_looked_at(seed: int) -> None:
    tower, x, r, s = tower_with_roots()
    for e, zero in (
        (r * x - s, False),
        (r * x + s, False),
        ((r * x - s) * (r * x + s), True),
        (r - r, True),
        (s, False),
    ):
        found = is_zero(Straight(tower, [Step("element", element=e)]), random.Random(seed))
        assert found.zero is zero
        assert found.log_error < -100


# --- signs ------------------------------------------------------------------------------------------


def signs_of(tower: Tower, ranges: dict[str, Interval], **assumed: int) -> Signs:
    return Signs(tower, Ranges(tower, ranges, {}), assumed=assumed)


def test_a_sign_that_nothing_tells_is_asked_for() -> None:
    tower = Tower(Plan())
    x = tower.symbol("x").num
    with pytest.raises(NeedSign):
        signs_of(tower, {}).sign(x)
    assert signs_of(tower, {"x": Interval(arb(0))}).sign(x) == 1
    assert signs_of(tower, {}).sign(x * x + 1) == 1
    assert signs_of(tower, {}).sign(-x * x + x - 1) == -1
    assert signs_of(tower, {"x": Interval(arb(0), arb(1))}).sign(x * x * x - 3) == -1


def test_facts_are_a_linear_system() -> None:
    tower = Tower(Plan())
    x, y, z = (tower.symbol(n).num for n in "xyz")
    signs = signs_of(tower, {"z": Interval(arb(0))})
    signs.fact(1, [(x, 1), (y, 1)], strict=True)
    assert signs.of(-1, [(x, 3), (y, 1), (z, 1)]) == -1
    with pytest.raises(NeedSign):
        signs.sign(x)
    signs.fact(-1, [(y, 1)], strict=True)
    assert signs.sign(x) == -1
    with pytest.raises(EmptyCell):
        signs.fact(1, [(x, 1), (z, 1)], strict=True)


def test_a_hidden_zero_closes_no_cell() -> None:
    tower = Tower(Plan())
    x = tower.symbol("x")
    signs = signs_of(tower, {})
    forms = RealForms(tower, signs)
    hidden = (forms.function_atan(x) - tower.number(1)).num
    signs.fact(1, [(hidden, 1)], strict=False)
    signs.fact(-1, [(hidden, 1)], strict=False)
    with pytest.raises(GiveUp):
        signs.jump(1, [(hidden, 1)])
    signs.fact(1, [(hidden, 2), (x.num, 1)], strict=False)
    with pytest.raises(NeedSign):
        signs.sign(x.num)


def test_names_of_polynomials_do_not_depend_on_the_numbering() -> None:
    digests = []
    for order in ("xy", "yx"):
        tower = Tower(Plan())
        gens = {n: tower.symbol(n) for n in order}
        signs = signs_of(tower, {})
        forms = RealForms(tower, signs)
        w = forms.exp(gens["x"] * gens["y"] - gens["y"])
        digests.append(signs.digest((w * gens["x"] - gens["y"]).num))
    assert digests[0] == digests[1]
