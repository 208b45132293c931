"""What is an integrand at one place after the other?  What does not depend on its variable is evaluated once."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flint import acb

from verify.decide.enclose import steps
from verify.decide.enclose.balls import Program
from verify.decide.enclose.jets import Undecided, Unsupported


class Prepared:
    """A program in which all that does not depend on one name is evaluated."""

    def __init__(self, program: Program, variable: str, env: Mapping[str, acb]) -> None:
        if program.variables:
            raise Unsupported("derivatives inside of an integral are carried out before")
        self.root = program.roots[0]
        self.values: list[Any] = []
        self.moving: list[tuple[int, steps.Handle, Any, tuple[int, ...], bool]] = []
        self.real, self.places = program.real, []
        depends: list[bool] = []
        for node, (handle, payload, inputs) in zip(program.nodes, program.steps, strict=True):
            at = len(self.values)
            if handle is steps.symbol:
                depends.append(node.value == variable)
                self.values.append(None if depends[at] else finite(env[node.value]))
                if depends[at]:
                    self.places.append(at)
                continue
            depends.append(any(depends[i] for i in inputs))
            if depends[at]:
                self.moving.append((at, handle, payload, inputs, handle not in (steps.add, steps.mul)))
                self.values.append(None)
            else:
                self.values.append(finite(handle(payload, [self.values[i] for i in inputs], program.real)))

    def at(self, x: acb) -> acb:
        """The value there.  Raises NoValue, also where a part of it is not finite."""
        values, real = self.values, self.real
        for place in self.places:
            values[place] = x
        for at, handle, payload, inputs, watched in self.moving:
            value = handle(payload, [values[i] for i in inputs], real)
            if watched and isinstance(value, acb) and not value.is_finite():
                raise Undecided("a value is not finite there")
            values[at] = value
        return finite(values[self.root])


def finite(value: Any) -> Any:
    """The value, if it is finite."""
    if isinstance(value, acb) and not value.is_finite():
        raise Undecided("a value is not finite there")
    return value
