"""Does every rule for tails bound what it says?  Tried on series of which all coefficients are known.

A rule gets polynomials with bounds of their tails; the truth is computed from the whole series by FLINT, to many more
coefficients.  Rules that forget a part are there to show that the trials would notice.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from random import Random
from typing import Any, TypeAlias

from flint import arb, arb_poly, arb_series, ctx

from verify.numerics.enclosure.series import ZERO, Diverges, Series

Rule: TypeAlias = "Callable[..., Any]"
#: How far beyond N the truth is computed, in units of N; and what rounding may add to it.
LONGER, ROUNDING = 6, arb(2) ** -150

#: The rule for series with tails, and the function for whole series.
RULES: Mapping[str, tuple[Rule, Rule]] = {
    "product": (lambda a, b: a * b, lambda a, b: a * b),
    "reciprocal": (lambda a, _: 1 / a, lambda a, _: 1 / a),
    "quotient": (lambda a, b: b / a, lambda a, b: b / a),
    "exp": (lambda _, b: b.exp(), lambda _, b: b.exp()),
    "sin": (lambda _, b: b.sin(), lambda _, b: b.sin()),
    "cos": (lambda _, b: b.cos(), lambda _, b: b.cos()),
    "log": (lambda a, _: a.log(), lambda a, _: a.log()),
    "sqrt": (lambda a, _: a.sqrt(), lambda a, _: a.sqrt()),
    "atan": (lambda _, b: b.atan(), lambda _, b: b.atan()),
}


def forgets_the_argument(rule: Rule) -> Rule:
    """As if its arguments had no tails."""
    return lambda *args: rule(*(Series(a.p, ZERO, a.n) for a in args))


def forgets_its_own(rule: Rule) -> Rule:
    """As if the function of a polynomial were a polynomial again."""

    def mutant(*args: Series) -> Series:
        whole, own = rule(*args), forgets_the_argument(rule)(*args)
        return Series(whole.p, (whole.r - own.r).max(ZERO), whole.n)

    return mutant


def cut(rng: Random, n: int, first: float, kind: str) -> tuple[Series, arb_series]:
    """A series with a tail that is known, and the whole of it.

    kind    "polynomial": no tail; "tail": hardly anything else; "both".
    """
    q = rng.uniform(0.05, 0.45)
    size = 0.0 if kind == "tail" else 1.0
    p = [arb(first if k == 0 else size * rng.uniform(-1, 1) * q**k) for k in range(n)]
    rest = {"polynomial": 0.0, "tail": 0.2, "both": q**n}[kind]
    e = [arb(rest * rng.uniform(-1, 1)) for _ in range(3)]
    return Series(arb_poly(p), sum(map(abs, e), ZERO).abs_upper(), n), arb_series(p + e, LONGER * n)


@contextmanager
def many_digits() -> Generator[None]:
    """Precision and length for the truth; both put back."""
    before = ctx.prec, ctx.cap
    ctx.prec, ctx.cap = 200, 200
    try:
        yield
    finally:
        ctx.prec, ctx.cap = before


def violations(rule: Rule, truth: Rule, trials: int, rng: Random) -> int:
    """How often a coefficient is outside of its ball, or the true tail is larger than the bound."""
    found = 0
    with many_digits():
        for trial in range(trials):
            n, kind = rng.choice([4, 6, 10, 16]), ("polynomial", "tail", "both")[trial % 3]
            a, whole_a = cut(rng, n, rng.uniform(1, 2), kind)
            b, whole_b = cut(rng, n, rng.uniform(-1, 1), kind)
            try:
                bounded = rule(a, b)
            except Diverges:
                continue
            whole = truth(whole_a, whole_b)
            beyond = sum((abs(whole[k]) for k in range(n, LONGER * n)), ZERO)
            right = all(bounded.p[k].overlaps(whole[k]) for k in range(n))
            found += not (right and beyond <= bounded.r + ROUNDING)
    return found


def untrue(trials: int, seed: int = 1) -> dict[str, int]:
    """For each rule how often it is violated: 0, if it is right."""
    return {name: violations(*pair, trials, Random(seed)) for name, pair in RULES.items()}


def unnoticed(trials: int, seed: int = 1) -> dict[str, int]:
    """For each rule that forgets a part how often that shows; 0 would mean that the trials see nothing."""
    mutants = {"argument": forgets_the_argument, "own": forgets_its_own}
    return {
        f"{name} forgets its {part}": violations(mutant(rule), truth, trials, Random(seed))
        for name, (rule, truth) in RULES.items()
        for part, mutant in mutants.items()
    }
