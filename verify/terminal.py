"""How is a result shown to the person who asked?  Colour on a terminal only, words where an encoding lacks a sign."""

from __future__ import annotations

import math
import os
import re
import shlex
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING, Any

from verify.verdict import Evidence, Result, Rigor, Verdict

if TYPE_CHECKING:
    from pathlib import Path

    from verify.batch import Summary
    from verify.certificates import Rechecked

STYLES = {"PROVED": "1;32", "SUPPORTED": "36", "REFUTED": "1;31", "UNDECIDED": "33", "INVALID": "35"}
DIM, BOLD = "2", "1"
LABEL_WIDTH = 11
#: Relative differences that do not show in the digits that are printed.
HARD_TO_SEE = 1e-12

#: Characters that this module prints and an encoding may lack, with what is printed instead.
PLAIN = {"…": "...", "—": "-", "·": "-"}


@dataclass(frozen=True)
class Terminal:
    """A stream, and what it can show."""

    stream: IO[str]
    colour: bool = False
    plain: bool = False

    @classmethod
    def of(cls, stream: IO[str]) -> Terminal:
        try:
            "".join(PLAIN).encode(getattr(stream, "encoding", None) or "ascii")
            plain = False
        except (UnicodeEncodeError, LookupError):
            plain = True
        dumb = "NO_COLOR" in os.environ or os.environ.get("TERM") == "dumb"
        return cls(stream, colour=stream.isatty() and not dumb, plain=plain)

    def paint(self, text: str, style: str) -> str:
        return f"\033[{style}m{text}\033[0m" if self.colour else text

    def verdict(self, verdict: str) -> str:
        return self.paint(verdict, STYLES[verdict])

    def write(self, line: str = "") -> None:
        if self.plain:
            for sign, words in PLAIN.items():
                line = line.replace(sign, words)
        print(line, file=self.stream)

    def row(self, label: str, text: str) -> None:
        """A labelled line; further lines of the text are indented below it."""
        for line in text.split("\n"):
            self.write(f"{self.paint(f'{label:{LABEL_WIDTH}}', DIM)}{line}".rstrip())
            label = ""


# --- one claim ------------------------------------------------------------------------------------


def show(result: Result, terminal: Terminal, let: Sequence[str] = ()) -> None:
    """The story of one claim: what was read, the verdict and its evidence, what to do with it."""
    if result.read_as:
        terminal.row("read as", result.read_as)
    rigor = "" if result.rigor is None else f" ({result.rigor})"
    terminal.write(terminal.verdict(result.verdict.name) + rigor)
    if result.reason:
        terminal.row("why", result.reason)
    if (found := result.counterexample) is not None:
        terminal.row("at", point_text(found.point) or "every point")
        terminal.row("left side", found.lhs)
        terminal.row("right side", found.rhs)
        gap = max((e.worst or 0.0 for e in result.evidence if e.holds is False), default=0.0)
        if 0 < gap < HARD_TO_SEE:
            terminal.row("apart by", f"{gap:.0e} (relative)")
    if (slip := result.diagnosis) is not None:
        terminal.row("slip", f"{slip.slip}: {slip.says} ({slip.verdict})")
    if result.correction is not None:
        terminal.row("correct", _corrected(result.read_as, terminal.paint(result.correction, BOLD)))
    for evidence in result.evidence:
        if says := evidence_text(evidence):
            terminal.row("by", says)
    if result.verdict is Verdict.SUPPORTED:
        terminal.row("resolution", _resolution(result))
    for note in result.notes:
        terminal.row("note", note)
    if found is not None:
        terminal.row("re-check", recheck_command(result, found.point, let))
    if advice := _advice(result):
        terminal.row("try", advice)


def _corrected(read_as: str, correction: str) -> str:
    """The claim with its wrong side replaced: the right one, unless only that one holds a derivative."""
    left, _, right = read_as.partition(" with ")[0].partition(" = ")
    derivative = re.compile(r"\bd(\^\d+)?/d|\b(grad|jac|hess|div)_|\bdiff\(")
    if derivative.search(right) and not derivative.search(left):
        return f"{correction} = {right}"
    return f"{left} = {correction}"


def point_text(point: Mapping[str, str]) -> str:
    """x = 3/7, y = -2."""
    return ", ".join(f"{name} = {value}" for name, value in point.items())


def recheck_command(result: Result, point: Mapping[str, str], let: Sequence[str] = ()) -> str:
    """The command that encloses both sides at the point again, quoted for a shell."""
    declared = "".join(f" --let {shlex.quote(text)}" for text in let)
    at = ", ".join(f"{name}={value}" for name, value in point.items())
    return f"verify check {shlex.quote(result.claim)}{declared} --at {shlex.quote(at)}"


