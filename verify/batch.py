"""Which claims of a corpus are right?  JSON lines in, JSON lines out; stopped at any moment, it can go on."""

from __future__ import annotations

import json
import math
import os
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import IO, Any

from verify import __version__
from verify.judge import MEMORY, TIMEOUT, concluded, judge
from verify.verdict import Verdict
from verify.worker import run_all

Record = dict[str, Any]

#: Seconds between two moments at which the results are forced to the disk; a line is handed to the system at once.
SYNC_EVERY = 2.0


class BatchError(ValueError):
    """The corpus or the file for the results cannot be used; the message says why and what to do."""


@dataclass(frozen=True)
class Task:
    """One line of a corpus; `error` is set when it cannot be used."""

    line: int
    id: Any
    claim: str
    let: Mapping[str, Any] = field(default_factory=dict)
    error: str = ""


@dataclass
class Summary:
    """What a run has seen so far: counts by verdict, over the results that were there already and the new ones."""

    total: int = 0
    verdicts: Counter[str] = field(default_factory=Counter)
    resumed: int = 0
    """Results that were there already."""
    seconds: float = 0.0

    @property
    def done(self) -> int:
        return sum(self.verdicts.values())

    @property
    def exit_status(self) -> int:
        """0 all PROVED or SUPPORTED, 1 at least one REFUTED, 3 otherwise (an INVALID line too)."""
        if self.verdicts["REFUTED"]:
            return 1
        return 3 if self.verdicts["UNDECIDED"] or self.verdicts["INVALID"] else 0


# --- the corpus -----------------------------------------------------------------------------------


def read_corpus(path: Path) -> Iterator[Task]:
    """The tasks of a file of JSON lines, blank lines skipped.

    A line without an id is called "line N"; an id that occurred before gets "#2", "#3", … so that no result is lost.
    """
    taken: set[str] = set()
    with path.open("rb") as file:
        for number, raw in enumerate(file, start=1):
            if number == 1:
                raw = raw.removeprefix(b"\xef\xbb\xbf")
            if raw.strip():
                task = _read_line(number, raw)
                name, again = task.id, 2
                while identity(name) in taken:
                    name, again = f"{task.id}#{again}", again + 1
                taken.add(identity(name))
                yield replace(task, id=name)


def _read_line(number: int, raw: bytes) -> Task:
    name = f"line {number}"
    text = raw.decode("utf-8", errors="replace").strip()
    shown = text if len(text) <= 200 else text[:199] + "…"

    def wrong(why: str) -> Task:
        return Task(number, name, shown, error=f"line {number}: {why}")

    try:
        record = json.loads(raw.decode("utf-8"))
    except UnicodeDecodeError as error:
        return wrong(f"not UTF-8 at byte {error.start + 1}")
    except json.JSONDecodeError as error:
        return wrong(f"not a JSON object: {error.msg} (column {error.colno})")
    except (RecursionError, ValueError) as error:
        return wrong(f"not a JSON object: {error}")
    if not isinstance(record, dict):
        return wrong(f'a JSON object {{"id": …, "claim": …}} is needed, not {_kind(record)}')
    id, claim, let = record.get("id"), record.get("claim"), record.get("let")
    if id is not None:
        if not isinstance(id, str | int) or isinstance(id, bool):
            return wrong(f'"id" must be a string or an integer, not {_kind(id)}')
        name = id
    if not isinstance(claim, str):
        return wrong('"claim" is missing' if claim is None else f'"claim" must be a string, not {_kind(claim)}')
    if let is not None and not _is_declarations(let):
        return wrong('"let" must be an object of strings, {"x": "positive"}, with strings or a list under "where"')
    return Task(number, name, claim, let or {})


def _is_declarations(let: Any) -> bool:
    return isinstance(let, dict) and all(
        isinstance(value, str)
        or (key == "where" and isinstance(value, list) and all(isinstance(v, str) for v in value))
        for key, value in let.items()
    )


def _kind(value: Any) -> str:
    names = {dict: "an object", list: "a list", str: "a string", bool: "a truth value", type(None): "null"}
    return names.get(type(value), "a number")


def identity(id: Any) -> str:
    """The id as it is compared: 5 and "5" differ."""
    return json.dumps(id)


# --- the results ----------------------------------------------------------------------------------


