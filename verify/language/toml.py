"""Which system does a TOML file describe?  Tables and keys by name, formulas by the text grammar; nothing is run."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any

from verify.claim import Domain, Variable
from verify.densities import DensityProblem, DensitySystem, FlowClaim, SteinClaim
from verify.graph import ZERO, Node, num, postorder, symbol
from verify.language.claimed import ClaimReader
from verify.language.claims import read_claim
from verify.language.densities import TABLES, DensityReader
from verify.language.document import EVENT, KINDS, NAME, TOP, Document, ProblemError
from verify.language.errors import ReadError
from verify.language.names import nearest_of
from verify.language.read import read_expression
from verify.system_claims import System
from verify.systems import (
    EVENT_TIME,
    INDEX,
    TIME,
    Event,
    ImplicitProblem,
    Observation,
    OdeProblem,
    Problem,
    RecurrenceProblem,
)

#: More digits than a number that people write.
_LONG = re.compile(r"[0-9a-fA-F_]{3000}")


def read_system(text: str) -> System | DensitySystem:
    """The problem and the claim of a TOML text.

    Raises ProblemError.
    """
    text = text.removeprefix("\ufeff")
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        found = re.search(r"\s*\(at line (\d+), column (\d+)\)", str(error))
        message = str(error) if found is None else str(error)[: found.start()]
        lines = text.count("\n") + 1
        raise ProblemError(f"this is no TOML: {message}", int(found[1]) if found else lines) from None
    except RecursionError:
        raise ProblemError("this is no TOML that people write: too many brackets inside each other") from None
    except ValueError:  # Python reads no whole number of more than some thousand digits
        long = next((i for i, line in enumerate(text.splitlines(), start=1) if _LONG.search(line)), None)
        raise ProblemError("a number has too many digits", long, 'write it as a text, such as "10^5000"') from None
    return _Reader(Document(text, document)).read()


def problem_of(document: dict[str, Any]) -> Problem:
    """The problem that the tables of a document describe, without a text around them.  Raises ProblemError."""
    return _Reader(Document("", document)).whole().problem


def density_of(document: dict[str, Any]) -> DensitySystem:
    """The same for the kinds `flow` and `stein`, with what is claimed.  Raises ProblemError."""
    return _Reader(Document("", document)).density()


def density_claim(problem: DensityProblem, table: Mapping[str, Any]) -> FlowClaim | SteinClaim:
    """What the keys of `[claim]` say of a flow or a density.  Raises ProblemError."""
    document = Document("", {"kind": problem.kind, "claim": dict(table)})
    document.keys(table, TABLES[problem.kind][-1], "claim")
    return DensityReader(document, lambda _: problem.domain).claim(problem)


def system_of(problem: Problem, tables: Mapping[str, Any]) -> System:
    """A problem with what the tables of `[claim]` say of it.  Raises ProblemError."""
    document = Document("", {"kind": problem.kind, "claim": dict(tables)})
    document.keys(tables, KINDS[problem.kind][-1], "claim")
    return ClaimReader(document).whole(problem)


@dataclass(frozen=True)
class _Reader:
    """One document on its way to a system."""

    tables: Document

    def read(self) -> System | DensitySystem:
        kind, kinds = self.tables.document.get("kind"), (*KINDS, *TABLES)
        if kind is None:
            raise ProblemError("'kind' is missing", 1, f"write kind = one of {', '.join(map(repr, kinds))}")
        self.tables.check(kind, (str,), "kind")
        if kind not in kinds:
            near = nearest_of(kind, kinds)
            guess = f"did you mean {near!r}?" if near else f"known: {', '.join(kinds)}"
            raise self.tables.error(f"unknown kind {kind!r}", ("kind",), guess)
        return self.density() if kind in TABLES else self.whole()

    def density(self) -> DensitySystem:
        read = DensityReader(self.tables, self.domain).whole()
        return replace(read, title=self.free_text("title"), source=self.free_text("source"))

    def whole(self) -> System:
        kind = self.tables.document["kind"]
        table, needed, more, objective, claim = KINDS[kind]
        self.tables.keys(self.tables.document, (*TOP, table))
        for name, known in ((table, (*needed, *more)), ("objective", objective), ("claim", claim)):
            if name in self.tables.document or name != "claim":
                self.tables.keys(self.tables.value((dict,), name), known, name)
        domain = self.domain()
        state, parameters = self.tables.names(table, "state"), ()
        if "parameters" in self.tables.document[table]:
            parameters = self.tables.names(table, "parameters")
        known = {name: domain.variables.get(name, Variable(name)) for name in (*state, *parameters)}
        known = {**domain.variables, **known}
        build: dict[str, Callable[..., Problem]] = {
            "ode-gradient": self.ode, "implicit-gradient": self.implicit, "recurrence-gradient": self.recurrence,
        }  # fmt: skip
        try:
            problem = build[kind](state, parameters, known, domain)
        except ProblemError:
            raise
        except ValueError as error:
            raise self.tables.error(str(error), self.blamed(str(error), table)) from None
        read = ClaimReader(self.tables).whole(problem)
        return replace(read, title=self.free_text("title"), source=self.free_text("source"))

    def blamed(self, message: str, table: str) -> tuple[str, ...]:
        """The key that a message names first: one of the table of the problem, or of its objective."""
        for key in re.findall(r"`(\w+)`", message):
            for place in (table, "objective"):
                if key in self.tables.document[place]:
                    return place, key
        return (table,)

    def free_text(self, key: str) -> str:
        found = self.tables.document.get(key, "")
        self.tables.check(found, (str, dict), key)
        return found if isinstance(found, str) else "; ".join(map(str, found.values()))

    def domain(self, support: Mapping[str, str] = MappingProxyType({})) -> Domain:
        """What `let` declares, and the support of a density."""
        let = self.tables.document.get("let", {})
        self.tables.check(let, (dict,), "let")
        for name, kind in let.items():
            self.tables.check(kind, (str, list) if name == "where" else (str,), "let", name)
        try:
            domain = read_claim("0 = 0", {**let, **support}).domain
        except ReadError as error:
            key = error.text.partition(":")[0].strip()
            if key in support:
                raise self.tables.error(f"density.support, {error}", ("density", "support", key)) from None
            raise self.tables.error(f"let, {error}", ("let", key) if key in let else ("let",)) from None
        for v in domain.variables.values():
            if v.shape or v.of or v.field not in ("real", "integer"):
                place = ("density", "support", v.name) if v.name in support else ("let", v.name)
                raise self.tables.error(f"{v.name} is declared as no real number", place, "declare real names")
        return domain

    def completed(self, domain: Domain, known: Mapping[str, Variable], *nodes: Node) -> Domain:
        """The domain with all names that the problem uses; those that are not declared are real."""
        used = dict.fromkeys(known)
        for node in postorder(*nodes):
            if node.op == "symbol" and node.value not in (TIME, INDEX):
                used.setdefault(node.value)
        if "events" in self.tables.document.get("ode", {}):
            used = {name: None for name in used if name in known or not EVENT_TIME.fullmatch(name)}
        variables = {name: domain.variables.get(name, Variable(name)) for name in used}
        return Domain({**domain.variables, **variables}, domain.conditions)

    def objective(self, key: str, known: Mapping[str, Variable], times: Iterable[Node] = ()) -> Node:
        table = self.tables.value((dict,), "objective")
        if key not in table:
            return ZERO
        if self.tables.document["kind"] == "implicit-gradient":
            return self.tables.formula(table[key], known, "objective", key)
        return self.tables.timed(table[key], known, times, "objective", key)

    def ode(
        self, state: tuple[str, ...], parameters: tuple[str, ...], known: dict[str, Variable], domain: Domain
    ) -> Problem:
        rhs = tuple(
            self.tables.timed(each, known, (), "ode", "rhs") for each in self.tables.value((list,), "ode", "rhs")
        )
        initial = self.tables.formulas(known, "ode", "initial")
        time = self.tables.formulas(known, "ode", "time")
        if len(time) != 2:
            raise self.tables.error(
                f"ode.time has {len(time)} entries, and needs two", ("ode", "time"), 'write ["0", "T"]'
            )
        terminal, running = self.objective("terminal", known, (time[1],)), self.objective("running", known)
        if not self.tables.document["objective"]:
            raise self.tables.error("[objective] is empty", ("objective",), "write terminal = …, or running = …")
        observations = self.observations(known)
        events = self.events(known, rhs, running)
        seen = [node for each in observations for node in (each.time, each.value)]
        seen += [node for each in events for node in (each.when, *each.reset, *each.rhs, each.running, each.cost)]
        whole = self.completed(domain, known, *rhs, *initial, *time, terminal, running, *seen)
        try:
            return OdeProblem(
                state, parameters, rhs, initial, *time, terminal, running, whole, observations=observations,
                events=events,
            )  # fmt: skip
        except ValueError as error:
            if found := re.search(r"of event (\d+)", str(error)):
                raise self.tables.error(str(error), ("ode", "events", found[1])) from None
            if "`events`" in str(error):
                raise self.tables.error(str(error), ("ode", "events")) from None
            if "one of the `observations`" in str(error):
                raise self.tables.error(str(error), ("objective", "observations")) from None
            raise

    def observations(self, known: dict[str, Variable]) -> tuple[Observation, ...]:
        """What is added to the objective at times between the ends."""
        path = ("objective", "observations")
        if "observations" not in self.tables.document["objective"]:
            return ()
        found = []
        for each in self.tables.value((list,), *path):
            self.tables.check(each, (dict,), *path)
            self.tables.keys(each, ("time", "value"), *path)
            if missing := [key for key in ("time", "value") if key not in each]:
                raise self.tables.error(
                    f"{missing[0]!r} is missing in one of the observations", path, f"write {missing[0]} = …"
                )
            time = self.tables.formula(each["time"], known, *path)
            found.append(Observation(time, self.tables.timed(each["value"], known, (time,), *path)))
        return tuple(found)

    def events(self, known: dict[str, Variable], rhs: tuple[Node, ...], running: Node) -> tuple[Event, ...]:
        """What happens at the zeros of functions; what is not given there is as before."""
        found: list[Event] = []
        given = self.tables.value((list,), "ode", "events") if "events" in self.tables.document["ode"] else ()
        state = self.tables.names("ode", "state")
        for number, each in enumerate(given, start=1):
            path = ("ode", "events", str(number))
            self.tables.check(each, (dict,), *path)
            self.tables.keys(each, EVENT, *path)
            if "when" not in each:
                raise self.tables.error(f"'when' is missing in event {number}", path, 'write when = "…"')
            lists: dict[str, tuple[Node, ...]] = {"reset": tuple(map(symbol, state)), "rhs": rhs}
            for key in lists:
                if key in each:
                    self.tables.check(each[key], (list,), *path, key)
                    lists[key] = tuple(self.tables.timed(f, known, (), *path, key) for f in each[key])
            single: dict[str, Node] = {"running": running, "cost": ZERO}
            for key in ("when", "running", "cost"):
                if key in each:
                    single[key] = self.tables.timed(each[key], known, (), *path, key)
            rhs, running = lists["rhs"], single["running"]
            found.append(Event(single["when"], lists["reset"], rhs, running, single["cost"]))
        return tuple(found)

    def implicit(
        self, state: tuple[str, ...], parameters: tuple[str, ...], known: dict[str, Variable], domain: Domain
    ) -> Problem:
        residual = self.tables.formulas(known, "implicit", "residual")
        self.tables.value((str, int, float), "objective", "value")
        value = self.objective("value", known)
        return ImplicitProblem(state, parameters, residual, value, self.completed(domain, known, *residual, value))

    def recurrence(
        self, state: tuple[str, ...], parameters: tuple[str, ...], known: dict[str, Variable], domain: Domain
    ) -> Problem:
        before = (read_expression(f"{INDEX} - 1"),)
        given = self.tables.value((list,), "recurrence", "step")
        step = tuple(self.tables.timed(each, known, before, "recurrence", "step") for each in given)
        initial = self.tables.formulas(known, "recurrence", "initial")
        steps = self.tables.value((str, int), "recurrence", "steps")
        if isinstance(steps, str) and steps.strip().isdigit():
            steps = int(steps)
        if isinstance(steps, str) and (not NAME.fullmatch(steps) or steps in state + parameters):
            raise self.tables.error(
                f"recurrence.steps is {steps!r}, and must be a number or a name", ("recurrence", "steps")
            )
        if isinstance(steps, int) and steps > MOST_STEPS:
            raise self.tables.error(
                f"{steps} steps, at most {MOST_STEPS} are read", ("recurrence", "steps"), 'write "n"'
            )
        self.tables.value((str, int, float), "objective", "value")
        last = symbol(steps) if isinstance(steps, str) else num(steps)
        value = self.objective("value", known, (last,))
        whole = self.completed(domain, known, *step, *initial, value)
        return RecurrenceProblem(state, parameters, step, initial, steps, value, whole)


#: Steps that a recurrence may be asked to take.
MOST_STEPS = 1000
