"""How long does the derivation of an adjoint gradient take, and what does the generated gradient cost?

    python benchmarks/derive.py

For tanh networks with 12, 102 and 1,002 parameters, and for linear systems of 20 states with 20 parameters, each in one
entry of the matrix or each in all of them: seconds of processor time to read and derive, and the time of one generated
gradient in units of one forward solve at the same tolerances (finite differences need one solve more than there are
parameters).
"""

from __future__ import annotations

import json
import random
import statistics
import time
from collections.abc import Callable
from typing import Any

import numpy as np
from scipy.integrate import solve_ivp

from verify.calculus.numpy_code import module
from verify.language.toml import read_system

RTOL, ATOL, REPEATS = 1e-8, 1e-10, 5


def problem(state: list[str], parameters: list[str], rhs: list[str], initial: list[str], terminal: str) -> str:
    """The text of a TOML file."""
    return (
        f'kind = "ode-gradient"\n[ode]\nstate = {json.dumps(state)}\nparameters = {json.dumps(parameters)}\n'
        f"rhs = {json.dumps(rhs)}\ninitial = {json.dumps(initial)}\n"
        f'time = ["0", "1"]\n[objective]\nterminal = "{terminal}"\n'
    )


def network(hidden: int) -> str:
    """Two states, one layer of `hidden` tanh units: 5 * hidden + 2 parameters."""
    w = [f"w{i}_{j}" for i in range(hidden) for j in range(2)]
    b = [f"b{i}" for i in range(hidden)]
    c = [f"c{k}_{i}" for k in range(2) for i in range(hidden)]
    units = [f"tanh(w{i}_0*x + w{i}_1*y + b{i})" for i in range(hidden)]
    rhs = [" + ".join(f"c{k}_{i}*{unit}" for i, unit in enumerate(units)) + f" + e{k}" for k in range(2)]
    return problem(["x", "y"], [*w, *b, *c, "e0", "e1"], rhs, ["1", "1/2"], "x^2 + y^2")


def linear(n: int) -> str:
    """u' = A u with random numbers in A and each parameter in one entry of its row."""
    rng = random.Random(0)
    rhs = []
    for i in range(n):
        terms = [f"{rng.randint(-9, 9)}/20*y{k}" for k in range(n)]
        rhs.append(" + ".join(terms) + f" + p{i}*y{rng.randrange(n)}")
    names = [f"y{k}" for k in range(n)]
    return problem(names, [f"p{k}" for k in range(n)], rhs, ["1"] * n, "y0^2")


def dense(n: int) -> str:
    """u' = A(p) u, where every entry of A is a combination of all n parameters."""
    rng = random.Random(0)
    names, parameters = [f"y{k}" for k in range(n)], [f"p{k}" for k in range(n)]

    def entry() -> str:
        return " + ".join([f"{rng.randint(-9, 9)}/20", *(f"{rng.randint(1, 9)}/20*{p}" for p in parameters)])

    rhs = [" + ".join(f"({entry()})*{y}" for y in names) for _ in range(n)]
    return problem(names, parameters, rhs, ["1"] * n, "y0^2")


def derived(text: str) -> tuple[dict[str, Any], float]:
    """The generated module, run, and the seconds of processor time from the file's text to the module's."""
    begin = time.process_time()
    code = module(read_system(text).problem)
    seconds = time.process_time() - begin
    names: dict[str, Any] = {}
    exec(compile(code, "generated", "exec"), names)
    return names, seconds


def median(run: Callable[[], Any]) -> float:
    """Seconds of processor time of one run."""
    found = []
    for _ in range(REPEATS):
        begin = time.process_time()
        run()
        found.append(time.process_time() - begin)
    return statistics.median(found)


def main() -> None:
    """Print one row a problem."""
    print(f"{'problem':>16} {'parameters':>10} {'derive, s':>10} {'forward, s':>11} {'gradient':>9}")
    rows = [(f"network {5 * h + 2}", network(h)) for h in (2, 20, 200)] + [
        ("linear 20", linear(20)),
        ("dense linear 20", dense(20)),
    ]
    for name, text in rows:
        generated, seconds = derived(text)
        p = np.random.default_rng(0).normal(size=len(generated["NAMES"])) / np.sqrt(len(generated["NAMES"]))

        def forward(generated: dict[str, Any] = generated, p: Any = p) -> Any:
            field = generated["field"]
            first = generated["initial"](p)
            return solve_ivp(lambda t, x: field(t, x, p), (0, 1), first, rtol=RTOL, atol=ATOL, method="DOP853")

        def gradient(generated: dict[str, Any] = generated, p: Any = p) -> Any:
            return generated["gradient"](p, rtol=RTOL, atol=ATOL)

        one = median(forward)
        print(f"{name:>16} {len(p):>10} {seconds:>10.2f} {one:>11.4f} {median(gradient) / one:>8.1f}x", flush=True)


if __name__ == "__main__":
    main()
