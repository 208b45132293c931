"""Is a claim right?  Enclosures try to refute it, exact arithmetic tries to prove it, and a slip is looked for."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

from verify.claim import Claim
from verify.verdict import Evidence, Result, Rigor, Verdict, combine

if TYPE_CHECKING:
    from verify.decide.enclose.search import Search

__all__ = ["decide", "stages"]


def decide(claim: Claim, *, seed: int = 0) -> Result:
    """The verdict on a claim with everything that is known of it; the same for the same seed.

    Runs in this process without limits of time or memory: see `verify.check` for those.
    """
    *_, result = stages(claim, seed=seed)
    return result


def stages(claim: Claim, *, seed: int = 0) -> Iterator[Result]:
    """Results, each saying more than the one before: after the search, and after the proof or the diagnosis."""
    if claim.is_shaped:
        from verify.decide.series import summed
        from verify.language import write_claim

        plain = summed(claim)
        if plain is not claim:
            # Said as it was read, decided as the functions that its series are.
            for result in stages(plain, seed=seed):
                yield replace(result, read_as=write_claim(claim))
            return
        from verify.decide.shaped.stages import stages as shaped_stages

        yield from shaped_stages(claim, seed=seed)
        return
    from verify.decide.enclose.search import closer, search

    found = search(claim, seed=seed)
    result = _result(claim, (found.evidence,), found, seed)
    if result.verdict is Verdict.REFUTED:
        yield result
        yield _explained(result, claim, found, seed)
    elif result.verdict is Verdict.SUPPORTED:
        if found.unclear:
            evidence = replace(found.evidence, holds=None, detail={**found.evidence.detail, "reason": found.unclear})
            found = replace(found, evidence=evidence, reason=found.unclear)
            result = _result(claim, (evidence,), found, seed)
        yield result
        from verify.decide.prove.proof import prove

        proof = _confined(prove(claim, seed=seed), claim, found)
        result = _result(claim, (found.evidence, proof), found, seed)
        yield result
        again = None if proof.holds else closer(claim, found, seed=seed)
        if again is not None:
            result = _result(claim, (again.evidence, proof), again, seed)
            yield result
            yield _explained(result, claim, again, seed)
    else:
        yield result


def _result(claim: Claim, evidence: tuple[Evidence, ...], found: Search, seed: int) -> Result:
    from verify.language import write_claim

    verdict = combine(evidence)
    rigors = [e.rigor for e in evidence if e.holds is not None]
    return Result(
        claim.text or write_claim(claim),
        verdict,
        max(rigors) if rigors else None,
        read_as=write_claim(claim),
        counterexample=found.counterexample,
        evidence=evidence,
        notes=(*claim.notes, *_notes(claim, found)),
        reason=found.reason if verdict is Verdict.UNDECIDED else "",
        seed=seed,
    )


def _confined(proof: Evidence, claim: Claim, found: Search) -> Evidence:
    """A proof reaches no kink: of a claim that includes them it says nothing unless there are none."""
    from verify.decide.enclose.defined import plain

    if not (proof.holds and claim.domain.everywhere) or (plain(claim) and not found.gaps):
        return proof
    return Evidence(
        proof.route,
        Rigor.EXACT,
        None,
        proof.relies_on,
        detail={"reason": "proved apart from kinks, jumps and gaps, which belong to this claim"},
    )


def _explained(result: Result, claim: Claim, found: Search, seed: int) -> Result:
    """A refutation with the slip that explains it and the correct formula, as far as they are found."""
    from verify.decide.diagnose.diagnosis import diagnose
    from verify.language import write

    diagnosis, correction = diagnose(claim, found, seed=seed)
    return replace(result, diagnosis=diagnosis, correction=None if correction is None else write(correction))


def _notes(claim: Claim, found: Search) -> Iterator[str]:
    """What a careful reader should know of where the verdict holds."""
    from verify.decide.enclose import defined
    from verify.language import write

    if found.left_out and not claim.domain.everywhere:
        yield f"left out: points where {' or '.join(found.left_out)} (kinks or jumps there)"
    if found.undefined and found.agreeing and not claim.is_complex:
        known = defined.conditions(claim)
        condition = defined.joined(known) if known and len(known) <= MOST_CONDITIONS else None
        if condition is not None:
            yield f"both sides are defined on {write(condition)}"
        else:
            yield f"both sides are defined at {found.tried - found.undefined} of {found.tried} points tried"
    if found.holds_on:
        yield f"holds at all points tried with {' and '.join(found.holds_on)}, and at no others"


#: Conditions that are worth printing.
MOST_CONDITIONS = 3
