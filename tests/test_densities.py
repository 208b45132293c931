"""Are formulas of flows and densities judged right: the true ones proved, wrong neighbours refuted or left open?"""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import verify
from verify.cli import main
from verify.decide.densities import judge, story
from verify.decide.systems.result import SystemResult
from verify.densities import DensitySystem, FlowProblem, SteinProblem
from verify.language.toml import ProblemError, density_claim, read_system
from verify.verdict import Verdict

FILES = sorted(p for kind in ("flow", "stein") for p in (Path(__file__).parent / "data/systems").glob(f"{kind}-*.toml"))
P, R, U = Verdict.PROVED, Verdict.REFUTED, Verdict.UNDECIDED


def judged(problem: FlowProblem | SteinProblem, **claim) -> SystemResult:
    *_, result = judge(DensitySystem(problem, density_claim(problem, claim)))
    return result


def flow(state: str, *entries: str, **domain) -> FlowProblem:
    return FlowProblem(state, map=list(entries), domain=domain)


def ode(state: str, *entries: str, **domain) -> FlowProblem:
    return FlowProblem(state, rhs=list(entries), domain=domain)


def stein(variables: str, log_density: str, support: dict[str, str] | None = None, **domain) -> SteinProblem:
    return SteinProblem(variables, log_density, support=support, domain=domain)


HALF_LINE, UNIT = {"x": "positive"}, {"x": "interval(0, 1)"}
WITHOUT_SIGN = "log(1 + (u1*w1 + u2*w2)/cosh(w1*z1 + w2*z2 + b)^2)"
PLANAR = ("z1 + u1*tanh(w1*z1 + w2*z2 + b)", "z2 + u2*tanh(w1*z1 + w2*z2 + b)")


# --- is a map one-to-one? ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("problem", "verdict"),
    [
        (flow("z", "z^3 + z"), P),
        (flow("z", "z^3"), P),
        (flow("z", "z + sin(z)"), P),
        (flow("z", "z - sin(z)*1.000001"), R),
        (flow("z", "z^2"), R),
        (flow("z", "z^2", z="positive"), P),
        (flow("z", "z^2", z="interval(-1, 2)"), R),
        (flow("z", "1/z"), P),
        (flow("z", "abs(z)"), R),
        (flow("z", "cos(z)"), R),
        (flow("z", "tan(z)"), R),
        (flow("z", "tan(z)", z="interval(-pi/2, pi/2)"), P),
        (flow("z", "z*abs(z) + z"), P),
        (flow("z", "a*z", a="positive"), P),
        (flow("z", "a*z"), R),  # a = 0
        (flow("z", "g*sqrt(1 + z^2) + z", g="interval(-1, 1)"), P),
        (flow("z", "g*sqrt(1 + z^2) + z", g="interval(-1.1, 1)"), R),
        (flow("z1 z2", *PLANAR, where="u1*w1 + u2*w2 > -1"), P),
        (flow("z1 z2", *PLANAR, where="u1*w1 + u2*w2 >= -1"), P),
        (flow("z1 z2", *PLANAR, where="u1*w1 + u2*w2 > -2"), R),
        (flow("z1 z2", "z1 + u/(1 + exp(-w*z1 - z2))", "z2 + v/(1 + exp(-w*z1 - z2))", where="u*w + v > -4"), P),
        (flow("z1 z2", "z1 + u/(1 + exp(-w*z1 - z2))", "z2 + v/(1 + exp(-w*z1 - z2))", where="u*w + v > -8"), R),
        (flow("u v", "exp(u)*cos(v)", "exp(u)*sin(v)"), R),
        (flow("u v", "u^2 - v^2", "2*u*v"), R),
        (flow("u v", "u + v", "u + v"), R),
        (flow("u v", "u - a*v", "v + a*u"), P),
        (flow("u v", "u*v", "u + v"), R),
        (flow("u v w", "u + 0.3*sin(v)", "v + 0.3*tanh(w)", "w - 0.3*sin(u)"), P),
        (flow("u v", "u + 3*sin(v)", "v - 3*sin(u)"), R),
        (flow("z", "piecewise((z, z > 0), (a*z, otherwise))", a="interval(0.1, 1)"), P),
        (flow("z", "max(a*z, z)", a="positive"), P),
        (flow("z", "max(a*z, z)", a="negative"), R),
        (flow("z", "piecewise((z, z > 0), (z - 1, otherwise))"), U),  # it is, but it jumps
        (flow("z", "piecewise((z, z > 0), (z + 1, otherwise))"), R),
        (flow("z", "max(0, z)"), R),
        (flow("t l1", "t", "l1*exp(t)"), P),
        (flow("z", "floor(z)"), U),
    ],
    ids=lambda given: " ".join(map(verify.language.write, given.map)) if isinstance(given, FlowProblem) else given.name,
)
def test_a_map_is_one_to_one_by_an_argument_and_not_by_two_places(problem: FlowProblem, verdict: Verdict) -> None:
    found = judged(problem, invertible=True)
    assert found.verdict is verdict
    if verdict is R:
        assert found.worst is not None
        assert found.worst.diagnosis is not None
    other = judged(problem, invertible=False)
    assert other.verdict is {P: R, R: P, U: U}[verdict]


