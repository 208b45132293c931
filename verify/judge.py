"""Is this one claim right?  Reads it, and decides it in a process that can be stopped."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from verify.claim import Claim
from verify.verdict import Counterexample, Result, Rigor, Verdict
from verify.worker import Outcome, run

#: Seconds and megabytes that a decision may take unless the caller says otherwise.
TIMEOUT, MEMORY = 10.0, 2048
#: Bits with which the values at a point are written.
PRECISION = 256

Let = Mapping[str, str | list[str]]


def check(
    claim: str | Claim,
    *,
    let: Let | None = None,
    seed: int = 0,
    timeout: float = TIMEOUT,
    memory: int = MEMORY,
) -> Result:
    """Decide a claim given as text (or as a record).

    let      declarations by name, {"x": "positive"}; conditions stand under the key "where".
    timeout  seconds; memory: megabytes.  A claim that exhausts one of them is UNDECIDED, with that reason.

    Text that cannot be read raises nothing: the verdict is INVALID and `reason` says where and why, as in a batch.
    """
    return concluded(claim, run(judge, claim, let, seed, seconds=timeout, megabytes=memory), seed)


def check_at(
    claim: str | Claim,
    point: Mapping[str, str],
    *,
    let: Let | None = None,
    seed: int = 0,
    timeout: float = TIMEOUT,
    memory: int = MEMORY,
) -> Result:
    """Enclose both sides of a claim at one exact point, {"x": "3/7"}, and nothing else.

    REFUTED where they are apart on a ball around it, else UNDECIDED: one point cannot carry more.  INVALID for a point
    outside the domain.
    """
    return concluded(claim, run(judge_at, claim, let, point, seed, seconds=timeout, megabytes=memory), seed)


def judge(claim: str | Claim, let: Let | None, seed: int) -> Iterator[Result]:
    """What a worker runs for one claim: yields results, each saying more than the one before."""
    from verify.decide import stages
    from verify.language import ReadError

    try:
        found = _equalities(claim, let)
    except ReadError as error:
        yield _invalid(claim, str(error), seed)
        return
    if len(found) == 1:
        yield from stages(found[0], seed=seed)
        return
    done: list[Result] = []
    for number, each in enumerate(found, start=1):
        result = None
        for result in stages(each, seed=seed):
            if number == len(found):
                yield _together([*done, result])
        done += [] if result is None else [result]


def judge_at(claim: str | Claim, let: Let | None, point: Mapping[str, str], seed: int) -> Iterator[Result]:
    """What a worker runs for one claim at one point."""
    from flint import ctx

    from verify.decide.enclose.decimals import decimal
    from verify.decide.enclose.jets import NoValue
    from verify.decide.enclose.search import agreement, evaluate_at
    from verify.decide.series import summed
    from verify.language import write_claim

    try:
        read = summed(_read(claim, let))
        if read.is_shaped:
            yield _judged_at(read, point, seed)
            return
        found = evaluate_at(read, point)
    except ZeroDivisionError:
        yield _invalid(claim, f"a coordinate of {dict(point)} divides by zero", seed)
        return
    except ValueError as error:
        yield _invalid(claim, str(error), seed)
        return
    except NoValue as reason:
        yield _undecided_at(read, f"no value there: {reason}", seed)
        return
    ctx.prec = PRECISION
    sides = Counterexample(point, decimal(found.lhs), decimal(found.rhs), found.neighbourhood)
    if found.apart:
        yield Result(read.text, Verdict.REFUTED, Rigor.ENCLOSED, None, write_claim(read), sides, seed=seed)
    elif found.lhs.overlaps(found.rhs):
        digits = min(agreement(found.lhs, found.rhs), 300)
        says = f"the sides agree there ({sides.lhs}) to {digits:.0f} digits; one point proves nothing"
        yield _undecided_at(read, says, seed)
    else:
        says = f"the sides differ there ({sides.lhs}, {sides.rhs}), but not on a ball around the point"
        yield _undecided_at(read, says, seed)


def _judged_at(read: Claim, point: Mapping[str, str], seed: int) -> Result:
    """The same for vectors and matrices."""
    from verify.decide.shaped.points import differs_at
    from verify.language import write_claim

    sides, apart = differs_at(read, point)
    if apart:
        sides = replace(sides, point=point)
        return Result(read.text, Verdict.REFUTED, Rigor.ENCLOSED, None, write_claim(read), sides, seed=seed)
    return _undecided_at(read, f"the sides are not apart there ({sides.lhs}, {sides.rhs})", seed)


def _undecided_at(claim: Claim, reason: str, seed: int) -> Result:
    from verify.language import write_claim

    return Result(claim.text, Verdict.UNDECIDED, read_as=write_claim(claim), reason=reason, seed=seed)


def _together(results: list[Result]) -> Result:
    """The one result of a display with several equalities: its verdict is that of the worst of them."""
    worst = min(results, key=lambda result: result.verdict)
    told = ", ".join(f"{result.read_as.partition(' with ')[0]}: {result.verdict}" for result in results)
    rigor = min((result.rigor for result in results if result.rigor is not None), default=None)
    return replace(
        worst,
        rigor=worst.rigor if worst.verdict <= Verdict.UNDECIDED else rigor,
        read_as="; ".join(result.read_as for result in results),
        evidence=tuple(evidence for result in results for evidence in result.evidence),
        notes=(f"{len(results)} equalities: {told}", *dict.fromkeys(n for result in results for n in result.notes)),
    )


def _read(claim: str | Claim, let: Let | None) -> Claim:
    from verify.language import is_latex

    if not isinstance(claim, Claim) and is_latex(claim):
        from verify.language.latex import read_latex_claim

        return read_latex_claim(claim, let)
    return _equalities(claim, let)[0]


def _equalities(claim: str | Claim, let: Let | None) -> list[Claim]:
    """The claims that a text makes: one, unless LaTeX states several."""
    from verify.language import is_latex, read_claim

    if isinstance(claim, Claim):
        return [claim]
    if not is_latex(claim):
        return [read_claim(claim, let)]
    from verify.language.latex import read_latex

    return read_latex(claim, let)


def _invalid(claim: str | Claim, reason: str, seed: int) -> Result:
    return Result(claim if isinstance(claim, str) else claim.text, Verdict.INVALID, reason=reason, seed=seed)


def concluded(claim: str | Claim, outcome: Outcome, seed: int) -> Result:
    """The result of a claim from what its worker sent; an abnormal end is never a pass."""
    text = claim if isinstance(claim, str) else claim.text
    result: Any = outcome.value
    if result is None:
        return Result(text, Verdict.UNDECIDED, reason=outcome.reason, seconds=outcome.seconds, seed=seed)
    result = replace(result, claim=text, seconds=outcome.seconds, seed=seed)
    return replace(result, notes=(*result.notes, f"stopped early: {outcome.reason}")) if outcome.reason else result
