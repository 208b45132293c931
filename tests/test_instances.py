"""Claims on vectors and matrices at given sizes: what they become, what refutes them, and which slip is named."""

from __future__ import annotations

import json
from fractions import Fraction
from pathlib import Path
from random import Random

import pytest
from flint import acb, arb, fmpq, fmpq_mat
from hypothesis import given, settings
from hypothesis import strategies as st

from verify.claim import Variable
from verify.decide import decide
from verify.decide.enclose.search import search
from verify.decide.prove.proof import prove
from verify.decide.shaped.arrays import (
    Unsupported,
    determinant,
    exponential,
    flat,
    inverse,
    logarithm,
    matrix_power,
    matrix_product,
)
from verify.decide.shaped.choices import opaque
from verify.decide.shaped.entries import entries
from verify.decide.shaped.instances import NoInstance, instances
from verify.decide.shaped.points import differs_at
from verify.decide.shaped.stages import tried
from verify.graph import Node, num, postorder, substitute, symbol
from verify.judge import judge_at
from verify.language import read_claim, write
from verify.verdict import Verdict


def instance_of(text, **sizes):
    (instance,) = instances(read_claim(text), sizes)
    return instance


def written(array):
    return [[write(entry) for entry in row] for row in array]


# --- arrays -----------------------------------------------------------------------------------------

NUMBERS = st.integers(-4, 4).map(num)


def squares(n):
    row = st.tuples(*[NUMBERS] * n)
    return st.tuples(*[row] * n)


def exact(a):
    return fmpq_mat(len(a), len(a[0]), [fmpq(e.value.numerator, e.value.denominator) for e in flat(a)])


@given(st.integers(1, 5).flatmap(squares))
@settings(max_examples=60)
def test_determinants_and_inverses_are_those_of_flint(a):
    own, theirs = determinant(a).value, exact(a).det()
    assert own == Fraction(int(theirs.p), int(theirs.q))
    if own:
        assert exact(inverse(a)) == exact(a).inv()
        assert exact(matrix_power(a, -2)) == exact(a).inv() ** 2


def test_the_scalar_routes_keep_their_hands_off_matrices():
    # Read as numbers, all matrices commute.
    claim = read_claim("A*B = B*A with A: matrix(n,n), B: matrix(n,n)")
    assert not prove(claim).holds
    assert search(claim).evidence.holds is None
    assert not prove(read_claim("f = f with f: function of x")).holds


def test_large_matrices_are_refused_at_once():
    result = decide(read_claim("det(A) = 1 with A: matrix(900,900)"))
    assert result.verdict is Verdict.UNDECIDED
    assert "810000 entries" in result.reason


def test_large_determinants_are_refused():
    a = tuple(tuple(symbol(f"a{i}{j}") for j in range(7)) for i in range(7))
    with pytest.raises(Unsupported):
        determinant(a)


