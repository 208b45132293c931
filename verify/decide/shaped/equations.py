"""What do equations among the conditions of a claim leave free?  Entries that they fix, and structure that they mean.

A condition such as sum(y) = 1 leaves no open set: one entry is what the others make it.  One such as norm(x) = 1 leaves
a sphere, whose points are known by coordinates (`entries`).  Conditions such as A' = A or
Q'*Q = eye(n) say what a declaration says better.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction
from math import isqrt
from typing import TYPE_CHECKING

from verify.claim import Claim, Domain, Variable
from verify.decide.prove.differentiate import carried_out
from verify.decide.prove.tower import GiveUp, Restart
from verify.decide.shaped.arrays import is_polynomial, mapped, negative, total
from verify.graph import MINUS_ONE, ZERO, Node, compare, derivative, div, free_symbols, substitute, symbol, transpose

if TYPE_CHECKING:
    from verify.decide.shaped.instances import Instance


def solved(instance: Instance) -> Instance:
    """The instance with one entry for each linear equation expressed by the others.

    An equation is used if the factor of some free entry is a number; all its solutions are then reached.
    """
    for condition in instance.conditions:
        if condition.op == "compare" and condition.value == "=":
            found = _solution(instance, condition)
            if found is not None:
                return solved(_fixed(instance, condition, *found))
    return instance


def _solution(instance: Instance, condition: Node) -> tuple[str, Node] | None:
    """A free symbol and what the equation makes it."""
    difference = total((condition.args[0], negative(condition.args[1])))
    if not is_polynomial(difference):
        return None
    for name in sorted(free_symbols(difference), reverse=True):
        variable = instance.variables.get(name)
        if variable is None or variable.field != "real":
            continue
        try:
            factor = carried_out(derivative(difference, name))
        except (GiveUp, Restart):
            continue
        factor = _number(factor)
        if factor is not None and factor is not ZERO:
            rest = substitute(difference, {symbol(name): ZERO})
            return name, div(negative(rest), factor)
    return None


def _number(node: Node) -> Node | None:
    """A polynomial that is the same for all values of its symbols, as far as arithmetic between numbers shows it."""
    return node if node.op == "num" else None


def _fixed(instance: Instance, condition: Node, name: str, value: Node) -> Instance:
    change = {symbol(name): value}
    variable = instance.variables[name]
    bounds = [compare(variable.low, "<=" if variable.closed_low else "<", value)] if variable.low is not None else []
    if variable.high is not None:
        bounds.append(compare(value, "<=" if variable.closed_high else "<", variable.high))
    others = tuple(c for c in instance.conditions if c is not condition)
    left = replace(instance, conditions=(*others, *bounds)).changed(change)
    return replace(
        left,
        variables={n: v for n, v in instance.variables.items() if n != name},
        shown={n: mapped(lambda entry: substitute(entry, change), a) for n, a in instance.shown.items()},
    )


# --- lengths ------------------------------------------------------------------------------------------


def radii(claim: Claim) -> tuple[dict[str, Fraction], list[Node]]:
    """The vectors whose length a condition fixes, norm(x) = 1 or x'*x = 4, and those conditions."""
    found: dict[str, Fraction] = {}
    used: list[Node] = []
    for condition in claim.domain.conditions:
        if condition.op != "compare" or condition.value != "=":
            continue
        for one, other in (condition.args, condition.args[::-1]):
            name, square = _length(one, other)
            variable = claim.domain.variables.get(name)
            if variable is None or len(variable.shape) != 1 or variable.of or name in found or square <= 0:
                continue
            root = Fraction(isqrt(square.numerator), isqrt(square.denominator))
            if root * root == square:
                found[name] = root
                used.append(condition)
                break
    return found, used


def _length(one: Node, other: Node) -> tuple[str, Fraction]:
    """The vector and its squared length; an empty name for what says no length."""
    if other.op != "num" or other.value < 0:
        return "", Fraction(0)
    squared = one.op == "pow" and one.args[1].op == "num" and one.args[1].value == 2
    inner = one.args[0] if squared else one
    if inner.op == "call" and inner.value == "norm" and len(inner.args) == 1 and inner.args[0].op == "symbol":
        return inner.args[0].value, other.value if squared else other.value**2
    pair = one.op == "mul" and len(one.args) == 2 and one.args[0] is transpose(one.args[1])
    if (pair or (one.op == "call" and one.value == "dot" and one.args[0] is one.args[1])) and one.args[
        1
    ].op == "symbol":
        return one.args[1].value, other.value
    return "", Fraction(0)


# --- structure --------------------------------------------------------------------------------------


def with_structure(claim: Claim) -> Claim:
    """The claim with conditions that mean a structure as declarations: A' = A, A' = -A, Q'*Q = eye(n)."""
    variables, left, notes = dict(claim.domain.variables), [], []
    for condition in claim.domain.conditions:
        found = _structure(condition, variables)
        if found is None:
            left.append(condition)
        else:
            variables[found.name] = found
            notes.append(f"{found.name} is taken as {found.structure}, as the condition says")
    if not notes:
        return claim
    domain = Domain(variables, tuple(left), claim.domain.everywhere, claim.domain.structured)
    return replace(claim, domain=domain, notes=(*claim.notes, *notes))


def _structure(condition: Node, variables: dict[str, Variable]) -> Variable | None:
    if condition.op != "compare" or condition.value != "=":
        return None
    for one, other in (condition.args, condition.args[::-1]):
        for matrix, structure in _readings(one, other):
            name = matrix.value if matrix.op == "symbol" else matrix.value[0] if matrix.op == "abstract" else ""
            variable = variables.get(name)
            if variable is None or variable.structure or len(variable.shape) != 2:
                continue
            if variable.shape[0] == variable.shape[1] and variable.shape[0] != 1 and _is_itself(matrix, variable):
                return replace(variable, structure=structure)
    return None


def _readings(one: Node, other: Node) -> Iterator[tuple[Node, str]]:
    if one.op == "transpose":
        if other is one.args[0]:
            yield other, "symmetric"
        elif other.op == "mul" and other.args == (MINUS_ONE, one.args[0]):
            yield one.args[0], "antisymmetric"
    identity = other.op == "call" and other.value == "eye"
    if identity and one.op == "mul" and len(one.args) == 2 and transpose(one.args[0]) is one.args[1]:
        yield next(arg for arg in one.args if arg.op != "transpose"), "orthogonal"
    if one.op == "call" and one.value == "inv" and other is transpose(one.args[0]):
        yield one.args[0], "orthogonal"


def _is_itself(matrix: Node, variable: Variable) -> bool:
    """Whether a declared function of something is met where it was declared."""
    return matrix.op == "symbol" or [arg.value for arg in matrix.args if arg.op == "symbol"] == list(variable.of)
