"""Which functions exist, and what are their derivatives?  One row a function; read it like a formula sheet.

A row holds the name, the names of its arguments, the condition under which it is real at real arguments
(empty: always, poles apart), and the partial derivative for each argument, written in the text grammar over the
argument names.  `None` is a derivative that has no formula in this table: whoever needs it says so, nobody assumes 0.
Names, argument orders and branches are those of SymPy, DLMF and FLINT unless `CONVENTIONS` says otherwise.
Every partial derivative is compared with a derivative of enclosures, which knows none of these formulas, in the tests.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache


@dataclass(frozen=True)
class Function:
    """One row of the table: all quantities dimensionless; `partials` has one entry per argument."""

    name: str
    arguments: tuple[str, ...]
    real_where: str
    partials: tuple[str | None, ...]

    def __post_init__(self) -> None:
        if len(self.partials) != len(self.arguments):
            raise ValueError(
                f"function {self.name!r}: {len(self.arguments)} arguments, {len(self.partials)} derivatives"
            )


def _row(signature: str, real_where: str, *partials: str | None) -> Function:
    name, arguments = signature.rstrip(")").split("(")
    return Function(name, tuple(a.strip() for a in arguments.split(",")), real_where, partials)


_S2 = "sqrt(1 - m*sin(phi)^2)"  # Legendre's radical

# fmt: off
ROWS: tuple[Function, ...] = (
    # --- exponential and trigonometric (DLMF 4.2, 4.14, 4.28) ---
    _row("exp(x)",              "",                  "exp(x)"),
    _row("log(x)",              "x > 0",             "1/x"),
    _row("sin(x)",              "",                  "cos(x)"),
    _row("cos(x)",              "",                  "-sin(x)"),
    _row("tan(x)",              "",                  "1 + tan(x)^2"),
    _row("cot(x)",              "",                  "-1 - cot(x)^2"),
    _row("sec(x)",              "",                  "sec(x)*tan(x)"),
    _row("csc(x)",              "",                  "-csc(x)*cot(x)"),
    _row("sinh(x)",             "",                  "cosh(x)"),
    _row("cosh(x)",             "",                  "sinh(x)"),
    _row("tanh(x)",             "",                  "1 - tanh(x)^2"),
    _row("coth(x)",             "",                  "1 - coth(x)^2"),
    _row("sech(x)",             "",                  "-sech(x)*tanh(x)"),
    _row("csch(x)",             "",                  "-csch(x)*coth(x)"),
    # --- their inverses (DLMF 4.23, 4.37; acot(x) = atan(1/x), asec(x) = acos(1/x), …) ---
    _row("asin(x)",             "-1 <= x and x <= 1", "1/sqrt(1 - x^2)"),
    _row("acos(x)",             "-1 <= x and x <= 1", "-1/sqrt(1 - x^2)"),
    _row("atan(x)",             "",                  "1/(1 + x^2)"),
    _row("acot(x)",             "",                  "-1/(1 + x^2)"),
    _row("asec(x)",             "x^2 >= 1",          "1/(x^2*sqrt(1 - 1/x^2))"),
    _row("acsc(x)",             "x^2 >= 1",          "-1/(x^2*sqrt(1 - 1/x^2))"),
    _row("asinh(x)",            "",                  "1/sqrt(1 + x^2)"),
    _row("acosh(x)",            "x >= 1",            "1/(sqrt(x - 1)*sqrt(x + 1))"),
    _row("atanh(x)",            "-1 < x and x < 1",  "1/(1 - x^2)"),
    _row("acoth(x)",            "x^2 > 1",           "1/(1 - x^2)"),
    _row("asech(x)",            "0 < x and x <= 1",  "-1/(x^2*sqrt(1/x - 1)*sqrt(1/x + 1))"),
    _row("acsch(x)",            "",                  "-1/(x^2*sqrt(1 + 1/x^2))"),
    _row("atan2(y, x)",         "",                  "x/(x^2 + y^2)", "-y/(x^2 + y^2)"),
    # --- with kinks or jumps, where no derivative exists; max and min are taken apart by whoever meets them ---
    _row("abs(x)",              "",                  "sign(x)"),
    _row("sign(x)",             "",                  "0"),
    _row("floor(x)",            "",                  "0"),
    _row("ceil(x)",             "",                  "0"),
    # --- error functions and Fresnel integrals (DLMF 7) ---
    _row("erf(x)",              "",                  "2/sqrt(pi)*exp(-x^2)"),
    _row("erfc(x)",             "",                  "-2/sqrt(pi)*exp(-x^2)"),
    _row("erfi(x)",             "",                  "2/sqrt(pi)*exp(x^2)"),
    _row("erfinv(x)",           "-1 < x and x < 1",  "sqrt(pi)/2*exp(erfinv(x)^2)"),
    _row("erfcinv(x)",          "0 < x and x < 2",   "-sqrt(pi)/2*exp(erfcinv(x)^2)"),
    _row("fresnels(x)",         "",                  "sin(pi*x^2/2)"),
    _row("fresnelc(x)",         "",                  "cos(pi*x^2/2)"),
    # --- exponential and trigonometric integrals (DLMF 6, 8.19) ---
    _row("Ei(x)",               "",                  "exp(x)/x"),
    _row("li(x)",               "x > 0",             "1/log(x)"),
    _row("Si(x)",               "",                  "sin(x)/x"),
    _row("Ci(x)",               "x > 0",             "cos(x)/x"),
    _row("Shi(x)",              "",                  "sinh(x)/x"),
    _row("Chi(x)",              "x > 0",             "cosh(x)/x"),
    _row("expint(s, z)",        "z > 0",             None, "-expint(s - 1, z)"),
    # --- gamma and its relatives (DLMF 5, 8, 25) ---
    _row("gamma(x)",            "",                  "gamma(x)*digamma(x)"),
    _row("loggamma(x)",         "x > 0",             "digamma(x)"),
    _row("digamma(x)",          "",                  "polygamma(1, x)"),
    _row("polygamma(n, x)",     "",                  None, "polygamma(n + 1, x)"),
    _row("factorial(x)",        "",                  "factorial(x)*digamma(x + 1)"),
    _row("beta(x, y)",          "",                  "beta(x, y)*(digamma(x) - digamma(x + y))",
                                                     "beta(x, y)*(digamma(y) - digamma(x + y))"),
    _row("uppergamma(s, z)",    "z > 0",             None, "-z^(s - 1)*exp(-z)"),
    _row("lowergamma(s, z)",    "z > 0",             None, "z^(s - 1)*exp(-z)"),
    _row("zeta(s)",             "",                  None),
    _row("zeta(s, a)",          "a > 0",             None, "-s*zeta(s + 1, a)"),
    _row("polylog(s, z)",       "z < 1",             None, "polylog(s - 1, z)/z"),
    _row("LambertW(x)",         "x >= -exp(-1)",     "LambertW(x)/(x*(1 + LambertW(x)))"),
    # --- Bessel and Airy functions (DLMF 9, 10) ---
    _row("besselj(nu, x)",      "x > 0",             None, "(besselj(nu - 1, x) - besselj(nu + 1, x))/2"),
    _row("bessely(nu, x)",      "x > 0",             None, "(bessely(nu - 1, x) - bessely(nu + 1, x))/2"),
    _row("besseli(nu, x)",      "x > 0",             None, "(besseli(nu - 1, x) + besseli(nu + 1, x))/2"),
    _row("besselk(nu, x)",      "x > 0",             None, "-(besselk(nu - 1, x) + besselk(nu + 1, x))/2"),
    _row("airyai(x)",           "",                  "airyaiprime(x)"),
    _row("airybi(x)",           "",                  "airybiprime(x)"),
    _row("airyaiprime(x)",      "",                  "x*airyai(x)"),
    _row("airybiprime(x)",      "",                  "x*airybi(x)"),
    # --- elliptic integrals, parameter m = k^2 (DLMF 19.4) ---
    _row("elliptic_k(m)",       "m < 1",             "(elliptic_e(m)/(1 - m) - elliptic_k(m))/(2*m)"),
    _row("elliptic_e(m)",       "m <= 1",            "(elliptic_e(m) - elliptic_k(m))/(2*m)"),
    _row("elliptic_f(phi, m)",  "m*sin(phi)^2 < 1 and m < 1", f"1/{_S2}",
         f"elliptic_e(phi, m)/(2*m*(1 - m)) - elliptic_f(phi, m)/(2*m) - sin(2*phi)/(4*(1 - m)*{_S2})"),
    _row("elliptic_e(phi, m)",  "m*sin(phi)^2 <= 1 and m <= 1", _S2, "(elliptic_e(phi, m) - elliptic_f(phi, m))/(2*m)"),
    _row("elliptic_pi(n, m)",   "m < 1 and n < 1",
         "(elliptic_e(m) + (m - n)*elliptic_k(m)/n + (n^2 - m)*elliptic_pi(n, m)/n)/(2*(m - n)*(n - 1))",
         "(elliptic_e(m)/(m - 1) + elliptic_pi(n, m))/(2*(n - m))"),
    _row("elliptic_pi(n, phi, m)", "m*sin(phi)^2 < 1 and m < 1 and n < 1",
         f"(elliptic_e(phi, m) + (m - n)*elliptic_f(phi, m)/n + (n^2 - m)*elliptic_pi(n, phi, m)/n"
         f" - n*{_S2}*sin(2*phi)/(2*(1 - n*sin(phi)^2)))/(2*(m - n)*(n - 1))",
         f"1/((1 - n*sin(phi)^2)*{_S2})",
         f"(elliptic_e(phi, m)/(m - 1) + elliptic_pi(n, phi, m) - m*sin(2*phi)/(2*(m - 1)*{_S2}))/(2*(n - m))"),
    # --- orthogonal and Bernoulli polynomials (DLMF 18, 24): the degree first ---
    _row("chebyshevt(n, x)",    "",                  None, "n*chebyshevu(n - 1, x)"),
    _row("chebyshevu(n, x)",    "",                  None, "((n + 1)*chebyshevt(n + 1, x) - x*chebyshevu(n, x))"
                                                           "/(x^2 - 1)"),
    _row("legendre(n, x)",      "",                  None, "n*(x*legendre(n, x) - legendre(n - 1, x))/(x^2 - 1)"),
    _row("hermite(n, x)",       "",                  None, "2*n*hermite(n - 1, x)"),
    _row("bernoulli(n, x)",     "",                  None, "n*bernoulli(n - 1, x)"),
    # --- theta functions, Carlson's integrals and others (DLMF 20, 19.18, 33.4, 5.17; names as in mpmath) ---
    _row("jtheta(k, z, q)",     "0 < q and q < 1",   None, None, None),
    _row("elliprf(x, y, z)",    "x > 0 and y > 0 and z > 0",
         "-elliprd(y, z, x)/6", "-elliprd(x, z, y)/6", "-elliprd(x, y, z)/6"),
    _row("elliprc(x, y)",       "x > 0 and y > 0",   "(elliprc(x, y) - 1/sqrt(x))/(2*(y - x))",
                                                     "(elliprc(x, y) - sqrt(x)/y)/(2*(x - y))"),
    _row("elliprd(x, y, z)",    "x > 0 and y > 0 and z > 0", None, None, None),
    _row("elliprg(x, y, z)",    "x > 0 and y > 0 and z > 0", None, None, None),
    _row("agm(a, b)",           "a > 0 and b > 0",
         "agm(a, b)/(a*(a - b))*(a - 2/pi*agm(a, b)*elliptic_e(((a - b)/(a + b))^2))",
         "agm(a, b)/(b*(b - a))*(b - 2/pi*agm(a, b)*elliptic_e(((a - b)/(a + b))^2))"),
    _row("barnesg(z)",          "",                  "barnesg(z)*((z - 1)*digamma(z) - z + (1 + log(2*pi))/2)"),
    _row("coulombf(l, eta, z)", "z > 0 and l > -1",  None, None, None),
    _row("coulombg(l, eta, z)", "z > 0 and l > -1",  None, None, None),
)
# fmt: on

#: What a reader may expect otherwise.
CONVENTIONS = {
    "acot": "acot(x) = atan(1/x), with a jump at 0",
    "erfi": "erfi(z) = -I*erf(I*z)",
    "fresnels": "with pi/2: the derivative is sin(pi*x^2/2)",
    "Ei": "principal value on the real line",
    "li": "principal value on the real line",
    "expint": "generalised: E_s(z), the order first",
    "loggamma": "the branch with derivative digamma, not log(gamma(z))",
    "polygamma": "orders are non-negative integers",
    "uppergamma": "not regularised: integral of t^(s-1)*exp(-t) from z",
    "zeta": "Hurwitz's zeta function",
    "LambertW": "the principal branch",
    "elliptic_k": "parameter m = k^2",
    "hermite": "physicists' polynomials",
}

#: Other spellings of a row, and abbreviations that are expanded when they are read.
ALIASES = {
    "ln": "log", "arcsin": "asin", "arccos": "acos", "arctan": "atan", "arcsinh": "asinh", "arccosh": "acosh",
    "arctanh": "atanh", "Abs": "abs", "ceiling": "ceil", "psi": "digamma", "lgamma": "loggamma", "sgn": "sign",
    "arctan2": "atan2", "arcsec": "asec", "arccsc": "acsc", "arccot": "acot", "Max": "max", "Min": "min",
}  # fmt: skip
ABBREVIATIONS = {
    "log2": "log(x)/log(2)",
    "log10": "log(x)/log(10)",
    "log1p": "log(1 + x)",
    "expm1": "exp(x) - 1",
    "sigmoid": "1/(1 + exp(-x))",
    "softplus": "log(1 + exp(x))",
    "logit": "log(x/(1 - x))",
    "relu": "max(x, 0)",
    "trigamma": "polygamma(1, x)",
}

#: Functions of any number of arguments.
VARIADIC = ("max", "min")

_TABLE = {(row.name, len(row.arguments)): row for row in ROWS}
_HYPERGEOMETRIC = re.compile(r"hyp([0-9])f([0-9])")


@cache
def function(name: str, arity: int) -> Function | None:
    """The row of a function by its name and number of arguments; None when there is none."""
    match = _HYPERGEOMETRIC.fullmatch(name)
    return _hypergeometric(name, *map(int, match.groups()), arity) if match else _TABLE.get((name, arity))


def arities(name: str) -> tuple[int, ...]:
    """The numbers of arguments that a function takes; () for an unknown name."""
    match = _HYPERGEOMETRIC.fullmatch(name)
    return (sum(map(int, match.groups())) + 1,) if match else tuple(sorted(n for f, n in _TABLE if f == name))


def names() -> tuple[str, ...]:
    """All names of the table, sorted."""
    return tuple(sorted({row.name for row in ROWS} | set(VARIADIC)))


def _hypergeometric(name: str, p: int, q: int, arity: int) -> Function | None:
    """pFq with p upper, then q lower parameters, then z: (pFq)' = (prod a/prod b) pFq(a + 1; b + 1) (DLMF 16.3.1)."""
    if arity != p + q + 1:
        return None
    upper, lower = [f"a{i + 1}" for i in range(p)], [f"b{i + 1}" for i in range(q)]
    factor = "*".join(upper) or "1"
    divisor = "*".join(lower) or "1"
    shifted = ", ".join([f"{a} + 1" for a in (*upper, *lower)] + ["z"])
    real_where = "z < 1" if p == q + 1 else ""
    return Function(
        name, (*upper, *lower, "z"), real_where, (*[None] * (p + q), f"{factor}/({divisor})*{name}({shifted})")
    )
