"""Who tells right gradients in code from wrong ones, and how fast?  Us and the usual checkers on one bank, in one run.

    verify.check_code               REFUTED is no, SUPPORTED is yes, UNDECIDED is open
    autograd check_grads            reverse mode of the claim against central differences, its own tolerances
    scipy check_grad                forward differences; the tolerance is 1e-6 of the gradient's norm
    numdifftools                    extrapolated derivatives; np.allclose                      (if installed)
    torch gradcheck                 its own tolerances, double precision                       (if installed)
    jax check_grads                 its own tolerances, double precision                       (if installed)

Peers judge at points, we judge on a domain: each peer gets the same 20 points of it, and one no is a no.  A peer
that raises, or that does not take such functions (Jacobians, in scipy), is open.  Open is neither right nor wrong.

    python benchmarks/code.py [--seed 0] [--only WORD] [--points 20]
"""

from __future__ import annotations

import argparse
import importlib.util
import logging
import sys
import warnings
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from statistics import median
from time import process_time
from typing import Any

import numpy as np
import scipy.optimize
from autograd.extend import defvjp, primitive
from autograd.test_util import check_grads

from verify.code.check import check_code
from verify.code.points import from_box, from_sampler
from verify.verdict import Verdict

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))
from code_bank import CASES, Case

Answer = bool | None
Peer = Callable[[Case, Any], Answer]
"""Judges a case at one point: True, False, or None if it cannot."""


def pulled(case: Case, u: Any, z: Any) -> Any:
    """What the claim makes of the gradient u by the value: u^T J, where the value of one number may have no axis."""
    jacobian = np.asarray(case.gradient(z.copy()), dtype=float)
    if np.size(u) == 1 and jacobian.shape == np.shape(z):
        return np.sum(u) * jacobian
    return np.tensordot(u, jacobian, np.ndim(u))


def by_scipy(case: Case, x: Any) -> Answer:
    x = np.asarray(x, dtype=float)
    g = np.asarray(case.gradient(x.copy()), dtype=float)
    if np.size(case.f(x.copy())) != 1 or g.shape != x.shape:
        return None if np.size(case.f(x.copy())) != 1 else False

    def flat(function: Callable[[Any], Any]) -> Callable[[Any], Any]:
        return lambda z: np.asarray(function(z.reshape(x.shape).copy()), dtype=float).ravel()

    error = scipy.optimize.check_grad(lambda z: float(flat(case.f)(z)[0]), flat(case.gradient), x.ravel())
    return bool(error <= 1e-6 * max(float(np.linalg.norm(g)), 1e-300))


def by_autograd(case: Case, x: Any) -> Answer:
    f = primitive(lambda z: np.asarray(case.f(z.copy()), dtype=float))
    defvjp(f, lambda _, z: lambda u: pulled(case, u, z))
    try:
        check_grads(f, modes=["rev"], order=1)(np.asarray(x, dtype=float))
    except AssertionError:
        return False
    return True


def by_numdifftools(case: Case, x: Any) -> Answer:
    import numdifftools

    x = np.asarray(x, dtype=float)

    def flat(z: Any) -> Any:
        return np.asarray(case.f(z.reshape(x.shape).copy()), dtype=float).ravel()

    if x.size > 200:
        return None
    true = numdifftools.Jacobian(flat)(x.ravel())
    return bool(np.allclose(np.asarray(case.gradient(x.copy()), dtype=float).ravel(), np.ravel(true)))


def by_torch(case: Case, x: Any) -> Answer:
    import torch

    class Claimed(torch.autograd.Function):
        @staticmethod
        def forward(ctx: Any, z: Any) -> Any:
            ctx.save_for_backward(z)
            return torch.as_tensor(np.asarray(case.f(z.numpy().copy()), dtype=float))

        @staticmethod
        def backward(ctx: Any, u: Any) -> Any:
            (z,) = ctx.saved_tensors
            return torch.as_tensor(pulled(case, u.numpy(), z.numpy()))

    argument = torch.tensor(np.asarray(x, dtype=float), requires_grad=True)
    if argument.numel() > 200:
        return None
    return bool(torch.autograd.gradcheck(Claimed.apply, (argument,), raise_exception=False))


