"""A batch loses nothing and doubles nothing, whatever is in the corpus and whenever it is stopped."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from verify.batch import BatchError, Results, as_line, read_corpus, run_batch
from verify.verdict import Result, Verdict


def fake_judge(claim: str, _let: dict[str, Any], seed: int) -> Iterator[Result]:
    """The verdict is the claim's first word."""
    word = claim.split()[0]
    if word == "exit":
        os._exit(7)
    if word == "sleep":
        time.sleep(60)
    if word == "slow":
        time.sleep(0.1)
        word = "PROVED"
    yield Result(claim, Verdict[word], seed=seed, reason="nobody knows" if word == "UNDECIDED" else "")


def corpus(path: Path, *lines: object) -> Path:
    path.write_text("".join((line if isinstance(line, str) else json.dumps(line)) + "\n" for line in lines))
    return path


def claims(count: int, word: str = "PROVED") -> list[dict[str, str]]:
    return [{"id": f"c{i}", "claim": f"{word} {i}"} for i in range(count)]


def results_in(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def run(path: Path, **options: Any) -> Any:
    return run_batch(path, decide=fake_judge, **{"timeout": 5.0, "memory": 256} | options)


def test_every_claim_gets_one_line_with_the_keys_of_the_interface(tmp_path: Path) -> None:
    out = tmp_path / "results.jsonl"
    summary = run(corpus(tmp_path / "c.jsonl", *claims(20)), out=out, jobs=2)
    results = results_in(out)
    assert sorted(r["id"] for r in results) == sorted(c["id"] for c in claims(20))
    assert {"id", "claim", "verdict", "rigor", "evidence", "seconds", "seed", "version"} <= set(results[0])
    assert summary.verdicts == {"PROVED": 20}
    assert summary.exit_status == 0


@pytest.mark.parametrize(
    ("words", "status"),
    [("PROVED SUPPORTED", 0), ("PROVED UNDECIDED", 3), ("REFUTED UNDECIDED PROVED", 1), ("PROVED INVALID", 3)],
)
def test_the_exit_status_is_that_of_the_interface(words: str, status: int, tmp_path: Path) -> None:
    lines = [{"claim": f"{word} x"} for word in words.split()]
    assert run(corpus(tmp_path / "c.jsonl", *lines)).exit_status == status


def test_started_again_it_decides_only_what_is_missing(tmp_path: Path) -> None:
    path, out = corpus(tmp_path / "c.jsonl", *claims(10)), tmp_path / "results.jsonl"
    run(path, out=out)
    kept = out.read_text().splitlines()[:4]
    out.write_text("\n".join(kept) + "\n")
    seen: list[str] = []
    summary = run(path, out=out, report=lambda record, _: seen.append(record["id"]))
    assert len(seen) == 6
    assert (summary.resumed, summary.done) == (4, 10)
    assert out.read_text().splitlines()[:4] == kept
    assert sorted(r["id"] for r in results_in(out)) == sorted(f"c{i}" for i in range(10))


def test_a_torn_last_line_is_decided_again(tmp_path: Path) -> None:
    path, out = corpus(tmp_path / "c.jsonl", *claims(5)), tmp_path / "results.jsonl"
    run(path, out=out)
    whole = out.read_bytes()
    for cut in range(1, len(whole.splitlines()[-1]) + 2, 7):
        out.write_bytes(whole[:-cut])
        run(path, out=out)
        assert sorted(r["id"] for r in results_in(out)) == [f"c{i}" for i in range(5)]


def test_fresh_starts_over(tmp_path: Path) -> None:
    path, out = corpus(tmp_path / "c.jsonl", *claims(3)), tmp_path / "results.jsonl"
    run(path, out=out)
    assert run(path, out=out, fresh=True).resumed == 0
    assert len(results_in(out)) == 3


def test_a_batch_killed_at_any_moment_loses_and_doubles_nothing(tmp_path: Path) -> None:
    path, out = corpus(tmp_path / "c.jsonl", *claims(60, "slow")), tmp_path / "results.jsonl"
    program = (
        f"import sys; sys.path.insert(0, {str(Path(__file__).parent)!r})\n"
        "from pathlib import Path; from test_batch import run\n"
        f"run(Path({str(path)!r}), out=Path({str(out)!r}), jobs=2)\n"
    )
    for enough in (5, 20, 30):
        process = subprocess.Popen([sys.executable, "-c", program])
        while process.poll() is None and (not out.exists() or out.read_bytes().count(b"\n") < enough):
            time.sleep(0.02)
        process.send_signal(signal.SIGKILL)
        process.wait()
    before = out.read_bytes().count(b"\n")
    run(path, out=out, jobs=2)
    ids = [r["id"] for r in results_in(out)]
    assert sorted(ids) == sorted(f"c{i}" for i in range(60))
    assert 0 < before < 60


def test_a_claim_that_exhausts_its_limits_is_undecided_and_the_rest_goes_on(tmp_path: Path) -> None:
    out = tmp_path / "results.jsonl"
    lines = [{"id": w, "claim": f"{w} 1"} for w in ("PROVED", "sleep", "exit", "REFUTED")]
    run(corpus(tmp_path / "c.jsonl", *lines), out=out, jobs=2, timeout=0.5)
    found = {r["id"]: r for r in results_in(out)}
    assert {id: r["verdict"] for id, r in found.items()} == {
        "PROVED": "PROVED", "sleep": "UNDECIDED", "exit": "UNDECIDED", "REFUTED": "REFUTED"
    }  # fmt: skip
    assert "time limit" in found["sleep"]["reason"]
    assert "status 7" in found["exit"]["reason"]


MALFORMED: list[tuple[str, str]] = [
    ("{", "not a JSON object"),
    ("[1, 2]", "not a list"),
    ("null", "not null"),
    ('"d/dx x = 1"', "not a string"),
    ("{}", '"claim" is missing'),
    ('{"claim": 3}', "not a number"),
    ('{"claim": ["a"]}', "not a list"),
    ('{"id": {}, "claim": "PROVED"}', '"id" must be'),
    ('{"id": true, "claim": "PROVED"}', '"id" must be'),
    ('{"claim": "PROVED", "let": ["x: positive"]}', '"let" must be'),
    ('{"claim": "PROVED", "let": {"x": 1}}', '"let" must be'),
    ('{"claim": "PROVED", "let": {"where": [1]}}', '"let" must be'),
    ("[" * 100_000, "not a JSON object"),
    ("\x00", "not a JSON object"),
]


@pytest.mark.parametrize(("line", "says"), MALFORMED)
def test_a_malformed_line_is_invalid_with_its_number_and_the_rest_goes_on(line: str, says: str, tmp_path: Path) -> None:
    out = tmp_path / "results.jsonl"
    summary = run(corpus(tmp_path / "c.jsonl", {"claim": "PROVED"}, line, {"claim": "PROVED"}), out=out)
    (invalid,) = [r for r in results_in(out) if r["verdict"] == "INVALID"]
    assert invalid["error"].startswith("line 2: ")
    assert says in invalid["error"]
    assert invalid["line"] == 2
    assert summary.verdicts == {"PROVED": 2, "INVALID": 1}


def test_lines_that_are_not_utf8_are_invalid(tmp_path: Path) -> None:
    path = tmp_path / "c.jsonl"
    path.write_bytes(b'\xef\xbb\xbf{"claim": "PROVED"}\r\n\xff\xfe\n\n{"claim": "PROVED"}')
    tasks = list(read_corpus(path))
    assert [(task.line, bool(task.error)) for task in tasks] == [(1, False), (2, True), (4, False)]


def test_lines_without_an_id_are_called_after_their_number_and_doubles_are_told_apart(tmp_path: Path) -> None:
    ids = (None, "a", "a", "a#2", 5, "5")
    path, out = corpus(tmp_path / "c.jsonl", *({"id": id, "claim": "PROVED"} for id in ids)), tmp_path / "results.jsonl"
    run(path, out=out)
    assert [r["id"] for r in results_in(out)] == ["line 1", "a", "a#2", "a#2#2", 5, "5"]
    assert run(path, out=out).resumed == 6


def test_what_cannot_be_a_batch_is_refused(tmp_path: Path) -> None:
    path = corpus(tmp_path / "c.jsonl", *claims(2))
    with pytest.raises(BatchError, match="the corpus itself"):
        run(path, out=path)
    with pytest.raises(BatchError, match="no claim"):
        run(corpus(tmp_path / "empty.jsonl"))
    notes = tmp_path / "notes.txt"
    notes.write_text("my notes\n")
    with pytest.raises(BatchError, match="line 1 is not a result"):
        run(path, out=notes)
    assert notes.read_text() == "my notes\n"
    notes.write_text("my notes")
    with pytest.raises(BatchError, match="line 1 is not a result"):
        run(path, out=notes)
    assert notes.read_text() == "my notes"
    with pytest.raises(BatchError, match="cannot be written"):
        run(path, out=tmp_path)


def test_two_runs_do_not_write_to_one_file(tmp_path: Path) -> None:
    out = tmp_path / "results.jsonl"
    first = Results(out, fresh=False)
    program = f"from pathlib import Path; from verify.batch import Results\nResults(Path({str(out)!r}), fresh=True)"
    second = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert "another run is writing" in second.stderr
    first.append("{}")
    first.close()
    assert out.read_text() == "{}\n"


def test_any_record_becomes_one_line_of_json() -> None:
    record = {"claim": "\ud800 ∂", "evidence": [{"worst": float("nan")}], "rows": (1.5, float("inf"))}
    line = as_line(record)
    assert "\n" not in line
    line.encode()
    assert json.loads(line)["evidence"][0]["worst"] == "nan"
    assert as_line({"claim": "∂"}) == '{"claim": "∂"}'
