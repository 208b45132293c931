"""What is the value of an expression at a ball?  Both sides of a claim, derivatives included, as rigorous enclosures.

An expression is compiled once into a list of steps, one a node, and run at many points and precisions.  A derivative
node asks its body for a series of a higher order (`verify.decide.jets`); the body's own text is never differentiated.
Functions use their rules (`verify.decide.rules`) on series; where there is no rule, Cauchy's integral.
The precision is FLINT's global `flint.ctx.prec`, set by the caller.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from fractions import Fraction
from functools import cache
from typing import TypeAlias

from flint import acb, arb, ctx, fmpq

from verify.decide import jets, special
from verify.decide.jets import Jet, Kink, Undecided, Undefined, Unsupported, Value
from verify.decide.rules import partial
from verify.graph import Node, postorder

#: Exponents beyond this are refused: FLINT would run out of memory.
LARGEST_EXPONENT = 1 << 62
#: Coefficients that a series may have.
LARGEST_JET = 512

Outcome: TypeAlias = "Value | bool | None | ArithmeticError"
Handle: TypeAlias = "Callable[[object, list, bool], Outcome]"


class Program:
    """Expressions compiled for evaluation.

    real        every intermediate value must be real (see `verify.claim.Claim.is_complex`).
    nodes       what each step computes; a step that cuts a series has the node of that series.
    """

    def __init__(self, roots: Sequence[Node], real: bool) -> None:
        self.real = real
        order = list(postorder(*roots))
        self.variables = tuple(dict.fromkeys(node.value[0] for node in order if node.op == "derivative"))
        if self.variables:
            # Innermost derivatives first would do as well; any fixed order is right.
            self.variables = tuple(sorted(self.variables))
        self._number = {name: i for i, name in enumerate(self.variables)}
        orders = self._orders(order, roots)
        self.lazy = any(node.op == "piecewise" for node in order)
        self.nodes: list[Node] = []
        self.steps: list[tuple[Handle, object, tuple[int, ...]]] = []
        place: dict[tuple[Node, tuple[int, ...]], int] = {}
        for node in order:
            wanted = orders[node]
            inputs = [self._input(arg, self._asked(node, wanted), orders, place) for arg in node.args]
            place[node, wanted] = self._append(node, *self._step(node, wanted), inputs)
        zero = (0,) * len(self.variables)
        self.roots = tuple(self._input(root, zero, orders, place) for root in roots)
        self.place = {node: place[node, orders[node]] for node in order}

    def _orders(self, order: list[Node], roots: Sequence[Node]) -> dict[Node, tuple[int, ...]]:
        """To which order in each variable every node is needed (0 in variables on which it does not depend)."""
        depends: dict[Node, frozenset[int]] = {}
        for node in order:
            own = {self._number[node.value]} if node.op == "symbol" and node.value in self._number else ()
            depends[node] = frozenset().union(own, *(depends[arg] for arg in node.args))
        needed = {node: [0] * len(self.variables) for node in order}
        for node in reversed(order):
            asked = self._asked(node, tuple(needed[node]))
            for arg in node.args:
                needed[arg] = [max(a, b) if v in depends[arg] else 0 for v, (a, b) in enumerate(zip(needed[arg], asked, strict=True))]
        for orders in needed.values():
            size = 1
            for k in orders:
                size *= k + 1
            if size > LARGEST_JET:
                raise Unsupported("a derivative of too high an order")
        self._depends = depends
        return {node: tuple(orders) for node, orders in needed.items()}

    def _asked(self, node: Node, orders: tuple[int, ...]) -> tuple[int, ...]:
        if node.op != "derivative":
            return orders
        variable, times = node.value
        v = self._number[variable]
        return tuple(k + times if i == v else k for i, k in enumerate(orders))

    def _input(self, arg: Node, asked: tuple[int, ...], orders: dict, place: dict) -> int:
        """The step whose value is `arg` to the order asked; cut from a longer series if need be."""
        wanted = tuple(k if v in self._depends[arg] else 0 for v, k in enumerate(asked))
        if (arg, wanted) not in place:
            place[arg, wanted] = self._append(arg, _truncate, wanted, [place[arg, orders[arg]]])
        return place[arg, wanted]

    def _append(self, node: Node, handle: Handle, payload: object, inputs: Sequence[int]) -> int:
        self.nodes.append(node)
        self.steps.append((handle, payload, tuple(inputs)))
        return len(self.steps) - 1

    def _step(self, node: Node, orders: tuple[int, ...]) -> tuple[Handle, object]:
        match node.op:
            case "symbol":
                v = self._number.get(node.value)
                return _symbol, (node.value, v, 0 if v is None else orders[v])
            case "derivative":
                return _derivative, (self._number[node.value[0]], node.value[1])
            case "pow":
                exponent = node.args[1]
                return _power, exponent.value if exponent.op == "num" else None
            case _:
                return _HANDLES[node.op], node.value

    def run(self, env: Mapping[str, Value]) -> list[Outcome]:
        """The values of all steps; those of the roots are at `roots`.

        In a program with pieces a step without a value holds the reason (an exception) instead, else it is raised
        with `step` set to its number.
        """
        values: list[Outcome] = []
        append, real, lazy = values.append, self.real, self.lazy
        for handle, payload, inputs in self.steps:
            try:
                if handle is _symbol:
                    append(_symbol(payload, env))
                    continue
                args = [values[i] for i in inputs]
                if lazy and handle is not _piecewise:
                    failed = next((a for a in args if isinstance(a, ArithmeticError)), None)
                    if failed is not None:
                        append(failed)
                        continue
                append(handle(payload, args, real))
            except (Undefined, Undecided, Unsupported) as reason:
                reason.step = len(values)
                if not lazy:
                    raise
                append(reason)
        return values

    def values(self, env: Mapping[str, Value]) -> tuple[acb, ...]:
        """The roots' values, finite; raises Undefined, Undecided or Unsupported."""
        return self.finish(self.run(env))

    def finish(self, values: list[Outcome]) -> tuple[acb, ...]:
        """The roots' values out of a run, finite; raises the reason where there is none."""
        results = []
        for root in self.roots:
            value = values[root]
            if isinstance(value, ArithmeticError):
                raise value
            if isinstance(value, acb) and not value.is_finite():
                raise Undecided("a value is not finite there")
            results.append(value)
        return tuple(results)


