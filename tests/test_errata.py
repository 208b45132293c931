"""Printed formulas: every record once, every status borne out by verdicts, and nothing taken on trust."""

from __future__ import annotations

import json
import random
import xml.etree.ElementTree as ET
from collections import Counter
from functools import cache
from hashlib import sha256
from importlib.resources import files
from pathlib import Path

import pytest

from verify.cli import main
from verify.derivation import find
from verify.errata import DataError, Entry, Errata, Formal, Judgement, Record, examine, read_entries
from verify.errata.examine import NOT_JUDGED, conclude
from verify.errata.records import ERRATA, PARTS, STATUSES
from verify.language import is_latex, read_claim
from verify.report.errata import junit, read_page, results_json, shown_latex, write_errata
from verify.report.formula import read_formula
from verify.report.html import render_html
from verify.report.pdf import render_pdf

DATA = files("derivations").joinpath("printed")
ENTRIES = read_entries()
RECORD = Record("x-1", "notes/week1.pdf sec. 1", "x = x", "x a number")
TRUE, FALSE = Formal("text", "d/dx x^2 = 2*x"), Formal("text", "d/dx x^2 = x")
UNREADABLE, OPEN = Formal("text", "d/dx ="), Formal("text", "int(x, x, 0, oo) = 1")


@cache
def found(formal: Formal):
    """What the machine makes of a claim."""
    (judged,) = examine([Entry(RECORD, Judgement("right", printed=(formal,)))]).judged
    return judged.printed[0]


def told(status: str, printed: tuple[Formal, ...] = (), corrected: tuple[Formal, ...] = (), **words: str):
    """What becomes of a record that is said to be so."""
    entry = Entry(RECORD, Judgement(status, printed=printed, corrected=corrected, **words))
    return conclude(entry, {formal: found(formal) for formal in (*printed, *corrected)})


def written(folder: Path, **files: str) -> Path:
    """A folder of data with one record, x-1."""
    (folder / "printed.jsonl").write_text(json.dumps(vars(RECORD)) + "\n")
    (folder / "problems.toml").write_text("")
    for name, text in files.items():
        (folder / f"{name}.toml").write_text(text)
    return folder


def test_every_record_of_the_source_is_there_once_and_in_its_order():
    lines = [json.loads(line) for line in DATA.joinpath("printed.jsonl").read_text("utf-8").splitlines()]
    assert [entry.record.id for entry in ENTRIES] == [line["id"] for line in lines]
    assert len({entry.record.id for entry in ENTRIES}) == len(ENTRIES) == 375


def test_every_judgement_has_the_claims_that_its_status_needs():
    for entry in ENTRIES:
        if (said := entry.judgement) is None:
            continue
        assert said.status in STATUSES
        if said.status == "definition" or said.by_hand:
            assert said.says, entry.record.id
        if said.status in ERRATA:
            assert said.correction, entry.record.id
            assert said.by_hand or said.corrected, entry.record.id
        assert bool(said.hypothesis) == (said.status == "needs hypothesis"), entry.record.id


def test_most_formulas_that_say_something_are_put_to_the_machine():
    said = [entry.judgement for entry in ENTRIES if entry.judgement and entry.judgement.status != "definition"]
    assert sum(not judgement.by_hand for judgement in said) > 0.8 * len(said)


def test_every_formula_and_every_correction_can_be_shown():
    for entry in ENTRIES:
        shown = [shown_latex(entry.record.latex), entry.judgement.correction if entry.judgement else ""]
        for latex in filter(None, shown):
            assert read_formula(latex, entry.record.id).mathml


def put(kind):
    """All claims of a kind, each once."""
    judgements = [entry.judgement for entry in ENTRIES if entry.judgement]
    return {c for said in judgements for c in (*said.printed, *said.corrected) if c.kind == kind}


def test_every_text_that_is_put_to_the_machine_can_be_read():
    texts = [claim.text for claim in put("text") if not claim.let and not is_latex(claim.text)]
    assert len(texts) > 300
    for text in texts:
        assert read_claim(text), text


def test_every_step_that_a_record_names_is_there():
    named = {(claim.of, claim.text) for claim in put("step")}
    there = {(name, step.why) for name in {name for name, _ in named} for step in find(name).steps()}
    assert named
    assert named <= there


