"""Which slip was made with transposes, factors and signs, or which property of a matrix was taken for granted?"""

from __future__ import annotations

from verify.claim import Claim
from verify.verdict import Diagnosis


def diagnose(claim: Claim, *, seed: int = 0) -> tuple[Diagnosis | None, str | None]:
    """The slip that explains a refuted claim, and the correct right-hand side; None for what was not found."""
    return None, None