# --- steps --------------------------------------------------------------------------------------


def _symbol(payload: tuple[str, int | None, int], env: Mapping[str, Value]) -> Value:
    name, variable, order = payload
    value = env[name]
    return jets.variable_jet(variable, value, order) if order else value


def _truncate(orders: tuple[int, ...], args: list, real: bool) -> Value:
    return jets.truncate(args[0], orders)


def _number(value: Fraction, args: list, real: bool) -> acb:
    return acb(value.numerator) if value.denominator == 1 else acb(fmpq(value.numerator, value.denominator))


def _constant(name: str, args: list, real: bool) -> acb:
    match name:
        case "pi":
            return acb.pi()
        case "E":
            return acb(1).exp()
        case "EulerGamma":
            return acb(arb.const_euler())
        case "I":
            return acb(0, 1)
        case _:
            raise Unsupported(f"{name} has no value")


def _add(_: object, args: list, real: bool) -> Value:
    total = args[0]
    for term in args[1:]:
        total = total + term
    return total


def _mul(_: object, args: list, real: bool) -> Value:
    product = args[0]
    for factor in args[1:]:
        product = product * factor
    return product


def _derivative(payload: tuple[int, int], args: list, real: bool) -> Value:
    return jets.differentiate(args[0], *payload)


def _power(literal: Fraction | None, args: list, real: bool) -> Value:
    base, exponent = args
    if literal is not None:
        n = literal.numerator if literal.denominator == 1 else None
    else:
        n = None if isinstance(exponent, Jet) else special.exact_integer(exponent)
    if n is not None:
        return whole_power(base, n)
    return _real_power(base, exponent, literal) if real else _principal_power(base, exponent)


def whole_power(base: Value, n: int) -> Value:
    """base^n; Undefined at a pole."""
    if abs(n) > LARGEST_EXPONENT:
        raise Undecided("an exponent is too large to evaluate")
    if n < 0 and jets.head(base).is_zero():
        raise Undefined("division by zero", 0.0)
    return jets.whole_power(base, n)


