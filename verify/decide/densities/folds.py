"""Which two places show that a map is not one-to-one?

singular    det dT/dz is 0 everywhere, or so for some parameters: the image has no interior
folded      det dT/dz has both signs, T being continuous on a segment in between: the degree of a one-to-one map is
            1 or -1 on a connected set (in one variable it is the intermediate value theorem)
repeated    two exact points have the same image
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from itertools import chain, permutations, product
from math import inf
from random import Random

from flint import acb, arb, ctx

from verify.calculus.maps import vanishes
from verify.calculus.tidy import scaled, tidy
from verify.claim import Claim
from verify.decide.densities.parts import jumps
from verify.decide.enclose.balls import Program
from verify.decide.enclose.decimals import decimal
from verify.decide.enclose.jets import NoValue
from verify.decide.enclose.points import Point, Sampler, rational, write_point
from verify.decide.prove.proof import prove
from verify.decide.systems.identity import Identities
from verify.densities import FlowProblem
from verify.graph import PI, ZERO, Node, compare, free_symbols, num, substitute, symbol
from verify.language.write import write
from verify.numerics.straight import NoFloat, Straight
from verify.verdict import Counterexample, Evidence, Rigor, Verdict

ROUTE = "one-to-one"
#: Draws of parameters and of states; states up to which all mirror images of a point are tried.
PARAMETERS, STATES, MOST_STATES = 10, 160, 5
#: Cuts of a segment on which a map is enclosed.
MOST_CUTS = 200
#: Changes of a point on the way to a negative determinant, and how negative it must be to be looked at.
DESCENT, LEAST = 600, 1e-3
#: What may be rounding.
ROUNDING = 1e-12


@dataclass(frozen=True)
class Finding:
    """Whether a map is one-to-one, and why."""

    holds: bool | None
    evidence: tuple[Evidence, ...] = ()
    says: str = ""
    counterexample: Counterexample | None = None


@dataclass(frozen=True)
class Folds:
    """One map with its determinant.

    is_box   whether its states range over a product of intervals.
    """

    problem: FlowProblem
    identities: Identities
    determinant: Node
    is_box: bool

    @property
    def names(self) -> tuple[str, ...]:
        return self.problem.state

    def found(self) -> Finding | None:
        """A proof that the map is not one-to-one for all parameters, or None."""
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
            values = [enclosed(self.determinant, point) for point in (one, other)]
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
        drawn = (
            sampler.draw(scales) for scales in (("simple",), ("unit", "simple", "ten")) for _ in range(2 * PARAMETERS)
        )
        starts = [point for point in drawn if point is not None][:PARAMETERS]
        lowest = (self._lowest(sampler, program, start, sign) for start in starts[-2:] for sign in (1, -1))
        for start in chain(starts, (point for point in lowest if point is not None)):
            found: dict[bool, Point] = {}
            origin = start | {z: (Fraction(0), Fraction(0)) for z in self.names}
            near = (sampler.anywhere(("simple",)) for _ in range(STATES // 4))
            others = (sampler.anywhere() for _ in range(STATES))
            for other in chain((start, origin), near, others):
                point = start | {z: other[z] for z in self.names if z in other}
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

    def _continuous(self, one: Point, other: Point) -> bool:
        """Whether the map is enclosed on every part of the segment, which lies in the domain."""
        if not self.is_box:
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
            yield [tidy(scaled(Fraction(s), x)) for s, x in zip(signs, here, strict=True)]
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


def enclosed(node: Node, point: Point) -> acb:
    """The value at an exact point; a ball around 0 where there is none."""
    precision, ctx.prec = ctx.prec, 256
    try:
        values = {name: acb(rational(x)) for name, (x, _) in point.items()}
        return Program((node,), True).values(values)[0]
    except NoValue:
        return acb(arb(0, 1))
    finally:
        ctx.prec = precision


def _shown(point: Point, names: Iterable[str]) -> str:
    written = write_point(point)
    return ", ".join(f"{z} = {written[z]}" for z in names if z in written)