@pytest.mark.parametrize(
    ("problem", "inverse", "verdict"),
    [
        (flow("z", "(z - 3)/2"), ["2*x + 3"], P),
        (flow("z", "(z - 3)/2"), ["2*x + 3 + 1e-9"], R),
        (flow("x", "exp(x)"), ["log(x)"], P),
        (flow("x", "exp(x)"), ["log(x1)"], P),
        (flow("x", "exp(x)"), ["log(y)"], P),
        (flow("z", "z^2"), ["sqrt(x)"], R),
        (flow("z", "z^2", z="negative"), ["-sqrt(x)"], P),
        (flow("z", "z^2", z="negative"), ["sqrt(x)"], R),
        (flow("z", "sin(z)"), ["asin(x)"], R),
        (flow("z", "z^2 + z", z="positive"), ["(-1 + sqrt(1 + 4*x))/2"], P),
        (flow("z", "z^2 + z", z="positive"), ["(-1 - sqrt(1 + 4*x))/2"], R),
        (flow("q p", "q + h*p", "p - h*sin(q + h*p)"), ["x1 - h*(x2 + h*sin(x1))", "x2 + h*sin(x1)"], P),
        (flow("q p", "q + h*p", "p - h*sin(q)"), ["x1 - h*(x2 + h*sin(x1))", "x2 + h*sin(x1)"], R),
    ],
)
def test_an_inverse_is_composed_on_the_declared_domain(
    problem: FlowProblem, inverse: list[str], verdict: Verdict
) -> None:
    found = judged(problem, inverse=inverse)
    assert found.verdict is verdict
    assert bool(found.correction) is (verdict is R)


@pytest.mark.parametrize(
    ("problem", "claimed", "verdict", "slip"),
    [
        (flow("z", "-2*z"), "log(2)", P, ""),
        (flow("z", "-2*z"), "log(-2)", R, "domain"),
        (flow("z", "z^3"), "log(3) + 2*log(abs(z))", P, ""),
        (flow("z", "z^3"), "log(3) + 2*log(z)", R, "domain"),
        (flow("z", "z^3"), "3*z^2", R, "function"),
        (flow("z1 z2", *PLANAR), WITHOUT_SIGN, R, "domain"),
        (flow("z1 z2", *PLANAR, where="u1*w1 + u2*w2 > -1"), WITHOUT_SIGN, P, ""),
        (flow("a b", "b", "a"), "0", P, ""),
        (flow("a b", "a", "b + sin(a)"), "0", P, ""),
        (flow("a b", "a + sin(b)", "b + sin(a)"), "0", R, "missing-term"),
    ],
)  # fmt: skip
def test_a_log_determinant_has_a_value_wherever_the_map_is_regular(problem, claimed, verdict, slip) -> None:
    found = judged(problem, logdet=claimed)
    assert found.verdict is verdict
    if slip:
        assert found.worst is not None
        assert found.worst.diagnosis is not None
        assert found.worst.diagnosis.slip == slip


def test_six_states_need_no_factorial_number_of_terms() -> None:
    names = "abcdef"
    unit = "tanh(a*p + b*q + c + d + e + f)"
    problem = flow(" ".join(names), *(f"{v} + s*{unit}" for v in names))
    assert judged(problem, logdet=f"log(abs(1 + s*(1 - {unit}^2)*(p + q + 4)))").verdict is P


