"""The report's texts against recorded ones.  After a wanted change: UPDATE_GOLD=1 pytest tests/test_report_gold.py."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest
from report_sample import results

from verify.report import results_json
from verify.report.gather import read_results
from verify.report.html import render_html
from verify.report.junit import junit
from verify.report.pdf import literal

GOLD = Path(__file__).parent / "gold"
VERSIONS = (("verify", "0.0"), ("sympy", "1.0"))


@pytest.fixture(scope="module")
def rendered() -> dict[str, str]:
    """Every text of the report on the hand-made results."""
    report = read_results(results(), seed=0, command="verify report", versions=VERSIONS, digest="0123456789abcdef" * 4)
    return {
        "report.html": render_html(report),
        "report.typ.txt": literal(report).replace("), (", "),\n("),
        "results.json": results_json(results(), seed=0, versions=VERSIONS),
        "junit.xml": junit(results()),
    }


def scrubbed(text: str) -> str:
    """Without what another version of a library may draw or say otherwise: fonts, figures, versions."""
    text = re.sub(r"base64,[A-Za-z0-9+/=]+", "base64,…", text)
    text = re.sub(r'("svg": )"(?:[^"\\\\]|\\\\.)*"', r'\1"…"', text)
    text = re.sub(r"(<svg\b[^>]*>).*?</svg>", r"\1…</svg>", text, flags=re.DOTALL)
    return re.sub(r'("version": )"[^"]*"', r'\1"…"', text)


@pytest.mark.parametrize("name", ["report.html", "report.typ.txt", "results.json", "junit.xml"])
def test_the_report_is_as_recorded(name, rendered):
    found = scrubbed(rendered[name])
    if os.environ.get("UPDATE_GOLD"):
        GOLD.mkdir(exist_ok=True)
        (GOLD / name).write_text(found, "utf-8")
    assert found == (GOLD / name).read_text("utf-8")
