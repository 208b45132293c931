"""Is a quantity positive on a box?  Balls over the whole of it, halved until they tell."""

from __future__ import annotations

from collections.abc import Mapping

from flint import acb, arb, ctx

from verify.claim import Variable
from verify.decide.enclose.balls import Program
from verify.decide.enclose.jets import NoValue
from verify.graph import Node, free_symbols

#: Boxes that are looked at, and bits.
MOST_BOXES, PRECISION = 600, 64


def positive_on_box(node: Node, variables: Mapping[str, Variable]) -> bool:
    """Whether a quantity is shown to be positive, and defined, for all values of its names, ends of intervals included.

    False where a name has no bounded interval.
    """
    names = sorted(free_symbols(node))
    known = [variables.get(name) for name in names]
    if any(v is None or v.low is None or v.high is None or v.field == "complex" for v in known):
        return False
    precision, ctx.prec = ctx.prec, PRECISION
    try:
        return _positive(node, names, [v for v in known if v is not None])
    except NoValue:
        return False
    finally:
        ctx.prec = precision


def _positive(node: Node, names: list[str], known: list[Variable]) -> bool:
    ends = [Program((end,), True) for v in known for end in (v.low, v.high) if end is not None]
    numbers = [program.values({})[0].real for program in ends]
    program = Program((node,), True)
    whole = list(zip(numbers[::2], numbers[1::2], strict=True))
    stack = [whole]
    for _ in range(MOST_BOXES):
        if not stack:
            return True
        box = stack.pop()
        try:
            (value,) = program.values({name: acb(a.union(b)) for name, (a, b) in zip(names, box, strict=True)})
        except NoValue:
            value = acb(arb(0, 1))
        if value.real > 0:
            continue
        if value.real <= 0 or not box:
            return False
        widest = max(range(len(box)), key=lambda i: float((box[i][1] - box[i][0]) / (whole[i][1] - whole[i][0])))
        low, high = box[widest]
        middle = (low + high) / 2
        stack += [[*box[:widest], half, *box[widest + 1 :]] for half in ((low, middle), (middle, high))]
    return False
