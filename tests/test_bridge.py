"""SymPy and the graph mean the same: names, argument orders, branches, and abstract functions as free symbols."""

from __future__ import annotations

import mpmath as mp
import pytest
import sympy as sp
from hypothesis import assume, given
from hypothesis import strategies as st

from verify import functions
from verify.claim import Variable
from verify.graph import ZERO, Node, add, call, derivative, mul, num, power, symbol
from verify.language import read_claim, read_expression, write
from verify.language.abstract import NoCounterpart
from verify.language.bridge import NAMES_OF_SYMPY, SYMPY_NAMES, convert, from_sympy, sympy_symbols, to_sympy

x, y, t = sp.symbols("x y t")
f, g = sp.Function("f"), sp.Function("g")


def test_no_two_functions_share_a_counterpart():
    assert len(NAMES_OF_SYMPY) == len(SYMPY_NAMES)


#: Functions that SymPy has not.
WITHOUT_COUNTERPART = {"jtheta", "elliprf", "elliprc", "elliprd", "elliprg", "agm", "barnesg", "coulombf", "coulombg"}


def test_every_function_of_the_table_has_a_counterpart():
    assert set(SYMPY_NAMES) == set(functions.names()) - WITHOUT_COUNTERPART


# --- conventions ------------------------------------------------------------------------------

