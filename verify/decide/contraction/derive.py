"""What is the derivative of a sum of graphs?  Leibniz' rule on the factors, and a rule for every kind of atom.

    d inv(P) = -inv(P) dP inv(P)            d det(P) = det(P) tr(inv(P) dP)          d expm(P) = K[dP]   (Duhamel)
    d f(u)   = f'(u) du, entry by entry     d expm(P) = dP expm(P), d logm(P) = inv(P) dP where dP and P commute
    dQ = Q W, W antisymmetric, for an orthogonal Q of t

The rule for the determinant needs the inverse to exist, which it does on a dense set unless P is singular everywhere;
that is why a claim must have a point where its sides are defined.  New axes come last.
"""

from __future__ import annotations

from verify.claim import Size
from verify.decide.contraction.abstract import slope
from verify.decide.contraction.canonical import Component, Factor
from verify.decide.contraction.certified import assume_nonzero, introduce
from verify.decide.contraction.elementwise import absolute, cosine, power, sine, times
from verify.decide.contraction.exponentials import frechet
from verify.decide.contraction.matrices import inverse
from verify.decide.contraction.space import Atom, GiveUp, Space
from verify.decide.contraction.sums import (
    Product,
    Sum,
    commutator,
    delta,
    einsum,
    expanded,
    loosened,
    matmul,
    number,
    of_atom,
    settle,
    size,
)
from verify.decide.rules import partial


def derivative(a: Sum, variable: int) -> Sum:
    """The derivative by a symbol; its axes come after those of a."""
    space = a.space
    added = space.atoms[variable].dims
    dims = {-1 - k: n for k, n in enumerate((*a.dims, *added))}
    own = [-1 - k for k in range(len(a.dims))]
    new = tuple(x for x in dims if x not in own)
    result = Sum(space, (*a.dims, *added), {})
    for term, c in a.terms.items():
        for component, exponent in term:
            if not any(_of_atom(space, atom, variable).terms for atom, _, _ in component):
                continue
            labels, factors = dict(dims), []
            rest = {**dict(term), component: exponent - 1}
            left = tuple((k, e) for k, e in rest.items() if e)
            closed = dict(loosened(space, left, own, factors, labels))
            here = _opened(space, component, labels)
            for k, (atom, slots, e) in enumerate(here):
                change = _of_atom(space, atom, variable)
                if change.terms:
                    others = [*factors, *here[:k], *here[k + 1 :]]
                    product = Product(space, c * exponent * e, closed, others, labels)
                    result = result + expanded(product.times((atom, slots, e - 1)), [(change, (*slots, *new))])
    return result


def _opened(space: Space, component: Component, labels: dict[int, Size]) -> list[Factor]:
    """The factors of a component on new labels, which are added to `labels`; free indices stay."""
    start = max((*labels, -1)) + 1
    opened = []
    for atom, slots, e in component:
        at = tuple(x if x < 0 else start + x for x in slots)
        labels.update(zip(at, space.atoms[atom].dims, strict=True))
        opened.append((atom, at, e))
    return opened


def _of_atom(space: Space, atom: int, variable: int) -> Sum:
    """The derivative of an atom: its own axes, then those of the variable."""
    known = space.derivatives.get((atom, variable))
    if known is None:
        known = space.derivatives[atom, variable] = _rule(space, atom, variable)
    return known


def _rule(space: Space, atom: int, variable: int) -> Sum:
    one, added = space.atoms[atom], space.atoms[variable].dims
    dims = (*one.dims, *added)
    if atom == variable:
        return _itself(space, one.dims)
    changes = [derivative(argument, variable) for argument in one.arguments]
    if not any(change.terms for change in changes):
        return Sum(space, dims, {})
    own = tuple(range(len(one.dims)))
    new = tuple(range(len(own), len(dims)))
    me = of_atom(space, atom)
    match one.kind:
        case "inv":
            return einsum((0, 1, *new), (me, (0, "k")), (changes[0], ("k", "l", *new)), (me, ("l", 1))).scaled(-1)
        case "det":
            inverted = inverse(one.argument)
            introduce(inverted)
            return einsum(new, (me, ()), (inverted, ("l", "k")), (changes[0], ("k", "l", *new)))
        case "expm" if not new and not commutator(changes[0], one.argument).terms:
            return matmul(changes[0], me)
        case "logm" if not new and not commutator(changes[0], one.argument).terms:
            return matmul(inverse(one.argument), changes[0])
        case "logm":
            raise GiveUp("the derivative of a matrix logarithm")
        case "expm":
            return einsum((0, 1, *new), (frechet(one.argument), (0, "j", "k", 1)), (changes[0], ("j", "k", *new)))
        case "frechet":
            raise GiveUp("second derivatives of a matrix exponential")
        case "size_power":
            factor = times(me, size(space, one.name), power(one.argument, -1))
            return einsum(new, (factor, ()), (changes[0], new))
        case "abstract":
            return _chain_rule(space, atom, changes, new)
    total = Sum(space, dims, {})
    for i, change in enumerate(changes):
        if change.terms:
            total = total + einsum((*own, *new), (_slope(space, atom, i), own), (change, (*own, *new)))
    return total


def _itself(space: Space, dims: tuple[Size, ...]) -> Sum:
    n = len(dims)
    factors = [(delta(space, d), (-1 - i, -1 - n - i), 1) for i, d in enumerate(dims)]
    return settle(Product(space, 1, {}, factors, {-1 - k: d for k, d in enumerate(dims * 2)}))


def _slope(space: Space, atom: int, i: int) -> Sum:
    """The derivative of a function of each entry by its i-th argument."""
    one = space.atoms[atom]
    match one.kind:
        case "pow":
            return number(space, 1, one.dims)
        case "exp":
            return of_atom(space, atom)
        case "log":
            return power(one.argument, -1)
        case "sin":
            return cosine(one.argument)
        case "cos":
            return sine(one.argument).scaled(-1)
        case "abs":
            assume_nonzero(one.argument)
            return times(absolute(one.argument), power(one.argument, -1))
        case "call":
            return _of_table(one, i)
    raise GiveUp(f"the derivative of {one.kind}")


def _of_table(one: Atom, i: int) -> Sum:
    """The rule of `verify.functions`, expanded over the arguments."""
    from verify.decide.contraction.expand import scalar_expression
    from verify.functions import function

    row, rule = function(one.name, len(one.arguments)), partial(one.name, len(one.arguments), i)
    if row is None or rule is None:
        raise GiveUp(f"the derivative of {one.name} by its argument {i + 1}")
    return scalar_expression(rule, dict(zip(row.arguments, one.arguments, strict=True)))


def _chain_rule(space: Space, atom: int, changes: list[Sum], new: tuple[int, ...]) -> Sum:
    """An abstract function at its arguments: the sum of its partial derivatives times theirs."""
    one = space.atoms[atom]
    own = tuple(range(len(one.dims)))
    context = own[: one.name.context]
    total = Sum(space, (*one.dims, *(changes[0].dims[len(one.arguments[0].dims) :])), {})
    for i, change in enumerate(changes):
        if change.terms:
            inner = tuple(("d", k) for k in range(len(one.arguments[i].dims) - len(context)))
            pairs = (slope(space, atom, i), (*own, *inner)), (change, (*context, *inner, *new))
            total = total + einsum((*own, *new), *pairs)
    return total
