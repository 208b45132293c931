"""Is the claim true everywhere on its domain?  An exact argument, or none.

    1. derivatives are carried out on the shared graph       (differentiate)
    2. lhs - rhs becomes a program over canonical kernels    (straight, real_forms, principal_forms, special_forms)
    3. where a sign decides, it is certified, or the cell is split in two    (signs, ranges)
    4. on every cell that no certificate closes, the program must be zero    (modular, angles)
    5. the kernels are compared with the text in balls at a sample point     (guard)

No constant is ever read off at a sample point.  A value that is not zero here refutes nothing.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from fractions import Fraction
from typing import Any

from flint import arb, ctx
from flint.utils.flint_exceptions import DomainError

from verify.claim import Claim
from verify.decide.enclose.balls import Program
from verify.decide.prove.angles import vanishes
from verify.decide.prove.differentiate import carried_out, is_analytic, rational_form
from verify.decide.prove.forms import Forms
from verify.decide.prove.guard import Defect, confirm
from verify.decide.prove.intervals import Interval, point
from verify.decide.prove.modular import PRIME_BITS, Zero, is_zero
from verify.decide.prove.principal_forms import PrincipalForms
from verify.decide.prove.ranges import Ranges
from verify.decide.prove.real_forms import RealForms
from verify.decide.prove.signs import EmptyCell, Signs
from verify.decide.prove.straight import Step, Straight
from verify.decide.prove.tower import Element, GiveUp, NeedSign, Plan, Restart, Tower
from verify.graph import MINUS_ONE, PI, Node, add, has_integrals, mul, postorder
from verify.verdict import Evidence, Rigor

ROUTE = "prove"
RELIES_ON = frozenset({"normal-forms"})
#: Cells that one claim may be split into, and new starts that one cell may need.
LARGEST_CELLS = 256
LARGEST_RESTARTS = 24


def prove(claim: Claim, *, seed: int = 0) -> Evidence:
    """Evidence that holds (rigor exact) or could not tell, with `detail["reason"]`; it never refutes.

    detail of a proof: `kernels`, `cells` (and how many of them were `empty`), `choices` of roots that were looked at,
    normal forms `confirmed` by balls at a sample point, `log2_error`, the binary logarithm of the probability that the
    identity test erred, and what was `assumed`.
    """
    if has_integrals(claim.lhs, claim.rhs):
        from verify.decide.integrals.prove import prove as prove_integrals

        return prove_integrals(claim, seed=seed)
    if claim.is_shaped:
        return _open("vectors, matrices and abstract functions are proved entry by entry, or for all sizes")
    try:
        detail = _Proof(claim, random.Random(seed)).run()
    except (GiveUp, Restart) as reason:
        return _open(str(reason) or "the tower does not settle")
    except RecursionError:
        return _open("the expression is nested too deeply")
    except (ArithmeticError, DomainError) as error:
        return _open(f"arithmetic failed: {error}")
    except Defect as defect:
        return _open(f"a defect of the prover: {defect}")
    return Evidence(ROUTE, Rigor.EXACT, True, RELIES_ON, detail=detail)


def _open(reason: str) -> Evidence:
    return Evidence(ROUTE, Rigor.EXACT, None, RELIES_ON, detail={"reason": reason})


class _Proof:
    """One claim: its difference without derivatives, its ranges, and the cells still to be looked at."""

    def __init__(self, claim: Claim, rng: random.Random) -> None:
        if claim.domain.everywhere and (claim.is_complex or not is_analytic(claim.lhs, claim.rhs)):
            raise GiveUp("kinks, jumps, cuts and ends of domains belong to the claim")
        self.claim, self.rng = claim, rng
        self.plan = Plan()
        self.confirmed = 0
        self.variables = {name: _range(v.low, v.high) for name, v in claim.domain.variables.items()}
        ends = {name: (_turns(v.low), _turns(v.high)) for name, v in claim.domain.variables.items()}
        self.angles = {n: (low, high) for n, (low, high) in ends.items() if low is not None and high is not None}
        self.complex_names = frozenset(n for n, v in claim.domain.variables.items() if v.field == "complex")
        self.integers = frozenset(n for n, v in claim.domain.variables.items() if v.field == "integer")
        lhs, rhs = (carried_out(side, self.integers) for side in (claim.lhs, claim.rhs))
        self.difference = add(lhs, mul(MINUS_ONE, rhs))
        self.bodies = [
            carried_out(n.args[0], self.integers) for n in postorder(claim.lhs, claim.rhs) if n.op == "derivative"
        ]

    def run(self) -> dict[str, Any]:
        cells: list[Mapping[str, int]] = [{}]
        proved: list[tuple[Tower, Zero]] = []
        empty = 0
        while cells:
            cell = cells.pop()
            try:
                proved.append(self._settled(cell))
            except EmptyCell:
                empty += 1
            except _Split as split:
                if len(cells) + len(proved) + empty + 2 > LARGEST_CELLS:
                    raise GiveUp("too many cases of signs") from None
                cells += [{**cell, split.name: sign} for sign in (-1, 1)]
        if not proved:
            raise GiveUp("no admissible case: the sides are defined nowhere")
        kernels = Counter(k.kind for tower, _ in proved[:1] for k in tower.kernels)
        return {
            "method": "normal form in a tower of kernels, zero modulo a random prime",
            "kernels": dict(sorted(kernels.items())),
            "cells": len(proved) + empty,
            "empty": empty,
            "choices": sum(zero.choices for _, zero in proved),
            "confirmed": self.confirmed,
            "log2_error": round(max(zero.log_error for _, zero in proved) + (len(proved) - 1).bit_length(), 1),
            "assumed": ["primes of 160 bits by the Baillie-PSW test"],
        }

    def _settled(self, cell: Mapping[str, int]) -> tuple[Tower, Zero]:
        """Prove one cell; EmptyCell, _Split, GiveUp."""
        for _ in range(LARGEST_RESTARTS):
            try:
                return self._attempt(cell)
            except Restart:
                continue
        raise GiveUp("the tower does not settle")

    def _attempt(self, cell: Mapping[str, int]) -> tuple[Tower, Zero]:
        tower = Tower(self.plan)
        signs = Signs(tower, Ranges(tower, self.variables, self.angles), self.integers, cell)
        forms: Forms = (
            PrincipalForms(tower, signs, self.complex_names) if self.claim.is_complex else RealForms(tower, signs)
        )
        self._conditions(forms)
        program, named = self._program(forms, signs)
        zero = is_zero(program, self.rng)
        if not zero.zero and isinstance(forms, RealForms) and self._no_angle(forms):
            zero = replace(zero, zero=True, log_error=-float(PRIME_BITS))  # no chance is involved
        if not zero.zero:
            raise GiveUp("the difference of the two sides is not zero in its normal form")
        if not self.confirmed:
            self.confirmed = confirm(named, signs, self.claim, self.difference, self.rng)
        return tower, zero

    def _no_angle(self, forms: RealForms) -> bool:
        """Whether the difference is a sum of angles that is zero for reasons that algebra does not see."""
        if not any(k.kind == "call" and k.data == "atan" for k in forms.tower.kernels):
            return False
        try:
            return vanishes(forms, forms(self.difference))
        except (GiveUp, NeedSign):
            return False

    def _conditions(self, forms: Forms) -> None:
        """Declared inequalities are facts."""
        if not isinstance(forms, RealForms):
            return
        for larger, smaller, strict in self.claim.domain.inequalities():
            try:
                forms.positive(forms(larger) - forms(smaller), strict=strict)
            except (NeedSign, GiveUp):
                continue  # a condition that is not understood is not used

    def _program(self, forms: Forms, signs: Signs) -> tuple[Straight, list[tuple[Node, Element]]]:
        while True:
            before = signs.count
            compiler = _Compiler(forms)
            compiler.compile(self.difference)
            if compiler.pending is None:
                return Straight(forms.tower, compiler.steps), compiler.named
            self._defined(forms)
            if signs.count == before:
                raise _Split(signs.digest(compiler.pending))

    def _defined(self, forms: Forms) -> None:
        """Facts of differentiated expressions: where they are not defined there is no derivative either."""
        for body in self.bodies:
            try:
                _Compiler(forms).compile(body)
            except GiveUp:
                continue


class _Split(Exception):
    """The cell has to be split by the sign of the polynomial with this name."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.name = name


