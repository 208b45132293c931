"""What is the gradient through a linear ODE?  The right formula, and a refutation for each wrong one.

    y' = A(p) y,  y(0) = b(p):   dg/dp = g_p + g_y e^{TA} b_p + g_y D b,
    D = derivative of e^{TA} by p = integral of e^{(T-s)A} A_p e^{sA} ds over [0, T]

Formulas for D are sums of words in the letters below.  They are proved as words, or refuted at exact integer matrices:
D is the upper right block of exp(T [[A, A_p], [0, A]]), which balls enclose.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import product
from typing import TYPE_CHECKING, Any

from flint import arb, arb_mat, ctx
from sympy import Expr, ImmutableMatrix, S, Symbol, symbols

from verify.calculus.adjoint import Problem, jacobian
from verify.decide.words import Sum, matrix, prove, scalar, substitute, vector
from verify.verdict import Counterexample, Diagnosis, Evidence, Result, Rigor, Verdict

if TYPE_CHECKING:
    from verify.numerics.exponential import LinearProblem as NumericLinearProblem

# The letters: A and its derivative, e^{TA} and its derivative D, e^{TA/2}, and the vectors around them.
A = matrix("A", "n", "n")
A_p = matrix("A_p", "n", "n")
E = matrix("E", "n", "n", latex="e^{TA}")
D = matrix("D", "n", "n", latex=r"\partial_p e^{TA}")
HALF_E = matrix("H", "n", "n", latex="e^{TA/2}")
T = scalar("T")
b, b_p = vector("b", "n"), vector("b_p", "n")
g_y = matrix("g_y", 1, "n")

PRECISION = 128
#: Radius of the ball around an exact point on which the two sides must stay apart as well.
RADIUS = "2^-40"


@dataclass(frozen=True)
class LinearFamily:
    """A(p) of shape (N, N), b(p) (N, 1) and a terminal cost g(y, p), as SymPy expressions."""

    parameters: tuple[Symbol, ...]
    state: tuple[Symbol, ...]
    matrix: ImmutableMatrix
    initial: ImmutableMatrix
    terminal: Expr

    def as_ode(self) -> Problem:
        """The same as a general problem on [0, T], without running cost."""
        rate = ImmutableMatrix(self.matrix * ImmutableMatrix(self.state))
        time = symbols("t", real=True)
        return Problem(time, self.state, self.parameters, rate, self.initial, S.Zero, self.terminal)

    def numeric(self) -> NumericLinearProblem:
        """The family as functions of arrays."""
        from verify.numerics.compiled import array_function
        from verify.numerics.exponential import LinearProblem

        p, y, n, m = self.parameters, self.state, len(self.state), len(self.parameters)
        stacked = ImmutableMatrix([list(self.matrix.diff(q)) for q in p])
        flat = array_function(stacked, (p,), (m, n * n))
        return LinearProblem(
            matrix=array_function(self.matrix, (p,), (n, n)),
            matrix_p=lambda p: flat(p).reshape(m, n, n),
            initial=array_function(self.initial, (p,), (n,)),
            initial_p=array_function(jacobian(self.initial, p), (p,), (n, m)),
            terminal=array_function(self.terminal, (y, p), ()),
            terminal_y=array_function(jacobian(self.terminal, y), (y, p), (n,)),
            terminal_p=array_function(jacobian(self.terminal, p), (y, p), (m,)),
        )


def decide_exponential_identity(lhs: Sum, rhs: Sum, *, correction: Sum | None = None) -> Result:
    """Prove lhs = rhs as words, or refute it at the smallest 2 x 2 matrices of zeros and ones, with T = 1.

    The point is exact; the enclosures are disjoint there and on the whole ball of radius 2^-40 around it.
    """
    text = f"{lhs} = {rhs}"
    proof = prove(lhs, rhs)
    if proof.holds:
        return Result(text, Verdict.PROVED, Rigor.EXACT, evidence=(proof,))
    example = next(_counterexamples(lhs, rhs), None)
    if example is None:
        reason = "the words differ, and no 2 x 2 matrices of zeros and ones tell the sides apart"
        return Result(text, Verdict.UNDECIDED, evidence=(proof,), reason=reason)
    says = "right where A and dA/dp commute, which they do not at this point; the integral keeps their order"
    return Result(
        text,
        Verdict.REFUTED,
        Rigor.ENCLOSED,
        counterexample=example,
        diagnosis=Diagnosis("commute", says, Verdict.PROVED) if _holds_where_all_commutes(lhs, rhs) else None,
        correction=None if correction is None else str(correction),
        evidence=(Evidence("matrix exponential in balls", Rigor.ENCLOSED, False, frozenset({"arb_mat.exp"})),),
    )


def enclosed(total: Sum, point: Mapping[str, Any], radius: str | None = None) -> Any:
    """A ball matrix (arb_mat) that contains the sum at integer matrices, or at all matrices within `radius` of them.

    point   "A", "A_p", "b", "b_p", "g_y" as lists of rows of integers, and "T" as an integer.
    """
    with ctx.workprec(PRECISION):
        values = _letters(point, radius)
        rows, columns = (1 if size == "1" else len(point["A"]) for size in total.shape)
        result = arb_mat(rows, columns, [0] * (rows * columns))
        for m, c in total.terms.items():
            if m.traces:
                raise ValueError(f"{total} has a trace; only products are enclosed here")
            value = _product(m.word, values) if m.word else _identity(rows)
            for word in m.scalars:
                value = value * _product(word, values)[0, 0]
            result = result + value * (arb(c.numerator) / arb(c.denominator))
        return result


def _letters(point: Mapping[str, Any], radius: str | None) -> dict[str, Any]:
    error = arb(0, arb(2) ** -40) if radius else arb(0)
    values = {
        name: arb_mat([[arb(x) + error for x in row] for row in rows]) for name, rows in point.items() if name != "T"
    }
    time = arb(point["T"]) + error
    a, a_p, n = values["A"], values["A_p"], len(point["A"])
    block = [[a[i, j] for j in range(n)] + [a_p[i, j] for j in range(n)] for i in range(n)]
    block += [[arb(0)] * n + [a[i, j] for j in range(n)] for i in range(n)]
    exponential = (arb_mat(block) * time).exp()
    upper = [[exponential[i, n + j] for j in range(n)] for i in range(n)]
    return values | {"T": arb_mat([[time]]), "E": (a * time).exp(), "H": (a * (time / 2)).exp(), "D": arb_mat(upper)}


def _product(word: Any, values: Mapping[str, Any]) -> Any:
    result = None
    for letter in word:
        factor = values[letter.name]
        factor = factor.inv() if letter.inverse else factor
        factor = factor.transpose() if letter.transposed else factor
        result = factor if result is None else result * factor
    return result


def _identity(n: int) -> Any:
    return arb_mat([[int(i == j) for j in range(n)] for i in range(n)])


def _counterexamples(lhs: Sum, rhs: Sum) -> Iterator[Counterexample]:
    """Points at which the sides are apart, those with the fewest ones first."""
    rest = lhs - rhs
    for point in sorted(
        _points(), key=lambda point: sum(sum(row) for rows in list(point.values())[:-1] for row in rows)
    ):
        away = enclosed(rest, point, RADIUS)
        for i, j in product(range(away.nrows()), range(away.ncols())):
            if 0 not in away[i, j]:
                left, right = enclosed(lhs, point)[i, j], enclosed(rhs, point)[i, j]
                assert not left.overlaps(right)
                entry = {} if away.nrows() == away.ncols() == 1 else {"entry": f"({i + 1}, {j + 1})"}
                names = {letter.name for s in (lhs, rhs) for m in s.terms for w in (*m.scalars, m.word) for letter in w}
                used = {"A", "A_p", "T"} | names
                shown = {name: str(value) for name, value in point.items() if name in used}
                yield Counterexample(shown | entry, _decimals(left), _decimals(right), RADIUS)


def _points() -> Iterator[dict[str, Any]]:
    matrices = [[[w, x], [y, z]] for w, x, y, z in product((1, 0), repeat=4)]
    units = [[1, 0], [0, 1]]
    for a, a_p, row, column in product(matrices, matrices, units, units):
        yield {
            "A": a, "A_p": a_p, "b": [[x] for x in column], "b_p": [[0], [0]], "g_y": [row], "T": 1
        }  # fmt: skip


def _holds_where_all_commutes(lhs: Sum, rhs: Sum) -> bool:
    """Whether the sides agree as words when D is T A_p e^{TA} and all square matrices commute."""
    rest = substitute(substitute(lhs - rhs, {D: T * (A_p @ E)}), {E: HALF_E @ HALF_E})
    sums: dict[Any, Any] = {}
    if any(letter.transposed for m in rest.terms for word in (*m.scalars, m.word) for letter in word):
        return False
    for m, c in rest.terms.items():
        unordered = tuple(sorted(tuple(sorted(word)) for word in (*m.scalars, m.word)))
        sums[unordered] = sums.get(unordered, 0) + c
    return not any(sums.values())


def _decimals(ball: Any) -> str:
    return ball.str(20, radius=False)