def _real_power(base: Value, exponent: Value, literal: Fraction | None) -> Value:
    b = jets.head(base).real
    if not b > 0:
        if b.is_zero() and not isinstance(base, Jet) and not isinstance(exponent, Jet) and exponent.real > 0:
            return acb(0)
        if b < 0:
            w = jets.head(exponent).real
            if literal is not None or isinstance(exponent, Jet) or not w.contains_integer():
                raise Undefined("a real power of a negative number", float((-b).mid()))
        raise Undecided("a real power of a number that may be negative")
    return _positive_power(base, exponent)


def _principal_power(base: Value, exponent: Value) -> Value:
    b = jets.head(base)
    if b.is_zero():
        if isinstance(base, Jet) or isinstance(exponent, Jet) or not exponent.real > 0:
            raise Undefined("a power of zero", 0.0)
        return acb(0)
    special.keep_off(b, "a power", on_cut=True)
    return _positive_power(base, exponent)


def _positive_power(base: Value, exponent: Value) -> Value:
    if not jets.head(exponent).abs_upper() < LARGEST_EXPONENT:
        raise Undecided("an exponent is too large to evaluate")
    variable = jets.outermost((base, exponent))
    if variable is None:
        return base**exponent
    if jets.outermost((exponent,)) == variable:
        return apply("exp", (exponent * apply("log", (base,), False),), False)
    first = _positive_power(jets.part(base, variable, 0), exponent)
    return jets.constant_power(base, exponent, first)


def _call(name: str, args: list, real: bool) -> Value:
    handle = _PIECES.get(name)
    return handle(args, real) if handle else apply(name, tuple(args), real)


def _truth(_: object, args: list, real: bool) -> bool:
    return True


# --- functions with pieces ------------------------------------------------------------------------


def real_head(value: Value, real: bool) -> arb:
    """The real number that the value is; Undefined where it is not provably real."""
    z = jets.head(value)
    if not real and not z.imag.is_zero():
        raise Undefined("abs, sign, floor, max, min and conditions are for real numbers only")
    return z.real


def sign_of(x: arb, smooth: bool) -> int:
    """The sign of a real ball; Kink where it is not certain, or is 0 where a derivative is wanted."""
    if x > 0:
        return 1
    if x < 0:
        return -1
    if x.is_zero() and not smooth:
        return 0
    raise Kink("a kink or a jump")


def _abs(args: list, real: bool) -> Value:
    sign = sign_of(real_head(args[0], real), isinstance(args[0], Jet))
    return args[0] if sign > 0 else -args[0] if sign < 0 else acb(0)


def _sign(args: list, real: bool) -> Value:
    return acb(sign_of(real_head(args[0], real), isinstance(args[0], Jet)))


def _rounded(args: list, real: bool, rounding: Callable[[arb], arb]) -> acb:
    x = real_head(args[0], real)
    result = rounding(x)
    if not result.is_exact() or (isinstance(args[0], Jet) and x.contains_integer()):
        raise Kink("a jump of floor or ceil")
    return acb(result)


def _extreme(args: list, real: bool, sign: int) -> Value:
    smooth = jets.outermost(args) is not None
    best = args[0]
    for other in args[1:]:
        if sign_of(real_head(other - best, real), smooth) * sign > 0:
            best = other
    real_head(best, real)
    return best


_PIECES: dict[str, Callable[[list, bool], Value]] = {
    "abs": _abs,
    "sign": _sign,
    "floor": lambda args, real: _rounded(args, real, arb.floor),
    "ceil": lambda args, real: _rounded(args, real, arb.ceil),
    "max": lambda args, real: _extreme(args, real, 1),
    "min": lambda args, real: _extreme(args, real, -1),
}


def _compare(relation: str, args: list, real: bool) -> bool | None:
    difference = args[0] - args[1]
    x = real_head(difference, real)
    if x.is_zero() and isinstance(difference, Jet):
        return None
    match relation:
        case "<":
            return True if x < 0 else False if x >= 0 else None
        case "<=":
            return True if x <= 0 else False if x > 0 else None
        case ">":
            return True if x > 0 else False if x <= 0 else None
        case ">=":
            return True if x >= 0 else False if x < 0 else None
        case "=":
            return True if x.is_zero() else None if x.contains(0) else False
        case _:
            return False if x.is_zero() else None if x.contains(0) else True


def _both(_: object, args: list, real: bool) -> bool | None:
    return False if False in args else None if None in args else True


def _either(_: object, args: list, real: bool) -> bool | None:
    return True if True in args else None if None in args else False


