"""A task ends at its limits, whatever it does, and the others go on."""

import os
import signal
import time
from collections.abc import Iterator

import pytest

from verify.worker import Outcome, run, run_all


def answers(*values: object) -> Iterator[object]:
    yield from values


def sleep(value: str, seconds: float) -> Iterator[str]:
    yield value
    time.sleep(seconds)
    yield "later"


def misbehave(how: str) -> Iterator[str]:
    yield "first"
    if how == "lock":  # one call that holds the interpreter lock for minutes
        (7 ** (7**9)).bit_length()
    elif how == "abort":
        import flint

        flint.fmpz(3) ** (2**62)
    elif how == "exit":
        os._exit(3)
    elif how == "kill":
        os.kill(os.getpid(), signal.SIGKILL)
    elif how == "memory":
        held = []
        while True:
            held.append(bytearray(2**24))
    elif how == "recursion":
        misbehave_deeply()
    elif how == "raise":
        raise KeyError("x")
    yield "last"


def misbehave_deeply() -> None:
    misbehave_deeply()


def limited(how: str) -> Outcome:
    return run(misbehave, how, seconds=1.0 if how == "lock" else 30.0, megabytes=256)


def test_the_last_answer_is_the_value() -> None:
    outcome = run(answers, 1, 2, 3, seconds=5, megabytes=256)
    assert (outcome.value, outcome.reason) == (3, "")


def test_a_task_past_its_time_keeps_what_it_had() -> None:
    outcome = run(sleep, "early", 60.0, seconds=0.3, megabytes=256)
    assert outcome.value == "early"
    assert outcome.reason == "time limit of 0.3 s reached"
    assert outcome.seconds < 2


@pytest.mark.parametrize(
    ("how", "says"),
    [
        ("lock", "time limit of 1 s"),
        ("abort", "aborted"),
        ("exit", "status 3"),
        ("kill", "SIGKILL"),
        ("memory", "memory limit of 256 MB"),
        ("recursion", "nested too deeply"),
        ("raise", "KeyError: 'x'"),
    ],
)
def test_an_abnormal_end_is_told_and_never_the_last_answer(how: str, says: str) -> None:
    outcome = limited(how)
    assert says in outcome.reason
    assert outcome.value == "first"


def test_the_other_tasks_go_on_when_one_worker_dies() -> None:
    hows = ["fine", "exit", "fine", "abort", "raise", "fine", "kill", "memory", "fine"]
    tasks = [(i, (how,)) for i, how in enumerate(hows)]
    outcomes = dict(run_all(misbehave, tasks, jobs=2, seconds=5, megabytes=256))
    assert sorted(outcomes) == list(range(len(hows)))
    for i, how in enumerate(hows):
        assert (outcomes[i].reason == "") == (how == "fine")
        assert outcomes[i].value == ("last" if how == "fine" else "first")


def test_tasks_are_drawn_only_when_a_worker_is_free() -> None:
    drawn = []

    def endless() -> Iterator[tuple[int, tuple[int]]]:
        for i in range(10**9):
            drawn.append(i)
            yield i, (i,)

    outcomes = run_all(answers, endless(), jobs=2, seconds=5, megabytes=256)
    first = next(outcomes)
    outcomes.close()
    assert first[1].value == first[0]
    assert len(drawn) <= 3


def test_no_task_is_lost_or_doubled() -> None:
    keys = [key for key, _ in run_all(answers, [(i, (i,)) for i in range(500)], jobs=2, seconds=5, megabytes=256)]
    assert sorted(keys) == list(range(500))
