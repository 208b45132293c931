"""What does `verify check notes.tex` do?  It judges every display with an equality where it stands."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from verify.batch import as_line
from verify.documents import DocumentError, Statement, read_document
from verify.judge import check as judge
from verify.terminal import Terminal, show
from verify.verdict import Result, Verdict

UNDECIDED = 3


@dataclass(frozen=True)
class Limits:
    """Seed, seconds and megabytes for each claim."""

    seed: int
    timeout: float
    memory: int


def check(path: str, let: Mapping[str, str | list[str]], limits: Limits, *, strict: bool, as_json: bool) -> int:
    """Judge a document and print what came of it; returns the exit status.

    strict   what cannot be read counts as UNDECIDED does.

    Raises DocumentError.
    """
    try:
        found = read_document(Path(path), let)
    except OSError as error:
        raise DocumentError(f"{path}: {error.strerror or error}") from None
    terminal = Terminal.of(sys.stdout)
    counts: Counter[str] = Counter()
    unread = 0
    for number, statement in enumerate(found):
        result = _judged(statement, limits)
        name = "definition" if statement.definition else result.verdict.name
        counts[name] += 1
        unread += name == "INVALID"
        if as_json:
            print(as_line(result.to_json() | {"line": statement.line, "latex": statement.latex}), flush=True)
        else:
            _show(path, statement, result, terminal, blank=number > 0)
    if not as_json:
        _show_summary(path, counts, terminal)
    if counts["REFUTED"]:
        return 1
    return UNDECIDED if counts["UNDECIDED"] or (strict and unread) else 0


def _judged(statement: Statement, limits: Limits) -> Result:
    if statement.claim is None:
        return Result(statement.latex, Verdict.INVALID, reason=statement.reason, seed=limits.seed)
    return judge(statement.claim, seed=limits.seed, timeout=limits.timeout, memory=limits.memory)


def _show(path: str, statement: Statement, result: Result, terminal: Terminal, *, blank: bool) -> None:
    if blank:
        terminal.write()
    terminal.write(f"{path}:{statement.line}: {' '.join(statement.latex.split())}")
    if statement.claim is not None:
        show(result, terminal)
    else:
        terminal.row("not judged", statement.reason)


def _show_summary(path: str, counts: Counter[str], terminal: Terminal) -> None:
    names = {"INVALID": "not readable", "definition": "definitions"}
    parts = [f"{count} {names.get(name, name)}" for name, count in sorted(counts.items())]
    terminal.write()
    terminal.write(f"{path}: {', '.join(parts) or 'no display with an equality'}")
