"""How is a problem written in Python?  From text or SymPy expressions to the records that a TOML file gives.

Formulas become text in the grammar of claims and are read as a file is, so that both ways in mean the same.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import fields
from fractions import Fraction
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from verify.claim import Domain
from verify.graph import Node
from verify.language.toml import ProblemError, density_of, problem_of, system_of
from verify.language.write import write
from verify.system_claims import System, SystemClaim
from verify.systems import Event, ImplicitProblem, Observation, OdeProblem, RecurrenceProblem

if TYPE_CHECKING:
    from verify.decide.systems.result import SystemResult

KINDS: Mapping[type, tuple[str, str]] = {
    OdeProblem: ("ode-gradient", "ode"),
    ImplicitProblem: ("implicit-gradient", "implicit"),
    RecurrenceProblem: ("recurrence-gradient", "recurrence"),
}
#: Assumptions of SymPy symbols that are declarations of ours, the narrowest first.
ASSUMPTIONS = ("positive", "negative", "nonnegative", "integer")
OBJECTIVE = ("terminal", "running", "value")


def read(kind: type, given: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of a problem of a kind from what a person gives for them.

    Raises ValueError, which names the argument.
    """
    name, table = KINDS[kind]
    assumed: dict[str, str] = {}
    own: dict[str, Any] = {key: listed_names(given[key], key) for key in ("state", "parameters")}
    objective: dict[str, Any] = {}
    for key, value in given.items():
        if key in ("state", "parameters", "domain"):
            continue
        if key == "observations":
            seen = [_observation(each, assumed) for each in _entries(value) or ()]
            objective |= {key: seen} if seen else {}
            continue
        if key == "events":
            listed = [_event(each, number, assumed) for number, each in enumerate(_entries(value) or (), start=1)]
            own |= {key: listed} if listed else {}
            continue
        if key == "steps":
            own[key] = value if isinstance(value, int) else text_of(value, key, assumed)
        elif key in OBJECTIVE:
            objective[key] = text_of(value, key, assumed)
        elif key in ("t0", "T"):
            own.setdefault("time", []).append(text_of(value, key, assumed))
        elif (entries := _entries(value)) is None:
            raise ProblemError(f"{key} is one formula, and must be a list", None, f"write {key}=[…], one a state")
        else:
            own[key] = [text_of(each, key, assumed) for each in entries]
    domain = given["domain"]
    let = {} if isinstance(domain, Domain) else dict(domain)
    let = {name: kind for name, kind in assumed.items() if name not in own["state"]} | let
    found = problem_of({"kind": name, "let": let, table: own, "objective": objective})
    values = {each.name: getattr(found, each.name) for each in fields(found) if each.name in given}
    return _with_domain(values, domain)


def _with_domain(values: dict[str, Any], domain: Any) -> dict[str, Any]:
    """The fields that were read, with a domain that was given as one."""
    if isinstance(domain, Domain):
        own = {**values["domain"].variables, **domain.variables}
        values["domain"] = Domain(own, domain.conditions, domain.everywhere)
    return values


