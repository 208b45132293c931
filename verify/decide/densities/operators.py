"""Which linear operator is claimed, and does its mean vanish for every test function?

    A f = sum of a_alpha d^alpha f,    E_p[A f] = integral of p A f = integral of f R p + what the boundary leaves
    R = sum of (-1)^|alpha| D^alpha a_alpha,    D_i g = d_i g + s_i g,  s = grad log p

R = 0 is needed, because f may be a bump around any point at which R is not 0; and it is enough where the boundary
leaves nothing, which is what makes f one of the Stein class of the operator.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from verify.calculus.reverse import gradient
from verify.calculus.tidy import coefficients, is_zero, leading_number, scaled, short, tidy
from verify.decide.prove.differentiate import carried_out
from verify.graph import (
    MINUS_ONE,
    ZERO,
    Node,
    add,
    derivative,
    free_symbols,
    fresh_name,
    mul,
    postorder,
    substitute,
    symbol,
)
from verify.language.write import write

Orders = tuple[int, ...]


class NoOperator(ValueError):
    """Not a linear differential operator at one point."""


@dataclass(frozen=True)
class Operator:
    """Coefficients by (test function, orders of differentiation by each variable)."""

    variables: tuple[str, ...]
    coefficients: Mapping[tuple[str, Orders], Node]

    @classmethod
    def of(cls, node: Node, variables: Sequence[str]) -> Operator:
        """The operator of an expression in test functions.  Raises NoOperator, or GiveUp."""
        whole = carried_out(node)
        here = tuple(symbol(x) for x in variables)
        places = [each for each in postorder(whole) if each.op == "abstract"]
        if any(each.args != here for each in places):
            raise NoOperator("test functions at other points than the variables are not judged")
        taken = {*free_symbols(whole), *variables}
        names = {each: fresh_name(f"{each.value[0]}_{i}", taken) for i, each in enumerate(places)}
        plain = substitute(whole, {each: symbol(name) for each, name in names.items()})
        slopes = gradient(plain, list(names.values()))
        slopes = tuple(_expanded(slope, set(names.values())) for slope in slopes)
        if free_symbols(*slopes) & set(names.values()):
            raise NoOperator("the identity is not linear in the test function")
        rest = tidy(substitute(plain, {symbol(name): ZERO for name in names.values()}))
        if rest is not ZERO and not is_zero(_expanded(rest, set(free_symbols(rest)))):
            raise NoOperator(f"the term {write(rest)} has no test function in it")
        found = {(each.value[0], tuple(each.value[1])): slope for each, slope in zip(places, slopes, strict=True)}
        return cls(tuple(variables), found)

    @property
    def functions(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(name for name, _ in self.coefficients))

    @property
    def order(self) -> int:
        return max((sum(orders) for _, orders in self.coefficients), default=0)

    @property
    def plain(self) -> Orders:
        """The orders of f itself."""
        return (0,) * len(self.variables)

    def coefficient(self, name: str, orders: Orders) -> Node:
        return self.coefficients.get((name, orders), ZERO)

    def wanted(self, name: str, score: Sequence[Node]) -> Node:
        """What must stand before f itself, so that R = 0 with all the other coefficients."""
        terms = []
        for (function, orders), a in self.coefficients.items():
            if function == name and any(orders):
                for i, times in enumerate(orders):
                    for _ in range(times):
                        a = add(carried_out(derivative(a, self.variables[i])), _spread(a, score[i]))
                terms.append(mul(MINUS_ONE, a) if sum(orders) % 2 == 0 else a)
        return short(add(ZERO, *terms))

    def with_plain(self, given: Mapping[str, Node]) -> Operator:
        """The operator with other factors before f itself."""
        own = {key: a for key, a in self.coefficients.items() if any(key[1])}
        return Operator(self.variables, own | {(name, self.plain): a for name, a in given.items() if a is not ZERO})

    def exchanged(self) -> Operator:
        """Derivatives d_i f_j as d_j f_i: the transposed Jacobian of a vector field."""
        found: dict[tuple[str, Orders], Node] = {}
        for (name, orders), a in self.coefficients.items():
            index = name[1:]
            if sum(orders) == 1 and index.isdigit():
                i, j = orders.index(1), int(index) - 1
                name, orders = f"f{i + 1}", tuple(int(k == j) for k in range(len(orders)))
            found[name, orders] = add(found[name, orders], a) if (name, orders) in found else a
        return Operator(self.variables, found)

    def applied(self, at: Mapping[str, Node]) -> Node:
        """A f for concrete test functions."""
        terms = []
        for (name, orders), a in self.coefficients.items():
            value = at[name]
            for x, times in zip(self.variables, orders, strict=True):
                value = derivative(value, x, times) if times else value
            terms.append(mul(a, value))
        return carried_out(add(ZERO, *terms))

    def flux(self, at: Mapping[str, Node]) -> tuple[Node, ...]:
        """Sum of a_ij f_j for each variable: what p A f is the divergence of, times 1/p.  For operators of order 1."""
        n = len(self.variables)
        units = [tuple(int(k == i) for k in range(n)) for i in range(n)]
        return tuple(
            tidy(add(ZERO, *(mul(self.coefficient(name, unit), at[name]) for name in self.functions))) for unit in units
        )

    def text(self) -> str:
        """In the notation of claims."""
        taken = free_symbols(*self.coefficients.values())
        names: dict[str, str] = {}
        terms = []
        for (name, orders), a in self.coefficients.items():
            written = name
            for x, times in zip(self.variables, orders, strict=True):
                written = written if not times else f"diff({written}, {x}{f', {times}' if times > 1 else ''})"
            place = fresh_name(f"f_{len(names)}_", {*taken, *names})
            names[place] = written
            terms.append(mul(_signed(short(a)), symbol(place)))
        whole = write(tidy(add(ZERO, *terms)))
        return re.sub("|".join(map(re.escape, names)) or "$^", lambda found: names[found[0]], whole)


def _spread(factor: Node, terms: Node) -> Node:
    """factor * terms, one term after the other, so that (1 - x)/(1 - x) is gone before 1 - x is multiplied out."""
    terms = terms if terms.op == "add" else tidy(terms)
    return add(ZERO, *(tidy(mul(factor, term)) for term in (terms.args if terms.op == "add" else (terms,))))


def _signed(node: Node) -> Node:
    """-(a + b) rather than -a - b, where every sign is minus."""
    terms = node.args if node.op == "add" else ()
    if terms and all(leading_number(term)[0] < 0 for term in terms):
        return mul(MINUS_ONE, tidy(mul(MINUS_ONE, node)))
    return node


def _expanded(node: Node, names: set[str]) -> Node:
    """Multiplied out where that may free it of the names."""
    if not free_symbols(node) & names:
        return node
    terms = coefficients(node)
    return node if terms is None else tidy(add(ZERO, *(scaled(c, rest) for c, rest in terms.values())))
