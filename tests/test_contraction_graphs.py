"""Do sums of graphs keep their value while they are brought to their normal form, and is that form the same for all?"""

from __future__ import annotations

import random
from itertools import permutations

import pytest
from flint import arb, fmpq
from hypothesis import given
from hypothesis import strategies as st

from verify.decide.contraction.canonical import canonical, least_slots
from verify.decide.contraction.certified import is_invertible
from verify.decide.contraction.elementwise import wrap
from verify.decide.contraction.evaluate import Model, NoValue
from verify.decide.contraction.exponentials import frechet, matrix_exponential
from verify.decide.contraction.matrices import determinant, inverse
from verify.decide.contraction.prove import agreeing_sides
from verify.decide.contraction.space import ALTERNATING, TRANSPOSABLE, Space
from verify.decide.contraction.sums import (
    Product,
    Sum,
    delta,
    einsum,
    identity,
    matmul,
    number,
    of_atom,
    settle,
    transposed,
)
from verify.language import read_claim

GENERIC = frozenset({"generic"})
#: Rational rotations, so that orthogonal letters have exact entries.
ROTATIONS = {
    2: ((fmpq(3, 5), fmpq(4, 5)), (fmpq(-4, 5), fmpq(3, 5))),
    3: tuple(tuple(fmpq(x, 3) for x in row) for row in ((2, -1, 2), (2, 2, -1), (-1, 2, 2))),
}


def letters(space: Space) -> dict[str, Sum]:
    """Matrices and vectors of all kinds, and atoms made of them."""

    def matrix(name: str, symmetry=(), flags=GENERIC) -> Sum:
        return of_atom(space, space.atom("symbol", name, ("n", "n"), (), symmetry, flags))

    a, b, s = matrix("A"), matrix("B"), matrix("S", TRANSPOSABLE)
    k, q = matrix("K", ALTERNATING, frozenset()), matrix("Q", (), frozenset({"orthogonal"}))
    u = of_atom(space, space.atom("symbol", "u", ("n",)))
    ones = number(space, 1, ("n", "n"))
    return {
        "A": a, "S": s, "K": k, "Q": q, "u": u, "inv(A)": inverse(a), "inv(AB + S)": inverse(matmul(a, b) + s),
        "inv(S)": inverse(s), "expm(A)": matrix_exponential(a), "expm(S)": matrix_exponential(s),
        "1/(A.*A + 1)": wrap("pow", einsum((0, 1), (a, (0, 1)), (a, (0, 1))) + ones, -1),
        "identity": identity(space, "n"), "inv(S + K)": inverse(s + k), "AB": matmul(a, b), "B": b,
    }  # fmt: skip


def model(size: int, rng: random.Random) -> Model:
    """Numbers for the letters."""

    def entries(symmetry: int = 0) -> dict[tuple[int, ...], arb]:
        free = [[fmpq(rng.randint(-9, 9), 7) for _ in range(size)] for _ in range(size)]
        if symmetry:
            free = [[free[i][j] + symmetry * free[j][i] for j in range(size)] for i in range(size)]
        return {(i, j): arb(free[i][j]) for i in range(size) for j in range(size)}

    symbols = {"A": entries(), "B": entries(), "S": entries(1), "K": entries(-1)}
    symbols["Q"] = {(i, j): arb(ROTATIONS[size][i][j]) for i in range(size) for j in range(size)}
    symbols["u"] = {(i,): arb(fmpq(rng.randint(1, 9), 7)) for i in range(size)}

    def nothing(*_) -> dict:
        raise NoValue("no abstract functions here")

    return Model({"n": size}, symbols, nothing)


def agree(left: dict, right: dict) -> bool:
    """Whether enclosures of all entries overlap."""
    return all(left[index].overlaps(right[index]) for index in left)


NAMES = sorted(letters(Space()))
#: Factors that some relation joins.
RELATED = (
    ("inv(AB + S)", "A", "B"), ("inv(A)", "A"), ("1/(A.*A + 1)", "A", "A"), ("Q", "Q"), ("expm(A)", "expm(A)"),
    ("expm(A)", "A", "A"), ("inv(S + K)", "S", "K"), ("inv(S)", "S", "u"), ("expm(S)", "S", "S"),
)  # fmt: skip