def test_a_sample_of_the_records_is_borne_out_by_verdicts():
    short = [
        entry
        for entry in ENTRIES
        if entry.judgement and entry.judgement.printed and not any(c.kind == "system" or c.kind in PARTS for c in
           (*entry.judgement.printed, *entry.judgement.corrected))
    ]  # fmt: skip
    sample = random.Random(0).sample(short, 12)
    errata = examine(sample)
    assert errata.holds, [judged.trouble for judged in errata.judged if judged.trouble]
    assert Counter(judged.status for judged in errata.judged) == Counter(
        entry.judgement.status for entry in sample if entry.judgement
    )


@pytest.mark.thorough
def test_every_record_is_borne_out_by_verdicts():
    errata = examine(ENTRIES, jobs=2)
    assert errata.holds, [judged.trouble for judged in errata.judged if judged.trouble]


@pytest.mark.parametrize("claim", [FALSE, UNREADABLE, OPEN], ids=["refuted", "unreadable", "undecided"])
def test_nothing_is_right_unless_all_its_claims_hold(claim):
    assert told("right", (TRUE,)).status == "right"
    judged = told("right", (TRUE, claim))
    assert judged.status == NOT_JUDGED
    assert claim.text in judged.trouble
    assert not judged.by_tool


@pytest.mark.parametrize("status", ERRATA)
@pytest.mark.parametrize(
    ("printed", "corrected"),
    [(TRUE, TRUE), (OPEN, TRUE), (UNREADABLE, TRUE), (FALSE, FALSE), (FALSE, OPEN), (FALSE, UNREADABLE)],
    ids=["not refuted", "undecided", "unreadable", "correction refuted", "correction undecided", "no correction"],
)
def test_nothing_is_an_erratum_unless_it_is_refuted_and_its_correction_holds(status, printed, corrected):
    assert told(status, (FALSE,), (TRUE,)).status == status
    judged = told(status, (printed,), (corrected,))
    assert judged.status == NOT_JUDGED
    assert judged.trouble
    assert not Errata((judged,)).holds


def test_a_correction_is_decided_where_the_slip_itself_is_one_of_notation():
    assert told("misprint", corrected=(TRUE,)).status == "misprint"
    assert told("misprint", corrected=(FALSE,)).status == NOT_JUDGED


def test_what_a_derivation_only_cites_bears_nothing_out():
    cited = Formal("step", "the variational equation", of="adjoint-ode")
    proved = Formal("step", "Lagrange's identity", of="adjoint-ode")
    assert told("right", (proved,)).status == "right"
    assert told("right", (cited,)).status == NOT_JUDGED


def test_a_line_has_the_keys_of_the_interface():
    wrong = told("wrong", (FALSE,), (TRUE,), says="a factor is lost", correction="2x", instance="a parabola").to_json()
    assert list(wrong)[:7] == ["id", "status", "judged", "verdict", "hypothesis", "correction", "counterexample"]
    assert (wrong["status"], wrong["judged"], wrong["verdict"]) == ("wrong", "tool", "REFUTED")
    assert wrong["counterexample"]["point"]
    assert wrong["counterexample"]["instance"] == "a parabola"
    defined = told("definition", says="a name").to_json()
    assert (defined["judged"], defined["verdict"], defined["counterexample"]) == ("hand", "", {})


def test_nobody_has_judged_what_has_no_judgement():
    (judged,) = examine([Entry(RECORD, None)]).judged
    assert (judged.status, judged.trouble, judged.to_json()["judged"]) == (NOT_JUDGED, "", "hand")


