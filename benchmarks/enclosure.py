"""How tight, and how fast, are validated enclosures of gradients?  Four problems, each at several radii, in one run.

    Lotka-Volterra     four parameters, three periods
    Van der Pol        mu = 5, a full relaxation oscillation; a parameter and the initial state
    planar network     one layer of tanh in the plane, 20 parameters
    wide network       8 states, 16 hidden, 280 parameters: by the adjoint

Seconds are CPU time of one whole call, derivation of f_x and f_q included; the radius is that of the worst component.
For comparison, CAPD::DynSys (C++, double intervals, order 20): Lotka-Volterra 1.6e-10 in 0.10 s, Van der Pol 1.8e-9 in
0.04 s, on another machine; doubles end there.

    python benchmarks/enclosure.py [--seed 3]
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from fractions import Fraction
from random import Random
from time import process_time

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
    yield "planar network", *network(2, 4, "1", rng), (1e-12,)
    yield "wide network", *network(8, 16, "2", rng), (1e-12,)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--seed", type=int, default=3)
    rng = Random(parser.parse_args().seed)
    print(f"{'problem':16}{'names':>6}{'wanted':>9}{'radius':>10}{'CPU s':>8}{'steps':>7}{'order':>7}{'bits':>6}")
    for name, each, at, radii in cases(rng):
        for radius in radii:
            before = process_time()
            found = verify.enclose(each, at, radius=radius, seconds=60)
            seconds = process_time() - before
            if isinstance(found, Enclosure):
                figures = f"{found.radius:10.1e}{seconds:8.2f}{found.steps:7}{found.order:7}{found.bits:6}"
            else:
                figures = f"  {found.reason}"
            print(f"{name:16}{len(at):6}{radius:9.0e}{figures}", flush=True)


if __name__ == "__main__":
    main()
