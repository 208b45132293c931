"""What stands in a TOML document, and where?  Tables and keys by name, formulas by the text grammar, all with lines.

Whatever cannot be read is one message with its line: an unknown key and the nearest known one, a value of the wrong
type, a formula with its column.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping
from typing import Any

from verify.claim import Variable
from verify.graph import Node, free_symbols, has_integrals, postorder, substitute, symbol
from verify.language.errors import ReadError
from verify.language.names import nearest_of
from verify.language.read import read_expression
from verify.systems import (
    INDEX,
    TIME,
)

Keys = tuple[str, ...]
TOP = ("kind", "let", "title", "source", "objective", "claim")
#: What is claimed of second derivatives: s' and m', m at the final time, what m gains, and the Hessian times v.
SECOND = ("tangent", "second", "second_terminal", "second_jump", "hvp")
#: What an event says; the first must stand there.
EVENT = ("when", "reset", "rhs", "running", "cost")
#: For each kind: its table, the keys that must and may stand there, those of the objective, and of the claim.
KINDS: Mapping[str, tuple[str, Keys, Keys, Keys, Keys]] = {
    "ode-gradient": (
        "ode", ("state", "rhs", "initial", "time"), ("parameters", "costates", "events"),
        ("terminal", "running", "observations"),
        ("adjoint", "terminal", "jump", "gradient", *SECOND),
    ),
    "implicit-gradient": (
        "implicit", ("state", "residual"), ("parameters", "costates"), ("value",),
        ("adjoint", "gradient", "second", "hvp"),
    ),
    "recurrence-gradient": (
        "recurrence", ("state", "step", "initial", "steps"), ("parameters", "costates"), ("value",),
        ("adjoint", "terminal", "gradient", "second", "second_terminal", "hvp"),
    ),
}  # fmt: skip
#: What a name is.
NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]*")
ADJOINT = re.compile(r"l\d+")
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


class Document:
    """The tables of a document, and the text that they stand in."""

    def __init__(self, text: str, document: dict[str, Any]) -> None:
        self.lines, self.document = text.splitlines(), document

    # --- places and errors ---

    @property
    def last(self) -> int:
        """The line of the file's end, where something that is missing may be written."""
        return max(len(self.lines), 1)

    def line(self, *path: str) -> int | None:
        """The line where the key at a path stands, as far as the text shows it; a number means the n-th such table."""
        start, found = 0, None
        for depth, key in enumerate(path):
            if key.isdigit():
                opened = re.compile(rf"\s*\[\[.*{re.escape(path[depth - 1])}")
                same = [i for i in range(start, len(self.lines)) if opened.match(self.lines[i])]
                found = start = same[int(key) - 1] if 1 <= int(key) <= len(same) else start
                continue
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
        if re.match(rf"\s*\[{{1,2}}\s*{re.escape(key)}(?!\w)", self.lines[number]):
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
            words = {**_WORDS, int: "a number" if float in kinds else "a whole number"}
            needed = " or ".join(dict.fromkeys(words[kind] for kind in kinds))
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
        adjoints = sorted(name for name in free_symbols(node) - set(declared) if ADJOINT.fullmatch(name))
        if adjoints and path[0] != "claim":
            what = f"{'.'.join(path)}: {adjoints[0]!r} is the name of an adjoint, which no problem has"
            raise self.error(what, path, "rename it")
        if has_integrals(node):
            raise self.error(
                f"{'.'.join(path)}: integrals stand in gradients of kind 'ode-gradient' only, expectations nowhere",
                path,
            )
        return node

    def formulas(self, declared: Mapping[str, Variable], *path: str) -> tuple[Node, ...]:
        return tuple(self.formula(each, declared, *path) for each in self.value((list,), *path))

    def names(self, *path: str, taken: Iterable[str] | None = None) -> tuple[str, ...]:
        """A list of names; `taken` mean something else, by default those of problems with adjoints."""
        found = self.value((list,), *path)
        for name in found:
            self.check(name, (str,), *path)
            if not NAME.fullmatch(name):
                raise self.error(f"{'.'.join(path)}: {name!r} is no name", path, "a name has letters, digits and _")
            if name in (self.own_names if taken is None else taken) or (taken is None and ADJOINT.fullmatch(name)):
                what = "is the step" if name == INDEX and INDEX in self.own_names else "means something else"
                raise self.error(f"{'.'.join(path)}: {name!r} {what} here", path, "rename it")
        return tuple(found)

    @property
    def own_names(self) -> tuple[str, ...]:
        """Names with a meaning in problems of this kind: the time, or the step."""
        running = {"implicit-gradient": (), "recurrence-gradient": (INDEX,)}.get(self.document["kind"], (TIME,))
        return (*running, "int", "sum")

    def timed(self, given: Any, known: Mapping[str, Variable], times: Iterable[Node], *path: str) -> Node:
        """A formula of a problem in which a state may be written with its time or step, u(t) or x[k-1]."""
        state = self.document[path[0] if path[0] != "objective" else KINDS[self.document["kind"]][0]]["state"]
        of = INDEX if self.document["kind"] == "recurrence-gradient" else TIME
        declared = {**known, **{name: Variable(name, of=(of,)) for name in state}}
        node = self.formula(rounded(given, of), declared, *path)
        at: dict[Node, Node] = {}
        for each in postorder(node):
            if each.op == "abstract":
                if each.args[0] not in (symbol(of), *times) or any(each.value[1]):
                    raise self.error(
                        f"{'.'.join(path)}: {each.value[0]} at another time or step", path, "write its name alone"
                    )
                at[each] = symbol(each.value[0])
        return substitute(node, at)


def rounded(formula: Any, of: str) -> Any:
    """x[k] as x(k), column by column, where the names are sequences."""
    return formula.replace("[", "(").replace("]", ")") if of == INDEX and isinstance(formula, str) else formula