@pytest.mark.parametrize(
    ("table", "complaint"),
    [
        ('["x-2"]\nstatus = "definition"\nsays = "s"', "there is no record x-2"),
        ('["x-1"]\nstatus = "correct"\nsays = "s"', "unknown status 'correct'"),
        ('["x-1"]\nstatus = "right"\nsay = "s"', "unknown key 'say'"),
        ('["x-1"]\nstatus = "right"', "nothing says why"),
        ('["x-1"]\nstatus = "right"\nprinted = [{ text = "x = x", where = 1 }]', "a claim is a text"),
        ('["x-1"]\nstatus = "right"\nsays = "s"\ncorrection = "x"', "needs no correction"),
        ('["x-1"]\nstatus = "wrong"\nprinted = ["x = y"]\nsays = "s"\ncorrection = "x"', "not put to the machine"),
        ('["x-1"]\nstatus = "needs hypothesis"\nsays = "s"\ncorrection = "x"', "a hypothesis belongs"),
        ('["x-1"]\nstatus = "definition"\nsays = "s"\nprinted = ["x = x"]', "nothing to judge"),
        ('["x-1"]\nlike = "x-3"', "not judged itself"),
        ('["x-1"]\nstatus = "right"\nprinted = [{ problem = "p", claim = "" }]', "no problem 'p'"),
    ],
)
def test_data_that_could_not_be_borne_out_are_refused_by_name(tmp_path, table, complaint):
    with pytest.raises(DataError, match=complaint):
        read_entries(written(tmp_path, one=table))


def test_no_record_is_judged_twice(tmp_path):
    table = '["x-1"]\nstatus = "definition"\nsays = "s"'
    assert read_entries(written(tmp_path, one=table))[0].judgement
    with pytest.raises(DataError, match=r"one\.toml, too"):
        read_entries(written(tmp_path, one=table, two=table))


@pytest.fixture(scope="module")
def some():
    tool = [entry for entry in ENTRIES if entry.record.id in ("w5-1", "w5-lin-adj1", "w5-prob", "w5-ode-g")]
    return examine([*tool, Entry(RECORD, None)])


def test_the_page_tells_each_erratum_with_its_counterexample_and_correction(some):
    page = read_page(some, command="verify report errata", versions=(), digest="0" * 64)
    assert [line.id for line in page.errata] == ["w5-lin-adj1", "w5-ode-g"]
    html = render_html(page, "errata.html")
    assert 'id="w5-lin-adj1"' in html
    assert "<h4>Counterexample</h4>" in html
    assert html.count("<table") == 1 + len(page.parts)
    assert render_pdf(page, "errata").startswith(b"%PDF")


def test_the_records_for_programs_hold_every_claim_and_what_no_machine_judged_is_skipped(some):
    record = json.loads(results_json(some, (("verify", "0"),)))
    assert record["kind"] == "errata"
    assert record["counts"] == {
        "right": 1, "needs hypothesis": 0, "misprint": 2, "wrong": 0, "definition": 1, "not judged": 1,
    }  # fmt: skip
    assert all(result["verdict"] for line in record["records"] for result in line["results"])
    suites = ET.fromstring(junit(some))
    assert (suites.get("tests"), suites.get("failures"), suites.get("skipped")) == ("5", "0", "3")


def test_errata_lie_beside_a_report_on_derivations_and_overwrite_nothing_of_it(some, tmp_path, monkeypatch):
    monkeypatch.setattr("verify.errata.examine", lambda *_, **__: some)
    alone, beside = tmp_path / "alone", tmp_path / "beside"
    beside.mkdir()
    others = {name: f"the {name} of the report" for name in ("report.html", "report.pdf", "junit.xml")}
    others["results.json"] = '{"kind": "derivations"}'
    for name, text in others.items():
        (beside / name).write_text(text)
    own = {"errata.html", "errata.pdf", "errata.json", "errata.junit.xml", "printed.jsonl"}
    assert {path.name for path in write_errata(alone).paths} == own | {"results.json", "junit.xml"}
    assert {path.name for path in write_errata(alone, pdf=False).paths} == (own | {"results.json", "junit.xml"}) - {
        "errata.pdf"
    }
    assert {path.name for path in write_errata(beside).paths} == own
    assert {name: (beside / name).read_text() for name in others} == others
    record = (alone / "errata.json").read_bytes()
    assert (alone / "results.json").read_bytes() == record
    digest = sha256(record).hexdigest()
    assert f"{digest[:32]}<wbr>{digest[32:]}" in (alone / "errata.html").read_text()


def test_errata_is_a_report_of_its_own(capsys):
    assert main(["report", "errata", "adjoint-ode"]) == 2
    assert "report of its own" in capsys.readouterr().err
