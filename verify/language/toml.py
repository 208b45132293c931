"""Which system does a TOML file describe?  Tables and keys by name, formulas by the text grammar; nothing is evaluated.

Whatever cannot be read is one message with its line: an unknown key and the nearest known one, a value of the wrong
type, a formula with its column.
"""

from __future__ import annotations

import math
import re
import tomllib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import Any

from verify.claim import Domain, Variable
from verify.graph import ZERO, Node, free_symbols, has_integrals, num, postorder, substitute, symbol
from verify.language.claims import read_claim
from verify.language.errors import ReadError
from verify.language.names import nearest_of
from verify.language.read import read_expression
from verify.language.write import write
from verify.systems import (
    INDEX,
    TIME,
    Equation,
    ImplicitProblem,
    Observation,
    OdeProblem,
    Problem,
    RecurrenceProblem,
    System,
    SystemClaim,
    adjoint_names,
    direction_names,
    second_costates,
    tangent_names,
)

Keys = tuple[str, ...]
TOP = ("kind", "let", "title", "source", "objective", "claim")
#: What is claimed of second derivatives: s' and m', m at the final time, what m gains, and the Hessian times v.
SECOND = ("tangent", "second", "second_terminal", "second_jump", "hvp")
#: For each kind: its table, the keys that must and may stand there, those of the objective, and of the claim.
KINDS: Mapping[str, tuple[str, Keys, Keys, Keys, Keys]] = {
    "ode-gradient": (
        "ode", ("state", "rhs", "initial", "time"), ("parameters",), ("terminal", "running", "observations"),
        ("adjoint", "terminal", "jump", "gradient", *SECOND),
    ),
    "implicit-gradient": (
        "implicit", ("state", "residual"), ("parameters",), ("value",),
        ("adjoint", "gradient", "second", "hvp"),
    ),
    "recurrence-gradient": (
        "recurrence", ("state", "step", "initial", "steps"), ("parameters",), ("value",),
        ("adjoint", "terminal", "gradient", "second", "second_terminal", "hvp"),
    ),
}  # fmt: skip
NOT_YET = ("flow", "stein")
_LONG = re.compile(r"[0-9a-fA-F_]{3000}")
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]*")
_INITIAL = re.compile(r"\s*([A-Za-z]\w*)\s*\(\s*(\w+)\s*\)\s*")
_WORDS: Mapping[type, str] = {
    dict: "a table",
    list: "a list",
    str: "a text",
    bool: "true or false",
    int: "a number",
    float: "a number",
}


class ProblemError(ValueError):
    """A file that does not describe a system: what is wrong, its line, and a way out."""

    def __init__(self, what: str, line: int | None = None, mend: str = "") -> None:
        self.what, self.line, self.mend = what, line, mend
        where = "" if line is None else f"line {line}: "
        super().__init__(f"{where}{what}{f'; {mend}' if mend else ''}")

    def __reduce__(self) -> tuple[type[ProblemError], tuple[str, int | None, str]]:
        return ProblemError, (self.what, self.line, self.mend)


def read_system(text: str) -> System:
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
    return _Reader(text, document).whole()


def problem_of(document: dict[str, Any]) -> Problem:
    """The problem that the tables of a document describe, without a text around them.  Raises ProblemError."""
    return _Reader("", document).whole().problem


def claims_of(problem: Problem, tables: Mapping[str, Any]) -> tuple[SystemClaim, SystemClaim]:
    """What the tables of `[claim]` say of a problem, and of its tangent problem.  Raises ProblemError."""
    reader = _Reader("", {"kind": problem.kind, "claim": dict(tables)})
    reader.keys(tables, KINDS[problem.kind][-1], "claim")
    return reader.both(problem)


