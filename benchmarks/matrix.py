"""Who judges gradient formulas of vectors and matrices, rightly and how fast?  Us and the peers, in one run.

    verify             a proof for all sizes, or matrices that refute the claim
    sympy              diff of matrix expressions with symbolic sizes, compared with the claim at one random point
    autograd at a point    reverse mode against the claimed formula at one random point
    jax, torch         the same with their reverse modes (extras: pip install jax torch)

The claims are those of tests/data/cookbook_claims.jsonl and matrix_claims.jsonl that are a gradient or Jacobian by a
vector or matrix and have NumPy code; half of them true.  Comparison at a point is within 1e-6 of the largest entry.
Every call runs in a process with the same limits; a call that exhausts them, fails, or has no code is open.  Seconds
are those of the processor; the clock starts when the packages are loaded and the claim is read.

    python benchmarks/matrix.py [--claims 100] [--seed 0] [--timeout 10] [--tools verify,sympy]
"""

from __future__ import annotations

import argparse
import importlib.util
import json
from collections.abc import Callable, Iterator, Mapping
from importlib.metadata import version
from pathlib import Path
from random import Random
from statistics import median
from time import process_time
from typing import Any

import autograd
import autograd.numpy as agnp
import numpy as np
import sympy
from scores import Score

from verify.calculus.matrix_code import module
from verify.claim import Claim, Variable
from verify.decide import stages
from verify.graph import Node, postorder
from verify.language import read_claim
from verify.shapes import Shapes
from verify.verdict import Verdict
from verify.worker import run

DATA = Path(__file__).parent.parent / "tests" / "data"
FILES = ("cookbook_claims.jsonl", "matrix_claims.jsonl")
EXTRAS = ("jax", "torch")
#: Megabytes of address space for these, which reserve much more than they use.
LARGE = 64_000
SIZES = (3, 2, 4, 5)
TOLERANCE = 1e-6

Case = dict[str, Any]
Answer = bool | None
Timed = tuple[Answer, float]