# --- Stein operators --------------------------------------------------------------------------------

NORMAL, CAUCHY = stein("x", "-x^2/2"), stein("x", "-log(1 + x^2)")
PLANE = stein("x1 x2", "-x1^2/2 - x2^2/2")
USUAL = "diff(f, x) - x*f"


@pytest.mark.parametrize(
    ("problem", "identity", "verdict"),
    [
        (NORMAL, "f'(x) - x*f(x)", P),
        (NORMAL, "x*f - diff(f, x)", P),
        (NORMAL, "diff(x*f, x) - x^2*f", P),
        (NORMAL, "diff(f, x, 2) - x*diff(f, x)", P),
        (NORMAL, "diff(f, x, 2) + x*diff(f, x)", R),
        (NORMAL, "diff(f, x) + x*f", R),
        (NORMAL, "diff(f, x) - x*f + 1e-9*f", R),
        (NORMAL, "f^2 - x*f", U),
        (NORMAL, "f(0) - f(x)", U),
        (NORMAL, "diff(f, x)/x - (1/x^2 + 1)*f", U),  # no finite coefficient at 0
        (stein("x", "x^2/2"), "diff(f, x) + x*f", U),  # no density
        (stein("x", "-floor(x)", HALF_LINE), "diff(f, x)", U),  # it jumps
        (stein("x", "-abs(x)"), "diff(f, x) - sign(x)*f", P),
        (stein("x", "-l*x", HALF_LINE, l="positive"), "x*diff(f, x) + (1 - l*x)*f", P),
        (stein("x", "(r - 1)*log(x) - l*x", HALF_LINE), "x*diff(f, x) + (r - x/l)*f", R),
        (stein("x", "-(n + 1)/2*log(1 + x^2/n)", n="interval(1, oo)"), "(n + x^2)/(n - 1)*diff(f, x) - x*f", P),
        (stein("x", "-(n + 1)/2*log(1 + x^2/n)", n="interval(1, oo)"), "(n + x^2)/(n + 1)*diff(f, x) - x*f", R),
        (PLANE, "diff(f1, x1) + diff(f2, x2) - x1*f1 - x2*f2", P),
        (PLANE, ["diff(f1, x1) - x1*f1", "diff(f2, x1) - x1*f2"], P),
        (PLANE, ["diff(f1, x1) - x1*f1", "diff(f1, x2) - x1*f2"], R),
    ],
)
def test_an_operator_has_mean_zero_for_every_f_of_its_class(problem: SteinProblem, identity, verdict: Verdict) -> None:
    assert judged(problem, identity=identity).verdict is verdict