@st.composite
def products(draw) -> list[tuple[str, int, int]]:
    """Factors that are related, and a few more, on few labels so that they meet often."""
    names = [*draw(st.sampled_from(RELATED)), *draw(st.lists(st.sampled_from(NAMES), max_size=2))]
    label = st.integers(-2, draw(st.integers(0, 3)))
    return [(name, draw(label), draw(label)) for name in names]


@given(
    pieces=products(),
    seed=st.integers(0, 999),
    size=st.sampled_from([2, 3]),
)
def test_settling_a_product_keeps_its_value(pieces, seed, size):
    space = Space()
    named = letters(space)
    sums = [named[name] for name, _, _ in pieces]
    slots = [tuple(places[: len(named[name].dims)]) for name, *places in pieces]
    values = model(size, random.Random(seed))
    labels = sorted({x for at in slots for x in at})
    out = tuple(x for x in labels if x < 0)
    together = einsum(out, *zip(sums, slots, strict=True))
    try:
        settled = values.entries(together)
        parts = [values.entries(s) for s in sums]
    except NoValue:
        return
    inner = [x for x in labels if x >= 0]
    for index in values.indices(("n",) * len(out)):
        total = arb(0)
        for bound in values.indices(("n",) * len(inner)):
            at = {**dict(zip(out, index, strict=True)), **dict(zip(inner, bound, strict=True))}
            term = arb(1)
            for part, places in zip(parts, slots, strict=True):
                term *= part[tuple(at[x] for x in places)]
            total += term
        assert settled[index].overlaps(total) or not total.is_finite()


@given(
    edges=st.lists(st.tuples(st.sampled_from("ASKu"), st.integers(-1, 4), st.integers(-1, 4)), min_size=2, max_size=7),
    seed=st.integers(0, 999),
)
def test_the_normal_form_does_not_depend_on_names_or_on_the_order_of_factors(edges, seed):
    rng = random.Random(seed)
    names = list(range(5))
    rng.shuffle(names)
    shuffled = rng.sample(edges, len(edges))
    space = Space()
    named = letters(space)

    def graph(some, rename) -> Sum:
        pairs = [(named[n], tuple(rename(x) for x in ends)[: len(named[n].dims)]) for n, *ends in some]
        out = (-1,) if any(-1 in at for _, at in pairs) else ()
        return einsum(out, *pairs)

    assert graph(edges, lambda x: x).key == graph(shuffled, lambda x: x if x < 0 else names[x]).key


def test_a_graph_that_is_its_own_negative_is_zero():
    space = Space()
    k = space.atom("symbol", "K", ("n", "n"), (), ALTERNATING)
    triangle = ((k, (0, 1), 1), (k, (1, 2), 1), (k, (2, 0), 1))
    square = (*triangle[:2], (k, (2, 3), 1), (k, (3, 0), 1))
    assert canonical(space, triangle)[1] == 0
    assert canonical(space, square)[1] != 0


def test_slots_are_ordered_with_the_sign_of_their_exchange():
    assert least_slots((3, -1), ALTERNATING) == ((-1, 3), -1)
    assert least_slots((3, -1), TRANSPOSABLE) == ((-1, 3), 1)
    assert least_slots((2, 2), ALTERNATING) == ((2, 2), 0)
    assert least_slots((3, -1), ()) == ((3, -1), 1)


@pytest.mark.parametrize("power", [5, 7, 9])
def test_interchangeable_branches_do_not_cost_factorials(power):
    space = Space()
    a = space.atom("symbol", "A", ("n", "m"))
    x = space.atom("symbol", "x", ("m",))
    star = tuple(f for k in range(1, power + 1) for f in ((a, (0, k), 1), (x, (k,), 1)))
    component, sign = canonical(space, star)
    assert sign == 1
    assert len(component) == 2 * power
    assert space.steps <= power**3


