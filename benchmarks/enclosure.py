"""How tight, and how fast, are validated enclosures of gradients?  Eight problems, some at several radii, in one run.

    Lotka-Volterra     four parameters, three periods
    Van der Pol        mu = 5, a full relaxation oscillation; a parameter and the initial state
    planar network     one layer of tanh in the plane, 20 parameters
    wide network       8 states, 16 hidden, 280 parameters: by the adjoint
    wider network      16 states, 32 hidden, 1,072 parameters: by the adjoint
    stiff              Van der Pol, mu = 1000 to T = 100: around an approximate solution
    bouncing ball      four bounces, with a drag
    over a box         Lotka-Volterra to T = 1 with a in [0.9, 1.1]: in one piece, and in eight

Seconds are CPU time of one whole call, derivation included, the best of `--repeat`; the radius is that of the worst
component.  For comparison, CAPD::DynSys (C++, double intervals, order 20): Lotka-Volterra 1.6e-10 in 0.10 s, Van der
Pol 1.8e-9 in 0.04 s, on another machine; doubles end there.  With `--other FILE` another implementation, a module
with `enclose(problem, radius)` beside its bank of problems, runs in the same process, and ratios are shown.

    python benchmarks/enclosure.py [--seed 3] [--repeat 3] [--other FILE]
"""

from __future__ import annotations

import argparse
import importlib.util
import sys
from collections.abc import Callable, Iterator
from fractions import Fraction
from functools import partial
from pathlib import Path
from random import Random
from time import process_time
from typing import Any

import verify
from verify.graph import Node
from verify.language import read_expression
from verify.numerics.enclosure import Enclosure
from verify.systems import OdeProblem

Case = tuple[str, OdeProblem, dict[str, Fraction], tuple[float, ...]]


def problem(
    state: list[str], names: list[str], rhs: list[str], initial: list[str], T: str, terminal: str
) -> OdeProblem:
    def read(text: str) -> Node:
        return read_expression(text, (*state, *names, "t"))

    return OdeProblem(
        tuple(state), tuple(names), tuple(map(read, rhs)), tuple(map(read, initial)), read("0"), read(T), read(terminal)
    )


def network(d: int, h: int, T: str, rng: Random) -> tuple[OdeProblem, dict[str, Fraction]]:
    """x' = W2 tanh(W1 x + b1) + b2 in d dimensions with h hidden units."""
    at: dict[str, Fraction] = {}

    def weight(size: float) -> str:
        name = f"w{len(at)}"
        at[name] = Fraction(round(1000 * rng.gauss(0, size)), 1000)
        return name

    hidden = []
    for _ in range(h):
        inner = " + ".join(f"{weight(1.2 / d**0.5)}*x{i}" for i in range(d))
        hidden.append(f"tanh({inner} + {weight(0.3)})")
    rhs = [" + ".join(f"{weight(1.2 / h**0.5)}*{each}" for each in hidden) + f" + {weight(0.1)}" for _ in range(d)]
    states = [f"x{i}" for i in range(d)]
    objective = " + ".join(f"{x}^2/2" for x in states)
    return problem(states, list(at), rhs, [f"{i + 1}/10" for i in range(d)], T, objective), at


def cases(rng: Random) -> Iterator[Case]:
    lotka = problem(
        ["x", "y"], ["a", "b", "c", "d"], ["a*x - b*x*y", "-c*y + d*x*y"], ["1", "1"], "10", "((x - 2)^2 + (y - 1)^2)/2"
    )
    one = Fraction(1)
    yield "Lotka-Volterra", lotka, {"a": 3 * one / 2, "b": one, "c": 3 * one, "d": one}, (1e-10, 1e-12, 1e-50)
    pol = problem(["x", "y"], ["m", "u", "v"], ["y", "m*(1 - x^2)*y - x"], ["u", "v"], "10", "((x - 1)^2 + y^2)/2")
    yield "Van der Pol", pol, {"m": 5 * one, "u": 2 * one, "v": 0 * one}, (2e-9, 1e-12, 1e-50)
    stiff = problem(["x", "y"], ["m"], ["y", "m*(1 - x^2)*y - x"], ["2", "0"], "100", "x")
    yield "stiff", stiff, {"m": 1000 * one}, (1e-12,)
    bounce = {"when": "y", "reset": ["y", "-e*v"]}
    ball = OdeProblem("y v", "h g e", ["v", "-g - v/10"], ["h", 0], 0, 5, "y", events=[bounce] * 4)
    yield "bouncing ball", ball, {"h": one, "g": 5 * one, "e": 4 * one / 5}, (1e-12,)
    yield "planar network", *network(2, 4, "1", rng), (1e-12,)
    yield "wide network", *network(8, 16, "2", rng), (1e-12,)
    yield "wider network", *network(16, 32, "2", rng), (1e-12,)


