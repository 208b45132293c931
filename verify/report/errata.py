"""Which page do the judged formulas make?  Plain records, made from the verdicts; the templates only lay them out."""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any

from verify.report import SCHEMA, Progress, finite, package_versions, write_all
from verify.report.data import Badge, Meaning, Point
from verify.report.formula import Formula, read_formula
from verify.report.gather import badge_of, point_of
from verify.report.junit import Case, document
from verify.report.prose import Prose, read_prose

if TYPE_CHECKING:
    from verify.errata import Errata, Found, Judged

RECORD = "errata.json"
"""The machine's record of the printed formulas."""
KINDS = {
    "right": "proved", "needs hypothesis": "supported", "misprint": "undecided", "wrong": "refuted",
    "definition": "assumed", "not judged": "invalid",
}  # fmt: skip
"""Which of the report's colours a status has."""


@dataclass(frozen=True)
class Put:
    """A claim that was put to the machine."""

    text: str
    badge: Badge


@dataclass(frozen=True)
class Line:
    """One printed formula and what is known of it.

    where       its place in the source; `source` is that source's title.
    judged      "by machine" or "by hand", empty for definitions and what is not judged.
    verdict     on the formula as printed, None where nothing was put to the machine.
    refuted     the claim that the point refutes.
    correction  and its verdict, for an erratum.
    """

    id: str
    source: str
    where: str
    formula: Formula
    status: Badge
    judged: str
    verdict: Badge | None
    says: Prose
    reading: Prose
    hypothesis: Prose
    instance: Prose
    refuted: str
    point: Point | None
    correction: Formula | None
    corrected: Badge | None
    claims: tuple[Put, ...]
    corrections: tuple[Put, ...]


@dataclass(frozen=True)
class Part:
    """The formulas of one source; counts by status, in the order of the page's statuses."""

    name: str
    title: str
    lines: tuple[Line, ...]
    counts: tuple[int, ...]


@dataclass(frozen=True)
class Page:
    """The whole page.

    errata    the lines that are no definition and not right, in the order of the source.
    record    the file that the digest is of.
    by_hand   how many formulas are judged by hand, definitions left out.
    """

    title: str
    lead: Prose
    statuses: tuple[Meaning, ...]
    reading: tuple[Prose, ...]
    parts: tuple[Part, ...]
    totals: tuple[int, ...]
    errata: tuple[Line, ...]
    claims: int
    by_hand: int
    seed: int
    command: str
    versions: tuple[tuple[str, str], ...]
    digest: str
    record: str = RECORD


@dataclass(frozen=True)
class Written:
    """The files, the ones for reading first, and the verdicts that are in them."""

    errata: Errata
    paths: tuple[Path, ...]


def write_errata(
    directory: str | Path, *, html: bool = True, pdf: bool = True, seed: int = 0, jobs: int = 1,
    progress: Progress | None = None,
) -> Written:  # fmt: skip
    """Judge every printed formula and write the report; nothing is written before everything is there.

    A folder may hold the report on the derivations, too: its files are left as they are.  Where there is none,
    results.json and junit.xml are the errata's.

    Raises verify.errata.DataError for data that cannot be used, and OSError where nothing can be written.
    """
    from verify.errata import examine, read_entries
    from verify.report.html import render_html
    from verify.report.pdf import render_pdf

    errata = examine(read_entries(), seed=seed, jobs=jobs, progress=progress)
    versions = package_versions()
    record = results_json(errata, versions)
    command = "verify report errata" + (f" --seed {seed}" if seed else "")
    page = read_page(errata, command=command, versions=versions, digest=sha256(record.encode()).hexdigest())
    lines = "".join(json.dumps(judged.to_json(), ensure_ascii=False) + "\n" for judged in errata.judged)
    contents: dict[str, bytes] = {}
    if html:
        contents["errata.html"] = render_html(page, "errata.html").encode()
    if pdf:
        contents["errata.pdf"] = render_pdf(page, "errata")
    folder, suites = Path(directory), junit(errata).encode()
    contents |= {"printed.jsonl": lines.encode(), RECORD: record.encode(), "errata.junit.xml": suites}
    if not _has_derivations(folder):
        contents |= {"results.json": record.encode(), "junit.xml": suites}
    write_all(folder, contents)
    return Written(errata, tuple(folder / name for name in contents))


def _has_derivations(folder: Path) -> bool:
    """Whether a folder holds the report on the derivations."""
    try:
        found = json.loads((folder / "results.json").read_text("utf-8"))
    except (OSError, ValueError):
        return False
    return isinstance(found, dict) and found.get("kind") == "derivations"


