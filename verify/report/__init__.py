"""How do people see what was found?  Runs derivations and writes one HTML page, one PDF, results.json and junit.xml."""

from __future__ import annotations

import json
import math
import os
import platform
import shlex
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from verify.derivation import Derivation
    from verify.examine import DerivationResult

SCHEMA = 1
"""Version of the layout of results.json; raised when a key changes its meaning."""
RESTS_ON = ("python-flint", "sympy", "numpy", "scipy", "autograd", "mpmath", "matplotlib", "math-core", "typst")

Progress = Callable[[int, int, str], None]
"""Called with the number of parts done, the number of all parts, and what is being done now."""


@dataclass(frozen=True)
class Written:
    """The files of a report, None for a format that was not asked for, and the results that are in them."""

    results: tuple[DerivationResult, ...]
    json: Path
    junit: Path
    html: Path | None = None
    pdf: Path | None = None

    @property
    def holds(self) -> bool:
        """Whether no derivation failed."""
        return all(result.holds for result in self.results)

    @property
    def paths(self) -> tuple[Path, ...]:
        """The files, the ones for reading first."""
        return tuple(path for path in (self.html, self.pdf, self.json, self.junit) if path)


def write_report(
    names: Sequence[str] | None,
    directory: str | Path,
    *,
    html: bool = True,
    pdf: bool = True,
    seed: int = 0,
    jobs: int = 1,
    progress: Progress | None = None,
) -> Written:
    """Run the named derivations (None: all of them) and write the report into a directory, which is made if needed.

    jobs   processes that run derivations; more than one needs a main module that can be imported.

    The same seed and versions give the same bytes.  Everything is written beside its place and renamed when all of it
    is there, so an interrupted run leaves the former report as it was.

    Raises LookupError for an unknown name, verify.report.mathml.FormulaError for LaTeX that cannot be shown (naming
    the derivation and the display) and OSError where nothing can be written.
    """
    from verify.derivation import all_derivations, find
    from verify.report.gather import in_reading_order

    if names is None:
        found = all_derivations()
        derivations = [found[name] for name in in_reading_order(list(found))]
    else:
        derivations = [find(name) for name in dict.fromkeys(names)]
    command = shlex.join(["verify", "report", *(names or ()), *(["--seed", str(seed)] if seed else [])])
    steps = _steps(derivations, html, pdf, progress)
    results = _by_name([derivation.name for derivation in derivations], seed, jobs, steps) if jobs > 1 else None
    return _write(derivations, directory, command, html, pdf, seed, steps, results)


def write(
    derivations: Sequence[Derivation],
    directory: str | Path,
    *,
    command: str,
    html: bool = True,
    pdf: bool = True,
    seed: int = 0,
    progress: Progress | None = None,
) -> Written:
    """The report on the given derivations, in the given order; see `write_report`."""
    steps = _steps(derivations, html, pdf, progress)
    return _write(derivations, directory, command, html, pdf, seed, steps, None)


def _write(
    derivations: Sequence[Derivation], directory: str | Path, command: str, html: bool, pdf: bool, seed: int,
    steps: _Steps, results: tuple[DerivationResult, ...] | None,
) -> Written:  # fmt: skip
    from verify.derivation import run
    from verify.report.gather import read_results
    from verify.report.junit import junit

    if results is None:
        results = tuple(run(derivation, seed=seed, progress=steps.next) for derivation in derivations)
    steps.next("setting formulas and drawing figures")
    versions = package_versions()
    record = results_json(results, seed=seed, versions=versions)
    digest = sha256(record.encode()).hexdigest()
    report = read_results(results, seed=seed, command=command, versions=versions, digest=digest)

    contents: dict[str, bytes] = {"results.json": record.encode(), "junit.xml": junit(results).encode()}
    if html:
        from verify.report.html import render_html

        steps.next("writing HTML")
        contents["report.html"] = render_html(report).encode()
    if pdf:
        from verify.report.pdf import render_pdf

        steps.next("writing PDF")
        contents["report.pdf"] = render_pdf(report)
    folder = Path(directory)
    write_all(folder, contents)
    steps.next("done")
    return Written(
        results,
        json=folder / "results.json",
        junit=folder / "junit.xml",
        html=folder / "report.html" if html else None,
        pdf=folder / "report.pdf" if pdf else None,
    )


def results_json(results: Sequence[DerivationResult], *, seed: int, versions: Sequence[tuple[str, str]]) -> str:
    """The machine's record: sorted keys, no clock; numbers that are not finite are the words nan, inf and -inf."""
    record = {
        "schema": SCHEMA,
        "kind": "derivations",
        "seed": seed,
        "versions": dict(versions),
        "holds": all(result.holds for result in results),
        "derivations": [result.to_json() for result in results],
    }
    return json.dumps(finite(record), sort_keys=True, indent=1, ensure_ascii=False, allow_nan=False) + "\n"


def package_versions() -> tuple[tuple[str, str], ...]:
    """(name, version) of this package, of Python, and of what the results and their rendering rest on."""
    from verify import __version__

    found = [("verify", __version__), ("Python", platform.python_version())]
    for package in RESTS_ON:
        try:
            found.append((package, version(package)))
        except PackageNotFoundError:
            continue
    return tuple(found)


def _steps(derivations: Sequence[Derivation], html: bool, pdf: bool, progress: Progress | None) -> _Steps:
    return _Steps(sum(map(_parts, derivations)) + 1 + html + pdf, progress or (lambda _done, _total, _what: None))


def _by_name(names: Sequence[str], seed: int, jobs: int, steps: _Steps) -> tuple[DerivationResult, ...]:
    """Results in the order of the names, from fresh processes that find the derivations themselves."""
    from concurrent.futures import ProcessPoolExecutor, as_completed
    from multiprocessing import get_context

    from verify.derivation import find

    with ProcessPoolExecutor(jobs, mp_context=get_context("spawn")) as pool:
        waiting = {pool.submit(_run, name, seed): name for name in names}
        found = {}
        for future in as_completed(waiting):
            name = waiting[future]
            found[name] = future.result()
            for _ in range(_parts(find(name))):
                steps.next(f"{name}: done")
    return tuple(found[name] for name in names)


def _run(name: str, seed: int) -> DerivationResult:
    from verify.derivation import find, run

    return run(find(name), seed=seed)


class _Steps:
    """Counts the parts that are done and tells what comes next."""

    def __init__(self, total: int, tell: Progress) -> None:
        self.total, self.tell, self.done = total, tell, -1

    def next(self, what: str) -> None:
        self.done = min(self.done + 1, self.total)
        self.tell(self.done, self.total, what)


def _parts(derivation: Derivation) -> int:
    """How often `run` says what it does."""
    return 5 + (derivation.example is not None) + len(derivation.routes) + sum(map(_parts, derivation.uses))


def finite(value: Any) -> Any:
    """Plain data without numbers that JSON lacks: they become the words nan, inf and -inf."""
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    if isinstance(value, Mapping):
        return {str(key): finite(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [finite(item) for item in value]
    return value


def write_all(folder: Path, contents: Mapping[str, bytes]) -> None:
    """Write all files into the folder, which is made if needed; each is written beside its place and then renamed."""
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".report-", dir=folder) as beside:
        for name, data in contents.items():
            Path(beside, name).write_bytes(data)
        for name in contents:
            os.replace(Path(beside, name), folder / name)
