"""Identities on every branch, kink and cut, right ones and wrong ones, by the thousand: a bank for the provers.

Nothing here says which ones are right: `truth` finds that out with balls, which know nothing of normal forms.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from itertools import product

from flint import acb, arb, ctx, fmpq

from verify.claim import Claim
from verify.decide.enclose.balls import Program
from verify.language import read_claim

INTERVALS = (
    "real", "positive", "negative", "interval(0, 1)", "interval(-1, 0)", "interval(-1, 1)", "interval(1, 2)",
    "interval(2, 3)", "interval(3, 4)", "interval(4, 6)", "interval(-3, -2)", "interval(-6, -4)", "interval(1, 3)",
    "interval(-2, 2)", "interval(0, 7)",
)  # fmt: skip
FEW = ("real", "positive", "negative", "interval(-1, 1)", "interval(2, 3)", "interval(4, 6)")


@dataclass(frozen=True)
class Statement:
    """A claim as text with its declarations."""

    text: str
    let: tuple[tuple[str, str], ...]

    def claim(self) -> Claim:
        return read_claim(self.text, dict(self.let))


def on(texts: Iterator[str] | tuple[str, ...] | list[str], domains: tuple[str, ...] = INTERVALS) -> Iterator[Statement]:
    """Every text on every domain of x."""
    for text, domain in product(texts, domains):
        yield Statement(text, (("x", domain),))


INNER = (
    "x", "sin(x)", "cos(x)", "tan(x)", "x - 1", "x^2 - 1", "x^2 + 1", "x^3 - x", "1 - cos(x)", "1 + sin(x)", "exp(x)",
    "exp(x) - 1", "log(x)", "sinh(x)", "x + 1/x", "x*exp(x)", "1 - x", "sin(x) + cos(x)", "1 - sin(x)^2", "x/(1 + x)",
    "atan(x)", "sqrt(x)", "x - sin(x)", "cos(x)^2 - sin(x)^2", "cosh(x) - 1", "exp(x) - exp(-x)", "tanh(x)",
)  # fmt: skip


def squares() -> Iterator[Statement]:
    """sqrt(f^2) against f, -f, |f|, and its derivative."""
    for f in INNER:
        yield from on([f"sqrt(({f})^2) = {g}" for g in (f"({f})", f"-({f})", f"abs({f})")])
        yield from on([f"(({f})^4)^(1/4) = {f}", f"(({f})^3)^(1/3) = {f}", f"(({f})^6)^(1/6) = -({f})"], FEW)
        yield from on(
            [
                f"d/dx sqrt(({f})^2) = d/dx ({f})", f"d/dx sqrt(({f})^2) = -(d/dx ({f}))",
                f"d/dx sqrt(({f})^2) = sign({f})*(d/dx ({f}))", f"d/dx abs({f}) = d/dx ({f})",
                f"d/dx abs({f}) = abs({f})/({f})*(d/dx ({f}))", f"d/dx abs({f}) = ({f})/abs({f})",
            ],
            FEW,
        )  # fmt: skip


def logarithms() -> Iterator[Statement]:
    for f in INNER:
        yield from on(
            [
                f"log(({f})^2) = 2*log({f})", f"log(({f})^2) = 2*log(abs({f}))", f"log(({f})^2) = 2*log(-({f}))",
                f"log(1/({f})) = -log({f})", f"log(({f})^3) = 3*log({f})", f"log(sqrt({f})) = log({f})/2",
                f"exp(log({f})) = {f}", f"exp(log(({f})^2)/2) = {f}", f"log(exp({f})) = {f}",
                f"d/dx log(({f})^2) = 2*(d/dx ({f}))/({f})", f"d/dx log(abs({f})) = (d/dx ({f}))/({f})",
                f"d/dx log(abs({f})) = (d/dx ({f}))/abs({f})", f"log(abs({f})) = log({f})",
            ],
            FEW,
        )  # fmt: skip
    for f, g in product(INNER[:10], INNER[:10]):
        if f < g:
            yield from on(
                [
                    f"log(({f})*({g})) = log({f}) + log({g})", f"log(({f})/({g})) = log({f}) - log({g})",
                    f"log(({f})*({g})) = log(abs({f})) + log(abs({g}))", f"sqrt(({f})*({g})) = sqrt({f})*sqrt({g})",
                    f"sqrt(({f})*({g})) = sqrt(-({f}))*sqrt(-({g}))", f"sqrt(({f})/({g})) = sqrt({f})/sqrt({g})",
                    f"sqrt(({f})*({g})) = sqrt(abs({f}))*sqrt(abs({g}))",
                    f"sqrt(({f})/({g})) = sqrt(({f})*({g}))/({g})", f"sqrt(({f})^2*({g})) = ({f})*sqrt({g})",
                    f"sqrt(({f})^2*({g})^2) = ({f})*({g})", f"abs(({f})*({g})) = abs({f})*abs({g})",
                    f"abs(({f}) + ({g})) = abs({f}) + abs({g})", f"max({f}, {g}) = {f}", f"min({f}, {g}) = {f}",
                    f"max({f}, {g}) + min({f}, {g}) = {f} + {g}", f"max({f}, {g}) = ({f} + {g} + abs({f} - ({g})))/2",
                    f"sign(({f})*({g})) = sign({f})*sign({g})", f"sign(({f})*({g})) = sign({f})",
                ],
                ("real", "positive", "interval(-1, 1)"),
            )  # fmt: skip


def inverses() -> Iterator[Statement]:
    pairs = (("asin", "sin"), ("acos", "cos"), ("atan", "tan"), ("asinh", "sinh"), ("acosh", "cosh"), ("atanh", "tanh"),
             ("acot", "cot"), ("asec", "sec"), ("acsc", "csc"), ("asech", "sech"), ("acsch", "csch"), ("acoth", "coth"),
             ("log", "exp"))  # fmt: skip
    for f, g in pairs:
        for shift in ("x", "-x", "pi - x", "x - pi", "x - 2*pi", "2*pi - x", "x + pi", "-pi - x", "abs(x)"):
            yield from on([f"{f}({g}(x)) = {shift}"])
        for k in ("2*x", "x/2", "x^2", "x + pi/2", "pi/2 - x"):
            yield from on([f"{f}({g}({k})) = {k}", f"{f}({g}({k})) = -({k})"], FEW)
        yield from on(
            [
                f"{g}({f}(x)) = x", f"d/dx {f}({g}(x)) = 1", f"d/dx {f}({g}(x)) = -1", f"{f}(-x) = -{f}(x)",
                f"{f}(-x) = {f}(x)", f"{f}(-x) = pi - {f}(x)", f"{f}(1/x) = pi/2 - {f}(x)",
                f"{f}(x) + {f}(1/x) = pi/2", f"{f}(x) + {f}(1/x) = -pi/2", f"{f}(x) + {f}(1/x) = sign(x)*pi/2",
            ]
        )  # fmt: skip
    names = ("asin", "acos", "atan", "acot", "asec", "acsc", "asinh", "acosh", "atanh", "acoth", "asech", "acsch")
    arguments = ("x", "1/x", "sqrt(1 - x^2)", "x/sqrt(1 - x^2)", "x/sqrt(1 + x^2)", "1/sqrt(1 + x^2)", "sqrt(x)",
                 "2*x^2 - 1", "2*x/(1 + x^2)", "(1 - x^2)/(1 + x^2)", "sqrt(x^2 - 1)", "sqrt((1 - x)/2)", "1 - x",
                 "2*x/(1 - x^2)", "(1 + x)/(1 - x)", "-x")  # fmt: skip
    for (f, u), (g, v) in product(product(names, arguments), product(names, arguments)):
        if (f, u) < (g, v) and hash_of(f, u, g, v) % 23 == 0:
            for c in ("", "2*", "-", "pi/2 - ", "pi - ", "1/2*"):
                yield from on([f"{f}({u}) = {c}{g}({v})"], ("real", "interval(0, 1)", "interval(-1, 0)"))
    for f, u in product(names, arguments):
        for g in ("sin", "cos", "tan", "exp"):
            yield from on([f"{g}({f}({u})) = {w}" for w in ("x", "sqrt(1 - x^2)", "1/x", "x/sqrt(1 + x^2)")], FEW[:3])


def hash_of(*parts: str) -> int:
    """A number that depends on the text only."""
    return random.Random("|".join(parts)).randrange(1 << 30)


def half_angles() -> Iterator[Statement]:
    for s in ("", "-"):
        yield from on(
            [
                f"sin(x/2) = {s}sqrt((1 - cos(x))/2)", f"cos(x/2) = {s}sqrt((1 + cos(x))/2)",
                f"tan(x/2) = {s}sqrt((1 - cos(x))/(1 + cos(x)))", f"sin(x) = {s}sqrt(1 - cos(x)^2)",
                f"cos(x) = {s}sqrt(1 - sin(x)^2)", f"tan(x) = {s}sqrt(sec(x)^2 - 1)",
                f"sinh(x/2) = {s}sqrt((cosh(x) - 1)/2)",
                f"cosh(x/2) = {s}sqrt((cosh(x) + 1)/2)", f"sqrt(1 + sin(x)) = {s}(sin(x/2) + cos(x/2))",
                f"sqrt(1 - sin(x)) = {s}(sin(x/2) - cos(x/2))", f"sqrt(1 + sin(2*x)) = {s}(sin(x) + cos(x))",
                f"sqrt(1 + tan(x)^2) = {s}sec(x)", f"sqrt(1 - cos(x))*sqrt(1 + cos(x)) = {s}sin(x)",
                f"sqrt(1 - sin(x))*sqrt(1 + sin(x)) = {s}cos(x)", f"sqrt(sinh(x)^2) = {s}sinh(x)",
                f"tan(x/2) = {s}sin(x)/(1 + cos(x))", f"sqrt(tan(x))*sqrt(cot(x)) = {s}1",
                f"sqrt(sin(x)/cos(x)) = {s}sqrt(sin(x))/sqrt(cos(x))", f"sqrt(tan(x)) = {s}sqrt(-sin(x))/sqrt(-cos(x))",
                f"sqrt(cos(x)^3) = {s}cos(x)*sqrt(cos(x))", f"cos(x)^(2/3) = {s}(cos(x)^2)^(1/3)",
            ]
        )  # fmt: skip


def powers() -> Iterator[Statement]:
    exponents = ("2", "3", "4", "1/2", "1/3", "2/3", "3/2", "-1", "-2", "-1/2")
    for f, a, b in product(("x", "sin(x)", "x - 1", "x^2", "-x", "exp(x)"), exponents, exponents):
        whole = Fraction(a) * Fraction(b)
        yield from on([f"(({f})^({a}))^({b}) = ({f})^({whole})"], FEW[:4])
    for f, a, b in product(("x", "-x", "sin(x)"), exponents, exponents):
        yield from on([f"({f})^({a})*({f})^({b}) = ({f})^({Fraction(a) + Fraction(b)})"], FEW[:3])
    lets = (("n", "integer"), ("n", "real"), ("n", "positive"))
    for (name, kind), domain in product(lets, ("real", "positive", "negative", "interval(-1, 1)")):
        for text in ("(x^2)^n = x^(2*n)", "(x^n)^2 = x^(2*n)", "(-x)^n = -(x^n)", "(-x)^n = x^n", "(-1)^(2*n) = 1",
                     "(-1)^n = 1", "(-1)^n*(-1)^n = 1", "x^n*x^(-n) = 1", "abs(x)^n = x^n", "abs(x^n) = abs(x)^n",
                     "abs(x^n) = x^n", "d/dx x^n = n*x^(n - 1)", "d/dx abs(x)^n = n*abs(x)^(n - 1)",
                     "d/dx abs(x)^n = n*abs(x)^n/x", "(x^n)^(1/n) = x", "(x^(1/n))^n = x", "x^(n/2) = sqrt(x^n)",
                     "x^(n/2) = sqrt(x)^n", "(x^2)^(n/2) = x^n", "(x^2)^(n/2) = abs(x)^n", "sign(x)^n = sign(x^n)",
                     "sign(x^n) = 1", "sqrt(x^(2*n)) = x^n", "sqrt(x^(2*n)) = abs(x)^n", "log(x^n) = n*log(x)",
                     "log(abs(x)^n) = n*log(abs(x))", "sqrt(n^2) = n", "abs(n) = n", "sign(n)^2 = 1",
                     "floor(n) = n", "floor(n/2) = n/2", "(x*abs(x))^n = x^(2*n)"):  # fmt: skip
            yield Statement(text, (("x", domain), (name, kind)))


def pieces() -> Iterator[Statement]:
    texts = [
        "floor(x) = x", "floor(x) = 0", "floor(x) = 2", "floor(x) = -1", "ceil(x) = floor(x) + 1",
        "ceil(x) = -floor(-x)",
        "floor(x) + floor(-x) = -1", "floor(x) + floor(-x) = 0", "floor(x + 1/2) = floor(x)", "floor(2*x) = 2*floor(x)",
        "floor(2*x) = floor(x) + floor(x + 1/2)", "d/dx floor(x) = 0", "d/dx floor(x) = 1",
        "d/dx (x*floor(x)) = floor(x)",
        "d/dx (x*floor(x)) = 0", "d/dx (x - floor(x)) = 1", "d/dx (x*floor(x)) = x", "floor(x + 3) = floor(x) + 3",
        "floor(abs(x)) = abs(floor(x))", "floor(x^2) = floor(x)^2", "floor(sin(x)) = 0", "floor(sin(x)) = -1",
        "sign(floor(x)) = sign(x)", "sign(floor(x))^2 = 1", "floor(x)/floor(x) = 1", "sign(x)^2 = 1", "sign(x) = 1",
        "sign(x) = -1", "x*sign(x) = abs(x)", "abs(x)/x = sign(x)", "sign(-x) = -sign(x)", "sign(x^2) = 1",
        "sign(x^3) = sign(x)", "sign(sin(x)) = 1", "sign(exp(x)) = 1", "sign(x - 1) = -1", "sign(1/x) = sign(x)",
        "abs(abs(x)) = abs(x)", "abs(-x) = abs(x)", "abs(x)^2 = x^2", "abs(x)^3 = x^3", "abs(x - 1) = x - 1",
        "abs(x - 1) = 1 - x", "abs(x + 1) = x + 1", "abs(x^2 - 1) = x^2 - 1", "abs(x^2 - 1) = 1 - x^2",
        "abs(x^2 + x + 1) = x^2 + x + 1", "abs(x^2 - x) = abs(x)*abs(x - 1)", "abs(sin(x)) = sin(x)",
        "abs(sin(x)) = sqrt(1 - cos(x)^2)", "abs(x) + abs(x - 1) = 1", "abs(x) + abs(x - 1) = 2*x - 1",
        "max(x, -x) = abs(x)", "min(x, -x) = abs(x)", "min(x, -x) = -abs(x)", "max(x, 1) = x", "max(x, 1) = 1",
        "max(x, x^2) = x^2", "max(x, x^2) = x", "max(sin(x), cos(x)) = cos(x)", "max(x, 0)^2 = x*max(x, 0)",
        "d/dx max(x, 0) = 1", "d/dx max(x, 0) = (1 + sign(x))/2", "d/dx max(x, 0)^2 = 2*max(x, 0)",
        "d/dx max(x, 1) = 0", "d/dx max(x, x^2) = 2*x", "d/dx min(x, x^2) = 1", "d/dx abs(x) = 1",
        "d/dx abs(x) = sign(x)",
        "d/dx abs(x) = x/abs(x)", "d/dx abs(x)^3 = 3*x*abs(x)", "d/dx abs(x)^3 = 3*x^2", "d/dx (x*abs(x)) = 2*abs(x)",
        "d/dx (x*abs(x)) = 2*x", "d/dx sign(x) = 0", "d/dx (x*sign(x)) = sign(x)", "d^2/dx^2 abs(x) = 0",
        "d^2/dx^2 (x*abs(x)) = 2*sign(x)", "d^2/dx^2 (x*abs(x)) = 2", "d/dx max(x, -x, 1) = sign(x)",
        "piecewise((x, x > 0), (-x, otherwise)) = abs(x)", "piecewise((x, x > 0), (-x, otherwise)) = x",
        "piecewise((1, x > 0), (-1, x < 0)) = sign(x)", "piecewise((1, x^2 > 1), (0, otherwise)) = 1",
        "piecewise((1, x^2 > 1), (0, otherwise)) = (1 + sign(x^2 - 1))/2",
        "piecewise((log(x), x > 0), (0, otherwise)) = 0",
        "piecewise((log(x), x > 0), (log(-x), otherwise)) = log(abs(x))",
        "d/dx piecewise((x^2, x > 1), (x, otherwise)) = piecewise((2*x, x > 1), (1, otherwise))",
        "d/dx piecewise((x^2, x > 1), (x, otherwise)) = 1", "d/dx piecewise((x^2, x > 1), (x, otherwise)) = 2*x",
        "piecewise((1, x = 1), (0, otherwise)) = 0", "piecewise((1, x > 0 and x < 1), (0, otherwise)) = 1",
        "piecewise((1, x > 0 or x < -1), (0, otherwise)) = 1",
        "piecewise((sqrt(x), x > 0), (sqrt(-x), otherwise)) = sqrt(abs(x))",
        "piecewise((0, x > 0), (x, x > -1), (1, otherwise)) = 0", "d/dx piecewise((0, x <= 0), (1, otherwise)) = 0",
        "sqrt(x)*piecewise((1, x > 0), (5, otherwise)) = sqrt(x)", "piecewise((1, x > 0), (5, otherwise))*x = x",
        "atan2(x, 1) = atan(x)", "atan2(1, x) = atan(1/x)", "atan2(1, x) = acot(x)", "atan2(x, -1) = pi - atan(x)",
        "atan2(x, x) = pi/4", "atan2(-x, -x) = pi/4", "tan(atan2(x, 2)) = x/2", "sin(atan2(x, 2)) = x/sqrt(x^2 + 4)",
        "cos(atan2(1, x)) = x/sqrt(x^2 + 1)", "atan2(0, x) = 0", "d/dx atan2(x, 1) = 1/(1 + x^2)",
        "atan2(x, x^2) = atan(1/x)",
    ]  # fmt: skip
    yield from on(texts)


def hidden() -> Iterator[Statement]:
    """Quantities that are constant, or zero, by an identity that no normal form sees at once."""
    zeros = ("atan(x) + atan(1/x) - pi/2", "atan(x) + acot(x) - pi/2", "asin(x) + acos(x) - pi/2",
             "log(x^2) - 2*log(x)", "sin(x)^2 + cos(x)^2 - 1",
             "log(1 + sqrt(1 - x^2)) + log(1 - sqrt(1 - x^2)) - 2*log(x)",
             "sqrt(x^2) - x", "abs(x) - x", "asin(sin(x)) - x", "floor(x)", "atan(1/2) + atan(1/3) - pi/4",
             "sqrt(3 + 2*sqrt(2)) - 1 - sqrt(2)", "erf(x) + erfc(x) - 1", "gamma(x + 1) - x*gamma(x)",
             "besselj(1/2, x) - sqrt(2/(pi*x))*sin(x)", "2*atan((1 - x)/(1 + x)) + 2*atan(x) - pi/2",
             "atanh(x) - log((1 + x)/(1 - x))/2", "sqrt(x)*sqrt(1/x) - 1", "elliptic_e(x, 0) - x",
             "hyp2f1(1, 1, 2, x) + log(1 - x)/x", "LambertW(x*exp(x)) - x",
             "exp(LambertW(x)) - x/LambertW(x)")  # fmt: skip
    for z in zeros:
        yield from on(
            [
                f"{z} = 0", f"sign({z}) = 1", f"sign({z})^2 = 1", f"abs({z}) = {z}", f"abs({z}) = -({z})",
                f"abs({z}) = 1", f"piecewise((1, {z} > 0), (2, otherwise)) = 1", f"floor({z}) = 0", f"floor({z}) = -1",
                f"piecewise((1, {z} = 0), (2, otherwise)) = 2", f"piecewise((1, {z} <= 0), (2, otherwise)) = 2",
                f"piecewise((1, {z} >= 0), (2, otherwise)) = 2", f"d/dx ({z}) = 0", f"sqrt(({z})^2) = {z}",
                f"max({z}, 0) + 1 = 2", f"sign({z} + 1/2) = 1", f"d/dx abs({z}) = 1", f"({z})^2 = 0",
                f"sqrt({z} + 1) = 1", f"floor({z} + 1/2) = 0", f"x^({z}) = 1", f"(-x)^({z} + 2) = x^2",
            ],
            ("real", "positive", "negative", "interval(0, 1)", "interval(-1, 0)", "interval(1, 2)"),
        )  # fmt: skip


def nested() -> Iterator[Statement]:
    yield from on(
        [
            "sqrt(x + sqrt(x^2 - 1)) = sqrt((x + 1)/2) + sqrt((x - 1)/2)",
            "sqrt(x - sqrt(x^2 - 1)) = sqrt((x + 1)/2) - sqrt((x - 1)/2)",
            "sqrt(x - sqrt(x^2 - 1)) = sqrt((x - 1)/2) - sqrt((x + 1)/2)",
            "sqrt(1 + sqrt(1 - x^2))*sqrt(1 - sqrt(1 - x^2)) = x",
            "sqrt(1 + sqrt(1 - x^2))*sqrt(1 - sqrt(1 - x^2)) = -x",
            "sqrt(1 + sqrt(1 - x^2))*sqrt(1 - sqrt(1 - x^2)) = abs(x)",
            "sqrt(x + 2*sqrt(x - 1)) = 1 + sqrt(x - 1)", "sqrt(x - 2*sqrt(x - 1)) = 1 - sqrt(x - 1)",
            "sqrt(x - 2*sqrt(x - 1)) = sqrt(x - 1) - 1", "sqrt(x - 2*sqrt(x - 1)) = abs(1 - sqrt(x - 1))",
            "sqrt(1 + x)/sqrt(1 - x) = sqrt((1 + x)/(1 - x))", "sqrt((1 + x)/(1 - x)) = (1 + x)/sqrt(1 - x^2)",
            "sqrt((1 + x)/(1 - x)) = sqrt(1 - x^2)/(1 - x)", "sqrt((x + 1)/(x - 1)) = sqrt(x + 1)/sqrt(x - 1)",
            "sqrt((x + 1)/(x - 1)) = (x + 1)/sqrt(x^2 - 1)", "sqrt(x^2 - 1) = sqrt(x - 1)*sqrt(x + 1)",
            "sqrt(x^4 + x^2) = x*sqrt(x^2 + 1)", "sqrt(x^4 + x^2) = -x*sqrt(x^2 + 1)",
            "sqrt(1/x^2 - 1) = sqrt(1 - x^2)/x",
            "sqrt(1 + 1/x^2) = sqrt(1 + x^2)/x", "sqrt(1 + 1/x^2) = sqrt(1 + x^2)/abs(x)", "(x^3)^(1/3) = x",
            "(x^2)^(1/3) = x^(2/3)",
            "sqrt(x^3) = x*sqrt(x)", "sqrt(x^3) = -x*sqrt(-x)", "sqrt(-x^3) = -x*sqrt(-x)", "sqrt(-x^3) = x*sqrt(-x)",
            "sqrt(exp(2*x)) = exp(x)", "sqrt(exp(2*x) - 2*exp(x) + 1) = exp(x) - 1",
            "sqrt(exp(2*x) - 2*exp(x) + 1) = 1 - exp(x)",
            "sqrt(exp(2*x) + 2 + exp(-2*x)) = exp(x) + exp(-x)", "sqrt(exp(2*x) - 2 + exp(-2*x)) = exp(x) - exp(-x)",
            "sqrt(log(x)^2) = log(x)", "sqrt(log(x)^2) = -log(x)", "asinh(x) = log(x + sqrt(1 + x^2))",
            "acosh(x) = log(x + sqrt(x^2 - 1))",
            "acosh(x) = log(x - sqrt(x^2 - 1))", "acosh(x) = -log(x - sqrt(x^2 - 1))",
            "asinh(x) = -log(sqrt(1 + x^2) - x)",
            "log(x + sqrt(x^2 - 1)) = -log(x - sqrt(x^2 - 1))", "atanh(x) = log(1 + x)/2 - log(1 - x)/2",
            "acoth(x) = log((x + 1)/(x - 1))/2",
            "acoth(x) = log(abs((x + 1)/(x - 1)))/2", "atanh(x) = log(abs((x + 1)/(x - 1)))/2",
            "asech(x) = log(1/x + sqrt(1/x^2 - 1))",
            "2*asin(sqrt((1 - x)/2)) = acos(x)", "2*atan(x) = asin(2*x/(1 + x^2))",
            "2*atan(x) = acos((1 - x^2)/(1 + x^2))",
            "2*atan(x) = atan(2*x/(1 - x^2))", "d/dx (2*atan(x)) = d/dx asin(2*x/(1 + x^2))",
            "3*asin(x) = asin(3*x - 4*x^3)",
            "d/dx asin(2*x/(1 + x^2)) = 2/(1 + x^2)", "d/dx asin(2*x/(1 + x^2)) = -2/(1 + x^2)",
            "d/dx acos((1 - x^2)/(1 + x^2)) = 2/(1 + x^2)",
            "d/dx acos((1 - x^2)/(1 + x^2)) = 2*sign(x)/(1 + x^2)", "d/dx acot(x) = -1/(1 + x^2)",
            "d/dx asec(x) = 1/(x*sqrt(x^2 - 1))",
            "d/dx asec(x) = 1/(abs(x)*sqrt(x^2 - 1))", "d/dx asec(x) = -1/(x*sqrt(x^2 - 1))",
            "d/dx acsc(x) = -1/(x*sqrt(x^2 - 1))",
            "d/dx acosh(x) = 1/sqrt(x^2 - 1)", "d/dx asech(x) = -1/(x*sqrt(1 - x^2))",
            "d/dx acsch(x) = -1/(x*sqrt(1 + x^2))",
            "d/dx acsch(x) = -1/(abs(x)*sqrt(1 + x^2))", "d/dx acsch(x) = 1/(x*sqrt(1 + x^2))",
            "d/dx acoth(x) = 1/(1 - x^2)",
            "d/dx asin(1/x) = -1/(x*sqrt(x^2 - 1))", "d/dx asin(1/x) = -1/(abs(x)*sqrt(x^2 - 1))",
            "acsc(x) = asin(1/x)", "acot(x) = atan(1/x)",
            "acot(x) = pi/2 - atan(x)", "acot(x) = -pi/2 - atan(x)", "acot(x) = sign(x)*pi/2 - atan(x)",
            "acot(-x) = -acot(x)", "acot(-x) = pi - acot(x)",
            "tan(acot(x)) = 1/x", "sin(acot(x)) = 1/sqrt(1 + x^2)", "sin(acot(x)) = sign(x)/sqrt(1 + x^2)",
            "cos(acot(x)) = x/sqrt(1 + x^2)",
            "cos(acot(x)) = abs(x)/sqrt(1 + x^2)", "tan(asec(x)) = sqrt(x^2 - 1)",
            "tan(asec(x)) = sign(x)*sqrt(x^2 - 1)", "sin(asec(x)) = sqrt(1 - 1/x^2)",
            "cos(asin(x)/2) = sqrt((1 + sqrt(1 - x^2))/2)", "sin(acos(x)/2) = sqrt((1 - x)/2)",
            "tan(atan(x)/2) = (sqrt(1 + x^2) - 1)/x",
            "tan(asin(x)/2) = x/(1 + sqrt(1 - x^2))", "cos(2*atan(x)) = (1 - x^2)/(1 + x^2)",
            "sin(3*asin(x)) = 3*x - 4*x^3", "exp(asinh(x)) = x + sqrt(1 + x^2)",
            "exp(-acosh(x)) = x - sqrt(x^2 - 1)", "exp(2*atanh(x)) = (1 + x)/(1 - x)",
            "exp(atanh(x)) = sqrt(1 + x)/sqrt(1 - x)", "cosh(asinh(x)) = sqrt(1 + x^2)",
            "sinh(acosh(x)) = sqrt(x^2 - 1)", "sinh(acosh(x)) = -sqrt(x^2 - 1)", "tanh(acoth(x)) = 1/x",
            "sqrt(x^2 + 2*x + 1) = x + 1", "sqrt(x^2 - 2*x + 1) = x - 1",
            "sqrt(4*x^2 - 4*x + 1) = 1 - 2*x", "erf(sqrt(x^2)) = erf(x)", "erf(sqrt(x^2)) = erf(abs(x))",
            "d/dx erf(sqrt(x^2)) = 2/sqrt(pi)*exp(-x^2)",
        ]
    )  # fmt: skip


def two_variables() -> Iterator[Statement]:
    domains = (
        (("x", "real"), ("y", "real")), (("x", "positive"), ("y", "positive")), (("x", "positive"), ("y", "real")),
        (("x", "interval(0, 1)"), ("y", "interval(2, 3)")), (("x", "real"), ("y", "real"), ("where", "x < y")),
        (("x", "positive"), ("y", "real"), ("where", "x < y")), (("x", "real"), ("y", "negative"), ("where", "x < y")),
    )  # fmt: skip
    texts = (
        "abs(x - y) = y - x", "abs(x - y) = x - y", "max(x, y) = y", "max(x, y) = x", "min(x, y) = x",
        "sqrt(x^2*y^2) = x*y",
        "sqrt(x*y) = sqrt(x)*sqrt(y)", "sqrt(x/y) = sqrt(x)/sqrt(y)", "sqrt(x/y) = sqrt(x*y)/y",
        "sqrt(x/y) = sqrt(x*y)/abs(y)",
        "log(x*y) = log(x) + log(y)", "log(x/y) = log(x) - log(y)", "log(x^y) = y*log(x)",
        "(x*y)^(1/3) = x^(1/3)*y^(1/3)",
        "sqrt((x - y)^2) = y - x", "sqrt(x^2 - 2*x*y + y^2) = x - y", "sqrt(x^2 + 2*x*y + y^2) = x + y",
        "atan2(y, x) = atan(y/x)",
        "atan2(y, x) = pi/2 - atan(x/y)", "atan2(-y, -x) = atan2(y, x)", "atan2(2*y, 2*x) = atan2(y, x)",
        "d/dx atan2(y, x) = -y/(x^2 + y^2)",
        "d/dx atan(y/x) = -y/(x^2 + y^2)", "d/dx max(x, y) = 1",
        "d/dx max(x, y) = piecewise((1, x > y), (0, otherwise))",
        "d/dy (x - y*floor(x/y)) = -floor(x/y)", "d/dy (x - y*floor(x/y)) = -floor(x)", "d/dx (x - y*floor(x/y)) = 1",
        "sign(x*y) = sign(x)*sign(y)", "sign(x + y) = sign(x) + sign(y)", "abs(x*y) = x*y", "abs(x/y) = abs(x)/abs(y)",
        "floor(x + y) = floor(x) + floor(y)", "d/dx sqrt(x^2*y) = x*sqrt(y)/abs(x)", "d/dx sqrt(x^2*y) = sqrt(y)",
        "x^y*x^(-y) = 1",
        "(x^y)^2 = x^(2*y)", "(x^2)^y = x^(2*y)", "(x^2)^y = abs(x)^(2*y)", "exp(x*log(y)) = y^x",
        "log(exp(x)*y) = x + log(y)",
        "sqrt(exp(x)*y) = exp(x/2)*sqrt(y)", "atan((x + y)/(1 - x*y)) = atan(x) + atan(y)",
        "d/dx atan((x + y)/(1 - x*y)) = 1/(1 + x^2)",
        "d/dx atan(x*y) = y/(1 + x^2*y^2)", "asin(x/y) = atan(x/sqrt(y^2 - x^2))", "d/dx asin(x/y) = 1/sqrt(y^2 - x^2)",
        "d/dx asin(x/y) = sign(y)/sqrt(y^2 - x^2)", "d/dx acosh(x/y) = 1/sqrt(x^2 - y^2)",
        "d/dx log(x + sqrt(x^2 + y^2)) = 1/sqrt(x^2 + y^2)",
        "d/dx log(x + sqrt(x^2 - y^2)) = 1/sqrt(x^2 - y^2)", "d/dx log(abs(x + sqrt(x^2 - y^2))) = 1/sqrt(x^2 - y^2)",
    )  # fmt: skip
    for text, domain in product(texts, domains):
        yield Statement(text, domain)


def principal() -> Iterator[Statement]:
    texts = (
        "sqrt(z^2) = z", "sqrt(z^2) = -z", "log(exp(z)) = z", "exp(log(z)) = z", "log(z^2) = 2*log(z)",
        "log(z^3) = 3*log(z)",
        "log(1/z) = -log(z)", "log(-z) = log(z) + I*pi", "log(-z) = log(z) - I*pi", "log(I*z) = log(z) + I*pi/2",
        "log(2*z) = log(2) + log(z)",
        "log(-2*z) = log(2) + log(-z)", "sqrt(4*z) = 2*sqrt(z)", "sqrt(-4*z) = 2*sqrt(-z)", "sqrt(-z) = I*sqrt(z)",
        "sqrt(-z) = -I*sqrt(z)",
        "sqrt(1/z) = 1/sqrt(z)", "sqrt(z - 1)*sqrt(z + 1) = sqrt(z^2 - 1)", "sqrt(1 - z)*sqrt(1 + z) = sqrt(1 - z^2)",
        "sqrt(1 - I*z)*sqrt(1 + I*z) = sqrt(1 + z^2)", "sqrt(z - I)*sqrt(z + I) = sqrt(z^2 + 1)",
        "sqrt(4 - z^2) = sqrt(2 - z)*sqrt(2 + z)",
        "sqrt(z^2 - 4) = sqrt(z - 2)*sqrt(z + 2)", "sqrt(1 - z^2) = I*sqrt(z^2 - 1)",
        "sqrt(1 - z^2) = -I*sqrt(z^2 - 1)",
        "sqrt(1 - z^4) = sqrt(1 - z^2)*sqrt(1 + z^2)", "sqrt(1 - z^3) = sqrt(1 - z)*sqrt(1 + z + z^2)",
        "sqrt(2*z - z^2) = sqrt(z)*sqrt(2 - z)",
        "sqrt(z - z^2) = sqrt(z)*sqrt(1 - z)", "sqrt(z + z^2) = sqrt(z)*sqrt(1 + z)", "sqrt(z^3) = z*sqrt(z)",
        "z^(3/2) = z*sqrt(z)", "(z^3)^(1/3) = z",
        "(z^(1/3))^3 = z", "z^(2/3) = (z^2)^(1/3)", "z^(2/3) = (z^(1/3))^2", "z^a*z^b = z^(a + b)",
        "(z^a)^b = z^(a*b)", "(z^a)^2 = z^(2*a)",
        "(z^2)^a = z^(2*a)", "(a*b)^z = a^z*b^z", "(2*b)^z = 2^z*b^z", "(-b)^z = (-1)^z*b^z", "1/z^a = z^(-a)",
        "(1/z)^a = z^(-a)", "exp(z)^a = exp(a*z)",
        "exp(a*z) = exp(z)^a", "sqrt(exp(z)) = exp(z/2)", "exp(z)^2 = exp(2*z)", "log(a*b) = log(a) + log(b)",
        "sqrt(a*b) = sqrt(a)*sqrt(b)",
        "sqrt(a/b) = sqrt(a)/sqrt(b)", "sqrt(a)*sqrt(b)/sqrt(a*b) = 1", "(sqrt(a)*sqrt(b)/sqrt(a*b))^2 = 1",
        "sqrt(a)*sqrt(1/a) = 1", "sqrt(sin(z)^2) = sin(z)",
        "sqrt(1 - sin(z)^2) = cos(z)", "sqrt(cos(z)^2) = sqrt(1 - sin(z)^2)", "asin(sin(z)) = z", "acos(cos(z)) = z",
        "atan(tan(z)) = z", "sin(asin(z)) = z",
        "cos(acos(z)) = z", "tan(atan(z)) = z", "sinh(asinh(z)) = z", "cosh(acosh(z)) = z", "tanh(atanh(z)) = z",
        "asinh(sinh(z)) = z", "acosh(cosh(z)) = z",
        "atanh(tanh(z)) = z", "asin(z) + acos(z) = pi/2", "atan(z) + acot(z) = pi/2", "asin(-z) = -asin(z)",
        "acos(-z) = pi - acos(z)", "atan(-z) = -atan(z)",
        "asinh(-z) = -asinh(z)", "atanh(-z) = -atanh(z)", "acosh(-z) = acosh(z)", "acosh(-z) = acosh(z) + I*pi",
        "acosh(z) = I*acos(z)", "acosh(z) = -I*acos(z)",
        "asinh(z) = I*asin(z)", "asinh(z) = -I*asin(I*z)", "asinh(z) = I*asin(I*z)", "atanh(z) = -I*atan(I*z)",
        "atan(z) = -I*atanh(I*z)", "atan(z) = I*atanh(I*z)",
        "cos(asin(z)) = sqrt(1 - z^2)", "cos(asin(z)) = -sqrt(1 - z^2)", "sin(acos(z)) = sqrt(1 - z^2)",
        "sin(atan(z)) = z/sqrt(1 + z^2)", "cos(atan(z)) = 1/sqrt(1 + z^2)",
        "tan(asin(z)) = z/sqrt(1 - z^2)", "sinh(acosh(z)) = sqrt(z^2 - 1)", "sinh(acosh(z)) = sqrt(z - 1)*sqrt(z + 1)",
        "cosh(asinh(z)) = sqrt(1 + z^2)", "tan(acos(z)) = sqrt(1 - z^2)/z",
        "asin(z) = atan(z/sqrt(1 - z^2))", "acos(z) = atan(sqrt(1 - z^2)/z)", "atanh(z) = log((1 + z)/(1 - z))/2",
        "atanh(z) = log(1 + z)/2 - log(1 - z)/2",
        "acosh(z) = log(z + sqrt(z^2 - 1))", "acosh(z) = log(z + sqrt(z - 1)*sqrt(z + 1))",
        "asinh(z) = log(z + sqrt(1 + z^2))", "asin(z) = -I*log(I*z + sqrt(1 - z^2))",
        "acosh(z) = 2*log(sqrt((z + 1)/2) + sqrt((z - 1)/2))", "acoth(z) = log((z + 1)/(z - 1))/2",
        "acoth(z) = log(1 + 1/z)/2 - log(1 - 1/z)/2", "asec(z) = acos(1/z)",
        "exp(I*acos(z)) = z + I*sqrt(1 - z^2)", "exp(I*asin(z)) = sqrt(1 - z^2) + I*z",
        "exp(2*I*atan(z)) = (1 + I*z)/(1 - I*z)", "exp(I*atan(z)) = sqrt((1 + I*z)/(1 - I*z))",
        "exp(I*atan(z)) = sqrt(1 + I*z)/sqrt(1 - I*z)", "exp(atanh(z)) = sqrt(1 + z)/sqrt(1 - z)",
        "exp(atanh(z)) = sqrt((1 + z)/(1 - z))", "exp(atanh(z)) = (1 + z)/sqrt(1 - z^2)",
        "exp(acosh(z)) = z + sqrt(z^2 - 1)", "exp(asinh(z)/2) = sqrt(z + sqrt(1 + z^2))",
        "exp(asin(z)) = exp(-I*log(I*z + sqrt(1 - z^2)))", "erf(sqrt(z^2)) = erf(z)",
        "d/dz sqrt(z^2) = 1", "d/dz sqrt(z^2) = z/sqrt(z^2)", "d/dz log(z^2) = 2/z", "d/dz log(-z) = 1/z",
        "d/dz asin(z) = 1/sqrt(1 - z^2)", "d/dz acosh(z) = 1/sqrt(z^2 - 1)",
        "d/dz acosh(z) = 1/(sqrt(z - 1)*sqrt(z + 1))", "d/dz asech(z) = -1/(z*sqrt(1 - z^2))",
        "d/dz acsch(z) = -1/(z^2*sqrt(1 + 1/z^2))", "d/dz acsch(z) = -1/(z*sqrt(1 + z^2))",
        "d/dz asec(z) = 1/(z*sqrt(z^2 - 1))", "d/dz asec(z) = 1/(z^2*sqrt(1 - 1/z^2))", "d/dz atanh(z) = 1/(1 - z^2)",
        "d/dz acoth(z) = 1/(1 - z^2)", "d/dz sqrt(1/z) = -1/(2*z^(3/2))",
        "d/dz sqrt(1/z) = -sqrt(1/z)/(2*z)", "d/dz (z^2)^(1/4) = z^(-1/2)/2", "d/dz (z^2)^a = 2*a*z^(2*a - 1)",
        "d/dz (z^2)^a = 2*a*(z^2)^a/z", "d/dz asin(sin(z)) = 1",
        "d/dz asin(sin(z)) = cos(z)/sqrt(cos(z)^2)", "d/dz atan(tan(z)) = 1", "d/dz log(exp(z)) = 1",
        "d/dz log(sin(z)) = cot(z)", "d/dz log(sqrt(z^2)) = 1/z", "d/dz acos(cos(z)) = 1",
        "sqrt(1 - exp(2*z)) = sqrt(1 - exp(z))*sqrt(1 + exp(z))",
        "sqrt(exp(2*z) - 1) = sqrt(exp(z) - 1)*sqrt(exp(z) + 1)", "log(1 - z^2) = log(1 - z) + log(1 + z)",
        "log(z^2 - 1) = log(z - 1) + log(z + 1)",
        "log(1 + z^2) = log(1 - I*z) + log(1 + I*z)", "log(z/(1 + z)) = log(z) - log(1 + z)",
        "log((1 + z)/z) = log(1 + z) - log(z)", "log((1 + z)/(1 - z)) = log(1 + z) - log(1 - z)",
        "(1 - z^2)^(1/3) = (1 - z)^(1/3)*(1 + z)^(1/3)", "(1 - z^2)^a = (1 - z)^a*(1 + z)^a",
        "(z^2 - 1)^a = (z - 1)^a*(z + 1)^a", "(1 + z^2)^a = (1 - I*z)^a*(1 + I*z)^a",
        "polylog(1, z) = -log(1 - z)", "hyp2f1(1, 1, 2, z) = -log(1 - z)/z", "hyp2f1(a, b, a, z) = (1 - z)^(-b)",
        "loggamma(z + 1) = loggamma(z) + log(z)", "loggamma(z) = log(gamma(z))",
        "expint(1, z) = uppergamma(0, z)", "expint(a, z) = z^(a - 1)*uppergamma(1 - a, z)",
        "uppergamma(a + 1, z) = a*uppergamma(a, z) + z^a*exp(-z)", "besselj(-1, z) = -besselj(1, z)",
        "besselj(a - 1, z) + besselj(a + 1, z) = 2*a/z*besselj(a, z)", "besseli(a, z) = I^(-a)*besselj(a, I*z)",
        "erfi(z) = -I*erf(I*z)", "LambertW(z*exp(z)) = z", "exp(LambertW(z)) = z/LambertW(z)",
    )  # fmt: skip
    domains = (
        (("z", "complex"), ("a", "complex"), ("b", "complex")), (("z", "complex"), ("a", "positive"), ("b",
            "positive")),
        (("z", "complex"), ("a", "positive"), ("b", "complex")), (("z", "positive"), ("a", "complex"), ("b",
            "complex")),
    )  # fmt: skip
    for text, domain in product(texts, domains):
        yield Statement(text, domain)


BANKS = {
    "squares": squares, "logarithms": logarithms, "inverses": inverses, "half angles": half_angles, "powers": powers,
    "pieces": pieces, "hidden": hidden, "nested": nested, "two variables": two_variables, "principal": principal,
}  # fmt: skip


def truth(statement: Statement, *, points: int = 24, seed: int = 0) -> bool | None:
    """True: the sides agree to 60 bits at all points where both are known, four at least; False: they differ at one."""
    return truth_of(statement.claim(), points=points, seed=seed)


def truth_of(claim: Claim, *, points: int = 24, seed: int = 0) -> bool | None:
    """The same for any claim."""
    rng = random.Random(f"{seed}|{claim.text}")
    program = Program((claim.lhs, claim.rhs), not claim.is_complex)
    conditions = Program(claim.domain.conditions, True) if claim.domain.conditions else None
    precision, agreed, tried = ctx.prec, 0, 0
    try:
        ctx.prec = 200
        while agreed < points and tried < 12 * points:
            tried += 1
            env = _point(claim, rng)
            try:
                if conditions is not None and not all(conditions.run(env)[i] is True for i in conditions.roots):
                    continue
                a, b = program.values(env)
            except ArithmeticError:
                continue
            if not a.overlaps(b):
                return False
            difference = a - b
            agreed += bool(abs(difference) < acb(arb(2) ** -60).abs_lower() * (1 + a.abs_lower()))
    finally:
        ctx.prec = precision
    return True if agreed >= 4 else None


def _point(claim: Claim, rng: random.Random) -> Mapping[str, acb]:
    env = {}
    for name, v in claim.domain.variables.items():
        low, high = (None if n is None else Program((n,), True).values({})[0].real for n in (v.low, v.high))
        if v.field == "integer":
            env[name] = acb(rng.randint(1 if low is not None else -5, 5))
        elif v.field == "complex":
            scale = rng.choice((1, 4))
            env[name] = acb(fmpq(rng.randint(-2048, 2048) * scale, 2001), fmpq(rng.randint(-2048, 2048) * scale, 2003))
        elif low is not None and high is not None:
            env[name] = acb(low + (high - low) * arb(fmpq(rng.randint(1, 9999), 10000)))
        else:
            size = arb(fmpq(rng.randint(1, 4000), rng.choice((401, 1009, 4007))) + fmpq(1, 100003))
            env[name] = acb(
                low + size if low is not None else high - size if high is not None else size * rng.choice((1, -1))
            )
    return env
