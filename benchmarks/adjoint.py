"""How good, and how fast, are gradients through ODEs?  A bank of problems for us and for others, in one run.

    linear         u' = A(p) u, 2, 5 and 20 states, A and the start quadratic in as many or more parameters
    Lotka-Volterra four parameters, three periods
    Van der Pol    mu = 5, and mu = 1000, which is stiff; parameters mu and the start
    network        tanh layers; 280 parameters, and 12, 102, 1002 for the growth of the cost
    flow           a planar continuous flow with its log-density, 20 parameters

Every row is a way to dG/dp: its error against the validated enclosure (marked ~ where there is none: against heyoka,
or the adjoint at 1e-12), seconds of CPU for one gradient once all is compiled, its ratio to one forward solve in SciPy
at 1e-8, and to `ours, adjoint 1e-8`: the interpolated adjoint from one reverse sweep over the graph.  `ours, exact` is
the enclosure and its radius.  Each way has a process of its own with one thread and a time limit, compilation included.

    python benchmarks/adjoint.py [--only NAME …] [--seconds 20]

Others are measured if they are installed (pip install 'neural-ode-verify[peers]'), and named if not.
"""

from __future__ import annotations

import argparse
import os
import platform
import signal
import sys
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from fractions import Fraction
from functools import partial
from importlib import import_module
from importlib.metadata import version
from importlib.util import find_spec
from time import process_time
from typing import Any

os.environ.update(OMP_NUM_THREADS="1", OPENBLAS_NUM_THREADS="1", MKL_NUM_THREADS="1")  # read when NumPy is loaded

import numpy as np
from adjoint_bank import Case, bank, growth
from scipy.integrate import solve_ivp

from verify.numerics import autodiff, ode
from verify.numerics.enclosure import Enclosure, enclose
from verify.numerics.routes import heyoka
from verify.numerics.routes.point import Point
from verify.numerics.routes.survey import survey
from verify.worker import run

Array = Any
Way = Callable[["Prepared"], Array]
#: Seconds of runs, in batches of which the fastest counts, by its mean: the kernel counts CPU in ticks of milliseconds.
ENOUGH, BATCHES = 0.3, 3
#: What a time limit in seconds of CPU is multiplied by for one in seconds, on a machine with other work to do.
WALL = 15.0
#: Megabytes of address space for one way; the libraries of others reserve much more than they use.
MEMORY = 64_000
OURS = "ours, adjoint 1e-8"
#: Whose cost is followed as the parameters grow.
GROWING = (OURS, "autograd, odeint", "scipy, differences", "heyoka", "casadi, CVODES", "diffrax", "torchdiffeq, dopri8")
PEERS = ("heyoka", "casadi", "diffrax", "torchdiffeq")
HEAD = f"{'':30}{'error':>10}{'CPU s':>10}{'forwards':>10}{'to ours':>10}"


@dataclass(frozen=True)
class Prepared:
    """A case with its functions compiled; `made` holds what a peer has compiled."""

    case: Case
    point: Point
    stiff: bool
    made: dict[str, Any] = field(default_factory=dict)

    @property
    def at(self) -> tuple[Array, float, float]:
        return self.point.p, *self.point.ends

    def solver(self, rtol: float) -> ode.Solver:
        return ode.Solver("Radau" if self.stiff else "DOP853", rtol, rtol / 100)

    def only_p(self, whole: Array) -> Array:
        return np.asarray(whole)[: len(self.point.names)]


def interpolated(rtol: float, this: Prepared) -> Array:
    p, t0, T = this.at
    return ode.interpolated_adjoint(this.point.numeric, this.point.adjoint, p, t0, T, this.solver(rtol))


def backsolve(rtol: float, this: Prepared) -> Array:
    p, t0, T = this.at
    return ode.backsolved_adjoint(this.point.numeric, p, t0, T, this.solver(rtol), this.point.adjoint)


def sensitivities(rtol: float, this: Prepared) -> Array:
    p, t0, T = this.at
    return ode.forward_sensitivities(this.point.numeric, p, t0, T, this.solver(rtol))


def traceable(this: Prepared) -> ode.OdeProblem:
    """The problem in whole arrays, as somebody who uses autograd writes it."""
    if this.stiff:
        raise ArithmeticError("explicit steps, and the state solved backwards: not for a stiff problem")
    if "autograd" not in this.made:
        vector, library = this.case.vector, autodiff.LIBRARY
        this.made["autograd"] = replace(
            this.point.functions(library),
            field=lambda _t, u, p: vector(u, p, library),
            running=lambda _t, u, _p: 0.0 * u[0],
        )
    return this.made["autograd"]


