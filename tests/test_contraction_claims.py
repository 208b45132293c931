"""Which identities of matrices are proved for all sizes?  All of the corpus that hold, and nothing that does not."""

from __future__ import annotations

from collections import Counter

import pytest
from matrix_mutants import differs, mutants, read, rows

from verify.decide.contraction.prove import agreeing_sides, prove
from verify.verdict import Rigor

TRUE = [row for row in rows() if row["truth"] == "true"]
FALSE = [row for row in rows() if row["truth"] == "false"]
#: Every so many claims have their mutants tried in the default run.
STRIDE = 90


def test_the_corpus_has_the_cookbooks_chapter_on_derivatives():
    cookbook = [row for row in TRUE if "Matrix Cookbook" in row["source"]]
    assert len(cookbook) >= 80
    assert len(TRUE) >= 150


def test_all_identities_of_the_corpus_are_proved_for_all_sizes():
    unproved = [(row["claim"], reason) for row in TRUE for sides, reason in [agreeing_sides(read(row))] if not sides]
    assert unproved == []


def test_no_false_claim_of_the_corpus_is_proved():
    proved = [row["claim"] for row in FALSE if agreeing_sides(read(row))[0]]
    assert proved == []


@pytest.mark.parametrize("row", FALSE[:: len(FALSE) // 20], ids=lambda row: row["id"])
def test_the_judge_finds_false_claims_false(row):
    assert differs(read(row)) is not False


@pytest.mark.parametrize("row", TRUE[::20], ids=lambda row: row["id"])
def test_proofs_are_exact_and_their_normal_forms_confirmed_in_balls(row):
    evidence = prove(read(row), seed=1)
    assert evidence.holds is True
    assert evidence.rigor is Rigor.EXACT
    assert evidence.detail["confirmed"] > 0
    assert evidence == prove(read(row), seed=1)


def mutants_proved(some: list[dict]) -> tuple[Counter, list]:
    """How often single slips stay true, and the false ones that the prover believes."""
    counts: Counter = Counter()
    wrong = []
    for row in some:
        for kind, mutant in mutants(read(row)):
            sides, _ = agreeing_sides(mutant)
            truth = differs(mutant)
            counts[{True: "false", False: "true", None: "no point"}[truth], sides is not None] += 1
            if truth and sides:
                wrong.append((row["claim"], kind, mutant))
    return counts, wrong


def test_no_false_mutant_of_some_claims_is_proved():
    counts, wrong = mutants_proved(TRUE[7::STRIDE])
    assert wrong == []
    assert counts["false", False] > 100


@pytest.mark.thorough
def test_no_false_mutant_of_any_claim_is_proved():
    counts, wrong = mutants_proved(TRUE)
    assert wrong == []
    assert counts["false", False] > 10_000
    assert counts["true", True] > 0.9 * (counts["true", True] + counts["true", False])
