"""Which form of a special function is canonical?  Exact identities that hold wherever both sides are defined.

Orders and parameters are shifted to a standard strip by contiguous relations, odd functions take the argument with a
positive leading coefficient, and functions that are others in disguise are rewritten.  Numbers are those of the DLMF.
"""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from math import factorial
from typing import TYPE_CHECKING, Any

from flint import fmpq_poly, fmpz_poly

from verify.decide.prove.tower import Element

if TYPE_CHECKING:
    from verify.decide.prove.forms import Forms

#: Steps that one contiguous relation may take.
LARGEST_SHIFT = 24
#: Degree up to which a polynomial is written out.
LARGEST_DEGREE = 40
ODD = frozenset({"erf", "erfi", "fresnels", "fresnelc", "Si", "Shi", "erfinv"})


def special_form(forms: Forms, name: str, args: tuple[Element, ...]) -> Element:
    """The function at these arguments, in terms of canonical kernels."""
    rule = _RULES.get((name, len(args)))
    if rule is not None:
        found = rule(forms, *args)
        if found is not None:
            return found
    if len(args) == 1 and name in ODD:
        if args[0].is_zero():
            return args[0]
        s, u = forms.odd(args[0])
        return forms.kernel(name, u).scaled(s)
    if name.startswith("hyp"):
        return _hypergeometric(forms, int(name[3]), int(name[5]), args)
    return forms.kernel(name, *args)


def whole_part(e: Element) -> int:
    """The integer n for which e - n has a constant term in [0, 1); 0 where e is no polynomial."""
    if not e.den.is_constant():
        return 0
    constant = Fraction(int(e.num.to_dict().get((0,) * e.tower.plan.size, 0)), int(e.den.leading_coefficient()))
    return constant.numerator // constant.denominator


def _integer(e: Element) -> int | None:
    q = e.rational()
    return int(q) if q is not None and q.denominator == 1 else None


# --- gamma and its relatives ------------------------------------------------------------------


def _gamma(forms: Forms, x: Element) -> Element | None:
    """Gamma(x + 1) = x Gamma(x) (5.5.1); factorials, Gamma(1/2) = sqrt(pi)."""
    t, q, n = forms.tower, x.rational(), whole_part(x)
    if abs(n) > LARGEST_SHIFT:
        return None
    if q is not None and q.denominator == 1:
        return t.number(factorial(int(q) - 1)) if q > 0 else None
    if q == Fraction(1, 2):
        return forms.sqrt(forms.pi())
    if n > 0:
        lower = x - t.one
        return lower * forms.function("gamma", (lower,))
    return forms.function("gamma", (x + t.one,)) / x if n < 0 else None


def _beta(forms: Forms, x: Element, y: Element) -> Element:
    """B(x, y) = Gamma(x) Gamma(y)/Gamma(x + y) (5.12.1)."""
    return forms.function("gamma", (x,)) * forms.function("gamma", (y,)) / forms.function("gamma", (x + y,))


def _loggamma(forms: Forms, x: Element) -> Element | None:
    """loggamma(x) = loggamma(x + 1) - log(x): upwards only, since x itself has to be in the domain (5.5.1)."""
    if not -LARGEST_SHIFT < whole_part(x) < 1 or x.is_zero():
        return None
    return forms.function("loggamma", (x + forms.tower.one,)) - forms.function("log", (x,))


def _polygamma(forms: Forms, n: Element, x: Element) -> Element | None:
    """psi_n(x + 1) = psi_n(x) + (-1)^n n!/x^(n + 1) (5.15.5)."""
    t, order, shift = forms.tower, _integer(n), whole_part(x)
    if order is None or not 0 <= order <= LARGEST_SHIFT or not shift or abs(shift) > LARGEST_SHIFT:
        return None
    if x.rational() is not None and shift == 1 and x.rational() == 1:
        return None
    step = Fraction((-1) ** order * factorial(order))
    if shift > 0:
        lower = x - t.one
        return forms.function("polygamma", (n, lower)) + (lower ** -(order + 1)).scaled(step)
    return forms.function("polygamma", (n, x + t.one)) - (x ** -(order + 1)).scaled(step)


def _zeta(forms: Forms, s: Element, a: Element) -> Element | None:
    """zeta(n + 1, a) = (-1)^(n + 1) psi_n(a)/n! for n >= 1 (25.11.12)."""
    k = _integer(s)
    if k is None or not 2 <= k <= LARGEST_SHIFT:
        return None
    psi = forms.function("polygamma", (forms.tower.number(k - 1), a))
    return psi.scaled(Fraction((-1) ** k, factorial(k - 1)))


