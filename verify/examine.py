"""How far is a derivation to be believed?  Every part is judged; the whole is the minimum of its parts."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Any

from verify.derivation import Derivation, Example, Figure, Hypothesis, Mutant, Printed, Route, Statement, Step
from verify.steps import StepResult, decide_expressions, decide_step, merged
from verify.verdict import Evidence, Result, Rigor, Verdict

#: A route refutes when it disagrees by this many times its resolution; between the two it could not tell.
STAND_OFF = 1000
#: A mutant counts as rejected by a route when it disagrees by this many times the route's resolution.
MUTANT_STAND_OFF = 10


@dataclass(frozen=True)
class HypothesisResult:
    """A hypothesis and how it was found to hold."""

    says: str
    verdict: Verdict
    evidence: Evidence

    def to_json(self) -> dict[str, Any]:
        return {"says": self.says, "verdict": str(self.verdict), "evidence": self.evidence.to_json()}


@dataclass(frozen=True)
class MutantResult:
    """A wrong neighbour and the routes that reject it (none: a defect of the checks)."""

    slip: str
    says: str
    rejected_by: tuple[str, ...]
    blind: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        record: dict[str, Any] = {"slip": self.slip, "says": self.says, "rejected_by": list(self.rejected_by)}
        return record | ({"blind": list(self.blind)} if self.blind else {})


@dataclass(frozen=True)
class PrintedResult:
    """A printed formula, the tool's verdict on it, and on its correction."""

    where: str
    latex: str
    result: Result
    correction: str = ""
    corrected: Result | None = None
    reading: str = ""

    def to_json(self) -> dict[str, Any]:
        record = {"where": self.where, "latex": self.latex, "result": _clockless(self.result)}
        if self.reading:
            record["reading"] = self.reading
        if self.correction:
            record["correction"] = self.correction
        if self.corrected is not None:
            record["corrected"] = _clockless(self.corrected)
        return record


@dataclass(frozen=True)
class DerivationResult:
    """What is known of a derivation.  `rests_on` names what is only cited, which is why it may not be PROVED."""

    statement: Statement
    verdict: Verdict
    steps: tuple[StepResult, ...]
    hypotheses: tuple[HypothesisResult, ...]
    routes: tuple[Evidence, ...]
    mutants: tuple[MutantResult, ...]
    printed: tuple[PrintedResult, ...]
    uses: tuple[DerivationResult, ...]
    rests_on: tuple[str, ...]
    figure: Figure | None
    seed: int
    points: int
    example: Example | None = None

    @property
    def name(self) -> str:
        """The statement's name."""
        return self.statement.name

    @property
    def survivors(self) -> tuple[MutantResult, ...]:
        """Mutants that nothing rejected."""
        return tuple(m for m in self.mutants if not m.rejected_by)

    @property
    def holds(self) -> bool:
        """Whether nothing failed: at least SUPPORTED, every mutant rejected, every correction and example right."""
        corrections = all(p.corrected is None or p.corrected.verdict >= Verdict.SUPPORTED for p in self.printed)
        worked = self.example is None or not any("WRONG" in row for row in self.example.rows)
        return self.verdict >= Verdict.SUPPORTED and not self.survivors and corrections and worked

    def to_json(self) -> dict[str, Any]:
        """A plain record without a clock."""
        record: dict[str, Any] = {
            "name": self.name,
            "title": self.statement.title,
            "says": self.statement.says,
            "convention": self.statement.convention,
            "source": list(self.statement.source),
            "displays": [{"label": d.label, "latex": d.latex} for d in self.statement.displays],
            "verdict": str(self.verdict),
            "rests_on": list(self.rests_on),
            "hypotheses": [h.to_json() for h in self.hypotheses],
            "steps": [s.to_json() for s in self.steps],
            "routes": [r.to_json() for r in self.routes],
            "mutants": [m.to_json() for m in self.mutants],
            "printed": [p.to_json() for p in self.printed],
            "uses": [{"name": u.name, "verdict": str(u.verdict)} for u in self.uses],
            "seed": self.seed,
            "points": self.points,
        }
        if self.example is not None:
            record["example"] = {"title": self.example.title, "table": [self.example.header, *self.example.rows]}
        return dict(sorted(record.items()))


