"""Which claim a text makes: sides, declarations, conditions; and everything that was ever published reads."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from verify.claim import Variable
from verify.graph import ZERO, both, compare, num, symbol
from verify.language import ReadError, read_claim, read_expression, read_let, write, write_claim

CORPORA = sorted((Path(__file__).parent / "data" / "corpora").glob("*.jsonl"))
x, y, a = symbol("x"), symbol("y"), symbol("a")


@pytest.mark.parametrize(
    ("text", "read_as"),
    [
        ("d/dx sin(x)^2 = 2*sin(x)*cos(x)", "d/dx (sin(x)^2) = 2*sin(x)*cos(x) with x: real"),
        ("d/dx log(x + sqrt(1 + x^2)) = 1/sqrt(1 + x^2)",
         "d/dx (log(x + sqrt(1 + x^2))) = 1/sqrt(1 + x^2) with x: real"),
        ("d^2/dx^2 exp(a*x) = a^2*exp(a*x)", "d^2/dx^2 (exp(a*x)) = a^2*exp(a*x) with a: real, x: real"),
        ("d/dy d/dx (x*y^2) = 2*y", "d/dy (d/dx (x*y^2)) = 2*y with x: real, y: real"),
        ("d/dx (x^n) = n*x^(n-1) with x: positive, n: real", "d/dx (x^n) = n*x^(n - 1) with x: positive, n: real"),
        ("(sin(x)^2 + cos(x)^2) = 1", "sin(x)^2 + cos(x)^2 = 1 with x: real"),
        ("log(x^2) = 2*log(x)", "log(x^2) = 2*log(x) with x: real"),
        ("d/dx tanh(x) = 1 - tanh(x)^2", "d/dx (tanh(x)) = 1 - tanh(x)^2 with x: real"),
        ("x*y = y*x with x: complex, y: complex", "x*y = y*x with x: complex, y: complex"),
        ("max(x, y) = x with x > y", "max(x, y) = x with x: real, y: real, x > y"),
        ("abs(x) = x with x: nonnegative, everywhere", "abs(x) = x with x: nonnegative, everywhere"),
        ("x = x with x, y: positive integer", "x = x with x: positive integer, y: positive integer"),
        ("x = x with x: interval(-1/2, pi)", "x = x with x: interval(-1/2, pi)"),
        ("x = x with x: interval(-oo, 3)", "x = x with x: interval(-oo, 3)"),
        ("x = x with x: interval(0, oo)", "x = x with x: positive"),
        ("x = x with 0 < x < 1", "x = x with x: real, 0 < x and x < 1"),
        ("x = x with x > 0 or x < -1", "x = x with x: real, x > 0 or x < -1"),
        ("I*E = E*I with E: positive", "I*E = E*I with E: positive"),
    ],
)  # fmt: skip
def test_a_claim_is_read_as(text, read_as):
    claim = read_claim(text)
    assert write_claim(claim) == read_as
    assert claim.text == text


def test_the_sides_may_be_declared_from_outside():
    claim = read_claim("d/dx abs(x) = 1", {"x": "positive"})
    assert claim.domain.variables["x"] == Variable("x", low=ZERO)
    claim = read_claim("x*n = n*x", {"x": "interval(0.3, 1.9)", "n": "integer", "where": ["n > 0", "x < n"]})
    assert claim.domain.variables["x"] == Variable("x", low=read_expression("3/10"), high=read_expression("19/10"))
    assert claim.domain.variables["n"] == Variable("n", "integer")
    assert claim.domain.conditions == (compare(symbol("n"), ">", ZERO), compare(x, "<", symbol("n")))
    assert read_claim("x = x", {"where": "everywhere"}).domain.everywhere


@pytest.mark.parametrize(
    ("kind", "variable"),
    [
        ("real", Variable("x")),
        ("positive", Variable("x", low=ZERO)),
        ("nonnegative", Variable("x", low=ZERO, closed_low=True)),
        ("negative", Variable("x", high=ZERO)),
        ("nonpositive", Variable("x", high=ZERO, closed_high=True)),
        ("integer", Variable("x", "integer")),
        ("positive integer", Variable("x", "integer", low=ZERO)),
        ("integer nonnegative", Variable("x", "integer", low=ZERO, closed_low=True)),
        ("complex", Variable("x", "complex")),
        ("interval(1, 2)", Variable("x", low=num(1), high=num(2))),
    ],
)
def test_each_kind_declares_its_set(kind, variable):
    assert read_claim("x = x", {"x": kind}).domain.variables["x"] == variable
    assert read_claim(f"x = x with x: {kind}").domain.variables["x"] == variable


def test_ends_that_are_names_become_conditions():
    domain = read_claim("x = x with x: interval(a, 2*a), a: positive").domain
    assert domain.variables["x"] == Variable("x")
    assert domain.conditions == (compare(a, "<", x), compare(x, "<", read_expression("2*a")))


def test_a_chain_is_one_condition():
    domain = read_claim("x = x with 0 < x < y").domain
    assert domain.conditions == (both(compare(ZERO, "<", x), compare(x, "<", y)),)


def test_every_name_of_the_claim_is_in_its_domain():
    claim = read_claim("d/dt (x*y) = x with y > a, t: real")
    assert list(claim.domain.variables) == ["x", "y", "a", "t"]


def test_a_declared_name_wins_over_a_constant_and_a_function():
    claim = read_claim("d/dx (E*gamma*x) = E*gamma with E: real, gamma: positive")
    assert claim.lhs.args[0].args == (symbol("E"), symbol("gamma"), x)
    assert not read_claim("I*x = x*I with I: real").is_complex
    assert read_claim("I*x = x*I").is_complex


def test_a_name_that_is_used_elsewhere_is_a_factor():
    assert write(read_claim("c(x + 1) = c*x + c").lhs) == "c*(x + 1)"


@pytest.mark.parametrize(
    ("lines", "let"),
    [
        (["x: positive"], {"x": "positive"}),
        (["x: positive, y: interval(0, 1)"], {"x": "positive", "y": "interval(0, 1)"}),
        (["x, y: real"], {"x": "real", "y": "real"}),
        (["x < y"], {"where": ["x < y"]}),
        (["x: real, 0 < x < 1", "n: integer", "everywhere"], {
            "x": "real", "n": "integer", "where": ["0 < x < 1", "everywhere"]}),
    ],
)  # fmt: skip
def test_lines_of_declarations_become_a_mapping(lines, let):
    assert read_let(*lines) == let
    assert read_claim("x = x", let).domain == read_claim(f"x = x with {', '.join(lines)}").domain


@pytest.mark.parametrize("line", ["x", "x: vector(3, 2)", "x: small", "x: positive y: real", "x: real, x: positive"])
def test_a_line_that_declares_nothing_is_refused(line):
    with pytest.raises(ReadError):
        read_let(line)


def _records(path: Path) -> list[dict]:
    return [json.loads(line) for line in path.read_text().splitlines()]


SCALAR = pytest.mark.parametrize("path", [p for p in CORPORA if p.stem != "matrix"], ids=lambda p: p.stem)


@SCALAR
def test_every_published_scalar_formula_reads(path):
    for record in _records(path):
        claim = read_claim(record["claim"], record["let"])
        assert set(claim.domain.variables) == set(record["let"]) - {"where"}, record["id"]
        assert not claim.notes, record["id"]


@SCALAR
def test_every_tenth_published_formula_reads_back(path):
    _assert_read_back(_records(path)[::10])


@pytest.mark.thorough
@SCALAR
def test_every_published_formula_reads_back(path):
    _assert_read_back(_records(path))


def _assert_read_back(records: list[dict]) -> None:
    for record in records:
        claim = read_claim(record["claim"], record["let"])
        again = read_claim(write_claim(claim))
        assert (again.lhs, again.rhs, again.domain) == (claim.lhs, claim.rhs, claim.domain), record["id"]


@pytest.mark.parametrize("record", _records(CORPORA[[p.stem for p in CORPORA].index("matrix")]), ids=lambda r: r["id"])
def test_published_matrix_formulas_read_back(record):
    _assert_read_back([record])