def _piecewise(_: object, args: list, real: bool) -> Outcome:
    for value, condition in zip(args[::2], args[1::2], strict=True):
        if isinstance(condition, ArithmeticError):
            raise condition
        if condition is None:
            raise Kink("the border of a piece")
        if condition:
            return value
    raise Undefined("no piece holds there")


_HANDLES: dict[str, Handle] = {
    "num": _number,
    "constant": _constant,
    "add": _add,
    "mul": _mul,
    "call": _call,
    "true": _truth,
    "compare": _compare,
    "and": _both,
    "or": _either,
    "piecewise": _piecewise,
}


# --- functions on series --------------------------------------------------------------------------


def apply(name: str, args: tuple[Value, ...], real: bool) -> Value:
    """A function at balls or series."""
    v = jets.outermost(args)
    if v is None:
        return special.evaluate(name, args, real)
    inner = [i for i, a in enumerate(args) if isinstance(a, Jet) and a.variable == v]
    rules = [_rule(name, len(args), i, real) for i in inner]
    if None in rules:
        return cauchy(name, args, v, real)
    first = apply(name, tuple(jets.part(a, v, 0) for a in args), real)
    order = len(args[inner[0]].coefficients) - 1
    lower = [jets.part(a, v, slice(0, order)) for a in args]
    slopes = [(rule(lower), args[i]) for rule, i in zip(rules, inner, strict=True)]
    return jets.integrate(first, slopes)


@cache
def _rule(name: str, arity: int, i: int, real: bool) -> Callable[[list[Value]], Value] | None:
    """The i-th partial derivative of a function, as a function of values."""
    node = partial(name, arity, i)
    if node is None:
        return None
    from verify.functions import function

    program = Program((node,), real)
    names = function(name, arity).arguments

    def rule(args: list[Value]) -> Value:
        return program.run(dict(zip(names, args, strict=True)))[program.roots[0]]

    return rule


def cauchy(name: str, args: tuple[Value, ...], v: int, real: bool) -> Jet:
    """A function of series in the variable v, by Cauchy's integral over a circle: it needs no rule.

    With g(t) = f(a(t), b(t), …), |g| <= M for |t| <= R and nodes t = r w^m, w = exp(2 pi i/N), the trapezoidal sum
    sum g(r w^m) w^(-jm)/(N r^j) differs from the coefficient g_j by at most M R^-j q/(1 - q), q = (r/R)^N.
    """
    if real:
        special.evaluate(name, tuple(jets.head(a) for a in args), real=True)
    order = max(len(a.coefficients) for a in args if isinstance(a, Jet) and a.variable == v) - 1
    precision = ctx.prec

    def g(t: acb) -> Value:
        return apply(name, tuple(_polynomial(a, v, t) for a in args), False)

    for shrink in (0, 2, 4, 8, 16, 32):
        R = arb(2) ** -shrink
        try:
            bound = g(acb(arb(0, R), arb(0, R)))
        except (Undefined, Undecided):
            continue
        break
    else:
        raise Undecided(f"the derivative of {name} could not be enclosed there")
    accuracy = min(jets.head(a).rel_accuracy_bits() for a in args)
    halvings = max(4, min(accuracy, precision) // 4)
    count = -(-precision // halvings) + order + 1
    try:
        ctx.prec = precision + order * (halvings + shrink) + 16
        r = R / arb(2) ** halvings
        samples = [g(acb(fmpq(2 * m, count)).exp_pi_i() * r) for m in range(count)]
        q = (r / R) ** count
        result = []
        for j in range(order + 1):
            total = samples[0]
            for m in range(1, count):
                total = total + samples[m] * acb(fmpq(-2 * m * j % (2 * count), count)).exp_pi_i()
            factor = q / (1 - q) / R**j

            def error(c: acb, factor: arb = factor) -> acb:
                width = arb(0, c.abs_upper() * factor)
                return acb(width, width)

            result.append(total * (1 / (count * r**j)) + jets.map_coefficients(bound, error))
    finally:
        ctx.prec = precision
    return Jet(v, [jets.map_coefficients(c, lambda z: acb(z.real)) if real else c for c in result])


def _polynomial(value: Value, v: int, t: acb) -> Value:
    """The series in the variable v at t, a value without that variable."""
    if not isinstance(value, Jet) or value.variable != v:
        return value
    total = value.coefficients[-1]
    for c in reversed(value.coefficients[:-1]):
        total = total * t + c
    return total