def sample(count: int, rng: Random) -> list[Case]:
    """Claims that all tools could be asked, half of them true."""
    by_truth: dict[str, list[Case]] = {"true": [], "false": []}
    for name in FILES:
        for line in (DATA / name).read_text(encoding="utf-8").splitlines():
            case = json.loads(line)
            claim = read_claim(case["claim"], case["let"])
            if claim.lhs.op in ("gradient", "jacobian") and _has_code(claim):
                by_truth[case["truth"]].append(case)
    return [case for cases in by_truth.values() for case in rng.sample(cases, min(count // 2, len(cases)))]


def _has_code(claim: Claim) -> bool:
    if claim.domain.structured or claim.domain.conditions:
        return False
    try:
        module(claim.lhs.args[0], claim.rhs, claim.domain.variables, says="")
    except (ValueError, KeyError):
        return False
    return True


# --- one claim, one tool ----------------------------------------------------------------------------


def with_verify(case: Case, _: int) -> Iterator[Timed]:
    import verify.decide.contraction.prove
    import verify.decide.shaped.slips  # noqa: F401

    claim = read_claim(case["claim"], case["let"])
    started = process_time()
    *_, result = stages(claim)
    answer = {Verdict.PROVED: True, Verdict.SUPPORTED: True, Verdict.REFUTED: False}.get(result.verdict)
    yield answer, process_time() - started


def with_sympy(case: Case, seed: int) -> Iterator[Timed]:
    claim = read_claim(case["claim"], case["let"])
    variables = claim.domain.variables
    names, values = arguments(variables, seed)
    translated = Translation(variables)
    body, rhs = translated(claim.lhs.args[0]), translated(claim.rhs)
    started = process_time()
    slope = sympy.diff(body, translated.symbols[claim.lhs.value])
    sizes = [translated.symbols[name] for name, v in variables.items() if v.field == "size"]
    point = [translated.symbols[name] for name in names]
    numbers = [v[:, None] if v.ndim == 1 else v for v in values]
    found, claimed = (
        sympy.lambdify([*sizes, *point], side, modules="numpy")(*map(int, sizes_of(variables).values()), *numbers)
        for side in (slope, rhs)
    )
    yield agree(found, claimed), process_time() - started


def with_autograd(case: Case, seed: int) -> Iterator[Timed]:
    words = {"import numpy as np": "import autograd.numpy as np"}
    yield from at_a_point(case, seed, agnp, words, autograd.grad, autograd.jacobian)


def with_jax(case: Case, seed: int) -> Iterator[Timed]:
    import jax

    jax.config.update("jax_enable_x64", True)
    jax.grad(jax.numpy.sin)(1.0)  # what is loaded at the first call belongs to no claim
    words = {"import numpy as np": "import jax.numpy as np", "from scipy import": "from jax.scipy import"}
    yield from at_a_point(case, seed, jax.numpy, words, jax.grad, jax.jacrev)


def with_torch(case: Case, seed: int) -> Iterator[Timed]:
    import torch

    torch.set_default_dtype(torch.float64)

    def jacobian(function: Callable[..., Any], place: int) -> Callable[..., Any]:
        return lambda *values: torch.func.jacrev(function, argnums=place)(*map(torch.as_tensor, values))

    jacobian(torch.sin, 0)(1.0)
    words = {"import numpy as np": "import torch as np", "from scipy import linalg": "from torch import linalg",
             "linalg.expm": "linalg.matrix_exp"}  # fmt: skip
    yield from at_a_point(case, seed, torch, words, jacobian, jacobian)


def at_a_point(
    case: Case, seed: int, library: Any, words: Mapping[str, str], grad: Callable[..., Any],
    jacobian: Callable[..., Any],
) -> Iterator[Timed]:  # fmt: skip
    """A derivative by a library against the claimed formula, both at one random point.

    words   of our module, and those of the library in their place.
    """
    claim = read_claim(case["claim"], case["let"])
    variables = claim.domain.variables
    text = module(claim.lhs.args[0], claim.rhs, variables, says="")
    for ours, theirs in words.items():
        text = text.replace(ours, theirs)
    made: dict[str, Any] = {}
    exec(compile(text, case["id"], "exec"), made)  # our own text, made from a tree
    names, values = arguments(variables, seed)
    values = [library.asarray(v) for v in values]
    place = names.index(claim.lhs.value)
    started = process_time()
    slope = (grad if claim.lhs.op == "gradient" else jacobian)(made["value"], place)(*values)
    yield agree(slope, made["derivative"](*values)), process_time() - started


def agree(one: Any, other: Any) -> Answer:
    """Whether two arrays agree; open where a value is not finite, or their sizes say nothing."""
    one, other = np.squeeze(np.asarray(one, dtype=float)), np.squeeze(np.asarray(other, dtype=float))
    if not (np.all(np.isfinite(one)) and np.all(np.isfinite(other))):
        return None
    if one.shape != other.shape:
        return False
    return bool(np.max(np.abs(one - other)) <= TOLERANCE * max(1.0, float(np.max(np.abs(one)))))


def sizes_of(variables: Mapping[str, Variable]) -> dict[str, int]:
    """Sizes, all different so that transposed sides show."""
    names = [name for name, v in variables.items() if v.field == "size"]
    return {name: SIZES[k % len(SIZES)] for k, name in enumerate(names)}


def arguments(variables: Mapping[str, Variable], seed: int) -> tuple[list[str], list[np.ndarray]]:
    """The declared names, and an array for each that has its structure."""
    rng, sizes = np.random.default_rng(seed), sizes_of(variables)
    names, values = [], []
    for name, variable in variables.items():
        if variable.field == "size":
            continue
        value = rng.uniform(0.2, 1.5, size=[sizes.get(n, n) for n in variable.shape])
        match variable.structure:
            case "symmetric":
                value = value + value.T
            case "spd":
                value = value @ value.T + np.eye(len(value))
            case "antisymmetric":
                value = value - value.T
            case "diagonal":
                value = np.diag(np.diag(value))
            case "orthogonal":
                value = np.linalg.qr(value)[0]
        names.append(name)
        values.append(np.asarray(value))
    return names, values


# --- into SymPy -------------------------------------------------------------------------------------


class Translation:
    """Expressions as SymPy's matrix expressions with symbolic sizes.  Raises NotImplementedError."""

    def __init__(self, variables: Mapping[str, Variable]) -> None:
        self.shapes = Shapes(variables)
        self.symbols: dict[str, Any] = {
            name: sympy.Symbol(name, integer=True, positive=True) for name, v in variables.items() if v.field == "size"
        }
        for name, v in variables.items():
            if v.field != "size":
                rows, columns = (self.symbols.get(n, n) for n in (*v.shape, 1, 1)[:2])
                self.symbols[name] = sympy.MatrixSymbol(name, rows, columns) if v.shape else sympy.Symbol(name)

    def __call__(self, root: Node) -> Any:
        done: dict[Node, Any] = {}
        for node in postorder(root):
            done[node] = self._node(node, [done[a] for a in node.args])
            if not self.shapes.of(node) and getattr(done[node], "shape", ()) == (1, 1):
                done[node] = sympy.Trace(done[node])
        return done[root]

    def _node(self, node: Node, args: list[Any]) -> Any:
        match node.op:
            case "num":
                return sympy.Rational(node.value.numerator, node.value.denominator)
            case "symbol":
                return self.symbols[node.value]
            case "add":
                return sum(args[1:], args[0])
            case "mul":
                result = args[0]
                for factor in args[1:]:
                    result = result * factor
                return result
            case "pow":
                return args[0] ** args[1]
            case "transpose":
                return args[0].T
            case "hadamard":
                return sympy.hadamard_product(*args)
            case "hadamard_pow":
                return sympy.HadamardPower(*args)
            case "call":
                return self._call(node, args)
        raise NotImplementedError(node.op)

    def _call(self, node: Node, args: list[Any]) -> Any:
        shaped = bool(node.args and self.shapes.of(node.args[0]))
        match node.value:
            case "inv":
                return args[0].I if shaped else 1 / args[0]
            case "det":
                return sympy.Determinant(args[0])
            case "logdet":
                return sympy.log(sympy.Determinant(args[0]))
            case "tr":
                return sympy.Trace(args[0])
            case "eye":
                return sympy.Identity(args[0])
            case "ones":
                return sympy.OneMatrix(args[0], args[1] if len(args) > 1 else 1)
            case "norm" if len(args) == 1:
                return sympy.sqrt(sympy.Trace(args[0].T * args[0]))
            case "dot":
                return sympy.Trace(args[0].T * args[1])
            case "outer":
                return args[0] * args[1].T
            case "kron":
                return sympy.KroneckerProduct(*args)
            case "diag" if len(self.shapes.of(node.args[0])) == 1:
                return sympy.DiagMatrix(args[0])
            case "sum":
                rows, columns = args[0].shape
                return sympy.Trace(sympy.OneMatrix(columns, rows) * args[0])
            case "exp" | "log" | "sin" | "cos" | "tanh" | "sqrt" | "abs" if not shaped:
                return getattr(sympy, node.value if node.value != "abs" else "Abs")(args[0])
            case "exp" | "log" | "sin" | "cos" | "tanh":
                return args[0].applyfunc(getattr(sympy, node.value))
        raise NotImplementedError(node.value)


# --- the run ----------------------------------------------------------------------------------------

TOOLS: dict[str, Callable[[Case, int], Iterator[Timed]]] = {
    "verify": with_verify,
    "sympy": with_sympy,
    "autograd": with_autograd,
    "jax": with_jax,
    "torch": with_torch,
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--claims", type=int, default=100)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--timeout", type=float, default=10.0)
    parser.add_argument("--tools", default=",".join(TOOLS), help="some of them, separated by commas")
    options = parser.parse_args()
    tools = {name: TOOLS[name] for name in options.tools.split(",")}
    for name in EXTRAS:
        if name in tools and importlib.util.find_spec(name) is None:
            print(f"{name} is left out: it is not installed (pip install {name})")
            del tools[name]
        elif name in tools:
            importlib.import_module(name)  # once, and not in each process
    cases = sample(options.claims, Random(options.seed))
    scores = {name: Score() for name in tools}
    for case in cases:
        for name, tool in tools.items():
            megabytes = LARGE if name in EXTRAS else 2048
            outcome = run(tool, case, options.seed, seconds=options.timeout, megabytes=megabytes)
            answer, seconds = outcome.value or (None, outcome.seconds)
            scores[name].add(answer, case["truth"] == "true", seconds)
    versions = ", ".join(f"{name} {version(name)}" for name in tools if name != "verify")
    print(f"{len(cases)} claims, seed {options.seed}, {options.timeout:g} s each; {versions}")
    ours = sum(scores["verify"].seconds) if "verify" in scores else float("nan")
    print(f"{'':12}{'right':>6}{'wrong':>6}{'open':>6}{'total s':>10}{'median s':>10}{'total/ours':>12}")
    for name, score in scores.items():
        counts = "".join(f"{score.answers[key]:6}" for key in ("right", "wrong", "open"))
        total = sum(score.seconds)
        print(f"{name:12}{counts}{total:10.2f}{median(score.seconds):10.3f}{total / ours:12.2f}")


if __name__ == "__main__":
    main()