#: What each name means, in mpmath, at (argument tuples): real points first, then complex ones and other branches.
UNARY = {
    "exp": mp.exp, "log": mp.log, "sin": mp.sin, "cos": mp.cos, "tan": mp.tan, "cot": mp.cot, "sec": mp.sec,
    "csc": mp.csc, "sinh": mp.sinh, "cosh": mp.cosh, "tanh": mp.tanh, "coth": mp.coth, "sech": mp.sech,
    "csch": mp.csch, "asin": mp.asin, "acos": mp.acos, "atan": mp.atan, "asinh": mp.asinh, "acosh": mp.acosh,
    "atanh": mp.atanh,
    "acot": lambda z: mp.atan(1 / z), "asec": lambda z: mp.acos(1 / z), "acsc": lambda z: mp.asin(1 / z),
    "acoth": lambda z: mp.atanh(1 / z), "asech": lambda z: mp.acosh(1 / z), "acsch": lambda z: mp.asinh(1 / z),
    "erf": mp.erf, "erfc": mp.erfc, "erfi": mp.erfi, "fresnels": mp.fresnels, "fresnelc": mp.fresnelc,
    "Si": mp.si, "Shi": mp.shi, "Ei": mp.ei, "li": mp.li, "Ci": mp.ci, "Chi": mp.chi,
    "gamma": mp.gamma, "loggamma": mp.loggamma, "digamma": mp.digamma, "factorial": mp.factorial,
    "LambertW": mp.lambertw, "airyai": mp.airyai, "airybi": mp.airybi,
    "airyaiprime": lambda z: mp.airyai(z, derivative=1), "airybiprime": lambda z: mp.airybi(z, derivative=1),
    "elliptic_k": mp.ellipk, "elliptic_e": mp.ellipe,
}  # fmt: skip
REAL_ONLY = {"abs": abs, "sign": mp.sign, "floor": mp.floor, "ceil": mp.ceil}
POINTS = ("3/7", "-5/3", "13/5", "1/2 + 3/4*I", "-2/3 + 5/4*I", "-7/4 - 1/3*I")
ELSEWHERE = {
    # (arguments), and the meaning of the function there
    "erfinv": ((("1/3",), ("-3/4",)), mp.erfinv),
    "erfcinv": ((("1/3",), ("7/4",)), lambda z: mp.erfinv(1 - z)),
    "atan2": ((("1", "-2"), ("-1", "-2"), ("-1/2", "3")), lambda y, x: mp.arg(mp.mpc(x, y))),
    "expint": ((("1", "3/2"), ("5/2", "1/3"), ("2", "1/2 + I")), mp.expint),
    "polygamma": ((("1", "3/2"), ("3", "-1/3"), ("2", "1/2 + I")), mp.polygamma),
    "beta": ((("1/2", "5/3"), ("-1/3", "7/4")), mp.beta),
    "uppergamma": ((("1/2", "5/3"), ("-1/3", "7/4"), ("3/2", "1/2 + I")), lambda s, z: mp.gammainc(s, z)),
    "lowergamma": ((("1/2", "5/3"), ("4/3", "7/4"), ("3/2", "1/2 + I")), lambda s, z: mp.gammainc(s, 0, z)),
    "zeta": ((("3",), ("1/2 + 3*I",), ("3", "1/3"), ("5/2", "7/4"), ("2", "1")), mp.zeta),
    "polylog": ((("2", "1/3"), ("3", "-7/4"), ("3/2", "1/3 + I")), mp.polylog),
    "besselj": ((("1/3", "5/3"), ("2", "1/2 + I"), ("1", "-3/2")), mp.besselj),
    "bessely": ((("1/3", "5/3"), ("2", "1/2 + I")), mp.bessely),
    "besseli": ((("1/3", "5/3"), ("2", "1/2 + I"), ("1", "-3/2")), mp.besseli),
    "besselk": ((("1/3", "5/3"), ("2", "1/2 + I")), mp.besselk),
    "elliptic_f": ((("1/2", "1/3"), ("2", "-3/4")), mp.ellipf),
    "elliptic_e": ((("1/2", "1/3"), ("2", "-3/4"), ("3", "1/4")), mp.ellipe),
    "elliptic_pi": ((("1/4", "1/2", "1/3"), ("-2", "1", "1/3"), ("1/4", "1/3")), mp.ellippi),
    "chebyshevt": ((("1/2", "1/3"), ("3", "5/7")), mp.chebyt),
    "chebyshevu": ((("1/2", "1/3"), ("3", "5/7")), mp.chebyu),
    "legendre": ((("1/2", "1/3"), ("3", "5/7")), mp.legendre),
    "hermite": ((("3", "5/7"), ("4", "-1/3")), mp.hermite),
    "bernoulli": ((("3", "5/7"), ("4", "-1/3")), lambda n, z: mp.bernpoly(int(n), z)),
    "max": ((("1/2", "-3", "1/3"),), max),
    "min": ((("1/2", "-3", "1/3"),), min),
    "hyp0f1": ((("1/2", "1/3"),), mp.hyp0f1),
    "hyp1f1": ((("1/2", "4/3", "1/3"),), mp.hyp1f1),
    "hyp2f1": ((("1/2", "4/3", "5/2", "1/3"),), mp.hyp2f1),
    "hyp2f2": ((("1/2", "4/3", "5/2", "7/3", "1/3"),), mp.hyp2f2),
    "hyp3f2": ((("1/2", "4/3", "1/4", "5/2", "7/3", "1/3"),), mp.hyp3f2),
}  # fmt: skip
CONVENTIONS = (
    [(name, (point,), meaning) for name, meaning in UNARY.items() for point in POINTS]
    + [(name, (point,), meaning) for name, meaning in REAL_ONLY.items() for point in POINTS[:3]]
    + [(name, point, meaning) for name, (points, meaning) in ELSEWHERE.items() for point in points]
)


def test_the_conventions_of_all_functions_are_compared():
    assert {name for name, *_ in CONVENTIONS} >= set(SYMPY_NAMES)


@pytest.mark.parametrize(("name", "point", "meaning"), CONVENTIONS, ids=lambda v: v if isinstance(v, str) else "")
def test_sympy_and_mpmath_agree_on_what_a_function_means(name, point, meaning):
    with mp.workdps(30):
        ours = to_sympy(read_expression(f"{name}({', '.join(point)})"))
        if name == "erfcinv":
            ours = ours.rewrite(sp.erfinv)  # SymPy has no digits of erfcinv itself
        values = [mp.mpmathify(sp.N(to_sympy(read_expression(text)), 40)) for text in point]
        assert mp.almosteq(mp.mpmathify(sp.N(ours, 30)), meaning(*values), rel_eps=mp.mpf("1e-20"))