def autograd_rk4(steps: int, this: Prepared) -> Array:
    return autodiff.discrete_adjoint(traceable(this), *this.at, steps)


def autograd_odeint(this: Prepared) -> Array:
    if survey(this.point).backwards > 12:
        raise ArithmeticError("solves the state backwards: no digit would be left")
    return autodiff.odeint_gradient(traceable(this), *this.at, 1e-10)


def differences(rtol: float, h: float, this: Prepared) -> Array:
    """One-sided, as scipy.optimize.approx_fprime makes them of a solve_ivp objective."""
    from scipy.optimize import approx_fprime

    p, t0, T = this.at
    numeric, solver = this.point.numeric, this.solver(rtol)

    def value(q: Array) -> float:
        end = solve_ivp(lambda t, u: numeric.field(t, u, q), (t0, T), numeric.initial(q), method=solver.method,
                        rtol=rtol, atol=rtol / 100).y[:, -1]  # fmt: skip
        return float(numeric.terminal(T, end, q))

    return approx_fprime(np.asarray(p, dtype=float), value, h)


def by_heyoka(this: Prepared) -> Array:
    if "heyoka" not in this.made:
        this.made["heyoka"] = heyoka.gradients(this.point, 1e-16)
    return this.made["heyoka"]()


def by_casadi(this: Prepared) -> Array:
    """CVODES with its reverse mode, tolerance 1e-10, quadratures under error control."""
    ca = import_module("casadi")

    if "casadi" not in this.made:
        n, m, (t0, T) = this.point.numeric.states, len(this.point.p), this.point.ends
        u, p = ca.SX.sym("u", n), ca.SX.sym("p", m)
        library = ca
        rate = this.case.field(ca.vertsplit(u), ca.vertsplit(p), library)
        system = {"x": u, "p": p, "ode": ca.vertcat(*rate)}
        options = {"abstol": 1e-12, "reltol": 1e-10, "quad_err_con": True, "max_num_steps": 200_000}
        solve = ca.integrator("solve", "cvodes", system, t0, T, options)
        q = ca.MX.sym("q", m)
        start = ca.Function("b", [p], [ca.vertcat(*this.case.initial(ca.vertsplit(p)))])(q)
        cost = ca.Function("g", [u], [this.case.terminal(ca.vertsplit(u))])
        value = cost(solve(x0=start, p=q)["xf"])
        this.made["casadi"] = ca.Function("gradient", [q], [ca.gradient(value, q)])
    return np.asarray(this.made["casadi"](this.point.p)).ravel()


def by_diffrax(this: Prepared) -> Array:
    """Dopri8 (Kvaerno5 where it is stiff), tolerance 1e-10, its default adjoint."""
    diffrax, jax, jnp = map(import_module, ("diffrax", "jax", "jax.numpy"))

    jax.config.update("jax_enable_x64", True)
    if "diffrax" not in this.made:
        t0, T = this.point.ends
        solver = diffrax.Kvaerno5() if this.stiff else diffrax.Dopri8()

        def value(p: Any) -> Any:
            rate = diffrax.ODETerm(lambda _t, u, q: this.case.vector(u, q, jnp))
            found = diffrax.diffeqsolve(
                rate, solver, t0, T, None, this.case.start(p, jnp), args=p,
                stepsize_controller=diffrax.PIDController(rtol=1e-10, atol=1e-12), max_steps=20_000,
            )  # fmt: skip
            return this.case.cost(found.ys[-1], jnp)

        this.made["diffrax"] = jax.jit(jax.grad(value))
    return np.asarray(this.made["diffrax"](jnp.asarray(this.point.p)))


class Torch:
    """The functions that vector fields use, in PyTorch."""

    def __init__(self) -> None:
        self.torch = torch = import_module("torch")
        torch.set_num_threads(1)
        self.array, self.tanh, self.reshape = torch.stack, torch.tanh, torch.reshape

    def asarray(self, x: Any) -> Any:
        return self.torch.as_tensor(x, dtype=self.torch.float64)

    def tensordot(self, a: Any, b: Any, axes: int) -> Any:
        return self.torch.tensordot(a, b, dims=axes)

    def append(self, x: Any, last: Any) -> Any:
        return self.torch.cat([x, last[None]])

    def sum(self, x: Any, axis: int | None = None) -> Any:
        return self.torch.sum(x, dim=axis)