def examine(
    derivation: Derivation, *, seed: int = 0, points: int = 5, progress: Callable[[str], None] | None = None
) -> DerivationResult:
    """Judge every part of the derivation (see `verify.derivation.run`)."""
    tell = progress or (lambda _line: None)
    name = derivation.name

    tell(f"{name}: steps")
    steps = tuple(decide_step(step, derivation.domain, seed=seed) for step in derivation.steps())
    tell(f"{name}: hypotheses")
    hypotheses = tuple(map(_judge_hypothesis, derivation.hypotheses))
    trial = _Trial.of(derivation, seed, points)
    routes = []
    for route in derivation.routes:
        tell(f"{name}: {route.name}")
        routes.append(trial.confirm(route))
    tell(f"{name}: mutants")
    mutants = tuple(trial.reject(mutant) for mutant in derivation.mutants)
    tell(f"{name}: printed formulas")
    printed = tuple(_judge_printed(p, derivation, seed) for p in derivation.printed)
    uses = tuple(examine(used, seed=seed, points=points, progress=progress) for used in derivation.uses)
    tell(f"{name}: figure")
    figure = derivation.figure() if derivation.figure else None
    if derivation.example:
        tell(f"{name}: worked problem")
    example = derivation.example() if derivation.example else None

    verdicts = [s.verdict for s in steps] + [h.verdict for h in hypotheses] + [u.verdict for u in uses]
    verdicts += [_verdict_of_route(r) for r in routes]
    cited = [f"{s.why} ({s.cited})" for s in steps if s.cited]
    cited += [h.says for h in hypotheses if h.evidence.rigor == Rigor.ASSUMED]
    return DerivationResult(
        statement=derivation.statement,
        verdict=min(verdicts, default=Verdict.UNDECIDED) if steps else Verdict.UNDECIDED,
        steps=steps,
        hypotheses=hypotheses,
        routes=tuple(routes),
        mutants=mutants,
        printed=printed,
        uses=uses,
        rests_on=tuple(dict.fromkeys([*cited, *(r for u in uses for r in u.rests_on)])),
        figure=figure,
        seed=seed,
        points=len(trial.cases),
        example=example,
    )


def _judge_hypothesis(hypothesis: Hypothesis) -> HypothesisResult:
    evidence = hypothesis.holds()
    if evidence.rigor == Rigor.ASSUMED:
        verdict = Verdict.SUPPORTED
    elif not evidence.holds:  # where a hypothesis fails the result says nothing: that is no refutation
        verdict = Verdict.UNDECIDED
    else:
        verdict = Verdict.PROVED if evidence.rigor == Rigor.EXACT else Verdict.SUPPORTED
    return HypothesisResult(hypothesis.says, verdict, evidence)


def _verdict_of_route(evidence: Evidence) -> Verdict:
    """A route that agrees bounds nothing: it could have refuted, and did not."""
    if evidence.holds is None:
        return Verdict.UNDECIDED
    return Verdict.PROVED if evidence.holds else Verdict.REFUTED


def _judge_printed(printed: Printed, derivation: Derivation, seed: int) -> PrintedResult:
    corrected = None if printed.corrected is None else _judge(printed.corrected, derivation, seed)
    result = _judge(printed.claim, derivation, seed)
    return PrintedResult(printed.where, printed.latex, result, printed.correction, corrected, printed.reading)


