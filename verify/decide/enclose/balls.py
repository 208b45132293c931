"""What is the value of an expression at a ball?  Both sides of a claim, derivatives included, as rigorous enclosures.

An expression is compiled once into a list of steps, one a node, and run at many points and precisions.  A derivative
node asks its body for a series of a higher order (`verify.decide.enclose.jets`); no derivative is ever written out.
The precision is FLINT's global `flint.ctx.prec`, set by the caller.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import prod
from typing import Any

from flint import acb

from verify.decide.enclose import steps
from verify.decide.enclose.jets import Kink, NoValue, Undecided, Unsupported
from verify.decide.enclose.lower import lowered
from verify.decide.enclose.vanishing import Vanishing
from verify.graph import Node, postorder

#: Coefficients that a series may have.
LARGEST_JET = 512

Orders = tuple[int, ...]


class Program:
    """Expressions compiled for evaluation.

    real    every intermediate value must be real (see `verify.claim.Claim.is_complex`).
    nodes   what each step computes; a step that cuts a series has the node of that series.
    steps   for each its function, its payload, and the steps that it takes its arguments from.
    roots   the steps of the expressions themselves; place: the step of every node.
    lazy    a part without a value does not stop the rest; always so where pieces are chosen between.

    Raises Unsupported for derivatives of too high an order.
    """

    def __init__(self, roots: Sequence[Node], real: bool) -> None:
        self.real = real
        changed: dict[Node, Node] = {}
        roots = tuple(lowered(root, changed) for root in roots)
        order = list(postorder(*roots))
        self.variables = tuple(sorted({node.value[0] for node in order if node.op == "derivative"}))
        self._number = {name: i for i, name in enumerate(self.variables)}
        self._depends = self._dependences(order)
        self._orders = self._needed(order)
        self.lazy = any(node.op == "piecewise" for node in order)
        self.nodes: list[Node] = []
        self.steps: list[tuple[steps.Handle, Any, tuple[int, ...]]] = []
        self._steps_of: dict[tuple[Node, Orders], int] = {}
        for node in order:
            orders = self._orders[node]
            inputs = [self._input(arg, self._asked(node, orders)) for arg in node.args]
            self._steps_of[node, orders] = self._append(node, *self._step(node, orders), inputs)
        self.place = {node: self._steps_of[node, self._orders[node]] for node in order}
        self.place |= {node: self.place[new] for node, new in changed.items() if new in self.place}
        self.roots = tuple(self._input(root, (0,) * len(self.variables)) for root in roots)
        self._vanishing = Vanishing()

    # --- compiling ---

    def _dependences(self, order: Sequence[Node]) -> dict[Node, frozenset[int]]:
        """The differentiated variables on which each node depends."""
        depends: dict[Node, frozenset[int]] = {}
        for node in order:
            own = frozenset({self._number[node.value]} if node.op == "symbol" and node.value in self._number else ())
            depends[node] = own.union(*(depends[arg] for arg in node.args))
        return depends

    def _needed(self, order: Sequence[Node]) -> dict[Node, Orders]:
        """To which order in each variable every node is needed (0 in variables on which it does not depend)."""
        needed = {node: (0,) * len(self.variables) for node in order}
        for node in reversed(order):
            asked = self._asked(node, needed[node])
            for arg in node.args:
                needed[arg] = tuple(map(max, needed[arg], self._reduced(arg, asked)))
        if any(prod(k + 1 for k in orders) > LARGEST_JET for orders in needed.values()):
            raise Unsupported("derivatives of so high an order are not evaluated")
        return needed

    def _asked(self, node: Node, orders: Orders) -> Orders:
        """The orders to which a node needs its arguments."""
        if node.op != "derivative":
            return orders
        name, times = node.value
        return tuple(k + times if v == self._number[name] else k for v, k in enumerate(orders))

    def _reduced(self, node: Node, orders: Orders) -> Orders:
        return tuple(k if v in self._depends[node] else 0 for v, k in enumerate(orders))

    def _input(self, arg: Node, asked: Orders) -> int:
        """The step whose value is `arg` to the order asked; cut from a longer series if need be."""
        wanted = self._reduced(arg, asked)
        if (arg, wanted) not in self._steps_of:
            longer = self._steps_of[arg, self._orders[arg]]
            self._steps_of[arg, wanted] = self._append(arg, steps.truncate, wanted, [longer])
        return self._steps_of[arg, wanted]

    def _append(self, node: Node, handle: steps.Handle, payload: Any, inputs: Sequence[int]) -> int:
        self.nodes.append(node)
        self.steps.append((handle, payload, tuple(inputs)))
        return len(self.steps) - 1

    def _step(self, node: Node, orders: Orders) -> tuple[steps.Handle, Any]:
        match node.op:
            case "symbol":
                v = self._number.get(node.value)
                return steps.symbol, (0, 0) if v is None else (v, orders[v])
            case "derivative":
                return steps.derivative, (self._number[node.value[0]], node.value[1])
            case "pow":
                exponent = node.args[1]
                return steps.power, exponent.value if exponent.op == "num" else None
            case "quadrature":
                from verify.decide.enclose.quadrature import step

                return step, node.value
            case op if op in steps.HANDLES:
                return steps.HANDLES[op], node.value
            case op:
                raise Unsupported(f"{op} is not evaluated")

    # --- running ---

    def run(self, env: Mapping[str, Any]) -> list[Any]:
        """The values of all steps at the balls (or series) of the names; the roots' are at `roots`.

        Raises the reason why a step has no value, with `step` set to its number; in a lazy program the reason
        takes the value's place instead, since another piece may be the one that counts.
        """
        values: list[Any] = []
        for node, (handle, payload, inputs) in zip(self.nodes, self.steps, strict=True):
            try:
                args = [values[i] for i in inputs] if inputs or handle is not steps.symbol else [env[node.value]]
                if self.lazy and handle is not steps.piecewise:
                    failed = next((a for a in args if isinstance(a, NoValue)), None)
                    if failed is not None:
                        values.append(failed)
                        continue
                values.append(self._value(node, handle, payload, args, values))
            except NoValue as reason:
                reason.step = len(values)
                if not self.lazy:
                    raise
                values.append(reason)
        return values

    def _value(self, node: Node, handle: steps.Handle, payload: Any, args: list[Any], values: list[Any]) -> Any:
        """The value of one step; where it turns on the sign of what is 0 around the point, that is found out."""
        kink: Kink | None = None
        try:
            value = handle(payload, args, self.real)
            if value is not None or node.op != "compare":
                return value
        except Kink as reason:
            kink = reason

        def found(part: Node) -> Any:
            place = self.place.get(part)
            return None if place is None or place >= len(values) else values[place]

        settled = self._vanishing.settled(node, found)
        if node.op == "compare":
            return settled
        if settled is None:
            assert kink is not None
            raise kink
        if settled.op == "num":
            return steps.number(settled.value, [], self.real)
        return args[node.args.index(settled)] if settled in node.args else -args[0]

    def values(self, env: Mapping[str, Any]) -> tuple[acb, ...]:
        """The roots' values, finite balls.  Raises NoValue where there is none."""
        values = self.run(env)
        results = []
        for root in self.roots:
            value = values[root]
            if isinstance(value, NoValue):
                raise value
            if not value.is_finite():
                raise Undecided("a value is not finite there")
            results.append(value)
        return tuple(results)
