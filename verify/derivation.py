"""What is a derivation?  One result with everything that could refute it: frozen records, validated when built.

A derivation states a result, lists the hypotheses as predicates, proves the steps by machine, hands out a reference
expression, and names the independent routes and the wrong neighbours (mutants) that test it.  `run` judges it.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from verify.verdict import Evidence, Result, Rigor

if TYPE_CHECKING:
    from verify.examine import DerivationResult

#: A declaration as in the `with` part of a claim, by name: {"x": "positive", "where": "x < y"}.
Declarations = Mapping[Any, str]


@dataclass(frozen=True)
class Display:
    """A displayed formula: its label and LaTeX."""

    label: str
    latex: str


@dataclass(frozen=True)
class Statement:
    """What is derived, for a reader.

    name        kebab-case, permanent: `verify derive NAME`.
    says        one plain sentence.
    convention  sign and layout, since both are free.
    source      keys of verify/bibliography.toml.
    """

    name: str
    title: str
    says: str
    displays: tuple[Display, ...] = ()
    convention: str = ""
    source: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not self.name or self.name != self.name.lower() or set(self.name) & set(" _"):
            raise ValueError(f"statement name {self.name!r} is not kebab-case; write it like 'adjoint-ode'")


@dataclass(frozen=True)
class Hypothesis:
    """A condition under which the result holds, evaluated on the derivation's own problem.

    holds   returns an Evidence: exact, enclosed or numerical when it was evaluated, assumed when it is only cited.
    """

    says: str
    holds: Callable[[], Evidence]


@dataclass(frozen=True)
class Step:
    """lhs = rhs, and why.

    lhs, rhs   SymPy expressions or matrices of one shape (entries are decided one by one; undefined functions and
               their derivatives are unknowns), or sums of non-commuting words (`verify.decide.words`).
    domain     declarations added to the derivation's.
    cited      where a step is proved if it is not proved here: it counts as assumed, and caps the verdict.
    display    LaTeX as on paper, where the sides as such would not be readable.
    """

    why: str
    lhs: Any
    rhs: Any
    domain: Declarations = field(default_factory=dict)
    cited: str = ""
    display: str = ""


@dataclass(frozen=True)
class Route:
    """An independent way to the reference's value.

    value       called with a case as keywords; with `steps=` too if `order` is given.
    resolution  the smallest relative disagreement it would have seen (dimensionless).
    relies_on   what it uses; routes with disjoint sets are independent.
    order       the order in 1/steps with which it must converge to the reference.
    steps       the step counts at which that order is measured; the last one is the route's value.
    """

    name: str
    value: Callable[..., Any]
    resolution: float
    relies_on: frozenset[str]
    rigor: Rigor = Rigor.NUMERICAL
    order: float | None = None
    steps: tuple[int, ...] = (16, 32, 64, 128, 256)

    def __post_init__(self) -> None:
        if not 0 < self.resolution < 1:
            raise ValueError(f"route {self.name!r}: resolution {self.resolution} is not between 0 and 1")
        if not self.relies_on:
            raise ValueError(
                f"route {self.name!r}: relies_on is empty; name what it uses, or independence means nothing"
            )


@dataclass(frozen=True)
class Reference:
    """The formula that the derivation hands out, as an expression and as a function.

    expression  SymPy expression or matrix in `arguments`.
    shape       shape of the value, () for a scalar.
    function    NumPy function of a case's keywords; compiled from the expression where it is not given.
    """

    expression: Any
    arguments: tuple[Any, ...]
    shape: tuple[int, ...]
    function: Callable[..., Any] | None = None

    def __call__(self, **case: Any) -> Any:
        """The value, an array of `shape`."""
        from verify.numerics.compiled import compiled

        function = self.function or compiled(self.expression, self.arguments, self.shape)
        return function(**case)


@dataclass(frozen=True)
class Mutant:
    """A wrong neighbour of the result, which every check worth the name rejects.

    value   called with a case as keywords; or a SymPy expression in the reference's arguments.
    blind   inputs at which it is right by accident; the cases must leave them.
    """

    slip: str
    says: str
    value: Any
    blind: tuple[str, ...] = ()


@dataclass(frozen=True)
class Printed:
    """A formula as somebody printed it, judged by the tool.

    claim       text of a claim, a Step, or a function that returns a Result.
    reading     the instance or reading under which it was put to the machine, empty for the formula as it stands.
    correction  LaTeX of the right formula, empty where it is right as printed.
    corrected   the correction as a claim, decided like any other.
    """

    where: str
    latex: str
    claim: str | Step | Callable[[], Result]
    correction: str = ""
    corrected: str | Step | Callable[[], Result] | None = None
    reading: str = ""


@dataclass(frozen=True)
class Series:
    """One curve or cloud of a figure: equally many x and y."""

    label: str
    x: tuple[float, ...]
    y: tuple[float, ...]
    style: str = "line"

    def __post_init__(self) -> None:
        if len(self.x) != len(self.y):
            raise ValueError(f"series {self.label!r}: {len(self.x)} x against {len(self.y)} y")


@dataclass(frozen=True)
class Figure:
    """What a figure shows, as plain data; the report draws it."""

    title: str
    x_label: str
    y_label: str
    series: tuple[Series, ...]
    log_x: bool = False
    log_y: bool = False
    caption: str = ""


@dataclass(frozen=True)
class Example:
    """A worked problem: a table of findings, and what they look like.

    header  of the columns; the second one is a finding: agrees, UNDECIDED or WRONG.
    rows    a cell for each column, as text.
    """

    title: str
    says: str
    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    figures: tuple[Figure, ...] = ()

    def __post_init__(self) -> None:
        for row in self.rows:
            if len(row) != len(self.header):
                raise ValueError(f"example {self.title!r}: a row of {len(row)} cells under {len(self.header)} columns")


@dataclass(frozen=True)
class Derivation:
    """One result and everything that supports or could refute it.

    domain   declarations of the symbols, as in the `with` part of a claim; what is not declared is real.
    steps    a function, so that importing a derivation computes nothing.
    cases    from a numpy Generator to an endless or finite supply of keyword arguments for routes and mutants.
    uses     derivations that this one rests on: its verdict is never above theirs.
    """

    statement: Statement
    steps: Callable[[], Iterator[Step]]
    domain: Declarations = field(default_factory=dict)
    hypotheses: tuple[Hypothesis, ...] = ()
    reference: Reference | None = None
    cases: Callable[[Any], Iterator[Mapping[str, Any]]] | None = None
    routes: tuple[Route, ...] = ()
    mutants: tuple[Mutant, ...] = ()
    uses: tuple[Derivation, ...] = ()
    printed: tuple[Printed, ...] = ()
    figure: Callable[[], Figure] | None = None
    example: Callable[[], Example] | None = None

    def __post_init__(self) -> None:
        name = self.statement.name
        if self.routes and (self.reference is None or self.cases is None):
            raise ValueError(f"derivation {name!r}: routes need a `reference` to confirm and `cases` to run on")
        for kind, labels in (("route", [r.name for r in self.routes]), ("mutant", [m.slip for m in self.mutants])):
            twice = sorted({label for label in labels if labels.count(label) > 1})
            if twice:
                raise ValueError(f"derivation {name!r}: {kind} {twice[0]!r} occurs twice; names must differ")

    @property
    def name(self) -> str:
        """The statement's name."""
        return self.statement.name


