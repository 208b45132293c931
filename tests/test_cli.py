"""The command line keeps its contract: what it prints, what it returns, and that no input makes it fail."""

import io
import json
import os
import re
import shlex
import subprocess
import sys
import time
from pathlib import Path

import pytest

import verify
from verify.cli import main
from verify.terminal import Terminal, show
from verify.verdict import Result, Verdict

WRONG = "d/dx sin(x)^2 = -2*sin(x)*cos(x)"
RIGHT = "d/dx log(x + sqrt(1 + x^2)) = 1/sqrt(1 + x^2)"


def run(*arguments: str) -> int:
    try:
        return main(arguments)
    except SystemExit as end:
        return int(end.code or 0)


def test_a_right_formula_is_proved(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("check", RIGHT) == 0
    said = capsys.readouterr().out
    assert said.startswith("read as    d/dx (log(x + sqrt(1 + x^2))) = 1/sqrt(1 + x^2) with x: real\nPROVED")


def test_a_wrong_formula_is_refuted_with_the_whole_story(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("check", WRONG) == 1
    said = capsys.readouterr().out
    assert "REFUTED" in said
    assert "sign: the right-hand side is -1 times the truth (PROVED)" in said
    assert "d/dx (sin(x)^2) = 2*sin(x)*cos(x)" in said
    command = next(line for line in said.splitlines() if line.startswith("re-check")).removeprefix("re-check").split()
    assert command[:2] == ["verify", "check"]


def test_the_printed_command_rechecks_the_point(capsys: pytest.CaptureFixture[str]) -> None:
    for claim, let in (
        (WRONG, ()),
        ("d/dx (a*x) = x with a: positive, x: real", ()),
        ("d/dx x^2 = x", ("x: positive",)),
    ):
        declared = [word for text in let for word in ("--let", text)]
        assert run("check", claim, *declared) == 1
        printed = next(line for line in capsys.readouterr().out.splitlines() if line.startswith("re-check"))
        _, _, *arguments = shlex.split(printed.removeprefix("re-check"))
        assert "--at" in arguments
        assert run("check", *arguments[1:] if arguments[0] == "check" else arguments) == 1
        assert "REFUTED" in capsys.readouterr().out


def test_json_is_one_object_with_the_keys_of_the_interface(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("check", WRONG, "--json", "--seed", "3") == 1
    (line,) = capsys.readouterr().out.splitlines()
    record = json.loads(line)
    assert {"claim", "verdict", "rigor", "counterexample", "diagnosis", "correction", "evidence", "seconds"} <= set(
        record
    )
    assert (record["claim"], record["verdict"], record["rigor"], record["seed"]) == (WRONG, "REFUTED", "enclosed", 3)
    assert set(record["counterexample"]) >= {"point", "lhs", "rhs"}
    assert record["diagnosis"] == {
        "slip": "sign", "says": "the right-hand side is -1 times the truth", "verdict": "PROVED"
    }  # fmt: skip
    assert record["correction"] == "2*sin(x)*cos(x)"
    assert record["version"] == verify.__version__


def test_declarations_restrict_the_domain(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("check", "d/dx abs(x) = 1") == 1
    assert "right where x > 0" in capsys.readouterr().out
    assert run("check", "d/dx abs(x) = 1", "--let", "x: positive") == 0
    assert run("check", "d/dx abs(x*y) = y", "--let", "x: positive, y: real", "--let", "y > 0") == 0


def test_several_claims_are_told_apart_and_the_worst_counts(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("check", RIGHT, WRONG, "--json") == 1
    assert [json.loads(line)["verdict"] for line in capsys.readouterr().out.splitlines()] == ["PROVED", "REFUTED"]


def test_a_claim_may_begin_with_a_minus(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("check", "-sin(x) = d/dx cos(x)") == 0
    assert run("check", "-h*x = -x*h", "--json") == 0
    assert json.loads(capsys.readouterr().out.splitlines()[-1])["claim"] == "-h*x = -x*h"


def test_the_seed_decides_the_points(capsys: pytest.CaptureFixture[str]) -> None:
    def record(*options: str) -> dict:
        run("check", "d/dx (x^3*y) = x*y", "--json", *options)
        found = json.loads(capsys.readouterr().out)
        del found["seconds"]
        return found

    assert record("--seed", "1") == record("--seed", "1")


BAD = {
    "no equality": "sin(x)",
    "empty": "",
    "blank": "   ",
    "unclosed": "d/dx (sin(x) = cos(x)",
    "unknown function": "d/dx sni(x) = cos(x)",
    "huge power": "9^9^9^9 = 1",
    "huge exponent": "d/dx x^(9^9^9^9) = 1",
    "brackets": "(" * 5000 + "x" + ")" * 5000 + " = x",
    "signs": "-" * 20000 + "x = x",
    "null byte": "d/dx x\x00 = 1",
    "look-alike": "d/dx sin(х) = cos(x)",
    "full width": "d/dx ｓin(x) = 1",
    "import": "__import__('os').system('touch /tmp/verify-was-here') = 1",
    "lambda": "(lambda: 1)() = 1",
    "attribute": "x.__class__ = 1",
    "two equalities": "x = y = z",
    "ambiguous": "1/2x = x",
    "half a surrogate": "\ud800 = 1",
    "bell": "\a = \a",
    "very long": "x + " * 200_000 + " = 1",
    "declaration": "x = x with x: poisitive",
}


@pytest.mark.parametrize("text", BAD.values(), ids=BAD)
def test_bad_text_is_one_message_within_two_seconds(text: str, capsys: pytest.CaptureFixture[str]) -> None:
    started = time.monotonic()
    assert run("check", text) == 2
    assert time.monotonic() - started < 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.startswith("verify: ")
    assert "Traceback" not in captured.err
    assert len(captured.err) < 1000
    assert not Path("/tmp/verify-was-here").exists()


@pytest.mark.parametrize("text", ["d/dx sni(x) = 1", "x = x with x: poisitive"])
def test_the_message_shows_the_column(text: str, capsys: pytest.CaptureFixture[str]) -> None:
    run("check", text)
    message = capsys.readouterr().err
    assert "column" in message
    assert "^" in message


def test_an_unreadable_claim_is_an_invalid_result_in_json(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("check", "d/dx sni(x) = 1", "--json") == 2
    record = json.loads(capsys.readouterr().out)
    assert (record["verdict"], record["rigor"]) == ("INVALID", None)
    assert "sni" in record["error"]


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ((), "COMMAND"),
        (("check",), "CLAIM"),
        (("chekc", "x = x"), "chekc"),
        (("check", "x = x", "--timeout", "0"), "positive number of seconds"),
        (("check", "x = x", "--timeout", "nan"), "positive number of seconds"),
        (("check", "x = x", "--seed", "a"), "not an integer"),
        (("check", "x = x", "--jobs", "0"), "less than 1"),
        (("check", "x = x", "--let", "x"), "--let"),
        (("check", "x = x", "--at", "x"), "no coordinate"),
        (("check", "x = x", "--at", "x=1/0"), "divides by zero"),
        (("check", "x = x", "--at", "y=1"), "'y'"),
        (("check", "x = x", "--out", "r.jsonl"), "corpus"),
        (("check", r"\foo x = x"), "foo"),
        (("check", "x = x^10", "--latex"), "first digit"),
        (("check", "notes.tex"), "No such file"),
        (("check", "notes.md", "x = x"), "one document at a time"),
        (("check", "x = x", "--strict"), "--strict"),
        (("check", "problem.toml"), "No such file"),
        (("check", "missing.jsonl"), "No such file"),
        (("check", "a.jsonl", "b.jsonl"), "one corpus at a time"),
        (("check", "a.jsonl", "--let", "x: real"), "--let"),
        (("recheck", "missing.jsonl"), "No such file"),
        (("derive", "no-such-derivation"), "no-such-derivation"),
        (("report", "no-such-derivation"), "no-such-derivation"),
        (("derive", "problem.toml"), "No such file"),
    ],
)
def test_bad_usage_is_one_message_and_status_2(
    arguments: tuple[str, ...], says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(*arguments) == 2
    message = capsys.readouterr().err
    assert message.startswith("verify: ")
    assert says in message
    assert "Traceback" not in message


def test_files_that_are_no_corpus_are_refused(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    folder = tmp_path / "folder.jsonl"
    folder.mkdir()
    empty = tmp_path / "empty.jsonl"
    empty.touch()
    for path in (folder, empty):
        assert run("check", str(path)) == 2
        assert str(path) in capsys.readouterr().err
    notes = tmp_path / "notes.json"
    notes.write_bytes(b"\xff\xfe nothing")
    assert run("recheck", str(notes)) == 2
    notes.write_text("[1, 2]")
    assert run("recheck", str(notes)) == 2
    assert "no result in it" in capsys.readouterr().err


def test_a_claim_that_exhausts_its_time_is_undecided(capsys: pytest.CaptureFixture[str]) -> None:
    text = "d/dx (" + " + ".join(f"hyp2f1(a, b, c, x/{k})^{k}" for k in range(3, 300)) + ") = 1"
    started = time.monotonic()
    assert run("check", text, "--timeout", "0.3") == 3
    assert time.monotonic() - started < 3
    said = capsys.readouterr().out
    assert "UNDECIDED" in said
    assert "time limit of 0.3 s" in said
    assert "--timeout" in said


def test_a_corpus_is_decided_and_resumed(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    corpus, out = tmp_path / "corpus.jsonl", tmp_path / "results.jsonl"
    lines = [
        {"id": "right", "claim": "d/dx (x^n) = n*x^(n - 1)", "let": {"x": "positive"}},
        {"id": "wrong", "claim": "d/dx (x^n) = n*x^n", "let": {"x": "positive", "n": "integer", "where": "n > 2"}},
        {"id": "unreadable", "claim": "d/dx sni(x) = 1"},
        {"claim": "d/dx abs(x) = sign(x)"},
    ]
    corpus.write_text("\n".join(map(json.dumps, lines)))
    assert run("check", str(corpus), "--out", str(out), "--jobs", "2") == 1
    said = capsys.readouterr().out
    assert "4 claims" in said
    assert "REFUTED 1" in said
    verdicts = {r["id"]: r["verdict"] for r in map(json.loads, out.read_text().splitlines())}
    assert verdicts == {"right": "PROVED", "wrong": "REFUTED", "unreadable": "INVALID", "line 4": "PROVED"}
    assert run("check", str(corpus), "--out", str(out)) == 1
    assert "(4 were there)" in capsys.readouterr().out
    assert len(out.read_text().splitlines()) == 4
    assert run("check", str(corpus), "--json") == 1
    assert len(capsys.readouterr().out.splitlines()) == 4


def test_the_content_of_results_does_not_depend_on_the_number_of_processes(tmp_path: Path) -> None:
    lines = [
        {"id": str(k), "claim": f"d/dx (x^{k}*sin(x)) = {k}*x^{k - 1}*sin(x) + x^{k}*cos(x)*y"} for k in range(2, 8)
    ]
    corpus = tmp_path / "corpus.jsonl"
    corpus.write_text("\n".join(map(json.dumps, lines)))
    contents = []
    for jobs in ("1", "2"):
        out = tmp_path / f"results{jobs}.jsonl"
        run("check", str(corpus), "--out", str(out), "--jobs", jobs, "--seed", "5")
        found = {r["id"]: r for r in map(json.loads, out.read_text().splitlines())}
        contents.append({id: r | {"seconds": 0} for id, r in found.items()})
    assert contents[0] == contents[1]


def test_certificates_are_run_again(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    file = tmp_path / "results.jsonl"
    run("check", WRONG, RIGHT, "--json")
    lines = capsys.readouterr().out
    file.write_text(lines)
    assert run("recheck", str(file)) == 0
    said = capsys.readouterr().out.splitlines()
    assert said[0].startswith("holds")
    assert "apart on a ball" in said[0]
    assert "the proof was not run again" in said[1]
    file.write_text(lines.replace('"x": "1"', '"x": "0"').replace("0.909", "0.908"))
    assert run("recheck", str(file)) == 1
    assert "CONTRADICTED" in capsys.readouterr().out


def test_help_is_short_and_names_the_exit_status(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("--help") == 0
    said = capsys.readouterr().out
    assert "exit status" in said
    assert len(said.splitlines()) < 40
    for command in ("check", "list", "derive", "report", "recheck"):
        assert run(command, "--help") == 0
        assert max(map(len, capsys.readouterr().out.splitlines())) <= 120


def test_derivations_are_listed(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("list") == 0
    names = [line.split()[0] for line in capsys.readouterr().out.splitlines()]
    assert "linear-ode-gradient" in names
    assert names == sorted(names)


def test_an_encoding_without_the_signs_gets_plain_words() -> None:
    stream = io.TextIOWrapper(io.BytesIO(), encoding="ascii")
    terminal = Terminal.of(stream)
    show(Result("x = 1", Verdict.UNDECIDED, read_as="x = 1", reason="0.841… and nothing more"), terminal)
    stream.flush()
    assert b"0.841... and nothing more" in stream.buffer.getvalue()  # type: ignore[attr-defined]


def test_colour_is_for_terminals_only(monkeypatch: pytest.MonkeyPatch) -> None:
    class Screen(io.StringIO):
        encoding = "utf-8"

        def isatty(self) -> bool:
            return True

    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm")
    for stream, coloured in ((Screen(), True), (io.StringIO(), False)):
        show(Result("x = x", Verdict.PROVED), Terminal.of(stream))
        assert ("\033[" in stream.getvalue()) == coloured
    monkeypatch.setenv("NO_COLOR", "1")
    assert not Terminal.of(Screen()).colour


def command(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "verify.cli", *arguments], capture_output=True, text=True, env=os.environ | environment
    )


def test_the_program_runs_in_an_ascii_locale() -> None:
    done = command("check", WRONG, LC_ALL="C", PYTHONUTF8="0", PYTHONIOENCODING="ascii")
    assert done.returncode == 1
    assert "0.909297" in done.stdout
    assert done.stderr == ""


def test_checking_imports_none_of_the_heavy_packages() -> None:
    program = (
        "import sys; import verify.graph, verify.language, verify.decide, verify.claim, verify.verdict;"
        "from verify.cli import main; main(['check', 'd/dx sin(x) = cos(x)']);"
        "heavy = {'sympy', 'numpy', 'scipy', 'matplotlib', 'rich', 'autograd', 'mpmath', 'verify.language.latex'};"
        "print(heavy & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.stdout.splitlines()[-1] == "set()", done.stderr


def test_the_session_in_the_readme_is_a_real_one(capsys: pytest.CaptureFixture[str]) -> None:
    readme = (Path(__file__).parent.parent / "README.md").read_text()
    (session,) = re.findall(r"```console\n(.*?)```", readme, re.DOTALL)
    printed = re.split(r"^\$ verify (.*)\n", session, flags=re.MULTILINE)[1:]
    assert len(printed) == 4
    for command, said in zip(printed[::2], printed[1::2], strict=True):
        run(*shlex.split(command))
        assert capsys.readouterr().out == said


def test_checks_from_python_return_results() -> None:
    assert verify.check("d/dx sin(x) = cos(x)").verdict is Verdict.PROVED
    garbage = verify.check("…garbage")
    assert garbage.verdict is Verdict.INVALID
    assert "column" in garbage.reason
    assert verify.check("d/dx abs(x) = 1", let={"x": "positive"}).verdict is Verdict.PROVED
    assert verify.recheck(verify.check(WRONG).to_json()).holds is True
