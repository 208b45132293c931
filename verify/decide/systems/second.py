"""Is a claimed Hessian times a direction right?  It is a gradient: that of the tangent problem, judged as any other."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from fractions import Fraction

from verify.calculus.costate import spanned
from verify.calculus.grouped import shortest
from verify.calculus.tangent import tangent_problem
from verify.decide.systems.identity import Identities
from verify.decide.systems.result import Part, SystemResult, overall
from verify.graph import Node, div, mul, num, transform
from verify.language.write import write
from verify.system_claims import Equation, System, SystemClaim
from verify.systems import OdeProblem, Problem, second_costates
from verify.verdict import Evidence, Rigor, Verdict

#: Other scales of the second adjoint that are tried.
SCALES = tuple(map(Fraction, ("-1", "2", "1/2", "-2", "-1/2")))
#: Times at which a tangent equation is compared along a solution, and the relative difference that counts.
TIMES, APART = 9, 1e-6
TANGENT = "the tangent equation along a computed solution"


def second_problem(system: System) -> System:
    """The tangent problem with what is claimed of it."""
    return System(tangent_problem(system.problem), system.second)


def conventions(system: System, second: System) -> Iterator[tuple[str, System]]:
    """The claim with m in another sign or scale than l, put right: what is claimed of m is said of m divided by c."""
    own = set(second_names(system))
    for c in SCALES:

        def scaled(node: Node, c: Fraction = c) -> Node:
            def change(each: Node) -> Node | None:
                is_own = (each.op == "abstract" and each.value[0] in own) or (each.op == "symbol" and each.value in own)
                return mul(num(c), each) if is_own else None

            return transform(node, change)

        def table(
            entries: Mapping[str, Node], scaled: Callable[[Node], Node] = scaled, c: Fraction = c
        ) -> dict[str, Node]:
            return {
                key: div(scaled(node), num(c)) if key.partition("(")[0] in own else scaled(node)
                for key, node in entries.items()
            }

        claim = second.claim
        changed = replace(
            claim,
            adjoint=table(claim.adjoint), terminal=table(claim.terminal), jump=table(claim.jump),
            gradient={key: scaled(node) for key, node in claim.gradient.items()},
            equations=tuple(Equation(scaled(e.lhs), scaled(e.rhs)) for e in claim.equations),
        )  # fmt: skip
        yield f"m is {c} times what belongs to l", replace(second, claim=changed)


def tangents(problem: Problem, claim: SystemClaim, seed: int) -> Iterator[Part]:
    """The claimed equations for s, each on its own."""
    if not isinstance(problem, OdeProblem):
        return
    identities = Identities(problem.domain, {}, seed)
    for name, node in claim.tangent.items():
        text, (base, phases) = claim.text.get(("tangent", name), ""), spanned(problem, name)
        rights = {i: problem.phases[i].rhs[problem.state.index(base)] for i in phases}
        found = {i: identities.decide(node, right) for i, right in rights.items()}
        phase = min(found, key=lambda i: found[i].verdict)
        worst = found[phase]
        part = Part(f"tangent {name}", text, worst.verdict, worst.evidence, worst.counterexample, reason=worst.reason)
        if worst.verdict is Verdict.REFUTED:
            part = _along(problem, identities, part, node, rights[phase], phase)
        yield part


def _along(problem: OdeProblem, identities: Identities, part: Part, claimed: Node, right: Node, phase: int) -> Part:
    """A tangent equation that is no identity in a phase is wrong where it fails along a solution there as well."""
    from verify.decide.systems.slips import explained
    from verify.decide.systems.variants import grouped_variants, term_variants
    from verify.numerics.ode_claims import TOLERANCES, Failed, Numbers
    from verify.numerics.ode_solved import Pieces
    from verify.numerics.straight import NoFloat, Straight

    names = [name for name in problem.domain.variables if name not in problem.state]
    worst = []
    for values in identities.points((claimed, right, *problem.rhs, *problem.initial, problem.t0, problem.T), 2):
        try:
            numbers = Numbers(problem, {**dict.fromkeys(names, 1.0), **values})
            curve, program, (t0, T) = numbers.state(TOLERANCES[0]), Straight((claimed, right)), numbers.ends
            start, end = [t0, *(curve.times if isinstance(curve, Pieces) else ()), T][phase : phase + 2]
            times = [start + (end - start) * (i + 0.5) / TIMES for i in range(TIMES)]
            pairs = [[float(x) for x in program(numbers.at(t, curve))] for t in times]
        except (Failed, NoFloat):
            continue
        worst.append(max(abs(a - b) / (max(abs(a), abs(b)) or 1.0) for a, b in pairs))
    if worst and all(math.isfinite(w) and w > APART for w in worst):
        evidence = Evidence(TANGENT, Rigor.NUMERICAL, False, frozenset({"DOP853"}), max(worst))
        variants = [*grouped_variants(((claimed, right),), ()), *term_variants(claimed, right)]
        slip = explained(identities, variants, ((claimed, right),))
        return replace(part, evidence=(*part.evidence, evidence), diagnosis=slip, correction=write(shortest(right)))
    reason = "as an identity it fails, and along computed solutions it does not"
    return replace(part, verdict=Verdict.UNDECIDED, counterexample=None, reason=reason)


def joined(first: SystemResult, second: SystemResult, more: tuple[Part, ...], system: System) -> SystemResult:
    """Both results as one; what is said of l in the second is said in the first already."""
    own = set(second_names(system))
    parts = [_renamed(part) for part in second.parts if _is_second(part.name, own)]
    derived = [(_renamed_key(name), right) for name, right in second.derived if _is_second(name, own)]
    both = (*first.parts, *more, *parts)
    verdict = overall(both)
    reason = ""
    if verdict is Verdict.UNDECIDED:
        reason = next((f"{p.name}: {p.reason}" for p in both if p.verdict is verdict and p.reason), second.reason)
    conventions = dict.fromkeys(filter(None, (first.convention, second.convention)))
    return replace(
        first, parts=both, derived=(*first.derived, *derived), verdict=verdict, reason=reason,
        convention="; ".join(conventions),
    )  # fmt: skip


def second_names(system: System) -> tuple[str, ...]:
    """The names m1, m2, … of the second adjoints."""
    return second_costates(system.problem)[: len(system.problem.state)]


def _is_second(name: str, own: set[str]) -> bool:
    table, _, key = name.partition(" ")
    return table == "gradient" or key.isdigit() or key.partition("(")[0] in own


def _renamed(part: Part) -> Part:
    return replace(part, name=_renamed_key(part.name))


def _renamed_key(name: str) -> str:
    table, _, key = name.partition(" ")
    return f"{'hvp' if table == 'gradient' else f'second {table}'} {key}"
