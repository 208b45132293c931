"""Is a claim on vectors, matrices or abstract functions right?  Entry by entry at small sizes, then for all of them."""

from __future__ import annotations

from collections.abc import Iterator

from verify.claim import Claim
from verify.language import write_claim
from verify.verdict import Result, Verdict


def stages(claim: Claim, *, seed: int = 0) -> Iterator[Result]:
    """Results, each saying more than the one before."""
    text = write_claim(claim)
    reason = "claims on vectors, matrices and abstract functions are not decided yet"
    yield Result(claim.text or text, Verdict.UNDECIDED, read_as=text, reason=reason, seed=seed)