def _range(low: Node | None, high: Node | None) -> Interval:
    return Interval(None if low is None else point(_ball(low)).low, None if high is None else point(_ball(high)).high)


def _turns(node: Node | None) -> Fraction | None:
    """The rational multiple of pi that an end of an interval is."""
    if node is None:
        return None
    tower = Tower(Plan())
    try:
        turns = rational_form(node, tower) / rational_form(PI, tower)
    except (GiveUp, Restart):
        return None
    return turns.rational()


def _ball(node: Node) -> arb:
    precision = ctx.prec
    try:
        ctx.prec = 128
        return Program((node,), True).values({})[0].real
    except ArithmeticError as reason:
        raise GiveUp(f"an end of an interval cannot be evaluated: {reason}") from None
    finally:
        ctx.prec = precision


class _Compiler:
    """Turns an expression into a straight-line program: arithmetic stays as it is, all else becomes elements.

    Only what counts is visited: of a piecewise node the value that holds on the cell.  A sign that is missing does not
    stop the visit, since what follows may tell it; `pending` is the first one.
    """

    def __init__(self, forms: Forms) -> None:
        self.forms = forms
        self.steps: list[Step] = []
        self.named: list[tuple[Node, Element]] = []
        self.pending = None
        self._place: dict[Node, int | None] = {}

    def compile(self, root: Node) -> None:
        stack = [root]
        while stack:
            node = stack[-1]
            if node in self._place:
                stack.pop()
                continue
            try:
                inner = self._inner(node)
            except NeedSign as need:
                self.pending = self.pending if self.pending is not None else need.polynomial
                self._place[node] = None
                continue
            missing = [a for a in inner if a not in self._place]
            if missing:
                stack += missing[::-1]
                continue
            stack.pop()
            self._place[node] = self._append(node, inner)

    def _inner(self, node: Node) -> tuple[Node, ...]:
        """The nodes that the value is computed from without the help of an element."""
        if node.op in ("add", "mul"):
            return node.args
        if node.op == "pow" and node.args[1].op == "num" and node.args[1].value.denominator == 1:
            return node.args[:1]
        if node.op == "piecewise":
            return (self.forms.piece(node),)
        self.forms(node)
        return ()

    def _append(self, node: Node, inner: tuple[Node, ...]) -> int | None:
        places: list[int] = []
        for arg in inner:
            place = self._place[arg]
            if place is None:
                return None
            places.append(place)
        if node.op == "piecewise":
            return places[0]
        if node.op in ("add", "mul"):
            self.steps.append(Step(node.op, tuple(places)))
        elif inner:
            self.steps.append(Step("power", tuple(places), exponent=int(node.args[1].value)))
        else:
            self.steps.append(Step("element", element=self.forms(node)))
            self.named.append((node, self.forms(node)))
        return len(self.steps) - 1
