"""Which slip was made with transposes, factors and signs, or which property of a matrix was taken for granted?

Single changes of the wrong side are tried, the likeliest first: one that holds at the point of the refutation is judged
like a claim.  Then the claim itself is judged for symmetric and for commuting matrices, and for n = 1.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import partial
from itertools import islice
from random import Random

from verify.claim import Claim, Domain, Shape, Variable
from verify.decide.enclose.hunt import Hunt
from verify.decide.enclose.points import Point
from verify.decide.prove.differentiate import carried_out
from verify.decide.prove.tower import GiveUp
from verify.decide.shaped.choices import with_functions
from verify.decide.shaped.instances import Instance, NoInstance, Unsupported, instances
from verify.graph import (
    HALF,
    MINUS_ONE,
    Node,
    abstract,
    add,
    call,
    derivative,
    free_symbols,
    hadamard_power,
    has_integrals,
    is_shaped,
    mul,
    neg,
    num,
    postorder,
    power,
    rebuild,
    symbol,
    transform,
    transpose,
)
from verify.language.write import write
from verify.mutate import places, replaced, siblings
from verify.shapes import ShapeError, Shapes, flipped, turned
from verify.verdict import Diagnosis, Verdict

DIFFERENTIAL = ("derivative", "gradient", "jacobian", "hessian", "divergence")
FACTORS = tuple(map(Fraction, ("2", "1/2", "-2", "-1/2", "3", "1/3", "4", "1/4")))
#: Stands in what a change says for the side that it is made on.
SIDE = "this side"
#: Changes that are tried, and those that are judged like claims.
MOST_TRIED, MOST_JUDGED = 240, 3
#: Denominators of numbers that nobody writes unless he means them.
LARGEST_DENOMINATOR = 1000


@dataclass(frozen=True)
class Change:
    """A slip that would explain the claim, and the formula without it."""

    slip: str
    says: str
    formula: Node


@dataclass(frozen=True)
class Refutation:
    """Where the claim fails: an instance with its functions, and the exact point."""

    instance: Instance
    point: Point


def diagnose(claim: Claim, where: Refutation, *, seed: int = 0) -> tuple[Diagnosis | None, str | None]:
    """The slip that explains a refuted claim, and the correct formula for its wrong side; None for what was not found.

    The right-hand side is taken for the wrong one, unless only that one has a derivative.
    """
    from verify.decide.shaped.stages import judged

    left_is_wrong = _differentiates(claim.rhs) and not _differentiates(claim.lhs)
    formula = claim.lhs if left_is_wrong else claim.rhs
    shapes = Shapes(claim.domain.variables)
    other = claim.rhs if left_is_wrong else claim.lhs
    side = "lhs" if left_is_wrong else "rhs"

    def explained(changes: Iterable[Change]) -> tuple[Diagnosis, str] | None:
        found = 0
        for change in changes:
            if change.formula is other:
                continue
            repaired = replace(claim, text="", notes=(), **{side: change.formula})
            if not _holds_there(repaired, where):
                continue
            verdict = judged(repaired, seed)
            if verdict >= Verdict.SUPPORTED:
                correction = transform(change.formula, _one_number)
                says = change.says.replace(SIDE, f"the {'left' if left_is_wrong else 'right'}-hand side", 1)
                return Diagnosis(change.slip, says, verdict), write(correction, claim.domain.variables)
            found += 1
            if found >= MOST_JUDGED:
                break
        return None

    if (answer := explained(islice(_changes(formula, claim, shapes), MOST_TRIED))) is not None:
        return answer
    for slip, says, special, sizes in _hypotheses(claim):
        each = [None] if sizes is None else [[one] for one in sizes]
        verdict = min(judged(special, seed, choices) for choices in each)
        if verdict >= Verdict.SUPPORTED:
            truth = _derived(claim, other, left_is_wrong, seed)
            return Diagnosis(slip, says, verdict), None if truth is None else write(truth, claim.domain.variables)
    truth = _derived(claim, other, left_is_wrong, seed)
    if truth is None:
        return None, None
    answer = explained(_against(truth, formula, claim, shapes))
    return (None if answer is None else answer[0]), write(truth, claim.domain.variables)


def _derived(claim: Claim, other: Node, left_is_wrong: bool, seed: int) -> Node | None:
    """The other side with its derivatives carried out, where that is found and at least supported."""
    from verify.calculus.matrix_derivative import carried_out as in_matrices
    from verify.decide.shaped.stages import judged

    if not _differentiates(other):
        return None
    try:
        formula = in_matrices(other, claim.domain.variables, structured=claim.domain.structured)
    except ValueError:
        return None
    if _differentiates(formula) and formula is other:
        return None
    side = {"lhs": formula} if left_is_wrong else {"rhs": formula}
    return None if judged(replace(claim, text="", notes=(), **side), seed) < Verdict.SUPPORTED else formula


def _against(truth: Node, formula: Node, claim: Claim, shapes: Shapes) -> Iterator[Change]:
    """What the true formula has that the claimed one lacks: a term, or a factor of one."""
    terms = _terms(truth)
    if len(terms) > 1:
        for term in terms:
            says = f"the term {write(term, claim.domain.variables)} is missing"
            yield Change("missing-term", says, add(formula, term))
    scalars = dict.fromkeys(
        factor
        for node in postorder(truth)
        if node.op == "mul"
        for factor in node.args
        if factor.op != "num" and free_symbols(factor) <= claim.domain.variables.keys() and not shapes.of(factor)
    )
    own = formula.args if formula.op == "add" else (formula,)
    for factor in scalars:
        for i, term in enumerate(own):
            says = f"the term {write(_without_sign(term), claim.domain.variables)} lacks the factor {write(factor)}"
            new = (*own[:i], mul(factor, term), *own[i + 1 :])
            yield Change("missing-factor", says, add(*new) if len(new) > 1 else new[0])


def _terms(node: Node) -> tuple[Node, ...]:
    """The terms of a sum, of which a product may consist beside other factors."""
    if node.op == "add":
        return node.args
    sums = [i for i, factor in enumerate(node.args) if factor.op == "add"] if node.op == "mul" else []
    if len(sums) != 1:
        return (node,)
    (i,) = sums
    return tuple(mul(*node.args[:i], term, *node.args[i + 1 :]) for term in node.args[i].args)


def _one_number(node: Node) -> Node | None:
    """The numbers of a product multiplied, for the reader."""
    if node.op != "mul" or sum(factor.op == "num" for factor in node.args) < 2:
        return None
    number = mul(*(factor for factor in node.args if factor.op == "num"))
    return mul(number, *(factor for factor in node.args if factor.op != "num"))


def _differentiates(node: Node) -> bool:
    return any(inner.op in DIFFERENTIAL for inner in postorder(node))


def _holds_there(claim: Claim, where: Refutation) -> bool:
    """Whether the entries agree at the point that refutes the original claim."""
    try:
        for instance in instances(claim, where.instance.sizes):
            chosen = with_functions(instance, where.instance.functions) if instance.places else instance
            weights = [num(k % 7 + 1) for k in range(sum(map(len, chosen.lhs)))]
            here = chosen.combined(weights)
            hunt = Hunt(here, Random(0))
            if hunt.judge({name: where.point[name] for name in here.domain.variables}).kind == "agree":
                return True
    except (NoInstance, Unsupported, ShapeError, KeyError):
        return False
    return False


# --- single changes ---------------------------------------------------------------------------------


def _changes(formula: Node, claim: Claim, shapes: Shapes) -> Iterator[Change]:
    """All single changes that leave the shape as it is, each different formula once."""
    seen = {formula}
    shape = shapes.of(formula)
    for change in (*_of_the_whole(formula, shape, shapes), *_within(formula, claim, shapes)):
        if change.formula not in seen:
            seen.add(change.formula)
            try:
                fits = shapes.of(change.formula) == shape
            except ShapeError:
                continue
            if fits:
                yield change


def _of_the_whole(formula: Node, shape: Shape, shapes: Shapes) -> Iterator[Change]:
    yield Change("sign", f"{SIDE} is -1 times the truth", _negated(formula))
    if shape == flipped(shape) and shape:
        yield Change("transpose", f"{SIDE} is the transpose of the truth", turned(formula, shapes))
    for factor in FACTORS:
        many = abs(factor) < 1
        says = f"{SIDE} has a factor {1 / factor} too many" if many else f"{SIDE} lacks a factor {factor}"
        yield Change("factor", says, mul(num(factor), formula))


def _within(formula: Node, claim: Claim, shapes: Shapes) -> Iterator[Change]:
    occurrences = list(places(formula, 300))
    for rule in (
        _numbers,
        _signs,
        _transposes,
        _orders,
        _factors_of_terms,
        _lost_factors,
        _symmetric_parts,
        _lost_transposes,
        _powers,
        _siblings,
        partial(_swaps, claim),
    ):
        for place, node in occurrences:
            for slip, says, new in rule(node, shapes):
                yield Change(slip, says, replaced(formula, place, new))
    for factor in _scalars(claim, shapes):
        says = f"{SIDE} lacks a factor {write(factor, claim.domain.variables)}"
        yield Change("missing-factor", says, mul(factor, formula))


Slips = Iterator[tuple[str, str, Node]]


def _numbers(node: Node, _: Shapes) -> Slips:
    if node.op == "num" and node.value.denominator > LARGEST_DENOMINATOR:
        rounded = node.value.limit_denominator(LARGEST_DENOMINATOR)
        yield "rounding", f"{node.value} for {rounded}", num(rounded)


def _signs(node: Node, _: Shapes) -> Slips:
    if node.op == "add":
        for i, term in enumerate(node.args):
            positive = _without_sign(term)
            new = add(*node.args[:i], _negated(term), *node.args[i + 1 :])
            yield "sign", f"the sign of {write(positive)} is wrong", new


def _factors_of_terms(node: Node, shapes: Shapes) -> Slips:
    """One term of a sum of vectors or matrices is twice, or half, what it should be."""
    if node.op == "add" and shapes.of(node):
        for i, term in enumerate(node.args):
            for factor, says in ((num(2), "lacks a factor 2"), (HALF, "has a factor 2 too many")):
                new = add(*node.args[:i], _scaled(factor, term), *node.args[i + 1 :])
                yield "factor", f"the term {write(_without_sign(term))} {says}", new


def _negated(term: Node) -> Node:
    """-term, with one sign where there is one already."""
    return _scaled(MINUS_ONE, term)


def _scaled(factor: Node, term: Node) -> Node:
    """factor * term for a number, with one number in front."""
    if term.op == "mul" and term.args[0].op == "num":
        return mul(num(factor.value * term.args[0].value), *term.args[1:])
    return neg(term) if factor is MINUS_ONE else mul(factor, term)


def _without_sign(term: Node) -> Node:
    return mul(*term.args[1:]) if term.op == "mul" and term.args[0] is MINUS_ONE else term


def _transposes(node: Node, shapes: Shapes) -> Slips:
    shape = shapes.of(node)
    if len(shape) == 2 and shape[0] == shape[1] and node.op not in ("mul", "add"):
        new = transpose(node)
        yield "transpose", f"{write(node)} in place of {write(new)}", new


def _orders(node: Node, shapes: Shapes) -> Slips:
    if node.op == "mul":
        for i in range(len(node.args) - 1):
            one, other = node.args[i], node.args[i + 1]
            if shapes.of(one) and shapes.of(other):
                new = mul(*node.args[:i], other, one, *node.args[i + 2 :])
                yield "commute", f"{write(one)} and {write(other)} stand in the wrong order", new


def _lost_factors(node: Node, shapes: Shapes) -> Slips:
    if node.op != "mul":
        return
    for i, factor in enumerate(node.args):
        if not shapes.of(factor) and factor is not MINUS_ONE:
            rest = (*node.args[:i], *node.args[i + 1 :])
            yield "factor", f"the factor {write(factor)} is too many", mul(*rest)


def _powers(node: Node, shapes: Shapes) -> Slips:
    """An exponent off by one; 1 is one too."""
    if node.op in ("pow", "hadamard_pow") and node.args[1].op == "num":
        base, exponent = node.args
        for step in (1, -1):
            if exponent.value + step != 0:
                new = rebuild(node, (base, num(exponent.value + step))) if exponent.value + step != 1 else base
                yield "power", f"{write(node)} in place of {write(new)}", new
    elif node.op == "call" and node.value not in ("eye", "ones", "sum"):
        new = hadamard_power(node, num(2)) if shapes.of(node) else power(node, num(2))
        yield "power", f"{write(node)} in place of {write(new)}", new


def _siblings(node: Node, _: Shapes) -> Slips:
    for new in siblings(node):
        yield "function", f"{write(node)} in place of {write(new)}", new


def _swaps(claim: Claim, node: Node, shapes: Shapes) -> Slips:
    """A name in place of another one of its shape."""
    if node.op == "symbol" and node.value in claim.domain.variables:
        own = claim.domain.variables[node.value]
        for name, variable in claim.domain.variables.items():
            if (
                name != node.value
                and variable.field == own.field
                and not variable.of
                and shapes.of(symbol(name)) == shapes.of(node)
            ):
                yield "swap", f"{node.value} in place of {name}", symbol(name)


def _symmetric_parts(node: Node, shapes: Shapes) -> Slips:
    shape = shapes.of(node)
    if node.op in ("symbol", "abstract") and len(shape) == 2 and shape[0] == shape[1]:
        new = mul(HALF, add(node, transpose(node)))
        yield "symmetry", f"{write(node)} in place of {write(new)}: right only if {write(node)} is symmetric", new


def _lost_transposes(node: Node, shapes: Shapes) -> Slips:
    shape = shapes.of(node)
    if len(shape) == 2 and shape[0] == shape[1]:
        yield "missing-term", f"the term with {write(transpose(node))} is missing", add(node, transpose(node))


def _scalars(claim: Claim, shapes: Shapes) -> Iterator[Node]:
    """Derivatives of the arguments of abstract functions, which a chain rule needs; scalar names and functions."""
    nodes = list(dict.fromkeys(postorder(claim.lhs, claim.rhs)))
    by = dict.fromkeys(node.value[0] for node in nodes if node.op == "derivative")
    for node in nodes:
        if node.op == "abstract":
            inner = [arg for arg in node.args if arg.op != "symbol" and not is_shaped(arg) and not shapes.of(arg)]
            inner = [arg for arg in inner if free_symbols(arg) <= claim.domain.variables.keys()]
            with suppress(GiveUp):
                yield from (carried_out(derivative(arg, name)) for arg in inner for name in by)
    for node in nodes:
        bound = not free_symbols(node) <= claim.domain.variables.keys()
        if node.op in ("symbol", "call", "abstract") and not bound and not shapes.of(node):
            yield node
    if has_integrals(*nodes):
        # A variance where a deviation, or nothing, stands.
        yield from (power(n, num(2)) for n in nodes if n.op == "symbol" and n.value in claim.domain.variables)


# --- hypotheses --------------------------------------------------------------------------------------


def _hypotheses(claim: Claim) -> Iterator[tuple[str, str, Claim, list[Mapping[str, int]] | None]]:
    """Special cases in which the claim may hold: slip, what to say, the claim for them, and sizes."""
    domain = claim.domain
    yield from _conventions(claim)
    square = [v for v in domain.variables.values() if len(v.shape) == 2 and len(set(v.shape)) == 1 and not v.structure]
    for variable in square:
        name = variable.name
        special = _declared(claim, replace(variable, structure="symmetric"))
        yield "symmetry", f"holds only if {name} is symmetric", special, None
    for variable in square:
        if variable.of:
            t = variable.of[0]
            says = f"holds only if {variable.name} and its derivative by {t} commute"
            yield "commute", says, _commuting_with_its_derivative(claim, variable), None
    for i, one in enumerate(square):
        for other in square[i + 1 :]:
            if one.shape == other.shape and not other.of and not one.of and not _differentiated(claim, other.name):
                says = f"holds only if {one.name} and {other.name} commute"
                yield "commute", says, _commuting(claim, one, other), None
    sizes = [v.name for v in domain.variables.values() if v.field == "size"]
    if sizes:
        names, alone = " = ".join(sizes), replace(claim, text="", notes=())
        yield "size", f"holds for {names} < 3 only", alone, [dict.fromkeys(sizes, 2), dict.fromkeys(sizes, 1)]
        yield "size", f"holds for {names} = 1 only", alone, [dict.fromkeys(sizes, 1)]


def _conventions(claim: Claim) -> Iterator[tuple[str, str, Claim, None]]:
    """The other reading of a derivative by a matrix with structure."""
    by = [v for v in claim.domain.variables.values() if v.structure and _differentiated(claim, v.name)]
    if by:
        domain = claim.domain
        name, structure = by[0].name, by[0].structure
        ways = (f"vary together, as those of {structure} matrices", "are treated as independent")
        says = f"right if the entries of {name} {ways[domain.structured]}, wrong if they {ways[not domain.structured]}"
        yield "symmetry", says, replace(claim, domain=replace(domain, structured=not domain.structured)), None


def _declared(claim: Claim, variable: Variable) -> Claim:
    domain = replace(claim.domain, variables={**claim.domain.variables, variable.name: variable})
    return replace(claim, domain=domain, text="", notes=())


def _differentiated(claim: Claim, name: str) -> bool:
    by_scalar = any(n.op == "derivative" and n.value[0] == name for n in postorder(claim.lhs, claim.rhs))
    return by_scalar or any(n.op in DIFFERENTIAL and n.value == name for n in postorder(claim.lhs, claim.rhs))


def _fresh(domain: Domain, name: str) -> str:
    while name in domain.variables:
        name += "_"
    return name


def _commuting_with_its_derivative(claim: Claim, variable: Variable) -> Claim:
    """The claim for A = a K with a number a that depends on t and a constant matrix K."""
    a, k = _fresh(claim.domain, "a"), _fresh(claim.domain, "K")

    def change(node: Node) -> Node | None:
        if node.op == "abstract" and node.value[0] == variable.name:
            return mul(abstract(a, node.args, node.value[1]), symbol(k))
        return None

    own = {a: Variable(a, of=variable.of), k: Variable(k, shape=variable.shape)}
    return _changed(claim, change, own)


def _commuting(claim: Claim, one: Variable, other: Variable) -> Claim:
    """The claim for B = a I + b A, which commutes with A."""
    a, b = _fresh(claim.domain, "a"), _fresh(claim.domain, "b")
    n = one.shape[0]
    identity = call("eye", num(n) if isinstance(n, int) else symbol(n))
    instead = add(mul(symbol(a), identity), mul(symbol(b), symbol(one.name)))

    def change(node: Node) -> Node | None:
        return instead if node.op == "symbol" and node.value == other.name else None

    return _changed(claim, change, {a: Variable(a), b: Variable(b)})


def _changed(claim: Claim, change: Callable[[Node], Node | None], own: Mapping[str, Variable]) -> Claim:
    domain = replace(claim.domain, variables={**claim.domain.variables, **own})
    return Claim(transform(claim.lhs, change), transform(claim.rhs, change), domain)