def read_density(kind: str, given: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of a flow or a density from what a person gives for them.

    Raises ValueError, which names the argument.
    """
    assumed: dict[str, str] = {}
    table: dict[str, Any] = {}
    for key, value in given.items():
        if key == "domain" or value is None:
            continue
        if key in ("state", "variables", "parameters"):
            table[key] = listed_names(value, key)
        elif key == "support":
            table[key] = dict(value)
        elif key == "log_density":
            table[key] = text_of(value, key, assumed)
        elif (entries := _entries(value)) is None:
            raise ProblemError(f"{key} is one formula, and must be a list", None, f"write {key}=[…], one a state")
        elif entries:
            table |= {key: [text_of(each, key, assumed) for each in entries]}
    if kind == "flow":
        table["type"] = "map" if "map" in table else "ode"
    domain = given["domain"]
    let = {} if isinstance(domain, Domain) else dict(domain or {})
    let = {name: kind for name, kind in assumed.items() if name not in table.get("support", ())} | let
    found = density_of({"kind": kind, "let": let, "flow" if kind == "flow" else "density": table}).problem
    return _with_domain({key: getattr(found, key) for key in given if key != "support"}, domain)


def check_density(problem: Any, given: Mapping[str, Any], seed: int, timeout: float | None) -> SystemResult:
    """See `Judgeable.check` of `verify.densities`."""
    from verify.densities import DensitySystem
    from verify.judge_systems import SECONDS, check_system
    from verify.language.toml import density_claim

    def plain(value: Any, where: str) -> Any:
        if isinstance(value, bool | str | Mapping):
            return value
        entries = None if hasattr(value, "free_symbols") else _entries(value)
        return text_of(value, where) if entries is None else [plain(each, where) for each in entries]

    claim = density_claim(problem, {key: plain(value, f"claim.{key}") for key, value in given.items()})
    limit = SECONDS if timeout is None else timeout
    return check_system(DensitySystem(problem, claim), seed=seed, timeout=limit)


def _observation(given: Any, assumed: dict[str, str]) -> dict[str, str]:
    """An observation as a table: given as a record, as a mapping, or as (time, value)."""
    if isinstance(given, Observation):
        given = (given.time, given.value)
    if isinstance(given, Mapping):
        return {key: text_of(value, f"observations, {key}", assumed) for key, value in given.items()}
    pair = _entries(given)
    if pair is None or len(pair) != 2:
        raise ProblemError(f"observations: {given!r} is no pair", None, "give (time, value) each")
    return {
        key: text_of(each, f"observations, {key}", assumed) for key, each in zip(("time", "value"), pair, strict=True)
    }


def _event(given: Any, number: int, assumed: dict[str, str]) -> dict[str, Any]:
    """An event as a table: given as a record, or as a mapping."""
    if isinstance(given, Event):
        given = {each.name: value for each in fields(given) if (value := getattr(given, each.name)) is not None}
    if not isinstance(given, Mapping):
        raise ProblemError(f"events: {given!r} is no event", None, "give verify.Event(when=…) each")
    found: dict[str, Any] = {}
    for key, value in given.items():
        where = f"events, {key} of event {number}"
        entries = _entries(value) if key in ("reset", "rhs") else None
        found[key] = (
            text_of(value, where, assumed) if entries is None else [text_of(f, where, assumed) for f in entries]
        )
    return found


def _entries(given: Any) -> list[Any] | None:
    """What stands in a list, a tuple, an array or a SymPy matrix; None for what is no list."""
    if isinstance(given, str):
        return None
    try:
        return list(given)
    except TypeError:
        return None


def listed_names(given: Any, key: str) -> list[str]:
    """Names given as one text, or as texts or symbols."""
    if isinstance(given, str):
        return re.split(r"[\s,]+", given.strip()) if given.strip() else []
    found = []
    for each in [given] if (entries := _entries(given)) is None else entries:
        whole = isinstance(each, str) or getattr(each, "is_Symbol", False)
        found.append(str(each) if whole else getattr(getattr(each, "func", None), "__name__", ""))
        if not found[-1]:
            raise ProblemError(f"{key}: {each!r} is no name", None, "give a text or a SymPy symbol")
    return found


def text_of(given: Any, where: str, assumed: dict[str, str] | None = None) -> str:
    """A formula as text in the grammar of claims; what SymPy assumes of its symbols is added to `assumed`."""
    if isinstance(given, str):
        return given
    if isinstance(given, Node):
        return write(given)
    if isinstance(given, int | float | Fraction) and not isinstance(given, bool):
        return str(given)
    if not hasattr(given, "free_symbols"):
        needed = "give a text, a number or a SymPy expression"
        raise ProblemError(f"{where}: {given!r} of type {type(given).__name__} is no formula", None, needed)
    from verify.language.bridge import NoCounterpart, from_sympy

    noted = {} if assumed is None else assumed
    for symbol in sorted(given.free_symbols, key=str):
        kind = next((kind for kind in ASSUMPTIONS if getattr(symbol, f"is_{kind}", False)), None)
        if kind is not None:
            noted[str(symbol)] = kind
    try:
        return write(from_sympy(_with_integrals(given)))
    except NoCounterpart as reason:
        raise ProblemError(f"{where}: {reason}") from None


def _with_integrals(expr: Any) -> Any:
    """SymPy's integrals as int(E, t, a, b), a function that has no meaning there."""
    import sympy

    def written(integral: Any) -> Any:
        if len(integral.limits) != 1 or len(integral.limits[0]) != 3:
            raise ProblemError(f"{integral}: an integral needs one variable and two limits")
        named: Any = sympy.Function("int")
        return named(_with_integrals(integral.function), *integral.limits[0])

    return expr.xreplace({each: written(each) for each in expr.atoms(sympy.Integral)})


def system(problem: Any, tables: Mapping[str, Any]) -> System:
    """The problem with what is claimed, from the tables of `[claim]`.  Raises ProblemError (a ValueError)."""
    texts: dict[str, Any] = {}
    for table, given in tables.items():
        if isinstance(given, Mapping):
            texts[table] = {str(key): text_of(value, f"claim.{table}.{key}") for key, value in given.items()}
        elif (entries := _entries(given)) is None:
            raise ProblemError(f"claim.{table} is {type(given).__name__}, and must be a mapping by name")
        else:
            texts[table] = [_equation(each, f"claim.{table}") for each in entries]
    return system_of(problem, texts)


def _equation(given: Any, where: str) -> str:
    """An equation as text: SymPy's Eq, or a text with its sign."""
    sides = getattr(given, "args", ())
    if type(given).__name__ == "Equality" and len(sides) == 2:
        return " = ".join(text_of(side, where) for side in sides)
    return text_of(given, where)


# --- what a problem is asked ------------------------------------------------------------------------


def adjoint(problem: Any) -> dict[str, Any]:
    """See `Derivable.adjoint`."""
    task, usual = _task(problem)
    if isinstance(problem, ImplicitProblem):
        places = range(1, len(problem.state) + 1)
        return {"adjoint": [task.correct(("adjoint", str(i)), usual) for i in places]}
    equations = [
        each for name in task.names for each in (task.equations(name) if hasattr(task, "equations") else [name])
    ]
    found = {
        table: {name: task.correct((table, name), usual) for name in names}
        for table, names in (("adjoint", equations), ("terminal", task.names))
    }
    jumps = {key: task.correct(("jump", key), usual) for key in getattr(task, "jumps", ())}
    return found | ({"jump": jumps} if jumps else {})


def gradient(problem: Any, names: Sequence[Any]) -> dict[str, Any]:
    """See `Derivable.gradient`."""
    task, usual = _task(problem)
    keys = [str(name) for name in names] or list(problem.parameters)
    read = system_of(problem, {"gradient": dict.fromkeys(keys, "0")}).claim.gradient
    return {"gradient": {key: task.correct(("gradient", plain), usual) for key, plain in zip(keys, read, strict=True)}}


def second_order(problem: Any) -> dict[str, Any]:
    """See `Derivable.second_order`."""
    from verify.calculus.tangent import tangent_problem
    from verify.language.write import write

    n, tangent = len(problem.state), tangent_problem(problem)
    task, usual = _task(tangent)
    hvp = {name: task.correct(("gradient", name), usual) for name in problem.parameters}
    if isinstance(problem, ImplicitProblem):
        return {"second": [task.correct(("adjoint", str(i)), usual) for i in range(1, n + 1)], "hvp": hvp}
    own = task.names[:n]
    equations = task.equations if isinstance(tangent, OdeProblem) else lambda name: [name]
    found: dict[str, Any] = {
        "second": {each: task.correct(("adjoint", each), usual) for name in own for each in equations(name)},
        "second_terminal": {name: task.correct(("terminal", name), usual) for name in own},
    }
    if isinstance(tangent, OdeProblem):
        found["tangent"] = {
            key: write(f)
            for i, name in enumerate(tangent.state[n:], start=n)
            for key, f in _by_phase(tangent, name, [phase.rhs[i] for phase in tangent.phases])
        }
        gains = {key: task.correct(("jump", key), usual) for key in task.jumps if key.partition("(")[0] in own}
        found |= {"second_jump": gains} if gains else {}
    return found | {"hvp": hvp}


def _by_phase(problem: OdeProblem, name: str, rates: list[Node]) -> list[tuple[str, Node]]:
    """A rate by its name, or by name and span, s1(0, tau1), where it changes at events."""
    from verify.calculus.costate import ends

    if len(set(rates)) == 1:
        return [(name, rates[0])]
    spans = pairwise(map(write, ends(problem)))
    return [(f"{name}({low}, {high})", rate) for (low, high), rate in zip(spans, rates, strict=True)]


def _task(problem: Any) -> tuple[Any, Any]:
    from verify.decide.systems import task_of
    from verify.decide.systems.convention import Convention

    task = task_of(System(problem))
    return task, Convention(task.names)


def check(
    problem: Any, given: Mapping[str, Any] | SystemClaim | None, tables: Mapping[str, Any], seed: int,
    timeout: float | None,
) -> SystemResult:  # fmt: skip
    """See `Derivable.check`."""
    from verify.judge_systems import SECONDS, check_system

    whole = System(problem, given) if isinstance(given, SystemClaim) else system(problem, {**(given or {}), **tables})
    return check_system(whole, seed=seed, timeout=SECONDS if timeout is None else timeout)


def code(problem: Any) -> str:
    """See `Derivable.code`."""
    from verify.calculus.numpy_code import module

    return module(problem)