def _uppergamma(forms: Forms, s: Element, z: Element) -> Element | None:
    """Gamma(s + 1, z) = s Gamma(s, z) + z^s e^-z (8.8.2), to a constant term of s in [0, 1); Gamma(1, z) = e^-z."""
    t, n = forms.tower, whole_part(s)
    if s.rational() == 1:
        return forms.exp(-z)
    if not n or abs(n) > LARGEST_SHIFT:
        return None
    if n > 0:
        lower = s - t.one
        return lower * forms.function("uppergamma", (lower, z)) + forms.power(z, lower) * forms.exp(-z)
    return (forms.function("uppergamma", (s + t.one, z)) - forms.power(z, s) * forms.exp(-z)) / s


def _expint(forms: Forms, s: Element, z: Element) -> Element:
    """E_s(z) = z^(s - 1) Gamma(1 - s, z) (8.19.1)."""
    t = forms.tower
    return forms.power(z, s - t.one) * forms.function("uppergamma", (t.one - s, z))


# --- orthogonal and Bernoulli polynomials ------------------------------------------------------------


def _polynomial(coefficients: Callable[[int], fmpz_poly | fmpq_poly]) -> Callable[[Forms, Element, Element], Any]:
    """The polynomial itself, where its degree is a number."""

    def rule(forms: Forms, degree: Element, x: Element) -> Element | None:
        n = _integer(degree)
        if n is None or not 0 <= n <= LARGEST_DEGREE:
            return None
        value = forms.tower.zero
        for c in reversed(coefficients(n).coeffs()):
            value = value * x + forms.tower.number(Fraction(str(c)))
        return value

    return rule


def _hermite(n: int) -> fmpz_poly:
    """H_(k + 1) = 2 x H_k - 2 k H_(k - 1) (18.9.1)."""
    before, now, x2 = fmpz_poly([0]), fmpz_poly([1]), fmpz_poly([0, 2])
    for k in range(n):
        before, now = now, x2 * now - 2 * k * before
    return now


# --- polylogarithms, Bessel functions, elliptic integrals --------------------------------------


def _polylog(forms: Forms, s: Element, z: Element) -> Element | None:
    """Li_1(z) = -log(1 - z); Li_0, Li_-1, … are rational: z d/dz lowers the order (25.12.10)."""
    t, order = forms.tower, _integer(s)
    if order is None or not -LARGEST_SHIFT < order <= 1:
        return None
    if order == 1:
        return -forms.function("log", (t.one - z,))
    # Li_-n(z) = sum_k k! S(n + 1, k + 1) (z/(1 - z))^(k + 1), by the recurrence of the coefficients.
    coefficients = [1]
    for _ in range(-order):
        coefficients = [
            (k + 1) * (coefficients[k] if k < len(coefficients) else 0) + (k * coefficients[k - 1] if k else 0)
            for k in range(len(coefficients) + 1)
        ]
    w = z / (t.one - z)
    return sum(((w ** (k + 1)).scaled(c) for k, c in enumerate(coefficients)), t.zero)


def _bessel(name: str, previous: int, factor: int) -> Callable[[Forms, Element, Element], Element | None]:
    """C_(v-1) previous + C_(v+1) = factor (2 v/z) C_v (10.6.1, 10.29.1), to orders with a whole part of 0 or 1."""

    def rule(forms: Forms, order: Element, z: Element) -> Element | None:
        t, n = forms.tower, whole_part(order)
        if n in (0, 1) or abs(n) > LARGEST_SHIFT:
            return None
        v = order - t.one if n > 1 else order + t.one
        middle = (v / z).scaled(2 * factor) * forms.function(name, (v, z))
        if n > 1:
            return middle - forms.function(name, (v - t.one, z)).scaled(previous)
        return (middle - forms.function(name, (v + t.one, z))).scaled(previous)

    return rule


def _elliptic_f(forms: Forms, phi: Element, m: Element) -> Element | None:
    """F(phi, 0) = phi, odd in phi."""
    if m.is_zero() or phi.is_zero():
        return phi
    s, u = forms.odd(phi)
    return forms.kernel("elliptic_f", u, m).scaled(s)


def _elliptic_e(forms: Forms, phi: Element, m: Element) -> Element | None:
    """E(phi, 0) = phi, odd in phi."""
    if m.is_zero() or phi.is_zero():
        return phi
    s, u = forms.odd(phi)
    return forms.kernel("elliptic_e", u, m).scaled(s)


