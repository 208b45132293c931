"""Is a TOML problem read as it is meant, and refused with the key, the line and a way out where it is not?"""

from __future__ import annotations

import random
import re

import pytest
from systems_bank import BASES

from verify.calculus.tidy import tidied_arguments
from verify.language import write
from verify.language.toml import ProblemError, read_system
from verify.systems import ImplicitProblem, OdeProblem, RecurrenceProblem, adjoint_names

GOOD = """\
kind = "ode-gradient"
title = "a test"
let = { a = "interval(0.5, 2)", T = "positive" }
[ode]
state = ["u", "v"]
parameters = ["a"]
rhs = ["a*u - u*v", "u*v - v"]
initial = ["1", "a"]
time = ["0", "T"]
[objective]
terminal = "u^2"
[claim]
adjoint = { l1 = "-(a - v)*l1 - v*l2" }
gradient = { a = "int(l1*u, t, 0, T) + l2(0)", "u(0)" = "l1(0)" }
"""


def test_a_problem_is_read_into_its_parts() -> None:
    system = read_system(GOOD)
    problem = system.problem
    assert isinstance(problem, OdeProblem)
    assert [write(f) for f in problem.rhs] == ["a*u - u*v", "u*v - v"]
    assert (write(problem.t0), write(problem.T)) == ("0", "T")
    assert problem.domain.variables["a"].low is not None
    assert set(system.claim.gradient) == {"a", "u(t0)"}
    assert system.title == "a test"


def test_a_bare_state_in_a_gradient_by_a_time_is_the_state_then() -> None:
    shown, bare = (
        read_system(GOOD.replace("gradient = {", f'gradient = {{ T = "{at_end}", t0 = "{at_start}",')).claim.gradient
        for at_end, at_start in (("l1(T)*(a*u(T) + T)", "-l1(0)*u(0)"), ("l1*(a*u + t)", "-l1*u"))
    )
    assert bare == shown


@pytest.mark.parametrize(("start", "key"), [("-1", "u(-1)"), ("1/2", "u(0.5)"), ("s", "u( s )"), ("0", "u(0)")])
def test_the_initial_state_may_be_named_by_any_initial_time(start: str, key: str) -> None:
    text = GOOD.replace('time = ["0"', f'time = ["{start}"').replace('"u(0)"', f'"{key}"')
    assert "u(t0)" in read_system(text).claim.gradient


def _named(first: str, second: str, more: str = "") -> str:
    """The same problem with other names for the adjoint, and more lines in its table."""
    return f"""{GOOD[: GOOD.index("[objective]")]}{more}[objective]
terminal = "u^2"
[claim]
adjoint = {{ {first} = "-(a - v)*{first} - v*{second}" }}
terminal = {{ {first} = "2*u", {second} = "0" }}
gradient = {{ a = "int({first}*u, t, 0, T) + {second}(0)" }}
"""


@pytest.mark.parametrize("names", [("a1", "a2"), ("lam_u", "lam_v"), ("p", "q"), ("mu", "nu")])
def test_an_adjoint_may_have_names_of_its_own(names: tuple[str, str]) -> None:
    system = read_system(_named(*names))
    assert adjoint_names(system.problem) == names
    assert set(system.claim.terminal) == set(names)
    assert adjoint_names(read_system(_named("l1", "l2")).problem) == ("l1", "l2")


def test_names_that_end_like_the_states_belong_to_them() -> None:
    crossed = _named("adj_v", "adj_u").replace("2*u", "0")
    assert adjoint_names(read_system(crossed).problem) == ("adj_u", "adj_v")


