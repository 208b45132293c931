"""Is a claim on sums true for every upper end?  Proved at the first one, and from each to the next.

With D(n) = lhs - rhs and S(n) a sum up to n, D(n + 1) - D(n) has S(n) and one more term in place of S(n + 1).  If that
is zero for whatever value S(n) has, and D is zero at the first n, D is zero at every n.  The chain must not break:
wherever D(n) is defined so are D at all smaller numbers, apart from a set without inner points.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction

from flint import fmpq, fmpq_poly

from verify.claim import Claim, Domain, Variable
from verify.decide.prove.differentiate import carried_out
from verify.decide.prove.proof import prove
from verify.decide.prove.tower import GiveUp, Restart
from verify.graph import ONE, ZERO, Node, abstract, add, free_symbols, num, postorder, substitute, symbol
from verify.verdict import Evidence, Rigor

ROUTE = "proof by induction"
RELIES_ON = frozenset({"normal-forms", "induction"})
#: Functions that are defined everywhere.
ENTIRE = frozenset({"sin", "cos", "exp", "sinh", "cosh", "tanh", "atan", "asinh", "erf"})
#: The largest number at which the induction may begin.
LATEST_START = 12


@dataclass(frozen=True)
class Series:
    """A sum up to `counter` + shift: `node` as it stands, and its term at a given place."""

    node: Node
    shift: int

    @property
    def first(self) -> int:
        return int(self.node.args[1].value)

    def term(self, place: Node) -> Node:
        return substitute(self.node.args[0], {symbol(self.node.value): place})


def counters(claim: Claim) -> tuple[str, ...]:
    """The names, declared as integers, up to which the claim sums."""
    sums = (node for node in postorder(claim.lhs, claim.rhs) if node.op == "sum")
    names = dict.fromkeys(name for node in sums for end in node.args[1:] for name in sorted(free_symbols(end)))
    known = claim.domain.variables
    return tuple(name for name in names if name in known and known[name].field == "integer")


def prove_by_induction(claim: Claim, *, seed: int = 0) -> Evidence:
    """Evidence that holds (rigor exact) for every upper end of the sums, or could not tell, with `detail["reason"]`.

    detail of a proof: `method`, and `first`, the number at which it begins.
    """
    try:
        counter, sums = _read(claim)
        first = _first(claim, counter, sums)
        for root in (claim.lhs, claim.rhs):
            _check_chain(root, counter, first, claim)
        base, step = _base(claim, counter, first), _step(claim, counter, sums, first)
    except (GiveUp, Restart) as obstacle:
        return _none(str(obstacle) or "a derivative has no rule")
    for name, part in (("first", base), ("next", step)):
        proof = prove(part, seed=seed)
        if not proof.holds:
            return _none(f"no induction: the {name} step: {proof.detail.get('reason', 'no proof')}")
    detail = {"method": f"induction on {counter} from {first}", "first": first}
    return Evidence(ROUTE, Rigor.EXACT, True, RELIES_ON, detail=detail)


def _none(reason: str) -> Evidence:
    return Evidence(ROUTE, Rigor.EXACT, None, RELIES_ON, detail={"reason": reason})


def _read(claim: Claim) -> tuple[str, tuple[Series, ...]]:
    """The one name up to which all sums go, and the sums.  Raises GiveUp for sums of another form."""
    domain = claim.domain
    if claim.is_complex or domain.everywhere:
        raise GiveUp("induction is tried for real claims apart from their kinks")
    if any(v.shape or v.of for v in domain.variables.values()):
        raise GiveUp("induction is tried for sums of numbers")
    sums = tuple(node for node in postorder(claim.lhs, claim.rhs) if node.op == "sum")
    names = {name for node in sums for end in node.args[1:] for name in free_symbols(end)}
    if len(names) != 1:
        raise GiveUp("induction is tried for sums up to one name")
    (counter,) = names
    return counter, tuple(_series(node, counter) for node in sums)


def _series(node: Node, counter: str) -> Series:
    body, low, high = node.args
    shift, *slope = _polynomial(high, counter, integral=True)
    if slope != [1] or low.op != "num" or low.value.denominator != 1:
        raise GiveUp(f"induction is tried for sums from a number up to {counter} plus a number")
    if counter in free_symbols(body) or any(inner.op == "sum" for inner in postorder(body)):
        raise GiveUp("induction is tried for sums whose terms know neither the end nor another sum")
    return Series(node, int(shift))


def _first(claim: Claim, counter: str, sums: Iterable[Series]) -> int:
    """The least admissible number: its set begins there, or the sums have no term yet."""
    variable = claim.domain.variables[counter]
    start = max(series.first - 1 - series.shift for series in sums)
    if variable.field == "size":
        start = max(start, 1)
    conditions = [c for c in claim.domain.conditions if counter in free_symbols(c)]
    bounds = [(variable.low, not variable.closed_low)] if variable.low is not None else []
    if variable.high is not None:
        raise GiveUp(f"{counter} has a largest value")
    for condition in conditions:
        left, right = condition.args if condition.op == "compare" else (ZERO, ZERO)
        sign = condition.value
        if right is symbol(counter):
            left, right, sign = right, left, {"<": ">", "<=": ">="}.get(sign, "")
        if left is not symbol(counter) or sign not in (">", ">="):
            raise GiveUp(f"the condition on {counter} is no lower bound")
        bounds.append((right, sign == ">"))
    for bound, strict in bounds:
        if bound.op != "num":
            raise GiveUp(f"the lower bound of {counter} is no number")
        least = -(-bound.value.numerator // bound.value.denominator)
        start = max(start, least + (strict and bound.value == least))
    if start > LATEST_START:
        raise GiveUp(f"the induction would begin at {start}")
    return start


# --- does the chain hold? --------------------------------------------------------------------------


def _check_chain(root: Node, counter: str, first: int, claim: Claim) -> None:
    """Raise GiveUp unless what depends on the counter is defined at all numbers from the first one on.

    What does not depend on it is defined at all of them or at none.  A power with the counter in its exponent has a
    base that vanishes on no open set; a reciprocal of a polynomial in the counter has no root from the first on.
    Terms of the sums need no such thing: those of a shorter sum are among those of a longer one.
    """
    for node in _outside(root):
        if counter not in free_symbols(node):
            continue
        match node.op:
            case "symbol" | "add" | "mul" | "derivative":
                pass
            case "pow" if counter in free_symbols(node.args[1]):
                _polynomial(node.args[1], counter, integral=True)
                if counter in free_symbols(node.args[0]) or not _generic(node.args[0], claim):
                    raise GiveUp(f"a power with {counter} in its exponent, of a base that may vanish or be negative")
            case "pow":
                exponent = node.args[1]
                if exponent.op != "num":
                    raise GiveUp(f"a power of what depends on {counter}, with an exponent that is no number")
                if exponent.value.denominator != 1:
                    _check_positive(_polynomial(node.args[0], counter), counter, first)
                elif exponent.value < 0:
                    _check_roots(_polynomial(node.args[0], counter), counter, first)
            case "call" if node.value in ENTIRE:
                pass
            case "call" if node.value == "log":
                _check_positive(_polynomial(node.args[0], counter), counter, first)
            case "call" if node.value in ("factorial", "gamma"):
                argument = _polynomial(node.args[0], counter, integral=True)
                least = argument[0] + first * argument[1]
                if len(argument) > 2 or argument[1] < 0 or least < (node.value == "gamma"):
                    raise GiveUp(f"{node.value} of what may be no positive whole number")
            case _:
                raise GiveUp(f"{node.value or node.op} of what depends on {counter}")


def _outside(root: Node) -> set[Node]:
    """The nodes that stand outside of sums (they may stand inside as well)."""
    seen: set[Node] = set()
    stack = [root]
    while stack:
        node = stack.pop()
        if node not in seen and node.op != "sum":
            seen.add(node)
            stack.extend(node.args)
    return seen


def _polynomial(node: Node, counter: str, *, integral: bool = False) -> list[Fraction]:
    """The coefficients of a polynomial in the counter alone, lowest first, two at least; GiveUp for anything else."""
    values: dict[Node, fmpq_poly] = {}
    for inner in postorder(node):
        args = [values[arg] for arg in inner.args]
        if inner.op == "num":
            values[inner] = fmpq_poly([fmpq(inner.value.numerator, inner.value.denominator)])
        elif inner is symbol(counter):
            values[inner] = fmpq_poly([0, 1])
        elif inner.op == "add":
            values[inner] = sum(args, fmpq_poly([0]))
        elif inner.op == "mul":
            value = fmpq_poly([1])
            for arg in args:
                value *= arg
            values[inner] = value
        elif inner.op == "pow" and args[1].degree() <= 0 and inner.args[1].value in range(9):
            values[inner] = args[0] ** int(inner.args[1].value)
        else:
            raise GiveUp(f"no polynomial in {counter} where one is needed")
    coefficients = [Fraction(int(c.p), int(c.q)) for c in values[node].coeffs()]
    coefficients += [Fraction(0)] * (2 - len(coefficients))
    if integral and any(c.denominator != 1 for c in coefficients):
        raise GiveUp(f"what may be no whole number at a whole {counter}")
    return coefficients


def _check_roots(coefficients: list[Fraction], counter: str, first: int) -> None:
    """Raise GiveUp where the polynomial vanishes at a whole number from the first on."""
    while coefficients and not coefficients[-1]:
        coefficients = coefficients[:-1]
    if not coefficients:
        raise GiveUp("a reciprocal of zero")
    beyond = 1 + max((abs(c / coefficients[-1]) for c in coefficients[:-1]), default=Fraction(0))  # Cauchy's bound
    if beyond > 1000:
        raise GiveUp(f"a denominator that may vanish at a large {counter}")
    for n in range(first, int(beyond) + 2):
        if not sum(c * n**k for k, c in enumerate(coefficients)):
            raise GiveUp(f"a denominator vanishes at {counter} = {n}")


def _check_positive(coefficients: list[Fraction], counter: str, first: int) -> None:
    """Raise GiveUp unless the polynomial is seen to be positive from the first number on: in powers of n - first."""
    shifted = fmpq_poly([fmpq(c.numerator, c.denominator) for c in coefficients])(fmpq_poly([first, 1])).coeffs()
    if not shifted or shifted[0] <= 0 or any(c < 0 for c in shifted):
        raise GiveUp(f"a root or logarithm of what may be negative at some {counter}")


def _generic(base: Node, claim: Claim) -> bool:
    """Whether a base certainly vanishes on no open set: a number that is not 0, or a polynomial that is not."""
    values: dict[Node, Fraction] = {}
    at = {name: Fraction(7 + 4 * k, 3) for k, name in enumerate(sorted(claim.domain.variables))}
    for node in postorder(base):
        if node.op == "num":
            values[node] = node.value
        elif node.op == "symbol":
            values[node] = at[node.value]
        elif node.op == "add":
            values[node] = sum((values[arg] for arg in node.args), Fraction(0))
        elif node.op == "mul":
            values[node] = Fraction(1)
            for arg in node.args:
                values[node] *= values[arg]
        elif node.op == "pow" and node.args[1].op == "num" and node.args[1].value in range(1, 9):
            values[node] = values[node.args[0]] ** int(node.args[1].value)
        else:
            return False
    return values[base] != 0


# --- the two steps -----------------------------------------------------------------------------------


def _base(claim: Claim, counter: str, first: int) -> Claim:
    """The claim at the first number, its sums written out."""
    done: dict[Node, Node] = {}
    at = {symbol(counter): num(first)}
    change: dict[Node, Node] = {}
    for node in postorder(claim.lhs, claim.rhs):
        if node.op == "sum":
            low, high = int(node.args[1].value), substitute(node.args[2], at)
            index = symbol(node.value)
            terms = [substitute(node.args[0], {index: num(k)}) for k in range(low, int(high.value) + 1)]
            change[node] = add(*terms) if terms else ZERO
    for side in (claim.lhs, claim.rhs):
        done[side] = carried_out(substitute(substitute(side, change), at))
    variables = {name: v for name, v in claim.domain.variables.items() if name != counter}
    conditions = tuple(c for c in claim.domain.conditions if counter not in free_symbols(c))
    return Claim(done[claim.lhs], done[claim.rhs], Domain(variables, conditions))


def _step(claim: Claim, counter: str, sums: Iterable[Series], first: int) -> Claim:
    """D(n + 1) = D(n), where the sums up to n are functions of which nothing is known."""
    taken = set(claim.domain.variables)
    now: dict[Node, Node] = {}
    following: dict[Node, Node] = {}
    stand_ins: dict[Node, Node] = {}
    for k, series in enumerate(sums):
        name = f"S_{k + 1}"
        while name in taken:
            name += "_"
        taken.add(name)
        inside = sorted(free_symbols(series.node))
        inside = [x for x in inside if x != counter]
        unknown = abstract(name, map(symbol, inside)) if inside else symbol(name)
        place = add(symbol(counter), num(series.shift + 1)) if series.shift + 1 else symbol(counter)
        stand_ins[series.node] = symbol(f"{name}_next")
        now[series.node] = unknown
        following[symbol(f"{name}_next")] = add(unknown, series.term(place))
    up = {symbol(counter): add(symbol(counter), ONE)}

    def later(side: Node) -> Node:
        return substitute(substitute(substitute(side, stand_ins), up), following)

    lhs = carried_out(later(claim.lhs) - later(claim.rhs), frozenset({counter}))
    rhs = carried_out(substitute(claim.lhs, now) - substitute(claim.rhs, now), frozenset({counter}))
    variables = dict(claim.domain.variables)
    variables[counter] = Variable(counter, "integer", low=num(first), closed_low=True)
    change: dict[Node, Node] = {}
    for node in postorder(lhs, rhs):
        if node.op == "abstract" or (node.op == "symbol" and node.value not in variables):
            name = f"{node.value if node.op == 'symbol' else node.value[0]}_{len(change) + 1}"
            while name in variables:
                name += "_"
            change[node] = symbol(name)
            variables[name] = Variable(name)
    conditions = tuple(c for c in claim.domain.conditions if counter not in free_symbols(c))
    return Claim(substitute(lhs, change), substitute(rhs, change), Domain(variables, conditions))