def run(
    derivation: Derivation, *, seed: int = 0, points: int = 5, progress: Callable[[str], None] | None = None
) -> DerivationResult:
    """Judge a derivation: each step, hypothesis, route and mutant, each printed formula, and all it uses.

    points    number of cases on which the routes and mutants are evaluated.
    progress  called with a short line before each part.
    """
    from verify.examine import examine

    return examine(derivation, seed=seed, points=points, progress=progress)


def main(derivation: Derivation) -> int:
    """Print the derivation with its verdicts; 1 if a step fails or anything is refuted, 0 otherwise."""
    from verify.narrate import narrate

    waiting = sys.stderr.isatty()

    def progress(line: str) -> None:
        sys.stderr.write(f"\r\x1b[K{line}")
        sys.stderr.flush()

    result = run(derivation, progress=progress if waiting else None)
    sys.stderr.write("\r\x1b[K" if waiting else "")
    encoding = sys.stdout.encoding or "utf-8"  # a terminal that has no such letter gets a question mark
    sys.stdout.write(narrate(derivation, result).encode(encoding, "replace").decode(encoding))
    return 0 if result.holds else 1


def all_derivations() -> dict[str, Derivation]:
    """Every derivation of the `derivations` package by name, sorted by name."""
    from importlib import import_module
    from pkgutil import iter_modules

    package = import_module("derivations")
    found = (
        getattr(import_module(f"derivations.{m.name}"), "derivation", None) for m in iter_modules(package.__path__)
    )
    return dict(sorted((d.name, d) for d in found if isinstance(d, Derivation)))


def find(name: str) -> Derivation:
    """The derivation of that name (underscores count as hyphens); LookupError names the nearest ones."""
    from difflib import get_close_matches
    from importlib import import_module
    from importlib.util import find_spec

    wanted = name.strip().lower().replace("_", "-")
    module = f"derivations.{wanted.replace('-', '_')}"
    if wanted.replace("-", "_").isidentifier() and find_spec(module):  # without importing all the others
        found = getattr(import_module(module), "derivation", None)
        if isinstance(found, Derivation) and found.name == wanted:
            return found
    derivations = all_derivations()
    if wanted not in derivations:
        near = get_close_matches(wanted, derivations, n=3, cutoff=0.4) or list(derivations)
        raise LookupError(
            f"no derivation is called {name!r}; there is {', '.join(near)}. `verify list` shows them all."
        )
    return derivations[wanted]