def _elliptic_pi(forms: Forms, n: Element, phi: Element, m: Element) -> Element | None:
    """Pi(0, phi, m) = F(phi, m), odd in phi."""
    if n.is_zero():
        return forms.function("elliptic_f", (phi, m))
    if phi.is_zero():
        return phi
    s, u = forms.odd(phi)
    return forms.kernel("elliptic_pi", n, u, m).scaled(s)


def _hypergeometric(forms: Forms, p: int, q: int, args: tuple[Element, ...]) -> Element:
    """Equal upper and lower parameters cancel; 0F0 = exp, 1F0(a; z) = (1 - z)^-a; the order does not matter."""
    t, z = forms.tower, args[-1]
    upper, lower = list(args[:p]), list(args[p : p + q])
    if z.is_zero() or any(a.is_zero() for a in upper):
        return t.one
    for a in list(upper):
        match = None if forms.may_terminate(a) else next((b for b in lower if b.key == a.key), None)
        if match is not None:
            upper.remove(a)
            lower.remove(match)
    if not lower and not upper:
        return forms.exp(z)
    if not lower and len(upper) == 1:
        return forms.power(t.one - z, -upper[0])
    if (len(upper), len(lower)) == (1, 1):
        found = _error_function(forms, upper[0], lower[0], z)
        if found is not None:
            return found
    if (len(upper), len(lower)) == (2, 1) and not any(forms.may_terminate(a) for a in upper):
        # Euler: F(a, b; c; z) = (1 - z)^(c - a - b) F(c - a, c - b; c; z) (15.8.1); the smaller name is canonical.
        other = [lower[0] - a for a in upper]
        if any(a.is_zero() for a in other) or sorted(a.key for a in other) < sorted(a.key for a in upper):
            factor = forms.power(t.one - z, lower[0] - upper[0] - upper[1])
            return factor * _hypergeometric(forms, 2, 1, (*other, lower[0], z))
    parameters = (*sorted(upper, key=lambda a: a.key), *sorted(lower, key=lambda a: a.key))
    return forms.kernel(f"hyp{len(upper)}f{len(lower)}", *parameters, z)


def _error_function(forms: Forms, a: Element, b: Element, z: Element) -> Element | None:
    """M(1/2, 3/2, -v^2) = sqrt(pi) erf(v)/(2 v) (7.11.4), M(1, 3/2, z) = e^z M(1/2, 3/2, -z) (13.2.39)."""
    if b.rational() != Fraction(3, 2) or a.rational() not in (1, Fraction(1, 2)):
        return None
    if a.rational() == 1:
        return forms.exp(z) * _hypergeometric(forms, 1, 1, (b - a, b, -z))
    name, v = forms.square_root(-z)
    return forms.sqrt(forms.pi()) * forms.function(name, (v,)) / v.scaled(2)


_RULES: dict[tuple[str, int], Callable[..., Element | None]] = {
    ("gamma", 1): _gamma,
    ("factorial", 1): lambda forms, x: forms.function("gamma", (x + forms.tower.one,)),
    ("beta", 2): _beta,
    ("loggamma", 1): _loggamma,
    ("digamma", 1): lambda forms, x: forms.function("polygamma", (forms.tower.zero, x)),
    ("polygamma", 2): _polygamma,
    ("zeta", 2): _zeta,
    ("uppergamma", 2): _uppergamma,
    ("lowergamma", 2): lambda forms, s, z: forms.function("gamma", (s,)) - forms.function("uppergamma", (s, z)),
    ("expint", 2): _expint,
    ("erfc", 1): lambda forms, z: forms.tower.one - forms.function("erf", (z,)),
    ("chebyshevt", 2): _polynomial(fmpz_poly.chebyshev_t),
    ("chebyshevu", 2): _polynomial(fmpz_poly.chebyshev_u),
    ("legendre", 2): _polynomial(fmpq_poly.legendre_p),
    ("hermite", 2): _polynomial(_hermite),
    ("bernoulli", 2): _polynomial(fmpq_poly.bernoulli_poly),
    ("polylog", 2): _polylog,
    ("besselj", 2): _bessel("besselj", 1, 1),
    ("bessely", 2): _bessel("bessely", 1, 1),
    ("besseli", 2): _bessel("besseli", -1, -1),
    ("besselk", 2): _bessel("besselk", -1, 1),
    ("elliptic_f", 2): _elliptic_f,
    ("elliptic_e", 2): _elliptic_e,
    ("elliptic_pi", 3): _elliptic_pi,
}
