"""Is a map one-to-one on its whole domain?  An argument, or two places that show it is not.

One-to-one, where the domain is a product of intervals and the map is smooth on it:

    inverse       S(T(z)) = z for an S in closed form
    monotone      one variable, dT/dz of one sign
    triangular    in some order, every entry is monotone in its own variable and free of those that follow
    one unit      T(z) - z depends on z by one affine form a(z) alone, and det dT/dz has one sign: a -> a + w.g(a) is
                  monotone, so T(z) fixes a, and a fixes z                                    (planar flows)
    radial        T(z) - c = (z - c) q(r), r = |z - c|, with q > 0 and d/dr (r q) > 0
    monotone      d/dz (T) + its transpose is positive definite: (T(y) - T(z)).(y - z) > 0    (small residuals)
    minors        every principal minor of dT/dz is positive (Gale and Nikaido 1965)

Not one-to-one: det dT/dz has both signs, T being continuous on a segment in between (the degree of a one-to-one map is
1 or -1 on a connected set; in one variable it is the intermediate value theorem); it vanishes identically; or two
exact points have the same image.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import combinations, permutations, product
from math import inf
from random import Random

from flint import acb, arb, ctx

from verify.calculus.inverse_map import inverses
from verify.calculus.jacobians import Matrix, determinant, jacobian
from verify.calculus.maps import OneUnit, map_determinant, one_unit, radial, vanishes
from verify.calculus.tidy import scaled, tidy
from verify.claim import Claim, Variable
from verify.decide.densities.parts import Judge, jumps
from verify.decide.densities.signs import Signs
from verify.decide.enclose.balls import Program
from verify.decide.enclose.decimals import decimal
from verify.decide.enclose.jets import NoValue
from verify.decide.enclose.points import Point, Sampler, rational, write_point
from verify.decide.integrals.smooth import conditions
from verify.decide.prove.differentiate import is_analytic
from verify.decide.prove.proof import prove
from verify.decide.prove.tower import GiveUp
from verify.decide.systems.identity import Identities
from verify.densities import FlowProblem, images
from verify.graph import (
    PI,
    ZERO,
    Node,
    compare,
    free_symbols,
    num,
    postorder,
    substitute,
    symbol,
)
from verify.language.write import write
from verify.numerics.straight import NoFloat, Straight
from verify.verdict import Counterexample, Evidence, Rigor, Verdict

ROUTE = "one-to-one"
#: States up to which minors are looked at one by one; draws of parameters and of states in the search for a fold.
MOST_STATES, PARAMETERS, STATES = 5, 10, 160
#: Cuts of a segment on which a map is enclosed.
MOST_CUTS = 200
#: Changes of a point on the way to a negative determinant, and how negative it must be to be looked at.
DESCENT, LEAST = 600, 1e-3
#: What may be rounding.
ROUNDING = 1e-12
_HALF = Fraction(1, 2)
OPEN = "no argument applies, and no two points with one image were found"


@dataclass(frozen=True)
class Finding:
    """Whether a map is one-to-one, and why."""

    holds: bool | None
    evidence: tuple[Evidence, ...] = ()
    says: str = ""
    counterexample: Counterexample | None = None


@dataclass
class Injectivity:
    """One map with its Jacobian."""

    problem: FlowProblem
    judge: Judge
    inverse: tuple[Node, ...] = ()
    """An inverse that is claimed."""

    def __post_init__(self) -> None:
        self.identities: Identities = self.judge.identities
        self.signs: Signs = self.judge.signs
        self.names = self.problem.state
        self.matrix: Matrix = jacobian(self.problem.map, self.names)
        self.determinant = map_determinant(self.problem.map, self.names)

    def found(self) -> Finding:
        """An argument first: there is none for a map that folds."""
        try:
            for method, says in self._arguments():
                evidence = Evidence(ROUTE, Rigor.EXACT, True, frozenset({method}), detail={"method": says})
                return Finding(True, (evidence,), says)
            return self._fold() or Finding(
                None, says="no argument applies, and no two points with one image were found"
            )
        except GiveUp as reason:
            return Finding(None, says=str(reason))

    # --- arguments ---

    def _arguments(self) -> Iterator[tuple[str, str]]:
        if (inverse := self.composed()) is not None:
            yield "composition", f"its inverse {', '.join(map(write, inverse))}, composed with it"
        if not self._is_box() or not self.signs.smooth(*self.problem.map):
            return
        for method in (self._triangular, self._one_unit, self._radial, self._positive_definite, self._minors):
            if says := method():
                yield "signs of derivatives", says

    def composed(self) -> tuple[Node, ...] | None:
        """An inverse in closed form with S(T(z)) = z proved, S(T(z)) being defined wherever T is."""
        own = [self.inverse] if self.inverse else []
        for inverse in (*own, *inverses(self.problem.map, self.names, images(self.problem))):
            if self._is_inverse(inverse):
                return inverse
        return None

    def _is_inverse(self, inverse: Sequence[Node]) -> bool:
        at = {symbol(x): entry for x, entry in zip(images(self.problem), self.problem.map, strict=True)}
        pairs = [(symbol(z), substitute(s, at)) for z, s in zip(self.names, inverse, strict=True)]
        if not all(self.identities.same(z, s) for z, s in pairs):
            return False
        return all(self.judge.decided(z, s, self.problem.map).verdict is Verdict.PROVED for z, s in pairs) and (
            self._without_poles([s for _, s in pairs])
        )

    def _without_poles(self, nodes: Sequence[Node]) -> bool:
        """Whether no denominator vanishes anywhere, but those of the map itself."""
        variables = self.identities.domain.variables
        found, own = conditions(*nodes, variables=variables), conditions(*self.problem.map, variables=variables)
        if found is None:
            return not any(n.op == "pow" and n.args[1].op != "num" for n in postorder(*nodes)) and not any(
                n.op == "pow" and n.args[1].value < 0 for n in postorder(*nodes)
            )
        poles = [c for c in found if c.kind == "nonzero" and c not in (own or ())]
        return all(self.signs.nonzero(c.quantity) for c in poles)

    def _is_box(self) -> bool:
        """Whether the states range over a product of intervals."""
        own = set(self.names)
        for condition in self.identities.domain.conditions:
            inside = free_symbols(condition) & own
            if not inside:
                continue
            if condition.op != "compare" or condition.value not in ("<", "<=", ">", ">=") or len(inside) > 1:
                return False
            quantity = condition.args[0] - condition.args[1]
            (slope,) = jacobian((quantity,), sorted(inside))[0]
            if free_symbols(slope) & own:
                return False
        return True

    def _triangular(self) -> str:
        """An order in which each entry depends on its own variable and those before it."""
        n = len(self.names)
        rows, order = set(range(n)), []
        free: set[str] = set()
        while rows:
            for i in sorted(rows):
                new = [k for k in range(n) if self.names[k] not in free and self.matrix[i][k] is not ZERO]
                if len(new) == 1:
                    order.append((i, new[0]))
                    rows.remove(i)
                    free.add(self.names[new[0]])
                    break
            else:
                return ""
        if not all(self._monotone(self.matrix[i][k], self.names[k]) for i, k in order):
            return ""
        if n == 1:
            return f"its derivative {write(self.matrix[0][0])} has one sign"
        return "triangular, each entry monotone in its own variable"

    def _monotone(self, slope: Node, name: str) -> bool:
        """Whether a derivative has one sign, isolated zeros apart."""
        if self.signs.sign(slope):
            return True
        if free_symbols(slope) != {name} or not is_analytic(slope):
            return False
        at_one = self._enclosed(slope, {name: (Fraction(1), Fraction(0))})
        return not at_one.contains(0) and (
            self.signs.nonnegative(slope) or self.signs.nonnegative(tidy(scaled(Fraction(-1), slope)))
        )

    def _one_unit(self) -> str:
        """T(z) - z depends on z by one affine form alone."""
        unit = one_unit(self.problem.map, self.names)
        if unit is None or not (self.signs.sign(self.determinant) or self._bends(unit)):
            return ""
        return f"z + g(a) with a = {write(unit.form)}, and the determinant has one sign"

    def _bends(self, unit: OneUnit) -> bool:
        """Whether 1 + h'(a) c is not negative, and h' analytic and not constant, so that its zeros are isolated."""
        parts = replace(unit, form=unit.name).parts()
        if parts is None or free_symbols(parts[0]) != {unit.name.value} or not is_analytic(parts[0]):
            return False
        values = [self._enclosed(parts[0], {unit.name.value: (Fraction(x), Fraction(0))}) for x in (0, 1)]
        return not values[0].overlaps(values[1]) and self.signs.nonnegative(self.determinant)

    def _radial(self) -> str:
        """T(z) - c = (z - c) q(r) with r q(r) increasing."""
        found = radial(self.problem.map, self.names)
        if found is None:
            return ""
        name = found.radius.value
        ranges = {**self.identities.ranges, name: Variable(name, low=ZERO)}
        signs = Signs(replace(self.identities, ranges=ranges, known={}))
        if signs.positive(found.factor) and signs.positive(found.growth):
            return f"radial around ({', '.join(map(write, found.centre))}), the radius increasing"
        return ""

    def _positive_definite(self) -> str:
        if len(self.names) > MOST_STATES:
            return ""
        for sign in (1, -1):
            both = tuple(
                tuple(tidy(scaled(_HALF * sign, self.matrix[i][j] + self.matrix[j][i])) for j in self._range)
                for i in self._range
            )
            if all(self.signs.positive(determinant(_minor(both, range(k)))) for k in self._range[1:]) and (
                self.signs.positive(determinant(both))
            ):
                return "its Jacobian plus the transposed one is definite"
        return ""

    def _minors(self) -> str:
        if len(self.names) > MOST_STATES:
            return ""
        chosen = (c for k in self._range for c in combinations(self._range, k + 1))
        if all(self.signs.positive(determinant(_minor(self.matrix, c))) for c in chosen):
            return "all principal minors of its Jacobian are positive (Gale and Nikaido)"
        return ""

    @property
    def _range(self) -> range:
        return range(len(self.names))

    # --- two places ---

    def _fold(self) -> Finding | None:
        if prove(Claim(self.determinant, ZERO, self.identities.over((self.determinant,)))).holds:
            return self._flat()
        return self._flat_somewhere() or self._both_signs() or self._same_image()

    def _flat(self) -> Finding | None:
        """A Jacobian that is singular everywhere: the image has no interior, and that of a one-to-one map has."""
        says = "det dT/dz is 0 everywhere"
        if jumps(*self.problem.map):
            return None
        evidence = Evidence(ROUTE, Rigor.EXACT, False, frozenset({"normal-forms"}), detail={"method": says})
        return Finding(False, (evidence,), says)

    def _flat_somewhere(self) -> Finding | None:
        """Parameters at which the Jacobian is singular everywhere."""
        own = {n: v for n, v in self.problem.domain.variables.items() if n not in self.names}
        for name in sorted(free_symbols(self.determinant) & set(own)):
            for value in (0, 1, -1):
                at = {symbol(name): num(value)}
                if vanishes(substitute(self.determinant, at)) and self._allowed(name, Fraction(value)):
                    says = f"at {name} = {value} the determinant is 0 everywhere"
                    evidence = Evidence(ROUTE, Rigor.EXACT, False, frozenset({"normal-forms"}), detail={"method": says})
                    return Finding(False, (evidence,), says, Counterexample({name: str(value)}, "0", "not 0"))
        return None

    def _allowed(self, name: str, value: Fraction) -> bool:
        """Whether some point of the domain has this value of a parameter."""
        if jumps(*self.problem.map):
            return False
        sampler = Sampler(self.identities.over((*self.problem.map, symbol(name))), Random(self.identities.seed))
        drawn = (sampler.anywhere() | {name: (value, Fraction(0))} for _ in range(STATES))
        return any(sampler.admits(point) for point in drawn)

    def _both_signs(self) -> Finding | None:
        """Points at which the determinant has different signs, with the same parameters, and a segment in between."""
        if jumps(*self.problem.map):
            return None
        for one, other in self._candidates():
            values = [self._enclosed(self.determinant, point) for point in (one, other)]
            if not (values[0].real < 0 and values[1].real > 0) or not self._continuous(one, other):
                continue
            shown = [decimal(value) for value in values]
            states = [_shown(point, self.names) for point in (one, other)]
            says = (
                f"det dT/dz is {shown[0]} at {states[0]} and {shown[1]} at {states[1]}: in between the map turns back"
            )
            evidence = Evidence(ROUTE, Rigor.ENCLOSED, False, frozenset({"ball arithmetic", "degree"}))
            point = write_point(one) | {f"{z}'": text for z, text in write_point(other).items() if z in self.names}
            return Finding(False, (evidence,), says, Counterexample(point, *shown))
        return None

    def _candidates(self) -> Iterator[tuple[Point, Point]]:
        """Exact points with one value of the parameters at which the determinant seems to have both signs."""
        domain = self.identities.over((*self.problem.map, self.determinant))
        sampler = Sampler(domain, Random(self.identities.seed))
        try:
            program = Straight((self.determinant,))
        except NoFloat:
            return
        starts = [p for p in (sampler.draw(("unit", "simple", "ten")) for _ in range(4 * PARAMETERS)) if p is not None]
        lowest = (self._lowest(sampler, program, start, sign) for start in starts[:2] for sign in (1, -1))
        starts = [*(point for point in lowest if point is not None), *starts]
        for start in starts[:PARAMETERS]:
            found: dict[bool, Point] = {}
            origin = start | {z: (Fraction(0), Fraction(0)) for z in self.names}
            others = (sampler.anywhere() for _ in range(STATES))
            for drawn in (start, origin, *others):
                point = start | {z: drawn[z] for z in self.names if z in drawn}
                if not sampler.admits(point):
                    continue
                (value,) = program({name: float(x) for name, (x, _) in point.items()})
                if abs(value) > ROUNDING:
                    found.setdefault(bool(value > 0), point)
                if len(found) == 2:
                    yield found[False], found[True]
                    break

    def _lowest(self, sampler: Sampler, program: Straight, start: Point, sign: int) -> Point | None:
        """A point at which the determinant (or minus it) is negative, on the way down by small changes."""
        best, least = start, inf
        for _ in range(DESCENT):
            point = sampler.mutate(best)
            if not sampler.admits(point):
                continue
            (value,) = program({name: float(x) for name, (x, _) in point.items()})
            if sign * value < least:
                best, least = point, sign * value
            if least < -LEAST:
                break
        return best if least < -ROUNDING else None

    def _enclosed(self, node: Node, point: Point) -> acb:
        precision, ctx.prec = ctx.prec, 256
        try:
            values = {name: acb(rational(x)) for name, (x, _) in point.items()}
            return Program((node,), True).values(values)[0]
        except NoValue:
            return acb(arb(0, 1))
        finally:
            ctx.prec = precision

    def _continuous(self, one: Point, other: Point) -> bool:
        """Whether the map is enclosed on every part of the segment, which lies in the domain."""
        if not self._is_box():
            return False
        precision, ctx.prec = ctx.prec, 128
        program = Program(self.problem.map, True)
        stack, cuts = [(arb(0), arb(1))], 0
        try:
            while stack:
                low, high = stack.pop()
                share = low.union(high)
                values = {
                    name: acb(rational(one[name][0]) + share * rational(other[name][0] - one[name][0])) for name in one
                }
                try:
                    if all(each.is_finite() for each in program.values(values)):
                        continue
                except NoValue:
                    pass
                cuts += 1
                if cuts > MOST_CUTS:
                    return False
                middle = ((low + high) / 2).mid()
                stack += [(low, middle), (middle, high)]
            return True
        finally:
            ctx.prec = precision

    def _same_image(self) -> Finding | None:
        """Two exact points with one image: mirrored, exchanged, or a period apart."""
        domain = self.identities.over(self.problem.map)
        sampler = Sampler(domain, Random(self.identities.seed))
        whole = (sampler.anywhere(("simple",)) for _ in range(4 * PARAMETERS))
        for point in [p for p in whole if sampler.admits(p)][:PARAMETERS]:
            numbers = {name: num(x) for name, (x, _) in point.items()}
            here = [numbers.get(z, ZERO) for z in self.names]
            for there in self._partners(here):
                if not self._belongs(numbers, there):
                    continue
                ends = [self._image(numbers, at) for at in (here, there)]
                if all(self.identities.same(a, b) for a, b in zip(*ends, strict=True)) and all(
                    self.identities.decide(a, b).verdict is Verdict.PROVED for a, b in zip(*ends, strict=True)
                ):
                    return self._two(numbers, here, there, ends[0])
        return None

    def _image(self, numbers: dict[str, Node], at: list[Node]) -> list[Node]:
        values = {**numbers, **dict(zip(self.names, at, strict=True))}
        return [substitute(f, {symbol(n): v for n, v in values.items()}) for f in self.problem.map]

    def _two(self, numbers: dict[str, Node], here: list[Node], there: list[Node], image: list[Node]) -> Finding:
        states = [", ".join(f"{z} = {write(v)}" for z, v in zip(self.names, at, strict=True)) for at in (here, there)]
        says = f"{states[0]} and {states[1]} have the same image ({', '.join(write(tidy(f)) for f in image)})"
        point = {name: write(value) for name, value in numbers.items()}
        point |= {f"{z}'": write(value) for z, value in zip(self.names, there, strict=True)}
        if rest := [name for name in numbers if name not in self.names]:
            says += f" where {', '.join(f'{name} = {point[name]}' for name in rest)}"
        evidence = Evidence(
            ROUTE, Rigor.EXACT, False, frozenset({"normal-forms"}), detail={"method": "two exact points"}
        )
        image_text = ", ".join(write(tidy(f)) for f in image)
        return Finding(False, (evidence,), says, Counterexample(point, image_text, image_text))

    def _partners(self, here: list[Node]) -> Iterator[list[Node]]:
        n = len(here)
        for signs in product((1, -1), repeat=n) if n <= MOST_STATES else ():
            yield [tidy(scaled(_HALF * 2 * s, x)) for s, x in zip(signs, here, strict=True)]
        for order in permutations(range(n)) if n <= 3 else ():
            yield [here[i] for i in order]
        for i in range(n):
            for turns in (2, 1):
                yield [tidy(x + turns * PI) if k == i else x for k, x in enumerate(here)]

    def _belongs(self, numbers: dict[str, Node], there: list[Node]) -> bool:
        """Whether a point lies in the domain, and is another one."""
        at = {symbol(n): v for n, v in {**numbers, **dict(zip(self.names, there, strict=True))}.items()}
        if all(numbers.get(z) is v for z, v in zip(self.names, there, strict=True)):
            return False
        needed = list(self.identities.domain.conditions)
        for z in self.names:
            v = self.identities.variable(z)
            needed += [compare(v.low, "<", symbol(z))] if v.low is not None else []
            needed += [compare(symbol(z), "<", v.high)] if v.high is not None else []
        precision, ctx.prec = ctx.prec, 128
        try:
            placed = [substitute(c, at) for c in needed]
            placed = [c for c in placed if not free_symbols(c)]
            programs = [Program((c,), True) for c in placed]
            return all(program.run({})[program.roots[0]] is True for program in programs)
        except NoValue:
            return False
        finally:
            ctx.prec = precision


def _minor(matrix: Matrix, chosen: Iterable[int]) -> Matrix:
    chosen = tuple(chosen)
    return tuple(tuple(matrix[i][j] for j in chosen) for i in chosen)


def _shown(point: Point, names: Iterable[str]) -> str:
    written = write_point(point)
    return ", ".join(f"{z} = {written[z]}" for z in names if z in written)
