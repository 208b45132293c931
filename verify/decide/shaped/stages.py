"""Is a claim on vectors, matrices or abstract functions right?  Entry by entry at small sizes, then for all of them.

1. at each of a few sizes the claim becomes a scalar one (instances), and enclosures try to refute that
2. a proof for all sizes at once is looked for (contraction)
3. else a proof entry by entry at the sizes tried: that is all there is to prove where no size is a name,
   and a remark elsewhere
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from random import Random

from verify.claim import Claim
from verify.decide.enclose.search import Search, search
from verify.decide.prove.proof import prove
from verify.decide.shaped.choices import generic, opaque, plain, with_functions
from verify.decide.shaped.entries import Sizes
from verify.decide.shaped.equations import with_structure
from verify.decide.shaped.induction import counters, prove_by_induction
from verify.decide.shaped.instances import LARGEST_INSTANCE, Instance, NoInstance, Unsupported, instances
from verify.decide.shaped.witness import counterexample
from verify.graph import ONE, Node, num, postorder
from verify.language import write_claim
from verify.shapes import Shapes, described, of_sides, transposed_sides, turned
from verify.verdict import Counterexample, Diagnosis, Evidence, Result, Rigor, Verdict, combine

ROUTE = "enclosures of the entries"
#: Sizes that are tried, those at which most slips show first.
SIZES: Mapping[int, tuple[tuple[int, ...], ...]] = {
    0: ((),),
    1: ((2,), (1,), (3,)),
    2: ((2, 3), (3, 2), (1, 2), (2, 1), (1, 1)),
}
MORE_SIZES = ((2, 3, 2, 2), (1, 2, 2, 3), (3, 1, 2, 2), (1, 1, 1, 1))
#: Sizes that are tried where no proof was found, in claims of so many nodes.
LARGER, LARGEST_CHEAP = (5, 4, 6), 2500
#: The same where all that has a size are sums of numbers.
LARGER_ENDS = (5, 8, 13, 40, 120)
#: Letters of a kink that is worth printing.
LONGEST_SHOWN = 40
#: How a search begins to say that it drew no point of the domain.
NO_POINT = "no point of the domain"
_WEIGHTS = (1, -1, 2, -2, 3, -3, 5, -5, 7)


@dataclass
class Trial:
    """What was found at the sizes so far."""

    claim: Claim
    agreeing: list[tuple[Instance, Search]] = field(default_factory=list)
    refuted: tuple[Instance, Search] | None = None
    reasons: dict[str, str] = field(default_factory=dict)
    """Why nothing was found at some sizes."""
    beyond: bool = False
    """Whether some sizes could not be written out."""

    @property
    def told(self) -> bool:
        """Whether what agrees is more than single numbers that stand for matrices."""
        sizes = [instance.sizes for instance, _ in self.agreeing]
        return bool(sizes) and not (self.beyond and all(set(s.values()) == {1} for s in sizes if s))


def stages(claim: Claim, *, seed: int = 0) -> Iterator[Result]:
    """Results, each saying more than the one before."""
    claim = with_structure(claim)
    if transposed_sides(claim):
        yield _layout(claim, seed)
        return
    trial = tried(claim, seed)
    result = _result(claim, trial, (), seed)
    yield result
    if result.verdict is Verdict.SUPPORTED:
        evidence: tuple[Evidence, ...] = ()
        for proof in _proofs(claim, trial, seed):
            evidence = (proof,)
            yield _result(claim, trial, evidence, seed)
        if not any(proof.holds for proof in evidence):
            further(trial, seed)
            result = _result(claim, trial, evidence, seed)
            yield result
    if result.verdict is Verdict.REFUTED:
        yield _explained(result, claim, trial, seed)


def _explained(result: Result, claim: Claim, trial: Trial, seed: int) -> Result:
    """A refutation with the slip that explains it, and the correct formula, as far as they are found."""
    from verify.decide.shaped.slips import Refutation, diagnose

    assert trial.refuted is not None
    chosen, found = trial.refuted
    assert found.point is not None
    diagnosis, correction = diagnose(claim, Refutation(chosen, found.point), seed=seed)
    return replace(result, diagnosis=diagnosis, correction=correction)


def judged(claim: Claim, seed: int, choices: Iterable[Sizes] | None = None) -> Verdict:
    """The verdict alone; at the sizes of `choices` if those are given."""
    trial = tried(claim, seed, choices)
    if trial.refuted is not None or not trial.agreeing:
        return combine((_evidence(trial),))
    if choices is not None:
        return Verdict.SUPPORTED
    return combine((_evidence(trial), *_proofs(claim, trial, seed)))


def sizes_of(claim: Claim) -> list[str]:
    """The names that are numbers in every instance: sizes, and the upper ends of sums."""
    return [v.name for v in claim.domain.variables.values() if v.field == "size"] + list(counters(claim))


def size_choices(claim: Claim) -> list[dict[str, int]]:
    """The sizes at which a claim is tried."""
    names = sizes_of(claim)
    choices = SIZES.get(len(names)) or [tuple(row[k % len(row)] for k in range(len(names))) for row in MORE_SIZES]
    found = [dict(zip(names, row, strict=True)) for row in choices]
    ends = counters(claim)
    return found + ([{name: 0 if name in ends else 2 for name in names}] if ends else [])


def spelled(sizes: Sizes) -> str:
    """n = 2, or nothing where all sizes are numbers."""
    return ", ".join(f"{name} = {size}" for name, size in sizes.items())


def tried(claim: Claim, seed: int, choices: Iterable[Sizes] | None = None) -> Trial:
    """The claim at each of the sizes, until one refutes it."""
    trial = Trial(claim)
    for sizes in size_choices(claim) if choices is None else choices:
        _try(trial, sizes, seed)
        if trial.refuted is not None:
            return trial
    names = sizes_of(claim)
    if choices is None and names and not trial.agreeing and not trial.reasons:
        for each in LARGER_ENDS if _of_numbers(claim) else LARGER[1::-1]:
            _try(trial, dict.fromkeys(names, each), seed)
    return trial


def further(trial: Trial, seed: int) -> None:
    """Larger sizes, where that costs little."""
    names = sizes_of(trial.claim)
    if not names or trial.beyond:
        return
    if _of_numbers(trial.claim):
        choices = [dict.fromkeys(names, each) for each in LARGER_ENDS]
    else:
        choices = [{name: LARGER[k % len(LARGER)] for k, name in enumerate(names)}]
    for sizes in choices:
        if trial.refuted is None and all(instance.sizes != sizes for instance, _ in trial.agreeing):
            _try(trial, sizes, seed, LARGEST_CHEAP)


def _of_numbers(claim: Claim) -> bool:
    """Whether there are no vectors and matrices, only sums of numbers."""
    return not any(v.shape for v in claim.domain.variables.values())


def _try(trial: Trial, sizes: Sizes, seed: int, largest: int | None = None) -> None:
    """Note what the claim says at these sizes; nothing where it has more nodes than `largest`, if that is given."""
    try:
        for instance in instances(trial.claim, sizes, largest=largest or LARGEST_INSTANCE):
            chosen, found = search_at(instance, seed)
            if found.counterexample is not None:
                trial.refuted = chosen, found
                return
            if found.evidence.holds:
                trial.agreeing.append((instance, found))
            else:
                trial.reasons[spelled(sizes)] = found.reason
                # Where no point of the domain was found nothing is known of the claim there.
                trial.beyond |= found.reason.startswith(NO_POINT)
    except Unsupported as reason:
        if largest is None:
            trial.beyond = True
            trial.reasons[spelled(sizes)] = str(reason)
    except NoInstance:
        return


def search_at(instance: Instance, seed: int) -> tuple[Instance, Search]:
    """Enclosures of a weighted sum of all entries; where they come apart some entry does.

    Abstract functions are general ones first; simple ones if those refute the claim too.
    """
    weights = _weights(instance, seed)
    chosen = with_functions(instance, generic(instance, Random(seed)))
    found = search(chosen.combined(weights), seed=seed)
    if found.counterexample is not None and instance.places:
        simple = with_functions(instance, plain(instance, Random(seed)))
        again = search(simple.combined(weights), seed=seed)
        if again.counterexample is not None:
            return simple, again
    return chosen, found


def _weights(instance: Instance, seed: int) -> list[Node]:
    rng = Random(seed + 1)
    count = sum(map(len, instance.lhs))
    return [num(rng.choice(_WEIGHTS)) for _ in range(count)] if count > 1 else [ONE]


# --- proofs -------------------------------------------------------------------------------------


def _proofs(claim: Claim, trial: Trial, seed: int) -> Iterator[Evidence]:
    """A proof for all sizes; or what is proved at the sizes tried, growing."""
    named = bool(sizes_of(claim))
    general = _for_all_sizes(claim, trial, seed) if named else None
    if general is not None and general.holds:
        yield general
        return
    if named and any(node.op == "sum" for node in postorder(claim.lhs, claim.rhs)):
        inductive = prove_by_induction(claim, seed=seed)
        if inductive.holds:
            yield inductive
            return
        general = inductive if _of_numbers(claim) else general
    proved: list[str] = []
    reason = general.detail.get("reason", "") if general is not None else ""
    by_sizes = {spelled(instance.sizes): instance.sizes for instance, _ in trial.agreeing}
    for sizes, values in sorted(by_sizes.items(), key=lambda item: sum(item[1].values())):
        # All of them: a matrix of the other determinant may have had no point.
        proofs = [prove(opaque(instance).combined(), seed=seed) for instance in instances(claim, values)]
        failed = next((proof for proof in proofs if not proof.holds), None)
        if failed is None and not named:
            yield replace(proofs[0], route="proof entry by entry")
            return
        if failed is None:
            proved.append(sizes)
            yield _at_sizes(proved, reason)
        elif not named:
            whole = _for_all_sizes(claim, trial, seed)
            if whole is not None and whole.holds:
                yield replace(whole, route="proof as matrices")
                return
            yield replace(failed, route="proof entry by entry")


def _at_sizes(proved: list[str], reason: str) -> Evidence:
    """Proofs at single sizes prove no claim on all of them."""
    detail = {"proved_at": list(proved), "reason": reason or "no proof for all sizes"}
    return Evidence("proof entry by entry", Rigor.EXACT, None, frozenset({"normal-forms"}), detail=detail)


def _for_all_sizes(claim: Claim, trial: Trial, seed: int) -> Evidence | None:
    """The proof by contraction graphs; a claim that is defined nowhere but at n = 1 is none for them."""
    if not any(min(instance.sizes.values(), default=2) > 1 for instance, _ in trial.agreeing):
        return None
    from verify.decide.contraction import prove as prove_for_all

    return prove_for_all(claim, seed=seed)


# --- results ------------------------------------------------------------------------------------


def _result(claim: Claim, trial: Trial, more: tuple[Evidence, ...], seed: int) -> Result:
    evidence = (_evidence(trial), *more)
    verdict = combine(evidence)
    rigors = [e.rigor for e in evidence if e.holds is not None]
    text = write_claim(claim)
    return Result(
        claim.text or text,
        verdict,
        max(rigors) if rigors else None,
        read_as=text,
        counterexample=counterexample(*trial.refuted) if trial.refuted else None,
        evidence=evidence,
        notes=(*claim.notes, *_notes(claim, trial, more)),
        reason=_reason(trial) if verdict is Verdict.UNDECIDED else "",
        seed=seed,
    )


def _evidence(trial: Trial) -> Evidence:
    if trial.refuted is not None:
        instance, found = trial.refuted
        return replace(found.evidence, route=ROUTE, detail={**found.evidence.detail, **_sizes_of([instance])})
    if not trial.told:
        return Evidence(ROUTE, Rigor.ENCLOSED, None, detail={"reason": _reason(trial)})
    parts = [found.evidence for _, found in trial.agreeing]
    resolution = max(part.resolution or 0.0 for part in parts)
    detail = {"points": sum(part.detail.get("points", 0) for part in parts)}
    digits = [part.detail["digits"] for part in parts if "digits" in part.detail]
    detail |= {"digits": min(digits)} if digits else {}
    detail |= _sizes_of([instance for instance, _ in trial.agreeing])
    return Evidence(ROUTE, Rigor.ENCLOSED, True, parts[0].relies_on, None, resolution, detail)


def _sizes_of(found: list[Instance]) -> dict[str, list[str]]:
    sizes = dict.fromkeys(text for instance in found if (text := spelled(instance.sizes)))
    return {"sizes": list(sizes)} if sizes else {}


def _reason(trial: Trial) -> str:
    if not trial.reasons:
        return "only agreement of numbers was seen" if trial.agreeing else "no sizes were found that the claim is about"
    sizes, reason = next(iter(trial.reasons.items()))
    return f"{reason} ({sizes})" if sizes else reason


def _notes(claim: Claim, trial: Trial, more: tuple[Evidence, ...]) -> Iterator[str]:
    by = {node.value for node in postorder(claim.lhs, claim.rhs) if node.op in ("gradient", "jacobian")}
    for name in sorted(by):
        structure = claim.domain.variables[name].structure
        if structure and claim.domain.structured:
            yield f"the entries of {name} vary together, as those of {_article(structure)} {structure} matrix"
        elif structure:
            yield f"the entries of {name} are treated as independent; write `structured` if they vary together"
    if trial.refuted is None and trial.agreeing:
        left_out = dict.fromkeys(text for _, found in trial.agreeing for text in found.left_out)
        # The places where the pieces of an exponential meet are nobody's business.
        left_out = [text for text in left_out if len(text) <= LONGEST_SHOWN]
        if left_out and not claim.domain.everywhere:
            shown = left_out[:3]
            yield f"left out: points where {' or '.join(shown)}{' or …' * (len(left_out) > 3)} (kinks or jumps there)"
        undefined = [sizes for sizes in trial.reasons if sizes]
        if undefined:
            yield f"nothing was found at {'; '.join(undefined)}: {trial.reasons[undefined[0]]}"
    for evidence in more:
        yield from (f"assumed: {text}" for text in evidence.detail.get("hypotheses", ()))
        if evidence.detail.get("proved_at"):
            sizes = _sizes_of([instance for instance, _ in trial.agreeing])["sizes"]
            rest = [size for size in sizes if size not in evidence.detail["proved_at"]]
            also = f"; supported for {'; '.join(rest)}" if rest else ""
            yield f"proved for {'; '.join(evidence.detail['proved_at'])}{also}"


def _article(word: str) -> str:
    return "an" if word[0] in "aeiou" else "a"


# --- layout -------------------------------------------------------------------------------------


def _layout(claim: Claim, seed: int) -> Result:
    """Sides that have each other's transposed shape are never equal (for sizes from 2 on)."""
    lhs, rhs = of_sides(claim)
    other_way = replace(claim, rhs=turned(claim.rhs, Shapes(claim.domain.variables)), text="", notes=())
    *_, other = stages(other_way, seed=seed)
    says = f"the left-hand side is a {described(lhs)}, the right-hand side a {described(rhs)}"
    diagnosis = correction = None
    if other.verdict >= Verdict.SUPPORTED:
        from verify.language import write

        diagnosis = Diagnosis(
            "layout", f"right in the other layout: {says}; its transpose is the correct one", other.verdict
        )
        correction = write(other_way.rhs, claim.domain.variables)
    elif other.diagnosis is not None:
        slip = other.diagnosis
        diagnosis = Diagnosis(slip.slip, f"{says}; besides, {slip.says}", slip.verdict)
        correction = other.correction
    names = [v.name for v in claim.domain.variables.values() if v.field == "size"]
    point = dict.fromkeys(names, "2")
    evidence = Evidence("shapes", Rigor.EXACT, False, frozenset({"shapes"}), detail={"says": says})
    return Result(
        claim.text or write_claim(claim),
        Verdict.REFUTED,
        Rigor.EXACT,
        read_as=write_claim(claim),
        counterexample=Counterexample(point, f"a {described(lhs)}", f"a {described(rhs)}"),
        diagnosis=diagnosis or Diagnosis("layout", says, Verdict.REFUTED),
        correction=correction,
        evidence=(evidence,),
        notes=claim.notes,
        seed=seed,
    )
