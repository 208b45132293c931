"""What is the value of a definite integral?  A ball that contains it for certain, by FLINT's adaptive quadrature.

On a piece of the path the integrand is analytic if it can be enclosed on a complex neighbourhood; there Gauss and
Legendre's rule has a rigorous error bound.  The pieces of abs, sign, max, `piecewise` … are told apart by balls; where
two meet, within 2^-precision, the union of both is a bound.  What cannot be bounded has no value: no singularity is
stepped over.  Up to infinity `verify.decide.enclose.far` bounds the rest.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from functools import lru_cache
from itertools import pairwise, product
from typing import Any, TypeAlias

from flint import acb, arb, ctx

from verify.decide.enclose import far
from verify.decide.enclose.balls import Program
from verify.decide.enclose.jets import Kink, NoValue, Undecided, Undefined, Unsupported
from verify.decide.enclose.lower import Quadrature
from verify.decide.enclose.prepared import Prepared
from verify.decide.enclose.special import special
from verify.graph import ONE, TRUE, ZERO, Node, neg, num, postorder, rebuild, surface

#: Evaluations that one integral may cost, and one that is inside of another.
EVALUATIONS, EVALUATIONS_INSIDE = 5000, 800
#: Bits that are asked for beyond which an integral is exact enough, and bits that are lost to rounding.
MOST_BITS, LOST_BITS = 230, 14
#: Values of the integrand from which the size of the integral is guessed.
SAMPLES = 8
#: Evaluations within which an integrand must be seen to be bounded.
FIRST_LOOK, DEEPEST_LOOK = 400, 48
#: Paths longer than this are cut, and so many borders of pieces are looked for.
FAR, MOST_BORDERS = 8, 400
#: Values of integrals that are remembered.
MOST_KNOWN = 512
#: Choices of pieces between which a ball may leave it open.
MOST_CHOICES = 16
SWITCHES = frozenset({"abs", "sign", "floor", "ceil", "max", "min"})


def step(payload: Quadrature, args: list[Any], real: bool) -> acb:
    """The integral at the balls of its limits and names.  Raises NoValue."""
    plain = all(isinstance(z, acb) and z.is_finite() for z in args)
    key = (payload, real, ctx.prec, *map(_ends, args)) if plain else None
    if key is not None and key in _known:
        return _known[key]
    low, high, *values = args
    value = Integral(payload, dict(zip(payload.names, values, strict=True)), real).between(low, high)
    if key is not None:
        if len(_known) >= MOST_KNOWN:
            _known.clear()
        _known[key] = value
    return value


def _ends(z: acb) -> tuple[Any, ...]:
    """What tells a ball from every other one."""
    return tuple(tuple(map(int, x.man_exp())) for part in (z.real, z.imag) for x in (part.mid(), part.rad()))


#: The same integral stands in every repair of a claim that is tried.
_known: dict[tuple[Any, ...], acb] = {}


@lru_cache(maxsize=2048)
def _program(node: Node, real: bool) -> Program:
    return Program((node,), real)


#: A part of the path, and the integrand there; None where several pieces meet.
Stretch: TypeAlias = tuple[acb, acb, Node | None]


class Integral:
    """One integrand at balls of its names.

    undefined   the reason why it has no value somewhere on the path, once that is certain.
    """

    def __init__(self, payload: Quadrature, env: Mapping[str, acb], real: bool) -> None:
        self.body, self.variable, self.infinite = payload.body, payload.variable, payload.infinite
        self.env, self.real = dict(env), real
        self.on_the_line = all(z.imag.is_zero() for z in env.values())
        nodes = list(surface(self.body))
        self.in_pieces = any(n.op == "piecewise" or (n.op == "call" and n.value in SWITCHES) for n in nodes)
        self.plain = all(_is_plain(n) for n in nodes)
        self.nested = any(n.op in ("integral", "expectation") for n in nodes)
        self.undefined: NoValue | None = None
        self.prepared: dict[tuple[Node, bool], Prepared] = {}

    # --- the integral ---

    def between(self, low: acb, high: acb) -> acb:
        """The integral from low to high, whatever infinity says of them."""
        below, above = self.infinite
        if below and below == above:
            raise Undecided("both limits of an integral are the same infinity")
        if below > 0 or above < 0:
            self.infinite = (above, below)
            return -self.between(high, low)
        total = acb(0)
        if above:
            start = low if not below else acb(0)
            end, rest = self._far(1, start)
            total += self._finite(start, end) + rest
        if below:
            start = high if not above else acb(0)
            end, rest = self._far(-1, start)
            total += self._finite(end, start) + rest
        return total if below or above else self._finite(low, high)

    def _finite(self, low: acb, high: acb) -> acb:
        if self.real and not (low.imag.is_zero() and high.imag.is_zero()):
            raise Undecided("a limit of an integral is not real")
        start, end = _middle(low), _middle(high)
        total = acb(0)
        for sign, limit, middle in ((1, high, end), (-1, low, start)):
            if not limit.is_exact():
                total += (limit - middle) * self._at(limit) * sign
        if start == end:
            self._at(start)
            return total
        if start.is_zero() or end.is_zero():
            start, end, rest = self._off_zero(start, end)
            total += rest
        stretches = self._stretches(start, end)
        size = max((self._guessed_size(*stretch) for stretch in stretches), key=float, default=arb(0))
        for low, high, piece in stretches:
            total += self._stretch(low, high, piece, size)
        return acb(total.real) if self.real else total

    def _off_zero(self, start: acb, end: acb) -> tuple[acb, acb, acb]:
        """A path that ends at 0, a bit shorter if the integrand has a root or a logarithm there; and the rest."""
        other = end if start.is_zero() else start
        side = 1 if other.real > 0 else -1
        with suppress(NoValue):
            self._at(acb(arb(0).union(other.real / 2**20)))
            return start, end, acb(0)
        found = far.rest_at_zero(self.body, self.variable, self.env, side, self.real) if other.imag.is_zero() else None
        if found is None or not found[0] < abs(other.real):
            return start, end, acb(0)
        cut, rest = acb(found[0] * side), arb(0, found[1])
        ball = acb(rest) if self.real else acb(rest, rest)
        return (cut, end, ball) if start.is_zero() else (start, cut, ball)

    def _guessed_size(self, start: acb, end: acb, piece: Node | None) -> arb:
        """About the size of the integral, from a few values; nothing but the effort depends on it."""
        found = arb(0)
        for k in range(1, 2 * SAMPLES, 2):
            try:
                value = self._at(_middle(start + (end - start) * k / (2 * SAMPLES)))
            except NoValue:
                continue
            found = max(found, value.abs_upper(), key=float)
        return found * (end - start).abs_upper() / (2 * SAMPLES) if piece is not None else arb(0)

    def _stretches(self, start: acb, end: acb) -> list[Stretch]:
        """The path in parts, from piece to piece; what is far away in several parts."""
        whole: list[Stretch] = [(start, end, self.body)]
        if self.in_pieces and self.on_the_line and start.imag.is_zero() and end.imag.is_zero():
            whole = self._borders(start, end)
        parts: list[Stretch] = []
        for low, high, piece in whole:
            sizes = sorted((abs(low.real), abs(high.real)), key=float)
            if sizes[1] > FAR or 0 < sizes[0] < arb(2) ** -FAR:
                powers = [*range(-402, -8, 6), *range(3, 400, 3)]
                inner = [acb(sign * arb(2) ** k) for sign in (-1, 1) for k in powers]
                inner = [x for x in inner if _between(low, x, high)]
                inner.sort(key=lambda x: float(x.real), reverse=bool(low.real > high.real))
                parts += [(*ends, piece) for ends in pairwise([low, *inner, high])]
            else:
                parts.append((low, high, piece))
        return parts

    def _borders(self, start: acb, end: acb) -> list[Stretch]:
        """Stretches with one piece each, and short ones between them in which several meet."""
        if not start.real < end.real:
            return [(high, low, piece) for low, high, piece in self._borders(end, start)[::-1]]
        # Where pieces meet is known no better than the names that it depends on.
        blur = max((z.rad() for z in self.env.values()), key=float, default=arb(0))
        shortest = (end - start).real / arb(2) ** (ctx.prec - LOST_BITS) + blur
        found: list[Stretch] = []
        stack = [(start.real, end.real)]
        while stack:
            low, high = stack.pop()
            try:
                pieces = self._pieces(acb(low.union(high)))
            except Undefined:
                raise
            except NoValue:
                pieces = []
            if len(pieces) != 1 and high - low > shortest:
                if len(found) > MOST_BORDERS:
                    raise Undecided("too many pieces on a path of integration")
                middle = ((low + high) / 2).mid()
                stack += [(middle, high), (low, middle)]
                continue
            piece = pieces[0] if len(pieces) == 1 else None
            if found and piece is not None and found[-1][2] is piece:
                found[-1] = (found[-1][0], acb(high), piece)
            else:
                found.append((acb(low), acb(high), piece))
        return found

    def _stretch(self, start: acb, end: acb, piece: Node | None, whole: arb) -> acb:
        """One part of the integral; `whole` is about the size of all of it."""
        if piece is None:
            return (end - start) * self._at(acb(start.real.union(end.real)))
        if piece is not self.body:
            inner = Quadrature(piece, self.variable, tuple(self.env), (0, 0))
            return Integral(inner, self.env, self.real)._stretch(start, end, piece, whole)
        size, noise = self._scale((start + end) / 2)
        length = (end - start).abs_upper()
        bits = min(ctx.prec - LOST_BITS, MOST_BITS)
        if noise > 0:
            bits = max(8, min(bits, int(-float((noise / size).log() / arb(2).log())) + 3)) if size > noise else 8
        self._bounded(start, end)
        value = acb.integral(
            self._callback,
            start,
            end,
            rel_tol=arb(2) ** -bits,
            abs_tol=noise * length / 8 + whole * arb(2) ** -bits + arb(2) ** (-ctx.prec - 40),
            eval_limit=EVALUATIONS_INSIDE if self.nested else EVALUATIONS,
            depth_limit=2 * ctx.prec,
        )
        if self.undefined is not None:
            raise self.undefined
        wanted = noise * length + whole * arb(2) ** -(bits // 2)
        if not value.is_finite() or value.rad() > wanted + value.abs_upper() * arb(2) ** -(bits // 2):
            raise Unsupported("an integral would take too long to enclose")
        return value

    def _bounded(self, start: acb, end: acb) -> None:
        """A first look, so that a singularity on the path costs little."""
        stack, looks = [(start, end, 0)], 0
        while stack:
            low, high, depth = stack.pop()
            looks += 1
            try:
                self._at(acb(low.real.union(high.real), low.imag.union(high.imag)))
            except Undefined:
                raise
            except NoValue:
                if depth > DEEPEST_LOOK or looks > FIRST_LOOK:
                    raise Undefined("an integrand has no bound on the path of integration") from None
                middle = _middle((low + high) / 2)
                stack += [(middle, high, depth + 1), (low, middle, depth + 1)]

    def _scale(self, x: acb) -> tuple[arb, arb]:
        """The size of the integrand at a point, and how much of it is uncertain."""
        try:
            value = self._at(x)
        except NoValue:
            return arb(1), arb(0)
        return value.abs_upper(), (value.real.rad() + value.imag.rad()).mid()

    def _far(self, side: int, start: acb) -> tuple[acb, acb]:
        """A point so far out that the rest is small, and a ball around 0 for the rest."""
        found = far.rest(self.body, self.variable, self.env, side, start.real * side, self.real)
        if found is None:
            raise Undecided("no bound is known for an integrand far out, so that its integral may diverge")
        end, rest = found
        ball = acb(arb(0, rest)) if self.real else acb(arb(0, rest), arb(0, rest))
        return acb(end * side), ball

    # --- the integrand ---

    def _callback(self, x: acb, analytic: bool) -> acb:
        try:
            return self._around(x) if analytic else self._at(x)
        except Undefined as reason:
            if x.imag.is_zero() or not analytic:
                self.undefined = self.undefined or reason
            return _NOT_FINITE
        except NoValue:
            return _NOT_FINITE

    def _at(self, x: acb) -> acb:
        """The integrand on a ball of the path, not necessarily analytic there."""
        found: acb | None = None
        for piece in self._pieces(x):
            value = self._value(piece, x, self.real)
            found = value if found is None else acb(found.real.union(value.real), found.imag.union(value.imag))
        assert found is not None
        return found

    def _around(self, x: acb) -> acb:
        """The integrand on a ball on which it is analytic."""
        line = acb(x.real)
        pieces = self._pieces(line if self.on_the_line else x)
        if len(pieces) > 1:
            raise Kink("two pieces meet there")
        if self.real and not self.plain:
            self._value(pieces[0], line, True)
        return self._value(pieces[0], x, False)

    def _value(self, piece: Node, x: acb, real: bool) -> acb:
        prepared = self.prepared.get((piece, real))
        if prepared is None:
            prepared = self.prepared[piece, real] = Prepared(_program(piece, real), self.variable, self.env)
        return prepared.at(x)

    def _pieces(self, x: acb) -> list[Node]:
        """What the integrand may be on a ball of the line, without abs, sign, floor, max, min and conditions."""
        if not self.in_pieces:
            return [self.body]
        if not (self.on_the_line and x.imag.is_zero()):
            raise Undecided("pieces are told apart on the real line only")
        return list(dict.fromkeys(self._resolved(self.body, x)))

    def _resolved(self, node: Node, x: acb) -> list[Node]:
        if node.op == "piecewise":
            return self._piecewise(node, x)
        if not node.args or node.op in ("integral", "expectation"):
            return [node]
        choices = [self._resolved(arg, x) for arg in node.args]
        found: list[Node] = []
        for args in product(*choices):
            found += self._chosen(node, args, x)
            if len(found) > MOST_CHOICES:
                raise Undecided("too many pieces meet there")
        return found

    def _chosen(self, node: Node, args: tuple[Node, ...], x: acb) -> list[Node]:
        if node.op != "call" or node.value not in SWITCHES:
            return [rebuild(node, args)]
        match node.value:
            case "abs":
                return [(args[0], neg(args[0]), ZERO)[sign] for sign in self._signs(args[0], x)]
            case "sign":
                return [(ONE, num(-1), ZERO)[sign] for sign in self._signs(args[0], x)]
            case "floor" | "ceil":
                return self._steps(node.value, args[0], x)
        best = [args[0]]
        wanted = 0 if node.value == "max" else 1
        for other in args[1:]:
            best = [
                other if sign == wanted else each for each in best for sign in self._signs(other - each, x) if sign < 2
            ] or best
        return best

    def _signs(self, quantity: Node, x: acb) -> tuple[int, ...]:
        """0 where it may be positive, 1 where it may be negative, 2 where it is exactly 0."""
        value = self._value(quantity, x, self.real)
        if not value.imag.is_zero():
            raise Undefined("pieces are for real numbers only")
        if value.is_zero():
            return (2,)
        if value.real >= 0:
            return (0,)
        return (1,) if value.real <= 0 else (0, 1)

    def _steps(self, name: str, quantity: Node, x: acb) -> list[Node]:
        value = self._value(quantity, x, self.real)
        if not value.imag.is_zero():
            raise Undefined("floor and ceil are for real numbers only")
        rounded = value.real.floor() if name == "floor" else value.real.ceil()
        n = rounded.unique_fmpz()
        if n is not None:
            return [num(int(n))]
        low, high = rounded.lower().floor().unique_fmpz(), rounded.upper().ceil().unique_fmpz()
        if low is None or high is None or int(high) - int(low) > MOST_CHOICES:
            raise Undecided("floor has too many values there")
        return [num(k) for k in range(int(low), int(high) + 1)]

    def _piecewise(self, node: Node, x: acb) -> list[Node]:
        found: list[Node] = []
        for value, condition in zip(node.args[::2], node.args[1::2], strict=True):
            truth = True if condition is TRUE else self._truth(condition, x)
            if truth is not False:
                found += self._resolved(value, x)
            if truth is True:
                return found
        raise (Undecided if found else Undefined)("no piece holds there")

    def _truth(self, condition: Node, x: acb) -> bool | None:
        program = _program(condition, self.real)
        try:
            truth = program.run({**self.env, self.variable: x})[program.roots[0]]
        except Kink:
            return None
        return None if isinstance(truth, NoValue) else truth


_NOT_FINITE = acb("nan")


def _between(low: acb, x: acb, high: acb) -> bool:
    return bool(low.real < x.real < high.real or high.real < x.real < low.real)


def _middle(z: acb) -> acb:
    return acb(z.real.mid(), z.imag.mid())


def _is_plain(node: Node) -> bool:
    """Whether an operator makes real numbers of real numbers, wherever it has a value."""
    if node.op == "call":
        row = special(node.value, len(node.args))
        return node.value in SWITCHES or (row is not None and row.margin is None and row.cuts is None)
    if node.op == "pow":
        return node.args[1].op == "num" and node.args[1].value.denominator == 1
    return node.op in ("num", "symbol", "constant", "add", "mul")


def has_pieces(body: Node) -> bool:
    """Whether an integrand may have kinks or jumps."""
    return any(n.op == "piecewise" or (n.op == "call" and n.value in SWITCHES) for n in postorder(body))


__all__ = ["Integral", "Unsupported", "has_pieces", "step"]