def boxes() -> Iterator[tuple[str, OdeProblem, dict[str, Any], int]]:
    lotka = problem(
        ["x", "y"], ["a", "b", "c", "d"], ["a*x - b*x*y", "-c*y + d*x*y"], ["1", "1"], "1", "((x - 2)^2 + (y - 1)^2)/2"
    )
    for pieces in (1, 8):
        yield f"box, {pieces} pieces", lotka, {"a": ("0.9", "1.1"), "b": 1, "c": 3, "d": 1}, pieces


def others(path: str) -> dict[tuple[str, float], Callable[[], object]]:
    """What another implementation does, by problem and radius."""
    if not path:
        return {}
    file = Path(path)
    sys.path.insert(0, str(file.parent))
    spec = importlib.util.spec_from_file_location(file.stem, file)
    if spec is None or spec.loader is None:
        raise SystemExit(f"{path} is no Python file")
    other = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(other)
    bank = importlib.import_module("bank").BANK
    keys = {"Lotka-Volterra": "lv", "Van der Pol": "vdp5", "planar network": "cnf", "wide network": "mlp8"}
    radii = {"lv": (1e-10, 1e-12, 1e-50), "vdp5": (2e-9, 1e-12, 1e-50), "cnf": (1e-12,), "mlp8": (1e-12,)}
    return {
        (name, radius): partial(other.enclose, bank[key](), radius)
        for name, key in keys.items()
        for radius in radii[key]
    }


def timed(run: Callable[[], Any], repeat: int) -> tuple[Any, float]:
    """The result, and the least CPU time."""
    best, found = float("inf"), None
    for _ in range(repeat):
        before = process_time()
        found = run()
        best = min(best, process_time() - before)
    return found, best


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--seed", type=int, default=3)
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--other", default="")
    given = parser.parse_args()
    rng, compared = Random(given.seed), others(given.other)
    print(
        f"{'problem':16}{'names':>6}{'wanted':>9}{'radius':>10}{'CPU s':>8}{'steps':>7}{'order':>7}{'bits':>6}", end=""
    )
    print(f"{'other s':>10}{'ratio':>8}" if compared else "")
    for name, each, at, radii in cases(rng):
        for radius in radii:
            run = partial(verify.enclose, each, at, radius=radius, seconds=60)
            line, seconds = shown(name, len(at), radius, *timed(run, given.repeat))
            if (name, radius) in compared:
                _, other = timed(compared[name, radius], given.repeat)
                line += f"{other:10.2f}{seconds / other:8.2f}"
            print(line, flush=True)
    for name, each, box, pieces in boxes():
        run = partial(verify.enclose, each, box, pieces=pieces, seconds=120)
        print(shown(name, len(box), 0, *timed(run, 1))[0], flush=True)


def shown(name: str, names: int, radius: float, found: object, seconds: float) -> tuple[str, float]:
    """A line of the table."""
    if not isinstance(found, Enclosure):
        return f"{name:16}{names:6}{radius:9.0e}  {found}", seconds
    figures = f"{found.radius:10.1e}{seconds:8.2f}{found.steps:7}{found.order:7}{found.bits:6}"
    return f"{name:16}{names:6}{radius:9.0e}{figures}", seconds


if __name__ == "__main__":
    main()
