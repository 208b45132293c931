"""How is a decision run so that it can be stopped?  In a process of its own, with a time and a memory limit.

A huge power aborts the whole process inside FLINT, and a power of large integers holds the interpreter lock
so that no timer of Python fires: only a process can be stopped from outside.  The functions run here are generators
that yield better and better answers; when one is stopped, the best so far is kept, together with the reason.
"""

from __future__ import annotations

import faulthandler
import multiprocessing
import os
import signal
import time
import warnings
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection, Pipe, wait
from typing import Any

Answers = Callable[..., Iterator[Any]]

#: Seconds after which a worker whose parent is gone ends by itself, beyond the time limit of its task.
GRACE = 2.0


@dataclass(frozen=True)
class Outcome:
    """What came back from one task.

    value    the last answer, None if there was none.
    reason   why the task did not come to its end; empty if it did.
    seconds  wall-clock time of the task.
    """

    value: Any = None
    reason: str = ""
    seconds: float = 0.0


def run(function: Answers, *args: Any, seconds: float, megabytes: int) -> Outcome:
    """The outcome of one task in a process that is started for it."""
    ((_, outcome),) = run_all(function, [(None, args)], jobs=1, seconds=seconds, megabytes=megabytes)
    return outcome


def run_all(
    function: Answers, tasks: Iterable[tuple[Any, tuple[Any, ...]]], *, jobs: int, seconds: float, megabytes: int
) -> Generator[tuple[Any, Outcome]]:
    """Yield (key, outcome) for each (key, arguments) of `tasks`, as they are finished, from `jobs` processes.

    `seconds` is the limit for each task, `megabytes` the memory that a worker may take beyond what this process
    holds already.  A worker that ends abnormally is replaced; the other tasks do not notice.  Tasks are drawn
    when a worker is free, so that `tasks` may be as long as it likes.
    """
    waiting = iter(tasks)
    workers: list[_Worker] = []
    try:
        while True:
            workers = [worker for worker in workers if not worker.retired]
            idle = [worker for worker in workers if worker.idle]
            while len(idle) + sum(not worker.idle for worker in workers) < jobs or idle:
                if (task := next(waiting, None)) is None:
                    break
                if idle:
                    worker = idle.pop()
                else:
                    worker = _Worker(function, megabytes, [other.connection for other in workers])
                    workers.append(worker)
                worker.start(*task, seconds)
            busy: dict[Any, _Worker] = {worker.connection: worker for worker in workers if not worker.idle}
            if not busy:
                return
            patience = min(worker.deadline for worker in busy.values()) - time.monotonic()
            for connection in wait(list(busy), max(patience, 0.0)):
                if finished := busy[connection].listen():
                    yield finished
            for worker in busy.values():
                if not worker.idle and time.monotonic() >= worker.deadline:
                    yield worker.give_up(f"time limit of {seconds:g} s reached")
    finally:
        for worker in workers:
            worker.stop()


class _Fork:
    """A copy of this process that runs one function and nothing else; allowed inside any other process pool."""

    def __init__(self, target: Callable[..., None], args: tuple[Any, ...]) -> None:
        self.exitcode: int | None = None
        with warnings.catch_warnings():
            # Later Pythons warn that a fork beside threads may dead-lock; the worker takes none of their locks.
            warnings.simplefilter("ignore", DeprecationWarning)
            self.pid = os.fork()
        if self.pid == 0:
            try:
                target(*args)
            finally:
                os._exit(1)

    def kill(self) -> None:
        if self.exitcode is None:
            os.kill(self.pid, signal.SIGKILL)

    def join(self) -> None:
        if self.exitcode is None:
            self.exitcode = os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])


