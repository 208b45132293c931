"""Who decides published derivative formulas, rightly and how fast?  Us and four peers on the same claims, in one run.

    verify.check                    proof, or a counterexample by enclosures
    sympy.simplify                  simplify(d/dx F - f): 0 is yes, another number is no, anything else is open
    sympy Expr.equals               True, False or None
    scipy.optimize.check_grad       finite differences at five points; the tolerance is 1e-6 of the gradient
    autograd.test_util.check_grads  its own tolerances, at the same five points

Every call runs in a process with the same limits; a call that exhausts them, or fails, is open.  The clock starts when
the packages are loaded and the claim stands in the form that the tool wants.

    python benchmarks/decide.py [--claims 60] [--seed 0] [--timeout 10]
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Iterator
from importlib.metadata import version
from pathlib import Path
from random import Random
from statistics import median
from time import perf_counter
from typing import Any

import numpy as np
import scipy.optimize
import sympy
from autograd.extend import defvjp, primitive
from autograd.test_util import check_grads
from scores import Score

from verify.decide import stages
from verify.decide.enclose.search import search
from verify.language import read_claim
from verify.language.bridge import to_sympy
from verify.verdict import Verdict
from verify.worker import run

CORPORA = Path(__file__).parent.parent / "tests" / "data" / "corpora"
POINTS = 5

Case = dict[str, Any]
Answer = bool | None
#: What a tool said, and the seconds that it took for it alone.
Timed = tuple[Answer, float]


def sample(count: int, rng: Random) -> list[Case]:
    """Claims d/dx (F) = f over the reals, drawn evenly from all corpora; half of them true."""
    chosen: list[Case] = []
    by_truth: dict[str, list[Case]] = {"true": [], "false": []}
    for path in sorted(CORPORA.glob("*.jsonl")):
        for line in path.read_text().splitlines():
            case = json.loads(line)
            if case["field"] == "real" and case["tag"] in ("elementary", "special", "nonsmooth"):
                by_truth[case["truth"]].append(case)
    for cases in by_truth.values():
        chosen += rng.sample(cases, count // 2)
    return chosen


# --- one claim, one tool --------------------------------------------------------------------------


def with_verify(case: Case, _: int) -> Iterator[Timed]:
    started = perf_counter()
    *_, result = stages(read_claim(case["claim"], case["let"]))
    answer = {Verdict.PROVED: True, Verdict.SUPPORTED: True, Verdict.REFUTED: False}.get(result.verdict)
    yield answer, perf_counter() - started


def with_simplify(case: Case, _: int) -> Iterator[Timed]:
    left, right = sides(case)
    started = perf_counter()
    rest = sympy.simplify(left.doit() - right)
    yield True if rest == 0 else False if rest.is_number else None, perf_counter() - started


def with_equals(case: Case, _: int) -> Iterator[Timed]:
    left, right = sides(case)
    started = perf_counter()
    yield left.doit().equals(right), perf_counter() - started


def with_check_grad(case: Case, seed: int) -> Iterator[Timed]:
    function, slope, points = numeric(case, seed)
    started = perf_counter()
    errors = []
    for x in points:
        error = scipy.optimize.check_grad(lambda v: function(v[0]), lambda v: np.array([slope(v[0])]), np.array([x]))
        errors.append(error / max(1.0, abs(slope(x))))
    yield bool(max(errors) < 1e-6) if np.all(np.isfinite(errors)) else None, perf_counter() - started


def with_check_grads(case: Case, seed: int) -> Iterator[Timed]:
    function, slope, points = numeric(case, seed)
    started = perf_counter()
    wrapped = primitive(function)
    defvjp(wrapped, lambda _, x: lambda g: g * slope(x))
    try:
        for x in points:
            check_grads(wrapped, modes=["rev"], order=1)(x)
        answer = True
    except AssertionError:
        answer = False
    yield answer, perf_counter() - started


TOOLS: dict[str, Callable[[Case, int], Iterator[Timed]]] = {
    "verify.check": with_verify,
    "sympy.simplify": with_simplify,
    "sympy Expr.equals": with_equals,
    "scipy check_grad": with_check_grad,
    "autograd check_grads": with_check_grads,
}


def sides(case: Case) -> tuple[sympy.Expr, sympy.Expr]:
    """Both sides in SymPy, the derivative not yet carried out."""
    claim = read_claim(case["claim"], case["let"])
    return to_sympy(claim.lhs), to_sympy(claim.rhs)


def numeric(case: Case, seed: int) -> tuple[Callable[[float], float], Callable[[float], float], list[float]]:
    """F and f as functions of the variable alone, and points at which both are defined."""
    claim = read_claim(case["claim"], case["let"])
    body, (variable, _) = claim.lhs.args[0], claim.lhs.value
    found = search(claim, seed=seed)
    points = [*found.agreeing, *found.differing, *([found.point] if found.point else [])][:POINTS]
    others = {name: float(value) for name, (value, _) in points[0].items() if name != variable}
    symbols = [sympy.Symbol(variable), *map(sympy.Symbol, others)]
    unassumed = [plain(to_sympy(node)) for node in (body, claim.rhs)]
    function, slope = (sympy.lambdify(symbols, expression, modules=["scipy", "numpy"]) for expression in unassumed)
    values = tuple(others.values())
    return lambda x: function(x, *values), lambda x: slope(x, *values), [float(p[variable][0]) for p in points]


def plain(expression: sympy.Expr) -> sympy.Expr:
    """The expression with symbols that carry no assumptions."""
    return expression.xreplace({s: sympy.Symbol(s.name) for s in expression.free_symbols})


# --- the run --------------------------------------------------------------------------------------


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--claims", type=int, default=60)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--timeout", type=float, default=10.0)
    options = parser.parse_args()
    cases = sample(options.claims, Random(options.seed))
    scores = {name: Score() for name in TOOLS}
    for case in cases:
        for name, tool in TOOLS.items():
            outcome = run(tool, case, options.seed, seconds=options.timeout, megabytes=2048)
            answer, seconds = outcome.value or (None, outcome.seconds)
            scores[name].add(answer, case["truth"] == "true", seconds)
    print(f"{len(cases)} claims, seed {options.seed}, {options.timeout:g} s each; sympy {version('sympy')},", end=" ")
    print(f"scipy {version('scipy')}, autograd {version('autograd')}")
    ours = scores["verify.check"].seconds
    print(f"{'':22}{'right':>6}{'wrong':>6}{'open':>6}{'total s':>10}{'median s':>10}{'total/ours':>12}")
    for name, score in scores.items():
        counts = "".join(f"{score.answers[key]:6}" for key in ("right", "wrong", "open"))
        total = sum(score.seconds)
        print(f"{name:22}{counts}{total:10.2f}{median(score.seconds):10.3f}{total / sum(ours):12.1f}")


if __name__ == "__main__":
    main()
