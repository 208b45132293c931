"""Does every rule for tails bound what it says?  Against longer series; a rule that forgets a part is caught."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from random import Random

import pytest
from flint import arb, arb_mat, arb_poly, arb_series, ctx

from verify.numerics.enclosure.integrals import products
from verify.numerics.enclosure.layers import Matrix
from verify.numerics.enclosure.linear import Linear
from verify.numerics.enclosure.series import UNIT, ZERO, Series, norm
from verify.numerics.enclosure.trial import (
    LONGER,
    RULES,
    Rule,
    cut,
    forgets_its_own,
    forgets_the_argument,
    many_digits,
    violations,
)


@pytest.fixture(autouse=True)
def precise() -> Iterator[None]:
    with many_digits():
        yield


@pytest.mark.parametrize("name", RULES)
def test_the_tail_is_never_larger_than_its_bound(name: str) -> None:
    assert violations(*RULES[name], 90, Random(1)) == 0


@pytest.mark.thorough
@pytest.mark.parametrize("name", RULES)
def test_the_tail_is_never_larger_than_its_bound_in_many_trials(name: str) -> None:
    assert violations(*RULES[name], 3000, Random(2)) == 0


@pytest.mark.parametrize("mutant", [forgets_the_argument, forgets_its_own])
@pytest.mark.parametrize("name", RULES)
def test_a_rule_that_forgets_a_part_is_caught(name: str, mutant: Callable[[Rule], Rule]) -> None:
    rule, truth = RULES[name]
    assert violations(mutant(rule), truth, 90, Random(1)) > 5


def test_the_norm_bounds_the_sum_of_all_coefficients() -> None:
    rng = Random(3)
    for length in (1, 2, 7, 30, 90):
        coefficients = [arb(rng.uniform(-1, 1), rng.choice([0, 1e-3])) for _ in range(length)]
        assert norm(arb_poly(coefficients)) >= sum((abs(c).mid() for c in coefficients), ZERO) - arb(2) ** -150


@pytest.mark.parametrize(
    ("rule", "p", "r"),
    [
        (lambda a: 1 / a, [0.5, 1], 0),
        (lambda a: 1 / a, [1.0], 1.5),
        (lambda a: 1 / a, [0, 1], 0),
        (Series.log, [-1.0], 0),
        (Series.log, [1.0], 1.5),
        (Series.sqrt, [-1.0, 0.1], 0),
        (Series.sqrt, [1.0], 2),
        (Series.atan, [0.0], 2),
    ],
)
def test_a_singularity_within_reach_gives_no_finite_series(rule: Callable[[Series], Series], p: list, r: float) -> None:
    try:
        found = rule(Series(arb_poly(p), arb(r), 6))
    except (ArithmeticError, ValueError):
        return
    assert not all(x.is_finite() for x in (*found.p.coeffs(), found.r))


def test_a_cap_below_the_length_is_an_error_and_no_shorter_series() -> None:
    a = Series(arb_poly([1, 1, 1, 1]), ZERO, 8)
    ctx.cap = 5
    for rule in (Series.exp, Series.log, Series.sin, Series.sqrt, Series.atan, Series.inverse):
        with pytest.raises(RuntimeError, match="coefficients"):
            rule(a)


# --- layers ---------------------------------------------------------------------------------------------


def layer_violations(mutant: Callable[[Matrix], Matrix], trials: int) -> int:
    """How often a product of matrices is off, with 6 rows and 5 inputs, some of them numbers or nothing."""
    rng, found = Random(8), 0
    for trial in range(trials):
        n, kind = rng.choice([4, 6, 10]), ("polynomial", "tail", "both")[trial % 3]
        W = [[arb(rng.uniform(-2, 2)) for _ in range(5)] for _ in range(6)]
        pairs = [cut(rng, n, rng.uniform(-1, 1), kind) for _ in range(3)]
        table = [[pair[0]] for pair in pairs] + [[arb(3)], [None]]
        whole = [pair[1] for pair in pairs] + [arb(3), arb(0)]
        results = mutant(Matrix.of(W)) @ table
        for weights, (bounded,) in zip(W, results, strict=True):
            truth = arb_series([0], LONGER * n)
            for w, x in zip(weights, whole, strict=True):
                truth = truth + x * w
            beyond = sum((abs(truth[k]) for k in range(n, LONGER * n)), ZERO)
            right = all(bounded.p[k].overlaps(truth[k]) for k in range(n))
            found += not (right and beyond <= bounded.r + arb(2) ** -150)
    return found


def test_a_layer_is_the_sum_of_its_inputs_and_bounds_their_tails() -> None:
    assert Matrix.of([[arb(1)] * 5] * 6).dense is not None
    assert layer_violations(lambda matrix: matrix, 60) == 0
    assert layer_violations(lambda matrix: Matrix(matrix.rows, None, None), 60) == 0


@pytest.mark.parametrize(
    "mutant",
    [lambda m: Matrix(m.rows, m.dense, m.size * 0), lambda m: Matrix(m.rows, m.dense, m.dense)],
    ids=["no tails", "tails without absolute values"],
)
def test_a_layer_that_forgets_the_tails_is_caught(mutant: Callable[[Matrix], Matrix]) -> None:
    assert layer_violations(mutant, 60) > 20


# --- integrals of products ------------------------------------------------------------------------------


def integral_violations(mutant: Callable[[Series], Series], trials: int, seed: int = 6) -> int:
    rng, found = Random(seed), 0
    for trial in range(trials):
        n, kind = rng.choice([4, 6, 10]), ("polynomial", "tail", "both")[trial % 3]
        pairs = [cut(rng, n, rng.uniform(-1, 1), kind) for _ in range(4)]
        (a, b), (x, y) = [mutant(s) for s, _ in pairs[:2]], [mutant(s) for s, _ in pairs[2:]]
        bounds = products([a, b], [x, y])
        for i, (_, one) in enumerate(pairs[:2]):
            for j, (_, other) in enumerate(pairs[2:]):
                whole = one * other
                truth = sum((whole[k] / (k + 1) for k in range(LONGER * n)), ZERO)
                found += not bounds[i][j].overlaps(truth)
    return found


def test_the_integral_of_a_product_is_inside() -> None:
    assert integral_violations(lambda s: s, 60) == 0


def test_an_integral_that_forgets_the_tails_is_caught() -> None:
    assert integral_violations(lambda s: Series(s.p, ZERO, s.n), 60) > 20


# --- linear equations with tails ------------------------------------------------------------------------


def linear(rng: Random, n: int, kind: str) -> tuple[Linear, list[arb_mat]]:
    """V' = A V of two rows with known tails, and all coefficients of A."""
    first, beyond = {"tail": (0.0, 0.4), "whole": (0.8, 0.0), "both": (0.8, 0.05)}[kind]
    q = rng.uniform(0.3, 0.8)
    known = [arb_mat(2, 2, [arb(first * rng.uniform(-1, 1) * q**k) for _ in range(4)]) for k in range(n)]
    rest = [arb_mat(2, 2, [arb(beyond * rng.uniform(-1, 1)) for _ in range(4)]) for _ in range(2)]
    tail = [sum((abs(e.entries()[i]) for e in rest), ZERO).abs_upper() for i in range(4)]
    return Linear(known, arb_mat(2, 2, tail)), known + rest


