"""What do `verify check problem.toml` and `verify derive problem.toml` do and print?"""

from __future__ import annotations

import json
import shlex
import sys
from typing import TYPE_CHECKING, Any

from verify.usage import UsageError
from verify.verdict import Evidence, Rigor, Verdict

if TYPE_CHECKING:
    from verify.decide.systems.result import Part, SystemResult
    from verify.terminal import Terminal


def text_of(path: str) -> str:
    """The text of a file.  Raises UsageError."""
    try:
        with open(path, encoding="utf-8-sig") as file:
            return file.read()
    except OSError as error:
        raise UsageError(f"{path}: {error.strerror or error}") from None
    except UnicodeDecodeError as error:
        raise UsageError(f"{path}: no UTF-8 text at byte {error.start}") from None


def check(path: str, *, seed: int, timeout: float | None, memory: int, as_json: bool) -> Verdict:
    """Judge a file and print what was found; the verdict.  Raises UsageError."""
    from verify.judge_systems import check_system
    from verify.terminal import Terminal

    limits = {} if timeout is None else {"timeout": timeout}
    result = check_system(text_of(path), name=path, seed=seed, memory=memory, **limits)
    if as_json:
        print(json.dumps(result.to_json(), ensure_ascii=False), flush=True)
    elif result.verdict is Verdict.INVALID:
        print(f"verify: {path}: {result.reason}", file=sys.stderr)
    else:
        show(result, Terminal.of(sys.stdout))
    return result.verdict


def show(result: SystemResult, terminal: Terminal) -> None:
    """The verdict on the whole, each part with what is known of it (the wrong ones first), and what was not claimed."""
    rigor = "" if result.rigor is None else f" ({result.rigor})"
    terminal.write(f"{terminal.verdict(result.verdict.name)}{rigor}  {result.claim}: {result.kind}".rstrip(": "))
    if result.reason:
        terminal.row("why", result.reason)
    if result.convention:
        terminal.row("convention", result.convention)
    for part in sorted(result.parts, key=lambda part: part.verdict):
        _show_part(part, terminal)
    for name, right in result.derived:
        terminal.row("derived", f"{_sides(name, right)}")
    for note in result.notes:
        terminal.row("note", note)
    if result.verdict is Verdict.REFUTED:
        terminal.row("re-check", f"verify check {shlex.quote(result.claim)} --seed {result.seed + 1}")


def _show_part(part: Part, terminal: Terminal) -> None:
    padding = " " * (11 - len(part.verdict.name))
    terminal.write(f"{terminal.verdict(part.verdict.name)}{padding}{_sides(part.name, part.claim)}")
    if part.reason:
        terminal.row("  why", part.reason)
    if part.diagnosis:
        terminal.row("  slip", f"{part.diagnosis.slip}: {part.diagnosis.says} ({part.diagnosis.verdict})")
    if part.correction:
        terminal.row("  correct", _sides(part.name, part.correction))
    if (found := part.counterexample) is not None and part.verdict is Verdict.REFUTED:
        from verify.terminal import point_text

        between = "and" if part.name == "invertible" else "instead of"
        terminal.row("  at", f"{point_text(found.point) or 'every point'}: {found.lhs} {between} {found.rhs}")
    if part.verdict >= Verdict.SUPPORTED:
        ways = dict.fromkeys(way for evidence in part.evidence if (way := _way(evidence)))
        for way in ways:
            terminal.row("  by", way)


def _way(evidence: Evidence) -> str:
    if evidence.rigor is Rigor.EXACT and evidence.holds:
        return str(evidence.detail.get("method", evidence.route))
    if evidence.rigor is Rigor.NUMERICAL and evidence.holds:
        return f"{evidence.route}, to {evidence.worst:.0e}" if evidence.worst is not None else evidence.route
    return ""


def _sides(name: str, formula: str) -> str:
    """l1' = …, l1(T) = …, dG/da = …; equations stand alone."""
    table, _, key = name.partition(" ")
    match table:
        case "adjoint" if key.isdigit():
            return formula
        case "gradient":
            return f"dG/d{key} = {formula}"
        case "adjoint":
            return f"adjoint {key}: {formula}"
        case _:
            return f"{name}: {formula}"


def derive(path: str, *, code: bool) -> int:
    """Print the adjoint system of a file, or a NumPy module for it.  Raises UsageError."""
    from verify.decide.prove.tower import GiveUp
    from verify.densities import DensitySystem
    from verify.language.toml import ProblemError, read_system
    from verify.terminal import Terminal

    try:
        system = read_system(text_of(path))
    except ProblemError as error:
        raise UsageError(f"{path}: {error}") from None
    try:
        if isinstance(system, DensitySystem):
            if code:
                raise ValueError(f"modules are written for gradients; this problem is a {system.problem.kind}")
        elif code:
            from verify.calculus.numpy_code import module

            print(module(system.problem), end="")
            return 0
        terminal = Terminal.of(sys.stdout)
        for line in derivation(system):
            terminal.write(line)
    except (GiveUp, ValueError) as reason:
        raise UsageError(f"{path}: not derived: {reason}") from None
    return 0


def derivation(system: Any) -> list[str]:
    """The derivation of a system, line by line."""
    from verify.densities import DensitySystem

    if isinstance(system, DensitySystem):
        from verify.decide.densities import story as density_story

        return density_story(system)
    from verify.decide.systems.story import story

    return story(system)
