"""What does `verify check notes.tex` do?  It judges every display with an equality where it stands."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from verify.batch import as_line
from verify.documents import DocumentError, Statement, read_document, statements
from verify.judge import concluded, judge
from verify.terminal import Terminal, parts, show
from verify.verdict import Result, Verdict
from verify.worker import run_all

UNDECIDED = 3
#: Characters of a formula that are shown where it stands; its reading follows.
LONGEST_SHOWN = 160
_NOT_JUDGED = {
    "definition": ("definition", "definitions"), "no claim": ("no claim", "no claims"),
    "unreadable": ("not readable", "not readable"),
}  # fmt: skip


@dataclass(frozen=True)
class Limits:
    """Seed, seconds and megabytes for each claim; how many processes decide."""

    seed: int
    timeout: float
    memory: int
    jobs: int = 1


def check(path: str, let: Mapping[str, str | list[str]], limits: Limits, *, strict: bool, as_json: bool) -> int:
    """Judge a document and print what came of it; returns the exit status.

    strict   what cannot be read counts as UNDECIDED does.

    Raises DocumentError.
    """
    try:
        text = read_document(Path(path))
    except OSError as error:
        raise DocumentError(f"{path}: {error.strerror or error}") from None
    found = statements(text, let, markdown=path.endswith(".md"))
    lines = text.count("\n") + 1
    counts: Counter[str] = Counter()
    used: set[str] = set()
    with parts(sys.stderr) as advance:
        terminal = Terminal.of(sys.stdout)
        for statement, result in _judged(found, limits):
            advance(statement.line, lines, f"line {statement.line}")
            counts[statement.kind or result.verdict.name] += 1
            used |= set(statement.claim.domain.variables) if statement.claim is not None else set()
            if as_json:
                print(as_line(_record(statement, result)), flush=True)
            else:
                _show(path, statement, result, terminal, blank=counts.total() > 1)
    if not as_json:
        _show_summary(path, counts, terminal)
    for name in let:
        if name not in used and name != "where":
            print(f"verify: {path}: no display that was judged has the declared name {name}", file=sys.stderr)
    if counts["REFUTED"]:
        return 1
    return UNDECIDED if counts["UNDECIDED"] or (strict and counts["unreadable"]) else 0


def _judged(found: Iterator[Statement], limits: Limits) -> Iterator[tuple[Statement, Result]]:
    """Each statement with its result, in the order of the document."""
    met: dict[int, Statement] = {}
    done: dict[int, Result] = {}

    def claims() -> Iterator[tuple[int, tuple[object, ...]]]:
        for number, statement in enumerate(found):
            met[number] = statement
            if statement.claim is None:
                done[number] = Result(statement.latex, Verdict.INVALID, reason=statement.reason, seed=limits.seed)
            else:
                yield number, (statement.claim, None, limits.seed)

    following = 0
    outcomes = run_all(judge, claims(), jobs=limits.jobs, seconds=limits.timeout, megabytes=limits.memory)
    for number, outcome in outcomes:
        claim = met[number].claim
        assert claim is not None
        done[number] = concluded(claim, outcome, limits.seed)
        while following in done:
            yield met.pop(following), done.pop(following)
            following += 1
    while following in done:
        yield met.pop(following), done.pop(following)
        following += 1


def _record(statement: Statement, result: Result) -> dict[str, object]:
    record = result.to_json() | {"line": statement.line, "latex": statement.latex}
    return record | ({"kind": statement.kind} if statement.kind else {})


def _show(path: str, statement: Statement, result: Result, terminal: Terminal, *, blank: bool) -> None:
    if blank:
        terminal.write()
    # A control character in a document must not reach the terminal.
    formula = "".join(each if each.isprintable() else "?" for each in " ".join(statement.latex.split()))
    shown = formula if len(formula) <= LONGEST_SHOWN else formula[: LONGEST_SHOWN - 1] + "…"
    terminal.write(f"{path}:{statement.line}: {shown}")
    if statement.claim is not None:
        show(result, terminal)
    else:
        label = {"definition": "definition", "no claim": "no claim"}.get(statement.kind, "not judged")
        terminal.row(label, statement.reason)


def _show_summary(path: str, counts: Counter[str], terminal: Terminal) -> None:
    judged = [f"{counts[verdict.name]} {verdict.name}" for verdict in reversed(Verdict) if counts[verdict.name]]
    others = [f"{counts[kind]} {says[counts[kind] > 1]}" for kind, says in _NOT_JUDGED.items() if counts[kind]]
    terminal.write()
    terminal.write(f"{path}: {', '.join((*judged, *others)) or 'no display with an equality'}")
