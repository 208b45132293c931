"""What does the command `verify` do?  It checks claims, and runs and reports derivations."""

from __future__ import annotations

import argparse
import io
import math
import os
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NoReturn

from verify.usage import EXIT_INTERRUPTED, EXIT_UNDECIDED, EXIT_USAGE, UsageError, point_of
from verify.verdict import Result, Verdict

if TYPE_CHECKING:
    from verify.batch import Record, Summary
    from verify.claim import Claim

#: Endings of documents whose displays are judged.
DOCUMENTS = (".tex", ".md")
#: Seconds for each claim; a system may take longer unless a limit is given.
TIMEOUT = 10.0

EPILOG = """\
exit status: 0 every claim PROVED or SUPPORTED, 1 one at least REFUTED, 2 input that cannot be read,
3 none REFUTED but one at least UNDECIDED.

examples:
  verify check "d/dx sin(x)^2 = 2*sin(x)*cos(x)"
  verify check "d/dx (x^n) = n*x^(n-1) with x: positive, n: real"
  verify check corpus.jsonl --jobs 2 --out results.jsonl
  verify check '\\frac{d}{dx} \\sin^2 x = 2 \\sin x \\cos x'
  verify check notes.tex --let "A: matrix(n,n), x: vector(n)"
  echo 'd/dx sin(x) = cos(x)' | verify check -
  verify check problem.toml
  verify derive linear-ode-gradient
  verify derive problem.toml --code
  verify derive "grad_X tr(A*X*B) with X: matrix(m,n), A: matrix(p,m), B: matrix(n,p)"
  verify report
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit status."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")  # a character that an encoding lacks must not end the program
    options = _parser().parse_args(_protected(sys.argv[1:] if arguments is None else arguments))
    try:
        status = options.run(options)
        sys.stdout.flush()
        return status
    except UsageError as error:
        print(f"verify: {error}", file=sys.stderr)
        return EXIT_USAGE
    except KeyboardInterrupt:
        print("\nverify: interrupted", file=sys.stderr)
        return EXIT_INTERRUPTED
    except BrokenPipeError:  # the reader of our output has seen enough; nothing may be flushed to it at the end
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return EXIT_INTERRUPTED


# --- arguments ------------------------------------------------------------------------------------


class _Parser(argparse.ArgumentParser):
    """Usage errors in one line, with the way to the help."""

    def error(self, message: str) -> NoReturn:
        print(f"verify: {message}\n        see {self.prog} --help", file=sys.stderr)
        raise SystemExit(EXIT_USAGE)


def _parser() -> argparse.ArgumentParser:
    from verify import __version__

    raw = argparse.RawDescriptionHelpFormatter
    parser = _Parser(
        prog="verify",
        description="Is this gradient formula right?",
        epilog=EPILOG,
        formatter_class=raw,
        allow_abbrev=False,
    )
    parser.add_argument("--version", action="version", version=f"verify {__version__}")
    commands = parser.add_subparsers(title="commands", required=True, metavar="COMMAND", parser_class=_Parser)

    def command(name: str, run: Callable[[Any], int], says: str) -> argparse.ArgumentParser:
        sub = commands.add_parser(name, help=says, description=says, allow_abbrev=False, formatter_class=raw)
        sub.set_defaults(run=run)
        return sub

    def limits(sub: argparse.ArgumentParser) -> None:
        sub.add_argument("--seed", type=_integer(0), default=0, metavar="N", help="seed of the random points (0)")
        sub.add_argument("--timeout", type=_seconds, default=TIMEOUT, metavar="S", help="seconds for each claim (10)")
        sub.add_argument(
            "--memory", type=_integer(16), default=2048, metavar="MB", help="megabytes for each claim (2048)"
        )

    check = command("check", _check, "judge claims, a system, a document, or every claim of a corpus")
    check.add_argument(
        "claims",
        nargs="+",
        metavar="CLAIM",
        help="text such as 'd/dx sin(x) = cos(x)', LaTeX, problem.toml (a whole adjoint system, a flow, a density), "
        "corpus.jsonl, notes.tex, notes.md, or - for one claim a line (or JSON lines) from the standard input",
    )
    check.add_argument(
        "--let", action="append", default=[], metavar="'x: positive'", help="declare a name, or a condition"
    )
    check.add_argument("--at", metavar="'x=3/7'", help="enclose both sides at this point and nothing else")
    check.add_argument("--json", action="store_true", help="print result objects, one a line")
    limits(check)
    check.add_argument("--latex", action="store_true", help="the text is LaTeX, even without a backslash")
    check.add_argument("--strict", action="store_true", help="in a document, what cannot be read is a failure")
    group = check.add_argument_group("for a corpus")
    group.add_argument("--out", metavar="FILE", help="append results here; ids that are there are skipped")
    group.add_argument("--fresh", action="store_true", help="start FILE over")
    group.add_argument("--jobs", type=_integer(1), default=1, metavar="N", help="processes (1)")

    listing = command("list", _later("list_"), "list the derivations")
    listing.add_argument("--json", action="store_true", help="print one object a line")

    derive = command("derive", _later("derive"), "print a derivation, a right adjoint system, or a derivative")
    derive.add_argument(
        "name", metavar="NAME", help="as `verify list` prints it, problem.toml, or a formula: 'grad_X tr(A*X) with …'"
    )
    derive.add_argument("--code", action="store_true", help="print a NumPy module for problem.toml or the formula")
    derive.add_argument("--let", action="append", default=[], metavar="'x: positive'", help="declare a name (formulas)")
    limits(derive)
    derive.add_argument("--routes", action="store_true", help="run every numerical route, against the enclosure")
    derive.add_argument("--at", metavar="'a=3/2'", help="with --routes: at this point (the middle of each range)")
    derive.add_argument("--json", action="store_true", help="print one object (formulas, --routes)")

    report = command("report", _later("report"), "write the report on derivations, or on printed formulas (errata)")
    report.add_argument("names", nargs="*", metavar="NAME", help="derivations (all of them); or errata alone")
    report.add_argument("-o", "--output", default="reports/out", metavar="DIR", help="folder (reports/out)")
    report.add_argument("--html", action="store_true", help="only this format, unless --pdf is given too")
    report.add_argument("--pdf", action="store_true", help="only this format, unless --html is given too")
    report.add_argument("--seed", type=_integer(0), default=0, metavar="N", help="seed of the random problems (0)")

    again = command("recheck", _later("recheck"), "re-run the certificates in a file of results, without the prover")
    again.add_argument("file", metavar="FILE", help="what `check --out`, `--json` or `report` wrote")
    limits(again)
    again.add_argument("--json", action="store_true", help="print one object a line")
    return parser


def _later(name: str) -> Callable[[Any], int]:
    """A command of `derivation_commands`, imported when it is run."""

    def run(options: Any) -> int:
        from verify import derivation_commands

        return getattr(derivation_commands, name)(options)

    return run


def _protected(arguments: Sequence[str]) -> list[str]:
    """A claim may begin with a minus; argparse would take it for an option."""

    def is_claim(text: str) -> bool:
        return text.startswith("-") and not text.startswith("--") and "=" in text

    return [f" {text}" if is_claim(text) else text for text in arguments]


def _integer(least: int) -> Callable[[str], int]:
    def read(text: str) -> int:
        try:
            value = int(text)
        except ValueError:
            raise argparse.ArgumentTypeError(f"{text!r} is not an integer") from None
        if value < least:
            raise argparse.ArgumentTypeError(f"{value} is less than {least}")
        return value

    return read


def _seconds(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of seconds") from None
    if not (value > 0 and math.isfinite(value)):
        raise argparse.ArgumentTypeError(f"{text} is not a positive number of seconds")
    return value


# --- check ----------------------------------------------------------------------------------------


def _check(options: Any) -> int:
    if options.claims == ["-"]:
        return _check_input(options)
    if any(text.endswith(DOCUMENTS) for text in options.claims):
        return _check_document(options)
    if options.strict:
        raise UsageError("--strict belongs to a document (a file that ends in .tex or .md)")
    corpora = [text for text in options.claims if text.endswith(".jsonl")]
    if not corpora:
        if options.out or options.fresh:
            raise UsageError("--out and --fresh belong to a corpus (a file that ends in .jsonl)")
        return _check_texts(options)
    if len(options.claims) > 1:
        raise UsageError("one corpus at a time; several claims of text are fine")
    if options.let or options.at:
        raise UsageError('--let and --at belong to a claim of text; in a corpus, declarations stand in "let"')
    return _check_corpus(corpora[0], options)


def _check_input(options: Any) -> int:
    """One claim a line from the standard input, or a corpus of JSON lines."""
    import tempfile

    raw = sys.stdin.buffer.read()
    lines = [line.strip() for line in raw.decode("utf-8-sig", errors="replace").splitlines() if line.strip()]
    if not lines:
        raise UsageError("the standard input is empty; write one claim a line")
    if not lines[0].startswith("{") or not lines[0].endswith("}") or '"' not in lines[0]:
        options.claims = lines
        return _check_texts(options)
    if options.let or options.at:
        raise UsageError('--let and --at belong to a claim of text; in a corpus, declarations stand in "let"')
    with tempfile.NamedTemporaryFile(suffix=".jsonl") as corpus:
        corpus.write(raw)
        corpus.flush()
        return _check_corpus(corpus.name, options)


def _check_document(options: Any) -> int:
    from verify.document_commands import Limits, check
    from verify.documents import DocumentError
    from verify.language import ReadError, read_let

    if len(options.claims) > 1:
        raise UsageError("one document at a time; several claims of text are fine")
    if options.at or options.out or options.fresh:
        raise UsageError("--at, --out and --fresh do not belong to a document")
    limits = Limits(options.seed, options.timeout, options.memory, options.jobs)
    try:
        let = read_let(*options.let)
    except ReadError as error:
        raise UsageError(f"--let: {error}") from None
    try:
        return check(options.claims[0], let, limits, strict=options.strict, as_json=options.json)
    except DocumentError as error:
        raise UsageError(str(error)) from None


def _check_texts(options: Any) -> int:
    from verify.judge import check, check_at
    from verify.language import ReadError, read_let
    from verify.terminal import Terminal, show

    terminal = Terminal.of(sys.stdout)
    limits = {"seed": options.seed, "timeout": options.timeout, "memory": options.memory}
    try:
        let = read_let(*options.let)
    except ReadError as error:
        raise UsageError(f"--let: {error}") from None
    point = point_of(options.at)
    verdicts = []
    for number, (text, claim) in enumerate(_claims(options, let)):
        if text.endswith(".toml"):
            if number and not options.json:
                print()
            verdicts.append(_check_system(text, options))
            continue
        if isinstance(claim, Result):
            result = claim
        elif point is None:
            result = check(claim, let=let, **limits)
        else:
            result = check_at(claim, point, let=let, **limits)
        verdicts.append(result.verdict)
        if options.json:
            from verify.batch import as_line

            print(as_line(result.to_json()), flush=True)
        elif result.verdict is Verdict.INVALID:
            print(f"verify: {result.reason}", file=sys.stderr)
        else:
            if number:
                print()
            # A claim out of a chain of equalities is written with its declarations.
            show(result, terminal, options.let if result.claim == text else ())
    return _exit_status(verdicts)


def _claims(options: Any, let: Mapping[str, str | list[str]]) -> Iterator[tuple[str, str | Claim | Result]]:
    """Each text with a claim that stands in it, which is the text itself unless LaTeX states several."""
    from verify.language import ReadError, is_latex

    for text in map(str.strip, options.claims):
        if text.endswith(".toml") or not (options.latex or is_latex(text)):
            yield text, text
            continue
        from verify.language.latex import read_latex

        try:
            claims = read_latex(text, let)
        except ReadError as error:
            yield text, Result(text, Verdict.INVALID, reason=str(error), seed=options.seed)
            continue
        yield from ((text, claim) for claim in claims)


def _check_system(path: str, options: Any) -> Verdict:
    from verify.system_commands import check

    if options.let or options.at:
        raise UsageError("--let and --at belong to a claim of text; in a system, declarations stand under let")
    given = None if options.timeout == TIMEOUT else options.timeout
    return check(path, seed=options.seed, timeout=given, memory=options.memory, as_json=options.json)


def _exit_status(verdicts: Sequence[Verdict]) -> int:
    if Verdict.REFUTED in verdicts:
        return 1
    if Verdict.INVALID in verdicts:
        return EXIT_USAGE
    return EXIT_UNDECIDED if Verdict.UNDECIDED in verdicts else 0


def _check_corpus(corpus: str, options: Any) -> int:
    from pathlib import Path

    from verify.batch import BatchError, as_line, run_batch
    from verify.terminal import Terminal, progress, show_line, show_summary

    out = Terminal.of(sys.stdout)

    def report(record: Record, summary: Summary) -> None:
        if options.json:
            print(as_line(record), flush=True)
        elif options.out is None:
            show_line(record, out)
        advance(summary)

    try:
        with progress(sys.stderr) as advance:
            summary = run_batch(
                Path(corpus), out=options.out and Path(options.out), fresh=options.fresh, jobs=options.jobs,
                seed=options.seed, timeout=options.timeout, memory=options.memory, report=report,
            )  # fmt: skip
    except BatchError as error:
        raise UsageError(str(error)) from None
    except BrokenPipeError:
        raise
    except OSError as error:
        raise UsageError(f"{corpus}: {error.strerror or error}") from None
    except KeyboardInterrupt:
        if options.out is None:
            raise
        print(f"\nverify: stopped; {options.out} holds what was decided, the same command goes on", file=sys.stderr)
        return EXIT_INTERRUPTED
    show_summary(summary, Terminal.of(sys.stderr) if options.json else out, options.out)
    return summary.exit_status


if __name__ == "__main__":
    raise SystemExit(main())