def test_costates_name_an_adjoint_of_which_the_claim_has_no_table() -> None:
    text = re.sub(r"(?m)^(adjoint|terminal) = {.*\n", "", _named("mu", "nu", 'costates = ["mu", "nu"]\n'))
    assert adjoint_names(read_system(text).problem) == ("mu", "nu")
    with pytest.raises(ProblemError, match=r"line 14: claim.gradient.a, column 22: 'nu' is no known function"):
        read_system(text.replace('costates = ["mu", "nu"]', "# no costates"))


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (_named("mu", "nu", 'costates = ["mu"]\n'), "line 10: ode.costates has 1 names, the state has 2"),
        (_named("mu", "nu", 'costates = ["mu", "mu"]\n'), "line 10: ode.costates has 1 names, the state has 2"),
        (_named("mu", "nu", 'costates = ["mu", "u"]\n'), "line 10: ode.costates: 'u' means something else here"),
        (_named("mu", "nu", 'costates = ["mu", "xi"]\n'), "line 14: claim.adjoint.mu: 'nu' occurs nowhere"),
        (_named("mu", "l2"), "unknown key 'mu' in .claim.adjoint.; known there: l1, l2; other names"),
        (_named("a", "nu"), "unknown key 'a' in .claim.adjoint."),
        (_named("m1", "s1") + 'hvp = { a = "0" }\n', "m1 means something else in a claim on second derivatives"),
    ],
)
def test_names_of_adjoints_that_are_taken_or_missing_are_refused(text: str, says: str) -> None:
    with pytest.raises(ProblemError, match=says):
        read_system(text)


def test_a_state_with_its_time_or_step_is_the_state() -> None:
    plain, timed = (
        read_system(GOOD),
        read_system(GOOD.replace('"u*v - v"', '"u(t)*v - v(t)"').replace('"u^2"', '"u(T)^2"')),
    )
    assert plain.problem == timed.problem
    text = BASES["map"].toml()
    assert read_system(text.replace("p*x*(1 - x)", "p*x[k-1]*(1 - x)")).problem == read_system(text).problem


@pytest.mark.parametrize("name", BASES)
def test_every_problem_of_the_bank_is_read(name: str) -> None:
    kinds = {"ode": OdeProblem, "implicit": ImplicitProblem, "recurrence": RecurrenceProblem}
    problem = read_system(BASES[name].toml()).problem
    assert isinstance(problem, kinds[problem.kind.partition("-")[0]])