def evidence_text(evidence: Evidence) -> str:
    """What a route found, in one line; empty where the reason of the verdict says it already."""
    detail = evidence.detail
    if evidence.rigor is Rigor.EXACT:
        if not evidence.holds:
            return f"no proof: {detail.get('reason', 'none found')}"
        parts = [str(detail.get("method", evidence.route))]
        if (cells := detail.get("cells", 1)) > 1:
            parts.append(f"{cells} cases of signs")
        if "log2_error" in detail:
            parts.append(f"wrong with a probability below 2^{math.ceil(detail['log2_error'])}")
        return ", ".join(parts)
    points = detail.get("points", 0)
    if evidence.holds:
        digits = f"to {detail['digits']} digits" if "digits" in detail else "exactly"
        pieces = "".join(f", {name} {sides}" for name, sides in detail.get("pieces", {}).items())
        return f"enclosures that agree {digits} at {points} points{pieces}"
    if evidence.holds is False and "differ" in detail:
        return f"enclosures that are apart at {detail['differ']} of {points} points"
    return ""


def _resolution(result: Result) -> str:
    seen = min((e.resolution for e in result.evidence if e.holds and e.resolution is not None), default=None)
    return "none measured" if seen is None else f"a relative error of {seen:.0e} would have been seen"


def _advice(result: Result) -> str:
    stopped = " ".join((result.reason, *result.notes))
    if "time limit" in stopped:
        return "a longer --timeout"
    if "memory limit" in stopped:
        return "more --memory"
    if result.verdict is Verdict.UNDECIDED and "no point" in result.reason:
        return "a narrower domain, for example --let 'x: interval(1/2, 2)'"
    return ""


# --- a corpus -------------------------------------------------------------------------------------


def show_line(record: Mapping[str, Any], terminal: Terminal) -> None:
    """One claim of a corpus in one line."""
    verdict, says = record["verdict"], record["claim"]
    if "counterexample" in record:
        says += f" — not at {point_text(record['counterexample']['point'])}"
    if why := record.get("error") or record.get("reason"):
        says += f" — {why.splitlines()[0]}"
    says = " ".join(says.split())
    terminal.write(f"{terminal.verdict(verdict)}{' ' * (11 - len(verdict))}{record['id']}  {says}")


def show_summary(summary: Summary, terminal: Terminal, out: Path | None) -> None:
    """Counts by verdict, and where the results are."""
    counts = [
        f"{terminal.verdict(verdict.name)} {summary.verdicts[verdict.name]}"
        for verdict in reversed(Verdict)
        if summary.verdicts[verdict.name]
    ]
    there = f" ({summary.resumed} were there)" if summary.resumed else ""
    terminal.write(f"{summary.done} claims{there} in {summary.seconds:.1f} s: {' · '.join(counts)}")
    if out is not None:
        terminal.write(f"results in {out}")


def show_rechecked(again: Rechecked, terminal: Terminal) -> None:
    """One certificate in one line."""
    word = {True: "holds", False: "CONTRADICTED", None: "open"}[again.holds]
    style = {True: "32", False: "1;31", None: "33"}[again.holds]
    says = " ".join(again.says.split())
    terminal.write(f"{terminal.paint(word, style)}{' ' * (14 - len(word))}{again.verdict}  {again.name} — {says}")


# --- progress -------------------------------------------------------------------------------------


@contextmanager
def progress(stream: IO[str]) -> Generator[Callable[[Summary], None]]:
    """A bar while a corpus is decided, where `stream` is a terminal; nothing otherwise."""

    def words(summary: Summary) -> tuple[int, int, str]:
        counts = ((summary.verdicts[v.name], v.name) for v in reversed(Verdict))
        return summary.done, summary.total, ", ".join(f"{count} {name}" for count, name in counts if count)

    with parts(stream) as advance:
        yield lambda summary: advance(*words(summary))


@contextmanager
def parts(stream: IO[str]) -> Generator[Callable[[int, int, str], None]]:
    """A bar that is moved by (done, total, what is being done), where `stream` is a terminal; nothing otherwise."""
    if not stream.isatty():
        yield lambda *_: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(), TextColumn("{task.description}"))
    with Progress(*columns, console=Console(file=stream), transient=True) as bar:
        task = bar.add_task("", total=None)
        yield lambda done, total, says: bar.update(task, completed=done, total=total, description=says)
