"""What does `verify derive problem.toml --routes` print?  Every route to the gradient, against the enclosure."""

from __future__ import annotations

import json
import sys
from fractions import Fraction
from typing import TYPE_CHECKING

from verify.usage import UsageError, point_of

if TYPE_CHECKING:
    from verify.numerics.routes import Row, Table
    from verify.terminal import Terminal

COLOURS = {"agrees": "32", "WRONG": "1;31", "UNDECIDED": "33"}
#: Whether it was known before anything was run.
WHEN = {True: "known beforehand: ", False: "seen when it ran: "}
HEAD = f"{'route':27}{'method':17}{'finding':11}{'claims':>8}{'is off':>9}"


def routes(path: str, at: str | None, *, as_json: bool = False) -> int:
    """Print the table; 1 if a route is off by more than it claims.  Raises UsageError."""
    from verify.language.toml import ProblemError, read_system
    from verify.numerics.routes import table
    from verify.numerics.straight import NoFloat
    from verify.system_commands import text_of
    from verify.systems import OdeProblem
    from verify.terminal import Terminal

    try:
        system = read_system(text_of(path))
    except ProblemError as error:
        raise UsageError(f"{path}: {error}") from None
    if not isinstance(system.problem, OdeProblem):
        raise UsageError(f"{path}: routes are compared for ODE problems; this one is a {system.problem.kind}")
    waiting = sys.stderr.isatty()

    def progress(line: str) -> None:
        if waiting:
            sys.stderr.write(f"\r\x1b[K{line} …")
            sys.stderr.flush()

    try:
        found = table(system.problem, _values(at), progress=progress)
    except (ValueError, NoFloat, ArithmeticError) as reason:
        raise UsageError(f"{path}: {reason}") from None
    finally:
        sys.stderr.write("\r\x1b[K" if waiting else "")
    if as_json:
        print(json.dumps(found.to_json(), ensure_ascii=False))
    else:
        show(found, Terminal.of(sys.stdout), system.title)
    return int(any(row.status == "WRONG" for row in found.rows))


def show(found: Table, terminal: Terminal, title: str = "") -> None:
    """The point, what was seen along the solution, the gradient with its proof, and a line for each route."""
    from verify.numerics.enclosure import Enclosure
    from verify.numerics.routes.tables import UNDECIDED

    if title:
        terminal.write(title)
    terminal.row("at", ", ".join(f"{name} = {value:g}" for name, value in found.point.items()))
    if found.look is not None:
        first, second = found.look.says()
        terminal.row("ahead", first)
        terminal.row("", second)
    if isinstance(found.enclosure, Enclosure):
        balls = (f"dG/d{name} = {ball.text}" for name, ball in found.enclosure.gradient.items())
        terminal.row("enclosed", "\n".join(balls))
    else:
        terminal.row("enclosed", f"no: {found.enclosure.reason}")
        terminal.row("", "routes are held against each other, which proves nothing")
    if found.reason:
        terminal.row("why", found.reason)
        return
    terminal.write()
    terminal.write(terminal.paint(HEAD, "2"))
    for row in found.rows:
        terminal.write(line(row, terminal))
        terminal.write(terminal.paint(f"  {WHEN[row.foreseen] if row.status == UNDECIDED else ''}{row.says}", "2"))
    best = min((row for row in found.rows if row.status == "agrees"), key=lambda row: row.claims or 0.0, default=None)
    if not isinstance(found.enclosure, Enclosure) and best is not None and best.gradient is not None:
        terminal.write()
        error = (best.claims or 0.0) * max(map(abs, best.gradient.values()))
        for name, value in best.gradient.items():
            terminal.row("gradient", f"dG/d{name} = {within(value, error)}")


def line(row: Row, terminal: Terminal) -> str:
    """One route."""
    claims, found = (f"{x:.0e}" if x is not None else "" for x in (row.claims, row.found))
    status = terminal.paint(f"{row.status:11}", COLOURS[row.status])
    return f"{row.name:27}{row.method:17}{status}{claims:>8}{found:>9}".rstrip()


def within(value: float, error: float) -> str:
    """A number with the digits in front of its error, which may be all of it."""
    from math import floor, log10

    if not error or error < 1e-15 * abs(value):
        return f"{value:.15g}"
    shown = max(0, floor(log10(abs(value))) - floor(log10(error)) + 1) if value else 0
    return f"{value:.{shown}g} +/- {error:.0e}" if shown else f"0 +/- {abs(value) + error:.0e}"


def _values(at: str | None) -> dict[str, Fraction] | None:
    if at is None:
        return None
    try:
        return {name: Fraction(text) for name, text in (point_of(at) or {}).items()}
    except (ValueError, ZeroDivisionError):
        raise UsageError(f"--at: {at!r} has a value that is no number; write --at 'a=3/2, b=0.1'") from None