def test_equal_words_are_equal_and_others_are_not():
    space = Space()
    a, b = (of_atom(space, space.atom("symbol", name, ("n", "n"))) for name in "AB")
    traces = {einsum((), (matmul(matmul(p, q), r), (0, 0))).key for p, q, r in permutations((a, b, b))}
    assert len(traces) == 1
    assert transposed(matmul(a, b)).key == matmul(transposed(b), transposed(a)).key
    assert matmul(a, b).key != matmul(b, a).key


def test_a_summed_label_of_no_factor_is_its_size():
    space = Space()
    product = Product(space, 3, {}, [(delta(space, "n"), (0, 0), 1)], {0: "n", 1: 4})
    assert Model({"n": 5}, {}, dict).entries(settle(product))[()] == 60


@pytest.mark.parametrize("size", [2, 3])
def test_the_derivative_of_the_exponential_is_duhamels_integral(size):
    space = Space()
    named = letters(space)
    values = model(size, random.Random(size))
    kernel = frechet(named["A"])
    closed = einsum((0, 3), (kernel, (0, 1, 1, 3)))
    assert agree(values.entries(closed), values.entries(named["expm(A)"]))
    swapped = einsum((2, 3, 0, 1), (kernel, (0, 1, 2, 3)))
    assert kernel.key == swapped.key


@pytest.mark.parametrize("rotate", [False, True])
@pytest.mark.parametrize("pivot", [False, True])
def test_inverses_and_determinants_mean_the_same_however_they_are_written(rotate, pivot):
    space = Space(rotate, pivot)
    named = letters(space)
    values = model(2, random.Random(3))
    one, a, s = identity(space, "n"), named["A"], named["S"]
    b = of_atom(space, space.atom("symbol", "B", ("n", "n"), (), (), GENERIC))
    for p in (one + matmul(b, a), a + matmul(b, s), one.scaled(2) + matmul(matmul(b, a), s), matmul(a, b), a + s):
        unit = matmul(p, inverse(p))
        assert agree(values.entries(unit), values.entries(one))
        other = matmul(inverse(p), p)
        assert agree(values.entries(other), values.entries(one))
        d = values.entries(p)
        assert values.entries(determinant(p))[()].overlaps(d[0, 0] * d[1, 1] - d[0, 1] * d[1, 0])


def test_the_seventh_power_takes_no_time():
    claim = read_claim("grad_x sum((A*x).^7) = 7*A'*(A*x).^6 with A: matrix(m,n), x: vector(n)")
    sides, _ = agreeing_sides(claim)
    assert sides is not None
    assert sides[0].sum.space.steps < 3000


def test_a_matrix_is_certified_invertible_only_if_it_is_so_at_every_size():
    space = Space()
    named = letters(space)
    a, s, k, u = (named[name] for name in ("A", "S", "K", "u"))
    x = of_atom(space, space.atom("symbol", "X", ("m", "n"), flags=GENERIC))
    scalar = of_atom(space, space.atom("symbol", "s"))
    one = identity(space, "n")
    rank_one = einsum((0, 1), (u, (0,)), (u, (1,)))
    gram = matmul(transposed(x), x)
    shifted = gram + einsum((0, 1), (one, (0, 1)), (scalar, ()))
    certain = (a, s, named["Q"], matmul(a, s), a + rank_one, a + s, one + rank_one, shifted, one + gram)
    doubtful = (k, rank_one, gram, a - transposed(a), rank_one + gram, named["expm(A)"] - one)
    assert all(map(is_invertible, certain))
    assert not any(map(is_invertible, doubtful))


def test_a_rule_that_needs_an_inverse_which_may_not_exist_is_not_used():
    claim = read_claim("grad_X det(X'*X) = grad_X (det(X'*X) + 1) with X: matrix(m,n)")
    assert "may exist nowhere" in agreeing_sides(claim)[1]
    granted = read_claim("grad_X log(det(X'*X)) = grad_X log(3*det(X'*X)) with X: matrix(m,n)")
    assert agreeing_sides(granted)[0]
