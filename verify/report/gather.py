"""How do results become a report's records?  Verdicts to badges, numbers to text, expressions and LaTeX to formulas."""

from __future__ import annotations

import math
import re
import tomllib
from collections.abc import Sequence
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from verify.report.data import (
    Badge,
    Chart,
    Condition,
    FindingLine,
    Meaning,
    MutantLine,
    Page,
    Point,
    PrintedBox,
    Report,
    RouteLine,
    Shown,
    Source,
    StepLine,
    Worked,
)
from verify.report.figures import draw
from verify.report.formula import read_formula
from verify.report.prose import power_of_ten, read_prose
from verify.steps import METHODS
from verify.verdict import Counterexample, Evidence, Rigor, Verdict

if TYPE_CHECKING:
    from verify.derivation import Display, Example, Figure
    from verify.examine import DerivationResult, PrintedResult
    from verify.steps import StepResult

NUMBER = re.compile(r"\d(\.\d+)?e[+-]\d+")


def contents() -> dict[str, Any]:
    """What stands in the report besides the results: title, lead, order, and what the words mean."""
    return tomllib.loads(files("verify.report").joinpath("templates", "derivations.toml").read_text("utf-8"))


def in_reading_order(names: Sequence[str]) -> list[str]:
    """The curriculum's order; names that it does not list follow alphabetically."""
    order = {name: place for place, name in enumerate(contents()["order"])}
    return sorted(names, key=lambda name: (order.get(name, len(order)), name))


def read_results(
    results: Sequence[DerivationResult],
    *,
    seed: int,
    command: str,
    versions: Sequence[tuple[str, str]],
    digest: str,
) -> Report:
    """All records of the report.

    Raises FormulaError, naming the derivation and the display, where LaTeX cannot be shown.
    """
    said = contents()
    return Report(
        title=said["title"],
        lead=read_prose(said["lead"], "the report's lead"),
        verdicts=tuple(Meaning(Badge(word, word.lower()), means) for word, means in said["verdicts"].items()),
        rigors=tuple(Meaning(Badge(word, word), means) for word, means in said["rigor"].items()),
        reading=tuple(read_prose(text, "how to read the report") for text in said["reading"]),
        pages=tuple(map(_page, results)),
        seed=seed,
        command=command,
        versions=tuple(versions),
        digest=digest,
    )


def scientific(value: float | None, digits: int = 1) -> str:
    """1.3 × 10⁻¹² for 1.3e-12; plain for 0; a word where there is no number."""
    if value is None or not math.isfinite(value):
        return "not finite"
    if value == 0:
        return "0"
    return power_of_ten(f"{value:.{digits}e}")


def _page(result: DerivationResult) -> Page:
    statement, name = result.statement, result.name
    routes = tuple(_route(route, name) for route in result.routes)
    return Page(
        name=name,
        title=statement.title,
        badge=badge_of(result.verdict),
        says=read_prose(statement.says, f"derivation {name!r}, statement"),
        displays=tuple(_shown(display, name) for display in statement.displays),
        convention=read_prose(statement.convention, f"derivation {name!r}, convention"),
        sources=tuple(map(_source, statement.source)),
        uses=tuple((used.name, badge_of(used.verdict)) for used in result.uses),
        rests_on=tuple(read_prose(text, f"derivation {name!r}, what it rests on") for text in result.rests_on),
        conditions=tuple(
            Condition(
                says=read_prose(h.says, f"derivation {name!r}, hypothesis {h.says!r}"),
                badge=badge_of(h.verdict, h.evidence.rigor),
                how=_how(h.evidence),
            )
            for h in result.hypotheses
        ),
        steps=tuple(_step(number, step, name) for number, step in enumerate(result.steps, 1)),
        steps_proved=sum(step.verdict is Verdict.PROVED for step in result.steps),
        routes=routes,
        routes_agreeing=sum(route.holds is True for route in result.routes),
        cases=result.points,
        closest=_closest(result.routes),
        mutants=tuple(
            MutantLine(
                slip=read_prose(m.slip, f"derivation {name!r}, mutant {m.slip!r}"),
                says=read_prose(m.says, f"derivation {name!r}, mutant {m.slip!r}"),
                rejected=bool(m.rejected_by),
                rejected_by=_rejecting(m.rejected_by, [r.route for r in result.routes]),
                blind=tuple(read_prose(b, f"derivation {name!r}, mutant {m.slip!r}") for b in m.blind),
            )
            for m in result.mutants
        ),
        mutants_rejected=len(result.mutants) - len(result.survivors),
        printed=tuple(_printed(p, name) for p in result.printed),
        chart=_chart(result.figure, name),
        worked=_worked(result.example, name),
    )


def _worked(example: Example | None, name: str) -> Worked | None:
    if example is None:
        return None
    where = f"derivation {name!r}, worked problem"
    kinds = {"agrees": "proved", "WRONG": "refuted"}
    rows = (
        FindingLine(
            read_prose(first, where), Badge(finding, kinds.get(finding, "undecided")), tuple(map(_number, cells))
        )
        for first, finding, *cells in example.rows
    )
    charts = (_chart(figure, f"{name}-worked-{i}") for i, figure in enumerate(example.figures, 1))
    return Worked(
        example.title,
        read_prose(example.says, where),
        example.header,
        tuple(rows),
        tuple(chart for chart in charts if chart is not None),
    )


