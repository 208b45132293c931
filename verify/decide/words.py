"""Do two sums of products of non-commuting symbols agree?  Proved for matrices of every size, or left open.

Equal normal forms (`monomials`) prove it at every size.  Different ones refute nothing, since 1 x 1 matrices commute:
`prove` proves or stays silent.  An inverse of a sum has no normal form here: clear it, P^-1 Q = R S^-1 when Q S = P R.

    x, A = vector("x", "n"), matrix("A", "n", "n")
    prove(derive(x.T @ A @ x, {x: dx}), dx.T @ (A + A.T) @ x)
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from fractions import Fraction

from verify.decide import words_text
from verify.decide.monomials import Letter, Monomial, Word, monomial, product, traced, transposed
from verify.verdict import Evidence, Rigor

Size = str | int
Number = int | Fraction


@dataclass(frozen=True, eq=False)
class Sum:
    """A rational combination of monomials of one shape; made by `matrix`, `vector`, `scalar` and arithmetic.

    asked   as which derivative or substitution it came about, as text and as LaTeX: so it is written until it is used.
    """

    rows: str
    columns: str
    terms: Mapping[Monomial, Fraction] = field(default_factory=dict)
    asked: tuple[str, str] | None = None

    @property
    def shape(self) -> tuple[str, str]:
        """(rows, columns)."""
        return (self.rows, self.columns)

    @property
    def T(self) -> Sum:
        """The transpose."""
        turned = ((m._replace(word=transposed(m.word)), c) for m, c in self.terms.items())
        return _collected((self.columns, self.rows), turned)

    @property
    def inverse(self) -> Sum:
        """The inverse of a product of square symbols, taken to be invertible; ValueError for anything else."""
        if len(self.terms) != 1 or self.rows != self.columns:
            raise ValueError(f"the inverse of {self} has no normal form; multiply it out on both sides instead")
        ((m, c),) = self.terms.items()
        if m.traces or any(len(word) > 1 for word in m.scalars):
            raise ValueError(
                f"the inverse of the scalar factors of {self} has no normal form; multiply by them instead"
            )
        letters = [*reversed(m.word), *(letter for word in m.scalars for letter in word)]
        inverses = [monomial((letter.opposite,)) for letter in letters]
        result = Monomial()
        for inverse in inverses:
            result = product(result, inverse)
        return _collected(self.shape, [(result, 1 / c)])

    def __add__(self, other: Sum) -> Sum:
        if self.shape != other.shape:
            raise ValueError(f"cannot add {_shown(self)} and {_shown(other)}: {self} and {other}")
        return _collected(self.shape, [*self.terms.items(), *other.terms.items()])

    def __neg__(self) -> Sum:
        return -1 * self

    def __sub__(self, other: Sum) -> Sum:
        return self + -other

    def __matmul__(self, other: Sum) -> Sum:
        if self.columns != other.rows:
            raise ValueError(f"cannot multiply {_shown(self)} by {_shown(other)}: {self} and {other}")
        return _multiplied(self, other, (self.rows, other.columns))

    def __mul__(self, other: Number | Sum) -> Sum:
        if not isinstance(other, Sum):
            return other * self
        if "1" not in (*self.shape, *other.shape) or ("1", "1") not in (self.shape, other.shape):
            raise ValueError(f"* needs a scalar on one side; write @ for {_shown(self)} times {_shown(other)}")
        return _multiplied(self, other, other.shape if self.shape == ("1", "1") else self.shape)

    def __rmul__(self, factor: Number) -> Sum:
        return _collected(self.shape, ((m, factor * c) for m, c in self.terms.items()))

    def __str__(self) -> str:
        return self.asked[0] if self.asked else words_text.text(self)

    def latex(self) -> str:
        """LaTeX, with the names that the symbols were given."""
        return self.asked[1] if self.asked else words_text.latex(self)


Table = Mapping[Sum, Sum]


# --- symbols ----------------------------------------------------------------------------------


def matrix(name: str, rows: Size, columns: Size, *, symmetric: bool = False, latex: str = "") -> Sum:
    """A matrix symbol; sizes are names or numbers, and equal names are equal sizes."""
    if symmetric and str(rows) != str(columns):
        raise ValueError(f"{name} is {rows} x {columns}; only a square matrix is symmetric")
    letter = Letter(name, str(rows), str(columns), symmetric or str(rows) == str(columns) == "1", latex=latex)
    return Sum(letter.rows, letter.columns, {monomial((letter,)): Fraction(1)})


def matrices(names: str, rows: Size, columns: Size) -> list[Sum]:
    """Matrix symbols of one shape, from their names with blanks between them."""
    return [matrix(name, rows, columns) for name in names.split()]


def vector(name: str, size: Size, *, latex: str = "") -> Sum:
    """A column."""
    return matrix(name, size, 1, latex=latex)


def scalar(name: str, *, latex: str = "") -> Sum:
    """A 1 x 1 symbol."""
    return matrix(name, 1, 1, latex=latex)


def identity(size: Size) -> Sum:
    """The identity matrix."""
    return Sum(str(size), str(size), {Monomial(): Fraction(1)})


def zero(rows: Size, columns: Size) -> Sum:
    """The zero matrix."""
    return Sum(str(rows), str(columns))


# --- operations -------------------------------------------------------------------------------


def trace(argument: Sum) -> Sum:
    """The trace, a scalar; tr I is the size itself, as a scalar symbol.  ValueError unless the argument is square."""
    if argument.rows != argument.columns:
        raise ValueError(f"the trace needs a square matrix; {argument} is {_shown(argument)}")
    return _collected(("1", "1"), ((traced(m, argument.rows), c) for m, c in argument.terms.items()))


def power(base: Sum, exponent: int) -> Sum:
    """base @ base @ …; the identity for exponent 0."""
    result = identity(base.rows)
    for _ in range(exponent):
        result = result @ base
    return result


def derive(argument: Sum, rates: Table, by: str = "t") -> Sum:
    """The derivation with the given derivatives of symbols, by the Leibniz rule; other symbols are constants.

    D(X') = D(X)', D(X^-1) = -X^-1 D(X) X^-1, D(tr X) = tr D(X).  `by` is the name of the variable, for writing only.
    ValueError where a rate has another shape.
    """
    known = _by_letter(rates)

    def derived(letter: Letter) -> Sum | None:
        rate = known.get(letter.symbol)
        if rate is None:
            return None
        rate = rate.T if letter.transposed else rate
        return -(_of((letter,)) @ rate @ _of((letter,))) if letter.inverse else rate

    total = zero(*argument.shape)
    for m, c in argument.terms.items():
        parts = _parts(m)
        for k, (word, close) in enumerate(parts):
            others = [close_(_of(word_)) for word_, close_ in parts[:k] + parts[k + 1 :]]
            for j, letter in enumerate(word):
                rate = derived(letter)
                if rate is not None:
                    total += c * _all_of([*others, close(_joined(word[:j], rate, word[j + 1 :]))], argument.shape)
    return replace(total, asked=words_text.asked_derivative(argument, by))


def substitute(argument: Sum, values: Table) -> Sum:
    """Symbols replaced by sums, all at once.  ValueError where a value has another shape, or no inverse is at hand."""
    known = _by_letter(values)

    def value_of(letter: Letter) -> Sum:
        new = known.get(letter.symbol)
        if new is None:
            return _of((letter,))
        new = new.inverse if letter.inverse else new
        return new.T if letter.transposed else new

    total = zero(*argument.shape)
    for m, c in argument.terms.items():
        factors = []
        for word, close in _parts(m):
            replaced = value_of(word[0])
            for letter in word[1:]:
                replaced = replaced @ value_of(letter)
            factors.append(close(replaced))
        total += c * _all_of(factors, argument.shape)
    return replace(total, asked=words_text.asked_substitution(argument, values))


def prove(lhs: Sum | int, rhs: Sum | int) -> Evidence:
    """Evidence of rigor exact that the sides agree at every size, or that the normal forms tell nothing.

    A number 0 stands for the zero matrix.  Raises ValueError where the shapes differ.
    """
    left, right = _side(lhs, rhs), _side(rhs, lhs)
    rest = left - right
    if rest.terms:
        detail = {"reason": f"the normal forms differ by {rest}, which decides nothing"}
        return Evidence("words", Rigor.EXACT, None, frozenset({"words"}), detail=detail)
    return Evidence("words", Rigor.EXACT, True, frozenset({"words"}), detail={"terms": len(left.terms)})


# --- inside -----------------------------------------------------------------------------------


def _collected(shape: tuple[str, str], terms: Iterable[tuple[Monomial, Number]]) -> Sum:
    found: dict[Monomial, Fraction] = {}
    for m, c in terms:
        found[m] = found.get(m, Fraction(0)) + c
    return Sum(*shape, {m: found[m] for m in sorted(found) if found[m]})


def _multiplied(one: Sum, other: Sum, shape: tuple[str, str]) -> Sum:
    return _collected(shape, ((product(m, n), c * d) for m, c in one.terms.items() for n, d in other.terms.items()))


def _of(word: Word) -> Sum:
    return Sum(word[0].shape[0], word[-1].shape[1], {monomial(word): Fraction(1)})


def _joined(before: Word, middle: Sum, after: Word) -> Sum:
    middle = _of(before) @ middle if before else middle
    return middle @ _of(after) if after else middle


def _parts(m: Monomial) -> list[tuple[Word, Callable[[Sum], Sum]]]:
    """The words whose product it is, each with what closes it: a trace, or nothing."""
    words = [*m.scalars, m.word] if m.word else [*m.scalars]
    return [(word, trace) for word in m.traces] + [(word, lambda whole: whole) for word in words]


def _all_of(factors: Iterable[Sum], shape: tuple[str, str]) -> Sum:
    """Product of scalars and at most one matrix; without a matrix, times the identity of that shape."""
    scalars = identity(1)
    core: Sum | None = None
    for factor in factors:
        if factor.shape == ("1", "1"):
            scalars = _multiplied(scalars, factor, ("1", "1"))
        else:
            core = factor
    return _multiplied(scalars, core or identity(shape[0]), shape)


def _by_letter(table: Table) -> dict[Letter, Sum]:
    found: dict[Letter, Sum] = {}
    for symbol, value in table.items():
        letters = [letter for m in symbol.terms for word in (*m.scalars, m.word) for letter in word]
        if len(letters) != 1 or letters[0] != letters[0].symbol or list(symbol.terms.values()) != [1]:
            raise ValueError(f"a table has single symbols on its left, not {symbol}")
        if value.shape != symbol.shape:
            raise ValueError(f"{symbol} is {_shown(symbol)}, but its entry {value} is {_shown(value)}")
        found[letters[0]] = value
    return found


def _side(side: Sum | int, other: Sum | int) -> Sum:
    if isinstance(side, Sum):
        return side
    if side == 0 and isinstance(other, Sum):
        return zero(*other.shape)
    raise ValueError(f"{side!r} is no sum of words; only 0 may stand for one, beside a sum")


def _shown(total: Sum) -> str:
    return f"{total.rows} x {total.columns}"
