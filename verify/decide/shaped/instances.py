"""What does a claim on vectors and matrices say at given sizes?  The same claim, entry by entry, in scalar symbols.

All derivatives are carried out by the rules.  What was differentiated must be defined too: it is kept aside, and comes
back with a factor 0 in the scalar claims.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from verify.claim import Claim, Domain, Variable
from verify.decide.prove.differentiate import carried_out
from verify.decide.prove.tower import GiveUp, Restart
from verify.decide.shaped.arrays import Array, Unsupported, flat, is_polynomial, mapped, scalar, size_of, times, total
from verify.decide.shaped.entries import Entries, Sizes, components, entries
from verify.decide.shaped.entrywise import Expansion, NoInstance
from verify.decide.shaped.equations import radii, solved
from verify.graph import ONE, ZERO, Node, add, free_symbols, mul, postorder, size, substitute, surface, symbol

__all__ = ["Instance", "NoInstance", "Unsupported", "instances"]

BY_VECTOR = ("gradient", "jacobian", "hessian", "divergence")
#: Nodes of the largest instance.
LARGEST_INSTANCE = 60_000


@dataclass(frozen=True)
class Instance:
    """A claim at given sizes; all nodes are scalar, without derivatives.

    lhs, rhs    the entries of the two sides.
    bodies      what was differentiated, and must be defined.
    variables   the free symbols.
    shown       the declared vectors and matrices in terms of the free symbols.
    named       the names of the entries of abstract functions, vectors and matrices.
    places      how the arguments of those are called, entry by entry.
    functions   what they are here, as expressions in their arguments, by the names of the entries.
    """

    claim: Claim
    sizes: Sizes
    lhs: Array
    rhs: Array
    bodies: tuple[Node, ...]
    conditions: tuple[Node, ...]
    variables: Mapping[str, Variable]
    shown: Mapping[str, Array]
    named: Mapping[str, Array]
    places: Mapping[str, tuple[str, ...]]
    functions: Mapping[str, Node] = field(default_factory=dict)

    def entry_claims(self) -> list[Claim]:
        """One scalar claim for each entry."""
        pairs = zip(flat(self.lhs), flat(self.rhs), strict=True)
        return [self._scalar(lhs, rhs, self.bodies) for lhs, rhs in pairs]

    def combined(self, weights: Sequence[Node] = ()) -> Claim:
        """One scalar claim: a weighted sum of all entries, defined only where all of them are.

        weights   numbers, seldom blind to a difference; without them symbols, and the sum says as much as its terms.
        """
        own: dict[str, Variable] = {}
        if not weights:
            if len(flat(self.lhs)) == 1:
                weights = (ONE,)
            else:
                own = {name: Variable(name) for name in _weights(self.variables, len(flat(self.lhs)))}
                weights = tuple(map(symbol, own))
        lhs, rhs = (
            total(times(w, entry) for w, entry in zip(weights, flat(side), strict=True))
            for side in (self.lhs, self.rhs)
        )
        return self._scalar(lhs, rhs, self.bodies, own)

    def _scalar(self, lhs: Node, rhs: Node, bodies: Sequence[Node], own: Mapping[str, Variable] | None = None) -> Claim:
        partial = [mul(ZERO, body) for body in bodies if not is_polynomial(body)]
        lhs = add(lhs, *partial) if partial else lhs
        used = free_symbols(lhs, rhs, *self.conditions)
        used |= {node.value[0] for node in postorder(lhs, rhs) if node.op == "abstract"}
        variables = {name: v for name, v in {**self.variables, **(own or {})}.items() if name in used}
        domain = Domain(variables, self.conditions, self.claim.domain.everywhere)
        return Claim(lhs, rhs, domain)

    def nodes(self) -> Iterator[Node]:
        """All expressions of the instance."""
        yield from flat(self.lhs)
        yield from flat(self.rhs)
        yield from self.bodies
        yield from self.conditions

    def changed(self, change: Mapping[Node, Node]) -> Instance:
        """With nodes replaced everywhere."""
        return self.mapped(lambda node: substitute(node, change))

    def mapped(self, new: Callable[[Node], Node]) -> Instance:
        """With every expression changed."""
        return replace(
            self,
            lhs=mapped(new, self.lhs),
            rhs=mapped(new, self.rhs),
            bodies=tuple(map(new, self.bodies)),
            conditions=tuple(map(new, self.conditions)),
        )


def instances(claim: Claim, sizes: Sizes, *, largest: int = LARGEST_INSTANCE) -> list[Instance]:
    """The claim at these sizes: one instance, or one for every choice of determinants of orthogonal matrices.

    largest   nodes that an instance may have.

    Raises Unsupported for what has no expression in entries or a longer one, NoInstance where the claim says nothing
    at these sizes.
    """
    return [solved(_instance(claim, sizes, signs, largest)) for signs in components(claim.domain.variables.values())]


def _instance(claim: Claim, sizes: Sizes, determinants: Mapping[str, int], largest: int) -> Instance:
    domain = claim.domain
    differentiated = {node.value for node in postorder(claim.lhs, claim.rhs) if node.op in BY_VECTOR}
    for name in differentiated:
        if domain.structured and domain.variables[name].structure == "orthogonal":
            raise Unsupported("gradients along orthogonal matrices are not decided")
    lengths, by_lengths = radii(claim)
    made = entries(
        domain.variables,
        sizes,
        differentiated=differentiated,
        together=domain.structured,
        determinants=determinants,
        radii=lengths,
    )
    expansion = Expansion(claim, sizes, made.arrays)
    lhs, rhs = expansion.value(claim.lhs), expansion.value(claim.rhs)
    if size_of(lhs) != size_of(rhs):
        lhs, rhs = (
            mapped(lambda _: ZERO, other) if side == scalar(ZERO) else side for side, other in ((lhs, rhs), (rhs, lhs))
        )
    left = [condition for condition in domain.conditions if condition not in by_lengths]
    conditions = tuple(node for condition in left for node in expansion.conditions(condition))
    bodies = [n.args[0] for n in surface(*flat(lhs), *flat(rhs)) if n.op == "derivative"]
    if sum(size(body) for body in bodies) + size(*flat(lhs), *flat(rhs)) > largest:
        raise Unsupported("the claim is too long when it is written out")
    if domain.everywhere and not all(map(is_polynomial, bodies)):
        raise Unsupported("the rules of differentiation say nothing at kinks, which belong to the claim")

    def final(node: Node) -> Node:
        try:
            return substitute(carried_out(node), made.structured)
        except (GiveUp, Restart) as reason:
            raise Unsupported(str(reason) or "a derivative has no rule") from None

    lhs, rhs = mapped(final, lhs), mapped(final, rhs)
    instance = Instance(
        claim,
        sizes,
        lhs,
        rhs,
        tuple(dict.fromkeys(map(final, bodies))),
        tuple(map(final, conditions)),
        made.variables,
        {name: made.final(name) for name, v in domain.variables.items() if not v.of and v.field != "size"},
        {name: made.arrays[name] for name, v in domain.variables.items() if v.of},
        _places(domain.variables, made),
    )
    if size(*instance.nodes()) > largest:
        raise Unsupported("the claim is too long when it is written out")
    return instance


def _places(variables: Mapping[str, Variable], made: Entries) -> dict[str, tuple[str, ...]]:
    """The names of the arguments of every entry of an abstract function, all different.

    Entries of a matrix with structure may be no symbols, or the same one twice: those get a name of their own.
    """
    places: dict[str, tuple[str, ...]] = {}
    for name, variable in variables.items():
        if variable.of:
            own: dict[str, None] = {}
            for argument in variable.of:
                for k, entry in enumerate(flat(made.arrays.get(argument, scalar(symbol(argument))))):
                    place = entry.value if entry.op == "symbol" else f"{argument}_{k + 1}"
                    while place in own:
                        place += "_"
                    own[place] = None
            labels = (n for e in flat(made.arrays[name]) for n in postorder(e) if n.op == "symbol")
            places |= {label.value: tuple(own) for label in labels}
    return places


def _weights(taken: Mapping[str, Variable], count: int) -> list[str]:
    prefix = "w"
    while any(name.startswith(f"{prefix}_") for name in taken):
        prefix += "w"
    return [f"{prefix}_{k + 1}" for k in range(count)]