def by_jax(case: Case, x: Any) -> Answer:
    import jax
    from jax.test_util import check_grads as check

    jax.config.update("jax_enable_x64", True)
    logging.getLogger("jax._src.callback").setLevel(logging.CRITICAL)  # what a case raises is its answer
    x = np.asarray(x, dtype=float)
    shape = jax.ShapeDtypeStruct(np.shape(case.f(x.copy())), float)

    def call(z: Any) -> Any:
        return jax.pure_callback(lambda z: np.asarray(case.f(np.array(z)), dtype=float), shape, z)

    f = jax.custom_vjp(call)

    f.defvjp(lambda z: (call(z), z), lambda z, u: (jax.numpy.asarray(pulled(case, np.asarray(u), np.array(z))),))
    try:
        check(f, (jax.numpy.asarray(x),), order=1, modes=["rev"])
    except AssertionError:
        return False
    return True


def peers() -> Iterator[tuple[str, Peer]]:
    """The peers that are installed."""
    yield "autograd check_grads", by_autograd
    yield "scipy check_grad", by_scipy
    for name, module, peer in (
        ("numdifftools", "numdifftools", by_numdifftools),
        ("torch gradcheck", "torch", by_torch),
        ("jax check_grads", "jax", by_jax),
    ):
        if importlib.util.find_spec(module):
            yield name, peer


def arguments(case: Case, count: int, seed: int) -> list[Any]:
    rng = np.random.default_rng(seed)
    sites = from_sampler(case.domain, count, rng) if callable(case.domain) else from_box(*case.domain, count, rng)
    shaped = [site.x.reshape(sites.shape) for site in sites.sites]
    return [x[()] if sites.scalar else x for x in shaped]


def ask(peer: Peer, case: Case, points: list[Any]) -> Answer:
    """The peer's verdict over all points: one no is a no, and what no point could tell is open."""
    told: list[bool] = []
    for x in points:
        try:
            answer = peer(case, x)
        except Exception:
            continue
        if answer is False:
            return False
        if answer is not None:
            told.append(answer)
    return True if told else None


def ours(case: Case, seed: int) -> Answer:
    verdict = check_code(case.f, case.gradient, case.domain, seed=seed).verdict
    return {Verdict.SUPPORTED: True, Verdict.REFUTED: False}.get(verdict)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--points", type=int, default=20, help="points that each peer gets")
    parser.add_argument("--only", default="", help="cases whose name contains this")
    options = parser.parse_args()
    cases = [case for case in CASES if options.only in case.name]
    judges: list[tuple[str, Callable[[Case], Answer]]] = [("verify.check_code", lambda c: ours(c, options.seed))]
    for name, peer in peers():

        def judge(case: Case, peer: Peer = peer) -> Answer:
            return ask(peer, case, arguments(case, options.points, options.seed))

        judges.append((name, judge))
    counts: dict[str, Counter[str]] = {name: Counter() for name, _ in judges}
    times: dict[str, list[float]] = {name: [] for name, _ in judges}
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        for case in cases:
            for name, judge in judges:
                begun = process_time()
                answer = judge(case)
                times[name].append(process_time() - begun)
                counts[name][f"{'right' if case.right else 'wrong'} {answer}"] += 1
    rights, wrongs = sum(c.right for c in cases), sum(not c.right for c in cases)
    print(f"{rights} right gradients, {wrongs} wrong ones, seed {options.seed}, {options.points} points for peers\n")
    print(
        f"{'':22}{'right: yes':>11}{'false alarm':>12}{'open':>6}  {'wrong: no':>11}{'passed':>8}{'open':>6}{'time':>8}"
    )
    base = times["verify.check_code"]
    for name, _ in judges:
        c = counts[name]
        ratio = median(t / max(b, 1e-6) for t, b in zip(times[name], base, strict=True))
        print(
            f"{name:22}{c['right True']:11}{c['right False']:12}{c['right None']:6}  "
            f"{c['wrong False']:11}{c['wrong True']:8}{c['wrong None']:6}{ratio:8.2g}"
        )
    print(f"\ntime: median ratio to verify.check_code, whose median is {median(base):.2f} s of processor time a case")


if __name__ == "__main__":
    main()
