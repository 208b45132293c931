"""Does a step of a derivation hold?  From SymPy sides or words to the engine's verdict.

SymPy expressions go through the bridge to the graph and are decided there.  Values of undefined functions, their
derivatives and integrals are unknowns: an identity that holds whatever these are holds.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from verify.claim import Domain
from verify.derivation import Declarations, Step
from verify.verdict import Counterexample, Evidence, Result, Rigor, Verdict

if TYPE_CHECKING:
    from verify.language.bridge import Converted

METHODS = {"words": "non-commuting words", "prove": "normal form", "enclose": "ball arithmetic"}
"""Names of routes that a reader could not place, in full."""


@dataclass(frozen=True)
class StepResult:
    """A step and its verdict.

    rigor    how it is known; assumed for a cited step.
    method   the route that decided: words, enclosure, normal form …
    entries  number of scalar identities behind it.
    reason   why it is not PROVED, where it is not.
    """

    why: str
    lhs: Any
    rhs: Any
    display: str
    verdict: Verdict
    rigor: Rigor | None
    method: str
    entries: int = 1
    cited: str = ""
    reason: str = ""
    counterexample: Counterexample | None = None
    evidence: tuple[Evidence, ...] = ()

    def as_result(self, seed: int) -> Result:
        """The same as the answer to a claim."""
        return Result(
            claim=f"{self.lhs} = {self.rhs}",
            verdict=self.verdict,
            rigor=self.rigor,
            counterexample=self.counterexample,
            evidence=self.evidence,
            reason=self.reason,
            seed=seed,
        )

    def to_json(self) -> dict[str, Any]:
        record: dict[str, Any] = {
            "why": self.why,
            "lhs": str(self.lhs),
            "rhs": str(self.rhs),
            "verdict": str(self.verdict),
            "rigor": None if self.rigor is None else str(self.rigor),
            "method": self.method,
            "entries": self.entries,
        }
        optional = {"display": self.display, "cited": self.cited, "reason": self.reason}
        record |= {key: value for key, value in optional.items() if value}
        return record | ({"counterexample": self.counterexample.to_json()} if self.counterexample else {})


def decide_step(step: Step, domain: Declarations, *, seed: int = 0) -> StepResult:
    """Judge one step on the derivation's domain together with its own declarations."""
    from verify.decide import words

    if step.cited:
        reason = f"cited: {step.cited}"
        return StepResult(
            step.why, step.lhs, step.rhs, step.display, Verdict.SUPPORTED, Rigor.ASSUMED, "cited", 1, step.cited, reason
        )
    if isinstance(step.lhs, words.Sum) or isinstance(step.rhs, words.Sum):
        evidence = words.prove(step.lhs, step.rhs)
        decided = Result(
            claim="",
            verdict=Verdict.PROVED if evidence.holds else Verdict.UNDECIDED,
            rigor=evidence.rigor if evidence.holds else None,
            evidence=(evidence,),
            reason="" if evidence.holds else str(evidence.detail["reason"]),
        )
        entries = 1
    else:
        decided = decide_expressions(step.lhs, step.rhs, merged(domain, step.domain), seed=seed)
        entries = len(list(_entries(step.lhs, step.rhs)))
    return StepResult(
        step.why,
        step.lhs,
        step.rhs,
        step.display,
        decided.verdict,
        decided.rigor,
        method=", ".join(dict.fromkeys(e.route for e in decided.evidence if _carries(e, decided))),
        entries=entries,
        reason=decided.reason,
        counterexample=decided.counterexample,
        evidence=decided.evidence,
    )


def _carries(evidence: Evidence, decided: Result) -> bool:
    """Whether the verdict stands on this evidence, and not on a stronger one."""
    return evidence.holds is not None and evidence.rigor == decided.rigor


def merged(domain: Declarations, more: Declarations) -> dict[str, str]:
    """Both declarations with symbols turned into their names; the second wins."""
    return {str(name): text for declarations in (domain, more) for name, text in declarations.items()}


