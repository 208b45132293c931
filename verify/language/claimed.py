"""What is claimed of a problem?  From the tables of `[claim]` to expressions by part."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any

from verify.claim import Domain, Variable
from verify.graph import Node, free_symbols, num, postorder, substitute, symbol
from verify.language.document import KINDS, NAME, SECOND, Document, rounded
from verify.language.errors import ReadError
from verify.language.names import nearest_of
from verify.language.read import read_expression
from verify.language.write import write
from verify.system_claims import Equation, System, SystemClaim
from verify.systems import (
    INDEX,
    TIME,
    ImplicitProblem,
    OdeProblem,
    Problem,
    RecurrenceProblem,
    adjoint_names,
    direction_names,
    event_times,
    second_costates,
    tangent_names,
)

#: tau1- and tau1+, just before and just after an event, where a time ends.
_SIDE = re.compile(r"(tau[1-9][0-9]*)\s*([-+])\s*(?=[,)])")
_SIDES = {"-": "_before", "+": "_after"}
#: A key such as l1[k-1].
_STEP = re.compile(r"\s*([A-Za-z]\w*)\s*[\[(]\s*(\w+)\s*([+-]\s*\d+)?\s*[\])]\s*")
_INITIAL = re.compile(r"\s*([A-Za-z]\w*)\s*\((.+)\)\s*")


@dataclass(frozen=True)
class ClaimReader:
    """The tables of a document on their way to a claim."""

    tables: Document

    def named(self, problem: Problem) -> Problem:
        """The problem with its adjoints as the file names them: by `costates`, or by one key of its claim a state."""
        table = KINDS[problem.kind][0]
        taken = {TIME, INDEX, "t0", "T", "int", "sum", *problem.state, *problem.domain.variables}
        if "costates" in self.tables.document.get(table, {}):
            names = self.tables.names(table, "costates", taken=taken)
            if len(set(names)) != len(problem.state) or len(names) != len(problem.state):
                what = f"{table}.costates has {len(set(names))} names, the state has {len(problem.state)}"
                raise self.tables.error(what, (table, "costates"), "give one for each state")
            return replace(problem, costates=names)
        names = tuple(dict.fromkeys(self.own_names(problem)))
        if problem.costates or len(names) != len(problem.state) or set(names) & {*taken, *adjoint_names(problem)}:
            return problem
        if not all(NAME.fullmatch(name) for name in names):
            return problem
        alike = tuple(name for u in problem.state for name in names if name.endswith(u))
        return replace(problem, costates=alike if sorted(alike) == sorted(names) else names)

    def own_names(self, problem: Problem) -> Iterator[str]:
        """What a claim may mean by its adjoints: the keys of its tables, or the unknowns of its equations."""
        claim = self.tables.document.get("claim", {})
        if isinstance(problem, ImplicitProblem):
            texts = claim.get("adjoint", ()) if isinstance(claim.get("adjoint"), list) else ()
            sides = [side for text in texts if isinstance(text, str) for side in text.split("=")]
            with suppress(ReadError):
                found = free_symbols(*(read_expression(side) for side in sides))
                yield from sorted(found - {*problem.state, *problem.domain.variables})
            return
        for name in ("adjoint", "terminal"):
            given = claim.get(name, {})
            for key in given if isinstance(given, dict) else ():
                yield re.split(r"[(\[]", key)[0].strip()

    def whole(self, problem: Problem) -> System:
        """The problem, with what is claimed of it and of its tangent problem."""
        problem = self.named(problem)
        first, second = self.both(problem)
        return System(problem, first, second=second)

    def both(self, problem: Problem) -> tuple[SystemClaim, SystemClaim]:
        """What is claimed of the problem, and of its tangent problem."""
        given = self.tables.document.get("claim", {})
        if not set(given) & set(SECOND):
            return self.claim(problem), SystemClaim()
        own = (*tangent_names(problem), *direction_names(problem), *second_costates(problem))
        twice = {name for name in own if own.count(name) > 1}
        if clash := sorted(twice | set(own) & {*problem.state, *problem.domain.variables}):
            what = f"{clash[0]} means something else in a claim on second derivatives"
            raise self.tables.error(what, (KINDS[problem.kind][0],), "rename it")
        first = {table: value for table, value in given.items() if table not in SECOND}
        second: dict[str, Any] = {"tangent": given.get("tangent", {}), "gradient": given.get("hvp", {})}
        for table, more in (("adjoint", "second"), ("terminal", "second_terminal"), ("jump", "second_jump")):
            parts = [given[name] for name in (more, table) if name in given]
            for name, part in zip((name for name in (more, table) if name in given), parts, strict=True):
                self.tables.check(part, (list,) if isinstance(problem, ImplicitProblem) else (dict,), "claim", name)
            if parts and isinstance(problem, ImplicitProblem):
                second[table] = [each for part in parts for each in part]
            elif parts:
                second[table] = {key: value for part in parts for key, value in part.items()}
        for table in ("tangent", "hvp"):
            self.tables.check(given.get(table, {}), (dict,), "claim", table)
        self.tables.document["claim"] = first
        found = self.claim(problem)
        self.tables.document["claim"] = {table: value for table, value in second.items() if value}
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
        events = tuple(replace(each, reset=2 * each.reset, rhs=2 * each.rhs) for each in problem.events)
        twice = {"rhs": 2 * problem.rhs, "initial": 2 * problem.initial, "events": events}
        return replace(problem, state=state, domain=domain, costates=costates, **twice)

    def claim(self, problem: Problem) -> SystemClaim:
        if "claim" not in self.tables.document:
            return SystemClaim()
        of = INDEX if isinstance(problem, RecurrenceProblem) else TIME
        adjoints = list(adjoint_names(problem))
        known = dict(problem.domain.variables)
        if isinstance(problem, ImplicitProblem):
            known |= {name: Variable(name) for name in (*problem.state, *adjoints)}
        else:
            known |= {name: Variable(name, of=(of,)) for name in (*problem.state, *adjoints)}
            known |= {"int": Variable("int", of=("_1", "_2", "_3", "_4"))} if of == TIME else {}
        sides: dict[Node, Node] = {}
        later = 0
        if isinstance(problem, OdeProblem):
            times = event_times(problem)
            sides = {symbol(time + word): symbol(time + sign) for time in times for sign, word in _SIDES.items()}
            known |= {name: Variable(name) for name in (*times, *(each.value for each in sides))}
        if isinstance(problem, RecurrenceProblem) and isinstance(problem.steps, str):
            known.setdefault(problem.steps, Variable(problem.steps))
        table, text = self.tables.document["claim"], {}
        parts: dict[str, dict[str, Node]] = {"adjoint": {}, "terminal": {}, "jump": {}, "tangent": {}, "gradient": {}}
        equations: tuple[Equation, ...] = ()
        for name in parts:
            if name not in table:
                continue
            if name == "adjoint" and isinstance(problem, ImplicitProblem):
                equations = self.equations(problem, known, text)
                continue
            given = self.tables.value((dict,), "claim", name)
            keys = adjoints if name != "gradient" else self.differentiable(problem)
            keys = self.jumping(problem, adjoints) if name == "jump" else keys
            keys = list(problem.state[len(problem.state) // 2 :]) if name == "tangent" else keys
            given = self.at_each(problem, given, adjoints) if name == "jump" else given
            if name in ("adjoint", "tangent") and isinstance(problem, OdeProblem) and problem.events:
                given, keys = self.between(problem, given, adjoints if name == "adjoint" else keys)
            for key, formula in given.items():
                plain = self.gradient_key(problem, key) if name == "gradient" else key
                if isinstance(problem, RecurrenceProblem) and name != "gradient":
                    plain, later = self.step_key(problem, key, name)
                if plain not in keys:
                    near = nearest_of(key, keys)
                    guess = f"did you mean {near!r}?" if near else f"known there: {', '.join(keys)}"
                    if name in ("adjoint", "terminal") and not near:
                        guess += (
                            f"; other names of the adjoint are said by costates = […] in [{KINDS[problem.kind][0]}]"
                        )
                    raise self.tables.error(f"unknown key {key!r} in [claim.{name}]", ("claim", name, key), guess)
                if plain in parts[name]:
                    raise self.tables.error(
                        f"claim.{name}: {plain} is claimed twice", ("claim", name, key), "leave one"
                    )
                if sides and isinstance(formula, str):
                    formula = _SIDE.sub(lambda found: found[1] + _SIDES[found[2]], formula)
                node = self.tables.formula(rounded(formula, of), known, "claim", name, key)
                node = self.known_names(node, problem, known, "claim", name, key)
                if name == "gradient" and isinstance(problem, OdeProblem):
                    node = self.at_its_time(node, problem, plain, ("claim", name, key))
                if isinstance(problem, RecurrenceProblem):
                    node = self.at_its_step(node, problem, str(formula), ("claim", name, key))
                parts[name][plain] = substitute(node, sides) if sides else node
                text[name, plain] = str(given[key])
                if later:
                    parts[name][plain] = substitute(parts[name][plain], {symbol(INDEX): symbol(INDEX) + later})
                    text[name, plain] = f"{key} = {given[key]}"
        if parts["tangent"]:
            bare = {name: symbol(name) for name in problem.state}
            parts["tangent"] = {key: self.now(node, bare) for key, node in parts["tangent"].items()}
        return SystemClaim(
            parts["adjoint"], equations, parts["terminal"], parts["jump"], parts["tangent"], parts["gradient"], text
        )

    def step_key(self, problem: RecurrenceProblem, key: str, table: str) -> tuple[str, int]:
        """l1 for l1[k] or l1[n], and by how many steps the formula must be taken later where it is for l1[k-1], say."""
        found = _STEP.fullmatch(key)
        if found is None:
            return key, 0
        base, offset = INDEX if table == "adjoint" else str(problem.steps), int((found[3] or "0").replace(" ", ""))
        if found[2] != base or (table == "terminal" and offset):
            what = f"claim.{table}: {key!r} is not at step {base}"
            raise self.tables.error(what, ("claim", table, key), f"write {found[1]}")
        return found[1], -offset

    def at_its_step(self, node: Node, problem: RecurrenceProblem, text: str, path: tuple[str, ...]) -> Node:
        """A formula in which every state and adjoint has its step, and k is counted; x at the end is x[n]."""
        where, table = ".".join(path), path[1]
        names = sorted({each.value[0] for each in postorder(node) if each.op == "abstract"})
        bare = [name for name in names if re.search(rf"\b{re.escape(name)}\b(?!\s*[\[(])", text)]
        last = symbol(problem.steps) if isinstance(problem.steps, str) else num(problem.steps)
        if bare and table == "terminal" and not re.search(rf"\b{INDEX}\b", text):
            return substitute(node, {symbol(INDEX): last})
        if bare:
            choice = f"{bare[0]}[{problem.steps}]" if table == "terminal" else f"{bare[0]}[k] or {bare[0]}[k-1]"
            raise self.tables.error(f"{where}: {bare[0]} stands without its step", path, f"write {choice}")
        if table in ("terminal", "gradient") and INDEX in free_symbols(node):
            mend = f"write {problem.steps}" if table == "terminal" else ""
            raise self.tables.error(f"{where}: {INDEX} stands outside of a sum, and is no step there", path, mend)
        return node

    def at_its_time(self, node: Node, problem: OdeProblem, by: str, path: tuple[str, ...]) -> Node:
        """A gradient in which t, and states and adjoints at t, stand under integrals alone.

        Elsewhere they have a time only where the gradient is one by a time: u in dG/dT is u(T).
        """
        integrals = [each for each in postorder(node) if each.op == "abstract" and each.value[0] == "int"]
        apart = {each: symbol(f"integral {number}") for number, each in enumerate(integrals)}
        outside, t = substitute(node, apart), symbol(TIME)
        when = {"t0": problem.t0, "T": problem.T}.get(by)
        if TIME in free_symbols(outside) and when is None:
            bare = [each.value[0] for each in postorder(outside) if each.op == "abstract" and each.args == (t,)]
            what = f"{'.'.join(path)}: {bare[0] if bare else TIME} stands outside of an integral, and has no time there"
            raise self.tables.error(what, path, f"write {bare[0]}(0) or {bare[0]}(T), say, or int(…)" if bare else "")
        return substitute(substitute(outside, {t: when or t}), {name: each for each, name in apart.items()})

    def now(self, node: Node, bare: Mapping[str, Node]) -> Node:
        """States at t as plain symbols."""
        at = {each: bare[each.value[0]] for each in postorder(node)
              if each.op == "abstract" and each.value[0] in bare and each.args == (symbol(TIME),)}  # fmt: skip
        return substitute(node, at)

    def jumping(self, problem: Problem, adjoints: list[str]) -> list[str]:
        """Where an adjoint can jump: l1(1/2) for an observation at 1/2, l1(tau1) for an event."""
        times = [write(each.time) for each in getattr(problem, "observations", ())]
        times += event_times(problem) if isinstance(problem, OdeProblem) else ()
        return [f"{name}({time})" for time in times for name in adjoints]

    def at_each(self, problem: Problem, given: Mapping[str, Any], adjoints: list[str]) -> dict[str, Any]:
        """A table of jumps in which a name alone stands for all times at which its adjoint can jump."""
        found: dict[str, Any] = {}
        places = self.jumping(problem, adjoints)
        if given and not places:
            what = "[claim.jump] claims jumps, and nothing is observed or happens"
            mend = "add `observations` to [objective] or `events` to [ode], or leave it out"
            raise self.tables.error(what, ("claim", "jump"), mend)
        for key, formula in given.items():
            name, _, time = key.replace(" ", "").partition("(")
            if key in adjoints and places:
                found |= {place: formula for place in places if place.startswith(f"{key}(")}
            elif time.endswith(")") and name in adjoints:
                try:
                    found[f"{name}({write(read_expression(time[:-1]))})"] = formula
                except ReadError as error:
                    raise self.tables.error(f"claim.jump, {error}", ("claim", "jump", key)) from None
            else:
                found[key] = formula
        return found

    def between(
        self, problem: OdeProblem, given: Mapping[str, Any], adjoints: list[str]
    ) -> tuple[dict[str, Any], list[str]]:
        """A table of adjoint equations, with keys such as l1(0, tau1) in one form; and all keys that it may have.

        A name alone stands for all phases.
        """
        ends = [write(problem.t0), *event_times(problem), write(problem.T)]
        spans = [f"({a}, {b})" for i, a in enumerate(ends) for b in ends[i + 1 :]]
        known = [*adjoints, *(name + span for name in adjoints for span in spans)]
        found: dict[str, Any] = {}
        for key, formula in given.items():
            name, bracket, rest = key.replace(" ", "").partition("(")
            if bracket and rest.endswith(")") and rest.count(",") == 1:
                low, high = rest[:-1].split(",")
                low, high = ("t0", "T") if (low, high) == ("", "") else (low, high)
                low = ends[0] if low == "t0" else low.rstrip("+")
                high = ends[-1] if high == "T" else high.rstrip("-")
                key = f"{name}({low}, {high})"
            if key in found:
                raise self.tables.error(f"{key} is claimed twice", ("claim", "adjoint", key), "leave one of them out")
            found[key] = formula
        return found, known

    def equations(self, problem: ImplicitProblem, known: Mapping[str, Variable], text: dict) -> tuple[Equation, ...]:
        found, names = [], adjoint_names(problem)
        given = self.tables.value((list,), "claim", "adjoint")
        if len(given) > len(names):
            what = f"claim.adjoint has {len(given)} equations, the adjoint has {len(names)} entries"
            raise self.tables.error(what, ("claim", "adjoint"), f"give at most one for each of {', '.join(names)}")
        for number, written in enumerate(given, start=1):
            self.tables.check(written, (str,), "claim", "adjoint")
            left, equals, right = written.partition("=")
            if not equals or "=" in right:
                what = f"claim.adjoint: {written!r} is no equation"
                raise self.tables.error(what, ("claim", "adjoint"), 'write "(…)*l1 = …"')
            sides = [self.tables.formula(side, known, "claim", "adjoint") for side in (left, right)]
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
            return f"{found[1]}({found[2].strip()})"
        if isinstance(problem, OdeProblem) and (found[2].strip() == "t0" or self.is_initial(problem, found[2])):
            return f"{found[1]}(t0)"
        return key

    def is_initial(self, problem: OdeProblem, time: str) -> bool:
        """Whether a text means the initial time: -1, or 0.5 where that is 1/2."""
        try:
            return read_expression(time) is problem.t0
        except ReadError:
            return False

    def known_names(self, node: Node, problem: Problem, known: Mapping[str, Variable], *path: str) -> Node:
        """The formula of a claim, which may use no name that the problem does not."""
        own = {TIME, INDEX} | ({"t0", "T"} if isinstance(problem, OdeProblem) else set())
        bound = {each.args[1].value for each in postorder(node) if each.op == "abstract" and each.value[0] == "int"
                 and each.args[1].op == "symbol"}  # fmt: skip
        unknown = sorted(free_symbols(node) - set(known) - own - bound)
        if unknown:
            near = nearest_of(unknown[0], known)
            raise self.tables.error(
                f"{'.'.join(path)}: {unknown[0]!r} occurs nowhere in the problem", path,
                f"did you mean {near}?" if near
                else f"declare it with `let`, or correct it (the adjoint is {', '.join(adjoint_names(problem))})",
            )  # fmt: skip
        if isinstance(problem, OdeProblem):
            ends = {"t0": problem.t0, "T": problem.T}
            node = substitute(node, {symbol(n): end for n, end in ends.items() if n not in problem.domain.variables})
        return node
