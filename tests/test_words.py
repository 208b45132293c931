"""Identities in non-commuting symbols are proved at every size; their wrong neighbours never are."""

from __future__ import annotations

import time
from collections.abc import Callable
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from verify.decide.words import (
    Sum,
    derive,
    identity,
    matrix,
    power,
    prove,
    scalar,
    substitute,
    trace,
    vector,
    zero,
)
from verify.verdict import Rigor

A, B, X, dX, dA = (matrix(name, "n", "n") for name in ("A", "B", "X", "dX", "dA"))
R, C = matrix("R", "m", "n"), matrix("C", "n", "m")
S = matrix("S", "n", "n", symmetric=True)
x, y, z, dx = (vector(name, "n") for name in ("x", "y", "z", "dx"))
a, b = scalar("a"), scalar("b")
I = identity("n")


def inv(of: Sum) -> Sum:
    return of.inverse


TRUE = {
    "the transpose of a product": ((A @ B @ x).T, x.T @ B.T @ A.T),
    "the inverse of a product": (inv(A @ B), inv(B) @ inv(A)),
    "an inverse cancels on either side": (inv(A) @ A @ B @ inv(B), I),
    "transposition and inversion commute": (inv(A).T @ A.T, I),
    "a symmetric symbol is its transpose": ((S @ A).T, A.T @ S),
    "a scalar is its transpose": (x.T @ A @ y, y.T @ A.T @ x),
    "a scalar commutes": (x @ (y.T @ z), (z.T @ y) * x),
    "inner scalars come out": (x @ y.T @ A @ z @ x.T, (z.T @ A.T @ y) * (x @ x.T)),
    "scalar symbols cancel anywhere": (a * A * b * inv(a), A * b),
    "a trace is cyclic": (trace(A @ B @ X), trace(X @ A @ B)),
    "a trace is that of the transpose": (trace(A @ B), trace(B.T @ A.T)),
    "the trace of a dyad is a product": (trace(x @ y.T), y.T @ x),
    "the trace of a conjugate": (trace(A @ B @ inv(A)), trace(B)),
    "the trace of a rectangular product": (trace(R @ C), trace(C @ R)),
    "the trace of the identity is the size": (trace(I), scalar("n")),
    "differentiating an inverse": (derive(inv(X), {X: dX}), -(inv(X) @ dX @ inv(X))),
    "differentiating a quadratic form": (derive(x.T @ A @ x, {x: dx}), dx.T @ (A + A.T) @ x),
    "differentiating a trace": (derive(trace(X @ X @ X), {X: dX}), 3 * trace(X @ X @ dX)),
    "differentiating a transpose": (derive(X.T @ X, {X: dX}), dX.T @ X + X.T @ dX),
    "differentiating scalar factors": (
        derive(a * (x.T @ y) * X, {x: dx, X: dX}),
        a * (dx.T @ y) * X + a * (x.T @ y) * dX,
    ),
    "differentiating a cube": (derive(power(A, 3), {A: dA}), dA @ A @ A + A @ dA @ A + A @ A @ dA),
    "push through, cleared": (A @ (I + B @ A), (I + A @ B) @ A),
    "a determinant's logarithm along X": (derive(trace(inv(X) @ A), {X: dX}), -trace(inv(X) @ A @ inv(X) @ dX)),
    "substituting": (substitute(x.T @ A @ y, {A: B.T @ B, y: X @ x}), x.T @ B.T @ B @ X @ x),
}
FALSE = {
    "order of factors": (A @ B, B @ A),
    "a commuted derivative": (derive(power(A, 2), {A: dA}), 2 * (A @ dA)),
    "a lost transposition": ((A @ B).T, A.T @ B.T),
    "a quadratic form's missing transpose": (derive(x.T @ A @ x, {x: dx}), 2 * (dx.T @ A @ x)),
    "a transposed matrix": (x.T @ A @ y, x.T @ A.T @ y),
    "a sign": (derive(inv(X), {X: dX}), inv(X) @ dX @ inv(X)),
    "a dropped term": (derive(X.T @ X, {X: dX}), X.T @ dX),
    "an inverse of a sum": ((A + B) @ (inv(A) + inv(B)), 2 * I),
    "a trace reversed without transposing": (trace(A @ B @ X), trace(A @ X @ B)),
    "cyclicity outside a trace": (A @ B @ X, B @ X @ A),
    "a factor": (derive(trace(X @ X @ X), {X: dX}), 2 * trace(X @ X @ dX)),
    "an inverse that meets a transpose": (inv(A) @ A.T, I),
    "a dyad is not symmetric": (x @ y.T, y @ x.T),
    "one part in 10^9": (A @ x, (1 + Fraction(1, 10**9)) * (A @ x)),
    "a size": (trace(I), identity(1)),
    "a power": (power(A, 3), power(A, 2)),
}


