"""What are powers, exponentials, logarithms and other functions of each entry, in normal form?

What may come out of a function comes out: numbers and positive factors out of roots and logarithms, signs out of
sines, sums out of exponentials.  A factor counts as positive only if it is declared so, or is an exponential, an
absolute value, an even power, or a sum of such.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from fractions import Fraction

from verify.claim import Size
from verify.decide.contraction.canonical import Component
from verify.decide.contraction.space import TRANSPOSABLE, GiveUp, Number, Space
from verify.decide.contraction.sums import (
    Product,
    Sum,
    Term,
    einsum,
    has_identity,
    is_open,
    number,
    of_atom,
    settle,
    single,
    size,
    transposed,
)

POSITIVE = frozenset({"positive"})
#: Higher whole powers are not multiplied out.
HIGHEST_POWER = 64


def is_positive(space: Space, component: Component) -> bool:
    """Whether it is known to be positive wherever it is defined and not zero."""
    return all(e % 2 == 0 or _positive_atom(space, a) for a, _, e in component)


def is_surely_positive(a: Sum) -> bool:
    """Whether every term is positive."""
    return all(c > 0 and all(is_positive(a.space, k) or e % 2 == 0 for k, e in term) for term, c in a.terms.items())


def _positive_atom(space: Space, atom: int) -> bool:
    one = space.atoms[atom]
    if "positive" in one.flags or one.kind in ("exp", "abs"):
        return True
    return one.kind == "pow" and is_surely_positive(one.argument)


# --- atoms -----------------------------------------------------------------------------------------


def used_axes(*sums: Sum) -> list[int]:
    """The axes that some of the sums depend on."""
    used = {-1 - x for s in sums for term in s.terms for k, _ in term for _, slots, _ in k for x in slots if x < 0}
    return sorted(used)


def restricted(a: Sum, axes: list[int]) -> Sum:
    """The sum on some of its axes, which are all that it depends on."""
    if len(axes) == len(a.dims):
        return a
    place = {-1 - x: -1 - k for k, x in enumerate(axes)}

    def moved(component: Component) -> Component:
        return tuple((f, tuple(place.get(x, x) for x in slots), e) for f, slots, e in component)

    terms = {tuple(sorted((moved(k), e) for k, e in term)): c for term, c in a.terms.items()}
    return Sum(a.space, tuple(a.dims[x] for x in axes), terms)


def wrap(kind: str, a: Sum, exponent: Number = 1) -> Sum:
    """The atom kind(a)^exponent entry by entry, on the axes that a depends on, up to their exchange."""
    axes = used_axes(a)
    inner = restricted(a, axes)
    symmetry = ()
    if len(axes) == 2:
        turned = transposed(inner)
        if turned.key == inner.key:
            symmetry = TRANSPOSABLE
        elif turned.key < inner.key:
            inner, axes = turned, axes[::-1]
    atom = a.space.atom(kind, "", inner.dims, (inner,), symmetry)
    return _placed(a, atom, axes, exponent)


def called(name: str, *arguments: Sum) -> Sum:
    """A function of the table, entry by entry; the arguments have the same axes."""
    axes = used_axes(*arguments)
    inner = tuple(restricted(a, axes) for a in arguments)
    return _placed(arguments[0], arguments[0].space.atom("call", name, inner[0].dims, inner), axes, 1)


def _placed(like: Sum, atom: int, axes: list[int], exponent: Number) -> Sum:
    """The atom on some of the axes of another sum."""
    factor = (atom, tuple(-1 - x for x in axes), exponent)
    return settle(Product(like.space, 1, {}, [factor], {-1 - x: n for x, n in enumerate(like.dims)}))


# --- parts of sums -----------------------------------------------------------------------------------


def content(a: Sum, fits: Callable[[Component], bool]) -> tuple[Number, dict[Component, Number], Sum]:
    """a = c * g * rest: a coefficient, and the monomial of all components that fit and are common to all terms."""
    space = a.space
    terms = list(a.terms)
    c = a.terms[max(terms)]
    common: dict[Component, Number] = {}
    for component in sorted({k for term in terms for k, _ in term}):
        plain = (single(component) or not is_open(component)) and not has_identity(space, component)
        if plain and fits(component):
            least = min(dict(term).get(component, 0) for term in terms)
            if least:
                common[component] = least

    def stripped(term: Term) -> Term:
        exponents = dict(term)
        for component, e in common.items():
            exponents[component] = exponents.get(component, 0) - e
        return tuple(sorted((k, e) for k, e in exponents.items() if e))

    rest = Sum(space, a.dims, {stripped(term): Fraction(v) / c for term, v in a.terms.items()})
    if any(e < 0 for e in common.values()):
        # What was a denominator of some terms is now a factor of the others, to be multiplied out.
        space.step()
        rest = einsum(rest.axes, (rest, rest.axes))
        if not rest.terms:
            raise GiveUp("a function of what is zero for all values")
        factor, more, rest = content(rest, fits)
        for component, e in more.items():
            common[component] = common.get(component, 0) + e
        c = c * factor
    return c, common, rest


def monomial(space: Space, components: Mapping[Component, Number], dims: tuple[Size, ...], power: Number = 1) -> Sum:
    """The product of component^(exponent*power).

    An open graph to another power than a positive whole one becomes an atom: it is no product of its factors' powers.
    """
    result, axes = number(space, 1, dims), tuple(range(len(dims)))
    for component, exponent in components.items():
        e = exponent * power
        if not e:
            continue
        whole = e > 0 and e.denominator == 1
        if has_identity(space, component) and is_open(component):
            raise GiveUp("a power of an identity")
        if not single(component) and is_open(component) and not whole:
            factor = wrap("pow", Sum(space, dims, {((component, 1),): 1}), e)
        else:
            factor = Sum(space, dims, {((component, e),): 1})
        result = einsum(axes, (result, axes), (factor, axes))
    return result


def primes(q: Number) -> Iterator[tuple[int, int]]:
    """The prime factors of a positive rational with their signs of the exponent."""
    for n, sign in ((q.numerator, 1), (q.denominator, -1)):
        p = 2
        while n > 1:
            if p * p > n:
                p = n
            if p > 10_000:
                raise GiveUp("a root or logarithm of a large number")
            while n % p == 0:
                n //= p
                yield p, sign
            p += 1


def power_of_number(space: Space, q: Number, exponent: Number) -> Sum:
    """A positive number to a rational power."""
    if q <= 0:
        raise GiveUp("a root of a number that is not positive")
    factors = [(space.atom("number", p, flags=POSITIVE), (), sign * exponent) for p, sign in primes(q)]
    return settle(Product(space, 1, {}, factors, {}))


def times(*factors: Sum) -> Sum:
    """The product entry by entry; scalars go with every entry."""
    dims = max((f.dims for f in factors), key=len)
    axes = tuple(range(len(dims)))
    whole = number(factors[0].space, 1, dims)
    return einsum(axes, (whole, axes), *((f, axes[: len(f.dims)]) for f in factors))


# --- functions -----------------------------------------------------------------------------------------


def power(a: Sum, exponent: Number) -> Sum:
    """a^exponent entry by entry; exponents that are no whole numbers mean exp(exponent*log a)."""
    space = a.space
    exponent = int(exponent) if exponent.denominator == 1 else Fraction(exponent)
    whole = isinstance(exponent, int)
    if whole and exponent >= 0:
        return _whole_power(a, exponent)
    if not a.terms:
        raise GiveUp("division by zero")
    if any(is_open(k) and has_identity(space, k) for term in a.terms for k, _ in term):
        raise GiveUp("division by the zeros of an identity")
    if not whole and is_surely_positive(a.scaled(-1)):
        raise GiveUp("a root of what is always negative")
    if len(a.terms) == 1:
        return _power_of_term(a, exponent, whole)
    c, common, rest = content(a, lambda k: whole or is_positive(space, k))
    if not whole and c < 0:
        c, rest = -c, rest.scaled(-1)
    outside = number(space, Fraction(c) ** int(exponent)) if whole else power_of_number(space, c, exponent)
    inside = wrap("pow", rest, exponent) if len(rest.terms) > 1 else power(rest, exponent)
    return times(inside, outside, monomial(space, common, a.dims, exponent))


def _whole_power(a: Sum, exponent: int) -> Sum:
    if exponent > HIGHEST_POWER:
        raise GiveUp("a high power")
    axes, one = a.axes, number(a.space, 1, a.dims)
    if len(a.terms) <= 1:
        return einsum(axes, (one, axes), *[(a, axes)] * exponent)
    for _ in range(exponent):
        one = einsum(axes, (one, axes), (a, axes))
    return one


def _power_of_term(a: Sum, exponent: Number, whole: bool) -> Sum:
    space = a.space
    ((term, c),) = a.terms.items()
    if whole:
        return monomial(space, dict(term), a.dims, exponent).scaled(Fraction(c) ** int(exponent))
    good = {k: e for k, e in term if is_positive(space, k)}
    rest = {k: e for k, e in term if k not in good}
    if len(rest) == 1 and c > 0 and next(iter(rest.values())) % 2:
        # u^(p/q) is defined for u > 0 only, u^k for an odd k is positive only there.
        good, rest = good | rest, {}
    outside = times(monomial(space, good, a.dims, exponent), power_of_number(space, abs(c), exponent))
    if c > 0 and all(e % 2 == 0 for e in rest.values()):
        roots = [power(absolute(monomial(space, {k: 1}, a.dims)), e * exponent) for k, e in rest.items()]
        return times(outside, *roots)
    if c > 0 and not rest:
        return outside
    return times(outside, wrap("pow", monomial(space, rest, a.dims).scaled(1 if c > 0 else -1), exponent))


def exponential(a: Sum) -> Sum:
    """exp of each entry: a product of exponentials of monomials, whose coefficients are exponents."""
    space = a.space
    result = number(space, 1, a.dims)
    for term, c in a.terms.items():
        if not term:
            base = space.atom("number", "E", flags=POSITIVE)
            factor = settle(Product(space, 1, {}, [(base, (), c)], {}))
        elif (inner := _inside_logarithm(space, term, a.dims)) is not None:
            factor = power(inner, c)
        else:
            factor = wrap("exp", Sum(space, a.dims, {term: 1}), c)
        result = times(result, factor)
    return result


def _inside_logarithm(space: Space, term: Term, dims: tuple[Size, ...]) -> Sum | None:
    """u, where the term is log(u)."""
    if len(term) != 1 or term[0][1] != 1 or not single(term[0][0]):
        return None
    ((atom, slots, _),) = term[0][0]
    return _spread(space, space.atoms[atom].argument, slots, dims) if space.atoms[atom].kind == "log" else None


def _spread(space: Space, inner: Sum, slots: tuple[int, ...], dims: tuple[Size, ...]) -> Sum:
    """The argument of an atom, on all axes of the sum in which the atom has these slots."""
    axes = tuple(range(len(dims)))
    return einsum(axes, (inner, tuple(-1 - x for x in slots)), (number(space, 1, dims), axes))


def logarithm(a: Sum) -> Sum:
    """log of each entry: positive common factors and the number become terms of their own."""
    space = a.space
    if not a.terms:
        raise GiveUp("the logarithm of zero")
    if is_surely_positive(a.scaled(-1)):
        raise GiveUp("the logarithm of what is always negative")
    if len(a.terms) > 1:
        c, common, rest = content(a, lambda k: is_positive(space, k))
    else:
        ((term, c),) = a.terms.items()
        common = {k: e for k, e in term if is_positive(space, k)}
        rest = monomial(space, {k: e for k, e in term if k not in common}, a.dims)
    if c < 0:
        c, rest = -c, rest.scaled(-1)
    result = number(space, 0, a.dims)
    for p, sign in primes(c):
        result = result + times(number(space, 1, a.dims), wrap("log", number(space, p))).scaled(sign)
    for component, e in common.items():
        result = result + _logarithm_of_positive(space, component, a.dims).scaled(e)
    if len(rest.terms) == 1:
        ((term, sign),) = rest.terms.items()
        if not term and sign == 1:
            return result
        if len(term) == 1 and sign == 1 and term[0][1] % 2:
            # u^k is positive for an odd k (or a fraction) only where u is.
            return result + _logarithm_of_positive(space, term[0][0], a.dims).scaled(term[0][1])
    return result + wrap("log", rest)


def _logarithm_of_positive(space: Space, component: Component, dims: tuple[Size, ...]) -> Sum:
    """log of one component, where it is positive."""
    atom, slots, exponent = component[0]
    found = space.atoms[atom]
    if single(component) and exponent == 1 and found.kind == "exp":
        return _spread(space, found.argument, slots, dims)
    if single(component) and found.kind == "pow":
        return logarithm(_spread(space, found.argument, slots, dims)).scaled(exponent)
    if single(component) and found.kind == "number" and found.name == "E":
        return number(space, 1, dims)
    return wrap("log", Sum(space, dims, {((component, 1),): 1}))


def _signed(a: Sum) -> tuple[Sum, int]:
    """a or -a, whichever has a positive leading coefficient, and its sign."""
    return (a, 1) if a.terms[max(a.terms)] > 0 else (a.scaled(-1), -1)


def sine(a: Sum) -> Sum:
    """sin of each entry; odd."""
    if not a.terms:
        return a
    inner, sign = _signed(a)
    return wrap("sin", inner).scaled(sign)


def cosine(a: Sum) -> Sum:
    """cos of each entry; even."""
    return wrap("cos", _signed(a)[0]) if a.terms else number(a.space, 1, a.dims)


def absolute(a: Sum) -> Sum:
    """|a| entry by entry; of a product it is the product of the absolute values."""
    space = a.space
    if not a.terms:
        return a
    if len(a.terms) == 1:
        ((term, c),) = a.terms.items()
        parts = []
        for component, e in term:
            part = monomial(space, {component: 1}, a.dims)
            parts.append(power(part if is_positive(space, component) else wrap("abs", part), e))
        return times(number(space, abs(c), a.dims), *parts)
    c, common, rest = content(a, lambda k: is_positive(space, k))
    return times(wrap("abs", _signed(rest)[0]), number(space, abs(c)), monomial(space, common, a.dims))


def size_power(a: Sum, n: Size) -> Sum:
    """a^n of a scalar with one term, for a size n; a may be negative."""
    space = a.space
    if isinstance(n, int):
        return power(a, n)
    if not a.terms:
        return a
    if len(a.terms) != 1:
        raise GiveUp("a sum to the power of a size")
    ((term, c),) = a.terms.items()
    result = exponential(einsum((), (logarithm(number(space, abs(c))), ()), (size(space, n), ())))
    if c < 0:
        result = times(result, of_atom(space, space.atom("sign", n)))
    for component, e in term:
        base = monomial(space, {component: 1}, ())
        if is_positive(space, component):
            part = power(exponential(times(logarithm(base), size(space, n))), e)
        else:
            part = of_atom(space, space.atom("size_power", n, (), (base,)), e)
        result = times(result, part)
    return result
