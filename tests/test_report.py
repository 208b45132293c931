"""The report as people and programs get it: complete, self-contained, accessible, the same on every run."""

from __future__ import annotations

import dataclasses
import json
import re
import xml.etree.ElementTree as ET
from collections import Counter
from html.parser import HTMLParser
from importlib.resources import files

import pytest
from report_sample import linear, results, stein

from verify.derivation import Figure, Series
from verify.report import SCHEMA, results_json, write, write_report
from verify.report.figures import draw, inline
from verify.report.formula import Formula
from verify.report.gather import contents, in_reading_order, read_results
from verify.report.html import render_html
from verify.report.junit import junit
from verify.report.mathml import FormulaError
from verify.report.pdf import literal, render_pdf

VERSIONS = (("verify", "0.0"), ("sympy", "1.0"))
VOID = {"meta", "br", "wbr", "link", "img"}


def report(of=results):
    return read_results(of(), seed=0, command="verify report", versions=VERSIONS, digest="0123456789abcdef" * 4)


@pytest.fixture(scope="module")
def records():
    return report()


@pytest.fixture(scope="module")
def page(records):
    return render_html(records)


class Outline(HTMLParser):
    """What the tests ask of a page: its elements, whether they nest, ids, links, and the text a reader sees."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: Counter[str] = Counter()
        self.ids: list[str] = []
        self.links: list[str] = []
        self.headings: list[int] = []
        self.text: dict[str, str] = {"math": "", "code": "", "text": ""}
        self.attributes: list[tuple[str, dict[str, str | None]]] = []
        self.feed(page)
        self.close()

    def handle_starttag(self, tag, attrs):
        known = dict(attrs)
        self.tags[tag] += 1
        self.attributes.append((tag, known))
        self.ids += [known["id"]] if "id" in known else []
        self.links += [known["href"]] if tag == "a" else []
        self.headings += [int(tag[1])] if re.fullmatch(r"h\d", tag) else []
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self.open.pop()

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if not {"style", "title", "svg"} & set(self.open):
            kind = "math" if "math" in self.open else "code" if "code" in self.open else "text"
            self.text[kind] += data


def test_the_page_has_no_script_no_address_and_nothing_from_outside(page):
    outline = Outline(page)
    assert not outline.tags["script"]
    assert not outline.tags["link"]
    assert not outline.tags["img"]
    assert "http" not in re.sub(r"base64,[^)]*", "", page.lower())
    assert "javascript" not in page.lower()
    assert "@import" not in page
    assert all(url.startswith("data:font/woff2;base64,") for url in re.findall(r"url\((?!#)([^)]*)\)", page))
    assert not any(name.startswith("on") for _tag, known in outline.attributes for name in known)


def test_the_page_nests_and_its_ids_are_unique_and_its_links_lead_somewhere(page):
    outline = Outline(page)
    assert outline.open == []
    assert [i for i, count in Counter(outline.ids).items() if count > 1] == []
    assert {link.removeprefix("#") for link in outline.links} <= set(outline.ids)
    assert set(re.findall(r'(?:href="|url\()#([^")]+)', page)) <= set(outline.ids)


def test_headings_never_skip_a_level_and_tables_name_their_rows_and_columns(page):
    outline = Outline(page)
    assert outline.headings[0] == 1
    assert outline.headings.count(1) == 1
    assert all(after <= before + 1 for before, after in zip(outline.headings, outline.headings[1:], strict=False))
    assert all("scope" in known for tag, known in outline.attributes if tag == "th")
    assert all(known.get("data-label") for tag, known in outline.attributes if tag == "td")
    assert all(known.get("aria-label") for tag, known in outline.attributes if tag == "svg")
    assert 'lang="en"' in page
    assert 'name="viewport"' in page


def covered(file: str) -> set[str]:
    """The characters of one of the embedded fonts."""
    listed = files("verify.report").joinpath("templates", "characters.txt").read_text("ascii")
    ranges = next(line for line in listed.splitlines() if line.startswith(file)).split()[1:]
    ends = [[int(end, 16) for end in part.split("-")] for part in ranges]
    return {chr(code) for pair in ends for code in range(pair[0], pair[-1] + 1)}


def test_the_embedded_fonts_have_every_character_of_the_page(page):
    text = Outline(page).text
    assert {c for c in text["math"] if not c.isspace() and c != "\u2061"} <= covered("math.woff2")
    assert {c for c in text["code"] if not c.isspace()} <= covered("mono.woff2")
    assert {c for c in text["text"] if not c.isspace()} <= covered("regular.woff2")


def test_every_letter_is_there_in_italics_with_radicals_fences_and_accents():
    latin = {chr(code) for code in range(0x1D434, 0x1D468) if code != 0x1D455} | {"ℎ"}
    greek = {chr(code) for code in range(0x1D6FC, 0x1D71C)}
    assert latin | greek | set("√(){}[]|‖⟨⟩⌊⌋⌈⌉∑∏∫⏞⏟ˆ˜¯˙¨⃗→′″⊤∂∇∞𝔼ℝ") <= covered("math.woff2")


def test_everything_that_was_found_is_on_the_page(page):
    text = " ".join(Outline(page).text["text"].split())
    for said in (
        "Gradient through a linear ODE", "4 of 4", "0 of 1", "REFUTED", "ASSUMED", "NOT REJECTED", "DISAGREES",
        "cannot tell", "not finite", "3.1 × 10⁻¹⁹", "4.02 (claimed 4)", "time limit of 10 s", "The right formula",
        "[0.5000000000000000000 +/- 2.1e-19]", "Rudin <1976> & others", "How to read this", "SHA-256",
    ):  # fmt: skip
        assert said in text


def test_html_and_pdf_are_the_same_bytes_again(page, records):
    again = report()
    assert render_html(again) == page
    assert render_pdf(again) == render_pdf(records)


def test_the_pdf_has_an_outline_links_tags_and_embedded_fonts(records):
    data = render_pdf(records)
    assert data.startswith(b"%PDF-")
    for name in (b"/Outlines", b"/StructTreeRoot", b"/Annots", b"/FontFile3"):
        assert name in data


def test_a_formula_that_typst_refuses_is_named(records):
    page = records.pages[0]
    shown = page.displays[0]
    broken = dataclasses.replace(shown, formula=Formula("THE-LATEX", "<math></math>", "unknownname", (), True))
    bad = dataclasses.replace(records, pages=(dataclasses.replace(page, displays=(broken,)),))
    with pytest.raises(FormulaError, match="THE-LATEX"):
        render_pdf(bad)


def test_malformed_latex_names_the_derivation_and_the_display():
    result = linear()
    display = dataclasses.replace(result.statement.displays[1], latex=r"\frac{a}{")
    statement = dataclasses.replace(result.statement, displays=(display,))
    with pytest.raises(FormulaError, match="derivation 'linear-ode-gradient', display 'gradient'"):
        report(lambda: (dataclasses.replace(result, statement=statement),))


def test_junit_is_well_formed_and_counts_what_is_undecided_or_survives_as_failed():
    tree = ET.fromstring(junit(results()).encode())
    suites = {suite.get("name"): suite for suite in tree}
    assert suites["linear-ode-gradient"].get("failures") == "0"
    failed = {case.get("name") for case in suites["stein-identity"] if case.find("failure") is not None}
    assert failed == {
        "2. a slip of the sign", "4. no answer", "p f vanishes at both ends", "quadrature", "sampling", "sign"
    }  # fmt: skip
    skipped = {case.get("name") for case in suites["stein-identity"] if case.find("skipped") is not None}
    assert skipped == {"3. dominated convergence", "f is in the Stein class"}
    assert tree.get("tests") == str(sum(len(suite) for suite in tree))
    assert tree.get("failures") == str(len(failed))


def test_junit_survives_characters_that_xml_forbids():
    mutant = dataclasses.replace(linear().mutants[0], slip="a\x00b<&>")
    tree = ET.fromstring(junit((dataclasses.replace(linear(), mutants=(mutant,)),)).encode())
    assert any(case.get("name") == "a\ufffdb<&>" for case in tree.iter("testcase"))


def test_results_json_has_a_schema_sorted_keys_and_no_clock():
    text = results_json(results(), seed=3, versions=VERSIONS)
    record = json.loads(text)
    assert record["schema"] == SCHEMA
    assert record["seed"] == 3
    assert record["holds"] is False
    assert [d["name"] for d in record["derivations"]] == ["linear-ode-gradient", "stein-identity"]
    assert text == json.dumps(record, sort_keys=True, indent=1, ensure_ascii=False) + "\n"
    keys = set(re.findall(r'"(\w+)":', text))
    assert not keys & {"seconds", "time", "date", "timestamp"}
    counterexample = record["derivations"][0]["printed"][0]["result"]["counterexample"]
    assert counterexample["point"]["T"] == "1"


def test_numbers_that_are_not_finite_stay_legal_json():
    route = dataclasses.replace(linear().routes[0], worst=float("inf"))
    text = results_json((dataclasses.replace(linear(), routes=(route,)),), seed=0, versions=())
    assert json.loads(text, parse_constant=pytest.fail)["derivations"][0]["routes"][0]["worst"] == "inf"


def test_a_figure_is_the_same_again_and_its_ids_are_its_own():
    figure = linear().figure
    assert figure is not None
    assert draw(figure, "one") == draw(figure, "one")
    one, two = (inline(draw(figure, name), name, "a figure") for name in ("one", "two"))
    ids = [set(re.findall(r'id="([^"]+)"', drawn)) for drawn in (one, two)]
    assert ids[0]
    assert not ids[0] & ids[1]
    assert "#" not in re.sub(r'"#one-|url\(#one-|&#', "", one)  # every colour follows the page
    assert "<text" not in one
    assert "<!--" not in one
    assert "metadata" not in one


def test_a_figure_leaves_out_what_a_logarithmic_axis_cannot_show():
    figure = Figure("t", "x", "y", (Series("s", (1.0, 2.0, 3.0), (0.0, -1.0, 1.0)),), log_y=True)
    assert draw(figure, "logarithmic").count("<use") > 0


def test_an_unknown_style_of_a_series_is_an_error():
    with pytest.raises(ValueError, match="style 'wavy'; use one of line, dashed, dotted, points"):
        draw(Figure("t", "x", "y", (Series("s", (1.0,), (1.0,), "wavy"),)), "wavy")


def test_names_come_in_the_order_of_the_curriculum_and_others_after():
    assert in_reading_order(["stein-identity", "aaa", "adjoint-ode"]) == ["adjoint-ode", "stein-identity", "aaa"]


def test_the_report_explains_every_verdict_and_rigor_that_can_occur():
    assert set(contents()["verdicts"]) == {"PROVED", "SUPPORTED", "UNDECIDED", "REFUTED"}
    assert set(contents()["rigor"]) == {"exact", "enclosed", "numerical", "assumed"}


def test_python_data_become_typst_literals():
    assert literal({"a": (1, 2.5, True, None), 'q"': ()}) == '("a": (1, 2.5, true, none, ), "q\\"": (), )'
    assert literal({}) == "(:)"
    with pytest.raises(TypeError, match="set"):
        literal({1, 2})


@pytest.fixture
def no_runs(monkeypatch):
    """`write` with hand-made results, without running anything."""
    made = {"linear-ode-gradient": linear(), "stein-identity": stein()}

    class Named:
        def __init__(self, name):
            self.name, self.routes, self.uses, self.example = name, made[name].routes, (), None

    def run(derivation, *, seed, progress):
        for _part in range(5 + len(derivation.routes)):
            progress(f"{derivation.name}: part")
        return dataclasses.replace(made[derivation.name], seed=seed)

    monkeypatch.setattr("verify.derivation.run", run)
    return [Named(name) for name in made]


def test_all_files_are_written_and_the_page_names_the_hash_of_results_json(tmp_path, no_runs):
    from hashlib import sha256

    written = write(no_runs, tmp_path / "new" / "folder", command="verify report")
    assert {path.name for path in written.paths} == {"report.html", "report.pdf", "results.json", "junit.xml"}
    assert {path.name for path in (tmp_path / "new" / "folder").iterdir()} == {p.name for p in written.paths}
    digest = sha256(written.json.read_bytes()).hexdigest()
    assert written.html is not None
    assert digest in written.html.read_text("utf-8").replace("<wbr>", "")
    assert not written.holds


def test_two_runs_with_the_same_seed_write_the_same_bytes(tmp_path, no_runs):
    one, two = (write(no_runs, tmp_path / name, command="verify report") for name in ("one", "two"))
    for first, second in zip(one.paths, two.paths, strict=True):
        assert first.read_bytes() == second.read_bytes()


def test_only_the_formats_that_were_asked_for_are_written(tmp_path, no_runs):
    written = write(no_runs, tmp_path, command="verify report", html=False, pdf=False)
    assert {path.name for path in tmp_path.iterdir()} == {"results.json", "junit.xml"}
    assert written.html is None
    assert written.pdf is None


def test_progress_counts_up_to_the_end(tmp_path, no_runs):
    told = []
    write(no_runs, tmp_path, command="verify report", html=False, progress=lambda *said: told.append(said))
    done = [said[0] for said in told]
    assert done == list(range(len(told)))
    assert told[-1][0] == told[-1][1]
    assert {said[1] for said in told} == {told[-1][1]}


def test_an_interrupted_run_leaves_the_former_report_as_it_was(tmp_path, no_runs):
    write(no_runs, tmp_path, command="verify report")
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}

    def stop(_done, _total, what):
        if what == "writing PDF":
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write(no_runs, tmp_path, command="verify report", seed=1, progress=stop)
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before


@pytest.mark.thorough
def test_two_processes_write_the_bytes_that_one_writes(tmp_path):
    names = ["recurrence", "linear-ode-gradient"]
    one, two = (write_report(names, tmp_path / str(jobs), html=False, pdf=False, jobs=jobs) for jobs in (1, 2))
    assert one.json.read_bytes() == two.json.read_bytes()
    assert [result.name for result in two.results] == names
