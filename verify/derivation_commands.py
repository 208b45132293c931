"""What do `verify list`, `derive`, `report` and `recheck` do and print?

Each returns the exit status.  Raises UsageError.
"""

from __future__ import annotations

import json
import os
import sys
from typing import TYPE_CHECKING, Any

from verify.usage import EXIT_UNDECIDED, UsageError

if TYPE_CHECKING:
    from verify.derivation import Derivation


def list_(options: Any) -> int:
    """The derivations, a line each."""
    from verify.derivation import all_derivations

    found = all_derivations()
    width = max(map(len, found), default=0)
    for name, derivation in found.items():
        statement = derivation.statement
        if options.json:
            print(json.dumps({"name": name, "title": statement.title, "says": statement.says}))
        else:
            print(f"{name:{width}}  {statement.title}")
    return 0


def _derivation(name: str) -> Derivation:
    from verify.derivation import find

    try:
        return find(name)
    except LookupError as error:
        raise UsageError(str(error.args[0])) from None


def derive(options: Any) -> int:
    """Run a derivation, or derive the system of a TOML file or a formula, and print it."""
    if options.routes:
        from verify.route_commands import routes

        return routes(options.name, options.at, as_json=options.json)
    from verify import formula_commands

    if options.at:
        raise UsageError("--at belongs to --routes")
    if formula_commands.is_formula(options.name):
        return formula_commands.derive(
            options.name, options.let, code=options.code, as_json=options.json, seed=options.seed,
            timeout=options.timeout, memory=options.memory,
        )  # fmt: skip
    if options.json or options.let:
        raise UsageError("--json belongs to formulas and to --routes, --let to formulas")
    if options.name.endswith(".toml"):
        from verify import system_commands

        return system_commands.derive(options.name, code=options.code)
    if options.code:
        raise UsageError("there is code for problem.toml and for formulas, not for derivations")
    from verify.derivation import main

    return main(_derivation(options.name))


def report(options: Any) -> int:
    """Run derivations, or judge the printed formulas of the curriculum, and write the report."""
    if "errata" in options.names:
        return _errata(options)
    for name in options.names:
        try:
            _derivation(name)
        except UsageError as error:
            raise UsageError(f"{error} `verify report errata` is the report on printed formulas.") from None
    from verify.report import write_report
    from verify.terminal import parts

    both = options.html == options.pdf
    try:
        with parts(sys.stderr) as advance:
            written = write_report(
                options.names or None, options.output, html=both or options.html, pdf=both or options.pdf,
                seed=options.seed, jobs=min(2, os.cpu_count() or 1), progress=advance,
            )  # fmt: skip
    except OSError as error:
        raise UsageError(f"{options.output}: {error.strerror or error}") from None
    for result in written.results:
        print(f"{result.verdict.name:9}  {result.name}")
    for path in written.paths:
        print(path)
    return 0 if written.holds else 1


def _errata(options: Any) -> int:
    from verify.report.errata import write_errata
    from verify.terminal import parts

    if options.names != ["errata"]:
        raise UsageError("errata is a report of its own: `verify report errata`")
    both = options.html == options.pdf
    try:
        with parts(sys.stderr) as advance:
            written = write_errata(
                options.output, html=both or options.html, pdf=both or options.pdf, seed=options.seed,
                jobs=min(2, os.cpu_count() or 1), progress=advance,
            )  # fmt: skip
    except OSError as error:
        raise UsageError(f"{options.output}: {error.strerror or error}") from None
    for judged in written.errata.judged:
        if judged.trouble:
            print(f"{judged.entry.record.id}: {judged.trouble}")
    for status, count in written.errata.counts().items():
        print(f"{count:4}  {status}")
    for path in written.paths:
        print(path)
    return 0 if written.errata.holds else 1


def recheck(options: Any) -> int:
    """Run the certificates in a file of results again, without the prover."""
    from verify import certificates
    from verify.terminal import Terminal, show_rechecked

    try:
        with open(options.file, encoding="utf-8-sig") as file:
            records = certificates.records_in(file.read())
    except OSError as error:
        raise UsageError(f"{options.file}: {error.strerror}") from None
    except ValueError as error:
        raise UsageError(f"{options.file}: {error}") from None
    terminal = Terminal.of(sys.stdout)
    held: list[bool | None] = []
    for record in records:
        again = certificates.recheck(record, seed=options.seed, timeout=options.timeout, memory=options.memory)
        held.append(again.holds)
        if options.json:
            print(json.dumps(again.to_json()))
        else:
            show_rechecked(again, terminal)
    if False in held:
        return 1
    return EXIT_UNDECIDED if None in held else 0
