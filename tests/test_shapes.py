"""Shapes: what fits together, what does not, and that the message names both shapes and the place."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from verify.claim import Variable
from verify.language import ReadError, read_claim, read_expression, write
from verify.shapes import Shapes, described, flipped, of_sides, transposed_sides, turned

VARIABLES = {
    "x": Variable("x", shape=("n",)),
    "y": Variable("y", shape=("n",)),
    "z": Variable("z", shape=("m",)),
    "A": Variable("A", shape=("n", "n")),
    "B": Variable("B", shape=("m", "n")),
    "R": Variable("R", shape=(1, "n")),
    "n": Variable("n", "size"),
    "m": Variable("m", "size"),
    "s": Variable("s"),
    "t": Variable("t"),
    "f": Variable("f", of=("x",)),
    "u": Variable("u", of=("t",)),
    "v": Variable("v", shape=("m",), of=("t",)),
}


def shape_of(text):
    return Shapes(VARIABLES).of(read_expression(text, VARIABLES))


@pytest.mark.parametrize(
    ("text", "shape"),
    [
        ("s", ()),
        ("x", ("n",)),
        ("x'", (1, "n")),
        ("x''", ("n",)),
        ("x'*y", ()),
        ("x*y'", ("n", "n")),
        ("x'*A*y", ()),
        ("x'*y*z", ("m",)),
        ("B*x", ("m",)),
        ("z'*B", (1, "n")),
        ("B'*B", ("n", "n")),
        ("B*A*x*s/2", ("m",)),
        ("R*x", ()),
        ("R + x'", (1, "n")),
        ("A^3", ("n", "n")),
        ("A^-1*x", ("n",)),
        ("A.^s", ("n", "n")),
        ("x.*y", ("n",)),
        ("x./y", ("n",)),
        ("x.^2", ("n",)),
        ("2.^x", ("n",)),
        ("exp(x)", ("n",)),
        ("tanh(B*x + z)", ("m",)),
        ("sqrt(x)", ("n",)),
        ("sigmoid(x')", (1, "n")),
        ("max(x, 0)", ("n",)),
        ("inv(A)", ("n", "n")),
        ("det(A)*logdet(A)*tr(A)", ()),
        ("diag(x)", ("n", "n")),
        ("diag(A)", ("n",)),
        ("norm(B)*norm(x, 1)", ()),
        ("dot(x, y)", ()),
        ("outer(z, x)", ("m", "n")),
        ("kron(A, B)", ("m*n", "n*n")),
        ("kron(B, A)", ("m*n", "n*n")),
        ("softmax(x)", ("n",)),
        ("logsumexp(x)", ()),
        ("eye(n)*x", ("n",)),
        ("ones(m)*x'", ("m", "n")),
        ("ones(m, n)", ("m", "n")),
        ("sum(B)", ()),
        ("x[1]*A[1,2]*R[2]", ()),
        ("sum(x[i]*A[i,1], i, 1, n)", ()),
        ("sum(i*x, i, 1, m)", ("n",)),
        ("grad_x (x'*y)", ("n",)),
        ("grad_A det(A)", ("n", "n")),
        ("jac_x (B*x)", ("m", "n")),
        ("jac_x (x'*y)", (1, "n")),
        ("hess_x (x'*A*x)", ("n", "n")),
        ("div_x (A*x)", ()),
        ("grad_x f(A*x)", ("n",)),
        ("d/dt v", ("m",)),
        ("v(s)'", (1, "m")),
        ("u'(s)*x", ("n",)),
        ("jac_t v", ("m",)),
        ("n*x", ("n",)),
        ("piecewise((x, s > 0), (y, otherwise))", ("n",)),
        ("x + 0", ("n",)),
    ],
)
def test_every_operation_has_its_shape(text, shape):
    assert shape_of(text) == shape


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("x*y", ["x*y", "vector (n)", "x'*y for the scalar product"]),
        ("x + z", ["x + z", "vector (n)", "vector (m)"]),
        ("x + x'", ["vector (n)", "row (1, n)"]),
        ("x + 1", ["scalar", "s*ones(n) to add s to every entry"]),
        ("A + 1", ["s*ones(n, n)", "s*eye(n)"]),
        ("A*z", ["A is a matrix (n, n)", "z a vector (m)"]),
        ("s*A*(B*x)", ["matrix (n, n)", "vector (m)"]),
        ("x^2", ["power of a vector (n)", "norm(x)^2"]),
        ("B^2", ["power of a matrix (m, n)"]),
        ("A^(1/2)", ["whole powers"]),
        ("2^x", ["the exponent is a vector (n)"]),
        ("exp(A)", ["the function of the matrix", "each entry", "write expm"]),
        ("tanh(B)", ["tanh of a matrix (m, n)"]),
        ("s/x", ["division by a vector (n)", "./"]),
        ("B/A", ["division by a matrix (n, n)", "inv"]),
        ("inv(B)", ["inv needs a square matrix", "matrix (m, n)"]),
        ("tr(x)", ["tr needs a square matrix"]),
        ("dot(x, z)", ["vector (n)", "vector (m)"]),
        ("dot(A, A)", ["tr(A'*B)"]),
        ("norm(A, 1)", ["several meanings"]),
        ("norm(x, 3)", ["norms 1 and 2"]),
        ("softmax(A)", ["softmax needs a vector"]),
        ("x.*z", ["vector (n)", "vector (m)"]),
        ("x[1, 2]", ["1 indices, 2 given"]),
        ("A[1]", ["2 indices, 1 given"]),
        ("x[0]", ["there is no entry 0"]),
        ("s[1]", ["a scalar has 0 indices"]),
        ("d/dx (x'*y)", ["x is a vector (n)", "grad_x", "jac_x"]),
        ("grad_x (A*x)", ["a gradient is that of a scalar", "jac_x"]),
        ("jac_A (A*x)", ["A is a matrix (n, n)"]),
        ("jac_x (x')", ["row (1, n)", "transpose it"]),
        ("hess_x (A*x)", ["a Hessian is that of a scalar"]),
        ("div_x (B*x)", ["as many entries"]),
        ("f(z)", ["a vector (m) in place of x"]),
        ("f(x, y)", ["f takes 1 argument"]),
        ("v'(t)", ["the derivative or the transpose"]),
        ("A(2)", ["the product or an entry"]),
        ("eye(s + 1)", ["a size is a name"]),
        ("max(x, z)", ["vector (n)", "vector (m)"]),
        ("piecewise((x, s > 0), (z, otherwise))", ["vector (n)", "vector (m)"]),
    ],
)
def test_what_does_not_fit_is_refused_and_both_shapes_are_named(text, words):
    with pytest.raises(ReadError) as refusal:
        shape_of(text)
    for word in words:
        assert word in str(refusal.value)


def test_the_column_is_that_of_the_part_that_is_wrong():
    with pytest.raises(ReadError) as refusal:
        read_claim("x'*x + sum(A*z) = 1 with x: vector(n), A: matrix(n,n), z: vector(m)")
    assert refusal.value.column == 12


def test_sizes_that_are_numbers_are_compared_as_numbers():
    assert read_claim("A*x = y with A: matrix(2,3), x: vector(3), y: vector(2)")
    with pytest.raises(ReadError, match=r"matrix \(2, 3\).*vector \(2\)"):
        read_claim("A*x = y with A: matrix(2,3), x: vector(2), y: vector(2)")
    with pytest.raises(ReadError, match="there is no entry 4"):
        read_claim("x[4] = 1 with x: vector(3)")


def test_one_by_one_is_a_scalar_and_n_by_one_a_column():
    claim = read_claim("c + x'*x = b*1 with c: matrix(1,1), b: vector(1), x: matrix(n,1)")
    assert of_sides(claim) == ((), ())
    assert claim.domain.variables["x"].shape == ("n",)


def test_sides_must_have_one_shape_or_be_each_others_transpose():
    with pytest.raises(ReadError, match=r"left-hand side is a vector \(m\).*right-hand side a vector \(n\)"):
        read_claim("A*x = x with A: matrix(m,n), x: vector(n)")
    transposed = read_claim("jac_x (c'*x) = c with x: vector(n), c: vector(n)")
    assert transposed_sides(transposed)
    assert "row (1, n)" in transposed.notes[0]
    assert not transposed_sides(read_claim("grad_x (c'*x) = c with x: vector(n), c: vector(n)"))


def test_zero_is_the_zero_of_every_shape():
    assert of_sides(read_claim("A - A = 0 with A: matrix(m,n)")) == (("m", "n"), ("m", "n"))


@given(st.sampled_from(["x", "A", "B", "R", "A*x", "s*B'", "x*z'", "A + x*y'", "x.*y", "inv(A)*x", "B*A'*x/s", "2*x'"]))
def test_a_transpose_pushed_inside_has_the_flipped_shape_and_twice_is_nothing(text):
    shapes = Shapes(VARIABLES)
    node = read_expression(text, VARIABLES)
    assert shapes.of(turned(node, shapes)) == flipped(shapes.of(node))
    assert shapes.of(turned(turned(node, shapes), shapes)) == shapes.of(node)


@pytest.mark.parametrize(
    ("text", "transposed"),
    [("A*x", "x'*A'"), ("x'/norm(x)", "x/norm(x)"), ("A + A'", "A' + A"), ("2*x", "2*x'"), ("inv(A)", "inv(A)'")],
)
def test_a_transpose_is_written_with_few_signs(text, transposed):
    assert write(turned(read_expression(text, VARIABLES), Shapes(VARIABLES))) == transposed


def test_shapes_are_described_in_words():
    assert [described(s) for s in ((), ("n",), (1, "n"), ("m", 2))] == [
        "scalar", "vector (n)", "row (1, n)", "matrix (m, 2)",
    ]  # fmt: skip