def results_json(errata: Errata, versions: Sequence[tuple[str, str]]) -> str:
    """The machine's record: sorted keys, no clock; every claim with its evidence, so that it can be checked again."""
    record = {
        "schema": SCHEMA,
        "kind": "errata",
        "seed": errata.seed,
        "versions": dict(versions),
        "holds": errata.holds,
        "counts": errata.counts(),
        "records": [
            judged.to_json() | {"results": [found.result for found in (*judged.printed, *judged.corrected)]}
            for judged in errata.judged
        ],
    }
    return json.dumps(finite(record), sort_keys=True, indent=1, ensure_ascii=False, allow_nan=False) + "\n"


def junit(errata: Errata) -> str:
    """A test-suite for each source: what the verdicts do not bear out has failed, what no machine judged is skipped."""

    def case(judged: Judged) -> Case:
        skipped = "" if judged.by_tool else f"{judged.status}, not put to the machine"
        detail = f"{judged.entry.record.latex}\n{judged.status}"
        return Case("printed", judged.entry.record.id, judged.trouble, skipped, detail)

    return document((f"errata.{name}", list(map(case, group))) for name, group in _by_source(errata))


def read_page(errata: Errata, *, command: str, versions: Sequence[tuple[str, str]], digest: str) -> Page:
    """All records of the page.

    Raises FormulaError, naming the record, where LaTeX cannot be shown.
    """
    said = contents()
    statuses = tuple(said["statuses"])
    parts = []
    for name, group in _by_source(errata):
        title = said["sources"].get(name, name)
        lines = tuple(_line(judged, title) for judged in group)
        counts = tuple(sum(line.status.word == status for line in lines) for status in statuses)
        parts.append(Part(name, title, lines, counts))
    wrong = {judged.entry.record.id for judged in errata.errata}
    return Page(
        title=said["title"],
        lead=read_prose(said["lead"], "the lead"),
        statuses=tuple(Meaning(_status(word), means) for word, means in said["statuses"].items()),
        reading=tuple(read_prose(text, "how to read the report") for text in said["reading"]),
        parts=tuple(parts),
        totals=tuple(errata.counts()[status] for status in statuses),
        errata=tuple(line for part in parts for line in part.lines if line.id in wrong),
        claims=len({found.formal for judged in errata.judged for found in (*judged.printed, *judged.corrected)}),
        by_hand=sum(line.judged == "by hand" for part in parts for line in part.lines),
        seed=errata.seed,
        command=command,
        versions=tuple(versions),
        digest=digest,
    )


@cache
def contents() -> dict[str, Any]:
    """What stands on the page besides the results: title, lead, what the words mean, and the titles of the sources."""
    return tomllib.loads(files("verify.report").joinpath("templates", "errata.toml").read_text("utf-8"))


def shown_latex(latex: str) -> str:
    r"""LaTeX as it can be set on its own: no `&` outside of a table, and the source's macro \e is a letter."""
    inside = r"\begin{" in latex
    return re.sub(r"\\e(?![a-zA-Z])", r"\\mathrm{e}", latex if inside else latex.replace("&", ""))


def _by_source(errata: Errata) -> list[tuple[str, list[Judged]]]:
    """The file that a location begins with, and its records; files in the order of their first record."""
    found: dict[str, list[Judged]] = {}
    for judged in errata.judged:
        found.setdefault(judged.entry.record.location.partition(" ")[0], []).append(judged)
    return list(found.items())


def _line(judged: Judged, source: str) -> Line:
    record = judged.entry.record
    where = f"record {record.id}"
    said = judged.entry.judgement if not judged.trouble else None
    found = judged.refutation
    by = {True: "by machine", False: "by hand"}[judged.by_tool]
    return Line(
        id=record.id,
        source=source,
        where=re.sub(r" \(identical text in [^)]*\)", "", record.location.partition(" ")[2]),
        formula=read_formula(shown_latex(record.latex), where),
        status=_status(judged.status),
        judged="" if judged.status in ("definition", "not judged") else by,
        verdict=None if judged.verdict is None else badge_of(judged.verdict),
        says=read_prose(said.says if said else judged.trouble, where),
        reading=read_prose(said.reading if said else "", where),
        hypothesis=read_prose(said.hypothesis if said else "", where),
        instance=read_prose(said.instance if said else "", where),
        refuted=found.formal.shown if found and said else "",
        point=point_of(found.counterexample) if found and said else None,
        correction=read_formula(said.correction, f"{where}, correction") if said and said.correction else None,
        corrected=None if judged.correction_verdict is None else badge_of(judged.correction_verdict),
        claims=tuple(_put(judged.printed)),
        corrections=tuple(_put(judged.corrected)),
    )


def _put(found: Sequence[Found]) -> Iterator[Put]:
    for claim in found:
        yield Put(claim.formal.shown, badge_of(claim.verdict))


def _status(word: str) -> Badge:
    return Badge(word, KINDS[word])
