"""How does a derivation read in a terminal?  Plain text: the page, then what the machine found."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from textwrap import fill, indent

from verify.derivation import Derivation, Example
from verify.examine import DerivationResult, PrintedResult
from verify.steps import METHODS, StepResult
from verify.verdict import Evidence, Verdict

WIDTH = 100


def narrate(derivation: Derivation, result: DerivationResult) -> str:
    """The derivation file's own docstring, followed by every verdict; ends with a newline."""
    return "\n".join(_lines(derivation, result)) + "\n"


def _lines(derivation: Derivation, result: DerivationResult) -> Iterator[str]:
    module = sys.modules.get(derivation.steps.__module__)
    page = (module.__doc__ or "").strip() if module else ""
    yield page or f"{result.statement.title}\n\n{result.statement.says}"
    if result.hypotheses:
        yield "\nHypotheses"
        for h in result.hypotheses:
            yield _hanging(f"{h.verdict!s:9} ", f"{h.says} ({h.evidence.rigor}: {h.evidence.route})")
    yield "\nSteps"
    for number, step in enumerate(result.steps, 1):
        yield from _step(number, step)
    if result.routes:
        yield f"\nRoutes that could have refuted it ({result.points} cases, seed {result.seed})"
        yield from map(_route, result.routes)
    if result.example:
        yield from _example(result.example)
    if result.mutants:
        rejected = len(result.mutants) - len(result.survivors)
        yield f"\nWrong neighbours: {rejected} of {len(result.mutants)} rejected"
        for m in result.mutants:
            count = len(m.rejected_by)
            by = f"by {count} routes" if count > 1 else f"by {m.rejected_by[0]}" if count else "NOT REJECTED"
            blind = f"; right by accident where {' or '.join(m.blind)}" if m.blind else ""
            yield _hanging("  ", f"{m.slip}: {m.says} ({by}{blind})")
    for p in result.printed:
        yield from _printed(p)
    for used in result.uses:
        yield f"\nUses {used.name}: {used.verdict}"
    yield f"\n{result.name}: {result.verdict}"
    if result.rests_on:
        yield _hanging("  ", "rests on what is only cited: " + "; ".join(result.rests_on))


def _step(number: int, step: StepResult) -> Iterator[str]:
    label = "cited" if step.cited else str(step.verdict)
    how = step.cited or ", ".join(METHODS.get(route, route) for route in step.method.split(", "))
    count = f", {step.entries} entries" if step.entries > 1 else ""
    yield _hanging(f"{label:9} {number:2}. ", f"{step.why} ({how}{count})")
    if step.verdict < Verdict.SUPPORTED:
        yield indent(f"{step.lhs}\n  = {step.rhs}\n{step.reason}".rstrip(), " " * 14)
        if step.counterexample:
            c = step.counterexample
            at = ", ".join(f"{name} = {value}" for name, value in c.point.items())
            yield indent(f"at {at}: left {c.lhs}, right {c.rhs}", " " * 14)


def _route(route: Evidence) -> str:
    said = {True: "agrees", False: "DISAGREES", None: "could not tell"}[route.holds]
    worst = "not finite" if route.worst is None else f"{route.worst:.1e}"
    order = route.detail.get("order")
    shown = "" if order is None else f"; order {route.detail['observed order']} (claimed {order:g})"
    resolution = f"{route.resolution:.0e}" if route.resolution is not None else "none"
    return _hanging(f"  {said:10} ", f"{route.route}: worst {worst}, would have seen {resolution}{shown}")


def _example(example: Example) -> Iterator[str]:
    yield f"\n{example.title}"
    yield fill(example.says, WIDTH)
    table = [example.header, *example.rows]
    widths = [max(len(row[i]) for row in table) for i in range(len(example.header) - 1)]
    for row in table:
        head = "  " + "  ".join(cell.ljust(width) for cell, width in zip(row[:-1], widths, strict=True)) + "  "
        yield f"{head}{row[-1]}".rstrip()


def _printed(printed: PrintedResult) -> Iterator[str]:
    result = printed.result
    yield f"\nAs printed in {printed.where}\n    {printed.latex}"
    if printed.reading:
        yield f"  {printed.reading}"
    yield _hanging("  ", f"{result.verdict}" + (f": {result.diagnosis.says}" if result.diagnosis else ""))
    if result.counterexample:
        c = result.counterexample
        at = ", ".join(f"{name} = {value}" for name, value in c.point.items())
        yield indent(f"at {at}\nleft-hand side   {c.lhs}\nright-hand side  {c.rhs}", "    ")
    if printed.correction:
        verdict = f" ({printed.corrected.verdict})" if printed.corrected else ""
        yield f"  right is{verdict}\n    {printed.correction}"


def _hanging(label: str, text: str) -> str:
    return fill(text, WIDTH, initial_indent=label, subsequent_indent=" " * len(label), break_long_words=False)
