"""Where does f(u, p) vanish?  Names as expressions in the others, by undoing operations one by one.

A product vanishes where one of its factors does: each choice of a factor for every residual is a branch of its own.
Where each equation can be solved for one of its names, solutions lie on the graph of a function, and a point of the
graph is a solution, exactly.  What holds on the graph holds wherever f(u, p) = 0, unless a divisor vanished on the way:
u v = p gives v = p/u, and no longer knows of u = 0.  Where a divisor D is not shown to be nonzero, D = 0 is put beside
the n equations.  If more than n names can be solved for in turn, what is lost has less dimensions than a solution u(p),
and all solutions are limits of those on the graph.

Only solutions with an invertible Jacobian count, so a factor that occurs twice, and one without any state, give none.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import islice, product
from math import prod

from verify.calculus.factors import factors
from verify.calculus.reverse import gradient
from verify.calculus.tidy import expanded, is_zero, powers, tidy
from verify.claim import Claim, Domain, Variable
from verify.decide.enclose.defined import conditions as where_real
from verify.decide.integrals.smooth import sign_of
from verify.decide.signs import Signs
from verify.graph import (
    HALF,
    ONE,
    PI,
    ZERO,
    Node,
    add,
    call,
    compare,
    div,
    free_symbols,
    mul,
    num,
    postorder,
    power,
    size,
    substitute,
    symbol,
)
from verify.numerics.straight import NoFloat, Straight
from verify.verdict import Verdict

#: Functions that take every value once on the real line, each with the function that undoes it.
_UNDONE = {
    "exp": "log", "log": "exp", "tanh": "atanh", "atanh": "tanh", "sinh": "asinh", "asinh": "sinh", "atan": "tan",
    "erf": "erfinv",
}  # fmt: skip

#: How near to zero a divisor counts as zero.
NEAR = 1e-7
#: Branches that are told apart.
MOST_BRANCHES = 16
#: Divisors that are looked at one because of the other.
DEEPEST = 2


@dataclass(frozen=True)
class Solved:
    """Names as expressions in the others, and the conditions under which these are solutions in the domain.

    certain     whether the conditions are known to be all; if not, a point that keeps them need be no solution.
    whole       whether no solution u(p) is shown to be lost; if not, what holds here need not hold everywhere.
    """

    at: dict[Node, Node]
    conditions: tuple[Node, ...]
    certain: bool = True
    whole: bool = True

    def __call__(self, node: Node) -> Node:
        """An expression on the set of solutions."""
        return substitute(node, self.at)


@dataclass(frozen=True)
class Isolated:
    """A name as the expression that makes f zero, under conditions, where none of the divisors is zero."""

    value: Node
    conditions: tuple[Node, ...] = ()
    divisors: tuple[Node, ...] = ()


Way = tuple[str, tuple[Isolated, ...]]
"""A name, and all that it can be."""


@dataclass(frozen=True)
class Branch:
    """Some of the solutions: those of one factor for each residual.

    equations   these factors.
    solved      the sets that make it up; None where the equations cannot be solved for their names.
    """

    equations: tuple[Node, ...]
    solved: tuple[Solved, ...] | None


@dataclass(frozen=True)
class SolutionSet:
    """How to solve for names.

    state       the names that are determined by the others.
    names       those that may be solved for, the first ones first among equals.
    signs       what is known of signs on the domain.
    points      solutions that are known: no divisor may vanish at those of the same branch.
    """

    residual: tuple[Node, ...]
    state: tuple[str, ...]
    names: tuple[str, ...]
    signs: Signs
    points: Sequence[Mapping[str, float]] = ()

    def branches(self) -> tuple[Branch, ...]:
        """All that there are."""
        choices = [self.factors(f) for f in self.residual]
        if prod(map(len, choices)) > MOST_BRANCHES:
            choices = [[f] for f in self.residual]
        found = []
        for equations in product(*choices):
            here = [point for point in self.points if is_at(equations, point)]
            pieces = list(islice(self._pieces(equations, (), {}, (), (), here), MOST_BRANCHES + 1))
            if None in pieces or len(pieces) > MOST_BRANCHES:
                found.append(Branch(equations, None))
                continue
            solved = [self._solved(equations, *piece) for piece in pieces if piece is not None]
            if whole := tuple(each for each in solved if each is not None):
                found.append(Branch(equations, whole))
        return tuple(found)

    def factors(self, f: Node) -> list[Node]:
        """Those that can vanish at a solution with an invertible Jacobian."""
        found = factors(f)
        if found is None:
            return [f]
        if len(found) == 1 and found[0][1] == 1:
            found = ((f, 1),)
        state, variables = set(self.state), self.signs.identities.domain.variables
        signs = {g: sign_of(g, variables) for g, times in found if times == 1 and free_symbols(g) & state}
        return [g for g, sign in signs.items() if sign is None or not sign[1]]

    def _pieces(
        self,
        equations: tuple[Node, ...],
        done: tuple[Node, ...],
        found: Mapping[Node, Node],
        conditions: tuple[Node, ...],
        lost: tuple[Node, ...],
        points: Sequence[Mapping[str, float]],
    ) -> Iterator[tuple[Mapping[Node, Node], tuple[Node, ...], tuple[Node, ...]] | None]:
        """(names as expressions, conditions, divisors), one after the other; None for what is not solved."""
        if not equations:
            yield found, conditions, lost
            return
        placed = [substitute(f, found) for f in equations]
        if any(map(is_zero, placed)):
            return  # one follows from the others: the Jacobian is singular
        i = self._first(placed, found, points)
        rest = (*equations[:i], *equations[i + 1 :])
        for g in self.factors(placed[i]) if done else [placed[i]]:
            way = self._way(g, found, [point for point in points if is_at((g,), point)])
            if way is None:
                yield None
                return
            name, values = way
            for one in values:
                more = (*lost, *_vanishing(one.divisors, self.signs))
                further = (*conditions, *one.conditions)
                yield from self._pieces(rest, (*done, g), _placed(found, name, one), further, more, points)

    def _first(
        self, equations: Sequence[Node], found: Mapping[Node, Node], points: Sequence[Mapping[str, float]]
    ) -> int:
        """The equation to be solved next: one of which a name has one value, without a loss if there is such."""
        ranks: list[int] = []
        for i, f in enumerate(equations if len(equations) > 1 else ()):
            way = self._way(f, found, points)
            rank = 3 if way is None else 2 if len(way[1]) > 1 else int(bool(_vanishing(way[1][0].divisors, self.signs)))
            if rank == 0:
                return i
            ranks.append(rank)
        return ranks.index(min(ranks)) if ranks else 0

    def _way(self, f: Node, found: Mapping[Node, Node], points: Sequence[Mapping[str, float]]) -> Way | None:
        """The name that f = 0 is solved for: one that loses nothing if there is one, and the shortest of these."""
        ways = [way for way in _ways(f, self.names, found) if _stays_away(way[1][0].divisors, points)]
        ways.sort(key=lambda way: (len(way[1]), size(way[1][0].value, *way[1][0].divisors)))
        return next((way for way in ways if not _vanishing(way[1][0].divisors, self.signs)), ways[0] if ways else None)

    def _solved(
        self,
        equations: tuple[Node, ...],
        found: Mapping[Node, Node],
        conditions: tuple[Node, ...],
        lost: tuple[Node, ...],
    ) -> Solved | None:
        """The graph with all its conditions; None if these cannot be kept."""
        domain = self.signs.identities.domain
        wanted = [*domain.conditions, *conditions]
        for name in found:
            v = domain.variables.get(name.value, Variable(name.value))
            wanted += [compare(v.low, "<=" if v.closed_low else "<", name)] if v.low is not None else []
            wanted += [compare(name, "<=" if v.closed_high else "<", v.high)] if v.high is not None else []
        free = Domain({n: domain.variables.get(n, Variable(n)) for n in sorted(free_symbols(*self.residual))})
        real = [where_real(Claim(node, ZERO, free)) for node in self.residual]
        real += [where_real(Claim(ZERO, value, _every(value, domain))) for value in found.values()]
        wanted += [condition for more in real for condition in more or ()]
        kept = tuple(dict.fromkeys(substitute(condition, found) for condition in wanted))
        if any(self._never(condition) for condition in kept):
            return None
        everything = tuple(domain.variables)
        whole = all(_is_thin((divisor, *equations), len(equations), everything, self.signs) for divisor in lost)
        certain = None not in real and all(free_symbols(c) or self._always(c) for c in kept)
        return Solved(dict(found), tuple(c for c in kept if free_symbols(c)), certain, whole)

    def _never(self, condition: Node) -> bool:
        """Whether a comparison is shown to hold nowhere on the domain."""
        if condition.op != "compare" or condition.value not in _TURNED:
            return False
        left, right = condition.args if condition.value in ("<", "<=") else condition.args[::-1]
        above = tidy(left - right)
        return self.signs.nonnegative(above) if condition.value in ("<", ">") else self.signs.positive(above)

    def _always(self, condition: Node) -> bool:
        """Whether a comparison of numbers is shown to hold."""
        if condition.op != "compare" or condition.value not in _TURNED:
            return False
        left, right = condition.args
        return self._never(compare(left, _TURNED[condition.value], right))


#: What a comparison is the opposite of.
_TURNED = {"<": ">=", "<=": ">", ">": "<=", ">=": "<"}


def _every(node: Node, domain: Domain) -> Domain:
    return Domain({name: domain.variables.get(name, Variable(name)) for name in sorted(free_symbols(node))})


def is_at(equations: Iterable[Node], point: Mapping[str, float]) -> bool:
    """Whether a known solution is one of these equations, too."""
    try:
        return all(abs(value) <= NEAR for value in Straight(tuple(equations))(point))
    except NoFloat:
        return True


def _ways(f: Node, names: Iterable[str], found: Mapping[Node, Node]) -> list[Way]:
    """The names that f = 0 can be solved for, but those that have been."""
    left = [name for name in names if symbol(name) not in found]
    ways: list[Way] = [(name, (one,)) for name in left if (one := isolated(f, name)) is not None]
    return ways or [(name, both) for name in left if (both := quadratic(f, name)) is not None]


def _placed(found: Mapping[Node, Node], name: str, one: Isolated) -> dict[Node, Node]:
    at = {symbol(name): one.value}
    return {key: substitute(old, at) for key, old in found.items()} | at


def _is_thin(equations: Sequence[Node], n: int, names: tuple[str, ...], signs: Signs, deepest: int = DEEPEST) -> bool:
    """Whether equations are shown to take more than n dimensions away, or to have no solution."""
    found: dict[Node, Node] = {}
    for f in equations:
        f = tidy(substitute(f, found))
        if signs.nonzero(f):
            return True
        verdict = signs.identities.decide(f, ZERO).verdict
        if verdict is Verdict.PROVED:
            continue
        ways = [way for way in _ways(f, names, found) if len(way[1]) == 1]
        if not ways:
            return len(found) >= n and _is_rational(f) and verdict is Verdict.REFUTED
        name, (one,) = min(ways, key=lambda way: size(way[1][0].value, *way[1][0].divisors))
        lost = _vanishing(one.divisors, signs)
        if lost and not (deepest and all(_is_thin((d, *equations), n, names, signs, deepest - 1) for d in lost)):
            return False
        found = _placed(found, name, one)
    return len(found) > n


def _vanishing(divisors: Sequence[Node], signs: Signs) -> list[Node]:
    """The factors of divisors that are not shown to be nonzero."""
    found: list[Node] = []
    for divisor in map(tidy, divisors):
        if divisor.op == "mul":
            found += _vanishing(divisor.args, signs)
        elif divisor.op == "pow":
            found += _vanishing(divisor.args[:1], signs)
        elif not signs.nonzero(divisor):
            found.append(divisor)
    return found


def _is_rational(node: Node) -> bool:
    """Whether it is a quotient of polynomials: if it is not 0 everywhere, its zeros have one dimension less."""
    return all(
        each.op in ("symbol", "num", "add", "mul")
        or (each.op == "pow" and each.args[1].op == "num" and each.args[1].value.denominator == 1)
        for each in postorder(node)
    )


def _stays_away(divisors: Sequence[Node], points: Sequence[Mapping[str, float]]) -> bool:
    """Whether no divisor is zero, or nearly so, at any of the points."""
    try:
        values = [value for point in points for value in Straight(divisors)(point)]
    except NoFloat:
        return False
    return all(abs(value) > NEAR for value in values)


def isolated(f: Node, name: str) -> Isolated | None:
    """The name where f is zero; None if no operation that has to be undone has one answer."""
    s, node, target = symbol(name), f, ZERO
    conditions: list[Node] = []
    divisors: list[Node] = []
    while node is not s:
        (slope,) = gradient(node, (name,))
        if slope is ZERO:
            return None
        if s not in set(postorder(slope)):
            value = tidy(div(target - substitute(node, {s: ZERO}), slope))
            return Isolated(value, tuple(conditions), (*divisors, slope))
        holding = [i for i, arg in enumerate(node.args) if s in set(postorder(arg))]
        if len(holding) != 1:
            cleared = _cleared(node - target, s)
            found = isolated(cleared, name) if cleared is not None else None
            return found and Isolated(found.value, (*conditions, *found.conditions), (*divisors, *found.divisors))
        (i,) = holding
        undone = _undone(node, i, target)
        if undone is None:
            return None
        if node.op == "mul":
            divisors += [arg for j, arg in enumerate(node.args) if j != i]
        node, target = node.args[i], tidy(undone[0])
        conditions += undone[1]
    return Isolated(target, tuple(conditions), tuple(divisors))


def quadratic(f: Node, name: str) -> tuple[Isolated, Isolated] | None:
    """Both values of a name where f is a polynomial of degree 2 in it; None if it is none."""
    s = symbol(name)
    found = [ZERO, ZERO, ZERO]
    for term in expanded(f) or ():
        exponent = powers(term).get(s, 0)
        rest = tidy(div(term, power(s, num(exponent)))) if exponent else term
        if exponent not in (0, 1, 2) or name in free_symbols(rest):
            return None
        found[exponent] = add(found[exponent], rest)
    c, b, a = map(tidy, found)
    if a is ZERO:
        return None
    under = tidy(b**2 - 4 * a * c)
    low, high = (
        Isolated(tidy(div(add(-b, mul(num(sign), power(under, HALF))), 2 * a)), (compare(ZERO, "<=", under),), (a,))
        for sign in (-1, 1)
    )
    return low, high


def _cleared(node: Node, s: Node) -> Node | None:
    """A sum of fractions as their common numerator; None where nothing with the symbol s stands below."""
    terms = expanded(node) or ()
    below: dict[Node, int] = {}
    for term in terms:
        for base, exponent in powers(term).items():
            if exponent < 0 and s in set(postorder(base)):
                below[base] = max(below.get(base, 0), -exponent)
    if not below:
        return None
    factor = [power(base, num(exponent)) for base, exponent in below.items()]
    raised = expanded(add(ZERO, *(tidy(mul(term, *factor)) for term in terms)))
    return None if raised is None else add(ZERO, *raised)


def _undone(node: Node, i: int, target: Node) -> tuple[Node, tuple[Node, ...]] | None:
    """What the argument i must be for the node to be the target, and where it then is."""
    others = (*node.args[:i], *node.args[i + 1 :])
    match node.op:
        case "add":
            return add(target, -add(*others)) if others else target, ()
        case "mul":
            return div(target, mul(*others)) if others else target, ()
        case "call" if node.value in _UNDONE and len(node.args) == 1:
            within = (compare(-PI / 2, "<", target), compare(target, "<", PI / 2)) if node.value == "atan" else ()
            return call(_UNDONE[node.value], target), within
        case "pow" if i == 0 and node.args[1].op == "num":
            exponent = node.args[1].value
            if exponent == -1:
                return div(ONE, target), ()
            if exponent.numerator == 1 and exponent.denominator % 2 == 0:
                return power(target, num(Fraction(exponent.denominator))), (compare(ZERO, "<=", target),)
        case _:
            pass
    return None