def decide_expressions(
    lhs: Any, rhs: Any, declarations: Mapping[str, str], *, seed: int = 0, refute_only: bool = False
) -> Result:
    """Decide lhs = rhs for SymPy expressions or matrices, entry by entry: the worst entry's answer is the answer.

    refute_only   stop after the search for a counterexample, without proof or diagnosis.

    Raises ValueError where the shapes differ.
    """
    results: list[Result] = []
    for left, right in _entries(lhs, rhs):
        results.append(_decide_entry(left, right, declarations, seed, refute_only))
        if results[-1].verdict is Verdict.REFUTED:
            break
    worst = min(results, key=lambda r: r.verdict)
    evidence = tuple({(e.route, e.rigor, e.holds): e for r in results for e in r.evidence}.values())
    return Result(
        claim=worst.claim,
        verdict=worst.verdict,
        rigor=worst.rigor,
        counterexample=worst.counterexample,
        diagnosis=worst.diagnosis,
        correction=worst.correction,
        evidence=worst.evidence if worst.verdict is Verdict.REFUTED else evidence,
        reason=worst.reason,
        seed=seed,
    )


def _entries(lhs: Any, rhs: Any) -> Iterator[tuple[Any, Any]]:
    import sympy

    left, right = getattr(lhs, "shape", ()), getattr(rhs, "shape", ())
    if left != right:
        raise ValueError(f"the sides of a step have shapes {left} and {right}; they must be equal")
    if left:
        yield from zip(sympy.flatten(lhs), sympy.flatten(rhs), strict=True)
    else:
        yield sympy.sympify(lhs), sympy.sympify(rhs)


def _decide_entry(lhs: Any, rhs: Any, declarations: Mapping[str, str], seed: int, refute_only: bool) -> Result:
    from verify.claim import Claim
    from verify.decide import decide, stages
    from verify.language.bridge import convert

    sides, whole = _with_names_for_integrals(*map(_differentiated, (lhs, rhs)))
    converted = convert(*sides)
    claim = Claim(*converted.nodes, _domain(converted, declarations), text=f"{lhs} = {rhs}")
    result = next(stages(claim, seed=seed)) if refute_only else decide(claim, seed=seed)
    if result.verdict is Verdict.REFUTED and whole:
        reason = f"not equal while {', '.join(map(str, whole))} may have any value, which integrals need not"
        return Result(claim.text, Verdict.UNDECIDED, evidence=result.evidence, reason=reason, seed=seed)
    return result


def _domain(converted: Converted, declarations: Mapping[str, str]) -> Domain:
    """What the symbols' own assumptions say, overruled by the declarations; these must not say less."""
    from verify.language import read_claim

    variables = converted.variables()
    conditional = "where" in declarations
    lines = {name: text for name, text in declarations.items() if conditional or name in variables}
    declared = read_claim("0 = 0", let=lines).domain
    for name in variables.keys() & declared.variables.keys():
        mine, other = variables[name], declared.variables[name]
        unbounded = (mine.low and not other.low) or (mine.high and not other.high)
        wider = mine.field == "integer" != other.field or (other.field == "complex" and converted.symbols[name].is_real)
        if unbounded or wider:
            raise ValueError(
                f"symbol {name!r} carries assumptions that its declaration {declarations[name]!r} lacks, and SymPy "
                "simplifies by them; declare what the symbol assumes, or drop the assumption"
            )
    return Domain({**variables, **declared.variables}, declared.conditions)


def _differentiated(side: Any) -> Any:
    """Derivatives of undefined functions by the chain rule; all others are left to the engine."""
    import sympy
    from sympy.core.function import AppliedUndef

    return side.replace(
        lambda node: isinstance(node, sympy.Derivative) and node.has(AppliedUndef), lambda node: node.doit()
    )


def _with_names_for_integrals(lhs: Any, rhs: Any) -> tuple[tuple[Any, Any], dict[Any, Any]]:
    """Both sides with a symbol for each integral: what holds for all its values holds for its own."""
    import sympy

    found = sorted(lhs.atoms(sympy.Integral) | rhs.atoms(sympy.Integral), key=sympy.default_sort_key)
    names = {integral: sympy.Symbol(f"integral_{k + 1}", real=True) for k, integral in enumerate(found)}
    return (lhs.xreplace(names), rhs.xreplace(names)), names