def beyond(A: list[arb_mat], start: arb_mat, n: int) -> list[arb]:
    """The true tail of V, entry by entry."""
    V = [start]
    for j in range(8 * n):
        rate = arb_mat(2, start.ncols())
        for i in range(min(j + 1, len(A))):
            rate += A[i] * V[j - i]
        V.append(rate * (arb(1) / (j + 1)))
    return [sum((abs(v.entries()[k]) for v in V[n:]), ZERO) for k in range(2 * start.ncols())]


def linear_violations(mutant: Callable[[Linear], Linear], trials: int) -> int:
    rng, found = Random(5), 0
    for trial in range(trials):
        n = rng.choice([5, 8, 12])
        system, A = linear(rng, n, ("tail", "whole", "both")[trial % 3])
        start = arb_mat(2, 3, [arb(rng.uniform(-1, 1)) for _ in range(6)])
        X = mutant(system).solve(start)[1].entries()
        found += not all(t <= x.abs_upper() + arb(2) ** -150 for t, x in zip(beyond(A, start, n), X, strict=True))
    return found


def test_the_tail_of_a_linear_equation_is_never_larger_than_its_bound() -> None:
    assert linear_violations(lambda system: system, 90) == 0


@pytest.mark.parametrize(
    "mutant",
    [
        lambda s: Linear(s.A, s.A_tail * 0),
        lambda s: Linear([*s.A[:-1], s.A[-1] * 0], s.A_tail),
        lambda s: Linear([a if k < 2 else a * 0 for k, a in enumerate(s.A)], s.A_tail),
    ],
    ids=["tail of A", "last of A", "rest of A"],
)
def test_a_linear_bound_that_forgets_a_part_is_caught(mutant: Callable[[Linear], Linear]) -> None:
    assert linear_violations(mutant, 90) > 3


def test_the_tail_of_a_linear_equation_feeds_back_on_itself() -> None:
    # V' = 3 V: the rest d alone (what the known coefficients leave) is too small for the true tail.
    n, a = 5, arb(3)
    system = Linear([arb_mat([[a]]), *[arb_mat(1, 1)] * (n - 1)], arb_mat(1, 1))
    V, X = system.solve(arb_mat([[arb(1)]]))
    d = abs(V[-1][0, 0] * a / n)
    truth = a.exp() - sum((v[0, 0] for v in V), ZERO)
    assert d < truth
    assert truth <= X[0, 0].abs_upper()
    assert X[0, 0].contains(truth)
    assert UNIT.contains(1)
    assert UNIT.contains(-1)