@pytest.mark.parametrize(("lhs", "rhs"), TRUE.values(), ids=TRUE)
def test_a_true_identity_is_proved_exactly(lhs: Sum, rhs: Sum) -> None:
    evidence = prove(lhs, rhs)
    assert evidence.holds is True
    assert evidence.rigor is Rigor.EXACT


@pytest.mark.parametrize(("lhs", "rhs"), FALSE.values(), ids=FALSE)
def test_a_false_identity_is_neither_proved_nor_refuted(lhs: Sum, rhs: Sum) -> None:
    evidence = prove(lhs, rhs)
    assert evidence.holds is None
    assert "decides nothing" in evidence.detail["reason"]


def wrong_neighbours(total: Sum) -> list[Sum]:
    """The sum with each single term negated, doubled or dropped, and its square letters transposed one by one."""
    terms = [Sum(*total.shape, {m: c}) for m, c in total.terms.items()]
    return [total + k * term for term in terms for k in (-2, 1, -1)]


@pytest.mark.parametrize(("lhs", "rhs"), TRUE.values(), ids=TRUE)
def test_no_term_can_be_negated_doubled_or_dropped(lhs: Sum, rhs: Sum) -> None:
    assert all(prove(lhs, wrong).holds is None for wrong in wrong_neighbours(rhs))


# --- against numbers ----------------------------------------------------------------------------


LETTERS = (A, B, X, S)


def words(depth: int = 3) -> st.SearchStrategy[Sum]:
    """Sums of words in square symbols, their transposes and inverses."""
    letter = st.sampled_from([w for s in LETTERS for w in (s, s.T, inv(s))])
    return st.recursive(
        letter,
        lambda inner: st.one_of(
            st.tuples(inner, inner).map(lambda p: p[0] @ p[1]),
            st.tuples(inner, inner).map(lambda p: p[0] + p[1]),
            inner.map(lambda w: w.T),
            st.tuples(st.integers(-3, 3), inner).map(lambda p: p[0] * p[1]),
        ),
        max_leaves=depth * 2,
    )


def value(total: Sum, numbers: dict[str, np.ndarray]) -> np.ndarray:
    """The sum with matrices in the place of symbols, from its terms as they are stored."""
    result = np.zeros_like(numbers["A"])
    for m, c in total.terms.items():
        product = np.eye(len(result))
        for letter in m.word:
            factor = numbers[letter.name]
            factor = np.linalg.inv(factor) if letter.inverse else factor
            product = product @ (factor.T if letter.transposed else factor)
        for traced in m.traces:
            inner = np.eye(len(result))
            for letter in traced:
                factor = numbers[letter.name]
                factor = np.linalg.inv(factor) if letter.inverse else factor
                inner = inner @ (factor.T if letter.transposed else factor)
            product = product * np.trace(inner)
        result = result + float(c) * product
    return result


def numbers(seed: int, n: int = 3) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(seed)
    drawn = {name: 2 * np.eye(n) + rng.normal(size=(n, n)) / 3 for name in ("A", "B", "X", "S")}
    return drawn | {"S": drawn["S"] + drawn["S"].T}


