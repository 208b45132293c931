"""What is f, and how does it change with states and parameters?  A tape run forwards, and swept backwards.

Everything is done on numbers, on power series, or on series with tails, by the chain rule alone.  Backwards a slot
receives a bar: the derivatives of all outputs by it, one entry an output.  As long as they differ by numbers only,
bars share one series as their common factor, so that a chain of functions costs one product for all outputs together.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from flint import arb

from verify.numerics.enclosure.constants import FUNCTIONS, Constants
from verify.numerics.enclosure.layers import Matrix
from verify.numerics.enclosure.tape import Layer, Product, Tape, Unary

ONE = arb(1)


@dataclass(frozen=True)
class Bar:
    """factor * entries, where factor None is 1 and an entry None is 0; with a factor all entries are numbers."""

    entries: tuple[Any, ...]
    factor: Any = None

    def expanded(self) -> tuple[Any, ...]:
        if self.factor is None:
            return self.entries
        return tuple(None if e is None else self.factor if e is ONE else self.factor * e for e in self.entries)

    def through(self, slope: Any) -> Bar:
        """The bar times a derivative."""
        if isinstance(slope, arb):
            return Bar(
                tuple(None if e is None else slope if e is ONE else e * slope for e in self.entries), self.factor
            )
        if self.factor is not None:
            return Bar(self.entries, self.factor * slope)
        if all(e is None or isinstance(e, arb) for e in self.entries):
            return Bar(self.entries, slope)
        return Bar(tuple(None if e is None else e * slope for e in self.entries))

    def plus(self, other: Bar) -> Bar:
        if self.factor is other.factor:
            return Bar(tuple(map(_plus, self.entries, other.entries)), self.factor)
        return Bar(tuple(map(_plus, self.expanded(), other.expanded())))


def _plus(a: Any, b: Any) -> Any:
    return b if a is None else a if b is None else a + b


@dataclass(frozen=True)
class Run:
    """What all slots hold, and the derivative of each function where it was asked for."""

    slots: list[Any]
    slopes: Mapping[int, Any]


@dataclass(frozen=True)
class Swept:
    """Bars of the inputs, and of what each layer gives, layer by layer."""

    inputs: tuple[Bar | None, ...]
    layers: tuple[tuple[Layer, tuple[Bar | None, ...]], ...]


@dataclass(frozen=True)
class Bound:
    """A tape at values of its names; derivatives by `names`.

    named   slots that depend on a name that is differentiated by.
    """

    tape: Tape
    constants: Constants
    matrices: Mapping[Layer, tuple[Matrix, Matrix]]
    named: frozenset[int]

    @classmethod
    def of(cls, tape: Tape, at: Mapping[str, arb], names: Sequence[str] = ()) -> Bound:
        constants = Constants.of(tape.constants, at, frozenset(names))
        matrices: dict[Layer, tuple[Matrix, Matrix]] = {}
        for stage in tape.stages:
            if isinstance(stage, Layer) and stage.ins:
                W = Matrix.of([[constants.values[k] if k >= 0 else ONE for k in row] for row in stage.weights])
                matrices[stage] = W, W.transposed()
        return cls(tape, constants, matrices, _named(tape, constants))

    def __call__(self, inputs: Sequence[Any]) -> list[Any]:
        """The results; NaN or an exception where there is no value."""
        slots = self.run(inputs, slopes=False).slots
        return [slots[root] for root in self.tape.roots]

    def run(self, inputs: Sequence[Any], slopes: bool = True) -> Run:
        slots: list[Any] = [*inputs, *[None] * (self.tape.slots - len(inputs))]
        derivatives: dict[int, Any] = {}
        for stage in self.tape.stages:
            if isinstance(stage, Product):
                slots[stage.out] = slots[stage.left] * slots[stage.right]
            elif isinstance(stage, Unary):
                slots[stage.out], slope = FUNCTIONS[stage.name](slots[stage.argument])
                if slopes:
                    derivatives[stage.out] = slope()
            else:
                self._layer(stage, slots)
        return Run(slots, derivatives)

    def _layer(self, layer: Layer, slots: list[Any]) -> None:
        values = self.constants.values
        if not layer.ins:
            for out, b in zip(layer.outs, layer.offsets, strict=True):
                slots[out] = ONE if b == -1 else values[b or 0]
            return
        W = self.matrices[layer][0]
        if W.dense is not None:
            results = [row[0] for row in W @ [[slots[i]] for i in layer.ins]]
        else:
            results = []
            for weights in layer.weights:
                total: Any = None
                for i, k in zip(layer.ins, weights, strict=True):
                    term = slots[i] if k < 0 else slots[i] * values[k]
                    total = term if total is None else total + term
                results.append(total)
        for out, result, b in zip(layer.outs, results, layer.offsets, strict=True):
            slots[out] = result if b is None else result + (ONE if b < 0 else values[b])

    def sweep(self, run: Run, seeds: Sequence[Bar], inputs: bool = True) -> Swept:
        """Backwards from the results, where root i has the bar seeds[i].

        inputs  whether the bars of the inputs are wanted, or those of the layers alone on which names depend.
        """
        bars: dict[int, Bar] = {}
        layers: list[tuple[Layer, tuple[Bar | None, ...]]] = []

        def wanted(slot: int) -> bool:
            return inputs or slot in self.named

        def give(slot: int, share: Bar) -> None:
            bars[slot] = bars[slot].plus(share) if slot in bars else share

        for root, seed in zip(self.tape.roots, seeds, strict=True):
            give(root, seed)
        for stage in reversed(self.tape.stages):
            if isinstance(stage, Layer):
                received = tuple(bars.pop(out, None) for out in stage.outs)
                if any(bar is not None for bar in received):
                    layers.append((stage, received))
                    self._back(stage, received, give, wanted)
            elif (bar := bars.pop(stage.out, None)) is None:
                continue
            elif isinstance(stage, Unary):
                if wanted(stage.argument):
                    give(stage.argument, bar.through(run.slopes[stage.out]))
            elif stage.left == stage.right:
                if wanted(stage.left):
                    give(stage.left, bar.through(run.slots[stage.left] * 2))
            else:
                for slot, other in ((stage.left, stage.right), (stage.right, stage.left)):
                    if wanted(slot):
                        give(slot, bar.through(run.slots[other]))
        return Swept(tuple(bars.get(i) for i in range(len(self.tape.inputs))), tuple(layers))

    def _back(self, layer: Layer, received: tuple[Bar | None, ...], give: Any, wanted: Any) -> None:
        if not any(map(wanted, layer.ins)):
            return
        W = self.matrices[layer][1]
        if W.dense is not None:
            width = next(len(bar.entries) for bar in received if bar is not None)
            table = [[None] * width if bar is None else bar.expanded() for bar in received]
            for i, row in zip(layer.ins, W @ table, strict=True):
                give(i, Bar(tuple(row)))
            return
        for bar, weights in zip(received, layer.weights, strict=True):
            if bar is not None:
                for i, k in zip(layer.ins, weights, strict=True):
                    if wanted(i):
                        give(i, bar if k < 0 else bar.through(self.constants.values[k]))

    def by_names(self, run: Run, swept: Swept, names: Sequence[str]) -> list[Bar | None]:
        """The derivatives of all results by some names."""
        found: dict[str, Bar] = {}

        def give(k: int | None, bar: Bar, value: Any) -> None:
            if k is None or k < 0 or not self.constants.slopes[k]:
                return
            share = bar if value is None else bar.through(value)
            for name, slope in self.constants.slopes[k].items():
                each = share.through(slope)
                found[name] = found[name].plus(each) if name in found else each

        for layer, received in swept.layers:
            for bar, weights, offset in zip(received, layer.weights, layer.offsets, strict=True):
                if bar is not None:
                    give(offset, bar, None)
                    for i, k in zip(layer.ins, weights, strict=True):
                        give(k, bar, run.slots[i])
        return [found.get(name) for name in names]

    def rows(self, columns: Sequence[Bar | None]) -> list[list[Any]]:
        """Bars as the columns of a matrix, row by row."""
        zero = arb(0)
        each = [[zero] * len(self.tape.roots) if bar is None else bar.expanded() for bar in columns]
        return [[zero if column[i] is None else column[i] for column in each] for i in range(len(self.tape.roots))]

    def derivatives(self, run: Run, count: int, names: Sequence[str]) -> list[list[Any]]:
        """The derivatives of all results by the first `count` inputs and by some names behind them, row by row."""
        swept = self.sweep(run, _unit_bars(len(self.tape.roots)))
        columns = swept.inputs[:count]
        return self.rows([*columns, *self.by_names(run, swept, names)] if names else columns)


def _named(tape: Tape, constants: Constants) -> frozenset[int]:
    """Slots on the way from a constant with derivatives to the results."""
    found: set[int] = set()
    for stage in tape.stages:
        if isinstance(stage, Layer):
            below = any(i in found for i in stage.ins)
            for out, weights, offset in zip(stage.outs, stage.weights, stage.offsets, strict=True):
                own = any(k is not None and k >= 0 and constants.slopes[k] for k in (*weights, offset))
                if own or below:
                    found.add(out)
        elif isinstance(stage, Unary):
            found.update((stage.out,) if stage.argument in found else ())
        elif stage.left in found or stage.right in found:
            found.add(stage.out)
    return frozenset(found)


def _unit_bars(count: int) -> list[Bar]:
    return [Bar(tuple(ONE if i == j else None for j in range(count))) for i in range(count)]