class _Reader:
    """One document on its way to a system."""

    def __init__(self, text: str, document: dict[str, Any]) -> None:
        self.lines, self.document = text.splitlines(), document

    # --- places and errors ---

    @property
    def last(self) -> int:
        """The line of the file's end, where something that is missing may be written."""
        return max(len(self.lines), 1)

    def line(self, *path: str) -> int | None:
        """The line where the key at a path stands, as far as the text shows it."""
        start, found = 0, None
        for depth, key in enumerate(path):
            written = re.escape(key)
            pattern = rf'(?:^|[{{,\s.\[])["\']?{written}["\']?\s*(?:=|\]|\.)'
            for number in range(start, len(self.lines)):
                bare = self.lines[number].split("#")[0]
                if re.search(pattern, bare) and (depth or self._is_top(key, number)):
                    found = start = number
                    break
            else:
                break
        return None if found is None else found + 1

    def _is_top(self, key: str, number: int) -> bool:
        """Whether a line opens the table `key`, or sets it before any table is opened."""
        if re.match(rf"\s*\[\s*{re.escape(key)}(?!\w)", self.lines[number]):
            return True
        return not any(line.lstrip().startswith("[") for line in self.lines[:number]) and bool(
            re.match(rf'\s*["\']?{re.escape(key)}(?!\w)', self.lines[number])
        )

    def error(self, what: str, path: Iterable[str], mend: str = "") -> ProblemError:
        return ProblemError(what, self.line(*path), mend)

    def keys(self, table: Mapping[str, Any], known: Iterable[str], *path: str) -> None:
        """Refuse a key that is not known."""
        known = tuple(known)
        for key in table:
            if key not in known:
                near = nearest_of(key, known)
                where = f"[{'.'.join(path)}]" if path else "the file"
                guess = f"did you mean {near!r}?" if near else f"known there: {', '.join(known)}"
                raise self.error(f"unknown key {key!r} in {where}", (*path, key), guess)

    def value(self, kinds: tuple[type, ...], *path: str) -> Any:
        """What stands at a path; ProblemError where nothing does, or something else."""
        found: Any = self.document
        for depth, key in enumerate(path):
            if key not in found:
                table = path[:depth]
                if not table:
                    raise ProblemError(f"the table [{key}] is missing", self.last, f"write [{key}] with its keys")
                raise self.error(f"{key!r} is missing in [{'.'.join(table)}]", table, f"write {key} = …")
            found = found[key]
        self.check(found, kinds, *path)
        return found

    def check(self, found: Any, kinds: tuple[type, ...], *path: str) -> None:
        if type(found) not in kinds:
            needed = " or ".join(dict.fromkeys(_WORDS[kind] for kind in kinds))
            given = _WORDS.get(type(found), type(found).__name__)
            raise self.error(f"{'.'.join(path)} is {given}, and must be {needed}", path)

    # --- formulas ---

    def formula(self, given: Any, declared: Mapping[str, Variable], *path: str) -> Node:
        self.check(given, (str, int, float), *path)
        if isinstance(given, float) and not math.isfinite(given):
            raise self.error(f"{'.'.join(path)} is {given}, which is no number", path)
        try:
            node = read_expression(str(given), declared)
        except ReadError as error:
            raise self.error(f"{'.'.join(path)}, {error}", path) from None
        if has_integrals(node):
            raise self.error(
                f"{'.'.join(path)}: integrals stand in gradients of kind 'ode-gradient' only, expectations nowhere",
                path,
            )
        return node

    def formulas(self, declared: Mapping[str, Variable], *path: str) -> tuple[Node, ...]:
        return tuple(self.formula(each, declared, *path) for each in self.value((list,), *path))

    def names(self, *path: str) -> tuple[str, ...]:
        found = self.value((list,), *path)
        for name in found:
            self.check(name, (str,), *path)
            if not _NAME.fullmatch(name):
                raise self.error(f"{'.'.join(path)}: {name!r} is no name", path, "a name has letters, digits and _")
            if name in (TIME, "int", "sum") or re.fullmatch(r"l\d+", name):
                raise self.error(f"{'.'.join(path)}: {name!r} means something else here", path, "rename it")
        return tuple(found)

    def timed(self, given: Any, known: Mapping[str, Variable], times: Iterable[Node], *path: str) -> Node:
        """A formula of a problem in which a state may be written with its time or step, u(t) or x[k-1]."""
        state = self.document[path[0] if path[0] != "objective" else KINDS[self.document["kind"]][0]]["state"]
        of = INDEX if self.document["kind"] == "recurrence-gradient" else TIME
        declared = {**known, **{name: Variable(name, of=(of,)) for name in state}}
        node = self.formula(_round(given, of), declared, *path)
        at: dict[Node, Node] = {}
        for each in postorder(node):
            if each.op == "abstract":
                if each.args[0] not in (symbol(of), *times) or any(each.value[1]):
                    raise self.error(
                        f"{'.'.join(path)}: {each.value[0]} at another time or step", path, "write its name alone"
                    )
                at[each] = symbol(each.value[0])
        return substitute(node, at)

    # --- the document ---

    def whole(self) -> System:
        kind = self.document.get("kind")
        if kind is None:
            raise ProblemError("'kind' is missing", 1, f"write kind = one of {', '.join(map(repr, KINDS))}")
        self.check(kind, (str,), "kind")
        if kind in NOT_YET:
            raise self.error(f"kind {kind!r} is not supported yet", ("kind",))
        if kind not in KINDS:
            near = nearest_of(kind, KINDS)
            guess = f"did you mean {near!r}?" if near else f"known: {', '.join(KINDS)}"
            raise self.error(f"unknown kind {kind!r}", ("kind",), guess)
        table, needed, more, objective, claim = KINDS[kind]
        self.keys(self.document, (*TOP, table))
        for name, known in ((table, (*needed, *more)), ("objective", objective), ("claim", claim)):
            if name in self.document or name != "claim":
                self.keys(self.value((dict,), name), known, name)
        domain = self.domain()
        state, parameters = self.names(table, "state"), ()
        if "parameters" in self.document[table]:
            parameters = self.names(table, "parameters")
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
            raise self.error(str(error), (table,)) from None
        first, second = self.both(problem)
        return System(problem, first, self.free_text("title"), self.free_text("source"), second)

    def free_text(self, key: str) -> str:
        found = self.document.get(key, "")
        self.check(found, (str, dict), key)
        return found if isinstance(found, str) else "; ".join(map(str, found.values()))

    def domain(self) -> Domain:
        let = self.document.get("let", {})
        self.check(let, (dict,), "let")
        for name, kind in let.items():
            self.check(kind, (str, list) if name == "where" else (str,), "let", name)
        try:
            domain = read_claim("0 = 0", let).domain
        except ReadError as error:
            key = error.text.partition(":")[0].strip()
            raise self.error(f"let, {error}", ("let", key) if key in let else ("let",)) from None
        for v in domain.variables.values():
            if v.shape or v.of or v.field not in ("real", "integer"):
                raise self.error(f"{v.name} is declared as no real number", ("let", v.name), "declare real names")
        return domain

    def completed(self, domain: Domain, known: Mapping[str, Variable], *nodes: Node) -> Domain:
        """The domain with all names that the problem uses; those that are not declared are real."""
        used = dict.fromkeys(known)
        for node in postorder(*nodes):
            if node.op == "symbol" and node.value not in (TIME, INDEX):
                used.setdefault(node.value)
        variables = {name: domain.variables.get(name, Variable(name)) for name in used}
        return Domain({**domain.variables, **variables}, domain.conditions)

    def objective(self, key: str, known: Mapping[str, Variable], times: Iterable[Node] = ()) -> Node:
        table = self.value((dict,), "objective")
        if key not in table:
            return ZERO
        if self.document["kind"] == "implicit-gradient":
            return self.formula(table[key], known, "objective", key)
        return self.timed(table[key], known, times, "objective", key)

    def ode(
        self, state: tuple[str, ...], parameters: tuple[str, ...], known: dict[str, Variable], domain: Domain
    ) -> Problem:
        rhs = tuple(self.timed(each, known, (), "ode", "rhs") for each in self.value((list,), "ode", "rhs"))
        initial = self.formulas(known, "ode", "initial")
        time = self.formulas(known, "ode", "time")
        if len(time) != 2:
            raise self.error(f"ode.time has {len(time)} entries, and needs two", ("ode", "time"), 'write ["0", "T"]')
        terminal, running = self.objective("terminal", known, (time[1],)), self.objective("running", known)
        if not self.document["objective"]:
            raise self.error("[objective] is empty", ("objective",), "write terminal = …, or running = …")
        observations = self.observations(known)
        seen = [node for each in observations for node in (each.time, each.value)]
        whole = self.completed(domain, known, *rhs, *initial, *time, terminal, running, *seen)
        try:
            return OdeProblem(
                state, parameters, rhs, initial, *time, terminal, running, whole, observations=observations
            )
        except ValueError as error:
            if "observations" not in str(error):
                raise
            raise self.error(str(error), ("objective", "observations") if observations else ("ode", "time")) from None

    def observations(self, known: dict[str, Variable]) -> tuple[Observation, ...]:
        """What is added to the objective at times between the ends."""
        path = ("objective", "observations")
        if "observations" not in self.document["objective"]:
            return ()
        found = []
        for each in self.value((list,), *path):
            self.check(each, (dict,), *path)
            self.keys(each, ("time", "value"), *path)
            if missing := [key for key in ("time", "value") if key not in each]:
                raise self.error(
                    f"{missing[0]!r} is missing in one of the observations", path, f"write {missing[0]} = …"
                )
            time = self.formula(each["time"], known, *path)
            found.append(Observation(time, self.timed(each["value"], known, (time,), *path)))
        return tuple(found)

    def implicit(
        self, state: tuple[str, ...], parameters: tuple[str, ...], known: dict[str, Variable], domain: Domain
    ) -> Problem:
        residual = self.formulas(known, "implicit", "residual")
        self.value((str, int, float), "objective", "value")
        value = self.objective("value", known)
        return ImplicitProblem(state, parameters, residual, value, self.completed(domain, known, *residual, value))

    def recurrence(
        self, state: tuple[str, ...], parameters: tuple[str, ...], known: dict[str, Variable], domain: Domain
    ) -> Problem:
        before = (read_expression(f"{INDEX} - 1"),)
        given = self.value((list,), "recurrence", "step")
        step = tuple(self.timed(each, known, before, "recurrence", "step") for each in given)
        initial = self.formulas(known, "recurrence", "initial")
        steps = self.value((str, int), "recurrence", "steps")
        if isinstance(steps, str) and steps.strip().isdigit():
            steps = int(steps)
        if isinstance(steps, str) and (not _NAME.fullmatch(steps) or steps in state + parameters):
            raise self.error(f"recurrence.steps is {steps!r}, and must be a number or a name", ("recurrence", "steps"))
        if isinstance(steps, int) and steps > MOST_STEPS:
            raise self.error(f"{steps} steps, at most {MOST_STEPS} are read", ("recurrence", "steps"), 'write "n"')
        self.value((str, int, float), "objective", "value")
        last = symbol(steps) if isinstance(steps, str) else num(steps)
        value = self.objective("value", known, (last,))
        whole = self.completed(domain, known, *step, *initial, value)
        return RecurrenceProblem(state, parameters, step, initial, steps, value, whole)

    # --- the claim ---

    def both(self, problem: Problem) -> tuple[SystemClaim, SystemClaim]:
        """What is claimed of the problem, and of its tangent problem."""
        given = self.document.get("claim", {})
        if not set(given) & set(SECOND):
            return self.claim(problem), SystemClaim()
        own = (*tangent_names(problem), *direction_names(problem), *second_costates(problem))
        if clash := sorted(set(own) & {*problem.state, *problem.domain.variables}):
            what = f"{clash[0]} means something else in a claim on second derivatives"
            raise self.error(what, (KINDS[problem.kind][0],), "rename it")
        first = {table: value for table, value in given.items() if table not in SECOND}
        second: dict[str, Any] = {"tangent": given.get("tangent", {}), "gradient": given.get("hvp", {})}
        for table, more in (("adjoint", "second"), ("terminal", "second_terminal"), ("jump", "second_jump")):
            parts = [given[name] for name in (more, table) if name in given]
            for name, part in zip((name for name in (more, table) if name in given), parts, strict=True):
                self.check(part, (list,) if isinstance(problem, ImplicitProblem) else (dict,), "claim", name)
            if parts and isinstance(problem, ImplicitProblem):
                second[table] = [each for part in parts for each in part]
            elif parts:
                second[table] = {key: value for part in parts for key, value in part.items()}
        for table in ("tangent", "hvp"):
            self.check(given.get(table, {}), (dict,), "claim", table)
        self.document["claim"] = first
        found = self.claim(problem)
        self.document["claim"] = {table: value for table, value in second.items() if value}
        return found, self.claim(self.shell(problem))

    def shell(self, problem: Problem) -> Problem:
        """The names of the tangent problem, which is all that reading a claim on it needs."""
        more = (*tangent_names(problem), *direction_names(problem))
        domain = Domain(
            {**problem.domain.variables, **{name: Variable(name) for name in more}}, problem.domain.conditions
        )
        state, costates = (*problem.state, *tangent_names(problem)), second_costates(problem)
        if isinstance(problem, ImplicitProblem):
            return replace(problem, state=state, residual=2 * problem.residual, domain=domain, costates=costates)
        if isinstance(problem, RecurrenceProblem):
            twice = {"step": 2 * problem.step, "initial": 2 * problem.initial}
            return replace(problem, state=state, domain=domain, costates=costates, **twice)
        twice = {"rhs": 2 * problem.rhs, "initial": 2 * problem.initial}
        return replace(problem, state=state, domain=domain, costates=costates, **twice)

    def claim(self, problem: Problem) -> SystemClaim:
        if "claim" not in self.document:
            return SystemClaim()
        of = INDEX if isinstance(problem, RecurrenceProblem) else TIME
        adjoints = list(adjoint_names(problem))
        known = dict(problem.domain.variables)
        if isinstance(problem, ImplicitProblem):
            known |= {name: Variable(name) for name in (*problem.state, *adjoints)}
        else:
            known |= {name: Variable(name, of=(of,)) for name in (*problem.state, *adjoints)}
            known |= {"int": Variable("int", of=("_1", "_2", "_3", "_4"))} if of == TIME else {}
        if isinstance(problem, RecurrenceProblem) and isinstance(problem.steps, str):
            known.setdefault(problem.steps, Variable(problem.steps))
        table, text = self.document["claim"], {}
        parts: dict[str, dict[str, Node]] = {"adjoint": {}, "terminal": {}, "jump": {}, "tangent": {}, "gradient": {}}
        equations: tuple[Equation, ...] = ()
        for name in parts:
            if name not in table:
                continue
            if name == "adjoint" and isinstance(problem, ImplicitProblem):
                equations = self.equations(problem, known, text)
                continue
            given = self.value((dict,), "claim", name)
            keys = adjoints if name != "gradient" else self.differentiable(problem)
            keys = self.jumping(problem, adjoints) if name == "jump" else keys
            keys = list(problem.state[len(problem.state) // 2 :]) if name == "tangent" else keys
            for key, formula in self.at_each(problem, given, adjoints).items() if name == "jump" else given.items():
                plain = self.gradient_key(problem, key) if name == "gradient" else key
                if plain not in keys:
                    near = nearest_of(key, keys)
                    guess = f"did you mean {near!r}?" if near else f"known there: {', '.join(keys)}"
                    raise self.error(f"unknown key {key!r} in [claim.{name}]", ("claim", name, key), guess)
                node = self.formula(_round(formula, of), known, "claim", name, key)
                parts[name][plain] = self.known_names(node, problem, known, "claim", name, key)
                text[name, plain] = str(formula)
        if parts["tangent"]:
            bare = {name: symbol(name) for name in problem.state}
            parts["tangent"] = {key: self.now(node, bare) for key, node in parts["tangent"].items()}
        return SystemClaim(
            parts["adjoint"], equations, parts["terminal"], parts["jump"], parts["tangent"], parts["gradient"], text
        )

    def now(self, node: Node, bare: Mapping[str, Node]) -> Node:
        """States at t as plain symbols."""
        at = {each: bare[each.value[0]] for each in postorder(node)
              if each.op == "abstract" and each.value[0] in bare and each.args == (symbol(TIME),)}  # fmt: skip
        return substitute(node, at)

    def jumping(self, problem: Problem, adjoints: list[str]) -> list[str]:
        """Where an adjoint can jump: l1(1/2) for an observation at 1/2."""
        times = [write(each.time) for each in getattr(problem, "observations", ())]
        return [f"{name}({time})" for time in times for name in adjoints]

    def at_each(self, problem: Problem, given: Mapping[str, Any], adjoints: list[str]) -> dict[str, Any]:
        """A table of jumps in which a name alone stands for all times of observation."""
        found: dict[str, Any] = {}
        places = self.jumping(problem, adjoints)
        for key, formula in given.items():
            name, _, time = key.replace(" ", "").partition("(")
            if key in adjoints and places:
                found |= {place: formula for place in places if place.startswith(f"{key}(")}
            elif time.endswith(")") and name in adjoints:
                try:
                    found[f"{name}({write(read_expression(time[:-1]))})"] = formula
                except ReadError as error:
                    raise self.error(f"claim.jump, {error}", ("claim", "jump", key)) from None
            else:
                found[key] = formula
        return found

    def equations(self, problem: ImplicitProblem, known: Mapping[str, Variable], text: dict) -> tuple[Equation, ...]:
        found = []
        for number, written in enumerate(self.value((list,), "claim", "adjoint"), start=1):
            self.check(written, (str,), "claim", "adjoint")
            left, equals, right = written.partition("=")
            if not equals or "=" in right:
                what = f"claim.adjoint: {written!r} is no equation"
                raise self.error(what, ("claim", "adjoint"), 'write "(…)*l1 = …"')
            sides = [self.formula(side, known, "claim", "adjoint") for side in (left, right)]
            for side in sides:
                self.known_names(side, problem, known, "claim", "adjoint")
            text["adjoint", str(number)] = written
            found.append(Equation(*sides))
        return tuple(found)

    def differentiable(self, problem: Problem) -> list[str]:
        """What a gradient can be claimed by."""
        names = [name for name in problem.domain.variables if name not in problem.state]
        if isinstance(problem, OdeProblem):
            names += ["t0", "T", *(f"{name}(t0)" for name in problem.state)]
        elif isinstance(problem, RecurrenceProblem):
            names += [f"{name}(0)" for name in problem.state]
        return list(dict.fromkeys((*problem.parameters, *names)))

    def gradient_key(self, problem: Problem, key: str) -> str:
        """u(0), where 0 is the initial time, as u(t0); x[0] as x(0)."""
        found = _INITIAL.fullmatch(key.replace("[", "(").replace("]", ")"))
        if found is None or found[1] not in problem.state:
            return key
        if isinstance(problem, RecurrenceProblem):
            return f"{found[1]}({found[2]})"
        if isinstance(problem, OdeProblem) and (found[2] == "t0" or read_expression(found[2]) is problem.t0):
            return f"{found[1]}(t0)"
        return key

    def known_names(self, node: Node, problem: Problem, known: Mapping[str, Variable], *path: str) -> Node:
        """The formula of a claim, which may use no name that the problem does not."""
        own = {TIME, INDEX} | ({"t0", "T"} if isinstance(problem, OdeProblem) else set())
        bound = {each.args[1].value for each in postorder(node) if each.op == "abstract" and each.value[0] == "int"
                 and each.args[1].op == "symbol"}  # fmt: skip
        unknown = sorted(free_symbols(node) - set(known) - own - bound)
        if unknown:
            near = nearest_of(unknown[0], known)
            raise self.error(
                f"{'.'.join(path)}: {unknown[0]!r} occurs nowhere in the problem", path,
                f"did you mean {near}?" if near else "declare it with `let`, or correct it",
            )  # fmt: skip
        if isinstance(problem, OdeProblem):
            ends = {"t0": problem.t0, "T": problem.T}
            node = substitute(node, {symbol(n): end for n, end in ends.items() if n not in problem.domain.variables})
        return node


#: Steps that a recurrence may be asked to take.
MOST_STEPS = 1000


def _round(formula: Any, of: str) -> Any:
    """x[k] as x(k), column by column, where the names are sequences."""
    return formula.replace("[", "(").replace("]", ")") if of == INDEX and isinstance(formula, str) else formula
