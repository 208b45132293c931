"""No false identity on any branch, kink or cut is proved, and few true ones are missed."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from branches import BANKS, Statement, truth

from verify.decide.prove import prove

#: Of the true statements, the share that has to be proved at least.
PROVED = {
    "squares": 0.95, "logarithms": 0.95, "inverses": 0.8, "half angles": 0.95, "powers": 0.9, "pieces": 0.9,
    "hidden": 0.6, "nested": 0.9, "two variables": 0.9, "principal": 0.8,
}  # fmt: skip


def tally(statements: Iterator[Statement]) -> tuple[list[Statement], int, int]:
    """The false ones that are proved, the number of true ones, and how many of these are proved."""
    false, true, proved = [], 0, 0
    for statement in statements:
        holds = prove(statement.claim()).holds
        known = truth(statement)
        true += known is True
        proved += bool(known and holds)
        if holds and known is False:
            false.append(statement)
    return false, true, proved


@pytest.mark.parametrize("name", BANKS)
def test_a_sample_of_the_bank(name: str) -> None:
    statements = list(BANKS[name]())
    false, true, proved = tally(iter(statements[:: max(1, len(statements) // 60)]))
    assert not false
    assert true
    assert proved >= true * (PROVED[name] - 0.15)


@pytest.mark.thorough
@pytest.mark.parametrize("name", BANKS)
def test_the_whole_bank(name: str) -> None:
    false, true, proved = tally(BANKS[name]())
    assert not false
    assert proved >= true * PROVED[name]