def by_torchdiffeq(method: str, this: Prepared) -> Array:
    """odeint_adjoint, tolerance 1e-10."""
    if this.stiff:
        raise ArithmeticError("explicit steps, and the state solved backwards: not for a stiff problem")
    library, odeint_adjoint = Torch(), import_module("torchdiffeq").odeint_adjoint
    p = library.asarray(this.point.p).requires_grad_(True)

    def rate(_t: Any, u: Any) -> Any:
        return this.case.vector(u, p, library)

    start, times = this.case.start(p, library), library.asarray(this.point.ends)
    end = odeint_adjoint(rate, start, times, rtol=1e-10, atol=1e-12, method=method, adjoint_params=(p,))[-1]
    this.case.cost(end, library).backward()
    return p.grad.numpy()


def ways() -> Iterator[tuple[str, Way]]:
    yield OURS, partial(interpolated, 1e-8)
    yield "ours, adjoint 1e-12", partial(interpolated, 1e-12)
    yield "ours, sensitivities 1e-12", partial(sensitivities, 1e-12)
    yield "ours, backsolve 1e-12", partial(backsolve, 1e-12)
    yield "autograd, 200 steps of RK4", partial(autograd_rk4, 200)
    yield "autograd, odeint", autograd_odeint
    yield "scipy, differences", partial(differences, 1e-8, 1e-6)
    for module, name, way in (
        ("heyoka", "heyoka", by_heyoka),
        ("casadi", "casadi, CVODES", by_casadi),
        ("diffrax", "diffrax", by_diffrax),
        ("torchdiffeq", "torchdiffeq, dopri5", partial(by_torchdiffeq, "dopri5")),
        ("torchdiffeq", "torchdiffeq, dopri8", partial(by_torchdiffeq, "dopri8")),
    ):
        if find_spec(module):
            yield name, way


def prepared(case: Case) -> Prepared:
    point = Point(case.problem, {name: float(x) for name, x in case.values.items()})
    return Prepared(case, point, survey(point).stiff)


def once(function: Callable[[], Any]) -> tuple[Any, float]:
    before = process_time()
    value = function()
    return value, process_time() - before


def forward_seconds(this: Prepared) -> float:
    p, t0, T = this.at
    numeric, solver = this.point.numeric, this.solver(1e-8)

    def solve() -> Any:
        return solve_ivp(lambda t, u: numeric.field(t, u, p), (t0, T), numeric.initial(p), method=solver.method,
                         rtol=1e-8, atol=1e-10)  # fmt: skip

    solve()
    return min(once(solve)[1] for _ in range(3))


def proof(this: Prepared, seconds: float) -> tuple[Array | None, str, float]:
    """dG/dp from the enclosure, how wide it is, and what it cost; None with the reason where there is none."""
    at = {name: Fraction(float(x)) for name, x in zip(this.point.names, this.point.p, strict=True)}
    found, spent = once(lambda: enclose(this.case.problem, at, radius=1e-14, seconds=seconds))
    if not isinstance(found, Enclosure):
        return None, found.reason, spent
    return np.array([float(found.gradient[name]) for name in this.point.names]), f"{found.radius:.0e}", spent


@dataclass(frozen=True)
class Result:
    """A gradient and the seconds of one; without a gradient the reason."""

    gradient: Array | None
    seconds: float
    reason: str = ""


def measured(way: Way, this: Prepared) -> Iterator[tuple[Array, float]]:
    """The gradient and the seconds of one: first with compilation, then without, where it was fastest."""
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        found, first = once(lambda: this.only_p(way(this)))
        yield found, first
        spent, best = 0.0, np.inf
        while spent < ENOUGH:
            before, runs, batch = process_time(), 0, 0.0
            while batch < ENOUGH / BATCHES:
                way(this)
                runs, batch = runs + 1, process_time() - before
            spent, best = spent + batch, min(best, batch / runs)
        yield found, best