class Results:
    """The file of results: what it holds already, and lines appended to it one by one.

    A last line that was torn by a kill is cut off, so that its claim is decided again.
    """

    def __init__(self, path: Path, *, fresh: bool) -> None:
        self.path = path
        self.there: dict[str, str] = {}
        """Verdict of each result that was there, by the identity of its id."""
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._file: IO[bytes] = path.open("ab+")
        except OSError as error:
            raise BatchError(f"{path}: cannot be written: {error.strerror}") from None
        try:
            self._lock()
            if fresh:
                self._file.truncate(0)
            self._take_up()
        except BaseException:
            self._file.close()
            raise
        self._synced = time.monotonic()

    def _lock(self) -> None:
        with suppress(ImportError):
            import fcntl

            try:
                # Not flock: workers would inherit it, and hold it when this process has been killed.
                fcntl.lockf(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                raise BatchError(
                    f"{self.path}: another run is writing to it; wait for it, or name another file"
                ) from None

    def _take_up(self) -> None:
        self._file.seek(0)
        whole = 0
        for number, raw in enumerate(self._file, start=1):
            if not raw.endswith(b"\n") and raw[:6] == b'{"id": '[: len(raw)][:6]:
                break  # torn
            whole += len(raw)
            try:
                record = json.loads(raw)
                self.there[identity(record["id"])] = Verdict[record["verdict"]].name
            except (ValueError, KeyError, TypeError):
                raise BatchError(
                    f"{self.path}: line {number} is not a result; name another file, or start over with --fresh"
                ) from None
        self._file.truncate(whole)
        self._file.seek(0, os.SEEK_END)

    def append(self, line: str) -> None:
        """Write one line and hand it to the system: it survives a kill of this process."""
        self._file.write(line.encode() + b"\n")
        self._file.flush()
        if time.monotonic() - self._synced > SYNC_EVERY:
            self._sync()

    def close(self) -> None:
        if not self._file.closed:
            self._sync()
            self._file.close()

    def _sync(self) -> None:
        with suppress(OSError):  # a pipe or a device cannot
            os.fsync(self._file.fileno())
        self._synced = time.monotonic()


def as_line(record: Record) -> str:
    """One line of JSON, whatever the texts and numbers in it."""
    try:
        line = json.dumps(record, ensure_ascii=False, allow_nan=False)
        line.encode()
    except ValueError:  # half a surrogate pair, or a number that JSON does not know
        line = json.dumps(_plain(record), allow_nan=False)
    return line


def _plain(value: Any) -> Any:
    match value:
        case float():
            return value if math.isfinite(value) else str(value)
        case dict():
            return {key: _plain(item) for key, item in value.items()}
        case list() | tuple():
            return [_plain(item) for item in value]
        case _:
            return value


# --- the run --------------------------------------------------------------------------------------


def run_batch(
    corpus: Path,
    *,
    out: Path | None = None,
    fresh: bool = False,
    jobs: int = 1,
    seed: int = 0,
    timeout: float = TIMEOUT,
    memory: int = MEMORY,
    report: Callable[[Record, Summary], None] = lambda *_: None,
    decide: Callable[..., Iterator[Any]] = judge,
) -> Summary:
    """Decide every claim of `corpus`; append a line for each to `out`, skipping the ids that are there already.

    The content of a line depends on its claim and on `seed` alone, not on the order or on `jobs`; only the order
    of the lines and their `seconds` do.  `report(record, summary)` is called for every new result.
    """
    tasks = list(read_corpus(corpus))
    if not tasks:
        raise BatchError(f'{corpus}: no claim in it; a line is {{"id": …, "claim": …}}')
    if out is not None and out.exists() and out.samefile(corpus):
        raise BatchError(f"{out}: is the corpus itself; name another file for the results")
    results = None if out is None else Results(out, fresh=fresh)
    there = results.there if results else {}
    started = time.monotonic()
    summary = Summary(total=len(tasks))
    waiting = []
    for task in tasks:
        if (verdict := there.get(identity(task.id))) is None:
            waiting.append(task)
        else:
            summary.verdicts[verdict] += 1
            summary.resumed += 1
    try:
        for record in _records(waiting, decide, jobs=jobs, seed=seed, timeout=timeout, memory=memory):
            if results:
                results.append(as_line(record))
            summary.verdicts[record["verdict"]] += 1
            summary.seconds = time.monotonic() - started
            report(record, summary)
    finally:
        if results:
            results.close()
    summary.seconds = time.monotonic() - started
    return summary


def _records(
    tasks: list[Task], decide: Callable[..., Iterator[Any]], *, jobs: int, seed: int, timeout: float, memory: int
) -> Iterator[Record]:
    for task in tasks:
        if task.error:
            yield _invalid(task, seed)
    work = ((task, (task.claim, task.let, seed)) for task in tasks if not task.error)
    for task, outcome in run_all(decide, work, jobs=jobs, seconds=timeout, megabytes=memory):
        record = {"id": task.id} | concluded(task.claim, outcome, seed).to_json()
        if record["verdict"] == "INVALID":
            record["line"] = task.line
        yield record


def _invalid(task: Task, seed: int) -> Record:
    return {
        "id": task.id, "claim": task.claim, "verdict": "INVALID", "rigor": None, "error": task.error, "line": task.line,
        "evidence": [], "seconds": 0.0, "seed": seed, "version": __version__,
    }  # fmt: skip