# --- there and back ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    "expr",
    [
        sp.sqrt(x) / y,
        1 / (x * y),
        -3 * x / (4 * y**2),
        x ** sp.Rational(-2, 3) * sp.exp(-x),
        sp.exp(-(x**2) / 2) / sp.sqrt(2 * sp.pi),
        x**y ** sp.Rational(1, 3) - sp.E**3,
        sp.I * sp.pi + sp.EulerGamma - sp.oo * sp.sin(x),
        sp.Piecewise((x, x > 0), (-x, sp.And(x < -1, sp.Ne(y, 0))), (0, True)),
        sp.Piecewise((x, sp.Or(x >= y, sp.Eq(y, 2))), (y, x <= y)),
        sp.digamma(x) + sp.polygamma(1, x) + sp.zeta(x) + sp.zeta(x, y),
        sp.hyper([1, x], [y], t) + sp.hyper([], [y], t),
        sp.Max(x, y, 2) - sp.Min(x, y) + sp.Abs(x) + sp.ceiling(y),
        sp.Derivative(sp.sin(x) * y, (x, 2), y),
        sp.MatrixSymbol("A", 2, 2)[0, 1] ** 2 + sp.Indexed("b", 3),
        f(x) * x + f(x).diff(x) + f(x, y).diff(x, 2, y),
        g(t, f(t)).diff(t),
        sp.Derivative(y * f(x), y),
        sp.Matrix([[sp.Symbol("x_0") + 1]])[0],
    ],
    ids=str,
)
def test_there_and_back_is_the_same_expression(expr):
    converted = convert(expr)
    assert to_sympy(converted.nodes[0], converted.symbols) == expr


names = ("x", "y", "E")
leaves = st.one_of(
    st.sampled_from(names).map(symbol), st.fractions(min_value=-5, max_value=5, max_denominator=6).map(num)
)


def larger(smaller: st.SearchStrategy[Node]) -> st.SearchStrategy[Node]:
    return st.one_of(
        st.lists(smaller, min_size=2, max_size=3).map(lambda terms: add(*terms)),
        st.lists(smaller, min_size=2, max_size=3).map(lambda factors: mul(*factors)),
        st.builds(power, smaller, st.integers(-3, 3).map(num)),
        st.builds(call, st.sampled_from(("sin", "exp", "atan", "erf", "sinh", "sqrt")), smaller).map(_root),
        st.builds(lambda a, b: call("besselj", a, b), smaller, smaller),
        st.builds(lambda a, b: call("max", a, b), smaller, smaller),
        st.builds(derivative, smaller, st.sampled_from(("x", "y")), st.integers(1, 2)),
    )


def _root(node: Node) -> Node:
    return power(node.args[0], num(1) / 2) if node.value == "sqrt" else node


@given(st.recursive(leaves, larger, max_leaves=8))
def test_a_graph_comes_back_as_what_sympy_made_of_it(node):
    try:
        expr = to_sympy(node, {name: sp.Symbol(name, real=True) for name in names})
        again = to_sympy(convert(expr).nodes[0], {name: sp.Symbol(name, real=True) for name in names})
    except (NoCounterpart, ValueError):  # infinite, or not comparable
        assume(False)
    assert again == expr


def test_products_become_quotients():
    assert write(from_sympy(3 * x / (4 * y**2))) == "3*x/(4*y^2)"
    assert write(from_sympy(x ** sp.Rational(-1, 2))) == "1/sqrt(x)"


def test_inverse_cotangent_jumps_at_zero_on_both_sides():
    assert sp.N(to_sympy(read_expression("acot(-1)"))) == sp.N(sp.atan(-1))


def test_the_step_function_is_undefined_at_its_jump():
    assert write(from_sympy(sp.Heaviside(x))) == "piecewise((0, x < 0), (1, x > 0))"


