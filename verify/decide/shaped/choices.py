"""What may an abstract function be?  A symbol for every value, or an expression in its arguments."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import pairwise
from random import Random

from verify.claim import Variable
from verify.decide.prove.differentiate import carried_out
from verify.decide.shaped.arrays import total
from verify.decide.shaped.instances import Instance
from verify.graph import (
    MINUS_ONE,
    ONE,
    Node,
    add,
    call,
    derivative,
    has_integrals,
    mul,
    num,
    postorder,
    power,
    substitute,
    symbol,
    transform,
)


def opaque(instance: Instance) -> Instance:
    """Every value and derivative of an abstract function at every place is a symbol of its own.

    An identity that holds for all values of these symbols holds for all functions.
    """
    change: dict[Node, Node] = {}
    variables = dict(instance.variables)
    if has_integrals(*instance.nodes()):
        # The integral of f is not one of a number: the prover of integrals keeps declared functions as they are.
        named = {n.value[0] for n in postorder(*instance.nodes()) if n.op == "abstract"}
        kept = {name: Variable(name, of=instance.places[name]) for name in sorted(named)}
        return replace(instance, variables={**variables, **kept})
    for node in postorder(*instance.nodes()):
        if node.op == "abstract":
            name = f"{node.value[0]}_{len(change) + 1}"
            while name in variables:
                name += "_"
            change[node] = symbol(name)
            variables[name] = Variable(name)
    return replace(instance.changed(change), variables=variables) if change else instance


def with_functions(instance: Instance, functions: Mapping[str, Node]) -> Instance:
    """Every abstract function replaced by an expression in its arguments, by the names of entries."""
    if all(node.op != "abstract" for node in postorder(*instance.nodes())):
        return instance

    def put_in(node: Node) -> Node | None:
        if node.op != "abstract":
            return None
        name, orders = node.value
        places = instance.places[name]
        value = functions[name]
        for place, order in zip(places, orders, strict=True):
            if order:
                value = carried_out(derivative(value, place, order))
        return substitute(value, dict(zip(map(symbol, places), node.args, strict=True)))

    return replace(instance.mapped(lambda node: transform(node, put_in)), functions=functions)


def generic(instance: Instance, rng: Random) -> dict[str, Node]:
    """Polynomials plus exponentials with small random coefficients, for all abstract functions."""
    return {name: _generic(tuple(map(symbol, places)), rng) for name, places in instance.places.items()}


def plain(instance: Instance, rng: Random) -> dict[str, Node]:
    """Polynomials of degree 2 with small whole coefficients, for all abstract functions."""
    return {name: _plain(tuple(map(symbol, places)), rng) for name, places in instance.places.items()}


def _generic(places: Sequence[Node], rng: Random) -> Node:
    """c + linear + quadratic + exp(linear)/k in the places."""

    def coefficient() -> Node:
        return num(rng.choice((1, 2, 3))) * rng.choice((ONE, MINUS_ONE)) / num(rng.choice((1, 2, 4)))

    terms = [coefficient()]
    terms += [coefficient() * place for place in places]
    terms += [coefficient() * power(place, num(2)) for place in places]
    terms += [coefficient() * a * b for a, b in pairwise(places)]
    rate = total(num(rng.choice((1, -1))) / num(rng.choice((1, 2))) * place for place in places)
    return add(*terms, mul(num(1) / num(rng.choice((1, 2))), call("exp", rate)))


def _plain(places: Sequence[Node], rng: Random) -> Node:
    terms = [num(rng.randint(-2, 3))]
    terms += [mul(num(rng.choice((1, 2, -1))), place) for place in places]
    terms += [power(place, num(2)) for place in places if rng.random() < 0.5]
    return total(terms)
