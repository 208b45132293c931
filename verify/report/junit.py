"""How does a continuous-integration server see the derivations?  One test-suite each, one test-case for every part.

Times are left out: the file is the same on every run.
"""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from verify.verdict import Rigor, Verdict

if TYPE_CHECKING:
    from verify.examine import DerivationResult


@dataclass(frozen=True)
class Case:
    """One test-case: passed, failed with a message, or skipped because it is only assumed."""

    kind: str
    name: str
    failed: str = ""
    skipped: str = ""
    detail: str = ""


def junit(results: Sequence[DerivationResult]) -> str:
    """The XML document.  What is undecided has failed; what is only cited is skipped, never passed."""
    return document((result.name, list(_cases(result))) for result in results)


def document(of: Iterable[tuple[str, Sequence[Case]]]) -> str:
    """The XML document of test-suites, each a name and its cases."""
    suites = ET.Element("testsuites", {"name": "verify"})
    totals = {"tests": 0, "failures": 0, "skipped": 0}
    for name, cases in of:
        counts = {
            "tests": len(cases),
            "failures": sum(bool(case.failed) for case in cases),
            "skipped": sum(bool(case.skipped) for case in cases),
        }
        totals = {key: totals[key] + counts[key] for key in totals}
        suite = ET.SubElement(suites, "testsuite", {"name": name, **_texts(counts), "errors": "0"})
        for case in cases:
            _write(suite, f"{name}.{case.kind}", case)
    for key, count in totals.items():
        suites.set(key, str(count))
    suites.set("errors", "0")
    ET.indent(suites)
    return '<?xml version="1.0" encoding="utf-8"?>\n' + ET.tostring(suites, encoding="unicode") + "\n"


def _texts(counts: dict[str, int]) -> dict[str, str]:
    return {key: str(count) for key, count in counts.items()}


def _cases(result: DerivationResult) -> Iterator[Case]:
    for h in result.hypotheses:
        if h.evidence.rigor == Rigor.ASSUMED:
            yield Case("hypothesis", h.says, skipped=f"assumed: {h.evidence.route}")
        else:
            why = h.evidence.detail.get("reason", h.evidence.route)
            yield Case("hypothesis", h.says, "" if h.verdict >= Verdict.SUPPORTED else f"{h.verdict}: {why}")
    for number, step in enumerate(result.steps, 1):
        name = f"{number}. {step.why}"
        if step.cited:
            yield Case("step", name, skipped=f"cited: {step.cited}")
        else:
            failed = "" if step.verdict >= Verdict.SUPPORTED else f"{step.verdict}: {step.reason or step.method}"
            yield Case("step", name, failed, detail=f"{step.lhs} = {step.rhs}" if failed else "")
    for route in result.routes:
        said = {True: "", False: "disagrees", None: "could not tell"}[route.holds]
        failed = f"{said}: worst {route.worst}, would have seen {route.resolution}" if said else ""
        yield Case("route", route.route, failed)
    for mutant in result.mutants:
        yield Case("mutant", mutant.slip, "" if mutant.rejected_by else f"not rejected: {mutant.says}")
    for printed in result.printed:
        corrected = printed.corrected
        failed = corrected is not None and corrected.verdict < Verdict.SUPPORTED
        yield Case(
            "printed", printed.where,
            failed=f"the correction is {corrected.verdict}" if failed and corrected else "",
            detail=f"{printed.latex}\n{printed.result.verdict} as printed",
        )  # fmt: skip
    for used in result.uses:
        yield Case("uses", used.name, "" if used.verdict >= Verdict.SUPPORTED else str(used.verdict))


def _write(suite: ET.Element, kind: str, case: Case) -> None:
    element = ET.SubElement(suite, "testcase", {"classname": kind, "name": _legal(case.name)})
    if case.failed:
        ET.SubElement(element, "failure", {"message": _legal(case.failed)}).text = _legal(case.detail)
    elif case.skipped:
        ET.SubElement(element, "skipped", {"message": _legal(case.skipped)})
    if case.detail and not case.failed:
        ET.SubElement(element, "system-out").text = _legal(case.detail)


def _legal(text: str) -> str:
    """Without the control characters that XML forbids."""
    return re.sub(r"[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]", "\ufffd", text)