@pytest.mark.parametrize(
    "a", [((1, 2), (3, 4)), ((0, 1), (-1, 0)), ((1, 5), (-2, 1)), ((3, 0), (1, 2)), ((0, 1), (4, 0))]
)
def test_the_exponential_of_two_by_two_is_that_of_flint(a):
    from flint import arb_mat

    from verify.decide.enclose.balls import Program

    expected = arb_mat([list(row) for row in a]).exp()
    found = exponential(tuple(tuple(map(num, row)) for row in a))
    values = Program(flat(found), real=True).values({})
    assert all(ball.real.overlaps(expected[k // 2, k % 2]) for k, ball in enumerate(values))


@pytest.mark.parametrize("n", [3, 5])
def test_larger_exponentials_and_their_derivatives_are_those_of_flint(n):
    from flint import arb_mat

    from verify.decide.enclose.balls import Program
    from verify.decide.prove.differentiate import carried_out
    from verify.graph import derivative

    rng = Random(n)
    p, q = ([[Fraction(rng.randint(-3, 3), 4) for _ in range(n)] for _ in range(n)] for _ in range(2))
    moving = tuple(tuple(num(p[i][j]) + num(q[i][j]) * symbol("t") for j in range(n)) for i in range(n))
    slopes = [carried_out(derivative(entry, "t")) for entry in flat(exponential(moving))]
    curves = [carried_out(derivative(entry, "t", 2)) for entry in flat(exponential(moving))]
    values = Program([*flat(exponential(moving)), *slopes, *curves], real=True).values({"t": acb(0)})
    step = arb(2) ** -12

    def at(t):
        rows = [[arb(p[i][j].numerator) / p[i][j].denominator + t * q[i][j].numerator / q[i][j].denominator
                 for j in range(n)] for i in range(n)]  # fmt: skip
        return arb_mat(rows).exp()

    before, here, after = at(-step), at(arb(0)), at(step)
    for k in range(n * n):
        i, j = divmod(k, n)
        assert values[k].real.overlaps(here[i, j])
        slope, curve = values[n * n + k].real, values[2 * n * n + k].real
        assert abs((after[i, j] - before[i, j]) / (2 * step) - slope) < 1e-5
        assert abs((after[i, j] - 2 * here[i, j] + before[i, j]) / step**2 - curve) < 1e-5


@pytest.mark.parametrize(
    ("true", "false"),
    [
        ("expm(K)*expm(K)' = eye(n)", "expm(K)*L = L*expm(K)"),
        ("grad_A tr(expm(A)) = expm(A)'", "K*L*A = L*K*A"),
    ],
)
def test_what_holds_up_to_two_rows_is_refuted_by_three(true, false):
    declared = "K: antisymmetric(n), L: antisymmetric(n), A: matrix(n,n)"
    assert decide(read_claim(f"{true} with {declared}")).verdict is Verdict.PROVED
    result = decide(read_claim(f"{false} with {declared}"))
    assert result.verdict is Verdict.REFUTED
    assert result.counterexample.point["n"] == "3"
    assert result.diagnosis.says == "holds for n < 3 only"


@pytest.mark.parametrize(
    "a", [((2, 1), (1, 3)), ((0, -1), (1, 0)), ((-1, -2), (3, 1)), ((1, 5), (0, 2)), ((3, 0), (0, 3))]
)
def test_the_logarithm_of_two_by_two_is_undone_by_the_exponential_of_flint(a):
    from flint import arb_mat

    from verify.decide.enclose.balls import Program

    found = logarithm(tuple(tuple(map(num, row)) for row in a))
    values = [ball.real for ball in Program(flat(found), real=True).values({})]
    again = arb_mat([values[:2], values[2:]]).exp()
    assert all(again[i, j].overlaps(a[i][j]) and again[i, j].rad() < 1e-9 for i in (0, 1) for j in (0, 1))


@pytest.mark.parametrize("a", [((-1, 0), (0, -2)), ((1, 0), (0, -2)), ((0, 1), (1, 0)), ((-3, 1), (0, -1))])
def test_a_matrix_with_a_negative_eigenvalue_has_no_logarithm(a):
    from verify.decide.enclose.balls import Program
    from verify.decide.enclose.jets import NoValue

    with pytest.raises(NoValue):
        Program(flat(logarithm(tuple(tuple(map(num, row)) for row in a))), real=True).values({})


# --- structure --------------------------------------------------------------------------------------


def polynomial_at(node: Node, rng: Random) -> Fraction:
    names = {n.value for n in postorder(node) if n.op == "symbol"}
    value = substitute(
        node, {symbol(name): num(Fraction(rng.randint(1, 9), rng.randint(1, 9))) for name in sorted(names)}
    )
    assert value.op == "num"
    return value.value


@pytest.mark.parametrize("n", [1, 2, 3])
@pytest.mark.parametrize("structure", ["symmetric", "spd", "antisymmetric", "orthogonal", "diagonal"])
def test_structured_matrices_have_their_structure(structure, n):
    variable = Variable("A", shape=("n", "n"), structure=structure)
    for sign in (1, -1):
        made = entries({"A": variable}, {"n": n}, determinants={"A": sign})
        free = sorted(made.variables)
        rng = Random(n)
        values = {symbol(name): num(Fraction(rng.randint(1, 9), rng.randint(1, 9))) for name in free}
        a = exact(tuple(tuple(substitute(e, values) for e in row) for row in made.final("A")))
        t = a.transpose()
        match structure:
            case "symmetric":
                assert a == t
            case "antisymmetric":
                assert a == -t
            case "orthogonal":
                assert a * t == fmpq_mat(n, n, [fmpq(i == j) for i in range(n) for j in range(n)])
                assert a.det() == sign
            case "diagonal":
                assert all(a[i, j] == 0 for i in range(n) for j in range(n) if i != j)
            case "spd":
                assert a == t
                assert all(
                    fmpq_mat(k, k, [a[i, j] for i in range(k) for j in range(k)]).det() > 0 for k in range(1, n + 1)
                )


def test_names_of_entries_collide_with_no_other_name():
    instance = instance_of("A[1,2] = A_1_2 with A: matrix(2,2), A_1_2: real")
    assert instance.lhs != instance.rhs
    assert tried(instance.claim, 0).refuted is not None


# --- expansion --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "sizes", "lhs"),
    [
        ("A*x = x with A: matrix(n,n), x: vector(n)", {"n": 2}, [["A_1_1*x_1 + A_1_2*x_2"], ["A_2_1*x_1 + A_2_2*x_2"]]),
        ("x' = x' with x: vector(n)", {"n": 3}, [["x_1", "x_2", "x_3"]]),
        ("x*x' = x*x' with x: vector(n)", {"n": 1}, [["x_1*x_1"]]),
        ("tr(A) = 0 with A: matrix(n,n)", {"n": 2}, [["A_1_1 + A_2_2"]]),
        ("sum(x[i]*i, i, 1, n) = 0 with x: vector(n)", {"n": 3}, [["x_1 + x_2*2 + x_3*3"]]),
        ("sum(x[i]*x[i+1], i, 1, n-1) = 0 with x: vector(n)", {"n": 1}, [["0"]]),
        ("n*x = x with x: vector(n)", {"n": 2}, [["2*x_1"], ["2*x_2"]]),
        ("grad_x (c'*x) = c with x: vector(n), c: vector(n)", {"n": 2}, [["c_1"], ["c_2"]]),
        ("jac_x (A*x) = A with A: matrix(m,n), x: vector(n)", {"m": 1, "n": 2}, [["A_1", "A_2"]]),
        ("diag(x) = 0 with x: vector(n)", {"n": 2}, [["x_1", "0"], ["0", "x_2"]]),
        ("kron(A, x) = 0 with A: matrix(1,2), x: vector(2)", {}, [["A_1*x_1", "A_2*x_1"], ["A_1*x_2", "A_2*x_2"]]),
        ("norm(x, 1) = 0 with x: vector(n)", {"n": 2}, [["abs(x_1) + abs(x_2)"]]),
        ("logdet(A) = 0 with A: matrix(n,n)", {"n": 1}, [["log(A_1)"]]),
        (
            "x'*y*z = z with x: vector(n), y: vector(n), z: vector(m)",
            {"n": 1, "m": 2},
            [["(x_1*y_1)*z_1"], ["(x_1*y_1)*z_2"]],
        ),
        ("eye(n).*(x*x') = 0 with x: vector(n)", {"n": 2}, [["x_1*x_1", "0"], ["0", "x_2*x_2"]]),
    ],
)
def test_a_claim_is_written_out_entry_by_entry(text, sizes, lhs):
    assert written(instance_of(text, **sizes).lhs) == lhs


def test_a_zero_times_what_may_be_undefined_stays():
    assert written(instance_of("eye(n).*(log(x)*ones(n)') = 0 with x: vector(n)", n=2).lhs)[0][1] == "0*log(x_1)"


def test_conditions_on_sizes_are_decided_and_others_hold_for_every_entry():
    claim = "sum(x) = sum(x) with x: vector(n), x > 0, n > 1"
    assert [write(c) for c in instance_of(claim, n=2).conditions] == ["x_1 > 0", "x_2 > 0"]
    with pytest.raises(NoInstance):
        instance_of(claim, n=1)
    with pytest.raises(NoInstance):
        instance_of("x[2] = x[2] with x: vector(n)", n=1)


def test_an_abstract_function_is_one_symbol_for_each_value_and_derivative():
    instance = opaque(instance_of("d/dt (f*v) = d/dt(f)*v + f*d/dt v with f: function of t, v: vector(n) of t", n=2))
    assert not any(node.op in ("abstract", "derivative") for node in instance.nodes())
    assert prove(instance.combined()).holds


@pytest.mark.parametrize(
    ("true", "false"),
    [
        ("A*B = A*B with A: matrix(2,2), B: matrix(2,2)", "A*B = B*A with A: matrix(2,2), B: matrix(2,2)"),
        ("(A*B)' = B'*A' with A: matrix(2,3), B: matrix(3,2)", "(A*B)' = -B'*A' with A: matrix(2,3), B: matrix(3,2)"),
        ("A*inv(A) = eye(3) with A: matrix(3,3)", "A*inv(A') = eye(3) with A: matrix(3,3)"),
        ("tr(A) = sum(diag(A)) with A: matrix(3,3)", "tr(A) = sum(A) with A: matrix(3,3)"),
    ],
)
def test_symbols_as_weights_prove_all_entries_and_no_false_one(true, false):
    assert prove(instance_of(true).combined()).holds
    assert not prove(instance_of(false).combined()).holds
    assert all(prove(claim).holds for claim in instance_of(true).entry_claims())
    assert not all(prove(claim).holds for claim in instance_of(false).entry_claims())


# --- verdicts ---------------------------------------------------------------------------------------

#: Each true claim with a false neighbour.
PAIRS = [
    (
        "grad_x (x'*A*x) = (A + A')*x with x: vector(n), A: matrix(n,n)",
        "grad_x (x'*A*x) = 2*A*x with x: vector(n), A: matrix(n,n)",
    ),
    (
        "grad_x (x'*A*x) = 2*A*x with x: vector(n), A: symmetric(n)",
        "grad_x (x'*A*x) = A*x with x: vector(n), A: symmetric(n)",
    ),
    ("grad_X log(det(X)) = inv(X)' with X: matrix(n,n)", "grad_X log(det(X)) = inv(X) with X: matrix(n,n)"),
    ("grad_X det(X) = det(X)*inv(X)' with X: matrix(n,n)", "grad_X det(X) = inv(X)' with X: matrix(n,n)"),
    (
        "jac_x (A*x) = A with x: vector(n), A: matrix(m,n)",
        "jac_x (A*x) = A*(1 + 1e-9) with x: vector(n), A: matrix(m,n)",
    ),
    ("grad_x norm(x) = x/norm(x) with x: vector(n)", "grad_x norm(x) = x/norm(x)^2 with x: vector(n)"),
    (
        "jac_x softmax(x) = diag(softmax(x)) - softmax(x)*softmax(x)' with x: vector(n)",
        "jac_x softmax(x) = diag(softmax(x)) + softmax(x)*softmax(x)' with x: vector(n)",
    ),
    ("grad_x logsumexp(x) = softmax(x) with x: vector(n)", "grad_x logsumexp(x) = exp(x) with x: vector(n)"),
    (
        "hess_x (x'*A*x) = A + A' with x: vector(n), A: matrix(n,n)",
        "hess_x (x'*A*x) = A - A' with x: vector(n), A: matrix(n,n)",
    ),
    ("div_x (A*x) = tr(A) with x: vector(n), A: matrix(n,n)", "div_x (A*x) = sum(A) with x: vector(n), A: matrix(n,n)"),
    ("det(Q)^2 = 1 with Q: orthogonal(n)", "det(Q) = 1 with Q: orthogonal(n)"),
    ("Q*Q' = eye(n) with Q: orthogonal(n)", "Q*Q = eye(n) with Q: orthogonal(n)"),
    (
        "x'*A*x = 0 with A: antisymmetric(n), x: vector(n)",
        "x'*A*y = 0 with A: antisymmetric(n), x: vector(n), y: vector(n)",
    ),
    ("logdet(A) = log(det(A)) with A: spd(n)", "logdet(A) = log(abs(A[1,1])) with A: spd(n)"),
    ("D*E = E*D with D: diagonal(n), E: diagonal(n)", "D*E = E*D with D: diagonal(n), E: symmetric(n)"),
    (
        "d/dt inv(A) = -inv(A)*d/dt(A)*inv(A) with A: matrix(n,n) of t",
        "d/dt inv(A) = -d/dt(A)*inv(A)^2 with A: matrix(n,n) of t",
    ),
    ("expm(logm(A)) = A with A: matrix(n,n)", "logm(expm(A)) = A with A: matrix(n,n)"),
    (
        "d/dt expm(t*A) = A*expm(t*A) with A: matrix(n,n)",
        "expm(A + B) = expm(A)*expm(B) with A: matrix(n,n), B: matrix(n,n)",
    ),
    (
        "grad_W sum(tanh(W*x)) = (ones(m) - tanh(W*x).^2)*x' with W: matrix(m,n), x: vector(n)",
        "grad_W sum(tanh(W*x)) = (ones(m) - tanh(W*x))*x' with W: matrix(m,n), x: vector(n)",
    ),
    ("sum(x[i]^2, i, 1, n) = x'*x with x: vector(n)", "sum(x[i]^2, i, 2, n) = x'*x with x: vector(n)"),
    ("tr(eye(n)) = n", "tr(eye(n)) = n^2"),
    (
        "grad_x f(A*x) = A'*g(A*x) with f: function of x, x: vector(n), A: matrix(n,n), g: vector(n) of x, n < 1",
        "grad_x f(2*x) = grad_x f(x) with f: function of x, x: vector(n)",
    ),
    ("grad_x sum(log(x)) = abs(1./x) with x: vector(n)", "grad_x sum(log(x)) = -abs(1./x) with x: vector(n)"),
    ("abs(v)*log(v)' = v*log(v)' with v: vector(n)", "abs(v)*v' = v*v' with v: vector(n)"),
    ("grad_X log(det(X)) = inv(X) with X: spd(n)", "grad_X log(det(X)) = inv(X) with X: spd(n), structured"),
    (
        "grad_X log(det(X)) = 2*inv(X) - eye(n).*inv(X) with X: symmetric(n), structured",
        "grad_X log(det(X)) = 2*inv(X) - eye(n).*inv(X) with X: symmetric(n)",
    ),
    (
        "grad_X tr(A*X) = diag(diag(A)) with X: diagonal(n), A: matrix(n,n), structured",
        "grad_X tr(A*X) = diag(diag(A)) with X: diagonal(n), A: matrix(n,n)",
    ),
]


@pytest.mark.parametrize("text", [true for true, _ in PAIRS])
def test_true_claims_are_not_refuted(text):
    result = decide(read_claim(text))
    if "n < 1" in text:
        assert result.verdict is Verdict.UNDECIDED
    else:
        assert result.verdict >= Verdict.SUPPORTED, result.reason
        assert result.counterexample is None


@pytest.mark.parametrize("text", [false for _, false in PAIRS])
def test_their_false_neighbours_are_refuted_at_a_point_that_can_be_checked_again(text):
    claim = read_claim(text)
    trial = tried(claim, 0)
    assert trial.refuted is not None
    from verify.decide.shaped.witness import counterexample

    found = counterexample(*trial.refuted)
    assert found.lhs != found.rhs
    (again,) = judge_at(text, None, found.point, 0)
    assert again.verdict is Verdict.REFUTED
    assert (again.counterexample.lhs, again.counterexample.rhs) == (found.lhs, found.rhs)


@pytest.mark.parametrize(
    ("text", "verdict"),
    [
        ("d/dx f(x^2) = 2*x*f'(x^2) with f: function of x", Verdict.PROVED),
        ("d/dx (f*g) = f*d/dx g + g*d/dx f with f: function of x, g: real of x", Verdict.PROVED),
        ("diff(f, x, y) = d/dy d/dx f with f: function of x, y", Verdict.PROVED),
        ("d/dx f(g(x)) = f'(g(x))*g'(x) with f: function of x, g: function of x", Verdict.PROVED),
        ("d/dx f(x) = f(x) with f: function of x", Verdict.REFUTED),
        ("f(2*x) = 2*f(x) with f: function of x", Verdict.REFUTED),
        ("d/dx f = f'(y)*y' with f: function of y, y: function of x", Verdict.PROVED),
        ("d/dx f = 0 with f: function of y, y: function of x", Verdict.REFUTED),
        ("grad_X f(2*X) = 2*grad_X f(X) with f: function of X, X: symmetric(2), structured", Verdict.REFUTED),
        ("Q*inv(Q) = Q*Q' with Q: orthogonal(2)", Verdict.PROVED),
        ("Q*inv(Q) = det(Q)*Q*Q' with Q: orthogonal(2)", Verdict.REFUTED),
        ("det(A*B) = det(A)*det(B) with A: matrix(2,2), B: matrix(2,2)", Verdict.PROVED),
        ("det(A + B) = det(A) + det(B) with A: matrix(2,2), B: matrix(2,2)", Verdict.REFUTED),
    ],
)
def test_where_no_size_is_a_name_the_entries_are_proved(text, verdict):
    assert decide(read_claim(text)).verdict is verdict


def test_a_claim_about_larger_sizes_alone_is_tried_there():
    result = decide(read_claim("tr(A) = A[1,1] + A[2,2] + A[3,3] + A[4,4] with A: matrix(n,n), n > 3, n < 5"))
    assert result.verdict is Verdict.SUPPORTED
    assert "proved for n = 4" in result.notes
    assert decide(read_claim("tr(A) = A[1,1] with A: matrix(n,n), n > 3")).verdict is Verdict.REFUTED
    assert decide(read_claim("tr(A) = A[1,1] with A: matrix(n,n), n > 30")).verdict is Verdict.UNDECIDED


def test_every_component_of_the_orthogonal_matrices_is_proved():
    claim = read_claim("det(Q)*Q = Q with Q: orthogonal(2)")
    right, turned = instances(claim, {})
    assert prove(right.combined()).holds
    assert not prove(turned.combined()).holds
    assert decide(claim).verdict is Verdict.REFUTED


def test_what_cannot_be_written_out_is_undecided():
    result = decide(read_claim("expm(logm(A)) = A with A: matrix(n,n), n > 2"))
    assert result.verdict is Verdict.UNDECIDED
    assert "logarithm of 3×3" in result.reason


def test_kinks_that_belong_to_a_claim_are_left_to_others():
    result = decide(read_claim("grad_x norm(x, 1) = sign(x) with x: vector(n), everywhere"))
    assert result.verdict is Verdict.UNDECIDED


def test_a_verdict_is_the_same_for_the_same_seed():
    claim = read_claim("tr(A*B*C) = tr(B*A*C) with A: matrix(n,n), B: matrix(n,n), C: matrix(n,n)")
    assert decide(claim, seed=3).to_json() == decide(claim, seed=3).to_json()


@pytest.mark.parametrize(
    "record",
    [json.loads(line) for line in (Path(__file__).parent / "data/corpora/matrix.jsonl").read_text().splitlines()],
    ids=lambda record: record["id"],
)
def test_published_formulas_are_judged_rightly(record):
    result = decide(read_claim(record["claim"], record["let"]))
    assert (result.verdict >= Verdict.SUPPORTED) == (record["truth"] == "true")
    if record["truth"] == "false":
        assert result.verdict is Verdict.REFUTED
        if record["slip"] != "other":
            assert result.diagnosis.slip == record["slip"]


# --- counterexamples and slips ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "beginning"),
    [
        ("(Q'*d/dt(Q))' = Q'*d/dt(Q) with Q: orthogonal(n) of t", "(I - S)*inv(I + S) with S = [["),
        ("det(Q) = 1 with Q: orthogonal(2) of t", "first row times -1 of (I - S)*inv(I + S) with S = [["),
        ("d/dt logdet(S) = tr(S*d/dt(S)) with S: spd(n) of t", "L*L' with L = [["),
    ],
)
def test_a_structured_matrix_of_t_is_told_by_what_it_is_made_of_and_read_again(text, beginning):
    claim = read_claim(text)
    point = decide(claim).counterexample.point
    name = next(name for name, variable in claim.domain.variables.items() if variable.structure)
    assert point[name].startswith(beginning)
    assert differs_at(claim, point)[1]
    with pytest.raises(ValueError, match="does not begin"):
        differs_at(claim, {**point, name: "[[1, 0], [0, 1]]"})


def test_a_counterexample_shows_matrices():
    result = decide(read_claim("A*B = B*A with A: matrix(n,n), B: symmetric(n)"))
    point = result.counterexample.point
    assert point["n"] == "2"
    rows = json.loads(point["B"].replace("/", "."))
    assert len(rows) == 2
    assert rows[0][1] == rows[1][0]
    assert result.counterexample.lhs.startswith("[[")


@pytest.mark.parametrize(
    ("point", "words"),
    [
        ({"A": "[[1, 2], [3, 4]]"}, "the size n is missing"),
        ({"n": "2", "A": "[[1, 2], [3, 4], [5, 6]]"}, "A has 2×2 entries here, not 3×2"),
        ({"n": "2", "A": "[[1, 2], [3, 4]]", "z": "1"}, "the claim has no z"),
        ({"n": "2", "A": "[[1, 2], [3, x]]"}, "no exact number"),
        ({"n": "2", "A": "[[1, 2], [3"}, "no closing bracket"),
        ({"n": "2", "A": "[[1, 2], [3, 4]]"}, "A is not symmetric"),
    ],
)
def test_a_point_that_is_none_of_the_claim_is_refused(point, words):
    (result,) = judge_at("A*A = A with A: symmetric(n)", None, point, 0)
    assert result.verdict is Verdict.INVALID
    assert words in result.reason


def test_products_follow_the_shapes_before_sizes_are_put_in():
    # At n = 1 a row times a column is a number, and a column is still a column.
    assert written(instance_of("x*x'*y = y with x: vector(n), y: vector(n)", n=1).lhs) == [["(x_1*x_1)*y_1"]]
    assert matrix_product(((num(2),),), ((num(3), num(5)),)) == ((num(6), num(10)),)


def test_a_claim_that_fails_at_larger_sizes_alone_is_refuted_there():
    # Up to n = 3 the factor of the sum is 1 at every index.
    text = "sum(x[i]*max(1, i - 2), i, 1, n) = sum(x) with x: vector(n)"
    result = decide(read_claim(text))
    assert result.verdict is Verdict.REFUTED
    assert result.counterexample.point["n"] == "5"
