"""Are claims on equations f(u, p) = 0 judged on their solutions, in every form, and is what is wrong named?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import pytest
from systems_bank import Base, implicit

from verify.claim import Domain, Variable
from verify.decide.signs import Signs
from verify.decide.systems import judge
from verify.decide.systems.identity import Identities
from verify.decide.systems.result import SystemResult
from verify.decide.systems.solution_set import Branch, SolutionSet, isolated
from verify.graph import Node, free_symbols, substitute, symbol
from verify.language.read import read_expression
from verify.language.toml import read_system
from verify.language.write import write
from verify.mutate import mutants
from verify.numerics.straight import Straight
from verify.system_claims import Equation
from verify.systems import ImplicitProblem
from verify.verdict import Verdict

LAYER = implicit("z1;z2", "a;b;c;x", "z1 - tanh(a*z1 + b*z2 + x); z2 - tanh(c*z1)", "z1^2 + z2")
LAYER_CLAIM = {
    "adjoint 1": "(1 - (1 - z1^2)*a)*l1 - (1 - z2^2)*c*l2 = 2*z1",
    "adjoint 2": "l2 - (1 - z1^2)*b*l1 = 1",
    "gradient a": "l1*(1 - z1^2)*z1",
    "gradient b": "l1*(1 - z1^2)*z2",
    "gradient c": "l2*(1 - z2^2)*z1",
    "gradient x": "l1*(1 - tanh(a*z1 + b*z2 + x)^2)",
}
LINEAR = implicit("u;v", "p;q", "p*u + 2*v - 1; 3*u + q*v - p", "u*v")
LINEAR_CLAIM = {
    "adjoint 1": "p*l1 + 3*l2 = -v",
    "adjoint 2": "2*l1 + q*l2 = -u",
    "gradient p": "l1*u - l2",
    "gradient q": "l2*v",
}
MIXED_CLAIM = {
    "adjoint 1": "p*l1 - 3*l2 = -v",
    "adjoint 2": "2*l1 - q*l2 = -u",
    "gradient p": "l1*u + l2",
    "gradient q": "-l2*v",
}
UPTAKE = implicit("s", "w;V;K", "w - V*s/(K + s)", "s", 'w = "interval(0.1, 1)", V = "interval(2, 4)", K = "positive"')


def judged(text: str) -> SystemResult:
    *_, result = judge(read_system(text))
    return result


@pytest.mark.parametrize(
    ("residual", "name"),
    [
        ("u^3 + u - p", "p"),
        ("z - tanh(w*z + x)", "x"),
        ("z - tanh(w*z + x)", "w"),
        ("exp(2*u) - p*v", "u"),
        ("1/(1 + exp(-u)) - p", "u"),
        ("sqrt(u) + p - 2", "u"),
        ("w - V*s/(K + s)", "s"),
        ("1/u + p/(2*u) - 3", "u"),
        ("atan(p*u) - v", "u"),
        ("log(u) + v*p", "u"),
        ("asinh(u + v) - p", "u"),
    ],
)
def test_a_name_that_is_isolated_makes_the_residual_zero(residual: str, name: str) -> None:
    f = read_expression(residual)
    found = isolated(f, name)
    assert found is not None
    value, conditions = found.value, found.conditions
    assert name not in free_symbols(value, *conditions)
    at = {each: 0.37 + 0.11 * i for i, each in enumerate(sorted(free_symbols(f, value)))}
    (left, *kept) = Straight((substitute(f, {symbol(name): value}), *conditions))(at)
    assert left == pytest.approx(0, abs=1e-12)
    assert all(kept)


@pytest.mark.parametrize(
    "residual", ["u^2 - p", "sin(u) - p", "u*exp(u) - p", "abs(u) - p", "u^3 + u - p", "exp(u) + u - p", "u^4 - p"]
)
def test_a_name_that_has_several_values_is_not_isolated(residual: str) -> None:
    assert isolated(read_expression(residual), "u") is None


def test_a_root_is_isolated_where_it_is_not_negative_alone() -> None:
    found = isolated(read_expression("sqrt(u) + p - 2"), "u")
    assert found is not None
    assert [write(condition) for condition in found.conditions] == ["0 <= -p + 2"]


@pytest.mark.parametrize("claim", [LAYER_CLAIM, {**LAYER_CLAIM, "gradient a": "l1*(1 - tanh(a*z1 + b*z2 + x)^2)*z1"}])
def test_what_holds_at_a_fixed_point_alone_is_proved(claim: dict[str, str]) -> None:
    assert judged(Base(LAYER, claim).toml()).verdict is Verdict.PROVED


def test_an_adjoint_found_by_iteration_is_proved() -> None:
    head = implicit("z", "w;x", "z - tanh(w*z + x)", "z^2")
    claim = {"adjoint 1": "l1 = w*(1 - z^2)*l1 + 2*z", "gradient w": "l1*z*(1 - z^2)", "gradient x": "l1*(1 - z^2)"}
    assert judged(Base(head, claim).toml()).verdict is Verdict.PROVED
    assert judged(Base(head, {**claim, "adjoint 1": "l1 = w*(1 - z)^2*l1 + 2*z"}).toml()).verdict is Verdict.REFUTED


def test_entries_of_different_signs_are_proved_where_all_of_them_are_used() -> None:
    assert judged(Base(LINEAR, MIXED_CLAIM).toml()).verdict is Verdict.PROVED
    partial = {name: text for name, text in MIXED_CLAIM.items() if name != "gradient p"}
    assert judged(Base(LINEAR, partial).toml()).verdict is Verdict.REFUTED


@pytest.mark.parametrize(
    ("head", "claim"),
    [(LAYER, LAYER_CLAIM), (LINEAR, LINEAR_CLAIM), (LINEAR, MIXED_CLAIM)],
    ids=["fixed point", "linear", "mixed signs"],
)
@pytest.mark.parametrize("part", ["adjoint 1", "adjoint 2", "gradient"])
def test_no_mutant_is_passed(head: str, claim: dict[str, str], part: str) -> None:
    system = read_system(Base(head, claim).toml())
    own, number = system.claim, int(part[-1]) - 1 if part[-1].isdigit() else 0
    variants = []
    if part == "gradient":
        name = next(iter(own.gradient))
        variants = [replace(own, gradient={**own.gradient, name: m.node}) for m in mutants(own.gradient[name])]
    else:
        equation = own.equations[number]
        for mutant in mutants(equation.lhs, Domain({n: Variable(n) for n in free_symbols(equation.lhs)})):
            other = [*own.equations]
            other[number] = Equation(mutant.node, equation.rhs)
            variants.append(replace(own, equations=tuple(other)))
    assert len(variants) > 5
    for variant in variants[:: max(1, len(variants) // 5)]:
        result = next(judge(replace(system, claim=variant)))
        assert result.verdict < Verdict.SUPPORTED, variant


def test_nothing_is_refuted_where_the_residual_is_not_defined() -> None:
    head = implicit("u", "p", "u*log(u) - p", "u")
    assert judged(Base(head, {"gradient p": "1/(1 + log(abs(u)))"}).toml()).verdict >= Verdict.SUPPORTED
    assert judged(Base(head, {"gradient p": "1/(2 + log(abs(u)))"}).toml()).verdict is Verdict.REFUTED


def test_solutions_outside_of_the_domain_do_not_count() -> None:
    residual = "u^2 + sin(u^2)/4 - p - p^3*sin(p)/10"
    head = implicit("u", "p", residual, "u", 'u = "positive", p = "interval(1, 2)"')
    slope = "(1 + 3*p^2*sin(p)/10 + p^3*cos(p)/10)/(abs(u)*(2 + cos(u^2)/2))"
    assert judged(Base(head, {"gradient p": slope}).toml()).verdict >= Verdict.SUPPORTED
    assert judged(Base(head, {"gradient p": f"-{slope}"}).toml()).verdict is Verdict.REFUTED


@pytest.mark.parametrize(
    ("head", "claim", "changes", "slip"),
    [
        (LINEAR, LINEAR_CLAIM, {"gradient q": "l1*v"}, "swap"),
        (LINEAR, LINEAR_CLAIM, {"adjoint 1": "l1 = -(q*v - 2*u)/(p*q - 6)", "adjoint 2": "l2 = -(p*u - 3*v)/(p*q - 6)"},
         "transpose"),
        (LAYER, LAYER_CLAIM, {"adjoint 1": "(1 - (1 - z1^2)*a)*l1 - (1 - z1^2)*b*l2 = 2*z1",
                              "adjoint 2": "l2 - (1 - z2^2)*c*l1 = 1"}, "transpose"),
        (LAYER, LAYER_CLAIM, {"gradient x": "l1"}, "missing-factor"),
        (implicit("u", "p", "u^3 + u - p", "u^2 + p"), {"adjoint 1": "(3*u^2 + 1)*l1 = -2*u", "gradient p": "1 - l1"},
         {"adjoint 1": "(3*u + 1)*l1 = -2*u"}, "power"),
        (implicit("u", "p", "u*exp(u) - p", "u"), {"gradient p": "1/(exp(u) + u*exp(u))"}, {"gradient p": "1/exp(u)"},
         "missing-term"),
        (UPTAKE, {"gradient K": "w/(V - w)", "gradient V": "-w*K/(V - w)^2"}, {"gradient V": "-w*K/(V - w)"}, "power"),
    ],
    ids=["swap", "inverse", "layer", "chain", "power", "product rule", "closed"],
)  # fmt: skip
def test_what_is_wrong_is_named_and_the_correction_is_right(
    head: str, claim: dict[str, str], changes: dict[str, str], slip: str
) -> None:
    base = Base(head, claim)
    assert judged(base.toml()).verdict is Verdict.PROVED
    result = judged(base.toml(changes))
    assert result.verdict is Verdict.REFUTED
    assert result.worst is not None
    assert result.worst.diagnosis is not None
    assert result.worst.diagnosis.slip == slip
    mended = {part.name: part.correction for part in result.parts if part.correction}
    assert judged(base.toml({**changes, **mended})).verdict is Verdict.PROVED


def test_a_gradient_without_adjoint_is_corrected_without_it() -> None:
    (part,) = judged(Base(UPTAKE, {"gradient V": "-w*K/(V - w)"}).toml()).parts
    assert not free_symbols(read_expression(part.correction)) - {"w", "V", "K"}


def test_a_counterexample_has_all_coordinates() -> None:
    result = judged(Base(LINEAR, {**LINEAR_CLAIM, "gradient q": "l1*v"}).toml())
    assert result.worst is not None
    assert result.worst.counterexample is not None
    assert set(result.worst.counterexample.point) >= {"u", "v", "p", "q"}


OPPOSED = implicit("h;g", "u;w", "h - tanh(w*g + u); g - tanh(w*h - u)", "h*g", 'w = "interval(-0.8, 0.8)"')


@pytest.mark.parametrize("sign", ["", "-"])
def test_solutions_where_a_divisor_vanishes_are_not_lost(sign: str) -> None:
    """Solved for u and then for w the set of solutions is h + g != 0, and all of them have h + g = 0."""
    claim = {
        "adjoint 1": f"l1 - w*(1 - g^2)*l2 = {sign}g",
        "adjoint 2": f"l2 - w*(1 - h^2)*l1 = {sign}h",
        "gradient u": f"{sign}(l1*(1 - h^2) - l2*(1 - g^2))",
    }
    assert judged(Base(OPPOSED, claim).toml()).verdict >= Verdict.SUPPORTED
    result = judged(Base(OPPOSED, claim).toml({"gradient u": f"{sign}(l1*(1 - h^2) + l2*(1 - g^2))"}))
    assert result.verdict is Verdict.REFUTED
    assert result.worst is not None
    assert result.worst.diagnosis is not None
    assert result.worst.diagnosis.slip == "sign"


def test_of_all_names_the_simplest_is_isolated() -> None:
    system = read_system(Base(implicit("z", "w;x", "z - tanh(w*z + x)", "z"), {}).toml())
    assert isinstance(system.problem, ImplicitProblem)
    signs = Signs(Identities(system.problem.domain))
    (branch,) = SolutionSet(system.problem.residual, ("z",), ("w", "x"), signs).branches()
    assert branch.solved is not None
    assert [list(solved.at) for solved in branch.solved] == [[symbol("x")]]
    seen = [{"z": 0.0, "x": 0.0, "w": 0.5}]
    (branch,) = SolutionSet(system.problem.residual, ("z",), ("w",), signs, seen).branches()
    assert branch.solved is None


@pytest.mark.parametrize(
    ("state", "parameters", "residual", "whole"),
    [
        ("u", "p", "p*u - 1", True),  # u = 0 solves nothing
        ("u", "p", "p*u + u^2 - 3", True),
        ("u;v", "p;q", "p*u + q*v - 1;u - v - p*q", True),
        ("z;y", "a;b;c;d;x", "z - tanh(a*z + b*y + x);y - tanh(c*z + d*y)", True),
        ("u;v", "w;x", "u - tanh(w*v + x);v - tanh(w*u - x)", False),  # w = … / (u + v) where u + v is 0 throughout
    ],
)
def test_a_solution_that_a_divisor_takes_away_is_noticed(
    state: str, parameters: str, residual: str, whole: bool
) -> None:
    (branch,) = branches(implicit(state, parameters, residual, state[0]))
    assert (branch.solved is not None and all(solved.whole for solved in branch.solved)) is whole


def branches(head: str) -> tuple[Branch, ...]:
    problem = read_system(Base(head, {}).toml()).problem
    assert isinstance(problem, ImplicitProblem)
    names = (*problem.parameters, *problem.state)
    return SolutionSet(problem.residual, problem.state, names, Signs(Identities(problem.domain))).branches()


@pytest.mark.parametrize(
    ("head", "expected"),
    [
        (implicit("u", "p", "(u - 1000)*(u - p)", "u"), ["u = 1000", "p = u"]),
        (implicit("u", "p", "u^3 - p*u", "u"), ["u = 0", "p = u^2"]),
        (implicit("u", "p", "(u - 1)^2*(u - p)", "u"), ["p = u"]),
        (implicit("u", "p", "(u - p)*(p - 3)*(exp(u) + 1)", "u"), ["p = u"]),
        (implicit("u", "p", "u^3 - p*u", "u", 'u = "positive"'), ["p = u^2"]),
        (implicit("u", "p", "u*log(u) - p*u", "u"), ["u = exp(p)"]),
        (
            implicit("x;y", "a;m", "x*(1 - x - a*y);y*(x - m)", "x", 'a = "positive", x = "positive", y = "positive"'),
            ["x = 1 - a*y; m = 1 - a*y"],
        ),
        (
            implicit("u;v", "p", "u^2 + v^2 - 1;u - p*v", "u", 'p = "positive", v = "positive"'),
            ["p = sqrt(1/v^2 - 1); u = v*sqrt(1/v^2 - 1)"],
        ),
    ],
)
def test_a_product_falls_into_the_branches_on_which_a_solution_can_be_regular(head: str, expected: list[str]) -> None:
    graphs = [solved.at for branch in branches(head) for solved in branch.solved or ()]
    assert len(graphs) == len(expected)
    for text in expected:
        wanted = dict(each.split(" = ") for each in text.split("; "))
        assert any(_same_graph(graph, wanted) for graph in graphs)


def _same_graph(graph: Mapping[Node, Node], wanted: dict[str, str]) -> bool:
    if {name.value for name in graph} != set(wanted):
        return False
    pairs = [node for name, text in wanted.items() for node in (graph[symbol(name)], read_expression(text))]
    at = {each: 0.37 + 0.11 * i for i, each in enumerate(sorted(free_symbols(*pairs)))}
    values = Straight(pairs)(at)
    return values[::2] == pytest.approx(values[1::2])


@pytest.mark.parametrize(
    ("head", "gradient", "verdict"),
    [
        (implicit("u;v", "p", "(u - 1000)*(v - p);v + u - 2*p - 1", "u"), "1", Verdict.REFUTED),
        (implicit("u", "p", "u*(p - u^2)", "u^2", 'p = "positive"'), "1", Verdict.REFUTED),
        (implicit("u", "p", "u*(p - u^2)", "u^2", 'p = "positive", u = "positive"'), "1", Verdict.PROVED),
        (implicit("u", "p", "u*(p - u^2)", "u^2", 'p = "positive", u = "positive"'), "2", Verdict.REFUTED),
        (implicit("u", "p", "cos(u) - p", "u", 'p = "interval(0, 1)"'), "-1/sqrt(1 - p^2)", Verdict.REFUTED),
        (implicit("u", "p", "(u - sin(p))*(exp(u) + u - 20 - p)", "u", 'p = "positive"'), "cos(p)", Verdict.REFUTED),
    ],
)
def test_a_gradient_is_asked_of_every_regular_solution_in_the_domain(
    head: str, gradient: str, verdict: Verdict
) -> None:
    result = judged(Base(head, {"gradient p": gradient}).toml())
    assert result.verdict is verdict
    if verdict is Verdict.REFUTED and gradient != "2":
        assert result.worst is not None
        assert result.worst.diagnosis is not None
        assert result.worst.diagnosis.slip == "domain"


SIR = 'beta = "positive", g = "positive", m = "positive"'
STATES = 'S = "positive", Y = "positive"'


@pytest.mark.parametrize(
    ("let", "gradient", "verdict"),
    [
        (f"{SIR}, {STATES}", "m/beta^2", Verdict.PROVED),
        (f"{SIR}, {STATES}", "m/beta", Verdict.REFUTED),
        (SIR, "m/beta^2", Verdict.REFUTED),  # without infection it is 0
    ],
)
def test_a_steady_state_on_the_edge_of_the_domain_does_not_count(let: str, gradient: str, verdict: Verdict) -> None:
    head = implicit("S;Y", "beta;g;m", "m*(1 - S) - beta*S*Y;beta*S*Y - (g + m)*Y", "Y", let)
    assert judged(Base(head, {"gradient beta": gradient}).toml()).verdict is verdict


def test_what_holds_on_one_of_two_solutions_is_not_proved() -> None:
    """v = p solves it, and so does u = 1000 with v between -9.93 and -9.92, where G does not depend on p."""
    text = Base(implicit("u;v", "p", "(u - 1000)*(v - p);u + v^3 + v - 10", "v"), {"gradient p": "1"}).toml()
    *_, result = judge(read_system(text))
    assert result.verdict < Verdict.PROVED


@pytest.mark.parametrize(
    ("gradient", "named"),
    [("-(3*u^2 + p)/u", "other"), ("(3*u^2 + p)/u", "other"), ("u/(3*u^2 + p)", "sign"), ("-u/(3*u + p)", "power")],
)
def test_the_two_derivatives_the_wrong_way_round_are_named(gradient: str, named: str) -> None:
    head = implicit("u", "p", "u^3 + p*u - 1", "u", 'p = "positive"')
    assert judged(Base(head, {"gradient p": "-u/(3*u^2 + p)"}).toml()).verdict is Verdict.PROVED
    result = judged(Base(head, {"gradient p": gradient}).toml())
    assert result.verdict is Verdict.REFUTED
    assert result.worst is not None
    assert result.worst.diagnosis is not None
    assert result.worst.diagnosis.slip == named


def test_a_state_may_be_called_t_where_there_is_no_time() -> None:
    head = implicit("t", "s", "exp(t) + t - s", "t^2")
    assert judged(Base(head, {"gradient s": "2*t/(exp(t) + 1)"}).toml()).verdict is Verdict.PROVED


def test_a_residual_that_does_not_determine_its_state_is_said_so() -> None:
    result = judged(Base(implicit("u", "p", "p - 1", "u"), {"gradient p": "1"}).toml())
    assert result.verdict is Verdict.UNDECIDED
    assert "singular" in result.reason
