"""No false identity on any branch, kink or cut is proved, and few true ones are missed."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from branches import BANKS, Statement, truth, truth_of
from rewritings import statement

from verify.decide.prove.proof import prove

#: Of the true statements, the share that has to be proved at least.
PROVED = {
    "squares": 0.98, "logarithms": 0.98, "inverses": 0.9, "half angles": 0.98, "powers": 0.98, "pieces": 0.96,
    "hidden": 0.75, "nested": 0.98, "two variables": 0.96, "principal": 0.85,
}  # fmt: skip


def tally(statements: Iterator[Statement]) -> tuple[list[Statement], int, int]:
    """The false ones that are proved, the number of true ones, and how many of these are proved."""
    false, true, proved = [], 0, 0
    for one in statements:
        holds = prove(one.claim()).holds
        known = truth(one)
        true += known is True
        proved += bool(known and holds)
        if holds and known is False:
            false.append(one)
    return false, true, proved


@pytest.mark.parametrize("name", BANKS)
def test_a_sample_of_the_bank(name: str) -> None:
    statements = list(BANKS[name]())
    false, true, proved = tally(iter(statements[:: max(1, len(statements) // 40)]))
    assert not false
    assert true
    assert proved >= true * (PROVED[name] - 0.15)


def rewritten(seeds: range) -> tuple[list[int], int, int]:
    """Seeds of random statements that are false and proved, the number of true ones, and how many are proved."""
    false, true, proved = [], 0, 0
    for seed in seeds:
        claim = statement(seed)
        if claim is None:
            continue
        holds = prove(claim).holds
        known = truth_of(claim, points=16)
        true += known is True
        proved += bool(known and holds)
        if holds and known is False:
            false.append(seed)
    return false, true, proved


def test_random_rewritings() -> None:
    false, true, proved = rewritten(range(150))
    assert not false
    assert true > 20
    assert proved >= 0.85 * true


@pytest.mark.thorough
def test_random_rewritings_by_the_thousand() -> None:
    false, true, proved = rewritten(range(1000, 7000))
    assert not false
    assert proved >= 0.9 * true


@pytest.mark.thorough
@pytest.mark.parametrize("name", BANKS)
def test_the_whole_bank(name: str) -> None:
    false, true, proved = tally(BANKS[name]())
    assert not false
    assert proved >= true * PROVED[name]
