"""The whole way from a claim to its verdict, on formulas whose truth is known."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from verify import Verdict
from verify.decide import decide
from verify.language import read_claim

DATA = Path(__file__).parent / "data"
RULES = ("autograd", "chainrules", "diffrules", "fungrim", "stan", "torch")

#: True ones that have no proof yet, and false ones that no counterexample was found for; more of them is a step back.
MOST_UNPROVED, MOST_MISSED = 24, 2


def lines(*files):
    return [json.loads(line) for file in files for line in (DATA / file).read_text(encoding="utf-8").splitlines()]


def verdict_of(record):
    verdict = decide(read_claim(record["claim"], record.get("let"))).verdict
    wrong = Verdict.REFUTED if record["truth"] == "true" else Verdict.PROVED
    assert verdict is not wrong, f"{record['claim']!r} is {record['truth']}, and {verdict} was said of it"
    return verdict


@pytest.mark.parametrize("name", RULES)
def test_rules_of_published_sources_get_the_right_verdict(name):
    for record in lines(f"corpora/{name}.jsonl"):
        verdict = verdict_of(record)
        if record["truth"] == "false":
            assert verdict is Verdict.REFUTED, record["claim"]
        elif record["tag"] == "elementary":
            assert verdict is Verdict.PROVED, record["claim"]


@pytest.mark.parametrize("part", range(6))
def test_mistakes_of_people_and_branches_get_the_right_verdict(part):
    for record in lines("hand.jsonl")[part::6]:
        assert verdict_of(record) is not Verdict.UNDECIDED, record["claim"]


@pytest.mark.thorough
def test_nearly_all_formulas_by_hand_are_settled():
    verdicts = [(record["truth"], verdict_of(record)) for record in lines("hand.jsonl")]
    assert sum(truth == "true" and v is not Verdict.PROVED for truth, v in verdicts) <= MOST_UNPROVED
    assert sum(truth == "false" and v is not Verdict.REFUTED for truth, v in verdicts) <= MOST_MISSED


@pytest.mark.parametrize("part", range(2))
def test_antiderivatives_get_the_right_verdict(part):
    for record in lines("corpora/rubi.jsonl")[37 * part :: 74]:
        verdict_of(record)


@pytest.mark.thorough
def test_published_antiderivatives_are_settled():
    verdicts = [(record["truth"], verdict_of(record)) for record in lines("corpora/rubi.jsonl")]
    true = [v for truth, v in verdicts if truth == "true"]
    false = [v for truth, v in verdicts if truth == "false"]
    assert sum(v is Verdict.PROVED for v in true) >= 0.94 * len(true)
    assert sum(v is Verdict.REFUTED for v in false) >= 0.99 * len(false)
