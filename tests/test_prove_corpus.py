"""Published rules are proved, their wrong copies and their mutants never are."""

from __future__ import annotations

import json
from dataclasses import replace
from itertools import islice
from pathlib import Path

import pytest
from branches import truth_of

from verify.claim import Claim
from verify.decide.prove.proof import prove
from verify.language import read_claim
from verify.mutate import mutants

DATA = Path(__file__).parent / "data" / "corpora"
RULES = ("autograd", "chainrules", "diffrules", "stan", "torch")


def records(*names: str) -> list[dict]:
    rows = [json.loads(line) for name in names for line in (DATA / f"{name}.jsonl").read_text().splitlines()]
    return [row for row in rows if row["tag"] != "matrix"]


def claim_of(row: dict) -> Claim:
    return read_claim(row["claim"], row["let"])


@pytest.mark.parametrize("name", RULES)
def test_all_right_rules_are_proved(name: str) -> None:
    missed = [row["id"] for row in records(name) if row["truth"] == "true" and not prove(claim_of(row)).holds]
    assert not missed


@pytest.mark.parametrize("name", RULES)
def test_no_wrong_rule_is_proved(name: str) -> None:
    assert not [row["id"] for row in records(name) if row["truth"] == "false" and prove(claim_of(row)).holds]


def proved(rows: list[dict]) -> list[str]:
    return [row["id"] for row in rows if prove(claim_of(row)).holds]


def test_a_sample_of_antiderivatives() -> None:
    rows = [row for row in records("rubi") if len(row["claim"]) < 600][::29]
    right, wrong = ([row for row in rows if row["truth"] == truth] for truth in ("true", "false"))
    assert not proved(wrong)
    assert len(proved(right)) >= 0.9 * len(right)


@pytest.mark.thorough
def test_all_antiderivatives() -> None:
    rows = records("rubi")
    right, wrong = ([row for row in rows if row["truth"] == truth] for truth in ("true", "false"))
    assert not proved(wrong)
    for field in ("real", "complex"):
        of_field = [row for row in right if row["field"] == field]
        assert len(proved(of_field)) >= 0.9 * len(of_field)


def wrongly_proved(rows: list[dict], most: int) -> list[tuple[str, str]]:
    """Mutants that are proved although balls show that they are wrong."""
    found = []
    for row in rows:
        claim = claim_of(row)
        for mutant in islice(mutants(claim.rhs), most):
            changed = replace(claim, rhs=mutant.node, text="")
            if prove(changed).holds and truth_of(changed) is False:
                found.append((row["id"], mutant.says))
    return found


def test_no_mutant_of_a_rule_is_proved() -> None:
    rows = [row for row in records(*RULES) if row["truth"] == "true"]
    assert not wrongly_proved(rows[::4], 12)


@pytest.mark.thorough
def test_no_mutant_of_any_rule_is_proved() -> None:
    assert not wrongly_proved([row for row in records(*RULES) if row["truth"] == "true"], 200)


@pytest.mark.thorough
def test_no_mutant_of_an_antiderivative_is_proved() -> None:
    assert not wrongly_proved([row for row in records("rubi") if row["truth"] == "true"][::3], 12)