@pytest.mark.parametrize(
    ("old", "new", "line", "says"),
    [
        ('rhs = ["a', 'rsh = ["a', 7, "did you mean 'rhs'"),
        ("[objective]", "[objectiv]", 10, "did you mean 'objective'"),
        ('kind = "ode-gradient"', 'kind = "ode-gradeint"', 1, "did you mean 'ode-gradient'"),
        ('kind = "ode-gradient"', 'kind = "flow"', 4, "unknown key 'ode'"),
        ('kind = "ode-gradient"\n', "", 1, "'kind' is missing"),
        ("[objective]\n", "[claim]\n", 12, "no TOML"),
        ('[objective]\nterminal = "u^2"\n', "", 12, "[objective] is missing"),
        ('title = "a test"', '"u(0)" = "a test"', 2, "unknown key 'u(0)'"),
        ('"a*u - u*v"', "inf", 7, "no number"),
        ('"a*u - u*v"', "1979-05-27", 7, "must be a text"),
        ('"a*u - u*v"', "9" * 6000, 7, "too many digits"),
        ('state = ["u", "v"]', 'state = ["u", "v"]\nstate = ["u"]', 6, "no TOML"),
        ('state = ["u", "v"]', 'state = "u"', 5, "must be a list"),
        ('state = ["u", "v"]', 'state = ["u", 3]', 5, "must be a text"),
        ('state = ["u", "v"]', 'state = ["u", "t"]', 5, "means something else"),
        ('state = ["u", "v"]', "state = []", 5, "names nothing"),
        ('state = ["u", "v"]', 'state = ["u", "u"]', 5, "occurs twice"),
        ('initial = ["1", "a"]', 'initial = ["1"]', 8, "give one for each state"),
        ('initial = ["1", "a"]', 'initial = ["1", "u"]', 8, "may depend on parameters alone"),
        ('time = ["0", "T"]', 'time = ["0"]', 9, "needs two"),
        ('time = ["0", "T"]\n', "", 4, "'time' is missing"),
        ('time = ["0", "T"]', 'time = ["2", "1"]', 9, "the ends in `time` are 2, 1"),
        ('time = ["0", "T"]', 'time = ["1", "1"]', 9, "later than the one before"),
        ('time = ["0", "T"]', 'time = ["0", "u"]', 9, "`time` depends on u"),
        ('"u*v - v"', '"u*v - l2"', 7, "'l2' is the name of an adjoint"),
        ('terminal = "u^2"', 'terminal = "u^2*l1"', 11, "'l1' is the name of an adjoint"),
        ('gradient = { a = "', 'gradient = { a = "u*', 14, "u stands outside of an integral"),
        ('gradient = { a = "', 'gradient = { a = "t*', 14, "t stands outside of an integral"),
        ("gradient = { a", 'jump = { l1 = "u" }\ngradient = { a', 14, "nothing is observed"),
        ('"u*v - v"', '"u*v - "', 7, "column 7"),
        ('"u*v - v"', '"u*frob(v)"', 7, "no known function"),
        ('"u*v - v"', '"u*v(t - 1)"', 7, "at another time"),
        ('"interval(0.5, 2)"', '"intervall(0.5, 2)"', 3, "did you mean interval"),
        ('"interval(0.5, 2)"', "3", 3, "must be a text"),
        ("[claim]", "[claims]", 12, "did you mean 'claim'"),
        ("{ l1 = ", "{ l3 = ", 13, "known there: l1, l2"),
        ("- v*l2", "- w*l2", 13, "'w' occurs nowhere"),
        ("gradient = { a", "gradient = { c", 14, "unknown key 'c'"),
        ("gradient = { a", "gradient = { 0", 14, "unknown key '0'"),
        ("gradient = { a", "gradient = { 7", 14, "unknown key '7'"),
        ("adjoint = {", "adjoint = [", 13, "no TOML"),
        ('adjoint = { l1 = "-(a - v)*l1 - v*l2" }', 'adjoint = "l1"', 13, "must be a table"),
    ],
)
def test_what_cannot_be_read_is_said_with_its_line(old: str, new: str, line: int | None, says: str) -> None:
    assert old in GOOD
    with pytest.raises(ProblemError) as caught:
        read_system(GOOD.replace(old, new, 1))
    assert says in str(caught.value)
    assert caught.value.line == line


@pytest.mark.parametrize(
    "change", [lambda t: "\ufeff" + t, lambda t: t.replace("\n", "\r\n"), lambda t: t.replace(" ", "\t")]
)
def test_marks_of_editors_change_nothing(change) -> None:
    assert read_system(change(GOOD)).problem == read_system(GOOD).problem


@pytest.mark.parametrize("text", ["", "= 3", "kind = 'ode-gradient'", "a" * 5000, "kind = [" * 3000, "\0", "kind = 1"])
def test_no_text_makes_the_reader_fail_otherwise(text: str) -> None:
    with pytest.raises(ProblemError):
        read_system(text)


SPOILT = [
    "1979-05-27", "9" * 700, "true", "nan", "[]", "{}", '""', "[[1]]", '"\\u0000"', "-1", '"1/0"', '"("', "{ a = 1 }",
    '"l1"', '"d/dx x"', '"x with x: positive"', '"interval(2, 1)"', '"int(1, t, 0, 1)"', '"10^10^10"',
]  # fmt: skip


