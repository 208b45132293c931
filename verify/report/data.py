"""What does a report say?  Plain frozen records, made from results first; the renderings only lay them out."""

from __future__ import annotations

from dataclasses import dataclass

from verify.report.formula import Formula
from verify.report.prose import Prose


@dataclass(frozen=True)
class Badge:
    """A verdict as shown: the word, and which of the colours belongs to it."""

    word: str
    kind: str


@dataclass(frozen=True)
class Shown:
    """A displayed formula and its label."""

    label: Prose
    formula: Formula


@dataclass(frozen=True)
class Condition:
    """A hypothesis and how it was evaluated."""

    says: Prose
    badge: Badge
    how: str


@dataclass(frozen=True)
class Point:
    """A counterexample: exact coordinates, and what the two sides enclose there."""

    coordinates: tuple[tuple[str, str], ...]
    lhs: str
    rhs: str


@dataclass(frozen=True)
class StepLine:
    """One step of the proof."""

    number: int
    why: Prose
    formula: Formula
    badge: Badge
    how: Prose
    reason: str
    point: Point | None


@dataclass(frozen=True)
class RouteLine:
    """One independent route, its numbers already written out."""

    name: Prose
    badge: Badge
    rigor: str
    worst: str
    resolution: str
    order: str
    relies_on: str


@dataclass(frozen=True)
class MutantLine:
    """One wrong neighbour."""

    slip: Prose
    says: Prose
    rejected: bool
    rejected_by: str
    blind: tuple[Prose, ...]


@dataclass(frozen=True)
class PrintedBox:
    """A printed formula, what is wrong with it, and the right one.

    rigor  empty where nothing was decided.
    """

    where: str
    formula: Formula
    reading: Prose
    badge: Badge
    rigor: str
    says: Prose
    point: Point | None
    correction: Formula | None
    corrected: Badge


@dataclass(frozen=True)
class Source:
    """A reference; only a title where the bibliography does not know the key.

    recalled  whether numbers of equations and sections were not compared with the printed text.
    """

    title: str
    author: str = ""
    where: str = ""
    year: str = ""
    recalled: bool = False


@dataclass(frozen=True)
class Chart:
    """A drawn figure.

    label  what is said in its place to somebody who does not see it.
    svg    a document of its own.
    """

    title: Prose
    caption: Prose
    label: str
    svg: str


@dataclass(frozen=True)
class FindingLine:
    """One row of a worked problem: what it is about, the finding, and the other cells."""

    name: Prose
    badge: Badge
    cells: tuple[str, ...]


@dataclass(frozen=True)
class Worked:
    """A worked problem: columns, rows, and drawings."""

    title: str
    says: Prose
    header: tuple[str, ...]
    rows: tuple[FindingLine, ...]
    charts: tuple[Chart, ...]


@dataclass(frozen=True)
class Page:
    """Everything about one derivation."""

    name: str
    title: str
    badge: Badge
    says: Prose
    displays: tuple[Shown, ...]
    convention: Prose
    sources: tuple[Source, ...]
    uses: tuple[tuple[str, Badge], ...]
    rests_on: tuple[Prose, ...]
    conditions: tuple[Condition, ...]
    steps: tuple[StepLine, ...]
    steps_proved: int
    routes: tuple[RouteLine, ...]
    routes_agreeing: int
    cases: int
    closest: str
    mutants: tuple[MutantLine, ...]
    mutants_rejected: int
    printed: tuple[PrintedBox, ...]
    chart: Chart | None
    worked: Worked | None = None


@dataclass(frozen=True)
class Meaning:
    """A word of the report and what it promises."""

    badge: Badge
    means: str


@dataclass(frozen=True)
class Report:
    """The whole report.

    digest    SHA-256 of `record`, the file of results beside it, hexadecimal.
    versions  (package, version), of what the results rest on.
    """

    title: str
    lead: Prose
    verdicts: tuple[Meaning, ...]
    rigors: tuple[Meaning, ...]
    reading: tuple[Prose, ...]
    pages: tuple[Page, ...]
    seed: int
    command: str
    versions: tuple[tuple[str, str], ...]
    digest: str
    record: str = "results.json"

    @property
    def formulas(self) -> int:
        """Number of formulas in the report."""
        return sum(len(page.displays) + len(page.steps) + len(page.printed) for page in self.pages)