@pytest.mark.parametrize(
    ("problem", "identity", "function", "verdict"),
    [
        (NORMAL, USUAL, "cos(3*x)", P),
        (NORMAL, USUAL, "x*exp(x)", P),
        (NORMAL, USUAL, "exp(x^2/2)", P),  # A f is 0
        (NORMAL, USUAL, "abs(x)", P),
        (NORMAL, USUAL, "sign(x)", R),
        (NORMAL, USUAL, "sqrt(2*pi)*exp(x^2/2)*(1 + erf(x/sqrt(2)))/2", R),
        (NORMAL, USUAL, "exp(x^2)", U),
        (NORMAL, USUAL, "1/x", U),
        (stein("x", "-(x - 1)^2/2"), USUAL, "1", R),
        (stein("x", "-x^2/8"), USUAL, "x^2", P),  # wrong, but blind
        (CAUCHY, "diff(f, x) - 2*x/(1 + x^2)*f", "x^2", P),  # equal limits, not 0
        (CAUCHY, "diff(f, x) - 2*x/(1 + x^2)*f", "x*sqrt(1 + x^2)", R),
        (CAUCHY, "diff(f, x) - 2*x/(1 + x^2)*f", "x^3", U),
        (stein("x", "-2*log(1 + x^2/3)"), "diff(f, x) - 4*x/(3 + x^2)*f", "x^3", P),
        (stein("x", "-2*log(1 + x^2/3)"), "diff(f, x) - 4*x/(3 + x^2)*f", "x^3*abs(x)", R),
        (stein("x", "-l*x", HALF_LINE, l="positive"), "diff(f, x) - l*f", "sin(x + 0.3)", R),
        (stein("x", "-l*x", HALF_LINE, l="positive"), "x*diff(f, x) + (1 - l*x)*f", "1", P),
        (stein("x", "0", UNIT), "diff(f, x)", "sin(2*pi*x)", P),
        (stein("x", "0", {"x": "interval(0, c)"}, c="positive"), "diff(f, x)", "x", R),
        (stein("x", "-x^2/2", {"x": "interval(-2, 2)"}), USUAL, "1", P),
        (stein("x", "-x^2/2", {"x": "interval(-1, 2)"}), USUAL, "1", R),
        (stein("x", "(a - 1)*log(x) + (b - 1)*log(1 - x)", UNIT, a="positive", b="positive"),
         "x*(1 - x)*diff(f, x) + (a - (a + b)*x)*f", "1", P),
        (stein("x", "log(x) + 2*log(1 - x)", UNIT), "diff(f, x) + (1/x - 2/(1 - x) + 1/1000)*f", "x^3", R),
        (PLANE, "diff(f, x1) - x1*f", "sin(x1 + x2)", P),
        (PLANE, "diff(f, x1) - x1*f", "x1*x2^2", P),
        (PLANE, "diff(f, x1) - x2*f", "x1", R),
        (stein("x1 x2", "-x1 - x2^2/2", {"x1": "positive"}), "diff(f, x1) - f", "sin(x1)*x2^2", P),
        (stein("x1 x2", "-x1 - x2^2/2", {"x1": "positive"}), "diff(f, x1) - f", "x2^2", R),
        (stein("x1 x2", "-3/2*log(1 + x1^2 + x2^2)"), "diff(f, x1) - 3*x1/(1 + x1^2 + x2^2)*f", "x1", U),
    ],
)  # fmt: skip
def test_the_mean_for_one_function_counts_what_the_boundary_leaves(problem, identity, function, verdict) -> None:
    assert judged(problem, identity=identity, functions=[function]).verdict is verdict


@pytest.mark.parametrize(
    ("problem", "verdict"),
    [
        (stein("x", "-x^2/2 - log(2*pi)/2"), P),
        (stein("x", "-x^2/2 - log(2*pi)/2 + 1e-9"), R),
        (stein("x", "log(l) - l*x", HALF_LINE, l="positive"), P),
        (stein("x", "log(l) - x", HALF_LINE, l="positive"), R),
        (stein("x", "-log(pi) - log(1 + x^2)"), P),
        (stein("x", "x"), R),
        (stein("x", "-log(x)", UNIT), R),
        (stein("x1 x2", "-(x1^2 - 2*r*x1*x2 + x2^2)/(2 - 2*r^2) - log(2*pi) - log(1 - r^2)/2", r="interval(-1, 1)"), P),
        (stein("x1 x2", "-(x1^2 - 2*r*x1*x2 + x2^2)/(2 - 2*r^2) - log(2*pi) + log(1 - r^2)/2", r="interval(-1, 1)"), R),
        (stein("x1 x2", "-x1 - x2^2/2 - log(2*pi)/2", {"x1": "positive"}), P),
    ],
)
def test_a_density_integrates_to_one_or_not(problem: SteinProblem, verdict: Verdict) -> None:
    assert judged(problem, normalised=True).verdict is verdict


# --- wrong neighbours -------------------------------------------------------------------------------

