"""Do the kernels mean what the text says?  A cheap defence of the prover against its own defects.

At a sample point every kernel is enclosed by balls from its definition, and every form that the proof rests on from its
kernels.  It must overlap the enclosure of the text that it stands for.  This proves nothing; disjoint enclosures at a
point of the cell show that an identity was applied where it does not hold.
"""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence

from flint import acb, arb, ctx, fmpq, fmpz_mpoly

from verify.claim import Claim
from verify.decide.enclose.balls import Program
from verify.decide.enclose.jets import Undefined
from verify.decide.enclose.special import evaluate
from verify.decide.prove.intervals import Interval
from verify.decide.prove.signs import Signs
from verify.decide.prove.tower import Element, Tower
from verify.graph import Node

PRECISION = 160
TRIES = 6


class Defect(Exception):
    """A form and its text differ: the prover is wrong somewhere, and must not be believed."""


def confirm(
    forms: Sequence[tuple[Node, Element]], signs: Signs, claim: Claim, difference: Node, rng: random.Random
) -> int:
    """How many forms were confirmed at a point of the cell, 0 where no such point was found; raises Defect.

    difference   what was proved to be 0: it has to be defined at the point.
    """
    tower, real = signs.tower, not claim.is_complex
    if not forms or any(k.kind == "root" and k.args[0].rational() == 1 for k in tower.kernels):
        return 0  # alternating signs have no value at a point without their exponents
    precision = ctx.prec
    try:
        ctx.prec = PRECISION
        program = Program([*(node for node, _ in forms), difference], real)
        conditions = Program(claim.domain.conditions, True)
        for _ in range(TRIES):
            env = {
                name: _sample(signs.ranges.variables[name], v.field, rng) for name, v in claim.domain.variables.items()
            }
            try:
                truths = conditions.run(env)
                if not all(truths[i] is True for i in conditions.roots):
                    continue
                texts = program.values(env)
                values = _kernels(tower, env, real)
                if not all(_agrees(_polynomial(p, values), sign) for p, sign in signs.known.values()):
                    continue
                found = [_polynomial(e.num, values) / _polynomial(e.den, values) for _, e in forms]
            except ArithmeticError:
                continue
            for (node, _), text, value in zip(forms, texts[:-1], found, strict=True):
                if value.is_finite() and not value.overlaps(text):
                    raise Defect(f"a normal form differs from {node!r}")
            return len(forms)
    finally:
        ctx.prec = precision
    return 0


def _sample(interval: Interval, field: str, rng: random.Random) -> acb:
    """A point of a variable's range: integers small, reals near 1 where the range allows."""
    low, high = interval.low, interval.high
    if field in ("integer", "size"):
        n = rng.randint(1, 4)
        return acb(n if low is not None or rng.random() < 0.5 else -n)
    step = fmpq(rng.randint(1, 9999), 10007)
    if field == "complex":
        return acb(arb(fmpq(rng.randint(-9999, 9999), 5003)), arb(fmpq(rng.randint(-9999, 9999), 5009)))
    if low is not None and high is not None:
        return acb(low + (high - low) * arb(step))
    size = arb(2 * step)
    if low is not None:
        return acb(low + size)
    if high is not None:
        return acb(high - size)
    return acb(size if rng.random() < 0.7 else -size)


def _kernels(tower: Tower, env: Mapping[str, acb], real: bool) -> list[acb]:
    values: list[acb] = []
    for kernel in tower.kernels:
        inner = [_polynomial(a.num, values) / _polynomial(a.den, values) for a in kernel.args]
        match kernel.kind:
            case "symbol":
                value = env[kernel.data]
            case "constant":
                value = acb.pi() if kernel.data == "pi" else acb(arb.const_euler())
            case "root":
                value = _root(inner[0], kernel.data, real)
            case "radix":
                value = _root(_positive(inner[0]) if real else inner[0], kernel.data, real)
            case "exp":
                value = (inner[0] / kernel.data).exp()
            case "tan":
                value = (inner[0] / (2 * kernel.data)).tan()
            case "log":
                value = _positive(inner[0]).log()
            case "principal":
                value = inner[0].log()
            case "call" if kernel.data == "floor":
                value = acb(inner[0].real.floor())
            case _:
                value = evaluate(kernel.data, tuple(inner), real)
        values.append(value)
    return values


def _root(radicand: acb, q: int, real: bool) -> acb:
    if real and not radicand.real > 0:
        raise Undefined("the point belongs to another cell")
    return acb(0, 1) if radicand == -1 else radicand ** (acb(1) / q)


def _positive(x: acb) -> acb:
    return x if x.real > 0 else -x


def _polynomial(p: fmpz_mpoly, values: Sequence[acb]) -> acb:
    total = acb(0)
    for monomial, c in p.to_dict().items():
        term = acb(c)
        for i, k in enumerate(monomial):
            if k:
                term *= values[i] ** int(k)
        total += term
    return total


def _agrees(value: acb, sign: int) -> bool:
    return value.real > 0 if sign > 0 else value.real < 0