def judge_part(derivation: Derivation, kind: str, name: str, seed: int) -> Result:
    """One part of a derivation and nothing else: a "step" by its reason, or what is "printed", or its "correction",
    by where it stands.

    Raises LookupError where there is no such part, or where a step is only cited.
    """
    if kind == "step":
        for step in derivation.steps():
            if step.why == name:
                if step.cited:
                    raise LookupError(f"derivation {derivation.name!r} only cites {name!r}")
                return _judge(step, derivation, seed)
    for printed in derivation.printed if kind != "step" else ():
        claim = printed.claim if kind == "printed" else printed.corrected
        if printed.where == name and claim is not None:
            return _judge(claim, derivation, seed)
    raise LookupError(f"derivation {derivation.name!r} has no {kind} called {name!r}")


def _judge(claim: str | Step | Callable[[], Result], derivation: Derivation, seed: int) -> Result:
    if isinstance(claim, Step):
        return decide_step(claim, derivation.domain, seed=seed).as_result(seed)
    if isinstance(claim, str):
        from verify.decide import decide
        from verify.language import read_claim

        return decide(read_claim(claim), seed=seed)
    return claim()


@dataclass(frozen=True)
class _Trial:
    """The cases on which routes and mutants are tried, with the reference's value at each."""

    derivation: Derivation
    seed: int
    cases: tuple[Mapping[str, Any], ...] = ()
    wanted: tuple[Any, ...] = ()
    values: dict[str, list[Any]] | None = None
    """What each route returned, filled by `confirm`, so that mutants can be held against it."""

    @staticmethod
    def of(derivation: Derivation, seed: int, points: int) -> _Trial:
        if derivation.cases is None or derivation.reference is None:
            return _Trial(derivation, seed)
        import numpy

        cases = tuple(islice(derivation.cases(numpy.random.default_rng(seed)), points))
        return _Trial(derivation, seed, cases, tuple(derivation.reference(**case) for case in cases), {})

    def confirm(self, route: Route) -> Evidence:
        from verify.numerics.compare import disagreement, observed_order, rounded

        assert self.values is not None
        finest = {"steps": route.steps[-1]} if route.order is not None else {}
        got = [route.value(**case, **finest) for case in self.cases]
        self.values[route.name] = got
        apart = [disagreement(g, w) for g, w in zip(got, self.wanted, strict=True)]
        worst = max(apart, default=float("nan")) if all(a == a for a in apart) else float("nan")
        holds: bool | None = None
        if worst <= route.resolution:
            holds = True
        elif worst > STAND_OFF * route.resolution:
            holds = False
        detail: dict[str, Any] = {"cases": len(got)}
        if route.order is not None and self.cases:
            case, wanted = self.cases[0], self.wanted[0]
            errors = [disagreement(route.value(**case, steps=n), wanted) for n in route.steps]
            order = observed_order(route.steps, errors)
            detail |= {"order": route.order, "observed order": None if order is None else round(order, 2)}
            if order is None:
                holds = holds and None
            elif abs(order - route.order) > 0.25:
                holds = False
        return Evidence(route.name, route.rigor, holds, route.relies_on, rounded(worst), route.resolution, detail)

    def reject(self, mutant: Mutant) -> MutantResult:
        from verify.numerics.compare import disagreement

        by: list[str] = []
        if callable(mutant.value):
            values = [mutant.value(**case) for case in self.cases]
            for route in self.derivation.routes:
                got = (self.values or {}).get(route.name, [])
                apart = [disagreement(v, g) for v, g in zip(values, got, strict=True)]
                if any(a > MUTANT_STAND_OFF * route.resolution for a in apart):
                    by.append(route.name)
        else:
            assert self.derivation.reference is not None
            domain = merged(self.derivation.domain, {})
            right = self.derivation.reference.expression
            decided = decide_expressions(right, mutant.value, domain, seed=self.seed, refute_only=True)
            if decided.verdict is Verdict.REFUTED:
                by.append("enclosure")
        return MutantResult(mutant.slip, mutant.says, tuple(by), mutant.blind)


def _clockless(result: Result) -> dict[str, Any]:
    return {key: value for key, value in result.to_json().items() if key not in ("seconds", "version")}
