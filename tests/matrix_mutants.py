"""What the tests of matrix identities share: single slips in a formula, and a judge that has nothing of the prover."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

from flint import acb, arb, ctx, fmpq

from verify.claim import Claim, Domain
from verify.decide.enclose.balls import Program
from verify.decide.shaped.arrays import flat
from verify.decide.shaped.choices import generic, with_functions
from verify.decide.shaped.instances import NoInstance, Unsupported, instances
from verify.graph import MINUS_ONE, Node, add, call, hadamard, mul, num, power, rebuild, transpose
from verify.language import read_claim
from verify.shapes import ShapeError, Shapes

DATA = Path(__file__).parent / "data" / "matrix_claims.jsonl"
#: Functions that a slip may leave out.
LOSABLE = ("inv", "tanh", "softmax", "sin", "cos", "exp", "log", "expm", "sinh", "cosh")
DIFFERENTIATIONS = ("derivative", "gradient", "jacobian", "hessian", "divergence")


def rows() -> list[dict]:
    """The corpus: claims that hold, and claims that do not."""
    return [json.loads(line) for line in DATA.read_text(encoding="utf-8").splitlines()]


def read(row: dict) -> Claim:
    """The claim of a row."""
    return read_claim(row["claim"], row["let"])


# --- slips -------------------------------------------------------------------------------------------


def slips(node: Node, shapes: Shapes) -> Iterator[tuple[str, Node]]:
    """The formula with one slip somewhere: its kind, and the wrong formula."""
    yield from _here(node, shapes)
    if node.op in ("index", "abstract") or (node.op == "call" and node.value in ("eye", "ones")):
        return
    places = (0,) if node.op in ("sum", *DIFFERENTIATIONS) else range(len(node.args))
    for k in places:
        for kind, new in slips(node.args[k], shapes):
            yield kind, rebuild(node, (*node.args[:k], new, *node.args[k + 1 :]))


def _here(node: Node, shapes: Shapes) -> Iterator[tuple[str, Node]]:
    if shapes.of(node) and node.op != "num":
        yield "transposition", transpose(node)
    if node.op == "num":
        yield "number", num(node.value + 1)
        yield "number", num(node.value * (1 + Fraction(1, 10**9)))
    elif node.op not in ("add", "mul"):
        yield "sign", mul(MINUS_ONE, node)
        yield "factor", mul(num(2), node)
    if node.op in ("add", "mul") and len(node.args) > 1:
        for k in range(len(node.args)):
            yield "dropped", rebuild(node, (*node.args[:k], *node.args[k + 1 :]))
    if node.op == "add":
        for k in range(len(node.args)):
            yield "sign", add(*node.args[:k], mul(MINUS_ONE, node.args[k]), *node.args[k + 1 :])
    if node.op == "mul":
        for k in range(len(node.args) - 1):
            yield "order", mul(*node.args[:k], node.args[k + 1], node.args[k], *node.args[k + 2 :])
        yield "entry by entry", hadamard(*node.args)
    if node.op == "hadamard":
        yield "product of matrices", mul(*node.args)
    if node.op == "pow" and node.args[1].op == "num":
        yield "power", power(node.args[0], num(node.args[1].value + 1))
    if node.op == "call" and node.value in LOSABLE:
        yield "lost function", node.args[0]
    if node.op == "call" and node.value == "tr" and node.args[0].op == "mul":
        first, *rest = node.args[0].args
        yield "split trace", mul(call("tr", first), call("tr", mul(*rest)))
    if node.op == "call" and node.value in ("det", "tr"):
        yield "det or tr", call("tr" if node.value == "det" else "det", *node.args)


def mutants(claim: Claim) -> Iterator[tuple[str, Claim]]:
    """The claim with one slip on one side, or with what a matrix is known to be forgotten."""
    shapes = Shapes(claim.domain.variables)
    seen = {(claim.lhs, claim.rhs)}
    for side in ("rhs", "lhs"):
        original = getattr(claim, side)
        for kind, new in slips(original, shapes):
            changed = replace(claim, **{side: new}, text="")
            if (changed.lhs, changed.rhs) in seen or new is original:
                continue
            seen.add((changed.lhs, changed.rhs))
            try:
                if shapes.of(new) == shapes.of(original):
                    yield kind, changed
            except ShapeError:
                continue
    for name, variable in claim.domain.variables.items():
        if variable.structure and not claim.domain.structured:
            general = replace(variable, structure="")
            domain = Domain({**claim.domain.variables, name: general}, claim.domain.conditions)
            yield "structure", replace(claim, domain=domain, text="")


# --- truth -------------------------------------------------------------------------------------------


def differs(claim: Claim, seed: int = 1) -> bool | None:
    """Whether enclosures of the two sides come apart at sizes 2 and 3; None where no point is found."""
    names = [v.name for v in claim.domain.variables.values() if v.field == "size"]
    precision, seen = ctx.prec, False
    try:
        ctx.prec = 200
        for first in range(2 if names else 1):
            sizes = {name: (2, 3)[(first + k) % 2] for k, name in enumerate(names)}
            found = _differs_at(claim, sizes, random.Random(f"{seed} {first}"))
            if found:
                return True
            seen = seen or found is not None
    finally:
        ctx.prec = precision
    return False if seen else None


def _differs_at(claim: Claim, sizes: dict[str, int], rng: random.Random) -> bool | None:
    try:
        instance = rng.choice(instances(claim, sizes))
        instance = with_functions(instance, generic(instance, rng))
        left, right = flat(instance.lhs), flat(instance.rhs)
        program = Program([*left, *right, *instance.bodies], True)
    except (Unsupported, NoInstance):
        return None
    for _ in range(6):
        env = {}
        for name, v in instance.variables.items():
            x = arb(fmpq(rng.randint(1, 9999), 10007))
            env[name] = acb(x + fmpq(1, 4) if v.low is not None else 2 * x - fmpq(1, 2))
        try:
            values = program.values(env)
        except ArithmeticError:
            continue
        pairs = zip(values, values[len(left) :], strict=False)
        return any(not a.overlaps(b) for a, b in list(pairs)[: len(left)])
    return None