class _Worker:
    """One process, and what this side knows of it."""

    def __init__(self, function: Answers, megabytes: int, others: list[Connection]) -> None:
        self.connection, theirs = Pipe()
        if hasattr(os, "fork"):
            self.process = _Fork(_serve, (theirs, function, megabytes, [*others, self.connection]))
        else:
            spawn = multiprocessing.get_context("spawn")
            self.process = spawn.Process(target=_serve, args=(theirs, function, megabytes, []))
            self.process.start()
        theirs.close()
        self.idle, self.retired = True, False
        self.megabytes = megabytes

    def start(self, key: Any, args: tuple[Any, ...], seconds: float) -> None:
        self.key, self.answer, self.idle = key, None, False
        self.started = time.monotonic()
        self.deadline = self.started + seconds
        with suppress(BrokenPipeError):  # died while idle: `listen` finds out
            self.connection.send((args, seconds))

    def listen(self) -> tuple[Any, Outcome] | None:
        """Take in one message; the outcome if it was the last one of the task."""
        try:
            kind, value = self.connection.recv()
        except (EOFError, OSError):
            return self.give_up("")
        if kind == "answer":
            self.answer = value
            return None
        self.retired = kind == "exhausted"
        reason = f"memory limit of {self.megabytes} MB reached" if self.retired else value
        return self._finish(reason)

    def give_up(self, reason: str) -> tuple[Any, Outcome]:
        self.retired = True
        if reason:
            self.process.kill()
        self.process.join()
        return self._finish(reason or _last_words(self.process.exitcode, self.megabytes))

    def _finish(self, reason: str) -> tuple[Any, Outcome]:
        self.idle = True
        if self.retired:
            self.stop()
        return self.key, Outcome(self.answer, reason, time.monotonic() - self.started)

    def stop(self) -> None:
        self.process.kill()
        self.process.join()
        self.connection.close()


def _last_words(exitcode: int | None, megabytes: int) -> str:
    if exitcode is not None and exitcode < 0:
        name = signal.Signals(-exitcode).name
        if name in ("SIGABRT", "SIGFPE"):  # FLINT's and GMP's way to give up
            return f"the computation was aborted: a number too large, or the memory limit of {megabytes} MB"
        if name == "SIGSEGV":
            return "the computation crashed: nested too deeply, or out of memory"
        return f"the computation was killed ({name}): out of memory?"
    return f"the computation ended without an answer (status {exitcode})"


# --- in the worker ------------------------------------------------------------------------------


def _serve(connection: Connection, function: Answers, megabytes: int, inherited: list[Connection]) -> None:
    for other in inherited:  # else no worker would see the end of its pipe when the parent is gone
        other.close()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the parent, which stops its workers
    _be_quiet()
    _limit_memory(megabytes)
    while True:
        try:
            args, seconds = connection.recv()
        except (EOFError, OSError):
            os._exit(0)
        _set_alarm(seconds + GRACE)
        try:
            for value in function(*args):
                connection.send(("answer", value))
            message = ("done", "")
        except MemoryError:
            message = ("exhausted", "")
        except RecursionError:
            message = ("done", "nested too deeply")
        except Exception as error:  # whatever it was: it is no pass, and the other tasks go on
            message = ("done", f"the computation failed: {type(error).__name__}: {error}")
        _set_alarm(0)
        try:
            connection.send(message)
        except OSError:
            os._exit(0)


def _be_quiet() -> None:
    """FLINT prints before it aborts, and so would a fault handler; what counts is said by the parent."""
    faulthandler.disable()
    null = os.open(os.devnull, os.O_RDWR)
    for descriptor in (0, 1, 2):
        os.dup2(null, descriptor)


def _limit_memory(megabytes: int) -> None:
    try:
        import resource
    except ImportError:  # not on this platform: the time limit still holds
        return
    held = 0
    with suppress(OSError, ValueError, IndexError), open("/proc/self/statm") as statm:
        held = int(statm.read().split()[0]) * resource.getpagesize()
    limit = held + megabytes * 2**20
    hard = resource.getrlimit(resource.RLIMIT_AS)[1]
    with suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_AS, (limit if hard == resource.RLIM_INFINITY else min(limit, hard), hard))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def _set_alarm(seconds: float) -> None:
    """The kernel's own timer: it ends this process even inside a C call, should the parent be gone."""
    if hasattr(signal, "setitimer"):
        signal.signal(signal.SIGALRM, signal.SIG_DFL)
        signal.setitimer(signal.ITIMER_REAL, seconds)