def attempt(way: Way, this: Prepared, seconds: float) -> Result:
    """What a way gives within a time limit; a peer may fail in any way, and that is its result."""

    def guarded() -> Iterator[Result]:
        signal.signal(signal.SIGPROF, signal.SIG_DFL)
        signal.setitimer(signal.ITIMER_PROF, seconds)  # ends this process, even inside of compiled code
        try:
            for found, spent in measured(way, this):
                yield Result(found, spent) if np.isfinite(found).all() else Result(None, spent, "not finite")
        except Exception as error:
            said = str(error).splitlines()
            yield Result(None, 0.0, f"{type(error).__name__}: {said[0][:90] if said else ''}")

    outcome = run(guarded, seconds=WALL * seconds, megabytes=MEMORY)
    reason = f"more than {seconds:g} s of CPU" if "SIGPROF" in outcome.reason else outcome.reason
    return outcome.value or Result(None, 0.0, reason)


def progress(line: str) -> None:
    if sys.stderr.isatty():
        sys.stderr.write(f"\r\x1b[K{line} …" if line else "\r\x1b[K")
        sys.stderr.flush()


def measure(case: Case, seconds: float) -> None:
    progress(f"{case.name}: enclosure")
    this = prepared(case)
    forward = forward_seconds(this)
    right, width, spent = proof(this, seconds)
    progress("")
    print(f"\n{case.name}: {this.point.numeric.states} states, {len(this.point.names)} parameters", flush=True)
    chosen, results, mark = dict(ways()), {}, ""

    def result(name: str) -> Result:
        if name not in results:
            progress(f"{case.name}: {name}")
            results[name] = attempt(chosen[name], this, seconds)
            progress("")
        return results[name]

    ours = result(OURS).seconds or np.nan
    if right is None:
        print(f"  {'ours, exact':28}{'':>10}{spent:>10.4f}{spent / forward:>10.1f}{spent / ours:>10.1f}  {width}")
        mark = "~"
        for name in ("heyoka", "ours, adjoint 1e-12"):
            if right is None and name in chosen:
                right = result(name).gradient
    else:
        print(f"  {'ours, exact':28}{width:>10}{spent:>10.4f}{spent / forward:>10.1f}{spent / ours:>10.1f}")
    for name in chosen:
        found = result(name)
        if found.gradient is None or right is None:
            print(f"  {name:28}{'':>40}  {found.reason or 'nothing to compare with'}", flush=True)
            continue
        error = float(np.linalg.norm(found.gradient - right) / np.linalg.norm(right))
        ratios = f"{found.seconds / forward:>10.1f}{found.seconds / ours:>10.1f}"
        print(f"  {name:28}{mark + format(error, '.0e'):>10}{found.seconds:>10.4f}{ratios}", flush=True)


def cost_growth(seconds: float) -> None:
    """Seconds of one gradient over seconds of one forward solve, by the number of parameters."""
    print("\nGrowth: one gradient, in forward solves, of networks with two states", flush=True)
    cases = [prepared(case) for case in growth()]
    print(f"  {'parameters':28}" + "".join(f"{len(this.point.names):>10}" for this in cases), flush=True)
    forward = [forward_seconds(this) for this in cases]
    for name, way in ways():
        if name not in GROWING:
            continue
        cells = []
        for this, base in zip(cases, forward, strict=True):
            progress(f"growth: {name}, {len(this.point.names)} parameters")
            found = attempt(way, this, seconds)
            cells.append(f"{'-' if found.gradient is None else format(found.seconds / base, '.1f'):>10}")
        progress("")
        print(f"  {name:28}" + "".join(cells), flush=True)
    print(f"  - stands for what failed, or took more than {seconds:g} s")


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--only", nargs="*", default=[], metavar="NAME", help="problems whose names contain this")
    parser.add_argument("--seconds", type=float, default=20.0, help="of CPU, for each way to each gradient")
    options = parser.parse_args()
    missing = [peer for peer in PEERS if not find_spec(peer)]
    if missing:
        print(f"left out, as not installed: {', '.join(missing)}  (pip install 'neural-ode-verify[peers]')")
    used = ["numpy", "scipy", "autograd", *(each for each in PEERS if each not in missing)]
    load = f"{os.cpu_count()} cores with load {os.getloadavg()[0]:.1f}, Python {platform.python_version()}, "
    print(load + ", ".join(f"{name} {version(name)}" for name in used))
    print(HEAD)
    try:
        for case in bank():
            if not options.only or any(text in case.name for text in options.only):
                measure(case, options.seconds)
        if not options.only or "growth" in options.only:
            cost_growth(options.seconds)
    except KeyboardInterrupt:
        progress("")
        print("interrupted")
        sys.exit(130)


if __name__ == "__main__":
    main()