def spoil(text: str, rng: random.Random) -> str:
    """One thing done to a file that people do to files."""
    lines = text.split("\n")
    i, j = rng.randrange(len(lines)), rng.randrange(len(text))
    match rng.randrange(7):
        case 0:
            del lines[i]
        case 1:
            lines.insert(i, rng.choice(lines))
        case 2:
            lines[i] = f"{lines[i].partition('=')[0]}= {rng.choice(SPOILT)}"
        case 3:
            return text[:j] + text[j + 1 :]
        case 4:
            return text[:j] + rng.choice('"[]{}=,.#()^*+-\0\t\\λé0') + text[j:]
        case 5:
            return text[:j]
        case _:
            lines.insert(i, rng.choice(["[claim]", "[ode]", "kind = 3", "x = 1", "[objective.x]", "title = 3"]))
    return "\n".join(lines)


def refusal(text: str) -> ProblemError | None:
    try:
        read_system(text)
    except ProblemError as error:
        return error
    return None


@pytest.mark.parametrize("seed", range(4))
def test_a_spoilt_file_is_read_or_refused_with_a_line_that_it_has(seed: int) -> None:
    rng = random.Random(seed)
    texts = [spoil(BASES[rng.choice(list(BASES))].toml(), rng) for _ in range(150)]
    refused = [(text, error) for text in texts if (error := refusal(text)) is not None]
    assert len(refused) > 50
    for text, error in refused:
        assert error.line is not None, str(error)
        assert 1 <= error.line <= text.count("\n") + 1


MAP = BASES["map"].toml()


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("(1 - 2*x[k])", "(1 - 2*x)", "claim.adjoint.l1: x stands without its step; write x[k] or x[k-1]"),
        ("l1[k]*x[k-1]", "l1*x[k-1]", "claim.gradient.p: l1 stands without its step"),
        ("'l1[0]/2", "'l1[k]/2", "claim.gradient.p: k stands outside of a sum"),
        ("2*x[n]", "2*x[k]", "claim.terminal.l1: k stands outside of a sum, and is no step there; write n"),
        ("'l1' = '2*x[n]'", "'l1[n-1]' = '2*x[n]'", "'l1[n-1]' is not at step n; write l1"),
        ("'l1' = '2*x[n]'", "'l1' = '2*x[n]', 'l1[n]' = '2*x[n]'", "claim.terminal: l1 is claimed twice"),
        ("'l1[0]/2", "'lam/2", "the adjoint is l1"),
        ('"n"', "2.5", "must be a text or a whole number"),
    ],
)
def test_what_has_no_step_is_said_with_its_line(old: str, new: str, says: str) -> None:
    assert old in MAP
    text = MAP.replace(old, new)
    with pytest.raises(ProblemError) as caught:
        read_system(text)
    assert says in str(caught.value)
    assert caught.value.line is not None
    assert new in text.splitlines()[caught.value.line - 1]


def test_parts_may_name_their_step() -> None:
    plain = read_system(MAP).claim
    named = read_system(
        MAP.replace("adjoint = { 'l1'", "adjoint = { 'l1[k]'").replace("'l1' = '2*x[n]'", "'l1[n]' = '2*x'")
    )
    assert named.claim.adjoint == plain.adjoint
    assert named.claim.terminal == plain.terminal
    earlier = "'l1[k-1]' = 'l1[k]*p*(1 - 2*x[k-1])'"
    shifted = read_system(re.sub(r"(?m)^adjoint = .*$", f"adjoint = {{ {earlier} }}", MAP)).claim
    assert [write(tidied_arguments(node)) for node in shifted.adjoint.values()] == [
        write(tidied_arguments(node)) for node in plain.adjoint.values()
    ]


def test_more_equations_than_adjoints_are_refused() -> None:
    text = BASES["cubic"].toml()
    found = re.search(r"adjoint = \['(.*?)'\]", text)
    assert found is not None
    with pytest.raises(ProblemError, match="2 equations, the adjoint has 1 entries"):
        read_system(text.replace(found[0], f"adjoint = ['{found[1]}', '{found[1]}']"))
