"""Is an identity with integrals and expectations true?  An exact argument that leaves none of them, or none.

    1. derivatives are carried out (Leibniz' rule), expectations are taken by standard laws (standard)
    2. integrals get their values where an antiderivative is proved, or a moment is known   (antiderivative, gaussian)
    3. those that are left are added up: by limits or laws, all coefficients go inside
    4. a sum of integrals with the same limits vanishes if its integrand does; one mean if it does after
       integration by parts (stein); what depends on a limit, if its derivative does and it vanishes where limits meet
    5. what holds no integral any more is an identity for the prover of formulas

An identity of integrands is one for all values of the variable, which is a new name each time.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

from verify.claim import Claim, Domain, Variable
from verify.decide.integrals.antiderivative import between, definite
from verify.decide.integrals.gaussian import mean_of, over_the_line
from verify.decide.integrals.linear import Linear, linear_parts, opaque
from verify.decide.integrals.smooth import Path, certain_powers, conditions
from verify.decide.integrals.standard import as_integral, is_infinite
from verify.decide.integrals.stein import ASSUMED, reductions
from verify.decide.integrals.terms import TooLong, collected, summed, terms, times
from verify.decide.prove.differentiate import carried_out
from verify.decide.prove.tower import GiveUp
from verify.graph import (
    INTEGRALS,
    MINUS_ONE,
    ONE,
    ZERO,
    Node,
    add,
    bound_name,
    derivative,
    expectation,
    free_symbols,
    fresh_name,
    has_integrals,
    integral,
    mul,
    postorder,
    rebuild,
    substitute,
    surface,
    symbol,
)
from verify.verdict import Evidence, Rigor

ROUTE = "proof for integrals"
RELIES_ON = frozenset({"normal-forms", "rules of integration"})
#: Names that an argument may vary, one inside the other.
DEEPEST = 2
_COMPLEX = "complex_"
NOT_ZERO = "the integrals of the two sides were not shown to be the same"


def prove(claim: Claim, *, seed: int = 0) -> Evidence:
    """Evidence that holds (rigor exact) or could not tell, with `detail["reason"]`; it never refutes.

    Of vectors and matrices it knows nothing; declared functions of numbers may occur.
    """
    reason = _refused(claim)
    if reason:
        return Evidence(ROUTE, Rigor.EXACT, None, RELIES_ON, detail={"reason": reason})
    work = _Work(claim, seed)
    try:
        difference = add(carried_out(claim.lhs, work.integers), mul(MINUS_ONE, carried_out(claim.rhs, work.integers)))
        shown = work.vanishes(work.valued(difference), work.variables, DEEPEST)
    except (GiveUp, TooLong, RecursionError) as failed:
        return Evidence(ROUTE, Rigor.EXACT, None, RELIES_ON, detail={"reason": str(failed) or NOT_ZERO})
    if not shown:
        return Evidence(ROUTE, Rigor.EXACT, None, RELIES_ON, detail={"reason": work.reason or NOT_ZERO})
    detail = {"method": "; ".join(work.used) or "the same integrals on both sides"}
    if work.assumed:
        detail["hypotheses"] = list(work.assumed)
    return Evidence(ROUTE, Rigor.EXACT, True, RELIES_ON, detail=detail)


def _refused(claim: Claim) -> str:
    if claim.domain.everywhere:
        return "kinks, jumps and ends of domains belong to the claim"
    shaped = {"transpose", "hadamard", "hadamard_pow", "gradient", "jacobian", "hessian", "divergence", "index", "sum"}
    if any(v.shape for v in claim.domain.variables.values()) or any(
        node.op in shaped for node in postorder(claim.lhs, claim.rhs)
    ):
        return "integrals of vectors and matrices are proved entry by entry"
    return ""


@dataclass
class _Work:
    """One claim.

    used      the arguments that were made, for the record; assumed: what they take for granted.
    """

    claim: Claim
    seed: int
    used: dict[str, None] = field(default_factory=dict)
    assumed: dict[str, None] = field(default_factory=dict)
    reason: str = ""

    def __post_init__(self) -> None:
        self.variables = {n: v for n, v in self.claim.domain.variables.items() if not v.of}
        self.integers = frozenset(n for n, v in self.variables.items() if v.field in ("integer", "size"))
        self.zeros: dict[tuple[Node, str], bool] = {}
        self.fresh = 0

    # --- formulas without integrals ---

    def is_zero(self, node: Node, variables: Mapping[str, Variable]) -> bool:
        """Whether a formula is proved to vanish for all values of the variables; declared functions may be anything."""
        from verify.decide.prove.proof import prove as prove_formula

        if node is ZERO:
            return True
        if has_integrals(node):
            return False
        node = opaque(node)
        used = free_symbols(node)
        own = {name: variables.get(name, Variable(name)) for name in sorted(used)}
        if self.claim.is_complex:
            # A part without I is still read on principal branches.
            own[_COMPLEX] = Variable(_COMPLEX, "complex")
        domain = Domain(
            own,
            tuple(c for c in self.claim.domain.conditions if free_symbols(c) <= used and self._kept(c, variables)),
        )
        key = node, repr(domain)
        if key not in self.zeros:
            evidence = prove_formula(Claim(node, ZERO, domain), seed=self.seed)
            self.zeros[key] = bool(evidence.holds)
            self.reason = self.reason or evidence.detail.get("reason", "")
        return self.zeros[key]

    def _kept(self, condition: Node, variables: Mapping[str, Variable]) -> bool:
        """Whether a condition of the claim still speaks of the same names."""
        return all(variables.get(name) is self.variables.get(name) for name in free_symbols(condition))

    # --- values of integrals ---

    def valued(self, node: Node) -> Node:
        """The expression with those integrals in closed form that have one, the inner ones first."""
        done: dict[Node, Node] = {}
        for each in postorder(node):
            new = rebuild(each, (done[arg] for arg in each.args))
            if new.op in INTEGRALS:
                new = self._fresh(new)
                value = self._value(new, self.variables)
                new = new if value is None else value
            done[each] = new
        return done[node]

    def _fresh(self, node: Node) -> Node:
        """The same integral over a name that occurs nowhere else."""
        taken = set(self.claim.domain.variables) | {node.op} | free_symbols(*node.args)
        name = bound_name(node)
        assert name is not None
        self.fresh += 1
        new = fresh_name(f"{name}_0{self.fresh}", taken)
        body = substitute(node.args[0], {symbol(name): symbol(new)})
        if node.op == "integral":
            return integral(body, new, *node.args[1:])
        return expectation(body, new, node.value[1], *node.args[1:])

    def _value(self, node: Node, variables: Mapping[str, Variable]) -> Node | None:
        body, name = node.args[0], bound_name(node)
        assert name is not None
        if has_integrals(body):
            return None
        if node.op == "expectation":
            law = node.value[1]
            if name not in free_symbols(body):
                return body
            if law != "normal":
                return self._value(as_integral(node), variables)
            means = [mean_of(term) for term in collected(terms(body, name))]
            if any(mean is None for mean in means):
                return None
            self.used["moments of the normal law"] = None
            return summed(*(mean for mean in means if mean is not None))
        low, high = node.args[1:]
        if self._moves(name, low, high):
            return None
        if is_infinite(low) < 0 < is_infinite(high):
            values = [over_the_line(term) for term in collected(terms(body, name))]
            if all(value is not None for value in values):
                self.used["moments of the normal law"] = None
                return summed(*(value for value in values if value is not None))
        if self.claim.is_complex:
            return None
        value = definite(body, name, low, high, variables, self.is_zero)
        if value is not None:
            self.used["an antiderivative that is proved, and smooth between the limits"] = None
        return value

    def _moves(self, name: str, low: Node, high: Node) -> bool:
        return name in free_symbols(low, high)

    # --- sums of integrals ---

    def vanishes(self, difference: Node, variables: Mapping[str, Variable], depth: int) -> bool:
        """Whether an expression with integrals is proved to be 0."""
        if not has_integrals(difference):
            return self.is_zero(difference, variables)
        parts = linear_parts(difference)
        if parts is None:
            return self._alike(difference, variables)
        groups, rest = self._groups(parts, variables)
        left: list[Node] = []
        for group in groups:
            value = self._settled(group, variables)
            if value is None:
                left.append(group)
            else:
                rest = summed(rest, value)
        if not left:
            return self.is_zero(rest, variables)
        means = [group for group in left if group.op == "expectation"]
        if len(means) == len(left) == 1:
            return self._mean_vanishes(means[0], rest, variables)
        if means or depth == 0:
            return False
        return any(self._by_a_limit(left, rest, name, variables, depth) for name in self._limits(left))

    def _groups(self, parts: Linear, variables: Mapping[str, Variable]) -> tuple[list[Node], Node]:
        """One integral for each pair of limits and each law, all coefficients inside; and what is no integral."""
        groups: list[Node] = []
        for factor, node in parts.integrals:
            node = self._fresh(node)
            body = times(factor, node.args[0])
            for i, group in enumerate(groups):
                if self._same_range(group, node, variables):
                    name, own = bound_name(group), bound_name(node)
                    assert name is not None
                    assert own is not None
                    body = substitute(body, {symbol(own): symbol(name)})
                    groups[i] = rebuild(group, (add(group.args[0], body), *group.args[1:]))
                    break
            else:
                groups.append(rebuild(node, (body, *node.args[1:])))
        return groups, parts.rest

    def _same_range(self, one: Node, other: Node, variables: Mapping[str, Variable]) -> bool:
        if one.op != other.op or (one.op == "expectation" and one.value[1] != other.value[1]):
            return False
        return all(
            a is b
            or (
                not (is_infinite(a) or is_infinite(b) or has_integrals(a, b))
                and self.is_zero(add(a, mul(MINUS_ONE, b)), variables)
            )
            for a, b in zip(one.args[1:], other.args[1:], strict=True)
        )

    def _settled(self, group: Node, variables: Mapping[str, Variable]) -> Node | None:
        """The value of a sum of integrals: 0 where the integrand vanishes, or a closed form."""
        body, name = group.args[0], bound_name(group)
        assert name is not None
        inside = {**variables, name: Variable(name)}
        if has_integrals(body):
            return ZERO if self.vanishes(body, inside, 0) else None
        if any(self.is_zero(body, each) for each in self._ranges(group, inside)):
            self.used["integrands that are equal"] = None
            return ZERO
        return self._value(group, variables)

    def _ranges(self, group: Node, variables: Mapping[str, Variable]) -> Iterator[Mapping[str, Variable]]:
        """What the variable of integration may be: any number; one between constant limits."""
        yield variables
        name = bound_name(group)
        assert name is not None
        if group.op == "expectation":
            if group.value[1] != "normal":
                high = ONE if group.value[1] == "uniform" else None
                yield {**variables, name: Variable(name, low=ZERO, high=high)}
            return
        low, high = between(*group.args[1:], variables)
        if low is not None or high is not None:
            yield {**variables, name: Variable(name, low=low, high=high)}

    def _mean_vanishes(self, group: Node, rest: Node, variables: Mapping[str, Variable]) -> bool:
        """Whether E body + rest is 0, after integration by parts."""
        body, name = group.args[0], bound_name(group)
        assert name is not None
        if group.value[1] != "normal" or has_integrals(body) or self.claim.is_complex:
            return False
        for left, assumed in reductions(body, name):
            if self.is_zero(summed(left, rest), {**variables, name: Variable(name)}):
                self.used["E z h(z) = E h'(z) for a standard normal z"] = None
                if assumed:
                    self.assumed[ASSUMED] = None
                return True
        return False

    # --- a limit is varied ---

    def _limits(self, groups: list[Node]) -> Iterator[str]:
        names = [end.value for group in groups for end in reversed(group.args[1:]) if end.op == "symbol"]
        yield from dict.fromkeys(n for n in names if n not in self.integers and n in self.variables)

    def _by_a_limit(
        self, groups: list[Node], rest: Node, name: str, variables: Mapping[str, Variable], depth: int
    ) -> bool:
        """Whether the derivative by a limit vanishes, and all of it where the limits meet.

        On the way from one limit to the other every integrand must be continuous, and the rest smooth.
        """
        b = symbol(name)
        start = self._meeting(groups, b)
        if start is None or has_integrals(rest) or self.claim.is_complex:
            return False
        if any(name in free_symbols(group.args[0]) for group in groups):
            return False
        known = []
        for group in groups:
            inner = conditions(group.args[0], variables=variables)
            own = bound_name(group)
            assert own is not None
            if inner is None or has_integrals(group.args[0]):
                return False
            ends = {group.args[1], group.args[2]}
            if ends == {start, b}:
                known += [replace(c, quantity=substitute(c.quantity, {symbol(own): b})) for c in inner]
            elif inner or conditions(*group.args[1:]) != []:
                return False
        wide = {n: (Variable(n) if n == name else v) for n, v in variables.items()}
        path = Path(name, known, wide)
        needed = conditions(rest, variables=wide)
        if needed is None or not certain_powers(rest, wide) or not all(map(path.keeps, needed)):
            return False
        at_start = substitute(rest, {b: start})
        if not self.is_zero(at_start, wide):
            return False
        try:
            slope = carried_out(derivative(summed(*groups, rest), name), self.integers)
        except GiveUp:
            return False
        if not self.vanishes(slope, wide, depth - 1):
            return False
        self.used[f"the derivative by the limit {name} vanishes, and everything where the limits meet"] = None
        return True

    def _meeting(self, groups: list[Node], b: Node) -> Node | None:
        """The value of a limit at which all integrals are over nothing."""
        starts = [
            other
            for group in groups
            for end, other in (group.args[1:], group.args[:0:-1])
            if end is b and not is_infinite(other) and b.value not in free_symbols(other)
        ]
        for start in dict.fromkeys(starts):
            ends = [tuple(substitute(end, {b: start}) for end in group.args[1:]) for group in groups]
            if all(low is high for low, high in ends):
                return start
        return None

    # --- integrals inside of other functions ---

    def _alike(self, difference: Node, variables: Mapping[str, Variable]) -> bool:
        """Integrals as free symbols, one for all that are the same: what holds for all values holds for theirs."""
        change: dict[Node, Node] = {}
        known: list[tuple[Node, Node]] = []
        for node in surface(difference):
            if node.op not in INTEGRALS:
                continue
            slot = next((s for each, s in known if self._same(each, node, variables)), None)
            if slot is None:
                slot = symbol(fresh_name("J", {*self.claim.domain.variables, *(s.value for _, s in known)}))
                known.append((node, slot))
            change[node] = slot
        kind = "complex" if self.claim.is_complex else "real"
        names = {slot.value: Variable(slot.value, kind) for _, slot in known}
        return self.is_zero(substitute(difference, change), {**variables, **names})

    def _same(self, one: Node, other: Node, variables: Mapping[str, Variable]) -> bool:
        if one.op != other.op:
            return False
        parts = Linear(ZERO, [(ONE, one), (MINUS_ONE, other)])
        groups, _ = self._groups(parts, variables)
        return len(groups) == 1 and self._settled(groups[0], variables) is ZERO
