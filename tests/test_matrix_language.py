"""The grammar of vectors, matrices and abstract functions: how it is read, and that it reads back."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from verify.claim import Variable
from verify.graph import (
    HALF,
    MINUS_ONE,
    abstract,
    add,
    by_vector,
    call,
    derivative,
    entry,
    free_symbols,
    hadamard,
    hadamard_power,
    mul,
    neg,
    num,
    power,
    symbol,
    total,
    transpose,
)
from verify.language import ReadError, read_claim, read_expression, read_let, write, write_claim

x, y, A, B, n, t = map(symbol, "xyABnt")
VARIABLES = {
    "x": Variable("x", shape=("n",)),
    "y": Variable("y", shape=("n",)),
    "A": Variable("A", shape=("n", "n")),
    "B": Variable("B", shape=("n", "n"), structure="symmetric"),
    "n": Variable("n", "size"),
    "t": Variable("t"),
    "f": Variable("f", of=("t",)),
    "g": Variable("g", of=("x", "t")),
    "X": Variable("X", shape=("n", "n"), of=("t",)),
}


def read(text):
    return read_expression(text, VARIABLES)


@pytest.mark.parametrize(
    ("text", "node"),
    [
        ("x'*A*y", mul(transpose(x), A, y)),
        ("x.T*A.T*y", mul(transpose(x), transpose(A), y)),
        ("A''", A),
        ("A'B", mul(transpose(A), B)),
        ("A B", mul(A, B)),
        ("A'^2", power(transpose(A), num(2))),
        ("(A*B)'", transpose(mul(A, B))),
        ("A^-1", call("inv", A)),
        ("A^-1'", transpose(call("inv", A))),
        ("A^-2", power(A, num(-2))),
        ("A^0", call("eye", n)),
        ("A*B.*A", hadamard(mul(A, B), A)),
        ("A.*B*A", mul(hadamard(A, B), A)),
        ("A.*B.*A", hadamard(A, B, A)),
        ("t.*A", mul(t, A)),
        ("-A.*B", neg(hadamard(A, B))),
        ("x./y", hadamard(x, hadamard_power(y, MINUS_ONE))),
        ("1./x", hadamard_power(x, MINUS_ONE)),
        ("2.*t", mul(num(2), t)),
        ("t.^2", power(t, num(2))),
        ("x.^2'", transpose(hadamard_power(x, num(2)))),
        ("sqrt(x)", hadamard_power(x, HALF)),
        ("sqrt(t)", power(t, HALF)),
        ("sigmoid(x)", hadamard_power(add(call("ones", n), call("exp", neg(x))), MINUS_ONE)),
        ("x[2]", entry(x, num(2))),
        ("A[1, 2]", entry(A, num(1), num(2))),
        ("(A*x)[n]", entry(mul(A, x), n)),
        ("sum(x)", call("sum", x)),
        ("sum(x[i]^2, i, 1, n)", total(power(entry(x, symbol("i")), num(2)), "i", num(1), n)),
        ("grad_x (x'*y)", by_vector("gradient", mul(transpose(x), y), "x")),
        ("grad_x x'*y + x", add(by_vector("gradient", mul(transpose(x), y), "x"), x)),
        ("grad_t (t^2)", derivative(power(t, num(2)), "t")),
        ("f", abstract("f", [t])),
        ("f(t^2)", abstract("f", [power(t, num(2))])),
        ("f'(t)", abstract("f", [t], [1])),
        ("f''", abstract("f", [t], [2])),
        ("g(A*x, 2)", abstract("g", [mul(A, x), num(2)])),
        ("X'", transpose(abstract("X", [t]))),
        ("X(2*t)*x", mul(abstract("X", [mul(num(2), t)]), x)),
        ("d/dt X*x", derivative(mul(abstract("X", [t]), x), "t")),
        ("d/dt(X)*x", mul(derivative(abstract("X", [t]), "t"), x)),
        ("Aᵀ⊙B", hadamard(transpose(A), B)),
    ],
)
def test_the_grammar_reads(text, node):
    assert read(text) is node


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("t'", "neither a transposition nor a derivative"),
        ("g'(x, t)", "by which of x, t"),
        ("sin'(t)", "write d/dx sin(x)"),
        ("det(C)", "C is not declared"),
        ("sum(x[i], i, 1)", "two ends"),
        ("sum(x[i], I, 1, n)", "cannot be an index"),
        ("A'[1", "expected ']'"),
        ("x[]", "a value is missing"),
        ("[x]", "use round brackets"),
        ("int(t, t, x, 1)", "the limits of an integral are numbers"),
        ("A'2", "a number follows"),
        ("jac_x (A*x)'", "row (1, n)"),
        ("tr(A, B)", "tr takes 1 argument, 2 given"),
        ("(t > 0)'", "a condition stands where a number is needed"),
    ],
)
def test_what_has_no_meaning_is_refused(text, words):
    with pytest.raises(ReadError) as refusal:
        read(text)
    assert words in str(refusal.value)


@pytest.mark.parametrize(
    ("declared", "variable"),
    [
        ("a: vector(k)", Variable("a", shape=("k",))),
        ("a: vector(3)", Variable("a", shape=(3,))),
        ("a: matrix(k, 2)", Variable("a", shape=("k", 2))),
        ("a: matrix(k, 1)", Variable("a", shape=("k",))),
        ("a: matrix(1, k)", Variable("a", shape=(1, "k"))),
        ("a: symmetric(k)", Variable("a", shape=("k", "k"), structure="symmetric")),
        ("a: spd(2)", Variable("a", shape=(2, 2), structure="spd")),
        ("a: antisymmetric(k)", Variable("a", shape=("k", "k"), structure="antisymmetric")),
        ("a: orthogonal(k)", Variable("a", shape=("k", "k"), structure="orthogonal")),
        ("a: diagonal(k)", Variable("a", shape=("k", "k"), structure="diagonal")),
        ("a: function of t", Variable("a", of=("t",))),
        ("a: real of t", Variable("a", of=("t",))),
        ("a: function of t, u", Variable("a", of=("t", "u"))),
        ("a: vector(k) of t", Variable("a", shape=("k",), of=("t",))),
        ("a: symmetric(k) of t", Variable("a", shape=("k", "k"), structure="symmetric", of=("t",))),
    ],
)
def test_kinds_are_declared_and_written_again(declared, variable):
    claim = read_claim(f"a - a = 0 with {declared}")
    assert claim.domain.variables["a"] == variable
    again = read_claim(write_claim(claim))
    assert (again.lhs, again.rhs, again.domain) == (claim.lhs, claim.rhs, claim.domain)


@pytest.mark.parametrize(
    ("declared", "words"),
    [
        ("a: vector", "expected '('"),
        ("a: vector()", "a size is a name"),
        ("a: vector(0)", "a size is a name or a whole number from 1"),
        ("a: vector(2, 3)", "vector takes 1 size, 2 given"),
        ("a: matrix(2)", "matrix takes 2 sizes, 1 given"),
        ("a: matrix(k+1, k)", "a size is a name"),
        ("a: vector(a)", "cannot be its own size"),
        ("a: spd(1)", "spd(1) is a number"),
        ("a: function", "of what is a a function"),
        ("a: function of", "is missing"),
        ("a: function of a", "is missing"),
        ("a: complex of t", "no kind"),
        ("a: vector(k), k: vector(2)", "k is a size"),
        ("a: vector(k), k: interval(2, 3)", "k is a size"),
        ("a: vectr(k)", "did you mean vector?"),
    ],
)
def test_declarations_that_mean_nothing_are_refused(declared, words):
    with pytest.raises(ReadError) as refusal:
        read_claim(f"a - a = 0 with {declared}")
    assert words in str(refusal.value)


def test_a_size_is_a_number_and_may_be_declared_as_one():
    claim = read_claim("tr(eye(n))/n = sum(1, i, 1, m)/m with n: positive integer")
    assert {name: v.field for name, v in claim.domain.variables.items()} == {"n": "size", "m": "size"}
    with pytest.raises(ReadError, match="derivative with respect to n, a size"):
        read_claim("d/dn n = 1 with x: vector(n)")


def test_a_list_of_arguments_ends_where_a_name_is_declared():
    claim = read_claim("f = f with f: function of x, y, z: positive, g: real of z, x < y")
    assert claim.domain.variables["f"].of == ("x", "y")
    assert claim.domain.variables["z"].low is not None
    assert "f is read as a function of x, y" in claim.notes
    assert len(claim.domain.conditions) == 1


def test_options_declare_functions_and_matrices():
    assert read_let("f: function of x, y", "A: matrix(m,n) of t", "x < y") == {
        "f": "function of x, y",
        "A": "matrix(m,n) of t",
        "where": ["x < y"],
    }


def test_conditions_wait_for_the_shapes():
    claim = read_claim("sum(x) = sum(x) with x > 0, x'*x < 1, x: vector(n)")
    assert [write(c) for c in claim.domain.conditions] == ["x > 0", "x'*x < 1"]
    with pytest.raises(ReadError, match="vector"):
        read_claim("sum(x) = sum(x) with x < y, x: vector(n), y: vector(m)")


def test_an_index_is_bound_by_its_sum():
    claim = read_claim("sum(x[i], i, 1, n) = i + sum(sum(A[i,j], j, 1, n), i, 1, n) with x: vector(n), A: matrix(n,n)")
    assert free_symbols(claim.lhs) == {"x", "n"}
    assert free_symbols(claim.rhs) == {"i", "A", "n"}
    assert "i" in claim.domain.variables


def test_declared_names_win():
    claim = read_claim("det*inv(1) = det*inv with det: positive, inv: real")
    assert claim.lhs is mul(symbol("det"), symbol("inv"), num(1)) or free_symbols(claim.lhs) == {"det", "inv"}
    assert read_claim("E' = E' with E: matrix(n,n)").lhs is transpose(symbol("E"))


def test_a_function_of_a_function_follows_it_to_the_quantity():
    claim = read_claim("f = f(y(x)) with f: function of y, y: function of x")
    assert claim.lhs is claim.rhs
    with pytest.raises(ReadError, match="depends on itself"):
        read_claim("f = g with f: function of g, g: function of f")


def test_a_derivative_by_an_index_is_refused():
    with pytest.raises(ReadError, match="the index of a sum"):
        read_claim("sum(d/di (i*x), i, 1, 3) = 3*x")


def test_a_derivative_by_what_depends_is_refused():
    with pytest.raises(ReadError, match="which depends on t"):
        read_claim("grad_X tr(X) = eye(n) with X: matrix(n,n) of t")


@pytest.mark.parametrize(
    "text",
    [
        "grad_x (x'*A*x) = (A + A')*x with x: vector(n), A: matrix(n,n)",
        "d/dp (c'*expm(T*A)*b) = d/dp(c'*b) with A: matrix(n,n) of p, b: vector(n) of p, c: vector(n), T: positive",
        "sum(sum(A[i,j]*x[j], j, 1, n)*y[i], i, 1, m) = y'*A*x with A: matrix(m,n), x: vector(n), y: vector(m)",
        "diff(f(x, y), x)*2 = f with f: function of x, y",
        "d/dx f(g(x)) = f'(g(x))*g'(x) with f: function of x, g: function of x",
        "(x.*y)./(x.^y) = x.^(1/2) - x.*((y*y')*x) with x: vector(n), y: vector(n)",
        "hess_x f(A*x) = A'*(hess_x f(x))*A with f: function of x, A: matrix(n,n), x: vector(n), n > 1",
        "norm(x, 1)^2*kron(A, A)[1, 2] = max(x, 0)'*x with x: vector(2), A: matrix(2,2)",
        "grad_X logdet(X) = inv(X) with X: spd(n), structured, everywhere",
        "(X')^2*(A.*X)' = (X*X)'*X with X: matrix(n,n) of t, A: matrix(n,n)",
    ],
)
def test_claims_read_back(text):
    claim = read_claim(text)
    again = read_claim(write_claim(claim))
    assert (again.lhs, again.rhs, again.domain) == (claim.lhs, claim.rhs, claim.domain)


SQUARE = st.recursive(
    st.sampled_from(["A", "B", "X", "eye(n)", "x*y'", "diag(x)"]),
    lambda m: st.one_of(
        st.builds("({})*({})".format, m, m),
        st.builds("({}) + ({})".format, m, m),
        st.builds("({}) - ({})".format, m, m),
        st.builds("({}).*({})".format, m, m),
        st.builds("({})'".format, m),
        st.builds("-({})".format, m),
        st.builds("({})^{}".format, m, st.integers(-3, 3)),
        st.builds("({}).^{}".format, m, st.integers(-3, 3)),
        st.builds("inv({})".format, m),
        st.builds("tr({})*({})".format, m, m),
        st.builds("({})/det({})".format, m, m),
        st.builds("f(t)/2*({})".format, m),
        st.builds("d/dt ({})".format, m),
        st.builds("jac_x (({})*x)".format, m),
    ),
    max_leaves=8,
)


@given(SQUARE)
def test_any_expression_reads_back(text):
    node = read(text)
    assert read_expression(write(node), VARIABLES) is node
    assert read_expression(write(node, VARIABLES), VARIABLES) is node


@pytest.mark.parametrize(
    "record",
    [json.loads(line) for line in (Path(__file__).parent / "data/corpora/matrix.jsonl").read_text().splitlines()],
    ids=lambda record: record["id"],
)
def test_published_formulas_read_back(record):
    claim = read_claim(record["claim"], record["let"])
    again = read_claim(write_claim(claim))
    assert (again.lhs, again.rhs, again.domain) == (claim.lhs, claim.rhs, claim.domain)


@pytest.mark.parametrize("text", ["d/dx sin(x) = cos(x)", "x^2 = x*x with x: positive, n: integer", "d/dx x = 1"])
def test_claims_about_numbers_have_no_shapes(text):
    assert not read_claim(text).is_shaped
