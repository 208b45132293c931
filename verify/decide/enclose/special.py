"""How is each function enclosed at a ball, where is it real, and where must a ball not reach across a cut?

One row a function, named as in `verify.functions` (arguments in the same order):

    value    the enclosure by FLINT's `acb`, principal branch
    margin   for real arguments: > 0 where the value is real, < 0 where it is not (None: real everywhere)
    cuts     for complex arguments: quantities that must keep off (-oo, 0], where the branch cuts are mapped to

A row may be narrower than the truth (then a point is left out), never wider.
Conventions: DLMF and FLINT; `tests/test_special.py` compares every row with mpmath.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from math import log2

from flint import acb, arb, ctx

from verify.decide.enclose.jets import Kink, Undecided, Undefined, Unsupported

#: Orders, degrees and parameters beyond this are refused: FLINT may sum that many terms.
LARGEST_PARAMETER = 1 << 14

Arguments = tuple[acb, ...]


@dataclass(frozen=True)
class Special:
    """One function on balls; see the head of this module."""

    value: Callable[..., acb]
    margin: Callable[..., acb] | None = None
    cuts: Callable[..., Arguments] | None = None
    real_only: bool = False
    on_cut: bool = False
    """Whether the value at an argument exactly on the cut is a convention that everybody shares."""


ONE = acb(1)
INSIDE, OUTSIDE, UNCLEAR = acb(1), acb(-1), acb(arb(0, 1))


def exact_integer(z: acb) -> int | None:
    """The integer that the ball is, exactly; None for any other ball."""
    if not z.is_exact() or not z.imag.is_zero():
        return None
    n = z.real.unique_fmpz()
    return None if n is None else int(n)


def _small(*parameters: acb, limit: int = LARGEST_PARAMETER) -> None:
    """Refuse parameters so large that an evaluation might not end."""
    for parameter in parameters:
        if not parameter.abs_upper() < limit:
            raise Undecided("a parameter is too large to evaluate")


def _degree(n: acb, what: str) -> int:
    degree = exact_integer(n)
    if degree is None or degree < 0:
        raise Undefined(f"the {what} must be a non-negative integer")
    if degree > LARGEST_PARAMETER:
        raise Undecided(f"the {what} is too large to evaluate")
    return degree


def _theta(k: acb, z: acb, q: acb) -> acb:
    index = exact_integer(k)
    if index not in (1, 2, 3, 4):
        raise Undefined("jtheta has the indices 1, 2, 3, 4")
    tau = q.log() / acb(0, 1) / acb.pi()
    return acb.modular_theta(z / acb.pi(), tau)[index - 1]


def _agm(a: acb, b: acb) -> acb:
    if not (a.real > 0 and b.real > 0):
        raise Undecided("agm is taken in the right half-plane only")
    return a.agm(b)


def _angle(y: acb, x: acb) -> acb:
    if y.is_zero() and x.is_zero():
        raise Undefined("the origin has no angle")
    return acb(arb.atan2(y.real, x.real))


def _polygamma(n: acb, x: acb) -> acb:
    order = _degree(n, "order of polygamma")
    return x.digamma() if order == 0 else x.polygamma(acb(order))


def _is_positive_integer(s: acb) -> bool:
    n = exact_integer(s)
    return n is not None and n > 0


def _is_integer(s: acb) -> bool:
    return exact_integer(s) is not None


def _bessel(method: Callable[[acb, acb], acb]) -> Callable[[acb, acb], acb]:
    def value(nu: acb, z: acb) -> acb:
        _small(nu, z)
        return method(z, nu)

    return value


def _hypergeometric(p: int, q: int) -> Special:
    def value(*args: acb) -> acb:
        upper, lower, z = args[:p], args[p : p + q], args[-1]
        _small(*args)
        if p == q + 1 and any((n := exact_integer(a)) is not None and n <= 0 for a in upper):
            return z.hypgeom(list(upper), list(lower))
        if (p, q) == (2, 1):
            return _gauss(*upper, *lower, z)
        if (p, q) == (1, 1):
            return z.hypgeom_1f1(upper[0], lower[0])
        if (p, q) == (0, 1):
            return z.hypgeom_0f1(lower[0])
        if (p, q) == (1, 0):
            return (1 - z) ** (-upper[0])
        return z.hypgeom(list(upper), list(lower))

    def terminates(args: Arguments) -> bool:
        return any((n := exact_integer(a)) is not None and n <= 0 for a in args[:p])

    if p <= q:
        return Special(value)
    if p > q + 1:
        return Special(value, margin=lambda *args: INSIDE if terminates(args) else OUTSIDE)
    return Special(
        value,
        margin=lambda *args: INSIDE if terminates(args) else 1 - args[-1],
        cuts=lambda *args: () if terminates(args) else (1 - args[-1],),
    )


def _gauss(a: acb, b: acb, c: acb, z: acb) -> acb:
    """2F1.  FLINT's connection formulas divide by 0 where c - a - b or a - b is an integer, but not exactly so.

    Then the series itself is summed, at z or (Pfaff's transformation, DLMF 15.8.1) at z/(z - 1).
    """
    if not (_nearly_integer(c - a - b) or _nearly_integer(a - b)):
        return z.hypgeom_2f1(a, b, c)
    for turned, w in ((False, z), (True, z / (z - 1))):
        size = float(w.abs_upper())
        if size < 0.95:
            terms = 16 + int((ctx.prec + 8) / -log2(max(size, 1e-9)))
            if not turned:
                return w.hypgeom([a, b], [c], n=terms)
            return (1 - z) ** -a * w.hypgeom([a, c - b], [c], n=terms)
    raise Undecided("hyp2f1 cannot be evaluated so near to its singularity")


def _nearly_integer(z: acb) -> bool:
    return not z.is_exact() and z.contains_integer()


def _turned(phi: acb, *cuts: acb) -> Arguments:
    """Cuts of an incomplete integral beyond those of its integrand.

    Off the strip |Re phi| < pi/2 it is continued by multiples of the complete integral, which has the `cuts`;
    off the real line the continuation breaks off on the borders of the strips.
    """
    if abs(phi.real) < arb.pi() / 2:
        return ()
    strip = (phi.real / arb.pi() + arb(1) / 2).floor()
    return cuts if phi.imag.is_zero() or strip.is_exact() else (acb(0),)


def _before_the_pole(phi: acb, inner: acb) -> acb:
    """Margin of an integrand singular where `inner` vanishes: the amplitude must come before that."""
    return inner if abs(phi.real) < arb.pi() / 2 else UNCLEAR


def _amplitude(phi: acb, m: acb) -> acb:
    """Margin of the incomplete integrals: m < 1, or an amplitude before the first singularity."""
    return INSIDE if m.real < 1 else _before_the_pole(phi, 1 - m * phi.sin() ** 2)


def _elliptic_pi_margin(n: acb, phi: acb, m: acb) -> acb:
    first = _amplitude(phi, m)
    return first if not first.real > 0 or n.real < 1 else _before_the_pole(phi, 1 - n * phi.sin() ** 2)


def _all_positive(*args: acb) -> acb:
    if all(a.real > 0 or a.is_zero() for a in args):
        return INSIDE
    return OUTSIDE if any(a.real < 0 for a in args) else UNCLEAR


# fmt: off
SPECIAL: dict[tuple[str, int], Special] = {
    # --- exponential and trigonometric ---
    ("exp", 1):    Special(acb.exp),
    ("log", 1):    Special(acb.log, lambda z: z, lambda z: (z,), on_cut=True),
    ("sin", 1):    Special(acb.sin),
    ("cos", 1):    Special(acb.cos),
    ("tan", 1):    Special(acb.tan),
    ("cot", 1):    Special(acb.cot),
    ("sec", 1):    Special(acb.sec),
    ("csc", 1):    Special(acb.csc),
    ("sinh", 1):   Special(acb.sinh),
    ("cosh", 1):   Special(acb.cosh),
    ("tanh", 1):   Special(acb.tanh),
    ("coth", 1):   Special(acb.coth),
    ("sech", 1):   Special(acb.sech),
    ("csch", 1):   Special(acb.csch),
    # --- their inverses ---
    ("asin", 1):   Special(acb.asin, lambda z: 1 - z * z, lambda z: (1 - z * z,)),
    ("acos", 1):   Special(acb.acos, lambda z: 1 - z * z, lambda z: (1 - z * z,)),
    ("atan", 1):   Special(acb.atan, None, lambda z: (1 + z * z,)),
    ("asinh", 1):  Special(acb.asinh, None, lambda z: (1 + z * z,)),
    ("acosh", 1):  Special(acb.acosh, lambda z: z - 1, lambda z: (z - 1,)),
    ("atanh", 1):  Special(acb.atanh, lambda z: 1 - z * z, lambda z: (1 - z * z,)),
    ("acot", 1):   Special(lambda z: (1 / z).atan(), None, lambda z: (1 + 1 / (z * z),)),
    ("asec", 1):   Special(lambda z: (1 / z).acos(), lambda z: z * z - 1, lambda z: (1 - 1 / (z * z),)),
    ("acsc", 1):   Special(lambda z: (1 / z).asin(), lambda z: z * z - 1, lambda z: (1 - 1 / (z * z),)),
    ("asech", 1):  Special(lambda z: (1 / z).acosh(), lambda z: z * (1 - z), lambda z: (1 / z - 1,)),
    ("acsch", 1):  Special(lambda z: (1 / z).asinh(), None, lambda z: (1 + 1 / (z * z),)),
    ("acoth", 1):  Special(lambda z: (1 / z).atanh(), lambda z: z * z - 1, lambda z: (1 - 1 / (z * z),)),
    ("atan2", 2):  Special(_angle, real_only=True),
    # --- error functions and Fresnel integrals ---
    ("erf", 1):    Special(acb.erf),
    ("erfc", 1):   Special(acb.erfc),
    ("erfi", 1):   Special(acb.erfi),
    ("erfinv", 1): Special(lambda x: acb(x.real.erfinv()), lambda x: 1 - x * x, real_only=True),
    ("erfcinv", 1): Special(lambda x: acb(x.real.erfcinv()), lambda x: x * (2 - x), real_only=True),
    ("fresnels", 1): Special(acb.fresnel_s),
    ("fresnelc", 1): Special(acb.fresnel_c),
    # --- exponential and trigonometric integrals ---
    ("Ei", 1):     Special(acb.ei, None, lambda z: (z,), on_cut=True),
    ("li", 1):     Special(acb.li, lambda z: z, lambda z: (z - 1,)),
    ("Si", 1):     Special(acb.si),
    ("Ci", 1):     Special(acb.ci, lambda z: z, lambda z: (z,)),
    ("Shi", 1):    Special(acb.shi),
    ("Chi", 1):    Special(acb.chi, lambda z: z, lambda z: (z,)),
    ("expint", 2): Special(lambda s, z: (_small(s), z.expint(s))[1],
                           lambda s, z: INSIDE if _is_integer(s) and s.real <= 0 else z,
                           lambda s, z: () if _is_integer(s) and s.real <= 0 else (z,)),
    # --- gamma and its relatives ---
    ("gamma", 1):     Special(acb.gamma),
    ("loggamma", 1):  Special(acb.lgamma, lambda z: z, lambda z: (z,)),
    ("digamma", 1):   Special(acb.digamma),
    ("polygamma", 2): Special(_polygamma),
    ("factorial", 1): Special(lambda z: (z + 1).gamma()),
    ("beta", 2):      Special(lambda x, y: x.gamma() * y.gamma() * (x + y).rgamma()),
    ("uppergamma", 2): Special(lambda s, z: (_small(s), z.gamma_upper(s))[1],
                               lambda s, z: INSIDE if _is_positive_integer(s) else z,
                               lambda s, z: () if _is_positive_integer(s) else (z,)),
    ("lowergamma", 2): Special(lambda s, z: (_small(s), z.gamma_lower(s))[1],
                               lambda s, z: INSIDE if _is_positive_integer(s) else z,
                               lambda s, z: () if _is_positive_integer(s) else (z,)),
    ("zeta", 1):      Special(lambda s: (_small(s), s.zeta())[1]),
    ("zeta", 2):      Special(lambda s, a: (_small(s, a), s.zeta(a))[1],
                              lambda s, a: INSIDE if _is_integer(s) else a,
                              lambda s, a: () if _is_integer(s) else (a,)),
    ("polylog", 2):   Special(lambda s, z: (_small(s, limit=100), z.polylog(s))[1],
                              lambda s, z: INSIDE if _is_integer(s) and s.real <= 0 else 1 - z,
                              lambda s, z: () if _is_integer(s) and s.real <= 0 else (1 - z,)),
    ("LambertW", 1):  Special(acb.lambertw, lambda z: 1 + z * ONE.exp(), lambda z: (1 + z * ONE.exp(),)),
    # --- Bessel and Airy functions ---
    ("besselj", 2): Special(_bessel(acb.bessel_j), lambda nu, z: INSIDE if _is_integer(nu) else z,
                            lambda nu, z: () if _is_integer(nu) else (z,)),
    ("besseli", 2): Special(_bessel(acb.bessel_i), lambda nu, z: INSIDE if _is_integer(nu) else z,
                            lambda nu, z: () if _is_integer(nu) else (z,)),
    ("bessely", 2): Special(_bessel(acb.bessel_y), lambda _, z: z, lambda _, z: (z,)),
    ("besselk", 2): Special(_bessel(acb.bessel_k), lambda _, z: z, lambda _, z: (z,)),
    ("airyai", 1):      Special(lambda z: (_small(z), z.airy_ai())[1]),
    ("airybi", 1):      Special(lambda z: (_small(z), z.airy_bi())[1]),
    ("airyaiprime", 1): Special(lambda z: (_small(z), z.airy_ai(derivative=1))[1]),
    ("airybiprime", 1): Special(lambda z: (_small(z), z.airy_bi(derivative=1))[1]),
    # --- elliptic integrals ---
    ("elliptic_k", 1):  Special(acb.elliptic_k, lambda m: 1 - m, lambda m: (1 - m,)),
    ("elliptic_e", 1):  Special(acb.elliptic_e, lambda m: 1 - m, lambda m: (1 - m,)),
    ("elliptic_pi", 2): Special(acb.elliptic_pi, lambda n, m: _all_positive(1 - n, 1 - m), lambda n, m: (1 - n, 1 - m)),
    ("elliptic_f", 2):  Special(acb.elliptic_f, _amplitude,
                                lambda phi, m: (1 - m * phi.sin() ** 2, *_turned(phi, 1 - m))),
    ("elliptic_e", 2):  Special(acb.elliptic_e_inc, _amplitude,
                                lambda phi, m: (1 - m * phi.sin() ** 2, *_turned(phi, 1 - m))),
    ("elliptic_pi", 3): Special(acb.elliptic_pi_inc, _elliptic_pi_margin,
                                lambda n, phi, m: (1 - n * phi.sin() ** 2, 1 - m * phi.sin() ** 2,
                                                   *_turned(phi, 1 - m, 1 - n))),
    # --- orthogonal and Bernoulli polynomials ---
    ("chebyshevt", 2): Special(lambda n, x: (_small(n), x.chebyshev_t(n))[1],
                               lambda n, x: INSIDE if _is_integer(n) else 1 + x,
                               lambda n, x: () if _is_integer(n) else (1 + x,)),
    ("chebyshevu", 2): Special(lambda n, x: (_small(n), x.chebyshev_u(n))[1],
                               lambda n, x: INSIDE if _is_integer(n) else 1 + x,
                               lambda n, x: () if _is_integer(n) else (1 + x,)),
    ("legendre", 2):   Special(lambda n, x: (_small(n), x.legendre_p(n))[1],
                               lambda n, x: INSIDE if _is_integer(n) else 1 + x,
                               lambda n, x: () if _is_integer(n) else (1 + x,)),
    ("hermite", 2):    Special(lambda n, x: (_small(n), x.hermite_h(n))[1]),
    ("bernoulli", 2):  Special(lambda n, x: x.bernoulli_poly(_degree(n, "degree of a Bernoulli polynomial"))),
    # --- theta functions, Carlson's integrals and others ---
    ("jtheta", 3):   Special(_theta, lambda _k, _z, q: q * (1 - q), lambda _k, _z, q: (q,)),
    ("elliprf", 3):  Special(acb.elliptic_rf, _all_positive, lambda x, y, z: (x, y, z)),
    ("elliprc", 2):  Special(acb.elliptic_rc, _all_positive, lambda x, y: (x, y)),
    ("elliprd", 3):  Special(acb.elliptic_rd, _all_positive, lambda x, y, z: (x, y, z)),
    ("elliprg", 3):  Special(acb.elliptic_rg, _all_positive, lambda x, y, z: (x, y, z)),
    ("agm", 2):      Special(_agm, _all_positive),
    ("barnesg", 1):  Special(lambda z: (_small(z), z.barnes_g())[1]),
    ("coulombf", 3): Special(lambda l, eta, z: (_small(l, eta, z), z.coulomb_f(l, eta))[1],
                             lambda l, _, z: _all_positive(l + 1, z), lambda l, _, z: (z, l + 1)),
    ("coulombg", 3): Special(lambda l, eta, z: (_small(l, eta, z), z.coulomb_g(l, eta))[1],
                             lambda l, _, z: _all_positive(l + 1, z), lambda l, _, z: (z, l + 1)),
}
# fmt: on

_HYPERGEOMETRIC = re.compile(r"hyp([0-9])f([0-9])")


@cache
def special(name: str, arity: int) -> Special | None:
    """The row of a function by its name and number of arguments; None where there is none."""
    match = _HYPERGEOMETRIC.fullmatch(name)
    return _hypergeometric(*map(int, match.groups())) if match else SPECIAL.get((name, arity))


def evaluate(name: str, args: tuple[acb, ...], real: bool) -> acb:
    """The function at balls: real and inside its real domain, or principal branch and off its cuts.

    Raises Undefined, Undecided (Kink on a cut) or Unsupported.
    """
    row = special(name, len(args))
    if row is None:
        raise Unsupported(f"no enclosure of {name} is known")
    if real:
        if row.margin is not None:
            margin = row.margin(*args).real
            if not margin > 0:
                if margin < 0:
                    raise Undefined(f"{name} is not real there", float((-margin).mid()))
                if not margin.is_zero():
                    raise Undecided(f"{name} may not be real there")
    elif row.real_only:
        if not all(a.imag.is_zero() for a in args):
            raise Undefined(f"{name} is defined for real arguments only")
        return evaluate(name, args, real=True)
    elif row.cuts is not None:
        for w in row.cuts(*args):
            keep_off(w, name, row.on_cut)
    value = row.value(*args)
    if not value.is_finite():
        raise Undecided(f"{name} is not finite there")
    return acb(value.real) if real and not value.imag.is_zero() else value


def keep_off(w: acb, name: str, on_cut: bool) -> None:
    """Raise Kink unless the ball stays off (-oo, 0], or lies on it exactly where `on_cut` allows that."""
    imag = w.imag
    if imag.contains(0) and not w.real > 0 and not (on_cut and imag.is_zero() and w.real < 0):
        raise Kink(f"{name} has a branch cut there")