# --- what is refused --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("expr", "message"),
    [
        (sp.Float("0.5") * x, r"floating-point number is not exact; write Rational\('0.5'\)"),
        (sp.nan, "NaN has no counterpart"),
        (sp.zoo, "ComplexInfinity has no counterpart"),
        (sp.Catalan * x, "Catalan has no counterpart"),
        (sp.Integral(sp.exp(x), x), "Integral has no counterpart"),
        (sp.re(sp.Symbol("z")), "re is not in the table"),
        (sp.DiracDelta(x), "DiracDelta is not in the table"),
        (sp.LambertW(x, 1), "LambertW with 2 arguments"),
        (sp.Symbol("a", commutative=False), "do not commute"),
        (sp.Symbol("x", positive=True) + x, "two different quantities are called 'x'"),
        (sp.Symbol("f(x)") + f(x), r"two different quantities are called 'f\(x\)'"),
        (f(sp.Symbol("x", real=True)) + x, "two different quantities are called 'x'"),
        (sp.Derivative(x * f(x), x), "it hides derivatives of abstract functions"),
        (sp.Derivative(f(x, x), x), r"apply .doit\(\) first"),
        (sp.Derivative(g(t, f(t)), t), r"apply .doit\(\) first"),
        (f(sp.sin(x) ** 2 + sp.cos(x) ** 2) + f(1), "cannot tell whether these are equal"),
    ],
    ids=str,
)
def test_what_has_no_counterpart_is_refused(expr, message):
    with pytest.raises(NoCounterpart, match=message):
        from_sympy(expr)


def test_text_is_no_expression():
    with pytest.raises(sp.SympifyError):
        from_sympy("__import__('os').system('x')")


@pytest.mark.parametrize("node", [read_expression("jtheta(1, x, q)"), power(num(2), num(99999999))], ids=write)
def test_what_sympy_cannot_hold_is_refused(node):
    with pytest.raises(NoCounterpart):
        to_sympy(node)


def test_large_numbers_are_not_multiplied_out():
    for text in ("factorial(99999999)", "floor(exp(exp(100)))", "sqrt(2)^99999999", "chebyshevt(99999, x)"):
        assert not to_sympy(read_expression(text)).is_Integer


# --- abstract functions -----------------------------------------------------------------------


def test_abstract_values_are_free_symbols_with_readable_names():
    converted = convert(f(x) + f(x).diff(x, 2) + g(x, y).diff(y) + f(x**2).diff(x))
    assert set(converted.symbols) == {"f(x)", "f''(x)", "d/dy g(x, y)", "x", "f'(x**2)"}


def test_the_same_value_written_in_two_ways_is_one_symbol():
    one, other = convert(f(2 * (x + 1)), f(2 * x + 2)).nodes
    assert one is other
    dummy = sp.Subs(sp.Derivative(f(y), y), y, x**2)
    one, other = convert(f(x**2).diff(x) / (2 * x), dummy).nodes
    assert write(other) == "f'(x**2)"
    assert "f'(x**2)" in write(one)


def test_values_at_different_places_are_different_symbols():
    assert set(convert(f(x) + f(x + 1) + f(y) + f(0)).symbols) == {"f(x)", "f(x + 1)", "f(y)", "f(0)"}


def test_mixed_derivatives_do_not_depend_on_their_order():
    one, other = convert(g(x, y).diff(x).diff(y), g(x, y).diff(y).diff(x)).nodes
    assert one is other


def test_the_chain_rule_leaves_partial_derivatives():
    (node,) = convert(g(t, f(t)).diff(t)).nodes
    assert write(node) == "f'(t)*(D[2] g(t, f(t))) + D[1] g(t, f(t))"


def test_the_two_sides_share_their_symbols():
    with pytest.raises(NoCounterpart, match="two different quantities"):
        convert(x, sp.Symbol("x", positive=True))


# --- what is known of symbols -----------------------------------------------------------------


def test_assumptions_become_declarations():
    p, n, z = (
        sp.Symbol("p", positive=True),
        sp.Symbol("n", integer=True, nonnegative=True),
        sp.Symbol("z", complex=True),
    )
    variables = convert(p + n + z + x + f(x)).variables()
    assert variables == {
        "p": Variable("p", low=ZERO),
        "n": Variable("n", "integer", low=ZERO, closed_low=True),
        "z": Variable("z", "complex"),
        "x": Variable("x"),
        "f(x)": Variable("f(x)"),
    }


@pytest.mark.parametrize("kind", ["real", "positive", "nonnegative", "negative", "nonpositive", "integer", "complex"])
def test_declarations_become_assumptions_and_come_back(kind):
    domain = read_claim("x = x", {"x": kind}).domain
    symbols = sympy_symbols(domain.variables.values())
    assert convert(symbols["x"]).variables() == domain.variables
