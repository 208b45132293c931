"""Which flow or density does a TOML file describe, and what is claimed of it?  Tables by name, formulas by text."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from verify.claim import Domain, Variable
from verify.densities import (
    DensityProblem,
    DensitySystem,
    FlowClaim,
    FlowProblem,
    SteinClaim,
    SteinProblem,
    images,
    second_arguments,
    test_functions,
)
from verify.graph import Node, free_symbols, postorder, substitute, symbol
from verify.language.document import TOP, Document, Keys
from verify.language.names import nearest_of
from verify.systems import TIME

#: For each kind: its table, the keys that must and may stand there, and those of the claim.
TABLES: Mapping[str, tuple[str, Keys, Keys, Keys]] = {
    "flow": ("flow", ("type", "state"), ("parameters", "map", "rhs"), ("logdet", "inverse", "dlogp", "invertible")),
    "stein": (
        "density", ("variables", "log_density"), ("support", "parameters"),
        ("score", "identity", "functions", "kernel", "ksd", "normalised"),
    ),
}  # fmt: skip
#: For each type of a flow: where its formulas stand, what may be claimed of it, and why the rest may not.
TYPES: Mapping[str, tuple[str, Keys, str]] = {
    "map": ("map", ("logdet", "inverse", "invertible"), "a map has no time; write logdet, which log p loses"),
    "ode": ("rhs", ("dlogp",), 'of type "ode" the rate is claimed: dlogp, which is -d/dt log |det dz(t)/dz(0)|'),
}


@dataclass(frozen=True)
class DensityReader:
    """One document of the kinds `flow` and `stein`; `domain_of` reads declarations."""

    tables: Document
    domain_of: Callable[[Mapping[str, Any]], Domain]

    def whole(self) -> DensitySystem:
        document = self.tables.document
        kind = document["kind"]
        table, needed, more, claim = TABLES[kind]
        self.tables.keys(document, (*(key for key in TOP if key != "objective"), table))
        self.tables.keys(self.tables.value((dict,), table), (*needed, *more), table)
        if "claim" in document:
            self.tables.keys(self.tables.value((dict,), "claim"), claim, "claim")
        try:
            problem = self.flow() if kind == "flow" else self.density()
        except ValueError as error:
            if hasattr(error, "line"):
                raise
            raise self.tables.error(str(error), (table,)) from None
        return DensitySystem(problem, self.claim(problem))

    def claim(self, problem: DensityProblem) -> FlowClaim | SteinClaim:
        """What is claimed of a problem."""
        return self.flow_claim(problem) if isinstance(problem, FlowProblem) else self.stein_claim(problem)

    # --- problems ---

    def flow(self) -> FlowProblem:
        type_ = self.tables.value((str,), "flow", "type")
        if type_ not in TYPES:
            near = nearest_of(type_, TYPES)
            guess = f"did you mean {near!r}?" if near else f"known: {', '.join(TYPES)}"
            raise self.tables.error(f"unknown type {type_!r} of a flow", ("flow", "type"), guess)
        key, _, _ = TYPES[type_]
        other = {"map": "rhs", "rhs": "map"}[key]
        if other in self.tables.document["flow"]:
            raise self.tables.error(f"{other!r} does not belong to type {type_!r}", ("flow", other), f"write {key} = …")
        state, parameters, known, domain = self.names("flow", "state")
        formulas = self.tables.formulas(known, "flow", key)
        whole = self.completed(domain, known, formulas, time=key == "map")
        given: dict[str, Any] = {key: formulas}
        return FlowProblem(state, parameters=parameters, domain=whole, **given)

    def density(self) -> SteinProblem:
        support = self.tables.document["density"].get("support", {})
        self.tables.check(support, (dict,), "density", "support")
        listed = self.listed_names("density", "variables")
        self.tables.keys(support, listed, "density", "support")
        for name, text in support.items():
            self.tables.check(text, (str,), "density", "support", name)
        let = self.tables.document.get("let", {})
        self.tables.check(let, (dict,), "let")
        if both := sorted(set(support) & set(let)):
            raise self.tables.error(
                f"{both[0]} is declared under let and in the support", ("let", both[0]), "declare it once"
            )
        variables, parameters, known, domain = self.names("density", "variables", support)
        given = self.tables.value((str, int, float), "density", "log_density")
        node = self.tables.formula(given, known, "density", "log_density")
        return SteinProblem(
            variables, node, parameters=parameters, domain=self.completed(domain, known, (node,), time=True)
        )

    def names(
        self, table: str, key: str, support: Mapping[str, str] | None = None
    ) -> tuple[tuple[str, ...], tuple[str, ...], dict[str, Variable], Domain]:
        """States or variables, parameters, all names that are declared, and the domain."""
        names, parameters = self.listed_names(table, key), ()
        if "parameters" in self.tables.document[table]:
            parameters = self.listed_names(table, "parameters")
        domain = self.domain_of(support or {})
        own = {name: domain.variables.get(name, Variable(name)) for name in (*names, *parameters)}
        return names, parameters, {**domain.variables, **own}, domain

    def listed_names(self, table: str, key: str) -> tuple[str, ...]:
        """Names; t is the time of a flow of type "ode", and a name as any other elsewhere."""
        time = self.tables.document.get("flow", {}).get("type") == "ode"
        return self.tables.names(table, key, taken=(TIME, "int", "sum") if time else ("int", "sum"))

    def completed(
        self, domain: Domain, known: Mapping[str, Variable], nodes: Iterable[Node], *, time: bool = False
    ) -> Domain:
        """The domain with all names that occur; those that are not declared are real."""
        used = dict.fromkeys(known)
        for node in postorder(*nodes):
            if node.op == "symbol" and (time or node.value != TIME):
                used.setdefault(node.value)
        variables = {name: domain.variables.get(name, Variable(name)) for name in used}
        return Domain({**domain.variables, **variables}, domain.conditions)

    # --- claims ---

    def flow_claim(self, problem: FlowProblem) -> FlowClaim:
        table = self.tables.document.get("claim", {})
        type_ = "map" if problem.map else "ode"
        _, allowed, why = TYPES[type_]
        for key in table:
            if key not in allowed:
                raise self.tables.error(f"{key!r} is not claimed of a flow of type {type_!r}", ("claim", key), why)
        text: dict[str, str] = {}
        found: dict[str, Any] = {}
        for key in ("logdet", "dlogp"):
            if key in table:
                found[key] = self.claimed(table[key], problem, (), "claim", key)
                text[key] = str(table[key])
        if "inverse" in table:
            found["inverse"] = self.inverse(problem, text)
        if "invertible" in table:
            found["invertible"] = self.tables.value((bool,), "claim", "invertible")
            text["invertible"] = str(table["invertible"]).lower()
        return FlowClaim(**found, text=text)

    def inverse(self, problem: FlowProblem, text: dict[str, str]) -> tuple[Node, ...]:
        """In x1, x2, …; in y1, y2, … or a letter alone where these are no names of the problem."""
        entries = self.listed("inverse", len(problem.state), "state")
        own = images(problem)
        taken = set(problem.domain.variables) - set(problem.state)
        if clash := sorted(set(own) & taken):
            raise self.tables.error(
                f"{clash[0]} is a parameter, and the inverse's argument as well", ("claim", "inverse"), "rename it"
            )
        spellings = [own, tuple(f"y{i}" for i in range(1, len(own) + 1))]
        spellings += [("x",), ("y",)] if len(own) == 1 else []
        free = [names for names in spellings if names is own or not set(names) & set(problem.domain.variables)]
        if problem.state == ("x",):
            free += [("x",)]
        others = [name for names in free for name in names]
        parameters = {n: v for n, v in problem.domain.variables.items() if n not in problem.state}
        found = []
        for name, entry in zip(problem.state, entries, strict=True):
            known = {**parameters, **{each: Variable(each) for each in others}}
            node = self.tables.formula(entry, known, "claim", "inverse")
            self.occurs(node, known, "claim", "inverse")
            at = {symbol(name): symbol(x) for names in free[1:] for name, x in zip(names, own, strict=True)}
            found.append(substitute(node, at))
            text[f"inverse {name}"] = str(entry)
        return tuple(found)

    def stein_claim(self, problem: SteinProblem) -> SteinClaim:
        table = self.tables.document.get("claim", {})
        text: dict[str, str] = {}
        found: dict[str, Any] = {}
        if "score" in table:
            entries = self.listed("score", len(problem.variables), "variables")
            found["score"] = tuple(self.claimed(each, problem, (), "claim", "score") for each in entries)
            text |= {f"score {x}": str(each) for x, each in zip(problem.variables, entries, strict=True)}
        if "identity" in table:
            found["identity"] = self.operators(problem, text)
        if "functions" in table:
            if "identity" not in table:
                raise self.tables.error("functions are given without an identity", ("claim", "functions"))
            found["functions"] = self.functions(problem, found["identity"])
        pairs = second_arguments(problem)
        for key in ("kernel", "ksd"):
            if key in table:
                if clash := sorted(set(pairs) & set(problem.domain.variables)):
                    what = f"{clash[0]} is the second argument of a kernel, and a name of the problem"
                    raise self.tables.error(what, ("claim", key), "rename it there")
                found[key] = self.claimed(table[key], problem, pairs, "claim", key)
                text[key] = str(table[key])
        if "ksd" in table and "kernel" not in table:
            raise self.tables.error("ksd is claimed without a kernel", ("claim", "ksd"), "write kernel = …")
        if "normalised" in table:
            found["normalised"] = self.tables.value((bool,), "claim", "normalised")
            text["normalised"] = str(table["normalised"]).lower()
        return SteinClaim(**found, text=text)

    def operators(self, problem: SteinProblem, text: dict[str, str]) -> tuple[Node, ...]:
        given = self.tables.value((str, list), "claim", "identity")
        names = test_functions(problem)
        if clash := sorted(set(names) & set(problem.domain.variables)):
            what = f"{clash[0]} is a test function, and a name of the problem"
            raise self.tables.error(what, ("claim", "identity"), "rename it there")
        entries = given if isinstance(given, list) else [given]
        if not entries:
            raise self.tables.error("claim.identity is empty", ("claim", "identity"), "write an operator")
        found = []
        for i, entry in enumerate(entries, start=1):
            known = {**problem.domain.variables, **{name: Variable(name, of=problem.variables) for name in names}}
            node = self.tables.formula(entry, known, "claim", "identity")
            self.occurs(node, known, "claim", "identity")
            if not any(each.op == "abstract" for each in postorder(node)):
                raise self.tables.error(f"{entry!r} has no test function", ("claim", "identity"), "write it with f")
            found.append(node)
            text["identity" if len(entries) == 1 else f"identity {i}"] = str(entry)
        return tuple(found)

    def functions(self, problem: SteinProblem, operators: tuple[Node, ...]) -> tuple[tuple[Node, ...], ...]:
        used = {each.value[0] for each in postorder(*operators) if each.op == "abstract"}
        names = [name for name in test_functions(problem) if name in used]
        if "f" in names and len(names) > 1:
            raise self.tables.error("the identity has f and f1, f2, … in it", ("claim", "identity"), "use one of them")
        size = 1 if names == ["f"] else len(problem.variables)
        found = []
        for given in self.tables.value((list,), "claim", "functions"):
            entries = given if isinstance(given, list) else [given]
            if len(entries) != size:
                needed = "one formula" if size == 1 else f"a list of {size} formulas, for {', '.join(names)}"
                raise self.tables.error(f"a test function has {len(entries)} entries", ("claim", "functions"), needed)
            found.append(tuple(self.claimed(each, problem, (), "claim", "functions") for each in entries))
        if not found:
            raise self.tables.error(
                "claim.functions is empty", ("claim", "functions"), "leave it out for all functions"
            )
        return tuple(found)

    def listed(self, key: str, size: int, of: str) -> list[Any]:
        """A list with an entry for each state or variable; a formula alone where there is one."""
        given = self.tables.document["claim"][key]
        entries = [given] if size == 1 and isinstance(given, str | int | float) else given
        self.tables.check(entries, (list,), "claim", key)
        if len(entries) != size:
            what = f"claim.{key} has {len(entries)} entries, `{of}` has {size}"
            raise self.tables.error(what, ("claim", key), "give one for each")
        return entries

    def claimed(self, given: Any, problem: DensityProblem, more: Iterable[str], *path: str) -> Node:
        """A formula that uses the names of the problem, and `more`."""
        known = {**problem.domain.variables, **{name: Variable(name) for name in more}}
        node = self.tables.formula(given, known, *path)
        self.occurs(node, known, *path)
        return node

    def occurs(self, node: Node, known: Mapping[str, Variable], *path: str) -> None:
        unknown = sorted(free_symbols(node) - set(known) - ({TIME} if "dlogp" in path else set()))
        if unknown:
            near = nearest_of(unknown[0], known)
            raise self.tables.error(
                f"{'.'.join(path)}: {unknown[0]!r} occurs nowhere in the problem", path,
                f"did you mean {near}?" if near else "declare it with `let`, or correct it",
            )  # fmt: skip