@given(words(), words(), st.integers(0, 100))
def test_arithmetic_of_words_is_arithmetic_of_matrices(one: Sum, other: Sum, seed: int) -> None:
    at = numbers(seed)
    u, v = value(one, at), value(other, at)
    scale = 1 + np.abs(u).max() * np.abs(v).max()
    assert np.allclose(value(one @ other, at), u @ v, rtol=0, atol=1e-9 * scale)
    assert np.allclose(value((one @ other).T, at), (u @ v).T, rtol=0, atol=1e-9 * scale)
    assert np.allclose(value(one - other, at), u - v, rtol=0, atol=1e-9 * scale)


@given(words(), words(), st.integers(0, 100))
def test_what_is_proved_is_equal_in_numbers(one: Sum, other: Sum, seed: int) -> None:
    at = numbers(seed)
    if prove(one, other).holds:
        assert np.allclose(value(one, at), value(other, at))
    assert prove(one + other, other + one).holds


@given(words(), st.integers(0, 100))
def test_the_derivation_is_the_directional_derivative(total: Sum, seed: int) -> None:
    at = numbers(seed)
    direction = np.random.default_rng(seed + 1).normal(size=(3, 3))
    h = 1e-20
    stepped = {name: m.astype(complex) for name, m in at.items()}
    stepped["X"] = at["X"] + 1j * h * direction
    exact = value(derive(total, {X: dX}), at | {"dX": direction})
    scale = 1 + np.abs(exact).max()
    assert np.allclose(value(total, stepped).imag / h, exact, rtol=0, atol=1e-9 * scale)


# --- refusals, writing, speed -------------------------------------------------------------------


@pytest.mark.parametrize(
    "wrong",
    [
        lambda: A + x,
        lambda: x @ A,
        lambda: A * B,
        lambda: R.inverse,
        lambda: (A + B).inverse,
        lambda: zero("n", "n").inverse,
        lambda: trace(R),
        lambda: matrix("S", "n", "m", symmetric=True),
        lambda: derive(A, {A: x}),
        lambda: derive(A, {A @ B: A}),
        lambda: prove(A, x),
        lambda: prove(A, 1),
    ],
)
def test_shapes_that_do_not_fit_are_refused(wrong: Callable[[], object]) -> None:
    with pytest.raises(ValueError, match=r"\S"):
        wrong()


def test_zero_stands_for_the_zero_matrix() -> None:
    assert prove(A - A, 0).holds
    assert prove(0, zero("n", "m")).holds
    assert prove(A, 0).holds is None


def test_a_sum_is_written_in_the_grammar_of_claims() -> None:
    assert str(2 * (A.T @ x) - inv(A) @ y) == "-inv(A)*y + 2*A'*x"
    assert str(-(x @ y.T) + 3 * identity("n")) == "3*I - x*y'"
    assert str(trace(A @ B) * Fraction(1, 2)) == "1/2*tr(A*B)"
    assert str(zero("n", "n")) == "0"
    assert str(power(A, 3) @ x) == "A^3*x"
    assert (Fraction(1, 2) * power(A.inverse, 2)).latex() == r"\tfrac{1}{2}\,A^{-2}"
    assert (A.T @ A.T).latex() == r"(A^{\top})^{2}"
    assert matrix("Phi", "n", "n", latex=r"\Phi").inverse.T.latex() == r"\Phi^{-\top}"


def test_a_derivative_is_written_as_one_until_it_is_used() -> None:
    rate = derive(A @ x, {x: dx})
    assert str(rate) == "d/dt (A*x)"
    assert rate.latex() == r"\frac{d}{dt}\, \left(A\,x\right)"
    assert str(2 * rate) == "2*A*dx"
    there = substitute(A @ x + y, {x: dx, y: 0 * y})
    assert str(there) == "(A*x + y at x = dx, y = 0)"
    assert str(-there) == "-A*dx"


def test_a_proof_takes_milliseconds() -> None:
    start = time.perf_counter()
    for _ in range(10):
        assert prove(power(A + B, 3) @ power(A + B, 3), power(A + B, 6)).holds
    assert (time.perf_counter() - start) / 10 < 0.1
