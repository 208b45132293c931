"""What do p A f and its flux do at the ends of a support?  Limits and integrability, as far as bounds prove them.

In several variables the mean of a divergence vanishes by Fubini's theorem where every term is a product of functions of
one variable with an integral, and the flux vanishes at both ends of its own variable; a normal density is bounded by
such a product.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sympy as sp

from verify.calculus.limits import Limit, limit_at
from verify.calculus.tails import growth, is_integrable
from verify.claim import Domain
from verify.graph import Node, free_symbols, postorder
from verify.language.bridge import NoCounterpart, from_sympy, sympy_symbols, to_sympy
from verify.verdict import Rigor


@dataclass(frozen=True)
class Ends:
    """A support in SymPy: symbols by name, and the two ends of each variable."""

    symbols: Mapping[str, Any]
    ends: Mapping[str, tuple[Any, Any]]

    @classmethod
    def of(cls, domain: Domain, ends: Mapping[str, tuple[Node | None, Node | None]]) -> Ends:
        """Raises NoCounterpart."""
        names = sympy_symbols(domain.variables.values())
        found = {
            x: (-sp.oo if low is None else to_sympy(low, names), sp.oo if high is None else to_sympy(high, names))
            for x, (low, high) in ends.items()
        }
        return cls(names, found)

    def expression(self, node: Node) -> Any:
        """A node in SymPy, exponentials of sums as products.  Raises NoCounterpart."""
        return sp.expand_power_exp(to_sympy(node, self.symbols))

    def limits(self, node: Node, x: str) -> tuple[Limit, Limit]:
        """At the lower and at the upper end of a variable."""
        low, high = self.ends[x]
        e, name = self.expression(node), self.symbols[x]
        return limit_at(e, name, low, 1), limit_at(e, name, high, -1)

    def integrable(self, node: Node, x: str) -> bool:
        """Whether it is proved that the absolute value has an integral at both ends of a variable."""
        return self._integrable(self.expression(node), x)

    def _integrable(self, e: Any, x: str) -> bool:
        name, y = self.symbols[x], sp.Symbol("y", positive=True)
        return all(self._at_end(e, name, end, side, y) for end, side in zip(self.ends[x], (1, -1), strict=True))

    def _at_end(self, e: Any, name: Any, end: Any, side: int, y: Any) -> bool:
        if end in (sp.oo, -sp.oo):
            moved = e.subs(name, -side * y)
        else:
            moved = e.subs(name, end + side / y) / y**2
        numerator, denominator = sp.fraction(sp.together(moved))
        forms = (moved, sp.expand(moved), sp.expand(numerator) / denominator)
        return any(is_integrable(form, y) for form in forms)

    def diverges(self, node: Node, x: str) -> bool:
        """Whether it is proved that a positive expression has no finite integral over a variable."""
        e, name, y = self.expression(node), self.symbols[x], sp.Symbol("y", positive=True)
        for end, side in zip(self.ends[x], (1, -1), strict=True):
            far = end in (sp.oo, -sp.oo)
            bound = growth(e.subs(name, -side * y if far else end + side / y) / (1 if far else y**2), y)
            if bound is not None and bound.sharp and bound.is_large(y):
                return True
        return False

    def products(self, node: Node, names: Sequence[str]) -> Iterator[dict[str, Any]]:
        """The terms of an expression as products of functions of one variable each.  Raises NoCounterpart."""
        own = {self.symbols[x]: x for x in names}
        for term in sp.Add.make_args(sp.expand(self.expression(node))):
            factors: dict[str, Any] = dict.fromkeys(names, sp.S.One)
            for factor in sp.Mul.make_args(sp.expand_power_exp(term)):
                inside = [x for s, x in own.items() if factor.has(s)]
                if len(inside) > 1:
                    raise NoCounterpart(f"{factor} is no product of functions of one variable")
                if inside:
                    factors[inside[0]] *= factor
            yield factors

    def products_integrable(self, node: Node, names: Sequence[str]) -> bool:
        """Whether every term is a product of functions with integrals."""
        try:
            return all(self._integrable(factor, x) for each in self.products(node, names) for x, factor in each.items())
        except NoCounterpart:
            return False


def zero_at_both(limits: tuple[Limit, Limit]) -> bool:
    """Whether both limits are proved to be 0."""
    return all(each.value == 0 and _is_proved(each) for each in limits)


def difference(limits: tuple[Limit, Limit]) -> Node | None:
    """The upper less the lower limit, both being proved."""
    low, high = (each.value for each in limits)
    if low is None or high is None or not all(_is_proved(each) for each in limits):
        return None
    try:
        return from_sympy(high - low)
    except NoCounterpart:
        return None


def _is_proved(limit: Limit) -> bool:
    return limit.value is not None and limit.evidence.holds is True and limit.evidence.rigor is Rigor.EXACT


def ends_of(domain: Domain, names: Sequence[str]) -> dict[str, tuple[Node | None, Node | None]]:
    """The ends of each variable: those that are constant, and those that conditions `end < x` and `x < end` give.

    Raises ValueError where a condition on a variable is no end, or gives an end a second time.
    """
    lows = {x: [low] if (low := domain.variables[x].low) is not None else [] for x in names}
    highs = {x: [high] if (high := domain.variables[x].high) is not None else [] for x in names}
    others = ("or", "=", "!=")
    told = set(
        free_symbols(*(c for c in domain.conditions if any(n.op in others or n.value in others for n in postorder(c))))
    )
    for larger, smaller, _ in domain.inequalities():
        if larger.op == "symbol" and larger.value in lows:
            lows[larger.value].append(smaller)
        elif smaller.op == "symbol" and smaller.value in highs:
            highs[smaller.value].append(larger)
        else:
            told |= free_symbols(larger, smaller)
    for x in names:
        if x in told or max(len(lows[x]), len(highs[x])) > 1:
            raise ValueError(f"the support of {x} is not known from its conditions; write it as interval(low, high)")
    return {x: (next(iter(lows[x]), None), next(iter(highs[x]), None)) for x in names}
