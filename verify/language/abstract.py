"""Which free symbol stands for f(x), or for a derivative of f there?  Names that no two different values share."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain
from typing import Any


class NoCounterpart(ValueError):
    """An expression that only one of the two sides, SymPy and the graph, can say."""


class Names:
    """The names given so far, in one conversion.

    symbols   what each symbol of the graph stands for: a SymPy symbol, matrix entry, abstract function or derivative.
    """

    def __init__(self) -> None:
        self.symbols: dict[str, Any] = {}
        self._known: dict[str, Any] = {}
        self._arguments: dict[Any, list[tuple[Any, ...]]] = {}

    def of_symbol(self, expr: Any) -> str:
        """The name of a SymPy symbol, or of an entry of a matrix of symbols."""
        return self._name(str(expr), expr, expr)

    def of_value(self, head: Any, orders: Sequence[int], arguments: Sequence[Any], expr: Any) -> str:
        """The name of the partial derivative of an abstract function, `orders` times by each argument, there."""
        for symbol in sorted(set(chain.from_iterable(a.free_symbols for a in arguments)), key=str):
            self._remember(str(symbol), symbol)
        there = self._place(head, tuple(arguments))
        return self._name(_spelled(head, orders, there), (head, tuple(orders), there), expr)

    def _name(self, name: str, key: Any, expr: Any) -> str:
        self._remember(name, key)
        self.symbols.setdefault(name, expr)
        return name

    def _remember(self, name: str, key: Any) -> None:
        if self._known.setdefault(name, key) != key:
            raise NoCounterpart(
                f"two different quantities are called {name!r} (symbols with different assumptions are different); "
                "rename one of them"
            )

    def _place(self, head: Any, arguments: tuple[Any, ...]) -> tuple[Any, ...]:
        """The arguments, as they were written where this function was first met at the same place."""
        places = self._arguments.setdefault((head, len(arguments)), [])
        for place in places:
            differences = [_same(one, other) for one, other in zip(place, arguments, strict=True)]
            if all(same is True for same in differences):
                return place
            if not any(same is False for same in differences):
                raise NoCounterpart(
                    f"{_applied(head, arguments)} and {_applied(head, place)}: cannot tell whether these are equal; "
                    "write them in the same way"
                )
        places.append(arguments)
        return arguments


def partial_orders(arguments: Sequence[Any], variables: Sequence[tuple[Any, Any]]) -> list[int] | None:
    """How often each argument is differentiated by; None where a variable is no argument, or part of another one.

    variables   (variable, order) as in SymPy's `Derivative.variable_count`.
    """
    orders = [0] * len(arguments)
    for variable, order in variables:
        places = [i for i, argument in enumerate(arguments) if argument.has(variable)]
        if len(places) != 1 or arguments[places[0]] != variable or not order.is_Integer:
            return None
        orders[places[0]] += int(order)
    return orders


def _same(one: Any, other: Any) -> bool | None:
    """Whether two arguments are equal; None where rational arithmetic cannot tell."""
    import sympy

    difference = sympy.cancel(one - other)
    if difference == 0:
        return True
    numerator, _ = sympy.fraction(difference)
    # Abstract values count as free symbols here: x(t) and y(t) differ as x and y do.
    atoms = numerator.atoms(sympy.core.function.AppliedUndef)
    free = {atom: sympy.Dummy() for atom in atoms}
    numerator = numerator.xreplace(free)
    symbols = numerator.free_symbols
    if not symbols:
        return False if numerator.is_Rational else None
    if not numerator.is_polynomial(*symbols):
        return None
    rational = sympy.Poly(numerator, *sorted(symbols, key=str)).domain in (sympy.ZZ, sympy.QQ)
    return False if rational else None


def _applied(head: Any, arguments: Sequence[Any]) -> str:
    return f"{head}({', '.join(map(str, arguments))})"


def _spelled(head: Any, orders: Sequence[int], arguments: Sequence[Any]) -> str:
    value = _applied(head, arguments)
    if not any(orders):
        return value
    if len(arguments) == 1:
        return f"{head}{chr(39) * orders[0]}({arguments[0]})"
    if all(a.is_Symbol and sum(b.has(a) for b in arguments) == 1 for a, n in zip(arguments, orders, strict=True) if n):
        powers = {argument: f"^{order}" if order > 1 else "" for argument, order in zip(arguments, orders, strict=True)}
        operators = [f"d{powers[a]}/d{a}{powers[a]}" for a, order in zip(arguments, orders, strict=True) if order]
        return f"{' '.join(operators)} {value}"
    places = [str(i) for i, order in enumerate(orders, start=1) for _ in range(order)]
    return f"D[{', '.join(places)}] {value}"