FORMULAS = [
    (flow("z1 z2", *PLANAR), "logdet", "log(abs(1 + (1 - tanh(w1*z1 + w2*z2 + b)^2)*(u1*w1 + u2*w2)))"),
    (flow("a b", "a", "b*exp(tanh(w*a)) + a^2"), "logdet", "tanh(w*a)"),
    (flow("z", "sinh(d*asinh(z) + c)", d="positive"), "inverse", "sinh((asinh(x) - c)/d)"),
    (ode("x y", "exp(-t)*tanh(x + y)", "sin(x) - y^3"), "dlogp", "-exp(-t)/cosh(x + y)^2 + 3*y^2"),
    (stein("x", "-(x - m)^2/(2*s^2)", s="positive"), "score", "-(x - m)/s^2"),
    (stein("x", "(r - 1)*log(x) - l*x", HALF_LINE, r="positive"), "identity", "x*diff(f, x) + (r - l*x)*f"),
    (stein("x", "-x^2/2", h="positive"), "ksd",
     "exp(-(x - y)^2/(2*h^2))*(x*y - (x - y)^2/h^2 + 1/h^2 - (x - y)^2/h^4)"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("support", "conditions"),
    [
        ({"x": "interval(0, 1)"}, ["x > -5"]),
        ({"x": "real"}, ["x^2 < 1"]),
        ({"x": "positive"}, ["x > 1/2", "x > 1"]),
        ({"x": "real"}, ["x != 0"]),
    ],
)
def test_nothing_is_integrated_over_a_support_that_is_not_two_ends(support, conditions) -> None:
    problem = stein("x", "0", support, where=conditions)
    assert judged(problem, normalised=True).verdict is Verdict.UNDECIDED
    assert judged(problem, identity="diff(f, x)", functions=["x"]).verdict is Verdict.UNDECIDED


def claim_of(key: str, text: str) -> dict[str, str]:
    return {key: text} | ({"kernel": "exp(-(x - y)^2/(2*h^2))"} if key == "ksd" else {})


NAMED = pytest.mark.parametrize(
    ("problem", "key", "text"), FORMULAS, ids=[key + " " + text for _, key, text in FORMULAS]
)


@NAMED
def test_no_wrong_neighbour_of_a_right_formula_is_proved(problem, key: str, text: str) -> None:
    assert judged(problem, **claim_of(key, text)).verdict is P
    refuse(problem, key, neighbours(key, text)[:3])


@pytest.mark.thorough
@NAMED
def test_none_of_many_wrong_neighbours_is_proved(problem, key: str, text: str) -> None:
    refuse(problem, key, neighbours(key, text))


def neighbours(key: str, text: str) -> list[str]:
    wrong = changed(text)
    return [each for each in wrong if text not in each] if key == "identity" else wrong  # there, any multiple is right


def refuse(problem, key: str, wrong: list[str]) -> None:
    assert len(wrong) > 2
    verdicts = [judged(problem, **claim_of(key, each)).verdict for each in wrong]
    assert P not in verdicts
    assert verdicts.count(R) > 0.8 * len(wrong)


def changed(text: str):
    """One sign, one number, one function, or one power changed."""
    signs = {" + ": " - ", " - ": " + "}
    swaps = {
        **signs,
        "^2": "^3",
        "exp(": "cos(",
        "tanh(": "sin(",
        "(1 ": "(2 ",
        "sinh(": "cosh(",
        "3*": "2*",
        "r ": "2*r ",
    }
    found = {f"({text})*(1 + 1e-9)", f"-({text})", f"{text} + 1/1000"}
    for old, new in swaps.items():
        at = text.find(old)
        while at >= 0:
            found.add(text[:at] + new + text[at + len(old) :])
            at = text.find(old, at + 1)
    return sorted(found - {text})


# --- files, Python, the command ---------------------------------------------------------------------


@pytest.mark.parametrize("path", FILES[::6], ids=lambda path: path.stem)
def test_a_file_has_a_derivation(path: Path) -> None:
    system = read_system(path.read_text())
    assert isinstance(system, DensitySystem)
    lines = story(system)
    assert "Problem" in lines
    assert len(lines) > 5


FLOW = """\
kind = "flow"
let = { u = "real" }
[flow]
type = "map"
state = ["z1", "z2"]
parameters = ["u"]
map = ["z1 + u*z2", "z2"]
[claim]
logdet = "0"
inverse = ["x1 - u*x2", "x2"]
"""
STEIN = """\
kind = "stein"
[density]
variables = ["x"]
log_density = "-x^2/2"
support = { x = "interval(-oo, oo)" }
[claim]
score = ["-x"]
identity = "diff(f, x) - x*f"
functions = ["sin(x)"]
"""


@pytest.mark.parametrize(
    ("text", "old", "new", "line", "says"),
    [
        (FLOW, 'type = "map"', 'type = "maps"', 4, "did you mean 'map'"),
        (FLOW, 'type = "map"', 'type = "ode"', 7, "does not belong to type 'ode'"),
        (FLOW, "map = [", "mpa = [", 7, "did you mean 'map'"),
        (FLOW, '"z1 + u*z2", "z2"]', '"z1 + u*z2"]', 3, "give one for each"),
        (FLOW, "z1 + u*z2", "z1 + u*", 7, "column"),
        (FLOW, 'logdet = "0"', 'dlogp = "0"', 9, "is not claimed of a flow of type 'map'"),
        (FLOW, 'logdet = "0"', 'invertible = "yes"', 9, "must be true or false"),
        (FLOW, "u*x2", "u*x3", 10, "occurs nowhere"),
        (FLOW, '"x1 - u*x2", "x2"', '"x1 - u*x2"', 10, "give one for each"),
        (FLOW, "[claim]", "[objective]", 8, "unknown key 'objective'"),
        (STEIN, "log_density", "logdensity", 4, "did you mean 'log_density'"),
        (STEIN, "support = { x", "support = { y", 5, "unknown key 'y'"),
        (STEIN, "interval(-oo, oo)", "interval(oo, -oo)", 5, "empty"),
        (STEIN, 'identity = "diff(f, x) - x*f"\n', "", 8, "without an identity"),
        (STEIN, "x*f", "x", 8, ""),
        (STEIN, 'functions = ["sin(x)"]', "functions = []", 9, "is empty"),
        (STEIN, '"sin(x)"', '["x", "x"]', 9, "one formula"),
        (STEIN, 'score = ["-x"]', 'ksd = "x*y"', 7, "without a kernel"),
        (STEIN, 'score = ["-x"]', 'score = ["-x", "x"]', 7, "give one for each"),
        (STEIN, 'score = ["-x"]', 'score = ["-z"]', 7, "occurs nowhere"),
        (STEIN, "[density]", "let = { x = 'real' }\n[density]", 2, "declared under let and in the support"),
    ],
)
def test_what_cannot_be_read_is_said_with_its_line(text: str, old: str, new: str, line: int, says: str) -> None:
    assert old in text
    changed = text.replace(old, new, 1)
    if not says:
        assert isinstance(read_system(changed), DensitySystem)
        return
    with pytest.raises(ProblemError) as caught:
        read_system(changed)
    assert says in str(caught.value)
    assert caught.value.line == line


def test_the_command_shows_slip_and_correction_and_ends_with_1(tmp_path: Path, capsys) -> None:
    path = tmp_path / "flow.toml"
    path.write_text(FLOW.replace("x1 - u*x2", "x1 + u*x2"))
    assert main(["check", str(path)]) == 1
    out = capsys.readouterr().out
    assert "slip     function: this is the map itself" in out
    assert "correct  inverse z1: x1 - u*x2" in out
    assert main(["check", "--json", str(path)]) == 1
    record = json.loads(capsys.readouterr().out)
    assert (record["kind"], record["verdict"]) == ("flow", "REFUTED")
    assert [part["verdict"] for part in record["parts"]] == ["PROVED", "REFUTED", "PROVED"]
    assert {"rigor", "counterexample", "diagnosis", "correction", "evidence", "seconds", "version"} <= set(record)


def test_the_command_derives_and_writes_no_module(tmp_path: Path, capsys) -> None:
    path = tmp_path / "stein.toml"
    path.write_text(STEIN)
    assert main(["check", str(path)]) == 0
    assert main(["derive", str(path)]) == 0
    assert "d/dx log p = -x" in capsys.readouterr().out
    assert main(["derive", "--code", str(path)]) == 2
    assert "modules are written for gradients" in capsys.readouterr().err
    path.write_text(STEIN.replace("kind =", "kid ="))
    assert main(["check", str(path)]) == 2


def test_problems_are_written_in_python_with_text_or_sympy() -> None:
    import sympy as sp

    z, a = sp.symbols("z a", positive=True)
    problem = verify.FlowProblem(z, map=[z**a], parameters=[a])
    found = problem.check(logdet=sp.log(a) + (a - 1) * sp.log(z), inverse=["x^(1/a)"], invertible=True)
    assert found.verdict is P
    density = verify.SteinProblem("x", "-l*x", support={"x": "positive"}, parameters="l", domain={"l": "positive"})
    found = density.check({"identity": "diff(f, x) - l*f", "functions": ["x", "1"]})
    assert [part.verdict for part in found.parts] == [P, R]
    assert found.worst is not None
    assert found.worst.diagnosis is not None
    assert found.worst.diagnosis.slip == "boundary"
    with pytest.raises(ValueError, match="did you mean 'logdet'"):
        problem.check(logdte="0")
