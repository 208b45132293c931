"""What are the steps of an expression that moves with time?  Layers of linear combinations, products and functions.

A tape is made once for some expressions in the inputs (states, time, costates) and names (parameters).  What does not
move is a constant, and becomes a coefficient; sums of the same inputs become one layer y = W x + b, so that a linear
layer of a network is one product of matrices.  Run and differentiated in `verify.numerics.enclosure.sweep`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

from verify.graph import ONE, Node, add, mul, num, postorder
from verify.numerics.enclosure.written import plain


@dataclass(frozen=True, eq=False)
class Layer:
    """outs = W ins + b; W row by row, and b, as places in the list of constants (None for 0, -1 for 1)."""

    outs: tuple[int, ...]
    ins: tuple[int, ...]
    weights: tuple[tuple[int, ...], ...]
    offsets: tuple[int | None, ...]


@dataclass(frozen=True)
class Product:
    """out = left * right."""

    out: int
    left: int
    right: int


@dataclass(frozen=True)
class Unary:
    """A primitive function, or `inverse`."""

    out: int
    name: str
    argument: int


Stage: TypeAlias = "Layer | Product | Unary"


@dataclass(frozen=True)
class Tape:
    """Slots 0, 1, … hold the inputs, the others what the stages put there; `roots` are the slots of the results."""

    inputs: tuple[str, ...]
    stages: tuple[Stage, ...]
    slots: int
    roots: tuple[int, ...]
    constants: tuple[Node, ...]

    @classmethod
    def of(cls, roots: Sequence[Node], inputs: Sequence[str]) -> Tape:
        """Raises Unsupported for expressions without rules."""
        return _Writer(tuple(inputs)).write(plain(roots))


#: A slot, or None for what does not move.
_Place: TypeAlias = "int | None"


@dataclass
class _Writer:
    inputs: tuple[str, ...]
    levels: list[int] = field(default_factory=list)
    stages: list[Stage] = field(default_factory=list)
    constants: dict[Node, int] = field(default_factory=dict)
    known: dict[tuple[object, ...], int] = field(default_factory=dict)
    uses: Counter[Node] = field(default_factory=Counter)

    def write(self, roots: tuple[Node, ...]) -> Tape:
        self.levels = [0] * len(self.inputs)
        number = {name: i for i, name in enumerate(self.inputs)}
        place: dict[Node, _Place] = {}
        for node in (order := list(postorder(*roots))):
            self.uses.update(node.args)
        for node in order:
            place[node] = self._place(node, place, number)
        slots = [self._layer({}, root) if (s := place[root]) is None else s for root in roots]
        self._drop_unused(slots)
        return Tape(self.inputs, self._ordered(), len(self.levels), tuple(slots), tuple(self.constants))

    def _drop_unused(self, roots: Sequence[int]) -> None:
        """Sums that went into other sums are gone."""
        kept, wanted = [], set(roots)
        for stage in reversed(self.stages):
            if isinstance(stage, Layer):
                out, before = stage.outs[0], stage.ins
            else:
                out, before = stage.out, (stage.left, stage.right) if isinstance(stage, Product) else (stage.argument,)
            if out in wanted:
                kept.append(stage)
                wanted.update(before)
        self.stages = kept[::-1]

    def _place(self, node: Node, place: Mapping[Node, _Place], number: Mapping[str, int]) -> _Place:
        if node.op == "symbol":
            return number.get(node.value)
        if all(place[arg] is None for arg in node.args):
            return None
        match node.op:
            case "add":
                return self._sum(node.args, place)
            case "mul":
                return self._sum((node,), place)
            case "pow":
                return self._power(self._slot(place[node.args[0]]), int(node.args[1].value))
        return self._unary(node.value, self._slot(place[node.args[0]]))

    @staticmethod
    def _slot(place: _Place) -> int:
        if place is None:
            raise ValueError("an exponent moves with time: powers are written as exp and log first")
        return place

    def _sum(self, terms: Sequence[Node], place: Mapping[Node, _Place]) -> int:
        parts: dict[int, Node] = {}
        offset: Node | None = None
        pending = list(reversed(terms))
        while pending:
            term = pending.pop()
            if term.op == "add" and self.uses[term] == 1:
                pending.extend(reversed(term.args))
                continue
            factors = term.args if term.op == "mul" else (term,)
            moving = [slot for f in factors if (slot := place[f]) is not None]
            if not moving:
                offset = term if offset is None else add(offset, term)
                continue
            slot = moving[0]
            for other in moving[1:]:
                slot = self._product(slot, other)
            weight = mul(*(f for f in factors if place[f] is None)) if len(moving) < len(factors) else ONE
            parts[slot] = add(parts[slot], weight) if slot in parts else weight
        if offset is None and len(parts) == 1 and next(iter(parts.values())) is ONE:
            return next(iter(parts))
        return self._layer(parts, offset)

    def _layer(self, parts: Mapping[int, Node], offset: Node | None) -> int:
        ins = tuple(sorted(parts))
        weights = tuple(self._constant(parts[slot]) for slot in ins)
        b = None if offset is None else self._constant(offset)
        return self._made(("layer", ins, weights, b), ins, lambda out: Layer((out,), ins, (weights,), (b,)))

    def _constant(self, node: Node) -> int:
        return -1 if node is ONE else self.constants.setdefault(node, len(self.constants))

    def _product(self, a: int, b: int) -> int:
        left, right = min(a, b), max(a, b)
        return self._made(("product", left, right), (left, right), lambda out: Product(out, left, right))

    def _unary(self, name: str, argument: int) -> int:
        return self._made((name, argument), (argument,), lambda out: Unary(out, name, argument))

    def _power(self, x: int, n: int) -> int:
        if n < 0:
            return self._power(self._unary("inverse", x), -n)
        if n == 0:
            # x^0 = 1 wherever x has a value: 0 x + 1.
            return self._layer({x: num(0)}, ONE)
        result: int | None = None
        while n:
            if n & 1:
                result = x if result is None else self._product(result, x)
            n >>= 1
            if n:
                x = self._product(x, x)
        return self._slot(result)

    def _made(self, key: tuple[object, ...], before: Sequence[int], stage: Callable[[int], Stage]) -> int:
        """The slot of a stage, the same one for the same key."""
        if key not in self.known:
            out = self.known[key] = len(self.levels)
            self.levels.append(1 + max((self.levels[slot] for slot in before), default=0))
            self.stages.append(stage(out))
        return self.known[key]

    def _ordered(self) -> tuple[Stage, ...]:
        """The stages level by level; sums of the same inputs in one layer."""
        rows: dict[tuple[int, ...], list[Layer]] = {}
        others: list[tuple[int, Stage]] = []
        for stage in self.stages:
            if isinstance(stage, Layer):
                rows.setdefault(stage.ins, []).append(stage)
            else:
                others.append((self.levels[stage.out], stage))
        for ins, layers in rows.items():
            whole = Layer(
                tuple(layer.outs[0] for layer in layers),
                ins,
                tuple(layer.weights[0] for layer in layers),
                tuple(layer.offsets[0] for layer in layers),
            )
            others.append((self.levels[whole.outs[0]], whole))
        return tuple(stage for _, stage in sorted(others, key=lambda pair: pair[0]))