def _number(cell: str) -> str:
    return NUMBER.sub(lambda found: power_of_ten(found[0]), re.sub(r"^-(?=\d)", "−", cell))


def _chart(figure: Figure | None, name: str) -> Chart | None:
    if figure is None:
        return None
    where = f"derivation {name!r}, figure"
    curves = "; ".join(series.label for series in figure.series if series.label)
    label = f"{figure.title}: {figure.y_label} against {figure.x_label}." + (f" Shown: {curves}." if curves else "")
    return Chart(read_prose(figure.title, where), read_prose(figure.caption, where), label, draw(figure, name))


def badge_of(verdict: Verdict, rigor: Rigor | None = None) -> Badge:
    """The verdict as shown; what is only cited has a word of its own."""
    return Badge("ASSUMED", "assumed") if rigor == Rigor.ASSUMED else Badge(str(verdict), str(verdict).lower())


def _how(evidence: Evidence) -> str:
    if evidence.rigor == Rigor.ASSUMED:
        return f"cited: {evidence.route}"
    return f"{evidence.rigor}: {evidence.route}"


def _shown(display: Display, name: str) -> Shown:
    where = f"derivation {name!r}, display {display.label!r}"
    return Shown(read_prose(display.label, where), read_formula(display.latex, where))


def _step(number: int, step: StepResult, name: str) -> StepLine:
    from verify.report.latex import equation

    where = f"derivation {name!r}, step {number} ({step.why})"
    shown, remark = (step.display, "") if step.display else equation(step.lhs, step.rhs)
    method = ", ".join(METHODS.get(route, route) for route in step.method.split(", "))
    how = [f"cited: {step.cited}" if step.cited else f"{step.rigor}: {method}" if step.rigor else method]
    how += [f"{step.entries} entries"] if step.entries > 1 and not remark else []
    how += [remark] if remark else []
    return StepLine(
        number=number,
        why=read_prose(step.why, where),
        formula=read_formula(shown, where),
        badge=badge_of(step.verdict, step.rigor),
        how=read_prose("; ".join(part for part in how if part), where),
        reason="" if step.verdict is Verdict.PROVED or step.cited else step.reason,
        point=point_of(step.counterexample),
    )


def point_of(counterexample: Counterexample | None) -> Point | None:
    """The point as shown."""
    if counterexample is None:
        return None
    return Point(tuple(counterexample.point.items()), counterexample.lhs, counterexample.rhs)


def _route(route: Evidence, name: str) -> RouteLine:
    word, kind = {True: ("agrees", "proved"), False: ("DISAGREES", "refuted"), None: ("cannot tell", "undecided")}[
        route.holds
    ]
    claimed, observed = route.detail.get("order"), route.detail.get("observed order")
    order = "" if claimed is None else f"{observed if observed is not None else 'unseen'} (claimed {claimed:g})"
    return RouteLine(
        name=read_prose(route.route, f"derivation {name!r}, route {route.route!r}"),
        badge=Badge(word, kind),
        rigor=str(route.rigor),
        worst=scientific(route.worst),
        resolution=scientific(route.resolution),
        order=order,
        relies_on=", ".join(sorted(route.relies_on)),
    )


def _rejecting(by: Sequence[str], routes: Sequence[str]) -> str:
    """The rejecting routes, by name where that is short."""
    missing = [route for route in routes if route not in by]
    if len(by) < 3 or not set(by) <= set(routes):
        return ", ".join(by)
    if not missing:
        return f"all {len(routes)} routes"
    if len(missing) < len(by):
        return f"{len(by)} of {len(routes)} routes, all but {', '.join(missing)}"
    return ", ".join(by)


def _closest(routes: Sequence[Evidence]) -> str:
    """The route that came nearest to refuting: its disagreement, and what it would have seen."""
    numbers = [
        (r.worst / r.resolution if math.isfinite(r.worst) else math.inf, r)
        for r in routes
        if r.worst is not None and r.resolution
    ]
    if not numbers:
        return "–"
    worst = max(numbers, key=lambda pair: pair[0])[1]
    return f"{scientific(worst.worst)} of {scientific(worst.resolution)}"


def _printed(printed: PrintedResult, name: str) -> PrintedBox:
    where = f"derivation {name!r}, formula printed in {printed.where}"
    result = printed.result
    says = result.diagnosis.says if result.diagnosis else result.reason
    return PrintedBox(
        where=printed.where,
        formula=read_formula(printed.latex, where),
        reading=read_prose(printed.reading, where),
        badge=badge_of(result.verdict),
        rigor="" if result.rigor is None else str(result.rigor),
        says=read_prose(says, where),
        point=point_of(result.counterexample),
        correction=read_formula(printed.correction, f"{where}, correction") if printed.correction else None,
        corrected=badge_of(printed.corrected.verdict) if printed.corrected else Badge("NOT CHECKED", "assumed"),
    )


def _source(key: str) -> Source:
    entry = _bibliography().get(key)
    if entry is None:
        return Source(key)
    year, recalled = str(entry.get("year", "")), bool(entry.get("recalled"))
    return Source(entry["title"], entry.get("author", ""), entry.get("where", ""), year, recalled)


@cache
def _bibliography() -> dict[str, dict[str, Any]]:
    return tomllib.loads(files("verify").joinpath("bibliography.toml").read_text("utf-8"))
